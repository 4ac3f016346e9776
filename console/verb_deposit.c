// slotctl deposit: money that a prepaid seat paid in.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "deposit.h"
#include "fail.h"
#include "finance.h"
#include "market_db.h"
#include "period.h"

static void
print_deposit(const struct deposit *deposit, bool before, bool json)
{
    char amount[MONEY_TEXT], balance[MONEY_TEXT], held[MONEY_TEXT];
    money_format(deposit->amount, 2, amount);
    money_format(deposit->balance, 2, balance);
    money_format(deposit->held, 2, held);
    if (!json) {
        printf("%s %s of %s, reference %s, %s in %s.\n", amount, deposit->currency.code,
               deposit->seat, deposit->reference, before ? "was booked before" : "is booked",
               deposit->period);
        printf("Balance %s %s, of which %s are held for placements not yet shown.\n", balance,
               deposit->currency.code, held);
        return;
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:I}", "seat", deposit->seat,
                               "reference", deposit->reference, "period", deposit->period,
                               "currency", deposit->currency.code, "amount_micros",
                               (json_int_t)deposit->amount.micros, "booked_before", before,
                               "balance_micros", (json_int_t)deposit->balance.micros, "held_micros",
                               (json_int_t)deposit->held.micros);
    CHECK(object != NULL && json_dumpf(object, stdout, 0) == 0);
    putchar('\n');
    json_decref(object);
}

// Whether a bank can pay so much in: nothing less than the smallest unit of the market's currency.
static enum status
read_whole(struct db *db, money amount, bool *out_whole)
{
    struct db_rows *rows = NULL;
    struct currency currency;
    enum status status = db_query(db, "select currency from market_now", NULL, 0, &rows);
    *out_whole = true;
    if (status == STATUS_OK && db_count(rows) > 0 &&
        currency_parse(db_get_text(rows, 0, 0), db_get_len(rows, 0, 0), &currency) == STATUS_OK)
        *out_whole = amount.micros % period_cent(currency) == 0;
    db_rows_free(rows);
    return status;
}

static int
book(struct db *db, const char *seat, const char *amount_text, const char *reference,
     const char *author, bool json)
{
    money amount;
    struct deposit deposit;
    if (money_parse(amount_text, strlen(amount_text), &amount) != STATUS_OK || amount.micros <= 0)
        return verb_usage(&verb_deposit, "'%s' is not an amount to pay in; write it as 250.00",
                          amount_text);
    bool whole = true;
    enum status status = read_whole(db, amount, &whole);
    if (!whole)
        return verb_usage(&verb_deposit,
                          "'%s' has more decimals than the currency has; write it "
                          "as the bank did, as 250.00",
                          amount_text);
    if (status == STATUS_OK)
        status = deposit_book(db, seat, amount, reference, author, clock_wall(), &deposit);
    if (status == STATUS_OK || status == STATUS_EXISTS) {
        print_deposit(&deposit, status == STATUS_EXISTS, json);
        return EXIT_DONE;
    }
    if (status == STATUS_NOT_FOUND)
        return verb_usage(&verb_deposit, "there is no seat '%s' in this market", seat);
    if (status == STATUS_DENIED)
        return verb_usage(&verb_deposit, "%s is a department; only partners pay in", seat);
    if (status == STATUS_INPUT)
        return verb_usage(&verb_deposit, "the reference must have 1 to %d bytes, and --by a name",
                          BOUND_KEY);
    if (status == STATUS_CONFLICT) {
        char was[MONEY_TEXT];
        money_format(deposit.amount, 2, was);
        fprintf(stderr,
                "slotctl deposit: reference %s of %s was booked with %s %s; nothing is booked now. "
                "Is it another payment? Then it needs its own reference\n",
                reference, seat, was, deposit.currency.code);
        return EXIT_NO;
    }
    return finance_refused(db, status, "booking the deposit");
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *reference = NULL, *by = NULL;
    const struct verb_option options[] = {
        {"--reference", &reference, NULL}, {"--by", &by, NULL}, {0}};
    argc = verb_options(&verb_deposit, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 3) return verb_usage(&verb_deposit, "needs a seat and an amount");
    if (reference == NULL)
        return verb_usage(&verb_deposit, "needs --reference: the payment's own, from the bank");
    struct db *db = market_db_open(context);
    if (db == NULL) return EXIT_CANNOT;
    int code = book(db, argv[1], argv[2], reference, finance_author(by), context->json);
    db_close(db);
    return code;
}

const struct verb verb_deposit = {
    .name = "deposit",
    .arguments = "SEAT AMOUNT --reference REF [--by NAME]",
    .summary = "book what a prepaid seat paid in",
    .help =
        "Books money that came in for a partner with a prepaid contract (debit bank, credit its\n"
        "prepaid account) and prints the balance. The reference is the payment's own: the same\n"
        "reference with the same amount is booked once, however often it is given.\n"
        "--by says who books it; without it the system's user does.\n"
        "\n"
        "  slotctl deposit reading_room 250.00 --reference 2026-11-22/0815\n"
        "\n"
        "Exit codes: 0 booked, now or before; 1 the reference was used for another amount; 2 the\n"
        "command is wrong; 3 no database.\n",
    .run = run,
};
