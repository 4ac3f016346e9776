// What exploring costs: Thompson sampling of two arms that respond with 0.9 and 0.6 of what they
// are asked, against its exact expected regret. The exact values walk through all states of
// knowledge (responses and refusals seen of either arm) with their exact probabilities; no random
// number takes part in them. Seen values: mean over many runs of a fixed seed, within four standard
// errors.
//
// Source of the two-armed case: Thompson 1933. From Beta(1, 1) each, the regret of ten pulls is
// 1.022288.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "hash.h"
#include "learn.h"
#include "round.h"
#include "seed.h"

#define PULLS 30
#define RUNS 40000
#define ENGINE_RUNS 2000
static const double means[2] = {0.9, 0.6};

// What was seen of the two arms.
struct seen {
    unsigned yes[2], no[2];
};
// P(a draw for arm 0 is above one for arm 1).
typedef double chance_of_first(const struct seen *seen);

// --- The exact walk ------------------------------------------------------------------------------
// Probabilities of the states after as many pulls, by yes and no of arm 0 and yes of arm 1.
typedef double states[PULLS + 1][PULLS + 1][PULLS + 1];

static void
step(unsigned pulls, chance_of_first *chance, const states before, states after, double *regret)
{
    for (unsigned yes = 0; yes <= pulls; yes++) {
        for (unsigned no = 0; no <= pulls - yes; no++) {
            for (unsigned other = 0; other <= pulls - yes - no; other++) {
                double here = before[yes][no][other];
                if (here == 0) continue;
                struct seen seen = {{yes, other}, {no, pulls - yes - no - other}};
                double first = here * chance(&seen), second = here - first;
                *regret += second * (means[0] - means[1]);
                after[yes + 1][no][other] += first * means[0];
                after[yes][no + 1][other] += first * (1 - means[0]);
                after[yes][no][other + 1] += second * means[1];
                after[yes][no][other] += second * (1 - means[1]);
            }
        }
    }
}

// Expected regret of 1 to `pulls` pulls.
static void
exact_regret(chance_of_first *chance, unsigned pulls, double out_regret[PULLS + 1])
{
    static states room[2];
    memset(room, 0, sizeof room);
    room[0][0][0][0] = 1;
    double regret = 0;
    for (unsigned pull = 0; pull < pulls; pull++) {
        memset(room[(pull + 1) % 2], 0, sizeof room[0]);
        step(pull, chance, room[pull % 2], room[(pull + 1) % 2], &regret);
        out_regret[pull + 1] = regret;
    }
}

static double
log_beta(double a, double b)
{
    return lgamma(a) + lgamma(b) - lgamma(a + b);
}

// Of whole shapes: P(X > Y) is a finite sum over the shape of X.
static double
chance_from_ones(const struct seen *seen)
{
    double a = seen->yes[0] + 1, b = seen->no[0] + 1, c = seen->yes[1] + 1, d = seen->no[1] + 1;
    double sum = 0;
    for (double i = 0; i < a; i++)
        sum += exp(log_beta(c + i, b + d) - log(b + i) - log_beta(1 + i, b) - log_beta(c, d));
    return sum;
}

// Of any shapes, by quadrature over x = sin^2(t): integral of density times distribution.
static double
chance_of_shapes(const double a[2], const double b[2])
{
    enum { STEPS = 2000 };
    double weight[2] = {0}, both = 0, last = 0;
    for (unsigned i = 1; i < STEPS; i++) {
        double t = acos(-1) / 2 * i / STEPS, density[2];
        for (unsigned arm = 0; arm < 2; arm++) {
            density[arm] = exp((2 * a[arm] - 1) * log(sin(t)) + (2 * b[arm] - 1) * log(cos(t)) -
                               log_beta(a[arm], b[arm]));
            weight[arm] += density[arm];
        }
        both += density[0] * (weight[1] - density[1] / 2);
        last = weight[1];
    }
    return both / (weight[0] * last);
}

// The shapes that the engine gives two messages of one rung in one cell.
static double
chance_in_pool(const struct seen *seen)
{
    double yes = seen->yes[0] + seen->yes[1], all = yes + seen->no[0] + seen->no[1];
    double rung = (yes + 1) / (all + 2);
    double cell = (yes + LEARN_STRENGTH * rung) / (all + LEARN_STRENGTH);
    double a[2], b[2];
    for (unsigned arm = 0; arm < 2; arm++) {
        a[arm] = seen->yes[arm] + LEARN_STRENGTH * cell;
        b[arm] = seen->no[arm] + LEARN_STRENGTH * (1 - cell);
    }
    return chance_of_shapes(a, b);
}

// --- Pulling -------------------------------------------------------------------------------------
static uint64_t
mix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return hash_mix(*state);
}

