// ledgerd: books the journal in PostgreSQL, publishes the market as a catalog, writes closed
// statements. One loop, one connection, no port. `ledgerd DIR`.
//
//  1 A turn: connect if need be; ship until the journal has no more (but not without a look at
//    the rest); now and then stop experiments that lose; publish what changed; once a second write
//    closed statements and roots; let shares follow what was booked (life.h); say how it stands.
//    When there is nothing to ship: prove what is new, merge sums, report that all is booked.
//  2 PostgreSQL may be away at any time, also at the start: this is logged once, tried again
//    after 0.1 s to 2 s, and caught up with. Selling does not depend on us.
//  3 The connection string is DIR/run/postgres.ledger, read anew at every connect; without that
//    file the settings' `postgres`.
//  4 When journal and ledger do not fit (ship.h, SHIP_STOP) it says so loudly and ends with exit
//    code 1: going on would book something wrong.
//  5 DIR/run/ledgerd.pid is held locked as long as we live. DIR/run/ledgerd.status is JSON,
//    written to a new file that replaces the old one, every second or when something changed; a
//    clean end removes it.
//  6 SIGTERM and SIGINT end the loop between two transactions. They are blocked and waited for,
//    which is also how the loop sleeps, so there is no handler.
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "experiment.h"
#include "fail.h"
#include "fold.h"
#include "journal.h"
#include "life.h"
#include "log.h"
#include "migrate.h"
#include "proof.h"
#include "publish.h"
#include "settings.h"
#include "settle.h"
#include "ship.h"
#include "statement.h"

#define TURN_MS 50
#define RETRY_MS_MIN 100
#define RETRY_MS_MAX 2000
#define SHIP_TURNS_MAX 16
#define SECOND_US USEC_SECOND
#define LIFE_US (2 * USEC_SECOND)
#define REPORT_US (2 * USEC_SECOND)
#define FOLD_US (30 * USEC_SECOND)

struct trouble {        // of one kind; logged when it begins, changes and ends
    const char *event;  // "ship"
    char text[1600];    // "" none
    usec since;
};
struct ledgerd {
    struct settings settings;
    struct db *db;
    struct ship *ship;
    struct publish *publish;
    struct experiment_watch *experiments;
    struct publish_report published;
    struct trouble database, shipping, publishing, statements, trials, life, proof, folds, roots,
        reports;
    unsigned retry_ms;
    // monotonic
    usec next_connect, next_statements, next_status, next_life, next_report, next_proof, next_fold;
    uint64_t told_batch, told_catalog;
    bool told_up, stopped, idle;  // idle: nothing to ship
    int lock;
};

// --- Trouble -----------------------------------------------------------------------------------

static void
trouble_is(struct trouble *trouble, const char *text)
{
    if (strcmp(trouble->text, text) == 0) return;
    char event[64];
    if (trouble->text[0] == 0) trouble->since = clock_wall();
    snprintf(trouble->text, sizeof trouble->text, "%s", text);
    snprintf(event, sizeof event, "%s.failing", trouble->event);
    log_warn(event, "error=\"%s\"", trouble->text);
}

static void
trouble_ends(struct trouble *trouble)
{
    if (trouble->text[0] == 0) return;
    char event[64];
    snprintf(event, sizeof event, "%s.again", trouble->event);
    log_info(event, "after_ms=%lld", (long long)((clock_wall().us - trouble->since.us) / 1000));
    trouble->text[0] = 0;
    trouble->since = (usec){0};
}

// --- Status file -------------------------------------------------------------------------------

static const struct trouble *
worst(const struct ledgerd *ledgerd)
{
    const struct trouble *all[] = {&ledgerd->shipping,   &ledgerd->database, &ledgerd->publishing,
                                   &ledgerd->statements, &ledgerd->trials,   &ledgerd->life,
                                   &ledgerd->proof,      &ledgerd->folds,    &ledgerd->roots,
                                   &ledgerd->reports};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->text[0]) return all[i];
    }
    return all[0];
}

