// MessagePack, bounded: finding one message in a stream of bytes, and reading it (pack.h writes).
// Nothing here allocates. Texts and bytes that are read point into the message and live as it does.
#ifndef VENDUE_WIRE_H
#define VENDUE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "terms.h"

// --- Finding a message ---------------------------------------------------------------------------
// Zero at the start of every message. One scan looks at each byte once, however slowly they come.
struct wire_scan {
    uint32_t at;     // bytes looked at or known to be skipped; may lie beyond what has come
    uint32_t items;  // objects announced so far
    uint32_t depth;  // containers open
    uint32_t left[BOUND_MESSAGE_DEPTH];  // objects still to come in each of them
};
// Looks for the end of the message that begins at `data`. REASON_NONE and `out_len` > 0: that is
// its length; the scan is zero again. REASON_NONE and 0: more bytes are needed; call again with the
// same message, longer. REASON_MALFORMED, REASON_TOO_LARGE: it is no message of ours, and where the
// next one begins cannot be known.
MUST_CHECK enum reason
wire_scan(struct wire_scan *scan, const uint8_t *data, size_t len, size_t *out_len);

// --- Reading -------------------------------------------------------------------------------------
// clang-format off
enum wire_kind {
    WIRE_NIL, WIRE_BOOLEAN, WIRE_INTEGER, WIRE_FLOAT, WIRE_TEXT, WIRE_BYTES, WIRE_ARRAY, WIRE_MAP
};
// clang-format on
struct wire_text {
    const char *data;  // UTF-8 without NUL inside, and without one at the end
    uint32_t len;
};
// A place in a message that wire_scan has accepted. The first trouble stays: every later call
// answers false at once, so a reader may be driven to its end and asked once.
struct wire_reader {
    const uint8_t *at, *end;
    enum reason reason;  // NONE; MISSING_FIELD WRONG_TYPE OUT_OF_RANGE TOO_LARGE MALFORMED
    uint32_t depth;      // of `path`
    struct wire_step {
        const char *key;  // NULL: an array's item
        uint32_t len;     // of the key, or the item's number
    } path[BOUND_MESSAGE_DEPTH];
    const char *hint;     // what was expected: "an integer"; NULL none
    int64_t least, most;  // REASON_OUT_OF_RANGE, REASON_TOO_LARGE
    int64_t given;
};
struct wire_reader wire_reader(const uint8_t *message, size_t len);

// What comes next. A reader in trouble says WIRE_NIL.
enum wire_kind wire_peek(const struct wire_reader *reader);

// Read one value of a kind. False: the reader is in trouble, `out_value` is untouched.
bool wire_boolean(struct wire_reader *reader, bool *out_value);
bool wire_integer(struct wire_reader *reader, int64_t least, int64_t most, int64_t *out_value);
bool wire_text(struct wire_reader *reader, uint32_t len_least, uint32_t len_most,
               struct wire_text *out_text);
bool wire_bytes(struct wire_reader *reader, const uint8_t **out_data, uint32_t *out_len);
bool wire_skip(struct wire_reader *reader);

// Walk a map:
//     struct wire_map map;
//     struct wire_text key;
//     if (!wire_map_begin(reader, &map)) ...
//     while (wire_map_next(reader, &map, &key)) {
//         if (wire_same(key, "id")) wire_text(reader, 1, BOUND_KEY, &id);
//     }
// A value that the body did not read is skipped; nil values are skipped before the body sees them
// (absent). The same key twice is trouble. wire_map_next answers false at the end and in trouble.
struct wire_map {
    const uint8_t *first, *value;  // its first key; the value just offered
    uint32_t count, done;
    uint64_t seen[4];  // filter over the keys, so that a repeat is looked for only when likely
};
bool wire_map_begin(struct wire_reader *reader, struct wire_map *out_map);
bool wire_map_next(struct wire_reader *reader, struct wire_map *map, struct wire_text *out_key);
// Walk an array in the same way; `out_array->count` is its length.
struct wire_array {
    const uint8_t *value;
    uint32_t count, done;
};
bool wire_array_begin(struct wire_reader *reader, struct wire_array *out_array);
bool wire_array_next(struct wire_reader *reader, struct wire_array *array);

// For checks of the caller's own: puts the reader into trouble, unless it is already, at the field
// `key` of the innermost open map; NULL: at the value that was offered last. Answers false. A
// caller may then set `hint`, the rest of a sentence that begins with the place: "is no slot of
// monthly_bill; ...".
bool wire_trouble(struct wire_reader *reader, enum reason reason, const char *key);
// The place of the trouble, "user.consent[1]" ("" the params themselves), and the sentence, "tmax:
// 0 is out of range; send 1 to 60000". Both end in NUL and are plain ASCII, whatever the peer sent.
#define WIRE_PLACE 160
#define WIRE_SENTENCE 320
void wire_place(const struct wire_reader *reader, char out_place[WIRE_PLACE]);
void wire_sentence(const struct wire_reader *reader, char out_sentence[WIRE_SENTENCE]);

static inline bool
wire_same(struct wire_text text, const char *word)
{
    size_t len = __builtin_strlen(word);
    return text.len == len && __builtin_memcmp(text.data, word, len) == 0;
}

#endif
