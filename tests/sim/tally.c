#include "tally.h"

#include <stdlib.h>

#include "fail.h"
#include "sim.h"

void
tally_open(struct tally *tally)
{
    *tally = (struct tally){0};
    tally->placements = calloc(TALLY_PLACEMENTS / 2, sizeof *tally->placements);
    tally->table = calloc(TALLY_PLACEMENTS, sizeof *tally->table);
    CHECK(tally->placements != NULL && tally->table != NULL);
}

void
tally_close(struct tally *tally)
{
    free(tally->placements);
    free(tally->table);
}

// --- Placements ----------------------------------------------------------------------------------
static uint32_t
place_of(const struct tally *tally, struct id placement)
{
    uint64_t half;
    memcpy(&half, placement.bytes + 8, sizeof half);
    uint32_t at = (uint32_t)hash_mix(half) % TALLY_PLACEMENTS;
    for (; tally->table[at] != 0; at = (at + 1) % TALLY_PLACEMENTS) {
        const struct fact *fact = &tally->placements[tally->table[at] - 1].fact;
        if (id_same(fact_placement(fact), placement)) break;
    }
    return at;
}

static struct tally_placement *
find(const struct tally *tally, struct id placement)
{
    uint32_t found = tally->table[place_of(tally, placement)];
    return found == 0 ? NULL : &tally->placements[found - 1];
}

static int64_t
minute_of(usec at)
{
    return at.us / (60 * USEC_SECOND);
}

// Placements of a message with a cap that a customer was promised and that were not taken back,
// within the minutes that the cap looks back on.
static uint32_t
cap_count(const struct tally *tally, uint64_t customer, uint32_t message, uint32_t days, usec now)
{
    uint32_t count = 0;
    int64_t after = minute_of(now) - (int64_t)days * 24 * 60;
    for (uint32_t at = tally->of_customer[customer]; at != 0;
         at = tally->placements[at - 1].next_of_customer) {
        const struct tally_placement *is = &tally->placements[at - 1];
        if (is->fact.placement.message != message || is->fact.placement.cap_days == 0) continue;
        if (is->state == PLACEMENT_CANCELLED || is->state == PLACEMENT_EXPIRED) continue;
        count += minute_of(is->fact.at) > after;
    }
    return count;
}

static void
take_placement(struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    uint32_t seat = fact->placement.seat, message = fact->placement.message;
    CHECK(tally->count < TALLY_PLACEMENTS / 2 && fact->customer < TALLY_CUSTOMERS);
    CHECK(seat < TALLY_SEATS && message < TALLY_MESSAGES);
    uint32_t place = place_of(tally, fact_placement(fact));
    if (tally->table[place] != 0) sim_fail("a placement was won twice");
    struct tally_placement *is = &tally->placements[tally->count++];
    tally->table[place] = tally->count;
    *is = (struct tally_placement){.fact = *fact, .state = PLACEMENT_HELD};
    if (fact->customer != 0) {
        is->next_of_customer = tally->of_customer[fact->customer];
        tally->of_customer[fact->customer] = tally->count;
    }
    tally->seat_spent[seat] += fact->placement.price.micros;
    tally->message_spent[message] += fact->placement.price.micros;
    const struct catalog_seat *buyer = &catalog->seats[catalog_seat_by_id(catalog, seat)];
    const struct catalog_message *shown =
        &catalog->messages[catalog_message_by_id(catalog, message)];
    if (buyer->has_budget && tally->seat_spent[seat] > buyer->budget.micros)
        sim_fail("seat %s spent %lld of %lld micros", buyer->code,
                 (long long)tally->seat_spent[seat], (long long)buyer->budget.micros);
    if (shown->has_budget && tally->message_spent[message] > shown->budget.micros)
        sim_fail("message %s spent %lld of %lld micros", shown->code,
                 (long long)tally->message_spent[message], (long long)shown->budget.micros);
    if (fact->customer == 0 || shown->cap_count == 0) return;
    uint32_t count = cap_count(tally, fact->customer, message, shown->cap_days, fact->at);
    if (count > shown->cap_count)
        sim_fail("message %s was promised %u times in %u days, its cap is %u", shown->code, count,
                 shown->cap_days, shown->cap_count);
}

static void
take_back(struct tally *tally, struct tally_placement *is)
{
    if (is->fact.placement.charge == CHARGE_WIN) return;
    tally->seat_spent[is->fact.placement.seat] -= is->fact.placement.price.micros;
    tally->message_spent[is->fact.placement.message] -= is->fact.placement.price.micros;
}

static void
take_end(struct tally *tally, struct tally_placement *is, const struct fact *fact)
{
    bool over = fact->at.us >= is->fact.placement.expires.us;
    if (is->state != PLACEMENT_HELD) sim_fail("a placement ended twice");
    if (fact->kind == FACT_DELIVERED && over) sim_fail("delivered after its window");
    if (fact->kind == FACT_EXPIRED && !over) sim_fail("expired within its window");
    is->state = fact->kind == FACT_DELIVERED   ? PLACEMENT_DELIVERED
                : fact->kind == FACT_CANCELLED ? PLACEMENT_CANCELLED
                                               : PLACEMENT_EXPIRED;
    if (is->state != PLACEMENT_DELIVERED) take_back(tally, is);
}

