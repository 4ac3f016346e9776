// The book as a fold of facts: spend, placements on their way, what customers were shown, what was
// learned, orders, recent contacts, overlay. Reading it is in book_read.c, its digest in
// book_digest.c.
//
// A placement:
//
//   FACT_PLACEMENT        FACT_DELIVERED            FACT_ACCEPTED
//   ---------------> HELD ---------------> DELIVERED -------------> ACCEPTED
//                     |                     |  |      FACT_DECLINED
//      FACT_CANCELLED |  FACT_EXPIRED       |  +------------------> DECLINED
//                     v                     |         FACT_LAPSED
//            CANCELLED, EXPIRED             +---------------------> LAPSED  (its price waited)
//
// FACT_CONVERTED and FACT_REFUNDED change totals only, FACT_COMPLAINED marks a delivered one.
//
// A placement is *open* while its price may still be given back: HELD, and when the price waits for
// a response (by its kind or by the contract) or for a conversion, DELIVERED too, until that comes,
// the customer declines, or BOUND_RESPONSE_DAYS have gone since the delivery was reported. One that
// waits for a conversion stays open when it is ACCEPTED, and may lapse from there. Others are
// ended: kept for as long as there is room, because conversions come weeks later, and the one that
// ended first makes room. Memory is fixed when the book opens.
//
// Invariants
//   (1) spent = sum of the prices held of its placements, less those given back: cancelled or
//       expired (unless the price is per placement and charged at the win), waiting and declined or
//       lapsed; a share is never counted. The ids are stable ids, so totals survive
//       catalogs
//   (2) a placement is in `expiry` exactly when it is open, and in the chain of ended ones
//       otherwise
//   (3) an open placement is never dropped
//   (4) an order is remembered exactly as long as its placement
//   (5) applying reads nothing but the book, the fact and its position: the same facts give the
//       same book, whatever their times; no fact is judged by another's time
#include "book.h"

#include <string.h>

#include "book_parts.h"
#include "contact.h"
#include "fail.h"

const struct book_limits book_limits_default = {
    .contacts = 1 << 16,
    .retries = 1 << 20,
    .placements = 1 << 18,
    .customers = 1 << 18,
    .rates = 1 << 16,
    .orders = 1 << 16,
    .overlay = 4096,
};

struct book *
book_open(const struct book_limits *limits)
{
    CHECK(limits->contacts > 0 && limits->placements >= BOUND_SLOTS);
    CHECK(limits->orders > 0 && limits->overlay > 0);
    struct arena *arena = arena_open("book");
    struct book *book = arena_take(arena, 1, sizeof *book);
    book->arena = arena;
    spend_open(&book->spend, arena);
    recent_open(&book->recent, arena, limits->contacts);
    decided_open(&book->decided, arena, limits->retries);
    book->placement_capacity = limits->placements;
    book->placements = arena_take(arena, limits->placements, sizeof *book->placements);
    for (uint32_t i = 0; i < limits->placements; i++) {
        book->placements[i].newer = i + 1 < limits->placements ? i + 1 : PROBE_NONE;
    }
    book->oldest = book->newest = PROBE_NONE;
    probe_open(&book->probe, arena, limits->placements);
    heap_open(&book->expiry, arena, limits->placements);
    shown_open(&book->shown, arena, limits->customers);
    rates_open(&book->rates, arena, limits->rates);
    orders_open(&book->orders, arena, limits->orders);
    overlay_open(&book->overlay, arena, limits->overlay);
    return book;
}

void
book_close(struct book *book)
{
    if (book != NULL) arena_close(book->arena);
}

// --- Placements ----------------------------------------------------------------------------------
static void
drop_ended(struct book *book, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    CHECK(!heap_has(&book->expiry, item));
    *(kept->older == PROBE_NONE ? &book->oldest
                                : &book->placements[kept->older].newer) = kept->newer;
    *(kept->newer == PROBE_NONE ? &book->newest
                                : &book->placements[kept->newer].older) = kept->older;
    probe_drop(&book->probe, book_placement_hash(fact_placement(&kept->fact)), item);
    orders_drop_list(&book->orders, kept->orders);
    memset(kept, 0, sizeof *kept);
    kept->newer = book->free;
    book->free = item;
    book->placement_count--;
}

