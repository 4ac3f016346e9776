// slotctl up and down: the programs of a market started in order, each waited for, and stopped in
// the opposite order.
//
// A database that does not answer, or a ledgerd that refuses, does not keep the market closed:
// auctiond sells from its catalog and journal, and what it sold is booked later. `up` then says so
// and ends with code 3, everything else running.
#include <string.h>

#include "market_db.h"
#include "node.h"
#include "postgres.h"
#include "verb.h"

#define PATH_BYTES 700

// Starts or reaches the database and brings its schema up to date. False after saying what is
// wrong.
static bool
database_up(const struct settings *settings)
{
    char socket[256];
    struct postgres_fault fault = {0};
    struct market_db_fault db_fault = {0};
    bool private_cluster = settings->postgres[0] == '\0';
    if (private_cluster && (postgres_start(settings, &fault) != STATUS_OK ||
                            !postgres_socket(settings, socket, sizeof socket))) {
        verb_cannot("%s", fault.text[0]
                              ? fault.text
                              : "run/postgres.socket is gone; slotctl down, then up again");
        return false;
    }
    if (market_db_write_strings(settings, private_cluster ? socket : NULL, &db_fault) ==
            STATUS_OK &&
        market_db_prepare(settings, &db_fault) == STATUS_OK)
        return true;
    verb_cannot("%s", db_fault.text);
    return false;
}

static bool
program_up(const struct settings *settings, enum node_program program, bool talk)
{
    char log[PATH_BYTES];
    struct process_fault fault = {0};
    node_log(settings, program, log, sizeof log);
    long logged = process_log_size(log);
    enum status status = node_start(settings, program, &fault);
    if (status != STATUS_OK && status != STATUS_EXISTS) {
        verb_cannot("%s", fault.text);
        process_log_tail(log, logged, 6);
        return false;
    }
    if (talk)
        printf("%-11s %s, pid %d\n", node_name(program),
               status == STATUS_EXISTS ? "runs already" : "up", (int)node_find(settings, program));
    return true;
}

static void
say_next(const struct settings *settings, const char *directory)
{
    char word[VERB_WORD];
    json_t *status = node_status(settings, NODE_AUCTIOND);
    bool selling = json_integer_value(json_object_get(status, "catalog_version")) > 0;
    json_int_t port = json_integer_value(json_object_get(status, "port"));
    json_decref(status);
    printf("listening   %s port %d\n", settings->listen_host, (int)port);
    if (port != settings->listen_port)
        printf("            vendue.yaml says port %u; that counts after down and up\n",
               settings->listen_port);
    verb_word(directory, word);
    if (selling) {
        printf("next: slotctl --dir %s status\n", word);
    } else {
        printf("next: slotctl --dir %s apply FILE, which declares the market\n", word);
    }
}

static int
run_up(const struct verb_context *context, int argc, char **argv)
{
    struct settings settings;
    int code = EXIT_DONE, lock;
    argc = verb_options(&verb_up, &(struct verb_option){0}, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1) return verb_usage(&verb_up, "takes no arguments; the market is named with --dir");
    if (!node_settings(context, &settings, &code)) return code;
    if (!node_lock(&settings, &lock)) return EXIT_CANNOT;
    bool talk = !context->json;
    bool booking = database_up(&settings);
    if (talk && booking)
        printf("%-11s up, %s\n", "postgresql", settings.postgres[0] ? "own" : "private");
    for (enum node_program program = 0; program < NODE_PROGRAM_COUNT; program++) {
        if (!program_up(&settings, program, talk)) code = EXIT_CANNOT;
    }
    if (code == EXIT_DONE && talk) say_next(&settings, context->directory);
    if (code == EXIT_DONE && context->json)
        printf("{\"up\": true, \"booking\": %s, \"port\": %u}\n", booking ? "true" : "false",
               settings.listen_port);
    if (code == EXIT_DONE && !booking) {
        fprintf(stderr, "slotctl: selling goes on; booking waits for the database\n");
        code = EXIT_CANNOT;
    }
    node_unlock(lock);
    return code;
}

static bool
database_down(const struct settings *settings, bool talk)
{
    struct postgres_fault fault = {0};
    if (settings->postgres[0]) return true;  // not ours to stop
    enum status status = postgres_stop(settings, &fault);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        if (talk) printf("%-11s %s\n", "postgresql", status == STATUS_OK ? "down" : "was down");
        return true;
    }
    verb_cannot("%s", fault.text);
    return false;
}

static int
run_down(const struct verb_context *context, int argc, char **argv)
{
    struct settings settings;
    int code = EXIT_DONE, lock;
    argc = verb_options(&verb_down, &(struct verb_option){0}, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc > 1)
        return verb_usage(&verb_down, "takes no arguments; the market is named with --dir");
    if (!node_settings(context, &settings, &code)) return code;
    if (!node_lock(&settings, &lock)) return EXIT_CANNOT;
    for (unsigned i = NODE_PROGRAM_COUNT; i-- > 0;) {
        const char *name = node_name((enum node_program)i), *said = "down";
        enum status status = node_stop(&settings, (enum node_program)i);
        if (status == STATUS_NOT_FOUND) said = "was down";
        if (status == STATUS_AGAIN) said = "down; it did not leave when told and was killed";
        if (status == STATUS_IO || status == STATUS_DENIED) {
            code = status == STATUS_IO
                       ? verb_cannot("%s does not stop: %m", name)
                       : verb_cannot("%s was not started by slotctl; stop it where it was started",
                                     name);
            continue;
        }
        if (!context->json) printf("%-11s %s\n", name, said);
    }
    if (!database_down(&settings, !context->json)) code = EXIT_CANNOT;
    if (code == EXIT_DONE && context->json) puts("{\"up\": false}");
    node_unlock(lock);
    return code;
}

const struct verb verb_up = {
    .name = "up",
    .arguments = "",
    .summary = "start the market's programs and wait until they work",
    .help =
        "Starts the private PostgreSQL (if it is private), brings the schema up to date, "
        "starts ledgerd and\n"
        "auctiond and waits until each works. What runs already is left alone.\n"
        "\n"
        "exit codes: 0 all is up; 2 the settings file is wrong; 3 something does not start (it "
        "says which log\n"
        "tells why); the others run then, and without database or ledgerd the market sells and\n"
        "booking waits\n"
        "example: slotctl --dir /srv/vendue up\n",
    .run = run_up,
};

const struct verb verb_down = {
    .name = "down",
    .arguments = "",
    .summary = "stop the market's programs",
    .help = "Stops auctiond, ledgerd and the private PostgreSQL, in this order, and waits until "
            "they are gone.\n"
            "Nothing is lost: what was answered is in the journal, and what is not yet booked is "
            "booked after the\n"
            "next up.\n"
            "\n"
            "exit codes: 0 all is down; 2 the settings file is wrong; 3 something does not stop\n",
    .run = run_down,
};
