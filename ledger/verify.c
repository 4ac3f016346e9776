// The proof: journal against ledger.
//
// In one snapshot of the database (repeatable read) the journal's files are read from the first
// frame to the watermark, and every fact is posted again from nothing but the facts before it and
// the published markets. What comes out is merged with what the database holds, row by row, in the
// same order:
//
//     journal   1.1.0  1.1.1  1.1.2 ...          both sides ordered by (batch, index, leg);
//     database  1.1.0  1.1.1         1.2.0 ...   a row on one side only is missing or too much.
//
//  1 A frame's previous digest, digest and count must be those of its row in `frame`; the last
//    one's those of the watermark. So the files are the ones that were booked.
//  2 The period of a row depends on the fence that held when it was booked; the frame's row tells
//    it. Fences only rise.
//  3 Rows are compared as lines of text that hold every column (verify_line.c).
//  4 The outcomes of every contact are worked out again from its record alone (verify_round.c).
//  5 How orders are divided (table credit) is compared like facts. With several logs, what a
//    conversion's base is cannot be computed from one of them: it is taken from its row, if it is
//    not below what this log brought before; that all follow on is asked of the database.
//    What other logs booked of orders that this one speaks of is taken likewise (replay_order.c).
//  6 Unexplained are: the amounts of transfers missing or too much; of a differing pair the
//    difference of the amounts, or both amounts when accounts, currency or state differ.
//    Finance's own transfers (log 0) follow from its acts, whose chain is computed again.
//  7 Detached periods are compared as long as their tables are there; what was taken away is
//    counted, and is no fault.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "verify_inside.h"
#include "verify_line.h"
#include "verify_round.h"

#define FETCH "2000"

// --- Telling -----------------------------------------------------------------------------------

void
verify_tell(struct verify *verify, const char *format, ...)
{
    struct verify_report *out = verify->out;
    if (out->difference_count < VERIFY_DIFFERENCES) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(out->differences[out->difference_count], VERIFY_TEXT, format, arguments);
        va_end(arguments);
    }
    out->difference_count++;
}

static enum status
cannot(struct verify *verify, enum status status, const char *what, const char *why)
{
    snprintf(verify->out->fault, VERIFY_TEXT, "%.100s: %.280s", what, why);
    return status;
}

enum status
verify_database_said(struct verify *verify, enum status status, const char *what)
{
    return cannot(verify, status, what, db_fault(verify->db)->text);
}

void
verify_conclude(struct verify *verify, enum verify_part part, const char *name, bool ok,
                const char *format, ...)
{
    struct verify_check *check = &verify->out->checks[part];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->detail, sizeof check->detail, format, arguments);
    va_end(arguments);
    check->name = name;
    check->ok = ok;
    verify->out->ok = verify->out->ok && ok;
}

void
verify_unexplained(struct verify *verify, int64_t micros)
{
    verify->unexplained += micros < 0 ? -(__int128)micros : micros;
}

// --- Streams -----------------------------------------------------------------------------------

static enum status
stream_fetch(struct verify *verify, struct verify_stream *stream)
{
    char sql[96];
    db_rows_free(stream->rows);
    stream->rows = NULL;
    stream->row = 0;
    snprintf(sql, sizeof sql, "fetch " FETCH " from %s", stream->name);
    enum status status = db_query(verify->db, sql, NULL, 0, &stream->rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, stream->name);
    stream->ended = db_count(stream->rows) == 0;
    return STATUS_OK;
}

static enum status
stream_open(struct verify *verify, struct verify_stream *stream, const char *name,
            const char *select)
{
    char sql[10000];
    const struct db_param params[] = {db_int4((int32_t)verify->log)};
    int len = snprintf(sql, sizeof sql, "declare %s no scroll cursor for %s", name, select);
    CHECK(len > 0 && (size_t)len < sizeof sql);
    stream->name = name;
    enum status status = db_run(verify->db, sql, params, 1, NULL);
    if (status != STATUS_OK) return verify_database_said(verify, status, name);
    return stream_fetch(verify, stream);
}

