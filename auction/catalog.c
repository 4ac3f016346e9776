// The catalog: built-in attributes, the schema of a market's rules, and what is read from a catalog
// once it is decoded. catalog_encode.c and catalog_decode.c turn a market into bytes and back,
// catalog_block.h holds the format, catalog_lookup.c the tables.
#include "catalog.h"

#include <string.h>

#include "catalog_lookup.h"
#include "fail.h"
#include "words.h"

#define TEXT_OF(the_name, whom)                                                                  \
    {                                                                                            \
        .name = the_name, .type = ATTRIBUTE_TEXT, .of = ATTRIBUTE_OF_##whom, .least = INT64_MIN, \
        .most = INT64_MAX                                                                        \
    }
#define CONSENT_OF(the_name)                                                      \
    {                                                                             \
        .name = the_name, .type = ATTRIBUTE_BOOLEAN, .of = ATTRIBUTE_OF_CUSTOMER, \
        .least = INT64_MIN, .most = INT64_MAX                                     \
    }

const struct expr_attribute catalog_builtins[BUILTIN_COUNT] = {
    [BUILTIN_CHANNEL] = TEXT_OF("channel", CONTACT),
    [BUILTIN_STAGE] = TEXT_OF("stage", CONTACT),
    [BUILTIN_CONTAINER] = TEXT_OF("container", CONTACT),
    [BUILTIN_IDENTITY] = TEXT_OF("identity", CUSTOMER),
    [BUILTIN_TIER] = TEXT_OF("tier", CUSTOMER),
    [BUILTIN_LOYALTY] = TEXT_OF("loyalty", CUSTOMER),
    [BUILTIN_CONDITION] = TEXT_OF("condition", CUSTOMER),
    [BUILTIN_CONSENT_PROFILING] = CONSENT_OF("consent_profiling"),
    [BUILTIN_CONSENT_MODELLING] = CONSENT_OF("consent_modelling"),
    [BUILTIN_CONSENT_THIRD_PARTY] = CONSENT_OF("consent_third_party"),
    [BUILTIN_CONSENT_SHARING] = CONSENT_OF("consent_sharing"),
    [BUILTIN_SLOT] = TEXT_OF("slot", SLOT),
    [BUILTIN_MESSAGE] = TEXT_OF("message", MESSAGE),
    [BUILTIN_SEAT] = TEXT_OF("seat", MESSAGE),
    [BUILTIN_CATEGORY] = TEXT_OF("category", MESSAGE),
    [BUILTIN_FORMAT] = TEXT_OF("format", MESSAGE),
    [BUILTIN_RUNG] = {.name = "rung",
                      .type = ATTRIBUTE_INTEGER,
                      .of = ATTRIBUTE_OF_MESSAGE,
                      .least = 1,
                      .most = RUNG_COUNT},
};

// The words that the built-in attributes with a fixed vocabulary take. `none` and `unknown` are no
// words: a contact without a tier has an unknown one.
static struct expr_words
builtin_words(uint32_t attribute, struct arena *arena)
{
    const char *names[16];
    uint32_t count = 0;
    if (attribute == BUILTIN_CHANNEL)
        for (; count < CHANNEL_COUNT; count++) names[count] = channel_name((enum channel)count);
    else if (attribute == BUILTIN_STAGE)
        for (; count < STAGE_COUNT; count++) names[count] = stage_name((enum stage)count);
    else if (attribute == BUILTIN_IDENTITY)
        for (; count < IDENTITY_COUNT; count++) names[count] = identity_name((enum identity)count);
    else if (attribute == BUILTIN_TIER)
        for (; count < TIER_COUNT - 1; count++) names[count] = tier_name((enum tier)(count + 1));
    else if (attribute == BUILTIN_LOYALTY)
        for (; count < LOYALTY_COUNT - 1; count++)
            names[count] = loyalty_name((enum loyalty)(count + 1));
    else if (attribute == BUILTIN_CONDITION)
        for (; count < CONDITION_COUNT; count++)
            names[count] = condition_name((enum condition)count);
    if (count == 0) return (struct expr_words){NULL, 0};
    const char **items = arena_take(arena, count, sizeof *items);
    memcpy(items, names, count * sizeof *items);
    return (struct expr_words){items, count};
}

static void
add_word(struct words *words, const char *text)
{
    if (text[0] != '\0') (void)words_number(words, text, strlen(text));
}

