// Books filled the real way; see books.h.
#include "books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply.h"
#include "database.h"
#include "fail.h"
#include "folder.h"
#include "publish.h"

const char books_market[] =
    "market: {code: tiny, name: A tiny market, currency: EUR}\n"
    "touchpoints: {bill_run: Bill printing, crm: Contact centre}\n"
    "seats:\n"
    "  care: {name: Customer care, kind: department}\n"
    "  sales: {name: Sales, kind: department}\n"
    "  grill: {name: Grill House, kind: partner}\n"
    "  mags: {name: Reading Room, kind: partner}\n"
    "  cover: {name: 'Shield \"Cover\", Ltd', kind: partner}\n"
    "  beans: {name: Bean Journal, kind: partner}\n"
    "containers:\n"
    "  bill: {name: Monthly bill, stage: use, channel: bill, owner: care, slots: {\n"
    "    footer: {floor: 0.05, rungs: [1-8], objectives: [cross_sell, expand, upgrade]},\n"
    "    insert: {floor: 0.10, rungs: [1-8], objectives: [cross_sell, refer, educate]}}}\n"
    "  call: {name: Support call, stage: service, channel: call, owner: care, slots: {\n"
    "    opening: {floor: 0.02, rungs: [1-8], objectives: fulfill},\n"
    "    offer: {floor: 0.50, rungs: [1-8], objectives: [upgrade, cross_sell]}}}\n"
    "messages:\n"
    "  welcome: {seat: care, rung: geographic, objectives: [fulfill], content: t1}\n"
    "  plan_plus: {seat: sales, rung: predictive, objectives: [upgrade], content: t2}\n"
    "  barbecue: {seat: grill, rung: commercialization, objectives: [cross_sell], content: t3}\n"
    "  magazine: {seat: mags, rung: commercialization, objectives: [expand], content: t4}\n"
    "  protection: {seat: cover, rung: affiliation, objectives: [cross_sell], content: t5}\n"
    "  beans_offer: {seat: beans, rung: affiliation, objectives: [cross_sell, refer], content: "
    "t6}\n"
    "contracts:\n"
    "  care.own: {seat: care, from: 2025-01-01}\n"
    "  sales.own: {seat: sales, from: 2025-01-01}\n"
    "  grill.2026: {seat: grill, from: 2025-01-01}\n"
    "  mags.2026: {seat: mags, from: 2025-01-01, billing: prepaid}\n"
    "  cover.2026: {seat: cover, from: 2025-01-01, validation: 0d,\n"
    "    gain_share: {merchant: partner, rate: 6%, "
    "shares: [\n"
    "    {to: host, weight: 60}, {to: care, rung: 4, weight: 25}, {to: beans, weight: 15}]}}\n"
    "  beans.2026: {seat: beans, from: 2025-01-01, charge: win, validation: 0d,\n"
    "    gain_share: {merchant: host, rate: "
    "8%,\n"
    "    shares: [{to: beans, weight: 70}, {to: sales, rung: 5, weight: 30}]}}\n";

void
books_apply(struct books *books, const char *yaml)
{
    struct market *declared = declared_market(yaml, books->arena);
    struct apply_plan plan;
    uint64_t version = 0;
    CHECK(apply_plan(books->db, declared, books->arena, &plan) == STATUS_OK);
    CHECK(apply_run(books->db, declared, &plan, "test", "", books->now, &version) == STATUS_OK);
    CHECK(publish_load_market(books->db, 0, books->arena, &books->market) == STATUS_OK);
    char sql[256];
    books->catalog = version;  // one catalog a version, under its number
    snprintf(sql, sizeof sql,
             "insert into catalog_version (version, market_version, log, epoch, batch, bids, at_us)"
             " values (%llu, %llu, 1, 1, 0, 0, 0)",
             (unsigned long long)version, (unsigned long long)version);
    CHECK(db_script(books->db, sql) == STATUS_OK);
}

