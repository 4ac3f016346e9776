#include "round_twin.h"

#include <string.h>

#include "fail.h"
#include "learn.h"
#include "pace.h"

__extension__ typedef unsigned __int128 exact;

void
twin_take_bids(struct twin *twin)
{
    struct book_bids overlay = book_overlay(twin->book);
    CHECK(twin->catalog->bid_count + overlay.count <= TWIN_BIDS);
    twin->bid_count = 0;
    for (uint32_t i = 0; i < twin->catalog->bid_count; i++) {
        if (!book_bid_replaced(twin->book, i))
            twin->bids[twin->bid_count++] = &twin->catalog->bids[i];
    }
    for (uint32_t i = 0; i < overlay.count; i++) twin->bids[twin->bid_count++] = &overlay.bids[i];
}

void
twin_take_live(struct twin *twin, const struct round_live *live)
{
    CHECK(twin->bid_count + live->count <= TWIN_BIDS);
    for (uint32_t i = 0; i < live->count; i++) twin->bids[twin->bid_count++] = &live->bids[i];
}

// --- Rules ---------------------------------------------------------------------------------------
static bool
opens(const struct contact *contact, unsigned identity, unsigned rung)
{
    unsigned has = contact->consent;
    bool profiling = has & 1, modelling = has & 2, third_party = has & 4;
    switch (rung + 1) {
    case 1: return true;
    case 2: return profiling;
    case 3: return profiling && identity != IDENTITY_ANONYMOUS;
    case 4: return profiling && identity == IDENTITY_REPEAT;
    case 5: return modelling && identity == IDENTITY_REPEAT;
    default: return third_party;
    }
}

// The trial of the container with the lowest index that runs now; its side by a hash of trial and
// customer.
uint32_t
twin_experiment(const struct twin *twin, bool *variant)
{
    const struct catalog *catalog = twin->catalog;
    const struct catalog_container *container = &catalog->containers[twin->contact->container];
    *variant = false;
    for (uint32_t e = 0; e < catalog->experiment_count; e++) {
        const struct catalog_experiment *experiment = &catalog->experiments[e];
        bool concerned = false;
        for (uint32_t i = 0; i < container->slot_count; i++) {
            const struct catalog_slot *slot = &catalog->slots[container->slot_first + i];
            for (uint32_t j = 0; j < slot->experiment_count; j++)
                concerned |= slot->experiments[j] == e;
        }
        if (!concerned || experiment->stopped || twin->now.us < experiment->from.us ||
            (experiment->until.us != 0 && twin->now.us >= experiment->until.us))
            continue;
        uint64_t halves[2], customer = twin->contact->customer;
        memcpy(halves, twin->contact->request_key.bytes, sizeof halves);
        if (customer == 0) customer = halves[0] ^ halves[1];
        uint64_t mixed = hash_mix(hash_mix(experiment->id + 0x6c62272e07bb0142u) ^
                                  hash_mix(customer));
        *variant = (mixed >> 32) * 1000000 / 4294967296 < experiment->share_ppm;
        return e;
    }
    return UINT32_MAX;
}

static int64_t
in_trial(const struct twin *twin, const struct catalog_slot *slot, int64_t floor)
{
    bool variant;
    uint32_t experiment = twin_experiment(twin, &variant);
    for (uint32_t i = 0; variant && i < slot->experiment_count; i++) {
        if (slot->experiments[i] != experiment) continue;
        exact product = (exact)floor * twin->catalog->experiments[experiment].factor_ppm;
        exact up = (product + 999999) / 1000000;
        return up > BOUND_MICROS ? BOUND_MICROS : (int64_t)up;
    }
    return floor;
}

static void
find_floor(const struct twin *twin, const struct catalog_slot *slot,
           const struct catalog_message *message, struct twin_terms *terms)
{
    const struct contact *contact = twin->contact;
    terms->floor = in_trial(twin, slot, slot->floor.micros);
    for (uint32_t i = 0; i < slot->floor_count; i++) {
        const struct catalog_floor *floor = &slot->floors[i];
        if ((floor->rung == -1 || floor->rung == message->rung) &&
            (floor->seat == UINT32_MAX || floor->seat == message->seat) &&
            (floor->category == -1 || floor->category == message->category) &&
            (floor->tier == -1 || floor->tier == contact->tier) &&
            (floor->when == NULL || expr_true(floor->when, &contact->values, NULL))) {
            terms->floor = in_trial(twin, slot, floor->price.micros);
            terms->floor_rule = floor->number;
            terms->floor_id = floor->id;
            return;
        }
    }
}

static uint16_t
today(const struct twin *twin)
{
    return catalog_day_of(twin->catalog, twin->now).day;
}

