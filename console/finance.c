// What the verbs of finance share.
#include "finance.h"

#include <pwd.h>
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
