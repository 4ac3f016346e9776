// Playing files through the TLS API.
//
//  1 Lines take effect in the file's order. As long as lines are of one party they are pipelined
//    (requests of one connection take effect in the order sent); before another party speaks, all
//    answers are awaited. So the same files give the same market, run after run.
//  2 Placements are remembered from the answers under "contact id, line feed, tagid"; an event
//    finds its placement there. None there (the slot stayed empty), or the event is a seat's and
//    another seat won: it is skipped.
//  3 `busy` and `journal_full` pass: such lines are sent again after a pause, in order, up to
//    RETRIES times.
#include "play.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "process.h"
#include "speak.h"

#define WINDOW 32  // below any sensible in-flight limit
#define RETRIES 100
#define RETRY_MS 100
#define ANSWER_MS 30000
#define ADMIT_MS 10000    // until a fresh certificate is live
#define REFUSALS_TOLD 10  // of one kind

struct party {
    enum role role;
    char code[BOUND_CODE + 1];
    struct client *client;
};
struct flight {
    uint32_t id;
    const json_t *line;
};
struct play {
    const struct settings *settings;
    struct db *db;
    struct party *parties;
    size_t party_count;
    json_t *placements;   // "contact\ntagid" -> the answer's placement
    json_t *touchpoints;  // contact id -> touchpoint
    struct id *contacts;
    size_t contact_count, contact_room;
    struct play_counts counts[PLAY_KIND_COUNT];
    // Of the lines being played.
    enum play_kind kind;
    struct party *speaking;
    struct flight flights[WINDOW];
    uint32_t flight_count;
    json_t *again;  // lines to be sent once more
    struct play_fault *fault;
};

static const char *const nouns[] = {"bids", "contacts", "events"};
static const char *const methods[] = {"bid.put", "contact", "event"};

struct play *
play_open(const struct settings *settings, struct db *db)
{
    struct play *play = calloc(1, sizeof *play);
    CHECK(play);
    play->settings = settings;
    play->db = db;
    play->placements = json_object();
    play->touchpoints = json_object();
    return play;
}

void
play_close(struct play *play)
{
    if (!play) return;
    for (size_t i = 0; i < play->party_count; i++) client_close(play->parties[i].client);
    free(play->parties);
    free(play->contacts);
    json_decref(play->placements);
    json_decref(play->touchpoints);
    free(play);
}

const struct play_counts *
play_counts(const struct play *play, enum play_kind kind)
{
    return &play->counts[kind];
}

