// A small pool of bids beside a catalog. Each FACT_BID says a bid's whole state, so the newest
// counts.
//
// A catalog names the journal position up to which it includes bid facts. An entry at or before
// that position (same log) is dropped when the catalog comes, or not taken when the fact is read
// again: so a replay under the same catalog gives the same overlay however many catalogs came and
// went live.
//
// Invariants
//   (1) an entry's position is the newest bid fact of that bid
//   (2) `sorted` holds exactly the entries whose seat, message and slot the catalog knows, in the
//       order of catalog->bids: first those whose rank is not their price (catalog_judged_first),
//       by id; then the others by price descending, then id ascending
//   (3) the bit of a catalog bid is set exactly when an entry bears its id, resolved or not: a bid
//       that was changed never competes in its old form
#include "overlay.h"

#include <string.h>

#include "fail.h"

void
overlay_open(struct overlay *overlay, struct arena *arena, uint32_t capacity)
{
    *overlay = (struct overlay){.capacity = capacity, .replaced_words = BOUND_BIDS / 64};
    overlay->bids = arena_take(arena, capacity, sizeof *overlay->bids);
    overlay->sorted = arena_take(arena, capacity, sizeof *overlay->sorted);
    overlay->replaced = arena_take(arena, overlay->replaced_words, sizeof *overlay->replaced);
    probe_open(&overlay->probe, arena, capacity);
}

static uint32_t
find(const struct overlay *overlay, uint64_t id)
{
    uint32_t at = probe_start(&overlay->probe, hash_mix(id)), item;
    while ((item = probe_next(&overlay->probe, hash_mix(id), &at)) != PROBE_NONE) {
        if (overlay->bids[item].id == id) break;
    }
    return item;
}

const struct overlay_bid *
overlay_find(const struct overlay *overlay, uint64_t id)
{
    uint32_t item = find(overlay, id);
    return item == PROBE_NONE ? NULL : &overlay->bids[item];
}

static bool
includes(const struct catalog *catalog, struct catalog_position position)
{
    return catalog != NULL && catalog->position.log == position.log &&
           position.batch <= catalog->position.batch;
}

// The entry as a bid of the current catalog; false when the catalog lacks what it names.
static bool
resolve(const struct overlay *overlay, const struct overlay_bid *entry, struct catalog_bid *out_bid)
{
    const struct catalog *catalog = overlay->catalog;
    if (catalog == NULL) return false;
    uint32_t message = catalog_message_by_id(catalog, entry->message);
    uint32_t slot = entry->slot == 0 ? UINT32_MAX : catalog_slot_by_id(catalog, entry->slot);
    if (message == UINT32_MAX || (entry->slot != 0 && slot == UINT32_MAX)) return false;
    uint32_t seat = catalog->messages[message].seat;
    if (catalog->seats[seat].id != entry->seat) return false;
    *out_bid = (struct catalog_bid){
        .id = entry->id,
        .seat = seat,
        .message = message,
        .slot = slot,
        .price = entry->price,
        .from = entry->from,
        .until = entry->until,
        .state = entry->state,
        .kind = entry->kind,
    };
    memcpy(out_bid->key, entry->key, sizeof out_bid->key);
    return true;
}

// The order of the second part, when `first` is not asked for; else of the first.
static bool
comes_before(const struct catalog_bid *a, bool first, money price, uint64_t id)
{
    return first || a->price.micros == price.micros ? a->id < id : a->price.micros > price.micros;
}

// Where a bid of that part, price and id stands, or would stand.
static uint32_t
place_of(const struct overlay *overlay, bool first, money price, uint64_t id)
{
    uint32_t low = first ? 0 : overlay->judged_first;
    uint32_t high = first ? overlay->judged_first : overlay->sorted_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (comes_before(&overlay->sorted[middle], first, price, id)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// Heap sort of one part: in place, no memory taken, never slow.
static void
sift_down(struct catalog_bid *bids, bool first, uint32_t at, uint32_t count)
{
    struct catalog_bid moved = bids[at];
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count &&
            comes_before(&bids[child], first, bids[child + 1].price, bids[child + 1].id))
            child++;
        if (!comes_before(&moved, first, bids[child].price, bids[child].id)) break;
        bids[at] = bids[child];
    }
    bids[at] = moved;
}

static void
sort(struct catalog_bid *bids, bool first, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;) sift_down(bids, first, i, count);
    for (uint32_t last = count; last-- > 1;) {
        struct catalog_bid top = bids[0];
        bids[0] = bids[last];
        bids[last] = top;
        sift_down(bids, first, 0, last);
    }
}