// The one that ended first makes room. The next one's cell is called near, and the one behind it.
static void
drop_oldest(struct book *book)
{
    uint32_t next = book->placements[book->oldest].newer;
    drop_ended(book, book->oldest);
    if (next == PROBE_NONE) return;
    const struct book_kept *kept = &book->placements[next];
    probe_expect(&book->probe, book_placement_hash(fact_placement(&kept->fact)));
    if (kept->newer == PROBE_NONE) return;
    const char *behind = (const char *)&book->placements[kept->newer];
    for (size_t line = 0; line < sizeof *kept; line += 64) __builtin_prefetch(behind + line, 1);
}

static enum due
due_of(const struct fact *placement)
{
    return market_due(placement->placement.kind, placement->placement.charge);
}

static bool
waits(const struct fact *placement)
{
    return market_waits(due_of(placement));
}

// Its price is given back no more.
static void
end(struct book *book, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    heap_drop(&book->expiry, item);
    book->responses -= waits(&kept->fact);
    kept->older = book->newest;
    kept->newer = PROBE_NONE;
    *(book->newest == PROBE_NONE ? &book->oldest : &book->placements[book->newest].newer) = item;
    book->newest = item;
}

// Whether what the customer is shown is remembered.
static bool
is_remembered(const struct fact *placement)
{
    return placement->customer != 0 && placement->placement.cap_days != 0;
}

static bool
is_sound(const struct fact *fact)
{
    return fact->placement.seat < BOUND_SEATS && fact->placement.message < BOUND_MESSAGES &&
           fact->placement.kind < PRICE_KIND_COUNT && fact->placement.rung < RUNG_COUNT &&
           fact->placement.cell < RATES_CELLS && fact->placement.price.micros >= 0 &&
           fact->placement.price.micros <= BOUND_MICROS &&
           (fact->placement.message != 0 || !is_remembered(fact));
}

static enum status
apply_placement(struct book *book, const struct fact *fact)
{
    if (!is_sound(fact)) return STATUS_INPUT;
    if (book_place_of(book, fact_placement(fact)) != PROBE_NONE) return STATUS_EXISTS;
    if (book->placement_count == book->placement_capacity && book->oldest == PROBE_NONE)
        return STATUS_FULL;
    if (!recent_awaits(&book->recent, fact)) return STATUS_INPUT;
    if (is_remembered(fact) && !shown_win(&book->shown, fact)) return STATUS_FULL;
    recent_outcome(&book->recent, fact);

    if (book->placement_count == book->placement_capacity) drop_oldest(book);
    uint32_t item = book->free;
    struct book_kept *kept = &book->placements[item];
    book->free = kept->newer;
    book->placement_count++;
    *kept = (struct book_kept){.fact = *fact, .orders = PROBE_NONE, .state = PLACEMENT_HELD};
    probe_put(&book->probe, book_placement_hash(fact_placement(fact)), item);
    heap_put(&book->expiry, item, fact->placement.expires.us);
    book->responses += waits(fact);
    if (fact->placement.kind != PRICE_SHARE) spend_hold(&book->spend, fact);
    spend_promise(&book->spend, fact);
    return STATUS_OK;
}

static enum status
apply_delivered(struct book *book, const struct fact *fact, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    if (kept->state != PLACEMENT_HELD) return STATUS_CONFLICT;
    kept->state = PLACEMENT_DELIVERED;
    usec effective = fact->event.effective.us > 0 ? fact->event.effective : fact->at;
    if (is_remembered(&kept->fact)) shown_deliver(&book->shown, &kept->fact, effective);
    rates_learn(&book->rates, &kept->fact, FACT_DELIVERED, false, money_of(0));
    if (!waits(&kept->fact)) end(book, item);
    else heap_put(&book->expiry, item, fact->at.us + BOUND_RESPONSE_DAYS * USEC_DAY);
    return STATUS_OK;
}

