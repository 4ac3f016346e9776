// Acts of finance and their chain.
//
//  1 Whoever begins an act holds the one row of act_gate until the transaction ends, so numbers are
//    1, 2, 3, ... and each act sees the digest of the one before it.
//  2 Then it holds row 1 of period_gate shared and reads the fence: no period can be fenced between
//    reading and booking.
//  3 Nothing of the act goes to the database before act_end; then its row and its transfers go in
//    together, in the caller's transaction. Other rows that the act's maker wrote by then are
//    lines of its body (act_rows.c).
//  4 A transfer's line in the digest is made from the struct when it is booked, and from the stored
//    row by the database when it is verified; both must give the same bytes. Columns: transfer_id,
//    group_id, leg, kind, state, pending_id, currency, debit, credit, amount_micros, effective_us,
//    posted_us, period, late, log, batch, idx, seat, contract, slot, message, placement_id,
//    objectives, rung, reason, origin_id, model, reference; '|' between them, a line end after the
//    last; ids with dashes, late as t or f, nothing for null. The reference, which people write,
//    stands last and holds no line end.
//  5 Verifying reads acts by number, as many at a time as hold ACTS_TRANSFERS transfers or fewer,
//    so memory is bounded by the largest single act.
#include "act.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act_rows.h"
#include "fail.h"

#define ACTS_AT_ONCE 256
#define ACTS_TRANSFERS 20000

struct act {
    struct db *db;
    const char *kind;
    char author[ACT_PERSON + 1], approver[ACT_PERSON + 1];
    usec now, fenced_until;
    uint64_t number;
    struct digest previous;
    FILE *notes;
    char *body;
    size_t body_len;
    struct transfer *transfers;
    size_t count, room;
};

static void
put_hex(FILE *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) fprintf(out, "%02x", bytes[i]);
}

// --- Making one ----------------------------------------------------------------------------------

// A name that a line of the digest can hold.
static bool
person_fits(const char *name)
{
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return false;
    }
    return strlen(name) <= ACT_PERSON;
}

enum status
act_head(struct db *db, struct act_head *out_head)
{
    memset(out_head, 0, sizeof *out_head);
    struct db_rows *rows = NULL;
    enum status status = db_query(db, "select number, digest from act order by number desc limit 1",
                                  NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        out_head->number = (uint64_t)db_get_int(rows, 0, 0);
        if (db_get_len(rows, 0, 1) == sizeof out_head->digest.bytes)
            memcpy(out_head->digest.bytes, db_get_bytes(rows, 0, 1), sizeof out_head->digest.bytes);
        else status = STATUS_DAMAGED;
    }
    db_rows_free(rows);
    return status;
}

