// Decide, then apply: nothing is applied that was not decided by the pure core, and the same facts,
// read back from the journal, give the same book.
//
// A live bid's position in the journal is not known when it is decided. It is applied under a
// serial number instead (log 0, which no catalog bears) and told its true position once durable.
// Serials become durable in their order, so counting them is enough.
#include "auctioneer.h"

#include <stdio.h>
#include <stdlib.h>

#include "fail.h"

struct auctioneer {
    struct book *book;
    struct round *round;
    const struct catalog *catalog;
    uint64_t bids_applied, bids_durable;  // serials of live bids
};

struct auctioneer *
auctioneer_open(const struct book_limits *limits)
{
    struct auctioneer *auctioneer = calloc(1, sizeof *auctioneer);
    CHECK(auctioneer != NULL);
    auctioneer->book = book_open(limits);
    auctioneer->round = round_open();
    return auctioneer;
}

void
auctioneer_close(struct auctioneer *auctioneer)
{
    if (auctioneer == NULL) return;
    round_close(auctioneer->round);
    book_close(auctioneer->book);
    free(auctioneer);
}

// What the book has against a fact of the journal, and what helps.
static void
tell_refused(const struct journal_frame *frame, uint32_t place, enum status status,
             struct journal_fault *out_fault)
{
    const struct fact *fact = &frame->facts[place];
    bool named = fact->kind < FACT_KIND_COUNT;
    unsigned long long batch = (unsigned long long)frame->position.batch;
    if (status == STATUS_FULL)
        snprintf(out_fault->text, sizeof out_fault->text,
                 "batch %llu holds more than the book's limits; raise book.placements, "
                 "book.customers, book.orders or book.overlay in vendue.yaml",
                 batch);
    else
        snprintf(out_fault->text, sizeof out_fault->text,
                 "batch %llu, fact %u (%s) does not follow from the facts before it (%s); was it "
                 "written by a newer version?",
                 batch, place, named ? fact_kind_name((enum fact_kind)fact->kind) : "of no kind",
                 status_text(status));
}

enum status
auctioneer_recover(struct auctioneer *auctioneer, struct reasons *reasons,
                   const char *journal_directory, struct journal_position *out_position,
                   struct journal_fault *out_fault)
{
    struct journal_reader *reader;
    struct journal_position start = {0};
    *out_position = start;
    enum status status = journal_reader_open(journal_directory, &start, &reader, out_fault);
    if (status != STATUS_OK) return status;
    struct journal_frame frame;
    while ((status = journal_read(reader, &frame, out_fault)) == STATUS_OK) {
        struct catalog_position position = {frame.position.log, frame.position.epoch,
                                            frame.position.batch};
        for (uint32_t i = 0; i < frame.count && status == STATUS_OK; i++) {
            status = book_apply(auctioneer->book, &frame.facts[i], position);
            if (status == STATUS_OK) reasons_apply(reasons, &frame.facts[i], 1);
            else tell_refused(&frame, i, status, out_fault);
        }
        if (status != STATUS_OK) break;
        *out_position = frame.position;
    }
    journal_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

void
auctioneer_catalog(struct auctioneer *auctioneer, const struct catalog *catalog)
{
    auctioneer->catalog = catalog;
    book_catalog(auctioneer->book, catalog);
}

const struct book *
auctioneer_book(const struct auctioneer *auctioneer)
{
    return auctioneer->book;
}

static void
apply(struct auctioneer *auctioneer, const struct fact *fact)
{
    struct catalog_position serial = {0, 0, 0};
    if (fact->kind == FACT_BID) serial.batch = ++auctioneer->bids_applied;
    // The deciders asked for room before, so a full pool here would be a bug.
    CHECK(book_apply(auctioneer->book, fact, serial) == STATUS_OK);
}

enum reason
auctioneer_contact(struct auctioneer *auctioneer, const struct contact *contact,
                   const struct round_live *live, bool test, usec now,
                   struct fact out_facts[BOUND_CONTACT_FACTS], unsigned *out_count,
                   bool *out_repeated)
{
    enum reason reason = round_decide(auctioneer->round, auctioneer->catalog, auctioneer->book,
                                      contact, live, now, NULL, out_facts, out_count, out_repeated);
    if (reason != REASON_NONE || *out_repeated || test) return reason;
    for (unsigned i = 0; i < *out_count; i++) apply(auctioneer, &out_facts[i]);
    return REASON_NONE;
}

void
auctioneer_ask(struct auctioneer *auctioneer, const struct contact *contact, uint32_t seat,
               usec now, struct round_ask *out_ask)
{
    round_ask(auctioneer->round, auctioneer->catalog, auctioneer->book, contact, seat, now,
              out_ask);
}

enum reason
auctioneer_event(struct auctioneer *auctioneer, const struct event *event, usec now,
                 struct fact *out_fact, bool *out_repeated)
{
    enum reason reason = event_decide(auctioneer->catalog, auctioneer->book, event, now, out_fact,
                                      out_repeated);
    if (reason == REASON_NONE && !*out_repeated) apply(auctioneer, out_fact);
    return reason;
}

enum reason
auctioneer_offer(struct auctioneer *auctioneer, const struct offer *offer, usec now,
                 struct fact *out_fact, bool *out_repeated)
{
    enum reason reason = event_offer(auctioneer->catalog, auctioneer->book, offer, now, out_fact,
                                     out_repeated);
    if (reason == REASON_NONE && !*out_repeated) apply(auctioneer, out_fact);
    return reason;
}

bool
auctioneer_expire(struct auctioneer *auctioneer, usec now, struct fact *out_fact)
{
    struct id placement;
    if (!book_next_expired(auctioneer->book, now, &placement)) return false;
    event_expire(auctioneer->book, placement, now, out_fact);
    apply(auctioneer, out_fact);
    return true;
}

void
auctioneer_bid_durable(struct auctioneer *auctioneer, const struct fact *fact,
                       struct catalog_position position)
{
    CHECK(fact->kind == FACT_BID && auctioneer->bids_durable < auctioneer->bids_applied);
    book_bid_durable(auctioneer->book, fact->bid.bid, ++auctioneer->bids_durable, position);
}
