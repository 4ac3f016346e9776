// Who holds a PostgreSQL cluster: asked of the process itself, since the pid that a lock file names
// may be a zombie, or, after a restart of the machine, any other program.
#ifndef VENDUE_POSTMASTER_H
#define VENDUE_POSTMASTER_H

#include <stdbool.h>
#include <sys/types.h>

// No process has this pid: Linux gives none above 4194304.
#define POSTMASTER_NOBODY 4194305

// The pid of the server that runs on the cluster in `data`, 0: none runs. `user` owns the cluster;
// "": we ourselves.
pid_t postmaster_find(const char *data, const char *user);
// Only while no server runs: strikes out of a lock file a pid that some process bears, so that the
// next server does not take that process for its predecessor. False when it could not.
bool postmaster_forget(const char *lock_file, const char *user);

#endif
