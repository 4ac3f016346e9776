// slotctl clear: the price of one slot as a pocket calculator, by the function that prices every
// slot (price.h: sealed second price, own seat excluded).
//
// A bid is SEAT:PRICE, SEAT:response:PRICE@RATE or SEAT:share:PERCENT%@REVENUE: what is expected to
// follow is given where the engine would have learned it. A rate is taken to the nearest fraction
// that the engine can learn (1 / 2^32).
//
// Amounts have at most six decimals; the price is printed with as many as the inputs were written
// with, a share's percent with as many as it needs.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "learn.h"
#include "price.h"
#include "verb.h"
#include "verb_clear.h"

struct clear {
    money floor;
    unsigned decimals;       // most of any amount given
    struct price_bid *bids;  // bid ids from 1 in the order given, seats numbered from 0
    const char **names;      // of bid i
    size_t *name_lengths;
    size_t count;
};

bool
verb_clear_amount(const char *place, const char *text, size_t len, unsigned *decimals,
                  money *out_amount)
{
    if (money_parse(text, len, out_amount) != STATUS_OK || out_amount->micros < 0) {
        verb_usage(&verb_clear,
                   "%s'%.*s' is not an amount; write digits with at most six decimals, up to "
                   "1000000000",
                   place, (int)len, text);
        return false;
    }
    const char *point = memchr(text, '.', len);
    unsigned written = point == NULL ? 0 : (unsigned)(text + len - point - 1);
    if (written > *decimals) *decimals = written;
    return true;
}

static bool
parse_amount(struct clear *clear, const char *text, money *out_amount)
{
    return verb_clear_amount("", text, strlen(text), &clear->decimals, out_amount);
}

// "0.05": a rate from 0 to 1.
static bool
parse_rate(const char *text, uint64_t *out_rate)
{
    money rate;
    if (money_parse(text, strlen(text), &rate) != STATUS_OK || rate.micros < 0 ||
        rate.micros > MONEY_PPM) {
        verb_usage(&verb_clear, "'%s' is not a rate of response; write 0 to 1, as 0.05", text);
        return false;
    }
    *out_rate = ((uint64_t)rate.micros * LEARN_ONE + MONEY_PPM / 2) / MONEY_PPM;
    return true;
}

// "8%": millionths of the revenue.
static bool
parse_percent(const char *text, size_t len, money *out_share)
{
    money percent;
    if (len < 2 || text[len - 1] != '%' || money_parse(text, len - 1, &percent) != STATUS_OK ||
        percent.micros <= 0 || percent.micros > 100 * (int64_t)MONEY_PPM ||
        percent.micros % 100 != 0) {
        verb_usage(&verb_clear,
                   "'%.*s' is not a share; write more than 0 and up to 100, with at most four "
                   "decimals and %%, as 8%%",
                   (int)len, text);
        return false;
    }
    *out_share = money_of(percent.micros / 100);
    return true;
}

// "response:2.00@0.05" or "share:8%@1.50", from behind the seat; `at` is its '@'.
static bool
parse_expected(struct clear *clear, enum price_kind kind, const char *price, const char *at,
               struct price_bid *bid)
{
    size_t len = (size_t)(at - price);
    money revenue;
    bid->kind = (uint8_t)kind;
    if (kind == PRICE_RESPONSE)
        return verb_clear_amount("", price, len, &clear->decimals, &bid->price) &&
               parse_rate(at + 1, &bid->multiplier);
    if (!parse_percent(price, len, &bid->price) || !parse_amount(clear, at + 1, &revenue))
        return false;
    bid->multiplier = (uint64_t)revenue.micros;
    return true;
}

// Where the kind's word begins and which it is; NULL when the text before the last colon does not
// end in one.
static const char *
kind_before(const char *text, const char *colon, enum price_kind *out_kind)
{
    const char *word = colon;
    while (word > text && word[-1] != ':') word--;
    if (word <= text + 1 || price_kind_parse(word, (size_t)(colon - word), out_kind) != STATUS_OK ||
        *out_kind == PRICE_PLACEMENT)
        return NULL;
    return word;
}

