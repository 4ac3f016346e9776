// Tables that neither the journal nor an act holds row by row, asked whether they say what they
// must. Part of settle_verify; see evidence.c.
#ifndef VENDUE_EVIDENCE_H
#define VENDUE_EVIDENCE_H

#include "db.h"

#define EVIDENCE_TEXT 400
// STATUS_CONFLICT: `out_fault` names the row. Otherwise db.h's answers, or STATUS_DAMAGED: a stored
// contract cannot be read.
MUST_CHECK enum status evidence_verify(struct db *db, char out_fault[EVIDENCE_TEXT]);

#endif
