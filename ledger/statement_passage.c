// What stands beside the lines of a statement: the seat's accounts from opening to closing, and
// what finance did about the seat.
//
//  1 An account's opening is the balance that the last closed period before this one ended with,
//    and the sums of periods between; so periods whose transfers are kept elsewhere still count.
//  2 opening + movements = closing, on the account's normal side, each kind of transfer one
//    movement.
//  3 The bill is what the sections come to (statement_compute.c, rule 4).
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "statement_inside.h"

struct wanted {
    struct db *db;
    const struct period *period;
    int32_t seat;                  // 0: all
    struct statement *statements;  // by seat's number
    size_t count;
    struct arena *arena;
};

static int
by_seat(const void *left, const void *right)
{
    int32_t a = ((const struct statement *)left)->seat, b = ((const struct statement *)right)->seat;
    return (a > b) - (a < b);
}

static struct statement *
find(const struct wanted *wanted, int64_t seat)
{
    struct statement key = {.seat = (int32_t)seat};
    return bsearch(&key, wanted->statements, wanted->count, sizeof key, by_seat);
}

static bool
kind_parse(const char *name, enum transfer_kind *out_kind)
{
    for (int i = 0; i < TRANSFER_KIND_COUNT; i++) {
        if (strcmp(name, transfer_kind_name((enum transfer_kind)i)) != 0) continue;
        *out_kind = (enum transfer_kind)i;
        return true;
    }
    return false;
}

static money
on_normal_side(enum account_code code, uint32_t seat, money debit)
{
    struct account account = {.code = (uint16_t)code, .seat = seat};
    money out = debit;
    if (!account_debit_normal(account))
        CHECK(money_subtract(money_of(0), debit, &out) == STATUS_OK);
    return out;
}

// --- Accounts ------------------------------------------------------------------------------------

// What this period's bill moves on an account, debits positive.
static money
billed(const struct statement *statement, enum account_code code)
{
    const struct section *sections = statement->sections;
    money charged = sections[SECTION_CHARGED].total, due = sections[SECTION_DUE].total,
          back = sections[SECTION_CLAWBACK].total, all = money_of(0);
    if (code == ACCOUNT_BILLED) {
        CHECK(money_add(charged, due, &all) == STATUS_OK &&
              money_add(all, back, &all) == STATUS_OK);
        return all;
    }
    money of = code == ACCOUNT_UNBILLED          ? charged
               : code == ACCOUNT_GAIN_RECEIVABLE ? due
               : code == ACCOUNT_CLAWBACK        ? back
                                                 : money_of(0);
    CHECK(money_subtract(money_of(0), of, &all) == STATUS_OK);
    return all;
}

static struct passage *
passage_of(struct statement *statement, enum account_code code, struct currency currency,
           struct arena *arena)
{
    for (size_t i = 0; i < statement->passage_count; i++) {
        struct passage *passage = &statement->passages[i];
        if (passage->code == code && currency_same(passage->currency, currency)) return passage;
    }
    struct passage *longer = arena_take(arena, statement->passage_count + 1, sizeof *longer);
    for (size_t i = 0; i < statement->passage_count; i++) longer[i] = statement->passages[i];
    statement->passages = longer;
    struct passage *passage = &longer[statement->passage_count++];
    *passage = (struct passage){.code = code, .currency = currency};
    passage->movements = arena_take(arena, TRANSFER_KIND_COUNT, sizeof *passage->movements);
    return passage;
}

static enum status
move(struct passage *passage, uint32_t seat, enum transfer_kind kind, money debit)
{
    money amount = on_normal_side(passage->code, seat, debit);
    if (amount.micros == 0) return STATUS_OK;
    passage->movements[passage->count++] = (struct movement){kind, amount};
    return money_add(passage->closing, amount, &passage->closing);
}

static enum status
add_bill(struct statement *statement, struct arena *arena)
{
    static const enum account_code codes[] = {ACCOUNT_UNBILLED, ACCOUNT_BILLED,
                                              ACCOUNT_GAIN_RECEIVABLE, ACCOUNT_CLAWBACK};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof codes / sizeof *codes && status == STATUS_OK; i++) {
        money debit = billed(statement, codes[i]);
        if (debit.micros == 0) continue;
        struct passage *passage = passage_of(statement, codes[i], statement->currency, arena);
        status = move(passage, (uint32_t)statement->seat, TRANSFER_BILL, debit);
    }
    return status;
}

static int
by_kind(const void *left, const void *right)
{
    return (int)((const struct movement *)left)->kind - (int)((const struct movement *)right)->kind;
}

static int
by_account(const void *left, const void *right)
{
    const struct passage *a = left, *b = right;
    int order = memcmp(a->currency.code, b->currency.code, sizeof a->currency.code);
    return order != 0 ? order : (int)a->code - (int)b->code;
}

static enum status
take_row(const struct wanted *wanted, const struct db_rows *rows, size_t row)
{
    struct statement *statement = find(wanted, db_get_int(rows, row, 0));
    if (statement == NULL) return STATUS_OK;
    struct currency currency;
    enum transfer_kind kind = TRANSFER_HOLD;
    enum account_code code = (enum account_code)db_get_int(rows, row, 1);
    enum status status = currency_parse(db_get_text(rows, row, 2), db_get_len(rows, row, 2),
                                        &currency);
    if (status != STATUS_OK) return status;
    money debit = db_get_money(rows, row, 4);
    struct passage *passage = passage_of(statement, code, currency, wanted->arena);
    if (db_get_len(rows, row, 3) == 0) {
        passage->opening = on_normal_side(code, (uint32_t)statement->seat, debit);
        return money_add(passage->closing, passage->opening, &passage->closing);
    }
    if (!kind_parse(db_get_text(rows, row, 3), &kind)) return STATUS_DAMAGED;
    return move(passage, (uint32_t)statement->seat, kind, debit);
}

