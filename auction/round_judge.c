// Judging one bid for the slot being decided: the steps of round.c in their order, the first that
// stops it is its reason.
#include "fail.h"
#include "round_parts.h"

static bool
valid_at(usec from, usec until, usec now)
{
    return from.us <= now.us && (until.us == 0 || now.us < until.us);
}

// (1) of the message.
static enum reason
judge_state(const struct round *round, const struct catalog_message *message)
{
    const struct catalog *catalog = round->catalog;
    if (!valid_at(message->from, message->until, round->now)) return REASON_NOT_VALID_NOW;
    for (uint32_t i = message->campaign; i != UINT32_MAX; i = catalog->campaigns[i].parent)
        if (!valid_at(catalog->campaigns[i].from, catalog->campaigns[i].until, round->now))
            return REASON_NOT_VALID_NOW;
    return catalog_contract_at(catalog, message->seat, round->now) == NULL ? REASON_CONTRACT
                                                                           : REASON_NONE;
}

// (3)
static enum reason
judge_customer(const struct round *round, const struct catalog_message *message)
{
    bool distressed = round->contact->condition == CONDITION_DISTRESSED;
    return distressed && !match_serves(message->objectives) ? REASON_CONDITION : REASON_NONE;
}

// (4)
static enum reason
judge_data(const struct round *round, const struct catalog_message *message)
{
    if (round->rungs_open & 1u << message->rung) return REASON_NONE;
    // The rung is closed to this contact: for want of consent, unless a known customer would open
    // it.
    unsigned known = match_rungs_open(IDENTITY_REPEAT, round->contact->consent);
    return known & 1u << message->rung ? REASON_IDENTITY : REASON_CONSENT;
}

// (5); of what the index found, the slot's rule is left.
static enum reason
judge_rules(const struct round *round, const struct catalog_message *message, bool found,
            struct round_judgement *judgement)
{
    if (found && round->slot->rule.nodes->kind == EXPR_TRUE) return REASON_NONE;  // most bids
    const struct values *contact = &round->contact->values;
    const struct declared *slot = &round->slot->values;
    const struct expr *rules[3] = {&round->slot->rule, &round->catalog->seats[message->seat].rule,
                                   &message->rule};
    const struct declared *beside[3] = {&message->values, slot, slot};
    for (unsigned i = 0; i < (found ? 1 : 3); i++) {
        if (rules[i]->nodes->kind == EXPR_TRUE) continue;  // most have none: not worth a call
        if (expr_true_with(rules[i], contact, beside[i], &judgement->leaf)) continue;
        judgement->rule = rules[i];
        judgement->rule_number = (uint8_t)i;
        return REASON_NOT_ELIGIBLE;
    }
    judgement->leaf = NULL;
    return REASON_NONE;
}

// `found` by the index, which so proved (2), the data of (4), the distressed of (3), and the rules
// of seat and message.
static inline enum reason
judge_message(const struct round *round, uint32_t index, bool found,
              struct round_judgement *judgement)
{
    const struct catalog_message *message = &round->catalog->messages[index];
    enum reason reason = judge_state(round, message);
    if (reason == REASON_NONE && !found)
        reason = match_admission(round->catalog, round->slot, message);
    if (reason == REASON_NONE && !found) reason = judge_customer(round, message);
    if (reason == REASON_NONE && message->after_experience && !round->contact->experienced)
        reason = REASON_NOT_EXPERIENCED;
    if (reason == REASON_NONE && !found) reason = judge_data(round, message);
    if (reason == REASON_NONE) reason = judge_rules(round, message, found, judgement);
    return reason;
}

enum reason
round_judge_message(struct round *round, uint32_t message, struct round_judgement *judgement)
{
    return judge_message(round, message, false, judgement);
}

