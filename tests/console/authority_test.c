// authority.c, judged by OpenSSL's own command line: chains verify, names and purposes are what
// they should be.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../console/authority.h"
#include "folder.h"

static char folder[64];

static int
set_up(void **state)
{
    (void)state;
    struct authority_fault fault;
    snprintf(folder, sizeof folder, "/tmp/vendue_authority_test.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    return authority_create(folder, clock_wall(), &fault) == STATUS_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

// Runs "cd FOLDER; COMMAND"; true when it succeeds. Its output goes to `out`.
static bool
ask(const char *command, char *out, size_t size)
{
    char line[512];
    snprintf(line, sizeof line, "cd %s; { %s; } 2>&1", folder, command);
    FILE *pipe = popen(line, "re");
    assert_non_null(pipe);
    size_t len = fread(out, 1, size - 1, pipe);
    out[len] = '\0';
    return pclose(pipe) == 0;
}

static unsigned
mode_of(const char *name)
{
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void
test_server(void **state)
{
    (void)state;
    char out[4096];
    struct authority_fault fault;
    assert_int_equal(authority_issue_server(folder, "market.example.com", "", clock_wall(), &fault),
                     STATUS_OK);
    assert_true(ask("openssl verify -x509_strict -purpose sslserver -verify_hostname "
                    "market.example.com -CAfile ca.crt "
                    "server.crt",
                    out, sizeof out));
    assert_true(ask("openssl verify -verify_hostname localhost -CAfile ca.crt server.crt", out,
                    sizeof out));
    assert_true(
        ask("openssl verify -verify_ip 127.0.0.1 -CAfile ca.crt server.crt", out, sizeof out));
    assert_false(ask("openssl verify -verify_hostname other.example.com -CAfile ca.crt server.crt",
                     out, sizeof out));
    assert_false(
        ask("openssl verify -purpose sslclient -CAfile ca.crt server.crt", out, sizeof out));
    assert_int_equal(mode_of("ca.key"), 0600);
    assert_int_equal(mode_of("server.key"), 0600);
    assert_true(ask("openssl x509 -in ca.crt -noout -text", out, sizeof out));
    assert_non_null(strstr(out, "CA:TRUE, pathlen:0"));
    assert_non_null(strstr(out, "prime256v1"));
}

static void
test_server_address(void **state)
{
    (void)state;
    char out[4096];
    struct authority_fault fault;
    assert_int_equal(
        authority_issue_server(folder, "0.0.0.0", "a,DNS:evil.example", clock_wall(), &fault),
        STATUS_INPUT);
    assert_int_equal(authority_issue_server(folder, "", "", clock_wall(), &fault), STATUS_INPUT);
    assert_int_equal(
        authority_issue_server(folder, "192.0.2.7", "market.example.com", clock_wall(), &fault),
        STATUS_OK);
    assert_true(ask("openssl verify -verify_hostname market.example.com -CAfile ca.crt server.crt",
                    out, sizeof out));
    assert_true(
        ask("openssl verify -verify_ip 192.0.2.7 -CAfile ca.crt server.crt", out, sizeof out));
    assert_int_equal(authority_issue_server(folder, "a,DNS:evil.example", "", clock_wall(), &fault),
                     STATUS_INPUT);
}

static void
test_client(void **state)
{
    (void)state;
    char out[4096], path[128], hex[65];
    struct authority_fault fault;
    struct digest issued, read;
    usec now = clock_wall(), until;
    assert_int_equal(authority_issue_client(folder, ROLE_SEAT, "grill", now, &issued, &fault),
                     STATUS_OK);
    assert_true(ask("openssl verify -x509_strict -purpose sslclient -CAfile ca.crt seat.grill.crt",
                    out, sizeof out));
    assert_false(
        ask("openssl verify -purpose sslserver -CAfile ca.crt seat.grill.crt", out, sizeof out));
    assert_true(ask("openssl x509 -in seat.grill.crt -noout -ext subjectAltName", out, sizeof out));
    assert_non_null(strstr(out, "URI:urn:vendue:seat:grill"));
    // The fingerprint is that of the public key, as others compute it.
    assert_true(
        ask("openssl x509 -in seat.grill.crt -noout -pubkey | openssl pkey -pubin -outform DER | "
            "openssl dgst -sha256",
            out, sizeof out));
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", issued.bytes[i]);
    assert_non_null(strstr(out, hex));
    snprintf(path, sizeof path, "%s/seat.grill.crt", folder);
    assert_int_equal(authority_read(path, &read, &until, &fault), STATUS_OK);
    assert_true(digest_same(issued, read));
    assert_in_range(until.us, now.us + 729 * USEC_DAY, now.us + 731 * USEC_DAY);
    // The key belongs to the certificate.
    assert_true(ask("test \"$(openssl pkey -in seat.grill.key -pubout)\" = "
                    "\"$(openssl x509 -in seat.grill.crt -noout -pubkey)\"",
                    out, sizeof out));
}

static void
test_never_overwrites(void **state)
{
    (void)state;
    char out[4096];
    struct authority_fault fault;
    struct digest first, second;
    assert_int_equal(
        authority_issue_client(folder, ROLE_TOUCHPOINT, "crm", clock_wall(), &first, &fault),
        STATUS_OK);
    assert_int_equal(
        authority_issue_client(folder, ROLE_TOUCHPOINT, "crm", clock_wall(), &second, &fault),
        STATUS_EXISTS);
    assert_int_equal(authority_create(folder, clock_wall(), &fault), STATUS_EXISTS);
    assert_true(ask("openssl verify -CAfile ca.crt touchpoint.crm.crt", out, sizeof out));
    // A key without its certificate is not touched either, and nothing half-made stays.
    assert_true(ask("rm touchpoint.crm.key", out, sizeof out));
    assert_int_equal(
        authority_issue_client(folder, ROLE_TOUCHPOINT, "crm", clock_wall(), &second, &fault),
        STATUS_EXISTS);
    assert_true(ask("test ! -e touchpoint.crm.key", out, sizeof out));
    authority_discard_client(folder, ROLE_TOUCHPOINT, "crm");
    assert_int_equal(
        authority_issue_client(folder, ROLE_TOUCHPOINT, "crm", clock_wall(), &second, &fault),
        STATUS_OK);
    assert_false(digest_same(first, second));
}

static void
test_codes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ".", "../x", "a/b", "a b", "a,b", "a-code-of-forty-nine-bytes-which-is-one-too-long1"};
    struct authority_fault fault;
    struct digest unused;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            authority_issue_client(folder, ROLE_SEAT, bad[i], clock_wall(), &unused, &fault),
            STATUS_INPUT);
    assert_int_equal(authority_issue_client(folder, ROLE_SEAT,
                                            "a-code-of-48-bytes-which-is-just-about-allowed-1",
                                            clock_wall(), &unused, &fault),
                     STATUS_OK);
}

static void
test_damaged_files(void **state)
{
    (void)state;
    char out[64], path[128];
    struct authority_fault fault;
    struct digest unused;
    usec until;
    snprintf(path, sizeof path, "%s/missing.crt", folder);
    assert_int_equal(authority_read(path, &unused, &until, &fault), STATUS_NOT_FOUND);
    assert_true(ask("echo nonsense > ca.key", out, sizeof out));
    assert_int_equal(
        authority_issue_client(folder, ROLE_SEAT, "grill", clock_wall(), &unused, &fault),
        STATUS_IO);
    assert_true(ask("test ! -e seat.grill.key && test ! -e seat.grill.crt", out, sizeof out));
    assert_non_null(strstr(fault.text, "ca.key"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_server),           TEST(test_server_address), TEST(test_client),
        TEST(test_never_overwrites), TEST(test_codes),          TEST(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
