// Why each bid did not win: all bids of a slot judged again, as things stood when the slot was
// decided; in a live round those of live bidders alone, who are told. What is said agrees with the
// facts and never changes one.
#include "fail.h"
#include "round_parts.h"

// What became of a bid that was judged.
static enum reason
reason_of(const struct catalog_bid *bid, const struct round_judgement *own,
          const struct catalog_bid *winner, const struct round_judgement *winning)
{
    if (own->reason != REASON_NONE || bid == winner) return own->reason;
    CHECK(winner != NULL);
    if (bid->seat == winner->seat) return REASON_OWN_SEAT;
    if (winning->priority > own->priority && winning->score.micros <= own->score.micros)
        return REASON_LOST_TO_PRIORITY;
    return REASON_OUTBID;
}

// How much less a beaten bid was worth than the winner: over their floors where slots are sold
// together; there a bid may be worth more, and yet less than the winner's group.
static money
behind(const struct round *round, const struct round_judgement *own,
       const struct round_judgement *winning)
{
    money ahead = winning->score, mine = own->score, distance;
    if (round->together.sold) {
        ahead = round_together_over(round);
        CHECK(money_subtract(own->score, own->floor, &mine) == STATUS_OK);
    }
    CHECK(money_subtract(ahead, mine, &distance) == STATUS_OK);  // both within BOUND_MICROS
    return distance.micros < 0 ? money_of(0) : distance;
}

static void
explain(struct round *round, const struct catalog_bid *winner,
        const struct round_judgement *winning)
{
    static const char *const rules[3] = {"slot", "seat", "message"};
    uint32_t number;
    const struct catalog_bid *bid;
    round_bids_start(round, false);
    while ((bid = round_bids_next(round, false, &number)) != NULL) {
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        struct why_bid why = {
            .bid = number,
            .position = round->slot->position,
            .reason = reason_of(bid, &judgement, winner, winning),
            .floor = judgement.floor,
            .floor_rule = judgement.floor_rule,
            .floor_id = judgement.floor_id,
            .kind = bid->kind,
            .priority = judgement.priority,
            .multiplier = judgement.multiplier,
            .score = judgement.score,
            .cap = judgement.cap,
            .cap_count = judgement.cap_count,
            .budget_of = judgement.budget_of,
            .budget_daily = judgement.budget_daily,
            .budget_left = judgement.budget_left,
            .rule = judgement.rule,
            .leaf = judgement.leaf,
            .rule_of = judgement.rule == NULL ? NULL : rules[judgement.rule_number],
        };
        if (why.reason == REASON_BELOW_FLOOR || why.reason == REASON_BELOW_DEAL_FLOOR)
            CHECK(money_subtract(judgement.floor, judgement.score, &why.short_by) == STATUS_OK);
        if (why.reason == REASON_OUTBID) why.short_by = behind(round, &judgement, winning);
        if (round->why->count < round->why->room) round->why->bids[round->why->count] = why;
        round->why->count++;
    }
}

static void
tell_live(struct round *round, const struct catalog_bid *winner,
          const struct round_judgement *winning)
{
    const struct round_live *live = round->live;
    for (uint32_t i = 0; i < live->count; i++) {
        struct round_judgement judgement;
        if (live->bids[i].slot != round->slot_index) continue;
        round_judge(round, &live->bids[i], &judgement);
        live->reasons[i] = (uint8_t)reason_of(&live->bids[i], &judgement, winner, winning);
    }
}

void
round_why_slot(struct round *round, const struct catalog_bid *winner,
               const struct round_judgement *winning)
{
    if (round->why != NULL) explain(round, winner, winning);
    if (round->live != NULL && round->live->reasons != NULL) tell_live(round, winner, winning);
}
