// The shipper: journal frames become rows of facts and transfers, exactly once.
//
// A turn collects whole frames, as many as fit one transaction, and books them:
//   begin; lock this log's watermark row and compare it with our position; read the fence; replay
//   the facts; load fact rows, transfers, counts and frames; move the watermark by
//   compare-and-set; commit.
//
//  1 Rows and watermark are one transaction: whatever ends this process, either both are there or
//    neither.
//  2 The position is believed only as read from the database. After any failure, and above all
//    after a commit whose answer was lost, it is read again and the journal is read on from
//    there.
//  3 The watermark row is locked before the fence is read, and whoever fences locks it first, so
//    no transfer slips into a period behind its fence. A transfer belongs to the month of its
//    effective time, or to the first month behind the fence, and is marked late then.
//  4 A frame that does not continue the last one, a damaged one, a fact that cannot be posted, or
//    a row that the database refuses as a second one, stops shipping: the ledger keeps what it
//    has.
//  5 A failed turn keeps nothing in memory but the terms of markets, which never change.
#include "ship.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "fold_fact.h"
#include "land.h"
#include "log.h"
#include "replay.h"

// A transaction's worth: ten tables share it, and COPY is dear below 10,000 rows.
#define SHIP_FACTS (64 * BOUND_FRAME_FACTS)
#define SHIP_FRAMES 4096  // idle frames may hold one fact each

struct shipped_frame {
    struct journal_position position;
    struct digest previous;
    usec at;
    uint32_t count;
};
struct ship {
    char journal[600];
    uint32_t log;
    struct ship_report report;
    struct journal_reader *reader;
    struct replay *replay;
    struct fact *facts;              // SHIP_FACTS
    struct posting_source *sources;  // of each fact
    struct land_row *rows;           // of each fact
    struct shipped_frame *frames;    // SHIP_FRAMES
    struct transfer *transfers;
    size_t fact_count, frame_count, transfer_count, transfer_room;
    struct fold_count *counts;  // FOLD_FACT_COUNTS for each fact
    size_t count_count;
    usec fenced_until;
    struct period period;  // of the last transfer: the next one is nearly always in it
};

struct ship *
ship_open(const char *directory, uint32_t log)
{
    struct ship *ship = calloc(1, sizeof *ship);
    CHECK(ship);
    snprintf(ship->journal, sizeof ship->journal, "%s/journal", directory);
    ship->log = log;
    ship->report.position.log = log;
    ship->replay = replay_open();
    ship->facts = calloc(SHIP_FACTS, sizeof *ship->facts);
    ship->sources = calloc(SHIP_FACTS, sizeof *ship->sources);
    ship->rows = calloc(SHIP_FACTS, sizeof *ship->rows);
    ship->frames = calloc(SHIP_FRAMES, sizeof *ship->frames);
    ship->transfer_room = SHIP_FACTS;
    ship->transfers = calloc(ship->transfer_room, sizeof *ship->transfers);
    ship->counts = calloc(FOLD_FACT_COUNTS * (size_t)SHIP_FACTS, sizeof *ship->counts);
    CHECK(ship->facts && ship->sources && ship->rows && ship->frames && ship->transfers &&
          ship->counts);
    return ship;
}

void
ship_close(struct ship *ship)
{
    if (!ship) return;
    journal_reader_close(ship->reader);
    replay_close(ship->replay);
    free(ship->facts);
    free(ship->sources);
    free(ship->rows);
    free(ship->frames);
    free(ship->transfers);
    free(ship->counts);
    free(ship);
}

const struct ship_report *
ship_report(const struct ship *ship)
{
    return &ship->report;
}

// --- Answers -----------------------------------------------------------------------------------

static enum ship_answer
stop(struct ship *ship, const char *what, const char *why)
{
    snprintf(ship->report.fault, sizeof ship->report.fault, "%s: %s", what, why);
    return SHIP_STOP;
}

