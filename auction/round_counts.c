// What was counted before: what the customer was shown, and what was spent.
//
// Caps
//   (1) Anonymous contacts have no past: nothing is counted and nothing stops.
//   (2) Quiet: for some days after a complaint or refund only messages that pursue `fulfill` or
//       `educate` go on.
//   (3) The message's caps in declared order: what the customer was shown in the cap's window, and
//       in this contact so far, must be below its count. A window of minutes ends with the minute
//       of now; hour, day and week are those of the host's clock that now lies in.
//   (4) The book must have room to remember what it has to count.
// Budgets
//   (5) From seat over campaign and its parent to message: what was spent, what this contact has
//       won so far, and the bid together must be within the total, then within the day's amount,
//       then within what pacing allows by now (of the day's amount, else of the total over the time
//       from `from` to `until` when both are given).
//   (6) A price per response counts in full until the response is known not to come, and the book
//       must have room to wait for it. A share of revenue costs nothing before there is revenue, so
//       it meets no budget.
// The past is read once a contact, when the first bid asks for it.
#include "fail.h"
#include "pace.h"
#include "round_parts.h"

#define MINUTE (60 * USEC_SECOND)
#define MINUTES_A_DAY 1440

static int64_t
minutes_ago(usec now, int64_t minutes)
{
    int64_t minute = now.us <= 0 ? 0 : now.us / MINUTE;
    return (minute - minutes + 1) * MINUTE;  // from here on it lies within
}

void
round_counts_contact(struct round *round)
{
    round->past.read = round->past.room_asked = round->past.response_room_asked = false;
}

static void
remember(const struct round *round, const struct book_shown *shown, struct round_shown *out)
{
    *out = (struct round_shown){.message = catalog_message_by_id(round->catalog, shown->message),
                                .channel = shown->channel,
                                .count = shown->count,
                                .at = shown->at};
}

static void
read_past(struct round *round)
{
    struct round_past *past = &round->past;
    const struct catalog *catalog = round->catalog;
    past->read = true;
    past->quiet = past->more = false;
    past->count = 0;
    struct book_shown shown = {0};
    while (book_next_shown(round->book, round->contact->customer, &shown)) {
        if (shown.kind == SHOWN_MESSAGE) {
            past->more = past->count == ROUND_SHOWN;
            if (past->more) continue;
            remember(round, &shown, &past->shown[past->count++]);
            past->last = shown;
            continue;
        }
        uint32_t days = shown.kind == SHOWN_COMPLAINT ? catalog->complaint_quiet_days
                                                      : catalog->refund_quiet_days;
        if (shown.at.us >= minutes_ago(round->now, (int64_t)days * MINUTES_A_DAY))
            past->quiet = true;
    }
}

static int64_t
window_began(const struct round *round, const struct catalog_cap *cap)
{
    enum cap_window window = (enum cap_window)cap->window;
    switch (window) {
    case CAP_MINUTES: return minutes_ago(round->now, cap->minutes);
    case CAP_HOUR:
    case CAP_DAY:
    case CAP_WEEK: {
        int64_t began = catalog_window_began(round->catalog, window, round->now).us;
        return began - began % MINUTE;  // what was shown is known to the minute
    }
    case CAP_LIFETIME:
    case CAP_WINDOW_COUNT: break;
    }
    return INT64_MIN;
}

// Does what was shown count towards the cap when this message is to be shown now? A message that
// left the catalog was an address all the same: for caps over all messages and over a channel.
static bool
counts(const struct round *round, uint32_t index, uint32_t message, const struct round_shown *shown)
{
    const struct catalog_cap *cap = &round->catalog->caps[index];
    enum channel channel = (enum channel)round->container->channel;
    if (shown->message != UINT32_MAX)
        return catalog_cap_counts(round->catalog, index, message, channel, shown->message,
                                  (enum channel)shown->channel);
    if (cap->per == CAP_ANY) return true;
    return cap->per == CAP_CHANNEL && shown->channel == channel &&
           (cap->of == UINT32_MAX || cap->of == channel);
}

