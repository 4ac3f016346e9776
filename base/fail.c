// A bug ends the process at once, with the place: going on with a broken invariant could sell or
// book wrongly.
#include "fail.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
fail_check(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: CHECK(%s) failed: this is a bug in vendue\n", file, line, what);
    abort();
}