static bool
parse_bid(struct clear *clear, const char *text)
{
    size_t i = clear->count;
    const char *colon = strrchr(text, ':'), *at = NULL, *word = NULL;
    enum price_kind kind = PRICE_PLACEMENT;
    if (colon == NULL || colon == text) {
        verb_usage(&verb_clear, "'%s' is not a bid; write SEAT:PRICE, as A:1.50", text);
        return false;
    }
    at = strchr(colon, '@');
    if (at != NULL) word = kind_before(text, colon, &kind);
    if (at != NULL && word == NULL) {
        verb_usage(&verb_clear,
                   "'%s' is not a bid; write SEAT:response:PRICE@RATE, as A:response:2.00@0.05, or "
                   "SEAT:share:PERCENT@REVENUE, as A:share:8%%@1.50",
                   text);
        return false;
    }
    clear->names[i] = text;
    clear->name_lengths[i] = (size_t)((word == NULL ? colon : word - 1) - text);
    clear->bids[i] = (struct price_bid){.bid = i + 1, .seat = (uint32_t)i, .floor = clear->floor};
    for (size_t j = 0; j < i; j++)
        if (clear->name_lengths[j] == clear->name_lengths[i] &&
            memcmp(clear->names[j], text, clear->name_lengths[i]) == 0)
            clear->bids[i].seat = clear->bids[j].seat;
    clear->count++;
    if (word != NULL) return parse_expected(clear, kind, colon + 1, at, &clear->bids[i]);
    return parse_amount(clear, colon + 1, &clear->bids[i].price);
}

void
verb_clear_json_text(const char *text, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 0x20) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static int
print_no_sale(const struct clear *clear, bool json)
{
    char floor[MONEY_TEXT];
    money_format(clear->floor, clear->decimals, floor);
    const char *why = clear->count == 0 ? "there are no bids" : "no bid reaches the floor";
    if (json)
        printf("{\"winner\": null, \"reason\": \"%s\", \"floor\": \"%s\"}\n",
               clear->count == 0 ? "no_bids" : "below_floor", floor);
    else if (clear->count == 0) printf("no sale\n%s\n", why);
    else printf("no sale\n%s %s\n", why, floor);
    return EXIT_NO;
}

// A price in its own kind: "1.60", "5.5%".
static void
format_price(const struct clear *clear, const struct price_bid *bid, money price,
             char out[MONEY_TEXT])
{
    if (bid->kind != PRICE_SHARE) {
        money_format(price, clear->decimals, out);
        return;
    }
    size_t len = money_format(money_of(price.micros * 100), 0, out);
    CHECK(len + 1 < MONEY_TEXT);
    memcpy(out + len, "%", 2);
}

static const char *
kind_says(const struct price_bid *bid)
{
    switch ((enum price_kind)bid->kind) {
    case PRICE_RESPONSE: return " per response";
    case PRICE_SHARE: return " of the revenue";
    case PRICE_PLACEMENT:
    case PRICE_KIND_COUNT: break;
    }
    return "";
}

static void
print_sale_json(const struct clear *clear, const struct price_sale *sale, const char *price)
{
    size_t winner = sale->winner - 1, setter = sale->setter - 1;
    printf("{\"winner\": ");
    verb_clear_json_text(clear->names[winner], clear->name_lengths[winner]);
    if (clear->bids[winner].kind != PRICE_PLACEMENT)
        printf(", \"kind\": \"%s\"", price_kind_name((enum price_kind)clear->bids[winner].kind));
    printf(", \"price\": \"%s\", \"set_by\": ", price);
    if (sale->setter == 0) printf("\"floor\"");
    else verb_clear_json_text(clear->names[setter], clear->name_lengths[setter]);
    printf(", \"winner_bid\": %" PRIu64 ", \"setter_bid\": %" PRIu64 "}\n", sale->winner,
           sale->setter);
}

static void
print_setter(const struct clear *clear, size_t setter)
{
    const struct price_bid *bid = &clear->bids[setter];
    char price[MONEY_TEXT], worth[MONEY_TEXT];
    format_price(clear, bid, bid->price, price);
    printf("set by %.*s's bid %s%s", (int)clear->name_lengths[setter], clear->names[setter], price,
           kind_says(bid));
    if (bid->kind != PRICE_PLACEMENT) {
        money_format(price_score((enum price_kind)bid->kind, bid->price, bid->multiplier),
                     clear->decimals, worth);
        printf(", worth %s", worth);
    }
    putchar('\n');
}

