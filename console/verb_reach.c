// slotctl reach: what the contact sample holds, and how much of it a rule is true for.
//
// The rule is compiled as that of one more message of the newest market, so it may say what a
// message's rule may say, and its words have the numbers that the sampled values get. A sampled
// contact is reached when the rule is true in at least one slot of its container.
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "contact_json.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "node.h"
#include "publish.h"
#include "table.h"

#define PATH_BYTES 600

struct container_count {
    const char *code;
    uint64_t sampled, reached;
};
struct reach {
    struct arena *arena;
    struct market *market;
    struct catalog *catalog;
    const struct expr *rule;             // NULL: only counted
    struct container_count *containers;  // one each of the catalog
    uint64_t sampled, reached, elsewhere, unreadable;
    char first[32], last[32];  // hours
};

// --- The rule ------------------------------------------------------------------------------------

// A rule over what is never kept reaches nobody in the sample, whoever it reaches in the market.
static void
warn_of_transient(const struct reach *reach)
{
    for (uint32_t i = 0; i < reach->catalog->attribute_count; i++) {
        const struct catalog_attribute *attribute = &reach->catalog->attributes[i];
        bool asked = false;
        for (uint32_t j = 0; j < reach->rule->node_count; j++)
            asked |= reach->rule->nodes[j].kind >= EXPR_RANGE &&
                     reach->rule->nodes[j].attribute == i;
        if (asked && attribute->privacy == PRIVACY_TRANSIENT)
            fprintf(
                stderr,
                "slotctl reach: %s is transient: never kept, so unknown in every contact of the "
                "sample\n",
                attribute->is.name);
    }
}

static int
compile(struct reach *reach, const char *rule)
{
    static const char probe[] = "reach.rule";
    struct market market = *reach->market;
    struct expr_error error = {0};
    const uint8_t *bytes = NULL;
    size_t len = 0;
    if (rule != NULL) {
        if (market.message_count == 0)
            return verb_cannot("the market has no messages yet; slotctl apply declares them");
        struct market_message *messages = arena_take(reach->arena, market.message_count + 1u,
                                                     sizeof *messages);
        memcpy(messages, market.messages, market.message_count * sizeof *messages);
        struct market_message *one = &messages[market.message_count];
        *one = messages[0];
        one->code = probe;
        one->rule = rule;
        for (uint32_t i = 0; i < market.message_count; i++)
            if (messages[i].id >= one->id) one->id = messages[i].id + 1;
        market.messages = messages;
        market.message_count++;
    }
    const struct catalog_input input = {.market = &market, .version = 1};
    enum status status = catalog_encode(&input, reach->arena, &bytes, &len, &error);
    if (status == STATUS_INPUT && rule != NULL) {
        char caret[EXPR_CARET];
        expr_caret(rule, strlen(rule), &error, caret, sizeof caret);
        fprintf(stderr, "slotctl reach: %s\n%s\n", error.text, caret);
        return EXIT_USAGE;
    }
    if (status == STATUS_OK) status = catalog_decode(bytes, len, &reach->catalog, NULL);
    if (status != STATUS_OK)
        return verb_cannot("the market does not compile: %s",
                           error.text[0] != '\0' ? error.text : status_text(status));
    if (rule != NULL) {
        uint32_t message = catalog_message_by_code(reach->catalog, probe, sizeof probe - 1);
        CHECK(message != UINT32_MAX);
        reach->rule = &reach->catalog->messages[message].rule;
        warn_of_transient(reach);
    }
    reach->containers = arena_take(reach->arena, reach->catalog->container_count + 1u,
                                   sizeof *reach->containers);
    for (uint32_t i = 0; i < reach->catalog->container_count; i++)
        reach->containers[i].code = reach->catalog->containers[i].code;
    return EXIT_DONE;
}

// --- The sample ----------------------------------------------------------------------------------

