// Reports: one query each over the views of migration 006, then exact arithmetic on integers.
//
//  1 Counts and sums come from the database; averages are micros rounded half to even
//    (money_ratio); percentages are tenths of a percent, rounded half up, of integers.
//  2 Columns for people are whole cents: each column of amounts is rounded so that its rows add up
//    to its total, and a row's total is the sum of its rounded parts. The grand total is the exact
//    one cut to cents, the same in every report. Columns for machines are exact micros.
//  3 A report of a period counts what belongs to the period; a report of a span of time what
//    happened in it; placements and contacts count when they were decided, deliveries when they
//    took place, amounts when they became due.
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "period.h"
#include "report_depth.h"
#include "sheet.h"

static const char *const kind_names[REPORT_KIND_COUNT] = {
    "ladder",     "objectives",  "matrix",        "fill",      "reasons",   "pacing", "experiments",
    "deals",      "rates",       "revenue",       "internal",  "accruals",  "aging",  "clawbacks",
    "gain-share", "unexplained", "trial-balance", "economics", "investment"};

const char *
report_kind_name(enum report_kind kind)
{
    CHECK(kind < REPORT_KIND_COUNT);
    return kind_names[kind];
}

enum status
report_kind_parse(const char *text, enum report_kind *out_kind)
{
    for (int i = 0; i < REPORT_KIND_COUNT; i++) {
        if (strcmp(text, kind_names[i]) != 0) continue;
        *out_kind = (enum report_kind)i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

// What is said in place of a table without rows. Finance's reports say it themselves.
static const char *const nothing[REPORT_KIND_COUNT] = {
    [REPORT_MATRIX] = "There were no contacts, and nothing became due.",
    [REPORT_FILL] = "No slots were offered.",
    [REPORT_REASONS] = "No bid was stopped in any round that has a record.",
    [REPORT_PACING] = "No budget had spent anything.",
    [REPORT_EXPERIMENTS] = "No contact took part in an experiment.",
    [REPORT_DEALS] = "Nothing was won under a deal, and no guarantee was in force.",
    [REPORT_RATES] = "Nothing was delivered from which rates are learned.",
};

static enum status
read_frame(struct sheet *sheet)
{
    static const char sql[] = "select coalesce((select currency from market_now), ''),"
                              " (select count(*) from contact c where " SPAN_OF("c") ")";
    struct db_rows *rows = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status == STATUS_OK) {
        if (db_get_len(rows, 0, 0) > 0)  // else no market was applied yet
            status = currency_parse(db_get_text(rows, 0, 0), db_get_len(rows, 0, 0),
                                    &sheet->currency);
        sheet->contacts = db_get_int(rows, 0, 1);
        sheet->decimals = period_cent_decimals(sheet->currency);
    }
    db_rows_free(rows);
    return status;
}

// --- The ladder ----------------------------------------------------------------------------------

static const struct report_column ladder_columns[] = {
    {"number", "", true, true, REPORT_ALL},
    {"rung", "rung", false, false, REPORT_ALL},
    {"offered", "offered", true, true, REPORT_ALL},
    {"placements", "won", true, true, REPORT_ALL},
    {"delivered", "delivered", true, true, REPORT_ALL},
    {"converted", "converted", true, true, REPORT_ALL},
    {"slot_income", "slot income", true, false, REPORT_PEOPLE},
    {"gain_share", "gain share", true, false, REPORT_PEOPLE},
    {"total", "total", true, false, REPORT_PEOPLE},
    {"slot_income_micros", "", true, true, REPORT_MACHINE},
    {"gain_share_micros", "", true, true, REPORT_MACHINE},
    {"per_1000_contacts", "per 1,000", true, false, REPORT_PEOPLE},
    {"per_1000_contacts_micros", "", true, true, REPORT_MACHINE},
};
#define LADDER_COLUMNS (sizeof ladder_columns / sizeof ladder_columns[0])

static void
ladder_row(struct sheet *sheet, const char *number, const char *name, const int64_t counts[4],
           money income, money gain, money income_cents, money gain_cents)
{
    money earned = sheet_per(sheet_plus(income, gain), 1000, sheet->contacts);
    sheet_put(sheet, number);
    sheet_put(sheet, name);
    for (int i = 0; i < 4; i++) sheet_count(sheet, counts[i]);
    sheet_money(sheet, income_cents, sheet->decimals);
    sheet_money(sheet, gain_cents, sheet->decimals);
    sheet_money(sheet, sheet_plus(income_cents, gain_cents), sheet->decimals);
    sheet_micros(sheet, income);
    sheet_micros(sheet, gain);
    sheet_unit(sheet, earned);
    sheet_micros(sheet, earned);
}

// Cents of both columns of amounts: income to its own whole cents, gain shares to what is then left
// of the whole cents of both together, so that the total is the one that every report has.
static enum status
ladder_cents(struct sheet *sheet, const struct db_rows *rows, money **out_income, money **out_gain)
{
    size_t count = db_count(rows);
    int64_t cent = period_cent(sheet->currency);
    enum status status = sheet_cents(sheet, rows, 6, out_income);
    if (status == STATUS_OK) status = sheet_cents(sheet, rows, 7, out_gain);
    if (status != STATUS_OK) return status;
    money *gain = *out_gain,
          both = sheet_plus(money_of(sheet_sum(rows, 6)), money_of(sheet_sum(rows, 7)));
    money total = money_of(both.micros - both.micros % cent);
    int64_t left = total.micros - (*out_income)[count].micros - gain[count].micros;
    CHECK(left == 0 || left == cent || left == -cent);
    size_t nearest = 0;  // the row that the cent moves least
    for (size_t i = 1; i < count; i++) {
        int64_t off = (db_get_int(rows, i, 7) - gain[i].micros) * (left < 0 ? -1 : 1);
        int64_t least = (db_get_int(rows, nearest, 7) - gain[nearest].micros) * (left < 0 ? -1 : 1);
        if (off > least) nearest = i;
    }
    gain[nearest] = sheet_plus(gain[nearest], money_of(left));
    gain[count] = sheet_plus(gain[count], money_of(left));
    return STATUS_OK;
}

static enum status
run_ladder(struct sheet *sheet)
{
    static const char sql[] =
        "select n.number::text, n.name, coalesce(o.count, 0)::bigint,"
        " coalesce(r.placements, 0)::bigint, coalesce(r.delivered, 0)::bigint,"
        " coalesce(r.converted, 0)::bigint, coalesce(r.income, 0)::bigint,"
        " coalesce(r.gain, 0)::bigint, (select count(*) from report_slot o where " SPAN_OF(
            "o") ")"
                 " from rung_name n left join (select r.rung, sum(r.placements) as placements,"
                 "  sum(r.delivered) as delivered, sum(r.converted) as converted,"
                 "  sum(r.income_micros) as income, sum(r.gain_micros) as gain"
                 "  from report_rung r where " SPAN_OF(
                     "r") " group by r.rung) r on r.rung = n.rung"
                          " left join (select a.rung, sum(s.count) as count from (select o.slot, "
                          "count(*) as count"
                          "   from report_slot o where " SPAN_OF(
                              "o") " group by o.slot) s"
                                   "  join slot_rung a on a.slot = s.slot group by a.rung) o on "
                                   "o.rung = n.rung"
                                   " order by n.rung";
    struct db_rows *rows = NULL;
    money *income = NULL, *gain = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status == STATUS_OK) status = ladder_cents(sheet, rows, &income, &gain);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, ladder_columns, LADDER_COLUMNS, count + 1);
    for (size_t i = 0; i < count; i++) {
        const int64_t counts[4] = {db_get_int(rows, i, 2), db_get_int(rows, i, 3),
                                   db_get_int(rows, i, 4), db_get_int(rows, i, 5)};
        ladder_row(sheet, arena_text(sheet->arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)),
                   arena_text(sheet->arena, db_get_text(rows, i, 1), db_get_len(rows, i, 1)),
                   counts, db_get_money(rows, i, 6), db_get_money(rows, i, 7), income[i], gain[i]);
    }
    // A slot admits several rungs: all slots offered, each once.
    const int64_t all[4] = {db_get_int(rows, 0, 8), sheet_sum(rows, 3), sheet_sum(rows, 4),
                            sheet_sum(rows, 5)};
    ladder_row(sheet, "", "all rungs", all, money_of(sheet_sum(rows, 6)),
               money_of(sheet_sum(rows, 7)), income[count], gain[count]);
    sheet->report->total_rows = 1;
    sheet->report->heading = arena_printf(
        sheet->arena, "The ladder: %" PRId64 " contacts, amounts in %s, also per 1,000 contacts",
        sheet->contacts, sheet->currency.code);
    sheet->report->notes = "Offered: slots that admit the rung; most admit several.";
