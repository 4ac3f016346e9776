// Statements: to the letter for a known month, also as the released version printed it; for random
// months, every line is what a model in a few lines makes of the transfers, and opens to them;
// published files appear once and never change.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../ledger/statement_inside.h"
#include "act.h"
#include "books.h"
#include "deposit.h"
#include "seed.h"
#include "settle.h"
#include "statement.h"

static uint64_t seed;

static struct period
month(const char *name)
{
    struct period period;
    assert_int_equal(period_parse(name, strlen(name), &period), STATUS_OK);
    return period;
}

static const char *
statement(struct books *books, const char *seat, const struct period *period,
          enum statement_format format)
{
    const char *text = NULL;
    assert_int_equal(statement_get(books->console_db, seat, period, format, books->arena, &text),
                     STATUS_OK);
    return text;
}

static void
close_month(struct books *books, const struct period *period)
{
    struct settle_options options = {.directory = books->directory,
                                     .now = {period->until.us + USEC_DAY}};
    struct settle_report report;
    enum status status = settle_close(books->console_db, period, &options, &report);
    if (status != STATUS_OK) fail_msg("%s", report.fault);
}

static int32_t
seat_id(struct books *books, const char *code)
{
    char sql[128];
    snprintf(sql, sizeof sql, "select id::text from seat where code = '%s'", code);
    return (int32_t)strtol(books_text(books, sql), NULL, 10);
}

// A month of known figures.
static void
sell_a_known_month(struct books *books)
{
    struct deposit deposit;
    assert_int_equal(deposit_book(books->console_db, "mags", money_of(50000000), "BANK-1", "tester",
                                  books->now, &deposit),
                     STATUS_OK);
    for (int i = 0; i < 4; i++)
        books_event(books, books_win(books, "bill.footer", "barbecue", 152345), FACT_DELIVERED,
                    books->now);
    books_event(books, books_win(books, "bill.insert", "barbecue", 333333), FACT_EXPIRED,
                books->now);
    struct id insert = books_win(books, "bill.insert", "barbecue", 1207655);
    books_event(books, insert, FACT_DELIVERED, books->now);
    for (int i = 0; i < 3; i++)
        books_event(books, books_win(books, "bill.footer", "magazine", 100001), FACT_DELIVERED,
                    books->now);
    struct id cover = books_win(books, "call.offer", "protection", 900000);
    books_event(books, cover, FACT_DELIVERED, books->now);
    books_revenue(books, cover, FACT_CONVERTED, 1666666683, "order-1", NULL, books->now);
    books_revenue(books, cover, FACT_REFUNDED, 66666683, "order-1", "refund-1", books->now);
    books_ship(books);
}

// The example of docs/statements.md, word for word.
static void
reads_as_the_handbook_says(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    sell_a_known_month(&books);
    const char *grill = statement(&books, "grill", &november, STATEMENT_TEXT);
    FILE *in = fopen(SOURCE_DIR "/docs/statements.md", "r");
    static char handbook[65536];
    assert_non_null(in);
    handbook[fread(handbook, 1, sizeof handbook - 1, in)] = '\0';
    fclose(in);
    if (strstr(handbook, grill) == NULL) fail_msg("docs/statements.md lacks:\n%s", grill);
    assert_non_null(
        strstr(statement(&books, "care", &november, STATEMENT_TEXT), "Gain share earned"));
    assert_null(
        strstr(statement(&books, "care", &november, STATEMENT_TEXT), "protection"));  // another's
    const char *none = NULL;
    assert_int_equal(
        statement_get(books.console_db, "nobody", &november, STATEMENT_TEXT, books.arena, &none),
        STATUS_NOT_FOUND);
    assert_non_null(
        strstr(statement(&books, "sales", &november, STATEMENT_TEXT), "Nothing was won"));
    books_close(&books);
}