static void
find_terms(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot_index,
           struct twin_terms *terms)
{
    const struct catalog *catalog = twin->catalog;
    const struct catalog_slot *slot = &catalog->slots[slot_index];
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_container *container = &catalog->containers[slot->container];
    const struct catalog_deal *deal = catalog_deal_of(catalog, slot_index, bid->message, twin->now);
    *terms = (struct twin_terms){.priority = message->priority};
    if (deal != NULL) {
        terms->deal = deal->id;
        terms->floor = deal->floor.micros;
        terms->at = deal->at;
        if (deal->priority > terms->priority) terms->priority = deal->priority;
        if (book_deal_deliveries(twin->book, deal->id, today(twin)) < deal->guarantee)
            terms->priority = 8;
    } else {
        find_floor(twin, slot, message, terms);
    }
    uint64_t halves[2];
    memcpy(halves, twin->id.bytes, sizeof halves);
    uint64_t seed = hash_mix(halves[0] ^ halves[1] ^ hash_mix(message->id + 0x2545f4914f6cdd1du));
    uint8_t cell = (uint8_t)(container->stage * CHANNEL_COUNT + container->channel);
    enum rung rung = (enum rung)message->rung;
    struct learn learn = {book_learned(twin->book, message->id, cell),
                          book_learned_in_cell(twin->book, rung, cell),
                          book_learned_on_rung(twin->book, rung)};
    learn.rung.delivered += catalog->expected.delivered;
    learn.rung.responded += catalog->expected.responded;
    learn.rung.converted += catalog->expected.converted;
    learn.rung.revenue.micros += catalog->expected.revenue.micros;
    terms->score = bid->price.micros;
    if (bid->kind == PRICE_RESPONSE) {
        terms->multiplier = learn_response_rate(&learn, slot->explore, seed);
        terms->score = (int64_t)((exact)bid->price.micros * terms->multiplier / 4294967296);
    } else if (bid->kind == PRICE_SHARE) {
        terms->multiplier = learn_revenue(&learn, slot->explore, seed);
        terms->score = (int64_t)((exact)bid->price.micros * terms->multiplier / 1000000);
    }
}

static enum reason
judge_admission(const struct twin *twin, const struct catalog_slot *slot,
                const struct catalog_message *message)
{
    bool partner = twin->catalog->seats[message->seat].kind == SEAT_PARTNER;
    unsigned rung = message->rung + 1u;
    if (partner ? rung < 6 : rung == 6 || rung == 7) return REASON_SEAT_KIND;
    if (!(slot->rungs >> message->rung & 1)) return REASON_RUNG;
    if (!(slot->objectives & message->objectives)) return REASON_OBJECTIVE;
    bool format = slot->format_count == 0;
    for (uint32_t i = 0; i < slot->format_count; i++) format |= slot->formats[i] == message->format;
    return format ? REASON_NONE : REASON_FORMAT;
}

static enum reason
judge_state(const struct twin *twin, const struct catalog_bid *bid,
            const struct catalog_message *message)
{
    int64_t now = twin->now.us;
    if (bid->state == BID_WITHDRAWN) return REASON_WITHDRAWN;
    if (bid->state != BID_ACTIVE || twin->catalog->seats[bid->seat].paused) return REASON_PAUSED;
    if (now < bid->from.us || (bid->until.us && now >= bid->until.us)) return REASON_NOT_VALID_NOW;
    if (now < message->from.us || (message->until.us && now >= message->until.us))
        return REASON_NOT_VALID_NOW;
    uint32_t campaigns[2] = {message->campaign, UINT32_MAX};
    if (campaigns[0] != UINT32_MAX) campaigns[1] = twin->catalog->campaigns[campaigns[0]].parent;
    for (unsigned i = 0; i < 2; i++) {
        if (campaigns[i] == UINT32_MAX) continue;
        const struct catalog_campaign *campaign = &twin->catalog->campaigns[campaigns[i]];
        if (now < campaign->from.us || (campaign->until.us && now >= campaign->until.us))
            return REASON_NOT_VALID_NOW;
    }
    for (uint32_t i = 0; i < twin->catalog->contract_count; i++) {
        const struct catalog_contract *contract = &twin->catalog->contracts[i];
        if (contract->seat == bid->seat && contract->from.us <= now &&
            (contract->until.us == 0 || now < contract->until.us))
            return REASON_NONE;
    }
    return REASON_CONTRACT;
}

