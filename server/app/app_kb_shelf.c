/* Which articles stand: the files, and over them what the console saved. Built on a worker thread, swapped in on the loop. */
#include "app/app_kb.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_MS 1000
#define AGAIN_MS 3000 /* after a load that failed */
#define DAY_MS  86400000LL

struct load {
    uv_work_t work;
    struct app_kb *kb;
    bool always, is_unchanged;
    struct kb_shelf *shelf;
    struct kb_article **list;
    unsigned list_n;
    uint64_t number;
    int rc;
    struct err err;
};

static void digest_text(char out[KB_BASE_SIZE], struct str text)
{
    unsigned char h[CRYPTO_HASH_BYTES];

    crypto_digest(h, text.s ? text.s : "", text.n, NULL, 0);
    crypto_hex(out, h, 8);
}

static void write_day(struct buf *out, const char *key, int64_t at_ms)
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    buf_printf(out, "%s: %04d-%02d-%02d\n", key, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void kb_shelf_write_file(struct buf *out, const struct kb_article *a)
{
    buf_printf(out, "---\nid: %s\ntitle: ", a->id);
    buf_add_s(out, a->title);
    buf_printf(out, "\nlang: %s\ndepartment: %s\naudience: %s\n", a->lang, a->department, a->audience == KB_REP ? "rep" : "shopper");
    if (a->valid_from_ms)
        write_day(out, "valid_from", a->valid_from_ms);
    if (a->valid_until_ms != INT64_MAX)
        write_day(out, "valid_until", a->valid_until_ms - DAY_MS);
    buf_add_s(out, "keywords: [");
    for (unsigned i = 0; i < a->keywords_n; i++) {
        buf_add_s(out, i ? ", " : "");
        buf_add_s(out, a->keywords[i]);
    }
    buf_add_s(out, "]\nquestions:\n");
    for (unsigned i = 0; i < a->questions_n; i++) {
        buf_add_s(out, "  - ");
        buf_add_s(out, a->questions[i]);
        buf_add_c(out, '\n');
    }
    buf_add_s(out, "---\n");
    buf_add_s(out, a->body);
}

static void digest_article(char out[KB_BASE_SIZE], const struct kb_article *a)
{
    struct buf b;

    buf_init(&b, 2 * KB_FILE_BYTES);
    kb_shelf_write_file(&b, a);
    digest_text(out, buf_str(&b));
    buf_fini(&b);
}

void kb_shelf_destroy(struct kb_shelf *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++)
        kb_article_unref(s->books[i].article);
    free(s->books);
    free(s->synonyms);
    free(s);
}

static int compare(const struct kb_article *a, struct str id, struct str lang)
{
    size_t n = strlen(a->id) < id.n ? strlen(a->id) : id.n;
    int c = memcmp(a->id, id.s, n);

    if (c == 0)
        c = strlen(a->id) < id.n ? -1 : strlen(a->id) > id.n;
    if (c == 0) {
        n = strlen(a->lang) < lang.n ? strlen(a->lang) : lang.n;
        c = memcmp(a->lang, lang.s, n);
        if (c == 0)
            c = strlen(a->lang) < lang.n ? -1 : strlen(a->lang) > lang.n;
    }
    return c;
}

static int by_id(const void *a, const void *b)
{
    const struct kb_book *x = a, *y = b;

    return compare(x->article, str_of(y->article->id), str_of(y->article->lang));
}

