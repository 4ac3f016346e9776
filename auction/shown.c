// Histories of customers in a pool of blocks of 32 bytes, and an index from customer to first
// block. A customer's room is paid as 64 bytes: 5 1/3 for the index, the rest are blocks, so that
// many customers have one block and others three. What is measured stands in the test.
//
//   first block   customer 8 | 3 entries 20  | next 4
//   others                     4 entries 28  | next 4
//
// An entry is 52 bits, 13 half bytes, packed from the highest:
//
//   minute 26   since 1970, of the delivery; while pending, of the win
//   message 18  stable id; 0: a mark, whose kind stands in place of the channel
//   channel 4
//   kept 3      for how long: the first of the spans below that is longer than the caps asked for
//   pending 1
//
// so that entries in descending order of their numbers are newest first. An entry of 0 is none.
//
// Invariants
//   (1) a customer is in the index exactly when it has an entry; its entries are in descending
//       order, without a gap, and no block is longer than they need
//   (2) a pending entry is kept until its placement is delivered, cancelled or expires
//   (3) a delivered entry is kept as long as its span, and may be kept longer; one with
//       BOUND_CAP_COUNT newer ones of the same message and channel, all kept at least as long, may
//       be dropped before: no cap counts so far
//   (4) of each kind of mark the newest is kept, one
//   (5) what is dropped follows from the facts alone: each change drops what is over in the
//       customer it touches, and a hand goes round the blocks, a bounded number with each contact
//   (6) a part of the blocks is for marks alone: sales stop before complaints are forgotten
#include "shown.h"

#include <string.h>

#include "fail.h"

#define NEXT_BITS 27
#define NEXT_MASK ((1u << NEXT_BITS) - 1)
#define FIRST_FLAG (1u << 31)  // beside `next`: the first block of a customer
#define FIRST_ENTRIES 3u
#define MORE_ENTRIES 4u
#define MINUTE_MAX ((1u << 26) - 1)
#define MARK_SPAN 4u  // place in `spans`
#define SPAN_ALWAYS 6u
#define CONTACT_BLOCKS 4u    // that the placements of one contact take at most
#define MARK_PART 64         // of the blocks, for marks alone
#define HAND_BLOCKS 4        // looked at with each contact
#define HAND_BLOCKS_FULL 24  // when an eighth or less is free: more than a contact can take

#define MARK_DAYS 367
static const uint32_t spans[SPAN_ALWAYS] = {2, 8, 32, 93, MARK_DAYS, 1830};  // days
_Static_assert(MARK_DAYS > BOUND_QUIET_DAYS, "a mark is kept as long as any quiet period");

// --- Entries -------------------------------------------------------------------------------------
static uint32_t
minute_of(usec at)
{
    int64_t minute = at.us / (60 * USEC_SECOND);
    return minute < 0 ? 0 : minute > MINUTE_MAX ? MINUTE_MAX : (uint32_t)minute;
}

static uint64_t
entry_of(uint32_t minute, uint32_t message, unsigned channel, unsigned span, bool pending)
{
    return (uint64_t)minute << 26 | (uint64_t)message << 8 | channel << 4 | span << 1 | pending;
}

static uint32_t
entry_minute(uint64_t entry)
{
    return (uint32_t)(entry >> 26);
}
static uint32_t
entry_message(uint64_t entry)
{
    return (uint32_t)(entry >> 8) & (BOUND_MESSAGES - 1);
}
_Static_assert(BOUND_MESSAGES == 1 << 18, "a message has 18 bits");
static unsigned
entry_channel(uint64_t entry)
{
    return (unsigned)(entry >> 4) & 15;
}
_Static_assert(CHANNEL_COUNT < 16, "a channel has 4 bits");
static unsigned
entry_span(uint64_t entry)
{
    return (unsigned)(entry >> 1) & 7;
}
static bool
entry_pending(uint64_t entry)
{
    return entry & 1;
}
static bool
same_subject(uint64_t a, uint64_t b)
{
    return ((a ^ b) >> 4 & ((UINT64_C(1) << 22) - 1)) == 0;
}

