// Each slot goes FREE, ASKED, DONE, FREE again: who may touch it is said by its state alone, stored
// with release and loaded with acquire, so nothing is locked. The edge writes ASKED and FREE, the
// loader DONE. An eventfd wakes the loader.
#include "errand.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fail.h"

enum errand_state { ERRAND_FREE, ERRAND_ASKED, ERRAND_DONE };

struct errands {
    const char *market_directory;
    int descriptor;
    uint32_t under_way;  // the edge's own
    _Atomic int states[ERRANDS];
    struct errand of[ERRANDS];
};

struct errands *
errand_open(const char *market_directory)
{
    struct errands *errands = calloc(1, sizeof *errands);
    CHECK(errands != NULL);
    errands->market_directory = market_directory;
    errands->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(errands->descriptor >= 0);
    return errands;
}

void
errand_close(struct errands *errands)
{
    if (errands == NULL) return;
    close(errands->descriptor);
    free(errands);
}

static struct errand *
find(struct errands *errands, enum errand_state state)
{
    for (unsigned i = 0; i < ERRANDS; i++)
        if (atomic_load_explicit(&errands->states[i], memory_order_acquire) == (int)state)
            return &errands->of[i];
    return NULL;
}

static void
set(struct errands *errands, const struct errand *errand, enum errand_state state)
{
    atomic_store_explicit(&errands->states[errand - errands->of], (int)state, memory_order_release);
}

struct errand *
errand_begin(struct errands *errands)
{
    return find(errands, ERRAND_FREE);
}

void
errand_send(struct errands *errands, struct errand *errand)
{
    uint64_t one = 1;
    errands->under_way++;
    set(errands, errand, ERRAND_ASKED);
    ssize_t written = write(errands->descriptor, &one, sizeof one);
    CHECK(written == sizeof one || errno == EAGAIN || errno == EINTR);
}

struct errand *
errand_done(struct errands *errands)
{
    return errands->under_way == 0 ? NULL : find(errands, ERRAND_DONE);
}

void
errand_end(struct errands *errands, struct errand *errand)
{
    errands->under_way--;
    set(errands, errand, ERRAND_FREE);
}

void
errand_wait(struct errands *errands, uint32_t ms)
{
    struct pollfd wait = {.fd = errands->descriptor, .events = POLLIN};
    uint64_t count;
    if (poll(&wait, 1, (int)ms) <= 0) return;
    ssize_t got = read(errands->descriptor, &count, sizeof count);
    CHECK(got == sizeof count || errno == EAGAIN || errno == EINTR);
}

static void
run(const struct errands *errands, struct errand *errand)
{
    struct pack pack = {.data = errand->result, .room = sizeof errand->result};
    errand->reason = REASON_NONE;
    errand->field = NULL;
    if (errand->list) {
        statements_list(&pack, errands->market_directory, errand->seat);
    } else {
        struct statement_piece piece;
        errand->reason = statements_read(errands->market_directory, errand->seat, &errand->get,
                                         &piece);
        errand->field = errand->reason == REASON_OUT_OF_RANGE ? "offset" : "period";
        if (errand->reason == REASON_NONE) statements_get(&pack, &errand->get, &piece);
    }
    if (errand->reason == REASON_NONE && pack.full) {
        errand->reason = REASON_TOO_LARGE;
        errand->field = NULL;
    }
    errand->len = (uint32_t)pack.len;
}

bool
errand_run(struct errands *errands)
{
    bool any = false;
    for (struct errand *errand; (errand = find(errands, ERRAND_ASKED)) != NULL; any = true) {
        run(errands, errand);
        set(errands, errand, ERRAND_DONE);
    }
    return any;
}
