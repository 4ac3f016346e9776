// What the bank says, matched to the books and booked.
//
//   paid      2190 In transit / 1000 Bank, by end-to-end id; the amount is what was told, or
//             nothing
//   rejected  2190 / 2110 Payable, and an exchange the other way: as if it had not been told
//   returned  1000 / 2190, then as rejected: it had been paid
//   receipt   1000 / 1120 Billed, by the bill's reference; part of a bill, or all that is open of
//             it
//
//  1 A file is one act in one transaction, with a row for every entry that was booked: reading it
//    again finds the rows and books nothing.
//  2 Ids of transfers are derived from the payout, or from the entry: nothing is booked twice,
//    whatever file it stands in.
//  3 An entry that does not match exactly is not booked, and says why. It does not stop the others.
//  4 A payment ends once: paid, or rejected; and what was paid may come back once.
//  5 The bank account (1000) moves by entries alone that the bank has booked.
#include "bank.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "bank_inside.h"
#include "fail.h"
#include "life.h"
#include "payout.h"
#include "publish.h"
#include "rate.h"

struct taking {
    struct db *db;
    struct act *act;
    usec now;
    struct arena *arena;
    struct bank_message *message;
    struct bank_report *report;
    char *fault;
};
// A payment of ours.
struct told {
    struct id id;
    uint32_t seat;
    char code[BOUND_CODE + 1], period[PERIOD_TEXT], state[16], end_to_end[PAYOUT_ID];
    struct currency currency, from;
    money amount, spent, spread;
    uint64_t act;
};

const char *
bank_outcome_name(enum bank_outcome outcome)
{
    static const char *const names[BANK_OUTCOME_COUNT] = {"booked", "booked before", "nothing",
                                                          "unmatched"};
    CHECK(outcome < BANK_OUTCOME_COUNT);
    return names[outcome];
}

static enum status __attribute__((format(printf, 3, 4)))
say(struct bank_line *line, enum bank_outcome outcome, const char *format, ...)
{
    va_list arguments;
    line->outcome = (uint8_t)outcome;
    va_start(arguments, format);
    vsnprintf(line->why, sizeof line->why, format, arguments);
    va_end(arguments);
    return STATUS_OK;
}

// --- Payments of ours ----------------------------------------------------------------------------

#define TOLD                                                                                      \
    "select p.payout_id, p.seat, s.code, p.period, p.state, p.end_to_end, p.currency,"            \
    " p.from_currency, p.amount_micros, p.spent_micros, p.spread_micros, p.act from payout_now p" \
    " join seat s on s.id = p.seat where "

static enum status
told_row(const struct db_rows *rows, size_t row, struct told *out)
{
    memset(out, 0, sizeof *out);
    out->id = db_get_id(rows, row, 0);
    out->seat = (uint32_t)db_get_int(rows, row, 1);
    snprintf(out->code, sizeof out->code, "%s", db_get_text(rows, row, 2));
    snprintf(out->period, sizeof out->period, "%s", db_get_text(rows, row, 3));
    snprintf(out->state, sizeof out->state, "%s", db_get_text(rows, row, 4));
    snprintf(out->end_to_end, sizeof out->end_to_end, "%s", db_get_text(rows, row, 5));
    out->amount = db_get_money(rows, row, 8);
    out->spent = db_get_money(rows, row, 9);
    out->spread = db_get_money(rows, row, 10);
    out->act = (uint64_t)db_get_int(rows, row, 11);
    enum status status = currency_parse(db_get_text(rows, row, 6), db_get_len(rows, row, 6),
                                        &out->currency);
    if (status != STATUS_OK) return status;
    return currency_parse(db_get_text(rows, row, 7), db_get_len(rows, row, 7), &out->from);
}

// STATUS_NOT_FOUND: the id is none of ours.
static enum status
find_told(struct taking *taking, const char *end_to_end, struct told *out)
{
    struct id id;
    struct db_rows *rows = NULL;
    if (payout_id_parse(end_to_end, strlen(end_to_end), &id) != STATUS_OK) return STATUS_NOT_FOUND;
    const struct db_param param = db_id(id);
    enum status status = db_query(taking->db, TOLD "p.payout_id = $1", &param, 1, &rows);
    if (status == STATUS_OK)
        status = db_count(rows) == 0 ? STATUS_NOT_FOUND : told_row(rows, 0, out);
    db_rows_free(rows);
    return status;
}

