// A round against its exhaustive twin on random markets with random changes; the properties that must
// always hold; and table cases under the numbers of round.c's head comment.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_history.h"

// --- The twin: the rules of the domain, bid by bid, without index and without early end -----------
struct twin {
    const struct catalog *catalog;
    const struct book *book;
    const struct contact *contact;
    usec now;
    struct { uint32_t seat, message; int64_t price; } wins[BOUND_SLOTS];
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
twin_admits(const struct twin *twin, const struct catalog_slot *slot, const struct catalog_message *message)
{
    bool partner = twin->catalog->seats[message->seat].kind == SEAT_PARTNER;
    unsigned rung = message->rung + 1u;
    if (partner ? rung < 6 : rung == 6 || rung == 7) return false;
    if (!(slot->rungs >> message->rung & 1) || !(slot->objectives & message->objectives)) return false;
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
        (book_cap_count(twin->book, customer, message->id, message->cap_days, twin->now) >= message->cap_count ||
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
    if (b == NULL || a->price.micros != b->price.micros) return b == NULL || a->price.micros > b->price.micros;
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
            const struct catalog_bid *bid = standing ? &catalog->bids[i] : &overlay.bids[i - catalog->bid_count];
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
    sale.price = sale.floor = twin_floor(&catalog->slots[slot], &catalog->messages[sale.winner->message]);
    if (setter != NULL && setter->price.micros > sale.floor) {
        sale.price = setter->price.micros;
        sale.setter = setter->id;
    }
    return sale;
}

// Returns placements; checks every fact of the contact.
static unsigned
check_against_twin(const struct history *history, const struct contact *contact, const struct fact *facts, unsigned count)
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
            assert_true(fact->unfilled.reason == REASON_NO_BIDS || fact->unfilled.reason == REASON_NO_ELIGIBLE_BID);
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
        if (seat->has_budget) assert_true(book_seat_spent(history->book, seat->id).micros <= seat->budget.micros);
    }
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        if (!message->has_budget) continue;
        assert_true(book_message_spent(history->book, message->id).micros <= message->budget.micros);
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
        const struct catalog_bid *is =
            bid->bid < catalog->bid_count ? &catalog->bids[bid->bid] : &overlay.bids[bid->bid - catalog->bid_count];
        if (before != NULL && before->position != bid->position) before = NULL, winners = 0;
        const struct catalog_bid *last = before == NULL ? NULL
            : before->bid < catalog->bid_count ? &catalog->bids[before->bid] : &overlay.bids[before->bid - catalog->bid_count];
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
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact, history->now, NULL,
                                      facts, &count, &repeated);
    if (reason == REASON_BUSY) return 0;
    assert_int_equal(reason, REASON_NONE);
    assert_false(repeated);
    unsigned wins = check_against_twin(history, &contact, facts, count);
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, history->now, why, again,
                                  &count_again, &repeated), REASON_NONE);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    check_why(history, why);
    history_apply(history, facts, count);
    usec later = {history->now.us + USEC_SECOND};
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later, NULL, again,
                                  &count_again, &repeated), REASON_NONE);
    assert_true(repeated);
    assert_int_equal(count_again, count);
    assert_memory_equal(again, facts, count * sizeof *facts);
    contact.request++;
    assert_int_equal(round_decide(history->round, history->catalog, history->book, &contact, later, NULL, again,
                                  &count_again, &repeated), REASON_CONFLICT);
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
        struct random_market options = {
            .bids = 20 + (market % 10) * 60, .prices = market % 3 ? 40 : 6, .budgets = true, .caps = true, .version = 1};
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
    printf("%llu contacts, %llu placements\n", (unsigned long long)contacts, (unsigned long long)wins);
    assert_true(contacts >= 1000 && wins >= 500);
}

// --- Table cases: one market, one change each; the numbers are round.c's ---------------------------
// Seats: 1 department "care", 2 partner "grill", 3 partner "press". Slot 11 "bill.insert".
struct table {
    struct arena *arena;
    struct market market;
    struct market_slot slots[2];
    struct market_container container;
    struct market_seat seats[3];
    struct market_message messages[3];
    struct market_contract contracts[3];
    struct market_bid bids[3];
    struct contact contact;
    usec now;
};

