// The proof: everything in the ledger computed again from the journal's files, and compared row by
// row.
#ifndef VENDUE_VERIFY_H
#define VENDUE_VERIFY_H

#include "db.h"

enum verify_part {
    VERIFY_CHAIN,      // the journal's files hold the frames that were booked, digest by digest
    VERIFY_FACTS,      // every fact landed as it stands in the journal, and no other
    VERIFY_ROUNDS,     // winner and price of every recorded round follow from its record
    VERIFY_TRANSFERS,  // every transfer follows from a fact, and no other is there
    VERIFY_BALANCE,    // debits = credits per currency; departments' transfer prices cancel out
    VERIFY_HOLDS,    // every terminal ends one hold, with its accounts and no more than its amount
    VERIFY_ORPHANS,  // no fact spoke of something unknown
    VERIFY_ACTS,     // finance's own transfers follow from its acts, whose chain is whole
    VERIFY_PARTS
};
#define VERIFY_DIFFERENCES 20
#define VERIFY_TEXT 400
struct verify_check {
    const char *name;  // "chain"
    bool ok;
    char detail[VERIFY_TEXT];  // "1,204 frames up to batch 1204"
};
struct verify_report {
    struct verify_check checks[VERIFY_PARTS];
    bool ok;                     // all of them
    uint64_t frames, facts;      // of the journal, up to the watermark
    uint64_t rounds;             // contacts with a record, all of whose slots were priced again
    uint64_t transfers;          // rows in the ledger, finance's included
    uint64_t away;               // transfers of detached periods that are not in this database
    int64_t unexplained_micros;  // sum of what is missing, too much, or different
    unsigned difference_count;   // all of them; the first are told
    char differences[VERIFY_DIFFERENCES][VERIFY_TEXT];
    char fault[VERIFY_TEXT];  // why it could not be done (answer other than STATUS_OK)
};
// `directory` is the market directory, `log` the journal's. Reads one snapshot of the database;
// takes memory for every placement (about 150 bytes). STATUS_OK: done, see `ok`. Else db.h's
// answers, or the journal's (journal.h): it could not be read up to the watermark.
MUST_CHECK enum status
verify_run(struct db *db, const char *directory, uint32_t log, struct verify_report *out_report);

#endif
