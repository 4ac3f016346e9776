// Seeds of random tests; see seed.h. The line is flushed: a test that crashes has told its seed.
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

uint64_t
seed_fixed(uint64_t otherwise)
{
    const char *given = getenv("VENDUE_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : otherwise;
    printf("VENDUE_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

uint64_t
seed_fresh(void)
{
    return seed_fixed((uint64_t)clock_wall().us);
}
