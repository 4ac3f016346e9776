// Messages of the bank as plain entries: camt.053 (all versions) and pain.002 (all versions).
//
//  1 An entry of a statement that lists details is taken detail by detail, when their amounts add
//    up to the entry's; else it cannot be used as a whole, and says so.
//  2 A statement says what it began and ended with: when its entries do not lead from one to the
//    other, the file is not whole, and nothing of it is used.
//  3 An entry's id is derived from the account, the bank's reference of it (or, where it has none,
//    the statement's id and its place in it), its date, amount and direction, and its detail's
//    place. So an entry that two files repeat is known as one.
//  4 Statements of several accounts in one file are refused: each account has its own books.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank_inside.h"
#include "bank_xml.h"
#include "fail.h"

#define TEXT 400

struct reading {
    struct arena *arena;
    struct bank_message *message;
    char *fault;
    char statement[40];
    unsigned entries;  // of this statement, so far
};

static enum status __attribute__((format(printf, 2, 3)))
wrong(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->fault, BANK_FAULT, format, arguments);
    va_end(arguments);
    return STATUS_INPUT;
}

static const char *
keep(struct reading *reading, const char *text)
{
    return arena_text(reading->arena, text, strlen(text));
}

static struct bank_entry *
add(struct reading *reading, const struct bank_entry *entry)
{
    struct bank_message *message = reading->message;
    if (message->count == message->room) {
        size_t room = message->room ? 2 * message->room : 64;
        struct bank_entry *more = arena_take(reading->arena, room, sizeof *more);
        if (message->count) memcpy(more, message->entries, message->count * sizeof *more);
        message->entries = more;
        message->room = room;
    }
    message->entries[message->count] = *entry;
    return &message->entries[message->count++];
}

static usec
date_at(const xmlNode *node)
{
    char text[40];
    usec at = {0};
    const xmlNode *day = bank_xml_child(node, "Dt"), *time = bank_xml_child(node, "DtTm");
    bank_xml_text(day ? day : time, text, sizeof text);
    if (clock_parse(text, strlen(text), &at) == STATUS_OK) return at;
    // A time without an offset is the bank's local one: its day is what is booked.
    if (strlen(text) > 10 && clock_parse(text, 10, &at) == STATUS_OK) return at;
    return (usec){0};
}

// --- camt.053 ------------------------------------------------------------------------------------

// Everything that might name a bill, one after the other.
static const char *
remittance(struct reading *reading, const xmlNode *details, const xmlNode *entry)
{
    char all[TEXT] = "", one[200];
    const xmlNode *information = bank_xml_child(details, "RmtInf");
    const xmlNode *sources[] = {
        bank_xml_child(information, "Ustrd"), bank_xml_at(information, "Strd/CdtrRefInf/Ref"),
        bank_xml_child(details, "AddtlTxInf"), bank_xml_child(entry, "AddtlNtryInf")};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        for (const xmlNode *node = sources[i]; node; node = bank_xml_next(node)) {
            size_t len = strlen(all);
            bank_xml_text(node, one, sizeof one);
            snprintf(all + len, sizeof all - len, "%s%s", len ? " " : "", one);
        }
    }
    return keep(reading, all);
}

// Rule 3.
static struct id
identify(const struct reading *reading, const struct bank_entry *entry, unsigned detail)
{
    char text[400];
    char place[80];
    snprintf(place, sizeof place, "%s#%u", reading->statement, reading->entries);
    int len = snprintf(text, sizeof text, "%s|%.64s|%u|%lld|%lld|%s|%c%c|%.40s",
                       reading->message->iban, *entry->reference ? entry->reference : place, detail,
                       (long long)entry->at.us, (long long)entry->amount.micros,
                       entry->currency.code, entry->credit ? 'c' : 'd', entry->reversal ? 'r' : '-',
                       entry->end_to_end);
    return hash_id("bank entry", text, (size_t)len);
}

static bool
detail_amount(const xmlNode *details, struct bank_entry *out)
{
    const xmlNode *amount = bank_xml_at(details, "AmtDtls/TxAmt/Amt");
    if (amount == NULL) amount = bank_xml_child(details, "Amt");
    return amount && bank_xml_amount(amount, &out->amount, &out->currency) == STATUS_OK;
}

static void
fill_detail(struct reading *reading, const xmlNode *details, const xmlNode *entry,
            struct bank_entry *out)
{
    char text[80];
    bank_xml_text(bank_xml_at(details, "Refs/EndToEndId"), text, sizeof text);
    out->end_to_end = strcmp(text, "NOTPROVIDED") == 0 ? "" : keep(reading, text);
    out->text = remittance(reading, details, entry);
}

static void
add_odd(struct reading *reading, struct bank_entry *entry, const char *why)
{
    entry->says = BANK_SAYS_ODD;
    entry->text = why;
    add(reading, entry);
}

