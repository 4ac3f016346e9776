// slotctl bid: a seat's standing bids, put, listed and withdrawn over the TLS API.
#include <string.h>

#include "fail.h"
#include "node.h"
#include "price_word.h"
#include "speak.h"
#include "table.h"
#include "told.h"
#include "verb.h"

struct request {
    const char *seat, *slot, *from, *until, *kind;
    bool paused, share;
};

static int
refused(const struct client_error *error)
{
    verb_cannot("%s%s%s", error->text, error->reason[0] ? ": " : "", error->reason);
    return error->code != 0 ? EXIT_USAGE : EXIT_CANNOT;
}

static void
print_json(json_t *answer)
{
    json_dumpf(answer, stdout, 0);
    putchar('\n');
}

static bool
add_time(json_t *params, const char *key, const char *text)
{
    usec at;
    if (!text) return true;
    if (clock_parse(text, strlen(text), &at) != STATUS_OK) return false;
    json_object_set_new(params, key, json_integer(at.us));
    return true;
}

// The price with its kind, which --kind or --share may name in the place of its ending.
static bool
read_price(const struct request *request, const char *text, enum price_kind *out_kind,
           money *out_price)
{
    char word[64];
    const char *kind = request->share ? "share" : request->kind;
    enum price_kind wanted = PRICE_PLACEMENT;
    if (kind == NULL) return price_word_parse(text, out_kind, out_price);
    if (price_kind_parse(kind, strlen(kind), &wanted) != STATUS_OK) return false;
    const char *ending = wanted == PRICE_SHARE ? "%" : wanted == PRICE_RESPONSE ? "/response" : "";
    size_t len = strcspn(text, "%/");
    snprintf(word, sizeof word, "%.*s%s", (int)(len < 40 ? len : 40), text, ending);
    bool same = text[len] == '\0' || strcmp(text + len, ending) == 0;
    return same && len < 40 && price_word_parse(word, out_kind, out_price);
}

// ID MESSAGE PRICE
static int
put(const struct verb_context *context, struct client *client, const json_t *hello,
    const struct request *request, char **argv)
{
    money price;
    enum price_kind kind = PRICE_PLACEMENT;
    json_t *result = NULL;
    struct client_error error;
    if (!read_price(request, argv[4], &kind, &price))
        return verb_usage(&verb_bid,
                          "'%s' is no price%s%s; %s, or 1.20 with --kind placement, response or "
                          "share (in per cent)",
                          argv[4], request->kind != NULL ? " of kind " : "",
                          request->kind != NULL ? request->kind : "", PRICE_WORD_HINT);
    json_t *params = json_pack(
        "{s:s, s:s, s:s, s:I, s:s}", "id", argv[2], "message", argv[3], "kind",
        price_kind_name(kind), kind == PRICE_SHARE ? "share_ppm" : "price_micros",
        (json_int_t)price.micros, "cur", json_string_value(json_object_get(hello, "cur")));
    if (!params) return verb_usage(&verb_bid, "the arguments are not UTF-8 text");
    if (request->slot) json_object_set_new(params, "tagid", json_string(request->slot));
    if (request->paused) json_object_set_new(params, "paused", json_true());
    if (!add_time(params, "from_us", request->from) ||
        !add_time(params, "until_us", request->until)) {
        json_decref(params);
        return verb_usage(&verb_bid, "a time is written 2026-11-22 or 2026-11-22T15:04:05Z");
    }
    enum status status = speak_call(client, "bid.put", params, &result, &error);
    json_decref(params);
    if (status != STATUS_OK) return refused(&error);
    if (context->json) {
        print_json(result);
    } else {
        printf("bid %s is %s%s\n", argv[2], json_string_value(json_object_get(result, "state")),
               json_is_true(json_object_get(result, "repeated")) ? ", as it was" : "");
    }
    json_decref(result);
    return EXIT_DONE;
}

static int
withdraw(const struct verb_context *context, struct client *client, const char *id)
{
    json_t *result = NULL;
    struct client_error error;
    json_t *params = json_pack("{s:s}", "id", id);
    if (!params) return verb_usage(&verb_bid, "the arguments are not UTF-8 text");
    enum status status = speak_call(client, "bid.withdraw", params, &result, &error);
    json_decref(params);
    if (status != STATUS_OK) return refused(&error);
    if (context->json) {
        print_json(result);
    } else {
        printf("bid %s is withdrawn\n", id);
    }
    json_decref(result);
    return EXIT_DONE;
}

