// The ledger's side of a reconciliation: every event of a seat's placements, and every amount on
// its statement, that was booked in a period, streamed through a cursor in an order that is always
// the same.
//
//  1 A row names its placement as notices to this seat do (hash_placement_key); so the file joins
//    with the seat's own records, and two seats that won slots of one contact cannot tell it.
//  2 Amounts are exact micros. billing and commission rows add up to the exact amounts of the
//    seat's placements on its statement; entry rows are what else stands on it, by section. So
//    every line of a statement, its counts too, can be worked out from these rows alone.
//  3 An entry that comes from another seat's placement names neither placement nor message nor
//    order: no more than the line of the statement does.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "reconcile_inside.h"

#define FETCH "fetch 5000 from reconciliation"

static const char *const event_names[RECONCILE_EVENT_COUNT] = {
    "win",      "billing",   "commission", "released", "converted",
    "refunded", "delivered", "ended",      "entry",
};

const char *
reconcile_event_name(enum reconcile_event event)
{
    CHECK(event < RECONCILE_EVENT_COUNT);
    return event_names[event];
}

bool
reconcile_event_parse(const char *name, enum reconcile_event *out_event)
{
    for (int i = 0; i < RECONCILE_EVENT_COUNT; i++) {
        if (strcmp(event_names[i], name) != 0) continue;
        *out_event = (enum reconcile_event)i;
        return true;
    }
    return false;
}

void
reconcile_id_text(struct id id, char out[33])
{
    for (size_t i = 0; i < sizeof id.bytes; i++) snprintf(out + 2 * i, 3, "%02x", id.bytes[i]);
}

// --- The seat ------------------------------------------------------------------------------------

static enum status
read_secret(const char *directory, uint8_t out_secret[16])
{
    char path[1024];
    snprintf(path, sizeof path, "%s/run/customer.secret", directory);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT ? STATUS_GAP : STATUS_IO;
    ssize_t got = read(file, out_secret, 16);
    close(file);
    return got == 16 ? STATUS_OK : STATUS_IO;
}

enum status
reconcile_seat(struct db *db, const char *directory, const char *code,
               struct reconcile_seat *out_seat)
{
    uint8_t secret[16];
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(code)};
    enum status status = db_query(db, "select id from seat where code = $1", params, 1, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) out_seat->id = (int32_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    if (status == STATUS_OK) status = read_secret(directory, secret);
    if (status == STATUS_OK) hash_placement_key(secret, (uint32_t)out_seat->id, out_seat->key);
    return status;
}

// --- Rows ----------------------------------------------------------------------------------------

