// The examples of docs/auction.md are run, and must print what stands there.
//
// `yaml [NAME]`: a market. `console`: a `$ slotctl clear` line and what it prints.
// `auction [NAME]`: lines `bid MESSAGE PRICE ...`, `live SEAT:MESSAGE:SLOT:PRICE`,
// `contact CONTAINER ...`, `event CONTACT TAGID KIND` and `at TIME`, which become the JSON lines
// and options of slotctl dry-run on that market; under each contact stands its answer, as `tell`
// puts it. VENDUE_SHOW=1 prints every block as it comes out.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <unistd.h>

#include "clock.h"
#include "money.h"
#include "verb_run.h"

#define AT "2026-11-02"

struct page {
    char folder[64];
    unsigned blocks, contacts;
};

static void
write_file(const struct page *page, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", page->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// --- Examples to JSON lines ----------------------------------------------------------------------
static void
put_list(json_t *object, const char *name, const char *words)
{
    json_t *list = json_array();
    char text[256], *rest = text, *word;
    snprintf(text, sizeof text, "%s", words);
    while ((word = strsep(&rest, ",")) != NULL) json_array_append_new(list, json_string(word));
    json_object_set_new(object, name, list);
}

static int64_t
time_of(const char *text)
{
    usec at;
    assert_int_equal(clock_parse(text, strlen(text), &at), STATUS_OK);
    return at.us;
}

// bid MESSAGE PRICE [as REFERENCE] [for TAGID] [from TIME] [until TIME] [paused]
static json_t *
bid_line(char *words)
{
    char *message = strsep(&words, " "), *price = strsep(&words, " "), *word;
    money amount;
    size_t len = strcspn(price, "/%");  // 0.40, 4.00/response, 10%
    assert_int_equal(money_parse(price, len, &amount), STATUS_OK);
    bool share = price[len] == '%';
    json_t *bid = json_pack(
        "{s:s#, s:s, s:s, s:I, s:s}", "seat", message, (int)strcspn(message, "."), "id", message,
        "message", message, share ? "share_ppm" : "price_micros",
        (json_int_t)(share ? amount.micros / 100 : amount.micros), "cur", "EUR");
    if (price[len] != '\0')
        json_object_set_new(bid, "kind", json_string(share ? "share" : price + len + 1));
    while ((word = strsep(&words, " ")) != NULL) {
        if (strcmp(word, "paused") == 0) {
            json_object_set_new(bid, "paused", json_true());
            continue;
        }
        char *value = strsep(&words, " ");
        assert_non_null(value);
        if (strcmp(word, "as") == 0) json_object_set_new(bid, "id", json_string(value));
        else if (strcmp(word, "for") == 0) json_object_set_new(bid, "tagid", json_string(value));
        else if (strcmp(word, "from") == 0)
            json_object_set_new(bid, "from_us", json_integer(time_of(value)));
        else if (strcmp(word, "until") == 0)
            json_object_set_new(bid, "until_us", json_integer(time_of(value)));
        else fail_msg("a bid knows no '%s'", word);
    }
    return bid;
}

// contact CONTAINER [first_time|repeat] [distressed] [id=] [customer=] [consent=A,B] [slots=A,B]
// [ATTRIBUTE=VALUE]
static json_t *
contact_line(char *words, unsigned number)
{
    char *container = strsep(&words, " "), *word, *value, id[16];
    json_t *user = json_pack("{s:s}", "identity", "anonymous"), *attributes = json_object();
    snprintf(id, sizeof id, "contact-%u", number);
    json_t *contact = json_pack("{s:s, s:s, s:s, s:o, s:o}", "touchpoint", "desk", "id", id,
                                "container", container, "user", user, "attr", attributes);
    while ((word = strsep(&words, " ")) != NULL) {
        value = strchr(word, '=');
        if (value == NULL && strcmp(word, "experienced") == 0) {
            json_object_set_new(contact, word, json_true());
            continue;
        }
        if (value == NULL) {
            bool condition = strcmp(word, "distressed") == 0;
            json_object_set_new(user, condition ? "condition" : "identity", json_string(word));
            continue;
        }
        *value++ = '\0';
        if (strcmp(word, "id") == 0) json_object_set_new(contact, "id", json_string(value));
        else if (strcmp(word, "tier") == 0) json_object_set_new(user, "tier", json_string(value));
        else if (strcmp(word, "customer") == 0) json_object_set_new(user, "id", json_string(value));
        else if (strcmp(word, "consent") == 0) put_list(user, "consent", value);
        else if (strcmp(word, "slots") == 0) {
            json_t *imp = json_array(), *names = json_object();
            size_t i;
            json_t *name;
            put_list(names, "slots", value);
            json_array_foreach(json_object_get(names, "slots"), i, name) json_array_append_new(
                imp, json_pack("{s:o}", "tagid",
                               json_sprintf("%s.%s", container, json_string_value(name))));
            json_object_set_new(contact, "imp", imp);
            json_decref(names);
        } else if (*value >= '0' && *value <= '9') {
            json_object_set_new(attributes, word, json_integer(atoll(value)));
        } else {
            json_object_set_new(attributes, word, json_string(value));
        }
    }
    return contact;
}

// event CONTACT TAGID KIND
static json_t *
event_line(char *words)
{
    const char *contact = strsep(&words, " "), *tagid = strsep(&words, " ");
    assert_non_null(words);
    return json_pack("{s:s, s:s, s:s}", "contact", contact, "tagid", tagid, "event", words);
}

// --- Answers as text -----------------------------------------------------------------------------
static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void
tell_sale(FILE *out, const json_t *sale)
{
    const json_t *set = json_object_get(sale, "set");
    const char *by = text_of(set, "by");
    fprintf(out, "  %s: %s won at %s, ", text_of(sale, "tagid"), text_of(sale, "bid"),
            text_of(sale, "price"));
    if (strcmp(by, "bid") == 0) fprintf(out, "set by %s\n", text_of(set, "bid"));
    else if (strcmp(by, "own_price") == 0) fprintf(out, "its own bid\n");
    else if (strcmp(by, "deal") == 0) fprintf(out, "fixed by its deal\n");
    else if (strcmp(by, "several_bids") == 0) fprintf(out, "set by several bids\n");
    else fprintf(out, "its floor\n");
}

static void
tell_bid(FILE *out, const json_t *bid)
{
    const char *reason = text_of(bid, "reason");
    fprintf(out, "  %s: %s %s", text_of(bid, "tagid"), text_of(bid, "bid"), reason);
    if (strcmp(reason, "below_floor") == 0 || strcmp(reason, "below_deal_floor") == 0)
        fprintf(out, " %s", text_of(bid, "floor"));
    if (json_object_get(bid, "short_by") != NULL)
        fprintf(out, ", %s short", text_of(bid, "short_by"));
    if (json_object_get(bid, "failed") != NULL)
        fprintf(out, ": \"%s\" of the %s", text_of(bid, "failed"), text_of(bid, "rule_of"));
    fputc('\n', out);
}

static const json_t *
of_slot(const json_t *list, const char *tagid)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, i,
                       item) if (strcmp(text_of(item, "tagid"), tagid) == 0) return item;
    return NULL;
}

