// Reconciliation: what the ledger says of itself has no difference; every kind of difference made
// on purpose is found with its reason, and nothing else; bad rows are named and cost nothing more.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../ledger/reconcile_inside.h"
#include "books.h"
#include "seed.h"

static uint64_t seed;
static struct period november;

static void
open_books(struct books *books)
{
    char path[128];
    books_open(books, books_market, "2026-11-03T09:00:00Z");
    snprintf(path, sizeof path, "%s/run", books->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/run/customer.secret", books->directory);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("sixteen bytes ok", out);
    fclose(out);
    assert_int_equal(period_parse("2026-11", 7, &november), STATUS_OK);
}

static char *
ours(struct books *books, const char *seat, enum reconcile_format format)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(
        reconcile_write(books->console_db, books->directory, seat, &november, format, out),
        STATUS_OK);
    fclose(out);
    return text;
}

static enum status
compare(struct books *books, const char *seat, const char *text, struct reconcile_report *report)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    enum status status = reconcile_compare(books->console_db, books->directory, seat, &november, in,
                                           books->arena, report);
    fclose(in);
    return status;
}

// Without the rows that were refused, which a reconciliation names.
static void
drop_refused(char *text)
{
    static const char *const states[] = {"repeat", "exceeds", "orphan", "waiting"};
    char *out = text;
    for (char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n") + 1;
        char last = line[len - 1];
        bool refused = false;
        line[len - 1] = '\0';
        for (size_t i = 0; i < 4; i++)
            if (strstr(line, states[i]) != NULL) refused = true;
        line[len - 1] = last;
        if (!refused) {
            memmove(out, line, len);
            out += len;
        }
        line += len;
    }
    *out = '\0';
}

// The ledger's own file, in both forms, in any order of rows, agrees with the ledger; and its
// prices due are what the seat's accounts say.
static void
its_own_file_agrees(void **state)
{
    (void)state;
    static const char *const seats[] = {"care", "sales", "grill", "mags", "cover", "beans"};
    struct books books;
    struct reconcile_report report;
    open_books(&books);
    books_random(&books, seed, 800, 20 * 60 * USEC_SECOND);
    books_ship(&books);
    for (size_t i = 0; i < 6; i++) {
        char sql[512];
        for (int format = 0; format < RECONCILE_FORMAT_COUNT; format++) {
            char *text = ours(&books, seats[i], (enum reconcile_format)format);
            drop_refused(text);
            assert_int_equal(compare(&books, seats[i], text, &report), STATUS_OK);
            free(text);
            if (report.difference_count != 0)
                fail_msg("%s: %s %s %s", seats[i],
                         reconcile_reason_name(report.differences[0].reason),
                         report.differences[0].event, report.differences[0].reference);
            assert_int_equal(report.bad_count, 0);
            assert_int_equal(report.verdict, RECONCILE_WITHIN);
        }
        snprintf(sql, sizeof sql,
                 "select coalesce(sum(amount_micros), 0)::bigint::text from transfer t"
                 " join seat s on s.id = t.seat where s.code = '%s' and t.kind in ('charge',"
                 " 'internal') and t.state = 'posted' and t.period = '2026-11'",
                 seats[i]);
        assert_int_equal(report.our_sum.micros, strtoll(books_text(&books, sql), NULL, 10));
    }
    books_close(&books);
}

// A file of notices of one seat, as it would have kept them.
struct kept {
    char text[8192];
    size_t used;
};

static void
keep(struct kept *kept, const char *name, int64_t micros, const char *currency)
{
    kept->used += (size_t)snprintf(kept->text + kept->used, sizeof kept->text - kept->used,
                                   "billing,%s,%lld,%s\n", name, (long long)micros, currency);
}

static const char *
name_of(struct books *books, struct id placement)
{
    struct reconcile_seat seat;
    char name[33];
    assert_int_equal(reconcile_seat(books->console_db, books->directory, "grill", &seat),
                     STATUS_OK);
    reconcile_id_text(hash_rename(seat.key, placement), name);
    return arena_text(books->arena, name, 32);
}

