// Reads the examples of a document: fenced blocks, line by line.
#include "rule_document.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

const struct rule_document_attribute rule_document_attributes[RULE_DOCUMENT_ATTRIBUTES] = {
    {"has_app", ATTRIBUTE_BOOLEAN, ATTRIBUTE_OF_CUSTOMER, 0, 0},
    {"age", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_CUSTOMER, 0, 120},
    {"balance", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_CUSTOMER, INT64_MIN, INT64_MAX},
    {"months_as_customer", ATTRIBUTE_INTEGER, ATTRIBUTE_OF_CUSTOMER, 0, 1200},
    {"region", ATTRIBUTE_TEXT, ATTRIBUTE_OF_CUSTOMER, 0, 0},
    {"products", ATTRIBUTE_LIST, ATTRIBUTE_OF_CUSTOMER, 0, 0},
};

static void
read_block(const struct rule_document *reader, bool sql, const char *block)
{
    char rule[2048] = "";
    for (const char *line = block; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        bool continues = strncmp(line, "AND ", 4) == 0 || strncmp(line, "OR ", 3) == 0;
        if (rule[0] != '\0' && !continues) {
            if (sql && reader->rule != NULL) reader->rule(reader->context, rule);
            if (!sql) break;
            rule[0] = '\0';
        }
        CHECK(strlen(rule) + len + 2 < sizeof rule);
        if (rule[0] != '\0') strcat(rule, "\n");
        strncat(rule, line, len);
        line += len + (line[len] == '\n');
    }
    if (sql && reader->rule != NULL) reader->rule(reader->context, rule);
    if (!sql && reader->refused != NULL) reader->refused(reader->context, rule, block);
}

void
rule_document_read(const char *path, const struct rule_document *reader)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    char line[512], block[4096] = "";
    enum { OUTSIDE, SQL, TEXT } state = OUTSIDE;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "```", 3) != 0) {
            CHECK(strlen(block) + strlen(line) < sizeof block);
            if (state != OUTSIDE) strcat(block, line);
        } else if (state == OUTSIDE) {
            state = strcmp(line, "```sql\n") == 0 ? SQL : TEXT;
            block[0] = '\0';
        } else {
            read_block(reader, state == SQL, block);
            state = OUTSIDE;
        }
    }
    CHECK(state == OUTSIDE);
    fclose(file);
}