static void
tell_slot(FILE *out, const json_t *answer, const char *tagid)
{
    size_t i;
    const json_t *bid, *sale = of_slot(json_object_get(answer, "placements"), tagid);
    const json_t *empty = of_slot(json_object_get(answer, "unfilled"), tagid);
    bool told = false;
    json_array_foreach(json_object_get(answer, "bids"), i, bid)
    {
        if (strcmp(text_of(bid, "tagid"), tagid) != 0) continue;
        bool won = strcmp(text_of(bid, "reason"), "won") == 0;
        if (won) tell_sale(out, sale);
        else tell_bid(out, bid);
        told |= won;
    }
    if (sale != NULL && !told) tell_sale(out, sale);
    if (empty == NULL) return;
    fprintf(out, "  %s: empty, %s", tagid, text_of(empty, "reason"));
    if (json_object_get(empty, "main_reason") != NULL)
        fprintf(out, " (%s)", text_of(empty, "main_reason"));
    fputc('\n', out);
}

// Slots in the order of the container.
static void
tell(FILE *out, const json_t *answer)
{
    static const struct {
        const char *container, *slots[3];
    } containers[] = {{"bill", {"bill.footer"}},
                      {"mail", {"mail.top", "mail.bottom"}},
                      {"call", {"call.answer", "call.offer"}},
                      {"apart", {"apart.one", "apart.two"}},
                      {"few", {"few.one", "few.two"}},
                      {"quota", {"quota.one", "quota.two"}},
                      {"page", {"page.one", "page.two"}},
                      {"box", {"box.x", "box.y"}}};
    for (unsigned c = 0; c < sizeof containers / sizeof *containers; c++) {
        if (strcmp(containers[c].container, text_of(answer, "container")) != 0) continue;
        for (unsigned s = 0; containers[c].slots[s] != NULL; s++)
            tell_slot(out, answer, containers[c].slots[s]);
    }
    if (json_is_true(json_object_get(answer, "repeated"))) fprintf(out, "  answered before\n");
}

