// Declared market into PostgreSQL.
//
// A version is one transaction: one row of market_version, and one row of market_object for every
// object that is new, changed (another body) or removed (body null). Nothing is ever updated.
//
//   1 The version's number is the base's plus one, and its row is inserted first: the primary key
//     lets one of two applies in; the other waits for it and is told.
//   2 An object keeps its id for ever, also over a removal; a new (kind, code) gets the highest
//     id of its kind plus one. Both are read after 1, when nobody else can have written in
//     between.
//   3 Ids stay within what facts and the book can hold: seats below BOUND_SEATS, messages below
//     BOUND_MESSAGES, touchpoints within 16 bits.
#include "apply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "publish.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

// A removed message takes its standing bids out of the auctions; they are kept, and bid again when
// it comes back. Whoever removes it is told how many.
static enum status
tell_waiting_bids(struct db *db, struct apply_plan *plan, struct arena *arena)
{
    static const char sql[] = "select 'message ' || m.code, count(*) from standing_bid b"
                              " join message m on m.id = b.message where b.state = 0 group by 1";
    bool any = false;
    for (uint32_t i = 0; i < plan->count; i++) any |= plan->changes[i].sign == '-';
    if (!any) return STATUS_OK;
    struct db_rows *rows = NULL;
    enum status status = db_query(db, sql, NULL, 0, &rows);
    for (size_t row = 0; status == STATUS_OK && row < db_count(rows); row++) {
        for (uint32_t i = 0; i < plan->count; i++) {
            struct market_change *change = &plan->changes[i];
            int64_t bids = db_get_int(rows, row, 1);
            if (change->sign != '-' || strcmp(change->object, db_get_text(rows, row, 0)) != 0)
                continue;
            change->text = arena_printf(arena, "%s; %" PRId64 " standing bid%s with it",
                                        change->text, bids, bids == 1 ? " pauses" : "s pause");
        }
    }
    db_rows_free(rows);
    return status;
}

enum status
apply_plan(struct db *db, const struct market *after, struct arena *arena,
           struct apply_plan *out_plan)
{
    struct db_rows *rows = NULL;
    *out_plan = (struct apply_plan){0};
    enum status status = db_query(
        db, "select coalesce(max(version), 0)::bigint from market_version", NULL, 0, &rows);
    if (status != STATUS_OK) return status;
    out_plan->base = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    if (out_plan->base > 0) {
        status = publish_load_market(db, out_plan->base, arena, &out_plan->before);
        if (status != STATUS_OK) return status;
    }
    market_diff(out_plan->before, after, arena, &out_plan->changes, &out_plan->count);
    for (uint32_t i = 0; i < out_plan->count; i++)
        out_plan->refused += out_plan->changes[i].refused;
    return tell_waiting_bids(db, out_plan, arena);
}

// --- Objects sorted by kind and code ------------------------------------------------------------

static int
by_kind_and_code(const void *a, const void *b)
{
    const struct market_object *x = a, *y = b;
    int order = strcmp(x->kind, y->kind);
    return order != 0 ? order : strcmp(x->code, y->code);
}

struct objects {
    struct market_object *list;
    uint32_t count;
};

static struct objects
sorted(struct market_object *list, uint32_t count)
{
    if (count > 1) qsort(list, count, sizeof *list, by_kind_and_code);
    return (struct objects){list, count};
}

static const struct market_object *
find(const struct objects *objects, const struct market_object *key)
{
    if (objects->count == 0) return NULL;
    return bsearch(key, objects->list, objects->count, sizeof *key, by_kind_and_code);
}

static struct objects
declared(const struct market *market, struct arena *arena)
{
    struct objects objects = {0};
    if (market != NULL) market_object_list(market, arena, &objects.list, &objects.count);
    return objects;
}

// Every (kind, code) there ever was, with its id.
static enum status
read_known(struct db *db, struct arena *arena, struct objects *out_known)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, "select distinct kind, id, code from market_object", NULL, 0,
                                  &rows);
    if (status != STATUS_OK) return status;
    uint32_t count = (uint32_t)db_count(rows);
    struct market_object *list = arena_take(arena, count + 1, sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct market_object){
            .kind = arena_text(arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)),
            .id = (uint32_t)db_get_int(rows, i, 1),
            .code = arena_text(arena, db_get_text(rows, i, 2), db_get_len(rows, i, 2))};
    db_rows_free(rows);
    *out_known = sorted(list, count);
    return STATUS_OK;
}

// --- Rows to insert -----------------------------------------------------------------------------

struct rows {  // column by column, as arrays travel
    const char **kinds, **codes, **bodies;
    int32_t *ids;
    size_t count;
};

