// The Markov model: a chain over start, touches, conversion and null, and what is lost when a touch
// is taken out of it.
//
// A path of c conversions and n nulls adds c + n to each of its steps, c to the step from its last
// touch to conversion, n to that to null. Let Q be the probabilities of steps between touches, r of
// those to conversion, s of the start. Then with N = (I - Q)^-1
//   x = N r             probability of a conversion from each touch
//   p = s x             from the start
//   v_j = (s N)_j / N_jj  probability that touch j is ever reached
// Taking touch j out sends every step to it to null. What converts without j is p - v_j x_j: those
// that never reach it. So the removal effect of j is v_j x_j / p: one inverse gives them all,
// exactly. Source: Anderl, Becker, von Wangenheim, Schumann 2016 (the model); Kemeny & Snell 1960,
// ch. 3 (N, and v_j).
//
//  1 A step from a touch to itself changes neither x nor v (it is time spent, not a way taken): it
//    is not counted.
//  2 Every touch that was taken with some weight leads to conversion or null, so I - Q has an
//    inverse, and elimination needs no search for pivots: rows are diagonally dominant.
//  3 Pivots are summed up from what leaves the states not yet eliminated, not subtracted from 1
//    (Grassmann, Taksar, Heyman 1985): no figures are cancelled, however rare the ends are.
#include <stdlib.h>

#include "fail.h"
#include "path_inside.h"

#define STRIDE (PATH_MARKOV + 1)  // a row of steps: to each touch, and to conversion

struct path_chain {
    double *steps;  // [from][to]; pages are taken as they are touched
    double *start, *null;
};

struct path_chain *
path_chain_open(void)
{
    struct path_chain *chain = calloc(1, sizeof *chain);
    CHECK(chain);
    chain->steps = calloc((size_t)PATH_MARKOV * STRIDE, sizeof *chain->steps);
    chain->start = calloc(PATH_MARKOV, sizeof *chain->start);
    chain->null = calloc(PATH_MARKOV, sizeof *chain->null);
    CHECK(chain->steps && chain->start && chain->null);
    return chain;
}

void
path_chain_close(struct path_chain *chain)
{
    if (chain == NULL) return;
    free(chain->steps);
    free(chain->start);
    free(chain->null);
    free(chain);
}

void
path_chain_take(struct path_chain *chain, const struct path_row *row)
{
    double weight = row->conversions + row->nulls;
    chain->start[row->touches[0]] += weight;
    uint32_t from = row->touches[0];
    for (size_t i = 1; i < row->count; i++) {
        uint32_t to = row->touches[i];
        if (from != to) chain->steps[(size_t)from * STRIDE + to] += weight;  // rule 1
        from = to;
    }
    chain->steps[(size_t)from * STRIDE + PATH_MARKOV] += row->conversions;
    chain->null[from] += row->nulls;
}

struct solver {
    uint32_t n;
    double *a;        // [n][n + 1] probabilities: to each touch, and to conversion
    double *null;     // to null
    double *inverse;  // [n][n]
    double *leave;    // pivot of each
    double *reach;    // s N
};

static void
fill(struct solver *solver, const struct path_chain *chain, double *start)
{
    uint32_t n = solver->n;
    double starts = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double *row = &chain->steps[(size_t)i * STRIDE];
        double sum = chain->null[i] + row[PATH_MARKOV];
        for (uint32_t j = 0; j < n; j++) sum += row[j];
        starts += chain->start[i];
        double *to = &solver->a[(size_t)i * (n + 1)];
        if (!(sum > 0)) {  // stands in paths of no weight alone
            solver->null[i] = 1;
            continue;
        }
        for (uint32_t j = 0; j < n; j++) to[j] = row[j] / sum;
        to[n] = row[PATH_MARKOV] / sum;
        solver->null[i] = chain->null[i] / sum;
    }
    for (uint32_t i = 0; i < n; i++) start[i] = starts > 0 ? chain->start[i] / starts : 0;
}

