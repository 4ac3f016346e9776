// What is allowed but probably not meant: a message no slot admits, a slot no message can fill, a
// seat without a contract, a host without touchpoints; rules that are never or always true
// (warn_rule.c); and, of a market that has seen bids, a floor above all of them. Warnings do not
// stop an apply.
//
// A message is sought only until the first slot that admits it, a slot likewise, so that a large
// market is checked in about the time it takes to read it.
#include "warn.h"

#include <stdlib.h>
#include <string.h>

#include "check_contract.h"
#include "warn_rule.h"

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
    check_contract_warn(checker);
    warn_rule_all(checker);
    if (market->touchpoint_count == 0)
        report_warning(checker->report, (struct place){1, 1}, "", "no touchpoints")->mend =
            "nobody may bring contacts to this market";
}

// --- Floors above all bids -----------------------------------------------------------------------

struct bids_seen {
    struct arena *arena;
    const struct seen_bid {
        const struct market_message *message;
        const char *tagid;
        money price;
    } * list;  // dearest first
    uint32_t count;
};

// The dearest bid ever seen that a floor of this slot may meet; 0: none was seen. -1, "": any.
static int64_t
dearest_seen(const struct bids_seen *seen, const struct market_slot *slot, const char *tagid,
             int8_t rung, const char *seat, const char *category)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        const struct seen_bid *bid = &seen->list[i];
        if (bid->tagid[0] != '\0' && strcmp(bid->tagid, tagid) != 0) continue;
        if (misfit(slot, bid->message) != FITS) continue;
        if (rung >= 0 && bid->message->rung != (uint8_t)rung) continue;
        if (seat[0] != '\0' && strcmp(bid->message->seat, seat) != 0) continue;
        if (category[0] != '\0' && strcmp(bid->message->category, category) != 0) continue;
        return bid->price.micros;
    }
    return 0;
}

static void
warn_floor(struct market_report *report, struct place place, const char *object, money floor,
           int64_t dearest)
{
    char price[MONEY_TEXT], highest[MONEY_TEXT];
    if (dearest == 0 || floor.micros <= dearest) return;
    money_format(floor, 2, price);
    money_format(money_of(dearest), 2, highest);
    report_warning(report, place, object,
                   "floor %s is above every bid ever seen here; the highest was %s", price, highest)
        ->mend = "nothing that has been bid so far can meet it";
}

// The dearest bid that a floor rule of the market may meet, over all slots it is for.
static int64_t
dearest_of_rule(const struct market *market, const struct market_rule_floor *floor,
                const struct bids_seen *seen)
{
    int64_t dearest = 0;
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        if ((floor->container[0] != '\0' && strcmp(floor->container, container->code) != 0) ||
            (floor->channel >= 0 && floor->channel != container->channel) ||
            (floor->stage >= 0 && floor->stage != container->stage))
            continue;
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const struct market_slot *slot = &container->slots[j];
            const char *tagid = arena_printf(seen->arena, "%s.%s", container->code, slot->code);
            if (floor->slot[0] != '\0' && strcmp(floor->slot, tagid) != 0) continue;
            int64_t here = dearest_seen(seen, slot, tagid, floor->rung, floor->seat,
                                        floor->category);
            if (here > dearest) dearest = here;
        }
    }
    return dearest;
}

static void
warn_slot_floors(struct market_report *report, const struct market_slot *slot, const char *tagid,
                 const struct bids_seen *seen)
{
    const char *object = arena_printf(report->arena, "slot %s", tagid);
    warn_floor(report, slot->place, object, slot->floor,
               dearest_seen(seen, slot, tagid, -1, "", ""));
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct market_floor *floor = &slot->floors[i];
        warn_floor(report, floor->place, object, floor->price,
                   dearest_seen(seen, slot, tagid, floor->rung, floor->seat, floor->category));
    }
}

static int
dearest_first(const void *a, const void *b)
{
    const struct seen_bid *x = a, *y = b;
    return (x->price.micros < y->price.micros) - (x->price.micros > y->price.micros);
}

// Those whose message is still declared, dearest first.
static struct bids_seen
sort_seen(const struct market *market, const struct market_seen *seen, uint32_t count,
          struct arena *arena)
{
    struct index *messages = index_open(arena);
    for (uint32_t i = 0; i < market->message_count; i++)
        index_put(messages, market->messages[i].code, &market->messages[i]);
    struct seen_bid *list = arena_take(arena, (size_t)count + 1, sizeof *list);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct market_message *message = index_find(messages, seen[i].message);
        if (message != NULL)
            list[kept++] = (struct seen_bid){message, seen[i].tagid, seen[i].price};
    }
    if (kept > 1) qsort(list, kept, sizeof *list, dearest_first);
    return (struct bids_seen){arena, list, kept};
}

void
market_file_seen(const struct market *market, const struct market_seen *seen, uint32_t count,
                 struct market_report *report)
{
    struct arena *arena = arena_open("bids seen");
    struct bids_seen bids = sort_seen(market, seen, count, arena);
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            warn_slot_floors(report, &market->containers[i].slots[j],
                             arena_printf(arena, "%s.%s", market->containers[i].code,
                                          market->containers[i].slots[j].code),
                             &bids);
    for (uint32_t i = 0; i < market->floor_count; i++) {
        const struct market_rule_floor *floor = &market->floors[i];
        warn_floor(report, floor->place, arena_printf(report->arena, "floor %s", floor->code),
                   floor->price, dearest_of_rule(market, floor, &bids));
    }
    arena_close(arena);
    report_sort(report);
}
