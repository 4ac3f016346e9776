// The steps of a close. settle.c runs them; settle_fence.c, settle_check.c, settle_balance.c,
// settle_bill.c and settle_root.c hold them; settle_publish.c and settle_verify.c tell them on.
#ifndef VENDUE_SETTLE_INSIDE_H
#define VENDUE_SETTLE_INSIDE_H

#include <stdio.h>

#include "arena.h"
#include "settle.h"

#define SETTLE_AUTHOR "close"  // of acts that a close makes

struct settle {
    struct db *db;
    const struct period *period;
    const struct settle_options *options;
    struct settle_report *report;
    struct arena *arena;
    usec fenced_at;    // time of step 1
    char detail[512];  // of the step that runs
    int64_t apart_us;  // of it: what proofs and other programs took
    FILE *record;
};

// Before a step: in transactions of their own; each does nothing when it is done already.
enum status settle_before_fence(struct settle *settle);
enum status settle_before_holds(struct settle *settle);
enum status settle_before_statements(struct settle *settle);
enum status settle_before_exports(struct settle *settle);
// Inside the transaction that records the step.
enum status settle_step_fence(struct settle *settle);
enum status settle_step_late(struct settle *settle);
enum status settle_step_holds(struct settle *settle);
enum status settle_step_balance(struct settle *settle);
enum status settle_step_statements(struct settle *settle);
enum status settle_step_bill(struct settle *settle);
enum status settle_step_root(struct settle *settle);
enum status settle_step_closed(struct settle *settle);

// The text whose SHA-256 is the period's root, from what the steps recorded and the tables hold;
// also of periods that the released version closed. Owned by the arena. STATUS_NOT_FOUND: a step
// that it needs is not recorded.
enum status settle_root_text(struct db *db, const struct period *period, struct arena *arena,
                             const char **out_text);
// SHA-256 of the period's balances as they are kept, and their number.
enum status settle_balances(struct db *db, const char *period, struct arena *arena,
                            struct digest *out_digest, size_t *out_count);
// Steps 1 to `upto` as they were recorded.
enum status settle_steps_text(struct db *db, const char *period, int upto, struct arena *arena,
                              const char **out_text);
// settle_publish; without `write` it only compares, and what is missing is a difference.
enum status
settle_published(struct db *db, const char *directory, bool write, char out_detail[SETTLE_DETAIL]);
// Whether the period's sums (folds) are those of its transfers, in one pass over them, and its
// counts those of its facts. STATUS_CONFLICT: `out_fault` names the first difference.
enum status settle_sums(struct db *db, const char *period, char out_fault[SETTLE_DETAIL]);
// Start of a query: `closing` (currency, account, debit, credit), what every account comes to from
// the beginning to the end of period $1. Begins from the balances of the last closed period before.
#define SETTLE_CLOSING                                                                          \
    "with base as (select coalesce(max(period), '') as period from balance where period < $1)," \
    " moved as (select f.currency, f.debit, f.credit, sum(f.micros) as micros"                  \
    "  from fold f cross join base where f.state = 'posted' and f.period > base.period"         \
    "  and f.period <= $1 group by 1, 2, 3),"                                                   \
    " closing as (select currency, account, sum(debit) as debit, sum(credit) as credit from ("  \
    "  select b.currency, b.account, b.debit, b.credit from balance b join base"                \
    "   on base.period = b.period"                                                              \
    "  union all select m.currency, s.account, s.debit, s.credit from moved m"                  \
    "   cross join lateral (values (m.debit, m.micros, 0::numeric),"                            \
    "    (m.credit, 0::numeric, m.micros)) s (account, debit, credit)) x"                       \
    "  group by currency, account) "

// "12.50 EUR, 3 JPY" of rows (currency, ..., micros in `column`), into the detail.
void
settle_amounts(struct settle *settle, const struct db_rows *rows, size_t column, unsigned decimals);
void
settle_say(struct settle *settle, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *settle_hex(struct arena *arena, const void *bytes, size_t len);

// Writes the fault and hands the status on.
enum status settle_fault(struct settle *settle, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum status settle_db_fault(struct settle *settle, enum status status, const char *doing);

#endif
