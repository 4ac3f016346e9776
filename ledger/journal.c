// The journal's writer, and the specification of the whole: what stands on the disk, how it gets
// there, how it is read, what is true after a crash. Parts: journal_frame.c (one frame),
// journal_segment.c (one file), journal_next.c (the file being prepared), journal_durable.c (the
// watermark), journal_recover.c, journal_read.c.
//
// FILES in the journal's directory (integers are little-endian)
//   lock             held with flock by the one writer
//   durable          the newest durable batch; format in journal_durable.c
//   NUMBER.segment   NUMBER is decimal, eight digits, dense from the first to the last
//   NUMBER.prepare   the next segment being filled with zeros; means nothing, removed at next start
//
// SEGMENT: a header block of 4,096 bytes, frames one after another, zeros to its end.
//     0  magic "VNDSEGMT"           8  version u32 = 1            12  block u32 = 4096
//    16  log u32                   20  epoch u32                  24  number u64
//    32  first u64: batch of its first frame                      40  bytes u64: size of the file
//    48  digest of the frame before its first one; zeros: none
//    80  SHA-256 of the other 4,064 bytes of the block           112  zeros
//
// FRAME: a head of 128 bytes and count x 128 bytes of facts (fact.h); so it begins at a multiple of
// 128 and has no padding. Its bytes never change. It is at most 131,200 bytes long.
//     0  magic "VNDFRAME"           8  version u32 = 1
//    12  kind u16: 1 data, 2 barrier (reserved: raises the epoch) 14  zero u16
//    16  log u32                   20  epoch u32                  24  batch u64: dense from 1
//    32  durable u64: newest batch that was durable when this frame was built
//    40  at i64: microseconds      48  count u32                  52  length u32 = count x 128
//    56  zero u64                  64  digest of the frame before
//    96  SHA-256 of bytes 0 to 95 and the facts
// In every later version magic, version, length and digest stay where they are, so that a version
// that cannot be read is told from damage.
//
// WRITER
//   W1  One writer: the lock.
//   W2  append: one write of the frame behind the last one. sync: fdatasync, then the watermark.
//   W3  The watermark never passes what a sync that succeeded has covered. It is not synced itself:
//       after a power cut it may be old, never ahead.
//   W4  A full segment is synced before the next one gets its name; the next one is synced, header
//       and zeros, before it gets its name; the directory is synced before a frame goes into it. So
//       only the last segment can be torn, and a header never is.
//   W5  A failed sync is never repeated: the pages may count as clean. Nor is a write that failed
//       half way. The journal is poisoned, every later call answers STATUS_IO, and recovery tells
//       what is true.
//   W6  No room: nothing was written, the journal stands as before, the same call works once there
//       is room. Only the change of segments needs room, and the next one's is reserved early.
//
// RECOVERY walks the last segment by the chain: batch + 1, previous digest, own digest.
//   R1  The walk ends at the first place without a whole frame. A whole frame that does not
//       continue the chain is damage: a torn write leaves broken bytes, never a whole frame in a
//       wrong place.
//   R2  A frame that was durable, says the watermark, and that the walk did not reach: damage.
//   R3  Else the bad place is a torn tail, if what follows it can be left over from writes after
//       the last sync that reached the disk out of order.
//   R4  It cannot when a whole frame follows that was built when the missing one was already
//       durable (its field `durable`), or whose batch is not above the missing one: damage. With
//       one frame to a sync this is any whole frame that follows. So the answer holds even when
//       the watermark is old or lost.
//   R5  A torn tail is overwritten with zeros, the segment synced, and only then does the watermark
//       follow. Interrupted, the next recovery meets the same or fewer of the same remnants.
// Why this is right: a frame is answered only after its sync (W2). What a sync covered is in the
// file (W4), so it is either reached by the walk or reported (R2, R4). What was never synced was
// answered to nobody, and may be kept when whole or cut when torn.
// What it cannot see: a whole directory put back to an older state is a sound journal. Its readers
// see it, by a position that lies beyond its end or has another digest.
//
// CRASH POINTS
//   while preparing, or before the rename     .prepare is removed; the old segment is the last one
//   after the rename, before the directory's  the name may be there or not; the new segment is
//     sync                                    empty either way
//   after that sync                           an empty last segment; its header ends the chain
//   between fdatasync and the watermark       the watermark is old; the frames are whole and stay
//   while the watermark is written            its other record counts
//   while a torn tail is overwritten          as before, fewer remnants
//
// READERS see frames up to the watermark only; rules in journal_read.c.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fail.h"
#include "journal_inside.h"

