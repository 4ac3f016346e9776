// Rules as conjunctions (a disjunctive normal form, bounded).
//
// The AND of a bid's seat rule and message rule becomes one conjunction, or several when there are
// ORs in it, as long as a bid needs no more than MATCH_TERMS; a part beyond that is left out and
// the conjunctions are marked as partial. Bids that can never win under this catalog have none: not
// active, seat paused, kind of seat and rung at odds, a rule that is FALSE.
#include "match_rules.h"

#include "fact.h"
#include "fail.h"
#include "match.h"

#define MATCH_TERMS 8

// Conjunctions of a subtree; MATCH_TERMS + 1: too many. Of an AND, children that would make it too
// many are left out: the walk below decides the same way.
static uint32_t
terms_of(const struct expr_node *node)
{
    if (node->kind == EXPR_FALSE) return 0;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) return 1;
    uint32_t terms = node->kind == EXPR_AND ? 1 : 0;
    const struct expr_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        uint32_t more = terms_of(child);
        if (node->kind == EXPR_AND) {
            if (terms * more <= MATCH_TERMS) terms *= more;
        } else {
            terms += more;
            if (terms > MATCH_TERMS) return MATCH_TERMS + 1;
        }
    }
    return terms;
}

// The leaves of conjunction number `term`.
static void
walk(const struct expr *rule, const struct expr_node *node, uint32_t term,
     struct match_leaves *leaves)
{
    if (node->kind == EXPR_TRUE || node->kind == EXPR_FALSE) return;
    if (node->kind != EXPR_AND && node->kind != EXPR_OR) {
        CHECK(leaves->count < MATCH_LEAVES);
        leaves->leaf[leaves->count] = node;
        leaves->sets[leaves->count++] = rule->sets + node->set;
        return;
    }
    uint32_t terms = 1;
    const struct expr_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child += child->size) {
        uint32_t more = terms_of(child);
        if (node->kind == EXPR_AND) {
            if (terms * more > MATCH_TERMS) {
                leaves->partial = true;
                continue;
            }
            terms *= more;
            walk(rule, child, term % more, leaves);
            term /= more;
        } else if (term < more) {
            walk(rule, child, term, leaves);
            return;
        } else {
            term -= more;
        }
    }
}

struct terms {
    const struct expr *seat, *message;  // NULL: left out
    uint32_t of_seat, of_message;
};

static struct terms
terms_of_bid(const struct catalog *catalog, const struct catalog_bid *bid)
{
    struct terms terms = {&catalog->seats[bid->seat].rule, &catalog->messages[bid->message].rule, 0,
                          0};
    terms.of_seat = terms_of(terms.seat->nodes);
    terms.of_message = terms_of(terms.message->nodes);
    if (terms.of_message > MATCH_TERMS) terms.message = NULL, terms.of_message = 1;
    if (terms.of_seat * terms.of_message > MATCH_TERMS) terms.seat = NULL, terms.of_seat = 1;
    return terms;
}

uint32_t
match_rules_terms(const struct catalog *catalog, const struct catalog_bid *bid)
{
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_seat *seat = &catalog->seats[bid->seat];
    if (bid->state != BID_ACTIVE || seat->paused ||
        !match_seat_kind_admits(seat->kind, message->rung))
        return 0;
    struct terms terms = terms_of_bid(catalog, bid);
    return terms.of_seat * terms.of_message;
}

void
match_rules_leaves(const struct catalog *catalog, const struct catalog_bid *bid, uint32_t term,
                   struct match_leaves *out_leaves)
{
    struct terms terms = terms_of_bid(catalog, bid);
    out_leaves->count = 0;
    out_leaves->partial = terms.seat == NULL || terms.message == NULL;
    if (terms.seat != NULL) walk(terms.seat, terms.seat->nodes, term % terms.of_seat, out_leaves);
    if (terms.message != NULL)
        walk(terms.message, terms.message->nodes, term / terms.of_seat, out_leaves);
}
