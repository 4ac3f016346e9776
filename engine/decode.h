// Requests of docs/protocol.md, section 5, from wire to what the core decides on. Pure: catalog and
// time are arguments. Each reads the params map; false: the reader bears the trouble (reason,
// place), or, for what only the market knows, *out_reason is set and the reader is not in trouble.
#ifndef VENDUE_DECODE_H
#define VENDUE_DECODE_H

#include "catalog.h"
#include "event.h"
#include "wire.h"

#define DECODE_AHEAD_US (5 * 60 * USEC_SECOND)  // how far a reported time may be ahead of ours
#define DECODE_BIDS_MOST 200                    // bids of one bid.list
#define DECODE_INTEGER_MOST ((INT64_C(1) << 53) - 1)  // exact in every language
#define DECODE_PERIOD 48                              // bytes of a period's name

// Who asks, and what decides.
struct decode_by {
    const struct catalog *catalog;
    const struct book *book;         // decode_event: whose placement it is
    const uint8_t *customer_secret;  // 16 bytes
    uint16_t party;                  // stable id of touchpoint or seat
    enum role role;
    usec now;
};

bool decode_hello(struct wire_reader *params, struct wire_text *out_client,
                  struct wire_text *out_version);
// What of a contact's request is not about the customer.
struct decode_wish {
    bool test;
    uint32_t tmax_ms;  // 0: none was said
    bool has_attributes;
    struct wire_reader attributes;  // stands at the `attr` map, which has been read without trouble
};
bool
decode_contact(const struct decode_by *by, struct wire_reader *params, struct contact *out_contact,
               struct decode_wish *out_wish, enum reason *out_reason);
// `out_named`: the placement as the request names it; a seat may use its own name (callout.h).
bool decode_event(const struct decode_by *by, struct wire_reader *params, struct event *out_event,
                  struct id *out_named, enum reason *out_reason);
bool decode_bid_put(const struct decode_by *by, struct wire_reader *params, struct offer *out_offer,
                    enum reason *out_reason);
bool decode_bid_withdraw(const struct decode_by *by, struct wire_reader *params,
                         struct offer *out_offer);
bool decode_bid_list(struct wire_reader *params, uint64_t *out_after, uint32_t *out_limit);
struct decode_statement {
    char period[DECODE_PERIOD + 1];
    const char *suffix;  // of the file: "json" "txt" "invoice.xml"
    const char *format;  // as asked: "json" "text" "invoice"
    int64_t offset;
};
bool decode_statement_get(struct wire_reader *params, struct decode_statement *out_get,
                          enum reason *out_reason);
bool decode_nothing(struct wire_reader *params);

#endif
