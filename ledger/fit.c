// Fits of the data-driven models.
//
//  1 A fit sees the facts up to the watermarks that it read first, and no others, whatever is
//    booked meanwhile. It keeps them (model_fit.seen), so it can be made again from the same facts.
//  2 It is recorded under the locks of all watermarks, with those as the place from which it is in
//    force: a shipper locks its own before it reads fits, so a frame meets all fits in force or
//    waits for the one that is being recorded. The locks are held for the recording only.
//  3 Versions are given under those locks: 1, 2, 3, ... over all models.
//  4 A fit is an act. It books no transfer.
//  5 Customers are read one after the other, ordered by the database, a piece at a time; memory
//    holds one customer's latest touches and what the model adds up.
//  6 More keys than the model can take: the most frequent ones are fitted, the others stand in the
//    paths as one touch, which has no weight.
#include "fit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "arena.h"
#include "fail.h"
#include "market.h"
#include "path.h"
#include "publish.h"

#define KEYS 1999  // PATH_MARKOV less the touch of all others
#define LOGS 256
#define TRIES 5

struct key {
    uint32_t seat;
    uint8_t rung;
    char name[BOUND_CODE + 32];
    uint32_t touch;  // of the model
    uint32_t ppm;
};
struct fitting {
    struct db *db;
    const struct period *period;
    struct path_model *model;  // NULL: `out` instead
    FILE *out;
    struct key *keys;  // by seat, then rung; KEYS
    uint32_t key_count;
    uint32_t others;  // touch of all that are no key
    struct {
        usec at;
        uint32_t key;          // key_count: others
    } touches[BOUND_TOUCHES];  // of this customer, a ring
    uint64_t shown;            // of this customer
    int64_t customer;
    bool any, converted;
    uint64_t conversions, nulls;
    int32_t logs[LOGS];
    int64_t seen[LOGS];  // rule 1
    unsigned log_count;
};

static usec
earliest(const struct period *period)
{
    return (usec){period->from.us - FIT_DAYS * USEC_DAY};
}

// --- Facts ---------------------------------------------------------------------------------------

static enum status
read_positions(struct fitting *fitting, uint32_t version)
{
    struct db_rows *rows = NULL;
    const struct db_param param = db_int4((int32_t)version);
    enum status status =
        version ? db_query(fitting->db,
                           "select log, seen from model_fit where version = $1 order by log",
                           &param, 1, &rows)
                : db_query(fitting->db, "select log, batch from watermark order by log", NULL, 0,
                           &rows);
    if (status == STATUS_OK && db_count(rows) > LOGS) status = STATUS_FULL;
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) fitting->log_count = (unsigned)db_count(rows);
    for (unsigned i = 0; status == STATUS_OK && i < fitting->log_count; i++) {
        fitting->logs[i] = (int32_t)db_get_int(rows, i, 0);
        fitting->seen[i] = db_get_int(rows, i, 1);
    }
    db_rows_free(rows);
    return status;
}

// What was shown to known customers from $1 to $2, by the facts of rule 1 ($3, $4).
#define SHOWN                                                                       \
    "select c.customer, e.effective_us as at, 0 as what, o.seat, o.rung,"           \
    " 0::bigint as micros"                                                          \
    " from event e join outcome o on o.placement_id = e.placement_id"               \
    " join contact c on c.contact_id = o.contact_id"                                \
    " join unnest($3::integer[], $4::bigint[]) as p (log, batch) on p.log = e.log"  \
    " where e.kind = 'delivered' and e.state = 'posted' and c.customer is not null" \
    " and e.effective_us >= $1 and e.effective_us < $2 and e.batch <= p.batch"
