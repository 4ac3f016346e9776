// A statement's sections as a UBL 2.1 invoice by EN 16931.
//
//  1 Each line of a section is a line of the invoice: quantity 1 (or -1, since prices are never
//    negative), its whole cents as price and net amount; what was won and delivered stands in its
//    description. Lines of no cent are left out; what was carried in is a line of its own. So the
//    sum of the lines is the sum of the sections' totals, exactly (BR-CO-10).
//  2 Tax is worked out once a category and rate, on the sum of its lines, rounded half up
//    (BR-CO-17). It stands on documents only; the ledger books net amounts.
//  3 A sum below zero is a credit note, all signs turned.
//  4 What was paid from a deposit stands as the prepaid amount.
#include "invoice.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

#define RATES 16  // categories with their rates on one invoice

struct rate {
    char category;
    uint32_t ppm;
    money base, tax;
};
struct invoice {
    const struct statement *statement;
    struct arena *arena;
    xmlTextWriterPtr out;
    bool self_billed, credit;
    unsigned decimals;
    int lines;
    money net, tax, gross, prepaid, payable;
    struct rate rates[RATES];
    size_t rate_count;
};

// Sections on each side of the business.
static const enum section_kind owed[] = {SECTION_CHARGED, SECTION_PREPAID, SECTION_DUE,
                                         SECTION_CORRECTIONS};
static const enum section_kind self_billed[] = {SECTION_PAYABLE};

static size_t
sections_of(enum invoice_side side, const enum section_kind **out_kinds)
{
    *out_kinds = side == INVOICE_OWED ? owed : self_billed;
    return side == INVOICE_OWED ? sizeof owed / sizeof *owed
                                : sizeof self_billed / sizeof *self_billed;
}

static money
plus(money a, money b)
{
    money sum;
    CHECK(money_add(a, b, &sum) == STATUS_OK);  // totals that the statement kept within range
    return sum;
}

static money
minus(money a, money b)
{
    money difference;
    CHECK(money_subtract(a, b, &difference) == STATUS_OK);
    return difference;
}

// --- Amounts -------------------------------------------------------------------------------------

// Terms of what was carried in: those of the section's first line.
static struct line
carried_line(const struct section *section)
{
    struct line line = {.container = "",
                        .slot = "",
                        .message = "",
                        .rung = "",
                        .tax_category = 'O',
                        .cents = section->carried_in_cents};
    if (section->count > 0) {
        line.tax_category = section->lines[0].tax_category;
        line.tax_ppm = section->lines[0].tax_ppm;
    }
    return line;
}

static bool
take_amount(struct invoice *invoice, const struct line *line)
{
    if (line->cents.micros == 0) return true;
    size_t i = 0;
    while (i < invoice->rate_count && (invoice->rates[i].category != line->tax_category ||
                                       invoice->rates[i].ppm != line->tax_ppm))
        i++;
    if (i == RATES) return false;
    if (i == invoice->rate_count)
        invoice->rates[invoice->rate_count++] = (struct rate){
            line->tax_category, line->tax_ppm, {0}, {0}};
    invoice->rates[i].base = plus(invoice->rates[i].base, line->cents);
    invoice->net = plus(invoice->net, line->cents);
    invoice->lines++;
    return true;
}

// Half up, away from zero: whole cents of base x rate.
static money
tax_of(const struct rate *rate, int64_t cent)
{
    money exact[2], cents[2], total, rest;
    CHECK(money_share(rate->base, rate->ppm, &exact[0]) == STATUS_OK);
    exact[1] = money_of(exact[0].micros < 0 ? -cent / 2 : cent / 2);
    CHECK(period_round(exact, 2, cent, cents, &total, &rest) == STATUS_OK);
    return total;
}

