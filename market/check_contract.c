// What contracts say of other objects, and of each other.
//
//   1 a seat's contracts do not overlap in time
//   2 nobody pays itself: neither a merchant its own share, nor a department in advance
//   3 what a contract promises can be booked: shares go to seats, the host or touches; a cost is
//     declared where the transfer price is built on it; departments are paid nothing out
#include "check_contract.h"

#include <stdlib.h>
#include <string.h>

static void
check_shares(struct checker *checker, const struct market_contract *contract,
             const struct market_seat *seat)
{
    for (uint32_t i = 0; i < contract->share_count; i++) {
        const struct market_share *share = &contract->shares[i];
        bool host = strcmp(share->to, "host") == 0,
             touches = strcmp(share->to, MARKET_TOUCHES) == 0;
        if (share->to[0] == '\0') continue;
        if (!host && !touches &&
            check_need_seat(checker, share->place, "shares", share->to, 2) == NULL)
            continue;
        if (host && contract->merchant == MERCHANT_HOST)
            report_error(checker->report, share->place, checker->object,
                         "shares: the host is the merchant and would pay itself")
                ->mend = "leave the host out; it keeps what it does not share";
        if (seat != NULL && contract->merchant == MERCHANT_PARTNER &&
            strcmp(share->to, seat->code) == 0)
            report_error(checker->report, share->place, checker->object,
                         "shares: '%s' is the merchant and would pay itself", share->to)
                ->mend = "leave it out; it keeps what it does not share";
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(contract->shares[j].to, share->to) != 0 ||
                contract->shares[j].rung != share->rung)
                continue;
            report_error(checker->report, share->place, checker->object,
                         "shares: '%s' on the same rung stands already in line %u", share->to,
                         contract->shares[j].place.line)
                ->mend = "add the two weights into one share";
            break;
        }
    }
}

static bool
has_cost(const struct market *market)
{
    for (uint32_t i = 0; i < market->container_count; i++) {
        if (market->containers[i].has_cost) return true;
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            if (market->containers[i].slots[j].has_cost) return true;
    }
    return false;
}

static void
check_costs(struct checker *checker, const struct market_contract *contract)
{
    if (contract->transfer_price == TRANSFER_COST_PLUS && !has_cost(checker->market))
        report_error(checker->report, contract->transfer_price_place, checker->object,
                     "transfer_price: cost_plus, but no container and no slot says what it costs")
            ->mend = "write `cost: 0.05` under a slot, or under its container";
}

static void
check_payout(struct checker *checker, const struct market_contract *contract,
             const struct market_seat *seat)
{
    bool says = contract->minimum_payout.micros > 0 || contract->payout_currency.code[0] != '\0';
    if (seat != NULL && seat->kind == SEAT_DEPARTMENT && says)
        report_error(checker->report, contract->payout_place, checker->object,
                     "a department is paid nothing out; seat '%s' is one", seat->code)
            ->mend = "remove the terms of its payout";
}

static void
check_one(struct checker *checker, const struct market_contract *contract)
{
    checker->object = arena_printf(checker->arena, "contract %s", contract->code);
    const struct market_seat *seat = check_need_seat(checker, contract->seat_place, "seat",
                                                     contract->seat, 0);
    if (contract->until.us != 0 && contract->until.us <= contract->from.us)
        report_error(checker->report, contract->until_place, checker->object,
                     "'until' is not after 'from'")
            ->mend = "exchange the two dates";
    if (seat != NULL && seat->kind == SEAT_DEPARTMENT && contract->has_gain_share &&
        contract->merchant == MERCHANT_PARTNER)
        report_error(checker->report, contract->gain_share_place, checker->object,
                     "gain_share: the merchant is a partner, but seat '%s' is a department",
                     seat->code)
            ->mend = "write `merchant: host`, or give the contract to the partner";
    if (seat != NULL && seat->kind == SEAT_DEPARTMENT && contract->billing == BILLING_PREPAID)
        report_error(checker->report, contract->billing_place, checker->object,
                     "billing: a department pays by transfer price, never in advance")
            ->mend = "remove `billing`";
    if (seat != NULL && seat->kind == SEAT_PARTNER &&
        contract->transfer_price != TRANSFER_SECOND_PRICE)
        report_error(checker->report, contract->transfer_price_place, checker->object,
                     "transfer_price: a partner pays the second price in money")
            ->mend = "remove `transfer_price`";
    check_costs(checker, contract);
    check_payout(checker, contract, seat);
    if (contract->has_gain_share) check_shares(checker, contract, seat);
}

