// Tokens of a rule's text, cut exactly where PostgreSQL's own lexer cuts them.
//
// 1. Blanks are space, tab, line feed, carriage return, form feed. There are no comments.
// 2. Names and keywords: [A-Za-z_][A-Za-z0-9_]*, folded to lower case (ASCII only).
// 3. Integers: digits only. A letter or '.' glued to them is an error, as in PostgreSQL.
// 4. Texts: '...' with '' for a quote. The backslash is a plain character, as PostgreSQL has it by
//    default. Control characters and bytes that are not UTF-8 are refused; it refuses some, too.
// 5. Operators: the longest run of operator characters is one token. It ends before -- and /*; a
//    trailing + or - belongs to it only if it also holds one of ~ ! @ # % ^ & | ` ?. So `a=-1` is
//    a, =, -, 1 while `a!=-1` holds the unknown operator !=- and is refused there and here.
#include "expr_token.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// clang-format off
static const struct {
    const char *word;
    enum expr_token_kind kind;
} keywords[] = {
    {"and", TOKEN_AND}, {"or", TOKEN_OR}, {"not", TOKEN_NOT}, {"in", TOKEN_IN},
    {"between", TOKEN_BETWEEN}, {"is", TOKEN_IS}, {"null", TOKEN_NULL}, {"true", TOKEN_TRUE},
    {"false", TOKEN_FALSE}, {"any", TOKEN_ANY}, {"all", TOKEN_ALL}, {"array", TOKEN_ARRAY},
};
// clang-format on
// clang-format off
static const struct {
    const char *sign;
    enum expr_token_kind kind;
} operators[] = {
    {"=", TOKEN_EQUAL}, {"<>", TOKEN_UNEQUAL}, {"!=", TOKEN_UNEQUAL}, {"<", TOKEN_LESS},
    {"<=", TOKEN_LESS_EQUAL}, {">", TOKEN_GREATER}, {">=", TOKEN_GREATER_EQUAL},
    {"&&", TOKEN_OVERLAPS}, {"@>", TOKEN_CONTAINS}, {"-", TOKEN_MINUS},
};
// clang-format on

bool
expr_token_error(struct expr_error *out_error, uint32_t at, uint32_t len, const char *format, ...)
{
    out_error->column = at + 1;
    out_error->length = len > 0 ? len : 1;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(out_error->text, sizeof out_error->text, format, arguments);
    va_end(arguments);
    if (written < 0) out_error->text[0] = '\0';
    return false;
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_operator(char c)
{
    return c != '\0' && strchr("~!@#%^&|`?+-*/<>=", c) != NULL;
}

// Length of the UTF-8 character at `bytes`, 0 when it is none (overlong, surrogate, beyond
// U+10FFFF).
static uint32_t
utf8_length(const char *text, uint32_t left)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t size = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc2 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf5 ? 4
                                      : 0;
    if (size > left) return 0;
    for (uint32_t i = 1; i < size; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    if (bytes[0] == 0xe0 && bytes[1] < 0xa0) return 0;
    if (bytes[0] == 0xed && bytes[1] > 0x9f) return 0;
    if (bytes[0] == 0xf0 && bytes[1] < 0x90) return 0;
    if (bytes[0] == 0xf4 && bytes[1] > 0x8f) return 0;
    return size;
}

static bool
next_name(const char *text, uint32_t len, uint32_t at, struct expr_token *out_token)
{
    uint32_t end = at;
    while (end < len && (is_name_start(text[end]) || is_digit(text[end]))) end++;
    *out_token = (struct expr_token){TOKEN_NAME, at, end - at};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        const char *word = keywords[i].word;
        if (strlen(word) == end - at && strncasecmp(word, text + at, end - at) == 0)
            out_token->kind = keywords[i].kind;
    }
    return true;
}

static bool
next_integer(const char *text, uint32_t len, uint32_t at, struct expr_token *out_token,
             struct expr_error *out_error)
{
    uint32_t end = at;
    while (end < len && is_digit(text[end])) end++;
    *out_token = (struct expr_token){TOKEN_INTEGER, at, end - at};
    if (end < len && (text[end] == '.' || is_name_start(text[end]))) {
        while (end < len && (text[end] == '.' || is_name_start(text[end]) || is_digit(text[end])))
            end++;
        return expr_token_error(out_error, at, end - at,
                                "'%.*s' is no whole number; numbers are written with digits alone",
                                (int)(end - at), text + at);
    }
    return true;
}

static bool
next_text(const char *text, uint32_t len, uint32_t at, struct expr_token *out_token,
          struct expr_error *out_error)
{
    for (uint32_t end = at + 1; end < len;) {
        if (text[end] == '\'') {
            end++;
            if (end == len || text[end] != '\'') {
                *out_token = (struct expr_token){TOKEN_TEXT, at, end - at};
                return true;
            }
            end++;
            continue;
        }
        uint32_t size = utf8_length(text + end, len - end);
        if (size == 0) return expr_token_error(out_error, end, 1, "this byte is not UTF-8");
        if ((unsigned char)text[end] < 0x20 || text[end] == 0x7f)
            return expr_token_error(out_error, end, 1,
                                    "a control character stands in this text; leave it out, or "
                                    "close the text with ' before it");
        end += size;
    }
    return expr_token_error(out_error, at, len - at, "this text has no end; close it with '");
}

