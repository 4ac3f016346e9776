// The spool's records, as the edge encodes them, and the lines that its thread makes of them.
#ifndef VENDUE_SPOOL_LINE_H
#define VENDUE_SPOOL_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "hash.h"

#define SPOOL_OTHER UINT16_MAX  // length of a word that the catalog does not know

// A record's head; behind it the container's code, the attributes and the live bids, packed. An
// attribute: its type, the length of its name, the name, and the value: eight bytes, or a word
// (length, bytes), or a count and so many words.
struct spool_record {
    struct id id;
    int64_t at_us;
    uint8_t identity, tier, loyalty, condition, consent;
    uint8_t container_len;
    uint16_t attributes, live;
};
// A live bid with stable ids in the places of indexes.
struct spool_bid {
    uint64_t bid;
    int64_t price;
    uint32_t seat, message, slot;
    uint8_t kind, group;
};

struct spool_line {
    char *text;  // ends in NUL
    size_t len, room;
};
void spool_line_open(struct spool_line *line);
void spool_line_close(struct spool_line *line);

// The line of `inputs/`, and that of `sample/` for an hour ("2026-11-22T15"), in place of what the
// line said. The record is whole.
void spool_line_inputs(struct spool_line *line, const uint8_t *record);
void spool_line_sample(struct spool_line *line, const uint8_t *record, const char *hour);

#endif
