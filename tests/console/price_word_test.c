// Prices as people write them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../console/price_word.h"

static void
a_price_says_its_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum price_kind kind;
        int64_t price;
    } cases[] = {
        {"1.20", PRICE_PLACEMENT, 1200000},
        {"0.000001", PRICE_PLACEMENT, 1},
        {"2/response", PRICE_RESPONSE, 2000000},
        {"0.5/response", PRICE_RESPONSE, 500000},
        {"12.5%", PRICE_SHARE, 125000},
        {"100%", PRICE_SHARE, 1000000},
        {"0.0001%", PRICE_SHARE, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum price_kind kind = PRICE_KIND_COUNT;
        money price = {0};
        assert_true(price_word_parse(cases[i].text, &kind, &price));
        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(price.micros, cases[i].price);
    }
}

static void
anything_else_is_none(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "0",
                                        "-1",
                                        "1e3",
                                        "%",
                                        "0%",
                                        "100.1%",
                                        "1,5",
                                        "/response",
                                        "0/response",
                                        "nan",
                                        "1/respond",
                                        "0.00001%",
                                        "1.2000001",
                                        "1 %",
                                        "1 /response",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum price_kind kind;
        money price;
        if (price_word_parse(cases[i], &kind, &price)) fail_msg("'%s' was taken", cases[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_price_says_its_kind),
                                       cmocka_unit_test(anything_else_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
