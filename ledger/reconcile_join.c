// The join: the seat's rows against the ledger's, and why they differ.
//
//  1 Rows join by event and placement; conversions, refunds and commissions also by their
//    reference. The second of two equal rows of the seat is a duplicate.
//  2 Prices that became due (billing) are always compared; other events only when the seat's file
//    has any, since not everybody keeps them.
//  3 A row of the seat that the period does not have is looked for among what ended without money,
//    then in the months around, then among what was won; else it is missing here. So every
//    difference has the nearest reason that the ledger knows.
//  4 What the differences of amounts come to, late ones apart, is compared with the larger sum.
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "reconcile_inside.h"

#define WARN_PPM 50000
#define DISPUTE_PPM 100000

static const struct {
    const char *name, *text;
} reasons[RECONCILE_REASON_COUNT] = {
    {"missing_here", "the ledger does not know it"},
    {"missing_there", "it is not in the seat's file"},
    {"late", "booked in another month"},
    {"amount", "the amounts differ"},
    {"rounding", "less than a cent apart"},
    {"currency", "the currencies differ"},
    {"duplicate", "the seat's file has it twice"},
    {"not_billable", "it ended without its price being due"},
    {"open", "won, and not yet due"},
    {"not_booked", "reported, and not accepted"},
};

struct rows {
    struct reconcile_row *of;
    size_t count, room;
};
struct join {
    struct arena *arena;
    struct reconcile_report *report;
    struct rows ours, theirs, around;  // `around`: of the months before and behind
    bool compared[RECONCILE_EVENT_COUNT];
    size_t difference_room;
    money off;
};

const char *
reconcile_reason_name(enum reconcile_reason reason)
{
    CHECK(reason < RECONCILE_REASON_COUNT);
    return reasons[reason].name;
}

const char *
reconcile_reason_text(enum reconcile_reason reason)
{
    CHECK(reason < RECONCILE_REASON_COUNT);
    return reasons[reason].text;
}

static bool
by_reference(enum reconcile_event event)
{
    return event == RECONCILE_CONVERTED || event == RECONCILE_REFUNDED ||
           event == RECONCILE_COMMISSION;
}

static bool
is_due(enum reconcile_event event)
{
    return event == RECONCILE_BILLING || event == RECONCILE_COMMISSION;
}

// Rule 1. An order that bears no placement joins by its reference alone.
static int
by_key(const void *left, const void *right)
{
    const struct reconcile_row *a = left, *b = right;
    if (a->event != b->event) return (int)a->event - (int)b->event;
    bool order = a->event == RECONCILE_CONVERTED || a->event == RECONCILE_REFUNDED;
    int by = order ? 0 : memcmp(&a->placement, &b->placement, sizeof a->placement);
    if (by == 0 && by_reference(a->event)) by = strcmp(a->reference, b->reference);
    return by;
}

static bool
is_booked(const struct reconcile_row *row)
{
    return !by_reference(row->event) || strcmp(row->state, "posted") == 0 ||
           strcmp(row->state, "no_share") == 0;
}

// Of equal rows of ours the booked one comes first: what repeats it was refused.
static int
by_key_then_line(const void *left, const void *right)
{
    const struct reconcile_row *a = left, *b = right;
    int by = by_key(left, right);
    if (by == 0) by = (int)is_booked(b) - (int)is_booked(a);
    if (by != 0) return by;
    if (a->line != b->line) return a->line - b->line;
    return (a->at.us > b->at.us) - (a->at.us < b->at.us);
}

// The first row with the same key; NULL: none.
static struct reconcile_row *
find(const struct rows *rows, const struct reconcile_row *key)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_key(&rows->of[middle], key) < 0) low = middle + 1;
        else high = middle;
    }
    return low < rows->count && by_key(&rows->of[low], key) == 0 ? &rows->of[low] : NULL;
}

static struct reconcile_row *
find_event(const struct rows *rows, const struct reconcile_row *row, enum reconcile_event event)
{
    struct reconcile_row key = *row;
    key.event = event;
    return find(rows, &key);
}

// --- Telling -------------------------------------------------------------------------------------

static money
plus(money a, money b)
{
    money sum = a;
    if (money_add(a, b, &sum) != STATUS_OK) sum = money_of(a.micros > 0 ? INT64_MAX : INT64_MIN);
    return sum;
}

static money
apart(money a, money b)
{
    money difference;
    if (money_subtract(a, b, &difference) != STATUS_OK) return money_of(INT64_MAX);
    if (difference.micros >= 0) return difference;
    return money_subtract(b, a, &difference) == STATUS_OK ? difference : money_of(INT64_MAX);
}

