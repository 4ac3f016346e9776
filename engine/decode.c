// Each decoder walks the params map once, in the order sent, and marks the fields it has met; what
// is required is asked for at the end. Unknown fields are skipped by the reader.
#include "decode.h"

#include <string.h>

#include "callout.h"
#include "decode_inside.h"

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))

bool
decode_key(struct wire_reader *reader, char out_key[BOUND_KEY])
{
    struct wire_text text;
    if (!wire_text(reader, 1, BOUND_KEY, &text)) return false;
    memset(out_key, 0, BOUND_KEY);
    memcpy(out_key, text.data, text.len);
    return true;
}

bool
decode_time(struct wire_reader *reader, usec now, usec *out_at)
{
    return wire_integer(reader, 0, now.us + DECODE_AHEAD_US, &out_at->us);
}

bool
decode_out_of_range(struct wire_reader *reader, const char *hint)
{
    wire_trouble(reader, REASON_OUT_OF_RANGE, NULL);
    reader->hint = hint;
    return false;
}

bool
decode_finish_part(struct wire_reader *params, const struct wire_reader *part, bool done)
{
    if (!done && part->reason != REASON_NONE) *params = *part;
    return done;
}

bool
decode_currency(struct wire_reader *reader, struct currency *out_currency)
{
    struct wire_text text;
    if (!wire_text(reader, 3, 3, &text)) return false;
    if (currency_parse(text.data, text.len, out_currency) == STATUS_OK) return true;
    return decode_out_of_range(reader, "is no currency; send its code, such as \"EUR\"");
}

// --- hello -------------------------------------------------------------------------------------

bool
decode_hello(struct wire_reader *params, struct wire_text *out_client,
             struct wire_text *out_version)
{
    struct wire_map map;
    struct wire_text key;
    *out_client = (struct wire_text){"", 0};
    *out_version = (struct wire_text){"", 0};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "client")) wire_text(params, 0, BOUND_CODE, out_client);
        else if (wire_same(key, "version")) wire_text(params, 0, BOUND_CODE, out_version);
    }
    return params->reason == REASON_NONE;
}

bool
decode_nothing(struct wire_reader *params)
{
    struct wire_map map;
    struct wire_text key;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) continue;
    return params->reason == REASON_NONE;
}

// --- event -------------------------------------------------------------------------------------

static const struct {
    const char *word;
    enum fact_kind kind;
} event_words[] = {
    {"delivered", FACT_DELIVERED},   {"accepted", FACT_ACCEPTED},   {"declined", FACT_DECLINED},
    {"cancelled", FACT_CANCELLED},   {"converted", FACT_CONVERTED}, {"refunded", FACT_REFUNDED},
    {"complained", FACT_COMPLAINED},
};

static bool
take_event_word(struct wire_reader *reader, enum fact_kind *out_kind)
{
    struct wire_text text;
    if (!wire_text(reader, 1, BOUND_CODE, &text)) return false;
    for (size_t i = 0; i < ARRAY_COUNT(event_words); i++) {
        if (!wire_same(text, event_words[i].word)) continue;
        *out_kind = event_words[i].kind;
        return true;
    }
    return decode_out_of_range(reader,
                               "is none of its words; send one of: delivered, accepted, declined, "
                               "cancelled, complained, converted, refunded");
}

// What belongs to revenue is read only when the event turns out to be one, and else ignored.
enum event_part { PART_ORDER, PART_REFUND, PART_AMOUNT, PART_CURRENCY, PART_COUNT };
static const char *const part_names[PART_COUNT] = {"order", "refund", "amount_micros", "cur"};

struct event_draft {
    bool has_placement, has_id;
    char id[BOUND_KEY], order[BOUND_KEY], refund[BOUND_KEY];
    bool has[PART_COUNT];
    struct wire_reader at[PART_COUNT];
};

