// A statement's three faces.
//
//   Text   for people: one table a section, its total in the last row, amounts in whole cents that
//          add up as printed. When a table would be wider than WIDTH, the whole statement is
//          narrow: rungs by number, explained at the end, and the seat's own messages without
//          "SEAT." before them.
//   CSV    for spreadsheets and for checking: one row a line, exact micros beside the cents; its
//          SHA-256 is the statement's digest, so neither digest nor root stands in it.
//   JSON   all of it.
//
// All three are functions of the statement alone: no clock, no locale; the same statement, the same
// bytes.
#include "statement_inside.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define CELL 160    // bytes of a cell of the text
#define COLUMNS 10  // most columns of a section's table
#define WIDTH 100   // columns of a screen or a sheet of paper

enum column {
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
    "slot",      "message",   "rung",     "won",     "delivered",
    "not shown", "converted", "refunded", "revenue", "amount",
};
static const struct face {
    const char *title, *total;
    enum column columns[COLUMNS];
    size_t count;
} faces[SECTION_COUNT] = {
    [SECTION_CHARGED] = {"Placements",
                         "To pay",
                         {COL_SLOT, COL_MESSAGE, COL_RUNG, COL_WON, COL_DELIVERED, COL_ENDED,
                          COL_CONVERTED, COL_AMOUNT},
                         8},
    [SECTION_PREPAID] = {"Placements, paid from the deposit",
                         "Used",
                         {COL_SLOT, COL_MESSAGE, COL_RUNG, COL_WON, COL_DELIVERED, COL_ENDED,
                          COL_CONVERTED, COL_AMOUNT},
                         8},
    [SECTION_BOUGHT] = {"Placements, at transfer price",
                        "Transfer price",
                        {COL_SLOT, COL_MESSAGE, COL_RUNG, COL_WON, COL_DELIVERED, COL_ENDED,
                         COL_CONVERTED, COL_AMOUNT},
                        8},
    [SECTION_SOLD] = {"Own slots, bought by other departments",
                      "Earned",
                      {COL_SLOT, COL_RUNG, COL_DELIVERED, COL_AMOUNT},
                      4},
    [SECTION_OWED] = {"Gain share owed, accrued until its validation period is over",
                      "Accrued",
                      {COL_SLOT, COL_MESSAGE, COL_RUNG, COL_CONVERTED, COL_REFUNDED, COL_REVENUE,
                       COL_AMOUNT},
                      7},
    [SECTION_EARNED] = {"Gain share earned, accrued until its validation period is over",
                        "Accrued",
                        {COL_SLOT, COL_MESSAGE, COL_RUNG, COL_CONVERTED, COL_REFUNDED, COL_AMOUNT},
                        6},
};

static bool
is_empty(const struct section *section)
{
    return section->count == 0 && section->carried_in.micros == 0;
}

// --- Text ----------------------------------------------------------------------------------------

// Thousands set apart by commas: "18,420.50".
static const char *
grouped(money amount, unsigned decimals, char out[CELL])
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

static void
line_cell(const struct sheet *sheet, const struct line *line, enum column column, char out[CELL])
{
    unsigned decimals = period_cent_decimals(sheet->statement->currency);
    switch (column) {
    case COL_SLOT:
        snprintf(out, CELL, "%s%s%s", line->container, line->container[0] != '\0' ? "." : "",
                 line->slot);
        return;
    case COL_MESSAGE: message_cell(sheet, line->message, out); return;
    case COL_RUNG: rung_cell(sheet, line->rung, out); return;
    case COL_WON:
    case COL_DELIVERED:
    case COL_ENDED:
    case COL_CONVERTED:
    case COL_REFUNDED: snprintf(out, CELL, "%" PRId64, number_of(line, column)); return;
    case COL_REVENUE: grouped(line->revenue, decimals, out); return;
    case COL_AMOUNT: grouped(line->cents, decimals, out); return;
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
        snprintf(out, CELL, "%s", column_titles[column]);
    } else if (row <= section->count) {
        line_cell(sheet, &section->lines[row - 1], column, out);
    } else if (row == section->count + 1) {
        if (column == COL_SLOT) snprintf(out, CELL, "carried from %s", section->carried_from);
        if (column == COL_AMOUNT) grouped(section->carried_in_cents, decimals, out);
    } else {
        total_cell(sheet, kind, column, out);
    }
}

static void
print_row(FILE *out, const struct sheet *sheet, enum section_kind kind, size_t row,
          const size_t *widths)
{
    const struct face *face = &faces[kind];
    char cell[CELL];
    for (size_t i = 0; i < face->count; i++) {
        cell_of(sheet, kind, row, face->columns[i], cell);
        bool left = face->columns[i] <= COL_RUNG;
        fprintf(out, left ? "  %-*s" : "  %*s", (int)widths[i], cell);
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
    for (size_t i = 0; i < face->count; i++) {
        widths[i] = 0;
        for (size_t row = 0; row < section->count + 3; row++) {
            cell_of(sheet, kind, row, face->columns[i], cell);
            bool carried = row == section->count + 1 && section->carried_in.micros == 0;
            if (!carried && strlen(cell) > widths[i]) widths[i] = strlen(cell);
        }
        wide += widths[i] + 2;
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
                grouped(section->carried_out, 6, cell), sheet->statement->currency.code);
    }
}

