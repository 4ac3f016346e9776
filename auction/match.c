// Searching the bid index, in the catalog's order, and the static tests that index and round share.
//
// A contact selects one row per attribute (by its value, or "unknown") and one for the rungs its
// identity and consents open, and one more when it is distressed; a slot adds the row of its class
// and those of its own attributes. A row that holds every column says nothing and is left out. The
// rest is ANDed block by block (512 columns, one cache line a row), and a block is left as soon as
// nothing survives. What rows leave open of a survivor, its program checks.
//
// The parts of the index (match_index.c) are searched one after the other: first, dearest, rest.
// A plain part gives its survivors one by one, and is looked at no further than they are asked for.
// In a clustered part a contact has several streams, one for each cluster that it looks at, each
// ascending. They are poured together into a window of so many bids, as a set of bits, which gives
// their order; then comes the next window. A search that ends early pours no more than it needs.
#include "match.h"

#include <string.h>

#include "fact.h"
#include "fail.h"
#include "match_check.h"
#include "match_index.h"

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
    uint32_t dearest = catalog->index->dearest[slot];
    if (from >= catalog->judged_first && from <= dearest) return dearest;
    for (uint32_t i = from; i < catalog->bid_count; i++) {
        const struct catalog_bid *bid = &catalog->bids[i];
        if (bid->state != BID_WITHDRAWN && match_addresses(catalog, bid, slot)) return i;
    }
    return UINT32_MAX;
}

// --- Starting ------------------------------------------------------------------------------------
void
match_contact(struct match *match, const struct catalog *catalog, const struct contact *contact)
{
    const struct match_index *index = catalog->index;
    match->index = index;
    match->contact = contact;
    for (uint32_t i = 0; i < index->of_contact_count; i++) {
        uint32_t attribute = index->of_contact[i];
        bool known = contact->values.known >> attribute & 1;
        match->codes[attribute] = !known ? 0
                                         : (uint16_t)match_code(&index->codes[attribute],
                                                                contact->values.value[attribute]);
    }
    match->sieved_contact = false;
    match->codes[MATCH_OPEN] = 1;
    match->holds[MATCH_OPEN][0] = 1;
    match_check_lists(match);
}

void
match_slot(struct match *match, uint32_t slot)
{
    const struct match_index *index = match->index;
    const struct declared *values = &index->catalog->slots[slot].values;
    match->slot = slot;
    for (uint32_t i = 0; i < index->of_slot_count; i++) {
        uint32_t attribute = index->of_slot[i];
        bool known = values->known >> attribute & 1;
        match->codes[attribute] = !known ? 0
                                         : (uint16_t)match_code(&index->codes[attribute],
                                                                declared_value(values, attribute));
    }
    match->next_part = 0;
    match->stream_count = 0;
    match->part = NULL;
    match->last = UINT32_MAX;
}

bool
match_first_same(const struct match *match, uint32_t slot, uint32_t other)
{
    const struct match_index *index = match->index;
    return slot == other ||
           (index->first_by_class && index->slot_row[slot] == index->slot_row[other]);
}

void
match_pass_first(struct match *match)
{
    match->next_part = MATCH_PART_DEAREST;
}

// A row that holds few columns goes to the front.
static void
add_row(struct match *match, uint32_t row)
{
    const struct match_part *part = match->part;
    uint32_t count = part->counts[row], place = match->row_count;
    if (count == part->column_count) return;
    CHECK(place < MATCH_ROWS);
    if (count < part->column_count / 8) {
        match->rows[place] = match->rows[0];
        place = 0;
    }
    match->rows[place] = row;
    match->row_count++;
}

static void
choose_rows(struct match *match)
{
    const struct match_index *index = match->index;
    const struct match_part *part = match->part;
    const struct contact *contact = match->contact;
    match->row_count = 0;
    for (uint32_t i = 0; i < part->order_count; i++) {
        uint32_t attribute = part->order[i];
        add_row(match,
                match_row(part, &index->codes[attribute], attribute, match->codes[attribute]));
    }
    add_row(match, contact->identity * 8u + (contact->consent & 7u));
    if (contact->condition == CONDITION_DISTRESSED) add_row(match, MATCH_ROW_SERVED);
    uint32_t class = index->slot_row[match->slot];
    add_row(match, class);
    if (match->row_count == 0) match->rows[match->row_count++] = class;  // which columns there are
}

