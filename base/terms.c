// The words of the domain: one table a kind, in the order of its enum.
#include "terms.h"

#include <string.h>

#include "fail.h"
#include "fact.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const char *const status_texts[] = {
    [STATUS_OK] = "done",
    [STATUS_INPUT] = "the input cannot be used",
    [STATUS_OVERFLOW] = "an amount or count leaves its range",
    [STATUS_FULL] = "no room",
    [STATUS_NOT_FOUND] = "not found",
    [STATUS_EXISTS] = "it exists already",
    [STATUS_CONFLICT] = "it exists already and differs",
    [STATUS_DENIED] = "not permitted",
    [STATUS_AGAIN] = "nothing yet; try again",
    [STATUS_CLOSED] = "the other side closed",
    [STATUS_IO] = "the system refused",
    [STATUS_DAMAGED] = "the bytes are damaged",
    [STATUS_GAP] = "a frame is missing",
    [STATUS_FORK] = "a frame does not continue the last one",
    [STATUS_VERSION] = "written by a version that this one cannot read",
};

const char *
status_text(enum status status)
{
    CHECK((size_t)status < COUNT_OF(status_texts));
    return status_texts[status];
}

static const char *const channel_names[CHANNEL_COUNT] = {
    "call", "web",  "app",    "store", "email",  "chat",
    "sms",  "bill", "parcel", "kiosk", "social", "partner",
};
static const char *const stage_names[STAGE_COUNT] = {
    "need", "shop", "buy", "use", "service", "renew", "leave", "advocate",
};
static const char *const objective_names[OBJECTIVE_COUNT] = {
    "identify", "recognize", "fulfill", "upgrade", "cross_sell",
    "expand",   "educate",   "collect", "refer",
};
static const char *const rung_names[RUNG_COUNT] = {
    "geographic", "demographic",       "behavioral",  "personalization",
    "predictive", "commercialization", "affiliation", "syndication",
};
static const char *const identity_names[IDENTITY_COUNT] = {"anonymous", "first_time", "repeat"};
static const char *const tier_names[TIER_COUNT] = {"none", "silver", "gold", "platinum", "vip"};
static const char *const loyalty_names[LOYALTY_COUNT] = {
    "unknown", "prospect", "first_time_user", "exclusive", "switcher",
};
static const char *const condition_names[CONDITION_COUNT] = {"calm", "urgent", "distressed"};
static const char *const consent_names[CONSENT_COUNT] = {"profiling", "modelling", "third_party",
                                                         "sharing"};
static const char *const privacy_names[PRIVACY_COUNT] = {"open", "host", "transient"};
static const char *const seat_kind_names[SEAT_KIND_COUNT] = {"department", "partner"};
static const char *const price_kind_names[PRICE_KIND_COUNT] = {"placement", "response", "share"};
static const char *const role_names[ROLE_COUNT] = {"touchpoint", "seat", "operator"};
static const char *const fact_kind_names[FACT_KIND_COUNT] = {
    "none",       "contact", "placement", "unfilled", "delivered", "accepted", "declined",
    "cancelled",  "expired", "converted", "refunded", "bid",       "lapsed",   "complained",
    "candidates", "tally",   "refusals",  "callouts", "limits",
};

static enum status
parse(const char *const names[], size_t count, const char *text, size_t len, size_t *out_index)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) != len || memcmp(names[i], text, len) != 0) continue;
        *out_index = i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