static void
table_open(struct table *table)
{
    memset(table, 0, sizeof *table);
    table->arena = arena_open("table");
    table->now.us = RANDOM_NOW;
    static const char *const codes[3] = {"care", "grill", "press"};
    for (uint32_t i = 0; i < 3; i++) {
        table->seats[i] = (struct market_seat){
            .id = i + 1, .code = codes[i], .name = "", .kind = i == 0 ? SEAT_DEPARTMENT : SEAT_PARTNER, .rule = ""};
        table->contracts[i] = (struct market_contract){.id = 40 + i, .code = codes[i], .seat = codes[i]};
        table->messages[i] = (struct market_message){
            .id = 20 + i, .code = codes[i], .name = "", .seat = codes[i], .content = "c", .format = "text", .category = "",
            .rung = i == 0 ? RUNG_GEOGRAPHIC : RUNG_COMMERCIALIZATION, .objectives = 1u << OBJECTIVE_CROSS_SELL, .rule = ""};
        table->bids[i] = (struct market_bid){
            .id = 70 + i, .seat = i + 1, .message = 20 + i, .price = money_of(1000000 * (i + 1)), .key = "k"};
    }
    for (uint32_t i = 0; i < 2; i++) {
        table->slots[i] = (struct market_slot){
            .id = 11 + i, .code = i ? "footer" : "insert", .name = "", .rungs = (1u << RUNG_COUNT) - 1,
            .objectives = (1u << OBJECTIVE_COUNT) - 1, .floor = money_of(500000), .rule = "", .delivery_seconds = 60};
    }
    table->container = (struct market_container){
        .id = 5, .code = "bill", .name = "", .owner = "care", .channel = CHANNEL_BILL, .slots = table->slots, .slot_count = 1};
    table->market = (struct market){
        .code = "table", .name = "", .currency = {"EUR"}, .containers = &table->container, .seats = table->seats,
        .messages = table->messages, .contracts = table->contracts, .container_count = 1, .seat_count = 3,
        .message_count = 3, .contract_count = 3};
    table->contact = (struct contact){
        .customer = 9, .touchpoint = 5, .identity = IDENTITY_REPEAT,
        .consent = 1u << CONSENT_PROFILING | 1u << CONSENT_MODELLING | 1u << CONSENT_THIRD_PARTY, .key = "bill-1"};
    table->contact.request_key = contact_request_key(5, table->contact.key);
}

struct outcome {
    enum reason reasons[6];  // by bid: 0 care, 1 grill, 2 press; then for the second slot
    struct fact facts[BOUND_CONTACT_FACTS];
    struct why_bid bids[16];
    unsigned count;
};

static struct outcome
table_decide(struct table *table, struct book *book)
{
    table->market.arena = table->arena;
    struct catalog_input input = {.market = &table->market, .bids = table->bids, .bid_count = 3, .version = 7};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    struct catalog *catalog;
    enum status status = catalog_encode(&input, table->arena, &bytes, &len, &error);
    if (status != STATUS_OK) printf("%s\n", error.text);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    struct book *own = book == NULL ? book_open(&history_limits) : NULL;
    if (own != NULL) book = own;
    book_catalog(book, catalog);
    struct outcome outcome;
    memset(&outcome, 0xff, sizeof outcome);
    struct why why = {outcome.bids, 0, 16};
    struct round *round = round_open();
    bool repeated;
    assert_int_equal(round_decide(round, catalog, book, &table->contact, table->now, &why, outcome.facts, &outcome.count,
                                  &repeated), REASON_NONE);
    for (uint32_t i = 0; i < why.count; i++) {
        uint64_t id = catalog->bids[outcome.bids[i].bid].id;
        outcome.reasons[(outcome.bids[i].position - 1u) * 3 + (id - 70)] = outcome.bids[i].reason;
    }
    round_close(round);
    catalog_close(catalog);
    book_close(own);
    arena_close(table->arena);
    return outcome;
}

