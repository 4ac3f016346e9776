// One contact, from request to facts.
//
// A contact's id is derived by hash_mix from its request key and the time of the decision, its last
// four bits zero (fact.h): the same request at the same time gives the same id, and a replay gives
// all ids again.
//
// Slots are decided in declared order, and a win counts at once for the slots behind it: its
// message wins no second slot of this contact, its price is already spent.
//
// A bid is judged by the steps of round.h, in this order, and the first that stops it is its
// reason:
//   (1)  state: withdrawn, paused (bid or seat), outside the validity of bid or message, no
//        contract
//   (2)  admission: kind of seat, rung, objective, format (match_admission)
//   (3)  condition: a distressed customer meets only messages that fulfill or educate
//   (4)  data the rung needs: consent, then identity
//   (5)  rules: the slot's, the seat's, the message's; each must be TRUE
//   (6)  once in a contact; frequency cap (and room to count it); budget of seat, then of message
//   (7)  floor: the first floor rule of the slot that fits, else the slot's own
// What is left is priced by price.c, slot by slot, or by vcg.c, all slots of the contact at once
// (round_together.c), as the container says. The search takes bids dearest first and stops when no
// cheaper bid can change the sale; the facts say what was counted until then. `why` judges every
// bid of the slot again afterwards and never changes a fact.
#include "round.h"

#include <string.h>

#include "fail.h"
#include "match.h"
#include "round_parts.h"

struct round *
round_open(void)
{
    struct arena *arena = arena_open("round");
    struct round *round = arena_take(arena, 1, sizeof *round);
    round->arena = arena;
    return round;
}

void
round_close(struct round *round)
{
    if (round != NULL) arena_close(round->arena);
}

// --- Judging one bid -----------------------------------------------------------------------------
static void
floor_of(const struct catalog_slot *slot, const struct catalog_message *message,
         struct round_judgement *judgement)
{
    judgement->floor = slot->floor;
    judgement->floor_rule = 0;
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct catalog_floor *floor = &slot->floors[i];
        if (floor->rung >= 0 && floor->rung != message->rung) continue;
        if (floor->seat != UINT32_MAX && floor->seat != message->seat) continue;
        if (floor->category >= 0 && floor->category != message->category) continue;
        judgement->floor = floor->price;
        judgement->floor_rule = floor->number;
        return;
    }
}

static bool
valid_at(usec from, usec until, usec now)
{
    return from.us <= now.us && (until.us == 0 || now.us < until.us);
}

static enum reason
judge_state(const struct round *round, const struct catalog_bid *bid,
            const struct catalog_message *message)
{
    if (bid->state == BID_WITHDRAWN) return REASON_WITHDRAWN;
    if (bid->state == BID_PAUSED || round->catalog->seats[bid->seat].paused) return REASON_PAUSED;
    if (!valid_at(bid->from, bid->until, round->now)) return REASON_NOT_VALID_NOW;
    if (!valid_at(message->from, message->until, round->now)) return REASON_NOT_VALID_NOW;
    if (catalog_contract_at(round->catalog, bid->seat, round->now) == NULL) return REASON_CONTRACT;
    return REASON_NONE;
}

static enum reason
judge_customer(const struct round *round, const struct catalog_message *message)
{
    const struct contact *contact = round->contact;
    if (contact->condition == CONDITION_DISTRESSED && !match_serves(message->objectives))
        return REASON_CONDITION;
    if (round->rungs_open & 1u << message->rung) return REASON_NONE;
    // The rung is closed to this contact: for want of consent, unless a known customer would open
    // it.
    unsigned known = match_rungs_open(IDENTITY_REPEAT, contact->consent);
    return known & 1u << message->rung ? REASON_IDENTITY : REASON_CONSENT;
}

static enum reason
judge_rules(const struct round *round, const struct catalog_message *message,
            struct round_judgement *judgement)
{
    const struct values *contact = &round->contact->values;
    const struct declared *slot = &round->slot->values;
    const struct expr *rules[3] = {&round->slot->rule, &round->catalog->seats[message->seat].rule,
                                   &message->rule};
    const struct declared *beside[3] = {&message->values, slot, slot};
    static const char *const names[3] = {"slot", "seat", "message"};
    for (unsigned i = 0; i < 3; i++) {
        if (rules[i]->nodes->kind == EXPR_TRUE) continue;  // most have none: not worth a call
        if (expr_true_with(rules[i], contact, beside[i], &judgement->leaf)) continue;
        judgement->rule = rules[i];
        judgement->rule_of = names[i];
        return REASON_NOT_ELIGIBLE;
    }
    judgement->leaf = NULL;
    return REASON_NONE;
}

