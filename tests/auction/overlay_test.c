// Bids changed since the catalog: in the auction's order, instead of the catalog's own, and gone
// when a catalog includes them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_history.h"

static struct fact
bid_fact(const struct catalog *catalog, uint64_t id, uint32_t message, int64_t price)
{
    struct fact fact = {.kind = FACT_BID};
    fact.bid.bid = id;
    fact.bid.message = catalog->messages[message].id;
    fact.bid.seat = (uint16_t)catalog->seats[catalog->messages[message].seat].id;
    fact.bid.price = money_of(price);
    return fact;
}

static void
test_overlay(void **state)
{
    (void)state;
    struct random random = {random_seed(31)};
    struct random_market options = {.bids = 50, .prices = 20, .version = 1};
    struct catalog *catalog = random_market(&random, &options);
    struct book_limits limits = history_limits;
    limits.overlay = 4;
    struct book *book = book_open(&limits);
    book_catalog(book, catalog);
    uint32_t standing = 7;
    struct catalog_position at = {1, 1, 10};
    struct fact changed = bid_fact(catalog, catalog->bids[standing].id,
                                   catalog->bids[standing].message, 500);
    struct fact dear = bid_fact(catalog, 2, 0, 900), same = bid_fact(catalog, 1, 0, 500),
                gone = bid_fact(catalog, 3, 0, 1);
    gone.bid.message = 99999;  // unknown to the catalog
    assert_int_equal(book_apply(book, &changed, at), STATUS_OK);
    at.batch = 11;
    assert_int_equal(book_apply(book, &dear, at), STATUS_OK);
    assert_int_equal(book_apply(book, &same, at), STATUS_OK);
    assert_true(book_overlay_has_room(book));
    assert_int_equal(book_apply(book, &gone, at), STATUS_OK);
    assert_false(book_overlay_has_room(book));
    struct fact fifth = bid_fact(catalog, 4, 0, 1);
    assert_int_equal(book_apply(book, &fifth, at), STATUS_FULL);
    struct book_bids bids = book_overlay(book);
    assert_int_equal(bids.count,
                     3);  // dearest first, then lower id; the one nobody can place is not shown
    assert_int_equal(bids.bids[0].id, 2);
    assert_int_equal(bids.bids[1].id, 1);
    assert_true(bids.bids[2].id == changed.bid.bid);
    for (uint32_t i = 0; i < catalog->bid_count; i++)
        assert_int_equal(book_bid_replaced(book, i), i == standing);
    dear.bid.price = money_of(100);
    assert_int_equal(book_apply(book, &dear, at), STATUS_OK);
    bids = book_overlay(book);
    assert_int_equal(bids.count, 3);
    assert_int_equal(bids.bids[2].id, 2);
    struct fact found;
    assert_true(book_find_bid(book, 3, &found));
    assert_int_equal(found.bid.message, 99999);
    // The next catalog includes batch 10: the change of the standing bid leaves, the others stay.
    options.version = 2;
    options.position = (struct catalog_position){1, 1, 10};
    random.state = random_seed(31);
    struct catalog *next = random_market(&random, &options);
    book_catalog(book, next);
    assert_false(book_bid_replaced(book, standing));
    assert_int_equal(book_counts(book).overlay, 3);
    assert_int_equal(book_overlay(book).count, 2);
    at.batch = 9;
    assert_int_equal(book_apply(book, &changed, at),
                     STATUS_OK);  // read again: included, passed over
    assert_int_equal(book_counts(book).overlay, 3);
    at = (struct catalog_position){2, 1, 9};
    assert_int_equal(book_apply(book, &changed, at), STATUS_OK);  // another log: not included
    assert_int_equal(book_counts(book).overlay, 4);
    catalog_close(catalog);
    catalog_close(next);
    book_close(book);
}