enum status
statement_passages(struct db *db, const struct period *period, int32_t seat,
                   struct statement *statements, size_t count, struct arena *arena)
{
    static const char sql[] =
        "with span as (select coalesce(max(b.period), '') as last from balance b"
        "  where b.period < $1)"
        " select seat, code, currency, kind, sum(micros)::bigint from ("
        "  select (b.account / 100000)::integer as seat, (b.account % 10000)::integer as code,"
        "   b.currency, '' as kind, (b.debit - b.credit)::numeric as micros"
        "   from balance b join span p on p.last = b.period where b.account >= 100000"
        "  union all select s.seat, s.code, s.currency,"
        "   case when s.period = $1 then s.kind else '' end, s.sign * s.micros"
        "   from statement_side s cross join span p where s.period > p.last and s.period <= $1"
        "   and not (s.period = $1 and s.kind = 'bill')) x"
        " where $2 in (0, seat)"
        "  and code in (1110, 1120, 1130, 1150, 1160, 2000, 2100, 2110, 2120, 2190)"
        " group by seat, code, currency, kind having sum(micros) <> 0"
        " order by seat, currency collate \"C\", code, kind collate \"C\"";
    const struct wanted wanted = {db, period, seat, statements, count, arena};
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name), db_int4(seat)};
    enum status status = db_query(db, sql, params, 2, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++)
        status = take_row(&wanted, rows, i);
    db_rows_free(rows);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = add_bill(&statements[i], arena);
        for (size_t k = 0; k < statements[i].passage_count; k++)
            qsort(statements[i].passages[k].movements, statements[i].passages[k].count,
                  sizeof(struct movement), by_kind);
        if (statements[i].passage_count > 0)
            qsort(statements[i].passages, statements[i].passage_count,
                  sizeof *statements[i].passages, by_account);
    }
    return status;
}

// --- Remarks -------------------------------------------------------------------------------------

static enum status
add_remark(const struct wanted *wanted, struct statement *statement, const struct db_rows *rows,
           size_t row)
{
    const char *reason = db_get_text(rows, row, 2), *reference = db_get_text(rows, row, 3);
    struct remark *longer = arena_take(wanted->arena, statement->remark_count + 1, sizeof *longer);
    for (size_t i = 0; i < statement->remark_count; i++) longer[i] = statement->remarks[i];
    statement->remarks = longer;
    struct remark *remark = &longer[statement->remark_count++];
    *remark = (struct remark){
        .what = arena_text(wanted->arena, db_get_text(rows, row, 1), db_get_len(rows, row, 1)),
        .text = arena_printf(wanted->arena, "%s%s%s", reason,
                             reason[0] != '\0' && reference[0] != '\0' ? ", " : "", reference),
        .at = db_get_time(rows, row, 4),
        .amount = db_get_money(rows, row, 6),
    };
    return currency_parse(db_get_text(rows, row, 5), db_get_len(rows, row, 5), &remark->currency);
}

// Disputes that were open at the fence, or would be at the end of the period, are told, too. A
// transfer between two accounts of the seat is told once. Acts are looked for from a month before
// the period on: what is done after an early close belongs to the month behind it.
enum status
statement_remarks(struct db *db, const struct period *period, int32_t seat,
                  struct statement *statements, size_t count, struct arena *arena)
{
    static const char sql[] =
        "select (s.own / 100000)::integer, t.kind, coalesce(t.reason, ''),"
        "  coalesce(t.reference, ''), t.effective_us, t.currency, s.sign * t.amount_micros,"
        "  t.batch, t.idx, t.leg"
        " from act a join transfer_kept t on t.log = 0 and t.batch = a.number and t.period = $1"
        " cross join lateral (values (t.debit, 1), (t.credit, -1)) as s (own, sign)"
        " where a.at_us >= $3 and t.state = 'posted' and t.kind in ('adjustment', 'dispute',"
        "   'chargeback', 'deposit', 'exchange', 'payout', 'paid', 'receipt')"
        "  and s.own >= 100000 and $2 in (0, s.own / 100000)"
        "  and (s.sign = 1 or t.debit / 100000 <> t.credit / 100000)"
        " union all select d.seat, 'open dispute', d.reason, d.reference, d.opened_us, d.currency,"
        "  d.amount_micros, d.number, 0, 0 from dispute_now d cross join ("
        "   select least($4::bigint, min(at_us)) as at_us from period_event"
        "   where period = $1 and step = 1) f"
        "  where $2 in (0, d.seat) and d.opened_us < f.at_us"
        "  and (d.ended_us is null or d.ended_us >= f.at_us)"
        " order by 1, 5, 8, 9, 10";
    const struct wanted wanted = {db, period, seat, statements, count, arena};
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name), db_int4(seat),
                                      db_int8(period->from.us - 32 * USEC_DAY),
                                      db_time(period->until)};
    enum status status = db_query(db, sql, params, 4, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct statement *statement = find(&wanted, db_get_int(rows, i, 0));
        if (statement != NULL) status = add_remark(&wanted, statement, rows, i);
    }
    db_rows_free(rows);
    return status;
}
