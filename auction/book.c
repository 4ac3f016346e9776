// The book as a fold of facts: spend, placements on their way, caps, orders, recent contacts,
// overlay.
//
// A placement:
//
//   FACT_PLACEMENT        FACT_DELIVERED            FACT_ACCEPTED
//   ---------------> HELD ---------------> DELIVERED -------------> ACCEPTED
//                     |                        |      FACT_DECLINED
//      FACT_CANCELLED |  FACT_EXPIRED          +------------------> DECLINED
//                     v                       (FACT_CONVERTED and FACT_REFUNDED change totals only)
//            CANCELLED, EXPIRED
//
// Everything but HELD is ended: the placement is kept for as long as there is room, because
// conversions come weeks later, and the one that ended first makes room. Memory is fixed when the
// book opens.
//
// Invariants
//   (1) spent(seat) = sum of clearing prices of its placements, less those cancelled or expired
//       (unless charged at the win); spent(message) likewise; the ids are stable ids, so totals
//       survive catalogs
//   (2) a placement is in `expiry` exactly when it is HELD, and in the chain of ended ones
//       otherwise
//   (3) a held placement is never dropped
//   (4) an order is remembered exactly as long as its placement
//   (5) applying reads nothing but the book, the fact and its position: the same facts give the
//       same book
#include "book.h"

#include <string.h>

#include "caps.h"
#include "contact.h"
#include "fail.h"
#include "heap.h"
#include "orders.h"
#include "overlay.h"
#include "probe.h"
#include "recent.h"

const struct book_limits book_limits_default = {
    .contacts = 1 << 16,
    .placements = 1 << 18,
    .caps = 1 << 18,
    .orders = 1 << 16,
    .overlay = 4096,
};

struct kept {
    struct fact fact;  // kind FACT_NONE: free
    money converted, refunded;
    uint32_t older, newer;  // chain of ended ones; free ones: `newer` is the next free
    uint32_t orders;        // first order, PROBE_NONE none
    uint32_t state;         // enum placement_state
};

struct book {
    struct arena *arena;
    money *seat_spent, *message_spent;  // by stable id
    struct recent recent;
    struct kept *placements;
    uint32_t placement_capacity, placement_count, free, oldest, newest;
    struct probe probe;  // placements by id
    struct heap expiry;  // held placements by the end of their window
    struct caps caps;
    struct orders orders;
    struct overlay overlay;
};

