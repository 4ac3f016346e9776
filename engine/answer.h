// Results of docs/protocol.md, section 5, from facts to wire. Answers are made from the facts that
// are durable, so a retry is told the same thing as the first asker.
#ifndef VENDUE_ANSWER_H
#define VENDUE_ANSWER_H

#include "book.h"
#include "catalog.h"
#include "decode.h"
#include "fact.h"
#include "listing.h"
#include "pack.h"

// A price with its kind and its currency: ANSWER_PRICE_PAIRS pairs of a map.
#define ANSWER_PRICE_PAIRS 3u
void
answer_price(struct pack *pack, const struct catalog *catalog, enum price_kind kind, money price);
// `facts`: of one contact, as round_decide wrote them. `catalog`: the one that decided, or a later
// one (then a slot or message that is gone is named "removed").
void answer_contact(struct pack *pack, const struct catalog *catalog, const struct fact *facts,
                    unsigned count, bool repeated, bool test);
void answer_event(struct pack *pack, struct id placement, enum fact_kind kind, bool repeated);
// `state`: enum bid_state.
void answer_bid(struct pack *pack, const struct catalog *catalog, const char key[BOUND_KEY],
                uint64_t bid, uint8_t state, bool repeated);
// The seat's bids with ids above `after`, ascending, at most `limit` (<= DECODE_BIDS_MOST), as they
// stand now; `catalog` is to be the same when they are written.
struct answer_bids {
    struct catalog_bid bids[DECODE_BIDS_MOST];
    uint32_t count;
    bool more;
};
void answer_find_bids(const struct catalog *catalog, const struct listing *listing,
                      const struct book *book, uint16_t seat_id, uint64_t after, uint32_t limit,
                      struct answer_bids *out_bids);
void
answer_bid_list(struct pack *pack, const struct catalog *catalog, const struct answer_bids *bids);

#endif
