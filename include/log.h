// One line an event, to standard error: time, level, program, event, key=value pairs.
//   2026-11-22T15:04:05.123456Z info auctiond catalog.live version=7 bids=10000
// Never a customer key, a secret or a message body.
#ifndef VENDUE_LOG_H
#define VENDUE_LOG_H

void log_open(const char *program);
// `event` is a dotted word; `format` gives the pairs: "version=%u bids=%u".
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
