// Words and their numbers while a catalog is made. Private to auction/.
#ifndef VENDUE_WORDS_H
#define VENDUE_WORDS_H

#include "lookup.h"

struct words {
    struct lookup lookup;
    const char **texts;  // by number
    uint32_t count, room;
};

void words_open(struct words *words, struct arena *arena);
// The number of a word, given when it is new. `words` is a struct words: the shape of
// expr_schema.word.
int32_t words_number(void *words, const char *text, size_t len);

#endif
