// Plays files of bids, contacts and events through the TLS API, each line as its own party.
#ifndef VENDUE_PLAY_H
#define VENDUE_PLAY_H

#include <jansson.h>

#include "db.h"
#include "settings.h"

enum play_kind { PLAY_BIDS, PLAY_CONTACTS, PLAY_EVENTS, PLAY_KIND_COUNT };
struct play_counts {
    uint64_t sent, taken, repeated, refused;
    uint64_t skipped;  // events of slots that stayed empty or that another seat won
};
struct play_fault {
    char text[1400];
};
struct play;

struct play *play_open(const struct settings *settings, struct db *db);
void play_close(struct play *play);

// Sends all lines in order; certificates that are missing are issued. Refused lines are counted and
// reported to standard error, they stop nothing. Any other trouble ends the play: out_fault.
//   bids      "seat" and the parameters of bid.put
//   contacts  "touchpoint" and the parameters of contact
//   events    "contact" (the touchpoint's id), "tagid", and the parameters of event but
//             `placement`; reported by the contact's touchpoint, or by "seat" when the line names
//             one
// "line", "note" and "scenario" are for people and stay here.
MUST_CHECK enum status play_lines(struct play *play, enum play_kind kind, const json_t *lines,
                                  struct play_fault *out_fault);
const struct play_counts *play_counts(const struct play *play, enum play_kind kind);

// Our ids of the contacts that were played, in order; `out_ids` is the play's.
size_t play_contacts(const struct play *play, const struct id **out_ids);

#endif
