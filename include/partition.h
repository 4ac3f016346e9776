// Each period's transfers as a table of their own: made ahead of time, and detached when they are
// old. Needs the rights of the schema's owner. Algorithm: partition.c.
#ifndef VENDUE_PARTITION_H
#define VENDUE_PARTITION_H

#include "db.h"
#include "period.h"

#define PARTITION_MONTHS 24

// Makes the partitions of the month before `now`, of its own and of those that follow, where they
// are missing.
// Transfers that lie in the default partition already stay there, and so do those of their period.
MUST_CHECK enum status partition_ahead(struct db *db, usec now, unsigned months);

struct partition_report {
    char relation[64];   // the table that keeps the transfers: "vendue.transfer_2024_01"
    uint64_t transfers;  // in it
    bool before;         // it was detached already
    char fault[400];     // why not, and what mends it
};
// Takes the period's transfers out of `transfer`, into a table that nobody but its owner can write
// to; transfer_kept still shows them. STATUS_CONFLICT: the period is not closed, or something of it
// is still held. STATUS_NOT_FOUND: it has no transfers, or no partition of its own. Nothing was
// changed then.
MUST_CHECK enum status partition_detach(struct db *db, const struct period *period, usec now,
                                        struct partition_report *out_report);
// Whether the period's transfers are in `transfer`.
MUST_CHECK enum status partition_attached(struct db *db, const char *period, bool *out_attached);

#endif
