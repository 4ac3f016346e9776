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
//   (2) When that answer keeps all limits, it is the best. It does unless the quota, a group, or a
//       category with paid and unpaid bids stand against it.
//   (3) Else all assignments are searched, slot by slot, cheapest loss first. What filling a slot
//       anew would be worth is its price u, what a node is worth beyond that its price v, what one
//       paid edge more would be worth the price p (the duals of the flow). The loss of an edge is
//       u + v + p (if paid) - worth, of the host u; never negative, and the worth of an assignment
//       is at most that of (1) less its losses. A branch ends when its losses, with the least that
//       the missing bids of the quota must lose, leave nothing better than the best found, or when
//       too few slots are left for the quota or for the groups begun.
//   (4) After `nodes_max` steps the search ends with the best found, and says so.
#include "vcg_solve.h"

#include <limits.h>
#include <string.h>

#include "fail.h"

#define NONE VCG_SOLVE_NONE

_Static_assert(VCG_KEPT < NONE, "an edge has a number");

enum count { COUNT_WORTH, COUNT_QUOTA };

// The relaxed question while it is answered.
struct flow {
    const struct vcg_solve_market *market;
    enum count count;    // what an edge is worth
    unsigned parts;      // of a worth
    unsigned handed;     // slots handed out so far
    unsigned paid_room;  // for the slots in play; UINT_MAX: no limit
    unsigned paid;       // paid edges held
    bool without_seat, without_groups;
    uint32_t seat;
    uint8_t hub_by;  // the slot that would give up its paid node
    struct vcg_solve_answer answer;
    uint8_t by[BOUND_SLOTS];                   // the edge by which a slot would fill itself anew
    struct vcg_solve_worth fill[BOUND_SLOTS];  // and what that is worth
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

static inline void
take(struct vcg_solve_worth *rest, const struct vcg_solve_worth *less, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++) rest->part[i] -= less->part[i];
}

// No sum leaves 63 bits: an amount is below 2^54, a draw below 2^54, a sum has up to 40 of them.
static inline void
add_edge(struct vcg_solve_worth *sum, const struct flow *flow, const struct vcg_solve_edge *edge,
         int sign)
{
    if (flow->count == COUNT_QUOTA) {
        sum->part[0] += sign;
        return;
    }
    if (flow->without_seat && edge->seat == flow->seat) return;  // it counts for nothing
    sum->part[edge->class] += sign * edge->amount;
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
    flow->count = COUNT_WORTH;
    flow->parts = market->classes + 1;
    flow->handed = 0;
    flow->paid_room = market->paid_max;
    flow->paid = 0;
    flow->without_seat = flow->without_groups = false;
    flow->seat = 0;
    for (unsigned i = 0; i < BOUND_SLOTS; i++) flow->answer.edge[i] = NONE;
    memset(flow->key_gone, 0, market->keys * sizeof *flow->key_gone);
    memset(flow->holder, NONE, 2 * market->keys * sizeof *flow->holder);
}

// Slots that are not in play keep what they hold.
static void
flow_give(struct flow *flow, const struct vcg_solve_answer *given, unsigned open)
{
    for (unsigned slot = 0; slot < flow->market->slots; slot++) {
        if (open >> slot & 1 || given->edge[slot] == NONE) continue;
        flow->answer.edge[slot] = given->edge[slot];
        const struct vcg_solve_edge *edge = held_edge(flow, slot);
        flow->key_gone[edge->key] = true;
        if (edge->paid && flow->paid_room != UINT_MAX) flow->paid_room--;
    }
}

static inline bool
is_usable(const struct flow *flow, const struct vcg_solve_edge *edge)
{
    if (flow->without_seat && edge->seat == flow->seat) return false;
    if (flow->key_gone[edge->key] || (edge->paid && flow->paid_room == 0)) return false;
    if (flow->count == COUNT_QUOTA && !edge->quota) return false;
    return !(flow->without_groups && edge->group != 0);
}

