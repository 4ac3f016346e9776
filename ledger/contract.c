// Contracts by stable id and time; gain-share terms into parts of a pool.
//
//  1 Look-ups are binary searches in arrays of pointers, sorted once per market version.
//  2 The contract that counts is the one in force when the placement was won, in the market
//    version that decided it: a contract edited later changes nothing that was already won.
//  3 Parts are (beneficiary, rung) pairs; a pair named twice is one part with both weights. They
//    are sorted by beneficiary and rung, so that the split's ties never depend on how the file
//    was written.
//  4 The weight w of `touches` becomes the weights w x ppm of the touches that were credited, and
//    every other weight w x 1,000,000: all exact. Without credits the others divide the whole.
//  5 Tiers: the revenue [base, base + remaining) is cut where the tiers begin, each piece earns its
//    tier's rate, and the sum is rounded once. The pool up to the cap is computed the same way; the
//    rest of the pool is outside the terms. So both are functions of (base, remaining) alone, and a
//    refund of everything takes everything back.
//  6 Pool and parts are computed by money.h alone.
#include "contract.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

struct owned_slot {
    uint32_t id, owner;
    money cost;
};
struct contract_terms {
    const struct market_seat **seats;          // by id
    const struct market_seat **seats_by_code;  // by code
    const struct market_contract **contracts;  // by id
    struct owned_slot *slots;                  // by id
    size_t seat_count, contract_count, slot_count;
};

static int
order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int
by_seat_id(const void *left, const void *right)
{
    const struct market_seat *const *a = left, *const *b = right;
    return order((*a)->id, (*b)->id);
}

static int
by_seat_code(const void *left, const void *right)
{
    const struct market_seat *const *a = left, *const *b = right;
    return strcmp((*a)->code, (*b)->code);
}

static int
by_contract_id(const void *left, const void *right)
{
    const struct market_contract *const *a = left, *const *b = right;
    return order((*a)->id, (*b)->id);
}

static int
by_slot_id(const void *left, const void *right)
{
    const struct owned_slot *a = left, *b = right;
    return order(a->id, b->id);
}

// qsort and bsearch may not be given NULL, which an empty market would have.
static void *
take(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    CHECK(memory);
    return memory;
}

static const struct market_seat *
seat_by_code(const struct contract_terms *terms, const char *code)
{
    const struct market_seat key = {.code = code}, *pointer = &key;
    const struct market_seat **found = bsearch(&pointer, terms->seats_by_code, terms->seat_count,
                                               sizeof pointer, by_seat_code);
    return found ? *found : NULL;
}

// A slot's own cost, or its part of the container's.
static money
slot_cost(const struct market_container *container, uint32_t slot)
{
    if (container->slots[slot].has_cost) return container->slots[slot].cost;
    if (!container->has_cost) return money_of(0);
    money cost;
    enum status status = money_ratio(container->cost, 1, container->slot_count, &cost);
    CHECK(status == STATUS_OK);  // smaller than the container's
    return cost;
}

struct contract_terms *
contract_terms_open(const struct market *market)
{
    struct contract_terms *terms = take(1, sizeof *terms);
    terms->seats = take(market->seat_count, sizeof *terms->seats);
    terms->seats_by_code = take(market->seat_count, sizeof *terms->seats_by_code);
    terms->contracts = take(market->contract_count, sizeof *terms->contracts);
    for (uint32_t i = 0; i < market->seat_count; i++) {
        terms->seats[i] = terms->seats_by_code[i] = &market->seats[i];
    }
    for (uint32_t i = 0; i < market->contract_count; i++) {
        terms->contracts[i] = &market->contracts[i];
    }
    terms->seat_count = market->seat_count;
    terms->contract_count = market->contract_count;
    qsort(terms->seats, terms->seat_count, sizeof *terms->seats, by_seat_id);
    qsort(terms->seats_by_code, terms->seat_count, sizeof *terms->seats, by_seat_code);
    qsort(terms->contracts, terms->contract_count, sizeof *terms->contracts, by_contract_id);
    for (uint32_t i = 0; i < market->container_count; i++) {
        terms->slot_count += market->containers[i].slot_count;
    }
    terms->slots = take(terms->slot_count, sizeof *terms->slots);
    size_t used = 0;
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        const struct market_seat *owner = seat_by_code(terms, container->owner);
        for (uint32_t k = 0; k < container->slot_count; k++) {
            terms->slots[used++] = (struct owned_slot){
                container->slots[k].id, owner ? owner->id : 0, slot_cost(container, k)};
        }
    }
    qsort(terms->slots, terms->slot_count, sizeof *terms->slots, by_slot_id);
    return terms;
}

