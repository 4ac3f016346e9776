// What a batch of facts needs from the database, and does not bring itself.
//
//  1 Placements of events and revenues; then orders of revenues, and the placements of those.
//  2 While there are touches: orders of customers of whom a delivery or an acceptance is reported,
//    if they converted not before it; and every placement that may be a touch of a conversion in
//    this batch, or of such an order: one that was delivered or accepted within the widest window
//    before it. Touches are looked for in the same log: a customer's contacts are all decided by
//    one node.
//  3 What is looked up by id is asked for in subqueries that the server cannot turn into joins: on
//    large tables it would now and then read all of one to join a few rows.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "replay_inside.h"

// Ids that are wanted, each once.
struct wanted {
    struct idmap known;
    struct id *ids;
    size_t count, room;
};

static void
want(struct wanted *wanted, struct id id)
{
    if (idmap_find(&wanted->known, id) != IDMAP_NONE) return;
    idmap_put(&wanted->known, id, 0);
    wanted->ids = replay_room(wanted->ids, wanted->count, &wanted->room, sizeof *wanted->ids);
    wanted->ids[wanted->count++] = id;
}

static void
want_fini(struct wanted *wanted)
{
    idmap_fini(&wanted->known);
    free(wanted->ids);
}

// What one batch needs.
struct need {
    struct replay *replay;
    struct db *db;
    struct idmap brought;  // placements that the batch itself brings: index of the fact
    struct wanted placements, orders;
    struct wanted touched;  // keys (touch.h) whose touches are wanted
    int64_t *customers;     // of events; then of touches
    struct id *anonymous;   // placements of events whose customers are not known
    size_t customer_count, anonymous_count;
    usec touches_from;  // touches are wanted from here on
};

static enum status
said(struct replay *replay, struct db *db, enum status status, const char *what, uint64_t number)
{
    return replay_say(replay, status, what, number, db_fault(db)->text);
}

// --- Placements --------------------------------------------------------------------------------

static uint8_t
charge_of(const struct db_rows *rows, size_t row, size_t column)
{
    for (unsigned i = 0; i < CHARGE_COUNT; i++) {
        if (strcmp(db_get_text(rows, row, column), market_charge_name((enum charge)i)) == 0) {
            return (uint8_t)i;
        }
    }
    return CHARGE_DELIVERY;
}

// Columns of wins_sql behind those of the placement: what became of it.
enum { DELIVERED_AT = 17, ACCEPTED_AT, CANCELLED, REFUSED, CONVERTED, WIN_LOG };

static void
fill_ends(struct posting_win *win, const struct db_rows *rows, size_t row)
{
    bool response = posting_due_at_response(win), conversion = posting_due_at_conversion(win);
    win->delivered = !db_is_null(rows, row, DELIVERED_AT);
    win->delivered_at = db_get_time(rows, row, DELIVERED_AT);
    win->accepted_at = db_get_time(rows, row, ACCEPTED_AT);
    win->released = db_get_bool(rows, row, CANCELLED) ||
                    ((response || conversion) && db_get_bool(rows, row, REFUSED));
    bool charged = response                       ? win->accepted_at.us != 0
                   : conversion                   ? db_get_bool(rows, row, CONVERTED)
                   : win->kind == PRICE_PLACEMENT ? win->delivered
                                                  : false;
    win->ended = win->released || charged;
}

