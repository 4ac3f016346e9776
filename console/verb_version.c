// slotctl version: what is installed.
#include "verb.h"

static int
run(const struct verb_context *context, int argc, char **argv)
{
    argc = verb_options(&verb_version, &(struct verb_option){0}, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1) return verb_usage(&verb_version, "takes no arguments");
    if (context->json) {
        printf("{\"version\": \"%s\"}\n", VENDUE_VERSION);
    } else {
        printf("slotctl %s\n", VENDUE_VERSION);
    }
    return EXIT_DONE;
}

const struct verb verb_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .help = "Prints the version of slotctl; auctiond and ledgerd beside it are of the same.\n",
    .run = run,
};
