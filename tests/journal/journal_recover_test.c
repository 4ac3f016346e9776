// What recovery makes of bytes that are not what was written: a torn tail is cut, damage is
// refused. The numbers R1 to R5 are those of ledger/journal.c.
#include "journal_kit.h"

#include <errno.h>

static const char first_segment[] = "00000001.segment";

// Opens, expects `batch` as the last frame, goes on writing, reads everything back.
static void
expect_prefix(struct journal_kit *kit, uint64_t batch)
{
    struct journal *journal;
    struct journal_fault fault = {"?"};
    enum status status = journal_kit_try(kit, false, &journal, &fault);
    if (status != STATUS_OK) fail_msg("status %d: %s", status, fault.text);
    assert_int_equal(journal_end(journal).batch, batch);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_kit_append(journal), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), batch + 2);
    assert_int_equal(status, STATUS_AGAIN);
    // The file has its full length again, and only zeros after the last frame.
    static uint8_t rest[MIB];
    int fd = journal_kit_file(kit, first_segment, O_RDONLY);
    struct stat stat;
    assert_int_equal(fstat(fd, &stat), 0);
    assert_int_equal(stat.st_size, MIB);
    size_t len = MIB - journal_kit_offset(batch + 3);
    assert_int_equal(pread(fd, rest, len, (off_t)journal_kit_offset(batch + 3)), len);
    assert_true(rest[0] == 0 && memcmp(rest, rest + 1, len - 1) == 0);
    close(fd);
}

static void
expect_refusal(struct journal_kit *kit, enum status expected, const char *where)
{
    struct journal *journal;
    struct journal_fault fault = {""};
    enum status status = journal_kit_try(kit, false, &journal, &fault);
    if (status != expected) fail_msg("status %d, not %d: %s", status, expected, fault.text);
    assert_null(journal);
    if (strstr(fault.text, where) == NULL) fail_msg("'%s' does not name '%s'", fault.text, where);
}

static uint64_t
whole_before(uint64_t offset, uint64_t count)
{
    uint64_t batch = 0;
    while (batch < count && journal_kit_offset(batch + 2) <= offset) batch++;
    return batch;
}

// The last three frames cut short at every byte: exactly the whole ones remain (R3); when they were
// durable, the loss is reported (R2).
static void
test_truncate_every_byte(void **state)
{
    struct journal_kit *kit = *state;
    for (unsigned durable = 0; durable < 2; durable++) {
        struct journal_kit_image image;
        journal_kit_build(kit, 5, durable ? 5 : 2);
        journal_kit_keep(kit, &image);
        for (uint64_t len = journal_kit_offset(3); len <= journal_kit_offset(6); len++) {
            char path[160];
            snprintf(path, sizeof path, "%s/%s", kit->directory, first_segment);
            assert_int_equal(truncate(path, (off_t)len), 0);
            if (durable && len < journal_kit_offset(6))
                expect_refusal(kit, STATUS_DAMAGED, first_segment);
            else expect_prefix(kit, whole_before(len, 5));
            journal_kit_put_back(kit, &image);
        }
        journal_kit_drop(&image);
        journal_kit_remove(kit->directory);
    }
}

enum tail { TAIL_ZEROS, TAIL_ONES, TAIL_RANDOM, TAIL_OLD_BYTES, TAIL_COUNT };