static void
write_status(struct ledgerd *ledgerd)
{
    char path[600], fresh[640], journal[600];
    const char *directory = ledgerd->settings.directory;
    snprintf(path, sizeof path, "%s/run/ledgerd.status", directory);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    snprintf(journal, sizeof journal, "%s/journal", directory);
    const struct ship_report *report = ship_report(ledgerd->ship);
    const struct trouble *trouble = worst(ledgerd);
    uint64_t durable = 0;
    if (journal_durable(journal, &durable) != STATUS_OK) durable = report->position.batch;
    uint64_t behind = durable > report->position.batch ? durable - report->position.batch : 0;
    json_t *status = json_pack(
        "{s:i, s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:s, s:I}", "pid",
        (int)getpid(), "version", VENDUE_VERSION, "log", (json_int_t)ledgerd->settings.log,
        "shipped_batch", (json_int_t)report->position.batch, "shipped_known", (int)report->known,
        "durable_batch", (json_int_t)durable, "lag_batches", (json_int_t)behind, "facts",
        (json_int_t)report->facts, "transfers", (json_int_t)report->transfers, "orphans",
        (json_int_t)report->orphans, "catalog_version", (json_int_t)ledgerd->published.version,
        "database", ledgerd->db ? "up" : "down", "stopped", (int)ledgerd->stopped, "error",
        trouble->text, "error_since_us", (json_int_t)trouble->since.us);
    if (!status || json_dump_file(status, fresh, JSON_COMPACT) != 0 || rename(fresh, path) != 0) {
        log_warn("status.failing", "file=%s error=\"%s\"", path, strerror(errno));
    }
    json_decref(status);
    ledgerd->told_batch = report->position.batch;
    ledgerd->told_catalog = ledgerd->published.version;
    ledgerd->told_up = ledgerd->db != NULL;
    ledgerd->next_status = (usec){clock_monotonic().us + SECOND_US};
}

static bool
status_is_old(const struct ledgerd *ledgerd)
{
    return clock_monotonic().us >= ledgerd->next_status.us ||
           ledgerd->told_up != (ledgerd->db != NULL) ||
           ledgerd->told_catalog != ledgerd->published.version;
}

// --- Connection --------------------------------------------------------------------------------

static void
connection_string(const struct ledgerd *ledgerd, char *out, size_t room)
{
    char path[600];
    snprintf(path, sizeof path, "%s/run/postgres.ledger", ledgerd->settings.directory);
    snprintf(out, room, "%s", ledgerd->settings.postgres);
    FILE *file = fopen(path, "r");
    if (!file) return;
    if (fgets(out, (int)room, file)) out[strcspn(out, "\r\n")] = 0;
    fclose(file);
}

static void
disconnect(struct ledgerd *ledgerd)
{
    db_close(ledgerd->db);
    ledgerd->db = NULL;
}

// What an earlier ledgerd published counts, too. A database without the schema yet has none.
static void
read_newest_catalog(struct ledgerd *ledgerd)
{
    struct db_rows *rows = NULL;
    if (db_query(ledgerd->db, "select coalesce(max(version), 0)::bigint from catalog_version", NULL,
                 0, &rows) != STATUS_OK) {
        return;
    }
    ledgerd->published.version = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
}

static void
connect_database(struct ledgerd *ledgerd)
{
    usec now = clock_monotonic();
    if (now.us < ledgerd->next_connect.us) return;
    char connection[1024];
    struct db_fault fault = {"", ""};
    struct migrate_report schema;
    connection_string(ledgerd, connection, sizeof connection);
    if (!connection[0]) {
        trouble_is(&ledgerd->database, "no connection string yet in run/postgres.ledger");
    } else if (db_open(connection, "ledgerd", &ledgerd->db, &fault) != STATUS_OK) {
        ledgerd->db = NULL;
        trouble_is(&ledgerd->database, fault.text);
    } else if (migrate_fits(ledgerd->db, &schema) != STATUS_OK) {
        trouble_is(&ledgerd->database, schema.fault);
        disconnect(ledgerd);
    } else {
        trouble_ends(&ledgerd->database);
        ledgerd->retry_ms = RETRY_MS_MIN;
        read_newest_catalog(ledgerd);
        return;
    }
    ledgerd->next_connect = (usec){now.us + 1000LL * ledgerd->retry_ms};
    ledgerd->retry_ms = ledgerd->retry_ms * 2 < RETRY_MS_MAX ? ledgerd->retry_ms * 2 : RETRY_MS_MAX;
}

