// Three levels of counts. A pair of message and cell is made by its first fact and stays; when the
// pool is full a new pair counts in its parents only. Converted are placements with at least one
// conversion, so that none of the counts exceeds the deliveries; revenue is that of all of them.
//
// Invariants
//   (1) a rung's counts are the sums of what was learned of its placements; a cell's likewise,
//       except of placements of the version before, whose cell is unknown: they count in the rung
//   (2) revenue that leaves the range of money stays at its end until it comes back by itself
#include "rates.h"

#include "fail.h"
#include "hash.h"

void
rates_open(struct rates *rates, struct arena *arena, uint32_t capacity)
{
    *rates = (struct rates){.capacity = capacity};
    rates->pairs = arena_take(arena, capacity + 1u, sizeof *rates->pairs);
    rates->cells = arena_take(arena, (size_t)RUNG_COUNT * RATES_CELLS, sizeof *rates->cells);
    probe_open(&rates->probe, arena, capacity + 1u);
}

static uint64_t
hash_of(uint32_t message, uint32_t cell)
{
    return hash_mix((uint64_t)message << 8 | cell);
}

static uint32_t
find(const struct rates *rates, uint32_t message, uint32_t cell)
{
    uint64_t hash = hash_of(message, cell);
    uint32_t at = probe_start(&rates->probe, hash), item;
    while ((item = probe_next(&rates->probe, hash, &at)) != PROBE_NONE) {
        if (rates->pairs[item].message == message && rates->pairs[item].cell == cell) break;
    }
    return item;
}

static void
count(struct learn_counts *counts, enum fact_kind kind, bool first, money amount)
{
    money revenue;
    enum status status = STATUS_OK;
    if (kind == FACT_DELIVERED) {
        counts->delivered++;
        return;
    }
    if (kind == FACT_ACCEPTED) {
        counts->responded++;
        return;
    }
    if (kind == FACT_CONVERTED) {
        counts->converted += first;
        status = money_add(counts->revenue, amount, &revenue);
    } else {
        CHECK(kind == FACT_REFUNDED);
        status = money_subtract(counts->revenue, amount, &revenue);
    }
    if (status == STATUS_OK) counts->revenue = revenue;
}

void
rates_learn(struct rates *rates, const struct fact *placement, enum fact_kind kind, bool first,
            money amount)
{
    uint32_t message = placement->placement.message, cell = placement->placement.cell;
    uint32_t rung = placement->placement.rung;
    CHECK(rung < RUNG_COUNT && cell < RATES_CELLS);
    count(&rates->rungs[rung], kind, first, amount);
    if (placement->placement.day == 0) return;
    count(&rates->cells[rung * RATES_CELLS + cell], kind, first, amount);
    uint32_t item = find(rates, message, cell);
    if (item == PROBE_NONE) {
        if (rates->count == rates->capacity) {
            rates->unpaired++;
            return;
        }
        item = rates->count++;
        rates->pairs[item] = (struct rate){.message = message, .cell = cell};
        probe_put(&rates->probe, hash_of(message, cell), item);
    }
    count(&rates->pairs[item].counts, kind, first, amount);
}

void
rates_expect(const struct rates *rates, uint32_t message, uint32_t cell, unsigned step)
{
    uint64_t hash = hash_of(message, cell);
    if (step == 0) {
        probe_expect(&rates->probe, hash);
        return;
    }
    uint32_t at = probe_start(&rates->probe, hash), item = probe_next(&rates->probe, hash, &at);
    if (item != PROBE_NONE) __builtin_prefetch(&rates->pairs[item]);
}

struct learn_counts
rates_of_message(const struct rates *rates, uint32_t message, uint32_t cell)
{
    uint32_t item = find(rates, message, cell);
    return item == PROBE_NONE ? (struct learn_counts){0} : rates->pairs[item].counts;
}

struct learn_counts
rates_of_cell(const struct rates *rates, enum rung rung, uint32_t cell)
{
    CHECK(rung < RUNG_COUNT && cell < RATES_CELLS);
    return rates->cells[rung * RATES_CELLS + cell];
}
