// MessagePack by hand: a bounded scan, and a reader over scanned bytes. The library that the tests
// compare it with builds a tree of each message, allocates what hostile lengths ask for, and takes
// three times as long; a request here is read once, in order, from where it lies.
//
// Every object begins with one byte, which `leads` describes:
//   SELF         the object is this byte, perhaps with low bits: nil, booleans, short integers
//   FIXED        `bytes` payload bytes follow: integers, floats
//   SHORT        the low five bits are the length of a text: fixstr
//   LENGTH       `bytes` bytes of length, then the payload: str 8 to 32, bin 8 to 32
//   SHORT_COUNT  the low four bits count the members: fixarray, fixmap
//   COUNT        `bytes` bytes of count, then the members, a map's two a pair: 16 and 32
//   REFUSED      0xc1 and all extension types
//
// The scan (wire_scan):
//   1 A message is one array; anything else at its beginning is MALFORMED.
//   2 `at` only grows and every header is looked at once, so slow bytes cost no more than fast
//     ones. A header that has not come wholly is left for the next call. A payload is skipped by
//     adding its length to `at`.
//   3 Bounds are checked on what a header announces, before any of it has come: bytes, members,
//     nesting.
//   4 What the scan accepts is well formed to the last byte: readers trust lengths and counts.
//
// The reader:
//   5 The first trouble stays.
//   6 `path` always names the value that was offered or read last.
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

enum form {
    FORM_REFUSED,
    FORM_SELF,
    FORM_FIXED,
    FORM_SHORT,
    FORM_LENGTH,
    FORM_SHORT_COUNT,
    FORM_COUNT
};

static const struct lead {
    uint8_t form, bytes, kind;
} leads[256] = {
    [0x00 ... 0x7f] = {FORM_SELF, 0, WIRE_INTEGER},
    [0x80 ... 0x8f] = {FORM_SHORT_COUNT, 0, WIRE_MAP},
    [0x90 ... 0x9f] = {FORM_SHORT_COUNT, 0, WIRE_ARRAY},
    [0xa0 ... 0xbf] = {FORM_SHORT, 0, WIRE_TEXT},
    [0xc0] = {FORM_SELF, 0, WIRE_NIL},
    [0xc2 ... 0xc3] = {FORM_SELF, 0, WIRE_BOOLEAN},
    [0xc4] = {FORM_LENGTH, 1, WIRE_BYTES},
    [0xc5] = {FORM_LENGTH, 2, WIRE_BYTES},
    [0xc6] = {FORM_LENGTH, 4, WIRE_BYTES},
    [0xca] = {FORM_FIXED, 4, WIRE_FLOAT},
    [0xcb] = {FORM_FIXED, 8, WIRE_FLOAT},
    [0xcc] = {FORM_FIXED, 1, WIRE_INTEGER},
    [0xcd] = {FORM_FIXED, 2, WIRE_INTEGER},
    [0xce] = {FORM_FIXED, 4, WIRE_INTEGER},
    [0xcf] = {FORM_FIXED, 8, WIRE_INTEGER},
    [0xd0] = {FORM_FIXED, 1, WIRE_INTEGER},
    [0xd1] = {FORM_FIXED, 2, WIRE_INTEGER},
    [0xd2] = {FORM_FIXED, 4, WIRE_INTEGER},
    [0xd3] = {FORM_FIXED, 8, WIRE_INTEGER},
    [0xd9] = {FORM_LENGTH, 1, WIRE_TEXT},
    [0xda] = {FORM_LENGTH, 2, WIRE_TEXT},
    [0xdb] = {FORM_LENGTH, 4, WIRE_TEXT},
    [0xdc] = {FORM_COUNT, 2, WIRE_ARRAY},
    [0xdd] = {FORM_COUNT, 4, WIRE_ARRAY},
    [0xde] = {FORM_COUNT, 2, WIRE_MAP},
    [0xdf] = {FORM_COUNT, 4, WIRE_MAP},
    [0xe0 ... 0xff] = {FORM_SELF, 0, WIRE_INTEGER},
};

// One object's header: `size` bytes; then `payload` bytes; then `members` objects (a map: two a
// pair).
struct head {
    uint32_t size;
    uint64_t payload, members;
    enum wire_kind kind;
};