// From every byte of the last three frames on: zeros, ones, noise, or old bytes shifted.
static void
test_tails(void **state)
{
    struct journal_kit *kit = *state;
    struct journal_kit_image image;
    journal_kit_build(kit, 5, 2);
    journal_kit_keep(kit, &image);
    uint8_t *segment = journal_kit_image_file(&image, first_segment);
    for (unsigned kind = 0; kind < TAIL_COUNT; kind++) {
        for (uint64_t from = journal_kit_offset(3); from < journal_kit_offset(6);
             from += kind == TAIL_ZEROS ? 1 : 7) {
            // Old frames that land on the grid are whole ones in a wrong place: test_misplaced.
            if (kind == TAIL_OLD_BYTES && from % HEAD == 1) continue;
            uint8_t tail[3000];
            for (size_t i = 0; i < sizeof tail; i++) {
                const uint8_t choice[TAIL_COUNT] = {0, 0xff, (uint8_t)journal_kit_random(kit),
                                                    segment[BLOCK + i + 1]};
                tail[i] = choice[kind];
            }
            // What stands there must not happen to be what was there.
            if (kind != TAIL_ZEROS) tail[0] = (uint8_t)(segment[from] ^ 0x55);
            uint64_t whole = whole_before(from, 5);
            bool changed = memcmp(tail, segment + from, journal_kit_offset(6) - from) != 0;
            journal_kit_write(kit, first_segment, from, tail, sizeof tail);
            // Zeros may have stood at the end of a frame anyway.
            for (uint64_t b = whole + 1; b <= 5; b++) {
                size_t end = journal_kit_offset(b + 1) - from;
                if (memcmp(tail, segment + from, end) == 0) whole = b;
            }
            assert_true(changed || whole == 5);
            expect_prefix(kit, whole);
            journal_kit_put_back(kit, &image);
        }
    }
    journal_kit_drop(&image);
}

// R3, R4: the writes after the last sync reach the disk sector by sector in any order; the
// watermark may be any older one. What was synced stays, what remains is a prefix of what was
// written, nothing is called damage.
static void
test_power_cut(void **state)
{
    struct journal_kit *kit = *state;
    for (unsigned round = 0; round < 40; round++) {
        struct journal_kit_image before, after, old;
        uint64_t synced = 1 + journal_kit_random(kit) % 6,
                 written = synced + journal_kit_random(kit) % 6;
        journal_kit_build(kit, synced, synced);
        journal_kit_keep(kit, &before);
        journal_kit_remove(kit->directory);
        journal_kit_build(kit, written, synced);
        journal_kit_keep(kit, &after);
        journal_kit_remove(kit->directory);
        uint64_t published = journal_kit_random(kit) % (synced + 1);
        journal_kit_build(kit, published, published);
        journal_kit_keep(kit, &old);
        const uint8_t *was = journal_kit_image_file(&before, first_segment);
        const uint8_t *is = journal_kit_image_file(&after, first_segment);
        for (unsigned trial = 0; trial < 8; trial++) {
            journal_kit_put_back(kit, &after);
            uint64_t chance = journal_kit_random(kit);
            for (uint64_t sector = 0; sector < journal_kit_offset(written + 1); sector += 512) {
                const uint8_t *from = hash_mix(chance + sector) % 2 == 0 ? was : is;
                journal_kit_write(kit, first_segment, sector, from + sector, 512);
            }
            journal_kit_write(kit, "durable", 0, journal_kit_image_file(&old, "durable"), BLOCK);
            struct journal *journal;
            struct journal_fault fault = {"?"};
            enum status status = journal_kit_try(kit, true, &journal, &fault);
            if (status != STATUS_OK) fail_msg("status %d: %s", status, fault.text);
            uint64_t end = journal_end(journal).batch;
            assert_true(end >= synced && end <= written);
            journal_close(journal);
            expect_prefix(kit, end);
        }
        // The control: had the sync not been one, the loss would be seen.
        if (published < synced) {
            journal_kit_put_back(kit, &after);
            uint8_t zeros[HEAD] = {0};
            journal_kit_write(kit, first_segment, journal_kit_offset(synced), zeros, sizeof zeros);
            struct journal *journal;
            struct journal_fault fault;
            assert_int_equal(journal_kit_try(kit, false, &journal, &fault), STATUS_DAMAGED);
        }
        journal_kit_drop(&before);
        journal_kit_drop(&after);
        journal_kit_drop(&old);
        journal_kit_remove(kit->directory);
    }
}

