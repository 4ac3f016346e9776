// Contracts by stable id and time; gain-share terms into parts of a pool.
//
//  1 Look-ups are binary searches in arrays of pointers, sorted once per market version.
//  2 The contract that counts is the one in force when the placement was won, in the market
//    version that decided it: a contract edited later changes nothing that was already won.
//  3 Parts are (beneficiary, rung) pairs; a pair named twice is one part with both weights. They
//    are sorted by beneficiary and rung, so that the split's ties never depend on how the file
//    was written.
//  4 Pool and parts are computed by money.h alone.
#include "contract.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

struct owned_slot {
    uint32_t id, owner;
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
            terms->slots[used++] = (struct owned_slot){container->slots[k].id,
                                                       owner ? owner->id : 0};
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

uint32_t
contract_owner(const struct contract_terms *terms, uint32_t slot)
{
    const struct owned_slot key = {.id = slot};
    const struct owned_slot *found = bsearch(&key, terms->slots, terms->slot_count, sizeof key,
                                             by_slot_id);
    return found ? found->owner : 0;
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

unsigned
contract_parts(const struct contract_terms *terms, const struct market_contract *contract,
               enum rung rung, struct contract_part out_parts[BOUND_SHARES])
{
    unsigned count = 0;
    CHECK(contract->share_count <= BOUND_SHARES);
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        if (share->weight == 0) continue;
        struct contract_part part = {.kind = SEAT_DEPARTMENT,
                                     .rung = (uint8_t)(share->rung < 0 ? (int)rung : share->rung),
                                     .weight = share->weight};
        if (strcmp(share->to, "host") != 0) {
            const struct market_seat *seat = seat_by_code(terms, share->to);
            CHECK(seat);  // the market's check lets no share go to an unknown seat
            part.seat = seat->id;
            part.kind = seat->kind;
        }
        count = add_part(out_parts, count, part);
    }
    if (count == 0 && contract->merchant == MERCHANT_PARTNER) {
        out_parts[count++] = (struct contract_part){
            .kind = SEAT_DEPARTMENT, .rung = (uint8_t)rung, .weight = 1};
    }
    return count;
}

enum status
contract_split(const struct market_contract *contract, money amount,
               const struct contract_part *parts, unsigned count, money *out_pool,
               money out_amounts[BOUND_SHARES])
{
    uint64_t weights[BOUND_SHARES];
    CHECK(count <= BOUND_SHARES);
    if (count == 0 || !contract->has_gain_share) {
        *out_pool = money_of(0);
        return STATUS_OK;
    }
    enum status status = money_share(amount, contract->rate_ppm, out_pool);
    if (status != STATUS_OK) return status;
    for (unsigned i = 0; i < count; i++) weights[i] = parts[i].weight;
    return money_split(*out_pool, weights, count, out_amounts);
}
