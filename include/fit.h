// Fits: the data-driven models (Markov, Shapley, counterfactual) fitted to the ledger's own paths,
// period by period. A fit is never changed: it has a version, which every transfer names that it
// divided, and it is in force from a place in each journal, so that the same frames meet the same
// fit for ever. A later fit changes nothing that was booked.
//
// Path of a conversion: the placements delivered to its customer before it, within FIT_DAYS, by the
// times at which things happened; at most BOUND_TOUCHES, the latest. A customer who saw something
// in the period and converted nothing in it counts as one path that led to nothing. Key of a touch:
// seat and rung of the message. Weight of a key: its part of all credit by the model (path.h), in
// ppm that add up to 1,000,000.
#ifndef VENDUE_FIT_H
#define VENDUE_FIT_H

#include <stdio.h>

#include "bounds.h"
#include "db.h"
#include "market_contract.h"
#include "period.h"

#define FIT_DAYS 90

struct fit {
    uint32_t version;
    uint8_t model;  // enum attribution
    char period[PERIOD_TEXT];
    uint64_t conversions, nulls;  // paths it was made of
    size_t keys;                  // with a weight above 0
    bool earlier;                 // made before this call
};
// Fits one model to a period, in transactions of its own: unless it was made before, or `again`.
// STATUS_NOT_FOUND: nothing converted of a known customer who had seen something; nothing is
// changed. STATUS_INPUT: this model is not fitted. Else db.h's answers.
MUST_CHECK enum status fit_model(struct db *db, const struct period *period, uint8_t model,
                                 bool again, const char *author, usec now, struct fit *out_fit);

struct fit_report {
    struct fit fits[3];
    unsigned count;
};
// Every model that a contract in force in the period divides by. What was fitted before stays; a
// model of which nothing is to be learned yet is left out. For the close.
MUST_CHECK enum status fit_period(struct db *db, const struct period *period, const char *author,
                                  usec now, struct fit_report *out_report);

// Writes the period's paths as a path table that path_read takes, touches as "seat/rung".
// `version`: those that this fit was made of, so that anybody can make it again; 0: as known now.
MUST_CHECK enum status
fit_paths(struct db *db, const struct period *period, uint32_t version, FILE *out);

#endif
