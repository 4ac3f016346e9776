// Errands: what a seat asked for that has to be read from files. The edge hands them to the
// loader's thread, which reads; the edge answers once they are done. A few at a time, in slots of
// their own.
#ifndef VENDUE_ERRAND_H
#define VENDUE_ERRAND_H

#include "session.h"
#include "statements.h"

#define ERRANDS 16  // at once; one more is answered busy

struct errand {
    // What is asked: a list of statements, or a piece of one.
    struct session_handle session;
    uint32_t id;  // of the request
    bool list;
    char seat[BOUND_CODE + 1];
    struct decode_statement get;
    // What came of it: a reason, or the result as MessagePack.
    enum reason reason;
    const char *field;  // of the refusal
    uint32_t len;
    uint8_t result[BOUND_MESSAGE_BYTES];
};
struct errands;

struct errands *errand_open(const char *market_directory);
void errand_close(struct errands *errands);  // NULL is allowed

// --- Edge ----------------------------------------------------------------------------------------
struct errand *errand_begin(struct errands *errands);  // NULL: all are under way
void errand_send(struct errands *errands, struct errand *errand);
struct errand *errand_done(struct errands *errands);  // the next that is done; NULL none
void errand_end(struct errands *errands, struct errand *errand);

// --- Loader --------------------------------------------------------------------------------------
// Waits until an errand comes, at most so long.
void errand_wait(struct errands *errands, uint32_t ms);
// Does all that came; true: there were some.
bool errand_run(struct errands *errands);

#endif
