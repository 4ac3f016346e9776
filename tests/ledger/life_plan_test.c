// What a part of an order stands on: sums, exact zeros, and that the way there does not matter. The
// model is the table at the top of life_plan.c, in a few lines; the random stories are told in
// another order than they happened.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "life.h"
#include "money.h"
#include "seed.h"
#include "transfer.h"

#define STORIES 100000
#define PARTS 6
#define STEPS 12

static uint64_t seed;

static uint64_t
draw(uint64_t bound)
{
    seed += 0x9e3779b97f4a7c15u;
    return hash_mix(seed) % bound;
}

static money *
place(struct life_part *part, uint16_t code)
{
    switch (code) {
    case ACCOUNT_GAIN_ACCRUED: return &part->accrued;
    case ACCOUNT_GAIN_PAYABLE: return &part->payable;
    case ACCOUNT_GAIN_HELD: return &part->held;
    case ACCOUNT_CLAWBACK: return &part->clawback;
    case ACCOUNT_GAIN_HOST: return &part->taken;
    default: fail_msg("account %u is none of a part", code); return NULL;
    }
}

// Books what life_moves says.
static unsigned
settle(struct life_part *part, enum life_stand stand)
{
    struct life_move moves[LIFE_MOVES];
    unsigned count = 0;
    assert_int_equal(life_moves(part, stand, moves, &count), STATUS_OK);
    for (unsigned i = 0; i < count; i++) {
        money *debit = place(part, moves[i].debit), *credit = place(part, moves[i].credit);
        assert_true(moves[i].amount.micros > 0 && debit != credit);
        debit->micros += (debit == &part->clawback ? 1 : -1) * moves[i].amount.micros;
        credit->micros += (credit == &part->clawback ? -1 : 1) * moves[i].amount.micros;
    }
    return count;
}

static int64_t
above_zero(int64_t micros)
{
    return micros > 0 ? micros : 0;
}

static void
stands_by_the_table(const struct life_part *part, enum life_stand stand, int64_t worth)
{
    int64_t paid = part->paid.micros, more = above_zero(worth - paid);
    assert_int_equal(part->accrued.micros, stand == LIFE_OPEN ? more : 0);
    assert_int_equal(part->payable.micros, stand == LIFE_LOCKED ? paid + more : paid);
    assert_int_equal(part->held.micros, stand == LIFE_HELD ? more : 0);
    assert_int_equal(part->clawback.micros, stand == LIFE_TAKEN ? paid : above_zero(paid - worth));
    assert_int_equal(part->taken.micros, stand == LIFE_TAKEN ? worth : 0);
}

static void
moves_are_those_of_the_rules(void **state)
{
    (void)state;
    struct life_move moves[LIFE_MOVES];
    unsigned count = 0;
    // R4: the validation is over.
    struct life_part part = {.accrued = money_of(2500000)};
    assert_int_equal(life_moves(&part, LIFE_LOCKED, moves, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].debit, 2100);
    assert_int_equal(moves[0].credit, 2110);
    assert_int_equal(moves[0].kind, TRANSFER_LOCK);
    assert_int_equal(moves[0].amount.micros, 2500000);
    // R5: refunded, locked and unpaid: what facts took from 2100 comes from 2110.
    part = (struct life_part){.accrued = money_of(-1000000), .payable = money_of(2500000)};
    assert_int_equal(life_moves(&part, LIFE_LOCKED, moves, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].debit, 2110);
    assert_int_equal(moves[0].credit, 2100);
    // R5: refunded after it was paid.
    part.paid = money_of(2500000);
    assert_int_equal(life_moves(&part, LIFE_LOCKED, moves, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].debit, 1160);
    assert_int_equal(moves[0].credit, 2100);
    assert_int_equal(moves[0].kind, TRANSFER_CLAWBACK);
    // R6: disputed since it was locked.
    part = (struct life_part){.payable = money_of(7)};
    assert_int_equal(life_moves(&part, LIFE_HELD, moves, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].debit, 2110);
    assert_int_equal(moves[0].credit, 2120);
    assert_int_equal(moves[0].kind, TRANSFER_DISPUTE);
    // Nothing to do.
    part = (struct life_part){.payable = money_of(7)};
    assert_int_equal(life_moves(&part, LIFE_LOCKED, moves, &count), STATUS_OK);
    assert_int_equal(count, 0);
    // Amounts at the edge are refused, not wrapped.
    part = (struct life_part){.accrued = money_of(INT64_MAX), .payable = money_of(INT64_MAX)};
    assert_int_equal(life_moves(&part, LIFE_LOCKED, moves, &count), STATUS_OVERFLOW);
}

