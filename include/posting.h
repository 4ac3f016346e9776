// Posting: facts into transfers, by the rules of docs/ledger.md (R1 external wins, R2 internal
// wins, R3 gain share, R5 refunds, R11 prices due at a response or a conversion, R12 shares of
// revenue, R14 shares divided anew). Pure: no clock, no database; what a fact needs from the past
// is an argument. The same facts give the same transfers, with the same ids, for ever.
#ifndef VENDUE_POSTING_H
#define VENDUE_POSTING_H

#include "contract.h"
#include "credit.h"
#include "fact.h"
#include "period.h"
#include "transfer.h"

// What posting remembers of a placement. Filled by posting_win; what follows from events and
// conversions (`delivered` and below) is set by posting_event and posting_revenue.
struct posting_win {
    struct id placement;
    usec at;
    uint64_t market_version;  // of the catalog that decided; set by the caller
    money price, floor;
    struct currency currency;
    uint32_t slot, message, seat;
    uint32_t owner;     // seat that owns the container; 0 unknown
    uint32_t contract;  // in force at the win; 0 none
    uint16_t objectives;
    uint8_t rung;       // enum rung
    uint8_t charge;     // enum charge, as the fact says
    uint8_t kind;       // enum price_kind
    uint8_t seat_kind;  // enum seat_kind
    uint8_t billing;    // enum billing
    uint8_t transfer_price;
    uint8_t channel;    // enum channel of the contact
    uint64_t customer;  // 0 anonymous
    money cost_plus;    // TRANSFER_COST_PLUS: what the slot costs and the part more
    bool delivered;
    bool ended;     // its price became due, or will not any more (of a share: cancelled, expired)
    bool released;  // ended, and its price will not become due
    bool foreign;   // another log brought it: no touch here; set by the caller
    bool expired;   // released by finance at a close: what is reported afterwards is late
    usec delivered_at;  // when it was shown, by the reporter; 0 not yet
    usec accepted_at;   // when the customer accepted, by the reporter; 0 not
};
// What posting remembers of an order. A refund that is reported before its conversion waits in it:
// then `amount` is 0, `refunded` the sum of what waits, and the conversion books both. When what
// waited is more than was converted, or in another currency, none of it counts (posting_waited), as
// it would have been refused behind the conversion.
struct posting_order {
    struct id order, placement;
    struct currency currency;
    money amount;    // converted; 0: not yet
    money refunded;  // so far
    money base;      // of the contract's revenue in its period, what came before this order
    usec at;         // when it converted, by the reporter
    char period[PERIOD_TEXT];  // that the conversion was booked in
    uint64_t customer;
    uint32_t contract, merchant;  // merchant: seat; 0 the host
    uint32_t model;               // version of the fit that divided it
    bool foreign;                 // another log booked the conversion; set by the caller
    bool divided;                 // anew, since the conversion
    struct contract_part *parts;  // owned by whoever keeps the order
    unsigned part_count;
};

// How a fact was booked; landed with it, as a word.
enum posting_state {
    POSTING_POSTED,
    POSTING_NO_SHARE,  // revenue: the contract shares nothing
    POSTING_REPEAT,    // the same again: nothing booked
    POSTING_EXCEEDS,   // more refunded than was converted: nothing booked
    POSTING_ORPHAN,    // no such placement or order: nothing booked
    POSTING_WAITING,   // a refund reported before its conversion: booked with that one
    POSTING_LATE,      // shown or accepted after a close expired its hold: nothing booked
    POSTING_STATE_COUNT
};
const char *posting_state_name(enum posting_state state);  // "no_share"

// A conversion with a refund that waited: the parts twice, what is outside the terms and the
// commission twice, the price. A touch: as many orders divided anew as there is room for.
#define POSTING_TRANSFERS 240
struct posting {
    enum posting_state state;
    usec effective;  // when it happened: by the reporter, but not before the win nor after the fact
    money pool;      // revenue: gain-share pool of the order after this fact
    uint32_t contract;
    uint32_t merchant;  // revenue: seat that owes the pool; 0 the host
    unsigned count;
    struct transfer
        transfers[POSTING_TRANSFERS];  // without period and late, which are the shipper's to say
    struct contract_part parts[BOUND_PARTS];  // of the order after this fact
    unsigned part_count;
};
struct posting_source {
    uint32_t log;
    uint64_t batch;
    uint32_t index;
};

// FACT_PLACEMENT, its kind and price within their range. STATUS_NOT_FOUND: the terms know no such
// seat, so nothing can be booked.
MUST_CHECK enum status posting_win(const struct contract_terms *terms, const struct fact *fact,
                                   struct posting_win *out_win);
// What the terms say of a placement whose slot, seat, contract and price are known: kind of seat,
// billing, transfer price. STATUS_NOT_FOUND as above.
MUST_CHECK enum status posting_terms(const struct contract_terms *terms, struct posting_win *win);
void posting_placement(const struct posting_win *win, const struct fact *fact,
                       struct posting_source source, struct posting *out);
// FACT_DELIVERED, ACCEPTED, DECLINED, CANCELLED, EXPIRED, LAPSED, COMPLAINED. `win` NULL: unknown.
void posting_event(struct posting_win *win, const struct fact *fact, struct posting_source source,
                   struct posting *out);
// What is refunded of an order of `amount` for which refunds of `waiting` were reported before.
money posting_waited(money waiting, money amount);
// Whether the price is due when the customer accepts, or with the first conversion. Either is
// released when cancelled, expired, declined or lapsed before.
bool posting_due_at_response(const struct posting_win *win);
bool posting_due_at_conversion(const struct posting_win *win);
// FACT_CONVERTED and FACT_REFUNDED. `win`: of the order's placement where the order is the host's
// and converted already (one order, one pool, whoever reports it), else of the fact's; NULL:
// unknown. `order`: what is known of it; NULL: nothing. Of a refund that is booked its `refunded`
// is changed. `credit`: of a conversion whose contract divides among touches; else NULL.
// `base`: the contract's revenue in the period before this conversion (contract_pool).
// `repeated`: the same refund was booked, or waits, already. `terms` are those of
// win->market_version. When the state is POSTED, NO_SHARE or WAITING, *out_order is the order from
// now on, but for `period`, which is the caller's to say of a conversion; its parts lie in `out`.
// STATUS_OVERFLOW: amounts leave their range.
MUST_CHECK enum status
posting_revenue(const struct contract_terms *terms, struct posting_win *win,
                struct posting_order *order, bool repeated, const struct credit *credit, money base,
                const struct fact *fact, struct posting_source source, struct posting *out,
                struct posting_order *out_order);
// A touch came to be known after the conversion it shares in (FACT_DELIVERED, FACT_ACCEPTED): the
// order's pool is divided anew, and what changes is booked as TRANSFER_CREDIT, appended to `out`,
// part by part, with the fact as its source and the order's time. `win` is of the order's
// placement; out->transfers from out->count on are taken (start with 0 for a posting of its own).
// order->parts, which has room for BOUND_PARTS, out->parts, part_count, model and `divided` are
// then those of the order from now on. Nothing changes: nothing is booked. STATUS_FULL: there is no
// room for what changes; then nothing did. STATUS_OVERFLOW.
MUST_CHECK enum status
posting_credit(const struct contract_terms *terms, const struct posting_win *win,
               struct posting_order *order, const struct credit *credit, const struct fact *fact,
               struct posting_source source, struct posting *out);
// Identity of a refund: order and the refund's own reference.
struct id posting_refund_id(const struct fact *fact);

#endif