// Would `price` more still be within the budget, with this contact's wins counted?
static bool
affords(const struct round *round, money budget, money spent, uint32_t seat, uint32_t message,
        money price)
{
    if (money_add(spent, price, &spent) != STATUS_OK) return false;
    for (unsigned i = 0; i < round->win_count; i++) {
        const struct round_win *win = &round->wins[i];
        if (win->seat != seat || (message != UINT32_MAX && win->message != message)) continue;
        if (money_add(spent, win->price, &spent) != STATUS_OK) return false;
    }
    return spent.micros <= budget.micros;
}

// Does the seat's budget cover `price` more?
bool
round_seat_covers(const struct round *round, uint32_t index, money price)
{
    const struct catalog_seat *seat = &round->catalog->seats[index];
    if (!seat->budget.has_total) return true;
    return affords(round, seat->budget.total, book_spent(round->book, BUDGET_SEAT, seat->id), index,
                   UINT32_MAX, price);
}

static enum reason
judge_counts(const struct round *round, const struct catalog_bid *bid,
             const struct catalog_message *message)
{
    for (unsigned i = 0; i < round->win_count; i++) {
        if (round->wins[i].message == bid->message) return REASON_DUPLICATE;
    }
    if (!round_seat_covers(round, bid->seat, bid->price)) return REASON_BUDGET;
    if (message->budget.has_total &&
        !affords(round, message->budget.total,
                 book_spent(round->book, BUDGET_MESSAGE, message->id), bid->seat, bid->message,
                 bid->price))
        return REASON_BUDGET;
    return REASON_NONE;
}

void
round_judge(const struct round *round, const struct catalog_bid *bid,
            struct round_judgement *judgement)
{
    const struct catalog_message *message = &round->catalog->messages[bid->message];
    *judgement = (struct round_judgement){0};
    floor_of(round->slot, message, judgement);
    enum reason reason = judge_state(round, bid, message);
    if (reason == REASON_NONE) reason = match_admission(round->catalog, round->slot, message);
    if (reason == REASON_NONE) reason = judge_customer(round, message);
    if (reason == REASON_NONE) reason = judge_rules(round, message, judgement);
    if (reason == REASON_NONE) reason = judge_counts(round, bid, message);
    if (reason == REASON_NONE && bid->price.micros < judgement->floor.micros)
        reason = REASON_BELOW_FLOOR;
    if (reason == REASON_NONE && round->together.sold) reason = round_together_reason(round, bid);
    judgement->reason = reason;
}

// --- Bids of one slot, dearest first -------------------------------------------------------------
static bool
addresses(const struct round *round, const struct catalog_bid *bid)
{
    return bid->slot == UINT32_MAX || bid->slot == round->slot_index;
}

// Catalog bids come from the index (searching) or one by one (all bids, for `why`).
static void
advance_catalog(struct round *round, bool searching)
{
    const struct catalog *catalog = round->catalog;
    do {
        if (searching) {
            round->next_catalog = match_next(&round->match);
        } else if (++round->next_catalog >= catalog->bid_count) {
            round->next_catalog = UINT32_MAX;
        }
        if (round->next_catalog == UINT32_MAX) return;
    } while (!addresses(round, &catalog->bids[round->next_catalog]) ||
             book_bid_replaced(round->book, round->next_catalog));
}

void
round_start_bids(struct round *round, bool searching)
{
    round->next_overlay = 0;
    round->next_catalog = UINT32_MAX;  // + 1 is the first
    round->catalog_taken = true;
    if (searching) match_slot(&round->match, round->slot_index);
}

