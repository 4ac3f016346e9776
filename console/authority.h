// The market's own certificate authority, in DIR/tls: P-256 keys, TLS client and server
// certificates. Files: ca.crt ca.key server.crt server.key ROLE.CODE.crt ROLE.CODE.key, all PEM,
// keys with mode 0600. Nothing is ever overwritten. A certificate is known by the SHA-256 of its
// public key, not by its name.
#ifndef VENDUE_AUTHORITY_H
#define VENDUE_AUTHORITY_H

#include <stdbool.h>

#include "clock.h"
#include "hash.h"
#include "terms.h"

struct authority_fault {
    char text[640];  // "tls/seat.acme.key: File exists"
};

// Makes key and self-signed certificate of the authority; `tls` is the directory, which exists.
MUST_CHECK enum status
authority_create(const char *tls, usec now, struct authority_fault *out_fault);
// Whether a text can be a host's name or address at all.
bool authority_is_name(const char *name);
// The server's certificate, good for `host` (a name or an address), `name` (another one, or ""),
// 127.0.0.1, ::1 and localhost.
MUST_CHECK enum status authority_issue_server(const char *tls, const char *host, const char *name,
                                              usec now, struct authority_fault *out_fault);
// A client's certificate for a seat or touchpoint; its SAN is urn:vendue:ROLE:CODE.
// STATUS_EXISTS: it has one. STATUS_INPUT: no such role or no usable code.
MUST_CHECK enum status
authority_issue_client(const char *tls, enum role role, const char *code, usec now,
                       struct digest *out_fingerprint, struct authority_fault *out_fault);
// Takes back what authority_issue_client just made and nobody knows yet.
void authority_discard_client(const char *tls, enum role role, const char *code);
// Fingerprint and end of a certificate file.
MUST_CHECK enum status authority_read(const char *crt_path, struct digest *out_fingerprint,
                                      usec *out_until, struct authority_fault *out_fault);

#endif
