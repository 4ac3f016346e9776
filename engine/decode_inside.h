// What the decoders share. Private to engine/.
#ifndef VENDUE_DECODE_INSIDE_H
#define VENDUE_DECODE_INSIDE_H

#include "bounds.h"
#include "clock.h"
#include "money.h"
#include "wire.h"

// A reference of the speaker's own, zero padded.
bool decode_key(struct wire_reader *reader, char out_key[BOUND_KEY]);
// A time that something is reported to have happened: at most DECODE_AHEAD_US after `now`.
bool decode_time(struct wire_reader *reader, usec now, usec *out_at);
// Outside its range in another way than a number is; `hint` goes on after the field's name. False.
bool decode_out_of_range(struct wire_reader *reader, const char *hint);
// A part that was skipped on the first walk is read now (`done`: with success); its trouble becomes
// the request's.
bool decode_finish_part(struct wire_reader *params, const struct wire_reader *part, bool done);
bool decode_currency(struct wire_reader *reader, struct currency *out_currency);

// A price of three kinds: `kind`, and `price_micros` or `share_ppm`, in any order.
#define DECODE_SHARE_MOST 1000000
struct decode_price {
    enum price_kind kind;
    bool has_micros, has_share;
    int64_t micros, share;
};
// Reads one of the three fields; false: it is none of them.
bool
decode_price_field(struct wire_reader *reader, struct wire_text key, struct decode_price *price);
// All fields were seen. False: they do not make a price, and the reader says so.
bool decode_price_finish(struct wire_reader *reader, const struct decode_price *price,
                         uint8_t *out_kind, money *out_price);

#endif
