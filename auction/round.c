// One contact, from request to facts.
//
// A contact's id is derived by hash_mix from its request key and the time of the decision, its last
// four bits zero (fact.h): the same request at the same time gives the same id, and a replay gives
// all ids again.
//
// Slots are decided in declared order, and a win counts at once for the slots behind it: its
// message wins no second slot of this contact, its price is already spent.
//
// A bid, standing or live, is judged by these steps, in this order, and the first that stops it is
// its reason (round_judge.c):
//   (1)  state: withdrawn; paused (bid or seat); outside the validity of the bid, of the message,
//        of its campaign or that one's parent; no contract
//   (2)  admission: kind of seat, rung, objective, format (match_admission)
//   (3)  the customer's moment: a distressed customer meets only messages that fulfill or educate;
//        what asks about an experience waits until the touchpoint says that it has happened
//   (4)  data the rung needs: consent, then identity
//   (5)  rules: the slot's, the seat's, the message's; each must be TRUE
//   (6)  this contact: one message once; then the limits of the container (round_limits.c)
//   (7)  the customer's past: quiet periods; caps, pressure among them; room to remember
//        (round_counts.c)
//   (8)  budgets of seat, campaign, its parent and message, and their pace (round_counts.c)
//   (9)  terms: deal, priority, floor (round_floor.c), expected value (learn.h); below its floor
// What is left is priced by price.c, slot by slot, or by vcg.c, all slots of the contact at once
// (round_together.c), as the container says.
//
// The search takes bids in the order of round_bids.c. It stops when no bid to come can change the
// sale, and eight eligible ones are known that none to come outranks; or when all to come are below
// every floor. Once eight are known it passes over, without judging them, standing bids that rank
// behind all eight and can neither win nor set the price, whatever they meet. The facts say what
// was counted, and round_record.c what is kept of it.
// A slot that stays empty says `no_bids` when no bid addresses it: none names it, and none for any
// slot bears a message that it admits (2). Else it says `no_eligible_bid`, with the reason of the
// dearest bid, live ones among them, of those that rank by their price alone and address the slot;
// when there is none, of the first of the others (live before standing, then by id).
//
// `why` judges every bid of the slot again afterwards and never changes a fact.
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

// --- One slot ------------------------------------------------------------------------------------
// Ties are drawn by the contact's id.
uint64_t
round_seed(const struct round *round)
{
    uint64_t halves[2];
    memcpy(halves, round->id.bytes, sizeof halves);
    return halves[0] ^ halves[1];
}

static money
score_of(const struct price_bid *bid)
{
    return price_score((enum price_kind)bid->kind, bid->price, bid->multiplier);
}

// A standing bid whose rank is not its price: is it worth too little to win, to set the price, or
// to be among the eight that are kept, whatever stops it or not?
static bool
is_beaten(struct round *round, const struct catalog_bid *bid)
{
    if (round_record_last(round) == NULL || round_bids_is_live(round, bid)) return false;
    const struct round_worth_known *worth = round_worth_of(round, bid);
    if (worth->bid.bid == 0) return false;
    if (worth->score.micros < round->beaten_below.micros) return true;
    return !round_record_wants(round, &worth->bid) && !price_matters(&round->price, &worth->bid);
}

// Scores below which a bid of no priority is_beaten; it may be at others, too.
static money
beaten_below(const struct round *round)
{
    const struct price_bid *last = round_record_last(round), *setter = &round->price.others[1];
    money least = money_of(INT64_MAX);
    if (last == NULL || setter->bid == 0) return money_of(INT64_MIN);
    if (last->priority == 0) least = score_of(last);
    if (setter->priority == 0 && score_of(setter).micros < least.micros) least = score_of(setter);
    return least;
}