// False: it cannot be an invoice (invoice.h).
static bool
add_up(struct invoice *invoice, const struct statement *statement, enum invoice_side side)
{
    const enum section_kind *kinds = NULL;
    size_t count = sections_of(side, &kinds);
    bool untaxed = false;
    for (size_t i = 0; i < count; i++) {
        const struct section *section = &statement->sections[kinds[i]];
        struct line carried = carried_line(section);
        for (size_t k = 0; k < section->count; k++)
            if (!take_amount(invoice, &section->lines[k])) return false;
        if (!take_amount(invoice, &carried)) return false;
    }
    for (size_t i = 0; i < invoice->rate_count; i++) {
        struct rate *rate = &invoice->rates[i];
        rate->tax = tax_of(rate, period_cent(statement->currency));
        invoice->tax = plus(invoice->tax, rate->tax);
        if (rate->category == 'O') untaxed = true;
    }
    invoice->gross = plus(invoice->net, invoice->tax);
    if (side == INVOICE_OWED) invoice->prepaid = statement->sections[SECTION_PREPAID].total;
    invoice->payable = minus(invoice->gross, invoice->prepaid);
    invoice->credit = invoice->net.micros < 0;
    return invoice->lines > 0 && (!untaxed || invoice->rate_count == 1);
}

bool
invoice_has(const struct statement *statement, enum invoice_side side)
{
    struct invoice invoice = {.statement = statement};
    return strcmp(statement->kind, "partner") == 0 && statement->party->country[0] != '\0' &&
           statement->host->country[0] != '\0' && period_cent_decimals(statement->currency) <= 2 &&
           add_up(&invoice, statement, side);
}

// --- XML -----------------------------------------------------------------------------------------

static void
open_tag(struct invoice *invoice, const char *name)
{
    CHECK(xmlTextWriterStartElement(invoice->out, BAD_CAST name) >= 0);
}

static void
close_tag(struct invoice *invoice)
{
    CHECK(xmlTextWriterEndElement(invoice->out) >= 0);
}

static void
put(struct invoice *invoice, const char *name, const char *text)
{
    CHECK(xmlTextWriterWriteElement(invoice->out, BAD_CAST name, BAD_CAST text) >= 0);
}

static void
put_given(struct invoice *invoice, const char *name, const char *text)
{
    if (text[0] != '\0') put(invoice, name, text);
}

static money
signed_for(const struct invoice *invoice, money amount)
{
    return invoice->credit ? minus(money_of(0), amount) : amount;
}

static void
put_amount(struct invoice *invoice, const char *name, money amount)
{
    char text[MONEY_TEXT];
    money_format(signed_for(invoice, amount), invoice->decimals, text);
    open_tag(invoice, name);
    CHECK(xmlTextWriterWriteAttribute(invoice->out, BAD_CAST "currencyID",
                                      BAD_CAST invoice->statement->currency.code) >= 0);
    CHECK(xmlTextWriterWriteString(invoice->out, BAD_CAST text) >= 0);
    close_tag(invoice);
}

// "2026-11-30" of the last moment before `until`, or of `at`.
static void
put_date(struct invoice *invoice, const char *name, usec at)
{
    char text[CLOCK_TEXT];
    clock_format(at, text);
    text[10] = '\0';
    put(invoice, name, text);
}

// --- Parties -------------------------------------------------------------------------------------

static void
put_address(struct invoice *invoice, const struct market_party *party)
{
    open_tag(invoice, "cac:PostalAddress");
    put_given(invoice, "cbc:StreetName", party->street);
    put_given(invoice, "cbc:CityName", party->city);
    put_given(invoice, "cbc:PostalZone", party->postal_code);
    open_tag(invoice, "cac:Country");
    put(invoice, "cbc:IdentificationCode", party->country);
    close_tag(invoice);
    close_tag(invoice);
}

// A supply that is not subject to tax bears no VAT numbers (BR-O-02).
static bool
taxed(const struct invoice *invoice)
{
    return invoice->rates[0].category != 'O';
}

