// Reading the book: nothing here changes it.
#include <string.h>

#include "book.h"
#include "book_parts.h"
#include "fail.h"

money
book_spent(const struct book *book, enum budget_of of, uint32_t id)
{
    CHECK(id < spend_bound(of));
    return book->spend.lines[of][id].total;
}

money
book_spent_on(const struct book *book, enum budget_of of, uint32_t id, uint16_t day)
{
    CHECK(id < spend_bound(of));
    return spend_on(&book->spend, of, id, day);
}

uint32_t
book_deal_deliveries(const struct book *book, uint32_t deal_id, uint16_t day)
{
    return spend_deliveries(&book->spend, deal_id, day);
}

bool
book_next_shown(const struct book *book, uint64_t customer, struct book_shown *shown)
{
    return customer != 0 && shown_next(&book->shown, customer, shown);
}

struct learn_counts
book_learned(const struct book *book, uint32_t message_id, uint8_t cell)
{
    return rates_of_message(&book->rates, message_id, cell);
}

void
book_expect_learned(const struct book *book, uint32_t message_id, uint8_t cell, unsigned step)
{
    rates_expect(&book->rates, message_id, cell, step);
}

struct learn_counts
book_learned_in_cell(const struct book *book, enum rung rung, uint8_t cell)
{
    return rates_of_cell(&book->rates, rung, cell);
}

struct learn_counts
book_learned_on_rung(const struct book *book, enum rung rung)
{
    CHECK(rung < RUNG_COUNT);
    return book->rates.rungs[rung];
}

// --- Room ----------------------------------------------------------------------------------------
bool
book_has_room(const struct book *book, unsigned slots)
{
    return book->placement_capacity - book->expiry.count >= slots;
}

bool
book_response_has_room(const struct book *book, unsigned slots)
{
    return (uint64_t)book->responses + slots <= book->placement_capacity / 2;
}

bool
book_shown_has_room(const struct book *book, uint64_t customer)
{
    return customer == 0 || shown_has_room(&book->shown, customer);
}

bool
book_mark_has_room(const struct book *book, uint64_t customer)
{
    return customer == 0 || shown_mark_has_room(&book->shown, customer);
}

bool
book_order_has_room(const struct book *book, struct id placement)
{
    uint32_t item = book_place_of(book, placement);
    if (item == PROBE_NONE) return false;
    return book->orders.count < book->orders.capacity ||
           book_order_victim(book, item) != PROBE_NONE;
}

// --- Contacts and placements ---------------------------------------------------------------------
bool
book_was_decided(const struct book *book, struct id request_key)
{
    return decided_has(&book->decided, request_key) ||
           recent_find(&book->recent, request_key) != NULL;
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
    uint32_t item = book_place_of(book, placement);
    if (item == PROBE_NONE) return false;
    const struct book_kept *kept = &book->placements[item];
    *out_placement = (struct book_placement){
        .fact = &kept->fact,
        .state = (enum placement_state)kept->state,
        .converted = kept->converted,
        .refunded = kept->refunded,
        .complained = kept->complained,
    };
    return true;
}

usec
book_response_ends(const struct book *book, struct id placement)
{
    uint32_t item = book_place_of(book, placement);
    CHECK(item != PROBE_NONE && (book->placements[item].state == PLACEMENT_DELIVERED ||
                                 book->placements[item].state == PLACEMENT_ACCEPTED));
    return (usec){heap_has(&book->expiry, item) ? heap_key(&book->expiry, item) : INT64_MAX};
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
    return (struct book_bids){
        .bids = book->overlay.sorted,
        .count = book->overlay.sorted_count,
        .judged_first = book->overlay.judged_first,
    };
}

bool
book_bid_replaced(const struct book *book, uint32_t bid)
{
    return overlay_replaces(&book->overlay, bid);
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
    out_fact->bid.kind = found->kind;
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
    const struct shown *shown = &book->shown;
    return (struct book_counts){
        .contacts = book->recent.contact_end - book->recent.contact_first,
        .retries = book->decided.end < book->decided.room ? book->decided.end : book->decided.room,
        .placements_kept = book->placement_count,
        .overlay = book->overlay.count,
        .placements_held = book->expiry.count,
        .placements_responses = book->responses,
        .customers = shown->customers,
        .shown_bytes = shown->block_count * sizeof *shown->blocks +
                       shown->index.size * sizeof *shown->index.cells,
        .rates = book->rates.count,
        .rates_unpaired = book->rates.unpaired,
        .marks_lost = book->marks_lost,
    };
}