// The winner, or NULL; the sale is in round->price.
static const struct catalog_bid *
search(struct round *round, struct round_judgement *out_winner)
{
    const struct catalog_bid *winner = NULL, *bid;
    const struct price_bid *first = &round->price.first;
    uint32_t number;
    price_open(&round->price, round_seed(round));
    round_record_open(round);
    round->beaten_below = money_of(INT64_MIN);
    if (!round_judge_slot_is_open(round)) return NULL;
    round_bids_start(round, true);
    while ((bid = round_bids_next(round, true, &number)) != NULL) {
        if (round->ranked) {
            if (bid->price.micros < round->least_floor.micros) break;
            if (round_record_complete(round, bid->price)) {
                if (price_settled(&round->price, bid->price, bid->id)) break;
                // A lower bid of the leading seat can neither win nor set the price.
                if (bid->seat == first->seat && score_of(first).micros > bid->price.micros)
                    continue;
            }
        } else if (is_beaten(round, bid)) {
            continue;
        }
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        if (judgement.reason != REASON_NONE) {
            round_record_refused(round, bid, &judgement);
            continue;
        }
        struct price_bid entry = round_judge_entry(bid, number, &judgement);
        CHECK(price_add(&round->price, &entry));
        round_record_eligible(round, bid, &entry, &judgement);
        if (!round->ranked) round->beaten_below = beaten_below(round);
        if (first->bid == bid->id) {
            winner = bid;
            *out_winner = judgement;
        }
    }
    return winner;
}

struct fact
round_fact(const struct round *round, enum fact_kind kind, uint8_t position)
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
    struct fact fact = round_fact(round, FACT_PLACEMENT, round->slot->position);
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
    fact.placement.of_host = contract->merchant == MERCHANT_HOST;
    fact.placement.kind = bid->kind;
    fact.placement.deal = winner->deal == NULL ? 0 : (uint16_t)winner->deal->id;
    fact.placement.floor_id = winner->floor_id;
    if (message->campaign != UINT32_MAX) {
        uint32_t parent = catalog->campaigns[message->campaign].parent;
        fact.placement.campaigns[0] = (uint16_t)catalog->campaigns[message->campaign].id;
        if (parent != UINT32_MAX)
            fact.placement.campaigns[1] = (uint16_t)catalog->campaigns[parent].id;
    }
    fact.placement.day = round->day.day;
    fact.placement.cell = round->cell;
    return fact;
}

struct fact
round_unfilled_fact(struct round *round, bool wanted)
{
    struct fact fact = round_fact(round, FACT_UNFILLED, round->slot->position);
    fact.unfilled.slot = round->slot->id;
    fact.unfilled.currency = round->catalog->currency;
    fact.unfilled.floor = round->slot->floor;
    fact.unfilled.reason = REASON_NOT_REQUESTED;
    if (!wanted) return fact;
    fact.unfilled.reason = REASON_NO_BIDS;
    fact.unfilled.considered = round->record->considered;
    const struct catalog_bid *bid = round_bids_dearest(round);
    if (bid == NULL) return fact;
    struct round_judgement judgement;
    round_judge(round, bid, &judgement);
    round_judge_terms(round, bid, &judgement);
    CHECK(judgement.reason != REASON_NONE);
    fact.unfilled.reason = REASON_NO_ELIGIBLE_BID;
    fact.unfilled.main_reason = (uint16_t)judgement.reason;
    fact.unfilled.best = judgement.score;
    return fact;
}

// The bid that set the price stays in the record, wherever it ranks.
static void
keep_setter(struct round *round, uint64_t setter)
{
    if (setter == 0) return;
    const struct price_bid *others = round->price.others;
    const struct price_bid *entry = others[0].bid == setter ? &others[0] : &others[1];
    const struct catalog_bid *bid = round_bids_at(round, entry->number);
    CHECK(entry->bid == setter && bid->id == setter);
    round_record_keep(round, bid, entry);
}

static struct fact
decide_slot(struct round *round)
{
    struct round_judgement judgement;
    round_limits_slot(round);
    const struct catalog_bid *winner = search(round, &judgement);
    round_why_slot(round, winner, &judgement);
    if (winner == NULL) return round_unfilled_fact(round, true);
    struct price_sale sale;
    price_close(&round->price, &sale);
    CHECK(sale.winner == winner->id && sale.price.micros <= winner->price.micros);
    keep_setter(round, sale.setter);
    round->wins[round->win_count++] = (struct round_win){
        .bid = winner->id,
        .seat = winner->seat,
        .message = winner->message,
        .group = round_bids_group(round, winner),
        .position = round->slot->position,
        .kind = winner->kind,
        .price = sale.price,
        .held = round_counts_held((enum price_kind)winner->kind, sale.price),
    };
    return round_placement_fact(round, winner, &judgement, &sale);
}

