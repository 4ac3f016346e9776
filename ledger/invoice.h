// A statement as e-invoice: UBL 2.1 by EN 16931. Used by statement_print.c.
#ifndef VENDUE_INVOICE_H
#define VENDUE_INVOICE_H

#include "statement_inside.h"

enum invoice_side {
    INVOICE_OWED,        // what a partner owes the host: 380, or credit note 381
    INVOICE_SELF_BILLED  // what the host owes a beneficiary, in its name: 389, or credit note 261
};
// False: there is nothing to invoice, or it cannot be: a department; a party without its country in
// the market file; a currency with more than two decimals; supplies that are not taxed (O) together
// with others.
bool invoice_has(const struct statement *statement, enum invoice_side side);
const char *invoice_print(const struct statement *statement, enum invoice_side side,
                          struct arena *arena, size_t *out_len);

#endif
