// Files of JSON lines. A line is at most 1 MiB, so that a file of another kind is refused before it
// fills memory.
#include "lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (1u << 20)

static enum status
add_line(json_t *lines, const char *path, unsigned number, const char *text, size_t len,
         struct lines_fault *fault)
{
    json_error_t error;
    size_t first = strspn(text, " \t\r\n");
    if (first >= len || text[first] == '#') return STATUS_OK;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!line) {
        snprintf(fault->text, sizeof fault->text, "%.300s:%u:%d: %s", path, number, error.column,
                 error.text);
        return STATUS_INPUT;
    }
    if (!json_is_object(line)) {
        snprintf(fault->text, sizeof fault->text, "%.300s:%u:1: expected an object: {...}", path,
                 number);
        json_decref(line);
        return STATUS_INPUT;
    }
    if (!json_object_get(line, "line")) json_object_set_new(line, "line", json_integer(number));
    json_array_append_new(lines, line);
    return STATUS_OK;
}

static enum status
read_all(FILE *file, const char *path, json_t *lines, struct lines_fault *fault)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    unsigned number = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (len = getline(&text, &room, file)) >= 0) {
        number++;
        if ((size_t)len > LINE_BYTES) {
            snprintf(fault->text, sizeof fault->text, "%.300s:%u: a line is at most %u bytes long",
                     path, number, LINE_BYTES);
            status = STATUS_INPUT;
        } else {
            status = add_line(lines, path, number, text, (size_t)len, fault);
        }
    }
    free(text);
    if (status == STATUS_OK && ferror(file)) {
        snprintf(fault->text, sizeof fault->text, "%.300s: %m", path);
        status = STATUS_IO;
    }
    return status;
}

enum status
lines_read(const char *path, json_t **out_lines, struct lines_fault *out_fault)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        snprintf(out_fault->text, sizeof out_fault->text, "%.300s: %m", path);
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    }
    json_t *lines = json_array();
    enum status status = read_all(file, path, lines, out_fault);
    if (file != stdin) fclose(file);
    if (status == STATUS_OK) {
        *out_lines = lines;
    } else {
        json_decref(lines);
    }
    return status;
}
