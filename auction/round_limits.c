// The limits of a contact: what its placements ask of each other. Here for slots sold one after the
// other, counted over the wins so far; slots sold together respect the same limits inside the
// mechanism (vcg.c).
//
// A bid is stopped by the first of these that it breaks:
//   (1) SEPARATION: the container keeps categories apart, and a message of the bid's category has
//       won a slot of this contact. A message without a category breaks nothing.
//   (2) PAID_MAX: the bid is of a partner, and partners have won as many slots of this contact as
//       the container admits.
//   (3) GROUP: the bid's group is out. Messages with the same `group` of a seat win all, each once,
//       or none; live bids with the same group in their bidder's answer likewise (for them it
//       counts in place of the message's). A group of more wins than slots are asked for is out
//       from the start. After all slots are sold, the first incomplete group in the order of slots
//       is put out and all slots are sold anew, until every group that won is whole; after
//       ROUND_RESALES sales anew all groups are out. So it ends.
//   (4) QUOTA: with this bid, the quota could no longer be reached. In detail, when a slot's turn
//       comes:
//       a) reached: the wins so far that pursue one of the quota's objectives.
//       b) A slot can serve the quota by the bids that pursue one and that would be eligible there
//          as things stand, whatever the quota says. (That groups must be whole is not asked yet.)
//       c) Of some slots, with so many paid placements left: the most that can be filled at once by
//          such bids, one message once, one category once where they are kept apart; but not more
//          than can be so filled by unpaid bids alone and the paid placements left.
//       d) The aim is the quota, or what has been reached and (c) of this slot and those behind,
//          when that is less.
//       e) A bid is stopped when what has been reached, one more if the bid pursues an objective of
//          the quota, and (c) of the slots behind, without the bid's message (category) and one
//          paid placement less if it is paid, is below the aim.
//       So a slot is kept for the quota, or even left empty, only when that saves it; a quota that
//       cannot be met stops nobody. The search looks for bids of (b) until as many different ones
//       are known for a slot as there are slots: more can never be needed.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

#define NO_KEY UINT64_MAX

static const struct catalog_message *
message_of(const struct round *round, const struct catalog_bid *bid)
{
    return &round->catalog->messages[bid->message];
}

bool
round_limits_is_paid(const struct round *round, const struct catalog_bid *bid)
{
    return round->catalog->seats[bid->seat].kind == SEAT_PARTNER;
}

bool
round_limits_is_quota(const struct round *round, const struct catalog_bid *bid)
{
    return (message_of(round, bid)->objectives & round->container->quota_objectives) != 0;
}

static uint32_t
category_of(const struct round *round, uint32_t message)
{
    int32_t category = round->catalog->messages[message].category;
    return !round->container->separate || category < 0 ? 0 : (uint32_t)category + 1;
}

uint32_t
round_limits_category(const struct round *round, const struct catalog_bid *bid)
{
    return category_of(round, bid->message);
}

uint32_t
round_limits_group_size(const struct round *round, const struct catalog_bid *bid)
{
    uint32_t group = round_bids_group(round, bid), size = 0;
    if (group == 0) return 0;
    if (!round_bids_is_live(round, bid)) return message_of(round, bid)->group_size;
    for (uint32_t i = 0; i < round->live->count; i++)
        size += round_bids_group(round, &round->live->bids[i]) == group;
    return size;
}

void
round_limits_open(struct round *round, unsigned wanted)
{
    struct round_limits *limits = &round->limits;
    limits->wanted = wanted;
    limits->groups_out_count = 0;
    limits->all_groups_out = limits->quota_open = false;
}

// --- The quota -----------------------------------------------------------------------------------
static uint64_t
key_of(const struct round *round, const struct catalog_bid *bid)
{
    uint32_t category = category_of(round, bid->message);
    return category != 0 ? UINT64_C(1) << 32 | category : bid->message;
}

