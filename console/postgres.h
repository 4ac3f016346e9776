// The market's private database server, in DIR/postgres.
//   postgres/data/          the cluster; belongs to the system's user that runs it
//   postgres/vendue.conf    how it listens,
//     pg_hba.conf           whom it admits,
//     pg_ident.conf         and as which roles
//   postgres/run/           its socket, unless that path is too long: then a directory in /tmp
//   run/postgres.socket     the directory of the socket, while it runs
#ifndef VENDUE_POSTGRES_H
#define VENDUE_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"
#include "terms.h"

struct postgres_fault {
    char text[1024];  // what is wrong and what mends it
};

// Makes the private cluster in settings->directory: checksums, UTF-8, C.UTF-8, UTC, unix socket
// only. As root it belongs to the system's user postgres, whom every directory above must let pass
// (STATUS_DENIED names the one that does not).
MUST_CHECK enum status
postgres_create(const struct settings *settings, struct postgres_fault *out_fault);
// Starts it and waits until it answers. Already running: fine.
MUST_CHECK enum status
postgres_start(const struct settings *settings, struct postgres_fault *out_fault);
// Stops it: open transactions are rolled back, data is written. STATUS_NOT_FOUND: it did not run.
MUST_CHECK enum status
postgres_stop(const struct settings *settings, struct postgres_fault *out_fault);
// The directory of its socket, while it runs.
bool postgres_socket(const struct settings *settings, char *out_socket, size_t size);

#endif
