// The parser of the rule compiler. Private.
#ifndef VENDUE_EXPR_PARSE_H
#define VENDUE_EXPR_PARSE_H

#include "expr_bind.h"
#include "expr_tree.h"

// Parses a whole rule into an empty tree. False: `binding->error` says where and why.
MUST_CHECK bool expr_parse_rule(struct expr_binding *binding, uint32_t len, struct expr_tree *tree);

#endif
