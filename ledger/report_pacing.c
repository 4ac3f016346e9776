// Pacing: what each budget should have spent by each hour of the host's day, and what it had.
//
//  1 Spent is what the engine counts: the price of a placement, or of a response, from the win on,
//    given back when its hold is released; a share of revenue is not counted. A daily budget counts
//    what was won on that day; a total budget all that was won before.
//  2 Expected is pace_allowance() at the end of the hour, with the market's terms as they are now:
//    of the daily amount over its day, else of the total over its message's or campaign's time.
//  3 Days: those of the span on which something was won, the newest eight; without a span the
//    newest one. Of hours that begin after the newest booked fact only the expected is known.
//    Budgets: those that had spent something on the day. An hour is sixty minutes from midnight on,
//    so a day of the clock's change has 23 or 25 of them.
//  4 A budget that is not paced (asap) has no curve: one row a day, of its newest hour.
#include "pace.h"
#include "report_depth.h"

#define HOUR_US (3600 * USEC_SECOND)
#define HOURS 25
#define DAYS "8"

static const struct report_column columns[] = {
    {"day", "day", false, false, REPORT_ALL},
    {"budget", "budget", false, false, REPORT_ALL},
    {"pacing", "pacing", false, false, REPORT_ALL},
    {"amount", "amount", true, false, REPORT_PEOPLE},
    {"amount_micros", "", true, true, REPORT_MACHINE},
    {"hour", "by hour", true, true, REPORT_ALL},
    {"expected", "expected", true, false, REPORT_PEOPLE},
    {"expected_micros", "", true, true, REPORT_MACHINE},
    {"actual", "spent", true, false, REPORT_PEOPLE},
    {"actual_micros", "", true, true, REPORT_MACHINE},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct day {
    int32_t number;
    const char *text;
    usec begins, ends;
};
struct curve {
    const struct day *day;
    const char *name;  // "seat grill"
    const struct market_budget *budget;
    usec from, until;    // of the budget's time; until 0: open
    money before;        // spent before the day
    money hours[HOURS];  // of all placements
    money today[HOURS];  // of those won on the day
    unsigned hour_count;
    struct curve *next;
};

// What moved in one day: (of, id, hour or -1 before it, micros of all, micros won that day).
static const char sql_moves[] =
    "with move as ("
    " select o.message, o.seat, o.campaign, o.campaign_parent, o.day, o.at_us, o.price_micros as m"
    "  from outcome o where o.filled and o.kind < 2 and o.at_us < $3"
    " union all select o.message, o.seat, o.campaign, o.campaign_parent, o.day, e.at_us,"
    "  -o.price_micros from event e join outcome o on o.placement_id = e.placement_id"
    "  where o.kind < 2 and e.state = 'posted' and e.at_us < $3"
    "  and (e.kind in ('cancelled', 'expired') and not (o.kind = 0 and o.charge = 'win')"
    "   or e.kind in ('declined', 'lapsed') and (o.kind = 1 or o.charge = 'response'"
    "    or o.charge = 'conversion' and not exists (select 1 from revenue r"
    "     where r.placement_id = o.placement_id and r.kind = 'converted'"
    "     and r.state in ('posted', 'no_share')"
    "     and (r.log, r.batch, r.idx) < (e.log, e.batch, e.idx)))))"
    " select b.what, b.id, (case when v.at_us < $2 then -1 else (v.at_us - $2) / 3600000000 end)"
    "  ::bigint, sum(v.m)::bigint, coalesce(sum(v.m) filter (where v.day = $1), 0)::bigint"
    " from move v cross join lateral (values (0, v.seat), (1, v.campaign), (1, v.campaign_parent),"
    "  (2, v.message)) as b (what, id) where b.id <> 0"
    " group by 1, 2, 3 order by 1, 2, 3";

// --- Which budget --------------------------------------------------------------------------------

static bool
paced(const struct market_budget *budget)
{
    return budget->has_daily || budget->has_total;
}

static const struct market_budget *
find_budget(struct sheet *sheet, int64_t what, int64_t id, struct curve *out)
{
    const struct market *market = sheet->market;
    for (uint32_t i = 0; what == 0 && i < market->seat_count; i++) {
        const struct market_seat *seat = &market->seats[i];
        if (seat->id != id || !paced(&seat->budget)) continue;
        out->name = arena_printf(sheet->arena, "seat %s", seat->code);
        return &seat->budget;
    }
    for (uint32_t i = 0; what == 1 && i < market->campaign_count; i++) {
        const struct market_campaign *campaign = &market->campaigns[i];
        if (campaign->id != id || !paced(&campaign->budget)) continue;
        out->name = arena_printf(sheet->arena, "campaign %s", campaign->code);
        out->from = campaign->from;
        out->until = campaign->until;
        return &campaign->budget;
    }
    for (uint32_t i = 0; what == 2 && i < market->message_count; i++) {
        const struct market_message *message = &market->messages[i];
        if (message->id != id || !paced(&message->budget)) continue;
        out->name = arena_printf(sheet->arena, "message %s", message->code);
        out->from = message->from;
        out->until = message->until;
        return &message->budget;
    }
    return NULL;
}

// --- Curves --------------------------------------------------------------------------------------

// Adds one row to the curve it belongs to, the newest of the list when it is the same budget's.
static void
take_move(struct sheet *sheet, const struct day *day, const struct db_rows *rows, size_t row,
          int64_t last[2], struct curve ***tail)
{
    int64_t what = db_get_int(rows, row, 0), id = db_get_int(rows, row, 1);
    int64_t hour = db_get_int(rows, row, 2);
    struct curve *curve = **tail;
    if (what != last[0] || id != last[1]) {
        struct curve found = {.day = day};
        last[0] = what;
        last[1] = id;
        if (curve) *tail = &curve->next;
        found.budget = find_budget(sheet, what, id, &found);
        if (!found.budget) return;
        found.hour_count = (unsigned)((day->ends.us - day->begins.us + HOUR_US - 1) / HOUR_US);
        if (found.hour_count > HOURS) found.hour_count = HOURS;
        curve = arena_take(sheet->arena, 1, sizeof *curve);
        *curve = found;
        **tail = curve;
    }
    if (!curve) return;
    money all = db_get_money(rows, row, 3), today = db_get_money(rows, row, 4);
    if (hour < 0) {
        curve->before = sheet_plus(curve->before, all);
    } else if (hour < curve->hour_count) {
        curve->hours[hour] = sheet_plus(curve->hours[hour], all);
        curve->today[hour] = sheet_plus(curve->today[hour], today);
    }
}

static bool
moved(const struct curve *curve)
{
    for (unsigned i = 0; i < curve->hour_count; i++) {
        if (curve->hours[i].micros || curve->today[i].micros) return true;
    }
    return false;
}

static enum status
read_curves(struct sheet *sheet, const struct day *day, struct curve ***tail)
{
    const struct db_param params[] = {db_int4(day->number), db_time(day->begins),
                                      db_time(day->ends)};
    struct db_rows *rows = NULL;
    enum status status = db_query(sheet->db, sql_moves, params, 3, &rows);
    int64_t last[2] = {-1, -1};
    for (size_t i = 0; status == STATUS_OK && i < db_count(rows); i++) {
        take_move(sheet, day, rows, i, last, tail);
    }
    if (**tail) *tail = &(**tail)->next;
    db_rows_free(rows);
    return status;
}

static enum status
read_days(struct sheet *sheet, struct day **out_days, size_t *out_count)
{
    static const char sql[] =
        "select d.day, (date '1970-01-01' + d.day)::text,"
        " (extract(epoch from ((date '1970-01-01' + d.day)::timestamp at time zone $4))"
        "  * 1000000)::bigint,"
        " (extract(epoch from ((date '1970-01-02' + d.day)::timestamp at time zone $4))"
        "  * 1000000)::bigint"
        " from (select distinct o.day from outcome o where o.filled and o.day > 0"
        "  and ($1 = '' or o.period = $1) and o.at_us >= $2 and o.at_us < $3"
        "  order by o.day desc limit " DAYS ") d order by 1 desc";
    struct db_rows *rows = NULL;
    enum status status = sheet_ask_days(sheet, sql, &rows);
    if (status != STATUS_OK) return status;
    const struct report_span *span = sheet->span;
    bool any = !span->period[0] && span->from.us <= 0 && span->until.us == 0;
    size_t count = any && db_count(rows) > 1 ? 1 : db_count(rows);
    *out_days = arena_take(sheet->arena, count + 1, sizeof **out_days);
    for (size_t i = 0; i < count; i++) {  // oldest first
        size_t row = count - 1 - i;
        (*out_days)[i] = (struct day){
            (int32_t)db_get_int(rows, row, 0),
            arena_text(sheet->arena, db_get_text(rows, row, 1), db_get_len(rows, row, 1)),
            db_get_time(rows, row, 2), db_get_time(rows, row, 3)};
    }
    *out_count = count;
    db_rows_free(rows);
    return STATUS_OK;
}

// When the newest booked fact was decided.
static enum status
read_present(struct sheet *sheet, usec *out_present)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(sheet->db, "select coalesce(max(at_us), 0)::bigint from frame",
                                  NULL, 0, &rows);
    if (status == STATUS_OK) *out_present = db_get_time(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// The first and last hour of a curve that are told.
static unsigned
first_hour(const struct curve *curve, usec present, unsigned *out_end)
{
    *out_end = curve->hour_count;
    if (curve->budget->pacing != PACING_ASAP) return 0;
    while (*out_end > 1 && curve->day->begins.us + (int64_t)(*out_end - 1) * HOUR_US > present.us)
        (*out_end)--;
    return *out_end - 1;
}

static void
put_curve(struct sheet *sheet, const struct curve *curve, usec present)
{
    const struct market_budget *budget = curve->budget;
    bool daily = budget->has_daily;
    money amount = daily ? budget->daily : budget->total;
    money actual = daily ? money_of(0) : curve->before;
    unsigned end_hour, told = first_hour(curve, present, &end_hour);
    for (unsigned i = 0; i < end_hour; i++) {
        usec end = {curve->day->begins.us + (int64_t)(i + 1) * HOUR_US};
        money expected = amount;
        if (end.us > curve->day->ends.us) end = curve->day->ends;
        if (daily) {
            expected = pace_allowance((enum pacing)budget->pacing, amount, curve->day->begins,
                                      curve->day->ends, end);
        } else if (curve->until.us) {
            expected = pace_allowance((enum pacing)budget->pacing, amount, curve->from,
                                      curve->until, end);
        }
        actual = sheet_plus(actual, daily ? curve->today[i] : curve->hours[i]);
        if (i < told) continue;
        sheet_put(sheet, curve->day->text);
        sheet_put(sheet, curve->name);
        sheet_put(sheet, market_pacing_name((enum pacing)budget->pacing));
        sheet_unit(sheet, amount);
        sheet_micros(sheet, amount);
        sheet_count(sheet, i + 1);
        sheet_unit(sheet, expected);
        sheet_micros(sheet, expected);
        bool known = curve->day->begins.us + (int64_t)i * HOUR_US <= present.us;
        if (known) sheet_unit(sheet, actual);
        else sheet_put(sheet, NULL);
        if (known) sheet_micros(sheet, actual);
        else sheet_put(sheet, NULL);
    }
}

enum status
report_pacing(struct sheet *sheet)
{
    const struct market *market = NULL;
    struct day *days = NULL;
    struct curve *curves = NULL, **tail = &curves;
    size_t day_count = 0, rows = 0;
    usec present = {0};
    enum status status = sheet_market(sheet, &market);
    if (status == STATUS_OK) status = read_present(sheet, &present);
    if (status == STATUS_OK && market) status = read_days(sheet, &days, &day_count);
    for (size_t i = 0; status == STATUS_OK && i < day_count; i++) {
        status = read_curves(sheet, &days[i], &tail);
    }
    if (status != STATUS_OK) return status;
    for (const struct curve *one = curves; one; one = one->next) {
        unsigned end;
        unsigned first = first_hour(one, present, &end);
        if (moved(one)) rows += end - first;
    }
    sheet_begin(sheet, columns, COLUMNS, rows);
    for (const struct curve *one = curves; one; one = one->next) {
        if (moved(one)) put_curve(sheet, one, present);
    }
    sheet->report->heading = arena_printf(
        sheet->arena, "Pacing by hour of the host's day: expected and spent at its end, in %s",
        sheet->currency.code);
    sheet->report->notes = "Spent counts what is held. Expected follows the market's terms as they "
                           "are now.";
    return STATUS_OK;
}
