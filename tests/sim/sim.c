// sim: whole markets from one seed, each step judged.
//
//   sim [--rounds N] [--seed S] [--round K]
//
// Rounds are numbered from 0 and played in worlds of WORLD_ROUNDS; a world follows from the seed
// and its number alone. So --round K plays the world of round K from its beginning up to that
// round, tells what was sold in it, and ends; it fails exactly as the long run did.
//
// Judged after each step (world.h): winners and prices are those of the exhaustive twin (and, now
// and then, the reason of every bid), whatever the kinds of price, floors, trials, deals and
// priorities, with live bids among them; price between floor and bid; nobody's own bid sets its
// price; every record gives the same winner and price by itself, and a changed one does not; spend
// within every budget of the tree and promises within every cap at every prefix of the facts, and
// what was learned, kept a second time from the facts alone and equal to the book's; events follow
// from what was won; the facts fold to the same book and the fold goes on selling; a repeated
// contact gets its first answer; publishing bids changes nothing that is sold; no lie about a value
// pays. Slots sold together are compared with brute force where a contact is small enough for it.
//
// The last line is a verdict: `sim: ok rounds=N ... seed=S`, or
// `sim: failed seed=S round=K what=...` with exit code 1. Exit code 2: a wrong option.
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

// What is being played: read by a verdict, which may come from anywhere, even from a signal.
static struct {
    uint64_t seed, round;
} playing;

_Noreturn void
sim_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("replay it: ./dev sim --seed %" PRIu64 " --round %" PRIu64 "\n", playing.seed,
           playing.round);
    printf("sim: failed seed=%" PRIu64 " round=%" PRIu64 " what=", playing.seed, playing.round);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    _exit(1);
}

// A CHECK that fails and a wrong memory access are verdicts, too. Nothing of the world is used.
static void
on_signal(int number)
{
    char line[160];
    int len = snprintf(line, sizeof line,
                       "sim: failed seed=%" PRIu64 " round=%" PRIu64 " what=ended by signal %d\n",
                       playing.seed, playing.round, number);
    (void)!write(STDOUT_FILENO, line, (size_t)len);
    _exit(1);
}

static void
play(uint64_t number, uint64_t rounds, bool tell_last, struct sim_counts *counts)
{
    static struct world world;
    playing.round = number * WORLD_ROUNDS;
    world_open(&world, hash_mix(playing.seed + (number + 1) * 0x9e3779b97f4a7c15u), counts);
    for (uint64_t i = 0; i < rounds; i++) {
        playing.round = number * WORLD_ROUNDS + i;
        world.tell = tell_last && i + 1 == rounds;
        world_round(&world);
    }
    world_close(&world);
}

static double
seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
play_all(uint64_t rounds, struct sim_counts *counts)
{
    double began = seconds_now(), told = began;
    for (uint64_t world = 0; world * WORLD_ROUNDS < rounds; world++) {
        uint64_t left = rounds - world * WORLD_ROUNDS;
        play(world, left < WORLD_ROUNDS ? left : WORLD_ROUNDS, false, counts);
        double now = seconds_now();
        if (now - told < 2) continue;
        told = now;
        fprintf(stderr, "sim: %" PRIu64 " of %" PRIu64 " rounds, %.0f a second\n", counts->rounds,
                rounds, (double)counts->rounds / (now - began));
    }
    double took = seconds_now() - began;
    printf("%.1f seconds, %.0f rounds a second; beside them %" PRIu64 " bids changed, %" PRIu64
           " catalogs, %" PRIu64 " live bidders asked, %" PRIu64 " contacts repeated, %" PRIu64
           " refused as busy, %" PRIu64 " reasons judged\n",
           took, (double)counts->rounds / took, counts->offers, counts->catalogs, counts->asked,
           counts->repeats, counts->refused, counts->reasons);
}

static uint64_t
number_of(const char *option, const char *text)
{
    char *end;
    errno = 0;
    uint64_t number = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || errno != 0) {
        fprintf(stderr, "sim: %s needs a whole number\n", option);
        exit(2);
    }
    return number;
}

int
main(int argc, char **argv)
{
    uint64_t rounds = 100000, round = UINT64_MAX;
    bool seeded = false;
    struct sim_counts counts = {0};
    for (int i = 1; i < argc; i += 2) {
        uint64_t *value = strcmp(argv[i], "--rounds") == 0  ? &rounds
                          : strcmp(argv[i], "--seed") == 0  ? &playing.seed
                          : strcmp(argv[i], "--round") == 0 ? &round
                                                            : NULL;
        if (value == NULL) {
            fprintf(stderr, "usage: sim [--rounds N] [--seed S] [--round K]\n");
            return 2;
        }
        *value = number_of(argv[i], argv[i + 1]);
        seeded |= value == &playing.seed;
    }
    if (!seeded) playing.seed = random_seed(1961);
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    if (round == UINT64_MAX) {
        play_all(rounds, &counts);
    } else {
        printf("round %" PRIu64 ":\n", round);
        play(round / WORLD_ROUNDS, round % WORLD_ROUNDS + 1, true, &counts);
    }
    printf("sim: ok rounds=%" PRIu64 " placements=%" PRIu64 " unfilled=%" PRIu64 " events=%" PRIu64
           " restarts=%" PRIu64 " live_bids=%" PRIu64 " together=%" PRIu64 " deviations=%" PRIu64
           " seed=%" PRIu64 "\n",
           counts.rounds, counts.placements, counts.unfilled, counts.events, counts.restarts,
           counts.live, counts.together, counts.deviations, playing.seed);
    return 0;
}
