// Reads DIR/vendue.yaml with libyaml, as a stream of events: a map of keys to scalars, one level of
// sections ("listen: {host: ..., port: ...}"), each key known to the table below. Errors bear the
// file's line and column. Sizes take a unit: "64 MiB".
#include "settings.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "fail.h"

enum setting_kind { SETTING_TEXT, SETTING_READERS, SETTING_COUNT, SETTING_BYTES };

// A setting: where it is kept, and its range (of a text: its longest length).
struct setting {
    const char *key;
    enum setting_kind kind;
    size_t offset, size;
    uint64_t least, most;
    const char *mend;
};

#define FIELD(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)

static const struct setting settings_table[] = {
    {"listen.host", SETTING_TEXT, FIELD(listen_host), 1, 63, "an address such as 127.0.0.1"},
    {"listen.port", SETTING_COUNT, FIELD(listen_port), 1, 65535, "a port from 1 to 65535"},
    {"postgres", SETTING_TEXT, FIELD(postgres), 0, 511,
     "a libpq connection string, or empty for the private cluster"},
    {"journal.log", SETTING_COUNT, FIELD(log), 1, UINT32_MAX, "a log number from 1"},
    {"journal.epoch", SETTING_COUNT, FIELD(epoch), 1, UINT32_MAX, "an epoch from 1"},
    {"journal.segment", SETTING_BYTES, FIELD(segment_bytes), 1 << 20, 1 << 30,
     "a size from 1 MiB to 1 GiB"},
    // A retry is answered from there: more than can wait at once (4096 contacts of 13 facts).
    {"book.contacts", SETTING_COUNT, FIELD(book.contacts), 16384, 1 << 26,
     "a count from 16384 to 67108864"},
    {"book.placements", SETTING_COUNT, FIELD(book.placements), 1024, 1 << 26,
     "a count from 1024 to 67108864"},
    {"book.retries", SETTING_COUNT, FIELD(book.retries), 16384, 1 << 26,
     "a count from 16384 to 67108864"},
    {"book.customers", SETTING_COUNT, FIELD(book.customers), 1024, 1 << 26,
     "a count from 1024 to 67108864"},
    {"book.rates", SETTING_COUNT, FIELD(book.rates), 1024, 1 << 24,
     "a count from 1024 to 16777216"},
    {"book.orders", SETTING_COUNT, FIELD(book.orders), 1024, 1 << 26,
     "a count from 1024 to 67108864"},
    {"book.overlay", SETTING_COUNT, FIELD(book.overlay), 64, 1 << 20, "a count from 64 to 1048576"},
    {"sessions.connections", SETTING_COUNT, FIELD(connections), 1, 100000,
     "a count from 1 to 100000"},
    {"sessions.in_flight", SETTING_COUNT, FIELD(seat_in_flight), 1, 4096, "a count from 1 to 4096"},
    {"live.tmax", SETTING_COUNT, FIELD(live.tmax_ms), 4, 5000, "milliseconds from 4 to 5000"},
    {"live.own", SETTING_COUNT, FIELD(live.own_ms), 1, 1000, "milliseconds from 1 to 1000"},
    {"live.waiting", SETTING_COUNT, FIELD(live.waiting), 1, 1024, "a count from 1 to 1024"},
    {"live.in_flight", SETTING_COUNT, FIELD(live.in_flight), 1, 4096, "a count from 1 to 4096"},
    {"explain.days", SETTING_COUNT, FIELD(explain_days), 0, 366, "a number of days from 0 to 366"},
    {"close.readers", SETTING_READERS, FIELD(readers), 0, 63,
     "a list of hledger, ledger, beancount and sqlite, such as: hledger, sqlite"},
};

// Settings of versions before.
static const struct {
    const char *key, *mend;
} settings_gone[] = {
    {"book.caps",
     "this setting is gone; use book.customers, how many customers' histories are kept "
     "for caps and quiet periods, 64 bytes each"},
};

struct reader {
    struct settings *settings;
    struct settings_error *error;
    const char *path;
    uint32_t seen;  // settings met, by their place in the table
};

static enum status __attribute__((format(printf, 3, 4)))
complain(struct reader *reader, yaml_mark_t at, const char *format, ...)
{
    char what[320];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(reader->error->text, sizeof reader->error->text, "%.120s:%zu:%zu: %s", reader->path,
             at.line + 1, at.column + 1, what);
    return STATUS_INPUT;
}

// "64 MiB", "1048576": a whole number, for sizes with an optional unit.
static bool
parse_count(const char *text, enum setting_kind kind, uint64_t *out_value)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    if (text[0] < '0' || text[0] > '9') return false;
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0) return false;
    while (kind == SETTING_BYTES && *end == ' ') end++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0 || (kind == SETTING_COUNT && i > 0)) continue;
        if (value > UINT64_MAX >> units[i].shift) return false;
        *out_value = value << units[i].shift;
        return true;
    }
    return false;
}

// Words of a list, each known, with commas between; "": none.
static bool
are_readers(const char *text)
{
    static const char *const known[] = {"hledger", "ledger", "beancount", "sqlite"};
    if (text[0] == '\0') return true;
    for (const char *at = text;; at++) {
        at += strspn(at, " ");
        size_t len = strcspn(at, ", ");
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found |= strlen(known[i]) == len && memcmp(known[i], at, len) == 0;
        if (!found) return false;
        at += len;
        at += strspn(at, " ");
        if (*at == '\0') return true;
        if (*at != ',') return false;
    }
}

static void
store_count(void *at, size_t size, uint64_t value)
{
    uint16_t small = (uint16_t)value;
    uint32_t middle = (uint32_t)value;
    if (size == sizeof small) memcpy(at, &small, size);
    else if (size == sizeof middle) memcpy(at, &middle, size);
    else memcpy(at, &value, size);
}