// Rule 1.
static void
take_details(struct reading *reading, const xmlNode *node, const struct bank_entry *whole)
{
    size_t first = reading->message->count;
    unsigned count = 0;
    money sum = money_of(0);
    bool fits = true;
    for (const xmlNode *block = bank_xml_child(node, "NtryDtls"); block;
         block = bank_xml_next(block)) {
        for (const xmlNode *one = bank_xml_child(block, "TxDtls"); one; one = bank_xml_next(one)) {
            struct bank_entry entry = *whole;
            bool said = detail_amount(one, &entry);
            if (!said) entry.amount = whole->amount;
            fits = fits && (said || count == 0) && currency_same(entry.currency, whole->currency) &&
                   money_add(sum, entry.amount, &sum) == STATUS_OK;
            fill_detail(reading, one, node, &entry);
            entry.id = identify(reading, &entry, ++count);
            add(reading, &entry);
        }
    }
    // One detail that states another amount (charges, exchange) is the entry itself.
    if (count == 1 && fits) reading->message->entries[first].amount = whole->amount;
    else if (count > 0 && (!fits || sum.micros != whole->amount.micros)) {
        struct bank_entry entry = *whole;
        reading->message->count = first;
        add_odd(reading, &entry, "its details do not add up to its amount");
    }
    if (count > 0) return;
    struct bank_entry entry = *whole;
    fill_detail(reading, NULL, node, &entry);
    entry.id = identify(reading, &entry, 0);
    add(reading, &entry);
}