static void
print_deposit(FILE *out, const struct deposit_account *deposit)
{
    char cell[CELL];
    fprintf(out, "\nDeposit\n");
    fprintf(out, "  before      %16s\n", grouped(deposit->opening, 6, cell));
    fprintf(out, "  paid in     %16s\n", grouped(deposit->paid_in, 6, cell));
    fprintf(out, "  used        %16s\n", grouped(deposit->used, 6, cell));
    fprintf(out, "  left        %16s\n", grouped(deposit->closing, 6, cell));
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

static void
print_text(FILE *out, const struct statement *statement)
{
    char title[PERIOD_TITLE];
    bool any = statement->has_deposit;
    period_title(&statement->period, title);
    fprintf(out, "Statement of %s (%s), %s\n", statement->name, statement->code, statement->kind);
    fprintf(out, "%s, %s, amounts in %s\n", title,
            statement->closed ? "closed" : "draft: the period is open", statement->currency.code);
    print_contracts(out, statement->contracts);
    struct sheet sheet = {.statement = statement};
    size_t widths[COLUMNS];
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (is_empty(&statement->sections[i])) continue;
        if (measure(&(struct sheet){statement, false}, (enum section_kind)i, widths) > WIDTH)
            sheet.narrow = true;
    }
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (is_empty(&statement->sections[i])) continue;
        print_section(out, &sheet, (enum section_kind)i);
        any = true;
    }
    if (statement->has_deposit) print_deposit(out, &statement->deposit);
    if (!any) fprintf(out, "\nNothing was won, sold or shared in this period.\n");
    fputc('\n', out);
    if (sheet.narrow) print_rungs(out, statement);
    if (statement->digest[0] != '\0')
        fprintf(out, "Digest %s (SHA-256 of this statement as CSV)\n", statement->digest);
    if (statement->root[0] != '\0')
        fprintf(out, "Root   %s (of the whole period)\n", statement->root);
    fprintf(out,
            "Each amount opens to its transfers: "
            "slotctl export %s --format csv, accounts of %s.\n",
            statement->period.name, statement->code);
}

// --- CSV -----------------------------------------------------------------------------------------

struct row {
    const char *section,
        *what;  // what: line, carried_in, total, carried_out, opening, paid_in, used, closing
    const struct line *line;     // NULL: none
    const money *exact, *cents;  // NULL: empty
};

static void
csv_row(FILE *out, const struct statement *statement, const struct row *row)
{
    static const struct line none = {.container = "", .slot = "", .message = "", .rung = ""};
    const struct line *line = row->line != NULL ? row->line : &none;
    char cents[MONEY_TEXT] = "";
    if (row->cents != NULL)
        money_format(*row->cents, period_cent_decimals(statement->currency), cents);
    fprintf(out, "%s,%s,%s,%s,%s,%s,%s,%s,%s,", statement->period.name, statement->code,
            statement->currency.code, row->section, row->what, line->container, line->slot,
            line->message, line->rung);
    if (row->line != NULL)
        fprintf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",",
                line->won, line->delivered, line->ended, line->converted, line->refunded,
                line->revenue.micros);
    else fputs(",,,,,,", out);
    if (row->exact != NULL) fprintf(out, "%" PRId64, row->exact->micros);
    fprintf(out, ",%s\n", cents);
}

static void
print_csv(FILE *out, const struct statement *statement)
{
    fputs("period,seat,currency,section,what,container,slot,message,rung,"
          "won,delivered,not_shown,converted,refunded,"
          "revenue_micros,amount_micros,amount\n",
          out);
    for (int i = 0; i < SECTION_COUNT; i++) {
        const struct section *section = &statement->sections[i];
        const char *name = section_name((enum section_kind)i);
        if (is_empty(section)) continue;
        for (size_t k = 0; k < section->count; k++)
            csv_row(out, statement,
                    &(struct row){name, "line", &section->lines[k], &section->lines[k].amount,
                                  &section->lines[k].cents});
        csv_row(out, statement,
                &(struct row){name, "carried_in", NULL, &section->carried_in,
                              &section->carried_in_cents});
        csv_row(out, statement,
                &(struct row){name, "total", NULL, &section->total, &section->total});
        csv_row(out, statement,
                &(struct row){name, "carried_out", NULL, &section->carried_out, NULL});
    }
    if (!statement->has_deposit) return;
    const struct deposit_account *deposit = &statement->deposit;
    csv_row(out, statement, &(struct row){"deposit", "opening", NULL, &deposit->opening, NULL});
    csv_row(out, statement, &(struct row){"deposit", "paid_in", NULL, &deposit->paid_in, NULL});
    csv_row(out, statement, &(struct row){"deposit", "used", NULL, &deposit->used, NULL});
    csv_row(out, statement, &(struct row){"deposit", "closing", NULL, &deposit->closing, NULL});
}

