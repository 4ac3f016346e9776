// Declared market into PostgreSQL: one version, in one transaction, inserts only.
#ifndef VENDUE_APPLY_H
#define VENDUE_APPLY_H

#include "db.h"
#include "market_file.h"

struct apply_plan {
    uint64_t base;          // version the difference was taken against; 0: no market yet
    struct market *before;  // NULL: none yet
    struct market_change *changes;
    uint32_t count, refused;  // refused: changes that must not be applied
};
// What applying `after` would change. `arena` holds the plan. db.h's answers; STATUS_DAMAGED.
MUST_CHECK enum status apply_plan(struct db *db, const struct market *after, struct arena *arena,
                                  struct apply_plan *out_plan);

// Applies what was planned and gives the new version (the base when nothing changed).
// STATUS_CONFLICT: another apply came first; plan again. STATUS_INPUT: the plan holds refused
// changes, or ids ran out.
MUST_CHECK enum status
apply_run(struct db *db, const struct market *after, const struct apply_plan *plan,
          const char *author, const char *note, usec now, uint64_t *out_version);

// The oldest published catalog that holds this market version or a later one. STATUS_NOT_FOUND: not
// yet.
MUST_CHECK enum status
apply_published(struct db *db, uint64_t market_version, uint64_t *out_catalog);

// --- Certificates -------------------------------------------------------------------------------

// STATUS_EXISTS: known already with the same role and party; STATUS_CONFLICT: with another.
// STATUS_NOT_FOUND: no such touchpoint or seat.
MUST_CHECK enum status apply_certificate(struct db *db, struct digest fingerprint, enum role role,
                                         const char *party, usec now, const char *note);
MUST_CHECK enum status
apply_revoke(struct db *db, struct digest fingerprint, usec now, const char *note);

#endif