static enum status
stream_next(struct verify *verify, struct verify_stream *stream)
{
    stream->row++;
    return stream->row < db_count(stream->rows) ? STATUS_OK : stream_fetch(verify, stream);
}

// Where the stream's row stands beside (batch, index, leg): before, at, or behind it.
static int
stands(const struct verify_stream *stream, uint64_t batch, uint32_t index, int leg)
{
    const int64_t wanted[3] = {(int64_t)batch, (int64_t)index, leg};
    if (stream->ended) return 1;
    for (size_t i = 0; i < (leg < 0 ? 2 : 3); i++) {
        int64_t is = db_get_int(stream->rows, stream->row, i);
        if (is != wanted[i]) return is < wanted[i] ? -1 : 1;
    }
    return 0;
}

// --- Transfers ---------------------------------------------------------------------------------

static enum status
extra_transfer(struct verify *verify)
{
    const struct verify_stream *stream = &verify->transfers;
    verify->transfer_faults++;
    verify_unexplained(verify, db_get_int(stream->rows, stream->row, 4));
    verify_tell(
        verify,
        "transfer %u.%" PRId64 ".%" PRId64 " is in the ledger but follows from no fact: %.300s",
        verify->log, db_get_int(stream->rows, stream->row, 0),
        db_get_int(stream->rows, stream->row, 1), db_get_text(stream->rows, stream->row, 3));
    return stream_next(verify, &verify->transfers);
}

// Whether two lines agree in kind, state, hold, currency and accounts: columns 3 to 8.
static bool
same_sides(const char *a, const char *b)
{
    for (int column = 1; column <= 8; column++) {
        size_t len_a = strcspn(a, "|"), len_b = strcspn(b, "|");
        if (column >= 3 && (len_a != len_b || memcmp(a, b, len_a) != 0)) return false;
        a += len_a + (a[len_a] != 0);
        b += len_b + (b[len_b] != 0);
    }
    return true;
}

static bool
is_gone(const struct verify *verify, const char *period)
{
    for (size_t i = 0; i < verify->gone_count; i++) {
        if (strcmp(verify->gone[i].period, period) == 0) return true;
    }
    return false;
}

static enum status
compare_transfer(struct verify *verify, const struct transfer *expected)
{
    struct verify_stream *stream = &verify->transfers;
    char line[VERIFY_LINE];
    enum status status = STATUS_OK;
    int where = stands(stream, expected->batch, expected->index, expected->leg);
    while (where < 0 && status == STATUS_OK) {
        status = extra_transfer(verify);
        if (status == STATUS_OK) {
            where = stands(stream, expected->batch, expected->index, expected->leg);
        }
    }
    if (status != STATUS_OK) return status;
    verify_line_transfer(expected, line);
    if (where > 0 && is_gone(verify, expected->period)) {
        verify->away++;
        return STATUS_OK;
    }
    if (where > 0) {
        verify->transfer_faults++;
        verify_unexplained(verify, expected->amount.micros);
        verify_tell(verify, "transfer %u.%" PRIu64 ".%u is missing in the ledger: %.300s",
                    verify->log, expected->batch, expected->index, line);
        return STATUS_OK;
    }
    verify->compared++;
    const char *found = db_get_text(stream->rows, stream->row, 3);
    if (strcmp(line, found) != 0) {
        int64_t amount = db_get_int(stream->rows, stream->row, 4);
        bool same = same_sides(line, found);
        verify->transfer_faults++;
        verify_unexplained(verify, same ? amount - expected->amount.micros : amount);
        if (!same) verify_unexplained(verify, expected->amount.micros);
        verify_tell(verify,
                    "transfer %u.%" PRIu64 ".%u differs: ledger %.160s; journal gives %.160s",
                    verify->log, expected->batch, expected->index, found, line);
    }
    return stream_next(verify, stream);
}

// --- Facts and frames --------------------------------------------------------------------------

