// A statement as PDF (libharu), on A4: who to whom, one table a section, accounts, what finance
// did, digest and root; page numbers on every page.
//
//  1 The same statement gives the same bytes: no date of now, no compression, a fixed producer, the
//    fonts that every reader of PDF has.
//  2 Those fonts know the letters of Western Europe (WinAnsi). Other Latin letters are shown by the
//    letter they are made of, anything else as a question mark; text, CSV, JSON and XML have every
//    name exactly.
//  3 A table's column of text that does not fit breaks within the cell; no name is cut off. A row
//    never breaks over two pages; a table that goes on repeats its headings.
#include <hpdf.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "statement_inside.h"

#define MARGIN 48.0f
#define TOP 794.0f  // of A4's 842 points
#define BOTTOM 56.0f
#define WIDTH 499.0f  // of its 595
#define SIZE 8.0f     // of text
#define LEADING 10.5f
#define GAP 6.0f  // between columns
#define COLUMNS 10
#define SHORT 80.0f  // a text that is not wider never breaks
#define PIECES 12    // most lines of a cell
#define WORDS 512    // bytes of a text in WinAnsi

struct paper {
    const struct statement *statement;
    struct arena *arena;
    HPDF_Doc document;
    HPDF_Font plain, bold;
    HPDF_Page page;
    HPDF_Page *pages;
    size_t page_count, page_room;
    float y;
};

// --- Letters -------------------------------------------------------------------------------------

// U+0100 to U+017F by the letter each is made of.
static const char latin[] =
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSs"
    "SsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

// Code points that WinAnsi holds between 0x80 and 0x9f.
static const struct {
    uint32_t point;
    unsigned char code;
} special[] = {
    {0x20ac, 0x80}, {0x201a, 0x82}, {0x0192, 0x83}, {0x201e, 0x84}, {0x2026, 0x85}, {0x2020, 0x86},
    {0x2021, 0x87}, {0x02c6, 0x88}, {0x2030, 0x89}, {0x0160, 0x8a}, {0x2039, 0x8b}, {0x0152, 0x8c},
    {0x017d, 0x8e}, {0x2018, 0x91}, {0x2019, 0x92}, {0x201c, 0x93}, {0x201d, 0x94}, {0x2022, 0x95},
    {0x2013, 0x96}, {0x2014, 0x97}, {0x02dc, 0x98}, {0x2122, 0x99}, {0x0161, 0x9a}, {0x203a, 0x9b},
    {0x0153, 0x9c}, {0x017e, 0x9e}, {0x0178, 0x9f},
};

static char
win_ansi(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return ' ';
    if (point < 0x100) return (char)point;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (special[i].point == point) return (char)special[i].code;
    if (point < 0x100 + sizeof latin - 1) return latin[point - 0x100];
    return '?';
}

// One code point of UTF-8; a byte that does not belong there counts as a question mark.
static uint32_t
next_point(const unsigned char **at)
{
    const unsigned char *in = *at;
    unsigned more = in[0] < 0x80    ? 0
                    : in[0] >= 0xf0 ? 3
                    : in[0] >= 0xe0 ? 2
                    : in[0] >= 0xc0 ? 1
                                    : 4;
    uint32_t point = more == 0   ? in[0]
                     : more == 3 ? in[0] & 7u
                     : more == 2 ? in[0] & 15u
                                 : in[0] & 31u;
    *at = in + 1;
    if (more == 4) return '?';
    for (unsigned i = 0; i < more; i++) {
        if ((**at & 0xc0) != 0x80) return '?';
        point = point << 6 | (**at & 0x3fu);
        (*at)++;
    }
    return point;
}

static void
to_win_ansi(const char *text, char out[WORDS])
{
    const unsigned char *at = (const unsigned char *)text;
    size_t used = 0;
    while (*at != '\0' && used + 1 < WORDS) {
        uint32_t point = next_point(&at);
        if (point >= 0x300 && point < 0x370) continue;  // accents set apart from their letter
        out[used++] = win_ansi(point);
    }
    out[used] = '\0';
}

// --- Paper ---------------------------------------------------------------------------------------

static float
width_of(HPDF_Font font, const char *text, size_t len)
{
    HPDF_TextWidth width = HPDF_Font_TextWidth(font, (const HPDF_BYTE *)text, (HPDF_UINT)len);
    return (float)width.width * SIZE / 1000.0f;
}

static void
put_at(struct paper *paper, HPDF_Font font, float size, float x, const char *text)
{
    HPDF_Page_BeginText(paper->page);
    HPDF_Page_SetFontAndSize(paper->page, font, size);
    HPDF_Page_TextOut(paper->page, x, paper->y, text);
    HPDF_Page_EndText(paper->page);
}

