// The sieve: bitmaps like those of the bid index (match_index.c), coarser, over the bids that
// changed since the catalog, and kept up while they change.
//
// A row stands for what a contact or a slot may be: an identity with its consents, distress, a
// class of slots, a value (or a bucket of values) of an attribute of the contact, a slot. A set bit
// says that it stops the bid. What a contact leaves of all bids is what no row that it selects
// stops. Which rows stop a message follows from the catalog alone: with it comes a mask a message,
// made by whoever loads it, so that a bid's column is a copy of its message's mask, and a catalog
// that takes over has masks turned into rows, 64 at a time.
//
// Columns go by the entry of the overlay, which stays where it is; order comes from the place of
// each entry that is left.
//
// Invariants
//   (1) no false stop: a bit is set only if the bid cannot be eligible when its row is selected.
//       Rules that are too long, lists, and attributes for which there are no rows stop nothing
//   (2) a column is that of the entry's message and slot (`message`, `slot`); without them, empty
#include "sieve.h"

#include <string.h>

#include "book_parts.h"
#include "fail.h"
#include "match_index.h"
#include "match_rules.h"

// Rows of a message's mask: identities with consents, distress, classes of slots; attributes.
enum { ROW_DISTRESSED = MATCH_GATES, ROW_CLASSES, ROW_ATTRIBUTES = 64 };
typedef uint64_t lane __attribute__((vector_size(16)));
#define CLASSES (ROW_ATTRIBUTES - ROW_CLASSES)  // others stop nothing

struct sieve_plan {
    struct match_part shape;  // which rows attributes have; it has no columns
    uint64_t (*stops)[SIEVE_WORDS];
};

// --- The plan ------------------------------------------------------------------------------------
struct planning {
    const struct catalog *catalog;
    const struct match_index *index;
    struct match_part *shape;
    uint64_t *words;  // by row: terms that are possible in it
    uint32_t class_slot[CLASSES], classes;
};

// Rows of all attributes with so many of each; false when there is no room for them.
static bool
shape_rows(const struct match_index *index, struct match_part *shape, uint8_t shift,
           uint32_t word_rows)
{
    shape->shift = shift;
    shape->word_rows = word_rows;
    shape->rows = ROW_ATTRIBUTES;
    bool all = true;
    for (uint32_t a = 0; a < BOUND_ATTRIBUTES; a++) shape->row_of[a] = MATCH_NONE;
    for (uint32_t i = 0; i < index->of_contact_count; i++) {
        uint32_t attribute = index->of_contact[i];
        uint32_t rows = match_codes_rows(shape, &index->codes[attribute]);
        if (shape->rows + rows > SIEVE_ROWS) {
            all = false;
            continue;
        }
        shape->row_of[attribute] = shape->rows;
        shape->rows += rows;
    }
    return all;
}

static void
plan_classes(struct planning *planning)
{
    for (uint32_t slot = 0; slot < planning->catalog->slot_count; slot++) {
        uint32_t class = planning->index->slot_row[slot] - MATCH_ROW_CLASSES;
        if (class >= CLASSES || class < planning->classes) continue;
        CHECK(class == planning->classes);
        planning->class_slot[planning->classes++] = slot;
    }
}

static void
stop(uint64_t *mask, uint32_t row, bool stops)
{
    mask[row / 64] |= (uint64_t)stops << row % 64;
}

// The row behind those of an attribute; without rows, MATCH_NONE itself.
static uint32_t
end_of(const struct planning *planning, uint32_t attribute)
{
    uint32_t row = planning->shape->row_of[attribute];
    if (row == MATCH_NONE) return row;
    return row + match_codes_rows(planning->shape, &planning->index->codes[attribute]);
}

static void
open_rows(const struct planning *planning, uint32_t attribute)
{
    uint32_t end = end_of(planning, attribute);
    for (uint32_t row = planning->shape->row_of[attribute]; row < end; row++)
        planning->words[row] = ~UINT64_C(0);
}

