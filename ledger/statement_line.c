// A line of a statement, opened: its placements, what became of them in the period, and the
// transfers that add up to it.
//
//  1 A line is opened by what it is (section, slot, message, rung, tax terms), through the view
//    statement_transfer, which sorts single transfers into lines as statement_sum sorts their sums.
//    When they do not add up to the line, to the micro, that is said.
//  2 Placements of the seat are those that were won, or told of, or paid in the period on this
//    line. They bear the seat's own names, as in notices. Of a placement of another seat, in whose
//    order it has a part, nothing is told but the transfer.
//  3 What set a price is told as a winner may know it: the floor, or another bid; never whose.
//  4 Rows come from a cursor and go straight out: memory stays flat.
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "fail.h"
#include "reconcile_inside.h"
#include "statement_inside.h"

struct opening {
    struct db *db;
    struct statement statement;
    struct reconcile_seat seat;
    const struct statement_which *which;
    FILE *out;
    enum section_kind section;
    int64_t placements, transfers;
    money sum;
    struct id placement;  // that was told last
    bool any;
};

// $1 period, $2 seat, $3 section, $4 slot, $5 message, $6 rung, $7 adjusted.
static const char rows_sql[] =
    "declare opened no scroll cursor for"
    " with mine as (select id from message where seat_id = $2), told as ("
    "  select p.placement_id, 1 as number, o.at_us, 'won' as what, '' as reference, 0::bigint as"
    "   micros, false as late, 0 as contract from statement_placement p join outcome o"
    "   on o.placement_id = p.placement_id"
    "   where p.period = $1 and p.seat = $2 and p.section = $3 and p.slot = $4 and p.message = $5"
    "   and p.rung = $6 and $7 = 0"
    "  union all select e.placement_id, 2, e.effective_us, e.kind, '', 0, false, 0 from event e"
    "   join statement_placement p on p.placement_id = e.placement_id"
    "   where e.period = $1 and e.state = 'posted' and p.seat = $2 and p.section = $3"
    "   and p.slot = $4 and p.message = $5 and p.rung = $6 and $7 = 0"
    "  union all select r.placement_id, 2, r.effective_us, r.kind, r.key, r.amount_micros, false, 0"
    "   from revenue r join statement_placement p on p.placement_id = r.placement_id"
    "   where r.period = $1 and r.state in ('posted', 'no_share', 'waiting') and p.seat = $2"
    "   and (p.section = $3 or $3 = 'owed' and p.merchant = 'partner') and p.slot = $4"
    "   and p.message = $5 and p.rung = $6 and $7 = 0"
    "  union all select case when t.own then t.placement_id end, 3, t.effective_us, t.kind,"
    "   coalesce(case when t.own or t.placement_id is null then t.reference end, ''), t.micros,"
    "   t.late, t.contract from statement_transfer t"
    "   where t.period = $1 and t.seat = $2 and t.section = $3 and t.slot = $4"
    "   and case when t.message in (select id from mine) then t.message else 0 end = $5"
    "   and t.rung = $6 and t.adjusted = ($7 = 1) and t.currency = $8)"
    " select t.placement_id, t.number, t.at_us, t.what, t.reference, t.micros, t.late, t.contract,"
    "  o.at_us, o.kind, o.price_micros, o.setter is null"
    " from told t left join outcome o on o.placement_id = t.placement_id"
    " order by o.at_us nulls last, t.placement_id, t.number, t.at_us, t.what, t.micros";

static const char *
price_text(struct opening *opening, const struct db_rows *rows, size_t row,
           char out[MONEY_TEXT * 2])
{
    char text[MONEY_TEXT];
    int64_t kind = db_get_int(rows, row, 9);
    money_format(db_get_money(rows, row, 10), kind == 2 ? 0 : 6, text);
    if (kind == 2) {  // millionths of the revenue
        money_format(money_of(db_get_int(rows, row, 10) * 100), 0, text);
        snprintf(out, MONEY_TEXT * 2, "%s %% of the revenue", text);
    } else {
        snprintf(out, MONEY_TEXT * 2, "%s %s%s", text, opening->statement.currency.code,
                 kind == 1 ? " a response" : "");
    }
    return out;
}

