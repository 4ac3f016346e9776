// What the files of path tables share.
#ifndef VENDUE_PATH_INSIDE_H
#define VENDUE_PATH_INSIDE_H

#include "path.h"

struct arena;
struct path_chain;
struct path_sets;

struct path_model {
    struct path_options options;
    struct arena *arena;          // names
    const char **names;           // by number
    uint32_t *index;              // open addressing: number + 1; 0 free
    uint32_t index_room;          // a power of two
    uint32_t count;               // touches
    uint32_t room;                // of what is kept by touch
    double *conversions, *value;  // credit by touch; of Markov and counterfactual at the end
    uint64_t *seen;               // by touch: last row that counted it
    struct path_chain *chain;     // Markov
    struct path_sets *sets;       // counterfactual
    struct path_credit *credits;
    struct path_result result;
};

// Markov chain (path_markov.c).
struct path_chain *path_chain_open(void);
void path_chain_close(struct path_chain *chain);
void path_chain_take(struct path_chain *chain, const struct path_row *row);
// Writes removal effects of `count` touches; gives how probable a conversion is.
double path_chain_solve(struct path_chain *chain, uint32_t count, double *out_removal);

// Sets of touches (path_sets.c).
struct path_sets *path_sets_open(void);
void path_sets_close(struct path_sets *sets);
MUST_CHECK enum status path_sets_take(struct path_sets *sets, const struct path_row *row);
// Adds what each touch earns to both.
void path_sets_solve(struct path_sets *sets, double *conversions, double *value);

#endif
