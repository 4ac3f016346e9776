// Tests of replay: orders that are divided among touches. Random histories of several customers,
// shipped in pieces of any size, come to what a model says that was written from the rules alone;
// whatever order things are reported in, and however often, the accounts end the same.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "../../ledger/fold.h"
#include "../../ledger/replay.h"
#include "fixture.h"

#define DAY USEC_DAY

// Contracts of each kind: who is the merchant, which model, which windows; one with tiers.
static const char market_text[] =
    "market: {code: tiny, currency: EUR}\n"
    "touchpoints: {crm: Desk}\n"
    "seats:\n"
    "  billing: {kind: department}\n"
    "  sales: {kind: department}\n"
    "  grill: {kind: partner}\n"
    "  paper: {kind: partner}\n"
    "  agency: {kind: partner}\n"
    "contracts:\n"
    "  billing.one: {seat: billing, from: 2025-01-01}\n"
    "  sales.one:\n"
    "    seat: sales\n"
    "    from: 2025-01-01\n"
    "    gain_share:\n"
    "      merchant: host\n"
    "      rate: 7%\n"
    "      shares: [{to: touches, weight: 3}, {to: agency, weight: 1}]\n"
    "      attribution: {model: position, first: 30%, last: 50%, windows: {delivered: 3d}}\n"
    "  paper.one: {seat: paper, from: 2025-01-01, billing: prepaid, charge: win}\n"
    "  grill.one:\n"
    "    seat: grill\n"
    "    from: 2025-01-01\n"
    "    gain_share:\n"
    "      merchant: partner\n"
    "      rate: 10%\n"
    "      shares: [{to: host, weight: 40}, {to: touches, weight: 60}]\n"
    "      attribution:\n"
    "        {model: time_decay, half_life: 36h, windows: {delivered: 2d, accepted: 5d}}\n"
    "  agency.one:\n"
    "    seat: agency\n"
    "    from: 2025-01-01\n"
    "    gain_share:\n"
    "      merchant: host\n"
    "      tiers: [{from: 0, rate: 3%}, {from: 500, rate: 5%}, {from: 2000, rate: 1.5%}]\n"
    "      shares: [{to: touches, weight: 1}]\n"
    "      attribution: {model: linear, windows: {delivered: 1d, bill: 4d, accepted: never}}\n"
    "containers:\n"
    "  bill:\n"
    "    stage: use\n"
    "    channel: bill\n"
    "    owner: billing\n"
    "    slots: {header: {floor: 0.10}, footer: {floor: 0.12}}\n"
    "messages:\n"
    "  billing.tip: {seat: billing, rung: 1, objectives: educate}\n"
    "  sales.plan: {seat: sales, rung: 4, objectives: upgrade}\n"
    "  grill.summer: {seat: grill, rung: 7, objectives: cross_sell}\n"
    "  paper.trial: {seat: paper, rung: 6, objectives: cross_sell}\n"
    "  agency.refer: {seat: agency, rung: 7, objectives: refer}\n"
    "  agency.more: {seat: agency, rung: 8, objectives: refer}\n";

// --- The model: what happened, whoever reported it when ------------------------------------------

enum { TOLD_MAX = 4096, PAIRS = 64 };
struct shown {  // a placement
    struct fact placement;
    uint64_t customer;
    usec won, delivered, accepted;  // 0: not reported
    bool ended;
};
struct sale {  // an order
    struct id order;
    unsigned shown;
    usec at;         // as reported; 0: only refunds were
    int64_t amount;  // 0: the conversion was not reported yet
    int64_t refunded, base;
    int64_t waiting;  // refunds that were reported before it
};
struct model {
    const struct market *market;
    struct shown shown[TOLD_MAX];
    struct sale sales[TOLD_MAX];
    unsigned shown_count, sale_count;
};
struct pair {
    uint32_t seat;
    uint8_t rung;
    __int128 weight;
};

static const struct market_seat *
seat_of(const struct market *market, uint32_t id)
{
    for (uint32_t i = 0; i < market->seat_count; i++) {
        if (market->seats[i].id == id) return &market->seats[i];
    }
    return NULL;
}

static uint32_t
id_of(const struct market *market, const char *code)
{
    return strcmp(code, "host") == 0 ? 0 : round_seat(market, code);
}

static const struct market_message *
message_of(const struct market *market, const char *code)
{
    for (uint32_t i = 0; i < market->message_count; i++) {
        if (strcmp(market->messages[i].code, code) == 0) return &market->messages[i];
    }
    return NULL;
}

static const struct market_contract *
contract_of(const struct market *market, uint32_t seat)
{
    const char *code = seat_of(market, seat)->code;
    for (uint32_t i = 0; i < market->contract_count; i++) {
        if (strcmp(market->contracts[i].seat, code) == 0) return &market->contracts[i];
    }
    return NULL;
}

static void
add(struct pair *pairs, unsigned *count, uint32_t seat, uint8_t rung, __int128 weight)
{
    unsigned i = 0;
    if (weight == 0) return;
    while (i < *count && (pairs[i].seat != seat || pairs[i].rung != rung)) i++;
    if (i == *count) pairs[(*count)++] = (struct pair){seat, rung, 0};
    pairs[i].weight += weight;
}

static int
pair_before(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->seat != b->seat) return a->seat < b->seat ? -1 : 1;
    return (int)a->rung - (int)b->rung;
}

// Largest remainder, ties to the pair that sorts first.
static void
split(int64_t total, const struct pair *pairs, unsigned count, int64_t *out)
{
    __int128 whole = 0, rest[PAIRS];
    int64_t left = total;
    for (unsigned i = 0; i < count; i++) whole += pairs[i].weight;
    for (unsigned i = 0; i < count; i++) {
        out[i] = (int64_t)((__int128)total * pairs[i].weight / whole);
        rest[i] = (__int128)total * pairs[i].weight % whole;
        left -= out[i];
    }
    for (; left > 0; left--) {
        unsigned best = 0;
        for (unsigned i = 1; i < count; i++) {
            if (rest[i] > rest[best]) best = i;
        }
        out[best]++;
        rest[best] = -1;
    }
}

static bool
in_windows(const struct market_attribution *terms, const struct shown *shown, usec at)
{
    int64_t delivered = terms->channel_us[CHANNEL_BILL] >= 0 ? terms->channel_us[CHANNEL_BILL]
                                                             : terms->delivered_us;
    if (!shown->delivered.us || shown->delivered.us > at.us) return false;
    return (delivered && at.us - shown->delivered.us <= delivered) ||
           (terms->accepted_us && shown->accepted.us && shown->accepted.us <= at.us &&
            at.us - shown->accepted.us <= terms->accepted_us);
}

