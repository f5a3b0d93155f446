#include "archive/archive_batch.h"

#include <stdlib.h>

struct archive_batch *archive_batch_create(void)
{
    return mem_zalloc(sizeof(struct archive_batch));
}

void archive_batch_destroy(struct archive_batch *b)
{
    if (!b)
        return;
    arena_fini(&b->bytes);
    free(b->rows);
    free(b);
}

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.n};

    if (s.n == 0)
        return STR_NONE;
    memcpy(*at, s.s, s.n);
    *at += s.n;
    return kept;
}

void archive_batch_add(struct archive_batch *b, const struct archive_row *row)
{
    size_t bytes = row->log.n + row->person.n + row->ref.n + row->frame.n;
    struct archive_row *r = arena_take(&b->bytes, sizeof *r + bytes);
    char *at = (char *)(r + 1);

    *r = *row;
    r->log = keep(&at, row->log);
    r->person = keep(&at, row->person);
    r->ref = keep(&at, row->ref);
    r->frame = keep(&at, row->frame);
    if (b->n == b->cap)
        b->rows = mem_realloc(b->rows, (b->cap = b->cap ? b->cap * 2 : 64) * sizeof *b->rows);
    b->rows[b->n++] = r;
}

size_t archive_batch_rows(const struct archive_batch *b)
{
    return b->n;
}

void archive_batch_set_seen(struct archive_batch *b, const char *epoch, int64_t n)
{
    size_t len = strnlen(epoch, sizeof b->epoch - 1);

    memcpy(b->epoch, epoch, len);
    b->epoch[len] = '\0';
    b->seen = n;
}

void archive_batch_set_calm(struct archive_batch *b)
{
    b->is_calm = true;
}

void archive_batch_set_cursor(struct archive_batch *b, const char *epoch, int64_t n)
{
    archive_batch_set_seen(b, epoch, n > b->seen ? n : b->seen);
    b->counter = n;
    b->has_cursor = true;
}
