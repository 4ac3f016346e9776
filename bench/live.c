// How long a contact waits for live bidders: a real auctiond, one hundred live bidders on one
// connection each, and a touchpoint that asks at a steady rate and counts from the moment it meant
// to ask. The limit beside it: `tmax`, the time the touchpoint gave.
//
//     bench_live [CONTACTS [PER_SECOND]]
//
//   well     all bidders answer at once
//   hang     thirty of them never answer: the breaker finds out, and few contacts wait
//   flaky    all of them leave three in ten requests unanswered: no breaker opens, all contacts
//   wait
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "node_kit.h"

#define BIDDERS 100
#define HANGING 30
#define TMAX_MS 50

enum mood { MOOD_WELL, MOOD_HANG, MOOD_FLAKY, MOOD_COUNT };
static const char *const moods[MOOD_COUNT] = {"well", "hang", "flaky"};

static struct node_kit kit;
static char names[BIDDERS + 1][16];
static const char *speakers[BIDDERS + 1];

// --- The market ----------------------------------------------------------------------------------

static char *
market_text(void)
{
    size_t room = 64 * 1024, len = 0;
    char *text = malloc(room);
    CHECK(text != NULL);
#define ADD(...) len += (size_t)snprintf(text + len, room - len, __VA_ARGS__)
    ADD("market: {code: test, currency: EUR, channels: [web], stages: [shop]}\n"
        "attributes:\n  region: {type: text, of: customer, privacy: open}\n"
        "touchpoints:\n  shop: {}\n"
        "seats:\n  host_sales: {kind: department}\n");
    for (unsigned i = 1; i <= BIDDERS; i++)
        ADD("  %s: {kind: partner, live: true, shows: [region]}\n", names[i]);
    ADD("containers:\n  page:\n    stage: shop\n    channel: web\n    owner: host_sales\n"
        "    slots:\n");
    for (unsigned i = 0; i < 4; i++)
        ADD("      s%u: {floor: 0.10, rungs: [6-8], objectives: [cross_sell], deliver_within: "
            "20m}\n",
            i);
    ADD("messages:\n");
    for (unsigned i = 1; i <= BIDDERS; i++)
        ADD("  %s.m: {seat: %s, rung: 8, objectives: cross_sell, format: text, content: "
            "\"c:%u\"}\n",
            names[i], names[i], i);
    ADD("contracts:\n");
    for (unsigned i = 1; i <= BIDDERS; i++)
        ADD("  %s.1: {seat: %s, from: 2020-01-01}\n", names[i], names[i]);
#undef ADD
    CHECK(len < room);
    return text;
}

// --- The bidders: a process of their own ---------------------------------------------------------

struct bidder {
    struct client *client;
    unsigned number;
    enum mood mood;
    uint64_t asked;
};

static void
on_asked(void *context, struct client *client, uint32_t id, struct wire_text method,
         struct wire_reader params)
{
    struct bidder *bidder = context;
    char message[32];
    (void)method;
    (void)params;
    bidder->asked++;
    if (bidder->mood == MOOD_HANG && bidder->number <= HANGING) return;
    if (bidder->mood == MOOD_FLAKY && hash_mix(bidder->asked * BIDDERS + bidder->number) % 10 < 3)
        return;
    snprintf(message, sizeof message, "%s.m", names[bidder->number]);
    struct pack *pack = client_reply(client, id);
    pack_map(pack, 2);
    pack_pair_string(pack, "cur", "EUR");
    pack_string(pack, "bids");
    pack_array(pack, 1);
    pack_map(pack, 3);
    pack_pair_string(pack, "impid", "1");
    pack_pair_string(pack, "message", message);
    pack_pair_integer(pack, "price_micros", 200000 + bidder->number);
    CHECK(client_reply_queue(client) == STATUS_OK);
}

static _Noreturn void
play_bidders(enum mood mood, int ready)
{
    static struct bidder bidders[BIDDERS];
    static struct pollfd waits[BIDDERS];
    struct wire_reader result;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < BIDDERS; i++) {
        struct bidder *bidder = &bidders[i];
        *bidder = (struct bidder){node_kit_client(&kit, names[i + 1]), i + 1, mood, 0};
        client_listen(bidder->client,
                      &(struct client_listener){.context = bidder, .asked = on_asked});
        struct pack *pack = client_request(bidder->client, "subscribe", 1);
        pack_pair_boolean(pack, "live", true);
        CHECK(node_kit_call(bidder->client, &result) == NULL);
        waits[i] = (struct pollfd){.fd = client_descriptor(bidder->client), .events = POLLIN};
    }
    CHECK(write(ready, "!", 1) == 1);
    for (;;) {
        CHECK(poll(waits, BIDDERS, -1) > 0 || errno == EINTR);
        for (unsigned i = 0; i < BIDDERS; i++) {
            struct client_error error;
            if (waits[i].revents == 0) continue;
            enum status status = client_poll(bidders[i].client, 0, &error);
            if (status != STATUS_OK && status != STATUS_AGAIN) _exit(0);
        }
    }
}