static const char rows_sql[] =
    "declare reconciliation no scroll cursor for"
    " select x.event, x.placement_id, x.at_us, coalesce(s.tagid, ''), coalesce(m.code, ''), x.kind,"
    "  x.micros, x.currency, x.reference, x.state, x.late, x.pool, coalesce(n.name, '')"
    " from (select 'win' as event, o.placement_id, o.at_us, o.slot, o.message, k.name as kind,"
    "   case when o.kind < 2 then o.price_micros end as micros, o.currency, '' as reference,"
    "   'won' as state, false as late, null::bigint as pool, 1 as number, o.log, o.batch, o.idx,"
    "   0 as leg, o.rung::integer as rung from outcome o join price_kind_name k on k.kind = o.kind"
    "   where o.filled and o.seat = $2 and o.period = $1"
    "  union all select case when t.kind = 'commission' then 'commission'"
    "    when t.kind = 'release' then 'released' else 'billing' end, t.placement_id,"
    "   t.effective_us, t.slot, t.message, case when t.kind = 'commission' then 'share'"
    "    else coalesce((select k.name from outcome o join price_kind_name k on k.kind = o.kind"
    "     where o.placement_id = t.placement_id), '') end,"
    "   case when t.kind = 'commission' and t.debit % 10000 not in (1110, 2000, 5100)"
    "    then -t.amount_micros else t.amount_micros end, t.currency,"
    "   case when t.kind = 'commission' then coalesce(t.reference, '') else '' end,"
    "   case when t.kind = 'release' then coalesce(t.reason, '') else 'posted' end, t.late, null,"
    "   2, t.log, t.batch, t.idx, t.leg, t.rung::integer from transfer_kept t"
    "   where t.period = $1 and t.seat = $2 and t.kind in ('charge', 'internal', 'commission',"
    "    'release') and t.placement_id is not null"
    "  union all select r.kind, r.placement_id, r.effective_us, o.slot, r.message, '',"
    "   r.amount_micros, r.currency, r.key, r.state, false, r.pool_micros, 3, r.log, r.batch,"
    "   r.idx, 0, o.rung::integer from revenue r"
    "   left join outcome o on o.placement_id = r.placement_id"
    "   where r.period = $1 and r.seat = $2"
    "  union all select case e.kind when 'delivered' then 'delivered' else 'ended' end,"
    "   e.placement_id, e.effective_us, e.slot, e.message, '', null, o.currency, '',"
    "   e.kind, false, null, 4, e.log, e.batch, e.idx, 0, o.rung::integer"
    "   from event e join outcome o on o.placement_id = e.placement_id"
    "   where e.period = $1 and o.seat = $2 and e.state = 'posted' and (e.kind in ('delivered',"
    "    'cancelled', 'expired', 'lapsed') or e.kind = 'declined' and (o.kind = 1 or o.kind = 0"
    "    and o.charge in ('response', 'conversion')))"
    "  union all select 'entry', case when y.own then y.placement_id end, y.effective_us, y.slot,"
    "   y.message, y.section, y.micros, y.currency, case when y.own then coalesce(y.reference, '')"
    "    else '' end, y.kind, y.late, null, 5, 0, 0, row_number() over (order by y.effective_us,"
    "    y.section, y.slot, y.rung, y.kind, y.micros, y.transfer_id)::integer, 0, y.rung::integer"
    "   from statement_transfer y where y.period = $1 and y.seat = $2 and not"
    "    (y.section in ('charged', 'prepaid', 'bought') and y.placement_id is not null"
    "     and y.kind in ('charge', 'internal', 'commission'))) x"
    " left join slot s on s.id = x.slot"
    " left join message m on m.id = x.message and m.seat_id = $2"
    " left join rung_name n on n.rung = x.rung"
    " order by x.number, x.at_us, x.log, x.batch, x.idx, x.leg";

static enum status
take_batch(const struct db_rows *rows, const struct reconcile_seat *seat,
           const struct period *period,
           enum status (*take)(void *context, const struct reconcile_row *row), void *context)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_count(rows) && status == STATUS_OK; i++) {
        struct reconcile_row row = {
            .named = !db_is_null(rows, i, 1),
            .at = db_get_time(rows, i, 2),
            .slot = db_get_text(rows, i, 3),
            .message = db_get_text(rows, i, 4),
            .kind = db_get_text(rows, i, 5),
            .has_amount = !db_is_null(rows, i, 6),
            .amount = db_get_money(rows, i, 6),
            .reference = db_get_text(rows, i, 8),
            .state = db_get_text(rows, i, 9),
            .late = db_get_bool(rows, i, 10),
            .pool = db_get_money(rows, i, 11),
            .rung = db_get_text(rows, i, 12),
            .period = period->name,
        };
        if (row.named) row.placement = hash_rename(seat->key, db_get_id(rows, i, 1));
        CHECK(reconcile_event_parse(db_get_text(rows, i, 0), &row.event));
        status = currency_parse(db_get_text(rows, i, 7), db_get_len(rows, i, 7), &row.currency);
        if (status == STATUS_OK) status = take(context, &row);
    }
    return status;
}

