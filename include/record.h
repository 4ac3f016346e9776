// All that the ledger knows of one contact, as the facts it was landed from: for explaining and
// re-pricing a past round.
//
// Order: FACT_CONTACT, an outcome for each slot, its record, then events and revenues as they came.
// The facts up to the end of the record are those of the journal, with two exceptions: `cap_days`
// of a placement and `catalog` of an event are 0, and an empty fact of the record is left out.
#ifndef VENDUE_RECORD_H
#define VENDUE_RECORD_H

#include "arena.h"
#include "db.h"
#include "fact.h"

struct record {
    struct fact *facts;  // in the arena
    unsigned count;
    unsigned decided;         // of these, how many round_decide wrote: contact, outcomes, record
    uint64_t market_version;  // of the catalog that decided; 0 unknown
};
// By the contact's id (a placement's id finds its contact, too). STATUS_NOT_FOUND: no such contact
// has been booked. STATUS_DAMAGED: its rows are not what a contact's facts land as. Else db.h's
// answers.
MUST_CHECK enum status
record_by_id(struct db *db, struct id contact, struct arena *arena, struct record *out_record);
// By the touchpoint's own id of the contact. `touchpoint` is its stable id; 0: any, and of several
// the newest.
MUST_CHECK enum status record_by_key(struct db *db, uint32_t touchpoint, const char *key,
                                     struct arena *arena, struct record *out_record);

#endif
