// A round against its exhaustive twin on random markets with every rule of selling, live bids and
// random changes; the record of each round, priced again from its facts, also after a change that
// must be noticed; and why each bid did not win. round_cases_test.c has the single cases.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_history.h"
#include "round_kit.h"
#include "round_twin.h"

struct played {
    struct history history;
    struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    struct catalog_bid live_bids[24];
    struct round_callout callouts[30];
    uint8_t groups[24], reasons_of_live[24];
    struct round_live live;
    struct why why;
    struct twin twin;
    struct twin_limits limits;
    struct twin_sale sale;
    uint64_t contacts, wins, by_kind[PRICE_KIND_COUNT], live_wins, deals, variants, reasons[512],
        noticed, kept_setters, asked;
};

// --- Live bids -----------------------------------------------------------------------------------
static void
make_live(struct played *played)
{
    struct random *random = &played->history.random;
    const struct catalog *catalog = played->history.catalog;
    const struct catalog_container *container = &catalog->containers[played->contact.container];
    played->live = (struct round_live){.bids = played->live_bids,
                                       .groups = played->groups,
                                       .reasons = played->reasons_of_live,
                                       .callouts = played->callouts,
                                       .callout_count = random_below(random, 30)};
    for (uint32_t i = 0; i < played->live.callout_count; i++)
        played->callouts[i] = (struct round_callout){
            .seat = (uint16_t)(1 + i), .answer_ms = 7, .reason = REASON_NO_BID, .bids = 0};
    uint32_t count = random_below(random, 24);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t message = random_below(random, catalog->message_count);
        uint32_t seat = catalog->messages[message].seat;
        uint8_t kind = (uint8_t)random_below(random, PRICE_KIND_COUNT);
        if (!catalog->seats[seat].live) continue;
        uint8_t group = random_chance(random, 30) ? (uint8_t)(1 + random_below(random, 2)) : 0;
        played->groups[played->live.count] = group;
        played->live_bids[played->live.count++] = (struct catalog_bid){
            .id = random_next(random) | 1,
            .seat = seat,
            .message = message,
            .slot = container->slot_first + random_below(random, container->slot_count),
            .kind = kind,
            .price = money_of(kind == PRICE_SHARE
                                  ? 1 + (int64_t)random_below(random, 300000)
                                  : 100000 * (1 + (int64_t)random_below(random, 40))),
            .state = BID_ACTIVE,
        };
    }
}

// --- The record ----------------------------------------------------------------------------------
static bool
same_rank(const struct twin_bid *a, const struct twin_bid *b)
{
    struct price_bid left = {1,
                             a->bid->seat,
                             0,
                             a->bid->kind,
                             0,
                             a->terms.priority,
                             a->bid->price,
                             a->terms.multiplier,
                             {0}},
                     right = {1,
                              b->bid->seat,
                              0,
                              b->bid->kind,
                              0,
                              b->terms.priority,
                              b->bid->price,
                              b->terms.multiplier,
                              {0}};
    return !price_ranks_before(&left, &right, 0) && !price_ranks_before(&right, &left, 0);
}

static const struct twin *sorting;

static int
by_rank(const void *a, const void *b)
{
    return twin_ranks_before(sorting, a, b) ? -1 : 1;
}

static void
check_candidate(struct played *played, const struct fact *fact, unsigned at, unsigned place,
                unsigned last, uint64_t setter)
{
    const struct catalog *catalog = played->history.catalog;
    const struct twin_sale *sale = &played->sale;
    const struct twin_bid *is = NULL;
    for (uint32_t i = 0; i < sale->eligible_count; i++)
        if (sale->eligible[i].bid->id == fact->candidates.bid[at]) is = &sale->eligible[i];
    assert_non_null(is);
    bool live = is->bid >= played->live_bids && is->bid < played->live_bids + 24;
    assert_int_equal(fact->candidates.price[at], is->bid->price.micros);
    assert_true(fact->candidates.multiplier[at] == is->terms.multiplier);
    assert_int_equal(fact->candidates.floor[at].micros, is->floor);
    assert_int_equal(fact->candidates.floor_id[at], is->terms.floor_id);
    assert_int_equal(fact->candidates.priority[at], is->terms.priority);
    assert_int_equal(fact->candidates.message[at], catalog->messages[is->bid->message].id);
    assert_int_equal(fact->candidates.seat[at], catalog->seats[is->bid->seat].id);
    unsigned how = fact->candidates.how[at];
    assert_int_equal(how & CANDIDATE_KIND, is->bid->kind);
    assert_int_equal(how >> CANDIDATE_AT_SHIFT, is->terms.at);
    assert_int_equal((how & CANDIDATE_LIVE) != 0, live);
    // The eight best; of equal ones perhaps others; in the eighth place perhaps the setter.
    if (!same_rank(is, &sale->eligible[place])) {
        assert_true(place == BOUND_CANDIDATES - 1 && place == last && is->bid->id == setter);
        played->kept_setters++;
    }
}

