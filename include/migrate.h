// The schema, as numbered SQL files (migrations/NNN_name.sql) embedded in the binary at build time.
// Each is applied once, in its own transaction, and recorded with its SHA-256. Run by the
// database's owner.
#ifndef VENDUE_MIGRATE_H
#define VENDUE_MIGRATE_H

#include "db.h"

struct migrate_file {
    const char *name;  // "001_roles.sql"
    const char *text;
    size_t len;
};
// All of them in order, made by the build (migrations/embed.cmake); ends with name NULL.
extern const struct migrate_file migrate_files[];

struct migrate_report {
    unsigned applied;  // by this call
    unsigned present;  // in the database afterwards
    char newest[96];   // name of the newest one in the database; "" none
    char fault[1200];  // what is wrong, naming the file and the mend; "" on success
};
// Brings the database up to this binary. STATUS_CONFLICT: an applied file's text differs from the
// embedded one. STATUS_VERSION: the database holds files this binary does not know (it is newer).
// Nothing was changed then. Else db.h's answers; what was applied before the failing file stays.
MUST_CHECK enum status migrate_up(struct db *db, struct migrate_report *out_report);

// Whether the database is of this binary's schema, which every program asks before it works:
// changes nothing. STATUS_VERSION: it is of an older or a newer one.
MUST_CHECK enum status migrate_fits(struct db *db, struct migrate_report *out_report);

// For tests: another list.
MUST_CHECK enum status
migrate_up_from(struct db *db, const struct migrate_file *files, struct migrate_report *out_report);

#endif
