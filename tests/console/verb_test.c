// verb.c: the command line. The table of this test stands for slotctl's own.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../console/verb.h"

static int
run_nothing(const struct verb_context *context, int argc, char **argv)
{
    (void)context;
    (void)argc;
    (void)argv;
    return EXIT_DONE;
}

static const struct verb close_verb = {"close", "PERIOD [--early]", "close a period", "Closes.",
                                       run_nothing};
static const struct verb status_verb = {"status", "", "how it is", "Says.\n", run_nothing};
static const struct verb long_verb = {"export-market", "", "as a file", "Exports.", run_nothing};
static const struct verb *const table[] = {&close_verb, &status_verb, &long_verb, NULL};

#define LINE(...)                       \
    char *argv[] = {__VA_ARGS__, NULL}; \
    int argc = (int)(sizeof argv / sizeof *argv) - 1

static void
test_globals_anywhere(void **state)
{
    (void)state;
    struct verb_globals globals;
    LINE("slotctl", "--dir", "/a", "close", "--json", "2026-11", "-C", "/b", "--early");
    argc = verb_globals(argc, argv, &globals);
    assert_int_equal(argc, 4);
    assert_string_equal(argv[1], "close");
    assert_string_equal(argv[2], "2026-11");
    assert_string_equal(argv[3], "--early");
    assert_null(argv[4]);
    assert_string_equal(globals.context.directory, "/b");
    assert_true(globals.context.json);
    assert_false(globals.help);
}

static void
test_globals_directory(void **state)
{
    (void)state;
    struct verb_globals globals;
    unsetenv("VENDUE_DIR");
    LINE("slotctl", "status");
    assert_int_equal(verb_globals(argc, argv, &globals), 2);
    assert_string_equal(globals.context.directory, ".");
    setenv("VENDUE_DIR", "/c", 1);
    assert_int_equal(verb_globals(argc, argv, &globals), 2);
    assert_string_equal(globals.context.directory, "/c");
    unsetenv("VENDUE_DIR");
    char *equals[] = {"slotctl", "--dir=/d", "--help", "--version", NULL};
    assert_int_equal(verb_globals(4, equals, &globals), 1);
    assert_string_equal(globals.context.directory, "/d");
    assert_true(globals.help && globals.version);
    char *missing[] = {"slotctl", "status", "--dir", NULL};
    assert_int_equal(verb_globals(3, missing, &globals), -1);
}

static void
test_globals_end_at_dashes(void **state)
{
    (void)state;
    struct verb_globals globals;
    LINE("slotctl", "close", "--", "--json");
    assert_int_equal(verb_globals(argc, argv, &globals), 4);
    assert_false(globals.context.json);
    assert_string_equal(argv[2], "--");
}

static void
test_options(void **state)
{
    (void)state;
    const char *bids = NULL, *floor = "0";
    bool early = false;
    const struct verb_option options[] = {
        {"--bids", &bids, NULL}, {"--floor", &floor, NULL}, {"--early", NULL, &early}, {0}};
    LINE("close", "-", "--bids", "-", "--early", "-5", "--floor=0.25", "--", "--not-an-option");
    argc = verb_options(&close_verb, options, argc, argv);
    assert_int_equal(argc, 4);
    assert_string_equal(argv[1], "-");
    assert_string_equal(argv[2], "-5");
    assert_string_equal(argv[3], "--not-an-option");
    assert_null(argv[4]);
    assert_string_equal(bids, "-");
    assert_string_equal(floor, "0.25");
    assert_true(early);
}

static void
test_options_refused(void **state)
{
    (void)state;
    const char *bids = NULL;
    bool early = false;
    const struct verb_option options[] = {{"--bids", &bids, NULL}, {"--early", NULL, &early}, {0}};
    char *unknown[] = {"close", "--erly", NULL};
    assert_int_equal(verb_options(&close_verb, options, 2, unknown), -1);
    char *missing[] = {"close", "--bids", NULL};
    assert_int_equal(verb_options(&close_verb, options, 2, missing), -1);
    char *longer[] = {"close", "--bidsX", NULL};
    assert_int_equal(verb_options(&close_verb, options, 2, longer), -1);
    char *flag_with_value[] = {"close", "--early=yes", NULL};
    assert_int_equal(verb_options(&close_verb, options, 2, flag_with_value), -1);
}

static void
test_near_misses(void **state)
{
    (void)state;
    assert_ptr_equal(verb_find(table, "close"), &close_verb);
    assert_null(verb_find(table, "clos"));
    assert_ptr_equal(verb_closest(table, "clos"), &close_verb);
    assert_ptr_equal(verb_closest(table, "stauts"), &status_verb);
    assert_null(verb_closest(table, "apply"));
    assert_ptr_equal(verb_closest(table, "export-mXYket"), &long_verb);
    assert_null(verb_closest(table, "export-mXYZet"));  // three letters off
    assert_null(verb_closest(table, "a-name-far-longer-than-any-verb-of-this-program"));
}

static void
test_list_and_help(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    verb_list(table, out);
    verb_help(&close_verb, out);
    verb_help(&status_verb, out);
    fclose(out);
    assert_non_null(strstr(text, "  close          close a period\n"));
    assert_non_null(strstr(text, "usage: slotctl close PERIOD [--early]\n\nCloses.\n"));
    assert_non_null(strstr(text, "usage: slotctl status\n\nSays.\n"));
    free(text);
}

static void
test_words_for_a_shell(void **state)
{
    (void)state;
    char out[VERB_WORD], long_text[2 * VERB_WORD];
    assert_string_equal(verb_word("/srv/market-1", out), "/srv/market-1");
    assert_string_equal(verb_word("", out), "''");
    assert_string_equal(verb_word("/srv/my market", out), "'/srv/my market'");
    assert_string_equal(verb_word("it's $HOME", out), "'it'\\''s $HOME'");
    memset(long_text, ' ', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_true(strlen(verb_word(long_text, out)) < VERB_WORD);
    memset(long_text, '\'', sizeof long_text - 1);
    assert_true(strlen(verb_word(long_text, out)) < VERB_WORD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globals_anywhere),      cmocka_unit_test(test_globals_directory),
        cmocka_unit_test(test_globals_end_at_dashes), cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_refused),       cmocka_unit_test(test_near_misses),
        cmocka_unit_test(test_list_and_help),         cmocka_unit_test(test_words_for_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