void
round_enter_slot(struct round *round, uint32_t i)
{
    round->slot_index = round->container->slot_first + i;
    round->slot = &round->catalog->slots[round->slot_index];
    round->record = &round->records[i];
    round->found = NULL;
    CHECK(round->slot->position == i + 1);
    round_floor_slot(round);
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
opened_fact(const struct round *round)
{
    const struct contact *contact = round->contact;
    struct fact fact = round_fact(round, FACT_CONTACT, 0);
    fact.opened.catalog = round->catalog->version;
    fact.opened.request = contact->request;
    fact.opened.began = contact->began;
    fact.opened.container = round->container->id;
    fact.opened.identity = contact->identity;
    fact.opened.tier = contact->tier;
    fact.opened.loyalty = contact->loyalty;
    fact.opened.condition = contact->condition;
    fact.opened.consent = contact->consent;
    fact.opened.slots = (uint8_t)round->container->slot_count;
    fact.opened.achieved = contact->achieved;
    if (contact->experienced) fact.opened.flags |= CONTACT_EXPERIENCED;
    if (round->experiment != UINT32_MAX) {
        fact.opened.experiment = (uint16_t)round->catalog->experiments[round->experiment].id;
        if (round->variant) fact.opened.flags |= CONTACT_VARIANT;
    }
    if (round->container->pricing == PRICING_VCG) fact.opened.flags |= CONTACT_TOGETHER;
    memcpy(fact.opened.key, contact->key, sizeof fact.opened.key);
    return fact;
}

void
round_begin(struct round *round, const struct catalog *catalog, const struct book *book,
            const struct contact *contact, usec now)
{
    round->catalog = catalog;
    round->book = book;
    round->contact = contact;
    round->container = &catalog->containers[contact->container];
    CHECK(round->container->slot_count <= BOUND_SLOTS);
    round->live = NULL;
    round->why = NULL;
    round->now = now;
    round->cell = (uint8_t)(round->container->stage * CHANNEL_COUNT + round->container->channel);
    round->day = catalog_day_of(catalog, now);
    round->rungs_open = match_rungs_open(contact->identity, contact->consent);
    round->win_count = 0;
    round->together.sold = false;
    round_floor_contact(round);
    round_counts_contact(round);
    round_worth_contact(round);
    round->index.kept_slot = UINT32_MAX;
}

// One slot after the other; anew while a group has not won as a whole.
static void
decide_slots(struct round *round, unsigned wanted, struct fact *out_facts)
{
    do {
        if (round->why != NULL) round->why->count = 0;
        for (uint32_t i = 0; i < round->container->slot_count; i++) {
            round_enter_slot(round, i);
            out_facts[i] = wanted >> i & 1 ? decide_slot(round) : round_unfilled_fact(round, false);
        }
    } while (round_limits_again(round));
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
    if (book_was_decided(book, contact->request_key)) return REASON_TOO_OLD;
    const struct catalog_container *container = &catalog->containers[contact->container];
    CHECK(container->slot_count <= BOUND_SLOTS);
    unsigned all = (1u << container->slot_count) - 1;
    unsigned wanted = contact->slots_wanted == 0 ? all : contact->slots_wanted & all;
    if (wanted == 0 && all != 0) return REASON_UNKNOWN_SLOT;
    if (!book_has_room(book, container->slot_count)) return REASON_BUSY;

    round_begin(round, catalog, book, contact, now);
    round->live = live;
    if (live != NULL && live->reasons != NULL)
        memset(live->reasons, REASON_NOT_REQUESTED, live->count);
    round->why = why;
    round->id = contact_id(contact->request_key, now);
    book_expect(book, round->id);
    match_contact(&round->match, catalog, contact);
    out_facts[0] = opened_fact(round);
    round_limits_open(round, wanted);
    if (container->pricing == PRICING_VCG) {
        round_together_decide(round, container, wanted, out_facts + 1);
    } else {
        decide_slots(round, wanted, out_facts + 1);
    }
    *out_count = 1 + container->slot_count;
    unsigned records = round_record_write(round, wanted, out_facts + *out_count);
    *out_count += records;
    out_facts[0].opened.records = (uint8_t)records;
    return REASON_NONE;
}
