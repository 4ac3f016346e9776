// The limits of a contact for the twin, slots sold one after the other: by definition, trying all
// ways to fill slots.
#include "fail.h"
#include "round_twin.h"

#define RESALES 16  // sales anew for groups, one group out in each; then all are out

static const struct catalog_container *
container_of(const struct twin *twin)
{
    return &twin->catalog->containers[twin->contact->container];
}

static bool
is_paid(const struct twin *twin, uint32_t seat)
{
    return twin->catalog->seats[seat].kind == SEAT_PARTNER;
}

static bool
is_quota(const struct twin *twin, uint32_t message)
{
    return twin->catalog->messages[message].objectives & container_of(twin)->quota_objectives;
}

static bool
is_wanted(const struct twin *twin, unsigned slot)
{
    return twin->contact->slots_wanted == 0 || twin->contact->slots_wanted >> slot & 1;
}

// A message's group, or that of a live bid in its seat's answer; 0 none. And how many it takes.
static uint64_t
group_of(const struct twin *twin, const struct catalog_bid *bid, uint32_t *size)
{
    const struct round_live *live = twin->limits->live;
    const struct catalog_message *message = &twin->catalog->messages[bid->message];
    *size = 0;
    for (uint32_t i = 0; live != NULL && i < live->count; i++) {
        if (&live->bids[i] != bid) continue;
        if (live->groups[i] == 0) return 0;
        for (uint32_t j = 0; j < live->count; j++)
            *size += live->bids[j].seat == bid->seat && live->groups[j] == live->groups[i];
        return UINT64_C(1) << 40 | (uint64_t)bid->seat << 8 | live->groups[i];
    }
    for (uint32_t i = 0; message->group != 0 && i < twin->catalog->message_count; i++)
        *size += twin->catalog->messages[i].group == message->group;
    return message->group;
}

static unsigned
paid_left(const struct twin *twin)
{
    unsigned most = container_of(twin)->paid_max, paid = 0;
    if (most == 0) return BOUND_SLOTS;
    for (unsigned i = 0; i < twin->win_count; i++) paid += is_paid(twin, twin->wins[i].seat);
    return most - paid;
}

// Two bids with one key exclude each other.
static int64_t
key_of(const struct twin *twin, uint32_t message)
{
    int32_t category = twin->catalog->messages[message].category;
    return container_of(twin)->separate && category >= 0 ? -1 - (int64_t)category : message;
}

// The most slots from `slot` on that can be filled with different keys, `paid` of them paid.
static unsigned
most(const struct twin *twin, unsigned slot, const int64_t *used, unsigned used_count,
     unsigned paid)
{
    const struct twin_limits *limits = twin->limits;
    unsigned slots = container_of(twin)->slot_count, best;
    if (slot == slots) return 0;
    best = most(twin, slot + 1, used, used_count, paid);
    for (unsigned i = 0; i < limits->option_count[slot]; i++) {
        const struct twin_option *option = &limits->options[slot][i];
        int64_t more[BOUND_SLOTS + 1];
        bool taken = false;
        for (unsigned j = 0; j < used_count; j++) {
            more[j] = used[j];
            taken |= used[j] == option->key;
        }
        if (best == slots - slot) break;  // no more can be filled
        if (taken || (option->paid && paid == 0)) continue;
        more[used_count] = option->key;
        unsigned filled = 1 + most(twin, slot + 1, more, used_count + 1,
                                   option->paid ? paid - 1 : paid);
        if (filled > best) best = filled;
    }
    return best;
}

static unsigned
most_of_quota(const struct twin *twin, unsigned first, const int64_t *without, unsigned paid)
{
    unsigned unpaid = most(twin, first, without, without != NULL, 0);
    unsigned all = most(twin, first, without, without != NULL, BOUND_SLOTS);
    return all < unpaid + paid ? all : unpaid + paid;
}

