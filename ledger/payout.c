// Payout runs.
//
//  1 A run is one act: under the row that acts take turns by, so nothing moves payable money
//    between reading it and booking; transfers, rows and the file are one transaction.
//  2 What may be paid for a period is what was credited to 2110 by its end, less all that was ever
//    debited: so what locked since waits for its own period, and what was refunded, held or paid
//    since is not paid again.
//  3 Before anything is paid, what stands on 2190 must be what was told to the bank and has not
//    come back, seat by seat and currency by currency. If not, the run is refused.
//  4 (period, seat, currency) has one payout, and its transfer's id is derived from them: paying
//    twice is impossible by the key, whatever the program does.
//  5 A run that cannot be made whole is not made: a rate that is missing stops it. A seat without
//    an account does not stop the others; its money stays payable.
//  6 Sums are read from folds, which the close proves against the transfers.
#include "payout.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "contract.h"
#include "fail.h"
#include "life.h"
#include "payout_inside.h"
#include "publish.h"

struct work {
    struct db *db;
    const struct period *period;
    usec now;
    struct arena *arena;
    struct market *market;
    struct contract_terms *terms;
    struct payout_run *run;
    char *fault;
};

const char *
payout_why_text(enum payout_why why)
{
    static const char *const texts[PAYOUT_WHY_COUNT] = {
        "paid", "less than a cent", "below the minimum", "no account declared (party: iban)"};
    CHECK(why < PAYOUT_WHY_COUNT);
    return texts[why];
}

static enum status __attribute__((format(printf, 3, 4)))
refuse(struct work *work, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(work->fault, PAYOUT_FAULT, format, arguments);
    va_end(arguments);
    return status;
}

// --- What there is -------------------------------------------------------------------------------

static enum status
check_closed(struct work *work)
{
    const struct db_param param = db_text(work->period->name);
    struct db_rows *rows = NULL;
    enum status status = db_query(
        work->db, "select count(*) from period_event where period = $1 and step = 9", &param, 1,
        &rows);
    bool closed = status == STATUS_OK && db_get_int(rows, 0, 0) > 0;
    db_rows_free(rows);
    if (status != STATUS_OK || closed) return status;
    return refuse(work, STATUS_DENIED,
                  "%s is not closed, so what it comes to is not final; close it first: slotctl "
                  "close %s",
                  work->period->name, work->period->name);
}

// One row a seat and currency. Rules 2 and 6.
static enum status
read_accounts(struct work *work, struct db_rows **out_rows)
{
    static const char sql[] =
        "with side as ("
        " select period, currency, debit as account, -micros as micros from fold"
        " where state = 'posted' and debit % 10000 in (1160, 2110, 2190) union all"
        " select period, currency, credit, micros from fold"
        " where state = 'posted' and credit % 10000 in (1160, 2110, 2190)),"
        " sums as (select (account / 100000)::integer as seat, currency,"
        "  coalesce(sum(micros) filter (where account % 10000 = 2110"
        "   and (micros < 0 or period <= $1)), 0)::bigint as payable,"
        "  coalesce(sum(-micros) filter (where account % 10000 = 1160), 0)::bigint as clawback,"
        "  coalesce(sum(micros) filter (where account % 10000 = 2190), 0)::bigint as transit"
        "  from side group by 1, 2)"
        " select x.seat, s.code, x.currency, x.payable, x.clawback, x.transit,"
        "  coalesce((select sum(p.amount_micros) from payout_now p where p.seat = x.seat"
        "   and p.currency = x.currency and p.state = 'sent'), 0)::bigint"
        " from sums x join seat s on s.id = x.seat order by s.code collate \"C\", x.currency";
    const struct db_param param = db_text(work->period->name);
    return db_query(work->db, sql, &param, 1, out_rows);
}

static const struct market_seat *
find_seat(const struct work *work, uint32_t id)
{
    return contract_seat(work->terms, id);
}

