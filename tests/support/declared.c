// Markets declared in a test's own text; see declared.h.
#include "declared.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct market *
declared_market_bytes(const char *text, size_t len, struct arena *arena)
{
    struct market_report report = {.arena = arena};
    struct market *market = NULL;
    enum status status = market_file_read(text, len, arena, &report, &market);
    if (status != STATUS_OK) {
        market_file_print(&report, "test", stdout);
        print_message("%.*s\n", (int)len, text);
    }
    assert_int_equal(status, STATUS_OK);
    return market;
}

struct market *
declared_market(const char *text, struct arena *arena)
{
    return declared_market_bytes(text, strlen(text), arena);
}