static enum reason
judge_customer(const struct twin *twin, const struct catalog_message *message)
{
    const struct contact *contact = twin->contact;
    bool serves = message->objectives & (1u << OBJECTIVE_FULFILL | 1u << OBJECTIVE_EDUCATE);
    if (contact->condition == CONDITION_DISTRESSED && !serves) return REASON_CONDITION;
    if (message->after_experience && !contact->experienced) return REASON_NOT_EXPERIENCED;
    if (opens(contact, contact->identity, message->rung)) return REASON_NONE;
    return opens(contact, IDENTITY_REPEAT, message->rung) ? REASON_IDENTITY : REASON_CONSENT;
}

// --- Budgets -------------------------------------------------------------------------------------
static int64_t
least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// One purse: its total, its day, its pace. `here`: what this contact's wins take of it.
static enum reason
judge_purse(const struct twin *twin, const struct catalog_budget *budget, enum budget_of of,
            uint32_t id, usec from, usec until, int64_t here, int64_t amount)
{
    struct catalog_day day = catalog_day_of(twin->catalog, twin->now);
    int64_t total = least_of(budget->total.micros, budget->limit.micros);
    int64_t daily = least_of(budget->daily.micros, catalog_daily_limit(budget, day.day).micros);
    int64_t after = book_spent(twin->book, of, id).micros + here + amount;
    int64_t after_today = book_spent_on(twin->book, of, id, day.day).micros + here + amount;
    if (budget->has_total && after > total) return REASON_BUDGET;
    if (budget->has_daily && after_today > daily) return REASON_BUDGET;
    enum pacing pacing = (enum pacing)budget->pacing;
    if (pacing == PACING_ASAP) return REASON_NONE;
    if (budget->has_daily)
        return after_today <=
                       pace_allowance(pacing, money_of(daily), day.begins, day.ends, twin->now)
                           .micros
                   ? REASON_NONE
                   : REASON_PACING;
    if (!budget->has_total || from.us == 0 || until.us == 0) return REASON_NONE;
    return after <= pace_allowance(pacing, money_of(total), from, until, twin->now).micros
               ? REASON_NONE
               : REASON_PACING;
}

// Its price waits for a response or a conversion.
static bool
must_wait(const struct twin *twin, const struct catalog_bid *bid)
{
    for (uint32_t i = 0; i < twin->catalog->contract_count; i++) {
        const struct catalog_contract *contract = &twin->catalog->contracts[i];
        bool late = contract->charge == CHARGE_RESPONSE || contract->charge == CHARGE_CONVERSION;
        if (contract->seat == bid->seat && late) return true;
    }
    return bid->kind == PRICE_RESPONSE;
}

static enum reason
judge_budgets(const struct twin *twin, const struct catalog_bid *bid)
{
    const struct catalog *catalog = twin->catalog;
    const struct catalog_message *message = &catalog->messages[bid->message];
    const struct catalog_seat *seat = &catalog->seats[bid->seat];
    const usec open = {0};
    int64_t of_seat = 0, of_message = 0;
    if (bid->kind == PRICE_SHARE) return REASON_NONE;
    if (must_wait(twin, bid) &&
        !book_response_has_room(twin->book,
                                catalog->containers[twin->contact->container].slot_count))
        return REASON_BUSY;
    for (unsigned i = 0; i < twin->win_count; i++) {
        if (twin->wins[i].seat == bid->seat) of_seat += twin->wins[i].held;
        if (twin->wins[i].message == bid->message) of_message += twin->wins[i].held;
    }
    enum reason reason = judge_purse(twin, &seat->budget, BUDGET_SEAT, seat->id, open, open,
                                     of_seat, bid->price.micros);
    for (uint32_t c = message->campaign; c != UINT32_MAX && reason == REASON_NONE;
         c = catalog->campaigns[c].parent) {
        const struct catalog_campaign *campaign = &catalog->campaigns[c];
        int64_t here = 0;
        for (unsigned i = 0; i < twin->win_count; i++) {
            uint32_t own = catalog->messages[twin->wins[i].message].campaign;
            uint32_t parent = own == UINT32_MAX ? own : catalog->campaigns[own].parent;
            if (own == c || parent == c) here += twin->wins[i].held;
        }
        reason = judge_purse(twin, &campaign->budget, BUDGET_CAMPAIGN, campaign->id, campaign->from,
                             campaign->until, here, bid->price.micros);
    }
    if (reason != REASON_NONE) return reason;
    return judge_purse(twin, &message->budget, BUDGET_MESSAGE, message->id, message->from,
                       message->until, of_message, bid->price.micros);
}

// --- The customer's past -------------------------------------------------------------------------
static bool
within_minutes(usec at, usec now, int64_t minutes)
{
    const int64_t minute = 60 * USEC_SECOND;
    return at.us / minute > now.us / minute - minutes;
}

