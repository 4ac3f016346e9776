// The payment file: ISO 20022 pain.001.001.09, one group of payments a currency.
//
//  1 A run's file is a function of the run: nothing in it is drawn or read from a clock, so it is
//    the same bytes whenever it is made.
//  2 The end-to-end id is the payout's own id, which its transfer bears too: whatever the bank says
//    of a payment names the transfer.
//  3 Euro payments ask for SEPA (service level SEPA, charges SLEV); others share charges.
//  4 A check reads the file as the bank would, and compares every payment with what the books say
//    was told to the bank, and sums and counts with the payments.
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank_xml.h"
#include "fail.h"
#include "payout_inside.h"

#define NAMESPACE "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
#define NAME 70  // characters of a name that banks take

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void
payout_id_format(struct id id, char out[PAYOUT_ID])
{
    for (int i = 0; i < PAYOUT_ID - 1; i++) {
        unsigned value = 0;
        for (int bit = 5 * i; bit < 5 * i + 5; bit++) {
            value <<= 1;
            if (bit < 128) value |= (unsigned)id.bytes[bit / 8] >> (7 - bit % 8) & 1u;
        }
        out[i] = digits[value];
    }
    out[PAYOUT_ID - 1] = '\0';
}

enum status
payout_id_parse(const char *text, size_t len, struct id *out_id)
{
    memset(out_id, 0, sizeof *out_id);
    if (len != PAYOUT_ID - 1) return STATUS_INPUT;
    for (int i = 0; i < PAYOUT_ID - 1; i++) {
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (at == NULL) return STATUS_INPUT;
        unsigned value = (unsigned)(at - digits);
        for (int k = 0; k < 5; k++) {
            int bit = 5 * i + k;
            if (!(value >> (4 - k) & 1u)) continue;
            if (bit >= 128) return STATUS_INPUT;
            out_id->bytes[bit / 8] |= (uint8_t)(1u << (7 - bit % 8));
        }
    }
    return STATUS_OK;
}

// ISO 13616: country, two check digits, up to 30 letters and digits; remainder 1 of 97.
bool
payout_iban_valid(const char *iban)
{
    size_t len = strlen(iban);
    unsigned rest = 0;
    if (len < 15 || len > 34) return false;
    for (size_t i = 0; i < len; i++) {
        char c = iban[(i + 4) % len];
        bool letter = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
        size_t at = (i + 4) % len;
        if (!letter && !digit) return false;
        if ((at < 2 && !letter) || ((at == 2 || at == 3) && !digit)) return false;
        unsigned value = digit ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
        rest = (rest * (letter ? 100 : 10) + value) % 97;
    }
    return rest == 1;
}

// --- Writing -------------------------------------------------------------------------------------

static void
open_element(xmlTextWriter *out, const char *name)
{
    CHECK(xmlTextWriterStartElement(out, (const xmlChar *)name) >= 0);
}

static void
close_elements(xmlTextWriter *out, int count)
{
    for (int i = 0; i < count; i++) CHECK(xmlTextWriterEndElement(out) >= 0);
}

static void
element(xmlTextWriter *out, const char *name, const char *text)
{
    CHECK(xmlTextWriterWriteElement(out, (const xmlChar *)name, (const xmlChar *)text) >= 0);
}

// At most NAME characters, none of them a control character.
static void
name_element(xmlTextWriter *out, const char *name)
{
    char text[4 * NAME + 1];
    size_t len = 0, characters = 0;
    for (; *name && len + 4 < sizeof text; name++) {
        if (((unsigned char)*name & 0xc0) != 0x80 && ++characters > NAME) break;
        text[len++] = (unsigned char)*name < 0x20 || *name == 0x7f ? ' ' : *name;
    }
    text[len] = '\0';
    element(out, "Nm", text);
}

static void
party(xmlTextWriter *out, const char *role, const char *name)
{
    open_element(out, role);
    name_element(out, name);
    close_elements(out, 1);
}

static void
account(xmlTextWriter *out, const char *role, const char *iban)
{
    open_element(out, role);
    open_element(out, "Id");
    element(out, "IBAN", iban);
    close_elements(out, 2);
}

static void
agent(xmlTextWriter *out, const char *role, const char *bic)
{
    open_element(out, role);
    open_element(out, "FinInstnId");
    if (*bic) {
        element(out, "BICFI", bic);
    } else {
        open_element(out, "Othr");
        element(out, "Id", "NOTPROVIDED");
        close_elements(out, 1);
    }
    close_elements(out, 2);
}

