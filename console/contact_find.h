// The contact that a verb names, out of the ledger.
#ifndef VENDUE_CONTACT_FIND_H
#define VENDUE_CONTACT_FIND_H

#include "record.h"
#include "settings.h"
#include "verb.h"

// `name`: our id of the contact, the id of a placement in it, or the touchpoint's own id; of
// several under the last the newest, or that of `touchpoint` (NULL: any). EXIT_DONE; else after
// saying what is wrong.
int contact_find(const struct verb *verb, const struct settings *settings, struct db *db,
                 const char *name, const char *touchpoint, struct arena *arena,
                 struct record *out_record);

#endif