typedef enum status word_parser(const char *text, size_t len, void *out);
static enum status
parse_identity(const char *text, size_t len, void *out)
{
    return identity_parse(text, len, out);
}
static enum status
parse_tier(const char *text, size_t len, void *out)
{
    return tier_parse(text, len, out);
}
static enum status
parse_loyalty(const char *text, size_t len, void *out)
{
    return loyalty_parse(text, len, out);
}
static enum status
parse_condition(const char *text, size_t len, void *out)
{
    return condition_parse(text, len, out);
}

static bool
take_word(const json_t *line, const char *key, word_parser *parse, uint8_t *out_value)
{
    unsigned value = 0;  // as wide as any of the enums
    const char *text = json_string_value(json_object_get(line, key));
    if (text == NULL || parse(text, strlen(text), &value) != STATUS_OK) return false;
    *out_value = (uint8_t)value;
    return true;
}

static bool
take_consent(const json_t *list, struct contact *contact)
{
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        enum consent consent = CONSENT_PROFILING;
        const char *text = json_string_value(item);
        if (text == NULL || consent_parse(text, strlen(text), &consent) != STATUS_OK) return false;
        contact->consent = (uint8_t)(contact->consent | 1u << consent);
    }
    return true;
}

static bool
is_reached(const struct reach *reach, const struct contact *contact)
{
    const struct catalog_container *at = &reach->catalog->containers[contact->container];
    for (uint32_t i = 0; i < at->slot_count; i++)
        if (expr_true_with(reach->rule, &contact->values,
                           &reach->catalog->slots[at->slot_first + i].values, NULL))
            return true;
    return false;
}

static void
take_line(struct reach *reach, const json_t *line)
{
    static struct contact contact;
    struct contact_json_fault fault;
    const char *container = json_string_value(json_object_get(line, "container"));
    contact.consent = 0;
    if (container == NULL || !take_word(line, "identity", parse_identity, &contact.identity) ||
        !take_word(line, "tier", parse_tier, &contact.tier) ||
        !take_word(line, "loyalty", parse_loyalty, &contact.loyalty) ||
        !take_word(line, "condition", parse_condition, &contact.condition) ||
        !take_consent(json_object_get(line, "consent"), &contact)) {
        reach->unreadable++;
        return;
    }
    reach->sampled++;
    contact.container = catalog_container_by_code(reach->catalog, container, strlen(container));
    if (contact.container == UINT32_MAX) {
        reach->elsewhere++;
        return;
    }
    struct container_count *count = &reach->containers[contact.container];
    count->sampled++;
    // A value that the market of today does not take any more is unknown to it.
    bool bound = contact_json_attributes(reach->catalog, json_object_get(line, "attr"), true,
                                         &contact, &fault);
    if (reach->rule == NULL || !bound || !is_reached(reach, &contact)) return;
    count->reached++;
    reach->reached++;
}

static void
take_file(struct reach *reach, const char *folder, const char *name)
{
    char path[PATH_BYTES + 300], *text = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;  // removed since it was listed: it was old
    while (getline(&text, &room, file) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        if (json_is_object(line)) take_line(reach, line);
        else reach->unreadable++;
        json_decref(line);
    }
    free(text);
    fclose(file);
    if (reach->first[0] == '\0') snprintf(reach->first, sizeof reach->first, "%.13s", name);
    snprintf(reach->last, sizeof reach->last, "%.13s", name);
}

