// The book as a fold: replays give the same digest; spend, caps, orders, retries and the overlay by
// cases; and no allocation after it was opened.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_history.h"

// --- Counting allocations ------------------------------------------------------------------------
static volatile unsigned long
    allocations;  // the compiler thinks that malloc changes nothing of ours

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void *, size_t),
                                              void (*given)(const volatile void *));
static void
count_taken(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    allocations++;
}
static void
count_given(const volatile void *memory)
{
    (void)memory;
}
static void
count_allocations(void)
{
    __sanitizer_install_malloc_and_free_hooks(count_taken, count_given);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *
malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}
void *
calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}
void *
realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}
static void
count_allocations(void)
{
}
#endif

static void
test_no_allocation(void **state)
{
    (void)state;
    count_allocations();
    struct history history;
    struct random_market options = {
        .bids = 300, .prices = 20, .budgets = true, .caps = true, .version = 1};
    history_open(&history, random_seed(3), &options, &history_limits);
    unsigned long before = allocations;
    void *volatile one = malloc(1);
    free(one);
    assert_true(allocations > before);  // the count counts
    before = allocations;
    for (unsigned step = 0; step < 3000; step++) history_step(&history);
    assert_int_equal(allocations, before);
    history_close(&history);
}

// --- Fold ----------------------------------------------------------------------------------------
static struct book *
fold(const struct history *history, uint32_t count, uint32_t spoiled)
{
    struct book *book = book_open(&history_limits);
    book_catalog(book, history->catalog);
    for (uint32_t i = 0; i < count; i++) {
        struct fact fact = history->facts[i];
        if (i == spoiled) fact.customer ^= 1;
        enum status status = book_apply(book, &fact, history->positions[i]);
        if (i != spoiled) assert_int_equal(status, STATUS_OK);
    }
    return book;
}

static void
test_fold_is_book(void **state)
{
    (void)state;
    uint64_t seed = random_seed(17);
    uint64_t facts = 0, repeats = 0, busy = 0;
    for (unsigned i = 0; i < 12; i++) {
        struct history history;
        struct random_market options = {
            .bids = 200, .prices = 20, .budgets = i % 2, .caps = i % 3 != 0, .version = 1};
        history_open(&history, seed + i, &options, &history_limits);
        for (unsigned step = 0; step < 900; step++) {
            history_step(&history);
            if (step % 300 != 150) continue;
            struct book *early = fold(&history, history.count, UINT32_MAX);  // at a prefix too
            assert_true(digest_same(book_digest(early), book_digest(history.book)));
            book_close(early);
        }
        struct book *again = fold(&history, history.count, UINT32_MAX);
        uint32_t last = history.count - 1;
        while (history.facts[last].kind != FACT_CONTACT) last--;
        struct book *spoiled = fold(&history, history.count, last);
        assert_true(digest_same(book_digest(again), book_digest(history.book)));
        assert_false(digest_same(book_digest(spoiled), book_digest(history.book)));
        struct book_counts a = book_counts(again), b = book_counts(history.book);
        assert_memory_equal(&a, &b, sizeof a);
        book_close(again);
        book_close(spoiled);
        facts += history.count;
        repeats += history.repeats;
        busy += history.refused;
        history_close(&history);
    }
    printf("%llu facts, %llu repeated events, %llu contacts refused for want of room\n",
           (unsigned long long)facts, (unsigned long long)repeats, (unsigned long long)busy);
    assert_true(facts > 5000 && repeats > 50);
}

// A new catalog that includes all bids so far, live and in a replay that knows only the newest one.
static void
test_fold_over_catalogs(void **state)
{
    (void)state;
    struct history history;
    struct random_market options = {.bids = 100, .prices = 20, .version = 1};
    history_open(&history, random_seed(23), &options, &history_limits);
    for (unsigned turn = 0; turn < 6; turn++) {
        for (unsigned i = 0; i < 12; i++) history_offer(&history);
        history_contact(&history);
        uint64_t included = history.batch - 4;
        history_offer(&history);
        struct catalog *old = history.catalog;
        options.version++;
        options.position = (struct catalog_position){1, 1, included};
        history.catalog = random_market(&history.random, &options);
        book_catalog(history.book, history.catalog);
        catalog_close(old);
        assert_true(book_counts(history.book).overlay <= 4);
    }
    for (unsigned i = 0; i < 5; i++) history_offer(&history);
    struct book *again = fold(&history, history.count, UINT32_MAX);
    assert_true(digest_same(book_digest(again), book_digest(history.book)));
    assert_true(book_counts(again).overlay > 0);
    book_close(again);
    history_close(&history);
}

