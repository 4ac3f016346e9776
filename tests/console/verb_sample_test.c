// slotctl sample: proportions, fresh ids, the same bytes from the same seed.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "../../console/lines.h"
#include "folder.h"
#include "verb_run.h"

static char folder[] = "/tmp/vendue_sample_XXXXXX";

static int
set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static void
make(const char *numbers, const char *name)
{
    char line[512];
    snprintf(line, sizeof line, "%s --from %s/sample --out %s/%s", numbers, SOURCE_DIR, folder,
             name);
    struct verb_run done = verb_run(&verb_sample, false, line);
    assert_int_equal(done.code, EXIT_DONE);
    free(done.out);
}

static json_t *
lines_of(const char *directory, const char *name)
{
    char path[512];
    json_t *lines;
    struct lines_fault fault;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(lines_read(path, &lines, &fault), STATUS_OK);
    return lines;
}

static size_t
count_of(const json_t *lines, const char *key, const char *value)
{
    size_t i, count = 0;
    json_t *line;
    json_array_foreach((json_t *)(uintptr_t)lines, i, line)
        count += strcmp(json_string_value(json_object_get(line, key)), value) == 0;
    return count;
}

static void
whole_deals_keep_the_proportions(void **state)
{
    (void)state;
    char made[256];
    make("--contacts 480 --bids 200 --seed 5", "ten");
    snprintf(made, sizeof made, "%s/ten", folder);
    json_t *contacts = lines_of(made, "contacts.jsonl"), *bids = lines_of(made, "bids.jsonl");
    json_t *events = lines_of(made, "events.jsonl");
    json_t *own = lines_of(SOURCE_DIR "/sample", "contacts.jsonl");
    json_t *own_events = lines_of(SOURCE_DIR "/sample", "events.jsonl");
    assert_int_equal(json_array_size(contacts), 480);
    assert_int_equal(json_array_size(bids), 200);
    assert_int_equal(json_array_size(events), json_array_size(own_events) * 10);
    static const char *const containers[] = {"support_call", "coffee_mail", "monthly_bill",
                                             "parcel", "demo_request"};
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        assert_int_equal(count_of(contacts, "container", containers[i]),
                         count_of(own, "container", containers[i]) * 10);
    // Every id is fresh, and every event names a contact that is there.
    json_t *ids = json_object(), *line;
    size_t i;
    json_array_foreach(contacts, i, line)
        json_object_set_new(ids, json_string_value(json_object_get(line, "id")), json_true());
    assert_int_equal(json_object_size(ids), 480);
    json_array_foreach(events, i, line)
        assert_non_null(json_object_get(ids, json_string_value(json_object_get(line, "contact"))));
    json_decref(ids);
    json_decref(contacts);
    json_decref(bids);
    json_decref(events);
    json_decref(own);
    json_decref(own_events);
}

static void
made_contacts_are_accepted(void **state)
{
    (void)state;
    char line[1024];
    make("--contacts 96 --bids 120 --seed 6", "two");
    snprintf(
        line, sizeof line,
        "--market %s/sample/market.yaml --bids %s/two/bids.jsonl --contacts %s/two/contacts.jsonl "
        "--brief",
        SOURCE_DIR, folder, folder);
    struct verb_run done = verb_run(&verb_dry_run, false, line);
    assert_int_equal(done.code, EXIT_DONE);
    free(done.out);
}

static int
same(const char *one, const char *other)
{
    char command[512];
    snprintf(command, sizeof command, "diff -rq %s/%s %s/%s > /dev/null", folder, one, folder,
             other);
    return system(command) == 0;
}

static void
a_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    make("--contacts 100 --bids 90 --seed 7", "a");
    make("--contacts 100 --bids 90 --seed 7", "b");
    make("--contacts 100 --bids 90 --seed 8", "c");
    assert_true(same("a", "b"));
    assert_false(same("a", "c"));
}

static void
wrong_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "--contacts x",
                                        "--contacts -1",
                                        "--contacts 1 --seed y",
                                        "--contacts 1 --bids 1000000000",
                                        "--contacts 1 --from /nowhere",
                                        "--contacts 1 --from a --out a"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct verb_run done = verb_run(&verb_sample, false, lines[i]);
        assert_int_equal(done.code, EXIT_USAGE);
        free(done.out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_deals_keep_the_proportions),
        cmocka_unit_test(made_contacts_are_accepted),
        cmocka_unit_test(a_seed_gives_the_same_bytes),
        cmocka_unit_test(wrong_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