static void
every_difference_has_its_reason(void **state)
{
    (void)state;
    struct books books;
    struct reconcile_report report;
    struct kept kept = {.text = "event,placement,price_micros,cur\n"};
    kept.used = strlen(kept.text);
    open_books(&books);
    struct id won[8];
    for (int i = 0; i < 8; i++) won[i] = books_win(&books, "bill.footer", "barbecue", 1004000);
    for (int i = 0; i < 6; i++) books_event(&books, won[i], FACT_DELIVERED, books.now);
    books_event(&books, won[6], FACT_EXPIRED, books.now);
    books_at(&books, "2026-12-02T09:00:00Z");
    struct id december = books_win(&books, "bill.footer", "barbecue", 500000);
    books_event(&books, december, FACT_DELIVERED, books.now);
    books_ship(&books);
    keep(&kept, name_of(&books, won[0]), 1004000, "EUR");  // agrees
    keep(&kept, name_of(&books, won[1]), 1000000, "EUR");  // whole cents
    keep(&kept, name_of(&books, won[2]), 2004000, "EUR");  // another amount
    keep(&kept, name_of(&books, won[3]), 1004000, "USD");
    keep(&kept, name_of(&books, won[4]), 1004000, "EUR");
    keep(&kept, name_of(&books, won[4]), 1004000, "EUR");  // twice
    keep(&kept, name_of(&books, won[6]), 1004000, "EUR");  // expired; won[5] is left out
    keep(&kept, name_of(&books, won[7]), 1004000, "EUR");  // not delivered yet
    keep(&kept, name_of(&books, december), 500000, "EUR");
    keep(&kept, "00112233445566778899aabbccddeeff", 70000, "EUR");
    assert_int_equal(compare(&books, "grill", kept.text, &report), STATUS_OK);
    static const size_t expected[RECONCILE_REASON_COUNT] = {
        [RECONCILE_MISSING_HERE] = 1, [RECONCILE_MISSING_THERE] = 1, [RECONCILE_LATE] = 1,
        [RECONCILE_AMOUNT] = 1,       [RECONCILE_ROUNDING] = 1,      [RECONCILE_CURRENCY] = 1,
        [RECONCILE_DUPLICATE] = 1,    [RECONCILE_NOT_BILLABLE] = 1,  [RECONCILE_OPEN] = 1,
    };
    for (int i = 0; i < RECONCILE_REASON_COUNT; i++)
        if (report.reasons[i].count != expected[i])
            fail_msg("%s: %zu", reconcile_reason_name((enum reconcile_reason)i),
                     report.reasons[i].count);
    assert_int_equal(report.matched, 2);
    assert_int_equal(report.verdict, RECONCILE_DISPUTE);
    assert_int_equal(report.reasons[RECONCILE_AMOUNT].sum.micros, 1000000);
    assert_int_equal(report.reasons[RECONCILE_ROUNDING].sum.micros, 4000);
    assert_int_equal(report.reasons[RECONCILE_CURRENCY].sum.micros, 1004000);  // all of it
    for (size_t i = 0; i < report.difference_count; i++) {
        const struct reconcile_difference *one = &report.differences[i];
        if (one->reason == RECONCILE_NOT_BILLABLE) assert_string_equal(one->note, "expired");
        if (one->reason == RECONCILE_LATE) assert_string_equal(one->note, "booked in 2026-12");
        if (one->reason == RECONCILE_MISSING_HERE) assert_int_equal(one->line, 11);
    }
    books_close(&books);
}

// Thresholds: 5 % apart warns, 10 % is a dispute, just below neither.
static void
thresholds_hold(void **state)
{
    (void)state;
    static const struct {
        int64_t micros;
        enum reconcile_verdict verdict;
    } cases[] = {{100000000, RECONCILE_WITHIN}, {95000001, RECONCILE_WITHIN},
                 {95000000, RECONCILE_WARN},    {90000001, RECONCILE_WARN},
                 {90000000, RECONCILE_DISPUTE}, {0, RECONCILE_DISPUTE}};
    struct books books;
    struct reconcile_report report;
    open_books(&books);
    struct id won = books_win(&books, "bill.footer", "barbecue", 100000000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"event\": \"billing\", \"placement\": \"%s\", \"price_micros\": %lld}\n",
                 name_of(&books, won), (long long)cases[i].micros);
        assert_int_equal(compare(&books, "grill", text, &report), STATUS_OK);
        assert_int_equal(report.verdict, cases[i].verdict);
    }
    books_close(&books);
}

