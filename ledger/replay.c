// Facts in journal order into postings.
//
//  1 A contact's outcomes stand behind it in the same frame, and its record behind them; they are
//    decided by the same catalog, and so posted by the market version which that catalog was
//    published from.
//  2 Placements, orders and refunds are kept in growing arrays, found by id. What is kept is
//    exactly what the database keeps of them, so that a batch that reads them back posts as one
//    that saw them pass.
//  3 An order is that of its first conversion; only conversions and refunds that were booked
//    count, and refunds that wait for their conversion.
//  4 Markets are kept by version, the least recently used one making room. Terms never change.
//  5 Touches: while some market version has a contract that divides among them, placements and
//    orders are chained by customer. A conversion gathers those that count. A delivery or an
//    acceptance that becomes known divides every order anew in which it counts: in the order of
//    their conversions, at most the latest REPLAY_ORDERS (replay_share.c). So what an order's
//    parts come to depends on what happened, not on the order in which it was reported.
//  6 A model that is fitted divides by the newest fit that was in force when the conversion was
//    booked, for ever: later touches divide by the same.
//  7 What an order occupies of its contract's revenue (tiers, caps) begins where those booked
//    before it ended, in the period that it was booked in.
#include "replay_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "publish.h"

struct replay *
replay_open(void)
{
    struct replay *replay = calloc(1, sizeof *replay);
    CHECK(replay);
    replay->pieces = arena_open("replay pieces");
    return replay;
}

static void
forget_terms(struct known_terms *known)
{
    contract_terms_close(known->terms);
    arena_close(known->arena);
    memset(known, 0, sizeof *known);
}

static void
forget_fits(struct replay *replay)
{
    for (size_t i = 0; i < replay->fit_count; i++) free(replay->fits[i].fit.weights);
    replay->fit_count = 0;
    replay->fits_read = false;
}

void
replay_close(struct replay *replay)
{
    if (!replay) return;
    for (unsigned i = 0; i < REPLAY_TERMS; i++) forget_terms(&replay->terms[i]);
    forget_fits(replay);
    idmap_fini(&replay->win_of);
    idmap_fini(&replay->order_of);
    idmap_fini(&replay->refund_of);
    idmap_fini(&replay->shared_of);
    idmap_fini(&replay->base_of);
    idmap_fini(&replay->expired_of);
    touch_chain_fini(&replay->wins_of);
    touch_chain_fini(&replay->orders_of);
    arena_close(replay->pieces);
    free(replay->wins);
    free(replay->orders);
    free(replay->order_batches);
    free(replay->bases);
    free(replay->expired_at);
    free(replay->fits);
    free(replay->touches);
    free(replay->more);
    free(replay);
}

void
replay_reset(struct replay *replay)
{
    idmap_clear(&replay->win_of);
    idmap_clear(&replay->order_of);
    idmap_clear(&replay->refund_of);
    idmap_clear(&replay->base_of);
    idmap_clear(&replay->expired_of);
    touch_chain_clear(&replay->wins_of);
    touch_chain_clear(&replay->orders_of);
    arena_reset(replay->pieces);
    forget_fits(replay);
    replay->win_count = replay->order_count = replay->base_count = replay->expired_count = 0;
    replay->market_version = 0;
    memset(&replay->contact, 0, sizeof replay->contact);
}

const char *
replay_fault(const struct replay *replay)
{
    return replay->fault;
}

void
replay_fence(struct replay *replay, uint32_t log, usec fenced_until)
{
    replay->log = log;
    replay->fenced_until = fenced_until;
}

uint64_t
replay_turn(const struct replay *replay)
{
    return replay->turn_booked;
}

void
replay_turned(struct replay *replay, uint64_t turn)
{
    replay->turn_booked = turn;
}

void
replay_landed(struct replay *replay, money base)
{
    replay->landed_base = base;
    replay->has_landed_base = true;
}

// --- Memory ------------------------------------------------------------------------------------

void *
replay_room(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) return items;
    *room = *room ? 2 * *room : 1024;
    items = realloc(items, *room * size);
    CHECK(items);
    return items;
}

struct posting_win *
replay_keep_win(struct replay *replay, const struct posting_win *win)
{
    uint32_t number = (uint32_t)replay->win_count;
    replay->wins = replay_room(replay->wins, replay->win_count, &replay->win_room,
                               sizeof *replay->wins);
    replay->wins[replay->win_count] = *win;
    idmap_put(&replay->win_of, win->placement, number);
    if (replay->touching && !win->foreign) {
        touch_chain_put(&replay->wins_of, touch_key(win->customer, win->placement), number);
    }
    return &replay->wins[replay->win_count++];
}

// Parts are never changed in place: what was said of an order before may still be landed.
void
replay_keep_parts(struct replay *replay, struct posting_order *order,
                  const struct contract_part *parts, unsigned count)
{
    order->parts = count ? arena_take(replay->pieces, count, sizeof *order->parts) : NULL;
    if (count) memcpy(order->parts, parts, count * sizeof *parts);
    order->part_count = count;
}

struct posting_order *
replay_keep_order(struct replay *replay, const struct posting_order *order, uint64_t batch)
{
    uint32_t number = (uint32_t)replay->order_count;
    replay->orders = replay_room(replay->orders, replay->order_count, &replay->order_room,
                                 sizeof *replay->orders);
    replay->order_batches = replay_room(replay->order_batches, replay->order_count,
                                        &replay->batch_room, sizeof *replay->order_batches);
    replay->order_batches[replay->order_count] = batch;
    struct posting_order *kept = &replay->orders[replay->order_count++];
    *kept = *order;
    replay_keep_parts(replay, kept, order->parts, order->part_count);
    idmap_put(&replay->order_of, order->order, number);
    if (replay->touching && !order->foreign) {
        touch_chain_put(&replay->orders_of, touch_key(order->customer, order->placement), number);
    }
    return kept;
}

