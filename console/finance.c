// What the verbs of finance share.
#include "finance.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
finance_period(const struct verb *verb, const char *text, struct period *out_period)
{
    if (period_parse(text, strlen(text), out_period) == STATUS_OK) return EXIT_DONE;
    return verb_usage(verb, "'%s' is not a period; write a month as 2026-11", text);
}

int
finance_refused(struct db *db, enum status status, const char *doing)
{
    if (status == STATUS_CLOSED)
        return verb_cannot("%s: the database does not answer; slotctl status tells whether it runs",
                           doing);
    return verb_cannot("%s: %s (%s)", doing, db_fault(db)->text, status_text(status));
}

const char *
finance_author(const char *by)
{
    const struct passwd *user = by != NULL ? NULL : getpwuid(getuid());
    return by != NULL ? by : user != NULL ? user->pw_name : "unknown";
}

int
finance_fault(const struct verb *verb, struct db *db, enum status status, const char *fault)
{
    if (!*fault) return finance_refused(db, status, verb->name);
    fprintf(stderr, "slotctl %s: %s\n", verb->name, fault);
    return status == STATUS_INPUT || status == STATUS_NOT_FOUND ? EXIT_USAGE : EXIT_NO;
}

int
finance_number(const struct verb *verb, const char *text, uint64_t *out_number)
{
    char *end = NULL;
    if (strspn(text, "0123456789") == strlen(text) && *text && strlen(text) < 19)
        *out_number = strtoull(text, &end, 10);
    if (end && *out_number > 0) return EXIT_DONE;
    return verb_usage(verb, "'%s' is not a number", text);
}

bool
finance_again(enum status status, int *turns)
{
    return status == STATUS_AGAIN && ++*turns < 5;
}
