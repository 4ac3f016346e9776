// What the tests of shipping and of verify share: a market directory with a database, a small
// market, and a teller of stories, random but lawful: contacts, placements, what became of them,
// orders, refunds, bids.
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../ledger/ship.h"
#include "database.h"
#include "fail.h"
#include "fixture_round.h"
#include "folder.h"
#include "journal.h"
#include "publish.h"
#include "seed.h"
#include "verify.h"

struct fixture {
    char directory[64];
    char owner[POSTGRES_TEXT], ledger[POSTGRES_TEXT], console[POSTGRES_TEXT];
    struct arena *arena;
    struct market *market;  // newest
    uint64_t catalog;       // newest published
    struct publish *publish;
};

#define FIXTURE_MARKET(rate, price)                                                      \
    "market: {code: tiny, currency: EUR}\n"                                              \
    "touchpoints: {crm: Desk}\n"                                                         \
    "seats:\n"                                                                           \
    "  billing: {kind: department}\n"                                                    \
    "  sales: {kind: department}\n"                                                      \
    "  grill: {kind: partner}\n"                                                         \
    "  paper: {kind: partner}\n"                                                         \
    "  agency: {kind: partner}\n"                                                        \
    "contracts:\n"                                                                       \
    "  billing.one: {seat: billing, from: 2025-01-01}\n"                                 \
    "  sales.one: {seat: sales, from: 2025-01-01, transfer_price: " price "}\n"          \
    "  paper.one: {seat: paper, from: 2025-01-01, billing: prepaid, charge: win}\n"      \
    "  grill.one:\n"                                                                     \
    "    seat: grill\n"                                                                  \
    "    from: 2025-01-01\n"                                                             \
    "    validation: 0d\n"                                                               \
    "    gain_share:\n"                                                                  \
    "      merchant: partner\n"                                                          \
    "      rate: " rate "\n"                                                             \
    "      shares:\n"                                                                    \
    "        - {to: host, weight: 400000}\n"                                             \
    "        - {to: agency, weight: 250001}\n"                                           \
    "        - {to: sales, rung: 4, weight: 150000}\n"                                   \
    "        - {to: sales, rung: 5, weight: 120000}\n"                                   \
    "  agency.one:\n"                                                                    \
    "    seat: agency\n"                                                                 \
    "    from: 2025-01-01\n"                                                             \
    "    validation: 0d\n"                                                               \
    "    gain_share: {merchant: host, rate: 3%, shares: [{to: agency, weight: 1}]}\n"    \
    "containers:\n"                                                                      \
    "  bill:\n"                                                                          \
    "    stage: use\n"                                                                   \
    "    channel: bill\n"                                                                \
    "    owner: billing\n"                                                               \
    "    slots: {header: {floor: 0.10}, footer: {floor: 0.12}, insert: {floor: 0.20}}\n" \
    "messages:\n"                                                                        \
    "  billing.tip: {seat: billing, rung: 1, objectives: educate}\n"                     \
    "  sales.plan: {seat: sales, rung: 4, objectives: upgrade}\n"                        \
    "  grill.summer: {seat: grill, rung: 7, objectives: cross_sell}\n"                   \
    "  paper.trial: {seat: paper, rung: 6, objectives: cross_sell}\n"                    \
    "  agency.refer: {seat: agency, rung: 7, objectives: refer}\n"

// Runs one statement as the owner.
static inline uint64_t
fixture_sql(struct fixture *fixture, const char *sql)
{
    struct db *db = database_open(fixture->owner);
    uint64_t changed = 0;
    enum status status = db_run(db, sql, NULL, 0, &changed);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    db_close(db);
    return changed;
}

// The first value of a query's only row.
static inline int64_t
fixture_ask(struct fixture *fixture, const char *sql)
{
    struct db *db = database_open(fixture->owner);
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) print_message("%s\n", db_fault(db)->text);
    assert_int_equal(status, STATUS_OK);
    int64_t value = db_get_int(rows, 0, 0);
    db_rows_free(rows);
    db_close(db);
    return value;
}

// Applies a market as the console does and publishes it as ledgerd does.
static inline void
fixture_market(struct fixture *fixture, const char *text)
{
    struct publish_report published = {0};
    struct db *db = database_open(fixture->console);
    database_apply(db, text, fixture->arena);
    db_close(db);
    db = database_open(fixture->ledger);
    assert_int_equal(publish_load_market(db, 0, fixture->arena, &fixture->market), STATUS_OK);
    enum status status = publish_turn(fixture->publish, db, clock_wall(), &published);
    if (status != STATUS_OK) print_message("%s\n", published.fault);
    assert_int_equal(status, STATUS_OK);
    assert_true(published.published);
    fixture->catalog = published.version;
    db_close(db);
}

