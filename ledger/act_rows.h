// Rows that acts wrote beside their transfers, as lines of their bodies: see act_rows.c.
#ifndef VENDUE_ACT_ROWS_H
#define VENDUE_ACT_ROWS_H

#include <stdio.h>

#include "act.h"

// Adds a line for every row that this act wrote.
MUST_CHECK enum status act_rows_say(struct db *db, uint64_t number, FILE *body);
// Compares the lines of all acts with the rows. STATUS_CONFLICT: `out_fault` names the first one.
MUST_CHECK enum status act_rows_verify(struct db *db, char out_fault[ACT_FAULT]);

#endif