static unsigned
span_of(uint16_t cap_days)
{
    unsigned span = 0;
    while (span < SPAN_ALWAYS && spans[span] <= cap_days) span++;
    return span;
}

uint32_t
shown_days(uint16_t cap_days)
{
    unsigned span = span_of(cap_days);
    return span == SPAN_ALWAYS ? UINT32_MAX : spans[span];
}

static bool
is_over(uint64_t entry, uint32_t minute)
{
    if (entry_pending(entry) || entry_span(entry) == SPAN_ALWAYS) return false;
    return entry_minute(entry) + spans[entry_span(entry)] * 1440 <= minute;
}

// --- Blocks --------------------------------------------------------------------------------------
static uint32_t
get_link(const struct shown *shown, uint32_t number)
{
    uint32_t link;
    memcpy(&link, shown->blocks[number - 1].bytes + 28, sizeof link);
    return link;
}
static void
set_link(struct shown *shown, uint32_t number, uint32_t link)
{
    memcpy(shown->blocks[number - 1].bytes + 28, &link, sizeof link);
}

static uint64_t
get_customer(const struct shown *shown, uint32_t number)
{
    uint64_t customer;
    memcpy(&customer, shown->blocks[number - 1].bytes, sizeof customer);
    return customer;
}

static uint64_t
hash_of(const void *owner, uint32_t item)
{
    return hash_mix(get_customer(owner, item + 1));
}

// The place of an entry among the half bytes of its block.
static unsigned
place_of(bool first, unsigned i)
{
    return (first ? 16 : 0) + 13 * i;
}

static uint64_t
get_entry(const uint8_t *bytes, unsigned place)
{
    uint64_t word;
    memcpy(&word, bytes + place / 2, sizeof word);
    return word >> 4 * (place & 1) & ((UINT64_C(1) << 52) - 1);
}

static void
set_entry(uint8_t *bytes, unsigned place, uint64_t entry)
{
    uint64_t word, mask = (UINT64_C(1) << 52) - 1;
    memcpy(&word, bytes + place / 2, sizeof word);
    word = (word & ~(mask << 4 * (place & 1))) | entry << 4 * (place & 1);
    memcpy(bytes + place / 2, &word, sizeof word);
}

static uint32_t
take_block(struct shown *shown)
{
    uint32_t number = shown->free;
    if (number != 0) shown->free = get_link(shown, number) & NEXT_MASK;
    else number = shown->fresh++;
    CHECK(shown->free_count-- > 0 && number <= shown->block_count);
    memset(&shown->blocks[number - 1], 0, sizeof *shown->blocks);
    return number;
}

static void
give_block(struct shown *shown, uint32_t number)
{
    memset(&shown->blocks[number - 1], 0, sizeof *shown->blocks);
    set_link(shown, number, shown->free);
    shown->free = number;
    shown->free_count++;
}

static uint32_t
blocks_for(unsigned entries)
{
    return entries <= FIRST_ENTRIES
               ? 1
               : 1 + (entries - FIRST_ENTRIES + MORE_ENTRIES - 1) / MORE_ENTRIES;
}

// --- Customers -----------------------------------------------------------------------------------
void
shown_open(struct shown *shown, struct arena *arena, uint32_t customers)
{
    *shown = (struct shown){.customer_room = customers, .fresh = 1, .hand = 1};
    uint64_t bytes = (uint64_t)customers * SHOWN_BYTES, index = 4ull * slim_cells(customers);
    if (bytes > index) shown->block_count = (uint32_t)((bytes - index) / sizeof *shown->blocks);
    CHECK(shown->block_count < NEXT_MASK);
    shown->free_count = shown->block_count;
    shown->blocks = arena_take(arena, shown->block_count + 1, sizeof *shown->blocks);
    slim_open(&shown->index, arena, customers);
}

