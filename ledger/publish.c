// Market, standing bids and certificates out of PostgreSQL into DIR/published/catalog.
//
// A turn:
//   1 One query asks for marks that only grow: newest market version, number of certificates and
//     of their events, of experiments that stopped, watermark, last batch that changed a bid. Same
//     as last time, and this node's share of no budget should grow (limit.c): nothing to do.
//   2 A market that changed is read anew (its objects joined and read by the market file's
//     reader); else the one in memory is used again. Certificates and bids are read, the host's
//     clock is asked for, and this node's share of each budget is granted.
//   3 The watermark was read before the bids, so the catalog's position never claims a bid that
//     is not in it; bids that are newer than the position do no harm, the node holds the same in
//     its overlay.
//   4 The catalog is encoded under the next version (highest row of catalog_version plus one),
//     written to a temporary file and synced; the row is committed; then the file is renamed into
//     place and the directory synced. So a version that a node can have seen has its row, and
//     versions only grow, also over restarts and crashes.
//   5 A first turn always publishes. After a failure the next try waits a second.
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog.h"
#include "fail.h"
#include "limit.h"
#include "market_file.h"
#include "market_zone.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BIDS_PAUSE_US USEC_SECOND  // between catalogs that differ in bids alone
#define RETRY_US USEC_SECOND
#define NUMBER_TRIES 8

// --- The market of a version --------------------------------------------------------------------

static enum status
resolve_version(struct db *db, uint64_t wanted, uint64_t *out_version)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int8((int64_t)wanted)};
    enum status status = db_query(db,
                                  "select coalesce(max(version), 0)::bigint from market_version "
                                  "where $1 = 0 or version = $1",
                                  params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    *out_version = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return *out_version > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status
publish_load_market(struct db *db, uint64_t market_version, struct arena *arena,
                    struct market **out_market)
{
    struct db_rows *rows = NULL;
    uint64_t version;
    *out_market = NULL;
    enum status status = resolve_version(db, market_version, &version);
    if (status != STATUS_OK) return status;
    struct db_param params[] = {db_int8((int64_t)version)};
    status = db_query(db,
                      "select o.kind, o.id, o.code, o.body::text from market_object o "
                      "where o.body is not null and o.version = "
                      "(select max(n.version) from market_object n where n.kind = o.kind "
                      "and n.id = o.id and n.version <= $1)",
                      params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    uint32_t count = (uint32_t)db_count(rows);
    struct market_object *objects = arena_take(arena, count + 1, sizeof *objects);
    for (uint32_t i = 0; i < count; i++)
        objects[i] = (struct market_object){.kind = db_get_text(rows, i, 0),
                                            .id = (uint32_t)db_get_int(rows, i, 1),
                                            .code = db_get_text(rows, i, 2),
                                            .body = db_get_text(rows, i, 3)};
    struct market_report report = {.arena = arena};
    status = market_object_load(objects, count, arena, &report, out_market);
    db_rows_free(rows);
    return status == STATUS_OK ? STATUS_OK : STATUS_DAMAGED;
}

enum status
publish_market_version(struct db *db, uint64_t catalog_version, uint64_t *out_market_version)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int8((int64_t)catalog_version)};
    enum status status = db_query(db,
                                  "select market_version from catalog_version where version = $1",
                                  params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    status = db_count(rows) > 0 ? STATUS_OK : STATUS_NOT_FOUND;
    if (status == STATUS_OK) *out_market_version = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// --- Turns --------------------------------------------------------------------------------------

struct marks {  // each only grows
    int64_t market, certificates, revocations, bid_batch, stops;
    struct catalog_position position;
};

struct publish {
    char *directory;
    uint32_t log;
    struct marks done;  // of the newest catalog; market 0: none published by this process yet
    uint64_t version;
    usec bids_at, retry_at;
    enum status failed;  // of the latest turn, with `fault`: told until the next attempt
    char fault[512];
    struct arena *market_arena;  // holds `market`, read at version `done.market` or later
    struct market *market;
    int64_t market_read;  // version of `market`
    struct limit *limit;
};

struct publish *
publish_open(const char *directory, uint32_t log)
{
    struct publish *publish = calloc(1, sizeof *publish);
    CHECK(publish != NULL);
    publish->directory = strdup(directory);
    CHECK(publish->directory != NULL);
    publish->log = log;
    publish->limit = limit_open(log);
    return publish;
}

void
publish_close(struct publish *publish)
{
    if (publish == NULL) return;
    arena_close(publish->market_arena);
    limit_close(publish->limit);
    free(publish->directory);
    free(publish);
}

static enum status
read_marks(struct db *db, uint32_t log, struct marks *out_marks)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int4((int32_t)log)};
    enum status status = db_query(
        db,
        "select (select coalesce(max(version), 0) from market_version)::bigint, "
        "(select count(*) from certificate)::bigint, "
        "(select count(*) from certificate_event)::bigint, "
        "(select coalesce(sum((select max(b.batch) from bid_change b where b.log = w.log)), 0) "
        "from watermark w)::bigint, "  // of all nodes: each sells the bids that others took
        "coalesce((select epoch from watermark where log = $1), 0)::integer, "
        "coalesce((select batch from watermark where log = $1), 0)::bigint, "
        "(select count(*) from experiment_stop)::bigint",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    *out_marks = (struct marks){
        .market = db_get_int(rows, 0, 0),
        .certificates = db_get_int(rows, 0, 1),
        .revocations = db_get_int(rows, 0, 2),
        .bid_batch = db_get_int(rows, 0, 3),
        .position = {log, (uint32_t)db_get_int(rows, 0, 4), (uint64_t)db_get_int(rows, 0, 5)},
        .stops = db_get_int(rows, 0, 6)};
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
read_certificates(struct db *db, struct arena *arena, struct catalog_input *input)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select fingerprint, role, party_id, revoked from market_certificate "
        "where role = 'operator' or party_id > 0 order by fingerprint",
        NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    size_t count = db_count(rows);
    struct market_certificate *certificates = arena_take(arena, count + 1, sizeof *certificates);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        enum role role;
        if (db_get_len(rows, i, 0) != sizeof certificates[i].fingerprint.bytes ||
            role_parse(db_get_text(rows, i, 1), db_get_len(rows, i, 1), &role) != STATUS_OK) {
            status = STATUS_DAMAGED;
            continue;
        }
        memcpy(certificates[i].fingerprint.bytes, db_get_bytes(rows, i, 0),
               sizeof certificates[i].fingerprint.bytes);
        certificates[i].role = (uint8_t)role;
        certificates[i].party = (uint32_t)db_get_int(rows, i, 2);
        certificates[i].revoked = db_get_bool(rows, i, 3);
    }
    db_rows_free(rows);
    input->certificates = certificates;
    input->certificate_count = (uint32_t)count;
    return status;
}

