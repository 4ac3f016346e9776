// The counterfactual model: of the conversions that followed a set of touches, how many would have
// been lost had one of them not been there.
//
// With r(S) = conversions / (conversions + nulls) of the paths whose set of distinct touches is S,
// a conversion after S was owed to touch j of S with probability
//   n_j(S) = max(0, 1 - r(S without j) / r(S))
// which is the probability of necessity under exogeneity and monotonicity (Pearl 1999; Tian & Pearl
// 2000, "Probabilities of causation"), each set of the other touches being a stratum of its own.
// The conversions after S are divided in proportion to n_j(S).
//
//  1 Of a set that never occurred the rate is that of those sets together that lack one touch more.
//    When none of them occurred, of the empty set, and of sets of more than BACK_OFF, it is 0:
//    without evidence that the others would have done it alone, the touch was needed.
//  2 Where no touch was needed (every n_j is 0) the set's touches share evenly.
//  3 A touch whose absence never lowered a rate earns nothing but by rule 2.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "path_inside.h"

struct touch_set {
    uint64_t hash;  // sum over its touches: a touch is taken off by subtraction
    double conversions, nulls, value;
    size_t first;    // in items
    uint32_t count;  // distinct touches, ascending
};
struct path_sets {
    struct touch_set *sets;
    uint32_t count, room;
    uint32_t *index;  // open addressing: number + 1; 0 free
    uint32_t index_room;
    uint32_t *items;
    size_t item_count, item_room;
    uint32_t *scratch;
};
#define ITEMS (16 * (size_t)PATH_SETS)  // touches of all sets together
#define BACK_OFF 64                     // touches of a set for which fewer are looked at

static uint64_t
hash_of(const uint32_t *items, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += hash_mix(items[i] + 1ULL);
    return sum;
}

static void
grow(struct path_sets *sets)
{
    sets->room = sets->room == 0 ? 1024 : 2 * sets->room;
    sets->sets = realloc(sets->sets, sets->room * sizeof *sets->sets);
    free(sets->index);
    sets->index_room = 2 * sets->room;
    sets->index = calloc(sets->index_room, sizeof *sets->index);
    CHECK(sets->sets && sets->index);
    for (uint32_t i = 0; i < sets->count; i++) {
        uint64_t at = hash_mix(sets->sets[i].hash);
        while (sets->index[at & (sets->index_room - 1)] != 0) at++;
        sets->index[at & (sets->index_room - 1)] = i + 1;
    }
}

struct path_sets *
path_sets_open(void)
{
    struct path_sets *sets = calloc(1, sizeof *sets);
    CHECK(sets);
    sets->scratch = calloc(PATH_LENGTH, sizeof *sets->scratch);
    sets->item_room = 4096;
    sets->items = calloc(sets->item_room, sizeof *sets->items);
    CHECK(sets->scratch && sets->items);
    grow(sets);
    return sets;
}

void
path_sets_close(struct path_sets *sets)
{
    if (sets == NULL) return;
    free(sets->sets);
    free(sets->index);
    free(sets->items);
    free(sets->scratch);
    free(sets);
}

// The set's touches but those at `j` and `k` (count: none) are exactly these.
static bool
are(const uint32_t *items, const uint32_t *of, uint32_t count, uint32_t j, uint32_t k)
{
    for (uint32_t i = 0, at = 0; i < count; i++) {
        if (i != j && i != k && items[at++] != of[i]) return false;
    }
    return true;
}

// The set of `count` touches less those at `j` and `k`. NULL: there is none; then *out_at is where
// it belongs.
static struct touch_set *
find(const struct path_sets *sets, uint64_t hash, const uint32_t *items, uint32_t count, uint32_t j,
     uint32_t k, uint64_t *out_at)
{
    uint32_t left = count - (j < count) - (k < count);
    if (j < count) hash -= hash_mix(items[j] + 1ULL);
    if (k < count) hash -= hash_mix(items[k] + 1ULL);
    for (uint64_t at = hash_mix(hash);; at++) {
        uint32_t found = sets->index[at & (sets->index_room - 1)];
        *out_at = at & (sets->index_room - 1);
        if (found == 0) return NULL;
        struct touch_set *set = &sets->sets[found - 1];
        if (set->hash == hash && set->count == left &&
            are(&sets->items[set->first], items, count, j, k))
            return set;
    }
}

