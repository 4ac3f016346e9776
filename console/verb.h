// A verb of slotctl: one table entry each (console/verb_*.c), one word or two ("report ladder" is
// verb `report` with its own subject). Every verb takes --help and --json. verb_list.h names them
// all.
#ifndef VENDUE_VERB_H
#define VENDUE_VERB_H

#include <stdbool.h>
#include <stdio.h>

// Exit codes that scripts can trust.
enum exit_code {
    EXIT_DONE = 0,    // done; the answer is yes
    EXIT_NO = 1,      // done; the answer is no (differences found, no sale, not running)
    EXIT_USAGE = 2,   // the command line or an input file is wrong; nothing was changed
    EXIT_CANNOT = 3,  // the surroundings refuse (no database, no permission, no room)
};

struct verb_context {
    const char *directory;  // market directory: --dir, else $VENDUE_DIR, else "."
    bool json;              // --json
};

struct verb {
    const char *name;       // "statement"
    const char *arguments;  // "SEAT PERIOD [--format text|csv|json]"
    const char *summary;    // one line for the list of verbs
    const char *help;       // what it does, options, exit codes, an example; printed by --help
    // argv[0] is the verb; global options are taken out. Returns an enum exit_code.
    int (*run)(const struct verb_context *context, int argc, char **argv);
};
#define VERB(name) extern const struct verb verb_##name;
#include "verb_list.h"
#undef VERB
extern const struct verb
    *const verbs[];  // ends in NULL; in the order of the list (console/slotctl.c)

// Prints "slotctl VERB: message" and the usage line to standard error; returns EXIT_USAGE.
int
verb_usage(const struct verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Prints "slotctl: message" to standard error; returns EXIT_CANNOT.
int verb_cannot(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define VERB_WORD 1600
// A text as one word of a shell, for commands that messages propose: quoted when it must be.
const char *verb_word(const char *text, char out[VERB_WORD]);

// --- Options of a verb ---------------------------------------------------------------------------
struct verb_option {
    const char *name;    // "--bids"; an array of options ends in a NULL name
    const char **value;  // takes a value: "--bids F" or "--bids=F"; else NULL
    bool *flag;          // takes none; else NULL
};
// Takes the options out of argv, wherever they stand ("--" ends them), so that argv[1] on are the
// plain arguments; argv[argc] is NULL. Returns the new argc; after verb_usage (unknown option,
// missing value) -1.
int verb_options(const struct verb *verb, const struct verb_option *options, int argc, char **argv);

// --- The face of the whole program (slotctl.c) -------------------------------------------------
struct verb_globals {
    struct verb_context context;
    bool help, version;
};
// Takes the global options out of argv[1] on: --dir DIR, -C DIR, --json, --help, -h, --version.
// Returns the new argc; after a message to standard error -1.
int verb_globals(int argc, char **argv, struct verb_globals *out_globals);
const struct verb *verb_find(const struct verb *const *table, const char *name);  // NULL: none
const struct verb *
verb_closest(const struct verb *const *table, const char *name);  // NULL: none is near
void verb_list(const struct verb *const *table, FILE *out);
void verb_help(const struct verb *verb, FILE *out);

#endif