static enum status
read_bids(struct db *db, usec now, struct arena *arena, struct catalog_input *input)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_time(now)};
    enum status status = db_query(
        db,
        "select id, seat, message, slot, price_micros, from_us, until_us, state, key, kind "
        "from standing_bid where state < 2 and (until_us = 0 or until_us > $1)",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    size_t count = db_count(rows);
    struct market_bid *bids = arena_take(arena, count + 1, sizeof *bids);
    for (size_t i = 0; i < count; i++) {
        bids[i] = (struct market_bid){.id = (uint64_t)db_get_int(rows, i, 0),
                                      .seat = (uint32_t)db_get_int(rows, i, 1),
                                      .message = (uint32_t)db_get_int(rows, i, 2),
                                      .slot = (uint32_t)db_get_int(rows, i, 3),
                                      .price = db_get_money(rows, i, 4),
                                      .from = db_get_time(rows, i, 5),
                                      .until = db_get_time(rows, i, 6),
                                      .state = (uint8_t)db_get_int(rows, i, 7),
                                      .kind = (uint8_t)db_get_int(rows, i, 9)};
        snprintf(bids[i].key, sizeof bids[i].key, "%s", db_get_text(rows, i, 8));
    }
    db_rows_free(rows);
    input->bids = bids;
    input->bid_count = (uint32_t)count;
    return STATUS_OK;
}

static enum status
read_market(struct publish *publish, struct db *db, int64_t version)
{
    if (publish->market_read == version) return STATUS_OK;
    struct arena *arena = arena_open("market");
    struct market *market;
    enum status status = publish_load_market(db, (uint64_t)version, arena, &market);
    if (status != STATUS_OK) {
        arena_close(arena);
        return status;
    }
    arena_close(publish->market_arena);
    publish->market_arena = arena;
    publish->market = market;
    publish->market_read = version;
    return STATUS_OK;
}