static enum status
extra_fact(struct verify *verify)
{
    const struct verify_stream *stream = &verify->facts;
    verify->fact_faults++;
    verify_tell(
        verify, "fact %u.%" PRId64 ".%" PRId64 " is in the ledger but not in the journal: %.300s",
        verify->log, db_get_int(stream->rows, stream->row, 0),
        db_get_int(stream->rows, stream->row, 1), db_get_text(stream->rows, stream->row, 2));
    return stream_next(verify, &verify->facts);
}

static enum status
compare_fact(struct verify *verify, const struct land_row *expected)
{
    struct verify_stream *stream = &verify->facts;
    char line[VERIFY_LINE];
    enum status status = STATUS_OK;
    if (land_entries(expected->fact) == 0) return STATUS_OK;  // it has no row
    int where = stands(stream, expected->source.batch, expected->source.index, -1);
    while (where < 0 && status == STATUS_OK) {
        status = extra_fact(verify);
        if (status == STATUS_OK) {
            where = stands(stream, expected->source.batch, expected->source.index, -1);
        }
    }
    if (status != STATUS_OK) return status;
    verify_line_fact(expected, line);
    if (where > 0) {
        verify->fact_faults++;
        verify_tell(verify, "fact %u.%" PRIu64 ".%u is missing in the ledger: %.300s", verify->log,
                    expected->source.batch, expected->source.index, line);
        return STATUS_OK;
    }
    const char *found = db_get_text(stream->rows, stream->row, 2);
    if (strcmp(line, found) != 0) {
        verify->fact_faults++;
        verify_tell(verify, "fact %u.%" PRIu64 ".%u differs: ledger %.160s; journal gives %.160s",
                    verify->log, expected->source.batch, expected->source.index, found, line);
    }
    return stream_next(verify, stream);
}

static bool
digest_is(const struct db_rows *rows, size_t row, size_t column, const struct digest *digest)
{
    return db_get_len(rows, row, column) == sizeof digest->bytes &&
           memcmp(db_get_bytes(rows, row, column), digest->bytes, sizeof digest->bytes) == 0;
}

// The frame beside its row: batch, previous, digest, facts, fenced_until_us, epoch, at_us, turn.
static enum status
compare_frame(struct verify *verify, const struct journal_frame *frame)
{
    struct verify_stream *stream = &verify->frames;
    while (!stream->ended &&
           db_get_int(stream->rows, stream->row, 0) < (int64_t)frame->position.batch) {
        verify->chain_faults++;
        verify_tell(verify, "frame %" PRId64 " is in the ledger but not in the journal",
                    db_get_int(stream->rows, stream->row, 0));
        enum status status = stream_next(verify, stream);
        if (status != STATUS_OK) return status;
    }
    if (stream->ended ||
        db_get_int(stream->rows, stream->row, 0) != (int64_t)frame->position.batch) {
        verify->chain_faults++;
        verify_tell(verify, "frame %" PRIu64 " is missing in the ledger", frame->position.batch);
        return STATUS_OK;
    }
    usec fenced = db_get_time(stream->rows, stream->row, 4);
    if (!digest_is(stream->rows, stream->row, 1, &frame->previous) ||
        !digest_is(stream->rows, stream->row, 2, &frame->position.digest) ||
        db_get_int(stream->rows, stream->row, 3) != (int64_t)frame->count ||
        db_get_int(stream->rows, stream->row, 5) != (int64_t)frame->position.epoch ||
        db_get_time(stream->rows, stream->row, 6).us != frame->at.us ||
        fenced.us < verify->fenced_until.us) {
        verify->chain_faults++;
        verify_tell(verify, "frame %" PRIu64 " is not the one that was booked",
                    frame->position.batch);
    }
    verify->fenced_until = fenced;
    replay_turned(verify->replay, (uint64_t)db_get_int(stream->rows, stream->row, 7));
    return stream_next(verify, stream);
}

// --- How orders are divided --------------------------------------------------------------------

