// Our own errors (bugs): CHECK is on in every build and ends the process with the place.
// Errors of the world are `enum status` (terms.h), those of the business `enum reason`.
#ifndef VENDUE_FAIL_H
#define VENDUE_FAIL_H

_Noreturn void fail_check(const char *file, int line, const char *what);

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (__builtin_expect(!(condition), 0)) fail_check(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
