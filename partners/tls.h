// TLS 1.3 with both sides' certificates, over a non-blocking socket: the only door to OpenSSL here.
#ifndef VENDUE_TLS_H
#define VENDUE_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "hash.h"
#include "terms.h"

struct tls_context;  // certificate, key and authority; shared by connections, which keep it alive
struct tls;          // one connection

#define TLS_TEXT 400

// Reads three PEM files. STATUS_INPUT: one cannot be used; `out_text` names it and says why.
MUST_CHECK enum status
tls_context_server(const char *ca, const char *certificate, const char *key,
                   struct tls_context **out_context, char out_text[TLS_TEXT]);
MUST_CHECK enum status
tls_context_client(const char *ca, const char *certificate, const char *key,
                   struct tls_context **out_context, char out_text[TLS_TEXT]);
void tls_context_close(struct tls_context *context);  // NULL is allowed

// A connection on a connected socket, which stays the caller's. `host` is what the server's
// certificate must bear (a name or an address); NULL: this side is the server. NULL: out of memory.
struct tls *tls_open(const struct tls_context *context, int fd, const char *host);
void tls_close(struct tls *tls);  // NULL is allowed

// Each answers STATUS_OK: done, with `*out_count` bytes (at least one) where there is a count.
// STATUS_AGAIN: when the socket is ready, to write if tls_wants_write, else to read. STATUS_CLOSED:
// the peer ended in good order. STATUS_DENIED: handshake: one side does not trust the other.
// STATUS_IO: broken. tls_write: after STATUS_AGAIN the next call's bytes must begin with those of
// this one.
MUST_CHECK enum status tls_handshake(struct tls *tls);
MUST_CHECK enum status tls_read(struct tls *tls, void *data, size_t room, size_t *out_count);
MUST_CHECK enum status tls_write(struct tls *tls, const void *data, size_t len, size_t *out_count);
bool tls_wants_write(const struct tls *tls);
bool tls_pending(const struct tls *tls);  // bytes wait inside that the socket will not announce
void tls_goodbye(struct tls *tls);        // close_notify, if the socket takes it now
// Why the last STATUS_DENIED or STATUS_IO; never NULL.
const char *tls_trouble(const struct tls *tls);

// SHA-256 of the peer's SubjectPublicKeyInfo; false: the peer showed no certificate.
bool tls_fingerprint(const struct tls *tls, struct digest *out_fingerprint);

#endif