static void
check_tally(struct played *played, const struct fact *tally, unsigned candidates)
{
    uint32_t stopped = 0;
    for (unsigned i = 0; i < 28 && tally->tally.reason[i] != 0; i++) {
        stopped += tally->tally.count[i];
        played->reasons[tally->tally.reason[i]] += tally->tally.count[i];
    }
    const struct fact *outcome = &played->facts[tally->position];
    uint32_t eligible = outcome->kind == FACT_PLACEMENT ? outcome->placement.eligible : 0;
    assert_int_equal(tally->tally.considered, stopped + eligible);
    assert_true(eligible >= candidates);
}

static void
check_refusals(struct played *played, const struct fact *fact, uint32_t slot)
{
    for (unsigned i = 0; i < 4 && fact->refusals.bid[i] != 0; i++) {
        const struct catalog_bid *bid = NULL;
        for (uint32_t j = 0; j < played->twin.bid_count; j++)
            if (played->twin.bids[j]->id == fact->refusals.bid[i]) bid = played->twin.bids[j];
        assert_non_null(bid);
        struct twin_terms terms;
        assert_int_equal(twin_judge_terms(&played->twin, bid, slot, &terms),
                         fact->refusals.reason[i]);
        if (fact->refusals.reason[i] == REASON_BELOW_FLOOR ||
            fact->refusals.reason[i] == REASON_BELOW_DEAL_FLOOR)
            assert_int_equal(fact->refusals.met[i], terms.floor);
    }
}

static void
check_record(struct played *played, unsigned position, uint32_t slot)
{
    const struct fact *outcome = &played->facts[position];
    uint64_t setter = outcome->kind == FACT_PLACEMENT ? outcome->placement.setter : 0;
    unsigned candidates = 0, tallies = 0;
    unsigned expected = played->sale.eligible_count < BOUND_CANDIDATES ? played->sale.eligible_count
                                                                       : BOUND_CANDIDATES;
    bool setter_is_there = setter == 0;
    sorting = &played->twin;
    qsort(played->sale.eligible, played->sale.eligible_count, sizeof *played->sale.eligible,
          by_rank);
    for (unsigned i = 1 + played->facts[0].opened.slots; i < played->count; i++) {
        const struct fact *fact = &played->facts[i];
        if (fact->position != position) continue;
        assert_true(id_same(fact->contact, outcome->contact));
        if (fact->kind == FACT_REFUSALS) check_refusals(played, fact, slot);
        for (unsigned at = 0; fact->kind == FACT_CANDIDATES && at < 2; at++) {
            if (fact->candidates.bid[at] == 0) continue;
            setter_is_there |= fact->candidates.bid[at] == setter;
            check_candidate(played, fact, at, candidates++, expected - 1, setter);
        }
        if (fact->kind != FACT_TALLY) continue;
        tallies++;
        check_tally(played, fact, candidates);
    }
    assert_int_equal(tallies, 1);
    assert_int_equal(candidates, expected);
    assert_true(setter_is_there);
}

// --- Why -----------------------------------------------------------------------------------------
static const struct catalog_bid *
bid_at(const struct played *played, uint32_t number)
{
    uint32_t standing = played->history.catalog->bid_count;
    struct book_bids overlay = book_overlay(played->history.book);
    if (number < standing) return &played->history.catalog->bids[number];
    if (number < standing + overlay.count) return &overlay.bids[number - standing];
    return &played->live_bids[number - standing - overlay.count];
}

