// Eligibility rules: one text that PostgreSQL and the engine both accept and answer alike.
// clang-format off
//
// Grammar (a subset of SQL; keywords in any case; strings in single quotes, '' for a quote):
//   rule       := or ;  or := and { OR and } ;  and := not { AND not } ;  not := [NOT] primary
//   primary    := ( rule ) | TRUE | FALSE | predicate
//   predicate  := attribute                                  (boolean)
//              |  attribute IS [NOT] TRUE|FALSE              (boolean)
//              |  operand = <> != < <= > >= operand          (an attribute and a literal, either
//                                                            way round; text and boolean
//                                                            take = <> != only)
//              |  attribute [NOT] IN ( literal {, literal} )
//              |  attribute [NOT] BETWEEN integer AND integer
//              |  attribute IS [NOT] NULL
//              |  text = ANY ( attribute )  |  text <> != ALL ( attribute )    (list)
//              |  attribute && ARRAY[ text {, text} ]                          (list: any of)
//              |  attribute @> ARRAY[ text {, text} ]                          (list: all of)
// clang-format on
// Three-valued logic is SQL's: a predicate over an unknown attribute is unknown (IS NULL and IS
// TRUE excepted), NOT unknown is unknown, and only TRUE is eligible.
//
// Normal form: NOT is pushed down to the predicates (De Morgan holds in three-valued logic), so
// that the tree is AND and OR over leaves only. AND and OR are monotone, hence the rule is TRUE
// exactly when the tree is true with every unknown leaf counted as false. The engine evaluates two
// values, not three. Shape: AND has no AND child and OR no OR child, both have two or more; TRUE
// and FALSE stand at the root only; leaves come in text order. docs/rules.md explains the language
// to its users.
#ifndef VENDUE_EXPR_H
#define VENDUE_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "contact.h"
#include "terms.h"

enum attribute_type {
    ATTRIBUTE_BOOLEAN,
    ATTRIBUTE_INTEGER,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_LIST,
    ATTRIBUTE_TYPE_COUNT
};
// Whom an attribute describes, hence who supplies its value.
// clang-format off
enum attribute_of {
    ATTRIBUTE_OF_CONTACT, ATTRIBUTE_OF_CUSTOMER,  // both arrive with the contact
    ATTRIBUTE_OF_SLOT, ATTRIBUTE_OF_MESSAGE,      // both are declared in the market
    ATTRIBUTE_OF_COUNT
};
// clang-format on

// What a rule may speak of: name and type of each attribute, by attribute number.
struct expr_attribute {
    char name[BOUND_CODE + 1];
    uint8_t type;         // enum attribute_type
    uint8_t of;           // enum attribute_of
    int64_t least, most;  // declared range of an integer; INT64_MIN..INT64_MAX when none
};
// The words that a text or list attribute may take; none: any.
struct expr_words {
    const char *const *items;
    uint32_t count;
};
struct expr_schema {
    const struct expr_attribute *attributes;
    uint32_t count;  // <= BOUND_ATTRIBUTES
    uint8_t admits;  // mask of 1u << enum attribute_of that this rule may speak of; 0: all
    const struct expr_words *takes;  // by attribute number; NULL: all take any word
    // Number of a word (>= 0); the same word gets the same number.
    int32_t (*word)(void *words, const char *text, size_t len);
    void *words;
};

// clang-format off
enum expr_kind {
    EXPR_TRUE, EXPR_FALSE,
    EXPR_AND, EXPR_OR,   // `count` children: the next nodes in preorder
    EXPR_RANGE,          // known and least <= value <= most (boolean, integer)
    EXPR_IN,             // known and value is among the set           (text, integer)
    EXPR_ANY,            // known and the list shares a word with the set
    EXPR_ALL,            // known and the list holds every word of the set
    EXPR_KNOWN,          // IS NOT NULL; negated: IS NULL
};
// clang-format on
struct expr_node {
    uint8_t kind;       // enum expr_kind
    uint8_t negated;    // leaves: true when known and the test fails (EXPR_KNOWN: plain negation)
    uint8_t attribute;  // leaves
    uint8_t reserved;
    uint32_t size;   // nodes of this subtree, itself included: preorder, so `node + size` is the
                     // next sibling
    uint32_t set;    // EXPR_IN ANY ALL: first entry in `sets`, ascending, no repeats
    uint32_t count;  // AND OR: children; IN ANY ALL: entries
    int64_t least, most;      // EXPR_RANGE; least > most: no value fits
    uint16_t column, length;  // where the predicate stands in the text, in bytes from 1
    uint32_t reserved2;
};
struct expr {
    const struct expr_node *nodes;  // nodes[0] is the root
    uint32_t node_count;
    const int64_t *sets;
    uint32_t set_count;
};

struct expr_error {
    uint32_t column, length;  // where in the text, in bytes from 1; 0: not at one place
    char text[256];  // what is wrong and the mend: "no attribute 'regoin'; did you mean 'region'?"
};

// Compiles `text`; an empty or blank text is TRUE. STATUS_INPUT: `out_error` says where and why.
// The result lives in `arena`.
MUST_CHECK enum status
expr_compile(const char *text, size_t len, const struct expr_schema *schema, struct arena *arena,
             struct expr *out_expr, struct expr_error *out_error);

// True when the rule is TRUE for these values. `out_failed` (may be NULL) gets, when not, the first
// leaf in text order whose truth would have been needed.
bool expr_true(const struct expr *expr, const struct values *values,
               const struct expr_node **out_failed);

// The same over two sets of values that know different attributes (a contact's, and a slot's or
// message's): an attribute that `values` does not know is looked up in `beside`. `beside` may be
// NULL.
bool expr_true_with(const struct expr *expr, const struct values *values,
                    const struct declared *beside, const struct expr_node **out_failed);

// True when a tree that was read from bytes has the shape above and names only attributes and types
// of the schema, admitted ones, and words below `word_count`: then every function here is safe on
// it.
MUST_CHECK bool
expr_sound(const struct expr *expr, const struct expr_schema *schema, uint32_t word_count);

// May an attribute bear this name? Lower-case letters, digits and _, no digit first, at most
// BOUND_CODE bytes, and no word that PostgreSQL would want in quotes or takes for a column of its
// own.
MUST_CHECK bool expr_name_allowed(const char *name, size_t len);

// Writes the rule as canonical SQL text (for messages and for round trips). Returns the length
// needed; writes at most `size` bytes with NUL. `word_text` turns a word's number back to text.
// Sets are written in the order of their numbers, so the text is canonical for one numbering of
// words.
size_t expr_format(const struct expr *expr, const struct expr_schema *schema,
                   const char *(*word_text)(void *words, int32_t word), char *out, size_t size);

// Writes the two lines that show an error: the text (its line, long lines cut around the place) and
// a caret under it. EXPR_CARET bytes always hold them.
#define EXPR_CARET 640
void
expr_caret(const char *text, size_t len, const struct expr_error *error, char *out, size_t size);

#endif
