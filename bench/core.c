// The auction core measured: the two best of many standing bids by the index, beside a scan that
// judges every bid, in one run and with the answers compared; and a whole contact.
//
//   bench_core [--json]
//
// Workload: 20 attributes - 7 texts (of 5 to 200 words, the low ones more frequent), 4 booleans, 6
// integers (2 of them unknown in 15 % of contacts), 3 lists - and rules of 2 to 6 predicates,
// nearly all ANDs, some with OR and NOT; rules of up to 4 predicates start with region or product.
// One message and one bid a rule, prices nearly all distinct. Times are of one thread; the clock's
// own cost is taken off single searches.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../auction/match.h"
#include "book.h"
#include "fail.h"
#include "price.h"
#include "round.h"

#define SEATS 200
#define CONTACTS 2000
#define PASSES 5
#define FLOOR_MICROS 10000
#define PRICE_MICROS 50000000u
#define SLOTS 4
#define NOW ((usec){1795368245000000})

static uint64_t
draw(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return hash_mix(*state);
}

static uint32_t
below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((draw(state) >> 32) * bound >> 32);
}

// Low numbers more often: about a fifth of the draws fall into the first twentieth.
static uint32_t
skewed(uint64_t *state, uint32_t bound)
{
    uint32_t a = below(state, bound), b = below(state, bound);
    return below(state, 4) == 0 ? below(state, bound) : a < b ? a : b;
}

// --- The market ----------------------------------------------------------------------------------
struct kind {
    const char *name;
    uint8_t type;
    uint32_t values, unknown_percent;
};
static const struct kind kinds[20] = {
    {"region", ATTRIBUTE_TEXT, 200, 0},     {"product", ATTRIBUTE_TEXT, 40, 0},
    {"line", ATTRIBUTE_TEXT, 12, 0},        {"phase", ATTRIBUTE_TEXT, 8, 0},
    {"level", ATTRIBUTE_TEXT, 5, 0},        {"language", ATTRIBUTE_TEXT, 6, 0},
    {"device", ATTRIBUTE_TEXT, 5, 0},       {"owner", ATTRIBUTE_BOOLEAN, 2, 0},
    {"app", ATTRIBUTE_BOOLEAN, 2, 0},       {"weekend", ATTRIBUTE_BOOLEAN, 2, 0},
    {"member", ATTRIBUTE_BOOLEAN, 2, 0},    {"age", ATTRIBUTE_INTEGER, 100, 15},
    {"worth", ATTRIBUTE_INTEGER, 1000, 0},  {"tenure", ATTRIBUTE_INTEGER, 120, 0},
    {"recency", ATTRIBUTE_INTEGER, 365, 0}, {"hour", ATTRIBUTE_INTEGER, 24, 0},
    {"risk", ATTRIBUTE_INTEGER, 1000, 15},  {"segments", ATTRIBUTE_LIST, 1000, 0},
    {"interests", ATTRIBUTE_LIST, 100, 0},  {"owned", ATTRIBUTE_LIST, 60, 0},
};

struct rule {
    char text[1024];
    size_t len;
};

static void __attribute__((format(printf, 2, 3))) say(struct rule *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(rule->text + rule->len, sizeof rule->text - rule->len, format, args);
    va_end(args);
    CHECK(len >= 0 && rule->len + (size_t)len < sizeof rule->text);
    rule->len += (size_t)len;
}

static void
say_words(uint64_t *state, struct rule *rule, const struct kind *kind, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        say(rule, "%s'%s%" PRIu32 "'", i ? ", " : "", kind->name, skewed(state, kind->values));
}

