// slotctl adjust: corrections of what was posted, with a second person above the limit.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adjust.h"
#include "clock.h"
#include "finance.h"
#include "market_db.h"
#include "table.h"

struct words {
    const char *amount, *to, *effective, *reason, *evidence, *by;
};

static void
tell(const struct adjust *of, const char *state, bool json)
{
    char amount[MONEY_TEXT];
    money_format(of->amount, 2, amount);
    if (json) {
        printf("{\"adjustment\": %" PRIu64 ", \"state\": \"%s\", \"amount_micros\": %" PRId64
               ", \"period\": \"%s\"}\n",
               of->number, state, of->amount.micros, of->period);
    } else if (of->booked) {
        printf("Adjustment %" PRIu64 ", %s %.3s, is booked in %s.\n", of->number, amount,
               of->currency.code, of->period);
    } else if (strcmp(state, "waiting") == 0) {
        printf("Adjustment %" PRIu64 ", %s %.3s, waits for a second person:\n"
               "  slotctl adjust approve %" PRIu64 " --by NAME\n",
               of->number, amount, of->currency.code, of->number);
    } else {
        printf("Adjustment %" PRIu64 " is refused; nothing is booked.\n", of->number);
    }
}

static int
propose(struct db *db, const char *transfer, const struct words *words, bool json)
{
    struct adjust adjust;
    char fault[ADJUST_FAULT] = "";
    struct adjust_ask ask = {.to = ADJUST_MIRROR,
                             .reason = words->reason,
                             .evidence = words->evidence,
                             .author = finance_author(words->by)};
    const char *to = words->to ? words->to : "mirror";
    while (ask.to < ADJUST_GOODWILL && strcmp(adjust_to_name(ask.to), to) != 0) ask.to++;
    if (strcmp(adjust_to_name(ask.to), to) != 0)
        return verb_usage(&verb_adjust, "--to is mirror, adjustments or goodwill, not '%s'", to);
    if (id_parse(transfer, strlen(transfer), &ask.transfer) != STATUS_OK)
        return verb_usage(
            &verb_adjust,
            "'%s' is not a transfer's id; slotctl export PERIOD --format csv has them", transfer);
    if (words->amount &&
        (money_parse(words->amount, strlen(words->amount), &ask.amount) != STATUS_OK ||
         ask.amount.micros <= 0))
        return verb_usage(&verb_adjust, "'%s' is not an amount above 0; write it as 12.50",
                          words->amount);
    if (words->effective &&
        clock_parse(words->effective, strlen(words->effective), &ask.effective) != STATUS_OK)
        return verb_usage(&verb_adjust, "'%s' is not a time; write a day as 2026-11-22",
                          words->effective);
    enum status status;
    int turns = 0;
    do status = adjust_propose(db, &ask, clock_wall(), &adjust, fault);
    while (finance_again(status, &turns));
    if (status != STATUS_OK) return finance_fault(&verb_adjust, db, status, fault);
    tell(&adjust, adjust.booked ? "booked" : "waiting", json);
    return EXIT_DONE;
}

static int
decide(struct db *db, const char *number, bool approve, const char *by, bool json)
{
    struct adjust adjust;
    uint64_t which = 0;
    char fault[ADJUST_FAULT] = "";
    if (finance_number(&verb_adjust, number, &which) != EXIT_DONE) return EXIT_USAGE;
    enum status status;
    int turns = 0;
    do status = adjust_decide(db, which, approve, finance_author(by), clock_wall(), &adjust, fault);
    while (finance_again(status, &turns));
    if (status != STATUS_OK) return finance_fault(&verb_adjust, db, status, fault);
    tell(&adjust, approve ? "booked" : "refused", json);
    return EXIT_DONE;
}

