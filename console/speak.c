// slotctl as a party of the market.
//
// A party's certificate is DIR/tls/ROLE.CODE.{crt,key}. Issuing makes the files first and registers
// the fingerprint second; when registering fails the files go, so that a party either has both or
// nothing. ledgerd publishes the registration with its next catalog, which takes a moment: until
// then the engine answers `unknown_certificate`, and speak_open tries again.
#include "speak.h"

#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "authority.h"
#include "json_wire.h"
#include "process.h"

#define PATH_BYTES 700
#define RETRY_MS 50
#define ANSWER_MS 10000

static void
tls_path(const struct settings *settings, enum role role, const char *code, const char *ending,
         char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/tls/%s.%.100s.%s", settings->directory, role_name(role), code,
             ending);
}

bool
speak_known(const struct settings *settings, enum role role, const char *code)
{
    char path[PATH_BYTES];
    tls_path(settings, role, code, "crt", path);
    return access(path, R_OK) == 0;
}

enum status
speak_issue(const struct settings *settings, struct db *db, enum role role, const char *code,
            struct digest *out_fingerprint, struct speak_fault *out_fault)
{
    char tls[PATH_BYTES];
    struct authority_fault fault;
    usec now = clock_wall();
    snprintf(tls, sizeof tls, "%s/tls", settings->directory);
    enum status status = authority_issue_client(tls, role, code, now, out_fingerprint, &fault);
    if (status != STATUS_OK) {
        snprintf(out_fault->text, sizeof out_fault->text, "%s", fault.text);
        return status;
    }
    status = apply_certificate(db, *out_fingerprint, role, code, now, "slotctl");
    if (status == STATUS_OK) return STATUS_OK;
    authority_discard_client(tls, role, code);
    if (status == STATUS_NOT_FOUND) {
        snprintf(out_fault->text, sizeof out_fault->text,
                 "the market has no %s %.100s; declare it in the market file "
                 "and apply that first",
                 role_name(role), code);
    } else {
        snprintf(out_fault->text, sizeof out_fault->text, "registering the certificate: %s",
                 db_fault(db)->text);
    }
    return status;
}

// A listening address that stands for all of them is reached as this machine.
static const char *
dial_host(const struct settings *settings)
{
    if (strcmp(settings->listen_host, "0.0.0.0") == 0) return "127.0.0.1";
    if (strcmp(settings->listen_host, "::") == 0) return "::1";
    return settings->listen_host;
}

static enum status
open_once(const struct settings *settings, enum role role, const char *code,
          struct client **out_client, json_t **out_hello, struct client_error *error)
{
    char ca[PATH_BYTES], certificate[PATH_BYTES], key[PATH_BYTES];
    snprintf(ca, sizeof ca, "%s/tls/ca.crt", settings->directory);
    tls_path(settings, role, code, "crt", certificate);
    tls_path(settings, role, code, "key", key);
    struct client_options options = {
        .host = dial_host(settings),
        .port = settings->listen_port,
        .ca = ca,
        .certificate = certificate,
        .key = key,
        .timeout_ms = ANSWER_MS,
    };
    *out_client = NULL;
    *out_hello = NULL;
    memset(error, 0, sizeof *error);
    enum status status = client_open(&options, out_client, error);
    if (status != STATUS_OK) return status;
    json_t *params = json_pack("{s:s, s:s}", "client", "slotctl", "version", VENDUE_VERSION);
    status = speak_call(*out_client, "hello", params, out_hello, error);
    json_decref(params);
    if (status == STATUS_OK) return STATUS_OK;
    client_close(*out_client);
    *out_client = NULL;
    return status;
}

static bool
may_come(enum status status, const struct client_error *error, const json_t *hello)
{
    if (status == STATUS_OK) return json_integer_value(json_object_get(hello, "catalog")) == 0;
    return strcmp(error->reason, reason_key(REASON_UNKNOWN_CERTIFICATE)) == 0 ||
           strcmp(error->reason, reason_key(REASON_NO_MARKET)) == 0;
}

