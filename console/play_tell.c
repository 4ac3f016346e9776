// What came of contacts, as people like to read it. One query gives every slot of every contact in
// order; the tables that sum up are made by the database.
#include "play_tell.h"

#include <inttypes.h>
#include <string.h>

#include "table.h"

// Columns of the query below.
enum {
    KEY,
    CONTAINER,
    CONTAINER_NAME,
    TAGID,
    FILLED,
    MESSAGE,
    SEAT,
    RUNG,
    BID,
    PRICE,
    SETTER,
    REASON,
    KIND
};
// Who set the price of an outcome `o`, whose setter's seat is `p` and whose place in the record is
// `d`: without a setter the floor did, or the deal, or (dearer than its floor) what it displaced in
// a contact whose slots were sold together.
#define SET_BY                                                                                   \
    "case when o.setter is not null then coalesce(p.code, 'bid') "                               \
    "when o.deal <> 0 and coalesce(d.how, 0) & 96 <> 0 then 'deal' "                             \
    "when o.price_micros > case o.kind when 0 then o.floor_micros "                              \
    "  when 1 then ceil(o.floor_micros * 4294967296.0 / nullif(d.multiplier, 0)) "               \
    "  else ceil(o.floor_micros * 1000000.0 / nullif(d.multiplier, 0)) end then 'several bids' " \
    "else 'floor' end"
#define ITS_RECORD                                                                        \
    "left join lateral (select k.multiplier, k.how from candidate k where k.log = o.log " \
    "  and k.batch = o.batch and k.position = o.position and k.bid = o.bid "              \
    "  and k.idx > o.idx order by k.idx limit 1) d on true "
static const char slots_query[] =
    "select c.key, k.code, k.name, s.tagid, o.filled, "
    "coalesce(m.code, ''), coalesce(w.code, ''), "
    "  coalesce(o.rung + 1, 0)::int, coalesce(o.bid_micros, 0), coalesce(o.price_micros, 0), "
    "  case when not o.filled then '' else " SET_BY " end, "
    "  case when o.filled then '' when o.main_reason is null "
    "or o.main_reason = 'none' then o.reason "
    "       else o.main_reason end, coalesce(o.kind, 0)::int "
    "from outcome o join contact c using (contact_id) join slot s on s.id = o.slot "
    "join container k on k.id = c.container left join message m on m.id = o.message "
    "left join seat w on w.id = o.seat "
    "left join standing_bid b on b.id = o.setter left join seat "
    "p on p.id = b.seat " ITS_RECORD
    "where o.contact_id = any ($1) order by c.log, c.batch, c.idx, o.position";

static const char *
reason_sentence(const char *key)
{
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        if (strcmp(reason_key(reason), key) == 0) return reason_text(reason);
    }
    return key;
}

// As it is written in a bid: "1.100", "2.000/response", "12.5%".
static void
add_price(struct table *table, int64_t kind, int64_t price)
{
    char text[MONEY_TEXT];
    bool share = kind == PRICE_SHARE;
    money_format(money_of(share ? price * 100 : price), share ? 0 : 3, text);
    table_cellf(table, "%s%s", text, share ? "%" : kind == PRICE_RESPONSE ? "/response" : "");
}

// True when an earlier row is of the same container but another contact.
static bool
told_before(const struct db_rows *rows, size_t first)
{
    for (size_t row = 0; row < first; row++) {
        if (strcmp(db_get_text(rows, row, CONTAINER), db_get_text(rows, first, CONTAINER)) == 0)
            return true;
    }
    return false;
}

static size_t
rows_of_contact(const struct db_rows *rows, size_t first)
{
    size_t end = first + 1;
    while (end < db_count(rows) &&
           strcmp(db_get_text(rows, end, KEY), db_get_text(rows, first, KEY)) == 0)
        end++;
    return end;
}

