// The best assignment of slots to bids under the limits of a contact.
//
// An edge is a bid that may take a slot; edges with the same key (one message; or one category,
// where messages of a category exclude each other) exclude each other. Sought is the assignment of
// largest worth (compared part by part, vcg_solve.h) with: a key once; at most `paid_max` paid
// edges; at least so many of the quota; of a group all or none.
//
//   (1) The relaxed question: keys and paid_max alone. It is a flow: slot, then key (one node for
//       its paid and one for its unpaid edges), then the host's sink, the paid nodes through one
//       more node that takes paid_max. Slots are handed out one after the other, each by its best
//       chain of moves (Bellman-Ford over at most 12 slots): the slot takes a free node, or one
//       that another slot holds, which then fills itself anew, or, when paid_max is reached, a free
//       paid node in exchange for a paid node that another slot gives up; or it stays with the
//       host. A best flow plus its best chain is a best flow of one slot more. Chains never gain
//       by going round: that would better the flow before.
//   (2) When that answer keeps all limits, it is the best. Else one limit that it breaks divides
//       the question in parts, each is relaxed and divided in its turn, and a part whose relaxed
//       answer is not better than the best found is let go (branch and bound):
//         a) a category won by a paid and an unpaid bid: its paid bids are out, or its unpaid ones;
//         b) a group not won as a whole: it is out; or it wins, and the first of its bids that is
//            missing wins one of the slots that it bids for;
//         c) too few bids of the quota: of the slots that could go to one and did not, that which
//            loses least by it goes to the quota's bids only, or to none of them. Slots kept so are
//            filled before all others, or the part has no answer.
//   (3) Steps are slots handed out. After `steps_max` of them the search ends with the best found,
//       and says so.
#include "vcg_solve.h"

#include <limits.h>
#include <string.h>

#include "fail.h"

#define NONE VCG_SOLVE_NONE
#define GONE (NONE - 1)  // holder of a node that is out

_Static_assert(VCG_KEPT < GONE, "an edge has a number");
_Static_assert(BOUND_SLOTS < GONE, "a holder is a slot");

enum count { COUNT_WORTH, COUNT_QUOTA };
enum rule { RULE_NONE, RULE_QUOTA, RULE_NO_QUOTA };
enum group_rule { GROUP_OPEN, GROUP_OUT, GROUP_IN };

// A part of a question.
#define GONE_MOST (2 * BOUND_SLOTS * BOUND_SLOTS)
struct part {
    unsigned open;  // slots to be handed out; the others keep what `given` says
    struct vcg_solve_answer given;
    uint8_t rules[BOUND_SLOTS];        // enum rule
    uint8_t groups[VCG_SOLVE_GROUPS];  // enum group_rule
    unsigned gone_count;
    uint16_t gone[GONE_MOST];  // nodes that are out
};

// The relaxed question while it is answered.
struct flow {
    const struct vcg_solve_market *market;
    const struct part *of;  // what of the question; NULL: all of it
    enum count count;       // what an edge is worth
    unsigned parts;         // of a worth
    unsigned handed;        // slots handed out so far
    unsigned paid_room;     // for the slots in play; UINT_MAX: no limit
    unsigned paid;          // paid edges held
    bool without_seat;
    uint32_t seat;
    struct vcg_solve_answer answer;
    uint8_t by[BOUND_SLOTS];                   // the edge by which a slot would fill itself anew
    struct vcg_solve_worth fill[BOUND_SLOTS];  // and what that is worth
    uint8_t hub_by;                            // the slot that would give up its paid node
    struct vcg_solve_worth hub;                // what one paid edge more costs, negative
    bool key_gone[VCG_SOLVE_KEYS];             // taken by slots that are not in play
    uint8_t holder[2 * VCG_SOLVE_KEYS];        // the slot that holds a node
};

