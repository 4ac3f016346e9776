// Requests as a touchpoint sends them: a contact with eight attributes, an identified customer, all
// slots of the container. All have the same length, so that the bare echo need not look into them.
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "load.h"
#include "pack.h"

static const char key_digits[] = "bench-0000000000000000", customer_digits[] = "c-00000000";

static size_t
place_of(const uint8_t *bytes, size_t len, const char *text)
{
    const uint8_t *found = memmem(bytes, len, text, strlen(text));
    CHECK(found != NULL);
    return (size_t)(found - bytes);
}

static void
pair_word(struct pack *pack, const char *name, uint64_t random)
{
    char word[8];
    snprintf(word, sizeof word, "w%02u", (unsigned)(random % 16));
    pack_pair_string(pack, name, word);
}

void
load_request_fill(struct load_requests *requests)
{
    uint64_t random = 42;
    for (size_t i = 0; i < LOAD_POOL; i++) {
        struct pack pack = {.data = requests->bytes[i], .room = sizeof requests->bytes[i]};
        pack_array(&pack, 4);
        pack_integer(&pack, 0);
        pack_integer(&pack, LOAD_FIRST_ID);
        pack_string(&pack, "contact");
        pack_array(&pack, 1);
        pack_map(&pack, 4);
        pack_pair_string(&pack, "id", key_digits);
        pack_pair_string(&pack, "container", "page");
        pack_string(&pack, "user");
        pack_map(&pack, 4);
        pack_pair_string(&pack, "id", customer_digits);
        pack_pair_string(&pack, "identity", "repeat");
        pack_pair_string(&pack, "tier", "gold");
        pack_string(&pack, "consent");
        pack_array(&pack, 2);
        pack_string(&pack, "profiling");
        pack_string(&pack, "third_party");
        pack_string(&pack, "attr");
        pack_map(&pack, 8);
        static const char *const words[] = {"region", "household", "industry", "device"};
        for (size_t w = 0; w < 4; w++)
            pair_word(&pack, words[w], random = hash_mix(random + w + 1));
        // From 256 on an integer takes the same three bytes.
        random = hash_mix(random + 5);
        pack_pair_integer(&pack, "tenure_days", 256 + (int64_t)(random % 1744));
        pack_pair_integer(&pack, "score", 256 + (int64_t)(random >> 32) % 744);
        pack_pair_boolean(&pack, "owns_card", (random >> 20 & 1) != 0);
        pack_pair_boolean(&pack, "app_user", (random >> 21 & 1) != 0);
        CHECK(!pack.full && (i == 0 || pack.len == requests->len));
        requests->len = pack.len;
    }
    requests->id_at = 3;  // 94 00 ce: array of four, a request, a number of four bytes
    CHECK(requests->bytes[0][2] == 0xce);
    requests->key_at = place_of(requests->bytes[0], requests->len, key_digits) + 6;
    requests->customer_at = place_of(requests->bytes[0], requests->len, customer_digits) + 2;
}

static void
put_hex(uint8_t *out, unsigned digits, uint64_t value)
{
    for (unsigned i = digits; i-- > 0; value >>= 4)
        out[i] = (uint8_t) "0123456789abcdef"[value & 15];
}

size_t
load_request_write(struct load_requests *requests, uint32_t id, uint8_t *out)
{
    uint64_t number = requests->sent++;
    memcpy(out, requests->bytes[number % LOAD_POOL], requests->len);
    for (unsigned i = 0; i < 4; i++) out[requests->id_at + i] = (uint8_t)(id >> (24 - 8 * i));
    put_hex(out + requests->key_at, 16, number);
    put_hex(out + requests->customer_at, 8, hash_mix(number) % 1000000);
    return requests->len;
}
