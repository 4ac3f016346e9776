// Databases with the schema, and markets applied to them. What fails here fails the test, which
// prints why.
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include "db.h"
#include "declared.h"
#include "postgres.h"

struct db *database_open(const char *connection);
// A fresh database, migrated; open as its owner.
struct db *database_migrated(char out_connection[POSTGRES_TEXT]);
// Applies a market as the console does, now; answers its version.
uint64_t database_apply(struct db *db, const char *text, struct arena *arena);

// A small market in parts: HEAD, then BILL with the footer's floor, then MESSAGE.
#define TINY_HEAD                                  \
    "market: {code: tiny, currency: EUR}\n"        \
    "touchpoints: {crm: Desk}\n"                   \
    "seats:\n"                                     \
    "  care: {kind: department}\n"                 \
    "  grill: {kind: partner, budget: 10}\n"       \
    "contracts:\n"                                 \
    "  care.one: {seat: care, from: 2026-01-01}\n" \
    "  grill.one: {seat: grill, from: 2026-01-01}\n"
#define TINY_BILL(floor) \
    "containers:\n"      \
    "  bill: {stage: use, channel: bill, owner: care, slots: {footer: {floor: " floor "}}}\n"
#define TINY_MESSAGE "messages:\n  grill.summer: {seat: grill, rung: 6, objectives: cross_sell}\n"

#endif