static void
add_stream(struct match *match, uint32_t cluster)
{
    const struct match_part *part = match->part;
    uint32_t word = part->cluster_first[cluster], end = part->cluster_first[cluster + 1];
    if (word == end) return;
    CHECK(match->stream_count < MATCH_STREAMS);
    struct match_stream *stream = &match->streams[match->stream_count++];
    stream->word = word;
    stream->end = end;
    stream->at = stream->loaded = 0;
}

static void
choose_streams(struct match *match)
{
    const struct match_part *part = match->part;
    const struct values *values = &match->contact->values;
    match->stream_count = 0;
    add_stream(match, 0);
    if (!part->clustered) return;
    add_stream(match, part->cluster_of_slot + match->slot);
    for (uint32_t i = 0; i < part->anchor_count; i++) {
        uint32_t attribute = part->anchors[i], first = part->cluster_of[attribute];
        const struct match_codes *codes = &match->index->codes[attribute];
        if (!(values->known >> attribute & 1)) continue;
        if (codes->how == MATCH_BY_WORD) {
            add_stream(match, first + match->codes[attribute]);
            continue;
        }
        const int32_t *items = values->list_items + (uint32_t)(values->value[attribute] >> 32);
        uint32_t count = (uint32_t)values->value[attribute];
        for (uint32_t item = 0; item < count; item++)
            add_stream(match, first + match_code(codes, items[item]));
    }
}

// --- Searching -----------------------------------------------------------------------------------
// A block of one row in vector registers: four of 16 bytes, which every x86-64 and arm64 has.
typedef uint64_t lane __attribute__((vector_size(16)));
#define LANES (MATCH_WORDS / 2)

// Columns of a large part are seldom in the cache: those of a block are fetched together instead of
// one after the other.
static void
call_near(const struct match_part *part, const struct match_stream *stream)
{
    for (uint32_t word = stream->at; word < stream->loaded; word++) {
        const struct match_column *columns = part->columns + (size_t)(stream->first + word) * 64;
        for (uint64_t bits = stream->bits[word]; bits != 0; bits &= bits - 1)
            __builtin_prefetch(&columns[__builtin_ctzll(bits)]);
    }
}

// Loads the survivors of the stream's next block; false when there are none.
static bool
load_block(const struct match *match, struct match_stream *stream)
{
    const struct match_part *part = match->part;
    uint32_t block = stream->word / MATCH_WORDS, from = stream->word % MATCH_WORDS;
    uint32_t first = block * MATCH_WORDS, last = first + MATCH_WORDS;
    stream->first = first;
    stream->at = from;
    stream->loaded = stream->end < last ? stream->end - first : MATCH_WORDS;
    stream->word = stream->end < last ? stream->end : last;
    const uint64_t *rows = part->bits + (size_t)block * part->rows * MATCH_WORDS;
    lane bits[LANES];
    memcpy(bits, rows + (size_t)match->rows[0] * MATCH_WORDS, sizeof bits);
    for (uint32_t i = 1; i < match->row_count; i++) {
        const lane *row = (const lane *)(const void *)(rows + (size_t)match->rows[i] * MATCH_WORDS);
#pragma GCC unroll 4
        for (unsigned j = 0; j < LANES; j++) bits[j] &= row[j];
        if (i % 4 != 3 && i + 1 < match->row_count) continue;  // asking costs as much as a row
        lane some = (bits[0] | bits[1]) | (bits[2] | bits[3]);
        if ((some[0] | some[1]) == 0) return false;
    }
    memcpy(stream->bits, bits, sizeof bits);
    if (part->clustered) call_near(part, stream);
    return true;
}

// What the column asks, without a branch that would be guessed wrong half the time.
static inline bool
column_true(const struct match *match, const struct match_column *column)
{
    unsigned truth = (column->slot == 0) | (column->slot == match->slot + 1);
#pragma GCC unroll 2
    for (unsigned i = 0; i < MATCH_RANGES; i++)
        truth &= (uint16_t)(match->codes[column->range[i]] - column->least[i]) <= column->span[i];
    const uint8_t *holds = match->holds[column->list];
    unsigned hits = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < MATCH_LIST_WORDS; i++) hits += holds[column->words[i]];
    return truth & ((hits >= column->hits) ^ column->list_negated) & holds[0];
}

static inline bool
passes(const struct match *match, const struct match_column *column)
{
    return column_true(match, column) &&
           (column->check == 0 ||
            match_check_true(match, match->part->checks + column->check, column->bid));
}

