// What the rules of selling say of each other and of the rest of the market.
//
//   1 names name something; a campaign, its parent and its messages are of one seat
//   2 campaigns are two deep: a parent has none itself, and none is its own
//   3 a part's budget is not above the whole's; a pace needs a day or an end
//   4 a seat is shown only what is open and arrives with a contact
//   5 no two floors have the same conditions; caps: check_cap.c
//   6 a message stands in one deal; two experiments never change a slot's floors at one time
// What is allowed but of no use is a warning: a floor rule that no slot meets.
#include "check_selling.h"

#include <string.h>

#include "check_cap.h"
#include "market_zone.h"

#define ERROR(place, ...) report_error(checker->report, place, checker->object, __VA_ARGS__)
#define WARN(place, ...) report_warning(checker->report, place, checker->object, __VA_ARGS__)

static bool
overlap(usec from, usec until, usec other_from, usec other_until)
{
    return (other_until.us == 0 || from.us < other_until.us) &&
           (until.us == 0 || other_from.us < until.us);
}

static void
check_until(struct checker *checker, usec from, usec until, struct place place)
{
    if (until.us != 0 && until.us <= from.us)
        ERROR(place, "'until' is not after 'from'")->mend = "exchange the two dates";
}

// --- Budgets and campaigns -----------------------------------------------------------------------

static void
check_budget(struct checker *checker, const struct market_budget *budget, usec from, usec until)
{
    if (budget->has_total && budget->has_daily && budget->daily.micros > budget->total.micros)
        WARN(budget->place, "budget: a day's amount above the total")->mend =
            "it never counts; lower it, or raise the total";
    bool spanned = from.us != 0 && until.us != 0;
    if (budget->pacing != PACING_ASAP && budget->has_total && !budget->has_daily && !spanned)
        ERROR(budget->pacing_place, "pacing: %s over no span of time",
              market_pacing_name((enum pacing)budget->pacing))
            ->mend = "give a daily amount, or `from` and `until`";
}

static void
check_part(struct checker *checker, const struct market_budget *part,
           const struct market_budget *whole, const char *whose, const char *code)
{
    if (whole->has_total && part->has_total && part->total.micros > whole->total.micros)
        ERROR(part->place, "budget: more than the whole budget of its %s '%s'", whose, code)->mend =
            "lower it, or raise the other";
    if (whole->has_daily && part->has_daily && part->daily.micros > whole->daily.micros)
        ERROR(part->place, "budget: more a day than the whole of its %s '%s'", whose, code)->mend =
            "lower it, or raise the other";
}

static const struct market_campaign *
find_campaign(const struct checker *checker, const char *code)
{
    return index_find(checker->campaigns, code);
}

static const char *
mean_campaign(const struct checker *checker, const char *code)
{
    return report_mean(checker->report, code, checker->campaign_codes,
                       checker->market->campaign_count, "declare it under `campaigns`");
}

// The way up from a campaign ends, or comes back to where it was: "a, b, a".
static bool
is_cyclic(const struct checker *checker, const struct market_campaign *campaign,
          const char **out_way)
{
    const char *way = campaign->code;
    const struct market_campaign *at = campaign;
    for (uint32_t steps = 0; steps < 8 && at != NULL && at->parent[0] != '\0'; steps++) {
        way = arena_printf(checker->arena, "%s names %s", steps == 0 ? at->code : way, at->parent);
        at = find_campaign(checker, at->parent);
        if (at == campaign) {
            *out_way = way;
            return true;
        }
    }
    return false;
}

static void
check_campaign(struct checker *checker, const struct market_campaign *campaign)
{
    const struct market_seat *seat = check_seat_named(checker, campaign->seat_place, "seat",
                                                      campaign->seat);
    check_until(checker, campaign->from, campaign->until, campaign->until_place);
    check_budget(checker, &campaign->budget, campaign->from, campaign->until);
    if (seat != NULL) check_part(checker, &campaign->budget, &seat->budget, "seat", seat->code);
    if (campaign->parent[0] == '\0') return;
    const struct market_campaign *parent = find_campaign(checker, campaign->parent);
    const char *way;
    if (parent == NULL) {
        ERROR(campaign->parent_place, "parent: no campaign '%s'", campaign->parent)->mend =
            mean_campaign(checker, campaign->parent);
    } else if (is_cyclic(checker, campaign, &way)) {
        ERROR(campaign->parent_place, "parent: a circle: %s", way)->mend =
            "a parent has no parent itself";
    } else if (parent->parent[0] != '\0') {
        ERROR(campaign->parent_place, "parent: '%s' has a parent itself, '%s'", parent->code,
              parent->parent)
            ->mend = "campaigns are two deep; name the upper one";
    } else if (strcmp(parent->seat, campaign->seat) != 0 && parent->seat[0] != '\0') {
        ERROR(campaign->parent_place, "parent: '%s' is a campaign of seat '%s'", parent->code,
              parent->seat)
            ->mend = "a campaign and its parent are of one seat";
    } else {
        check_part(checker, &campaign->budget, &parent->budget, "campaign", parent->code);
    }
}