// Parts of a million that the touches of an order earn.
static unsigned
credits_of(const struct model *model, const struct sale *sale,
           const struct market_contract *contract, struct pair pairs[PAIRS])
{
    const struct shown *own = &model->shown[sale->shown], *path[512];
    const struct market_attribution *terms = &contract->attribution;
    unsigned used = 0, count = 0;
    int64_t parts[PAIRS];
    for (unsigned i = 0; i < model->shown_count; i++) {
        const struct shown *one = &model->shown[i];
        bool same = own->customer ? one->customer == own->customer : one == own;
        if (!same || !in_windows(terms, one, sale->at)) continue;
        unsigned at = used++;
        for (; at > 0; at--) {
            const struct shown *other = path[at - 1];
            struct id a = fact_placement(&one->placement), b = fact_placement(&other->placement);
            int64_t between = one->delivered.us - other->delivered.us;
            if (between > 0 || (between == 0 && memcmp(&a, &b, sizeof a) > 0)) break;
            path[at] = other;
        }
        path[at] = one;
    }
    for (unsigned i = 0; i < used; i++) {
        const struct fact *fact = &path[i]->placement;
        bool merchant = contract->merchant == MERCHANT_PARTNER &&
                        fact->placement.seat == own->placement.placement.seat;
        __int128 weight = 1;
        if (terms->model == ATTRIBUTION_TIME_DECAY) {
            long double age = (long double)(sale->at.us - path[i]->delivered.us);
            weight = (__int128)(exp2l(-age / (long double)terms->half_life_us) * 1e18L);
        } else if (terms->model == ATTRIBUTION_POSITION && used > 2) {
            int64_t middle = 1000000 - terms->first_ppm - terms->last_ppm;
            weight = i == 0          ? (__int128)terms->first_ppm * (used - 2)
                     : i == used - 1 ? (__int128)terms->last_ppm * (used - 2)
                                     : middle;
        }
        add(pairs, &count, merchant ? id_of(model->market, "billing") : fact->placement.seat,
            fact->placement.rung, weight);
    }
    if (count == 0) return 0;
    qsort(pairs, count, sizeof *pairs, pair_before);
    split(1000000, pairs, count, parts);
    for (unsigned i = 0; i < count; i++) pairs[i].weight = parts[i];
    return count;
}

static int64_t
pool_of(const struct market_contract *contract, int64_t base, int64_t remaining)
{
    __int128 millionths = 0;
    for (uint32_t i = 0; i < contract->tier_count; i++) {
        int64_t from = contract->tiers[i].from.micros;
        int64_t until = i + 1 < contract->tier_count ? contract->tiers[i + 1].from.micros
                                                     : INT64_MAX;
        if (from < base) from = base;
        if (until > base + remaining) until = base + remaining;
        if (until > from) millionths += (__int128)(until - from) * contract->tiers[i].rate_ppm;
    }
    int64_t pool = (int64_t)(millionths / 1000000), rest = (int64_t)(millionths % 1000000);
    return pool + (rest > 500000 || (rest == 500000 && pool % 2));
}

// What each account of the order must come to: debits positive, by account number.
struct sums {
    int64_t account[PAIRS * 2];
    int64_t micros[PAIRS * 2];
    unsigned count;
};

static void
post(struct sums *sums, uint16_t code, uint8_t rung, uint32_t seat, int64_t micros)
{
    int64_t account = account_number((struct account){.code = code, .rung = rung, .seat = seat});
    unsigned i = 0;
    if (micros == 0) return;
    while (i < sums->count && sums->account[i] != account) i++;
    if (i == sums->count) {
        sums->account[sums->count] = account;
        sums->micros[sums->count++] = 0;
    }
    sums->micros[i] += micros;
}

static void
expect_order(const struct model *model, const struct sale *sale, struct sums *sums)
{
    const struct fact *own = &model->shown[sale->shown].placement;
    const struct market_contract *contract = contract_of(model->market, own->placement.seat);
    struct pair credits[PAIRS], pairs[PAIRS];
    int64_t amounts[PAIRS];
    unsigned credited, count = 0;
    if (sale->amount == 0 || !contract->has_gain_share) return;
    credited = credits_of(model, sale, contract, credits);
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        bool touches = strcmp(share->to, "touches") == 0;
        if (!touches) {
            add(pairs, &count, id_of(model->market, share->to),
                share->rung < 0 ? own->placement.rung : (uint8_t)share->rung,
                (__int128)share->weight * 1000000);
        }
        for (unsigned k = 0; touches && k < credited; k++) {
            add(pairs, &count, credits[k].seat, credits[k].rung,
                (__int128)share->weight * credits[k].weight);
        }
    }
    if (count == 0) return;
    qsort(pairs, count, sizeof *pairs, pair_before);
    split(pool_of(contract, sale->base, sale->amount - sale->refunded), pairs, count, amounts);
    for (unsigned i = 0; i < count; i++) {
        uint8_t rung = (uint8_t)(pairs[i].rung + 1);
        const struct market_seat *seat = seat_of(model->market, pairs[i].seat);
        if (contract->merchant == MERCHANT_PARTNER) {
            post(sums, ACCOUNT_GAIN_RECEIVABLE, 0, own->placement.seat, amounts[i]);
        } else {
            post(sums, ACCOUNT_EXPENSE_GAIN, rung, 0, amounts[i]);
        }
        if (!seat) post(sums, ACCOUNT_GAIN_HOST, 0, 0, -amounts[i]);
        else if (seat->kind == SEAT_PARTNER)
            post(sums, ACCOUNT_GAIN_ACCRUED, 0, pairs[i].seat, -amounts[i]);
        else post(sums, ACCOUNT_GAIN_RUNG, rung, pairs[i].seat, -amounts[i]);
    }
}

// --- Histories -----------------------------------------------------------------------------------

struct teller {
    struct fixture fixture;
    struct story story;  // for its journal and its dice
    struct model model;
    struct fact waiting[TOLD_MAX];  // happened, not reported yet
    unsigned waiting_count;
    uint64_t log, refunds;
    bool by_hand;  // fits and expiries were put in without the acts that bring them
};
// Revenue of the contract with tiers, by month; of all logs.
struct months {
    char names[12][PERIOD_TEXT];
    int64_t revenue[12];
};
static struct months months;
static struct teller teller;

