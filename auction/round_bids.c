// The bids of one slot, in the order in which they are judged.
//
//   (1) Live bids of the slot, as they were given.
//   (2) Standing bids whose rank is not their price (catalog_judged_first), by id: none tells what
//       the next is worth, so all come.
//   (3) The other standing bids, dearest first, then by id: of these a search may stop early.
// Standing bids come from the catalog, in the order of its index, and from the book's overlay,
// which keeps the same order; a bid of the catalog that the overlay replaces does not come. Nor, in
// a search, do bids that index (match.h) and sieve (sieve.h) know to be stopped.
#include "fail.h"
#include "round_parts.h"
#include "sieve.h"

static bool
addresses(const struct round *round, const struct catalog_bid *bid)
{
    return bid->slot == UINT32_MAX || bid->slot == round->slot_index;
}

void
round_bids_start(struct round *round, bool searching)
{
    round->next_live = round->next_overlay = 0;
    round->next_catalog = UINT32_MAX;  // + 1 is the first
    round->catalog_taken = true;
    round->ranked = false;
    round->found = NULL;
    if (!searching) return;
    struct round_found *index = &round->index;
    index->ahead_count = index->ahead_at = index->kept_at = 0;
    match_slot(&round->match, round->slot_index);
    sieve_slot(&round->match, round->book);
    index->keeping = index->kept_slot == UINT32_MAX ||
                     !match_first_same(&round->match, index->kept_slot, round->slot_index);
    if (!index->keeping) {
        match_pass_first(&round->match);
    } else {
        index->kept_slot = UINT32_MAX;
        index->kept_count = 0;
    }
}

static uint32_t
next_of_index(struct round *round)
{
    struct round_found *index = &round->index;
    if (!index->keeping && index->kept_at < index->kept_count) return index->kept[index->kept_at++];
    uint32_t bid = match_next(&round->match);
    if (!index->keeping) return bid;
    if (bid < round->catalog->judged_first && index->kept_count < ROUND_KEPT) {
        index->kept[index->kept_count++] = bid;
        return bid;
    }
    if (bid >= round->catalog->judged_first) index->kept_slot = round->slot_index;
    else index->kept_count = 0;
    index->keeping = false;
    index->kept_at = index->kept_count;
    return bid;
}

// All bids of the first sort will be asked for: they are found some at a time, so that what they
// are worth is called near together.
static uint32_t
next_found(struct round *round)
{
    struct round_found *index = &round->index;
    if (index->ahead_at < index->ahead_count) return index->ahead[index->ahead_at++];
    uint32_t count = 0, first = round->catalog->judged_first;
    do {
        index->ahead[count] = next_of_index(round);
    } while (index->ahead[count++] < first && count < ROUND_AHEAD);
    uint32_t firsts = index->ahead[count - 1] < first ? count : count - 1;
    if (firsts > 0) round_worth_expect(round, index->ahead, firsts);
    index->ahead_count = count;
    index->ahead_at = 1;
    return index->ahead[0];
}

// Catalog bids come from the index (searching) or one by one (all bids, for `why`).
static void
advance_catalog(struct round *round, bool searching)
{
    const struct catalog *catalog = round->catalog;
    do {
        if (searching) {
            round->next_catalog = next_found(round);
        } else if (++round->next_catalog >= catalog->bid_count) {
            round->next_catalog = UINT32_MAX;
        }
        if (round->next_catalog == UINT32_MAX) return;
    } while ((!searching && !addresses(round, &catalog->bids[round->next_catalog])) ||
             book_bid_replaced(round->book, round->next_catalog));
}

static bool
comes_before(const struct catalog_bid *a, bool a_first, const struct catalog_bid *b, bool b_first)
{
    if (a_first != b_first) return a_first;
    if (!a_first && a->price.micros != b->price.micros) return a->price.micros > b->price.micros;
    return a->id < b->id;
}

static const struct catalog_bid *
next_live(struct round *round, uint32_t *out_number)
{
    const struct round_live *live = round->live;
    while (live != NULL && round->next_live < live->count) {
        uint32_t i = round->next_live++;
        if (live->bids[i].slot != round->slot_index) continue;
        *out_number = round->catalog->bid_count + book_overlay(round->book).count + i;
        return &live->bids[i];
    }
    return NULL;
}

