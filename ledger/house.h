// What deeds of finance share: the rules of the house, seats, balances, words for refusals.
#ifndef VENDUE_HOUSE_H
#define VENDUE_HOUSE_H

#include "db.h"
#include "transfer.h"

#define HOUSE_FAULT 400

struct house {
    struct currency currency;
    money approve_above;  // an adjustment above it needs a second person
    uint32_t dispute_days;
};
// By the newest market. STATUS_NOT_FOUND: none was applied yet. STATUS_DAMAGED: its stored body is
// not what this version writes.
MUST_CHECK enum status house_read(struct db *db, struct house *out_house, char fault[HOUSE_FAULT]);
// STATUS_NOT_FOUND: no such seat, with the fault.
MUST_CHECK enum status house_seat(struct db *db, const char *code, uint32_t *out_seat,
                                  bool *out_partner, char fault[HOUSE_FAULT]);
// Debits less credits of everything posted. From sums, not rows.
MUST_CHECK enum status
house_balance(struct db *db, struct currency currency, struct account account, money *out_balance);
// "12.50 EUR"
#define HOUSE_AMOUNT (MONEY_TEXT + 8)
const char *house_amount(money amount, struct currency currency, char out[HOUSE_AMOUNT]);
// Fills the fault and gives `status` back.
enum status house_fault(char fault[HOUSE_FAULT], enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// What was said must be there and fit a line: STATUS_INPUT names what is missing.
MUST_CHECK enum status
house_words(const char *reason, const char *evidence, const char *author, char fault[HOUSE_FAULT]);
// A word of an enumeration (ends in NULL). STATUS_INPUT: the fault lists them.
MUST_CHECK enum status house_word(const char *const *words, const char *text, const char **out_word,
                                  char fault[HOUSE_FAULT]);

#endif
