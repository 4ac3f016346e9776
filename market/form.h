// Objects of a market as JSON values, the one shape behind stored bodies, the written file and the
// difference. Private to market/.
#ifndef MARKET_FORM_H
#define MARKET_FORM_H

#include <jansson.h>

#include "market_file.h"

enum form_detail {
    FORM_FULL,   // every field, defaults too; slots are objects of their own
    FORM_BRIEF,  // what a person would write; slots inside their container
};
struct form {
    const char *kind;
    uint32_t id;
    const char *code;
    json_t *value;  // owned
};
// All objects: kinds in the order of market_file.h, then as declared. FORM_BRIEF leaves slots out
// of the list.
void form_list(const struct market *market, enum form_detail detail, struct arena *arena,
               struct form **out_forms, uint32_t *out_count);
struct form_adding {
    struct form *forms;
    uint32_t count;
};
void
form_add(struct form_adding *list, const char *kind, uint32_t id, const char *code, json_t *value);
void form_free(struct form *forms, uint32_t count);

#endif