static void
take_event_field(struct wire_reader *reader, struct wire_text key, usec now, struct event *event,
                 struct event_draft *draft)
{
    struct wire_text text;
    if (wire_same(key, "placement")) {
        if (!wire_text(reader, 32, 36, &text)) return;
        draft->has_placement = id_parse(text.data, text.len, &event->placement) == STATUS_OK;
        if (!draft->has_placement)
            decode_out_of_range(reader,
                                "is no placement's id; send the 32 digits that the contact's "
                                "answer gave");
    } else if (wire_same(key, "event")) take_event_word(reader, &event->kind);
    else if (wire_same(key, "at_us")) decode_time(reader, now, &event->effective);
    else if (wire_same(key, "id")) draft->has_id = decode_key(reader, draft->id);
    else
        for (int part = 0; part < PART_COUNT; part++) {
            if (!wire_same(key, part_names[part])) continue;
            draft->has[part] = true;
            draft->at[part] = *reader;
        }
}

// What an order is known by: the merchant and the reference. The merchant is the seat whose
// placement brought it, or, when its contract says so, the host (seat 0): so one order of the host
// is one order, however many seats report it. (An unknown placement is refused later, whatever the
// order.)
static struct id
order_id(const struct book *book, const struct event *event, const char order[BOUND_KEY])
{
    struct book_placement placement;
    uint8_t data[sizeof(uint32_t) + BOUND_KEY] = {0};
    if (book_find_placement(book, event->placement, &placement) &&
        !placement.fact->placement.of_host)
        memcpy(data, &placement.fact->placement.seat, sizeof(uint32_t));
    memcpy(data + sizeof(uint32_t), order, BOUND_KEY);
    return hash_id("order", data, sizeof data);
}

static bool
take_event_part(struct wire_reader *reader, enum event_part part, struct event *event,
                struct event_draft *draft)
{
    switch (part) {
    case PART_ORDER: return decode_key(reader, draft->order);
    case PART_REFUND: return decode_key(reader, draft->refund);
    case PART_AMOUNT: return wire_integer(reader, 1, BOUND_MICROS, &event->amount.micros);
    case PART_CURRENCY:
    case PART_COUNT: break;
    }
    return decode_currency(reader, &event->currency);
}

static bool
finish_revenue(const struct book *book, struct wire_reader *params, struct event *event,
               struct event_draft *draft)
{
    for (int part = 0; part < PART_COUNT; part++) {
        struct wire_reader *at = &draft->at[part];
        if (part == PART_REFUND && event->kind != FACT_REFUNDED) continue;
        if (!draft->has[part]) return wire_trouble(params, REASON_MISSING_FIELD, part_names[part]);
        if (!decode_finish_part(params, at,
                                take_event_part(at, (enum event_part)part, event, draft)))
            return false;
    }
    event->order = order_id(book, event, draft->order);
    memcpy(event->key, event->kind == FACT_REFUNDED ? draft->refund : draft->order, BOUND_KEY);
    return true;
}

// A seat knows a placement by its own name, told with the win, or by its id, which the touchpoint
// may have handed on.
static void
resolve_placement(const struct decode_by *by, struct id *placement)
{
    struct book_placement found;
    if (by->role != ROLE_SEAT || book_find_placement(by->book, *placement, &found)) return;
    struct id named = callout_placement_named(by->customer_secret, *placement, by->party);
    if (book_find_placement(by->book, named, &found)) *placement = named;
}

bool
decode_event(const struct decode_by *by, struct wire_reader *params, struct event *out_event,
             struct id *out_named, enum reason *out_reason)
{
    struct event_draft draft = {.has_id = false};
    struct wire_map map;
    struct wire_text key;
    *out_reason = REASON_NONE;
    *out_event = (struct event){
        .kind = FACT_NONE, .role = by->role, .party = by->party, .effective = by->now};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key))
        take_event_field(params, key, by->now, out_event, &draft);
    if (params->reason != REASON_NONE) return false;
    if (!draft.has_placement) return wire_trouble(params, REASON_MISSING_FIELD, "placement");
    if (out_event->kind == FACT_NONE) return wire_trouble(params, REASON_MISSING_FIELD, "event");
    *out_named = out_event->placement;
    resolve_placement(by, &out_event->placement);
    if (out_event->kind == FACT_CONVERTED || out_event->kind == FACT_REFUNDED)
        return finish_revenue(by->book, params, out_event, &draft);
    if (by->role == ROLE_SEAT) {
        *out_reason = REASON_WRONG_ROLE;
        return false;
    }
    memcpy(out_event->key, draft.id, BOUND_KEY);
    return true;
}

