// TLS 1.3 through OpenSSL, mutual, non-blocking.
//
// Switched off: tickets and the session cache (a resumed session skips the verification of the
// certificate, so a revoked partner would resume; connections live long, so little is lost), early
// data (never enabled), older versions. Switched on: read-ahead (one read() for many small records;
// so after reading less than all, ask tls_pending), buffers released when idle (10 KB less a
// connection), partial writes from a moving buffer (the caller's output grows between calls).
//
//   1 The error queue is per thread and outlives calls: it is cleared before each call, or one
//     connection's leftovers would end the next.
//   2 SSL_get_verify_result is "ok" also when no certificate came: tls_fingerprint asks for the
//     certificate.
//   3 A FIN without close_notify is STATUS_IO; what was complete before it stands, the rest is
//     nothing.
//   4 After STATUS_DENIED or STATUS_IO the connection is only closed: tls_goodbye does nothing.
#include "tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "fail.h"

struct tls_context {
    SSL_CTX *ssl;
};
struct tls {
    SSL *ssl;
    bool broken;
    bool wants_write;
    char trouble[200];
};

// A key that needs a passphrase would ask at the terminal; a daemon must not.
static int
no_passphrase(char *out, int room, int writing, void *unused)
{
    (void)out, (void)room, (void)writing, (void)unused;
    return 0;
}

static enum status
file_trouble(const char *path, const char *what, char out_text[TLS_TEXT])
{
    unsigned long error = ERR_peek_error();
    const char *reason = NULL;
    if (error != 0)
        reason = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
                                         : ERR_reason_error_string(error);
    snprintf(out_text, TLS_TEXT, "%s: %s%s%s", path, what, reason == NULL ? "" : ": ",
             reason == NULL ? "" : reason);
    ERR_clear_error();
    return STATUS_INPUT;
}

static enum status
context_load(SSL_CTX *ssl, const char *ca, const char *certificate, const char *key,
             char out_text[TLS_TEXT])
{
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
    if (SSL_CTX_load_verify_file(ssl, ca) != 1)
        return file_trouble(ca, "no certificate authority in PEM form", out_text);
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
        return file_trouble(certificate, "no certificate in PEM form", out_text);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return file_trouble(
            key, "no private key of the certificate, in PEM form and without passphrase", out_text);
    if (SSL_CTX_check_private_key(ssl) != 1)
        return file_trouble(key, "not the private key of the certificate", out_text);
    return STATUS_OK;
}

static enum status
context_open(const SSL_METHOD *method, const char *ca, const char *certificate, const char *key,
             struct tls_context **out_context, char out_text[TLS_TEXT])
{
    *out_context = NULL;
    SSL_CTX *ssl = SSL_CTX_new(method);
    struct tls_context *context = malloc(sizeof *context);
    CHECK(ssl != NULL && context != NULL);
    CHECK(SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1);
    CHECK(SSL_CTX_set_ciphersuites(
              ssl, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") ==
          1);
    SSL_CTX_set_options(ssl,
                        SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    CHECK(SSL_CTX_set_num_tickets(ssl, 0) == 1);
    static const unsigned char name[] = "vendue";
    CHECK(SSL_CTX_set_session_id_context(ssl, name, sizeof name - 1) == 1);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(ssl, 4);
    enum status status = context_load(ssl, ca, certificate, key, out_text);
    if (status != STATUS_OK) {
        SSL_CTX_free(ssl);
        free(context);
        return status;
    }
    context->ssl = ssl;
    *out_context = context;
    return STATUS_OK;
}

enum status
tls_context_server(const char *ca, const char *certificate, const char *key,
                   struct tls_context **out_context, char out_text[TLS_TEXT])
{
    enum status status = context_open(TLS_server_method(), ca, certificate, key, out_context,
                                      out_text);
    if (status != STATUS_OK) return status;
    // Tells clients with several certificates which one is meant.
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);
    if (names != NULL) SSL_CTX_set_client_CA_list((*out_context)->ssl, names);
    ERR_clear_error();
    return STATUS_OK;
}

enum status
tls_context_client(const char *ca, const char *certificate, const char *key,
                   struct tls_context **out_context, char out_text[TLS_TEXT])
{
    return context_open(TLS_client_method(), ca, certificate, key, out_context, out_text);
}

void
tls_context_close(struct tls_context *context)
{
    if (context == NULL) return;
    SSL_CTX_free(context->ssl);
    free(context);
}

struct tls *
tls_open(const struct tls_context *context, int fd, const char *host)
{
    ERR_clear_error();
    struct tls *tls = calloc(1, sizeof *tls);
    SSL *ssl = SSL_new(context->ssl);
    if (tls == NULL || ssl == NULL || SSL_set_fd(ssl, fd) != 1) goto refuse;
    if (host == NULL) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
        bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
        if (!is_address &&
            (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1))
            goto refuse;
    }
    tls->ssl = ssl;
    return tls;
refuse:
    SSL_free(ssl);
    free(tls);
    return NULL;
}

