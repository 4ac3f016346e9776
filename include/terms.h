// The words of the domain as numbers, and back. One word, one meaning; the order of values is the
// domain's order and is stored (facts, catalog, ledger): append, never renumber.
#ifndef VENDUE_TERMS_H
#define VENDUE_TERMS_H

#include <stddef.h>
#include <stdint.h>

#include "reason.h"

// What a function that can fail answers (errors of the world). Must be used by the caller.
enum status {
    STATUS_OK = 0,
    STATUS_INPUT,     // the given text, bytes or value cannot be used; the caller says where
    STATUS_OVERFLOW,  // an amount or count leaves its range
    STATUS_FULL,      // a bounded pool or the disk has no room
    STATUS_NOT_FOUND,
    STATUS_EXISTS,    // it is there already, and it is the same
    STATUS_CONFLICT,  // it is there already, and it differs
    STATUS_DENIED,
    STATUS_AGAIN,    // nothing now; try later
    STATUS_CLOSED,   // the other side is gone
    STATUS_IO,       // the system said no; errno holds why
    STATUS_DAMAGED,  // bytes are not what was written
    STATUS_GAP,      // a journal's next frame is missing
    STATUS_FORK,     // a journal's next frame does not continue the last one
    STATUS_VERSION,  // written by a version this one cannot read
};
#define MUST_CHECK __attribute__((warn_unused_result))

const char *status_text(enum status status);

enum channel {
    CHANNEL_CALL,
    CHANNEL_WEB,
    CHANNEL_APP,
    CHANNEL_STORE,
    CHANNEL_EMAIL,
    CHANNEL_CHAT,
    CHANNEL_SMS,
    CHANNEL_BILL,
    CHANNEL_PARCEL,
    CHANNEL_KIOSK,
    CHANNEL_SOCIAL,
    CHANNEL_PARTNER,
    CHANNEL_COUNT
};
enum stage {
    STAGE_NEED,
    STAGE_SHOP,
    STAGE_BUY,
    STAGE_USE,
    STAGE_SERVICE,
    STAGE_RENEW,
    STAGE_LEAVE,
    STAGE_ADVOCATE,
    STAGE_COUNT
};
// The nine objectives. Sets of them are masks: 1u << objective.
enum objective {
    OBJECTIVE_IDENTIFY,
    OBJECTIVE_RECOGNIZE,
    OBJECTIVE_FULFILL,
    OBJECTIVE_UPGRADE,
    OBJECTIVE_CROSS_SELL,
    OBJECTIVE_EXPAND,
    OBJECTIVE_EDUCATE,
    OBJECTIVE_COLLECT,
    OBJECTIVE_REFER,
    OBJECTIVE_COUNT
};
// The ladder. Sets of rungs are masks: 1u << rung. Printed as 1 to 8: rung + 1.
enum rung {
    RUNG_GEOGRAPHIC,
    RUNG_DEMOGRAPHIC,
    RUNG_BEHAVIORAL,
    RUNG_PERSONALIZATION,
    RUNG_PREDICTIVE,
    RUNG_COMMERCIALIZATION,
    RUNG_AFFILIATION,
    RUNG_SYNDICATION,
    RUNG_COUNT
};
enum identity { IDENTITY_ANONYMOUS, IDENTITY_FIRST_TIME, IDENTITY_REPEAT, IDENTITY_COUNT };
enum tier { TIER_NONE, TIER_SILVER, TIER_GOLD, TIER_PLATINUM, TIER_VIP, TIER_COUNT };
enum loyalty {
    LOYALTY_UNKNOWN,
    LOYALTY_PROSPECT,
    LOYALTY_FIRST_TIME_USER,
    LOYALTY_EXCLUSIVE,
    LOYALTY_SWITCHER,
    LOYALTY_COUNT
};
enum condition { CONDITION_CALM, CONDITION_URGENT, CONDITION_DISTRESSED, CONDITION_COUNT };
// Purposes of consent. Sets are masks: 1u << consent. Absent means no.
enum consent {
    CONSENT_PROFILING,
    CONSENT_MODELLING,
    CONSENT_THIRD_PARTY,
    CONSENT_SHARING,
    CONSENT_COUNT
};
enum privacy { PRIVACY_OPEN, PRIVACY_HOST, PRIVACY_TRANSIENT, PRIVACY_COUNT };
enum seat_kind { SEAT_DEPARTMENT, SEAT_PARTNER, SEAT_KIND_COUNT };
// What a bid's price is for. A share is of the revenue that follows, in millionths of it.
enum price_kind { PRICE_PLACEMENT, PRICE_RESPONSE, PRICE_SHARE, PRICE_KIND_COUNT };
// What a certificate speaks for.
enum role { ROLE_TOUCHPOINT, ROLE_SEAT, ROLE_OPERATOR, ROLE_COUNT };

// Names: the words as people write them, in lower case ("cross_sell"). *_parse: STATUS_INPUT when
// it is no such word; `text` need not end in NUL.
const char *channel_name(enum channel value);
const char *stage_name(enum stage value);
const char *objective_name(enum objective value);
const char *rung_name(enum rung value);
const char *identity_name(enum identity value);
const char *tier_name(enum tier value);
const char *loyalty_name(enum loyalty value);
const char *condition_name(enum condition value);
const char *consent_name(enum consent value);
const char *privacy_name(enum privacy value);
const char *seat_kind_name(enum seat_kind value);
const char *price_kind_name(enum price_kind value);
const char *role_name(enum role value);
MUST_CHECK enum status channel_parse(const char *text, size_t len, enum channel *out_value);
MUST_CHECK enum status stage_parse(const char *text, size_t len, enum stage *out_value);
MUST_CHECK enum status objective_parse(const char *text, size_t len, enum objective *out_value);
MUST_CHECK enum status rung_parse(const char *text, size_t len, enum rung *out_value);
MUST_CHECK enum status identity_parse(const char *text, size_t len, enum identity *out_value);
MUST_CHECK enum status tier_parse(const char *text, size_t len, enum tier *out_value);
MUST_CHECK enum status loyalty_parse(const char *text, size_t len, enum loyalty *out_value);
MUST_CHECK enum status condition_parse(const char *text, size_t len, enum condition *out_value);
MUST_CHECK enum status consent_parse(const char *text, size_t len, enum consent *out_value);
MUST_CHECK enum status privacy_parse(const char *text, size_t len, enum privacy *out_value);
MUST_CHECK enum status seat_kind_parse(const char *text, size_t len, enum seat_kind *out_value);
MUST_CHECK enum status price_kind_parse(const char *text, size_t len, enum price_kind *out_value);
MUST_CHECK enum status role_parse(const char *text, size_t len, enum role *out_value);

#endif