// --- bids --------------------------------------------------------------------------------------

struct bid_draft {
    bool has_id, has_message, has_currency, has_tagid, paused;
    struct decode_price price;
    struct wire_text message, tagid;
};

bool
decode_price_field(struct wire_reader *reader, struct wire_text key, struct decode_price *price)
{
    struct wire_text text;
    if (wire_same(key, "kind")) {
        if (!wire_text(reader, 1, BOUND_CODE, &text)) return true;
        if (price_kind_parse(text.data, text.len, &price->kind) != STATUS_OK)
            decode_out_of_range(reader,
                                "is none of its words; send one of: placement, response, share");
    } else if (wire_same(key, "price_micros")) {
        price->has_micros = wire_integer(reader, 1, BOUND_MICROS, &price->micros);
    } else if (wire_same(key, "share_ppm")) {
        price->has_share = wire_integer(reader, 1, DECODE_SHARE_MOST, &price->share);
    } else {
        return false;
    }
    return true;
}

bool
decode_price_finish(struct wire_reader *reader, const struct decode_price *price, uint8_t *out_kind,
                    money *out_price)
{
    bool share = price->kind == PRICE_SHARE;
    const char *wanted = share ? "share_ppm" : "price_micros";
    const char *other = share ? "price_micros" : "share_ppm";
    if (share ? price->has_micros : price->has_share) {
        wire_trouble(reader, REASON_OUT_OF_RANGE, other);
        reader->hint = share ? "does not go with kind share; send share_ppm alone"
                             : "goes with kind share only; send kind, or price_micros alone";
        return false;
    }
    if (share ? !price->has_share : !price->has_micros)
        return wire_trouble(reader, REASON_MISSING_FIELD, wanted);
    *out_kind = (uint8_t)price->kind;
    out_price->micros = share ? price->share : price->micros;
    return true;
}

static void
take_bid_field(struct wire_reader *reader, struct wire_text key, struct offer *offer,
               struct bid_draft *draft)
{
    if (wire_same(key, "id")) draft->has_id = decode_key(reader, offer->key);
    else if (wire_same(key, "message"))
        draft->has_message = wire_text(reader, 1, BOUND_CODE, &draft->message);
    else if (decode_price_field(reader, key, &draft->price)) return;
    else if (wire_same(key, "cur")) draft->has_currency = decode_currency(reader, &offer->currency);
    else if (wire_same(key, "tagid"))
        draft->has_tagid = wire_text(reader, 1, BOUND_CODE, &draft->tagid);
    else if (wire_same(key, "from_us"))
        wire_integer(reader, 0, DECODE_INTEGER_MOST, &offer->from.us);
    else if (wire_same(key, "until_us"))
        wire_integer(reader, 0, DECODE_INTEGER_MOST, &offer->until.us);
    else if (wire_same(key, "paused")) wire_boolean(reader, &draft->paused);
}

bool
decode_bid_put(const struct decode_by *by, struct wire_reader *params, struct offer *out_offer,
               enum reason *out_reason)
{
    struct bid_draft draft = {.paused = false};
    struct wire_map map;
    struct wire_text key;
    *out_reason = REASON_NONE;
    *out_offer = (struct offer){.seat = by->party, .slot = UINT32_MAX};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) take_bid_field(params, key, out_offer, &draft);
    if (params->reason != REASON_NONE) return false;
    if (!draft.has_id) return wire_trouble(params, REASON_MISSING_FIELD, "id");
    if (!draft.has_message) return wire_trouble(params, REASON_MISSING_FIELD, "message");
    if (!decode_price_finish(params, &draft.price, &out_offer->kind, &out_offer->price))
        return false;
    if (!draft.has_currency) return wire_trouble(params, REASON_MISSING_FIELD, "cur");
    if (out_offer->until.us != 0 && out_offer->until.us <= out_offer->from.us) {
        wire_trouble(params, REASON_OUT_OF_RANGE, "until_us");
        params->hint = "is not after from_us; send a later time, or leave it out";
        return false;
    }
    out_offer->state = draft.paused ? BID_PAUSED : BID_ACTIVE;
    out_offer->message = catalog_message_by_code(by->catalog, draft.message.data,
                                                 draft.message.len);
    if (out_offer->message == UINT32_MAX) {
        *out_reason = REASON_UNKNOWN_MESSAGE;
        return false;
    }
    if (!draft.has_tagid) return true;
    out_offer->slot = catalog_slot_by_tagid(by->catalog, draft.tagid.data, draft.tagid.len);
    if (out_offer->slot == UINT32_MAX) *out_reason = REASON_UNKNOWN_SLOT;
    return out_offer->slot != UINT32_MAX;
}