static enum status
load_win(struct replay *replay, struct db *db, const struct db_rows *rows, size_t row)
{
    struct contract_terms *terms = NULL;
    struct posting_win win = {
        .placement = db_get_id(rows, row, 0),
        .at = db_get_time(rows, row, 1),
        .market_version = (uint64_t)db_get_int(rows, row, 2),
        .price = db_get_money(rows, row, 3),
        .floor = db_get_money(rows, row, 4),
        .slot = (uint32_t)db_get_int(rows, row, 6),
        .message = (uint32_t)db_get_int(rows, row, 7),
        .seat = (uint32_t)db_get_int(rows, row, 8),
        .owner = (uint32_t)db_get_int(rows, row, 9),
        .contract = (uint32_t)db_get_int(rows, row, 10),
        .objectives = (uint16_t)db_get_int(rows, row, 11),
        .rung = (uint8_t)db_get_int(rows, row, 12),
        .charge = charge_of(rows, row, 13),
        .kind = (uint8_t)db_get_int(rows, row, 14),
        .channel = (uint8_t)(db_get_int(rows, row, 15) % CHANNEL_COUNT),
        .customer = (uint64_t)db_get_int(rows, row, 16),
        .foreign = (uint32_t)db_get_int(rows, row, WIN_LOG) != replay->log,
    };
    fill_ends(&win, rows, row);
    if (currency_parse(db_get_text(rows, row, 5), db_get_len(rows, row, 5), &win.currency) !=
        STATUS_OK) {
        return replay_say(replay, STATUS_DAMAGED, "currency of an outcome of slot", win.slot, "");
    }
    enum status status = replay_terms(replay, db, win.market_version, &terms);
    if (status != STATUS_OK) return status;
    if (posting_terms(terms, &win) != STATUS_OK) {
        return replay_say(replay, STATUS_NOT_FOUND, "no seat with the id", win.seat, "");
    }
    replay_keep_win(replay, &win);
    return STATUS_OK;
}

static const char wins_sql[] =
    "select o.placement_id, o.at_us, o.market_version, o.price_micros, o.floor_micros, "
    "o.currency, o.slot, o.message, o.seat, o.owner, o.contract, o.objectives, o.rung, o.charge, "
    "o.kind, o.cell, (select c.customer from contact c where c.contact_id = o.contact_id), "
    "e.delivered_us, e.accepted_us, coalesce(e.cancelled, false), "
    "coalesce(e.refused, false), "
    "o.charge = 'conversion' and exists (select 1 from revenue r "
    "where r.placement_id = o.placement_id and r.kind = 'converted' "
    "and r.state in ('posted', 'no_share')), o.log "
    "from outcome o cross join lateral ("
    "select min(effective_us) filter (where kind = 'delivered') as delivered_us, "
    "min(effective_us) filter (where kind = 'accepted') as accepted_us, "
    "bool_or(kind in ('cancelled', 'expired')) as cancelled, "
    "bool_or(kind in ('declined', 'lapsed')) as refused "
    "from event where placement_id = o.placement_id and state = 'posted') e "
    "where o.filled and o.placement_id = any($1)";

