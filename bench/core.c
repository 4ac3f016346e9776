// The auction core measured: searches of a slot by the index, beside a scan that judges every bid
// and beside bare memory; whole contacts; changes of bids; and the change of the catalog. In one
// run, with all answers compared.
//
//   bench_core [--json] [--bids N ...]
//
// Workload: core_market.c. Sizes: 10 thousand, 100 thousand and a million bids, or those given.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_contact.h"
#include "core_market.h"
#include "core_search.h"
#include "fail.h"

#define SIZES 4

struct size {
    struct core_search search;
    struct core_contact contact;
    double decode_ns;  // a bid: checked, copied, looked up and indexed
    double pause_ns;
};

static struct catalog *
load(uint32_t bids, uint64_t version, double *out_ns)
{
    struct arena *arena = arena_open("bench market");
    const uint8_t *bytes;
    size_t len;
    struct catalog *catalog;
    core_market_encode(bids, version, arena, &bytes, &len);
    int64_t start = core_search_cpu();
    CHECK(catalog_decode(bytes, len, &catalog, NULL) == STATUS_OK);
    *out_ns = (double)(core_search_cpu() - start) / bids;
    arena_close(arena);
    return catalog;
}

static void
measure(uint32_t bids, struct size *out)
{
    double ignored;
    struct catalog *catalog = load(bids, 1, &out->decode_ns);
    core_search_measure(catalog, &out->search);
    core_contact_measure(catalog, &out->contact);
    struct catalog *next = load(bids, 2, &ignored);
    core_contact_swap(catalog, next, &out->pause_ns);
    catalog_close(next);
    catalog_close(catalog);
}

// --- Output --------------------------------------------------------------------------------------
// A line of the table: seen, and beside it the target for this number of bids (0 none).
static void
line(const char *label, const struct size *sizes, unsigned count, const double *seen,
     double target_100k, double target_1m)
{
    printf("\n%-46s", label);
    for (unsigned i = 0; i < count; i++) {
        double target = sizes[i].search.bids == 100000    ? target_100k
                        : sizes[i].search.bids == 1000000 ? target_1m
                                                          : 0;
        char text[32] = "";
        if (target > 0) snprintf(text, sizeof text, "(%g)", target);
        printf("%12.2f %-7s", seen[i], text);
    }
}

static void
print_table(const struct size *sizes, unsigned count)
{
    double seen[SIZES];
    printf("Auction core, one thread, standing bids on 20 attributes; targets in parentheses\n\n");
    printf("%-46s", "bids");
    for (unsigned i = 0; i < count; i++) printf("%12" PRIu32 "        ", sizes[i].search.bids);
#define LINE(label, value, target_100k, target_1m)              \
    for (unsigned i = 0; i < count; i++) {                      \
        const struct core_search *search = &sizes[i].search;    \
        const struct core_contact *contact = &sizes[i].contact; \
        (void)search, (void)contact, seen[i] = (double)(value); \
    }                                                           \
    line(label, sizes, count, seen, target_100k, target_1m)
    LINE("eligible bids a contact", search->matches, 0, 0);
    LINE("two best by the index, us", search->times[0].mean_ns / 1000, 0.5, 0.8);
    LINE("  p99, us", search->times[0].p99_ns / 1000, 1.5, 2);
    LINE("  its least reads from bare memory, us", search->lines * search->line_ns / 1000, 0, 0);
    LINE("  every bid judged instead, us", search->scan_ns / 1000, 0, 0);
    LINE("  times faster", search->scan_ns / search->times[0].mean_ns, 0, 0);
    LINE("fewer than two eligible, us", search->times[1].mean_ns / 1000, 15, 0);
    LINE("  p99, us", search->times[1].p99_ns / 1000, 0, 0);
    LINE("all that are eligible, us", search->times[2].mean_ns / 1000, 20, 0);
    LINE("  a line of bare memory each, us", search->matches * search->line_ns / 1000, 0, 0);
    LINE("index, bytes a bid", search->bytes, 300, 300);
    LINE("index built, us a bid", search->build_ns / 1000, 5, 5);
    LINE("catalog loaded and indexed, us a bid", sizes[i].decode_ns / 1000, 0, 0);
    LINE("next catalog: the core stands still, us", sizes[i].pause_ns / 1000, 1000, 1000);
    LINE("bid inserted, us", contact->changes[0].mean_ns / 1000, 10, 10);
    LINE("bid priced anew, us", contact->changes[1].mean_ns / 1000, 10, 10);
    LINE("bid deleted, us", contact->changes[2].mean_ns / 1000, 10, 10);
    LINE("  p99 of deleted, us", contact->changes[2].p99_ns / 1000, 0, 0);
    LINE("  bids changed since the catalog", contact->changed, 0, 0);
    LINE("contact of 4 slots decided, us", contact->decide.mean_ns / 1000, 10, 0);
    LINE("  p99, us", contact->decide.p99_ns / 1000, 0, 0);
    LINE("  with the changed bids, us", contact->decide_changed.mean_ns / 1000, 0, 0);
    LINE("  applied to the book, us", contact->apply.mean_ns / 1000, 0, 0);
    LINE("answers compared", search->compared + contact->compared, 0, 0);
    LINE("  different", search->differences + contact->differences, 0, 0);
#undef LINE
    printf("\n");
}

