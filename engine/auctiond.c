// auctiond DIR: sells. Opens the market directory, recovers what the journal says, listens. Needs
// no database; links none. Exit status: 0 stopped cleanly, 2 wrong arguments or settings, 3 the
// surroundings refuse (port, certificates, permission), 4 the journal failed or is damaged.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge.h"
#include "fail.h"
#include "log.h"

#define MAILS 4096          // requests decided and not yet answered
#define FACTS (128 * 1024)  // their facts: 16 MiB; a full record of a contact is about 40

enum { EXIT_SETTINGS = 2, EXIT_SURROUNDINGS = 3, EXIT_JOURNAL = 4 };

struct node {
    struct settings settings;
    struct auctioneer *auctioneer;
    struct journal *journal;
    struct mailbox *box;
    struct scribe *scribe;
    struct reasons *reasons;
    struct spool *spool;
    struct errands *errands;
    struct edge *edge;
    struct loader *loader;
};

static int
read_secret(const char *directory, uint8_t out_secret[16])
{
    char path[600];
    snprintf(path, sizeof path, "%s/run/customer.secret", directory);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    if (file < 0 || fstat(file, &found) != 0) {
        log_error(
            "start.refused",
            "path=%s error=\"%s\" mend=\"slotctl init makes it; restore it from your backup\"",
            path, strerror(errno));
        if (file >= 0) close(file);
        return EXIT_SURROUNDINGS;
    }
    ssize_t got = read(file, out_secret, 16);
    close(file);
    if (got != 16 || found.st_size != 16 || (found.st_mode & 077) != 0) {
        log_error("start.refused",
                  "path=%s error=\"must be 16 bytes, readable by its owner alone\"", path);
        return EXIT_SURROUNDINGS;
    }
    return 0;
}

// The catalog as it stands, so that recovery knows which bids it already holds; NULL: none was
// published.
static struct catalog *
first_catalog(const char *directory)
{
    char path[600];
    snprintf(path, sizeof path, "%s/published/catalog", directory);
    FILE *file = fopen(path, "re");
    if (file == NULL) return NULL;
    struct catalog *catalog = NULL;
    struct stat found;
    uint8_t *bytes = NULL;
    if (fstat(fileno(file), &found) == 0 && found.st_size > 0)
        bytes = malloc((size_t)found.st_size);
    if (bytes != NULL && fread(bytes, 1, (size_t)found.st_size, file) == (size_t)found.st_size) {
        enum status status = catalog_decode(bytes, (size_t)found.st_size, &catalog, NULL);
        if (status != STATUS_OK)
            log_error("catalog.refused", "path=%s error=\"%s\" action=\"waiting for a good one\"",
                      path, status_text(status));
    }
    free(bytes);
    fclose(file);
    return catalog;
}

static int
open_journal(struct node *node, struct catalog *catalog)
{
    char path[600];
    struct journal_fault fault = {""};
    struct journal_position end;
    snprintf(path, sizeof path, "%s/journal", node->settings.directory);
    struct journal_options options = {.log = node->settings.log,
                                      .epoch = node->settings.epoch,
                                      .segment_bytes = node->settings.segment_bytes};
    enum status status = journal_open(path, &options, &node->journal, &fault);
    if (status != STATUS_OK) {
        log_error("journal.refused", "status=\"%s\" fault=\"%s\"", status_text(status), fault.text);
        return status == STATUS_DENIED || status == STATUS_FULL ? EXIT_SURROUNDINGS : EXIT_JOURNAL;
    }
    usec start = clock_monotonic();
    if (catalog != NULL) auctioneer_catalog(node->auctioneer, catalog);
    reasons_catalog(node->reasons, catalog);
    status = auctioneer_recover(node->auctioneer, node->reasons, path, &end, &fault);
    if (status != STATUS_OK) {
        log_error("journal.refused", "status=\"%s\" fault=\"%s\"", status_text(status), fault.text);
        return EXIT_JOURNAL;
    }
    if (catalog != NULL && catalog->position.log == node->settings.log &&
        catalog->position.batch > end.batch) {
        log_error("journal.refused",
                  "batch=%llu catalog=%llu error=\"the ledger has booked more than this journal "
                  "holds; the journal directory is not the right one or lost its end\"",
                  (unsigned long long)end.batch, (unsigned long long)catalog->position.batch);
        return EXIT_JOURNAL;
    }
    struct book_counts counts = book_counts(auctioneer_book(node->auctioneer));
    log_info("journal.recovered", "batch=%llu contacts=%llu placements=%llu held=%llu ms=%lld",
             (unsigned long long)end.batch, (unsigned long long)counts.contacts,
             (unsigned long long)counts.placements_kept, (unsigned long long)counts.placements_held,
             (long long)((clock_monotonic().us - start.us) / 1000));
    return 0;
}

