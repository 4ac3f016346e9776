// Files of the bank, read whole.
#ifndef VENDUE_BANK_FILE_H
#define VENDUE_BANK_FILE_H

#include <stddef.h>

#include "verb.h"

// All bytes of a file ("-": standard input), from malloc, with a NUL behind them; NULL after
// verb_usage said why.
char *bank_file_read(const struct verb *verb, const char *path, size_t *out_len);

#endif
