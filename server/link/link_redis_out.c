#include "link/link_redis_out.h"

#include <errno.h>
#include <sys/socket.h>

#define OUT_MAX  ((size_t)256 << 20)
#define OUT_KEEP ((size_t)1 << 20) /* more memory than this isn't kept while idle */

void redis_out_init(struct redis_out *o)
{
    buf_init(&o->bytes, OUT_MAX);
    o->sent = 0;
}

void redis_out_fini(struct redis_out *o)
{
    buf_fini(&o->bytes);
    o->sent = 0;
}

#define HEADER_MAX 24

/* "*3\r\n"; gives where it ends. There is room for HEADER_MAX. */
static char *put_header(char *to, char mark, size_t n)
{
    char tmp[HEADER_MAX], *e = tmp + sizeof tmp, *p = e;

    *--p = '\n';
    *--p = '\r';
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    *--p = mark;
    memcpy(to, p, (size_t)(e - p));
    return to + (e - p);
}

bool redis_out_add(struct redis_out *o, int argc, const char **argv, const size_t *argv_n)
{
    struct buf *b = &o->bytes;
    size_t need = HEADER_MAX;
    char *to;

    for (int i = 0; i < argc; i++)
        need += (argv_n ? argv_n[i] : strlen(argv[i])) + HEADER_MAX + 2;
    if (need > OUT_MAX || b->n > OUT_MAX - need || !buf_reserve(b, need))
        return false;
    to = put_header(b->p + b->n, '*', (size_t)argc);
    for (int i = 0; i < argc; i++) {
        size_t n = argv_n ? argv_n[i] : strlen(argv[i]);

        to = put_header(to, '$', n);
        memcpy(to, argv[i], n);
        memcpy(to + n, "\r\n", 2);
        to += n + 2;
    }
    *to = 0;
    b->n = (size_t)(to - b->p);
    return true;
}

/* Moves the rest to the front, so that a slow reader doesn't make sent bytes pile up. */
static void compact(struct redis_out *o)
{
    if (o->sent < OUT_KEEP)
        return;
    o->bytes.n -= o->sent;
    memmove(o->bytes.p, o->bytes.p + o->sent, o->bytes.n + 1);
    o->sent = 0;
}

int redis_out_send(struct redis_out *o, int fd)
{
    while (o->sent < o->bytes.n) {
        ssize_t n = send(fd, o->bytes.p + o->sent, o->bytes.n - o->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            o->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            compact(o);
            return EAGAIN;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    o->sent = 0;
    if (o->bytes.cap > OUT_KEEP)
        buf_fini(&o->bytes);
    else
        buf_reset(&o->bytes);
    return 0;
}
