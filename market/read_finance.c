// Who the parties are on documents, and the house's rules of finance.
#include <string.h>

#include "read.h"

#define DAY_US (86400 * INT64_C(1000000))

struct market_party
read_party_none(struct place place)
{
    return (struct market_party){.place = place,
                                 .legal_name = "",
                                 .street = "",
                                 .city = "",
                                 .postal_code = "",
                                 .country = "",
                                 .tax_id = "",
                                 .registration = "",
                                 .email = "",
                                 .iban = "",
                                 .bic = ""};
}

void
read_finance_usual(struct market_finance *finance)
{
    *finance = (struct market_finance){.party = read_party_none((struct place){0, 0}),
                                       .approve_above = money_of(100000000),
                                       .rate_age_us = 7 * DAY_US,
                                       .dispute_days = 30};
}