static inline void
judge_terms(struct round *round, const struct catalog_bid *bid, struct round_judgement *judgement)
{
    const struct catalog_message *message = &round->catalog->messages[bid->message];
    const struct catalog_deal *deal = NULL;
    judgement->priority = message->priority;
    if (message->deal != UINT32_MAX)
        deal = catalog_deal_of(round->catalog, round->slot_index, bid->message, round->now);
    if (deal == NULL) {
        round_floor_of(round, bid->message, judgement);
    } else {
        judgement->deal = deal;
        judgement->floor = deal->floor;
        judgement->at = deal->at;
        if (deal->priority > judgement->priority) judgement->priority = deal->priority;
        if (deal->guarantee > 0 &&
            book_deal_deliveries(round->book, deal->id, round->day.day) < deal->guarantee)
            judgement->priority = BOUND_PRIORITY + 1;
    }
    judgement->score = bid->price;
    if (bid->kind == PRICE_PLACEMENT) return;
    judgement->explored = round->slot->explore;
    const struct round_worth_known *worth = round_worth_of(round, bid);
    judgement->multiplier = worth->bid.multiplier;
    judgement->score = worth->score;
}

// What the bid competes with: floor, deal, priority, expected value.
void
round_judge_terms(struct round *round, const struct catalog_bid *bid,
                  struct round_judgement *judgement)
{
    judge_terms(round, bid, judgement);
}

// (6); slots sold together see to it in the sale itself.
static enum reason
judge_here(const struct round *round, const struct catalog_bid *bid)
{
    if (round->container->pricing == PRICING_VCG) return REASON_NONE;
    for (unsigned i = 0; i < round->win_count; i++)
        if (round->wins[i].message == bid->message) return REASON_DUPLICATE;
    const struct catalog_container *container = round->container;
    bool limited = container->separate || container->paid_max > 0 || container->quota_count > 0 ||
                   round->live != NULL || round->catalog->messages[bid->message].group != 0;
    return limited ? round_limits_judge(round, bid) : REASON_NONE;
}

// Could step (7) stop it?
static bool
has_past(const struct round *round, uint32_t index)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_message *message = &catalog->messages[index];
    return message->cap_count > 0 || message->remember_days > 0 ||
           catalog->complaint_quiet_days > 0 || catalog->refund_quiet_days > 0;
}

void
round_judge(struct round *round, const struct catalog_bid *bid, struct round_judgement *judgement)
{
    *judgement = (struct round_judgement){.cap = UINT32_MAX};
    enum reason reason = REASON_NONE;
    if (bid->state == BID_WITHDRAWN) reason = REASON_WITHDRAWN;
    else if (bid->state == BID_PAUSED || round->catalog->seats[bid->seat].paused)
        reason = REASON_PAUSED;
    else if (!valid_at(bid->from, bid->until, round->now)) reason = REASON_NOT_VALID_NOW;
    if (reason == REASON_NONE)
        reason = judge_message(round, bid->message, bid == round->found, judgement);
    if (reason == REASON_NONE) reason = judge_here(round, bid);
    if (reason == REASON_NONE && has_past(round, bid->message))
        reason = round_counts_past(round, bid->message, judgement);
    if (reason == REASON_NONE) reason = round_counts_budgets(round, bid, judgement);
    if (reason == REASON_NONE || round->why != NULL) judge_terms(round, bid, judgement);
    if (reason == REASON_NONE && judgement->score.micros < judgement->floor.micros)
        reason = judgement->deal != NULL ? REASON_BELOW_DEAL_FLOOR : REASON_BELOW_FLOOR;
    if (reason == REASON_NONE && round->together.sold)
        reason = round_together_reason(round, bid, judgement);
    judgement->reason = reason;
}

// A slot's rule that asks nothing of the message is the same for all bids: judged once.
bool
round_judge_slot_is_open(const struct round *round)
{
    const struct expr *rule = &round->slot->rule;
    for (uint32_t i = 0; i < rule->node_count; i++) {
        const struct expr_node *node = &rule->nodes[i];
        if (node->kind < EXPR_RANGE) continue;
        if (round->catalog->attributes[node->attribute].is.of == ATTRIBUTE_OF_MESSAGE) return true;
    }
    return expr_true_with(rule, &round->contact->values, NULL, NULL);
}

struct price_bid
round_judge_entry(const struct catalog_bid *bid, uint32_t number,
                  const struct round_judgement *judgement)
{
    return (struct price_bid){.bid = bid->id,
                              .seat = bid->seat,
                              .number = number,
                              .kind = bid->kind,
                              .at = judgement->at,
                              .priority = judgement->priority,
                              .price = bid->price,
                              .multiplier = judgement->multiplier,
                              .floor = judgement->floor};
}
