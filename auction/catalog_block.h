// The catalog's block of bytes: what catalog_encode.c writes and catalog_decode.c reads. Private.
//
//   at   size  what
//    0     4   "VNDC"
//    4     4   format version; blocks of earlier ones are read too
//    8     8   length of the whole block
//   16    32   SHA-256 over bytes 0 to 15 and 48 to the end
//   48     8   catalog version
//   56    16   position: log 4, epoch 4, batch 8
//   72     4   currency
//   76     4   number of sections
//   80  20 x   section table: offset from the block's start 8, length 8, count of records 4
//  then        the sections without gaps, in the order of the table
//
// All numbers are little-endian; a text is a 16-bit length and its bytes. Records are read one
// after the other and have no padding; a variable part follows its record and the record holds its
// count.
#ifndef VENDUE_CATALOG_BLOCK_H
#define VENDUE_CATALOG_BLOCK_H

#include <stdint.h>

// 2: the pricing of a container. A block of version 1 has none: all are priced per slot.
// 3: the sections behind the words, and in the others what is marked with 3. A block of an earlier
//    version has none of it: UTC, no campaigns, no caps but a message's own, no deals, bids per
//    placement, one slot after the other without limits.
// 4: the merchant of a contract. Before, orders were known by seat, whoever the merchant was.
#define CATALOG_BLOCK_VERSION 4
#define CATALOG_BLOCK_SEALED 48  // bytes before the first one that the digest covers again
#define CATALOG_BLOCK_HEAD 80
#define CATALOG_BLOCK_ENTRY 20

// clang-format off
enum catalog_section {
    SECTION_MARKET,        // text code; 3: disclosure 1, sample ppm 4, sample days 4, quiet days
                           //   after a complaint 4, after a refund 4
    SECTION_ATTRIBUTES,    // declared ones: text name, type 1, of 1, privacy 1, consent 1, least 8,
                           //   most 8
    SECTION_SEATS,         // id 4, kind 1, paused 1, budget, 3: live 1, shows 8; text code, rule
    SECTION_CONTAINERS,    // id 4, owner's index 4, stage 1, channel 1, slots 1, 2: pricing 1,
                           //   3: separate 1, paid_max 4, quota count 4, quota objectives 2; text
                           //   code
    SECTION_SLOTS,         // by container and position: id 4, rungs 2, objectives 2, delivery
                           //   seconds 4, floor 8, before 3: floors 1; formats 2, 3: explore 1;
                           //   text tagid, 3: floors 1; floors, formats (4 each), 3: experiments 1,
                           //   indexes of them (1 each); values, rule. A floor: rung 1, seat 4,
                           //   category 4, price 8, 3: tier 1, number 1, id 4, has a rule 1 and
                           //   that rule
    SECTION_MESSAGES,      // id 4, seat's index 4, rung 1, objectives 2, category 4, format 4,
                           //   from 8, until 8, budget, cap count 4, cap days 4, 3: campaign's
                           //   index 4, group 4, priority 1, after experience 1; text code,
                           //   content, values, rule
    SECTION_CONTRACTS,     // by seat, then from: id 4, seat's index 4, from 8, until 8, charge 1,
                           //   billing 1, 4: merchant 1
    SECTION_BIDS,          // in the order of catalog.bids: id 8, stable ids of seat 4, message 4,
                           //   slot 4, price 8, from 8, until 8, state 1, key 40, 3: kind 1
    SECTION_CERTIFICATES,  // ascending: fingerprint 32, role 1, revoked 1, party 4
    SECTION_TOUCHPOINTS,   // id 4, text code, name
    SECTION_WORDS,         // text each, by number; the sections before it found them while written
    SECTION_COUNT_2,       // sections of version 1 and 2
    SECTION_CAMPAIGNS = SECTION_COUNT_2,
                           // id 4, seat's index 4, parent's index 4, from 8, until 8, budget, text
                           //   code
    SECTION_CAPS,          // id 4, per 1, window 1, of 4, count 4, minutes 4, text code
    SECTION_EXPERIMENTS,   // id 4, share ppm 4, factor ppm 4, from 8, until 8, stopped 1
    SECTION_DEALS,         // id 4, at 1, priority 1, floor 8, from 8, until 8, guarantee 4, slots
                           //   4, messages 4, text code, slots' indexes and messages' (4 each),
                           //   ascending
    SECTION_SHIFTS,        // from 8, offset in seconds 4
    SECTION_COUNT
};
// clang-format on
// A rule: nodes 2, set entries 2, then nodes (kind 1, negated 1, attribute 1, size 2, set 2, count
// 2, least 8, most 8, column 2, length 2), then set entries (8 each).
//
// Values: count 1, then by ascending attribute: attribute 1, and a boolean or integer 8, a word 4,
// or a list: items 2, words 4 each, ascending.
//
// A budget: has a total 1, total 8, 3: has a daily amount 1, pacing 1, daily 8, limit 8, day of the
// daily limit 2, daily limit 8, that of the day after 8.
#define CATALOG_BLOCK_NODE 29
#define CATALOG_BLOCK_BID_2 (8 + 4 * 3 + 8 * 3 + 1 + 40)
#define CATALOG_BLOCK_BID (CATALOG_BLOCK_BID_2 + 1)

#endif
