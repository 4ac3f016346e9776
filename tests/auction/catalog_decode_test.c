// Blocks of hostile bytes: every byte flipped, sealed again or not, cut and stretched. Nothing but
// a refusal or a catalog that can be used may come of them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_sample.h"
#include "rule_maker.h"
#include "scratch.h"
#include "seed.h"

static void
seal(uint8_t *bytes, size_t len)
{
    struct digest digest = hash_sha256_pieces(
        (struct hash_piece[]){{bytes, 16}, {bytes + 48, len - 48}}, 2);
    memcpy(bytes + 16, digest.bytes, sizeof digest.bytes);
}

// Walks all that a decoded catalog holds, as its users would.
static void
use(const struct catalog *catalog)
{
    struct values values = {.known = UINT64_MAX}, unknown = {.known = 0};
    char text[64];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        sum += expr_true(&catalog->seats[i].rule, &values, NULL);
        sum += catalog_contract_at(catalog, i, (usec){2000}) != NULL;
        sum += catalog_rule_text(catalog, &catalog->seats[i].rule, NULL, text, sizeof text);
    }
    for (uint32_t i = 0; i < catalog->slot_count; i++) {
        const struct catalog_slot *slot = &catalog->slots[i];
        sum += expr_true(&slot->rule, &values, NULL);
        if (catalog->message_count > 0)
            sum += expr_true_with(&slot->rule, &unknown, &catalog->messages[0].values, NULL);
        sum += catalog_rule_text(catalog, &slot->rule, NULL, text, sizeof text) +
               strlen(slot->tagid);
        sum += strlen(catalog->containers[slot->container].code) + slot->position;
        for (uint32_t j = 0; j < slot->format_count; j++)
            sum += strlen(catalog->words[slot->formats[j]]);
        for (uint32_t j = 0; j < slot->experiment_count; j++)
            sum += catalog->experiments[slot->experiments[j]].share_ppm;
        for (uint32_t j = 0; j < slot->floor_count; j++)
            if (slot->floors[j].when != NULL) sum += expr_true(slot->floors[j].when, &values, NULL);
        for (uint32_t j = 0; j < slot->floor_count; j++)
            if (slot->floors[j].seat != UINT32_MAX)
                sum += catalog->seats[slot->floors[j].seat].kind;
    }
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        sum += expr_true(&message->rule, &values, NULL);
        for (uint32_t j = 0; j < catalog->slot_count; j++)
            sum += expr_true_with(&message->rule, &unknown, &catalog->slots[j].values, NULL);
        sum += strlen(message->category_text) + strlen(message->content) +
               catalog->seats[message->seat].kind;
        if (message->campaign != UINT32_MAX)
            sum += strlen(catalog->campaigns[message->campaign].code);
        if (message->deal != UINT32_MAX) sum += strlen(catalog->deals[message->deal].code);
        for (uint32_t j = 0; j < message->cap_count; j++)
            for (uint32_t k = 0; k < catalog->message_count; k++)
                sum += catalog_cap_counts(catalog, message->caps[j], i, CHANNEL_WEB, k,
                                          CHANNEL_WEB);
        for (uint32_t j = 0; j < catalog->slot_count; j++)
            sum += catalog_deal_of(catalog, j, i, (usec){1600}) != NULL;
    }
    for (uint32_t i = 0; i < catalog->bid_count; i++) {
        assert_true(catalog->bids[i].price.micros > 0);
        assert_int_equal(catalog->messages[catalog->bids[i].message].seat, catalog->bids[i].seat);
        sum += catalog->bids[i].slot == UINT32_MAX ? 0 : catalog->slots[catalog->bids[i].slot].id;
    }
    for (uint32_t i = 0; i < catalog->container_count; i++) {
        const struct catalog_container *container = &catalog->containers[i];
        sum += catalog->seats[container->owner].id;
        assert_true(container->slot_first + container->slot_count <= catalog->slot_count);
    }
    for (uint32_t i = 0; i < catalog->word_count; i++)
        assert_int_equal(catalog_word(catalog, catalog->words[i], strlen(catalog->words[i])), i);
    static const int64_t times[] = {0, 1774746000000000, 1792890000000000, 4102444800000000};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct catalog_day day = catalog_day_of(catalog, (usec){times[i] + USEC_DAY});
        assert_true(day.begins.us <= times[i] + USEC_DAY && day.ends.us > times[i] + USEC_DAY);
        sum += (uint64_t)catalog_window_began(catalog, CAP_WEEK, (usec){times[i]}).us;
    }
    assert_true(sum > 0);
}

// Decodes an exact copy, so that a read past its end is seen. True when it was accepted.
static bool
try(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, bytes, len);
    struct catalog *catalog;
    enum status status = catalog_decode(exact, len, &catalog, NULL);
    free(exact);
    if (status == STATUS_OK) {
        use(catalog);
        catalog_close(catalog);
        return true;
    }
    assert_true(status == STATUS_DAMAGED || status == STATUS_VERSION);
    return false;
}

