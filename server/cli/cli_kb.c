#include "cli/cli_kb.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive_kb.h"
#include "base/base_crypto.h"
#include "base/base_embed.h"
#include "base/base_json.h"
#include "kb/kb.h"
#include "kb/kb_files.h"
#include "protocol/protocol.h"

#define RANKED_MAX  10
#define EVAL_PEOPLE 8 /* reps who accept in turn: one person's marks on an article are bounded */
#define LINE_BYTES  (2 * 1024 * 1024)

static int fail(const struct cli_kb_env *env, const struct err *err)
{
    fprintf(env->err, "firstline: %s\n", err_why(err));
    return 1;
}

static int usage(const struct cli_kb_env *env, const char *what)
{
    fprintf(env->err,
            "firstline: %s; usage: firstline kb check [DIR] | build | suggest TEXT | eval DIR [--accepts N] "
            "[--cap-ms N] [--times] | "
            "bench [DIR] | gaps DIR\n",
            what);
    return 2;
}

static int64_t now_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A knowledge base and what stands under it. */
struct opened {
    struct archive_kb *archive;
    struct kb *kb;
};

static void opened_close(struct opened *o)
{
    kb_close(o->kb);
    archive_kb_close(o->archive);
}

static int opened_open(struct opened *o, const char *path, struct err *err)
{
    struct kb_port port;
    int rc = crypto_start(err);

    *o = (struct opened){0};
    if (rc == 0)
        rc = archive_kb_open(path, &o->archive, err);
    if (rc < 0)
        return rc;
    archive_kb_port(o->archive, &port);
    return kb_open(&port, &o->kb, err);
}

/* Opens the data directory's knowledge base with the articles of env. */
static int open_env(const struct cli_kb_env *env, struct opened *o, struct err *err)
{
    char path[4096];
    int rc;

    if (env->data_dir && (size_t)snprintf(path, sizeof path, "%s/kb.sqlite", env->data_dir) >= sizeof path)
        return err_set(err, ERR_INVALID, "%s: path too long", env->data_dir);
    rc = opened_open(o, env->data_dir ? path : NULL, err);
    if (rc == 0)
        rc = env->kb_dir ? kb_load_dir(o->kb, env->kb_dir, err) : kb_load_embedded(o->kb, err);
    return rc;
}

struct problems {
    const struct cli_kb_env *env;
    unsigned n;
};

static void print_problem(void *ctx, const char *what)
{
    struct problems *p = ctx;

    fprintf(p->env->err, "%s\n", what);
    p->n++;
}

/* Without a folder: the articles that are built in. */
static int check_built_in(const struct cli_kb_env *env)
{
    struct opened o;
    struct err err = {0};
    unsigned ids, versions;
    int rc = open_env(env, &o, &err);

    if (rc == 0) {
        kb_count(o.kb, &ids, &versions);
        fprintf(env->out, "built in: %u articles in %u versions, all fine\n", ids, versions);
    }
    opened_close(&o);
    return rc < 0 ? fail(env, &err) : 0;
}

static int cmd_check(int argc, char **argv, const struct cli_kb_env *env)
{
    const char *dir = argc > 1 ? argv[1] : env->kb_dir;
    struct problems problems = {env, 0};
    struct err err = {0};
    int n;

    if (!dir)
        return check_built_in(env);
    n = kb_check_dir(dir, print_problem, &problems, &err);
    if (n == 0 && problems.n == 0)
        n = err_set(&err, ERR_NOT_FOUND, "%s: no article is in it: they lie in a folder for each language, as en/ID.md", dir);
    if (n < 0)
        return fail(env, &err);
    if (problems.n > 0) {
        fprintf(env->err, "firstline: %s: %u of %u articles are broken, see above\n", dir, problems.n,
                problems.n + (unsigned)n);
        return 1;
    }
    fprintf(env->out, "%s: %d articles, all fine\n", dir, n);
    return 0;
}

static int cmd_build(const struct cli_kb_env *env)
{
    struct opened o;
    struct err err = {0};
    unsigned ids, versions;
    int rc = open_env(env, &o, &err);

    if (rc == 0) {
        kb_count(o.kb, &ids, &versions);
        fprintf(env->out, "%u articles in %u versions\n", ids, versions);
    }
    opened_close(&o);
    return rc < 0 ? fail(env, &err) : 0;
}