const struct catalog_bid *
round_bids_next(struct round *round, bool searching, uint32_t *out_number)
{
    const struct catalog_bid *bid = next_live(round, out_number);
    if (bid != NULL) return bid;
    const struct catalog *catalog = round->catalog;
    struct book_bids overlay = book_overlay(round->book);
    for (;; round->next_overlay++) {
        if (searching)
            round->next_overlay = sieve_next(&round->match, round->book, round->next_overlay);
        if (round->next_overlay >= overlay.count ||
            addresses(round, &overlay.bids[round->next_overlay]))
            break;
    }
    if (round->catalog_taken) advance_catalog(round, searching);
    round->catalog_taken = false;
    const struct catalog_bid *changed = NULL, *standing = NULL;
    bool changed_first = false, standing_first = round->next_catalog < catalog->judged_first;
    if (round->next_catalog != UINT32_MAX) standing = &catalog->bids[round->next_catalog];
    if (round->next_overlay < overlay.count) {
        changed = &overlay.bids[round->next_overlay];
        changed_first = round->next_overlay < overlay.judged_first;
    }
    if (changed != NULL &&
        (standing == NULL || comes_before(changed, changed_first, standing, standing_first))) {
        *out_number = catalog->bid_count + round->next_overlay++;
        round->ranked = !changed_first;
        return changed;
    }
    *out_number = round->next_catalog;
    round->catalog_taken = standing != NULL;
    round->found = searching ? standing : NULL;
    round->ranked = !standing_first;
    return standing;
}

const struct catalog_bid *
round_bids_at(const struct round *round, uint32_t number)
{
    if (number < round->catalog->bid_count) return &round->catalog->bids[number];
    number -= round->catalog->bid_count;
    struct book_bids overlay = book_overlay(round->book);
    if (number < overlay.count) return &overlay.bids[number];
    number -= overlay.count;
    CHECK(round->live != NULL && number < round->live->count);
    return &round->live->bids[number];
}

bool
round_bids_is_live(const struct round *round, const struct catalog_bid *bid)
{
    const struct round_live *live = round->live;
    return live != NULL && live->count > 0 && bid >= live->bids && bid < live->bids + live->count;
}

uint32_t
round_bids_group(const struct round *round, const struct catalog_bid *bid)
{
    if (!round_bids_is_live(round, bid)) return round->catalog->messages[bid->message].group;
    uint32_t group = round->live->groups == NULL ? 0 : round->live->groups[bid - round->live->bids];
    return group == 0 ? 0 : UINT32_C(1) << 31 | bid->seat << 8 | group;
}

// --- What an empty slot tells --------------------------------------------------------------------
// The dearest of the bids that rank by their price alone; when none of these addresses the slot,
// the first of the others.
static const struct catalog_bid *
dearer(const struct catalog_bid *a, bool a_first, const struct catalog_bid *b, bool b_first)
{
    if (a == NULL || b == NULL) return a == NULL ? b : a;
    return comes_before(b, b_first, a, a_first) ? b : a;
}

// Of the catalog from `from` on, and of the overlay, what addresses the slot and comes first.
static const struct catalog_bid *
first_standing(const struct round *round, uint32_t from, bool judged_first)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_bid *best = NULL;
    uint32_t end = judged_first ? catalog->judged_first : catalog->bid_count;
    for (uint32_t i = match_dearest(catalog, round->slot_index, from); i < end;
         i = match_dearest(catalog, round->slot_index, i + 1)) {
        if (book_bid_replaced(round->book, i)) continue;
        best = &catalog->bids[i];
        break;
    }
    struct book_bids overlay = book_overlay(round->book);
    for (uint32_t i = 0; i < overlay.count; i++) {
        const struct catalog_bid *bid = &overlay.bids[i];
        if ((i < overlay.judged_first) != judged_first || bid->state == BID_WITHDRAWN ||
            !match_addresses(catalog, bid, round->slot_index))
            continue;
        return dearer(best, judged_first, bid, judged_first);
    }
    return best;
}

const struct catalog_bid *
round_bids_dearest(const struct round *round)
{
    const struct round_live *live = round->live;
    const struct catalog_bid *best = first_standing(round, round->catalog->judged_first, false),
                             *other = NULL;
    for (uint32_t i = 0; live != NULL && i < live->count; i++) {
        const struct catalog_bid *bid = &live->bids[i];
        if (bid->slot != round->slot_index) continue;
        bool first = catalog_judged_first(round->catalog, bid->message, (enum price_kind)bid->kind);
        if (!first) best = dearer(best, false, bid, false);
        else if (other == NULL) other = bid;
    }
    if (best != NULL) return best;
    return other != NULL ? other : first_standing(round, 0, true);
}
