// Text to market: tree (tree.c), sections (read*.c), checks between objects (check*.c), warnings
// (warn.c).
#include "market_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "read.h"

static enum status
read_text(const char *text, size_t len, bool stored, struct arena *arena,
          struct market_report *report, struct market **out_market)
{
    const struct tree *root = NULL;
    struct market *market = arena_take(arena, 1, sizeof *market);
    market->arena = arena;
    *out_market = NULL;
    if (report->arena == NULL) report->arena = arena;
    enum status status = tree_read(text, len, arena, report, &root);
    if (status == STATUS_OK) {
        struct reader reader = {
            .arena = arena, .report = report, .object = "", .stored = stored, .market = market};
        read_market(&reader, root);
        if (!stored && root->kind == TREE_MAP) check_market(arena, report, market);
        status = report->errors > 0 ? STATUS_INPUT : STATUS_OK;
    }
    report_sort(report);
    if (status == STATUS_OK) *out_market = market;
    return status;
}

enum status
market_file_read(const char *text, size_t len, struct arena *arena, struct market_report *report,
                 struct market **out_market)
{
    return read_text(text, len, false, arena, report, out_market);
}

enum status
market_file_load(const char *text, size_t len, struct arena *arena, struct market_report *report,
                 struct market **out_market)
{
    return read_text(text, len, true, arena, report, out_market);
}

enum status
market_file_text(const char *path, struct arena *arena, const char **out_text, size_t *out_len)
{
    enum status status = STATUS_IO;
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) goto done;
    if (!S_ISREG(about.st_mode)) {
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
        goto done;
    }
    if (about.st_size > (off_t)MARKET_FILE_BYTES) {
        status = STATUS_FULL;
        goto done;
    }
    char *text = arena_take(arena, (size_t)about.st_size + 1, 1);
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len < (size_t)about.st_size; len += (size_t)got) {
        got = read(file, text + len, (size_t)about.st_size - len);
        if (got < 0) goto done;
    }
    *out_text = text;
    *out_len = len;
    status = STATUS_OK;
done:
    if (file >= 0) {
        int why = errno;
        close(file);
        errno = why;
    }
    return status;
}

void
market_file_print(const struct market_report *report, const char *name, FILE *out)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct market_problem *problem = &report->problems[i];
        fprintf(out, "%s:%u:%u: %s: %s%s%s%s%s\n", name, problem->place.line, problem->place.column,
                problem->warning ? "warning" : "error", problem->object,
                problem->object[0] != '\0' ? ": " : "", problem->what,
                problem->mend[0] != '\0' ? "; " : "", problem->mend);
        if (problem->show[0] != '\0') fprintf(out, "%s\n", problem->show);
    }
}
