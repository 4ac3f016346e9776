// The world against the writer: killed at any moment, no room, a sync that fails. W5 and W6 of
// ledger/journal.c; and the promise itself: what was synced is there afterwards.
#include "journal_kit.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

// Writes until it is killed. Each batch that is durable goes down the pipe.
static void
write_on(struct journal_kit *kit, int pipe)
{
    struct journal *journal;
    struct journal_fault fault;
    if (journal_kit_try(kit, false, &journal, &fault) != STATUS_OK) _exit(2);
    for (;;) {
        struct journal_position position;
        unsigned group = 1 + (unsigned)(journal_kit_random(kit) % 3);
        for (unsigned i = 0; i < group; i++) {
            uint32_t count = (uint32_t)(1 + journal_kit_random(kit) % 300);
            if (journal_kit_append_n(journal, count, &position) != STATUS_OK) _exit(3);
        }
        if (journal_sync(journal) != STATUS_OK) _exit(4);
        if (write(pipe, &position, sizeof position) != (ssize_t)sizeof position) _exit(5);
        (void)journal_prepare(journal);
    }
}

// A child is killed with SIGKILL in the middle of writing, again and again, in the same journal.
static void
test_killed(void **state)
{
    struct journal_kit *kit = *state;
    uint64_t acked = 0, cut_or_kept = 0;
    for (unsigned cycle = 0; cycle < 60; cycle++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        uint64_t seed = journal_kit_random(kit);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            kit->random = seed;
            write_on(kit, ends[1]);
        }
        close(ends[1]);
        struct timespec wait = {0, (long)(journal_kit_random(kit) % 12000000)};
        nanosleep(&wait, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int code;
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_true(WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL);
        struct journal_position position, last = {0};
        while (read(ends[0], &position, sizeof position) == (ssize_t)sizeof position)
            last = position;
        close(ends[0]);
        struct journal *journal;
        struct journal_fault fault = {"?"};
        enum status status = journal_kit_try(kit, cycle % 10 == 0, &journal, &fault);
        if (status != STATUS_OK) fail_msg("cycle %u: status %d: %s", cycle, status, fault.text);
        uint64_t end = journal_end(journal).batch;
        journal_close(journal);
        if (last.batch == 0) continue;
        assert_true(end >= last.batch);
        cut_or_kept += end - last.batch;
        acked = last.batch;
        // The acknowledged batch is this very frame: a reader that stands on it is accepted.
        struct journal_reader *reader;
        assert_int_equal(journal_reader_open(kit->directory, &last, &reader, &fault), STATUS_OK);
        journal_reader_close(reader);
    }
    enum status status;
    struct journal_fault fault;
    assert_true(journal_kit_read_all(kit, &status, &fault) >= acked);
    assert_int_equal(status, STATUS_AGAIN);
    print_message("%llu batches acknowledged, %llu more found whole\n", (unsigned long long)acked,
                  (unsigned long long)cut_or_kept);
    assert_true(acked > 0);
}

// W6 with a file size limit: the first segment, then a later one, then room again.
static void
test_no_room_by_limit(void **state)
{
    struct journal_kit *kit = *state;
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = MIB - 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct journal *journal;
    struct journal_fault fault;
    assert_int_equal(journal_kit_try(kit, false, &journal, &fault), STATUS_FULL);
    assert_non_null(strstr(fault.text, "no room"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    journal = journal_kit_journal(kit);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct journal_position position;
    enum status status;
    uint64_t written = 0;
    while ((status = journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position)) == STATUS_OK) {
        written = position.batch;
        assert_int_equal(journal_sync(journal), STATUS_OK);
        (void)journal_prepare(journal);
    }
    // Refused again and again without a trace; smaller frames still fit into what is left.
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_FULL);
    assert_int_equal(status, STATUS_FULL);
    assert_int_equal(journal_end(journal).batch, written);
    assert_int_equal(journal_kit_append_n(journal, 1, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), written + 21);
    assert_int_equal(status, STATUS_AGAIN);
}

