#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "hash.h"

static void
pieces_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    for (int again = 0; again < 3; again++) {
        unsigned char *pieces[500];
        size_t sizes[500];
        for (size_t i = 0; i < 500; i++) {
            sizes[i] = 1 + hash_mix(i) % (i % 100 == 0 ? 600000 : 3000);
            pieces[i] = arena_take(arena, sizes[i], 1);
            assert_int_equal((uintptr_t)pieces[i] % (sizes[i] >= 64 ? 64 : 16), 0);
            for (size_t k = 0; k < sizes[i]; k++)
                if (pieces[i][k] != 0) fail_msg("piece %zu is not zero at %zu", i, k);
            memset(pieces[i], (int)(i % 251) + 1, sizes[i]);
        }
        for (size_t i = 0; i < 500; i++)
            for (size_t k = 0; k < sizes[i]; k++)
                if (pieces[i][k] != i % 251 + 1) fail_msg("piece %zu was written over", i);
        size_t held = arena_bytes(arena);
        arena_reset(arena);
        if (again > 0) assert_int_equal(arena_bytes(arena), held);
    }
    assert_string_equal(arena_printf(arena, "%s-%d", "slot", 7), "slot-7");
    assert_string_equal(arena_text(arena, "abcdef", 3), "abc");
    arena_close(arena);
    arena_close(NULL);
}

// Tables of many megabytes lie on pages of their own; nothing else is different for who uses them.
static void
large_pieces_too(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    for (size_t bytes = (7u << 20) + 1; bytes < 11u << 20; bytes += (1u << 20) - 63) {
        unsigned char *piece = arena_take(arena, bytes, 1);
        assert_int_equal((uintptr_t)piece % 64, 0);
        assert_true(piece[0] == 0 && memcmp(piece, piece + 1, bytes - 1) == 0);
        memset(piece, 1, bytes);
    }
    arena_reset(arena);
    unsigned char *piece = arena_take(arena, 9u << 20, 1);
    assert_true(piece[0] == 0 && memcmp(piece, piece + 1, (9u << 20) - 1) == 0);
    arena_close(arena);
}

// A size that overflows is a bug of ours: the process ends, with the place.
static void
an_overflowing_size_aborts(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct arena *arena = arena_open("test");
        close(STDERR_FILENO);
        arena_take(arena, SIZE_MAX / 2, 4);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
        cmocka_unit_test(large_pieces_too),
        cmocka_unit_test(an_overflowing_size_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
