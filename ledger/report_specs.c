// What the reports of finance add up: dimensions, measures, and which transfers count.
//
//  1 Every amount is a sum over posted transfers; nothing is divided or rounded. So totals are the
//    same by whatever dimension, and equal the balances of the accounts that a report names.
//  2 A message may pursue several objectives, and no rule says which part of its income belongs to
//    which: each combination is a row of its own ("cross_sell+refer").
//  3 The merchant of a share is the partner whose receivable it was booked against, or the house
//    when it is an expense; of later moves (lock, hold, clawback), that of their contract. A payout
//    and what becomes of it are of all that a beneficiary earned, of no one merchant: "none".
#include <string.h>

#include "report_finance.h"

// --- Dimensions ----------------------------------------------------------------------------------

#define OBJECT(kind, none)                                                               \
    "case when r.@ = '0' then '" none "' else coalesce((select o.code from object_now o" \
    " where o.kind = '" kind "' and o.id = r.@::integer), r.@) end"
#define ACCOUNT                                                                            \
    "coalesce((select a.name from account a where a.currency = r.currency and a.account =" \
    " r.@::bigint), r.@)"
// Orders numbers of any length as numbers.
#define BY_NUMBER "lpad(r.@, 20, '0')"

static const struct report_dimension by_rung = {
    "rung",
    "rung",
    "s.rung",
    "",
    "coalesce((select n.name from rung_name n where n.rung = r.@::smallint), 'none')",
    "lpad((r.@::integer + 1)::text, 2, '0')"};
static const struct report_dimension by_objective = {
    "objective",
    "objectives",
    "s.objectives",
    "",
    "coalesce((select string_agg(n.name, '+' order by n.objective) from objective_name n"
    " where n.bit & r.@::integer <> 0), 'none')",
    BY_NUMBER};
static const struct report_dimension by_cell = {
    "cell",
    "cell",
    "coalesce(c.cell, '')",
    " left join (select t.id as slot, k.stage || '/' || k.channel as cell from slot t"
    " join container k on k.id = t.container_id) c on c.slot = s.slot",
    "case when r.@ = '' then 'none' else r.@ end",
    "lpad(coalesce(array_position(array['need','shop','buy','use','service','renew','leave',"
    "'advocate'], split_part(r.@, '/', 1)), 0)::text, 2, '0') || lpad(coalesce(array_position("
    "array['call','web','app','store','email','chat','sms','bill','parcel','kiosk','social',"
    "'partner'], split_part(r.@, '/', 2)), 0)::text, 2, '0')"};
static const struct report_dimension by_container = {
    "container",
    "container",
    "coalesce(h.container, 0)",
    " left join (select t.id as slot, t.container_id as container from slot t) h on h.slot = "
    "s.slot",
    OBJECT("container", "none"),
    OBJECT("container", "none")};
static const struct report_dimension by_seat = {
    "seat", "seat", "s.seat", "", OBJECT("seat", "none"), OBJECT("seat", "none")};
static const struct report_dimension by_contract = {"contract",
                                                    "contract",
                                                    "s.contract",
                                                    "",
                                                    OBJECT("contract", "none"),
                                                    OBJECT("contract", "none")};
static const struct report_dimension by_slot = {
    "slot", "slot", "s.slot", "", OBJECT("slot", "none"), OBJECT("slot", "none")};
static const struct report_dimension by_message = {
    "message", "message", "s.message", "", OBJECT("message", "none"), OBJECT("message", "none")};
static const struct report_dimension by_period = {"period", "period", "s.period", "", "r.@", "r.@"};
static const struct report_dimension by_day = {
    "day", "day", "s.day", "", "(date '1970-01-01' + r.@::integer)::text", BY_NUMBER};
static const struct report_dimension by_account = {"account",
                                                   "account",
                                                   "s.account",
                                                   "",
                                                   ACCOUNT,
                                                   "lpad((r.@::bigint % 10000)::text, 4, '0')"
                                                   " || " BY_NUMBER};

static const struct report_dimension *const asked[] = {
    &by_rung, &by_objective, &by_cell,      &by_seat,   &by_contract,
    &by_slot, &by_message,   &by_container, &by_period, &by_day};

// Of internal transfer prices: who paid whom. The house pays when it is the merchant of a share.
static const struct report_dimension between_what = {
    "what", "for", "case when 5000 in (s.dc, s.cc) then 'gain share' else 'slots' end",
    "",     "r.@", "r.@"};
static const struct report_dimension between_buyer = {
    "buyer",
    "buyer",
    "case when s.dc in (5000, 5100) then s.debit / 100000"
    " when s.cc in (5000, 5100) then s.credit / 100000 else -1 end",
    "",
    "case when r.@ = '-1' then 'none' else coalesce((select o.code from object_now o where o.kind"
    " = 'seat' and o.id = r.@::integer), 'house') end",
    "r.@"};
