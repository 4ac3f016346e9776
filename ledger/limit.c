// Cumulative spend limits: what each node may spend of a budget, so that all nodes together never
// spend more, with no word between them.
//
//   G1  A grant is what a log may have spent of a budget at most: of its total over all time, or of
//       its daily amount on one day. It only grows. At any time the grants of all logs add up to no
//       more than the budget. They are made one at a time, under one row's lock.
//   G2  A node that is alone is granted everything: the total, and every day's amount (day -1), so
//       that it goes on selling when the ledger is away.
//   G3  When another log appears, the node that was alone keeps what it has of this day and the
//       next, and gives up the days behind them at its next catalog. Until then the others get
//       nothing of its days.
//   G4  Beside others a node is granted this day and the next, never more: a catalog that is not
//       replaced in time stops its daily budgets rather than overspend them.
//   G5  A grant grows by a part when what is left of it is less than a part or than the dearest bid
//       could cost: a part is what nobody has yet, over twice the number of logs. So nodes get
//       budget as they spend it, in ever smaller parts.
//   G6  A budget that was lowered below what was granted is shared by what was granted: catalogs
//       say less than was granted, and together no more than the budget.
//   G7  The total of a seat that pays in advance is at most what it paid in (prepaid.h).
// What was sold is counted gross: a hold that was released counts as spent here, which only makes
// the next part come earlier.
#include "limit.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "prepaid.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAUSE_US USEC_SECOND  // between two looks at what was sold
#define DAY_TOTAL 0
#define DAY_EVERY (-1)

struct spent {
    int64_t *total, *today, *part;  // by stable id; `part`: left below this, a grant should grow
    int64_t *granted, *granted_today;
    uint32_t count;
};
struct limit {
    uint32_t log, logs;
    uint64_t alone_with;  // the market version whose budgets it was granted while alone; 0 none
    struct spent of[BUDGET_OF_COUNT];
    struct prepaid *prepaid;
    uint64_t batch;  // sales up to it are counted
    uint16_t day;    // of `today`
    usec looked_at;
    struct catalog clock;  // its shifts alone, to tell days
    struct catalog_shift shifts[BOUND_ZONE_SHIFTS];
};

static const uint32_t id_ends[BUDGET_OF_COUNT] = {BOUND_SEATS, BOUND_CAMPAIGNS, BOUND_MESSAGES};

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct limit *
limit_open(uint32_t log)
{
    struct limit *limit = calloc(1, sizeof *limit);
    CHECK(limit != NULL);
    limit->log = log;
    limit->prepaid = prepaid_open();
    for (int of = 0; of < BUDGET_OF_COUNT; of++) {
        struct spent *spent = &limit->of[of];
        spent->count = id_ends[of];
        spent->total = calloc(spent->count, 5 * sizeof *spent->total);
        CHECK(spent->total != NULL);
        spent->today = spent->total + spent->count;
        spent->part = spent->today + spent->count;
        spent->granted = spent->part + spent->count;
        spent->granted_today = spent->granted + spent->count;
    }
    return limit;
}

void
limit_close(struct limit *limit)
{
    if (limit == NULL) return;
    for (int of = 0; of < BUDGET_OF_COUNT; of++) free(limit->of[of].total);
    prepaid_close(limit->prepaid);
    free(limit);
}

// --- What was sold -------------------------------------------------------------------------------

static void
count_sale(struct limit *limit, enum budget_of of, int64_t id, uint16_t day, int64_t micros)
{
    struct spent *spent = &limit->of[of];
    if (id <= 0 || id >= spent->count) return;
    spent->total[id] += micros;
    if (day == limit->day) spent->today[id] += micros;
}

