// A seat's folder holds the files of a period, PERIOD.SUFFIX, those it has. Listing reads the
// folder, getting reads one piece of one file.
#include "statements.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static const struct {
    const char *format, *suffix;
} formats[] = {{"json", "json"},
               {"csv", "csv"},
               {"text", "txt"},
               {"pdf", "pdf"},
               {"invoice", "invoice.xml"},
               {"selfbill", "selfbill.xml"},
               {"reconcile", "reconcile.csv"}};
#define FORMATS (sizeof formats / sizeof *formats)

struct period {
    char name[DECODE_PERIOD + 1];
};

static int
by_name(const void *left, const void *right)
{
    return strcmp(((const struct period *)left)->name, ((const struct period *)right)->name);
}

// Periods are known by their JSON file; keeps the newest.
static uint32_t
read_periods(const char *folder, struct period periods[STATEMENT_PERIODS])
{
    DIR *directory = opendir(folder);
    if (directory == NULL) return 0;  // nothing was published for this seat
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".json") != 0 || dot - entry->d_name > DECODE_PERIOD)
            continue;
        struct period period = {""};
        memcpy(period.name, entry->d_name, (size_t)(dot - entry->d_name));
        if (count < STATEMENT_PERIODS) {
            periods[count++] = period;
            continue;
        }
        qsort(periods, count, sizeof *periods, by_name);
        if (strcmp(period.name, periods[0].name) > 0) periods[0] = period;
    }
    closedir(directory);
    qsort(periods, count, sizeof *periods, by_name);
    return count;
}

static void
put_period(struct pack *pack, const char *folder, const char *period)
{
    pack_map(pack, 2);
    pack_pair_string(pack, "period", period);
    pack_string(pack, "files");
    size_t where = pack_open_array(pack);
    uint32_t files = 0;
    for (size_t i = 0; i < FORMATS; i++) {
        char path[1024];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s.%s", folder, period, formats[i].suffix);
        if (stat(path, &found) != 0) continue;
        pack_map(pack, 2);
        pack_pair_string(pack, "format", formats[i].format);
        pack_pair_integer(pack, "bytes", found.st_size);
        files++;
    }
    pack_close(pack, where, files);
}

void
statements_list(struct pack *pack, const char *market_directory, const char *seat)
{
    char folder[700];
    struct period periods[STATEMENT_PERIODS];
    snprintf(folder, sizeof folder, "%s/published/statements/%s", market_directory, seat);
    uint32_t count = read_periods(folder, periods);
    pack_map(pack, 1);
    pack_string(pack, "statements");
    pack_array(pack, count);
    for (uint32_t i = 0; i < count; i++) put_period(pack, folder, periods[i].name);
}

enum reason
statements_read(const char *market_directory, const char *seat, const struct decode_statement *get,
                struct statement_piece *out_piece)
{
    char path[1024];
    struct stat found;
    enum reason reason = REASON_NOT_FOUND;
    snprintf(path, sizeof path, "%s/published/statements/%s/%s.%s", market_directory, seat,
             get->period, get->suffix);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return reason;
    if (fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) goto done;
    reason = REASON_OUT_OF_RANGE;
    if (get->offset > found.st_size) goto done;
    ssize_t got = pread(file, out_piece->data, sizeof out_piece->data, get->offset);
    reason = got < 0 ? REASON_INTERNAL : REASON_NONE;
    if (got < 0) log_error("statement.unread", "path=%s error=\"%s\"", path, strerror(errno));
    else {
        out_piece->bytes = found.st_size;
        out_piece->len = (size_t)got;
    }
done:
    close(file);
    return reason;
}

void
statements_get(struct pack *pack, const struct decode_statement *get,
               const struct statement_piece *piece)
{
    int64_t end = get->offset + (int64_t)piece->len;
    bool more = end < piece->bytes;
    pack_map(pack, more ? 6 : 5);
    pack_pair_string(pack, "period", get->period);
    pack_pair_string(pack, "format", get->format);
    pack_pair_integer(pack, "offset", get->offset);
    pack_pair_integer(pack, "bytes", piece->bytes);
    pack_string(pack, "data");
    pack_bytes(pack, piece->data, piece->len);
    if (more) pack_pair_integer(pack, "next", end);
}