// After any failing call: a connection that is gone is given up.
static bool
still_connected(struct ledgerd *ledgerd)
{
    if (ledgerd->db && !db_alive(ledgerd->db)) {
        trouble_is(&ledgerd->database, db_fault(ledgerd->db)->text);
        disconnect(ledgerd);
    }
    return ledgerd->db != NULL;
}

// --- The turn ----------------------------------------------------------------------------------

// Gives whether there is more to ship at once.
static bool
turn_ship(struct ledgerd *ledgerd)
{
    uint64_t orphans = ship_report(ledgerd->ship)->orphans;
    enum ship_answer answer = SHIP_BOOKED;
    for (unsigned i = 0; i < SHIP_TURNS_MAX && answer == SHIP_BOOKED; i++) {
        answer = ship_turn(ledgerd->ship, ledgerd->db);
    }
    const struct ship_report *report = ship_report(ledgerd->ship);
    if (report->orphans != orphans) {
        log_error("ship.orphans", "facts=%llu note=\"they name nothing known; see slotctl verify\"",
                  (unsigned long long)(report->orphans - orphans));
    }
    if (answer == SHIP_RETRY) {
        if (db_alive(ledgerd->db)) trouble_is(&ledgerd->shipping, report->fault);
    } else if (answer == SHIP_STOP) {
        ledgerd->stopped = true;
        trouble_is(&ledgerd->shipping, report->fault);
        log_error("ship.stopped", "error=\"%s\"", report->fault);
    } else {
        trouble_ends(&ledgerd->shipping);
    }
    ledgerd->idle = answer == SHIP_IDLE;
    return answer == SHIP_BOOKED;
}

static void
turn_publish(struct ledgerd *ledgerd)
{
    struct publish_report report = ledgerd->published;
    enum status status = publish_turn(ledgerd->publish, ledgerd->db, clock_wall(), &report);
    if (status == STATUS_OK) {
        if (report.version) ledgerd->published = report;
        trouble_ends(&ledgerd->publishing);
        if (report.published) {
            log_info("catalog.published", "version=%llu market=%llu bids=%u took_us=%lld",
                     (unsigned long long)report.version, (unsigned long long)report.market_version,
                     report.bids, (long long)report.took_us);
        }
    } else if (db_alive(ledgerd->db)) {
        trouble_is(&ledgerd->publishing, report.fault);
    }
}

// Roots of closed periods and the head of the acts, which nobody can take back afterwards.
static void
turn_roots(struct ledgerd *ledgerd)
{
    char detail[SETTLE_DETAIL] = "";
    enum status status = settle_publish(ledgerd->db, ledgerd->settings.directory, detail);
    if (status == STATUS_OK) trouble_ends(&ledgerd->roots);
    else if (status == STATUS_CONFLICT) {
        if (strcmp(ledgerd->roots.text, detail) != 0)
            log_error("roots.differ", "error=\"%s\"", detail);
        trouble_is(&ledgerd->roots, detail);
    } else if (status == STATUS_IO && !db_fault(ledgerd->db)->text[0]) {
        trouble_is(&ledgerd->roots, strerror(errno));
    } else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->roots, db_fault(ledgerd->db)->text);
}

static void
turn_statements(struct ledgerd *ledgerd)
{
    usec now = clock_monotonic();
    if (now.us < ledgerd->next_statements.us) return;
    ledgerd->next_statements = (usec){now.us + SECOND_US};
    enum status status = statement_publish(ledgerd->db, ledgerd->settings.directory);
    if (status == STATUS_OK) trouble_ends(&ledgerd->statements);
    else if (status == STATUS_IO && !db_fault(ledgerd->db)->text[0]) {
        trouble_is(&ledgerd->statements, strerror(errno));
    } else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->statements, db_fault(ledgerd->db)->text);
    if (still_connected(ledgerd)) turn_roots(ledgerd);
}