static void
say_predicate(uint64_t *state, struct rule *rule, const struct kind *kind)
{
    uint32_t choice = below(state, 10), value = below(state, kind->values);
    if (kind->values >= 40 && kind->type == ATTRIBUTE_TEXT && choice < 6)
        choice = 0;  // one region, one product
    if (kind->type == ATTRIBUTE_BOOLEAN) {
        say(rule, "%s%s", choice < 5 ? "" : "not ", kind->name);
    } else if (kind->type == ATTRIBUTE_INTEGER) {
        uint32_t span = kind->values / 4;
        if (choice < 3) say(rule, "%s >= %" PRIu32, kind->name, value);
        else if (choice < 6) say(rule, "%s <= %" PRIu32, kind->name, kind->values - value);
        else say(rule, "%s between %" PRIu32 " and %" PRIu32, kind->name, value, value + span);
    } else if (kind->type == ATTRIBUTE_TEXT) {
        if (choice < 4)
            say(rule, "%s = '%s%" PRIu32 "'", kind->name, kind->name, skewed(state, kind->values));
        else if (choice < 5)
            say(rule, "%s <> '%s%" PRIu32 "'", kind->name, kind->name, skewed(state, kind->values));
        else {
            say(rule, "%s%s in (", kind->name, choice < 6 ? " not" : "");
            say_words(state, rule, kind, 2 + below(state, kind->values < 10 ? 2 : 4));
            say(rule, ")");
        }
    } else {
        say(rule, "%s%s %s array[", choice < 2 ? "not " : "", kind->name, choice < 9 ? "&&" : "@>");
        say_words(state, rule, kind, choice < 9 ? 1 + below(state, 4) : 1);
        say(rule, "]");
    }
}

static const char *
a_rule(uint64_t *state, struct arena *arena)
{
    struct rule rule = {.len = 0};
    uint32_t count = 2 + below(state, 5), shape = below(state, 100), used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = i == 0 && (count <= 4 || below(state, 2) == 0) ? below(state, 2)
                                                                       : below(state, 20);
        while (used >> kind & 1) kind = below(state, 20);
        used |= 1u << kind;
        bool last = i + 1 == count, or_pair = shape < 4 && i + 2 == count,
             both = shape >= 4 && shape < 8;
        if (i > 0)
            say(&rule, shape < 4 && last && count > 2  ? " or "
                       : shape >= 98 && i == count / 2 ? " or "
                                                       : " and ");
        if (or_pair && count > 2) say(&rule, "(");
        if (both && last && i > 0) say(&rule, "not (%s = '%s0' and ", kinds[1].name, kinds[1].name);
        say_predicate(state, &rule, &kinds[kind]);
        if ((both && last && i > 0) || (shape < 4 && last && count > 2)) say(&rule, ")");
    }
    return arena_text(arena, rule.text, rule.len);
}

static void
declare_parties(struct market *market)
{
    market->attribute_count = 20;
    market->attributes = arena_take(market->arena, 20, sizeof *market->attributes);
    for (uint32_t i = 0; i < 20; i++) {
        market->attributes[i] = (struct market_attribute){.id = i + 1,
                                                          .code = kinds[i].name,
                                                          .type = kinds[i].type,
                                                          .of = ATTRIBUTE_OF_CUSTOMER,
                                                          .consent = -1,
                                                          .least = INT64_MIN,
                                                          .most = INT64_MAX};
    }
    market->seat_count = market->contract_count = SEATS;
    market->seats = arena_take(market->arena, SEATS, sizeof *market->seats);
    market->contracts = arena_take(market->arena, SEATS, sizeof *market->contracts);
    for (uint32_t i = 0; i < SEATS; i++) {
        const char *code = arena_printf(market->arena, "seat%" PRIu32, i);
        market->seats[i] = (struct market_seat){.id = i + 1,
                                                .code = code,
                                                .name = "",
                                                .kind = SEAT_PARTNER,
                                                .rule = "",
                                                .has_budget = true,
                                                .budget = money_of(BOUND_MICROS)};
        market->contracts[i] = (struct market_contract){.id = i + 1, .code = code, .seat = code};
    }
    market->container_count = 2;  // one slot; and SLOTS slots
    market->containers = arena_take(market->arena, 2, sizeof *market->containers);
    for (uint32_t i = 0; i < 2; i++) {
        struct market_container *container = &market->containers[i];
        uint32_t count = i == 0 ? 1 : SLOTS;
        *container = (struct market_container){
            .id = i + 1,
            .code = arena_printf(market->arena, "container%" PRIu32, i),
            .name = "",
            .owner = "seat0",
            .slots = arena_take(market->arena, count, sizeof(struct market_slot)),
            .slot_count = count};
        for (uint32_t slot = 0; slot < count; slot++) {
            container->slots[slot] = (struct market_slot){
                .id = 10 * (i + 1) + slot,
                .code = arena_printf(market->arena, "slot%" PRIu32, slot),
                .name = "",
                .rungs = (1u << RUNG_COUNT) - 1,
                .objectives = (1u << OBJECTIVE_COUNT) - 1,
                .floor = money_of(FLOOR_MICROS),
                .rule = "",
                .delivery_seconds = 3600};
        }
    }
}

