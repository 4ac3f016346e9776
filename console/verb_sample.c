// slotctl sample: any number of contacts, bids and events in the proportions of a sample.
//
// The sample itself is the pattern. Contact i is a copy of one of the sample's contacts: the whole
// sample is dealt again and again, each deal shuffled, so that any number of whole deals has
// exactly its proportions. A copy gets an id and a customer of its own (one customer of the sample
// becomes one new customer a deal, so that repeated contacts stay repeated), and whole-number
// attributes lower by up to a tenth. Its events follow with the contact's new id; order and
// refund references get the deal's number. Bids beyond the sample's own are copies with a price of
// 0.50 to 1.50 times the pattern's.
//
// Deterministic: same sample, numbers and seed, same bytes. The generator is splitmix64 over
// hash_mix.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bounds.h"
#include "fail.h"
#include "hash.h"
#include "lines.h"
#include "money.h"
#include "verb.h"

#define COUNT_MOST 100000000

struct sample {
    const char *from, *out;
    uint64_t contacts, bids, state;
    json_t *contact_lines, *bid_lines, *event_lines;
    json_t *events_of;  // contact id -> array of its events
};

static uint64_t
draw(struct sample *sample)
{
    sample->state += 0x9e3779b97f4a7c15u;
    return hash_mix(sample->state);
}

// 0 to below - 1. The product's high half: no modulo, bias below 2^-32.
static uint64_t
draw_below(struct sample *sample, uint64_t below)
{
    return (uint64_t)(((unsigned __int128)draw(sample) * below) >> 64);
}

static FILE *
open_file(const struct sample *sample, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", sample->out, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) verb_cannot("%s: %s", path, strerror(errno));
    return file;
}

static bool
close_file(FILE *file, const char *name)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed) return true;
    verb_cannot("%s: %s", name, strerror(errno));
    return false;
}

static void
put_line(FILE *file, json_t *object)
{
    json_object_del(object, "line");
    char *text = json_dumps(object, 0);
    CHECK(text != NULL);
    fprintf(file, "%s\n", text);
    free(text);
}

