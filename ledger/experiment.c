// Experiments with floors, watched until they lose.
//
//  1 A contact takes part as variant or control, as its own fact says; what it brought is what
//    became due from it (view experiment_contact): prices and gain-share pools, refunds taken off.
//  2 An experiment stops when both arms have at least `stop_contacts` contacts, and the variant's
//    revenue a contact is below the control's by more than `stop_loss`:
//      variant / contacts of variant < control / contacts of control x (1 - stop_loss)
//    compared exactly, as products of integers. `stop_contacts` 0: it never stops itself.
//  3 A stop is a row that is only added; the next catalog says so. It is for ever: the same
//    experiment does not start again.
//  4 Looking takes a while in a large ledger: after each look the watch rests for twenty times as
//    long as it took, at least five seconds, so that shipping keeps the connection.
#include "experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "publish.h"

#define REST_US (5 * USEC_SECOND)
#define REST_TIMES 20

struct experiment_watch {
    usec next;              // monotonic
    uint64_t version;       // of `market`
    struct arena *arena;    // NULL: none read yet
    struct market *market;  // in it
};

// What one arm came to.
struct arm {
    int64_t contacts, micros;
};

struct experiment_watch *
experiment_open(void)
{
    struct experiment_watch *watch = calloc(1, sizeof *watch);
    CHECK(watch);
    return watch;
}

void
experiment_close(struct experiment_watch *watch)
{
    if (!watch) return;
    arena_close(watch->arena);
    free(watch);
}

static enum status
read_market(struct experiment_watch *watch, struct db *db)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db, "select coalesce(max(version), 0)::bigint from market_version", NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    uint64_t version = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    if (version == watch->version) return STATUS_OK;
    struct arena *arena = arena_open("experiments");
    struct market *market = NULL;
    status = publish_load_market(db, version, arena, &market);
    if (status != STATUS_OK) {
        arena_close(arena);
        return status;
    }
    arena_close(watch->arena);
    watch->arena = arena;
    watch->market = market;
    watch->version = version;
    return STATUS_OK;
}

static bool
may_stop(const struct market_experiment *experiment, usec now)
{
    return experiment->stop_contacts > 0 && !experiment->stopped && experiment->from.us <= now.us;
}

static bool
loses(const struct market_experiment *experiment, struct arm variant, struct arm control)
{
    int64_t least = experiment->stop_contacts;
    if (variant.contacts < least || control.contacts < least) return false;
    int64_t kept = (int64_t)MONEY_PPM - experiment->stop_loss_ppm;
    __int128 has = (__int128)variant.micros * control.contacts * (int64_t)MONEY_PPM;
    __int128 must = (__int128)control.micros * variant.contacts * kept;
    return has < must;
}

static void
per_contact(struct arm arm, char out[MONEY_TEXT])
{
    money each;
    CHECK(money_ratio(money_of(arm.micros), 1, (uint64_t)arm.contacts, &each) == STATUS_OK);
    money_format(each, 6, out);
}

static enum status
stop(struct db *db, const struct market_experiment *experiment, struct arm variant,
     struct arm control, usec now, struct experiment_report *out)
{
    char text[EXPERIMENT_TEXT], less[MONEY_TEXT], more[MONEY_TEXT];
    per_contact(variant, less);
    per_contact(control, more);
    snprintf(text, sizeof text,
             "the variant brought %s a contact in %lld contacts, the control %s in %lld; "
             "it may lose %u.%04u %%",
             less, (long long)variant.contacts, more, (long long)control.contacts,
             experiment->stop_loss_ppm / 10000, experiment->stop_loss_ppm % 10000);
    const struct db_param params[] = {db_int4((int32_t)experiment->id),
                                      db_time(now),
                                      db_int8(variant.contacts),
                                      db_int8(control.contacts),
                                      db_int8(variant.micros),
                                      db_int8(control.micros),
                                      db_text(text)};
    uint64_t changed = 0;
    enum status status = db_run(
        db,
        "insert into experiment_stop (experiment, stopped_us, variant_contacts, control_contacts, "
        "variant_micros, control_micros, reason) values ($1, $2, $3, $4, $5, $6, $7) "
        "on conflict do nothing",
        params, 7, &changed);
    if (status != STATUS_OK || changed == 0) return status;
    out->stopped++;
    snprintf(out->text, sizeof out->text, "%.50s: %.340s", experiment->code, text);
    return STATUS_OK;
}

static enum status
judge(struct db *db, const struct market_experiment *experiment, usec now,
      struct experiment_report *out)
{
    const struct db_param params[] = {db_int4((int32_t)experiment->id)};
    struct arm arms[2] = {{0, 0}, {0, 0}};  // control, variant
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select variant, count(*), sum(micros)::bigint from experiment_contact "
        "where experiment = $1 and not exists "
        "(select 1 from experiment_stop s where s.experiment = $1) group by variant",
        params, 1, &rows);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(rows); i++) {
        arms[db_get_bool(rows, i, 0)] = (struct arm){db_get_int(rows, i, 1),
                                                     db_get_int(rows, i, 2)};
    }
    db_rows_free(rows);
    if (!loses(experiment, arms[1], arms[0])) return STATUS_OK;
    return stop(db, experiment, arms[1], arms[0], now, out);
}

enum status
experiment_turn(struct experiment_watch *watch, struct db *db, usec now,
                struct experiment_report *out_report)
{
    usec began = clock_monotonic();
    memset(out_report, 0, sizeof *out_report);
    if (began.us < watch->next.us) return STATUS_OK;
    enum status status = read_market(watch, db);
    uint32_t count = watch->market ? watch->market->experiment_count : 0;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct market_experiment *one = &watch->market->experiments[i];
        if (may_stop(one, now)) status = judge(db, one, now, out_report);
    }
    int64_t took = clock_monotonic().us - began.us;
    int64_t rest = took * REST_TIMES > REST_US ? took * REST_TIMES : REST_US;
    watch->next = (usec){began.us + took + rest};
    return status;
}
