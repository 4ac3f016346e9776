// Cursors over two rings. Cursors only grow; a ring's index is cursor & mask.
//
//        consumed <= settled <= taken <= published <= put            (mails)
//   edge reads ^   scribe ^   scribe ^   edge ^          ^ edge
//
// Facts of a mail are contiguous in the fact ring and never wrap: when fewer than
// BOUND_CONTACT_FACTS places are left before the ring's end, the rest is skipped. A fact's place is
// free again when its mail is consumed.
//
// Invariants
//   (1) the edge alone writes put, published, consumed; the scribe alone writes taken, settled
//   (2) a mail is spoken of only when settled has passed it: durability before speech
//   (3) who wants to sleep says so first and looks again; who publishes looks whether the other
//       sleeps: with sequentially consistent operations on flag and cursor one of the two sees
//       the other
#include "mailbox.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fail.h"

struct mailbox {
    struct mail *mails;
    struct fact *facts;
    uint32_t mail_mask, fact_mask;
    int edge_descriptor, scribe_descriptor;
    _Alignas(64) uint64_t put, fact_put;  // the edge's own
    uint64_t consumed, fact_consumed;
    _Alignas(64) _Atomic uint64_t published;
    _Alignas(64) _Atomic uint64_t settled;
    _Alignas(64) uint64_t taken;  // the scribe's own
    _Alignas(64) atomic_bool edge_asleep;
    atomic_bool scribe_asleep;
    atomic_bool stopped;
};

static void
wake(int descriptor)
{
    uint64_t one = 1;
    ssize_t written;
    do written = write(descriptor, &one, sizeof one);
    while (written < 0 && errno == EINTR);
    CHECK(written == sizeof one ||
          errno == EAGAIN);  // EAGAIN: the counter is full, so it is awake anyway
}

struct mailbox *
mailbox_open(uint32_t mails, uint32_t facts)
{
    CHECK((mails & (mails - 1)) == 0 && (facts & (facts - 1)) == 0 &&
          facts >= 2 * BOUND_FRAME_FACTS);
    struct mailbox *box = aligned_alloc(64, sizeof *box);
    CHECK(box != NULL);
    memset(box, 0, sizeof *box);
    box->mails = calloc(mails, sizeof *box->mails);
    box->facts = aligned_alloc(64, (size_t)facts * sizeof *box->facts);
    CHECK(box->mails != NULL && box->facts != NULL);
    memset(box->facts, 0, (size_t)facts * sizeof *box->facts);
    box->mail_mask = mails - 1;
    box->fact_mask = facts - 1;
    box->edge_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    box->scribe_descriptor = eventfd(0, EFD_CLOEXEC);
    CHECK(box->edge_descriptor >= 0 && box->scribe_descriptor >= 0);
    return box;
}

void
mailbox_close(struct mailbox *box)
{
    if (box == NULL) return;
    close(box->edge_descriptor);
    close(box->scribe_descriptor);
    free(box->mails);
    free(box->facts);
    free(box);
}

struct fact *
mailbox_room(struct mailbox *box)
{
    if (box->put - box->consumed > box->mail_mask) return NULL;
    uint64_t at = box->fact_put;
    uint64_t left = box->fact_mask + 1 - (at & box->fact_mask);
    if (left < BOUND_CONTACT_FACTS) at += left;
    if (at + BOUND_CONTACT_FACTS - box->fact_consumed > box->fact_mask + 1) return NULL;
    box->fact_put = at;
    return &box->facts[at & box->fact_mask];
}

struct mail *
mailbox_put(struct mailbox *box, unsigned facts)
{
    CHECK(facts <= BOUND_CONTACT_FACTS);
    struct mail *mail = &box->mails[box->put++ & box->mail_mask];
    memset(mail, 0, sizeof *mail);
    mail->facts = (uint16_t)facts;
    mail->fact = &box->facts[box->fact_put & box->fact_mask];
    box->fact_put += facts;
    mail->fact_end = box->fact_put;
    return mail;
}

