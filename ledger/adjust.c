// Adjustments.
//
//  1 A proposal is a row under the number of its act; its end is another one, once: approved by an
//    act that books it, or refused. At or below the limit it is both in one act.
//  2 Only posted charges, internal prices, commissions and shares can be adjusted, and all
//    adjustments of a transfer together, waiting ones too, are at most its amount. What is held is
//    not posted: it is cancelled, not adjusted; so no win has both a void and an adjustment.
//  3 The mirror turns the transfer's accounts round. Against 4090 or 5400 only what a partner pays
//    can be adjusted, on the account it was charged on.
//  4 It is booked in the open period by its effective time, and names the transfer as its origin.
//  5 The adjustment of a share belongs to its order: what is locked already follows (life.h).
#include "adjust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "fail.h"
#include "house.h"

const char *const adjust_reasons[] = {"not_rendered",      "invalid",         "playback_error",
                                      "lost_in_mediation", "over_delivered",  "duplicate",
                                      "wrong_price",       "cancelled_order", "compliance_breach",
                                      "fraudulent",        "non_fulfilment",  "not_authorised",
                                      "returned",          "self_referral",   "test_purchase",
                                      "goodwill",          "correction",      NULL};

const char *
adjust_to_name(enum adjust_to to)
{
    switch (to) {
    case ADJUST_MIRROR: return "mirror";
    case ADJUST_CREDIT_NOTE: return "adjustments";
    case ADJUST_GOODWILL: return "goodwill";
    }
    CHECK(false);
}

struct deed {
    struct db *db;
    usec now;
    struct act *act;
    char *fault;
    struct transfer of;  // that is adjusted
    bool share;          // it is a part of an order's pool
};

static enum status
begin(struct deed *deed, const char *author, const char *approver)
{
    deed->fault[0] = '\0';
    enum status status = db_begin(deed->db);
    if (status == STATUS_OK)
        status = act_begin(deed->db, "adjustment", author, approver, deed->now, &deed->act);
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

static bool
is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(word, *words) == 0) return true;
    }
    return false;
}

// Rule 2, and what is adjusted.
static enum status
read_transfer(struct deed *deed, struct id id, money *out_left)
{
    static const char sql[] =
        "select t.kind, t.state, t.debit, t.credit, t.currency, t.amount_micros, t.group_id,"
        " coalesce(t.seat, 0), coalesce(t.contract, 0), coalesce(t.slot, 0),"
        " coalesce(t.message, 0), t.placement_id, coalesce(t.objectives, 0),"
        " coalesce(t.rung, (-1)::smallint), coalesce(o.rung, (-1)::smallint),"
        " coalesce(t.reference, ''), coalesce(t.model, 0),"
        " (select coalesce(sum(a.amount_micros), 0)::bigint from adjustment a"
        "  left join adjustment_end e on e.number = a.number"
        "  where a.adjusts = $1 and coalesce(e.outcome, '') <> 'refused')"
        " from transfer_key k join transfer_kept t on t.log = k.log and t.batch = k.batch"
        "  and t.idx = k.idx and t.transfer_id = k.transfer_id"
        " left join outcome o on o.placement_id = t.placement_id where k.transfer_id = $1";
    static const char *const shares[] = {"share", "refund", "credit", "true_up", NULL};
    static const char *const prices[] = {"charge", "internal", "commission", NULL};
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_id(id)};
    enum status status = db_query(deed->db, sql, params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0)
        status = house_fault(deed->fault, STATUS_NOT_FOUND,
                             "there is no such transfer; slotctl export PERIOD --format csv lists"
                             " them with their ids");
    if (status != STATUS_OK) goto done;
    const char *kind = db_get_text(rows, 0, 0);
    deed->share = is_one_of(kind, shares);
    deed->of = (struct transfer){
        .debit = account_of_number(db_get_int(rows, 0, 2)),
        .credit = account_of_number(db_get_int(rows, 0, 3)),
        .amount = db_get_money(rows, 0, 5),
        .group = db_get_id(rows, 0, 6),
        .origin = id,
        .seat = (uint32_t)db_get_int(rows, 0, 7),
        .contract = (uint32_t)db_get_int(rows, 0, 8),
        .slot = (uint32_t)db_get_int(rows, 0, 9),
        .message = (uint32_t)db_get_int(rows, 0, 10),
        .placement = db_get_id(rows, 0, 11),
        .objectives = (uint16_t)db_get_int(rows, 0, 12),
        .rung = (int8_t)db_get_int(rows, 0, 13),
        .won_rung = (int8_t)db_get_int(rows, 0, 14),
        .model = (uint32_t)db_get_int(rows, 0, 16),
    };
    memcpy(deed->of.currency.code, db_get_text(rows, 0, 4), 3);
    snprintf(deed->of.reference, sizeof deed->of.reference, "%s", db_get_text(rows, 0, 15));
    if (strcmp(db_get_text(rows, 0, 1), "posted") != 0)
        status = house_fault(deed->fault, STATUS_DENIED,
                             "this one is %s, not posted: a placement that is held is cancelled"
                             " (event.cancelled), not adjusted",
                             db_get_text(rows, 0, 1));
    else if (!deed->share && !is_one_of(kind, prices))
        status = house_fault(deed->fault, STATUS_DENIED,
                             "a %s is finance's own; adjust the charge, internal price, commission"
                             " or share behind it",
                             kind);
    else status = money_subtract(deed->of.amount, db_get_money(rows, 0, 17), out_left);
