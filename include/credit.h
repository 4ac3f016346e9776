// Credit: which touches of a customer share in a conversion, and how much of it each earns. Pure
// and in integers: the same touches give the same ppm on every machine, for ever.
//
// A touch is a delivered placement of the conversion's customer, of any seat, container and rung,
// within one of the windows of the contract (market_contract.h) before the conversion, by the times
// at which things happened, not by those at which they were reported. It earns for the seat whose
// message it was, on the message's rung; a touch of the merchant's own messages earns for the seat
// that owns the container. Of an anonymous contact the placement itself is the one touch.
// Models: first, last, linear, time decay (2^-(age / half-life)), position (first and last their
// parts, the rest between evenly; two touches half and half; one all). Fitted models weigh each
// touch by its key's weight; a key that the fit does not know weighs nothing, and when no touch
// of a path is known all weigh the same.
#ifndef VENDUE_CREDIT_H
#define VENDUE_CREDIT_H

#include "contract.h"

struct touch {
    struct id placement;
    usec delivered;  // when it was shown, by the reporter
    usec accepted;   // when the customer accepted; 0 not
    uint32_t seat, owner;
    uint8_t seat_kind;  // enum seat_kind
    uint8_t rung, channel;
};

// A fitted model: weights of keys, in ppm, sorted by seat, then rung.
struct credit_weight {
    uint32_t seat;
    uint8_t rung;
    uint32_t ppm;
};
struct credit_fit {
    uint32_t version;  // > 0; named on every transfer that it divided
    uint8_t model;     // enum attribution
    struct credit_weight *weights;
    size_t count;
};

struct credit {
    struct contract_part parts[BOUND_PARTS];  // weight: ppm, in all 1,000,000; by seat, then rung
    unsigned count;
    uint32_t model;  // version of the fit that was used; 0 none
};
// Whether the touch counts for a conversion at `at`.
bool credit_counts(const struct market_attribution *terms, const struct touch *touch, usec at);
// Divides one conversion at `at`. `touches` in any order, those that do not count are passed over;
// of more than BOUND_TOUCHES the latest count; of more than BOUND_PARTS - BOUND_SHARES pairs the
// smallest are left out. `merchant`: seat that is the merchant; 0 the host. `fit` may be NULL.
// No touch counts: count 0.
void credit_divide(const struct market_attribution *terms, const struct touch *touches,
                   size_t count, usec at, uint32_t merchant, const struct credit_fit *fit,
                   struct credit *out_credit);

#endif
