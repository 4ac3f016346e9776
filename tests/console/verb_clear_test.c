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
    expect("--floor 1 one:5 other:5", EXIT_DONE, "other 5\nset by one's bid 5\n");  // price.c (5)
    expect("a:2 --floor=1 ns:b:3", EXIT_DONE, "ns:b 2\nset by a's bid 2\n");
}

static void
prices_of_other_kinds(void **state)
{
    (void)state;
    expect("--floor 0.01 A:response:2.00@0.05 B:0.08 C:share:4%@1.50", EXIT_DONE,
           "A 1.60 per response\nset by B's bid 0.08\n");
    expect("--floor 0.01 A:response:2.00@0.25 B:0.80", EXIT_DONE,
           "B 0.50\nset by A's bid 2.00 per response, worth 0.50\n");
    expect("--floor 0.02 x:y:share:8%@1.50 B:0.09", EXIT_DONE,
           "x:y 6% of the revenue\nset by B's bid 0.09\n");
    expect("--floor 0.12 x:share:8.5%@1.50", EXIT_DONE,
           "x 8% of the revenue\nset by the floor 0.12\n");
    expect("--floor 0.1 a:response:1@0.5 b:share:30%@1 a:0.45", EXIT_DONE,
           "a 0.60 per response\nset by b's bid 30% of the revenue, worth 0.30\n");
    expect("--floor 0.6 a:response:1@0.5", EXIT_NO, "no sale\nno bid reaches the floor 0.6\n");
    struct verb_run done = verb_run(&verb_clear, true, "--floor 1 a:share:50%@4 b:1.5");
    assert_string_equal(done.out, "{\"winner\": \"a\", \"kind\": \"share\", \"price\": "
                                  "\"37.5%\", \"set_by\": \"b\", \"winner_bid\": 1, "
                                  "\"setter_bid\": 2}\n");
    free(done.out);
    static const char *const wrong[] = {
        "--floor 0 a:response:1@1.1", "--floor 0 a:response:1@-1", "--floor 0 a:response:1@",
        "--floor 0 a:response:@0.1",  "--floor 0 a:share:8@1",     "--floor 0 a:share:0%@1",
        "--floor 0 a:share:101%@1",   "--floor 0 a:share:%@1",     "--floor 0 a:share:8.00001%@1",
        "--floor 0 a:share:8%@-1",    "--floor 0 a:1@0.1",         "--floor 0 a:placement:1@0.1",
        "--floor 0 a:click:1@0.1",    "--floor 0 response:1@0.1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(wrong[i], EXIT_USAGE, "");
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

// --- Several slots sold together -----------------------------------------------------------------
static void
slots_sold_together(void **state)
{
    (void)state;
    expect("--vcg x:30,15,6 y:20,10,4 z:10,5,2", EXIT_DONE,
           "x slot 1 pays 13\ny slot 2 pays 3\nz slot 3 pays 0\n");
    expect("--vcg 1:10,5 2:8,12 3:3,7", EXIT_DONE, "1 slot 1 pays 3\n2 slot 2 pays 7\n");
    expect("--floors 2,1 --vcg A:10,6 A:9,8 B:7,5", EXIT_DONE,  // one seat, two messages
           "A slot 1 pays 7\nA slot 2 pays 1\n");
    expect("--vcg a:b:0.5,1.25 c:0.125,-", EXIT_DONE,
           "c slot 1 pays 0.000\na:b slot 2 pays 0.000\n");
    expect("--vcg --floors=1.50,2 A:4.20,- A:3,1 B:2,-", EXIT_DONE,
           "A slot 1 pays 2.00\nslot 2 unsold: no bid reaches its floor 2.00\n");
    expect("--vcg only:1000000000", EXIT_DONE, "only slot 1 pays 0\n");
}

static void
unsold_slots_say_why(void **state)
{
    (void)state;
    expect("--vcg --floors 5,5,1 A:9,-,7 B:-,4,-", EXIT_DONE,
           "slot 1 unsold: all messages that reach its floor won other slots\n"
           "slot 2 unsold: no bid reaches its floor 5\nA slot 3 pays 1\n");
    expect("--vcg --floors 1,0.5 A:0.9,-", EXIT_NO,
           "slot 1 unsold: no bid reaches its floor 1.0\nslot 2 unsold: nobody bids for it\n");
    expect("--vcg --floors 3", EXIT_NO, "slot 1 unsold: nobody bids for it\n");
}

static void
together_json_is_an_object(void **state)
{
    (void)state;
    struct verb_run done = verb_run(&verb_clear, true, "--vcg --floors 1,1,5 a\"x:9,-,- b:4,8,4");
    assert_string_equal(
        done.out,
        "{\"slots\": [{\"slot\": 1, \"winner\": \"a\\\"x\", \"price\": \"1\", \"set_by\": "
        "\"floor\", \"winner_bid\": 1, \"setter_bid\": 0}, {\"slot\": 2, \"winner\": \"b\", "
        "\"price\": \"1\", \"set_by\": \"floor\", \"winner_bid\": 2, \"setter_bid\": 0}, "
        "{\"slot\": 3, \"winner\": null, \"reason\": \"below_floor\", \"floor\": \"5\"}]}\n");
    assert_int_equal(done.code, EXIT_DONE);
    free(done.out);
    done = verb_run(&verb_clear, true, "--vcg x:30,15,6 y:20,10,4 z:10,5,2");
    assert_non_null(strstr(done.out, "\"price\": \"13\", \"set_by\": null, \"winner_bid\": 1, "
                                     "\"setter_bid\": 0}"));
    free(done.out);
    done = verb_run(&verb_clear, true, "--vcg a:3 b:2");
    assert_non_null(strstr(done.out, "\"set_by\": \"b\", \"winner_bid\": 1, \"setter_bid\": 2"));
    free(done.out);
}

// The message on standard error names the place.
static void
expect_refusal(const char *line, const char *says)
{
    char *err;
    size_t len;
    FILE *before = stderr, *memory = open_memstream(&err, &len);
    stderr = memory;
    struct verb_run done = verb_run(&verb_clear, false, line);
    fclose(memory);
    stderr = before;
    assert_string_equal(done.out, "");
    assert_int_equal(done.code, EXIT_USAGE);
    if (strstr(err, says) == NULL) fail_msg("%s: %s", line, err);
    free(err);
    free(done.out);
}

static void
together_wrong_lines_are_refused(void **state)
{
    (void)state;
    expect_refusal("--vcg", "--vcg needs bids");
    expect_refusal("--vcg --floor 1 a:1", "--floors F1,F2,...");
    expect_refusal("--floors 1 a:1", "--floors goes with --vcg");
    expect_refusal("--vcg a:1,2 b:1", "b:1: amounts are 1, slots are 2");
    expect_refusal("--vcg --floors 1,2,3 a:1,2", "a:1,2: amounts are 2, slots are 3");
    expect_refusal("--vcg a:1,x b:1,2", "a:1,x, slot 2: 'x' is not an amount");
    expect_refusal("--vcg a:1,,3", "a:1,,3, slot 2: '' is not an amount");
    expect_refusal("--vcg a:1,-2", "a:1,-2, slot 2: '-2' is not an amount");
    expect_refusal("--vcg --floors 1,- a:1,2", "--floors, slot 2: '-' is not an amount");
    expect_refusal("--vcg --floors 1,0.1234567 a:1,2", "--floors, slot 2: '0.1234567'");
    expect_refusal("--vcg a", "'a' is not a message's bids");
    expect_refusal("--vcg :1", "':1' is not a message's bids");
    expect_refusal("--vcg a:1,1,1,1,1,1,1,1,1,1,1,1,1", "at most 12 slots");
    expect_refusal("--vcg a:2000000000", "a:2000000000, slot 1: '2000000000' is not an amount");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_price_and_who_set_it),
        cmocka_unit_test(prices_of_other_kinds),
        cmocka_unit_test(no_sale_says_why),
        cmocka_unit_test(json_is_an_object),
        cmocka_unit_test(wrong_amounts_are_refused),
        cmocka_unit_test(slots_sold_together),
        cmocka_unit_test(unsold_slots_say_why),
        cmocka_unit_test(together_json_is_an_object),
        cmocka_unit_test(together_wrong_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