static void
rows_take(struct rows *rows, struct arena *arena, size_t room)
{
    rows->kinds = arena_take(arena, room + 1, sizeof *rows->kinds);
    rows->codes = arena_take(arena, room + 1, sizeof *rows->codes);
    rows->bodies = arena_take(arena, room + 1, sizeof *rows->bodies);
    rows->ids = arena_take(arena, room + 1, sizeof *rows->ids);
}

static void
rows_add(struct rows *rows, const struct market_object *object, uint32_t id)
{
    rows->kinds[rows->count] = object->kind;
    rows->codes[rows->count] = object->code;
    rows->bodies[rows->count] = object->body;
    rows->ids[rows->count++] = (int32_t)id;
}

static const struct {
    const char *kind;
    uint32_t most;  // highest id
} kinds[] = {{"market", 1},
             {"attribute", INT32_MAX},
             {"touchpoint", UINT16_MAX},
             {"seat", BOUND_SEATS - 1},
             {"container", INT32_MAX},
             {"slot", INT32_MAX},
             {"message", BOUND_MESSAGES - 1},
             {"contract", INT32_MAX},
             {"campaign", BOUND_CAMPAIGNS - 1},
             {"cap", INT32_MAX},
             {"floor", INT32_MAX},
             {"deal", UINT16_MAX - 1},
             {"experiment", UINT16_MAX - 1}};

static size_t
kind_number(const char *kind)
{
    size_t i = 0;
    while (i < COUNT(kinds) && strcmp(kinds[i].kind, kind) != 0) i++;
    CHECK(i < COUNT(kinds));
    return i;
}

// New and changed objects with their ids, new ones numbered in declared order, so that an export
// keeps that order. STATUS_INPUT: a kind has no id left.
static enum status
collect_changed(const struct objects *known, const struct objects *before,
                const struct objects *after, struct rows *rows)
{
    uint32_t highest[COUNT(kinds)] = {0};
    for (uint32_t i = 0; i < known->count; i++) {
        size_t kind = kind_number(known->list[i].kind);
        if (known->list[i].id > highest[kind]) highest[kind] = known->list[i].id;
    }
    for (uint32_t i = 0; i < after->count; i++) {
        const struct market_object *object = &after->list[i], *was = find(before, object);
        if (was != NULL && strcmp(was->body, object->body) == 0) continue;
        const struct market_object *same = find(known, object);
        size_t kind = kind_number(object->kind);
        if (same == NULL && highest[kind] == kinds[kind].most) return STATUS_INPUT;
        rows_add(rows, object, same != NULL ? same->id : ++highest[kind]);
    }
    return STATUS_OK;
}

static void
collect_removed(const struct objects *known, const struct objects *before,
                const struct objects *after, struct rows *rows)
{
    for (uint32_t i = 0; i < before->count; i++) {
        const struct market_object *object = &before->list[i];
        if (find(after, object) != NULL) continue;
        const struct market_object *same = find(known, object);
        CHECK(same != NULL);
        rows_add(rows, object, same->id);
    }
}

static struct digest
digest_of(const struct objects *objects, struct arena *arena)
{
    struct hash_piece *pieces = arena_take(arena, (size_t)objects->count * 3 + 1, sizeof *pieces);
    for (size_t i = 0; i < objects->count; i++) {
        const struct market_object *object = &objects->list[i];
        pieces[i * 3] = (struct hash_piece){object->kind, strlen(object->kind) + 1};
        pieces[i * 3 + 1] = (struct hash_piece){object->code, strlen(object->code) + 1};
        pieces[i * 3 + 2] = (struct hash_piece){object->body, strlen(object->body) + 1};
    }
    return hash_sha256_pieces(pieces, (size_t)objects->count * 3);
}

static enum status
insert_version(struct db *db, uint64_t version, const struct objects *objects, const char *author,
               const char *note, usec now, struct arena *arena)
{
    struct digest digest = digest_of(objects, arena);
    struct db_param params[] = {db_int8((int64_t)version),
                                db_time(now),
                                db_text(author),
                                db_text(note),
                                db_bytes(digest.bytes, sizeof digest.bytes),
                                db_int4((int32_t)objects->count)};
    return db_run(db,
                  "insert into market_version (version, at_us, author, note, digest, objects) "
                  "values ($1, $2, $3, $4, $5, $6)",
                  params, COUNT(params), NULL);
}

static enum status
insert_rows(struct db *db, uint64_t version, const struct rows *rows, bool removed)
{
    static const char changed_sql[] =
        "insert into market_object (kind, id, version, code, body) "
        "select x.kind, x.id, $1, x.code, "
        "x.body::jsonb from unnest($2, $3, $4, $5) as x (kind, id, code, body)";
    static const char removed_sql[] = "insert into market_object (kind, id, version, code, body) "
                                      "select x.kind, x.id, $1, x.code, "
                                      "null from unnest($2, $3, $4) as x (kind, id, code)";
    if (rows->count == 0) return STATUS_OK;
    struct db_param params[] = {db_int8((int64_t)version), db_text_array(rows->kinds, rows->count),
                                db_int4_array(rows->ids, rows->count),
                                db_text_array(rows->codes, rows->count),
                                db_text_array(rows->bodies, rows->count)};
    return db_run(db, removed ? removed_sql : changed_sql, params, COUNT(params) - removed, NULL);
}