// Holds that a close expired, of the placements of this batch, or of the whole log.
static enum status
load_expired(struct replay *replay, struct db *db, const struct wanted *placements)
{
    const struct db_param params[] = {
        db_int4((int32_t)replay->log),
        db_id_array(placements ? placements->ids : NULL, placements ? placements->count : 0)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        placements ? "select placement_id, batch from hold_expiry where log = $1 "
                     "and placement_id = any($2)"
                   : "select placement_id, batch from hold_expiry where log = $1",
        params, placements ? 2 : 1, &rows);
    if (status != STATUS_OK)
        return said(replay, db, status, "reading expired holds of log", replay->log);
    for (size_t i = 0; i < db_count(rows); i++) {
        replay->expired_at = replay_room(replay->expired_at, replay->expired_count,
                                         &replay->expired_room, sizeof *replay->expired_at);
        replay->expired_at[replay->expired_count] = (uint64_t)db_get_int(rows, i, 1);
        idmap_put(&replay->expired_of, db_get_id(rows, i, 0), (uint32_t)replay->expired_count++);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
replay_load_wins(struct replay *replay, struct db *db, const struct id *ids, size_t count)
{
    const struct db_param params[] = {db_id_array(ids, count)};
    struct db_rows *rows = NULL;
    if (count == 0) return STATUS_OK;
    enum status status = db_query(db, wins_sql, params, 1, &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading placements:", count);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        status = load_win(replay, db, rows, i);
    }
    db_rows_free(rows);
    return status;
}

static enum status
load_wins(struct need *need)
{
    enum status status = replay_load_wins(need->replay, need->db, need->placements.ids,
                                          need->placements.count);
    need->placements.count = 0;  // they are known now
    return status;
}

// --- Orders ------------------------------------------------------------------------------------

static enum status
load_orders(struct need *need)
{
    struct replay *replay = need->replay;
    size_t first = replay->order_count;
    if (need->orders.count == 0) return STATUS_OK;
    enum status status = replay_lock_orders(replay, need->db, need->orders.ids, need->orders.count);
    if (status == STATUS_OK) {
        status = replay_load_orders(replay, need->db, need->orders.ids, need->orders.count);
    }
    for (size_t i = first; status == STATUS_OK && i < replay->order_count; i++) {
        struct id placement = replay->orders[i].placement;
        if (idmap_find(&need->brought, placement) == IDMAP_NONE &&
            !replay_find_win(replay, placement)) {
            want(&need->placements, placement);
        }
    }
    return status == STATUS_OK ? load_wins(need) : status;
}

// --- Touches -----------------------------------------------------------------------------------

// Whether any market version divides among touches: of those that were decided before, the database
// knows; of those that decide in this batch, their terms.
static enum status
learn_touching(struct need *need, const struct fact *facts, size_t count)
{
    struct replay *replay = need->replay;
    enum status status = STATUS_OK;
    if (!replay->asked) {
        struct db_rows *rows = NULL;
        status = db_query(need->db,
                          "select exists (select 1 from market_object "
                          "where kind = 'contract' and body::text like '%\"touches\"%')",
                          NULL, 0, &rows);
        if (status != STATUS_OK) return said(replay, need->db, status, "asking for touches", 0);
        replay->touching = replay->touching || db_get_bool(rows, 0, 0);
        replay->asked = true;
        db_rows_free(rows);
    }
    uint64_t last = 0;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        uint64_t version;
        struct contract_terms *terms;
        if (facts[i].kind != FACT_CONTACT || facts[i].opened.catalog == last) continue;
        last = facts[i].opened.catalog;
        status = replay_market(replay, need->db, last, &version);
        if (status == STATUS_OK) status = replay_terms(replay, need->db, version, &terms);
        if (status == STATUS_NOT_FOUND) status = STATUS_OK;  // the fact itself will say so
    }
    return status;
}

// The customer of an event's placement; false: it is not known, so nothing follows.
static bool
customer_of(const struct need *need, const struct fact *facts, struct id placement,
            uint64_t *out_customer)
{
    uint32_t at = idmap_find(&need->brought, placement);
    const struct posting_win *win = replay_find_win(need->replay, placement);
    if (at == IDMAP_NONE && !win) return false;
    *out_customer = win ? win->customer : facts[at].customer;
    return true;
}

static void
want_touches(struct need *need, uint64_t customer, struct id placement, usec at)
{
    struct id key = touch_key(customer, placement);
    if (at.us < need->touches_from.us) need->touches_from = at;
    if (customer == 0 || idmap_find(&need->touched.known, key) != IDMAP_NONE) return;
    want(&need->touched, key);
}

// Orders that a touch of this batch may share in: those of its customer, and of an anonymous
// contact those of the placement itself, that converted not before it.
static enum status
want_orders(struct need *need, const struct fact *facts, size_t count)
{
    struct wanted customers = {.count = 0}, anonymous = {.count = 0};
    int64_t *numbers = NULL, earliest = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &facts[i];
        uint64_t customer;
        struct id placement = fact_placement(fact);
        if (fact->kind == FACT_CONVERTED && customer_of(need, facts, placement, &customer)) {
            usec at = fact->revenue.effective.us > 0 ? fact->revenue.effective : fact->at;
            want_touches(need, customer, placement, at.us < fact->at.us ? at : fact->at);
        }
        if ((fact->kind != FACT_DELIVERED && fact->kind != FACT_ACCEPTED) ||
            !customer_of(need, facts, placement, &customer)) {
            continue;
        }
        int64_t at = fact->event.effective.us;
        if (at <= 0 || at > fact->at.us) at = fact->at.us;
        if (at < earliest) earliest = at;
        want(customer ? &customers : &anonymous, touch_key(customer, placement));
    }
    enum status status = STATUS_OK;
    struct db_rows *rows = NULL;
    if (customers.count + anonymous.count == 0) goto done;
    numbers = calloc(customers.count + 1, sizeof *numbers);
    CHECK(numbers);
    for (size_t i = 0; i < customers.count; i++) {
        memcpy(&numbers[i], customers.ids[i].bytes, sizeof numbers[i]);
    }
    const struct db_param params[] = {db_int8_array(numbers, customers.count),
                                      db_id_array(anonymous.ids, anonymous.count),
                                      db_int8(earliest), db_int4((int32_t)need->replay->log)};
    status = db_query(need->db,
                      "select order_id, customer, placement_id, effective_us from revenue "
                      "where customer = any($1) and model is not null and effective_us >= $3 "
                      "and log = $4 union all "
                      "select order_id, null, placement_id, effective_us from revenue "
                      "where placement_id = any($2) and model is not null and effective_us >= $3",
                      params, 4, &rows);
    if (status != STATUS_OK) {
        status = said(need->replay, need->db, status,
                      "reading orders of customers:", customers.count);
        goto done;
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        want(&need->orders, db_get_id(rows, i, 0));
        want_touches(need, (uint64_t)db_get_int(rows, i, 1), db_get_id(rows, i, 2),
                     db_get_time(rows, i, 3));
    }
done:
    db_rows_free(rows);
    free(numbers);
    want_fini(&customers);
    want_fini(&anonymous);
    return status;
}

