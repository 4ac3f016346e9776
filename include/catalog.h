// The catalog: the market compiled for deciding, immutable, as one block of bytes that ledgerd
// writes and auctiond loads. Rules are compiled, words numbered, ids indexed. Built by
// catalog_encode from the declared market; made usable by catalog_decode, which checks every offset
// and builds the match index.
#ifndef VENDUE_CATALOG_H
#define VENDUE_CATALOG_H

#include "arena.h"
#include "catalog_parts.h"
#include "expr.h"
#include "learn.h"
#include "market.h"

// Attributes that every market has, under these numbers; declared ones follow.
// clang-format off
enum builtin {
    BUILTIN_CHANNEL, BUILTIN_STAGE, BUILTIN_CONTAINER,                  // text, of the contact
    BUILTIN_IDENTITY, BUILTIN_TIER, BUILTIN_LOYALTY, BUILTIN_CONDITION, // text, of the customer
    BUILTIN_CONSENT_PROFILING, BUILTIN_CONSENT_MODELLING,               // boolean, of the customer:
    BUILTIN_CONSENT_THIRD_PARTY, BUILTIN_CONSENT_SHARING,               //   TRUE or unknown
    BUILTIN_SLOT,                                                       // text, of the slot: tagid
    BUILTIN_MESSAGE, BUILTIN_SEAT, BUILTIN_CATEGORY, BUILTIN_FORMAT,    // text, of the message
    BUILTIN_RUNG,                                                       // integer 1 to 8, likewise
    BUILTIN_COUNT
};
// clang-format on
_Static_assert(BOUND_DECLARED + BUILTIN_COUNT == BOUND_ATTRIBUTES, "all attributes have a bit");
extern const struct expr_attribute catalog_builtins[BUILTIN_COUNT];

// What the bids of this catalog already include: facts of this log up to and including this batch.
struct catalog_position {
    uint32_t log, epoch;
    uint64_t batch;
};

struct match_index;     // match.h
struct catalog_lookup;  // hash tables of the look-ups below

struct catalog {
    uint64_t version;  // only grows
    struct catalog_position position;
    struct currency currency;
    const char *market;  // code
    const struct catalog_attribute *attributes;
    const struct catalog_container *containers;
    const struct catalog_slot *slots;
    const struct catalog_seat *seats;
    const struct catalog_message *messages;
    const struct catalog_contract *contracts;  // by seat, then from
    bool contracts_wait;                       // one charges at the response or the conversion
    // First those whose rank is not their price, by id: priced by what follows (response, share),
    // of a message with a priority, or of a message in a deal. Then the others, dearest first, then
    // id ascending. The book's overlay keeps the same order.
    const struct catalog_bid *bids;
    uint32_t judged_first;  // bids of the first sort
    const struct catalog_campaign *campaigns;
    const struct catalog_cap *caps;  // of the market as declared, then those of single messages
    const struct catalog_experiment *experiments;
    const struct catalog_deal *deals;
    const struct catalog_shift *shifts;  // of the host's clock, ascending; the first at -infinity
    uint32_t campaign_count, cap_count, experiment_count, deal_count, shift_count;
    uint32_t group_count;  // of all messages together
    uint8_t disclosure;
    uint32_t sample_ppm, sample_days, complaint_quiet_days, refund_quiet_days;
    struct learn_counts expected;  // of placements of every rung, before any was learned of
    const struct market_certificate *certificates;  // by fingerprint
    const struct market_touchpoint *touchpoints;
    uint32_t attribute_count, container_count, slot_count, seat_count, message_count,
        contract_count, bid_count, certificate_count, touchpoint_count;
    const char *const *words;  // word number -> text
    uint32_t word_count;
    const struct catalog_lookup *lookup;
    const struct match_index *index;
    struct arena *arena;  // holds all of it; catalog_close ends it
};

// What this node may spend of a budget (catalog_budget); absent: all of it.
struct catalog_limit {
    uint8_t of;   // enum budget_of (book.h)
    uint32_t id;  // stable
    bool has_total, has_daily;
    money total;
    uint16_t day;  // days since 1970-01-01 by the host's clock
    money daily, next_daily;
};
// What is published beside the declared market.
struct catalog_input {
    const struct market *market;  // checked (market/), every object with its stable id
    const struct market_bid *bids;
    uint32_t bid_count;
    const struct market_certificate *certificates;
    uint32_t certificate_count;
    const struct catalog_limit *limits;
    uint32_t limit_count;
    const struct catalog_shift *shifts;  // none: UTC
    uint32_t shift_count;
    uint64_t version;
    struct catalog_position position;
};
// Encodes into `arena`. STATUS_INPUT: a rule does not compile, or the market was not checked;
// `out_error` names the object and what is wrong, with the place inside the rule's text when it is
// a rule.
MUST_CHECK enum status
catalog_encode(const struct catalog_input *input, struct arena *arena, const uint8_t **out_bytes,
               size_t *out_len, struct expr_error *out_error);

