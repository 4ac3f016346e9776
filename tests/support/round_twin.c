#include "round_twin.h"

#include "fail.h"

void
twin_take_bids(struct twin *twin)
{
    struct book_bids overlay = book_overlay(twin->book);
    CHECK(twin->catalog->bid_count + overlay.count <= TWIN_BIDS);
    twin->bid_count = 0;
    for (uint32_t i = 0; i < twin->catalog->bid_count; i++) {
        if (!book_bid_replaced(twin->book, i))
            twin->bids[twin->bid_count++] = &twin->catalog->bids[i];
    }
    for (uint32_t i = 0; i < overlay.count; i++) twin->bids[twin->bid_count++] = &overlay.bids[i];
}

// --- Rules ---------------------------------------------------------------------------------------
static bool
opens(const struct contact *contact, unsigned identity, unsigned rung)
{
    unsigned has = contact->consent;
    bool profiling = has & 1, modelling = has & 2, third_party = has & 4;
    switch (rung + 1) {
    case 1: return true;
    case 2: return profiling;
    case 3: return profiling && identity != IDENTITY_ANONYMOUS;
    case 4: return profiling && identity == IDENTITY_REPEAT;
    case 5: return modelling && identity == IDENTITY_REPEAT;
    default: return third_party;
    }
}

static int64_t
floor_of(const struct catalog_slot *slot, const struct catalog_message *message)
{
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct catalog_floor *floor = &slot->floors[i];
        if ((floor->rung == -1 || floor->rung == message->rung) &&
            (floor->seat == UINT32_MAX || floor->seat == message->seat) &&
            (floor->category == -1 || floor->category == message->category))
            return floor->price.micros;
    }
    return slot->floor.micros;
}

static enum reason
judge_admission(const struct twin *twin, const struct catalog_slot *slot,
                const struct catalog_message *message)
{
    bool partner = twin->catalog->seats[message->seat].kind == SEAT_PARTNER;
    unsigned rung = message->rung + 1u;
    if (partner ? rung < 6 : rung == 6 || rung == 7) return REASON_SEAT_KIND;
    if (!(slot->rungs >> message->rung & 1)) return REASON_RUNG;
    if (!(slot->objectives & message->objectives)) return REASON_OBJECTIVE;
    bool format = slot->format_count == 0;
    for (uint32_t i = 0; i < slot->format_count; i++) format |= slot->formats[i] == message->format;
    return format ? REASON_NONE : REASON_FORMAT;
}

static enum reason
judge_state(const struct twin *twin, const struct catalog_bid *bid,
            const struct catalog_message *message)
{
    int64_t now = twin->now.us;
    if (bid->state == BID_WITHDRAWN) return REASON_WITHDRAWN;
    if (bid->state != BID_ACTIVE || twin->catalog->seats[bid->seat].paused) return REASON_PAUSED;
    if (now < bid->from.us || (bid->until.us && now >= bid->until.us)) return REASON_NOT_VALID_NOW;
    if (now < message->from.us || (message->until.us && now >= message->until.us))
        return REASON_NOT_VALID_NOW;
    for (uint32_t i = 0; i < twin->catalog->contract_count; i++) {
        const struct catalog_contract *contract = &twin->catalog->contracts[i];
        if (contract->seat == bid->seat && contract->from.us <= now &&
            (contract->until.us == 0 || now < contract->until.us))
            return REASON_NONE;
    }
    return REASON_CONTRACT;
}

static enum reason
judge_customer(const struct twin *twin, const struct catalog_message *message)
{
    const struct contact *contact = twin->contact;
    bool serves = message->objectives & (1u << OBJECTIVE_FULFILL | 1u << OBJECTIVE_EDUCATE);
    if (contact->condition == CONDITION_DISTRESSED && !serves) return REASON_CONDITION;
    if (opens(contact, contact->identity, message->rung)) return REASON_NONE;
    return opens(contact, IDENTITY_REPEAT, message->rung) ? REASON_IDENTITY : REASON_CONSENT;
}

static bool
affords(const struct twin *twin, const struct catalog_bid *bid)
{
    const struct catalog_message *message = &twin->catalog->messages[bid->message];
    const struct catalog_seat *seat = &twin->catalog->seats[bid->seat];
    int64_t of_seat = book_seat_spent(twin->book, seat->id).micros;
    int64_t of_message = book_message_spent(twin->book, message->id).micros;
    for (unsigned i = 0; i < twin->win_count; i++) {
        if (twin->wins[i].seat == bid->seat) of_seat += twin->wins[i].price;
        if (twin->wins[i].message == bid->message) of_message += twin->wins[i].price;
    }
    return (!seat->has_budget || seat->budget.micros - of_seat >= bid->price.micros) &&
           (!message->has_budget || message->budget.micros - of_message >= bid->price.micros);
}

