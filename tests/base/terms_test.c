#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "fact.h"
#include "terms.h"

// Every word reads back as itself, and nothing else does.
#define READS_BACK(kind, count)                                                       \
    for (unsigned i = 0; i < (unsigned)(count); i++) {                                \
        enum kind value = (enum kind)i, again;                                        \
        const char *name = kind##_name(value);                                        \
        assert_int_equal(kind##_parse(name, strlen(name), &again), STATUS_OK);        \
        assert_int_equal(again, value);                                               \
        assert_int_equal(kind##_parse(name, strlen(name) - 1, &again), STATUS_INPUT); \
    }

static void
words_read_back(void **state)
{
    (void)state;
    READS_BACK(channel, CHANNEL_COUNT)
    READS_BACK(stage, STAGE_COUNT)
    READS_BACK(objective, OBJECTIVE_COUNT)
    READS_BACK(rung, RUNG_COUNT)
    READS_BACK(identity, IDENTITY_COUNT)
    READS_BACK(tier, TIER_COUNT)
    READS_BACK(loyalty, LOYALTY_COUNT)
    READS_BACK(condition, CONDITION_COUNT)
    READS_BACK(consent, CONSENT_COUNT)
    READS_BACK(privacy, PRIVACY_COUNT)
    READS_BACK(seat_kind, SEAT_KIND_COUNT)
    READS_BACK(role, ROLE_COUNT)
    enum channel channel;
    assert_int_equal(channel_parse("Call", 4, &channel), STATUS_INPUT);
    assert_int_equal(channel_parse("", 0, &channel), STATUS_INPUT);
}

// Numbers and keys are what partners' programs switch on: none twice, none missing.
static void
reasons_are_distinct(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        enum reason a = (enum reason)i;
        assert_non_null(reason_key(a));
        assert_non_null(reason_text(a));
        assert_true(strlen(reason_text(a)) > 8);
        for (const char *c = reason_key(a); *c != '\0'; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        for (unsigned j = 0; j < i; j++) {
            enum reason b = (enum reason)j;
            assert_int_not_equal(reason_number(a), reason_number(b));
            assert_string_not_equal(reason_key(a), reason_key(b));
        }
    }
}

static void
facts_bear_their_placement(void **state)
{
    (void)state;
    struct fact fact = {.kind = FACT_PLACEMENT, .position = 7};
    memset(fact.contact.bytes, 0xa0, sizeof fact.contact.bytes);
    struct id placement = fact_placement(&fact);
    assert_int_equal(placement.bytes[15], 0xa7);
    assert_int_equal(fact_position_of(placement), 7);
    assert_true(id_same(fact_contact_of(placement), fact.contact));
    for (unsigned i = 0; i < FACT_KIND_COUNT; i++)
        assert_non_null(fact_kind_name((enum fact_kind)i));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_read_back),
        cmocka_unit_test(reasons_are_distinct),
        cmocka_unit_test(facts_bear_their_placement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
