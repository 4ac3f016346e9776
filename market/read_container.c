// Containers and their slots. Slots take the container's `floor` and `deliver_within` unless they
// have their own; without either, the channel's usual window.
//
// As objects of the database slots stand in a list of their own, each with its container and
// position.
#include <stdlib.h>
#include <string.h>

#include "read.h"

#define ALL(count) ((uint16_t)((1u << (count)) - 1))

static const char *const slot_keys[] = {
    "code", "name",           "floor",  "floors",  "rungs", "objectives", "formats",
    "rule", "deliver_within", "values", "explore", "cost",  NULL};

static uint32_t
usual_seconds(enum channel channel)
{
    static const uint32_t seconds[CHANNEL_COUNT] = {
        [CHANNEL_CALL] = 3600,  [CHANNEL_WEB] = 1800,         [CHANNEL_APP] = 1800,
        [CHANNEL_STORE] = 3600, [CHANNEL_EMAIL] = 3 * 86400,  [CHANNEL_CHAT] = 3600,
        [CHANNEL_SMS] = 86400,  [CHANNEL_BILL] = 30 * 86400,  [CHANNEL_PARCEL] = 30 * 86400,
        [CHANNEL_KIOSK] = 1800, [CHANNEL_SOCIAL] = 3 * 86400, [CHANNEL_PARTNER] = 86400,
    };
    return seconds[channel];
}

static void
read_floor(struct reader *reader, const struct tree *map, struct market_floor *floor)
{
    static const char *const keys[] = {"rung", "seat", "category", "price", NULL};
    *floor = (struct market_floor){.place = map->place, .rung = -1, .seat = "", .category = ""};
    if (!field_map(reader, map, keys)) return;
    const struct tree *rung = field_get(map, "rung");
    if (rung != NULL) floor->rung = word_rung_one(reader, rung);
    floor->seat = field_code(reader, field_get(map, "seat"));
    floor->category = field_text(reader, field_get(map, "category"), BOUND_CODE, "");
    const struct tree *price = field_get(map, "price");
    if (price == NULL)
        report_error(reader->report, map->place, reader->object, "floors: a floor without 'price'")
            ->mend = "write {rung: 6, price: 0.250}";
    (void)field_money(reader, price, &floor->price);
}

static void
read_floors(struct reader *reader, const struct tree *node, struct market_slot *slot)
{
    if (node == NULL) return;
    if (node->kind != TREE_LIST) {
        report_error(reader->report, node->place, reader->object, "floors: not a list")->mend =
            "write - {rung: 6, price: 0.250} lines below it";
        return;
    }
    if (node->count > BOUND_FLOORS) {
        report_error(reader->report, node->place, reader->object,
                     "floors: %u of them, more than %d", node->count, BOUND_FLOORS)
            ->mend = "join some by leaving out a condition";
        return;
    }
    slot->floors = arena_take(reader->arena, node->count + 1, sizeof *slot->floors);
    for (const struct tree *item = node->first; item != NULL; item = item->next)
        read_floor(reader, item, &slot->floors[slot->floor_count++]);
}

// `map` NULL: a slot of which only the code was written.
static void
read_slot(struct reader *reader, const struct tree *map, struct market_slot *slot, money floor,
          uint32_t seconds)
{
    slot->rungs = ALL(RUNG_COUNT);
    slot->objectives = ALL(OBJECTIVE_COUNT) & (uint16_t) ~(1u << OBJECTIVE_FULFILL);
    slot->rule = "";
    slot->name = slot->code;
    slot->floor = floor;
    slot->delivery_seconds = seconds;
    slot->objectives_place = slot->place;
    if (map == NULL) return;
    slot->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, slot->code);
    slot->rungs = word_mask(reader, field_get(map, "rungs"), word_rung, RUNG_COUNT, true,
                            slot->rungs);
    slot->objectives = word_mask(reader, field_get(map, "objectives"), word_objective,
                                 OBJECTIVE_COUNT, false, slot->objectives);
    slot->objectives_place = field_place(field_get(map, "objectives"), slot->place);
    slot->formats = word_texts(reader, field_get(map, "formats"), BOUND_CODE, &slot->format_count);
    money own;
    if (field_money(reader, field_get(map, "floor"), &own)) slot->floor = own;
    read_floors(reader, field_get(map, "floors"), slot);
    slot->rule = read_rule(reader, map, "rule", &slot->rule_place);
    slot->delivery_seconds = field_seconds(reader, field_get(map, "deliver_within"), seconds);
    slot->explore = field_flag(reader, field_get(map, "explore"), false);
    slot->has_cost = field_money(reader, field_get(map, "cost"), &slot->cost);
    slot->values = read_values(reader, map, &slot->value_count);
}

static void
read_slots(struct reader *reader, const struct tree *map, struct market_container *container,
           money floor, uint32_t seconds)
{
    struct field_items items = field_items(reader, map, "slots", "slot", BOUND_SLOTS);
    container->slots = arena_take(reader->arena, items.count + 1, sizeof *container->slots);
    container->slot_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_slot *slot = &container->slots[i];
        slot->place = items.places[i];
        slot->code = items.codes[i];
        reader->object = arena_printf(reader->arena, "slot %s.%s", container->code, slot->code);
        const struct tree *body = items.bodies[i];
        bool bare = body->kind == TREE_SCALAR && body->len == 0;
        read_slot(reader, bare || !field_map(reader, body, slot_keys) ? NULL : body, slot, floor,
                  seconds);
    }
}