static void
amount_text(money amount, struct currency currency, char out[MONEY_TEXT])
{
    money_format(amount, period_cent_decimals(currency), out);
}

// Number and sum of the payments of a currency; of NULL of all.
static void
totals(xmlTextWriter *out, const struct payout_run *run, const struct currency *currency)
{
    money sum = money_of(0);
    char text[MONEY_TEXT];
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct payout *payout = &run->payouts[i];
        if (payout->why != PAYOUT_PAID) continue;
        if (currency && !currency_same(payout->to, *currency)) continue;
        CHECK(money_add(sum, payout->amount, &sum) == STATUS_OK);
        count++;
    }
    snprintf(text, sizeof text, "%zu", count);
    element(out, "NbOfTxs", text);
    money_format(sum, 2, text);
    element(out, "CtrlSum", text);
}

static void
payment(xmlTextWriter *out, const struct payout_run *run, const struct payout *payout)
{
    char amount[MONEY_TEXT], text[140];
    amount_text(payout->amount, payout->to, amount);
    open_element(out, "CdtTrfTxInf");
    open_element(out, "PmtId");
    element(out, "EndToEndId", payout->end_to_end);
    close_elements(out, 1);
    open_element(out, "Amt");
    open_element(out, "InstdAmt");
    CHECK(xmlTextWriterWriteAttribute(out, (const xmlChar *)"Ccy",
                                      (const xmlChar *)payout->to.code) >= 0);
    CHECK(xmlTextWriterWriteString(out, (const xmlChar *)amount) >= 0);
    close_elements(out, 2);
    if (*payout->bic) agent(out, "CdtrAgt", payout->bic);
    party(out, "Cdtr", payout->name);
    account(out, "CdtrAcct", payout->iban);
    open_element(out, "RmtInf");
    snprintf(text, sizeof text, "Gain share %s %s", run->period, payout->code);
    element(out, "Ustrd", text);
    close_elements(out, 2);
}

static void
group(xmlTextWriter *out, const struct market *market, const struct payout_run *run,
      struct currency currency, const char *message)
{
    const struct market_party *host = &market->finance.party;
    bool euro = strcmp(currency.code, "EUR") == 0;
    char text[64], day[CLOCK_TEXT];
    clock_format(run->at, day);
    day[10] = '\0';
    snprintf(text, sizeof text, "%s-%s", message, currency.code);
    open_element(out, "PmtInf");
    element(out, "PmtInfId", text);
    element(out, "PmtMtd", "TRF");
    element(out, "BtchBookg", "false");
    totals(out, run, &currency);
    if (euro) {
        open_element(out, "PmtTpInf");
        open_element(out, "SvcLvl");
        element(out, "Cd", "SEPA");
        close_elements(out, 2);
    }
    open_element(out, "ReqdExctnDt");
    element(out, "Dt", day);
    close_elements(out, 1);
    party(out, "Dbtr", *host->legal_name ? host->legal_name : market->name);
    account(out, "DbtrAcct", host->iban);
    agent(out, "DbtrAgt", host->bic);
    element(out, "ChrgBr", euro ? "SLEV" : "SHAR");
    for (size_t i = 0; i < run->count; i++) {
        const struct payout *payout = &run->payouts[i];
        if (payout->why == PAYOUT_PAID && currency_same(payout->to, currency))
            payment(out, run, payout);
    }
    close_elements(out, 1);
}

static bool
first_of_currency(const struct payout_run *run, size_t at)
{
    if (run->payouts[at].why != PAYOUT_PAID) return false;
    for (size_t i = 0; i < at; i++) {
        if (run->payouts[i].why == PAYOUT_PAID &&
            currency_same(run->payouts[i].to, run->payouts[at].to))
            return false;
    }
    return true;
}