static void
check_beaten(const struct played *played, const struct why_bid *why, const struct catalog_bid *bid,
             const struct twin_terms *terms)
{
    const struct twin_sale *sale = &played->sale;
    if (bid == sale->winner) {
        assert_int_equal(why->reason, REASON_NONE);
    } else if (bid->seat == sale->winner->seat) {
        assert_int_equal(why->reason, REASON_OWN_SEAT);
    } else if (sale->terms.priority > terms->priority && sale->terms.score <= terms->score) {
        assert_int_equal(why->reason, REASON_LOST_TO_PRIORITY);
    } else {
        assert_int_equal(why->reason, REASON_OUTBID);
        assert_int_equal(why->short_by.micros, sale->terms.score - terms->score);
    }
}

// Each bid that may compete in the slot is there once, with the twin's reason and terms.
static void
check_why(struct played *played, uint8_t position, uint32_t slot)
{
    unsigned told = 0, competing = 0;
    for (uint32_t i = 0; i < played->twin.bid_count; i++)
        competing += played->twin.bids[i]->slot == UINT32_MAX || played->twin.bids[i]->slot == slot;
    assert_true(played->why.count <= played->why.room);
    for (uint32_t i = 0; i < played->why.count; i++) {
        const struct why_bid *why = &played->why.bids[i];
        if (why->position != position) continue;
        told++;
        const struct catalog_bid *bid = bid_at(played, why->bid);
        if (bid >= played->live_bids && bid < played->live_bids + 24)
            assert_int_equal(played->reasons_of_live[bid - played->live_bids], why->reason);
        struct twin_terms terms;
        enum reason reason = twin_judge_terms(&played->twin, bid, slot, &terms);
        assert_int_equal(why->floor.micros, terms.floor);
        assert_int_equal(why->floor_id, terms.floor_id);
        assert_int_equal(why->floor_rule, terms.floor_rule);
        assert_int_equal(why->priority, terms.priority);
        assert_int_equal(why->kind, bid->kind);
        assert_int_equal(why->score.micros, terms.score);
        assert_true(why->multiplier == terms.multiplier);
        assert_true((why->reason == REASON_NOT_ELIGIBLE) == (why->rule != NULL));
        if (reason == REASON_NONE) {
            check_beaten(played, why, bid, &terms);
            continue;
        }
        assert_int_equal(why->reason, reason);
        if (reason == REASON_BELOW_FLOOR || reason == REASON_BELOW_DEAL_FLOOR)
            assert_int_equal(why->short_by.micros, terms.floor - terms.score);
        if (reason == REASON_FREQUENCY_CAP || reason == REASON_PRESSURE_CAP)
            assert_true(why->cap_count >= played->history.catalog->caps[why->cap].count);
        if (reason == REASON_BUDGET || reason == REASON_PACING)
            assert_true(why->budget_left.micros < bid->price.micros);
    }
    assert_int_equal(told, competing);
}

// --- Pricing again -------------------------------------------------------------------------------
static void
check_reprice(struct played *played)
{
    unsigned position;
    struct price_sale sale;
    if (!round_reprice(played->facts, played->count, &position, &sale))
        fail_msg("slot %u cannot be priced again", position);
    struct fact facts[BOUND_CONTACT_FACTS];
    memcpy(facts, played->facts, sizeof facts);
    for (unsigned i = 0; i < 20; i++) {  // any bytes are judged, right or wrong
        unsigned at = random_below(&played->history.random, played->count * sizeof *facts);
        ((uint8_t *)facts)[at] = (uint8_t)random_next(&played->history.random);
        (void)round_reprice(facts, played->count, &position, &sale);
    }
    memcpy(facts, played->facts, sizeof facts);
    if (!round_kit_change(&played->history.random, facts, played->count)) return;
    assert_false(round_reprice(facts, played->count, &position, &sale));
    played->noticed++;
}

