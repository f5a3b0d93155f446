#include "base/base_buf.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static void *said(void *p)
{
    if (!p)
        fputs("firstline: out of memory\n", stderr);
    return p;
}

void mem_out(void)
{
    said(NULL);
    abort();
}

static void *there(void *p)
{
    if (!p)
        mem_out();
    return p;
}

void *mem_ask(size_t n)
{
    return said(malloc(n));
}

void *mem_ask_zeroed(size_t n, size_t size)
{
    return said(calloc(n, size));
}

void *mem_ask_again(void *p, size_t n)
{
    return said(realloc(p, n));
}

void *mem_realloc(void *p, size_t n)
{
    return there(realloc(p, n ? n : 1));
}

void *mem_alloc(size_t n)
{
    return there(malloc(n ? n : 1));
}

void *mem_zalloc(size_t n)
{
    return there(calloc(1, n ? n : 1));
}

char *mem_strndup(const char *s, size_t n)
{
    char *p = mem_alloc(n + 1);

    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

void mem_replace(char **p, const char *s, size_t n)
{
    *p = mem_realloc(*p, n + 1);
    memcpy(*p, s, n);
    (*p)[n] = 0;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

size_t mem_bytes(const void *p)
{
    return p ? malloc_usable_size((void *)p) + sizeof(size_t) : 0;
}

void buf_init(struct buf *b, size_t max)
{
    memset(b, 0, sizeof *b);
    b->max = max;
}

void buf_lend(struct buf *b, size_t max, char *room, size_t n)
{
    *b = (struct buf){.p = room, .cap = n, .max = max, .is_lent = true};
    room[0] = 0;
}

void buf_fini(struct buf *b)
{
    if (!b)
        return;
    if (!b->is_lent)
        free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
    b->failed = b->is_lent = false;
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = 0;
}

bool buf_reserve(struct buf *b, size_t n)
{
    size_t need, cap;

    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return false;
    }
    need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    if (b->is_lent) {
        b->p = memcpy(mem_alloc(cap), b->p, b->n + 1);
        b->is_lent = false;
    } else {
        b->p = mem_realloc(b->p, cap);
    }
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || ((b->failed || n >= b->cap - b->n) && !buf_reserve(b, n)))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.s, s.n);
}

void buf_add_c(struct buf *b, char c)
{
    if ((b->failed || b->cap - b->n < 2) && !buf_reserve(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = 0;
}

void buf_add_s(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_i64(struct buf *b, int64_t v)
{
    char tmp[24], *e = tmp + sizeof tmp, *p = e;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(e - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !buf_reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

char *buf_take(struct buf *b, size_t *n)
{
    char *p = b->failed || (b->is_lent && b->n == 0) ? NULL : b->p;

    if (p && b->is_lent)
        p = memcpy(mem_alloc(b->n + 1), p, b->n + 1);
    if (n)
        *n = p ? b->n : 0;
    if (!p)
        buf_fini(b);
    b->p = NULL;
    b->n = b->cap = 0;
    b->failed = b->is_lent = false;
    return p;
}
