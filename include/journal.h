// The journal: immutable frames of facts in segment files; the only truth. One writer (auctiond's
// scribe), any number of readers (ledgerd, slotctl verify). Format to the byte: ledger/journal.c.
//
// A frame bears log, epoch, dense batch number (from 1, running on over epochs and segments) and
// the digest of the frame before it. Its id is log.epoch.batch; a fact's is log.batch.index. Never
// a file offset.
#ifndef VENDUE_JOURNAL_H
#define VENDUE_JOURNAL_H

#include <stdbool.h>

#include "fact.h"

struct journal_position {
    uint32_t log, epoch;
    uint64_t batch;        // last frame included; 0: none yet
    struct digest digest;  // of that frame; zero when batch is 0
};
struct journal_frame {                 // valid until the next call on the same reader
    struct journal_position position;  // of this frame
    struct digest previous;
    usec at;
    const struct fact *facts;
    uint32_t count;
};
struct journal_fault {  // what a failing call found, for people
    char text[512];     // "journal/00000003.segment, offset 8192: digest does not match: damaged"
};

// --- Writing -------------------------------------------------------------------------------------
struct journal;
struct journal_options {
    uint32_t log, epoch;
    uint64_t segment_bytes;  // of one segment, preallocated and written; a multiple of 1 MiB
    bool verify_all;         // read every segment, not only the last
};
// Opens or creates the journal in `directory`, takes its lock (STATUS_DENIED: another writer), and
// recovers: verifies every frame of the last segment (all segments when `verify_all`), cuts a torn
// tail, refuses damage (STATUS_DAMAGED: a frame that was durable is missing or not whole; the rules
// are in journal.c). STATUS_CONFLICT: the journal is of another log or epoch. STATUS_FULL: no room.
MUST_CHECK enum status journal_open(const char *directory, const struct journal_options *options,
                                    struct journal **out_journal, struct journal_fault *out_fault);
void journal_close(struct journal *journal);
struct journal_position journal_end(const struct journal *journal);  // last whole frame

// Builds one frame of 1 to BOUND_FRAME_FACTS facts and writes it. Not yet durable.
// STATUS_FULL: no room on the disk (nothing was written; try again later). STATUS_IO: the journal
// must not be used any more (the caller ends the process; recovery tells what is true).
MUST_CHECK enum status
journal_append(struct journal *journal, const struct fact *facts, uint32_t count, usec at,
               struct journal_position *out_position);
// Makes all appended frames durable and publishes the durable batch to readers. STATUS_IO as above.
MUST_CHECK enum status journal_sync(struct journal *journal);
// Prepares the next segment a little at a time, between syncs: call it once after each sync.
// Returns bytes prepared, 0 when it is far enough ahead.
size_t journal_prepare(struct journal *journal);

// --- Reading -------------------------------------------------------------------------------------
struct journal_reader;
// Reads on from just after `from` (batch 0 or NULL: from the start). Sees only durable frames. A
// directory without segments is a journal that has not begun. STATUS_NOT_FOUND: no such directory.
// STATUS_GAP: the journal ends before `from`, or begins after it. STATUS_FORK: it has another frame
// there, or is another log.
MUST_CHECK enum status
journal_reader_open(const char *directory, const struct journal_position *from,
                    struct journal_reader **out_reader, struct journal_fault *out_fault);
void journal_reader_close(struct journal_reader *reader);
// The reader's rule: batch = last + 1 and previous = digest of last. STATUS_AGAIN: nothing more
// now. STATUS_GAP, STATUS_FORK, STATUS_DAMAGED, STATUS_VERSION: stop, raise the alarm.
MUST_CHECK enum status journal_read(struct journal_reader *reader, struct journal_frame *out_frame,
                                    struct journal_fault *out_fault);
// Newest durable batch, as the writer last published it.
MUST_CHECK enum status journal_durable(const char *directory, uint64_t *out_batch);

#endif
