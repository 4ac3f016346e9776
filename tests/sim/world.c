#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"

// --- Bids ----------------------------------------------------------------------------------------
// A bid as the catalog of now has it.
static struct catalog_bid
resolve(const struct catalog *catalog, const struct market_bid *bid)
{
    uint32_t message = catalog_message_by_id(catalog, bid->message);
    uint32_t slot = bid->slot == 0 ? UINT32_MAX : catalog_slot_by_id(catalog, bid->slot);
    CHECK(message != UINT32_MAX && (bid->slot == 0 || slot != UINT32_MAX));
    struct catalog_bid is = {.id = bid->id,
                             .seat = catalog_seat_by_id(catalog, bid->seat),
                             .message = message,
                             .slot = slot,
                             .price = bid->price,
                             .from = bid->from,
                             .until = bid->until,
                             .state = bid->state,
                             .kind = bid->kind};
    memcpy(is.key, bid->key, sizeof is.key);
    return is;
}

static struct market_bid
declared(const struct catalog *catalog, const struct catalog_bid *bid)
{
    struct market_bid is = {.id = bid->id,
                            .seat = catalog->seats[bid->seat].id,
                            .message = catalog->messages[bid->message].id,
                            .slot = bid->slot == UINT32_MAX ? 0 : catalog->slots[bid->slot].id,
                            .price = bid->price,
                            .from = bid->from,
                            .until = bid->until,
                            .state = bid->state,
                            .kind = bid->kind};
    memcpy(is.key, bid->key, sizeof is.key);
    return is;
}

static struct market_bid
said(const struct fact *fact)
{
    struct market_bid is = {.id = fact->bid.bid,
                            .seat = fact->bid.seat,
                            .message = fact->bid.message,
                            .slot = fact->bid.slot,
                            .price = fact->bid.price,
                            .from = fact->bid.from,
                            .until = fact->bid.until,
                            .state = fact->bid.state,
                            .kind = fact->bid.kind};
    memcpy(is.key, fact->bid.key, sizeof is.key);
    return is;
}

static void
put_bid(struct market_bid *bids, uint32_t *count, const struct market_bid *bid)
{
    uint32_t at = 0;
    while (at < *count && bids[at].id != bid->id) at++;
    CHECK(at < WORLD_BIDS);
    if (at == *count) (*count)++;
    bids[at] = *bid;
}

static void
resolve_all(struct world *world)
{
    for (uint32_t i = 0; i < world->bid_count; i++)
        world->standing[i] = resolve(world->history.catalog, &world->bids[i]);
}

void
world_set_twin(struct world *world, const struct contact *contact, struct id id)
{
    struct twin *twin = world->twin;
    twin->catalog = world->history.catalog;
    twin->book = world->history.book;
    twin->contact = contact;
    twin->now = world->history.now;
    twin->id = id;
    twin->win_count = twin->bid_count = 0;
    memset(&world->asks, 0, sizeof world->asks);
    twin->limits = &world->asks;
    for (uint32_t i = 0; i < world->bid_count; i++) {
        if (world->bids[i].state != BID_WITHDRAWN)
            twin->bids[twin->bid_count++] = &world->standing[i];
    }
}

// --- A world -------------------------------------------------------------------------------------
static void *
take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    CHECK(memory != NULL);
    return memory;
}

// A world has some of the parts that a market can have: all of them, or each by itself, so that no
// part hides behind another.
static void
choose_parts(struct random *random, struct random_market *options)
{
    bool all = random_chance(random, 30);
    bool *parts[] = {&options->budgets,     &options->caps,       &options->kinds,
                     &options->explore,     &options->daily,      &options->campaigns,
                     &options->market_caps, &options->floors,     &options->experiments,
                     &options->deals,       &options->priorities, &options->live,
                     &options->experience,  &options->zone};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        *parts[i] = all || random_chance(random, i < 2 ? 70 : 40);
    if (random_chance(random, 70)) return;
    options->groups = random_chance(random, 50);
    options->limits = random_chance(random, 60);
    options->together = (uint8_t)(random_chance(random, 50) ? 60 : 0);
}

