// One frame as bytes: building it, judging it, and the rule by which one follows another.
// Format and invariants: journal.c.
#include <string.h>

#include "fail.h"
#include "journal_inside.h"

static const uint8_t frame_magic[8] = {'V', 'N', 'D', 'F', 'R', 'A', 'M', 'E'};

static struct digest
frame_digest(const struct journal_frame_head *head, const void *facts)
{
    const struct hash_piece pieces[2] = {
        {head, offsetof(struct journal_frame_head, digest)},
        {facts, head->length},
    };
    return hash_sha256_pieces(pieces, 2);
}

void
journal_frame_build(const struct journal_position *end, uint64_t durable, const struct fact *facts,
                    uint32_t count, usec at, struct journal_frame_head *out_head)
{
    CHECK(count >= 1 && count <= BOUND_FRAME_FACTS);
    CHECK(durable <= end->batch);
    memset(out_head, 0, sizeof *out_head);
    memcpy(out_head->magic, frame_magic, sizeof frame_magic);
    out_head->version = JOURNAL_VERSION;
    out_head->kind = JOURNAL_DATA;
    out_head->log = end->log;
    out_head->epoch = end->epoch;
    out_head->batch = end->batch + 1;
    out_head->durable = durable;
    out_head->at_us = at.us;
    out_head->count = count;
    out_head->length = count * BOUND_FACT_BYTES;
    out_head->previous = end->digest;
    out_head->digest = frame_digest(out_head, facts);
}

size_t
journal_frame_claim(const uint8_t *bytes, size_t available)
{
    struct journal_frame_head head;
    if (available < sizeof head || memcmp(bytes, frame_magic, sizeof frame_magic) != 0) return 0;
    memcpy(&head, bytes, sizeof head);
    if (head.length > BOUND_FRAME_BYTES - sizeof head) return 0;
    return sizeof head + head.length;
}

enum journal_shape
journal_frame_judge(const uint8_t *bytes, size_t available, struct journal_frame_head *out_head)
{
    size_t claim = journal_frame_claim(bytes, available);
    if (claim == 0 || claim > available) return JOURNAL_SHAPE_BROKEN;
    struct journal_frame_head head;
    memcpy(&head, bytes, sizeof head);
    if (!digest_same(frame_digest(&head, bytes + sizeof head), head.digest))
        return JOURNAL_SHAPE_BROKEN;
    *out_head = head;
    bool known = head.version == JOURNAL_VERSION && head.kind == JOURNAL_DATA &&
                 head.reserved == 0 && head.reserved2 == 0 && head.count >= 1 &&
                 head.count <= BOUND_FRAME_FACTS && head.length == head.count * BOUND_FACT_BYTES &&
                 head.durable < head.batch;
    return known ? JOURNAL_SHAPE_WHOLE : JOURNAL_SHAPE_UNKNOWN;
}

struct journal_position
journal_frame_position(const struct journal_frame_head *head)
{
    return (struct journal_position){head->log, head->epoch, head->batch, head->digest};
}

enum status
journal_frame_follows(const struct journal_position *last, const struct journal_frame_head *head)
{
    if (head->log != last->log) return STATUS_DAMAGED;
    if (head->batch == last->batch)
        return digest_same(head->digest, last->digest) ? STATUS_EXISTS : STATUS_FORK;
    if (head->batch < last->batch) return STATUS_DAMAGED;
    if (head->batch > last->batch + 1) return STATUS_GAP;
    // The epoch rises only in a barrier frame, and a barrier is of a shape this version does not
    // know.
    if (head->epoch != last->epoch || !digest_same(head->previous, last->digest))
        return STATUS_FORK;
    return STATUS_OK;
}
