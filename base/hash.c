// Digests by OpenSSL and xxHash: nothing here is our own mathematics.
//
// OpenSSL 3 looks an algorithm up by name at every one-shot call, which costs more than hashing 64
// bytes; so each thread fetches SHA-256 once and keeps its context.
#include "hash.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>
#define XXH_INLINE_ALL  // keys are short: a call would cost more than the digest
#include <xxhash.h>

#include "bounds.h"
#include "fail.h"

static _Thread_local EVP_MD_CTX *sha_context;
static _Thread_local EVP_MD *sha_algorithm;
static _Thread_local EVP_MAC_CTX *mac_context;
static _Thread_local EVP_CIPHER_CTX *cipher_context;
static _Thread_local EVP_CIPHER *cipher_algorithm;

static EVP_MD_CTX *
sha_begin(void)
{
    if (sha_context == NULL) {
        sha_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
        sha_context = EVP_MD_CTX_new();
        CHECK(sha_algorithm != NULL && sha_context != NULL);
    }
    CHECK(EVP_DigestInit_ex2(sha_context, sha_algorithm, NULL) == 1);
    return sha_context;
}

struct digest
hash_sha256_pieces(const struct hash_piece *pieces, size_t count)
{
    struct digest digest;
    EVP_MD_CTX *context = sha_begin();
    for (size_t i = 0; i < count; i++)
        CHECK(EVP_DigestUpdate(context, pieces[i].data, pieces[i].len) == 1);
    CHECK(EVP_DigestFinal_ex(context, digest.bytes, NULL) == 1);
    return digest;
}

struct digest
hash_sha256(const void *data, size_t len)
{
    struct hash_piece piece = {data, len};
    return hash_sha256_pieces(&piece, 1);
}

void
hash_thread_end(void)
{
    EVP_MD_CTX_free(sha_context);
    EVP_MD_free(sha_algorithm);
    EVP_MAC_CTX_free(mac_context);
    EVP_CIPHER_CTX_free(cipher_context);
    EVP_CIPHER_free(cipher_algorithm);
    cipher_context = NULL;
    cipher_algorithm = NULL;
    sha_context = NULL;
    sha_algorithm = NULL;
    mac_context = NULL;
}

struct id
hash_id(const char *domain, const void *data, size_t len)
{
    // The NUL after the domain keeps ("ab", "c") and ("a", "bc") apart.
    struct hash_piece pieces[] = {{domain, strlen(domain) + 1}, {data, len}};
    struct digest digest = hash_sha256_pieces(pieces, 2);
    struct id id;
    memcpy(id.bytes, digest.bytes, sizeof id.bytes);
    return id;
}

uint64_t
hash_content(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

// SipHash-2-4 (Aumasson and Bernstein 2012), one call of OpenSSL's MAC.
uint64_t
hash_customer(const uint8_t secret[16], const char *key, size_t len)
{
    uint8_t tag[8];
    size_t size = sizeof tag;
    if (mac_context == NULL) {
        OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
        EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
        mac_context = EVP_MAC_CTX_new(algorithm);
        EVP_MAC_free(algorithm);
        CHECK(mac_context != NULL && EVP_MAC_CTX_set_params(mac_context, params) == 1);
    }
    CHECK(EVP_MAC_init(mac_context, secret, 16, NULL) == 1);  // the size stays
    CHECK(EVP_MAC_update(mac_context, (const unsigned char *)key, len) == 1);
    CHECK(EVP_MAC_final(mac_context, tag, &size, sizeof tag) == 1);
    uint64_t value;
    memcpy(&value, tag, sizeof value);
    return value == 0 ? 1 : value;
}

// One block, so that no mode of operation and no padding comes in.
static struct id
rename_one(const uint8_t key[16], struct id id, int forward)
{
    struct id renamed;
    int len = 0;
    if (cipher_context == NULL) {
        cipher_algorithm = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
        cipher_context = EVP_CIPHER_CTX_new();
        CHECK(cipher_algorithm != NULL && cipher_context != NULL);
    }
    CHECK(EVP_CipherInit_ex2(cipher_context, cipher_algorithm, key, NULL, forward, NULL) == 1);
    CHECK(EVP_CIPHER_CTX_set_padding(cipher_context, 0) == 1);
    CHECK(EVP_CipherUpdate(cipher_context, renamed.bytes, &len, id.bytes, sizeof id.bytes) == 1);
    CHECK(len == sizeof renamed.bytes);
    return renamed;
}

struct id
hash_rename(const uint8_t key[16], struct id id)
{
    return rename_one(key, id, 1);
}

struct id
hash_rename_back(const uint8_t key[16], struct id name)
{
    return rename_one(key, name, 0);
}

void
hash_placement_key(const uint8_t secret[16], uint32_t seat, uint8_t out_key[16])
{
    struct {
        char what[4];
        uint32_t seat, half;
    } named = {"wins", seat, 0};
    for (; named.half < 2; named.half++) {
        uint64_t part = hash_customer(secret, (const char *)&named, sizeof named);
        memcpy(out_key + 8 * named.half, &part, sizeof part);
    }
}

uint16_t
hash_shard(uint64_t customer)
{
    return (uint16_t)(hash_mix(customer) % BOUND_SHARDS);
}

void
id_format(struct id id, char out[ID_TEXT])
{
    uint64_t halves[2];
    memcpy(halves, id.bytes, sizeof halves);
    hash_hex(be64toh(halves[0]), out);
    hash_hex(be64toh(halves[1]), out + 16);
    out[ID_TEXT - 1] = '\0';
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum status
id_parse(const char *text, size_t len, struct id *out_id)
{
    size_t digits = 0;
    struct id id = {{0}};
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-') continue;
        int value = hex_value(text[i]);
        if (value < 0 || digits == 2 * sizeof id.bytes) return STATUS_INPUT;
        id.bytes[digits / 2] = (uint8_t)(id.bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (digits != 2 * sizeof id.bytes) return STATUS_INPUT;
    *out_id = id;
    return STATUS_OK;
}
