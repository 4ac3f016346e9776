// Contracts as they were at a market version, each read once.
//
//  A contract's row says what it was from its version on, so it is read by the newest row that is
//  not after the version asked for; the market's own row comes with it, since amounts are read in
//  its terms. Nothing else of the market is needed: shares name their seats by code.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "life_inside.h"
#include "market_file.h"

#define SLOTS 64

struct known {
    uint64_t version;
    const struct market_contract *contract;
};
struct life_terms {
    struct arena *arena;
    struct known *known;
    size_t count, room;
};

struct life_terms *
life_terms_open(void)
{
    struct life_terms *terms = calloc(1, sizeof *terms);
    CHECK(terms);
    terms->arena = arena_open("life");
    return terms;
}

void
life_terms_close(struct life_terms *terms)
{
    if (!terms) return;
    arena_close(terms->arena);
    free(terms->known);
    free(terms);
}

static void
keep(struct life_terms *terms, uint64_t version, const struct market_contract *contract)
{
    if (terms->count == terms->room) {
        terms->room = terms->room ? 2 * terms->room : SLOTS;
        terms->known = realloc(terms->known, terms->room * sizeof *terms->known);
        CHECK(terms->known);
    }
    terms->known[terms->count++] = (struct known){version, contract};
}

static enum status
read_contract(struct life_terms *terms, const struct db_rows *rows,
              const struct market_contract **out_contract)
{
    struct market_object objects[2];
    struct market_report report = {.arena = terms->arena};
    struct market *market = NULL;
    uint32_t count = 0;
    for (size_t i = 0; i < db_count(rows) && i < 2; i++) {
        objects[count++] = (struct market_object){
            .kind = arena_text(terms->arena, db_get_text(rows, i, 0), db_get_len(rows, i, 0)),
            .id = (uint32_t)db_get_int(rows, i, 1),
            .code = arena_text(terms->arena, db_get_text(rows, i, 2), db_get_len(rows, i, 2)),
            .body = arena_text(terms->arena, db_get_text(rows, i, 3), db_get_len(rows, i, 3)),
        };
    }
    if (market_object_load(objects, count, terms->arena, &report, &market) != STATUS_OK)
        return STATUS_DAMAGED;
    if (market->contract_count == 0) return STATUS_NOT_FOUND;
    *out_contract = &market->contracts[0];
    return STATUS_OK;
}

enum status
life_terms_of(struct life_terms *terms, struct db *db, uint32_t contract, uint64_t market_version,
              const struct market_contract **out_contract)
{
    static const char sql[] =
        "select o.kind, o.id, o.code, o.body::text from market_object o"
        " where ((o.kind = 'contract' and o.id = $1) or o.kind = 'market') and o.body is not null"
        " and o.version = (select max(n.version) from market_object n where n.kind = o.kind"
        "                  and n.id = o.id and n.version <= $2)";
    for (size_t i = 0; i < terms->count; i++) {
        if (terms->known[i].version == market_version && terms->known[i].contract->id == contract) {
            *out_contract = terms->known[i].contract;
            return STATUS_OK;
        }
    }
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int4((int32_t)contract), db_int8((int64_t)market_version)};
    enum status status = db_query(db, sql, params, 2, &rows);
    if (status == STATUS_OK) status = read_contract(terms, rows, out_contract);
    if (status == STATUS_OK) keep(terms, market_version, *out_contract);
    db_rows_free(rows);
    return status;
}
