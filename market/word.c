// Words of the domain and sets of them.
#include "word.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define WORDS_MOST 16

static const char *
words_mend(struct reader *reader, const char *word, const char *(*name)(int), int count)
{
    const char *words[WORDS_MOST] = {NULL};
    CHECK(count <= WORDS_MOST);
    for (int i = 0; i < count; i++) words[i] = name(i);
    const char *nearest = report_nearest(word, words, (size_t)count);
    if (nearest != NULL) return arena_printf(reader->arena, "did you mean '%s'?", nearest);
    char known[512] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                 words[i]);
    return arena_printf(reader->arena, "use %s", known);
}

static int
word_number(const char *text, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(text, name(i)) == 0) return i;
    return -1;
}

static void
not_a_word(struct reader *reader, const struct tree *node, const char *key,
           const char *(*name)(int), int count)
{
    const char *text = node->kind == TREE_SCALAR ? node->text : "";
    report_error(reader->report, node->place, reader->object, "%s: '%.80s' is not one of its words",
                 key, text)
        ->mend = words_mend(reader, text, name, count);
}

int
word_one(struct reader *reader, const struct tree *node, const char *(*name)(int), int count,
         int fallback)
{
    if (node == NULL) return fallback;
    int number = node->kind == TREE_SCALAR ? word_number(node->text, name, count) : -1;
    if (number >= 0) return number;
    not_a_word(reader, node, node->key != NULL ? node->key->text : "value", name, count);
    return fallback;
}

static void
not_in_set(struct reader *reader, const struct tree *node, const char *key,
           const char *(*name)(int), int count, bool numbers)
{
    if (!numbers || node->kind != TREE_SCALAR || node->text[0] < '0' || node->text[0] > '9') {
        not_a_word(reader, node, key, name, count);
        return;
    }
    report_error(reader->report, node->place, reader->object, "%s: '%.80s' is out of range", key,
                 node->text)
        ->mend = arena_printf(reader->arena, "use 1 to %d, a span as 1-%d, or a name", count,
                              count);
}

// "3", "1-5": numbers from 1. Adds them to the mask.
static bool
take_numbers(const char *text, int count, uint32_t *mask)
{
    char *end = NULL;
    if (text[0] < '1' || text[0] > '9') return false;
    long first = strtol(text, &end, 10), last = first;
    if (*end == '-' && end[1] >= '1' && end[1] <= '9') last = strtol(end + 1, &end, 10);
    if (*end != '\0' || first > last || last > count) return false;
    for (long i = first; i <= last; i++) *mask |= 1u << (i - 1);
    return true;
}

uint16_t
word_mask(struct reader *reader, const struct tree *node, const char *(*name)(int), int count,
          bool numbers, uint16_t fallback)
{
    if (node == NULL) return fallback;
    const char *key = node->key != NULL ? node->key->text : "value";
    uint32_t mask = 0;
    if (node->kind == TREE_MAP) {
        not_a_word(reader, node, key, name, count);
        return fallback;
    }
    const struct tree *item = node->kind == TREE_LIST ? node->first : node;
    for (; item != NULL; item = node->kind == TREE_LIST ? item->next : NULL) {
        int number = item->kind == TREE_SCALAR ? word_number(item->text, name, count) : -1;
        if (number >= 0) mask |= 1u << number;
        else if (item->kind == TREE_SCALAR && strcmp(item->text, "all") == 0)
            mask |= (1u << count) - 1;
        else if (!numbers || item->kind != TREE_SCALAR || !take_numbers(item->text, count, &mask))
            not_in_set(reader, item, key, name, count, numbers);
    }
    if (node->kind == TREE_LIST && node->count == 0)
        report_error(reader->report, node->place, reader->object,
                     "%s: an empty list admits nothing", key)
            ->mend = "name at least one, or leave the key out";
    return mask != 0 ? (uint16_t)mask : fallback;
}

int8_t
word_rung_one(struct reader *reader, const struct tree *node)
{
    uint32_t before = reader->report->errors;
    uint16_t mask = word_mask(reader, node, word_rung, RUNG_COUNT, true, 0);
    if (mask != 0 && (mask & (mask - 1)) == 0) return (int8_t)__builtin_ctz(mask);
    if (reader->report->errors == before)
        report_error(reader->report, node->place, reader->object, "rung: more than one rung")
            ->mend = "a single one stands here, 1 to 8";
    return -1;
}

const char **
word_texts(struct reader *reader, const struct tree *node, size_t most, uint32_t *out_count)
{
    *out_count = 0;
    if (node == NULL) return NULL;
    if (node->kind == TREE_MAP) {
        report_error(reader->report, node->place, reader->object,
                     "%s: a map stands here instead of a list",
                     node->key != NULL ? node->key->text : "value")
            ->mend = "write [one, two]";
        return NULL;
    }
    const char **texts = arena_take(reader->arena, node->kind == TREE_LIST ? node->count + 1 : 1,
                                    sizeof *texts);
    const struct tree *item = node->kind == TREE_LIST ? node->first : node;
    for (; item != NULL; item = node->kind == TREE_LIST ? item->next : NULL) {
        const char *text = field_text(reader, item, most, NULL);
        if (text == NULL) continue;
        bool again = false;
        for (uint32_t i = 0; i < *out_count && !again; i++) again = strcmp(texts[i], text) == 0;
        if (again)
            report_error(reader->report, item->place, reader->object,
                         "'%.80s' stands twice in this list", text)
                ->mend = "keep one of them";
        else texts[(*out_count)++] = text;
    }
    return texts;
}

const char *
word_channel(int value)
{
    return channel_name((enum channel)value);
}
const char *
word_stage(int value)
{
    return stage_name((enum stage)value);
}
const char *
word_pricing(int value)
{
    return market_pricing_name((enum pricing)value);
}
const char *
word_objective(int value)
{
    return objective_name((enum objective)value);
}
const char *
word_rung(int value)
{
    return rung_name((enum rung)value);
}
const char *
word_consent(int value)
{
    return consent_name((enum consent)value);
}
const char *
word_privacy(int value)
{
    return privacy_name((enum privacy)value);
}
const char *
word_seat_kind(int value)
{
    return seat_kind_name((enum seat_kind)value);
}
const char *
word_charge(int value)
{
    return market_charge_name((enum charge)value);
}
const char *
word_billing(int value)
{
    return market_billing_name((enum billing)value);
}
const char *
word_transfer_price(int value)
{
    return market_transfer_price_name((enum transfer_price)value);
}
const char *
word_merchant(int value)
{
    return market_merchant_name((enum merchant)value);
}
const char *
word_rounding(int value)
{
    return market_rounding_name((enum rounding)value);
}
const char *
word_clawback(int value)
{
    return market_clawback_name((enum clawback)value);
}
const char *
word_attribution(int value)
{
    return market_attribution_name((enum attribution)value);
}
const char *
word_attribute_type(int value)
{
    return market_attribute_type_name((enum attribute_type)value);
}
const char *
word_attribute_of(int value)
{
    return market_attribute_of_name((enum attribute_of)value);
}
const char *
word_tier(int value)
{
    return tier_name((enum tier)value);
}
const char *
word_pacing(int value)
{
    return market_pacing_name((enum pacing)value);
}
const char *
word_cap_per(int value)
{
    return market_cap_per_name((enum cap_per)value);
}
const char *
word_deal_at(int value)
{
    return market_deal_at_name((enum deal_at)value);
}
const char *
word_disclosure(int value)
{
    return market_disclosure_name((enum disclosure)value);
}
