// Acts: numbered without gaps however many make them, once, never behind the fence; whoever changes
// an act, a transfer of one, adds or removes any is found.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "books.h"

static struct books books;

static int
set_up(void **state)
{
    (void)state;
    books_open(&books, books_market, "2026-11-03T09:00:00Z");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    books_close(&books);
    return 0;
}

static struct transfer
some_transfer(uint64_t number, int64_t micros)
{
    struct transfer one = {
        .id = hash_id("act test", &number, sizeof number),
        .kind = TRANSFER_DEPOSIT,
        .state = TRANSFER_POSTED,
        .debit = {.code = ACCOUNT_BANK},
        .credit = {.code = ACCOUNT_PREPAID, .seat = 3},
        .currency = {"EUR"},
        .amount = money_of(micros),
        .effective = books.now,
        .seat = 3,
        .rung = -1,
        .won_rung = -1,
        .reason = "",
        .reference = "a|b\nc",
    };
    one.group = one.id;
    return one;
}

// One act with this many transfers.
static enum status
make(struct db *db, uint64_t number, unsigned transfers, uint64_t *out_number)
{
    struct act *act = NULL;
    assert_int_equal(db_begin(db), STATUS_OK);
    enum status status = act_begin(db, "deposit", "ada", "ben", books.now, &act);
    assert_int_equal(status, STATUS_OK);
    *out_number = act_number(act);
    act_note(act, "said", "two\nlines");
    act_note_money(act, "amount", money_of(1500000), (struct currency){"EUR"});
    for (unsigned i = 0; i < transfers; i++) {
        struct transfer one = some_transfer(1000 * number + i, 100 + (int64_t)i);
        if (i % 2) one.leg = 7, one.model = 3, one.origin = one.group, one.objectives = 5;
        act_transfer(act, &one);
    }
    assert_int_equal(act_transfers(act), transfers);
    status = act_end(act);
    if (status == STATUS_OK) status = db_commit(db);
    else db_rollback(db);
    return status;
}

static void
verifies(uint64_t acts)
{
    struct act_head head, now;
    char fault[ACT_FAULT];
    enum status status = act_verify(books.console_db, &head, fault);
    if (status != STATUS_OK) print_message("%s\n", fault);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(head.number, acts);
    assert_int_equal(act_head(books.ledger_db, &now), STATUS_OK);
    assert_true(now.number == head.number && digest_same(now.digest, head.digest));
}

static void
books_and_chains(void **state)
{
    (void)state;
    uint64_t number;
    verifies(0);
    assert_int_equal(make(books.console_db, 1, 0, &number), STATUS_OK);
    assert_int_equal(number, 1);
    assert_int_equal(make(books.ledger_db, 2, 5, &number), STATUS_OK);
    assert_int_equal(number, 2);
    verifies(2);
    // The same ids again: nothing of it is kept, and the number is given to the next one.
    assert_int_equal(make(books.console_db, 2, 5, &number), STATUS_CONFLICT);
    assert_int_equal(make(books.console_db, 3, 300, &number), STATUS_OK);
    assert_int_equal(number, 3);
    verifies(3);
    assert_string_equal(books_text(&books, "select author || ' ' || approver || ' ' || body from"
                                           " act where number = 2"),
                        "ada ben said two lines\namount 1.50 EUR\n");
    assert_string_equal(books_text(&books, "select count(*) || ' ' || sum(amount_micros) || ' ' ||"
                                           " min(period) || ' ' || min(reference) from transfer"
                                           " where log = 0 and batch = 2"),
                        "5 510 2026-11 a|b c");
}

static void
refuses_names_that_are_none(void **state)
{
    (void)state;
    struct act *act = NULL;
    char name[ACT_PERSON + 2];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(act_begin(books.console_db, "deposit", name, "", books.now, &act),
                     STATUS_INPUT);
    assert_int_equal(act_begin(books.console_db, "deposit", "", "", books.now, &act), STATUS_INPUT);
    assert_int_equal(act_begin(books.console_db, "deposit", "a\nb", "", books.now, &act),
                     STATUS_INPUT);
    assert_int_equal(act_begin(books.console_db, "deposit", "a", "b\tc", books.now, &act),
                     STATUS_INPUT);
    act_abandon(act);
    db_rollback(books.console_db);
}

