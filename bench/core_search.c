// Searches of one slot measured: the index beside a scan that judges every bid, and beside the bare
// cost of the memory that a search must read, in turns of one run.
//
// Times are of one thread, and processor time where a pass is timed as a whole, so that what else
// the machine does stays out of them. Of every kind of search there are several passes over the
// same contacts, taken in turns with the other kinds; the mean is the median pass's. The 99th
// percentile is of searches timed one by one, each the least of three times; the clock's own cost
// is taken off.
#include "core_search.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../auction/match.h"
#include "core_market.h"
#include "fact.h"
#include "fail.h"
#include "price.h"

#define CONTACTS 1000
#define PASSES 7
#define SCAN_BIDS 6000000  // judged by all scans together

int64_t
core_search_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int64_t
core_search_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int64_t
core_search_clock_cost(void)
{
    int64_t start = core_search_clock();
    for (int i = 0; i < 1000; i++) (void)core_search_clock();
    return (core_search_clock() - start) / 1000;
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t
core_search_percentile(int64_t *times, size_t count, unsigned percent)
{
    qsort(times, count, sizeof *times, compare_times);
    return times[count * percent / 100];
}

double
core_search_mean(const int64_t *times, size_t count)
{
    int64_t sum = 0;
    size_t kept = count - count / 100;
    for (size_t i = 0; i < kept; i++) sum += times[i];
    return (double)sum / (double)kept;
}

// --- One search ----------------------------------------------------------------------------------
static void
add(struct price *price, const struct catalog *catalog, const struct catalog_bid *bid)
{
    struct price_bid entry = {.bid = bid->id,
                              .seat = bid->seat,
                              .kind = bid->kind,
                              .price = bid->price,
                              .floor = catalog->slots[0].floor};
    (void)price_add(price, &entry);
}

static bool
eligible(const struct catalog *catalog, const struct catalog_bid *bid,
         const struct contact *contact)
{
    const struct catalog_slot *slot = &catalog->slots[0];
    const struct catalog_message *message = &catalog->messages[bid->message];
    return bid->state == BID_ACTIVE && match_admission(catalog, slot, message) == REASON_NONE &&
           (match_rungs_open(contact->identity, contact->consent) & 1u << message->rung) != 0 &&
           expr_true_with(&catalog->seats[bid->seat].rule, &contact->values, &slot->values, NULL) &&
           expr_true_with(&message->rule, &contact->values, &slot->values, NULL);
}

// Winner and price by the index.
static void
two_best(struct match *match, const struct catalog *catalog, const struct contact *contact,
         struct price_sale *out_sale)
{
    struct price price;
    uint32_t number;
    price_open(&price, 0);
    match_contact(match, catalog, contact);
    match_slot(match, 0);
    while ((number = match_next(match)) != UINT32_MAX) {
        const struct catalog_bid *bid = &catalog->bids[number];
        if (price_settled(&price, bid->price, bid->id)) break;
        add(&price, catalog, bid);
    }
    price_close(&price, out_sale);
}

static uint32_t
all_matches(struct match *match, const struct catalog *catalog, const struct contact *contact)
{
    uint32_t count = 0;
    match_contact(match, catalog, contact);
    match_slot(match, 0);
    while (match_next(match) != UINT32_MAX) count++;
    return count;
}

// The twin: every bid judged. Returns how many are eligible, all bids that the index does not give
// or gives too much counted in `differences`.
static uint32_t
scan(struct match *match, const struct catalog *catalog, const struct contact *contact,
     int64_t *spent, uint32_t *differences)
{
    static uint64_t found[BOUND_BIDS / 64 + 1];
    struct price price;
    struct price_sale sale, by_index;
    uint32_t count = 0;
    memset(found, 0, sizeof found);
    int64_t start = core_search_cpu();
    price_open(&price, 0);
    for (uint32_t i = 0; i < catalog->bid_count; i++) {
        if (!eligible(catalog, &catalog->bids[i], contact)) continue;
        add(&price, catalog, &catalog->bids[i]);
        found[i / 64] |= 1ull << i % 64;
        count++;
    }
    price_close(&price, &sale);
    *spent += core_search_cpu() - start;
    two_best(match, catalog, contact, &by_index);
    *differences += sale.winner != by_index.winner || sale.price.micros != by_index.price.micros ||
                    sale.setter != by_index.setter;
    match_slot(match, 0);
    uint32_t given = 0;
    for (uint32_t bid; (bid = match_next(match)) != UINT32_MAX; given++)
        *differences += (found[bid / 64] >> bid % 64 & 1) == 0;
    *differences += given != count;
    return count;
}

// --- Bare memory ---------------------------------------------------------------------------------
// Nanoseconds a cache line, read anywhere in so much memory, none waiting for another.
static double
bare_line(size_t bytes)
{
    size_t lines = bytes / 64, reads = 1000000;
    uint64_t *memory = calloc(lines, 64), sum = 0, place = 1;
    CHECK(memory != NULL);
    for (size_t i = 0; i < lines; i++) memory[i * 8] = i;
    int64_t start = core_search_cpu();
    for (size_t i = 0; i < reads; i++) {
        place = place * 6364136223846793005u + 1442695040888963407u;
        sum += memory[(place >> 33) % lines * 8];
    }
    int64_t spent = core_search_cpu() - start;
    CHECK(sum > 0);
    free(memory);
    return (double)spent / (double)reads;
}

// --- All figures ---------------------------------------------------------------------------------
// Contacts for whom fewer than two bids are eligible: of an unknown visitor hardly anything is
// known.
static void
make_strangers(struct match *match, const struct catalog *catalog, struct contact *contacts)
{
    uint64_t state = 13;
    for (uint32_t i = 0; i < CONTACTS; i++) {
        do {
            core_market_contact(&state, catalog, true, 90, &contacts[i]);
        } while (all_matches(match, catalog, &contacts[i]) > 1);
    }
}

enum search { TWO_BEST, TWO_OF_STRANGERS, ALL, SEARCHES };

static uint64_t
one(enum search search, struct match *match, const struct catalog *catalog,
    const struct contact *contact)
{
    struct price_sale sale;
    if (search == ALL) return all_matches(match, catalog, contact);
    two_best(match, catalog, contact, &sale);
    return sale.winner;
}

static void
time_searches(struct match *match, const struct catalog *catalog,
              struct contact *const contacts[SEARCHES], struct core_search *out)
{
    static int64_t times[CONTACTS];
    int64_t passes[SEARCHES][PASSES], cost = core_search_clock_cost();
    uint64_t given = 0, kept = 0;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        for (unsigned search = 0; search < SEARCHES; search++) {
            int64_t start = core_search_cpu();
            uint64_t sum = 0;
            for (uint32_t i = 0; i < CONTACTS; i++)
                sum += one((enum search)search, match, catalog, &contacts[search][i]);
            passes[search][pass] = core_search_cpu() - start;
            if (search == ALL) given = sum;
            kept ^= sum;
        }
    }
    for (unsigned search = 0; search < SEARCHES; search++) {
        out->times[search].mean_ns = (double)core_search_percentile(passes[search], PASSES, 50) /
                                     CONTACTS;
        for (unsigned turn = 0; turn < 3; turn++) {
            for (uint32_t i = 0; i < CONTACTS; i++) {
                int64_t start = core_search_clock();
                kept ^= one((enum search)search, match, catalog, &contacts[search][i]);
                int64_t spent = core_search_clock() - start - cost;
                if (turn == 0 || spent < times[i]) times[i] = spent;
            }
        }
        out->times[search].p99_ns = (double)core_search_percentile(times, CONTACTS, 99);
    }
    out->matches = (double)given / CONTACTS;
    out->kept = kept;
}

