// The reader: from a position on, frame by frame, over segments, never beyond the durable batch.
//
// 1  A frame is read only when its batch is <= the watermark. Such bytes are final; what the window
//    holds from before the watermark passed them is read again.
// 2  Each frame is judged by its digest, then by the reader's rule: batch = last + 1, previous =
//    digest of last. The last frame once more, byte for byte, is a duplicate and skipped.
// 3  Where no whole frame stands, the next segment decides: if it begins with the batch wanted and
//    bears the digest of the last frame, this segment is read to its end (what stands there is of
//    no account); otherwise the place is damaged.
// 4  A start position is found by the segments' headers (first batch) and then by hopping over
//    frame heads; the frame it names must bear the position's digest.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "journal_inside.h"

struct journal_reader {
    char name[512];  // directory, for faults
    int directory, durable_fd;
    struct journal_segment segment;  // fd -1 until there is one
    uint64_t offset;
    struct journal_position last;
    uint64_t durable;         // as last seen
    uint64_t window_durable;  // what was durable when the window was filled
};

static enum status
fault_at(const struct journal_reader *reader, enum status status, struct journal_fault *out_fault,
         const char *what)
{
    char name[JOURNAL_NAME] = "";
    if (reader->segment.fd >= 0) journal_segment_name(reader->segment.head.number, name);
    return journal_fault(status, out_fault, "%s/%s, offset %llu: %s (after batch %llu)",
                         reader->name, name, (unsigned long long)reader->offset, what,
                         (unsigned long long)reader->last.batch);
}

static enum status
open_segment(const struct journal_reader *reader, uint64_t number,
             struct journal_segment *out_segment, struct journal_fault *out_fault)
{
    char name[JOURNAL_NAME];
    journal_segment_name(number, name);
    enum status status = journal_segment_open(reader->directory, number, false, out_segment);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) return status;
    const char *what = status == STATUS_DAMAGED   ? "header is damaged"
                       : status == STATUS_VERSION ? "written by a later version; use that version"
                                                  : strerror(errno);
    return journal_fault(status, out_fault, "%s/%s, offset 0: %s", reader->name, name, what);
}

// The segment that holds `batch` or would hold it: the last one whose first batch is not above it.
static enum status
find_segment(struct journal_reader *reader, uint64_t first, uint64_t last, uint64_t batch,
             struct journal_fault *out_fault)
{
    while (first < last) {
        uint64_t middle = first + (last - first + 1) / 2;
        struct journal_segment segment;
        enum status status = open_segment(reader, middle, &segment, out_fault);
        if (status != STATUS_OK) return status;
        if (segment.head.first <= batch) first = middle;
        else last = middle - 1;
        journal_segment_close(&segment);
    }
    enum status status = open_segment(reader, first, &reader->segment, out_fault);
    if (status == STATUS_OK && reader->segment.head.first > batch)
        return journal_fault(
            STATUS_GAP, out_fault, "%s: begins with batch %llu, batch %llu is wanted", reader->name,
            (unsigned long long)reader->segment.head.first, (unsigned long long)batch);
    return status;
}

// Is there a durable frame after the last one? STATUS_AGAIN when not.
static enum status
look(struct journal_reader *reader, struct journal_fault *out_fault)
{
    if (reader->last.batch < reader->durable) return STATUS_OK;
    enum status status = STATUS_OK;
    if (reader->durable_fd < 0)
        status = journal_durable_open(reader->directory, false, &reader->durable_fd);
    if (status == STATUS_NOT_FOUND) return STATUS_AGAIN;
    struct journal_mark mark = {0};
    if (status == STATUS_OK) status = journal_durable_read(reader->durable_fd, &mark);
    if (status != STATUS_OK)
        return journal_fault(status, out_fault, "%s/durable: cannot be read", reader->name);
    if (mark.batch > reader->durable) reader->durable = mark.batch;
    if (reader->last.batch < reader->durable) return STATUS_OK;
    // The file can have been removed for a recovery by the frames alone; the new one is another.
    struct stat stat;
    if (fstat(reader->durable_fd, &stat) == 0 && stat.st_nlink == 0) {
        close(reader->durable_fd);
        reader->durable_fd = -1;
    }
    return STATUS_AGAIN;
}

