// Exchange rates and exchange.
//
//  1 A rate is a fraction of integers, kept as it was written and reduced. Nothing is rounded but
//    amounts, once, by money.h.
//  2 (from, to, at) is a primary key, and rows are only added: two people who set a pair for one
//    time cannot both succeed unless they say the same.
//  3 A rate serves both ways. Of those of a pair the newest counts, in whichever direction it was
//    written down; of two of the same time the one that was written for this direction.
//  4 Rounding is in favour of 3900: spread up, what is taken down. So 3900 of both currencies,
//    valued at the rate, never loses by an exchange.
#include "rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "hash.h"
#include "market.h"

static uint64_t
divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// Digits with at most one point, as a fraction of a power of ten.
static enum status
parse_decimal(const char *text, size_t len, uint64_t *out_num, uint64_t *out_den)
{
    uint64_t num = 0, den = 1;
    bool point = false, digit = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') return STATUS_INPUT;
        digit = true;
        num = num * 10 + (uint64_t)(text[i] - '0');
        if (point) den *= 10;
        if (num > RATE_MOST || den > RATE_MOST) return STATUS_OVERFLOW;
    }
    if (!digit) return STATUS_INPUT;
    *out_num = num;
    *out_den = den;
    return STATUS_OK;
}

enum status
rate_parse(const char *text, size_t len, uint64_t *out_num, uint64_t *out_den)
{
    uint64_t num, den, over_num = 1, over_den = 1;
    const char *slash = memchr(text, '/', len);
    enum status status = parse_decimal(text, slash ? (size_t)(slash - text) : len, &num, &den);
    if (status == STATUS_OK && slash) {
        status = parse_decimal(slash + 1, len - (size_t)(slash + 1 - text), &over_num, &over_den);
        if (status == STATUS_OK && (den != 1 || over_den != 1)) status = STATUS_INPUT;
        den = over_num;
    }
    if (status != STATUS_OK) return status;
    if (num == 0 || den == 0) return STATUS_INPUT;
    uint64_t both = divisor(num, den);
    *out_num = num / both;
    *out_den = den / both;
    return STATUS_OK;
}

void
rate_format(const struct rate *rate, char out[RATE_TEXT])
{
    uint64_t den = rate->den, num = rate->num;
    unsigned decimals = 0;
    for (uint64_t scale = 1; scale <= RATE_MOST; scale *= 10, decimals++) {
        if (scale % den != 0) continue;
        __extension__ unsigned __int128 scaled = (unsigned __int128)num * (scale / den);
        uint64_t whole = (uint64_t)(scaled / scale), rest = (uint64_t)(scaled % scale);
        if (decimals == 0) snprintf(out, RATE_TEXT, "%" PRIu64, whole);
        else snprintf(out, RATE_TEXT, "%" PRIu64 ".%0*" PRIu64, whole, (int)decimals, rest);
        return;
    }
    snprintf(out, RATE_TEXT, "%" PRIu64 "/%" PRIu64, num, den);
}

// --- Rates kept ----------------------------------------------------------------------------------

static bool
sensible(const struct rate *rate, usec now)
{
    return !currency_same(rate->from, rate->to) && market_currency_known(rate->from.code) &&
           market_currency_known(rate->to.code) && rate->num > 0 && rate->den > 0 &&
           rate->num <= RATE_MOST && rate->den <= RATE_MOST && rate->spread_ppm < MONEY_PPM &&
           rate->source[0] != '\0' && rate->at.us >= 0 && rate->at.us <= now.us;
}

// STATUS_NOT_FOUND: there is none of this pair and time.
static enum status
compare_earlier(struct db *db, const struct rate *rate)
{
    const struct db_param params[] = {db_text(rate->from.code), db_text(rate->to.code),
                                      db_time(rate->at)};
    struct db_rows *rows = NULL;
    enum status status = db_query(db,
                                  "select num, den, spread_ppm, source from rate"
                                  " where from_currency = $1 and to_currency = $2 and at_us = $3",
                                  params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        bool same = (uint64_t)db_get_int(rows, 0, 0) == rate->num &&
                    (uint64_t)db_get_int(rows, 0, 1) == rate->den &&
                    (uint32_t)db_get_int(rows, 0, 2) == rate->spread_ppm &&
                    strcmp(db_get_text(rows, 0, 3), rate->source) == 0;
        status = same ? STATUS_EXISTS : STATUS_CONFLICT;
    }
    db_rows_free(rows);
    return status;
}

