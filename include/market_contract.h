// Contracts of the declared market: what makes a price due, who pays which part of the revenue that
// follows, and how it is settled. Part of market.h, whose words on texts and places hold here too.
// Terms are those of the market version that decided a placement: a contract edited later changes
// nothing that was won before.
#ifndef VENDUE_MARKET_CONTRACT_H
#define VENDUE_MARKET_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "market_rules.h"
#include "money.h"
#include "terms.h"

// What makes the price of a placement due. RESPONSE: the customer accepted; CONVERSION: revenue
// followed; both within BOUND_RESPONSE_DAYS, else it lapses. Bids that are priced per response or
// by share are due by their own nature, whatever stands here.
enum charge { CHARGE_DELIVERY, CHARGE_WIN, CHARGE_RESPONSE, CHARGE_CONVERSION, CHARGE_COUNT };
// When the price of a placement becomes due, by the kind of its price and its contract's charge. A
// price that waits for a response or a conversion is given back when the placement is cancelled,
// expires, is declined or lapses.
enum due { DUE_WIN, DUE_DELIVERY, DUE_RESPONSE, DUE_CONVERSION, DUE_REVENUE };
static inline enum due
market_due(uint8_t price_kind, uint8_t charge)
{
    if (price_kind == PRICE_SHARE) return DUE_REVENUE;
    if (price_kind == PRICE_RESPONSE || charge == CHARGE_RESPONSE) return DUE_RESPONSE;
    return charge == CHARGE_WIN          ? DUE_WIN
           : charge == CHARGE_CONVERSION ? DUE_CONVERSION
                                         : DUE_DELIVERY;
}
static inline bool
market_waits(enum due due)
{
    return due == DUE_RESPONSE || due == DUE_CONVERSION;
}

enum billing { BILLING_CREDIT, BILLING_PREPAID, BILLING_COUNT };
// COST_PLUS: the slot's cost and a part of it more (cost_plus_ppm).
enum transfer_price {
    TRANSFER_SECOND_PRICE,
    TRANSFER_FLOOR,
    TRANSFER_ZERO,
    TRANSFER_COST_PLUS,
    TRANSFER_PRICE_COUNT
};
// Who made the sale, and so pays the pool. One order of a merchant has one pool, whoever reports
// it.
enum merchant { MERCHANT_HOST, MERCHANT_PARTNER, MERCHANT_COUNT };
// How a pool is rounded to micros.
enum rounding { ROUNDING_HALF_EVEN, ROUNDING_DOWN, ROUNDING_UP, ROUNDING_COUNT };
// What was paid out and is refunded afterwards: taken off the next payout, or billed at the close.
enum clawback { CLAWBACK_NET, CLAWBACK_BILL, CLAWBACK_COUNT };

// How the part of a pool that goes to `touches` is divided among them (credit.h). The last three
// are fitted per period from the ledger's own paths; until a fit is there they divide linearly.
enum attribution {
    ATTRIBUTION_LAST,
    ATTRIBUTION_FIRST,
    ATTRIBUTION_LINEAR,
    ATTRIBUTION_TIME_DECAY,
    ATTRIBUTION_POSITION,
    ATTRIBUTION_MARKOV,
    ATTRIBUTION_SHAPLEY,
    ATTRIBUTION_COUNTERFACTUAL,
    ATTRIBUTION_COUNT
};
struct market_attribution {
    struct place place, model_place;
    uint8_t model;                 // enum attribution
    int64_t half_life_us;          // time_decay; 7 days unless declared
    uint32_t first_ppm, last_ppm;  // position: 400,000 each unless declared; the rest lies between
    // A touch counts when it lies within one of its windows before the conversion, by event time:
    // of its delivery (the channel's, where one is declared), or of its acceptance. 0: never.
    int64_t delivered_us;               // 1 day unless declared
    int64_t accepted_us;                // 30 days unless declared
    int64_t channel_us[CHANNEL_COUNT];  // in place of delivered_us; -1 not declared
};

#define MARKET_TOUCHES "touches"
struct market_share {
    struct place place;
    const char *to;   // "host", a seat's code, or "touches": divided among them by the attribution
    int8_t rung;      // enum rung the part is booked under; -1 the placement's own (touches: each
                      // its own)
    uint64_t weight;  // parts of the whole, any scale
};
// Rates by the revenue of a contract in a period: `rate_ppm` holds from `from` on.
struct market_tier {
    struct place place;
    money from;  // of the first tier 0; increasing
    uint32_t rate_ppm;
};
#define MARKET_TIERS 8
#define MARKET_VALIDATION_DAYS 30  // unless declared
struct market_contract {
    struct place place;
    uint32_t id;
    const char *code, *seat;
    struct place seat_place, until_place, billing_place, transfer_price_place, gain_share_place,
        payout_place;
    usec from, until;  // in force from (inclusive) until (exclusive); until 0: open
    uint8_t charge, billing, transfer_price, merchant;
    uint32_t cost_plus_ppm;  // TRANSFER_COST_PLUS
    bool has_gain_share;
    // One rate, or tiers: marginal (each part of the revenue at its tier's rate), or retroactive
    // (at the close all of the period's revenue at the rate that it reached, by true-up).
    struct market_tier tiers[MARKET_TIERS];
    uint32_t tier_count;  // at least 1 when has_gain_share
    bool retroactive;
    bool has_cap;
    money cap;  // of the period's revenue: the pool of what goes beyond is the host's alone
    uint8_t rounding;
    struct market_share *shares;
    uint32_t share_count;
    struct market_attribution attribution;
    // Life of the money.
    uint32_t validation_days;  // after the conversion; then shares lock. 30 unless declared; 0: at
                               // the next turn
    uint8_t clawback;
    money minimum_payout;             // less is carried to the next one
    struct currency payout_currency;  // "" the market's own
    char tax_category;  // of EN 16931, on invoices: 'S' 'Z' 'E' 'K' 'G', 'O' unless declared
    uint32_t tax_ppm;   // rate of category S
};

// Who a party is on documents. All "" unless declared.
struct market_party {
    struct place place;
    const char *legal_name, *street, *city, *postal_code, *country;  // country: ISO 3166, "DE"
    const char *tax_id, *registration, *email;
    const char *iban, *bic;  // where it is paid, or pays from
};
// Rules of the house for finance.
struct market_finance {
    struct market_party party;  // the host
    money approve_above;        // an adjustment above it needs a second person; 0: every one does;
                                // 100 units of the currency unless declared
    bool has_approve_above;
    int64_t rate_age_us;    // how old an exchange rate may be when it is used: 7 days
    uint32_t dispute_days;  // how long a dispute may stand open: 30
};

#endif
