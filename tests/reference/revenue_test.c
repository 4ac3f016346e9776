// What a second-price auction with a reserve earns on average: a million auctions a row of
// auction_expected_revenue.csv (closed forms; its `source` column says which) through price_clear.
// The mean revenue, and the share of auctions that sold, lie within four standard errors of the
// row.
//
// Values are drawn as whole micros and every bidder bids its value, the reserve being everyone's
// floor. Rounding values to micros moves a mean by about a micro, a hundredth of its standard
// error. Floating point is in the drawing and in the statistics only; what is cleared and summed is
// whole micros.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "price.h"
#include "random_market.h"

#define AUCTIONS 1000000
#define BIDDERS 16
#define UNIT 1000000  // micros
#define ERRORS 4      // standard errors
#define ROWS 28

struct row {
    char distribution[32];
    uint32_t bidders;
    money reserve;
    double revenue;
    double sold;  // share of auctions that sell; below 0: the row does not say
};

// --- The file ------------------------------------------------------------------------------------
// The next field of a line, quotes taken off; two quotes within a field do not occur.
static char *
next_field(char **rest)
{
    char *field = *rest, *end;
    if (*field == '"') {
        end = strchr(++field, '"');
        assert_non_null(end);
        *end++ = '\0';
        assert_true(*end == ',');
    } else {
        end = strchr(field, ',');
        assert_non_null(end);
    }
    *end = '\0';
    *rest = end + 1;
    return field;
}

// dist,n,reserve,expected_revenue,exact,sale_probability,source
static void
parse(char *line, struct row *row)
{
    snprintf(row->distribution, sizeof row->distribution, "%s", next_field(&line));
    row->bidders = (uint32_t)strtoul(next_field(&line), NULL, 10);
    const char *reserve = next_field(&line);
    assert_int_equal(money_parse(reserve, strlen(reserve), &row->reserve), STATUS_OK);
    row->revenue = strtod(next_field(&line), NULL);
    (void)next_field(&line);
    const char *sold = next_field(&line);
    row->sold = *sold == '\0' ? -1 : strtod(sold, NULL);
    assert_in_range(row->bidders, 1, BIDDERS);
}

// --- Values --------------------------------------------------------------------------------------
static uint64_t
below(struct random *random, uint64_t bound)
{
    return (uint64_t)((unsigned __int128)random_next(random) * bound >> 64);
}

static money
draw_value(struct random *random, const char *distribution)
{
    if (strcmp(distribution, "U[0,1]") == 0) return money_of((int64_t)below(random, UNIT + 1));
    if (strcmp(distribution, "{0,1,2} equal") == 0)
        return money_of((int64_t)below(random, 3) * UNIT);
    if (strcmp(distribution, "{1,2} equal") == 0)
        return money_of((int64_t)(1 + below(random, 2)) * UNIT);
    assert_string_equal(distribution, "Exp(1)");
    double uniform = ((double)(random_next(random) >> 11) + 0.5) / 9007199254740992.0;  // 2^53
    return money_of((int64_t)llround(-log(uniform) * UNIT));
}

// --- The rows ------------------------------------------------------------------------------------
static double
standard_error(double sum, double squares, double count)
{
    double mean = sum / count, variance = squares / count - mean * mean;
    return sqrt((variance < 0 ? 0 : variance) / count);
}

static void
simulate(struct random *random, const struct row *row)
{
    int64_t revenue = 0;
    uint32_t sold = 0;
    double squares = 0;
    struct price_bid bids[BIDDERS];
    for (uint32_t auction = 0; auction < AUCTIONS; auction++) {
        for (uint32_t i = 0; i < row->bidders; i++)
            bids[i] = (struct price_bid){.bid = i + 1,
                                         .seat = i,
                                         .price = draw_value(random, row->distribution),
                                         .floor = row->reserve};
        struct price_sale sale;
        price_clear(bids, row->bidders, auction, &sale);
        if (sale.winner == 0) continue;
        double price = (double)sale.price.micros / UNIT;
        sold++;
        revenue += sale.price.micros;
        squares += price * price;
    }
    double mean = (double)revenue / UNIT / AUCTIONS, share = (double)sold / AUCTIONS;
    double error = standard_error((double)revenue / UNIT, squares, AUCTIONS);
    double share_error = standard_error(sold, sold, AUCTIONS);
    printf("%-13s n=%-2u reserve %.1f: %.6f, expected %.6f, standard error %.6f (%+.2f of it)\n",
           row->distribution, row->bidders, (double)row->reserve.micros / UNIT, mean, row->revenue,
           error, error > 0 ? (mean - row->revenue) / error : 0);
    if (fabs(mean - row->revenue) > ERRORS * error + 1.0 / UNIT)
        fail_msg("%s, %u bidders: revenue %.6f, expected %.6f", row->distribution, row->bidders,
                 mean, row->revenue);
    if (row->sold >= 0 && fabs(share - row->sold) > ERRORS * share_error + 1.0 / UNIT)
        fail_msg("%s, %u bidders: sold %.6f, expected %.6f", row->distribution, row->bidders, share,
                 row->sold);
}

static void
test_expected_revenue(void **state)
{
    (void)state;
    struct random random = {random_seed(1961)};
    FILE *file = fopen(SOURCE_DIR "/tests/reference/auction_expected_revenue.csv", "r");
    assert_non_null(file);
    char line[256];
    unsigned rows = 0;
    assert_non_null(fgets(line, sizeof line, file));
    assert_memory_equal(line, "dist,n,reserve,expected_revenue,exact,sale_probability,source", 61);
    while (fgets(line, sizeof line, file) != NULL) {
        struct row row;
        parse(line, &row);
        simulate(&random, &row);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, ROWS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expected_revenue)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
