// Look-up tables against a plain scan, through growth; texts that are prefixes of each other or
// hold a NUL.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../auction/lookup.h"
#include "../../auction/words.h"

#define COUNT 5000

static void
texts_and_ids_are_found_through_growth(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct lookup texts, ids;
    lookup_open(&texts, arena, 0);
    lookup_open(&ids, arena, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        const char *text = arena_printf(arena, "%u", i * 7);
        assert_int_equal(lookup_put_text(&texts, text, strlen(text), i), STATUS_OK);
        assert_int_equal(lookup_put_id(&ids, (uint64_t)i << 40, i), STATUS_OK);
    }
    assert_int_equal(lookup_put_text(&texts, "14", 2, 9), STATUS_EXISTS);
    assert_int_equal(lookup_put_id(&ids, 0, 9), STATUS_EXISTS);
    for (uint32_t i = 0; i < COUNT; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "%u", i * 7);
        assert_int_equal(lookup_text(&texts, text, (size_t)len), i);
        snprintf(text, sizeof text, "%u", i * 7 + 1);
        assert_int_equal(lookup_text(&texts, text, strlen(text)), LOOKUP_NONE);
        assert_int_equal(lookup_id(&ids, (uint64_t)i << 40), i);
        assert_int_equal(lookup_id(&ids, ((uint64_t)i << 40) + 1), LOOKUP_NONE);
    }
    assert_true(texts.count * 2 <= texts.mask + 1);
    arena_close(arena);
}

static void
texts_are_compared_whole(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct lookup texts;
    lookup_open(&texts, arena, 4);
    assert_int_equal(lookup_put_text(&texts, "", 0, 1), STATUS_OK);
    assert_int_equal(lookup_put_text(&texts, "bill", 4, 2), STATUS_OK);
    assert_int_equal(lookup_put_text(&texts, "bill.footer.long", 16, 3), STATUS_OK);
    assert_int_equal(lookup_text(&texts, "bills", 4), 2);
    assert_int_equal(lookup_text(&texts, "bil", 3), LOOKUP_NONE);
    assert_int_equal(lookup_text(&texts, "bill\0\0\0", 7), LOOKUP_NONE);
    assert_int_equal(lookup_text(&texts, "", 0), 1);
    assert_int_equal(lookup_text(&texts, "bill.footer.lonG", 16), LOOKUP_NONE);
    arena_close(arena);
}

static void
words_keep_their_numbers(void **state)
{
    (void)state;
    struct arena *arena = arena_open("test");
    struct words words;
    words_open(&words, arena);
    char text[16];
    for (int round = 0; round < 2; round++)
        for (int32_t i = 0; i < 1000; i++) {
            snprintf(text, sizeof text, "w%d", i);
            assert_int_equal(words_number(&words, text, strlen(text)), i);
        }
    assert_int_equal(words.count, 1000);
    assert_string_equal(words.texts[999], "w999");
    assert_string_equal(words.texts[0], "w0");
    arena_close(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_ids_are_found_through_growth),
        cmocka_unit_test(texts_are_compared_whole),
        cmocka_unit_test(words_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
