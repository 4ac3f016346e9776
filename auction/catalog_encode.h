// The encoder's parts. Private to catalog_encode.c and catalog_encode_parts.c.
#ifndef VENDUE_CATALOG_ENCODE_H
#define VENDUE_CATALOG_ENCODE_H

#include "catalog.h"
#include "codec.h"

struct encoder {
    const struct market *market;
    struct arena *scratch;  // ends with the encoding
    struct codec_writer out;
    struct expr_schema schema;  // its words are a struct words
    struct expr_error *error;
};

// Fills the error with a text and no place. Always false.
bool catalog_encode_refuse(struct encoder *encoder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Number of a word; -1 for "".
int32_t catalog_encode_word(struct encoder *encoder, const char *text);

// Compiles and writes a rule. `kind` and `code` name the object in an error.
MUST_CHECK bool catalog_encode_rule(struct encoder *encoder, const char *rule, uint8_t admits,
                                    const char *kind, const char *code);

// Gives a built-in text attribute its value; "" leaves it unknown.
void catalog_encode_builtin(struct encoder *encoder, struct values *values, enum builtin attribute,
                            const char *text);
// Gives the declared values of a slot or message theirs.
MUST_CHECK bool catalog_encode_declared(struct encoder *encoder, struct values *values,
                                        enum attribute_of of, const struct market_value *declared,
                                        uint32_t count, const char *kind, const char *code);
void catalog_encode_values(struct encoder *encoder, const struct values *values);

#endif
