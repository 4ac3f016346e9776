// The seat's side of a reconciliation: its file of notices, CSV with a heading line or JSON lines.
//
//  1 A row that cannot be read is named with its line and passed over; the others count.
//  2 Columns are found by name, whatever their order; those with other names are ignored. So the
//    file that reconcile_write makes can be read, too.
//  3 Notices without money (loss, late, dropped, error) are passed over.
//  4 Values are separated by commas, or by semicolons when the heading has more of these; then an
//    amount may have a decimal comma.
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "reconcile_inside.h"

#define COLUMNS 64            // columns of a file that are looked at
#define LINE_BYTES (1 << 20)  // longer ones are bad rows
#define BAD_ROWS 1000         // kept; beyond, they are counted

enum field {
    FIELD_EVENT,
    FIELD_PLACEMENT,
    FIELD_MICROS,
    FIELD_AMOUNT,
    FIELD_CURRENCY,
    FIELD_AT_US,
    FIELD_AT,
    FIELD_REFERENCE,
    FIELD_COUNT
};
static const struct {
    const char *name;
    enum field field;
} names[] = {
    {"event", FIELD_EVENT},         {"placement", FIELD_PLACEMENT}, {"amount_micros", FIELD_MICROS},
    {"price_micros", FIELD_MICROS}, {"amount", FIELD_AMOUNT},       {"currency", FIELD_CURRENCY},
    {"cur", FIELD_CURRENCY},        {"at_us", FIELD_AT_US},         {"at", FIELD_AT},
    {"reference", FIELD_REFERENCE}, {"order", FIELD_REFERENCE},     {"refund", FIELD_REFERENCE},
};

struct reading {
    struct arena *arena;
    struct reconcile_row *rows;
    size_t count, room, bad_room;
    struct reconcile_report *report;
    int line;
    int columns[COLUMNS];  // enum field; -1 ignored
    size_t column_count;
    char separator;
};

static void
bad(struct reading *reading, const char *text)
{
    struct reconcile_report *report = reading->report;
    if (report->bad_count < BAD_ROWS) {
        if (report->bad == NULL)
            report->bad = arena_take(reading->arena, BAD_ROWS, sizeof *report->bad);
        report->bad[report->bad_count] = (struct reconcile_bad){
            reading->line, arena_text(reading->arena, text, strlen(text))};
    }
    report->bad_count++;
}

static int
field_of(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0) return (int)names[i].field;
    return -1;
}

// --- One row -------------------------------------------------------------------------------------

