// Markets declared in a test's own text.
#ifndef SUPPORT_DECLARED_H
#define SUPPORT_DECLARED_H

#include "market_file.h"

// The market a good text declares. A text with errors fails the test, which prints them.
struct market *declared_market(const char *text, struct arena *arena);
struct market *declared_market_bytes(const char *text, size_t len, struct arena *arena);

#endif
