// Names and literals of a rule bound to a schema. What does not fit is answered with the mend: the
// nearest name or word by edit distance, the declared range, how to write a value of the
// attribute's type.
#include "expr_bind.h"

#include <inttypes.h>
#include <string.h>

#include "fail.h"

// Edit distance (Levenshtein) of two names, letters compared in lower case. Longer names than
// NEAR_BYTES are not compared.
#define NEAR_BYTES 64
static uint32_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    uint32_t row[NEAR_BYTES + 1];
    for (uint32_t j = 0; j <= b_len; j++) row[j] = j;
    for (uint32_t i = 1; i <= a_len; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b_len; j++) {
            uint32_t above = row[j];
            uint32_t best = diagonal + ((a[i - 1] | 0x20) != (b[j - 1] | 0x20));
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b_len];
}

// Is `candidate` nearer to the name than `*limit`? Then it becomes the new limit.
static bool
nearer(const char *name, size_t len, const char *candidate, uint32_t *limit)
{
    size_t candidate_len = strlen(candidate);
    if (len > NEAR_BYTES || candidate_len > NEAR_BYTES) return false;
    uint32_t found = distance(name, len, candidate, candidate_len);
    if (found >= *limit) return false;
    *limit = found;
    return true;
}

static uint32_t
near_limit(size_t len)
{
    return len < 3 ? 2 : len < 6 ? 3 : 4;  // exclusive: one, two or three edits
}

static bool
find_attribute(const struct expr_binding *binding, const struct expr_token *token,
               uint32_t *out_attribute)
{
    const struct expr_schema *schema = binding->schema;
    for (uint32_t i = 0; i < schema->count; i++) {
        const char *name = schema->attributes[i].name;
        if (strlen(name) == token->len &&
            strncasecmp(name, binding->text + token->at, token->len) == 0) {
            *out_attribute = i;
            return true;
        }
    }
    return false;
}

bool
expr_bind_is_attribute(const struct expr_binding *binding, const struct expr_token *token)
{
    uint32_t attribute;
    return find_attribute(binding, token, &attribute);
}

static const char *
of_name(uint8_t of)
{
    static const char *const names[ATTRIBUTE_OF_COUNT] = {"contact", "customer", "slot", "message"};
    return names[of];
}

bool
expr_bind_attribute(struct expr_binding *binding, const struct expr_token *token,
                    uint32_t *out_attribute)
{
    const struct expr_schema *schema = binding->schema;
    const char *name = binding->text + token->at;
    int len = token->len > NEAR_BYTES ? NEAR_BYTES : (int)token->len;
    if (!find_attribute(binding, token, out_attribute)) {
        const char *nearest = NULL;
        uint32_t limit = near_limit(token->len);
        for (uint32_t i = 0; i < schema->count; i++)
            if (nearer(name, token->len, schema->attributes[i].name, &limit))
                nearest = schema->attributes[i].name;
        if (nearest != NULL)
            return expr_token_error(binding->error, token->at, token->len,
                                    "no attribute '%.*s'; did you mean '%s'?", len, name, nearest);
        return expr_token_error(
            binding->error, token->at, token->len,
            "no attribute '%.*s'; declare it in the market, or write a text in single quotes", len,
            name);
    }
    uint8_t of = schema->attributes[*out_attribute].of;
    if (schema->admits == 0 || (schema->admits >> of & 1) != 0) return true;
    char admitted[64] = "";
    for (uint8_t i = 0; i < ATTRIBUTE_OF_COUNT; i++) {
        if ((schema->admits >> i & 1) == 0) continue;
        if (admitted[0] != '\0') strcat(admitted, ", ");
        strcat(admitted, of_name(i));
    }
    return expr_token_error(
        binding->error, token->at, token->len,
        "'%.*s' describes the %s, of which this rule may not speak; it may speak of: %s", len, name,
        of_name(of), admitted);
}

