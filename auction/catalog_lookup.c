// The look-ups of a decoded catalog: each is one hash table, built once and then only read.
#include "catalog_lookup.h"

#include <string.h>

static int32_t
word_number(const struct lookup *words, const char *text)
{
    uint32_t number = lookup_text(words, text, strlen(text));
    return number == LOOKUP_NONE ? VALUE_OTHER : (int32_t)number;
}

static void
find_builtin_words(const struct catalog *catalog, struct catalog_lookup *tables)
{
    const struct lookup *words = &tables->words;
    for (int i = 0; i < CHANNEL_COUNT; i++)
        tables->channel_words[i] = word_number(words, channel_name((enum channel)i));
    for (int i = 0; i < STAGE_COUNT; i++)
        tables->stage_words[i] = word_number(words, stage_name((enum stage)i));
    for (int i = 0; i < IDENTITY_COUNT; i++)
        tables->identity_words[i] = word_number(words, identity_name((enum identity)i));
    for (int i = 0; i < TIER_COUNT; i++)
        tables->tier_words[i] = word_number(words, tier_name((enum tier)i));
    for (int i = 0; i < LOYALTY_COUNT; i++)
        tables->loyalty_words[i] = word_number(words, loyalty_name((enum loyalty)i));
    for (int i = 0; i < CONDITION_COUNT; i++)
        tables->condition_words[i] = word_number(words, condition_name((enum condition)i));
    int32_t *containers = arena_take(catalog->arena, catalog->container_count + 1,
                                     sizeof *containers);
    for (uint32_t i = 0; i < catalog->container_count; i++)
        containers[i] = word_number(words, catalog->containers[i].code);
    tables->container_words = containers;
}

static void
find_contracts(const struct catalog *catalog, struct catalog_lookup *tables)
{
    uint32_t *first = arena_take(catalog->arena, catalog->seat_count + 1, sizeof *first);
    for (uint32_t seat = 0, at = 0; seat <= catalog->seat_count; seat++) {
        while (at < catalog->contract_count && catalog->contracts[at].seat < seat) at++;
        first[seat] = at;
    }
    tables->contract_first = first;
}

static void
make_schema(const struct catalog *catalog, struct catalog_lookup *tables)
{
    struct expr_attribute *attributes = arena_take(catalog->arena, catalog->attribute_count,
                                                   sizeof *attributes);
    for (uint32_t i = 0; i < catalog->attribute_count; i++)
        attributes[i] = catalog->attributes[i].is;
    tables->schema = (struct expr_schema){
        .attributes = attributes, .count = catalog->attribute_count, .words = NULL};
}

static bool
put_text(struct lookup *table, const char *text, uint32_t index)
{
    return lookup_put_text(table, text, strlen(text), index) == STATUS_OK;
}