static bool
draw_from_ones(const struct seen *seen, uint64_t *state)
{
    uint64_t draws[2];
    for (unsigned arm = 0; arm < 2; arm++)
        draws[arm] = learn_beta((seen->yes[arm] + 1) * 65536ull, (seen->no[arm] + 1) * 65536ull,
                                mix(state));
    return draws[0] > draws[1];
}

static bool
draw_in_pool(const struct seen *seen, uint64_t *state)
{
    uint64_t draws[2], yes = seen->yes[0] + seen->yes[1];
    struct learn_counts pool = {.delivered = yes + seen->no[0] + seen->no[1], .responded = yes};
    for (unsigned arm = 0; arm < 2; arm++) {
        struct learn learn = {
            .own = {.delivered = seen->yes[arm] + seen->no[arm], .responded = seen->yes[arm]},
            .cell = pool,
            .rung = pool};
        draws[arm] = learn_response_rate(&learn, true, mix(state));
    }
    return draws[0] > draws[1];
}

static void
compare(const char *name, bool (*first)(const struct seen *seen, uint64_t *state),
        const double *exact, unsigned pulls, unsigned runs, uint64_t seed)
{
    static double sum[PULLS + 1], squares[PULLS + 1];
    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    uint64_t state = seed;
    for (unsigned run = 0; run < runs; run++) {
        struct seen seen = {{0}, {0}};
        double regret = 0;
        for (unsigned pull = 1; pull <= pulls; pull++) {
            unsigned arm = first(&seen, &state) ? 0 : 1;
            bool yes = (double)(mix(&state) >> 11) * 0x1p-53 < means[arm];
            seen.yes[arm] += yes;
            seen.no[arm] += !yes;
            regret += means[0] - means[arm];
            sum[pull] += regret;
            squares[pull] += regret * regret;
        }
    }
    for (unsigned pull = 1; pull <= pulls; pull++) {
        double mean = sum[pull] / runs;
        double error = sqrt((squares[pull] / runs - mean * mean) / runs);
        double errors = (mean - exact[pull]) / error;
        if (pull == 1 || pull % 10 == 0)
            printf("%s, %u pulls: regret %.6f, exact %.6f, %.1f standard errors\n", name, pull,
                   mean, exact[pull], errors);
        if (fabs(errors) > 4) fail_msg("%s, %u pulls: %.6f of %.6f", name, pull, mean, exact[pull]);
    }
}

// --- The engine ----------------------------------------------------------------------------------
// Two messages of two seats, equal prices per response, one slot that explores. What happened to
// the last placement is known at the next call, and goes to the book as facts do.
static struct engine {
    struct catalog *catalog;
    struct round *round;
    struct book *book;
    struct id placement;
    uint64_t contacts;
    unsigned yes;
} engine;
#define AT ((usec){1795368245000000})

static void
open_engine(void)
{
    struct arena *arena = arena_open("regret market");
    struct market_slot slot = {.id = 1,
                               .code = "slot",
                               .name = "",
                               .rungs = 1u << RUNG_COMMERCIALIZATION,
                               .objectives = 1u << OBJECTIVE_CROSS_SELL,
                               .rule = "",
                               .delivery_seconds = 3600,
                               .explore = true};
    struct market_container container = {
        .id = 1, .code = "page", .name = "", .owner = "s1", .slots = &slot, .slot_count = 1};
    struct market_seat seats[2];
    struct market_message messages[2];
    struct market_contract contracts[2];
    struct market_bid bids[2];
    static const char *const codes[2][2] = {{"s1", "m1"}, {"s2", "m2"}};
    for (uint32_t i = 0; i < 2; i++) {
        seats[i] = (struct market_seat){
            .id = i + 1, .code = codes[i][0], .name = "", .kind = SEAT_PARTNER, .rule = ""};
        contracts[i] = (struct market_contract){
            .id = i + 1, .code = codes[i][0], .seat = codes[i][0]};
        messages[i] = (struct market_message){.id = i + 1,
                                              .code = codes[i][1],
                                              .name = "",
                                              .seat = codes[i][0],
                                              .content = "c",
                                              .format = "text",
                                              .category = "",
                                              .campaign = "",
                                              .group = "",
                                              .rung = RUNG_COMMERCIALIZATION,
                                              .objectives = 1u << OBJECTIVE_CROSS_SELL,
                                              .rule = ""};
        bids[i] = (struct market_bid){.id = i + 1,
                                      .seat = i + 1,
                                      .message = i + 1,
                                      .kind = PRICE_RESPONSE,
                                      .price = money_of(1000000),
                                      .key = "k"};
    }
    struct market market = {.arena = arena,
                            .code = "regret",
                            .name = "",
                            .currency = {"EUR"},
                            .containers = &container,
                            .container_count = 1,
                            .seats = seats,
                            .seat_count = 2,
                            .contracts = contracts,
                            .contract_count = 2,
                            .messages = messages,
                            .message_count = 2};
    struct catalog_input input = {.market = &market, .bids = bids, .bid_count = 2, .version = 1};
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    assert_int_equal(catalog_encode(&input, arena, &bytes, &len, &error), STATUS_OK);
    assert_int_equal(catalog_decode(bytes, len, &engine.catalog, NULL), STATUS_OK);
    engine.round = round_open();
    arena_close(arena);
}

