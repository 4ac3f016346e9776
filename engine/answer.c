// One function a result. Optional fields are left out, never nil.
#include "answer.h"

#include <string.h>

#include "put.h"

static void
pair_id(struct pack *pack, const char *key, struct id id)
{
    pack_string(pack, key);
    put_id(pack, id);
}

static void
pair_bid(struct pack *pack, const char *key, uint64_t bid)
{
    pack_string(pack, key);
    put_hex(pack, bid);
}

static void
pair_key(struct pack *pack, const char *name, const char key[BOUND_KEY])
{
    pack_pair_text(pack, name, key, strnlen(key, BOUND_KEY));
}

// --- contact -------------------------------------------------------------------------------------
// The one answer that comes thousands of times a second: written by put.h.
static void
put_string(struct pack *pack, const char *text)
{
    put_text(pack, text, strlen(text));
}

static const char *
tagid_of(const struct catalog *catalog, uint32_t id)
{
    uint32_t slot = catalog_slot_by_id(catalog, id);
    return slot == UINT32_MAX ? "removed" : catalog->slots[slot].tagid;
}

static void
put_objectives(struct pack *pack, uint16_t mask)
{
    put_array(pack, (uint32_t)__builtin_popcount(mask));
    for (unsigned left = mask; left != 0; left &= left - 1)
        put_string(pack, objective_name((enum objective)__builtin_ctz(left)));
}

static void
put_placement(struct pack *pack, const struct catalog *catalog, const struct fact *fact)
{
    uint32_t message = catalog_message_by_id(catalog, fact->placement.message);
    uint32_t seat = catalog_seat_by_id(catalog, fact->placement.seat);
    const struct catalog_message *found = message == UINT32_MAX ? NULL
                                                                : &catalog->messages[message];
    enum price_kind kind = (enum price_kind)fact->placement.kind;
    put_map(pack, 13);
    put_word(pack, "placement");
    put_id(pack, fact_placement(fact));
    put_word(pack, "tagid");
    put_string(pack, tagid_of(catalog, fact->placement.slot));
    put_word(pack, "seat");
    put_string(pack, seat == UINT32_MAX ? "removed" : catalog->seats[seat].code);
    put_word(pack, "bid");
    put_hex(pack, fact->placement.bid);
    put_word(pack, "message");
    put_string(pack, found == NULL ? "removed" : found->code);
    put_word(pack, "crid");
    put_string(pack, found == NULL ? "removed" : found->content);
    put_word(pack, "format");
    put_string(pack, found == NULL ? "removed" : found->format_text);
    put_word(pack, "rung");
    put_integer(pack, fact->placement.rung + 1);
    put_word(pack, "objectives");
    put_objectives(pack, fact->placement.objectives);
    put_word(pack, "kind");
    put_string(pack, price_kind_name(kind));
    if (kind == PRICE_SHARE) put_word(pack, "share_ppm");
    else put_word(pack, "price_micros");
    put_integer(pack, fact->placement.price.micros);
    put_word(pack, "floor_micros");
    put_integer(pack, fact->placement.floor.micros);
    put_word(pack, "expires_us");
    put_integer(pack, fact->placement.expires.us);
}

static void
put_unfilled(struct pack *pack, const struct catalog *catalog, const struct fact *fact)
{
    enum reason reason = (enum reason)fact->unfilled.reason;
    put_map(pack, 4);
    put_word(pack, "tagid");
    put_string(pack, tagid_of(catalog, fact->unfilled.slot));
    put_word(pack, "code");
    put_integer(pack, reason_number(reason));
    put_word(pack, "reason");
    put_string(pack, reason_key(reason));
    put_word(pack, "text");
    put_string(pack, reason_text(reason));
}

void
answer_contact(struct pack *pack, const struct catalog *catalog, const struct fact *facts,
               unsigned count, bool repeated, bool test)
{
    uint32_t placements = 0, unfilled = 0;
    // Outcomes are behind the contact; what else there is, the record, is not looked at.
    unsigned end = 1u + facts[0].opened.slots;
    if (end < count) count = end;
    for (unsigned i = 1; i < count; i++) {
        placements += facts[i].kind == FACT_PLACEMENT;
        unfilled += facts[i].kind == FACT_UNFILLED;
    }
    put_map(pack, test ? 8 : 7);
    put_word(pack, "id");
    put_text(pack, facts[0].opened.key, strnlen(facts[0].opened.key, BOUND_KEY));
    put_word(pack, "contact");
    put_id(pack, facts[0].contact);
    put_word(pack, "cur");
    put_text(pack, catalog->currency.code, 3);
    put_word(pack, "catalog");
    put_integer(pack, (int64_t)facts[0].opened.catalog);
    put_word(pack, "placements");
    put_array(pack, placements);
    for (unsigned i = 1; i < count; i++)
        if (facts[i].kind == FACT_PLACEMENT) put_placement(pack, catalog, &facts[i]);
    put_word(pack, "unfilled");
    put_array(pack, unfilled);
    for (unsigned i = 1; i < count; i++)
        if (facts[i].kind == FACT_UNFILLED) put_unfilled(pack, catalog, &facts[i]);
    put_word(pack, "repeated");
    put_boolean(pack, repeated);
    if (test) {
        put_word(pack, "test");
        put_integer(pack, 1);
    }
}