static unsigned
paid_left(const struct round *round)
{
    unsigned paid = 0, most = round->container->paid_max;
    if (most == 0) return BOUND_SLOTS;
    for (unsigned i = 0; i < round->win_count; i++)
        paid += round->catalog->seats[round->wins[i].seat].kind == SEAT_PARTNER;
    return paid < most ? most - paid : 0;
}

// How many options of the slot are known that are paid, or not.
static unsigned
count_options(const struct round_limits *limits, unsigned slot, bool paid)
{
    unsigned count = 0;
    for (unsigned i = 0; i < limits->option_counts[slot]; i++)
        count += limits->options[slot][i].paid == paid;
    return count;
}

static void
note_option(struct round *round, unsigned slot, const struct catalog_bid *bid)
{
    struct round_limits *limits = &round->limits;
    bool paid = round->container->paid_max != 0 && round_limits_is_paid(round, bid);
    struct round_option option = {key_of(round, bid), paid};
    unsigned count = limits->option_counts[slot];
    for (unsigned i = 0; i < count; i++)
        if (limits->options[slot][i].key == option.key &&
            limits->options[slot][i].paid == option.paid)
            return;
    if (count_options(limits, slot, option.paid) == BOUND_SLOTS) return;
    limits->options[slot][count] = option;
    limits->option_counts[slot]++;
}

static void
find_options(struct round *round, unsigned slot)
{
    struct round_limits *limits = &round->limits;
    const struct catalog_bid *bid;
    uint32_t number;
    // Where paid placements are not scarce, even after a paid win here, paid options are as good.
    unsigned enough = round->container->slot_count, left = paid_left(round);
    bool scarce = left < round->container->quota_count - limits->reached + 1;
    limits->option_counts[slot] = 0;
    round_enter_slot(round, slot);
    if (!round_judge_slot_is_open(round)) return;
    round_bids_start(round, true);
    while ((bid = round_bids_next(round, true, &number)) != NULL) {
        if (round->ranked && bid->price.micros < round->least_floor.micros) return;
        if (round->ranked && round_limits_is_paid(round, bid) &&
            count_options(limits, slot, true) >= enough)
            continue;
        if (!round_limits_is_quota(round, bid)) continue;
        struct round_judgement judgement;
        round_judge(round, bid, &judgement);
        if (judgement.reason != REASON_NONE) continue;
        note_option(round, slot, bid);
        // Unpaid ones serve wherever paid ones do.
        if (count_options(limits, slot, false) >= enough) return;
        if (!scarce && count_options(limits, slot, true) >= enough) return;
    }
}

struct matching {
    const struct round_limits *limits;
    uint64_t without;           // a key that is gone
    bool paid;                  // paid options count too
    unsigned seen;              // slots visited on this path
    uint64_t key[BOUND_SLOTS];  // what fills a slot; NO_KEY: nothing
};

// Fills the slot, moving others if need be (Kuhn's augmenting path).
static bool
fill(struct matching *matching, unsigned slot)
{
    const struct round_limits *limits = matching->limits;
    if (matching->seen >> slot & 1) return false;
    matching->seen |= 1u << slot;
    for (unsigned i = 0; i < limits->option_counts[slot]; i++) {
        const struct round_option *option = &limits->options[slot][i];
        if (option->key == matching->without || (option->paid && !matching->paid)) continue;
        unsigned holder = 0;
        while (holder < BOUND_SLOTS && matching->key[holder] != option->key) holder++;
        if (holder < BOUND_SLOTS && (holder == slot || !fill(matching, holder))) continue;
        matching->key[slot] = option->key;
        return true;
    }
    return false;
}

// (c), of the wanted slots from `first` (from 0) on.
static unsigned
most_of_quota(const struct round_limits *limits, unsigned first, uint64_t without, unsigned paid)
{
    unsigned unpaid = 0, all = 0;
    for (unsigned turn = 0; turn < 2; turn++) {
        struct matching matching = {.limits = limits, .without = without, .paid = turn == 1};
        for (unsigned i = 0; i < BOUND_SLOTS; i++) matching.key[i] = NO_KEY;
        for (unsigned slot = first; slot < BOUND_SLOTS; slot++) {
            matching.seen = 0;
            if (limits->wanted >> slot & 1 && fill(&matching, slot)) (*(turn ? &all : &unpaid))++;
        }
    }
    return all < unpaid + paid ? all : unpaid + paid;
}