static void
open_teller(uint64_t seed)
{
    memset(&teller, 0, sizeof teller);
    memset(&months, 0, sizeof months);
    fixture_open(&teller.fixture);
    fixture_market(&teller.fixture, market_text);
    story_open(&teller.story, &teller.fixture, seed);
    teller.model.market = teller.fixture.market;
}

static void
close_teller(void)
{
    story_close(&teller.story);
    fixture_close(&teller.fixture);
}

static struct fact
fact_of(enum fact_kind kind, const struct shown *shown)
{
    struct fact fact = {.kind = (uint8_t)kind,
                        .role = ROLE_TOUCHPOINT,
                        .party = 1,
                        .position = shown->placement.position,
                        .contact = shown->placement.contact,
                        .customer = shown->customer};
    if (kind == FACT_CONVERTED || kind == FACT_REFUNDED) {
        fact.revenue.seat = shown->placement.placement.seat;
        fact.revenue.message = shown->placement.placement.message;
        fact.revenue.currency = teller.model.market->currency;
    } else {
        fact.event.slot = shown->placement.placement.slot;
        fact.event.message = shown->placement.placement.message;
        fact.event.seat = shown->placement.placement.seat;
    }
    return fact;
}

// A contact of a customer (0: nobody knows whose), with one or two placements.
static unsigned
contact(struct teller *tell, uint64_t customer, struct fact *out)
{
    struct story *story = &tell->story;
    const struct market *market = tell->model.market;
    uint64_t number = ++story->contacts + (tell->log << 32);
    struct id id = hash_id("a contact", &number, sizeof number);
    unsigned slots = 1 + (unsigned)story_draw(story, 2);
    id.bytes[15] &= 0xf0;
    out[0] = (struct fact){.kind = FACT_CONTACT,
                           .role = ROLE_TOUCHPOINT,
                           .party = 1,
                           .at = story->now,
                           .contact = id,
                           .customer = customer};
    out[0].opened.catalog = tell->fixture.catalog;
    out[0].opened.container = market->containers[0].id;
    out[0].opened.slots = (uint8_t)slots;
    snprintf(out[0].opened.key, BOUND_KEY, "c-%llu", (unsigned long long)number);
    for (unsigned i = 0; i < slots; i++) {
        const struct market_message *message =
            &market->messages[story_draw(story, market->message_count)];
        struct fact *fact = &out[1 + i];
        *fact = out[0];
        memset(&fact->bytes, 0, sizeof fact->bytes);
        fact->kind = FACT_PLACEMENT;
        fact->position = (uint8_t)(i + 1);
        fact->placement.slot = market->containers[0].slots[i].id;
        fact->placement.message = message->id;
        fact->placement.seat = round_seat(market, message->seat);
        fact->placement.currency = market->currency;
        fact->placement.price = money_of((int64_t)story_draw(story, 2) * 250000);
        fact->placement.rung = message->rung;
        fact->placement.cell = (uint8_t)(STAGE_USE * CHANNEL_COUNT + CHANNEL_BILL);
        tell->model.shown[tell->model.shown_count++] = (struct shown){
            .placement = *fact, .customer = customer, .won = story->now};
    }
    return 1 + slots;
}

// A refund of an order that was reported, or of one that was not yet.
static void
refund(struct teller *tell, usec at, struct fact *out_fact)
{
    struct story *story = &tell->story;
    struct model *model = &tell->model;
    struct id order;
    unsigned shown = 0;
    int64_t left = 0;
    if (tell->waiting_count && story_draw(story, 2)) {
        const struct fact *fact = &tell->waiting[story_draw(story, tell->waiting_count)];
        if (fact->kind != FACT_CONVERTED) return;
        while (!id_same(fact_placement(&model->shown[shown].placement), fact_placement(fact))) {
            shown++;
        }
        order = fact->revenue.order;
        left = fact->revenue.amount.micros;
    } else if (model->sale_count) {
        struct sale *sale = &model->sales[story_draw(story, model->sale_count)];
        order = sale->order;
        shown = sale->shown;
        left = sale->amount - sale->refunded;
    } else {
        return;
    }
    *out_fact = fact_of(FACT_REFUNDED, &model->shown[shown]);
    out_fact->revenue.effective = at;
    out_fact->revenue.order = order;
    int64_t amount = story_draw(story, 3) ? 1 + (int64_t)story_draw(story, (uint64_t)left + 1000)
                                          : left;
    out_fact->revenue.amount = money_of(amount ? amount : 1);
    snprintf(out_fact->revenue.key, BOUND_KEY, "r-%llu", (unsigned long long)tell->refunds++);
}

// Something that happens to a placement; it is reported some time afterwards.
static void
happen(struct teller *tell, struct fact *out_fact)
{
    struct story *story = &tell->story;
    struct model *model = &tell->model;
    unsigned recent = model->shown_count < 30 ? model->shown_count : 30;
    unsigned which = model->shown_count - 1 - (unsigned)story_draw(story, recent);
    struct shown *shown = &model->shown[which];
    uint64_t kind = story_draw(story, 10);
    usec at = {story->now.us - (int64_t)story_draw(story, 1000000)};
    if (kind < 4) *out_fact = fact_of(FACT_DELIVERED, shown);
    else if (kind < 5) *out_fact = fact_of(FACT_ACCEPTED, shown);
    else if (kind < 8) {
        *out_fact = fact_of(FACT_CONVERTED, shown);
        out_fact->revenue.effective = at;
        out_fact->revenue.amount = money_of(1 + (int64_t)story_draw(story, 300000000));
        // Now and then an order of before, again.
        uint64_t number = story_draw(story, 8) || !model->sale_count ? ~(uint64_t)model->sale_count
                                                                     : story_draw(story, 5);
        number ^= tell->log << 32;
        out_fact->revenue.order = hash_id("an order", &number, sizeof number);
        snprintf(out_fact->revenue.key, BOUND_KEY, "o-%llu", (unsigned long long)number);
        return;
    } else {
        refund(tell, at, out_fact);
        return;
    }
    out_fact->event.effective = at;
}

static usec
clamped(usec said, usec won, usec at)
{
    if (said.us > at.us) said = at;
    return said.us < won.us ? won : said;
}