void
answer_event(struct pack *pack, struct id placement, enum fact_kind kind, bool repeated)
{
    pack_map(pack, 3);
    pair_id(pack, "placement", placement);
    pack_pair_string(pack, "event", fact_kind_name(kind));
    pack_pair_boolean(pack, "repeated", repeated);
}

static const char *
state_word(uint8_t state)
{
    switch ((enum bid_state)state) {
    case BID_ACTIVE: return "active";
    case BID_PAUSED: return "paused";
    case BID_WITHDRAWN: return "withdrawn";
    }
    return "unknown";
}

void
answer_bid(struct pack *pack, const struct catalog *catalog, const char key[BOUND_KEY],
           uint64_t bid, uint8_t state, bool repeated)
{
    bool stands = state != BID_WITHDRAWN;
    pack_map(pack, stands ? 6 : 5);
    pair_key(pack, "id", key);
    pair_bid(pack, "bid", bid);
    pack_pair_string(pack, "state", state_word(state));
    if (stands) pack_pair_boolean(pack, "live", state == BID_ACTIVE);
    pack_pair_integer(pack, "catalog", (int64_t)catalog->version);
    pack_pair_boolean(pack, "repeated", repeated);
}

// The lowest ids above `after`, kept sorted; one more than asked, to know whether there are more.
struct bid_page {
    const struct catalog_bid *bids[DECODE_BIDS_MOST + 1];
    uint32_t count, room;
};

static void
page_add(struct bid_page *page, const struct catalog_bid *bid)
{
    if (page->count == page->room) {
        if (bid->id > page->bids[page->count - 1]->id) return;
        page->count--;
    }
    uint32_t at = page->count++;
    while (at > 0 && page->bids[at - 1]->id > bid->id) {
        page->bids[at] = page->bids[at - 1];
        at--;
    }
    page->bids[at] = bid;
}

void
answer_price(struct pack *pack, const struct catalog *catalog, enum price_kind kind, money price)
{
    pack_pair_string(pack, "kind", price_kind_name(kind));
    pack_pair_integer(pack, kind == PRICE_SHARE ? "share_ppm" : "price_micros", price.micros);
    pack_pair_text(pack, "cur", catalog->currency.code, 3);
}

static void
put_bid(struct pack *pack, const struct catalog *catalog, const struct catalog_bid *bid)
{
    bool tagid = bid->slot != UINT32_MAX, from = bid->from.us != 0, until = bid->until.us != 0;
    pack_map(pack, ANSWER_PRICE_PAIRS + 4u + tagid + from + until);
    pair_key(pack, "id", bid->key);
    pair_bid(pack, "bid", bid->id);
    pack_pair_string(pack, "message", catalog->messages[bid->message].code);
    if (tagid) pack_pair_string(pack, "tagid", catalog->slots[bid->slot].tagid);
    answer_price(pack, catalog, (enum price_kind)bid->kind, bid->price);
    if (from) pack_pair_integer(pack, "from_us", bid->from.us);
    if (until) pack_pair_integer(pack, "until_us", bid->until.us);
    pack_pair_string(pack, "state", state_word(bid->state));
}

void
answer_find_bids(const struct catalog *catalog, const struct listing *listing,
                 const struct book *book, uint16_t seat_id, uint64_t after, uint32_t limit,
                 struct answer_bids *out_bids)
{
    struct bid_page page = {.room = limit + 1};
    uint32_t seat = catalog_seat_by_id(catalog, seat_id);
    struct book_bids overlay = book_overlay(book);
    struct listing_bids own = listing_of(listing, catalog, seat, after);
    for (uint32_t i = 0; i < own.count && page.count < page.room; i++) {
        const struct catalog_bid *bid = &catalog->bids[own.bids[i]];
        if (bid->state != BID_WITHDRAWN && !book_bid_replaced(book, own.bids[i]))
            page_add(&page, bid);
    }
    for (uint32_t i = 0; i < overlay.count; i++) {
        const struct catalog_bid *bid = &overlay.bids[i];
        if (bid->seat == seat && bid->id > after && bid->state != BID_WITHDRAWN)
            page_add(&page, bid);
    }
    out_bids->more = page.count > limit;
    out_bids->count = out_bids->more ? limit : page.count;
    for (uint32_t i = 0; i < out_bids->count; i++) out_bids->bids[i] = *page.bids[i];
}

void
answer_bid_list(struct pack *pack, const struct catalog *catalog, const struct answer_bids *bids)
{
    pack_map(pack, bids->more ? 2 : 1);
    pack_string(pack, "bids");
    pack_array(pack, bids->count);
    for (uint32_t i = 0; i < bids->count; i++) put_bid(pack, catalog, &bids->bids[i]);
    if (bids->more) pair_bid(pack, "next", bids->bids[bids->count - 1].id);
}
