// Searching the bid index, dearest first, and the static tests that index and round share.
//
// A contact selects one row per attribute (by its value, or "unknown"), one for the rungs its
// identity and consents open, and one more when it is distressed; a slot adds the row of its class
// and those of its own attributes. A row that holds every column says nothing and is left out. The
// rest is ANDed block by block (512 columns, one cache line a row), the sparsest row first, and a
// block is left as soon as nothing survives: without any eligible bid a search still reads only a
// few lines per block. Rows of lists are looked at last, and only when more than MATCH_FEW columns
// survive; fewer are cheaper to judge.
//
// Bids for one slot only would need a row for every slot; instead the slot has a list of the words
// in which it has columns, which runs along with the blocks: a column takes part when it is for any
// slot or in that list. The list is merged in last, into blocks in which something survived.
//
// What comes out may still fail (buckets, negated list demands, parts of rules that are not
// indexed, slot rules, floors, budgets, caps, validity): the round judges each. What is true always
// comes out.
#include "match.h"

#include <string.h>

#include "fact.h"
#include "fail.h"
#include "match_index.h"

#define MATCH_FEW 4

// --- Static tests --------------------------------------------------------------------------------
uint16_t
match_rungs_open(unsigned identity, unsigned consent)
{
    bool profiling = consent & 1u << CONSENT_PROFILING;
    bool modelling = consent & 1u << CONSENT_MODELLING;
    bool third_party = consent & 1u << CONSENT_THIRD_PARTY;
    bool recognized = identity != IDENTITY_ANONYMOUS;
    bool identified = identity == IDENTITY_REPEAT;
    unsigned open = 1u << RUNG_GEOGRAPHIC;
    if (profiling) open |= 1u << RUNG_DEMOGRAPHIC;
    if (profiling && recognized) open |= 1u << RUNG_BEHAVIORAL;
    if (profiling && identified) open |= 1u << RUNG_PERSONALIZATION;
    if (modelling && identified) open |= 1u << RUNG_PREDICTIVE;
    if (third_party)
        open |= 1u << RUNG_COMMERCIALIZATION | 1u << RUNG_AFFILIATION | 1u << RUNG_SYNDICATION;
    return (uint16_t)open;
}

bool
match_seat_kind_admits(unsigned kind, unsigned rung)
{
    if (kind == SEAT_PARTNER) return rung >= RUNG_COMMERCIALIZATION;
    return rung <= RUNG_PREDICTIVE || rung == RUNG_SYNDICATION;
}

bool
match_serves(unsigned objectives)
{
    return (objectives & (1u << OBJECTIVE_FULFILL | 1u << OBJECTIVE_EDUCATE)) != 0;
}

enum reason
match_admission(const struct catalog *catalog, const struct catalog_slot *slot,
                const struct catalog_message *message)
{
    if (!match_seat_kind_admits(catalog->seats[message->seat].kind, message->rung))
        return REASON_SEAT_KIND;
    if ((slot->rungs & 1u << message->rung) == 0) return REASON_RUNG;
    if ((slot->objectives & message->objectives) == 0) return REASON_OBJECTIVE;
    if (slot->format_count == 0) return REASON_NONE;
    for (uint32_t i = 0; i < slot->format_count; i++) {
        if (slot->formats[i] == message->format) return REASON_NONE;
    }
    return REASON_FORMAT;
}

bool
match_addresses(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t slot)
{
    if (bid->slot != UINT32_MAX) return bid->slot == slot;
    const struct catalog_message *message = &catalog->messages[bid->message];
    return match_admission(catalog, &catalog->slots[slot], message) == REASON_NONE;
}

uint32_t
match_dearest(const struct catalog *catalog, uint32_t slot, uint32_t from)
{
    if (from <= catalog->index->dearest[slot]) return catalog->index->dearest[slot];
    for (uint32_t i = from; i < catalog->bid_count; i++) {
        const struct catalog_bid *bid = &catalog->bids[i];
        if (bid->state != BID_WITHDRAWN && match_addresses(catalog, bid, slot)) return i;
    }
    return UINT32_MAX;
}

// --- Choosing rows -------------------------------------------------------------------------------
// Keeps rows sorted, sparsest first; a full row says nothing.
static void
add_row(const struct match_index *index, uint32_t *rows, uint32_t *count, uint32_t row)
{
    if (index->counts[row] == index->columns) return;
    uint32_t place = (*count)++;
    CHECK(place < MATCH_ROWS);
    for (; place > 0 && index->counts[rows[place - 1]] > index->counts[row]; place--)
        rows[place] = rows[place - 1];
    rows[place] = row;
}