// The pair of functions of one kind of word.
#define WORDS(kind)                                                                          \
    const char *kind##_name(enum kind value)                                                 \
    {                                                                                        \
        CHECK((size_t)value < COUNT_OF(kind##_names));                                       \
        return kind##_names[value];                                                          \
    }                                                                                        \
    enum status kind##_parse(const char *text, size_t len, enum kind *out_value)             \
    {                                                                                        \
        size_t index;                                                                        \
        enum status status = parse(kind##_names, COUNT_OF(kind##_names), text, len, &index); \
        if (status == STATUS_OK) *out_value = (enum kind)index;                              \
        return status;                                                                       \
    }

WORDS(channel)
WORDS(stage)
WORDS(objective)
WORDS(rung)
WORDS(identity)
WORDS(tier)
WORDS(loyalty)
WORDS(condition)
WORDS(consent)
WORDS(privacy)
WORDS(seat_kind)
WORDS(price_kind)
WORDS(role)

const char *
fact_kind_name(enum fact_kind kind)
{
    CHECK((size_t)kind < COUNT_OF(fact_kind_names));
    return fact_kind_names[kind];
}

static const struct {
    unsigned number;
    const char *key, *text;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {0, "none", "Won, or accepted."},
    [REASON_BELOW_FLOOR] = {100, "below_floor", "The bid is below the floor that counts for it."},
    [REASON_OUTBID] = {102, "outbid", "Another seat's bid was higher."},
    [REASON_FORMAT] = {204, "format", "The slot does not take this format."},
    [REASON_NOT_ELIGIBLE] =
        {501, "not_eligible",
         "A rule of the slot, the seat or the message is not true for this contact."},
    [REASON_CONSENT] = {502, "consent",
                        "The customer did not agree to the use that this rung needs."},
    [REASON_FREQUENCY_CAP] = {503, "frequency_cap",
                              "The customer has seen this message as often as its cap allows."},
    [REASON_BUDGET] = {505, "budget",
                       "The budget of the seat or the message does not cover the bid."},
    [REASON_DUPLICATE] = {508, "duplicate", "The message already won a slot of this contact."},
    [REASON_CONTRACT] = {512, "contract", "The seat has no contract in force."},
    [REASON_RUNG] = {513, "rung", "The slot does not admit the message's rung."},
    [REASON_OBJECTIVE] = {514, "objective", "The slot admits none of the message's objectives."},
    [REASON_IDENTITY] = {515, "identity", "The rung needs a customer who is recognized."},
    [REASON_CONDITION] = {516, "condition", "A distressed customer is served, not sold to."},
    [REASON_SEAT_KIND] = {517, "seat_kind", "This kind of seat may not use the message's rung."},
    [REASON_NOT_VALID_NOW] = {518, "not_valid_now",
                              "The message or the bid is outside its validity."},
    [REASON_PAUSED] = {519, "paused", "The seat or the bid is paused."},
    [REASON_OWN_SEAT] = {520, "own_seat", "A better bid of the same seat was considered."},
    [REASON_WITHDRAWN] = {521, "withdrawn", "The bid was withdrawn."},
    [REASON_NO_BIDS] = {530, "no_bids", "No bid addresses this slot."},
    [REASON_NO_ELIGIBLE_BID] = {531, "no_eligible_bid", "Bids were there, but none was eligible."},
    [REASON_NOT_REQUESTED] = {532, "not_requested", "The touchpoint did not ask for this slot."},
    [REASON_MALFORMED] = {540, "malformed", "The bytes are not a MessagePack-RPC message."},
    [REASON_MISSING_FIELD] = {541, "missing_field", "A required field is missing."},
    [REASON_WRONG_TYPE] = {542, "wrong_type", "A field has the wrong type."},
    [REASON_OUT_OF_RANGE] = {543, "out_of_range", "A value is outside its range."},
    [REASON_TOO_LARGE] = {544, "too_large", "A message, text or list is longer than its limit."},
    [REASON_UNKNOWN_METHOD] = {545, "unknown_method", "There is no such method."},
    [REASON_UNKNOWN_CONTAINER] = {546, "unknown_container", "The market has no such container."},
    [REASON_UNKNOWN_SLOT] = {547, "unknown_slot", "The container has no such slot."},
    [REASON_UNKNOWN_SEAT] = {548, "unknown_seat", "The market has no such seat."},
    [REASON_UNKNOWN_MESSAGE] = {549, "unknown_message", "The market has no such message."},
    [REASON_UNKNOWN_BID] = {550, "unknown_bid", "The seat has no bid of this reference."},
    [REASON_UNKNOWN_PLACEMENT] = {551, "unknown_placement",
                                  "There is no such placement, or it is no longer kept."},
    [REASON_UNKNOWN_ATTRIBUTE] =
        {552, "unknown_attribute",
         "The market declares no such attribute of a contact or customer."},
    [REASON_NOT_YOURS] = {553, "not_yours", "It belongs to another seat or touchpoint."},
    [REASON_WRONG_ROLE] = {554, "wrong_role", "This certificate's role may not do this."},
    [REASON_UNKNOWN_CERTIFICATE] = {555, "unknown_certificate",
                                    "This certificate is registered for nobody."},
    [REASON_REVOKED] = {556, "revoked", "This certificate was revoked, or its seat is closed."},
    [REASON_CONFLICT] = {557, "conflict", "The same reference came before with another content."},
    [REASON_CURRENCY] = {558, "currency", "The market settles in another currency."},
    [REASON_LATE] = {559, "late", "The placement's delivery window has ended."},
    [REASON_EARLY] = {560, "early", "What this event follows has not happened yet."},
    [REASON_ALREADY_ENDED] = {561, "already_ended", "The placement ended before."},
    [REASON_REFUND_EXCEEDS] = {562, "refund_exceeds",
                               "The refunds would exceed what was converted."},
    [REASON_BUSY] = {563, "busy", "A bounded pool is full; try again."},
    [REASON_JOURNAL_FULL] =
        {564, "journal_full",
         "There is no room to make a decision durable; nothing is sold meanwhile."},
    [REASON_NOT_FOUND] = {565, "not_found", "There is no such thing."},
    [REASON_NO_MARKET] = {566, "no_market", "No market has been published to this node yet."},
    [REASON_INTERNAL] = {567, "internal", "The request met a fault of this node."},
    [REASON_INVALID_BID] = {3, "invalid_bid", "The live bid cannot be read or is out of range."},
    [REASON_INVALID_DEAL] = {4, "invalid_deal", "The deal does not admit this seat, slot or time."},
    [REASON_BELOW_DEAL_FLOOR] = {101, "below_deal_floor", "The bid is below the deal's floor."},
    [REASON_LOST_TO_PRIORITY] = {103, "lost_to_priority",
                                 "A bid of a higher priority won the slot."},
    [REASON_SEPARATION] = {205, "separation",
                           "A message of the same category won a slot of this contact."},
    [REASON_PRESSURE_CAP] =
        {504, "pressure_cap",
         "The customer has been addressed as often as the host allows, over all messages."},
    [REASON_PACING] = {506, "pacing", "The budget has spent ahead of its pace."},
    [REASON_AFTER_DEADLINE] = {507, "after_deadline", "The live bid came after the deadline."},
    [REASON_QUOTA] = {509, "quota",
                      "The slot is kept for an objective that the message does not pursue."},
    [REASON_GROUP] = {510, "group", "Not all bids of its group could win."},
    [REASON_PAID_MAX] = {522, "paid_max",
                         "The contact has as many paid placements as its container admits."},
    [REASON_NOT_EXPERIENCED] = {523, "not_experienced",
                                "The message asks about an experience that has not happened yet."},
    [REASON_QUIET] = {524, "quiet", "The customer is left alone after a complaint or a refund."},
    [REASON_NO_ANSWER] = {525, "no_answer", "The live bidder did not answer in time."},
    [REASON_NO_BID] = {526, "no_bid", "The live bidder made no bid."},
    [REASON_OVER_LIMIT] = {527, "over_limit", "More live bids than one answer may hold."},
    [REASON_THROTTLED] = {528, "throttled",
                          "The live bidder was not asked: it failed too often lately."},
    [REASON_NOT_CONNECTED] = {529, "not_connected",
                              "The live bidder was not asked: it has no subscribed connection."},
    [REASON_TOO_OLD] = {568, "too_old",
                        "The request was decided too long ago to be answered again."},
};

unsigned
reason_number(enum reason reason)
{
    CHECK((size_t)reason < REASON_COUNT);
    return reasons[reason].number;
}

const char *
reason_key(enum reason reason)
{
    CHECK((size_t)reason < REASON_COUNT);
    return reasons[reason].key;
}

const char *
reason_text(enum reason reason)
{
    CHECK((size_t)reason < REASON_COUNT);
    return reasons[reason].text;
}