// The placement that the rows behind belong to, when it is another one than before.
static void
tell_placement(struct opening *opening, const struct db_rows *rows, size_t row)
{
    char name[33] = "", at[CLOCK_TEXT] = "", price[MONEY_TEXT * 2] = "";
    struct id placement = db_get_id(rows, row, 0);
    bool own = !db_is_null(rows, row, 0) && !db_is_null(rows, row, 8);
    if (opening->any && memcmp(&placement, &opening->placement, sizeof placement) == 0) return;
    opening->any = true;
    opening->placement = placement;
    if (!own) {
        if (!opening->which->json) fprintf(opening->out, "\n  not of a placement of this seat\n");
        return;
    }
    opening->placements++;
    if (opening->which->json) return;
    reconcile_id_text(hash_rename(opening->seat.key, placement), name);
    clock_format(db_get_time(rows, row, 8), at);
    fprintf(opening->out, "\n  placement %s, contact %.19sZ, price %s, set by %s\n", name, at,
            price_text(opening, rows, row, price),
            db_get_bool(rows, row, 11) ? "the floor" : "the next bid");
}

static void
tell_json(struct opening *opening, const struct line *line, const struct db_rows *rows, size_t row)
{
    static const char *const numbers[] = {"", "fact", "fact", "transfer"};
    char name[33], price[MONEY_TEXT * 2];
    bool own = !db_is_null(rows, row, 0) && !db_is_null(rows, row, 8);
    json_t *object = json_pack(
        "{s:i, s:s, s:s, s:I, s:s, s:I, s:b}", "line", line->number, "row",
        numbers[db_get_int(rows, row, 1)], "what", db_get_text(rows, row, 3), "at_us",
        (json_int_t)db_get_int(rows, row, 2), "reference", db_get_text(rows, row, 4), "micros",
        (json_int_t)db_get_int(rows, row, 5), "late", (int)db_get_bool(rows, row, 6));
    CHECK(object != NULL);
    if (own) {
        reconcile_id_text(hash_rename(opening->seat.key, db_get_id(rows, row, 0)), name);
        CHECK(json_object_set_new(object, "placement", json_string(name)) == 0);
        CHECK(json_object_set_new(object, "contact_us", json_integer(db_get_int(rows, row, 8))) ==
              0);
        CHECK(json_object_set_new(object, "price",
                                  json_string(price_text(opening, rows, row, price))) == 0);
        CHECK(json_object_set_new(object, "set_by",
                                  json_string(db_get_bool(rows, row, 11) ? "floor" : "bid")) == 0);
    }
    CHECK(json_dumpf(object, opening->out, JSON_COMPACT) == 0);
    fputc('\n', opening->out);
    json_decref(object);
}

static void
tell_text(struct opening *opening, const struct db_rows *rows, size_t row)
{
    char at[CLOCK_TEXT], amount[MONEY_TEXT] = "";
    bool transfer = db_get_int(rows, row, 1) == 3;
    clock_format(db_get_time(rows, row, 2), at);
    if (db_get_int(rows, row, 5) != 0) money_format(db_get_money(rows, row, 5), 6, amount);
    const char *reference = db_get_text(rows, row, 4);
    fprintf(opening->out, "    %.19sZ  %s", at, db_get_text(rows, row, 3));
    if (transfer) fprintf(opening->out, "  %s", amount);
    else if (amount[0] != '\0') fprintf(opening->out, "  revenue %s", amount);
    if (reference[0] != '\0') fprintf(opening->out, "  %s", reference);
    fputc('\n', opening->out);
}

static enum status
tell_rows(struct opening *opening, const struct line *line, const struct db_rows *rows)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_count(rows) && status == STATUS_OK; i++) {
        if (db_get_int(rows, i, 1) == 3) {
            if (!statement_same_terms(&opening->statement, opening->section, line,
                                      db_get_int(rows, i, 7)))
                continue;
            opening->transfers++;
            status = money_add(opening->sum, db_get_money(rows, i, 5), &opening->sum);
        }
        tell_placement(opening, rows, i);
        if (opening->which->json) tell_json(opening, line, rows, i);
        else tell_text(opening, rows, i);
    }
    return status;
}

