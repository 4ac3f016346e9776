// The journal's own files among themselves: the shapes on disk and the parts the writer and the
// reader share. journal.c's head comment is the specification; field offsets are written there once
// more.
#ifndef VENDUE_JOURNAL_INSIDE_H
#define VENDUE_JOURNAL_INSIDE_H

#include <dirent.h>
#include <stdbool.h>

#include "journal.h"

#define JOURNAL_VERSION 1u
#define JOURNAL_BLOCK 4096u                   // header block of a segment; the first frame follows
#define JOURNAL_GRID 128u                     // frames begin at multiples of it
#define JOURNAL_SEGMENT_UNIT (1024u * 1024u)  // segment sizes are multiples of it
#define JOURNAL_NAME 32                       // "00000001.segment"

enum journal_kind { JOURNAL_DATA = 1, JOURNAL_BARRIER = 2 };

struct journal_frame_head {
    uint8_t magic[8];
    uint32_t version;
    uint16_t kind, reserved;
    uint32_t log, epoch;
    uint64_t batch;
    uint64_t durable;
    int64_t at_us;
    uint32_t count, length;
    uint64_t reserved2;
    struct digest previous;
    struct digest digest;
};
struct journal_segment_head {
    uint8_t magic[8];
    uint32_t version, block;
    uint32_t log, epoch;
    uint64_t number;
    uint64_t first;          // batch of the first frame
    uint64_t bytes;          // of the whole segment
    struct digest previous;  // of the frame before the first; zero when there is none
    struct digest digest;
    uint8_t reserved[JOURNAL_BLOCK - 112];
};
struct journal_mark_record {
    uint8_t magic[8];
    uint32_t version, log;
    uint64_t batch;
    uint64_t reserved;
    struct digest frame;  // digest of that batch's frame
    struct digest digest;
};
#define JOURNAL_MARK_STEP 512u  // from the first record to the second: another sector
#define JOURNAL_MARK_BYTES 4096u

_Static_assert(sizeof(struct journal_frame_head) == JOURNAL_GRID,
               "a frame's head is one grid step");
_Static_assert(BOUND_FACT_BYTES % JOURNAL_GRID == 0, "so frames need no padding");
_Static_assert(sizeof(struct journal_segment_head) == JOURNAL_BLOCK,
               "a segment's head is one block");
_Static_assert(sizeof(struct journal_mark_record) == 96, "a record stays within its sector");
_Static_assert(sizeof(struct journal_frame_head) + BOUND_FRAME_FACTS * BOUND_FACT_BYTES <=
                   BOUND_FRAME_BYTES,
               "the largest frame is within the bound of a frame");
_Static_assert(JOURNAL_BLOCK + BOUND_FRAME_BYTES <= JOURNAL_SEGMENT_UNIT,
               "any frame fits the smallest segment");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the format is the memory of a little-endian machine");

// --- journal_frame.c: one frame as bytes --------------------------------------------------------
enum journal_shape {
    JOURNAL_SHAPE_BROKEN,  // no frame, or not all of one
    JOURNAL_SHAPE_WHOLE,
    JOURNAL_SHAPE_UNKNOWN,  // its digest is right, but this version cannot read it
};
// Sets every field of the head; `digest` covers head and facts.
void
journal_frame_build(const struct journal_position *end, uint64_t durable, const struct fact *facts,
                    uint32_t count, usec at, struct journal_frame_head *out_head);
// Judges the bytes at a place where a frame may begin. `out_head` is filled when not broken.
enum journal_shape
journal_frame_judge(const uint8_t *bytes, size_t available, struct journal_frame_head *out_head);
// Bytes of the frame that this head claims to open; 0 when it cannot be a head.
size_t journal_frame_claim(const uint8_t *bytes, size_t available);
struct journal_position journal_frame_position(const struct journal_frame_head *head);
// The reader's rule for a whole frame after `last`. STATUS_EXISTS: `last` itself again.
enum status
journal_frame_follows(const struct journal_position *last, const struct journal_frame_head *head);