static void
plan_message(const struct planning *planning, uint32_t index, uint64_t mask[SIEVE_WORDS])
{
    const struct catalog *catalog = planning->catalog;
    const struct catalog_message *message = &catalog->messages[index];
    struct catalog_bid bid = {
        .message = index, .seat = message->seat, .slot = UINT32_MAX, .state = BID_ACTIVE};
    uint32_t terms = match_rules_terms(catalog, &bid);
    for (unsigned gate = 0; gate < MATCH_GATES; gate++)
        stop(mask, gate,
             terms == 0 || !(match_rungs_open(gate / 8, gate % 8) & 1u << message->rung));
    stop(mask, ROW_DISTRESSED, !match_serves(message->objectives));
    for (uint32_t class = 0; class < planning->classes; class ++) {
        const struct catalog_slot *slot = &catalog->slots[planning->class_slot[class]];
        stop(mask, ROW_CLASSES + class, match_admission(catalog, slot, message) != REASON_NONE);
    }
    CHECK(terms < 64);
    uint64_t asked = 0;  // attributes
    for (uint32_t term = 0; term < terms; term++) {
        struct match_leaves leaves;
        match_rules_leaves(catalog, &bid, term, &leaves);
        for (uint32_t i = 0; i < leaves.count; i++) {
            uint32_t attribute = leaves.leaf[i]->attribute;
            if (!(asked >> attribute & 1)) open_rows(planning, attribute);
            asked |= UINT64_C(1) << attribute;
            match_codes_fill(planning->index, planning->shape, leaves.leaf[i], leaves.sets[i],
                             UINT64_C(1) << term, planning->words);
        }
    }
    uint64_t any = (UINT64_C(1) << terms) - 1;
    for (; asked != 0; asked &= asked - 1) {
        uint32_t attribute = (uint32_t)__builtin_ctzll(asked), end = end_of(planning, attribute);
        for (uint32_t row = planning->shape->row_of[attribute]; row < end; row++)
            stop(mask, row, (planning->words[row] & any) == 0);
    }
}

const struct sieve_plan *
sieve_plan(const struct match_index *index, struct arena *arena, struct arena *scratch)
{
    static const struct {
        uint8_t shift;
        uint32_t word_rows;
    } shapes[] = {{0, 62}, {0, 30}, {1, 30}, {1, 14}, {2, 14}, {2, 6}, {3, 6}};
    const struct catalog *catalog = index->catalog;
    struct sieve_plan *plan = arena_take(arena, 1, sizeof *plan);
    struct planning planning = {.catalog = catalog, .index = index, .shape = &plan->shape};
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shape_rows(index, &plan->shape, shapes[i].shift, shapes[i].word_rows)) break;
    plan_classes(&planning);
    planning.words = arena_take(scratch, SIEVE_ROWS, sizeof *planning.words);
    plan->stops = arena_take(arena, catalog->message_count + 1, sizeof *plan->stops);
    for (uint32_t i = 0; i < catalog->message_count; i++)
        plan_message(&planning, i, plan->stops[i]);
    return plan;
}

void
sieve_expect(const struct sieve_plan *plan, uint32_t message)
{
    __builtin_prefetch(plan->stops[message]);
}

// --- Columns -------------------------------------------------------------------------------------
void
sieve_open(struct sieve *sieve, struct arena *arena, uint32_t capacity)
{
    uint32_t room = capacity < MATCH_SIEVED ? capacity : MATCH_SIEVED;
    // A line more than needed: rows that are a power of two apart would share the cache's sets.
    uint32_t lines = (room + MATCH_BLOCK - 1) / MATCH_BLOCK + 1;
    *sieve = (struct sieve){.room = room, .stride = lines * MATCH_WORDS};
    sieve->rows = arena_take(arena, (size_t)(SIEVE_ROWS + SIEVE_SLOTS) * lines,
                             MATCH_WORDS * sizeof *sieve->rows);
    sieve->active = arena_take(arena, lines, MATCH_WORDS * sizeof *sieve->active);
    sieve->message = arena_take(arena, sieve->stride * 64, sizeof *sieve->message);
    sieve->slot = arena_take(arena, sieve->stride * 64, sizeof *sieve->slot);
    memset(sieve->message, 0xff, sieve->stride * 64 * sizeof *sieve->message);
    memset(sieve->slot, 0xff, sieve->stride * 64 * sizeof *sieve->slot);
    // Touched here, so that the first catalog that comes while selling waits for no new pages.
    memset(sieve->rows, 0, (size_t)(SIEVE_ROWS + SIEVE_SLOTS) * sieve->stride * sizeof(uint64_t));
}