enum status
speak_open(const struct settings *settings, enum role role, const char *code, unsigned wait_ms,
           struct client **out_client, json_t **out_hello, struct speak_fault *out_fault)
{
    struct client_error error;
    json_t *hello = NULL;
    enum status status = STATUS_AGAIN;
    if (!speak_known(settings, role, code)) {
        snprintf(out_fault->text, sizeof out_fault->text,
                 "there is no certificate of %s %.100s here; slotctl cert "
                 "issue %s %.100s",
                 role_name(role), code, role_name(role), code);
        return STATUS_NOT_FOUND;
    }
    for (unsigned waited = 0;; waited += RETRY_MS) {
        status = open_once(settings, role, code, out_client, &hello, &error);
        if (waited >= wait_ms || !may_come(status, &error, hello)) break;
        client_close(*out_client);
        json_decref(hello);
        process_sleep_ms(RETRY_MS);
    }
    if (status == STATUS_OK && out_hello) {
        *out_hello = hello;
    } else {
        json_decref(hello);
    }
    if (status == STATUS_OK) return STATUS_OK;
    snprintf(out_fault->text, sizeof out_fault->text,
             "speaking as %s %.100s on %s port %u: %.800s%s%s%s%s", role_name(role), code,
             dial_host(settings), settings->listen_port, error.text, error.reason[0] ? " (" : "",
             error.reason, error.reason[0] ? ")" : "",
             status == STATUS_CLOSED || status == STATUS_IO ? "; is the market up? slotctl status"
                                                            : "");
    return status;
}

// Begins a request and writes its parameters. False: a value cannot be sent.
static bool
write_request(struct client *client, const char *method, const json_t *params,
              struct client_error *error)
{
    const char *key, *bad = "";
    json_t *value;
    uint32_t unsent = 0;
    struct pack *pack = client_request(client, method, (uint32_t)json_object_size(params));
    json_object_foreach((json_t *)params, key, value)
    {
        pack_string(pack, key);
        if (json_wire_write(pack, value, &bad)) continue;
        memset(error, 0, sizeof *error);
        error->status = STATUS_INPUT;
        snprintf(error->reason, sizeof error->reason, "%s", reason_key(REASON_WRONG_TYPE));
        error->code = reason_number(REASON_WRONG_TYPE);
        snprintf(error->text, sizeof error->text,
                 "%.60s: a number with a fraction; amounts are whole micros", bad[0] ? bad : key);
        pack->full = true;  // what was begun is dropped
        unsent = 1;
        break;
    }
    return unsent == 0;
}

enum status
speak_queue(struct client *client, const char *method, const json_t *params, uint32_t *out_id,
            struct client_error *out_error)
{
    uint32_t unused;
    if (!write_request(client, method, params, out_error)) {
        enum status dropped = client_queue(client, &unused);
        return dropped == STATUS_FULL ? STATUS_INPUT : dropped;
    }
    enum status status = client_queue(client, out_id);
    if (status != STATUS_FULL) return status;
    memset(out_error, 0, sizeof *out_error);
    out_error->status = STATUS_INPUT;
    out_error->code = reason_number(REASON_TOO_LARGE);
    snprintf(out_error->reason, sizeof out_error->reason, "%s", reason_key(REASON_TOO_LARGE));
    snprintf(out_error->text, sizeof out_error->text, "the request is longer than %d bytes",
             BOUND_MESSAGE_BYTES);
    return STATUS_INPUT;
}

enum status
speak_receive(struct client *client, uint32_t timeout_ms, uint32_t *out_id, json_t **out_result,
              struct client_error *out_error)
{
    struct client_answer answer;
    *out_result = NULL;
    enum status status = client_receive(client, timeout_ms, &answer, out_error);
    if (status != STATUS_OK) return status;
    *out_id = answer.id;
    if (answer.refused) {
        *out_error = answer.error;
        return STATUS_INPUT;
    }
    *out_result = json_wire_read(&answer.result);
    if (*out_result) return STATUS_OK;
    snprintf(out_error->text, sizeof out_error->text, "the answer cannot be read");
    return STATUS_DAMAGED;
}

enum status
speak_call(struct client *client, const char *method, const json_t *params, json_t **out_result,
           struct client_error *out_error)
{
    uint32_t sent, answered;
    *out_result = NULL;
    enum status status = speak_queue(client, method, params, &sent, out_error);
    if (status != STATUS_OK) return status;
    status = speak_receive(client, ANSWER_MS, &answered, out_result, out_error);
    if (status == STATUS_OK || status == STATUS_INPUT)
        return answered == sent ? status : STATUS_DAMAGED;
    return status;
}
