// The catalog: what goes in comes out, in its orders, and is found by its codes and ids; many bids
// too. What is refused: catalog_encode_test.c; hostile bytes: catalog_decode_test.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "catalog_sample.h"
#include "fact.h"
#include "rule_maker.h"
#include "scratch.h"

static const int64_t floors_by_precedence[] = {100, 7, 8, 5, 4, 3, 2, 6, 1, 50};

static struct catalog *
decode(const struct catalog_input *input)
{
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(input, arena, &len);
    struct catalog *catalog;
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    return catalog;
}

static uint32_t
word(const struct catalog *catalog, const char *text)
{
    return catalog_word(catalog, text, strlen(text));
}

static void
assert_rule(const struct catalog *catalog, const struct expr *rule, const char *text)
{
    char shown[256];
    catalog_rule_text(catalog, rule, NULL, shown, sizeof shown);
    assert_string_equal(shown, text);
}

static void
seats_and_slots_come_back(void **state)
{
    (void)state;
    struct catalog *catalog = decode(&sample_input);
    assert_int_equal(catalog->version, 42);
    assert_true(catalog->position.log == 1 && catalog->position.epoch == 2 &&
                catalog->position.batch == 3);
    assert_string_equal(catalog->currency.code, "EUR");
    assert_string_equal(catalog->market, "sample");
    assert_int_equal(catalog->attribute_count, BUILTIN_COUNT + 7);
    const struct catalog_attribute *age = &catalog->attributes[BUILTIN_COUNT + 1];
    assert_string_equal(age->is.name, "age");
    assert_true(age->is.least == 0 && age->is.most == 120 && age->consent == CONSENT_PROFILING);
    assert_int_equal(catalog->attributes[BUILTIN_COUNT].privacy, PRIVACY_OPEN);
    assert_string_equal(catalog->seats[1].code, "grillco");
    assert_true(catalog->seats[1].budget.has_total &&
                catalog->seats[1].budget.total.micros == 5000000000);
    assert_rule(catalog, &catalog->seats[1].rule, "consent_third_party and place = 'north'");
    assert_rule(catalog, &catalog->seats[0].rule, "true");
    assert_int_equal(catalog->slot_count, 3);
    assert_int_equal(catalog->containers[2].slot_first, 1);
    assert_int_equal(catalog->containers[2].slot_count, 2);
    assert_int_equal(catalog->containers[1].slot_count, 0);
    assert_int_equal(catalog->containers[1].pricing, PRICING_PER_SLOT);
    assert_int_equal(catalog->containers[2].pricing, PRICING_VCG);
    const struct catalog_slot *footer = &catalog->slots[1];
    assert_string_equal(footer->tagid, "bill.footer");
    assert_true(footer->id == 11 && footer->container == 2 && footer->position == 1 &&
                footer->floor.micros == 10000);
    assert_true(catalog->slots[2].position == 2 && footer->delivery_seconds == 86400);
    assert_int_equal(footer->floor_count, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(footer->floors[i].price.micros, floors_by_precedence[i]);
    assert_int_equal(footer->floors[0].seat, 1);
    assert_int_equal(footer->floors[4].category, -1);
    assert_int_equal(footer->floors[3].category, word(catalog, "garden"));
    assert_int_equal(footer->format_count, 2);
    assert_true(footer->formats[0] < footer->formats[1]);
    assert_rule(catalog, &footer->rule,
                "condition <> 'distressed' and (loud is not true or age >= 18)");
    assert_int_equal(footer->values.known,
                     1u << BUILTIN_SLOT | 1u << (BUILTIN_COUNT + 3) | 1u << (BUILTIN_COUNT + 4));
    assert_int_equal(declared_value(&footer->values, BUILTIN_SLOT), word(catalog, "bill.footer"));
    assert_int_equal(declared_value(&footer->values, BUILTIN_COUNT + 4), -7);
    catalog_close(catalog);
}

static void
messages_contracts_and_certificates_come_back(void **state)
{
    (void)state;
    struct catalog *catalog = decode(&sample_input);
    const struct catalog_message *grill = &catalog->messages[1], *upgrade = &catalog->messages[0];
    assert_true(grill->id == 4 && grill->seat == 1 && grill->rung == RUNG_SYNDICATION &&
                grill->objectives == 16);
    assert_true(grill->from.us == 1000 && grill->until.us == 2000 &&
                grill->budget.total.micros == 77);
    assert_true(grill->remember_days == 30 && grill->budget.has_total &&
                !upgrade->budget.has_total);
    assert_string_equal(grill->category_text, "garden");
    assert_string_equal(grill->format_text, "banner");
    assert_string_equal(grill->content, "cms:2");
    assert_string_equal(upgrade->category_text, "");
    assert_int_equal(upgrade->category, -1);
    assert_int_equal(upgrade->values.known,
                     1u << BUILTIN_MESSAGE | 1u << BUILTIN_SEAT | 1u << BUILTIN_RUNG);
    assert_int_equal(declared_value(&upgrade->values, BUILTIN_RUNG), 4);
    assert_int_equal(declared_value(&grill->values, BUILTIN_CATEGORY), word(catalog, "garden"));
    int64_t themes = declared_value(&grill->values, BUILTIN_COUNT + 5);
    assert_int_equal((uint32_t)themes, 2);
    assert_true(grill->values.list_items[0] < grill->values.list_items[1]);
    assert_int_equal(declared_value(&grill->values, BUILTIN_COUNT + 6), 1);
    assert_rule(catalog, &upgrade->rule,
                "region in ('north', 'west') and 'loans' = any (products)");
    assert_int_equal(catalog->contracts[2].id, 8);
    assert_int_equal(catalog->contracts[1].billing, BILLING_PREPAID);
    assert_null(catalog_contract_at(catalog, 1, (usec){999}));
    assert_int_equal(catalog_contract_at(catalog, 1, (usec){1000})->id, 9);
    assert_int_equal(catalog_contract_at(catalog, 1, (usec){3999})->id, 9);
    assert_null(catalog_contract_at(catalog, 1, (usec){4000}));
    assert_int_equal(catalog_contract_at(catalog, 1, (usec){9000000})->id, 8);
    assert_int_equal(catalog_contract_at(catalog, 0, (usec){0})->id, 6);
    assert_int_equal(catalog_certificate(catalog, (struct digest){{9}})->party, 1);
    assert_true(catalog_certificate(catalog, (struct digest){{4}})->revoked);
    assert_null(catalog_certificate(catalog, (struct digest){{5}}));
    assert_string_equal(catalog->touchpoints[0].name, "CRM screen");
    catalog_close(catalog);
}

static void
the_judged_come_first_then_the_dearest_and_strays_stay_out(void **state)
{
    (void)state;
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len);
    struct catalog *catalog;
    uint32_t left_out;
    assert_int_equal(catalog_decode(bytes, len, &catalog, &left_out), STATUS_OK);
    assert_int_equal(left_out, 3);
    assert_int_equal(catalog->bid_count, 3);
    assert_int_equal(catalog->judged_first, 1);  // the deal's
    assert_int_equal(catalog->bids[0].id, 30);
    assert_int_equal(catalog->bids[1].id, 10);
    assert_int_equal(catalog->bids[2].id, 20);
    assert_true(catalog->bids[1].state == BID_PAUSED && catalog->bids[1].from.us == 5 &&
                catalog->bids[1].until.us == 6);
    assert_int_equal(catalog->bids[1].slot, 1);
    assert_int_equal(catalog->bids[2].slot, 0);
    assert_int_equal(catalog->bids[0].slot, UINT32_MAX);
    assert_true(catalog->bids[0].seat == 1 && catalog->bids[0].message == 1);
    assert_memory_equal(catalog->bids[2].key, "0123456789012345678901234567890123456789",
                        BOUND_KEY);
    assert_int_equal(catalog_bid_by_id(catalog, 20), 2);
    assert_int_equal(catalog_bid_by_id(catalog, 40), UINT32_MAX);
    catalog_close(catalog);
}

