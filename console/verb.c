// The command line of slotctl: global options, options of a verb, help, and near misses.
//
// A line is `slotctl [global options] VERB [arguments and options]`; options may stand anywhere
// after the program's name, and "--" ends them. Messages go to standard error and name the verb, so
// that a script's log shows which line failed. A name that is off by at most two letters (a third
// of its length) is offered.
#include "verb.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 32  // longest name that is compared for nearness

int
verb_usage(const struct verb *verb, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "slotctl %s: ", verb->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nusage: slotctl %s%s%s\n", verb->name, verb->arguments[0] ? " " : "",
            verb->arguments);
    return EXIT_USAGE;
}

int
verb_cannot(const char *format, ...)
{
    va_list arguments;
    fputs("slotctl: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_CANNOT;
}

const char *
verb_word(const char *text, char out[VERB_WORD])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,%";
    size_t at = 0;
    if (text[0] && text[strspn(text, plain)] == '\0' && strlen(text) < VERB_WORD)
        return strcpy(out, text);
    out[at++] = '\'';
    for (; *text && at + 6 < VERB_WORD; text++) {
        if (*text == '\'') {
            memcpy(out + at, "'\\'", 3);
            at += 3;
        }
        out[at++] = *text;
    }
    out[at++] = '\'';
    out[at] = '\0';
    return out;
}

// Levenshtein distance of two short names; a name that is too long is far from everything.
static size_t
distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_BYTES + 1];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > NAME_MAX_BYTES || b_len > NAME_MAX_BYTES) return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++) row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replaced < least ? replaced : least;
        }
    }
    return row[b_len];
}

static bool
near(const char *written, const char *name, size_t *best)
{
    size_t allowed = strlen(name) / 3 < 2 ? strlen(name) / 3 : 2;
    size_t found = distance(written, name);
    if (found > allowed || found >= *best) return false;
    *best = found;
    return true;
}

const struct verb *
verb_find(const struct verb *const *table, const char *name)
{
    for (; *table; table++) {
        if (strcmp((*table)->name, name) == 0) return *table;
    }
    return NULL;
}

const struct verb *
verb_closest(const struct verb *const *table, const char *name)
{
    const struct verb *closest = NULL;
    size_t best = SIZE_MAX;
    for (; *table; table++) {
        if (near(name, (*table)->name, &best)) closest = *table;
    }
    return closest;
}

// Is argv[i] the option `name`, with a value after "=" or as the next argument? 1 yes, 0 no, -1 no
// value.
static int
takes_value(const char *name, int argc, char **argv, int *i, const char **out_value)
{
    size_t len = strlen(name);
    if (strncmp(argv[*i], name, len) != 0) return 0;
    if (argv[*i][len] == '=' && name[1] == '-') {
        *out_value = argv[*i] + len + 1;
        return 1;
    }
    if (argv[*i][len] != '\0') return 0;
    if (*i + 1 >= argc) return -1;
    *out_value = argv[++*i];
    return 1;
}

static int
unknown_option(const struct verb *verb, const struct verb_option *options, const char *written)
{
    const char *closest = NULL;
    size_t best = SIZE_MAX;
    for (; options->name; options++) {
        if (near(written, options->name, &best)) closest = options->name;
    }
    if (closest) {
        verb_usage(verb, "there is no option %s; did you mean %s?", written, closest);
    } else {
        verb_usage(verb, "there is no option %s", written);
    }
    return -1;
}

// 1 taken, 0 no option of this table, -1 told what is wrong.
static int
take_option(const struct verb *verb, const struct verb_option *options, int argc, char **argv,
            int *i)
{
    for (const struct verb_option *option = options; option->name; option++) {
        if (option->flag && strcmp(argv[*i], option->name) == 0) {
            *option->flag = true;
            return 1;
        }
        int taken = option->value ? takes_value(option->name, argc, argv, i, option->value) : 0;
        if (taken < 0) verb_usage(verb, "%s needs a value", option->name);
        if (taken != 0) return taken;
    }
    return 0;
}

int
verb_options(const struct verb *verb, const struct verb_option *options, int argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            for (i++; i < argc; i++) argv[kept++] = argv[i];
            break;
        }
        if (argv[i][0] != '-' || argv[i][1] == '\0' || (argv[i][1] >= '0' && argv[i][1] <= '9')) {
            argv[kept++] = argv[i];  // "-" is standard input, "-5" an amount
            continue;
        }
        int taken = take_option(verb, options, argc, argv, &i);
        if (taken < 0) return -1;
        if (taken == 0) return unknown_option(verb, options, argv[i]);
    }
    argv[kept] = NULL;
    return kept;
}

int
verb_globals(int argc, char **argv, struct verb_globals *out_globals)
{
    const char *directory = getenv("VENDUE_DIR");
    struct verb_globals globals = {0};
    globals.context.directory = directory && directory[0] ? directory : ".";
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            for (; i < argc; i++) argv[kept++] = argv[i];
            break;
        }
        int taken = takes_value("--dir", argc, argv, &i, &globals.context.directory);
        if (taken == 0) taken = takes_value("-C", argc, argv, &i, &globals.context.directory);
        if (taken < 0) {
            fprintf(stderr, "slotctl: %s needs a market directory\n", argv[i]);
            return -1;
        }
        if (taken > 0) continue;
        if (strcmp(argv[i], "--json") == 0) {
            globals.context.json = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            globals.help = true;
        } else if (strcmp(argv[i], "--version") == 0) {
            globals.version = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *out_globals = globals;
    return kept;
}

void
verb_list(const struct verb *const *table, FILE *out)
{
    fputs("slotctl: asks and steers one market, which is a directory.\n"
          "\n"
          "usage: slotctl [--dir DIR] [--json] VERB ...\n"
          "\n",
          out);
    for (; *table; table++) fprintf(out, "  %-14s %s\n", (*table)->name, (*table)->summary);
    fputs("\n"
          "  --dir DIR, -C DIR   the market directory (else $VENDUE_DIR, else the current one)\n"
          "  --json              the answer as JSON\n"
          "  --help              of slotctl, or of a verb: slotctl VERB --help\n"
          "  --version           the version\n"
          "\n"
          "exit codes: 0 done, yes; 1 done, the answer is no; 2 the command or an input is wrong, "
          "nothing was\n"
          "changed; 3 the surroundings refuse (no database, no permission, no room)\n",
          out);
}

void
verb_help(const struct verb *verb, FILE *out)
{
    size_t len = strlen(verb->help);
    fprintf(out, "usage: slotctl %s%s%s\n\n%s%s", verb->name, verb->arguments[0] ? " " : "",
            verb->arguments, verb->help, len > 0 && verb->help[len - 1] == '\n' ? "" : "\n");
}
