// Names and literals of a rule bound to a schema: which attribute, which number. Private to the
// compiler.
#ifndef VENDUE_EXPR_BIND_H
#define VENDUE_EXPR_BIND_H

#include "expr_token.h"

struct expr_literal {
    enum expr_token_kind kind;  // TOKEN_INTEGER TOKEN_TEXT TOKEN_TRUE TOKEN_FALSE
    struct expr_token token;    // with its minus
    int64_t integer;            // of an integer
};
struct expr_binding {
    const char *text;
    const struct expr_schema *schema;
    struct expr_error *error;
    char scratch[BOUND_RULE_BYTES];
};

// The attribute of a NAME token. False: unknown (with the nearest name), or not admitted in this
// rule.
MUST_CHECK bool expr_bind_attribute(struct expr_binding *binding, const struct expr_token *token,
                                    uint32_t *out_attribute);

// Is there an attribute of this name at all?
MUST_CHECK bool
expr_bind_is_attribute(const struct expr_binding *binding, const struct expr_token *token);

// The number of an INTEGER token's digits. False: beyond 64 bits.
MUST_CHECK bool expr_bind_integer(struct expr_binding *binding, const struct expr_token *digits,
                                  bool negative, int64_t *out_value);

// The value of a literal that is compared with this attribute (for a list: with its items). False:
// of another type, out of the declared range, or a word that the attribute never takes.
MUST_CHECK bool expr_bind_literal(struct expr_binding *binding, uint32_t attribute,
                                  const struct expr_literal *literal, int64_t *out_value);

#endif
