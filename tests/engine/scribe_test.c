#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "../../engine/scribe.h"
#include "folder.h"
#include "hash.h"

#define MAILS_SENT 20000

static char directory[] = "/tmp/vendue-scribe-XXXXXX";

static void
wait_for_the_scribe(struct mailbox *box)
{
    if (!mailbox_edge_sleeps(box)) return;
    uint64_t count;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(mailbox_edge_descriptor(box), &set);
    struct timeval limit = {20, 0};
    assert_int_equal(select(mailbox_edge_descriptor(box) + 1, &set, NULL, NULL, &limit), 1);
    assert_int_equal(read(mailbox_edge_descriptor(box), &count, sizeof count), sizeof count);
    mailbox_edge_wakes(box);
}

// Reads on and checks that the facts are numbered without a gap; returns how many there are by now.
static uint64_t
facts_readable(struct journal_reader *reader, uint64_t next)
{
    struct journal_frame frame;
    struct journal_fault fault;
    enum status status;
    while ((status = journal_read(reader, &frame, &fault)) == STATUS_OK)
        for (uint32_t i = 0; i < frame.count; i++)
            assert_int_equal(frame.facts[i].customer, next++);
    assert_int_equal(status, STATUS_AGAIN);
    return next;
}

// Whatever was settled can be read by another; the batch stamped on a mail is the frame that holds
// its facts.
static void
what_is_settled_is_in_the_journal(void **state)
{
    (void)state;
    struct journal *journal;
    struct journal_reader *reader;
    struct journal_fault fault = {""};
    struct journal_options options = {.log = 1, .epoch = 1, .segment_bytes = 1 << 20};
    if (journal_open(directory, &options, &journal, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    struct journal_position start = {0};
    assert_int_equal(journal_reader_open(directory, &start, &reader, &fault), STATUS_OK);
    struct mailbox *box = mailbox_open(512, 8192);
    struct scribe *scribe = scribe_open(journal, box);
    uint64_t fact = 0, spoken = 0, put = 0, readable = 0, last_batch = 0;
    while (spoken < MAILS_SENT) {
        struct fact *room;
        for (int i = 0; i < 200 && put < MAILS_SENT && (room = mailbox_room(box)) != NULL; i++) {
            unsigned facts = (unsigned)(hash_mix(put) % 6);
            for (unsigned k = 0; k < facts; k++) {
                memset(&room[k], 0, sizeof room[k]);
                room[k].kind = FACT_CONTACT;
                room[k].customer = fact++;
            }
            mailbox_put(box, facts)->message_id = (uint32_t)fact;
            put++;
        }
        mailbox_publish(box);
        wait_for_the_scribe(box);
        uint64_t settled_facts = 0;
        for (const struct mail *mail; (mail = mailbox_durable(box)) != NULL; mailbox_consume(box)) {
            settled_facts = mail->message_id;
            assert_true(mail->batch >= last_batch);
            last_batch = mail->batch;
            spoken++;
        }
        readable = facts_readable(reader, readable);
        assert_true(readable >= settled_facts);
        uint64_t durable;
        assert_int_equal(journal_durable(directory, &durable), STATUS_OK);
        assert_true(durable >= last_batch);
    }
    assert_int_equal(scribe_facts(scribe), fact);
    assert_true(scribe_syncs(scribe) < MAILS_SENT / 4);  // batches gathered while the last sync ran
    assert_false(scribe_full(scribe));
    scribe_close(scribe);
    assert_int_equal(facts_readable(reader, readable), fact);
    journal_reader_close(reader);
    mailbox_close(box);
}

static int
make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int
remove_directory(void **state)
{
    (void)state;
    return folder_remove(directory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_settled_is_in_the_journal),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