static enum status
insert_rate(struct db *db, const struct rate *rate, const char *author, usec now)
{
    struct act *act = NULL;
    char text[RATE_TEXT], at[CLOCK_TEXT], spread[16];
    enum status status = act_begin(db, "rate", author, "", now, &act);
    if (status != STATUS_OK) return status;
    rate_format(rate, text);
    clock_format(rate->at, at);
    snprintf(spread, sizeof spread, "%" PRIu32, rate->spread_ppm);
    act_note(act, "from", rate->from.code);
    act_note(act, "to", rate->to.code);
    act_note(act, "rate", text);
    act_note(act, "at", at);
    act_note(act, "spread_ppm", spread);
    act_note(act, "source", rate->source);
    const struct db_param params[] = {
        db_text(rate->from.code),    db_text(rate->to.code),
        db_time(rate->at),           db_int8((int64_t)rate->num),
        db_int8((int64_t)rate->den), db_int4((int32_t)rate->spread_ppm),
        db_text(rate->source),       db_int8((int64_t)act_number(act)),
    };
    status = compare_earlier(db, rate);
    if (status == STATUS_NOT_FOUND)
        status = db_run(db,
                        "insert into rate (from_currency, to_currency, at_us, num, den, spread_ppm,"
                        " source, act) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                        params, 8, NULL);
    if (status == STATUS_OK) return act_end(act);
    act_abandon(act);
    return status;
}

enum status
rate_set(struct db *db, const struct rate *rate, const char *author, usec now)
{
    if (!sensible(rate, now)) return STATUS_INPUT;
    enum status status = STATUS_AGAIN;
    for (int turn = 0; turn < 5 && status == STATUS_AGAIN; turn++) {
        status = db_begin(db);
        if (status == STATUS_OK) status = insert_rate(db, rate, author, now);
        if (status == STATUS_OK) status = db_commit(db);
        if (status != STATUS_OK) db_rollback(db);
    }
    return status;
}

// Rule 3.
static enum status
read_newest(struct db *db, struct currency from, struct currency to, usec at, struct rate *out)
{
    const struct db_param params[] = {db_text(from.code), db_text(to.code), db_time(at)};
    struct db_rows *rows = NULL;
    enum status status = db_query(
        db,
        "select num, den, spread_ppm, at_us, source, from_currency <> $1 from rate"
        " where ((from_currency = $1 and to_currency = $2) or"
        " (from_currency = $2 and to_currency = $1)) and at_us <= $3"
        " order by at_us desc, 6 limit 1",
        params, 3, &rows);
    if (status == STATUS_OK && db_count(rows) == 0) status = STATUS_NOT_FOUND;
    if (status == STATUS_OK) {
        *out = (struct rate){.from = from, .to = to, .inverse = db_get_bool(rows, 0, 5)};
        out->num = (uint64_t)db_get_int(rows, 0, out->inverse ? 1 : 0);
        out->den = (uint64_t)db_get_int(rows, 0, out->inverse ? 0 : 1);
        out->spread_ppm = (uint32_t)db_get_int(rows, 0, 2);
        out->at = db_get_time(rows, 0, 3);
        snprintf(out->source, sizeof out->source, "%s", db_get_text(rows, 0, 4));
    }
    db_rows_free(rows);
    return status;
}

enum status
rate_find(struct db *db, struct currency from, struct currency to, usec at, int64_t age_us,
          struct rate *out_rate, char out_fault[RATE_FAULT])
{
    out_fault[0] = '\0';
    enum status status = read_newest(db, from, to, at, out_rate);
    if (status == STATUS_NOT_FOUND)
        snprintf(out_fault, RATE_FAULT,
                 "there is no rate from %s to %s; write one down: slotctl rate %s %s RATE --source "
                 "SOURCE",
                 from.code, to.code, from.code, to.code);
    if (status != STATUS_OK || at.us - out_rate->at.us <= age_us) return status;
    char day[CLOCK_TEXT];
    clock_format(out_rate->at, day);
    snprintf(out_fault, RATE_FAULT,
             "the newest rate from %s to %s is of %.10s (%s), older than the %lld days that "
             "finance.rate_age allows; write down a newer one: slotctl rate %s %s RATE --source "
             "SOURCE",
             from.code, to.code, day, out_rate->source, (long long)(age_us / USEC_DAY), from.code,
             to.code);
    return STATUS_DENIED;
}

// --- Exchange ------------------------------------------------------------------------------------

// Rule 4.
enum status
rate_exchange(const struct rate *rate, money amount, int64_t unit, struct rate_exchange *out)
{
    memset(out, 0, sizeof *out);
    if (amount.micros <= 0) return STATUS_INPUT;
    enum status status = money_share_up(amount, rate->spread_ppm, &out->spread);
    if (status == STATUS_OK) status = money_subtract(amount, out->spread, &out->given);
    if (status == STATUS_OK)
        status = money_ratio_down(out->given, rate->num, rate->den, unit, &out->taken);
    if (status == STATUS_OK && out->taken.micros > BOUND_MICROS) status = STATUS_OVERFLOW;
    return status;
}

struct leg {
    const char *domain, *back;  // of its id
    struct account from, to;
    struct currency currency;
    money amount;
};

static void
take(struct act *act, const struct transfer *like, const struct leg *leg, bool back)
{
    struct transfer one = *like;
    if (leg->amount.micros == 0) return;
    one.id = hash_id(leg->domain, &like->group, sizeof like->group);
    if (back) {
        one.origin = one.id;
        one.id = hash_id(leg->back, &like->group, sizeof like->group);
    }
    one.kind = TRANSFER_EXCHANGE;
    one.state = TRANSFER_POSTED;
    one.debit = back ? leg->to : leg->from;
    one.credit = back ? leg->from : leg->to;
    one.currency = leg->currency;
    one.amount = leg->amount;
    act_transfer(act, &one);
}

void
rate_transfers(struct act *act, const struct rate *rate, const struct rate_exchange *exchange,
               struct account account, const struct transfer *like, bool back)
{
    const struct account pool = {.code = ACCOUNT_EXCHANGE}, fees = {.code = ACCOUNT_FEES};
    const struct leg legs[] = {
        {"exchange.spread", "exchange.spread.back", account, fees, rate->from, exchange->spread},
        {"exchange.given", "exchange.given.back", account, pool, rate->from, exchange->given},
        {"exchange.taken", "exchange.taken.back", pool, account, rate->to, exchange->taken},
    };
    for (size_t i = 0; i < 3; i++) take(act, like, &legs[i], back);
}
