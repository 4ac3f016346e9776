// docs/protocol.md against the code: its table of reasons, its example in bytes, its limits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "pack.h"
#include "terms.h"

static char text[128 * 1024];

static int
read_protocol(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/docs/protocol.md", "r");
    if (file == NULL) return -1;
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    return fclose(file);
}

static void
reasons_are_those_of_the_code(void **state)
{
    (void)state;
    char *table = strstr(text, "<!-- reasons:");
    char *end = strstr(text, "## 11 ");
    assert_non_null(table);
    assert_non_null(end);
    unsigned rows = 0;
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        char row[512];
        enum reason is = (enum reason)reason;
        snprintf(row, sizeof row, "\n| %u | `%s` | %s |\n", reason_number(is), reason_key(is),
                 reason_text(is));
        char *found = strstr(table, row);
        if (found == NULL || found > end)
            fail_msg("docs/protocol.md, section 10, lacks: %s", row + 1);
    }
    for (char *row = strstr(table, "\n| "); row != NULL && row < end; row = strstr(row + 1, "\n| "))
        rows++;
    assert_int_equal(rows, REASON_COUNT + 1);  // and the heading
}

static void
numbers_are_distinct(void **state)
{
    (void)state;
    for (int a = 0; a < REASON_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_int_not_equal(reason_number((enum reason)a), reason_number((enum reason)b));
            assert_string_not_equal(reason_key((enum reason)a), reason_key((enum reason)b));
        }
    }
}

static void
the_example_in_bytes_is_true(void **state)
{
    (void)state;
    uint8_t bytes[64];
    char hex[140] = "`";
    struct pack pack = {.data = bytes, .room = sizeof bytes};
    pack_array(&pack, 4), pack_integer(&pack, 0), pack_integer(&pack, 1),
        pack_string(&pack, "hello");
    pack_array(&pack, 1), pack_map(&pack, 1), pack_pair_string(&pack, "client", "shop");
    for (size_t i = 0; i < pack.len; i++) snprintf(hex + 1 + 2 * i, 3, "%02x", bytes[i]);
    strcat(hex, "`");
    assert_non_null(strstr(text, hex));
}

static void
limits_are_those_of_the_code(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        long long value;
    } limits[] = {
        {"| bytes of a message | %lld |", BOUND_MESSAGE_BYTES},
        {"| nesting of arrays and maps | %lld,", BOUND_MESSAGE_DEPTH},
        {"| arrays, maps and values in a message | %lld |", BOUND_MESSAGE_ITEMS},
        {"| fields of one map | %lld |", BOUND_MESSAGE_FIELDS},
        {"| your references (`id`, `order`, `refund`) | %lld bytes |", BOUND_KEY},
        {"| codes, a tagid among them | %lld bytes |", BOUND_CODE},
        {"| `user.id` | %lld bytes |", BOUND_CUSTOMER},
        {"| slots of a container | %lld |", BOUND_SLOTS},
        {"| declared attributes | %lld |", BOUND_DECLARED},
        {"| items of all list attributes of a contact | %lld |", BOUND_LIST_ITEMS},
        {"| an amount | 1 to %lld micros |", BOUND_MICROS},
        {"| bids in one `bid.list` | %lld |", BOUND_LIST_BIDS},
        {"| bytes in one `statement.get` | %lld |", BOUND_STATEMENT_PIECE},
        {"(%lld KiB), we stop reading", BOUND_OUTPUT_SOFT / 1024},
        {"beyond %lld MiB we hang up", BOUND_OUTPUT_HARD / 1024 / 1024},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        char row[200];
        // The rows are the formats: they are constants of this file.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(row, sizeof row, limits[i].row, limits[i].value);
#pragma GCC diagnostic pop
        if (strstr(text, row) == NULL) fail_msg("docs/protocol.md lacks: %s", row);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_those_of_the_code),
        cmocka_unit_test(numbers_are_distinct),
        cmocka_unit_test(the_example_in_bytes_is_true),
        cmocka_unit_test(limits_are_those_of_the_code),
    };
    return cmocka_run_group_tests(tests, read_protocol, NULL);
}