// What they converted in the period, which begins $5.
#define CONVERTED                                                                  \
    "select c.customer, r.effective_us, 1, 0, 0::smallint, r.amount_micros"        \
    " from revenue r join contact c on c.contact_id = r.contact_id"                \
    " join unnest($3::integer[], $4::bigint[]) as p (log, batch) on p.log = r.log" \
    " where r.kind = 'converted' and r.state in ('posted', 'no_share')"            \
    " and c.customer is not null and r.effective_us >= $5 and r.effective_us < $2" \
    " and r.batch <= p.batch"

static enum status
query(struct fitting *fitting, const char *sql, size_t params, struct db_rows **out_rows)
{
    const struct db_param param[] = {
        db_time(earliest(fitting->period)),
        db_time(fitting->period->until),
        db_int4_array(fitting->logs, fitting->log_count),
        db_int8_array(fitting->seen, fitting->log_count),
        db_time(fitting->period->from),
    };
    return db_query(fitting->db, sql, param, params, out_rows);
}

static int
by_key(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->seat != b->seat) return a->seat < b->seat ? -1 : 1;
    return a->rung < b->rung ? -1 : a->rung > b->rung;
}

// Rule 6.
static enum status
read_keys(struct fitting *fitting)
{
    static const char sql[] = "select x.seat, x.rung, coalesce(s.code, x.seat::text) || '/' ||"
                              " r.name from (select seat, rung, count(*) as times from (" SHOWN
                              ") as shown group by seat, rung order by times desc, seat, rung"
                              " limit 1999) as x left join seat s on s.id = x.seat"
                              " join rung_name r on r.rung = x.rung";
    struct db_rows *rows = NULL;
    enum status status = query(fitting, sql, 4, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct key *key = &fitting->keys[fitting->key_count++];
        key->seat = (uint32_t)db_get_int(rows, i, 0);
        key->rung = (uint8_t)db_get_int(rows, i, 1);
        snprintf(key->name, sizeof key->name, "%s", db_get_text(rows, i, 2));
    }
    db_rows_free(rows);
    if (status != STATUS_OK) return status;
    qsort(fitting->keys, fitting->key_count, sizeof *fitting->keys, by_key);
    if (fitting->model == NULL) return STATUS_OK;
    for (uint32_t i = 0; i < fitting->key_count; i++) {
        struct key *key = &fitting->keys[i];
        CHECK(path_touch(fitting->model, key->name, strlen(key->name), &key->touch) == STATUS_OK);
    }
    CHECK(path_touch(fitting->model, "others", 6, &fitting->others) == STATUS_OK);
    return STATUS_OK;
}

// --- Paths ---------------------------------------------------------------------------------------

static void
write_path(const struct fitting *fitting, const uint32_t *path, size_t count, bool converted,
           money value)
{
    char amount[MONEY_TEXT];
    for (size_t i = 0; i < count; i++) {
        bool key = path[i] < fitting->key_count;
        fprintf(fitting->out, "%s%s", i ? " > " : "", key ? fitting->keys[path[i]].name : "others");
    }
    money_format(value, 2, amount);
    fprintf(fitting->out, ",%d,%d,%s\n", converted, !converted, amount);
}

// The path of this customer from a time on.
static enum status
tell_path(struct fitting *fitting, usec from, bool converted, money value)
{
    uint32_t path[BOUND_TOUCHES];
    size_t count = 0;
    uint64_t first = fitting->shown > BOUND_TOUCHES ? fitting->shown - BOUND_TOUCHES : 0;
    for (uint64_t i = first; i < fitting->shown; i++) {
        if (fitting->touches[i % BOUND_TOUCHES].at.us < from.us) continue;
        path[count++] = fitting->touches[i % BOUND_TOUCHES].key;
    }
    if (count == 0) return STATUS_OK;
    if (converted) fitting->conversions++;
    else fitting->nulls++;
    if (fitting->model == NULL) {
        write_path(fitting, path, count, converted, value);
        return STATUS_OK;
    }
    for (size_t i = 0; i < count; i++) {
        bool key = path[i] < fitting->key_count;
        path[i] = key ? fitting->keys[path[i]].touch : fitting->others;
    }
    return path_take_counted(fitting->model, path, count, converted, !converted, value);
}