static enum status
extra_credit(struct verify *verify)
{
    const struct verify_stream *stream = &verify->credits;
    verify->fact_faults++;
    verify_tell(verify,
                "parts of orders are in the ledger that follow from no fact, at %u.%" PRId64
                ".%" PRId64 ": %.250s",
                verify->log, db_get_int(stream->rows, stream->row, 0),
                db_get_int(stream->rows, stream->row, 1),
                db_get_text(stream->rows, stream->row, 2));
    return stream_next(verify, &verify->credits);
}

static enum status
compare_credit(struct verify *verify, const struct land_row *expected)
{
    struct verify_stream *stream = &verify->credits;
    enum status status = STATUS_OK;
    if (land_parts(expected) == 0) return STATUS_OK;
    int where = stands(stream, expected->source.batch, expected->source.index, -1);
    while (where < 0 && status == STATUS_OK) {
        status = extra_credit(verify);
        if (status == STATUS_OK) {
            where = stands(stream, expected->source.batch, expected->source.index, -1);
        }
    }
    if (status != STATUS_OK) return status;
    char *line = verify_line_credit(expected);
    const char *found = where > 0 ? "" : db_get_text(stream->rows, stream->row, 2);
    if (strcmp(line, found) != 0) {
        verify->fact_faults++;
        verify_tell(verify,
                    "parts of orders of fact %u.%" PRIu64 ".%u differ: ledger %.140s; journal "
                    "gives %.140s",
                    verify->log, expected->source.batch, expected->source.index, found, line);
    }
    free(line);
    return where > 0 ? STATUS_OK : stream_next(verify, stream);
}

// --- All facts ---------------------------------------------------------------------------------

static int
by_leg(const void *left, const void *right)
{
    const struct transfer *a = left, *b = right;
    return (a->leg > b->leg) - (a->leg < b->leg);
}

// All transfers of a fact, in the order of their legs, as they are stored.
static size_t
expect(struct verify *verify, const struct posting *posting, const struct replay_said *said)
{
    size_t count = posting->count + said->more_count;
    if (count > verify->expected_room) {
        verify->expected_room = 2 * count;
        verify->expected = realloc(verify->expected,
                                   verify->expected_room * sizeof *verify->expected);
        CHECK(verify->expected);
    }
    if (posting->count) {
        memcpy(verify->expected, posting->transfers, posting->count * sizeof *verify->expected);
    }
    if (said->more_count) {
        memcpy(verify->expected + posting->count, said->more,
               said->more_count * sizeof *verify->expected);
    }
    if (count > 1) qsort(verify->expected, count, sizeof *verify->expected, by_leg);
    for (size_t i = 0; i < count; i++) {
        struct transfer *one = &verify->expected[i];
        struct period period;
        period_of(one->effective, verify->fenced_until, &period);
        memcpy(one->period, period.name, sizeof one->period);
        one->late = one->effective.us < verify->fenced_until.us;
    }
    return count;
}

// Transfers from before origins were kept.
static void
forget_origins(struct posting *posting)
{
    for (unsigned i = 0; i < posting->count; i++) {
        memset(&posting->transfers[i].origin, 0, sizeof posting->transfers[i].origin);
    }
}

static enum status
post_again(struct verify *verify, const struct fact *fact, struct posting_source source)
{
    struct posting posting;
    struct land_row row = {.fact = fact, .source = source};
    struct replay_said said;
    struct period period;
    const struct verify_stream *facts = &verify->facts;
    if (fact->kind == FACT_CONVERTED && stands(facts, source.batch, source.index, -1) == 0 &&
        !db_is_null(facts->rows, facts->row, 3)) {
        replay_landed(verify->replay, db_get_money(facts->rows, facts->row, 3));
    }
    enum status status = replay_fact(verify->replay, verify->db, fact, source, &posting, &said);
    if (status != STATUS_OK) return cannot(verify, status, "posting", replay_fault(verify->replay));
    period_of(posting.effective, verify->fenced_until, &period);
    land_fill(&row, &posting, &said);
    if (source.batch <= verify->before) forget_origins(&posting);
    memcpy(row.period, period.name, sizeof row.period);
    verify->orphans += posting.state == POSTING_ORPHAN;
    status = compare_fact(verify, &row);
    if (status == STATUS_OK) status = compare_credit(verify, &row);
    size_t count = expect(verify, &posting, &said);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = compare_transfer(verify, &verify->expected[i]);
    }
    return status;
}

