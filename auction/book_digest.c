// A digest of all that the book keeps, and of the order in which it will be dropped.
#include <string.h>

#include "book.h"
#include "book_parts.h"

static void
absorb(struct digest *digest, const void *data, size_t len)
{
    struct hash_piece pieces[2] = {{digest, sizeof *digest}, {data, len}};
    *digest = hash_sha256_pieces(pieces, 2);
}

// Adds to a sum that does not depend on the order of its parts.
static void
blend(uint64_t sum[4], const void *data, size_t len)
{
    struct digest part = hash_sha256(data, len);
    uint64_t lanes[4];
    memcpy(lanes, part.bytes, sizeof lanes);
    for (unsigned i = 0; i < 4; i++) sum[i] += lanes[i];
}

static void
digest_placement(struct digest *digest, const struct book_kept *kept)
{
    int64_t totals[4] = {kept->converted.micros, kept->refunded.micros, kept->state,
                         kept->complained};
    absorb(digest, &kept->fact, sizeof kept->fact);
    absorb(digest, totals, sizeof totals);
}

static void
digest_spend(struct digest *digest, const struct spend *spend)
{
    for (unsigned of = 0; of < BUDGET_OF_COUNT; of++) {
        for (uint32_t id = 0; id < spend_bound((enum budget_of)of); id++) {
            const struct spend_line *line = &spend->lines[of][id];
            int64_t name[2] = {of, id};
            if (!spend_line_used(line)) continue;
            absorb(digest, name, sizeof name);
            absorb(digest, line, sizeof *line);
        }
    }
    for (uint32_t id = 0; id <= UINT16_MAX; id++) {
        const struct spend_deal *deal = &spend->deals[id];
        if (deal->days.day[0] == 0) continue;
        absorb(digest, &id, sizeof id);
        absorb(digest, deal, sizeof *deal);
    }
}

static void
digest_shown(struct digest *digest, const struct shown *shown)
{
    uint64_t sum[4] = {0}, customer, entries[2 + SHOWN_ROOM];
    uint32_t block = 1;
    for (;;) {
        unsigned count = shown_visit(shown, &block, &customer, entries + 2);
        if (block == 0) break;
        entries[0] = customer;
        entries[1] = block;
        blend(sum, entries, (2 + count) * sizeof *entries);
    }
    uint64_t state[3] = {shown->customers, shown->free_count, shown->hand};
    absorb(digest, sum, sizeof sum);
    absorb(digest, state, sizeof state);
}

static void
digest_rates(struct digest *digest, const struct rates *rates)
{
    uint64_t sum[4] = {0};
    for (uint32_t i = 0; i < rates->count; i++)
        blend(sum, &rates->pairs[i], sizeof rates->pairs[i]);
    absorb(digest, sum, sizeof sum);
    absorb(digest, rates->cells, RUNG_COUNT * RATES_CELLS * sizeof *rates->cells);
    absorb(digest, rates->rungs, sizeof rates->rungs);
    absorb(digest, &rates->unpaired, sizeof rates->unpaired);
}

static void
digest_decided(struct digest *digest, const struct decided *decided)
{
    uint64_t first = decided->end < decided->room ? 0 : decided->end - decided->room;
    for (uint64_t i = first; i < decided->end; i++) {
        uint64_t key = decided->keys[i % decided->room];
        absorb(digest, &key, sizeof key);
    }
}

static void
digest_orders(struct digest *digest, const struct book *book)
{
    for (uint32_t i = book->orders.oldest; i != PROBE_NONE; i = book->orders.orders[i].newer) {
        const struct order *order = &book->orders.orders[i];
        int64_t totals[2] = {order->amount.micros, order->refunded.micros};
        struct id placement = fact_placement(&book->placements[order->placement].fact);
        absorb(digest, &order->order, sizeof order->order);
        absorb(digest, &order->reference, sizeof order->reference);
        absorb(digest, &placement, sizeof placement);
        absorb(digest, totals, sizeof totals);
    }
}

static void
digest_overlay(struct digest *digest, const struct overlay *overlay)
{
    uint64_t sum[4] = {0};
    for (uint32_t i = 0; i < overlay->count; i++) {
        struct overlay_bid bid;
        memset(&bid, 0, sizeof bid);  // padding too
        const struct overlay_bid *entry = &overlay->bids[i];
        bid.id = entry->id;
        bid.seat = entry->seat;
        bid.message = entry->message;
        bid.slot = entry->slot;
        bid.price = entry->price;
        bid.from = entry->from;
        bid.until = entry->until;
        bid.position = entry->position;
        bid.state = entry->state;
        bid.kind = entry->kind;
        bid.offered = entry->offered;
        bid.judged_first = entry->offered && entry->judged_first;
        memcpy(bid.key, entry->key, sizeof bid.key);
        blend(sum, &bid, sizeof bid);
    }
    absorb(digest, sum, sizeof sum);
}

struct digest
book_digest(const struct book *book)
{
    struct digest digest = {{0}};
    uint64_t held[4] = {0};
    digest_spend(&digest, &book->spend);
    for (uint64_t i = book->recent.contact_first; i < book->recent.contact_end; i++) {
        const struct recent_contact *contact =
            &book->recent.contacts[i % book->recent.contact_room];
        for (unsigned fact = 0; fact < contact->count; fact++) {
            absorb(&digest, recent_fact(&book->recent, contact, fact), sizeof(struct fact));
        }
    }
    digest_decided(&digest, &book->decided);
    for (uint32_t i = 0; i < book->placement_capacity; i++) {
        const struct book_kept *kept = &book->placements[i];
        if (!heap_has(&book->expiry, i)) continue;
        int64_t ends = heap_key(&book->expiry, i);
        struct digest open = {{0}};
        digest_placement(&open, kept);
        absorb(&open, &ends, sizeof ends);
        blend(held, &open, sizeof open);
    }
    absorb(&digest, held, sizeof held);
    for (uint32_t i = book->oldest; i != PROBE_NONE; i = book->placements[i].newer) {
        digest_placement(&digest, &book->placements[i]);
    }
    digest_shown(&digest, &book->shown);
    digest_rates(&digest, &book->rates);
    digest_orders(&digest, book);
    digest_overlay(&digest, &book->overlay);
    absorb(&digest, &book->marks_lost, sizeof book->marks_lost);
    return digest;
}