// What the rules of a market may speak of: built-in and declared attributes, with a table of words
// that starts with the market's own. Lives in `arena`. Set `admits` before compiling a rule.
void
catalog_schema(const struct market *market, struct arena *arena, struct expr_schema *out_schema);
#define CATALOG_SLOT_RULE_ADMITS \
    (1u << ATTRIBUTE_OF_CONTACT | 1u << ATTRIBUTE_OF_CUSTOMER | 1u << ATTRIBUTE_OF_MESSAGE)
#define CATALOG_SEAT_RULE_ADMITS \
    (1u << ATTRIBUTE_OF_CONTACT | 1u << ATTRIBUTE_OF_CUSTOMER | 1u << ATTRIBUTE_OF_SLOT)
#define CATALOG_MESSAGE_RULE_ADMITS CATALOG_SEAT_RULE_ADMITS
#define CATALOG_FLOOR_RULE_ADMITS (1u << ATTRIBUTE_OF_CONTACT | 1u << ATTRIBUTE_OF_CUSTOMER)

// Checks digest, version, bounds and references, copies what it keeps, and builds the index.
// Guaranteed afterwards: every index and word is in range, stable ids are not 0 and unique, ids of
// seats are below BOUND_SEATS and of messages below BOUND_MESSAGES, amounts within 0 to
// BOUND_MICROS, a bid's price above 0, and a bid's seat is its message's. STATUS_DAMAGED,
// STATUS_VERSION. Bids that name an unknown message, seat or slot (or a message of another seat)
// are left out and counted in `out_bids_left_out` (may be NULL).
MUST_CHECK enum status catalog_decode(const uint8_t *bytes, size_t len,
                                      struct catalog **out_catalog, uint32_t *out_bids_left_out);
void catalog_close(struct catalog *catalog);  // NULL is allowed

// Look-ups; NULL or UINT32_MAX when there is none.
uint32_t catalog_container_by_code(const struct catalog *catalog, const char *code, size_t len);
uint32_t catalog_slot_by_tagid(const struct catalog *catalog, const char *tagid, size_t len);
uint32_t catalog_message_by_code(const struct catalog *catalog, const char *code, size_t len);
uint32_t catalog_attribute_by_name(const struct catalog *catalog, const char *name, size_t len);
uint32_t catalog_word(const struct catalog *catalog, const char *text, size_t len);
uint32_t catalog_seat_by_id(const struct catalog *catalog, uint32_t id);
uint32_t catalog_message_by_id(const struct catalog *catalog, uint32_t id);
uint32_t catalog_slot_by_id(const struct catalog *catalog, uint32_t id);
uint32_t catalog_campaign_by_id(const struct catalog *catalog, uint32_t id);
uint32_t catalog_deal_by_id(const struct catalog *catalog, uint32_t id);
uint32_t catalog_bid_by_id(const struct catalog *catalog, uint64_t id);
// A rule of the catalog, or only one node of it, as canonical text; like expr_format.
size_t catalog_rule_text(const struct catalog *catalog, const struct expr *expr,
                         const struct expr_node *node, char *out, size_t size);
const struct market_certificate *
catalog_certificate(const struct catalog *catalog, struct digest fingerprint);
// The host's clock: days since 1970-01-01, and when that day began and ends (23 to 25 hours).
// Days before 1970 or after 2149 have the number of the nearest day there is.
struct catalog_day {
    uint16_t day;
    usec begins, ends;
};
struct catalog_day catalog_day_of(const struct catalog *catalog, usec at);
// When the calendar window that `at` lies in began: CAP_HOUR, CAP_DAY, CAP_WEEK (from Monday).
usec catalog_window_began(const struct catalog *catalog, enum cap_window window, usec at);
// What this node may spend of a budget on a day.
money catalog_daily_limit(const struct catalog_budget *budget, uint16_t day);
// Does a message (index) that a customer was shown in a channel count towards a cap (index) when
// `message` is to be shown in a contact of `channel`? What only fulfills is what the customer came
// for: it is neither stopped nor counted by a cap that does not name it.
bool catalog_cap_counts(const struct catalog *catalog, uint32_t cap, uint32_t message,
                        enum channel channel, uint32_t shown, enum channel shown_channel);
// True for a bid whose rank is not its price, which so stands in the first part of `bids` (and of
// the book's overlay): its kind is not per placement, or its message (index) has a priority or is
// named in a deal.
bool catalog_judged_first(const struct catalog *catalog, uint32_t message, enum price_kind kind);
// The deal under which a message competes in a slot at a time; NULL none.
const struct catalog_deal *
catalog_deal_of(const struct catalog *catalog, uint32_t slot, uint32_t message, usec at);
// The contract in force for a seat (index) at a time; NULL none.
const struct catalog_contract *
catalog_contract_at(const struct catalog *catalog, uint32_t seat, usec at);

#endif