static void
goes_behind_the_fence(void **state)
{
    (void)state;
    struct act *act = NULL;
    assert_int_equal(db_script(books.db,
                               "insert into period_event values ('2026-11', 1, 'fence', 0,"
                               " 1796083200000000, 0, '', 'statements 2')"),  // 2026-12-01
                     STATUS_OK);
    assert_int_equal(db_begin(books.console_db), STATUS_OK);
    assert_int_equal(act_begin(books.console_db, "deposit", "ada", "", books.now, &act), STATUS_OK);
    assert_int_equal(act_fenced_until(act).us, 1796083200000000);
    struct transfer late = some_transfer(77, 5), closing = some_transfer(78, 6);
    strcpy(closing.period, "2026-11");
    act_transfer(act, &late);
    act_transfer(act, &closing);
    assert_int_equal(act_end(act), STATUS_OK);
    assert_int_equal(db_commit(books.console_db), STATUS_OK);
    assert_string_equal(books_text(&books, "select string_agg(period || late, ' ' order by idx)"
                                           " from transfer where log = 0 and batch ="
                                           " (select max(number) from act)"),
                        "2026-12true 2026-11false");
    assert_int_equal(db_script(books.db, "delete from period_event"), STATUS_OK);
    verifies(4);
}

static void
many_at_once_take_turns(void **state)
{
    (void)state;
    struct act_head before;
    assert_int_equal(act_head(books.db, &before), STATUS_OK);
    pid_t children[4];
    for (unsigned i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] > 0) continue;
        struct db *db = NULL;
        uint64_t number;
        bool fine = db_open(i % 2 ? books.console : books.ledger, "act", &db, NULL) == STATUS_OK;
        for (unsigned k = 0; k < 15 && fine; k++)
            fine = make(db, 100 + 100 * i + k, 2, &number) == STATUS_OK;
        _exit(fine ? 0 : 1);
    }
    for (int i = 0; i < 4; i++) {
        int code = 0;
        assert_int_equal(waitpid(children[i], &code, 0), children[i]);
        assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
    verifies(before.number + 60);
}

// What an owner does behind our back, what undoes it, and what must be said of it.
static const struct tamper {
    const char *change, *back, *named;
} tampers[] = {
    {"update act set author = 'eve' where number = 2",
     "update act set author = 'ada' where"
     " number = 2",
     "act 2 "},
    {"update act set body = body || ' ' where number = 1",
     "update act set body = rtrim(body, ' ')"
     " where number = 1",
     "act 1 is not what was written"},
    {"update act set at_us = at_us + 1 where number = 3",
     "update act set at_us = at_us - 1 where"
     " number = 3",
     "act 3 "},
    {"update act set digest = previous where number = 2", NULL, "act 2 "},
    {"update transfer set amount_micros = 101 where log = 0 and batch = 2 and idx = 0",
     "update transfer set amount_micros = 100 where log = 0 and batch = 2 and idx = 0", "act 2 or"},
    {"update transfer set reference = 'other' where log = 0 and batch = 2 and idx = 1",
     "update transfer set reference = 'a|b c' where log = 0 and batch = 2 and idx = 1", "act 2 or"},
    {"update transfer set batch = 9999 where log = 0 and batch = 2 and idx = 4",
     "update transfer set batch = 2 where log = 0 and batch = 9999", "act 2 made 5"},
    {"update transfer set idx = 9 where log = 0 and batch = 2 and idx = 3",
     "update transfer set idx = 3 where log = 0 and batch = 2 and idx = 9", "act 2 has no"},
};

static void
tampering_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tampers / sizeof *tampers; i++) {
        struct act_head head;
        char fault[ACT_FAULT], keep[256] = "";
        if (!tampers[i].back)
            snprintf(keep, sizeof keep,
                     "update act set digest = decode('%s', 'hex') where"
                     " number = 2",
                     books_text(&books, "select encode(digest, 'hex') from act where number = 2"));
        assert_int_equal(db_script(books.db, tampers[i].change), STATUS_OK);
        assert_int_equal(act_verify(books.console_db, &head, fault), STATUS_CONFLICT);
        if (strncmp(fault, tampers[i].named, strlen(tampers[i].named)) != 0)
            fail_msg("%s: %s", tampers[i].change, fault);
        assert_int_equal(db_script(books.db, tampers[i].back ? tampers[i].back : keep), STATUS_OK);
    }
    verifies(64);
    // An act that is gone, with all its transfers.
    struct act_head head;
    char fault[ACT_FAULT];
    assert_int_equal(db_begin(books.db), STATUS_OK);
    assert_int_equal(db_script(books.db, "delete from transfer where log = 0 and batch = 3;"
                                         "delete from act where number = 3"),
                     STATUS_OK);
    assert_int_equal(act_verify(books.db, &head, fault), STATUS_CONFLICT);
    assert_non_null(strstr(fault, "act 3 is missing"));
    db_rollback(books.db);
    // The roles have no right to any of it.
    assert_int_equal(db_script(books.console_db, "update act set author = 'eve'"), STATUS_DENIED);
    assert_int_equal(db_script(books.ledger_db, "delete from act"), STATUS_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_and_chains),      cmocka_unit_test(refuses_names_that_are_none),
        cmocka_unit_test(goes_behind_the_fence), cmocka_unit_test(many_at_once_take_turns),
        cmocka_unit_test(tampering_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