// Everything up to whole cents.
static enum status
fill(struct work *work, const struct db_rows *rows, size_t row, struct payout *out)
{
    struct {
        char period[PERIOD_TEXT];
        uint32_t seat;
        struct currency currency;
    } of;
    out->seat = (uint32_t)db_get_int(rows, row, 0);
    out->code = arena_text(work->arena, db_get_text(rows, row, 1), db_get_len(rows, row, 1));
    enum status status = currency_parse(db_get_text(rows, row, 2), db_get_len(rows, row, 2),
                                        &out->from);
    if (status != STATUS_OK) return status;
    memset(&of, 0, sizeof of);
    memcpy(of.period, work->period->name, sizeof of.period);
    of.seat = out->seat;
    of.currency = out->from;
    out->id = hash_id("payout", &of, sizeof of);
    payout_id_format(out->id, out->end_to_end);
    out->payable = db_get_money(rows, row, 3);
    out->owing = db_get_money(rows, row, 4);
    const struct market_seat *seat = find_seat(work, out->seat);
    out->name = seat && *seat->party.legal_name ? seat->party.legal_name
                : seat                          ? seat->name
                                                : out->code;
    out->iban = seat ? seat->party.iban : "";
    out->bic = seat ? seat->party.bic : "";
    return STATUS_OK;
}

// What is exchanged, and into what.
static enum status
exchange(struct work *work, struct payout *payout)
{
    char fault[RATE_FAULT];
    if (currency_same(payout->from, payout->to)) {
        payout->amount = payout->spent;
        return STATUS_OK;
    }
    payout->exchanged = true;
    enum status status = rate_find(work->db, payout->from, payout->to, work->now,
                                   work->market->finance.rate_age_us, &payout->rate, fault);
    if (status == STATUS_NOT_FOUND || status == STATUS_DENIED)
        return refuse(work, STATUS_DENIED, "%s is paid in %s: %s", payout->code, payout->to.code,
                      fault);
    if (status == STATUS_OK)
        status = rate_exchange(&payout->rate, payout->spent, period_cent(payout->to),
                               &payout->exchange);
    payout->amount = payout->exchange.taken;
    if (status == STATUS_OK && payout->amount.micros == 0) payout->why = PAYOUT_BELOW_CENT;
    return status;
}

// Clawbacks, minimum, whole cents.
static enum status
decide(struct work *work, struct payout *payout)
{
    usec at = {work->period->until.us - 1};
    const struct market_contract *contract = contract_in_force(work->terms, payout->seat, at);
    bool billed = contract && contract->clawback == CLAWBACK_BILL;
    payout->contract = contract ? contract->id : 0;
    payout->to = contract && contract->payout_currency.code[0] ? contract->payout_currency
                                                               : work->market->currency;
    money left, residue, minimum = money_of(0);
    // More may have been taken off than is owed, when a payment came back: that is given back.
    payout->netted = payout->owing;
    if (payout->owing.micros > 0 && payout->owing.micros > payout->payable.micros)
        payout->netted = money_of(payout->payable.micros > 0 ? payout->payable.micros : 0);
    if (billed) payout->netted = money_of(0);
    enum status status = money_subtract(payout->owing, payout->netted, &payout->owing);
    if (status == STATUS_OK) status = money_subtract(payout->payable, payout->netted, &left);
    if (status == STATUS_OK)
        status = period_round(&left, 1, period_cent(payout->from), &payout->spent, &payout->spent,
                              &residue);
    if (status != STATUS_OK) return status;
    if (contract && currency_same(payout->from, work->market->currency))
        minimum = contract->minimum_payout;
    payout->why = PAYOUT_PAID;
    if (payout->spent.micros <= 0) payout->why = PAYOUT_BELOW_CENT;
    else if (payout->spent.micros < minimum.micros) payout->why = PAYOUT_MINIMUM;
    else if (!*payout->iban) payout->why = PAYOUT_NO_ACCOUNT;
    else if (!payout_iban_valid(payout->iban))
        return refuse(work, STATUS_DENIED,
                      "the account of %s (party: iban: %.40s) is no IBAN: its check digits do not "
                      "fit; mend it in the market file",
                      payout->code, payout->iban);
    else status = exchange(work, payout);
    if (payout->why != PAYOUT_PAID) payout->spent = money_of(0);
    if (status == STATUS_OK) status = money_subtract(left, payout->spent, &payout->carried);
    return status;
}