// R4: the watermark is old, but a later frame knows that the broken one was durable.
static void
test_later_frame_knows(void **state)
{
    struct journal_kit *kit = *state;
    struct journal_kit_image image;
    journal_kit_build(kit, 1, 1);
    journal_kit_keep(kit, &image);
    journal_kit_remove(kit->directory);
    journal_kit_build(kit, 6, 6);
    for (uint64_t batch = 2; batch <= 5; batch++) {
        struct journal_kit_image whole;
        journal_kit_keep(kit, &whole);
        journal_kit_write(kit, "durable", 0, journal_kit_image_file(&image, "durable"), BLOCK);
        uint8_t zeros[HEAD] = {0};
        journal_kit_write(kit, first_segment, journal_kit_offset(batch), zeros, sizeof zeros);
        char where[64];
        snprintf(where, sizeof where, "%s, offset %llu", first_segment,
                 (unsigned long long)journal_kit_offset(batch));
        expect_refusal(kit, STATUS_DAMAGED, where);
        // Without any watermark as well.
        char path[160];
        snprintf(path, sizeof path, "%s/durable", kit->directory);
        assert_int_equal(unlink(path), 0);
        expect_refusal(kit, STATUS_DAMAGED, where);
        journal_kit_put_back(kit, &whole);
        journal_kit_drop(&whole);
    }
    // The last frame has no later one to speak for it; the watermark of batch 1 lets it go.
    journal_kit_write(kit, "durable", 0, journal_kit_image_file(&image, "durable"), BLOCK);
    uint8_t zeros[HEAD] = {0};
    journal_kit_write(kit, first_segment, journal_kit_offset(6), zeros, sizeof zeros);
    expect_prefix(kit, 5);
    journal_kit_drop(&image);
}

struct flips {
    unsigned refused, harmless;
};

// Flips one bit, opens and reads; puts the bit back.
static void
flip(struct journal_kit *kit, const struct journal_kit_image *image, const char *name, uint64_t bit,
     bool harmless, struct flips *flips)
{
    uint8_t byte, turned;
    journal_kit_peek(kit, name, bit / 8, &byte, 1);
    turned = (uint8_t)(byte ^ (1u << (bit % 8)));
    journal_kit_write(kit, name, bit / 8, &turned, 1);
    enum status status;
    struct journal_fault fault = {""};
    uint64_t read = journal_kit_read_all(kit, &status, &fault);
    struct journal *journal;
    if (harmless) {
        // All that was durable is read, and recovery ends at the same frame.
        assert_int_equal(status, STATUS_AGAIN);
        assert_true(read >= 4);
        assert_int_equal(journal_kit_try(kit, true, &journal, &fault), STATUS_OK);
        assert_int_equal(journal_end(journal).batch, 5);
        journal_close(journal);
        journal_kit_put_back(kit, image);
        flips->harmless++;
    } else {
        if (status != STATUS_DAMAGED)
            fail_msg("%s bit %llu: read as %d", name, (unsigned long long)bit, status);
        status = journal_kit_try(kit, false, &journal, &fault);
        if (status != STATUS_DAMAGED)
            fail_msg("%s bit %llu: %d", name, (unsigned long long)bit, status);
        assert_non_null(strstr(fault.text, name));
        assert_non_null(strstr(fault.text, "offset"));
        journal_kit_write(kit, name, bit / 8, &byte, 1);
        flips->refused++;
    }
}

// Every bit of header and frames: refused, by recovery and by the reader, with file and offset.
// The rest is provably without account: the zeros after the last frame (a sample), one of the two
// records of the watermark (each bit), and what lies between them (a sample).
static void
test_flip_every_bit(void **state)
{
    struct journal_kit *kit = *state;
    struct journal_kit_image image;
    struct flips flips = {0};
    journal_kit_build(kit, 5, 5);
    journal_kit_keep(kit, &image);
    uint64_t end = journal_kit_offset(6) * 8;
    for (uint64_t bit = 0; bit < end; bit++) flip(kit, &image, first_segment, bit, false, &flips);
    assert_int_equal(flips.refused, end);
    for (unsigned i = 0; i < 150; i++) {
        uint64_t near = journal_kit_random(kit) % 4096,
                 far = journal_kit_random(kit) % (MIB * 8 - end);
        flip(kit, &image, first_segment, end + (i % 2 == 0 ? near : far), true, &flips);
    }
    for (uint64_t bit = 0; bit < 96 * 8; bit++) {
        flip(kit, &image, "durable", bit, true, &flips);
        flip(kit, &image, "durable", 512 * 8 + bit, true, &flips);
    }
    for (unsigned i = 0; i < 50; i++)
        flip(kit, &image, "durable", (96 + journal_kit_random(kit) % 416) * 8, true, &flips);
    print_message("refused %u, without account %u\n", flips.refused, flips.harmless);
    // Both records unreadable: nothing is guessed.
    journal_kit_write(kit, "durable", 20, "!", 1);
    journal_kit_write(kit, "durable", 532, "!", 1);
    expect_refusal(kit, STATUS_DAMAGED, "durable");
    journal_kit_drop(&image);
}