void
world_open(struct world *world, uint64_t seed, struct sim_counts *counts)
{
    struct random random = {seed};
    memset(world, 0, sizeof *world);
    world->counts = counts;
    world->options = (struct random_market){
        .bids = 2 + random_below(&random, random_chance(&random, 10) ? 200 : 50),
        .prices = random_chance(&random, 30) ? 5 : 40,
        .lasting = seed | 1,
        .version = 1,
    };
    choose_parts(&random, &world->options);
    struct book_limits limits = history_limits;
    limits.rates = 4096;  // room for all pairs, so that all are compared
    if (random_chance(&random, 10)) limits.customers = 256;
    if (random_chance(&random, 20)) limits.placements = 4 * BOUND_SLOTS;
    world->market_seed = random_next(&random);
    history_open(&world->history, world->market_seed, &world->options, &limits);
    world->history.random.state = random_next(&random);
    world->limits = limits;
    limits.overlay = WORLD_BIDS;
    world->other = book_open(&limits);
    book_catalog(world->other, world->history.catalog);
    world->round = round_open();
    tally_open(&world->tally);
    world->bids = take(WORLD_BIDS, sizeof *world->bids);
    world->first_bids = take(WORLD_BIDS, sizeof *world->first_bids);
    world->standing = take(WORLD_BIDS, sizeof *world->standing);
    world->twin = take(1, sizeof *world->twin);
    world->sale = take(1, sizeof *world->sale);
    world->together = take(1, sizeof *world->together);
    world->asked = take(WORLD_ASKED, sizeof *world->asked);
    world->live_bids = take(WORLD_LIVE, sizeof *world->live_bids);
    world->live_groups = take(WORLD_LIVE, sizeof *world->live_groups);
    world->live = (struct round_live){
        .bids = world->live_bids,
        .groups = world->live_groups,
        .callouts = take(BOUND_CALLOUTS, sizeof(struct round_callout))};
    world->why = (struct why){take(WORLD_WHY, sizeof *world->why.bids), 0, WORLD_WHY};
    world->first_count = world->bid_count = world->history.catalog->bid_count;
    for (uint32_t i = 0; i < world->bid_count; i++)
        world->first_bids[i] = world->bids[i] = declared(world->history.catalog,
                                                         &world->history.catalog->bids[i]);
    resolve_all(world);
}

void
world_close(struct world *world)
{
    history_close(&world->history);
    book_close(world->other);
    round_close(world->round);
    tally_close(&world->tally);
    free(world->bids);
    free(world->first_bids);
    free(world->standing);
    free(world->twin);
    free(world->sale);
    free(world->together);
    free(world->asked);
    free(world->live_bids);
    free(world->live_groups);
    free(world->live.callouts);
    free(world->why.bids);
}

void
world_take_facts(struct world *world)
{
    struct history *history = &world->history;
    for (; world->seen < history->count; world->seen++) {
        const struct fact *fact = &history->facts[world->seen];
        tally_take(&world->tally, history->catalog, fact);
        if (book_apply(world->other, fact, history->positions[world->seen]) != STATUS_OK)
            sim_fail("the other book refused a fact: %s",
                     fact_kind_name((enum fact_kind)fact->kind));
        world->counts->events += tally_is_event((enum fact_kind)fact->kind);
        if (fact->kind != FACT_BID) continue;
        struct market_bid bid = said(fact);
        put_bid(world->bids, &world->bid_count, &bid);
        resolve_all(world);
        world->counts->offers++;
    }
}

// Facts of one step: all are taken, then compared with the book as it stands after them.
static void
settle(struct world *world, uint32_t first)
{
    const struct history *history = &world->history;
    world_take_facts(world);
    for (uint32_t i = first; i < history->count; i++)
        tally_compare_fact(&world->tally, history->book, &history->facts[i]);
}

