// A place of the pool:
//
//          live_ask            all answered, or the deadline: method_decide
//   FREE -----------> OPEN -----------------------------------------------> HELD
//    ^                  | refused, a test, or nobody to be told               | its mail was
//    +------------------+-----------------------------------------------------+ spoken:
//                                                                               live_release
//
//   1 The id of a request of ours says where its answer belongs: place in the pool, number of the
//     callout, and how often the place was used (15 bits). An answer that fits no open place, its
//     seat and its connection was late, or answers nothing: it changes no auction.
//   2 A contact waits until `tmax` less our own time after it came; bidders are told what is left.
//     When the touchpoint wants less than twice our own time, the two halve it.
//   3 A contact that the book knows, or for which nobody can be asked, does not wait. A retry of
//     one that waits joins it; another content under its key is a conflict, as ever.
//   4 A new catalog takes over at once, also for what waits (live_catalog.c).
//   5 Callouts are recorded for seats that could compete: asked, or not, and why. Seats are gone
//     through from another one each contact, so that BOUND_CALLOUTS leaves out nobody for ever.
#include "live.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "edge_inside.h"
#include "fail.h"
#include "live_inside.h"

static void
on_timer(evutil_socket_t descriptor, short what, void *context)
{
    (void)what;
    struct live *live = context;
    uint64_t times;
    ssize_t got = read(descriptor, &times, sizeof times);
    CHECK(got == sizeof times || errno == EAGAIN || errno == EINTR);
    live->wakes.us = 0;  // the turn itself looks at the clock
}

void
live_find_seats(struct live *live)
{
    const struct catalog *catalog = live->edge->catalog;
    live->seat_count = 0;
    for (uint32_t i = 0; catalog != NULL && i < catalog->seat_count; i++)
        if (catalog->seats[i].live && !catalog->seats[i].paused)
            live->seats[live->seat_count++] = i;
}

struct live *
live_open(struct edge *edge, const struct settings *settings)
{
    struct live *live = calloc(1, sizeof *live);
    uint32_t count = settings->live.waiting;
    CHECK(live != NULL && count <= 1 << INDEX_BITS);
    live->edge = edge;
    live->settings = settings;
    bidder_open(&live->bidders);
    live->places = calloc(count, sizeof *live->places);
    live->open = calloc(count, sizeof *live->open);
    live->seats = calloc(BOUND_SEATS, sizeof *live->seats);
    // A timer of its own: the loop's go by whole milliseconds.
    live->timer_descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    live->timer = event_new(edge->base, live->timer_descriptor, EV_READ | EV_PERSIST, on_timer,
                            live);
    CHECK(live->places != NULL && live->open != NULL && live->seats != NULL &&
          live->timer_descriptor >= 0 && live->timer != NULL && event_add(live->timer, NULL) == 0);
    for (uint32_t i = 0; i < count; i++) live->places[i].next = i + 1 < count ? i + 1 : UINT32_MAX;
    live_find_seats(live);
    return live;
}

void
live_close(struct live *live)
{
    if (live == NULL) return;
    for (uint32_t i = 0; i < live->settings->live.waiting; i++) free(live->places[i].params);
    bidder_close(&live->bidders);
    event_free(live->timer);
    close(live->timer_descriptor);
    free(live->places);
    free(live->open);
    free(live->seats);
    free(live);
}

struct bidders *
live_bidders(struct live *live)
{
    return &live->bidders;
}

static struct waiting *
take_place(struct live *live)
{
    if (live->free_first == UINT32_MAX) return NULL;
    struct waiting *place = &live->places[live->free_first];
    live->free_first = place->next;
    place->generation++;
    place->asker_count = place->callout_count = place->pending = place->bid_count = 0;
    return place;
}

void
live_give_place(struct live *live, struct waiting *place)
{
    free(place->params);
    place->params = NULL;
    place->state = PLACE_FREE;
    place->next = live->free_first;
    live->free_first = (uint32_t)(place - live->places);
}

