// Which caps may stop a message, what counts towards them, and for how long it is remembered.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "catalog_sample.h"
#include "scratch.h"

static struct market_seat seats[] = {
    {.id = 1, .code = "care", .name = "", .kind = SEAT_DEPARTMENT, .rule = ""},
    {.id = 2, .code = "grill", .name = "", .kind = SEAT_PARTNER, .rule = ""},
};
enum { BILL, FOOD, MORE_FOOD, DRINK, TEACH };
#define MESSAGE(number, the_code, the_seat, the_category, mask)                                    \
    {                                                                                              \
        .id = number, .code = the_code, .name = "", .seat = the_seat, .content = "", .format = "", \
        .category = the_category, .rung = 0, .objectives = mask, .rule = "", .campaign = "",       \
        .group = ""                                                                                \
    }
static struct market_message messages[] = {
    [BILL] = MESSAGE(1, "bill", "care", "", 1u << OBJECTIVE_FULFILL),
    [FOOD] = MESSAGE(2, "food", "grill", "food",
                     1u << OBJECTIVE_CROSS_SELL | 1u << OBJECTIVE_REFER),
    [MORE_FOOD] = MESSAGE(3, "more", "grill", "food", 1u << OBJECTIVE_REFER),
    [DRINK] = MESSAGE(4, "drink", "grill", "drink", 1u << OBJECTIVE_CROSS_SELL),
    [TEACH] = MESSAGE(5, "teach", "care", "", 1u << OBJECTIVE_EDUCATE),
};
#define MESSAGES (sizeof messages / sizeof *messages)

static struct catalog *
with_caps(struct market_cap *caps, uint32_t count)
{
    struct market market = {.code = "m",
                            .name = "",
                            .currency = {"EUR"},
                            .seats = seats,
                            .seat_count = 2,
                            .messages = messages,
                            .message_count = MESSAGES,
                            .caps = caps,
                            .cap_count = count};
    for (uint32_t i = 0; i < count; i++) {
        caps[i].id = i + 1;
        caps[i].code = arena_printf(arena, "cap%u", i);
        if (caps[i].of == NULL) caps[i].of = "";
        if (caps[i].count == 0) caps[i].count = 1;
    }
    struct catalog_input input = {.market = &market, .version = 1};
    size_t len;
    const uint8_t *bytes = catalog_sample_encode(&input, arena, &len);
    struct catalog *catalog;
    assert_int_equal(catalog_decode(bytes, len, &catalog, NULL), STATUS_OK);
    return catalog;
}

// Messages that may be stopped, as a mask.
static unsigned
stops(const struct catalog *catalog)
{
    unsigned mask = 0;
    for (uint32_t i = 0; i < catalog->message_count; i++)
        for (uint32_t j = 0; j < catalog->messages[i].cap_count; j++)
            mask |= (unsigned)(catalog->caps[catalog->messages[i].caps[j]].id != 0) << i;
    return mask;
}

// What of all that was shown counts for a message, on the web.
static unsigned
counts(const struct catalog *catalog, uint32_t message)
{
    unsigned mask = 0;
    for (uint32_t shown = 0; shown < catalog->message_count; shown++)
        for (uint32_t j = 0; j < catalog->messages[message].cap_count; j++)
            mask |= (unsigned)catalog_cap_counts(catalog, catalog->messages[message].caps[j],
                                                 message, CHANNEL_WEB, shown, CHANNEL_WEB)
                    << shown;
    return mask;
}

#define ALL_BUT_BILL 0x1eu