static void
look_ups(void **state)
{
    (void)state;
    struct catalog *catalog = decode(&sample_input);
    assert_int_equal(catalog_container_by_code(catalog, "bill", 4), 2);
    assert_int_equal(catalog_container_by_code(catalog, "bills", 5), UINT32_MAX);
    assert_int_equal(catalog_container_by_code(catalog, "bil", 3), UINT32_MAX);
    assert_int_equal(catalog_container_by_code(catalog, "bill\0x", 6), UINT32_MAX);
    assert_int_equal(catalog_slot_by_tagid(catalog, "bill.insert", 11), 2);
    assert_int_equal(catalog_message_by_code(catalog, "grill", 5), 1);
    assert_int_equal(catalog_attribute_by_name(catalog, "age", 3), BUILTIN_COUNT + 1);
    assert_int_equal(catalog_attribute_by_name(catalog, "channel", 7), BUILTIN_CHANNEL);
    assert_int_equal(catalog_seat_by_id(catalog, 3), 0);
    assert_int_equal(catalog_seat_by_id(catalog, 2), UINT32_MAX);
    assert_int_equal(catalog_message_by_id(catalog, 4), 1);
    assert_int_equal(catalog_slot_by_id(catalog, 12), 2);
    assert_int_equal(catalog_word(catalog, "never said", 10), UINT32_MAX);
    static const char *const known[] = {
        "call", "advocate", "bill.footer", "grillco",    "upgrade", "banner",   "text", "south",
        "fire", "loans",    "west",        "distressed", "gold",    "switcher", "empty"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t number = word(catalog, known[i]);
        assert_true(number < catalog->word_count);
        assert_string_equal(catalog->words[number], known[i]);
    }
    catalog_close(catalog);
}

