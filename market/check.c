// What one object says of another: references, contradictions, overlaps.
//
//   1 a name of a seat names a seat; a container's owner and nothing else must be a department
//   2 the ladder: departments stand on rungs 1 to 5, partners on 6 and 7, both on 8; affiliation
//     needs a gain share
//   3 a slot that admits fulfill admits nothing else: what the customer came for is not mixed
//     with sales
//   4 floors: each can count for some bid, and no two ask for the same
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "check_contract.h"
#include "check_rule.h"
#include "check_selling.h"
#include "warn.h"

#define DEPARTMENT_RUNGS 0x9fu  // 1 to 5 and 8
#define PARTNER_RUNGS 0xe0u     // 6 to 8

const struct market_seat *
check_seat(const struct checker *checker, const char *code)
{
    return index_find(checker->seats, code);
}

uint32_t
check_rungs_of(const struct market_seat *seat)
{
    if (seat->kind == SEAT_DEPARTMENT) return DEPARTMENT_RUNGS;
    return seat->kind == SEAT_PARTNER ? PARTNER_RUNGS
                                      : 0xff;  // a kind that could not be read: no second complaint
}

const struct market_seat *
check_need_seat(struct checker *checker, struct place place, const char *role, const char *code,
                unsigned others)
{
    if (code[0] == '\0') return NULL;
    const struct market_seat *seat = check_seat(checker, code);
    if (seat == NULL)
        report_error(checker->report, place, checker->object, "%s: no seat '%s'", role, code)
            ->mend = report_mean(checker->report, code, checker->seat_codes,
                                 checker->market->seat_count + others, "declare it under `seats`");
    return seat;
}

const struct market_seat *
check_seat_named(struct checker *checker, struct place place, const char *role, const char *code)
{
    return check_need_seat(checker, place, role, code, 0);
}

static void
check_floor(struct checker *checker, const struct market_slot *slot, uint32_t i)
{
    const struct market_floor *floor = &slot->floors[i];
    const struct market_seat *seat = floor->seat[0] != '\0'
                                         ? check_need_seat(checker, floor->place, "floors",
                                                           floor->seat, 0)
                                         : NULL;
    if (floor->rung >= 0 && (slot->rungs & 1u << floor->rung) == 0)
        report_error(checker->report, floor->place, checker->object,
                     "floors: a floor for rung %d, which this slot does not admit", floor->rung + 1)
            ->mend = "admit the rung, or remove the floor";
    if (seat != NULL && (check_rungs_of(seat) & slot->rungs) == 0)
        report_error(checker->report, floor->place, checker->object,
                     "floors: a floor for %s '%s', which can use none of this slot's rungs",
                     seat_kind_name((enum seat_kind)seat->kind), seat->code)
            ->mend = "remove the floor";
    else if (seat != NULL && floor->rung >= 0 && (check_rungs_of(seat) & 1u << floor->rung) == 0)
        report_error(checker->report, floor->place, checker->object,
                     "floors: %s '%s' can never stand on rung %d",
                     seat_kind_name((enum seat_kind)seat->kind), seat->code, floor->rung + 1)
            ->mend = "leave out the rung or the seat";
    if (seat != NULL && seat->budget.has_total && floor->price.micros > seat->budget.total.micros)
        report_error(checker->report, floor->place, checker->object,
                     "floors: the floor is above the whole budget of seat '%s'", seat->code)
            ->mend = "lower the floor, or raise the budget";
    for (uint32_t j = 0; j < i; j++) {
        const struct market_floor *other = &slot->floors[j];
        if (other->rung != floor->rung || strcmp(other->seat, floor->seat) != 0 ||
            strcmp(other->category, floor->category) != 0)
            continue;
        report_error(checker->report, floor->place, checker->object,
                     "floors: the same rung, seat and category as the floor in line %u",
                     other->place.line)
            ->mend = "keep one of them";
        return;
    }
    if (floor->rung < 0 && floor->seat[0] == '\0' && floor->category[0] == '\0')
        report_error(checker->report, floor->place, checker->object,
                     "floors: a floor without rung, seat or category")
            ->mend = "write it as the slot's own `floor`";
}

