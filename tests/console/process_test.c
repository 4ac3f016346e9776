// process.c: real programs started, found, stopped.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../console/process.h"

static char folder[64], log_path[128], pid_path[128];

static int
set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/vendue_process_test.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    snprintf(pid_path, sizeof pid_path, "%s/pid", folder);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    unlink(pid_path);
    return rmdir(folder);
}

static struct process_command
shell(char **argv, const char *script)
{
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = (char *)script;
    argv[3] = NULL;
    return (struct process_command){.argv = argv, .log = log_path, .pid_file = pid_path};
}

static void
read_log(char *out, size_t size)
{
    FILE *file = fopen(log_path, "re");
    assert_non_null(file);
    size_t len = fread(out, 1, size - 1, file);
    fclose(file);
    out[len] = '\0';
}

static void
test_run(void **state)
{
    (void)state;
    char *argv[4], log[256];
    int code = -1;
    struct process_fault fault;
    struct process_command command = shell(argv, "echo out; echo err >&2; exit 7");
    assert_int_equal(process_run(&command, &code, &fault), STATUS_OK);
    assert_int_equal(code, 7);
    read_log(log, sizeof log);
    assert_string_equal(log, "out\nerr\n");
    command = shell(argv, "kill -9 $$");
    assert_int_equal(process_run(&command, &code, &fault), STATUS_OK);
    assert_int_equal(code, 128 + SIGKILL);
}

static void
test_no_such_program(void **state)
{
    (void)state;
    char *argv[] = {"/nowhere/program", NULL};
    pid_t pid;
    int code;
    struct process_fault fault;
    struct process_command command = {.argv = argv, .log = log_path, .pid_file = pid_path};
    assert_int_equal(process_run(&command, &code, &fault), STATUS_IO);
    assert_string_equal(fault.text, "/nowhere/program: No such file or directory");
    assert_int_equal(process_start(&command, &pid, &fault), STATUS_IO);
    assert_int_equal(access(pid_path, F_OK), -1);
}

static void
test_start_find_stop(void **state)
{
    (void)state;
    char *argv[4];
    pid_t pid = 0, again = 0;
    struct process_fault fault;
    struct process_command command = shell(argv, "exec sleep 60");
    assert_int_equal(process_find(pid_path), 0);
    assert_int_equal(process_start(&command, &pid, &fault), STATUS_OK);
    assert_int_equal(process_find(pid_path), pid);
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(process_start(&command, &again, &fault), STATUS_EXISTS);
    assert_int_equal(again, pid);
    assert_int_equal(process_stop(pid_path, 5000), STATUS_OK);
    assert_false(process_alive(pid));
    assert_int_equal(process_find(pid_path), 0);
    assert_int_equal(process_stop(pid_path, 5000), STATUS_NOT_FOUND);
}

static void
test_stubborn_is_killed(void **state)
{
    (void)state;
    char *argv[4], log[64] = "";
    pid_t pid = 0;
    struct process_fault fault;
    struct process_command command = shell(argv,
                                           "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
    assert_int_equal(process_start(&command, &pid, &fault), STATUS_OK);
    for (int i = 0; i < 500 && !strstr(log, "deaf"); i++) {
        process_sleep_ms(10);
        read_log(log, sizeof log);
    }
    assert_int_equal(process_stop(pid_path, 100), STATUS_AGAIN);
    assert_false(process_alive(pid));
}

// A zombie, and a pid that now belongs to somebody else, are not our program.
static void
test_dead_is_not_found(void **state)
{
    (void)state;
    char *argv[4];
    pid_t pid = 0;
    struct process_fault fault;
    struct process_command command = shell(argv, "exec sleep 60");
    assert_int_equal(process_start(&command, &pid, &fault), STATUS_OK);
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);  // it stays a zombie
    assert_int_equal(kill(pid, 0), 0);
    assert_false(process_alive(pid));
    assert_int_equal(process_find(pid_path), 0);
    waitpid(pid, NULL, 0);
    FILE *file = fopen(pid_path, "we");
    assert_non_null(file);
    fprintf(file, "%d 1\n", (int)getpid());
    fclose(file);
    assert_true(process_alive(getpid()));
    assert_int_equal(process_find(pid_path), 0);
}

// A lock that we hold when a daemon starts ends with us, not with the daemon.
static void
test_inherits_no_files(void **state)
{
    (void)state;
    char *argv[4], lock_path[128];
    pid_t pid = 0;
    struct process_fault fault;
    snprintf(lock_path, sizeof lock_path, "%s/lock", folder);
    int lock = open(lock_path, O_RDWR | O_CREAT, 0600);  // without O_CLOEXEC, on purpose
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    struct process_command command = shell(argv, "exec sleep 60");
    assert_int_equal(process_start(&command, &pid, &fault), STATUS_OK);
    close(lock);
    lock = open(lock_path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    close(lock);
    unlink(lock_path);
    assert_int_equal(process_stop(pid_path, 5000), STATUS_OK);
}

static void
test_blocked_way(void **state)
{
    (void)state;
    char inner[128], blocked[128];
    if (geteuid() != 0) skip();  // only root can become another user
    snprintf(inner, sizeof inner, "%s/inner", folder);
    assert_int_equal(mkdir(inner, 0755), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_true(process_blocked("nobody", inner, blocked, sizeof blocked));
    assert_string_equal(blocked, folder);
    assert_int_equal(chmod(folder, 0711), 0);
    assert_false(process_blocked("nobody", inner, blocked, sizeof blocked));
    rmdir(inner);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_run),
        TEST(test_no_such_program),
        TEST(test_start_find_stop),
        TEST(test_stubborn_is_killed),
        TEST(test_dead_is_not_found),
        TEST(test_inherits_no_files),
        TEST(test_blocked_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
