// Statements of periods that the released version fenced, computed as it did, so that they come out
// byte for byte as they were sent (statement_version).
//
//  1 A statement's lines are the rows of the view statement_line: every posted transfer and every
//    fact of the period on exactly one line of one section of one seat, in a fixed order.
//  2 What was carried in is what the close fenced last before this period's own fence carried out.
//  3 Names and terms are those of the market at the fence, whose version the fence recorded.
#include <string.h>

#include "fail.h"
#include "statement_inside.h"

static struct section *
section_of(struct statement *statement, const char *name)
{
    enum section_kind kind = SECTION_CHARGED;
    CHECK(section_parse(name, &kind));  // the view and section_parse hold the same words
    return &statement->sections[kind];
}

static const char *
keep(struct arena *arena, const struct db_rows *rows, size_t row, size_t column)
{
    return arena_text(arena, db_get_text(rows, row, column), db_get_len(rows, row, column));
}

// The contracts are those in force in the period and those by which its placements were won, each
// with the terms it had then: an edited or removed contract stays behind what it decided. Names and
// terms of a fenced period are those of the market at its fence (rule 3).
static enum status
read_seat(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "with fence as (select coalesce(("
        "  select substring(record from 'market ([0-9]+)')::bigint from period_event"
        "  where period = $4 and step = 1), 9223372036854775807) as version)"
        " select s.code, coalesce(b.body ->> 'name', s.name, ''), s.kind, m.currency,"
        "  coalesce(c.text, '')"
        " from seat s cross join market_now m cross join fence f"
        " left join lateral (select o.body from market_object o where o.kind = 'seat'"
        "  and o.id = s.id and o.version <= f.version and o.body is not null"
        "  order by o.version desc limit 1) b on true"
        " cross join lateral ("
        "  select string_agg(distinct x.code || ' ('"
        "    || coalesce(case when s.kind = 'partner' then x.body ->> 'billing' end || ', ', '')"
        "    || 'charged on ' || coalesce(x.body ->> 'charge', 'delivery')"
        "    || coalesce(', ' || (x.body -> 'gain_share' ->> 'rate') || ' of revenue', '') || ')',"
        "    e'\\n') as text"
        "  from (select n.code, n.body from (select distinct on (o.id) o.code, o.body"
        "     from market_object o where o.kind = 'contract' and o.version <= f.version"
        "     order by o.id, o.version desc) n where n.body ->> 'seat' = s.code"
        "     and coalesce(extract(epoch from (n.body ->> 'from')::timestamptz), 0) * 1000000 < $3"
        "     and coalesce(extract(epoch from (n.body ->> 'until')::timestamptz) * 1000000 > $2,"
        "      true)"
        "    union all select b.code, b.body from ("
        "     select o.contract, o.market_version from outcome o"
        "     where o.period = $4 and o.seat = s.id and o.contract is not null"
        "     union select o.contract, o.market_version from transfer_kept t"
        "     join outcome o on o.placement_id = t.placement_id"
        "     where t.period = $4 and t.seat = s.id and o.contract is not null) u"
        "    cross join lateral (select m.code, m.body from market_object m"
        "     where m.kind = 'contract' and m.id = u.contract and m.version <= u.market_version"
        "      and m.body is not null order by m.version desc limit 1) b) x) c"
        " where s.id = $1";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(statement->seat), db_int8(statement->period.from.us),
                                      db_int8(statement->period.until.us),
                                      db_text(statement->period.name)};
    enum status status = db_query(db, sql, params, 4, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        statement->code = keep(arena, rows, 0, 0);
        statement->name = keep(arena, rows, 0, 1);
        statement->kind = keep(arena, rows, 0, 2);
        status = currency_parse(db_get_text(rows, 0, 3), db_get_len(rows, 0, 3),
                                &statement->currency);
        statement->contracts = keep(arena, rows, 0, 4);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_lines(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "select l.section, coalesce(s.container, ''), coalesce(s.code, ''), coalesce(m.code, ''),"
        "  coalesce(r.name, ''), l.won, l.delivered, l.ended, l.converted, l.refunded,"
        "  l.revenue_micros, l.micros"
        " from statement_line l left join slot s on s.id = l.slot"
        "  left join message m on m.id = l.message"
        "  left join rung_name r on r.rung = l.rung"
        " where l.period = $1 and l.seat = $2 and l.currency = $3"
        " order by l.section collate \"C\", s.tagid collate \"C\", m.code collate \"C\","
        "  l.rung, l.slot, l.message";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(statement->period.name), db_int4(statement->seat),
                                      db_text(statement->currency.code)};
    enum status status = db_query(db, sql, params, 3, &rows);
    size_t count = status == STATUS_OK ? db_count(rows) : 0;
    struct line *lines = arena_take(arena, count + 1, sizeof *lines);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct section *section = section_of(statement, db_get_text(rows, i, 0));
        if (section->count == 0) section->lines = &lines[i];
        section->count++;
        lines[i] = (struct line){
            .container = keep(arena, rows, i, 1),
            .slot = keep(arena, rows, i, 2),
            .message = keep(arena, rows, i, 3),
            .rung = keep(arena, rows, i, 4),
            .won = db_get_int(rows, i, 5),
            .delivered = db_get_int(rows, i, 6),
            .ended = db_get_int(rows, i, 7),
            .converted = db_get_int(rows, i, 8),
            .refunded = db_get_int(rows, i, 9),
            .revenue = db_get_money(rows, i, 10),
            .amount = db_get_money(rows, i, 11),
        };
        status = money_add(section->sum, lines[i].amount, &section->sum);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_carried(struct db *db, struct arena *arena, struct statement *statement)
{
    static const char sql[] =
        "select distinct on (t.section) t.section, t.carried_out_micros, t.period"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " where t.seat = $1 and t.currency = $2 and t.period <> $3 and e.at_us < coalesce("
        "  (select f.at_us from period_event f where f.period = $3 and f.step = 1),"
        "  9223372036854775807)"
        " order by t.section, e.at_us desc, t.period desc";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4(statement->seat), db_text(statement->currency.code),
                                      db_text(statement->period.name)};
    enum status status = db_query(db, sql, params, 3, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        enum section_kind kind = SECTION_CHARGED;
        if (!section_parse(db_get_text(rows, i, 0), &kind)) continue;  // statement_check names it
        struct section *section = &statement->sections[kind];
        section->carried_in = db_get_money(rows, i, 1);
        section->carried_from = keep(arena, rows, i, 2);
    }
    db_rows_free(rows);
    return status;
}