static uint32_t
cell_of_word(const struct match_cells *cells, int64_t word, uint32_t otherwise)
{
    int64_t offset = word - cells->least;
    if (word < 0 || offset < 0 || offset >= cells->span) return otherwise;
    uint32_t cell = cells->cell_of[offset];
    return cell == 0 ? otherwise : cell;
}

static uint32_t
row_of_value(const struct match_cells *cells, int64_t value)
{
    if (cells->how == MATCH_BY_WORD) return cells->row + cell_of_word(cells, value, 1);
    uint32_t low = 0, high = cells->bound_count;  // the first bound above the value
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (value < cells->bounds[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return cells->row + 1 + low;
}

// A list without any word that a rule asks for is an ordinary row: the base.
static void
add_list(struct match *match, const struct match_cells *cells, const struct values *values,
         uint32_t attribute, uint32_t *rows, uint32_t *row_count)
{
    struct match_list list = {.base = cells->row, .first = match->list_row_count};
    bool known = values->known >> attribute & 1;
    uint32_t first = (uint32_t)(values->value[attribute] >> 32),
             items = (uint32_t)values->value[attribute];
    for (uint32_t i = 0; known && i < items; i++) {
        uint32_t cell = cell_of_word(cells, values->list_items[first + i], 0);
        if (cell == 0) continue;
        CHECK(match->list_row_count < BOUND_LIST_ITEMS);
        match->list_rows[match->list_row_count++] = cells->row + cell;
        list.count++;
    }
    if (list.count == 0) {
        add_row(match->index, rows, row_count, list.base);
    } else {
        match->lists[match->list_count++] = list;
    }
}

void
match_contact(struct match *match, const struct catalog *catalog, const struct contact *contact)
{
    const struct match_index *index = catalog->index;
    match->index = index;
    match->contact_row_count = match->list_count = match->list_row_count = 0;
    uint32_t gate = contact->identity * 8u + (contact->consent & 7u);
    add_row(index, match->contact_rows, &match->contact_row_count, gate);
    if (contact->condition == CONDITION_DISTRESSED)
        add_row(index, match->contact_rows, &match->contact_row_count, MATCH_ROW_SERVED);
    for (uint32_t i = 0; i < index->of_contact_count; i++) {
        uint32_t attribute = index->of_contact[i];
        const struct match_cells *cells = &index->cells[attribute];
        if (cells->how == MATCH_BY_LIST) {
            add_list(match, cells, &contact->values, attribute, match->contact_rows,
                     &match->contact_row_count);
        } else {
            bool known = contact->values.known >> attribute & 1;
            uint32_t row = known ? row_of_value(cells, contact->values.value[attribute])
                                 : cells->row;
            add_row(index, match->contact_rows, &match->contact_row_count, row);
        }
    }
}

void
match_slot(struct match *match, uint32_t slot)
{
    const struct match_index *index = match->index;
    const struct declared *values = &index->catalog->slots[slot].values;
    match->row_count = match->contact_row_count;
    memcpy(match->rows, match->contact_rows, match->row_count * sizeof *match->rows);
    for (uint32_t i = 0; i < index->of_slot_count; i++) {
        uint32_t attribute = index->of_slot[i];
        const struct match_cells *cells = &index->cells[attribute];
        // Demands on a slot's lists are rare: left to the judge.
        if (cells->how == MATCH_BY_LIST) continue;
        bool known = values->known >> attribute & 1;
        uint32_t row = known ? row_of_value(cells, declared_value(values, attribute)) : cells->row;
        add_row(index, match->rows, &match->row_count, row);
    }
    add_row(index, match->rows, &match->row_count, index->slot_row[slot]);
    if (match->row_count == 0) match->rows[match->row_count++] = index->slot_row[slot];
    match->own = index->own + index->own_first[slot];
    match->own_count = index->own_first[slot + 1] - index->own_first[slot];
    match->own_next = 0;
    match->any_full = index->counts[MATCH_ROW_ANY] == index->columns;
    match->slot_only = index->counts[MATCH_ROW_ANY] == 0;
    match->block = 0;
    match->word = MATCH_WORDS;
    match->last = UINT32_MAX;
    if (index->counts[match->rows[0]] == 0) match->block = index->blocks;
}

// --- Searching -----------------------------------------------------------------------------------
// A block of one row in vector registers: four of 16 bytes, which every x86-64 and arm64 has.
typedef uint64_t lane __attribute__((vector_size(16)));
#define LANES (MATCH_WORDS / 2)

// Where the rows' words of a block are: row r's begin at r * MATCH_CHUNK_WORDS.
static inline const uint64_t *
block_rows(const struct match_index *index, uint32_t block)
{
    size_t chunk = block / MATCH_CHUNK_BLOCKS, within = block % MATCH_CHUNK_BLOCKS;
    return index->bits + chunk * index->rows * MATCH_CHUNK_WORDS + within * MATCH_WORDS;
}

static inline const lane *
row_lanes(const uint64_t *rows, uint32_t row)
{
    return (const lane *)(const void *)(rows + (size_t)row * MATCH_CHUNK_WORDS);
}

static inline void
and_lanes(lane bits[LANES], const lane *row)
{
    for (unsigned i = 0; i < LANES; i++) bits[i] &= row[i];
}

static inline bool
any(const lane bits[LANES])
{
    lane some = bits[0];
    for (unsigned i = 1; i < LANES; i++) some |= bits[i];
    return (some[0] | some[1]) != 0;
}

// Keeps the columns of the block that are for any slot or for this one.
static inline void
and_slot(struct match *match, const uint64_t *rows, uint32_t block, lane bits[LANES])
{
    lane takes[LANES];
    uint64_t words[MATCH_WORDS];
    memcpy(words, row_lanes(rows, MATCH_ROW_ANY), sizeof words);
    uint32_t first = block * MATCH_WORDS, next = match->own_next;
    while (next < match->own_count && match->own[next].word < first) next++;
    for (; next < match->own_count && match->own[next].word - first < MATCH_WORDS; next++)
        words[match->own[next].word - first] |= match->own[next].columns;
    match->own_next = next;
    memcpy(takes, words, sizeof takes);
    and_lanes(bits, takes);
}

static void
and_lists(const struct match *match, const uint64_t *rows, lane bits[LANES])
{
    for (uint32_t i = 0; i < match->list_count; i++) {
        const struct match_list *list = &match->lists[i];
        lane takes[LANES];
        memcpy(takes, row_lanes(rows, list->base), sizeof takes);
        for (uint32_t word = 0; word < list->count; word++) {
            const lane *row = row_lanes(rows, match->list_rows[list->first + word]);
            for (unsigned j = 0; j < LANES; j++) takes[j] |= row[j];
        }
        and_lanes(bits, takes);
    }
}

static inline bool
more_than_few(const uint64_t bits[MATCH_WORDS])
{
    unsigned survivors = 0;
    for (unsigned i = 0; i < MATCH_WORDS && survivors <= MATCH_FEW; i++) {
        for (uint64_t left = bits[i]; left != 0 && survivors <= MATCH_FEW; left &= left - 1)
            survivors++;
    }
    return survivors > MATCH_FEW;
}

// Loads the survivors of one block; false when there are none.
static inline bool
load_block(struct match *match, uint32_t block)
{
    const uint64_t *rows = block_rows(match->index, block);
    lane bits[LANES];
    memcpy(bits, row_lanes(rows, match->rows[0]), sizeof bits);
    for (uint32_t i = 1; i < match->row_count; i++) {
        and_lanes(bits, row_lanes(rows, match->rows[i]));
        if (!any(bits)) return false;
    }
    if (!match->any_full) and_slot(match, rows, block, bits);
    memcpy(match->bits, bits, sizeof match->bits);
    if (match->list_count > 0 && more_than_few(match->bits)) {
        and_lists(match, rows, bits);
        memcpy(match->bits, bits, sizeof match->bits);
    }
    return any(bits);
}

static bool
load_next(struct match *match)
{
    while (match->block < match->index->blocks) {
        if (match->slot_only) {  // straight to the next block in which the slot has bids
            while (match->own_next < match->own_count &&
                   match->own[match->own_next].word < match->block * MATCH_WORDS)
                match->own_next++;
            if (match->own_next == match->own_count) return false;
            match->block = match->own[match->own_next].word / MATCH_WORDS;
        }
        uint32_t block = match->block++;
        if (!load_block(match, block)) continue;
        match->first = block * MATCH_BLOCK;
        match->word = 0;
        return true;
    }
    return false;
}

uint32_t
match_next(struct match *match)
{
    for (;;) {
        while (match->word < MATCH_WORDS) {
            uint64_t bits = match->bits[match->word];
            if (bits == 0) {
                match->word++;
                continue;
            }
            match->bits[match->word] = bits & (bits - 1);
            uint32_t column = match->first + match->word * 64 + (uint32_t)__builtin_ctzll(bits);
            uint32_t bid = match->index->bid_of[column];
            if (bid == match->last) continue;
            match->last = bid;
            return bid;
        }
        if (!load_next(match)) return UINT32_MAX;
    }
}