// How many showings count towards the cap when this message is to be shown now.
static uint32_t
count_of(const struct round *round, uint32_t cap, uint32_t message)
{
    const struct catalog *catalog = round->catalog;
    const struct round_past *past = &round->past;
    int64_t began = window_began(round, &catalog->caps[cap]);
    enum channel channel = (enum channel)round->container->channel;
    uint64_t here = 0, count = 0;
    bool promised = false;  // sold together: it is among the wins already, and counted for others
    for (unsigned i = 0; i < round->win_count; i++) {
        here += catalog_cap_counts(catalog, cap, message, channel, round->wins[i].message, channel);
        promised = promised || round->wins[i].message == message;
    }
    if (!promised) count = here;
    for (uint32_t i = 0; i < past->count; i++) {
        const struct round_shown *shown = &past->shown[i];
        if (shown->at.us >= began && counts(round, cap, message, shown)) count += shown->count;
    }
    struct book_shown older = past->last;
    while (past->more && book_next_shown(round->book, round->contact->customer, &older)) {
        struct round_shown shown;
        if (older.kind != SHOWN_MESSAGE || older.at.us < began) continue;
        remember(round, &older, &shown);
        if (counts(round, cap, message, &shown)) count += shown.count;
    }
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

enum reason
round_counts_past(struct round *round, uint32_t index, struct round_judgement *judgement)
{
    const struct catalog *catalog = round->catalog;
    const struct catalog_message *message = &catalog->messages[index];
    struct round_past *past = &round->past;
    if (round->contact->customer == 0) return REASON_NONE;  // (1)
    bool may_be_quiet = catalog->complaint_quiet_days > 0 || catalog->refund_quiet_days > 0;
    if (!past->read && (may_be_quiet || message->cap_count > 0)) read_past(round);
    if (may_be_quiet && past->quiet && !match_serves(message->objectives)) return REASON_QUIET;
    for (uint32_t i = 0; i < message->cap_count; i++) {
        const struct catalog_cap *cap = &catalog->caps[message->caps[i]];
        uint32_t count = count_of(round, message->caps[i], index);
        if (count < cap->count) continue;
        judgement->cap = message->caps[i];
        judgement->cap_count = count;
        return cap->per == CAP_ANY ? REASON_PRESSURE_CAP : REASON_FREQUENCY_CAP;
    }
    if (message->remember_days == 0) return REASON_NONE;
    if (!past->room_asked) past->room = book_shown_has_room(round->book, round->contact->customer);
    past->room_asked = true;
    return past->room ? REASON_NONE : REASON_BUSY;  // (4)
}

// --- Budgets -------------------------------------------------------------------------------------
money
round_counts_held(enum price_kind kind, money price)
{
    return kind == PRICE_SHARE ? money_of(0) : price;
}

static inline bool
is_limited(const struct catalog_budget *budget)
{
    return budget->has_total || budget->has_daily;
}

struct purse {
    const struct catalog_budget *budget;
    uint32_t id;  // stable
    usec from, until;
};

static struct purse
purse_of(const struct catalog *catalog, enum budget_of of, uint32_t index)
{
    if (of == BUDGET_SEAT) {
        const struct catalog_seat *seat = &catalog->seats[index];
        return (struct purse){.budget = &seat->budget, .id = seat->id};
    }
    if (of == BUDGET_CAMPAIGN) {
        const struct catalog_campaign *campaign = &catalog->campaigns[index];
        return (struct purse){&campaign->budget, campaign->id, campaign->from, campaign->until};
    }
    const struct catalog_message *message = &catalog->messages[index];
    return (struct purse){&message->budget, message->id, message->from, message->until};
}

static bool
draws_on(const struct catalog *catalog, const struct round_win *win, enum budget_of of,
         uint32_t index)
{
    if (of == BUDGET_SEAT) return win->seat == index;
    if (of == BUDGET_MESSAGE) return win->message == index;
    uint32_t campaign = catalog->messages[win->message].campaign;
    return campaign == index ||
           (campaign != UINT32_MAX && catalog->campaigns[campaign].parent == index);
}

static money
lesser(money a, money b)
{
    return a.micros < b.micros ? a : b;
}

// Is `amount` within `limit` less `spent`? Says what is left.
static bool
fits(money limit, money spent, money amount, money *out_left)
{
    if (money_subtract(limit, spent, out_left) != STATUS_OK) return false;
    bool within = amount.micros <= out_left->micros;
    if (out_left->micros < 0) *out_left = money_of(0);
    return within;
}

// What pacing allows by now.
static money
allowance(const struct round *round, const struct purse *purse, money limit, bool daily)
{
    enum pacing pacing = (enum pacing)purse->budget->pacing;
    if (daily) return pace_allowance(pacing, limit, round->day.begins, round->day.ends, round->now);
    if (purse->from.us == 0 || purse->until.us == 0) return limit;
    return pace_allowance(pacing, limit, purse->from, purse->until, round->now);
}

enum reason
round_counts_covers(const struct round *round, enum budget_of of, uint32_t index, money amount,
                    struct round_judgement *judgement)
{
    const struct catalog *catalog = round->catalog;
    struct purse purse = purse_of(catalog, of, index);
    const struct catalog_budget *budget = purse.budget;
    if (!is_limited(budget)) return REASON_NONE;
    money here = money_of(0), total = budget->total, spent = here, today = budget->daily,
          spent_today = here;
    for (unsigned i = 0; i < round->win_count; i++)
        if (draws_on(catalog, &round->wins[i], of, index))
            CHECK(money_add(here, round->wins[i].held, &here) == STATUS_OK);
    judgement->budget_of = of;
    judgement->budget_daily = false;
    if (budget->has_total) {
        total = lesser(total, budget->limit);
        if (money_add(book_spent(round->book, of, purse.id), here, &spent) != STATUS_OK ||
            !fits(total, spent, amount, &judgement->budget_left))
            return REASON_BUDGET;
    }
    if (budget->has_daily) {
        judgement->budget_daily = true;
        today = lesser(today, catalog_daily_limit(budget, round->day.day));
        if (money_add(book_spent_on(round->book, of, purse.id, round->day.day), here,
                      &spent_today) != STATUS_OK ||
            !fits(today, spent_today, amount, &judgement->budget_left))
            return REASON_BUDGET;
    }
    if (budget->pacing == PACING_ASAP) return REASON_NONE;
    money allowed = budget->has_daily ? allowance(round, &purse, today, true)
                                      : allowance(round, &purse, total, false);
    return fits(allowed, budget->has_daily ? spent_today : spent, amount, &judgement->budget_left)
               ? REASON_NONE
               : REASON_PACING;
}

// Its price would wait for a response or a conversion. Most contracts charge otherwise: that is
// known of the catalog as a whole.
static bool
waits(const struct round *round, const struct catalog_bid *bid)
{
    if (bid->kind == PRICE_RESPONSE || !round->catalog->contracts_wait)
        return bid->kind == PRICE_RESPONSE;
    const struct catalog_contract *contract = catalog_contract_at(round->catalog, bid->seat,
                                                                  round->now);
    return contract != NULL && market_waits(market_due(bid->kind, contract->charge));
}

static bool
has_room_to_wait(struct round *round)
{
    struct round_past *past = &round->past;
    if (!past->response_room_asked)
        past->response_room = book_response_has_room(round->book, round->container->slot_count);
    past->response_room_asked = true;
    return past->response_room;
}

enum reason
round_counts_budgets(struct round *round, const struct catalog_bid *bid,
                     struct round_judgement *judgement)
{
    if (bid->kind == PRICE_SHARE) return REASON_NONE;  // (6)
    if (waits(round, bid) && !has_room_to_wait(round)) return REASON_BUSY;
    const struct catalog *catalog = round->catalog;
    const struct catalog_message *message = &catalog->messages[bid->message];
    uint32_t campaign = message->campaign;
    enum reason reason = REASON_NONE;
    if (is_limited(&catalog->seats[bid->seat].budget))
        reason = round_counts_covers(round, BUDGET_SEAT, bid->seat, bid->price, judgement);
    if (reason == REASON_NONE && campaign != UINT32_MAX) {
        uint32_t parent = catalog->campaigns[campaign].parent;
        reason = round_counts_covers(round, BUDGET_CAMPAIGN, campaign, bid->price, judgement);
        if (reason == REASON_NONE && parent != UINT32_MAX)
            reason = round_counts_covers(round, BUDGET_CAMPAIGN, parent, bid->price, judgement);
    }
    if (reason != REASON_NONE || !is_limited(&message->budget)) return reason;
    return round_counts_covers(round, BUDGET_MESSAGE, bid->message, bid->price, judgement);
}