// Frames that are whole, and not where they belong.
static void
test_misplaced(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position position;
    enum { LEN = HEAD + 2 * BOUND_FACT_BYTES };
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(journal_kit_append_n(journal, 2, &position), STATUS_OK);
        assert_int_equal(journal_sync(journal), STATUS_OK);
    }
    journal_close(journal);
    struct journal_kit_image image;
    journal_kit_keep(kit, &image);
    const uint8_t *frames = journal_kit_image_file(&image, first_segment) + BLOCK;
    enum status status;
    struct journal_fault fault;
    for (unsigned to = 0; to < 6; to++) {
        for (unsigned from = 0; from < 6; from++) {
            if (from == to) continue;
            // Copied over another one: with the right watermark, and with none.
            journal_kit_write(kit, first_segment, BLOCK + to * LEN, frames + from * LEN, LEN);
            assert_int_equal(journal_kit_read_all(kit, &status, &fault), to);
            // The reader skips a duplicate of the last one and stops at what comes then.
            bool duplicate = from + 1 == to, gap = from > to || (duplicate && to < 5);
            assert_int_equal(status, gap ? STATUS_GAP : STATUS_DAMAGED);
            expect_refusal(kit, STATUS_DAMAGED, first_segment);
            char path[160];
            snprintf(path, sizeof path, "%s/durable", kit->directory);
            assert_int_equal(unlink(path), 0);
            expect_refusal(kit, STATUS_DAMAGED, first_segment);
            // Exchanged.
            journal_kit_put_back(kit, &image);
            journal_kit_write(kit, first_segment, BLOCK + to * LEN, frames + from * LEN, LEN);
            journal_kit_write(kit, first_segment, BLOCK + from * LEN, frames + to * LEN, LEN);
            expect_refusal(kit, STATUS_DAMAGED, first_segment);
            journal_kit_put_back(kit, &image);
        }
        // Once more behind the last one.
        journal_kit_write(kit, first_segment, BLOCK + 6 * LEN, frames + to * LEN, LEN);
        expect_refusal(kit, STATUS_DAMAGED, first_segment);
        journal_kit_put_back(kit, &image);
    }
    journal_kit_drop(&image);
}

// Several segments: an older one damaged, missing, put back to an older state; a header of another.
static void
test_older_segment(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position position;
    struct journal_kit_image stale, image;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_kit_keep(kit, &stale);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    assert_int_equal(journal_sync(journal), STATUS_OK);
    journal_close(journal);
    journal_kit_keep(kit, &image);
    enum status status;
    struct journal_fault fault;
    uint8_t bytes[BLOCK];
    // One bit anywhere in the frames of an older segment: its readers and a full check find it.
    uint64_t used = BLOCK + 7 * (HEAD + (uint64_t)BOUND_FRAME_FACTS * BOUND_FACT_BYTES);
    for (unsigned i = 0; i < 60; i++) {
        uint64_t offset = i < 20 ? BLOCK + i * 7 : journal_kit_random(kit) % used;
        journal_kit_peek(kit, first_segment, offset, bytes, 1);
        bytes[0] ^= (uint8_t)(1u << (journal_kit_random(kit) % 8));
        journal_kit_write(kit, first_segment, offset, bytes, 1);
        (void)journal_kit_read_all(kit, &status, &fault);
        assert_int_equal(status, STATUS_DAMAGED);
        assert_non_null(strstr(fault.text, first_segment));
        assert_int_equal(journal_kit_try(kit, true, &journal, &fault), STATUS_DAMAGED);
        journal_kit_put_back(kit, &image);
    }
    // What stands behind its last frame is of no account.
    journal_kit_write(kit, first_segment, used + 5, "noise", 5);
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), 26);
    assert_int_equal(status, STATUS_AGAIN);
    // Put back to an older state.
    journal_kit_write(kit, first_segment, 0, journal_kit_image_file(&stale, first_segment), MIB);
    assert_int_equal(journal_kit_read_all(kit, &status, &fault), 6);
    assert_int_equal(status, STATUS_DAMAGED);
    journal_kit_put_back(kit, &image);
    // Missing, or another one under its name.
    char path[160], other[160];
    snprintf(path, sizeof path, "%s/00000002.segment", kit->directory);
    snprintf(other, sizeof other, "%s/00000003.segment", kit->directory);
    assert_int_equal(unlink(path), 0);
    expect_refusal(kit, STATUS_DAMAGED, "missing");
    (void)journal_kit_read_all(kit, &status, &fault);
    assert_int_equal(status, STATUS_GAP);
    assert_int_equal(link(other, path), 0);
    (void)journal_kit_read_all(kit, &status, &fault);
    assert_int_equal(status, STATUS_DAMAGED);
    journal_kit_put_back(kit, &image);
    // The last one missing: what was durable is not there.
    snprintf(path, sizeof path, "%s/00000004.segment", kit->directory);
    assert_int_equal(unlink(path), 0);
    expect_refusal(kit, STATUS_DAMAGED, "batch 26");
    (void)journal_kit_read_all(kit, &status, &fault);
    assert_int_equal(status, STATUS_DAMAGED);
    journal_kit_put_back(kit, &image);
    // All of them missing.
    for (unsigned i = 1; i <= 4; i++) {
        snprintf(path, sizeof path, "%s/%08u.segment", kit->directory, i);
        assert_int_equal(unlink(path), 0);
    }
    expect_refusal(kit, STATUS_DAMAGED, "no segment is left");
    journal_kit_drop(&stale);
    journal_kit_drop(&image);
}