done:
    db_rows_free(rows);
    return status;
}

static bool
partner_pays(struct account account)
{
    return account.code == ACCOUNT_UNBILLED || account.code == ACCOUNT_PREPAID;
}

// Rule 3.
static enum status
turn_round(struct deed *deed, enum adjust_to to, struct transfer *out)
{
    *out = deed->of;
    out->debit = deed->of.credit;
    out->credit = deed->of.debit;
    if (to == ADJUST_MIRROR) return STATUS_OK;
    if (!partner_pays(out->credit) || deed->share)
        return house_fault(deed->fault, STATUS_DENIED,
                           "only what a partner pays can be adjusted against %s; use --to mirror",
                           adjust_to_name(to));
    out->debit = (struct account){.code = to == ADJUST_GOODWILL ? ACCOUNT_GOODWILL
                                                                : ACCOUNT_SLOT_ADJUSTMENTS};
    return STATUS_OK;
}

// Books what was proposed under `number`, and the end of the proposal.
static enum status
book(struct deed *deed, uint64_t number, enum adjust_to to, money amount, usec effective,
     const char *reason, struct adjust *out)
{
    struct transfer one;
    struct period period;
    enum status status = turn_round(deed, to, &one);
    if (status != STATUS_OK) return status;
    one.id = hash_id("adjustment", &number, sizeof number);
    if (!deed->share) one.group = one.id;  // rule 5
    one.kind = TRANSFER_ADJUSTMENT;
    one.state = TRANSFER_POSTED;
    one.amount = amount;
    one.effective = effective;
    one.reason = reason;
    act_transfer(deed->act, &one);
    period_of(effective, act_fenced_until(deed->act), &period);
    memcpy(out->period, period.name, sizeof out->period);
    out->booked = true;
    const struct db_param params[] = {db_int8((int64_t)number),
                                      db_int8((int64_t)act_number(deed->act))};
    status = db_run(deed->db,
                    "insert into adjustment_end (number, outcome, act) values ($1, 'approved', $2)",
                    params, 2, NULL);
    const struct db_param todo[] = {db_id(one.group), db_time(effective)};
    if (status == STATUS_OK && deed->share)
        status = db_run(deed->db,
                        "insert into life_todo (order_id, effective_us) select $1::uuid, $2::bigint"
                        " where exists (select 1 from life_lock where order_id = $1)"
                        " on conflict do nothing",
                        todo, 2, NULL);
    return status;
}

static enum status
check(struct deed *deed, const struct adjust_ask *ask, money left, money *out_amount)
{
    char a[HOUSE_AMOUNT], b[HOUSE_AMOUNT];
    struct transfer one;
    *out_amount = ask->amount.micros == 0 ? left : ask->amount;
    if (ask->amount.micros < 0)
        return house_fault(deed->fault, STATUS_INPUT, "the amount is above 0: what is corrected");
    if (left.micros <= 0)
        return house_fault(deed->fault, STATUS_EXISTS,
                           "all of this transfer is adjusted already; slotctl adjust list");
    if (out_amount->micros > left.micros)
        return house_fault(deed->fault, STATUS_DENIED,
                           "%s is more than what is left of this transfer: %s",
                           house_amount(*out_amount, deed->of.currency, a),
                           house_amount(left, deed->of.currency, b));
    if (ask->effective.us > deed->now.us)
        return house_fault(deed->fault, STATUS_INPUT, "--effective lies in the future");
    return turn_round(deed, ask->to, &one);
}

static enum status
insert(struct deed *deed, const struct adjust_ask *ask, const char *reason, usec effective,
       const struct adjust *out)
{
    char text[ID_TEXT];
    id_format(ask->transfer, text);
    act_note(deed->act, "adjusts", text);
    act_note_money(deed->act, "amount", out->amount, out->currency);
    act_note(deed->act, "against", adjust_to_name(ask->to));
    act_note(deed->act, "reason", reason);
    act_note(deed->act, "evidence", ask->evidence);
    const struct db_param params[] = {
        db_int8((int64_t)out->number),    db_id(ask->transfer), db_money(out->amount),
        db_text(adjust_to_name(ask->to)), db_time(effective),   db_text(reason),
        db_text(ask->evidence),           db_text(ask->author),
    };
    return db_run(deed->db,
                  "insert into adjustment (number, adjusts, amount_micros, to_account,"
                  " effective_us, reason, evidence, author)"
                  " values ($1, $2, $3, $4, $5, $6, $7, $8)",
                  params, 8, NULL);
}