static void
new_page(struct paper *paper)
{
    if (paper->page_count == paper->page_room) {
        size_t room = paper->page_room == 0 ? 16 : 2 * paper->page_room;
        HPDF_Page *pages = arena_take(paper->arena, room, sizeof *pages);
        for (size_t i = 0; i < paper->page_count; i++) pages[i] = paper->pages[i];
        paper->pages = pages;
        paper->page_room = room;
    }
    paper->page = HPDF_AddPage(paper->document);
    HPDF_Page_SetSize(paper->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    paper->pages[paper->page_count++] = paper->page;
    paper->y = TOP;
}

// Makes room for `height`; true: on a new page.
static bool
room_for(struct paper *paper, float height)
{
    if (paper->y - height >= BOTTOM) return false;
    new_page(paper);
    return true;
}

static void
down(struct paper *paper, float by)
{
    paper->y -= by;
}

// The pieces of a text that fit a width; breaks after a dot, underscore, blank or dash when there
// is one in the second half, else anywhere.
static size_t
break_text(HPDF_Font font, const char *text, float width, size_t ends[PIECES])
{
    size_t from = 0, len = strlen(text), count = 0;
    while (count < PIECES) {
        size_t to = len;
        while (to > from + 1 && width_of(font, text + from, to - from) > width) to--;
        size_t nice = to;
        while (to < len && nice > from + (to - from) / 2 && strchr("._ -", text[nice - 1]) == NULL)
            nice--;
        if (to < len && nice > from + (to - from) / 2) to = nice;
        ends[count++] = to;
        if (to >= len) break;
        from = to;
    }
    return count;
}

// A paragraph over the whole width.
static void
put_text(struct paper *paper, HPDF_Font font, const char *text)
{
    char words[WORDS], piece[WORDS];
    size_t ends[PIECES], from = 0;
    to_win_ansi(text, words);
    size_t count = break_text(font, words, WIDTH, ends);
    for (size_t i = 0; i < count; i++) {
        room_for(paper, LEADING);
        snprintf(piece, sizeof piece, "%.*s", (int)(ends[i] - from), words + from);
        put_at(paper, font, SIZE, MARGIN, piece);
        down(paper, LEADING);
        from = ends[i];
    }
}

static void
rule(struct paper *paper)
{
    HPDF_Page_SetLineWidth(paper->page, 0.4f);
    HPDF_Page_MoveTo(paper->page, MARGIN, paper->y + SIZE + 1);
    HPDF_Page_LineTo(paper->page, MARGIN + WIDTH, paper->y + SIZE + 1);
    HPDF_Page_Stroke(paper->page);
}

// --- Tables --------------------------------------------------------------------------------------

struct table {
    enum section_kind kind;
    size_t columns, rows;
    float widths[COLUMNS], lefts[COLUMNS];
    bool left[COLUMNS];
};

static void
cell_of(const struct paper *paper, const struct table *table, size_t row, size_t column,
        char out[WORDS])
{
    char cell[STATEMENT_CELL];
    statement_cell(paper->statement, table->kind, row, column, cell);
    to_win_ansi(cell, out);
}

// Numbers and short texts get what they need; what is left goes to the long texts, and when it is
// too little, in proportion to what they need. Numbers stand at the right edge.
static void
measure(const struct paper *paper, struct table *table)
{
    float longs = 0, others = 0, x = MARGIN;
    char cell[WORDS];
    for (size_t i = 0; i < table->columns; i++) {
        for (size_t row = 0; row < table->rows; row++) {
            cell_of(paper, table, row, i, cell);
            float width = width_of(paper->bold, cell, strlen(cell)) + GAP;
            if (width > table->widths[i]) table->widths[i] = width;
        }
        table->left[i] = statement_column_left(table->kind, i);
        *(table->left[i] && table->widths[i] > SHORT ? &longs : &others) += table->widths[i];
    }
    float room = WIDTH - others;
    for (size_t i = 0; i < table->columns; i++) {
        bool is_long = table->left[i] && table->widths[i] > SHORT;
        if (is_long && longs > room) table->widths[i] *= room / longs;
        table->lefts[i] = x;
        x += table->widths[i];
    }
    for (size_t i = 1; i < table->columns; i++)
        if (!table->left[i] && longs < room) table->lefts[i] += room - longs;
}

static void
put_row(struct paper *paper, const struct table *table, size_t row, HPDF_Font font, bool measured)
{
    char cell[WORDS], piece[WORDS];
    size_t ends[PIECES], most = 1;
    float top = paper->y;
    for (size_t i = 0; i < table->columns; i++) {
        cell_of(paper, table, row, i, cell);
        size_t count = break_text(font, cell, table->widths[i] - GAP + 0.5f, ends), from = 0;
        if (count > most) most = count;
        for (size_t k = 0; k < count && !measured; k++) {
            size_t len = ends[k] - from;
            snprintf(piece, sizeof piece, "%.*s", (int)len, cell + from);
            float x = table->lefts[i];
            if (!table->left[i]) x += table->widths[i] - GAP - width_of(font, piece, strlen(piece));
            put_at(paper, font, SIZE, x, piece);
            down(paper, LEADING);
            from = ends[k];
        }
        paper->y = top;
    }
    down(paper, LEADING * (float)most);
}

// How high a row will be.
static float
height_of(struct paper *paper, const struct table *table, size_t row, HPDF_Font font)
{
    float top = paper->y;
    put_row(paper, table, row, font, true);
    float height = top - paper->y;
    paper->y = top;
    return height;
}

static void
put_headings(struct paper *paper, const struct table *table)
{
    put_row(paper, table, 0, paper->bold, false);
    rule(paper);
}

static void
put_section(struct paper *paper, enum section_kind kind)
{
    const struct section *section = &paper->statement->sections[kind];
    struct table table = {
        .kind = kind, .columns = statement_columns(kind), .rows = section->count + 3};
    char cell[STATEMENT_CELL];
    measure(paper, &table);
    room_for(paper, 5 * LEADING);
    down(paper, LEADING);
    put_text(paper, paper->bold, statement_section_title(kind));
    put_headings(paper, &table);
    for (size_t row = 1; row < table.rows; row++) {
        bool total = row == table.rows - 1;
        HPDF_Font font = total ? paper->bold : paper->plain;
        if (row == section->count + 1 && section->carried_in.micros == 0) continue;
        if (room_for(paper, height_of(paper, &table, row, font))) put_headings(paper, &table);
        if (total) rule(paper);
        put_row(paper, &table, row, font, false);
    }
    if (section->carried_out.micros != 0)
        put_text(paper, paper->plain,
                 arena_printf(paper->arena,
                              "%s %s, less than a cent, is carried to the next statement",
                              statement_grouped(section->carried_out, 6, cell),
                              paper->statement->currency.code));
}

// --- Accounts and the rest -----------------------------------------------------------------------

static void
put_amount(struct paper *paper, HPDF_Font font, const char *word, money amount)
{
    char cell[STATEMENT_CELL];
    statement_grouped(amount, 6, cell);
    room_for(paper, LEADING);
    put_at(paper, font, SIZE, MARGIN + 12, word);
    put_at(paper, font, SIZE, MARGIN + 260 - width_of(font, cell, strlen(cell)), cell);
    down(paper, LEADING);
}

static void
put_passages(struct paper *paper)
{
    const struct statement *statement = paper->statement;
    if (statement->passage_count == 0) return;
    down(paper, LEADING);
    room_for(paper, 4 * LEADING);
    put_text(paper, paper->bold, "Accounts, exact");
    for (size_t i = 0; i < statement->passage_count; i++) {
        const struct passage *passage = &statement->passages[i];
        room_for(paper, LEADING * (float)(passage->count + 3));
        put_text(paper, paper->plain,
                 arena_printf(paper->arena, "%d %s, %s", (int)passage->code,
                              statement_account_title(passage->code), passage->currency.code));
        put_amount(paper, paper->plain, "opening", passage->opening);
        for (size_t k = 0; k < passage->count; k++)
            put_amount(paper, paper->plain, statement_movement_word(passage->movements[k].kind),
                       passage->movements[k].amount);
        put_amount(paper, paper->bold, "closing", passage->closing);
    }
}

static void
put_remarks(struct paper *paper)
{
    const struct statement *statement = paper->statement;
    char cell[STATEMENT_CELL], at[CLOCK_TEXT];
    if (statement->remark_count == 0) return;
    down(paper, LEADING);
    room_for(paper, 3 * LEADING);
    put_text(paper, paper->bold, "What finance did");
    for (size_t i = 0; i < statement->remark_count; i++) {
        const struct remark *remark = &statement->remarks[i];
        clock_format(remark->at, at);
        put_text(paper, paper->plain,
                 arena_printf(paper->arena, "%.10s  %s  %s %s  %s", at, remark->what,
                              statement_grouped(remark->amount, 6, cell), remark->currency.code,
                              remark->text));
    }
}

static void
put_party(struct paper *paper, const char *word, const char *name, const struct market_party *party)
{
    const char *legal = party->legal_name[0] != '\0' ? party->legal_name : name;
    const char *parts[] = {party->street, party->postal_code, party->city, party->country,
                           party->tax_id};
    char line[WORDS];
    size_t used = (size_t)snprintf(line, sizeof line, "%s %s", word, legal);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && used < sizeof line; i++) {
        if (parts[i][0] == '\0') continue;
        const char *between = i == 2 && party->postal_code[0] != '\0' ? " " : ", ";
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", between, parts[i]);
    }
    put_text(paper, paper->plain, line);
}

