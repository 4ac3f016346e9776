// A statement for people, as text: one table a section, its total in the last row, amounts in whole
// cents that add up as printed; then the seat's accounts from opening to closing, and what finance
// did. When a table would be wider than WIDTH, the whole statement is narrow: rungs by number,
// explained at the end, and the seat's own messages without "SEAT." before them.
//
// All faces of a statement (this one, statement_table.c, statement_pdf.c, invoice.c) are functions
// of the statement alone: no clock, no locale; the same statement, the same bytes. A statement of
// version 1 is printed as the released version did.
#include "statement_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "invoice.h"

#define CELL STATEMENT_CELL
#define COLUMNS 10  // most columns of a section's table
#define WIDTH 100   // columns of a screen or a sheet of paper

enum column {
    COL_LINE,
    COL_SLOT,
    COL_MESSAGE,
    COL_RUNG,
    COL_WON,
    COL_DELIVERED,
    COL_ENDED,
    COL_CONVERTED,
    COL_REFUNDED,
    COL_REVENUE,
    COL_AMOUNT,
    COL_COUNT
};
static const char *const column_titles[COL_COUNT] = {
    "#",         "slot",      "message",  "rung",    "won",    "delivered",
    "not shown", "converted", "refunded", "revenue", "amount",
};
#define PLACEMENTS                                                                    \
    {                                                                                 \
        COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_WON, COL_DELIVERED, COL_ENDED, \
            COL_CONVERTED, COL_AMOUNT                                                 \
    }
static const struct face {
    const char *title, *total;
    enum column columns[COLUMNS];
    size_t count;
} faces[SECTION_COUNT] = {
    [SECTION_CHARGED] = {"Placements", "To pay", PLACEMENTS, 9},
    [SECTION_PREPAID] = {"Placements, paid from the deposit", "Used", PLACEMENTS, 9},
    [SECTION_BOUGHT] = {"Placements, at transfer price", "Transfer price", PLACEMENTS, 9},
    [SECTION_SOLD] = {"Own slots, bought by other departments",
                      "Earned",
                      {COL_LINE, COL_SLOT, COL_RUNG, COL_DELIVERED, COL_AMOUNT},
                      5},
    [SECTION_OWED] = {"Gain share owed, accrued until its validation period is over",
                      "Accrued",
                      {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_CONVERTED, COL_REFUNDED,
                       COL_REVENUE, COL_AMOUNT},
                      8},
    [SECTION_DUE] = {"Gain share due, its validation period being over",
                     "To pay",
                     {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_AMOUNT},
                     5},
    [SECTION_CORRECTIONS] = {"Corrections of earlier bills, booked already",
                             "Corrected",
                             {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_AMOUNT},
                             5},
    [SECTION_EARNED] = {"Gain share earned, accrued until its validation period is over",
                        "Accrued",
                        {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_CONVERTED, COL_REFUNDED,
                         COL_AMOUNT},
                        7},
    [SECTION_PAYABLE] = {"Gain share payable, validated in this period, less what was taken back",
                         "Payable",
                         {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_AMOUNT},
                         5},
    [SECTION_CLAWBACK] = {"Gain share paid out and refunded since, to be paid back",
                          "To pay",
                          {COL_LINE, COL_SLOT, COL_MESSAGE, COL_RUNG, COL_AMOUNT},
                          5},
};

bool
statement_section_empty(const struct section *section)
{
    return section->count == 0 && section->carried_in.micros == 0;
}

// --- Text ----------------------------------------------------------------------------------------

// Thousands set apart by commas: "18,420.50".
const char *
statement_grouped(money amount, unsigned decimals, char out[STATEMENT_CELL])
{
    char plain[MONEY_TEXT];
    money_format(amount, decimals, plain);
    const char *digits = plain + (plain[0] == '-');
    size_t whole = strcspn(digits, "."), used = 0;
    if (plain[0] == '-') out[used++] = '-';
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    memcpy(out + used, digits + whole, strlen(digits + whole) + 1);
    return out;
}

static int64_t
number_of(const struct line *line, enum column column)
{
    switch (column) {
    case COL_WON: return line->won;
    case COL_DELIVERED: return line->delivered;
    case COL_ENDED: return line->ended;
    case COL_CONVERTED: return line->converted;
    case COL_REFUNDED: return line->refunded;
    case COL_LINE:
    case COL_SLOT:
    case COL_MESSAGE:
    case COL_RUNG:
    case COL_REVENUE:
    case COL_AMOUNT:
    case COL_COUNT: break;
    }
    CHECK(false);
}