// Rules 1 and 2.
static enum status
take_turn(struct act *act)
{
    struct act_head head;
    struct db_rows *rows = NULL;
    enum status status = db_query(act->db, "select gate from act_gate where gate = 1 for update",
                                  NULL, 0, NULL);
    if (status == STATUS_OK)
        status = db_query(act->db, "select gate from period_gate where gate = 1 for share", NULL, 0,
                          NULL);
    if (status == STATUS_OK) status = act_head(act->db, &head);
    if (status == STATUS_OK) {
        act->number = head.number + 1;
        act->previous = head.digest;
        status = db_query(
            act->db, "select coalesce(max(until_us), 0)::bigint from period_event where step = 1",
            NULL, 0, &rows);
    }
    if (status == STATUS_OK) act->fenced_until = db_get_time(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

enum status
act_begin(struct db *db, const char *kind, const char *author, const char *approver, usec now,
          struct act **out_act)
{
    *out_act = NULL;
    if (!*author || !person_fits(author) || !person_fits(approver)) return STATUS_INPUT;
    struct act *act = calloc(1, sizeof *act);
    CHECK(act);
    act->db = db;
    act->kind = kind;
    act->now = now;
    snprintf(act->author, sizeof act->author, "%s", author);
    snprintf(act->approver, sizeof act->approver, "%s", approver);
    act->notes = open_memstream(&act->body, &act->body_len);
    CHECK(act->notes);
    enum status status = take_turn(act);
    if (status == STATUS_OK) *out_act = act;
    else act_abandon(act);
    return status;
}

uint64_t
act_number(const struct act *act)
{
    return act->number;
}

usec
act_at(const struct act *act)
{
    return act->now;
}

usec
act_fenced_until(const struct act *act)
{
    return act->fenced_until;
}

void
act_note(struct act *act, const char *key, const char *value)
{
    fprintf(act->notes, "%s ", key);
    for (const char *c = value; *c; c++) fputc(*c == '\n' || *c == '\r' ? ' ' : *c, act->notes);
    fputc('\n', act->notes);
}

void
act_note_money(struct act *act, const char *key, money amount, struct currency currency)
{
    char text[MONEY_TEXT];
    money_format(amount, 2, text);
    fprintf(act->notes, "%s %s %.3s\n", key, text, currency.code);
}

void
act_transfer(struct act *act, const struct transfer *transfer)
{
    CHECK(transfer->amount.micros > 0);
    if (act->count == act->room) {
        act->room = act->room ? 2 * act->room : 8;
        act->transfers = realloc(act->transfers, act->room * sizeof *act->transfers);
        CHECK(act->transfers);
    }
    struct transfer *one = &act->transfers[act->count];
    *one = *transfer;
    one->log = 0;
    one->batch = act->number;
    one->index = (uint32_t)act->count++;
    one->posted = act->now;
    if (!one->reason) one->reason = "";
    for (char *c = one->reference; *c; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    if (one->period[0]) return;
    struct period period;
    period_of(one->effective, act->fenced_until, &period);
    memcpy(one->period, period.name, sizeof one->period);
    one->late = one->effective.us < act->fenced_until.us;
}

size_t
act_transfers(const struct act *act)
{
    return act->count;
}

void
act_abandon(struct act *act)
{
    if (!act) return;
    if (act->notes) fclose(act->notes);
    free(act->body);
    free(act->transfers);
    free(act);
}

// --- The digest ----------------------------------------------------------------------------------

static void
put_id(FILE *out, struct id id)
{
    static const struct id zero;
    if (!id_same(id, zero)) {
        for (size_t i = 0; i < sizeof id.bytes; i++) {
            if (i == 4 || i == 6 || i == 8 || i == 10) fputc('-', out);
            fprintf(out, "%02x", id.bytes[i]);
        }
    }
    fputc('|', out);
}

static void
put_number(FILE *out, uint32_t number)
{
    if (number) fprintf(out, "%" PRIu32, number);
    fputc('|', out);
}

// Rule 4.
static void
put_transfer(FILE *out, const struct transfer *one)
{
    put_id(out, one->id);
    put_id(out, one->group);
    fprintf(out, "%u|%s|%s|", one->leg, transfer_kind_name((enum transfer_kind)one->kind),
            transfer_state_name((enum transfer_state)one->state));
    put_id(out, one->pending);
    fprintf(out, "%.3s|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%s|%c|",
            one->currency.code, account_number(one->debit), account_number(one->credit),
            one->amount.micros, one->effective.us, one->posted.us, one->period,
            one->late ? 't' : 'f');
    fprintf(out, "%" PRIu32 "|%" PRIu64 "|%" PRIu32 "|", one->log, one->batch, one->index);
    put_number(out, one->seat);
    put_number(out, one->contract);
    put_number(out, one->slot);
    put_number(out, one->message);
    put_id(out, one->placement);
    put_number(out, one->objectives);
    if (one->rung >= 0) fprintf(out, "%d", one->rung);
    fprintf(out, "|%s|", one->reason);
    put_id(out, one->origin);
    put_number(out, one->model);
    fprintf(out, "%s\n", one->reference);
}

// The same line of a stored row.
#define STORED_LINE                                                                              \
    "concat(transfer_id, '|', group_id, '|', leg, '|', kind, '|', state, '|', pending_id, '|',"  \
    " currency, '|', debit, '|', credit, '|', amount_micros, '|', effective_us, '|', posted_us," \
    " '|', period, '|', late, '|', log, '|', batch, '|', idx, '|', seat, '|', contract, '|',"    \
    " slot, '|', message, '|', placement_id, '|', objectives, '|', rung, '|', reason, '|',"      \
    " origin_id, '|', model, '|', reference)"

static void
put_act(FILE *out, uint64_t number, const char *kind, int64_t at_us, const char *author,
        const char *approver, const char *body)
{
    fprintf(out, "vendue act 1\n%" PRIu64 "\n%s\n%" PRId64 "\n%s\n%s\n%s", number, kind, at_us,
            author, approver, body);
}

static struct digest
digest_end(FILE *out, char **text, size_t *len, const struct digest *previous)
{
    put_hex(out, previous->bytes, sizeof previous->bytes);
    fputc('\n', out);
    CHECK(fclose(out) == 0);
    struct digest digest = hash_sha256(*text, *len);
    free(*text);
    *text = NULL;
    return digest;
}

static struct digest
digest_of(const struct act *act)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK(out);
    put_act(out, act->number, act->kind, act->now.us, act->author, act->approver, act->body);
    for (size_t i = 0; i < act->count; i++) put_transfer(out, &act->transfers[i]);
    return digest_end(out, &text, &len, &act->previous);
}

enum status
act_end(struct act *act)
{
    enum status status = act_rows_say(act->db, act->number, act->notes);
    CHECK(fclose(act->notes) == 0);
    act->notes = NULL;
    if (status != STATUS_OK) {
        act_abandon(act);
        return status;
    }
    struct digest digest = digest_of(act);
    const struct db_param params[] = {
        db_int8((int64_t)act->number),
        db_text(act->kind),
        db_text(act->author),
        db_text(act->approver),
        db_time(act->now),
        db_text(act->body),
        db_int4((int32_t)act->count),
        db_bytes(act->previous.bytes, sizeof act->previous.bytes),
        db_bytes(digest.bytes, sizeof digest.bytes),
    };
    status = db_run(act->db,
                    "insert into act (number, kind, author, approver, at_us, body,"
                    " transfers, previous, digest) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    params, 9, NULL);
    if (status == STATUS_OK) status = transfer_load(act->db, act->transfers, act->count);
    act_abandon(act);
    return status;
}

// --- Proving the chain ---------------------------------------------------------------------------

struct proof {
    struct db *db;
    struct act_head head;  // so far
    char *fault;
};

static enum status
faulty(struct proof *proof, uint64_t number, const char *what)
{
    snprintf(proof->fault, ACT_FAULT, "act %" PRIu64 " %s", number, what);
    return STATUS_CONFLICT;
}

// What is wrong with an act's transfers, which begin at lines[*at]: one that is of another act, or
// one too few or too many. Else puts them.
static enum status
prove_transfers(struct proof *proof, const struct db_rows *acts, size_t i,
                const struct db_rows *lines, size_t *at, FILE *out)
{
    int64_t number = db_get_int(acts, i, 0), want = db_get_int(acts, i, 6), found = 0;
    for (; *at < db_count(lines) && db_get_int(lines, *at, 0) == number; ++*at, found++) {
        if (db_get_int(lines, *at, 1) != found) {
            char what[160];
            snprintf(what, sizeof what,
                     "has no transfer of index %" PRId64 ", or two; next is %.40s", found,
                     db_get_text(lines, *at, 2));
            return faulty(proof, (uint64_t)number, what);
        }
        fprintf(out, "%s\n", db_get_text(lines, *at, 2));
    }
    if (found == want) return STATUS_OK;
    char what[160];
    snprintf(what, sizeof what, "made %" PRId64 " transfers; the ledger holds %" PRId64, want,
             found);
    return faulty(proof, (uint64_t)number, what);
}

static enum status
prove_one(struct proof *proof, const struct db_rows *acts, size_t i, const struct db_rows *lines,
          size_t *at)
{
    uint64_t number = (uint64_t)db_get_int(acts, i, 0);
    char *text = NULL;
    size_t len = 0, first = *at;
    if (number != proof->head.number + 1)
        return faulty(proof, proof->head.number + 1, "is missing: its number is not there");
    FILE *out = open_memstream(&text, &len);
    CHECK(out);
    put_act(out, number, db_get_text(acts, i, 1), db_get_int(acts, i, 4), db_get_text(acts, i, 2),
            db_get_text(acts, i, 3), db_get_text(acts, i, 5));
    enum status status = prove_transfers(proof, acts, i, lines, at, out);
    struct digest digest = digest_end(out, &text, &len, &proof->head.digest);
    if (status != STATUS_OK) return status;
    if (db_get_len(acts, i, 7) != sizeof digest.bytes ||
        memcmp(db_get_bytes(acts, i, 7), proof->head.digest.bytes, sizeof digest.bytes) != 0)
        return faulty(proof, number,
                      "does not follow the act before it: its previous digest is another");
    if (db_get_len(acts, i, 8) != sizeof digest.bytes ||
        memcmp(db_get_bytes(acts, i, 8), digest.bytes, sizeof digest.bytes) != 0) {
        char what[200];
        if (*at > first)
            snprintf(what, sizeof what,
                     "or one of its transfers (%.36s and the %zu after it) is not what was written",
                     db_get_text(lines, first, 2), *at - first - 1);
        else snprintf(what, sizeof what, "is not what was written");
        return faulty(proof, number, what);
    }
    proof->head = (struct act_head){number, digest};
    return STATUS_OK;
}

// How many of these acts may be looked at together, by rule 5; at least one.
static size_t
portion(const struct db_rows *acts)
{
    int64_t transfers = 0;
    size_t count = 0;
    while (count < db_count(acts)) {
        transfers += db_get_int(acts, count, 6);
        if (count > 0 && transfers > ACTS_TRANSFERS) break;
        count++;
    }
    return count;
}

static enum status
prove_portion(struct proof *proof, size_t *out_count)
{
    static const char acts_sql[] =
        "select number, kind, author, approver, at_us, body, transfers, previous, digest from act"
        " where number > $1 order by number limit $2";
    static const char lines_sql[] = "select batch, idx, " STORED_LINE
                                    " from transfer_kept where log = 0 and batch > $1"
                                    " and batch <= $2 order by batch, idx";
    struct db_rows *acts = NULL, *lines = NULL;
    const struct db_param from[] = {db_int8((int64_t)proof->head.number), db_int8(ACTS_AT_ONCE)};
    size_t count = 0, at = 0;
    enum status status = db_query(proof->db, acts_sql, from, 2, &acts);
    if (status == STATUS_OK) count = portion(acts);
    if (status == STATUS_OK && count > 0) {
        const struct db_param range[] = {from[0], db_int8(db_get_int(acts, count - 1, 0))};
        status = db_query(proof->db, lines_sql, range, 2, &lines);
    }
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = prove_one(proof, acts, i, lines, &at);
    if (status == STATUS_OK && lines && at < db_count(lines))
        status = faulty(proof, (uint64_t)db_get_int(lines, at, 0),
                        "is not there, but a transfer names it");
    db_rows_free(lines);
    db_rows_free(acts);
    *out_count = count;
    return status;
}

// Transfers that name an act after the last one.
static enum status
prove_end(struct proof *proof)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8((int64_t)proof->head.number)};
    enum status status = db_query(proof->db,
                                  "select batch from transfer_kept where log = 0 and batch > $1"
                                  " order by batch limit 1",
                                  params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0)
        status = faulty(proof, (uint64_t)db_get_int(rows, 0, 0),
                        "is not there, but a transfer names it");
    db_rows_free(rows);
    return status;
}

enum status
act_verify(struct db *db, struct act_head *out_head, char out_fault[ACT_FAULT])
{
    struct proof proof = {.db = db, .fault = out_fault};
    out_fault[0] = '\0';
    size_t count = 0;
    enum status status;
    do {
        status = prove_portion(&proof, &count);
    } while (status == STATUS_OK && count > 0);
    if (status == STATUS_OK) status = prove_end(&proof);
    if (status == STATUS_OK) status = act_rows_verify(db, out_fault);
    *out_head = proof.head;
    return status;
}