// `quota: {count: 1, of: [educate, collect]}`.
static void
read_quota(struct reader *reader, const struct tree *node, struct market_container *container)
{
    static const char *const keys[] = {"count", "of", NULL};
    container->quota_place = field_place(node, container->place);
    if (node == NULL || !field_map(reader, node, keys)) return;
    container->quota_count = (uint32_t)field_integer(reader, field_get(node, "count"), 1,
                                                     BOUND_SLOTS, 1);
    container->quota_objectives = word_mask(
        reader, field_need(reader, node, "of", "which objectives count, as [educate, collect]"),
        word_objective, OBJECTIVE_COUNT, false, 0);
}

static void
read_container(struct reader *reader, const struct tree *map, struct market_container *container)
{
    static const char *const keys[] = {"code",     "name",           "stage", "channel", "owner",
                                       "floor",    "deliver_within", "slots", "pricing", "separate",
                                       "paid_max", "quota",          "cost",  NULL};
    if (!field_map(reader, map, keys)) return;
    container->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, container->code);
    container->stage = (uint8_t)word_one(
        reader, field_need(reader, map, "stage", "the stage of the customer's life, as service"),
        word_stage, STAGE_COUNT, STAGE_USE);
    const struct tree *channel = field_need(reader, map, "channel",
                                            "the channel it runs on, as call");
    container->channel = (uint8_t)word_one(reader, channel, word_channel, CHANNEL_COUNT,
                                           CHANNEL_WEB);
    container->pricing = (uint8_t)word_one(reader, field_get(map, "pricing"), word_pricing,
                                           PRICING_COUNT, PRICING_PER_SLOT);
    container->separate = field_flag(reader, field_get(map, "separate"), false);
    container->paid_max = (uint32_t)field_integer(reader, field_get(map, "paid_max"), 1,
                                                  BOUND_SLOTS, 0);
    read_quota(reader, field_get(map, "quota"), container);
    container->has_cost = field_money(reader, field_get(map, "cost"), &container->cost);
    container->owner = field_code(
        reader, field_need(reader, map, "owner",
                           "the department that owns the contact and earns its transfer prices"));
    container->owner_place = field_place(field_get(map, "owner"), container->place);
    container->stage_place = field_place(field_get(map, "stage"), container->place);
    container->channel_place = field_place(channel, container->place);
    if (reader->stored) return;
    money floor;
    (void)field_money(reader, field_get(map, "floor"), &floor);
    uint32_t seconds = field_seconds(reader, field_get(map, "deliver_within"),
                                     usual_seconds(container->channel));
    const char *object = reader->object;
    read_slots(reader, map, container, floor, seconds);
    const struct tree *slots = field_get(map, "slots");
    if (slots == NULL || (slots->kind != TREE_SCALAR && slots->count == 0))
        report_error(reader->report, field_place(slots, container->place), object, "no slots")
            ->mend = "a container has 1 to 12 slots";
}

// --- Slots as objects: a list of their own ------------------------------------------------------

struct stored_slot {
    struct market_slot slot;
    const char *container;
    int64_t position;
};

static int
by_position(const void *a, const void *b)
{
    const struct stored_slot *x = a, *y = b;
    int order = strcmp(x->container, y->container);
    return order != 0 ? order : (x->position > y->position) - (x->position < y->position);
}

static void
read_stored_slots(struct reader *reader, const struct tree *root)
{
    static const char *const keys[] = {"code",           "name",       "floor",     "floors",
                                       "rungs",          "objectives", "formats",   "rule",
                                       "deliver_within", "values",     "container", "position",
                                       "explore",        "cost",       NULL};
    const struct tree *node = field_get(root, "slots");
    if (node == NULL || node->kind != TREE_LIST) return;
    struct stored_slot *slots = arena_take(reader->arena, node->count + 1, sizeof *slots);
    uint32_t count = 0;
    for (const struct tree *map = node->first; map != NULL; map = map->next) {
        struct stored_slot *stored = &slots[count];
        reader->object = "slot";
        if (!field_map(reader, map, keys)) continue;
        stored->slot.place = map->place;
        stored->slot.id = read_id(reader, map);
        stored->slot.code = field_code(reader, field_get(map, "code"));
        stored->container = field_code(reader, field_get(map, "container"));
        stored->position = field_integer(reader, field_get(map, "position"), 1, BOUND_SLOTS, 1);
        read_slot(reader, map, &stored->slot, money_of(0), 1);
        count++;
    }
    qsort(slots, count, sizeof *slots, by_position);
    struct market *market = reader->market;
    struct index *containers = index_open(reader->arena);
    for (uint32_t i = 0; i < market->container_count; i++)
        index_put(containers, market->containers[i].code, &market->containers[i]);
    for (uint32_t i = 0; i < count; i++) {
        struct market_container *container = (struct market_container *)index_find(
            containers, slots[i].container);
        if (container == NULL || container->slot_count == BOUND_SLOTS) {
            report_error(reader->report, slots[i].slot.place, "slot",
                         "container '%s' is unknown or full", slots[i].container);
            continue;
        }
        if (container->slots == NULL)
            container->slots = arena_take(reader->arena, BOUND_SLOTS, sizeof *container->slots);
        container->slots[container->slot_count++] = slots[i].slot;
    }
}

void
read_container_all(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "containers", "container",
                                           BOUND_CONTAINERS);
    market->containers = arena_take(reader->arena, items.count + 1, sizeof *market->containers);
    market->container_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_container *container = &market->containers[i];
        reader->object = arena_printf(reader->arena, "container %s", items.codes[i]);
        *container = (struct market_container){.place = items.places[i],
                                               .id = read_id(reader, items.bodies[i]),
                                               .code = items.codes[i],
                                               .name = items.codes[i],
                                               .owner = ""};
        read_container(reader, items.bodies[i], container);
    }
    if (reader->stored) read_stored_slots(reader, root);
}
