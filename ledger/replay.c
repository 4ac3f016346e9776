// Facts in journal order into postings.
//
//  1 A contact's outcomes stand behind it in the same frame, and its record behind them; they are
//    decided by the same catalog, and so posted by the market version which that catalog was
//    published from.
//  2 Placements, orders and refunds are kept in growing arrays, found by id. What is kept is
//    exactly what the database keeps of them, so that a batch that reads them back posts as one
//    that saw them pass.
//  3 An order is that of its first conversion; only conversions and refunds that were booked
//    count.
//  4 Markets are kept by version, the least recently used one making room. Terms never change.
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "idmap.h"
#include "publish.h"

#define TERMS_MAX 16
#define CATALOGS_MAX 64  // direct-mapped memory of catalog version -> market version

struct known_terms {
    uint64_t market_version;  // 0: free
    uint64_t used;            // turn of the last use
    struct arena *arena;
    struct contract_terms *terms;
};
struct replay {
    struct idmap win_of, order_of, refund_of;
    struct posting_win *wins;
    struct posting_order *orders;
    size_t win_count, win_room, order_count, order_room;
    struct id contact;        // last contact seen
    uint64_t market_version;  // that decided it
    uint32_t slots[16];       // of its outcomes, by position
    uint64_t turn;
    struct known_terms terms[TERMS_MAX];
    uint64_t catalogs[CATALOGS_MAX][2];
    char fault[512];
};

struct replay *
replay_open(void)
{
    struct replay *replay = calloc(1, sizeof *replay);
    CHECK(replay);
    return replay;
}

static void
forget_terms(struct known_terms *known)
{
    contract_terms_close(known->terms);
    arena_close(known->arena);
    memset(known, 0, sizeof *known);
}

void
replay_close(struct replay *replay)
{
    if (!replay) return;
    for (unsigned i = 0; i < TERMS_MAX; i++) forget_terms(&replay->terms[i]);
    idmap_fini(&replay->win_of);
    idmap_fini(&replay->order_of);
    idmap_fini(&replay->refund_of);
    free(replay->wins);
    free(replay->orders);
    free(replay);
}

void
replay_reset(struct replay *replay)
{
    idmap_clear(&replay->win_of);
    idmap_clear(&replay->order_of);
    idmap_clear(&replay->refund_of);
    replay->win_count = replay->order_count = 0;
    replay->market_version = 0;
    memset(&replay->contact, 0, sizeof replay->contact);
}

const char *
replay_fault(const struct replay *replay)
{
    return replay->fault;
}

static void *
room_for_one(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) return items;
    *room = *room ? 2 * *room : 1024;
    items = realloc(items, *room * size);
    CHECK(items);
    return items;
}

static struct posting_win *
keep_win(struct replay *replay, const struct posting_win *win)
{
    replay->wins = room_for_one(replay->wins, replay->win_count, &replay->win_room,
                                sizeof *replay->wins);
    replay->wins[replay->win_count] = *win;
    idmap_put(&replay->win_of, win->placement, (uint32_t)replay->win_count);
    return &replay->wins[replay->win_count++];
}

static void
keep_order(struct replay *replay, struct id order, const struct posting_order *state)
{
    replay->orders = room_for_one(replay->orders, replay->order_count, &replay->order_room,
                                  sizeof *replay->orders);
    replay->orders[replay->order_count] = *state;
    idmap_put(&replay->order_of, order, (uint32_t)replay->order_count++);
}

static struct posting_win *
find_win(struct replay *replay, struct id placement)
{
    uint32_t at = idmap_find(&replay->win_of, placement);
    return at == IDMAP_NONE ? NULL : &replay->wins[at];
}

static struct posting_order *
find_order(struct replay *replay, struct id order)
{
    uint32_t at = idmap_find(&replay->order_of, order);
    return at == IDMAP_NONE ? NULL : &replay->orders[at];
}

// --- Markets -----------------------------------------------------------------------------------

static enum status
say(struct replay *replay, enum status status, const char *what, uint64_t number, const char *more)
{
    snprintf(replay->fault, sizeof replay->fault, "%s %llu%s%.400s", what,
             (unsigned long long)number, *more ? ": " : "", more);
    return status;
}

