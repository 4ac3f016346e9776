// Folds of transfers and of facts.
//
// A load's items are added up in an open-addressing table in memory, by everything they are told
// apart by, and go in by one COPY. A row names the load by its log and its frames (batch to upto).
//
// Merging: the loads of a period and log are walked from the newest back, for as long as the next
// one is at most twice as many rows as those taken so far; those taken, when they are MERGE_LOADS
// or more, become one load. So a row is merged again only when it lies among twice as many, which
// is a few times in all, and few loads are left.
//
//  1 The sum of all folds is the sum of all items ever folded, before, during and after a merge: a
//    merge is one statement that deletes rows and inserts the sums of exactly the rows that it
//    deleted.
//  2 Two merges of the same rows: the second waits for the first and finds nothing left.
//  3 A sum that would leave int64 begins another row: rows of one key may be several.
#include "fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define MERGE_LOADS 8

// --- Tables ------------------------------------------------------------------------------------

// Everything that folds are told apart by; all bytes are compared, so there is no padding.
struct key {
    int64_t debit, credit;
    int32_t day;
    uint32_t seat, contract, slot, message;
    struct currency currency;
    char period[PERIOD_TEXT];
    uint16_t objectives;
    int8_t rung, won_rung;
    uint8_t kind, state, late, section;
};
_Static_assert(sizeof(struct key) == 64, "no padding");

struct sum {
    struct key key;
    uint64_t count;  // transfers; 0: an empty place
    uint64_t won, delivered, ended, converted, refunded;
    money amount;
};
struct sums {
    struct sum *places;
    size_t mask, used;
};

static void
open_sums(struct sums *sums, size_t places)
{
    sums->places = calloc(places, sizeof *sums->places);
    CHECK(sums->places);
    sums->mask = places - 1;
    sums->used = 0;
}

static struct sum *find(struct sums *sums, const struct key *key, money amount);

static void
grow(struct sums *sums)
{
    struct sums bigger;
    open_sums(&bigger, 2 * (sums->mask + 1));
    for (size_t i = 0; i <= sums->mask; i++) {
        const struct sum *old = &sums->places[i];
        if (old->count == 0) continue;
        struct sum *place = find(&bigger, &old->key, old->amount);
        *place = *old;
    }
    free(sums->places);
    *sums = bigger;
}

// The key's sum, to which `amount` can be added without leaving its range; an empty one when there
// is none yet.
static struct sum *
find(struct sums *sums, const struct key *key, money amount)
{
    if (4 * sums->used > 3 * sums->mask) grow(sums);
    size_t at = (size_t)hash_content(key, sizeof *key) & sums->mask;
    for (;; at = (at + 1) & sums->mask) {
        struct sum *place = &sums->places[at];
        money sum;
        if (place->count == 0) {
            place->key = *key;
            sums->used++;
            return place;
        }
        if (memcmp(&place->key, key, sizeof *key) == 0 &&
            money_add(place->amount, amount, &sum) == STATUS_OK)
            return place;
    }
}

static void
add(struct sum *sum, money amount)
{
    CHECK(money_add(sum->amount, amount, &sum->amount) == STATUS_OK);
    sum->count++;
}

static void
put_word(struct db *db, const char *word)
{
    db_copy_text(db, word, strlen(word));
}

// --- Transfers ---------------------------------------------------------------------------------

#define DAY 86400000000

static struct key
key_of(const struct transfer *one)
{
    struct key key = {.debit = account_number(one->debit),
                      .credit = account_number(one->credit),
                      .day = (int32_t)(one->effective.us / DAY),
                      .seat = one->seat,
                      .contract = one->contract,
                      .slot = one->slot,
                      .message = one->message,
                      .currency = one->currency,
                      .objectives = one->objectives,
                      .rung = one->rung,
                      .won_rung = one->won_rung,
                      .kind = one->kind,
                      .state = one->state,
                      .late = one->late};
    memcpy(key.period, one->period, strnlen(one->period, sizeof key.period));
    return key;
}

