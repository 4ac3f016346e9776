// Whole contacts, changes of bids and the change of the catalog measured, as the deciding thread
// meets them. Means are without the slowest hundredth, in which the machine did something else.
#include "core_contact.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "core_market.h"
#include "core_search.h"
#include "fail.h"
#include "price.h"
#include "round.h"

#define CONTACTS 2000
#define TURNS 3
#define CHANGES 1300  // of each sort: nearly as many as the book has room for
#define CHECKED 300   // contacts compared after them, at most
#define CHECKED_BIDS 30000000
#define NOW ((usec){1795368245000000})

static struct catalog_position position = {1, 1, 1};

// Decides and applies; times each when asked to.
static void
decide(struct round *round, struct book *book, const struct catalog *catalog,
       const struct contact *contact, struct fact facts[BOUND_CONTACT_FACTS], int64_t out_times[2])
{
    unsigned count;
    bool repeated;
    int64_t start = core_search_clock();
    enum reason reason = round_decide(round, catalog, book, contact, NULL, NOW, NULL, facts, &count,
                                      &repeated);
    int64_t decided = core_search_clock();
    CHECK(reason == REASON_NONE && !repeated);
    for (unsigned i = 0; i < count; i++) CHECK(book_apply(book, &facts[i], position) == STATUS_OK);
    out_times[0] = decided - start;
    out_times[1] = core_search_clock() - decided;
}

// Contacts of CORE_MARKET_SLOTS slots.
static void
time_contacts(struct round *round, struct book *book, const struct catalog *catalog,
              uint64_t *state, struct core_contact_time *out_decide,
              struct core_contact_time *out_apply)
{
    static struct contact contacts[CONTACTS];
    static int64_t times[2][TURNS * CONTACTS];
    struct fact facts[BOUND_CONTACT_FACTS];
    int64_t cost = core_search_clock_cost();
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (uint32_t i = 0; i < CONTACTS; i++) {
            core_market_contact(state, catalog, false, 0, &contacts[i]);
            contacts[i].container = 1;
        }
        for (uint32_t i = 0; i < CONTACTS; i++) {
            int64_t one[2];
            decide(round, book, catalog, &contacts[i], facts, one);
            for (unsigned of = 0; of < 2; of++) times[of][turn * CONTACTS + i] = one[of] - cost;
        }
    }
    struct core_contact_time *out[2] = {out_decide, out_apply};
    for (unsigned of = 0; of < 2; of++) {
        out[of]->p99_ns = (double)core_search_percentile(times[of], TURNS * CONTACTS, 99);
        out[of]->mean_ns = core_search_mean(times[of], TURNS * CONTACTS);
    }
}

// --- Changes of bids -----------------------------------------------------------------------------
enum change { INSERTED, PRICED, DELETED, CHANGE_COUNT };

static struct fact
change_of(const struct catalog *catalog, enum change change, uint32_t bid, uint64_t number)
{
    const struct catalog_bid *is = &catalog->bids[bid];
    struct fact fact = {.kind = FACT_BID, .role = ROLE_SEAT, .at = NOW};
    fact.party = (uint16_t)catalog->seats[is->seat].id;
    fact.bid.bid = change == INSERTED ? UINT64_C(1) << 40 | number : is->id;
    fact.bid.seat = fact.party;
    fact.bid.state = change == DELETED ? BID_WITHDRAWN : BID_ACTIVE;
    fact.bid.message = catalog->messages[is->message].id;
    fact.bid.currency = catalog->currency;
    fact.bid.price = change == DELETED ? is->price
                                       : money_of(10001 + (int64_t)(hash_mix(number) % 50000000));
    memcpy(fact.bid.key, "k", 1);
    return fact;
}

