// postmaster.c: which process is a cluster's server, and what becomes of a lock file that names
// another.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../console/postmaster.h"
#include "../../console/process.h"

static char folder[64], data[80], lock[128], program[128];

static int
set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/vendue_postmaster_test.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(lock, sizeof lock, "%s/postmaster.pid", data);
    snprintf(program, sizeof program, "%s/postgres", folder);
    return mkdir(data, 0700);
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(lock);
    unlink(program);
    return rmdir(data) == 0 ? rmdir(folder) : -1;
}

static void
write_lock(pid_t pid)
{
    FILE *file = fopen(lock, "we");
    assert_non_null(file);
    fprintf(file, "%d\n%s\n1700000000\n5432\n\n\n  1234567        42\n", (int)pid, data);
    assert_int_equal(fclose(file), 0);
}

static void
assert_lock(pid_t pid)
{
    char text[1024], expected[1024];
    FILE *file = fopen(lock, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    snprintf(expected, sizeof expected, "%d\n%s\n1700000000\n5432\n\n\n  1234567        42\n",
             (int)pid, data);
    assert_string_equal(text, expected);
}

// A program of this name (a copy of sleep) that works in this directory.
static pid_t
start(const char *name, const char *directory)
{
    char command[256];
    snprintf(program, sizeof program, "%s/%s", folder, name);
    snprintf(command, sizeof command, "cp \"$(command -v sleep)\" '%s'", program);
    assert_int_equal(system(command), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(directory) == 0) execl(program, name, "60", (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    char link[64], at[128] = "";
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    for (int i = 0; i < 500 && strcmp(at, program) != 0; i++) {  // until it is that program
        ssize_t len = readlink(link, at, sizeof at - 1);
        at[len > 0 ? len : 0] = '\0';
        process_sleep_ms(10);
    }
    assert_string_equal(at, program);
    return pid;
}

static void
end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
test_only_a_server_in_its_directory(void **state)
{
    (void)state;
    assert_int_equal(postmaster_find(data, ""), 0);
    pid_t pid = start("postgres", data);
    assert_int_equal(postmaster_find(data, ""), 0);  // no lock file names it
    write_lock(pid);
    assert_int_equal(postmaster_find(data, ""), pid);
    end(pid);
    assert_int_equal(postmaster_find(data, ""), 0);
    pid = start("postgres", folder);  // another cluster's
    write_lock(pid);
    assert_int_equal(postmaster_find(data, ""), 0);
    end(pid);
    unlink(program);
    pid = start("editor", data);  // somebody who looks around there
    write_lock(pid);
    assert_int_equal(postmaster_find(data, ""), 0);
    end(pid);
}

static void
test_a_strangers_pid_is_struck_out(void **state)
{
    (void)state;
    assert_true(postmaster_forget(lock, ""));  // none there: nothing to do
    assert_int_equal(access(lock, F_OK), -1);
    write_lock(getpid());
    assert_int_equal(postmaster_find(data, ""), 0);
    assert_true(postmaster_forget(lock, ""));
    assert_lock(POSTMASTER_NOBODY);
    assert_int_equal(kill(POSTMASTER_NOBODY, 0), -1);
    assert_true(postmaster_forget(lock, ""));
    assert_lock(POSTMASTER_NOBODY);
}

static void
test_a_zombies_pid_is_struck_out(void **state)
{
    (void)state;
    siginfo_t info;
    pid_t pid = start("postgres", data);
    write_lock(pid);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(kill(pid, 0), 0);  // which is what PostgreSQL asks
    assert_int_equal(postmaster_find(data, ""), 0);
    assert_true(postmaster_forget(lock, ""));
    assert_lock(POSTMASTER_NOBODY);
    waitpid(pid, NULL, 0);
}

// A dead server's lock file is left to PostgreSQL, who knows what to do with it.
static void
test_the_dead_are_left_alone(void **state)
{
    (void)state;
    pid_t pid = start("postgres", data);
    end(pid);
    write_lock(pid);
    assert_true(postmaster_forget(lock, ""));
    assert_lock(pid);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_only_a_server_in_its_directory),
        TEST(test_a_strangers_pid_is_struck_out),
        TEST(test_a_zombies_pid_is_struck_out),
        TEST(test_the_dead_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