// Byte for byte what the released version printed of the same month.
static void
old_months_stay_as_they_were(void **state)
{
    (void)state;
    struct books books;
    struct statement old;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    sell_a_known_month(&books);
    static const char grill[] =
        "Statement of Grill House (grill), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract grill.2026 (credit, charged on delivery)\n"
        "\n"
        "Placements\n"
        "  slot         message   rung               won  delivered  not shown  converted  amount\n"
        "  bill.footer  barbecue  commercialization    4          4          0          0    0.61\n"
        "  bill.insert  barbecue  commercialization    2          1          1          0    1.20\n"
        "  --------------------------------------------------------------------------------------\n"
        "  To pay                                      6          5          1          0    1.81\n"
        "  0.007035 EUR, less than a cent, is carried to the next statement\n"
        "\n"
        "Each amount opens to its transfers: slotctl export 2026-11 --format csv, accounts of "
        "grill.\n";
    static const char shield[] =
        "Statement of Shield \"Cover\", Ltd (cover), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract cover.2026 (credit, charged on delivery, 6% of revenue)\n"
        "\n"
        "Placements\n"
        "  slot        message     rung         won  delivered  not shown  converted  amount\n"
        "  call.offer  protection  affiliation    1          1          0          1    0.90\n"
        "  ---------------------------------------------------------------------------------\n"
        "  To pay                                 1          1          0          1    0.90\n"
        "\n"
        "Gain share owed, accrued until its validation period is over\n"
        "  slot        message     rung         converted  refunded   revenue  amount\n"
        "  call.offer  protection  affiliation          1         1  1,600.00   96.00\n"
        "  --------------------------------------------------------------------------\n"
        "  Accrued                                      1         1  1,600.00   96.00\n"
        "\n"
        "Each amount opens to its transfers: slotctl export 2026-11 --format csv, accounts of "
        "cover.\n";
    static const char mags[] = "period,seat,currency,section,what,container,slot,message,rung,won,"
                               "delivered,not_shown,converted,"
                               "refunded,revenue_micros,amount_micros,amount\n"
                               "2026-11,mags,EUR,prepaid,line,bill,footer,magazine,"
                               "commercialization,3,3,0,0,0,0,300003,0.30\n"
                               "2026-11,mags,EUR,prepaid,carried_in,,,,,,,,,,,0,0.00\n"
                               "2026-11,mags,EUR,prepaid,total,,,,,,,,,,,300000,0.30\n"
                               "2026-11,mags,EUR,prepaid,carried_out,,,,,,,,,,,3,\n"
                               "2026-11,mags,EUR,deposit,opening,,,,,,,,,,,0,\n"
                               "2026-11,mags,EUR,deposit,paid_in,,,,,,,,,,,50000000,\n"
                               "2026-11,mags,EUR,deposit,used,,,,,,,,,,,300003,\n"
                               "2026-11,mags,EUR,deposit,closing,,,,,,,,,,,49699997,\n";
    static const struct {
        const char *seat, *text;
        enum statement_format format;
    } printed[] = {{"grill", grill, STATEMENT_TEXT},
                   {"cover", shield, STATEMENT_TEXT},
                   {"mags", mags, STATEMENT_CSV}};
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
        assert_int_equal(statement_first(books.console_db, seat_id(&books, printed[i].seat),
                                         &november, books.arena, &old),
                         STATUS_OK);
        assert_string_equal(statement_print(&old, printed[i].format, books.arena), printed[i].text);
        assert_false(statement_has(&old, STATEMENT_PDF));
    }
    books_close(&books);
}

// --- Whatever happens, it adds up --------------------------------------------------------------

static int64_t
integer(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static int64_t
cents(const json_t *object)
{
    money amount;
    const char *text = json_string_value(json_object_get(object, "amount"));
    assert_non_null(text);
    assert_int_equal(money_parse(text, strlen(text), &amount), STATUS_OK);
    assert_int_equal(amount.micros % 10000, 0);
    return amount.micros;
}

// One section as printed: lines and what was carried in add up to the total, exactly and in cents.
static int64_t
check_section(const json_t *section)
{
    int64_t exact = 0, printed = 0;
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(section, "lines"), i, line)
    {
        exact += integer(line, "amount_micros");
        printed += cents(line);
        int64_t off = cents(line) - integer(line, "amount_micros");
        assert_true(off > -10000 && off < 10000);
    }
    const json_t *carried = json_object_get(section, "carried_in");
    const json_t *total = json_object_get(section, "total");
    int64_t on = integer(json_object_get(section, "carried_out"), "amount_micros");
    assert_int_equal(printed + cents(carried), cents(total));
    assert_int_equal(integer(total, "amount_micros"), cents(total));
    assert_int_equal(exact + integer(carried, "amount_micros"), cents(total) + on);
    assert_true(on > -10000 && on < 10000);
    return exact;
}

