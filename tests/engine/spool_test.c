// What contacts brought, as the spool writes it: lines that say the values and nothing else, files
// that are removed when old, a sample that leads back to no contact, and an edge that never waits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../engine/spool.h"
#include "attribute.h"
#include "market_file.h"

static const char yaml[] =
    "market: {code: m, currency: EUR, sample: {share: 100%, days: 2}}\n"
    "attributes:\n"
    "  region: {type: text}\n"
    "  age: {type: integer, of: customer, consent: profiling}\n"
    "  loud: {type: boolean, privacy: open}\n"
    "  owns: {type: list, of: customer, privacy: host}\n"
    "  mood: {type: text, privacy: transient}\n"
    "touchpoints: {desk: Desk}\n"
    "seats:\n"
    "  care: {kind: department}\n"
    "contracts:\n"
    "  care: {seat: care, from: 2026-01-01}\n"
    "containers:\n"
    "  bill:\n"
    "    stage: use\n"
    "    channel: bill\n"
    "    owner: care\n"
    "    slots:\n"
    "      footer:\n"
    "        floor: 0.10\n"
    "        rule: \"region = 'no\\\"rth\\\\' or 'pot' = any (owns) or mood = 'glad'\"\n"
    "messages:\n"
    "  care.tip: {seat: care, rung: 1, objectives: educate}\n";

struct part {
    struct arena *arena;
    struct catalog *catalog;
    struct contact contact;
    char folder[32];
};

static int
open_part(void **state)
{
    struct part *part = calloc(1, sizeof *part);
    struct market *market;
    struct expr_error error;
    const uint8_t *bytes;
    size_t len;
    part->arena = arena_open("spool");
    struct market_report report = {.arena = part->arena};
    if (market_file_read(yaml, strlen(yaml), part->arena, &report, &market) != STATUS_OK) {
        market_file_print(&report, "spool_test", stderr);
        return -1;
    }
    market_object_number(market);
    struct catalog_input input = {.market = market, .version = 1};
    assert_int_equal(catalog_encode(&input, part->arena, &bytes, &len, &error), STATUS_OK);
    assert_int_equal(catalog_decode(bytes, len, &part->catalog, NULL), STATUS_OK);
    strcpy(part->folder, "/tmp/vendue-spool-XXXXXX");
    assert_non_null(mkdtemp(part->folder));
    *state = part;
    return 0;
}

static int
close_part(void **state)
{
    struct part *part = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", part->folder);
    assert_int_equal(system(command), 0);
    catalog_close(part->catalog);
    arena_close(part->arena);
    free(part);
    return 0;
}

static uint32_t
number(const struct part *part, const char *name)
{
    uint32_t attribute = catalog_attribute_by_name(part->catalog, name, strlen(name));
    assert_int_not_equal(attribute, UINT32_MAX);
    return attribute;
}

static void
bind_contact(struct part *part, uint8_t consent)
{
    const struct catalog *catalog = part->catalog;
    struct contact *contact = &part->contact;
    memset(contact, 0, sizeof *contact);
    contact->identity = IDENTITY_REPEAT;
    contact->tier = TIER_GOLD;
    contact->customer = 77;
    contact->consent = consent;
    memcpy(contact->key, "the-touchpoints-own", 19);
    attribute_bind_builtins(catalog, contact);
    uint32_t owns = number(part, "owns");
    assert_int_equal(attribute_bind_text(catalog, contact, number(part, "region"), "no\"rth\\", 7),
                     REASON_NONE);
    assert_int_equal(attribute_bind_integer(catalog, contact, number(part, "age"), -41),
                     REASON_NONE);
    assert_int_equal(attribute_bind_boolean(catalog, contact, number(part, "loud"), true),
                     REASON_NONE);
    assert_int_equal(attribute_bind_text(catalog, contact, number(part, "mood"), "glad", 4),
                     REASON_NONE);
    assert_int_equal(attribute_bind_list_begin(catalog, contact, owns), REASON_NONE);
    assert_int_equal(attribute_bind_list_item(catalog, contact, owns, "pot", 3), REASON_NONE);
    assert_int_equal(attribute_bind_list_item(catalog, contact, owns, "yacht", 5), REASON_NONE);
    assert_int_equal(attribute_bind_list_end(catalog, contact, owns), REASON_NONE);
}