static enum status
count_sales(struct limit *limit, struct db *db)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int4((int32_t)limit->log), db_int8((int64_t)limit->batch)};
    enum status status = db_query(
        db,
        "select o.seat, o.message, o.campaign, o.campaign_parent, o.day, "
        "sum(o.price_micros)::bigint, max(c.batch) from contact c join outcome o "
        "on o.placement_id > c.contact_id "
        "and o.placement_id <= (left(c.contact_id::text, 35) || 'f')::uuid "
        "where c.log = $1 and c.batch > $2 and o.filled and o.kind <> 2 group by 1, 2, 3, 4, 5",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(rows); i++) {
        uint16_t day = (uint16_t)db_get_int(rows, i, 4);
        int64_t micros = db_get_int(rows, i, 5);
        count_sale(limit, BUDGET_SEAT, db_get_int(rows, i, 0), day, micros);
        count_sale(limit, BUDGET_MESSAGE, db_get_int(rows, i, 1), day, micros);
        count_sale(limit, BUDGET_CAMPAIGN, db_get_int(rows, i, 2), day, micros);
        count_sale(limit, BUDGET_CAMPAIGN, db_get_int(rows, i, 3), day, micros);
        uint64_t batch = (uint64_t)db_get_int(rows, i, 6);
        if (batch > limit->batch) limit->batch = batch;
    }
    db_rows_free(rows);
    return STATUS_OK;
}

static uint16_t
day_of(struct limit *limit, usec now)
{
    limit->clock.shifts = limit->shifts;
    return catalog_day_of(&limit->clock, now).day;
}

static void
change_day(struct limit *limit, uint16_t day)
{
    limit->day = day;
    for (int of = 0; of < BUDGET_OF_COUNT; of++)
        memset(limit->of[of].today, 0, limit->of[of].count * sizeof *limit->of[of].today);
}

