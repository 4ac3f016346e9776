// A past round decided again: the journal folded up to just before its contact, the catalog that
// decided rebuilt, the contact put together from its facts and what it brought, and every bid
// judged.
#ifndef VENDUE_PAST_H
#define VENDUE_PAST_H

#include "db.h"
#include "record.h"
#include "settings.h"
#include "told.h"

enum past_how {
    PAST_EXACT,   // decided again, with facts equal to the recorded ones byte for byte
    PAST_PARTLY,  // the same outcomes in the first slots; bids whose rules speak of what is never
                  // kept are not judged
    PAST_RECORD,  // not decided again: only the record tells
};
struct past {
    enum past_how how;
    unsigned slots;       // so many, from the first on, are told by `judged`
    char why[800];        // not EXACT: why, for people
    struct told told;     // of the recorded facts; with `why` unless RECORD
    struct arena *arena;  // what follows is its own
    const struct market *market;
    struct catalog *catalog;
    struct book *book;
    struct round *round;
    struct contact *contact;
    struct round_live live;
    struct why judged;
    bool others;  // the catalog held bids that other nodes took
};
#define PAST_FAULT 800
// `record` is the contact's (its facts are told). Fails when even the record cannot be told: the
// market of that time is not in the database (STATUS_NOT_FOUND, STATUS_DAMAGED), or it does not
// answer; `out_fault` says so. Close with past_close, also after a failure.
MUST_CHECK enum status
past_open(const struct settings *settings, struct db *db, const struct record *record,
          struct past *out_past, char out_fault[PAST_FAULT]);
void past_close(struct past *past);

// PAST_PARTLY: the attribute that is never kept and that a rule asked of this bid speaks of; NULL:
// its judgement stands.
const char *past_untold(const struct past *past, const struct why_bid *judged);

#endif
