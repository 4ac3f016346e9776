// slotctl clear: what it prints and its exit codes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "verb_run.h"

static void
expect(const char *line, int code, const char *out)
{
    struct verb_run done = verb_run(&verb_clear, false, line);
    assert_string_equal(done.out, out);
    assert_int_equal(done.code, code);
    free(done.out);
}

static void
the_second_price_and_who_set_it(void **state)
{
    (void)state;
    expect("--floor 100 A:110 A:130 C:125 D:105 D:115 D:90 E:132 E:135 E:140", EXIT_DONE,
           "E 130\nset by A's bid 130\n");
    expect("--floor 0 alice:35 bob:20", EXIT_DONE, "alice 20\nset by bob's bid 20\n");
    expect("--floor 11 a:12 b:7", EXIT_DONE, "a 11\nset by the floor 11\n");
    expect("--floor 1 a:12 a:11", EXIT_DONE, "a 1\nset by the floor 1\n");  // own bids set nothing
    expect("--floor 0.10 a:0.3 b:0.125", EXIT_DONE, "a 0.125\nset by b's bid 0.125\n");
    expect("--floor 1 one:5 other:5", EXIT_DONE, "other 5\nset by one's bid 5\n");  // price.c (3)
    expect("a:2 --floor=1 ns:b:3", EXIT_DONE, "ns:b 2\nset by a's bid 2\n");
}

static void
no_sale_says_why(void **state)
{
    (void)state;
    expect("--floor 1.50 A:1.20 B:1.499999", EXIT_NO,
           "no sale\nno bid reaches the floor 1.500000\n");
    expect("--floor 1", EXIT_NO, "no sale\nthere are no bids\n");
}

static void
json_is_an_object(void **state)
{
    (void)state;
    struct verb_run done = verb_run(&verb_clear, true, "--floor 1 a\"x:3 b:2");
    assert_string_equal(done.out, "{\"winner\": \"a\\\"x\", \"price\": \"2\", \"set_by\": \"b\", "
                                  "\"winner_bid\": 1, \"setter_bid\": 2}\n");
    free(done.out);
    done = verb_run(&verb_clear, true, "--floor 4 a:3");
    assert_string_equal(done.out,
                        "{\"winner\": null, \"reason\": \"below_floor\", \"floor\": \"4\"}\n");
    assert_int_equal(done.code, EXIT_NO);
    free(done.out);
}

static void
wrong_amounts_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"A:1",
                                        "--floor x A:1",
                                        "--floor 1 A",
                                        "--floor 1 :5",
                                        "--floor 1 A:",
                                        "--floor 1 A:-5",
                                        "--floor 1 A:1e3",
                                        "--floor 1 A:0.1234567",
                                        "--floor 2000000000 A:1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) expect(lines[i], EXIT_USAGE, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_price_and_who_set_it),
        cmocka_unit_test(no_sale_says_why),
        cmocka_unit_test(json_is_an_object),
        cmocka_unit_test(wrong_amounts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