static void
the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t len, again_len;
    const uint8_t *bytes = catalog_sample_encode(&sample_input, arena, &len),
                  *again = catalog_sample_encode(&sample_input, arena, &again_len);
    assert_int_equal(len, again_len);
    assert_memory_equal(bytes, again, len);
}

static double
milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
many_bids(void **state)
{
    (void)state;
    const char *given = getenv("VENDUE_BIDS");
    uint32_t count = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : 10000;
    struct maker maker = {7};
    struct market_bid *many = calloc(count, sizeof *many);
    for (uint32_t i = 0; i < count; i++) {
        many[i] = (struct market_bid){.id = 1 + i * UINT64_C(0x9e3779b97f4a7c15) % 0xffffffffffff,
                                      .price = {1 + (int64_t)maker_random(&maker, 5000)},
                                      .seat = 3,
                                      .message = 7};
        many[i].id = many[i].id << 21 | i;
        snprintf(many[i].key, sizeof many[i].key, "key-%u", i);
    }
    struct catalog_input input = sample_input;
    input.bids = many;
    input.bid_count = count;
    size_t len;
    double start = milliseconds();
    const uint8_t *bytes = catalog_sample_encode(&input, arena, &len);
    double encoded = milliseconds();
    struct catalog *catalog;
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    double decoded = milliseconds();
    printf("%u bids: %zu bytes, encoded in %.1f ms, decoded and indexed in %.1f ms\n", count, len,
           encoded - start, decoded - encoded);
    assert_int_equal(catalog->bid_count, count);
    for (uint32_t i = 1; i < count; i++) {
        const struct catalog_bid *last = &catalog->bids[i - 1], *bid = &catalog->bids[i];
        assert_true(last->price.micros > bid->price.micros ||
                    (last->price.micros == bid->price.micros && last->id < bid->id));
    }
    for (uint32_t i = 0; i < count; i += 97) {
        uint32_t index = catalog_bid_by_id(catalog, many[i].id);
        assert_true(index < count);
        assert_string_equal(catalog->bids[index].key, many[i].key);
    }
    catalog_close(catalog);
    free(many);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(seats_and_slots_come_back),
        TEST(messages_contracts_and_certificates_come_back),
        TEST(the_judged_come_first_then_the_dearest_and_strays_stay_out),
        TEST(look_ups),
        TEST(the_same_input_gives_the_same_bytes),
        TEST(many_bids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