void
payout_write(const struct market *market, struct payout_run *run, struct arena *arena)
{
    run->body = "";
    run->body_len = 0;
    if (run->paid == 0) return;
    struct {
        char period[PERIOD_TEXT];
        usec at;
    } of;
    char message[PAYOUT_ID], at[CLOCK_TEXT];
    memset(&of, 0, sizeof of);
    memcpy(of.period, run->period, sizeof of.period);
    of.at = run->at;
    payout_id_format(hash_id("payout run", &of, sizeof of), message);
    clock_format(run->at, at);
    memcpy(at + 19, "Z", 2);  // whole seconds
    xmlBuffer *buffer = xmlBufferCreate();
    CHECK(buffer);
    xmlTextWriter *out = xmlNewTextWriterMemory(buffer, 0);
    CHECK(out && xmlTextWriterSetIndent(out, 1) >= 0);
    CHECK(xmlTextWriterStartDocument(out, NULL, "UTF-8", NULL) >= 0);
    open_element(out, "Document");
    CHECK(xmlTextWriterWriteAttribute(out, (const xmlChar *)"xmlns", (const xmlChar *)NAMESPACE) >=
          0);
    open_element(out, "CstmrCdtTrfInitn");
    open_element(out, "GrpHdr");
    element(out, "MsgId", message);
    element(out, "CreDtTm", at);
    totals(out, run, NULL);
    party(out, "InitgPty",
          *market->finance.party.legal_name ? market->finance.party.legal_name : market->name);
    close_elements(out, 1);
    for (size_t i = 0; i < run->count; i++) {
        if (first_of_currency(run, i)) group(out, market, run, run->payouts[i].to, message);
    }
    CHECK(xmlTextWriterEndDocument(out) >= 0);
    xmlFreeTextWriter(out);
    run->body_len = (size_t)xmlBufferLength(buffer);
    run->body = arena_text(arena, (const char *)xmlBufferContent(buffer), run->body_len);
    xmlBufferFree(buffer);
}

// --- Checking ------------------------------------------------------------------------------------

struct check {
    struct db *db;
    char *fault;
    char period[PERIOD_TEXT];  // of the first payment
    uint32_t payments;
    money sum;
    struct db_rows *told;  // of the period: end_to_end, currency, amount, iban, booked amount
    bool *seen;            // of told
};

static enum status __attribute__((format(printf, 2, 3)))
differs(struct check *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->fault, PAYOUT_FAULT, format, arguments);
    va_end(arguments);
    return STATUS_CONFLICT;
}

// The run that this payment belongs to; its payouts, with what the ledger holds of each.
static enum status
read_told(struct check *check, const char *end_to_end)
{
    static const char sql[] =
        "select p.end_to_end, p.currency, p.amount_micros, p.iban,"
        " coalesce(sum(t.amount_micros), 0)::bigint, p.period, s.code"
        " from payout p join seat s on s.id = p.seat left join transfer_kept t"
        " on t.transfer_id = p.payout_id and t.log = 0 and t.batch = p.act"
        " and t.kind = 'payout' and t.state = 'posted' and t.currency = p.currency"
        " where p.period = (select period from payout where end_to_end = $1)"
        " group by p.end_to_end, p.currency, p.amount_micros, p.iban, p.period, s.code";
    const struct db_param param = db_text(end_to_end);
    enum status status = db_query(check->db, sql, &param, 1, &check->told);
    if (status == STATUS_OK && db_count(check->told) == 0)
        return differs(check, "payment %s is none that was told to the bank", end_to_end);
    if (status != STATUS_OK) return status;
    check->seen = calloc(db_count(check->told), sizeof *check->seen);
    CHECK(check->seen);
    snprintf(check->period, sizeof check->period, "%s", db_get_text(check->told, 0, 5));
    return status;
}

