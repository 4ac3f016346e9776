// Little-endian bytes. The format does not depend on the machine; a reader is safe on any bytes.
#include "codec.h"

void
codec_open(struct codec_writer *writer, struct arena *arena, size_t room)
{
    *writer = (struct codec_writer){.arena = arena, .room = room};
    writer->bytes = arena_take(arena, room, 1);
}

void
codec_grow(struct codec_writer *writer, size_t more)
{
    size_t room = 2 * writer->room + more;
    uint8_t *bytes = arena_take(writer->arena, room, 1);
    memcpy(bytes, writer->bytes, writer->len);
    writer->bytes = bytes;
    writer->room = room;
}

void
codec_put_bytes(struct codec_writer *writer, const void *bytes, size_t len)
{
    if (writer->room - writer->len < len) codec_grow(writer, len);
    memcpy(writer->bytes + writer->len, bytes, len);
    writer->len += len;
}

void
codec_put_text(struct codec_writer *writer, const char *text)
{
    size_t len = strlen(text);
    CHECK(len <= UINT16_MAX);
    codec_put(writer, len, 2);
    codec_put_bytes(writer, text, len);
}

void
codec_get_bytes(struct codec_reader *reader, void *out, size_t len)
{
    if ((size_t)(reader->end - reader->at) < len) {
        reader->damaged = true;
        reader->at = reader->end;
        memset(out, 0, len);
        return;
    }
    memcpy(out, reader->at, len);
    reader->at += len;
}

const char *
codec_get_text(struct codec_reader *reader, struct arena *arena, size_t most)
{
    size_t len = codec_get_u16(reader);
    if (reader->damaged || len > most || len > (size_t)(reader->end - reader->at) ||
        memchr(reader->at, '\0', len) != NULL) {
        reader->damaged = true;
        return "";
    }
    const char *text = arena_text(arena, (const char *)reader->at, len);
    reader->at += len;
    return text;
}
