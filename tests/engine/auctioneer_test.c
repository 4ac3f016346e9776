// Recovery of the book from a journal: the same book as the live one; a pool that is too small and
// a fact that does not follow are refused by name, with the place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../engine/auctioneer.h"
#include "fail.h"
#include "folder.h"
#include "random_history.h"

static char directory[64];

static int
make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/vendue-auctioneer-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int
remove_directory(void **state)
{
    (void)state;
    return folder_remove(directory);
}

// A journal of a market at work: a frame for each position.
static void
write_journal(const struct history *history)
{
    struct journal_options options = {.log = 1, .epoch = 1, .segment_bytes = 1 << 20};
    struct journal_position position;
    struct journal_fault fault;
    struct journal *journal;
    CHECK(journal_open(directory, &options, &journal, &fault) == STATUS_OK);
    for (uint32_t i = 0, count; i < history->count; i += count) {
        for (count = 1; i + count < history->count; count++)
            if (history->positions[i + count].batch != history->positions[i].batch) break;
        CHECK(journal_append(journal, &history->facts[i], count, history->now, &position) ==
              STATUS_OK);
        CHECK(position.batch == history->positions[i].batch);
    }
    CHECK(journal_sync(journal) == STATUS_OK);
    journal_close(journal);
}

static enum status
recover(const struct history *history, const struct book_limits *limits, struct digest *out_digest,
        struct journal_fault *out_fault)
{
    struct auctioneer *auctioneer = auctioneer_open(limits);
    struct reasons *reasons = reasons_open();
    struct journal_position end;
    auctioneer_catalog(auctioneer, history->catalog);
    reasons_catalog(reasons, history->catalog);
    enum status status = auctioneer_recover(auctioneer, reasons, directory, &end, out_fault);
    if (status == STATUS_OK) assert_int_equal(end.batch, history->batch - 1);
    *out_digest = book_digest(auctioneer_book(auctioneer));
    auctioneer_close(auctioneer);
    reasons_close(reasons);
    return status;
}

static void
open_market(struct history *history)
{
    struct random_market options = {.bids = 200, .prices = 20, .version = 1};
    random_market_everything(&options);
    history_open(history, random_seed(83), &options, &history_limits);
    for (unsigned step = 0; step < 600; step++) history_step(history);
}

static void
test_recovers(void **state)
{
    (void)state;
    struct history history;
    struct digest digest;
    struct journal_fault fault = {""};
    open_market(&history);
    write_journal(&history);
    assert_int_equal(recover(&history, &history_limits, &digest, &fault), STATUS_OK);
    assert_true(digest_same(digest, book_digest(history.book)));
    history_close(&history);
}

static void
test_too_small(void **state)
{
    (void)state;
    struct history history;
    struct digest digest;
    struct journal_fault fault = {""};
    struct book_limits limits = history_limits;
    open_market(&history);
    write_journal(&history);
    limits.customers = 1;
    assert_int_equal(recover(&history, &limits, &digest, &fault), STATUS_FULL);
    assert_non_null(strstr(fault.text, "raise book.placements, book.customers"));
    assert_memory_equal(fault.text, "batch ", 6);
    history_close(&history);
}

static void
test_does_not_follow(void **state)
{
    (void)state;
    struct history history;
    struct digest digest;
    struct journal_fault fault = {""};
    open_market(&history);
    uint32_t i = 0;
    while (history.facts[i].kind != FACT_DELIVERED) i++;
    struct fact wrong[2] = {history.facts[i], {.kind = FACT_KIND_COUNT}};
    wrong[0].kind = FACT_NONE;
    for (unsigned which = 0; which < 2; which++) {
        char says[64];
        struct fact right = history.facts[i];
        history.facts[i] = wrong[which];
        write_journal(&history);
        assert_int_equal(recover(&history, &history_limits, &digest, &fault), STATUS_INPUT);
        snprintf(says, sizeof says, "batch %llu, fact 0 (%s) does not follow",
                 (unsigned long long)history.positions[i].batch,
                 which == 0 ? fact_kind_name(FACT_NONE) : "of no kind");
        if (strncmp(fault.text, says, strlen(says)) != 0) fail_msg("%s", fault.text);
        history.facts[i] = right;
        assert_int_equal(remove_directory(NULL), 0);
        assert_int_equal(make_directory(NULL), 0);
    }
    history_close(&history);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_recovers, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_too_small, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_does_not_follow, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
