// A round against its exhaustive twin on random markets with random changes, and the properties
// that must always hold. round_cases_test.c has the single cases.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_history.h"

// --- The twin: the rules of the domain, bid by bid, without index and without early end --------
struct twin {
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    usec now;
    struct {
        uint32_t seat, message;
        int64_t price;
    } wins[BOUND_SLOTS];
    unsigned win_count;
};
struct twin_sale {
    const struct catalog_bid *winner;
    int64_t price, floor;
    uint64_t setter;
};

static bool
twin_open(const struct contact *contact, unsigned rung)
{
    unsigned has = contact->consent;
    bool profiling = has & 1, modelling = has & 2, third_party = has & 4;
    switch (rung + 1) {
    case 1: return true;
    case 2: return profiling;
    case 3: return profiling && contact->identity != IDENTITY_ANONYMOUS;
    case 4: return profiling && contact->identity == IDENTITY_REPEAT;
    case 5: return modelling && contact->identity == IDENTITY_REPEAT;
    default: return third_party;
    }
}

static int64_t
twin_floor(const struct catalog_slot *slot, const struct catalog_message *message)
{
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct catalog_floor *floor = &slot->floors[i];
        if ((floor->rung == -1 || floor->rung == message->rung) &&
            (floor->seat == UINT32_MAX || floor->seat == message->seat) &&
            (floor->category == -1 || floor->category == message->category))
            return floor->price.micros;
    }
    return slot->floor.micros;
}

static bool
twin_admits(const struct twin *twin, const struct catalog_slot *slot,
            const struct catalog_message *message)
{
    bool partner = twin->catalog->seats[message->seat].kind == SEAT_PARTNER;
    unsigned rung = message->rung + 1u;
    if (partner ? rung < 6 : rung == 6 || rung == 7) return false;
    if (!(slot->rungs >> message->rung & 1) || !(slot->objectives & message->objectives))
        return false;
    bool format = slot->format_count == 0;
    for (uint32_t i = 0; i < slot->format_count; i++) format |= slot->formats[i] == message->format;
    return format;
}

static bool
twin_affords(const struct twin *twin, const struct catalog_bid *bid)
{
    const struct catalog_message *message = &twin->catalog->messages[bid->message];
    const struct catalog_seat *seat = &twin->catalog->seats[bid->seat];
    int64_t of_seat = book_seat_spent(twin->book, seat->id).micros;
    int64_t of_message = book_message_spent(twin->book, message->id).micros;
    for (unsigned i = 0; i < twin->win_count; i++) {
        if (twin->wins[i].seat == bid->seat) of_seat += twin->wins[i].price;
        if (twin->wins[i].message == bid->message) of_message += twin->wins[i].price;
    }
    return (!seat->has_budget || seat->budget.micros - of_seat >= bid->price.micros) &&
           (!message->has_budget || message->budget.micros - of_message >= bid->price.micros);
}

static bool
twin_eligible(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot_index)
{
    const struct catalog *catalog = twin->catalog;
    const struct catalog_slot *slot = &catalog->slots[slot_index];
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct values *values = &twin->contact->values;
    int64_t now = twin->now.us;
    if (bid->slot != UINT32_MAX && bid->slot != slot_index) return false;
    if (bid->state != BID_ACTIVE || catalog->seats[bid->seat].paused) return false;
    if (now < bid->from.us || (bid->until.us && now >= bid->until.us)) return false;
    if (now < message->from.us || (message->until.us && now >= message->until.us)) return false;
    if (catalog_contract_at(catalog, bid->seat, twin->now) == NULL) return false;
    if (!twin_admits(twin, slot, message) || !twin_open(twin->contact, message->rung)) return false;
    bool serves = message->objectives & (1u << OBJECTIVE_FULFILL | 1u << OBJECTIVE_EDUCATE);
    if (twin->contact->condition == CONDITION_DISTRESSED && !serves) return false;
    if (!expr_true_with(&slot->rule, values, &message->values, NULL)) return false;
    if (!expr_true_with(&catalog->seats[bid->seat].rule, values, &slot->values, NULL)) return false;
    if (!expr_true_with(&message->rule, values, &slot->values, NULL)) return false;
    for (unsigned i = 0; i < twin->win_count; i++) {
        if (twin->wins[i].message == bid->message) return false;
    }
    uint64_t customer = twin->contact->customer;
    if (customer != 0 && message->cap_count != 0 &&
        (book_cap_count(twin->book, customer, message->id, message->cap_days, twin->now) >=
             message->cap_count ||
         !book_cap_has_room(twin->book, customer, message->id)))
        return false;
    return twin_affords(twin, bid) && bid->price.micros >= twin_floor(slot, message);
}

