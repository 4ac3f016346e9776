// Payout runs: what is paid, in which currency, what stays and why; once, and the same file again;
// refused when something is missing or the books say otherwise.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "../../ledger/bank_xml.h"
#include "bank.h"
#include "bank_story.h"
#include "seed.h"

static struct arena *arena;
static struct id won;

static int
set_up(void **state)
{
    (void)state;
    arena = arena_open("payout test");
    won = story_open();
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

static const struct payout *
line_of(const struct payout_run *run, const char *code)
{
    for (size_t i = 0; i < run->count; i++) {
        if (strcmp(run->payouts[i].code, code) == 0) return &run->payouts[i];
    }
    fail_msg("no line of %s", code);
    return NULL;
}

static void
pays_whole_cents_and_carries_the_rest(void **state)
{
    (void)state;
    struct payout_run run, again;
    char fault[PAYOUT_FAULT];
    assert_int_equal(story_balance(2110, "alpha", "EUR"), -25000000);
    // Beta is paid in francs: without a rate nothing is paid, and nothing is booked.
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_DENIED);
    assert_non_null(strstr(fault, "slotctl rate EUR CHF"));
    story_rate("2026-11-20T09:00:00Z", "0.9371", 10000);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_DENIED);
    assert_non_null(strstr(fault, "2026-11-20"));
    assert_non_null(strstr(fault, "older than the 7 days"));
    assert_int_equal(story_balance(2190, "alpha", "EUR"), 0);
    story_rate("2026-12-01T15:00:00Z", "0.9371", 10000);
    enum status status = story_pay(&november, arena, &run, fault);
    if (status != STATUS_OK) print_message("%s\n", fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(run.paid, 2);
    // Alpha: a quarter of 100.000001 is 25.00; nothing is left over.
    assert_int_equal(line_of(&run, "alpha")->amount.micros, 25000000);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), -25000000);
    assert_int_equal(story_balance(2110, "alpha", "EUR"), 0);
    // Beta: 20.00, of which 1 % spread 0.20; 19.80 at 0.9371 are 18.55458, paid 18.55.
    assert_int_equal(line_of(&run, "beta")->amount.micros, 18550000);
    assert_int_equal(story_balance(2190, "beta", "CHF"), -18550000);
    assert_int_equal(story_balance(4300, "", "EUR"), -200000);
    assert_int_equal(story_balance(3900, "", "EUR"), -19800000);
    assert_int_equal(story_balance(3900, "", "CHF"), 18550000);
    assert_int_equal(story_balance(2110, "beta", "CHF"), 0);
    // Gamma has no account, delta not enough: theirs stays.
    assert_int_equal(line_of(&run, "gamma")->why, PAYOUT_NO_ACCOUNT);
    assert_int_equal(line_of(&run, "delta")->why, PAYOUT_MINIMUM);
    assert_int_equal(story_balance(2110, "gamma", "EUR"), -10000000);
    assert_int_equal(story_balance(2110, "delta", "EUR"), -5000000);
    // Again: the same bytes, nothing booked.
    assert_int_equal(story_pay(&november, arena, &again, fault), STATUS_EXISTS);
    assert_int_equal(again.body_len, run.body_len);
    assert_memory_equal(again.body, run.body, run.body_len);
    assert_int_equal(again.act, run.act);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), -25000000);
    story_prove();
}

// What ISO 20022 and banks ask of the file, element by element.
static const char *
text_at(const xmlNode *node, const char *path, char out[200])
{
    return bank_xml_text(bank_xml_at(node, path), out, 200);
}