struct posting_win *
replay_find_win(struct replay *replay, struct id placement)
{
    uint32_t at = idmap_find(&replay->win_of, placement);
    return at == IDMAP_NONE ? NULL : &replay->wins[at];
}

struct posting_order *
replay_find_order(struct replay *replay, struct id order)
{
    uint32_t at = idmap_find(&replay->order_of, order);
    return at == IDMAP_NONE ? NULL : &replay->orders[at];
}

// --- Markets -----------------------------------------------------------------------------------

enum status
replay_say(struct replay *replay, enum status status, const char *what, uint64_t number,
           const char *more)
{
    snprintf(replay->fault, sizeof replay->fault, "%s %llu%s%.400s", what,
             (unsigned long long)number, *more ? ": " : "", more);
    return status;
}

enum status
replay_market(struct replay *replay, struct db *db, uint64_t catalog, uint64_t *out_version)
{
    uint64_t *known = replay->catalogs[catalog % REPLAY_CATALOGS];
    if (known[1] == 0 || known[0] != catalog) {
        uint64_t version = 0;
        enum status status = publish_market_version(db, catalog, &version);
        if (status == STATUS_NOT_FOUND) {
            return replay_say(replay, status, "this database never published catalog", catalog,
                              "restore the database it was published from");
        }
        if (status != STATUS_OK) {
            return replay_say(replay, status, "reading catalog", catalog, db_fault(db)->text);
        }
        known[0] = catalog;
        known[1] = version;
    }
    *out_version = known[1];
    return STATUS_OK;
}

// Notes what a market that was not seen before means for touches.
static void
learn_terms(struct replay *replay, const struct market *market)
{
    for (uint32_t i = 0; i < market->contract_count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        if (!contract_touches(contract)) continue;
        int64_t widest = touch_widest(&contract->attribution);
        replay->touching = true;
        if (widest > replay->widest_us) replay->widest_us = widest;
    }
}

enum status
replay_terms(struct replay *replay, struct db *db, uint64_t version,
             struct contract_terms **out_terms)
{
    struct known_terms *oldest = &replay->terms[0];
    replay->turn++;
    for (unsigned i = 0; i < REPLAY_TERMS; i++) {
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
        return replay_say(replay, status, "reading market version", version, db_fault(db)->text);
    }
    learn_terms(replay, market);
    *oldest = (struct known_terms){version, replay->turn, arena, contract_terms_open(market)};
    *out_terms = oldest->terms;
    return STATUS_OK;
}

// --- Facts -------------------------------------------------------------------------------------

// A posting is large, and most facts book nothing: only what says so is written.
static void
nothing(struct posting *out, usec at)
{
    out->state = POSTING_POSTED;
    out->effective = at;
    out->pool = money_of(0);
    out->contract = 0;
    out->count = out->part_count = 0;
}

static bool
is_record(const struct fact *fact)
{
    return fact->kind >= FACT_CANDIDATES && fact->kind <= FACT_LIMITS;
}

static enum status
replay_contact(struct replay *replay, struct db *db, const struct fact *fact)
{
    replay->contact = fact->contact;
    memset(replay->slots, 0, sizeof replay->slots);
    return replay_market(replay, db, fact->opened.catalog, &replay->market_version);
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
        return replay_say(replay, STATUS_DAMAGED,
                          "a placement's price is of no kind that is known:", fact->placement.kind,
                          "");
    }
    enum status status = replay_terms(replay, db, replay->market_version, &terms);
    if (status != STATUS_OK) return status;
    if (posting_win(terms, fact, &win) != STATUS_OK) {
        return replay_say(replay, STATUS_NOT_FOUND,
                          "a placement names a seat which its market lacks: id",
                          fact->placement.seat, "");
    }
    win.market_version = replay->market_version;
    posting_placement(&win, fact, source, out);
    *out_win = replay_keep_win(replay, &win);
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
    memset(out_said, 0, sizeof *out_said);
    nothing(out, fact->at);
    replay->more_count = 0;
    enum status status = STATUS_OK;
    enum fact_kind kind = (enum fact_kind)fact->kind;
    bool outcome = kind == FACT_PLACEMENT || kind == FACT_UNFILLED;
    if ((outcome || is_record(fact)) && !id_same(fact->contact, replay->contact)) {
        return replay_say(replay, STATUS_DAMAGED,
                          "an outcome or a record stands without its contact at index",
                          source.index, "");
    }
    if (outcome || is_record(fact)) out_said->slot = slot_of(replay, fact);
    if (kind == FACT_CONTACT) {
        status = replay_contact(replay, db, fact);
    } else if (kind == FACT_PLACEMENT) {
        status = replay_placement(replay, db, fact, source, out, &out_said->win);
    } else if (replay_is_revenue(fact)) {
        status = replay_revenue(replay, db, fact, source, out, out_said);
    } else if (replay_is_event(fact)) {
        status = replay_event(replay, db, fact, source, out, out_said);
    } else if (kind != FACT_UNFILLED && kind != FACT_BID && !is_record(fact)) {
        status = replay_say(replay, STATUS_DAMAGED, "unknown kind of fact:", fact->kind, "");
    }
    out_said->market_version = replay->market_version;
    return status;
}