static void
check_container(struct checker *checker, const struct market_container *container)
{
    const struct market *market = checker->market;
    checker->object = arena_printf(checker->arena, "container %s", container->code);
    const struct market_seat *owner = check_need_seat(checker, container->owner_place, "owner",
                                                      container->owner, 0);
    if (owner != NULL && owner->kind == SEAT_PARTNER)
        report_error(checker->report, container->owner_place, checker->object,
                     "owner: seat '%s' is a partner", container->owner)
            ->mend = "a contact is owned by a department";
    if ((market->channels & 1u << container->channel) == 0)
        report_error(checker->report, container->channel_place, checker->object,
                     "channel '%s' is not in use in this market",
                     channel_name((enum channel)container->channel))
            ->mend = "add it to `market: channels`";
    if ((market->stages & 1u << container->stage) == 0)
        report_error(checker->report, container->stage_place, checker->object,
                     "stage '%s' is not in use in this market",
                     stage_name((enum stage)container->stage))
            ->mend = "add it to `market: stages`";
    for (uint32_t i = 0; i < container->slot_count; i++) {
        const struct market_slot *slot = &container->slots[i];
        checker->object = arena_printf(checker->arena, "slot %s.%s", container->code, slot->code);
        if (strlen(container->code) + 1 + strlen(slot->code) > BOUND_CODE)
            report_error(checker->report, slot->place, checker->object,
                         "'container.slot' is longer than %d bytes", BOUND_CODE)
                ->mend = "shorten one of the codes";
        uint32_t fulfill = 1u << OBJECTIVE_FULFILL;
        if ((slot->objectives & fulfill) != 0 && slot->objectives != fulfill)
            report_error(
                checker->report, slot->objectives_place, checker->object,
                "objectives: fulfill stands beside others; what the customer came for is not sold")
                ->mend = "write `objectives: fulfill`, and a second slot for the others";
        for (uint32_t j = 0; j < slot->floor_count; j++) check_floor(checker, slot, j);
    }
}

static bool
has_gain_share(const struct checker *checker, const char *seat)
{
    for (uint32_t i = 0; i < checker->market->contract_count; i++)
        if (checker->market->contracts[i].has_gain_share &&
            strcmp(checker->market->contracts[i].seat, seat) == 0)
            return true;
    return false;
}

static void
check_message(struct checker *checker, const struct market_message *message)
{
    checker->object = arena_printf(checker->arena, "message %s", message->code);
    const struct market_seat *seat = check_need_seat(checker, message->seat_place, "seat",
                                                     message->seat, 0);
    bool known = seat != NULL && message->rung < RUNG_COUNT;
    if (known && (check_rungs_of(seat) & 1u << message->rung) == 0)
        report_error(checker->report, message->rung_place, checker->object,
                     "rung %d (%s) is not for a %s, and '%s' is one", message->rung + 1,
                     rung_name((enum rung)message->rung),
                     seat_kind_name((enum seat_kind)seat->kind), seat->code)
            ->mend = seat->kind == SEAT_DEPARTMENT ? "departments use rungs 1 to 5 and 8"
                                                   : "partners use rungs 6 to 8";
    else if (known && message->rung == RUNG_AFFILIATION && !has_gain_share(checker, seat->code))
        report_error(checker->report, message->rung_place, checker->object,
                     "rung 7 (affiliation) without a gain share of seat '%s'", seat->code)
            ->mend = "give one of its contracts a `gain_share`";
    if (message->until.us != 0 && message->until.us <= message->from.us)
        report_error(checker->report, message->until_place, checker->object,
                     "'until' is not after 'from'")
            ->mend = "exchange the two dates";
}

static void
prepare(struct checker *checker)
{
    const struct market *market = checker->market;
    checker->seats = index_open(checker->arena);
    checker->attributes = index_open(checker->arena);
    checker->seat_codes = arena_take(checker->arena, market->seat_count + 2,
                                     sizeof *checker->seat_codes);
    checker->attribute_codes = arena_take(checker->arena, market->attribute_count + 1,
                                          sizeof *checker->attribute_codes);
    for (uint32_t i = 0; i < market->seat_count; i++) {
        checker->seat_codes[i] = market->seats[i].code;
        index_put(checker->seats, market->seats[i].code, &market->seats[i]);
    }
    checker->seat_codes[market->seat_count] = "host";
    checker->seat_codes[market->seat_count + 1] = MARKET_TOUCHES;
    for (uint32_t i = 0; i < market->attribute_count; i++) {
        checker->attribute_codes[i] = market->attributes[i].code;
        index_put(checker->attributes, market->attributes[i].code, &market->attributes[i]);
    }
}

void
check_market(struct arena *arena, struct market_report *report, const struct market *market)
{
    struct checker checker = {.arena = arena, .report = report, .market = market, .object = ""};
    prepare(&checker);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < market->seat_count; i++) {
        bool host = strcmp(market->seats[i].code, "host") == 0;
        if (host || strcmp(market->seats[i].code, MARKET_TOUCHES) == 0)
            report_error(report, market->seats[i].place, host ? "seat host" : "seat touches", "%s",
                         host ? "'host' is the company itself"
                              : "'touches' are what a customer was shown, in shares of a contract")
                ->mend = "choose another code";
    }
    for (uint32_t i = 0; i < market->container_count; i++) {
        check_container(&checker, &market->containers[i]);
        slots += market->containers[i].slot_count;
    }
    if (slots > BOUND_MARKET_SLOTS)
        report_error(report, market->containers[0].place, "", "%u slots in all, more than %d",
                     slots, BOUND_MARKET_SLOTS)
            ->mend = "remove what is not used";
    for (uint32_t i = 0; i < market->message_count; i++)
        check_message(&checker, &market->messages[i]);
    check_contract_all(&checker);
    check_selling_all(&checker);
    check_rule_all(&checker);
    if (report->errors == 0) warn_all(&checker);
}
