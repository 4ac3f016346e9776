// Disputes.
//
//  1 A dispute is a row under the number of the act that opened it; its end is another row, once.
//  2 Of a statement no more can be disputed than was billed by it, and than is still on 1120; one
//    dispute of a statement is open at a time.
//  3 Of a share the part of the order's money is moved by the rule of its life (life_moves), in the
//    same act: what stands on 2110 goes to 2120; while the order is within its validation, its
//    share simply does not lock. Refunds meanwhile are followed wherever it stands.
//  4 Whoever decides after the deadline may; the list says what is overdue.
#include "dispute.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "house.h"
#include "life_inside.h"

const char *const dispute_share_reasons[] = {
    "cancelled_order", "compliance_breach", "fraudulent",    "non_fulfilment", "not_authorised",
    "duplicate",       "returned",          "self_referral", "test_purchase",  NULL};
const char *const dispute_statement_reasons[] = {
    "not_rendered",   "invalid",   "playback_error", "lost_in_mediation",
    "over_delivered", "duplicate", "wrong_price",    NULL};

struct deed {
    struct db *db;
    usec now;
    struct act *act;
    char *fault;
};

// Ends the deed's transaction: books, commits; on a fault nothing stays.
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

static enum status
begin(struct deed *deed, const char *author)
{
    deed->fault[0] = '\0';
    enum status status = db_begin(deed->db);
    if (status == STATUS_OK)
        status = act_begin(deed->db, "dispute", author, "", deed->now, &deed->act);
    if (status == STATUS_INPUT)
        house_fault(deed->fault, status, "--by is a name without control characters");
    return status;
}

struct opening {
    const char *kind, *reason;
    uint32_t seat;
    struct id order;  // of a share
    bool has_order;
};