static uint64_t
slot_mask(uint32_t slot)
{
    return slot == UINT32_MAX ? 0 : ~(UINT64_C(1) << slot % SIEVE_SLOTS);
}

static void
turn_bits(struct sieve *sieve, uint32_t first_row, uint64_t rows, uint32_t entry)
{
    for (; rows != 0; rows &= rows - 1) {
        uint32_t row = first_row + (uint32_t)__builtin_ctzll(rows);
        sieve->rows[(size_t)row * sieve->stride + entry / 64] ^= UINT64_C(1) << entry % 64;
    }
}

void
sieve_note(struct sieve *sieve, uint32_t entry, uint32_t message, uint32_t slot, bool active)
{
    if (entry >= sieve->room) return;
    uint64_t bit = UINT64_C(1) << entry % 64;
    sieve->active[entry / 64] = (sieve->active[entry / 64] & ~bit) | (active ? bit : 0);
    sieve->message[entry] = message;
    sieve->slot[entry] = message == SIEVE_NONE ? UINT32_MAX : slot;
}

void
sieve_set(struct sieve *sieve, const struct sieve_plan *plan, uint32_t entry, uint32_t message,
          uint32_t slot, bool active)
{
    static const uint64_t none[SIEVE_WORDS] = {0};
    if (entry >= sieve->room) return;
    uint32_t before = sieve->message[entry], slot_before = sieve->slot[entry];
    sieve_note(sieve, entry, message, slot, active);
    turn_bits(sieve, SIEVE_ROWS, slot_mask(slot_before) ^ slot_mask(sieve->slot[entry]), entry);
    if (before == message) return;
    const uint64_t *old = before == SIEVE_NONE ? none : plan->stops[before];
    const uint64_t *new = message == SIEVE_NONE ? none : plan->stops[message];
    for (unsigned i = 0; i < SIEVE_WORDS; i++) turn_bits(sieve, i * 64, old[i] ^ new[i], entry);
}

// Bit j of word i becomes bit i of word j: halves are swapped, then quarters, and so on; two words
// at a time while they are swapped with two others.
static void
transpose(lane pairs[32])
{
    uint64_t low = UINT32_MAX;
    for (unsigned half = 32; half > 1; half /= 2, low ^= low << half) {
        for (unsigned first = 0; first < 32; first += half) {
            for (unsigned i = first; i < first + half / 2; i++) {
                lane swapped = ((pairs[i] >> half) ^ pairs[i + half / 2]) & low;
                pairs[i + half / 2] ^= swapped;
                pairs[i] ^= swapped << half;
            }
        }
    }
    for (unsigned i = 0; i < 32; i++) {
        uint64_t swapped = ((pairs[i][0] >> 1) ^ pairs[i][1]) & low;
        pairs[i][1] ^= swapped;
        pairs[i][0] ^= swapped << 1;
    }
}

// One word of 64 rows.
static void
write_word(struct sieve *sieve, uint32_t first_row, uint32_t word, const uint64_t columns[64])
{
    uint64_t any = 0;
    for (unsigned i = 0; i < 64; i++) any |= columns[i];
    uint64_t *row = sieve->rows + (size_t)first_row * sieve->stride + word;
    lane pairs[32];
    memcpy(pairs, columns, sizeof pairs);
    if (any != 0) transpose(pairs);
    for (unsigned i = 0; i < 64; i++, row += sieve->stride) *row = pairs[i / 2][i % 2];
}

void
sieve_write(struct sieve *sieve, const struct sieve_plan *plan, uint32_t count)
{
    static const uint64_t none[SIEVE_WORDS] = {0};
    uint64_t columns[64];
    uint32_t words = ((count < sieve->room ? count : sieve->room) + 63) / 64;
    // The rows of the plan before, too: what it set there must not wait for a later plan.
    uint32_t rows = plan->shape.rows > sieve->row_count ? plan->shape.rows : sieve->row_count;
    sieve->row_count = plan->shape.rows;
    for (uint32_t word = 0; word < words; word++) {
        const uint64_t *masks[64];
        const uint32_t *message = &sieve->message[word * 64], *slot = &sieve->slot[word * 64];
        for (unsigned i = 0; i < 64; i++)
            masks[i] = message[i] == SIEVE_NONE ? none : plan->stops[message[i]];
        for (uint32_t first = 0; first < rows; first += 64) {
            for (unsigned i = 0; i < 64; i++) columns[i] = masks[i][first / 64];
            write_word(sieve, first, word, columns);
        }
        for (unsigned i = 0; i < 64; i++) columns[i] = slot_mask(slot[i]);
        write_word(sieve, SIEVE_ROWS, word, columns);
    }
}

