// The examples of docs/rules.md: fenced blocks `sql` (rules that hold) and `text` (rules that are
// refused).
#ifndef SUPPORT_RULE_DOCUMENT_H
#define SUPPORT_RULE_DOCUMENT_H

#include "expr.h"

// Calls `rule` for every rule of the `sql` blocks (a line that begins with AND or OR continues the
// one before) and `refused` for every `text` block: its first line and the whole block. Both may be
// NULL.
struct rule_document {
    void (*rule)(void *context, const char *text);
    void (*refused)(void *context, const char *text, const char *block);
    void *context;
};
void rule_document_read(const char *path, const struct rule_document *reader);

// The attributes that the examples speak of besides the built-in ones: names and types.
struct rule_document_attribute {
    const char *name;
    uint8_t type, of;
    int64_t least, most;
};
#define RULE_DOCUMENT_ATTRIBUTES 6
extern const struct rule_document_attribute rule_document_attributes[RULE_DOCUMENT_ATTRIBUTES];

#endif
