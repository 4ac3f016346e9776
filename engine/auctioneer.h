// The auctioneer: owns the book and the round, decides every request against one catalog, and is
// the only one that applies facts. Allocates nothing after auctioneer_open but what a new catalog
// brings with it.
#ifndef VENDUE_AUCTIONEER_H
#define VENDUE_AUCTIONEER_H

#include "event.h"
#include "journal.h"
#include "reasons.h"
#include "round.h"

struct auctioneer;

struct auctioneer *auctioneer_open(const struct book_limits *limits);
void auctioneer_close(struct auctioneer *auctioneer);

// Folds a journal, from its start, into the book, and into the counts by reason.
MUST_CHECK enum status
auctioneer_recover(struct auctioneer *auctioneer, struct reasons *reasons,
                   const char *journal_directory, struct journal_position *out_position,
                   struct journal_fault *out_fault);

// From now on decides by this catalog, which stays the caller's; NULL only before the first.
void auctioneer_catalog(struct auctioneer *auctioneer, const struct catalog *catalog);
const struct book *auctioneer_book(const struct auctioneer *auctioneer);

// Each decides, writes its facts into `out_facts` and applies them to the book; *out_repeated: it
// was decided before, and there is nothing new to make durable. A test contact is decided and
// forgotten. `live`: what live bidders answered; NULL: nobody was asked.
enum reason auctioneer_contact(struct auctioneer *auctioneer, const struct contact *contact,
                               const struct round_live *live, bool test, usec now,
                               struct fact out_facts[BOUND_CONTACT_FACTS], unsigned *out_count,
                               bool *out_repeated);
enum reason auctioneer_event(struct auctioneer *auctioneer, const struct event *event, usec now,
                             struct fact *out_fact, bool *out_repeated);
enum reason auctioneer_offer(struct auctioneer *auctioneer, const struct offer *offer, usec now,
                             struct fact *out_fact, bool *out_repeated);
// What a live bidder (index of its seat) may be asked about a contact.
void auctioneer_ask(struct auctioneer *auctioneer, const struct contact *contact, uint32_t seat,
                    usec now, struct round_ask *out_ask);
// The next expiry due; false: none.
bool auctioneer_expire(struct auctioneer *auctioneer, usec now, struct fact *out_fact);

// A bid's fact became durable at this position: the catalog that includes it will replace it. Call
// it once for each fact of auctioneer_offer, in their order.
void auctioneer_bid_durable(struct auctioneer *auctioneer, const struct fact *fact,
                            struct catalog_position position);

#endif