// --- The touchpoint ------------------------------------------------------------------------------

static void
ask(struct client *client, enum mood mood, unsigned number)
{
    char id[32];
    uint32_t request;
    struct client_error error;
    snprintf(id, sizeof id, "%s-%u", moods[mood], number);
    struct pack *pack = client_request(client, "contact", 4);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "container", "page");
    pack_pair_integer(pack, "tmax", TMAX_MS);
    pack_string(pack, "user");
    pack_map(pack, 3);
    pack_pair_string(pack, "id", id);
    pack_pair_string(pack, "identity", "repeat");
    pack_string(pack, "consent");
    pack_array(pack, 2);
    pack_string(pack, "third_party");
    pack_string(pack, "sharing");
    CHECK(client_queue(client, &request) == STATUS_OK);
    CHECK(client_flush(client, &error) == STATUS_OK);
}

static int
by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void
measure(enum mood mood, unsigned contacts, unsigned per_second)
{
    struct client *client = node_kit_client(&kit, "shop");
    int64_t *took = calloc(contacts, sizeof *took);
    usec *meant = calloc(contacts, sizeof *meant);
    unsigned sent = 0, got = 0, filled = 0, within = 0;
    CHECK(took != NULL && meant != NULL);
    usec start = clock_monotonic();
    for (unsigned i = 0; i < contacts; i++)
        meant[i].us = start.us + (int64_t)i * USEC_SECOND / per_second;
    uint32_t first = 0;
    while (got < contacts) {
        struct client_answer answer;
        struct client_error error;
        usec now = clock_monotonic();
        while (sent < contacts && now.us >= meant[sent].us) ask(client, mood, sent++);
        enum status status = client_receive(client, 0, &answer, &error);
        if (status == STATUS_AGAIN) {
            int64_t left = sent < contacts ? meant[sent].us - now.us : 10000;
            struct pollfd wait = {.fd = client_descriptor(client), .events = POLLIN};
            struct timespec pause = {0, left > 0 ? left * 1000 : 0};
            (void)ppoll(&wait, 1, &pause, NULL);
            continue;
        }
        CHECK(status == STATUS_OK && !answer.refused);
        CHECK(answer.id - first < contacts);
        took[got++] = clock_monotonic().us - meant[answer.id - first].us;
        filled += node_kit_integer(answer.result, "placements") > 0;
    }
    qsort(took, contacts, sizeof *took, by_value);
    for (unsigned i = 0; i < contacts; i++) within += took[i] <= (TMAX_MS + 2) * 1000;
    printf("%-6s %8u %8u %8u %9.2f %9.2f %9.2f %9.2f %8.2f%%\n", moods[mood], contacts, per_second,
           filled, (double)took[contacts / 2] / 1000, (double)took[contacts * 9 / 10] / 1000,
           (double)took[contacts * 99 / 100] / 1000, (double)took[contacts - 1] / 1000,
           100.0 * within / contacts);
    fflush(stdout);
    free(took);
    free(meant);
    client_close(client);
}

int
main(int argc, char **argv)
{
    unsigned contacts = argc > 1 ? (unsigned)atoi(argv[1]) : 300;
    unsigned per_second = argc > 2 ? (unsigned)atoi(argv[2]) : 50;
    snprintf(names[0], sizeof names[0], "shop");
    for (unsigned i = 0; i <= BIDDERS; i++) {
        if (i > 0) snprintf(names[i], sizeof names[i], "b%03u", i);
        speakers[i] = names[i];
    }
    node_kit_open(&kit, BUILD_BIN, "live: {tmax: 50}\n");
    kit.speakers = speakers;
    kit.speaker_count = BIDDERS + 1;
    char *text = market_text();
    node_kit_publish(&kit, text);
    printf("%d live bidders, %d of them hang; a contact has %d ms; time to the answer in ms\n"
           "%-6s %8s %8s %8s %9s %9s %9s %9s %9s\n",
           BIDDERS, HANGING, TMAX_MS, "", "contacts", "a second", "filled", "p50", "p90", "p99",
           "most", "<=tmax+2");
    fflush(stdout);
    for (int mood = 0; mood < MOOD_COUNT; mood++) {
        int ready[2];
        char byte;
        node_kit_start(&kit);
        CHECK(pipe(ready) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) play_bidders((enum mood)mood, ready[1]);
        CHECK(read(ready[0], &byte, 1) == 1);
        measure((enum mood)mood, contacts, per_second);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        CHECK(node_kit_stop(&kit, SIGTERM) == 0);
        close(ready[0]);
        close(ready[1]);
    }
    free(text);
    node_kit_close(&kit);
    return 0;
}
