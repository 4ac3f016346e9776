// Errands between two threads: what is sent is done once and comes back, however many at a time.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../engine/errand.h"
#include "folder.h"

static char directory[64];
static struct errands *errands;
static atomic_bool stopped;

static void *
loader(void *context)
{
    (void)context;
    while (!atomic_load(&stopped)) {
        errand_wait(errands, 20);
        (void)errand_run(errands);
    }
    return NULL;
}

static void
write_statement(const char *seat, const char *name, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/published", directory);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/published/statements", directory);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/published/statements/%s", directory, seat);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/published/statements/%s/%s", directory, seat, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < len; i++) fputc('a' + (int)(i % 26), file);
    fclose(file);
}

static struct errand *
wait_for_one(void)
{
    struct errand *errand;
    while ((errand = errand_done(errands)) == NULL) continue;
    return errand;
}

static void
sent_and_done(void **state)
{
    (void)state;
    pthread_t thread;
    snprintf(directory, sizeof directory, "/tmp/vendue-errand-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_statement("tea", "2026-10.json", 1000);
    write_statement("tea", "2026-10.csv", 40000);
    errands = errand_open(directory);
    assert_null(errand_done(errands));
    // Nobody does them yet: as many as there are slots, then none.
    for (uint32_t i = 0; i < ERRANDS; i++) {
        struct errand *errand = errand_begin(errands);
        assert_non_null(errand);
        errand->id = i;
        errand->list = i % 3 == 0;
        strcpy(errand->seat, i == 1 ? "nobody" : "tea");
        errand->get = (struct decode_statement){.suffix = "csv", .format = "csv"};
        strcpy(errand->get.period, "2026-10");
        errand->get.offset = i == 4 ? 50000 : 32768;
        errand_send(errands, errand);
    }
    assert_null(errand_begin(errands));
    assert_null(errand_done(errands));
    assert_int_equal(pthread_create(&thread, NULL, loader, NULL), 0);
    bool seen[ERRANDS] = {false};
    for (unsigned i = 0; i < ERRANDS; i++) {
        struct errand *errand = wait_for_one();
        assert_false(seen[errand->id]);
        seen[errand->id] = true;
        enum reason expected = errand->list      ? REASON_NONE
                               : errand->id == 1 ? REASON_NOT_FOUND
                               : errand->id == 4 ? REASON_OUT_OF_RANGE
                                                 : REASON_NONE;
        assert_int_equal(errand->reason, expected);
        if (expected == REASON_NONE && !errand->list)
            assert_in_range(errand->len, 40000 - 32768, 40000 - 32768 + 200);
        if (expected == REASON_NONE && errand->list) assert_true(errand->len > 20);
        errand_end(errands, errand);
    }
    assert_null(errand_done(errands));
    for (uint32_t i = 0; i < 2000; i++) {
        struct errand *errand = errand_begin(errands);
        errand->id = i;
        errand->list = true;
        errand_send(errands, errand);
        errand = wait_for_one();
        assert_int_equal(errand->id, i);
        errand_end(errands, errand);
    }
    atomic_store(&stopped, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    errand_close(errands);
    assert_int_equal(folder_remove(directory), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_and_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
