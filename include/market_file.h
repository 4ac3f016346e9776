// The market file: YAML text to the declared market and back. Everything that is wrong is found at
// once, each with its place and its mend; nothing is half-read. JSON is YAML, so object bodies kept
// in the database come back through the same reader. What may be written: docs/market-file.md.
#ifndef VENDUE_MARKET_FILE_H
#define VENDUE_MARKET_FILE_H

#include <stdio.h>

#include "market.h"

struct market_problem {
    struct place place;
    bool warning;        // a warning does not stop an apply
    const char *object;  // "slot bill.footer"; "" the file as a whole
    const char *what;    // "no seat 'marketng'"
    const char *mend;    // "did you mean 'marketing'?"; "" when the first says it all
    const char *show;    // two lines with a caret for an error in a rule; "" else
};
struct market_report {
    struct arena *arena;              // set by the caller; holds the problems
    struct market_problem *problems;  // in order of place
    uint32_t count, room, errors, warnings;
};

// Reads text into a market that lives in `arena`. STATUS_INPUT: the report holds at least one
// error. The market is checked as well, so that all errors come together.
MUST_CHECK enum status market_file_read(const char *text, size_t len, struct arena *arena,
                                        struct market_report *report, struct market **out_market);

// Reads text that was checked when it was stored: the same reader without the checks between
// objects.
MUST_CHECK enum status market_file_load(const char *text, size_t len, struct arena *arena,
                                        struct market_report *report, struct market **out_market);

// Reads a whole file (at most MARKET_FILE_BYTES). STATUS_IO: errno says why; STATUS_FULL: larger.
#define MARKET_FILE_BYTES (256u * 1024 * 1024)
MUST_CHECK enum status
market_file_text(const char *path, struct arena *arena, const char **out_text, size_t *out_len);

// Adds warnings about floors above every bid ever seen: what was bid dearest, per placement, for a
// message in a slot (`tagid` "": in any that admits it).
struct market_seen {
    const char *message, *tagid;
    money price;
};
void market_file_seen(const struct market *market, const struct market_seen *seen, uint32_t count,
                      struct market_report *report);

// Prints "market.yaml:12:9: error: slot bill.footer: no seat 'x'; did you mean 'y'?", one problem a
// line (rule errors two lines more).
void market_file_print(const struct market_report *report, const char *name, FILE *out);

// The market as YAML that reads back to the same market. NUL-terminated, in `arena`.
const char *market_file_write(const struct market *market, struct arena *arena, size_t *out_len);

// --- Objects: what the database keeps, one row each ---------------------------------------------
struct market_object {
    const char *kind;  // "market" "attribute" "touchpoint" "seat" "container" "slot" "campaign"
                       // "floor" "message" "cap" "deal" "experiment" "contract"
    uint32_t id;       // 0: not yet given
    const char *code;  // of a slot: "container.slot"
    const char *body;  // canonical JSON: sorted keys, no blanks
};
// All objects of a market, by kind in the order above, then in declared order.
void market_object_list(const struct market *market, struct arena *arena,
                        struct market_object **out_objects, uint32_t *out_count);
// The market of these objects (any order). STATUS_INPUT: a body is not what this version writes;
// see report.
MUST_CHECK enum status
market_object_load(const struct market_object *objects, uint32_t count, struct arena *arena,
                   struct market_report *report, struct market **out_market);
// Gives ids 1, 2, 3 ... in declared order to objects that have none: for a market without a
// database.
void market_object_number(struct market *market);

// --- Difference ---------------------------------------------------------------------------------
struct market_change {
    char sign;           // '+' new, '-' removed, '~' changed
    bool refused;        // must not be applied; `text` says why
    const char *object;  // "slot bill.footer"
    const char *text;    // "floor 0.120 -> 0.140"; "new"; "removed"
};
// In words for people. `before` may be NULL (everything is new). Empty: the same market.
void market_diff(const struct market *before, const struct market *after, struct arena *arena,
                 struct market_change **out_changes, uint32_t *out_count);

#endif
