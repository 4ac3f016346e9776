// slotctl cert: certificates of seats and touchpoints: issue, list, revoke.
#include <string.h>

#include "apply.h"
#include "authority.h"
#include "db.h"
#include "market_db.h"
#include "node.h"
#include "speak.h"
#include "table.h"
#include "verb.h"

#define PATH_BYTES 700
#define HEX_BYTES 65

static void
hex_of(struct digest digest, char out[HEX_BYTES])
{
    for (size_t i = 0; i < sizeof digest.bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", digest.bytes[i]);
}

static bool
hex_parse(const char *text, struct digest *out)
{
    if (strlen(text) != HEX_BYTES - 1 || strspn(text, "0123456789abcdef") != HEX_BYTES - 1)
        return false;
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        out->bytes[i] = (uint8_t)byte;
    }
    return true;
}

static int
issue(const struct verb_context *context, const struct settings *settings, struct db *db,
      const char *role_text, const char *code)
{
    enum role role;
    struct digest fingerprint;
    struct speak_fault fault;
    char hex[HEX_BYTES];
    if (role_parse(role_text, strlen(role_text), &role) != STATUS_OK || role == ROLE_OPERATOR)
        return verb_usage(&verb_cert, "a certificate is for a seat or a touchpoint, not for a %s",
                          role_text);
    enum status status = speak_issue(settings, db, role, code, &fingerprint, &fault);
    if (status == STATUS_EXISTS) {
        fprintf(stderr,
                "slotctl cert: %s; nothing is overwritten: move the files of the old certificate "
                "away first\n",
                fault.text);
        return EXIT_USAGE;
    }
    if (status != STATUS_OK) {
        verb_cannot("%s", fault.text);
        return status == STATUS_NOT_FOUND || status == STATUS_INPUT ? EXIT_USAGE : EXIT_CANNOT;
    }
    hex_of(fingerprint, hex);
    if (context->json) {
        json_t *answer = json_pack("{s:s, s:s, s:s}", "role", role_name(role), "party", code,
                                   "fingerprint", hex);
        json_dumpf(answer, stdout, 0);
        putchar('\n');
        json_decref(answer);
        return EXIT_DONE;
    }
    printf("%s/tls/%s.%s.crt\n%s/tls/%s.%s.key   (hand it over by a safe way, keep no "
           "copy)\n%s/tls/ca.crt\n",
           settings->directory, role_name(role), code, settings->directory, role_name(role), code,
           settings->directory);
    return EXIT_DONE;
}

static int
list(const struct verb_context *context, struct db *db)
{
    static const struct table_column columns[] = {
        {"role", "role", TABLE_LEFT, TABLE_TEXT},
        {"party", "party", TABLE_LEFT, TABLE_TEXT},
        {"state", "state", TABLE_LEFT, TABLE_TEXT},
        {"issued", "issued", TABLE_LEFT, TABLE_TEXT},
        {"fingerprint", "fingerprint", TABLE_LEFT, TABLE_TEXT},
    };
    struct db_rows *rows = NULL;
    char issued[CLOCK_TEXT];
    enum status status = db_query(
        db,
        "select role, party, revoked, issued_us, encode(fingerprint, 'hex') "
        "from market_certificate order by role, party, issued_us",
        NULL, 0, &rows);
    if (status != STATUS_OK) return verb_cannot("reading the certificates: %s", db_fault(db)->text);
    struct table *table = table_open(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < db_count(rows); i++) {
        clock_format((usec){db_get_int(rows, i, 3)}, issued);
        table_cell(table, db_get_text(rows, i, 0));
        table_cell(table, db_get_text(rows, i, 1));
        table_cell(table, db_get_bool(rows, i, 2) ? "revoked" : "valid");
        table_cell(table, issued);
        table_cell(table, db_get_text(rows, i, 4));
    }
    table_print(table, context->json ? TABLE_AS_JSON : TABLE_AS_TEXT, stdout);
    table_close(table);
    db_rows_free(rows);
    return EXIT_DONE;
}

// By fingerprint, or by ROLE.CODE: the certificate whose file lies in DIR/tls.
static int
revoke(const struct verb_context *context, const struct settings *settings, struct db *db,
       const char *which)
{
    struct digest fingerprint;
    char path[PATH_BYTES], hex[HEX_BYTES];
    if (!hex_parse(which, &fingerprint)) {
        usec until;
        struct authority_fault fault;
        if (strchr(which, '/'))
            return verb_usage(&verb_cert, "'%s' is neither ROLE.CODE nor a fingerprint", which);
        snprintf(path, sizeof path, "%s/tls/%.100s.crt", settings->directory, which);
        if (authority_read(path, &fingerprint, &until, &fault) != STATUS_OK)
            return verb_usage(
                &verb_cert,
                "%s; name ROLE.CODE of a file in tls/ or a fingerprint of `slotctl cert "
                "list`",
                fault.text);
    }
    hex_of(fingerprint, hex);
    enum status status = apply_revoke(db, fingerprint, clock_wall(), "slotctl");
    if (status == STATUS_NOT_FOUND)
        return verb_usage(&verb_cert, "no certificate %s is registered", hex);
    if (status != STATUS_OK && status != STATUS_EXISTS)
        return verb_cannot("revoking the certificate: %s", db_fault(db)->text);
    if (context->json) {
        printf("{\"fingerprint\": \"%s\", \"revoked\": true}\n", hex);
    } else {
        printf("%s is revoked; connections that use it end within seconds\n", hex);
    }
    return EXIT_DONE;
}

static int
run(const struct verb_context *context, int argc, char **argv)
{
    struct settings settings;
    int code = EXIT_DONE;
    argc = verb_options(&verb_cert, &(struct verb_option){0}, argc, argv);
    if (argc < 0) return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "";
    int wanted = strcmp(what, "issue") == 0    ? 4
                 : strcmp(what, "list") == 0   ? 2
                 : strcmp(what, "revoke") == 0 ? 3
                                               : 0;
    if (wanted == 0) return verb_usage(&verb_cert, "issue, list or revoke?");
    if (argc != wanted)
        return verb_usage(&verb_cert, "%s: what is asked is not complete or too much", what);
    if (!node_settings(context, &settings, &code)) return code;
    struct db *db = market_db_open(context);
    if (!db) return EXIT_CANNOT;
    if (wanted == 4) {
        code = issue(context, &settings, db, argv[2], argv[3]);
    } else if (wanted == 2) {
        code = list(context, db);
    } else {
        code = revoke(context, &settings, db, argv[2]);
    }
    db_close(db);
    return code;
}

const struct verb verb_cert = {
    .name = "cert",
    .arguments = "issue seat|touchpoint CODE | list | revoke ROLE.CODE|FINGERPRINT",
    .summary = "certificates of seats and touchpoints",
    .help = "issue   makes key and certificate of a declared seat or touchpoint in DIR/tls and "
            "registers it; it may\n"
            "        speak within a second. Nothing is overwritten.\n"
            "list    all certificates, revoked ones too\n"
            "revoke  ends a certificate for ever, and the connections that use it within seconds\n"
            "\n"
            "exit codes: 0 done; 2 no such party or certificate, or it exists; 3 the database does "
            "not answer\n"
            "example: slotctl cert issue seat grill_house\n",
    .run = run,
};
