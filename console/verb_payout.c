// slotctl payout: what a closed period pays out, the payment file for the bank, and how payments
// stand.
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bank_file.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "payout.h"

static void
print_line(const struct payout *payout, bool earlier)
{
    char payable[MONEY_TEXT], netted[MONEY_TEXT], carried[MONEY_TEXT], amount[MONEY_TEXT];
    money_format(payout->payable, 2, payable);
    money_format(payout->netted, 2, netted);
    money_format(payout->carried, 2, carried);
    money_format(payout->amount, 2, amount);
    if (earlier) {
        printf("%-20s %14s %s  to %s  %s\n", payout->code, amount, payout->to.code, payout->iban,
               payout->end_to_end);
        return;
    }
    printf("%-20s %s payable %s, taken off %s, ", payout->code, payout->from.code, payable, netted);
    if (payout->why == PAYOUT_PAID) {
        char rate[RATE_TEXT] = "";
        if (payout->exchanged) rate_format(&payout->rate, rate);
        printf("paid %s %s%s%s, ", amount, payout->to.code, payout->exchanged ? " at " : "", rate);
    } else {
        printf("not paid: %s, ", payout_why_text((enum payout_why)payout->why));
    }
    printf("carried %s\n", carried);
}

static void
print_json(const struct payout_run *run, bool earlier)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < run->count; i++) {
        const struct payout *payout = &run->payouts[i];
        json_t *line = json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:s, s:s}", "seat", payout->code, "currency",
            payout->from.code, "payable_micros", (json_int_t)payout->payable.micros,
            "netted_micros", (json_int_t)payout->netted.micros, "carried_micros",
            (json_int_t)payout->carried.micros, "paid_currency", payout->to.code, "paid_micros",
            (json_int_t)(payout->why == PAYOUT_PAID ? payout->amount.micros : 0), "why",
            payout_why_text((enum payout_why)payout->why), "end_to_end", payout->end_to_end);
        CHECK(line != NULL && json_array_append_new(lines, line) == 0);
    }
    json_t *object = json_pack("{s:s, s:I, s:b, s:I, s:o}", "period", run->period, "act",
                               (json_int_t)run->act, "made_before", earlier, "payments",
                               (json_int_t)run->paid, "payouts", lines);
    CHECK(object != NULL && json_dumpf(object, stdout, 0) == 0);
    putchar('\n');
    json_decref(object);
}

static void
print_run(const struct payout_run *run, bool earlier, bool json)
{
    if (json) {
        print_json(run, earlier);
        return;
    }
    for (size_t i = 0; i < run->count; i++) print_line(&run->payouts[i], earlier);
}

// Beside the file, then in its place: whoever reads it reads all of it.
static int
write_file(const char *path, const char *bytes, size_t len)
{
    char beside[4200];
    snprintf(beside, sizeof beside, "%s.part", path);
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = file >= 0;
    for (size_t at = 0; done && at < len;) {
        ssize_t wrote = write(file, bytes + at, len - at);
        done = wrote > 0 || (wrote < 0 && errno == EINTR);
        if (wrote > 0) at += (size_t)wrote;
    }
    if (file >= 0) {
        done = done && fsync(file) == 0;
        done = close(file) == 0 && done;
    }
    if (done && rename(beside, path) == 0) return EXIT_DONE;
    return verb_cannot("cannot write %s: %m; the run is booked, so slotctl payout PERIOD --run "
                       "writes the same file again",
                       path);
}

static int
told(enum status status, struct db *db, const char *fault, const char *doing)
{
    if (status == STATUS_DENIED || status == STATUS_CONFLICT) {
        fprintf(stderr, "slotctl payout: %s\n", fault);
        return status == STATUS_DENIED ? EXIT_USAGE : EXIT_NO;
    }
    return finance_refused(db, status, doing);
}

static int
make(struct db *db, const struct verb_context *context, const struct period *period,
     const char *path, const char *author, struct arena *arena)
{
    struct payout_run run;
    char fault[PAYOUT_FAULT], standard[4100];
    enum status status = payout_make(db, period, author, clock_wall(), arena, &run, fault);
    if (status == STATUS_NOT_FOUND) {
        fprintf(stderr,
                "slotctl payout: nothing of %s is to be paid; what is payable is carried "
                "(slotctl payout %s shows it)\n",
                period->name, period->name);
        return EXIT_NO;
    }
    bool earlier = status == STATUS_EXISTS;
    if (status != STATUS_OK && !earlier) return told(status, db, fault, "running the payout");
    if (path == NULL) {
        snprintf(standard, sizeof standard, "%s/payout-%s.xml", context->directory, period->name);
        path = standard;
    }
    print_run(&run, earlier, context->json);
    if (run.body_len == 0) {
        if (!context->json) puts("Nothing is paid, so there is no file.");
        return EXIT_DONE;
    }
    int code = write_file(path, run.body, run.body_len);
    if (code == EXIT_DONE && !context->json)
        printf("%zu payment%s booked%s by act %llu; the file for the bank is %s.\n", run.paid,
               run.paid == 1 ? (earlier ? " was" : " is") : (earlier ? "s were" : "s are"),
               earlier ? " before" : "", (unsigned long long)run.act, path);
    if (code == EXIT_DONE && earlier && !context->json)
        puts("Send it only if the bank does not have it yet: what it rejected is paid with the next"
             " month. slotctl payout says how each stands.");
    return code;
}