void
tally_take(struct tally *tally, const struct catalog *catalog, const struct fact *fact)
{
    if (fact->kind == FACT_PLACEMENT) take_placement(tally, catalog, fact);
    if (fact->kind < FACT_DELIVERED || fact->kind > FACT_REFUNDED) return;
    struct tally_placement *is = find(tally, fact_placement(fact));
    if (is == NULL) sim_fail("an event about a placement that nobody won");
    if (fact->kind == FACT_ACCEPTED || fact->kind == FACT_DECLINED) {
        if (is->state != PLACEMENT_DELIVERED) sim_fail("a response to what was not shown");
        is->state = fact->kind == FACT_ACCEPTED ? PLACEMENT_ACCEPTED : PLACEMENT_DECLINED;
    } else if (fact->kind == FACT_CONVERTED) {
        if (is->state != PLACEMENT_DELIVERED && is->state != PLACEMENT_ACCEPTED)
            sim_fail("revenue from what was not shown");
        is->converted += fact->revenue.amount.micros;
    } else if (fact->kind == FACT_REFUNDED) {
        is->refunded += fact->revenue.amount.micros;
        if (is->refunded > is->converted) sim_fail("more refunded than converted");
    } else {
        take_end(tally, is, fact);
    }
}

// --- Against the book ----------------------------------------------------------------------------
static void
compare_cap(const struct tally *tally, const struct catalog *catalog, const struct book *book,
            uint64_t customer, uint32_t message, usec now)
{
    const struct catalog_message *is = &catalog->messages[catalog_message_by_id(catalog, message)];
    if (customer == 0 || is->cap_count == 0) return;
    uint32_t counted = book_cap_count(book, customer, message, is->cap_days, now);
    uint32_t wanted = cap_count(tally, customer, message, is->cap_days, now);
    if (counted != wanted)
        sim_fail("the book counts %u of message %s for customer %llu, there were %u", counted,
                 is->code, (unsigned long long)customer, wanted);
}

static void
compare_spent(const struct tally *tally, const struct book *book, uint32_t seat, uint32_t message)
{
    int64_t of_seat = book_seat_spent(book, seat).micros;
    int64_t of_message = book_message_spent(book, message).micros;
    if (of_seat != tally->seat_spent[seat])
        sim_fail("the book has %lld micros spent by seat %u, facts say %lld", (long long)of_seat,
                 seat, (long long)tally->seat_spent[seat]);
    if (of_message != tally->message_spent[message])
        sim_fail("the book has %lld micros spent on message %u, facts say %lld",
                 (long long)of_message, message, (long long)tally->message_spent[message]);
}

void
tally_compare_fact(const struct tally *tally, const struct catalog *catalog,
                   const struct book *book, const struct fact *fact, usec now)
{
    if (fact->kind < FACT_PLACEMENT || fact->kind > FACT_REFUNDED || fact->kind == FACT_UNFILLED)
        return;
    const struct tally_placement *is = find(tally, fact_placement(fact));
    struct book_placement kept;
    if (book_find_placement(book, fact_placement(fact), &kept) &&
        (kept.state != is->state || kept.converted.micros != is->converted ||
         kept.refunded.micros != is->refunded))
        sim_fail("the book has another state or revenue of a placement than the facts");
    compare_spent(tally, book, is->fact.placement.seat, is->fact.placement.message);
    compare_cap(tally, catalog, book, fact->customer, is->fact.placement.message, now);
    // And in the last minute in which this placement counts, and in the first in which it does not.
    usec out = {is->fact.at.us + is->fact.placement.cap_days * USEC_DAY};
    usec in = {out.us - 60 * USEC_SECOND};
    if (in.us < now.us) return;  // the book need not know the past
    compare_cap(tally, catalog, book, fact->customer, is->fact.placement.message, in);
    compare_cap(tally, catalog, book, fact->customer, is->fact.placement.message, out);
}

void
tally_compare(const struct tally *tally, const struct catalog *catalog, const struct book *book,
              usec now)
{
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        const struct catalog_message *message = &catalog->messages[i];
        compare_spent(tally, book, catalog->seats[message->seat].id, message->id);
        for (uint64_t customer = 1; customer < TALLY_CUSTOMERS; customer++)
            compare_cap(tally, catalog, book, customer, message->id, now);
    }
    uint64_t held = 0;
    for (uint32_t i = 0; i < tally->count; i++)
        held += tally->placements[i].state == PLACEMENT_HELD;
    if (held != book_counts(book).placements_held)
        sim_fail("the book holds %llu placements, facts %llu",
                 (unsigned long long)book_counts(book).placements_held, (unsigned long long)held);
}
