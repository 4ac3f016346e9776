// The books: facts of one month through the journal into the ledger, and the month closed, each
// beside the bare limit of the same database in the same run.
//
//   ship     the shipper books the journal: facts, transfers, their keys, sums and counts
//   copy     bare: the server's own COPY of those very rows, table after table, from binary files
//            into a second database with the same tables and indexes
//   hot      every placement of one seat, message and slot, beside the same evenly spread, turn
//            by turn; at most a million transfers each
//   scan     bare: the one SQL scan that computes the month's trial balance, median of three, as
//            the server plans it
//   close    the nine steps of a close with statements, without what is printed as apart: the
//            proof of what is not proven yet, and other programs that read the exports
//   bytes    a transfer's share of transfers, keys and sums with all indexes
//   idle     what ledgerd does in between: facts are proven against transfers, shares locked
//            whose validation is over, sums merged; it is no part of the close
//   memory   of this program, after the first tenth was shipped and at the end
//
// Bytes and the close have fixed parts, the sums of each day, message and slot, which count less
// the larger the month is: their targets are meant for millions of transfers. Ten million take
// 25 GB of disk.
//
// The cluster is a private one without fsync; what it costs to make things durable is the same for
// COPY and is measured elsewhere (bench_limits).
//
//   bench_books [--transfers N] [--json]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../ledger/fold.h"
#include "books.h"
#include "database.h"
#include "fail.h"
#include "life.h"
#include "proof.h"
#include "settle.h"

#define PARTNERS 40
#define SLOTS 10
#define CONTACT_SLOTS 3
#define SKEW_TRANSFERS 1000000  // at most
#define CONTACT_TRANSFERS 6.3   // on average; the last of a journal decides

struct bench {
    uint64_t transfers;
    bool json;
    char market[16384];
    uint64_t state;  // of draws
};
struct ride {  // one journal, shipped
    struct books books;
    uint64_t facts, transfers;
    double seconds;
    long memory_early, memory_late;  // kB
};