// --- A model: transfers, one by one --------------------------------------------------------------

struct move {
    int64_t own, other, sign, seat, slot, message, rung, won_rung, micros;
    bool adjusted, bill, deposit;
};

static bool
among(int64_t code, const int64_t *codes)
{
    for (; *codes != 0; codes++)
        if (*codes == code) return true;
    return false;
}

// The section that one side of a transfer stands in, and its amount there; -1: none.
static int
model_section(const struct move *move, int64_t *out_micros)
{
    static const int64_t billed[] = {1120, 1130, 0},
                         settled[] = {1000, 1110, 1120, 1130, 1150, 1160, 5200, 0},
                         locked[] = {2110, 2120, 1160, 0},
                         beside[] = {2110, 2120, 1160, 2190, 3900, 4300, 1120, 0};
    int64_t own = move->own % 10000, other = move->other % 10000;
    *out_micros = move->sign * move->micros;
    if (own == 1110) return move->bill ? -1 : SECTION_CHARGED;
    if (own == 2000) return move->deposit ? -1 : SECTION_PREPAID;
    if (own == 5100) return SECTION_BOUGHT;
    if (own == 1150) return move->bill ? -1 : SECTION_OWED;
    if (among(own, billed)) return among(other, settled) ? -1 : SECTION_CORRECTIONS;
    *out_micros = -*out_micros;
    if (own == 4100) return SECTION_SOLD;
    if (own == 4210) return SECTION_EARNED;
    if (own == 2100) return among(other, locked) ? -1 : SECTION_EARNED;
    if (among(own, locked)) return among(other, beside) ? -1 : SECTION_PAYABLE;
    return -1;
}

static struct move *
read_moves(struct books *books, const char *period, size_t *out_count)
{
    char sql[1024];
    struct db_rows *rows = NULL;
    snprintf(sql, sizeof sql,
             "select t.debit, t.credit, coalesce((select m.seat_id from message m"
             " where m.id = t.message), 0), coalesce(t.slot, 0),"
             " coalesce(t.message, 0), coalesce(t.rung, -1), coalesce(o.rung, -1), t.amount_micros,"
             " t.kind from transfer t left join outcome o using (placement_id)"
             " where t.period = '%s' and t.state = 'posted'",
             period);
    assert_int_equal(db_query(books->db, sql, NULL, 0, &rows), STATUS_OK);
    struct move *moves = arena_take(books->arena, 2 * db_count(rows) + 1, sizeof *moves);
    *out_count = 2 * db_count(rows);
    for (size_t i = 0; i < *out_count; i++) {
        size_t row = i / 2, own = i % 2;
        const char *kind = db_get_text(rows, row, 8);
        moves[i] = (struct move){db_get_int(rows, row, own), db_get_int(rows, row, 1 - own),
                                 own == 0 ? 1 : -1,          db_get_int(rows, row, 2),
                                 db_get_int(rows, row, 3),   db_get_int(rows, row, 4),
                                 db_get_int(rows, row, 5),   db_get_int(rows, row, 6),
                                 db_get_int(rows, row, 7),   strcmp(kind, "adjustment") == 0,
                                 strcmp(kind, "bill") == 0,  strcmp(kind, "deposit") == 0};
    }
    db_rows_free(rows);
    return moves;
}

// What the model makes of a section, or of one line of it.
static int64_t
model_sum(const struct move *moves, size_t count, int32_t seat, int section,
          const struct line *line)
{
    int64_t sum = 0, micros = 0;
    for (size_t i = 0; i < count; i++) {
        const struct move *move = &moves[i];
        if (move->own / 100000 != seat || model_section(move, &micros) != section) continue;
        int64_t message = move->seat == seat ? move->message : 0;
        int64_t rung = move->own % 10000 == 1150 ? move->won_rung : move->rung;
        bool here = line == NULL || (move->slot == line->slot_id && message == line->message_id &&
                                     rung == line->rung_number && move->adjusted == line->adjusted);
        if (here) sum += micros;
    }
    return sum;
}

static void
check_due(struct books *books, const struct statement *one)
{
    char sql[256];
    snprintf(
        sql, sizeof sql,
        "select coalesce(sum(micros), 0)::text from life_pool where period = '%s' and seat = %d",
        one->period.name, (int)one->seat);
    assert_int_equal(one->sections[SECTION_DUE].sum.micros,
                     strtoll(books_text(books, sql), NULL, 10));
}