void
mailbox_publish(struct mailbox *box)
{
    if (atomic_load_explicit(&box->published, memory_order_relaxed) == box->put) return;
    atomic_store(&box->published, box->put);
    if (atomic_load(&box->scribe_asleep)) wake(box->scribe_descriptor);
}

const struct mail *
mailbox_durable(struct mailbox *box)
{
    if (atomic_load_explicit(&box->settled, memory_order_acquire) == box->consumed) return NULL;
    return &box->mails[box->consumed & box->mail_mask];
}

void
mailbox_consume(struct mailbox *box)
{
    box->fact_consumed = box->mails[box->consumed & box->mail_mask].fact_end;
    box->consumed++;
}

bool
mailbox_idle(const struct mailbox *box)
{
    return box->consumed == box->put;
}

uint64_t
mailbox_mark(const struct mailbox *box)
{
    return box->put;
}

bool
mailbox_passed(const struct mailbox *box, uint64_t mark)
{
    return box->consumed >= mark;
}

bool
mailbox_edge_sleeps(struct mailbox *box)
{
    atomic_store(&box->edge_asleep, true);
    if (atomic_load(&box->settled) == box->consumed) return true;
    atomic_store(&box->edge_asleep, false);
    return false;
}

void
mailbox_edge_wakes(struct mailbox *box)
{
    atomic_store(&box->edge_asleep, false);
}

int
mailbox_edge_descriptor(const struct mailbox *box)
{
    return box->edge_descriptor;
}

void
mailbox_wake_edge(struct mailbox *box)
{
    wake(box->edge_descriptor);
}

// Going to sleep and being woken costs each side more than a few turns of the scheduler: the scribe
// lets others run first, and mostly finds the next mails by then.
#define SCRIBE_YIELDS 100

// Waits until something is published or the mailbox is stopped.
static void
scribe_waits(struct mailbox *box)
{
    for (int i = 0; i < SCRIBE_YIELDS; i++) {
        if (atomic_load_explicit(&box->published, memory_order_relaxed) != box->taken) return;
        sched_yield();
    }
    atomic_store(&box->scribe_asleep, true);
    while (atomic_load(&box->published) == box->taken && !atomic_load(&box->stopped)) {
        uint64_t count;
        ssize_t got = read(box->scribe_descriptor, &count, sizeof count);
        CHECK(got == sizeof count || errno == EINTR);
    }
    atomic_store(&box->scribe_asleep, false);
}

struct mail_run
mailbox_take(struct mailbox *box, bool wait)
{
    uint64_t end = atomic_load_explicit(&box->published, memory_order_acquire);
    if (end == box->taken && wait) {
        scribe_waits(box);
        end = atomic_load(&box->published);
    }
    struct mail_run run = {.first = box->taken};
    while (box->taken != end) {
        const struct mail *mail = &box->mails[box->taken & box->mail_mask];
        if (mail->facts > 0 && run.fact_count > 0 &&
            (mail->fact != run.facts + run.fact_count ||
             run.fact_count + mail->facts > BOUND_FRAME_FACTS))
            break;
        if (mail->facts > 0 && run.fact_count == 0) run.facts = mail->fact;
        run.fact_count += mail->facts;
        run.mails++;
        box->taken++;
    }
    return run;
}

void
mailbox_stamp(struct mailbox *box, const struct mail_run *run, uint64_t batch)
{
    for (uint32_t i = 0; i < run->mails; i++)
        box->mails[(run->first + i) & box->mail_mask].batch = batch;
}

void
mailbox_settle(struct mailbox *box)
{
    atomic_store(&box->settled, box->taken);
    if (atomic_load(&box->edge_asleep)) wake(box->edge_descriptor);
}

void
mailbox_stop(struct mailbox *box)
{
    atomic_store(&box->stopped, true);
    wake(box->scribe_descriptor);
}

bool
mailbox_stopped(const struct mailbox *box)
{
    return atomic_load(&box->stopped);
}
