// Requests that were decided, longer than their answers are kept: their keys alone. Private to
// auction/.
#ifndef VENDUE_DECIDED_H
#define VENDUE_DECIDED_H

#include <stdbool.h>

#include "arena.h"
#include "hash.h"
#include "slim.h"

struct decided {
    uint64_t *keys;  // ring, the oldest makes room; hashes of request keys
    uint32_t room;
    uint64_t end;  // keys ever taken
    struct slim index;
};
void decided_open(struct decided *decided, struct arena *arena, uint32_t room);  // 0: none
void decided_add(struct decided *decided, struct id request_key);
bool decided_has(const struct decided *decided, struct id request_key);
void decided_expect(const struct decided *decided, struct id request_key);

#endif
