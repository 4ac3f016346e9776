// Path tables: touches by name, and the models that credit a path by itself.
//
// Each row adds to the credit of its touches as it is taken, and is forgotten:
//   last, first   all to one touch
//   linear        evenly to every touch, as often as it stands in the path
//   time decay    2^-(days before / half-life) each, of their sum
//   position      first and last their shares, the rest evenly to those between; two half and
//                 half, one all
//   Shapley       evenly to the path's distinct touches
//
//  1 Shapley is exact for any number of touches. With v(S) = conversions of paths whose set of
//    touches lies within S, v is the sum over paths of c(path) times the game "all of its touches
//    are in S". The Shapley value is additive, and divides such a game evenly among the touches it
//    asks for, by symmetry (Shapley 1953; dividends: Harsanyi 1963). So no subset is enumerated and
//    none is sampled.
//  2 Credit of a path adds up to its conversions; so does that of a table.
//  3 Markov (path_markov.c) and counterfactual (path_sets.c) keep what they add up in their own
//    tables, and give credit at the end.
#include "path_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "hash.h"
#include "market.h"

enum status
path_model_parse(const char *text, size_t len, uint8_t *out_model)
{
    for (uint8_t i = 0; i < ATTRIBUTION_COUNT; i++) {
        const char *name = market_attribution_name(i);
        if (strlen(name) != len || memcmp(name, text, len) != 0) continue;
        *out_model = i;
        return STATUS_OK;
    }
    return STATUS_INPUT;
}

struct path_options
path_defaults(void)
{
    return (struct path_options){
        .model = ATTRIBUTION_LAST, .half_life = 7, .first = 0.4, .last = 0.4};
}

// --- Touches by name -----------------------------------------------------------------------------

static void
grow(struct path_model *model)
{
    uint32_t room = model->room == 0 ? 64 : 2 * model->room;
    model->names = realloc(model->names, room * sizeof *model->names);
    model->conversions = realloc(model->conversions, room * sizeof *model->conversions);
    model->value = realloc(model->value, room * sizeof *model->value);
    model->seen = realloc(model->seen, room * sizeof *model->seen);
    CHECK(model->names && model->conversions && model->value && model->seen);
    model->room = room;
    free(model->index);
    model->index_room = 2 * room;
    model->index = calloc(model->index_room, sizeof *model->index);
    CHECK(model->index);
    for (uint32_t i = 0; i < model->count; i++) {
        uint64_t at = hash_content(model->names[i], strlen(model->names[i]));
        while (model->index[at & (model->index_room - 1)] != 0) at++;
        model->index[at & (model->index_room - 1)] = i + 1;
    }
}

struct path_model *
path_open(const struct path_options *options)
{
    CHECK(options->model < ATTRIBUTION_COUNT && options->half_life > 0 && options->first >= 0 &&
          options->last >= 0 && options->first + options->last <= 1.0000001);
    struct path_model *model = calloc(1, sizeof *model);
    CHECK(model);
    model->options = *options;
    model->arena = arena_open("path table");
    if (options->model == ATTRIBUTION_MARKOV) model->chain = path_chain_open();
    if (options->model == ATTRIBUTION_COUNTERFACTUAL) model->sets = path_sets_open();
    grow(model);
    return model;
}

void
path_close(struct path_model *model)
{
    if (model == NULL) return;
    path_chain_close(model->chain);
    path_sets_close(model->sets);
    arena_close(model->arena);
    free(model->names);
    free(model->index);
    free(model->conversions);
    free(model->value);
    free(model->seen);
    free(model->credits);
    free(model);
}

enum status
path_touch(struct path_model *model, const char *name, size_t len, uint32_t *out_touch)
{
    CHECK(len > 0 && len <= PATH_NAME && memchr(name, '\0', len) == NULL);
    uint64_t at = hash_content(name, len);
    for (;; at++) {
        uint32_t found = model->index[at & (model->index_room - 1)];
        if (found == 0) break;
        const char *other = model->names[found - 1];
        if (strncmp(other, name, len) == 0 && other[len] == '\0') {
            *out_touch = found - 1;
            return STATUS_OK;
        }
    }
    if (model->count == (model->chain ? PATH_MARKOV : PATH_TOUCHES)) return STATUS_FULL;
    if (model->count == model->room) {
        grow(model);
        at = hash_content(name, len);
        while (model->index[at & (model->index_room - 1)] != 0) at++;
    }
    *out_touch = model->count++;
    model->names[*out_touch] = arena_text(model->arena, name, len);
    model->conversions[*out_touch] = model->value[*out_touch] = 0;
    model->seen[*out_touch] = 0;
    model->index[at & (model->index_room - 1)] = *out_touch + 1;
    return STATUS_OK;
}

// --- Models of one path --------------------------------------------------------------------------

static void
give(struct path_model *model, const struct path_row *row, size_t at, double share)
{
    model->conversions[row->touches[at]] += row->conversions * share;
    model->value[row->touches[at]] += row->value * share;
}

// Relative to the latest touch, so that old paths do not all become nothing.
static void
take_time_decay(struct path_model *model, const struct path_row *row)
{
    double latest = row->days[0], sum = 0;
    for (size_t i = 1; i < row->count; i++) latest = fmin(latest, row->days[i]);
    for (size_t i = 0; i < row->count; i++) {
        sum += exp2((latest - row->days[i]) / model->options.half_life);
    }
    for (size_t i = 0; i < row->count; i++) {
        give(model, row, i, exp2((latest - row->days[i]) / model->options.half_life) / sum);
    }
}

