// What the bank says, against books that were filled the real way: payments, receipts, rejections,
// returns; what does not match is listed and not booked; nothing is booked twice; bad files.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "bank.h"
#include "bank_story.h"
#include "seed.h"

static struct arena *arena;
static struct payout_run run;

static int
set_up(void **state)
{
    (void)state;
    char fault[PAYOUT_FAULT];
    arena = arena_open("bank test");
    story_open();
    story_rate("2026-12-01T15:00:00Z", "0.9371", 10000);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_OK);
    books_at(&books, "2026-12-04T08:00:00Z");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    arena_close(arena);
    return 0;
}

static const char *
id_of(const char *code)
{
    for (size_t i = 0; i < run.count; i++) {
        if (strcmp(run.payouts[i].code, code) == 0) return run.payouts[i].end_to_end;
    }
    fail();
    return "";
}

// --- Files ---------------------------------------------------------------------------------------

static char file[65536];

static void
begin(const char *iban)
{
    snprintf(file, sizeof file,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>"
             "<GrpHdr><MsgId>M-1</MsgId></GrpHdr><Stmt><Id>S-1</Id><Acct><Id><IBAN>%s</IBAN></Id>"
             "</Acct>",
             iban);
}

static void __attribute__((format(printf, 1, 2))) put(const char *format, ...)
{
    size_t len = strlen(file);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(file + len, sizeof file - len, format, arguments);
    va_end(arguments);
}

// One entry: "25.00", "EUR", "DBIT", its reference, end-to-end id, remittance.
static void
entry(const char *amount, const char *currency, const char *way, const char *reference,
      const char *end_to_end, const char *text)
{
    put("<Ntry><Amt Ccy=\"%s\">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        "<BookgDt><Dt>2026-12-03</Dt></BookgDt><AcctSvcrRef>%s</AcctSvcrRef><NtryDtls><TxDtls>"
        "<Refs><EndToEndId>%s</EndToEndId></Refs><RmtInf><Ustrd>%s</Ustrd></RmtInf>"
        "</TxDtls></NtryDtls></Ntry>",
        currency, amount, way, reference, end_to_end, text);
}

static void
end(void)
{
    put("</Stmt></BkToCstmrStmt></Document>");
}

static struct bank_report
take(void)
{
    struct bank_report report;
    char fault[BANK_FAULT];
    enum status status = bank_take(books.console_db, file, strlen(file), "ada", books.now, arena,
                                   &report, fault);
    if (status != STATUS_OK) print_message("%s %s\n", fault, db_fault(books.console_db)->text);
    assert_int_equal(status, STATUS_OK);
    return report;
}

static void
line_says(const struct bank_report *report, size_t at, enum bank_outcome outcome, const char *words)
{
    assert_true(at < report->count);
    if (report->lines[at].outcome != outcome || !strstr(report->lines[at].why, words))
        fail_msg("line %zu: %s: %s", at, bank_outcome_name(report->lines[at].outcome),
                 report->lines[at].why);
}

// --- Tests ---------------------------------------------------------------------------------------