static bool
in_window(const struct twin *twin, const struct catalog_cap *cap, usec at)
{
    enum cap_window window = (enum cap_window)cap->window;
    if (window == CAP_LIFETIME) return true;
    if (window == CAP_MINUTES) return within_minutes(at, twin->now, cap->minutes);
    const int64_t minute = 60 * USEC_SECOND;
    return at.us / minute >= catalog_window_began(twin->catalog, window, twin->now).us / minute;
}

static enum reason
judge_past(const struct twin *twin, uint32_t index)
{
    const struct catalog *catalog = twin->catalog;
    const struct catalog_message *message = &catalog->messages[index];
    uint64_t customer = twin->contact->customer;
    enum channel channel = (enum channel)catalog->containers[twin->contact->container].channel;
    bool serves = message->objectives & (1u << OBJECTIVE_FULFILL | 1u << OBJECTIVE_EDUCATE);
    struct book_shown shown = {0};
    if (customer == 0) return REASON_NONE;
    while (!serves && book_next_shown(twin->book, customer, &shown)) {
        uint32_t days = shown.kind == SHOWN_COMPLAINT ? catalog->complaint_quiet_days
                        : shown.kind == SHOWN_REFUND  ? catalog->refund_quiet_days
                                                      : 0;
        if (days > 0 && within_minutes(shown.at, twin->now, days * 1440)) return REASON_QUIET;
    }
    for (uint32_t c = 0; c < message->cap_count; c++) {
        uint32_t number = message->caps[c], count = 0;
        const struct catalog_cap *cap = &catalog->caps[number];
        for (unsigned i = 0; i < twin->win_count; i++)
            count += catalog_cap_counts(catalog, number, index, channel, twin->wins[i].message,
                                        channel);
        for (shown = (struct book_shown){0}; book_next_shown(twin->book, customer, &shown);) {
            uint32_t other = catalog_message_by_id(catalog, shown.message);
            enum channel before = (enum channel)shown.channel;
            if (shown.kind != SHOWN_MESSAGE || !in_window(twin, cap, shown.at)) continue;
            bool counts = cap->per == CAP_ANY;  // of a message that is gone
            if (cap->per == CAP_CHANNEL)
                counts = before == channel && (cap->of == UINT32_MAX || cap->of == channel);
            if (other != UINT32_MAX)
                counts = catalog_cap_counts(catalog, number, index, channel, other, before);
            if (counts) count += shown.count;
        }
        if (count >= cap->count)
            return cap->per == CAP_ANY ? REASON_PRESSURE_CAP : REASON_FREQUENCY_CAP;
    }
    return message->remember_days > 0 && !book_shown_has_room(twin->book, customer) ? REASON_BUSY
                                                                                    : REASON_NONE;
}

// --- One bid -------------------------------------------------------------------------------------
static enum reason
judge_without_floor(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot_index)
{
    const struct catalog_slot *slot = &twin->catalog->slots[slot_index];
    const struct catalog_message *message = &twin->catalog->messages[bid->message];
    const struct values *values = &twin->contact->values;
    enum reason reason = judge_state(twin, bid, message);
    if (reason == REASON_NONE) reason = judge_admission(twin, slot, message);
    if (reason == REASON_NONE) reason = judge_customer(twin, message);
    if (reason != REASON_NONE) return reason;
    if (!expr_true_with(&slot->rule, values, &message->values, NULL) ||
        !expr_true_with(&twin->catalog->seats[bid->seat].rule, values, &slot->values, NULL) ||
        !expr_true_with(&message->rule, values, &slot->values, NULL))
        return REASON_NOT_ELIGIBLE;
    for (unsigned i = 0; i < twin->win_count; i++)
        if (twin->wins[i].message == bid->message) return REASON_DUPLICATE;
    if (twin->limits != NULL) reason = twin_limits_judge(twin, bid);
    if (reason == REASON_NONE) reason = judge_past(twin, bid->message);
    return reason == REASON_NONE ? judge_budgets(twin, bid) : reason;
}

enum reason
twin_judge_terms(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot,
                 struct twin_terms *terms)
{
    find_terms(twin, bid, slot, terms);
    enum reason reason = judge_without_floor(twin, bid, slot);
    if (reason != REASON_NONE || terms->score >= terms->floor) return reason;
    return terms->deal != 0 ? REASON_BELOW_DEAL_FLOOR : REASON_BELOW_FLOOR;
}

enum reason
twin_judge(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot, int64_t *floor)
{
    struct twin_terms terms;
    enum reason reason = twin_judge_terms(twin, bid, slot, &terms);
    *floor = terms.floor;
    return reason;
}