#define PRESS 2

static void
test_plain_sale(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    struct outcome outcome = table_decide(&table, NULL);
    const struct fact *placement = &outcome.facts[1];
    assert_int_equal(outcome.count, 2);
    assert_int_equal(placement->kind, FACT_PLACEMENT);
    assert_int_equal(placement->placement.seat, 3);
    assert_int_equal(placement->placement.price.micros, 2000000);
    assert_int_equal(placement->placement.setter, 71);
    assert_int_equal(placement->placement.bid_price.micros, 3000000);
    assert_int_equal(placement->placement.eligible, 2);  // the search ended before the third
    assert_int_equal(placement->placement.expires.us, RANDOM_NOW + 60 * USEC_SECOND);
    assert_int_equal(placement->customer, 9);
    assert_int_equal(placement->party, 5);
    assert_int_equal(outcome.facts[0].opened.catalog, 7);
    assert_int_equal(outcome.facts[0].contact.bytes[15] & 0x0f, 0);
    assert_int_equal(outcome.reasons[0], REASON_OUTBID);
    assert_int_equal(outcome.reasons[1], REASON_OUTBID);
    assert_int_equal(outcome.reasons[PRESS], REASON_NONE);
    assert_int_equal(outcome.bids[1].short_by.micros, 1000000);
}

// Each case spoils the dearest bid (press) in one way: its reason, and that grill then pays care's bid.
struct spoil {
    const char *name;
    enum reason reason;
    void (*spoil)(struct table *table);
};

static void spoil_paused(struct table *t) { t->bids[PRESS].state = BID_PAUSED; }
static void spoil_seat_paused(struct table *t) { t->seats[PRESS].paused = true; }
static void spoil_withdrawn(struct table *t) { t->bids[PRESS].state = BID_WITHDRAWN; }
static void spoil_from(struct table *t) { t->bids[PRESS].from.us = RANDOM_NOW + 1; }
static void spoil_until(struct table *t) { t->bids[PRESS].until.us = RANDOM_NOW; }
static void spoil_message_from(struct table *t) { t->messages[PRESS].from.us = RANDOM_NOW + 1; }
static void spoil_message_until(struct table *t) { t->messages[PRESS].until.us = RANDOM_NOW; }
static void spoil_contract(struct table *t) { t->contracts[PRESS].until.us = RANDOM_NOW; }
static void spoil_kind(struct table *t) { t->messages[PRESS].rung = RUNG_PREDICTIVE; }
static void
spoil_rung(struct table *t)
{
    t->messages[PRESS].rung = RUNG_SYNDICATION;
    t->slots[0].rungs = (1u << RUNG_SYNDICATION) - 1;
}
static void
spoil_objective(struct table *t)
{
    t->messages[PRESS].objectives = 1u << OBJECTIVE_REFER;
    t->slots[0].objectives = 1u << OBJECTIVE_CROSS_SELL;
}
static void
spoil_format(struct table *t)
{
    static const char *text = "text";
    t->messages[PRESS].format = "image";
    t->slots[0].formats = &text;
    t->slots[0].format_count = 1;
}
static void
spoil_condition(struct table *t)
{
    t->contact.condition = CONDITION_DISTRESSED;
    t->messages[0].objectives |= 1u << OBJECTIVE_EDUCATE;
    t->messages[1].objectives |= 1u << OBJECTIVE_FULFILL;
}
static void spoil_slot_rule(struct table *t) { t->slots[0].rule = "message <> 'press'"; }
static void spoil_seat_rule(struct table *t) { t->seats[PRESS].rule = "identity = 'anonymous'"; }
static void spoil_message_rule(struct table *t) { t->messages[PRESS].rule = "slot = 'bill.footer'"; }
static void
spoil_budget(struct table *t)
{
    t->seats[PRESS].has_budget = true;
    t->seats[PRESS].budget = money_of(2999999);
}
static void
spoil_message_budget(struct table *t)
{
    t->messages[PRESS].has_budget = true;
    t->messages[PRESS].budget = money_of(2999999);
}
static void
spoil_floor(struct table *t)
{
    static struct market_floor floor = {.rung = -1, .seat = "press", .category = "", .price = {3000001}};
    t->slots[0].floors = &floor;
    t->slots[0].floor_count = 1;
}