// Forgets the position, so that the next turn reads it again.
static void
forget(struct ship *ship)
{
    journal_reader_close(ship->reader);
    ship->reader = NULL;
    ship->report.known = false;
    ship->fact_count = ship->frame_count = 0;
}

// A row that is there already means that something was booked by another road: retrying cannot
// help.
static enum ship_answer
database_said(struct ship *ship, struct db *db, enum status status, const char *what)
{
    char text[1200];
    snprintf(text, sizeof text, "%s", db_fault(db)->text);
    db_rollback(db);
    forget(ship);
    snprintf(ship->report.fault, sizeof ship->report.fault, "%s: %s", what, text);
    return status == STATUS_CONFLICT ? SHIP_STOP : SHIP_RETRY;
}

static enum ship_answer
replay_said(struct ship *ship, struct db *db, enum status status, struct posting_source source)
{
    char what[128];
    snprintf(what, sizeof what, "fact %u.%llu.%u", source.log, (unsigned long long)source.batch,
             source.index);
    db_rollback(db);
    forget(ship);
    enum ship_answer answer = stop(ship, what, replay_fault(ship->replay));
    return status == STATUS_NOT_FOUND || status == STATUS_DAMAGED ? answer : SHIP_RETRY;
}

// --- Position ----------------------------------------------------------------------------------

static enum status
read_watermark(struct ship *ship, struct db *db, bool lock, struct journal_position *out)
{
    const struct db_param params[] = {db_int4((int32_t)ship->log)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        lock ? "select epoch, batch, digest from watermark where log = $1 for update"
             : "select epoch, batch, digest from watermark where log = $1",
        params, 1, &rows);
    if (status != STATUS_OK) return status;
    memset(out, 0, sizeof *out);
    out->log = ship->log;
    if (db_count(rows) == 0) {
        status = STATUS_NOT_FOUND;
    } else {
        out->epoch = (uint32_t)db_get_int(rows, 0, 0);
        out->batch = (uint64_t)db_get_int(rows, 0, 1);
        CHECK(db_get_len(rows, 0, 2) == sizeof out->digest.bytes);
        memcpy(out->digest.bytes, db_get_bytes(rows, 0, 2), sizeof out->digest.bytes);
    }
    db_rows_free(rows);
    return status;
}

static enum status
register_log(struct ship *ship, struct db *db)
{
    static const struct digest zero;
    const struct db_param params[] = {db_int4((int32_t)ship->log),
                                      db_bytes(zero.bytes, sizeof zero.bytes)};
    return db_run(
        db,
        "insert into watermark (log, epoch, batch, digest, at_us) values ($1, 0, 0, $2, 0) "
        "on conflict do nothing",
        params, 2, NULL);
}

// Reads our position and opens the journal behind it.
static enum ship_answer
find_position(struct ship *ship, struct db *db)
{
    struct journal_fault fault = {""};
    struct journal_position position;
    enum status status = read_watermark(ship, db, false, &position);
    if (status == STATUS_NOT_FOUND) {
        status = register_log(ship, db);
        if (status == STATUS_OK) status = read_watermark(ship, db, false, &position);
    }
    if (status != STATUS_OK) return database_said(ship, db, status, "reading the watermark");
    ship->report.position = position;
    ship->report.known = true;
    if (access(ship->journal, F_OK) != 0) return SHIP_IDLE;  // the engine has never run
    status = journal_reader_open(ship->journal, &position, &ship->reader, &fault);
    if (status == STATUS_OK) return SHIP_BOOKED;
    ship->reader = NULL;
    if (status == STATUS_NOT_FOUND || status == STATUS_AGAIN) return SHIP_IDLE;
    return stop(ship, "opening the journal", fault.text[0] ? fault.text : status_text(status));
}

