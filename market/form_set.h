// Setting values of an object (form.c). Private to market/.
#ifndef MARKET_FORM_SET_H
#define MARKET_FORM_SET_H

#include "form.h"

void form_set(json_t *object, const char *key, json_t *value);  // takes the value over
void form_set_text(json_t *object, const char *key, const char *text);
void form_set_money(json_t *object, const char *key, money amount);
void form_set_time(json_t *object, const char *key, usec at, enum form_detail detail);  // 0: not
void form_set_seconds(json_t *object, const char *key, uint32_t seconds);
void form_set_percent(json_t *object, const char *key, uint32_t ppm);
void
form_set_words(json_t *object, const char *key, uint16_t mask, const char *(*name)(int), int count);
void form_set_rungs(json_t *object, const char *key, uint16_t mask);  // for people: [1-5, 8]
void form_set_texts(json_t *object, const char *key, const char *const *texts, uint32_t count);
void form_set_values(json_t *object, const struct market_value *values, uint32_t count);
// Under `budget`: an amount when it has a total alone, else a map.
void form_set_budget(json_t *object, const struct market_budget *budget);
// An object with its code, and its name unless it is the code again.
json_t *form_set_named(const char *code, const char *name, enum form_detail detail);

#endif
