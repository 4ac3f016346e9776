// Words of the market file.
#include "market.h"

#include "fail.h"
#include "read.h"

#define NAME(names, value)                                    \
    CHECK((size_t)(value) < sizeof(names) / sizeof *(names)); \
    return names[value]

bool
market_currency_known(const char *code)
{
    return read_currency_known(code);
}

const char *
market_charge_name(enum charge value)
{
    static const char *const names[CHARGE_COUNT] = {"delivery", "win", "response",
                                                    "conversion"};
    NAME(names, value);
}

const char *
market_billing_name(enum billing value)
{
    static const char *const names[BILLING_COUNT] = {"credit", "prepaid"};
    NAME(names, value);
}

const char *
market_pricing_name(enum pricing value)
{
    static const char *const names[PRICING_COUNT] = {"per_slot", "vcg"};
    NAME(names, value);
}

const char *
market_pacing_name(enum pacing value)
{
    static const char *const names[PACING_COUNT] = {"asap", "even", "front"};
    NAME(names, value);
}

const char *
market_cap_per_name(enum cap_per value)
{
    static const char *const names[CAP_PER_COUNT] = {"message",  "seat",    "objective",
                                                     "category", "channel", "any"};
    NAME(names, value);
}

const char *
market_cap_window_name(enum cap_window value)
{
    static const char *const names[CAP_WINDOW_COUNT] = {"minutes", "hour", "day", "week",
                                                        "lifetime"};
    NAME(names, value);
}

const char *
market_deal_at_name(enum deal_at value)
{
    static const char *const names[DEAL_AT_COUNT] = {"second", "first", "fixed"};
    NAME(names, value);
}

const char *
market_disclosure_name(enum disclosure value)
{
    static const char *const names[DISCLOSURE_COUNT] = {"nothing", "clearing", "to_tie"};
    NAME(names, value);
}

const char *
market_transfer_price_name(enum transfer_price value)
{
    static const char *const names[TRANSFER_PRICE_COUNT] = {"second_price", "floor", "zero",
                                                            "cost_plus"};
    NAME(names, value);
}

const char *
market_merchant_name(enum merchant value)
{
    static const char *const names[MERCHANT_COUNT] = {"host", "partner"};
    NAME(names, value);
}

const char *
market_rounding_name(enum rounding value)
{
    static const char *const names[ROUNDING_COUNT] = {"half_even", "down", "up"};
    NAME(names, value);
}

const char *
market_clawback_name(enum clawback value)
{
    static const char *const names[CLAWBACK_COUNT] = {"net", "bill"};
    NAME(names, value);
}

const char *
market_attribution_name(enum attribution value)
{
    static const char *const names[ATTRIBUTION_COUNT] = {
        "last",     "first",  "linear",  "time_decay",
        "position", "markov", "shapley", "counterfactual"};
    NAME(names, value);
}

const char *
market_attribute_type_name(enum attribute_type value)
{
    static const char *const names[ATTRIBUTE_TYPE_COUNT] = {"boolean", "integer", "text", "list"};
    NAME(names, value);
}

const char *
market_attribute_of_name(enum attribute_of value)
{
    static const char *const names[ATTRIBUTE_OF_COUNT] = {"contact", "customer", "slot", "message"};
    NAME(names, value);
}