// What a report does to what is known.
static void
learn(struct teller *tell, const struct fact *fact)
{
    struct model *model = &tell->model;
    struct shown *shown = NULL;
    struct id placement = fact_placement(fact);
    for (unsigned i = 0; i < model->shown_count; i++) {
        if (id_same(fact_placement(&model->shown[i].placement), placement))
            shown = &model->shown[i];
    }
    assert_non_null(shown);
    if (fact->kind == FACT_DELIVERED || fact->kind == FACT_ACCEPTED) {
        usec *known = fact->kind == FACT_DELIVERED ? &shown->delivered : &shown->accepted;
        if (known->us == 0) *known = clamped(fact->event.effective, shown->won, fact->at);
        return;
    }
    struct sale *sale = NULL;
    for (unsigned i = 0; i < model->sale_count; i++) {
        if (id_same(model->sales[i].order, fact->revenue.order)) sale = &model->sales[i];
    }
    if (fact->kind == FACT_REFUNDED && sale && sale->amount) {
        // Of an order that another placement brought it is none.
        bool own = (unsigned)(shown - model->shown) == sale->shown;
        if (own && sale->refunded + fact->revenue.amount.micros <= sale->amount) {
            sale->refunded += fact->revenue.amount.micros;
        }
        return;
    }
    if (sale && sale->amount) return;  // the same order again
    if (!sale) sale = &model->sales[model->sale_count++];
    int64_t waiting = sale->waiting;
    *sale = (struct sale){.order = fact->revenue.order, .shown = (unsigned)(shown - model->shown)};
    if (fact->kind == FACT_REFUNDED) {
        sale->waiting = waiting + fact->revenue.amount.micros;
        return;
    }
    sale->at = clamped(fact->revenue.effective, shown->won, fact->at);
    sale->amount = fact->revenue.amount.micros;
    sale->refunded = waiting <= sale->amount ? waiting : 0;
    if (fact->revenue.seat == round_seat(model->market, "agency")) {
        struct period period;
        period_of(sale->at, (usec){0}, &period);
        unsigned month = 0;
        while (months.names[month][0] && strcmp(months.names[month], period.name) != 0) month++;
        assert_true(month < 12);
        memcpy(months.names[month], period.name, sizeof period.name);
        sale->base = months.revenue[month];
        months.revenue[month] += sale->amount;
    }
}

// Reports one of what is waiting, now and then twice.
static unsigned
report(struct teller *tell, struct fact *out)
{
    struct story *story = &tell->story;
    if (tell->waiting_count == 0) return 0;
    unsigned which = (unsigned)story_draw(story, tell->waiting_count), count = 0;
    struct fact fact = tell->waiting[which];
    fact.at = story->now;
    tell->waiting[which] = tell->waiting[--tell->waiting_count];
    for (unsigned times = 1 + (story_draw(story, 6) == 0); times > 0; times--) {
        if (count == 0 || fact.kind != FACT_REFUNDED) learn(tell, &fact);  // it forgets refunds
        out[count++] = fact;
    }
    return count;
}

static void
tell_days(struct teller *tell, unsigned frames)
{
    struct story *story = &tell->story;
    for (unsigned f = 0; f < frames; f++) {
        struct fact facts[64];
        unsigned count = 0, parts = 1 + (unsigned)story_draw(story, 5);
        story->now.us += (int64_t)story_draw(story, 120) * 60 * USEC_SECOND;
        for (unsigned p = 0; p < parts; p++) {
            uint64_t customer = story_draw(story, 6);
            if (story_draw(story, 3) == 0) {
                count += contact(tell, customer ? 0x9000000000000000u + customer : 0,
                                 &facts[count]);
            } else if (tell->model.shown_count && story_draw(story, 2)) {
                struct fact *fact = &tell->waiting[tell->waiting_count];
                fact->kind = FACT_NONE;
                happen(tell, fact);
                tell->waiting_count += fact->kind != FACT_NONE;
            } else {
                count += report(tell, &facts[count]);
            }
        }
        if (count) story_append(story, facts, count);
    }
    assert_int_equal(journal_sync(story->journal), STATUS_OK);
}

// --- Comparing -----------------------------------------------------------------------------------

static void
compare(struct teller *tell)
{
    struct db *db = database_open(tell->fixture.owner);
    unsigned divided = 0;
    for (unsigned i = 0; i < tell->model.sale_count; i++) {
        const struct sale *sale = &tell->model.sales[i];
        struct sums sums = {.count = 0};
        struct db_rows *rows = NULL;
        const struct db_param params[] = {db_id(sale->order)};
        expect_order(&tell->model, sale, &sums);
        assert_int_equal(db_query(db,
                                  "select account, sum(micros)::bigint from entry "
                                  "where group_id = $1 and kind in ('share', 'refund', 'credit') "
                                  "group by account having sum(micros) <> 0",
                                  params, 1, &rows),
                         STATUS_OK);
        unsigned wanted = 0;
        for (unsigned k = 0; k < sums.count; k++) wanted += sums.micros[k] != 0;
        if (wanted != db_count(rows)) print_message("order %u\n", i);
        assert_int_equal(wanted, db_count(rows));
        for (size_t k = 0; k < db_count(rows); k++) {
            unsigned at = 0;
            while (at < sums.count && sums.account[at] != db_get_int(rows, k, 0)) at++;
            if (at == sums.count || sums.micros[at] != db_get_int(rows, k, 1)) {
                print_message("order %u, account %lld\n", i, (long long)db_get_int(rows, k, 0));
            }
            assert_true(at < sums.count);
            assert_int_equal(sums.micros[at], db_get_int(rows, k, 1));
        }
        divided += wanted > 2;
        db_rows_free(rows);
    }
    db_close(db);
    // A story in which no order is divided would prove nothing; few are divided in some.
    if (divided == 0) print_message("no order was divided\n");
    assert_true(divided > 0);
}

// Refunds that name another placement than their order's are orphans here, and no fault.
static void
prove_log(struct fixture *fixture, const char *directory, uint32_t log)
{
    struct verify_report report;
    struct db *db = database_open(fixture->console);
    enum status status = verify_run(db, directory, log, &report);
    unsigned told = teller.by_hand && !report.checks[VERIFY_ACTS].ok;  // acts tell one
    bool ok = status == STATUS_OK && report.difference_count == told;
    for (unsigned i = 0; i < VERIFY_PARTS; i++) {
        ok &= report.checks[i].ok || i == VERIFY_ORPHANS || (i == VERIFY_ACTS && teller.by_hand);
    }
    if (!ok) fixture_print(&report);
    assert_true(ok);
    assert_int_equal(report.unexplained_micros, 0);
    db_close(db);
}