static void
put_fold(struct db *db, const struct sum *sum, uint32_t log, uint64_t batch, uint64_t upto)
{
    const struct key *key = &sum->key;
    db_copy_row(db, 20);
    db_copy_int8(db, (int64_t)batch);
    db_copy_int8(db, (int64_t)upto);
    db_copy_int8(db, key->debit);
    db_copy_int8(db, key->credit);
    db_copy_int8(db, (int64_t)sum->count);
    db_copy_int4(db, (int32_t)log);
    db_copy_int4(db, key->day);
    db_copy_int4(db, (int32_t)key->seat);
    db_copy_int4(db, (int32_t)key->contract);
    db_copy_int4(db, (int32_t)key->slot);
    db_copy_int4(db, (int32_t)key->message);
    db_copy_int4(db, key->objectives);
    db_copy_int2(db, key->rung);
    db_copy_int2(db, key->won_rung);
    db_copy_bool(db, key->late);
    put_word(db, key->period);
    put_word(db, key->currency.code);
    put_word(db, transfer_kind_name((enum transfer_kind)key->kind));
    put_word(db, transfer_state_name((enum transfer_state)key->state));
    db_copy_numeric(db, sum->amount.micros);
}

static enum status
put_folds(struct db *db, const struct sums *sums, uint32_t log, uint64_t batch, uint64_t upto)
{
    enum status status = db_copy_begin(
        db, "fold (batch, upto, debit, credit, count, log, day, seat, contract, slot, message, "
            "objectives, rung, won_rung, late, period, currency, kind, state, micros)");
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i <= sums->mask; i++)
        if (sums->places[i].count) put_fold(db, &sums->places[i], log, batch, upto);
    return db_copy_end(db, NULL);
}

enum status
fold_transfers(struct db *db, const struct transfer *transfers, size_t count)
{
    if (count == 0) return STATUS_OK;
    struct sums sums;
    open_sums(&sums, 64);
    uint64_t batch = UINT64_MAX, upto = 0;
    for (size_t i = 0; i < count; i++) {
        const struct transfer *one = &transfers[i];
        CHECK(one->log == transfers[0].log);
        if (one->batch < batch) batch = one->batch;
        if (one->batch > upto) upto = one->batch;
        struct key key = key_of(one);
        add(find(&sums, &key, one->amount), one->amount);
    }
    enum status status = put_folds(db, &sums, transfers[0].log, batch, upto);
    free(sums.places);
    return status;
}

// --- Facts -------------------------------------------------------------------------------------

// Sections are few and static words: told apart by their number in the order they come up.
struct sections {
    const char *words[16];
    uint8_t count;
};

static uint8_t
section_number(struct sections *sections, const char *word)
{
    for (uint8_t i = 0; i < sections->count; i++)
        if (strcmp(sections->words[i], word) == 0) return i;
    CHECK(sections->count < sizeof sections->words / sizeof *sections->words);
    sections->words[sections->count] = word;
    return sections->count++;
}

static void
put_count(struct db *db, const struct sum *sum, const struct sections *sections, uint32_t log,
          uint64_t batch, uint64_t upto)
{
    db_copy_row(db, 16);
    db_copy_int8(db, (int64_t)batch);
    db_copy_int8(db, (int64_t)upto);
    db_copy_int8(db, (int64_t)sum->won);
    db_copy_int8(db, (int64_t)sum->delivered);
    db_copy_int8(db, (int64_t)sum->ended);
    db_copy_int8(db, (int64_t)sum->converted);
    db_copy_int8(db, (int64_t)sum->refunded);
    db_copy_int4(db, (int32_t)log);
    db_copy_int4(db, (int32_t)sum->key.seat);
    db_copy_int4(db, (int32_t)sum->key.slot);
    db_copy_int4(db, (int32_t)sum->key.message);
    db_copy_int2(db, sum->key.rung);
    put_word(db, sum->key.period);
    put_word(db, sum->key.currency.code);
    put_word(db, sections->words[sum->key.section]);
    db_copy_numeric(db, sum->amount.micros);
}