// The customer's first block; 0 none.
static uint32_t
find(const struct shown *shown, uint64_t customer)
{
    uint64_t hash = hash_mix(customer);
    uint32_t at = slim_home(&shown->index, hash), item;
    while ((item = slim_next(&shown->index, hash, &at)) != SLIM_NONE) {
        if (get_customer(shown, item + 1) == customer) return item + 1;
    }
    return 0;
}

static unsigned
load(const struct shown *shown, uint32_t number, uint64_t entries[SHOWN_ROOM])
{
    unsigned count = 0;
    for (bool first = true; number != 0; first = false) {
        const uint8_t *bytes = shown->blocks[number - 1].bytes;
        for (unsigned i = 0; i < (first ? FIRST_ENTRIES : MORE_ENTRIES); i++) {
            uint64_t entry = get_entry(bytes, place_of(first, i));
            if (entry == 0) return count;
            CHECK(count < SHOWN_ROOM);
            entries[count++] = entry;
        }
        number = get_link(shown, number) & NEXT_MASK;
    }
    return count;
}

// Writes the customer's entries anew over its blocks, taking or giving back what the change needs.
static void
store(struct shown *shown, uint64_t customer, uint32_t number, const uint64_t *entries,
      unsigned count)
{
    if (count == 0) {
        slim_drop(&shown->index, hash_mix(customer), number - 1, hash_of, shown);
        shown->customers--;
    }
    unsigned written = 0;
    for (bool first = true; number != 0; first = false) {
        uint32_t next = get_link(shown, number) & NEXT_MASK;
        if (written == count) {
            give_block(shown, number);
            number = next;
            continue;
        }
        uint8_t *bytes = shown->blocks[number - 1].bytes;
        for (unsigned i = 0; i < (first ? FIRST_ENTRIES : MORE_ENTRIES); i++)
            set_entry(bytes, place_of(first, i), written < count ? entries[written++] : 0);
        if (written < count && next == 0) next = take_block(shown);
        set_link(shown, number, (written < count ? next : 0) | (first ? FIRST_FLAG : 0));
        number = next;
    }
}

// The customer's first block, made if it has none. There must be room.
static uint32_t
open_customer(struct shown *shown, uint64_t customer)
{
    uint32_t number = find(shown, customer);
    if (number != 0) return number;
    number = take_block(shown);
    memcpy(shown->blocks[number - 1].bytes, &customer, sizeof customer);
    set_link(shown, number, FIRST_FLAG);
    slim_put(&shown->index, hash_mix(customer), number - 1);
    shown->customers++;
    return number;
}

static unsigned
drop_over(uint64_t *entries, unsigned count, uint32_t minute)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (!is_over(entries[i], minute)) entries[kept++] = entries[i];
    return kept;
}

// Of the entry's message and channel only as many delivered ones as a cap can count (3).
static unsigned
drop_beyond_caps(uint64_t *entries, unsigned count, uint64_t like)
{
    unsigned kept = 0, newer[8] = {0};
    for (unsigned i = 0; i < count; i++) {
        uint64_t entry = entries[i];
        if (same_subject(entry, like) && !entry_pending(entry)) {
            if (newer[entry_span(entry)] >= BOUND_CAP_COUNT) continue;
            for (unsigned span = 0; span <= entry_span(entry); span++) newer[span]++;
        }
        entries[kept++] = entry;
    }
    return kept;
}

static unsigned
insert(uint64_t *entries, unsigned count, uint64_t entry)
{
    CHECK(count < SHOWN_ROOM);
    unsigned place = count;
    for (; place > 0 && entries[place - 1] < entry; place--) entries[place] = entries[place - 1];
    entries[place] = entry;
    return count + 1;
}

static unsigned
remove_at(uint64_t *entries, unsigned count, unsigned place)
{
    memmove(entries + place, entries + place + 1, (count - place - 1) * sizeof *entries);
    return count - 1;
}