// Touches of the customers wanted. Terms of all orders are known by now, and so the widest window.
static enum status
load_touches(struct need *need)
{
    struct replay *replay = need->replay;
    struct db_rows *rows = NULL;
    if (need->touched.count == 0) return STATUS_OK;
    int64_t *numbers = calloc(need->touched.count, sizeof *numbers);
    CHECK(numbers);
    for (size_t i = 0; i < need->touched.count; i++) {
        memcpy(&numbers[i], need->touched.ids[i].bytes, sizeof numbers[i]);
    }
    const struct db_param params[] = {db_int8_array(numbers, need->touched.count),
                                      db_int4((int32_t)replay->log),
                                      db_int8(need->touches_from.us - replay->widest_us)};
    enum status status = db_query(
        need->db,
        "select e.placement_id from contact c cross join lateral generate_series(1, c.slots) p "
        "cross join lateral (select placement_id from event "
        "where placement_id = (left(c.contact_id::text, 35) || to_hex(p))::uuid "
        "and kind in ('delivered', 'accepted') and state = 'posted' and effective_us >= $3 "
        "offset 0) e where c.customer = any($1) and c.log = $2",
        params, 3, &rows);
    free(numbers);
    if (status != STATUS_OK) {
        return said(replay, need->db, status, "reading touches of customers:", need->touched.count);
    }
    for (size_t i = 0; i < db_count(rows); i++) {
        struct id placement = db_get_id(rows, i, 0);
        if (!replay_find_win(replay, placement)) want(&need->placements, placement);
    }
    db_rows_free(rows);
    return load_wins(need);
}

// --- All together ------------------------------------------------------------------------------

enum status
replay_prepare(struct replay *replay, struct db *db, const struct fact *facts, size_t count)
{
    struct need need = {.replay = replay, .db = db, .touches_from = {INT64_MAX}};
    enum status status = learn_touching(&need, facts, count);
    replay->turn_booked = 0;
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &facts[i];
        struct id placement = fact_placement(fact);
        if (fact->kind == FACT_PLACEMENT) {
            idmap_put(&need.brought, placement, (uint32_t)i);
        } else if (replay_is_event(fact) && idmap_find(&need.brought, placement) == IDMAP_NONE) {
            want(&need.placements, placement);
        }
        if (replay_is_revenue(fact)) want(&need.orders, fact->revenue.order);
    }
    if (status == STATUS_OK && need.placements.count) {
        status = load_expired(replay, db, &need.placements);
    }
    if (status == STATUS_OK) status = load_wins(&need);
    if (status == STATUS_OK && replay->touching) status = want_orders(&need, facts, count);
    if (status == STATUS_OK) status = load_orders(&need);
    if (status == STATUS_OK && replay->touching) status = load_touches(&need);
    idmap_fini(&need.brought);
    want_fini(&need.placements);
    want_fini(&need.orders);
    want_fini(&need.touched);
    return status;
}

enum status
replay_whole(struct replay *replay, struct db *db)
{
    struct need need = {.replay = replay, .db = db};
    replay->whole = true;
    enum status status = learn_touching(&need, NULL, 0);
    if (status == STATUS_OK) status = load_expired(replay, db, NULL);
    return status == STATUS_OK ? replay_load_shared(replay, db) : status;
}