// A statement on its way to paper.
struct sheet {
    const struct statement *statement;
    bool narrow;
};

// The released version did not number its lines.
static size_t
first_column(const struct sheet *sheet)
{
    return sheet->statement->version == 1 ? 1 : 0;
}

static void
message_cell(const struct sheet *sheet, const char *message, char out[CELL])
{
    size_t own = strlen(sheet->statement->code);
    bool prefixed = strncmp(message, sheet->statement->code, own) == 0 && message[own] == '.';
    snprintf(out, CELL, "%s", sheet->narrow && prefixed ? message + own + 1 : message);
}

static void
rung_cell(const struct sheet *sheet, const char *name, char out[CELL])
{
    enum rung rung = RUNG_GEOGRAPHIC;
    if (sheet->narrow && rung_parse(name, strlen(name), &rung) == STATUS_OK)
        snprintf(out, CELL, "%d", (int)rung + 1);
    else snprintf(out, CELL, "%s", name);
}

// "bill.footer"; of finance's corrections also what they are.
static void
slot_cell(const struct line *line, char out[CELL])
{
    const char *dot = line->container[0] != '\0' ? "." : "";
    bool plain = line->slot[0] != '\0' || !line->adjusted;
    snprintf(out, CELL, "%s%s%s%s", line->container, dot, plain ? line->slot : "adjustment",
             plain && line->adjusted ? " (adjusted)" : "");
}

static void
line_cell(const struct sheet *sheet, const struct line *line, enum column column, char out[CELL])
{
    unsigned decimals = period_cent_decimals(sheet->statement->currency);
    switch (column) {
    case COL_LINE: snprintf(out, CELL, "%d", line->number); return;
    case COL_SLOT: slot_cell(line, out); return;
    case COL_MESSAGE: message_cell(sheet, line->message, out); return;
    case COL_RUNG: rung_cell(sheet, line->rung, out); return;
    case COL_WON:
    case COL_DELIVERED:
    case COL_ENDED:
    case COL_CONVERTED:
    case COL_REFUNDED: snprintf(out, CELL, "%" PRId64, number_of(line, column)); return;
    case COL_REVENUE: statement_grouped(line->revenue, decimals, out); return;
    case COL_AMOUNT: statement_grouped(line->cents, decimals, out); return;
    case COL_COUNT: break;
    }
    CHECK(false);
}

// The row of totals: counts added up, the section's total under the amounts. Parts of one
// conversion stand on several lines of what was earned, so their counts are not added up.
static void
total_cell(const struct sheet *sheet, enum section_kind kind, enum column column, char out[CELL])
{
    const struct section *section = &sheet->statement->sections[kind];
    struct line all = {.container = "",
                       .slot = faces[kind].total,
                       .message = "",
                       .rung = "",
                       .cents = section->total};
    if (kind == SECTION_EARNED && (column == COL_CONVERTED || column == COL_REFUNDED)) return;
    if (column == COL_LINE) return;
    for (size_t i = 0; i < section->count; i++) {
        const struct line *line = &section->lines[i];
        all.won += line->won;
        all.delivered += line->delivered;
        all.ended += line->ended;
        all.converted += line->converted;
        all.refunded += line->refunded;
        CHECK(money_add(all.revenue, line->revenue, &all.revenue) == STATUS_OK);
    }
    line_cell(sheet, &all, column, out);
}

// Cell of any row of a section's table: headings, lines, what was carried in, totals.
static void
cell_of(const struct sheet *sheet, enum section_kind kind, size_t row, enum column column,
        char out[CELL])
{
    const struct section *section = &sheet->statement->sections[kind];
    unsigned decimals = period_cent_decimals(sheet->statement->currency);
    out[0] = '\0';
    if (row == 0) {
        bool brief = column == COL_ENDED && sheet->narrow && sheet->statement->version > 1;
        snprintf(out, CELL, "%s", brief ? "unshown" : column_titles[column]);
    } else if (row <= section->count) {
        line_cell(sheet, &section->lines[row - 1], column, out);
    } else if (row == section->count + 1) {
        if (column == COL_SLOT) snprintf(out, CELL, "carried from %s", section->carried_from);
        if (column == COL_AMOUNT) statement_grouped(section->carried_in_cents, decimals, out);
    } else {
        total_cell(sheet, kind, column, out);
    }
}

