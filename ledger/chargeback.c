// Chargebacks.
//
//  1 One is known by partner and the bank's reference: the same again books nothing.
//  2 Open: Dr 1130 / Cr 1000 the amount; the fee Dr 5210 / Cr 1000, charged again Dr 1120 / Cr
//    4300. Won: Dr 1000 / Cr 1130. Lost: Dr 5200 / Cr 1130. All of one chargeback are one group.
//  3 No more is taken back than was ever paid in, less what was taken back before and not won.
#include "chargeback.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "fail.h"
#include "house.h"

struct deed {
    struct db *db;
    usec now;
    struct act *act;
    char *fault;
    uint32_t seat;
    struct house house;
};

static enum status
begin(struct deed *deed, const char *author)
{
    deed->fault[0] = '\0';
    enum status status = db_begin(deed->db);
    if (status == STATUS_OK)
        status = act_begin(deed->db, "chargeback", author, "", deed->now, &deed->act);
    if (status == STATUS_INPUT)
        house_fault(deed->fault, status, "--by is a name of 1 to %d bytes", ACT_PERSON);
    return status;
}

static enum status
conclude(struct deed *deed, enum status status)
{
    if (status == STATUS_OK) {
        status = act_end(deed->act);
        deed->act = NULL;
    }
    act_abandon(deed->act);
    deed->act = NULL;
    if (status == STATUS_OK) status = db_commit(deed->db);
    if (status != STATUS_OK) db_rollback(deed->db);
    return status;
}

static void
book(struct deed *deed, const struct chargeback *of, uint16_t debit, uint16_t credit, money amount,
     const char *reason, const char *reference)
{
    struct {
        uint64_t number, act, index;
    } key = {of->number, act_number(deed->act), act_transfers(deed->act)};
    struct transfer one = {
        .id = hash_id("chargeback", &key, sizeof key),
        .group = hash_id("chargeback", &of->number, sizeof of->number),
        .leg = (uint8_t)act_transfers(deed->act),
        .kind = TRANSFER_CHARGEBACK,
        .state = TRANSFER_POSTED,
        .debit = {.code = debit},
        .credit = {.code = credit},
        .currency = of->currency,
        .amount = amount,
        .effective = deed->now,
        .seat = deed->seat,
        .rung = -1,
        .won_rung = -1,
        .reason = reason,
    };
    if (debit == ACCOUNT_DISPUTED || debit == ACCOUNT_BILLED) one.debit.seat = deed->seat;
    if (credit == ACCOUNT_DISPUTED) one.credit.seat = deed->seat;
    snprintf(one.reference, sizeof one.reference, "%s", reference);
    act_transfer(deed->act, &one);
}

// Rule 1. STATUS_OK: it is new.
static enum status
find_earlier(struct deed *deed, const struct chargeback_ask *ask, struct chargeback *out)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4((int32_t)deed->seat), db_text(ask->reference)};
    enum status status = db_query(deed->db,
                                  "select number, amount_micros, deadline_us from dispute"
                                  " where kind = 'chargeback' and seat = $1 and reference = $2",
                                  params, 2, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        char amount[HOUSE_AMOUNT];
        out->number = (uint64_t)db_get_int(rows, 0, 0);
        out->amount = db_get_money(rows, 0, 1);
        out->deadline = db_get_time(rows, 0, 2);
        bool same = out->amount.micros == ask->amount.micros;
        status = same ? STATUS_EXISTS
                      : house_fault(deed->fault, STATUS_DENIED,
                                    "reference %s of %s was booked with %s; nothing is booked now."
                                    " Another chargeback needs its own reference",
                                    ask->reference, ask->seat,
                                    house_amount(out->amount, out->currency, amount));
    }
    db_rows_free(rows);
    return status;
}