// --- Rows ----------------------------------------------------------------------------------------

static enum status
booked_before(struct taking *taking, struct id entry, uint64_t *out_act)
{
    const struct db_param param = db_id(entry);
    struct db_rows *rows = NULL;
    *out_act = 0;
    enum status status = db_query(taking->db, "select act from bank_entry where entry_id = $1",
                                  &param, 1, &rows);
    if (status == STATUS_OK && db_count(rows) > 0) *out_act = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

static enum status
insert_entry(struct taking *taking, const struct bank_entry *entry, const char *what, uint32_t seat,
             const struct id *payout, const char *reference)
{
    const struct db_param params[] = {
        db_id(entry->id),        db_text(what),
        db_int4((int32_t)seat),  db_text(entry->currency.code),
        db_money(entry->amount), payout ? db_id(*payout) : db_null(),
        db_text(reference),      db_text(entry->reference),
        db_time(entry->at),      db_int8((int64_t)act_number(taking->act)),
    };
    return db_run(taking->db,
                  "insert into bank_entry (entry_id, what, seat, currency, amount_micros,"
                  " payout_id, reference, entry, at_us, act)"
                  " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                  params, 10, NULL);
}

static enum status
insert_event(struct taking *taking, const struct told *told, const char *state, const char *detail)
{
    const struct db_param params[] = {db_id(told->id), db_text(state),
                                      db_int8((int64_t)act_number(taking->act)),
                                      db_time(taking->now), db_text(detail)};
    return db_run(taking->db,
                  "insert into payout_event (payout_id, state, act, at_us, detail)"
                  " values ($1, $2, $3, $4, $5)",
                  params, 5, NULL);
}

// --- Booking -------------------------------------------------------------------------------------

static struct transfer
transfer_of(const struct taking *taking, const struct told *told, usec at)
{
    struct transfer one = {
        .group = told->id,
        .state = TRANSFER_POSTED,
        .currency = told->currency,
        .amount = told->amount,
        .effective = at.us > 0 && at.us < taking->now.us ? at : taking->now,
        .seat = told->seat,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
    };
    snprintf(one.reference, sizeof one.reference, "%.8s %.30s", told->period, told->code);
    return one;
}

static void
take_transfer(struct taking *taking, struct transfer one, const char *domain,
              enum transfer_kind kind, uint16_t debit, uint16_t credit)
{
    one.id = hash_id(domain, &one.group, sizeof one.group);
    one.kind = kind;
    one.debit = (struct account){.code = debit, .seat = debit == ACCOUNT_BANK ? 0 : one.seat};
    one.credit = (struct account){.code = credit, .seat = credit == ACCOUNT_BANK ? 0 : one.seat};
    act_transfer(taking->act, &one);
}

static enum status
book_paid(struct taking *taking, const struct bank_entry *entry, const struct told *told)
{
    take_transfer(taking, transfer_of(taking, told, entry->at), "payout.paid", TRANSFER_PAID,
                  ACCOUNT_IN_TRANSIT, ACCOUNT_BANK);
    enum status status = insert_event(taking, told, "paid", entry->reference);
    return status == STATUS_OK ? insert_entry(taking, entry, "paid", told->seat, &told->id, "")
                               : status;
}

// Back to what is payable, in the currency that it was earned in.
static enum status
book_back(struct taking *taking, const struct told *told, const char *state, const char *detail)
{
    struct transfer one = transfer_of(taking, told, taking->now);
    one.origin = told->id;
    one.reason = strcmp(state, "returned") == 0 ? "returned" : "rejected";
    take_transfer(taking, one, "payout.back", TRANSFER_PAYOUT, ACCOUNT_IN_TRANSIT,
                  ACCOUNT_GAIN_PAYABLE);
    if (!currency_same(told->currency, told->from)) {
        const struct rate rate = {.from = told->from, .to = told->currency};
        struct rate_exchange exchange = {.spread = told->spread, .taken = told->amount};
        const struct account payable = {.code = ACCOUNT_GAIN_PAYABLE, .seat = told->seat};
        if (money_subtract(told->spent, told->spread, &exchange.given) != STATUS_OK)
            return STATUS_OVERFLOW;
        rate_transfers(taking->act, &rate, &exchange, payable, &one, true);
    }
    enum status status = insert_event(taking, told, state, detail);
    if (status == STATUS_OK)
        status = life_paid_back(taking->db, taking->act, told->seat, told->from, told->act);
    return status;
}

static enum status
book_returned(struct taking *taking, const struct bank_entry *entry, const struct told *told)
{
    struct transfer one = transfer_of(taking, told, entry->at);
    one.origin = hash_id("payout.paid", &told->id, sizeof told->id);
    one.reason = "returned";
    take_transfer(taking, one, "payout.returned", TRANSFER_PAID, ACCOUNT_BANK, ACCOUNT_IN_TRANSIT);
    enum status status = book_back(taking, told, "returned", entry->reference);
    return status == STATUS_OK ? insert_entry(taking, entry, "returned", told->seat, &told->id, "")
                               : status;
}

// --- Payments out, and those that come back ------------------------------------------------------

static bool
same_amount(const struct bank_entry *entry, const struct told *told, struct bank_line *line)
{
    char says[MONEY_TEXT], was[MONEY_TEXT];
    if (entry->amount.micros == told->amount.micros &&
        currency_same(entry->currency, told->currency))
        return true;
    money_format(entry->amount, 2, says);
    money_format(told->amount, 2, was);
    CHECK(say(line, BANK_UNMATCHED,
              "%s: the bank says %s %s, and it was told %s %s; ask the bank, nothing is booked",
              told->code, says, entry->currency.code, was, told->currency.code) == STATUS_OK);
    return false;
}

static enum status
take_debit(struct taking *taking, const struct bank_entry *entry, struct bank_line *line)
{
    struct told told;
    if (entry->reversal)
        return say(line, BANK_UNMATCHED,
                   "the bank takes back a receipt; book it by slotctl "
                   "chargeback");
    if (!*entry->end_to_end)
        return say(line, BANK_UNMATCHED, "it has no end-to-end id, so it is no payout of ours");
    enum status status = find_told(taking, entry->end_to_end, &told);
    if (status == STATUS_NOT_FOUND)
        return say(line, BANK_UNMATCHED, "no payout has the end-to-end id %.40s",
                   entry->end_to_end);
    if (status != STATUS_OK) return status;
    if (strcmp(told.state, "paid") == 0)
        return say(line, BANK_UNMATCHED,
                   "the payout of %s to %s was paid already, by another entry; the bank may have "
                   "paid it twice",
                   told.period, told.code);
    if (strcmp(told.state, "sent") != 0)
        return say(line, BANK_UNMATCHED, "the payout of %s to %s was %s before; ask the bank",
                   told.period, told.code, told.state);
    if (!same_amount(entry, &told, line)) return STATUS_OK;
    status = book_paid(taking, entry, &told);
    if (status != STATUS_OK) return status;
    return say(line, BANK_BOOKED, "payout of %s to %s is paid", told.period, told.code);
}

static enum status
take_return(struct taking *taking, const struct bank_entry *entry, const struct told *told,
            struct bank_line *line)
{
    if (strcmp(told->state, "paid") != 0)
        return say(line, BANK_UNMATCHED, "the payout of %s to %s comes back, and is %s, not paid",
                   told->period, told->code, told->state);
    if (!same_amount(entry, told, line)) return STATUS_OK;
    enum status status = book_returned(taking, entry, told);
    if (status != STATUS_OK) return status;
    return say(line, BANK_BOOKED, "payout of %s to %s came back; it is payable again", told->period,
               told->code);
}

// --- Receipts ------------------------------------------------------------------------------------

struct bill {
    uint32_t seat;
    char reference[BOUND_KEY + 32];
    char code[BOUND_CODE + 1];
    struct currency currency;
    money open, billed_account;  // of the bill; of all that stands on 1120
};

// Whether the text names the bill, and not one whose name goes on.
static bool
names(const char *text, const char *reference)
{
    size_t len = strlen(reference);
    for (const char *at = strcasestr(text, reference); at; at = strcasestr(at + 1, reference)) {
        bool before = at == text || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_-",
                                            at[-1]);
        bool after = at[len] == '\0' || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                                "XYZ0123456789_-",
                                                at[len]);
        if (before && after) return true;
    }
    return false;
}