static int
ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t
distinct(const struct path_row *row, uint32_t *out)
{
    uint32_t count = 0;
    memcpy(out, row->touches, row->count * sizeof *out);
    qsort(out, row->count, sizeof *out, ascending);
    for (size_t i = 0; i < row->count; i++) {
        if (count == 0 || out[count - 1] != out[i]) out[count++] = out[i];
    }
    return count;
}

enum status
path_sets_take(struct path_sets *sets, const struct path_row *row)
{
    uint64_t at;
    uint32_t count = distinct(row, sets->scratch);
    uint64_t hash = hash_of(sets->scratch, count);
    struct touch_set *set = find(sets, hash, sets->scratch, count, count, count, &at);
    if (set == NULL) {
        if (sets->count == PATH_SETS || sets->item_count + count > ITEMS) return STATUS_FULL;
        if (sets->count == sets->room) {
            grow(sets);
            CHECK(find(sets, hash, sets->scratch, count, count, count, &at) == NULL);
        }
        while (sets->item_count + count > sets->item_room) {
            sets->item_room *= 2;
            sets->items = realloc(sets->items, sets->item_room * sizeof *sets->items);
            CHECK(sets->items);
        }
        memcpy(&sets->items[sets->item_count], sets->scratch, count * sizeof *sets->items);
        set = &sets->sets[sets->count++];
        *set = (struct touch_set){.hash = hash, .first = sets->item_count, .count = count};
        sets->item_count += count;
        sets->index[at] = sets->count;
    }
    set->conversions += row->conversions;
    set->nulls += row->nulls;
    set->value += row->value;
    return STATUS_OK;
}

static double
rate(const struct touch_set *set)
{
    double all = set->conversions + set->nulls;
    return all > 0 ? set->conversions / all : 0;
}

// r(S without j). Rule 1.
static double
rate_without(const struct path_sets *sets, const struct touch_set *set, uint32_t j)
{
    uint64_t at;
    const uint32_t *items = &sets->items[set->first];
    if (set->count == 1) return 0;
    const struct touch_set *found = find(sets, set->hash, items, set->count, j, set->count, &at);
    if (found && found->conversions + found->nulls > 0) return rate(found);
    struct touch_set pooled = {.conversions = 0};
    for (uint32_t k = 0; k < set->count && set->count > 2 && set->count <= BACK_OFF; k++) {
        found = k == j ? NULL : find(sets, set->hash, items, set->count, j, k, &at);
        if (found == NULL) continue;
        pooled.conversions += found->conversions;
        pooled.nulls += found->nulls;
    }
    return rate(&pooled);
}

// n_j of each touch of the set; gives their sum.
static double
needed(const struct path_sets *sets, const struct touch_set *set, double *out)
{
    double sum = 0, with = rate(set);
    for (uint32_t j = 0; j < set->count; j++) {
        double without = rate_without(sets, set, j);
        out[j] = without < with ? 1 - without / with : 0;
        sum += out[j];
    }
    return sum;
}

void
path_sets_solve(struct path_sets *sets, double *conversions, double *value)
{
    double *parts = calloc(PATH_LENGTH, sizeof *parts);
    CHECK(parts);
    for (uint32_t i = 0; i < sets->count; i++) {
        const struct touch_set *set = &sets->sets[i];
        // What has a value and no conversion is divided evenly.
        double sum = set->conversions > 0 ? needed(sets, set, parts) : 0;
        for (uint32_t j = 0; j < set->count; j++) {
            double part = sum > 0 ? parts[j] / sum : 1.0 / set->count;
            uint32_t touch = sets->items[set->first + j];
            conversions[touch] += set->conversions * part;
            value[touch] += set->value * part;
        }
    }
    free(parts);
}
