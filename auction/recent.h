// Recent contacts with the facts of their decision, so that a retry gets its answer again. Private
// to auction/.
#ifndef VENDUE_RECENT_H
#define VENDUE_RECENT_H

#include <stdbool.h>

#include "arena.h"
#include "fact.h"
#include "probe.h"

struct recent_contact {
    struct id key;            // contact_request_key
    uint64_t first;           // number of its first fact, counted from the start of time
    uint8_t expected, count;  // facts to come, facts there; the opened fact included
    bool listed;              // in the probe; not when a later contact took its key
};
struct recent {
    struct recent_contact *contacts;  // ring
    struct fact *facts;               // ring
    uint32_t contact_room, fact_room;
    uint64_t contact_first, contact_end;  // contacts kept: numbers from first up to end
    uint64_t fact_first, fact_end;
    struct probe probe;
};
void recent_open(struct recent *recent, struct arena *arena, uint32_t contacts);
// Starts a contact, known under `key`; the oldest make room.
void recent_add(struct recent *recent, const struct fact *opened, struct id key);
// Whether the contact started last awaits this outcome: false when it belongs to another, or is one
// too many.
bool recent_awaits(const struct recent *recent, const struct fact *fact);
void recent_outcome(struct recent *recent, const struct fact *fact);  // must be awaited
// NULL when the key is unknown.
const struct recent_contact *recent_find(const struct recent *recent, struct id key);
const struct fact *
recent_fact(const struct recent *recent, const struct recent_contact *contact, unsigned i);

#endif