done:
    db_rows_free(rows);
    return status;
}

// --- The nine objectives -------------------------------------------------------------------------

static const struct report_column objective_columns[] = {
    {"number", "", true, true, REPORT_ALL},
    {"objective", "objective", false, false, REPORT_ALL},
    {"offered", "offered", true, true, REPORT_ALL},
    {"won", "won", true, true, REPORT_ALL},
    {"achieved", "achieved", true, true, REPORT_ALL},
    {"achieved_share", "of contacts", true, false, REPORT_PEOPLE},
    {"contacts", "", true, true, REPORT_MACHINE},
};
#define OBJECTIVE_COLUMNS (sizeof objective_columns / sizeof objective_columns[0])

// The average, and "0: 3, 1: 12, 2: 5": contacts by how many objectives they achieved.
static enum status
achieved_notes(struct sheet *sheet)
{
    static const char sql[] =
        "select achieved, count(*) from (select (select count(*) from objective_name n"
        "  where r.achieved & n.bit <> 0) as achieved from report_contact r where " SPAN_OF(
            "r") ") c"
                 " group by achieved order by achieved";
    struct db_rows *rows = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    int64_t sum = 0;
    char *text = arena_printf(sheet->arena, "%s", "");
    for (size_t i = 0; i < db_count(rows); i++) {
        int64_t objectives = db_get_int(rows, i, 0), contacts = db_get_int(rows, i, 1);
        sum += objectives * contacts;
        text = arena_printf(sheet->arena, "%s%s%" PRId64 ": %" PRId64, text, i > 0 ? ", " : "",
                            objectives, contacts);
    }
    int64_t hundredths = sheet->contacts == 0
                             ? 0
                             : (sum * 200 + sheet->contacts) / (sheet->contacts * 2);
    sheet->report->notes = arena_printf(
        sheet->arena,
        "Objectives achieved per contact: %" PRId64 ".%02" PRId64 " of nine\n"
        "Contacts by objectives achieved: %s",
        hundredths / 100, hundredths % 100, text[0] != '\0' ? text : "none");
done:
    db_rows_free(rows);
    return status;
}