// What the errors say of that line of the contacts: "PATH:2: conflict: ...".
static void
tell_refusal(FILE *out, const char *errors, unsigned line)
{
    char place[32], reason[32];
    snprintf(place, sizeof place, "contacts.jsonl:%u: ", line);
    const char *said = strstr(errors, place);
    if (said == NULL) fail_msg("contact %u has neither answer nor error: %s", line, errors);
    said += strlen(place);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(said, ":"), said);
    fprintf(out, "  refused: %s\n", reason);
}

// --- Blocks --------------------------------------------------------------------------------------
static struct verb_run
run_quietly(const struct verb *verb, const char *line, char **out_errors)
{
    size_t len;
    FILE *kept = stderr;
    stderr = open_memstream(out_errors, &len);
    struct verb_run done = verb_run(verb, false, line);
    fclose(stderr);
    stderr = kept;
    return done;
}

// An `auction` block: what is asked, run, and told again with the answers that came.
static char *
run_auction(struct page *page, const char *market, const char *block)
{
    char *bids, *contacts, *again, *errors, command[512], line[256], *copy = strdup(block);
    char live[256] = "";
    char *rest = copy, *words;
    size_t bids_len, contacts_len, again_len;
    unsigned asked = 0;
    FILE *bids_out = open_memstream(&bids, &bids_len);
    FILE *contacts_out = open_memstream(&contacts, &contacts_len);
    while ((words = strsep(&rest, "\n")) != NULL) {
        bool bid = strncmp(words, "bid ", 4) == 0, contact = strncmp(words, "contact ", 8) == 0;
        if (strncmp(words, "live ", 5) == 0) snprintf(live, sizeof live, "--live %s", words + 5);
        bool event = strncmp(words, "event ", 6) == 0, at = strncmp(words, "at ", 3) == 0;
        if (!bid && !contact && !event && !at) continue;
        json_t *said = bid     ? bid_line(words + 4)
                       : event ? event_line(words + 6)
                       : at    ? json_pack("{s:s}", "at", words + 3)
                               : contact_line(words + 8, ++asked);
        json_dumpf(said, bid ? bids_out : contacts_out, JSON_COMPACT);
        fputc('\n', bid ? bids_out : contacts_out);
        json_decref(said);
    }
    fclose(bids_out);
    fclose(contacts_out);
    write_file(page, "bids.jsonl", bids);
    write_file(page, "contacts.jsonl", contacts);
    snprintf(command, sizeof command,
             "--market %s/%s.yaml --bids %s/bids.jsonl --contacts %s/contacts.jsonl --at " AT " %s",
             page->folder, market, page->folder, page->folder, live);
    struct verb_run done = run_quietly(&verb_dry_run, command, &errors);
    const char *answers = done.out;
    if (*answers == '\0' && asked > 0) fail_msg("no answers:\n%s%s", errors, block);

    FILE *again_out = open_memstream(&again, &again_len);
    unsigned contact = 0;
    for (const char *at = block; *at != '\0'; at = strchr(at, '\n') + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (*line == ' ') continue;
        fprintf(again_out, "%s\n", line);
        if (strncmp(line, "contact ", 8) != 0) continue;
        char place[32];
        snprintf(place, sizeof place, "contacts.jsonl:%u: ", ++contact);
        if (strstr(errors, place) != NULL) {
            tell_refusal(again_out, errors, contact);
            continue;
        }
        json_t *answer = json_loads(answers, JSON_DISABLE_EOF_CHECK, NULL);
        assert_non_null(answer);
        tell(again_out, answer);
        json_decref(answer);
        answers = strchr(answers, '\n') + 1;
    }
    fclose(again_out);
    page->contacts += contact;
    free(bids);
    free(contacts);
    free(errors);
    free(done.out);
    free(copy);
    return again;
}

