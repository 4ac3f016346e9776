// slotctl dry-run on the sample market: what the sample promises to show, and that it is
// deterministic.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <unistd.h>

#include "../../include/terms.h"
#include "verb_run.h"

#define SAMPLE SOURCE_DIR "/sample/"
#define ALL                                                                         \
    "--market " SAMPLE "market.yaml --bids " SAMPLE "bids.jsonl --contacts " SAMPLE \
    "contacts.jsonl --at 2026-11-02"

struct seen {
    unsigned rungs, objectives, placements, contacts, set_by_floor, set_by_bid, own_seat;
    unsigned reasons[REASON_COUNT];  // main reasons of empty slots
};

static void
see_reason(struct seen *seen, const char *key)
{
    for (int reason = 0; key != NULL && reason < REASON_COUNT; reason++)
        if (strcmp(key, reason_key((enum reason)reason)) == 0) seen->reasons[reason]++;
}

static void
see_placement(struct seen *seen, const json_t *placement)
{
    const json_t *word;
    size_t i;
    seen->placements++;
    seen->rungs |= 1u << (json_integer_value(json_object_get(placement, "rung")) - 1);
    json_array_foreach(
        json_object_get(placement, "objectives"), i,
        word) for (int o = 0; o < OBJECTIVE_COUNT;
                   o++) if (strcmp(json_string_value(word), objective_name((enum objective)o)) == 0)
        seen->objectives |= 1u << o;
    const json_t *set = json_object_get(placement, "set");
    bool floor = strcmp(json_string_value(json_object_get(set, "by")), "floor") == 0;
    if (floor) seen->set_by_floor++;
    else seen->set_by_bid++;
    if (floor) return;  // a rival of another seat set the price
    assert_string_equal(json_string_value(json_object_get(set, "price")),
                        json_string_value(json_object_get(placement, "price")));
    assert_string_not_equal(json_string_value(json_object_get(set, "seat")),
                            json_string_value(json_object_get(placement, "seat")));
}

static void
see(struct seen *seen, const char *lines)
{
    json_t *item;
    size_t i;
    for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1) {
        json_t *contact = json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL);
        assert_non_null(contact);
        seen->contacts++;
        json_array_foreach(json_object_get(contact, "placements"), i, item)
            see_placement(seen, item);
        json_array_foreach(json_object_get(contact, "unfilled"), i, item)
        {
            see_reason(seen, json_string_value(json_object_get(item, "reason")));
            see_reason(seen, json_string_value(json_object_get(item, "main_reason")));
        }
        json_array_foreach(json_object_get(contact, "bids"), i, item) seen->own_seat +=
            strcmp(json_string_value(json_object_get(item, "reason")), "own_seat") == 0;
        json_decref(contact);
    }
}

static void
the_sample_shows_what_it_promises(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct verb_run done = verb_run(&verb_dry_run, false, ALL);
    assert_int_equal(done.code, EXIT_DONE);
    see(&seen, done.out);
    assert_int_equal(seen.contacts, 48);
    assert_int_equal(seen.rungs, (1u << RUNG_COUNT) - 1);
    assert_int_equal(seen.objectives, (1u << OBJECTIVE_COUNT) - 1);
    assert_true(seen.set_by_floor > 20 && seen.set_by_bid > 20 && seen.own_seat > 10);
    static const enum reason empty[] = {REASON_NO_BIDS,      REASON_BELOW_FLOOR,   REASON_CONSENT,
                                        REASON_CONDITION,    REASON_PRESSURE_CAP,  REASON_BUDGET,
                                        REASON_NOT_ELIGIBLE, REASON_IDENTITY};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        if (seen.reasons[empty[i]] == 0) print_message("never: %s\n", reason_key(empty[i]));
        assert_true(seen.reasons[empty[i]] > 0);
    }
    free(done.out);
}