static void
bad_rows_are_named(void **state)
{
    (void)state;
    struct books books;
    struct reconcile_report report;
    char text[2048];
    open_books(&books);
    struct id won = books_win(&books, "bill.footer", "barbecue", 1004000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    snprintf(text, sizeof text,
             "cur,placement,event,amount,note\r\n"
             "EUR,xyz,billing,1,\n"
             "EUR,%s,billing,1.0000001,\n"
             "euro,%s,billing,1,\n"
             ",%s,sold,1,\n"
             "\n"
             "EUR,\"%s,billing,1,\n"
             "EUR,%s,loss,,\n"
             "EUR,%s,billing,,\n"
             "EUR,,billing,1,\n"
             "\"EUR\",%s,billing,1.004,\"with, comma and \"\"quotes\"\"\"\n",
             name_of(&books, won), name_of(&books, won), name_of(&books, won), name_of(&books, won),
             name_of(&books, won), name_of(&books, won), name_of(&books, won));
    assert_int_equal(compare(&books, "grill", text, &report), STATUS_OK);
    static const int lines[] = {2, 3, 4, 5, 7, 9, 10};
    assert_int_equal(report.bad_count, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < report.bad_count; i++) assert_int_equal(report.bad[i].line, lines[i]);
    assert_int_equal(report.matched, 1);
    assert_int_equal(report.difference_count, 0);
    assert_int_equal(compare(&books, "grill", "{\"event\": 3}\n[1]\n{\n", &report), STATUS_INPUT);
    assert_int_equal(report.bad_count, 3);
    assert_int_equal(compare(&books, "nobody", text, &report), STATUS_NOT_FOUND);
    books_close(&books);
}

// Files as spreadsheets write them, and as notices were kept.
static void
other_dialects_are_read(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "\xef\xbb\xbf"
        "event;placement;amount;cur;note\r\nbilling;%s;1,004;EUR;a, b\r\n",
        "\"placement\";\"event\";\"amount\"\n\"%s\";\"billing\";\"1.004\"\n",
        "event,placement,amount\nlate,%s,\nbilling,%s,1.004\n",
        "{\"event\": \"late\", \"placement\": \"%s\", \"at_us\": 1}\n"
        "{\"event\": \"billing\", \"placement\": \"%s\", \"price_micros\": 1004000}",
    };
    struct books books;
    struct reconcile_report report;
    open_books(&books);
    struct id won = books_win(&books, "bill.footer", "barbecue", 1004000);
    books_event(&books, won, FACT_DELIVERED, books.now);
    books_ship(&books);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char text[512], name[33];
        snprintf(name, sizeof name, "%s", name_of(&books, won));
        size_t used = 0;
        for (const char *at = forms[i]; *at != '\0'; at++) {
            if (at[0] == '%' && at[1] == 's') {
                used += (size_t)snprintf(text + used, sizeof text - used, "%s", name);
                at++;
            } else {
                text[used++] = *at;
            }
        }
        text[used] = '\0';
        assert_int_equal(compare(&books, "grill", text, &report), STATUS_OK);
        assert_int_equal(report.bad_count, 0);
        assert_int_equal(report.matched, 1);
        assert_int_equal(report.difference_count, 0);
    }
    books_close(&books);
}

