// What the files of payouts share.
#ifndef VENDUE_PAYOUT_INSIDE_H
#define VENDUE_PAYOUT_INSIDE_H

#include "market.h"
#include "payout.h"

// Writes the payment file of a run (payout_file.c) into the arena.
void payout_write(const struct market *market, struct payout_run *run, struct arena *arena);

#endif