static void
print_json(const struct size *sizes, unsigned count)
{
    printf("{\"sizes\": [");
    for (unsigned i = 0; i < count; i++) {
        const struct core_search *search = &sizes[i].search;
        const struct core_contact *contact = &sizes[i].contact;
        printf("%s{\"bids\": %" PRIu32 ", \"matches\": %.1f, \"two_ns\": %.0f, \"two_p99_ns\": %.0f"
               ", \"scan_ns\": %.0f, \"few_ns\": %.0f, \"few_p99_ns\": %.0f, \"all_ns\": %.0f"
               ", \"bytes_per_bid\": %.0f, \"build_ns_per_bid\": %.0f, \"decode_ns_per_bid\": %.0f"
               ", \"line_ns\": %.2f, \"lines\": %" PRIu32 ", \"pause_ns\": %.0f",
               i ? ", " : "", search->bids, search->matches, search->times[0].mean_ns,
               search->times[0].p99_ns, search->scan_ns, search->times[1].mean_ns,
               search->times[1].p99_ns, search->times[2].mean_ns, search->bytes, search->build_ns,
               sizes[i].decode_ns, search->line_ns, search->lines, sizes[i].pause_ns);
        static const char *const changes[] = {"inserted", "priced", "deleted"};
        for (unsigned change = 0; change < 3; change++)
            printf(", \"%s_ns\": %.0f, \"%s_p99_ns\": %.0f", changes[change],
                   contact->changes[change].mean_ns, changes[change],
                   contact->changes[change].p99_ns);
        printf(", \"changed\": %" PRIu32 ", \"decide_ns\": %.0f, \"decide_p99_ns\": %.0f"
               ", \"decide_changed_ns\": %.0f, \"apply_ns\": %.0f, \"compared\": %" PRIu32
               ", \"differences\": %" PRIu32 "}",
               contact->changed, contact->decide.mean_ns, contact->decide.p99_ns,
               contact->decide_changed.mean_ns, contact->apply.mean_ns,
               search->compared + contact->compared, search->differences + contact->differences);
    }
    printf("]}\n");
}

int
main(int argc, char **argv)
{
    uint32_t bids[SIZES] = {10000, 100000, 1000000};
    unsigned count = 3;
    bool json = false, given = false;
    for (int i = 1; i < argc; i++) {
        char *end = argv[i];
        unsigned long number = strtoul(argv[i], &end, 10);
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--bids") == 0) {
            given = true;
            count = 0;
        } else if (given && *end == '\0' && number >= 100 && number <= BOUND_BIDS &&
                   count < SIZES) {
            bids[count++] = (uint32_t)number;
        } else {
            count = 0;
            break;
        }
    }
    if (count == 0) {
        fprintf(stderr,
                "usage: bench_core [--json] [--bids N ...], up to %d sizes, each from 100"
                " to %d bids\n",
                SIZES, BOUND_BIDS);
        return 2;
    }
    static struct size sizes[SIZES];
    uint32_t differences = 0;
    for (unsigned i = 0; i < count; i++) {
        measure(bids[i], &sizes[i]);
        differences += sizes[i].search.differences + sizes[i].contact.differences;
    }
    if (json) {
        print_json(sizes, count);
    } else {
        print_table(sizes, count);
    }
    return differences == 0 ? 0 : 1;
}