static void
put_head(struct paper *paper)
{
    const struct statement *statement = paper->statement;
    char title[PERIOD_TITLE], words[WORDS];
    period_title(&statement->period, title);
    to_win_ansi(arena_printf(paper->arena, "Statement, %s", title), words);
    put_at(paper, paper->bold, 16, MARGIN, words);
    down(paper, 2 * LEADING);
    put_text(paper, paper->bold,
             arena_printf(paper->arena, "%s (%s), %s", statement->name, statement->code,
                          statement->kind));
    put_text(paper, paper->plain,
             arena_printf(paper->arena, "%s, amounts in %s",
                          statement->closed ? "closed" : "draft: the period is open",
                          statement->currency.code));
    put_party(paper, "to", statement->name, statement->party);
    put_party(paper, "from", statement->host_name, statement->host);
    for (const char *at = statement->contracts; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        put_text(paper, paper->plain, arena_printf(paper->arena, "Contract %.*s", (int)len, at));
        at += len + (at[len] != '\0');
    }
}

// Page numbers, once it is known how many there are.
static void
put_feet(struct paper *paper)
{
    char words[WORDS];
    for (size_t i = 0; i < paper->page_count; i++) {
        paper->page = paper->pages[i];
        paper->y = 32;
        to_win_ansi(arena_printf(paper->arena, "%s, %s, page %zu of %zu", paper->statement->name,
                                 paper->statement->period.name, i + 1, paper->page_count),
                    words);
        put_at(paper, paper->plain, SIZE, MARGIN, words);
    }
}