// Hops to the frame `from` names, inside the segment found for it.
static enum status
seek(struct journal_reader *reader, const struct journal_position *from,
     struct journal_fault *out_fault)
{
    const struct journal_segment_head *head = &reader->segment.head;
    if (from->log != head->log)
        return journal_fault(STATUS_FORK, out_fault, "%s: is log %u, the position is of log %u",
                             reader->name, head->log, from->log);
    enum status status = look(reader, out_fault);
    if (status != STATUS_OK && status != STATUS_AGAIN) return status;
    uint64_t batch = head->first - 1;
    struct digest digest = head->previous;
    reader->offset = JOURNAL_BLOCK;
    while (batch < from->batch) {
        const uint8_t *bytes;
        size_t available;
        struct journal_frame_head frame;
        status = journal_segment_bytes(&reader->segment, reader->offset, sizeof frame, true, &bytes,
                                       &available);
        if (status != STATUS_OK) return fault_at(reader, status, out_fault, strerror(errno));
        size_t claim = journal_frame_claim(bytes, available);
        if (claim == 0 && batch < reader->durable)
            return fault_at(reader, STATUS_DAMAGED, out_fault,
                            "no whole frame where a durable one was: damaged");
        if (claim == 0)
            return journal_fault(
                STATUS_GAP, out_fault, "%s: ends with batch %llu before the position's batch %llu",
                reader->name, (unsigned long long)batch, (unsigned long long)from->batch);
        memcpy(&frame, bytes, sizeof frame);
        if (frame.batch != batch + 1 || !digest_same(frame.previous, digest))
            return fault_at(reader, STATUS_DAMAGED, out_fault, "chain is broken: damaged");
        batch = frame.batch;
        digest = frame.digest;
        reader->offset += claim;
    }
    if (!digest_same(digest, from->digest))
        return fault_at(reader, STATUS_FORK, out_fault,
                        "batch of the position has another digest: fork");
    reader->last = *from;
    journal_segment_forget(&reader->segment);
    return STATUS_OK;
}

// Finds the place to read on. STATUS_AGAIN: there is no segment yet.
static enum status
locate(struct journal_reader *reader, struct journal_fault *out_fault)
{
    uint64_t first = 0, last = 0;
    enum status status = journal_segment_list(reader->directory, &first, &last);
    if (status == STATUS_GAP)
        return journal_fault(status, out_fault,
                             "%s: a segment between %08llu and %08llu is missing", reader->name,
                             (unsigned long long)first, (unsigned long long)last);
    if (status != STATUS_OK)
        return journal_fault(status, out_fault, "%s: %s", reader->name, strerror(errno));
    const struct journal_position from = reader->last;
    if (first == 0 && from.batch == 0) return STATUS_AGAIN;
    if (first == 0)
        return journal_fault(STATUS_GAP, out_fault, "%s: is empty, the position is batch %llu",
                             reader->name, (unsigned long long)from.batch);
    status = find_segment(reader, first, last, from.batch + 1, out_fault);
    if (status != STATUS_OK) return status;
    const struct journal_segment_head *head = &reader->segment.head;
    if (from.batch > 0) return seek(reader, &from, out_fault);
    if (from.log != 0 && from.log != head->log)
        return journal_fault(STATUS_FORK, out_fault, "%s: is log %u, the position is of log %u",
                             reader->name, head->log, from.log);
    reader->last = (struct journal_position){.log = head->log, .epoch = head->epoch};
    reader->offset = JOURNAL_BLOCK;
    return STATUS_OK;
}