// Brings the entry, whose state has changed since `before`, to its place among the others: only
// those between the old place and the new one move.
static void
settle(struct overlay *overlay, const struct overlay_bid *before, struct overlay_bid *entry)
{
    struct catalog_bid bid, *sorted = overlay->sorted;
    uint32_t end = overlay->sorted_count, from = end, to = end;
    entry->offered = resolve(overlay, entry, &bid);
    entry->judged_first = entry->offered && catalog_judged_first(overlay->catalog, bid.message,
                                                                 (enum price_kind)bid.kind);
    if (before->offered) {
        from = place_of(overlay, before->judged_first, before->price, before->id);
        CHECK(from < end && sorted[from].id == before->id);
    }
    if (entry->offered) to = place_of(overlay, entry->judged_first, entry->price, entry->id);
    if (from < to) {
        to -= before->offered;
        memmove(&sorted[from], &sorted[from + 1], (to - from) * sizeof *sorted);
    } else if (to < from) {
        memmove(&sorted[to + 1], &sorted[to], (from - to) * sizeof *sorted);
    }
    if (entry->offered) sorted[to] = bid;
    overlay->sorted_count = overlay->sorted_count + entry->offered - before->offered;
    overlay->judged_first = overlay->judged_first + entry->judged_first - before->judged_first;
}

static void
mark_replaced(struct overlay *overlay, uint64_t id)
{
    if (overlay->catalog == NULL) return;
    uint32_t bid = catalog_bid_by_id(overlay->catalog, id);
    if (bid != UINT32_MAX) overlay->replaced[bid / 64] |= 1ull << bid % 64;
}

enum status
overlay_put(struct overlay *overlay, const struct fact *fact, struct catalog_position position)
{
    if (fact->bid.kind >= PRICE_KIND_COUNT || fact->bid.state > BID_WITHDRAWN) return STATUS_INPUT;
    if (includes(overlay->catalog, position)) return STATUS_OK;
    uint32_t item = find(overlay, fact->bid.bid);
    if (item == PROBE_NONE) {
        if (overlay->count == overlay->capacity) return STATUS_FULL;
        item = overlay->count++;
        overlay->bids[item] = (struct overlay_bid){.offered = false};
        probe_put(&overlay->probe, hash_mix(fact->bid.bid), item);
        mark_replaced(overlay, fact->bid.bid);
    }
    struct overlay_bid *entry = &overlay->bids[item], before = *entry;
    *entry = (struct overlay_bid){
        .id = fact->bid.bid,
        .seat = fact->bid.seat,
        .message = fact->bid.message,
        .slot = fact->bid.slot,
        .price = fact->bid.price,
        .from = fact->bid.from,
        .until = fact->bid.until,
        .position = position,
        .state = fact->bid.state,
        .kind = fact->bid.kind,
    };
    memcpy(entry->key, fact->bid.key, sizeof entry->key);
    settle(overlay, &before, entry);
    return STATUS_OK;
}

void
overlay_durable(struct overlay *overlay, uint64_t bid, uint64_t serial,
                struct catalog_position position)
{
    uint32_t item = find(overlay, bid);
    if (item == PROBE_NONE) return;
    struct catalog_position *at = &overlay->bids[item].position;
    if (at->log == 0 && at->batch == serial) *at = position;
}

// Puts the entry behind those of its part, out of order: the first of the other part makes room.
static void
gather(struct overlay *overlay, struct overlay_bid *entry)
{
    struct catalog_bid *sorted = overlay->sorted;
    uint32_t end = overlay->sorted_count;
    entry->offered = resolve(overlay, entry, &sorted[end]);
    entry->judged_first = false;
    if (!entry->offered) return;
    overlay->sorted_count++;
    entry->judged_first = catalog_judged_first(overlay->catalog, sorted[end].message,
                                               (enum price_kind)sorted[end].kind);
    if (!entry->judged_first) return;
    struct catalog_bid bid = sorted[end];
    sorted[end] = sorted[overlay->judged_first];
    sorted[overlay->judged_first++] = bid;
}

void
overlay_catalog(struct overlay *overlay, const struct catalog *catalog)
{
    CHECK(catalog->bid_count <= BOUND_BIDS);
    overlay->catalog = catalog;
    overlay->sorted_count = overlay->judged_first = 0;
    memset(overlay->replaced, 0, overlay->replaced_words * sizeof *overlay->replaced);
    probe_clear(&overlay->probe);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < overlay->count; i++) {
        if (includes(catalog, overlay->bids[i].position)) continue;
        overlay->bids[kept] = overlay->bids[i];
        probe_put(&overlay->probe, hash_mix(overlay->bids[kept].id), kept);
        mark_replaced(overlay, overlay->bids[kept].id);
        gather(overlay, &overlay->bids[kept++]);
    }
    overlay->count = kept;
    struct catalog_bid *others = overlay->sorted + overlay->judged_first;
    sort(overlay->sorted, true, overlay->judged_first);
    sort(others, false, overlay->sorted_count - overlay->judged_first);
}