static void
differ(struct join *join, enum reconcile_reason reason, const struct reconcile_row *ours,
       const struct reconcile_row *theirs, const char *note)
{
    struct reconcile_report *report = join->report;
    const struct reconcile_row *row = theirs != NULL ? theirs : ours;
    char name[33];
    if (report->difference_count == join->difference_room) {
        size_t room = join->difference_room == 0 ? 256 : 2 * join->difference_room;
        struct reconcile_difference *longer = arena_take(join->arena, room, sizeof *longer);
        for (size_t i = 0; i < report->difference_count; i++) longer[i] = report->differences[i];
        report->differences = longer;
        join->difference_room = room;
    }
    reconcile_id_text(row->placement, name);
    struct reconcile_difference *difference = &report->differences[report->difference_count++];
    *difference = (struct reconcile_difference){
        .reason = reason,
        .line = theirs != NULL ? theirs->line : 0,
        .event = reconcile_event_name(row->event),
        .placement = arena_text(join->arena, name, 32),
        .reference = row->reference,
        .note = note,
        .ours = ours != NULL ? ours->amount : money_of(0),
        .theirs = theirs != NULL ? theirs->amount : money_of(0),
    };
    money by = is_due(row->event) ? apart(difference->ours, difference->theirs) : money_of(0);
    if (reason == RECONCILE_CURRENCY && is_due(row->event))  // nothing of it agrees
        by = difference->ours;
    report->reasons[reason].count++;
    report->reasons[reason].sum = plus(report->reasons[reason].sum, by);
    if (reason != RECONCILE_LATE) join->off = plus(join->off, by);
}

// --- Joining -------------------------------------------------------------------------------------

// Rule 3.
static void
explain_missing(struct join *join, const struct reconcile_row *theirs)
{
    const struct reconcile_row *found;
    if ((found = find_event(&join->ours, theirs, RECONCILE_RELEASED)) != NULL ||
        (found = find_event(&join->around, theirs, RECONCILE_RELEASED)) != NULL) {
        differ(join, RECONCILE_NOT_BILLABLE, NULL, theirs, found->state);
    } else if ((found = find(&join->around, theirs)) != NULL) {
        differ(join, RECONCILE_LATE, NULL, theirs,
               arena_printf(join->arena, "booked in %s", found->period));
    } else if (theirs->event == RECONCILE_BILLING &&
               (find_event(&join->ours, theirs, RECONCILE_WIN) != NULL ||
                find_event(&join->around, theirs, RECONCILE_WIN) != NULL)) {
        differ(join, RECONCILE_OPEN, NULL, theirs, "");
    } else {
        differ(join, RECONCILE_MISSING_HERE, NULL, theirs, "");
    }
}

static void
compare(struct join *join, struct reconcile_row *ours, const struct reconcile_row *theirs)
{
    ours->matched = true;
    if (!is_booked(ours)) {
        differ(join, RECONCILE_NOT_BOOKED, NULL, theirs, ours->state);
    } else if (theirs->currency.code[0] != '\0' &&
               !currency_same(ours->currency, theirs->currency)) {
        differ(join, RECONCILE_CURRENCY, ours, theirs,
               arena_printf(join->arena, "%s here, %s there", ours->currency.code,
                            theirs->currency.code));
    } else if (theirs->has_amount && ours->has_amount &&
               theirs->amount.micros != ours->amount.micros) {
        int64_t cent = period_cent(ours->currency);
        bool rounded = apart(ours->amount, theirs->amount).micros < cent &&
                       (theirs->amount.micros % cent == 0 || ours->amount.micros % cent == 0);
        differ(join, rounded ? RECONCILE_ROUNDING : RECONCILE_AMOUNT, ours, theirs, "");
    } else {
        join->report->matched++;
    }
}

static void
join_theirs(struct join *join)
{
    for (size_t i = 0; i < join->theirs.count; i++) {
        struct reconcile_row *theirs = &join->theirs.of[i];
        bool again = i > 0 && by_key(theirs, &join->theirs.of[i - 1]) == 0;
        struct reconcile_row *ours = find(&join->ours, theirs);
        if (is_due(theirs->event)) {
            join->report->theirs++;
            join->report->their_sum = plus(join->report->their_sum, theirs->amount);
        }
        // A commission changes with every refund: equal keys pair off in their order.
        while (again && ours != NULL && theirs->event == RECONCILE_COMMISSION && ours->matched &&
               ours + 1 < join->ours.of + join->ours.count && by_key(ours + 1, theirs) == 0)
            ours++;
        bool spare = ours != NULL && !ours->matched;
        if (again && !spare) differ(join, RECONCILE_DUPLICATE, NULL, theirs, "");
        else if (ours == NULL) explain_missing(join, theirs);
        else compare(join, ours, theirs);
    }
}

