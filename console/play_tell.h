// What came of contacts, read back from the ledger and told to people: who won, at which price, who
// set it, which slots stayed empty and why.
#ifndef VENDUE_PLAY_TELL_H
#define VENDUE_PLAY_TELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "db.h"

struct play_tell {
    const struct id *contacts;  // our ids, in the order of telling
    size_t count;
    const json_t *notes;  // touchpoint's contact id -> a few words about it; may be NULL
    bool all;             // every contact, not only the first of each container
};
// As text: contacts slot by slot, then all placements and all empty slots, summed up. db.h's
// answers.
MUST_CHECK enum status play_tell_text(struct db *db, const struct play_tell *tell, FILE *out);
// As two JSON arrays, one object a slot: {"placements": [...], "unfilled": [...]} without the outer
// braces.
MUST_CHECK enum status play_tell_json(struct db *db, const struct play_tell *tell, FILE *out);

#endif
