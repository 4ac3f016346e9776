// Words to numbers: binds what a touchpoint says of a contact to one catalog. Pure; runs at the
// edge.
//
// An attribute whose consent purpose the customer did not agree to stays unknown, whatever was
// sent. A word that no rule and no declaration mentions becomes VALUE_OTHER: equal to nothing,
// different from all.
#ifndef VENDUE_ATTRIBUTE_H
#define VENDUE_ATTRIBUTE_H

#include "catalog.h"
#include "contact.h"

// Sets the built-in attributes of a contact (channel, stage, container, identity, tier, loyalty,
// condition, consents) from its fields, which are in range. No tier and an unknown loyalty stay
// unknown; a consent is true or unknown. Call first; it resets `contact->values`.
void attribute_bind_builtins(const struct catalog *catalog, struct contact *contact);

// Bind one declared attribute by number. REASON_NONE; REASON_WRONG_TYPE; REASON_OUT_OF_RANGE (an
// integer outside its declared range); REASON_TOO_LARGE (too many list items);
// REASON_UNKNOWN_ATTRIBUTE when the number is none of a contact's or customer's attributes. On a
// refusal the attribute stays unknown.
enum reason attribute_bind_boolean(const struct catalog *catalog, struct contact *contact,
                                   uint32_t attribute, bool value);
enum reason attribute_bind_integer(const struct catalog *catalog, struct contact *contact,
                                   uint32_t attribute, int64_t value);
enum reason attribute_bind_text(const struct catalog *catalog, struct contact *contact,
                                uint32_t attribute, const char *text, size_t len);
// Items one by one: begin, then each item, then end (sorts, drops repeats), and no other list in
// between.
enum reason attribute_bind_list_begin(const struct catalog *catalog, struct contact *contact,
                                      uint32_t attribute);
enum reason attribute_bind_list_item(const struct catalog *catalog, struct contact *contact,
                                     uint32_t attribute, const char *text, size_t len);
enum reason
attribute_bind_list_end(const struct catalog *catalog, struct contact *contact, uint32_t attribute);

#endif