static void
books_what_matches_and_lists_the_rest(void **state)
{
    (void)state;
    char text[200];
    // Roaster is billed its pool, 100.00, and 0.06 for the placement.
    assert_int_equal(story_balance(1120, "roaster", "EUR"), 100060000);
    begin(HOST_IBAN);
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    entry("18.50", "CHF", "DBIT", "B2", id_of("beta"), "");
    entry("18.55", "EUR", "DBIT", "B3", id_of("beta"), "");
    entry("9.00", "EUR", "DBIT", "B4", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "");
    entry("9.00", "EUR", "DBIT", "B5", "NOTPROVIDED", "charges");
    entry("40.06", "EUR", "CRDT", "B6", "NOTPROVIDED", "Rechnung 2026-11 ROASTER, danke");
    entry("60.01", "EUR", "CRDT", "B7", "x", "2026-11 roaster");
    entry("60.00", "EUR", "CRDT", "B8", "", "for 2026-11 roaster");
    entry("60.00", "EUR", "CRDT", "B9", "", "for 2026-11 roasters");
    entry("25.00", "EUR", "DBIT", "B10", id_of("alpha"), "");
    end();
    struct bank_report report = take();
    assert_int_equal(report.count, 10);
    line_says(&report, 0, BANK_BOOKED, "alpha is paid");
    line_says(&report, 1, BANK_UNMATCHED, "says 18.50 CHF, and it was told 18.55 CHF");
    line_says(&report, 2, BANK_UNMATCHED, "says 18.55 EUR, and it was told 18.55 CHF");
    line_says(&report, 3, BANK_UNMATCHED, "no payout has the end-to-end id AAAA");
    line_says(&report, 4, BANK_UNMATCHED, "no end-to-end id");
    line_says(&report, 5, BANK_BOOKED, "part of bill 2026-11 roaster; 60.00 EUR stay open");
    line_says(&report, 6, BANK_UNMATCHED, "60.00 EUR are open");
    line_says(&report, 7, BANK_BOOKED, "bill 2026-11 roaster is paid");
    line_says(&report, 8, BANK_UNMATCHED, "names no open bill");
    line_says(&report, 9, BANK_UNMATCHED, "paid already");
    assert_int_equal(story_balance(2190, "alpha", "EUR"), 0);
    assert_int_equal(story_balance(2190, "beta", "CHF"), -18550000);
    assert_int_equal(story_balance(1120, "roaster", "EUR"), 0);
    assert_int_equal(story_balance(1000, "", "EUR"), 100060000 - 25000000);
    assert_string_equal(books_text(&books, "select distinct period from transfer where kind = "
                                           "'paid'"),
                        "2026-12");
    // The same file again: nothing is booked, what did not match is listed again.
    report = take();
    assert_int_equal(report.act, 0);
    assert_int_equal(report.tally[BANK_BOOKED], 0);
    assert_int_equal(report.tally[BANK_BEFORE], 3);
    assert_int_equal(report.tally[BANK_UNMATCHED], 7);
    // The same entry in another file, beside the one that was missing.
    begin(HOST_IBAN);
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    entry("18.55", "CHF", "DBIT", "B11", id_of("beta"), "");
    end();
    report = take();
    line_says(&report, 0, BANK_BEFORE, "booked by act");
    line_says(&report, 1, BANK_BOOKED, "beta is paid");
    snprintf(text, sizeof text, "%s",
             books_text(&books, "select string_agg(state, ' ') from payout_now"));
    assert_string_equal(text, "paid paid");
    story_prove();
}

static void
details_of_a_batch_are_taken_one_by_one(void **state)
{
    (void)state;
    begin(HOST_IBAN);
    put("<Ntry><Amt Ccy=\"EUR\">31.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt>"
        "<DtTm>2026-12-03T10:00:00</DtTm></BookgDt><AcctSvcrRef>B1</AcctSvcrRef><NtryDtls><TxDtls>"
        "<Refs><EndToEndId>%s</EndToEndId></Refs><Amt Ccy=\"EUR\">25.00</Amt></TxDtls><TxDtls>"
        "<Refs><EndToEndId>other</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy=\"EUR\">6</Amt>"
        "</TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>",
        id_of("alpha"));
    // Details that do not add up; an entry that the bank has not booked; one without an amount.
    put("<Ntry><Amt Ccy=\"CHF\">20.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls>"
        "<TxDtls><Refs><EndToEndId>%s</EndToEndId></Refs><Amt Ccy=\"CHF\">18.55</Amt></TxDtls>"
        "<TxDtls><Amt Ccy=\"CHF\">1.40</Amt></TxDtls></NtryDtls></Ntry>",
        id_of("beta"));
    put("<Ntry><Amt Ccy=\"CHF\">18.55</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><NtryDtls>"
        "<TxDtls><Refs><EndToEndId>%s</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>",
        id_of("beta"));
    put("<Ntry><Amt>18.55</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts></Ntry>");
    put("<Ntry><Amt Ccy=\"EUR\">18.555555555</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>"
        "</Ntry>");
    end();
    struct bank_report report = take();
    assert_int_equal(report.count, 6);
    line_says(&report, 0, BANK_BOOKED, "alpha is paid");
    line_says(&report, 1, BANK_UNMATCHED, "no payout has the end-to-end id other");
    line_says(&report, 2, BANK_UNMATCHED, "do not add up");
    line_says(&report, 3, BANK_NOTHING, "PDNG");
    line_says(&report, 4, BANK_UNMATCHED, "no amount");
    line_says(&report, 5, BANK_UNMATCHED, "no amount");
    report = take();
    assert_int_equal(report.tally[BANK_BOOKED], 0);
}