// The next bid of catalog and overlay together, by price descending, then id ascending; NULL at the
// end. `out_number` as in struct why_bid.
const struct catalog_bid *
round_next_bid(struct round *round, bool searching, uint32_t *out_number)
{
    struct book_bids overlay = book_overlay(round->book);
    while (round->next_overlay < overlay.count &&
           !addresses(round, &overlay.bids[round->next_overlay])) {
        round->next_overlay++;
    }
    if (round->catalog_taken) advance_catalog(round, searching);
    round->catalog_taken = false;
    const struct catalog_bid *changed = NULL, *standing = NULL;
    if (round->next_overlay < overlay.count) changed = &overlay.bids[round->next_overlay];
    if (round->next_catalog != UINT32_MAX) standing = &round->catalog->bids[round->next_catalog];
    if (changed != NULL &&
        (standing == NULL || changed->price.micros > standing->price.micros ||
         (changed->price.micros == standing->price.micros && changed->id < standing->id))) {
        *out_number = round->catalog->bid_count + round->next_overlay++;
        return changed;
    }
    *out_number = round->next_catalog;
    round->catalog_taken = standing != NULL;
    return standing;
}

// --- One slot ------------------------------------------------------------------------------------
// A slot's rule that asks nothing of the message is the same for all bids: judged once.
bool
round_slot_is_open(const struct round *round)
{
    const struct expr *rule = &round->slot->rule;
    for (uint32_t i = 0; i < rule->node_count; i++) {
        const struct expr_node *node = &rule->nodes[i];
        if (node->kind < EXPR_RANGE) continue;
        if (round->catalog->attributes[node->attribute].is.of == ATTRIBUTE_OF_MESSAGE) return true;
    }
    return expr_true_with(rule, &round->contact->values, NULL, NULL);
}

// The lowest floor that any bid could meet in the slot: cheaper bids are all below their floor.
money
round_least_floor(const struct catalog_slot *slot)
{
    money least = slot->floor;
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        if (slot->floors[i].price.micros < least.micros) least = slot->floors[i].price;
    }
    return least;
}

// Ties are drawn by the contact's id.
uint64_t
round_seed(const struct round *round)
{
    uint64_t halves[2];
    memcpy(halves, round->id.bytes, sizeof halves);
    return halves[0] ^ halves[1];
}

// The winner, or NULL; the sale is in round->price.
static const struct catalog_bid *
search(struct round *round, struct round_judgement *out_winner)
{
    const struct catalog_bid *winner = NULL, *bid;
    price_open(&round->price, round_seed(round));
    round->considered = 0;
    if (!round_slot_is_open(round)) return NULL;
    round_start_bids(round, true);
    uint32_t number;
    money least = round_least_floor(round->slot);
    while ((bid = round_next_bid(round, true, &number)) != NULL) {
        if (bid->price.micros < least.micros) break;
        if (price_settled(&round->price, bid->price, bid->id)) break;
        // A cheaper bid of the leading seat can neither win nor set the price.
        if (winner != NULL && bid->seat == winner->seat && bid->price.micros < winner->price.micros)
            continue;
        round->considered++;
        if (!round_seat_covers(round, bid->seat, bid->price))
            continue;  // judged first: it needs nothing of the message
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        if (judgement.reason != REASON_NONE) continue;
        struct price_bid entry = {
            .bid = bid->id, .seat = bid->seat, .price = bid->price, .floor = judgement.floor};
        CHECK(price_add(&round->price, &entry));
        if (round->price.first.bid == bid->id) {
            winner = bid;
            *out_winner = judgement;
        }
    }
    return winner;
}

static struct fact
fact_of(const struct round *round, enum fact_kind kind, uint8_t position)
{
    return (struct fact){
        .kind = (uint8_t)kind,
        .role = ROLE_TOUCHPOINT,
        .shard = round->contact->shard,
        .party = round->contact->touchpoint,
        .position = position,
        .at = round->now,
        .contact = round->id,
        .customer = round->contact->customer,
    };
}

