// A private PostgreSQL for tests: one cluster per test program, made at first use in a short
// temporary directory, reached over its socket only, removed at exit. The system's own cluster is
// never touched. Started as a child of the test program; also when the tests run as root (the
// server then runs as the system user `postgres`).
#ifndef SUPPORT_POSTGRES_H
#define SUPPORT_POSTGRES_H

// A fresh, empty database. The connection string (of the owner, a superuser) is written to `out`.
#define POSTGRES_TEXT 256
void postgres_database(char out[POSTGRES_TEXT]);
// The same database for another role, e.g. "vendue_ledger"; the role is made able to log in.
void postgres_as(const char *owner, const char *role, char out[POSTGRES_TEXT]);

// For fault tests: SIGKILL to the whole server, and a start after it (crash recovery); fast stop.
void postgres_kill(void);
void postgres_stop(void);
void postgres_start(void);

#endif