void
tls_close(struct tls *tls)
{
    if (tls == NULL) return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum status
trouble(struct tls *tls, enum status status, const char *text)
{
    tls->broken = true;
    snprintf(tls->trouble, sizeof tls->trouble, "%s", text);
    return status;
}

// What an unsuccessful call of OpenSSL means. `result` is what it returned.
static enum status
outcome(struct tls *tls, int result, bool shaking_hands)
{
    int system_error = errno;
    unsigned long error = ERR_peek_error();
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: return STATUS_AGAIN;
    case SSL_ERROR_WANT_WRITE: tls->wants_write = true; return STATUS_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return STATUS_CLOSED;
    case SSL_ERROR_SYSCALL:
        return trouble(tls, STATUS_IO,
                       system_error != 0 ? strerror(system_error) : "the connection broke off");
    default: break;
    }
    if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return trouble(tls, STATUS_IO, "the connection broke off");
    long verified = SSL_get_verify_result(tls->ssl);
    if (verified != X509_V_OK && shaking_hands)
        return trouble(tls, STATUS_DENIED, X509_verify_cert_error_string(verified));
    const char *text = ERR_reason_error_string(error);
    // An alert after the handshake is the server's verdict on our certificate (TLS 1.3 tells it
    // late).
    bool denied = shaking_hands || ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
    return trouble(tls, denied ? STATUS_DENIED : STATUS_IO, text == NULL ? "broken TLS" : text);
}

enum status
tls_handshake(struct tls *tls)
{
    tls->wants_write = false;
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) return STATUS_OK;
    return outcome(tls, result, true);
}

enum status
tls_read(struct tls *tls, void *data, size_t room, size_t *out_count)
{
    tls->wants_write = false;
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(tls->ssl, data, room, out_count);
    if (result == 1) return STATUS_OK;
    return outcome(tls, result, false);
}

enum status
tls_write(struct tls *tls, const void *data, size_t len, size_t *out_count)
{
    tls->wants_write = false;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(tls->ssl, data, len, out_count);
    if (result == 1) return STATUS_OK;
    return outcome(tls, result, false);
}

bool
tls_wants_write(const struct tls *tls)
{
    return tls->wants_write;
}

bool
tls_pending(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

void
tls_goodbye(struct tls *tls)
{
    if (tls->broken || !SSL_is_init_finished(tls->ssl)) return;
    ERR_clear_error();
    if (SSL_shutdown(tls->ssl) < 0) ERR_clear_error();
}

const char *
tls_trouble(const struct tls *tls)
{
    return tls->trouble[0] == '\0' ? "no trouble" : tls->trouble;
}

bool
tls_fingerprint(const struct tls *tls, struct digest *out_fingerprint)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    if (certificate == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK) return false;
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (len <= 0) return false;
    *out_fingerprint = hash_sha256(der, (size_t)len);
    OPENSSL_free(der);
    return true;
}