// --- JSON ----------------------------------------------------------------------------------------

static void
put(json_t *object, const char *key, json_t *value)
{
    CHECK(value != NULL && json_object_set_new(object, key, value) == 0);
}

// "amount_micros": 15200, "amount": "0.01"
static void
put_amount(json_t *object, const struct statement *statement, money exact, const money *cents)
{
    put(object, "amount_micros", json_integer(exact.micros));
    if (cents == NULL) return;
    char text[MONEY_TEXT];
    money_format(*cents, period_cent_decimals(statement->currency), text);
    put(object, "amount", json_string(text));
}

static json_t *
json_line(const struct statement *statement, const struct line *line)
{
    json_t *object = json_object();
    put(object, "container", json_string(line->container));
    put(object, "slot", json_string(line->slot));
    put(object, "message", json_string(line->message));
    put(object, "rung", json_string(line->rung));
    put(object, "won", json_integer(line->won));
    put(object, "delivered", json_integer(line->delivered));
    put(object, "not_shown", json_integer(line->ended));
    put(object, "converted", json_integer(line->converted));
    put(object, "refunded", json_integer(line->refunded));
    put(object, "revenue_micros", json_integer(line->revenue.micros));
    put_amount(object, statement, line->amount, &line->cents);
    return object;
}

static json_t *
json_section(const struct statement *statement, enum section_kind kind)
{
    const struct section *section = &statement->sections[kind];
    json_t *object = json_object(), *lines = json_array(), *amount;
    put(object, "section", json_string(section_name(kind)));
    for (size_t i = 0; i < section->count; i++)
        CHECK(json_array_append_new(lines, json_line(statement, &section->lines[i])) == 0);
    put(object, "lines", lines);
    put(object, "carried_in", amount = json_object());
    put(amount, "from", json_string(section->carried_from));
    put_amount(amount, statement, section->carried_in, &section->carried_in_cents);
    put(object, "total", amount = json_object());
    put_amount(amount, statement, section->total, &section->total);
    put(object, "carried_out", amount = json_object());
    put_amount(amount, statement, section->carried_out, NULL);
    return object;
}

static json_t *
json_deposit(const struct deposit_account *deposit)
{
    json_t *object = json_object();
    put(object, "opening_micros", json_integer(deposit->opening.micros));
    put(object, "paid_in_micros", json_integer(deposit->paid_in.micros));
    put(object, "used_micros", json_integer(deposit->used.micros));
    put(object, "closing_micros", json_integer(deposit->closing.micros));
    return object;
}

// One text: "shield.2026 (...), shield.2027 (...)".
static json_t *
json_contracts(const char *contracts)
{
    json_t *text = json_string("");
    while (contracts[0] != '\0') {
        size_t len = strcspn(contracts, "\n");
        const char *between = json_string_length(text) > 0 ? ", " : "";
        json_t *longer = json_sprintf("%s%s%.*s", json_string_value(text), between, (int)len,
                                      contracts);
        CHECK(longer != NULL);
        json_decref(text);
        text = longer;
        contracts += len + (contracts[len] != '\0');
    }
    return text;
}

static void
print_json(FILE *out, const struct statement *statement)
{
    json_t *object = json_object(), *sections = json_array();
    CHECK(object != NULL && sections != NULL);
    put(object, "seat", json_string(statement->code));
    put(object, "name", json_string(statement->name));
    put(object, "kind", json_string(statement->kind));
    put(object, "contracts", json_contracts(statement->contracts));
    put(object, "period", json_string(statement->period.name));
    put(object, "currency", json_string(statement->currency.code));
    put(object, "status", json_string(statement->closed ? "closed" : "draft"));
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (is_empty(&statement->sections[i])) continue;
        CHECK(json_array_append_new(sections, json_section(statement, (enum section_kind)i)) == 0);
    }
    put(object, "sections", sections);
    if (statement->has_deposit) put(object, "deposit", json_deposit(&statement->deposit));
    put(object, "digest", json_string(statement->digest));
    put(object, "root", json_string(statement->root));
    CHECK(json_dumpf(object, out, JSON_INDENT(2)) == 0);
    fputc('\n', out);
    json_decref(object);
}

const char *
statement_print(const struct statement *statement, enum statement_format format,
                struct arena *arena)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CHECK(out != NULL);
    switch (format) {
    case STATEMENT_TEXT: print_text(out, statement); break;
    case STATEMENT_CSV: print_csv(out, statement); break;
    case STATEMENT_JSON: print_json(out, statement); break;
    case STATEMENT_FORMAT_COUNT: CHECK(false);
    }
    CHECK(fclose(out) == 0);
    const char *kept = arena_text(arena, text, len);
    free(text);
    return kept;
}