const char *
statement_section_title(enum section_kind kind)
{
    return faces[kind].title;
}

size_t
statement_columns(enum section_kind kind)
{
    return faces[kind].count;
}

bool
statement_column_left(enum section_kind kind, size_t column)
{
    return faces[kind].columns[column] >= COL_SLOT && faces[kind].columns[column] <= COL_RUNG;
}

void
statement_cell(const struct statement *statement, enum section_kind kind, size_t row, size_t column,
               char out[STATEMENT_CELL])
{
    cell_of(&(struct sheet){statement, false}, kind, row, faces[kind].columns[column], out);
}

static void
print_row(FILE *out, const struct sheet *sheet, enum section_kind kind, size_t row,
          const size_t *widths)
{
    const struct face *face = &faces[kind];
    char cell[CELL];
    for (size_t i = first_column(sheet); i < face->count; i++) {
        cell_of(sheet, kind, row, face->columns[i], cell);
        bool left = statement_column_left(kind, i);
        const char *form = left ? "  %-*s" : face->columns[i] == COL_LINE ? "%*s" : "  %*s";
        fprintf(out, form, (int)widths[i], cell);
    }
    fputc('\n', out);
}

// Widths of a section's columns; returns that of its rows.
static size_t
measure(const struct sheet *sheet, enum section_kind kind, size_t widths[COLUMNS])
{
    const struct section *section = &sheet->statement->sections[kind];
    const struct face *face = &faces[kind];
    size_t wide = 0;
    char cell[CELL];
    for (size_t i = first_column(sheet); i < face->count; i++) {
        widths[i] = 0;
        for (size_t row = 0; row < section->count + 3; row++) {
            cell_of(sheet, kind, row, face->columns[i], cell);
            bool carried = row == section->count + 1 && section->carried_in.micros == 0;
            if (!carried && strlen(cell) > widths[i]) widths[i] = strlen(cell);
        }
        if (face->columns[i] == COL_LINE && widths[i] < 2) widths[i] = 2;  // stands in the margin
        wide += widths[i] + (face->columns[i] == COL_LINE ? 0 : 2);
    }
    return wide;
}

static void
print_section(FILE *out, const struct sheet *sheet, enum section_kind kind)
{
    const struct section *section = &sheet->statement->sections[kind];
    const struct face *face = &faces[kind];
    size_t widths[COLUMNS], rows = section->count + 3, wide = measure(sheet, kind, widths);
    char cell[CELL];
    fprintf(out, "\n%s\n", face->title);
    for (size_t row = 0; row < rows; row++) {
        if (row == section->count + 1 && section->carried_in.micros == 0) continue;
        if (row == rows - 1)
            fprintf(
                out, "  %.*s\n", (int)wide - 2,
                "--------------------------------------------------"
                "------------------------------------------------------------------------------"
                "------------------------------------------------------------------------------");
        print_row(out, sheet, kind, row, widths);
    }
    if (section->carried_out.micros != 0) {
        fprintf(out, "  %s %s, less than a cent, is carried to the next statement\n",
                statement_grouped(section->carried_out, 6, cell), sheet->statement->currency.code);
    }
}

static void
print_deposit(FILE *out, const struct deposit_account *deposit)
{
    char cell[CELL];
    fprintf(out, "\nDeposit\n");
    fprintf(out, "  before      %16s\n", statement_grouped(deposit->opening, 6, cell));
    fprintf(out, "  paid in     %16s\n", statement_grouped(deposit->paid_in, 6, cell));
    fprintf(out, "  used        %16s\n", statement_grouped(deposit->used, 6, cell));
    fprintf(out, "  left        %16s\n", statement_grouped(deposit->closing, 6, cell));
}