static int
preview(struct db *db, const struct verb_context *context, const struct period *period,
        struct arena *arena)
{
    struct payout_run run;
    char fault[PAYOUT_FAULT];
    enum status status = payout_preview(db, period, clock_wall(), arena, &run, fault);
    bool earlier = status == STATUS_EXISTS;
    if (status != STATUS_OK && !earlier) return told(status, db, fault, "reading what is payable");
    print_run(&run, earlier, context->json);
    if (context->json) return EXIT_DONE;
    if (earlier)
        printf("The run of %s was made by act %llu.\n", run.period, (unsigned long long)run.act);
    else if (run.count == 0) printf("Nothing was payable at the end of %s.\n", run.period);
    else printf("Nothing is booked; --run books it and writes the file for the bank.\n");
    return EXIT_DONE;
}

static int
check(struct db *db, const char *path)
{
    size_t len = 0;
    uint32_t payments = 0;
    char fault[PAYOUT_FAULT], *bytes = bank_file_read(&verb_payout, path, &len);
    if (bytes == NULL) return EXIT_USAGE;
    enum status status = payout_check(db, bytes, len, &payments, fault);
    free(bytes);
    if (status == STATUS_OK) {
        printf("%s is what the bank was to be told: %u payments, as in the books.\n", path,
               payments);
        return EXIT_DONE;
    }
    if (status != STATUS_INPUT && status != STATUS_CONFLICT)
        return finance_refused(db, status, "comparing the file");
    fprintf(stderr, "slotctl payout: %s: %s\n", path, fault);
    return status == STATUS_INPUT ? EXIT_USAGE : EXIT_NO;
}

static int
list(struct db *db)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select p.period, s.code, p.amount_micros, p.currency, p.state, p.end_to_end, p.act"
        " from payout_now p join seat s on s.id = p.seat order by p.period, s.code, p.currency",
        NULL, 0, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing the payouts");
    puts("period,seat,amount,currency,state,end_to_end,act");
    for (size_t i = 0; i < db_count(rows); i++) {
        char amount[MONEY_TEXT];
        money_format(db_get_money(rows, i, 2), 2, amount);
        printf("%s,%s,%s,%s,%s,%s,%lld\n", db_get_text(rows, i, 0), db_get_text(rows, i, 1), amount,
               db_get_text(rows, i, 3), db_get_text(rows, i, 4), db_get_text(rows, i, 5),
               (long long)db_get_int(rows, i, 6));
    }
    db_rows_free(rows);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *out = NULL, *file = NULL, *by = NULL;
    bool now = false;
    const struct verb_option options[] = {{"--run", NULL, &now},
                                          {"--out", &out, NULL},
                                          {"--check", &file, NULL},
                                          {"--by", &by, NULL},
                                          {0}};
    struct period period = {.from = {0}};
    argc = verb_options(&verb_payout, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 2 || (file && argc > 1) || (now && argc != 2))
        return verb_usage(&verb_payout, "takes a period, --check FILE, or nothing");
    if (out && (!now || strlen(out) > 4096))
        return verb_usage(&verb_payout, "--out names the file that --run writes");
    if (argc == 2) {
        int code = finance_period(&verb_payout, argv[1], &period);
        if (code != EXIT_DONE) return code;
    }
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    struct arena *arena = arena_open("payouts");
    int code = file        ? check(db, file)
               : argc == 1 ? list(db)
               : now       ? make(db, context, &period, out, finance_author(by), arena)
                           : preview(db, context, &period, arena);
    arena_close(arena);
    db_close(db);
    return code;
}

const struct verb verb_payout = {
    .name = "payout",
    .arguments = "[PERIOD [--run [--out FILE] [--by NAME]] | --check FILE]",
    .summary = "pay out a closed period's shares: the file for the bank",
    .help =
        "Shows what a closed period pays out: each beneficiary's payable shares, what was paid\n"
        "out before and is taken off, what is paid in whole cents, and what is carried and why.\n"
        "--run books it and writes the payment file (ISO 20022 pain.001.001.09) to\n"
        "payout-PERIOD.xml in the market's directory, or to --out. A period is paid once: running\n"
        "it again writes the same file. --check compares a payment file with the books. Without a\n"
        "period: all payouts and how they stand.\n"
        "\n"
        "  slotctl payout 2026-11\n"
        "  slotctl payout 2026-11 --run --by 'treasury'\n"
        "  slotctl payout --check payout-2026-11.xml\n"
        "\n"
        "Exit codes: 0 done; 1 nothing is to be paid, or the books and the file differ; 2 it may\n"
        "not be run now (period not closed, no rate, no account), or the command is wrong; 3 no\n"
        "database.\n",
    .run = run,
};
