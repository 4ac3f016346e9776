// The answer of `slotctl explain`: one JSON object, and the same for people.
#ifndef VENDUE_EXPLANATION_H
#define VENDUE_EXPLANATION_H

#include "past.h"
#include "record.h"

// What is asked for.
struct explanation_wish {
    uint64_t bid;       // only this bid; 0: all
    unsigned position;  // only this slot; 0: all
};
// `record` holds what became of the placements since.
json_t *explanation_json(const struct past *past, const struct record *record,
                         const struct explanation_wish *wish);
void explanation_print(const json_t *explanation, const struct explanation_wish *wish, FILE *out);

#endif