// STATUS_NOT_FOUND: the text names no open bill; STATUS_CONFLICT: several.
static enum status
find_bill(struct taking *taking, const char *text, struct bill *out)
{
    static const char sql[] =
        "select b.seat, b.reference, s.code, b.currency,"
        " (b.billed_micros - b.received_micros)::bigint,"
        " (coalesce((select sum(f.micros) from fold f where f.state = 'posted'"
        "   and f.currency = b.currency and f.debit = b.seat::bigint * 100000 + 1120), 0)"
        " - coalesce((select sum(f.micros) from fold f where f.state = 'posted'"
        "   and f.currency = b.currency and f.credit = b.seat::bigint * 100000 + 1120), 0)"
        " - coalesce((select sum(e.amount_micros) from bank_entry e where e.act = $2"
        "   and e.what = 'receipt' and e.seat = b.seat and e.currency = b.currency), 0))::bigint"
        " from bill_open b join seat s on s.id = b.seat"
        " where position(lower(b.reference) in lower($1)) > 0"
        " and b.billed_micros > b.received_micros order by b.reference";
    const struct db_param params[] = {db_text(text), db_int8((int64_t)act_number(taking->act))};
    struct db_rows *rows = NULL;
    unsigned found = 0;
    enum status status = db_query(taking->db, sql, params, 2, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        if (!names(text, db_get_text(rows, i, 1))) continue;
        found++;
        out->seat = (uint32_t)db_get_int(rows, i, 0);
        snprintf(out->reference, sizeof out->reference, "%s", db_get_text(rows, i, 1));
        snprintf(out->code, sizeof out->code, "%s", db_get_text(rows, i, 2));
        status = currency_parse(db_get_text(rows, i, 3), db_get_len(rows, i, 3), &out->currency);
        out->open = db_get_money(rows, i, 4);
        out->billed_account = db_get_money(rows, i, 5);
    }
    db_rows_free(rows);
    if (status != STATUS_OK) return status;
    return found == 0 ? STATUS_NOT_FOUND : found == 1 ? STATUS_OK : STATUS_CONFLICT;
}