static char *
read_file(const struct part *part, const char *name)
{
    char path[128];
    static char text[1 << 16];
    snprintf(path, sizeof path, "%s/%s", part->folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return NULL;
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static unsigned
count_files(const struct part *part, const char *folder)
{
    char path[128];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/%s", part->folder, folder);
    DIR *files = opendir(path);
    for (const struct dirent *entry; files != NULL && (entry = readdir(files)) != NULL;)
        count += entry->d_name[0] != '.';
    if (files != NULL) closedir(files);
    return count;
}

#define AT_US 1795373194402837LL  // 2026-11-22T18:46:34.402837Z
static const struct id id = {{0x6f, 0xfc, 0x49, 0x3b, 0xd2, 0xa1, 0xfc, 0x47, 0x5c, 0x89, 0x4d,
                              0x93, 0x28, 0x93, 0xb3, 0xd0}};

static void
a_line_says_the_values_and_nothing_else(void **state)
{
    struct part *part = *state;
    bind_contact(part, 1u << CONSENT_PROFILING);
    struct catalog_bid bid = {.id = 0xfeed,
                              .seat = 0,
                              .message = 0,
                              .slot = 0,
                              .price = money_of(420000),
                              .kind = PRICE_RESPONSE};
    uint8_t group = 2;
    const struct round_live live = {.bids = &bid, .groups = &group, .count = 1};
    // Far in the future, so that its file is not removed as old.
    usec at = {AT_US + 3650 * USEC_DAY};
    struct spool *spool = spool_open(part->folder, 7);
    spool_catalog(spool, part->catalog);
    spool_contact(spool, part->catalog, &part->contact, id, at, &live);
    bind_contact(part, 0);
    spool_contact(spool, part->catalog, &part->contact, id, at, NULL);
    spool_close(spool);
    char wanted[512], seat[16];
    snprintf(seat, sizeof seat, "%u", part->catalog->seats[0].id);
    snprintf(
        wanted, sizeof wanted,
        "{\"contact\":\"6ffc493bd2a1fc475c894d932893b3d0\",\"at_us\":%lld,\"attr\":{"
        "\"region\":\"no\\u0022rth\\u005c\",\"age\":-41,\"loud\":true,\"owns\":[null,\"pot\"]},"
        "\"live\":[{\"bid\":\"000000000000feed\",\"seat\":%s,\"message\":%u,\"slot\":%u,"
        "\"kind\":\"response\",\"price\":420000,\"group\":2}]}\n",
        (long long)at.us, seat, part->catalog->messages[0].id, part->catalog->slots[0].id);
    char *text = read_file(part, "inputs/2036-11-19");
    assert_non_null(text);
    assert_memory_equal(text, wanted, strlen(wanted));
    char *second = text + strlen(wanted);
    assert_null(strstr(second, "age"));  // its consent was absent
    assert_null(strstr(second, "live"));
    assert_null(strstr(text, "glad"));
    assert_null(strstr(text, "touchpoints"));

    text = read_file(part, "sample/2036-11-19T18");
    assert_non_null(text);
    const char sampled[] =
        "{\"hour\":\"2036-11-19T18:00:00Z\",\"container\":\"bill\",\"identity\":\"repeat\","
        "\"tier\":\"gold\",\"loyalty\":\"unknown\",\"condition\":\"calm\",\"consent\":["
        "\"profiling\"],\"attr\":{\"region\":\"no\\u0022rth\\u005c\",\"age\":-41,\"loud\":true,"
        "\"owns\":[null,\"pot\"]}}\n";
    assert_non_null(strstr(text, sampled));
    assert_null(strstr(text, "6ffc"));
    assert_null(strstr(text, "glad"));
}

static void
write_old(const struct part *part, const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", part->folder, folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", part->folder, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"cut", file);  // without its end, as a crash leaves it
    fclose(file);
}

static void
days_ago(int days, char out[16])
{
    char text[CLOCK_TEXT];
    clock_format((usec){clock_wall().us - days * USEC_DAY}, text);
    snprintf(out, 16, "%.10s", text);
}

static void
old_files_are_removed_and_cut_lines_ended(void **state)
{
    struct part *part = *state;
    char day[16], path[64];
    for (int days = 0; days < 5; days++) {
        days_ago(days, day);
        write_old(part, "inputs", day);
        snprintf(path, sizeof path, "%sT05", day);
        write_old(part, "sample", path);
    }
    bind_contact(part, 0);
    struct spool *spool = spool_open(part->folder, 3);
    spool_catalog(spool, part->catalog);
    spool_contact(spool, part->catalog, &part->contact, id, clock_wall(), NULL);
    spool_close(spool);
    assert_int_equal(count_files(part, "inputs"), 3);
    assert_true(count_files(part, "sample") >= 2 && count_files(part, "sample") <= 3);
    days_ago(0, day);
    snprintf(path, sizeof path, "inputs/%s", day);
    char *text = read_file(part, path);
    assert_memory_equal(text, "{\"cut\n{\"contact\"", 16);
    // Switched off, nothing is kept, and what was is removed.
    spool = spool_open(part->folder, 0);
    spool_contact(spool, part->catalog, &part->contact, id, clock_wall(), NULL);
    spool_close(spool);
    assert_int_equal(count_files(part, "inputs"), 0);
}

static void
what_finds_no_room_is_dropped_and_counted(void **state)
{
    struct part *part = *state;
    enum { MANY = 200000 };  // some 20 MiB: more than waits
    bind_contact(part, 1u << CONSENT_PROFILING);
    struct spool *spool = spool_open(part->folder, 7);
    usec began = clock_monotonic();
    for (unsigned i = 0; i < MANY; i++)
        spool_contact(spool, part->catalog, &part->contact, id, clock_wall(), NULL);
    usec took = {clock_monotonic().us - began.us};
    for (struct spool_counts counts = {0}; counts.kept + counts.dropped < MANY;) {
        counts = spool_counts(spool);
        usleep(1000);
    }
    struct spool_counts counts = spool_counts(spool);
    print_message("%.2f us a contact; kept %llu, dropped %llu\n", (double)took.us / MANY,
                  (unsigned long long)counts.kept, (unsigned long long)counts.dropped);
    assert_int_equal(counts.kept + counts.dropped, MANY);
    assert_true(counts.dropped > 0 && counts.kept > 10000);
    assert_int_equal(counts.sampled, 0);  // no market said so
    spool_close(spool);
}

static void
a_folder_that_refuses_keeps_nobody_waiting(void **state)
{
    struct part *part = *state;
    char path[64];
    snprintf(path, sizeof path, "%s/inputs", part->folder);
    FILE *file = fopen(path, "w");  // a file where the folder should be
    assert_non_null(file);
    fclose(file);
    bind_contact(part, 0);
    struct spool *spool = spool_open(part->folder, 7);
    spool_contact(spool, part->catalog, &part->contact, id, clock_wall(), NULL);
    spool_contact(spool, part->catalog, &part->contact, id, clock_wall(), NULL);
    for (unsigned tries = 0; spool_counts(spool).dropped < 2 && tries < 5000; tries++) usleep(1000);
    assert_int_equal(spool_counts(spool).dropped, 2);
    spool_close(spool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_says_the_values_and_nothing_else, open_part,
                                        close_part),
        cmocka_unit_test_setup_teardown(old_files_are_removed_and_cut_lines_ended, open_part,
                                        close_part),
        cmocka_unit_test_setup_teardown(what_finds_no_room_is_dropped_and_counted, open_part,
                                        close_part),
        cmocka_unit_test_setup_teardown(a_folder_that_refuses_keeps_nobody_waiting, open_part,
                                        close_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