static double
now(void)
{
    struct timespec time;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static long
memory(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%*s %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
must(struct db *db, enum status status, const char *what)
{
    if (status == STATUS_OK) return;
    fprintf(stderr, "bench_books: %s: %s\n", what, db_fault(db)->text);
    exit(1);
}

// Large months take longer than the limit on a statement of programs.
static void
unlimited(struct db *db)
{
    must(db,
         db_script(db, "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0"),
         "lifting limits");
}

static double
ask(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    must(db, db_query(db, sql, NULL, 0, &rows), sql);
    double value = (double)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return value;
}

// --- The market and its month ------------------------------------------------------------------

static void
add(struct bench *bench, const char *format, unsigned number)
{
    size_t used = strlen(bench->market);
    int len = snprintf(bench->market + used, sizeof bench->market - used, format, number,
                       (number + 1) % PARTNERS);
    CHECK(len > 0 && used + (size_t)len < sizeof bench->market);
}

// Every partner owes the house and the next partner a part of what its messages bring.
static void
declare(struct bench *bench)
{
    strcpy(bench->market, "market: {code: month, currency: EUR}\ntouchpoints: {crm: Desk}\nseats:\n"
                          "  care: {kind: department}\n");
    for (unsigned i = 0; i < PARTNERS; i++) add(bench, "  p%u: {kind: partner}\n", i);
    strcat(bench->market, "contracts:\n  care.own: {seat: care, from: 2025-01-01}\n");
    for (unsigned i = 0; i < PARTNERS; i++)
        add(bench,
            "  p%1$u.one: {seat: p%1$u, from: 2025-01-01, gain_share: {merchant: partner, rate: "
            "6%%, shares: [{to: host, weight: 60}, {to: p%2$u, weight: 40}]}}\n",
            i);
    strcat(bench->market, "containers:\n  bill: {stage: use, channel: bill, owner: care, slots: {");
    for (unsigned i = 0; i < SLOTS; i++)
        add(bench, i ? ", s%u: {floor: 0.05}" : "s%u: {floor: 0.05}", i);
    strcat(bench->market, "}}\nmessages:\n");
    for (unsigned i = 0; i < PARTNERS; i++)
        add(bench, "  m%1$u: {seat: p%1$u, rung: 7, objectives: cross_sell}\n", i);
}

static uint64_t
draw(struct bench *bench, uint64_t below)
{
    return hash_mix(bench->state += 0x9e3779b97f4a7c15u) % below;
}

struct story {  // of one contact, as facts
    struct fact facts[1 + CONTACT_SLOTS], after[3 * CONTACT_SLOTS];
    unsigned after_count;
};

static struct fact
fact_of(const struct books *books, struct id contact, uint64_t number, enum fact_kind kind)
{
    return (struct fact){.kind = (uint8_t)kind,
                         .role = ROLE_TOUCHPOINT,
                         .shard = (uint16_t)(number % BOUND_SHARDS),
                         .party = 1,
                         .at = books->now,
                         .contact = contact,
                         .customer = 1 + number / 3};
}

static void
follow(struct bench *bench, const struct books *books, const struct fact *won, uint64_t number,
       struct story *story)
{
    struct fact *fact = &story->after[story->after_count++];
    bool shown = draw(bench, 10) > 0;
    *fact = fact_of(books, won->contact, number, shown ? FACT_DELIVERED : FACT_CANCELLED);
    fact->position = won->position;
    fact->event.slot = won->placement.slot;
    fact->event.message = won->placement.message;
    fact->event.seat = won->placement.seat;
    fact->event.effective = books->now;
    fact->event.price = won->placement.price;
    for (unsigned refund = 0; shown && refund < 2 && draw(bench, refund ? 10 : 20) == 0; refund++) {
        fact = &story->after[story->after_count++];
        *fact = fact_of(books, won->contact, number, refund ? FACT_REFUNDED : FACT_CONVERTED);
        fact->position = won->position;
        fact->revenue.seat = won->placement.seat;
        fact->revenue.message = won->placement.message;
        fact->revenue.currency = won->placement.currency;
        fact->revenue.effective = books->now;
        fact->revenue.amount = money_of(refund ? 5000000
                                               : 20000000 + (int64_t)draw(bench, 1000000));
        uint64_t order[2] = {number, won->position};
        fact->revenue.order = hash_id("order", order, sizeof order);
        snprintf(fact->revenue.key, sizeof fact->revenue.key, "%s-%llu-%u",
                 refund ? "refund" : "order", (unsigned long long)number, won->position);
    }
}

static void
tell(struct bench *bench, const struct books *books, uint64_t number, bool hot, struct story *story)
{
    const struct market *market = books->market;
    struct id contact = hash_id("contact", &number, sizeof number);
    contact.bytes[15] &= 0xf0;
    story->after_count = 0;
    story->facts[0] = fact_of(books, contact, number, FACT_CONTACT);
    story->facts[0].opened.catalog = books->catalog;
    story->facts[0].opened.began = books->now;
    story->facts[0].opened.container = market->containers[0].id;
    story->facts[0].opened.slots = CONTACT_SLOTS;
    snprintf(story->facts[0].opened.key, sizeof story->facts[0].opened.key, "%llu",
             (unsigned long long)number);
    for (unsigned i = 0; i < CONTACT_SLOTS; i++) {
        struct fact *fact = &story->facts[1 + i];
        const struct market_slot *slot =
            &market->containers[0].slots[hot ? 1 : draw(bench, market->containers[0].slot_count)];
        const struct market_message *message =
            &market->messages[hot ? 1 : draw(bench, market->message_count)];
        *fact = fact_of(books, contact, number, FACT_PLACEMENT);
        fact->role = ROLE_OPERATOR;
        fact->position = (uint8_t)(i + 1);
        fact->placement.slot = slot->id;
        fact->placement.message = message->id;
        for (uint32_t k = 0; k < market->seat_count; k++)
            if (strcmp(market->seats[k].code, message->seat) == 0)
                fact->placement.seat = market->seats[k].id;
        fact->placement.currency = market->currency;
        fact->placement.bid = 1;
        fact->placement.price = money_of(50000 + (int64_t)draw(bench, 400000));
        fact->placement.bid_price = money_of(fact->placement.price.micros + 1000);
        fact->placement.floor = slot->floor;
        fact->placement.expires = (usec){books->now.us + 3 * USEC_DAY};
        fact->placement.objectives = message->objectives;
        fact->placement.rung = message->rung;
        fact->placement.eligible = 2;
        fact->placement.charge = CHARGE_DELIVERY;
        follow(bench, books, fact, number, story);
    }
}

// --- Shipping ----------------------------------------------------------------------------------

static uint64_t
write_journal(struct bench *bench, struct ride *ride, uint64_t transfers, bool hot)
{
    struct books *books = &ride->books;
    struct fact frame[BOUND_FRAME_FACTS];
    uint64_t contacts = 1 + (uint64_t)((double)transfers / CONTACT_TRANSFERS), facts = 0;
    int64_t pace = 30 * USEC_DAY / (int64_t)contacts;
    uint32_t count = 0;
    struct journal_position position;
    bench->state = 7;
    for (uint64_t i = 0; i < contacts; i++) {
        struct story story;
        books->now.us += pace;
        tell(bench, books, i, hot, &story);
        memcpy(&frame[count], story.facts, sizeof story.facts);
        count += 1 + CONTACT_SLOTS;
        memcpy(&frame[count], story.after, story.after_count * sizeof *story.after);
        count += story.after_count;
        if (count + 4 * CONTACT_SLOTS + 1 <= BOUND_FRAME_FACTS && i + 1 < contacts) continue;
        CHECK(journal_append(books->journal, frame, count, books->now, &position) == STATUS_OK);
        facts += count;
        count = 0;
    }
    CHECK(journal_sync(books->journal) == STATUS_OK);
    return facts;
}

static void
ride_open(struct bench *bench, struct ride *ride, uint64_t transfers, bool hot)
{
    books_open(&ride->books, bench->market, "2026-10-01T00:00:01Z");
    ride->facts = write_journal(bench, ride, transfers, hot);
}

// One turn of the shipper; false: nothing is left.
static bool
turn(struct ride *ride)
{
    double begin = now();
    enum ship_answer answer = ship_turn(ride->books.ship, ride->books.ledger_db);
    ride->seconds += now() - begin;
    const struct ship_report *report = ship_report(ride->books.ship);
    ride->transfers = report->transfers;
    ride->memory_late = memory();
    if (!ride->memory_early || report->facts < ride->facts / 10)
        ride->memory_early = ride->memory_late;
    if (answer == SHIP_BOOKED) return true;
    if (answer == SHIP_IDLE) return false;
    fprintf(stderr, "bench_books: %s\n", report->fault);
    exit(1);
}

// When the month is closed: the validation of some of its orders is over by then.
static usec
close_at(void)
{
    struct period period;
    CHECK(period_parse("2026-10", 7, &period) == STATUS_OK);
    return (usec){period.until.us + 10 * USEC_DAY};
}

// What ledgerd does when the journal has no more: sums are merged, facts are proven against
// transfers.
static void
idle(struct bench *bench, struct ride *ride)
{
    struct db *db = ride->books.ledger_db;
    double begin = now(), proven = 0;
    struct proof_report report = {.more = true};
    while (report.more) {
        must(db, proof_turn(db, ride->books.now, &report), "proving");
        proven += (double)report.placements;
    }
    double proved = now();
    struct life_report life = {.more = true};
    size_t moved = 0;
    while (life.more) {
        must(db, life_turn(db, close_at(), &life), "locking shares");
        moved += life.transfers;
    }
    double locked = now();
    bool merged = true;
    while (merged) must(db, fold_compact(db, &merged), "merging sums");
    if (bench->json) return;
    printf(
        "idle turns: %.0f placements proven in %.2f s, %zu shares locked in %.2f s, sums merged in "
        "%.2f s\n\n%-34s %14s %-12s %8s   %s\n",
        proven, proved - begin, moved, locked - proved, now() - locked, "", "value", "", "ratio",
        "target");
}

// --- Bare limits -------------------------------------------------------------------------------

static const char *const tables[] = {"account", "contact",    "outcome",  "event",
                                     "revenue", "credit",     "transfer", "transfer_key",
                                     "fold",    "count_fold", "frame"};

// COPY of all that was shipped into a second database, inside one transaction.
static double
copy_rows(struct books *from)
{
    char connection[POSTGRES_TEXT], sql[512];
    struct db *to = database_migrated(connection);
    double seconds = 0;
    unlimited(to);
    must(to, db_begin(to), "begin");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(sql, sizeof sql, "select to_regclass('vendue.%s')::oid::bigint", tables[i]);
        if (ask(from->db, sql) == 0) continue;
        char path[300];
        struct db_rows *rows = NULL;
        must(from->db,
             db_query(from->db, "select current_setting('data_directory')", NULL, 0, &rows),
             "asking for the data directory");
        snprintf(path, sizeof path, "%.200s/bench-%s", db_get_text(rows, 0, 0), tables[i]);
        db_rows_free(rows);
        snprintf(sql, sizeof sql, "copy (select * from %s) to '%s' (format binary)", tables[i],
                 path);
        must(from->db, db_script(from->db, sql), sql);
        snprintf(sql, sizeof sql, "copy %s from '%s' (format binary)", tables[i], path);
        double begin = now();
        must(to, db_script(to, sql), sql);
        seconds += now() - begin;
        snprintf(sql, sizeof sql, "copy (select 1 limit 0) to '%s'", path);
        must(from->db, db_script(from->db, sql), sql);
    }
    double begin = now();
    must(to, db_commit(to), "commit");
    seconds += now() - begin;
    db_close(to);
    return seconds;
}

static int
ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double
scan(struct db *db)
{
    double took[3];
    for (int i = 0; i < 3; i++) {
        double begin = now();
        must(db,
             db_run(db,
                    "select x.currency, y.account, sum(y.debit), sum(y.credit) from ("
                    "select currency, debit, credit, sum(amount_micros) as micros from transfer "
                    "where period = '2026-10' and state = 'posted' group by 1, 2, 3) x "
                    "cross join lateral (values (x.debit, x.micros, 0), (x.credit, 0, x.micros)) "
                    "as y (account, debit, credit) group by 1, 2 order by 1, 2",
                    NULL, 0, NULL),
             "the trial balance");
        took[i] = now() - begin;
    }
    qsort(took, 3, sizeof *took, ascending);
    return took[1];
}

// --- The close ---------------------------------------------------------------------------------

struct watch {
    bool json;
    double apart;
};

static void
told(void *context, const struct settle_step *step)
{
    struct watch *watch = context;
    watch->apart += 1e-6 * (double)step->apart_us;
    if (!watch->json)
        printf("    step %d %-16s %8.2f s, apart %.2f s\n", step->number, step->name,
               1e-6 * (double)step->took_us, 1e-6 * (double)step->apart_us);
}

// Seconds; what other programs and proofs took, which are no part of them, in *out_apart.
static double
close_month(struct bench *bench, struct books *books, double *out_apart)
{
    struct period period;
    struct settle_report report;
    struct watch watch = {.json = bench->json};
    CHECK(period_parse("2026-10", 7, &period) == STATUS_OK);
    const struct settle_options options = {.directory = books->directory,
                                           .log = 1,
                                           .now = close_at(),
                                           .told = told,
                                           .context = &watch};
    double begin = now();
    if (settle_close(books->console_db, &period, &options, &report) != STATUS_OK) {
        fprintf(stderr, "bench_books: the close stopped: %s\n", report.fault);
        exit(1);
    }
    *out_apart = watch.apart;
    return now() - begin - watch.apart;
}

// --- The table ---------------------------------------------------------------------------------

static void
row(const struct bench *bench, const char *name, double value, const char *unit, double ratio,
    double target, bool at_least)
{
    bool met = at_least ? ratio >= target : ratio <= target;
    if (bench->json)
        printf("{\"bench\": \"books\", \"name\": \"%s\", \"transfers\": %llu, \"value\": %.3f, "
               "\"unit\": \"%s\", \"ratio\": %.3f, \"target\": %.2f, \"met\": %s}\n",
               name, (unsigned long long)bench->transfers, value, unit, ratio, target,
               met ? "true" : "false");
    else
        printf("%-34s %14.1f %-12s %8.2f   %s %.2f%s\n", name, value, unit, ratio,
               at_least ? "at least" : "at most ", target, met ? "" : "   MISSED");
}

// Bytes a transfer takes in each table with its indexes; their sum.
static double
storage(const struct bench *bench, const struct ride *ride)
{
    static const char sql[] =
        "select x.name, sum(pg_table_size(x.oid))::bigint, sum(pg_indexes_size(x.oid))::bigint "
        "from (select c.oid, case when c.relname like 'transfer\\_2%' or c.relname = "
        "'transfer_default' then 'transfer' else c.relname::text end as name from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'vendue' and c.relkind = "
        "'r' and (c.relname like 'transfer%' or c.relname in ('fold', 'count_fold'))) x "
        "group by 1 having sum(pg_table_size(x.oid)) > 100000 order by 1";
    struct db_rows *rows = NULL;
    double all = 0, transfers = ask(ride->books.db, "select count(*) from transfer");
    must(ride->books.db, db_query(ride->books.db, sql, NULL, 0, &rows), "asking for sizes");
    for (size_t i = 0; i < db_count(rows); i++) {
        double table = (double)db_get_int(rows, i, 1) / transfers;
        double indexes = (double)db_get_int(rows, i, 2) / transfers;
        if (!bench->json)
            printf("    %-14s %6.1f bytes, indexes %6.1f\n", db_get_text(rows, i, 0), table,
                   indexes);
        all += table + indexes;
    }
    db_rows_free(rows);
    return all;
}

// Turn by turn of the one and of the other, so that what else the machine does hits both.
static void
skew(struct bench *bench)
{
    struct ride even = {0}, hot = {0};
    uint64_t transfers = bench->transfers < SKEW_TRANSFERS ? bench->transfers : SKEW_TRANSFERS;
    ride_open(bench, &even, transfers, false);
    ride_open(bench, &hot, transfers, true);
    for (bool more = true; more;) {
        more = turn(&even);
        more = turn(&hot) || more;
    }
    books_close(&even.books);
    books_close(&hot.books);
    double rate = (double)hot.transfers / hot.seconds;
    row(bench, "ship one hot account, to uniform", rate, "transfers/s",
        rate * even.seconds / (double)even.transfers, 0.9, true);
}

static void
measure(struct bench *bench)
{
    struct ride uniform = {0};
    ride_open(bench, &uniform, bench->transfers, false);
    unlimited(uniform.books.db);
    while (turn(&uniform)) {
    }
    double rate = (double)uniform.transfers / uniform.seconds;
    if (!bench->json)
        printf("%llu facts made %llu transfers in %.2f s\n", (unsigned long long)uniform.facts,
               (unsigned long long)uniform.transfers, uniform.seconds);
    idle(bench, &uniform);
    double copied = copy_rows(&uniform.books);
    row(bench, "ship, beside COPY", rate, "transfers/s", copied / uniform.seconds, 0.5, true);
    skew(bench);
    double bytes = storage(bench, &uniform);
    row(bench, "storage, to 400 bytes", bytes, "bytes", bytes / 400, 1, false);
    row(bench, "memory, end to first tenth", (double)uniform.memory_late, "kB",
        (double)uniform.memory_late / (double)uniform.memory_early, 1.1, false);
    must(uniform.books.db, db_script(uniform.books.db, "analyze"), "analyze");
    double scanned = scan(uniform.books.db), apart = 0;
    if (!bench->json) printf("    one scan %29.2f s\n", scanned);
    double closed = close_month(bench, &uniform.books, &apart);
    row(bench, "close and statements, to one scan", closed, "seconds", closed / scanned, 1.5,
        false);
    row(bench, "memory after the close", (double)memory(), "kB",
        (double)memory() / (double)uniform.memory_early, 1.5, false);
    books_close(&uniform.books);
}

int
main(int argc, char **argv)
{
    static struct bench bench = {.transfers = 600000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            bench.json = true;
        } else if (strcmp(argv[i], "--transfers") == 0 && i + 1 < argc && atoll(argv[i + 1]) > 0) {
            bench.transfers = (uint64_t)atoll(argv[++i]);
        } else {
            fprintf(stderr, "bench_books [--transfers N] [--json]\n");
            return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    declare(&bench);
    measure(&bench);
    return 0;
}