static enum status
book_receipt(struct taking *taking, const struct bank_entry *entry, const struct bill *bill)
{
    struct transfer one = {
        .group = entry->id,
        .state = TRANSFER_POSTED,
        .currency = entry->currency,
        .amount = entry->amount,
        .effective = entry->at.us > 0 && entry->at.us < taking->now.us ? entry->at : taking->now,
        .seat = bill->seat,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
    };
    snprintf(one.reference, sizeof one.reference, "%.40s", bill->reference);
    take_transfer(taking, one, "receipt", TRANSFER_RECEIPT, ACCOUNT_BANK, ACCOUNT_BILLED);
    return insert_entry(taking, entry, "receipt", bill->seat, NULL, bill->reference);
}

static enum status
take_receipt(struct taking *taking, const struct bank_entry *entry, struct bank_line *line)
{
    struct bill bill = {.seat = 0};
    char open[MONEY_TEXT];
    money rest;
    enum status status = find_bill(taking, entry->text, &bill);
    if (status == STATUS_NOT_FOUND)
        return say(line, BANK_UNMATCHED,
                   "it names no open bill (as 2026-11 acme); a prepaid seat's payment is booked by "
                   "slotctl deposit");
    if (status == STATUS_CONFLICT)
        return say(line, BANK_UNMATCHED, "it names several open bills; ask what is for which");
    if (status != STATUS_OK) return status;
    money_format(bill.open, 2, open);
    if (!currency_same(bill.currency, entry->currency) || entry->amount.micros > bill.open.micros)
        return say(line, BANK_UNMATCHED, "of bill %s %s %s are open; ask what the rest is for",
                   bill.reference, open, bill.currency.code);
    if (entry->amount.micros > bill.billed_account.micros)
        return say(line, BANK_UNMATCHED,
                   "bill %s is disputed, or was settled otherwise: less than this stands on 1120",
                   bill.reference);
    status = book_receipt(taking, entry, &bill);
    if (status != STATUS_OK) return status;
    if (money_subtract(bill.open, entry->amount, &rest) != STATUS_OK) return STATUS_OVERFLOW;
    if (rest.micros == 0) return say(line, BANK_BOOKED, "bill %s is paid", bill.reference);
    money_format(rest, 2, open);
    return say(line, BANK_BOOKED, "part of bill %s; %s %s stay open", bill.reference, open,
               bill.currency.code);
}

