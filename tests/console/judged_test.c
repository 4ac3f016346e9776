// Judgements as people read them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../console/judged.h"

static void
assert_said(const char *judgement, const char *sentence)
{
    json_error_t error;
    json_t *read = json_loads(judgement, 0, &error);
    assert_non_null(read);
    char out[JUDGED_TEXT];
    assert_string_equal(judged_sentence(read, out), sentence);
    json_decref(read);
}

static void
a_cap_says_what_it_counted_and_over_which_time(void **state)
{
    (void)state;
    assert_said(
        "{\"reason\": \"frequency_cap\", \"cap\": {\"code\": \"grill\", \"per\": \"category\","
        " \"window\": \"day\", \"count\": 2, \"most\": 2}}",
        "frequency_cap: grill counted 2 of 2 per category, day");
    static const struct {
        int minutes;
        const char *span;
    } cases[] = {{86400, "60d"}, {1440, "1d"}, {20160, "14d"}, {120, "2h"}, {90, "90m"}, {1, "1m"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char judgement[256], sentence[128];
        snprintf(
            judgement, sizeof judgement,
            "{\"reason\": \"frequency_cap\", \"cap\": {\"code\": \"grill\", \"per\": \"message\","
            " \"window\": \"minutes\", \"minutes\": %d, \"count\": 1, \"most\": 1}}",
            cases[i].minutes);
        snprintf(sentence, sizeof sentence,
                 "frequency_cap: grill counted 1 of 1 per message, the last %s", cases[i].span);
        assert_said(judgement, sentence);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_says_what_it_counted_and_over_which_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