static int
by_seat_and_start(const void *a, const void *b)
{
    const struct market_contract *x = *(const struct market_contract *const *)a;
    const struct market_contract *y = *(const struct market_contract *const *)b;
    int order = strcmp(x->seat, y->seat);
    if (order != 0) return order;
    if (x->from.us != y->from.us) return x->from.us < y->from.us ? -1 : 1;
    return x->place.line < y->place.line ? -1 : 1;
}

static void
check_overlaps(struct checker *checker)
{
    uint32_t count = checker->market->contract_count;
    const struct market_contract **sorted = arena_take(checker->arena, count + 1, sizeof *sorted);
    for (uint32_t i = 0; i < count; i++) sorted[i] = &checker->market->contracts[i];
    qsort(sorted, count, sizeof *sorted, by_seat_and_start);
    const struct market_contract *longest =
        NULL;  // of those of the same seat: the one that ends last
    for (uint32_t i = 0; i < count; i++) {
        const struct market_contract *now = sorted[i];
        bool same = longest != NULL && strcmp(longest->seat, now->seat) == 0 &&
                    now->seat[0] != '\0';
        if (same && (longest->until.us == 0 || now->from.us < longest->until.us)) {
            const struct market_contract *later = now->place.line > longest->place.line ? now
                                                                                        : longest;
            const struct market_contract *earlier = later == now ? longest : now;
            report_error(checker->report, later->place,
                         arena_printf(checker->arena, "contract %s", later->code),
                         "overlaps contract '%s' (line %u) of the same seat", earlier->code,
                         earlier->place.line)
                ->mend = "end one before the other begins";
        }
        bool lasts = same && (longest->until.us == 0 ||
                              (now->until.us != 0 && now->until.us <= longest->until.us));
        if (!lasts) longest = now;
    }
}

void
check_contract_all(struct checker *checker)
{
    for (uint32_t i = 0; i < checker->market->contract_count; i++)
        check_one(checker, &checker->market->contracts[i]);
    check_overlaps(checker);
}

// --- Warnings ------------------------------------------------------------------------------------

// Slots without a cost, where a transfer price is the cost and a part more: there it is nothing.
static const char *
costless(struct checker *checker)
{
    const struct market *market = checker->market;
    for (uint32_t i = 0; i < market->container_count; i++)
        for (uint32_t j = 0; j < market->containers[i].slot_count; j++)
            if (!market->containers[i].has_cost && !market->containers[i].slots[j].has_cost)
                return arena_printf(checker->arena, "%s.%s", market->containers[i].code,
                                    market->containers[i].slots[j].code);
    return NULL;
}

void
check_contract_warn(struct checker *checker)
{
    const struct market *market = checker->market;
    for (uint32_t i = 0; i < market->contract_count; i++) {
        const struct market_contract *contract = &market->contracts[i];
        const char *object = arena_printf(checker->arena, "contract %s", contract->code);
        const char *slot = contract->transfer_price == TRANSFER_COST_PLUS ? costless(checker)
                                                                          : NULL;
        const struct market_seat *seat = check_seat(checker, contract->seat);
        if (slot != NULL)
            report_warning(checker->report, contract->transfer_price_place, object,
                           "transfer_price: slot %s says no cost, so nothing is paid there", slot)
                ->mend = "write `cost` under the slot or its container";
        bool abroad = contract->payout_currency.code[0] != '\0' &&
                      !currency_same(contract->payout_currency, market->currency);
        if (abroad && seat != NULL && seat->party.iban[0] == '\0')
            report_warning(checker->report, contract->payout_place, object,
                           "payout_currency: seat '%s' has no account to be paid on", seat->code)
                ->mend = "write its `party` with an `iban`";
    }
}