// Experiments that had stopped themselves at a time.
static enum status
read_stops(struct db *db, usec at, struct market *market)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_time(at)};
    enum status status = db_query(db,
                                  "select experiment from experiment_stop where stopped_us <= $1",
                                  params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < db_count(rows); i++)
        for (uint32_t j = 0; j < market->experiment_count; j++)
            if (market->experiments[j].id == (uint32_t)db_get_int(rows, i, 0))
                market->experiments[j].stopped = true;
    db_rows_free(rows);
    return STATUS_OK;
}

static void
read_clock(const struct market *market, usec now, struct arena *arena, struct catalog_input *input)
{
    struct catalog_shift *shifts = arena_take(arena, BOUND_ZONE_SHIFTS, sizeof *shifts);
    input->shift_count = market_zone_shifts(market->zone, now, shifts);
    input->shifts = shifts;
}

enum status
publish_catalog_input(struct db *db, uint64_t catalog_version, struct arena *arena,
                      struct catalog_input *out_input, usec *out_at)
{
    struct db_rows *rows = NULL;
    struct market *market;
    struct db_param params[] = {db_int8((int64_t)catalog_version)};
    enum status status = db_query(
        db,
        "select market_version, log, epoch, batch, at_us from catalog_version where version = $1",
        params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    if (db_count(rows) == 0) {
        db_rows_free(rows);
        return STATUS_NOT_FOUND;
    }
    uint64_t market_version = (uint64_t)db_get_int(rows, 0, 0);
    *out_input = (struct catalog_input){.version = catalog_version,
                                        .position = {(uint32_t)db_get_int(rows, 0, 1),
                                                     (uint32_t)db_get_int(rows, 0, 2),
                                                     (uint64_t)db_get_int(rows, 0, 3)}};
    *out_at = db_get_time(rows, 0, 4);
    db_rows_free(rows);
    status = publish_load_market(db, market_version, arena, &market);
    if (status != STATUS_OK) return status;
    out_input->market = market;
    read_clock(market, *out_at, arena, out_input);
    status = read_stops(db, *out_at, market);
    if (status == STATUS_OK)
        status = limit_read(db, out_input->position.log, *out_at, arena, out_input);
    return status;
}

// --- The file -----------------------------------------------------------------------------------

static enum status
sync_directory(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return STATUS_IO;
    int failed = fsync(directory);
    close(directory);
    return failed != 0 ? STATUS_IO : STATUS_OK;
}

static enum status
write_synced(const char *path, const uint8_t *bytes, size_t len)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0) return STATUS_IO;
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(file, bytes + done, len - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) goto failed;
        done += (size_t)wrote;
    }
    if (fsync(file) != 0) goto failed;
    return close(file) == 0 ? STATUS_OK : STATUS_IO;
failed:
    close(file);
    return STATUS_IO;
}