// --- One contact ---------------------------------------------------------------------------------
static void
check_placement(struct played *played, const struct fact *fact, uint32_t slot)
{
    const struct catalog *catalog = played->history.catalog;
    const struct twin_sale *sale = &played->sale;
    const struct catalog_message *message = &catalog->messages[sale->winner->message];
    const struct catalog_container *container = &catalog->containers[played->contact.container];
    assert_int_equal(fact->kind, FACT_PLACEMENT);
    assert_true(fact->placement.bid == sale->winner->id);
    assert_int_equal(fact->placement.price.micros, sale->price);
    assert_int_equal(fact->placement.floor.micros, sale->floor);
    assert_true(fact->placement.setter == sale->setter);
    assert_int_equal(fact->placement.slot, catalog->slots[slot].id);
    assert_int_equal(fact->placement.kind, sale->winner->kind);
    assert_int_equal(fact->placement.deal, sale->terms.deal);
    assert_int_equal(fact->placement.floor_rule, sale->terms.floor_rule);
    assert_int_equal(fact->placement.floor_id, sale->terms.floor_id);
    assert_int_equal(fact->placement.cell, container->stage * CHANNEL_COUNT + container->channel);
    assert_int_equal(fact->placement.day, catalog_day_of(catalog, played->history.now).day);
    assert_int_equal(fact->placement.campaigns[0] != 0, message->campaign != UINT32_MAX);
    assert_int_equal(fact->placement.cap_days, message->remember_days);
    assert_true(sale->price <= sale->winner->price.micros);
    assert_true(price_score((enum price_kind)sale->winner->kind, money_of(sale->price),
                            sale->terms.multiplier)
                    .micros >= sale->floor);
    played->wins++;
    played->by_kind[sale->winner->kind]++;
    played->live_wins += sale->winner >= played->live_bids && sale->winner < played->live_bids + 24;
    played->deals += sale->terms.deal != 0;
}

static bool
is_wanted(const struct played *played, unsigned place)
{
    return played->contact.slots_wanted == 0 || played->contact.slots_wanted >> place & 1;
}

// Sells all slots until every group that won is whole: then the twin knows which groups are out.
static void
settle_groups(struct played *played)
{
    struct twin *twin = &played->twin;
    const struct catalog_container *container =
        &twin->catalog->containers[played->contact.container];
    do {
        twin->win_count = 0;
        for (unsigned i = 0; i < container->slot_count; i++) {
            if (!is_wanted(played, i)) continue;
            twin_limits_slot(twin, i);
            twin_sell(twin, container->slot_first + i, twin->id, &played->sale);
            if (played->sale.winner != NULL) twin_win(twin, &played->sale);
        }
    } while (twin_limits_again(twin));
    twin->win_count = 0;
}

static void
check_not_wanted(struct played *played, const struct fact *fact)
{
    assert_int_equal(fact->kind, FACT_UNFILLED);
    assert_int_equal(fact->unfilled.reason, REASON_NOT_REQUESTED);
    for (unsigned i = 1 + played->facts[0].opened.slots; i < played->count; i++)
        assert_int_not_equal(played->facts[i].position, fact->position);
    for (uint32_t i = 0; i < played->why.count; i++)
        assert_int_not_equal(played->why.bids[i].position, fact->position);
    uint32_t first = played->history.catalog->containers[played->contact.container].slot_first;
    for (uint32_t i = 0; i < played->live.count; i++)
        if (played->live_bids[i].slot == first + fact->position - 1)
            assert_int_equal(played->reasons_of_live[i], REASON_NOT_REQUESTED);
}