static enum status
market_of_catalog(struct replay *replay, struct db *db, uint64_t catalog, uint64_t *out_version)
{
    uint64_t *known = replay->catalogs[catalog % CATALOGS_MAX];
    if (known[1] == 0 || known[0] != catalog) {
        uint64_t version = 0;
        enum status status = publish_market_version(db, catalog, &version);
        if (status == STATUS_NOT_FOUND) {
            return say(replay, status, "this database never published catalog", catalog,
                       "restore the database it was published from");
        }
        if (status != STATUS_OK) {
            return say(replay, status, "reading catalog", catalog, db_fault(db)->text);
        }
        known[0] = catalog;
        known[1] = version;
    }
    *out_version = known[1];
    return STATUS_OK;
}

static enum status
terms_of(struct replay *replay, struct db *db, uint64_t version, struct contract_terms **out_terms)
{
    struct known_terms *oldest = &replay->terms[0];
    replay->turn++;
    for (unsigned i = 0; i < TERMS_MAX; i++) {
        struct known_terms *one = &replay->terms[i];
        if (one->market_version == version && one->terms) {
            one->used = replay->turn;
            *out_terms = one->terms;
            return STATUS_OK;
        }
        if (one->used < oldest->used) oldest = one;
    }
    forget_terms(oldest);
    struct arena *arena = arena_open("posting market");
    struct market *market = NULL;
    enum status status = publish_load_market(db, version, arena, &market);
    if (status != STATUS_OK) {
        arena_close(arena);
        return say(replay, status, "reading market version", version, db_fault(db)->text);
    }
    *oldest = (struct known_terms){version, replay->turn, arena, contract_terms_open(market)};
    *out_terms = oldest->terms;
    return STATUS_OK;
}

// --- From the database -------------------------------------------------------------------------

static bool
is_outcome_event(const struct fact *fact)
{
    return (fact->kind >= FACT_DELIVERED && fact->kind <= FACT_REFUNDED) ||
           fact->kind == FACT_LAPSED || fact->kind == FACT_COMPLAINED;
}

static bool
is_record(const struct fact *fact)
{
    return fact->kind >= FACT_CANDIDATES && fact->kind <= FACT_LIMITS;
}

static bool
is_revenue(const struct fact *fact)
{
    return fact->kind == FACT_CONVERTED || fact->kind == FACT_REFUNDED;
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
        .charge = strcmp(db_get_text(rows, row, 13), market_charge_name(CHARGE_WIN)) == 0
                      ? CHARGE_WIN
                      : CHARGE_DELIVERY,
        .ended = db_get_bool(rows, row, 14),
        .delivered = db_get_bool(rows, row, 15),
        .kind = (uint8_t)db_get_int(rows, row, 16),
    };
    if (currency_parse(db_get_text(rows, row, 5), db_get_len(rows, row, 5), &win.currency) !=
        STATUS_OK) {
        return say(replay, STATUS_DAMAGED, "currency of an outcome of slot", win.slot, "");
    }
    enum status status = terms_of(replay, db, win.market_version, &terms);
    if (status != STATUS_OK) return status;
    const struct market_seat *seat = contract_seat(terms, win.seat);
    if (!seat) return say(replay, STATUS_NOT_FOUND, "no seat with the id", win.seat, "");
    const struct market_contract *contract = win.contract ? contract_by_id(terms, win.contract)
                                                          : NULL;
    win.seat_kind = seat->kind;
    win.billing = contract ? contract->billing : BILLING_CREDIT;
    win.transfer_price = contract ? contract->transfer_price : TRANSFER_SECOND_PRICE;
    keep_win(replay, &win);
    return STATUS_OK;
}

static enum status
load_wins(struct replay *replay, struct db *db, const struct id *placements, size_t count)
{
    const struct db_param params[] = {db_id_array(placements, count)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select o.placement_id, o.at_us, o.market_version, o.price_micros, o.floor_micros, "
        "o.currency, o.slot, o.message, o.seat, o.owner, "
        "o.contract, o.objectives, o.rung, o.charge, "
        "exists (select 1 from event e "
        "where e.placement_id = o.placement_id and e.state = 'posted' "
        "and (e.kind in ('cancelled', 'expired') or e.kind = 'delivered' and o.kind = 0 "
        "or e.kind in ('accepted', 'declined', 'lapsed') and o.kind = 1)), "
        "exists (select 1 from event e "
        "where e.placement_id = o.placement_id and e.state = 'posted' "
        "and e.kind = 'delivered'), o.kind "
        "from outcome o where o.filled and o.placement_id = any($1)",
        params, 1, &rows);
    if (status != STATUS_OK) {
        return say(replay, status, "reading placements:", count, db_fault(db)->text);
    }
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        status = load_win(replay, db, rows, i);
    }
    db_rows_free(rows);
    return status;
}