static void
prove(struct teller *tell)
{
    prove_log(&tell->fixture, tell->fixture.directory, 1);
}

static const char pools_differ[] =
    "select count(*) from (select distinct on (order_id) order_id, pool_micros from order_pool "
    "order by order_id, log desc, batch desc, idx desc) p full join (select group_id, "
    "sum(case when debit % 10000 in (1150, 5000) then amount_micros else -amount_micros end) as "
    "micros from transfer where kind in ('share', 'refund', 'credit') and "
    "(debit % 10000 in (1150, 5000)) <> (credit % 10000 in (1150, 5000)) group by group_id) b "
    "on b.group_id = p.order_id where coalesce(p.pool_micros, 0) <> coalesce(b.micros, 0)";

static void
histories_come_to_what_the_rules_say(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    int64_t anew = 0;
    for (unsigned turn = 0; turn < 3; turn++) {
        open_teller(seed + turn);
        for (unsigned piece = 0; piece < 12; piece++) {
            tell_days(&teller, 10 + (unsigned)story_draw(&teller.story, 50));
            fixture_ship_all(&teller.fixture);
        }
        compare(&teller);
        prove(&teller);
        // Pools follow on from fact to fact, and are what was booked.
        assert_int_equal(fixture_ask(&teller.fixture, pools_differ), 0);
        assert_int_equal(fixture_ask(&teller.fixture, "select count(*) from unexplained"), 0);
        // And what is kept as sums adds up to the same.
        char text[FOLD_TEXT];
        struct db *db = database_open(teller.fixture.console);
        assert_int_equal(fold_verify(db, text), STATUS_OK);
        assert_string_equal(text, "");
        db_close(db);
        anew += fixture_ask(&teller.fixture, "select count(*) from transfer where kind = 'credit'");
        close_teller();
    }
    assert_true(anew > 20);
}

// One shipment or fifty, the same rows.
static void
pieces_do_not_matter(void **state)
{
    (void)state;
    uint64_t seed = seed_fresh();
    struct digest kept = {{0}};
    for (unsigned turn = 0; turn < 2; turn++) {
        open_teller(seed);
        for (unsigned piece = 0; piece < 50; piece++) {
            tell_days(&teller, 6);
            if (turn) fixture_ship_all(&teller.fixture);
        }
        fixture_ship_all(&teller.fixture);
        struct db *db = database_open(teller.fixture.owner);
        struct db_rows *rows = NULL;
        assert_int_equal(
            db_query(db,
                     "select string_agg(line, e'\\n' order by line) from ("
                     "select concat_ws('|', transfer_id, leg, kind, debit, credit, amount_micros, "
                     "origin_id, batch, idx) as line from transfer union all "
                     "select concat_ws('|', order_id, batch, idx, part, seat, rung, weight) "
                     "from credit union all "
                     "select concat_ws('|', batch, idx, state, base_micros, model, pool_micros) "
                     "from revenue) as x",
                     NULL, 0, &rows),
            STATUS_OK);
        struct digest digest = hash_sha256(db_get_text(rows, 0, 0), db_get_len(rows, 0, 0));
        assert_true(db_get_len(rows, 0, 0) > 10000);
        if (turn) assert_true(digest_same(digest, kept));
        kept = digest;
        db_rows_free(rows);
        db_close(db);
        close_teller();
    }
}

