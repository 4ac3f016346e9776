// Several slots sold together: the cases of auction_multi_slot.csv (its `source` column says where
// each comes from) through vcg_close, without floors. Every published assignment gives the i-th
// slot to the i-th bidder. Where several assignments are best, the price of each slot is the same
// in all. The row of per-item second prices goes through price_clear; generalized second prices
// (GSP) are no mechanism of ours.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "price.h"
#include "vcg.h"

#define MOST 8  // bidders, slots

struct reference {
    char line[1024];
    const char *id, *mechanism, *assignment;
    size_t slots, bidders;
    int64_t values[MOST][MOST];  // of each bidder for each slot
    int64_t payments[MOST];
    size_t payment_count;
    int64_t revenue;
};

// The next field, without its quotes.
static char *
field(char **rest)
{
    char *start = *rest;
    assert_non_null(start);
    if (*start != '"') return strsep(rest, ",");
    char *end = strchr(++start, '"');
    assert_non_null(end);
    *end = '\0';
    *rest = end + 2;
    return start;
}

// Numbers parted by blanks or commas, until something else.
static size_t
numbers(const char *text, int64_t out[MOST])
{
    size_t count = 0;
    while (isdigit((unsigned char)*text)) {
        char *end;
        assert_true(count < MOST);
        out[count++] = strtoll(text, &end, 10);
        text = *end == ' ' || *end == ',' ? end + 1 : end;
    }
    return count;
}

// "10 4 2" times the weights of the slots, or rows in brackets: one a bidder, or one a slot.
static void
read_values(struct reference *reference, const char *weights, const char *text)
{
    int64_t row[MOST], per_slot[MOST];
    if (strcmp(weights, "-") != 0) {
        reference->slots = numbers(weights, per_slot);
        reference->bidders = numbers(text, row);
        for (size_t bidder = 0; bidder < reference->bidders; bidder++)
            for (size_t slot = 0; slot < reference->slots; slot++)
                reference->values[bidder][slot] = row[bidder] * per_slot[slot];
        return;
    }
    bool columns = strncmp(text, "columns are buyers", 18) == 0;
    size_t rows = 0, width = 0;
    for (; (text = strchr(text, '[')) != NULL; text++, rows++) {
        width = numbers(text + 1, row);
        for (size_t i = 0; i < width; i++)
            *(columns ? &reference->values[i][rows] : &reference->values[rows][i]) = row[i];
    }
    reference->bidders = columns ? width : rows;
    reference->slots = columns ? rows : width;
}

static void
parse(struct reference *reference)
{
    char *rest = reference->line;
    reference->id = field(&rest);
    const char *weights = field(&rest), *values = field(&rest);
    reference->mechanism = field(&rest);
    reference->assignment = field(&rest);
    reference->payment_count = numbers(field(&rest), reference->payments);
    reference->revenue = strtoll(field(&rest), NULL, 10);
    read_values(reference, weights, values);
    assert_true(reference->slots >= 2 && reference->bidders >= reference->slots);
}

static void
check_together(const struct reference *reference)
{
    static struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS];
    int64_t welfare = 0, revenue = 0;
    vcg_open(&vcg, 0, (unsigned)reference->slots);
    for (uint32_t bidder = 0; bidder < reference->bidders; bidder++) {
        for (uint8_t slot = 0; slot < reference->slots; slot++) {
            struct vcg_bid bid = {.bid = bidder + 1, .seat = bidder, .message = bidder};
            bid.slot = slot;
            bid.price = money_of(reference->values[bidder][slot]);
            assert_true(vcg_add(&vcg, &bid));
        }
    }
    vcg_close(&vcg, sales);
    bool several = strncmp(reference->assignment, "welfare ", 8) == 0;
    for (size_t slot = 0; slot < reference->slots; slot++) {
        assert_true(sales[slot].winner != 0);
        if (!several) assert_int_equal(sales[slot].winner, slot + 1);
        if (sales[slot].price.micros != reference->payments[slot])
            fail_msg("%s: slot %zu pays %lld", reference->id, slot + 1,
                     (long long)sales[slot].price.micros);
        welfare += reference->values[sales[slot].winner - 1][slot];
        revenue += sales[slot].price.micros;
    }
    for (size_t i = reference->slots; i < reference->payment_count; i++)
        assert_int_equal(reference->payments[i], 0);  // who wins nothing pays nothing
    assert_int_equal(revenue, reference->revenue);
    if (several) assert_int_equal(welfare, strtoll(reference->assignment + 8, NULL, 10));
}

static void
check_alone(const struct reference *reference)
{
    for (size_t slot = 0; slot < reference->slots; slot++) {
        struct price_bid bids[MOST];
        for (uint32_t bidder = 0; bidder < reference->bidders; bidder++)
            bids[bidder] = (struct price_bid){
                .bid = bidder + 1, .seat = bidder, .price = {reference->values[bidder][slot]}};
        struct price_sale sale;
        price_clear(bids, reference->bidders, 0, &sale);
        assert_int_equal(sale.winner, slot + 1);
        assert_int_equal(sale.price.micros, reference->payments[slot]);
    }
}

static void
test_several_slots(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/tests/reference/auction_multi_slot.csv", "r");
    assert_non_null(file);
    struct reference reference;
    unsigned together = 0, alone = 0, others = 0;
    assert_non_null(fgets(reference.line, sizeof reference.line, file));
    assert_memory_equal(reference.line, "id,slots_weights,bidders", 24);
    memset(&reference, 0, sizeof reference);
    for (; fgets(reference.line, sizeof reference.line, file) != NULL;
         memset(&reference, 0, sizeof reference)) {
        parse(&reference);
        if (strncmp(reference.mechanism, "VCG", 3) == 0) {
            check_together(&reference);
            together++;
        } else if (strncmp(reference.mechanism, "per-item second price", 21) == 0) {
            check_alone(&reference);
            alone++;
        } else {
            others++;
        }
    }
    fclose(file);
    assert_int_equal(together, 4);
    assert_int_equal(alone, 1);
    assert_int_equal(others, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_several_slots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
