// Parameters of a statement in PostgreSQL's binary form; used by db.c alone.
#ifndef VENDUE_PARAM_H
#define VENDUE_PARAM_H

#include "db.h"

#define PARAM_MAX 48

// Type numbers of the server's catalog (pg_type.dat); fixed since PostgreSQL 8.
enum oid {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_UNKNOWN = 705,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_UUID = 2950,
    OID_JSONB = 3802,
    OID_INT4_ARRAY = 1007,
    OID_INT8_ARRAY = 1016,
    OID_TEXT_ARRAY = 1009,
    OID_UUID_ARRAY = 2951
};

// What libpq takes: parallel arrays. Scalars are kept inside, arrays in memory of their own.
struct param_encoded {
    uint32_t types[PARAM_MAX];
    const char *values[PARAM_MAX];
    int lengths[PARAM_MAX];
    int formats[PARAM_MAX];
    uint8_t scalars[PARAM_MAX][16];
    uint8_t *arrays[PARAM_MAX];
};

void param_encode(struct param_encoded *out, const struct db_param *params, size_t count);
void param_free(struct param_encoded *encoded, size_t count);

// Whether the server takes these bytes as text: well-formed UTF-8 (RFC 3629) without NUL.
bool param_is_utf8(const char *text, size_t len);

static inline uint8_t *
param_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
    return out + bytes;
}

static inline uint64_t
param_get(const void *data, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | ((const uint8_t *)data)[i];
    }
    return value;
}

#endif