// Rule 3.
static enum status
check_transit(struct work *work, const struct db_rows *rows, size_t row)
{
    char stands[MONEY_TEXT], told[MONEY_TEXT];
    if (db_get_int(rows, row, 5) == db_get_int(rows, row, 6)) return STATUS_OK;
    money_format(db_get_money(rows, row, 5), 2, stands);
    money_format(db_get_money(rows, row, 6), 2, told);
    return refuse(work, STATUS_CONFLICT,
                  "2190 in transit of %s holds %s %s, and payments that were told to the bank and "
                  "have not come back make %s; nothing is paid until this is explained: slotctl "
                  "verify",
                  db_get_text(rows, row, 1), stands, db_get_text(rows, row, 2), told);
}

static enum status
check_host(struct work *work)
{
    const char *iban = work->market->finance.party.iban;
    if (work->run->paid == 0 || payout_iban_valid(iban)) return STATUS_OK;
    return refuse(work, STATUS_DENIED,
                  *iban
                      ? "the host's account (market: finance: party: iban: %.40s) is no IBAN: its "
                        "check digits do not fit; mend it in the market file"
                      : "the host has no account to pay from; declare it in the market file: "
                        "market: finance: party: iban%.0s",
                  iban);
}

static enum status
compute(struct work *work)
{
    struct payout_run *run = work->run;
    struct db_rows *rows = NULL;
    enum status status = check_closed(work);
    if (status == STATUS_OK) status = publish_load_market(work->db, 0, work->arena, &work->market);
    if (status == STATUS_OK) {
        work->terms = contract_terms_open(work->market);
        status = read_accounts(work, &rows);
    }
    if (status == STATUS_OK)
        run->payouts = arena_take(work->arena, db_count(rows) + 1, sizeof *run->payouts);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct payout *payout = &run->payouts[run->count];
        status = check_transit(work, rows, i);
        if (status == STATUS_OK) status = fill(work, rows, i, payout);
        if (status == STATUS_OK) status = decide(work, payout);
        if (status != STATUS_OK || (payout->payable.micros == 0 && payout->owing.micros == 0))
            continue;
        run->count++;
        run->paid += payout->why == PAYOUT_PAID;
    }
    db_rows_free(rows);
    return status == STATUS_OK ? check_host(work) : status;
}

// --- A run that was made -------------------------------------------------------------------------