static void
the_file_is_what_banks_take(void **state)
{
    (void)state;
    struct payout_run run;
    char fault[PAYOUT_FAULT], text[200];
    xmlDoc *document;
    story_rate("2026-12-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_OK);
    if (getenv("VENDUE_KEEP")) {
        FILE *kept = fopen(getenv("VENDUE_KEEP"), "w");
        assert_non_null(kept);
        assert_int_equal(fwrite(run.body, 1, run.body_len, kept), run.body_len);
        fclose(kept);
    }
    assert_int_equal(bank_xml_parse(run.body, run.body_len, &document, fault), STATUS_OK);
    const xmlNode *root = xmlDocGetRootElement(document);
    assert_string_equal((const char *)root->ns->href,
                        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09");
    const xmlNode *whole = bank_xml_child(root, "CstmrCdtTrfInitn");
    assert_int_equal(strlen(text_at(whole, "GrpHdr/MsgId", text)), 26);
    assert_string_equal(text_at(whole, "GrpHdr/CreDtTm", text), "2026-12-02T08:00:00Z");
    assert_string_equal(text_at(whole, "GrpHdr/NbOfTxs", text), "2");
    assert_string_equal(text_at(whole, "GrpHdr/CtrlSum", text), "43.74");
    assert_string_equal(text_at(whole, "GrpHdr/InitgPty/Nm", text), "Host & Sons");
    const xmlNode *euro = bank_xml_child(whole, "PmtInf"), *francs = bank_xml_next(euro);
    // The order of the schema.
    static const char *const order[] = {"PmtInfId", "PmtMtd",   "BtchBookg",   "NbOfTxs",
                                        "CtrlSum",  "PmtTpInf", "ReqdExctnDt", "Dbtr",
                                        "DbtrAcct", "DbtrAgt",  "ChrgBr",      "CdtTrfTxInf"};
    size_t at = 0;
    for (const xmlNode *node = euro->children; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE)
            assert_string_equal((const char *)node->name, order[at++]);
    }
    assert_int_equal(at, sizeof order / sizeof *order);
    assert_string_equal(text_at(euro, "PmtTpInf/SvcLvl/Cd", text), "SEPA");
    assert_string_equal(text_at(euro, "ReqdExctnDt/Dt", text), "2026-12-02");
    assert_string_equal(text_at(euro, "DbtrAcct/Id/IBAN", text), HOST_IBAN);
    assert_string_equal(text_at(euro, "DbtrAgt/FinInstnId/BICFI", text), "COBADEFFXXX");
    assert_string_equal(text_at(euro, "CdtTrfTxInf/Amt/InstdAmt", text), "25.00");
    assert_string_equal(text_at(euro, "CdtTrfTxInf/Cdtr/Nm", text), "Alpha <Ltd>");
    assert_string_equal(text_at(euro, "CdtTrfTxInf/CdtrAcct/Id/IBAN", text), ALPHA_IBAN);
    assert_string_equal(text_at(euro, "CdtTrfTxInf/PmtId/EndToEndId", text),
                        line_of(&run, "alpha")->end_to_end);
    assert_string_equal(text_at(francs, "CtrlSum", text), "18.74");
    assert_string_equal(text_at(francs, "ChrgBr", text), "SHAR");
    assert_string_equal(text_at(francs, "CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI", text),
                        "UBSWCHZH80A");
    assert_null(bank_xml_child(francs, "PmtTpInf"));
    xmlFreeDoc(document);
}

static char *
replaced(const struct payout_run *run, const char *was, const char *is)
{
    char *out = arena_take(arena, run->body_len + 200, 1);
    const char *at = strstr(run->body, was);
    assert_non_null(at);
    sprintf(out, "%.*s%s%s", (int)(at - run->body), run->body, is, at + strlen(was));
    return out;
}

static void
refuses_a_file_that_differs_from_the_books(void **state)
{
    (void)state;
    struct payout_run run;
    char fault[PAYOUT_FAULT];
    uint32_t payments;
    story_rate("2026-12-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_OK);
    assert_int_equal(payout_check(books.console_db, run.body, run.body_len, &payments, fault),
                     STATUS_OK);
    assert_int_equal(payments, 2);
    const char *const cases[][3] = {
        {"EUR\">25.00<", "EUR\">25.01<", "is 25.01 EUR in the file and 25.00 EUR in the books"},
        {"Ccy=\"CHF\"", "Ccy=\"EUR\"", "18.74 CHF in the books"},
        {ALPHA_IBAN, "GB33BUKB20201555555555", "goes to account GB33BUKB20201555555555"},
        {"<CtrlSum>43.74<", "<CtrlSum>43.75<", "the file's sum"},
        {"<NbOfTxs>2<", "<NbOfTxs>3<", "says 3 payments and has 2"},
        {"<EndToEndId>", "<EndToEndId>X", "is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *file = replaced(&run, cases[i][0], cases[i][1]);
        assert_int_equal(payout_check(books.console_db, file, strlen(file), &payments, fault),
                         STATUS_CONFLICT);
        if (!strstr(fault, cases[i][2])) fail_msg("%s: %s", cases[i][1], fault);
    }
    assert_int_equal(payout_check(books.console_db, "<a/>", 4, &payments, fault), STATUS_INPUT);
    assert_int_equal(payout_check(books.console_db, "", 0, &payments, fault), STATUS_INPUT);
    // The file that is kept was changed: it is not given out again.
    assert_int_equal(db_script(books.db, "update payout_run set body = replace(body, '25.00', "
                                         "'26.00')"),
                     STATUS_OK);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_CONFLICT);
    assert_non_null(strstr(fault, "not the one that was written"));
    // With its digest, too: then the books tell.
    assert_int_equal(db_script(books.db, "update payout_run set digest = sha256(body::bytea)"),
                     STATUS_OK);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_CONFLICT);
    assert_non_null(strstr(fault, "26.00 EUR in the file and 25.00 EUR in the books"));
}

static void
refuses_when_the_books_contradict(void **state)
{
    (void)state;
    struct payout_run run;
    char fault[PAYOUT_FAULT];
    struct period october;
    assert_int_equal(period_parse("2026-10", 7, &october), STATUS_OK);
    assert_int_equal(story_pay(&december, arena, &run, fault), STATUS_DENIED);
    assert_non_null(strstr(fault, "slotctl close 2026-12"));
    story_rate("2026-12-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_OK);
    // A payment that the bank was told is gone from the list, and the ledger still holds it.
    assert_int_equal(db_script(books.db, "delete from payout where currency = 'EUR';"
                                         "delete from payout_run"),
                     STATUS_OK);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_CONFLICT);
    assert_non_null(strstr(fault, "2190"));
    assert_non_null(strstr(fault, "alpha"));
}

// Two people at once: one run, and both hold the same file.
static void
two_at_once_pay_once(void **state)
{
    (void)state;
    int ends[2];
    struct payout_run run;
    char fault[PAYOUT_FAULT], digest[32];
    story_rate("2026-12-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct db *db = NULL;
        enum status status = db_open(books.console, "other", &db, NULL);
        if (status == STATUS_OK)
            status = payout_make(db, &november, "bob", books.now, arena, &run, fault);
        struct digest other = hash_sha256(run.body, run.body_len);
        bool wrote = write(ends[1], other.bytes, sizeof digest) == sizeof digest;
        _exit(!wrote ? 2 : status == STATUS_OK ? 0 : status == STATUS_EXISTS ? 1 : 2);
    }
    enum status status = story_pay(&november, arena, &run, fault);
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(read(ends[0], digest, sizeof digest), sizeof digest);
    assert_int_equal(WEXITSTATUS(ended), status == STATUS_OK ? 1 : 0);
    assert_true(status == STATUS_OK || status == STATUS_EXISTS);
    struct digest mine = hash_sha256(run.body, run.body_len);
    assert_memory_equal(mine.bytes, digest, sizeof digest);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), -25000000);
    close(ends[0]);
    close(ends[1]);
    story_prove();
}

