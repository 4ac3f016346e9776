// Which slots of a contact a live bidder may be asked for, and at what floor.
//
//   (1) The seat must bid live and not be paused, a contract must be in force, and the customer
//       must agree to third parties.
//   (2) A slot is asked for when at least one message of the seat would pass the steps (1) to (5)
//       and (7) of round.c there: all but what depends on the bid and on the other slots.
//   (3) The floor told is the least that counts for any of these messages, under the deal in which
//       it would compete. It may still be another message's that is then bid for.
//   (4) When no slot is left, the reason is that of the message that came furthest in one of the
//       slots.
#include "fail.h"
#include "round_parts.h"

// In the order in which a message meets them.
static unsigned
step_of(enum reason reason)
{
    static const uint8_t order[] = {
        REASON_NOT_VALID_NOW, REASON_CONTRACT,     REASON_SEAT_KIND,    REASON_RUNG,
        REASON_OBJECTIVE,     REASON_FORMAT,       REASON_CONDITION,    REASON_NOT_EXPERIENCED,
        REASON_CONSENT,       REASON_IDENTITY,     REASON_NOT_ELIGIBLE, REASON_QUIET,
        REASON_FREQUENCY_CAP, REASON_PRESSURE_CAP, REASON_BUSY,
    };
    unsigned step = 0;
    while (step < sizeof order && order[step] != reason) step++;
    CHECK(step < sizeof order);
    return step + 1;
}

static enum reason
judge_seat(const struct round *round, uint32_t index)
{
    const struct catalog_seat *seat = &round->catalog->seats[index];
    if (!seat->live) return REASON_NOT_CONNECTED;
    if (seat->paused) return REASON_PAUSED;
    if (catalog_contract_at(round->catalog, index, round->now) == NULL) return REASON_CONTRACT;
    if (!(round->contact->consent & 1u << CONSENT_THIRD_PARTY)) return REASON_CONSENT;
    return seat->message_count == 0 ? REASON_NO_BIDS : REASON_NONE;
}

static void
ask_for_slot(struct round *round, uint32_t seat, unsigned *furthest, struct round_ask *ask)
{
    const struct catalog_seat *of = &round->catalog->seats[seat];
    unsigned i = round->slot->position - 1u;
    for (uint32_t m = 0; m < of->message_count; m++) {
        struct round_judgement judgement = {0};
        uint32_t message = of->messages[m];
        bool least = ask->slots >> i & 1 && ask->floor[i].micros <= round->least_floor.micros;
        if (least && round->catalog->messages[message].deal == UINT32_MAX)
            continue;  // no floor but a deal's is lower
        enum reason reason = round_judge_message(round, message, &judgement);
        if (reason == REASON_NONE) reason = round_counts_past(round, message, &judgement);
        if (reason == REASON_NONE) {
            struct catalog_bid bid = {.seat = seat, .message = message, .slot = round->slot_index};
            round_judge_terms(round, &bid, &judgement);
            bool first = !(ask->slots >> i & 1);
            if (first || judgement.floor.micros < ask->floor[i].micros)
                ask->floor[i] = judgement.floor;
            ask->slots = (uint16_t)(ask->slots | 1u << i);
        } else if (step_of(reason) > *furthest) {
            *furthest = step_of(reason);
            ask->reason = reason;
        }
    }
}

void
round_ask(struct round *round, const struct catalog *catalog, const struct book *book,
          const struct contact *contact, uint32_t seat, usec now, struct round_ask *out_ask)
{
    *out_ask = (struct round_ask){.reason = REASON_NO_BIDS};
    CHECK(contact->container < catalog->container_count && seat < catalog->seat_count);
    round_begin(round, catalog, book, contact, now);
    enum reason reason = judge_seat(round, seat);
    if (reason != REASON_NONE) {
        out_ask->reason = reason;
        return;
    }
    unsigned furthest = 0;
    for (uint32_t i = 0; i < round->container->slot_count; i++) {
        if (contact->slots_wanted != 0 && !(contact->slots_wanted >> i & 1)) continue;
        round_enter_slot(round, i);
        ask_for_slot(round, seat, &furthest, out_ask);
    }
    if (out_ask->slots != 0) out_ask->reason = REASON_NONE;
}