static void
time_changes(struct book *book, const struct catalog *catalog,
             struct core_contact_time out[CHANGE_COUNT], double *out_most_ns)
{
    static int64_t times[CHANGE_COUNT][CHANGES];
    int64_t cost = core_search_clock_cost();
    uint64_t number = 1;
    for (uint32_t i = 0; i < CHANGES; i++) {
        for (unsigned change = 0; change < CHANGE_COUNT; change++, number++) {
            uint32_t bid = (uint32_t)(hash_mix(number * 977) % catalog->bid_count);
            struct fact fact = change_of(catalog, (enum change)change, bid, number);
            int64_t start = core_search_clock();
            CHECK(book_apply(book, &fact, (struct catalog_position){1, 1, number + 1}) ==
                  STATUS_OK);
            times[change][i] = core_search_clock() - start - cost;
        }
    }
    *out_most_ns = 0;
    for (unsigned change = 0; change < CHANGE_COUNT; change++) {
        out[change].p99_ns = (double)core_search_percentile(times[change], CHANGES, 99);
        out[change].mean_ns = core_search_mean(times[change], CHANGES);
        if ((double)times[change][CHANGES - 1] > *out_most_ns)
            *out_most_ns = (double)times[change][CHANGES - 1];
    }
}

// Every bid of catalog and book judged by its rule: winner and price of the one slot.
static void
scan(const struct catalog *catalog, const struct book *book, const struct contact *contact,
     struct price_sale *out_sale)
{
    struct price price;
    const struct catalog_slot *slot = &catalog->slots[catalog->containers[0].slot_first];
    struct book_bids changed = book_overlay(book);
    price_open(&price, 0);
    for (uint32_t i = 0; i < catalog->bid_count + changed.count; i++) {
        bool of_catalog = i < catalog->bid_count;
        const struct catalog_bid *bid = of_catalog ? &catalog->bids[i]
                                                   : &changed.bids[i - catalog->bid_count];
        if (bid->state != BID_ACTIVE || (of_catalog && book_bid_replaced(book, i))) continue;
        if (!expr_true_with(&catalog->messages[bid->message].rule, &contact->values, &slot->values,
                            NULL))
            continue;
        struct price_bid entry = {.bid = bid->id,
                                  .seat = bid->seat,
                                  .kind = bid->kind,
                                  .price = bid->price,
                                  .floor = slot->floor};
        (void)price_add(&price, &entry);
    }
    price_close(&price, out_sale);
}

static uint32_t
differences_after(struct round *round, struct book *book, const struct catalog *catalog,
                  uint32_t contacts, uint64_t *state)
{
    static struct contact contact;
    struct fact facts[BOUND_CONTACT_FACTS];
    uint32_t differences = 0;
    int64_t times[2];
    for (uint32_t i = 0; i < contacts; i++) {
        struct price_sale sale;
        core_market_contact(state, catalog, false, 0, &contact);
        scan(catalog, book, &contact, &sale);
        decide(round, book, catalog, &contact, facts, times);
        bool sold = facts[1].kind == FACT_PLACEMENT;
        differences += sold != (sale.winner != 0) ||
                       (sold && (facts[1].placement.bid != sale.winner ||
                                 facts[1].placement.price.micros != sale.price.micros));
    }
    return differences;
}

void
core_contact_measure(const struct catalog *catalog, struct core_contact *out)
{
    struct book *book = book_open(&book_limits_default);
    struct round *round = round_open();
    uint64_t state = 11;
    struct core_contact_time ignored;
    *out = (struct core_contact){.bids = catalog->bid_count};
    out->compared = CHECKED_BIDS / catalog->bid_count;
    if (out->compared > CHECKED) out->compared = CHECKED;
    book_catalog(book, catalog);
    time_contacts(round, book, catalog, &state, &out->decide, &out->apply);
    time_changes(book, catalog, out->changes, &out->change_most_ns);
    time_contacts(round, book, catalog, &state, &out->decide_changed, &ignored);
    out->differences = differences_after(round, book, catalog, out->compared, &state);
    out->changed = (uint32_t)book_counts(book).overlay;
    round_close(round);
    book_close(book);
}

// --- The next catalog ----------------------------------------------------------------------------
void
core_contact_swap(const struct catalog *before, const struct catalog *next, double *out_pause_ns)
{
    struct book *book = book_open(&book_limits_default);
    struct core_contact_time ignored[CHANGE_COUNT];
    double most;
    book_catalog(book, before);
    time_changes(book, before, ignored, &most);
    *out_pause_ns = 0;
    for (unsigned turn = 0; turn < 4; turn++) {
        int64_t start = core_search_cpu();
        book_catalog(book, turn % 2 == 0 ? next : before);
        double spent = (double)(core_search_cpu() - start);
        if (spent > *out_pause_ns) *out_pause_ns = spent;
    }
    book_close(book);
}