// One order: a pool divided among parts, refunded in pieces, sometimes divided anew.
struct story {
    money pool;  // of what remains
    uint64_t weights[PARTS];
    int64_t worth[PARTS];
    enum life_stand stands[PARTS];
    bool locked, paid;
};

// The facts: each part's worth becomes its part of the pool, through 2100.
static void
divide(struct story *story, struct life_part *parts)
{
    money amounts[PARTS];
    assert_int_equal(money_split(story->pool, story->weights, PARTS, amounts), STATUS_OK);
    int64_t sum = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        parts[i].accrued.micros += amounts[i].micros - story->worth[i];
        story->worth[i] = amounts[i].micros;
        sum += amounts[i].micros;
    }
    assert_int_equal(sum, story->pool.micros);
}

static void
draw_weights(struct story *story)
{
    story->weights[0] = 1;
    for (unsigned i = 1; i < PARTS; i++) story->weights[i] = draw(3) ? draw(1000000) : 0;
}

// Something happens; what becomes of the parts is booked at once or later.
static void
step(struct story *story, struct life_part *parts)
{
    unsigned which = (unsigned)draw(PARTS);
    switch (draw(8)) {
    case 0:
    case 1:
        story->pool.micros -= (int64_t)draw((uint64_t)story->pool.micros + 1);
        divide(story, parts);
        break;
    case 2:
        draw_weights(story);
        divide(story, parts);
        break;
    case 3:
        if (story->locked) break;
        story->locked = true;
        for (unsigned i = 0; i < PARTS; i++) {
            if (story->stands[i] == LIFE_OPEN) story->stands[i] = LIFE_LOCKED;
        }
        break;
    case 4:  // a payout takes what is payable; before it, everything known is booked
        if (!story->locked || draw(2)) break;
        for (unsigned i = 0; i < PARTS; i++) {
            settle(&parts[i], story->stands[i]);
            parts[i].paid = parts[i].payable;
            story->paid |= parts[i].paid.micros > 0;
        }
        break;
    case 5:
        if (story->stands[which] == LIFE_LOCKED) story->stands[which] = LIFE_HELD;
        break;
    case 6:
        if (story->stands[which] == LIFE_HELD)
            story->stands[which] = draw(2) ? LIFE_LOCKED : LIFE_TAKEN;
        break;
    default:  // the bank gives the payout back
        if (draw(4)) break;
        for (unsigned i = 0; i < PARTS; i++) parts[i].paid = money_of(0);
        story->paid = false;
        break;
    }
}

static void
the_way_does_not_matter(void **state)
{
    (void)state;
    seed = seed_fresh();
    for (unsigned n = 0; n < STORIES; n++) {
        struct story story = {.pool = money_of((int64_t)draw(10000002))};
        struct life_part parts[PARTS] = {0};
        draw_weights(&story);
        divide(&story, parts);
        for (unsigned i = 0; i < STEPS; i++) {
            step(&story, parts);
            // Turns come when they come.
            for (unsigned k = 0; k < PARTS; k++) {
                if (draw(3) == 0) settle(&parts[k], story.stands[k]);
            }
        }
        bool empty = draw(2);
        if (empty) {
            story.pool = money_of(0);
            divide(&story, parts);
        }
        int64_t sum = 0;
        for (unsigned k = 0; k < PARTS; k++) {
            settle(&parts[k], story.stands[k]);
            stands_by_the_table(&parts[k], story.stands[k], story.worth[k]);
            assert_int_equal(settle(&parts[k], story.stands[k]), 0);  // again: nothing
            sum += parts[k].accrued.micros + parts[k].payable.micros + parts[k].held.micros -
                   parts[k].clawback.micros + parts[k].taken.micros;
            if (empty && !story.paid) {
                struct life_part zero = {.paid = parts[k].paid};
                assert_memory_equal(&parts[k], &zero, sizeof zero);
            }
        }
        assert_int_equal(sum, story.pool.micros);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_are_those_of_the_rules),
        cmocka_unit_test(the_way_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
