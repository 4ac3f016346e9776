// Caps of a decoded catalog. Private to auction/.
#ifndef VENDUE_CATALOG_CAPS_H
#define VENDUE_CATALOG_CAPS_H

#include "catalog.h"

// The short form of a cap in a message; count 0: none.
struct catalog_own_cap {
    uint8_t count;
    uint16_t days;
};
// Adds the caps of single messages (`own`, by message) to those of the market, and gives each
// message the list of those that may stop it. `messages` are the catalog's.
void catalog_caps_build(struct catalog *catalog, struct catalog_message *messages,
                        const struct catalog_own_cap *own);

#endif