// --- Asking --------------------------------------------------------------------------------------

// Bidders are told so many milliseconds; 0: there is no time to ask.
static uint32_t
time_for_bidders(const struct live *live, const struct decode_wish *wish)
{
    uint32_t most = live->settings->live.tmax_ms, own = live->settings->live.own_ms;
    uint32_t tmax = wish->tmax_ms > 0 && wish->tmax_ms < most ? wish->tmax_ms : most;
    return tmax > 2 * own ? tmax - own : tmax / 2;
}

struct asking {
    struct waiting *place;  // NULL: the pool is full
    const struct contact *contact;
    const struct decode_wish *wish;
    usec now;    // wall
    usec began;  // monotonic: when the request came
    uint32_t tmax_ms;
    uint32_t count;
};

// Sends the request. False: the connection takes nothing now.
static bool
send_question(struct live *live, const struct asking *asking, uint32_t seat,
              const struct round_ask *ask, struct session_handle session)
{
    struct edge *edge = live->edge;
    struct waiting *place = asking->place;
    uint32_t id = (place->generation & GENERATION_MASK) << (INDEX_BITS + CALLOUT_BITS) |
                  asking->count << INDEX_BITS | (uint32_t)(place - live->places);
    struct pack *pack = session_ask_begin(edge->listener, session, id, "bid_request");
    if (pack == NULL) return false;
    struct callout_question question = {
        .catalog = edge->catalog,
        .secret = edge->customer_secret,
        .contact = asking->contact,
        .wish = asking->wish,
        .seat = seat,
        .ask = ask,
        .tmax_ms = asking->tmax_ms,
    };
    callout_write(pack, &question);
    if (!session_say_end(edge->listener)) return false;
    place->questions[asking->count] = (struct question){session, ask->slots, true};
    place->pending++;
    return true;
}

// One seat that could compete. NONE: it was asked; else why not.
static enum reason
ask_seat(struct live *live, const struct asking *asking, uint32_t seat, const struct round_ask *ask,
         bool *out_unwanted)
{
    struct bidder *bidder = &live->bidders.of[live->edge->catalog->seats[seat].id];
    enum reason reason;
    const struct bidder_connection *connection = bidder_next(bidder, asking->tmax_ms, &reason);
    *out_unwanted = connection == NULL && reason == REASON_NONE;
    if (*out_unwanted) {
        bidder->counts.too_short++;
    } else if (connection == NULL) {
        bidder->counts.not_connected++;
    } else if (asking->place == NULL || bidder->in_flight >= live->settings->live.in_flight ||
               !breaker_admits(&bidder->breaker, live->serial) ||
               !send_question(live, asking, seat, ask, connection->session)) {
        bidder->counts.throttled++;
        reason = REASON_THROTTLED;
    } else {
        bidder->counts.asked++;
        bidder->in_flight++;
    }
    return reason;
}

static void
ask_all(struct live *live, struct asking *asking)
{
    const struct catalog *catalog = live->edge->catalog;
    uint32_t first = (uint32_t)(live->serial % live->seat_count);
    for (uint32_t i = 0; i < live->seat_count && asking->count < BOUND_CALLOUTS; i++) {
        uint32_t seat = live->seats[(first + i) % live->seat_count];
        struct round_ask ask;
        auctioneer_ask(live->edge->auctioneer, asking->contact, seat, asking->now, &ask);
        if (ask.slots == 0) continue;
        bool unwanted;
        enum reason reason = ask_seat(live, asking, seat, &ask, &unwanted);
        if (unwanted) continue;
        if (asking->place != NULL && reason != REASON_NONE)
            asking->place->questions[asking->count].pending = false;
        live->callouts[asking->count++] = (struct round_callout){
            .seat = (uint16_t)catalog->seats[seat].id,
            .answer_ms = UINT16_MAX,
            .reason = (uint8_t)reason,
        };
    }
}

