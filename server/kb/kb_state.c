#include "kb/kb_state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base_crypto.h"
#include "kb/kb.h"

#define MAGIC      0x314C4B4Cu /* "LKL1" */
#define FILE_BYTES ((size_t)256 * 1024) /* go to the disk at once */

/* Tells what was cut short or overwritten; no seal. Eight bytes a turn: the file is tens of megabytes. */
static void sum(struct kb_io *io, const void *p, size_t n)
{
    const unsigned char *b = p;
    uint64_t h = io->sum ^ n;

    for (; n > 0; n -= n < 8 ? n : 8, b += 8) {
        uint64_t k = 0;

        memcpy(&k, b, n < 8 ? n : 8);
        h = (h ^ k) * 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    io->sum = h;
}

void kb_io_put(struct kb_io *io, const void *p, size_t n)
{
    if (io->failed || n == 0)
        return;
    sum(io, p, n);
    io->failed = fwrite(p, 1, n, io->file) != n;
}

bool kb_io_get(struct kb_io *io, void *p, size_t n)
{
    if (io->failed || n == 0)
        return !io->failed;
    io->failed = fread(p, 1, n, io->file) != n;
    if (!io->failed)
        sum(io, p, n);
    return !io->failed;
}

static int fail(struct err *err, const char *path)
{
    return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* What the file begins with. */
struct start {
    uint32_t magic, format;
    struct kb_state_head head;
};

static int finish(struct kb_io *io, const char *aside, const char *path, struct err *err)
{
    uint64_t all = io->sum;
    bool good;

    kb_io_put(io, &all, sizeof all);
    good = !io->failed && fflush(io->file) == 0 && fsync(fileno(io->file)) == 0;
    if (fclose(io->file) != 0 || !good || rename(aside, path) < 0) {
        fail(err, aside);
        unlink(aside);
        return ERR_IO;
    }
    return 0;
}

int kb_state_write(const char *path, const struct kb_state_head *head, void (*body)(void *ctx, struct kb_io *io), void *ctx,
                   struct err *err)
{
    struct start start = {.magic = MAGIC, .format = KB_STATE_FORMAT, .head = *head};
    struct kb_io io = {.file = NULL};
    char aside[4096];

    if ((size_t)snprintf(aside, sizeof aside, "%s.new", path) >= sizeof aside)
        return err_set(err, ERR_INVALID, "%s: path too long", path);
    io.file = fopen(aside, "we");
    if (!io.file)
        return fail(err, aside);
    setvbuf(io.file, NULL, _IOFBF, FILE_BYTES);
    kb_io_put(&io, &start, sizeof start);
    body(ctx, &io);
    return finish(&io, aside, path, err);
}

int kb_state_open(const char *path, struct kb_io *io, struct kb_state_head *head, struct err *err)
{
    struct start start;

    *io = (struct kb_io){.file = fopen(path, "re")};
    if (!io->file)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    setvbuf(io->file, NULL, _IOFBF, FILE_BYTES);
    if (!kb_io_get(io, &start, sizeof start) || start.magic != MAGIC || start.format != KB_STATE_FORMAT) {
        kb_state_close(io);
        return err_set(err, ERR_NOT_FOUND, "%s: of another version", path);
    }
    *head = start.head;
    return 0;
}

bool kb_state_close(struct kb_io *io)
{
    uint64_t all = io->sum, said = 0;
    bool good = io->file && kb_io_get(io, &said, sizeof said) && said == all;

    if (io->file)
        fclose(io->file);
    io->file = NULL;
    return good;
}

uint64_t kb_state_chain(uint64_t chain, const struct kb_mark *mark)
{
    struct {
        uint64_t chain;
        int64_t at_ms, verdict;
    } rest = {chain, mark->at_ms, mark->verdict};
    struct str parts[] = {{(const char *)&rest, sizeof rest}, mark->article, mark->question, mark->who};

    return crypto_short_digest_parts(parts, sizeof parts / sizeof parts[0]);
}