static void
takes_clawbacks_off_the_next_payout(void **state)
{
    (void)state;
    struct payout_run run;
    char fault[PAYOUT_FAULT];
    story_rate("2026-12-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(story_pay(&november, arena, &run, fault), STATUS_OK);
    // All of November's order is refunded after it was paid; in December half of it is sold again.
    books_at(&books, "2026-12-05T09:00:00Z");
    books_revenue(&books, won, FACT_REFUNDED, 1000000010, "A-1", "R-1", books.now);
    story_sell(2000000000, "A-2");
    books_at(&books, "2026-12-06T09:00:00Z");
    story_turn();
    assert_int_equal(story_balance(1160, "alpha", "EUR"), 25000000);
    assert_int_equal(story_balance(2110, "alpha", "EUR"), -50000000);
    story_close(&december, "2027-01-02T08:00:00Z");
    story_rate("2027-01-01T15:00:00Z", "0.9371", 0);
    assert_int_equal(story_pay(&december, arena, &run, fault), STATUS_OK);
    const struct payout *alpha = line_of(&run, "alpha");
    assert_int_equal(alpha->payable.micros, 50000000);
    assert_int_equal(alpha->netted.micros, 25000000);
    assert_int_equal(alpha->amount.micros, 25000000);
    assert_int_equal(story_balance(1160, "alpha", "EUR"), 0);
    assert_int_equal(story_balance(2110, "alpha", "EUR"), 0);
    assert_int_equal(story_balance(2190, "alpha", "EUR"), -50000000);
    story_prove();
}

// --- Months of it --------------------------------------------------------------------------------

struct sale {
    struct id won;
    int64_t amount, refunded;
    char order[16];
};

static void
refund(struct sale *sale, int64_t amount)
{
    static unsigned refunds;
    char key[16];
    if (amount <= 0) return;
    snprintf(key, sizeof key, "R-%u", ++refunds);
    books.now.us += USEC_SECOND;
    books_revenue(&books, sale->won, FACT_REFUNDED, amount, sale->order, key, books.now);
    sale->refunded += amount;
}

static void
reject(const struct payout *payout)
{
    struct bank_report report;
    char file[512], fault[BANK_FAULT];
    int len = snprintf(file, sizeof file,
                       "<Document><CstmrPmtStsRpt><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>"
                       "%s</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>"
                       "</CstmrPmtStsRpt></Document>",
                       payout->end_to_end);
    assert_int_equal(
        bank_take(books.console_db, file, (size_t)len, "ada", books.now, arena, &report, fault),
        STATUS_OK);
    assert_int_equal(report.tally[BANK_BOOKED], 1);
}

static void
trade(uint64_t *seed, struct sale *sales, unsigned *count)
{
    for (int i = 0; i < 4; i++) {
        struct sale *sale = &sales[*count];
        snprintf(sale->order, sizeof sale->order, "S-%u", ++*count);
        sale->amount = 1 + (int64_t)(hash_mix(++*seed) % 900000000);
        sale->won = story_sell(sale->amount, sale->order);
        struct sale *other = &sales[hash_mix(++*seed) % *count];
        int64_t left = other->amount - other->refunded;
        bool all = hash_mix(++*seed) % 3 == 0;
        refund(other, all ? left : (int64_t)(hash_mix(++*seed) % (uint64_t)(left + 1)));
        if (hash_mix(++*seed) % 2) story_turn();
    }
    story_turn();
}

// Sales, refunds, closes, payouts and rejections in any order; then everything is refunded: nothing
// is accrued any more, and what is to be taken back is what was paid and not given back.
static void
months_of_payouts_come_to_nothing(void **state)
{
    (void)state;
    static const char *const months[] = {"2026-12", "2027-01", "2027-02"};
    static const char *const partners[] = {"alpha", "gamma", "delta"};
    uint64_t first = seed_fresh(), seed = first;
    struct sale sales[32] = {{.won = won, .amount = 1000000010, .order = "A-1"}};
    unsigned count = 1;
    int64_t paid = 0;
    story_rate("2026-12-01T15:00:00Z", "0.9371", 2500);
    for (int m = 0; m < 3; m++) {
        struct period period, next;
        struct payout_run run;
        char fault[PAYOUT_FAULT], at[CLOCK_TEXT];
        trade(&seed, sales, &count);
        assert_int_equal(period_parse(months[m], 7, &period), STATUS_OK);
        period_next(&period, &next);
        clock_format((usec){next.from.us + USEC_DAY}, at);
        story_close(&period, at);
        story_rate(at, "0.9371", 2500);
        enum status status = story_pay(&period, arena, &run, fault);
        if (status == STATUS_NOT_FOUND) continue;
        assert_int_equal(status, STATUS_OK);
        for (size_t i = 0; i < run.count; i++) {
            const struct payout *payout = &run.payouts[i];
            if (payout->why != PAYOUT_PAID) continue;
            bool alpha = strcmp(payout->code, "alpha") == 0;
            assert_int_equal(payout->amount.micros % 10000, 0);
            if (hash_mix(++seed) % 3 == 0) reject(payout);
            else if (alpha) paid += payout->amount.micros;
        }
        story_turn();
    }
    for (unsigned i = 0; i < count; i++) refund(&sales[i], sales[i].amount - sales[i].refunded);
    story_turn();
    for (size_t i = 0; i < 3; i++) assert_int_equal(story_balance(2100, partners[i], "EUR"), 0);
    assert_int_equal(story_balance(2100, "beta", "EUR"), 0);
    assert_int_equal(story_balance(2110, "alpha", "EUR") + story_balance(1160, "alpha", "EUR"),
                     paid);
    assert_int_equal(story_balance(1160, "gamma", "EUR"), 0);
    assert_int_equal(story_balance(2110, "gamma", "EUR"), 0);
    // What the house keeps by exchanging is never less than nothing.
    assert_true(story_balance(4300, "", "EUR") <= 0);
    story_prove();
}

static void
ids_and_accounts_have_their_form(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    for (int turn = 0; turn < 2000; turn++) {
        struct id id, back;
        char text[PAYOUT_ID];
        for (size_t i = 0; i < sizeof id.bytes; i++)
            id.bytes[i] = (uint8_t)hash_mix(seed += 0x9e3779b97f4a7c15u);
        payout_id_format(id, text);
        assert_int_equal(strlen(text), 26);
        assert_int_equal(payout_id_parse(text, 26, &back), STATUS_OK);
        assert_true(id_same(id, back));
    }
    struct id id;
    assert_int_equal(payout_id_parse("AAAAAAAAAAAAAAAAAAAAAAAAAB", 26, &id), STATUS_INPUT);
    assert_int_equal(payout_id_parse("AAAA", 4, &id), STATUS_INPUT);
    assert_int_equal(payout_id_parse("aaaaaaaaaaaaaaaaaaaaaaaaaa", 26, &id), STATUS_INPUT);
    assert_true(payout_iban_valid(HOST_IBAN));
    assert_true(payout_iban_valid("NO9386011117947"));
    assert_false(payout_iban_valid("DE89370400440532013001"));
    assert_false(payout_iban_valid("DE8937040044053201300"));
    assert_false(payout_iban_valid(""));
    assert_false(payout_iban_valid("8989370400440532013000"));
    assert_false(payout_iban_valid("DE89 3704 0044 0532 0130 00"));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(pays_whole_cents_and_carries_the_rest),
        WITH(the_file_is_what_banks_take),
        WITH(refuses_a_file_that_differs_from_the_books),
        WITH(refuses_when_the_books_contradict),
        WITH(two_at_once_pay_once),
        WITH(takes_clawbacks_off_the_next_payout),
        WITH(months_of_payouts_come_to_nothing),
        cmocka_unit_test(ids_and_accounts_have_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