static int
visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int
take_sample(struct reach *reach, const struct settings *settings)
{
    char folder[PATH_BYTES];
    struct dirent **files = NULL;
    snprintf(folder, sizeof folder, "%s/sample", settings->directory);
    int count = scandir(folder, &files, visible, alphasort);
    if (count < 0 && errno != ENOENT) return verb_cannot("%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        take_file(reach, folder, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    return EXIT_DONE;
}

// --- What is printed -----------------------------------------------------------------------------

static void
print_table(const struct reach *reach, enum table_format format)
{
    static const struct table_column columns[] = {
        {"container", "container", TABLE_LEFT, TABLE_TEXT},
        {"sampled", "sampled", TABLE_RIGHT, TABLE_NUMBER},
        {"reached", "reached", TABLE_RIGHT, TABLE_NUMBER},
        {"reached_ppm", "per million", TABLE_RIGHT, TABLE_NUMBER},
    };
    struct table *table = table_open(columns, reach->rule == NULL ? 2 : 4);
    for (uint32_t i = 0; i < reach->catalog->container_count; i++) {
        const struct container_count *count = &reach->containers[i];
        if (count->sampled == 0) continue;
        table_cell(table, count->code);
        table_cellf(table, "%" PRIu64, count->sampled);
        if (reach->rule == NULL) continue;
        table_cellf(table, "%" PRIu64, count->reached);
        table_cellf(table, "%" PRIu64, count->reached * 1000000 / count->sampled);
    }
    table_print(table, format, stdout);
    table_close(table);
}

static void
print_text(const struct reach *reach)
{
    if (reach->sampled == 0) {
        puts(reach->market->sample_ppm == 0
                 ? "no contacts are sampled; market.sample in the market file says how many are"
                 : "no contacts have been sampled yet; lines are written when their hour is over");
        return;
    }
    printf("contact sample from %s to %s (hours, UTC); %" PRIu64 " contacts", reach->first,
           reach->last, reach->sampled);
    if (reach->rule != NULL)
        printf(", %" PRIu64 " reached (%" PRIu64 " per million)", reach->reached,
               reach->reached * 1000000 / reach->sampled);
    printf("\n\n");
    print_table(reach, TABLE_AS_TEXT);
    if (reach->elsewhere > 0)
        printf("\n%" PRIu64 " of containers that the market does not have any more\n",
               reach->elsewhere);
    if (reach->unreadable > 0)
        printf("\n%" PRIu64 " lines cannot be read and do not count\n", reach->unreadable);
}

static int
count_sample(const struct settings *settings, struct db *db, const char *rule,
             enum table_format format)
{
    struct reach reach = {.arena = arena_open("reach")};
    enum status status = publish_load_market(db, 0, reach.arena, &reach.market);
    int code = EXIT_DONE;
    if (status == STATUS_NOT_FOUND)
        code = verb_cannot("no market was applied yet; slotctl apply FILE");
    else if (status != STATUS_OK) code = finance_refused(db, status, "reading the market");
    else code = compile(&reach, rule);
    if (code == EXIT_DONE) code = take_sample(&reach, settings);
    if (code == EXIT_DONE && format == TABLE_AS_TEXT) print_text(&reach);
    else if (code == EXIT_DONE) print_table(&reach, format);
    catalog_close(reach.catalog);
    arena_close(reach.arena);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *rule = NULL, *wanted = context->json ? "json" : "text";
    const struct verb_option options[] = {
        {"--rule", &rule, NULL}, {"--format", &wanted, NULL}, {0}};
    enum table_format format = TABLE_AS_TEXT;
    struct settings settings;
    int code = EXIT_DONE;
    argc = verb_options(&verb_reach, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 1) return verb_usage(&verb_reach, "'%s': a rule is given with --rule", argv[1]);
    if (!table_format_parse(wanted, &format))
        return verb_usage(&verb_reach, "there is no format '%s'; use text, csv or json", wanted);
    if (!node_settings(context, &settings, &code)) return code;
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    code = count_sample(&settings, db, rule, format);
    db_close(db);
    return code;
}

const struct verb verb_reach = {
    .name = "reach",
    .arguments = "[--rule \"RULE\"] [--format text|csv|json]",
    .summary = "how many contacts of the sample a rule would reach",
    .help =
        "The contact sample is a share of contacts (market.sample in the market file), kept for\n"
        "some days with their open and host attributes, without any customer key or contact\n"
        "id. Counts it by container; with --rule also those for which the rule is true in at\n"
        "least one slot, as if it were a message's. Words that no rule and no declaration\n"
        "mentioned when a contact was sampled were not kept: a rule that is the first to speak\n"
        "of such a word finds only later contacts.\n"
        "\n"
        "exit codes: 0 counted; 2 the rule is wrong, and where; 3 no database, or no market\n"
        "example: slotctl reach --rule \"region = 'north' and tenure_months >= 12\"\n",
    .run = run,
};
