// A new catalog while contacts wait for live bidders. It takes over at once, also for what waits:
// the request, kept as it came, is bound to it anew, and bids are carried over by stable ids; those
// of a message, slot or seat that is gone are dropped. What the bidders were told (floors, slots)
// was of the old one; whether their bids count is judged by the new one, like any standing bid's.
// So no catalog has to wait for contacts, and no contact is decided by rules that hold no longer.
#include "fail.h"
#include "live.h"
#include "live_inside.h"

// The slot of the old catalog in the new one, if it is still one of the contact's container.
static uint32_t
carry_slot(const struct catalog *catalog, const struct catalog *old, uint32_t slot,
           uint32_t container)
{
    if (slot == UINT32_MAX) return slot;
    uint32_t now = catalog_slot_by_id(catalog, old->slots[slot].id);
    return now != UINT32_MAX && catalog->slots[now].container == container ? now : UINT32_MAX;
}

static void
carry_bids(struct waiting *place, const struct catalog *catalog, const struct catalog *old)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < place->bid_count; i++) {
        struct catalog_bid bid = place->bids[i];
        bid.slot = carry_slot(catalog, old, bid.slot, place->contact.container);
        bid.message = catalog_message_by_id(catalog, old->messages[bid.message].id);
        bid.seat = catalog_seat_by_id(catalog, old->seats[bid.seat].id);
        if (bid.slot == UINT32_MAX || bid.message == UINT32_MAX || bid.seat == UINT32_MAX ||
            catalog->messages[bid.message].seat != bid.seat)
            continue;
        place->groups[kept] = place->groups[i];
        place->bids[kept++] = bid;
    }
    place->bid_count = kept;
}

// False: the contact cannot be bound to the new catalog; its askers were told.
static bool
carry(struct live *live, struct waiting *place, const struct catalog *old)
{
    const struct catalog *catalog = live->edge->catalog;
    struct wire_reader params = wire_reader(place->params, place->params_len);
    struct decode_by by = {
        .catalog = catalog,
        .book = auctioneer_book(live->edge->auctioneer),
        .customer_secret = live->edge->customer_secret,
        .party = (uint16_t)place->peer.party,
        .role = place->peer.role,
        .now = place->came,
    };
    struct decode_wish wish;
    enum reason reason;
    if (decode_contact(&by, &params, &place->contact, &wish, &reason)) {
        for (uint32_t i = 0; i < BOUND_SLOTS; i++)
            place->slot_of[i] = carry_slot(catalog, old, place->slot_of[i],
                                           place->contact.container);
        carry_bids(place, catalog, old);
        return true;
    }
    if (reason == REASON_NONE) reason = params.reason;
    for (uint32_t i = 0; i < place->asker_count; i++)
        method_refuse(live->edge, place->askers[i].session, place->askers[i].id, reason,
                      "container");
    for (uint32_t i = 0; i < place->callout_count; i++)
        if (place->questions[i].pending)
            bidder_released(&live->bidders.of[place->callouts[i].seat]);
    return false;
}

void
live_catalog(struct live *live, const struct catalog *old)
{
    live_find_seats(live);
    for (uint32_t i = live->open_count; i-- > 0;) {
        struct waiting *place = &live->places[live->open[i]];
        if (carry(live, place, old)) continue;
        live->open[i] = live->open[--live->open_count];
        live_give_place(live, place);
    }
}
