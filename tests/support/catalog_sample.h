// A small market with a bit of everything, as the catalog's tests use it. The arrays are open, so
// that a test can spoil one field and put it back.
#ifndef SUPPORT_CATALOG_SAMPLE_H
#define SUPPORT_CATALOG_SAMPLE_H

#include "catalog.h"

extern const char *sample_limits_items[1], *sample_place_items[1];
extern const char *sample_footer_formats[2];
extern struct market_attribute sample_attributes[7];
extern struct market_seat sample_seats[2];
extern struct market_floor sample_floors[8];
extern struct market_value sample_slot_values[2], sample_message_values[2];
extern struct market_slot sample_bill_slots[2], sample_call_slots[1];
extern struct market_container sample_containers[3];
extern struct market_message sample_messages[2];
extern struct market_contract sample_contracts[3];
extern struct market_campaign sample_campaigns[2];
extern struct market_cap sample_caps[3];
extern struct market_rule_floor sample_rule_floors[2];
extern struct market_experiment sample_experiments[1];
extern struct market_deal sample_deals[1];  // of the message grill
extern struct market_touchpoint sample_touchpoints[1];
extern struct market_bid sample_bids[6];  // the last three are of no message, no slot, another seat
extern struct market_certificate sample_certificates[3];
extern struct market sample_market;
extern const struct catalog_input sample_input;

// A block of a good market; one that is refused fails the test.
const uint8_t *
catalog_sample_encode(const struct catalog_input *input, struct arena *arena, size_t *out_len);

#endif
