// slotctl as a touchpoint or a seat: with that party's certificate, over the TLS API like everybody
// else.
#ifndef VENDUE_SPEAK_H
#define VENDUE_SPEAK_H

#include <jansson.h>

#include "client.h"
#include "db.h"
#include "settings.h"

struct speak_fault {
    char text[1200];  // what is wrong and what mends it
};

// True when DIR/tls holds a certificate of the party.
bool speak_known(const struct settings *settings, enum role role, const char *code);
// Makes a certificate for a seat or touchpoint and registers it, so that it may speak within a
// moment. STATUS_EXISTS: it has one. STATUS_NOT_FOUND: the market has no such party.
MUST_CHECK enum status
speak_issue(const struct settings *settings, struct db *db, enum role role, const char *code,
            struct digest *out_fingerprint, struct speak_fault *out_fault);
// Connects as the party and says hello; tries again for `wait_ms` while the certificate is not
// known yet (just issued) or the market not published. `out_hello` (may be NULL) is hello's answer;
// json_decref.
MUST_CHECK enum status
speak_open(const struct settings *settings, enum role role, const char *code, unsigned wait_ms,
           struct client **out_client, json_t **out_hello, struct speak_fault *out_fault);

// One request whose parameters are a JSON object, and its answer as JSON. STATUS_INPUT: refused;
// the connection goes on, out_error bears code, reason and text. Else as client_call.
MUST_CHECK enum status speak_call(struct client *client, const char *method, const json_t *params,
                                  json_t **out_result, struct client_error *out_error);
// The same for many under way: queued under `out_id`, and the next answer (out_result NULL when
// refused).
MUST_CHECK enum status speak_queue(struct client *client, const char *method, const json_t *params,
                                   uint32_t *out_id, struct client_error *out_error);
MUST_CHECK enum status speak_receive(struct client *client, uint32_t timeout_ms, uint32_t *out_id,
                                     json_t **out_result, struct client_error *out_error);

#endif
