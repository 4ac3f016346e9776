// The journal as its users see it: frames go in, come out the same, over segments and restarts; one
// writer; readers see what is durable, in order, and stop where the chain does not hold.
#include "journal_kit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

// W2, W4: many frames over several segments come out as they went in, in one life or in many.
static void
test_round_trip(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    assert_int_equal(journal_end(journal).batch, 0);
    for (uint64_t batch = 1; batch <= 60; batch++) {
        struct journal_position position;
        uint32_t count = (uint32_t)(1 + journal_kit_random(kit) % BOUND_FRAME_FACTS);
        if (batch == 1) count = BOUND_FRAME_FACTS;
        assert_int_equal(journal_kit_append_n(journal, count, &position), STATUS_OK);
        assert_int_equal(position.batch, batch);
        assert_int_equal(position.log, 7);
        if (journal_kit_random(kit) % 3 == 0) assert_int_equal(journal_sync(journal), STATUS_OK);
        while (journal_kit_random(kit) % 4 != 0) (void)journal_prepare(journal);
        if (journal_kit_random(kit) % 5 != 0) continue;
        struct journal_position end = journal_end(journal);
        journal_close(journal);
        journal = journal_kit_journal(kit);
        assert_int_equal(journal_end(journal).batch, end.batch);
        assert_true(digest_same(journal_end(journal).digest, end.digest));
    }
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    uint64_t durable;
    assert_int_equal(journal_durable(kit->directory, &durable), STATUS_OK);
    assert_int_equal(durable, 60);
    enum status status;
    struct journal_fault fault;
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), 60);
    assert_int_equal(status, STATUS_AGAIN);
    journal_close(journal);
    assert_int_equal(journal_kit_try(kit, true, &journal, &fault), STATUS_OK);
    journal_close(journal);
}

// The chain as the frames tell it: dense batches, each bearing the digest of the one before.
static void
test_chain(void **state)
{
    struct journal_kit *kit = *state;
    journal_kit_build(kit, 20, 20);
    struct journal_reader *reader;
    struct journal_fault fault;
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
    struct digest last = {0};
    for (uint64_t batch = 1; batch <= 20; batch++) {
        struct journal_frame frame;
        assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
        assert_int_equal(frame.position.batch, batch);
        assert_int_equal(frame.position.epoch, 1);
        assert_true(digest_same(frame.previous, last));
        // The digest is SHA-256 of what stands in the file, computed here from the format alone.
        uint8_t bytes[HEAD + 3 * BOUND_FACT_BYTES];
        size_t len = HEAD + frame.count * BOUND_FACT_BYTES;
        journal_kit_peek(kit, "00000001.segment", journal_kit_offset(batch), bytes, len);
        memmove(bytes + 96, bytes + HEAD, len - HEAD);
        assert_true(digest_same(hash_sha256(bytes, len - 32), frame.position.digest));
        last = frame.position.digest;
    }
    journal_reader_close(reader);
}

static void
test_one_writer(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit), *second;
    struct journal_fault fault;
    assert_int_equal(journal_kit_try(kit, false, &second, &fault), STATUS_DENIED);
    assert_null(second);
    assert_non_null(strstr(fault.text, kit->directory));
    pid_t child = fork();
    if (child == 0) _exit(journal_kit_try(kit, false, &second, &fault) == STATUS_DENIED ? 0 : 1);
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    journal_close(journal);
    journal_close(journal_kit_journal(kit));
}

// The first writer dies where its watermark would get its first byte: readers meet none, not an
// empty one, and the next writer goes on.
static void
test_watermark_half_made(void **state)
{
    struct journal_kit *kit = *state;
    uint64_t batch;
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal;
        struct journal_fault fault;
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}) != 0) _exit(2);
        _exit(journal_kit_try(kit, false, &journal, &fault) == STATUS_OK ? 1 : 0);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    assert_int_equal(journal_durable(kit->directory, &batch), STATUS_NOT_FOUND);
    journal_close(journal_kit_journal(kit));
    assert_int_equal(journal_durable(kit->directory, &batch), STATUS_OK);
    assert_int_equal(batch, 0);
}