static enum status
count_logs(struct db *db, uint32_t *out_logs)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, "select count(*) from watermark", NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    *out_logs = (uint32_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
limit_turn(struct limit *limit, struct db *db, usec now, bool *out_due)
{
    *out_due = false;
    if (now.us - limit->looked_at.us < PAUSE_US && now.us >= limit->looked_at.us) return STATUS_OK;
    limit->looked_at = now;
    uint32_t logs;
    enum status status = count_logs(db, &logs);
    if (status != STATUS_OK || limit->logs == 0) return status;  // nothing granted yet
    *out_due = logs != limit->logs;
    if (!*out_due) status = prepaid_turn(limit->prepaid, db, now, out_due);
    if (logs <= 1 || status != STATUS_OK) return status;
    if (day_of(limit, now) != limit->day) *out_due = true;
    if (*out_due) return STATUS_OK;
    status = count_sales(limit, db);
    for (int of = 0; of < BUDGET_OF_COUNT && status == STATUS_OK && !*out_due; of++) {
        const struct spent *spent = &limit->of[of];
        for (uint32_t id = 1; id < spent->count && !*out_due; id++)
            *out_due = spent->part[id] > 0 &&
                       (spent->granted[id] - spent->total[id] < spent->part[id] ||
                        spent->granted_today[id] - spent->today[id] < spent->part[id]);
    }
    return status;
}

// --- Budgets and the dearest bid that each may meet ----------------------------------------------

struct purse {
    enum budget_of of;
    uint32_t id;
    const struct market_budget *budget;
    int64_t dearest;                      // of the bids that it pays for
    int64_t mine[4], others[4], said[4];  // granted: total, every day, today, tomorrow
    bool known[4];                        // a row says so
    uint32_t log;                         // whose rows were read last, and
    int64_t every;                        // its grant of every day
};
struct purses {
    struct purse *list;
    uint32_t count;
    uint32_t *at[BUDGET_OF_COUNT];  // by stable id: index + 1
};
enum { OF_TOTAL, OF_EVERY_DAY, OF_TODAY, OF_TOMORROW };

static void
add_purse(struct purses *purses, enum budget_of of, uint32_t id, const struct market_budget *budget)
{
    if (!budget->has_total && !budget->has_daily) return;
    purses->list[purses->count++] = (struct purse){.of = of, .id = id, .budget = budget};
    purses->at[of][id] = purses->count;
}

static struct purse *
purse_at(const struct purses *purses, enum budget_of of, int64_t id)
{
    if (id <= 0 || id >= id_ends[of] || purses->at[of][id] == 0) return NULL;
    return &purses->list[purses->at[of][id] - 1];
}

static void
meet(struct purse *purse, int64_t price)
{
    if (purse != NULL && price > purse->dearest) purse->dearest = price;
}

static int
by_code(const void *a, const void *b)
{
    return strcmp((*(const struct market_campaign *const *)a)->code,
                  (*(const struct market_campaign *const *)b)->code);
}

static const struct market_campaign *
campaign_of(const struct market_campaign **sorted, uint32_t count, const char *code)
{
    struct market_campaign key = {.code = code};
    const struct market_campaign *wanted = &key, *const * found;
    if (count == 0 || code[0] == '\0') return NULL;
    found = bsearch(&wanted, sorted, count, sizeof *sorted, by_code);
    return found != NULL ? *found : NULL;
}

// The dearest bid of each message, then of all that its price counts in.
static void
meet_bids(const struct purses *purses, const struct catalog_input *input, struct arena *arena)
{
    const struct market *market = input->market;
    uint32_t count = market->campaign_count;
    int64_t *dearest = arena_take(arena, BOUND_MESSAGES, sizeof *dearest);
    const struct market_campaign **sorted = arena_take(arena, count + 1, sizeof *sorted);
    for (uint32_t i = 0; i < count; i++) sorted[i] = &market->campaigns[i];
    if (count > 1) qsort(sorted, count, sizeof *sorted, by_code);
    for (uint32_t i = 0; i < input->bid_count; i++) {
        const struct market_bid *bid = &input->bids[i];
        if (bid->kind == PRICE_SHARE || bid->message >= BOUND_MESSAGES) continue;
        dearest[bid->message] = larger(dearest[bid->message], bid->price.micros);
        meet(purse_at(purses, BUDGET_SEAT, bid->seat), bid->price.micros);
    }
    for (uint32_t i = 0; i < market->message_count; i++) {
        const struct market_message *message = &market->messages[i];
        meet(purse_at(purses, BUDGET_MESSAGE, message->id), dearest[message->id]);
        const struct market_campaign *campaign = campaign_of(sorted, count, message->campaign);
        if (campaign == NULL) continue;
        meet(purse_at(purses, BUDGET_CAMPAIGN, campaign->id), dearest[message->id]);
        campaign = campaign_of(sorted, count, campaign->parent);
        if (campaign != NULL)
            meet(purse_at(purses, BUDGET_CAMPAIGN, campaign->id), dearest[message->id]);
    }
}

static void
list_purses(const struct catalog_input *input, const struct prepaid *prepaid, bool beside_others,
            struct arena *arena, struct purses *out_purses)
{
    const struct market *market = input->market;
    struct purses *purses = out_purses;
    size_t most = (size_t)market->seat_count + market->campaign_count + market->message_count;
    purses->list = arena_take(arena, most + 1, sizeof *purses->list);
    for (int of = 0; of < BUDGET_OF_COUNT; of++)
        purses->at[of] = arena_take(arena, id_ends[of], sizeof *purses->at[of]);
    for (uint32_t i = 0; i < market->seat_count; i++)
        add_purse(purses, BUDGET_SEAT, market->seats[i].id,
                  prepaid_bound(prepaid, market->seats[i].id, &market->seats[i].budget, arena));
    for (uint32_t i = 0; i < market->campaign_count; i++)
        add_purse(purses, BUDGET_CAMPAIGN, market->campaigns[i].id, &market->campaigns[i].budget);
    for (uint32_t i = 0; i < market->message_count; i++)
        add_purse(purses, BUDGET_MESSAGE, market->messages[i].id, &market->messages[i].budget);
    if (beside_others) meet_bids(purses, input, arena);
}

// --- Grants --------------------------------------------------------------------------------------

// A grant of another log. That of every day holds on this one and the next, until it is given up;
// its rows come day by day, every day's first.
static void
add_of_others(struct purse *purse, uint32_t log, int what, int64_t granted)
{
    if (purse->log != log) purse->every = 0;
    purse->log = log;
    switch (what) {
    case OF_EVERY_DAY:
        purse->every = granted;
        purse->others[OF_TODAY] += granted;
        purse->others[OF_TOMORROW] += granted;
        break;
    case OF_TODAY:
    case OF_TOMORROW: purse->others[what] += larger(granted - purse->every, 0); break;
    default: purse->others[what] += granted; break;
    }
}

// The newest row of each grant, of all logs.
static enum status
read_grants(const struct limit *limit, struct db *db, uint16_t day, struct purses *purses)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int4(day)};
    enum status status = db_query(
        db,
        "select distinct on (of, id, log, day) of, id, log, day, granted_micros, limit_micros "
        "from spend_grant where day in (-1, 0, $1, $1 + 1) "
        "order by of, id, log, day, catalog desc",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(rows); i++) {
        struct purse *purse = purse_at(purses, (enum budget_of)db_get_int(rows, i, 0),
                                       db_get_int(rows, i, 1));
        if (purse == NULL) continue;
        uint32_t log = (uint32_t)db_get_int(rows, i, 2);
        int64_t of_day = db_get_int(rows, i, 3), granted = db_get_int(rows, i, 4);
        int what = of_day == DAY_TOTAL   ? OF_TOTAL
                   : of_day == DAY_EVERY ? OF_EVERY_DAY
                   : of_day == day       ? OF_TODAY
                                         : OF_TOMORROW;
        if (log != limit->log) {
            add_of_others(purse, log, what, granted);
            continue;
        }
        purse->mine[what] = granted;
        purse->said[what] = db_get_int(rows, i, 5);
        purse->known[what] = true;
    }
    db_rows_free(rows);
    return STATUS_OK;
}

