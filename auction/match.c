// The index of standing bids (first form: every bid that addresses the slot, in the catalog's order).
#include "match.h"

#include "fact.h"

struct match_index {
    const struct catalog *catalog;
};

struct match_index *
match_index_build(const struct catalog *catalog, struct arena *arena)
{
    struct match_index *index = arena_take(arena, 1, sizeof *index);
    index->catalog = catalog;
    return index;
}
size_t
match_index_bytes(const struct match_index *index)
{
    return sizeof *index;
}

uint16_t
match_rungs_open(unsigned identity, unsigned consent)
{
    bool profiling = consent & 1u << CONSENT_PROFILING;
    bool modelling = consent & 1u << CONSENT_MODELLING;
    bool third_party = consent & 1u << CONSENT_THIRD_PARTY;
    bool recognized = identity != IDENTITY_ANONYMOUS;
    bool identified = identity == IDENTITY_REPEAT;
    unsigned open = 1u << RUNG_GEOGRAPHIC;
    if (profiling) open |= 1u << RUNG_DEMOGRAPHIC;
    if (profiling && recognized) open |= 1u << RUNG_BEHAVIORAL;
    if (profiling && identified) open |= 1u << RUNG_PERSONALIZATION;
    if (modelling && identified) open |= 1u << RUNG_PREDICTIVE;
    if (third_party) open |= 1u << RUNG_COMMERCIALIZATION | 1u << RUNG_AFFILIATION | 1u << RUNG_SYNDICATION;
    return (uint16_t)open;
}

enum reason
match_admission(const struct catalog *catalog, const struct catalog_slot *slot, const struct catalog_message *message)
{
    const struct catalog_seat *seat = &catalog->seats[message->seat];
    bool may = seat->kind == SEAT_PARTNER ? message->rung >= RUNG_COMMERCIALIZATION
                                          : message->rung <= RUNG_PREDICTIVE || message->rung == RUNG_SYNDICATION;
    if (!may) return REASON_SEAT_KIND;
    if ((slot->rungs & 1u << message->rung) == 0) return REASON_RUNG;
    if ((slot->objectives & message->objectives) == 0) return REASON_OBJECTIVE;
    if (slot->format_count == 0) return REASON_NONE;
    for (uint32_t i = 0; i < slot->format_count; i++) {
        if (slot->formats[i] == message->format) return REASON_NONE;
    }
    return REASON_FORMAT;
}

void
match_contact(struct match *match, const struct catalog *catalog, const struct contact *contact)
{
    match->index = catalog->index;
    match->contact = contact;
}

void
match_slot(struct match *match, uint32_t slot)
{
    match->block = slot;
    match->last = UINT32_MAX;
}

uint32_t
match_next(struct match *match)
{
    const struct catalog *catalog = match->index->catalog;
    while (++match->last < catalog->bid_count) {
        uint32_t slot = catalog->bids[match->last].slot;
        if (slot == UINT32_MAX || slot == match->block) return match->last;
    }
    match->last--;
    return UINT32_MAX;
}

bool
match_addresses(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t slot)
{
    if (bid->slot != UINT32_MAX) return bid->slot == slot;
    const struct catalog_message *message = &catalog->messages[bid->message];
    return match_admission(catalog, &catalog->slots[slot], message) == REASON_NONE;
}

uint32_t
match_dearest(const struct catalog *catalog, uint32_t slot, uint32_t from)
{
    for (uint32_t i = from; i < catalog->bid_count; i++) {
        const struct catalog_bid *bid = &catalog->bids[i];
        if (bid->state != BID_WITHDRAWN && match_addresses(catalog, bid, slot)) return i;
    }
    return UINT32_MAX;
}
