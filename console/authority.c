// The market's own certificate authority with OpenSSL's API.
//
// Keys: ECDSA P-256, PKCS#8 PEM without a password, mode 0600, made with O_EXCL. Certificates:
// X.509 v3, random 128-bit serial, SHA-256, valid from five minutes before now (clocks differ) for
//   the authority 20 years   CA:TRUE pathlen:0, keyCertSign, cRLSign
//   the server     5 years   serverAuth, SAN: host, name, 127.0.0.1, ::1, localhost
//   a client       2 years   clientAuth, SAN: urn:vendue:ROLE:CODE
// Who may speak is decided by the table of fingerprints (SHA-256 of the public key), so that
// revoking works at once and without revocation lists; the authority's signature only keeps
// strangers from the door.
#include "authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "bounds.h"
#include "fail.h"

#define PATH_BYTES 700
#define CA_DAYS (20 * 365)
#define SERVER_DAYS (5 * 365)
#define CLIENT_DAYS (2 * 365)
#define NAME_MOST 63  // what a certificate's common name and a label of DNS hold

// What a certificate says.
struct profile {
    const char *name;         // common name, for people
    const char *alternative;  // subjectAltName, or NULL
    const char *basic, *usage, *extended;
    int days;
};

static enum status
openssl_failed(struct authority_fault *fault, const char *what)
{
    char reason[160] = "unknown";
    unsigned long code = ERR_get_error();
    if (code != 0) ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    snprintf(fault->text, sizeof fault->text, "%.300s: %s", what, reason);
    return STATUS_IO;
}

static enum status
file_failed(struct authority_fault *fault, const char *path)
{
    enum status status = errno == EEXIST   ? STATUS_EXISTS
                         : errno == ENOENT ? STATUS_NOT_FOUND
                                           : STATUS_IO;
    snprintf(fault->text, sizeof fault->text, "%.500s: %m", path);
    return status;
}

static FILE *
create(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return NULL;
    FILE *file = fdopen(fd, "w");
    if (!file) close(fd);
    return file;
}

// Writes key and certificate, both new; neither is left when one fails.
static enum status
write_pair(const char *stem, EVP_PKEY *key, X509 *certificate, struct authority_fault *fault)
{
    char key_path[PATH_BYTES], crt_path[PATH_BYTES];
    snprintf(key_path, sizeof key_path, "%s.key", stem);
    snprintf(crt_path, sizeof crt_path, "%s.crt", stem);
    FILE *file = create(key_path, 0600);
    if (!file) return file_failed(fault, key_path);
    bool written = PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (fclose(file) != 0 || !written) {
        enum status status = file_failed(fault, key_path);
        unlink(key_path);
        return status;
    }
    file = create(crt_path, 0644);
    written = file && PEM_write_X509(file, certificate) == 1;
    if (!file || fclose(file) != 0 || !written) {
        enum status status = file_failed(fault, crt_path);
        if (file) unlink(crt_path);
        unlink(key_path);
        return status;
    }
    return STATUS_OK;
}

static X509 *
load_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    return certificate;
}

static EVP_PKEY *
load_key(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    return key;
}

static bool
extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool
set_serial(X509 *certificate)
{
    unsigned char random[16];
    if (RAND_bytes(random, sizeof random) != 1) return false;
    random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);  // positive and always 16 bytes
    BIGNUM *number = BN_bin2bn(random, sizeof random, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

// A certificate for `key`, signed by `issuer_key`; `issuer` NULL: signed by itself.
static X509 *
certify(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const struct profile *profile, usec now)
{
    X509 *certificate = X509_new();
    time_t at = (time_t)(now.us / USEC_SECOND) - 300;
    if (!certificate) return NULL;
    X509_NAME *name = X509_get_subject_name(certificate);
    X509 *signer = issuer ? issuer : certificate;
    bool made =
        X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &at) &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), profile->days, 0, &at) &&
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"vendue", -1,
                                   -1, 0) == 1 &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)profile->name,
                                   -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
        X509_set_pubkey(certificate, key) == 1 &&
        extend(certificate, signer, NID_basic_constraints, profile->basic) &&
        extend(certificate, signer, NID_key_usage, profile->usage) &&
        extend(certificate, signer, NID_subject_key_identifier, "hash") &&
        (!issuer || extend(certificate, signer, NID_authority_key_identifier, "keyid:always")) &&
        (!profile->extended || extend(certificate, signer, NID_ext_key_usage, profile->extended)) &&
        (!profile->alternative ||
         extend(certificate, signer, NID_subject_alt_name, profile->alternative)) &&
        X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
    if (made) return certificate;
    X509_free(certificate);
    return NULL;
}

static enum status
fingerprint(X509 *certificate, struct digest *out_fingerprint, struct authority_fault *fault)
{
    unsigned char *bytes = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
    if (len <= 0) return openssl_failed(fault, "public key");
    *out_fingerprint = hash_sha256(bytes, (size_t)len);
    OPENSSL_free(bytes);
    return STATUS_OK;
}