// Spend from the definition: prices of placements, less those cancelled or expired unless charged
// at the win.
static void
test_spend_is_exact(void **state)
{
    (void)state;
    struct history history;
    struct random_market options = {.bids = 300, .prices = 30, .version = 1};
    struct book_limits limits = history_limits;
    limits.placements = 20000;
    history_open(&history, random_seed(29), &options, &limits);
    static int64_t seats[BOUND_SEATS], messages[BOUND_MESSAGES];
    unsigned released = 0, kept = 0;
    for (unsigned step = 0; step < 4000; step++) history_step(&history);
    for (uint32_t i = 0; i < history.count; i++) {
        const struct fact *fact = &history.facts[i];
        int64_t change = 0;
        uint32_t seat = 0, message = 0;
        if (fact->kind == FACT_PLACEMENT) {
            change = fact->placement.price.micros, seat = fact->placement.seat,
            message = fact->placement.message;
            if (fact->placement.kind == PRICE_SHARE) change = 0;
        } else if (fact->kind == FACT_CANCELLED || fact->kind == FACT_EXPIRED ||
                   fact->kind == FACT_DECLINED || fact->kind == FACT_LAPSED) {
            struct book_placement placement;
            assert_true(book_find_placement(history.book, fact_placement(fact), &placement));
            uint8_t kind = placement.fact->placement.kind;
            bool shown = fact->kind == FACT_DECLINED || fact->kind == FACT_LAPSED;
            bool stays = kind == PRICE_SHARE ||
                         (kind == PRICE_PLACEMENT &&
                          (shown || placement.fact->placement.charge == CHARGE_WIN));
            change = stays ? 0 : -fact->event.price.micros, seat = fact->event.seat,
            message = fact->event.message;
            released += !stays;
            kept += stays;
        }
        seats[seat] += change;
        messages[message] += change;
    }
    assert_true(released + kept > 100);
    for (uint32_t i = 0; i < BOUND_SEATS; i++)
        assert_int_equal(book_spent(history.book, BUDGET_SEAT, i).micros, seats[i]);
    for (uint32_t i = 0; i < BOUND_MESSAGES; i++)
        assert_int_equal(book_spent(history.book, BUDGET_MESSAGE, i).micros, messages[i]);
    history_close(&history);
}

// --- Cases with facts made by hand ---------------------------------------------------------------
static const struct catalog_position somewhere = {1, 1, 1};

static struct fact
opened(uint8_t contact, uint8_t slots, usec at)
{
    struct fact fact = {
        .kind = FACT_CONTACT, .party = 5, .at = at, .contact = {{1, contact}}, .customer = 9};
    fact.opened.slots = slots;
    snprintf(fact.opened.key, sizeof fact.opened.key, "contact-%u", contact);
    return fact;
}

static struct fact
placed(uint8_t contact, uint8_t position, usec at)
{
    struct fact fact = {.kind = FACT_PLACEMENT,
                        .party = 5,
                        .position = position,
                        .at = at,
                        .contact = {{1, contact}},
                        .customer = 9};
    fact.placement.seat = 3;
    fact.placement.message = 4;
    fact.placement.price = money_of(1000000);
    fact.placement.expires.us = at.us + 60 * USEC_SECOND;
    fact.placement.cap_days = 2;
    return fact;
}

static struct fact
about(const struct fact *placement, enum fact_kind kind)
{
    struct fact fact = *placement;
    memset(fact.bytes, 0, sizeof fact.bytes);
    fact.kind = (uint8_t)kind;
    return fact;
}

static void
apply(struct book *book, struct fact fact)
{
    assert_int_equal(book_apply(book, &fact, somewhere), STATUS_OK);
}

static struct fact
win(struct book *book, uint8_t contact, usec at)
{
    struct fact fact = placed(contact, 1, at);
    apply(book, opened(contact, 1, at));
    apply(book, fact);
    return fact;
}