// Eliminates states from the last to the first (rule 3), keeping what each step was multiplied
// with: afterwards a[i][j] with j < i are steps out of i at its own elimination, a[i][j] with j > i
// those from i into j when j was eliminated; a[i][i] is not read.
static void
eliminate(struct solver *solver)
{
    uint32_t n = solver->n;
    for (uint32_t k = n; k-- > 0;) {
        double *row = &solver->a[(size_t)k * (n + 1)];
        double leave = solver->null[k] + row[n];
        for (uint32_t j = 0; j < k; j++) leave += row[j];
        solver->leave[k] = leave;
        for (uint32_t i = 0; i < k; i++) {
            double *other = &solver->a[(size_t)i * (n + 1)];
            if (other[k] == 0) continue;
            double factor = other[k] / leave;
            for (uint32_t j = 0; j < k; j++) other[j] += factor * row[j];
            other[n] += factor * row[n];
            solver->null[i] += factor * solver->null[k];
        }
    }
}

// N from the elimination, row by row. With U the steps into later states, L those to earlier ones
// and D the pivots, I - Q = (I - U D^-1) D (I - D^-1 L); so N = (D - L)^-1 (I - U D^-1)^-1.
static void
invert(struct solver *solver)
{
    uint32_t n = solver->n;
    double *inverse = solver->inverse;
    // (I - U D^-1)^-1: upper triangle with ones; row i = e_i + sum over j > i of U_ij / D_j row j.
    for (uint32_t i = n; i-- > 0;) {
        double *row = &inverse[(size_t)i * n];
        row[i] = 1;
        for (uint32_t j = i + 1; j < n; j++) {
            double factor = solver->a[(size_t)i * (n + 1) + j] / solver->leave[j];
            if (factor == 0) continue;
            const double *other = &inverse[(size_t)j * n];
            for (uint32_t k = j; k < n; k++) row[k] += factor * other[k];
        }
    }
    // Then (D - L)^-1 of it: row i += sum over j < i of L_ij row j, all over D_i.
    for (uint32_t i = 0; i < n; i++) {
        double *row = &inverse[(size_t)i * n];
        for (uint32_t j = 0; j < i; j++) {
            double factor = solver->a[(size_t)i * (n + 1) + j];
            if (factor == 0) continue;
            const double *other = &inverse[(size_t)j * n];
            for (uint32_t k = 0; k < n; k++) row[k] += factor * other[k];
        }
        for (uint32_t k = 0; k < n; k++) row[k] /= solver->leave[i];
    }
}

// What was started is multiplied before elimination changes the steps to conversion.
static double
finish(struct solver *solver, const double *start, const double *converts, double *out_removal)
{
    uint32_t n = solver->n;
    double p = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double *row = &solver->inverse[(size_t)i * n];
        double x = 0;
        for (uint32_t j = 0; j < n; j++) {
            x += row[j] * converts[j];
            solver->reach[j] += start[i] * row[j];
        }
        out_removal[i] = x;
        p += start[i] * x;
    }
    for (uint32_t i = 0; i < n; i++) {
        double reached = solver->reach[i] / solver->inverse[(size_t)i * n + i];
        out_removal[i] = p > 0 ? reached * out_removal[i] / p : 0;
    }
    return p;
}

double
path_chain_solve(struct path_chain *chain, uint32_t count, double *out_removal)
{
    if (count == 0) return 0;
    size_t n = count;
    struct solver solver = {
        .n = count,
        .a = calloc(n * (n + 1), sizeof(double)),
        .null = calloc(n, sizeof(double)),
        .inverse = calloc(n * n, sizeof(double)),
        .leave = calloc(n, sizeof(double)),
        .reach = calloc(n, sizeof(double)),
    };
    double *start = calloc(n, sizeof *start), *converts = calloc(n, sizeof *converts);
    CHECK(solver.a && solver.null && solver.inverse && solver.leave && solver.reach && start &&
          converts);
    fill(&solver, chain, start);
    for (size_t i = 0; i < n; i++) converts[i] = solver.a[i * (n + 1) + n];
    eliminate(&solver);
    invert(&solver);
    double p = finish(&solver, start, converts, out_removal);
    free(solver.a);
    free(solver.null);
    free(solver.inverse);
    free(solver.leave);
    free(solver.reach);
    free(start);
    free(converts);
    return p;
}