static void
take_position(struct path_model *model, const struct path_row *row)
{
    if (row->count <= 2) {
        for (size_t i = 0; i < row->count; i++) give(model, row, i, 1.0 / (double)row->count);
        return;
    }
    double between = fmax(0, 1 - model->options.first - model->options.last);
    give(model, row, 0, model->options.first);
    give(model, row, row->count - 1, model->options.last);
    for (size_t i = 1; i + 1 < row->count; i++) {
        give(model, row, i, between / (double)(row->count - 2));
    }
}

// Rule 1.
static void
take_shapley(struct path_model *model, const struct path_row *row)
{
    size_t distinct = 0;
    for (size_t i = 0; i < row->count; i++) {
        if (model->seen[row->touches[i]] == model->result.rows) continue;
        model->seen[row->touches[i]] = model->result.rows;
        distinct++;
    }
    for (size_t i = 0; i < row->count; i++) {
        if (model->seen[row->touches[i]] == 0) continue;
        model->seen[row->touches[i]] = 0;
        give(model, row, i, 1.0 / (double)distinct);
    }
}

enum status
path_take(struct path_model *model, const struct path_row *row)
{
    CHECK(row->count > 0 && row->count <= PATH_LENGTH);
    model->result.rows++;
    model->result.conversions += row->conversions;
    model->result.nulls += row->nulls;
    model->result.value += row->value;
    switch ((enum attribution)model->options.model) {
    case ATTRIBUTION_LAST: give(model, row, row->count - 1, 1); break;
    case ATTRIBUTION_FIRST: give(model, row, 0, 1); break;
    case ATTRIBUTION_LINEAR:
        for (size_t i = 0; i < row->count; i++) give(model, row, i, 1.0 / (double)row->count);
        break;
    case ATTRIBUTION_TIME_DECAY: take_time_decay(model, row); break;
    case ATTRIBUTION_POSITION: take_position(model, row); break;
    case ATTRIBUTION_SHAPLEY: take_shapley(model, row); break;
    case ATTRIBUTION_MARKOV: path_chain_take(model->chain, row); break;
    case ATTRIBUTION_COUNTERFACTUAL: return path_sets_take(model->sets, row);
    case ATTRIBUTION_COUNT: CHECK(false);
    }
    return STATUS_OK;
}

enum status
path_take_counted(struct path_model *model, const uint32_t *touches, size_t count,
                  uint64_t conversions, uint64_t nulls, money value)
{
    CHECK(model->options.model != ATTRIBUTION_TIME_DECAY);
    const struct path_row row = {.touches = touches,
                                 .count = count,
                                 .conversions = (double)conversions,
                                 .nulls = (double)nulls,
                                 .value = (double)value.micros / 1e6};
    return path_take(model, &row);
}

// --- Result --------------------------------------------------------------------------------------

static int
by_name(const void *left, const void *right)
{
    const struct path_credit *a = left, *b = right;
    return strcmp(a->touch, b->touch);
}

// All conversions, divided as removal effects are.
static void
solve_markov(struct path_model *model, double *removal)
{
    model->result.converts = path_chain_solve(model->chain, model->count, removal);
    double sum = 0;
    for (uint32_t i = 0; i < model->count; i++) sum += removal[i];
    for (uint32_t i = 0; i < model->count && sum > 0; i++) {
        model->conversions[i] = model->result.conversions * (removal[i] / sum);
        model->value[i] = model->result.value * (removal[i] / sum);
    }
}

const struct path_result *
path_solve(struct path_model *model)
{
    CHECK(model->credits == NULL);
    double *removal = calloc(model->count + 1, sizeof *removal);
    model->credits = calloc(model->count + 1, sizeof *model->credits);
    CHECK(removal && model->credits);
    if (model->chain) solve_markov(model, removal);
    if (model->sets) path_sets_solve(model->sets, model->conversions, model->value);
    for (uint32_t i = 0; i < model->count; i++) {
        model->credits[i] = (struct path_credit){.touch = model->names[i],
                                                 .number = i,
                                                 .conversions = model->conversions[i],
                                                 .value = model->value[i],
                                                 .removal = removal[i]};
    }
    free(removal);
    qsort(model->credits, model->count, sizeof *model->credits, by_name);
    model->result.credits = model->credits;
    model->result.count = model->count;
    return &model->result;
}

bool
path_ppm(const struct path_result *result, uint32_t *out_ppm)
{
    double sum = 0;
    for (size_t i = 0; i < result->count; i++) {
        sum += result->credits[i].conversions;
        out_ppm[i] = 0;
    }
    if (!(sum > 0)) return false;
    uint64_t *weights = calloc(result->count, sizeof *weights);
    money *parts = calloc(result->count, sizeof *parts);
    CHECK(weights && parts);
    for (size_t i = 0; i < result->count; i++) {
        weights[i] = (uint64_t)llrint(result->credits[i].conversions / sum * 0x1p40);
    }
    CHECK(money_split(money_of(MONEY_PPM), weights, result->count, parts) == STATUS_OK);
    for (size_t i = 0; i < result->count; i++) out_ppm[i] = (uint32_t)parts[i].micros;
    free(weights);
    free(parts);
    return true;
}
