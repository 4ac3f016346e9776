// A period's posted transfers as a journal for hledger, ledger or beancount, or as CSV, so that
// programs nobody here wrote can add everything up again. Every amount has six decimals; balances
// before the period come first as one transaction, balances after it last as assertions. Both are
// read from the database in the same snapshot as the transfers.
#ifndef VENDUE_EXPORT_H
#define VENDUE_EXPORT_H

#include <stdio.h>

#include "db.h"
#include "period.h"

enum export_format {
    EXPORT_HLEDGER,
    EXPORT_LEDGER,
    EXPORT_BEANCOUNT,
    EXPORT_CSV,
    EXPORT_FORMAT_COUNT
};
const char *export_format_name(enum export_format format);  // "hledger"
MUST_CHECK enum status export_format_parse(const char *text, enum export_format *out_format);

// Opens a transaction of its own: none may be open. `out_transfers` may be NULL. STATUS_IO when
// `out` cannot be written (errno); else as db_query.
MUST_CHECK enum status export_period(struct db *db, const struct period *period,
                                     enum export_format format, FILE *out, uint64_t *out_transfers);

// The same with one transaction for all transfers of a day from one account to another: for periods
// that are too large for these programs. `out_totals`: transactions.
MUST_CHECK enum status export_days(struct db *db, const struct period *period,
                                   enum export_format format, FILE *out, uint64_t *out_totals);
// All posted transfers of the period as "EUR|DEBIT|CREDIT|MICROS" lines, and every account as
// "EUR|ACCOUNT|BEFORE|AFTER", by number and in micros: quick to add up again.
MUST_CHECK enum status export_plain(struct db *db, const struct period *period, FILE *transfers,
                                    FILE *accounts, uint64_t *out_transfers);

// An account's name as beancount takes it: parts begin with a capital, have letters, digits and
// dashes only. Different names stay different. Returns false when it does not fit `size` bytes.
bool export_beancount_name(const char *name, char *out, size_t size);

#endif