// Whether `count` entries may become `more` ones, with so many blocks left over.
static bool
fits(const struct shown *shown, bool known, unsigned count, unsigned more, uint32_t left)
{
    if (!known && shown->customers == shown->customer_room) return false;
    uint32_t has = known ? blocks_for(count) : 0;
    return (uint64_t)blocks_for(more) + left <= (uint64_t)shown->free_count + has;
}

// --- Placements and marks ------------------------------------------------------------------------
static uint64_t
pending_entry(const struct fact *placement)
{
    // The version before did not note the cell.
    unsigned channel = placement->placement.day == 0 ? CHANNEL_COUNT
                                                     : placement->placement.cell % CHANNEL_COUNT;
    return entry_of(minute_of(placement->at), placement->placement.message, channel,
                    span_of(placement->placement.cap_days), true);
}

bool
shown_win(struct shown *shown, const struct fact *placement)
{
    uint64_t entries[SHOWN_ROOM], entry = pending_entry(placement);
    uint32_t number = find(shown, placement->customer);
    unsigned count = number == 0 ? 0 : load(shown, number, entries);
    if (count >= SHOWN_MOST || !fits(shown, number != 0, count, count + 1, 0)) return false;
    if (number == 0) number = open_customer(shown, placement->customer);
    count = drop_over(entries, count, minute_of(placement->at));
    count = insert(entries, count, entry);
    store(shown, placement->customer, number, entries, count);
    return true;
}

// Takes the pending entry of the placement away; false when it is not there.
static bool
take_pending(const struct fact *placement, uint64_t *entries, unsigned *count)
{
    uint64_t entry = pending_entry(placement);
    for (unsigned i = 0; i < *count; i++) {
        if (entries[i] != entry) continue;
        *count = remove_at(entries, *count, i);
        return true;
    }
    return false;
}

void
shown_deliver(struct shown *shown, const struct fact *placement, usec at)
{
    uint64_t entries[SHOWN_ROOM], entry = pending_entry(placement);
    uint32_t number = find(shown, placement->customer);
    unsigned count = number == 0 ? 0 : load(shown, number, entries);
    if (!take_pending(placement, entries, &count)) return;
    entry = entry_of(minute_of(at), entry_message(entry), entry_channel(entry), entry_span(entry),
                     false);
    count = insert(entries, count, entry);
    count = drop_over(entries, count, minute_of(at));
    count = drop_beyond_caps(entries, count, entry);
    store(shown, placement->customer, number, entries, count);
}

void
shown_cancel(struct shown *shown, const struct fact *placement)
{
    uint64_t entries[SHOWN_ROOM];
    uint32_t number = find(shown, placement->customer);
    unsigned count = number == 0 ? 0 : load(shown, number, entries);
    if (take_pending(placement, entries, &count))
        store(shown, placement->customer, number, entries, count);
}

bool
shown_mark(struct shown *shown, uint64_t customer, enum shown_kind kind, usec at)
{
    uint64_t entries[SHOWN_ROOM];
    uint64_t entry = entry_of(minute_of(at), 0, (unsigned)kind, MARK_SPAN, false);
    uint32_t number = find(shown, customer);
    unsigned count = number == 0 ? 0 : load(shown, number, entries), before = count;
    for (unsigned i = 0; i < count; i++) {
        if (!same_subject(entries[i], entry)) continue;
        if (entries[i] >= entry) return true;
        count = remove_at(entries, count, i);
        break;
    }
    if (!fits(shown, number != 0, before, count + 1, 0)) return false;
    if (number == 0) number = open_customer(shown, customer);
    count = insert(entries, count, entry);
    store(shown, customer, number, entries, count);
    return true;
}

static bool
any_over(const struct shown *shown, uint32_t number, uint32_t minute)
{
    for (bool first = true; number != 0; first = false) {
        const uint8_t *bytes = shown->blocks[number - 1].bytes;
        for (unsigned i = 0; i < (first ? FIRST_ENTRIES : MORE_ENTRIES); i++) {
            uint64_t entry = get_entry(bytes, place_of(first, i));
            if (entry == 0) return false;
            if (is_over(entry, minute)) return true;
        }
        number = get_link(shown, number) & NEXT_MASK;
    }
    return false;
}