static int
list(struct db *db, bool json)
{
    static const struct table_column columns[] = {
        {"adjustment", "adjustment", TABLE_RIGHT, TABLE_NUMBER},
        {"state", "state", TABLE_LEFT, TABLE_TEXT},
        {"amount", "amount", TABLE_RIGHT, TABLE_TEXT},
        {"to", "to", TABLE_LEFT, TABLE_TEXT},
        {"reason", "reason", TABLE_LEFT, TABLE_TEXT},
        {"author", "author", TABLE_LEFT, TABLE_TEXT},
        {"approver", "approver", TABLE_LEFT, TABLE_TEXT},
        {"adjusts", "adjusts", TABLE_LEFT, TABLE_TEXT},
        {"evidence", "evidence", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select a.number, coalesce(e.outcome, 'waiting'), a.amount_micros, a.to_account, a.reason,"
        " a.author, coalesce(x.approver, ''), a.adjusts::text, a.evidence from adjustment a"
        " left join adjustment_end e on e.number = a.number left join act x on x.number = e.act"
        " order by e.number is not null, a.number",
        NULL, 0, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing adjustments");
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < db_count(rows); i++) {
        char amount[MONEY_TEXT];
        money_format(db_get_money(rows, i, 2), 2, amount);
        table_cellf(table, "%lld", (long long)db_get_int(rows, i, 0));
        table_cell(table, db_get_text(rows, i, 1));
        table_cell(table, amount);
        for (size_t k = 3; k < 9; k++) table_cell(table, db_get_text(rows, i, k));
    }
    if (!json && db_count(rows) == 0) puts("There are no adjustments.");
    else table_print(table, json ? TABLE_AS_JSON : TABLE_AS_TEXT, stdout);
    table_close(table);
    db_rows_free(rows);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct words words = {0};
    const struct verb_option options[] = {{"--amount", &words.amount, NULL},
                                          {"--to", &words.to, NULL},
                                          {"--effective", &words.effective, NULL},
                                          {"--reason", &words.reason, NULL},
                                          {"--evidence", &words.evidence, NULL},
                                          {"--by", &words.by, NULL},
                                          {0}};
    argc = verb_options(&verb_adjust, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    bool proposing = strcmp(what, "propose") == 0, listing = strcmp(what, "list") == 0;
    bool approving = strcmp(what, "approve") == 0;
    if (!proposing && !listing && !approving && strcmp(what, "refuse") != 0)
        return verb_usage(&verb_adjust, "propose, approve, refuse or list?");
    if (argc != (listing ? 2 : 3))
        return verb_usage(&verb_adjust, proposing ? "propose needs the id of the transfer"
                                        : listing ? "list takes nothing more"
                                                  : "the adjustment's number is needed");
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    int code = proposing ? propose(db, argv[2], &words, context->json)
               : listing ? list(db, context->json)
                         : decide(db, argv[2], approving, words.by, context->json);
    db_close(db);
    return code;
}

const struct verb verb_adjust = {
    .name = "adjust",
    .arguments = "propose TRANSFER | approve N | refuse N | list",
    .summary = "correct what was posted, with a second person",
    .help =
        "What is posted is never changed: its correction is booked beside it, in the open period,\n"
        "and names it. Up to finance.approve_above of the market file (100 units unless declared)\n"
        "it is booked at once, above it when another person approves it.\n"
        "\n"
        "--amount A       of the transfer; without it all that is left of it\n"
        "--to mirror      the transfer's accounts turned round (usual)\n"
        "     adjustments against 4090: a credit note; goodwill: against 5400. Both of what a\n"
        "                 partner pays only\n"
        "--reason CODE    not_rendered invalid playback_error lost_in_mediation over_delivered\n"
        "                 duplicate wrong_price cancelled_order compliance_breach fraudulent\n"
        "                 non_fulfilment not_authorised returned self_referral test_purchase\n"
        "                 goodwill correction\n"
        "--evidence TEXT  where the evidence is kept\n"
        "--effective DAY  when it should have been so; else now\n"
        "--by NAME        who does it; else the system's user\n"
        "\n"
        "  slotctl adjust propose 6f1c...e2 --amount 0.10 --reason wrong_price \\\n"
        "      --evidence ticket-4713\n"
        "\n"
        "Exit codes: 0 done, or it waits; 1 it may not be done, the message says why; 2 the\n"
        "command is wrong; 3 no database.\n",
    .run = run,
};
