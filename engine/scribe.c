// The scribe's loop:
//   1 take the next run of mails; when none is there, prepare the next segment a little, then
//     sleep
//   2 append a frame for it; while there is no room: say so, wait, try again (nothing is dropped)
//   3 while more is published and this sync is not yet large, take on
//   4 sync; on any failure end the process: what is true is found by recovery, never by trying
//     again
//   5 settle: now the edge may speak
// No timer collects batches: whatever has gathered while the last sync ran is the next batch.
#include "scribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "hash.h"
#include "log.h"

#define SCRIBE_SYNC_FACTS 16384     // facts of one sync at most: 2 MiB, some 400 contacts
#define SCRIBE_RETRY_NS 100000000L  // while the disk is full
#define SCRIBE_EXIT_JOURNAL 4       // exit status: the journal failed, restart recovers

struct scribe {
    struct journal *journal;
    struct mailbox *box;
    pthread_t thread;
    atomic_bool full;
    _Atomic uint64_t batch, syncs, facts;
};

static _Noreturn void
give_up(const char *what)
{
    log_error("journal.failed", "what=%s error=\"%s\" action=\"exit; recovery finds what is true\"",
              what, strerror(errno));
    _exit(SCRIBE_EXIT_JOURNAL);
}

static struct journal_position
append(struct scribe *scribe, const struct mail_run *run)
{
    struct journal_position position;
    for (;;) {
        enum status status = journal_append(scribe->journal, run->facts, run->fact_count,
                                            clock_wall(), &position);
        if (status == STATUS_OK) break;
        if (status != STATUS_FULL) give_up("append");
        // Asked to stop with no room: nobody was answered, so nothing announced is lost.
        if (mailbox_stopped(scribe->box)) give_up("stopped while the journal is full");
        if (!atomic_exchange(&scribe->full, true))
            log_error("journal.full",
                      "action=\"selling stops until there is room; nothing is lost\"");
        struct timespec pause = {0, SCRIBE_RETRY_NS};
        nanosleep(&pause, NULL);
    }
    if (atomic_exchange(&scribe->full, false)) log_info("journal.room", "action=\"selling again\"");
    return position;
}

static void *
scribe_loop(void *argument)
{
    struct scribe *scribe = argument;
    for (;;) {
        struct mail_run run = mailbox_take(scribe->box, false);
        if (run.mails == 0 && journal_prepare(scribe->journal) > 0) continue;
        if (run.mails == 0) run = mailbox_take(scribe->box, true);
        if (run.mails == 0) break;  // stopped
        uint64_t batch = atomic_load(&scribe->batch);
        uint32_t facts = 0;
        while (run.mails > 0) {
            if (run.fact_count > 0) batch = append(scribe, &run).batch;
            mailbox_stamp(scribe->box, &run, batch);
            facts += run.fact_count;
            if (facts >= SCRIBE_SYNC_FACTS) break;
            run = mailbox_take(scribe->box, false);
        }
        if (facts > 0) {
            if (journal_sync(scribe->journal) != STATUS_OK) give_up("sync");
            atomic_fetch_add(&scribe->syncs, 1);
            atomic_fetch_add(&scribe->facts, facts);
        }
        atomic_store(&scribe->batch, batch);
        mailbox_settle(scribe->box);
        if (facts > 0) journal_prepare(scribe->journal);
    }
    hash_thread_end();
    return NULL;
}

struct scribe *
scribe_open(struct journal *journal, struct mailbox *box)
{
    struct scribe *scribe = calloc(1, sizeof *scribe);
    CHECK(scribe != NULL);
    scribe->journal = journal;
    scribe->box = box;
    atomic_store(&scribe->batch, journal_end(journal).batch);
    CHECK(pthread_create(&scribe->thread, NULL, scribe_loop, scribe) == 0);
    return scribe;
}

void
scribe_close(struct scribe *scribe)
{
    if (scribe == NULL) return;
    mailbox_stop(scribe->box);
    CHECK(pthread_join(scribe->thread, NULL) == 0);
    journal_close(scribe->journal);
    free(scribe);
}

bool
scribe_full(const struct scribe *scribe)
{
    return atomic_load_explicit(&scribe->full, memory_order_relaxed);
}

uint64_t
scribe_batch(const struct scribe *scribe)
{
    return atomic_load_explicit(&scribe->batch, memory_order_relaxed);
}

uint64_t
scribe_syncs(const struct scribe *scribe)
{
    return atomic_load_explicit(&scribe->syncs, memory_order_relaxed);
}

uint64_t
scribe_facts(const struct scribe *scribe)
{
    return atomic_load_explicit(&scribe->facts, memory_order_relaxed);
}