enum status
journal_reader_open(const char *directory, const struct journal_position *from,
                    struct journal_reader **out_reader, struct journal_fault *out_fault)
{
    *out_reader = NULL;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return journal_fault(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, out_fault, "%s: %s",
                             directory, strerror(errno));
    struct journal_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader != NULL);
    strncpy(reader->name, directory, sizeof reader->name - 1);
    reader->directory = fd;
    reader->durable_fd = -1;
    reader->segment.fd = -1;
    if (from != NULL) reader->last = *from;
    enum status status = locate(reader, out_fault);
    if (status == STATUS_AGAIN) status = STATUS_OK;
    if (status == STATUS_OK) *out_reader = reader;
    else journal_reader_close(reader);
    return status;
}

void
journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL) return;
    journal_segment_close(&reader->segment);
    if (reader->durable_fd >= 0) close(reader->durable_fd);
    close(reader->directory);
    free(reader);
}

// Rule 3: where no whole frame stands.
static enum status
turn(struct journal_reader *reader, struct journal_fault *out_fault)
{
    struct journal_segment next;
    enum status status = open_segment(reader, reader->segment.head.number + 1, &next, out_fault);
    if (status == STATUS_NOT_FOUND)
        return fault_at(reader, STATUS_DAMAGED, out_fault,
                        "no whole frame where a durable one was: damaged");
    if (status != STATUS_OK) return status;
    const struct journal_segment_head *head = &next.head;
    if (head->first != reader->last.batch + 1)
        status = fault_at(reader, STATUS_DAMAGED, out_fault,
                          "no whole frame here, and the next segment begins later: damaged");
    else if (head->log != reader->last.log || head->epoch != reader->last.epoch ||
             !digest_same(head->previous, reader->last.digest))
        status = fault_at(reader, STATUS_FORK, out_fault,
                          "the next segment does not continue this one: fork");
    if (status != STATUS_OK) {
        journal_segment_close(&next);
        return status;
    }
    journal_segment_close(&reader->segment);
    reader->segment = next;
    reader->offset = JOURNAL_BLOCK;
    return STATUS_OK;
}

static enum status
explain(const struct journal_reader *reader, enum status status, struct journal_fault *out_fault)
{
    const char *what = status == STATUS_GAP    ? "frames are missing: gap"
                       : status == STATUS_FORK ? "frame does not continue the last one: fork"
                                               : "a whole frame that does not belong here: damaged";
    return fault_at(reader, status, out_fault, what);
}

enum status
journal_read(struct journal_reader *reader, struct journal_frame *out_frame,
             struct journal_fault *out_fault)
{
    enum status status = look(reader, out_fault);
    if (status == STATUS_OK && reader->segment.fd < 0) status = locate(reader, out_fault);
    if (status != STATUS_OK) return status;
    // At the tip single frames come; far behind, a window at a time.
    bool ahead = reader->durable - reader->last.batch > 4;
    for (;;) {
        if (reader->last.batch >= reader->window_durable) {
            journal_segment_forget(&reader->segment);
            reader->window_durable = reader->durable;
        }
        enum journal_shape shape;
        struct journal_frame_head head;
        const struct fact *facts;
        status = journal_segment_frame(&reader->segment, reader->offset, ahead, &shape, &head,
                                       &facts);
        if (status != STATUS_OK) return fault_at(reader, status, out_fault, strerror(errno));
        if (shape == JOURNAL_SHAPE_UNKNOWN)
            return fault_at(reader, STATUS_VERSION, out_fault,
                            "frame of a later version; use that version");
        if (shape == JOURNAL_SHAPE_BROKEN) {
            status = turn(reader, out_fault);
            if (status != STATUS_OK) return status;
            continue;
        }
        status = journal_frame_follows(&reader->last, &head);
        if (status != STATUS_OK && status != STATUS_EXISTS)
            return explain(reader, status, out_fault);
        reader->offset += sizeof head + head.length;
        if (status == STATUS_EXISTS) continue;
        reader->last = journal_frame_position(&head);
        *out_frame = (struct journal_frame){
            reader->last, head.previous, {head.at_us}, facts, head.count};
        return STATUS_OK;
    }
}