static enum reason
judge_counts(const struct twin *twin, const struct catalog_bid *bid,
             const struct catalog_message *message)
{
    for (unsigned i = 0; i < twin->win_count; i++) {
        if (twin->wins[i].message == bid->message) return REASON_DUPLICATE;
    }
    uint64_t customer = twin->contact->customer;
    if (customer != 0 && message->cap_count != 0) {
        if (book_cap_count(twin->book, customer, message->id, message->cap_days, twin->now) >=
            message->cap_count)
            return REASON_FREQUENCY_CAP;
        if (!book_cap_has_room(twin->book, customer, message->id)) return REASON_BUSY;
    }
    return affords(twin, bid) ? REASON_NONE : REASON_BUDGET;
}

enum reason
twin_judge(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot_index,
           int64_t *floor)
{
    const struct catalog_slot *slot = &twin->catalog->slots[slot_index];
    const struct catalog_message *message = &twin->catalog->messages[bid->message];
    const struct values *values = &twin->contact->values;
    *floor = floor_of(slot, message);
    enum reason reason = judge_state(twin, bid, message);
    if (reason == REASON_NONE) reason = judge_admission(twin, slot, message);
    if (reason == REASON_NONE) reason = judge_customer(twin, message);
    if (reason != REASON_NONE) return reason;
    if (!expr_true_with(&slot->rule, values, &message->values, NULL) ||
        !expr_true_with(&twin->catalog->seats[bid->seat].rule, values, &slot->values, NULL) ||
        !expr_true_with(&message->rule, values, &slot->values, NULL))
        return REASON_NOT_ELIGIBLE;
    reason = judge_counts(twin, bid, message);
    if (reason != REASON_NONE) return reason;
    return bid->price.micros < *floor ? REASON_BELOW_FLOOR : REASON_NONE;
}

bool
twin_addresses(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot)
{
    if (bid->slot != UINT32_MAX) return bid->slot == slot;
    return judge_admission(twin, &twin->catalog->slots[slot],
                           &twin->catalog->messages[bid->message]) == REASON_NONE;
}

// --- The sale ------------------------------------------------------------------------------------
static uint64_t
draw(struct id contact, uint64_t bid)
{
    uint64_t halves[2];
    memcpy(halves, contact.bytes, sizeof halves);
    return hash_mix(halves[0] ^ halves[1] ^ hash_mix(bid));
}

static bool
beats(const struct catalog_bid *a, const struct catalog_bid *b, struct id contact)
{
    if (b == NULL || a->price.micros != b->price.micros)
        return b == NULL || a->price.micros > b->price.micros;
    return draw(contact, a->id) < draw(contact, b->id);
}

static bool
sets_before(const struct catalog_bid *a, const struct catalog_bid *b)
{
    return b == NULL || a->price.micros > b->price.micros ||
           (a->price.micros == b->price.micros && a->id < b->id);
}

void
twin_sell(const struct twin *twin, uint32_t slot, struct id contact, struct twin_sale *out_sale)
{
    struct twin_sale *sale = out_sale;
    const struct catalog_bid *setter = NULL;
    sale->winner = NULL;
    sale->price = sale->floor = 0;
    sale->setter = 0;
    sale->eligible_count = 0;
    for (uint32_t i = 0; i < twin->bid_count; i++) {
        const struct catalog_bid *bid = twin->bids[i];
        int64_t floor;
        if (bid->slot != UINT32_MAX && bid->slot != slot) continue;
        if (twin_judge(twin, bid, slot, &floor) != REASON_NONE) continue;
        sale->eligible[sale->eligible_count++] = (struct twin_bid){bid, floor};
        if (!beats(bid, sale->winner, contact)) continue;
        sale->winner = bid;
        sale->price = sale->floor = floor;
    }
    for (uint32_t i = 0; i < sale->eligible_count; i++) {
        const struct catalog_bid *bid = sale->eligible[i].bid;
        if (bid->seat != sale->winner->seat && sets_before(bid, setter)) setter = bid;
    }
    if (setter == NULL || setter->price.micros <= sale->floor) return;
    sale->price = setter->price.micros;
    sale->setter = setter->id;
}

void
twin_win(struct twin *twin, const struct twin_sale *sale)
{
    twin->wins[twin->win_count].seat = sale->winner->seat;
    twin->wins[twin->win_count].message = sale->winner->message;
    twin->wins[twin->win_count++].price = sale->price;
}