static void
reprice(struct verify *verify, const struct journal_frame *frame, uint32_t at)
{
    char text[VERIFY_ROUND_TEXT];
    bool repriced;
    if (frame->facts[at].kind != FACT_CONTACT) return;
    bool agrees = verify_round(&frame->facts[at], frame->count - at, &repriced, text);
    verify->out->rounds += repriced;
    if (agrees) return;
    verify->round_faults++;
    verify_tell(verify, "round %u.%" PRIu64 ".%u: %s", verify->log, frame->position.batch, at,
                text);
}

static enum status
walk(struct verify *verify)
{
    struct journal_position last = {.log = verify->log};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && last.batch < verify->watermark.batch) {
        struct journal_frame frame;
        struct journal_fault fault = {""};
        status = journal_read(verify->reader, &frame, &fault);
        if (status != STATUS_OK) {
            return cannot(verify, status == STATUS_AGAIN ? STATUS_GAP : status,
                          "reading the journal up to the watermark",
                          fault.text[0] ? fault.text : "it ends before");
        }
        last = frame.position;
        verify->out->frames++;
        verify->out->facts += frame.count;
        status = compare_frame(verify, &frame);
        replay_fence(verify->replay, verify->log, verify->fenced_until);
        for (uint32_t i = 0; status == STATUS_OK && i < frame.count; i++) {
            reprice(verify, &frame, i);
            status = post_again(verify, &frame.facts[i],
                                (struct posting_source){verify->log, last.batch, i});
        }
    }
    while (status == STATUS_OK && !verify->frames.ended) {
        verify->chain_faults++;
        verify_tell(verify, "frame %" PRId64 " is in the ledger but behind the watermark",
                    db_get_int(verify->frames.rows, verify->frames.row, 0));
        status = stream_next(verify, &verify->frames);
    }
    while (status == STATUS_OK && !verify->facts.ended) status = extra_fact(verify);
    while (status == STATUS_OK && !verify->credits.ended) status = extra_credit(verify);
    while (status == STATUS_OK && !verify->transfers.ended) status = extra_transfer(verify);
    if (status == STATUS_OK && last.batch && !digest_same(last.digest, verify->watermark.digest)) {
        verify->chain_faults++;
        verify_tell(verify, "the watermark's digest is not that of frame %" PRIu64, last.batch);
    }
    return status;
}

// --- All together ------------------------------------------------------------------------------