static void
put_all(struct paper *paper)
{
    const struct statement *statement = paper->statement;
    new_page(paper);
    put_head(paper);
    for (int i = 0; i < SECTION_COUNT; i++)
        if (!statement_section_empty(&statement->sections[i]))
            put_section(paper, (enum section_kind)i);
    put_passages(paper);
    put_remarks(paper);
    down(paper, LEADING);
    if (statement->digest[0] != '\0')
        put_text(paper, paper->plain, arena_printf(paper->arena, "Digest %s", statement->digest));
    if (statement->root[0] != '\0')
        put_text(paper, paper->plain, arena_printf(paper->arena, "Root %s", statement->root));
    put_feet(paper);
}

static const char *
producer(struct arena *arena)
{
    return arena_printf(arena, "Vendue with libharu %s", HPDF_GetVersion());
}

const char *
statement_print_pdf(const struct statement *statement, struct arena *arena, size_t *out_len)
{
    struct paper paper = {.statement = statement, .arena = arena};
    paper.document = HPDF_New(NULL, NULL);
    CHECK(paper.document != NULL);
    paper.plain = HPDF_GetFont(paper.document, "Helvetica", "WinAnsiEncoding");
    paper.bold = HPDF_GetFont(paper.document, "Helvetica-Bold", "WinAnsiEncoding");
    HPDF_SetInfoAttr(paper.document, HPDF_INFO_PRODUCER, producer(arena));
    put_all(&paper);
    CHECK(HPDF_SaveToStream(paper.document) == HPDF_OK);
    HPDF_UINT32 size = HPDF_GetStreamSize(paper.document);
    HPDF_BYTE *bytes = arena_take(arena, (size_t)size + 1, 1);
    HPDF_ResetStream(paper.document);
    CHECK(HPDF_ReadFromStream(paper.document, bytes, &size) == HPDF_OK ||
          HPDF_GetError(paper.document) == HPDF_STREAM_EOF);
    HPDF_Free(paper.document);
    *out_len = size;
    return (const char *)bytes;
}

bool
statement_pdf_same_library(const void *bytes, size_t len)
{
    char words[64];
    int size = snprintf(words, sizeof words, "libharu %s", HPDF_GetVersion());
    return memmem(bytes, len, words, (size_t)size) != NULL;
}
