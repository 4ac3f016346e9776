// The catalog's block of bytes: what catalog_encode.c writes and catalog_decode.c reads. Private.
//
//   at   size  what
//    0     4   "VNDC"
//    4     4   format version; a block of the one before is read too
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
#define CATALOG_BLOCK_VERSION 2
#define CATALOG_BLOCK_SEALED 48  // bytes before the first one that the digest covers again
#define CATALOG_BLOCK_HEAD 80
#define CATALOG_BLOCK_ENTRY 20

// clang-format off
enum catalog_section {
    SECTION_MARKET,        // text code
    SECTION_ATTRIBUTES,    // declared ones: text name, type 1, of 1, privacy 1, consent 1, least 8,
                           //   most 8
    SECTION_SEATS,         // id 4, kind 1, paused 1, has_budget 1, budget 8, text code, rule
    SECTION_CONTAINERS,    // id 4, owner's index 4, stage 1, channel 1, slots 1, pricing 1, text
                           //   code
    SECTION_SLOTS,         // by container and position: id 4, rungs 2, objectives 2, delivery
                           //   seconds 4, floor 8, floors 1, formats 2, text tagid, floors (rung 1,
                           //   seat 4, category 4, price 8), formats (4 each), values, rule
    SECTION_MESSAGES,      // id 4, seat's index 4, rung 1, objectives 2, category 4, format 4,
                           //   from 8, until 8, has_budget 1, budget 8, cap count 4, cap days 4,
                           //   text code, content, values, rule
    SECTION_CONTRACTS,     // by seat, then from: id 4, seat's index 4, from 8, until 8, charge 1,
                           //   billing 1
    SECTION_BIDS,          // dearest first, then id: id 8, stable ids of seat 4, message 4, slot 4,
                           //   price 8, from 8, until 8, state 1, key 40
    SECTION_CERTIFICATES,  // ascending: fingerprint 32, role 1, revoked 1, party 4
    SECTION_TOUCHPOINTS,   // id 4, text code, name
    SECTION_WORDS,         // text each, by number; last, since the others find words while written
    SECTION_COUNT
};
// clang-format on
// A rule: nodes 2, set entries 2, then nodes (kind 1, negated 1, attribute 1, size 2, set 2, count
// 2, least 8, most 8, column 2, length 2), then set entries (8 each).
//
// Values: count 1, then by ascending attribute: attribute 1, and a boolean or integer 8, a word 4,
// or a list: items 2, words 4 each, ascending.
#define CATALOG_BLOCK_NODE 29
#define CATALOG_BLOCK_BID (8 + 4 * 3 + 8 * 3 + 1 + 40)

#endif
