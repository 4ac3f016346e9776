// Statements computed from the sums of a period's transfers and facts, of one seat or of all.
//
//  1 Lines are the rows of the view statement_sum (migration 017: what each section counts), of
//    count_fold (what facts count for) and of life_pool (what became due), gathered by slot,
//    message and rung; adjustments, and amounts under other tax terms, stand on lines of their own.
//  2 Each section is rounded to cents together with what the last close carried over for it
//    (period_round), so the printed lines add up to the printed total and nothing below a cent is
//    ever lost.
//  3 "The last close" is the one fenced last before this period's own fence. So a closed statement
//    computed again gives the same bytes, whatever was closed since. Likewise the market is the one
//    at the fence, whose version the fence recorded.
//  4 Every account of the seat is told from its opening, through its movements by kind, to its
//    closing. The period's bills are those that its sections come to, not those that are booked:
//    they are booked after the statement (step 6 of the close), and must not change it.
//  5 The number of statements asked of the database is the same for one seat and for four thousand;
//    all of them read sums, none reads transfers but those of acts that the remarks name.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "publish.h"
#include "statement_inside.h"

// A computation under way: the statements, sorted by seat's number, of which all rows find theirs.
struct work {
    struct db *db;
    const struct period *period;
    struct arena *arena;
    int32_t seat;             // 0: all of them
    uint64_t market_version;  // at the fence; 0 the newest
    usec issued;
    const struct market *market;  // NULL: none was ever applied
    struct statement *statements;
    size_t count;
};

static const struct market_party no_party = {
    .legal_name = "",
    .street = "",
    .city = "",
    .postal_code = "",
    .country = "",
    .tax_id = "",
    .registration = "",
    .email = "",
    .iban = "",
    .bic = "",
};

static const char *
keep(struct arena *arena, const struct db_rows *rows, size_t row, size_t column)
{
    return arena_text(arena, db_get_text(rows, row, column), db_get_len(rows, row, column));
}

static int
by_seat(const void *left, const void *right)
{
    int32_t a = ((const struct statement *)left)->seat, b = ((const struct statement *)right)->seat;
    return (a > b) - (a < b);
}

static int
by_code(const void *left, const void *right)
{
    return strcmp(((const struct statement *)left)->code, ((const struct statement *)right)->code);
}

static struct statement *
find(const struct work *work, int64_t seat)
{
    struct statement key = {.seat = (int32_t)seat};
    return bsearch(&key, work->statements, work->count, sizeof key, by_seat);
}

// $1 period, $2 seat or 0.
static enum status
ask(const struct work *work, const char *sql, struct db_rows **out_rows)
{
    const struct db_param params[] = {db_text(work->period->name), db_int4(work->seat)};
    return db_query(work->db, sql, params, 2, out_rows);
}

// --- Who, and under which terms ------------------------------------------------------------------