static void
test_options(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;
    struct journal_fault fault;
    struct journal_options options = {.log = 7, .epoch = 1, .segment_bytes = MIB + 1};
    assert_int_equal(journal_open(kit->directory, &options, &journal, &fault), STATUS_INPUT);
    journal_kit_build(kit, 3, 3);
    options = (struct journal_options){.log = 8, .epoch = 1, .segment_bytes = MIB};
    assert_int_equal(journal_open(kit->directory, &options, &journal, &fault), STATUS_CONFLICT);
    options = (struct journal_options){.log = 7, .epoch = 2, .segment_bytes = MIB};
    assert_int_equal(journal_open(kit->directory, &options, &journal, &fault), STATUS_CONFLICT);
    // Another segment size counts from the next segment on.
    options = (struct journal_options){.log = 7, .epoch = 1, .segment_bytes = 2 * MIB};
    assert_int_equal(journal_open(kit->directory, &options, &journal, &fault), STATUS_OK);
    struct journal_position position;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    enum status status;
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), 23);
    assert_int_equal(status, STATUS_AGAIN);
}

// Readers see durable frames only, and find any position again.
static void
test_reader_durable(void **state)
{
    struct journal_kit *kit = *state;
    struct journal_reader *reader;
    struct journal_fault fault;
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_NOT_FOUND);
    assert_int_equal(mkdir(kit->directory, 0750), 0);
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
    struct journal_frame frame;
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    struct journal *journal = journal_kit_journal(kit);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    journal_kit_check_frame(&frame);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    assert_int_equal(frame.position.batch, 3);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    journal_reader_close(reader);
    journal_close(journal);
}

static void
test_reader_position(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position positions[101] = {0};
    for (unsigned batch = 1; batch <= 100; batch++) {
        uint32_t count = (uint32_t)(1 + journal_kit_random(kit) % 600);
        assert_int_equal(journal_kit_append_n(journal, count, &positions[batch]), STATUS_OK);
    }
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    struct journal_reader *reader;
    struct journal_fault fault;
    struct journal_frame frame;
    for (unsigned batch = 0; batch <= 100; batch++) {
        assert_int_equal(journal_reader_open(kit->directory, &positions[batch], &reader, &fault),
                         STATUS_OK);
        if (batch < 100) {
            assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
            assert_int_equal(frame.position.batch, batch + 1);
            journal_kit_check_frame(&frame);
        } else {
            assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
        }
        journal_reader_close(reader);
        if (batch == 0) continue;
        struct journal_position other = positions[batch];
        other.digest.bytes[31] ^= 1;
        assert_int_equal(journal_reader_open(kit->directory, &other, &reader, &fault), STATUS_FORK);
        other = positions[batch];
        other.log = 8;
        assert_int_equal(journal_reader_open(kit->directory, &other, &reader, &fault), STATUS_FORK);
    }
    struct journal_position beyond = positions[100];
    beyond.batch++;
    assert_int_equal(journal_reader_open(kit->directory, &beyond, &reader, &fault), STATUS_GAP);
    assert_non_null(strstr(fault.text, "101"));
}

