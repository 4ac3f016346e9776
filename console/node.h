// The two programs of a market beside slotctl, as slotctl sees them: started, found, asked,
// stopped.
#ifndef VENDUE_NODE_H
#define VENDUE_NODE_H

#include <jansson.h>
#include <stdint.h>

#include "process.h"
#include "settings.h"
#include "verb.h"

enum node_program { NODE_LEDGERD, NODE_AUCTIOND, NODE_PROGRAM_COUNT };  // in the order of starting

const char *node_name(enum node_program program);
// DIR/log/NAME.log into `out`.
void node_log(const struct settings *settings, enum node_program program, char *out, size_t size);
// The pid when it runs, else 0.
pid_t node_find(const struct settings *settings, enum node_program program);
// What it last wrote to DIR/run/NAME.status; NULL when it does not run or has not written yet.
// json_decref.
json_t *node_status(const struct settings *settings, enum node_program program);
// Starts it and waits until it has written its status. STATUS_EXISTS: it ran already.
MUST_CHECK enum status node_start(const struct settings *settings, enum node_program program,
                                  struct process_fault *out_fault);
// STATUS_NOT_FOUND: it did not run. STATUS_AGAIN: it did not leave when told and was killed.
// STATUS_DENIED: it runs, but slotctl did not start it.
MUST_CHECK enum status node_stop(const struct settings *settings, enum node_program program);

// Settings of the verb's market; false after saying what is wrong, with the exit code.
bool
node_settings(const struct verb_context *context, struct settings *out_settings, int *out_code);
// Holds off every other init, up and down on the same market. False after saying so.
bool node_lock(const struct settings *settings, int *out_lock);
void node_unlock(int lock);

#endif