static uint64_t
twin_draw(struct id contact, uint64_t bid)
{
    uint64_t halves[2];
    memcpy(halves, contact.bytes, sizeof halves);
    return hash_mix(halves[0] ^ halves[1] ^ hash_mix(bid));
}

static bool
twin_beats(const struct catalog_bid *a, const struct catalog_bid *b, struct id contact)
{
    if (b == NULL || a->price.micros != b->price.micros)
        return b == NULL || a->price.micros > b->price.micros;
    return twin_draw(contact, a->id) < twin_draw(contact, b->id);
}

static struct twin_sale
twin_sell(const struct twin *twin, uint32_t slot, struct id contact)
{
    const struct catalog *catalog = twin->catalog;
    struct book_bids overlay = book_overlay(twin->book);
    const struct catalog_bid *setter = NULL;
    struct twin_sale sale = {0};
    for (int pass = 0; pass < 2; pass++) {  // the winner, then who sets its price
        for (uint32_t i = 0; i < catalog->bid_count + overlay.count; i++) {
            bool standing = i < catalog->bid_count;
            const struct catalog_bid *bid = standing ? &catalog->bids[i]
                                                     : &overlay.bids[i - catalog->bid_count];
            if (standing && book_bid_replaced(twin->book, i)) continue;
            if (!twin_eligible(twin, bid, slot)) continue;
            if (pass == 0) {
                if (twin_beats(bid, sale.winner, contact)) sale.winner = bid;
            } else if (bid->seat != sale.winner->seat &&
                       (setter == NULL || bid->price.micros > setter->price.micros ||
                        (bid->price.micros == setter->price.micros && bid->id < setter->id))) {
                setter = bid;
            }
        }
        if (sale.winner == NULL) return sale;
    }
    sale.price = sale.floor = twin_floor(&catalog->slots[slot],
                                         &catalog->messages[sale.winner->message]);
    if (setter != NULL && setter->price.micros > sale.floor) {
        sale.price = setter->price.micros;
        sale.setter = setter->id;
    }
    return sale;
}

// Returns placements; checks every fact of the contact.
static unsigned
check_against_twin(const struct history *history, const struct contact *contact,
                   const struct fact *facts, unsigned count)
{
    struct twin twin = {history->catalog, history->book, contact, history->now, {{0}}, 0};
    const struct catalog_container *container = &twin.catalog->containers[contact->container];
    assert_int_equal(count, 1 + container->slot_count);
    assert_int_equal(facts[0].kind, FACT_CONTACT);
    assert_int_equal(facts[0].opened.slots, container->slot_count);
    for (unsigned i = 1; i < count; i++) {
        const struct fact *fact = &facts[i];
        uint32_t slot = container->slot_first + i - 1;
        assert_int_equal(fact->position, i);
        assert_true(id_same(fact->contact, facts[0].contact));
        struct twin_sale sale = twin_sell(&twin, slot, fact->contact);
        if (sale.winner == NULL) {
            assert_int_equal(fact->kind, FACT_UNFILLED);
            assert_true(fact->unfilled.reason == REASON_NO_BIDS ||
                        fact->unfilled.reason == REASON_NO_ELIGIBLE_BID);
            continue;
        }
        assert_int_equal(fact->kind, FACT_PLACEMENT);
        assert_true(fact->placement.bid == sale.winner->id);
        assert_int_equal(fact->placement.price.micros, sale.price);
        assert_int_equal(fact->placement.floor.micros, sale.floor);
        assert_true(fact->placement.setter == sale.setter);
        assert_int_equal(fact->placement.slot, twin.catalog->slots[slot].id);
        assert_true(sale.floor <= sale.price && sale.price <= sale.winner->price.micros);
        twin.wins[twin.win_count].seat = sale.winner->seat;
        twin.wins[twin.win_count].message = sale.winner->message;
        twin.wins[twin.win_count++].price = sale.price;
    }
    return twin.win_count;
}

