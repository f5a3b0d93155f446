/*
 * buf: a growing byte buffer that is born with its maximum; str: borrowed bytes.
 *
 * Owns    its bytes; buf_fini() frees them, buf_take() hands them out.
 * Bounds  over `max` an append does nothing and sets `failed`: check once at the end (buf_ok), not at each append.
 * Thread  any, one at a time.   Errors  failed stays set until buf_reset(). Running out of memory aborts.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes, not terminated. {NULL, 0} is "absent". */
struct str {
    const char *s;
    size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf("%.*s", STR_FMT(x)). */
#define STR_FMT(x) (int)(x).n, (x).s

static inline struct str str_of(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}
static inline bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}
/* The next word of s, up to a space, cut off its front; empty at the end. */
static inline struct str str_next_word(struct str *s)
{
    const char *sp = s->n ? (const char *)memchr(s->s, ' ', s->n) : NULL;
    struct str w = {s->s, sp ? (size_t)(sp - s->s) : s->n};

    s->s += w.n + (sp ? 1 : 0);
    s->n -= w.n + (sp ? 1 : 0);
    return w;
}
/* Copies s to a room of size bytes, terminated; "" if it is too long for it. */
static inline void str_keep(struct str s, char *to, size_t size)
{
    size_t n = s.n < size ? s.n : 0;

    if (n)
        memcpy(to, s.s, n);
    to[n] = 0;
}

struct buf {
    char *p;     /* NULL until the first append; always NUL-terminated after one */
    size_t n;    /* bytes used, the NUL not counted */
    size_t cap;  /* bytes taken */
    size_t max;  /* bytes allowed */
    bool failed; /* an append would have gone over max */
    bool is_lent; /* p is the caller's room, not of the heap */
};

void buf_init(struct buf *b, size_t max);
/* As buf_init(), with room of n bytes (> 0) to begin with, which stays the caller's: only what is longer takes memory. */
void buf_lend(struct buf *b, size_t max, char *room, size_t n);
void buf_fini(struct buf *b);
/* Empties it, keeps the memory, clears failed. */
void buf_reset(struct buf *b);
static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}
/* Makes room for n more bytes; false (and failed) if over max. */
bool buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, char c);
void buf_add_s(struct buf *b, const char *s);
void buf_add_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The bytes (NUL-terminated, caller frees with free()), NULL if empty or failed; b is empty afterwards. */
char *buf_take(struct buf *b, size_t *n);
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}

/* Memory that must be there: abort with a line on stderr where malloc fails. Caller frees with free(). */
void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
/* *p (NULL, or of mem_…) becomes that string, in the same place where it fits. s must not lie in *p. */
void mem_replace(char **p, const char *s, size_t n);
/* Memory that must be there isn't: a line on stderr, and abort. */
_Noreturn void mem_out(void);
/* malloc(), calloc(), realloc() for a library that may end the process where they say no: a line on stderr says why. NULL: no. */
void *mem_ask(size_t n);
void *mem_ask_zeroed(size_t n, size_t size);
void *mem_ask_again(void *p, size_t n);
/* What the piece takes of the heap, the allocator's own word before it included; 0 for NULL. */
size_t mem_bytes(const void *p);

#endif
