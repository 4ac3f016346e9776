// Typed values out of tree nodes; every misfit becomes a problem with its place. Private to
// market/.
#ifndef MARKET_FIELD_H
#define MARKET_FIELD_H

#include "index.h"
#include "report.h"
#include "tree.h"

struct reader {
    struct arena *arena;
    struct market_report *report;
    const char *object;  // "slot bill.footer": what problems are about
    bool stored;         // reading object bodies: `id` and the top key `slots` are known too
    struct market *market;
};

// A list of codes with what they stand for: `{code: {...}, ...}` or `[{code: ..., ...}, ...]`.
struct field_items {
    const char **codes;          // valid and different from each other
    const struct tree **bodies;  // a map, or a scalar (short form)
    struct place *places;        // where the code stands
    uint32_t count;
};

// True when `node` is a map; unknown keys are reported. `keys` ends in NULL.
bool field_map(struct reader *reader, const struct tree *node, const char *const *keys);
// The value of a key; NULL when it is absent or null (`key:` alone).
const struct tree *field_get(const struct tree *map, const char *key);
// As field_get; absent is reported.
const struct tree *
field_need(struct reader *reader, const struct tree *map, const char *key, const char *mend);

// `most` objects under `key`; `kind` is the word for messages ("seat"). A code is
// [a-z0-9][a-z0-9_-]*.
struct field_items field_items(struct reader *reader, const struct tree *map, const char *key,
                               const char *kind, uint32_t most);

// Where a value stands, or the fallback when it is absent.
struct place field_place(const struct tree *node, struct place fallback);

// Values. `node` NULL gives the fallback; a misfit is reported and gives the fallback.
const char *
field_text(struct reader *reader, const struct tree *node, size_t most, const char *fallback);
const char *field_code(struct reader *reader,
                       const struct tree *node);  // "" when absent or no code
bool field_flag(struct reader *reader, const struct tree *node, bool fallback);
bool field_money(struct reader *reader, const struct tree *node,
                 money *out_amount);  // >= 0; true: a value was given
bool field_number(const char *text, size_t len,
                  int64_t *out_value);  // digits, a minus sign before them
int64_t field_integer(struct reader *reader, const struct tree *node, int64_t least, int64_t most,
                      int64_t fallback);
uint32_t field_seconds(struct reader *reader, const struct tree *node,
                       uint32_t fallback);                        // "30s" "20m" "2h" "10d" "1w"
usec field_time(struct reader *reader, const struct tree *node);  // 0 when absent
uint32_t field_percent(struct reader *reader,
                       const struct tree *node);  // "12.5%" in parts per million

#endif
