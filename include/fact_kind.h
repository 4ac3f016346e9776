// The kinds of facts (fact.h), and the words within them. Numbers are stored: append, never
// renumber.
#ifndef VENDUE_FACT_KIND_H
#define VENDUE_FACT_KIND_H

enum fact_kind {
    FACT_NONE,
    FACT_CONTACT,     // a contact came in and was decided; its outcomes follow in the same frame
    FACT_PLACEMENT,   // a message won a slot; its clearing price is held
    FACT_UNFILLED,    // a slot stayed empty
    FACT_DELIVERED,   // the message was shown: the price becomes due
    FACT_ACCEPTED,    // the customer said yes
    FACT_DECLINED,    // the customer said no (the placement stays due)
    FACT_CANCELLED,   // the touchpoint will not show it: the hold is released
    FACT_EXPIRED,     // not delivered within its window: the hold is released
    FACT_CONVERTED,   // brought revenue
    FACT_REFUNDED,    // revenue was taken back
    FACT_BID,         // a standing bid was put, changed, paused or withdrawn: its whole new state
    FACT_LAPSED,      // priced per response, and none came within its window: the hold is released
    FACT_COMPLAINED,  // the customer complained about the placement
    // The record of a round: behind the outcomes of its contact, in the same frame. The book passes
    // over them.
    FACT_CANDIDATES,  // eligible bids of a slot in their ranking, two a fact: the winner first
    FACT_TALLY,       // how many bids of a slot were judged, and how many stopped by each reason
    FACT_REFUSALS,    // the dearest refused bids of a slot, four a fact
    FACT_CALLOUTS,    // live bidders of the contact and how they answered, eleven a fact
    FACT_LIMITS,      // what joins the candidates of a slot sold together: one fact a slot
    FACT_KIND_COUNT
};
const char *fact_kind_name(enum fact_kind kind);  // "placement"

enum bid_state { BID_ACTIVE, BID_PAUSED, BID_WITHDRAWN };
enum contact_flag {
    CONTACT_EXPERIENCED = 1,  // what the customer came for has happened, says the touchpoint
    CONTACT_VARIANT = 2,      // of its experiment: the changed floors; else the control
    CONTACT_TOGETHER = 4,     // its slots were sold together
};
enum candidate_how {
    CANDIDATE_KIND = 3,          // mask: enum price_kind
    CANDIDATE_LIVE = 4,          // asked during the contact
    CANDIDATE_EXPLORED = 8,      // its multiplier was drawn (Thompson), not the mean
    CANDIDATE_MESSAGE_WON = 16,  // eligible here, but its message won another slot (sold together)
    CANDIDATE_AT_SHIFT = 5,      // two bits: 0 second price, 1 first price, 2 fixed at the floor
};
#define FACT_FLOOR_ID_RULE 255  // placement.floor_rule: `floor_id` names the rule

#endif
