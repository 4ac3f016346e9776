// Writing MessagePack into memory of the caller. What does not fit sets `full` and writes nothing
// more; the caller asks once, at the end. Integers and lengths take their shortest form, so equal
// values are equal bytes.
#ifndef VENDUE_PACK_H
#define VENDUE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack {
    uint8_t *data;
    size_t len, room;
    bool full;
};
void pack_nil(struct pack *pack);
void pack_boolean(struct pack *pack, bool value);
void pack_integer(struct pack *pack, int64_t value);
void pack_text(struct pack *pack, const char *text, size_t len);  // UTF-8
void pack_string(struct pack *pack, const char *text);            // ends in NUL
void pack_bytes(struct pack *pack, const void *data, size_t len);
void pack_array(struct pack *pack, uint32_t count);  // `count` values follow
void pack_map(struct pack *pack, uint32_t count);    // `count` pairs follow

// An array or a map whose count is known only at its end (at most 65,535): open says where it
// stands, close fills in the count.
size_t pack_open_array(struct pack *pack);
size_t pack_open_map(struct pack *pack);
void pack_close(struct pack *pack, size_t where, uint32_t count);

// A key and its value.
void pack_pair_nil(struct pack *pack, const char *key);
void pack_pair_boolean(struct pack *pack, const char *key, bool value);
void pack_pair_integer(struct pack *pack, const char *key, int64_t value);
void pack_pair_string(struct pack *pack, const char *key, const char *value);
void pack_pair_text(struct pack *pack, const char *key, const char *text, size_t len);

#endif