// --- What happens around the contacts ------------------------------------------------------------
static void
pass_time(struct world *world)
{
    struct history *history = &world->history;
    uint32_t first = history->count;
    history->now.us += random_below(&history->random, 20) * USEC_SECOND;
    if (random_chance(&history->random, 1))
        history->now.us += random_below(&history->random, 3) * USEC_DAY;
    bool prompt = random_chance(&history->random, 70);  // else events find what is over, but held
    if (prompt) history_expire(history);
    settle(world, first);
    for (uint32_t i = random_below(&history->random, 5); i > 0; i--) {
        first = history->count;
        if (random_chance(&history->random, 85)) {
            history_event(history);
        } else {
            history_offer(history);
        }
        settle(world, first);
    }
    first = history->count;
    if (!prompt) history_expire(history);
    settle(world, first);
}

// Asked again, a contact gets its first answer, and nothing new comes of it; asked for something
// else under the same key, it is refused. What the book has forgotten is not asked.
static void
ask_again(struct world *world, struct world_asked *asked)
{
    const struct history *history = &world->history;
    struct fact again[BOUND_CONTACT_FACTS];
    struct book_contact known;
    unsigned count;
    bool repeated;
    if (!book_find_contact(history->book, asked->contact.request_key, &known)) return;
    enum reason reason = round_decide(history->round, history->catalog, history->book,
                                      &asked->contact, NULL, history->now, NULL, again, &count,
                                      &repeated);
    if (reason != REASON_NONE || !repeated) sim_fail("a repeated contact was decided anew");
    if (count != asked->count ||  // its outcomes, without the record
        memcmp(again, &history->facts[asked->first], count * sizeof *again) != 0)
        sim_fail("a repeated contact got another answer");
    asked->contact.request++;
    reason = round_decide(history->round, history->catalog, history->book, &asked->contact, NULL,
                          history->now, NULL, again, &count, &repeated);
    asked->contact.request--;
    if (reason != REASON_CONFLICT) sim_fail("another contact took the key of one before");
    world->counts->repeats++;
}

// The facts anew: another book, in the same state, that goes on from here.
static void
restart(struct world *world)
{
    struct history *history = &world->history;
    struct book *book = book_open(&world->limits);
    book_catalog(book, history->catalog);
    for (uint32_t i = 0; i < history->count; i++) {
        if (book_apply(book, &history->facts[i], history->positions[i]) != STATUS_OK)
            sim_fail("a fold of the facts stopped at a %s",
                     fact_kind_name((enum fact_kind)history->facts[i].kind));
    }
    if (!digest_same(book_digest(book), book_digest(history->book)))
        sim_fail("the facts fold to another book");
    book_close(history->book);
    round_close(history->round);
    history->book = book;
    history->round = round_open();
    tally_compare(&world->tally, history->book, history->now);
    for (uint32_t i = 0; i < world->asked_count; i++) ask_again(world, &world->asked[i]);
    world->counts->restarts++;
}

// The bids as they stood up to a batch, without the withdrawn ones: what is published.
static uint32_t
bids_until(const struct world *world, uint64_t batch, struct market_bid *bids)
{
    const struct history *history = &world->history;
    uint32_t count = world->first_count, kept = 0;
    memcpy(bids, world->first_bids, count * sizeof *bids);
    for (uint32_t i = 0; i < history->count && history->positions[i].batch <= batch; i++) {
        if (history->facts[i].kind != FACT_BID) continue;
        struct market_bid bid = said(&history->facts[i]);
        put_bid(bids, &count, &bid);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (bids[i].state != BID_WITHDRAWN) bids[kept++] = bids[i];
    }
    return kept;
}