static void
close_engine(void)
{
    book_close(engine.book);
    round_close(engine.round);
    catalog_close(engine.catalog);
}

static void
apply(const struct fact *fact)
{
    struct catalog_position position = {1, 1, ++engine.contacts};
    assert_int_equal(book_apply(engine.book, fact, position), STATUS_OK);
}

static void
tell(enum fact_kind kind)
{
    struct event event = {.placement = engine.placement,
                          .kind = kind,
                          .role = ROLE_TOUCHPOINT,
                          .party = 1,
                          .effective = AT};
    struct fact fact;
    bool repeated;
    assert_int_equal(event_decide(engine.catalog, engine.book, &event, AT, &fact, &repeated),
                     REASON_NONE);
    apply(&fact);
}

static bool
draw_by_engine(const struct seen *seen, uint64_t *state)
{
    unsigned yes = seen->yes[0] + seen->yes[1];
    if (yes + seen->no[0] + seen->no[1] == 0) {
        static const struct book_limits limits = {
            .contacts = 64, .placements = 256, .rates = 16, .orders = 1, .overlay = 16};
        book_close(engine.book);
        engine.book = book_open(&limits);
        book_catalog(engine.book, engine.catalog);
    } else {
        tell(FACT_DELIVERED);
        if (yes > engine.yes) tell(FACT_ACCEPTED);
    }
    engine.yes = yes;
    struct contact contact = {
        .identity = IDENTITY_REPEAT, .consent = 1u << CONSENT_THIRD_PARTY, .touchpoint = 1};
    snprintf(contact.key, sizeof contact.key, "%016llx", (unsigned long long)mix(state));
    contact.request_key = contact_request_key(1, contact.key);
    struct fact facts[BOUND_CONTACT_FACTS];
    unsigned count;
    bool repeated;
    assert_int_equal(round_decide(engine.round, engine.catalog, engine.book, &contact, NULL, AT,
                                  NULL, facts, &count, &repeated),
                     REASON_NONE);
    for (unsigned i = 0; i < count; i++) apply(&facts[i]);
    assert_int_equal(facts[1].kind, FACT_PLACEMENT);
    engine.placement = fact_placement(&facts[1]);
    return facts[1].placement.message == 1;
}

// --- Tests ---------------------------------------------------------------------------------------
static void
test_from_ones(void **state)
{
    (void)state;
    double exact[PULLS + 1];
    exact_regret(chance_from_ones, PULLS, exact);
    assert_true(fabs(exact[1] - 0.15) < 1e-9);
    assert_true(fabs(exact[10] - 1.022288) < 5e-7);
    compare("from Beta(1, 1)", draw_from_ones, exact, PULLS, RUNS, seed_fixed(1933));
}

// The engine's own prior: messages learn from each other through their cell and rung.
static void
test_in_pool(void **state)
{
    (void)state;
    double exact[PULLS + 1];
    exact_regret(chance_in_pool, 12, exact);
    compare("in a pool", draw_in_pool, exact, 12, RUNS, seed_fixed(1934));
}

// The same through whole contacts: the round draws, the book learns from delivered and accepted.
static void
test_engine(void **state)
{
    (void)state;
    double exact[PULLS + 1];
    exact_regret(chance_in_pool, 12, exact);
    open_engine();
    compare("in the engine", draw_by_engine, exact, 12, ENGINE_RUNS, seed_fixed(1935));
    close_engine();
}

// The quadrature against the finite sum.
static void
test_quadrature(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        struct seen seen = {{i % 4 * 3, i / 4 % 4 * 2}, {i / 16 % 4, i / 64}};
        double a[2] = {seen.yes[0] + 1, seen.yes[1] + 1}, b[2] = {seen.no[0] + 1, seen.no[1] + 1};
        assert_true(fabs(chance_of_shapes(a, b) - chance_from_ones(&seen)) < 1e-6);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quadrature),
        cmocka_unit_test(test_from_ones),
        cmocka_unit_test(test_in_pool),
        cmocka_unit_test(test_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