static void
put_party(struct invoice *invoice, const char *role, const char *code, const char *name,
          const struct market_party *party)
{
    open_tag(invoice, role);
    open_tag(invoice, "cac:Party");
    open_tag(invoice, "cac:PartyIdentification");
    put(invoice, "cbc:ID", code);
    close_tag(invoice);
    put_address(invoice, party);
    if (taxed(invoice) && party->tax_id[0] != '\0') {
        open_tag(invoice, "cac:PartyTaxScheme");
        put(invoice, "cbc:CompanyID", party->tax_id);
        open_tag(invoice, "cac:TaxScheme");
        put(invoice, "cbc:ID", "VAT");
        close_tag(invoice);
        close_tag(invoice);
    }
    open_tag(invoice, "cac:PartyLegalEntity");
    put(invoice, "cbc:RegistrationName", party->legal_name[0] != '\0' ? party->legal_name : name);
    put_given(invoice, "cbc:CompanyID", party->registration);
    close_tag(invoice);
    if (party->email[0] != '\0') {
        open_tag(invoice, "cac:Contact");
        put(invoice, "cbc:ElectronicMail", party->email);
        close_tag(invoice);
    }
    close_tag(invoice);
    close_tag(invoice);
}

static void
put_parties(struct invoice *invoice)
{
    const struct statement *statement = invoice->statement;
    const char *supplier = "cac:AccountingSupplierParty", *customer = "cac:AccountingCustomerParty";
    if (invoice->self_billed) {
        put_party(invoice, supplier, statement->code, statement->name, statement->party);
        put_party(invoice, customer, "host", statement->host_name, statement->host);
    } else {
        put_party(invoice, supplier, "host", statement->host_name, statement->host);
        put_party(invoice, customer, statement->code, statement->name, statement->party);
    }
}

// An intra-community supply says where it went (BR-IC-12).
static void
put_delivery(struct invoice *invoice)
{
    bool abroad = false;
    for (size_t i = 0; i < invoice->rate_count; i++)
        if (invoice->rates[i].category == 'K') abroad = true;
    if (!abroad) return;
    open_tag(invoice, "cac:Delivery");
    open_tag(invoice, "cac:DeliveryLocation");
    open_tag(invoice, "cac:Address");
    open_tag(invoice, "cac:Country");
    put(invoice, "cbc:IdentificationCode",
        invoice->self_billed ? invoice->statement->host->country
                             : invoice->statement->party->country);
    for (int i = 0; i < 4; i++) close_tag(invoice);
}

// Where the supplier is paid.
static void
put_means(struct invoice *invoice, const char *number)
{
    const struct market_party *payee = invoice->self_billed ? invoice->statement->party
                                                            : invoice->statement->host;
    if (payee->iban[0] != '\0') {
        open_tag(invoice, "cac:PaymentMeans");
        put(invoice, "cbc:PaymentMeansCode", "30");
        put(invoice, "cbc:PaymentID", number);
        open_tag(invoice, "cac:PayeeFinancialAccount");
        put(invoice, "cbc:ID", payee->iban);
        if (payee->bic[0] != '\0') {
            open_tag(invoice, "cac:FinancialInstitutionBranch");
            put(invoice, "cbc:ID", payee->bic);
            close_tag(invoice);
        }
        close_tag(invoice);
        close_tag(invoice);
    }
    open_tag(invoice, "cac:PaymentTerms");
    put(invoice, "cbc:Note",
        invoice->self_billed ? "Paid out by the terms of the contract."
                             : "Payable by the terms of the contract.");
    close_tag(invoice);
}

// --- Tax and totals ------------------------------------------------------------------------------

static void
put_category(struct invoice *invoice, const char *tag, const struct rate *rate, bool reasoned)
{
    char text[MONEY_TEXT], category[2] = {rate->category, '\0'};
    const char *reason = rate->category == 'O'   ? "Not subject to VAT"
                         : rate->category == 'E' ? "Exempt from VAT"
                         : rate->category == 'K' ? "Intra-community supply"
                         : rate->category == 'G' ? "Export outside the EU"
                                                 : NULL;
    money_format(money_of((int64_t)rate->ppm * 100), 0, text);
    open_tag(invoice, tag);
    put(invoice, "cbc:ID", category);
    if (rate->category != 'O') put(invoice, "cbc:Percent", rate->category == 'S' ? text : "0");
    if (reasoned && reason != NULL) put(invoice, "cbc:TaxExemptionReason", reason);
    open_tag(invoice, "cac:TaxScheme");
    put(invoice, "cbc:ID", "VAT");
    close_tag(invoice);
    close_tag(invoice);
}