static enum status
end_customer(struct fitting *fitting)
{
    enum status status = STATUS_OK;
    if (fitting->any && !fitting->converted)
        status = tell_path(fitting, fitting->period->from, false, money_of(0));
    fitting->any = fitting->converted = false;
    fitting->shown = 0;
    return status;
}

static enum status
take_row(struct fitting *fitting, const struct db_rows *rows, size_t row)
{
    enum status status = STATUS_OK;
    int64_t customer = db_get_int(rows, row, 0);
    usec at = db_get_time(rows, row, 1);
    if (fitting->any && customer != fitting->customer) status = end_customer(fitting);
    fitting->customer = customer;
    fitting->any = true;
    if (db_get_int(rows, row, 2) == 0) {
        const struct key wanted = {.seat = (uint32_t)db_get_int(rows, row, 3),
                                   .rung = (uint8_t)db_get_int(rows, row, 4)};
        const struct key *key = bsearch(&wanted, fitting->keys, fitting->key_count,
                                        sizeof *fitting->keys, by_key);
        uint64_t slot = fitting->shown++ % BOUND_TOUCHES;
        fitting->touches[slot].at = at;
        fitting->touches[slot].key = key ? (uint32_t)(key - fitting->keys) : fitting->key_count;
        return status;
    }
    fitting->converted = true;
    if (status != STATUS_OK) return status;
    return tell_path(fitting, (usec){at.us - FIT_DAYS * USEC_DAY}, true,
                     db_get_money(rows, row, 5));
}

// Rule 5. Inside a transaction, which a cursor needs.
static enum status
read_paths(struct fitting *fitting)
{
    enum status status = query(fitting,
                               "declare fit_rows cursor for " SHOWN " union all " CONVERTED
                               " order by 1, 2, 3, 4, 5, 6",
                               5, NULL);
    bool more = true;
    while (status == STATUS_OK && more) {
        struct db_rows *rows = NULL;
        status = db_query(fitting->db, "fetch 20000 from fit_rows", NULL, 0, &rows);
        if (status == STATUS_OK) more = db_count(rows) > 0;
        for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
            status = take_row(fitting, rows, i);
        db_rows_free(rows);
    }
    return status == STATUS_OK ? end_customer(fitting) : status;
}

static enum status
read_all(struct fitting *fitting, uint32_t version)
{
    fitting->keys = calloc(KEYS, sizeof *fitting->keys);
    CHECK(fitting->keys);
    enum status status = db_begin(fitting->db);
    // A month's touches are sorted: that may take longer than a usual statement.
    if (status == STATUS_OK)
        status = db_script(fitting->db, "set local statement_timeout = 0;"
                                        "set local work_mem = '64MB'");
    if (status == STATUS_OK) status = read_positions(fitting, version);
    if (status == STATUS_OK) status = read_keys(fitting);
    if (status == STATUS_OK) status = read_paths(fitting);
    db_rollback(fitting->db);
    return status;
}

enum status
fit_paths(struct db *db, const struct period *period, uint32_t version, FILE *out)
{
    struct fitting *fitting = calloc(1, sizeof *fitting);
    CHECK(fitting);
    fitting->db = db;
    fitting->period = period;
    fitting->out = out;
    fputs("path,conversions,nulls,value\n", out);
    enum status status = read_all(fitting, version);
    free(fitting->keys);
    free(fitting);
    return status;
}

// --- Recording -----------------------------------------------------------------------------------

