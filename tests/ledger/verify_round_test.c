// Tests of verify_round.c: rounds as the engine writes them pass, and every kind of change of a
// record or of an outcome is found, and named.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../../ledger/verify_round.h"
#include "fixture_round.h"
#include "seed.h"

static struct market_seat seats[] = {
    {.id = 1, .code = "one"}, {.id = 2, .code = "two"}, {.id = 3, .code = "three"}};
static struct market_message messages[] = {{.id = 11, .seat = "one"},
                                           {.id = 12, .seat = "two"},
                                           {.id = 13, .seat = "three"},
                                           {.id = 14, .seat = "three"}};
static struct market market = {
    .seats = seats, .seat_count = 3, .messages = messages, .message_count = 4};

#define SLOTS 3
struct told_round {
    struct fact facts[64];
    unsigned count;
    struct drawn_slot slots[SLOTS];
};

static void
tell(struct round_draw *draw, uint64_t number, struct told_round *out)
{
    memset(out, 0, sizeof *out);
    struct fact *contact = &out->facts[0];
    *contact = (struct fact){.kind = FACT_CONTACT,
                             .role = ROLE_TOUCHPOINT,
                             .party = 4,
                             .shard = 9,
                             .at = {1000},
                             .customer = 77,
                             .contact = hash_id("round", &number, sizeof number)};
    contact->contact.bytes[15] &= 0xf0;
    contact->opened.slots = SLOTS;
    out->count = 1 + SLOTS;
    for (unsigned i = 0; i < SLOTS; i++) {
        struct drawn_slot *slot = &out->slots[i];
        struct fact *fact = &out->facts[1 + i];
        round_slot(draw, contact->contact, number * 256 + i * 16 + 1, money_of(120000), slot);
        *fact = *contact;
        memset(fact->bytes, 0, sizeof fact->bytes);
        fact->position = (uint8_t)(1 + i);
        fact->kind = slot->sale.winner ? FACT_PLACEMENT : FACT_UNFILLED;
        if (slot->sale.winner) {
            fact->placement.bid = slot->sale.winner;
            fact->placement.seat = slot->sale.seat;
            fact->placement.message = slot->bids[0].message->id;
            fact->placement.kind = slot->bids[0].bid.kind;
            fact->placement.bid_price = slot->bids[0].bid.price;
            fact->placement.price = slot->sale.price;
            fact->placement.floor = slot->sale.floor;
            fact->placement.setter = slot->sale.setter;
            fact->placement.eligible = (uint16_t)slot->count;
        }
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        out->count += round_record(draw, contact, i + 1, &out->slots[i], &out->facts[out->count]);
    }
    out->facts[out->count++] = round_callouts(draw, contact);
    contact->opened.records = (uint8_t)(out->count - 1 - SLOTS);
}

static bool
passes(const struct told_round *round, char text[VERIFY_ROUND_TEXT])
{
    bool repriced;
    return verify_round(round->facts, round->count, &repriced, text);
}

static void
rounds_as_written_pass(void **state)
{
    (void)state;
    struct round_draw draw = {seed_fresh(), &market, true};
    for (uint64_t i = 1; i <= 20000; i++) {
        struct told_round round;
        char text[VERIFY_ROUND_TEXT];
        bool repriced = false;
        tell(&draw, i, &round);
        bool ok = verify_round(round.facts, round.count, &repriced, text);
        if (!ok) print_message("%s\n", text);
        assert_true(ok && repriced);
        // Facts of other things behind it do not matter; a record too many does.
        round.facts[round.count] = (struct fact){.kind = FACT_BID};
        assert_true(verify_round(round.facts, round.count + 1, &repriced, text));
        round.facts[round.count] = round.facts[round.count - 1];
        assert_false(verify_round(round.facts, round.count + 1, &repriced, text));
        assert_false(verify_round(round.facts, round.count - 1, &repriced, text));
    }
}

// --- Changes -------------------------------------------------------------------------------------

static struct fact *
candidates(struct told_round *round)
{
    return &round->facts[1 + SLOTS];  // of slot 1: the winner and the runner-up
}

static struct fact *
of_kind(struct told_round *round, enum fact_kind kind)
{
    for (unsigned i = 0; i < round->count; i++) {
        if (round->facts[i].kind == kind) return &round->facts[i];
    }
    return NULL;
}

#define CHANGE(name, ...)                      \
    static void name(struct told_round *round) \
    {                                          \
        __VA_ARGS__                            \
    }
CHANGE(winner_bid_dearer, candidates(round)->candidates.price[0]++;)
CHANGE(runner_up_dearer, candidates(round)->candidates.price[1]++;)
CHANGE(runner_up_gone, candidates(round)->candidates.bid[1] = 0;)
CHANGE(winner_gone, candidates(round)->candidates.bid[0] = 0;)
CHANGE(winner_another_bid, candidates(round)->candidates.bid[0] ^= 1;)
CHANGE(winner_another_seat, candidates(round)->candidates.seat[0] = 9;)
CHANGE(winner_another_message, candidates(round)->candidates.message[0]++;)
CHANGE(winner_another_floor, candidates(round)->candidates.floor[0].micros--;)
CHANGE(winner_another_rule, candidates(round)->candidates.floor_id[0]++;)
CHANGE(winner_another_kind, candidates(round)->candidates.how[0] |= PRICE_SHARE;)
CHANGE(winner_pays_its_bid,
       candidates(round)->candidates.how[0] |= DEAL_FIRST_PRICE << CANDIDATE_AT_SHIFT;)