// The watermark may be old after a power cut: a position above it is found all the same, and waits.
static void
test_reader_above_watermark(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position position;
    uint8_t mark[BLOCK];
    assert_int_equal(journal_kit_append_n(journal, 1, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_kit_peek(kit, "durable", 0, mark, sizeof mark);
    assert_int_equal(journal_kit_append_n(journal, 1, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    journal_kit_write(kit, "durable", 0, mark, sizeof mark);
    struct journal_reader *reader;
    struct journal_fault fault;
    struct journal_frame frame;
    assert_int_equal(journal_reader_open(kit->directory, &position, &reader, &fault), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    journal = journal_kit_journal(kit);
    assert_int_equal(journal_end(journal).batch, 2);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    assert_int_equal(frame.position.batch, 3);
    journal_reader_close(reader);
    journal_close(journal);
}

// The watermark's file removed under a reader: it finds the one that recovery makes.
static void
test_reader_new_watermark(void **state)
{
    struct journal_kit *kit = *state;
    journal_kit_build(kit, 3, 3);
    struct journal_reader *reader;
    struct journal_fault fault;
    struct journal_frame frame;
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    char path[160];
    snprintf(path, sizeof path, "%s/durable", kit->directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_AGAIN);
    struct journal *journal = journal_kit_journal(kit);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    assert_int_equal(frame.position.batch, 4);
    journal_reader_close(reader);
    journal_close(journal);
}

// A writer that goes another way after a common beginning: its readers stop.
static void
test_fork(void **state)
{
    struct journal_kit *kit = *state;
    journal_kit_build(kit, 5, 5);
    struct journal_kit_image image;
    journal_kit_keep(kit, &image);
    struct journal *journal = journal_kit_journal(kit);
    struct journal_reader *reader;
    struct journal_fault fault;
    struct journal_frame frame;
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(journal_read(reader, &frame, &fault), STATUS_OK);
    struct journal_position at = frame.position;
    journal_reader_close(reader);
    journal_close(journal);
    // Back to batch 5, and on with another batch 6.
    journal_kit_put_back(kit, &image);
    struct fact fact = journal_kit_fact(99, 0);
    struct journal_position position;
    journal = journal_kit_journal(kit);
    assert_int_equal(journal_reader_open(kit->directory, &at, &reader, &fault), STATUS_GAP);
    assert_int_equal(journal_append(journal, &fact, 1, (usec){1}, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_append(journal, &fact, 1, (usec){1}, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(journal_reader_open(kit->directory, &at, &reader, &fault), STATUS_FORK);
    journal_close(journal);
    journal_kit_drop(&image);
}

// The next segment is ready before it is needed, and gets its name only when it is entered.
static void
test_prepare(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position position;
    struct stat stat;
    while (journal_prepare(journal) > 0) continue;
    int fd = journal_kit_file(kit, "00000002.prepare", O_RDONLY);
    assert_int_equal(fd, -1);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
        while (journal_prepare(journal) > 0) continue;
    }
    fd = journal_kit_file(kit, "00000002.prepare", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    assert_int_equal(stat.st_size, MIB);
    assert_true(stat.st_blocks * 512 >= MIB);  // more: a block of the file system's own
    close(fd);
    assert_int_equal(journal_kit_file(kit, "00000002.segment", O_RDONLY), -1);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    assert_int_equal(journal_kit_file(kit, "00000002.prepare", O_RDONLY), -1);
    fd = journal_kit_file(kit, "00000002.segment", O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
    // Frames written before the change of segments are durable with it.
    uint64_t durable;
    assert_int_equal(journal_durable(kit->directory, &durable), STATUS_OK);
    assert_true(durable >= 7);
    // What a crash leaves of a preparation is removed.
    journal_close(journal);
    fd = journal_kit_file(kit, "00000003.prepare", O_WRONLY | O_CREAT);
    assert_int_equal(write(fd, "half", 4), 4);
    close(fd);
    journal_close(journal_kit_journal(kit));
    assert_int_equal(journal_kit_file(kit, "00000003.prepare", O_RDONLY), -1);
}

// A reader beside a writer in another process: a growing prefix, never beyond what is durable.
static void
test_reader_beside_writer(void **state)
{
    struct journal_kit *kit = *state;
    journal_close(journal_kit_journal(kit));
    enum { FRAMES = 3000 };
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal;
        struct journal_fault fault;
        if (journal_kit_try(kit, false, &journal, &fault) != STATUS_OK) _exit(1);
        for (unsigned i = 1; i <= FRAMES; i++) {
            struct journal_position position;
            uint32_t count = (uint32_t)(1 + journal_kit_random(kit) % 40);
            if (journal_kit_append_n(journal, count, &position) != STATUS_OK) _exit(2);
            if ((i == FRAMES || journal_kit_random(kit) % 3 == 0) &&
                journal_sync(journal) != STATUS_OK)
                _exit(3);
            (void)journal_prepare(journal);
        }
        journal_close(journal);
        _exit(0);
    }
    struct journal_reader *reader;
    struct journal_fault fault;
    assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
    uint64_t batch = 0, durable = 0;
    while (batch < FRAMES) {
        struct journal_frame frame;
        enum status status = journal_read(reader, &frame, &fault);
        uint64_t before = durable;
        assert_int_equal(journal_durable(kit->directory, &durable), STATUS_OK);
        assert_true(durable >= before);
        if (status == STATUS_AGAIN) continue;
        if (status != STATUS_OK) fail_msg("status %d: %s", status, fault.text);
        assert_int_equal(frame.position.batch, batch + 1);
        assert_true(frame.position.batch <= durable);
        journal_kit_check_frame(&frame);
        batch++;
    }
    journal_reader_close(reader);
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_KIT_TEST(test_round_trip),
        JOURNAL_KIT_TEST(test_chain),
        JOURNAL_KIT_TEST(test_one_writer),
        JOURNAL_KIT_TEST(test_watermark_half_made),
        JOURNAL_KIT_TEST(test_options),
        JOURNAL_KIT_TEST(test_reader_durable),
        JOURNAL_KIT_TEST(test_reader_position),
        JOURNAL_KIT_TEST(test_reader_above_watermark),
        JOURNAL_KIT_TEST(test_reader_new_watermark),
        JOURNAL_KIT_TEST(test_fork),
        JOURNAL_KIT_TEST(test_prepare),
        JOURNAL_KIT_TEST(test_reader_beside_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