// --- Worths --------------------------------------------------------------------------------------
static inline bool
exceeds(const struct vcg_solve_worth *a, const struct vcg_solve_worth *b, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++)
        if (a->part[i] != b->part[i]) return a->part[i] > b->part[i];
    return false;
}

static inline void
add(struct vcg_solve_worth *sum, const struct vcg_solve_worth *more, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++) sum->part[i] += more->part[i];
}

// Part 0 counts slots that are kept for the quota and filled so. No sum leaves 63 bits: an amount
// is below 2^54, a draw below 2^54, a sum has up to 40 of them.
static inline void
add_edge(struct vcg_solve_worth *sum, const struct flow *flow, unsigned slot,
         const struct vcg_solve_edge *edge, int sign)
{
    if (flow->count == COUNT_QUOTA) {
        sum->part[0] += sign;
        return;
    }
    if (flow->of != NULL && flow->of->rules[slot] == RULE_QUOTA) sum->part[0] += sign;
    if (flow->without_seat && edge->seat == flow->seat) return;  // it counts for nothing
    sum->part[1 + edge->class] += sign * edge->amount;
    sum->part[flow->parts - 1] -= sign * edge->draw;
}

// --- The relaxed question ------------------------------------------------------------------------
static inline unsigned
node_of(const struct vcg_solve_edge *edge)
{
    return 2u * edge->key + edge->paid;
}

static inline const struct vcg_solve_edge *
held_edge(const struct flow *flow, unsigned slot)
{
    return &flow->market->edges[slot][flow->answer.edge[slot]];
}

static void
flow_open(struct flow *flow, const struct vcg_solve_market *market)
{
    flow->market = market;
    flow->of = NULL;
    flow->count = COUNT_WORTH;
    flow->parts = market->classes + 2;
    flow->handed = 0;
    flow->paid_room = market->paid_max;
    flow->paid = 0;
    flow->without_seat = false;
    flow->seat = 0;
    for (unsigned i = 0; i < BOUND_SLOTS; i++) flow->answer.edge[i] = NONE;
    memset(flow->key_gone, 0, market->keys * sizeof *flow->key_gone);
    memset(flow->holder, NONE, 2 * market->keys * sizeof *flow->holder);
}

// Slots that are not open keep what they hold. False when they hold a key twice, or too many paid
// bids.
static bool
flow_give(struct flow *flow, const struct part *of)
{
    flow->of = of;
    for (unsigned i = 0; i < of->gone_count; i++) flow->holder[of->gone[i]] = GONE;
    for (unsigned slot = 0; slot < flow->market->slots; slot++) {
        if (of->open >> slot & 1 || of->given.edge[slot] == NONE) continue;
        flow->answer.edge[slot] = of->given.edge[slot];
        const struct vcg_solve_edge *edge = held_edge(flow, slot);
        if (flow->key_gone[edge->key]) return false;
        flow->key_gone[edge->key] = true;
        if (!edge->paid || flow->paid_room == UINT_MAX) continue;
        if (flow->paid_room == 0) return false;
        flow->paid_room--;
    }
    return true;
}

static inline bool
is_usable(const struct flow *flow, unsigned slot, const struct vcg_solve_edge *edge)
{
    if (flow->key_gone[edge->key] || (edge->paid && flow->paid_room == 0)) return false;
    if (flow->count == COUNT_QUOTA) return edge->quota;
    bool nothing = flow->without_seat && edge->seat == flow->seat;
    if (flow->of == NULL) return !nothing;
    enum rule rule = (enum rule)flow->of->rules[slot];
    if (rule != RULE_NONE && (rule == RULE_QUOTA) != (edge->quota != 0)) return false;
    if (nothing) return rule == RULE_QUOTA;
    return edge->group == 0 || flow->of->groups[edge->group] != GROUP_OUT;
}