size_t
play_contacts(const struct play *play, const struct id **out_ids)
{
    *out_ids = play->contacts;
    return play->contact_count;
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static enum status
trouble(struct play *play, enum status status, const json_t *line, const char *what)
{
    snprintf(play->fault->text, sizeof play->fault->text, "%s, line %d: %.1200s", nouns[play->kind],
             (int)json_integer_value(json_object_get(line, "line")), what);
    return status;
}

// --- Parties -------------------------------------------------------------------------------

static enum status
connect_party(struct play *play, struct party *party, const json_t *line)
{
    struct digest unused;
    struct speak_fault fault;
    enum status status = STATUS_OK;
    if (!speak_known(play->settings, party->role, party->code))
        status = speak_issue(play->settings, play->db, party->role, party->code, &unused, &fault);
    if (status == STATUS_OK)
        status = speak_open(play->settings, party->role, party->code, ADMIT_MS, &party->client,
                            NULL, &fault);
    return status == STATUS_OK ? STATUS_OK : trouble(play, status, line, fault.text);
}

static enum status
find_party(struct play *play, enum role role, const char *code, const json_t *line,
           struct party **out_party)
{
    for (size_t i = 0; i < play->party_count; i++) {
        *out_party = &play->parties[i];
        if (play->parties[i].role == role && strcmp(play->parties[i].code, code) == 0)
            return STATUS_OK;
    }
    if (code[0] == '\0' || strlen(code) > BOUND_CODE)
        return trouble(play, STATUS_INPUT, line,
                       role == ROLE_SEAT ? "the line names no seat"
                                         : "the line names no touchpoint");
    struct party *speaking = play->speaking;
    size_t index = speaking ? (size_t)(speaking - play->parties) : 0;
    play->parties = reallocarray(play->parties, play->party_count + 1, sizeof *play->parties);
    CHECK(play->parties);
    if (speaking) play->speaking = &play->parties[index];
    struct party *party = &play->parties[play->party_count];
    memset(party, 0, sizeof *party);
    party->role = role;
    strcpy(party->code, code);
    play->party_count++;
    *out_party = party;
    enum status status = connect_party(play, party, line);
    if (status != STATUS_OK) play->party_count--;
    return status;
}

// Who speaks a line.
static enum status
party_of(struct play *play, const json_t *line, struct party **out_party)
{
    const char *seat = text_of(line, "seat"), *touchpoint = text_of(line, "touchpoint");
    switch (play->kind) {
    case PLAY_BIDS: return find_party(play, ROLE_SEAT, seat, line, out_party);
    case PLAY_CONTACTS: return find_party(play, ROLE_TOUCHPOINT, touchpoint, line, out_party);
    case PLAY_EVENTS:
        if (seat[0]) return find_party(play, ROLE_SEAT, seat, line, out_party);
        touchpoint = text_of(play->touchpoints, text_of(line, "contact"));
        return find_party(play, ROLE_TOUCHPOINT, touchpoint, line, out_party);
    case PLAY_KIND_COUNT: break;
    }
    return STATUS_INPUT;
}

// --- Answers -------------------------------------------------------------------------------

static void
keep_contact(struct play *play, const json_t *line, const json_t *answer)
{
    size_t index;
    json_t *placement;
    char key[BOUND_KEY + 2 * BOUND_CODE + 4];
    const char *id = text_of(line, "id"), *contact = text_of(answer, "contact");
    json_object_set(play->touchpoints, id, json_object_get(line, "touchpoint"));
    json_array_foreach(json_object_get(answer, "placements"), index, placement)
    {
        snprintf(key, sizeof key, "%.40s\n%.97s", id, text_of(placement, "tagid"));
        json_object_set(play->placements, key, placement);
    }
    if (play->contact_count == play->contact_room) {
        play->contact_room = play->contact_room ? play->contact_room * 2 : 256;
        play->contacts = reallocarray(play->contacts, play->contact_room, sizeof *play->contacts);
        CHECK(play->contacts);
    }
    if (id_parse(contact, strlen(contact), &play->contacts[play->contact_count]) == STATUS_OK)
        play->contact_count++;
}

static void
take_refusal(struct play *play, const json_t *line, const struct client_error *error)
{
    struct play_counts *counts = &play->counts[play->kind];
    if (strcmp(error->reason, reason_key(REASON_BUSY)) == 0 ||
        strcmp(error->reason, reason_key(REASON_JOURNAL_FULL)) == 0) {
        json_array_append(play->again, (json_t *)line);
        return;
    }
    counts->refused++;
    if (counts->refused <= REFUSALS_TOLD)
        fprintf(stderr, "slotctl play: %s, line %d: %s (%s)\n", nouns[play->kind],
                (int)json_integer_value(json_object_get(line, "line")), error->text, error->reason);
    if (counts->refused == REFUSALS_TOLD + 1)
        fprintf(stderr, "slotctl play: more refusals are only counted\n");
}

static enum status
receive_one(struct play *play)
{
    uint32_t id = 0;
    json_t *answer = NULL;
    struct client_error error;
    struct play_counts *counts = &play->counts[play->kind];
    enum status status = speak_receive(play->speaking->client, ANSWER_MS, &id, &answer, &error);
    if (status != STATUS_OK && status != STATUS_INPUT)
        return trouble(play, status, play->flights[0].line, error.text);
    uint32_t at = 0;
    while (at < play->flight_count && play->flights[at].id != id) at++;
    if (at == play->flight_count) {
        json_decref(answer);
        return trouble(play, STATUS_DAMAGED, play->flights[0].line,
                       "an answer to nothing that was asked");
    }
    const json_t *line = play->flights[at].line;
    play->flight_count--;
    memmove(&play->flights[at], &play->flights[at + 1],
            (play->flight_count - at) * sizeof *play->flights);
    if (status == STATUS_INPUT) {
        take_refusal(play, line, &error);
    } else {
        counts->taken++;
        if (json_is_true(json_object_get(answer, "repeated"))) counts->repeated++;
        if (play->kind == PLAY_CONTACTS) keep_contact(play, line, answer);
    }
    json_decref(answer);
    return STATUS_OK;
}

static enum status
drain(struct play *play)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && play->flight_count > 0) status = receive_one(play);
    return status;
}

