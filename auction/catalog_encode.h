// The encoder's parts. Private to catalog_encode*.c.
#ifndef VENDUE_CATALOG_ENCODE_H
#define VENDUE_CATALOG_ENCODE_H

#include "catalog.h"
#include "catalog_block.h"
#include "codec.h"
#include "lookup.h"

struct encoder {
    const struct catalog_input *input;
    struct arena *scratch;  // ends with the encoding
    struct codec_writer out;
    struct expr_schema schema;  // its words are a struct words
    struct expr_error *error;
    struct lookup seats, containers, slots, messages, campaigns;  // code or tagid -> index
    struct lookup groups;                                         // "seat group" -> number
    struct lookup limits;                                         // limit_key -> index
    struct lookup ids;                                            // stable ids of one kind
    struct values values;            // of the slot or message that is written
    const struct expr *floor_rules;  // `when` of the market's floors, by index
    const uint32_t *message_deals;   // by message: the deal it is named in; LOOKUP_NONE
    uint64_t offsets[SECTION_COUNT];
    uint64_t counts[SECTION_COUNT];
};

// Fills the error with a text and no place. Always false.
bool catalog_encode_refuse(struct encoder *encoder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Checks of one value of an object; false after a refusal. Ids are 1 to `end` - 1, each once.
MUST_CHECK bool
catalog_encode_check_code(struct encoder *encoder, const char *kind, const char *code);
MUST_CHECK bool catalog_encode_check_text(struct encoder *encoder, const char *kind,
                                          const char *code, const char *text);
MUST_CHECK bool catalog_encode_check_id(struct encoder *encoder, const char *kind, const char *code,
                                        uint32_t id, uint32_t end);
MUST_CHECK bool catalog_encode_check_money(struct encoder *encoder, const char *kind,
                                           const char *code, money amount);
MUST_CHECK bool catalog_encode_check_count(struct encoder *encoder, const char *kinds,
                                           uint32_t count, uint32_t most);
// The index of what a code names.
MUST_CHECK bool catalog_encode_seat_index(struct encoder *encoder, const char *kind,
                                          const char *code, const char *seat, uint32_t *out_index);
MUST_CHECK bool catalog_encode_index(struct encoder *encoder, const struct lookup *of,
                                     const char *kind, const char *code, const char *other_kind,
                                     const char *other, uint32_t *out_index);

// A section begins here, with so many records; ids seen so far are forgotten.
void catalog_encode_begin(struct encoder *encoder, enum catalog_section section, uint64_t count);

// Number of a word; -1 for "".
int32_t catalog_encode_word(struct encoder *encoder, const char *text);

// Compiles a rule. `kind` and `code` name the object in an error.
MUST_CHECK bool catalog_encode_compile(struct encoder *encoder, const char *rule, uint8_t admits,
                                       const char *kind, const char *code, struct expr *out_expr);
void catalog_encode_expr(struct encoder *encoder, const struct expr *expr);
// Compiles and writes a rule.
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

// --- Rules of selling (catalog_encode_rules.c) ---------------------------------------------------
// Indexes of codes, numbers of groups, deals of messages, rules of floors: before any section.
MUST_CHECK bool catalog_encode_prepare(struct encoder *encoder);
// `of` and `id` find this node's limit of it.
MUST_CHECK bool
catalog_encode_budget(struct encoder *encoder, const struct market_budget *budget,
                      enum budget_of of, uint32_t id, const char *kind, const char *code);
// The floor rules that may count in a slot, in order of precedence, and their number before them.
MUST_CHECK bool
catalog_encode_floors(struct encoder *encoder, const struct market_container *container,
                      const struct market_slot *slot, const char *tagid);
// The experiments that may change a slot's floors, and their number before them.
void catalog_encode_slot_experiments(struct encoder *encoder,
                                     const struct market_container *container, const char *tagid);
MUST_CHECK bool catalog_encode_campaigns(struct encoder *encoder);
MUST_CHECK bool catalog_encode_caps(struct encoder *encoder);
MUST_CHECK bool catalog_encode_experiments(struct encoder *encoder);
MUST_CHECK bool catalog_encode_deals(struct encoder *encoder);
MUST_CHECK bool catalog_encode_shifts(struct encoder *encoder);

#endif