void
books_open(struct books *books, const char *market_yaml, const char *at)
{
    memset(books, 0, sizeof *books);
    books->customer = 42;
    strcpy(books->directory, "/tmp/vendue-books-XXXXXX");
    CHECK(mkdtemp(books->directory) != NULL);
    char journal[128];
    snprintf(journal, sizeof journal, "%s/journal", books->directory);
    CHECK(mkdir(journal, 0700) == 0);
    books_at(books, at);
    books->arena = arena_open("books");
    books->placements = calloc(BOOKS_PLACEMENTS, sizeof *books->placements);
    books->facts = calloc(BOOKS_FACTS, sizeof *books->facts);
    CHECK(books->placements != NULL && books->facts != NULL);
    books->db = database_migrated(books->owner);
    postgres_as(books->owner, "vendue_ledger", books->ledger);
    postgres_as(books->owner, "vendue_console", books->console);
    books->ledger_db = database_open(books->ledger);
    books->console_db = database_open(books->console);
    books_apply(books, market_yaml);
    struct journal_options options = {.log = 1, .epoch = 1, .segment_bytes = 1 << 20};
    struct journal_fault fault;
    CHECK(journal_open(journal, &options, &books->journal, &fault) == STATUS_OK);
    books->ship = ship_open(books->directory, 1);
}

void
books_close(struct books *books)
{
    ship_close(books->ship);
    journal_close(books->journal);
    db_close(books->ledger_db);
    db_close(books->console_db);
    db_close(books->db);
    free(books->placements);
    free(books->facts);
    arena_close(books->arena);
    CHECK(folder_remove(books->directory) == 0);
}

void
books_at(struct books *books, const char *at)
{
    CHECK(clock_parse(at, strlen(at), &books->now) == STATUS_OK);
}

static void
append(struct books *books, const struct fact *facts, uint32_t count)
{
    struct journal_position position;
    CHECK(books->fact_count + count <= BOOKS_FACTS);
    memcpy(books->facts + books->fact_count, facts, count * sizeof *facts);
    books->fact_count += count;
    CHECK(journal_append(books->journal, facts, count, books->now, &position) == STATUS_OK);
}

static const struct market_slot *
find_slot(const struct market *market, const char *tagid,
          const struct market_container **out_container)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        const struct market_container *container = &market->containers[i];
        size_t len = strlen(container->code);
        if (strncmp(container->code, tagid, len) != 0 || tagid[len] != '.') continue;
        for (uint32_t k = 0; k < container->slot_count; k++) {
            if (strcmp(container->slots[k].code, tagid + len + 1) != 0) continue;
            *out_container = container;
            return &container->slots[k];
        }
    }
    CHECK(false);
}

static const struct market_message *
find_message(const struct market *market, const char *code)
{
    for (uint32_t i = 0; i < market->message_count; i++)
        if (strcmp(market->messages[i].code, code) == 0) return &market->messages[i];
    CHECK(false);
}

static uint8_t
charge_of(const struct market *market, const char *seat)
{
    for (uint32_t i = 0; i < market->contract_count; i++)
        if (strcmp(market->contracts[i].seat, seat) == 0) return market->contracts[i].charge;
    return CHARGE_DELIVERY;
}

static uint32_t
seat_id(const struct market *market, const char *code)
{
    for (uint32_t i = 0; i < market->seat_count; i++)
        if (strcmp(market->seats[i].code, code) == 0) return market->seats[i].id;
    CHECK(false);
}

static void
fill_placement(struct books *books, const struct market_slot *slot,
               const struct books_outcome *outcome, struct fact *fact)
{
    const struct market_message *message = find_message(books->market, outcome->message);
    fact->kind = FACT_PLACEMENT;
    fact->placement.slot = slot->id;
    fact->placement.message = message->id;
    fact->placement.seat = seat_id(books->market, message->seat);
    fact->placement.currency = books->market->currency;
    fact->placement.bid = 1;
    fact->placement.price = money_of(outcome->price);
    fact->placement.bid_price = money_of(outcome->price + 1000);
    fact->placement.floor = slot->floor;
    fact->placement.setter = outcome->open_market_set ? 2 : 0;
    fact->placement.expires = (usec){books->now.us + 3 * USEC_DAY};
    fact->placement.objectives = message->objectives;
    fact->placement.rung = message->rung;
    fact->placement.eligible = 2;
    fact->placement.charge = charge_of(books->market, message->seat);
}