static enum status
read_market(struct work *work)
{
    static const char sql[] =
        "select substring(record from 'market ([0-9]+)')::bigint, at_us from period_event"
        " where period = $1 and step = 1 and $2 >= 0";
    struct db_rows *rows = NULL;
    struct market *market = NULL;
    enum status status = ask(work, sql, &rows);
    work->issued = work->period->until;
    if (status == STATUS_OK && db_count(rows) > 0) {
        work->market_version = (uint64_t)db_get_int(rows, 0, 0);
        work->issued = db_get_time(rows, 0, 1);
    }
    db_rows_free(rows);
    if (status != STATUS_OK) return status;
    status = publish_load_market(work->db, work->market_version, work->arena, &market);
    work->market = status == STATUS_OK ? market : NULL;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

// Seats with something to say: an amount, a count, a deposit, something carried; or the one asked
// for. A seat that was removed keeps its name.
static enum status
read_seats(struct work *work)
{
    static const char sql[] =
        "with carried as ("
        " select distinct on (t.seat, t.section) t.seat, t.carried_out_micros as micros"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " where t.period <> $1 and e.at_us < coalesce((select f.at_us from period_event f"
        "  where f.period = $1 and f.step = 1), 9223372036854775807)"
        " order by t.seat, t.section, e.at_us desc, t.period desc)"
        " select s.id, s.code, coalesce(b.body ->> 'name', s.name, ''), s.kind, m.currency"
        " from seat s cross join market_now m"
        " left join lateral (select o.body from market_object o where o.kind = 'seat'"
        "  and o.id = s.id and o.version <= $3 and o.body is not null"
        "  order by o.version desc limit 1) b on true"
        " where s.id = $2 or $2 = 0 and s.id in ("
        "  select x.seat from (select distinct f.debit, f.credit from fold f"
        "   where f.period = $1 and f.state = 'posted') p"
        "   cross join lateral (values (p.debit / 100000), (p.credit / 100000)) as x (seat)"
        "  union select c.seat from count_fold c where c.period = $1"
        "  union select c.seat from carried c where c.micros <> 0)"
        " order by s.id";
    struct db_rows *rows = NULL;
    uint64_t version = work->market_version == 0 ? INT64_MAX : work->market_version;
    const struct db_param params[] = {db_text(work->period->name), db_int4(work->seat),
                                      db_int8((int64_t)version)};
    enum status status = db_query(work->db, sql, params, 3, &rows);
    work->count = status == STATUS_OK ? db_count(rows) : 0;
    work->statements = arena_take(work->arena, work->count + 1, sizeof *work->statements);
    for (size_t i = 0; i < work->count && status == STATUS_OK; i++) {
        struct statement *statement = &work->statements[i];
        memset(statement, 0, sizeof *statement);
        statement->version = 2;
        statement->seat = (int32_t)db_get_int(rows, i, 0);
        statement->code = keep(work->arena, rows, i, 1);
        statement->name = keep(work->arena, rows, i, 2);
        statement->kind = keep(work->arena, rows, i, 3);
        statement->period = *work->period;
        statement->contracts = statement->digest = statement->root = "";
        statement->party = statement->host = &no_party;
        statement->host_name = "";
        statement->issued = work->issued;
        for (int k = 0; k < SECTION_COUNT; k++) statement->sections[k].carried_from = "";
        status = currency_parse(db_get_text(rows, i, 4), db_get_len(rows, i, 4),
                                &statement->currency);
    }
    db_rows_free(rows);
    if (status == STATUS_OK && work->seat != 0 && work->count == 0) status = STATUS_NOT_FOUND;
    return status;
}

static void
name_parties(struct work *work)
{
    const struct market *market = work->market;
    if (market == NULL) return;
    for (size_t i = 0; i < work->count; i++) {
        work->statements[i].market = market;
        work->statements[i].host = &market->finance.party;
        work->statements[i].host_name = market->name[0] != '\0' ? market->name : market->code;
    }
    for (uint32_t i = 0; i < market->seat_count; i++) {
        struct statement *statement = find(work, market->seats[i].id);
        if (statement != NULL) statement->party = &market->seats[i].party;
    }
}

// The terms that a seat's contracts had while the period ran, and those of contracts that are gone
// and still moved money.
static enum status
read_contracts(struct work *work)
{
    static const char sql[] =
        "with moved as (select distinct f.contract as id from fold f where f.period = $1),"
        " said as (select o.id, o.code, o.body, o.version, v.at_us,"
        "   lead(v.at_us) over (partition by o.id order by o.version) as next_us"
        "  from market_object o join market_version v on v.version = o.version"
        "  where o.kind = 'contract' and o.version <= $5),"
        " chosen as (select s.code, s.body, s.version from said s where s.body is not null"
        "   and s.at_us < $4 and coalesce(s.next_us > $3, true)"
        "   and coalesce(extract(epoch from (s.body ->> 'from')::timestamptz), 0) * 1000000 < $4"
        "   and coalesce(extract(epoch from (s.body ->> 'until')::timestamptz) * 1000000 > $3,"
        "    true)"
        "  union (select distinct on (s.id) s.code, s.body, s.version from said s"
        "   join moved m on m.id = s.id where s.body is not null"
        "   order by s.id, s.version desc))"
        " select s.id, string_agg(distinct c.code || ' ('"
        "  || coalesce(case when s.kind = 'partner' then c.body ->> 'billing' end || ', ', '')"
        "  || 'charged on ' || coalesce(c.body ->> 'charge', 'delivery')"
        "  || coalesce(', ' || (c.body -> 'gain_share' ->> 'rate') || ' of revenue',"
        "     ', tiers from ' || (c.body -> 'gain_share' -> 'tiers' -> 0 ->> 'rate')"
        "     || ' of revenue', '') || ')', e'\\n')"
        " from chosen c join seat s on s.code = c.body ->> 'seat'"
        " where $2 in (0, s.id) group by s.id";
    struct db_rows *rows = NULL;
    uint64_t version = work->market_version == 0 ? INT64_MAX : work->market_version;
    const struct db_param params[] = {db_text(work->period->name), db_int4(work->seat),
                                      db_time(work->period->from), db_time(work->period->until),
                                      db_int8((int64_t)version)};
    enum status status = db_query(work->db, sql, params, 5, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct statement *statement = find(work, db_get_int(rows, i, 0));
        if (statement != NULL) statement->contracts = keep(work->arena, rows, i, 1);
    }
    db_rows_free(rows);
    return status;
}

static const struct market_contract *
contract_of(const struct market *market, int64_t id)
{
    if (market == NULL || id <= 0) return NULL;
    for (uint32_t i = 0; i < market->contract_count; i++)
        if (market->contracts[i].id == id) return &market->contracts[i];
    return NULL;
}

// --- Lines ---------------------------------------------------------------------------------------

// The seat's contract at the end of the period; of several the one that began last.
static const struct market_contract *
contract_at_end(const struct statement *statement)
{
    const struct market_contract *found = NULL;
    const struct market *market = statement->market;
    for (uint32_t i = 0; market != NULL && i < market->contract_count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        if (strcmp(contract->seat, statement->code) != 0 ||
            contract->from.us >= statement->period.until.us)
            continue;
        if (found == NULL || contract->from.us > found->from.us) found = contract;
    }
    return found;
}

// Tax terms of the seat's contract. A share of another seat's order bears that seat's contract:
// what counts then is the last contract of this seat; of none, a supply that is not taxed.
static void
tax_of(const struct statement *statement, int64_t contract, char *out_category, uint32_t *out_ppm)
{
    const struct market_contract *found = contract_of(statement->market, contract);
    if (found == NULL || strcmp(found->seat, statement->code) != 0)
        found = contract_at_end(statement);
    bool said = found != NULL && found->tax_category != '\0';
    *out_category = said ? found->tax_category : 'O';
    *out_ppm = said && found->tax_category == 'S' ? found->tax_ppm : 0;
}

// What was clawed back is billed when the contract says so.
static bool
is_billed(const struct market *market, enum section_kind kind, int64_t contract)
{
    if (kind != SECTION_CLAWBACK) return true;
    const struct market_contract *found = contract_of(market, contract);
    return found != NULL && found->clawback == CLAWBACK_BILL;
}

bool
statement_same_terms(const struct statement *statement, enum section_kind kind,
                     const struct line *line, int64_t contract)
{
    char category;
    uint32_t ppm;
    tax_of(statement, contract, &category, &ppm);
    return is_billed(statement->market, kind, contract) && category == line->tax_category &&
           ppm == line->tax_ppm;
}

static bool
same_line(const struct line *line, const struct db_rows *rows, size_t row)
{
    return line->slot_id == db_get_int(rows, row, 2) &&
           line->message_id == db_get_int(rows, row, 3) &&
           line->rung_number == db_get_int(rows, row, 4) &&
           line->adjusted == db_get_bool(rows, row, 5);
}

// The line of `section` that a row belongs to: the last one, if it is of the same things and, when
// the row bears money, of the same tax terms; else a new one. Rows come sorted by the line.
static struct line *
line_of(const struct work *work, const struct statement *statement, struct section *section,
        struct line *room, bool *had_money, const struct db_rows *rows, size_t row)
{
    int64_t contract = db_get_int(rows, row, 6);
    bool money_row = contract >= 0;
    char category = 'O';
    uint32_t ppm = 0;
    struct line *last = section->count > 0 ? &section->lines[section->count - 1] : NULL;
    if (money_row) tax_of(statement, contract, &category, &ppm);
    if (last != NULL && same_line(last, rows, row)) {
        bool fits = !money_row || !*had_money ||
                    (last->tax_category == category && last->tax_ppm == ppm);
        if (fits) {
            if (money_row) {
                last->tax_category = category;
                last->tax_ppm = ppm;
                *had_money = true;
            }
            return last;
        }
    }
    if (section->count == 0) section->lines = room;
    section->count++;
    *room = (struct line){.slot_id = (int32_t)db_get_int(rows, row, 2),
                          .message_id = (int32_t)db_get_int(rows, row, 3),
                          .rung_number = (int8_t)db_get_int(rows, row, 4),
                          .adjusted = db_get_bool(rows, row, 5),
                          .tax_category = category,
                          .tax_ppm = ppm,
                          .container = keep(work->arena, rows, row, 7),
                          .slot = keep(work->arena, rows, row, 8),
                          .message = keep(work->arena, rows, row, 9),
                          .rung = keep(work->arena, rows, row, 10)};
    *had_money = money_row;
    return room;
}

static enum status
add_row(struct line *line, struct section *section, const struct db_rows *rows, size_t row)
{
    line->won += db_get_int(rows, row, 11);
    line->delivered += db_get_int(rows, row, 12);
    line->ended += db_get_int(rows, row, 13);
    line->converted += db_get_int(rows, row, 14);
    line->refunded += db_get_int(rows, row, 15);
    enum status status = money_add(line->revenue, db_get_money(rows, row, 16), &line->revenue);
    if (status == STATUS_OK)
        status = money_add(line->amount, db_get_money(rows, row, 17), &line->amount);
    if (status == STATUS_OK)
        status = money_add(section->sum, db_get_money(rows, row, 17), &section->sum);
    return status;
}

// Rule 1. Contract -1: counts of facts, which come first of their line. Messages of other seats, in
// whose orders this one has a part, are not named, and their rows fall together.
static enum status
read_lines(struct work *work)
{
    static const char sql[] =
        "select l.seat, l.section, l.slot, coalesce(m.id, 0), l.rung, l.adjusted, l.contract,"
        "  coalesce(s.container, ''), coalesce(s.code, ''), coalesce(m.code, ''),"
        "  coalesce(r.name, ''), l.won, l.delivered, l.ended, l.converted, l.refunded, l.revenue,"
        "  l.micros"
        " from (select seat, section, slot, message, rung, adjusted, contract, 0::bigint as won,"
        "   delivered, 0::bigint as ended, converted, refunded, 0::bigint as revenue, micros,"
        "   currency from statement_sum where period = $1 and $2 in (0, seat)"
        "  union all select seat, section, slot, message, rung, false, -1, sum(won)::bigint,"
        "   sum(delivered)::bigint, sum(ended)::bigint, sum(converted)::bigint,"
        "   sum(refunded)::bigint, sum(revenue)::bigint, 0::bigint, currency from count_fold"
        "   where period = $1 and $2 in (0, seat)"
        "   group by seat, section, slot, message, rung, currency"
        "  union all select seat, 'due', slot, message, rung, false, contract, 0, 0, 0, 0, 0, 0,"
        "   sum(micros)::bigint, currency from life_pool where period = $1 and $2 in (0, seat)"
        "   group by seat, slot, message, rung, contract, currency) l"
        " join market_now n on n.currency = l.currency"
        " left join slot s on s.id = l.slot"
        " left join message m on m.id = l.message and m.seat_id = l.seat"
        " left join rung_name r on r.rung = l.rung"
        " order by l.seat, l.section collate \"C\", s.tagid collate \"C\", m.code collate \"C\","
        "  l.rung, l.slot, 4, l.adjusted, l.contract";
    struct db_rows *rows = NULL;
    enum status status = ask(work, sql, &rows);
    size_t count = status == STATUS_OK ? db_count(rows) : 0;
    struct line *lines = arena_take(work->arena, count + 1, sizeof *lines);
    size_t used = 0;
    bool had_money = false;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct statement *statement = find(work, db_get_int(rows, i, 0));
        enum section_kind kind = SECTION_CHARGED;
        CHECK(section_parse(db_get_text(rows, i, 1), &kind));  // the views hold the same words
        if (statement == NULL) continue;  // its seat has no row: named by `verify`
        if (!is_billed(work->market, kind, db_get_int(rows, i, 6))) continue;
        struct section *section = &statement->sections[kind];
        struct line *line = line_of(work, statement, section, &lines[used], &had_money, rows, i);
        if (line == &lines[used]) used++;
        status = add_row(line, section, rows, i);
    }
    db_rows_free(rows);
    return status;
}

