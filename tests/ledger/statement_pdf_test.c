// A statement as PDF: the same bytes for the same statement, page breaks with headings and page
// numbers, nothing cut off, letters of any script answered.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ledger/statement_inside.h"
#include "seed.h"

static uint64_t seed;

static struct market_party party = {.legal_name = "Handel & S\xc3\xb6hne \xe2\x80\x93 GmbH",
                                    .street = "",
                                    .city = "Bremen",
                                    .postal_code = "28195",
                                    .country = "DE",
                                    .tax_id = "DE1",
                                    .registration = "",
                                    .email = "",
                                    .iban = "",
                                    .bic = ""};

static struct statement
with_lines(struct arena *arena, size_t count)
{
    struct statement one = {.version = 2,
                            .seat = 7,
                            .code = "grill",
                            .name = "Grill (House\\)",
                            .kind = "partner",
                            .contracts = "grill.1 (credit)\ngrill.2 (prepaid)",
                            .currency = {"EUR"},
                            .closed = true,
                            .party = &party,
                            .host = &party,
                            .host_name = "Host",
                            .digest = "d1",
                            .root = "r1"};
    struct section *section = &one.sections[SECTION_CHARGED];
    assert_int_equal(period_parse("2026-11", 7, &one.period), STATUS_OK);
    for (int i = 0; i < SECTION_COUNT; i++) one.sections[i].carried_from = "2026-10";
    section->lines = arena_take(arena, count + 1, sizeof *section->lines);
    section->count = count;
    section->carried_in = money_of(4321);
    for (size_t i = 0; i < count; i++)
        section->lines[i] = (struct line){
            .slot_id = 1,
            .container = "a_container_whose_code_is_as_long_as_codes_may_b",
            .slot = arena_printf(arena, "slot_%zu_of_a_name_that_does_not_fit_in_any_column", i),
            .message = "grill.message_of_a_length_that_nobody_would_choose",
            .rung = "commercialization",
            .won = (int64_t)i,
            .amount = money_of((int64_t)i * 123456789)};
    assert_int_equal(statement_round(&one, arena), STATUS_OK);
    return one;
}

static size_t
occurrences(const char *bytes, size_t len, const char *what)
{
    size_t count = 0;
    const char *end = bytes + len;
    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), what, strlen(what))); at++)
        count++;
    return count;
}

static void
many_lines_take_many_pages(void **state)
{
    (void)state;
    struct arena *arena = arena_open("pdf");
    struct statement one = with_lines(arena, 200);
    size_t len = 0, again = 0;
    char words[64];
    const char *bytes = statement_print_pdf(&one, arena, &len);
    const char *same = statement_print_pdf(&one, arena, &again);
    assert_int_equal(len, again);
    assert_memory_equal(bytes, same, len);
    size_t pages = occurrences(bytes, len, "/Type /Page\n");
    assert_true(pages > 5);
    for (size_t i = 1; i <= pages; i++) {
        snprintf(words, sizeof words, "page %zu of %zu)", i, pages);
        assert_int_equal(occurrences(bytes, len, words), 1);
    }
    // Headings on each page that has lines.
    assert_true(occurrences(bytes, len, "(not shown)") + 1 >= pages);
    assert_int_equal(occurrences(bytes, len, "CreationDate"), 0);
    assert_true(statement_pdf_same_library(bytes, len));
    const char *keep = getenv("VENDUE_KEEP_PDF");  // to look at it
    if (keep != NULL) {
        FILE *out = fopen(keep, "w");
        assert_non_null(out);
        fwrite(bytes, 1, len, out);
        fclose(out);
    }
    arena_close(arena);
}

// Names of any bytes: a document, never a crash, and its strings end where they should.
static void
any_name_is_printed(void **state)
{
    (void)state;
    struct arena *arena = arena_open("pdf");
    for (int i = 0; i < 200; i++) {
        char name[200];
        size_t len = hash_mix(seed + (uint64_t)i) % 190;
        for (size_t k = 0; k < len; k++)
            name[k] = (char)(1 + hash_mix(seed * 7 + (uint64_t)i * 500 + k) % 255);
        name[len] = '\0';
        struct statement one = with_lines(arena, 1);
        one.name = name;
        size_t size = 0;
        const char *bytes = statement_print_pdf(&one, arena, &size);
        assert_memory_equal(bytes + size - 6, "%%EOF\n", 6);
        arena_reset(arena);
    }
    arena_close(arena);
}

int
main(void)
{
    seed = seed_fresh();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_lines_take_many_pages),
        cmocka_unit_test(any_name_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