static const struct report_dimension between_owner = {
    "owner",
    "owner",
    "case when s.cc in (4100, 4210) then s.credit / 100000"
    " when s.dc in (4100, 4210) then s.debit / 100000 else -1 end",
    "",
    "case when r.@ = '-1' then 'none' else coalesce((select o.code from object_now o where o.kind"
    " = 'seat' and o.id = r.@::integer), 'house') end",
    "r.@"};

static const struct report_dimension owed_side = {
    "side", "side", "case when s.code < 2000 then 'owed to us' else 'owed by us' end",
    "",     "r.@",  "case r.@ when 'owed to us' then '0' else '1' end"};

// Of gain shares: whose they are, and whose sale they come from.
static const struct report_dimension share_of = {
    "beneficiary", "beneficiary", "s.owner", "", OBJECT("seat", "host"), OBJECT("seat", "host")};
static const struct report_dimension share_from = {
    "merchant",
    "merchant",
    "case when s.other_code = 1150 then s.other_owner when s.other_code = 5000 then 0"
    " when s.kind in ('payout', 'paid', 'net', 'exchange', 'receipt', 'bill') then -1"
    " else coalesce(k.merchant, -1) end",
    " left join (select id as contract, case when merchant = 'partner' then seat_id else 0 end as"
    " merchant from contract) k on k.contract = s.contract",
    "case r.@ when '0' then 'host' when '-1' then 'none' else coalesce((select o.code from"
    " object_now o where o.kind = 'seat' and o.id = r.@::integer), r.@) end",
    "case when r.@ = '-1' then '~' else " BY_NUMBER " end"};

// --- Measures ------------------------------------------------------------------------------------

#define EARNED(codes)                                        \
    "case when s.cc in (" codes ") then s.micros else 0 end" \
    " - case when s.dc in (" codes ") then s.micros else 0 end"
#define SPENT                                                       \
    "case when s.dc between 5000 and 5999 then s.micros else 0 end" \
    " - case when s.cc between 5000 and 5999 then s.micros else 0 end"
#define INCOME                                                      \
    "case when s.cc between 4000 and 4999 then s.micros else 0 end" \
    " - case when s.dc between 4000 and 4999 then s.micros else 0 end"

static const struct report_measure revenue[] = {
    {"external", "external", EARNED("4000, 4090")},
    {"internal", "internal", EARNED("4100")},
    {"gain_share", "gain share", EARNED("4200, 4210")},
    {"fees", "fees", EARNED("4300")},
    {"expense", "expense", SPENT},
    {"net", "net", INCOME " - (" SPENT ")"},
};

#define PAID                                                  \
    "case when s.dc in (5000, 5100) then s.micros else 0 end" \
    " - case when s.cc in (5000, 5100) then s.micros else 0 end"
static const struct report_measure internal[] = {
    {"paid", "paid", PAID},
    {"earned", "earned", EARNED("4100, 4210")},
    {"remains", "remains", "(" PAID ") - (" EARNED("4100, 4210") ")"},
};

static const struct report_measure trial[] = {
    {"opening", "opening", "case when s.before then s.micros else 0 end"},
    {"debit", "debits", "case when s.before or s.micros < 0 then 0 else s.micros end"},
    {"credit", "credits", "case when s.before or s.micros > 0 then 0 else -s.micros end"},
    {"closing", "closing", "s.micros"},
};

// In the account's own direction: what is owed to us and what we owe both count up.
#define OWN "case when s.code < 2000 then s.micros else -s.micros end"
#define OWN_OF(kinds) "case when s.before or s.kind not in (" kinds ") then 0 else " OWN " end"
#define COMES "'charge', 'internal', 'commission', 'share', 'credit', 'true_up'"
static const struct report_measure accruals[] = {
    {"opening", "opening", "case when s.before then " OWN " else 0 end"},
    {"accrued", "accrued", OWN_OF(COMES)},
    {"refunded", "refunded", OWN_OF("'refund'")},
    {"moved", "billed, locked",
     "case when s.before or s.kind in (" COMES ", 'refund') then 0 else " OWN " end"},
    {"closing", "closing", OWN},
};
static const struct report_measure clawbacks[] = {
    {"opening", "opening", "case when s.before then s.micros else 0 end"},
    {"clawed_back", "clawed back",
     "case when s.before or s.kind not in ('clawback', 'refund') then 0 else s.micros end"},
    {"netted", "netted", "case when s.before or s.kind <> 'net' then 0 else s.micros end"},
    {"other", "billed, other",
     "case when s.before or s.kind in ('clawback', 'refund', 'net') then 0 else s.micros end"},
    {"closing", "closing", "s.micros"},
};

#define OWED(code) "case when s.code = " code " then -s.micros else 0 end"
static const struct report_measure gain_share[] = {
    {"earned", "earned",
     "case when s.kind in ('share', 'refund', 'credit', 'true_up', 'clawback')"
     " and s.code <> 5000 and s.other_code in (1150, 5000) then -s.micros else 0 end"},
    {"accrued", "accrued", OWED("2100")},
    {"payable", "payable", OWED("2110")},
    {"held", "held", OWED("2120")},
    {"clawback", "clawback", OWED("1160")},
    {"in_transit", "in transit", OWED("2190")},
    {"paid", "paid", "case when s.code = 2190 and s.other_code = 1000 then s.micros else 0 end"},
    {"due", "due",
     "case when s.code in (2100, 2110, 2120, 2190, 1160) then -s.micros"
     " else 0 end"},
};