static void
join_ours(struct join *join)
{
    for (size_t i = 0; i < join->ours.count; i++) {
        struct reconcile_row *ours = &join->ours.of[i];
        if (is_due(ours->event) && join->compared[ours->event]) {
            join->report->ours++;
            join->report->our_sum = plus(join->report->our_sum, ours->amount);
        }
        bool told = ours->matched || !is_booked(ours) || !join->compared[ours->event] ||
                    find(&join->theirs, ours) != NULL;
        if (told) continue;
        if (ours->late) differ(join, RECONCILE_LATE, ours, NULL, "it happened in an earlier month");
        else differ(join, RECONCILE_MISSING_THERE, ours, NULL, "");
    }
}

// --- Reading -------------------------------------------------------------------------------------

struct taking {
    struct arena *arena;
    struct rows *rows;
};

static enum status
take(void *context, const struct reconcile_row *row)
{
    struct taking *taking = context;
    struct rows *rows = taking->rows;
    if (row->event >= RECONCILE_DELIVERED) return STATUS_OK;  // told, not joined
    if (rows->count == rows->room) {
        size_t room = rows->room == 0 ? 1024 : 2 * rows->room;
        struct reconcile_row *longer = arena_take(taking->arena, room, sizeof *longer);
        for (size_t i = 0; i < rows->count; i++) longer[i] = rows->of[i];
        rows->of = longer;
        rows->room = room;
    }
    struct reconcile_row *kept = &rows->of[rows->count++];
    *kept = *row;
    kept->slot = kept->message = kept->kind = kept->rung = "";
    kept->reference = arena_text(taking->arena, row->reference, strlen(row->reference));
    kept->state = arena_text(taking->arena, row->state, strlen(row->state));
    kept->period = arena_text(taking->arena, row->period, strlen(row->period));
    return STATUS_OK;
}

static void
sort(struct rows *rows)
{
    if (rows->count > 0) qsort(rows->of, rows->count, sizeof *rows->of, by_key_then_line);
}

static void
period_before(const struct period *period, struct period *out)
{
    period_of((usec){period->from.us - 1}, (usec){0}, out);
}

// Months around are read only when a row of the seat is not found in this one.
static enum status
read_around(struct join *join, struct db *db, const struct reconcile_seat *seat,
            const struct period *period)
{
    struct taking around = {join->arena, &join->around};
    struct period other;
    bool missing = false;
    for (size_t i = 0; i < join->theirs.count && !missing; i++)
        missing = find(&join->ours, &join->theirs.of[i]) == NULL;
    if (!missing) return STATUS_OK;
    period_next(period, &other);
    enum status status = reconcile_ours(db, seat, &other, take, &around);
    if (status == STATUS_OK && period->from.us > 0) {
        period_before(period, &other);
        status = reconcile_ours(db, seat, &other, take, &around);
    }
    sort(&join->around);
    return status;
}

// Exactly: a threshold is met at it, not by rounding.
static bool
reaches(money off, money larger, uint64_t ppm)
{
    money least;
    if (larger.micros <= 0) return off.micros > 0;
    return money_share_up(larger, ppm, &least) == STATUS_OK && off.micros >= least.micros;
}

static void
judge(struct join *join)
{
    struct reconcile_report *report = join->report;
    money larger = report->our_sum.micros > report->their_sum.micros ? report->our_sum
                                                                     : report->their_sum;
    money ppm = money_of(0);
    if (larger.micros > 0) {
        if (money_ratio(join->off, MONEY_PPM, (uint64_t)larger.micros, &ppm) != STATUS_OK)
            ppm = money_of(UINT32_MAX);
    } else if (join->off.micros > 0) {
        ppm = money_of(MONEY_PPM);
    }
    report->off_ppm = ppm.micros > UINT32_MAX ? UINT32_MAX : (uint32_t)ppm.micros;
    report->verdict = reaches(join->off, larger, DISPUTE_PPM) ? RECONCILE_DISPUTE
                      : reaches(join->off, larger, WARN_PPM)  ? RECONCILE_WARN
                                                              : RECONCILE_WITHIN;
}

enum status
reconcile_compare(struct db *db, const char *directory, const char *code,
                  const struct period *period, FILE *theirs, struct arena *arena,
                  struct reconcile_report *out_report)
{
    struct join join = {.arena = arena, .report = out_report};
    struct reconcile_seat seat;
    struct taking ours = {arena, &join.ours};
    memset(out_report, 0, sizeof *out_report);
    enum status status = reconcile_seat(db, directory, code, &seat);
    if (status == STATUS_OK)
        status = reconcile_theirs(theirs, arena, &join.theirs.of, &join.theirs.count, out_report);
    if (status == STATUS_OK) status = reconcile_ours(db, &seat, period, take, &ours);
    if (status != STATUS_OK) return status;
    sort(&join.ours);
    sort(&join.theirs);
    join.compared[RECONCILE_BILLING] = true;
    for (size_t i = 0; i < join.theirs.count; i++) join.compared[join.theirs.of[i].event] = true;
    status = read_around(&join, db, &seat, period);
    if (status != STATUS_OK) return status;
    join_theirs(&join);
    join_ours(&join);
    judge(&join);
    return STATUS_OK;
}