enum status
adjust_propose(struct db *db, const struct adjust_ask *ask, usec now, struct adjust *out,
               char fault[ADJUST_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    usec effective = ask->effective.us > 0 ? ask->effective : now;
    const char *reason = NULL;
    struct house house;
    money left;
    memset(out, 0, sizeof *out);
    enum status status = house_words(ask->reason, ask->evidence, ask->author, fault);
    if (status == STATUS_OK) status = house_word(adjust_reasons, ask->reason, &reason, fault);
    if (status != STATUS_OK) return status;
    status = begin(&deed, ask->author, "");
    if (status == STATUS_OK) status = house_read(db, &house, fault);
    if (status == STATUS_OK) status = read_transfer(&deed, ask->transfer, &left);
    if (status == STATUS_OK) status = check(&deed, ask, left, &out->amount);
    if (status == STATUS_OK) {
        out->number = act_number(deed.act);
        out->currency = deed.of.currency;
        status = insert(&deed, ask, reason, effective, out);
    }
    if (status == STATUS_OK && out->amount.micros <= house.approve_above.micros)
        status = book(&deed, out->number, ask->to, out->amount, effective, reason, out);
    return conclude(&deed, status);
}

// The proposal, when it waits for this person.
static enum status
read_proposal(struct deed *deed, uint64_t number, bool approve, const char *person,
              struct db_rows **out_rows)
{
    const struct db_param params[] = {db_int8((int64_t)number)};
    enum status status = db_query(
        deed->db,
        "select a.adjusts, a.amount_micros, a.to_account, a.effective_us, a.reason, a.author,"
        " coalesce(e.outcome, 'waiting') from adjustment a"
        " left join adjustment_end e on e.number = a.number where a.number = $1",
        params, 1, out_rows);
    if (status != STATUS_OK) return status;
    if (db_count(*out_rows) == 0)
        return house_fault(deed->fault, STATUS_NOT_FOUND,
                           "there is no adjustment %" PRIu64 "; slotctl adjust list", number);
    if (strcmp(db_get_text(*out_rows, 0, 6), "waiting") != 0)
        return house_fault(deed->fault, STATUS_EXISTS, "adjustment %" PRIu64 " was %s before",
                           number, db_get_text(*out_rows, 0, 6));
    if (approve && strcmp(db_get_text(*out_rows, 0, 5), person) == 0)
        return house_fault(deed->fault, STATUS_DENIED,
                           "%s proposed it, so another person approves it: --by NAME", person);
    return STATUS_OK;
}

static enum status
approve_it(struct deed *deed, const struct db_rows *rows, uint64_t number, struct adjust *out)
{
    enum adjust_to to = ADJUST_MIRROR;
    const char *reason = NULL;
    money left;
    while (to < ADJUST_GOODWILL && strcmp(adjust_to_name(to), db_get_text(rows, 0, 2)) != 0) to++;
    enum status status = house_word(adjust_reasons, db_get_text(rows, 0, 4), &reason, deed->fault);
    if (status == STATUS_OK) status = read_transfer(deed, db_get_id(rows, 0, 0), &left);
    out->amount = db_get_money(rows, 0, 1);
    out->currency = deed->of.currency;
    if (status == STATUS_OK)
        status = book(deed, number, to, out->amount, db_get_time(rows, 0, 3), reason, out);
    return status;
}

enum status
adjust_decide(struct db *db, uint64_t number, bool approve, const char *person, usec now,
              struct adjust *out, char fault[ADJUST_FAULT])
{
    struct deed deed = {.db = db, .now = now, .fault = fault};
    struct db_rows *rows = NULL;
    char text[24];
    memset(out, 0, sizeof *out);
    out->number = number;
    enum status status = begin(&deed, person, approve ? person : "");
    if (status == STATUS_OK) status = read_proposal(&deed, number, approve, person, &rows);
    if (status == STATUS_OK) {
        snprintf(text, sizeof text, "%" PRIu64, number);
        act_note(deed.act, approve ? "approve" : "refuse", text);
    }
    if (status == STATUS_OK && approve) status = approve_it(&deed, rows, number, out);
    const struct db_param params[] = {db_int8((int64_t)number),
                                      db_int8(deed.act ? (int64_t)act_number(deed.act) : 0)};
    if (status == STATUS_OK && !approve)
        status = db_run(db,
                        "insert into adjustment_end (number, outcome, act)"
                        " values ($1, 'refused', $2)",
                        params, 2, NULL);
    db_rows_free(rows);
    return conclude(&deed, status);
}
