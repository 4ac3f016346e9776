// The scribe: the one thread that makes decisions true. Takes what is published, appends frames,
// syncs once, settles. A journal without room is retried; a journal that failed ends the process.
#ifndef VENDUE_SCRIBE_H
#define VENDUE_SCRIBE_H

#include <stdbool.h>

#include "journal.h"
#include "mailbox.h"

struct scribe;

// Takes over `journal` (closed by scribe_close). `box` outlives the scribe.
struct scribe *scribe_open(struct journal *journal, struct mailbox *box);
// Stops after everything published is durable.
void scribe_close(struct scribe *scribe);

bool scribe_full(const struct scribe *scribe);  // the journal has no room: sell nothing meanwhile
uint64_t scribe_batch(const struct scribe *scribe);  // last durable batch
uint64_t scribe_syncs(const struct scribe *scribe);
uint64_t scribe_facts(const struct scribe *scribe);

#endif