// The shipper is killed while it books, again and again; a new one goes on.
static void
killed_shippers_lose_and_double_nothing(void **state)
{
    (void)state;
    open_teller(seed_fresh());
    for (unsigned piece = 0; piece < 20; piece++) {
        tell_days(&teller, 15);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct ship *ship = ship_open(teller.fixture.directory, 1);
            (void)fixture_ship(&teller.fixture, ship);
            _exit(0);
        }
        usleep((useconds_t)story_draw(&teller.story, 40000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    fixture_ship_all(&teller.fixture);
    compare(&teller);
    prove(&teller);
    close_teller();
}

// --- Every order of reports ----------------------------------------------------------------------

struct play {
    struct db *db;
    struct fact base[16], reports[12];
    unsigned base_count, report_count, plays;
    struct sums expected;
    uint64_t seed;
};

static void
take(struct sums *sums, const struct transfer *transfers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct transfer *one = &transfers[i];
        if (one->state != TRANSFER_POSTED) continue;
        post(sums, one->debit.code, one->debit.rung, one->debit.seat, one->amount.micros);
        post(sums, one->credit.code, one->credit.rung, one->credit.seat, -one->amount.micros);
    }
}

static void
play(struct play *play, const unsigned *order)
{
    struct replay *replay = replay_open();
    struct sums sums = {.count = 0};
    uint32_t index = 0;
    replay_fence(replay, 1, (usec){0});
    assert_int_equal(replay_whole(replay, play->db), STATUS_OK);
    for (unsigned i = 0; i < play->base_count + play->report_count; i++) {
        bool based = i < play->base_count;
        struct fact fact = based ? play->base[i] : play->reports[order[i - play->base_count]];
        play->seed += 0x9e3779b97f4a7c15u;
        for (unsigned times = based ? 1 : 1 + (hash_mix(play->seed) % 3 == 0); times > 0; times--) {
            struct posting posting;
            struct replay_said said;
            enum status status = replay_fact(
                replay, play->db, &fact, (struct posting_source){1, 1, index++}, &posting, &said);
            if (status != STATUS_OK) print_message("%s\n", replay_fault(replay));
            assert_int_equal(status, STATUS_OK);
            take(&sums, posting.transfers, posting.count);
            take(&sums, said.more, said.more_count);
        }
    }
    replay_close(replay);
    if (play->plays++ == 0) play->expected = sums;
    for (unsigned i = 0; i < sums.count; i++) {
        unsigned at = 0;
        while (at < play->expected.count && play->expected.account[at] != sums.account[i]) at++;
        int64_t expected = at < play->expected.count ? play->expected.micros[at] : 0;
        assert_int_equal(sums.micros[i], expected);
    }
    for (unsigned i = 0; i < play->expected.count; i++) {
        unsigned at = 0;
        while (at < sums.count && sums.account[at] != play->expected.account[i]) at++;
        assert_int_equal(at < sums.count ? sums.micros[at] : 0, play->expected.micros[i]);
    }
}

static void
permute(struct play *all, unsigned *order, unsigned count)
{
    if (count == 1) {
        play(all, order);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        permute(all, order, count - 1);
        unsigned other = count % 2 ? 0 : i, kept = order[count - 1];
        order[count - 1] = order[other];
        order[other] = kept;
    }
}

static struct fact
told(enum fact_kind kind, unsigned shown, int64_t days, const char *key)
{
    struct fact fact = fact_of(kind, &teller.model.shown[shown]);
    usec at = {teller.model.shown[shown].won.us + days * DAY};
    fact.at = (usec){teller.story.now.us + 30 * DAY};
    if (kind == FACT_CONVERTED || kind == FACT_REFUNDED) {
        fact.revenue.order = hash_id("of", "one", 3);
        fact.revenue.effective = at;
        fact.revenue.amount = money_of(kind == FACT_CONVERTED ? 100000007 : 25000001);
        snprintf(fact.revenue.key, BOUND_KEY, "%s", key);
    } else {
        fact.event.effective = at;
    }
    return fact;
}

static void
reports_in_any_order_end_the_same(void **state)
{
    (void)state;
    open_teller(7);
    struct play all = {.db = database_open(teller.fixture.console), .seed = seed_fresh()};
    unsigned order[12];
    // Three contacts of one customer: messages of the merchant, a partner and a department.
    static const char *const messages[] = {"grill.summer", "agency.refer", "sales.plan"};
    for (unsigned i = 0; i < 3; i++) {
        struct fact facts[4];
        unsigned count = contact(&teller, 77, facts);
        teller.model.shown_count -= count - 1;
        facts[0].opened.slots = 1;
        const struct market_message *message = message_of(teller.model.market, messages[i]);
        facts[1].placement.message = message->id;
        facts[1].placement.seat = round_seat(teller.model.market, message->seat);
        facts[1].placement.rung = message->rung;
        facts[1].placement.price = money_of(420000);
        teller.model.shown[teller.model.shown_count++] = (struct shown){
            .placement = facts[1], .customer = 77, .won = facts[1].at};
        memcpy(&all.base[all.base_count], facts, 2 * sizeof *facts);
        all.base_count += 2;
        teller.story.now.us += DAY / 3;
    }
    all.reports[0] = told(FACT_DELIVERED, 0, 0, "");
    all.reports[1] = told(FACT_DELIVERED, 1, 0, "");
    all.reports[2] = told(FACT_DELIVERED, 2, 0, "");
    all.reports[3] = told(FACT_ACCEPTED, 0, 1, "");
    all.reports[4] = told(FACT_CONVERTED, 0, 2, "order");
    all.reports[5] = told(FACT_REFUNDED, 0, 4, "first");
    all.reports[6] = told(FACT_REFUNDED, 0, 5, "second");
    all.report_count = 7;
    for (unsigned i = 0; i < all.report_count; i++) order[i] = i;
    permute(&all, order, all.report_count);
    assert_int_equal(all.plays, 5040);
    // And that end is what the rules say.
    struct sums sums = {.count = 0};
    for (unsigned i = 0; i < 4; i++) learn(&teller, &all.reports[i]);
    learn(&teller, &all.reports[4]);
    learn(&teller, &all.reports[5]);
    learn(&teller, &all.reports[6]);
    expect_order(&teller.model, &teller.model.sales[0], &sums);
    assert_true(sums.count >= 4);
    for (unsigned i = 0; i < sums.count; i++) {
        for (unsigned k = 0; k < all.expected.count; k++) {
            if (all.expected.account[k] != sums.account[i]) continue;
            assert_int_equal(all.expected.micros[k], sums.micros[i]);
            sums.micros[i] = 0;
        }
        assert_int_equal(sums.micros[i], 0);
    }
    db_close(all.db);
    close_teller();
}

// --- Changes are found ---------------------------------------------------------------------------

static void
every_change_of_a_division_is_found(void **state)
{
    (void)state;
    static const char *const tampers[][2] = {
        {"transfer", "update transfer set amount_micros = amount_micros + 1 where transfer_id = "
                     "(select transfer_id from transfer where kind = 'credit' limit 1)"},
        {"transfer", "update transfer set origin_id = null where kind = 'credit'"},
        {"transfer", "update transfer set leg = leg + 100 where kind = 'credit'"},
        {"transfer", "update transfer set effective_us = effective_us + 1 where kind = 'credit'"},
        {"transfer", "update transfer set group_id = gen_random_uuid() where kind = 'credit'"},
        {"transfer", "delete from transfer where kind = 'credit'"},
        {"credit", "update credit set rung = 7 - rung"},
        {"credit", "update credit set kind = 1 - kind"},
        {"credit", "update credit set weight = weight + 1 where part = 1"},
        {"credit", "update credit set pool_micros = pool_micros + 1 where part = 0"},
        {"credit", "delete from credit where part = 1"},
        {"credit", "delete from credit where exists (select 1 from event e where e.log = "
                   "credit.log and e.batch = credit.batch and e.idx = credit.idx)"},
        {"revenue", "update revenue set base_micros = base_micros + 5 where base_micros > 0"},
        {"revenue", "update revenue set base_micros = null"},
        {"revenue", "update revenue set model = null where model = 0"},
        {"revenue", "update revenue set state = 'posted' where state = 'waiting'"},
        {"event", "update event set effective_us = effective_us - 1 where kind = 'delivered'"},
        {"event", "update event set state = 'late' where kind = 'delivered'"},
    };
    open_teller(seed_fixed(21));
    for (unsigned piece = 0; piece < 5; piece++) {
        tell_days(&teller, 50);
        fixture_ship_all(&teller.fixture);
    }
    prove(&teller);
    for (size_t i = 0; i < sizeof tampers / sizeof *tampers; i++) {
        struct verify_report report;
        char sql[128];
        snprintf(sql, sizeof sql, "create table kept as select * from %s", tampers[i][0]);
        fixture_sql(&teller.fixture, sql);
        uint64_t changed = fixture_sql(&teller.fixture, tampers[i][1]);
        assert_int_equal(fixture_verify(&teller.fixture, &report), STATUS_OK);
        if (!changed || !report.difference_count) print_message("not found: %s\n", tampers[i][1]);
        assert_true(changed > 0);
        assert_true(report.difference_count > 0);
        snprintf(sql, sizeof sql, "delete from %s", tampers[i][0]);
        fixture_sql(&teller.fixture, sql);
        snprintf(sql, sizeof sql, "insert into %s select * from kept", tampers[i][0]);
        fixture_sql(&teller.fixture, sql);
        fixture_sql(&teller.fixture, "drop table kept");
    }
    prove(&teller);
    close_teller();
}

// --- Several logs --------------------------------------------------------------------------------

// Two nodes add to one contract's revenue: each order begins where the last one of either ended.
static void
logs_share_tiers(void **state)
{
    (void)state;
    const struct journal_options options = {.log = 2, .epoch = 1, .segment_bytes = 1024 * 1024};
    struct journal_fault fault = {""};
    static struct teller other;
    char path[96];
    open_teller(seed_fresh());
    other = (struct teller){.log = 2, .model = {.market = teller.model.market}};
    other.fixture = teller.fixture;
    other.story = (struct story){
        .fixture = &other.fixture, .seed = teller.story.seed + 99, .now = teller.story.now};
    snprintf(other.fixture.directory, sizeof other.fixture.directory, "%.50s/two",
             teller.fixture.directory);
    assert_int_equal(mkdir(other.fixture.directory, 0755), 0);
    snprintf(path, sizeof path, "%s/journal", other.fixture.directory);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(journal_open(path, &options, &other.story.journal, &fault), STATUS_OK);
    for (unsigned piece = 0; piece < 16; piece++) {
        tell_days(piece % 2 ? &other : &teller, 25);
        struct ship *ship = ship_open((piece % 2 ? &other : &teller)->fixture.directory,
                                      1 + piece % 2);
        assert_int_equal(fixture_ship(&teller.fixture, ship), SHIP_IDLE);
        ship_close(ship);
    }
    compare(&teller);
    compare(&other);
    prove(&teller);
    struct verify_report report;
    struct db *db = database_open(teller.fixture.console);
    prove_log(&teller.fixture, other.fixture.directory, 2);
    // A base that leaves a gap is found by either log.
    assert_true(fixture_sql(&teller.fixture, "update revenue set base_micros = base_micros + 1 "
                                             "where base_micros > 0 and log = 2") > 0);
    assert_int_equal(verify_run(db, teller.fixture.directory, 1, &report), STATUS_OK);
    assert_false(report.ok);
    assert_false(report.checks[VERIFY_FACTS].ok);
    db_close(db);
    story_close(&other.story);
    close_teller();
}

// --- What finance does to it ---------------------------------------------------------------------

static unsigned
placed(const char *code, uint64_t customer, struct fact out[2])
{
    struct fact facts[4];
    unsigned count = contact(&teller, customer, facts);
    const struct market_message *message = message_of(teller.model.market, code);
    teller.model.shown_count -= count - 1;
    facts[0].opened.slots = 1;
    facts[1].placement.message = message->id;
    facts[1].placement.seat = round_seat(teller.model.market, message->seat);
    facts[1].placement.rung = message->rung;
    facts[1].placement.price = money_of(420000);
    teller.model.shown[teller.model.shown_count++] = (struct shown){
        .placement = facts[1], .customer = customer, .won = facts[1].at};
    memcpy(out, facts, 2 * sizeof *facts);
    teller.story.now.us += 3600 * USEC_SECOND;
    return teller.model.shown_count - 1;
}

static void
write_down(struct fact fact)
{
    fact.at = teller.story.now;
    if (fact.kind == FACT_CONVERTED) fact.revenue.effective = teller.story.now;
    else fact.event.effective = teller.model.shown[teller.model.shown_count - 1].won;
    teller.story.now.us += USEC_SECOND;
    story_append(&teller.story, &fact, 1);
    assert_int_equal(journal_sync(teller.story.journal), STATUS_OK);
    fixture_ship_all(&teller.fixture);
}

static struct fact
ordered(unsigned shown, const char *name)
{
    struct fact fact = fact_of(FACT_CONVERTED, &teller.model.shown[shown]);
    fact.revenue.order = hash_id("named", name, strlen(name));
    fact.revenue.amount = money_of(100000000);
    snprintf(fact.revenue.key, BOUND_KEY, "%s", name);
    return fact;
}

static void
fit(unsigned version, const char *model, uint32_t seat, unsigned rung)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "insert into model_fit (version, log, model, period, batch, seen, at_us, act, paths, "
             "nulls) select %u, log, '%s', '2026-10', batch, batch, 0, 0, 1, 1 from watermark",
             version, model);
    fixture_sql(&teller.fixture, sql);
    snprintf(sql, sizeof sql,
             "insert into model_weight (version, seat, rung, ppm) values (%u, %u, %u, 1000000)",
             version, seat, rung);
    fixture_sql(&teller.fixture, sql);
}