static enum status
read_watermark(struct verify *verify)
{
    const struct db_param params[] = {db_int4((int32_t)verify->log)};
    struct db_rows *rows = NULL;
    enum status status = db_query(verify->db, "select batch, digest from watermark where log = $1",
                                  params, 1, &rows);
    if (status != STATUS_OK) return verify_database_said(verify, status, "reading the watermark");
    if (db_count(rows)) {
        verify->watermark.batch = (uint64_t)db_get_int(rows, 0, 0);
        CHECK(db_get_len(rows, 0, 1) == sizeof verify->watermark.digest.bytes);
        memcpy(verify->watermark.digest.bytes, db_get_bytes(rows, 0, 1),
               sizeof verify->watermark.digest.bytes);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

static enum status
open_all(struct verify *verify, const char *directory)
{
    struct journal_fault fault = {""};
    char journal[600];
    const struct journal_position start = {.log = verify->log};
    enum status status = db_begin(verify->db);
    if (status == STATUS_OK) {
        status = db_script(verify->db, "set transaction isolation level repeatable read;"
                                       "set local statement_timeout = 0");
    }
    if (status != STATUS_OK) return verify_database_said(verify, status, "beginning");
    status = read_watermark(verify);
    if (status == STATUS_OK) status = verify_read_before(verify);
    if (status == STATUS_OK) {
        status = stream_open(verify, &verify->frames, "frames",
                             "select batch, previous, digest, facts, fenced_until_us, epoch, "
                             "at_us, turn "
                             "from frame "
                             "where log = $1 order by batch");
    }
    if (status == STATUS_OK) {
        status = stream_open(verify, &verify->facts, "facts", verify_line_facts);
    }
    if (status == STATUS_OK) {
        status = stream_open(verify, &verify->transfers, "transfers", verify_line_transfers);
    }
    if (status == STATUS_OK) {
        status = stream_open(verify, &verify->credits, "credits", verify_line_credits);
    }
    if (status == STATUS_OK) status = verify_read_gone(verify);
    replay_fence(verify->replay, verify->log, verify->fenced_until);
    if (status == STATUS_OK && replay_whole(verify->replay, verify->db) != STATUS_OK) {
        return cannot(verify, STATUS_IO, "posting", replay_fault(verify->replay));
    }
    if (status != STATUS_OK || verify->watermark.batch == 0) return status;
    snprintf(journal, sizeof journal, "%s/journal", directory);
    status = journal_reader_open(journal, &start, &verify->reader, &fault);
    if (status == STATUS_OK) return STATUS_OK;
    verify->reader = NULL;
    return cannot(verify, status, "opening the journal",
                  fault.text[0] ? fault.text : status_text(status));
}

static void
conclude_walk(struct verify *verify)
{
    const struct verify_report *out = verify->out;
    verify_conclude(verify, VERIFY_CHAIN, "chain", verify->chain_faults == 0,
                    "%" PRIu64 " frames up to batch %" PRIu64 ", %" PRIu64 " differ", out->frames,
                    verify->watermark.batch, verify->chain_faults);
    verify_conclude(verify, VERIFY_FACTS, "facts", verify->fact_faults == 0,
                    "%" PRIu64 " facts, %" PRIu64 " differ", out->facts, verify->fact_faults);
    verify_conclude(verify, VERIFY_ROUNDS, "rounds", verify->round_faults == 0,
                    "%" PRIu64 " rounds re-priced from their records, %" PRIu64 " contacts differ",
                    out->rounds, verify->round_faults);
    verify_conclude(verify, VERIFY_TRANSFERS, "transfers", verify->transfer_faults == 0,
                    "%" PRIu64 " transfers follow from facts, %" PRIu64 " differ, %" PRIu64
                    " in periods that were taken away",
                    verify->compared, verify->transfer_faults, verify->away);
    verify_conclude(verify, VERIFY_ORPHANS, "orphans", verify->orphans == 0,
                    "%" PRIu64 " facts name a placement or an order that is not known",
                    verify->orphans);
}

enum status
verify_run(struct db *db, const char *directory, uint32_t log, struct verify_report *out_report)
{
    struct verify verify = {.db = db, .log = log, .out = out_report};
    memset(out_report, 0, sizeof *out_report);
    out_report->ok = true;
    verify.replay = replay_open();
    enum status status = open_all(&verify, directory);
    if (status == STATUS_OK) status = walk(&verify);
    if (status == STATUS_OK) status = verify_bases(&verify);
    if (status == STATUS_OK) status = verify_keys(&verify);
    if (status == STATUS_OK) {
        conclude_walk(&verify);
        status = verify_balance(&verify);
    }
    if (status == STATUS_OK) status = verify_holds(&verify);
    if (status == STATUS_OK) status = verify_acts(&verify);
    out_report->away = verify.away;
    out_report->unexplained_micros = verify.unexplained > INT64_MAX ? INT64_MAX
                                                                    : (int64_t)verify.unexplained;
    out_report->ok = out_report->ok && status == STATUS_OK && verify.unexplained == 0;
    db_rows_free(verify.frames.rows);
    db_rows_free(verify.facts.rows);
    db_rows_free(verify.transfers.rows);
    db_rows_free(verify.credits.rows);
    free(verify.gone);
    free(verify.expected);
    db_rollback(db);
    journal_reader_close(verify.reader);
    replay_close(verify.replay);
    return status;
}