struct book *
book_open(const struct book_limits *limits)
{
    CHECK(limits->contacts > 0 && limits->placements >= BOUND_SLOTS && limits->caps >= BOUND_SLOTS);
    CHECK(limits->orders > 0 && limits->overlay > 0);
    struct arena *arena = arena_open("book");
    struct book *book = arena_take(arena, 1, sizeof *book);
    book->arena = arena;
    book->seat_spent = arena_take(arena, BOUND_SEATS, sizeof(money));
    book->message_spent = arena_take(arena, BOUND_MESSAGES, sizeof(money));
    recent_open(&book->recent, arena, limits->contacts);
    book->placement_capacity = limits->placements;
    book->placements = arena_take(arena, limits->placements, sizeof *book->placements);
    for (uint32_t i = 0; i < limits->placements; i++) {
        book->placements[i].newer = i + 1 < limits->placements ? i + 1 : PROBE_NONE;
    }
    book->oldest = book->newest = PROBE_NONE;
    probe_open(&book->probe, arena, limits->placements);
    heap_open(&book->expiry, arena, limits->placements);
    caps_open(&book->caps, arena, limits->caps);
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
// Placements of one contact differ in their last four bits only (fact.h) and get cells side by
// side: a contact's decision touches one cache line or two of a table that fits no cache.
static uint64_t
placement_hash(struct id placement)
{
    uint64_t halves[2];
    struct id contact = fact_contact_of(placement);
    memcpy(halves, contact.bytes, sizeof halves);
    return hash_mix(halves[0] ^ hash_mix(halves[1])) + fact_position_of(placement);
}

static uint32_t
find_placement(const struct book *book, struct id placement)
{
    uint64_t hash = placement_hash(placement);
    uint32_t at = probe_start(&book->probe, hash), item;
    while ((item = probe_next(&book->probe, hash, &at)) != PROBE_NONE) {
        if (id_same(fact_placement(&book->placements[item].fact), placement)) break;
    }
    return item;
}

static void
chain_ended(struct book *book, uint32_t item)
{
    struct kept *kept = &book->placements[item];
    kept->older = book->newest;
    kept->newer = PROBE_NONE;
    *(book->newest == PROBE_NONE ? &book->oldest : &book->placements[book->newest].newer) = item;
    book->newest = item;
}

static void
drop_ended(struct book *book, uint32_t item)
{
    struct kept *kept = &book->placements[item];
    CHECK(kept->state != PLACEMENT_HELD);
    *(kept->older == PROBE_NONE ? &book->oldest
                                : &book->placements[kept->older].newer) = kept->newer;
    *(kept->newer == PROBE_NONE ? &book->newest
                                : &book->placements[kept->newer].older) = kept->older;
    probe_drop(&book->probe, placement_hash(fact_placement(&kept->fact)), item);
    orders_drop_list(&book->orders, kept->orders);
    memset(kept, 0, sizeof *kept);
    kept->newer = book->free;
    book->free = item;
    book->placement_count--;
}

static enum status
apply_placement(struct book *book, const struct fact *fact)
{
    uint32_t seat = fact->placement.seat, message = fact->placement.message;
    money price = fact->placement.price, seat_spent, message_spent;
    if (seat >= BOUND_SEATS || message >= BOUND_MESSAGES) return STATUS_INPUT;
    if (find_placement(book, fact_placement(fact)) != PROBE_NONE) return STATUS_EXISTS;
    enum status status = money_add(book->seat_spent[seat], price, &seat_spent);
    if (status == STATUS_OK)
        status = money_add(book->message_spent[message], price, &message_spent);
    if (status != STATUS_OK) return status;
    bool capped = fact->customer != 0 && fact->placement.cap_days != 0;
    if (book->placement_count == book->placement_capacity && book->oldest == PROBE_NONE)
        return STATUS_FULL;
    if (capped && book->caps.free_count == 0 && !caps_has(&book->caps, fact->customer, message))
        return STATUS_FULL;
    status = recent_outcome(&book->recent, fact);
    if (status != STATUS_OK) return status;

    if (book->placement_count == book->placement_capacity) drop_ended(book, book->oldest);
    uint32_t item = book->free;
    struct kept *kept = &book->placements[item];
    book->free = kept->newer;
    book->placement_count++;
    *kept = (struct kept){.fact = *fact, .orders = PROBE_NONE, .state = PLACEMENT_HELD};
    probe_put(&book->probe, placement_hash(fact_placement(fact)), item);
    heap_put(&book->expiry, item, fact->placement.expires.us);
    book->seat_spent[seat] = seat_spent;
    book->message_spent[message] = message_spent;
    if (capped)
        CHECK(caps_add(&book->caps, fact->customer, message, fact->at, fact->placement.cap_days));
    return STATUS_OK;
}

static enum status
release(struct book *book, const struct kept *kept)
{
    const struct fact *fact = &kept->fact;
    if (fact->placement.charge != CHARGE_WIN) {
        money *seat_spent = &book->seat_spent[fact->placement.seat];
        money *message_spent = &book->message_spent[fact->placement.message];
        money seat, message;
        enum status status = money_subtract(*seat_spent, fact->placement.price, &seat);
        if (status == STATUS_OK)
            status = money_subtract(*message_spent, fact->placement.price, &message);
        if (status != STATUS_OK) return status;
        *seat_spent = seat;
        *message_spent = message;
    }
    if (fact->customer != 0 && fact->placement.cap_days != 0)
        caps_remove(&book->caps, fact->customer, fact->placement.message, fact->at);
    return STATUS_OK;
}

static enum status
apply_event(struct book *book, const struct fact *fact)
{
    uint32_t item = find_placement(book, fact_placement(fact));
    if (item == PROBE_NONE) return STATUS_OK;
    struct kept *kept = &book->placements[item];
    if (fact->kind == FACT_ACCEPTED || fact->kind == FACT_DECLINED) {
        if (kept->state != PLACEMENT_DELIVERED) return STATUS_CONFLICT;
        kept->state = fact->kind == FACT_ACCEPTED ? PLACEMENT_ACCEPTED : PLACEMENT_DECLINED;
        return STATUS_OK;
    }
    if (kept->state != PLACEMENT_HELD) return STATUS_CONFLICT;
    if (fact->kind != FACT_DELIVERED) {
        enum status status = release(book, kept);
        if (status != STATUS_OK) return status;
    }
    kept->state = fact->kind == FACT_DELIVERED   ? PLACEMENT_DELIVERED
                  : fact->kind == FACT_CANCELLED ? PLACEMENT_CANCELLED
                                                 : PLACEMENT_EXPIRED;
    heap_drop(&book->expiry, item);
    chain_ended(book, item);
    return STATUS_OK;
}

static bool
order_room(const struct book *book, uint32_t placement)
{
    return book->orders.count < book->orders.capacity ||
           book->orders.orders[book->orders.oldest].placement != placement;
}

static enum status
apply_revenue(struct book *book, const struct fact *fact)
{
    uint32_t item = find_placement(book, fact_placement(fact));
    if (item == PROBE_NONE) return STATUS_OK;
    struct kept *kept = &book->placements[item];
    bool refund = fact->kind == FACT_REFUNDED;
    if (kept->state == PLACEMENT_HELD) return STATUS_CONFLICT;
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
    if (!order_room(book, item)) return STATUS_FULL;

    if (book->orders.count == book->orders.capacity) {
        drop_ended(book, book->orders.orders[book->orders.oldest].placement);
    }
    *(refund ? &kept->refunded : &kept->converted) = total;
    if (refund) conversion->refunded = of_order;
    struct order order = {
        .order = fact->revenue.order,
        .reference = reference,
        .amount = fact->revenue.amount,
        .placement = item,
    };
    (void)orders_add(&book->orders, &order, &kept->orders);
    return STATUS_OK;
}

// Pairs freed for each contact: more than a contact can take, so that the pool recovers.
#define CAPS_RECLAIMED (2 * BOUND_SLOTS)

enum status
book_apply(struct book *book, const struct fact *fact, struct catalog_position position)
{
    switch ((enum fact_kind)fact->kind) {
    case FACT_CONTACT:
        if (fact->opened.slots > BOUND_SLOTS) return STATUS_INPUT;
        recent_add(&book->recent, fact);
        caps_reclaim(&book->caps, fact->at, CAPS_RECLAIMED);
        return STATUS_OK;
    case FACT_PLACEMENT: return apply_placement(book, fact);
    case FACT_UNFILLED: return recent_outcome(&book->recent, fact);
    case FACT_DELIVERED:
    case FACT_ACCEPTED:
    case FACT_DECLINED:
    case FACT_CANCELLED:
    case FACT_EXPIRED: return apply_event(book, fact);
    case FACT_CONVERTED:
    case FACT_REFUNDED: return apply_revenue(book, fact);
    case FACT_BID: return overlay_put(&book->overlay, fact, position);
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
    probe_expect(&book->probe, placement_hash(contact));
    if (book->free != PROBE_NONE) {
        const char *place = (const char *)&book->placements[book->free];
        __builtin_prefetch(place, 1);
        __builtin_prefetch(place + 64, 1);
    }
}

// --- Reading -------------------------------------------------------------------------------------
money
book_seat_spent(const struct book *book, uint32_t seat_id)
{
    CHECK(seat_id < BOUND_SEATS);
    return book->seat_spent[seat_id];
}

money
book_message_spent(const struct book *book, uint32_t message_id)
{
    CHECK(message_id < BOUND_MESSAGES);
    return book->message_spent[message_id];
}

uint32_t
book_cap_count(const struct book *book, uint64_t customer, uint32_t message_id, uint32_t days,
               usec now)
{
    if (customer == 0) return 0;
    return caps_count(&book->caps, customer, message_id, days, now);
}

bool
book_has_room(const struct book *book, unsigned slots)
{
    return book->placement_capacity - book->expiry.count >= slots;
}

bool
book_cap_has_room(const struct book *book, uint64_t customer, uint32_t message_id)
{
    return customer == 0 || book->caps.free_count >= BOUND_SLOTS ||
           caps_has(&book->caps, customer, message_id);
}

bool
book_order_has_room(const struct book *book, struct id placement)
{
    uint32_t item = find_placement(book, placement);
    return item != PROBE_NONE && order_room(book, item);
}

bool
book_find_contact(const struct book *book, struct id request_key, struct book_contact *out_contact)
{
    const struct recent_contact *contact = recent_find(&book->recent, request_key);
    if (contact == NULL) return false;
    const struct fact *opened = recent_fact(&book->recent, contact, 0);
    *out_contact = (struct book_contact){opened->contact, opened->opened.request};
    return true;
}

unsigned
book_recall(const struct book *book, struct id request_key,
            struct fact out_facts[BOUND_CONTACT_FACTS])
{
    const struct recent_contact *contact = recent_find(&book->recent, request_key);
    if (contact == NULL) return 0;
    for (unsigned i = 0; i < contact->count; i++)
        out_facts[i] = *recent_fact(&book->recent, contact, i);
    return contact->count;
}

bool
book_find_placement(const struct book *book, struct id placement,
                    struct book_placement *out_placement)
{
    uint32_t item = find_placement(book, placement);
    if (item == PROBE_NONE) return false;
    const struct kept *kept = &book->placements[item];
    *out_placement = (struct book_placement){
        .fact = &kept->fact,
        .state = (enum placement_state)kept->state,
        .converted = kept->converted,
        .refunded = kept->refunded,
    };
    return true;
}

bool
book_find_order(const struct book *book, struct id order, const char *reference,
                struct book_order *out_order)
{
    struct id none = {{0}};
    uint32_t item = orders_find(&book->orders, order,
                                reference == NULL ? none : orders_reference(reference));
    if (item == PROBE_NONE) return false;
    const struct order *found = &book->orders.orders[item];
    *out_order = (struct book_order){
        .placement = fact_placement(&book->placements[found->placement].fact),
        .amount = found->amount,
        .refunded = found->refunded,
    };
    return true;
}

bool
book_next_expired(const struct book *book, usec now, struct id *out_placement)
{
    int64_t end;
    uint32_t item = heap_least(&book->expiry, &end);
    if (item == HEAP_NONE || end > now.us) return false;
    *out_placement = fact_placement(&book->placements[item].fact);
    return true;
}

struct book_bids
book_overlay(const struct book *book)
{
    return (struct book_bids){book->overlay.sorted, book->overlay.sorted_count};
}

bool
book_bid_replaced(const struct book *book, uint32_t bid)
{
    return book->overlay.replaced[bid / 64] >> bid % 64 & 1;
}

bool
book_overlay_has_room(const struct book *book)
{
    return book->overlay.count < book->overlay.capacity;
}

bool
book_find_bid(const struct book *book, uint64_t bid, struct fact *out_fact)
{
    const struct overlay_bid *found = overlay_find(&book->overlay, bid);
    if (found == NULL) return false;
    *out_fact = (struct fact){.kind = FACT_BID};
    out_fact->bid.bid = found->id;
    out_fact->bid.seat = (uint16_t)found->seat;
    out_fact->bid.state = found->state;
    out_fact->bid.message = found->message;
    out_fact->bid.slot = found->slot;
    out_fact->bid.price = found->price;
    out_fact->bid.from = found->from;
    out_fact->bid.until = found->until;
    memcpy(out_fact->bid.key, found->key, sizeof out_fact->bid.key);
    return true;
}

struct book_counts
book_counts(const struct book *book)
{
    return (struct book_counts){
        .contacts = book->recent.contact_end - book->recent.contact_first,
        .placements_held = book->expiry.count,
        .placements_kept = book->placement_count,
        .caps = book->caps.capacity - book->caps.free_count,
        .overlay = book->overlay.count,
    };
}

// --- Digest --------------------------------------------------------------------------------------
static void
absorb(struct digest *digest, const void *data, size_t len)
{
    struct hash_piece pieces[2] = {{digest, sizeof *digest}, {data, len}};
    *digest = hash_sha256_pieces(pieces, 2);
}

// Adds to a sum that does not depend on the order of its parts.
static void
blend(uint64_t sum[4], const void *data, size_t len)
{
    struct digest part = hash_sha256(data, len);
    uint64_t lanes[4];
    memcpy(lanes, part.bytes, sizeof lanes);
    for (unsigned i = 0; i < 4; i++) sum[i] += lanes[i];
}

static void
digest_placement(struct digest *digest, const struct kept *kept)
{
    int64_t totals[3] = {kept->converted.micros, kept->refunded.micros, (int64_t)kept->state};
    absorb(digest, &kept->fact, sizeof kept->fact);
    absorb(digest, totals, sizeof totals);
}

static void
digest_spent(struct digest *digest, const money *spent, uint32_t count)
{
    for (uint32_t id = 0; id < count; id++) {
        int64_t line[2] = {id, spent[id].micros};
        if (spent[id].micros != 0) absorb(digest, line, sizeof line);
    }
}

static void
digest_orders(struct digest *digest, const struct book *book)
{
    for (uint32_t i = book->orders.oldest; i != PROBE_NONE; i = book->orders.orders[i].newer) {
        const struct order *order = &book->orders.orders[i];
        int64_t totals[2] = {order->amount.micros, order->refunded.micros};
        struct id placement = fact_placement(&book->placements[order->placement].fact);
        absorb(digest, &order->order, sizeof order->order);
        absorb(digest, &order->reference, sizeof order->reference);
        absorb(digest, &placement, sizeof placement);
        absorb(digest, totals, sizeof totals);
    }
}

static void
digest_overlay(struct digest *digest, const struct overlay *overlay)
{
    uint64_t sum[4] = {0};
    for (uint32_t i = 0; i < overlay->count; i++) {
        struct overlay_bid bid;
        memset(&bid, 0, sizeof bid);  // padding too
        const struct overlay_bid *entry = &overlay->bids[i];
        bid.id = entry->id;
        bid.seat = entry->seat;
        bid.message = entry->message;
        bid.slot = entry->slot;
        bid.price = entry->price;
        bid.from = entry->from;
        bid.until = entry->until;
        bid.position = entry->position;
        bid.state = entry->state;
        bid.offered = entry->offered;
        memcpy(bid.key, entry->key, sizeof bid.key);
        blend(sum, &bid, sizeof bid);
    }
    absorb(digest, sum, sizeof sum);
}

struct digest
book_digest(const struct book *book)
{
    struct digest digest = {{0}};
    uint64_t held[4] = {0}, caps[4] = {0};
    digest_spent(&digest, book->seat_spent, BOUND_SEATS);
    digest_spent(&digest, book->message_spent, BOUND_MESSAGES);
    for (uint64_t i = book->recent.contact_first; i < book->recent.contact_end; i++) {
        const struct recent_contact *contact =
            &book->recent.contacts[i % book->recent.contact_room];
        for (unsigned fact = 0; fact < contact->count; fact++) {
            absorb(&digest, recent_fact(&book->recent, contact, fact), sizeof(struct fact));
        }
    }
    for (uint32_t i = 0; i < book->placement_capacity; i++) {
        const struct kept *kept = &book->placements[i];
        if (kept->fact.kind == FACT_PLACEMENT && kept->state == PLACEMENT_HELD)
            blend(held, &kept->fact, sizeof kept->fact);
    }
    absorb(&digest, held, sizeof held);
    for (uint32_t i = book->oldest; i != PROBE_NONE; i = book->placements[i].newer) {
        digest_placement(&digest, &book->placements[i]);
    }
    for (uint32_t i = 0; i < book->caps.capacity; i++) {
        if (book->caps.pairs[i].customer != 0)
            blend(caps, &book->caps.pairs[i], sizeof book->caps.pairs[i]);
    }
    absorb(&digest, caps, sizeof caps);
    digest_orders(&digest, book);
    digest_overlay(&digest, &book->overlay);
    return digest;
}