static void
every_flipped_byte_is_seen(void **state)
{
    (void)state;
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    uint8_t *copy = malloc(len);
    for (size_t i = 0; i < len; i++) {
        memcpy(copy, bytes, len);
        copy[i] ^= (uint8_t)(1u << (i % 8));
        assert_false(try(copy, len));
    }
    free(copy);
}

static void
what_is_sealed_again_is_checked_piece_by_piece(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x02, 0x10, 0x80, 0xff};
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    uint8_t *copy = malloc(len);
    unsigned accepted = 0, refused = 0;
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < sizeof flips; j++) {
            memcpy(copy, bytes, len);
            copy[i] ^= flips[j];
            if (i < 16 || i >= 48) seal(copy, len);
            if (try(copy, len)) accepted++;
            else refused++;
        }
    }
    struct maker maker = {seed_fresh()};
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, bytes, len);
        for (uint64_t changes = 2 + maker_random(&maker, 4); changes > 0; changes--) {
            size_t at = maker_random(&maker, len), to = maker_random(&maker, len),
                   size = maker_random(&maker, 24);
            if (at + size > len || to + size > len) continue;
            memmove(copy + to, copy + at, size);
        }
        memcpy(copy, bytes, 16);
        seal(copy, len);
        if (try(copy, len)) accepted++;
        else refused++;
    }
    free(copy);
    printf("sealed again: %u refused, %u still a catalog\n", refused, accepted);
    assert_true(accepted > 100 && refused > 1000);
}

static void
cut_and_stretched_blocks_are_refused(void **state)
{
    (void)state;
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    uint8_t *copy = malloc(len + 16);
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(copy, bytes, cut);
        assert_false(try(copy, cut));
        if (cut < 64) continue;
        // With a length and digest that fit the cut.
        uint64_t claimed = cut;
        memcpy(copy + 8, &claimed, 8);
        seal(copy, cut);
        assert_false(try(copy, cut));
    }
    memcpy(copy, bytes, len);
    memset(copy + len, 0, 16);
    uint64_t claimed = len + 16;
    memcpy(copy + 8, &claimed, 8);
    seal(copy, len + 16);
    assert_false(try(copy, len + 16));
    free(copy);
}

static void
another_version_is_named(void **state)
{
    (void)state;
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    uint8_t *copy = malloc(len);
    memcpy(copy, bytes, len);
    copy[4] = 5;
    seal(copy, len);
    struct catalog *catalog;
    assert_int_equal(catalog_decode(copy, len, &catalog, NULL), STATUS_VERSION);
    free(copy);
}

// What the release before wrote, of this sample without its rules of selling.
static uint8_t *
block_of_format_2(size_t *out_len)
{
    FILE *file = fopen(SOURCE_DIR "/tests/auction/catalog_format_2.bin", "rb");
    assert_non_null(file);
    uint8_t *bytes = malloc(4096);
    *out_len = fread(bytes, 1, 4096, file);
    fclose(file);
    assert_true(*out_len > 2000 && *out_len < 4096);
    return bytes;
}

static void
assert_format_before(const uint8_t *bytes, size_t len, enum pricing pricing)
{
    struct catalog *catalog;
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    use(catalog);
    assert_int_equal(catalog->container_count, 3);
    assert_string_equal(catalog->containers[2].code, "bill");
    assert_int_equal(catalog->containers[2].pricing, pricing);
    assert_true(!catalog->containers[2].separate && catalog->containers[2].quota_count == 0);
    assert_int_equal(catalog->disclosure, DISCLOSE_CLEARING);
    assert_true(catalog->campaign_count == 0 && catalog->deal_count == 0 &&
                catalog->experiment_count == 0 && catalog->judged_first == 0);
    assert_true(catalog->shift_count == 1 && catalog->shifts[0].from.us == INT64_MIN &&
                catalog->shifts[0].offset_seconds == 0);
    const struct catalog_budget *budget = &catalog->seats[1].budget;
    assert_true(budget->has_total && !budget->has_daily &&
                budget->limit.micros == budget->total.micros);
    const struct catalog_slot *footer = &catalog->slots[1];
    assert_int_equal(footer->floor_count, 8);
    for (uint8_t i = 0; i < 8; i++)
        assert_true(footer->floors[i].number == i + 1 && footer->floors[i].id == 0 &&
                    footer->floors[i].tier == -1 && footer->floors[i].when == NULL);
    const struct catalog_message *grill = &catalog->messages[1];
    assert_true(grill->campaign == UINT32_MAX && grill->deal == UINT32_MAX && grill->group == 0);
    assert_true(catalog->cap_count == 1 && grill->cap_count == 1 && grill->remember_days == 30);
    const struct catalog_cap *cap = &catalog->caps[grill->caps[0]];
    assert_true(cap->id == 0 && cap->per == CAP_MESSAGE && cap->of == 1 && cap->count == 3 &&
                cap->window == CAP_MINUTES && cap->minutes == 30 * 1440);
    assert_int_equal(catalog->messages[0].cap_count, 0);
    assert_int_equal(catalog->bids[0].kind, PRICE_PLACEMENT);
    catalog_close(catalog);
}

