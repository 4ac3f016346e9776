// Path tables: which sequences of touches were followed by conversions and which by nothing, and
// what each touch earns by a model of attribution. Paths are streamed: what is kept is what the
// model adds up, so memory is bounded by the touches (and, for one model, by their sets), not by
// the rows. The one place in the ledger that reckons in doubles: these are weights and shares, an
// amount is never divided by them; path_ppm turns them into integers. Formulas and sources:
// docs/attribution.md.
#ifndef VENDUE_PATH_H
#define VENDUE_PATH_H

#include "market_contract.h"

#define PATH_NAME 256        // bytes of a touch's name
#define PATH_TOUCHES 65536   // distinct touches
#define PATH_MARKOV 2000     // distinct touches of the Markov model: it inverts their matrix
#define PATH_LENGTH 65536    // touches of one path
#define PATH_SETS 4000000    // distinct sets of touches of the counterfactual model
#define PATH_LINE (1 << 20)  // bytes of a line of a table

struct path_options {
    uint8_t model;          // enum attribution
    double half_life;       // days; time decay
    double first, last;     // position: shares of 1; both together at most 1
    const char *only_case;  // takes rows of this case alone; NULL: all
};
// Last touch, 7 days, 40 % and 40 %, all rows.
struct path_options path_defaults(void);
// "time_decay", as market_attribution_name says it. STATUS_INPUT: no such model.
MUST_CHECK enum status path_model_parse(const char *text, size_t len, uint8_t *out_model);

struct path_model;
// What is wrong with a table, and what mends it. `line` 0: with no line in particular.
struct path_fault {
    uint64_t line;
    char text[480];
};

struct path_model *path_open(const struct path_options *options);
void path_close(struct path_model *model);  // NULL is allowed
// The touch's number, a new one when the name is. STATUS_FULL: too many touches.
MUST_CHECK enum status
path_touch(struct path_model *model, const char *name, size_t len, uint32_t *out_touch);
struct path_row {
    const uint32_t *touches;  // in the order of time
    const double *days;       // before the conversion, of each touch; time decay alone reads it
    size_t count;             // at least 1
    double conversions, nulls, value;  // at least 0
};
// STATUS_FULL: too many sets.
MUST_CHECK enum status path_take(struct path_model *model, const struct path_row *row);
// The same of a path that was counted; not for time decay.
MUST_CHECK enum status
path_take_counted(struct path_model *model, const uint32_t *touches, size_t count,
                  uint64_t conversions, uint64_t nulls, money value);
// Reads a whole table: CSV with a header; columns path, conversions, and if need be nulls, value
// and case, in any order; touches joined by " > ". STATUS_INPUT: `out_fault` says where and what;
// STATUS_FULL: too many touches or sets, and which; STATUS_IO: errno.
MUST_CHECK enum status
path_read(struct path_model *model, int descriptor, struct path_fault *out_fault);

struct path_credit {
    const char *touch;  // lives as long as the model
    uint32_t number;
    double conversions, value;
    double removal;  // Markov: part of the conversions lost without it
};
struct path_result {
    const struct path_credit *credits;  // by name, bytewise; one a touch
    size_t count;
    uint64_t rows;                     // taken
    double conversions, nulls, value;  // of the table
    double converts;                   // Markov: how probable a conversion is
};
// Ends the adding up; the result lives as long as the model.
const struct path_result *path_solve(struct path_model *model);
// Each touch's part of all credit, in millionths that add up to 1,000,000; by credits' order. No
// conversions: all 0, and false.
bool path_ppm(const struct path_result *result, uint32_t *out_ppm);

#endif