// W6 with a file system that is full: no acknowledged frame is lost, and with room it goes on.
static void
test_no_room_on_disk(void **state)
{
    struct journal_kit *kit = *state;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", kit->root, "tmpfs", 0, "size=2600k") != 0)
        skip();
    char ballast[128];
    snprintf(ballast, sizeof ballast, "%s/ballast", kit->root);
    for (unsigned round = 0; round < 3; round++) {
        struct journal *journal = journal_kit_journal(kit);
        struct journal_position position;
        enum status status;
        uint64_t written = journal_end(journal).batch;
        int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        if (round == 0) assert_int_equal(posix_fallocate(fd, 0, 700 * 1024), 0);
        while ((status = journal_kit_append_n(journal, 200, &position)) == STATUS_OK) {
            assert_int_equal(journal_sync(journal), STATUS_OK);
            written = position.batch;
            (void)journal_prepare(journal);
        }
        assert_int_equal(status, STATUS_FULL);
        assert_int_equal(journal_end(journal).batch, written);
        if (round == 0) {
            assert_int_equal(unlink(ballast), 0);
            close(fd);
            assert_int_equal(journal_kit_append_n(journal, 200, &position), STATUS_OK);
            assert_int_equal(position.batch, written + 1);
            assert_int_equal(journal_sync(journal), STATUS_OK);
            written++;
        } else {
            close(fd);
        }
        journal_close(journal);
        struct journal_fault fault;
        assert_int_equal(journal_kit_read_all(kit, &status, &fault), written);
        assert_int_equal(status, STATUS_AGAIN);
    }
    journal_kit_remove(kit->directory);
    (void)unlink(ballast);
    assert_int_equal(umount(kit->root), 0);
}

// The descriptor that this process has open on a file of the journal.
static int
descriptor_of(const char *name)
{
    DIR *stream = opendir("/proc/self/fd");
    assert_non_null(stream);
    int found = -1;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        char target[256];
        ssize_t len = readlinkat(dirfd(stream), entry->d_name, target, sizeof target - 1);
        if (len < 0) continue;
        target[len] = 0;
        if (strstr(target, "vendue-journal-") != NULL && strstr(target, name) != NULL)
            found = atoi(entry->d_name);
    }
    closedir(stream);
    assert_true(found >= 0);
    return found;
}

enum failure { FAIL_WRITE, FAIL_SYNC, FAIL_MARK, FAIL_COUNT };

// W5: after a write or a sync that failed, nothing works any more, even when the file would again.
static void
test_poisoned(void **state)
{
    struct journal_kit *kit = *state;
    for (unsigned failure = 0; failure < FAIL_COUNT; failure++) {
        journal_kit_remove(kit->directory);
        struct journal *journal = journal_kit_journal(kit);
        assert_int_equal(journal_kit_append(journal), STATUS_OK);
        assert_int_equal(journal_sync(journal), STATUS_OK);
        if (failure != FAIL_WRITE) assert_int_equal(journal_kit_append(journal), STATUS_OK);
        // The file is taken away under the writer: a device that accepts everything and syncs
        // nothing, or one that takes no writes.
        int fd = descriptor_of(failure == FAIL_MARK ? "/durable" : ".segment"), kept = dup(fd);
        int other = open(failure == FAIL_SYNC ? "/dev/null" : "/proc/version",
                         failure == FAIL_SYNC ? O_WRONLY : O_RDONLY);
        assert_int_equal(dup2(other, fd), fd);
        close(other);
        if (failure == FAIL_WRITE) assert_int_equal(journal_kit_append(journal), STATUS_IO);
        else assert_int_equal(journal_sync(journal), STATUS_IO);
        assert_int_equal(dup2(kept, fd), fd);
        close(kept);
        assert_int_equal(journal_kit_append(journal), STATUS_IO);
        assert_int_equal(journal_sync(journal), STATUS_IO);
        assert_int_equal(journal_prepare(journal), 0);
        uint64_t durable;
        assert_int_equal(journal_durable(kit->directory, &durable), STATUS_OK);
        assert_int_equal(durable, 1);
        journal_close(journal);
        // Recovery tells what is true.
        journal = journal_kit_journal(kit);
        assert_int_equal(journal_end(journal).batch, failure == FAIL_WRITE ? 1 : 2);
        journal_close(journal);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_KIT_TEST(test_killed),
        JOURNAL_KIT_TEST(test_no_room_by_limit),
        JOURNAL_KIT_TEST(test_poisoned),
        JOURNAL_KIT_TEST(test_no_room_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