static enum status
take_credit(struct taking *taking, const struct bank_entry *entry, struct bank_line *line)
{
    struct told told;
    enum status status = find_told(taking, entry->end_to_end, &told);
    if (status == STATUS_OK) return take_return(taking, entry, &told, line);
    if (status != STATUS_NOT_FOUND) return status;
    if (entry->reversal)
        return say(line, BANK_UNMATCHED, "the bank takes back an entry that is no payout of ours");
    return take_receipt(taking, entry, line);
}

// --- Rejections ----------------------------------------------------------------------------------

static enum status
reject(struct taking *taking, const struct bank_entry *entry, const struct told *told,
       struct bank_line *line)
{
    line->amount = told->amount;
    line->currency = told->currency;
    if (strcmp(told->state, "rejected") == 0)
        return say(line, BANK_BEFORE, "the rejection of %s to %s was booked", told->period,
                   told->code);
    if (strcmp(told->state, "sent") != 0)
        return say(line, BANK_UNMATCHED,
                   "the payout of %s to %s is %s; the bank contradicts itself", told->period,
                   told->code, told->state);
    enum status status = book_back(taking, told, "rejected", entry->text);
    if (status != STATUS_OK) return status;
    return say(line, BANK_BOOKED, "payout of %s to %s was rejected (%s); it is payable again",
               told->period, told->code, *entry->text ? entry->text : "no reason given");
}

static struct bank_line *
add_line(struct taking *taking, const struct bank_entry *entry)
{
    struct bank_report *report = taking->report;
    if ((report->count & (report->count - 1)) == 0) {
        size_t room = report->count ? 2 * report->count : 1;
        struct bank_line *more = arena_take(taking->arena, room, sizeof *more);
        if (report->count) memcpy(more, report->lines, report->count * sizeof *more);
        report->lines = more;
    }
    struct bank_line *line = &report->lines[report->count++];
    *line = (struct bank_line){.entry = *entry->reference ? entry->reference : entry->end_to_end,
                               .at = entry->at,
                               .amount = entry->amount,
                               .currency = entry->currency,
                               .credit = entry->credit};
    return line;
}

// All payments of a message, or of one currency of it ("MESSAGE-EUR").
static enum status
reject_message(struct taking *taking, const struct bank_entry *entry)
{
    const struct db_param param = db_text(entry->message);
    struct db_rows *rows = NULL;
    enum status status = db_query(
        taking->db,
        TOLD "p.act in (select r.act from payout_run r where"
             " position('<MsgId>' || $1 || '</MsgId>' in r.body) > 0) or (p.act in (select r.act"
             " from payout_run r where position('<PmtInfId>' || $1 || '</PmtInfId>' in r.body) > 0)"
             " and p.currency = right($1, 3)) order by s.code",
        &param, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0)
        status = say(add_line(taking, entry), BANK_UNMATCHED,
                     "no payout run has the message id "
                     "%.40s",
                     entry->message);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct told told;
        struct bank_line *line = add_line(taking, entry);
        status = told_row(rows, i, &told);
        if (status == STATUS_OK) status = reject(taking, entry, &told, line);
        line->entry = arena_text(taking->arena, told.end_to_end, strlen(told.end_to_end));
    }
    db_rows_free(rows);
    return status;
}

// --- A file --------------------------------------------------------------------------------------