static enum status
load_order(struct replay *replay, const struct db_rows *rows, size_t row)
{
    struct fact fact = {.kind = FACT_REFUNDED};
    fact.revenue.order = db_get_id(rows, row, 1);
    money amount = db_get_money(rows, row, 4);
    struct posting_order *known = find_order(replay, fact.revenue.order);
    if (strcmp(db_get_text(rows, row, 0), fact_kind_name(FACT_CONVERTED)) == 0) {
        struct posting_order order = {.placement = db_get_id(rows, row, 2), .amount = amount};
        enum status status = currency_parse(db_get_text(rows, row, 3), db_get_len(rows, row, 3),
                                            &order.currency);
        if (status != STATUS_OK || known) {
            return say(replay, STATUS_DAMAGED, "revenue: a conversion of amount",
                       (uint64_t)amount.micros, "is there twice, or its currency is none");
        }
        keep_order(replay, fact.revenue.order, &order);
        return STATUS_OK;
    }
    size_t len = db_get_len(rows, row, 5);
    memcpy(fact.revenue.key, db_get_text(rows, row, 5), len < BOUND_KEY ? len : BOUND_KEY);
    idmap_put(&replay->refund_of, posting_refund_id(&fact), 0);
    if (!known || money_add(known->refunded, amount, &known->refunded) != STATUS_OK) {
        return say(replay, STATUS_DAMAGED, "revenue: a refund of amount", (uint64_t)amount.micros,
                   "has no conversion");
    }
    return STATUS_OK;
}

static enum status
load_orders(struct replay *replay, struct db *db, const struct id *orders, size_t count)
{
    const struct db_param params[] = {db_id_array(orders, count)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select kind, order_id, placement_id, currency, amount_micros, key from revenue "
        "where order_id = any($1) and state in ('posted', 'no_share') "
        "order by kind, log, batch, idx",  // converted before refunded
        params, 1, &rows);
    if (status != STATUS_OK) {
        return say(replay, status, "reading orders:", count, db_fault(db)->text);
    }
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        status = load_order(replay, rows, i);
    }
    db_rows_free(rows);
    return status;
}

enum status
replay_prepare(struct replay *replay, struct db *db, const struct fact *facts, size_t count)
{
    struct idmap brought = {0}, wanted = {0};
    struct id *placements = calloc(count + 1, sizeof *placements);
    struct id *orders = calloc(count + 1, sizeof *orders);
    CHECK(placements && orders);
    size_t placement_count = 0, order_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &facts[i];
        struct id placement = fact_placement(fact);
        if (fact->kind == FACT_PLACEMENT) {
            idmap_put(&brought, placement, 0);
        } else if (is_outcome_event(fact) && idmap_find(&brought, placement) == IDMAP_NONE &&
                   idmap_find(&wanted, placement) == IDMAP_NONE) {
            idmap_put(&wanted, placement, 0);
            placements[placement_count++] = placement;
        }
        if (is_revenue(fact) && idmap_find(&wanted, fact->revenue.order) == IDMAP_NONE) {
            idmap_put(&wanted, fact->revenue.order, 0);
            orders[order_count++] = fact->revenue.order;
        }
    }
    enum status status = STATUS_OK;
    if (placement_count) status = load_wins(replay, db, placements, placement_count);
    if (status == STATUS_OK && order_count) status = load_orders(replay, db, orders, order_count);
    idmap_fini(&brought);
    idmap_fini(&wanted);
    free(placements);
    free(orders);
    return status;
}

// --- One fact ----------------------------------------------------------------------------------

static enum status
replay_contact(struct replay *replay, struct db *db, const struct fact *fact)
{
    replay->contact = fact->contact;
    memset(replay->slots, 0, sizeof replay->slots);
    return market_of_catalog(replay, db, fact->opened.catalog, &replay->market_version);
}

