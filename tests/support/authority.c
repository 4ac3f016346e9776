// A certificate authority for tests. Whatever fails ends the test program: nothing here is under
// test.
#include "authority.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "fail.h"

struct authority {
    char directory[256];
    char *paths[4];
    unsigned path_next;
    long serial;
    EVP_PKEY *key;
    X509 *certificate;
};

static void
extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *
certify(struct authority *authority, const char *name, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    CHECK(certificate != NULL && X509_set_version(certificate, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++authority->serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME *subject = X509_get_subject_name(certificate);
    CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                     -1, 0) == 1);
    X509 *issuer = authority->certificate == NULL ? certificate : authority->certificate;
    CHECK(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1);
    CHECK(X509_set_pubkey(certificate, key) == 1);
    return certificate;
}

static void
write_pem(struct authority *authority, const char *name, X509 *certificate, EVP_PKEY *key)
{
    char file[128];
    snprintf(file, sizeof file, "%s.crt", name);
    FILE *out = fopen(authority_path(authority, file), "w");
    CHECK(out != NULL && PEM_write_X509(out, certificate) == 1 && fclose(out) == 0);
    snprintf(file, sizeof file, "%s.key", name);
    out = fopen(authority_path(authority, file), "w");
    CHECK(out != NULL && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 &&
          fclose(out) == 0);
}

struct authority *
authority_open(void)
{
    struct authority *authority = calloc(1, sizeof *authority);
    CHECK(authority != NULL);
    const char *parent = getenv("TMPDIR");
    snprintf(authority->directory, sizeof authority->directory, "%s/vendue-tls-XXXXXX",
             parent == NULL ? "/tmp" : parent);
    CHECK(mkdtemp(authority->directory) != NULL);
    authority->key = EVP_EC_gen("P-256");
    CHECK(authority->key != NULL);
    X509 *certificate = certify(authority, "test authority", authority->key);
    extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, certificate, NID_key_usage, "critical,keyCertSign");
    CHECK(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    authority->certificate = certificate;
    write_pem(authority, "ca", certificate, authority->key);
    return authority;
}

void
authority_close(struct authority *authority)
{
    if (authority == NULL) return;
    DIR *directory = opendir(authority->directory);
    CHECK(directory != NULL);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') unlink(authority_path(authority, entry->d_name));
    }
    closedir(directory);
    rmdir(authority->directory);
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    for (size_t i = 0; i < 4; i++) free(authority->paths[i]);
    free(authority);
}

const char *
authority_path(struct authority *authority, const char *file)
{
    char **path = &authority->paths[authority->path_next++ % 4];
    free(*path);
    CHECK(asprintf(path, "%s/%s", authority->directory, file) > 0);
    return *path;
}

struct digest
authority_issue(struct authority *authority, const char *name, enum authority_use use)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    CHECK(key != NULL);
    X509 *certificate = certify(authority, name, key);
    extend(certificate, authority->certificate, NID_basic_constraints, "critical,CA:FALSE");
    if (use == AUTHORITY_SERVER) {
        extend(certificate, authority->certificate, NID_ext_key_usage, "serverAuth");
        extend(certificate, authority->certificate, NID_subject_alt_name,
               "DNS:localhost,IP:127.0.0.1,IP:::1");
    } else {
        extend(certificate, authority->certificate, NID_ext_key_usage, "clientAuth");
    }
    CHECK(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    write_pem(authority, name, certificate, key);
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    CHECK(len > 0);
    struct digest fingerprint = hash_sha256(der, (size_t)len);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return fingerprint;
}