// Takes whole frames until a transaction's worth is there or the journal has no more.
static enum ship_answer
collect(struct ship *ship)
{
    ship->fact_count = ship->frame_count = 0;
    while (ship->frame_count < SHIP_FRAMES && ship->fact_count + BOUND_FRAME_FACTS <= SHIP_FACTS) {
        struct journal_frame frame;
        struct journal_fault fault = {""};
        enum status status = journal_read(ship->reader, &frame, &fault);
        if (status == STATUS_AGAIN) break;
        if (status != STATUS_OK) {
            // What came before is whole; it is booked first, and the next turn meets the fault
            // again.
            if (ship->frame_count) break;
            return stop(ship, "reading the journal", fault.text);
        }
        ship->frames[ship->frame_count++] = (struct shipped_frame){frame.position, frame.previous,
                                                                   frame.at, frame.count};
        for (uint32_t i = 0; i < frame.count; i++) {
            ship->facts[ship->fact_count] = frame.facts[i];
            ship->sources[ship->fact_count++] = (struct posting_source){frame.position.log,
                                                                        frame.position.batch, i};
        }
    }
    return ship->frame_count ? SHIP_BOOKED : SHIP_IDLE;
}

// --- Booking -----------------------------------------------------------------------------------

// The period of something that happened at `at`, and whether it came late.
static bool
period_for(struct ship *ship, usec at, char out[PERIOD_TEXT])
{
    bool late = at.us < ship->fenced_until.us;
    usec when = late ? ship->fenced_until : at;
    if (when.us < ship->period.from.us || when.us >= ship->period.until.us) {
        period_of(at, ship->fenced_until, &ship->period);
    }
    memcpy(out, ship->period.name, PERIOD_TEXT);
    return late;
}

static void
take_transfers(struct ship *ship, const struct transfer *transfers, size_t count)
{
    while (ship->transfer_count + count > ship->transfer_room) {
        ship->transfer_room *= 2;
        ship->transfers = realloc(ship->transfers, ship->transfer_room * sizeof *ship->transfers);
        CHECK(ship->transfers);
    }
    for (size_t i = 0; i < count; i++) {
        struct transfer *one = &ship->transfers[ship->transfer_count++];
        *one = transfers[i];
        one->late = period_for(ship, one->effective, one->period);
    }
}

static enum ship_answer
post_facts(struct ship *ship, struct db *db, uint64_t *out_orphans)
{
    struct posting posting;
    replay_reset(ship->replay);
    replay_fence(ship->replay, ship->log, ship->fenced_until);
    ship->transfer_count = ship->count_count = 0;
    enum status status = replay_prepare(ship->replay, db, ship->facts, ship->fact_count);
    if (status != STATUS_OK) return replay_said(ship, db, status, ship->sources[0]);
    for (size_t i = 0; i < ship->fact_count; i++) {
        struct replay_said said;
        struct land_row *row = &ship->rows[i];
        *row = (struct land_row){.fact = &ship->facts[i], .source = ship->sources[i]};
        status = replay_fact(ship->replay, db, row->fact, row->source, &posting, &said);
        if (status != STATUS_OK) return replay_said(ship, db, status, row->source);
        land_fill(row, &posting, &said);
        period_for(ship, posting.effective, row->period);
        take_transfers(ship, posting.transfers, posting.count);
        take_transfers(ship, said.more, said.more_count);
        ship->count_count += fold_fact(row->fact, &posting, &said, row->period,
                                       &ship->counts[ship->count_count]);
        *out_orphans += posting.state == POSTING_ORPHAN;
    }
    return SHIP_BOOKED;
}

static enum status
load_transfers(struct ship *ship, struct db *db)
{
    enum status status = transfer_load(db, ship->transfers, ship->transfer_count);
    if (status != STATUS_OK) return status;
    return fold_counts(db, ship->counts, ship->count_count, ship->log,
                       ship->frames[0].position.batch,
                       ship->frames[ship->frame_count - 1].position.batch);
}