static void
check_message(struct checker *checker, const struct market_message *message)
{
    check_budget(checker, &message->budget, message->from, message->until);
    const struct market_seat *seat = check_seat(checker, message->seat);
    if (seat != NULL) check_part(checker, &message->budget, &seat->budget, "seat", seat->code);
    if (message->campaign[0] == '\0') return;
    const struct market_campaign *campaign = find_campaign(checker, message->campaign);
    if (campaign == NULL)
        ERROR(message->campaign_place, "campaign: no campaign '%s'", message->campaign)->mend =
            mean_campaign(checker, message->campaign);
    else if (strcmp(campaign->seat, message->seat) != 0)
        ERROR(message->campaign_place, "campaign: '%s' is of seat '%s'", campaign->code,
              campaign->seat)
            ->mend = "a message stands in a campaign of its own seat";
    else check_part(checker, &message->budget, &campaign->budget, "campaign", campaign->code);
}

static void
check_shows(struct checker *checker, const struct market_seat *seat)
{
    check_budget(checker, &seat->budget, (usec){0}, (usec){0});
    for (uint32_t i = 0; i < seat->show_count; i++) {
        const char *code = seat->shows[i];
        const struct market_attribute *attribute = index_find(checker->attributes, code);
        if (attribute == NULL)
            ERROR(seat->live_place, "shows: no attribute '%s'", code)->mend = report_mean(
                checker->report, code, checker->attribute_codes, checker->market->attribute_count,
                "declare it under `attributes`");
        else if (attribute->of != ATTRIBUTE_OF_CONTACT && attribute->of != ATTRIBUTE_OF_CUSTOMER)
            ERROR(seat->live_place, "shows: '%s' describes a %s", code,
                  market_attribute_of_name((enum attribute_of)attribute->of))
                ->mend = "name attributes of the contact or the customer";
        else if (attribute->privacy != PRIVACY_OPEN)
            ERROR(seat->live_place, "shows: attribute '%s' is %s, not open", code,
                  privacy_name((enum privacy)attribute->privacy))
                ->mend = "only open attributes may leave; remove it";
    }
    if (seat->show_count > 0 && !seat->live)
        WARN(seat->live_place, "shows: this seat is never asked")->mend =
            "write `live: true`, or remove `shows`";
}

// --- Groups --------------------------------------------------------------------------------------

struct group {
    const struct market_message *first;
    uint32_t count;
};

static void
check_groups(struct checker *checker)
{
    const struct market *market = checker->market;
    struct index *groups = index_open(checker->arena);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < market->container_count; i++)
        if (market->containers[i].slot_count > slots) slots = market->containers[i].slot_count;
    struct group *list = arena_take(checker->arena, market->message_count + 1, sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < market->message_count; i++) {
        const struct market_message *message = &market->messages[i];
        if (message->group[0] == '\0') continue;
        const char *key = arena_printf(checker->arena, "%s %s", message->seat, message->group);
        const struct group *known = index_find(groups, key);
        if (known == NULL) {
            list[count] = (struct group){message, 1};
            index_put(groups, key, &list[count++]);
        } else {
            list[known - list].count++;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        checker->object = arena_printf(checker->arena, "message %s", list[i].first->code);
        if (list[i].count == 1)
            WARN(list[i].first->place, "group: no other message of its seat is in group '%s'",
                 list[i].first->group)
                ->mend = "a group of one is none";
        if (list[i].count > slots)
            WARN(list[i].first->place,
                 "group: group '%s' has %u messages, and no container more than %u slots",
                 list[i].first->group, list[i].count, slots)
                ->mend = "all of a group win or none: it can never win";
    }
}

// --- Containers ----------------------------------------------------------------------------------