bool
catalog_lookup_build(struct catalog *catalog)
{
    struct arena *arena = catalog->arena;
    struct catalog_lookup *tables = arena_take(arena, 1, sizeof *tables);
    bool distinct = true;
    lookup_open(&tables->words, arena, catalog->word_count);
    for (uint32_t i = 0; i < catalog->word_count; i++)
        distinct = put_text(&tables->words, catalog->words[i], i) && distinct;
    lookup_open(&tables->attributes, arena, catalog->attribute_count);
    for (uint32_t i = 0; i < catalog->attribute_count; i++)
        distinct = put_text(&tables->attributes, catalog->attributes[i].is.name, i) && distinct;
    lookup_open(&tables->containers, arena, catalog->container_count);
    for (uint32_t i = 0; i < catalog->container_count; i++)
        distinct = put_text(&tables->containers, catalog->containers[i].code, i) && distinct;
    lookup_open(&tables->slots, arena, catalog->slot_count);
    lookup_open(&tables->slot_ids, arena, catalog->slot_count);
    for (uint32_t i = 0; i < catalog->slot_count; i++) {
        distinct = put_text(&tables->slots, catalog->slots[i].tagid, i) && distinct;
        distinct = lookup_put_id(&tables->slot_ids, catalog->slots[i].id, i) == STATUS_OK &&
                   distinct;
    }
    lookup_open(&tables->seats, arena, catalog->seat_count);
    lookup_open(&tables->seat_ids, arena, catalog->seat_count);
    for (uint32_t i = 0; i < catalog->seat_count; i++) {
        distinct = put_text(&tables->seats, catalog->seats[i].code, i) && distinct;
        distinct = lookup_put_id(&tables->seat_ids, catalog->seats[i].id, i) == STATUS_OK &&
                   distinct;
    }
    lookup_open(&tables->messages, arena, catalog->message_count);
    lookup_open(&tables->message_ids, arena, catalog->message_count);
    for (uint32_t i = 0; i < catalog->message_count; i++) {
        distinct = put_text(&tables->messages, catalog->messages[i].code, i) && distinct;
        distinct = lookup_put_id(&tables->message_ids, catalog->messages[i].id, i) == STATUS_OK &&
                   distinct;
    }
    lookup_open(&tables->campaign_ids, arena, catalog->campaign_count);
    for (uint32_t i = 0; i < catalog->campaign_count; i++)
        distinct = lookup_put_id(&tables->campaign_ids, catalog->campaigns[i].id, i) == STATUS_OK &&
                   distinct;
    lookup_open(&tables->deal_ids, arena, catalog->deal_count);
    for (uint32_t i = 0; i < catalog->deal_count; i++)
        distinct = lookup_put_id(&tables->deal_ids, catalog->deals[i].id, i) == STATUS_OK &&
                   distinct;
    lookup_open(&tables->bid_ids, arena, catalog->bid_count);
    for (uint32_t i = 0; i < catalog->bid_count; i++)
        distinct = lookup_put_id(&tables->bid_ids, catalog->bids[i].id, i) == STATUS_OK && distinct;
    find_builtin_words(catalog, tables);
    find_contracts(catalog, tables);
    make_schema(catalog, tables);
    catalog->lookup = tables;
    return distinct;
}

uint32_t
catalog_container_by_code(const struct catalog *catalog, const char *code, size_t len)
{
    return lookup_text(&catalog->lookup->containers, code, len);
}

uint32_t
catalog_slot_by_tagid(const struct catalog *catalog, const char *tagid, size_t len)
{
    return lookup_text(&catalog->lookup->slots, tagid, len);
}

uint32_t
catalog_message_by_code(const struct catalog *catalog, const char *code, size_t len)
{
    return lookup_text(&catalog->lookup->messages, code, len);
}

uint32_t
catalog_attribute_by_name(const struct catalog *catalog, const char *name, size_t len)
{
    return lookup_text(&catalog->lookup->attributes, name, len);
}

uint32_t
catalog_word(const struct catalog *catalog, const char *text, size_t len)
{
    return lookup_text(&catalog->lookup->words, text, len);
}

uint32_t
catalog_seat_by_id(const struct catalog *catalog, uint32_t id)
{
    return lookup_id(&catalog->lookup->seat_ids, id);
}

uint32_t
catalog_message_by_id(const struct catalog *catalog, uint32_t id)
{
    return lookup_id(&catalog->lookup->message_ids, id);
}

uint32_t
catalog_slot_by_id(const struct catalog *catalog, uint32_t id)
{
    return lookup_id(&catalog->lookup->slot_ids, id);
}

uint32_t
catalog_bid_by_id(const struct catalog *catalog, uint64_t id)
{
    return lookup_id(&catalog->lookup->bid_ids, id);
}

uint32_t
catalog_campaign_by_id(const struct catalog *catalog, uint32_t id)
{
    return lookup_id(&catalog->lookup->campaign_ids, id);
}

uint32_t
catalog_deal_by_id(const struct catalog *catalog, uint32_t id)
{
    return lookup_id(&catalog->lookup->deal_ids, id);
}