enum status
fold_counts(struct db *db, const struct fold_count *counts, size_t count, uint32_t log,
            uint64_t batch, uint64_t upto)
{
    if (count == 0) return STATUS_OK;
    struct sums sums;
    struct sections sections = {.count = 0};
    open_sums(&sums, 64);
    for (size_t i = 0; i < count; i++) {
        const struct fold_count *one = &counts[i];
        struct key key = {.seat = one->seat,
                          .slot = one->slot,
                          .message = one->message,
                          .currency = one->currency,
                          .rung = one->rung,
                          .section = section_number(&sections, one->section)};
        memcpy(key.period, one->period, strnlen(one->period, sizeof key.period));
        struct sum *sum = find(&sums, &key, one->revenue);
        add(sum, one->revenue);
        sum->won += one->won;
        sum->delivered += one->delivered;
        sum->ended += one->ended;
        sum->converted += one->converted;
        sum->refunded += one->refunded;
    }
    enum status status = db_copy_begin(
        db, "count_fold (batch, upto, won, delivered, ended, converted, refunded, log, seat, slot, "
            "message, rung, period, currency, section, revenue)");
    for (size_t i = 0; status == STATUS_OK && i <= sums.mask; i++)
        if (sums.places[i].count) put_count(db, &sums.places[i], &sections, log, batch, upto);
    free(sums.places);
    return status == STATUS_OK ? db_copy_end(db, NULL) : status;
}

// --- Merging -----------------------------------------------------------------------------------

// Of one of the two tables. What is merged is bounded by frames that were read before, not computed
// from the rows: a join with it would be planned without knowing how many rows there are.
static const struct kind {
    const char *loads, *merge;
} kinds[2] = {
    {"select period, log, batch, upto, count(*) from fold group by 1, 2, 3, 4 "
     "order by period, log, batch desc, upto desc",
     "with gone as (delete from fold where period = $1 and log = $2 and batch >= $3 and upto <= $4 "
     "returning *) insert into fold (batch, upto, debit, credit, count, log, day, seat, contract, "
     "slot, message, objectives, rung, won_rung, late, period, currency, kind, state, micros) "
     "select $3, $4, debit, credit, sum(count)::bigint, log, day, seat, contract, slot, message, "
     "objectives, rung, won_rung, late, period, currency, kind, state, sum(micros) from gone "
     "group by debit, credit, log, day, seat, contract, slot, message, objectives, rung, won_rung, "
     "late, period, currency, kind, state"},
    {"select period, log, batch, upto, count(*) from count_fold group by 1, 2, 3, 4 "
     "order by period, log, batch desc, upto desc",
     "with gone as (delete from count_fold where period = $1 and log = $2 and batch >= $3 and "
     "upto <= $4 returning *) insert into count_fold (batch, upto, won, delivered, ended, "
     "converted, refunded, log, seat, slot, message, rung, period, currency, section, revenue) "
     "select $3, $4, sum(won)::bigint, sum(delivered)::bigint, sum(ended)::bigint, "
     "sum(converted)::bigint, sum(refunded)::bigint, log, seat, slot, message, rung, period, "
     "currency, section, sum(revenue) from gone group by log, seat, slot, message, rung, period, "
     "currency, section"}};

// The number of loads of one period and log, from row `at` on, and in *out_take how many of them,
// the newest first, are to become one; 0 none. *out_upto: the last frame of those.
static size_t
measure(const struct db_rows *rows, size_t at, size_t *out_take, int64_t *out_upto)
{
    size_t end = at, taken = 0;
    int64_t size = 0;
    *out_upto = 0;
    bool open = true;
    for (; end < db_count(rows) && db_get_int(rows, end, 1) == db_get_int(rows, at, 1) &&
           strcmp(db_get_text(rows, end, 0), db_get_text(rows, at, 0)) == 0;
         end++) {
        int64_t more = db_get_int(rows, end, 4);
        open = open && (end == at || more <= 2 * size);
        if (!open) continue;
        size += more;
        taken++;
        if (db_get_int(rows, end, 3) > *out_upto) *out_upto = db_get_int(rows, end, 3);
    }
    *out_take = taken >= MERGE_LOADS ? taken : 0;
    return end - at;
}

static enum status
compact(struct db *db, const struct kind *kind, bool *out_merged)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, kind->loads, NULL, 0, &rows);
    size_t take = 0, loads = 0;
    int64_t upto = 0;
    for (size_t at = 0; status == STATUS_OK && at < db_count(rows); at += loads) {
        loads = measure(rows, at, &take, &upto);
        if (take == 0) continue;
        const struct db_param params[] = {
            db_text(db_get_text(rows, at, 0)), db_int4((int32_t)db_get_int(rows, at, 1)),
            db_int8(db_get_int(rows, at + take - 1, 2)), db_int8(upto)};
        status = db_run(db, kind->merge, params, 4, NULL);
        *out_merged = *out_merged || status == STATUS_OK;
    }
    db_rows_free(rows);
    return status;
}

