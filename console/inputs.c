// A day's file is searched for the line that begins with the contact's id, a piece at a time. The
// pieces overlap by the longest beginning, so that none is cut.
#include "inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

#define PIECE (1u << 20)
#define BEGIN_LEN (12 + ID_TEXT - 1)  // {"contact":" and the id

// Where the line begins; -1 nowhere.
static off_t
search(int file, const char *begin)
{
    char *piece = malloc(PIECE);
    off_t at = 0, found = -1;
    CHECK(piece != NULL);
    for (;;) {
        ssize_t got = pread(file, piece, PIECE, at);
        if (got < (ssize_t)BEGIN_LEN) break;
        const char *hit = memmem(piece, (size_t)got, begin, BEGIN_LEN);
        if (hit != NULL) {
            found = at + (hit - piece);
            break;
        }
        at += got - (ssize_t)BEGIN_LEN + 1;
    }
    free(piece);
    return found;
}

static json_t *
read_line(int file, off_t at)
{
    json_t *line = NULL;
    char *text = NULL;
    size_t room = 0;
    int copy = dup(file);
    FILE *from = copy < 0 ? NULL : fdopen(copy, "r");
    if (from == NULL) {
        if (copy >= 0) close(copy);
        return NULL;
    }
    if (fseeko(from, at, SEEK_SET) == 0 && getline(&text, &room, from) > 0)
        line = json_loads(text, 0, NULL);
    free(text);
    fclose(from);
    return line;
}

enum status
inputs_find(const char *directory, struct id contact, usec at, json_t **out_line,
            char out_why[INPUTS_TEXT])
{
    char day[CLOCK_TEXT], path[600], id[ID_TEXT], begin[BEGIN_LEN + 1];
    clock_format(at, day);
    snprintf(path, sizeof path, "%s/inputs/%.10s", directory, day);
    *out_line = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        snprintf(out_why, INPUTS_TEXT,
                 "what contacts of %.10s brought is not kept (%s: %s); explain.days in "
                 "vendue.yaml says for how long it is",
                 day, path, strerror(errno));
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    id_format(contact, id);
    snprintf(begin, sizeof begin, "{\"contact\":\"%s", id);
    off_t found = search(file, begin);
    if (found >= 0) *out_line = read_line(file, found);
    close(file);
    if (*out_line != NULL) return STATUS_OK;
    snprintf(out_why, INPUTS_TEXT,
             found < 0 ? "what this contact brought is not in %s: it came faster than could be "
                         "kept, or a crash took it"
                       : "what this contact brought is cut off in %s",
             path);
    return STATUS_NOT_FOUND;
}
