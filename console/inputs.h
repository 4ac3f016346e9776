// What a contact brought, found again in the files of the spool (DIR/inputs, engine/spool.c).
#ifndef VENDUE_INPUTS_H
#define VENDUE_INPUTS_H

#include <jansson.h>

#include "clock.h"
#include "hash.h"
#include "terms.h"

#define INPUTS_TEXT 700
// `at` as in the contact's fact. STATUS_NOT_FOUND, and `out_why` says in words for people why it is
// not there; STATUS_IO. The caller ends `out_line` with json_decref.
MUST_CHECK enum status inputs_find(const char *directory, struct id contact, usec at,
                                   json_t **out_line, char out_why[INPUTS_TEXT]);

#endif
