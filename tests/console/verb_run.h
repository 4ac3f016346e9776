// Runs a verb of slotctl inside the test and keeps what it prints.
#ifndef TEST_VERB_RUN_H
#define TEST_VERB_RUN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../console/verb.h"

struct verb_run {
    int code;
    char *out;  // standard output; free
};

// `line`: the verb's arguments, parted by single blanks; those in the checkout's path part none.
static inline struct verb_run
verb_run(const struct verb *verb, bool json, const char *line)
{
    struct verb_run done = {0};
    struct verb_context context = {.directory = ".", .json = json};
    char *argv[64] = {(char *)(uintptr_t)verb->name}, *words = strdup(line), *at = words;
    int argc = 1;
    while (*at && argc < 63) {
        argv[argc++] = at;
        if (strncmp(at, SOURCE_DIR, strlen(SOURCE_DIR)) == 0) at += strlen(SOURCE_DIR);
        at += strcspn(at, " ");
        if (*at) *at++ = '\0';
    }
    size_t len;
    FILE *kept = stdout;
    stdout = open_memstream(&done.out, &len);
    done.code = verb->run(&context, argc, argv);
    fclose(stdout);
    stdout = kept;
    free(words);
    return done;
}

#endif