enum status
fold_compact(struct db *db, bool *out_merged)
{
    *out_merged = false;
    enum status status = compact(db, &kinds[0], out_merged);
    if (status == STATUS_OK) status = compact(db, &kinds[1], out_merged);
    return status;
}

// --- Verifying ---------------------------------------------------------------------------------

// The first group whose sums are not the same on both sides, as text.
#define DIFFERING_TRANSFERS                                                                       \
    "select 'folds of ' || x.period || ', day ' || x.day || ', ' || x.kind || ' ' || x.state || " \
    "' from account ' || x.credit || ' to ' || x.debit || ' ' || x.currency || ': ' || "          \
    "sum(x.folded) || ' transfers of ' || sum(x.sum) || ' micros, but there are ' || "            \
    "sum(x.rows) || ' of ' || sum(x.micros) from ("                                               \
    "select period, day, kind, state, debit, credit, currency, seat, contract, slot, message, "   \
    "rung, won_rung, objectives, late, count as folded, micros as sum, 0::bigint as rows, "       \
    "0::numeric as micros from fold union all "                                                   \
    "select t.period, (t.effective_us / 86400000000)::integer, t.kind, t.state, t.debit, "        \
    "t.credit, t.currency, coalesce(t.seat, 0), coalesce(t.contract, 0), coalesce(t.slot, 0), "   \
    "coalesce(t.message, 0), coalesce(t.rung, (-1)::smallint), "                                  \
    "coalesce(o.rung, (-1)::smallint), coalesce(t.objectives, 0), t.late, 0, 0, count(*), "       \
    "sum(t.amount_micros) from transfer_kept t "                                                  \
    "left join outcome o on o.placement_id = t.placement_id "                                     \
    "group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) x "                              \
    "group by x.period, x.day, x.kind, x.state, x.debit, x.credit, x.currency, x.seat, "          \
    "x.contract, x.slot, x.message, x.rung, x.won_rung, x.objectives, x.late "                    \
    "having sum(x.folded) <> sum(x.rows) or sum(x.sum) <> sum(x.micros) "                         \
    "order by x.period, x.day, x.kind, x.state, x.debit, x.credit limit 1"
#define DIFFERING_COUNTS                                                                        \
    "select 'counts of ' || x.period || ', section ' || x.section || ' of seat ' || x.seat || " \
    "', slot ' || x.slot || ', message ' || x.message || ' are not what the facts say' from ("  \
    "select period, seat, currency, section, slot, message, rung, won, delivered, ended, "      \
    "converted, refunded, revenue from count_fold union all "                                   \
    "select period, seat, currency, section, slot, message, rung, -won, -delivered, -ended, "   \
    "-converted, -refunded, -revenue_micros from count_part) x "                                \
    "group by x.period, x.seat, x.currency, x.section, x.slot, x.message, x.rung "              \
    "having sum(x.won) <> 0 or sum(x.delivered) <> 0 or sum(x.ended) <> 0 or "                  \
    "sum(x.converted) <> 0 or sum(x.refunded) <> 0 or sum(x.revenue) <> 0 "                     \
    "order by x.period, x.seat, x.section, x.slot, x.message limit 1"

enum status
fold_verify(struct db *db, char out_text[FOLD_TEXT])
{
    static const char *const differing[] = {DIFFERING_TRANSFERS, DIFFERING_COUNTS};
    enum status status = db_script(db, "set statement_timeout = '6h'");  // all rows are read
    out_text[0] = '\0';
    for (size_t i = 0; status == STATUS_OK && !out_text[0] && i < 2; i++) {
        struct db_rows *rows = NULL;
        status = db_query(db, differing[i], NULL, 0, &rows);
        if (status == STATUS_OK && db_count(rows) > 0)
            snprintf(out_text, FOLD_TEXT, "%s", db_get_text(rows, 0, 0));
        db_rows_free(rows);
    }
    return status;
}
