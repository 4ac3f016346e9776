// What the journal's tests share: a directory of their own, facts that can be told from their
// batch, directories kept in memory and put back. These functions assert, so they are called in the
// test's own thread only.
#ifndef SUPPORT_JOURNAL_KIT_H
#define SUPPORT_JOURNAL_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

#define MIB (1024u * 1024u)
#define HEAD 128u
#define BLOCK 4096u

struct journal_kit {
    char root[64];       // removed at the end
    char directory[96];  // the journal
    uint64_t random;
};
uint64_t journal_kit_random(struct journal_kit *kit);
struct journal_kit *journal_kit_open(void);
void journal_kit_remove(const char *directory);
void journal_kit_close(struct journal_kit *kit);

// --- Facts that say which batch they are of ----------------------------------------------------
uint32_t journal_kit_count(uint64_t batch);
struct fact journal_kit_fact(uint64_t batch, uint32_t index);
enum status journal_kit_append_n(struct journal *journal, uint32_t count,
                                 struct journal_position *out_position);
enum status journal_kit_append(struct journal *journal);
void journal_kit_check_frame(const struct journal_frame *frame);

// --- Opening -----------------------------------------------------------------------------------
enum status journal_kit_try(const struct journal_kit *kit, bool verify_all,
                            struct journal **out_journal, struct journal_fault *out_fault);
struct journal *journal_kit_journal(const struct journal_kit *kit);

// A journal of `count` frames, the first `synced` of them synced one by one, the others not at all.
// Closed again.
void journal_kit_build(const struct journal_kit *kit, uint64_t count, uint64_t synced);

// Where a frame written by journal_kit_append stands in the first segment.
uint64_t journal_kit_offset(uint64_t batch);

// Reads from the start and checks every frame; returns the last batch and how it ended.
uint64_t journal_kit_read_all(const struct journal_kit *kit, enum status *out_status,
                              struct journal_fault *out_fault);

// --- Files -------------------------------------------------------------------------------------
#define JOURNAL_KIT_FILES 16
struct journal_kit_image {
    struct {
        char name[32];
        uint8_t *bytes;
        size_t len;
    } files[JOURNAL_KIT_FILES];
    unsigned count;
};
int journal_kit_file(const struct journal_kit *kit, const char *name, int flags);
void journal_kit_write(const struct journal_kit *kit, const char *name, uint64_t offset,
                       const void *bytes, size_t len);
void journal_kit_peek(const struct journal_kit *kit, const char *name, uint64_t offset, void *bytes,
                      size_t len);
void journal_kit_keep(const struct journal_kit *kit, struct journal_kit_image *out_image);
void journal_kit_put_back(const struct journal_kit *kit, const struct journal_kit_image *image);
uint8_t *journal_kit_image_file(struct journal_kit_image *image, const char *name);
void journal_kit_drop(struct journal_kit_image *image);
int journal_kit_setup(void **state);
int journal_kit_teardown(void **state);
#define JOURNAL_KIT_TEST(function) \
    cmocka_unit_test_setup_teardown(function, journal_kit_setup, journal_kit_teardown)

#endif