static void
wait_for_answers(struct live *live, const struct session_request *request,
                 const struct asking *asking)
{
    struct waiting *place = asking->place;
    const struct catalog *catalog = live->edge->catalog;
    const struct catalog_container *container = &catalog->containers[asking->contact->container];
    place->state = PLACE_OPEN;
    place->test = asking->wish->test;
    place->contact = *asking->contact;
    place->params_len = (size_t)(request->params.end - request->params.at);
    place->params = malloc(place->params_len);
    CHECK(place->params != NULL);
    memcpy(place->params, request->params.at, place->params_len);
    place->peer = request->peer;
    place->came = asking->now;
    place->asked = asking->began;
    place->deadline.us = asking->began.us + (int64_t)asking->tmax_ms * 1000;
    place->askers[place->asker_count++] = (struct live_asker){request->session, request->id};
    for (uint32_t i = 0; i < BOUND_SLOTS; i++)
        place->slot_of[i] = i < container->slot_count ? container->slot_first + i : UINT32_MAX;
    memcpy(place->callouts, live->callouts, asking->count * sizeof *place->callouts);
    place->callout_count = asking->count;
    live->open[live->open_count++] = (uint32_t)(place - live->places);
}

// A retry of a contact that waits.
static struct waiting *
find_waiting(const struct live *live, const struct contact *contact, bool test)
{
    for (uint32_t i = 0; i < live->open_count; i++) {
        struct waiting *place = &live->places[live->open[i]];
        if (id_same(place->contact.request_key, contact->request_key) && place->test == test)
            return place;
    }
    return NULL;
}

static enum live_verdict
join(struct live *live, struct waiting *place, const struct session_request *request,
     const struct contact *contact)
{
    enum reason reason = place->contact.request != contact->request ? REASON_CONFLICT
                         : place->asker_count == LIVE_ASKERS        ? REASON_BUSY
                                                                    : REASON_NONE;
    if (reason == REASON_NONE) {
        place->askers[place->asker_count++] = (struct live_asker){request->session, request->id};
        return LIVE_WAITS;
    }
    method_refuse(live->edge, request->session, request->id, reason,
                  reason == REASON_CONFLICT ? "id" : NULL);
    return LIVE_REFUSED;
}

enum live_verdict
live_ask(struct live *live, const struct session_request *request, const struct contact *contact,
         const struct decode_wish *wish, usec now, struct live_contact *out_contact)
{
    const struct book *book = auctioneer_book(live->edge->auctioneer);
    struct book_contact known;
    *out_contact = (struct live_contact){.contact = contact, .test = wish->test};
    if (live->seat_count == 0) return LIVE_DECIDE;
    if (book_find_contact(book, contact->request_key, &known) ||
        book_was_decided(book, contact->request_key))
        return LIVE_DECIDE;
    struct waiting *waiting = find_waiting(live, contact, wish->test);
    if (waiting != NULL) return join(live, waiting, request, contact);
    struct asking asking = {
        .contact = contact,
        .wish = wish,
        .now = now,
        .began = clock_monotonic(),
        .tmax_ms = time_for_bidders(live, wish),
    };
    if (asking.tmax_ms == 0) return LIVE_DECIDE;
    if (live->bidders.subscribed > 0) asking.place = take_place(live);
    ask_all(live, &asking);
    live->serial++;
    if (asking.place != NULL && asking.place->pending > 0) {
        wait_for_answers(live, request, &asking);
        return LIVE_WAITS;
    }
    if (asking.place != NULL) live_give_place(live, asking.place);
    live->unasked = (struct round_live){.callouts = live->callouts, .callout_count = asking.count};
    if (asking.count > 0) out_contact->live = &live->unasked;
    return LIVE_DECIDE;
}

// --- Answers -------------------------------------------------------------------------------------

static bool
is_taken(const struct waiting *place, uint32_t before, uint64_t bid)
{
    for (uint32_t i = 0; i < before; i++)
        if (place->bids[i].id == bid) return true;
    return false;
}