// "Rungs: 4 personalization, 5 predictive", those that occur.
static void
print_rungs(FILE *out, const struct statement *statement)
{
    unsigned seen = 0;
    enum rung rung;
    for (int i = 0; i < SECTION_COUNT; i++)
        for (size_t k = 0; k < statement->sections[i].count; k++) {
            const char *name = statement->sections[i].lines[k].rung;
            if (rung_parse(name, strlen(name), &rung) == STATUS_OK) seen |= 1u << rung;
        }
    const char *between = "Rungs: ";
    for (rung = RUNG_GEOGRAPHIC; rung < RUNG_COUNT; rung++) {
        if ((seen & 1u << rung) == 0) continue;
        fprintf(out, "%s%d %s", between, (int)rung + 1, rung_name(rung));
        between = ", ";
    }
    fputc('\n', out);
}

static void
print_contracts(FILE *out, const char *contracts)
{
    const char *label = "Contract ";
    while (contracts[0] != '\0') {
        size_t len = strcspn(contracts, "\n");
        fprintf(out, "%s%.*s\n", label, (int)len, contracts);
        label = "         ";
        contracts += len + (contracts[len] != '\0');
    }
}

const char *
statement_account_title(enum account_code code)
{
    switch ((int)code) {
    case ACCOUNT_UNBILLED: return "Not yet billed";
    case ACCOUNT_BILLED: return "Billed, not yet paid";
    case ACCOUNT_DISPUTED: return "Billed, and disputed";
    case ACCOUNT_GAIN_RECEIVABLE: return "Gain share owed, not yet billed";
    case ACCOUNT_CLAWBACK: return "Gain share paid out and refunded since";
    case ACCOUNT_PREPAID: return "Deposit";
    case ACCOUNT_GAIN_ACCRUED: return "Gain share accrued";
    case ACCOUNT_GAIN_PAYABLE: return "Gain share payable";
    case ACCOUNT_GAIN_HELD: return "Gain share held";
    case ACCOUNT_IN_TRANSIT: return "Paid out, not yet confirmed by the bank";
    default: return "Other";
    }
}

const char *
statement_movement_word(enum transfer_kind kind)
{
    switch (kind) {
    case TRANSFER_HOLD: return "held";
    case TRANSFER_CHARGE: return "charged";
    case TRANSFER_RELEASE: return "released";
    case TRANSFER_INTERNAL: return "transfer prices";
    case TRANSFER_SHARE: return "conversions";
    case TRANSFER_REFUND: return "refunds";
    case TRANSFER_DEPOSIT: return "paid in";
    case TRANSFER_BILL: return "billed";
    case TRANSFER_ADJUSTMENT: return "adjusted";
    case TRANSFER_COMMISSION: return "shares of revenue";
    case TRANSFER_CREDIT: return "divided anew";
    case TRANSFER_TRUE_UP: return "tier reached";
    case TRANSFER_LOCK: return "validated";
    case TRANSFER_CLAWBACK: return "clawed back";
    case TRANSFER_NET: return "clawback taken off";
    case TRANSFER_DISPUTE: return "disputes";
    case TRANSFER_CHARGEBACK: return "chargebacks";
    case TRANSFER_EXCHANGE: return "exchanged";
    case TRANSFER_PAYOUT: return "paid out";
    case TRANSFER_PAID: return "confirmed by the bank";
    case TRANSFER_RECEIPT: return "received";
    case TRANSFER_KIND_COUNT: break;
    }
    CHECK(false);
}

// Exact to the micro, since accounts hold what is below a cent.
static void
print_passages(FILE *out, const struct statement *statement)
{
    char cell[CELL];
    if (statement->passage_count == 0) return;
    fprintf(out, "\nAccounts, exact\n");
    for (size_t i = 0; i < statement->passage_count; i++) {
        const struct passage *passage = &statement->passages[i];
        bool own = currency_same(passage->currency, statement->currency);
        fprintf(out, "  %d %s%s%s\n", (int)passage->code, statement_account_title(passage->code),
                own ? "" : ", ", own ? "" : passage->currency.code);
        fprintf(out, "    %-24s %24s\n", "opening", statement_grouped(passage->opening, 6, cell));
        for (size_t k = 0; k < passage->count; k++)
            fprintf(out, "    %-24s %24s\n", statement_movement_word(passage->movements[k].kind),
                    statement_grouped(passage->movements[k].amount, 6, cell));
        fprintf(out, "    %-24s %24s\n", "closing", statement_grouped(passage->closing, 6, cell));
    }
}