// Betters what filling `slot` anew is worth by any of its edges; true when one did.
static bool
fill_better(struct flow *flow, unsigned slot, bool full)
{
    const struct vcg_solve_market *market = flow->market;
    bool better = false;
    for (uint8_t i = 0; i < market->counts[slot]; i++) {
        const struct vcg_solve_edge *edge = &market->edges[slot][i];
        if (!is_usable(flow, slot, edge)) continue;
        unsigned from = flow->holder[node_of(edge)];
        if (from == slot || from == GONE) continue;
        struct vcg_solve_worth reached = {0};
        add_edge(&reached, flow, slot, edge, 1);
        // No chain brings more than its first edge does, and those behind are worth less, but for
        // those that count for nothing.
        if (!exceeds(&reached, &flow->fill[slot], flow->parts)) {
            if (flow->without_seat && edge->seat == flow->seat) continue;
            return better;
        }
        if (from != NONE) {
            add_edge(&reached, flow, from, held_edge(flow, from), -1);
            add(&reached, &flow->fill[from], flow->parts);
        } else if (full && edge->paid) {
            add(&reached, &flow->hub, flow->parts);
        }
        if (!exceeds(&reached, &flow->fill[slot], flow->parts)) continue;
        flow->fill[slot] = reached;
        flow->by[slot] = i;
        better = true;
    }
    return better;
}

// What the paid node that is given up at the least loss would bring. Of equal ones the one found
// first stays, so that a chain never goes round.
static void
find_hub(struct flow *flow)
{
    for (uint8_t slot = 0; slot < flow->market->slots; slot++) {
        if (!(flow->handed >> slot & 1) || flow->answer.edge[slot] == NONE) continue;
        if (!held_edge(flow, slot)->paid) continue;
        struct vcg_solve_worth worth = flow->fill[slot];
        add_edge(&worth, flow, slot, held_edge(flow, slot), -1);
        if (flow->hub_by != NONE && !exceeds(&worth, &flow->hub, flow->parts)) continue;
        flow->hub = worth;
        flow->hub_by = slot;
    }
    CHECK(flow->hub_by != NONE);
}

// What filling each slot that was handed out is worth; `wanting` holds nothing yet (NONE: all do).
static void
fill_all(struct flow *flow, unsigned wanting)
{
    unsigned slots = flow->market->slots;
    bool full = flow->paid_room != UINT_MAX && flow->paid_room > 0 && flow->paid == flow->paid_room;
    memset(flow->fill, 0, slots * sizeof *flow->fill);
    memset(flow->by, NONE, sizeof flow->by);
    memset(&flow->hub, 0, sizeof flow->hub);
    flow->hub_by = NONE;
    bool better = true;
    for (unsigned turn = 0; better; turn++) {
        CHECK(turn <= 2 * slots + 2);  // a longer chain would go round
        better = false;
        if (full) find_hub(flow);
        for (unsigned i = 0; i < slots; i++) {
            if (!(flow->handed >> i & 1)) continue;
            if (i != wanting && flow->answer.edge[i] == NONE) continue;  // no chain leads there
            if (fill_better(flow, i, full)) better = true;
        }
    }
}

static void
hand_out(struct flow *flow, unsigned slot)
{
    flow->handed |= 1u << slot;
    fill_all(flow, slot);
    bool full = flow->paid_room != UINT_MAX && flow->paid == flow->paid_room;
    for (unsigned moves = 0;; moves++) {
        CHECK(moves <= 2 * flow->market->slots);
        flow->answer.edge[slot] = flow->by[slot];
        if (flow->by[slot] == NONE) break;
        const struct vcg_solve_edge *edge = held_edge(flow, slot);
        unsigned node = node_of(edge), from = flow->holder[node];
        flow->holder[node] = (uint8_t)slot;
        if (from != NONE) {
            slot = from;
        } else if (full && edge->paid) {
            slot = flow->hub_by;
            flow->holder[node_of(held_edge(flow, slot))] = NONE;
        } else {
            break;
        }
    }
    flow->paid = 0;
    for (unsigned i = 0; i < flow->market->slots; i++)
        if (flow->handed >> i & 1 && flow->answer.edge[i] != NONE)
            flow->paid += held_edge(flow, i)->paid;
}