static void
turn_experiments(struct ledgerd *ledgerd)
{
    struct experiment_report report;
    enum status status = experiment_turn(ledgerd->experiments, ledgerd->db, clock_wall(), &report);
    if (report.stopped) {
        log_warn("experiment.stopped", "count=%u last=\"%s\"", report.stopped, report.text);
    }
    if (status == STATUS_OK) trouble_ends(&ledgerd->trials);
    else if (status == STATUS_DAMAGED) {
        trouble_is(&ledgerd->trials, "the market was written by another version of this program");
    } else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->trials, db_fault(ledgerd->db)->text);
}

// Whether it is time; then the next time is set.
static bool
is_time(usec *next, int64_t every_us)
{
    usec now = clock_monotonic();
    if (now.us < next->us) return false;
    *next = (usec){now.us + every_us};
    return true;
}

static void
turn_life(struct ledgerd *ledgerd)
{
    struct life_report report;
    if (!is_time(&ledgerd->next_life, LIFE_US)) return;
    enum status status = life_turn(ledgerd->db, clock_wall(), &report);
    if (status == STATUS_OK) trouble_ends(&ledgerd->life);
    else if (status == STATUS_DAMAGED) {
        trouble_is(&ledgerd->life, "a contract was stored by another version of this program");
    } else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->life, db_fault(ledgerd->db)->text);
    if (status == STATUS_OK && report.more) ledgerd->next_life = (usec){0};
    if (report.locked || report.followed) {
        log_info("life", "locked=%u followed=%u transfers=%zu", report.locked, report.followed,
                 report.transfers);
    }
}

// What waits until there is nothing to ship.
static void
turn_idle(struct ledgerd *ledgerd)
{
    const struct ship_report *shipped = ship_report(ledgerd->ship);
    struct proof_report proof;
    bool merged = false;
    if (is_time(&ledgerd->next_report, REPORT_US)) {
        enum status status = settle_reports(ledgerd->db, ledgerd->settings.log,
                                            shipped->position.batch, clock_wall());
        if (status == STATUS_OK) trouble_ends(&ledgerd->reports);
        else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->reports, db_fault(ledgerd->db)->text);
    }
    if (still_connected(ledgerd) && is_time(&ledgerd->next_proof, SECOND_US)) {
        enum status status = proof_turn(ledgerd->db, clock_wall(), &proof);
        if (status == STATUS_OK) trouble_ends(&ledgerd->proof);
        else if (status == STATUS_CONFLICT) trouble_is(&ledgerd->proof, proof.fault);
        else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->proof, db_fault(ledgerd->db)->text);
        if (status == STATUS_OK && proof.more) ledgerd->next_proof = (usec){0};
    }
    if (still_connected(ledgerd) && is_time(&ledgerd->next_fold, FOLD_US)) {
        enum status status = fold_compact(ledgerd->db, &merged);
        if (status == STATUS_OK) trouble_ends(&ledgerd->folds);
        else if (db_alive(ledgerd->db)) trouble_is(&ledgerd->folds, db_fault(ledgerd->db)->text);
        if (status == STATUS_OK && merged) ledgerd->next_fold = (usec){0};
    }
}

static bool
turn(struct ledgerd *ledgerd)
{
    bool more = false;
    if (!ledgerd->db) connect_database(ledgerd);
    if (ledgerd->db) more = turn_ship(ledgerd);
    if (still_connected(ledgerd) && !ledgerd->stopped) turn_experiments(ledgerd);
    if (still_connected(ledgerd) && !ledgerd->stopped) turn_publish(ledgerd);
    if (still_connected(ledgerd) && !ledgerd->stopped) turn_statements(ledgerd);
    if (still_connected(ledgerd) && !ledgerd->stopped) turn_life(ledgerd);
    if (still_connected(ledgerd) && !ledgerd->stopped && ledgerd->idle) turn_idle(ledgerd);
    still_connected(ledgerd);
    if (status_is_old(ledgerd) || ledgerd->stopped) write_status(ledgerd);
    return more;
}