static void
check_container(struct checker *checker, const struct market_container *container)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < container->slot_count; i++)
        fitting += (container->slots[i].objectives & container->quota_objectives) != 0;
    if (container->quota_count > container->slot_count)
        ERROR(container->quota_place, "quota: %u placements of %u slots", container->quota_count,
              container->slot_count)
            ->mend = "ask for no more than there are slots";
    else if (container->quota_count > fitting && container->quota_objectives != 0)
        ERROR(container->quota_place, "quota: only %u of its slots admit one of these objectives",
              fitting)
            ->mend = "admit them in more slots, or ask for fewer";
    if (container->paid_max >= container->slot_count && container->paid_max > 0)
        WARN(container->place, "paid_max: as many as there are slots")->mend =
            "it never counts; lower or remove it";
}

// --- Floors --------------------------------------------------------------------------------------

static const struct market_container *
find_container(const struct market *market, const char *code)
{
    for (uint32_t i = 0; i < market->container_count; i++)
        if (strcmp(market->containers[i].code, code) == 0) return &market->containers[i];
    return NULL;
}

// "container.slot"; the container too, when wanted.
static const struct market_slot *
find_slot(const struct market *market, const char *tagid,
          const struct market_container **out_container)
{
    const char *dot = strchr(tagid, '.');
    for (uint32_t i = 0; dot != NULL && i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        size_t len = strlen(container->code);
        if (len != (size_t)(dot - tagid) || memcmp(container->code, tagid, len) != 0) continue;
        for (uint32_t j = 0; j < container->slot_count; j++)
            if (strcmp(container->slots[j].code, dot + 1) == 0) {
                if (out_container != NULL) *out_container = container;
                return &container->slots[j];
            }
    }
    return NULL;
}

static const char *
mean_slot(const struct checker *checker, const char *tagid)
{
    return report_mean(checker->report, tagid, checker->tagids, checker->slot_count,
                       "write container.slot");
}

// The slots that a set of conditions meets, and whether what it names is there.
struct where {
    const char *container, *slot;
    int8_t channel, stage;
};

static bool
meets(const struct where *where, const struct market_container *container, const char *tagid)
{
    return (where->container[0] == '\0' || strcmp(where->container, container->code) == 0) &&
           (where->slot[0] == '\0' || strcmp(where->slot, tagid) == 0) &&
           (where->channel < 0 || where->channel == container->channel) &&
           (where->stage < 0 || where->stage == container->stage);
}

static bool
names_exist(struct checker *checker, const struct where *where, struct place container_place,
            struct place slot_place)
{
    bool exist = true;
    if (where->container[0] != '\0' && find_container(checker->market, where->container) == NULL) {
        ERROR(container_place, "container: no container '%s'", where->container)->mend =
            report_mean(checker->report, where->container, checker->container_codes,
                        checker->market->container_count, "declare it under `containers`");
        exist = false;
    }
    if (where->slot[0] != '\0' && find_slot(checker->market, where->slot, NULL) == NULL) {
        ERROR(slot_place, "slot: no slot '%s'", where->slot)->mend = mean_slot(checker,
                                                                               where->slot);
        exist = false;
    }
    return exist;
}

static uint32_t
count_met(const struct checker *checker, const struct where *where)
{
    uint32_t met = 0, slot = 0;
    for (uint32_t i = 0; i < checker->market->container_count; i++)
        for (uint32_t j = 0; j < checker->market->containers[i].slot_count; j++)
            met += meets(where, &checker->market->containers[i], checker->tagids[slot++]);
    return met;
}

static bool
same_floor(const struct market_rule_floor *a, const struct market_rule_floor *b)
{
    return a->channel == b->channel && a->stage == b->stage && a->rung == b->rung &&
           a->tier == b->tier && strcmp(a->container, b->container) == 0 &&
           strcmp(a->slot, b->slot) == 0 && strcmp(a->seat, b->seat) == 0 &&
           strcmp(a->category, b->category) == 0 && strcmp(a->when, b->when) == 0;
}

