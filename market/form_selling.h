// The rules of selling as JSON values (form.c). Private to market/.
#ifndef MARKET_FORM_SELLING_H
#define MARKET_FORM_SELLING_H

#include "form.h"

// Campaigns and floors; caps, deals and experiments: in the order of market_file.h.
void form_selling_before_messages(struct form_adding *list, const struct market *market,
                                  enum form_detail detail);
void form_selling_behind_messages(struct form_adding *list, const struct market *market,
                                  enum form_detail detail);

#endif