static void
tell_head(struct opening *opening, enum section_kind kind, const struct line *line)
{
    char amount[MONEY_TEXT];
    if (opening->which->json) return;
    money_format(line->amount, 6, amount);
    fprintf(opening->out, "Line %d of %s, %s: %s, %s%s%s%s%s%s%s%s\n", line->number,
            opening->statement.code, opening->statement.period.name, section_name(kind),
            line->container, line->container[0] != '\0' ? "." : "", line->slot,
            line->message[0] != '\0' ? ", " : "", line->message, line->rung[0] != '\0' ? ", " : "",
            line->rung, line->adjusted ? ", adjustments" : "");
    fprintf(opening->out, "%s %s\n", amount, opening->statement.currency.code);
}

static enum status
tell_end(struct opening *opening, const struct line *line)
{
    char sum[MONEY_TEXT];
    bool same = opening->sum.micros == line->amount.micros;
    money_format(opening->sum, 6, sum);
    if (!opening->which->json)
        fprintf(opening->out,
                "\n  %" PRId64 " placements, %" PRId64 " transfers, together %s %s%s\n",
                opening->placements, opening->transfers, sum, opening->statement.currency.code,
                same ? ": the line" : ", which is not the line");
    return same ? STATUS_OK : STATUS_CONFLICT;
}

static enum status
open_one(struct opening *opening, enum section_kind kind, const struct line *line)
{
    const struct statement *statement = &opening->statement;
    const struct db_param params[] = {
        db_text(statement->period.name), db_int4(statement->seat),
        db_text(section_name(kind)),     db_int4(line->slot_id),
        db_int4(line->message_id),       db_int4(line->rung_number),
        db_int4(line->adjusted),         db_text(statement->currency.code)};
    opening->placements = opening->transfers = 0;
    opening->sum = money_of(0);
    opening->any = false;
    opening->section = kind;
    tell_head(opening, kind, line);
    enum status status = db_begin(opening->db);
    if (status == STATUS_OK) status = db_script(opening->db, "set local statement_timeout = '6h'");
    if (status == STATUS_OK) status = db_run(opening->db, rows_sql, params, 8, NULL);
    for (bool more = true; status == STATUS_OK && more;) {
        struct db_rows *rows = NULL;
        status = db_query(opening->db, "fetch 2000 from opened", NULL, 0, &rows);
        more = status == STATUS_OK && db_count(rows) > 0;
        if (more) status = tell_rows(opening, line, rows);
        db_rows_free(rows);
    }
    if (status == STATUS_OK) status = db_commit(opening->db);
    else db_rollback(opening->db);
    return status == STATUS_OK ? tell_end(opening, line) : status;
}

static bool
wanted(const struct statement_which *which, const struct line *line)
{
    if (which->line != 0) return which->line == line->number;
    size_t container = strlen(line->container);
    if (which->message != NULL && strcmp(which->message, line->message) != 0) return false;
    return which->slot == NULL ||
           (strncmp(which->slot, line->container, container) == 0 &&
            which->slot[container] == '.' && strcmp(which->slot + container + 1, line->slot) == 0);
}

enum status
statement_line_open(struct db *db, const char *directory, const char *seat,
                    const struct period *period, const struct statement_which *which, FILE *out,
                    int *out_lines)
{
    struct opening opening = {.db = db, .which = which, .out = out};
    struct arena *arena = arena_open("statement line");
    int opened = 0;
    *out_lines = 0;
    enum status status = reconcile_seat(db, directory, seat, &opening.seat);
    if (status == STATUS_OK)
        status = statement_now(db, opening.seat.id, period, arena, &opening.statement);
    for (int i = 0; i < SECTION_COUNT && status == STATUS_OK; i++) {
        const struct section *section = &opening.statement.sections[i];
        *out_lines += (int)section->count;
        for (size_t k = 0; k < section->count && status == STATUS_OK; k++) {
            if (!wanted(which, &section->lines[k])) continue;
            if (opened++ > 0 && !which->json) fputc('\n', out);
            status = open_one(&opening, (enum section_kind)i, &section->lines[k]);
        }
    }
    if (status == STATUS_OK && opened == 0) status = STATUS_INPUT;
    arena_close(arena);
    return status;
}