static struct catalog *
make_catalog(uint32_t bid_count)
{
    uint64_t state = 20261122;
    struct arena *arena = arena_open("bench market");
    struct market market = {.arena = arena, .code = "bench", .name = "", .currency = {"EUR"}};
    declare_parties(&market);
    market.message_count = bid_count;
    market.messages = arena_take(arena, bid_count, sizeof *market.messages);
    struct market_bid *bids = arena_take(arena, bid_count, sizeof *bids);
    for (uint32_t i = 0; i < bid_count; i++) {
        uint32_t seat = below(&state, SEATS);
        market.messages[i] = (struct market_message){
            .id = i + 1,
            .code = arena_printf(arena, "message%" PRIu32, i),
            .name = "",
            .seat = market.seats[seat].code,
            .content = "c",
            .format = "text",
            .category = "",
            .rung = RUNG_COMMERCIALIZATION,
            .objectives = 1u << OBJECTIVE_CROSS_SELL,
            .rule = a_rule(&state, arena)};
        bids[i] = (struct market_bid){
            .id = i + 1,
            .seat = seat + 1,
            .message = i + 1,
            .price = money_of(FLOOR_MICROS + 1 + below(&state, PRICE_MICROS)),
            .key = "k"};
    }
    struct catalog_input input = {
        .market = &market, .bids = bids, .bid_count = bid_count, .version = 1};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    struct catalog *catalog;
    if (catalog_encode(&input, arena, &bytes, &len, &error) != STATUS_OK) {
        fprintf(stderr, "bench_core: %s\n", error.text);
        exit(1);
    }
    CHECK(catalog_decode(bytes, len, &catalog, NULL) == STATUS_OK);
    arena_close(arena);
    return catalog;
}

// --- Contacts ------------------------------------------------------------------------------------
static void
set_list(uint64_t *state, const struct catalog *catalog, struct contact *contact,
         const struct kind *kind, uint32_t attribute)
{
    uint32_t draws = kind->values == 1000 ? 8 + below(state, 25) : 1 + below(state, 6);
    uint32_t first = contact->values.list_used, count = 0;
    int32_t *items = contact->values.list_items + first;
    for (uint32_t i = 0; i < draws; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s%" PRIu32, kind->name, skewed(state, kind->values));
        uint32_t word = catalog_word(catalog, text, strlen(text)), place = 0;
        if (word == UINT32_MAX) continue;
        while (place < count && items[place] < (int32_t)word) place++;
        if (place < count && items[place] == (int32_t)word) continue;
        memmove(items + place + 1, items + place, (count - place) * sizeof *items);
        items[place] = (int32_t)word;
        count++;
    }
    contact->values.list_used = first + count;
    contact->values.value[attribute] = (int64_t)first << 32 | count;
}

// `nobody`: words that no rule asks for, so that hardly any rule is true. `hidden`: percent of the
// attributes that are unknown, beside those that mostly are.
static void
make_contact(uint64_t *state, const struct catalog *catalog, bool nobody, uint32_t hidden,
             struct contact *contact)
{
    memset(contact, 0, sizeof *contact);
    contact->customer = 1 + draw(state) / 2;
    contact->identity = IDENTITY_REPEAT;
    contact->consent = (1u << CONSENT_COUNT) - 1;
    contact->touchpoint = 1;
    snprintf(contact->key, sizeof contact->key, "%016" PRIx64, draw(state));
    contact->request_key = contact_request_key(1, contact->key);
    for (uint32_t i = 0; i < 20; i++) {
        const struct kind *kind = &kinds[i];
        uint32_t attribute = catalog_attribute_by_name(catalog, kind->name, strlen(kind->name));
        CHECK(attribute != UINT32_MAX);
        if (below(state, 100) < kind->unknown_percent) continue;
        if (hidden > 0 && below(state, 100) < hidden) continue;
        contact->values.known |= 1ull << attribute;
        if (kind->type == ATTRIBUTE_LIST) {
            set_list(state, catalog, contact, kind, attribute);
        } else if (kind->type == ATTRIBUTE_TEXT) {
            char text[32];
            snprintf(text, sizeof text, "%s%" PRIu32, kind->name, skewed(state, kind->values));
            uint32_t word = nobody ? UINT32_MAX : catalog_word(catalog, text, strlen(text));
            contact->values.value[attribute] = word == UINT32_MAX ? VALUE_OTHER : (int64_t)word;
        } else {
            contact->values.value[attribute] = below(state, kind->values);
        }
    }
}