// --- journal_segment.c: one segment file --------------------------------------------------------
struct journal_segment {
    int fd;  // -1: none
    struct journal_segment_head head;
    uint64_t size;    // of the file, when opened
    uint8_t *buffer;  // window of the file, BOUND_FRAME_BYTES
    uint64_t window;  // its offset in the file
    size_t filled;
};
// Fills in what is the same in every header, and the digest.
void journal_segment_head_build(struct journal_segment_head *head);
void journal_segment_name(uint64_t number, char out[JOURNAL_NAME]);
// The directory's entries, read anew; NULL: errno.
DIR *journal_segment_stream(int directory);
// Lowest and highest number; both 0 when there are no segments. STATUS_GAP: one between them is
// missing.
MUST_CHECK enum status journal_segment_list(int directory, uint64_t *out_first, uint64_t *out_last);
// Opens and checks the header block. STATUS_NOT_FOUND, STATUS_DAMAGED, STATUS_VERSION, STATUS_IO.
MUST_CHECK enum status journal_segment_open(int directory, uint64_t number, bool write,
                                            struct journal_segment *out_segment);
void journal_segment_close(struct journal_segment *segment);
// Bytes of the file from `offset`: at least `want`, unless the file ends before (`out_available`
// says). Stays valid until the next call. `ahead`: read on as far as the window holds.
MUST_CHECK enum status
journal_segment_bytes(struct journal_segment *segment, uint64_t offset, size_t want, bool ahead,
                      const uint8_t **out_bytes, size_t *out_available);
void journal_segment_forget(struct journal_segment *segment);  // what was read may have changed
// The frame that begins at `offset`; `out_facts` points into the window.
MUST_CHECK enum status
journal_segment_frame(struct journal_segment *segment, uint64_t offset, bool ahead,
                      enum journal_shape *out_shape, struct journal_frame_head *out_head,
                      const struct fact **out_facts);

// --- journal_next.c: the segment being prepared -------------------------------------------------
struct journal_next {
    int fd;  // -1: not begun
    uint64_t number, bytes;
    uint64_t written;  // zeros written so far
    bool synced;       // all written and on the disk
};
// One step: at most `step` more bytes. STATUS_FULL: no room; nothing is lost, try again later.
MUST_CHECK enum status journal_next_step(struct journal_next *next, int directory, uint64_t number,
                                         uint64_t bytes, size_t step, size_t *out_done);
// All steps that are left.
MUST_CHECK enum status
journal_next_complete(struct journal_next *next, int directory, uint64_t number, uint64_t bytes);
// Writes the header and makes the segment visible under its name; gives its descriptor away.
// STATUS_FULL: nothing has become visible.
MUST_CHECK enum status journal_next_show(struct journal_next *next, int directory,
                                         const struct journal_segment_head *head, int *out_fd);
// Also removes the unfinished file.
void journal_next_close(struct journal_next *next, int directory);
// Removes what a crash left.
MUST_CHECK enum status journal_next_sweep(int directory);

// --- journal_durable.c: the watermark -----------------------------------------------------------
struct journal_mark {
    uint64_t batch;
    struct digest digest;  // of that frame
    uint32_t log;          // 0: nothing published yet
    unsigned slot;         // record it was found in
};
// STATUS_NOT_FOUND: no such file. STATUS_DAMAGED: no readable record.
MUST_CHECK enum status journal_durable_read(int fd, struct journal_mark *out_mark);
MUST_CHECK enum status journal_durable_create(int directory, int *out_fd);
MUST_CHECK enum status journal_durable_write(int fd, const struct journal_mark *mark);
MUST_CHECK enum status journal_durable_open(int directory, bool write, int *out_fd);

// --- journal_recover.c: what is true after a crash ----------------------------------------------
struct journal_recovery {
    const char *name;                 // of the directory, for faults
    const struct journal_mark *mark;  // batch 0 when there is none: the frames alone tell
};
// Verifies the last segment (open for writing), cuts its torn tail. Sets the last frame and where
// the next one goes. Nothing is published.
MUST_CHECK enum status
journal_recover(const struct journal_recovery *recovery, struct journal_segment *segment,
                struct journal_position *out_end, uint64_t *out_offset,
                struct journal_fault *out_fault);

// Writes the text of a fault (NULL is allowed) and returns `status`.
enum status journal_fault(enum status status, struct journal_fault *out_fault, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));
bool journal_full(int error);  // errno values that mean "no room"
MUST_CHECK enum status journal_write_all(int fd, const void *bytes, size_t len, uint64_t offset);

#endif