// A new catalog: the same market with newer bids in it, or another market. The same market sells
// the same as before, whether its bids stand in the catalog or beside it.
static void
change_catalog(struct world *world)
{
    struct history *history = &world->history;
    static struct market_bid bids[WORLD_BIDS];
    struct fact before[BOUND_CONTACT_FACTS], after[BOUND_CONTACT_FACTS];
    struct contact contact;
    unsigned count_before = 0, count_after = 0;
    bool repeated, same = random_chance(&history->random, 50);
    struct random draw = {random_next(&history->random)}, again = draw;
    if (!same) world->market_seed = random_next(&history->random);
    random_contact(&draw, history->catalog, &contact);
    (void)round_decide(history->round, history->catalog, history->book, &contact, NULL,
                       history->now, NULL, before, &count_before, &repeated);
    uint64_t behind = random_below(&history->random, 12), newest = history->batch - 1;
    uint64_t until = newest > behind ? newest - behind : 0;
    if (until < world->options.position.batch) until = world->options.position.batch;
    world->options.position = (struct catalog_position){1, 1, until};
    world->options.given = bids;
    world->options.bids = bids_until(world, until, bids);
    world->options.version++;
    struct random market = {world->market_seed};
    struct catalog *old = history->catalog;
    history->catalog = random_market(&market, &world->options);
    book_catalog(history->book, history->catalog);
    book_catalog(world->other, history->catalog);
    catalog_close(old);
    resolve_all(world);
    world->counts->catalogs++;
    if (!same) return;
    random_contact(&again, history->catalog, &contact);
    (void)round_decide(history->round, history->catalog, history->book, &contact, NULL,
                       history->now, NULL, after, &count_after, &repeated);
    if ((count_before == 0) != (count_after == 0)) sim_fail("publishing the bids opened a contact");
    if (count_before == 0) return;
    before[0].opened.catalog = history->catalog->version;
    before[0].opened.records = after[0].opened.records;
    unsigned outcomes = 1u + before[0].opened.slots;
    for (unsigned i = 1; i < outcomes; i++) {  // what the index spares, the overlay judges
        if (before[i].kind == FACT_UNFILLED)
            before[i].unfilled.considered = after[i].unfilled.considered;
    }
    if (memcmp(before, after, outcomes * sizeof *before) != 0)
        sim_fail("publishing the bids changed what is sold");
}

// --- A contact -----------------------------------------------------------------------------------
static void
remember(struct world *world, const struct contact *contact, uint32_t first, uint32_t count)
{
    uint32_t place = world->asked_count < WORLD_ASKED
                         ? world->asked_count++
                         : random_below(&world->history.random, WORLD_ASKED);
    world->asked[place] = (struct world_asked){*contact, first, count};
}

// Live bidders that may be asked answer at random: some well, some below the floor, some not.
static const struct round_live *
ask_live(struct world *world, const struct contact *contact)
{
    struct history *history = &world->history;
    struct random *random = &history->random;
    const struct catalog *catalog = history->catalog;
    const struct catalog_container *container = &catalog->containers[contact->container];
    struct round_live *live = &world->live;
    live->count = live->callout_count = 0;
    for (uint32_t seat = 0; seat < catalog->seat_count; seat++) {
        struct round_ask asked;
        if (!catalog->seats[seat].live) continue;
        round_ask(history->round, catalog, history->book, contact, seat, history->now, &asked);
        if (asked.slots == 0) continue;
        struct round_callout *callout = &live->callouts[live->callout_count++];
        *callout = (struct round_callout){.seat = (uint16_t)catalog->seats[seat].id,
                                          .answer_ms = (uint16_t)random_below(random, 40)};
        for (uint32_t m = 0; m < catalog->message_count && live->count < WORLD_LIVE; m++) {
            unsigned slot = random_below(random, container->slot_count);
            if (catalog->messages[m].seat != seat || !(asked.slots >> slot & 1)) continue;
            if (random_chance(random, 60)) continue;
            enum price_kind kind = random_chance(random, 70)   ? PRICE_PLACEMENT
                                   : random_chance(random, 50) ? PRICE_RESPONSE
                                                               : PRICE_SHARE;
            int64_t price = kind == PRICE_SHARE ? 1 + random_below(random, 1000000)
                                                : 100000 * (1 + random_below(random, 40));
            world->live_bids[live->count++] = (struct catalog_bid){
                .id = (random_next(random) | 1) >> 1 | UINT64_C(1) << 62,
                .seat = seat,
                .message = m,
                .slot = container->slot_first + slot,
                .price = money_of(price),
                .state = BID_ACTIVE,
                .kind = (uint8_t)kind};
            callout->bids++;
        }
        callout->reason = (uint8_t)(callout->bids == 0 ? REASON_NO_BID : REASON_NONE);
        world->counts->asked++;
        world->counts->live += callout->bids;
    }
    return live->callout_count == 0 ? NULL : live;
}