static enum status
next_version(struct db *db, uint64_t *out_version)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db, "select coalesce(max(version), 0)::bigint + 1 from catalog_version", NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    *out_version = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
insert_version(struct db *db, const struct catalog_input *input, int64_t market_version, usec now)
{
    struct db_param params[] = {db_int8((int64_t)input->version),
                                db_int8(market_version),
                                db_int4((int32_t)input->position.log),
                                db_int4((int32_t)input->position.epoch),
                                db_int8((int64_t)input->position.batch),
                                db_int4((int32_t)input->bid_count),
                                db_time(now)};
    uint64_t added = 0;
    enum status status = db_run(
        db,
        "insert into catalog_version (version, market_version, log, epoch, batch, bids, "
        "at_us) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        params, COUNT(params), &added);
    return status == STATUS_OK && added == 0 ? STATUS_CONFLICT : status;
}

// Step 4. `report->fault` says what the system said.
static enum status
put_in_place(const struct publish *publish, struct db *db, const struct catalog_input *input,
             const uint8_t *bytes, size_t len, int64_t market_version, usec now, char *fault,
             size_t fault_size)
{
    char folder[512], temporary[560], path[560];
    snprintf(folder, sizeof folder, "%s/published", publish->directory);
    snprintf(temporary, sizeof temporary, "%s/catalog.new", folder);
    snprintf(path, sizeof path, "%s/catalog", folder);
    if (mkdir(folder, 0750) != 0 && errno != EEXIST) goto refused;
    if (write_synced(temporary, bytes, len) != STATUS_OK) goto refused;
    enum status status = insert_version(db, input, market_version, now);
    if (status != STATUS_OK) return status;
    if (rename(temporary, path) != 0 || sync_directory(folder) != STATUS_OK) goto refused;
    return STATUS_OK;
refused:
    snprintf(fault, fault_size, "%.400s: %s", path, strerror(errno));
    return STATUS_IO;
}

static enum status
publish_now(struct publish *publish, struct db *db, const struct marks *marks, usec now,
            struct publish_report *report)
{
    struct arena *arena = arena_open("publish");
    struct catalog_input input = {.position = marks->position};
    struct expr_error error = {0};
    const uint8_t *bytes = NULL;
    size_t len = 0;
    enum status status = read_market(publish, db, marks->market);
    if (status == STATUS_DAMAGED)
        snprintf(report->fault, sizeof report->fault,
                 "market version %lld was written by another version of this program",
                 (long long)marks->market);
    if (status == STATUS_OK) {
        input.market = publish->market;
        read_clock(publish->market, now, arena, &input);
        status = read_stops(db, now, publish->market);
    }
    if (status == STATUS_OK) status = read_certificates(db, arena, &input);
    if (status == STATUS_OK) status = read_bids(db, now, arena, &input);
    if (status == STATUS_OK) status = next_version(db, &input.version);
    if (status == STATUS_OK)
        status = limit_grant(publish->limit, db, now, (uint64_t)marks->market, arena, &input);
    if (status == STATUS_OK) {
        status = catalog_encode(&input, arena, &bytes, &len, &error);
        if (status != STATUS_OK)
            snprintf(report->fault, sizeof report->fault, "market version %lld: %s",
                     (long long)marks->market, error.text);
    }
    if (status == STATUS_OK)
        status = put_in_place(publish, db, &input, bytes, len, marks->market, now, report->fault,
                              sizeof report->fault);
    if (status == STATUS_OK) {
        publish->done = *marks;
        publish->version = input.version;
        publish->bids_at = now;
        report->published = true;
        report->bids = input.bid_count;
    } else if (report->fault[0] == '\0') {
        snprintf(report->fault, sizeof report->fault, "%.480s", db_fault(db)->text);
    }
    arena_close(arena);
    return status;
}

// Is a new catalog due? Bids alone wait for BIDS_PAUSE_US after the last one.
static bool
is_due(const struct publish *publish, const struct marks *marks, usec now)
{
    const struct marks *done = &publish->done;
    if (marks->market == 0) return false;
    if (marks->market != done->market || marks->certificates != done->certificates ||
        marks->revocations != done->revocations || marks->stops != done->stops)
        return true;
    bool bids = marks->bid_batch != done->bid_batch;
    return bids && (now.us - publish->bids_at.us >= BIDS_PAUSE_US || now.us < publish->bids_at.us);
}

enum status
publish_turn(struct publish *publish, struct db *db, usec now, struct publish_report *out_report)
{
    struct marks marks;
    usec began = clock_monotonic();
    *out_report = (struct publish_report){.version = publish->version,
                                          .market_version = (uint64_t)publish->done.market};
    if (began.us < publish->retry_at.us) {
        memcpy(out_report->fault, publish->fault, sizeof out_report->fault);
        return publish->failed;
    }
    bool shares_due = false;
    enum status status = read_marks(db, publish->log, &marks);
    if (status == STATUS_OK) status = limit_turn(publish->limit, db, now, &shares_due);
    if (status != STATUS_OK)
        snprintf(out_report->fault, sizeof out_report->fault, "%.480s", db_fault(db)->text);
    else if (is_due(publish, &marks, now) || (marks.market != 0 && shares_due)) {
        status = publish_now(publish, db, &marks, now, out_report);
        // Another node took the number at the same moment: with the next one.
        for (int again = 0; status == STATUS_CONFLICT && again < NUMBER_TRIES; again++) {
            out_report->fault[0] = '\0';
            status = publish_now(publish, db, &marks, now, out_report);
        }
    }
    usec ended = clock_monotonic();
    publish->failed = db_alive(db) ? status
                                   : STATUS_OK;  // the next connection's faults are its own
    memcpy(publish->fault, out_report->fault, sizeof publish->fault);
    if (status != STATUS_OK) publish->retry_at.us = ended.us + RETRY_US;
    out_report->version = publish->version;
    out_report->market_version = (uint64_t)publish->done.market;
    out_report->took_us = ended.us - began.us;
    return status;
}
