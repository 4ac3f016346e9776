// Tokens of a rule's text. Private to the rule compiler (expr_token.c, expr_parse.c).
#ifndef VENDUE_EXPR_TOKEN_H
#define VENDUE_EXPR_TOKEN_H

#include "expr.h"

// clang-format off
enum expr_token_kind {
    TOKEN_END, TOKEN_NAME, TOKEN_INTEGER, TOKEN_TEXT,
    TOKEN_AND, TOKEN_OR, TOKEN_NOT, TOKEN_IN, TOKEN_BETWEEN, TOKEN_IS, TOKEN_NULL, TOKEN_TRUE,
    TOKEN_FALSE, TOKEN_ANY, TOKEN_ALL, TOKEN_ARRAY,
    TOKEN_EQUAL, TOKEN_UNEQUAL, TOKEN_LESS, TOKEN_LESS_EQUAL, TOKEN_GREATER, TOKEN_GREATER_EQUAL,
    TOKEN_OVERLAPS, TOKEN_CONTAINS, TOKEN_MINUS,
    TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OPEN_BRACKET, TOKEN_CLOSE_BRACKET, TOKEN_COMMA,
};
// clang-format on
struct expr_token {
    enum expr_token_kind kind;
    uint32_t at, len;  // bytes of the rule's text, from 0; a TEXT with its quotes
};

// Reads the token at or after byte `from`. False: `out_error` says what is there instead.
MUST_CHECK bool expr_token_next(const char *text, uint32_t len, uint32_t from,
                                struct expr_token *out_token, struct expr_error *out_error);

// The characters of a TEXT token without quotes, '' made one; `out` holds token->len bytes. Returns
// the length.
uint32_t expr_token_unquote(const char *text, const struct expr_token *token, char *out);

// Fills an error: where (bytes from 0) and a printf text, cut when it is too long. Always false.
bool expr_token_error(struct expr_error *out_error, uint32_t at, uint32_t len, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

// A word of the rule that has no place in SQL as a plain name (reserved, or a system column).
MUST_CHECK bool expr_token_reserved(const char *name, size_t len);

#endif