// Which fit divided the order last, times 1000, and how many parts it has.
static int64_t
division(const char *name)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "select coalesce(max(p.model), 0)::bigint * 1000 + count(*) from order_part p "
             "join revenue r on r.order_id = p.order_id where r.key = '%s'",
             name);
    return fixture_ask(&teller.fixture, sql);
}

static const char fitted_text[] = "market: {code: tiny, currency: EUR}\n"
                                  "touchpoints: {crm: Desk}\n"
                                  "seats:\n"
                                  "  billing: {kind: department}\n"
                                  "  sales: {kind: department}\n"
                                  "  grill: {kind: partner}\n"
                                  "  agency: {kind: partner}\n"
                                  "contracts:\n"
                                  "  billing.one: {seat: billing, from: 2025-01-01}\n"
                                  "  sales.one: {seat: sales, from: 2025-01-01}\n"
                                  "  agency.one: {seat: agency, from: 2025-01-01}\n"
                                  "  grill.one:\n"
                                  "    seat: grill\n"
                                  "    from: 2025-01-01\n"
                                  "    gain_share:\n"
                                  "      rate: 10%\n"
                                  "      shares: [{to: touches, weight: 1}]\n"
                                  "      attribution: {model: markov, windows: {delivered: 9d}}\n"
                                  "containers:\n"
                                  "  bill:\n"
                                  "    stage: use\n"
                                  "    channel: bill\n"
                                  "    owner: billing\n"
                                  "    slots: {header: {floor: 0.10}, footer: {floor: 0.12}}\n"
                                  "messages:\n"
                                  "  sales.plan: {seat: sales, rung: 4, objectives: upgrade}\n"
                                  "  grill.summer: {seat: grill, rung: 7, objectives: cross_sell}\n"
                                  "  agency.refer: {seat: agency, rung: 8, objectives: refer}\n";

