// YAML as a tree of nodes, each with its place in the text. Private to market/.
#ifndef MARKET_TREE_H
#define MARKET_TREE_H

#include "market_file.h"

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree {
    enum tree_kind kind;
    bool plain;            // scalar without quotes: `yes`, `3`, null may mean more than text
    struct place place;    // of the node
    struct place content;  // scalar: of its first character (inside quotes, after `|`)
    const char *text;      // scalar, NUL-terminated
    const char *lines;     // folded block (`>`): its lines as they stand, unfolded; else NULL
    size_t len;
    const struct tree *key;    // this node is the value of this key; NULL in a list and at the root
    const struct tree *first;  // list, map: children in order
    const struct tree *next;
    uint32_t count;  // list, map
};

// STATUS_INPUT: not YAML, or YAML that a market file does not use (anchors, tags, a second
// document); the report says so. Repeated keys are reported and dropped, and reading goes on.
MUST_CHECK enum status tree_read(const char *text, size_t len, struct arena *arena,
                                 struct market_report *report, const struct tree **out_root);

#endif