void
contract_terms_close(struct contract_terms *terms)
{
    if (!terms) return;
    free(terms->seats);
    free(terms->seats_by_code);
    free(terms->contracts);
    free(terms->slots);
    free(terms);
}

const struct market_seat *
contract_seat(const struct contract_terms *terms, uint32_t seat)
{
    const struct market_seat key = {.id = seat}, *pointer = &key;
    const struct market_seat **found = bsearch(&pointer, terms->seats, terms->seat_count,
                                               sizeof pointer, by_seat_id);
    return found ? *found : NULL;
}

const struct market_contract *
contract_by_id(const struct contract_terms *terms, uint32_t contract)
{
    const struct market_contract key = {.id = contract}, *pointer = &key;
    const struct market_contract **found = bsearch(
        &pointer, terms->contracts, terms->contract_count, sizeof pointer, by_contract_id);
    return found ? *found : NULL;
}

static const struct owned_slot *
find_slot(const struct contract_terms *terms, uint32_t slot)
{
    const struct owned_slot key = {.id = slot};
    return bsearch(&key, terms->slots, terms->slot_count, sizeof key, by_slot_id);
}

uint32_t
contract_owner(const struct contract_terms *terms, uint32_t slot)
{
    const struct owned_slot *found = find_slot(terms, slot);
    return found ? found->owner : 0;
}

money
contract_slot_cost(const struct contract_terms *terms, uint32_t slot)
{
    const struct owned_slot *found = find_slot(terms, slot);
    return found ? found->cost : money_of(0);
}

const struct market_contract *
contract_in_force(const struct contract_terms *terms, uint32_t seat, usec at)
{
    const struct market_seat *owner = contract_seat(terms, seat);
    const struct market_contract *best = NULL;
    for (size_t i = 0; owner && i < terms->contract_count; i++) {
        const struct market_contract *one = terms->contracts[i];
        if (strcmp(one->seat, owner->code) != 0 || one->from.us > at.us ||
            (one->until.us != 0 && at.us >= one->until.us)) {
            continue;
        }
        if (!best || one->from.us >= best->from.us) best = one;
    }
    return best;
}

bool
contract_touches(const struct market_contract *contract)
{
    for (uint32_t i = 0; contract->has_gain_share && i < contract->share_count; i++) {
        if (strcmp(contract->shares[i].to, MARKET_TOUCHES) == 0) return true;
    }
    return false;
}

bool
contract_needs_base(const struct market_contract *contract)
{
    bool marginal = contract->tier_count > 1 && !contract->retroactive;
    return contract->has_gain_share && (marginal || contract->has_cap);
}

// --- Parts -------------------------------------------------------------------------------------

static int
by_part(const struct contract_part *a, const struct contract_part *b)
{
    return a->seat != b->seat ? order(a->seat, b->seat) : order(a->rung, b->rung);
}

// Adds to the sorted parts: a pair that is there gains weight, a new one is inserted in its place.
static unsigned
add_part(struct contract_part *parts, unsigned count, struct contract_part part)
{
    unsigned at = 0;
    while (at < count && by_part(&parts[at], &part) < 0) at++;
    if (at < count && by_part(&parts[at], &part) == 0) {
        CHECK(!__builtin_add_overflow(parts[at].weight, part.weight, &parts[at].weight));
        return count;
    }
    memmove(&parts[at + 1], &parts[at], (count - at) * sizeof *parts);
    parts[at] = part;
    return count + 1;
}

// The part of one share that is not `touches`.
static struct contract_part
named_part(const struct contract_terms *terms, const struct market_share *share, enum rung rung)
{
    struct contract_part part = {.kind = SEAT_DEPARTMENT,
                                 .rung = (uint8_t)(share->rung < 0 ? (int)rung : share->rung),
                                 .weight = share->weight};
    if (strcmp(share->to, "host") == 0) return part;
    const struct market_seat *seat = seat_by_code(terms, share->to);
    CHECK(seat);  // the market's check lets no share go to an unknown seat
    part.seat = seat->id;
    part.kind = seat->kind;
    return part;
}