// A conversion is divided by the newest fit in force when it was booked, and never by another.
static void
a_fit_divides_what_was_booked_behind_it(void **state)
{
    (void)state;
    struct verify_report report;
    struct fact pair[2];
    open_teller(3);
    teller.by_hand = true;
    fixture_market(&teller.fixture, fitted_text);
    teller.model.market = teller.fixture.market;
    static const char *const codes[] = {"agency.refer", "grill.summer", "sales.plan"};
    unsigned shown[3];
    for (unsigned i = 0; i < 3; i++) {
        shown[i] = placed(codes[i], 5, pair);
        story_append(&teller.story, pair, 2);
        if (i < 2) write_down(fact_of(FACT_DELIVERED, &teller.model.shown[shown[i]]));
    }
    uint32_t agency = round_seat(teller.model.market, "agency");
    uint32_t sales = round_seat(teller.model.market, "sales");
    write_down(ordered(shown[1], "before"));
    assert_int_equal(division("before"), 2);  // evenly: the agency, and the owner of the container
    fit(1, "markov", agency, RUNG_SYNDICATION);
    fit(2, "shapley", sales, RUNG_PERSONALIZATION);
    write_down(ordered(shown[1], "first"));
    assert_int_equal(division("first"), 1001);  // all the agency's
    fit(3, "markov", sales, RUNG_PERSONALIZATION);
    write_down(ordered(shown[1], "second"));
    assert_int_equal(division("second"), 3002);  // the fit knows neither: evenly
    // A touch that becomes known now shares in all three, by their own fits.
    write_down(fact_of(FACT_DELIVERED, &teller.model.shown[shown[2]]));
    assert_int_equal(division("before"), 3);
    assert_int_equal(division("first"), 1001);
    assert_int_equal(division("second"), 3001);
    assert_int_equal(fixture_ask(&teller.fixture, "select count(*) from transfer "
                                                  "where kind = 'credit' and model = 3"),
                     3);
    prove(&teller);
    static const char *const tampers[] = {
        "update model_weight set seat = seat + 1 where version = 1",
        "update model_fit set batch = 0 where version = 3",
        "update model_fit set batch = batch + 1 where version = 1",
        "update transfer set model = 1 where model = 3"};
    static const char *const mends[] = {
        "update model_weight set seat = seat - 1 where version = 1",
        "update model_fit set batch = (select batch from revenue where key = 'first') "
        "where version = 3",
        "update model_fit set batch = batch - 1 where version = 1",
        "update transfer set model = 3 where model = 1 and batch > (select batch from revenue "
        "where key = 'first')"};
    for (unsigned i = 0; i < 4; i++) {
        assert_true(fixture_sql(&teller.fixture, tampers[i]) > 0);
        assert_int_equal(fixture_verify(&teller.fixture, &report), STATUS_OK);
        if (report.ok) print_message("not found: %s\n", tampers[i]);
        assert_false(report.ok);
        fixture_sql(&teller.fixture, mends[i]);
        prove(&teller);
    }
    close_teller();
}

// A market without touches, then one with: the shipper that ran all the time looks back at touches
// from before, too.
static void
touches_of_an_earlier_market_count(void **state)
{
    (void)state;
    struct fact pair[2];
    open_teller(8);
    struct ship *ship = ship_open(teller.fixture.directory, 1);
    fixture_market(&teller.fixture, FIXTURE_MARKET("11%", "floor"));
    teller.model.market = teller.fixture.market;
    unsigned shown = placed("agency.refer", 9, pair);
    struct fact delivered = fact_of(FACT_DELIVERED, &teller.model.shown[shown]);
    delivered.at = delivered.event.effective = teller.story.now;
    story_append(&teller.story, pair, 2);
    story_append(&teller.story, &delivered, 1);
    assert_int_equal(journal_sync(teller.story.journal), STATUS_OK);
    assert_int_equal(fixture_ship(&teller.fixture, ship), SHIP_IDLE);
    fixture_market(&teller.fixture, market_text);
    teller.model.market = teller.fixture.market;
    shown = placed("grill.summer", 9, pair);
    struct fact facts[4] = {pair[0], pair[1], fact_of(FACT_DELIVERED, &teller.model.shown[shown]),
                            ordered(shown, "order")};
    facts[2].at = facts[2].event.effective = teller.story.now;
    facts[3].at = facts[3].revenue.effective = teller.story.now;
    story_append(&teller.story, facts, 4);
    assert_int_equal(journal_sync(teller.story.journal), STATUS_OK);
    assert_int_equal(fixture_ship(&teller.fixture, ship), SHIP_IDLE);
    ship_close(ship);
    assert_int_equal(division("order"), 3);  // host, agency, the owner of the container
    prove(&teller);
    close_teller();
}

// Shown, but its hold had been expired by a close: nothing is booked, and it is no touch.
static void
what_a_close_expired_comes_late(void **state)
{
    (void)state;
    struct fact pair[2];
    open_teller(4);
    teller.by_hand = true;
    unsigned shown = placed("grill.summer", 6, pair);
    story_append(&teller.story, pair, 2);
    write_down(ordered(shown, "order"));
    fixture_sql(&teller.fixture, "insert into hold_expiry (placement_id, log, batch, act) "
                                 "select o.placement_id, 1, w.batch, 1 from outcome o, watermark w "
                                 "where o.filled and w.log = 1");
    write_down(fact_of(FACT_DELIVERED, &teller.model.shown[shown]));
    write_down(fact_of(FACT_DELIVERED, &teller.model.shown[shown]));
    assert_int_equal(
        fixture_ask(&teller.fixture, "select count(*) from event where state = 'late'"), 2);
    assert_int_equal(
        fixture_ask(&teller.fixture,
                    "select count(*) from transfer where kind in ('charge', 'credit')"),
        0);
    prove(&teller);
    close_teller();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_in_any_order_end_the_same),
        cmocka_unit_test(histories_come_to_what_the_rules_say),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(killed_shippers_lose_and_double_nothing),
        cmocka_unit_test(every_change_of_a_division_is_found),
        cmocka_unit_test(logs_share_tiers),
        cmocka_unit_test(a_fit_divides_what_was_booked_behind_it),
        cmocka_unit_test(touches_of_an_earlier_market_count),
        cmocka_unit_test(what_a_close_expired_comes_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