static void
check_floor(struct checker *checker, uint32_t index)
{
    const struct market_rule_floor *floor = &checker->market->floors[index];
    struct where where = {floor->container, floor->slot, floor->channel, floor->stage};
    bool settled = floor->container[0] == '\0' && floor->slot[0] == '\0' && floor->channel < 0 &&
                   floor->stage < 0;
    if (settled && floor->rung < 0 && floor->tier < 0 && floor->seat[0] == '\0' &&
        floor->category[0] == '\0' && floor->when[0] == '\0')
        ERROR(floor->place, "a floor without a condition")->mend =
            "write what it is for; for a whole container, its own `floor`";
    const struct market_seat *seat = floor->seat[0] != '\0'
                                         ? check_seat_named(checker, floor->seat_place, "seat",
                                                            floor->seat)
                                         : NULL;
    if (seat != NULL && floor->rung >= 0 && (check_rungs_of(seat) & 1u << floor->rung) == 0)
        ERROR(floor->place, "%s '%s' can never stand on rung %d",
              seat_kind_name((enum seat_kind)seat->kind), seat->code, floor->rung + 1)
            ->mend = "leave out the rung or the seat";
    if (seat != NULL && seat->budget.has_total && floor->price.micros > seat->budget.total.micros)
        ERROR(floor->place, "above the whole budget of seat '%s'", seat->code)->mend =
            "lower the floor, or raise the budget";
    if (names_exist(checker, &where, floor->container_place, floor->slot_place) &&
        count_met(checker, &where) == 0)
        WARN(floor->place, "no slot meets its conditions")->mend = "it can never count";
    for (uint32_t i = 0; i < index; i++)
        if (same_floor(&checker->market->floors[i], floor)) {
            ERROR(floor->place, "the same conditions as floor '%s' in line %u",
                  checker->market->floors[i].code, checker->market->floors[i].place.line)
                ->mend = "keep one of them";
            return;
        }
}

static void
check_floors_of_slots(struct checker *checker)
{
    const struct market *market = checker->market;
    uint32_t at = 0;
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++, at++) {
            const struct market_slot *slot = &market->containers[i].slots[j];
            uint32_t count = slot->floor_count;
            for (uint32_t k = 0; k < market->floor_count; k++) {
                const struct market_rule_floor *floor = &market->floors[k];
                struct where where = {floor->container, floor->slot, floor->channel, floor->stage};
                count += meets(&where, &market->containers[i], checker->tagids[at]);
            }
            checker->object = arena_printf(checker->arena, "slot %s", checker->tagids[at]);
            if (count > BOUND_SLOT_FLOORS)
                ERROR(slot->place, "%u floors may count here, more than %d", count,
                      BOUND_SLOT_FLOORS)
                    ->mend = "give floors of the market a container, channel or stage";
        }
}

// --- Deals and experiments -----------------------------------------------------------------------

static bool
admits_one(const struct checker *checker, const struct market_deal *deal,
           const struct market_message *message)
{
    if (deal->slot_count == 0) return true;
    for (uint32_t i = 0; i < deal->slot_count; i++) {
        const struct market_slot *slot = find_slot(checker->market, deal->slots[i], NULL);
        if (slot == NULL || ((slot->rungs & 1u << message->rung) != 0 &&
                             (slot->objectives & message->objectives) != 0))
            return true;
    }
    return false;
}

static void
check_deal(struct checker *checker, const struct market_deal *deal, struct index *dealt)
{
    check_until(checker, deal->from, deal->until, deal->until_place);
    for (uint32_t i = 0; i < deal->slot_count; i++)
        if (find_slot(checker->market, deal->slots[i], NULL) == NULL)
            ERROR(deal->slots_place, "slots: no slot '%s'", deal->slots[i])->mend = mean_slot(
                checker, deal->slots[i]);
    for (uint32_t i = 0; i < deal->message_count; i++) {
        const char *code = deal->messages[i];
        const struct market_message *message = index_find(checker->messages, code);
        if (message == NULL) {
            ERROR(deal->messages_place, "messages: no message '%s'", code)->mend = report_mean(
                checker->report, code, checker->message_codes, checker->market->message_count,
                "declare it under `messages`");
            continue;
        }
        const struct market_deal *other = index_put(dealt, code, deal);
        if (other != NULL)
            ERROR(deal->messages_place, "messages: '%s' stands in deal '%s' already (line %u)",
                  code, other->code, other->place.line)
                ->mend = "a message stands in one deal";
        if (message->rung < RUNG_COUNT && !admits_one(checker, deal, message))
            WARN(deal->messages_place, "messages: none of its slots admits '%s'", code)->mend =
                "it can never win under this deal";
    }
}

static const char *
both_meet(const struct checker *checker, const struct market_experiment *a,
          const struct market_experiment *b)
{
    struct where one = {a->container, a->slot, a->channel, a->stage},
                 other = {b->container, b->slot, b->channel, b->stage};
    uint32_t at = 0;
    for (uint32_t i = 0; i < checker->market->container_count; i++)
        for (uint32_t j = 0; j < checker->market->containers[i].slot_count; j++, at++)
            if (meets(&one, &checker->market->containers[i], checker->tagids[at]) &&
                meets(&other, &checker->market->containers[i], checker->tagids[at]))
                return checker->tagids[at];
    return NULL;
}