static void
rename_in(struct journal_kit *kit, const char *from, const char *to)
{
    char path[160], other[160];
    snprintf(path, sizeof path, "%s/%s", kit->directory, from);
    snprintf(other, sizeof other, "%s/%s", kit->directory, to);
    assert_int_equal(rename(path, other), 0);
}

// The crash points around a change of segments, each with the right watermark and with an old one.
static void
test_segment_change(void **state)
{
    enum { BEFORE_RENAME, EMPTY, TORN, WHOLE, CASES };
    struct journal_kit *kit = *state;
    static const char second_segment[] = "00000002.segment";
    struct journal *journal = journal_kit_journal(kit);
    struct journal_position position;
    uint8_t mark[BLOCK];
    static uint8_t zeros[MIB - BLOCK];
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
        assert_int_equal(journal_sync(journal), STATUS_OK);
        if (i == 2) journal_kit_peek(kit, "durable", 0, mark, sizeof mark);
    }
    // The eighth frame goes into the second segment and is not synced.
    assert_int_equal(journal_kit_append_n(journal, BOUND_FRAME_FACTS, &position), STATUS_OK);
    journal_close(journal);
    struct journal_kit_image image;
    journal_kit_keep(kit, &image);
    for (unsigned i = 0; i < 2 * CASES; i++) {
        unsigned point = i / 2;
        if (i % 2 == 1) journal_kit_write(kit, "durable", 0, mark, sizeof mark);
        if (point == BEFORE_RENAME || point == EMPTY)
            journal_kit_write(kit, second_segment, BLOCK, zeros, sizeof zeros);
        if (point == BEFORE_RENAME) rename_in(kit, second_segment, "00000002.prepare");
        if (point == TORN) journal_kit_write(kit, second_segment, BLOCK + 512, zeros, 512);
        journal = journal_kit_journal(kit);
        uint64_t end = point == WHOLE ? 8 : 7;
        assert_int_equal(journal_end(journal).batch, end);
        for (unsigned more = 0; more < 9; more++)
            assert_int_equal(journal_kit_append_n(journal, 900, &position), STATUS_OK);
        assert_int_equal(journal_sync(journal), STATUS_OK);
        journal_close(journal);
        enum status status;
        struct journal_fault fault;
        assert_int_equal(journal_kit_read_all(kit, &status, &fault), end + 9);
        assert_int_equal(status, STATUS_AGAIN);
        journal_kit_put_back(kit, &image);
    }
    journal_kit_drop(&image);
}

