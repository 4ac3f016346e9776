// Sealed second price with a reserve: the published cases of auction_single_item.csv (its `source`
// column says where each comes from) through price_clear. Bidders become seats, bids are numbered
// as they stand, the reserve is everyone's floor. A tie names its possible winners: "a or b ...".
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "price.h"

#define BIDS 16
#define NAME 32

struct reference {
    char id[NAME], winner[64];
    char names[BIDS][NAME];
    struct price_bid bids[BIDS];
    size_t count;
    money price;
};

// The number that a field begins with; one row says behind it what another increment would give.
static money
amount(const char *text)
{
    money parsed;
    assert_int_equal(money_parse(text, strcspn(text, " "), &parsed), STATUS_OK);
    return parsed;
}

static void
parse_bid(struct reference *reference, const char *text, money floor)
{
    const char *colon = strchr(text, ':');
    assert_non_null(colon);
    assert_true(reference->count < BIDS && colon - text < NAME);
    size_t i = reference->count++;
    memcpy(reference->names[i], text, (size_t)(colon - text));
    uint32_t seat = 0;
    while (strcmp(reference->names[seat], reference->names[i]) != 0) seat++;
    reference->bids[i] = (struct price_bid){
        .bid = i + 1, .seat = seat, .price = amount(colon + 1), .floor = floor};
}

// id,reserve,bids(bidder:price...),winner,price,tolerance,provenance,source: the first five hold no
// quotes.
static void
parse(char *line, struct reference *reference)
{
    char *fields[6], *rest = line, *next;
    for (unsigned i = 0; i < 6; i++) {
        fields[i] = strsep(&rest, ",");
        assert_non_null(fields[i]);
    }
    memset(reference, 0, sizeof *reference);
    snprintf(reference->id, sizeof reference->id, "%s", fields[0]);
    snprintf(reference->winner, sizeof reference->winner, "%s", fields[3]);
    reference->price = amount(fields[4]);
    assert_string_equal(fields[5], "0");  // tolerance: exact
    for (char *bids = fields[2]; (next = strsep(&bids, " ")) != NULL;)
        parse_bid(reference, next, amount(fields[1]));
}

// "E", or "a or b by the documented tie rule".
static bool
may_win(const struct reference *reference, const char *name)
{
    char words[64], *rest = words, *word;
    snprintf(words, sizeof words, "%s", reference->winner);
    while ((word = strsep(&rest, " ")) != NULL && strcmp(word, "by") != 0) {
        if (strcmp(word, name) == 0) return true;
    }
    return false;
}

static void
test_single_item(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/tests/reference/auction_single_item.csv", "r");
    assert_non_null(file);
    char line[1024];
    unsigned cases = 0;
    assert_non_null(fgets(line, sizeof line, file));
    assert_memory_equal(line, "id,reserve,bids", 15);
    while (fgets(line, sizeof line, file) != NULL) {
        struct reference reference;
        parse(line, &reference);
        struct price_sale sale;
        price_clear(reference.bids, reference.count, 0, &sale);
        assert_true(sale.winner >= 1 && sale.winner <= reference.count);
        if (!may_win(&reference, reference.names[sale.winner - 1]) ||
            sale.price.micros != reference.price.micros)
            fail_msg("%s: %s at %lld", reference.id, reference.names[sale.winner - 1],
                     (long long)sale.price.micros);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single_item)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