static void
test_retry(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.contacts = 3;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    struct fact facts[BOUND_CONTACT_FACTS], first = opened(1, 2, now),
                                            placement = placed(1, 1, now), empty = first;
    empty.kind = FACT_UNFILLED;
    empty.position = 2;
    apply(book, first);
    apply(book, placement);
    apply(book, empty);
    assert_int_equal(book_apply(book, &empty, somewhere), STATUS_INPUT);  // one too many
    struct id key = contact_request_key(5, first.opened.key);
    struct book_contact found;
    assert_true(book_find_contact(book, key, &found));
    assert_true(id_same(found.contact, first.contact));
    assert_int_equal(book_recall(book, key, facts), 3);
    assert_memory_equal(&facts[0], &first, sizeof first);
    assert_memory_equal(&facts[1], &placement, sizeof first);
    assert_memory_equal(&facts[2], &empty, sizeof first);
    struct fact stray = placed(7, 1, now);
    assert_int_equal(book_apply(book, &stray, somewhere),
                     STATUS_INPUT);  // of no contact just opened
    for (uint8_t i = 2; i <= 4; i++) (void)win(book, i, now);
    assert_false(book_find_contact(book, key, &found));  // the oldest of four is gone
    struct fact next = opened(2, 1, now);
    assert_true(book_find_contact(book, contact_request_key(5, next.opened.key), &found));
    assert_int_equal(book_counts(book).contacts, 3);
    book_close(book);
}

// A larger book may still know a key that a smaller one had forgotten and that was decided anew:
// the newer contact counts, and both are forgotten in their turn.
static void
test_retry_anew(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.contacts = 3;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    struct fact first = opened(1, 0, now), again = first, facts[BOUND_CONTACT_FACTS];
    again.contact.bytes[0] = 77;
    apply(book, first);
    apply(book, again);
    struct id key = contact_request_key(5, first.opened.key);
    assert_int_equal(book_recall(book, key, facts), 1);
    assert_int_equal(facts[0].contact.bytes[0], 77);
    struct book_contact found;
    (void)win(book, 2, now);
    (void)win(book, 3, now);  // the first is forgotten
    assert_true(book_find_contact(book, key, &found));
    (void)win(book, 4, now);  // and the second
    assert_false(book_find_contact(book, key, &found));
    book_close(book);
}

// Held placements are never dropped; ended ones are, the first ended first.
static void
test_room(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.placements = BOUND_SLOTS;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    struct fact wins[BOUND_SLOTS];
    for (uint8_t i = 0; i < BOUND_SLOTS; i++) {
        assert_true(book_has_room(book, 1));
        wins[i] = win(book, i, now);
    }
    assert_false(book_has_room(book, 1));
    struct fact more = placed(100, 1, now);
    apply(book, opened(100, 1, now));
    assert_int_equal(book_apply(book, &more, somewhere), STATUS_FULL);
    apply(book, about(&wins[5], FACT_DELIVERED));
    apply(book, about(&wins[2], FACT_CANCELLED));
    assert_true(book_has_room(book, 2));
    assert_false(book_has_room(book, 3));
    apply(book, more);
    struct book_placement found;
    assert_false(book_find_placement(book, fact_placement(&wins[5]), &found));
    assert_true(book_find_placement(book, fact_placement(&wins[2]), &found));
    assert_int_equal(found.state, PLACEMENT_CANCELLED);
    assert_int_equal(book_spent(book, BUDGET_SEAT, 3).micros, 12 * 1000000);  // 13 won, one cancelled
    apply(book, about(&wins[5], FACT_ACCEPTED));                      // dropped: changes nothing
    assert_int_equal(book_apply(book, &more, somewhere), STATUS_EXISTS);
    struct fact wrong = about(&wins[2], FACT_DELIVERED);
    assert_int_equal(book_apply(book, &wrong, somewhere), STATUS_CONFLICT);
    book_close(book);
}

static void
test_expiry(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec now = {RANDOM_NOW};
    struct fact late = placed(1, 1, now), soon = placed(2, 1, now);
    soon.placement.expires.us = now.us + 10;
    apply(book, opened(1, 1, now));
    apply(book, late);
    apply(book, opened(2, 1, now));
    apply(book, soon);
    struct id placement;
    assert_false(book_next_expired(book, (usec){now.us + 9}, &placement));
    assert_true(book_next_expired(book, (usec){now.us + 10}, &placement));
    assert_true(id_same(placement, fact_placement(&soon)));
    apply(book, about(&soon, FACT_EXPIRED));
    assert_false(book_next_expired(book, (usec){now.us + 10}, &placement));
    assert_int_equal(book_spent(book, BUDGET_SEAT, 3).micros, 1000000);
    struct fact due = placed(3, 1, now);  // charged at the win: stays spent
    due.placement.charge = CHARGE_WIN;
    apply(book, opened(3, 1, now));
    apply(book, due);
    apply(book, about(&due, FACT_EXPIRED));
    assert_int_equal(book_spent(book, BUDGET_SEAT, 3).micros, 2000000);
    book_close(book);
}