// STATUS_NOT_FOUND: there is none.
static enum status
find_fit(struct db *db, const struct period *period, uint8_t model, struct fit *out)
{
    const struct db_param params[] = {db_text(period->name),
                                      db_text(market_attribution_name(model))};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select f.version, f.paths, f.nulls, (select count(*) from model_weight w"
        " where w.version = f.version and w.ppm > 0)"
        " from model_fit f where f.period = $1 and f.model = $2 order by f.version desc limit 1",
        params, 2, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        out->version = (uint32_t)db_get_int(rows, 0, 0);
        out->conversions = (uint64_t)db_get_int(rows, 0, 1);
        out->nulls = (uint64_t)db_get_int(rows, 0, 2);
        out->keys = (size_t)db_get_int(rows, 0, 3);
        out->earlier = true;
    }
    db_rows_free(rows);
    return status;
}

static enum status
insert_weights(struct fitting *fitting, uint32_t version, struct act *act)
{
    int32_t *seats = calloc(KEYS, sizeof *seats), *rungs = calloc(KEYS, sizeof *rungs);
    int64_t *ppm = calloc(KEYS, sizeof *ppm);
    CHECK(seats && rungs && ppm);
    for (uint32_t i = 0; i < fitting->key_count; i++) {
        char text[BOUND_CODE + 64];
        seats[i] = (int32_t)fitting->keys[i].seat;
        rungs[i] = fitting->keys[i].rung;
        ppm[i] = fitting->keys[i].ppm;
        snprintf(text, sizeof text, "%d %d %" PRId64, seats[i], rungs[i], ppm[i]);
        act_note(act, "weight", text);
    }
    const struct db_param params[] = {
        db_int4((int32_t)version), db_int4_array(seats, fitting->key_count),
        db_int4_array(rungs, fitting->key_count), db_int8_array(ppm, fitting->key_count)};
    enum status status = db_run(
        fitting->db,
        "insert into model_weight (version, seat, rung, ppm)"
        " select $1, x.seat, x.rung::smallint, x.ppm"
        " from unnest($2::integer[], $3::integer[], $4::bigint[]) as x (seat, rung, ppm)",
        params, 4, NULL);
    free(seats);
    free(rungs);
    free(ppm);
    return status;
}

static enum status
insert_fit(struct fitting *fitting, const char *author, usec now, struct fit *out)
{
    struct act *act = NULL;
    char text[32];
    enum status status = act_begin(fitting->db, "fit", author, "", now, &act);
    if (status != STATUS_OK) return status;
    snprintf(text, sizeof text, "%u", out->version);
    act_note(act, "version", text);
    act_note(act, "model", market_attribution_name(out->model));
    act_note(act, "period", fitting->period->name);
    const struct db_param params[] = {
        db_int4((int32_t)out->version),
        db_text(market_attribution_name(out->model)),
        db_text(fitting->period->name),
        db_time(now),
        db_int8((int64_t)act_number(act)),
        db_int8((int64_t)out->conversions),
        db_int8((int64_t)out->nulls),
        db_int4_array(fitting->logs, fitting->log_count),
        db_int8_array(fitting->seen, fitting->log_count),
    };
    // A log that appeared meanwhile: nothing of it was seen.
    status = db_run(fitting->db,
                    "insert into model_fit (version, log, model, period, batch, seen, at_us, act,"
                    " paths, nulls) select $1, w.log, $2, $3, w.batch, coalesce(p.seen, 0), $4, $5,"
                    " $6, $7 from watermark w left join unnest($8::integer[], $9::bigint[])"
                    " as p (log, seen) on p.log = w.log",
                    params, 9, NULL);
    if (status == STATUS_OK) status = insert_weights(fitting, out->version, act);
    if (status == STATUS_OK) return act_end(act);
    act_abandon(act);
    return status;
}

