#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "hash.h"

static void
sha256_answers_the_standards_vector(void **state)
{
    (void)state;
    // FIPS 180-2, appendix B.1: "abc"
    static const uint8_t expected[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                         0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                         0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                         0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct digest digest = hash_sha256("abc", 3);
    assert_memory_equal(digest.bytes, expected, 32);
    struct hash_piece pieces[] = {{"a", 1}, {"", 0}, {"bc", 2}};
    struct digest again = hash_sha256_pieces(pieces, 3);
    assert_true(digest_same(digest, again));
    hash_thread_end();
    again = hash_sha256("abc", 3);
    assert_true(digest_same(digest, again));
}

static void
siphash_answers_its_authors_vector(void **state)
{
    (void)state;
    // SipHash-2-4, key 00..0f, message 00..0e: a129ca6149be45e5 (Aumasson and Bernstein 2012,
    // appendix A)
    uint8_t key[16];
    char message[15];
    for (size_t i = 0; i < 16; i++) key[i] = (uint8_t)i;
    for (size_t i = 0; i < 15; i++) message[i] = (char)i;
    assert_true(hash_customer(key, message, 15) == 0xa129ca6149be45e5u);
    assert_true(hash_customer(key, message, 15) == 0xa129ca6149be45e5u);
    assert_true(hash_customer(key, message, 14) != hash_customer(key, message, 15));
}

static void
ids_are_told_apart_by_domain(void **state)
{
    (void)state;
    assert_false(id_same(hash_id("ab", "c", 1), hash_id("a", "bc", 2)));
    assert_true(id_same(hash_id("win", "x", 1), hash_id("win", "x", 1)));
}

static void
ids_read_back(void **state)
{
    (void)state;
    struct id id = hash_id("test", "1", 1), again;
    char text[ID_TEXT];
    id_format(id, text);
    assert_int_equal(strlen(text), 32);
    assert_int_equal(id_parse(text, 32, &again), STATUS_OK);
    assert_true(id_same(id, again));
    const char *dashed = "5f0c9a7b-e2d1-4c38-a6f1-700293be4d10";
    assert_int_equal(id_parse(dashed, strlen(dashed), &again), STATUS_OK);
    id_format(again, text);
    assert_string_equal(text, "5f0c9a7be2d14c38a6f1700293be4d10");
    assert_int_equal(id_parse("5f0c", 4, &again), STATUS_INPUT);
    assert_int_equal(id_parse("zf0c9a7be2d14c38a6f1700293be4d10", 32, &again), STATUS_INPUT);
    assert_int_equal(id_parse("5f0c9a7be2d14c38a6f1700293be4d1000", 34, &again), STATUS_INPUT);
}

static void
shards_are_even(void **state)
{
    (void)state;
    unsigned counts[BOUND_SHARDS] = {0};
    for (uint64_t i = 1; i <= 102400; i++) counts[hash_shard(i)]++;
    for (unsigned i = 0; i < BOUND_SHARDS; i++)
        assert_in_range(counts[i], 50, 160);  // 100 each, +-5 sigma and more
}

// FIPS 197, appendix C.1.
static void
names_are_aes_and_lead_back(void **state)
{
    (void)state;
    uint8_t key[16];
    struct id plain;
    char text[ID_TEXT];
    for (uint8_t i = 0; i < 16; i++) {
        key[i] = i;
        plain.bytes[i] = (uint8_t)(i * 0x11);
    }
    struct id name = hash_rename(key, plain);
    id_format(name, text);
    assert_string_equal(text, "69c4e0d86a7b0430d8cdb78070b4c55a");
    assert_true(id_same(hash_rename_back(key, name), plain));
    assert_true(id_same(hash_rename(key, plain), name));
    key[0] = 1;
    assert_false(id_same(hash_rename_back(key, name), plain));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_answers_the_standards_vector),
        cmocka_unit_test(siphash_answers_its_authors_vector),
        cmocka_unit_test(ids_are_told_apart_by_domain),
        cmocka_unit_test(ids_read_back),
        cmocka_unit_test(names_are_aes_and_lead_back),
        cmocka_unit_test(shards_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