static void
each_sort_stops_and_counts_its_own(void **state)
{
    (void)state;
    static const struct {
        uint8_t per;
        const char *of;
        unsigned stops, for_food, for_teach;  // masks of messages
    } cases[] = {
        {CAP_ANY, "", ALL_BUT_BILL, ALL_BUT_BILL, ALL_BUT_BILL},
        {CAP_MESSAGE, "", ALL_BUT_BILL, 1u << FOOD, 1u << TEACH},
        {CAP_MESSAGE, "food", 1u << FOOD, 1u << FOOD, 0},
        {CAP_MESSAGE, "bill", 1u << BILL, 0, 0},
        {CAP_SEAT, "", ALL_BUT_BILL, 1u << FOOD | 1u << MORE_FOOD | 1u << DRINK, 1u << TEACH},
        {CAP_SEAT, "care", 1u << TEACH, 0, 1u << TEACH},
        {CAP_OBJECTIVE, "", ALL_BUT_BILL, 1u << FOOD | 1u << MORE_FOOD | 1u << DRINK, 1u << TEACH},
        {CAP_OBJECTIVE, "refer", 1u << FOOD | 1u << MORE_FOOD, 1u << FOOD | 1u << MORE_FOOD, 0},
        {CAP_OBJECTIVE, "fulfill", 1u << BILL, 0, 0},
        {CAP_CATEGORY, "", 1u << FOOD | 1u << MORE_FOOD | 1u << DRINK, 1u << FOOD | 1u << MORE_FOOD,
         0},
        {CAP_CATEGORY, "drink", 1u << DRINK, 0, 0},
        {CAP_CHANNEL, "", ALL_BUT_BILL, ALL_BUT_BILL, ALL_BUT_BILL},
        {CAP_CHANNEL, "web", ALL_BUT_BILL, ALL_BUT_BILL, ALL_BUT_BILL},
        {CAP_CHANNEL, "bill", ALL_BUT_BILL, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct market_cap cap = {.per = cases[i].per, .of = cases[i].of, .window = CAP_WEEK};
        struct catalog *catalog = with_caps(&cap, 1);
        assert_int_equal(stops(catalog), cases[i].stops);
        assert_int_equal(counts(catalog, FOOD), cases[i].for_food);
        assert_int_equal(counts(catalog, TEACH), cases[i].for_teach);
        catalog_close(catalog);
    }
}

static void
channels_are_counted_each_by_itself(void **state)
{
    (void)state;
    struct market_cap cap = {.per = CAP_CHANNEL, .window = CAP_DAY};
    struct catalog *catalog = with_caps(&cap, 1);
    assert_true(catalog_cap_counts(catalog, 0, FOOD, CHANNEL_BILL, DRINK, CHANNEL_BILL));
    assert_false(catalog_cap_counts(catalog, 0, FOOD, CHANNEL_BILL, DRINK, CHANNEL_WEB));
    assert_false(catalog_cap_counts(catalog, 0, FOOD, CHANNEL_WEB, DRINK, CHANNEL_COUNT));
    catalog_close(catalog);
}

static void
objectives_by_themselves_are_one_cap_each(void **state)
{
    (void)state;
    struct market_cap cap = {.per = CAP_OBJECTIVE, .window = CAP_DAY};
    struct catalog *catalog = with_caps(&cap, 1);
    assert_int_equal(catalog->cap_count, OBJECTIVE_COUNT - 1);
    assert_int_equal(catalog->messages[FOOD].cap_count, 2);
    for (uint32_t i = 0; i < 2; i++) {  // what pursues another objective does not count there
        uint32_t number = catalog->messages[FOOD].caps[i];
        bool refers = catalog->caps[number].of == OBJECTIVE_REFER;
        assert_int_equal(
            catalog_cap_counts(catalog, number, FOOD, CHANNEL_WEB, MORE_FOOD, CHANNEL_WEB), refers);
        assert_int_equal(catalog_cap_counts(catalog, number, FOOD, CHANNEL_WEB, DRINK, CHANNEL_WEB),
                         !refers);
    }
    catalog_close(catalog);
}

static void
the_longest_window_is_remembered(void **state)
{
    (void)state;
    static const struct {
        uint8_t window;
        uint32_t minutes;
        uint16_t days;
    } cases[] = {{CAP_MINUTES, 1, 1},    {CAP_MINUTES, 1440, 1},
                 {CAP_MINUTES, 1441, 2}, {CAP_MINUTES, 365 * 1440, 365},
                 {CAP_HOUR, 0, 1},       {CAP_DAY, 0, 2},
                 {CAP_WEEK, 0, 8},       {CAP_LIFETIME, 0, UINT16_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct market_cap caps[] = {
            {.per = CAP_SEAT,
             .of = "grill",
             .window = cases[i].window,
             .minutes = cases[i].minutes},
            {.per = CAP_SEAT, .of = "grill", .window = CAP_MINUTES, .minutes = 1}};
        struct catalog *catalog = with_caps(caps, 2);
        assert_int_equal(catalog->messages[FOOD].remember_days, cases[i].days);
        assert_int_equal(catalog->messages[BILL].remember_days, 0);
        assert_int_equal(catalog->messages[TEACH].remember_days, 0);
        catalog_close(catalog);
    }
}

static void
a_message_has_a_cap_of_its_own(void **state)
{
    (void)state;
    struct market_cap cap = {.per = CAP_ANY, .window = CAP_HOUR};
    messages[DRINK].cap_count = 3;
    messages[DRINK].cap_days = 40;
    messages[BILL].cap_count = 1;
    messages[BILL].cap_days = 5;
    struct catalog *catalog = with_caps(&cap, 1);
    messages[DRINK].cap_count = messages[BILL].cap_count = 0;
    assert_int_equal(catalog->cap_count, 3);
    const struct catalog_message *drink = &catalog->messages[DRINK];
    assert_int_equal(drink->cap_count, 2);
    assert_int_equal(drink->caps[0], 0);  // the market's first
    const struct catalog_cap *own = &catalog->caps[drink->caps[1]];
    assert_true(own->id == 0 && own->count == 3 && own->minutes == 40 * 1440 && own->of == DRINK);
    assert_string_equal(own->code, "drink");
    assert_int_equal(drink->remember_days, 40);
    assert_true(
        catalog_cap_counts(catalog, drink->caps[1], DRINK, CHANNEL_WEB, DRINK, CHANNEL_BILL));
    assert_false(
        catalog_cap_counts(catalog, drink->caps[1], DRINK, CHANNEL_WEB, FOOD, CHANNEL_WEB));
    assert_int_equal(catalog->messages[BILL].cap_count, 1);  // its own names it
    assert_int_equal(counts(catalog, BILL), 1u << BILL);
    catalog_close(catalog);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(each_sort_stops_and_counts_its_own),
        TEST(channels_are_counted_each_by_itself),
        TEST(objectives_by_themselves_are_one_cap_each),
        TEST(the_longest_window_is_remembered),
        TEST(a_message_has_a_cap_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