enum status
reconcile_ours(struct db *db, const struct reconcile_seat *seat, const struct period *period,
               enum status (*take)(void *context, const struct reconcile_row *row), void *context)
{
    const struct db_param params[] = {db_text(period->name), db_int4(seat->id)};
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = db_script(db, "set local statement_timeout = '6h'");
    if (status == STATUS_OK) status = db_run(db, rows_sql, params, 2, NULL);
    for (bool more = true; status == STATUS_OK && more;) {
        struct db_rows *rows = NULL;
        status = db_query(db, FETCH, NULL, 0, &rows);
        more = status == STATUS_OK && db_count(rows) > 0;
        if (more) status = take_batch(rows, seat, period, take, context);
        db_rows_free(rows);
    }
    if (status == STATUS_OK) status = db_commit(db);
    else db_rollback(db);
    return status;
}

// --- Writing -------------------------------------------------------------------------------------

struct writer {
    FILE *out;
    enum reconcile_format format;
};

static bool
is_revenue(const struct reconcile_row *row)
{
    return row->event == RECONCILE_CONVERTED || row->event == RECONCILE_REFUNDED;
}

static void
write_csv(FILE *out, const struct reconcile_row *row)
{
    char name[33] = "", at[CLOCK_TEXT];
    if (row->named) reconcile_id_text(row->placement, name);
    clock_format(row->at, at);
    fprintf(out, "%s,%s,%s,%s,%" PRId64 ",%s,%s,%s,", row->period, reconcile_event_name(row->event),
            name, at, row->at.us, row->slot, row->message, row->kind);
    if (row->has_amount) fprintf(out, "%" PRId64, row->amount.micros);
    fprintf(out, ",%s,", row->currency.code);
    bool quoted = strpbrk(row->reference, ",\"\n\r") != NULL;  // the seat's own, any text
    if (quoted) fputc('"', out);
    for (const char *at_char = row->reference; *at_char != '\0'; at_char++) {
        if (*at_char == '"') fputc('"', out);
        fputc(*at_char, out);
    }
    if (quoted) fputc('"', out);
    fprintf(out, ",%s,%s,", row->state, row->late ? "late" : "");
    if (is_revenue(row)) fprintf(out, "%" PRId64, row->pool.micros);
    fprintf(out, ",%s\n", row->rung);
}

static void
write_json(FILE *out, const struct reconcile_row *row)
{
    char name[33] = "";
    if (row->named) reconcile_id_text(row->placement, name);
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}",
                               "period", row->period, "event", reconcile_event_name(row->event),
                               "placement", name, "at_us", (json_int_t)row->at.us, "slot",
                               row->slot, "message", row->message, "kind", row->kind, "currency",
                               row->currency.code, "reference", row->reference, "state", row->state,
                               "late", row->late, "rung", row->rung);
    CHECK(object != NULL);
    if (row->has_amount)
        CHECK(json_object_set_new(object, "amount_micros", json_integer(row->amount.micros)) == 0);
    if (is_revenue(row))
        CHECK(json_object_set_new(object, "pool_micros", json_integer(row->pool.micros)) == 0);
    CHECK(json_dumpf(object, out, JSON_COMPACT) == 0);
    fputc('\n', out);
    json_decref(object);
}

static enum status
write_row(void *context, const struct reconcile_row *row)
{
    struct writer *writer = context;
    if (writer->format == RECONCILE_CSV) write_csv(writer->out, row);
    else write_json(writer->out, row);
    return ferror(writer->out) ? STATUS_IO : STATUS_OK;
}

enum status
reconcile_write(struct db *db, const char *directory, const char *code, const struct period *period,
                enum reconcile_format format, FILE *out)
{
    struct reconcile_seat seat;
    struct writer writer = {out, format};
    enum status status = reconcile_seat(db, directory, code, &seat);
    if (status != STATUS_OK) return status;
    if (format == RECONCILE_CSV)
        fputs("period,event,placement,at,at_us,slot,message,kind,amount_micros,currency,reference,"
              "state,late,pool_micros,rung\n",
              out);
    return reconcile_ours(db, &seat, period, write_row, &writer);
}