// --- Reports -------------------------------------------------------------------------------------

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct report_spec spec_revenue = {
    .filter = "(s.dc between 4000 and 5999 or s.cc between 4000 and 5999)",
    .measures = revenue,
    .measure_count = COUNT(revenue),
    .heading = "Revenue",
    .notes =
        "External: accounts 4000 and 4090. Internal: 4100, which expense (5100) takes off again. "
        "Gain share: 4200 and 4210. Fees: 4300. Expense: 5000 to 5999. Net is all income less all "
        "expense.",
    .empty = "Nothing was earned or spent",
};
static const struct report_spec spec_internal = {
    .filter = "(s.dc in (4100, 5100) or s.cc in (4100, 5100) or (s.dc = 5000 and s.cc = 4210)"
              " or (s.dc = 4210 and s.cc = 5000))",
    .dimensions = {&between_what, &between_buyer, &between_owner},
    .measures = internal,
    .measure_count = COUNT(internal),
    .heading = "Transfer prices between departments",
    .notes =
        "Paid: 5100 (of gain shares 5000). Earned: 4100 (of gain shares 4210). What remains when "
        "both are eliminated must be 0.",
    .empty = "No department paid another",
    .zero = "remains",
};
static const struct report_spec spec_trial = {
    .sides = true,
    .opening = true,
    .filter = "true",
    .dimensions = {&by_account},
    .measures = trial,
    .measure_count = COUNT(trial),
    .heading = "Trial balance",
    .notes =
        "Balances count debits up and credits down; debits equal credits, so they add up to 0.",
    .empty = "Nothing was posted",
    .zero = "closing",
};
static const struct report_spec spec_accruals = {
    .sides = true,
    .opening = true,
    .filter = "s.code in (1110, 1150, 2100, 2110, 2120)",
    .by_first = true,
    .dimensions = {&owed_side, &by_account},
    .measures = accruals,
    .measure_count = COUNT(accruals),
    .heading = "Accruals",
    .notes = "What is owed to us (1110, 1150) and what we owe (2100, 2110, 2120), each counted up. "
             "Billed, locked: moved on, to another account.",
    .empty = "Nothing is accrued",
};
static const struct report_spec spec_clawbacks = {
    .sides = true,
    .opening = true,
    .filter = "s.code = 1160",
    .dimensions = {&by_account},
    .measures = clawbacks,
    .measure_count = COUNT(clawbacks),
    .heading = "Clawbacks: paid out, and refunded afterwards",
    .notes = "Netted: taken off what was payable. Closing: still to come back.",
    .empty = "Nothing that was paid out was refunded",
};
static const struct report_spec spec_gain_share = {
    .sides = true,
    .to_date = true,
    .filter = "s.code in (2100, 2110, 2120, 2190, 1160, 4200, 4210)",
    .dimensions = {&share_of, &share_from},
    .measures = gain_share,
    .measure_count = COUNT(gain_share),
    .heading = "Gain share",
    .notes =
        "Earned: parts of pools, less refunds; what the host and its departments earn is theirs at "
        "once. Due: accrued, payable, held and in transit, less clawbacks. Payouts are of a "
        "beneficiary, not of one merchant: their rows name none.",
    .empty = "No gain share was earned",
};

const struct report_spec *
report_spec_of(enum report_kind kind)
{
    switch (kind) {
    case REPORT_REVENUE: return &spec_revenue;
    case REPORT_INTERNAL: return &spec_internal;
    case REPORT_TRIAL_BALANCE: return &spec_trial;
    case REPORT_ACCRUALS: return &spec_accruals;
    case REPORT_CLAWBACKS: return &spec_clawbacks;
    case REPORT_GAIN_SHARE: return &spec_gain_share;
    case REPORT_LADDER:
    case REPORT_OBJECTIVES:
    case REPORT_MATRIX:
    case REPORT_FILL:
    case REPORT_REASONS:
    case REPORT_PACING:
    case REPORT_EXPERIMENTS:
    case REPORT_DEALS:
    case REPORT_RATES:
    case REPORT_AGING:
    case REPORT_UNEXPLAINED:
    case REPORT_ECONOMICS:
    case REPORT_INVESTMENT:
    case REPORT_KIND_COUNT: return NULL;
    }
    return NULL;
}

const struct report_dimension *
report_dimension_of(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(asked); i++)
        if (strlen(asked[i]->name) == len && memcmp(asked[i]->name, name, len) == 0)
            return asked[i];
    return NULL;
}

const char *
report_dimension_names(void)
{
    return "rung, objective, cell, seat, contract, slot, message, container, period, day";
}