static void
flow_solve(struct flow *flow, unsigned open)
{
    for (unsigned slot = 0; slot < flow->market->slots; slot++)
        if (open >> slot & 1) hand_out(flow, slot);
}

// --- The search ----------------------------------------------------------------------------------
struct search {
    const struct vcg_solve_market *market;
    const struct vcg_solve_question *question;
    unsigned quota;
    unsigned open;  // slots of the question: what they hold counts
    struct part part;
    struct flow flow;
    bool found;
    struct vcg_solve_answer best;
    struct vcg_solve_worth most;
    uint32_t steps;
    bool cut_short;
};

static inline const struct vcg_solve_edge *
edge_of(const struct search *search, const struct vcg_solve_answer *answer, unsigned slot)
{
    return answer->edge[slot] == NONE ? NULL : &search->market->edges[slot][answer->edge[slot]];
}

static struct vcg_solve_worth
worth_of(const struct search *search, const struct vcg_solve_answer *answer)
{
    struct vcg_solve_worth worth = {0};
    for (unsigned slot = 0; slot < search->market->slots; slot++)
        if (search->open >> slot & 1 && answer->edge[slot] != NONE)
            add_edge(&worth, &search->flow, slot, edge_of(search, answer, slot), 1);
    worth.part[0] = 0;
    return worth;
}

static bool
is_asked(const struct search *search, const struct vcg_solve_edge *edge)
{
    return !(search->question->without_seat && edge->seat == search->question->seat);
}

static void explore(struct search *search);

// (2 a): true when a key was won twice, and all its parts have been explored.
static bool
divide_by_key(struct search *search, const struct vcg_solve_answer *answer)
{
    struct part *part = &search->part;
    for (unsigned i = 1; i < search->market->slots; i++) {
        const struct vcg_solve_edge *one = edge_of(search, answer, i);
        for (unsigned j = 0; one != NULL && j < i; j++) {
            const struct vcg_solve_edge *other = edge_of(search, answer, j);
            if (other == NULL || other->key != one->key) continue;
            CHECK(part->gone_count < GONE_MOST);
            bool first = one->amount < other->amount;
            unsigned at = part->gone_count++;
            part->gone[at] = (uint16_t)node_of(first ? one : other);
            explore(search);
            part->gone[at] = (uint16_t)node_of(first ? other : one);
            explore(search);
            part->gone_count--;
            return true;
        }
    }
    return false;
}

static bool
wins_key(const struct search *search, const struct vcg_solve_answer *answer, unsigned group,
         unsigned key)
{
    for (unsigned slot = 0; slot < search->market->slots; slot++) {
        const struct vcg_solve_edge *edge = edge_of(search, answer, slot);
        if (edge != NULL && edge->group == group && edge->key == key) return true;
    }
    return false;
}

// The group wins: the first of its bids that is missing takes one of its slots.
static void
bring_in(struct search *search, const struct vcg_solve_answer *answer, unsigned group)
{
    const struct vcg_solve_market *market = search->market;
    struct part *part = &search->part;
    unsigned key = UINT_MAX;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        for (uint8_t i = 0; i < market->counts[slot]; i++) {
            const struct vcg_solve_edge *edge = &market->edges[slot][i];
            if (edge->group != group || (key != UINT_MAX && edge->key != key)) continue;
            if (key == UINT_MAX && wins_key(search, answer, group, edge->key)) continue;
            key = edge->key;
            if (!(part->open >> slot & 1)) continue;
            part->open &= ~(1u << slot);
            part->given.edge[slot] = i;
            explore(search);
            part->open |= 1u << slot;
            part->given.edge[slot] = NONE;
        }
    }
}