// A `console` block: one command, and what it prints.
static char *
run_console(const char *block)
{
    static const char prompt[] = "$ slotctl clear ";
    char *errors, *again, line[256];
    size_t len;
    assert_memory_equal(block, prompt, sizeof prompt - 1);
    snprintf(line, sizeof line, "%.*s", (int)(strcspn(block, "\n") - sizeof prompt + 1),
             block + sizeof prompt - 1);
    struct verb_run done = run_quietly(&verb_clear, line, &errors);
    FILE *out = open_memstream(&again, &len);
    fprintf(out, "%s%s\n%s", prompt, line, done.out);
    fclose(out);
    free(errors);
    free(done.out);
    return again;
}

static void
run_block(struct page *page, const char *info, const char *block, unsigned line)
{
    char kind[32], market[64], *name, *again = NULL;
    snprintf(kind, sizeof kind, "%s", info);
    name = strchr(kind, ' ');
    if (name != NULL) *name++ = '\0';
    snprintf(market, sizeof market, "%s", name == NULL ? "market" : name);
    if (strcmp(kind, "yaml") == 0) {
        strcat(market, ".yaml");
        write_file(page, market, block);
        return;
    }
    if (strcmp(kind, "auction") == 0) again = run_auction(page, market, block);
    else if (strcmp(kind, "console") == 0) again = run_console(block);
    else fail_msg("docs/auction.md:%u: a block of kind '%s' is not run", line, kind);
    if (getenv("VENDUE_SHOW") != NULL) printf("```%s\n%s```\n", info, again);
    else if (strcmp(again, block) != 0)
        fail_msg("docs/auction.md:%u says\n%sand this is\n%s", line, block, again);
    page->blocks++;
    free(again);
}

static char *
read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(size + 1, 1);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    return text;
}

// The market first, wherever it stands: the first example comes before it.
static void
run_blocks(struct page *page, const char *text, bool markets)
{
    unsigned line = 1;
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1, line++) {
        if (strncmp(at, "```", 3) != 0) continue;
        char kind[32];
        snprintf(kind, sizeof kind, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
        const char *first = strchr(at, '\n') + 1, *end = strstr(first, "\n```\n");
        assert_non_null(end);
        char *block = strndup(first, (size_t)(end + 1 - first));
        if (markets == (strncmp(kind, "yaml", 4) == 0)) run_block(page, kind, block, line + 1);
        for (; at != end + 1; at = strchr(at, '\n') + 1) line++;
        free(block);
    }
}

static void
the_document_is_true(void **state)
{
    (void)state;
    char command[128], *text = read_all(SOURCE_DIR "/docs/auction.md");
    struct page page = {"/tmp/vendue-auction-XXXXXX", 0, 0};
    assert_non_null(mkdtemp(page.folder));
    run_blocks(&page, text, true);
    run_blocks(&page, text, false);
    snprintf(command, sizeof command, "rm -rf %s", page.folder);
    assert_int_equal(system(command), 0);
    printf("%u examples, %u contacts\n", page.blocks, page.contacts);
    assert_true(page.blocks >= 45);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_document_is_true)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