// Accepted, declined or lapsed.
static enum status
apply_response(struct book *book, const struct fact *fact, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    bool open = heap_has(&book->expiry, item), accepted = fact->kind == FACT_ACCEPTED;
    // One that was accepted may wait for its conversion still.
    bool lapses = fact->kind == FACT_LAPSED && open && kept->state == PLACEMENT_ACCEPTED;
    if (kept->state != PLACEMENT_DELIVERED && !lapses) return STATUS_CONFLICT;
    if (fact->kind == FACT_LAPSED && !open) return STATUS_CONFLICT;
    kept->state = fact->kind == FACT_ACCEPTED   ? PLACEMENT_ACCEPTED
                  : fact->kind == FACT_DECLINED ? PLACEMENT_DECLINED
                                                : PLACEMENT_LAPSED;
    if (fact->kind == FACT_ACCEPTED)
        rates_learn(&book->rates, &kept->fact, FACT_ACCEPTED, false, money_of(0));
    if (!open || (accepted && due_of(&kept->fact) == DUE_CONVERSION)) return STATUS_OK;
    if (!accepted) spend_release(&book->spend, &kept->fact);
    end(book, item);
    return STATUS_OK;
}

// Cancelled or expired.
static enum status
apply_undelivered(struct book *book, const struct fact *fact, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    if (kept->state != PLACEMENT_HELD) return STATUS_CONFLICT;
    kept->state = fact->kind == FACT_CANCELLED ? PLACEMENT_CANCELLED : PLACEMENT_EXPIRED;
    enum due due = due_of(&kept->fact);
    if (due != DUE_REVENUE && due != DUE_WIN) spend_release(&book->spend, &kept->fact);
    spend_break(&book->spend, &kept->fact);
    if (is_remembered(&kept->fact)) shown_cancel(&book->shown, &kept->fact);
    end(book, item);
    return STATUS_OK;
}

static void
mark(struct book *book, const struct fact *placement, enum shown_kind kind, usec at)
{
    if (placement->customer == 0) return;
    if (!shown_mark(&book->shown, placement->customer, kind, at)) book->marks_lost++;
}

static enum status
apply_complained(struct book *book, const struct fact *fact, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    if (kept->state == PLACEMENT_HELD || kept->state == PLACEMENT_CANCELLED ||
        kept->state == PLACEMENT_EXPIRED || kept->complained)
        return STATUS_CONFLICT;
    kept->complained = true;
    mark(book, &kept->fact, SHOWN_COMPLAINT,
         fact->event.effective.us > 0 ? fact->event.effective : fact->at);
    return STATUS_OK;
}

// --- Revenue -------------------------------------------------------------------------------------
// Looked at for a placement that may be dropped: open ones, whose orders came before a response,
// are passed over.
#define VICTIMS_MOST 64

uint32_t
book_order_victim(const struct book *book, uint32_t placement)
{
    uint32_t order = book->orders.oldest;
    for (unsigned i = 0; i < VICTIMS_MOST && order != PROBE_NONE; i++) {
        uint32_t victim = book->orders.orders[order].placement;
        if (victim != placement && !heap_has(&book->expiry, victim)) return victim;
        if (victim == placement) break;
        order = book->orders.orders[order].newer;
    }
    return PROBE_NONE;
}

