// The next segment, made ready before it is needed: NUMBER.prepare is reserved, filled with zeros a
// step at a time, and synced; then it gets its header, is synced again and renamed to
// NUMBER.segment, and the directory is synced. So a segment that has its name is whole on the disk,
// header and zeros.
//
// Zeros are written, not only reserved: overwriting written blocks changes no metadata, so that
// later syncs need no file system transaction. Each step starts its own write-back, so that the
// last sync finds little left to do.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "journal_inside.h"

static const char prepare_suffix[] = ".prepare";

static void
prepare_name(uint64_t number, char out[JOURNAL_NAME])
{
    snprintf(out, JOURNAL_NAME, "%08llu%s", (unsigned long long)number, prepare_suffix);
}

static enum status
begin(struct journal_next *next, int directory, uint64_t number, uint64_t bytes)
{
    char name[JOURNAL_NAME];
    prepare_name(number, name);
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) return journal_full(errno) ? STATUS_FULL : STATUS_IO;
    *next = (struct journal_next){fd, number, bytes, 0, false};
    return STATUS_OK;
}

// Asks for all the room at once, so that a full disk is met before anything depends on this
// segment.
static enum status
reserve(const struct journal_next *next)
{
    while (fallocate(next->fd, 0, 0, (off_t)next->bytes) != 0) {
        if (errno == EINTR) continue;
        if (errno == EOPNOTSUPP) return STATUS_OK;  // then writing the zeros meets it
        if (!journal_full(errno)) return STATUS_IO;
        // Room that does not suffice is given back to those who can use it.
        (void)ftruncate(next->fd, 0);
        return STATUS_FULL;
    }
    return STATUS_OK;
}

enum status
journal_next_step(struct journal_next *next, int directory, uint64_t number, uint64_t bytes,
                  size_t step, size_t *out_done)
{
    static const uint8_t zeros[256 * 1024];
    *out_done = 0;
    enum status status = STATUS_OK;
    if (next->fd < 0) status = begin(next, directory, number, bytes);
    if (status == STATUS_OK && next->written == 0) status = reserve(next);
    if (status != STATUS_OK) return status;
    CHECK(next->number == number);
    uint64_t from = next->written;
    while (next->written < next->bytes && next->written - from < step) {
        uint64_t left = next->bytes - next->written;
        size_t len = left < sizeof zeros ? (size_t)left : sizeof zeros;
        if (len > step) len = step;
        ssize_t n = pwrite(next->fd, zeros, len, (off_t)next->written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return journal_full(errno) ? STATUS_FULL : STATUS_IO;
        // Only a start signal: whether it went well, the sync below tells.
        (void)sync_file_range(next->fd, (off_t)next->written, n, SYNC_FILE_RANGE_WRITE);
        next->written += (uint64_t)n;
    }
    if (next->written == next->bytes && !next->synced) {
        if (fsync(next->fd) != 0) return STATUS_IO;
        next->synced = true;
    }
    *out_done = (size_t)(next->written - from);
    return STATUS_OK;
}

enum status
journal_next_complete(struct journal_next *next, int directory, uint64_t number, uint64_t bytes)
{
    while (next->fd < 0 || !next->synced) {
        size_t done;
        enum status status = journal_next_step(next, directory, number, bytes, JOURNAL_SEGMENT_UNIT,
                                               &done);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status
journal_next_show(struct journal_next *next, int directory, const struct journal_segment_head *head,
                  int *out_fd)
{
    CHECK(next->synced && head->number == next->number && head->bytes == next->bytes);
    enum status status = journal_write_all(next->fd, head, sizeof *head, 0);
    if (status != STATUS_OK) return status;
    if (fdatasync(next->fd) != 0) return STATUS_IO;
    char from[JOURNAL_NAME], to[JOURNAL_NAME];
    prepare_name(next->number, from);
    journal_segment_name(next->number, to);
    // Never over an existing segment.
    if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) != 0)
        return journal_full(errno) ? STATUS_FULL : STATUS_IO;
    if (fsync(directory) != 0) return STATUS_IO;
    *out_fd = next->fd;
    *next = (struct journal_next){.fd = -1};
    return STATUS_OK;
}

void
journal_next_close(struct journal_next *next, int directory)
{
    if (next->fd < 0) return;
    char name[JOURNAL_NAME];
    prepare_name(next->number, name);
    // Left behind, it would be swept at the next start.
    (void)unlinkat(directory, name, 0);
    close(next->fd);
    *next = (struct journal_next){.fd = -1};
}

enum status
journal_next_sweep(int directory)
{
    enum status status = STATUS_IO;
    DIR *stream = journal_segment_stream(directory);
    if (stream == NULL) goto done;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL; errno = 0) {
        size_t len = strlen(entry->d_name), tail = sizeof prepare_suffix - 1;
        if (len <= tail || strcmp(entry->d_name + len - tail, prepare_suffix) != 0) continue;
        if (unlinkat(directory, entry->d_name, 0) != 0) goto done;
    }
    if (errno == 0) status = STATUS_OK;
done:
    if (stream != NULL) closedir(stream);
    return status;
}
