// What the encoder refuses: a market that was not checked, by the name of the object and what is
// wrong.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "catalog_sample.h"
#include "fact.h"
#include "scratch.h"

static void
assert_refused(const char *says)
{
    const uint8_t *bytes;
    size_t len;
    struct expr_error error;
    if (catalog_encode(&sample_input, arena, &bytes, &len, &error) != STATUS_INPUT)
        fail_msg("accepted: %s", says);
    if (strstr(error.text, says) == NULL) fail_msg("%s, not: %s", error.text, says);
}

// Sets a field of the sample to a value, expects a refusal, and puts the field back.
#define REFUSED(field, bad, says)         \
    do {                                  \
        __typeof__(field) good = (field); \
        (field) = (bad);                  \
        assert_refused(says);             \
        (field) = good;                   \
    } while (0)

static void
a_market_that_was_not_checked_is_refused_by_name(void **state)
{
    (void)state;
    REFUSED(sample_messages[1].rule, "age > 18 and regoin = 'x'",
            "rule of message 'grill': no attribute 'regoin'; did you mean 'region'?");
    REFUSED(sample_messages[1].rule, "loud",
            "rule of message 'grill': 'loud' describes the message");
    REFUSED(sample_bill_slots[0].rule, "place = 'north'",
            "rule of slot 'bill.footer': 'place' describes the slot");
    REFUSED(sample_seats[1].rule, "place = 'nort'", "did you mean 'north'?");
    REFUSED(sample_seats[1].rule, "place = 'elsewhere'", "it takes for example 'north'");
    REFUSED(sample_seats[1].id, 0, "seat 'grillco': its id is 0");
    REFUSED(sample_seats[1].id, 3, "seat 'grillco': its id 3 is another one's");
    REFUSED(sample_seats[1].id, BOUND_SEATS, "seat 'grillco': its id is");
    REFUSED(sample_seats[1].code, "marketing", "seat 'marketing' is there already");
    REFUSED(sample_seats[1].kind, SEAT_KIND_COUNT, "seat 'grillco' is not well");
    REFUSED(sample_seats[1].budget.total.micros, -1, "seat 'grillco': an amount");
    REFUSED(sample_messages[1].seat, "nobody", "message 'grill': there is no seat 'nobody'");
    REFUSED(sample_messages[0].id, BOUND_MESSAGES, "message 'upgrade': its id is");
    REFUSED(sample_messages[0].rung, RUNG_COUNT, "message 'upgrade' is not well");
    REFUSED(sample_messages[1].cap_days, 0, "message 'grill' is not well");
    REFUSED(sample_containers[0].owner, "", "container 'call': there is no seat ''");
    REFUSED(sample_containers[0].channel, CHANNEL_COUNT, "container 'call' is not well");
    REFUSED(sample_bill_slots[1].id, 11, "slot 'bill.insert': its id 11");
    REFUSED(sample_bill_slots[1].objectives, 0x200, "slot 'bill.insert' is not well");
    REFUSED(sample_footer_formats[0], "banner", "a format is empty or named twice");
    REFUSED(sample_floors[2].rung, RUNG_COUNT, "slot 'bill.footer': a floor's rung");
    REFUSED(sample_floors[3].seat, "nobody", "slot 'bill.footer': there is no seat");
    REFUSED(sample_floors[3].price.micros, BOUND_MICROS + 1, "slot 'bill.footer': an amount");
    REFUSED(sample_slot_values[0].attribute, "themes",
            "slot 'bill.footer': 'themes' is no attribute declared of a slot");
    REFUSED(sample_slot_values[0].attribute, "place",
            "slot 'bill.footer': attribute 'place' has two values");
    REFUSED(sample_slot_values[0].items, sample_place_items,
            "the value of attribute 'height' does not fit");
    REFUSED(sample_limits_items[0], "10", "the value of attribute 'height' does not fit");
    REFUSED(sample_slot_values[1].count, 0, "the value of attribute 'place' does not fit");
    REFUSED(sample_message_values[1].items, sample_place_items,
            "the value of attribute 'loud' does not fit");
    REFUSED(sample_contracts[0].seat, "nobody", "contract 'grill-27': there is no seat");
    REFUSED(sample_contracts[0].charge, CHARGE_COUNT, "contract 'grill-27' is not well");
    REFUSED(sample_attributes[1].code, "order",
            "attribute 'order': this name cannot stand in a rule");
    REFUSED(sample_attributes[1].code, "channel", "attribute 'channel' is there already");
    REFUSED(sample_attributes[1].least, 121, "attribute 'age' is not well");
    REFUSED(sample_market.attribute_count, BOUND_ATTRIBUTES, "64 attributes; the most is 47");
    REFUSED(sample_touchpoints[0].id, 65536, "touchpoint 'crm': its id is 65536");
    REFUSED(sample_bids[0].id, 20, "bid 20 is there twice");
    REFUSED(sample_bids[0].price.micros, 0, "bid 30 cannot be");
    REFUSED(sample_bids[0].state, BID_WITHDRAWN + 1, "bid 30 cannot be");
    REFUSED(sample_certificates[0].fingerprint.bytes[0], 1, "a certificate is there twice");
    REFUSED(sample_bids[0].kind, PRICE_KIND_COUNT, "bid 30 cannot be");
    REFUSED(sample_market.code, "", "market ''");
    char long_code[BOUND_CODE + 2];
    memset(long_code, 'x', sizeof long_code);
    long_code[BOUND_CODE + 1] = '\0';
    REFUSED(sample_messages[0].code, long_code, "a code has 1 to 48 bytes");
    struct expr_error error;
    const uint8_t *bytes;
    size_t len;
    sample_messages[1].rule = "age > 18 and regoin = 'x'";
    assert_int_equal(catalog_encode(&sample_input, arena, &bytes, &len, &error), STATUS_INPUT);
    assert_true(error.column == 14 && error.length == 6);
    sample_messages[1].rule = "age between 18 and 65";
    size_t good;
    (void)catalog_sample_encode(&sample_input, arena, &good);
}