static void
add_bid(struct table *table, const json_t *bid, bool as_json)
{
    char text[TOLD_PRICE];
    enum price_kind kind = PRICE_PLACEMENT;
    const char *word = json_string_value(json_object_get(bid, "kind"));
    if (word != NULL && price_kind_parse(word, strlen(word), &kind) != STATUS_OK)
        kind = PRICE_PLACEMENT;
    money price = money_of(json_integer_value(
        json_object_get(bid, kind == PRICE_SHARE ? "share_ppm" : "price_micros")));
    if (as_json) money_format(price, 2, text);
    else told_price(kind, price, text);
    table_cell(table, json_string_value(json_object_get(bid, "id")));
    table_cell(table, json_string_value(json_object_get(bid, "message")));
    table_cell(table, json_string_value(json_object_get(bid, "tagid")));
    if (as_json) table_cell(table, price_kind_name(kind));
    table_cell(table, text);
    table_cell(table, json_string_value(json_object_get(bid, "cur")));
    table_cell(table, json_string_value(json_object_get(bid, "state")));
}

static int
list(const struct verb_context *context, struct client *client)
{
    // The fourth, which people see in the price, is for machines alone.
    static const struct table_column all[] = {
        {"id", "bid", TABLE_LEFT, TABLE_TEXT},       {"message", "message", TABLE_LEFT, TABLE_TEXT},
        {"tagid", "slot", TABLE_LEFT, TABLE_TEXT},   {"kind", "", TABLE_LEFT, TABLE_TEXT},
        {"price", "price", TABLE_RIGHT, TABLE_TEXT}, {"cur", "", TABLE_LEFT, TABLE_TEXT},
        {"state", "state", TABLE_LEFT, TABLE_TEXT},
    };
    struct table_column columns[sizeof all / sizeof *all];
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (context->json || i != 3) columns[count++] = all[i];
    struct client_error error;
    enum status status = STATUS_OK;
    struct table *table = table_open(columns, count);
    json_t *params = json_object(), *next = NULL;
    do {
        json_t *result = NULL, *bid;
        size_t index;
        status = speak_call(client, "bid.list", params, &result, &error);
        if (status != STATUS_OK) break;
        json_array_foreach(json_object_get(result, "bids"), index, bid)
            add_bid(table, bid, context->json);
        next = json_object_get(result, "next");
        if (next) json_object_set(params, "after", next);
        json_decref(result);
    } while (next);
    if (status == STATUS_OK)
        table_print(table, context->json ? TABLE_AS_JSON : TABLE_AS_TEXT, stdout);
    json_decref(params);
    table_close(table);
    return status == STATUS_OK ? EXIT_DONE : refused(&error);
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct request request = {0};
    const struct verb_option options[] = {
        {"--as", &request.seat, NULL},       {"--slot", &request.slot, NULL},
        {"--from", &request.from, NULL},     {"--until", &request.until, NULL},
        {"--paused", NULL, &request.paused}, {"--kind", &request.kind, NULL},
        {"--share", NULL, &request.share},   {0}};
    struct settings settings;
    struct client *client = NULL;
    json_t *hello = NULL;
    struct speak_fault fault;
    int code = EXIT_DONE;
    argc = verb_options(&verb_bid, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    int wanted = strcmp(what, "put") == 0        ? 5
                 : strcmp(what, "list") == 0     ? 2
                 : strcmp(what, "withdraw") == 0 ? 3
                                                 : 0;
    if (wanted == 0) return verb_usage(&verb_bid, "put, list or withdraw?");
    if (argc != wanted)
        return verb_usage(&verb_bid, "%s: what is asked is not complete or too much", what);
    if (!request.seat) return verb_usage(&verb_bid, "as which seat? --as SEAT");
    if (!node_settings(context, &settings, &code)) return code;
    enum status status = speak_open(&settings, ROLE_SEAT, request.seat, 0, &client, &hello, &fault);
    if (status != STATUS_OK) return verb_cannot("%s", fault.text);
    if (wanted == 5) {
        code = put(context, client, hello, &request, argv);
    } else if (wanted == 2) {
        code = list(context, client);
    } else {
        code = withdraw(context, client, argv[2]);
    }
    json_decref(hello);
    client_close(client);
    return code;
}

const struct verb verb_bid = {
    .name = "bid",
    .arguments = "put ID MESSAGE PRICE [--slot TAGID] [--from T] [--until T] [--paused] "
                 "[--kind KIND|--share] | "
                 "list | withdraw ID  --as SEAT",
    .summary = "a seat's standing bids",
    .help = "Speaks with the seat's certificate (slotctl cert issue seat SEAT), over the TLS API "
            "like the seat itself.\n"
            "\n"
            "put       puts the bid ID for a message of the seat, or changes it to exactly this; "
            "PRICE is\n"
            "          1.20 a placement, 2.00/response (due when the customer accepts) or 12.5% of "
            "the\n"
            "          revenue that follows; --kind placement|response|share says the same of a "
            "bare\n"
            "          number, --share is --kind share\n"
            "list      all bids of the seat that are not withdrawn\n"
            "withdraw  ends a bid; what it has won stays won\n"
            "\n"
            "exit codes: 0 done; 2 refused, and why; 3 nobody answers\n"
            "example: slotctl bid put grill-1 grill_house.summer 1.50 --as grill_house\n",
    .run = run,
};