static void
test_each_reason(void **state)
{
    (void)state;
    static const struct spoil cases[] = {
        {"1 withdrawn", REASON_WITHDRAWN, spoil_withdrawn},
        {"1 paused", REASON_PAUSED, spoil_paused},
        {"1 seat paused", REASON_PAUSED, spoil_seat_paused},
        {"1 bid not yet", REASON_NOT_VALID_NOW, spoil_from},
        {"1 bid no more", REASON_NOT_VALID_NOW, spoil_until},
        {"1 message not yet", REASON_NOT_VALID_NOW, spoil_message_from},
        {"1 message no more", REASON_NOT_VALID_NOW, spoil_message_until},
        {"1 contract", REASON_CONTRACT, spoil_contract},
        {"2 seat kind", REASON_SEAT_KIND, spoil_kind},
        {"2 rung", REASON_RUNG, spoil_rung},
        {"2 objective", REASON_OBJECTIVE, spoil_objective},
        {"2 format", REASON_FORMAT, spoil_format},
        {"3 condition", REASON_CONDITION, spoil_condition},
        {"5 slot rule", REASON_NOT_ELIGIBLE, spoil_slot_rule},
        {"5 seat rule", REASON_NOT_ELIGIBLE, spoil_seat_rule},
        {"5 message rule", REASON_NOT_ELIGIBLE, spoil_message_rule},
        {"6 budget of seat", REASON_BUDGET, spoil_budget},
        {"6 budget of message", REASON_BUDGET, spoil_message_budget},
        {"7 floor", REASON_BELOW_FLOOR, spoil_floor},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table;
        table_open(&table);
        cases[i].spoil(&table);
        struct outcome outcome = table_decide(&table, NULL);
        if (outcome.reasons[PRESS] != cases[i].reason)
            fail_msg("%s: %s", cases[i].name, reason_key(outcome.reasons[PRESS]));
        assert_int_equal(outcome.facts[1].kind, FACT_PLACEMENT);
        assert_int_equal(outcome.facts[1].placement.seat, 2);
        assert_int_equal(outcome.facts[1].placement.price.micros, 1000000);
    }
}