static bool
yes(const xmlNode *node)
{
    char text[8];
    bank_xml_text(node, text, sizeof text);
    return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

// Adds the entry's amount, or takes it off, when it is booked.
static void
take_entry(struct reading *reading, const xmlNode *node, money *sum, bool *sums)
{
    char text[80], status[24];
    struct bank_entry entry = {.says = BANK_SAYS_ENTRY, .end_to_end = "", .text = ""};
    reading->entries++;
    bank_xml_text(bank_xml_child(node, "AcctSvcrRef"), text, sizeof text);
    if (!*text) bank_xml_text(bank_xml_child(node, "NtryRef"), text, sizeof text);
    entry.reference = keep(reading, text);
    const xmlNode *state = bank_xml_child(node, "Sts");
    bank_xml_text(bank_xml_child(state, "Cd") ? bank_xml_child(state, "Cd") : state, status,
                  sizeof status);
    bank_xml_text(bank_xml_child(node, "CdtDbtInd"), text, sizeof text);
    entry.credit = strcmp(text, "CRDT") == 0;
    entry.reversal = yes(bank_xml_child(node, "RvslInd"));
    entry.at = date_at(bank_xml_child(node, "BookgDt"));
    if (entry.at.us == 0) entry.at = date_at(bank_xml_child(node, "ValDt"));
    bool amount = bank_xml_amount(bank_xml_child(node, "Amt"), &entry.amount, &entry.currency) ==
                  STATUS_OK;
    if (!amount || (!entry.credit && strcmp(text, "DBIT") != 0)) {
        *sums = false;
        add_odd(reading, &entry, "it has no amount, or does not say which way it goes");
        return;
    }
    if (strcmp(status, "BOOK") != 0) {
        entry.says = BANK_SAYS_PENDING;
        entry.text = keep(reading, status);
        add(reading, &entry);
        return;
    }
    *sums = *sums && (entry.credit ? money_add(*sum, entry.amount, sum)
                                   : money_subtract(*sum, entry.amount, sum)) == STATUS_OK;
    if (entry.amount.micros == 0) return;
    take_details(reading, node, &entry);
}

// The statement's balance of this kind, with its sign. False: it says none.
static bool
balance(const xmlNode *statement, const char *kind, money *out)
{
    for (const xmlNode *node = bank_xml_child(statement, "Bal"); node; node = bank_xml_next(node)) {
        char text[8];
        struct currency currency;
        bank_xml_text(bank_xml_at(node, "Tp/CdOrPrtry/Cd"), text, sizeof text);
        if (strcmp(text, kind) != 0) continue;
        if (bank_xml_amount(bank_xml_child(node, "Amt"), out, &currency) != STATUS_OK) return false;
        bank_xml_text(bank_xml_child(node, "CdtDbtInd"), text, sizeof text);
        if (strcmp(text, "DBIT") == 0) *out = money_of(-out->micros);
        return true;
    }
    return false;
}

static enum status
take_statement(struct reading *reading, const xmlNode *statement)
{
    char iban[40];
    money sum = money_of(0), end;
    bool sums = balance(statement, "OPBD", &sum) || balance(statement, "PRCD", &sum);
    bank_xml_text(bank_xml_at(statement, "Acct/Id/IBAN"), iban, sizeof iban);
    if (!*iban) bank_xml_text(bank_xml_at(statement, "Acct/Id/Othr/Id"), iban, sizeof iban);
    if (*reading->message->iban && strcmp(reading->message->iban, iban) != 0)
        return wrong(reading, "the file has statements of two accounts, %s and %s; take them apart",
                     reading->message->iban, iban);
    memcpy(reading->message->iban, iban, sizeof iban);
    bank_xml_text(bank_xml_child(statement, "Id"), reading->statement, sizeof reading->statement);
    reading->entries = 0;
    for (const xmlNode *node = bank_xml_child(statement, "Ntry"); node; node = bank_xml_next(node))
        take_entry(reading, node, &sum, &sums);
    // Rule 2.
    if (sums && balance(statement, "CLBD", &end) && end.micros != sum.micros) {
        char comes[MONEY_TEXT], says[MONEY_TEXT];
        money_format(sum, 2, comes);
        money_format(end, 2, says);
        return wrong(reading,
                     "statement %s is not whole: its entries lead to a balance of %s, and it says "
                     "%s; ask the bank for the file again",
                     reading->statement, comes, says);
    }
    return STATUS_OK;
}

static enum status
read_camt(struct reading *reading, const xmlNode *root)
{
    enum status status = STATUS_OK;
    bank_xml_text(bank_xml_at(root, "GrpHdr/MsgId"), reading->message->message,
                  sizeof reading->message->message);
    strcpy(reading->message->kind, "camt.053");
    const xmlNode *statement = bank_xml_child(root, "Stmt");
    if (statement == NULL) return wrong(reading, "the file has no statement");
    for (; statement && status == STATUS_OK; statement = bank_xml_next(statement))
        status = take_statement(reading, statement);
    return status;
}

// --- pain.002 ------------------------------------------------------------------------------------

static void
take_status(struct reading *reading, const xmlNode *node, const char *status_name,
            const char *message)
{
    char status[24], id[40], code[16], information[160], text[240];
    bank_xml_text(bank_xml_child(node, status_name), status, sizeof status);
    bank_xml_text(bank_xml_child(node, "OrgnlEndToEndId"), id, sizeof id);
    bank_xml_text(bank_xml_at(node, "StsRsnInf/Rsn/Cd"), code, sizeof code);
    if (!*code) bank_xml_text(bank_xml_at(node, "StsRsnInf/Rsn/Prtry"), code, sizeof code);
    bank_xml_text(bank_xml_at(node, "StsRsnInf/AddtlInf"), information, sizeof information);
    if (!*status) return;
    bool rejected = strcmp(status, "RJCT") == 0;
    snprintf(text, sizeof text, "%s%s%s%s%s", rejected ? "" : status, rejected || !*code ? "" : " ",
             code, *code && *information ? ": " : "", information);
    const struct bank_entry entry = {
        .says = rejected ? BANK_SAYS_REJECTED : BANK_SAYS_OTHER,
        .reference = keep(reading, *id ? id : message),
        .end_to_end = keep(reading, id),
        .message = keep(reading, message),
        .text = keep(reading, text),
    };
    add(reading, &entry);
}

static enum status
read_pain(struct reading *reading, const xmlNode *root)
{
    char original[40], whole[60];
    strcpy(reading->message->kind, "pain.002");
    bank_xml_text(bank_xml_at(root, "GrpHdr/MsgId"), reading->message->message,
                  sizeof reading->message->message);
    const xmlNode *group = bank_xml_child(root, "OrgnlGrpInfAndSts");
    bank_xml_text(bank_xml_child(group, "OrgnlMsgId"), original, sizeof original);
    take_status(reading, group, "GrpSts", original);
    for (const xmlNode *block = bank_xml_child(root, "OrgnlPmtInfAndSts"); block;
         block = bank_xml_next(block)) {
        bank_xml_text(bank_xml_child(block, "OrgnlPmtInfId"), whole, sizeof whole);
        take_status(reading, block, "PmtInfSts", whole);
        for (const xmlNode *one = bank_xml_child(block, "TxInfAndSts"); one;
             one = bank_xml_next(one))
            take_status(reading, one, "TxSts", "");
    }
    if (reading->message->count == 0) return wrong(reading, "the file says no status of anything");
    return STATUS_OK;
}

enum status
bank_read(const char *bytes, size_t len, struct arena *arena, struct bank_message *out_message,
          char out_fault[BANK_FAULT])
{
    struct reading reading = {.arena = arena, .message = out_message, .fault = out_fault};
    char fault[BANK_XML_FAULT];
    xmlDoc *document;
    memset(out_message, 0, sizeof *out_message);
    out_fault[0] = '\0';
    enum status status = bank_xml_parse(bytes, len, &document, fault);
    if (status != STATUS_OK) return wrong(&reading, "%s", fault);
    const xmlNode *top = xmlDocGetRootElement(document);
    const xmlNode *camt = bank_xml_child(top, "BkToCstmrStmt");
    const xmlNode *pain = bank_xml_child(top, "CstmrPmtStsRpt");
    if (camt) status = read_camt(&reading, camt);
    else if (pain) status = read_pain(&reading, pain);
    else if (bank_xml_child(top, "BkToCstmrAcctRpt"))
        status = wrong(&reading, "this is camt.052, whose entries may still vanish; ask the bank "
                                 "for camt.053");
    else
        status = wrong(&reading, "this is neither a bank statement (camt.053) nor a status report "
                                 "(pain.002)");
    xmlFreeDoc(document);
    return status;
}
