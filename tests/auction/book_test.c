// The book as a fold: replays give the same digest; spend, responses, histories, orders, retries,
// old facts and times that jump by cases; and no allocation after it was opened.
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
    struct random_market options = {.bids = 300, .prices = 20, .version = 1};
    random_market_everything(&options);
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
fold_into(const struct book_limits *limits, const struct history *history, uint32_t count,
          uint32_t spoiled)
{
    struct book *book = book_open(limits);
    book_catalog(book, history->catalog);
    for (uint32_t i = 0; i < count; i++) {
        struct fact fact = history->facts[i];
        if (i == spoiled) fact.customer ^= 1;
        enum status status = book_apply(book, &fact, history->positions[i]);
        if (i != spoiled) assert_int_equal(status, STATUS_OK);
    }
    return book;
}

static struct book *
fold(const struct history *history, uint32_t count, uint32_t spoiled)
{
    return fold_into(&history_limits, history, count, spoiled);
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
        if (i >= 6) random_market_everything(&options);
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

// Pools of next to nothing: the deciders ask before, so that no fact of a market at work is refused
// (history_apply aborts); and the same facts still give the same book.
static void
test_small_pools(void **state)
{
    (void)state;
    static const struct book_limits sizes[] = {
        {.contacts = 1, .placements = BOUND_SLOTS, .orders = 1, .overlay = 1},
        {.contacts = 4,
         .retries = 4,
         .placements = 24,
         .customers = 8,
         .rates = 3,
         .orders = 3,
         .overlay = 4},
        {.contacts = 40,
         .retries = 9,
         .placements = 64,
         .customers = 30,
         .rates = 30,
         .orders = 9,
         .overlay = 9},
    };
    uint64_t seed = random_seed(71), busy = 0;
    for (unsigned i = 0; i < 6; i++) {
        struct history history;
        struct random_market options = {.bids = 200, .prices = 20, .version = 1};
        random_market_everything(&options);
        history_open(&history, seed + i, &options, &sizes[i % 3]);
        for (unsigned step = 0; step < 1200; step++) history_step(&history);
        struct book *again = fold_into(&sizes[i % 3], &history, history.count, UINT32_MAX);
        assert_true(digest_same(book_digest(again), book_digest(history.book)));
        book_close(again);
        busy += history.refused;
        history_close(&history);
    }
    printf("%llu contacts refused for want of room\n", (unsigned long long)busy);
    assert_true(busy > 0);
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

static bool
converted_before(const struct history *history, uint32_t fact)
{
    for (uint32_t i = 0; i < fact; i++)
        if (history->facts[i].kind == FACT_CONVERTED &&
            id_same(fact_placement(&history->facts[i]), fact_placement(&history->facts[fact])))
            return true;
    return false;
}

// Spend from the definition: prices of placements, less those cancelled or expired unless charged
// at the win, and those declined or lapsed while the price waited.
static void
test_spend_is_exact(void **state)
{
    (void)state;
    struct history history;
    struct random_market options = {.bids = 300, .prices = 30, .version = 1};
    random_market_everything(&options);
    struct book_limits limits = history_limits;
    limits.placements = 20000;
    limits.orders = 20000;
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
            uint8_t charge = placement.fact->placement.charge;
            bool waits = charge == CHARGE_RESPONSE ||
                         (charge == CHARGE_CONVERSION && !converted_before(&history, i));
            bool stays = kind == PRICE_SHARE ||
                         (kind == PRICE_PLACEMENT && (shown ? !waits : charge == CHARGE_WIN));
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

static bool
within(const struct book *book, const struct catalog_budget *budget, enum budget_of of, uint32_t id,
       uint16_t day)
{
    int64_t all = book_spent(book, of, id).micros, today = book_spent_on(book, of, id, day).micros;
    if (budget->has_total && (all > budget->total.micros || all > budget->limit.micros))
        return false;
    return !budget->has_daily ||
           (today <= budget->daily.micros && today <= budget->daily_limit.micros);
}

// At every prefix of the facts nothing of the tree is overspent, in all or on its day: seat,
// campaign, that one's parent, message; while the clock jumps back over days now and then.
static void
test_never_overspent(void **state)
{
    (void)state;
    uint64_t seed = random_seed(91), full = 0, wins = 0;
    for (unsigned turn = 0; turn < 4; turn++) {
        struct history history;
        struct random_market options = {.bids = 200, .prices = 30, .purse = 10, .version = 1};
        random_market_everything(&options);
        history_open(&history, seed + turn, &options, &history_limits);
        for (unsigned step = 0; step < 1500; step++) {
            if (random_chance(&history.random, 1))
                history.now.us -= random_below(&history.random, 40) * (USEC_DAY / 24);
            history_step(&history);
        }
        const struct catalog *catalog = history.catalog;
        struct book *book = book_open(&history_limits);
        for (uint32_t i = 0; i < history.count; i++) {
            const struct fact *fact = &history.facts[i];
            assert_int_equal(book_apply(book, fact, history.positions[i]), STATUS_OK);
            if (fact->kind != FACT_PLACEMENT) continue;
            uint16_t day = fact->placement.day;
            const struct catalog_message *message =
                &catalog->messages[catalog_message_by_id(catalog, fact->placement.message)];
            const struct catalog_seat *seat = &catalog->seats[message->seat];
            assert_true(within(book, &seat->budget, BUDGET_SEAT, seat->id, day));
            assert_true(within(book, &message->budget, BUDGET_MESSAGE, message->id, day));
            for (uint32_t of = message->campaign; of != UINT32_MAX;
                 of = catalog->campaigns[of].parent) {
                const struct catalog_campaign *campaign = &catalog->campaigns[of];
                assert_true(within(book, &campaign->budget, BUDGET_CAMPAIGN, campaign->id, day));
                full += campaign->budget.has_total;
            }
            wins++;
        }
        book_close(book);
        history_close(&history);
    }
    printf("%llu wins, %llu of them under a campaign's total\n", (unsigned long long)wins,
           (unsigned long long)full);
    assert_true(wins > 300 && (full > 0 || seed != 91));
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

static int64_t
spent(const struct book *book)
{
    return book_spent(book, BUDGET_SEAT, 3).micros;
}

static unsigned
shown(const struct book *book, uint64_t customer)
{
    struct book_shown entry = {0};
    unsigned count = 0;
    while (book_next_shown(book, customer, &entry)) count++;
    return count;
}

static enum placement_state
state_of(const struct book *book, const struct fact *placement)
{
    struct book_placement found;
    assert_true(book_find_placement(book, fact_placement(placement), &found));
    return found.state;
}

// --- Prices per response, shares -----------------------------------------------------------------
static struct fact
win_of_kind(struct book *book, uint8_t contact, enum price_kind kind, uint8_t charge, usec at)
{
    struct fact fact = placed(contact, 1, at);
    fact.placement.kind = (uint8_t)kind;
    fact.placement.charge = charge;
    apply(book, opened(contact, 1, at));
    apply(book, fact);
    return fact;
}

static void
apply_at(struct book *book, const struct fact *placement, enum fact_kind kind, usec at)
{
    struct fact fact = about(placement, kind);
    fact.at = fact.event.effective = at;
    apply(book, fact);
}

// A price per response is held until the customer accepts, whatever the contract charges at.
static void
test_responses(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec now = {RANDOM_NOW};
    struct fact wins[6];
    for (uint8_t i = 0; i < 6; i++)
        wins[i] = win_of_kind(book, i, PRICE_RESPONSE, i % 2 ? CHARGE_WIN : CHARGE_DELIVERY, now);
    assert_int_equal(spent(book), 6000000);
    apply_at(book, &wins[0], FACT_CANCELLED, now);
    apply_at(book, &wins[1], FACT_EXPIRED, now);
    assert_int_equal(spent(book), 4000000);
    for (uint8_t i = 2; i < 6; i++) apply_at(book, &wins[i], FACT_DELIVERED, now);
    assert_int_equal(spent(book), 4000000);
    assert_int_equal(book_counts(book).placements_responses, 4);
    apply_at(book, &wins[2], FACT_ACCEPTED, now);
    assert_int_equal(spent(book), 4000000);
    apply_at(book, &wins[3], FACT_DECLINED, now);
    assert_int_equal(spent(book), 3000000);
    usec month = {now.us + BOUND_RESPONSE_DAYS * USEC_DAY};
    struct id placement;
    assert_false(book_next_expired(book, (usec){month.us - 1}, &placement));
    assert_int_equal(book_response_ends(book, fact_placement(&wins[4])).us, month.us);
    for (unsigned i = 4; i < 6; i++) {
        struct fact lapsed;
        assert_true(book_next_expired(book, month, &placement));
        event_expire(book, placement, month, &lapsed);
        assert_int_equal(lapsed.kind, FACT_LAPSED);
        assert_int_equal(lapsed.event.price.micros, 1000000);
        assert_int_equal(lapsed.event.effective.us, month.us);
        apply(book, lapsed);
    }
    assert_false(book_next_expired(book, (usec){INT64_MAX}, &placement));
    assert_int_equal(spent(book), 1000000);
    assert_int_equal(book_counts(book).placements_responses, 0);
    assert_int_equal(book_counts(book).placements_held, 0);
    struct fact late = about(&wins[4], FACT_ACCEPTED);
    assert_int_equal(book_apply(book, &late, somewhere), STATUS_CONFLICT);
    // Those priced otherwise end with their delivery, and do not lapse.
    struct fact plain = win(book, 10, now), lapse = about(&plain, FACT_LAPSED);
    apply_at(book, &plain, FACT_DELIVERED, now);
    assert_int_equal(book_apply(book, &lapse, somewhere), STATUS_CONFLICT);
    assert_int_equal(book_response_ends(book, fact_placement(&plain)).us, INT64_MAX);
    apply_at(book, &plain, FACT_DECLINED, now);  // stays due
    assert_int_equal(spent(book), 2000000);
    struct fact share = win_of_kind(book, 11, PRICE_SHARE, CHARGE_WIN, now);
    apply_at(book, &share, FACT_DELIVERED, now);
    assert_int_equal(spent(book), 2000000);  // never counted
    struct fact other = win_of_kind(book, 12, PRICE_SHARE, CHARGE_DELIVERY, now);
    apply_at(book, &other, FACT_EXPIRED, now);
    assert_int_equal(spent(book), 2000000);
    book_close(book);
}

// Placements that wait for a response are held: they may take half of the room, are not dropped,
// and those ended before them make room for others, and for orders too.
static struct fact
converted(const struct fact *placement, uint8_t order)
{
    struct fact fact = about(placement, FACT_CONVERTED);
    fact.revenue.amount = money_of(5);
    fact.revenue.order.bytes[0] = order;
    return fact;
}

// A contract that charges at the conversion: held until the first one, also when accepted, and
// given back when the customer declines or a month has gone; one that charges at the response is
// like a price per response.
static void
test_charged_later(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec now = {RANDOM_NOW}, month = {now.us + BOUND_RESPONSE_DAYS * USEC_DAY};
    struct fact wins[6], fact;
    struct id placement;
    for (uint8_t i = 0; i < 6; i++)
        wins[i] = win_of_kind(book, i, PRICE_PLACEMENT, i < 5 ? CHARGE_CONVERSION : CHARGE_RESPONSE,
                              now);
    for (uint8_t i = 0; i < 6; i++) apply_at(book, &wins[i], FACT_DELIVERED, now);
    assert_int_equal(book_counts(book).placements_held, 6);
    assert_int_equal(book_counts(book).placements_responses, 6);
    apply(book, converted(&wins[0], 1));
    apply(book, converted(&wins[0], 2));
    apply_at(book, &wins[0], FACT_DECLINED, now);  // too late to take anything back
    apply_at(book, &wins[1], FACT_ACCEPTED, now);
    apply(book, converted(&wins[1], 3));
    apply_at(book, &wins[2], FACT_DECLINED, now);
    apply_at(book, &wins[3], FACT_ACCEPTED, now);
    apply_at(book, &wins[5], FACT_ACCEPTED, now);
    assert_int_equal(spent(book), 5000000);
    assert_int_equal(book_counts(book).placements_held, 2);
    assert_false(book_next_expired(book, (usec){month.us - 1}, &placement));
    while (book_next_expired(book, month, &placement)) {
        event_expire(book, placement, month, &fact);
        assert_int_equal(fact.kind, FACT_LAPSED);
        assert_int_equal(fact.event.effective.us, month.us);
        apply(book, fact);
        assert_int_equal(book_apply(book, &fact, somewhere), STATUS_CONFLICT);
    }
    assert_int_equal(state_of(book, &wins[3]), PLACEMENT_LAPSED);
    assert_int_equal(state_of(book, &wins[4]), PLACEMENT_LAPSED);
    assert_int_equal(spent(book), 3000000);
    apply(book, converted(&wins[4], 4));  // revenue still counts; the price was given back
    assert_int_equal(spent(book), 3000000);
    assert_int_equal(book_counts(book).placements_responses, 0);
    book_close(book);
}

static void
test_responses_take_room(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.placements = 16;
    limits.orders = 2;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    struct fact waiting[8], ended[8];
    for (uint8_t i = 0; i < 8; i++) {
        assert_true(book_response_has_room(book, 1));
        waiting[i] = win_of_kind(book, i, PRICE_RESPONSE, 0, now);
        apply_at(book, &waiting[i], FACT_DELIVERED, now);
        ended[i] = win(book, (uint8_t)(100 + i), now);
        apply_at(book, &ended[i], FACT_DELIVERED, now);
    }
    assert_false(book_response_has_room(book, 1));
    assert_true(book_has_room(book, 8));
    assert_false(book_has_room(book, 9));
    struct fact orders[2] = {about(&waiting[0], FACT_CONVERTED), about(&ended[7], FACT_CONVERTED)};
    for (uint8_t i = 0; i < 2; i++) {
        orders[i].revenue.order = (struct id){{(uint8_t)(1 + i)}};
        orders[i].revenue.amount = money_of(5);
        apply(book, orders[i]);
    }
    // The oldest order is of one that waits: the next one's placement makes room instead.
    struct fact more = about(&ended[6], FACT_CONVERTED);
    more.revenue.order = (struct id){{3}};
    more.revenue.amount = money_of(5);
    assert_true(book_order_has_room(book, fact_placement(&ended[6])));
    apply(book, more);
    struct book_placement found;
    assert_true(book_find_placement(book, fact_placement(&waiting[0]), &found));
    assert_false(book_find_placement(book, fact_placement(&ended[7]), &found));
    for (uint8_t i = 0; i < 8; i++) (void)win(book, (uint8_t)(50 + i), now);
    for (uint8_t i = 0; i < 8; i++) {
        assert_int_equal(state_of(book, &waiting[i]), PLACEMENT_DELIVERED);
        assert_false(book_find_placement(book, fact_placement(&ended[i]), &found));
    }
    assert_false(book_has_room(book, 1));
    book_close(book);
}

// --- What customers were shown -------------------------------------------------------------------
static void
test_shown(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec start = {RANDOM_NOW}, later = {RANDOM_NOW + USEC_DAY};
    struct fact first = win(book, 1, start), second = win(book, 2, start);
    assert_int_equal(shown(book, 9), 2);
    assert_int_equal(shown(book, 8), 0);
    apply_at(book, &first, FACT_DELIVERED, later);
    apply_at(book, &second, FACT_CANCELLED, later);
    struct book_shown entry = {0};
    assert_true(book_next_shown(book, 9, &entry));
    assert_int_equal(entry.message, 4);
    assert_int_equal(entry.at.us / 60000000, later.us / 60000000);  // of the delivery
    assert_int_equal(entry.channel, CHANNEL_COUNT);  // won on no day: of the version before
    assert_false(book_next_shown(book, 9, &entry));
    struct fact uncapped = placed(3, 1, start), anonymous = placed(4, 1, start);
    uncapped.placement.cap_days = 0;
    anonymous.customer = 0;
    apply(book, opened(3, 1, start));
    apply(book, uncapped);
    apply(book, opened(4, 1, start));
    apply(book, anonymous);
    assert_int_equal(shown(book, 9), 1);
    assert_int_equal(shown(book, 0), 0);
    // Complaints and refunds are noted of uncapped ones too, once each.
    apply_at(book, &uncapped, FACT_DELIVERED, start);
    struct fact complaint = about(&uncapped, FACT_COMPLAINED),
                early = about(&anonymous, FACT_COMPLAINED);
    complaint.event.effective = (usec){later.us + USEC_DAY};
    apply(book, complaint);
    assert_int_equal(book_apply(book, &complaint, somewhere), STATUS_CONFLICT);
    assert_int_equal(book_apply(book, &early, somewhere), STATUS_CONFLICT);
    entry = (struct book_shown){0};
    assert_true(book_next_shown(book, 9, &entry));
    assert_int_equal(entry.kind, SHOWN_COMPLAINT);
    apply_at(book, &anonymous, FACT_DELIVERED, start);
    apply_at(book, &anonymous, FACT_COMPLAINED, start);  // of nobody: noted nowhere
    assert_int_equal(book_counts(book).marks_lost, 0);
    assert_int_equal(book_counts(book).customers, 1);
    book_close(book);
}

// No room: a placement that must be remembered is refused whole; a refund is booked all the same.
static void
test_shown_full(void **state)
{
    (void)state;
    struct book_limits limits = history_limits;
    limits.customers = 0;
    struct book *book = book_open(&limits);
    usec now = {RANDOM_NOW};
    assert_false(book_shown_has_room(book, 9));
    assert_true(book_shown_has_room(book, 0));
    assert_false(book_mark_has_room(book, 9));
    struct fact capped = placed(1, 1, now), free = capped;
    free.placement.cap_days = 0;
    apply(book, opened(1, 1, now));
    struct digest before = book_digest(book);
    assert_int_equal(book_apply(book, &capped, somewhere), STATUS_FULL);
    assert_true(digest_same(before, book_digest(book)));
    apply(book, free);
    apply_at(book, &free, FACT_DELIVERED, now);
    struct fact sale = about(&free, FACT_CONVERTED), refund = about(&free, FACT_REFUNDED);
    sale.revenue.amount = refund.revenue.amount = money_of(7);
    apply(book, sale);
    apply(book, refund);
    assert_int_equal(book_counts(book).marks_lost, 1);
    struct book_placement found;
    assert_true(book_find_placement(book, fact_placement(&free), &found));
    assert_int_equal(found.refunded.micros, 7);
    book_close(book);
}

// --- The version before --------------------------------------------------------------------------
static void
put(struct fact *fact, size_t place, const void *value, size_t size)
{
    memcpy((char *)fact + place, value, size);
}

// Bytes as the version before wrote them: what is new was reserved and zero.
static void
test_old_facts(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    struct fact contact, win;
    memset(&contact, 0, sizeof contact);
    memset(&win, 0, sizeof win);
    int64_t at = RANDOM_NOW, expires = at + USEC_DAY, price = 250000;
    uint32_t slot = 11, message = 4, seat = 3;
    uint64_t customer = 9;
    uint16_t cap_days = 7, party = 5, objectives = 16;
    const uint8_t id[16] = {1, 2, 3};
    put(&contact, 0, (uint8_t[]){1, ROLE_TOUCHPOINT}, 2);
    put(&contact, 4, &party, 2);
    put(&contact, 8, &at, 8);
    put(&contact, 16, id, 16);
    put(&contact, 32, &customer, 8);
    put(&contact, 73, (uint8_t[]){1}, 1);  // outcomes that follow
    put(&contact, 80, "c-1", 3);
    win = contact;
    memset(win.bytes, 0, sizeof win.bytes);
    put(&win, 0, (uint8_t[]){2}, 1);
    put(&win, 6, (uint8_t[]){1}, 1);  // position
    put(&win, 40, &slot, 4);
    put(&win, 44, &message, 4);
    put(&win, 48, &seat, 4);
    put(&win, 52, "EUR", 3);
    put(&win, 64, &price, 8);
    put(&win, 96, &expires, 8);
    put(&win, 104, &objectives, 2);
    put(&win, 106, (uint8_t[]){RUNG_AFFILIATION}, 1);
    put(&win, 110, &cap_days, 2);
    put(&win, 112, (uint8_t[]){CHARGE_DELIVERY}, 1);
    apply(book, contact);
    apply(book, win);
    assert_true(book_was_decided(book, contact_request_key(5, contact.opened.key)));
    assert_int_equal(book_spent(book, BUDGET_SEAT, 3).micros, 250000);
    assert_int_equal(book_spent(book, BUDGET_MESSAGE, 4).micros, 250000);
    assert_int_equal(book_spent_on(book, BUDGET_SEAT, 3, 0).micros, 0);
    struct book_shown entry = {0};
    assert_true(book_next_shown(book, 9, &entry));
    assert_int_equal(entry.message, 4);
    assert_int_equal(entry.channel, CHANNEL_COUNT);
    struct fact delivered = about(&win, FACT_DELIVERED);
    delivered.event.effective.us = at + 1;
    apply(book, delivered);
    assert_int_equal(state_of(book, &win), PLACEMENT_DELIVERED);
    assert_int_equal(book_counts(book).placements_held, 0);
    assert_int_equal(book_learned_on_rung(book, RUNG_AFFILIATION).delivered, 1);
    assert_int_equal(book_learned_in_cell(book, RUNG_AFFILIATION, 0).delivered, 0);
    book_close(book);
}

// --- Times that jump -----------------------------------------------------------------------------
// A clock set forward by a year and back again: the order of facts, what expires, what was spent
// today and what customers were shown are as if it had not been.
static void
test_clock_jumps(void **state)
{
    (void)state;
    struct book *book = book_open(&history_limits);
    usec now = {RANDOM_NOW}, far = {RANDOM_NOW + 365 * USEC_DAY}, back = {RANDOM_NOW + 1000000};
    struct fact wins[3];
    const usec times[3] = {now, far, back};
    for (uint8_t i = 0; i < 3; i++) {
        wins[i] = placed(i, 1, times[i]);
        wins[i].customer = 100u + i;
        wins[i].placement.day = (uint16_t)(20000 + (i == 1 ? 365 : 0));
        apply(book, opened(i, 1, times[i]));
        apply(book, wins[i]);
    }
    assert_int_equal(book_spent_on(book, BUDGET_SEAT, 3, 20000).micros, 2000000);
    assert_int_equal(book_spent_on(book, BUDGET_SEAT, 3, 20365).micros, 1000000);
    for (uint8_t i = 0; i < 3; i++)
        assert_int_equal(shown(book, 100u + i), 1);  // pending ones stay
    struct id placement;
    assert_true(book_next_expired(book, (usec){back.us + 60 * USEC_SECOND}, &placement));
    assert_true(id_same(placement, fact_placement(&wins[0])));
    apply_at(book, &wins[0], FACT_EXPIRED, back);
    assert_true(book_next_expired(book, (usec){back.us + 60 * USEC_SECOND}, &placement));
    assert_true(id_same(placement, fact_placement(&wins[2])));
    apply_at(book, &wins[2], FACT_DELIVERED, now);  // before its own win
    assert_false(book_next_expired(book, (usec){far.us}, &placement));
    assert_true(book_next_expired(book, (usec){far.us + 60 * USEC_SECOND}, &placement));
    struct fact facts[BOUND_CONTACT_FACTS];
    for (uint8_t i = 0; i < 3; i++) {
        struct fact again = opened(i, 1, now);
        assert_int_equal(book_recall(book, contact_request_key(5, again.opened.key), facts), 2);
    }
    struct fact old = opened(4, 1, (usec){-5}), older = placed(4, 1, (usec){-5});
    older.placement.expires.us = INT64_MIN;  // before all time
    apply(book, old);
    apply(book, older);
    assert_true(book_next_expired(book, (usec){-5}, &placement));
    book_close(book);
}

// --- Retries -------------------------------------------------------------------------------------
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
    struct fact record = empty;  // of how it came about: passed over
    for (enum fact_kind kind = FACT_CANDIDATES; kind <= FACT_CALLOUTS; kind++) {
        struct digest before = book_digest(book);
        record.kind = (uint8_t)kind;
        apply(book, record);
        assert_true(digest_same(before, book_digest(book)));
    }
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
    assert_true(book_was_decided(book, key));            // but known, for longer
    struct fact next = opened(2, 1, now);
    assert_true(book_find_contact(book, contact_request_key(5, next.opened.key), &found));
    assert_int_equal(book_counts(book).contacts, 3);
    for (uint8_t i = 5; i < 200; i++) (void)win(book, i, (usec){now.us + i * USEC_SECOND});
    assert_true(book_was_decided(book, key));
    apply(book, opened(200, 0, now));
    assert_true(book_was_decided(book, key));
    apply(book, opened(201, 0, now));
    assert_false(book_was_decided(book, key));  // 200 requests later
    assert_int_equal(book_counts(book).retries, history_limits.retries);
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
    assert_int_equal(book_spent(book, BUDGET_SEAT, 3).micros,
                     12 * 1000000);               // 13 won, one cancelled
    apply(book, about(&wins[5], FACT_ACCEPTED));  // dropped: changes nothing
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
    struct fact unsound = placed(1, 1, now);
    unsound.placement.kind = PRICE_KIND_COUNT;
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    unsound = placed(1, 1, now), unsound.placement.rung = RUNG_COUNT;
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    unsound = placed(1, 1, now), unsound.placement.cell = STAGE_COUNT * CHANNEL_COUNT;
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    unsound = placed(1, 1, now), unsound.placement.price = money_of(-1);
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    unsound = placed(1, 1, now), unsound.placement.price = money_of(BOUND_MICROS + 1);
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    unsound = placed(1, 1, now), unsound.placement.message = 0;  // marks stand there
    assert_int_equal(book_apply(book, &unsound, somewhere), STATUS_INPUT);
    apply(book, placed(1, 1, now));
    book_close(book);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),  cmocka_unit_test(test_fold_is_book),
        cmocka_unit_test(test_small_pools),    cmocka_unit_test(test_fold_over_catalogs),
        cmocka_unit_test(test_spend_is_exact), cmocka_unit_test(test_never_overspent),
        cmocka_unit_test(test_responses),      cmocka_unit_test(test_responses_take_room),
        cmocka_unit_test(test_charged_later),  cmocka_unit_test(test_shown),
        cmocka_unit_test(test_shown_full),     cmocka_unit_test(test_old_facts),
        cmocka_unit_test(test_clock_jumps),    cmocka_unit_test(test_retry),
        cmocka_unit_test(test_retry_anew),     cmocka_unit_test(test_room),
        cmocka_unit_test(test_expiry),         cmocka_unit_test(test_orders),
        cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