static enum status
read_deposit(struct db *db, struct statement *statement)
{
    static const char sql[] =
        "select coalesce(-sum(m) filter (where period < $3), 0)::bigint,"
        "  coalesce(-sum(m) filter (where period = $3 and kind = 'deposit'), 0)::bigint,"
        "  coalesce(sum(m) filter (where period = $3 and kind <> 'deposit'), 0)::bigint,"
        "  coalesce(-sum(m), 0)::bigint, count(*)"
        " from (select period, kind, sign * micros as m from statement_side"
        "  where currency = $1 and code = 2000 and seat = $2 and period <= $3) s";
    const struct db_param params[] = {db_text(statement->currency.code), db_int4(statement->seat),
                                      db_text(statement->period.name)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, params, 3, &rows);
    if (status == STATUS_OK) {
        statement->has_deposit = db_get_int(rows, 0, 4) > 0;
        statement->deposit.opening = db_get_money(rows, 0, 0);
        statement->deposit.paid_in = db_get_money(rows, 0, 1);
        statement->deposit.used = db_get_money(rows, 0, 2);
        statement->deposit.closing = db_get_money(rows, 0, 3);
    }
    db_rows_free(rows);
    return status;
}

enum status
statement_first(struct db *db, int32_t seat, const struct period *period, struct arena *arena,
                struct statement *out_statement)
{
    memset(out_statement, 0, sizeof *out_statement);
    out_statement->version = 1;
    out_statement->seat = seat;
    out_statement->period = *period;
    out_statement->digest = out_statement->root = "";
    for (int i = 0; i < SECTION_COUNT; i++) out_statement->sections[i].carried_from = "";
    enum status status = read_seat(db, arena, out_statement);
    if (status == STATUS_OK) status = read_lines(db, arena, out_statement);
    if (status == STATUS_OK) status = read_carried(db, arena, out_statement);
    if (status == STATUS_OK) status = read_deposit(db, out_statement);
    if (status == STATUS_OK) status = statement_round(out_statement, arena);
    return status;
}

enum status
statement_first_seats(struct db *db, const struct period *period, struct arena *arena,
                      int32_t **out_seats, size_t *out_count)
{
    static const char sql[] =
        "with carried as ("
        " select distinct on (t.seat, t.section) t.seat, t.carried_out_micros as micros"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " where t.period <> $1 and e.at_us < coalesce((select f.at_us from period_event f"
        "  where f.period = $1 and f.step = 1), 9223372036854775807)"
        " order by t.seat, t.section, e.at_us desc, t.period desc)"
        " select s.id from seat s where s.id in ("
        "  select p.seat from statement_part p where p.period = $1"
        "  union select d.seat from deposit d where d.period = $1"
        "  union select c.seat from carried c where c.micros <> 0)"
        " order by s.code collate \"C\"";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(period->name)};
    enum status status = db_query(db, sql, params, 1, &rows);
    *out_count = status == STATUS_OK ? db_count(rows) : 0;
    *out_seats = arena_take(arena, *out_count + 1, sizeof **out_seats);
    for (size_t i = 0; i < *out_count; i++) (*out_seats)[i] = (int32_t)db_get_int(rows, i, 0);
    db_rows_free(rows);
    return status;
}