static void
tell_contact(const struct db_rows *rows, size_t first, size_t end, const json_t *notes, FILE *out)
{
    static const struct table_column columns[] = {
        {"tagid", "  slot", TABLE_LEFT, TABLE_TEXT},
        {"message", "won by", TABLE_LEFT, TABLE_TEXT},
        {"rung", "rung", TABLE_RIGHT, TABLE_TEXT},
        {"bid", "bid", TABLE_RIGHT, TABLE_TEXT},
        {"price", "price", TABLE_RIGHT, TABLE_TEXT},
        {"setter", "price set by", TABLE_LEFT, TABLE_TEXT},
    };
    const char *key = db_get_text(rows, first, KEY),
               *note = json_string_value(json_object_get(notes, key));
    fprintf(out, "\n%s, %s%s%s\n", key, db_get_text(rows, first, CONTAINER_NAME), note ? ": " : "",
            note ? note : "");
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t row = first; row < end; row++) {
        table_cellf(table, "  %s", strrchr(db_get_text(rows, row, TAGID), '.') + 1);
        if (!db_get_bool(rows, row, FILLED)) {
            for (size_t column = 0; column < 4; column++)
                table_cell(table, column == 0 ? "(empty)" : "");
            table_cell(table, reason_sentence(db_get_text(rows, row, REASON)));
            continue;
        }
        table_cell(table, db_get_text(rows, row, MESSAGE));
        table_cellf(table, "%" PRId64, db_get_int(rows, row, RUNG));
        add_price(table, db_get_int(rows, row, KIND), db_get_int(rows, row, BID));
        add_price(table, db_get_int(rows, row, KIND), db_get_int(rows, row, PRICE));
        table_cell(table, db_get_text(rows, row, SETTER));
    }
    table_print(table, TABLE_AS_TEXT, out);
    table_close(table);
}

static enum status
tell_placements(struct db *db, const struct db_param *contacts, FILE *out)
{
    static const struct table_column columns[] = {
        {"tagid", "slot", TABLE_LEFT, TABLE_TEXT},
        {"message", "won by", TABLE_LEFT, TABLE_TEXT},
        {"seat", "of", TABLE_LEFT, TABLE_TEXT},
        {"times", "times", TABLE_RIGHT, TABLE_TEXT},
        {"least", "from", TABLE_RIGHT, TABLE_TEXT},
        {"most", "to", TABLE_RIGHT, TABLE_TEXT},
        {"setters", "price set by", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "with won as (select o.*, " SET_BY
        " as set_by from outcome o left join standing_bid b on b.id = o.setter "
        "left join seat p on p.id = b.seat " ITS_RECORD
        "  where o.filled and o.contact_id = any ($1)), "
        "setters as (select slot, message, kind, string_agg(set_by || ' ' || n, ', ' "
        "order by n desc, set_by) as said "
        "  from (select slot, message, kind, set_by, count(*) as n "
        "from won group by 1, 2, 3, 4) x group by 1, 2, 3) "
        "select s.tagid, m.code, w.code, count(*), "
        "min(o.price_micros), max(o.price_micros), max(t.said), o.kind::int "
        "from won o join setters t using (slot, message, kind) join slot s on s.id = o.slot "
        "join message m on m.id = o.message join seat w on w.id = o.seat "
        "group by 1, 2, 3, o.kind order by 1, 4 desc, 2, o.kind",
        contacts, 1, &rows);
    if (status != STATUS_OK) return status;
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t row = 0; row < db_count(rows); row++) {
        for (size_t column = 0; column < 3; column++)
            table_cell(table, db_get_text(rows, row, column));
        table_cellf(table, "%" PRId64, db_get_int(rows, row, 3));
        add_price(table, db_get_int(rows, row, 7), db_get_int(rows, row, 4));
        add_price(table, db_get_int(rows, row, 7), db_get_int(rows, row, 5));
        table_cell(table, db_get_text(rows, row, 6));
    }
    fprintf(
        out,
        "\nAll placements: who won, at which prices, and whose bid or which floor set them\n\n");
    table_print(table, TABLE_AS_TEXT, out);
    table_close(table);
    db_rows_free(rows);
    return STATUS_OK;
}

// A list in lines of up to 100 columns, broken after its commas.
static void
print_wrapped(const char *list, FILE *out)
{
    const size_t indent = 4, most = 100;
    size_t column = 0;
    while (*list) {
        size_t item = strcspn(list, ",") + 1;
        if (column == 0 || column + item > most) {
            fprintf(out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
            column = indent;
            list += strspn(list, " ");
            item = strcspn(list, ",") + 1;
        }
        size_t len = strnlen(list, item);
        fwrite(list, 1, len, out);
        column += len;
        list += len;
    }
    fputc('\n', out);
}

// By reason, since the reasons are few: the slots under each.
static enum status
tell_empty(struct db *db, const struct db_param *contacts, FILE *out)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select why, sum(n)::bigint, string_agg(tagid || ' ' || n, ', ' order by n desc, tagid) "
        "from (select s.tagid, case when o.main_reason is null "
        "or o.main_reason = 'none' then o.reason "
        "  else o.main_reason end as why, count(*) as n "
        "  from outcome o join slot s on s.id = o.slot where not o.filled and o.contact_id = any "
        "($1) group by 1, 2) x "
        "group by 1 order by 2 desc, 1",
        contacts, 1, &rows);
    if (status != STATUS_OK) return status;
    fprintf(out, "\nSlots that stayed empty: what stopped the bid that came nearest\n");
    for (size_t row = 0; row < db_count(rows); row++) {
        fprintf(out, "\n%" PRId64 " times: %s\n", db_get_int(rows, row, 1),
                reason_sentence(db_get_text(rows, row, 0)));
        print_wrapped(db_get_text(rows, row, 2), out);
    }
    db_rows_free(rows);
    return STATUS_OK;
}

