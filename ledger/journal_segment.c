// One segment file: its name, its header block, a read window on it. Format: journal.c.
//
// Files are read with pread, never mapped: a file that somebody cuts short is then an error with a
// place, not a signal.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "journal_inside.h"

static const char segment_suffix[] = ".segment";
static const uint8_t segment_magic[8] = {'V', 'N', 'D', 'S', 'E', 'G', 'M', 'T'};

enum status
journal_fault(enum status status, struct journal_fault *out_fault, const char *format, ...)
{
    if (out_fault != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(out_fault->text, sizeof out_fault->text, format, arguments);
        va_end(arguments);
    }
    return status;
}

bool
journal_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

enum status
journal_write_all(int fd, const void *bytes, size_t len, uint64_t offset)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        ssize_t n = pwrite(fd, from, len, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return journal_full(errno) ? STATUS_FULL : STATUS_IO;
        from += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return STATUS_OK;
}

void
journal_segment_name(uint64_t number, char out[JOURNAL_NAME])
{
    snprintf(out, JOURNAL_NAME, "%08llu%s", (unsigned long long)number, segment_suffix);
}

// The number in a segment's name; 0 when it is no such name.
static uint64_t
number_of(const char *name)
{
    char *end;
    if (name[0] < '0' || name[0] > '9') return 0;
    errno = 0;
    unsigned long long number = strtoull(name, &end, 10);
    if (errno != 0 || number == 0) return 0;
    char again[JOURNAL_NAME];
    journal_segment_name(number, again);
    return strcmp(name, again) == 0 ? number : 0;
}

DIR *
journal_segment_stream(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return NULL;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) close(fd);
    return stream;
}

enum status
journal_segment_list(int directory, uint64_t *out_first, uint64_t *out_last)
{
    enum status status = STATUS_IO;
    uint64_t first = 0, last = 0, count = 0;
    DIR *stream = journal_segment_stream(directory);
    if (stream == NULL) goto done;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL; errno = 0) {
        uint64_t number = number_of(entry->d_name);
        if (number == 0) continue;
        if (first == 0 || number < first) first = number;
        if (number > last) last = number;
        count++;
    }
    if (errno != 0) goto done;
    *out_first = first;
    *out_last = last;
    // A segment that appears while the directory is read is the newest one and leaves no hole.
    status = count == 0 || last - first + 1 == count ? STATUS_OK : STATUS_GAP;
done:
    if (stream != NULL) closedir(stream);
    return status;
}

static struct digest
head_digest(const struct journal_segment_head *head)
{
    const struct hash_piece pieces[2] = {
        {head, offsetof(struct journal_segment_head, digest)},
        {head->reserved, sizeof head->reserved},
    };
    return hash_sha256_pieces(pieces, 2);
}

static enum status
check_head(const struct journal_segment_head *head, uint64_t number)
{
    if (memcmp(head->magic, segment_magic, sizeof segment_magic) != 0) return STATUS_DAMAGED;
    if (!digest_same(head_digest(head), head->digest)) return STATUS_DAMAGED;
    if (head->version != JOURNAL_VERSION || head->block != JOURNAL_BLOCK) return STATUS_VERSION;
    bool sane = head->number == number && head->first >= 1 && head->log != 0 &&
                head->bytes >= JOURNAL_SEGMENT_UNIT && head->bytes % JOURNAL_SEGMENT_UNIT == 0;
    return sane ? STATUS_OK : STATUS_DAMAGED;
}

void
journal_segment_head_build(struct journal_segment_head *head)
{
    memcpy(head->magic, segment_magic, sizeof segment_magic);
    head->version = JOURNAL_VERSION;
    head->block = JOURNAL_BLOCK;
    memset(head->reserved, 0, sizeof head->reserved);
    head->digest = head_digest(head);
}

enum status
journal_segment_open(int directory, uint64_t number, bool write,
                     struct journal_segment *out_segment)
{
    *out_segment = (struct journal_segment){.fd = -1};
    char name[JOURNAL_NAME];
    journal_segment_name(number, name);
    int fd = openat(directory, name, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    enum status status = STATUS_IO;
    struct stat stat;
    if (fstat(fd, &stat) != 0) goto done;
    ssize_t n;
    do {
        n = pread(fd, &out_segment->head, sizeof out_segment->head, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) goto done;
    status = n == (ssize_t)sizeof out_segment->head ? check_head(&out_segment->head, number)
                                                    : STATUS_DAMAGED;
    if (status != STATUS_OK) goto done;
    out_segment->buffer = aligned_alloc(JOURNAL_GRID, BOUND_FRAME_BYTES);
    CHECK(out_segment->buffer != NULL);
    out_segment->size = (uint64_t)stat.st_size;
    out_segment->fd = fd;
done:
    if (status != STATUS_OK) close(fd);
    return status;
}

void
journal_segment_close(struct journal_segment *segment)
{
    if (segment->fd >= 0) close(segment->fd);
    free(segment->buffer);
    *segment = (struct journal_segment){.fd = -1};
}

void
journal_segment_forget(struct journal_segment *segment)
{
    segment->filled = 0;
}

enum status
journal_segment_bytes(struct journal_segment *segment, uint64_t offset, size_t want, bool ahead,
                      const uint8_t **out_bytes, size_t *out_available)
{
    CHECK(want <= BOUND_FRAME_BYTES);
    uint64_t end = segment->window + segment->filled;
    if (offset < segment->window || offset + want > end) {
        size_t room = ahead ? BOUND_FRAME_BYTES : want;
        size_t got = 0;
        while (got < room) {
            ssize_t n = pread(segment->fd, segment->buffer + got, room - got,
                              (off_t)(offset + got));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return STATUS_IO;
            if (n == 0) break;
            got += (size_t)n;
        }
        segment->window = offset;
        segment->filled = got;
    }
    *out_bytes = segment->buffer + (offset - segment->window);
    *out_available = (size_t)(segment->window + segment->filled - offset);
    return STATUS_OK;
}

enum status
journal_segment_frame(struct journal_segment *segment, uint64_t offset, bool ahead,
                      enum journal_shape *out_shape, struct journal_frame_head *out_head,
                      const struct fact **out_facts)
{
    const uint8_t *bytes;
    size_t available;
    *out_shape = JOURNAL_SHAPE_BROKEN;
    enum status status = journal_segment_bytes(segment, offset, sizeof *out_head, ahead, &bytes,
                                               &available);
    if (status != STATUS_OK) return status;
    size_t claim = journal_frame_claim(bytes, available);
    if (claim == 0) return STATUS_OK;
    status = journal_segment_bytes(segment, offset, claim, ahead, &bytes, &available);
    if (status != STATUS_OK) return status;
    *out_shape = journal_frame_judge(bytes, available, out_head);
    *out_facts = (const struct fact *)(const void *)(bytes + sizeof *out_head);
    return STATUS_OK;
}
