#include "kb/kb_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_embed.h"
#include "base/base_map.h"
#include "kb/kb.h"
#include "kb/kb_features.h"
#include "protocol/protocol.h"

#define PATH_BYTES 4096

void kb_files_fini(struct kb_files *f)
{
    for (unsigned i = 0; i < f->n; i++)
        kb_article_unref(f->articles[i]);
    free(f->articles);
    free(f->synonyms);
    *f = (struct kb_files){0};
}

/* Calls fn for each file below dir's folders (and dir itself) whose name ends in .md or is synonyms.txt. */
static int walk(const char *dir, unsigned depth, int (*fn)(void *ctx, const char *path, struct err *err), void *ctx,
                struct err *err)
{
    struct dirent **names;
    int n = scandir(dir, &names, NULL, alphasort), rc = 0;

    if (n < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name, *dot = strrchr(name, '.');
        char path[PATH_BYTES];
        struct stat st;

        if (rc < 0 || name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path ||
            stat(path, &st) < 0) {
            free(names[i]);
            continue;
        }
        if (S_ISDIR(st.st_mode) && depth == 0)
            rc = walk(path, 1, fn, ctx, err);
        else if (S_ISREG(st.st_mode) && ((depth == 1 && dot && strcmp(dot, ".md") == 0) ||
                                         (depth == 0 && strcmp(name, "synonyms.txt") == 0)))
            rc = fn(ctx, path, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

static int add_to_stamp(void *ctx, const char *path, struct err *err)
{
    uint64_t *stamp = ctx;
    struct stat st;
    int64_t parts[4];

    (void)err;
    if (stat(path, &st) < 0)
        return 0; /* gone just now: the next look sees it */
    parts[0] = st.st_size, parts[1] = st.st_mtim.tv_sec, parts[2] = st.st_mtim.tv_nsec, parts[3] = (int64_t)st.st_ino;
    *stamp = (*stamp ^ kb_hash(1, path, strlen(path))) * 0x9E3779B97F4A7C15ull;
    *stamp = (*stamp ^ kb_hash(2, parts, sizeof parts)) * 0x9E3779B97F4A7C15ull;
    return 0;
}

int kb_files_stamp(const char *dir, uint64_t *out, struct err *err)
{
    uint64_t stamp = 1;
    int rc = walk(dir, 0, add_to_stamp, &stamp, err);

    if (rc == 0)
        *out = stamp;
    return rc;
}

/* The whole file, or NULL; caller frees. */
static char *slurp(const char *path, size_t max, size_t *n, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *text = NULL;
    ssize_t got = -1;

    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    } else if (st.st_size > (off_t)max) {
        err_set(err, ERR_TOO_LARGE, "%s: over %zu KiB: split it", path, max / 1024);
    } else {
        text = mem_alloc((size_t)st.st_size + 1);
        got = read(fd, text, (size_t)st.st_size);
        if (got < 0)
            err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    if (got < 0) {
        free(text);
        return NULL;
    }
    text[got] = 0;
    *n = (size_t)got;
    return text;
}

struct reading {
    struct kb_files *out;
    struct map seen; /* "id lang" → path of the first */
    void (*problem)(void *ctx, const char *what);
    void *ctx;
};

/* True if the file lies in the folder of that name. */
static bool is_in(const char *path, const char *folder)
{
    const char *end = strrchr(path, '/');
    size_t n = strlen(folder);

    return end && (size_t)(end - path) > n && end[-(ptrdiff_t)n - 1] == '/' && memcmp(end - n, folder, n) == 0;
}

static int add_article(struct reading *r, struct str text, const char *path, struct err *err)
{
    struct kb_files *f = r->out;
    struct kb_article *a;
    char key[96];
    const char *other;
    int rc = kb_article_read(text, path, &a, err);

    if (rc < 0)
        return rc;
    snprintf(key, sizeof key, "%s %s", a->id, a->lang);
    other = map_get(&r->seen, str_of(key));
    if (other)
        rc = err_set(err, ERR_EXISTS, "%s: id %s in %s is taken by %s: give one of them another id", path, a->id, a->lang,
                     other);
    else if (r->problem && !is_in(path, a->lang)) /* it is read wherever it lies: who checks is told */
        rc = err_set(err, ERR_INVALID, "%s: lang is %s, which is not the name of its folder: move it, or write the other", path, a->lang);
    else if (f->n == KB_ARTICLES_MAX)
        rc = err_set(err, ERR_FULL, "%s: more than %d articles: remove some", path, KB_ARTICLES_MAX);
    if (rc < 0) {
        kb_article_unref(a);
        return rc;
    }
    map_put(&r->seen, str_of(key), mem_strdup(path));
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->articles = mem_realloc(f->articles, f->cap * sizeof *f->articles);
    }
    f->articles[f->n++] = a;
    return 0;
}

static bool is_synonyms(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash ? slash + 1 : path, "synonyms.txt") == 0;
}

/* Other bytes would go out as they are, and a browser ends the connection that they come on. */
static int check_utf8(struct str text, const char *path, struct err *err)
{
    unsigned line = 1;

    if (utf8_is_valid(text))
        return 0;
    for (const char *nl; (nl = memchr(text.s, '\n', text.n)) && utf8_is_valid((struct str){text.s, (size_t)(nl - text.s)}); line++)
        text.n -= (size_t)(nl + 1 - text.s), text.s = nl + 1;
    return err_set(err, ERR_INVALID, "%s:%u: not UTF-8: save the file as text in that encoding", path, line);
}

static int read_text(struct reading *r, struct str text, const char *path, struct err *err)
{
    struct err why = {0};
    int rc = check_utf8(text, path, &why);

    if (rc == 0 && is_synonyms(path)) {
        free(r->out->synonyms);
        r->out->synonyms = mem_strndup(text.s, text.n);
        return 0;
    }
    if (rc == 0)
        rc = add_article(r, text, path, &why);
    if (rc < 0 && r->problem) {
        r->problem(r->ctx, err_why(&why));
        return 0;
    }
    return rc < 0 ? err_set(err, rc, "%s", err_why(&why)) : 0;
}

static int read_file(void *ctx, const char *path, struct err *err)
{
    struct reading *r = ctx;
    struct err why = {0};
    size_t n;
    char *text = slurp(path, KB_FILE_BYTES, &n, &why);
    int rc;

    if (!text && r->problem) {
        r->problem(r->ctx, err_why(&why));
        return 0;
    }
    if (!text)
        return err_set(err, why.code, "%s", err_why(&why));
    rc = read_text(r, (struct str){text, n}, path, err);
    free(text);
    return rc;
}

static int finish(struct reading *r, int rc)
{
    map_fini_free(&r->seen);
    if (rc < 0)
        kb_files_fini(r->out);
    return rc;
}

int kb_files_read_dir(const char *dir, void (*problem)(void *ctx, const char *what), void *ctx, struct kb_files *out,
                      struct err *err)
{
    struct reading r = {.out = out, .problem = problem, .ctx = ctx};
    int rc;

    *out = (struct kb_files){0};
    map_init(&r.seen);
    rc = kb_files_stamp(dir, &out->stamp, err); /* before reading: what changes meanwhile is seen next time */
    if (rc == 0)
        rc = walk(dir, 0, read_file, &r, err);
    return finish(&r, rc);
}

int kb_files_read_embedded(struct kb_files *out, struct err *err)
{
    struct reading r = {.out = out};
    const struct embed *e;
    size_t i = 0;
    int rc = 0;

    *out = (struct kb_files){0};
    map_init(&r.seen);
    while (rc == 0 && (e = embed_next("kb/", &i)) != NULL)
        rc = read_text(&r, e->data, e->name, err);
    return finish(&r, rc);
}