// 32 hex digits, dashes allowed between.
static bool
read_id(const char *text, struct id *out)
{
    size_t digits = 0;
    memset(out, 0, sizeof *out);
    for (; *text != '\0'; text++) {
        if (*text == '-') continue;
        int digit = *text >= '0' && *text <= '9' ? *text - '0'
                    : tolower((unsigned char)*text) >= 'a' && tolower((unsigned char)*text) <= 'f'
                        ? tolower((unsigned char)*text) - 'a' + 10
                        : -1;
        if (digit < 0 || digits == 32) return false;
        out->bytes[digits / 2] = (uint8_t)(out->bytes[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 32;
}

// An integer, with a sign if need be; of money within the range of amounts.
static bool
read_integer(const char *text, int64_t most, int64_t *out)
{
    char *end = NULL;
    bool digits = *text == '-' ? isdigit((unsigned char)text[1]) : isdigit((unsigned char)*text);
    if (!digits || strlen(text) > 19) return false;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && *out <= most && *out >= -most;
}

// NULL: it is right; else what is wrong.
static const char *
read_fields(struct reading *reading, char *values[FIELD_COUNT], struct reconcile_row *row)
{
    const char *micros = values[FIELD_MICROS], *amount = values[FIELD_AMOUNT];
    const char *currency = values[FIELD_CURRENCY], *reference = values[FIELD_REFERENCE];
    if (micros != NULL && *micros != '\0') {
        if (!read_integer(micros, BOUND_MICROS, &row->amount.micros))
            return "the amount is not a number of micros";
        row->has_amount = true;
    } else if (amount != NULL && *amount != '\0') {
        if (money_parse(amount, strlen(amount), &row->amount) != STATUS_OK)
            return "the amount is not a decimal number with at most six decimals";
        row->has_amount = true;
    }
    if (currency != NULL && *currency != '\0' &&
        currency_parse(currency, strlen(currency), &row->currency) != STATUS_OK)
        return "the currency is not three capital letters";
    if (values[FIELD_AT_US] != NULL && *values[FIELD_AT_US] != '\0') {
        if (!read_integer(values[FIELD_AT_US], INT64_MAX, &row->at.us))
            return "at_us is not a number of microseconds";
    } else if (values[FIELD_AT] != NULL && *values[FIELD_AT] != '\0' &&
               clock_parse(values[FIELD_AT], strlen(values[FIELD_AT]), &row->at) != STATUS_OK) {
        return "the time is not like 2026-11-22T15:04:05Z";
    }
    row->reference = reference == NULL ? ""
                                       : arena_text(reading->arena, reference, strlen(reference));
    return NULL;
}

static const char *
read_row(struct reading *reading, char *values[FIELD_COUNT], struct reconcile_row *row)
{
    static const char *const silent[] = {"loss",      "dropped",   "error",     "late",
                                         "delivered", "ended",     "entry",     "accepted",
                                         "declined",  "cancelled", "complained"};
    const char *event = values[FIELD_EVENT], *placement = values[FIELD_PLACEMENT];
    if (event == NULL || *event == '\0') return "it has no event";
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (strcmp(silent[i], event) == 0) return "";
    if (!reconcile_event_parse(event, &row->event))
        return "its event is none of win, billing, commission, released, converted, refunded";
    const char *wrong = read_fields(reading, values, row);
    if (wrong != NULL) return wrong;
    bool named = placement != NULL && *placement != '\0';
    if (named && !read_id(placement, &row->placement)) return "the placement is not 32 hex digits";
    bool order = row->event == RECONCILE_CONVERTED || row->event == RECONCILE_REFUNDED;
    if (!named && !(order && row->reference[0] != '\0')) return "it names no placement";
    if (row->event == RECONCILE_BILLING && !row->has_amount) return "it has no amount";
    return NULL;
}

static void
take_row(struct reading *reading, char *values[FIELD_COUNT])
{
    struct reconcile_row row = {.line = reading->line,
                                .reference = "",
                                .state = "",
                                .period = "",
                                .slot = "",
                                .message = "",
                                .kind = ""};
    const char *wrong = read_row(reading, values, &row);
    if (wrong != NULL && *wrong != '\0') bad(reading, wrong);
    if (wrong != NULL) return;
    if (reading->count == reading->room) {
        size_t room = reading->room == 0 ? 256 : 2 * reading->room;
        struct reconcile_row *longer = arena_take(reading->arena, room, sizeof *longer);
        for (size_t i = 0; i < reading->count; i++) longer[i] = reading->rows[i];
        reading->rows = longer;
        reading->room = room;
    }
    reading->rows[reading->count++] = row;
}

// --- CSV and JSON --------------------------------------------------------------------------------

// Takes one value off a line of CSV, in place; NULL: a quote that does not end, or text behind it.
static char *
next_value(char separator, char **at, bool *out_more)
{
    char *from = *at, *in = *at, *out = *at;
    if (*in == '"') {
        for (in++; *in != '\0'; *out++ = *in++) {
            if (*in != '"') continue;
            if (in[1] != '"') break;
            in++;
        }
        if (*in != '"') return NULL;
        in++;
        if (*in != separator && *in != '\0') return NULL;
    } else {
        while (*in != '\0' && *in != separator) *out++ = *in++;
    }
    *out_more = *in == separator;
    *at = *out_more ? in + 1 : in;
    *out = '\0';
    return from;
}

static char
separator_of(const char *heading)
{
    size_t commas = 0, semicolons = 0;
    for (; *heading != '\0'; heading++) {
        if (*heading == ',') commas++;
        if (*heading == ';') semicolons++;
    }
    return semicolons > commas ? ';' : ',';
}

static void
read_csv(struct reading *reading, char *line, bool heading)
{
    char *values[FIELD_COUNT] = {NULL};
    bool more = true;
    if (heading) reading->separator = separator_of(line);
    for (size_t i = 0; more; i++) {
        char *value = next_value(reading->separator, &line, &more);
        if (value == NULL) {
            bad(reading, "a quote does not end");
            return;
        }
        if (heading) {
            if (i < COLUMNS) reading->columns[i] = field_of(value);
            if (i < COLUMNS) reading->column_count = i + 1;
        } else if (i < reading->column_count && reading->columns[i] >= 0) {
            char **to = &values[reading->columns[i]];
            if (*to == NULL || **to == '\0') *to = value;
        }
    }
    char *amount = values[FIELD_AMOUNT];
    char *comma = amount != NULL && reading->separator == ';' ? strchr(amount, ',') : NULL;
    if (comma != NULL && strchr(amount, '.') == NULL) *comma = '.';
    if (!heading) take_row(reading, values);
}

static void
read_json(struct reading *reading, const char *line)
{
    char *values[FIELD_COUNT] = {NULL};
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        bad(reading, "it is not a JSON object");
        json_decref(object);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        int field = field_of(key);
        if (field < 0 || (values[field] != NULL && *values[field] != '\0')) continue;
        if (json_is_string(value))
            values[field] = arena_text(reading->arena, json_string_value(value),
                                       json_string_length(value));
        else if (json_is_integer(value))
            values[field] = arena_printf(reading->arena, "%lld",
                                         (long long)json_integer_value(value));
        else if (!json_is_null(value)) values[field] = arena_printf(reading->arena, "?");
    }
    take_row(reading, values);
    json_decref(object);
}

enum status
reconcile_theirs(FILE *in, struct arena *arena, struct reconcile_row **out_rows, size_t *out_count,
                 struct reconcile_report *report)
{
    struct reading reading = {.arena = arena, .report = report};
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    bool json = false, heading = true;
    while ((len = getline(&line, &room, in)) >= 0) {
        reading.line++;
        size_t used = (size_t)len;
        while (used > 0 && (line[used - 1] == '\n' || line[used - 1] == '\r')) line[--used] = '\0';
        char *at = line;
        if (reading.line == 1 && strncmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
        if (*at == '\0') continue;
        if (strlen(at) + (size_t)(at - line) != used || used > LINE_BYTES) {
            bad(&reading, "it is too long, or holds a zero byte");
            continue;
        }
        if (heading) json = *at == '{';
        if (json) read_json(&reading, at);
        else read_csv(&reading, at, heading);
        heading = false;
    }
    free(line);
    *out_rows = reading.rows;
    *out_count = reading.count;
    if (ferror(in)) return STATUS_IO;
    return reading.count == 0 && report->bad_count > 0 ? STATUS_INPUT : STATUS_OK;
}