static inline void
fixture_open(struct fixture *fixture)
{
    char path[96];
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/vendue_ledger_XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    static const char *const folders[] = {"journal", "published", "run"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", fixture->directory, folders[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    db_close(database_migrated(fixture->owner));
    postgres_as(fixture->owner, "vendue_ledger", fixture->ledger);
    postgres_as(fixture->owner, "vendue_console", fixture->console);
    fixture->arena = arena_open("fixture");
    fixture->publish = publish_open(fixture->directory, 1);
    fixture_market(fixture, FIXTURE_MARKET("10%", "floor"));
}

static inline void
fixture_close(struct fixture *fixture)
{
    publish_close(fixture->publish);
    arena_close(fixture->arena);
    assert_int_equal(folder_remove(fixture->directory), 0);
}

// --- Stories -----------------------------------------------------------------------------------

struct told {
    struct fact placement;
    enum fact_kind state;  // FACT_PLACEMENT while held
    struct id order;
    money converted, refunded;
    unsigned refunds;
};
struct story {
    struct fixture *fixture;
    struct journal *journal;
    uint64_t seed, contacts, bids;
    usec now;
    struct told *told;
    size_t count, room;
    uint64_t facts, rounds;  // rounds with a record
    bool placements_only;    // no other kinds of price
    struct fact *all;        // every fact appended
    size_t all_room;
};

static inline uint64_t
story_draw(struct story *story, uint64_t bound)
{
    story->seed += 0x9e3779b97f4a7c15u;
    return hash_mix(story->seed) % bound;
}

static inline void
story_open(struct story *story, struct fixture *fixture, uint64_t seed)
{
    const struct journal_options options = {.log = 1, .epoch = 1, .segment_bytes = 1024 * 1024};
    struct journal_fault fault = {""};
    char path[96];
    memset(story, 0, sizeof *story);
    story->fixture = fixture;
    story->seed = seed;
    assert_int_equal(clock_parse("2026-10-20", 10, &story->now), STATUS_OK);
    snprintf(path, sizeof path, "%s/journal", fixture->directory);
    enum status status = journal_open(path, &options, &story->journal, &fault);
    if (status != STATUS_OK) print_message("%s\n", fault.text);
    assert_int_equal(status, STATUS_OK);
}

static inline void
story_close(struct story *story)
{
    journal_close(story->journal);
    free(story->told);
    free(story->all);
}

// The host's clock is Berlin's: days since 1970, over the end of summer time of 2026.
static inline int64_t
story_day(usec at)
{
    const int64_t winter = 1792890000 * USEC_SECOND;  // 2026-10-25 01:00 UTC
    return (at.us + (at.us < winter ? 7200 : 3600) * USEC_SECOND) / USEC_DAY;
}

static inline void
story_append(struct story *story, const struct fact *facts, uint32_t count)
{
    struct journal_position position;
    assert_int_equal(journal_append(story->journal, facts, count, story->now, &position),
                     STATUS_OK);
    if (story->facts + count > story->all_room) {
        story->all_room = 2 * (story->all_room + count);
        story->all = realloc(story->all, story->all_room * sizeof *story->all);
        CHECK(story->all);
    }
    memcpy(story->all + story->facts, facts, count * sizeof *facts);
    story->facts += count;
}

static inline struct told *
story_keep(struct story *story, const struct fact *placement)
{
    if (story->count == story->room) {
        story->room = story->room ? 2 * story->room : 256;
        story->told = realloc(story->told, story->room * sizeof *story->told);
        CHECK(story->told);
    }
    story->told[story->count] = (struct told){.placement = *placement, .state = FACT_PLACEMENT};
    return &story->told[story->count++];
}

static inline struct fact
story_fact(struct story *story, enum fact_kind kind, struct id contact, unsigned position)
{
    return (struct fact){.kind = (uint8_t)kind,
                         .role = ROLE_TOUCHPOINT,
                         .shard = 7,
                         .party = 1,
                         .position = (uint8_t)position,
                         .at = story->now,
                         .contact = contact,
                         .customer = 0x8000000000000001u + story->contacts % 50};
}

static inline void
story_placement(struct story *story, const struct drawn_slot *slot, struct fact *fact)
{
    const struct drawn_bid *winner = &slot->bids[0];
    fact->placement.message = winner->message->id;
    fact->placement.seat = winner->bid.seat;
    fact->placement.currency = story->fixture->market->currency;
    fact->placement.bid = winner->bid.bid;
    fact->placement.floor = slot->sale.floor;
    fact->placement.price = slot->sale.price;
    fact->placement.bid_price = winner->bid.price;
    fact->placement.setter = slot->sale.setter;
    fact->placement.expires = (usec){story->now.us + USEC_DAY};
    fact->placement.objectives = winner->message->objectives;
    fact->placement.rung = winner->message->rung;
    fact->placement.eligible = (uint16_t)slot->count;
    fact->placement.charge = strcmp(winner->message->seat, "paper") == 0 ? CHARGE_WIN
                                                                         : CHARGE_DELIVERY;
    fact->placement.kind = winner->bid.kind;
    fact->placement.campaigns[0] = (uint16_t)story_draw(story, 3);
    fact->placement.deal = (uint16_t)(story_draw(story, 4) == 0);
    fact->placement.day = (uint16_t)story_day(story->now);
    fact->placement.cell = (uint8_t)(STAGE_USE * CHANNEL_COUNT + CHANNEL_BILL);
    story_keep(story, fact);
}

// A contact, its outcomes and, but for every fifth one, its record. Gives their number.
static inline unsigned
story_contact(struct story *story, struct fact *out)
{
    const struct market *market = story->fixture->market;
    const struct market_container *container = &market->containers[0];
    uint64_t number = ++story->contacts;
    struct drawn_slot slots[BOUND_SLOTS];
    struct round_draw draw = {story_draw(story, UINT64_MAX), market, !story->placements_only};
    unsigned count = 1 + container->slot_count, outcomes = count;
    struct id contact = hash_id("test contact", &number, sizeof number);
    contact.bytes[15] &= 0xf0;
    out[0] = story_fact(story, FACT_CONTACT, contact, 0);
    out[0].opened.catalog = story->fixture->catalog;
    out[0].opened.request = ~number;
    out[0].opened.began = story->now;
    out[0].opened.container = container->id;
    out[0].opened.identity = (uint8_t)story_draw(story, IDENTITY_COUNT);
    out[0].opened.tier = (uint8_t)story_draw(story, TIER_COUNT);
    out[0].opened.consent = (uint8_t)story_draw(story, 16);
    out[0].opened.achieved = (uint16_t)story_draw(story, 4);
    out[0].opened.slots = (uint8_t)container->slot_count;
    out[0].opened.experiment = (uint16_t)story_draw(story, 3);
    out[0].opened.flags = (uint8_t)story_draw(story, 4);
    snprintf(out[0].opened.key, BOUND_KEY, "contact-%llu", (unsigned long long)number);
    for (unsigned i = 0; i < container->slot_count; i++) {
        round_slot(&draw, contact, 1 + number * 256 + i * 16, container->slots[i].floor, &slots[i]);
        bool filled = slots[i].sale.winner != 0;
        struct fact *fact = &out[1 + i];
        *fact = story_fact(story, filled ? FACT_PLACEMENT : FACT_UNFILLED, contact, i + 1);
        if (filled) {
            fact->placement.slot = container->slots[i].id;
            story_placement(story, &slots[i], fact);
            continue;
        }
        fact->unfilled.slot = container->slots[i].id;
        fact->unfilled.currency = market->currency;
        fact->unfilled.floor = container->slots[i].floor;
        fact->unfilled.reason = REASON_NO_ELIGIBLE_BID;
        fact->unfilled.main_reason = story_draw(story, 2) ? REASON_BELOW_FLOOR : REASON_NONE;
        fact->unfilled.best = money_of((int64_t)story_draw(story, 2) * 90000);
    }
    if (number % 5 == 0) return count;
    for (unsigned i = 0; i < container->slot_count; i++) {
        count += round_record(&draw, &out[0], i + 1, &slots[i], &out[count]);
    }
    if (number % 5 == 1) out[count++] = round_callouts(&draw, &out[0]);
    out[0].opened.records = (uint8_t)(count - outcomes);
    story->rounds++;
    return count;
}

static inline struct fact
story_revenue(struct story *story, struct told *told, enum fact_kind kind)
{
    struct fact fact = story_fact(story, kind, told->placement.contact, told->placement.position);
    fact.customer = told->placement.customer;
    fact.revenue.seat = told->placement.placement.seat;
    fact.revenue.message = told->placement.placement.message;
    fact.revenue.currency = told->placement.placement.currency;
    fact.revenue.effective = (usec){story->now.us - (int64_t)story_draw(story, 1000000)};
    if (kind == FACT_CONVERTED) {
        told->order = hash_id("test order", &told->placement, sizeof told->placement);
        told->converted = money_of((int64_t)(1 + story_draw(story, 500000000)));
        fact.revenue.amount = told->converted;
        snprintf(fact.revenue.key, BOUND_KEY, "order-%u", (unsigned)story_draw(story, 1000000));
    } else {
        int64_t left = told->converted.micros - told->refunded.micros;
        int64_t part = story_draw(story, 2) ? left
                                            : (int64_t)(1 + story_draw(story, (uint64_t)left));
        fact.revenue.amount = money_of(part);
        told->refunded = money_of(told->refunded.micros + part);
        // A key that is not UTF-8 now and then: it must not stop the shipping.
        snprintf(fact.revenue.key, BOUND_KEY, "%srefund-%u", told->refunds % 2 ? "\xff" : "",
                 told->refunds);
        told->refunds++;
    }
    fact.revenue.order = told->order;
    return fact;
}

// Something that becomes of an earlier placement; false: nothing can.
static inline bool
story_event(struct story *story, struct fact *out)
{
    if (story->count == 0) return false;
    struct told *told = &story->told[story_draw(story, story->count)];
    struct id contact = told->placement.contact;
    unsigned position = told->placement.position;
    if (told->state == FACT_PLACEMENT) {
        static const enum fact_kind ends[] = {FACT_DELIVERED, FACT_DELIVERED, FACT_DELIVERED,
                                              FACT_CANCELLED, FACT_EXPIRED};
        told->state = ends[story_draw(story, 5)];
        *out = story_fact(story, told->state, contact, position);
    } else if (told->state == FACT_DELIVERED || told->state == FACT_ACCEPTED) {
        if (told->converted.micros > told->refunded.micros) {
            *out = story_revenue(story, told, FACT_REFUNDED);
            return true;
        }
        if (told->converted.micros == 0 && story_draw(story, 2)) {
            *out = story_revenue(story, told, FACT_CONVERTED);
            return true;
        }
        enum fact_kind kind = FACT_COMPLAINED;
        if (told->state == FACT_DELIVERED && story_draw(story, 6)) {
            static const enum fact_kind answers[] = {FACT_ACCEPTED, FACT_DECLINED, FACT_LAPSED};
            bool response = told->placement.placement.kind == PRICE_RESPONSE;
            told->state = kind = answers[story_draw(story, response ? 3 : 2)];
        }
        *out = story_fact(story, kind, contact, position);
    } else {
        return false;
    }
    out->customer = told->placement.customer;
    out->event.slot = told->placement.placement.slot;
    out->event.message = told->placement.placement.message;
    out->event.seat = told->placement.placement.seat;
    out->event.price = told->placement.placement.price;
    out->event.effective = (usec){story->now.us - (int64_t)story_draw(story, 3000000)};
    snprintf(out->event.key, BOUND_KEY, "event-%u", (unsigned)story_draw(story, 1000000));
    return true;
}

static inline struct fact
story_bid(struct story *story)
{
    const struct market *market = story->fixture->market;
    struct id none = {{0}};
    struct fact fact = story_fact(story, FACT_BID, none, 0);
    fact.role = ROLE_SEAT;
    fact.bid.bid = 1 + story_draw(story, 40);
    fact.bid.seat = (uint16_t)market->seats[story_draw(story, market->seat_count)].id;
    fact.bid.state = (uint8_t)story_draw(story, 3);
    fact.bid.message = market->messages[0].id;
    fact.bid.currency = market->currency;
    fact.bid.price = money_of((int64_t)(1 + story_draw(story, 1000000)));
    snprintf(fact.bid.key, BOUND_KEY, "bid-%llu", (unsigned long long)fact.bid.bid);
    return fact;
}

// Appends `frames` frames and makes them durable.
static inline void
story_tell(struct story *story, unsigned frames)
{
    struct fact facts[512];
    for (unsigned f = 0; f < frames; f++) {
        unsigned count = 0, parts = 1 + (unsigned)story_draw(story, 8);
        story->now.us += (int64_t)story_draw(story, 2 * 60) * USEC_SECOND;
        for (unsigned p = 0; p < parts; p++) {
            uint64_t kind = story_draw(story, 10);
            if (kind < 3) count += story_contact(story, &facts[count]);
            else if (kind < 9) count += story_event(story, &facts[count]);
            else facts[count++] = story_bid(story);
        }
        if (count) story_append(story, facts, count);
    }
    assert_int_equal(journal_sync(story->journal), STATUS_OK);
}

// Contacts of one arm of an experiment, each of which brings `each` micros of a partner.
static inline void
story_trial(struct story *story, uint16_t experiment, bool variant, unsigned contacts, int64_t each)
{
    const struct market *market = story->fixture->market;
    for (unsigned i = 0; i < contacts; i++) {
        uint64_t number = ++story->contacts;
        struct id contact = hash_id("trial", &number, sizeof number);
        contact.bytes[15] &= 0xf0;
        struct fact facts[3];
        facts[0] = story_fact(story, FACT_CONTACT, contact, 0);
        facts[0].opened.catalog = story->fixture->catalog;
        facts[0].opened.container = market->containers[0].id;
        facts[0].opened.slots = 1;
        facts[0].opened.experiment = experiment;
        facts[0].opened.flags = variant ? CONTACT_VARIANT : CONTACT_EXPERIENCED;
        snprintf(facts[0].opened.key, BOUND_KEY, "trial-%llu", (unsigned long long)number);
        facts[1] = story_fact(story, FACT_PLACEMENT, contact, 1);
        facts[1].placement.slot = market->containers[0].slots[0].id;
        facts[1].placement.message = market->messages[2].id;
        facts[1].placement.seat = round_seat(market, "grill");
        facts[1].placement.currency = market->currency;
        facts[1].placement.price = money_of(each);
        facts[2] = story_fact(story, FACT_DELIVERED, contact, 1);
        story_append(story, facts, each ? 3 : 2);
    }
    assert_int_equal(journal_sync(story->journal), STATUS_OK);
}

// --- Shipping and proving ----------------------------------------------------------------------

// Ships until there is nothing more; gives the last answer.
static inline enum ship_answer
fixture_ship(struct fixture *fixture, struct ship *ship)
{
    struct db *db = database_open(fixture->ledger);
    enum ship_answer answer;
    do {
        answer = ship_turn(ship, db);
    } while (answer == SHIP_BOOKED);
    if (ship_report(ship)->fault[0]) print_message("%s\n", ship_report(ship)->fault);
    db_close(db);
    return answer;
}

static inline void
fixture_ship_all(struct fixture *fixture)
{
    struct ship *ship = ship_open(fixture->directory, 1);
    assert_int_equal(fixture_ship(fixture, ship), SHIP_IDLE);
    ship_close(ship);
}

static inline enum status
fixture_verify(struct fixture *fixture, struct verify_report *report)
{
    struct db *db = database_open(fixture->console);
    enum status status = verify_run(db, fixture->directory, 1, report);
    db_close(db);
    return status;
}

static inline void
fixture_print(const struct verify_report *report)
{
    if (report->fault[0]) print_message("%s\n", report->fault);
    for (unsigned i = 0; i < VERIFY_PARTS; i++) {
        if (report->checks[i].name && !report->checks[i].ok) {
            print_message("%s: %s\n", report->checks[i].name, report->checks[i].detail);
        }
    }
    for (unsigned i = 0; i < report->difference_count && i < VERIFY_DIFFERENCES; i++) {
        print_message("  %s\n", report->differences[i]);
    }
}

// The ledger holds all of the story, once, and nothing else.
static inline void
fixture_prove(struct story *story)
{
    struct verify_report report;
    enum status status = fixture_verify(story->fixture, &report);
    if (status != STATUS_OK || !report.ok) fixture_print(&report);
    assert_int_equal(status, STATUS_OK);
    assert_true(report.ok);
    assert_int_equal(report.unexplained_micros, 0);
    assert_int_equal(report.difference_count, 0);
    assert_int_equal(report.facts, story->facts);
    assert_int_equal(report.frames, journal_end(story->journal).batch);
    assert_int_equal(report.rounds, story->rounds);
    // Worked out by the database alone, from the facts: the same amounts are due as are posted.
    assert_int_equal(fixture_ask(story->fixture, "select count(*) from unexplained"), 0);
}

#endif