// --- Lines ---------------------------------------------------------------------------------

// The request's parameters; NULL: an event of nothing that happened.
static json_t *
params_of(const struct play *play, const json_t *line)
{
    static const char *const ours[] = {"line", "note", "scenario", "seat", "touchpoint"};
    char key[BOUND_KEY + 2 * BOUND_CODE + 4];
    json_t *params = json_copy((json_t *)line);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) json_object_del(params, ours[i]);
    if (play->kind != PLAY_EVENTS) return params;
    snprintf(key, sizeof key, "%.40s\n%.97s", text_of(line, "contact"), text_of(line, "tagid"));
    json_t *placement = json_object_get(play->placements, key);
    const char *seat = text_of(line, "seat");
    if (!placement || (seat[0] && strcmp(seat, text_of(placement, "seat")) != 0)) {
        json_decref(params);
        return NULL;
    }
    json_object_set(params, "placement", json_object_get(placement, "placement"));
    json_object_del(params, "contact");
    json_object_del(params, "tagid");
    return params;
}

static enum status
send_line(struct play *play, const json_t *line, json_t *params)
{
    uint32_t id = 0;
    struct party *party;
    struct client_error error;
    enum status status = party_of(play, line, &party);
    if (status == STATUS_OK && play->speaking && party != play->speaking) status = drain(play);
    if (status != STATUS_OK) return status;
    play->speaking = party;
    if (play->flight_count == WINDOW) status = receive_one(play);
    if (status != STATUS_OK) return status;
    status = speak_queue(party->client, methods[play->kind], params, &id, &error);
    if (status == STATUS_INPUT) {
        take_refusal(play, line, &error);
        return STATUS_OK;
    }
    if (status != STATUS_OK) return trouble(play, status, line, "the request cannot be sent");
    play->flights[play->flight_count++] = (struct flight){id, line};
    return STATUS_OK;
}

static void
show_progress(const struct play *play, size_t done, size_t all)
{
    if (!isatty(STDERR_FILENO) || (done % 64 != 0 && done != all)) return;
    fprintf(stderr, "\r%s %zu of %zu%s", nouns[play->kind], done, all,
            done == all ? "\r\033[K" : "");
}

static enum status
send_all(struct play *play, const json_t *lines, bool first)
{
    size_t index, all = json_array_size(lines);
    json_t *line;
    enum status status = STATUS_OK;
    json_array_foreach(lines, index, line)
    {
        json_t *params = params_of(play, line);
        if (params) {
            play->counts[play->kind].sent += first;
            status = send_line(play, line, params);
        } else {
            play->counts[play->kind].skipped++;
        }
        json_decref(params);
        if (status != STATUS_OK) return status;
        show_progress(play, index + 1, all);
    }
    return drain(play);
}

enum status
play_lines(struct play *play, enum play_kind kind, const json_t *lines,
           struct play_fault *out_fault)
{
    enum status status;
    play->kind = kind;
    play->speaking = NULL;
    play->flight_count = 0;
    play->fault = out_fault;
    play->again = json_array();
    status = send_all(play, lines, true);
    for (int tries = 0; status == STATUS_OK && json_array_size(play->again) > 0; tries++) {
        json_t *again = play->again;
        if (tries == RETRIES) {
            status = trouble(play, STATUS_AGAIN, json_array_get(again, 0),
                             "the market stays busy; try again later");
            break;
        }
        process_sleep_ms(RETRY_MS);
        play->again = json_array();
        status = send_all(play, again, false);
        json_decref(again);
    }
    json_decref(play->again);
    play->again = NULL;
    return status;
}