// Every word that the market itself says, so that a contact which says it too is understood.
static void
add_market_words(const struct market *market, struct words *words, struct arena *arena)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        add_word(words, container->code);
        for (uint32_t j = 0; j < container->slot_count; j++) {
            const struct market_slot *slot = &container->slots[j];
            add_word(words, arena_printf(arena, "%s.%s", container->code, slot->code));
            for (uint32_t k = 0; k < slot->format_count; k++) add_word(words, slot->formats[k]);
            for (uint32_t k = 0; k < slot->floor_count; k++)
                add_word(words, slot->floors[k].category);
        }
    }
    for (uint32_t i = 0; i < market->floor_count; i++) add_word(words, market->floors[i].category);
    for (uint32_t i = 0; i < market->cap_count; i++)
        if (market->caps[i].per == CAP_CATEGORY) add_word(words, market->caps[i].of);
    for (uint32_t i = 0; i < market->seat_count; i++) add_word(words, market->seats[i].code);
    for (uint32_t i = 0; i < market->message_count; i++) {
        add_word(words, market->messages[i].code);
        add_word(words, market->messages[i].category);
        add_word(words, market->messages[i].format);
    }
}

void
catalog_schema(const struct market *market, struct arena *arena, struct expr_schema *out_schema)
{
    struct expr_attribute *attributes = arena_take(arena, BOUND_ATTRIBUTES, sizeof *attributes);
    struct expr_words *takes = arena_take(arena, BOUND_ATTRIBUTES, sizeof *takes);
    struct words *words = arena_take(arena, 1, sizeof *words);
    words_open(words, arena);
    uint32_t count = 0;
    for (; count < BUILTIN_COUNT; count++) {
        attributes[count] = catalog_builtins[count];
        takes[count] = builtin_words(count, arena);
        for (uint32_t i = 0; i < takes[count].count; i++) add_word(words, takes[count].items[i]);
    }
    for (uint32_t i = 0; i < market->attribute_count && count < BOUND_ATTRIBUTES; i++) {
        const struct market_attribute *declared = &market->attributes[i];
        size_t len = strlen(declared->code);
        if (len == 0 || len > BOUND_CODE) continue;
        struct expr_attribute *attribute = &attributes[count];
        memcpy(attribute->name, declared->code, len);
        attribute->type = declared->type;
        attribute->of = declared->of;
        attribute->least = declared->type == ATTRIBUTE_INTEGER ? declared->least : INT64_MIN;
        attribute->most = declared->type == ATTRIBUTE_INTEGER ? declared->most : INT64_MAX;
        takes[count++] = (struct expr_words){declared->words, declared->word_count};
        for (uint32_t j = 0; j < declared->word_count; j++) add_word(words, declared->words[j]);
    }
    add_market_words(market, words, arena);
    *out_schema = (struct expr_schema){.attributes = attributes,
                                       .count = count,
                                       .takes = takes,
                                       .word = words_number,
                                       .words = words};
}

static const char *
catalog_word_text(void *context, int32_t word)
{
    const struct catalog *catalog = context;
    CHECK(word >= 0 && (uint32_t)word < catalog->word_count);
    return catalog->words[word];
}

size_t
catalog_rule_text(const struct catalog *catalog, const struct expr *expr,
                  const struct expr_node *node, char *out, size_t size)
{
    struct expr_schema schema = catalog->lookup->schema;
    schema.words = (void *)(uintptr_t)catalog;
    struct expr part = *expr;
    if (node != NULL) {
        part.nodes = node;
        part.node_count = node->size;
    }
    return expr_format(&part, &schema, catalog_word_text, out, size);
}

void
catalog_close(struct catalog *catalog)
{
    if (catalog != NULL) arena_close(catalog->arena);
}

const struct market_certificate *
catalog_certificate(const struct catalog *catalog, struct digest fingerprint)
{
    uint32_t least = 0, most = catalog->certificate_count;
    while (least < most) {
        uint32_t middle = least + (most - least) / 2;
        int order = memcmp(catalog->certificates[middle].fingerprint.bytes, fingerprint.bytes,
                           sizeof fingerprint.bytes);
        if (order == 0) return &catalog->certificates[middle];
        if (order < 0) least = middle + 1;
        else most = middle;
    }
    return NULL;
}

const struct catalog_contract *
catalog_contract_at(const struct catalog *catalog, uint32_t seat, usec at)
{
    CHECK(seat < catalog->seat_count);
    uint32_t first = catalog->lookup->contract_first[seat];
    for (uint32_t i = catalog->lookup->contract_first[seat + 1]; i > first; i--) {
        const struct catalog_contract *contract = &catalog->contracts[i - 1];
        if (contract->from.us <= at.us && (contract->until.us == 0 || at.us < contract->until.us))
            return contract;
    }
    return NULL;
}
