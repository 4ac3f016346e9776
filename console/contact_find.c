// 32 hex digits (dashes allowed) are tried as an id first, then anything as the touchpoint's own
// id. What is not there may only wait to be booked: the journal's end is compared with the
// ledger's.
#include "contact_find.h"

#include <inttypes.h>
#include <string.h>

#include "finance.h"
#include "journal.h"

#define PATH_BYTES 600

// Frames that are durable and not booked yet.
static uint64_t
waiting(const struct settings *settings, struct db *db)
{
    char path[PATH_BYTES];
    struct db_rows *rows = NULL;
    uint64_t durable = 0, booked = 0;
    const struct db_param params[] = {db_int4((int32_t)settings->log)};
    snprintf(path, sizeof path, "%s/journal", settings->directory);
    if (journal_durable(path, &durable) != STATUS_OK) return 0;
    if (db_query(db, "select batch from watermark where log = $1", params, 1, &rows) != STATUS_OK)
        return 0;
    if (db_count(rows) > 0) booked = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return durable > booked ? durable - booked : 0;
}

static int
not_there(const struct verb *verb, const struct settings *settings, struct db *db, const char *name)
{
    uint64_t frames = waiting(settings, db);
    if (frames > 0)
        return verb_cannot(
            "no contact '%s' has been booked, but %" PRIu64 " batches of the "
            "journal are not booked yet; look again when slotctl status shows no lag",
            name, frames);
    fprintf(stderr,
            "slotctl %s: there is no contact '%s'; name it by our id, by a placement's id, or by "
            "the touchpoint's own id\n",
            verb->name, name);
    return EXIT_USAGE;
}

static enum status
touchpoint_id(struct db *db, const char *code, uint32_t *out_id)
{
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_text(code)};
    enum status status = db_query(db, "select id from touchpoint where code = $1", params, 1,
                                  &rows);
    if (status != STATUS_OK) return status;
    *out_id = db_count(rows) > 0 ? (uint32_t)db_get_int(rows, 0, 0) : 0;
    db_rows_free(rows);
    return STATUS_OK;
}

int
contact_find(const struct verb *verb, const struct settings *settings, struct db *db,
             const char *name, const char *touchpoint, struct arena *arena,
             struct record *out_record)
{
    struct id id;
    uint32_t of = 0;
    enum status status = STATUS_NOT_FOUND;
    if (touchpoint != NULL) {
        status = touchpoint_id(db, touchpoint, &of);
        if (status != STATUS_OK) return finance_refused(db, status, "looking up the touchpoint");
        if (of == 0) return verb_usage(verb, "there is no touchpoint '%s'", touchpoint);
        status = STATUS_NOT_FOUND;
    } else if (id_parse(name, strlen(name), &id) == STATUS_OK) {
        status = record_by_id(db, id, arena, out_record);
    }
    if (status == STATUS_NOT_FOUND && strlen(name) <= BOUND_KEY)
        status = record_by_key(db, of, name, arena, out_record);
    if (status == STATUS_NOT_FOUND) return not_there(verb, settings, db, name);
    if (status == STATUS_DAMAGED)
        return verb_cannot("the rows of contact '%s' are not what a contact is booked as; slotctl "
                           "verify tells more",
                           name);
    return status == STATUS_OK ? EXIT_DONE : finance_refused(db, status, "reading the contact");
}