static uint64_t
big_endian(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

// STATUS_AGAIN: the header has not come wholly. STATUS_INPUT: refused.
static inline enum status
head_read(const uint8_t *at, size_t have, struct head *out_head)
{
    if (have == 0) return STATUS_AGAIN;
    const struct lead lead = leads[*at];
    *out_head = (struct head){.size = 1, .kind = (enum wire_kind)lead.kind};
    switch ((enum form)lead.form) {
    case FORM_REFUSED: return STATUS_INPUT;
    case FORM_SELF: return STATUS_OK;
    case FORM_FIXED: out_head->payload = lead.bytes; return STATUS_OK;
    case FORM_SHORT: out_head->payload = *at & 0x1f; return STATUS_OK;
    case FORM_SHORT_COUNT:
        out_head->members = (uint64_t)(*at & 0x0f) << (lead.kind == WIRE_MAP);
        return STATUS_OK;
    case FORM_LENGTH:
    case FORM_COUNT: break;
    }
    if (have < 1u + lead.bytes) return STATUS_AGAIN;
    uint64_t number = big_endian(at + 1, lead.bytes);
    out_head->size = 1u + lead.bytes;
    if (lead.form == FORM_LENGTH) out_head->payload = number;
    else out_head->members = number << (lead.kind == WIRE_MAP);
    return STATUS_OK;
}

enum reason
wire_scan(struct wire_scan *scan, const uint8_t *data, size_t len, size_t *out_len)
{
    *out_len = 0;
    while (scan->at == 0 || scan->depth > 0) {
        struct head head;
        if (scan->at >= len) return REASON_NONE;
        enum status status = head_read(data + scan->at, len - scan->at, &head);
        // A header that begins within the bound but cannot end there would be waited for in vain.
        if (status == STATUS_AGAIN)
            return len < BOUND_MESSAGE_BYTES ? REASON_NONE : REASON_TOO_LARGE;
        if (status != STATUS_OK) return REASON_MALFORMED;
        if (scan->at == 0 && head.kind != WIRE_ARRAY) return REASON_MALFORMED;
        uint64_t end = scan->at + head.size + head.payload;
        if (end > BOUND_MESSAGE_BYTES) return REASON_TOO_LARGE;
        if (head.members > BOUND_MESSAGE_ITEMS - 1 - scan->items) return REASON_TOO_LARGE;
        scan->at = (uint32_t)end;
        scan->items += (uint32_t)head.members;
        if (scan->depth > 0) scan->left[scan->depth - 1]--;
        if (head.kind == WIRE_ARRAY || head.kind == WIRE_MAP) {
            if (scan->depth == BOUND_MESSAGE_DEPTH) return REASON_TOO_LARGE;
            scan->left[scan->depth++] = (uint32_t)head.members;
        }
        while (scan->depth > 0 && scan->left[scan->depth - 1] == 0) scan->depth--;
        // A member still to come takes a byte at least.
        if (scan->depth > 0 && scan->at == BOUND_MESSAGE_BYTES) return REASON_TOO_LARGE;
    }
    if (scan->at > len) return REASON_NONE;
    *out_len = scan->at;
    *scan = (struct wire_scan){0};
    return REASON_NONE;
}

// --- Reading -------------------------------------------------------------------------------------

struct wire_reader
wire_reader(const uint8_t *message, size_t len)
{
    return (struct wire_reader){.at = message, .end = message + len};
}

// The header of what comes next; false, and the reader in trouble, when there is nothing whole.
static inline bool
reader_head(struct wire_reader *reader, struct head *out_head)
{
    if (reader->reason != REASON_NONE) return false;
    size_t have = (size_t)(reader->end - reader->at);
    if (head_read(reader->at, have, out_head) == STATUS_OK &&
        out_head->payload <= have - out_head->size)
        return true;
    reader->reason = REASON_MALFORMED;
    return false;
}

static const char *const kind_words[] = {
    [WIRE_NIL] = "nil",
    [WIRE_BOOLEAN] = "true or false",
    [WIRE_INTEGER] = "an integer",
    [WIRE_FLOAT] = "a floating point number",
    [WIRE_TEXT] = "a text",
    [WIRE_BYTES] = "bytes",
    [WIRE_ARRAY] = "an array",
    [WIRE_MAP] = "a map",
};

static bool
wrong_type(struct wire_reader *reader, const char *wanted, enum wire_kind kind)
{
    reader->reason = REASON_WRONG_TYPE;
    reader->hint = wanted;
    reader->given = (int64_t)kind;
    return false;
}

static inline bool
expect(struct wire_reader *reader, enum wire_kind kind, struct head *out_head)
{
    if (!reader_head(reader, out_head)) return false;
    if (out_head->kind == kind) return true;
    return wrong_type(reader, kind_words[kind], out_head->kind);
}

enum wire_kind
wire_peek(const struct wire_reader *reader)
{
    if (reader->reason != REASON_NONE || reader->at >= reader->end) return WIRE_NIL;
    return (enum wire_kind)leads[*reader->at].kind;
}

bool
wire_boolean(struct wire_reader *reader, bool *out_value)
{
    struct head head;
    if (!expect(reader, WIRE_BOOLEAN, &head)) return false;
    *out_value = *reader->at == 0xc3;
    reader->at += head.size;
    return true;
}

static bool
out_of_range(struct wire_reader *reader, int64_t given, int64_t least, int64_t most)
{
    reader->reason = REASON_OUT_OF_RANGE;
    reader->given = given;
    reader->least = least;
    reader->most = most;
    return false;
}

bool
wire_integer(struct wire_reader *reader, int64_t least, int64_t most, int64_t *out_value)
{
    struct head head;
    if (!expect(reader, WIRE_INTEGER, &head)) return false;
    uint8_t lead = *reader->at;
    uint64_t raw = big_endian(reader->at + 1, (unsigned)head.payload);
    int64_t value;
    if (lead < 0x80 || lead >= 0xe0) {
        value = (int8_t)lead;
    } else if (lead <= 0xcf) {
        if (raw > INT64_MAX) return out_of_range(reader, INT64_MAX, least, most);
        value = (int64_t)raw;
    } else {
        unsigned unused = 64 - 8 * (unsigned)head.payload;  // moves the sign to the top and back
        value = (int64_t)(raw << unused) >> unused;
    }
    if (value < least || value > most) return out_of_range(reader, value, least, most);
    *out_value = value;
    reader->at += head.size + head.payload;
    return true;
}

// Length of the UTF-8 sequence at `at` (shortest form, no surrogates, at most U+10FFFF); 0: none;
// NUL is none.
static unsigned
utf8_sequence(const uint8_t *at, size_t have)
{
    uint8_t a = at[0];
    if (a < 0x80) return a != 0;
    unsigned size = a >= 0xf0 ? 4 : a >= 0xe0 ? 3 : 2;
    if (a < 0xc2 || a > 0xf4 || have < size) return 0;
    for (unsigned i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
    }
    if (a == 0xe0 && at[1] < 0xa0) return 0;
    if (a == 0xed && at[1] > 0x9f) return 0;
    if (a == 0xf0 && at[1] < 0x90) return 0;
    if (a == 0xf4 && at[1] > 0x8f) return 0;
    return size;
}

// At most eight bytes as one number: two loads that overlap, no loop. The bytes that the loads do
// not fill are those of the text again, so the number is plain exactly when the text is.
static inline uint64_t
short_word(const uint8_t *at, size_t len)
{
    uint32_t low, high;
    uint64_t eight;
    if (len == 8) {
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
    if (len >= 4) {
        memcpy(&low, at, sizeof low);
        memcpy(&high, at + len - 4, sizeof high);
        return low | (uint64_t)high << 32;
    }
    if (len == 0) return 0x0101010101010101u;
    low = at[0] | (uint32_t)at[len / 2] << 8 | (uint32_t)at[len - 1] << 16 | 0x01000000u;
    return low | (uint64_t)low << 32;
}

// No top bit set, and no byte zero: plain characters.
static inline bool
plain(uint64_t eight)
{
    uint64_t zero = (eight - 0x0101010101010101u) & ~eight;
    return ((eight | zero) & 0x8080808080808080u) == 0;
}

static bool
utf8_valid(const uint8_t *at, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t left = len - i < 8 ? len - i : 8;
        if (plain(short_word(at + i, left))) {
            i += left;
            continue;
        }
        unsigned size = utf8_sequence(at + i, len - i);
        if (size == 0) return false;
        i += size;
    }
    return true;
}

bool
wire_text(struct wire_reader *reader, uint32_t len_least, uint32_t len_most,
          struct wire_text *out_text)
{
    struct head head;
    if (!expect(reader, WIRE_TEXT, &head)) return false;
    const uint8_t *data = reader->at + head.size;
    if (head.payload < len_least || head.payload > len_most) {
        (void)out_of_range(reader, (int64_t)head.payload, len_least, len_most);
        reader->hint = "bytes";
        if (head.payload > len_most) reader->reason = REASON_TOO_LARGE;
        return false;
    }
    if (!utf8_valid(data, head.payload))
        return wrong_type(reader, "a text in UTF-8 without the NUL character", WIRE_BYTES);
    *out_text = (struct wire_text){(const char *)data, (uint32_t)head.payload};
    reader->at = data + head.payload;
    return true;
}

bool
wire_bytes(struct wire_reader *reader, const uint8_t **out_data, uint32_t *out_len)
{
    struct head head;
    if (!expect(reader, WIRE_BYTES, &head)) return false;
    *out_data = reader->at + head.size;
    *out_len = (uint32_t)head.payload;
    reader->at = *out_data + head.payload;
    return true;
}

bool
wire_skip(struct wire_reader *reader)
{
    struct head head;
    for (uint64_t left = 1; left > 0; left--) {
        if (!reader_head(reader, &head)) return false;
        reader->at += head.size + head.payload;
        left += head.members;
    }
    return true;
}

static void
path_push(struct wire_reader *reader)
{
    CHECK(reader->depth < BOUND_MESSAGE_DEPTH);
    reader->path[reader->depth++] = (struct wire_step){0};
}

bool
wire_map_begin(struct wire_reader *reader, struct wire_map *out_map)
{
    struct head head;
    *out_map = (struct wire_map){0};
    if (!expect(reader, WIRE_MAP, &head)) return false;
    if (head.members > 2 * BOUND_MESSAGE_FIELDS) {
        (void)out_of_range(reader, (int64_t)head.members / 2, 0, BOUND_MESSAGE_FIELDS);
        reader->hint = "fields";
        reader->reason = REASON_TOO_LARGE;
        return false;
    }
    reader->at += head.size;
    out_map->first = reader->at;
    out_map->count = (uint32_t)head.members / 2;
    path_push(reader);
    return true;
}

// Eight bits of a key, for the filter: of its length and its first and last bytes.
static inline unsigned
key_filter(const uint8_t *key, size_t len)
{
    uint64_t mix = short_word(key, len < 8 ? len : 8);
    if (len > 8) mix ^= short_word(key + len - 8, 8) * 3;
    return (unsigned)((mix ^ len) * 0x9e3779b97f4a7c15u >> 56);
}

// Is `key` among the first `map->done` keys? Only asked when the filter says that it may be.
static bool
key_repeats(const struct wire_reader *reader, const struct wire_map *map, struct wire_text key)
{
    struct wire_reader again = wire_reader(map->first, (size_t)(reader->end - map->first));
    for (uint32_t i = 0; i < map->done; i++) {
        struct head head;
        if (!reader_head(&again, &head)) return false;
        if (head.payload == key.len && memcmp(again.at + head.size, key.data, key.len) == 0)
            return true;
        again.at += head.size + head.payload;
        if (!wire_skip(&again)) return false;
    }
    return false;
}

bool
wire_map_next(struct wire_reader *reader, struct wire_map *map, struct wire_text *out_key)
{
    if (map->value != NULL && reader->at == map->value && !wire_skip(reader)) return false;
    while (reader->reason == REASON_NONE && map->done < map->count) {
        struct head head;
        struct wire_step *step = &reader->path[reader->depth - 1];
        *step = (struct wire_step){NULL, map->done};
        if (!reader_head(reader, &head)) return false;
        if (head.kind != WIRE_TEXT) {
            (void)wrong_type(reader, "a text as the key", head.kind);
            return false;
        }
        const uint8_t *data = reader->at + head.size;
        struct wire_text key = {(const char *)data, (uint32_t)head.payload};
        *step = (struct wire_step){key.data, key.len};
        unsigned filter = key_filter(data, key.len);
        uint64_t bit = 1ull << (filter & 63);
        if ((map->seen[filter >> 6] & bit) != 0 && key_repeats(reader, map, key)) {
            reader->reason = REASON_MALFORMED;
            reader->hint = "comes twice in its map; send it once";
            return false;
        }
        map->seen[filter >> 6] |= bit;
        map->done++;
        reader->at = map->value = data + key.len;
        if (reader->at < reader->end && *reader->at == 0xc0) {
            reader->at++;
            continue;
        }
        *out_key = key;
        return true;
    }
    if (reader->reason == REASON_NONE) reader->depth--;
    map->value = NULL;
    return false;
}

bool
wire_array_begin(struct wire_reader *reader, struct wire_array *out_array)
{
    struct head head;
    *out_array = (struct wire_array){0};
    if (!expect(reader, WIRE_ARRAY, &head)) return false;
    reader->at += head.size;
    out_array->count = (uint32_t)head.members;
    path_push(reader);
    return true;
}

bool
wire_array_next(struct wire_reader *reader, struct wire_array *array)
{
    if (array->value != NULL && reader->at == array->value && !wire_skip(reader)) return false;
    if (reader->reason != REASON_NONE) return false;
    if (array->done == array->count) {
        reader->depth--;
        array->value = NULL;
        return false;
    }
    reader->path[reader->depth - 1] = (struct wire_step){NULL, array->done++};
    array->value = reader->at;
    return true;
}

// --- Saying where --------------------------------------------------------------------------------

bool
wire_trouble(struct wire_reader *reader, enum reason reason, const char *key)
{
    CHECK(reason != REASON_NONE);
    if (reader->reason != REASON_NONE) return false;
    reader->reason = reason;
    reader->hint = NULL;
    if (key != NULL && reader->depth < BOUND_MESSAGE_DEPTH) {
        reader->path[reader->depth++] = (struct wire_step){key, (uint32_t)strlen(key)};
    }
    return false;
}

void
wire_place(const struct wire_reader *reader, char out_place[WIRE_PLACE])
{
    size_t used = 0;
    out_place[0] = '\0';
    for (uint32_t i = 0; i < reader->depth && used < WIRE_PLACE - 1; i++) {
        const struct wire_step *step = &reader->path[i];
        char *at = out_place + used;
        size_t room = WIRE_PLACE - used;
        if (step->key == NULL) {
            snprintf(at, room, "[%" PRIu32 "]", step->len);
        } else {
            snprintf(at, room, "%s%.*s", used == 0 ? "" : ".",
                     step->len > BOUND_CODE ? BOUND_CODE : (int)step->len, step->key);
            // A key is the peer's: only plain characters of it are repeated.
            for (char *c = at; *c != '\0'; c++) {
                if (*c < ' ' || *c > '~') *c = '?';
            }
        }
        used += strlen(at);
    }
}

void
wire_sentence(const struct wire_reader *reader, char out_sentence[WIRE_SENTENCE])
{
    char place[WIRE_PLACE];
    wire_place(reader, place);
    if (place[0] == '\0') snprintf(place, sizeof place, "params");
    const char *unit = reader->hint == NULL ? "" : reader->hint;
    if (reader->reason == REASON_MISSING_FIELD) {
        snprintf(out_sentence, WIRE_SENTENCE, "%s is missing; send it", place);
    } else if (reader->reason == REASON_WRONG_TYPE && reader->hint != NULL) {
        snprintf(out_sentence, WIRE_SENTENCE, "%s is %s; send %s", place, kind_words[reader->given],
                 unit);
    } else if (reader->reason == REASON_OUT_OF_RANGE && (reader->least | reader->most) != 0) {
        int len = snprintf(out_sentence, WIRE_SENTENCE,
                           "%s: %" PRId64 "%s%s is out of range; send %" PRId64, place,
                           reader->given, *unit == '\0' ? "" : " ", unit, reader->least);
        if (reader->most > reader->least)
            snprintf(out_sentence + len, WIRE_SENTENCE - (size_t)len, " to %" PRId64, reader->most);
    } else if (reader->reason == REASON_TOO_LARGE && reader->hint != NULL) {
        snprintf(out_sentence, WIRE_SENTENCE, "%s has %" PRId64 " %s; send at most %" PRId64, place,
                 reader->given, unit, reader->most);
    } else if (reader->hint != NULL) {
        snprintf(out_sentence, WIRE_SENTENCE, "%s %s", place, reader->hint);
    } else {
        snprintf(out_sentence, WIRE_SENTENCE, "%s: %s", place, reason_text(reader->reason));
    }
}