enum status
play_tell_text(struct db *db, const struct play_tell *tell, FILE *out)
{
    struct db_rows *rows = NULL;
    const struct db_param contacts = db_id_array(tell->contacts, tell->count);
    enum status status = db_query(db, slots_query, &contacts, 1, &rows);
    if (status != STATUS_OK) return status;
    for (size_t row = 0, end; row < db_count(rows); row = end) {
        end = rows_of_contact(rows, row);
        if (tell->all || !told_before(rows, row)) tell_contact(rows, row, end, tell->notes, out);
    }
    db_rows_free(rows);
    status = tell_placements(db, &contacts, out);
    return status == STATUS_OK ? tell_empty(db, &contacts, out) : status;
}

static void
json_placements(const struct db_rows *rows, FILE *out)
{
    static const struct table_column columns[] = {
        {"contact", "", TABLE_LEFT, TABLE_TEXT},
        {"tagid", "", TABLE_LEFT, TABLE_TEXT},
        {"message", "", TABLE_LEFT, TABLE_TEXT},
        {"seat", "", TABLE_LEFT, TABLE_TEXT},
        {"rung", "", TABLE_RIGHT, TABLE_NUMBER},
        {"bid_micros", "", TABLE_RIGHT, TABLE_NUMBER},
        {"price_micros", "", TABLE_RIGHT, TABLE_NUMBER},
        {"setter", "", TABLE_LEFT, TABLE_TEXT},
        {"kind", "", TABLE_LEFT, TABLE_TEXT},
    };
    static const int from[] = {KEY, TAGID, MESSAGE, SEAT, RUNG, BID, PRICE, SETTER, KIND};
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t row = 0; row < db_count(rows); row++) {
        if (!db_get_bool(rows, row, FILLED)) continue;
        for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
            if (from[i] == KIND) {
                int64_t kind = db_get_int(rows, row, KIND);
                table_cell(table, kind >= 0 && kind < PRICE_KIND_COUNT
                                      ? price_kind_name((enum price_kind)kind)
                                      : "?");
            } else if (columns[i].kind == TABLE_NUMBER) {
                table_cellf(table, "%" PRId64, db_get_int(rows, row, (size_t)from[i]));
            } else {
                table_cell(table, db_get_text(rows, row, (size_t)from[i]));
            }
        }
    }
    fprintf(out, "\"placements\": ");
    table_print(table, TABLE_AS_JSON, out);
    table_close(table);
}

static void
json_unfilled(const struct db_rows *rows, FILE *out)
{
    static const struct table_column columns[] = {
        {"contact", "", TABLE_LEFT, TABLE_TEXT},
        {"tagid", "", TABLE_LEFT, TABLE_TEXT},
        {"reason", "", TABLE_LEFT, TABLE_TEXT},
    };
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t row = 0; row < db_count(rows); row++) {
        if (db_get_bool(rows, row, FILLED)) continue;
        table_cell(table, db_get_text(rows, row, KEY));
        table_cell(table, db_get_text(rows, row, TAGID));
        table_cell(table, db_get_text(rows, row, REASON));
    }
    fprintf(out, ", \"unfilled\": ");
    table_print(table, TABLE_AS_JSON, out);
    table_close(table);
}

enum status
play_tell_json(struct db *db, const struct play_tell *tell, FILE *out)
{
    struct db_rows *rows = NULL;
    const struct db_param contacts = db_id_array(tell->contacts, tell->count);
    enum status status = db_query(db, slots_query, &contacts, 1, &rows);
    if (status != STATUS_OK) return status;
    json_placements(rows, out);
    json_unfilled(rows, out);
    db_rows_free(rows);
    return STATUS_OK;
}
