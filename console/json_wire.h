// JSON to MessagePack and back, for verbs that pass on what a file says.
#ifndef VENDUE_JSON_WIRE_H
#define VENDUE_JSON_WIRE_H

#include <jansson.h>

#include "pack.h"
#include "wire.h"

// Writes a JSON value. False, naming the value in `out_key` ("" the value itself): a number with a
// fraction, which no field takes.
bool json_wire_write(struct pack *pack, const json_t *value, const char **out_key);
// Reads the next value, whatever it is; NULL: the reader is in trouble. Bytes become a text, with
// "?" for what is not ASCII.
json_t *json_wire_read(struct wire_reader *reader);

#endif
