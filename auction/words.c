// Words get numbers in the order in which they are met; a number never changes.
#include "words.h"

#include <string.h>

#include "fail.h"

void
words_open(struct words *words, struct arena *arena)
{
    *words = (struct words){.room = 256};
    lookup_open(&words->lookup, arena, words->room);
    words->texts = arena_take(arena, words->room, sizeof words->texts[0]);
}

int32_t
words_number(void *context, const char *text, size_t len)
{
    struct words *words = context;
    uint32_t number = lookup_text(&words->lookup, text, len);
    if (number != LOOKUP_NONE) return (int32_t)number;
    number = words->count;
    CHECK(number < INT32_MAX);
    if (number == words->room) {
        const char **texts = arena_take(words->lookup.arena, 2 * (size_t)words->room,
                                        sizeof texts[0]);
        memcpy(texts, words->texts, words->room * sizeof texts[0]);
        words->texts = texts;
        words->room *= 2;
    }
    words->texts[number] = arena_text(words->lookup.arena, text, len);
    CHECK(lookup_put_text(&words->lookup, words->texts[number], len, number) == STATUS_OK);
    words->count++;
    return (int32_t)number;
}
