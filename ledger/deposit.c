// Deposits of prepaid seats.
//
//  1 A deposit's id is derived from seat and reference, and (seat, reference) is a primary key:
//    paying in twice under one reference books once.
//  2 It is an act (act.h): it belongs to a period that is open, and of two sessions with the same
//    reference the second one finds what the first has booked.
#include "deposit.h"

#include <stdio.h>
#include <string.h>

#include "act.h"
#include "transfer.h"

static enum status
read_seat(struct db *db, struct deposit *deposit, uint32_t *out_seat)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(deposit->seat)};
    enum status status = db_query(db,
                                  "select s.id, s.kind, m.currency from seat s"
                                  " cross join market_now m where s.code = $1 and not s.removed",
                                  params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK && strcmp(db_get_text(rows, 0, 1), "partner") != 0)
        status = STATUS_DENIED;
    if (status == STATUS_OK) {
        *out_seat = (uint32_t)db_get_int(rows, 0, 0);
        status = currency_parse(db_get_text(rows, 0, 2), db_get_len(rows, 0, 2),
                                &deposit->currency);
    }
    db_rows_free(rows);
    return status;
}

// The deposit of this reference, if it was booked before. STATUS_OK: it was not.
static enum status
read_earlier(struct db *db, uint32_t seat, struct deposit *deposit)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4((int32_t)seat), db_text(deposit->reference)};
    enum status status = db_query(db,
                                  "select currency, amount_micros, period from deposit"
                                  " where seat = $1 and reference = $2",
                                  params, 2, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) {
        bool same = db_get_int(rows, 0, 1) == deposit->amount.micros &&
                    strcmp(db_get_text(rows, 0, 0), deposit->currency.code) == 0;
        snprintf(deposit->period, sizeof deposit->period, "%s", db_get_text(rows, 0, 2));
        deposit->amount = db_get_money(rows, 0, 1);
        status = same ? STATUS_EXISTS : STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}

static struct transfer
transfer_of(uint32_t seat, const struct deposit *deposit, usec now)
{
    struct {
        uint32_t seat;
        char reference[BOUND_KEY];
    } of = {.seat = seat};
    memcpy(of.reference, deposit->reference, strlen(deposit->reference));
    struct transfer one = {
        .id = hash_id("deposit", &of, sizeof of),
        .kind = TRANSFER_DEPOSIT,
        .state = TRANSFER_POSTED,
        .debit = {.code = ACCOUNT_BANK},
        .credit = {.code = ACCOUNT_PREPAID, .seat = seat},
        .currency = deposit->currency,
        .amount = deposit->amount,
        .effective = now,
        .seat = seat,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
    };
    one.group = one.id;
    memcpy(one.reference, deposit->reference, sizeof one.reference);
    return one;
}

static enum status
book(struct db *db, uint32_t seat, usec now, struct act *act, struct deposit *deposit)
{
    struct transfer one = transfer_of(seat, deposit, now);
    struct period period;
    period_of(now, act_fenced_until(act), &period);
    memcpy(deposit->period, period.name, sizeof deposit->period);
    act_note(act, "seat", deposit->seat);
    act_note_money(act, "amount", deposit->amount, deposit->currency);
    act_note(act, "reference", deposit->reference);
    act_transfer(act, &one);
    const struct db_param params[] = {
        db_int4((int32_t)seat),
        db_text(deposit->reference),
        db_text(deposit->currency.code),
        db_money(deposit->amount),
        db_id(one.id),
        db_text(deposit->period),
        db_time(now),
    };
    enum status status = db_run(db,
                                "insert into deposit (seat, reference, currency, amount_micros,"
                                " transfer_id, period, at_us) values ($1, $2, $3, $4, $5, $6, $7)",
                                params, 7, NULL);
    if (status == STATUS_OK) return act_end(act);
    act_abandon(act);
    return status;
}

static enum status
read_balance(struct db *db, uint32_t seat, struct deposit *deposit)
{
    static const char sql[] =
        "select coalesce(-(select sum(micros) from entry where currency = $1 and account = $2), 0)"
        "  ::bigint,"
        " coalesce((select sum(amount_micros) from hold where currency = $1 and debit = $2), 0)"
        "  ::bigint";
    struct account account = {.code = ACCOUNT_PREPAID, .seat = seat};
    const struct db_param params[] = {db_text(deposit->currency.code),
                                      db_int8(account_number(account))};
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, params, 2, &rows);
    if (status == STATUS_OK) {
        deposit->balance = db_get_money(rows, 0, 0);
        deposit->held = db_get_money(rows, 0, 1);
    }
    db_rows_free(rows);
    return status;
}

static enum status
attempt(struct db *db, const char *author, usec now, struct deposit *deposit)
{
    uint32_t seat = 0;
    struct act *act = NULL;
    bool earlier = false;
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = read_seat(db, deposit, &seat);
    if (status == STATUS_OK) status = act_begin(db, "deposit", author, "", now, &act);
    if (status == STATUS_OK) status = read_earlier(db, seat, deposit);
    if (status == STATUS_EXISTS) {
        earlier = true;
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        status = book(db, seat, now, act, deposit);
        act = NULL;
    }
    act_abandon(act);
    if (status == STATUS_OK) status = read_balance(db, seat, deposit);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    return status == STATUS_OK && earlier ? STATUS_EXISTS : status;
}

enum status
deposit_book(struct db *db, const char *seat, money amount, const char *reference,
             const char *author, usec now, struct deposit *out_deposit)
{
    memset(out_deposit, 0, sizeof *out_deposit);
    if (amount.micros <= 0 || amount.micros > BOUND_MICROS || reference[0] == '\0' ||
        strlen(reference) > BOUND_KEY)
        return STATUS_INPUT;
    if (strlen(seat) > BOUND_CODE) return STATUS_NOT_FOUND;
    enum status status = STATUS_AGAIN;
    for (int turn = 0; turn < 5 && status == STATUS_AGAIN; turn++) {
        snprintf(out_deposit->seat, sizeof out_deposit->seat, "%s", seat);
        snprintf(out_deposit->reference, sizeof out_deposit->reference, "%s", reference);
        out_deposit->amount = amount;
        status = attempt(db, author, now, out_deposit);
    }
    return status;
}