void
core_search_measure(const struct catalog *catalog, struct core_search *out)
{
    static struct contact known[CONTACTS], strangers[CONTACTS];
    static struct match match;
    struct contact *const contacts[SEARCHES] = {known, strangers, known};
    uint64_t state = 7;
    *out = (struct core_search){.bids = catalog->bid_count};
    for (uint32_t i = 0; i < CONTACTS; i++)
        core_market_contact(&state, catalog, false, 0, &known[i]);
    make_strangers(&match, catalog, strangers);
    time_searches(&match, catalog, contacts, out);
    uint32_t scans = SCAN_BIDS / catalog->bid_count;
    if (scans > CONTACTS) scans = CONTACTS;
    int64_t spent = 0;
    for (uint32_t i = 0; i < scans; i++) {
        (void)scan(&match, catalog, &known[i], &spent, &out->differences);
        int64_t ignored = 0;
        (void)scan(&match, catalog, &strangers[i], &ignored, &out->differences);
    }
    out->compared = 2 * scans;
    out->scan_ns = (double)spent / scans;
    struct arena *arena = arena_open("bench index");
    int64_t start = core_search_cpu();
    struct match_index *index = match_index_build(catalog, arena);
    out->build_ns = (double)(core_search_cpu() - start) / catalog->bid_count;
    out->bytes = (double)match_index_bytes(index) / catalog->bid_count;
    out->line_ns = bare_line(match_index_bytes(index));
    match_contact(&match, catalog, &known[0]);
    match_slot(&match, 0);
    (void)match_next(&match);
    out->lines = match.row_count + 2 + 2;
    arena_close(arena);
}