// --- Searches ------------------------------------------------------------------------------------
static bool
eligible(const struct catalog *catalog, const struct catalog_bid *bid,
         const struct catalog_slot *slot, const struct contact *contact)
{
    const struct catalog_message *message = &catalog->messages[bid->message];
    return match_admission(catalog, slot, message) == REASON_NONE &&
           expr_true_with(&catalog->seats[bid->seat].rule, &contact->values, &slot->values, NULL) &&
           expr_true_with(&message->rule, &contact->values, &slot->values, NULL);
}

static void
add(struct price *price, const struct catalog_bid *bid)
{
    struct price_bid entry = {bid->id, bid->seat, bid->price, money_of(FLOOR_MICROS)};
    (void)price_add(price, &entry);
}

// The index. `all`: goes on to the end, as when nothing that comes out is eligible.
static uint32_t
by_index(struct match *match, const struct catalog *catalog, const struct contact *contact,
         bool all, struct price_sale *out_sale)
{
    struct price price;
    uint32_t number, given = 0;
    price_open(&price, 0);
    match_contact(match, catalog, contact);
    match_slot(match, 0);
    while ((number = match_next(match)) != UINT32_MAX) {
        const struct catalog_bid *bid = &catalog->bids[number];
        if (!all && price_settled(&price, bid->price)) break;
        given++;
        if (eligible(catalog, bid, &catalog->slots[0], contact)) add(&price, bid);
        if (!all && price_settled(&price, bid->price)) break;
    }
    price_close(&price, out_sale);
    return given;
}

// The twin: every bid judged.
static void
by_scan(const struct catalog *catalog, const struct contact *contact, struct price_sale *out_sale)
{
    struct price price;
    price_open(&price, 0);
    for (uint32_t i = 0; i < catalog->bid_count; i++) {
        if (eligible(catalog, &catalog->bids[i], &catalog->slots[0], contact))
            add(&price, &catalog->bids[i]);
    }
    price_close(&price, out_sale);
}

static int64_t
nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

struct figures {
    uint32_t bids;
    double best_ns, best_p99_ns, none_ns, none_p99_ns, none_given, zero_ns, zero_p99_ns, zero_given,
        all_ns, all_given, scan_ns, build_us, bytes;
    uint32_t differences;
};

static int64_t
clock_cost(void)
{
    int64_t start = nanoseconds();
    for (int i = 0; i < 1000; i++) (void)nanoseconds();
    return (nanoseconds() - start) / 1000;
}

// The mean over all contacts (of PASSES passes the median, after one to warm up) and, from searches
// timed one by one, the 99th percentile.
static double
time_searches(const struct catalog *catalog, const struct contact *contacts, bool all,
              double *out_p99, double *out_given)
{
    static int64_t times[CONTACTS];
    int64_t passes[PASSES + 1];
    struct match match;
    struct price_sale sale;
    uint64_t given = 0;
    for (uint32_t pass = 0; pass <= PASSES; pass++) {
        int64_t start = nanoseconds();
        given = 0;
        for (uint32_t i = 0; i < CONTACTS; i++)
            given += by_index(&match, catalog, &contacts[i], all, &sale);
        passes[pass] = nanoseconds() - start;
    }
    qsort(passes + 1, PASSES, sizeof *passes, compare_times);
    int64_t cost = clock_cost();
    for (uint32_t i = 0; i < CONTACTS; i++) {
        int64_t before = nanoseconds();
        (void)by_index(&match, catalog, &contacts[i], all, &sale);
        times[i] = nanoseconds() - before - cost;
    }
    qsort(times, CONTACTS, sizeof *times, compare_times);
    if (out_p99 != NULL) *out_p99 = (double)times[CONTACTS * 99 / 100];
    if (out_given != NULL) *out_given = (double)given / CONTACTS;
    return (double)passes[1 + PASSES / 2] / CONTACTS;
}

