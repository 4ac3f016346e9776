// The proof as it goes: that every amount which facts make due is posted, and no other (what the
// view `unexplained` says), stretch by stretch of the journals behind their watermarks. ledgerd
// proves in its idle turns; a close proves the rest.
#ifndef VENDUE_PROOF_H
#define VENDUE_PROOF_H

#include "db.h"

#define PROOF_FAULT 400
struct proof_report {
    bool more;                    // there is more that could be proven now
    uint64_t placements, orders;  // of this call, with something due
    char fault[PROOF_FAULT];      // what is unexplained, for people; "" nothing
};
// Proves the next stretch of some log, in a transaction of its own. Small stretches wait: until
// enough has come, or it is old. STATUS_CONFLICT: something is unexplained, `fault` names the
// first; nothing is recorded, the same stretch is proven again next time. Else db.h's answers.
MUST_CHECK enum status proof_turn(struct db *db, usec now, struct proof_report *out_report);
// All of it, up to the watermarks as they are.
MUST_CHECK enum status proof_rest(struct db *db, usec now, struct proof_report *out_report);
// Frames that are booked and not yet proven, of all logs.
MUST_CHECK enum status proof_behind(struct db *db, uint64_t *out_frames);

#endif