static struct fact
revenue(const struct fact *placement, enum fact_kind kind, uint8_t order, const char *key,
        int64_t amount)
{
    struct fact fact = about(placement, kind);
    fact.revenue.amount = money_of(amount);
    fact.revenue.order = (struct id){{order}};
    snprintf(fact.revenue.key, sizeof fact.revenue.key, "%s", key);
    return fact;
}

static void
test_orders(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.orders = 3;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    struct fact first = win(book, 1, now), second = win(book, 2, now);
    struct fact early = revenue(&first, FACT_CONVERTED, 1, "a", 100);
    assert_int_equal(book_apply(book, &early, somewhere), STATUS_CONFLICT);  // before delivery
    apply(book, about(&first, FACT_DELIVERED));
    apply(book, about(&second, FACT_DELIVERED));
    apply(book, early);
    char refund[BOUND_KEY] = "r";
    apply(book, revenue(&first, FACT_REFUNDED, 1, refund, 30));
    struct book_placement placement;
    assert_true(book_find_placement(book, fact_placement(&first), &placement));
    assert_int_equal(placement.converted.micros, 100);
    assert_int_equal(placement.refunded.micros, 30);
    struct book_order order;
    assert_true(book_find_order(book, (struct id){{1}}, NULL, &order));
    assert_int_equal(order.refunded.micros, 30);
    assert_true(book_find_order(book, (struct id){{1}}, refund, &order));
    assert_int_equal(order.amount.micros, 30);
    struct fact much = revenue(&first, FACT_REFUNDED, 1, "more", 71);
    assert_int_equal(book_apply(book, &much, somewhere), STATUS_CONFLICT);
    apply(book, revenue(&first, FACT_CONVERTED, 2, "b", 5));
    // Full: the placement of the oldest order makes room, unless it is the very one.
    assert_false(book_order_has_room(book, fact_placement(&first)));
    assert_true(book_order_has_room(book, fact_placement(&second)));
    struct fact full = revenue(&first, FACT_CONVERTED, 3, "c", 5);
    assert_int_equal(book_apply(book, &full, somewhere), STATUS_FULL);
    apply(book, revenue(&second, FACT_CONVERTED, 4, "d", 5));
    assert_false(book_find_placement(book, fact_placement(&first), &placement));
    assert_false(book_find_order(book, (struct id){{1}}, NULL, &order));
    assert_true(book_find_order(book, (struct id){{4}}, NULL, &order));
    book_close(book);
}

// Ids beyond their bounds, too many slots, kinds that are none.
static void
test_refuses(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec now = {RANDOM_NOW};
    apply(book, opened(1, 2, now));
    struct fact seat = placed(1, 1, now), message = seat, none = seat,
                wide = opened(2, BOUND_SLOTS + 1, now);
    seat.placement.seat = BOUND_SEATS;
    message.placement.message = BOUND_MESSAGES;
    none.kind = FACT_KIND_COUNT;
    assert_int_equal(book_apply(book, &seat, somewhere), STATUS_INPUT);
    assert_int_equal(book_apply(book, &message, somewhere), STATUS_INPUT);
    assert_int_equal(book_apply(book, &none, somewhere), STATUS_INPUT);
    assert_int_equal(book_apply(book, &wide, somewhere), STATUS_INPUT);
    book_close(book);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_allocation),
                                       cmocka_unit_test(test_fold_is_book),
                                       cmocka_unit_test(test_fold_over_catalogs),
                                       cmocka_unit_test(test_spend_is_exact),
                                       cmocka_unit_test(test_retry),
                                       cmocka_unit_test(test_retry_anew),
                                       cmocka_unit_test(test_room),
                                       cmocka_unit_test(test_expiry),
                                       cmocka_unit_test(test_orders),
                                       cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