// A block of format 3 says no merchant in its contracts, the seventh section: none is the host.
static void
format_3_is_read(void **state)
{
    (void)state;
    size_t len;
    struct market_contract *contract = &sample_contracts[1];
    contract->has_gain_share = true;
    contract->merchant = MERCHANT_HOST;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    *contract = (struct market_contract){.id = 6, .code = "inner", .seat = "marketing"};
    uint8_t *copy = malloc(len);
    memcpy(copy, bytes, len);
    struct catalog *catalog;
    assert_int_equal(catalog_decode(copy, len, &catalog, NULL), STATUS_OK);
    unsigned of_host = 0;
    for (uint32_t i = 0; i < catalog->contract_count; i++)
        of_host += catalog->contracts[i].merchant == MERCHANT_HOST;
    assert_int_equal(of_host, 1);
    catalog_close(catalog);
    uint64_t at, size, shift;
    uint32_t count, sections;
    memcpy(&at, copy + 80 + 6 * 20, 8);
    memcpy(&size, copy + 80 + 6 * 20 + 8, 8);
    memcpy(&count, copy + 80 + 6 * 20 + 16, 4);
    memcpy(&sections, copy + 76, 4);
    assert_int_equal(size, count * 27u);
    for (uint32_t i = 0; i < count; i++, len--) {
        at += 26;
        memmove(copy + at, copy + at + 1, len - at - 1);
    }
    size -= count;
    memcpy(copy + 80 + 6 * 20 + 8, &size, 8);
    for (uint32_t section = 7; section < sections; section++) {
        memcpy(&shift, copy + 80 + section * 20, 8);
        shift -= count;
        memcpy(copy + 80 + section * 20, &shift, 8);
    }
    uint64_t claimed = len;
    memcpy(copy + 8, &claimed, 8);
    copy[4] = 3;
    seal(copy, len);
    assert_int_equal(catalog_decode(copy, len, &catalog, NULL), STATUS_OK);
    for (uint32_t i = 0; i < catalog->contract_count; i++)
        assert_int_equal(catalog->contracts[i].merchant, MERCHANT_PARTNER);
    catalog_close(catalog);
    free(copy);
}

// A block of format 1 has no pricing in its containers, the fourth section; all are per slot.
static void
the_formats_before_are_read(void **state)
{
    (void)state;
    size_t len;
    uint8_t *copy = block_of_format_2(&len);
    assert_format_before(copy, len, PRICING_VCG);
    uint64_t at, size, shift;
    uint32_t count;
    memcpy(&at, copy + 80 + 3 * 20, 8);
    memcpy(&size, copy + 80 + 3 * 20 + 8, 8);
    memcpy(&count, copy + 80 + 3 * 20 + 16, 4);
    for (uint32_t i = 0; i < count; i++, len--) {
        at += 4 + 4 + 1 + 1 + 1;
        memmove(copy + at, copy + at + 1, len - at - 1);
        at += 2u + copy[at];
    }
    size -= count;
    memcpy(copy + 80 + 3 * 20 + 8, &size, 8);
    for (uint32_t section = 4; section < 11; section++) {
        memcpy(&shift, copy + 80 + section * 20, 8);
        shift -= count;
        memcpy(copy + 80 + section * 20, &shift, 8);
    }
    uint64_t claimed = len;
    memcpy(copy + 8, &claimed, 8);
    copy[4] = 1;
    seal(copy, len);
    assert_format_before(copy, len, PRICING_PER_SLOT);
    free(copy);
}

// Two bids of one id, in good order by price: each alone is sound.
static void
ids_are_unique(void **state)
{
    (void)state;
    static const uint8_t bid[] = {10, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 11, 0, 0, 0};
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    uint8_t *copy = malloc(len);
    memcpy(copy, bytes, len);
    uint8_t *found = memmem(copy, len, bid, sizeof bid);
    assert_non_null(found);
    *found = 21;
    seal(copy, len);
    assert_true(try(copy, len));
    *found = 20;
    seal(copy, len);
    assert_false(try(copy, len));
    free(copy);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(every_flipped_byte_is_seen),
        TEST(what_is_sealed_again_is_checked_piece_by_piece),
        TEST(cut_and_stretched_blocks_are_refused),
        TEST(another_version_is_named),
        TEST(format_3_is_read),
        TEST(the_formats_before_are_read),
        TEST(ids_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
