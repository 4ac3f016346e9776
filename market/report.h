// Collecting what is wrong. Private to market/.
#ifndef MARKET_REPORT_H
#define MARKET_REPORT_H

#include "market_file.h"

// Adds a problem and returns it, so that a caller can set its mend. Texts are copied into the
// arena, but `object`, which the caller keeps. Valid until the next problem is added.
struct market_problem *
report_error(struct market_report *report, struct place place, const char *object,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
struct market_problem *
report_warning(struct market_report *report, struct place place, const char *object,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

void report_sort(struct market_report *report);  // by place

// The candidate that `word` was probably meant to be; NULL when none is near.
const char *report_nearest(const char *word, const char *const *candidates, size_t count);
// "did you mean 'x'?" as a mend in the report's arena, or `fallback`.
const char *report_mean(struct market_report *report, const char *word,
                        const char *const *candidates, size_t count, const char *fallback);

#endif
