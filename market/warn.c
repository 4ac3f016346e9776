// What is allowed but probably not meant: a message no slot admits, a slot no message can fill, a
// seat without a contract, a host without touchpoints. Warnings do not stop an apply.
//
// A message is sought only until the first slot that admits it, a slot likewise, so that a large
// market is checked in about the time it takes to read it.
#include "warn.h"

#include <string.h>

static bool
format_admitted(const struct market_slot *slot, const char *format)
{
    for (uint32_t i = 0; i < slot->format_count; i++)
        if (strcmp(slot->formats[i], format) == 0) return true;
    return slot->format_count == 0;
}

enum misfit { FITS, RUNG, OBJECTIVE, FORMAT };

static enum misfit
misfit(const struct market_slot *slot, const struct market_message *message)
{
    if ((slot->rungs & 1u << message->rung) == 0) return RUNG;
    if ((slot->objectives & message->objectives) == 0) return OBJECTIVE;
    return format_admitted(slot, message->format) ? FITS : FORMAT;
}

static void
warn_message(struct checker *checker, const struct market_message *message)
{
    const struct market *market = checker->market;
    enum misfit nearest = RUNG;
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++) {
            enum misfit now = misfit(&market->containers[i].slots[j], message);
            if (now == FITS) return;
            if (now > nearest) nearest = now;
        }
    const char *why = nearest == RUNG        ? "its rung"
                      : nearest == OBJECTIVE ? "its rung together with one of its objectives"
                                             : "its format together with its rung and objectives";
    report_warning(checker->report, message->place,
                   arena_printf(checker->arena, "message %s", message->code),
                   "no slot admits this message: none takes %s", why)
        ->mend = "it can never win as it stands";
}

static void
warn_slot(struct checker *checker, const struct market_container *container,
          const struct market_slot *slot)
{
    for (uint32_t i = 0; i < checker->market->message_count; i++)
        if (misfit(slot, &checker->market->messages[i]) == FITS) return;
    report_warning(checker->report, slot->place,
                   arena_printf(checker->arena, "slot %s.%s", container->code, slot->code),
                   "no message of this market fits it")
        ->mend = "it stays empty until one is declared";
}

static void
warn_seats(struct checker *checker)
{
    const struct market *market = checker->market;
    struct index *contracted = index_open(checker->arena);
    for (uint32_t i = 0; i < market->contract_count; i++)
        index_put(contracted, market->contracts[i].seat, &market->contracts[i]);
    for (uint32_t i = 0; i < market->seat_count; i++)
        if (index_find(contracted, market->seats[i].code) == NULL)
            report_warning(checker->report, market->seats[i].place,
                           arena_printf(checker->arena, "seat %s", market->seats[i].code),
                           "no contract")
                ->mend = "without one in force its bids cannot win";
}

void
warn_all(struct checker *checker)
{
    const struct market *market = checker->market;
    for (uint32_t i = 0; i < market->message_count; i++)
        warn_message(checker, &market->messages[i]);
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            warn_slot(checker, &market->containers[i], &market->containers[i].slots[j]);
    warn_seats(checker);
    if (market->touchpoint_count == 0)
        report_warning(checker->report, (struct place){1, 1}, "", "no touchpoints")->mend =
            "nobody may bring contacts to this market";
}