static int cmd_suggest(const char *text, const struct cli_kb_env *env)
{
    struct kb_filter filter = {.audience = KB_REP, .now_ms = now_us(CLOCK_REALTIME) / 1000};
    struct kb_hit hits[3];
    struct opened o;
    struct err err = {0};
    int rc = open_env(env, &o, &err);

    if (rc == 0)
        rc = kb_suggest(o.kb, str_of(text), &filter, 3, hits, &err);
    for (int i = 0; i < rc; i++)
        fprintf(env->out, "%.2f  %s  %s  %s\n", hits[i].confidence, hits[i].id, hits[i].lang, hits[i].title);
    if (rc == 0)
        fprintf(env->out, "no suggestion\n");
    if (rc > 0)
        kb_hits_fini(hits, (unsigned)rc);
    opened_close(&o);
    return rc < 0 ? fail(env, &err) : 0;
}

/* One line of a set's files; each field NULL if absent. */
struct record {
    char *id, *lang, *title, *body, *article, *text, *query_id;
    int64_t n;
};

static void record_fini(struct record *r)
{
    free(r->id);
    free(r->lang);
    free(r->title);
    free(r->body);
    free(r->article);
    free(r->text);
    free(r->query_id);
    *r = (struct record){0};
}

static void on_field(void *ctx, struct str key, struct val v)
{
    struct record *r = ctx;
    const struct {
        const char *name;
        char **field;
    } fields[] = {{"id", &r->id},     {"lang", &r->lang},       {"title", &r->title},      {"body", &r->body},
                  {"text", &r->text}, {"article", &r->article}, {"query_id", &r->query_id}};

    if (v.type == VAL_INT && str_is(key, "n"))
        r->n = v.i;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (v.type == VAL_STR && str_is(key, fields[i].name) && !*fields[i].field)
            *fields[i].field = mem_strndup(v.s.s, v.s.n);
    }
}

/* Calls fn for each line of dir/name. */
static int each_record(const char *dir, const char *name,
                       int (*fn)(void *ctx, struct record *r, struct err *err), void *ctx, struct err *err)
{
    static const struct protocol_limits limits = {LINE_BYTES, 16, 256, LINE_BYTES};
    char path[4096], *line = NULL;
    size_t cap = 0;
    ssize_t n;
    unsigned at = 0;
    FILE *f;
    int rc = 0;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "re");
    if (!f)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while (rc == 0 && (n = getline(&line, &cap, f)) > 0) {
        struct record r = {0};

        at++;
        if (strspn(line, " \r\n") == (size_t)n)
            continue;
        rc = json_read_object((struct str){line, (size_t)n}, &limits, on_field, &r, err);
        if (rc == 0)
            rc = fn(ctx, &r, err);
        if (rc < 0)
            err_wrap(err, rc, "%s:%u", path, at);
        record_fini(&r);
    }
    free(line);
    fclose(f);
    return rc;
}

struct asking {
    void (*fn)(void *ctx, const char *article, const char *text);
    void *ctx;
};

static int on_asked(void *ctx, struct record *r, struct err *err)
{
    struct asking *a = ctx;

    if (!r->text)
        return err_set(err, ERR_INVALID, "a query needs a text");
    if (r->article)
        a->fn(a->ctx, r->article, r->text);
    return 0;
}

int cli_kb_each_asked(const char *dir, void (*fn)(void *ctx, const char *article, const char *text),
                      void *ctx, struct err *err)
{
    return each_record(dir, "queries.jsonl", on_asked, &(struct asking){fn, ctx}, err);
}

struct eval {
    const struct cli_kb_env *env;
    struct opened o;
    struct kb_files files; /* the set's articles */
    int64_t accepts;       /* lines with n up to this are fed */
    int64_t fed;
    int64_t cap_us; /* a later answer counts as none; 0: any counts */
    struct buf line;
    bool times;         /* how long loading and each accept took goes to err */
    int64_t *accept_us; /* of each accept */
    unsigned accept_cap;
};