static void
status(const char *id, const char *says)
{
    snprintf(file, sizeof file,
             "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>"
             "<GrpHdr><MsgId>R-1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>"
             "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts>"
             "<OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>%s</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd>"
             "</Rsn><AddtlInf>closed account</AddtlInf></StsRsnInf></TxInfAndSts>"
             "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>",
             id, says);
}

static void
what_is_rejected_is_payable_again(void **state)
{
    (void)state;
    status(id_of("beta"), "ACSP");
    struct bank_report report = take();
    line_says(&report, 0, BANK_NOTHING, "ACSP AC04");
    status(id_of("beta"), "RJCT");
    report = take();
    line_says(&report, 0, BANK_BOOKED, "beta was rejected (AC04: closed account)");
    // The exchange is undone with it: beta is owed euros again, and nothing is left in 3900.
    assert_int_equal(story_balance(2190, "beta", "CHF"), 0);
    assert_int_equal(story_balance(2110, "beta", "CHF"), 0);
    assert_int_equal(story_balance(2110, "beta", "EUR"), -20000000);
    assert_int_equal(story_balance(3900, "", "EUR"), 0);
    assert_int_equal(story_balance(3900, "", "CHF"), 0);
    assert_int_equal(story_balance(4300, "", "EUR"), 0);
    report = take();
    line_says(&report, 0, BANK_BEFORE, "was booked");
    // A payment that was rejected and is paid nevertheless is no match.
    begin(HOST_IBAN);
    entry("18.55", "CHF", "DBIT", "B1", id_of("beta"), "");
    end();
    report = take();
    line_says(&report, 0, BANK_UNMATCHED, "was rejected before");
    // The next period's run pays it.
    char fault[PAYOUT_FAULT];
    story_close(&december, "2027-01-02T08:00:00Z");
    story_rate("2027-01-01T15:00:00Z", "0.9", 0);
    assert_int_equal(story_pay(&december, arena, &run, fault), STATUS_OK);
    assert_int_equal(run.paid, 1);
    assert_int_equal(story_balance(2190, "beta", "CHF"), -18000000);
    assert_int_equal(story_balance(2110, "beta", "EUR"), 0);
    story_prove();
}

static void
a_whole_message_may_be_rejected(void **state)
{
    (void)state;
    char message[64];
    const char *at = strstr(run.body, "<MsgId>") + 7;
    snprintf(message, sizeof message, "%.26s", at);
    snprintf(file, sizeof file,
             "<Document><CstmrPmtStsRpt><GrpHdr><MsgId>R-1</MsgId></GrpHdr><OrgnlGrpInfAndSts>"
             "<OrgnlMsgId>%s</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt>"
             "</Document>",
             message);
    struct bank_report report = take();
    assert_int_equal(report.tally[BANK_BOOKED], 2);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), 0);
    assert_int_equal(story_balance(2110, "alpha", "EUR"), -25000000);
    snprintf(file, sizeof file,
             "<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>none</OrgnlMsgId>"
             "<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>");
    report = take();
    line_says(&report, 0, BANK_UNMATCHED, "no payout run has the message id none");
    story_prove();
}