static void
check_budgets(const struct history *history)
{
    const struct catalog *catalog = history->catalog;
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        const struct catalog_seat *seat = &catalog->seats[i];
        if (seat->has_budget)
            assert_true(book_seat_spent(history->book, seat->id).micros <= seat->budget.micros);
    }
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        if (!message->has_budget) continue;
        assert_true(book_message_spent(history->book, message->id).micros <=
                    message->budget.micros);
    }
}

// Each bid judged once, in order; the winner is NONE; the reasons agree with the sale.
static void
check_why(const struct history *history, const struct why *why)
{
    const struct catalog *catalog = history->catalog;
    struct book_bids overlay = book_overlay(history->book);
    assert_true(why->count <= why->room);
    const struct why_bid *before = NULL;
    unsigned winners = 0;
    for (uint32_t i = 0; i < why->count; i++) {
        const struct why_bid *bid = &why->bids[i];
        const struct catalog_bid *is = bid->bid < catalog->bid_count
                                           ? &catalog->bids[bid->bid]
                                           : &overlay.bids[bid->bid - catalog->bid_count];
        if (before != NULL && before->position != bid->position) before = NULL, winners = 0;
        const struct catalog_bid *last = before == NULL ? NULL
                                         : before->bid < catalog->bid_count
                                             ? &catalog->bids[before->bid]
                                             : &overlay.bids[before->bid - catalog->bid_count];
        if (last != NULL) {
            assert_true(last->price.micros > is->price.micros ||
                        (last->price.micros == is->price.micros && last->id < is->id));
        }
        winners += bid->reason == REASON_NONE;
        assert_true(winners <= 1);
        assert_true((bid->reason == REASON_NOT_ELIGIBLE) == (bid->rule != NULL));
        if (bid->reason == REASON_BELOW_FLOOR)
            assert_int_equal(bid->short_by.micros, bid->floor.micros - is->price.micros);
        before = bid;
    }
}

// One contact: decided, compared, decided again with `why`, applied, asked again.
static unsigned
play_contact(struct history *history, struct why *why)
{
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS], again[BOUND_CONTACT_FACTS];
    unsigned count, count_again;
    bool repeated;
    random_contact(&history->random, history->catalog, &contact);
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact,
                                      history->now, NULL, facts, &count, &repeated);
    if (reason == REASON_BUSY) return 0;
    assert_int_equal(reason, REASON_NONE);
    assert_false(repeated);
    unsigned wins = check_against_twin(history, &contact, facts, count);
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact,
                                  history->now, why, again, &count_again, &repeated),
                     REASON_NONE);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    check_why(history, why);
    history_apply(history, facts, count);
    usec later = {history->now.us + USEC_SECOND};
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later,
                                  NULL, again, &count_again, &repeated),
                     REASON_NONE);
    assert_true(repeated);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    contact.request++;
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later,
                                  NULL, again, &count_again, &repeated),
                     REASON_CONFLICT);
    return wins;
}

static void
test_equals_twin(void **state)
{
    (void)state;
    uint64_t seed = random_seed(1122), contacts = 0, wins = 0;
    static struct why_bid bids[20000];
    struct why why = {bids, 0, 20000};
    for (unsigned market = 0; market < 30; market++) {
        struct history history;
        struct random_market options = {.bids = 20 + (market % 10) * 60,
                                        .prices = market % 3 ? 40 : 6,
                                        .budgets = true,
                                        .caps = true,
                                        .version = 1};
        history_open(&history, seed + market, &options, &history_limits);
        for (unsigned step = 0; step < 60; step++) {
            for (unsigned i = random_below(&history.random, 4); i > 0; i--) history_step(&history);
            unsigned before = history.count;
            wins += play_contact(&history, &why);
            contacts += history.count > before;
            check_budgets(&history);
        }
        history_close(&history);
    }
    printf("%llu contacts, %llu placements\n", (unsigned long long)contacts,
           (unsigned long long)wins);
    assert_true(contacts >= 1000 && wins >= 500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_twin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