static void
note_option(const struct twin *twin, struct twin_limits *limits, unsigned slot,
            const struct catalog_bid *bid)
{
    struct twin_option option = {key_of(twin, bid->message),
                                 container_of(twin)->paid_max != 0 && is_paid(twin, bid->seat)};
    for (unsigned i = 0; i < limits->option_count[slot]; i++)
        if (limits->options[slot][i].key == option.key &&
            limits->options[slot][i].paid == option.paid)
            return;
    CHECK(limits->option_count[slot] < TWIN_OPTIONS);
    limits->options[slot][limits->option_count[slot]++] = option;
}

void
twin_limits_slot(struct twin *twin, unsigned place)
{
    struct twin_limits *limits = twin->limits;
    const struct catalog_container *container = container_of(twin);
    limits->place = place;
    limits->open = false;
    limits->reached = 0;
    for (unsigned i = 0; i < twin->win_count; i++)
        limits->reached += is_quota(twin, twin->wins[i].message);
    for (unsigned slot = 0; slot < container->slot_count; slot++) {
        uint32_t index = container->slot_first + slot;
        limits->option_count[slot] = 0;
        if (slot < place || container->quota_count == 0 || !is_wanted(twin, slot)) continue;
        for (uint32_t i = 0; i < twin->bid_count; i++) {
            const struct catalog_bid *bid = twin->bids[i];
            int64_t floor;
            if (bid->slot != UINT32_MAX && bid->slot != index) continue;
            if (is_quota(twin, bid->message) && twin_judge(twin, bid, index, &floor) == REASON_NONE)
                note_option(twin, limits, slot, bid);
        }
    }
    if (limits->reached >= container->quota_count) return;
    limits->aim = limits->reached + most_of_quota(twin, place, NULL, paid_left(twin));
    if (limits->aim > container->quota_count) limits->aim = container->quota_count;
    limits->open = true;
}

enum reason
twin_limits_judge(const struct twin *twin, const struct catalog_bid *bid)
{
    const struct twin_limits *limits = twin->limits;
    const struct catalog_container *container = container_of(twin);
    const struct catalog_message *messages = twin->catalog->messages;
    int32_t category = messages[bid->message].category;
    bool paid = is_paid(twin, bid->seat);
    uint32_t size, slots = 0;
    for (unsigned i = 0; i < container->slot_count; i++) slots += is_wanted(twin, i);
    for (unsigned i = 0; i < twin->win_count && container->separate && category >= 0; i++)
        if (messages[twin->wins[i].message].category == category) return REASON_SEPARATION;
    if (paid && paid_left(twin) == 0) return REASON_PAID_MAX;
    uint64_t group = group_of(twin, bid, &size);
    if (group != 0 && (limits->all_out || size > slots)) return REASON_GROUP;
    for (unsigned i = 0; i < limits->out_count; i++)
        if (group == limits->out[i]) return REASON_GROUP;
    if (!limits->open) return REASON_NONE;
    unsigned reached = limits->reached + is_quota(twin, bid->message);
    if (reached >= limits->aim) return REASON_NONE;
    int64_t key = key_of(twin, bid->message);
    unsigned left = paid_left(twin);
    if (paid && container->paid_max != 0) left--;
    return reached + most_of_quota(twin, limits->place + 1, &key, left) < limits->aim ? REASON_QUOTA
                                                                                      : REASON_NONE;
}

bool
twin_limits_again(struct twin *twin)
{
    struct twin_limits *limits = twin->limits;
    for (unsigned i = 0; i < twin->win_count; i++) {
        uint32_t size, wins = 0, other;
        uint64_t group = group_of(twin, twin->wins[i].bid, &size);
        for (unsigned j = 0; j < twin->win_count; j++)
            wins += group_of(twin, twin->wins[j].bid, &other) == group;
        if (group == 0 || wins == size) continue;
        if (limits->out_count == RESALES) limits->all_out = true;
        else limits->out[limits->out_count++] = group;
        twin->win_count = 0;
        return true;
    }
    return false;
}