void
books_contact(struct books *books, const struct books_outcome *outcomes, unsigned count,
              uint16_t achieved, struct id *out_placements)
{
    struct fact facts[BOUND_CONTACT_FACTS];
    const struct market_container *container = NULL;
    CHECK(count <= BOUND_SLOTS && books->count + count <= BOOKS_PLACEMENTS);
    memset(facts, 0, sizeof facts);
    books->contacts++;
    struct id contact = hash_id("contact", &books->contacts, sizeof books->contacts);
    contact.bytes[15] &= 0xf0;
    for (unsigned i = 0; i < count; i++) {
        struct fact *fact = &facts[i + 1];
        const struct market_slot *slot = find_slot(books->market, outcomes[i].slot, &container);
        *fact = (struct fact){.role = ROLE_TOUCHPOINT,
                              .shard = 7,
                              .party = 1,
                              .position = (uint8_t)(i + 1),
                              .at = books->now,
                              .contact = contact,
                              .customer = books->customer};
        if (outcomes[i].message != NULL) {
            fill_placement(books, slot, &outcomes[i], fact);
            books->placements[books->count++] = *fact;
        } else {
            fact->kind = FACT_UNFILLED;
            fact->unfilled.slot = slot->id;
            fact->unfilled.currency = books->market->currency;
            fact->unfilled.reason = (uint16_t)outcomes[i].reason;
            fact->unfilled.main_reason = outcomes[i].reason == REASON_NO_ELIGIBLE_BID
                                             ? REASON_CONSENT
                                             : REASON_NONE;
            fact->unfilled.floor = slot->floor;
        }
        if (out_placements != NULL)
            out_placements[i] = outcomes[i].message != NULL ? fact_placement(fact)
                                                            : (struct id){{0}};
    }
    facts[0] = (struct fact){.kind = FACT_CONTACT,
                             .role = ROLE_TOUCHPOINT,
                             .shard = 7,
                             .party = 1,
                             .at = books->now,
                             .contact = contact,
                             .customer = books->customer};
    facts[0].opened.catalog = books->catalog;
    facts[0].opened.began = books->now;
    facts[0].opened.container = container != NULL ? container->id : 0;
    facts[0].opened.slots = (uint8_t)count;
    facts[0].opened.achieved = achieved;
    snprintf(facts[0].opened.key, sizeof facts[0].opened.key, "contact-%llu",
             (unsigned long long)books->contacts);
    append(books, facts, count + 1);
}

struct id
books_win(struct books *books, const char *slot, const char *message, int64_t price)
{
    struct books_outcome outcome = {.slot = slot, .message = message, .price = price};
    struct id placement;
    books_contact(books, &outcome, 1, 0, &placement);
    return placement;
}

static const struct fact *
find_placement(const struct books *books, struct id placement)
{
    for (uint32_t i = books->count; i-- > 0;)
        if (id_same(fact_placement(&books->placements[i]), placement)) return &books->placements[i];
    CHECK(false);
}

// A fact about a placement, without its union.
static struct fact
about(const struct books *books, const struct fact *won, enum fact_kind kind)
{
    return (struct fact){.kind = (uint8_t)kind,
                         .role = ROLE_TOUCHPOINT,
                         .shard = won->shard,
                         .party = 1,
                         .position = won->position,
                         .at = books->now,
                         .contact = won->contact,
                         .customer = won->customer};
}

void
books_event(struct books *books, struct id placement, enum fact_kind kind, usec effective)
{
    const struct fact *won = find_placement(books, placement);
    struct fact fact = about(books, won, kind);
    fact.event.slot = won->placement.slot;
    fact.event.message = won->placement.message;
    fact.event.seat = won->placement.seat;
    fact.event.effective = effective;
    fact.event.catalog = 1;
    fact.event.price = won->placement.price;
    append(books, &fact, 1);
}

void
books_revenue(struct books *books, struct id placement, enum fact_kind kind, int64_t amount,
              const char *key, const char *refund, usec effective)
{
    const struct fact *won = find_placement(books, placement);
    struct fact fact = about(books, won, kind);
    fact.revenue.seat = won->placement.seat;
    fact.revenue.message = won->placement.message;
    fact.revenue.currency = won->placement.currency;
    fact.revenue.effective = effective;
    fact.revenue.amount = money_of(amount);
    fact.revenue.order = hash_id("order", key, strlen(key));
    const char *own = kind == FACT_REFUNDED ? refund : key;
    CHECK(strlen(own) <= sizeof fact.revenue.key);
    memcpy(fact.revenue.key, own, strlen(own));
    append(books, &fact, 1);
}