// Every line, every section, every account, from the transfers themselves.
static void
check_model(struct books *books, const struct statement *one, const struct move *moves,
            size_t count)
{
    for (int k = 0; k < SECTION_COUNT; k++) {
        const struct section *section = &one->sections[k];
        if (k == SECTION_CLAWBACK) continue;  // of contracts that bill it: none here
        if (k == SECTION_DUE) {
            check_due(books, one);
            continue;
        }
        assert_int_equal(section->sum.micros, model_sum(moves, count, one->seat, k, NULL));
        for (size_t i = 0; i < section->count; i++)
            assert_int_equal(section->lines[i].amount.micros,
                             model_sum(moves, count, one->seat, k, &section->lines[i]));
    }
    for (size_t i = 0; i < one->passage_count; i++) {
        const struct passage *passage = &one->passages[i];
        char sql[512];
        int64_t sum = passage->opening.micros;
        for (size_t k = 0; k < passage->count; k++) sum += passage->movements[k].amount.micros;
        assert_int_equal(sum, passage->closing.micros);
        snprintf(sql, sizeof sql,
                 "select coalesce(sum(case when debit = %lld then amount_micros else"
                 " -amount_micros end), 0)::bigint::text from transfer where state = 'posted'"
                 " and %lld in (debit, credit) and (period < '%s' or period = '%s' and %s)",
                 (long long)one->seat * 100000 + (long long)passage->code,
                 (long long)one->seat * 100000 + (long long)passage->code, one->period.name,
                 one->period.name, one->closed ? "true" : "kind <> 'bill'");
        int64_t found = strtoll(books_text(books, sql), NULL, 10);
        int64_t bill = 0;
        for (size_t k = 0; k < passage->count && !one->closed; k++)
            if (passage->movements[k].kind == TRANSFER_BILL)
                bill = passage->movements[k].amount.micros;
        bool debit = account_debit_normal(
            (struct account){.code = (uint16_t)passage->code, .seat = (uint32_t)one->seat});
        assert_int_equal(passage->closing.micros - bill, debit ? found : -found);
    }
}

// Every line opens to transfers that add up to it, and names no message of another seat.
static void
check_lines(struct books *books, const struct statement *one)
{
    static const char *const others[] = {"barbecue", "magazine", "protection", "beans_offer"};
    int lines = 0;
    for (int k = 0; k < SECTION_COUNT; k++)
        for (size_t i = 0; i < one->sections[k].count; i++) {
            char *text = NULL;
            size_t len = 0;
            FILE *out = open_memstream(&text, &len);
            struct statement_which which = {.line = one->sections[k].lines[i].number};
            enum status status = statement_line_open(books->console_db, books->directory, one->code,
                                                     &one->period, &which, out, &lines);
            fclose(out);
            if (status != STATUS_OK) fail_msg("%s %s: %s", one->code, status_text(status), text);
            for (size_t o = 0; o < sizeof others / sizeof *others; o++)
                if (strcmp(one->sections[k].lines[i].message, others[o]) != 0)
                    assert_null(strstr(text, others[o]));
            free(text);
        }
}

// No document of a seat names a message of another one.
static void
names_no_other(struct books *books, const struct statement *one)
{
    static const char *const messages[][2] = {{"barbecue", "grill"},   {"magazine", "mags"},
                                              {"protection", "cover"}, {"beans_offer", "beans"},
                                              {"plan_plus", "sales"},  {"welcome", "care"}};
    for (int format = 0; format < STATEMENT_FORMAT_COUNT; format++) {
        size_t len = 0;
        if (!statement_has(one, (enum statement_format)format)) continue;
        const char *bytes = statement_document(one, (enum statement_format)format, books->arena,
                                               &len);
        for (size_t i = 0; i < 6; i++)
            if (strcmp(messages[i][1], one->code) != 0 &&
                memmem(bytes, len, messages[i][0], strlen(messages[i][0])) != NULL)
                fail_msg("%s: the %s names %s", one->code,
                         statement_format_name((enum statement_format)format), messages[i][0]);
    }
}