static void
check_against_twin(struct played *played)
{
    const struct history *history = &played->history;
    const struct catalog *catalog = history->catalog;
    const struct catalog_container *container = &catalog->containers[played->contact.container];
    const struct fact *opened = &played->facts[0];
    struct twin *twin = &played->twin;
    twin->catalog = catalog;
    twin->book = history->book;
    twin->contact = &played->contact;
    twin->now = history->now;
    twin->win_count = 0;
    twin->id = opened->contact;
    memset(&played->limits, 0, sizeof played->limits);
    played->limits.live = &played->live;
    twin->limits = &played->limits;
    twin_take_bids(twin);
    twin_take_live(twin, &played->live);
    assert_int_equal(opened->kind, FACT_CONTACT);
    assert_int_equal(opened->opened.slots, container->slot_count);
    assert_int_equal(played->count, 1 + container->slot_count + opened->opened.records);
    bool variant;
    uint32_t experiment = twin_experiment(twin, &variant);
    assert_int_equal(opened->opened.experiment,
                     experiment == UINT32_MAX ? 0 : catalog->experiments[experiment].id);
    assert_int_equal((opened->opened.flags & CONTACT_VARIANT) != 0, variant);
    played->variants += variant;
    settle_groups(played);
    for (unsigned i = 1; i <= container->slot_count; i++) {
        const struct fact *fact = &played->facts[i];
        uint32_t slot = container->slot_first + i - 1;
        assert_int_equal(fact->position, i);
        assert_true(id_same(fact->contact, opened->contact));
        if (!is_wanted(played, i - 1)) {
            check_not_wanted(played, fact);
            continue;
        }
        twin_limits_slot(twin, i - 1);
        twin_sell(twin, slot, fact->contact, &played->sale);
        check_why(played, (uint8_t)i, slot);
        if (played->sale.winner != NULL) {
            check_placement(played, fact, slot);
        } else {
            assert_int_equal(fact->kind, FACT_UNFILLED);
            assert_true(fact->unfilled.reason == REASON_NO_BIDS ||
                        fact->unfilled.reason == REASON_NO_ELIGIBLE_BID);
        }
        check_record(played, i, slot);
        if (played->sale.winner != NULL) twin_win(twin, &played->sale);
    }
}

// A live bidder may be asked for a slot exactly when one of its messages could compete there; the
// floor is the least of theirs. A share meets no budget, so it stands for a message of the seat.
static void
check_ask(struct played *played)
{
    const struct history *history = &played->history;
    const struct catalog *catalog = history->catalog;
    const struct catalog_container *container = &catalog->containers[played->contact.container];
    struct twin *twin = &played->twin;
    twin->win_count = 0;
    twin->limits = NULL;
    for (uint32_t seat = 0; seat < catalog->seat_count; seat++) {
        struct round_ask ask;
        round_ask(history->round, catalog, history->book, &played->contact, seat, history->now,
                  &ask);
        assert_true((ask.slots == 0) == (ask.reason != REASON_NONE));
        bool may = catalog->seats[seat].live && !catalog->seats[seat].paused &&
                   (played->contact.consent & 1u << CONSENT_THIRD_PARTY);
        for (uint32_t i = 0; i < container->slot_count; i++) {
            int64_t least = INT64_MAX;
            for (uint32_t m = 0; may && is_wanted(played, i) && m < catalog->message_count; m++) {
                struct catalog_bid bid = {.id = 1,
                                          .seat = seat,
                                          .message = m,
                                          .kind = PRICE_SHARE,
                                          .price = {1},
                                          .slot = container->slot_first + i};
                struct twin_terms terms;
                if (catalog->messages[m].seat != seat) continue;
                enum reason reason = twin_judge_terms(twin, &bid, bid.slot, &terms);
                if (reason != REASON_NONE && reason != REASON_BELOW_FLOOR &&
                    reason != REASON_BELOW_DEAL_FLOOR)
                    continue;
                if (terms.floor < least) least = terms.floor;
            }
            assert_int_equal(ask.slots >> i & 1, least != INT64_MAX);
            if (least != INT64_MAX) assert_int_equal(ask.floor[i].micros, least);
            played->asked += least != INT64_MAX;
        }
    }
}

static void
check_spent(const struct history *history)
{
    const struct catalog *catalog = history->catalog;
    const struct book *book = history->book;
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        const struct catalog_seat *seat = &catalog->seats[i];
        if (seat->budget.has_total)
            assert_true(book_spent(book, BUDGET_SEAT, seat->id).micros <=
                        seat->budget.total.micros);
    }
    for (uint32_t i = 0; i < catalog->campaign_count; i++) {
        const struct catalog_campaign *campaign = &catalog->campaigns[i];
        if (campaign->budget.has_total)
            assert_true(book_spent(book, BUDGET_CAMPAIGN, campaign->id).micros <=
                        campaign->budget.total.micros);
    }
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        if (message->budget.has_total)
            assert_true(book_spent(book, BUDGET_MESSAGE, message->id).micros <=
                        message->budget.total.micros);
    }
}