bool
twin_addresses(const struct twin *twin, const struct catalog_bid *bid, uint32_t slot)
{
    if (bid->slot != UINT32_MAX) return bid->slot == slot;
    return judge_admission(twin, &twin->catalog->slots[slot],
                           &twin->catalog->messages[bid->message]) == REASON_NONE;
}

// --- The sale ------------------------------------------------------------------------------------
static uint64_t
draw(struct id contact, uint64_t bid)
{
    uint64_t halves[2];
    memcpy(halves, contact.bytes, sizeof halves);
    return hash_mix(halves[0] ^ halves[1] ^ hash_mix(bid));
}

// Expected value without rounding, in parts of a micro that hold it exactly.
#define MICRO ((exact)LEARN_ONE * 1000000)

static exact
worth(const struct twin_bid *bid, int64_t price)
{
    switch ((enum price_kind)bid->bid->kind) {
    case PRICE_RESPONSE: return (exact)price * bid->terms.multiplier * 1000000;
    case PRICE_SHARE: return (exact)price * bid->terms.multiplier * LEARN_ONE;
    case PRICE_PLACEMENT:
    case PRICE_KIND_COUNT: break;
    }
    return (exact)price * MICRO;
}

static exact
own_worth(const struct twin_bid *bid)
{
    return worth(bid, bid->bid->price.micros);
}

bool
twin_ranks_before(const struct twin *twin, const struct twin_bid *a, const struct twin_bid *b)
{
    if (a->terms.priority != b->terms.priority) return a->terms.priority > b->terms.priority;
    if (own_worth(a) != own_worth(b)) return own_worth(a) > own_worth(b);
    return draw(twin->id, a->bid->id) < draw(twin->id, b->bid->id);
}

// The least price of the bid's own kind that is worth as much; found by halving.
static int64_t
least_price(const struct twin_bid *bid, exact aim)
{
    int64_t low = 0, high = bid->bid->price.micros;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (worth(bid, middle) >= aim) high = middle;
        else low = middle + 1;
    }
    return low;
}

void
twin_sell(const struct twin *twin, uint32_t slot, struct id contact, struct twin_sale *out_sale)
{
    static struct twin named;
    struct twin_sale *sale = out_sale;
    const struct twin_bid *winner = NULL, *setter = NULL;
    if (!id_same(twin->id, contact)) {
        named = *twin;
        named.id = contact;
        twin = &named;
    }
    sale->winner = NULL;
    sale->price = sale->floor = 0;
    sale->setter = 0;
    sale->eligible_count = 0;
    for (uint32_t i = 0; i < twin->bid_count; i++) {
        struct twin_bid *entry = &sale->eligible[sale->eligible_count];
        entry->bid = twin->bids[i];
        if (entry->bid->slot != UINT32_MAX && entry->bid->slot != slot) continue;
        if (twin_judge_terms(twin, entry->bid, slot, &entry->terms) != REASON_NONE) continue;
        entry->floor = entry->terms.floor;
        sale->eligible_count++;
        if (winner == NULL || twin_ranks_before(twin, entry, winner)) winner = entry;
    }
    if (winner == NULL) return;
    for (uint32_t i = 0; i < sale->eligible_count; i++) {
        const struct twin_bid *entry = &sale->eligible[i];
        if (entry->bid->seat == winner->bid->seat ||
            entry->terms.priority != winner->terms.priority)
            continue;
        if (setter == NULL || own_worth(entry) > own_worth(setter) ||
            (own_worth(entry) == own_worth(setter) && entry->bid->id < setter->bid->id))
            setter = entry;
    }
    sale->winner = winner->bid;
    sale->terms = winner->terms;
    sale->floor = winner->floor;
    sale->price = least_price(winner, (exact)winner->floor * MICRO);
    if (winner->terms.at == DEAL_FIRST_PRICE) sale->price = winner->bid->price.micros;
    if (setter == NULL || winner->terms.at != DEAL_SECOND_PRICE) return;
    int64_t above = least_price(winner, own_worth(setter));
    if (above <= sale->price) return;
    sale->price = above;
    sale->setter = setter->bid->id;
}

void
twin_win(struct twin *twin, const struct twin_sale *sale)
{
    twin->wins[twin->win_count].seat = sale->winner->seat;
    twin->wins[twin->win_count].message = sale->winner->message;
    twin->wins[twin->win_count].bid = sale->winner;
    twin->wins[twin->win_count].held = sale->winner->kind == PRICE_SHARE ? 0 : sale->price;
    twin->wins[twin->win_count++].price = sale->price;
}
