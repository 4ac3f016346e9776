// Directories, facts and files for the journal's tests.
#include "journal_kit.h"

#include <dirent.h>

#include "seed.h"

uint64_t
journal_kit_random(struct journal_kit *kit)
{
    kit->random += 0x9e3779b97f4a7c15u;
    return hash_mix(kit->random);
}

struct journal_kit *
journal_kit_open(void)
{
    struct journal_kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    // Memory where there is some: these tests open a journal many thousand times.
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(kit->root, sizeof kit->root, "%s/vendue-journal-XXXXXX", base);
    assert_non_null(mkdtemp(kit->root));
    snprintf(kit->directory, sizeof kit->directory, "%s/journal", kit->root);
    kit->random = seed_fresh();
    return kit;
}

void
journal_kit_remove(const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL) return;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_name[0] != '.') unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    rmdir(directory);
}

void
journal_kit_close(struct journal_kit *kit)
{
    journal_kit_remove(kit->directory);
    rmdir(kit->root);
    free(kit);
}

uint32_t
journal_kit_count(uint64_t batch)
{
    return (uint32_t)(1 + hash_mix(batch) % 3);
}

struct fact
journal_kit_fact(uint64_t batch, uint32_t index)
{
    struct fact fact = {
        .kind = FACT_DELIVERED, .role = ROLE_TOUCHPOINT, .shard = (uint16_t)(batch % BOUND_SHARDS)};
    fact.at.us = (int64_t)batch;
    for (size_t i = 0; i < sizeof fact.bytes; i++)
        fact.bytes[i] = (uint8_t)hash_mix(batch * 4096 + index * 128 + i);
    return fact;
}

enum status
journal_kit_append_n(struct journal *journal, uint32_t count, struct journal_position *out_position)
{
    static struct fact facts[BOUND_FRAME_FACTS];
    uint64_t batch = journal_end(journal).batch + 1;
    for (uint32_t i = 0; i < count; i++) facts[i] = journal_kit_fact(batch, i);
    return journal_append(journal, facts, count, (usec){(int64_t)batch * 10}, out_position);
}

enum status
journal_kit_append(struct journal *journal)
{
    struct journal_position position;
    return journal_kit_append_n(journal, journal_kit_count(journal_end(journal).batch + 1),
                                &position);
}

void
journal_kit_check_frame(const struct journal_frame *frame)
{
    assert_true(frame->count >= 1);
    assert_int_equal(frame->at.us, frame->position.batch * 10);
    for (uint32_t i = 0; i < frame->count; i++) {
        struct fact expected = journal_kit_fact(frame->position.batch, i);
        assert_memory_equal(&frame->facts[i], &expected, sizeof expected);
    }
}

enum status
journal_kit_try(const struct journal_kit *kit, bool verify_all, struct journal **out_journal,
                struct journal_fault *out_fault)
{
    struct journal_options options = {
        .log = 7, .epoch = 1, .segment_bytes = MIB, .verify_all = verify_all};
    return journal_open(kit->directory, &options, out_journal, out_fault);
}

struct journal *
journal_kit_journal(const struct journal_kit *kit)
{
    struct journal *journal;
    struct journal_fault fault = {"?"};
    enum status status = journal_kit_try(kit, false, &journal, &fault);
    if (status != STATUS_OK) fail_msg("status %d: %s", status, fault.text);
    return journal;
}

void
journal_kit_build(const struct journal_kit *kit, uint64_t count, uint64_t synced)
{
    struct journal *journal = journal_kit_journal(kit);
    for (uint64_t batch = 1; batch <= count; batch++) {
        assert_int_equal(journal_kit_append(journal), STATUS_OK);
        if (batch <= synced) assert_int_equal(journal_sync(journal), STATUS_OK);
    }
    journal_close(journal);
}

uint64_t
journal_kit_offset(
    uint64_t batch)  // of a frame that journal_kit_append wrote into the first segment
{
    uint64_t offset = BLOCK;
    for (uint64_t b = 1; b < batch; b++) offset += HEAD + journal_kit_count(b) * BOUND_FACT_BYTES;
    return offset;
}

uint64_t
journal_kit_read_all(const struct journal_kit *kit, enum status *out_status,
                     struct journal_fault *out_fault)
{
    struct journal_reader *reader;
    uint64_t batch = 0;
    *out_status = journal_reader_open(kit->directory, NULL, &reader, out_fault);
    while (*out_status == STATUS_OK) {
        struct journal_frame frame;
        *out_status = journal_read(reader, &frame, out_fault);
        if (*out_status != STATUS_OK) break;
        assert_int_equal(frame.position.batch, batch + 1);
        journal_kit_check_frame(&frame);
        batch++;
    }
    journal_reader_close(reader);
    return batch;
}

int
journal_kit_file(const struct journal_kit *kit, const char *name, int flags)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", kit->directory, name);
    return open(path, flags | O_CLOEXEC, 0640);
}

void
journal_kit_write(const struct journal_kit *kit, const char *name, uint64_t offset,
                  const void *bytes, size_t len)
{
    int fd = journal_kit_file(kit, name, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), len);
    close(fd);
}

void
journal_kit_peek(const struct journal_kit *kit, const char *name, uint64_t offset, void *bytes,
                 size_t len)
{
    int fd = journal_kit_file(kit, name, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, len, (off_t)offset), len);
    close(fd);
}

void
journal_kit_keep(const struct journal_kit *kit, struct journal_kit_image *out_image)
{
    DIR *stream = opendir(kit->directory);
    assert_non_null(stream);
    out_image->count = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        assert_true(out_image->count < JOURNAL_KIT_FILES);
        unsigned i = out_image->count++;
        snprintf(out_image->files[i].name, sizeof out_image->files[i].name, "%.31s", entry->d_name);
        int fd = journal_kit_file(kit, entry->d_name, O_RDONLY);
        struct stat stat;
        assert_true(fd >= 0 && fstat(fd, &stat) == 0);
        out_image->files[i].len = (size_t)stat.st_size;
        out_image->files[i].bytes = malloc((size_t)stat.st_size + 1);
        assert_non_null(out_image->files[i].bytes);
        assert_int_equal(pread(fd, out_image->files[i].bytes, (size_t)stat.st_size, 0),
                         stat.st_size);
        close(fd);
    }
    closedir(stream);
}

void
journal_kit_put_back(const struct journal_kit *kit, const struct journal_kit_image *image)
{
    journal_kit_remove(kit->directory);
    assert_int_equal(mkdir(kit->directory, 0750), 0);
    for (unsigned i = 0; i < image->count; i++) {
        int fd = journal_kit_file(kit, image->files[i].name, O_WRONLY | O_CREAT | O_TRUNC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, image->files[i].bytes, image->files[i].len),
                         image->files[i].len);
        close(fd);
    }
}

uint8_t *
journal_kit_image_file(struct journal_kit_image *image, const char *name)
{
    for (unsigned i = 0; i < image->count; i++)
        if (strcmp(image->files[i].name, name) == 0) return image->files[i].bytes;
    fail_msg("no %s", name);
    return NULL;
}

void
journal_kit_drop(struct journal_kit_image *image)
{
    for (unsigned i = 0; i < image->count; i++) free(image->files[i].bytes);
    image->count = 0;
}

int
journal_kit_setup(void **state)
{
    *state = journal_kit_open();
    return 0;
}

int
journal_kit_teardown(void **state)
{
    journal_kit_close(*state);
    return 0;
}