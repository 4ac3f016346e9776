// Accounts and transfers: the ledger's unit of storage, and its one door into the database. Each
// transfer has one debit, one credit, one positive amount and one currency. Chart of accounts:
// docs/ledger.md.
#ifndef VENDUE_TRANSFER_H
#define VENDUE_TRANSFER_H

#include "bounds.h"
#include "clock.h"
#include "db.h"
#include "hash.h"
#include "money.h"
#include "terms.h"

enum account_code {
    ACCOUNT_BANK = 1000,
    ACCOUNT_UNBILLED = 1110,         // per partner
    ACCOUNT_BILLED = 1120,           // per partner; whole cents only
    ACCOUNT_DISPUTED = 1130,         // per partner: billed, and disputed or charged back
    ACCOUNT_GAIN_RECEIVABLE = 1150,  // per partner: gain-share pools it owes
    ACCOUNT_CLAWBACK = 1160,         // per beneficiary: paid out, and reversed afterwards
    ACCOUNT_TAX_INPUT = 1300,
    ACCOUNT_PREPAID = 2000,       // per partner
    ACCOUNT_GAIN_ACCRUED = 2100,  // per beneficiary: within its validation
    ACCOUNT_GAIN_PAYABLE = 2110,  // per beneficiary: locked
    ACCOUNT_GAIN_HELD = 2120,     // per beneficiary: under dispute
    ACCOUNT_IN_TRANSIT = 2190,    // per beneficiary: told to the bank, not yet confirmed
    ACCOUNT_TAX_OUTPUT = 2300,
    ACCOUNT_RETAINED = 3100,
    ACCOUNT_EXCHANGE = 3900,  // of each currency: the two sides of an exchange
    ACCOUNT_SLOT_EXTERNAL = 4000,
    ACCOUNT_SLOT_ADJUSTMENTS = 4090,
    ACCOUNT_SLOT_INTERNAL = 4100,  // per owning department; eliminates against 5100
    ACCOUNT_GAIN_HOST = 4200,
    ACCOUNT_GAIN_RUNG = 4210,        // per rung and department
    ACCOUNT_FEES = 4300,
    ACCOUNT_EXPENSE_GAIN = 5000,      // per rung: the host is the merchant
    ACCOUNT_EXPENSE_INTERNAL = 5100,  // per buying department
    ACCOUNT_BAD_DEBT = 5200,
    ACCOUNT_CHARGEBACK_FEE = 5210,
    ACCOUNT_ROUNDING = 5300,  // at the end of a contract, and in exchange
    ACCOUNT_GOODWILL = 5400
};
struct account {
    uint16_t code;  // enum account_code
    uint8_t rung;   // 1 to 8; 0 where the account has none
    uint32_t seat;  // stable id; 0 the house
};
// The number an account is stored under: (seat * 10 + rung) * 10000 + code.
int64_t account_number(struct account account);
struct account account_of_number(int64_t number);
// False: the chart has no such account (unknown code, or a seat or rung where none belongs).
bool account_known(struct account account);
// "Assets:Receivable:Unbilled:acme"; `seat` is the seat's code, "" to leave it off.
#define ACCOUNT_TEXT 128
void account_name(struct account account, const char *seat, char out[ACCOUNT_TEXT]);
bool account_debit_normal(struct account account);

enum transfer_kind {
    TRANSFER_HOLD,      // a win: pending
    TRANSFER_CHARGE,    // its price becomes due
    TRANSFER_RELEASE,   // its hold is given back
    TRANSFER_INTERNAL,  // a department's transfer price
    TRANSFER_SHARE,     // a part of a gain-share pool
    TRANSFER_REFUND,    // the change of a part after a refund
    TRANSFER_DEPOSIT,   // finance: prepaid money came in
    TRANSFER_BILL,      // finance: unbilled becomes billed
    TRANSFER_ADJUSTMENT,
    TRANSFER_COMMISSION,  // a price that is a share of an order's revenue, or its change
    TRANSFER_CREDIT,      // a share divided anew: a touch was reported after the conversion
    // Finance, each part of an act (act.h).
    TRANSFER_TRUE_UP,     // the rate of a retroactive tier, reached
    TRANSFER_LOCK,        // accrued becomes payable; back when refunded
    TRANSFER_CLAWBACK,    // refunded after it was paid
    TRANSFER_NET,         // a clawback taken off what is payable
    TRANSFER_DISPUTE,     // disputed, and settled
    TRANSFER_CHARGEBACK,  // the bank took a payment back, and what became of it
    TRANSFER_EXCHANGE,    // from one currency into another: two, linked by their group
    TRANSFER_PAYOUT,      // told to the bank; back when it was rejected
    TRANSFER_PAID,        // the bank did it
    TRANSFER_RECEIPT,     // a bill was paid
    TRANSFER_KIND_COUNT
};
enum transfer_state { TRANSFER_PENDING, TRANSFER_POSTED, TRANSFER_VOIDED, TRANSFER_STATE_COUNT };
const char *transfer_kind_name(enum transfer_kind kind);     // "charge"
const char *transfer_state_name(enum transfer_state state);  // "posted"

#define TRANSFER_PERIOD 16
struct transfer {
    struct id id, group;
    struct id pending;  // of a terminal: the hold it ends; all zero: none
    struct id origin;   // the transfer it corrects; all zero: none
    uint16_t leg;  // of those that one fact made, or its number in an act
    uint8_t kind, state;
    bool late;  // happened in a period that was fenced already
    struct account debit, credit;
    struct currency currency;
    money amount;  // > 0
    usec effective, posted;
    char period[TRANSFER_PERIOD];
    uint32_t log;  // 0: made by finance, not by a fact
    uint64_t batch;
    uint32_t index;
    uint32_t seat;                     // whose statement it stands on; 0 none
    uint32_t contract, slot, message;  // 0 none
    struct id placement;               // all zero: none
    uint16_t objectives;
    int8_t rung;         // enum rung; -1 none
    int8_t won_rung;     // of the placement behind it, for folds; -1 none. Not stored
    uint32_t model;      // version of the fit that divided it (credit.h); 0 none
    const char *reason;  // a word, static; "" none
    char reference[BOUND_KEY + 1];
};

// Inserts transfers inside the caller's transaction: their keys, the accounts they name that are
// new, and their folds (sums by period, day and dimensions, which balances, statements and reports
// read). All of one call are of one log. Nothing is checked but by the database: an id that exists
// already is STATUS_CONFLICT.
MUST_CHECK enum status transfer_load(struct db *db, const struct transfer *transfers, size_t count);
// The same for a few: when all ids exist already with the same accounts, amount, currency, state
// and pending id, nothing is inserted and the answer is STATUS_EXISTS; with another body, or only
// some of them, STATUS_CONFLICT. The caller's transaction stays usable after both.
MUST_CHECK enum status transfer_post(struct db *db, const struct transfer *transfers, size_t count);

#endif