// One micro off, in either direction, is a difference, and nothing else is.
static void
one_micro_is_a_difference(void **state)
{
    (void)state;
    struct books books;
    struct reconcile_report report;
    struct kept kept = {.text = "event,placement,price_micros,cur\n"};
    kept.used = strlen(kept.text);
    open_books(&books);
    for (int i = 0; i < 12; i++) {
        struct id won = books_win(&books, "bill.footer", "barbecue", 1004321);
        books_event(&books, won, FACT_DELIVERED, books.now);
        books_ship(&books);
        keep(&kept, name_of(&books, won), 1004321 + (i % 3 - 1), "EUR");
    }
    assert_int_equal(compare(&books, "grill", kept.text, &report), STATUS_OK);
    assert_int_equal(report.matched, 4);
    assert_int_equal(report.difference_count, 8);
    assert_int_equal(report.reasons[RECONCILE_AMOUNT].count, 8);
    assert_int_equal(report.reasons[RECONCILE_AMOUNT].sum.micros, 8);
    assert_int_equal(report.our_sum.micros, report.their_sum.micros);
    assert_int_equal(report.verdict, RECONCILE_WITHIN);
    books_close(&books);
}

// What stands on a statement is told row by row: of other seats' placements the amount, not whose.
static void
entries_name_nobody(void **state)
{
    (void)state;
    static const char *const seats[] = {"care", "sales", "grill", "mags", "cover", "beans"};
    struct books books;
    int entries = 0;
    open_books(&books);
    books_random(&books, seed, 800, 20 * 60 * USEC_SECOND);
    books_ship(&books);
    for (size_t i = 0; i < 6; i++) {
        char *text = ours(&books, seats[i], RECONCILE_CSV), sql[512];
        int64_t sum = 0;
        for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            char message[128] = "", section[32] = "";
            *end = '\0';
            long long micros = 0;
            char *at = strstr(line, ",entry,");
            if (at == NULL) continue;
            bool foreign = at[7] == ',';
            at = strchr(strchr(at + 7, ',') + 1, ',') + 1;
            for (int k = 0; k < 2; k++) at = strchr(at, ',') + 1;
            snprintf(message, sizeof message, "%.*s", (int)strcspn(at, ","), at);
            at = strchr(at, ',') + 1;
            snprintf(section, sizeof section, "%.*s", (int)strcspn(at, ","), at);
            micros = strtoll(strchr(at, ',') + 1, NULL, 10);
            assert_int_equal(message[0] == '\0', foreign);
            if (strcmp(section, "earned") == 0) sum += micros;
            entries++;
        }
        free(text);
        snprintf(sql, sizeof sql,
                 "select coalesce(sum(c.micros), 0)::bigint::text from statement_sum c join seat s"
                 " on s.id = c.seat where s.code = '%s' and c.section = 'earned'"
                 " and c.period = '2026-11'",
                 seats[i]);
        assert_int_equal(sum, strtoll(books_text(&books, sql), NULL, 10));
    }
    assert_true(entries > 0);
    books_close(&books);
}

// Whatever bytes come: an answer, never a crash.
static void
any_bytes_are_answered(void **state)
{
    (void)state;
    struct books books;
    struct reconcile_report report;
    open_books(&books);
    books_win(&books, "bill.footer", "barbecue", 1004000);
    books_ship(&books);
    for (int i = 0; i < 300; i++) {
        char text[512] = "event,placement,price_micros,cur\n";
        size_t len = hash_mix(seed + (uint64_t)i) % 2 ? strlen(text) : 0;
        static const char letters[] = "bilng,\"\n\r{}:-0123456789abcdefEUR\\ \x80\xff";
        for (size_t k = 0; k < 300; k++)
            text[len++] =
                letters[hash_mix(seed * 31 + (uint64_t)i * 1000 + k) % (sizeof letters - 1)];
        text[len] = '\0';
        enum status status = compare(&books, "grill", text, &report);
        assert_true(status == STATUS_OK || status == STATUS_INPUT);
    }
    books_close(&books);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_file_agrees),
        cmocka_unit_test(every_difference_has_its_reason),
        cmocka_unit_test(thresholds_hold),
        cmocka_unit_test(bad_rows_are_named),
        cmocka_unit_test(other_dialects_are_read),
        cmocka_unit_test(one_micro_is_a_difference),
        cmocka_unit_test(entries_name_nobody),
        cmocka_unit_test(any_bytes_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