static void
the_support_call_in_full(void **state)
{
    (void)state;
    struct verb_run done = verb_run(&verb_dry_run, false, ALL);
    static const char *const parts[] = {
        "{\"id\":\"call-0001\",\"container\":\"support_call\"",
        "\"tagid\":\"support_call.upgrade\",\"position\":4,\"seat\":\"sales\",\"message\":"
        "\"sales.plan_plus\",\"rung\":5,\"objectives\":[\"upgrade\"],\"bid\":\"plan-1\",\"kind\":"
        "\"placement\",\"price\":\"1.10\",\"bid_price\":\"2.40\",\"floor\":\"0.60\",\"set\":{\"by\""
        ":"
        "\"bid\",\"bid\":\"subscribe-2\",\"seat\":\"marketing\",\"price\":\"1.10\"}",
        "\"bid\":\"recommend-2\",\"message\":\"community.recommend\",\"kind\":\"placement\","
        "\"price\":\"0.09\",\"code\":501,\"reason\":\"not_eligible\",\"rule_of\":\"slot\","
        "\"failed\":\"waiting_seconds >= 60\",\"met\":\"20\"",
        "\"bid\":\"subscribe-2\",\"message\":\"marketing.subscribe\",\"kind\":\"placement\","
        "\"price\":\"1.10\",\"code\":102,\"reason\":\"outbid\",\"score\":\"1.10\",\"floor\":"
        "\"0.60\",\"short_by\":\"1.30\",\"needed\":\"2.400001\"",
    };
    char *end = strchr(done.out, '\n');
    assert_non_null(end);
    *end = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strstr(done.out, parts[i]) == NULL) print_message("not there: %s\n", parts[i]);
        assert_non_null(strstr(done.out, parts[i]));
    }
    free(done.out);
}

static void
the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    struct verb_run one = verb_run(&verb_dry_run, false, ALL);
    struct verb_run two = verb_run(&verb_dry_run, false, ALL);
    assert_string_equal(one.out, two.out);
    struct verb_run brief = verb_run(&verb_dry_run, false, ALL " --brief");
    assert_null(strstr(brief.out, "\"bids\""));
    struct seen full = {0}, short_seen = {0};
    see(&full, one.out);
    see(&short_seen, brief.out);
    assert_int_equal(full.placements, short_seen.placements);
    free(one.out);
    free(two.out);
    free(brief.out);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
a_wrong_line_spoils_no_other(void **state)
{
    (void)state;
    char contacts[] = "/tmp/vendue_dry_XXXXXX", line[512];
    int handle = mkstemp(contacts);
    assert_true(handle >= 0);
    close(handle);
    write_file(
        contacts,
        "{\"touchpoint\": \"nobody\", \"id\": \"1\", \"container\": \"parcel\"}\n"
        "{\"touchpoint\": \"packer\", \"id\": \"2\", \"container\": \"parcels\"}\n"
        "{\"touchpoint\": \"packer\", \"container\": \"parcel\"}\n"
        "{\"touchpoint\": \"packer\", \"id\": \"3\", \"container\": \"parcel\", \"user\": {}}\n"
        "{\"touchpoint\": \"packer\", \"id\": \"4\", \"container\": \"parcel\", \"attr\": "
        "{\"tenure_months\": \"old\"}}\n"
        "{\"touchpoint\": \"packer\", \"id\": \"5\", \"container\": \"parcel\", \"imp\": "
        "[{\"tagid\": \"parcel.review\"}]}\n"
        "{\"touchpoint\": \"packer\", \"id\": \"5\", \"container\": \"parcel\", \"imp\": "
        "[{\"tagid\": \"parcel.review\"}]}\n");
    snprintf(line, sizeof line, "--market %smarket.yaml --bids %sbids.jsonl --contacts %s --brief",
             SAMPLE, SAMPLE, contacts);
    struct verb_run done = verb_run(&verb_dry_run, false, line);
    assert_int_equal(done.code, EXIT_USAGE);
    assert_non_null(strstr(done.out, "\"reason\":\"not_requested\""));
    char *second = strchr(done.out, '\n') + 1;
    assert_non_null(strstr(second, "\"repeated\":false") ? NULL : second);
    assert_non_null(strstr(second, "\"repeated\":true"));
    assert_null(strchr(strchr(second, '\n') + 1, '\n'));
    free(done.out);
    write_file(contacts, "not json\n");
    done = verb_run(&verb_dry_run, false, line);
    assert_int_equal(done.code, EXIT_USAGE);
    assert_string_equal(done.out, "");
    free(done.out);
    unlink(contacts);
}

static void
a_wrong_market_or_bid_decides_nothing(void **state)
{
    (void)state;
    struct verb_run done = verb_run(&verb_dry_run, false,
                                    "--market " SOURCE_DIR "/tests/market/forty_mistakes.yaml "
                                    "--contacts " SAMPLE "contacts.jsonl");
    assert_int_equal(done.code, EXIT_USAGE);
    assert_string_equal(done.out, "");
    free(done.out);
    // Contacts are no bids.
    done = verb_run(&verb_dry_run, false,
                    "--market " SAMPLE "market.yaml --bids " SAMPLE
                    "contacts.jsonl --contacts " SAMPLE "contacts.jsonl");
    assert_int_equal(done.code, EXIT_USAGE);
    assert_string_equal(done.out, "");
    free(done.out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_shows_what_it_promises),
        cmocka_unit_test(the_support_call_in_full),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(a_wrong_line_spoils_no_other),
        cmocka_unit_test(a_wrong_market_or_bid_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