static bool
next_operator(const char *text, uint32_t len, uint32_t at, struct expr_token *out_token,
              struct expr_error *out_error)
{
    uint32_t end = at;
    bool special = false;
    while (end < len && is_operator(text[end])) {
        if (end + 1 < len && ((text[end] == '-' && text[end + 1] == '-') ||
                              (text[end] == '/' && text[end + 1] == '*')))
            break;
        if (strchr("~!@#%^&|`?", text[end]) != NULL) special = true;
        end++;
    }
    if (end == at) return expr_token_error(out_error, at, 2, "comments have no place in a rule");
    while (!special && end > at + 1 && (text[end - 1] == '-' || text[end - 1] == '+')) end--;
    *out_token = (struct expr_token){TOKEN_END, at, end - at};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strlen(operators[i].sign) == end - at &&
            memcmp(operators[i].sign, text + at, end - at) == 0) {
            out_token->kind = operators[i].kind;
            return true;
        }
    }
    if (end - at > 1 && special && text[end - 1] == '-')
        return expr_token_error(out_error, at, end - at,
                                "'%.*s' reads as one operator; put a space before the minus",
                                (int)(end - at), text + at);
    return expr_token_error(out_error, at, end - at,
                            "'%.*s' is no operator of a rule; there are = <> < <= > >= && @>",
                            (int)(end - at), text + at);
}

static bool
next_other(const char *text, uint32_t len, uint32_t at, struct expr_error *out_error)
{
    uint32_t size = utf8_length(text + at, len - at);
    if (size == 0) return expr_token_error(out_error, at, 1, "this byte is not UTF-8");
    static const char *const typographic[] = {"\u2018", "\u2019", "\u201c", "\u201d"};
    bool quote = text[at] == '"';
    for (size_t i = 0; i < 4; i++)
        quote = quote || (size == 3 && memcmp(text + at, typographic[i], 3) == 0);
    if (quote)
        return expr_token_error(
            out_error, at, size,
            "texts stand in straight single quotes ('north'), attributes without any");
    if (text[at] == '.')
        return expr_token_error(
            out_error, at, 1,
            "attributes are written without a prefix, numbers without a fraction");
    if (text[at] == ';')
        return expr_token_error(out_error, at, 1, "a rule is one condition, without ';'");
    if ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)
        return expr_token_error(out_error, at, 1, "a control character has no place in a rule");
    return expr_token_error(out_error, at, size, "'%.*s' has no meaning in a rule", (int)size,
                            text + at);
}

bool
expr_token_next(const char *text, uint32_t len, uint32_t from, struct expr_token *out_token,
                struct expr_error *out_error)
{
    uint32_t at = from;
    while (at < len && is_blank(text[at])) at++;
    if (at == len) {
        *out_token = (struct expr_token){TOKEN_END, len, 0};
        return true;
    }
    if (is_name_start(text[at])) return next_name(text, len, at, out_token);
    if (is_digit(text[at])) return next_integer(text, len, at, out_token, out_error);
    if (text[at] == '\'') return next_text(text, len, at, out_token, out_error);
    if (is_operator(text[at])) return next_operator(text, len, at, out_token, out_error);
    enum expr_token_kind kind = TOKEN_END;
    switch (text[at]) {
    case '(': kind = TOKEN_OPEN; break;
    case ')': kind = TOKEN_CLOSE; break;
    case '[': kind = TOKEN_OPEN_BRACKET; break;
    case ']': kind = TOKEN_CLOSE_BRACKET; break;
    case ',': kind = TOKEN_COMMA; break;
    default: return next_other(text, len, at, out_error);
    }
    *out_token = (struct expr_token){kind, at, 1};
    return true;
}

uint32_t
expr_token_unquote(const char *text, const struct expr_token *token, char *out)
{
    uint32_t len = 0;
    for (uint32_t i = token->at + 1; i + 1 < token->at + token->len; i++) {
        out[len++] = text[i];
        if (text[i] == '\'') i++;
    }
    return len;
}

// PostgreSQL's keywords that cannot name a column plainly (pg_get_keywords(), classes R, T and C,
// up to version 17), and its system columns. In strcmp order.
// clang-format off
static const char *const reserved[] = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character",
    "check", "cmax", "cmin", "coalesce", "collate", "collation", "column", "concurrently",
    "constraint", "create", "cross", "ctid", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract",
    "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant", "greatest",
    "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout", "int", "integer",
    "intersect", "interval", "into", "is", "isnull", "join", "json", "json_array", "json_arrayagg",
    "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar", "json_serialize",
    "json_table", "json_value", "lateral", "leading", "least", "left", "like", "limit", "localtime",
    "localtimestamp", "merge_action", "national", "natural", "nchar", "none", "normalize", "not",
    "notnull", "null", "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer",
    "overlaps", "overlay", "placing", "position", "precision", "primary", "real", "references",
    "returning", "right", "row", "select", "session_user", "setof", "similar", "smallint", "some",
    "substring", "symmetric", "system_user", "table", "tableoid", "tablesample", "then", "time",
    "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using",
    "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmax",
    "xmin", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces",
    "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
};
// clang-format on

bool
expr_token_reserved(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strlen(reserved[i]) == len && memcmp(reserved[i], name, len) == 0) return true;
    return false;
}