static enum status
run_objectives(struct sheet *sheet)
{
    static const char sql[] =
        "select n.number::text, n.name, count(*) filter (where r.offered & n.bit <> 0),"
        " count(*) filter (where r.won & n.bit <> 0), "
        "count(*) filter (where r.achieved & n.bit <> 0)"
        " from objective_name n left join report_contact r on " SPAN_OF(
            "r") " group by n.objective, n.number, n.name order by n.objective";
    struct db_rows *rows = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    sheet_begin(sheet, objective_columns, OBJECTIVE_COLUMNS, db_count(rows));
    for (size_t i = 0; i < db_count(rows); i++) {
        sheet_put(sheet, arena_text(sheet->arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)));
        sheet_put(sheet, arena_text(sheet->arena, db_get_text(rows, i, 1), db_get_len(rows, i, 1)));
        for (size_t k = 2; k < 5; k++) sheet_count(sheet, db_get_int(rows, i, k));
        sheet_percent(sheet, db_get_int(rows, i, 4), sheet->contacts);
        sheet_count(sheet, sheet->contacts);
    }
    sheet->report->heading = arena_printf(sheet->arena, "The nine objectives: %" PRId64 " contacts",
                                          sheet->contacts);
    status = achieved_notes(sheet);
done:
    db_rows_free(rows);
    return status;
}

// --- The matrix ----------------------------------------------------------------------------------

static const struct report_column matrix_columns[] = {
    {"stage", "stage", false, false, REPORT_ALL},
    {"channel", "channel", false, false, REPORT_ALL},
    {"contacts", "contacts", true, true, REPORT_ALL},
    {"slots", "slots offered", true, true, REPORT_ALL},
    {"filled", "filled", true, true, REPORT_ALL},
    {"fill", "fill", true, false, REPORT_PEOPLE},
    {"value", "value", true, false, REPORT_PEOPLE},
    {"value_micros", "", true, true, REPORT_MACHINE},
    {"per_contact", "per contact", true, false, REPORT_PEOPLE},
    {"per_contact_micros", "", true, true, REPORT_MACHINE},
};
#define MATRIX_COLUMNS (sizeof matrix_columns / sizeof matrix_columns[0])

static void
matrix_row(struct sheet *sheet, const char *stage, const char *channel, const int64_t counts[3],
           money value, money cents)
{
    money each = sheet_per(value, 1, counts[0]);
    sheet_put(sheet, stage);
    sheet_put(sheet, channel);
    for (int i = 0; i < 3; i++) sheet_count(sheet, counts[i]);
    sheet_percent(sheet, counts[2], counts[1]);
    sheet_money(sheet, cents, sheet->decimals);
    sheet_micros(sheet, value);
    sheet_unit(sheet, each);
    sheet_micros(sheet, each);
}