bool
decode_bid_withdraw(const struct decode_by *by, struct wire_reader *params, struct offer *out_offer)
{
    struct wire_map map;
    struct wire_text key;
    bool has_id = false;
    *out_offer = (struct offer){
        .seat = by->party, .slot = UINT32_MAX, .message = UINT32_MAX, .state = BID_WITHDRAWN};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key))
        if (wire_same(key, "id")) has_id = decode_key(params, out_offer->key);
    if (params->reason != REASON_NONE) return false;
    return has_id || wire_trouble(params, REASON_MISSING_FIELD, "id");
}

static bool
take_bid_id(struct wire_reader *reader, uint64_t *out_id)
{
    struct wire_text text;
    if (!wire_text(reader, 16, 16, &text)) return false;
    uint64_t id = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return decode_out_of_range(reader, "is no bid's id; send `next` of the answer before");
        id = id << 4 | (uint64_t)digit;
    }
    *out_id = id;
    return true;
}

bool
decode_bid_list(struct wire_reader *params, uint64_t *out_after, uint32_t *out_limit)
{
    struct wire_map map;
    struct wire_text key;
    int64_t limit = 100;
    *out_after = 0;
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "after")) take_bid_id(params, out_after);
        else if (wire_same(key, "limit")) wire_integer(params, 1, DECODE_BIDS_MOST, &limit);
    }
    *out_limit = (uint32_t)limit;
    return params->reason == REASON_NONE;
}

// --- statements --------------------------------------------------------------------------------

// A period's name becomes part of a path: only what a period's name can be is let through.
static bool
is_period(struct wire_text text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (!word) return false;
    }
    return true;
}

bool
decode_statement_get(struct wire_reader *params, struct decode_statement *out_get,
                     enum reason *out_reason)
{
    static const struct {
        const char *format, *suffix;
    } formats[] = {{"json", "json"},
                   {"csv", "csv"},
                   {"text", "txt"},
                   {"pdf", "pdf"},
                   {"invoice", "invoice.xml"},
                   {"selfbill", "selfbill.xml"},
                   {"reconcile", "reconcile.csv"}};
    struct wire_map map;
    struct wire_text key, period = {NULL, 0}, format = {NULL, 0};
    *out_reason = REASON_NONE;
    *out_get = (struct decode_statement){.offset = 0};
    if (!wire_map_begin(params, &map)) return false;
    while (wire_map_next(params, &map, &key)) {
        if (wire_same(key, "period")) wire_text(params, 1, DECODE_PERIOD, &period);
        else if (wire_same(key, "format")) wire_text(params, 1, BOUND_CODE, &format);
        else if (wire_same(key, "offset"))
            wire_integer(params, 0, DECODE_INTEGER_MOST, &out_get->offset);
    }
    if (params->reason != REASON_NONE) return false;
    if (period.data == NULL) return wire_trouble(params, REASON_MISSING_FIELD, "period");
    if (format.data == NULL) return wire_trouble(params, REASON_MISSING_FIELD, "format");
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (!wire_same(format, formats[i].format)) continue;
        out_get->format = formats[i].format;
        out_get->suffix = formats[i].suffix;
    }
    if (out_get->format == NULL || !is_period(period)) {
        *out_reason = REASON_NOT_FOUND;
        return false;
    }
    memcpy(out_get->period, period.data, period.len);
    return true;
}