CHANGE(runner_up_has_priority, candidates(round)->candidates.priority[1]++;)
CHANGE(runner_up_below_its_floor,
       candidates(round)->candidates.floor[1].micros = candidates(round)->candidates.price[1] + 1;)
CHANGE(runner_up_twice,
       candidates(round)->candidates.bid[1] = candidates(round)->candidates.bid[0];)
CHANGE(price_dearer, round->facts[1].placement.price.micros++;)
CHANGE(price_cheaper, round->facts[1].placement.price.micros--;)
CHANGE(outcome_another_bid, round->facts[1].placement.bid ^= 1;)
CHANGE(outcome_another_setter, round->facts[1].placement.setter ^= 1;)
CHANGE(outcome_another_floor, round->facts[1].placement.floor.micros++;)
CHANGE(outcome_another_seat, round->facts[1].placement.seat++;)
CHANGE(outcome_another_kind, round->facts[1].placement.kind = PRICE_RESPONSE;)
CHANGE(outcome_empty, round->facts[1].kind = FACT_UNFILLED;)
CHANGE(outcome_elsewhere, round->facts[1].position = 2;)
CHANGE(record_not_announced, round->facts[0].opened.records = 0;)
CHANGE(record_of_another_slot, candidates(round)->position = 2;)
CHANGE(record_of_no_slot, of_kind(round, FACT_TALLY)->position = SLOTS + 1;)
CHANGE(record_of_another_contact, of_kind(round, FACT_TALLY)->contact.bytes[3] ^= 1;)
CHANGE(record_of_another_time, of_kind(round, FACT_TALLY)->at.us++;)
CHANGE(reason_that_is_none, of_kind(round, FACT_TALLY)->tally.reason[0] = REASON_COUNT;)
CHANGE(answer_that_is_none, of_kind(round, FACT_CALLOUTS)->callouts.reason[0] = 250;)
CHANGE(slots_forgotten, round->facts[0].opened.slots--;)

static const struct change {
    const char *name;
    void (*make)(struct told_round *round);
} changes[] = {
#define NAMED(name) \
    {               \
#name, name \
    }
    NAMED(winner_bid_dearer),
    NAMED(runner_up_dearer),
    NAMED(runner_up_gone),
    NAMED(winner_gone),
    NAMED(winner_another_bid),
    NAMED(winner_another_seat),
    NAMED(winner_another_message),
    NAMED(winner_another_floor),
    NAMED(winner_another_rule),
    NAMED(winner_another_kind),
    NAMED(winner_pays_its_bid),
    NAMED(runner_up_has_priority),
    NAMED(runner_up_below_its_floor),
    NAMED(runner_up_twice),
    NAMED(price_dearer),
    NAMED(price_cheaper),
    NAMED(outcome_another_bid),
    NAMED(outcome_another_setter),
    NAMED(outcome_another_floor),
    NAMED(outcome_another_seat),
    NAMED(outcome_another_kind),
    NAMED(outcome_empty),
    NAMED(outcome_elsewhere),
    NAMED(record_not_announced),
    NAMED(record_of_another_slot),
    NAMED(record_of_no_slot),
    NAMED(record_of_another_contact),
    NAMED(record_of_another_time),
    NAMED(reason_that_is_none),
    NAMED(answer_that_is_none),
    NAMED(slots_forgotten),
};

// Slot 1 was won by one seat at the price of another's bid, which ranks second.
static bool
is_plain(const struct told_round *round)
{
    const struct drawn_slot *slot = &round->slots[0];
    return slot->count >= 2 && slot->bids[0].bid.seat != slot->bids[1].bid.seat &&
           slot->bids[0].bid.at == DEAL_SECOND_PRICE && slot->bids[0].bid.priority == 0 &&
           slot->bids[0].bid.price.micros > slot->bids[1].bid.price.micros + 1 &&
           slot->sale.setter == slot->bids[1].bid.bid;
}

static void
every_change_is_found(void **state)
{
    (void)state;
    struct round_draw draw = {seed_fresh(), &market, false};
    unsigned tried = 0;
    for (uint64_t number = 1; tried < 200; number++) {
        struct told_round round;
        char text[VERIFY_ROUND_TEXT];
        tell(&draw, number, &round);
        if (!is_plain(&round)) continue;
        tried++;
        assert_true(passes(&round, text));
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
            struct told_round changed = round;
            changes[i].make(&changed);
            bool found = !passes(&changed, text);
            if (!found) print_message("not found: %s\n", changes[i].name);
            assert_true(found);
            assert_int_equal(strncmp(text, "contact ", 8), 0);
        }
    }
}

// What was learned of a winner priced by what follows decides what it pays.
static void
a_changed_rate_is_found(void **state)
{
    (void)state;
    struct round_draw draw = {seed_fresh(), &market, true};
    unsigned tried = 0;
    for (uint64_t number = 1; tried < 200; number++) {
        struct told_round round;
        char text[VERIFY_ROUND_TEXT];
        tell(&draw, number, &round);
        if (!is_plain(&round) || round.slots[0].bids[0].bid.kind != PRICE_RESPONSE ||
            round.slots[0].sale.price.micros < 1000) {
            continue;
        }
        tried++;
        assert_true(passes(&round, text));
        candidates(&round)->candidates.multiplier[0] /= 2;
        assert_false(passes(&round, text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_as_written_pass),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(a_changed_rate_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