static uint64_t
draw(uint64_t *state, uint64_t below)
{
    return hash_mix(*state += 0x9e3779b97f4a7c15u) % below;
}

static void
random_contact(struct books *books, uint64_t *state)
{
    static const struct {
        const char *slots[2], *messages[2][3];
    } containers[2] = {
        {{"bill.footer", "bill.insert"},
         {{"barbecue", "magazine", "plan_plus"}, {"barbecue", "beans_offer", "protection"}}},
        {{"call.opening", "call.offer"},
         {{"welcome", "welcome", "welcome"}, {"plan_plus", "protection", "magazine"}}},
    };
    static const enum reason empty[3] = {REASON_NO_BIDS, REASON_NO_ELIGIBLE_BID,
                                         REASON_NOT_REQUESTED};
    struct books_outcome outcomes[2];
    uint64_t which = draw(state, 2), slots = 1 + draw(state, 2);
    for (uint64_t i = 0; i < slots; i++) {
        bool filled = draw(state, 4) > 0;
        outcomes[i] = (struct books_outcome){
            .slot = containers[which].slots[i],
            .message = filled ? containers[which].messages[i][draw(state, 3)] : NULL,
            .price = draw(state, 20) == 0 ? 0 : (int64_t)(1 + draw(state, 2000000)),
            .reason = empty[draw(state, 3)],
            .open_market_set = draw(state, 2) == 0,
        };
    }
    books_contact(books, outcomes, (unsigned)slots, (uint16_t)draw(state, 4), NULL);
}

static void
random_revenue(struct books *books, uint64_t *state, struct id placement)
{
    char order[32], refund[32];
    snprintf(order, sizeof order, "order-%llu", (unsigned long long)draw(state, 400));
    snprintf(refund, sizeof refund, "refund-%llu", (unsigned long long)draw(state, 100000));
    bool converted = draw(state, 3) > 0;
    books_revenue(books, placement, converted ? FACT_CONVERTED : FACT_REFUNDED,
                  (int64_t)(1 + draw(state, converted ? 90000000 : 20000000)), order, refund,
                  books->now);
}

void
books_random(struct books *books, uint64_t seed, int steps, int64_t pace)
{
    static const enum fact_kind kinds[6] = {FACT_DELIVERED, FACT_DELIVERED, FACT_DELIVERED,
                                            FACT_CANCELLED, FACT_EXPIRED,   FACT_ACCEPTED};
    for (int i = 0; i < steps; i++) {
        books->now.us += (int64_t)draw(&seed, (uint64_t)pace);
        uint64_t what = draw(&seed, 10);
        if (what < 4 || books->count == 0) {
            random_contact(books, &seed);
            continue;
        }
        uint32_t recent = books->count < 60 ? books->count : 60;
        struct id placement = fact_placement(
            &books->placements[books->count - 1 - draw(&seed, recent)]);
        if (what < 8) books_event(books, placement, kinds[draw(&seed, 6)], books->now);
        else random_revenue(books, &seed, placement);
    }
}

void
books_ship(struct books *books)
{
    CHECK(journal_sync(books->journal) == STATUS_OK);
    enum ship_answer answer;
    do {
        answer = ship_turn(books->ship, books->ledger_db);
    } while (answer == SHIP_BOOKED);
    if (answer != SHIP_IDLE) {
        fprintf(stderr, "%s\n", ship_report(books->ship)->fault);
        abort();
    }
}

const char *
books_text(struct books *books, const char *sql)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(books->db, sql, NULL, 0, &rows);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", sql, db_fault(books->db)->text);
        abort();
    }
    const char *text = db_count(rows) == 0 ? ""
                                           : arena_text(books->arena, db_get_text(rows, 0, 0),
                                                        db_get_len(rows, 0, 0));
    db_rows_free(rows);
    return text;
}