// Changes one byte of the third frame's head and makes its digest right again.
static void
reseal(struct journal_kit *kit, size_t at, uint8_t value)
{
    uint8_t bytes[HEAD + 3 * BOUND_FACT_BYTES];
    size_t len = HEAD + journal_kit_count(3) * BOUND_FACT_BYTES;
    journal_kit_peek(kit, first_segment, journal_kit_offset(3), bytes, len);
    bytes[at] = value;
    struct hash_piece pieces[2] = {{bytes, 96}, {bytes + HEAD, len - HEAD}};
    struct digest digest = hash_sha256_pieces(pieces, 2);
    memcpy(bytes + 96, &digest, sizeof digest);
    journal_kit_write(kit, first_segment, journal_kit_offset(3), bytes, len);
}

// Whole frames that another writer could have made. `at` is the first byte of a field of the head.
static void
test_foreign(void **state)
{
    const struct {
        size_t at;
        uint8_t value;
        enum status read, recovered;
    } cases[] = {
        {8, 2, STATUS_VERSION, STATUS_VERSION},   // a later version: neither damage nor readable
        {12, 2, STATUS_VERSION, STATUS_VERSION},  // a barrier
        {16, 8, STATUS_DAMAGED, STATUS_DAMAGED},  // another log
        {20, 2, STATUS_FORK, STATUS_DAMAGED},     // another epoch without a barrier
        {24, 4, STATUS_GAP, STATUS_DAMAGED},      // another batch
        {64, 0x55, STATUS_FORK, STATUS_DAMAGED},  // another frame before it
        {40, 0x55, STATUS_AGAIN,
         STATUS_DAMAGED},  // continues the chain, but is not what was durable
    };
    struct journal_kit *kit = *state;
    journal_kit_build(kit, 3, 3);
    struct journal_kit_image image;
    journal_kit_keep(kit, &image);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reseal(kit, cases[i].at, cases[i].value);
        enum status status = STATUS_OK;
        struct journal_fault fault;
        struct journal_reader *reader;
        assert_int_equal(journal_reader_open(kit->directory, NULL, &reader, &fault), STATUS_OK);
        struct journal_frame frame;
        while (status == STATUS_OK) status = journal_read(reader, &frame, &fault);
        journal_reader_close(reader);
        assert_int_equal(status, cases[i].read);
        expect_refusal(kit, cases[i].recovered, first_segment);
        // Without a watermark to compare with, only the chain can tell.
        char path[160];
        snprintf(path, sizeof path, "%s/durable", kit->directory);
        assert_int_equal(unlink(path), 0);
        struct journal *journal;
        status = journal_kit_try(kit, false, &journal, &fault);
        assert_int_equal(status, cases[i].at == 40 ? STATUS_OK : cases[i].recovered);
        journal_close(journal);
        journal_kit_put_back(kit, &image);
    }
    journal_kit_drop(&image);
}

// R4: what stands after a torn place and is older than it cannot come from the torn writes.
static void
test_old_frame_after_torn(void **state)
{
    struct journal_kit *kit = *state;
    journal_kit_build(kit, 4, 2);
    uint8_t zeros[HEAD] = {0}, old[HEAD + 3 * BOUND_FACT_BYTES];
    size_t len = HEAD + journal_kit_count(2) * BOUND_FACT_BYTES;
    journal_kit_peek(kit, first_segment, journal_kit_offset(2), old, len);
    journal_kit_write(kit, first_segment, journal_kit_offset(3), zeros, sizeof zeros);
    journal_kit_write(kit, first_segment, journal_kit_offset(5), old, len);
    expect_refusal(kit, STATUS_DAMAGED, first_segment);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_KIT_TEST(test_truncate_every_byte),
        JOURNAL_KIT_TEST(test_tails),
        JOURNAL_KIT_TEST(test_power_cut),
        JOURNAL_KIT_TEST(test_later_frame_knows),
        JOURNAL_KIT_TEST(test_flip_every_bit),
        JOURNAL_KIT_TEST(test_misplaced),
        JOURNAL_KIT_TEST(test_older_segment),
        JOURNAL_KIT_TEST(test_segment_change),
        JOURNAL_KIT_TEST(test_foreign),
        JOURNAL_KIT_TEST(test_old_frame_after_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
