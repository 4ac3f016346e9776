// What live.c and live_catalog.c share: the pool of contacts that wait. Private to engine/.
#ifndef VENDUE_LIVE_INSIDE_H
#define VENDUE_LIVE_INSIDE_H

#include "edge_inside.h"

struct event;

#define INDEX_BITS 10
#define CALLOUT_BITS 7
#define GENERATION_MASK 0x7fff
_Static_assert(1 << CALLOUT_BITS >= BOUND_CALLOUTS, "a callout's number fits its bits");

enum place_state { PLACE_FREE, PLACE_OPEN, PLACE_HELD };

struct waiting {
    enum place_state state;
    uint32_t generation;
    uint32_t next;  // in the free list
    bool test;
    struct contact contact;
    uint8_t *params;  // as they came, without their names' owner
    size_t params_len;
    struct session_peer peer;
    usec came;             // wall
    usec asked, deadline;  // monotonic
    struct live_asker askers[LIVE_ASKERS];
    uint32_t asker_count;
    uint32_t slot_of[BOUND_SLOTS];  // of each impid - 1, in the catalog that decides
    struct question {
        struct session_handle session;
        uint16_t slots;
        bool pending;
    } questions[BOUND_CALLOUTS];
    struct round_callout callouts[BOUND_CALLOUTS];
    uint32_t callout_count, pending;
    struct catalog_bid bids[BOUND_LIVE_BIDS];
    uint8_t groups[BOUND_LIVE_BIDS], reasons[BOUND_LIVE_BIDS];
    uint32_t bid_count;
};

struct live {
    struct edge *edge;
    const struct settings *settings;
    struct bidders bidders;
    struct waiting *places;
    uint32_t *open;  // numbers of open places
    uint32_t open_count, free_first;
    uint32_t *seats;  // indexes of seats that may be asked
    uint32_t seat_count;
    uint64_t serial;  // of contacts that could ask somebody
    struct event *timer;
    int timer_descriptor;
    usec wakes;                 // when the timer does; 0 never
    struct round_live unasked;  // of a contact that does not wait
    struct round_callout callouts[BOUND_CALLOUTS];
    struct callout_answer reading;
};

void live_find_seats(struct live *live);
void live_give_place(struct live *live, struct waiting *place);

#endif