// Contacts for whom not one bid is eligible: of an unknown visitor hardly anything is known.
static void
make_strangers(const struct catalog *catalog, struct contact *contacts)
{
    uint64_t state = 13;
    struct match match;
    struct price_sale sale;
    for (uint32_t i = 0; i < CONTACTS; i++) {
        do {
            make_contact(&state, catalog, true, 90, &contacts[i]);
            (void)by_index(&match, catalog, &contacts[i], true, &sale);
        } while (sale.counted > 0);
    }
}

static struct figures
measure(uint32_t bid_count, const struct catalog *catalog)
{
    static struct contact contacts[CONTACTS], nobody[CONTACTS], strangers[CONTACTS];
    struct figures figures = {.bids = bid_count};
    uint64_t state = 7;
    for (uint32_t i = 0; i < CONTACTS; i++) {
        make_contact(&state, catalog, false, 0, &contacts[i]);
        make_contact(&state, catalog, true, 0, &nobody[i]);
    }
    make_strangers(catalog, strangers);
    figures.best_ns = time_searches(catalog, contacts, false, &figures.best_p99_ns, NULL);
    figures.none_ns = time_searches(catalog, nobody, true, &figures.none_p99_ns,
                                    &figures.none_given);
    figures.zero_ns = time_searches(catalog, strangers, false, &figures.zero_p99_ns,
                                    &figures.zero_given);
    figures.all_ns = time_searches(catalog, contacts, true, NULL, &figures.all_given);
    uint32_t scans = 4000000 / bid_count;
    if (scans > CONTACTS) scans = CONTACTS;
    struct match match;
    struct price_sale scanned, found;
    int64_t spent = 0;
    for (uint32_t i = 0; i < scans; i++) {
        int64_t start = nanoseconds();
        by_scan(catalog, &contacts[i], &scanned);
        spent += nanoseconds() - start;
        (void)by_index(&match, catalog, &contacts[i], false, &found);
        figures.differences += scanned.winner != found.winner ||
                               scanned.price.micros != found.price.micros ||
                               scanned.setter != found.setter;
    }
    figures.scan_ns = (double)spent / scans;
    struct arena *arena = arena_open("bench index");
    int64_t start = nanoseconds();
    struct match_index *index = match_index_build(catalog, arena);
    figures.build_us = (double)(nanoseconds() - start) / 1000.0 / bid_count;
    figures.bytes = (double)match_index_bytes(index) / bid_count;
    arena_close(arena);
    return figures;
}

// Whole contacts of SLOTS slots: decided, and applied to the book.
static void
measure_contacts(const struct catalog *catalog, double *out_decide_ns, double *out_apply_ns)
{
    static struct contact contacts[CONTACTS];
    struct book_limits limits = book_limits_default;
    struct book *book = book_open(&limits);
    struct round *round = round_open();
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    bool repeated;
    uint64_t state = 11;
    int64_t decide = 0, apply = 0, cost = clock_cost();
    book_catalog(book, catalog);
    for (uint32_t turn = 0; turn < 5; turn++) {
        for (uint32_t i = 0; i < CONTACTS; i++) {
            make_contact(&state, catalog, false, 0, &contacts[i]);
            contacts[i].container = 1;
        }
        decide = apply = 0;
        for (uint32_t i = 0; i < CONTACTS; i++) {
            int64_t start = nanoseconds();
            enum reason reason = round_decide(round, catalog, book, &contacts[i], NOW, NULL, facts,
                                              &count, &repeated);
            int64_t decided = nanoseconds();
            CHECK(reason == REASON_NONE && !repeated);
            for (unsigned fact = 0; fact < count; fact++) {
                struct catalog_position position = {1, 1, 1};
                CHECK(book_apply(book, &facts[fact], position) == STATUS_OK);
            }
            decide += decided - start - cost;
            apply += nanoseconds() - decided - cost;
        }
    }
    *out_decide_ns = (double)decide / CONTACTS;
    *out_apply_ns = (double)apply / CONTACTS;
    round_close(round);
    book_close(book);
}