static int
print_sale(const struct clear *clear, const struct price_sale *sale, bool json)
{
    char price[MONEY_TEXT], floor[MONEY_TEXT];
    size_t winner = sale->winner - 1;
    const struct price_bid *bid = &clear->bids[winner];
    format_price(clear, bid, sale->price, price);
    if (json) {
        print_sale_json(clear, sale, price);
        return EXIT_DONE;
    }
    printf("%.*s %s%s\n", (int)clear->name_lengths[winner], clear->names[winner], price,
           kind_says(bid));
    if (sale->setter == 0) {
        money_format(clear->floor, clear->decimals, floor);
        printf("set by the floor %s\n", floor);
    } else {
        print_setter(clear, sale->setter - 1);
    }
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *floor = NULL, *floors = NULL;
    bool together = false;
    const struct verb_option options[] = {{.name = "--floor", .value = &floor},
                                          {.name = "--vcg", .flag = &together},
                                          {.name = "--floors", .value = &floors},
                                          {0}};
    struct clear clear = {0};
    int code = EXIT_USAGE;
    argc = verb_options(&verb_clear, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (together && floor != NULL)
        return verb_usage(&verb_clear, "--vcg takes --floors F1,F2,..., one for each slot");
    if (together) return verb_clear_vcg(floors, argv + 1, (size_t)argc - 1, context->json);
    if (floors != NULL) return verb_usage(&verb_clear, "--floors goes with --vcg");
    if (floor == NULL) return verb_usage(&verb_clear, "needs --floor; without one write --floor 0");
    clear.bids = calloc((size_t)argc, sizeof *clear.bids);
    clear.names = calloc((size_t)argc, sizeof *clear.names);
    clear.name_lengths = calloc((size_t)argc, sizeof *clear.name_lengths);
    CHECK(clear.bids != NULL && clear.names != NULL && clear.name_lengths != NULL);
    if (!parse_amount(&clear, floor, &clear.floor)) goto done;
    for (int i = 1; i < argc; i++)
        if (!parse_bid(&clear, argv[i])) goto done;
    struct price_sale sale;
    price_clear(clear.bids, clear.count, 0, &sale);
    code = sale.winner == 0 ? print_no_sale(&clear, context->json)
                            : print_sale(&clear, &sale, context->json);
done:
    free(clear.bids);
    free(clear.names);
    free(clear.name_lengths);
    return code;
}

const struct verb verb_clear = {
    .name = "clear",
    .arguments =
        "--floor F SEAT:PRICE ... | --vcg [--floors F1,F2,...] SEAT:V1,V2,... ...",
    .summary = "the second price of one slot; the prices of several sold together",
    .help =
        "Who wins one slot, at what price, and who set it: the dearest bid at or above the floor\n"
        "wins and pays the dearest other bid of another seat, at least the floor. A seat may bid\n"
        "several times; its own bids never set its price. Which of two equal bids\n"
        "wins is drawn as in the engine, from their numbers (1 on, in the order given); the price\n"
        "is the same either way.\n"
        "Amounts have at most six decimals.\n"
        "A bid may also be priced per response, with the rate of response that is expected, or as\n"
        "a share of the revenue that is expected to follow. It ranks by what that makes a\n"
        "placement worth, and pays in its own kind; the floor is of the worth.\n"
        "\n"
        "  $ slotctl clear --floor 100 A:110 A:130 C:125 D:105 E:132 E:140\n"
        "  E 130\n"
        "  set by A's bid 130\n"
        "  $ slotctl clear --floor 1.50 A:1.20\n"
        "  no sale\n"
        "  no bid reaches the floor 1.50\n"
        "  $ slotctl clear --floor 0.01 A:response:2.00@0.05 B:0.08 C:share:4%@1.50\n"
        "  A 1.60 per response\n"
        "  set by B's bid 0.08\n"
        "\n"
        "With --vcg several slots are sold together, as in a container with pricing: vcg. Each\n"
        "argument is one message: its seat, and what it bids for each slot in order (- for none).\n"
        "A message takes at most one slot. The assignment with the largest total over the floors\n"
        "wins, and a seat pays what its messages cost the others: for each slot its floor and "
        "what\n"
        "the others could gain there without that seat. A seat may have several messages; they\n"
        "never set its price. --floors gives one floor for each slot; without it all are 0.\n"
        "\n"
        "  $ slotctl clear --vcg x:30,15,6 y:20,10,4 z:10,5,2\n"
        "  x slot 1 pays 13\n"
        "  y slot 2 pays 3\n"
        "  z slot 3 pays 0\n"
        "  $ slotctl clear --vcg --floors 1.50,2 A:4.20,- A:3,1 B:2,-\n"
        "  A slot 1 pays 2.00\n"
        "  slot 2 unsold: no bid reaches its floor 2.00\n"
        "\n"
        "Exit codes: 0 sold, with --vcg at least one slot; 1 no sale; 2 an amount is wrong.\n",
    .run = run,
};