// The ids of live bids: none of the book's, and none of another in this contact.
static void
give_ids(const struct live *live, struct waiting *place, uint32_t from, const struct id *auction)
{
    const struct catalog *catalog = live->edge->catalog;
    const struct book *book = auctioneer_book(live->edge->auctioneer);
    struct fact fact;
    for (uint32_t i = from; i < place->bid_count; i++) {
        struct catalog_bid *bid = &place->bids[i];
        bid->id = callout_bid(auction, catalog->messages[bid->message].id,
                              catalog->slots[bid->slot].id);
        while (bid->id == 0 || catalog_bid_by_id(catalog, bid->id) != UINT32_MAX ||
               book_find_bid(book, bid->id, &fact) || is_taken(place, i, bid->id))
            bid->id = hash_mix(bid->id + 0x9e3779b97f4a7c15u);
    }
}

static void
end_question(struct live *live, struct waiting *place, uint32_t number, enum reason reason)
{
    struct round_callout *callout = &place->callouts[number];
    place->questions[number].pending = false;
    place->pending--;
    callout->reason = (uint8_t)reason;
    bidder_answered(&live->bidders.of[callout->seat], reason);
}

static enum reason
read_answer(struct live *live, struct waiting *place, uint32_t number,
            const struct session_answer *answer)
{
    const struct catalog *catalog = live->edge->catalog;
    struct callout_answer *reading = &live->reading;
    uint32_t seat = catalog_seat_by_id(catalog, answer->peer.party);
    if (answer->refused) return REASON_INVALID_BID;
    if (seat == UINT32_MAX) return REASON_NO_BID;  // gone with a new catalog, and its bids with it
    reading->catalog = catalog;
    reading->seat = seat;
    reading->slots = place->questions[number].slots;
    reading->slot_of = place->slot_of;
    reading->auction = callout_auction(live->edge->customer_secret, place->contact.request_key,
                                       answer->peer.party);
    reading->bids = &place->bids[place->bid_count];
    reading->groups = &place->groups[place->bid_count];
    reading->room = BOUND_LIVE_BIDS - place->bid_count;
    callout_read(reading, answer->value);
    uint32_t from = place->bid_count;
    place->bid_count += reading->count;
    place->callouts[number].bids = (uint8_t)reading->count;
    give_ids(live, place, from, &reading->auction);
    for (uint32_t i = 0; i < reading->trouble_count; i++)
        notice_trouble(live->edge, answer, &reading->auction, &reading->troubles[i]);
    return reading->reason;
}

// The open question that this answers; NULL: none.
static struct waiting *
find_question(struct live *live, const struct session_answer *answer, uint32_t *out_number)
{
    uint32_t index = answer->id & ((1u << INDEX_BITS) - 1);
    uint32_t number = answer->id >> INDEX_BITS & ((1u << CALLOUT_BITS) - 1);
    if (index >= live->settings->live.waiting) return NULL;
    struct waiting *place = &live->places[index];
    if (place->state != PLACE_OPEN || number >= place->callout_count ||
        (place->generation & GENERATION_MASK) != answer->id >> (INDEX_BITS + CALLOUT_BITS))
        return NULL;
    const struct question *question = &place->questions[number];
    if (place->callouts[number].seat != answer->peer.party || !question->pending ||
        question->session.index != answer->session.index ||
        question->session.generation != answer->session.generation)
        return NULL;
    *out_number = number;
    return place;
}

void
live_answer(struct live *live, const struct session_answer *answer)
{
    struct callout_trouble trouble = {.bid = CALLOUT_WHOLE, .reason = REASON_AFTER_DEADLINE};
    uint32_t number;
    // It was asked as a seat; by now it may speak for somebody else.
    if (answer->peer.role != ROLE_SEAT || answer->peer.party >= BOUND_SEATS) return;
    struct waiting *place = find_question(live, answer, &number);
    if (place == NULL) {
        if (!bidder_late(&live->bidders.of[answer->peer.party]))
            trouble.reason = REASON_INVALID_BID;
        if (trouble.reason == REASON_INVALID_BID)
            strcpy(trouble.text, "no request of ours with this id waits for an answer");
        notice_trouble(live->edge, answer, NULL, &trouble);
        return;
    }
    usec now = clock_monotonic();
    int64_t ms = (now.us - place->asked.us) / 1000;
    place->callouts[number].answer_ms = ms < UINT16_MAX ? (uint16_t)ms : UINT16_MAX - 1;
    enum reason reason = REASON_AFTER_DEADLINE;
    if (now.us <= place->deadline.us) reason = read_answer(live, place, number, answer);
    else notice_trouble(live->edge, answer, NULL, &trouble);
    end_question(live, place, number, reason);
}