// --- Start and end -----------------------------------------------------------------------------

static int
take_lock(struct ledgerd *ledgerd)
{
    char path[600];
    const char *directory = ledgerd->settings.directory;
    snprintf(path, sizeof path, "%s/run", directory);
    if (mkdir(path, 0750) != 0 && errno != EEXIST) goto failed;
    snprintf(path, sizeof path, "%s/run/ledgerd.pid", directory);
    ledgerd->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (ledgerd->lock < 0) goto failed;
    if (flock(ledgerd->lock, LOCK_EX | LOCK_NB) != 0) {
        fprintf(stderr, "ledgerd: another ledgerd is at work in %s\n", directory);
        return -1;
    }
    if (ftruncate(ledgerd->lock, 0) != 0 || dprintf(ledgerd->lock, "%d\n", (int)getpid()) < 0) {
        goto failed;
    }
    return 0;
failed:
    fprintf(stderr, "ledgerd: %s: %s\n", path, strerror(errno));
    return -1;
}

static void
clear_files(const struct ledgerd *ledgerd)
{
    char path[600];
    snprintf(path, sizeof path, "%s/run/ledgerd.status", ledgerd->settings.directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/run/ledgerd.pid", ledgerd->settings.directory);
    unlink(path);
}

// Sleeps, or not, until a signal that ends us comes.
static bool
told_to_end(const sigset_t *signals, unsigned ms)
{
    const struct timespec wait = {.tv_nsec = (long)ms * 1000000};
    return sigtimedwait(signals, NULL, &wait) > 0;
}

static void
run(struct ledgerd *ledgerd, const sigset_t *signals)
{
    log_info("start", "directory=%s log=%u version=%s", ledgerd->settings.directory,
             ledgerd->settings.log, VENDUE_VERSION);
    bool more = false;
    do {
        more = turn(ledgerd);
    } while (!ledgerd->stopped && !told_to_end(signals, more ? 0 : TURN_MS));
    const struct ship_report *report = ship_report(ledgerd->ship);
    log_info("end", "batch=%llu facts=%llu transfers=%llu",
             (unsigned long long)report->position.batch, (unsigned long long)report->facts,
             (unsigned long long)report->transfers);
}

static int
work(struct ledgerd *ledgerd, const sigset_t *signals)
{
    ledgerd->database.event = "database";
    ledgerd->shipping.event = "ship";
    ledgerd->publishing.event = "publish";
    ledgerd->statements.event = "statements";
    ledgerd->trials.event = "experiments";
    ledgerd->life.event = "life";
    ledgerd->proof.event = "proof";
    ledgerd->folds.event = "folds";
    ledgerd->roots.event = "roots";
    ledgerd->reports.event = "reports";
    ledgerd->experiments = experiment_open();
    ledgerd->retry_ms = RETRY_MS_MIN;
    ledgerd->ship = ship_open(ledgerd->settings.directory, ledgerd->settings.log);
    ledgerd->publish = publish_open(ledgerd->settings.directory, ledgerd->settings.log);
    run(ledgerd, signals);
    disconnect(ledgerd);
    publish_close(ledgerd->publish);
    experiment_close(ledgerd->experiments);
    ship_close(ledgerd->ship);
    if (!ledgerd->stopped) clear_files(ledgerd);
    close(ledgerd->lock);
    return ledgerd->stopped ? 1 : 0;
}

int
main(int argc, char **argv)
{
    struct settings_error error = {""};
    struct ledgerd ledgerd = {.lock = -1};
    sigset_t signals;
    if (argc != 2 || argv[1][0] == '-') {
        bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
        fprintf(help ? stdout : stderr,
                "usage: ledgerd DIR\nBooks the journal of the market in DIR and publishes its "
                "catalog; see docs/ledger.md.\n");
        return help ? 0 : 2;
    }
    log_open("ledgerd");
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (settings_read(argv[1], &ledgerd.settings, &error) != STATUS_OK) {
        fprintf(stderr, "ledgerd: %s\n", error.text);
        return 2;
    }
    if (take_lock(&ledgerd) != 0) return 3;
    return work(&ledgerd, &signals);
}
