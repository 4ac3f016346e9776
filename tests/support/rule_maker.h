// Random eligibility rules and random values, each rule with a meaning of its own: a naive
// evaluator of SQL's three values over plain strings, which shares nothing with the engine. Used
// where the engine is compared with it, and with PostgreSQL.
#ifndef SUPPORT_RULE_MAKER_H
#define SUPPORT_RULE_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "expr.h"

// clang-format off
enum { MAKER_MEMBER, MAKER_OPTED, MAKER_AGE, MAKER_SCORE, MAKER_REGION, MAKER_PRODUCT,
       MAKER_SEGMENTS, MAKER_INTERESTS, MAKER_ATTRIBUTES };
// clang-format on
enum maker_type { MAKER_BOOLEAN, MAKER_INTEGER, MAKER_TEXT, MAKER_LIST };
extern const char *const maker_names[MAKER_ATTRIBUTES];
extern const enum maker_type maker_types[MAKER_ATTRIBUTES];
#define MAKER_AGE_MOST 120  // age is 0 to this; score is any integer

#define MAKER_ITEMS 6
struct maker_value {
    bool known;
    int64_t number;                  // boolean, integer
    const char *items[MAKER_ITEMS];  // a text has one
    unsigned count;
};
struct maker_sample {
    struct maker_value values[MAKER_ATTRIBUTES];
};

enum maker_truth { MAKER_FALSE, MAKER_UNKNOWN, MAKER_TRUE };

struct maker {
    uint64_t state;
};
struct maker_rule;

uint64_t maker_random(struct maker *maker, uint64_t below);

void maker_sample(struct maker *maker, struct maker_sample *out_sample);
// A rule as a tree; valid until the next call. At most 100 predicates, 12 levels of parentheses.
const struct maker_rule *maker_rule(struct maker *maker);
// Its text, written with random case, blanks and needless parentheses. At most `size` - 1 bytes.
void maker_text(struct maker *maker, const struct maker_rule *rule, char *out, unsigned size);
// The engine's view of the same: the schema, whose `words` is a struct maker_words, and a sample's
// values.
#define MAKER_WORDS 64
struct maker_words {
    char texts[MAKER_WORDS][32];
    int32_t count;
};
struct expr_schema maker_schema(struct maker_words *words);
const char *maker_word_text(void *words, int32_t word);
// A good rule, compiled and sound; one that is refused fails the test.
struct expr maker_compile(const char *text, struct maker_words *words, struct arena *arena);
void maker_values(const struct maker_words *words, const struct maker_sample *sample,
                  struct values *out_values);

enum maker_truth maker_truth(const struct maker_rule *rule, const struct maker_sample *sample);

#endif