void
live_ended(struct live *live, struct session_handle session, struct session_peer peer)
{
    if (peer.role != ROLE_SEAT || peer.party >= BOUND_SEATS) return;
    struct bidder *bidder = &live->bidders.of[peer.party];
    bidder_ended(&live->bidders, peer.party, session);
    for (uint32_t i = 0; i < live->open_count && bidder->in_flight > 0; i++) {
        struct waiting *place = &live->places[live->open[i]];
        for (uint32_t q = 0; q < place->callout_count; q++) {
            const struct question *question = &place->questions[q];
            if (!question->pending || question->session.index != session.index ||
                question->session.generation != session.generation)
                continue;
            end_question(live, place, q, REASON_NO_ANSWER);
            bidder->given_up--;  // it cannot come late either
        }
    }
}

// --- Deciding ------------------------------------------------------------------------------------

static void
finish(struct live *live, struct waiting *place)
{
    struct round_live answers = {
        .bids = place->bids,
        .groups = place->groups,
        .count = place->bid_count,
        .callouts = place->callouts,
        .callout_count = place->callout_count,
        .reasons = place->reasons,
    };
    for (uint32_t i = 0; i < place->callout_count && place->pending > 0; i++)
        if (place->questions[i].pending) end_question(live, place, i, REASON_NO_ANSWER);
    memset(place->reasons, REASON_OUTBID, sizeof place->reasons);
    struct live_contact contact = {
        .contact = &place->contact,
        .test = place->test,
        .live = &answers,
        .askers = place->askers,
        .asker_count = place->asker_count,
        .held = (uint32_t)(place - live->places) + 1,
    };
    place->state = PLACE_HELD;
    if (!method_decide(live->edge, &contact, clock_wall())) live_give_place(live, place);
}

// Absolute, so that the time until it is set does not count; zero disarms.
static void
set_timer(struct live *live, usec wakes)
{
    if (wakes.us == live->wakes.us) return;
    live->wakes = wakes;
    struct itimerspec when = {.it_value = {wakes.us / USEC_SECOND, wakes.us % USEC_SECOND * 1000}};
    CHECK(timerfd_settime(live->timer_descriptor, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

void
live_turn(struct live *live)
{
    if (live->open_count == 0) {
        set_timer(live, (usec){0});
        return;
    }
    usec now = clock_monotonic(), wakes = {0};
    for (uint32_t i = live->open_count; i-- > 0;) {
        struct waiting *place = &live->places[live->open[i]];
        if (place->pending == 0 || now.us >= place->deadline.us) {
            live->open[i] = live->open[--live->open_count];
            finish(live, place);
        } else if (wakes.us == 0 || place->deadline.us < wakes.us) {
            wakes = place->deadline;
        }
    }
    set_timer(live, wakes);
}

// --- What was held -------------------------------------------------------------------------------

bool
live_held(const struct live *live, uint32_t held, struct live_held *out_held)
{
    if (held == 0) return false;
    const struct waiting *place = &live->places[held - 1];
    CHECK(place->state == PLACE_HELD);
    *out_held = (struct live_held){place->bids, place->reasons, place->bid_count};
    return true;
}

void
live_release(struct live *live, uint32_t held)
{
    if (held == 0) return;
    CHECK(live->places[held - 1].state == PLACE_HELD);
    live_give_place(live, &live->places[held - 1]);
}