// Rule 3.
static enum status
read_carried(struct work *work)
{
    static const char sql[] =
        "select distinct on (t.seat, t.section) t.seat, t.section, t.carried_out_micros, t.period"
        " from statement_total t join period_event e on e.period = t.period and e.step = 1"
        " join market_now n on n.currency = t.currency"
        " where $2 in (0, t.seat) and t.period <> $1 and e.at_us < coalesce("
        "  (select f.at_us from period_event f where f.period = $1 and f.step = 1),"
        "  9223372036854775807)"
        " order by t.seat, t.section, e.at_us desc, t.period desc";
    struct db_rows *rows = NULL;
    enum status status = ask(work, sql, &rows);
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        struct statement *statement = find(work, db_get_int(rows, i, 0));
        enum section_kind kind = SECTION_CHARGED;
        // A word that no section has was written by nobody of ours; statement_check names it.
        if (statement == NULL || !section_parse(db_get_text(rows, i, 1), &kind)) continue;
        statement->sections[kind].carried_in = db_get_money(rows, i, 2);
        statement->sections[kind].carried_from = keep(work->arena, rows, i, 3);
    }
    db_rows_free(rows);
    return status;
}

// --- The whole -----------------------------------------------------------------------------------

static enum status
compute(struct work *work)
{
    enum status status = read_market(work);
    if (status == STATUS_OK) status = read_seats(work);
    if (status == STATUS_OK) name_parties(work);
    if (status == STATUS_OK) status = read_contracts(work);
    if (status == STATUS_OK) status = read_lines(work);
    if (status == STATUS_OK) status = read_carried(work);
    for (size_t i = 0; i < work->count && status == STATUS_OK; i++)
        status = statement_round(&work->statements[i], work->arena);
    if (status == STATUS_OK)
        status = statement_passages(work->db, work->period, work->seat, work->statements,
                                    work->count, work->arena);
    if (status == STATUS_OK)
        status = statement_remarks(work->db, work->period, work->seat, work->statements,
                                   work->count, work->arena);
    return status;
}

