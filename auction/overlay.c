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
//   (3) a bid of the catalog is replaced exactly when an entry bears its id, resolved or not: a bid
//       that was changed never competes in its old form. That is asked of the few bids that a
//       search gives, so that nothing of the catalog's many bids is touched when it takes over
//   (4) `sieve` has the column of each entry, and `place_of` the place of each that stands in
//       `sorted`
#include "overlay.h"

#include <string.h>

#include "catalog_lookup.h"
#include "fail.h"
#include "match_index.h"
#include "sort.h"

void
overlay_open(struct overlay *overlay, struct arena *arena, uint32_t capacity)
{
    *overlay = (struct overlay){.capacity = capacity};
    overlay->bids = arena_take(arena, capacity, sizeof *overlay->bids);
    overlay->sorted = arena_take(arena, capacity, sizeof *overlay->sorted);
    overlay->entry_at = arena_take(arena, capacity, sizeof *overlay->entry_at);
    overlay->place_of = arena_take(arena, capacity, sizeof *overlay->place_of);
    for (unsigned i = 0; i < 2; i++)
        overlay->moved[i] = arena_take(arena, capacity, sizeof *overlay->moved[i]);
    overlay->renumbered = arena_take(arena, capacity, sizeof *overlay->renumbered);
    // Touched here, so that the first catalog that comes while selling waits for no new pages.
    for (unsigned i = 0; i < 2; i++)
        memset(overlay->moved[i], 0, capacity * sizeof *overlay->moved[i]);
    memset(overlay->renumbered, 0, capacity * sizeof *overlay->renumbered);
    probe_open(&overlay->probe, arena, capacity);
    sieve_open(&overlay->sieve, arena, capacity);
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

bool
overlay_replaces(const struct overlay *overlay, uint32_t bid)
{
    return overlay->count > 0 && overlay->catalog != NULL &&
           find(overlay, overlay->catalog->bids[bid].id) != PROBE_NONE;
}

static bool
includes(const struct catalog *catalog, struct catalog_position position)
{
    return catalog != NULL && catalog->position.log == position.log &&
           position.batch <= catalog->position.batch;
}

// What the entry names, as indexes of the current catalog; false when the catalog lacks any of it.
static bool
resolve(const struct catalog *catalog, const struct overlay_bid *entry, uint32_t message,
        struct overlay_moved *out)
{
    uint32_t slot = entry->slot == 0 ? UINT32_MAX : catalog_slot_by_id(catalog, entry->slot);
    if (message == UINT32_MAX || (entry->slot != 0 && slot == UINT32_MAX)) return false;
    uint32_t seat = catalog->messages[message].seat;
    if (catalog->seats[seat].id != entry->seat) return false;
    enum price_kind kind = (enum price_kind)entry->kind;
    *out = (struct overlay_moved){
        .price = entry->price,
        .id = entry->id,
        .seat = seat,
        .message = message,
        .slot = slot,
        .judged_first = catalog_judged_first(catalog, message, kind),
    };
    return true;
}

// The entry as a bid of the current catalog.
static void
put_bid(const struct overlay_bid *entry, const struct overlay_moved *is, struct catalog_bid *out)
{
    *out = (struct catalog_bid){
        .id = entry->id,
        .seat = is->seat,
        .message = is->message,
        .slot = is->slot,
        .price = entry->price,
        .from = entry->from,
        .until = entry->until,
        .state = entry->state,
        .kind = entry->kind,
    };
    memcpy(out->key, entry->key, sizeof out->key);
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

// Brings the entry, whose state has changed since `before`, to its place among the others: only
// those between the old place and the new one move.
static void
settle(struct overlay *overlay, const struct overlay_bid *before, struct overlay_bid *entry)
{
    const struct catalog *catalog = overlay->catalog;
    struct catalog_bid *sorted = overlay->sorted;
    uint32_t *entry_at = overlay->entry_at;
    struct overlay_moved is = {.judged_first = false};
    uint32_t number = (uint32_t)(entry - overlay->bids);
    uint32_t end = overlay->sorted_count, from = end, to = end;
    entry->offered = catalog != NULL &&
                     resolve(catalog, entry, catalog_message_by_id(catalog, entry->message), &is);
    entry->judged_first = is.judged_first;
    if (before->offered) {
        from = place_of(overlay, before->judged_first, before->price, before->id);
        CHECK(from < end && sorted[from].id == before->id);
    }
    if (entry->offered) to = place_of(overlay, entry->judged_first, entry->price, entry->id);
    if (from < to) {
        to -= before->offered;
        memmove(&sorted[from], &sorted[from + 1], (to - from) * sizeof *sorted);
        memmove(&entry_at[from], &entry_at[from + 1], (to - from) * sizeof *entry_at);
    } else if (to < from) {
        memmove(&sorted[to + 1], &sorted[to], (from - to) * sizeof *sorted);
        memmove(&entry_at[to + 1], &entry_at[to], (from - to) * sizeof *entry_at);
    }
    if (entry->offered) {
        put_bid(entry, &is, &sorted[to]);
        entry_at[to] = number;
    }
    overlay->sorted_count = overlay->sorted_count + entry->offered - before->offered;
    overlay->judged_first = overlay->judged_first + entry->judged_first - before->judged_first;
    end = overlay->sorted_count;
    if (entry->offered == before->offered) end = (from > to ? from : to) + entry->offered;
    for (uint32_t place = from < to ? from : to; place < end; place++)
        overlay->place_of[entry_at[place]] = place;
    if (catalog == NULL) return;
    sieve_set(&overlay->sieve, catalog->index->sieve, number,
              entry->offered ? is.message : SIEVE_NONE, is.slot,
              entry->offered && entry->state == BID_ACTIVE);
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

// --- A new catalog -------------------------------------------------------------------------------
// Drops what the catalog includes; the others close up, and their new numbers are noted.
static void
drop_included(struct overlay *overlay, const struct catalog *catalog)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < overlay->count; i++) {
        bool drops = includes(catalog, overlay->bids[i].position);
        overlay->renumbered[i] = drops ? PROBE_NONE : kept;
        if (drops) continue;
        if (kept < i) overlay->bids[kept] = overlay->bids[i];
        kept++;
    }
    if (kept == overlay->count) return;
    for (uint32_t i = kept; i < overlay->count; i++)
        sieve_note(&overlay->sieve, i, SIEVE_NONE, UINT32_MAX, false);
    overlay->count = kept;
    probe_clear(&overlay->probe);
    for (uint32_t i = 0; i < kept; i++)
        probe_put(&overlay->probe, hash_mix(overlay->bids[i].id), i);
}

// All entries, in `entry_at`: those that had a place in their old order, which most often is still
// theirs, then the others.
static void
line_up(struct overlay *overlay)
{
    uint32_t count = 0;
    for (uint32_t place = 0; place < overlay->sorted_count; place++) {
        uint32_t entry = overlay->renumbered[overlay->entry_at[place]];
        if (entry != PROBE_NONE) overlay->entry_at[count++] = entry;
    }
    for (uint32_t entry = 0; entry < overlay->count; entry++)
        if (!overlay->bids[entry].offered) overlay->entry_at[count++] = entry;
    CHECK(count == overlay->count);
}

static void
expect_message(const struct catalog *catalog, uint32_t message)
{
    if (message == UINT32_MAX) return;
    __builtin_prefetch(&catalog->messages[message].seat);
    __builtin_prefetch(&catalog->messages[message].deal);
}

// Looks up what the entries name, in batches: what one step of a batch will read, the step before
// has called near, so that misses of the catalog's tables are waited for together.
#define BATCH 32
static uint32_t
resolve_all(struct overlay *overlay, struct overlay_moved *out)
{
    const struct catalog *catalog = overlay->catalog;
    const struct catalog_lookup *tables = catalog->lookup;
    uint32_t count = 0;
    for (uint32_t first = 0; first < overlay->count; first += BATCH) {
        struct overlay_bid *entries[BATCH];
        uint32_t messages[BATCH], batch = overlay->count - first;
        if (batch > BATCH) batch = BATCH;
        for (uint32_t i = 0; i < batch; i++) {
            entries[i] = &overlay->bids[overlay->entry_at[first + i]];
            __builtin_prefetch(entries[i], 1);
        }
        for (uint32_t i = 0; i < batch; i++) {
            lookup_expect_id(&tables->message_ids, entries[i]->message);
        }
        for (uint32_t i = 0; i < batch; i++) {
            messages[i] = catalog_message_by_id(catalog, entries[i]->message);
            expect_message(catalog, messages[i]);
        }
        for (uint32_t i = 0; i < batch; i++) {
            uint32_t entry = (uint32_t)(entries[i] - overlay->bids);
            entries[i]->offered = resolve(catalog, entries[i], messages[i], &out[count]);
            entries[i]->judged_first = entries[i]->offered && out[count].judged_first;
            sieve_note(&overlay->sieve, entry,
                       entries[i]->offered ? out[count].message : SIEVE_NONE, out[count].slot,
                       entries[i]->offered && entries[i]->state == BID_ACTIVE);
            if (!entries[i]->offered) continue;
            sieve_expect(catalog->index->sieve, out[count].message);
            out[count++].entry = entry;
        }
    }
    return count;
}

static bool
moved_before(const struct overlay_moved *a, const struct overlay_moved *b)
{
    if (a->judged_first != b->judged_first) return a->judged_first;
    if (!a->judged_first && a->price.micros != b->price.micros)
        return a->price.micros > b->price.micros;
    return a->id < b->id;
}

static int
compare_moved(const void *a, const void *b)
{
    return moved_before(b, a);  // 1: a stands behind b
}

static void
sort(struct overlay *overlay, uint32_t count)
{
    const struct overlay_moved *moved = overlay->moved[0];
    uint32_t sorted = 1;
    while (sorted < count && moved_before(&moved[sorted - 1], &moved[sorted])) sorted++;
    if (sorted >= count) return;
    sort_stable(overlay->moved[0], overlay->moved[1], count, sizeof *moved, compare_moved);
}

void
overlay_catalog(struct overlay *overlay, const struct catalog *catalog)
{
    overlay->catalog = catalog;
    uint32_t count = overlay->count;
    drop_included(overlay, catalog);
    line_up(overlay);
    const struct overlay_moved *moved = overlay->moved[0];
    overlay->sorted_count = resolve_all(overlay, overlay->moved[0]);
    overlay->judged_first = 0;
    sieve_write(&overlay->sieve, catalog->index->sieve, count);
    sort(overlay, overlay->sorted_count);
    for (uint32_t place = 0; place < overlay->sorted_count; place++) {
        overlay->entry_at[place] = moved[place].entry;
        overlay->place_of[moved[place].entry] = place;
        overlay->judged_first += moved[place].judged_first;
        put_bid(&overlay->bids[moved[place].entry], &moved[place], &overlay->sorted[place]);
    }
}