static enum status
replay_placement(struct replay *replay, struct db *db, const struct fact *fact,
                 struct posting_source source, struct posting *out,
                 const struct posting_win **out_win)
{
    struct contract_terms *terms = NULL;
    struct posting_win win;
    if (fact->placement.kind >= PRICE_KIND_COUNT ||
        (fact->placement.kind == PRICE_SHARE &&
         (fact->placement.price.micros < 0 || fact->placement.price.micros > MONEY_PPM))) {
        return say(replay, STATUS_DAMAGED,
                   "a placement's price is of no kind that is known:", fact->placement.kind, "");
    }
    enum status status = terms_of(replay, db, replay->market_version, &terms);
    if (status != STATUS_OK) return status;
    if (posting_win(terms, fact, &win) != STATUS_OK) {
        return say(replay, STATUS_NOT_FOUND, "a placement names a seat which its market lacks: id",
                   fact->placement.seat, "");
    }
    win.market_version = replay->market_version;
    posting_placement(&win, fact, source, out);
    *out_win = keep_win(replay, &win);
    return STATUS_OK;
}

static enum status
replay_revenue(struct replay *replay, struct db *db, const struct fact *fact,
               struct posting_source source, struct posting *out, const struct posting_win *win)
{
    struct contract_terms *terms = NULL;
    struct posting_order fresh;
    enum status status = win ? terms_of(replay, db, win->market_version, &terms) : STATUS_OK;
    if (status != STATUS_OK) return status;
    struct posting_order *order = find_order(replay, fact->revenue.order);
    bool repeated = fact->kind == FACT_REFUNDED &&
                    idmap_find(&replay->refund_of, posting_refund_id(fact)) != IDMAP_NONE;
    if (posting_revenue(terms, win, order, repeated, fact, source, out, &fresh) != STATUS_OK) {
        return say(replay, STATUS_DAMAGED,
                   "an amount of revenue leaves its range:", (uint64_t)fact->revenue.amount.micros,
                   "");
    }
    if (out->state == POSTING_POSTED || out->state == POSTING_NO_SHARE) {
        if (fact->kind == FACT_CONVERTED) keep_order(replay, fact->revenue.order, &fresh);
        else idmap_put(&replay->refund_of, posting_refund_id(fact), 0);
    }
    return STATUS_OK;
}

// Gives the slot that a fact of a contact is about; 0: the contact as a whole.
static uint32_t
slot_of(struct replay *replay, const struct fact *fact)
{
    uint32_t *slot = &replay->slots[fact->position & 0x0f];
    if (fact->kind == FACT_PLACEMENT) *slot = fact->placement.slot;
    if (fact->kind == FACT_UNFILLED) *slot = fact->unfilled.slot;
    return fact->position ? *slot : 0;
}

enum status
replay_fact(struct replay *replay, struct db *db, const struct fact *fact,
            struct posting_source source, struct posting *out, struct replay_said *out_said)
{
    memset(out, 0, sizeof *out);
    memset(out_said, 0, sizeof *out_said);
    out->effective = fact->at;
    enum status status = STATUS_OK;
    enum fact_kind kind = (enum fact_kind)fact->kind;
    bool outcome = kind == FACT_PLACEMENT || kind == FACT_UNFILLED;
    if ((outcome || is_record(fact)) && !id_same(fact->contact, replay->contact)) {
        return say(replay, STATUS_DAMAGED,
                   "an outcome or a record stands without its contact at index", source.index, "");
    }
    if (outcome || is_record(fact)) out_said->slot = slot_of(replay, fact);
    if (kind == FACT_CONTACT) {
        status = replay_contact(replay, db, fact);
    } else if (kind == FACT_PLACEMENT) {
        status = replay_placement(replay, db, fact, source, out, &out_said->win);
    } else if (is_outcome_event(fact)) {
        struct posting_win *win = find_win(replay, fact_placement(fact));
        out_said->win = win;
        if (is_revenue(fact)) status = replay_revenue(replay, db, fact, source, out, win);
        else posting_event(win, fact, source, out);
    } else if (kind != FACT_UNFILLED && kind != FACT_BID && !is_record(fact)) {
        status = say(replay, STATUS_DAMAGED, "unknown kind of fact:", fact->kind, "");
    }
    out_said->market_version = replay->market_version;
    return status;
}
