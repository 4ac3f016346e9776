// XML of banks, read with libxml2.
//
//  1 Bytes come from outside: nothing is loaded from elsewhere, a document type is refused before
//    any entity could be declared, and libxml2's own bounds on depth and sizes stay on.
//  2 Namespaces name a version; elements are found by local name, in whichever version.
#include "bank_xml.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

enum status
bank_xml_parse(const char *bytes, size_t len, xmlDoc **out_document, char out_fault[BANK_XML_FAULT])
{
    out_fault[0] = '\0';
    *out_document = NULL;
    if (len > BANK_XML_BYTES) {
        snprintf(out_fault, BANK_XML_FAULT, "the file is larger than %d MiB", BANK_XML_BYTES >> 20);
        return STATUS_INPUT;
    }
    xmlParserCtxt *parser = xmlNewParserCtxt();
    CHECK(parser);
    xmlDoc *document = xmlCtxtReadMemory(parser, bytes, (int)len, "bank.xml", NULL,
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document == NULL) {
        const xmlError *error = xmlCtxtGetLastError(parser);
        snprintf(out_fault, BANK_XML_FAULT, "line %d: this is no XML: %.200s",
                 error ? error->line : 1, error && error->message ? error->message : "empty");
        out_fault[strcspn(out_fault, "\n")] = '\0';
    } else if (document->intSubset || document->extSubset || !xmlDocGetRootElement(document)) {
        snprintf(out_fault, BANK_XML_FAULT,
                 "the file declares a document type; banks' messages have none");
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    *out_document = document;
    return document ? STATUS_OK : STATUS_INPUT;
}

static bool
named(const xmlNode *node, const char *name, size_t len)
{
    return node->type == XML_ELEMENT_NODE && strncmp((const char *)node->name, name, len) == 0 &&
           node->name[len] == '\0';
}

static xmlNode *
find(xmlNode *from, const char *name, size_t len)
{
    for (; from; from = from->next) {
        if (named(from, name, len)) return from;
    }
    return NULL;
}

xmlNode *
bank_xml_child(const xmlNode *node, const char *name)
{
    return node ? find(node->children, name, strlen(name)) : NULL;
}

xmlNode *
bank_xml_next(const xmlNode *node)
{
    return find(node->next, (const char *)node->name, strlen((const char *)node->name));
}

xmlNode *
bank_xml_at(const xmlNode *node, const char *path)
{
    xmlNode *at = NULL;
    while (node) {
        size_t len = strcspn(path, "/");
        at = find(node->children, path, len);
        if (path[len] == '\0') return at;
        path += len + 1;
        node = at;
    }
    return NULL;
}

const char *
bank_xml_text(const xmlNode *node, char *out, size_t room)
{
    out[0] = '\0';
    xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
    if (text == NULL) return out;
    const char *from = (const char *)text;
    from += strspn(from, " \t\r\n");
    size_t len = strlen(from);
    while (len > 0 && strchr(" \t\r\n", from[len - 1])) len--;
    if (len >= room) len = room - 1;
    while (len > 0 && len == room - 1 && ((unsigned char)from[len] & 0xc0) == 0x80) len--;
    memcpy(out, from, len);
    out[len] = '\0';
    for (char *c = out; *c; c++) {
        if ((unsigned char)*c < 0x20) *c = ' ';
    }
    xmlFree(text);
    return out;
}

enum status
bank_xml_amount(const xmlNode *node, money *out_amount, struct currency *out_currency)
{
    char text[40];
    if (node == NULL) return STATUS_INPUT;
    xmlChar *code = xmlGetNoNsProp(node, (const xmlChar *)"Ccy");
    enum status status = STATUS_INPUT;
    if (code) status = currency_parse((const char *)code, strlen((const char *)code), out_currency);
    xmlFree(code);
    if (status != STATUS_OK) return STATUS_INPUT;
    bank_xml_text(node, text, sizeof text);
    status = money_parse(text, strlen(text), out_amount);
    return status == STATUS_OK && out_amount->micros >= 0 ? STATUS_OK : STATUS_INPUT;
}