const struct kb_book *kb_shelf_find(const struct kb_shelf *s, struct str id, struct str lang)
{
    unsigned lo = 0, hi = s ? s->n : 0;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        int c = compare(s->books[mid].article, id, lang);

        if (c == 0)
            return &s->books[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool kb_shelf_has(const struct kb_shelf *s, struct str id, enum kb_audience who)
{
    unsigned lo = 0, hi = s->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (compare(s->books[mid].article, id, STR("")) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < s->n && str_is(id, s->books[lo].article->id); lo++)
        if (who == KB_REP || s->books[lo].article->audience == KB_SHOPPER)
            return true;
    return false;
}

/* ---- building, on a worker */

struct building {
    struct load *l;
    unsigned files_n, cap; /* books that came from files: sorted */
    bool is_dir;
};

static struct kb_book *add_book(struct building *b)
{
    struct kb_shelf *s = b->l->shelf;

    if (s->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        s->books = mem_realloc(s->books, b->cap * sizeof *s->books);
    }
    memset(&s->books[s->n], 0, sizeof s->books[0]);
    return &s->books[s->n++];
}

static struct kb_book *file_book(struct building *b, struct str id, struct str lang)
{
    struct kb_shelf files = {.books = b->l->shelf->books, .n = b->files_n};

    return (struct kb_book *)(uintptr_t)kb_shelf_find(&files, id, lang);
}

static void take_synonyms(struct building *b, const struct archive_version *v)
{
    struct kb_shelf *s = b->l->shelf;

    s->synonyms_version = v->version;
    if (b->is_dir && !str_is(v->base, s->synonyms_base))
        return; /* the file was changed since */
    free(s->synonyms);
    s->synonyms = mem_strndup(v->text.s, v->text.n);
}

/* The console's version stands over the file it was made from, and over what is built in. */
static int take_version(void *ctx, const struct archive_version *v)
{
    struct building *b = ctx;
    struct kb_book *book;
    struct kb_article *a;
    struct err err = {0};
    char name[ID_MAX + 32];

    if (str_is(v->id, KB_SYNONYMS)) {
        take_synonyms(b, v);
        return 0;
    }
    book = file_book(b, v->id, v->lang);
    if (!book && b->l->shelf->n == KB_ARTICLES_MAX)
        return 0;
    snprintf(name, sizeof name, "%.*s (%.*s)", STR_FMT(v->id), STR_FMT(v->lang));
    if (kb_article_read(v->text, name, &a, &err) < 0) {
        log_warn("kb", "a saved version can't be read why=\"%s\"", err_why(&err));
        return 0;
    }
    if (!book)
        book = add_book(b);
    book->version = v->version;
    book->at_ms = v->at_ms;
    snprintf(book->who, sizeof book->who, "%.*s", STR_FMT(v->who));
    snprintf(book->name, sizeof book->name, "%.*s", STR_FMT(utf8_prefix(v->name, 15)));
    book->set_aside = b->is_dir && book->article && !str_is(v->base, book->base);
    book->is_console = !book->set_aside;
    if (book->set_aside) {
        kb_article_unref(a);
        return 0;
    }
    kb_article_unref(book->article);
    book->article = a;
    return 0;
}

/* Reads the files again if they changed. Those that were fine last stay where they are broken now. */
static int read_files(struct load *l)
{
    struct app_kb *k = l->kb;
    const char *dir = k->app->cfg->kb.dir;
    struct kb_files files;
    uint64_t stamp = 0;
    int rc;

    if (!dir[0]) {
        if (k->has_files)
            return 0;
        rc = kb_files_read_embedded(&files, &l->err);
    } else {
        rc = kb_files_stamp(dir, &stamp, &l->err);
        if (rc == 0 && k->has_files && stamp == k->files.stamp) {
            l->is_unchanged = l->is_unchanged && !k->bad_stamp; /* what was wrong was taken back */
            k->bad_stamp = 0;
            return 0;
        }
        if (rc == 0 && k->bad_stamp == stamp && !l->always)
            return 0; /* still wrong, and said */
        if (rc == 0)
            rc = kb_files_read_dir(dir, NULL, NULL, &files, &l->err);
        if (rc < 0)
            k->bad_stamp = stamp;
    }
    if (rc < 0)
        return rc;
    kb_files_fini(&k->files);
    k->files = files;
    k->has_files = true;
    k->bad_stamp = 0;
    l->is_unchanged = false;
    return 0;
}

static void build(struct load *l)
{
    struct app_kb *k = l->kb;
    struct building b = {.l = l, .is_dir = k->app->cfg->kb.dir[0] != 0};
    struct kb_shelf *s = l->shelf = mem_zalloc(sizeof *s);

    for (unsigned i = 0; i < k->files.n; i++) {
        struct kb_book *book = add_book(&b);

        book->article = kb_article_ref(k->files.articles[i]);
        digest_article(book->base, book->article);
    }
    if (s->n)
        qsort(s->books, s->n, sizeof *s->books, by_id);
    b.files_n = s->n;
    s->synonyms = k->files.synonyms ? mem_strdup(k->files.synonyms) : NULL;
    digest_text(s->synonyms_base, str_of(s->synonyms ? s->synonyms : ""));
    l->rc = archive_kb_each_version(k->store, take_version, &b, &l->err);
    if (l->rc < 0)
        return;
    if (s->n)
        qsort(s->books, s->n, sizeof *s->books, by_id);
    l->list = mem_alloc((s->n + 1) * sizeof *l->list);
    for (unsigned i = 0; i < s->n; i++)
        l->list[l->list_n++] = s->books[i].article;
    l->rc = kb_load_articles(k->app->kb, l->list, l->list_n, str_of(s->synonyms), &l->err);
}

static void load(struct load *l)
{
    int rc;

    l->is_unchanged = l->kb->has_files && !l->always;
    rc = read_files(l);
    if (rc < 0 && !l->kb->has_files) {
        l->rc = rc;
        return;
    }
    if (l->is_unchanged && rc == 0)
        return;
    build(l);
    if (rc < 0 && l->rc == 0) /* the others stand, and this is said */
        snprintf(l->shelf->problem, sizeof l->shelf->problem, "%s", err_why(&l->err));
}

static void finish(struct load *l)
{
    struct app_kb *k = l->kb;
    const char *was = k->shelf ? k->shelf->problem : "";

    k->is_owed = l->rc < 0;
    if (l->rc == 0 && l->shelf) {
        if (l->shelf->problem[0] && strcmp(was, l->shelf->problem) != 0)
            log_error("kb", "files not taken, the ones before stand why=\"%s\"", l->shelf->problem);
        kb_shelf_destroy(k->shelf);
        k->shelf = l->shelf;
        l->shelf = NULL;
    } else if (l->rc < 0) {
        log_error("kb", "articles not loaded why=\"%s\"", err_why(&l->err));
    }
    kb_shelf_destroy(l->shelf);
    free(l->list);
}

int kb_shelf_read(struct app_kb *k, struct err *err)
{
    struct load l = {.kb = k, .always = true};
    int rc = read_files(&l);

    return rc < 0 ? err_set(err, rc, "%s", err_why(&l.err)) : 0;
}

static void on_work(uv_work_t *w)
{
    load(w->data);
}

static void on_worked(uv_work_t *w, int status)
{
    struct load *l = w->data;
    struct app_kb *k = l->kb;
    bool again = k->again;

    (void)status;
    finish(l);
    k->app->works--;
    k->is_loading = false;
    k->loaded = l->number;
    free(l);
    kb_feed_loaded(k);
    if (again && !k->app->is_draining) {
        k->again = false;
        kb_shelf_reload(k, true);
    }
}

void kb_shelf_reload(struct app_kb *k, bool always)
{
    struct load *l;

    if (k->is_loading) {
        k->again = k->again || always;
        return;
    }
    l = mem_zalloc(sizeof *l);
    l->work.data = l;
    l->kb = k;
    l->always = always;
    l->number = ++k->loads;
    k->is_loading = true;
    k->looked_at_ms = (int64_t)uv_now(k->app->loop);
    k->app->works++;
    uv_queue_work(k->app->loop, &l->work, on_work, on_worked);
}

/*
 * The folder is watched by looking at names, sizes and times: cheap, and the same on every file system. What could not be loaded (the disk was
 * full, the table locked) is tried again, whether or not a file changes.
 */
void kb_shelf_tick(struct app_kb *k)
{
    int64_t ago_ms = (int64_t)uv_now(k->app->loop) - k->looked_at_ms;

    if (k->is_loading)
        return;
    if (k->is_owed && ago_ms >= AGAIN_MS)
        kb_shelf_reload(k, true);
    else if (!k->is_owed && k->app->cfg->kb.dir[0] && ago_ms >= LOOK_MS)
        kb_shelf_reload(k, false);
}