// Rules 2 and 3.
static enum status
record(struct fitting *fitting, bool again, const char *author, usec now, struct fit *out)
{
    struct db *db = fitting->db;
    struct db_rows *rows = NULL;
    enum status status = db_begin(db);
    if (status == STATUS_OK)
        status = db_query(db, "select log from watermark order by log for update", NULL, 0, NULL);
    if (status == STATUS_OK && !again) {
        status = find_fit(db, fitting->period, out->model, out);  // another session's
        if (status != STATUS_NOT_FOUND) {
            db_rollback(db);
            return status;
        }
        status = STATUS_OK;
    }
    if (status == STATUS_OK)
        status = db_query(db, "select coalesce(max(version), 0) + 1 from model_fit", NULL, 0,
                          &rows);
    if (status == STATUS_OK) {
        out->version = (uint32_t)db_get_int(rows, 0, 0);
        status = insert_fit(fitting, author, now, out);
    }
    db_rows_free(rows);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    return status;
}

static void
weigh(struct fitting *fitting, struct fit *out)
{
    const struct path_result *result = path_solve(fitting->model);
    uint32_t *ppm = calloc(result->count, sizeof *ppm);
    CHECK(ppm && path_ppm(result, ppm));
    for (size_t i = 0; i < result->count; i++) {
        for (uint32_t k = 0; k < fitting->key_count; k++) {
            if (fitting->keys[k].touch != result->credits[i].number) continue;
            fitting->keys[k].ppm = ppm[i];
            if (ppm[i] > 0) out->keys++;
        }
    }
    free(ppm);
    out->conversions = fitting->conversions;
    out->nulls = fitting->nulls;
}

static enum status
attempt(struct db *db, const struct period *period, bool again, const char *author, usec now,
        struct fit *out)
{
    struct path_options options = path_defaults();
    options.model = out->model;
    struct fitting *fitting = calloc(1, sizeof *fitting);
    CHECK(fitting);
    fitting->db = db;
    fitting->period = period;
    fitting->model = path_open(&options);
    enum status status = read_all(fitting, 0);
    if (status == STATUS_OK && fitting->conversions == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        weigh(fitting, out);
        status = record(fitting, again, author, now, out);
    }
    path_close(fitting->model);
    free(fitting->keys);
    free(fitting);
    return status;
}

enum status
fit_model(struct db *db, const struct period *period, uint8_t model, bool again, const char *author,
          usec now, struct fit *out_fit)
{
    *out_fit = (struct fit){.model = model};
    memcpy(out_fit->period, period->name, sizeof out_fit->period);
    if (model != ATTRIBUTION_MARKOV && model != ATTRIBUTION_SHAPLEY &&
        model != ATTRIBUTION_COUNTERFACTUAL)
        return STATUS_INPUT;
    enum status status = again ? STATUS_NOT_FOUND : find_fit(db, period, model, out_fit);
    if (status != STATUS_NOT_FOUND) return status;
    status = STATUS_AGAIN;
    for (int turn = 0; turn < TRIES && status == STATUS_AGAIN; turn++) {
        out_fit->keys = 0;
        status = attempt(db, period, again, author, now, out_fit);
    }
    return status;
}

enum status
fit_period(struct db *db, const struct period *period, const char *author, usec now,
           struct fit_report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    struct arena *arena = arena_open("fits of a period");
    struct market *market = NULL;
    enum status status = publish_load_market(db, 0, arena, &market);
    uint32_t models = 0;
    for (uint32_t i = 0; status == STATUS_OK && i < market->contract_count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        if (!contract->has_gain_share || contract->from.us >= period->until.us ||
            (contract->until.us != 0 && contract->until.us <= period->from.us))
            continue;
        models |= 1u << contract->attribution.model;
    }
    arena_close(arena);
    for (uint8_t model = ATTRIBUTION_MARKOV;
         status == STATUS_OK && model <= ATTRIBUTION_COUNTERFACTUAL; model++) {
        if (!(models & 1u << model)) continue;
        struct fit *fit = &out_report->fits[out_report->count];
        status = fit_model(db, period, model, false, author, now, fit);
        if (status == STATUS_OK) out_report->count++;
        if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    }
    return status;
}
