#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "../../engine/mailbox.h"
#include "fail.h"
#include "hash.h"
#include "seed.h"

#define ROUNDS 200000

static uint64_t random_state;

static uint64_t
next_random(void)
{
    return hash_mix(random_state++);
}

// Stands for the scribe: checks that facts come in order, whole and contiguous, stamps and settles.
struct checker {
    struct mailbox *box;
    _Atomic uint64_t facts_seen;
    uint64_t batches;
};

static void *
checker_loop(void *argument)
{
    struct checker *checker = argument;
    uint64_t next = 0;
    for (;;) {
        struct mail_run run = mailbox_take(checker->box, true);
        if (run.mails == 0) return NULL;
        CHECK(run.fact_count <= BOUND_FRAME_FACTS);
        for (uint32_t i = 0; i < run.fact_count; i++) CHECK(run.facts[i].customer == next++);
        mailbox_stamp(checker->box, &run, ++checker->batches);
        atomic_store(&checker->facts_seen, next);
        mailbox_settle(checker->box);
    }
}

// What the edge expects of each mail, in order.
struct expected {
    uint64_t first_fact;
    unsigned facts;
};

static void
nothing_is_spoken_before_it_is_settled_and_nothing_is_lost(void **state)
{
    (void)state;
    random_state = seed_fixed(7);
    struct checker checker = {.box = mailbox_open(256, 4096)};
    struct expected *expected = calloc(ROUNDS, sizeof *expected);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, checker_loop, &checker), 0);
    uint64_t put = 0, spoken = 0, fact = 0, full = 0;
    while (spoken < ROUNDS) {
        unsigned burst = (unsigned)(next_random() % 400);
        for (unsigned i = 0; i < burst && put < ROUNDS; i++) {
            struct fact *room = mailbox_room(checker.box);
            if (room == NULL) {
                full++;
                break;
            }
            unsigned facts = (unsigned)(next_random() % (BOUND_CONTACT_FACTS + 1));
            expected[put] = (struct expected){fact, facts};
            for (unsigned k = 0; k < facts; k++) room[k].customer = fact++;
            mailbox_put(checker.box, facts)->message_id = (uint32_t)put++;
        }
        mailbox_publish(checker.box);
        if (mailbox_edge_sleeps(checker.box) && !mailbox_idle(checker.box)) {
            uint64_t count;
            fd_set set;
            FD_ZERO(&set);
            FD_SET(mailbox_edge_descriptor(checker.box), &set);
            struct timeval limit = {10, 0};  // a lost wake-up is a failure, not a hang
            assert_int_equal(
                select(mailbox_edge_descriptor(checker.box) + 1, &set, NULL, NULL, &limit), 1);
            assert_int_equal(read(mailbox_edge_descriptor(checker.box), &count, sizeof count),
                             sizeof count);
        }
        mailbox_edge_wakes(checker.box);
        for (const struct mail *mail; (mail = mailbox_durable(checker.box)) != NULL;
             mailbox_consume(checker.box)) {
            assert_int_equal(mail->message_id, (uint32_t)spoken);
            assert_int_equal(mail->facts, expected[spoken].facts);
            for (unsigned k = 0; k < mail->facts; k++)
                assert_int_equal(mail->fact[k].customer, expected[spoken].first_fact + k);
            assert_true(atomic_load(&checker.facts_seen) >=
                        expected[spoken].first_fact + mail->facts);
            assert_true(mail->batch >= 1);
            spoken++;
        }
    }
    assert_true(mailbox_idle(checker.box));
    assert_true(full > 0);  // the rings did fill up, so that their limit was met
    mailbox_stop(checker.box);
    assert_int_equal(pthread_join(thread, NULL), 0);
    free(expected);
    mailbox_close(checker.box);
}

static void
a_mark_is_passed_when_all_before_it_is_consumed(void **state)
{
    (void)state;
    struct mailbox *box = mailbox_open(8, 4096);
    assert_true(mailbox_passed(box, mailbox_mark(box)));
    assert_non_null(mailbox_room(box));
    mailbox_put(box, 1);
    uint64_t mark = mailbox_mark(box);
    assert_non_null(mailbox_room(box));
    mailbox_put(box, 1);
    mailbox_publish(box);
    assert_null(mailbox_durable(box));
    assert_int_equal(mailbox_take(box, true).mails, 2);
    mailbox_settle(box);
    assert_false(mailbox_passed(box, mark));
    assert_non_null(mailbox_durable(box));
    mailbox_consume(box);
    assert_true(mailbox_passed(box, mark));
    assert_false(mailbox_idle(box));
    mailbox_close(box);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_spoken_before_it_is_settled_and_nothing_is_lost),
        cmocka_unit_test(a_mark_is_passed_when_all_before_it_is_consumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
