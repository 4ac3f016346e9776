// slotctl lock: orders within their validation, and when their shares become payable.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "finance.h"
#include "life.h"
#include "market_db.h"
#include "table.h"

#define ROWS 1000

static int
list(struct db *db, bool json)
{
    static const struct table_column columns[] = {
        {"order", "order", TABLE_LEFT, TABLE_TEXT},
        {"seat", "seat", TABLE_LEFT, TABLE_TEXT},
        {"amount", "amount", TABLE_RIGHT, TABLE_TEXT},
        {"pool", "pool", TABLE_RIGHT, TABLE_TEXT},
        {"locks", "locks", TABLE_LEFT, TABLE_TEXT},
        {"extended", "extended", TABLE_LEFT, TABLE_TEXT},
        {"id", "id", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    const struct db_param params[] = {db_int8(ROWS)};
    enum status status = db_query(
        db,
        "select r.key, coalesce(s.code, r.seat::text), r.amount_micros, r.currency,"
        " (select l.pool_micros from order_pool l where l.order_id = d.order_id"
        "  order by l.turn desc, l.log desc, l.batch desc, l.idx desc limit 1), d.due_us,"
        " exists (select 1 from life_extension x where x.order_id = d.order_id),"
        " replace(d.order_id::text, '-', ''), (select count(*) from life_due)"
        " from (select order_id, due_us from life_due order by due_us, order_id limit $1) d"
        " join revenue r on r.order_id = d.order_id and r.kind = 'converted'"
        "  and r.state = 'posted' left join seat s on s.id = r.seat order by d.due_us, d.order_id",
        params, 1, &rows);
    if (status != STATUS_OK) return finance_refused(db, status, "listing orders");
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < db_count(rows); i++) {
        char amount[MONEY_TEXT], pool[MONEY_TEXT], due[CLOCK_TEXT];
        money_format(db_get_money(rows, i, 2), 2, amount);
        money_format(db_get_money(rows, i, 4), 2, pool);
        clock_format(db_get_time(rows, i, 5), due);
        due[16] = '\0';
        table_cell(table, db_get_text(rows, i, 0));
        table_cell(table, db_get_text(rows, i, 1));
        table_cellf(table, "%s %s", amount, db_get_text(rows, i, 3));
        table_cell(table, pool);
        table_cell(table, due);
        table_cell(table, db_get_bool(rows, i, 6) ? "yes" : "no");
        table_cell(table, db_get_text(rows, i, 7));
    }
    if (!json && db_count(rows) == 0) puts("No order is within its validation.");
    else table_print(table, json ? TABLE_AS_JSON : TABLE_AS_TEXT, stdout);
    if (!json && db_count(rows) > 0 && db_get_int(rows, 0, 8) > ROWS)
        printf("The next %d of %lld.\n", ROWS, (long long)db_get_int(rows, 0, 8));
    table_close(table);
    db_rows_free(rows);
    return EXIT_DONE;
}

static int
extend(struct db *db, const char *text, const char *seat, const char *days, const char *reason,
       const char *by, bool json)
{
    struct life_order order;
    char fault[LIFE_FAULT] = "", until[CLOCK_TEXT];
    uint64_t count = 0;
    if (!days || finance_number(&verb_lock, days, &count) != EXIT_DONE || count > LIFE_EXTENSION)
        return verb_usage(&verb_lock, "needs --days, 1 to %d", LIFE_EXTENSION);
    if (!reason || !*reason) return verb_usage(&verb_lock, "needs --reason: why it is extended");
    int turns = 0;
    enum status status = life_find(db, text, seat, &order);
    life_find_fault(status, text, fault);
    if (status != STATUS_OK) return finance_fault(&verb_lock, db, status, fault);
    do status = life_extend(db, &order, (uint32_t)count, reason, finance_author(by), clock_wall());
    while (finance_again(status, &turns));
    clock_format(order.due, until);
    until[10] = '\0';
    if (status == STATUS_EXISTS)
        snprintf(fault, sizeof fault, "order %s was extended before; that is done once only",
                 order.reference);
    else if (status == STATUS_DENIED)
        snprintf(fault, sizeof fault,
                 "the validation of order %s is over and its shares are locked; contest a share: "
                 "slotctl dispute open share",
                 order.reference);
    else if (status == STATUS_INPUT)
        snprintf(fault, sizeof fault, "the reason has at most %d bytes, --by is a name",
                 BOUND_TEXT);
    if (status != STATUS_OK) return finance_fault(&verb_lock, db, status, fault);
    if (json)
        printf("{\"order\": \"%s\", \"locks\": \"%s\", \"extended\": true}\n", order.reference,
               until);
    else printf("Shares of order %s lock on %s now.\n", order.reference, until);
    return EXIT_DONE;
}

static int
turn(struct db *db, bool json)
{
    struct life_report report = {.more = true}, sum = {0};
    int turns = 0;
    while (report.more) {
        enum status status;
        do status = life_turn(db, clock_wall(), &report);
        while (finance_again(status, &turns));
        if (status == STATUS_DAMAGED)
            return verb_cannot("a contract was stored by another version of this program");
        if (status != STATUS_OK) return finance_refused(db, status, "locking");
        sum.locked += report.locked;
        sum.followed += report.followed;
        sum.transfers += report.transfers;
    }
    if (json)
        printf("{\"locked\": %u, \"followed\": %u, \"transfers\": %zu}\n", sum.locked, sum.followed,
               sum.transfers);
    else
        printf("%u orders locked, %u followed; %zu transfers.\n", sum.locked, sum.followed,
               sum.transfers);
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    const char *days = NULL, *reason = NULL, *by = NULL, *seat = NULL;
    const struct verb_option options[] = {{"--days", &days, NULL},
                                          {"--reason", &reason, NULL},
                                          {"--seat", &seat, NULL},
                                          {"--by", &by, NULL},
                                          {0}};
    argc = verb_options(&verb_lock, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    bool extending = strcmp(what, "extend") == 0, listing = strcmp(what, "list") == 0;
    if (!extending && !listing && strcmp(what, "run") != 0)
        return verb_usage(&verb_lock, "list, extend or run?");
    if (argc != (extending ? 3 : 2))
        return verb_usage(&verb_lock,
                          extending ? "extend needs an order" : "nothing more is taken");
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    int code = extending ? extend(db, argv[2], seat, days, reason, by, context->json)
               : listing ? list(db, context->json)
                         : turn(db, context->json);
    db_close(db);
    return code;
}

const struct verb verb_lock = {
    .name = "lock",
    .arguments = "list | extend ORDER --days N --reason TEXT [--seat SEAT] | run",
    .summary = "orders within their validation, and when their shares lock",
    .help =
        "Shares of an order are accrued until the validation of its contract is over; then they\n"
        "lock and are payable, and what its merchant owes is due. ledgerd does this by itself.\n"
        "\n"
        "list    orders within their validation, the next to lock first\n"
        "extend  gives one more days, once, with a reason; the order is named by its reference or\n"
        "        its id, and --seat tells orders of several seats apart\n"
        "run     does now what ledgerd would do within seconds\n"
        "--by NAME: who does it; else the system's user.\n"
        "\n"
        "  slotctl lock extend A-1007 --days 15 --reason 'goods on their way'\n"
        "\n"
        "Exit codes: 0 done; 1 it was extended before, or is locked; 2 the command is wrong; 3 no\n"
        "database.\n",
    .run = run,
};