static enum status
run_matrix(struct sheet *sheet)
{
    static const char sql[] =
        "select c.stage, c.channel, sum(x.contacts)::bigint, sum(x.slots)::bigint, "
        "sum(x.filled)::bigint,"
        " sum(x.micros)::bigint from ("
        " select k.container, 1 as contacts, 0 as slots, 0 as filled, "
        "0::bigint as micros from contact k"
        "  where " SPAN_OF("k") " union all select s.container_id, 0, 1, case when o.filled then 1 "
                                "else 0 end, 0 from report_slot o"
                                "  join slot s on s.id = o.slot where " SPAN_OF(
                                    "o") " union all select s.container_id, 0, 0, 0, "
                                         "r.income_micros + r.gain_micros from report_rung r"
                                         "  join slot s on s.id = r.slot where " SPAN_OF(
                                             "r") ") x join container c on c.id = x.container "
                                                  "group by c.stage, c.channel order by"
                                                  " array_position(array['need','shop','buy','use',"
                                                  "'service','renew','leave','advocate'], c.stage),"
                                                  " array_position(array['call','web','app','store'"
                                                  ",'email','chat','sms','bill','parcel','kiosk',"
                                                  "'social','partner'], c.channel)";
    struct db_rows *rows = NULL;
    money *value = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status == STATUS_OK) status = sheet_cents(sheet, rows, 5, &value);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, matrix_columns, MATRIX_COLUMNS, count + 1);
    for (size_t i = 0; i < count; i++) {
        const int64_t counts[3] = {db_get_int(rows, i, 2), db_get_int(rows, i, 3),
                                   db_get_int(rows, i, 4)};
        matrix_row(sheet, arena_text(sheet->arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)),
                   arena_text(sheet->arena, db_get_text(rows, i, 1), db_get_len(rows, i, 1)),
                   counts, db_get_money(rows, i, 5), value[i]);
    }
    const int64_t all[3] = {sheet_sum(rows, 2), sheet_sum(rows, 3), sheet_sum(rows, 4)};
    matrix_row(sheet, "all cells", "", all, money_of(sheet_sum(rows, 5)), value[count]);
    sheet->report->total_rows = 1;
    sheet->report->heading = arena_printf(
        sheet->arena, "The matrix, stage by channel: value is slot income and gain share, in %s",
        sheet->currency.code);
done:
    db_rows_free(rows);
    return status;
}

// --- Fill ----------------------------------------------------------------------------------------

static const struct report_column fill_columns[] = {
    {"slot", "slot", false, false, REPORT_ALL},
    {"contacts", "offered", true, true, REPORT_ALL},
    {"filled", "filled", true, true, REPORT_ALL},
    {"fill", "fill", true, false, REPORT_PEOPLE},
    {"floor", "floor", true, false, REPORT_PEOPLE},
    {"average_price", "average price", true, false, REPORT_PEOPLE},
    {"floor_micros", "", true, true, REPORT_MACHINE},
    {"average_price_micros", "", true, true, REPORT_MACHINE},
    {"unfilled", "empty because", false, false, REPORT_ALL},
};
#define FILL_COLUMNS (sizeof fill_columns / sizeof fill_columns[0])

static void
fill_row(struct sheet *sheet, const char *slot, int64_t offered, int64_t filled, int64_t priced,
         const money *floor, money prices, const char *reasons)
{
    money average = sheet_per(prices, 1, priced);
    sheet_put(sheet, slot);
    sheet_count(sheet, offered);
    sheet_count(sheet, filled);
    sheet_percent(sheet, filled, offered);
    if (floor != NULL) sheet_money(sheet, *floor, 3);
    else sheet_put(sheet, "");
    if (priced > 0) sheet_unit(sheet, average);
    else sheet_put(sheet, "");
    if (floor != NULL) sheet_micros(sheet, *floor);
    else sheet_put(sheet, "");
    sheet_micros(sheet, average);
    sheet_put(sheet, reasons);
}