enum status
apply_run(struct db *db, const struct market *after, const struct apply_plan *plan,
          const char *author, const char *note, usec now, uint64_t *out_version)
{
    *out_version = plan->base;
    if (plan->refused > 0) return STATUS_INPUT;
    if (plan->count == 0) return STATUS_OK;
    struct arena *arena = arena_open("apply");
    struct objects known, inorder = declared(after, arena);
    struct objects old = declared(plan->before, arena), new = declared(after, arena);
    old = sorted(old.list, old.count);
    new = sorted(new.list, new.count);
    struct rows changed = {0}, removed = {0};
    uint64_t version = plan->base + 1;
    rows_take(&changed, arena, new.count);
    rows_take(&removed, arena, old.count);
    enum status status = db_begin(db);
    if (status == STATUS_OK) status = insert_version(db, version, &new, author, note, now, arena);
    if (status == STATUS_OK) status = read_known(db, arena, &known);
    if (status == STATUS_OK) status = collect_changed(&known, &old, &inorder, &changed);
    if (status == STATUS_OK) collect_removed(&known, &old, &new, &removed);
    if (status == STATUS_OK) status = insert_rows(db, version, &changed, false);
    if (status == STATUS_OK) status = insert_rows(db, version, &removed, true);
    if (status == STATUS_OK) status = db_commit(db);
    if (status != STATUS_OK) db_rollback(db);
    else *out_version = version;
    arena_close(arena);
    return status;
}

enum status
apply_published(struct db *db, uint64_t market_version, uint64_t *out_catalog)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_int8((int64_t)market_version)};
    enum status status = db_query(
        db, "select min(version)::bigint from catalog_version where market_version >= $1", params,
        COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    status = db_is_null(rows, 0, 0) ? STATUS_NOT_FOUND : STATUS_OK;
    *out_catalog = (uint64_t)db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// --- Certificates -------------------------------------------------------------------------------

// STATUS_OK: it is not known yet.
static enum status
known_certificate(struct db *db, struct digest fingerprint, enum role role, const char *party)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_bytes(fingerprint.bytes, sizeof fingerprint.bytes)};
    enum status status = db_query(db, "select role, party from certificate where fingerprint = $1",
                                  params, COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    if (db_count(rows) > 0)
        status = strcmp(db_get_text(rows, 0, 0), role_name(role)) == 0 &&
                         strcmp(db_get_text(rows, 0, 1), party) == 0
                     ? STATUS_EXISTS
                     : STATUS_CONFLICT;
    db_rows_free(rows);
    return status;
}

static enum status
known_party(struct db *db, enum role role, const char *party)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_text(role_name(role)), db_text(party)};
    if (role == ROLE_OPERATOR) return STATUS_OK;
    enum status status = db_query(
        db, "select 1 from object_now where kind = $1 and code = $2 and not removed", params,
        COUNT(params), &rows);
    if (status != STATUS_OK) return status;
    status = db_count(rows) > 0 ? STATUS_OK : STATUS_NOT_FOUND;
    db_rows_free(rows);
    return status;
}

enum status
apply_certificate(struct db *db, struct digest fingerprint, enum role role, const char *party,
                  usec now, const char *note)
{
    enum status status = known_certificate(db, fingerprint, role, party);
    if (status == STATUS_OK) status = known_party(db, role, party);
    if (status != STATUS_OK) return status;
    struct db_param params[] = {db_bytes(fingerprint.bytes, sizeof fingerprint.bytes),
                                db_text(role_name(role)), db_text(party), db_time(now),
                                db_text(note)};
    return db_run(db,
                  "insert into certificate (fingerprint, role, party, issued_us, note) "
                  "values ($1, $2, $3, $4, $5)",
                  params, COUNT(params), NULL);
}

enum status
apply_revoke(struct db *db, struct digest fingerprint, usec now, const char *note)
{
    struct db_rows *rows = NULL;
    struct db_param params[] = {db_bytes(fingerprint.bytes, sizeof fingerprint.bytes), db_time(now),
                                db_text(note)};
    enum status status = db_query(db, "select 1 from certificate where fingerprint = $1", params, 1,
                                  &rows);
    if (status != STATUS_OK) return status;
    bool there = db_count(rows) > 0;
    db_rows_free(rows);
    if (!there) return STATUS_NOT_FOUND;
    return db_run(db,
                  "insert into certificate_event (fingerprint, event, at_us, note) "
                  "values ($1, 'revoked', $2, $3) on conflict do nothing",
                  params, COUNT(params), NULL);
}