// (2 b)
static bool
divide_by_group(struct search *search, const struct vcg_solve_answer *answer)
{
    struct part *part = &search->part;
    for (unsigned slot = 0; slot < search->market->slots && search->market->grouped; slot++) {
        const struct vcg_solve_edge *edge = edge_of(search, answer, slot);
        if (edge == NULL || edge->group == 0 || !is_asked(search, edge)) continue;
        unsigned group = edge->group, wins = 0;
        for (unsigned i = 0; i < search->market->slots; i++) {
            const struct vcg_solve_edge *other = edge_of(search, answer, i);
            wins += other != NULL && other->group == group;
        }
        if (wins == search->market->group_size[group]) continue;
        uint8_t before = part->groups[group];
        if (before == GROUP_OPEN) {
            part->groups[group] = GROUP_OUT;
            explore(search);
        }
        part->groups[group] = GROUP_IN;
        bring_in(search, answer, group);
        part->groups[group] = before;
        return true;
    }
    return false;
}

// What the slot would lose by going to the best bid of the quota that could take it. False: none.
static bool
quota_loss(const struct search *search, const struct vcg_solve_answer *answer, unsigned slot,
           struct vcg_solve_worth *out_loss)
{
    const struct vcg_solve_market *market = search->market;
    const struct part *part = &search->part;
    const struct vcg_solve_edge *held = edge_of(search, answer, slot);
    if (!(part->open >> slot & 1) || part->rules[slot] != RULE_NONE) return false;
    *out_loss = (struct vcg_solve_worth){0};
    if (held != NULL) add_edge(out_loss, &search->flow, slot, held, 1);
    for (unsigned i = 0; i < market->counts[slot]; i++) {
        const struct vcg_solve_edge *edge = &market->edges[slot][i];
        if (!edge->quota || part->groups[edge->group] == GROUP_OUT) continue;
        add_edge(out_loss, &search->flow, slot, edge, -1);
        return true;
    }
    return false;
}

// (2 c)
static bool
divide_by_quota(struct search *search, const struct vcg_solve_answer *answer)
{
    struct part *part = &search->part;
    unsigned won = 0, able = 0, choice = NONE;
    struct vcg_solve_worth least, loss;
    for (unsigned slot = 0; slot < search->market->slots; slot++) {
        const struct vcg_solve_edge *edge = edge_of(search, answer, slot);
        if (edge != NULL && edge->quota) {
            won++;
            continue;
        }
        if (!quota_loss(search, answer, slot, &loss)) continue;
        able++;
        if (choice != NONE && !exceeds(&least, &loss, search->flow.parts)) continue;
        choice = slot;
        least = loss;
    }
    if (won >= search->quota) return false;
    if (won + able < search->quota) return true;  // no answer in this part
    part->rules[choice] = RULE_QUOTA;
    explore(search);
    part->rules[choice] = RULE_NO_QUOTA;
    explore(search);
    part->rules[choice] = RULE_NONE;
    return true;
}

static bool
keeps_rules(const struct search *search, const struct vcg_solve_answer *answer)
{
    for (unsigned slot = 0; slot < search->market->slots; slot++)
        if (search->part.open >> slot & 1 && search->part.rules[slot] == RULE_QUOTA &&
            answer->edge[slot] == NONE)
            return false;
    return true;
}

static void
explore(struct search *search)
{
    struct flow *flow = &search->flow;
    search->steps += (unsigned)__builtin_popcount(search->part.open) + 1;
    if (search->steps > search->market->steps_max) {
        search->cut_short = true;  // (3)
        return;
    }
    flow_open(flow, search->market);
    flow->without_seat = search->question->without_seat;
    flow->seat = search->question->seat;
    if (!flow_give(flow, &search->part)) return;
    flow_solve(flow, search->part.open);
    struct vcg_solve_answer answer = flow->answer;
    struct vcg_solve_worth worth = worth_of(search, &answer);
    if (search->found && !exceeds(&worth, &search->most, flow->parts)) return;
    if (!keeps_rules(search, &answer)) return;
    if (divide_by_key(search, &answer) || divide_by_group(search, &answer) ||
        divide_by_quota(search, &answer))
        return;
    search->found = true;
    search->best = answer;
    search->most = worth;
}