static void
check_month(struct books *books, const struct period *period, bool closed)
{
    struct statement *all = NULL, one;
    size_t count = 0, moved = 0;
    struct move *moves = read_moves(books, period->name, &moved);
    assert_int_equal(statement_all(books->console_db, period, books->arena, &all, &count),
                     STATUS_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            statement_compute(books->console_db, all[i].seat, period, books->arena, &one),
            STATUS_OK);
        assert_string_equal(statement_print(&one, STATEMENT_JSON, books->arena),
                            statement_print(&all[i], STATEMENT_JSON, books->arena));
        one.closed = closed;
        check_model(books, &one, moves, moved);
        check_lines(books, &one);
        json_t *root = json_loads(statement(books, one.code, period, STATEMENT_JSON), 0, NULL);
        assert_non_null(root);
        names_no_other(books, &one);
        size_t k;
        const json_t *section;
        json_array_foreach(json_object_get(root, "sections"), k, section) check_section(section);
        json_decref(root);
    }
}

// The secret that names of placements are made with.
static void
give_secret(const struct books *books)
{
    char path[128];
    snprintf(path, sizeof path, "%s/run", books->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/run/customer.secret", books->directory);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("sixteen bytes ok", out);
    fclose(out);
}

// Everything finance can do to accounts of two seats, at random.
static void
finance_is_busy(struct books *books)
{
    static const struct {
        enum transfer_kind kind;
        uint16_t debit, credit;
        const char *seat;
    } deeds[] = {
        {TRANSFER_ADJUSTMENT, 4090, 1110, "grill"}, {TRANSFER_ADJUSTMENT, 5400, 1120, "grill"},
        {TRANSFER_ADJUSTMENT, 1110, 4000, "grill"}, {TRANSFER_CHARGEBACK, 1120, 4300, "grill"},
        {TRANSFER_CHARGEBACK, 1130, 1000, "grill"}, {TRANSFER_CHARGEBACK, 5200, 1130, "grill"},
        {TRANSFER_DISPUTE, 1130, 1120, "grill"},    {TRANSFER_DISPUTE, 4090, 1130, "grill"},
        {TRANSFER_RECEIPT, 1000, 1120, "grill"},    {TRANSFER_LOCK, 2100, 2110, "beans"},
        {TRANSFER_LOCK, 2110, 2100, "beans"},       {TRANSFER_CLAWBACK, 1160, 2100, "beans"},
        {TRANSFER_NET, 2110, 1160, "beans"},        {TRANSFER_DISPUTE, 2110, 2120, "beans"},
        {TRANSFER_PAYOUT, 2110, 2190, "beans"},     {TRANSFER_PAID, 2190, 1000, "beans"},
        {TRANSFER_ADJUSTMENT, 5400, 2110, "beans"}, {TRANSFER_EXCHANGE, 2110, 3900, "beans"},
        {TRANSFER_EXCHANGE, 2110, 4300, "beans"},
    };
    struct act *act = NULL;
    assert_int_equal(db_begin(books->console_db), STATUS_OK);
    assert_int_equal(act_begin(books->console_db, "adjustment", "ann", "bob", books->now, &act),
                     STATUS_OK);
    for (uint64_t i = 0; i < 60; i++) {
        uint64_t which = hash_mix(seed + i) % (sizeof deeds / sizeof *deeds);
        uint32_t seat = (uint32_t)seat_id(books, deeds[which].seat);
        struct transfer transfer = {
            .kind = (uint8_t)deeds[which].kind,
            .state = TRANSFER_POSTED,
            .debit = {.code = deeds[which].debit},
            .credit = {.code = deeds[which].credit},
            .currency = books->market->currency,
            .amount = money_of((int64_t)(hash_mix(seed * 3 + i) % 9999999) + 1),
            .effective = books->now,
            .seat = seat,
            .slot = (uint32_t)(hash_mix(seed * 5 + i) % 3),
            .message = (uint32_t)(hash_mix(seed * 7 + i) % 7),
            .rung = (int8_t)(hash_mix(seed * 9 + i) % 8),
            .won_rung = -1,
            .reason = "goodwill"};
        struct account *sides[] = {&transfer.debit, &transfer.credit};
        for (int k = 0; k < 2; k++)
            if (sides[k]->code > 1000 && sides[k]->code < 2200) sides[k]->seat = seat;
        transfer.id = transfer.group = hash_id("deed", &i, sizeof i);
        act_transfer(act, &transfer);
    }
    assert_int_equal(act_end(act), STATUS_OK);
    assert_int_equal(db_commit(books->console_db), STATUS_OK);
}

static void
what_finance_does_is_stated(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    give_secret(&books);
    books_random(&books, seed, 200, 60 * 60 * USEC_SECOND);
    books_ship(&books);
    finance_is_busy(&books);
    check_month(&books, &november, false);
    const char *text = statement(&books, "grill", &november, STATEMENT_TEXT);
    assert_non_null(strstr(text, "What finance did"));
    assert_non_null(strstr(text, "goodwill"));
    books_close(&books);
}

static void
random_months_add_up(void **state)
{
    (void)state;
    struct books books;
    books_open(&books, books_market, "2026-10-05T09:00:00Z");
    give_secret(&books);
    for (int i = 0; i < 3; i++) {
        struct period period;
        period_of(books.now, (usec){0}, &period);
        books_random(&books, seed + (uint64_t)i, 400, 50 * 60 * USEC_SECOND);
        books_ship(&books);
        check_month(&books, &period, false);
        close_month(&books, &period);
        check_month(&books, &period, true);
        if (books.now.us < period.until.us) books.now = period.until;
    }
    char detail[SETTLE_DETAIL];
    enum status status = settle_verify(books.console_db, books.directory, detail);
    if (status != STATUS_OK) fail_msg("%s", detail);
    books_close(&books);
}

// --- Files -------------------------------------------------------------------------------------

static char *
file(const struct books *books, const char *name)
{
    char path[256];
    static char text[65536];
    snprintf(path, sizeof path, "%s/published/statements/%s", books->directory, name);
    FILE *in = fopen(path, "r");
    if (in == NULL) return NULL;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static void
closed_statements_become_files_once(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    books_random(&books, seed, 200, 60 * USEC_SECOND);
    books_ship(&books);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_null(file(&books, "grill/2026-11.txt"));  // open: no file
    close_month(&books, &november);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    for (int i = 0; i <= STATEMENT_JSON; i++) {
        char name[64];
        enum statement_format format = (enum statement_format)i;
        snprintf(name, sizeof name, "grill/2026-11.%s", statement_format_suffix(format));
        assert_string_equal(file(&books, name), statement(&books, "grill", &november, format));
    }
    // The digest on the text is the SHA-256 of the CSV file.
    const char *csv = file(&books, "grill/2026-11.csv");
    struct digest digest = hash_sha256(csv, strlen(csv));
    char hex[65];
    for (size_t i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest.bytes[i]);
    assert_non_null(strstr(file(&books, "grill/2026-11.txt"), hex));

    // A file that is there is never written again; a missing one is, once the mark is gone.
    char path[256];
    snprintf(path, sizeof path, "%s/published/statements/grill/2026-11.txt", books.directory);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/published/statements/grill/2026-11.csv", books.directory);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("kept", out);
    fclose(out);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_null(file(&books, "grill/2026-11.txt"));
    snprintf(path, sizeof path, "%s/published/statements/.2026-11", books.directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(statement_publish(books.ledger_db, books.directory), STATUS_OK);
    assert_non_null(file(&books, "grill/2026-11.txt"));
    assert_string_equal(file(&books, "grill/2026-11.csv"), "kept");
    books_close(&books);
}

// A market whose codes are long, and its terms of one month.
#define TERMS_HEAD                                                                      \
    "market: {code: wide, currency: EUR}\n"                                             \
    "seats:\n"                                                                          \
    "  service: {kind: department}\n"                                                   \
    "  marketing: {kind: department}\n"                                                 \
    "  shield_cover: {kind: partner}\n"                                                 \
    "containers:\n"                                                                     \
    "  support_call: {stage: service, channel: call, owner: service, slots: {\n"        \
    "    billing_alert: {floor: 0.10}, protection: {floor: 0.10}}}\n"                   \
    "messages:\n"                                                                       \
    "  marketing.subscription_usual: {seat: marketing, rung: 4, objectives: upgrade}\n" \
    "  shield.payment: {seat: shield_cover, rung: 7, objectives: cross_sell}\n"         \
    "contracts:\n"                                                                      \
    "  service.transfer: {seat: service, from: 2025-01-01}\n"
#define SHARES "shares: [{to: host, weight: 2}, {to: marketing, rung: 5, weight: 1}]}}\n"
static const char before_edit[] = TERMS_HEAD
    "  marketing.transfer: {seat: marketing, from: 2025-01-01, transfer_price: floor}\n"
    "  shield.2026: {seat: shield_cover, from: 2025-01-01, billing: prepaid,"
    " validation: 0d, gain_share: {rate: 6%, " SHARES;
static const char after_edit[] = TERMS_HEAD
    "  marketing.transfer: {seat: marketing, from: 2025-01-01}\n"
    "  shield.next: {seat: shield_cover, from: 2025-01-01, validation: 0d,"
    " gain_share: {rate: 10%, " SHARES;

// Two placements won under the old terms and two under the new; all delivered and converted later.
static void
sell_under_two_contracts(struct books *books)
{
    struct id won[4];
    won[0] = books_win(books, "support_call.protection", "shield.payment", 300000);
    won[1] = books_win(books, "support_call.billing_alert", "marketing.subscription_usual", 250000);
    books_apply(books, after_edit);
    won[2] = books_win(books, "support_call.protection", "shield.payment", 500000);
    won[3] = books_win(books, "support_call.billing_alert", "marketing.subscription_usual", 450000);
    for (int i = 0; i < 4; i++) books_event(books, won[i], FACT_DELIVERED, books->now);
    books_revenue(books, won[0], FACT_CONVERTED, 100000000, "old", NULL, books->now);
    books_revenue(books, won[2], FACT_CONVERTED, 100000000, "new", NULL, books->now);
    books_revenue(books, won[0], FACT_REFUNDED, 50000000, "old", "back", books->now);
    books_ship(books);
}

static void
what_was_won_keeps_its_terms(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, before_edit, "2026-11-03T09:00:00Z");
    sell_under_two_contracts(&books);
    static const char shield[] =
        "Statement of shield_cover (shield_cover), partner\n"
        "November 2026, draft: the period is open, amounts in EUR\n"
        "Contract shield.2026 (prepaid, charged on delivery, 6% of revenue)\n"
        "         shield.next (credit, charged on delivery, 10% of revenue)\n"
        "\n"
        "Placements\n"
        " #  slot                     message         rung  won  delivered  unshown  converted  "
        "amount\n"
        " 1  support_call.protection  shield.payment  7       1          1        0          1  "
        "  0.50\n";
    const char *text = statement(&books, "shield_cover", &november, STATEMENT_TEXT);
    assert_memory_equal(text, shield, sizeof shield - 1);
    assert_non_null(strstr(text, "  Used  "));
    assert_non_null(strstr(text, "1   150.00   13.00\n"));  // 3.00 of 50.00 and 10.00 of 100.00
    text = statement(&books, "shield_cover", &november, STATEMENT_JSON);
    assert_non_null(strstr(text, "\"contracts\": \"shield.2026 (prepaid, charged on delivery, "
                                 "6% of revenue), shield.next (credit, "));
    text = statement(&books, "marketing", &november, STATEMENT_TEXT);
    assert_non_null(strstr(text, "    0.55\n"));  // the floor, 0.10, and then the price, 0.45
    assert_string_equal(books_text(&books, "select count(*)::text from unexplained"), "0");
    books_close(&books);
}

static void
a_wide_statement_is_made_narrow(void **state)
{
    (void)state;
    struct books books;
    struct period november = month("2026-11");
    books_open(&books, before_edit, "2026-11-03T09:00:00Z");
    sell_under_two_contracts(&books);
    const char *text = statement(&books, "marketing", &november, STATEMENT_TEXT);
    assert_non_null(strstr(text, "  support_call.billing_alert  subscription_usual  4  "));
    assert_non_null(strstr(text, "\nRungs: 4 personalization, 5 predictive\n"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    // Shares of one conversion may stand on several lines: counts are not added up.
    assert_non_null(
        strstr(text, "    Accrued                                                        4.33\n"));
    assert_non_null(strstr(statement(&books, "marketing", &november, STATEMENT_CSV),
                           ",marketing.subscription_usual,personalization,"));
    books_close(&books);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_handbook_says),
        cmocka_unit_test(old_months_stay_as_they_were),
        cmocka_unit_test(random_months_add_up),
        cmocka_unit_test(what_finance_does_is_stated),
        cmocka_unit_test(closed_statements_become_files_once),
        cmocka_unit_test(what_was_won_keeps_its_terms),
        cmocka_unit_test(a_wide_statement_is_made_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