// A record says by itself what its slots were sold for; one that was tampered with does not.
static void
judge_record(struct world *world, const struct fact *facts, unsigned count)
{
    struct random *random = &world->history.random;
    struct fact changed[BOUND_CONTACT_FACTS];
    struct price_sale sale;
    unsigned position;
    if (!round_reprice(facts, count, &position, &sale))
        sim_fail("the record of slot %u gives %016" PRIx64 " at %" PRId64, position, sale.winner,
                 sale.price.micros);
    memcpy(changed, facts, count * sizeof *facts);
    for (unsigned i = 1; i < 1u + facts[0].opened.slots; i++) {
        if (facts[i].kind != FACT_PLACEMENT || !random_chance(random, 10)) continue;
        changed[i].placement.price.micros += random_chance(random, 50) ? 1 : -1;
        if (round_reprice(changed, count, &position, &sale))
            sim_fail("a price that was changed agrees with its record");
        if (position != i) sim_fail("slot %u was changed, slot %u is named", i, position);
        changed[i] = facts[i];
    }
}

static void
ask(struct world *world)
{
    struct history *history = &world->history;
    struct random *random = &history->random;
    struct fact facts[BOUND_CONTACT_FACTS], again[BOUND_CONTACT_FACTS];
    struct contact contact;
    unsigned count, count_again;
    bool repeated, why = random_chance(random, 6);
    random_contact(random, history->catalog, &contact);
    unsigned slots = history->catalog->containers[contact.container].slot_count;
    if (random_chance(random, 20))
        contact.slots_wanted = (uint16_t)(1 + random_below(random, (1u << slots) - 1));
    const struct round_live *live = ask_live(world, &contact);
    enum reason reason = round_decide(history->round, history->catalog, history->book, &contact,
                                      live, history->now, NULL, facts, &count, &repeated);
    if (reason == REASON_BUSY) {
        if (book_counts(history->book).placements_held + slots <= world->limits.placements)
            sim_fail("refused as busy, though there is room");
        world->counts->refused++;
        return;
    }
    if (reason != REASON_NONE || repeated)
        sim_fail("a contact was refused: %s", reason_key(reason));
    if (why) {
        reason = round_decide(history->round, history->catalog, history->book, &contact, live,
                              history->now, &world->why, again, &count_again, &repeated);
        if (reason != REASON_NONE || repeated || count_again != count ||
            memcmp(again, facts, count * sizeof *facts) != 0)
            sim_fail("decided twice, a contact has two outcomes");
    }
    world_judge(world, &contact, live, facts, count, why);
    judge_record(world, facts, count);
    if (world->bid_count > 0) world_deviate(world, &contact);
    uint32_t first = history->count;
    history_apply(history, facts, count);
    settle(world, first);
    remember(world, &contact, first, 1 + slots);
    if (random_chance(random, 10))
        ask_again(world, &world->asked[random_below(random, world->asked_count)]);
}

void
world_round(struct world *world)
{
    struct random *random = &world->history.random;
    pass_time(world);
    if (random_below(random, 128) == 0) change_catalog(world);
    if (random_below(random, 128) == 0) restart(world);
    ask(world);
    world->counts->rounds++;
}
