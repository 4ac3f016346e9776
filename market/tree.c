// YAML text to a tree with places, by libyaml's event parser.
//
// What a market file does not use is refused where it stands, so that a text has one plain meaning:
// anchors and aliases (a self-reference would have no end), tags, a second document, keys that are
// not scalars, nesting deeper than TREE_DEPTH. A syntax error ends reading, as libyaml cannot go on
// after it.
//
// Invariants:
//   1 every child of a map has a key; no two children of one map have the same key
//   2 places count from 1, columns in characters
//   3 scalars are NUL-terminated and hold no NUL inside
#include "tree.h"

#include <string.h>
#include <yaml.h>

#include "index.h"
#include "report.h"

#define TREE_DEPTH 16

struct level {                 // one open list or map
    struct tree *node, *last;  // last child
    const struct tree *key;    // map: key read, value awaited
    struct index *keys;        // map: keys so far
};
struct builder {
    struct arena *arena;
    struct market_report *report;
    const char *text;
    size_t len;
    struct level levels[TREE_DEPTH];
    unsigned depth;
    struct tree *root;
    uint32_t line;  // line_start: a line found before, and where it begins; 0 none
    const char *line_at;
    bool failed;
};

static struct place
place_of(yaml_mark_t mark)
{
    return (struct place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static void
refuse(struct builder *builder, struct place place, const char *what, const char *mend)
{
    report_error(builder->report, place, "", "%s", what)->mend = mend;
    builder->failed = true;
}

// Start of a line, counted from 1; the text's end when it has fewer. Blocks come in order, so the
// search goes on where the last one ended, and all of them together walk the text once.
static const char *
line_start(struct builder *builder, uint32_t line)
{
    const char *end = builder->text + builder->len;
    if (builder->line == 0 || line < builder->line) {
        builder->line = 1;
        builder->line_at = builder->text;
    }
    for (; builder->line < line && builder->line_at < end; builder->line++) {
        const char *newline = memchr(builder->line_at, '\n', (size_t)(end - builder->line_at));
        builder->line_at = newline != NULL ? newline + 1 : end;
    }
    return builder->line_at;
}

// First character of a block scalar: the next line that is not blank, after its indentation.
static struct place
block_content(struct builder *builder, struct place at)
{
    struct place place = {at.line + 1, 1};
    const char *end = builder->text + builder->len;
    for (const char *c = line_start(builder, place.line); c < end; c++) {
        if (*c == '\n') {
            place.line++;
            place.column = 1;
        } else if (*c == ' ') {
            place.column++;
        } else {
            return place;
        }
    }
    return at;
}

// The lines of a folded block as they stand, without its indentation: what `|` would have given.
static const char *
block_lines(struct builder *builder, struct place content, struct place end)
{
    const char *c = line_start(builder, content.line), *stop = line_start(builder, end.line);
    if (stop < c) stop = c;
    char *lines = arena_take(builder->arena, (size_t)(stop - c) + 2, 1), *to = lines;
    while (c < stop) {
        const char *newline = memchr(c, '\n', (size_t)(stop - c));
        size_t len = newline != NULL ? (size_t)(newline - c) : (size_t)(stop - c);
        size_t cut = len < content.column - 1 ? len : content.column - 1;
        memcpy(to, c + cut, len - cut);
        to += len - cut;
        *to++ = '\n';
        c += len + (newline != NULL);
    }
    return lines;
}

// A child joins its parent: as a key, as the value of the key read before, or as an item.
static void
attach(struct builder *builder, struct tree *node)
{
    if (builder->depth == 0) {
        builder->root = node;
        return;
    }
    struct level *level = &builder->levels[builder->depth - 1];
    if (level->node->kind == TREE_MAP && level->key == NULL) {
        if (node->kind != TREE_SCALAR) {
            refuse(builder, node->place, "a key must be a word", "write `key: value`");
            return;
        }
        level->key = node;
        return;
    }
    if (level->node->kind == TREE_MAP) {
        const struct tree *key = level->key;
        level->key = NULL;
        node->key = key;
        const void *other = index_put(level->keys, key->text, key);
        if (other != NULL) {
            report_error(builder->report, key->place, "",
                         "'%s' stands here a second time; the first is in line %u", key->text,
                         ((const struct tree *)other)->place.line)
                ->mend = "keep one of them";
            return;
        }
    }
    if (level->last == NULL) level->node->first = node;
    else level->last->next = node;
    level->last = node;
    level->node->count++;
}

static void
open_level(struct builder *builder, enum tree_kind kind, yaml_mark_t mark)
{
    struct tree *node = arena_take(builder->arena, 1, sizeof *node);
    node->kind = kind;
    node->place = node->content = place_of(mark);
    attach(builder, node);
    if (builder->failed) return;
    if (builder->depth == TREE_DEPTH) {
        refuse(builder, node->place, "nested too deeply",
               "a market file needs at most eight levels");
        return;
    }
    builder->levels[builder->depth++] = (struct level){
        .node = node, .keys = kind == TREE_MAP ? index_open(builder->arena) : NULL};
}

static void
scalar(struct builder *builder, const yaml_event_t *event)
{
    struct tree *node = arena_take(builder->arena, 1, sizeof *node);
    yaml_scalar_style_t style = event->data.scalar.style;
    node->kind = TREE_SCALAR;
    node->place = node->content = place_of(event->start_mark);
    node->plain = style == YAML_PLAIN_SCALAR_STYLE;
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        node->content.column++;
    else if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
        node->content = block_content(builder, node->place);
    if (style == YAML_FOLDED_SCALAR_STYLE)
        node->lines = block_lines(builder, node->content, place_of(event->end_mark));
    node->len = event->data.scalar.length;
    node->text = arena_text(builder->arena, (const char *)event->data.scalar.value, node->len);
    if (memchr(node->text, '\0', node->len) != NULL) {
        refuse(builder, node->place, "a text with a NUL character", "remove it");
        return;
    }
    attach(builder, node);
}

static bool
decorated(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    case YAML_ALIAS_EVENT: return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
    default: return false;
    }
}

static void
take_event(struct builder *builder, const yaml_event_t *event)
{
    if (decorated(event)) {
        refuse(builder, place_of(event->start_mark),
               "anchors (&), aliases (*) and tags (!) have no meaning here",
               "write the value out, or put it in quotes");
        return;
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->root != NULL)
            refuse(builder, place_of(event->start_mark), "a second document begins here",
                   "one file, one market");
        break;
    case YAML_SCALAR_EVENT: scalar(builder, event); break;
    case YAML_SEQUENCE_START_EVENT: open_level(builder, TREE_LIST, event->start_mark); break;
    case YAML_MAPPING_START_EVENT: open_level(builder, TREE_MAP, event->start_mark); break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: builder->depth--; break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_ALIAS_EVENT:
    default: break;
    }
}