static void
what_comes_back_is_payable_again(void **state)
{
    (void)state;
    begin(HOST_IBAN);
    entry("25.00", "EUR", "CRDT", "B1", id_of("alpha"), "");
    entry("25.00", "EUR", "DBIT", "B2", id_of("alpha"), "");
    entry("24.00", "EUR", "CRDT", "B3", id_of("alpha"), "less charges");
    entry("25.00", "EUR", "CRDT", "B4", id_of("alpha"), "account closed");
    entry("25.00", "EUR", "CRDT", "B5", id_of("alpha"), "twice");
    end();
    struct bank_report report = take();
    line_says(&report, 0, BANK_UNMATCHED, "is sent, not paid");
    line_says(&report, 1, BANK_BOOKED, "is paid");
    line_says(&report, 2, BANK_UNMATCHED, "says 24.00 EUR");
    line_says(&report, 3, BANK_BOOKED, "came back");
    line_says(&report, 4, BANK_UNMATCHED, "is returned, not paid");
    assert_int_equal(story_balance(1000, "", "EUR"), 0);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), 0);
    assert_int_equal(story_balance(2110, "alpha", "EUR"), -25000000);
    status(id_of("alpha"), "RJCT");
    report = take();
    line_says(&report, 0, BANK_UNMATCHED, "contradicts itself");
    story_prove();
}

static void
refuse(const char *words)
{
    struct bank_report report;
    char fault[BANK_FAULT];
    assert_int_equal(
        bank_take(books.console_db, file, strlen(file), "ada", books.now, arena, &report, fault),
        STATUS_INPUT);
    if (!strstr(fault, words)) fail_msg("%s", fault);
    assert_int_equal(story_balance(1000, "", "EUR"), 0);
}

static void
refuses_files_that_cannot_be_used(void **state)
{
    (void)state;
    strcpy(file, "");
    refuse("no XML");
    strcpy(file, "date;amount\n2026-12-03;12,00\n");
    refuse("line 1: this is no XML");
    strcpy(file, "<Document><Other/></Document>");
    refuse("neither a bank statement");
    strcpy(file, "<Document><BkToCstmrAcctRpt/></Document>");
    refuse("camt.052");
    strcpy(file,
           "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Document>&x;</Document>");
    refuse("document type");
    strcpy(file, "<Document><BkToCstmrStmt></BkToCstmrStmt></Document>");
    refuse("no statement");
    begin("DE02120300000000202051");
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    end();
    refuse("is of account DE02120300000000202051");
    begin(HOST_IBAN);
    put("<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">100.00</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd></Bal><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
        "<Amt Ccy=\"EUR\">70.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>");
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    end();
    refuse("is not whole: its entries lead to a balance of 75.00, and it says 70.00");
    // Cut off at every place: a named answer, and nothing booked.
    begin(HOST_IBAN);
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    end();
    for (size_t len = strlen(file) - 1; len > 0; len -= len > 40 ? 37 : 1) {
        file[len] = '\0';
        refuse("this is no XML");
    }
}

static void
takes_any_bytes(void **state)
{
    (void)state;
    uint64_t first = seed_fresh(), seed = first;
    static char whole[65536];
    begin(HOST_IBAN);
    entry("25.00", "EUR", "DBIT", "B1", id_of("alpha"), "");
    entry("60.00", "EUR", "CRDT", "B8", "", "for 2026-11 roaster");
    end();
    strcpy(whole, file);
    for (int turn = 0; turn < 150; turn++) {
        struct bank_report report;
        char fault[BANK_FAULT];
        strcpy(file, whole);
        for (int i = 0; i < 3; i++) {
            seed += 0x9e3779b97f4a7c15u;
            file[hash_mix(seed) % strlen(whole)] = (char)(1 + hash_mix(seed + 1) % 255);
        }
        enum status answer = bank_take(books.console_db, file, strlen(file), "ada", books.now,
                                       arena, &report, fault);
        assert_true(answer == STATUS_OK || answer == STATUS_INPUT);
    }
    story_prove();
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(books_what_matches_and_lists_the_rest),
        WITH(details_of_a_batch_are_taken_one_by_one),
        WITH(what_is_rejected_is_payable_again),
        WITH(a_whole_message_may_be_rejected),
        WITH(what_comes_back_is_payable_again),
        WITH(refuses_files_that_cannot_be_used),
        WITH(takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