// --- Searching -----------------------------------------------------------------------------------
// The rows that a contact selects; their number.
static uint32_t
rows_of_contact(const struct match *match, const struct sieve_plan *plan, uint32_t *out_rows)
{
    const struct match_index *index = match->index;
    const struct contact *contact = match->contact;
    uint32_t count = 0;
    out_rows[count++] = contact->identity * 8u + (contact->consent & 7u);
    if (contact->condition == CONDITION_DISTRESSED) out_rows[count++] = ROW_DISTRESSED;
    for (uint32_t i = 0; i < index->of_contact_count; i++) {
        uint32_t attribute = index->of_contact[i];
        if (plan->shape.row_of[attribute] == MATCH_NONE) continue;
        out_rows[count++] = match_row(&plan->shape, &index->codes[attribute], attribute,
                                      match->codes[attribute]);
    }
    return count;
}

// What the contact leaves, whatever the slot.
static void
sift_contact(struct match *match, const struct sieve *sieve)
{
    uint32_t rows[BOUND_ATTRIBUTES + 2];
    uint32_t count = rows_of_contact(match, match->index->sieve, rows);
    for (uint32_t first = 0; first < match->sieved_words; first += MATCH_WORDS) {
        lane stops[MATCH_WORDS / 2] = {{0}};
        for (uint32_t i = 0; i < count; i++) {
            const lane *row = (const lane *)(const void *)(sieve->rows + first +
                                                           (size_t)rows[i] * sieve->stride);
#pragma GCC unroll 4
            for (unsigned j = 0; j < MATCH_WORDS / 2; j++) stops[j] |= row[j];
        }
        uint64_t words[MATCH_WORDS];
        memcpy(words, stops, sizeof words);
        for (unsigned j = 0; j < MATCH_WORDS; j++)
            match->sieved[first + j] = sieve->active[first + j] & ~words[j];
    }
    match->sieved_contact = true;
}

void
sieve_slot(struct match *match, const struct book *book)
{
    const struct overlay *overlay = &book->overlay;
    const struct sieve *sieve = &overlay->sieve;
    const struct match_index *index = match->index;
    match->sieves = overlay->catalog == index->catalog && overlay->count <= sieve->room;
    if (!match->sieves) return;
    if (!match->sieved_contact) {
        uint32_t words = (overlay->count + 63) / 64;
        match->sieved_words = (words + MATCH_WORDS - 1) / MATCH_WORDS * MATCH_WORDS;
        sift_contact(match, sieve);
    }
    uint32_t class = index->slot_row[match->slot] - MATCH_ROW_CLASSES;
    const uint64_t *by_slot = sieve->rows +
                              (size_t)(SIEVE_ROWS + match->slot % SIEVE_SLOTS) * sieve->stride;
    const uint64_t *by_class = class < CLASSES
                                   ? sieve->rows + (size_t)(ROW_CLASSES + class) * sieve->stride
                                   : by_slot;
    memset(match->places, 0, match->sieved_words * sizeof *match->places);
    for (uint32_t word = 0; word < match->sieved_words; word++) {
        uint64_t left = match->sieved[word] & ~by_class[word] & ~by_slot[word];
        for (; left != 0; left &= left - 1) {
            uint32_t place = overlay->place_of[word * 64 + (uint32_t)__builtin_ctzll(left)];
            match->places[place / 64] |= UINT64_C(1) << place % 64;
        }
    }
}

uint32_t
sieve_next(const struct match *match, const struct book *book, uint32_t place)
{
    uint32_t count = book->overlay.sorted_count, word = place / 64;
    if (!match->sieves || place >= count) return place < count ? place : count;
    uint64_t left = match->places[word] & ~UINT64_C(0) << place % 64;
    while (left == 0) {
        if (++word >= match->sieved_words) return count;
        left = match->places[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(left);
}