// Rule 3.
static enum status
may_open(struct deed *deed, const struct chargeback_ask *ask)
{
    static const char sql[] =
        "select ((select coalesce(sum(micros), 0) from fold where state = 'posted'"
        "  and currency = $1 and debit = $2 and credit in ($3, $4))"
        " - (select coalesce(sum(amount_micros), 0) from dispute_now where kind = 'chargeback'"
        "  and seat = $5 and currency = $1 and state <> 'won'))::bigint";
    struct account bank = {.code = ACCOUNT_BANK};
    struct account billed = {.code = ACCOUNT_BILLED, .seat = deed->seat};
    struct account prepaid = {.code = ACCOUNT_PREPAID, .seat = deed->seat};
    struct db_rows *rows = NULL;
    const struct db_param params[] = {
        db_text(deed->house.currency.code), db_int8(account_number(bank)),
        db_int8(account_number(billed)), db_int8(account_number(prepaid)),
        db_int4((int32_t)deed->seat)};
    enum status status = db_query(deed->db, sql, params, 5, &rows);
    if (status == STATUS_OK && db_get_money(rows, 0, 0).micros < ask->amount.micros) {
        char paid[HOUSE_AMOUNT], asked[HOUSE_AMOUNT];
        status = house_fault(deed->fault, STATUS_DENIED,
                             "%s has paid in %s that was not taken back, less than %s; book what"
                             " came in first: slotctl bank, or slotctl deposit",
                             ask->seat,
                             house_amount(db_get_money(rows, 0, 0), deed->house.currency, paid),
                             house_amount(ask->amount, deed->house.currency, asked));
    }
    db_rows_free(rows);
    return status;
}

static enum status
check(struct deed *deed, const struct chargeback_ask *ask)
{
    int64_t cent = period_cent(deed->house.currency);
    if (ask->amount.micros <= 0 || ask->amount.micros % cent != 0 || ask->fee.micros < 0 ||
        ask->fee.micros % cent != 0)
        return house_fault(deed->fault, STATUS_INPUT,
                           "the bank takes whole cents; write the amounts as 12.50");
    if (!ask->reference || !*ask->reference || strlen(ask->reference) > BOUND_KEY)
        return house_fault(deed->fault, STATUS_INPUT,
                           "--reference is needed: the bank's, 1 to %d bytes", BOUND_KEY);
    return STATUS_OK;
}

static enum status
insert(struct deed *deed, const struct chargeback_ask *ask, struct chargeback *out)
{
    out->number = act_number(deed->act);
    out->amount = ask->amount;
    out->deadline.us = deed->now.us + (int64_t)deed->house.dispute_days * USEC_DAY;
    const struct db_param params[] = {
        db_int8((int64_t)out->number),
        db_int4((int32_t)deed->seat),
        db_text(out->currency.code),
        db_text(ask->reference),
        db_text(ask->evidence),
        db_money(ask->amount),
        db_time(deed->now),
        db_time(out->deadline),
    };
    act_note(deed->act, "open", ask->seat);
    act_note_money(deed->act, "amount", ask->amount, out->currency);
    act_note_money(deed->act, "fee", ask->fee, out->currency);
    act_note(deed->act, "reference", ask->reference);
    act_note(deed->act, "evidence", ask->evidence);
    book(deed, out, ACCOUNT_DISPUTED, ACCOUNT_BANK, ask->amount, "chargeback", ask->reference);
    if (ask->fee.micros > 0) {
        book(deed, out, ACCOUNT_CHARGEBACK_FEE, ACCOUNT_BANK, ask->fee, "fee", ask->reference);
        book(deed, out, ACCOUNT_BILLED, ACCOUNT_FEES, ask->fee, "fee", ask->reference);
    }
    return db_run(deed->db,
                  "insert into dispute (number, kind, seat, currency, order_id, reference, reason,"
                  " evidence, amount_micros, opened_us, deadline_us)"
                  " values ($1, 'chargeback', $2, $3, null, $4, 'chargeback', $5, $6, $7, $8)",
                  params, 8, NULL);
}

