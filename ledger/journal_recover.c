// What is true after a crash: walks the last segment, tells a torn tail from damage, cuts the one
// and refuses the other. The rules are numbered in journal.c (R1 to R5).
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "journal_inside.h"

struct walk {
    const struct journal_recovery *recovery;
    struct journal_segment *segment;
    struct journal_position end;  // last frame that follows
    uint64_t offset;              // of what comes after it
    struct journal_fault *fault;
};

static enum status
refuse(const struct walk *walk, enum status status, uint64_t offset, const char *what)
{
    char name[JOURNAL_NAME];
    journal_segment_name(walk->segment->head.number, name);
    return journal_fault(status, walk->fault, "%s/%s, offset %llu: %s", walk->recovery->name, name,
                         (unsigned long long)offset, what);
}

// Does the watermark name this very frame?
static bool
marked_right(const struct walk *walk)
{
    const struct journal_mark *mark = walk->recovery->mark;
    return mark->batch != walk->end.batch || mark->batch == 0 ||
           digest_same(mark->digest, walk->end.digest);
}

// Follows the chain up to the first place that is no whole frame.
static enum status
walk_frames(struct walk *walk)
{
    if (!marked_right(walk))
        return refuse(walk, STATUS_DAMAGED, 0, "is not the segment that was durable: damaged");
    for (;;) {
        enum journal_shape shape;
        struct journal_frame_head head;
        const struct fact *facts;
        enum status status = journal_segment_frame(walk->segment, walk->offset, true, &shape, &head,
                                                   &facts);
        if (status != STATUS_OK) return refuse(walk, status, walk->offset, strerror(errno));
        switch (shape) {
        case JOURNAL_SHAPE_BROKEN: return STATUS_OK;
        case JOURNAL_SHAPE_UNKNOWN:
            return refuse(walk, STATUS_VERSION, walk->offset,
                          "frame of a later version; use that version");
        case JOURNAL_SHAPE_WHOLE: break;
        }
        if (journal_frame_follows(&walk->end, &head) != STATUS_OK)
            return refuse(walk, STATUS_DAMAGED, walk->offset,
                          "a whole frame that does not belong here: damaged");
        walk->end = journal_frame_position(&head);
        if (!marked_right(walk))
            return refuse(walk, STATUS_DAMAGED, walk->offset,
                          "frame is not the one that was durable: damaged");
        walk->offset += sizeof head + head.length;
    }
}

// Rule R4 for one whole frame after the bad place: may a torn group of unsynced frames have left
// it?
static bool
may_be_torn(const struct walk *walk, const struct journal_frame_head *head)
{
    return head->log == walk->end.log && head->epoch == walk->end.epoch &&
           head->batch > walk->end.batch + 1 && head->durable <= walk->end.batch;
}

// Looks through the rest of the segment: whole frames that speak against a torn tail, and the last
// byte that is not zero (`out_used` is one past it).
static enum status
examine_tail(struct walk *walk, uint64_t *out_used)
{
    static const uint8_t zeros[JOURNAL_GRID];
    *out_used = walk->offset;
    for (uint64_t offset = walk->offset;; offset += JOURNAL_GRID) {
        const uint8_t *bytes;
        size_t available;
        enum status status = journal_segment_bytes(walk->segment, offset, JOURNAL_GRID, true,
                                                   &bytes, &available);
        if (status != STATUS_OK) return refuse(walk, status, offset, strerror(errno));
        if (available == 0) return STATUS_OK;
        size_t len = available < JOURNAL_GRID ? available : JOURNAL_GRID;
        if (memcmp(bytes, zeros, len) == 0) continue;
        *out_used = offset + len;
        if (journal_frame_claim(bytes, available) == 0) continue;
        enum journal_shape shape;
        struct journal_frame_head head;
        const struct fact *facts;
        status = journal_segment_frame(walk->segment, offset, true, &shape, &head, &facts);
        if (status != STATUS_OK) return refuse(walk, status, offset, strerror(errno));
        if (shape == JOURNAL_SHAPE_BROKEN) continue;
        if (!may_be_torn(walk, &head))
            return refuse(walk, STATUS_DAMAGED, walk->offset,
                          "no whole frame here, but one after it: damaged");
    }
}

// Zeros over the torn tail, and the file at its full length again.
static enum status
cut(struct walk *walk, uint64_t used)
{
    static const uint8_t zeros[64 * 1024];
    uint64_t bytes = walk->segment->head.bytes, size = walk->segment->size;
    uint64_t offset = walk->offset;
    uint64_t until = size < bytes ? bytes : used;
    enum status status = STATUS_OK;
    while (offset < until && status == STATUS_OK) {
        size_t len = until - offset < sizeof zeros ? (size_t)(until - offset) : sizeof zeros;
        status = journal_write_all(walk->segment->fd, zeros, len, offset);
        offset += len;
    }
    if (status != STATUS_OK) return refuse(walk, status, offset, strerror(errno));
    journal_segment_forget(walk->segment);
    return STATUS_OK;
}

enum status
journal_recover(const struct journal_recovery *recovery, struct journal_segment *segment,
                struct journal_position *out_end, uint64_t *out_offset,
                struct journal_fault *out_fault)
{
    const struct journal_segment_head *head = &segment->head;
    struct walk walk = {
        .recovery = recovery,
        .segment = segment,
        .end = {head->log, head->epoch, head->first - 1, head->previous},
        .offset = JOURNAL_BLOCK,
        .fault = out_fault,
    };
    enum status status = walk_frames(&walk);
    if (status != STATUS_OK) return status;
    if (recovery->mark->batch > walk.end.batch) {
        char what[160];
        snprintf(what, sizeof what,
                 "batch %llu was durable, and the last whole one is %llu: damaged",
                 (unsigned long long)recovery->mark->batch, (unsigned long long)walk.end.batch);
        return refuse(&walk, STATUS_DAMAGED, walk.offset, what);
    }
    uint64_t used;
    status = examine_tail(&walk, &used);
    if (status != STATUS_OK) return status;
    if (used > walk.offset || segment->size < head->bytes) status = cut(&walk, used);
    if (status != STATUS_OK) return status;
    // What is whole may still be in memory only, of a process that was killed.
    if (fsync(segment->fd) != 0) return refuse(&walk, STATUS_IO, walk.offset, strerror(errno));
    *out_end = walk.end;
    *out_offset = walk.offset;
    return STATUS_OK;
}