static void
print_table(const struct figures *figures, unsigned count, double decide_ns, double apply_ns)
{
    printf("Auction core, one thread: winner and price of one slot over standing bids on 20 "
           "attributes\n\n");
    printf("%-44s", "bids");
    for (unsigned i = 0; i < count; i++) printf("%14" PRIu32, figures[i].bids);
#define LINE(label, format, value) \
    printf("\n%-44s", label);      \
    for (unsigned i = 0; i < count; i++) printf(format, value)
    LINE("two best by the index, us (target: 2)", "%14.2f", figures[i].best_ns / 1000);
    LINE("  p99, us", "%14.2f", figures[i].best_p99_ns / 1000);
    LINE("every bid judged, us", "%14.2f", figures[i].scan_ns / 1000);
    LINE("  ratio", "%14.0f", figures[i].scan_ns / figures[i].best_ns);
    LINE("  different answers", "%14" PRIu32, figures[i].differences);
    LINE("to the end, words nobody asks for, us", "%14.2f", figures[i].none_ns / 1000);
    LINE("  p99, us", "%14.2f", figures[i].none_p99_ns / 1000);
    LINE("  bids given", "%14.1f", figures[i].none_given);
    LINE("to the end, no bid is eligible, us", "%14.2f", figures[i].zero_ns / 1000);
    LINE("  p99, us", "%14.2f", figures[i].zero_p99_ns / 1000);
    LINE("  bids given", "%14.1f", figures[i].zero_given);
    LINE("to the end, all that match, us", "%14.2f", figures[i].all_ns / 1000);
    LINE("  bids given", "%14.1f", figures[i].all_given);
    LINE("index built, us a bid", "%14.2f", figures[i].build_us);
    LINE("index, bytes a bid", "%14.0f", figures[i].bytes);
#undef LINE
    printf("\n\nA contact of %d slots, %" PRIu32
           " bids: decided %.2f us, applied to the book %.2f us\n",
           SLOTS, figures[0].bids, decide_ns / 1000, apply_ns / 1000);
}

static void
print_json(const struct figures *figures, unsigned count, double decide_ns, double apply_ns)
{
    printf("{\"slots\": [");
    for (unsigned i = 0; i < count; i++) {
        const struct figures *f = &figures[i];
        printf(
            "%s{\"bids\": %" PRIu32
            ", \"best_ns\": %.0f, \"best_p99_ns\": %.0f, \"scan_ns\": %.0f, \"ratio\": %.1f, "
            "\"differences\": %" PRIu32
            ", \"none_ns\": %.0f, \"none_p99_ns\": %.0f, \"none_given\": %.1f, \"zero_ns\": %.0f, "
            "\"zero_p99_ns\": %.0f, \"zero_given\": %.1f, \"all_ns\": %.0f, \"all_given\": %.1f, "
            "\"build_us_per_bid\": %.3f, \"bytes_per_bid\": %.0f}",
            i ? ", " : "", f->bids, f->best_ns, f->best_p99_ns, f->scan_ns, f->scan_ns / f->best_ns,
            f->differences, f->none_ns, f->none_p99_ns, f->none_given, f->zero_ns, f->zero_p99_ns,
            f->zero_given, f->all_ns, f->all_given, f->build_us, f->bytes);
    }
    printf("], \"contact\": {\"slots\": %d, \"bids\": %" PRIu32
           ", \"decide_ns\": %.0f, \"apply_ns\": %.0f}}\n",
           SLOTS, figures[0].bids, decide_ns, apply_ns);
}

int
main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10000, 100000};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    struct figures figures[COUNT];
    double decide_ns = 0, apply_ns = 0;
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 2 || (argc == 2 && !json)) {
        fprintf(stderr, "usage: bench_core [--json]\n");
        return 2;
    }
    uint32_t differences = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        struct catalog *catalog = make_catalog(sizes[i]);
        figures[i] = measure(sizes[i], catalog);
        if (i == 0) measure_contacts(catalog, &decide_ns, &apply_ns);
        differences += figures[i].differences;
        catalog_close(catalog);
    }
    if (json) {
        print_json(figures, COUNT, decide_ns, apply_ns);
    } else {
        print_table(figures, COUNT, decide_ns, apply_ns);
    }
    return differences == 0 ? 0 : 1;
}