static enum status
insert(struct deed *deed, const struct dispute_ask *ask, const struct opening *opening,
       const struct house *house, struct dispute *out)
{
    out->number = act_number(deed->act);
    out->currency = house->currency;
    out->deadline.us = deed->now.us + (int64_t)house->dispute_days * USEC_DAY;
    const struct db_param params[] = {
        db_int8((int64_t)out->number),
        db_text(opening->kind),
        db_int4((int32_t)opening->seat),
        db_text(out->currency.code),
        opening->has_order ? db_id(opening->order) : db_null(),
        db_text(ask->reference),
        db_text(opening->reason),
        db_text(ask->evidence),
        db_money(ask->amount),
        db_time(deed->now),
        db_time(out->deadline),
    };
    act_note(deed->act, "open", opening->kind);
    act_note(deed->act, "seat", ask->seat);
    act_note(deed->act, "reference", ask->reference);
    act_note(deed->act, "reason", opening->reason);
    act_note(deed->act, "evidence", ask->evidence);
    return db_run(deed->db,
                  "insert into dispute (number, kind, seat, currency, order_id, reference, reason,"
                  " evidence, amount_micros, opened_us, deadline_us)"
                  " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                  params, 11, NULL);
}

// A move between a partner's accounts, or to the credit note's.
static void
move(struct deed *deed, uint64_t number, uint32_t seat, struct currency currency, uint16_t debit,
     uint16_t credit, const char *reason, money amount)
{
    struct {
        uint64_t number, act;
    } of = {number, act_number(deed->act)};
    struct transfer one = {
        .id = hash_id("dispute", &of, sizeof of),
        .group = hash_id("dispute", &number, sizeof number),
        .kind = TRANSFER_DISPUTE,
        .state = TRANSFER_POSTED,
        .debit = {.code = debit, .seat = debit == ACCOUNT_SLOT_ADJUSTMENTS ? 0 : seat},
        .credit = {.code = credit, .seat = seat},
        .currency = currency,
        .amount = amount,
        .effective = deed->now,
        .seat = seat,
        .rung = -1,
        .won_rung = -1,
        .reason = reason,
    };
    act_transfer(deed->act, &one);
}

// --- Statements ----------------------------------------------------------------------------------

// What the statement billed, and what of it is disputed or was credited. Rule 2.
static enum status
may_dispute(struct deed *deed, const struct dispute_ask *ask, uint32_t seat,
            const struct house *house)
{
    static const char sql[] =
        "select exists (select 1 from period_event where period = $1 and step = 9),"
        " (select coalesce(sum(case when debit = $3 then amount_micros else -amount_micros end),"
        "   0)::bigint from transfer_kept where period = $1 and kind = 'bill' and state = 'posted'"
        "   and $3 in (debit, credit)),"
        " (select coalesce(sum(amount_micros), 0)::bigint from dispute_now where kind ="
        "   'statement' and seat = $2 and reference = $1 and state = 'accepted'),"
        " (select coalesce(max(number), 0)::bigint from dispute_now where kind = 'statement'"
        "   and seat = $2 and reference = $1 and state = 'open')";
    struct account account = {.code = ACCOUNT_BILLED, .seat = seat};
    struct db_rows *rows = NULL;
    char a[HOUSE_AMOUNT], b[HOUSE_AMOUNT];
    money left = money_of(0), billed = money_of(0), open;
    const struct db_param params[] = {db_text(ask->reference), db_int4((int32_t)seat),
                                      db_int8(account_number(account))};
    enum status status = db_query(deed->db, sql, params, 3, &rows);
    if (status == STATUS_OK) status = house_balance(deed->db, house->currency, account, &open);
    if (status == STATUS_OK) {
        billed = db_get_money(rows, 0, 1);
        status = money_subtract(billed, db_get_money(rows, 0, 2), &left);
    }
    if (status == STATUS_OK) {
        house_amount(ask->amount, house->currency, a);
        int64_t number = db_get_int(rows, 0, 3);
        if (!db_get_bool(rows, 0, 0))
            status = house_fault(deed->fault, STATUS_DENIED,
                                 "%.16s is not closed, so it has billed nothing yet; what is wrong"
                                 " in an open period is adjusted: slotctl adjust propose",
                                 ask->reference);
        else if (number)
            status = house_fault(deed->fault, STATUS_EXISTS,
                                 "%s's statement of %.16s is disputed already, by dispute %" PRId64
                                 "; decide that one first",
                                 ask->seat, ask->reference, number);
        else if (left.micros < ask->amount.micros)
            status = house_fault(deed->fault, STATUS_DENIED,
                                 "%s is more than the statement of %.16s billed %s and did not"
                                 " credit: %s",
                                 a, ask->reference, ask->seat,
                                 house_amount(left, house->currency, b));
        else if (open.micros < ask->amount.micros)
            status = house_fault(deed->fault, STATUS_DENIED,
                                 "%s owes %s by its bills now, less than %s: what was paid is given"
                                 " back by an adjustment, not by a dispute",
                                 ask->seat, house_amount(open, house->currency, b), a);
    }
    db_rows_free(rows);
    return status;
}

enum status
dispute_statement(struct db *db, const struct dispute_ask *ask, usec now, struct dispute *out,
                  char fault[DISPUTE_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    struct opening opening = {.kind = "statement"};
    struct house house;
    bool partner = false;
    memset(out, 0, sizeof *out);
    enum status status = house_words(ask->reason, ask->evidence, ask->author, fault);
    if (status == STATUS_OK)
        status = house_word(dispute_statement_reasons, ask->reason, &opening.reason, fault);
    if (status != STATUS_OK) return status;
    status = begin(&deed, ask->author);
    if (status == STATUS_OK) status = house_read(db, &house, fault);
    if (status == STATUS_OK) status = house_seat(db, ask->seat, &opening.seat, &partner, fault);
    if (status == STATUS_OK && !partner)
        status = house_fault(fault, STATUS_DENIED, "%s is a department: nothing is billed to it",
                             ask->seat);
    if (status == STATUS_OK &&
        (ask->amount.micros <= 0 || ask->amount.micros % period_cent(house.currency) != 0))
        status = house_fault(fault, STATUS_INPUT,
                             "a bill is in whole cents; write what is disputed as 12.50");
    if (status == STATUS_OK) status = may_dispute(&deed, ask, opening.seat, &house);
    if (status == STATUS_OK) status = insert(&deed, ask, &opening, &house, out);
    if (status == STATUS_OK) {
        out->amount = ask->amount;
        move(&deed, out->number, opening.seat, house.currency, ACCOUNT_DISPUTED, ACCOUNT_BILLED,
             opening.reason, ask->amount);
    }
    return conclude(&deed, status);
}

// --- Shares --------------------------------------------------------------------------------------

// Whether the seat earns of the order, and whether that is contested or was decided.
static enum status
may_contest(struct deed *deed, const struct dispute_ask *ask, uint32_t seat, struct id order)
{
    static const char sql[] =
        "select exists (select 1 from transfer_kept t where t.group_id = $1 and t.state = 'posted'"
        "  and t.kind not in ('hold', 'charge', 'release', 'internal', 'commission')"
        "  and $3 in (t.debit, t.credit)),"
        " (select d.state || ' ' || d.number from dispute_now d where d.order_id = $1"
        "  and d.seat = $2 and d.state in ('open', 'accepted') limit 1)";
    struct account account = {.code = ACCOUNT_GAIN_ACCRUED, .seat = seat};
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_id(order), db_int4((int32_t)seat),
                                      db_int8(account_number(account))};
    enum status status = db_query(deed->db, sql, params, 3, &rows);
    if (status == STATUS_OK && !db_get_bool(rows, 0, 0))
        status = house_fault(deed->fault, STATUS_DENIED, "%s earns nothing of order %s", ask->seat,
                             ask->reference);
    else if (status == STATUS_OK && !db_is_null(rows, 0, 1))
        status = house_fault(deed->fault, STATUS_EXISTS,
                             "%s's share of order %s is contested already (dispute, state and"
                             " number: %s)",
                             ask->seat, ask->reference, db_get_text(rows, 0, 1));
    db_rows_free(rows);
    return status;
}

// Moves what the dispute, as it stands now, moves of the order.
static enum status
let_stand(struct deed *deed, struct id order)
{
    struct life_terms *terms = life_terms_open();
    const struct life_task task = {.order = order, .effective = deed->now};
    enum status status = life_orders(deed->db, terms, deed->act, &task, 1, NULL);
    life_terms_close(terms);
    return status;
}

enum status
dispute_share(struct db *db, const struct dispute_ask *ask, usec now, struct dispute *out,
              char fault[DISPUTE_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    struct opening opening = {.kind = "share", .has_order = true};
    struct life_order order;
    struct house house;
    bool partner = false;
    memset(out, 0, sizeof *out);
    enum status status = house_words(ask->reason, ask->evidence, ask->author, fault);
    if (status == STATUS_OK)
        status = house_word(dispute_share_reasons, ask->reason, &opening.reason, fault);
    if (status != STATUS_OK) return status;
    status = begin(&deed, ask->author);
    if (status == STATUS_OK) status = house_read(db, &house, fault);
    if (status == STATUS_OK) status = house_seat(db, ask->seat, &opening.seat, &partner, fault);
    if (status == STATUS_OK && !partner)
        status = house_fault(fault, STATUS_DENIED,
                             "%s is a department: its shares are the house's own", ask->seat);
    if (status == STATUS_OK) {
        status = life_find(db, ask->reference, NULL, &order);
        life_find_fault(status, ask->reference, fault);
    }
    if (status == STATUS_OK) status = may_contest(&deed, ask, opening.seat, order.order);
    if (status == STATUS_OK) {
        opening.order = order.order;
        out->amount = money_of(0);
        status = insert(&deed, ask, &opening, &house, out);
    }
    if (status == STATUS_OK) status = let_stand(&deed, order.order);
    return conclude(&deed, status);
}

// --- The end -------------------------------------------------------------------------------------

static enum status
end(struct deed *deed, const struct db_rows *rows, uint64_t number, bool accepted,
    struct dispute *out)
{
    const char *kind = db_get_text(rows, 0, 0);
    uint32_t seat = (uint32_t)db_get_int(rows, 0, 1);
    memcpy(out->currency.code, db_get_text(rows, 0, 2), 3);
    const struct db_param params[] = {
        db_int8((int64_t)number),
        db_text(accepted ? "accepted" : "rejected"),
        db_time(deed->now),
        db_int8((int64_t)act_number(deed->act)),
    };
    enum status status = db_run(deed->db,
                                "insert into dispute_end (number, outcome, at_us, act)"
                                " values ($1, $2, $3, $4)",
                                params, 4, NULL);
    if (status != STATUS_OK) return status;
    if (strcmp(kind, "share") == 0) return let_stand(deed, db_get_id(rows, 0, 3));
    out->amount = db_get_money(rows, 0, 4);
    move(deed, number, seat, out->currency, accepted ? ACCOUNT_SLOT_ADJUSTMENTS : ACCOUNT_BILLED,
         ACCOUNT_DISPUTED, accepted ? "credit_note" : "rejected", out->amount);
    return STATUS_OK;
}

enum status
dispute_decide(struct db *db, uint64_t number, bool accepted, const char *why, const char *author,
               usec now, struct dispute *out, char fault[DISPUTE_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    struct db_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    out->number = number;
    if (!why || !*why || strlen(why) > BOUND_TEXT)
        return house_fault(fault, STATUS_INPUT, "say why: --reason, at most %d bytes", BOUND_TEXT);
    enum status status = begin(&deed, author);
    const struct db_param params[] = {db_int8((int64_t)number)};
    if (status == STATUS_OK)
        status = db_query(db,
                          "select kind, seat, currency, order_id, amount_micros, state from"
                          " dispute_now where number = $1",
                          params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0)
        status = house_fault(fault, STATUS_NOT_FOUND,
                             "there is no dispute %" PRIu64 "; slotctl dispute list", number);
    if (status == STATUS_OK && strcmp(db_get_text(rows, 0, 0), "chargeback") == 0)
        status = house_fault(fault, STATUS_DENIED,
                             "%" PRIu64 " is a chargeback: slotctl chargeback won or lost", number);
    if (status == STATUS_OK && strcmp(db_get_text(rows, 0, 5), "open") != 0)
        status = house_fault(fault, STATUS_EXISTS, "dispute %" PRIu64 " was %s before", number,
                             db_get_text(rows, 0, 5));
    if (status == STATUS_OK) {
        char text[24];
        snprintf(text, sizeof text, "%" PRIu64, number);
        act_note(deed.act, accepted ? "accept" : "reject", text);
        act_note(deed.act, "reason", why);
        status = end(&deed, rows, number, accepted, out);
    }
    db_rows_free(rows);
    return conclude(&deed, status);
}