void
round_limits_slot(struct round *round)
{
    struct round_limits *limits = &round->limits;
    const struct catalog_container *container = round->container;
    unsigned place = round->slot->position - 1u;
    limits->quota_open = false;
    if (container->quota_count == 0) return;
    limits->reached = 0;
    for (unsigned i = 0; i < round->win_count; i++)
        limits->reached += (round->catalog->messages[round->wins[i].message].objectives &
                            container->quota_objectives) != 0;
    if (limits->reached >= container->quota_count) return;
    memset(limits->option_counts, 0, sizeof limits->option_counts);
    for (unsigned slot = place; slot < container->slot_count; slot++)
        if (limits->wanted >> slot & 1) find_options(round, slot);
    round_enter_slot(round, place);
    limits->quota = limits->reached + most_of_quota(limits, place, NO_KEY, paid_left(round));
    if (limits->quota > container->quota_count) limits->quota = container->quota_count;
    limits->quota_open = limits->quota > limits->reached;
}

static bool
misses_quota(const struct round *round, const struct catalog_bid *bid)
{
    const struct round_limits *limits = &round->limits;
    unsigned reached = limits->reached + round_limits_is_quota(round, bid);
    if (!limits->quota_open || reached >= limits->quota) return false;
    unsigned left = paid_left(round);
    if (round->container->paid_max != 0 && round_limits_is_paid(round, bid)) left--;
    return reached + most_of_quota(limits, round->slot->position, key_of(round, bid), left) <
           limits->quota;
}

// --- All limits ----------------------------------------------------------------------------------
static bool
is_out(const struct round *round, const struct catalog_bid *bid)
{
    const struct round_limits *limits = &round->limits;
    uint32_t group = round_bids_group(round, bid);
    if (group == 0) return false;
    if (limits->all_groups_out) return true;
    for (uint32_t i = 0; i < limits->groups_out_count; i++)
        if (limits->groups_out[i] == group) return true;
    return round_limits_group_size(round, bid) > (unsigned)__builtin_popcount(limits->wanted);
}

enum reason
round_limits_judge(const struct round *round, const struct catalog_bid *bid)
{
    const struct catalog_container *container = round->container;
    uint32_t category = category_of(round, bid->message);
    for (unsigned i = 0; i < round->win_count && category != 0; i++)
        if (category_of(round, round->wins[i].message) == category) return REASON_SEPARATION;
    if (container->paid_max != 0 && round_limits_is_paid(round, bid) &&
        paid_left(round) == 0)
        return REASON_PAID_MAX;
    if (is_out(round, bid)) return REASON_GROUP;
    return misses_quota(round, bid) ? REASON_QUOTA : REASON_NONE;
}

static bool
is_whole(const struct round *round, const struct round_win *win)
{
    uint32_t wins = 0, size = round->catalog->messages[win->message].group_size;
    for (unsigned i = 0; i < round->win_count; i++) wins += round->wins[i].group == win->group;
    if (win->group >> 31) {  // of live bids
        size = 0;
        for (uint32_t i = 0; i < round->live->count; i++)
            size += round_bids_group(round, &round->live->bids[i]) == win->group;
    }
    return wins == size;
}

bool
round_limits_again(struct round *round)
{
    struct round_limits *limits = &round->limits;
    for (unsigned i = 0; i < round->win_count; i++) {
        const struct round_win *win = &round->wins[i];
        if (win->group == 0 || is_whole(round, win)) continue;
        if (limits->groups_out_count == ROUND_RESALES) limits->all_groups_out = true;
        else limits->groups_out[limits->groups_out_count++] = win->group;
        round->win_count = 0;
        return true;
    }
    return false;
}