static int
start(struct node *node)
{
    struct book_limits limits = {
        .contacts = node->settings.book.contacts,
        .retries = node->settings.book.retries,
        .placements = node->settings.book.placements,
        .customers = node->settings.book.customers,
        .rates = node->settings.book.rates,
        .orders = node->settings.book.orders,
        .overlay = node->settings.book.overlay,
    };
    struct edge_parts parts = {.settings = &node->settings};
    int rc = read_secret(node->settings.directory, parts.customer_secret);
    if (rc != 0) return rc;
    node->auctioneer = auctioneer_open(&limits);
    parts.auctioneer = node->auctioneer;
    parts.reasons = node->reasons = reasons_open();
    struct catalog *catalog = first_catalog(node->settings.directory);
    rc = open_journal(node, catalog);
    if (rc != 0) {
        catalog_close(catalog);
        return rc;
    }
    uint64_t live = catalog == NULL ? 0 : catalog->version;
    if (catalog != NULL) parts.edition = loader_edition(catalog);
    parts.errands = node->errands = errand_open(node->settings.directory);
    parts.box = node->box = mailbox_open(MAILS, FACTS);
    parts.scribe = node->scribe = scribe_open(node->journal, node->box);
    node->journal = NULL;  // the scribe's now
    parts.spool = node->spool = spool_open(node->settings.directory, node->settings.explain_days);
    char error[512] = "";
    if (edge_open(&parts, &node->edge, error) != STATUS_OK) {
        log_error("start.refused", "error=\"%s\"", error);
        return EXIT_SURROUNDINGS;
    }
    struct loader_calls calls = edge_loader_calls(node->edge);
    node->loader = loader_open(node->settings.directory, live, node->errands, &calls);
    edge_set_loader(node->edge, node->loader);
    return 0;
}

static void
stop(struct node *node)
{
    loader_close(node->loader);
    if (node->scribe != NULL) scribe_close(node->scribe);
    journal_close(node->journal);
    edge_close(node->edge);
    errand_close(node->errands);
    spool_close(node->spool);
    reasons_close(node->reasons);
    mailbox_close(node->box);
    auctioneer_close(node->auctioneer);
    hash_thread_end();
}

int
main(int argc, char **argv)
{
    static struct node node;
    log_open("auctiond");
    signal(SIGPIPE, SIG_IGN);
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: auctiond DIR\n  DIR: a market directory made by slotctl init\n");
        return EXIT_SETTINGS;
    }
    struct settings_error error;
    if (settings_read(argv[1], &node.settings, &error) != STATUS_OK) {
        log_error("settings.refused", "error=\"%s\"", error.text);
        return EXIT_SETTINGS;
    }
    int rc = start(&node);
    if (rc == 0) {
        log_info("selling", "version=" VENDUE_VERSION " host=%s port=%u directory=%s",
                 node.settings.listen_host, node.settings.listen_port, node.settings.directory);
        edge_run(node.edge);
    }
    stop(&node);
    if (rc == 0) log_info("stopped", "action=clean");
    return rc;
}