// Loads the next block of the stream in which anything survives; false at its end.
static inline bool
load_next(const struct match *match, struct match_stream *stream)
{
    while (stream->word < stream->end) {
        if (load_block(match, stream)) return true;
    }
    stream->at = stream->loaded;
    return false;
}

// The caller will look at this bid, and then probably at the next.
static inline void
call_next_bid(const struct match *match, const struct match_stream *stream)
{
    uint64_t bits = stream->bits[stream->at];
    if (bits == 0) return;
    size_t place = (size_t)(stream->first + stream->at) * 64 + (unsigned)__builtin_ctzll(bits);
    __builtin_prefetch(&match->index->catalog->bids[match->part->columns[place].bid]);
}

// The only stream's next bid; UINT32_MAX at its end.
static uint32_t
next_of_plain(struct match *match)
{
    struct match_stream *stream = &match->streams[0];
    do {
        for (; stream->at < stream->loaded; stream->at++) {
            while (stream->bits[stream->at] != 0) {
                uint64_t bits = stream->bits[stream->at];
                stream->bits[stream->at] = bits & (bits - 1);
                const struct match_column *column = match->part->columns +
                                                    (size_t)(stream->first + stream->at) * 64 +
                                                    (unsigned)__builtin_ctzll(bits);
                if (column->bid == match->last || !passes(match, column)) continue;
                match->last = column->bid;
                call_next_bid(match, stream);
                return column->bid;
            }
        }
    } while (load_next(match, stream));
    return UINT32_MAX;
}

// --- Windows -------------------------------------------------------------------------------------
// Moves what passes of a stream into the window. True: the stream has more behind the window.
static bool
pour(struct match *match, struct match_stream *stream)
{
    uint32_t first = match->window_first, end = first + MATCH_WINDOW;
    do {
        for (; stream->at < stream->loaded; stream->at++) {
            const struct match_column *columns = match->part->columns +
                                                 (size_t)(stream->first + stream->at) * 64;
            uint64_t bits = stream->bits[stream->at];
            for (; bits != 0; bits &= bits - 1) {
                const struct match_column *column = &columns[__builtin_ctzll(bits)];
                uint32_t place = column->bid - first;
                if (column->bid >= end) {
                    stream->bits[stream->at] = bits;
                    return true;
                }
                uint64_t truth = column_true(match, column);
                if (column->check != 0 && truth)
                    truth = match_check_true(match, match->part->checks + column->check,
                                             column->bid);
                match->window[place / 64] |= truth << place % 64;
            }
        }
    } while (load_next(match, stream));
    return false;
}

// The next bid of all streams; UINT32_MAX at their end.
static uint32_t
next_of_clustered(struct match *match)
{
    for (;;) {
        for (; match->window_at < MATCH_WINDOW / 64; match->window_at++) {
            uint64_t bits = match->window[match->window_at];
            if (bits == 0) continue;
            match->window[match->window_at] = bits & (bits - 1);
            return match->window_first + match->window_at * 64 + (uint32_t)__builtin_ctzll(bits);
        }
        if (match->stream_count == 0) return UINT32_MAX;
        match->window_first += MATCH_WINDOW;
        match->window_at = 0;
        uint32_t left = 0;
        for (uint32_t i = 0; i < match->stream_count; i++) {
            if (!pour(match, &match->streams[i])) continue;
            if (left < i) match->streams[left] = match->streams[i];
            left++;
        }
        match->stream_count = left;
    }
}

// Begins with the next part; false when there is none.
static bool
enter_part(struct match *match)
{
    if (match->next_part == MATCH_PARTS) return false;
    const struct match_part *part = &match->index->parts[match->next_part++];
    match->part = part;
    match->stream_count = 0;
    match->streams[0].at = match->streams[0].loaded = 0;
    match->streams[0].word = match->streams[0].end = 0;
    match->last = UINT32_MAX;
    match->window_first = part->bid_first - MATCH_WINDOW;  // the first is before the part
    match->window_at = MATCH_WINDOW / 64;
    if (part->column_count == 0) return true;
    choose_rows(match);
    if (part->counts[match->rows[0]] > 0) choose_streams(match);
    if (part->clustered) memset(match->window, 0, sizeof match->window);
    return true;
}

uint32_t
match_next(struct match *match)
{
    for (;;) {
        if (match->part != NULL) {
            uint32_t bid = match->part->clustered ? next_of_clustered(match) : next_of_plain(match);
            if (bid != UINT32_MAX) return bid;
        }
        if (!enter_part(match)) return UINT32_MAX;
    }
}