static void
put_totals(struct invoice *invoice)
{
    open_tag(invoice, "cac:TaxTotal");
    put_amount(invoice, "cbc:TaxAmount", invoice->tax);
    for (size_t i = 0; i < invoice->rate_count; i++) {
        open_tag(invoice, "cac:TaxSubtotal");
        put_amount(invoice, "cbc:TaxableAmount", invoice->rates[i].base);
        put_amount(invoice, "cbc:TaxAmount", invoice->rates[i].tax);
        put_category(invoice, "cac:TaxCategory", &invoice->rates[i], true);
        close_tag(invoice);
    }
    close_tag(invoice);
    open_tag(invoice, "cac:LegalMonetaryTotal");
    put_amount(invoice, "cbc:LineExtensionAmount", invoice->net);
    put_amount(invoice, "cbc:TaxExclusiveAmount", invoice->net);
    put_amount(invoice, "cbc:TaxInclusiveAmount", invoice->gross);
    if (invoice->prepaid.micros != 0) put_amount(invoice, "cbc:PrepaidAmount", invoice->prepaid);
    put_amount(invoice, "cbc:PayableAmount", invoice->payable);
    close_tag(invoice);
}

// --- Lines ---------------------------------------------------------------------------------------

static const char *
name_of(struct invoice *invoice, enum section_kind kind, const struct line *line)
{
    bool slot = line->slot[0] != '\0';
    const char *what = kind == SECTION_DUE           ? "Gain share"
                       : kind == SECTION_CORRECTIONS ? "Correction"
                       : kind == SECTION_PAYABLE     ? "Gain share"
                       : line->adjusted              ? "Adjustment"
                                                     : "Placements";
    return arena_printf(invoice->arena, "%s%s%s%s%s%s%s%s", what, slot ? ", " : "", line->container,
                        line->container[0] != '\0' ? "." : "", line->slot,
                        line->message[0] != '\0' ? ", " : "", line->message,
                        line->adjusted && slot ? " (adjusted)" : "");
}

