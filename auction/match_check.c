// What a column asks beyond its rows.
//
// A program is a row of leaves in 32-bit words, one after the other, and ends with a word 0. A
// leaf's first word holds its kind (the lowest eight bits, never 0), negated (bit 8), attribute
// (bits 9 to 15) and count (above). Behind it stand
//   EXPR_RANGE       least and most, two words each, the lower half first
//   EXPR_IN          of texts and lists a word each; of integers two (WIDE)
//   EXPR_ANY, _ALL   the words of the set
//   EXPR_KNOWN       nothing
// and RULES, which has nothing either, judges the bid's seat rule and message rule as a whole.
//
// Truth is expr.h's: an unknown attribute makes a leaf false, but for EXPR_KNOWN negated; what the
// contact does not know is asked of the slot.
#include "match_check.h"

#include <string.h>

#include "fail.h"
#include "match.h"
#include "match_index.h"

enum { RULES = EXPR_KNOWN + 1, WIDE };

// --- Writing -------------------------------------------------------------------------------------
static uint32_t
put(uint32_t *words, uint32_t at, uint32_t word)
{
    if (words != NULL) words[at] = word;
    return at + 1;
}

static uint32_t
put_wide(uint32_t *words, uint32_t at, int64_t value)
{
    at = put(words, at, (uint32_t)(uint64_t)value);
    return put(words, at, (uint32_t)((uint64_t)value >> 32));
}

uint32_t
match_check_leaf(uint32_t *words, const struct expr_node *leaf, const int64_t *set)
{
    uint32_t kind = leaf->kind, at = 0;
    bool listed = kind == EXPR_IN || kind == EXPR_ANY || kind == EXPR_ALL;
    uint32_t count = listed ? leaf->count : 0;
    for (uint32_t i = 0; kind == EXPR_IN && i < count; i++) {
        if (set[i] < 0 || set[i] > INT32_MAX) kind = WIDE;
    }
    at = put(words, at,
             kind | (leaf->negated ? 1u << 8 : 0) | (uint32_t)leaf->attribute << 9 | count << 16);
    if (kind == EXPR_RANGE) {
        at = put_wide(words, at, leaf->least);
        at = put_wide(words, at, leaf->most);
    }
    for (uint32_t i = 0; i < count; i++)
        at = kind == WIDE ? put_wide(words, at, set[i]) : put(words, at, (uint32_t)set[i]);
    return at;
}

uint32_t
match_check_rules(uint32_t *words)
{
    return put(words, 0, RULES);
}

uint32_t
match_check_end(uint32_t *words)
{
    return put(words, 0, 0);
}

// --- Lists of the contact ------------------------------------------------------------------------
void
match_check_lists(struct match *match)
{
    const struct values *values = &match->contact->values;
    const struct match_index *index = match->index;
    for (uint32_t i = 0; i < match->noted_count; i++)
        match->holds[match->noted[i].attribute][match->noted[i].code] = 0;
    match->noted_count = 0;
    for (uint32_t i = 0; i < index->list_count; i++) {
        uint32_t attribute = index->lists[i];
        bool known = values->known >> attribute & 1;
        match->holds[attribute][0] = known;
        if (!known) continue;
        const int32_t *items = values->list_items + (uint32_t)(values->value[attribute] >> 32);
        uint32_t count = (uint32_t)values->value[attribute];
        for (uint32_t item = 0; item < count; item++) {
            uint32_t code = match_code(&index->codes[attribute], items[item]);
            if (code >= MATCH_HELD) continue;
            CHECK(match->noted_count < BOUND_LIST_ITEMS);
            match->noted[match->noted_count++] = (struct match_noted){(uint16_t)attribute,
                                                                      (uint16_t)code};
            match->holds[attribute][code] = 1;
        }
    }
}

static bool
holds(const int32_t *items, uint32_t count, int32_t word)
{
    while (count > 0) {
        uint32_t half = count / 2;
        if (items[half] == word) return true;
        if (items[half] < word) {
            items += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return false;
}

// --- Judging -------------------------------------------------------------------------------------
struct list {
    const int32_t *items;
    uint32_t count;
};

static bool
list_true(uint32_t kind, const struct list *list, const uint32_t *set, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool has = holds(list->items, list->count, (int32_t)set[i]);
        if (has != (kind == EXPR_ALL)) return has;
    }
    return kind == EXPR_ALL;
}

static inline int64_t
wide(const uint32_t *words)
{
    return (int64_t)((uint64_t)words[1] << 32 | words[0]);
}

static bool
among(uint32_t kind, const uint32_t *set, uint32_t count, int64_t value)
{
    for (uint32_t i = 0; i < count; i++) {
        if ((kind == WIDE ? wide(set + 2 * (size_t)i) : (int64_t)set[i]) == value) return true;
    }
    return false;
}

static bool
rules_true(const struct match *match, uint32_t bid_index)
{
    const struct catalog *catalog = match->index->catalog;
    const struct catalog_bid *bid = &catalog->bids[bid_index];
    const struct declared *slot = &catalog->slots[match->slot].values;
    const struct values *values = &match->contact->values;
    return expr_true_with(&catalog->seats[bid->seat].rule, values, slot, NULL) &&
           expr_true_with(&catalog->messages[bid->message].rule, values, slot, NULL);
}

bool
match_check_true(const struct match *match, const uint32_t *words, uint32_t bid)
{
    const struct values *values = &match->contact->values;
    while (*words != 0) {
        uint32_t kind = *words & 0xff, attribute = *words >> 9 & 0x7f, count = *words >> 16;
        bool negated = *words >> 8 & 1, truth;
        words++;
        if (kind == RULES) {
            if (!rules_true(match, bid)) return false;
            continue;
        }
        bool known = values->known >> attribute & 1;
        int64_t value = values->value[attribute];
        struct list list = {values->list_items, 0};
        if (!known) {
            const struct declared *slot = &match->index->catalog->slots[match->slot].values;
            known = slot->known >> attribute & 1;
            value = known ? declared_value(slot, attribute) : 0;
            list.items = slot->list_items;
        }
        if (!known && (kind != EXPR_KNOWN || !negated)) return false;
        if (kind == EXPR_KNOWN) {
            truth = known;
        } else if (kind == EXPR_RANGE) {
            truth = wide(words) <= value && value <= wide(words + 2);
            words += 4;
        } else if (kind == EXPR_IN || kind == WIDE) {
            truth = among(kind, words, count, value);
            words += kind == WIDE ? 2 * count : count;
        } else {
            list.items += (uint32_t)(value >> 32);
            list.count = (uint32_t)value;
            truth = list_true(kind, &list, words, count);
            words += count;
        }
        if (truth == negated) return false;
    }
    return true;
}
