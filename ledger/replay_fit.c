// What posting needs of the whole house, not of one customer: how much revenue a contract had in a
// period before this, and the fits of data-driven models (replay.c, rules 6 and 7).
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "replay_inside.h"

static enum status
said(struct replay *replay, struct db *db, enum status status, const char *what, uint64_t number)
{
    return replay_say(replay, status, what, number, db_fault(db)->text);
}

enum status
replay_load_base(struct replay *replay, struct db *db, uint32_t contract, const char *period,
                 money *out_base)
{
    const struct db_param params[] = {db_int4((int32_t)contract), db_text(period)};
    struct db_rows *rows = NULL;
    *out_base = money_of(0);
    // One row for all contracts: facts come in any order, and rows locked in any order would now
    // and then block each other for ever.
    enum status status = db_query(
        db, "select marks from revenue_mark where contract = 0 for update", NULL, 0, &rows);
    db_rows_free(rows);
    rows = NULL;
    if (status == STATUS_OK) {
        status = db_query(db,
                          "select base_micros + amount_micros from revenue where contract = $1 "
                          "and period = $2 and base_micros is not null "
                          "order by base_micros desc limit 1",
                          params, 2, &rows);
    }
    if (status != STATUS_OK) {
        return said(replay, db, status, "reading revenue of contract", contract);
    }
    if (db_count(rows)) *out_base = db_get_money(rows, 0, 0);
    db_rows_free(rows);
    return STATUS_OK;
}

static bool
model_of(const char *name, uint8_t *out_model)
{
    for (unsigned i = 0; i < ATTRIBUTION_COUNT; i++) {
        if (strcmp(name, market_attribution_name((enum attribution)i)) != 0) continue;
        *out_model = (uint8_t)i;
        return true;
    }
    return false;
}

enum status
replay_load_fits(struct replay *replay, struct db *db)
{
    const struct db_param params[] = {db_int4((int32_t)replay->log)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select version, model, batch from model_fit where log = $1 "
                                  "order by version",
                                  params, 1, &rows);
    if (status != STATUS_OK) return said(replay, db, status, "reading fits of log", replay->log);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct known_fit one = {.batch = (uint64_t)db_get_int(rows, i, 2),
                                .fit = {.version = (uint32_t)db_get_int(rows, i, 0)}};
        if (!model_of(db_get_text(rows, i, 1), &one.fit.model)) {
            status = replay_say(replay, STATUS_DAMAGED, "a model that is not known, of fit",
                                one.fit.version, db_get_text(rows, i, 1));
            break;
        }
        replay->fits = replay_room(replay->fits, replay->fit_count, &replay->fit_room,
                                   sizeof *replay->fits);
        replay->fits[replay->fit_count++] = one;
    }
    db_rows_free(rows);
    replay->fits_read = status == STATUS_OK;
    return status;
}

enum status
replay_load_weights(struct replay *replay, struct db *db, struct known_fit *fit)
{
    const struct db_param params[] = {db_int4((int32_t)fit->fit.version)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select seat, rung, ppm from model_weight where version = $1 "
                                  "order by seat, rung",
                                  params, 1, &rows);
    if (status != STATUS_OK) {
        return said(replay, db, status, "reading weights of fit", fit->fit.version);
    }
    fit->fit.count = db_count(rows);
    fit->fit.weights = calloc(fit->fit.count + 1, sizeof *fit->fit.weights);
    CHECK(fit->fit.weights);
    for (size_t i = 0; i < fit->fit.count; i++) {
        fit->fit.weights[i] = (struct credit_weight){(uint32_t)db_get_int(rows, i, 0),
                                                     (uint8_t)db_get_int(rows, i, 1),
                                                     (uint32_t)db_get_int(rows, i, 2)};
    }
    fit->read = true;
    db_rows_free(rows);
    return STATUS_OK;
}
