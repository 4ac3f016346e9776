// slotctl dispute: what partners contest of their bills, and what the house contests of shares.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dispute.h"
#include "finance.h"
#include "market_db.h"
#include "table.h"

struct words {
    const char *reason, *evidence, *by;
};

static void
tell(const char *what, const struct dispute *dispute, bool json)
{
    char amount[MONEY_TEXT], deadline[CLOCK_TEXT] = "";
    money_format(dispute->amount, 2, amount);
    if (dispute->deadline.us) clock_format(dispute->deadline, deadline);
    deadline[dispute->deadline.us ? 10 : 0] = '\0';
    if (json) {
        printf("{\"dispute\": %" PRIu64 ", \"done\": \"%s\", \"moved_micros\": %" PRId64
               ", \"deadline\": \"%s\"}\n",
               dispute->number, what, dispute->amount.micros, deadline);
        return;
    }
    printf("Dispute %" PRIu64 " is %s.", dispute->number, what);
    if (dispute->amount.micros) printf(" %s %.3s moved.", amount, dispute->currency.code);
    if (*deadline) printf(" It is to be decided by %s.", deadline);
    putchar('\n');
}

static int
open_one(struct db *db, int argc, char **argv, const struct words *words, bool json)
{
    struct dispute dispute;
    char fault[DISPUTE_FAULT] = "";
    struct dispute_ask ask = {.seat = argv[3],
                              .reference = argv[4],
                              .reason = words->reason,
                              .evidence = words->evidence,
                              .author = finance_author(words->by)};
    enum status status;
    int turns = 0;
    if (strcmp(argv[2], "share") == 0) {
        if (argc != 5) return verb_usage(&verb_dispute, "open share needs a seat and an order");
        do status = dispute_share(db, &ask, clock_wall(), &dispute, fault);
        while (finance_again(status, &turns));
    } else {
        if (argc != 6)
            return verb_usage(&verb_dispute, "open statement needs a seat, a period, an amount");
        if (money_parse(argv[5], strlen(argv[5]), &ask.amount) != STATUS_OK)
            return verb_usage(&verb_dispute, "'%s' is not an amount; write it as 12.50", argv[5]);
        do status = dispute_statement(db, &ask, clock_wall(), &dispute, fault);
        while (finance_again(status, &turns));
    }
    if (status != STATUS_OK) return finance_fault(&verb_dispute, db, status, fault);
    tell("open", &dispute, json);
    return EXIT_DONE;
}

static int
decide(struct db *db, const char *number, bool accepted, const struct words *words, bool json)
{
    struct dispute dispute;
    uint64_t which = 0;
    char fault[DISPUTE_FAULT] = "";
    if (finance_number(&verb_dispute, number, &which) != EXIT_DONE) return EXIT_USAGE;
    enum status status;
    int turns = 0;
    do
        status = dispute_decide(db, which, accepted, words->reason, finance_author(words->by),
                                clock_wall(), &dispute, fault);
    while (finance_again(status, &turns));
    if (status != STATUS_OK) return finance_fault(&verb_dispute, db, status, fault);
    tell(accepted ? "accepted" : "rejected", &dispute, json);
    return EXIT_DONE;
}

static void
put_day(struct table *table, int64_t us)
{
    char text[CLOCK_TEXT];
    clock_format((usec){us}, text);
    text[10] = '\0';
    table_cell(table, text);
}

