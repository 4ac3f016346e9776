// XML of banks: parsed without trust, and walked by local names, so that every version of a message
// (camt.053.001.02 to .13) is read alike.
#ifndef VENDUE_BANK_XML_H
#define VENDUE_BANK_XML_H

#include <libxml/tree.h>

#include "money.h"

#define BANK_XML_BYTES (64 << 20)
#define BANK_XML_FAULT 300

// STATUS_INPUT: `out_fault` says what is wrong. No network, no entities, no document types.
MUST_CHECK enum status bank_xml_parse(const char *bytes, size_t len, xmlDoc **out_document,
                                      char out_fault[BANK_XML_FAULT]);
// The first child of this name; NULL none, also when `node` is NULL.
xmlNode *bank_xml_child(const xmlNode *node, const char *name);
xmlNode *bank_xml_next(const xmlNode *node);  // the next sibling of the same name
// By a path of names, "Refs/EndToEndId".
xmlNode *bank_xml_at(const xmlNode *node, const char *path);
// Text without blanks around it, cut to `room`; "" when there is none.
const char *bank_xml_text(const xmlNode *node, char *out, size_t room);
// <Amt Ccy="EUR">12.00</Amt>. STATUS_INPUT: no amount, or no currency.
MUST_CHECK enum status
bank_xml_amount(const xmlNode *node, money *out_amount, struct currency *out_currency);

#endif