static void
check_experiment(struct checker *checker, uint32_t index)
{
    const struct market_experiment *all = checker->market->experiments, *now = &all[index];
    struct where where = {now->container, now->slot, now->channel, now->stage};
    check_until(checker, now->from, now->until, now->until_place);
    if (names_exist(checker, &where, now->where_place, now->where_place) &&
        count_met(checker, &where) == 0)
        ERROR(now->where_place, "where: no slot is there")->mend = "try it where there is one";
    if (now->until.us == 0 && now->stop_contacts == 0)
        WARN(now->place, "neither `until` nor `stop`")->mend = "it goes on until it is removed";
    for (uint32_t i = 0; i < index; i++) {
        const char *tagid = overlap(now->from, now->until, all[i].from, all[i].until)
                                ? both_meet(checker, now, &all[i])
                                : NULL;
        if (tagid == NULL) continue;
        ERROR(now->where_place, "at the same time as experiment '%s' (line %u) on slot %s",
              all[i].code, all[i].place.line, tagid)
            ->mend = "a slot takes part in one at a time: end one first, or try elsewhere";
        return;
    }
}

// --- All -----------------------------------------------------------------------------------------

static void
prepare(struct checker *checker)
{
    const struct market *market = checker->market;
    struct arena *arena = checker->arena;
    checker->campaigns = index_open(arena);
    checker->messages = index_open(arena);
    checker->campaign_codes = arena_take(arena, market->campaign_count + 1, sizeof(char *));
    checker->message_codes = arena_take(arena, market->message_count + 1, sizeof(char *));
    checker->container_codes = arena_take(arena, market->container_count + 1, sizeof(char *));
    uint32_t slots = 0;
    for (uint32_t i = 0; i < market->campaign_count; i++) {
        checker->campaign_codes[i] = market->campaigns[i].code;
        index_put(checker->campaigns, market->campaigns[i].code, &market->campaigns[i]);
    }
    for (uint32_t i = 0; i < market->message_count; i++) {
        checker->message_codes[i] = market->messages[i].code;
        index_put(checker->messages, market->messages[i].code, &market->messages[i]);
    }
    for (uint32_t i = 0; i < market->container_count; i++) {
        checker->container_codes[i] = market->containers[i].code;
        slots += market->containers[i].slot_count;
    }
    checker->tagids = arena_take(arena, slots + 1, sizeof(char *));
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            checker->tagids[checker->slot_count++] = arena_printf(
                arena, "%s.%s", market->containers[i].code, market->containers[i].slots[j].code);
}

void
check_selling_all(struct checker *checker)
{
    const struct market *market = checker->market;
    prepare(checker);
    checker->object = "market";
    if (!market_zone_known(market->zone))
        ERROR(market->zone_place, "zone: no time zone '%s' on this machine", market->zone)->mend =
            "write a name of the IANA database, as Europe/Berlin";
    for (uint32_t i = 0; i < market->seat_count; i++) {
        checker->object = arena_printf(checker->arena, "seat %s", market->seats[i].code);
        check_shows(checker, &market->seats[i]);
    }
    for (uint32_t i = 0; i < market->campaign_count; i++) {
        checker->object = arena_printf(checker->arena, "campaign %s", market->campaigns[i].code);
        check_campaign(checker, &market->campaigns[i]);
    }
    for (uint32_t i = 0; i < market->container_count; i++) {
        checker->object = arena_printf(checker->arena, "container %s", market->containers[i].code);
        check_container(checker, &market->containers[i]);
    }
    for (uint32_t i = 0; i < market->floor_count; i++) {
        checker->object = arena_printf(checker->arena, "floor %s", market->floors[i].code);
        check_floor(checker, i);
    }
    check_floors_of_slots(checker);
    for (uint32_t i = 0; i < market->message_count; i++) {
        checker->object = arena_printf(checker->arena, "message %s", market->messages[i].code);
        check_message(checker, &market->messages[i]);
    }
    check_groups(checker);
    check_cap_all(checker);
    struct index *dealt = index_open(checker->arena);
    for (uint32_t i = 0; i < market->deal_count; i++) {
        checker->object = arena_printf(checker->arena, "deal %s", market->deals[i].code);
        check_deal(checker, &market->deals[i], dealt);
    }
    for (uint32_t i = 0; i < market->experiment_count; i++) {
        checker->object = arena_printf(checker->arena, "experiment %s",
                                       market->experiments[i].code);
        check_experiment(checker, i);
    }
}
