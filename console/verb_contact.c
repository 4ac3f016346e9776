// slotctl contact and event: a touchpoint's requests, over the TLS API.
#include <string.h>

#include "lines.h"
#include "node.h"
#include "speak.h"
#include "told.h"
#include "verb.h"

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void
print_answer(const json_t *answer)
{
    size_t index;
    json_t *item;
    char price[TOLD_PRICE], floor[MONEY_TEXT];
    printf("contact %s%s\n", text_of(answer, "id"),
           json_is_true(json_object_get(answer, "repeated")) ? " (known; the same answer again)"
                                                             : "");
    json_array_foreach(json_object_get(answer, "placements"), index, item)
    {
        enum price_kind kind = PRICE_PLACEMENT;
        const char *word = text_of(item, "kind");
        if (price_kind_parse(word, strlen(word), &kind) != STATUS_OK) kind = PRICE_PLACEMENT;
        told_price(kind,
                   money_of(json_integer_value(
                       json_object_get(item, kind == PRICE_SHARE ? "share_ppm" : "price_micros"))),
                   price);
        money_format(money_of(json_integer_value(json_object_get(item, "floor_micros"))), 2, floor);
        printf("  %-28s %s of %s, %s (%s, floor %s)\n  %28s placement %s\n", text_of(item, "tagid"),
               text_of(item, "message"), text_of(item, "seat"), price, text_of(answer, "cur"),
               floor, "", text_of(item, "placement"));
    }
    json_array_foreach(json_object_get(answer, "unfilled"), index, item)
        printf("  %-28s empty: %s\n", text_of(item, "tagid"), text_of(item, "text"));
}

static void
print_refusal(const json_t *line, const struct client_error *error, bool as_json)
{
    if (!as_json) {
        printf("contact %s\n  refused: %s (%s)\n", text_of(line, "id"), error->text, error->reason);
        return;
    }
    json_t *answer = json_pack("{s:s, s:{s:i, s:s, s:s}}", "id", text_of(line, "id"), "error",
                               "code", (int)error->code, "reason", error->reason, "text",
                               error->text);
    json_dumpf(answer, stdout, 0);
    putchar('\n');
    json_decref(answer);
}

// One client, kept while the lines are of the same touchpoint.
struct speaker {
    const struct settings *settings;
    struct client *client;
    char code[BOUND_CODE + 1];
};

static bool
speak_as(struct speaker *speaker, const char *code, struct speak_fault *fault)
{
    if (speaker->client && strcmp(speaker->code, code) == 0) return true;
    client_close(speaker->client);
    speaker->client = NULL;
    if (speak_open(speaker->settings, ROLE_TOUCHPOINT, code, 0, &speaker->client, NULL, fault) !=
        STATUS_OK)
        return false;
    snprintf(speaker->code, sizeof speaker->code, "%s", code);
    return true;
}

static int
send_contacts(const struct verb_context *context, struct speaker *speaker, const char *as,
              const json_t *lines)
{
    size_t index;
    json_t *line;
    int code = EXIT_DONE;
    json_array_foreach(lines, index, line)
    {
        struct speak_fault fault;
        struct client_error error;
        json_t *answer = NULL;
        const char *touchpoint = as ? as : text_of(line, "touchpoint");
        if (touchpoint[0] == '\0')
            return verb_usage(&verb_contact,
                              "line %d names no touchpoint; add \"touchpoint\", or --as CODE",
                              (int)json_integer_value(json_object_get(line, "line")));
        if (!speak_as(speaker, touchpoint, &fault)) return verb_cannot("%s", fault.text);
        json_object_del(line, "line");
        json_object_del(line, "touchpoint");
        enum status status = speak_call(speaker->client, "contact", line, &answer, &error);
        if (status == STATUS_INPUT) {
            print_refusal(line, &error, context->json);
            code = EXIT_USAGE;
        } else if (status != STATUS_OK) {
            return verb_cannot("%s", error.text);
        } else if (context->json) {
            json_dumpf(answer, stdout, 0);
            putchar('\n');
        } else {
            print_answer(answer);
        }
        json_decref(answer);
    }
    return code;
}

static int
run_contact(const struct verb_context *context, int argc, char **argv)
{
    const char *as = NULL;
    const struct verb_option options[] = {{"--as", &as, NULL}, {0}};
    struct settings settings;
    struct lines_fault fault;
    json_t *lines = NULL;
    int code = EXIT_DONE;
    argc = verb_options(&verb_contact, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 2) return verb_usage(&verb_contact, "which file? - is standard input");
    if (!node_settings(context, &settings, &code)) return code;
    if (lines_read(argv[1], &lines, &fault) != STATUS_OK) {
        fprintf(stderr, "slotctl contact: %s\n", fault.text);
        return EXIT_USAGE;
    }
    struct speaker speaker = {.settings = &settings};
    code = send_contacts(context, &speaker, as, lines);
    client_close(speaker.client);
    json_decref(lines);
    return code;
}

struct report {
    const char *as, *order, *refund, *amount, *at, *id;
};

