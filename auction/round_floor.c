// The floor that counts for a bid, and trials of other floors.
//
// Rule
//   (1) Of the slot's floor rules, in their order of precedence, the first that fits counts: rung,
//       seat, category, tier and `when` must each fit or be absent. `when` must be TRUE of the
//       contact; unknown is not. When none fits it is the slot's own floor.
//   (2) Under a deal the deal's floor counts instead (round_judge.c); trials leave it alone, it was
//       agreed.
//   (3) A contact takes part in one trial at most: of those that run now and concern any of its
//       container's slots, the first in the catalog's order. Which side it is on follows from the
//       trial and the customer (of an anonymous contact: its request key), so that a customer
//       always meets the same floors.
//   (4) On the variant's side every floor of the slots that the trial concerns is multiplied by its
//       factor and rounded up to the micro.
// Tier and `when` are the same for all bids of a contact: judged once a slot.
#include <string.h>

#include "fail.h"
#include "round_parts.h"

#define EXPERIMENT_DRAW UINT64_C(0x6c62272e07bb0142)  // keeps this draw apart from others

static bool
runs(const struct catalog_experiment *experiment, usec now)
{
    return !experiment->stopped && experiment->from.us <= now.us &&
           (experiment->until.us == 0 || now.us < experiment->until.us);
}

void
round_floor_contact(struct round *round)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_container *container = round->container;
    uint32_t first = UINT32_MAX;
    round->experiment = UINT32_MAX;
    round->variant = false;
    if (catalog->experiment_count == 0) return;
    for (uint32_t i = 0; i < container->slot_count; i++) {
        const struct catalog_slot *slot = &catalog->slots[container->slot_first + i];
        for (uint32_t j = 0; j < slot->experiment_count; j++) {
            uint32_t index = slot->experiments[j];
            if (index < first && runs(&catalog->experiments[index], round->now)) first = index;
        }
    }
    if (first == UINT32_MAX) return;
    const struct catalog_experiment *experiment = &catalog->experiments[first];
    uint64_t who = round->contact->customer;
    if (who == 0) {
        uint64_t halves[2];
        memcpy(halves, round->contact->request_key.bytes, sizeof halves);
        who = halves[0] ^ halves[1];
    }
    uint64_t draw = hash_mix(hash_mix(experiment->id + EXPERIMENT_DRAW) ^ hash_mix(who));
    round->experiment = first;
    round->variant = (draw >> 32) * MONEY_PPM >> 32 < experiment->share_ppm;
}

static money
scaled(const struct round *round, money floor)
{
    if (round->factor_ppm == MONEY_PPM) return floor;
    money changed;
    if (money_share_up(floor, round->factor_ppm, &changed) != STATUS_OK ||
        changed.micros > BOUND_MICROS)
        return money_of(BOUND_MICROS);
    return changed;
}

void
round_floor_slot(struct round *round)
{
    const struct catalog_slot *slot = round->slot;
    CHECK(slot->floor_count <= BOUND_SLOT_FLOORS);
    round->factor_ppm = MONEY_PPM;
    for (uint32_t i = 0; round->variant && i < slot->experiment_count; i++)
        if (slot->experiments[i] == round->experiment)
            round->factor_ppm = round->catalog->experiments[round->experiment].factor_ppm;
    round->floor_count = 0;
    money least = slot->floor;
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct catalog_floor *floor = &slot->floors[i];
        if (floor->tier >= 0 && floor->tier != round->contact->tier) continue;
        if (floor->when != NULL && !expr_true(floor->when, &round->contact->values, NULL)) continue;
        round->floors[round->floor_count++] = (uint8_t)i;
        if (floor->price.micros < least.micros) least = floor->price;
    }
    round->least_floor = scaled(round, least);
}

void
round_floor_of(const struct round *round, uint32_t message_index, struct round_judgement *judgement)
{
    const struct catalog_message *message = &round->catalog->messages[message_index];
    for (uint32_t i = 0; i < round->floor_count; i++) {
        const struct catalog_floor *floor = &round->slot->floors[round->floors[i]];
        if (floor->rung >= 0 && floor->rung != message->rung) continue;
        if (floor->seat != UINT32_MAX && floor->seat != message->seat) continue;
        if (floor->category >= 0 && floor->category != message->category) continue;
        judgement->floor = scaled(round, floor->price);
        judgement->floor_rule = floor->number;
        judgement->floor_id = floor->id;
        return;
    }
    judgement->floor = scaled(round, round->slot->floor);
}
