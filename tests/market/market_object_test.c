// Tests of the two ways out of a market and back: the written file, and the stored objects.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "declared.h"
#include "hash.h"
#include "scratch.h"
#include "seed.h"

static struct market *
sample(void)
{
    const char *text;
    size_t len;
    assert_int_equal(market_file_text(SOURCE_DIR "/sample/market.yaml", arena, &text, &len),
                     STATUS_OK);
    return declared_market_bytes(text, len, arena);
}

static void
assert_same(const struct market *one, const struct market *other)
{
    struct market_change *changes;
    uint32_t count;
    market_diff(one, other, arena, &changes, &count);
    for (uint32_t i = 0; i < count; i++)
        print_message("%c %s: %s\n", changes[i].sign, changes[i].object, changes[i].text);
    assert_int_equal(count, 0);
}

static struct market *
stored_and_loaded(struct market *market)
{
    struct market_object *objects;
    uint32_t count;
    struct market_report report = {.arena = arena};
    struct market *loaded = NULL;
    market_object_list(market, arena, &objects, &count);
    for (uint32_t i = 0; i < count / 2; i++) {  // in any order
        struct market_object kept = objects[i];
        objects[i] = objects[count - 1 - i];
        objects[count - 1 - i] = kept;
    }
    enum status status = market_object_load(objects, count, arena, &report, &loaded);
    market_file_print(&report, "stored", stdout);
    assert_int_equal(status, STATUS_OK);
    return loaded;
}

static void
the_sample_survives_both_ways(void **state)
{
    (void)state;
    size_t len;
    struct market *market = sample();
    market_object_number(market);
    struct market *loaded = stored_and_loaded(market);
    assert_same(market, loaded);
    for (uint32_t i = 0; i < market->message_count; i++)
        assert_int_equal(market->messages[i].id, loaded->messages[i].id);
    assert_int_equal(loaded->containers[2].slots[3].id, market->containers[2].slots[3].id);
    const char *text = market_file_write(market, arena, &len);
    struct market *read = declared_market_bytes(text, len, arena);
    assert_same(market, read);
    size_t again;
    assert_string_equal(market_file_write(read, arena, &again), text);
}

static void
slots_stand_by_position_not_by_id(void **state)
{
    (void)state;
    struct market *market = sample();
    market_object_number(market);
    struct market_slot *slots = market->containers[0].slots;
    uint32_t first = slots[0].id;  // as when the slot in front was declared last
    slots[0].id = slots[2].id;
    slots[2].id = first;
    struct market *loaded = stored_and_loaded(market);
    assert_same(market, loaded);
    assert_string_equal(loaded->containers[0].slots[0].code, slots[0].code);
}

static void
bodies_are_canonical(void **state)
{
    (void)state;
    static const char one[] =
        "market: {code: m, currency: EUR}\nseats: {a: {kind: partner, budget: 0.5, name: A}}\n";
    static const char two[] = "seats: {a: {name: A, budget: \"0.500\", kind: partner}}\nmarket: "
                              "{currency: EUR, code: m}\n";
    struct market_object *first, *second;
    uint32_t count, other;
    market_object_list(declared_market(one, arena), arena, &first, &count);
    market_object_list(declared_market(two, arena), arena, &second, &other);
    assert_int_equal(count, 2);
    assert_int_equal(other, 2);
    assert_string_equal(first[1].body, second[1].body);
    assert_string_equal(first[1].body, "{\"budget\":\"0.50\",\"code\":\"a\",\"kind\":\"partner\","
                                       "\"name\":\"A\",\"paused\":false}");
}

static void
a_body_of_another_making_is_refused(void **state)
{
    (void)state;
    struct market_object objects[] = {
        {"market", 1, "m", "{\"code\":\"m\",\"currency\":\"EUR\",\"colour\":\"red\"}"}};
    struct market_report report = {.arena = arena};
    struct market *market;
    assert_int_equal(market_object_load(objects, 1, arena, &report, &market), STATUS_INPUT);
    objects[0].body = "null";
    report = (struct market_report){.arena = arena};
    assert_int_equal(market_object_load(objects, 1, arena, &report, &market), STATUS_INPUT);
    assert_int_equal(report.errors, 1);
}

// A text of 1 to 24 characters with all that YAML and JSON treat as special.
static const char *
odd_text(uint64_t *random)
{
    static const char *const parts[] = {"a",
                                        "b",
                                        " ",
                                        ": ",
                                        " #",
                                        "'",
                                        "\"",
                                        "\\",
                                        "-",
                                        "? ",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ",",
                                        "&",
                                        "*",
                                        "!",
                                        "|",
                                        ">",
                                        "%",
                                        "@",
                                        "`",
                                        "~",
                                        "null",
                                        "true",
                                        "1.5",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\t",
                                        "\n",
                                        "---",
                                        "...",

                                        "0x1"};
    char text[128] = "";
    *random = hash_mix(*random + 0x9e3779b97f4a7c15u);
    unsigned count = 1 + (unsigned)(*random >> 60);
    for (unsigned i = 0; i < count; i++) {
        *random = hash_mix(*random + 0x9e3779b97f4a7c15u);
        strcat(text, parts[*random % (sizeof parts / sizeof *parts)]);
    }
    return arena_text(arena, text, strlen(text));
}

static void
odd_texts_survive_both_ways(void **state)
{
    (void)state;
    uint64_t random = seed_fixed(20261122);
    for (unsigned round = 0; round < 400; round++) {
        static const char text[] =
            "market: {code: m, currency: EUR}\n"
            "attributes: {a: {type: list, of: message}}\n"
            "touchpoints: {t: x}\nseats: {s: {kind: partner}}\n"
            "messages: {x: {seat: s, rung: 6, objectives: refer, values: {a: [p, q]}}}\n";
        struct market *market = declared_market(text, arena);
        size_t len;
        market->name = odd_text(&random);
        market->touchpoints[0].name = odd_text(&random);
        market->seats[0].name = odd_text(&random);
        market->messages[0].content = odd_text(&random);
        market->messages[0].category = odd_text(&random);
        const char *items[] = {odd_text(&random), odd_text(&random)};
        if (strcmp(items[0], items[1]) == 0) continue;
        market->messages[0].values[0].items = items;
        market_object_number(market);
        assert_same(market, stored_and_loaded(market));
        const char *written = market_file_write(market, arena, &len);
        assert_same(market, declared_market_bytes(written, len, arena));
    }
}

static void
rules_of_several_lines_survive(void **state)
{
    (void)state;
    static const char text[] =
        "market: {code: m, currency: EUR}\n"
        "seats:\n  s:\n    kind: partner\n    rule: |\n      channel = 'bill'\n"
        "        and (stage = 'use'\n\n          or tier = 'gold')\n";
    struct market *market = declared_market(text, arena);
    assert_string_equal(market->seats[0].rule,
                        "channel = 'bill'\n  and (stage = 'use'\n\n    or tier = 'gold')");
    size_t len;
    const char *written = market_file_write(market, arena, &len);
    assert_non_null(strstr(written, "rule: |-\n"));
    assert_same(market, declared_market_bytes(written, len, arena));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_sample_survives_both_ways, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(slots_stand_by_position_not_by_id, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(bodies_are_canonical, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(a_body_of_another_making_is_refused, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(odd_texts_survive_both_ways, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(rules_of_several_lines_survive, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
