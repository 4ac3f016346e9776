// Files of the bank: at most 64 MiB, which is more than banks send.
#include "bank_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

#define MOST ((size_t)64 << 20)

char *
bank_file_read(const struct verb *verb, const char *path, size_t *out_len)
{
    bool standard = strcmp(path, "-") == 0;
    int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        verb_usage(verb, "cannot open %s: %m", path);
        return NULL;
    }
    size_t len = 0, room = 1 << 16;
    char *bytes = malloc(room + 1);
    CHECK(bytes);
    ssize_t got;
    while ((got = read(file, bytes + len, room - len)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || len + (size_t)got > MOST) break;
        len += (size_t)got;
        if (len < room) continue;
        room *= 2;
        bytes = realloc(bytes, room + 1);
        CHECK(bytes);
    }
    if (got < 0) verb_usage(verb, "cannot read %s: %m", path);
    if (got > 0) verb_usage(verb, "%s is larger than 64 MiB", path);
    if (!standard) close(file);
    if (got != 0) {
        free(bytes);
        return NULL;
    }
    bytes[len] = '\0';
    *out_len = len;
    return bytes;
}
