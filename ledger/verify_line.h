// A fact's or transfer's row as one line of text, made in C and made in SQL; equal lines, equal
// rows.
#ifndef VENDUE_VERIFY_LINE_H
#define VENDUE_VERIFY_LINE_H

#include "land.h"

#define VERIFY_LINE 1024
// Rows (batch, idx, line, base) of one log ($1), in order. base: of a conversion whose base counts;
// else null.
extern const char verify_line_facts[];
// Rows (batch, idx, leg, line, amount) of one log ($1), in order.
extern const char verify_line_transfers[];
// Rows (batch, idx, line) of one log ($1), in order: how orders are divided from a fact on.
extern const char verify_line_credits[];

void verify_line_fact(const struct land_row *row, char out[VERIFY_LINE]);
char *verify_line_credit(const struct land_row *row);  // to be freed
void verify_line_transfer(const struct transfer *transfer, char out[VERIFY_LINE]);

#endif
