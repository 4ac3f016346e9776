// Problems, collected in the caller's arena and printed by place.
//
// Near words: the optimal string alignment distance (insert, delete, replace, swap neighbours) is
// at most 1 for words of up to four letters, 2 for longer ones; the nearest counts, then the first
// in order.
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static struct market_problem *
add(struct market_report *report, struct place place, const char *object, const char *format,
    va_list arguments)
{
    if (report->count == report->room) {
        uint32_t room = report->room == 0 ? 64 : report->room * 2;
        struct market_problem *problems = arena_take(report->arena, room, sizeof *problems);
        if (report->count > 0) memcpy(problems, report->problems, report->count * sizeof *problems);
        report->problems = problems;
        report->room = room;
    }
    char what[1024];
    int len = vsnprintf(what, sizeof what, format, arguments);
    CHECK(len >= 0);
    struct market_problem *problem = &report->problems[report->count++];
    size_t kept = (size_t)len < sizeof what ? (size_t)len : sizeof what - 1;
    *problem = (struct market_problem){.place = place,
                                       .object = object,
                                       .what = arena_text(report->arena, what, kept),
                                       .mend = "",
                                       .show = ""};
    return problem;
}

struct market_problem *
report_error(struct market_report *report, struct place place, const char *object,
             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct market_problem *problem = add(report, place, object, format, arguments);
    va_end(arguments);
    report->errors++;
    return problem;
}

struct market_problem *
report_warning(struct market_report *report, struct place place, const char *object,
               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct market_problem *problem = add(report, place, object, format, arguments);
    va_end(arguments);
    problem->warning = true;
    report->warnings++;
    return problem;
}

static int
by_place(const void *a, const void *b)
{
    const struct market_problem *x = a, *y = b;
    if (x->place.line != y->place.line) return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column) return x->place.column < y->place.column ? -1 : 1;
    int order = (int)x->warning - (int)y->warning;
    if (order == 0) order = strcmp(x->object, y->object);
    return order != 0 ? order : strcmp(x->what, y->what);
}

void
report_sort(struct market_report *report)
{
    if (report->count > 1)
        qsort(report->problems, report->count, sizeof *report->problems, by_place);
}

#define WORD_MOST 64

static unsigned
least3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_MOST + 1];
    for (unsigned j = 0; j <= b_len; j++) rows[0][j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            now[j] = least3(now[j - 1] + 1, before[j] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                earlier[j - 2] + 1 < now[j])
                now[j] = earlier[j - 2] + 1;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *
report_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t len = strlen(word);
    if (len == 0 || len > WORD_MOST) return NULL;
    unsigned best = len <= 4 ? 2 : 3;  // one more than allowed
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > WORD_MOST || other + 2 < len || other > len + 2) continue;
        unsigned far = distance(word, len, candidates[i], other);
        if (far < best) {
            best = far;
            nearest = candidates[i];
        }
    }
    return nearest;
}

const char *
report_mean(struct market_report *report, const char *word, const char *const *candidates,
            size_t count, const char *fallback)
{
    const char *nearest = report_nearest(word, candidates, count);
    return nearest == NULL ? fallback : arena_printf(report->arena, "did you mean '%s'?", nearest);
}