// The event's parameters; NULL after saying what is wrong.
static json_t *
event_params(const char *placement, const char *event, const struct report *report,
             const json_t *hello)
{
    money amount;
    usec at;
    json_t *params = json_pack("{s:s, s:s}", "placement", placement, "event", event);
    if (!params) return NULL;
    if (report->order) json_object_set_new(params, "order", json_string(report->order));
    if (report->refund) json_object_set_new(params, "refund", json_string(report->refund));
    if (report->id) json_object_set_new(params, "id", json_string(report->id));
    if (report->amount &&
        money_parse(report->amount, strlen(report->amount), &amount) != STATUS_OK) {
        verb_usage(&verb_event, "'%s' is no amount; write 89.90, with at most six decimals",
                   report->amount);
        goto wrong;
    }
    if (report->amount) {
        json_object_set_new(params, "amount_micros", json_integer(amount.micros));
        json_object_set(params, "cur", json_object_get(hello, "cur"));
    }
    if (report->at && clock_parse(report->at, strlen(report->at), &at) != STATUS_OK) {
        verb_usage(&verb_event, "a time is written 2026-11-22 or 2026-11-22T15:04:05Z");
        goto wrong;
    }
    if (report->at) json_object_set_new(params, "at_us", json_integer(at.us));
    return params;
wrong:
    json_decref(params);
    return NULL;
}

static int
send_event(const struct verb_context *context, struct client *client, const json_t *params)
{
    json_t *answer = NULL;
    struct client_error error;
    enum status status = speak_call(client, "event", params, &answer, &error);
    if (status != STATUS_OK) {
        verb_cannot("%s%s%s", error.text, error.reason[0] ? ": " : "", error.reason);
        return status == STATUS_INPUT ? EXIT_USAGE : EXIT_CANNOT;
    }
    if (context->json) {
        json_dumpf(answer, stdout, 0);
        putchar('\n');
    } else {
        printf("%s %s%s\n", text_of(answer, "placement"), text_of(answer, "event"),
               json_is_true(json_object_get(answer, "repeated")) ? ", as was known" : "");
    }
    json_decref(answer);
    return EXIT_DONE;
}

static int
run_event(const struct verb_context *context, int argc, char **argv)
{
    struct report report = {0};
    const struct verb_option options[] = {{"--as", &report.as, NULL},
                                          {"--order", &report.order, NULL},
                                          {"--refund", &report.refund, NULL},
                                          {"--amount", &report.amount, NULL},
                                          {"--at", &report.at, NULL},
                                          {"--id", &report.id, NULL},
                                          {0}};
    struct settings settings;
    struct client *client = NULL;
    struct speak_fault fault;
    json_t *hello = NULL;
    int code = EXIT_DONE;
    argc = verb_options(&verb_event, options, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    if (argc != 3) return verb_usage(&verb_event, "which placement, and what became of it?");
    if (!report.as) return verb_usage(&verb_event, "as which touchpoint or seat? --as CODE");
    if (!node_settings(context, &settings, &code)) return code;
    enum role role = speak_known(&settings, ROLE_TOUCHPOINT, report.as) ? ROLE_TOUCHPOINT
                                                                        : ROLE_SEAT;
    if (speak_open(&settings, role, report.as, 0, &client, &hello, &fault) != STATUS_OK)
        return verb_cannot("%s", fault.text);
    json_t *params = event_params(argv[1], argv[2], &report, hello);
    code = params ? send_event(context, client, params) : EXIT_USAGE;
    json_decref(params);
    json_decref(hello);
    client_close(client);
    return code;
}

const struct verb verb_contact = {
    .name = "contact",
    .arguments = "FILE|- [--as TOUCHPOINT]",
    .summary = "send contacts as a touchpoint and print what won",
    .help = "Sends contacts, one JSON object a line with the fields of docs/protocol.md, over the "
            "TLS API with the\n"
            "touchpoint's certificate, and prints each answer. The touchpoint is --as, or the "
            "line's \"touchpoint\".\n"
            "The same contact id again gives the same answer and sells nothing twice.\n"
            "\n"
            "exit codes: 0 all were answered; 2 one was refused; 3 nobody answers\n"
            "example: echo '{\"id\":\"c-1\",\"container\":\"monthly_bill\"}' | slotctl contact - "
            "--as bill_run\n",
    .run = run_contact,
};

const struct verb verb_event = {
    .name = "event",
    .arguments =
        "PLACEMENT EVENT --as CODE [--order O] [--amount A] [--refund R] [--at T] [--id ID]",
    .summary = "report what became of a placement",
    .help = "Reports delivered, accepted, declined, cancelled, complained, converted (--order,\n"
            "--amount) or refunded (--order, --refund, --amount) with the certificate of the\n"
            "touchpoint, or of the seat for the last two.\n"
            "The same report again changes nothing.\n"
            "\n"
            "exit codes: 0 taken; 2 refused, and why; 3 nobody answers\n"
            "example: slotctl event 5f0c9a7be2d14c38a6f1700293be4d11 converted --order o-99 "
            "--amount 89.90 --as mailer\n",
    .run = run_event,
};