bool
expr_bind_integer(struct expr_binding *binding, const struct expr_token *digits, bool negative,
                  int64_t *out_value)
{
    int64_t value = 0;
    for (uint32_t i = 0; i < digits->len; i++) {
        int digit = binding->text[digits->at + i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, negative ? digit : -digit, &value))
            return expr_token_error(binding->error, digits->at, digits->len,
                                    "this number is beyond a whole number of 64 bits (%" PRId64
                                    " to %" PRId64 ")",
                                    INT64_MIN, INT64_MAX);
    }
    *out_value = value;
    return true;
}

static bool
wrong_type(struct expr_binding *binding, uint32_t attribute, const struct expr_literal *literal)
{
    const struct expr_attribute *is = &binding->schema->attributes[attribute];
    const char *mend = "";
    switch ((enum attribute_type)is->type) {
    case ATTRIBUTE_BOOLEAN: mend = "is a boolean; compare it with true or false"; break;
    case ATTRIBUTE_INTEGER:
        mend = "is an integer; compare it with a whole number without quotes";
        break;
    case ATTRIBUTE_TEXT: mend = "is a text; compare it with a text in single quotes"; break;
    case ATTRIBUTE_LIST: mend = "is a list of texts; its items stand in single quotes"; break;
    case ATTRIBUTE_TYPE_COUNT: break;
    }
    return expr_token_error(binding->error, literal->token.at, literal->token.len, "'%s' %s",
                            is->name, mend);
}

// The text in `scratch` is none of the words that the attribute takes: names the nearest.
static bool
foreign_word(struct expr_binding *binding, uint32_t attribute, const struct expr_literal *literal,
             uint32_t len)
{
    const struct expr_words *takes = &binding->schema->takes[attribute];
    const char *nearest = NULL;
    uint32_t limit = near_limit(len);
    for (uint32_t i = 0; i < takes->count; i++)
        if (nearer(binding->scratch, len, takes->items[i], &limit)) nearest = takes->items[i];
    return expr_token_error(
        binding->error, literal->token.at, literal->token.len,
        "'%s' never takes this word; %s '%.64s'%s", binding->schema->attributes[attribute].name,
        nearest != NULL ? "did you mean" : "it takes for example",
        nearest != NULL ? nearest : takes->items[0], nearest != NULL ? "?" : "");
}

static bool
bind_word(struct expr_binding *binding, uint32_t attribute, const struct expr_literal *literal,
          int64_t *out_value)
{
    const struct expr_schema *schema = binding->schema;
    uint32_t len = expr_token_unquote(binding->text, &literal->token, binding->scratch);
    const struct expr_words *takes = schema->takes == NULL ? NULL : &schema->takes[attribute];
    bool taken = takes == NULL || takes->count == 0;
    for (uint32_t i = 0; !taken && i < takes->count; i++)
        taken = strlen(takes->items[i]) == len &&
                memcmp(takes->items[i], binding->scratch, len) == 0;
    if (!taken) return foreign_word(binding, attribute, literal, len);
    *out_value = schema->word(schema->words, binding->scratch, len);
    CHECK(*out_value >= 0);
    return true;
}

bool
expr_bind_literal(struct expr_binding *binding, uint32_t attribute,
                  const struct expr_literal *literal, int64_t *out_value)
{
    const struct expr_attribute *is = &binding->schema->attributes[attribute];
    if (is->type == ATTRIBUTE_BOOLEAN) {
        if (literal->kind != TOKEN_TRUE && literal->kind != TOKEN_FALSE)
            return wrong_type(binding, attribute, literal);
        *out_value = literal->kind == TOKEN_TRUE;
        return true;
    }
    if (is->type == ATTRIBUTE_INTEGER) {
        if (literal->kind != TOKEN_INTEGER) return wrong_type(binding, attribute, literal);
        if (literal->integer < is->least || literal->integer > is->most)
            return expr_token_error(binding->error, literal->token.at, literal->token.len,
                                    "%" PRId64 " is outside the declared range of '%s' (%" PRId64
                                    " to %" PRId64 ")",
                                    literal->integer, is->name, is->least, is->most);
        *out_value = literal->integer;
        return true;
    }
    if (literal->kind != TOKEN_TEXT) return wrong_type(binding, attribute, literal);
    return bind_word(binding, attribute, literal, out_value);
}