_Static_assert(sizeof settings_table / sizeof *settings_table <= 32, "one bit each in `seen`");

static enum status
take_setting(struct reader *reader, const char *key, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    for (size_t i = 0; i < sizeof settings_table / sizeof *settings_table; i++) {
        const struct setting *setting = &settings_table[i];
        if (strcmp(setting->key, key) != 0) continue;
        if (reader->seen & 1u << i)
            return complain(reader, event->start_mark, "%s: stands here for the second time", key);
        reader->seen |= 1u << i;
        char *at = (char *)reader->settings + setting->offset;
        if (setting->kind == SETTING_TEXT || setting->kind == SETTING_READERS) {
            if (len < setting->least || len > setting->most || strlen(text) != len ||
                (setting->kind == SETTING_READERS && !are_readers(text)))
                return complain(reader, event->start_mark, "%s: use %s", key, setting->mend);
            memset(at, 0, setting->size);
            memcpy(at, text, len);
            return STATUS_OK;
        }
        uint64_t value = 0;
        if (!parse_count(text, setting->kind, &value) || value < setting->least ||
            value > setting->most)
            return complain(reader, event->start_mark, "%s: '%.60s' is not %s", key, text,
                            setting->mend);
        if (setting->kind == SETTING_BYTES && value % (1 << 20) != 0)
            return complain(reader, event->start_mark, "%s: use whole MiB", key);
        store_count(at, setting->size, value);
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof settings_gone / sizeof *settings_gone; i++) {
        if (strcmp(settings_gone[i].key, key) == 0)
            return complain(reader, event->start_mark, "%s: %s", key, settings_gone[i].mend);
    }
    return complain(reader, event->start_mark,
                    "%s: there is no such setting; remove it or correct its name", key);
}

// State of the walk: the section entered and the key whose value comes next; "" none.
struct walk {
    char section[64], key[64];
    unsigned depth;
};

static enum status
take_scalar(struct reader *reader, struct walk *walk, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (walk->depth == 0) {
        bool empty = event->data.scalar.length == 0;
        return empty ? STATUS_OK
                     : complain(reader, event->start_mark, "expected 'key: value' lines");
    }
    if (walk->key[0] == '\0') {
        if (event->data.scalar.length == 0 || event->data.scalar.length >= sizeof walk->key)
            return complain(reader, event->start_mark, "'%.60s' is no setting's name", text);
        snprintf(walk->key, sizeof walk->key, "%s", text);
        return STATUS_OK;
    }
    char name[130];
    snprintf(name, sizeof name, "%s%s%s", walk->section, walk->section[0] != '\0' ? "." : "",
             walk->key);
    walk->key[0] = '\0';
    return take_setting(reader, name, event);
}

static enum status
take_event(struct reader *reader, struct walk *walk, const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT) return take_scalar(reader, walk, event);
    if (event->type == YAML_MAPPING_START_EVENT) {
        if (walk->depth == 2 || (walk->depth == 1 && walk->key[0] == '\0'))
            return complain(reader, event->start_mark, "sections do not nest");
        memcpy(walk->section, walk->key, sizeof walk->section);
        walk->key[0] = '\0';
        walk->depth++;
    } else if (event->type == YAML_MAPPING_END_EVENT) {
        walk->depth--;
        walk->section[0] = '\0';
    } else if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_ALIAS_EVENT) {
        return complain(reader, event->start_mark, "expected a single value");
    }
    return STATUS_OK;
}

static enum status
read_file(struct reader *reader, FILE *file)
{
    yaml_parser_t parser;
    CHECK(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_file(&parser, file);
    struct walk walk = {.depth = 0};
    enum status status = STATUS_OK;
    bool more = true;
    while (more && status == STATUS_OK) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) != 1) {
            status = complain(reader, parser.problem_mark, "%s", parser.problem);
            break;
        }
        status = take_event(reader, &walk, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

enum status
settings_read(const char *directory, struct settings *out_settings,
              struct settings_error *out_error)
{
    char absolute[PATH_MAX], path[PATH_MAX + 16];
    if (realpath(directory, absolute) == NULL ||
        strlen(absolute) >= sizeof out_settings->directory) {
        snprintf(out_error->text, sizeof out_error->text,
                 "%.300s: no such directory; make a market with: slotctl init DIR", directory);
        return STATUS_NOT_FOUND;
    }
    snprintf(path, sizeof path, "%s/vendue.yaml", absolute);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(out_error->text, sizeof out_error->text,
                 "%.300s: not a market directory (%s); make one with: slotctl init DIR", directory,
                 strerror(errno));
        return STATUS_NOT_FOUND;
    }
    *out_settings = (struct settings){
        .listen_host = "127.0.0.1",
        .listen_port = 7443,
        .log = 1,
        .epoch = 1,
        .segment_bytes = 64 << 20,
        .book = {.contacts = 1 << 18,
                 .retries = 1 << 22,
                 .placements = 1 << 18,
                 .customers = 1 << 20,
                 .rates = 1 << 16,
                 .orders = 1 << 16,
                 .overlay = 4096},
        .connections = 10000,
        .seat_in_flight = 64,
        .live = {.tmax_ms = 50, .own_ms = 4, .waiting = 256, .in_flight = 64},
        .explain_days = 7,
    };
    memcpy(out_settings->directory, absolute, strlen(absolute) + 1);  // checked to fit above
    struct reader reader = {out_settings, out_error, "vendue.yaml", 0};
    enum status status = read_file(&reader, file);
    fclose(file);
    return status;
}