struct rows {  // to insert, column by column
    int32_t *of, *id, *day;
    int64_t *granted, *said;
    size_t count;
};

static void
put_row(struct rows *rows, const struct purse *purse, int32_t day, int64_t granted, int64_t said)
{
    rows->of[rows->count] = purse->of;
    rows->id[rows->count] = (int32_t)purse->id;
    rows->day[rows->count] = day;
    rows->granted[rows->count] = granted;
    rows->said[rows->count++] = said;
}

// G5: the next grant of `mine`; `out_part` is what it should not fall below unspent.
static int64_t
grown(const struct purse *purse, int64_t budget, int64_t mine, int64_t others, int64_t spent,
      uint32_t logs, int64_t *out_part)
{
    int64_t left = larger(budget - mine - others, 0);
    int64_t part = larger(left / (2 * (int64_t)logs), purse->dearest);
    *out_part = left > 0 ? larger(part, 1) : 0;
    return mine - spent < *out_part ? mine + smaller(left, larger(part, 1)) : mine;
}

// G6: what a catalog may say of a grant.
static int64_t
said_of(int64_t budget, int64_t granted, int64_t others)
{
    __int128 all = (__int128)granted + others;
    if (all <= budget) return granted;
    return (int64_t)((__int128)budget * granted / all);
}

// One grant anew; a row when it changed.
static int64_t
grant_one(const struct purse *purse, int what, int32_t day, int64_t budget, int64_t granted,
          struct rows *rows)
{
    int64_t said = said_of(budget, granted, purse->others[what]);
    bool same = purse->known[what] && purse->mine[what] == granted && purse->said[what] == said;
    if (!same) put_row(rows, purse, day, granted, said);
    return said;
}

// G2.
static void
grant_alone(const struct purse *purse, struct catalog_limit *limit, struct rows *rows)
{
    const struct market_budget *budget = purse->budget;
    if (budget->has_total)
        limit->total.micros = grant_one(purse, OF_TOTAL, DAY_TOTAL, budget->total.micros,
                                        larger(purse->mine[OF_TOTAL], budget->total.micros), rows);
    if (!budget->has_daily) return;
    limit->daily.micros = grant_one(purse, OF_EVERY_DAY, DAY_EVERY, budget->daily.micros,
                                    larger(purse->mine[OF_EVERY_DAY], budget->daily.micros), rows);
}