static void
syntax_error(struct builder *builder, const yaml_parser_t *parser)
{
    struct place place = place_of(parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) place = (struct place){1, 1};
    const char *line = line_start(builder, place.line), *end = builder->text + builder->len;
    while (line < end && *line == ' ') line++;
    if (parser->error == YAML_SCANNER_ERROR && line < end && *line == '\t') {
        refuse(builder, place, "a tab indents this line", "use spaces: YAML takes no tabs there");
        return;
    }
    report_error(builder->report, place, "", "not YAML: %s%s%s",
                 parser->problem != NULL ? parser->problem : "unreadable",
                 parser->context != NULL ? ", " : "",
                 parser->context != NULL ? parser->context : "")
        ->mend = parser->error == YAML_READER_ERROR
                     ? "save the file as UTF-8 text without control characters"
                     : "check indentation, quotes and colons here and just above";
    builder->failed = true;
}

enum status
tree_read(const char *text, size_t len, struct arena *arena, struct market_report *report,
          const struct tree **out_root)
{
    struct builder builder = {.arena = arena, .report = report, .text = text, .len = len};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return STATUS_FULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    for (bool more = true; more && !builder.failed;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            syntax_error(&builder, &parser);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        take_event(&builder, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!builder.failed && builder.root == NULL)
        refuse(&builder, (struct place){1, 1}, "the file is empty", "begin with `market:`");
    *out_root = builder.root;
    return builder.failed ? STATUS_INPUT : STATUS_OK;
}
