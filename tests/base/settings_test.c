#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings.h"

static char directory[] = "/tmp/vendue-settings-XXXXXX";

static enum status
read_text(const char *text, struct settings *settings, struct settings_error *error)
{
    char path[128];
    snprintf(path, sizeof path, "%s/vendue.yaml", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return settings_read(directory, settings, error);
}

static void
reads_over_the_defaults(void **state)
{
    (void)state;
    struct settings settings;
    struct settings_error error;
    assert_int_equal(read_text("", &settings, &error), STATUS_OK);
    assert_int_equal(settings.listen_port, 7443);
    assert_int_equal(settings.segment_bytes, 64 << 20);
    assert_string_equal(settings.postgres, "");
    assert_int_equal(
        read_text("# ours\nlisten: {host: 0.0.0.0, port: 8443}\npostgres: \"host=/x dbname=y\"\n"
                  "journal:\n  segment: 2 MiB\n  log: 3\nbook:\n  placements: 2048\n",
                  &settings, &error),
        STATUS_OK);
    assert_string_equal(settings.listen_host, "0.0.0.0");
    assert_int_equal(settings.listen_port, 8443);
    assert_string_equal(settings.postgres, "host=/x dbname=y");
    assert_int_equal(settings.segment_bytes, 2 << 20);
    assert_int_equal(settings.log, 3);
    assert_int_equal(settings.book.placements, 2048);
    assert_string_equal(settings.directory, directory);
    assert_string_equal(settings.readers, "");
    assert_int_equal(read_text("close:\n  readers: hledger , sqlite\n", &settings, &error),
                     STATUS_OK);
    assert_string_equal(settings.readers, "hledger , sqlite");
}

static void
names_the_place_of_a_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *text, *starts, *says;
    } cases[] = {
        {"listen:\n  port: 99999\n", "vendue.yaml:2:9:", "a port from 1 to 65535"},
        {"listen:\n  port: 1\nlisten:\n  port: 2\n", "vendue.yaml:4:9:", "second time"},
        {"listen:\n  prt: 1\n", "vendue.yaml:2:8:", "listen.prt: there is no such setting"},
        {"journal:\n  segment: 64 MB\n", "vendue.yaml:2:12:", "'64 MB' is not a size"},
        {"journal:\n  segment: 1048577\n", "vendue.yaml:2:12:", "whole MiB"},
        {"journal:\n  segment: 1 KiB\n", "vendue.yaml:2:12:", "from 1 MiB"},
        {"book:\n  rates: 20 MiB\n", "vendue.yaml:2:10:", "is not a count"},
        {"book:\n  rates: -1\n", "vendue.yaml:2:10:", "is not a count"},
        {"book:\n  caps: 4096\n", "vendue.yaml:2:9:", "use book.customers"},
        {"book:\n  customers: 67108865\n", "vendue.yaml:2:14:", "from 1024 to 67108864"},
        {"listen: [1, 2]\n", "vendue.yaml:1:9:", "single value"},
        {"listen:\n  port: {a: 1}\n", "vendue.yaml:2:9:", "do not nest"},
        {"just text\n", "vendue.yaml:1:1:", "key: value"},
        {"a: \"unclosed\n", "vendue.yaml:2:1:", "unexpected end"},
        {"close:\n  readers: abacus\n", "vendue.yaml:2:12:", "hledger, ledger, beancount"},
        {"close:\n  readers: ledger,\n", "vendue.yaml:2:12:", "a list of"},
        {"close:\n  readers: ledger sqlite\n", "vendue.yaml:2:12:", "a list of"},
        {"listen:\n  host: \"\"\n", "vendue.yaml:2:9:", "an address"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings settings;
        struct settings_error error = {""};
        assert_int_equal(read_text(cases[i].text, &settings, &error), STATUS_INPUT);
        if (strncmp(error.text, cases[i].starts, strlen(cases[i].starts)) != 0 ||
            strstr(error.text, cases[i].says) == NULL)
            fail_msg("'%s' gave '%s'", cases[i].text, error.text);
    }
}

static void
says_what_is_no_market_directory(void **state)
{
    (void)state;
    struct settings settings;
    struct settings_error error;
    assert_int_equal(settings_read("/nonexistent/market", &settings, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.text, "slotctl init"));
    assert_int_equal(settings_read("/", &settings, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.text, "not a market directory"));
}

static int
make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int
remove_directory(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/vendue.yaml", directory);
    unlink(path);
    return rmdir(directory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_over_the_defaults),
        cmocka_unit_test(names_the_place_of_a_mistake),
        cmocka_unit_test(says_what_is_no_market_directory),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