static enum status
take_entry(struct taking *taking, const struct bank_entry *entry)
{
    struct told told;
    uint64_t act = 0;
    enum status status = STATUS_OK;
    if (entry->says == BANK_SAYS_REJECTED && !*entry->end_to_end)
        return reject_message(taking, entry);
    struct bank_line *line = add_line(taking, entry);
    switch ((enum bank_says)entry->says) {
    case BANK_SAYS_PENDING:
        return say(line, BANK_NOTHING, "not booked by the bank yet (%.20s)", entry->text);
    case BANK_SAYS_ODD: return say(line, BANK_UNMATCHED, "%s", entry->text);
    case BANK_SAYS_OTHER: return say(line, BANK_NOTHING, "status %.200s", entry->text);
    case BANK_SAYS_REJECTED:
        status = find_told(taking, entry->end_to_end, &told);
        if (status == STATUS_NOT_FOUND)
            return say(line, BANK_UNMATCHED, "no payout has the end-to-end id %.40s",
                       entry->end_to_end);
        return status == STATUS_OK ? reject(taking, entry, &told, line) : status;
    case BANK_SAYS_ENTRY: break;
    }
    status = booked_before(taking, entry->id, &act);
    if (status != STATUS_OK) return status;
    if (act != 0) return say(line, BANK_BEFORE, "booked by act %" PRIu64, act);
    return entry->credit ? take_credit(taking, entry, line) : take_debit(taking, entry, line);
}

static enum status
check_account(struct taking *taking)
{
    struct market *market = NULL;
    enum status status = publish_load_market(taking->db, 0, taking->arena, &market);
    if (status != STATUS_OK) return status;
    const char *ours = market->finance.party.iban;
    if (!*taking->message->iban || !*ours || strcmp(ours, taking->message->iban) == 0)
        return STATUS_OK;
    snprintf(taking->fault, BANK_FAULT,
             "the statement is of account %s; the host's is %s (market: finance: party: iban)",
             taking->message->iban, ours);
    return STATUS_INPUT;
}

static enum status
attempt(struct taking *taking, const char *author)
{
    struct bank_report *report = taking->report;
    taking->act = NULL;
    enum status status = db_begin(taking->db);
    if (status == STATUS_OK) status = check_account(taking);
    if (status == STATUS_OK)
        status = act_begin(taking->db, "bank", author, "", taking->now, &taking->act);
    if (status == STATUS_OK) {
        act_note(taking->act, "kind", taking->message->kind);
        act_note(taking->act, "message", taking->message->message);
    }
    for (size_t i = 0; status == STATUS_OK && i < taking->message->count; i++)
        status = take_entry(taking, &taking->message->entries[i]);
    for (size_t i = 0; status == STATUS_OK && i < report->count; i++)
        report->tally[report->lines[i].outcome]++;
    if (status == STATUS_OK && act_transfers(taking->act) > 0) {
        report->act = act_number(taking->act);
        status = act_end(taking->act);
        taking->act = NULL;
        if (status == STATUS_OK) return db_commit(taking->db);
    }
    act_abandon(taking->act);
    db_rollback(taking->db);
    return status;
}

enum status
bank_take(struct db *db, const char *bytes, size_t len, const char *author, usec now,
          struct arena *arena, struct bank_report *out_report, char out_fault[BANK_FAULT])
{
    struct bank_message message;
    memset(out_report, 0, sizeof *out_report);
    enum status status = bank_read(bytes, len, arena, &message, out_fault);
    if (status != STATUS_OK) return status;
    struct taking taking = {.db = db, .now = now, .arena = arena, .message = &message};
    taking.report = out_report;
    taking.fault = out_fault;
    status = STATUS_AGAIN;
    for (int turn = 0; turn < 5 && status == STATUS_AGAIN; turn++) {
        memset(out_report, 0, sizeof *out_report);
        memcpy(out_report->kind, message.kind, sizeof out_report->kind);
        memcpy(out_report->message, message.message, sizeof out_report->message);
        status = attempt(&taking, author);
    }
    if (status != STATUS_OK && status != STATUS_INPUT) db_rollback(db);
    return status;
}