static void
set(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

// --- Contacts and their events ---

// Up to a tenth lower, so that no declared range is left upwards; numbers below 10 stay.
static void
vary(struct sample *sample, json_t *attributes)
{
    const char *key;
    json_t *value;
    json_object_foreach(attributes, key, value)
    {
        if (!json_is_integer(value) || json_integer_value(value) < 10) continue;
        json_int_t number = json_integer_value(value);
        number -= (json_int_t)draw_below(sample, (uint64_t)(number / 10 + 1));
        json_integer_set(value, number);
    }
}

static void
put_events(const struct sample *sample, FILE *file, const json_t *contact, const char *id,
           uint64_t deal)
{
    static const char *const references[] = {"order", "refund"};
    json_t *events = json_object_get(sample->events_of, text_of(contact, "id")), *event;
    size_t i;
    json_array_foreach(events, i, event)
    {
        json_t *copy = json_deep_copy(event);
        set(copy, "contact", json_string(id));
        for (size_t j = 0; j < sizeof references / sizeof *references; j++)
            if (json_object_get(copy, references[j]) != NULL)
                set(copy, references[j],
                    json_sprintf("%s-%" PRIu64, text_of(copy, references[j]), deal));
        put_line(file, copy);
        json_decref(copy);
    }
}

static void
put_contact(struct sample *sample, FILE *contacts, FILE *events, const json_t *pattern,
            uint64_t number, uint64_t deal)
{
    char id[64];
    json_t *copy = json_deep_copy(pattern), *user = json_object_get(copy, "user");
    snprintf(id, sizeof id, "%s-%08" PRIu64, text_of(pattern, "container"), number);
    if (strlen(id) > BOUND_KEY) snprintf(id, sizeof id, "contact-%08" PRIu64, number);
    set(copy, "id", json_string(id));
    if (json_object_get(user, "id") != NULL)
        set(user, "id", json_sprintf("%s-%" PRIu64, text_of(user, "id"), deal));
    vary(sample, json_object_get(copy, "attr"));
    put_line(contacts, copy);
    json_decref(copy);
    put_events(sample, events, pattern, id, deal);
}

static void
shuffle(struct sample *sample, size_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)draw_below(sample, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static bool
put_contacts(struct sample *sample)
{
    size_t patterns = json_array_size(sample->contact_lines);
    FILE *contacts = open_file(sample, "contacts.jsonl");
    FILE *events = contacts != NULL ? open_file(sample, "events.jsonl") : NULL;
    if (events == NULL) {
        if (contacts != NULL) fclose(contacts);
        return false;
    }
    size_t *order = calloc(patterns, sizeof *order);
    CHECK(order != NULL);
    for (size_t i = 0; i < patterns; i++) order[i] = i;
    for (uint64_t i = 0; i < sample->contacts; i++) {
        if (i % patterns == 0) shuffle(sample, order, patterns);
        put_contact(sample, contacts, events,
                    json_array_get(sample->contact_lines, order[i % patterns]), i + 1,
                    i / patterns + 1);
    }
    free(order);
    bool done = close_file(contacts, "contacts.jsonl");
    return close_file(events, "events.jsonl") && done;
}

// --- Bids ---

static void
put_bid(struct sample *sample, FILE *file, const json_t *pattern, uint64_t number)
{
    json_t *copy = json_deep_copy(pattern);
    money price = money_of(json_integer_value(json_object_get(pattern, "price_micros")));
    uint64_t ppm = 500000 + draw_below(sample, 1000001);
    if (money_share(price, ppm, &price) != STATUS_OK || price.micros < 1) price = money_of(1);
    set(copy, "id", json_sprintf("g-%08" PRIu64, number));
    set(copy, "price_micros", json_integer(price.micros));
    put_line(file, copy);
    json_decref(copy);
}

static bool
put_bids(struct sample *sample)
{
    size_t patterns = json_array_size(sample->bid_lines);
    FILE *file = open_file(sample, "bids.jsonl");
    if (file == NULL) return false;
    for (uint64_t i = 0; i < sample->bids; i++) {
        json_t *pattern = json_array_get(sample->bid_lines, i % patterns);
        if (i < patterns) put_line(file, pattern);
        else put_bid(sample, file, pattern, i + 1);
    }
    return close_file(file, "bids.jsonl");
}

// --- The pattern ---

static bool
read_lines(const struct sample *sample, const char *name, json_t **out_lines)
{
    char path[1024];
    struct lines_fault fault;
    snprintf(path, sizeof path, "%s/%s", sample->from, name);
    if (lines_read(path, out_lines, &fault) == STATUS_OK) {
        if (json_array_size(*out_lines) > 0) return true;
        snprintf(fault.text, sizeof fault.text, "%.600s: no lines to follow", path);
    }
    fprintf(stderr, "%s\n", fault.text);
    return false;
}

static bool
read_pattern(struct sample *sample)
{
    json_t *event;
    size_t i;
    if (!read_lines(sample, "contacts.jsonl", &sample->contact_lines) ||
        !read_lines(sample, "bids.jsonl", &sample->bid_lines) ||
        !read_lines(sample, "events.jsonl", &sample->event_lines))
        return false;
    sample->events_of = json_object();
    json_array_foreach(sample->event_lines, i, event)
    {
        const char *contact = text_of(event, "contact");
        json_t *list = json_object_get(sample->events_of, contact);
        if (list == NULL) {
            list = json_array();
            set(sample->events_of, contact, list);
        }
        CHECK(json_array_append(list, event) == 0);
    }
    return true;
}

static bool
parse_count(const char *text, uint64_t most, uint64_t *out_count)
{
    char *end = NULL;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || count > most) return false;
    *out_count = count;
    return true;
}

static int
make(struct sample *sample)
{
    int code = EXIT_USAGE;
    if (!read_pattern(sample)) goto done;
    if (sample->bids == 0) sample->bids = json_array_size(sample->bid_lines);
    code = EXIT_CANNOT;
    if (mkdir(sample->out, 0777) != 0 && errno != EEXIST) {
        verb_cannot("%s: %s", sample->out, strerror(errno));
        goto done;
    }
    if (put_contacts(sample) && put_bids(sample)) code = EXIT_DONE;
done:
    json_decref(sample->contact_lines);
    json_decref(sample->bid_lines);
    json_decref(sample->event_lines);
    json_decref(sample->events_of);
    return code;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct sample sample = {.from = "sample", .out = "."};
    const char *contacts = NULL, *seed = "1", *bids = "0";
    const struct verb_option options[] = {
        {.name = "--contacts", .value = &contacts}, {.name = "--seed", .value = &seed},
        {.name = "--bids", .value = &bids},         {.name = "--from", .value = &sample.from},
        {.name = "--out", .value = &sample.out},    {0}};
    argc = verb_options(&verb_sample, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 1 || contacts == NULL) return verb_usage(&verb_sample, "needs --contacts N");
    if (!parse_count(contacts, COUNT_MOST, &sample.contacts))
        return verb_usage(&verb_sample, "--contacts: '%s' is no number up to %d", contacts,
                          COUNT_MOST);
    if (!parse_count(bids, COUNT_MOST, &sample.bids))
        return verb_usage(&verb_sample, "--bids: '%s' is no number up to %d", bids, COUNT_MOST);
    if (!parse_count(seed, UINT64_MAX, &sample.state))
        return verb_usage(&verb_sample, "--seed: '%s' is no number", seed);
    if (strcmp(sample.from, sample.out) == 0)
        return verb_usage(&verb_sample, "--out must not be the sample itself");
    int code = make(&sample);
    if (code == EXIT_DONE && context->json)
        printf("{\"contacts\": %" PRIu64 ", \"bids\": %" PRIu64 "}\n", sample.contacts,
               sample.bids);
    else if (code == EXIT_DONE)
        printf("%" PRIu64 " contacts and %" PRIu64 " bids in %s\n", sample.contacts, sample.bids,
               sample.out);
    return code;
}

const struct verb verb_sample = {
    .name = "sample",
    .arguments = "--contacts N [--bids N] [--seed S] [--from DIR] [--out DIR]",
    .summary = "make contacts, bids and events like those of the sample",
    .help = "Writes contacts.jsonl, bids.jsonl and events.jsonl of any size, in the proportions of "
            "the\n"
            "sample in DIR (--from, default ./sample), for tests and for load. The same sample, "
            "numbers\n"
            "and seed give the same bytes. The market file stays the sample's.\n"
            "\n"
            "  --contacts N  contacts to make; their events follow\n"
            "  --bids N      bids to make (default: as many as the sample has)\n"
            "  --seed S      default 1\n"
            "  --out DIR     where the files go (default: here); made when it is not there\n"
            "\n"
            "  $ slotctl sample --contacts 10000 --bids 10000 --seed 7 --out /tmp/load\n"
            "\n"
            "Exit codes: 0 written; 2 the sample cannot be used; 3 no room or no permission.\n",
    .run = run,
};