// --- Questions -----------------------------------------------------------------------------------
unsigned
vcg_solve_quota(const struct vcg_solve_market *market)
{
    struct flow flow;
    flow_open(&flow, market);
    flow.count = COUNT_QUOTA;
    flow_solve(&flow, (1u << market->slots) - 1);
    unsigned count = 0;
    for (unsigned slot = 0; slot < market->slots; slot++) count += flow.answer.edge[slot] != NONE;
    return count;
}

// `begin`: within the limits, and to be bettered; NULL: none is known. `groups`: enum group_rule.
static bool
answer_question(const struct vcg_solve_market *market, const struct vcg_solve_question *question,
                const struct vcg_solve_answer *begin, enum group_rule groups,
                struct vcg_solve_answer *out, uint32_t *steps, bool *cut_short)
{
    struct search search;
    search.market = market;
    search.question = question;
    search.quota = question->quota;
    search.open = search.part.open = question->open;
    search.part.given = question->given;
    for (unsigned slot = 0; slot < BOUND_SLOTS; slot++)
        if (question->open >> slot & 1) search.part.given.edge[slot] = NONE;
    memset(search.part.rules, RULE_NONE, sizeof search.part.rules);
    memset(search.part.groups, (int)groups, sizeof search.part.groups);
    search.part.groups[0] = GROUP_OPEN;
    search.part.gone_count = 0;
    search.found = begin != NULL;
    search.cut_short = false;
    search.steps = 0;
    if (begin != NULL) {
        flow_open(&search.flow, market);
        search.flow.without_seat = question->without_seat;
        search.flow.seat = question->seat;
        search.best = *begin;
        search.most = worth_of(&search, begin);
    }
    explore(&search);
    if (search.cut_short) *cut_short = true;
    *steps += search.steps;
    if (search.found) *out = search.best;
    return search.found;
}

bool
vcg_solve_first(const struct vcg_solve_market *market, unsigned quota, struct vcg_solve_answer *out,
                uint32_t *steps, bool *cut_short)
{
    struct vcg_solve_question question = {.open = (1u << market->slots) - 1, .quota = quota};
    struct vcg_solve_answer nothing;
    memset(&nothing, NONE, sizeof nothing);
    question.given = nothing;
    const struct vcg_solve_answer *begin = quota == 0 ? &nothing : NULL;
    if (market->grouped &&
        answer_question(market, &question, begin, GROUP_OUT, out, steps, cut_short)) {
        nothing = *out;  // better than nothing
        begin = &nothing;
    }
    return answer_question(market, &question, begin, GROUP_OPEN, out, steps, cut_short);
}

void
vcg_solve_again(const struct vcg_solve_market *market, const struct vcg_solve_question *question,
                struct vcg_solve_answer *out, uint32_t *steps, bool *cut_short)
{
    CHECK(answer_question(market, question, &question->given, GROUP_OPEN, out, steps, cut_short));
}

void
vcg_solve_hand_out(const struct vcg_solve_market *market, struct vcg_solve_answer *answer,
                   unsigned handed, unsigned slot, uint32_t seat)
{
    struct flow flow;
    flow_open(&flow, market);
    flow.without_seat = true;
    flow.seat = seat;
    flow.handed = handed;
    flow.answer = *answer;
    for (uint8_t i = 0; i < market->slots; i++)
        if (handed >> i & 1 && answer->edge[i] != NONE)
            flow.holder[node_of(held_edge(&flow, i))] = i;
    hand_out(&flow, slot);
    *answer = flow.answer;
}