// Zeros go ahead at three bytes to two of frames: ready when this segment is two thirds full.
#define PREPARE_AHEAD 3u
#define PREPARE_BEHIND 2u
#define PREPARE_STEP (64u * 1024u)

struct journal {
    char name[512];  // directory, for faults
    struct journal_options options;
    int directory, lock_fd, durable_fd;
    struct journal_segment segment;
    uint64_t offset;              // where the next frame goes
    struct journal_position end;  // last frame written
    struct journal_mark mark;     // last one published
    struct journal_next next;
    bool poisoned;
};

static enum status
poison(struct journal *journal)
{
    journal->poisoned = true;
    return STATUS_IO;
}

// --- Opening -------------------------------------------------------------------------------------

static enum status
fault_system(const struct journal *journal, enum status status, const char *what,
             struct journal_fault *out_fault)
{
    if (status == STATUS_FULL)
        return journal_fault(status, out_fault,
                             "%s: no room for %s; free some space and start again", journal->name,
                             what);
    return journal_fault(status, out_fault, "%s: %s: %s", journal->name, what, strerror(errno));
}

// The directory, made if it is missing, so that its name survives a power cut.
static enum status
open_directory(struct journal *journal, struct journal_fault *out_fault)
{
    bool made = mkdir(journal->name, 0750) == 0;
    if (!made && errno != EEXIST)
        return fault_system(journal, journal_full(errno) ? STATUS_FULL : STATUS_IO, "the directory",
                            out_fault);
    journal->directory = open(journal->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory < 0) return fault_system(journal, STATUS_IO, "the directory", out_fault);
    if (!made) return STATUS_OK;
    int parent = openat(journal->directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = parent >= 0 && fsync(parent) == 0;
    if (parent >= 0) close(parent);
    return synced ? STATUS_OK : fault_system(journal, STATUS_IO, "the parent directory", out_fault);
}

static enum status
take_lock(struct journal *journal, struct journal_fault *out_fault)
{
    journal->lock_fd = openat(journal->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (journal->lock_fd < 0)
        return fault_system(journal, journal_full(errno) ? STATUS_FULL : STATUS_IO, "the lock",
                            out_fault);
    while (flock(journal->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return journal_fault(STATUS_DENIED, out_fault,
                                 "%s: another process writes this journal", journal->name);
        return fault_system(journal, STATUS_IO, "the lock", out_fault);
    }
    return STATUS_OK;
}

// Reads the watermark; makes one where there is none yet. `fresh`: there are no segments, so that a
// file without a readable record is one whose making was interrupted.
static enum status
open_mark(struct journal *journal, bool fresh, struct journal_fault *out_fault)
{
    enum status status = journal_durable_open(journal->directory, true, &journal->durable_fd);
    if (status == STATUS_OK) {
        status = journal_durable_read(journal->durable_fd, &journal->mark);
        if (status == STATUS_DAMAGED && !fresh)
            return journal_fault(
                status, out_fault,
                "%s/durable: no readable record; with the file removed, the frames alone decide",
                journal->name);
        if (status != STATUS_DAMAGED) goto done;
        close(journal->durable_fd);
        journal->durable_fd = -1;
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_NOT_FOUND) {
        journal->mark = (struct journal_mark){0};
        status = journal_durable_create(journal->directory, &journal->durable_fd);
    }
done:
    return status == STATUS_OK ? STATUS_OK
                               : fault_system(journal, status, "the watermark", out_fault);
}

static enum status
publish(struct journal *journal)
{
    if (journal->mark.log != 0 && journal->mark.batch == journal->end.batch) return STATUS_OK;
    struct journal_mark mark = {journal->end.batch, journal->end.digest, journal->end.log,
                                !journal->mark.slot};
    if (journal_durable_write(journal->durable_fd, &mark) != STATUS_OK) return poison(journal);
    journal->mark = mark;
    return STATUS_OK;
}

// Makes the prepared segment the current one (W4). The journal is synced when this is called.
static enum status
enter_segment(struct journal *journal, uint64_t number)
{
    enum status status = journal_next_complete(&journal->next, journal->directory, number,
                                               journal->options.segment_bytes);
    if (status == STATUS_OK && journal->segment.fd >= 0) status = journal_sync(journal);
    if (status != STATUS_OK) return status == STATUS_FULL ? status : poison(journal);
    struct journal_segment_head head = {
        .log = journal->end.log,
        .epoch = journal->end.epoch,
        .number = number,
        .first = journal->end.batch + 1,
        .bytes = journal->options.segment_bytes,
        .previous = journal->end.digest,
    };
    journal_segment_head_build(&head);
    int fd;
    status = journal_next_show(&journal->next, journal->directory, &head, &fd);
    if (status != STATUS_OK) return status == STATUS_FULL ? status : poison(journal);
    journal_segment_close(&journal->segment);
    journal->segment = (struct journal_segment){.fd = fd, .head = head, .size = head.bytes};
    journal->offset = JOURNAL_BLOCK;
    return STATUS_OK;
}

static enum status
recover_last(struct journal *journal, uint64_t last, struct journal_fault *out_fault)
{
    char name[JOURNAL_NAME];
    journal_segment_name(last, name);
    enum status status = journal_segment_open(journal->directory, last, true, &journal->segment);
    if (status == STATUS_DAMAGED || status == STATUS_VERSION)
        return journal_fault(status, out_fault, "%s/%s, offset 0: header %s", journal->name, name,
                             status == STATUS_DAMAGED ? "is damaged"
                                                      : "of a later version; use that version");
    if (status != STATUS_OK) return fault_system(journal, status, name, out_fault);
    const struct journal_segment_head *head = &journal->segment.head;
    if (head->log != journal->options.log || head->epoch != journal->options.epoch)
        return journal_fault(
            STATUS_CONFLICT, out_fault, "%s: is log %u, epoch %u; log %u, epoch %u was asked for",
            journal->name, head->log, head->epoch, journal->options.log, journal->options.epoch);
    if (journal->mark.log != 0 && journal->mark.log != head->log)
        return journal_fault(STATUS_DAMAGED, out_fault,
                             "%s/durable: is of log %u, the segments are of log %u", journal->name,
                             journal->mark.log, head->log);
    struct journal_recovery recovery = {journal->name, &journal->mark};
    return journal_recover(&recovery, &journal->segment, &journal->end, &journal->offset,
                           out_fault);
}

static enum status
recover(struct journal *journal, struct journal_fault *out_fault)
{
    uint64_t first = 0, last = 0;
    enum status status = journal_segment_list(journal->directory, &first, &last);
    if (status == STATUS_GAP)
        return journal_fault(STATUS_DAMAGED, out_fault,
                             "%s: a segment between %08llu and %08llu is missing", journal->name,
                             (unsigned long long)first, (unsigned long long)last);
    if (status == STATUS_OK) status = journal_next_sweep(journal->directory);
    if (status != STATUS_OK) return fault_system(journal, status, "its segments", out_fault);
    status = open_mark(journal, first == 0, out_fault);
    if (status != STATUS_OK) return status;
    if (first == 0) {
        if (journal->mark.batch > 0)
            return journal_fault(STATUS_DAMAGED, out_fault,
                                 "%s: batch %llu was durable, and no segment is left",
                                 journal->name, (unsigned long long)journal->mark.batch);
        status = enter_segment(journal, 1);
        if (status != STATUS_OK)
            return fault_system(journal, status, "the first segment", out_fault);
    } else {
        status = recover_last(journal, last, out_fault);
        if (status != STATUS_OK) return status;
    }
    status = publish(journal);
    return status == STATUS_OK ? STATUS_OK
                               : fault_system(journal, status, "the watermark", out_fault);
}

static enum status
verify_all(const struct journal *journal, struct journal_fault *out_fault)
{
    struct journal_reader *reader;
    enum status status = journal_reader_open(journal->name, NULL, &reader, out_fault);
    while (status == STATUS_OK) {
        struct journal_frame frame;
        status = journal_read(reader, &frame, out_fault);
    }
    journal_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status
journal_open(const char *directory, const struct journal_options *options,
             struct journal **out_journal, struct journal_fault *out_fault)
{
    *out_journal = NULL;
    if (strlen(directory) >= sizeof((struct journal *)0)->name || options->log == 0 ||
        options->epoch == 0 || options->segment_bytes < JOURNAL_SEGMENT_UNIT ||
        options->segment_bytes % JOURNAL_SEGMENT_UNIT != 0)
        return journal_fault(STATUS_INPUT, out_fault,
                             "%s: log and epoch begin at 1, a segment is a multiple of 1 MiB",
                             directory);
    struct journal *journal = calloc(1, sizeof *journal);
    CHECK(journal != NULL);
    strcpy(journal->name, directory);
    journal->options = *options;
    journal->directory = journal->lock_fd = journal->durable_fd = -1;
    journal->segment.fd = journal->next.fd = -1;
    journal->end = (struct journal_position){.log = options->log, .epoch = options->epoch};
    enum status status = open_directory(journal, out_fault);
    if (status == STATUS_OK) status = take_lock(journal, out_fault);
    if (status == STATUS_OK) status = recover(journal, out_fault);
    if (status == STATUS_OK && options->verify_all) status = verify_all(journal, out_fault);
    if (status == STATUS_OK) *out_journal = journal;
    else journal_close(journal);
    return status;
}

void
journal_close(struct journal *journal)
{
    if (journal == NULL) return;
    journal_next_close(&journal->next, journal->directory);
    journal_segment_close(&journal->segment);
    if (journal->durable_fd >= 0) close(journal->durable_fd);
    if (journal->lock_fd >= 0) close(journal->lock_fd);
    if (journal->directory >= 0) close(journal->directory);
    free(journal);
}

struct journal_position
journal_end(const struct journal *journal)
{
    return journal->end;
}

// --- Writing -------------------------------------------------------------------------------------

// Writes head and facts in one go. STATUS_FULL only when not a byte was written.
static enum status
write_frame(struct journal *journal, const struct journal_frame_head *head,
            const struct fact *facts)
{
    struct iovec pieces[2] = {{(void *)(uintptr_t)head, sizeof *head},
                              {(void *)(uintptr_t)facts, head->length}};
    size_t len = sizeof *head + head->length;
    ssize_t n;
    do {
        n = pwritev(journal->segment.fd, pieces, 2, (off_t)journal->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && journal_full(errno)) return STATUS_FULL;
    if (n < 0) return poison(journal);
    for (size_t done = (size_t)n; done < len;) {  // a signal can cut a long write short
        const uint8_t *from = done < sizeof *head ? (const uint8_t *)head + done
                                                  : (const uint8_t *)facts + (done - sizeof *head);
        size_t left = done < sizeof *head ? sizeof *head - done : len - done;
        if (journal_write_all(journal->segment.fd, from, left, journal->offset + done) != STATUS_OK)
            return poison(journal);
        done += left;
    }
    return STATUS_OK;
}

enum status
journal_append(struct journal *journal, const struct fact *facts, uint32_t count, usec at,
               struct journal_position *out_position)
{
    CHECK(count >= 1 && count <= BOUND_FRAME_FACTS);
    if (journal->poisoned) return STATUS_IO;
    size_t len = sizeof(struct journal_frame_head) + (size_t)count * BOUND_FACT_BYTES;
    if (journal->offset + len > journal->segment.head.bytes) {
        enum status status = enter_segment(journal, journal->segment.head.number + 1);
        if (status != STATUS_OK) return status;
    }
    struct journal_frame_head head;
    journal_frame_build(&journal->end, journal->mark.batch, facts, count, at, &head);
    enum status status = write_frame(journal, &head, facts);
    if (status != STATUS_OK) return status;
    journal->offset += len;
    journal->end = journal_frame_position(&head);
    *out_position = journal->end;
    return STATUS_OK;
}

enum status
journal_sync(struct journal *journal)
{
    if (journal->poisoned) return STATUS_IO;
    if (journal->end.batch == journal->mark.batch) return STATUS_OK;
    if (fdatasync(journal->segment.fd) != 0) return poison(journal);
    return publish(journal);
}

size_t
journal_prepare(struct journal *journal)
{
    if (journal->poisoned || journal->next.synced) return 0;
    uint64_t wanted = journal->offset / PREPARE_BEHIND * PREPARE_AHEAD,
             written = journal->next.written;
    if (wanted > journal->options.segment_bytes) wanted = journal->options.segment_bytes;
    if (wanted < written + PREPARE_STEP && wanted < journal->options.segment_bytes) return 0;
    size_t done = 0;
    enum status status = journal_next_step(&journal->next, journal->directory,
                                           journal->segment.head.number + 1,
                                           journal->options.segment_bytes, PREPARE_STEP, &done);
    // No room is said when the room is needed: by the append that changes segments.
    if (status != STATUS_OK && status != STATUS_FULL) poison(journal);
    return done;
}
