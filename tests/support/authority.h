// A certificate authority for tests: real keys and certificates, made in memory, written as PEM
// files.
#ifndef VENDUE_TEST_AUTHORITY_H
#define VENDUE_TEST_AUTHORITY_H

#include <stddef.h>

#include "hash.h"

struct authority;

// A directory of its own under $TMPDIR; authority_close removes it with all files.
struct authority *authority_open(void);
void authority_close(struct authority *authority);

// Issues NAME.crt and NAME.key (P-256) into the directory and answers the SHA-256 of the public
// key. A server's certificate bears localhost, 127.0.0.1 and ::1. ca.crt is there from the start.
enum authority_use { AUTHORITY_SERVER, AUTHORITY_CLIENT };
struct digest
authority_issue(struct authority *authority, const char *name, enum authority_use use);
// A path in the directory; valid until the fourth call after this one.
const char *authority_path(struct authority *authority, const char *file);

#endif