static int eval_article(void *ctx, struct record *r, struct err *err)
{
    struct kb_files *f = &((struct eval *)ctx)->files;

    if (!r->id || !r->body)
        return err_set(err, ERR_INVALID, "an article needs id and body");
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->articles = mem_realloc(f->articles, f->cap * sizeof *f->articles);
    }
    f->articles[f->n++] = kb_article_make(str_of(r->id), str_of(r->lang ? r->lang : "en"), str_of(r->title),
                                          str_of(r->body));
    return 0;
}

static int eval_accept(void *ctx, struct record *r, struct err *err)
{
    struct eval *e = ctx;
    char who[16];
    int64_t start = now_us(CLOCK_MONOTONIC);
    int rc;

    if (!r->article || !r->text)
        return err_set(err, ERR_INVALID, "an accept needs article and text");
    if (r->n > e->accepts)
        return 0;
    snprintf(who, sizeof who, "rep-%d", (int)(e->fed % EVAL_PEOPLE));
    rc = kb_accept(e->o.kb, str_of(r->article), str_of(r->text), str_of(who), e->fed + 1, err);
    if (e->fed == e->accept_cap) {
        e->accept_cap = e->accept_cap ? 2 * e->accept_cap : 256;
        e->accept_us = mem_realloc(e->accept_us, e->accept_cap * sizeof *e->accept_us);
    }
    e->accept_us[e->fed++] = now_us(CLOCK_MONOTONIC) - start;
    return rc;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int eval_load(struct eval *e, struct err *err)
{
    const struct embed *synonyms = embed_find("kb/synonyms.txt");

    return kb_load_articles(e->o.kb, e->files.articles, e->files.n, synonyms ? synonyms->data : STR_NONE,
                            err);
}

/* Loads once more, now with all marks, as a start does. */
static int print_times(struct eval *e, int64_t load_us, struct err *err)
{
    int64_t start = now_us(CLOCK_MONOTONIC), cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
    int rc = eval_load(e, err);
    size_t n = (size_t)e->fed;

    if (n > 0)
        qsort(e->accept_us, n, sizeof *e->accept_us, by_size);
    fprintf(e->env->err,
            "{\"articles\":%u,\"accepts\":%zu,\"load_ms\":%lld,\"reload_ms\":%lld,\"reload_cpu_ms\":%lld,"
            "\"accept_us_p50\":%lld,\"accept_us_p99\":%lld}\n",
            e->files.n, n, (long long)load_us / 1000, (long long)(now_us(CLOCK_MONOTONIC) - start) / 1000,
            (long long)(now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1000,
            (long long)(n ? e->accept_us[n / 2] : 0), (long long)(n ? e->accept_us[n * 99 / 100] : 0));
    return rc;
}

static void print_answer(struct eval *e, const struct record *r, const struct kb_hit *hits, int n, int64_t us)
{
    struct buf *b = &e->line;

    buf_reset(b);
    json_open(b, '{');
    json_kv_s(b, "query_id", r->query_id);
    json_key(b, "ranked");
    json_open(b, '[');
    for (int i = 0; i < n; i++)
        json_text(b, str_of(hits[i].id));
    json_close(b, ']');
    buf_add_s(b, ",\"scores\":[");
    for (int i = 0; i < n; i++)
        buf_printf(b, "%s%.6f", i ? "," : "", hits[i].confidence);
    buf_printf(b, "],\"confidence\":%.6f,\"us\":%lld}\n", n > 0 ? hits[0].confidence : 0, (long long)us);
    fwrite(b->p, 1, b->n, e->env->out);
}

static int eval_query(void *ctx, struct record *r, struct err *err)
{
    struct eval *e = ctx;
    struct kb_filter filter = {.audience = KB_REP};
    struct kb_hit hits[RANKED_MAX];
    int64_t start = now_us(CLOCK_MONOTONIC), us;
    int n;

    if (!r->query_id || !r->text)
        return err_set(err, ERR_INVALID, "a query needs query_id and text");
    n = kb_suggest(e->o.kb, str_of(r->text), &filter, RANKED_MAX, hits, err);
    us = now_us(CLOCK_MONOTONIC) - start;
    if (n < 0)
        return n;
    print_answer(e, r, hits, e->cap_us > 0 && us > e->cap_us ? 0 : n, us);
    kb_hits_fini(hits, (unsigned)n);
    return 0;
}

static int eval_run(struct eval *e, const char *dir, const char *path, struct err *err)
{
    int rc = opened_open(&e->o, path, err);
    int64_t start, load_us;

    if (rc == 0)
        rc = each_record(dir, "articles.jsonl", eval_article, e, err);
    start = now_us(CLOCK_MONOTONIC);
    if (rc == 0)
        rc = eval_load(e, err);
    load_us = now_us(CLOCK_MONOTONIC) - start;
    if (rc == 0 && e->accepts > 0)
        rc = each_record(dir, "accepts.jsonl", eval_accept, e, err);
    if (rc == 0)
        rc = each_record(dir, "queries.jsonl", eval_query, e, err);
    if (rc == 0 && e->times)
        rc = print_times(e, load_us, err);
    free(e->accept_us);
    opened_close(&e->o);
    kb_files_fini(&e->files);
    return rc;
}

static void remove_database(const char *dir, const char *path)
{
    char name[128];

    unlink(path);
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-learned", path);
    unlink(name);
    rmdir(dir);
}

static bool read_number(const char *s, int64_t max, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(s, &end, 10);
    return errno == 0 && end != s && *end == 0 && *out >= 0 && *out <= max;
}

static int cmd_eval(int argc, char **argv, const struct cli_kb_env *env)
{
    struct eval e = {.env = env};
    const char *dir = NULL;
    char tmp[] = "/tmp/firstline-kb-XXXXXX", path[64];
    struct err err = {0};
    int64_t cap_ms = 0;
    int rc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--accepts") == 0 && i + 1 < argc) {
            if (!read_number(argv[++i], INT64_MAX, &e.accepts))
                return usage(env, "--accepts takes a whole number");
        } else if (strcmp(argv[i], "--cap-ms") == 0 && i + 1 < argc) {
            if (!read_number(argv[++i], 60000, &cap_ms))
                return usage(env, "--cap-ms takes milliseconds up to 60000");
        } else if (strcmp(argv[i], "--times") == 0) {
            e.times = true;
        } else if (argv[i][0] == '-' || dir) {
            return usage(env, "kb eval: unknown argument");
        } else {
            dir = argv[i];
        }
    }
    if (!dir)
        return usage(env, "kb eval needs a folder with articles.jsonl, accepts.jsonl and queries.jsonl");
    if (!mkdtemp(tmp)) {
        err_set(&err, ERR_IO, "%s: %s", tmp, strerror(errno));
        return fail(env, &err);
    }
    snprintf(path, sizeof path, "%s/kb.sqlite", tmp);
    e.cap_us = cap_ms * 1000;
    buf_init(&e.line, 64 * 1024);
    rc = eval_run(&e, dir, path, &err);
    buf_fini(&e.line);
    remove_database(tmp, path);
    return rc < 0 ? fail(env, &err) : 0;
}

int cli_kb(int argc, char **argv, const struct cli_kb_env *env)
{
    const char *what = argc > 0 ? argv[0] : "";

    if (strcmp(what, "check") == 0)
        return argc > 2 ? usage(env, "kb check takes one folder") : cmd_check(argc, argv, env);
    if (strcmp(what, "build") == 0)
        return argc > 1 ? usage(env, "kb build takes nothing more") : cmd_build(env);
    if (strcmp(what, "suggest") == 0)
        return argc != 2 ? usage(env, "kb suggest takes one text, in quotes") : cmd_suggest(argv[1], env);
    if (strcmp(what, "eval") == 0)
        return cmd_eval(argc, argv, env);
    if (strcmp(what, "bench") == 0)
        return argc > 2 ? usage(env, "kb bench takes one folder")
                        : cli_kb_bench(argc > 1 ? argv[1] : env->kb_dir, env);
    if (strcmp(what, "gaps") == 0)
        return argc != 2 ? usage(env, "kb gaps takes one folder") : cli_kb_gaps(argv[1], env);
    return usage(env, *what ? "unknown kb command" : "kb needs a command");
}
