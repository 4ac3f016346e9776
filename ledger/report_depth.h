// Reports on how placements came about: from records, budgets, experiments and deals.
#ifndef VENDUE_REPORT_DEPTH_H
#define VENDUE_REPORT_DEPTH_H

#include "sheet.h"

MUST_CHECK enum status report_reasons(struct sheet *sheet);      // report_reasons.c
MUST_CHECK enum status report_pacing(struct sheet *sheet);       // report_pacing.c
MUST_CHECK enum status report_experiments(struct sheet *sheet);  // report_experiments.c
MUST_CHECK enum status report_deals(struct sheet *sheet);        // report_deals.c
MUST_CHECK enum status report_rates(struct sheet *sheet);        // report_rates.c

#endif
