// The watermark: which batch is durable. DIR/durable holds two records of 96 bytes, at 0 and at
// 512, written in turn; the readable one with the higher batch counts. So a record torn by a crash,
// or read while it is being written, leaves the one before it.
//
//    0  magic "VNDURABL"      8  version u32 = 1      12  log u32      16  batch u64
//   24  zero u64             32  digest of that batch's frame
//   64  SHA-256 of bytes 0 to 63
// A record of zeros is an empty one; both empty: nothing is durable yet. The other bytes of the
// file mean nothing.
//
// It is written after the sync of what it speaks of and never synced itself: after a crash of the
// machine it may be old, never ahead. It is made under another name and renamed when it is whole:
// a reader beside the first writer meets none or a readable one. It is written and read by pwrite
// and pread: a mapping would turn a full disk or a file cut short into a signal.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal_inside.h"

static const uint8_t mark_magic[8] = {'V', 'N', 'D', 'U', 'R', 'A', 'B', 'L'};
static const char durable_name[] = "durable";
static const char making_name[] = "durable.new";

enum record_state { RECORD_EMPTY, RECORD_GOOD, RECORD_BAD };

static struct digest
record_digest(const struct journal_mark_record *record)
{
    return hash_sha256(record, offsetof(struct journal_mark_record, digest));
}

static enum record_state
record_judge(const struct journal_mark_record *record)
{
    static const struct journal_mark_record empty;
    if (memcmp(record, &empty, sizeof empty) == 0) return RECORD_EMPTY;
    bool good = memcmp(record->magic, mark_magic, sizeof mark_magic) == 0 &&
                record->version == JOURNAL_VERSION && record->log != 0 &&
                digest_same(record_digest(record), record->digest);
    return good ? RECORD_GOOD : RECORD_BAD;
}

static enum status
read_once(int fd, struct journal_mark *out_mark)
{
    uint8_t bytes[JOURNAL_MARK_STEP + sizeof(struct journal_mark_record)];
    ssize_t n;
    do {
        n = pread(fd, bytes, sizeof bytes, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return STATUS_IO;
    if (n != (ssize_t)sizeof bytes) return STATUS_DAMAGED;
    unsigned bad = 0;
    *out_mark = (struct journal_mark){0};
    for (unsigned slot = 0; slot < 2; slot++) {
        struct journal_mark_record record;
        memcpy(&record, bytes + slot * JOURNAL_MARK_STEP, sizeof record);
        switch (record_judge(&record)) {
        case RECORD_EMPTY: break;
        case RECORD_BAD: bad++; break;
        case RECORD_GOOD:
            if (out_mark->log == 0 || record.batch > out_mark->batch)
                *out_mark = (struct journal_mark){record.batch, record.frame, record.log, slot};
            break;
        }
    }
    // One bad record beside an empty one: the very first write, torn.
    return bad == 2 ? STATUS_DAMAGED : STATUS_OK;
}

enum status
journal_durable_read(int fd, struct journal_mark *out_mark)
{
    // A reader that is overtaken twice can meet both records half written; it looks again.
    enum status status = STATUS_DAMAGED;
    for (unsigned attempt = 0; attempt < 100 && status == STATUS_DAMAGED; attempt++) {
        if (attempt > 0) sched_yield();
        status = read_once(fd, out_mark);
    }
    return status;
}

enum status
journal_durable_write(int fd, const struct journal_mark *mark)
{
    struct journal_mark_record record = {
        .version = JOURNAL_VERSION, .log = mark->log, .batch = mark->batch, .frame = mark->digest};
    memcpy(record.magic, mark_magic, sizeof mark_magic);
    record.digest = record_digest(&record);
    return journal_write_all(fd, &record, sizeof record, (uint64_t)mark->slot * JOURNAL_MARK_STEP);
}

enum status
journal_durable_create(int directory, int *out_fd)
{
    static const uint8_t zeros[JOURNAL_MARK_BYTES];
    int fd = openat(directory, making_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) return journal_full(errno) ? STATUS_FULL : STATUS_IO;
    enum status status = journal_write_all(fd, zeros, sizeof zeros, 0);
    if (status == STATUS_OK &&
        (fsync(fd) != 0 || renameat(directory, making_name, directory, durable_name) != 0 ||
         fsync(directory) != 0))
        status = STATUS_IO;
    if (status == STATUS_OK) *out_fd = fd;
    else close(fd);
    return status;
}

enum status
journal_durable_open(int directory, bool write, int *out_fd)
{
    int fd = openat(directory, durable_name, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    *out_fd = fd;
    return STATUS_OK;
}

enum status
journal_durable(const char *directory, uint64_t *out_batch)
{
    *out_batch = 0;
    int fd = -1;
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    enum status status = journal_durable_open(folder, false, &fd);
    close(folder);
    if (status != STATUS_OK) return status;
    struct journal_mark mark;
    status = journal_durable_read(fd, &mark);
    close(fd);
    if (status == STATUS_OK) *out_batch = mark.batch;
    return status;
}