// G3 to G5.
static void
grant_beside_others(struct limit *limit, struct purse *purse, uint16_t day,
                    struct catalog_limit *out, struct rows *rows)
{
    const struct market_budget *budget = purse->budget;
    struct spent *spent = &limit->of[purse->of];
    uint32_t id = purse->id;
    int64_t part = 0, daily_part = 0, none;
    spent->granted[id] = spent->granted_today[id] = INT64_MAX;
    if (budget->has_total) {
        int64_t granted = grown(purse, budget->total.micros, purse->mine[OF_TOTAL],
                                purse->others[OF_TOTAL], spent->total[id], limit->logs, &part);
        out->total.micros = grant_one(purse, OF_TOTAL, DAY_TOTAL, budget->total.micros, granted,
                                      rows);
        spent->granted[id] = out->total.micros;
    }
    if (budget->has_daily) {
        int64_t all = budget->daily.micros, every = purse->mine[OF_EVERY_DAY];
        int64_t today = larger(purse->mine[OF_TODAY], every),
                tomorrow = larger(purse->mine[OF_TOMORROW], every);
        today = grown(purse, all, today, purse->others[OF_TODAY], spent->today[id], limit->logs,
                      &daily_part);
        tomorrow = grown(purse, all, tomorrow, purse->others[OF_TOMORROW], 0, limit->logs, &none);
        out->day = day;
        out->daily.micros = grant_one(purse, OF_TODAY, day, all, today, rows);
        out->next_daily.micros = grant_one(purse, OF_TOMORROW, day + 1, all, tomorrow, rows);
        if (every > 0) put_row(rows, purse, DAY_EVERY, 0, 0);
        spent->granted_today[id] = out->daily.micros;
    }
    // No part that is left to be had: no reason to ask again.
    spent->part[id] = larger(part, daily_part);
    if (part == 0) spent->granted[id] = INT64_MAX;
    if (daily_part == 0) spent->granted_today[id] = INT64_MAX;
}

static enum status
insert_grants(const struct limit *limit, struct db *db, uint64_t version, const struct rows *rows)
{
    if (rows->count == 0) return STATUS_OK;
    struct db_param params[] = {
        db_int4((int32_t)limit->log),          db_int8((int64_t)version),
        db_int4_array(rows->of, rows->count),  db_int4_array(rows->id, rows->count),
        db_int4_array(rows->day, rows->count), db_int8_array(rows->granted, rows->count),
        db_int8_array(rows->said, rows->count)};
    return db_run(db,
                  "insert into spend_grant (of, id, log, day, catalog, granted_micros, "
                  "limit_micros) select x.of, x.id, $1, x.day, $2, x.granted, x.said "
                  "from unnest($3::integer[], $4::integer[], $5::integer[], $6::bigint[], "
                  "$7::bigint[]) as x (of, id, day, granted, said) "
                  "on conflict (of, id, log, day, catalog) do update "
                  "set granted_micros = excluded.granted_micros, "
                  "limit_micros = excluded.limit_micros",
                  params, COUNT(params), NULL);
}

static void
take_rows(struct rows *rows, struct arena *arena, size_t most)
{
    rows->of = arena_take(arena, most + 1, sizeof *rows->of);
    rows->id = arena_take(arena, most + 1, sizeof *rows->id);
    rows->day = arena_take(arena, most + 1, sizeof *rows->day);
    rows->granted = arena_take(arena, most + 1, sizeof *rows->granted);
    rows->said = arena_take(arena, most + 1, sizeof *rows->said);
}