// Betters what filling `slot` anew is worth by any of its edges; true when one did.
static bool
fill_better(struct flow *flow, unsigned slot, bool full)
{
    const struct vcg_solve_market *market = flow->market;
    bool better = false;
    for (uint8_t i = 0; i < market->counts[slot]; i++) {
        const struct vcg_solve_edge *edge = &market->edges[slot][i];
        if (!is_usable(flow, edge)) continue;
        unsigned from = flow->holder[node_of(edge)];
        if (from == slot) continue;
        struct vcg_solve_worth reached = {0};
        add_edge(&reached, flow, edge, 1);
        // No chain brings more than its first edge does, and those behind are worth less.
        if (!exceeds(&reached, &flow->fill[slot], flow->parts)) return better;
        if (from != NONE) {
            add_edge(&reached, flow, held_edge(flow, from), -1);
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
        add_edge(&worth, flow, held_edge(flow, slot), -1);
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

// (2)
static bool
keeps_limits(const struct flow *flow, unsigned quota)
{
    const struct vcg_solve_market *market = flow->market;
    uint8_t wins[VCG_SOLVE_GROUPS];
    if (market->grouped) memset(wins, 0, sizeof wins);
    unsigned of_quota = 0;
    for (unsigned slot = 0; slot < market->slots; slot++) {
        if (flow->answer.edge[slot] == NONE) continue;
        const struct vcg_solve_edge *edge = held_edge(flow, slot);
        of_quota += edge->quota;
        if (edge->group != 0) wins[edge->group]++;
        for (unsigned i = 0; i < slot && market->separate; i++)
            if (flow->answer.edge[i] != NONE && held_edge(flow, i)->key == edge->key) return false;
    }
    if (of_quota < quota) return false;
    for (unsigned slot = 0; slot < market->slots && market->grouped; slot++) {
        if (flow->answer.edge[slot] == NONE) continue;
        const struct vcg_solve_edge *edge = held_edge(flow, slot);
        if (flow->without_seat && edge->seat == flow->seat) continue;
        if (edge->group != 0 && wins[edge->group] != market->group_size[edge->group]) return false;
    }
    return true;
}

// --- The search ----------------------------------------------------------------------------------
struct step {
    uint8_t edge;  // NONE: the host
    struct vcg_solve_worth loss;
};
struct search {
    const struct flow *flow;
    const struct vcg_solve_market *market;
    unsigned parts, slots;
    uint8_t order[BOUND_SLOTS];  // the slots in play
    uint8_t step_counts[BOUND_SLOTS];
    struct step steps[BOUND_SLOTS][VCG_KEPT + 1];  // of each slot, the least loss first
    // From a place in the order on: how many slots have bids of the quota, and what the cheapest
    // of them lose together.
    unsigned able[BOUND_SLOTS + 1];
    struct vcg_solve_worth quota_loss[BOUND_SLOTS + 1][BOUND_SLOTS + 1];
    bool key_used[VCG_SOLVE_KEYS];
    uint8_t wins[VCG_SOLVE_GROUPS];  // of each group
    struct vcg_solve_answer answer, best;
    struct vcg_solve_worth least_loss;  // of what is better than the best found: below it
    struct vcg_solve_worth relaxed;
    bool found;
    uint32_t nodes;
};

static bool
serves(const struct flow *flow, const struct vcg_solve_edge *edge)
{
    if (flow->without_seat && edge->seat == flow->seat)
        return edge->quota && !flow->key_gone[edge->key] && !(edge->paid && flow->paid_room == 0);
    return is_usable(flow, edge);
}

// Sorted by insertion: the least loss first, of equal ones the earlier edge, the host last.
static void
insert_step(struct search *search, unsigned place, uint8_t edge, const struct vcg_solve_worth *loss)
{
    struct step *steps = search->steps[place];
    unsigned at = search->step_counts[place]++;
    for (; at > 0 && exceeds(&steps[at - 1].loss, loss, search->parts); at--)
        steps[at] = steps[at - 1];
    steps[at].edge = edge;
    steps[at].loss = *loss;
}

static void
list_steps(struct search *search, unsigned place)
{
    const struct flow *flow = search->flow;
    const struct vcg_solve_market *market = search->market;
    unsigned slot = search->order[place];
    search->step_counts[place] = 0;
    for (uint8_t i = 0; i < market->counts[slot]; i++) {
        const struct vcg_solve_edge *edge = &market->edges[slot][i];
        if (!serves(flow, edge)) continue;
        struct vcg_solve_worth loss = flow->fill[slot];
        unsigned holder = flow->holder[node_of(edge)];
        add_edge(&loss, flow, edge, -1);
        if (holder != NONE) {  // v and p together
            add_edge(&loss, flow, held_edge(flow, holder), 1);
            take(&loss, &flow->fill[holder], search->parts);
        } else if (edge->paid) {
            take(&loss, &flow->hub, search->parts);
        }
        if (search->found && !exceeds(&search->least_loss, &loss, search->parts)) continue;
        insert_step(search, place, i, &loss);
    }
    if (!search->found || exceeds(&search->least_loss, &flow->fill[slot], search->parts))
        insert_step(search, place, NONE, &flow->fill[slot]);
}

// What the missing bids of the quota must lose at least, from each place on.
static void
list_quota_losses(struct search *search)
{
    struct vcg_solve_worth least[BOUND_SLOTS];  // of the places behind, ascending
    unsigned count = 0;
    search->able[search->slots] = 0;
    memset(search->quota_loss[search->slots], 0, sizeof search->quota_loss[0]);
    for (unsigned place = search->slots; place-- > 0;) {
        unsigned slot = search->order[place];
        for (unsigned i = 0; i < search->step_counts[place]; i++) {
            const struct step *step = &search->steps[place][i];
            if (step->edge == NONE || !search->market->edges[slot][step->edge].quota) continue;
            unsigned at = count++;
            for (; at > 0 && exceeds(&least[at - 1], &step->loss, search->parts); at--)
                least[at] = least[at - 1];
            least[at] = step->loss;
            break;
        }
        search->able[place] = count;
        memset(&search->quota_loss[place][0], 0, sizeof search->quota_loss[place][0]);
        for (unsigned i = 0; i < count; i++) {
            search->quota_loss[place][i + 1] = search->quota_loss[place][i];
            add(&search->quota_loss[place][i + 1], &least[i], search->parts);
        }
    }
}

static void
note_best(struct search *search, const struct vcg_solve_answer *answer,
          const struct vcg_solve_worth *worth)
{
    struct vcg_solve_worth loss = search->relaxed;
    take(&loss, worth, search->parts);
    if (search->found && !exceeds(&search->least_loss, &loss, search->parts)) return;
    search->found = true;
    search->least_loss = loss;
    search->best = *answer;
}

// State of one branch.
struct branch {
    unsigned place, paid, missing;  // missing: wins that the groups begun still need
    unsigned quota;                 // bids of the quota still needed
    struct vcg_solve_worth loss, worth;
};

static bool
enter(struct search *search, struct branch *branch, const struct vcg_solve_edge *edge)
{
    const struct flow *flow = search->flow;
    if (search->key_used[edge->key]) return false;
    if (edge->paid && branch->paid == flow->paid_room) return false;
    if (edge->group != 0 && !(flow->without_seat && edge->seat == flow->seat)) {
        uint8_t wins = search->wins[edge->group], size = search->market->group_size[edge->group];
        if (wins == size) return false;
        if (wins == 0) branch->missing += size - 1u;
        else branch->missing--;
    }
    branch->paid += edge->paid;
    if (edge->quota && branch->quota > 0) branch->quota--;
    add_edge(&branch->worth, flow, edge, 1);
    return true;
}

// (3)
static void
descend(struct search *search, const struct branch *branch)
{
    unsigned place = branch->place, slot = search->order[place];
    if (place == search->slots) {
        if (branch->missing == 0 && branch->quota == 0)
            note_best(search, &search->answer, &branch->worth);
        return;
    }
    for (unsigned i = 0; i < search->step_counts[place]; i++) {
        const struct step *step = &search->steps[place][i];
        if (++search->nodes > search->market->nodes_max) return;  // (4)
        struct branch next = *branch;
        next.place++;
        add(&next.loss, &step->loss, search->parts);
        if (search->found && !exceeds(&search->least_loss, &next.loss, search->parts)) return;
        const struct vcg_solve_edge *edge = NULL;
        if (step->edge != NONE) {
            edge = &search->market->edges[slot][step->edge];
            if (!enter(search, &next, edge)) continue;
        }
        if (next.missing > search->slots - next.place) continue;
        if (next.quota > search->able[next.place]) continue;
        struct vcg_solve_worth loss = next.loss;
        add(&loss, &search->quota_loss[next.place][next.quota], search->parts);
        if (search->found && !exceeds(&search->least_loss, &loss, search->parts)) continue;
        search->answer.edge[slot] = step->edge;
        if (edge != NULL) search->key_used[edge->key] = true, search->wins[edge->group]++;
        descend(search, &next);
        if (edge != NULL) search->key_used[edge->key] = false, search->wins[edge->group]--;
    }
}

static struct vcg_solve_worth
worth_of(const struct flow *flow, const struct vcg_solve_answer *answer, unsigned open)
{
    struct vcg_solve_worth worth = {0};
    for (unsigned slot = 0; slot < flow->market->slots; slot++)
        if (open >> slot & 1 && answer->edge[slot] != NONE)
            add_edge(&worth, flow, &flow->market->edges[slot][answer->edge[slot]], 1);
    return worth;
}

// Searches from the relaxed answer on; `begin` (NULL: none) keeps the limits and is to be bettered.
static bool
search_all(struct flow *flow, unsigned open, unsigned quota, const struct vcg_solve_answer *begin,
           struct vcg_solve_answer *out, uint32_t *nodes, bool *cut_short)
{
    const struct vcg_solve_market *market = flow->market;
    struct search search;
    search.flow = flow;
    search.market = market;
    search.parts = flow->parts;
    search.slots = 0;
    search.found = false;
    search.nodes = 0;
    search.relaxed = worth_of(flow, &flow->answer, open);
    search.answer = flow->answer;
    struct branch root = {.quota = quota};
    memset(search.key_used, 0, market->keys * sizeof *search.key_used);
    memset(search.wins, 0, sizeof search.wins);
    fill_all(flow, NONE);
    for (uint8_t slot = 0; slot < market->slots; slot++) {
        if (open >> slot & 1) {
            search.order[search.slots++] = slot;
        } else if (flow->answer.edge[slot] != NONE) {
            const struct vcg_solve_edge *edge = held_edge(flow, slot);
            search.key_used[edge->key] = true;
            if (edge->quota && root.quota > 0) root.quota--;
        }
    }
    if (begin != NULL) {
        struct vcg_solve_worth worth = worth_of(flow, begin, open);
        note_best(&search, begin, &worth);
    }
    for (unsigned place = 0; place < search.slots; place++) list_steps(&search, place);
    list_quota_losses(&search);
    if (root.quota <= search.able[0]) descend(&search, &root);
    if (search.nodes > *nodes) *nodes = search.nodes;
    if (search.nodes > market->nodes_max) *cut_short = true;
    if (search.found) *out = search.best;
    return search.found;
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

bool
vcg_solve_first(const struct vcg_solve_market *market, unsigned quota, struct vcg_solve_answer *out,
                uint32_t *nodes, bool *cut_short)
{
    struct flow flow, plain;
    unsigned all = (1u << market->slots) - 1;
    flow_open(&flow, market);
    flow_solve(&flow, all);
    *out = flow.answer;
    if (keeps_limits(&flow, quota)) return true;
    // Something to begin with: without groups; else, where nothing is asked, nothing sold.
    const struct vcg_solve_answer *begin = NULL;
    flow_open(&plain, market);
    if (quota == 0) begin = &plain.answer;
    if (market->grouped) {
        plain.without_groups = true;
        flow_solve(&plain, all);
        if (keeps_limits(&plain, quota)) {
            begin = &plain.answer;
        } else if (quota == 0) {
            flow_open(&plain, market);
        }
    }
    return search_all(&flow, all, quota, begin, out, nodes, cut_short);
}

void
vcg_solve_again(const struct vcg_solve_market *market, const struct vcg_solve_question *question,
                struct vcg_solve_answer *out, uint32_t *nodes, bool *cut_short)
{
    struct flow flow;
    flow_open(&flow, market);
    flow.without_seat = question->without_seat;
    flow.seat = question->seat;
    flow_give(&flow, &question->given, question->open);
    flow_solve(&flow, question->open);
    *out = flow.answer;
    if (keeps_limits(&flow, question->quota)) return;
    CHECK(search_all(&flow, question->open, question->quota, &question->given, out, nodes,
                     cut_short));
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