struct fact
round_placement_fact(const struct round *round, const struct catalog_bid *bid,
                     const struct round_judgement *winner, const struct price_sale *sale)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_contract *contract = catalog_contract_at(catalog, bid->seat, round->now);
    struct fact fact = fact_of(round, FACT_PLACEMENT, round->slot->position);
    fact.placement.slot = round->slot->id;
    fact.placement.message = message->id;
    fact.placement.seat = catalog->seats[bid->seat].id;
    fact.placement.currency = catalog->currency;
    fact.placement.bid = bid->id;
    fact.placement.price = sale->price;
    fact.placement.bid_price = bid->price;
    fact.placement.floor = winner->floor;
    fact.placement.setter = sale->setter;
    fact.placement.expires = (usec){round->now.us + round->slot->delivery_seconds * USEC_SECOND};
    fact.placement.objectives = message->objectives;
    fact.placement.rung = message->rung;
    fact.placement.floor_rule = winner->floor_rule;
    fact.placement.eligible = sale->counted > UINT16_MAX ? UINT16_MAX : (uint16_t)sale->counted;
    fact.placement.cap_days = message->remember_days;
    fact.placement.charge = contract->charge;
    return fact;
}

// The dearest bid that addresses the slot, of catalog and overlay: what it was stopped by tells
// most.
static const struct catalog_bid *
dearest(const struct round *round)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_bid *best = NULL;
    for (uint32_t i = match_dearest(catalog, round->slot_index, 0); i != UINT32_MAX;
         i = match_dearest(catalog, round->slot_index, i + 1)) {
        if (book_bid_replaced(round->book, i)) continue;
        best = &catalog->bids[i];
        break;
    }
    struct book_bids overlay = book_overlay(round->book);
    for (uint32_t i = 0; i < overlay.count; i++) {
        const struct catalog_bid *bid = &overlay.bids[i];
        if (best != NULL && bid->price.micros < best->price.micros) break;
        if (bid->state == BID_WITHDRAWN || !match_addresses(catalog, bid, round->slot_index))
            continue;
        if (best == NULL || bid->price.micros > best->price.micros || bid->id < best->id)
            best = bid;
        break;
    }
    return best;
}

struct fact
round_unfilled_fact(const struct round *round, bool wanted)
{
    struct fact fact = fact_of(round, FACT_UNFILLED, round->slot->position);
    fact.unfilled.slot = round->slot->id;
    fact.unfilled.currency = round->catalog->currency;
    fact.unfilled.floor = round->slot->floor;
    fact.unfilled.reason = REASON_NOT_REQUESTED;
    if (!wanted) return fact;
    fact.unfilled.reason = REASON_NO_BIDS;
    fact.unfilled.considered = round->considered;
    const struct catalog_bid *bid = dearest(round);
    if (bid == NULL) return fact;
    struct round_judgement judgement;
    round_judge(round, bid, &judgement);
    CHECK(judgement.reason != REASON_NONE);
    fact.unfilled.reason = REASON_NO_ELIGIBLE_BID;
    fact.unfilled.main_reason = (uint16_t)judgement.reason;
    fact.unfilled.best = bid->price;
    return fact;
}

// Judges every bid of the slot, in order, as things stood when the slot was decided.
void
round_explain(struct round *round, const struct catalog_bid *winner)
{
    uint32_t number;
    const struct catalog_bid *bid;
    round_start_bids(round, false);
    while ((bid = round_next_bid(round, false, &number)) != NULL) {
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        struct why_bid why = {
            .bid = number,
            .position = round->slot->position,
            .reason = judgement.reason,
            .floor = judgement.floor,
            .rule = judgement.rule,
            .leaf = judgement.leaf,
            .rule_of = judgement.rule_of,
        };
        enum status status = STATUS_OK;
        if (judgement.reason == REASON_BELOW_FLOOR) {
            status = money_subtract(judgement.floor, bid->price, &why.short_by);
        } else if (judgement.reason == REASON_NONE && bid != winner) {
            CHECK(winner != NULL);
            why.reason = bid->seat == winner->seat ? REASON_OWN_SEAT : REASON_OUTBID;
            if (why.reason == REASON_OUTBID) {
                money ahead = round->together.sold ? round_together_over(round) : winner->price,
                      own = bid->price;
                if (round->together.sold)
                    status = money_subtract(bid->price, judgement.floor, &own);
                if (status == STATUS_OK) status = money_subtract(ahead, own, &why.short_by);
            }
        }
        CHECK(status == STATUS_OK);  // both amounts are within BOUND_MICROS
        if (round->why->count < round->why->room) round->why->bids[round->why->count] = why;
        round->why->count++;
    }
}

