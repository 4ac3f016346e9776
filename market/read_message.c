// Messages.
#include <string.h>

#include "read.h"

// `cap: 2 in 30d`, or `cap: {count: 2, days: 30}`.
static void
read_cap(struct reader *reader, const struct tree *node, struct market_message *message)
{
    static const char *const keys[] = {"count", "days", NULL};
    if (node == NULL) return;
    if (node->kind == TREE_MAP) {
        if (!field_map(reader, node, keys)) return;
        const struct tree *count = field_need(reader, node, "count", "how often at most, 1 to 12");
        const struct tree *days = field_need(reader, node, "days", "in how many days, 1 to 365");
        message->cap_count = (uint32_t)field_integer(reader, count, 1, BOUND_CAP_COUNT, 0);
        message->cap_days = (uint32_t)field_integer(reader, days, 1, 365, 0);
        return;
    }
    unsigned count = 0, days = 0;
    int used = 0;
    if (node->kind == TREE_SCALAR &&
        sscanf(node->text, "%2u in %3ud%n", &count, &days, &used) == 2 && used > 0 &&
        (size_t)used == node->len && count >= 1 && count <= BOUND_CAP_COUNT && days >= 1 &&
        days <= 365) {
        message->cap_count = count;
        message->cap_days = days;
        return;
    }
    report_error(reader->report, node->place, reader->object, "cap: '%.80s' is not a cap",
                 node->kind == TREE_SCALAR ? node->text : "list")
        ->mend = "write 2 in 30d: 1 to 12 times in 1 to 365 days";
}

static void
read_message(struct reader *reader, const struct tree *map, struct market_message *message)
{
    static const char *const keys[] = {
        "code", "name",       "seat",     "content", "format",   "category",
        "rung", "objectives", "rule",     "from",    "until",    "budget",
        "cap",  "values",     "campaign", "group",   "priority", "after_experience",
        NULL};
    if (!field_map(reader, map, keys)) return;
    message->name = field_text(reader, field_get(map, "name"), BOUND_TEXT, message->code);
    message->seat = field_code(reader, field_need(reader, map, "seat", "whose message it is"));
    message->content = field_text(reader, field_get(map, "content"), BOUND_TEXT, message->code);
    message->format = field_text(reader, field_get(map, "format"), BOUND_CODE, "");
    message->category = field_text(reader, field_get(map, "category"), BOUND_CODE, "");
    const struct tree *rung = field_need(reader, map, "rung", "1 to 8, or its name");
    int8_t one = rung != NULL ? word_rung_one(reader, rung) : -1;
    if (one >= 0) message->rung = (uint8_t)one;
    const struct tree *objectives = field_need(reader, map, "objectives",
                                               "what it pursues, as [upgrade, educate]");
    message->objectives = word_mask(reader, objectives, word_objective, OBJECTIVE_COUNT, false, 0);
    message->rule = read_rule(reader, map, "rule", &message->rule_place);
    message->from = field_time(reader, field_get(map, "from"));
    message->until = field_time(reader, field_get(map, "until"));
    read_budget(reader, map, message->place, &message->budget);
    const struct tree *campaign = field_get(map, "campaign");
    message->campaign = field_text(reader, campaign, BOUND_CODE, "");
    message->campaign_place = field_place(campaign, message->place);
    message->group = field_text(reader, field_get(map, "group"), BOUND_CODE, "");
    message->priority = (uint8_t)field_integer(reader, field_get(map, "priority"), 0,
                                               BOUND_PRIORITY, 0);
    message->after_experience = field_flag(reader, field_get(map, "after_experience"), false);
    read_cap(reader, field_get(map, "cap"), message);
    message->seat_place = field_place(field_get(map, "seat"), message->place);
    message->rung_place = field_place(rung, message->place);
    message->until_place = field_place(field_get(map, "until"), message->place);
    message->budget_place = field_place(field_get(map, "budget"), message->place);
    message->values = read_values(reader, map, &message->value_count);
}

void
read_message_all(struct reader *reader, const struct tree *root)
{
    struct market *market = reader->market;
    struct field_items items = field_items(reader, root, "messages", "message", BOUND_MESSAGES - 1);
    market->messages = arena_take(reader->arena, items.count + 1, sizeof *market->messages);
    market->message_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct market_message *message = &market->messages[i];
        reader->object = arena_printf(reader->arena, "message %s", items.codes[i]);
        *message = (struct market_message){.place = items.places[i],
                                           .id = read_id(reader, items.bodies[i]),
                                           .code = items.codes[i],
                                           .name = items.codes[i],
                                           .seat = "",
                                           .content = items.codes[i],
                                           .format = "",
                                           .category = "",
                                           .campaign = "",
                                           .group = "",
                                           .rung = RUNG_COUNT,
                                           .rule = ""};
        read_message(reader, items.bodies[i], message);
    }
}
