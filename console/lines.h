// Files of JSON lines: one object a line, empty lines and lines that begin with # left out.
#ifndef VENDUE_LINES_H
#define VENDUE_LINES_H

#include <jansson.h>

#include "terms.h"

struct lines_fault {
    char text[640];  // "sample/bids.jsonl:7:12: string or '}' expected near '1'"
};
// All objects of the file, in order, as an array; "-" is standard input. Each gets the member
// "line" (its number) unless it has one. STATUS_INPUT: the first line that is none. STATUS_IO,
// STATUS_NOT_FOUND.
MUST_CHECK enum status
lines_read(const char *path, json_t **out_lines, struct lines_fault *out_fault);

#endif