static struct fact
decide_slot(struct round *round)
{
    struct round_judgement judgement;
    const struct catalog_bid *winner = search(round, &judgement);
    if (round->why != NULL) round_explain(round, winner);
    if (winner == NULL) return round_unfilled_fact(round, true);
    struct price_sale sale;
    price_close(&round->price, &sale);
    CHECK(sale.winner == winner->id && sale.price.micros <= winner->price.micros);
    round->wins[round->win_count++] = (struct round_win){winner->seat, winner->message, sale.price};
    return round_placement_fact(round, winner, &judgement, &sale);
}

// --- The contact ---------------------------------------------------------------------------------
static struct id
contact_id(struct id request_key, usec now)
{
    uint64_t halves[2];
    memcpy(halves, request_key.bytes, sizeof halves);
    uint64_t first = hash_mix(halves[0] ^ hash_mix((uint64_t)now.us));
    uint64_t second = hash_mix(halves[1] ^ hash_mix(first));
    struct id id;
    memcpy(id.bytes, &first, sizeof first);
    memcpy(id.bytes + sizeof first, &second, sizeof second);
    return fact_contact_of(id);
}

static struct fact
opened_fact(const struct round *round, const struct catalog_container *container)
{
    const struct contact *contact = round->contact;
    struct fact fact = fact_of(round, FACT_CONTACT, 0);
    fact.opened.catalog = round->catalog->version;
    fact.opened.request = contact->request;
    fact.opened.began = contact->began;
    fact.opened.container = container->id;
    fact.opened.identity = contact->identity;
    fact.opened.tier = contact->tier;
    fact.opened.loyalty = contact->loyalty;
    fact.opened.condition = contact->condition;
    fact.opened.consent = contact->consent;
    fact.opened.slots = (uint8_t)container->slot_count;
    fact.opened.achieved = contact->achieved;
    memcpy(fact.opened.key, contact->key, sizeof fact.opened.key);
    return fact;
}

enum reason
round_decide(struct round *round, const struct catalog *catalog, const struct book *book,
             const struct contact *contact, const struct round_live *live, usec now,
             struct why *why, struct fact out_facts[BOUND_CONTACT_FACTS], unsigned *out_count,
             bool *out_repeated)
{
    CHECK(contact->container < catalog->container_count);
    CHECK(id_same(contact->request_key, contact_request_key(contact->touchpoint, contact->key)));
    *out_count = 0;
    *out_repeated = false;
    if (why != NULL) why->count = 0;
    struct book_contact before;
    if (book_find_contact(book, contact->request_key, &before)) {
        if (before.request != contact->request) return REASON_CONFLICT;
        *out_count = book_recall(book, contact->request_key, out_facts);
        *out_repeated = true;
        return REASON_NONE;
    }
    const struct catalog_container *container = &catalog->containers[contact->container];
    CHECK(container->slot_count <= BOUND_SLOTS);
    unsigned all = (1u << container->slot_count) - 1;
    unsigned wanted = contact->slots_wanted == 0 ? all : contact->slots_wanted & all;
    if (wanted == 0 && all != 0) return REASON_UNKNOWN_SLOT;
    if (!book_has_room(book, container->slot_count)) return REASON_BUSY;

    round->catalog = catalog;
    round->book = book;
    round->contact = contact;
    round->live = live;
    round->why = why;
    round->now = now;
    round->id = contact_id(contact->request_key, now);
    book_expect(book, round->id);
    round->rungs_open = match_rungs_open(contact->identity, contact->consent);
    round->win_count = 0;
    match_contact(&round->match, catalog, contact);
    out_facts[(*out_count)++] = opened_fact(round, container);
    round->together.sold = false;
    if (container->pricing == PRICING_VCG) {
        round_together_decide(round, container, wanted, out_facts + *out_count);
        *out_count += container->slot_count;
        return REASON_NONE;
    }
    for (uint32_t i = 0; i < container->slot_count; i++) {
        round->slot_index = container->slot_first + i;
        round->slot = &catalog->slots[round->slot_index];
        CHECK(round->slot->position == i + 1);
        bool asked = wanted >> i & 1;
        out_facts[(*out_count)++] = asked ? decide_slot(round) : round_unfilled_fact(round, false);
    }
    return REASON_NONE;
}
