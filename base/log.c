// One line an event, written with one write(2), so that lines of several threads never mix.
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

#define LOG_LINE 2048

// The program's name is set once, before threads start.
static const char *log_program = "vendue";

void
log_open(const char *program)
{
    log_program = program;
}

static void
write_line(const char *level, const char *event, const char *format, va_list args)
{
    char line[LOG_LINE], when[CLOCK_TEXT];
    clock_format(clock_wall(), when);
    int len = snprintf(line, sizeof line, "%s %s %s %s ", when, level, log_program, event);
    int more = vsnprintf(line + len, sizeof line - (size_t)len, format, args);
    size_t total = (size_t)len + (size_t)(more > 0 ? more : 0);
    if (total > sizeof line - 2) total = sizeof line - 2;
    for (size_t i = (size_t)len; i < total; i++)
        if (line[i] == '\n' || line[i] == '\r') line[i] = ' ';
    while (total > 0 && line[total - 1] == ' ') total--;
    line[total++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, total);
    (void)written;  // there is nowhere left to complain
}

#define LOG_BODY(level)                     \
    va_list args;                           \
    va_start(args, format);                 \
    write_line(level, event, format, args); \
    va_end(args)

void
log_info(const char *event, const char *format, ...)
{
    LOG_BODY("info");
}

void
log_warn(const char *event, const char *format, ...)
{
    LOG_BODY("warn");
}

void
log_error(const char *event, const char *format, ...)
{
    LOG_BODY("error");
}
