// slotctl clear --vcg: the prices of several slots sold together as a pocket calculator, by the
// function that prices containers with `pricing: vcg` (vcg.h). Bids are numbered from 1 in the
// order given; each is one message.
//
// One line a slot, in order: "SEAT slot N pays AMOUNT", or "slot N unsold: WHY". Amounts are
// printed with as many decimals as the inputs were written with.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "vcg.h"
#include "verb.h"
#include "verb_clear.h"

struct auction {
    size_t slots;  // 0: not known yet
    unsigned decimals;
    money floors[BOUND_SLOTS];
    size_t bids_on[BOUND_SLOTS];  // bids for each slot, below its floor or not
    char **bids;
    struct vcg vcg;
    struct vcg_sale sales[BOUND_SLOTS];
};

// The number of pieces between commas becomes, or must be, that of the slots.
static bool
fits_slots(struct auction *auction, const char *of, const char *pieces)
{
    size_t count = 1;
    for (const char *at = pieces; (at = strchr(at, ',')) != NULL; at++) count++;
    if (count > BOUND_SLOTS) {
        verb_usage(&verb_clear, "%s: amounts are %zu; at most %d slots are sold together", of,
                   count, BOUND_SLOTS);
        return false;
    }
    if (auction->slots != 0 && auction->slots != count) {
        verb_usage(&verb_clear, "%s: amounts are %zu, slots are %zu; write one for each slot", of,
                   count, auction->slots);
        return false;
    }
    auction->slots = count;
    return true;
}

static bool
parse_floors(struct auction *auction, const char *floors)
{
    if (!fits_slots(auction, "--floors", floors)) return false;
    for (size_t slot = 0; slot < auction->slots; slot++) {
        char place[64];
        snprintf(place, sizeof place, "--floors, slot %zu: ", slot + 1);
        size_t len = strcspn(floors, ",");
        if (!verb_clear_amount(place, floors, len, &auction->decimals, &auction->floors[slot]))
            return false;
        floors += len + 1;
    }
    return true;
}

static size_t
seat_length(const char *bid)
{
    return (size_t)(strrchr(bid, ':') - bid);
}

// The first bid of the same seat.
static uint32_t
seat_of(const struct auction *auction, size_t i)
{
    size_t len = seat_length(auction->bids[i]);
    for (uint32_t j = 0; j < i; j++)
        if (seat_length(auction->bids[j]) == len &&
            memcmp(auction->bids[j], auction->bids[i], len) == 0)
            return j;
    return (uint32_t)i;
}

static bool
check_bid(struct auction *auction, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon != NULL && colon != text) return fits_slots(auction, text, colon + 1);
    verb_usage(&verb_clear, "'%s' is not a message's bids; write SEAT:V1,V2,..., as A:1.50,2",
               text);
    return false;
}

static bool
add_bid(struct auction *auction, size_t i)
{
    const char *text = auction->bids[i], *piece = strrchr(text, ':') + 1;
    struct vcg_bid bid = {.bid = i + 1, .message = (uint32_t)i, .seat = seat_of(auction, i)};
    for (size_t slot = 0; slot < auction->slots; slot++) {
        size_t len = strcspn(piece, ",");
        char place[BOUND_TEXT];
        snprintf(place, sizeof place, "%s, slot %zu: ", text, slot + 1);
        if (len != 1 || *piece != '-') {
            if (!verb_clear_amount(place, piece, len, &auction->decimals, &bid.price)) return false;
            bid.slot = (uint8_t)slot;
            bid.floor = auction->floors[slot];
            auction->bids_on[slot]++;
            (void)vcg_add(&auction->vcg, &bid);
        }
        piece += len + 1;
    }
    return true;
}

static void
print_unsold(const struct auction *auction, size_t slot, bool json)
{
    char floor[MONEY_TEXT];
    money_format(auction->floors[slot], auction->decimals, floor);
    bool none = auction->bids_on[slot] == 0, below = auction->sales[slot].counted == 0;
    if (json)
        printf("{\"slot\": %zu, \"winner\": null, \"reason\": \"%s\", \"floor\": \"%s\"}", slot + 1,
               none    ? "no_bids"
               : below ? "below_floor"
                       : "duplicate",
               floor);
    else if (none) printf("slot %zu unsold: nobody bids for it\n", slot + 1);
    else if (below) printf("slot %zu unsold: no bid reaches its floor %s\n", slot + 1, floor);
    else printf("slot %zu unsold: all messages that reach its floor won other slots\n", slot + 1);
}

static void
print_sold(const struct auction *auction, size_t slot, bool json)
{
    const struct vcg_sale *sale = &auction->sales[slot];
    char price[MONEY_TEXT];
    const char *winner = auction->bids[sale->winner - 1];
    money_format(sale->price, auction->decimals, price);
    if (!json) {
        printf("%.*s slot %zu pays %s\n", (int)seat_length(winner), winner, slot + 1, price);
        return;
    }
    printf("{\"slot\": %zu, \"winner\": ", slot + 1);
    verb_clear_json_text(winner, seat_length(winner));
    printf(", \"price\": \"%s\", \"set_by\": ", price);
    if (sale->setter != 0) {
        const char *setter = auction->bids[sale->setter - 1];
        verb_clear_json_text(setter, seat_length(setter));
    } else {
        printf(sale->price.micros == sale->floor.micros ? "\"floor\"" : "null");
    }
    printf(", \"winner_bid\": %" PRIu64 ", \"setter_bid\": %" PRIu64 "}", sale->winner,
           sale->setter);
}

static int
print(const struct auction *auction, bool json)
{
    bool sold = false;
    if (json) printf("{\"slots\": [");
    for (size_t slot = 0; slot < auction->slots; slot++) {
        if (json && slot > 0) printf(", ");
        if (auction->sales[slot].winner == 0) print_unsold(auction, slot, json);
        else print_sold(auction, slot, json);
        sold = sold || auction->sales[slot].winner != 0;
    }
    if (json) printf("]}\n");
    return sold ? EXIT_DONE : EXIT_NO;
}

int
verb_clear_vcg(const char *floors, char **bids, size_t count, bool json)
{
    if (count == 0 && floors == NULL)
        return verb_usage(&verb_clear, "--vcg needs bids; write SEAT:V1,V2,... for each message");
    struct auction *auction = calloc(1, sizeof *auction);
    CHECK(auction != NULL);
    auction->bids = bids;
    int code = EXIT_USAGE;
    if (floors != NULL && !parse_floors(auction, floors)) goto done;
    for (size_t i = 0; i < count; i++)
        if (!check_bid(auction, bids[i])) goto done;
    vcg_open(&auction->vcg, 0, (unsigned)auction->slots);
    for (size_t i = 0; i < count; i++)
        if (!add_bid(auction, i)) goto done;
    vcg_close(&auction->vcg, auction->sales);
    code = print(auction, json);
done:
    free(auction);
    return code;
}