static void
put_line(struct invoice *invoice, const struct line *line, const char *name, const char *words)
{
    if (line->cents.micros == 0) return;
    char number[16];
    bool negative = signed_for(invoice, line->cents).micros < 0;
    money price = line->cents.micros < 0 ? minus(money_of(0), line->cents) : line->cents;
    snprintf(number, sizeof number, "%d", ++invoice->lines);
    open_tag(invoice, invoice->credit ? "cac:CreditNoteLine" : "cac:InvoiceLine");
    put(invoice, "cbc:ID", number);
    open_tag(invoice, invoice->credit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity");
    CHECK(xmlTextWriterWriteAttribute(invoice->out, BAD_CAST "unitCode", BAD_CAST "C62") >= 0);
    CHECK(xmlTextWriterWriteString(invoice->out, BAD_CAST(negative ? "-1" : "1")) >= 0);
    close_tag(invoice);
    put_amount(invoice, "cbc:LineExtensionAmount", line->cents);
    open_tag(invoice, "cac:Item");
    put_given(invoice, "cbc:Description", words);
    put(invoice, "cbc:Name", name);
    put_category(invoice, "cac:ClassifiedTaxCategory",
                 &(struct rate){line->tax_category, line->tax_ppm, {0}, {0}}, false);
    close_tag(invoice);
    open_tag(invoice, "cac:Price");
    put_amount(invoice, "cbc:PriceAmount", signed_for(invoice, price));  // signed again: positive
    close_tag(invoice);
    close_tag(invoice);
}

static void
put_lines(struct invoice *invoice, enum invoice_side side)
{
    const enum section_kind *kinds = NULL;
    size_t count = sections_of(side, &kinds);
    invoice->lines = 0;
    for (size_t i = 0; i < count; i++) {
        const struct section *section = &invoice->statement->sections[kinds[i]];
        bool placed = kinds[i] == SECTION_CHARGED || kinds[i] == SECTION_PREPAID;
        for (size_t k = 0; k < section->count; k++) {
            const struct line *line = &section->lines[k];
            const char *words = arena_printf(
                invoice->arena, "Statement line %d, %s: %lld won, %lld delivered", line->number,
                line->rung, (long long)line->won, (long long)line->delivered);
            const char *brief = arena_printf(invoice->arena, "Statement line %d", line->number);
            put_line(invoice, line, name_of(invoice, kinds[i], line),
                     placed && !line->adjusted ? words : brief);
        }
        struct line carried = carried_line(section);
        put_line(invoice, &carried,
                 arena_printf(invoice->arena, "Carried from %s", section->carried_from), "");
    }
}

// --- The document --------------------------------------------------------------------------------

static void
put_head(struct invoice *invoice, const char *number)
{
    const struct statement *statement = invoice->statement;
    const char *code = invoice->self_billed ? (invoice->credit ? "261" : "389")
                                            : (invoice->credit ? "381" : "380");
    put(invoice, "cbc:CustomizationID", "urn:cen.eu:en16931:2017");
    put(invoice, "cbc:ID", number);
    put_date(invoice, "cbc:IssueDate", statement->issued);
    put(invoice, invoice->credit ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode", code);
    put(invoice, "cbc:Note",
        statement->closed ? arena_printf(invoice->arena, "Statement %s of %s, digest %s, root %s",
                                         statement->period.name, statement->code, statement->digest,
                                         statement->root)
                          : "Draft: the period is open. Not an invoice yet.");
    put(invoice, "cbc:DocumentCurrencyCode", statement->currency.code);
    open_tag(invoice, "cac:InvoicePeriod");
    put_date(invoice, "cbc:StartDate", statement->period.from);
    put_date(invoice, "cbc:EndDate", (usec){statement->period.until.us - 1});
    close_tag(invoice);
}

static void
put_all(struct invoice *invoice, enum invoice_side side)
{
    const char *root = invoice->credit ? "CreditNote" : "Invoice";
    const char *number = arena_printf(invoice->arena, "%s%s-%s%s",
                                      invoice->statement->closed ? "" : "draft-",
                                      invoice->statement->code, invoice->statement->period.name,
                                      invoice->self_billed ? "-self" : "");
    CHECK(xmlTextWriterSetIndent(invoice->out, 1) >= 0);
    CHECK(xmlTextWriterSetIndentString(invoice->out, BAD_CAST "  ") >= 0);
    CHECK(xmlTextWriterStartDocument(invoice->out, NULL, "UTF-8", NULL) >= 0);
    open_tag(invoice, root);
    static const char types[] = "urn:oasis:names:specification:ubl:schema:xsd:";
    const char *names[3][2] = {{"xmlns", root},
                               {"xmlns:cac", "CommonAggregateComponents"},
                               {"xmlns:cbc", "CommonBasicComponents"}};
    for (size_t i = 0; i < 3; i++)
        CHECK(xmlTextWriterWriteAttribute(
                  invoice->out, BAD_CAST names[i][0],
                  BAD_CAST arena_printf(invoice->arena, "%s%s-2", types, names[i][1])) >= 0);
    put_head(invoice, number);
    put_parties(invoice);
    put_delivery(invoice);
    put_means(invoice, number);
    put_totals(invoice);
    put_lines(invoice, side);
    close_tag(invoice);
    CHECK(xmlTextWriterEndDocument(invoice->out) >= 0);
}

const char *
invoice_print(const struct statement *statement, enum invoice_side side, struct arena *arena,
              size_t *out_len)
{
    struct invoice invoice = {.statement = statement,
                              .arena = arena,
                              .self_billed = side == INVOICE_SELF_BILLED,
                              .decimals = period_cent_decimals(statement->currency)};
    CHECK(add_up(&invoice, statement, side));
    xmlBufferPtr buffer = xmlBufferCreate();
    CHECK(buffer != NULL);
    invoice.out = xmlNewTextWriterMemory(buffer, 0);
    CHECK(invoice.out != NULL);
    put_all(&invoice, side);
    xmlFreeTextWriter(invoice.out);
    *out_len = (size_t)xmlBufferLength(buffer);
    const char *kept = arena_text(arena, (const char *)xmlBufferContent(buffer), *out_len);
    xmlBufferFree(buffer);
    return kept;
}
