// The record of slots sold together: priced again it agrees, whatever the limits; changed in one
// place that matters it does not; and it is small.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open_market.h"
#include "random_history.h"

#define SEED 57721

// A placement and the first fact of its record; false when there is none.
static bool
pick(struct random *random, struct fact *facts, unsigned count, struct fact **out_outcome,
     struct fact **out_candidates, struct fact **out_limits)
{
    unsigned position = 1 + random_below(random, facts[0].opened.slots);
    *out_outcome = &facts[position];
    *out_candidates = *out_limits = NULL;
    for (unsigned i = count; i-- > 1u + facts[0].opened.slots;) {
        if (facts[i].position != position) continue;
        if (facts[i].kind == FACT_CANDIDATES) *out_candidates = &facts[i];
        if (facts[i].kind == FACT_LIMITS) *out_limits = &facts[i];
    }
    return (*out_outcome)->kind == FACT_PLACEMENT;
}

// Changes what must be noticed; false when there is nothing of the kind. `*out_how`: which.
static bool
change(struct random *random, struct fact *facts, unsigned count, unsigned how)
{
    struct fact *outcome, *candidates, *limits;
    if (!pick(random, facts, count, &outcome, &candidates, &limits)) return false;
    switch (how) {
    case 0: outcome->placement.price.micros++; break;
    case 1: outcome->placement.price.micros--; break;
    case 2: outcome->placement.floor.micros++; break;
    case 3: outcome->placement.setter ^= 1; break;
    case 4: outcome->placement.bid ^= 2; break;
    case 5: outcome->placement.bid_price.micros--; break;
    case 6: outcome->placement.seat++; break;
    case 7: outcome->placement.message++; break;
    case 8: candidates->candidates.price[0]++; break;
    case 9: candidates->candidates.floor[0].micros++; break;
    case 10: candidates->candidates.bid[0] ^= 4; break;
    case 11: candidates->kind = FACT_TALLY; break;
    case 12: candidates->candidates.floor_id[0]++; break;
    case 13: candidates->candidates.seat[0]++; break;
    case 14: candidates->candidates.how[0] ^= CANDIDATE_KIND; break;
    case 15:  // the winner is not the first
        if (candidates->candidates.bid[1] == 0) return false;
        candidates->candidates.bid[0] = candidates->candidates.bid[1];
        break;
    case 16:  // whoever set the price bid more
        for (unsigned i = 0; i < count; i++)
            for (unsigned at = 0; facts[i].kind == FACT_CANDIDATES && at < 2; at++)
                if (outcome->placement.setter != 0 &&
                    facts[i].candidates.bid[at] == outcome->placement.setter) {
                    facts[i].candidates.price[at]++;
                    return true;
                }
        return false;
    case 17:
        if (limits == NULL || limits->limits.group[0] == 0) return false;
        limits->limits.group_size[0]++;
        break;
    default:  // partners won more than they may
        if (limits == NULL || limits->limits.paid_max < 2) return false;
        unsigned paid = 0;
        for (unsigned i = 0; i < count; i++)
            if (facts[i].kind == FACT_LIMITS && facts[facts[i].position].kind == FACT_PLACEMENT)
                paid += facts[i].limits.is[0] & 1;
        if (paid < limits->limits.paid_max) return false;
        for (unsigned i = 0; i < count; i++)
            if (facts[i].kind == FACT_LIMITS) facts[i].limits.paid_max--;
        break;
    }
    return true;
}
#define CHANGES 19

static void
test_priced_again(void **state)
{
    (void)state;
    struct random random = {random_seed(SEED)};
    unsigned noticed[CHANGES] = {0}, contacts = 0, most = 0, cut = 0;
    for (unsigned number = 0; number < 1600; number++) {
        struct open_market market;
        struct contact contact;
        struct fact facts[BOUND_CONTACT_FACTS], changed[BOUND_CONTACT_FACTS];
        struct price_sale sale;
        unsigned count, position;
        bool repeated;
        open_market_random(&random, &market);
        market.pricing = PRICING_VCG;
        struct catalog *catalog = open_market_catalog(&market);
        struct book *book = book_open(&history_limits);
        struct round *round = round_open();
        book_catalog(book, catalog);
        open_market_contact(number, &contact);
        assert_int_equal(round_decide(round, catalog, book, &contact, NULL, (usec){RANDOM_NOW},
                                      NULL, facts, &count, &repeated),
                         REASON_NONE);
        assert_true(facts[0].opened.flags & CONTACT_TOGETHER);
        assert_true(round_reprice(facts, count, &position, &sale));
        assert_int_equal(position, 0);
        bool cut_short = false;
        for (unsigned i = 1 + market.slots; i < count; i++)
            cut_short = cut_short || (facts[i].kind == FACT_LIMITS && facts[i].limits.flags != 0);
        cut += cut_short;
        for (unsigned how = 0; how < CHANGES && !cut_short; how++) {
            memcpy(changed, facts, sizeof changed);
            if (!change(&random, changed, count, how)) continue;
            if (round_reprice(changed, count, &position, &sale))
                fail_msg("market %u: change %u goes unnoticed", number, how);
            noticed[how]++;
        }
        contacts++;
        for (unsigned i = 1 + market.slots; i < count; i++) {
            unsigned candidates = 0;
            for (unsigned j = i; j < count && facts[j].position == facts[i].position; j++)
                candidates += facts[j].kind == FACT_CANDIDATES;
            if (candidates > most) most = candidates;
        }
        round_close(round);
        book_close(book);
        catalog_close(catalog);
    }
    printf("%u contacts, at most %u facts of candidates a slot, %u searches cut short\n", contacts,
           most, cut);
    assert_true(most <= (BOUND_SLOT_RECORD_FACTS - 4));
    for (unsigned how = 0; how < CHANGES && getenv("VENDUE_SEED") == NULL; how++)
        if (noticed[how] < 10) fail_msg("change %u was tried %u times", how, noticed[how]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_priced_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