static enum status
load_frames(struct ship *ship, struct db *db)
{
    enum status status = db_copy_begin(
        db, "frame (log, batch, epoch, previous, digest, facts, at_us, fenced_until_us, turn)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < ship->frame_count; i++) {
        const struct shipped_frame *frame = &ship->frames[i];
        db_copy_row(db, 9);
        db_copy_int4(db, (int32_t)frame->position.log);
        db_copy_int8(db, (int64_t)frame->position.batch);
        db_copy_int4(db, (int32_t)frame->position.epoch);
        db_copy_bytes(db, frame->previous.bytes, sizeof frame->previous.bytes);
        db_copy_bytes(db, frame->position.digest.bytes, sizeof frame->position.digest.bytes);
        db_copy_int4(db, (int32_t)frame->count);
        db_copy_int8(db, frame->at.us);
        db_copy_int8(db, ship->fenced_until.us);
        db_copy_int8(db, (int64_t)replay_turn(ship->replay));
    }
    return db_copy_end(db, NULL);
}

static enum status
move_watermark(struct ship *ship, struct db *db, const struct journal_position *to)
{
    const struct journal_position *from = &ship->report.position;
    const struct db_param params[] = {db_int4((int32_t)ship->log),
                                      db_int8((int64_t)from->batch),
                                      db_bytes(from->digest.bytes, sizeof from->digest.bytes),
                                      db_int4((int32_t)to->epoch),
                                      db_int8((int64_t)to->batch),
                                      db_bytes(to->digest.bytes, sizeof to->digest.bytes),
                                      db_time(clock_wall())};
    uint64_t changed = 0;
    enum status status = db_run(
        db,
        "update watermark set epoch = $4, batch = $5, digest = $6, at_us = $7 "
        "where log = $1 and batch = $2 and digest = $3",
        params, 7, &changed);
    CHECK(status != STATUS_OK || changed == 1);  // the row is locked by us and was compared
    return status;
}

static enum status
read_fence(struct ship *ship, struct db *db)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db, "select coalesce(max(until_us), 0)::bigint from period_event where step = 1", NULL, 0,
        &rows);
    if (status != STATUS_OK) return status;
    ship->fenced_until = db_get_time(rows, 0, 0);
    db_rows_free(rows);
    memset(&ship->period, 0, sizeof ship->period);
    return STATUS_OK;
}

static enum ship_answer
book(struct ship *ship, struct db *db)
{
    struct journal_position now, end = ship->frames[ship->frame_count - 1].position;
    uint64_t orphans = 0;
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = read_watermark(ship, db, true, &now);
    if (status != STATUS_OK) return database_said(ship, db, status, "locking the watermark");
    if (now.batch != ship->report.position.batch ||
        !digest_same(now.digest, ship->report.position.digest)) {
        db_rollback(db);
        forget(ship);
        snprintf(ship->report.fault, sizeof ship->report.fault,
                 "another ledgerd has booked this log meanwhile: it is at batch %llu",
                 (unsigned long long)now.batch);
        return SHIP_RETRY;
    }
    status = read_fence(ship, db);
    if (status != STATUS_OK) return database_said(ship, db, status, "reading the fence");
    enum ship_answer answer = post_facts(ship, db, &orphans);
    if (answer != SHIP_BOOKED) return answer;
    status = land_rows(db, ship->rows, ship->fact_count);
    if (status != STATUS_OK) return database_said(ship, db, status, "landing facts");
    status = load_transfers(ship, db);
    if (status != STATUS_OK) return database_said(ship, db, status, "loading transfers");
    status = load_frames(ship, db);
    if (status == STATUS_OK) status = move_watermark(ship, db, &end);
    if (status != STATUS_OK) return database_said(ship, db, status, "moving the watermark");
    status = db_commit(db);
    if (status != STATUS_OK) return database_said(ship, db, status, "committing");
    ship->report.position = end;
    ship->report.facts += ship->fact_count;
    ship->report.transfers += ship->transfer_count;
    ship->report.orphans += orphans;
    ship->report.fault[0] = 0;
    return SHIP_BOOKED;
}

enum ship_answer
ship_turn(struct ship *ship, struct db *db)
{
    if (!ship->reader) {
        enum ship_answer answer = find_position(ship, db);
        if (answer != SHIP_BOOKED) return answer;
    }
    enum ship_answer answer = collect(ship);
    return answer == SHIP_BOOKED ? book(ship, db) : answer;
}