unsigned
contract_parts(const struct contract_terms *terms, const struct market_contract *contract,
               enum rung rung, const struct contract_part *credits, unsigned credit_count,
               struct contract_part out_parts[BOUND_PARTS])
{
    unsigned count = 0;
    CHECK(contract->share_count <= BOUND_SHARES && credit_count <= BOUND_PARTS - BOUND_SHARES);
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        if (share->weight == 0) continue;
        if (strcmp(share->to, MARKET_TOUCHES) != 0) {
            struct contract_part part = named_part(terms, share, rung);
            if (credit_count > 0) part.weight *= MONEY_PPM;
            count = add_part(out_parts, count, part);
            continue;
        }
        for (unsigned k = 0; k < credit_count; k++) {
            struct contract_part part = credits[k];
            part.weight *= share->weight;
            if (part.weight > 0) count = add_part(out_parts, count, part);
        }
    }
    if (count == 0 && contract->merchant == MERCHANT_PARTNER) {
        out_parts[count++] = (struct contract_part){
            .kind = SEAT_DEPARTMENT, .rung = (uint8_t)rung, .weight = 1};
    }
    return count;
}

// --- Pools -------------------------------------------------------------------------------------

uint32_t
contract_reached(const struct market_contract *contract, money revenue)
{
    uint32_t tier = 0;
    while (tier + 1 < contract->tier_count &&
           contract->tiers[tier + 1].from.micros <= revenue.micros) {
        tier++;
    }
    return contract->tiers[tier].rate_ppm;
}

// The pool of [base, end) by the tiers, or all of it at one rate (NULL: by the tiers).
static enum status
pool_between(const struct market_contract *contract, money base, money end, const uint32_t *rate,
             money *out_pool)
{
    money pieces[MARKET_TIERS];
    uint32_t rates[MARKET_TIERS];
    unsigned count = 0;
    if (rate) {
        rates[0] = *rate;
        enum status status = money_subtract(end, base, &pieces[count++]);
        if (status != STATUS_OK) return status;
    }
    for (uint32_t i = 0; !rate && i < contract->tier_count; i++) {
        money from = contract->tiers[i].from, until = end;
        bool last = i + 1 == contract->tier_count;
        if (!last && contract->tiers[i + 1].from.micros < end.micros) {
            until = contract->tiers[i + 1].from;
        }
        if (from.micros < base.micros) from = base;
        if (from.micros >= until.micros) continue;
        rates[count] = contract->tiers[i].rate_ppm;
        enum status status = money_subtract(until, from, &pieces[count++]);
        if (status != STATUS_OK) return status;
    }
    static const enum money_rounding roundings[ROUNDING_COUNT] = {
        [ROUNDING_HALF_EVEN] = MONEY_HALF_EVEN,
        [ROUNDING_DOWN] = MONEY_DOWN,
        [ROUNDING_UP] = MONEY_UP};
    CHECK(contract->rounding < ROUNDING_COUNT);
    return money_shares(pieces, rates, count, roundings[contract->rounding], out_pool);
}

enum status
contract_pool(const struct market_contract *contract, money base, money remaining,
              uint32_t reached_ppm, struct contract_pool *out_pool)
{
    *out_pool = (struct contract_pool){0};
    if (!contract->has_gain_share) return STATUS_OK;
    CHECK(contract->tier_count >= 1 && contract->tier_count <= MARKET_TIERS);
    CHECK(base.micros >= 0 && remaining.micros >= 0);
    money end, inside;
    enum status status = money_add(base, remaining, &end);
    if (status != STATUS_OK) return status;
    uint32_t flat = reached_ppm ? reached_ppm : contract->tiers[0].rate_ppm;
    const uint32_t *rate = reached_ppm || contract->retroactive ? &flat : NULL;
    status = pool_between(contract, base, end, rate, &out_pool->pool);
    if (status != STATUS_OK || !contract->has_cap || end.micros <= contract->cap.micros) {
        return status;
    }
    money from = base.micros < contract->cap.micros ? base : contract->cap;
    status = pool_between(contract, from, contract->cap, rate, &inside);
    if (status != STATUS_OK) return status;
    if (contract->merchant == MERCHANT_HOST) {
        out_pool->pool = inside;
        return STATUS_OK;
    }
    return money_subtract(out_pool->pool, inside, &out_pool->outside);
}

enum status
contract_split(struct contract_pool *pool, const struct contract_part *parts, unsigned count,
               money out_amounts[BOUND_PARTS], money *out_host)
{
    uint64_t weights[BOUND_PARTS];
    CHECK(count <= BOUND_PARTS);
    if (count == 0) *pool = (struct contract_pool){0};
    *out_host = pool->outside;
    if (count == 0) return STATUS_OK;
    money inside;
    enum status status = money_subtract(pool->pool, pool->outside, &inside);
    if (status != STATUS_OK) return status;
    for (unsigned i = 0; i < count; i++) weights[i] = parts[i].weight;
    return money_split(inside, weights, count, out_amounts);
}
