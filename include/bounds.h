// Every limit of Vendue, why it is what it is, and how limits relate.
// A limit that a user can meet is answered with a named reason (terms.h) and listed in
// docs/protocol.md.
#ifndef VENDUE_BOUNDS_H
#define VENDUE_BOUNDS_H

// clang-format off
// --- Names and keys ------------------------------------------------------------------------------
#define BOUND_CODE 48          // bytes of a code, "bill" or "bill.footer", without the NUL
#define BOUND_KEY 40           // bytes of a foreign key (contact, bid, order): a UUID as text is 36
#define BOUND_TEXT 1024        // bytes of a free text (name, content reference, reason)

// --- Facts and frames ----------------------------------------------------------------------------
#define BOUND_FACT_BYTES 128               // two cache lines; one record of the journal
#define BOUND_FRAME_FACTS 1024             // facts in a frame
#define BOUND_FRAME_BYTES (256 * 1024)     // below the default message limit of replicated logs
#define BOUND_SHARDS 1024                  // virtual shards of customers; fixed for ever

// --- A contact -----------------------------------------------------------------------------------
#define BOUND_SLOTS 12                     // slots of a container
#define BOUND_CANDIDATES 8                 // eligible bids of a slot that its record keeps
#define BOUND_REFUSALS 8                   // refused bids of a slot that its record keeps
#define BOUND_CALLOUTS 128                 // live bidders asked about one contact
#define BOUND_LIVE_BIDS 256                // live bids of one contact, of all bidders together
#define BOUND_SEAT_LIVE_BIDS 24            // live bids of one answer: two a slot
#define BOUND_OUTCOME_FACTS (1 + BOUND_SLOTS)    // a contact itself and one outcome a slot
#define BOUND_SLOT_RECORD_FACTS 11         // candidates 7, limits 1, tally 1, refusals 2
#define BOUND_CONTACT_FACTS (BOUND_OUTCOME_FACTS + BOUND_SLOTS * BOUND_SLOT_RECORD_FACTS + 12)
                                           // its outcomes, and the record of how they came about
#define BOUND_ATTRIBUTES 64                // one bit each in a known-mask
#define BOUND_DECLARED 47                  // declared attributes, beside those every market has
#define BOUND_LIST_ITEMS 256               // items of all list attributes of one contact together

// --- The market ----------------------------------------------------------------------------------
#define BOUND_SEATS 4096
#define BOUND_MESSAGES (256 * 1024)        // stable ids run below it: the book indexes by id
#define BOUND_BIDS (1024 * 1024)           // standing bids of one node
#define BOUND_CONTAINERS 1024
#define BOUND_MARKET_SLOTS 4096            // slots of all containers
#define BOUND_FLOORS 16                    // floor rules of one slot
#define BOUND_RULE_BYTES 4096              // text of an eligibility rule
#define BOUND_RULE_LEAVES 128              // predicates of an eligibility rule
#define BOUND_RULE_DEPTH 16                // nesting of an eligibility rule
#define BOUND_SET_ITEMS 256                // literals of one `in (...)` list
#define BOUND_SHARES 16                    // beneficiaries of one gain-share contract
#define BOUND_PARTS 64                     // (beneficiary, rung) pairs of one order, with touches
#define BOUND_TOUCHES 256                  // touches of a customer that one conversion looks at
#define BOUND_CAP_COUNT 12                 // the most a cap may count
#define BOUND_CAPS 64                      // caps of the market, beside those of messages
#define BOUND_CAMPAIGNS 65536              // stable ids of campaigns run below it
#define BOUND_MARKET_FLOORS 1024           // floor rules of the market, beside those of slots
#define BOUND_SLOT_FLOORS 128              // floor rules that may count in one slot
#define BOUND_DEALS 1024
#define BOUND_EXPERIMENTS 64
#define BOUND_PRIORITY 7                   // the highest priority; 0 is the lowest, and usual
#define BOUND_QUIET_DAYS 366               // a quiet period; marks of complaints are kept so long
#define BOUND_RESPONSE_DAYS 30             // a response comes within it, or its price is released
#define BOUND_ZONE_SHIFTS 256              // changes of the host's clock that a catalog knows

// --- The wire ------------------------------------------------------------------------------------
#define BOUND_MESSAGE_BYTES (64 * 1024)    // one MessagePack-RPC message
#define BOUND_MESSAGE_DEPTH 8              // nesting of arrays and maps in it
#define BOUND_MESSAGE_ITEMS 4096           // objects in it
#define BOUND_MESSAGE_FIELDS 128           // fields of one map in it: twice the attributes
#define BOUND_CUSTOMER 128                 // bytes of a customer key: two digests as hex digits
#define BOUND_LIST_BIDS 200                // bids of one bid.list answer: at most 320 bytes each
#define BOUND_STATEMENT_PIECE (32 * 1024)  // bytes of one statement.get answer
#define BOUND_OUTPUT_SOFT (256 * 1024)     // unsent bytes of a connection that stop reading it
#define BOUND_OUTPUT_HARD (1024 * 1024)    // and that end it

// --- Money ---------------------------------------------------------------------------------------
#define BOUND_MICROS 1000000000000000LL    // one thousand million units: the largest single amount;
                                           // nine thousand such amounts still add up within int64
// clang-format on

_Static_assert(BOUND_FRAME_BYTES >= BOUND_FRAME_FACTS * BOUND_FACT_BYTES + 4096, "a full one fits");
_Static_assert(BOUND_CONTACT_FACTS <= BOUND_FRAME_FACTS, "a contact's facts share one frame");
_Static_assert(BOUND_LIST_BIDS * 320 <= BOUND_MESSAGE_BYTES, "a list of bids is one message");
_Static_assert(BOUND_STATEMENT_PIECE + 1024 <= BOUND_MESSAGE_BYTES, "a piece is one message");
_Static_assert(BOUND_MESSAGE_BYTES <= BOUND_OUTPUT_SOFT, "the largest answer may wait");
_Static_assert(BOUND_OUTPUT_SOFT < BOUND_OUTPUT_HARD, "reading stops before the end");
_Static_assert(BOUND_ATTRIBUTES == 64, "known-masks are 64 bits");

#endif
