// slotctl: asks and steers one market. The verbs are a table (verb_list.h); this file finds the one
// that is meant and lets it run.
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "verb.h"

const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "verb_list.h"
#undef VERB
    NULL,
};

static int
unknown_verb(const char *name)
{
    const struct verb *closest = verb_closest(verbs, name);
    if (name[0] == '-') {
        fprintf(stderr,
                "slotctl: there is no option %s before the verb; slotctl --help lists them\n",
                name);
    } else if (closest) {
        fprintf(stderr, "slotctl: there is no verb %s; did you mean %s?\n", name, closest->name);
    } else {
        fprintf(stderr, "slotctl: there is no verb %s; slotctl --help lists them\n", name);
    }
    return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    struct verb_globals globals;
    log_open("slotctl");
    signal(SIGPIPE, SIG_IGN);  // a closed connection or pipe is an error to report, not an end
    argc = verb_globals(argc, argv, &globals);
    if (argc < 0) return EXIT_USAGE;
    if (globals.version) {
        printf("slotctl %s\n", VENDUE_VERSION);
        return EXIT_DONE;
    }
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        const struct verb *about = argc > 2 ? verb_find(verbs, argv[2]) : NULL;
        if (about) {
            verb_help(about, stdout);
            return EXIT_DONE;
        }
        bool asked = globals.help || argc > 1;
        verb_list(verbs, asked ? stdout : stderr);
        return asked ? EXIT_DONE : EXIT_USAGE;
    }
    const struct verb *verb = verb_find(verbs, argv[1]);
    if (!verb) return unknown_verb(argv[1]);
    if (globals.help) {
        verb_help(verb, stdout);
        return EXIT_DONE;
    }
    int code = verb->run(&globals.context, argc - 1, argv + 1);
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (errno == EPIPE) return EXIT_CANNOT;  // whoever read has seen enough: slotctl ... | head
    return verb_cannot("cannot write the answer: %m");
}