static void
print_remarks(FILE *out, const struct statement *statement)
{
    char cell[CELL], at[CLOCK_TEXT];
    if (statement->remark_count == 0) return;
    fprintf(out, "\nWhat finance did\n");
    for (size_t i = 0; i < statement->remark_count; i++) {
        const struct remark *remark = &statement->remarks[i];
        clock_format(remark->at, at);
        fprintf(out, "  %.10s  %-12s %20s %s  %s\n", at, remark->what,
                statement_grouped(remark->amount, 6, cell), remark->currency.code, remark->text);
    }
}

static bool
print_sections(FILE *out, struct sheet *sheet)
{
    const struct statement *statement = sheet->statement;
    size_t widths[COLUMNS];
    bool any = false;
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (statement_section_empty(&statement->sections[i])) continue;
        if (measure(&(struct sheet){statement, false}, (enum section_kind)i, widths) > WIDTH)
            sheet->narrow = true;
    }
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (statement_section_empty(&statement->sections[i])) continue;
        print_section(out, sheet, (enum section_kind)i);
        any = true;
    }
    return any;
}

static void
print_end(FILE *out, const struct statement *statement)
{
    if (statement->digest[0] != '\0')
        fprintf(out, "Digest %s (SHA-256 of this statement as CSV)\n", statement->digest);
    if (statement->root[0] != '\0')
        fprintf(out, "Root   %s (of the whole period)\n", statement->root);
    if (statement->version == 1)
        fprintf(out,
                "Each amount opens to its transfers: "
                "slotctl export %s --format csv, accounts of %s.\n",
                statement->period.name, statement->code);
    else
        fprintf(out,
                "Each line opens to its placements and transfers: "
                "slotctl statement %s %s --line N.\n",
                statement->code, statement->period.name);
}

void
statement_print_text(FILE *out, const struct statement *statement)
{
    char title[PERIOD_TITLE];
    struct sheet sheet = {.statement = statement};
    period_title(&statement->period, title);
    fprintf(out, "Statement of %s (%s), %s\n", statement->name, statement->code, statement->kind);
    fprintf(out, "%s, %s, amounts in %s\n", title,
            statement->closed ? "closed" : "draft: the period is open", statement->currency.code);
    print_contracts(out, statement->contracts);
    bool any = print_sections(out, &sheet);
    if (statement->has_deposit) print_deposit(out, &statement->deposit);
    print_passages(out, statement);
    print_remarks(out, statement);
    if (!any && !statement->has_deposit && statement->passage_count == 0)
        fprintf(out, "\nNothing was won, sold or shared in this period.\n");
    fputc('\n', out);
    if (sheet.narrow) print_rungs(out, statement);
    print_end(out, statement);
}

// --- All formats ---------------------------------------------------------------------------------

bool
statement_has(const struct statement *statement, enum statement_format format)
{
    switch (format) {
    case STATEMENT_TEXT:
    case STATEMENT_CSV:
    case STATEMENT_JSON: return true;
    case STATEMENT_PDF: return statement->version > 1;
    case STATEMENT_INVOICE: return statement->version > 1 && invoice_has(statement, INVOICE_OWED);
    case STATEMENT_SELFBILL:
        return statement->version > 1 && invoice_has(statement, INVOICE_SELF_BILLED);
    case STATEMENT_FORMAT_COUNT: break;
    }
    CHECK(false);
}

const char *
statement_document(const struct statement *statement, enum statement_format format,
                   struct arena *arena, size_t *out_len)
{
    if (format == STATEMENT_PDF) return statement_print_pdf(statement, arena, out_len);
    if (format == STATEMENT_INVOICE) return invoice_print(statement, INVOICE_OWED, arena, out_len);
    if (format == STATEMENT_SELFBILL)
        return invoice_print(statement, INVOICE_SELF_BILLED, arena, out_len);
    char *text = NULL;
    FILE *out = open_memstream(&text, out_len);
    CHECK(out != NULL);
    if (format == STATEMENT_TEXT) statement_print_text(out, statement);
    else if (format == STATEMENT_CSV) statement_print_csv(out, statement);
    else statement_print_json(out, statement);
    CHECK(fclose(out) == 0);
    const char *kept = arena_text(arena, text, *out_len);
    free(text);
    return kept;
}

const char *
statement_print(const struct statement *statement, enum statement_format format,
                struct arena *arena)
{
    size_t len = 0;
    CHECK(format <= STATEMENT_JSON);
    return statement_document(statement, format, arena, &len);
}