// Two changes of one bid under way at once: that the first became durable neither brings its state
// back nor lets a catalog that holds only the first replace the second.
static void
test_two_changes_under_way(void **state)
{
    (void)state;
    struct random random = {random_seed(31)};
    struct random_market options = {.bids = 50, .prices = 20, .version = 1};
    struct catalog *catalog = random_market(&random, &options);
    struct book *book = book_open(&history_limits);
    book_catalog(book, catalog);
    struct fact first = bid_fact(catalog, 2, 0, 900), second = bid_fact(catalog, 2, 0, 100);
    struct catalog_position pending = {0, 0, 1}, one = {1, 1, 10}, two = {1, 1, 11};
    assert_int_equal(book_apply(book, &first, pending), STATUS_OK);
    pending.batch = 2;
    assert_int_equal(book_apply(book, &second, pending), STATUS_OK);
    book_bid_durable(book, 2, 1, one);
    assert_int_equal(book_overlay(book).count, 1);
    assert_int_equal(book_overlay(book).bids[0].price.micros, 100);
    catalog->position = one;
    book_catalog(book, catalog);
    assert_int_equal(book_overlay(book).count, 1);
    assert_int_equal(book_overlay(book).bids[0].price.micros, 100);
    book_bid_durable(book, 2, 2, two);
    book_catalog(book, catalog);
    assert_int_equal(book_overlay(book).count, 1);
    catalog->position = two;
    book_catalog(book, catalog);
    assert_int_equal(book_overlay(book).count, 0);
    book_close(book);
    catalog_close(catalog);
}

static bool
ranks_by_price(const struct catalog *catalog, const struct catalog_bid *bid)
{
    const struct catalog_message *message = &catalog->messages[bid->message];
    return bid->kind == PRICE_PLACEMENT && message->priority == 0 && message->deal == UINT32_MAX;
}

// Whether a bid of the overlay may stand before another, by the order that catalog.h promises.
static bool
in_order(const struct catalog *catalog, const struct catalog_bid *a, const struct catalog_bid *b)
{
    bool a_by_price = ranks_by_price(catalog, a), b_by_price = ranks_by_price(catalog, b);
    if (a_by_price != b_by_price) return b_by_price;
    if (!a_by_price || a->price.micros == b->price.micros) return a->id < b->id;
    return a->price.micros > b->price.micros;
}

static void
check_order(const struct catalog *catalog, const struct book *book)
{
    struct book_bids bids = book_overlay(book);
    for (uint32_t i = 0; i < bids.count; i++) {
        assert_int_equal(i < bids.judged_first, !ranks_by_price(catalog, &bids.bids[i]));
        if (i > 0) assert_true(in_order(catalog, &bids.bids[i - 1], &bids.bids[i]));
    }
}

// Random puts and changes of kind, price and message: first those whose rank is not their price, by
// id; then the others, dearest first. A catalog that comes keeps the same order.
static void
test_two_parts(void **state)
{
    (void)state;
    struct random random = {random_seed(37)};
    struct random_market options = {.bids = 20, .prices = 20, .version = 1};
    struct catalog *catalog = random_market(&random, &options);
    struct book_limits limits = history_limits;
    limits.overlay = 200;
    struct book *book = book_open(&limits);
    book_catalog(book, catalog);
    for (uint64_t step = 1; step <= 3000; step++) {
        uint32_t message = random_below(&random, catalog->message_count);
        struct fact fact = bid_fact(catalog, 1 + random_below(&random, 190), message,
                                    1 + random_below(&random, 30));
        fact.bid.kind = (uint8_t)random_below(&random, PRICE_KIND_COUNT);
        if (random_chance(&random, 60)) fact.bid.kind = PRICE_PLACEMENT;
        if (random_chance(&random, 5)) fact.bid.message = 99999;  // not shown
        struct catalog_position at = {1, 1, step};
        assert_int_equal(book_apply(book, &fact, at), STATUS_OK);
        if (step % 10 == 0) check_order(catalog, book);
        if (step % 300 != 0) continue;
        catalog->position = (struct catalog_position){1, 1, step - 250};
        book_catalog(book, catalog);
        check_order(catalog, book);
        assert_true(book_overlay(book).judged_first > 10);
        assert_true(book_overlay(book).count > book_overlay(book).judged_first + 10);
    }
    struct fact wrong = bid_fact(catalog, 1, 0, 5);
    wrong.bid.kind = PRICE_KIND_COUNT;
    struct catalog_position at = {1, 1, 9999};
    assert_int_equal(book_apply(book, &wrong, at), STATUS_INPUT);
    wrong.bid.kind = PRICE_PLACEMENT, wrong.bid.state = BID_WITHDRAWN + 1;
    assert_int_equal(book_apply(book, &wrong, at), STATUS_INPUT);
    book_close(book);
    catalog_close(catalog);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_overlay),
                                       cmocka_unit_test(test_two_changes_under_way),
                                       cmocka_unit_test(test_two_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