static void
rules_of_selling_are_refused_by_name(void **state)
{
    (void)state;
    static const char *nobody[] = {"nobody", "nobody"};
    REFUSED(sample_seats[1].shows, nobody, "seat 'grillco': it cannot be shown 'nobody'");
    REFUSED(sample_attributes[0].privacy, PRIVACY_HOST, "it cannot be shown 'region'");
    REFUSED(sample_seats[1].budget.daily.micros, -1, "seat 'grillco': an amount");
    REFUSED(sample_seats[1].budget.pacing, PACING_COUNT, "seat 'grillco' is not well");
    REFUSED(sample_containers[2].quota_count, 3, "container 'bill' is not well");
    REFUSED(sample_messages[1].campaign, "winter", "message 'grill': there is no campaign");
    REFUSED(sample_campaigns[1].seat, "marketing", "campaign 'spring_web': its parent cannot");
    REFUSED(sample_campaigns[1].parent, "spring_web", "its parent cannot be one");
    REFUSED(sample_campaigns[0].parent, "spring_web", "campaign 'spring_web': its parent cannot");
    REFUSED(sample_campaigns[1].id, 12, "campaign 'spring': its id 12 is another one's");
    REFUSED(sample_messages[1].priority, BOUND_PRIORITY + 1, "message 'grill' is not well");
    REFUSED(sample_caps[2].minutes, 0, "cap 'garden' is not well");
    REFUSED(sample_caps[0].count, BOUND_CAP_COUNT + 1, "cap 'pressure' is not well");
    REFUSED(sample_caps[0].of, "all", "cap 'pressure': 'all' is nothing it can count");
    REFUSED(sample_caps[1].of, "sell", "cap 'each': 'sell' is nothing it can count");
    REFUSED(sample_rule_floors[1].when, "loud", "rule of floor 'of_grill': 'loud'");
    REFUSED(sample_rule_floors[1].tier, TIER_COUNT, "a floor's rung or tier is unknown");
    REFUSED(sample_experiments[0].factor_ppm, 0, "experiment 'dearer' is not well");
    REFUSED(sample_experiments[0].share_ppm, 1000001, "experiment 'dearer' is not well");
    REFUSED(sample_deals[0].messages, nobody, "deal 'grill_deal': there is no message 'nobody'");
    REFUSED(sample_deals[0].slots, nobody, "deal 'grill_deal': there is no slot 'nobody'");
    REFUSED(sample_deals[0].at, DEAL_AT_COUNT, "deal 'grill_deal' is not well");
    REFUSED(sample_market.disclosure, DISCLOSURE_COUNT, "the market is not well declared");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_market_that_was_not_checked_is_refused_by_name),
        TEST(rules_of_selling_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
