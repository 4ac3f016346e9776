// Requests of docs/protocol.md (contact, bid.put) as JSON objects, turned into what the core
// decides on: for slotctl's dry run, which has no wire.
#ifndef VENDUE_CONTACT_JSON_H
#define VENDUE_CONTACT_JSON_H

#include <jansson.h>

#include "catalog.h"
#include "event.h"

struct contact_json_fault {
    enum reason reason;  // REASON_NONE: the object's form is wrong
    char text[256];      // "user.identity: 'regular' is none of its words"
};

// `line` bears "touchpoint" beside the fields of a contact request. `now` is the default of
// began_us. The customer's pseudonym is made with a secret of zeros.
bool contact_json_read(const struct catalog *catalog, const json_t *line, usec now,
                       struct contact *out_contact, struct contact_json_fault *out_fault);

// Binds built-in attributes (the contact's fields are set) and those of `map` (NULL: none).
// `remembered`: the map is of the spool's, where null is a word that the market did not know.
bool contact_json_attributes(const struct catalog *catalog, const json_t *map, bool remembered,
                             struct contact *contact, struct contact_json_fault *out_fault);

// `line` bears "event" and what belongs to it; it is about `placement` and reported by the
// touchpoint of its contact.
bool contact_json_read_event(const struct catalog *catalog, const json_t *line, usec now,
                             const struct fact *placement, struct event *out_event,
                             struct contact_json_fault *out_fault);

// `line` bears "seat" beside the fields of bid.put.
bool contact_json_read_bid(const struct catalog *catalog, const json_t *line,
                           struct offer *out_offer, struct contact_json_fault *out_fault);

#endif