static enum status
run_fill(struct sheet *sheet)
{
    static const char sql[] =
        "select s.tagid, sum(r.count)::bigint, "
        "coalesce(sum(r.count) filter (where r.reason = ''), 0)::bigint,"
        " s.floor_micros, coalesce(sum(r.micros), 0)::bigint,"
        " coalesce(string_agg(r.reason || ' ' || r.count::text, ', ' "
        "order by r.count desc, r.reason)"
        "  filter (where r.reason <> ''), ''), sum(r.priced)::bigint"
        " from (select o.slot, coalesce(o.reason, '') as reason, count(*) as count, "
        "sum(o.price_micros) as micros, count(o.price_micros) as priced"
        "  from report_slot o where " SPAN_OF(
            "o") " group by o.slot, coalesce(o.reason, '')) r"
                 " join slot s on s.id = r.slot "
                 "group by s.tagid, s.container, s.position, s.floor_micros"
                 " order by s.container collate \"C\", s.position, s.tagid collate \"C\"";
    struct db_rows *rows = NULL;
    enum status status = sheet_ask(sheet, sql, &rows);
    if (status != STATUS_OK) goto done;
    size_t count = db_count(rows);
    sheet_begin(sheet, fill_columns, FILL_COLUMNS, count + 1);
    for (size_t i = 0; i < count; i++) {
        money floor = db_get_money(rows, i, 3);
        fill_row(sheet, arena_text(sheet->arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)),
                 db_get_int(rows, i, 1), db_get_int(rows, i, 2), db_get_int(rows, i, 6), &floor,
                 db_get_money(rows, i, 4),
                 arena_text(sheet->arena, db_get_text(rows, i, 5), db_get_len(rows, i, 5)));
    }
    fill_row(sheet, "all slots", sheet_sum(rows, 1), sheet_sum(rows, 2), sheet_sum(rows, 6), NULL,
             money_of(sheet_sum(rows, 4)), "");
    sheet->report->total_rows = 1;
    sheet->report->heading = arena_printf(sheet->arena, "Fill of slots: prices in %s",
                                          sheet->currency.code);
done:
    db_rows_free(rows);
    return status;
}

enum status
report_run(struct db *db, enum report_kind kind, const struct report_span *span,
           struct arena *arena, struct report *out_report)
{
    memset(out_report, 0, sizeof *out_report);
    struct sheet sheet = {.db = db, .span = span, .arena = arena, .report = out_report};
    enum status status = read_frame(&sheet);
    if (status != STATUS_OK) return status;
    switch (kind) {
    case REPORT_LADDER: status = run_ladder(&sheet); break;
    case REPORT_OBJECTIVES: status = run_objectives(&sheet); break;
    case REPORT_MATRIX: status = run_matrix(&sheet); break;
    case REPORT_FILL: status = run_fill(&sheet); break;
    case REPORT_REASONS: status = report_reasons(&sheet); break;
    case REPORT_PACING: status = report_pacing(&sheet); break;
    case REPORT_EXPERIMENTS: status = report_experiments(&sheet); break;
    case REPORT_DEALS: status = report_deals(&sheet); break;
    case REPORT_RATES: status = report_rates(&sheet); break;
    case REPORT_REVENUE:  // report_answer
    case REPORT_INTERNAL:
    case REPORT_ACCRUALS:
    case REPORT_AGING:
    case REPORT_CLAWBACKS:
    case REPORT_GAIN_SHARE:
    case REPORT_UNEXPLAINED:
    case REPORT_TRIAL_BALANCE:
    case REPORT_ECONOMICS:
    case REPORT_INVESTMENT:
    case REPORT_KIND_COUNT: CHECK(false);
    }
    CHECK(status != STATUS_OK || sheet.used == sheet.room);
    out_report->empty = nothing[kind];
    return status;
}

enum status
report_proof(struct db *db, struct report_proof *out_proof)
{
    static const char sql[] =
        "select (select count(*) from contact), (select count(*) from outcome where filled),"
        " (select count(*) from event where kind = 'delivered' and state = 'posted'),"
        " (select count(*) from revenue where kind = 'converted' "
        "and state in ('posted', 'no_share')),"
        " (select coalesce(sum(amount_micros), 0)::bigint "
        "from transfer_kept where state = 'posted' and log <> 0),"
        " (select coalesce(sum(abs(due_micros - posted_micros)), 0)::bigint from unexplained)";
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    if (status == STATUS_OK) {
        out_proof->contacts = db_get_int(rows, 0, 0);
        out_proof->placements = db_get_int(rows, 0, 1);
        out_proof->delivered = db_get_int(rows, 0, 2);
        out_proof->converted = db_get_int(rows, 0, 3);
        out_proof->posted = db_get_money(rows, 0, 4);
        out_proof->unexplained = db_get_money(rows, 0, 5);
    }
    db_rows_free(rows);
    return status;
}
