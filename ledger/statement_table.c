// A statement for programs.
//
//   CSV    for spreadsheets and for checking: one row a line, exact micros beside the cents; its
//          SHA-256 is the statement's digest, so neither digest nor root stands in it.
//   JSON   all of it.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "statement_inside.h"

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
    fprintf(out, "%s,%s,%s,%s,%s,", statement->period.name, statement->code,
            statement->currency.code, row->section, row->what);
    if (statement->version > 1 && row->line != NULL) fprintf(out, "%d", line->number);
    if (statement->version > 1) fputc(',', out);
    fprintf(out, "%s,%s,%s,%s,", line->container, line->slot, line->message, line->rung);
    if (row->line != NULL)
        fprintf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",",
                line->won, line->delivered, line->ended, line->converted, line->refunded,
                line->revenue.micros);
    else fputs(",,,,,,", out);
    if (row->exact != NULL) fprintf(out, "%" PRId64, row->exact->micros);
    fprintf(out, ",%s\n", cents);
}

// Rows of accounts: the account's number stands as the slot.
static void
csv_passage(FILE *out, const struct statement *statement, const struct passage *passage)
{
    char code[16];
    snprintf(code, sizeof code, "%d", (int)passage->code);
    for (size_t i = 0; i < passage->count + 2; i++) {
        const char *what = i == 0 ? "opening"
                           : i == passage->count + 1
                               ? "closing"
                               : transfer_kind_name(passage->movements[i - 1].kind);
        money amount = i == 0                    ? passage->opening
                       : i == passage->count + 1 ? passage->closing
                                                 : passage->movements[i - 1].amount;
        fprintf(out, "%s,%s,%s,account,%s,,,%s,,,,,,,,,%" PRId64 ",\n", statement->period.name,
                statement->code, passage->currency.code, what, code, amount.micros);
    }
}

static void
csv_deposit(FILE *out, const struct statement *statement)
{
    const struct deposit_account *deposit = &statement->deposit;
    csv_row(out, statement, &(struct row){"deposit", "opening", NULL, &deposit->opening, NULL});
    csv_row(out, statement, &(struct row){"deposit", "paid_in", NULL, &deposit->paid_in, NULL});
    csv_row(out, statement, &(struct row){"deposit", "used", NULL, &deposit->used, NULL});
    csv_row(out, statement, &(struct row){"deposit", "closing", NULL, &deposit->closing, NULL});
}

void
statement_print_csv(FILE *out, const struct statement *statement)
{
    fprintf(out,
            "period,seat,currency,section,what,%scontainer,slot,message,rung,"
            "won,delivered,not_shown,converted,refunded,"
            "revenue_micros,amount_micros,amount\n",
            statement->version > 1 ? "line," : "");
    for (int i = 0; i < SECTION_COUNT; i++) {
        const struct section *section = &statement->sections[i];
        const char *name = section_name((enum section_kind)i);
        if (statement_section_empty(section)) continue;
        for (size_t k = 0; k < section->count; k++)
            csv_row(out, statement,
                    &(struct row){name, section->lines[k].adjusted ? "adjustment" : "line",
                                  &section->lines[k], &section->lines[k].amount,
                                  &section->lines[k].cents});
        csv_row(out, statement,
                &(struct row){name, "carried_in", NULL, &section->carried_in,
                              &section->carried_in_cents});
        csv_row(out, statement,
                &(struct row){name, "total", NULL, &section->total, &section->total});
        csv_row(out, statement,
                &(struct row){name, "carried_out", NULL, &section->carried_out, NULL});
    }
    for (size_t i = 0; i < statement->passage_count; i++)
        csv_passage(out, statement, &statement->passages[i]);
    if (statement->has_deposit) csv_deposit(out, statement);
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
    if (statement->version > 1) put(object, "line", json_integer(line->number));
    if (line->adjusted) put(object, "adjusted", json_true());
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

static json_t *
json_passages(const struct statement *statement)
{
    json_t *all = json_array();
    for (size_t i = 0; i < statement->passage_count; i++) {
        const struct passage *passage = &statement->passages[i];
        json_t *object = json_object(), *movements = json_object();
        for (size_t k = 0; k < passage->count; k++)
            put(movements, transfer_kind_name(passage->movements[k].kind),
                json_integer(passage->movements[k].amount.micros));
        put(object, "account", json_integer((int)passage->code));
        put(object, "title", json_string(statement_account_title(passage->code)));
        put(object, "currency", json_string(passage->currency.code));
        put(object, "opening_micros", json_integer(passage->opening.micros));
        put(object, "movements_micros", movements);
        put(object, "closing_micros", json_integer(passage->closing.micros));
        CHECK(json_array_append_new(all, object) == 0);
    }
    return all;
}

static json_t *
json_remarks(const struct statement *statement)
{
    json_t *all = json_array();
    char at[CLOCK_TEXT];
    for (size_t i = 0; i < statement->remark_count; i++) {
        const struct remark *remark = &statement->remarks[i];
        json_t *object = json_object();
        clock_format(remark->at, at);
        put(object, "what", json_string(remark->what));
        put(object, "at", json_string(at));
        put(object, "currency", json_string(remark->currency.code));
        put(object, "amount_micros", json_integer(remark->amount.micros));
        put(object, "text", json_string(remark->text));
        CHECK(json_array_append_new(all, object) == 0);
    }
    return all;
}

void
statement_print_json(FILE *out, const struct statement *statement)
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
        if (statement_section_empty(&statement->sections[i])) continue;
        CHECK(json_array_append_new(sections, json_section(statement, (enum section_kind)i)) == 0);
    }
    put(object, "sections", sections);
    if (statement->has_deposit) put(object, "deposit", json_deposit(&statement->deposit));
    if (statement->version > 1) put(object, "accounts", json_passages(statement));
    if (statement->version > 1) put(object, "acts", json_remarks(statement));
    put(object, "digest", json_string(statement->digest));
    put(object, "root", json_string(statement->root));
    CHECK(json_dumpf(object, out, JSON_INDENT(2)) == 0);
    fputc('\n', out);
    json_decref(object);
}