static int
list(struct db *db, bool json)
{
    static const struct table_column columns[] = {
        {"dispute", "dispute", TABLE_RIGHT, TABLE_NUMBER},
        {"kind", "kind", TABLE_LEFT, TABLE_TEXT},
        {"seat", "seat", TABLE_LEFT, TABLE_TEXT},
        {"of", "of", TABLE_LEFT, TABLE_TEXT},
        {"amount", "amount", TABLE_RIGHT, TABLE_TEXT},
        {"state", "state", TABLE_LEFT, TABLE_TEXT},
        {"opened", "opened", TABLE_LEFT, TABLE_TEXT},
        {"deadline", "deadline", TABLE_LEFT, TABLE_TEXT},
        {"reason", "reason", TABLE_LEFT, TABLE_TEXT},
        {"evidence", "evidence", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select d.number, d.kind, coalesce(s.code, d.seat::text), d.reference, d.amount_micros,"
        " d.currency, d.state, d.opened_us, d.deadline_us, d.reason, d.evidence from dispute_now d"
        " left join seat s on s.id = d.seat order by d.state <> 'open', d.number",
        NULL, 0, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing disputes");
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < db_count(rows); i++) {
        char amount[MONEY_TEXT];
        money_format(db_get_money(rows, i, 4), 2, amount);
        bool open = strcmp(db_get_text(rows, i, 6), "open") == 0;
        bool over = open && db_get_int(rows, i, 8) < clock_wall().us;
        bool share = strcmp(db_get_text(rows, i, 1), "share") == 0;
        table_cellf(table, "%lld", (long long)db_get_int(rows, i, 0));
        table_cell(table, db_get_text(rows, i, 1));
        table_cell(table, db_get_text(rows, i, 2));
        table_cell(table, db_get_text(rows, i, 3));
        if (share) table_cell(table, "its share");
        else table_cellf(table, "%s %s", amount, db_get_text(rows, i, 5));
        table_cell(table, over ? "overdue" : db_get_text(rows, i, 6));
        put_day(table, db_get_int(rows, i, 7));
        put_day(table, db_get_int(rows, i, 8));
        table_cell(table, db_get_text(rows, i, 9));
        table_cell(table, db_get_text(rows, i, 10));
    }
    if (!json && db_count(rows) == 0) puts("There are no disputes.");
    else table_print(table, json ? TABLE_AS_JSON : TABLE_AS_TEXT, stdout);
    table_close(table);
    db_rows_free(rows);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct words words = {NULL, NULL, NULL};
    const struct verb_option options[] = {{"--reason", &words.reason, NULL},
                                          {"--evidence", &words.evidence, NULL},
                                          {"--by", &words.by, NULL},
                                          {0}};
    argc = verb_options(&verb_dispute, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    bool opening = strcmp(what, "open") == 0, listing = strcmp(what, "list") == 0;
    bool accepted = strcmp(what, "accept") == 0, rejected = strcmp(what, "reject") == 0;
    if (!opening && !listing && !accepted && !rejected)
        return verb_usage(&verb_dispute, "open, accept, reject or list?");
    if (opening && (argc < 5 || (strcmp(argv[2], "share") && strcmp(argv[2], "statement"))))
        return verb_usage(&verb_dispute, "open statement SEAT PERIOD AMOUNT, or open share SEAT "
                                         "ORDER");
    if ((accepted || rejected) && argc != 3)
        return verb_usage(&verb_dispute, "%s needs the dispute's number", what);
    if (listing && argc != 2) return verb_usage(&verb_dispute, "list takes nothing more");
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    int code = opening   ? open_one(db, argc, argv, &words, context->json)
               : listing ? list(db, context->json)
                         : decide(db, argv[2], accepted, &words, context->json);
    db_close(db);
    return code;
}

const struct verb verb_dispute = {
    .name = "dispute",
    .arguments = "open statement SEAT PERIOD AMOUNT | open share SEAT ORDER | accept N | reject N"
                 " | list",
    .summary = "what is contested of bills and of shares",
    .help =
        "open statement  a partner contests a part of a closed statement: it stands apart\n"
        "                (1120 to 1130) until it is decided\n"
        "open share      the house contests what a partner earns of an order: it is held (2110 to\n"
        "                2120), or does not lock, until it is decided\n"
        "accept          the contested amount is credited; a contested share goes to the house\n"
        "reject          the amount is owed again; the share is payable again\n"
        "list            all of them, open ones first; overdue ones say so\n"
        "\n"
        "--reason CODE    statements: not_rendered invalid playback_error lost_in_mediation\n"
        "                 over_delivered duplicate wrong_price; shares: cancelled_order\n"
        "                 compliance_breach fraudulent non_fulfilment not_authorised duplicate\n"
        "                 returned self_referral test_purchase; deciding: in your own words\n"
        "--evidence TEXT  where the evidence is kept (when opening)\n"
        "--by NAME        who does it; else the system's user\n"
        "\n"
        "  slotctl dispute open statement grill 2026-11 12.50 --reason not_rendered \\\n"
        "      --evidence ticket-4711\n"
        "  slotctl dispute open share brew_journal A-1007 --reason self_referral \\\n"
        "      --evidence ticket-4712\n"
        "  slotctl dispute reject 31 --reason 'logs show them'\n"
        "\n"
        "Exit codes: 0 done; 1 it may not be done now, the message says why; 2 the command is\n"
        "wrong; 3 no database.\n",
    .run = run,
};