// STATUS_NOT_FOUND: none was.
static enum status
read_run(struct work *work)
{
    struct payout_run *run = work->run;
    const struct db_param param = db_text(work->period->name);
    struct db_rows *rows = NULL;
    enum status status = db_query(
        work->db, "select act, at_us, body, digest from payout_run where period = $1", &param, 1,
        &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        run->act = (uint64_t)db_get_int(rows, 0, 0);
        run->at = db_get_time(rows, 0, 1);
        run->body_len = db_get_len(rows, 0, 2);
        run->body = arena_text(work->arena, db_get_text(rows, 0, 2), run->body_len);
        struct digest digest = hash_sha256(run->body, run->body_len);
        if (db_get_len(rows, 0, 3) != sizeof digest.bytes ||
            memcmp(db_get_bytes(rows, 0, 3), digest.bytes, sizeof digest.bytes) != 0)
            status = refuse(
                work, STATUS_CONFLICT,
                "the payment file kept of %s is not the one that was written (act %" PRIu64
                " names its digest); do not send it: slotctl verify",
                work->period->name, run->act);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_payouts(struct work *work)
{
    static const char sql[] =
        "select p.payout_id, p.seat, s.code, p.from_currency, p.currency, p.spent_micros,"
        " p.amount_micros, p.end_to_end, p.name, p.iban from payout p join seat s on s.id = p.seat"
        " where p.period = $1 order by s.code collate \"C\", p.from_currency";
    struct payout_run *run = work->run;
    const struct db_param param = db_text(work->period->name);
    struct db_rows *rows = NULL;
    enum status status = db_query(work->db, sql, &param, 1, &rows);
    if (status != STATUS_OK) return status;
    run->count = run->paid = db_count(rows);
    run->payouts = arena_take(work->arena, run->count + 1, sizeof *run->payouts);
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++) {
        struct payout *payout = &run->payouts[i];
        payout->id = db_get_id(rows, i, 0);
        payout->seat = (uint32_t)db_get_int(rows, i, 1);
        payout->code = arena_text(work->arena, db_get_text(rows, i, 2), db_get_len(rows, i, 2));
        status = currency_parse(db_get_text(rows, i, 3), db_get_len(rows, i, 3), &payout->from);
        if (status == STATUS_OK)
            status = currency_parse(db_get_text(rows, i, 4), db_get_len(rows, i, 4), &payout->to);
        payout->spent = db_get_money(rows, i, 5);
        payout->amount = db_get_money(rows, i, 6);
        snprintf(payout->end_to_end, sizeof payout->end_to_end, "%s", db_get_text(rows, i, 7));
        payout->name = arena_text(work->arena, db_get_text(rows, i, 8), db_get_len(rows, i, 8));
        payout->iban = arena_text(work->arena, db_get_text(rows, i, 9), db_get_len(rows, i, 9));
        payout->bic = "";
    }
    db_rows_free(rows);
    return status;
}

// STATUS_EXISTS: the run of before, as it is in the books; STATUS_NOT_FOUND: there is none.
static enum status
find_run(struct work *work)
{
    uint32_t payments = 0;
    enum status status = read_run(work);
    if (status == STATUS_OK) status = read_payouts(work);
    if (status == STATUS_OK && work->run->body_len > 0) {
        status = payout_check(work->db, work->run->body, work->run->body_len, &payments,
                              work->fault);
        if (status == STATUS_INPUT) status = STATUS_CONFLICT;
    }
    return status == STATUS_OK ? STATUS_EXISTS : status;
}

// --- Booking -------------------------------------------------------------------------------------

static void
book_transfers(struct work *work, struct act *act, const struct payout *payout)
{
    const struct account payable = {.code = ACCOUNT_GAIN_PAYABLE, .seat = payout->seat},
                         clawback = {.code = ACCOUNT_CLAWBACK, .seat = payout->seat},
                         transit = {.code = ACCOUNT_IN_TRANSIT, .seat = payout->seat};
    struct transfer one = {
        .group = payout->id,
        .state = TRANSFER_POSTED,
        .debit = payable,
        .currency = payout->from,
        .effective = work->now,
        .seat = payout->seat,
        .contract = payout->contract,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
    };
    snprintf(one.reference, sizeof one.reference, "%.8s %.30s", work->period->name, payout->code);
    if (payout->netted.micros != 0) {
        bool back = payout->netted.micros < 0;
        one.id = hash_id("payout.net", &payout->id, sizeof payout->id);
        one.kind = TRANSFER_NET;
        one.debit = back ? clawback : payable;
        one.credit = back ? payable : clawback;
        one.amount = money_of(back ? -payout->netted.micros : payout->netted.micros);
        act_transfer(act, &one);
        one.debit = payable;
    }
    if (payout->why != PAYOUT_PAID) return;
    if (payout->exchanged)
        rate_transfers(act, &payout->rate, &payout->exchange, payable, &one, false);
    one.id = payout->id;
    one.kind = TRANSFER_PAYOUT;
    one.credit = transit;
    one.currency = payout->to;
    one.amount = payout->amount;
    act_transfer(act, &one);
}

static enum status
book_payout(struct work *work, struct act *act, const struct payout *payout)
{
    char text[200], amount[MONEY_TEXT], rate[RATE_TEXT] = "";
    if (payout->exchanged) rate_format(&payout->rate, rate);
    money_format(payout->amount, 2, amount);
    snprintf(text, sizeof text, "%s %s %s to %s as %s", payout->code, amount, payout->to.code,
             payout->iban, payout->end_to_end);
    act_note(act, "payment", text);
    const struct db_param params[] = {
        db_id(payout->id),
        db_text(work->period->name),
        db_int4((int32_t)payout->seat),
        db_text(payout->to.code),
        db_money(payout->amount),
        db_text(payout->from.code),
        db_money(payout->spent),
        db_money(payout->exchange.spread),
        db_text(payout->end_to_end),
        db_text(payout->name),
        db_text(payout->iban),
        db_text(rate),
        db_int8((int64_t)act_number(act)),
    };
    enum status status = db_run(
        work->db,
        "insert into payout (payout_id, period, seat, currency, amount_micros,"
        " from_currency, spent_micros, spread_micros, end_to_end, name, iban, rate, act)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params, 13, NULL);
    if (status == STATUS_OK) status = life_paid_out(work->db, act, payout->seat, payout->from);
    return status;
}

static enum status
book_run(struct work *work, struct act *act)
{
    struct payout_run *run = work->run;
    enum status status = STATUS_OK;
    char hex[2 * sizeof(struct digest) + 1];
    run->act = act_number(act);
    run->at = work->now;
    payout_write(work->market, run, work->arena);
    struct digest digest = hash_sha256(run->body, run->body_len);
    for (size_t i = 0; i < sizeof digest.bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest.bytes[i]);
    act_note(act, "period", work->period->name);
    act_note(act, "file", hex);
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++) {
        book_transfers(work, act, &run->payouts[i]);
        if (run->payouts[i].why == PAYOUT_PAID) status = book_payout(work, act, &run->payouts[i]);
    }
    if (status != STATUS_OK) return status;
    if (act_transfers(act) == 0) return STATUS_NOT_FOUND;
    const struct db_param params[] = {
        db_text(work->period->name),
        db_int8((int64_t)run->act),
        db_time(run->at),
        db_int4((int32_t)run->paid),
        db_text_len(run->body, run->body_len),
        db_bytes(digest.bytes, sizeof digest.bytes),
    };
    return db_run(work->db,
                  "insert into payout_run (period, act, at_us, payouts, body, digest)"
                  " values ($1, $2, $3, $4, $5, $6)",
                  params, 6, NULL);
}

static enum status
attempt(struct work *work, const char *author)
{
    struct act *act = NULL;
    enum status status = db_begin(work->db);
    if (status == STATUS_OK) status = act_begin(work->db, "payout", author, "", work->now, &act);
    if (status == STATUS_OK) status = find_run(work);
    if (status == STATUS_NOT_FOUND) {
        status = compute(work);
        if (status == STATUS_OK) status = book_run(work, act);
        if (status == STATUS_OK) {
            status = act_end(act);
            act = NULL;
        }
    }
    act_abandon(act);
    contract_terms_close(work->terms);
    work->terms = NULL;
    if (status == STATUS_OK) status = db_commit(work->db);
    if (status != STATUS_OK) db_rollback(work->db);
    return status;
}

enum status
payout_make(struct db *db, const struct period *period, const char *author, usec now,
            struct arena *arena, struct payout_run *out_run, char out_fault[PAYOUT_FAULT])
{
    enum status status = STATUS_AGAIN;
    struct work work = {.db = db, .period = period, .now = now, .arena = arena, .run = out_run};
    work.fault = out_fault;
    for (int turn = 0; turn < 5 && status == STATUS_AGAIN; turn++) {
        *out_run = (struct payout_run){.body = ""};
        memcpy(out_run->period, period->name, sizeof out_run->period);
        out_fault[0] = '\0';
        status = attempt(&work, author);
    }
    return status;
}

enum status
payout_preview(struct db *db, const struct period *period, usec now, struct arena *arena,
               struct payout_run *out_run, char out_fault[PAYOUT_FAULT])
{
    struct work work = {.db = db, .period = period, .now = now, .arena = arena, .run = out_run};
    work.fault = out_fault;
    *out_run = (struct payout_run){.body = ""};
    memcpy(out_run->period, period->name, sizeof out_run->period);
    out_fault[0] = '\0';
    enum status status = find_run(&work);
    if (status != STATUS_NOT_FOUND) return status;
    status = compute(&work);
    contract_terms_close(work.terms);
    return status;
}