enum status
chargeback_open(struct db *db, const struct chargeback_ask *ask, usec now, struct chargeback *out,
                char fault[CHARGEBACK_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    bool partner = false;
    memset(out, 0, sizeof *out);
    enum status status = house_words("chargeback", ask->evidence, ask->author, fault);
    if (status != STATUS_OK) return status;
    status = begin(&deed, ask->author);
    if (status == STATUS_OK) status = house_read(db, &deed.house, fault);
    if (status == STATUS_OK) status = house_seat(db, ask->seat, &deed.seat, &partner, fault);
    if (status == STATUS_OK && !partner)
        status = house_fault(fault, STATUS_DENIED, "%s is a department: it pays nothing in",
                             ask->seat);
    if (status == STATUS_OK) status = check(&deed, ask);
    if (status == STATUS_OK) {
        out->currency = deed.house.currency;
        snprintf(out->seat, sizeof out->seat, "%s", ask->seat);
        status = find_earlier(&deed, ask, out);
    }
    if (status == STATUS_OK) status = may_open(&deed, ask);
    if (status == STATUS_OK) status = insert(&deed, ask, out);
    return conclude(&deed, status);
}

// Reads it; only an open one may end.
static enum status
read_open(struct deed *deed, struct chargeback *out, char reference[BOUND_KEY + 1])
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8((int64_t)out->number)};
    enum status status = db_query(deed->db,
                                  "select d.seat, coalesce(s.code, d.seat::text), d.currency,"
                                  " d.amount_micros, d.state, d.reference, d.kind"
                                  " from dispute_now d left join seat s on s.id = d.seat"
                                  " where d.number = $1",
                                  params, 1, &rows);
    if (status == STATUS_OK &&
        (db_count(rows) == 0 || strcmp(db_get_text(rows, 0, 6), "chargeback") != 0)) {
        status = house_fault(deed->fault, STATUS_NOT_FOUND,
                             "there is no chargeback %" PRIu64 "; slotctl dispute list",
                             out->number);
    } else if (status == STATUS_OK) {
        deed->seat = (uint32_t)db_get_int(rows, 0, 0);
        snprintf(out->seat, sizeof out->seat, "%s", db_get_text(rows, 0, 1));
        memcpy(out->currency.code, db_get_text(rows, 0, 2), 3);
        out->amount = db_get_money(rows, 0, 3);
        snprintf(reference, BOUND_KEY + 1, "%s", db_get_text(rows, 0, 5));
        if (strcmp(db_get_text(rows, 0, 4), "open") != 0)
            status = house_fault(deed->fault, STATUS_EXISTS, "chargeback %" PRIu64 " was %s before",
                                 out->number, db_get_text(rows, 0, 4));
    }
    db_rows_free(rows);
    return status;
}

enum status
chargeback_end(struct db *db, uint64_t number, bool won, const char *author, usec now,
               struct chargeback *out, char fault[CHARGEBACK_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    char reference[BOUND_KEY + 1], text[24];
    memset(out, 0, sizeof *out);
    out->number = number;
    enum status status = begin(&deed, author);
    if (status == STATUS_OK) status = read_open(&deed, out, reference);
    if (status == STATUS_OK) {
        snprintf(text, sizeof text, "%" PRIu64, number);
        act_note(deed.act, won ? "won" : "lost", text);
        book(&deed, out, won ? ACCOUNT_BANK : ACCOUNT_BAD_DEBT, ACCOUNT_DISPUTED, out->amount,
             won ? "won" : "lost", reference);
        const struct db_param params[] = {
            db_int8((int64_t)number),
            db_text(won ? "won" : "lost"),
            db_time(now),
            db_int8((int64_t)act_number(deed.act)),
        };
        status = db_run(db,
                        "insert into dispute_end (number, outcome, at_us, act)"
                        " values ($1, $2, $3, $4)",
                        params, 4, NULL);
    }
    return conclude(&deed, status);
}