// What the next call will look at is called near.
static void
expect_hand(const struct shown *shown)
{
    for (uint32_t i = 0; i < HAND_BLOCKS && shown->hand + i < shown->fresh; i++) {
        uint32_t next = get_link(shown, shown->hand + i) & NEXT_MASK;
        if (next != 0) __builtin_prefetch(&shown->blocks[next - 1]);
    }
}

void
shown_reclaim(struct shown *shown, usec now)
{
    uint64_t entries[SHOWN_ROOM];
    uint32_t minute = minute_of(now);
    bool full = shown->free_count <= shown->block_count / 16;
    if (shown->fresh == 1) return;
    for (unsigned i = full ? HAND_BLOCKS_FULL : HAND_BLOCKS; i > 0; i--) {
        if (shown->hand >= shown->fresh) shown->hand = 1;
        uint32_t number = shown->hand++;
        if (!(get_link(shown, number) & FIRST_FLAG) || !any_over(shown, number, minute)) continue;
        uint64_t customer = get_customer(shown, number);
        unsigned count = load(shown, number, entries);
        store(shown, customer, number, entries, drop_over(entries, count, minute));
    }
    expect_hand(shown);
}

// --- Reading -------------------------------------------------------------------------------------
// The iterator: block number << 3 | entry in it << 1 | first block; 0 the start. At the end:
// all ones.
bool
shown_next(const struct shown *shown, uint64_t customer, struct book_shown *entry)
{
    uint32_t number = (uint32_t)(entry->next >> 4);
    unsigned i = (unsigned)(entry->next >> 1) & 7;
    bool first = entry->next & 1;
    if (entry->next == UINT64_MAX) return false;
    if (entry->next == 0) {
        number = find(shown, customer);
        if (number == 0) return false;
        first = true;
    } else if (i == (first ? FIRST_ENTRIES : MORE_ENTRIES)) {
        number = get_link(shown, number) & NEXT_MASK;
        if (number == 0) return false;
        i = 0;
        first = false;
    }
    uint64_t packed = get_entry(shown->blocks[number - 1].bytes, place_of(first, i));
    if (packed == 0) return false;
    bool mark = entry_message(packed) == 0;
    *entry = (struct book_shown){
        .kind = mark ? (enum shown_kind)entry_channel(packed) : SHOWN_MESSAGE,
        .message = entry_message(packed),
        .channel = mark ? CHANNEL_COUNT : (uint8_t)entry_channel(packed),
        .at = {(int64_t)entry_minute(packed) * 60 * USEC_SECOND},
        .count = 1,
        .next = (uint64_t)number << 4 | (i + 1) << 1 | first,
    };
    return true;
}

bool
shown_has_room(const struct shown *shown, uint64_t customer)
{
    uint64_t entries[SHOWN_ROOM];
    uint32_t number = find(shown, customer);
    if (number == 0 && shown->customers == shown->customer_room) return false;
    if (shown->free_count < CONTACT_BLOCKS + shown->block_count / MARK_PART) return false;
    if (number == 0 || (get_link(shown, number) & NEXT_MASK) == 0) return true;
    return load(shown, number, entries) + BOUND_SLOTS <= SHOWN_MOST - 2;
}

bool
shown_mark_has_room(const struct shown *shown, uint64_t customer)
{
    return shown->free_count > 0 &&
           (find(shown, customer) != 0 || shown->customers < shown->customer_room);
}

unsigned
shown_visit(const struct shown *shown, uint32_t *block, uint64_t *out_customer,
            uint64_t out_entries[SHOWN_ROOM])
{
    for (; *block != 0 && *block < shown->fresh; (*block)++) {
        if (!(get_link(shown, *block) & FIRST_FLAG)) continue;
        *out_customer = get_customer(shown, *block);
        unsigned count = load(shown, *block, out_entries);
        (*block)++;
        return count;
    }
    *block = 0;
    return 0;
}