// One contact: decided, compared, decided again with `why`, applied, asked again.
static void
play_contact(struct played *played)
{
    struct history *history = &played->history;
    struct fact again[BOUND_CONTACT_FACTS];
    unsigned count;
    bool repeated;
    random_contact(&history->random, history->catalog, &played->contact);
    if (random_chance(&history->random, 30)) {
        const struct catalog_container *container =
            &history->catalog->containers[played->contact.container];
        played->contact.slots_wanted =
            (uint16_t)(1 + random_below(&history->random, (1u << container->slot_count) - 1));
    }
    make_live(played);
    const struct contact *contact = &played->contact;
    enum reason reason = round_decide(history->round, history->catalog, history->book, contact,
                                      &played->live, history->now, NULL, played->facts,
                                      &played->count, &repeated);
    if (reason == REASON_BUSY) return;
    assert_int_equal(reason, REASON_NONE);
    assert_false(repeated);
    uint8_t reasons[24];
    memcpy(reasons, played->reasons_of_live, sizeof reasons);
    assert_int_equal(round_decide(history->round, history->catalog, history->book, contact,
                                  &played->live, history->now, &played->why, again, &count,
                                  &repeated),
                     REASON_NONE);
    assert_int_equal(count, played->count);
    assert_memory_equal(again, played->facts, count * sizeof *again);
    assert_memory_equal(reasons, played->reasons_of_live, played->live.count);
    check_against_twin(played);
    check_ask(played);
    check_reprice(played);
    history_apply(history, played->facts, played->count);
    usec later = {history->now.us + USEC_SECOND};
    assert_int_equal(round_decide(history->round, history->catalog, history->book, contact, NULL,
                                  later, NULL, again, &count, &repeated),
                     REASON_NONE);
    assert_true(repeated);
    assert_int_equal(count, 1 + played->facts[0].opened.slots);
    assert_memory_equal(again, played->facts, count * sizeof *again);
    played->contact.request++;
    assert_int_equal(round_decide(history->round, history->catalog, history->book, contact, NULL,
                                  later, NULL, again, &count, &repeated),
                     REASON_CONFLICT);
    played->contacts++;
}

static void
play_markets(struct played *played, uint64_t seed, unsigned markets, unsigned contacts)
{
    static struct why_bid bids[20000];
    played->why = (struct why){bids, 0, 20000};
    for (unsigned market = 0; market < markets; market++) {
        struct random_market options = {.bids = 20 + (market % 10) * 60,
                                        .prices = market % 3 ? 40 : 6,
                                        .purse = 2000,
                                        .version = 1};
        random_market_everything(&options);
        options.together = 0;
        if (market % 4 == 0) options.priorities = options.deals = options.kinds = false;
        history_open(&played->history, seed + market, &options, &history_limits);
        for (unsigned step = 0; step < contacts; step++) {
            for (unsigned i = random_below(&played->history.random, 4); i > 0; i--)
                history_step(&played->history);
            play_contact(played);
            for (unsigned i = 0; i < 3; i++) history_event(&played->history);
            check_spent(&played->history);
        }
        history_close(&played->history);
    }
}

static void
test_equals_twin(void **state)
{
    (void)state;
    static struct played played;
    play_markets(&played, random_seed(1122), 40, 60);
    printf("%llu contacts, %llu placements: %llu per placement, %llu per response, %llu shares, "
           "%llu live, %llu in deals; %llu variants, %llu changes noticed, %llu setters kept, "
           "%llu slots to ask for\n",
           (unsigned long long)played.contacts, (unsigned long long)played.wins,
           (unsigned long long)played.by_kind[PRICE_PLACEMENT],
           (unsigned long long)played.by_kind[PRICE_RESPONSE],
           (unsigned long long)played.by_kind[PRICE_SHARE], (unsigned long long)played.live_wins,
           (unsigned long long)played.deals, (unsigned long long)played.variants,
           (unsigned long long)played.noticed, (unsigned long long)played.kept_setters,
           (unsigned long long)played.asked);
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (played.reasons[i] > 0)
            printf("  %s %llu\n", reason_key((enum reason)i),
                   (unsigned long long)played.reasons[i]);
    assert_true(played.contacts >= 1500 && played.wins >= 700 && played.noticed >= 300);
    assert_true(played.by_kind[PRICE_RESPONSE] > 20 && played.by_kind[PRICE_SHARE] > 5);
    assert_true(played.live_wins > 20 && played.deals > 20 && played.variants > 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_twin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
