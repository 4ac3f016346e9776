// Keys of old requests: the newest are known, each once; the oldest are forgotten.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../auction/decided.h"
#include "fail.h"

static struct id
key(uint32_t number)
{
    return hash_id("request", &number, sizeof number);
}

static void
test_newest_are_known(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct decided decided;
    decided_open(&decided, arena, 100);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_false(decided_has(&decided, key(i)));
        decided_add(&decided, key(i));
        assert_true(decided_has(&decided, key(i)));
        uint32_t oldest = i < 100 ? 0 : i - 99;
        assert_true(decided_has(&decided, key(oldest)));
        if (oldest > 0) assert_false(decided_has(&decided, key(oldest - 1)));
    }
    arena_close(arena);
}

// One that is there already keeps its place and takes no other's.
static void
test_twice(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct decided decided;
    decided_open(&decided, arena, 3);
    decided_add(&decided, key(1));
    decided_add(&decided, key(2));
    decided_add(&decided, key(1));
    decided_add(&decided, key(3));
    assert_true(decided_has(&decided, key(1)) && decided_has(&decided, key(2)));
    decided_add(&decided, key(4));
    assert_false(decided_has(&decided, key(1)));
    assert_true(decided_has(&decided, key(2)));
    arena_close(arena);
}

static void
test_none(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct decided decided;
    decided_open(&decided, arena, 0);
    decided_add(&decided, key(1));
    assert_false(decided_has(&decided, key(1)));
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_newest_are_known),
                                       cmocka_unit_test(test_twice), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
