// slotctl chargeback: the bank took a partner's payment back.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chargeback.h"
#include "clock.h"
#include "finance.h"
#include "market_db.h"

static void
tell(const char *what, const struct chargeback *of, bool json)
{
    char amount[MONEY_TEXT];
    money_format(of->amount, 2, amount);
    if (json) {
        printf("{\"chargeback\": %" PRIu64 ", \"seat\": \"%s\", \"state\": \"%s\", "
               "\"amount_micros\": %" PRId64 "}\n",
               of->number, of->seat, what, of->amount.micros);
        return;
    }
    printf("Chargeback %" PRIu64 " of %s, %s %.3s, is %s.\n", of->number, of->seat, amount,
           of->currency.code, what);
    if (strcmp(what, "lost") == 0)
        printf(
            "It is a bad debt now. Let %s pay in advance from here on: in the market file set\n"
            "`billing: prepaid` in its contract, and `paused: true` for the seat until a deposit\n"
            "is in; then slotctl apply.\n",
            of->seat);
}

static int
open_one(struct db *db, const char *seat, const char *amount, const char *fee,
         struct chargeback_ask *ask, bool json)
{
    struct chargeback chargeback;
    char fault[CHARGEBACK_FAULT] = "";
    ask->seat = seat;
    if (money_parse(amount, strlen(amount), &ask->amount) != STATUS_OK)
        return verb_usage(&verb_chargeback, "'%s' is not an amount; write it as 120.00", amount);
    if (fee && money_parse(fee, strlen(fee), &ask->fee) != STATUS_OK)
        return verb_usage(&verb_chargeback, "'%s' is not a fee; write it as 15.00", fee);
    enum status status;
    int turns = 0;
    do status = chargeback_open(db, ask, clock_wall(), &chargeback, fault);
    while (finance_again(status, &turns));
    if (status != STATUS_OK && status != STATUS_EXISTS)
        return finance_fault(&verb_chargeback, db, status, fault);
    tell(status == STATUS_EXISTS ? "booked before" : "open", &chargeback, json);
    return EXIT_DONE;
}

static int
end(struct db *db, const char *number, bool won, const char *author, bool json)
{
    struct chargeback chargeback;
    uint64_t which = 0;
    char fault[CHARGEBACK_FAULT] = "";
    if (finance_number(&verb_chargeback, number, &which) != EXIT_DONE) return EXIT_USAGE;
    enum status status;
    int turns = 0;
    do status = chargeback_end(db, which, won, author, clock_wall(), &chargeback, fault);
    while (finance_again(status, &turns));
    if (status != STATUS_OK) return finance_fault(&verb_chargeback, db, status, fault);
    tell(won ? "won" : "lost", &chargeback, json);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct chargeback_ask ask = {0};
    const char *fee = NULL, *by = NULL;
    const struct verb_option options[] = {{"--fee", &fee, NULL},
                                          {"--reference", &ask.reference, NULL},
                                          {"--evidence", &ask.evidence, NULL},
                                          {"--by", &by, NULL},
                                          {0}};
    argc = verb_options(&verb_chargeback, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    bool opening = strcmp(what, "open") == 0, won = strcmp(what, "won") == 0;
    if (!opening && !won && strcmp(what, "lost") != 0)
        return verb_usage(&verb_chargeback, "open, won or lost?");
    if (argc != (opening ? 4 : 3))
        return verb_usage(&verb_chargeback, opening ? "open needs a seat and an amount"
                                                    : "won and lost need the chargeback's number");
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    ask.author = finance_author(by);
    int code = opening ? open_one(db, argv[2], argv[3], fee, &ask, context->json)
                       : end(db, argv[2], won, ask.author, context->json);
    db_close(db);
    return code;
}

const struct verb verb_chargeback = {
    .name = "chargeback",
    .arguments = "open SEAT AMOUNT --reference REF --evidence TEXT [--fee F] | won N | lost N",
    .summary = "book a payment that the bank took back",
    .help =
        "open  debit 1130 Disputed, credit 1000 Bank. The bank's fee is an expense (5210) and is\n"
        "      charged to the partner again (1120, 4300). The same reference is booked once\n"
        "won   the bank gave it back: debit 1000, credit 1130\n"
        "lost  a bad debt: debit 5200, credit 1130; the answer says how the partner is set to pay\n"
        "      in advance\n"
        "`slotctl dispute list` shows chargebacks too. --by NAME: who does it; else the system's\n"
        "user.\n"
        "\n"
        "  slotctl chargeback open grill 120.00 --fee 15.00 --reference CB-2026-881 \\\n"
        "      --evidence bank-letter-881\n"
        "\n"
        "Exit codes: 0 done; 1 it may not be done, the message says why; 2 the command is wrong;\n"
        "3 no database.\n",
    .run = run,
};
