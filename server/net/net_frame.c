#include "net/net_frame.h"

#include "base/base_pool.h"

#include <assert.h>
#include <stdlib.h>

#define MESSAGE_BYTES 1000 /* of a message in pieces, at first */

/* Most frames end with the turn that made them: answers, and messages of an ordinary length. */
static struct pool small = {.size = 128, .max = 128}, middle = {.size = 512, .max = 128};

static struct pool *pool_of(size_t bytes)
{
    return bytes <= small.size ? &small : bytes <= middle.size ? &middle : NULL;
}

struct frame *frame_make(unsigned opcode, const void *payload, size_t n)
{
    unsigned head_n = n < 126 ? 2 : n < 65536 ? 4 : 10;
    struct pool *pool = pool_of(sizeof(struct frame) + head_n + n);
    struct frame *f = pool ? pool_take(pool) : mem_alloc(sizeof *f + head_n + n);

    assert(n < UINT32_MAX - 16);
    f->refs = 1;
    f->head_n = head_n;
    f->n = (uint32_t)(head_n + n);
    f->bytes[0] = (uint8_t)(0x80 | opcode);
    if (head_n == 2) {
        f->bytes[1] = (uint8_t)n;
    } else {
        unsigned bytes = head_n - 2;

        f->bytes[1] = bytes == 2 ? 126 : 127;
        for (unsigned i = 0; i < bytes; i++)
            f->bytes[2 + i] = (uint8_t)((uint64_t)n >> (8 * (bytes - 1 - i)));
    }
    if (n)
        memcpy(f->bytes + head_n, payload, n);
    return f;
}

struct frame *frame_create(struct str payload)
{
    return frame_make(FRAME_TEXT, payload.s, payload.n);
}

struct frame *frame_make_close(int code, const char *reason)
{
    unsigned char body[125];
    size_t n = reason ? strlen(reason) : 0;

    if (n > sizeof body - 2)
        n = sizeof body - 2;
    body[0] = (unsigned char)(code >> 8);
    body[1] = (unsigned char)code;
    if (n)
        memcpy(body + 2, reason, n);
    return frame_make(FRAME_CLOSE, body, n + 2);
}

struct frame *frame_ref(struct frame *f)
{
    f->refs++;
    return f;
}

void frame_unref(struct frame *f)
{
    struct pool *pool;

    if (!f || --f->refs > 0)
        return;
    pool = pool_of(sizeof *f + f->n);
    if (pool)
        pool_give(pool, f);
    else
        free(f);
}

/* Bytes of the sequence that begins with c, 0 if none does; lo and hi: what its second byte may be. */
static unsigned sequence_n(unsigned char c, unsigned char *lo, unsigned char *hi)
{
    *lo = 0x80, *hi = 0xbf;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0)
            *lo = 0xa0;
        if (c == 0xed)
            *hi = 0x9f;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (c == 0xf0)
            *lo = 0x90;
        if (c == 0xf4)
            *hi = 0x8f;
        return 4;
    }
    return 0;
}

bool frame_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.s, *end = p + s.n;

    while (p < end) {
        unsigned char lo, hi;
        unsigned n;
        uint64_t eight;

        while (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0))
            p += 8;
        if (p == end)
            break;
        if (*p < 0x80) {
            p++;
            continue;
        }
        n = sequence_n(*p, &lo, &hi);
        if (n == 0 || (size_t)(end - p) < n || p[1] < lo || p[1] > hi)
            return false;
        for (unsigned i = 2; i < n; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += n;
    }
    return true;
}

void message_fini(struct message *m)
{
    free(m->pieces);
    m->pieces = NULL;
}

/* Makes place for n bytes more. */
static struct message_pieces *fit(struct message *m, size_t n)
{
    size_t had = m->pieces ? m->pieces->n : 0, cap = m->pieces ? m->pieces->cap : MESSAGE_BYTES;
    bool is_new;

    while (cap < had + n)
        cap *= 2;
    if (m->pieces && m->pieces->cap == cap)
        return m->pieces;
    is_new = !m->pieces;
    m->pieces = mem_realloc(m->pieces, sizeof *m->pieces + cap);
    if (is_new)
        *m->pieces = (struct message_pieces){.n = 0};
    m->pieces->cap = (uint32_t)cap;
    return m->pieces;
}

int message_add(struct message *m, struct str piece, bool fragment_ends, size_t max)
{
    struct message_pieces *k;
    int code = 0;

    if (piece.n > max || message_str(m).n > max - piece.n) {
        code = CLOSE_TOO_BIG;
    } else {
        k = fit(m, piece.n);
        if (piece.n)
            memcpy(k->p + k->n, piece.s, piece.n);
        k->n += (uint32_t)piece.n;
        if (fragment_ends && ++k->fragments > FRAME_PIECES_MAX)
            code = CLOSE_POLICY;
    }
    if (code)
        message_fini(m);
    return code;
}
