// What deeds of finance share; see house.h.
#include "house.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "act.h"
#include "arena.h"
#include "market_file.h"

#define APPROVE_UNITS 100  // unless declared

enum status
house_fault(char fault[HOUSE_FAULT], enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault, HOUSE_FAULT, format, arguments);
    va_end(arguments);
    return status;
}

const char *
house_amount(money amount, struct currency currency, char out[HOUSE_AMOUNT])
{
    char text[MONEY_TEXT];
    money_format(amount, 2, text);
    snprintf(out, HOUSE_AMOUNT, "%s %.3s", text, currency.code);
    return out;
}

static enum status
read_market(const struct db_rows *rows, struct arena *arena, struct house *out)
{
    struct market_object object = {.kind = "market", .id = 1, .code = db_get_text(rows, 0, 0)};
    struct market_report report = {.arena = arena};
    struct market *market = NULL;
    object.body = db_get_text(rows, 0, 1);
    if (market_object_load(&object, 1, arena, &report, &market) != STATUS_OK) return STATUS_DAMAGED;
    const struct market_finance *finance = &market->finance;
    *out = (struct house){.currency = market->currency,
                          .approve_above = finance->approve_above,
                          .dispute_days = finance->dispute_days};
    if (!finance->has_approve_above) out->approve_above = money_of(APPROVE_UNITS * 1000000LL);
    return STATUS_OK;
}

enum status
house_read(struct db *db, struct house *out_house, char fault[HOUSE_FAULT])
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select code, body::text from object_now where kind = 'market'"
                                  " and not removed",
                                  NULL, 0, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) {
        status = house_fault(fault, STATUS_NOT_FOUND,
                             "no market is declared yet; apply one: slotctl apply market.yaml");
    } else if (status == STATUS_OK) {
        struct arena *arena = arena_open("house");
        status = read_market(rows, arena, out_house);
        arena_close(arena);
        if (status == STATUS_DAMAGED)
            house_fault(fault, status, "the market was stored by another version of this program");
    }
    db_rows_free(rows);
    return status;
}

enum status
house_seat(struct db *db, const char *code, uint32_t *out_seat, bool *out_partner,
           char fault[HOUSE_FAULT])
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(code)};
    enum status status = db_query(db, "select id, kind from seat where code = $1", params, 1,
                                  &rows);
    if (status == STATUS_OK && db_count(rows) == 0) {
        status = house_fault(fault, STATUS_NOT_FOUND, "there is no seat '%.60s' in this market",
                             code);
    } else if (status == STATUS_OK) {
        *out_seat = (uint32_t)db_get_int(rows, 0, 0);
        *out_partner = strcmp(db_get_text(rows, 0, 1), "partner") == 0;
    }
    db_rows_free(rows);
    return status;
}

enum status
house_balance(struct db *db, struct currency currency, struct account account, money *out_balance)
{
    static const char sql[] =
        "select (coalesce((select sum(micros) from fold where state = 'posted' and currency = $1"
        "  and debit = $2), 0) - coalesce((select sum(micros) from fold where state = 'posted'"
        "  and currency = $1 and credit = $2), 0))::bigint";
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(currency.code), db_int8(account_number(account))};
    enum status status = db_query(db, sql, params, 2, &rows);
    if (status == STATUS_OK) *out_balance = db_get_money(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

enum status
house_words(const char *reason, const char *evidence, const char *author, char fault[HOUSE_FAULT])
{
    if (!reason || !*reason)
        return house_fault(fault, STATUS_INPUT, "a reason is needed: --reason");
    if (!evidence || !*evidence)
        return house_fault(fault, STATUS_INPUT,
                           "evidence is needed: --evidence, where it is kept (a file, a ticket)");
    if (strlen(evidence) > BOUND_TEXT)
        return house_fault(fault, STATUS_INPUT, "the evidence is longer than %d bytes", BOUND_TEXT);
    if (!*author || strlen(author) > ACT_PERSON)
        return house_fault(fault, STATUS_INPUT, "--by is a name of 1 to %d bytes", ACT_PERSON);
    return STATUS_OK;
}

enum status
house_word(const char *const *words, const char *text, const char **out_word,
           char fault[HOUSE_FAULT])
{
    size_t used = 0;
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) != 0) continue;
        *out_word = words[i];
        return STATUS_OK;
    }
    used = (size_t)snprintf(fault, HOUSE_FAULT, "'%.40s' is no reason code; use one of", text);
    for (size_t i = 0; words[i] && used < HOUSE_FAULT; i++)
        used += (size_t)snprintf(fault + used, HOUSE_FAULT - used, "%s %s", i ? "," : "", words[i]);
    return STATUS_INPUT;
}