static enum status
check_payment(struct check *check, const xmlNode *node)
{
    char id[40], iban[40], amount[MONEY_TEXT], booked[MONEY_TEXT];
    struct currency currency = {""};
    money paid;
    bank_xml_text(bank_xml_at(node, "PmtId/EndToEndId"), id, sizeof id);
    bank_xml_text(bank_xml_at(node, "CdtrAcct/Id/IBAN"), iban, sizeof iban);
    if (bank_xml_amount(bank_xml_at(node, "Amt/InstdAmt"), &paid, &currency) != STATUS_OK)
        return differs(check, "payment %s has no amount that can be read", id);
    enum status status = check->told ? STATUS_OK : read_told(check, id);
    if (status != STATUS_OK) return status;
    size_t i = 0;
    while (i < db_count(check->told) && strcmp(db_get_text(check->told, i, 0), id) != 0) i++;
    if (i == db_count(check->told))
        return differs(check, "payment %s is none of the run of %s", id, check->period);
    if (check->seen[i]) return differs(check, "payment %s stands in the file twice", id);
    check->seen[i] = true;
    const char *seat = db_get_text(check->told, i, 6);
    money_format(paid, 2, amount);
    money_format(db_get_money(check->told, i, 2), 2, booked);
    if (paid.micros != db_get_int(check->told, i, 2) ||
        strcmp(currency.code, db_get_text(check->told, i, 1)) != 0)
        return differs(check, "payment %s to %s is %s %s in the file and %s %s in the books", id,
                       seat, amount, currency.code, booked, db_get_text(check->told, i, 1));
    if (db_get_int(check->told, i, 2) != db_get_int(check->told, i, 4))
        return differs(check, "payment %s to %s: the ledger holds no transfer of %s %s for it", id,
                       seat, booked, currency.code);
    if (strcmp(iban, db_get_text(check->told, i, 3)) != 0)
        return differs(check, "payment %s to %s goes to account %s; the bank was told %s", id, seat,
                       iban, db_get_text(check->told, i, 3));
    check->payments++;
    return money_add(check->sum, paid, &check->sum);
}

static enum status
check_group(struct check *check, const xmlNode *node)
{
    enum status status = STATUS_OK;
    money before = check->sum, sum;
    uint32_t payments = check->payments;
    char text[40], count[16];
    for (xmlNode *one = bank_xml_child(node, "CdtTrfTxInf"); one && status == STATUS_OK;
         one = bank_xml_next(one))
        status = check_payment(check, one);
    if (status != STATUS_OK) return status;
    snprintf(count, sizeof count, "%u", check->payments - payments);
    if (strcmp(bank_xml_text(bank_xml_child(node, "NbOfTxs"), text, sizeof text), count) != 0)
        return differs(check, "a group says %s payments and has %s", text, count);
    bank_xml_text(bank_xml_child(node, "CtrlSum"), text, sizeof text);
    if (money_subtract(check->sum, before, &before) != STATUS_OK ||
        money_parse(text, strlen(text), &sum) != STATUS_OK || sum.micros != before.micros)
        return differs(check, "a group's sum is said to be %s; its payments add up to another",
                       text);
    return STATUS_OK;
}

static enum status
check_whole(struct check *check, const xmlNode *root)
{
    enum status status = STATUS_OK;
    char text[40], count[16];
    money sum;
    for (xmlNode *group = bank_xml_child(root, "PmtInf"); group && status == STATUS_OK;
         group = bank_xml_next(group))
        status = check_group(check, group);
    if (status != STATUS_OK) return status;
    snprintf(count, sizeof count, "%u", check->payments);
    bank_xml_text(bank_xml_at(root, "GrpHdr/NbOfTxs"), text, sizeof text);
    if (strcmp(text, count) != 0)
        return differs(check, "the file says %s payments and has %s", text, count);
    bank_xml_text(bank_xml_at(root, "GrpHdr/CtrlSum"), text, sizeof text);
    if (money_parse(text, strlen(text), &sum) != STATUS_OK || sum.micros != check->sum.micros)
        return differs(check, "the file's sum is said to be %s; its payments add up to another",
                       text);
    if (check->payments == 0) return differs(check, "the file has no payments");
    if (check->payments != db_count(check->told))
        return differs(check, "the file has %u payments, and the run of %s has %zu",
                       check->payments, check->period, db_count(check->told));
    return STATUS_OK;
}

enum status
payout_check(struct db *db, const char *bytes, size_t len, uint32_t *out_payments,
             char out_fault[PAYOUT_FAULT])
{
    struct check check = {.db = db, .fault = out_fault};
    xmlDoc *document;
    char fault[BANK_XML_FAULT];
    out_fault[0] = '\0';
    enum status status = bank_xml_parse(bytes, len, &document, fault);
    if (status != STATUS_OK) {
        snprintf(out_fault, PAYOUT_FAULT, "%s", fault);
        return status;
    }
    const xmlNode *root = bank_xml_child(xmlDocGetRootElement(document), "CstmrCdtTrfInitn");
    if (root == NULL) {
        snprintf(out_fault, PAYOUT_FAULT, "this is no payment file (pain.001)");
        status = STATUS_INPUT;
    } else {
        status = check_whole(&check, root);
    }
    *out_payments = check.payments;
    db_rows_free(check.told);
    free(check.seen);
    xmlFreeDoc(document);
    return status;
}