// (4) The ladder: what each rung needs of identity and consent, and in which words it is refused.
static void
test_data_needs(void **state)
{
    (void)state;
    enum { P = 1u << CONSENT_PROFILING, M = 1u << CONSENT_MODELLING, T = 1u << CONSENT_THIRD_PARTY };
    static const struct {
        uint8_t rung, identity, consent;
        enum reason reason;
    } cases[] = {
        {RUNG_GEOGRAPHIC, IDENTITY_ANONYMOUS, 0, REASON_NONE},
        {RUNG_DEMOGRAPHIC, IDENTITY_REPEAT, M | T, REASON_CONSENT},
        {RUNG_DEMOGRAPHIC, IDENTITY_ANONYMOUS, P, REASON_NONE},
        {RUNG_BEHAVIORAL, IDENTITY_ANONYMOUS, P, REASON_IDENTITY},
        {RUNG_BEHAVIORAL, IDENTITY_ANONYMOUS, 0, REASON_CONSENT},
        {RUNG_BEHAVIORAL, IDENTITY_FIRST_TIME, P, REASON_NONE},
        {RUNG_PERSONALIZATION, IDENTITY_FIRST_TIME, P, REASON_IDENTITY},
        {RUNG_PERSONALIZATION, IDENTITY_REPEAT, P, REASON_NONE},
        {RUNG_PREDICTIVE, IDENTITY_REPEAT, P, REASON_CONSENT},
        {RUNG_PREDICTIVE, IDENTITY_FIRST_TIME, M, REASON_IDENTITY},
        {RUNG_PREDICTIVE, IDENTITY_REPEAT, M, REASON_NONE},
        {RUNG_COMMERCIALIZATION, IDENTITY_REPEAT, P | M, REASON_CONSENT},
        {RUNG_AFFILIATION, IDENTITY_ANONYMOUS, T, REASON_NONE},
        {RUNG_SYNDICATION, IDENTITY_ANONYMOUS, P, REASON_CONSENT},
        {RUNG_SYNDICATION, IDENTITY_ANONYMOUS, T, REASON_NONE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table table;
        table_open(&table);
        table.seats[PRESS].kind = cases[i].rung <= RUNG_PREDICTIVE ? SEAT_DEPARTMENT : SEAT_PARTNER;
        table.messages[PRESS].rung = cases[i].rung;
        table.contact.identity = cases[i].identity;
        table.contact.consent = cases[i].consent;
        struct outcome outcome = table_decide(&table, NULL);
        if (outcome.reasons[PRESS] != cases[i].reason) fail_msg("case %u: %s", i, reason_key(outcome.reasons[PRESS]));
        if (cases[i].reason == REASON_NONE) assert_int_equal(outcome.facts[1].placement.seat, 3);
    }
}

// (6) One message once in a contact; a win is spent at once for the slots behind it.
static void
test_two_slots(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.container.slot_count = 2;
    struct outcome outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.reasons[3 + PRESS], REASON_DUPLICATE);
    assert_int_equal(outcome.facts[2].placement.seat, 2);
    assert_int_equal(outcome.facts[2].placement.price.micros, 1000000);

    table_open(&table);  // the same seat with two messages, and money for one
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].has_budget = true;
    table.seats[PRESS].budget = money_of(2999999 + 1);
    outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.reasons[1], REASON_OWN_SEAT);
    assert_int_equal(outcome.facts[1].placement.price.micros, 1000000);  // set by care, not by its own bid
    assert_int_equal(outcome.facts[2].placement.seat, 3);                // 3.00 - 1.00 spent >= 2.00
    table_open(&table);
    table.container.slot_count = 2;
    table.messages[1].seat = "press";
    table.bids[1].seat = 3;
    table.seats[PRESS].has_budget = true;
    table.seats[PRESS].budget = money_of(3000000);
    table.bids[0].price = money_of(1000001);
    outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.reasons[3 + 1], REASON_BUDGET);
    assert_int_equal(outcome.facts[2].placement.seat, 1);
}

static void
test_slots_wanted(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.container.slot_count = 2;
    table.contact.slots_wanted = 2;
    struct outcome outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.facts[1].kind, FACT_UNFILLED);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NOT_REQUESTED);
    assert_int_equal(outcome.facts[2].placement.seat, 3);
}

static void
test_unfilled(void **state)
{
    (void)state;
    struct table table;
    table_open(&table);
    table.slots[0].floor = money_of(4000000);
    struct outcome outcome = table_decide(&table, NULL);
    const struct fact *fact = &outcome.facts[1];
    assert_int_equal(fact->unfilled.reason, REASON_NO_ELIGIBLE_BID);
    assert_int_equal(fact->unfilled.main_reason, REASON_BELOW_FLOOR);
    assert_int_equal(fact->unfilled.best.micros, 3000000);
    assert_int_equal(fact->unfilled.considered, 3);
    assert_int_equal(fact->unfilled.floor.micros, 4000000);

    table_open(&table);
    table.container.slot_count = 2;
    for (unsigned i = 0; i < 3; i++) table.bids[i].slot = 12;
    outcome = table_decide(&table, NULL);
    assert_int_equal(outcome.facts[1].unfilled.reason, REASON_NO_BIDS);
    assert_int_equal(outcome.facts[1].unfilled.main_reason, REASON_NONE);
    assert_int_equal(outcome.facts[2].kind, FACT_PLACEMENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_sale),  cmocka_unit_test(test_each_reason), cmocka_unit_test(test_data_needs),
        cmocka_unit_test(test_two_slots),   cmocka_unit_test(test_slots_wanted), cmocka_unit_test(test_unfilled),
        cmocka_unit_test(test_equals_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