// Within the transaction that holds the lock.
static enum status
grant_all(struct limit *limit, struct db *db, uint16_t day, struct purses *purses,
          struct arena *arena, struct catalog_input *input)
{
    struct rows rows = {0};
    take_rows(&rows, arena, (size_t)purses->count * 4);
    enum status status = db_query(db, "select one from spend_lock for update", NULL, 0, NULL);
    if (status == STATUS_OK) status = count_logs(db, &limit->logs);
    if (status == STATUS_OK && limit->logs > 1) status = count_sales(limit, db);
    if (status == STATUS_OK) status = read_grants(limit, db, day, purses);
    if (status != STATUS_OK) return status;
    struct catalog_limit *limits = arena_take(arena, purses->count + 1, sizeof *limits);
    for (int of = 0; of < BUDGET_OF_COUNT; of++)
        memset(limit->of[of].part, 0, limit->of[of].count * sizeof *limit->of[of].part);
    for (uint32_t i = 0; i < purses->count; i++) {
        struct purse *purse = &purses->list[i];
        limits[i] = (struct catalog_limit){.of = (uint8_t)purse->of,
                                           .id = purse->id,
                                           .has_total = purse->budget->has_total,
                                           .has_daily = purse->budget->has_daily};
        if (limit->logs <= 1) grant_alone(purse, &limits[i], &rows);
        else grant_beside_others(limit, purse, day, &limits[i], &rows);
    }
    input->limits = limits;
    input->limit_count = purses->count;
    return insert_grants(limit, db, input->version, &rows);
}

enum status
limit_grant(struct limit *limit, struct db *db, usec now, uint64_t market_version,
            struct arena *arena, struct catalog_input *input)
{
    struct purses purses = {0};
    uint32_t logs;
    CHECK(input->shift_count <= BOUND_ZONE_SHIFTS);
    if (input->shift_count > 0)
        memcpy(limit->shifts, input->shifts, input->shift_count * sizeof *limit->shifts);
    limit->clock.shift_count = input->shift_count;
    uint16_t day = day_of(limit, now);
    if (day != limit->day) change_day(limit, day);
    enum status status = count_logs(db, &logs);
    if (status != STATUS_OK) return status;
    status = prepaid_learn(limit->prepaid, db, input->market, now);
    if (status != STATUS_OK) return status;
    bool known = limit->alone_with == market_version && !prepaid_any(limit->prepaid);
    if (logs <= 1 && known) return STATUS_OK;
    list_purses(input, limit->prepaid, logs > 1, arena, &purses);
    status = db_begin(db);
    if (status == STATUS_OK) status = grant_all(limit, db, day, &purses, arena, input);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    limit->alone_with = status == STATUS_OK && limit->logs <= 1 ? market_version : 0;
    return status;
}

// The newest row of each grant of the log that this catalog knew.
enum status
limit_read(struct db *db, uint32_t log, usec at, struct arena *arena, struct catalog_input *input)
{
    struct db_rows *rows = NULL;
    struct catalog clock = {.shifts = input->shifts, .shift_count = input->shift_count};
    uint16_t day = catalog_day_of(&clock, at).day;
    struct db_param params[] = {db_int4((int32_t)log), db_int8((int64_t)input->version),
                                db_int4(day)};
    enum status status = db_query(
        db,
        "select distinct on (of, id, day) of, id, day, limit_micros from spend_grant "
        "where log = $1 and catalog <= $2 and day in (-1, 0, $3, $3 + 1) "
        "order by of, id, day, catalog desc",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    struct catalog_limit *limits = arena_take(arena, db_count(rows) + 1, sizeof *limits), *limit;
    uint32_t count = 0;
    for (size_t i = 0; i < db_count(rows); i++) {
        uint8_t of = (uint8_t)db_get_int(rows, i, 0);
        uint32_t id = (uint32_t)db_get_int(rows, i, 1);
        int64_t of_day = db_get_int(rows, i, 2);
        money said = db_get_money(rows, i, 3);
        bool next = count == 0 || limits[count - 1].of != of || limits[count - 1].id != id;
        if (next) limits[count++] = (struct catalog_limit){.of = of, .id = id};
        limit = &limits[count - 1];
        if (of_day == DAY_TOTAL) {
            limit->has_total = true;
            limit->total = said;
        } else if (of_day != DAY_EVERY) {
            limit->has_daily = true;
            limit->day = day;
            if (of_day == day) limit->daily = said;
            else limit->next_daily = said;
        } else if (said.micros > 0) {
            limit->has_daily = true;
            limit->daily = said;
        }
    }
    db_rows_free(rows);
    input->limits = limits;
    input->limit_count = count;
    return STATUS_OK;
}
