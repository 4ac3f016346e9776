// Why: the business's answers, of auctions and of requests.
#ifndef VENDUE_REASON_H
#define VENDUE_REASON_H

// The business's answers. Each has a stable key (text), a number, and a sentence.
// Numbers: OpenRTB 2.6 loss reasons where one exists, ours from 501 up; 0 is "won" or "accepted".
enum reason {
    REASON_NONE,  // 0: won, accepted
    // why a bid did not win a slot
    REASON_BELOW_FLOOR,    // 100
    REASON_OUTBID,         // 102
    REASON_FORMAT,         // 204 the slot does not take this format
    REASON_NOT_ELIGIBLE,   // 501 a rule of slot, seat or message is not true
    REASON_CONSENT,        // 502 the rung needs a consent that is absent
    REASON_FREQUENCY_CAP,  // 503
    REASON_BUDGET,         // 505
    REASON_DUPLICATE,      // 508 this message already won a slot of this contact
    REASON_CONTRACT,       // 512 no contract in force
    REASON_RUNG,           // 513 the slot does not admit this rung
    REASON_OBJECTIVE,      // 514 the slot admits none of the message's objectives
    REASON_IDENTITY,       // 515 the rung needs a recognized customer
    REASON_CONDITION,      // 516 a distressed customer is served, not sold to
    REASON_SEAT_KIND,      // 517 this kind of seat may not use this rung
    REASON_NOT_VALID_NOW,  // 518 message or bid outside its validity
    REASON_PAUSED,         // 519
    REASON_OWN_SEAT,       // 520 a better bid of the same seat won
    REASON_WITHDRAWN,      // 521
    // why a slot stayed empty
    REASON_NO_BIDS,          // 530 no bid addresses this slot
    REASON_NO_ELIGIBLE_BID,  // 531 bids were there, none was eligible
    REASON_NOT_REQUESTED,    // 532
    // why a request was refused
    REASON_MALFORMED,            // 540 not MessagePack-RPC, or of the wrong type
    REASON_MISSING_FIELD,        // 541
    REASON_WRONG_TYPE,           // 542
    REASON_OUT_OF_RANGE,         // 543
    REASON_TOO_LARGE,            // 544
    REASON_UNKNOWN_METHOD,       // 545
    REASON_UNKNOWN_CONTAINER,    // 546
    REASON_UNKNOWN_SLOT,         // 547
    REASON_UNKNOWN_SEAT,         // 548
    REASON_UNKNOWN_MESSAGE,      // 549
    REASON_UNKNOWN_BID,          // 550
    REASON_UNKNOWN_PLACEMENT,    // 551
    REASON_UNKNOWN_ATTRIBUTE,    // 552
    REASON_NOT_YOURS,            // 553 another seat's message, bid, placement, statement
    REASON_WRONG_ROLE,           // 554 this certificate may not call this method
    REASON_UNKNOWN_CERTIFICATE,  // 555
    REASON_REVOKED,              // 556
    REASON_CONFLICT,             // 557 the same key with another content
    REASON_CURRENCY,             // 558
    REASON_LATE,                 // 559 after the placement's delivery window
    REASON_EARLY,                // 560 response or conversion before delivery
    REASON_ALREADY_ENDED,        // 561 declined, expired or refunded before
    REASON_REFUND_EXCEEDS,       // 562 more refunded than converted
    REASON_BUSY,                 // 563 a bounded pool is full; try again
    REASON_JOURNAL_FULL,         // 564 no room to make a fact durable
    REASON_NOT_FOUND,            // 565
    REASON_NO_MARKET,            // 566 no catalog loaded yet
    REASON_INTERNAL,             // 567
    // more of why a bid did not win a slot
    REASON_INVALID_BID,       // 3   a live bid that cannot be read or breaks a rule of form
    REASON_INVALID_DEAL,      // 4   the deal does not admit this seat, slot or time
    REASON_BELOW_DEAL_FLOOR,  // 101
    REASON_LOST_TO_PRIORITY,  // 103 a bid of a higher priority won, though not dearer
    REASON_SEPARATION,        // 205 a message of the same category won a slot of this contact
    REASON_PRESSURE_CAP,      // 504 the customer has been addressed as often as the host allows
    REASON_PACING,            // 506 the budget has spent ahead of its pace
    REASON_AFTER_DEADLINE,    // 507 a live bid that came too late
    REASON_QUOTA,             // 509 the slot is needed for an objective that the message lacks
    REASON_GROUP,             // 510 not all bids of its group won
    REASON_PAID_MAX,          // 522 as many paid placements in this contact as it admits
    REASON_NOT_EXPERIENCED,   // 523 asks about an experience that has not happened yet
    REASON_QUIET,             // 524 a quiet period after a complaint or refund
    REASON_NO_ANSWER,         // 525 a live bidder did not answer in time
    REASON_NO_BID,            // 526 a live bidder answered without a bid
    REASON_OVER_LIMIT,        // 527 more live bids than a bidder may send
    REASON_THROTTLED,         // 528 a live bidder was not asked: its breaker is open
    REASON_NOT_CONNECTED,     // 529 a live bidder was not asked: no subscribed connection
    // more of why a request was refused
    REASON_TOO_OLD,  // 568 decided before; its answer is known no more, and it is not decided again
    REASON_COUNT
};
unsigned reason_number(enum reason reason);
const char *reason_key(enum reason reason);   // "below_floor"
const char *reason_text(enum reason reason);  // a sentence for people

#endif
