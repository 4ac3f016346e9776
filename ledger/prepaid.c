// Bounds of seats that pay in advance: account 2000 is never overdrawn by what nodes sell.
//
//  1 A node counts what it sold to a seat over all time, less what was given back. So the bound is
//    what came to the seat's account 2000 from finance, less commissions on it, plus what was
//    charged to the seat on credit under earlier contracts. Charges and holds on 2000 are what the
//    node counts itself; what is left is the account's balance less what is held on it.
//  2 It binds while the seat's contract in force says prepaid; without a deposit it is 0. A
//    declared total that is less counts. A seat whose prepaid contract is not in force has its
//    declared budget, or all there is.
//  3 Commissions are due when revenue follows, not when something is sold, so they may overdraw the
//    account; then nothing is sold to the seat until it has paid in.
//  4 Deposits are looked for at every turn, other changes once a minute, a contract that begins or
//    ends at its time.
#include "prepaid.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "contract.h"
#include "fail.h"

#define LOOK_US (60 * USEC_SECOND)

struct bound {
    uint32_t seat;
    bool in_force;
    int64_t paid_in;
};
struct prepaid {
    struct bound *bounds;
    uint32_t count;
    int64_t deposits;             // when it was learned: their number
    usec next_look, next_change;  // change: a contract begins or ends; 0 none
};

struct prepaid *
prepaid_open(void)
{
    struct prepaid *prepaid = calloc(1, sizeof *prepaid);
    CHECK(prepaid);
    return prepaid;
}

void
prepaid_close(struct prepaid *prepaid)
{
    if (!prepaid) return;
    free(prepaid->bounds);
    free(prepaid);
}

bool
prepaid_any(const struct prepaid *prepaid)
{
    return prepaid->count > 0;
}

static enum status
count_deposits(struct db *db, int64_t *out_count)
{
    struct db_rows *rows = NULL;
    enum status status = db_query(db, "select count(*) from deposit", NULL, 0, &rows);
    if (status == STATUS_OK) *out_count = db_get_int(rows, 0, 0);
    db_rows_free(rows);
    return status;
}

// Rule 1, of all seats; those it does not name paid in nothing.
static enum status
read_paid_in(struct db *db, struct bound *bounds, uint32_t count)
{
    static const char sql[] = "select (x.account / 100000)::integer, sum(x.micros)::bigint from ("
                              " select credit as account, micros from fold where state = 'posted'"
                              "  and credit % 10000 = 2000 and kind <> 'charge'"
                              " union all select debit, -micros from fold where state = 'posted'"
                              "  and debit % 10000 = 2000 and kind <> 'charge'"
                              " union all select debit, micros from fold where state = 'posted'"
                              "  and debit % 10000 = 1110 and kind = 'charge') x"
                              " where x.account / 100000 = any($1::bigint[]) group by 1";
    int64_t *seats = calloc(count + 1, sizeof *seats);
    CHECK(seats);
    for (uint32_t i = 0; i < count; i++) seats[i] = bounds[i].seat;
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8_array(seats, count)};
    enum status status = db_query(db, sql, params, 1, &rows);
    free(seats);
    for (uint32_t i = 0; i < count; i++) bounds[i].paid_in = 0;
    for (size_t row = 0; status == STATUS_OK && row < db_count(rows); row++) {
        for (uint32_t i = 0; i < count; i++) {
            int64_t micros = db_get_int(rows, row, 1);
            if (bounds[i].seat == (uint32_t)db_get_int(rows, row, 0))
                bounds[i].paid_in = micros > 0 ? micros : 0;
        }
    }
    db_rows_free(rows);
    return status;
}

static void
note_change(struct prepaid *prepaid, usec at, usec now)
{
    if (at.us <= now.us) return;
    if (prepaid->next_change.us == 0 || at.us < prepaid->next_change.us) prepaid->next_change = at;
}

// Seats with a prepaid contract, whenever it is in force.
static void
list_seats(struct prepaid *prepaid, const struct market *market, usec now)
{
    struct contract_terms *terms = contract_terms_open(market);
    free(prepaid->bounds);
    prepaid->bounds = calloc((size_t)market->seat_count + 1, sizeof *prepaid->bounds);
    CHECK(prepaid->bounds);
    prepaid->count = 0;
    prepaid->next_change = (usec){0};
    for (uint32_t i = 0; i < market->seat_count; i++) {
        const struct market_seat *seat = &market->seats[i];
        bool any = false;
        if (seat->kind != SEAT_PARTNER) continue;
        for (uint32_t k = 0; k < market->contract_count && !any; k++)
            any = market->contracts[k].billing == BILLING_PREPAID &&
                  strcmp(market->contracts[k].seat, seat->code) == 0;
        if (!any) continue;
        for (uint32_t k = 0; k < market->contract_count; k++) {
            if (strcmp(market->contracts[k].seat, seat->code) != 0) continue;
            note_change(prepaid, market->contracts[k].from, now);
            note_change(prepaid, market->contracts[k].until, now);
        }
        const struct market_contract *contract = contract_in_force(terms, seat->id, now);
        prepaid->bounds[prepaid->count++] = (struct bound){
            .seat = seat->id, .in_force = contract && contract->billing == BILLING_PREPAID};
    }
    contract_terms_close(terms);
}

enum status
prepaid_learn(struct prepaid *prepaid, struct db *db, const struct market *market, usec now)
{
    list_seats(prepaid, market, now);
    prepaid->next_look = (usec){now.us + LOOK_US};
    if (prepaid->count == 0) return STATUS_OK;
    // Counted first: a deposit that comes in between is seen again.
    enum status status = count_deposits(db, &prepaid->deposits);
    return status == STATUS_OK ? read_paid_in(db, prepaid->bounds, prepaid->count) : status;
}

const struct market_budget *
prepaid_bound(const struct prepaid *prepaid, uint32_t seat, const struct market_budget *budget,
              struct arena *arena)
{
    for (uint32_t i = 0; i < prepaid->count; i++) {
        const struct bound *bound = &prepaid->bounds[i];
        if (bound->seat != seat) continue;
        int64_t most = bound->in_force && bound->paid_in < BOUND_MICROS ? bound->paid_in
                                                                        : BOUND_MICROS;
        if (budget->has_total && budget->total.micros <= most) return budget;
        struct market_budget *own = arena_take(arena, 1, sizeof *own);
        *own = *budget;
        own->has_total = true;
        own->total = money_of(most);
        return own;
    }
    return budget;
}

// Rule 4.
enum status
prepaid_turn(struct prepaid *prepaid, struct db *db, usec now, bool *out_changed)
{
    int64_t deposits = 0;
    *out_changed = false;
    if (prepaid->count == 0) return STATUS_OK;
    enum status status = count_deposits(db, &deposits);
    *out_changed = status == STATUS_OK &&
                   (deposits != prepaid->deposits ||
                    (prepaid->next_change.us && now.us >= prepaid->next_change.us));
    if (status != STATUS_OK || *out_changed || now.us < prepaid->next_look.us) return status;
    struct bound *now_are = calloc(prepaid->count, sizeof *now_are);
    CHECK(now_are);
    memcpy(now_are, prepaid->bounds, prepaid->count * sizeof *now_are);
    status = read_paid_in(db, now_are, prepaid->count);
    for (uint32_t i = 0; status == STATUS_OK && i < prepaid->count; i++)
        *out_changed |= now_are[i].in_force && now_are[i].paid_in != prepaid->bounds[i].paid_in;
    prepaid->next_look = (usec){now.us + LOOK_US};
    free(now_are);
    return status;
}
