// A decided contact told as JSON: who won what at which price and who set it, what stayed empty,
// and for every judged bid the first thing that stopped it. For dry-run (a supposed contact) and
// explain (a past one), so that both say it in the same words.
#ifndef VENDUE_TOLD_H
#define VENDUE_TOLD_H

#include <jansson.h>

#include "book.h"
#include "catalog.h"
#include "round.h"

struct told {
    const struct catalog *catalog;
    const struct market *market;    // its texts: rules, codes of floors and experiments
    const struct book *book;        // as the round found it; NULL: no overlay
    const struct contact *contact;  // NULL: its attributes are not known
    const struct round_live *live;  // NULL: none
    const struct why *why;          // NULL: bids were not judged
    const json_t *names;            // id of a bid, as 16 hex digits -> its reference; NULL: none
    bool past;                      // what transient attributes were is not known any more
    const struct fact *facts;       // as round_decide wrote them
    unsigned count;
};

// A price in its own kind for people: "0.30", "2.00 a response", "12.5 % of revenue".
#define TOLD_PRICE 64
const char *told_price(enum price_kind kind, money price, char out[TOLD_PRICE]);

// The bid with this id, of the catalog, the overlay or the live ones; NULL none.
const struct catalog_bid *told_bid(const struct told *told, uint64_t id);
// The reference of a bid, or its id in hex when nothing else is known of it.
json_t *told_bid_name(const struct told *told, uint64_t id);
const char *told_tagid(const struct told *told, uint32_t slot_id);

// Of facts: a placement, an empty slot, the floor that counted.
json_t *told_placement(const struct told *told, const struct fact *fact);
json_t *told_unfilled(const struct told *told, const struct fact *fact);
void told_floor(const struct told *told, json_t *object, uint32_t slot, money floor, uint8_t rule,
                uint32_t floor_id);
// The experiment that a contact took part in; NULL none.
json_t *told_experiment(const struct told *told);
// The eligible bids of a slot as the record keeps them, best first; how many bids each reason
// stopped; the dearest refused ones; live bidders and how they answered.
json_t *told_candidates(const struct told *told, unsigned position);
json_t *told_tally(const struct told *told, unsigned position);
json_t *told_refusals(const struct told *told, unsigned position);
json_t *told_callouts(const struct told *told);

// Pieces of the above: an amount, a kind that stands in a fact, the slot (index) of a position
// (UINT32_MAX none), what was learned (of prices by what follows), a value and a clause in the
// words of the catalog, a cap with what it had counted, and whose budget had what left (`seat` an
// index, `bid` may be NULL).
json_t *told_amount(money value);
enum price_kind told_kind(uint8_t kind);
uint32_t told_slot_at(const struct told *told, unsigned position);
void told_multiplier(json_t *object, enum price_kind kind, uint64_t multiplier);
json_t *told_unknown(const struct told *told, const struct expr_node *leaf);
json_t *told_value(const struct told *told, const struct expr_node *leaf, int64_t value);
// The least price of its kind, for people, that reaches this score.
json_t *told_needed(enum price_kind kind, uint64_t multiplier, money score);
json_t *told_cap(const struct catalog_cap *cap, uint32_t count);
json_t *told_budget(const struct told *told, enum budget_of of, bool daily, money left,
                    uint32_t seat, const struct catalog_bid *bid);
json_t *told_clause(const struct told *told, const struct expr *rule, const struct expr_node *node);

#endif