static enum status
apply_revenue(struct book *book, const struct fact *fact, uint32_t item)
{
    struct book_kept *kept = &book->placements[item];
    bool refund = fact->kind == FACT_REFUNDED;
    if (kept->state == PLACEMENT_HELD) return STATUS_CONFLICT;
    if (fact->revenue.amount.micros < 0) return STATUS_INPUT;
    struct id none = {{0}}, reference = refund ? orders_reference(fact->revenue.key) : none;
    if (orders_find(&book->orders, fact->revenue.order, reference) != PROBE_NONE)
        return STATUS_CONFLICT;
    struct order *conversion = NULL;
    money total, of_order = money_of(0);
    if (refund) {
        uint32_t found = orders_find(&book->orders, fact->revenue.order, none);
        if (found == PROBE_NONE || book->orders.orders[found].placement != item)
            return STATUS_CONFLICT;
        conversion = &book->orders.orders[found];
        enum status status = money_add(conversion->refunded, fact->revenue.amount, &of_order);
        if (status != STATUS_OK) return status;
        if (of_order.micros > conversion->amount.micros) return STATUS_CONFLICT;
    }
    enum status status = money_add(refund ? kept->refunded : kept->converted, fact->revenue.amount,
                                   &total);
    if (status != STATUS_OK) return status;
    bool full = book->orders.count == book->orders.capacity;
    uint32_t victim = full ? book_order_victim(book, item) : PROBE_NONE;
    if (full && victim == PROBE_NONE) return STATUS_FULL;

    rates_learn(&book->rates, &kept->fact, (enum fact_kind)fact->kind, kept->converted.micros == 0,
                fact->revenue.amount);
    if (refund)
        mark(book, &kept->fact, SHOWN_REFUND,
             fact->revenue.effective.us > 0 ? fact->revenue.effective : fact->at);
    if (full) drop_ended(book, victim);
    *(refund ? &kept->refunded : &kept->converted) = total;
    if (refund) conversion->refunded = of_order;
    struct order order = {
        .order = fact->revenue.order,
        .reference = reference,
        .amount = fact->revenue.amount,
        .placement = item,
    };
    (void)orders_add(&book->orders, &order, &kept->orders);
    if (!refund && due_of(&kept->fact) == DUE_CONVERSION && heap_has(&book->expiry, item))
        end(book, item);
    return STATUS_OK;
}

// --- Facts ---------------------------------------------------------------------------------------
static enum status
apply_contact(struct book *book, const struct fact *fact)
{
    if (fact->opened.slots > BOUND_SLOTS) return STATUS_INPUT;
    struct id key = contact_request_key(fact->party, fact->opened.key);
    recent_add(&book->recent, fact, key);
    decided_add(&book->decided, key);
    shown_reclaim(&book->shown, fact->at);
    return STATUS_OK;
}

static enum status
apply_event(struct book *book, const struct fact *fact,
            enum status (*apply)(struct book *book, const struct fact *fact, uint32_t item))
{
    uint32_t item = book_place_of(book, fact_placement(fact));
    return item == PROBE_NONE ? STATUS_OK : apply(book, fact, item);
}

enum status
book_apply(struct book *book, const struct fact *fact, struct catalog_position position)
{
    switch ((enum fact_kind)fact->kind) {
    case FACT_CONTACT: return apply_contact(book, fact);
    case FACT_PLACEMENT: return apply_placement(book, fact);
    case FACT_UNFILLED:
        if (!recent_awaits(&book->recent, fact)) return STATUS_INPUT;
        recent_outcome(&book->recent, fact);
        return STATUS_OK;
    case FACT_DELIVERED: return apply_event(book, fact, apply_delivered);
    case FACT_ACCEPTED:
    case FACT_DECLINED:
    case FACT_LAPSED: return apply_event(book, fact, apply_response);
    case FACT_CANCELLED:
    case FACT_EXPIRED: return apply_event(book, fact, apply_undelivered);
    case FACT_COMPLAINED: return apply_event(book, fact, apply_complained);
    case FACT_CONVERTED:
    case FACT_REFUNDED: return apply_event(book, fact, apply_revenue);
    case FACT_BID: return overlay_put(&book->overlay, fact, position);
    case FACT_CANDIDATES:
    case FACT_TALLY:
    case FACT_REFUSALS:
    case FACT_CALLOUTS:
    case FACT_LIMITS: return STATUS_OK;
    case FACT_NONE:
    case FACT_KIND_COUNT: break;
    }
    return STATUS_INPUT;
}

void
book_bid_durable(struct book *book, uint64_t bid, uint64_t serial, struct catalog_position position)
{
    overlay_durable(&book->overlay, bid, serial, position);
}

void
book_catalog(struct book *book, const struct catalog *catalog)
{
    overlay_catalog(&book->overlay, catalog);
}

void
book_expect(const struct book *book, struct id contact)
{
    probe_expect(&book->probe, book_placement_hash(contact));
    if (book->free != PROBE_NONE) {
        const char *place = (const char *)&book->placements[book->free];
        __builtin_prefetch(place, 1);
        __builtin_prefetch(place + 64, 1);
    }
}