enum status
statement_compute(struct db *db, int32_t seat, const struct period *period, struct arena *arena,
                  struct statement *out_statement)
{
    int version = 0;
    enum status status = statement_version(db, period, &version);
    if (status != STATUS_OK) return status;
    if (version == 1) return statement_first(db, seat, period, arena, out_statement);
    return statement_now(db, seat, period, arena, out_statement);
}

enum status
statement_now(struct db *db, int32_t seat, const struct period *period, struct arena *arena,
              struct statement *out_statement)
{
    struct work work = {.db = db, .period = period, .arena = arena, .seat = seat};
    enum status status = compute(&work);
    if (status == STATUS_OK) *out_statement = work.statements[0];
    return status;
}

static enum status
all_first(struct db *db, const struct period *period, struct arena *arena,
          struct statement **out_statements, size_t *out_count)
{
    int32_t *seats = NULL;
    enum status status = statement_first_seats(db, period, arena, &seats, out_count);
    *out_statements = arena_take(arena, *out_count + 1, sizeof **out_statements);
    for (size_t i = 0; i < *out_count && status == STATUS_OK; i++)
        status = statement_first(db, seats[i], period, arena, &(*out_statements)[i]);
    return status;
}

enum status
statement_all(struct db *db, const struct period *period, struct arena *arena,
              struct statement **out_statements, size_t *out_count)
{
    struct work work = {.db = db, .period = period, .arena = arena};
    int version = 0;
    *out_statements = NULL;
    *out_count = 0;
    enum status status = statement_version(db, period, &version);
    if (status != STATUS_OK) return status;
    if (version == 1) return all_first(db, period, arena, out_statements, out_count);
    status = compute(&work);
    if (status != STATUS_OK) return status;
    qsort(work.statements, work.count, sizeof *work.statements, by_code);
    *out_statements = work.statements;
    *out_count = work.count;
    return STATUS_OK;
}