// Issues a pair under tls/STEM, signed by tls/ca.
static enum status
issue(const char *tls, const char *stem, const struct profile *profile, usec now,
      struct digest *out_fingerprint, struct authority_fault *fault)
{
    char path[PATH_BYTES];
    EVP_PKEY *key = NULL, *ca_key = NULL;
    X509 *ca = NULL, *certificate = NULL;
    enum status status = STATUS_IO;
    snprintf(path, sizeof path, "%s/ca.crt", tls);
    ca = load_certificate(path);
    if (!ca) {
        status = openssl_failed(fault, path);
        goto done;
    }
    snprintf(path, sizeof path, "%s/ca.key", tls);
    ca_key = load_key(path);
    if (!ca_key) {
        status = openssl_failed(fault, path);
        goto done;
    }
    key = EVP_EC_gen("P-256");
    certificate = key ? certify(key, ca, ca_key, profile, now) : NULL;
    if (!certificate) {
        status = openssl_failed(fault, stem);
        goto done;
    }
    status = fingerprint(certificate, out_fingerprint, fault);
    if (status != STATUS_OK) goto done;
    snprintf(path, sizeof path, "%s/%s", tls, stem);
    status = write_pair(path, key, certificate, fault);
done:
    X509_free(certificate);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return status;
}

enum status
authority_create(const char *tls, usec now, struct authority_fault *out_fault)
{
    static const struct profile profile = {
        .name = "vendue market authority",
        .basic = "critical,CA:TRUE,pathlen:0",
        .usage = "critical,keyCertSign,cRLSign",
        .days = CA_DAYS,
    };
    char stem[PATH_BYTES];
    snprintf(stem, sizeof stem, "%s/ca", tls);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? certify(key, NULL, key, &profile, now) : NULL;
    enum status status = certificate ? write_pair(stem, key, certificate, out_fault)
                                     : openssl_failed(out_fault, "authority");
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}

// Letters, digits, ".", "-", "_", ":" (IPv6); nothing that could end one name and begin another.
static bool
is_plain(const char *text, size_t most, const char *also)
{
    size_t len = strlen(text);
    if (len == 0 || len > most || text[0] == '.') return false;
    for (; *text; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (!letter && !(*text >= '0' && *text <= '9') && !strchr(also, *text)) return false;
    }
    return true;
}

bool
authority_is_name(const char *name)
{
    return is_plain(name, NAME_MOST, ".-:");
}

// "IP" or "DNS", as the name is written in a certificate.
static const char *
kind_of(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1
               ? "IP"
               : "DNS";
}

enum status
authority_issue_server(const char *tls, const char *host, const char *name, usec now,
                       struct authority_fault *out_fault)
{
    char alternative[256];
    struct digest unused;
    if (!authority_is_name(host) || (name[0] && !authority_is_name(name))) {
        snprintf(out_fault->text, sizeof out_fault->text, "'%.100s' is no host name or address",
                 authority_is_name(host) ? name : host);
        return STATUS_INPUT;
    }
    int len = snprintf(alternative, sizeof alternative, "%s:%s,IP:127.0.0.1,IP:::1,DNS:localhost",
                       kind_of(host), host);
    if (name[0])
        snprintf(alternative + len, sizeof alternative - (size_t)len, ",%s:%s", kind_of(name),
                 name);
    struct profile profile = {
        .name = name[0] ? name : host,
        .alternative = alternative,
        .basic = "critical,CA:FALSE",
        .usage = "critical,digitalSignature",
        .extended = "serverAuth",
        .days = SERVER_DAYS,
    };
    return issue(tls, "server", &profile, now, &unused, out_fault);
}

enum status
authority_issue_client(const char *tls, enum role role, const char *code, usec now,
                       struct digest *out_fingerprint, struct authority_fault *out_fault)
{
    char alternative[128], stem[128];
    if (role >= ROLE_COUNT || !is_plain(code, BOUND_CODE, "._-")) {
        snprintf(out_fault->text, sizeof out_fault->text, "'%.100s' is no code", code);
        return STATUS_INPUT;
    }
    snprintf(alternative, sizeof alternative, "URI:urn:vendue:%s:%s", role_name(role), code);
    snprintf(stem, sizeof stem, "%s.%s", role_name(role), code);
    struct profile profile = {
        .name = stem,
        .alternative = alternative,
        .basic = "critical,CA:FALSE",
        .usage = "critical,digitalSignature",
        .extended = "clientAuth",
        .days = CLIENT_DAYS,
    };
    return issue(tls, stem, &profile, now, out_fingerprint, out_fault);
}

void
authority_discard_client(const char *tls, enum role role, const char *code)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s.%s.key", tls, role_name(role), code);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s.%s.crt", tls, role_name(role), code);
    unlink(path);
}

enum status
authority_read(const char *crt_path, struct digest *out_fingerprint, usec *out_until,
               struct authority_fault *out_fault)
{
    struct tm until;
    errno = 0;
    X509 *certificate = load_certificate(crt_path);
    if (!certificate)
        return errno ? file_failed(out_fault, crt_path) : openssl_failed(out_fault, crt_path);
    enum status status = fingerprint(certificate, out_fingerprint, out_fault);
    if (status == STATUS_OK && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1)
        status = openssl_failed(out_fault, crt_path);
    if (status == STATUS_OK) out_until->us = (int64_t)timegm(&until) * USEC_SECOND;
    X509_free(certificate);
    return status;
}
