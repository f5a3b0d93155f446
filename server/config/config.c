#include "config/config_row.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* --- sites, departments, canned replies */

static struct config_site *add_site(struct config *cfg, struct str id)
{
    struct config_site *s;

    cfg->sites = mem_realloc(cfg->sites, (cfg->sites_n + 1) * sizeof *cfg->sites);
    s = &cfg->sites[cfg->sites_n++];
    memset(s, 0, sizeof *s);
    config_value_defaults(config_site_rows, config_site_rows_n, s);
    s->id = mem_strndup(id.s, id.n);
    return s;
}

static void free_site(struct config_site *s)
{
    config_value_free(config_site_rows, config_site_rows_n, s);
    free(s->id);
    config_zone_destroy(s->zone);
}

static struct config_department *add_department(struct config *cfg, struct str name)
{
    struct config_department *d;

    cfg->departments = mem_realloc(cfg->departments, (cfg->departments_n + 1) * sizeof *cfg->departments);
    d = &cfg->departments[cfg->departments_n++];
    memset(d, 0, sizeof *d);
    config_value_defaults(config_department_rows, config_department_rows_n, d);
    d->name = mem_strndup(name.s, name.n);
    return d;
}

static void free_department(struct config_department *d)
{
    config_value_free(config_department_rows, config_department_rows_n, d);
    free(d->name);
    free(d->week);
    free(d->closed);
}

static struct config_canned *add_canned(struct config *cfg, struct str name)
{
    struct config_canned *c;

    cfg->canned = mem_realloc(cfg->canned, (cfg->canned_n + 1) * sizeof *cfg->canned);
    c = &cfg->canned[cfg->canned_n++];
    memset(c, 0, sizeof *c);
    config_value_defaults(config_canned_rows, config_canned_rows_n, c);
    c->name = mem_strndup(name.s, name.n);
    return c;
}

static void free_canned(struct config_canned *c)
{
    config_value_free(config_canned_rows, config_canned_rows_n, c);
    free(c->name);
}

struct config_site *config_site_find(const struct config *cfg, struct str id)
{
    for (size_t i = 0; i < cfg->sites_n; i++) {
        if (str_is(id, cfg->sites[i].id))
            return &cfg->sites[i];
    }
    return NULL;
}

struct config_department *config_department_find(const struct config *cfg, struct str site, struct str name)
{
    for (size_t i = 0; i < cfg->departments_n; i++) {
        struct config_department *d = &cfg->departments[i];

        if (str_is(name, d->name) && str_is(site, d->site))
            return d;
    }
    return NULL;
}

/* --- what is made from keys */

void config_unsettle(struct config *cfg)
{
    size_t n = 0;

    for (size_t i = 0; i < cfg->sites_n; i++) {
        if (cfg->sites[i].implied)
            free_site(&cfg->sites[i]);
        else
            cfg->sites[n++] = cfg->sites[i];
    }
    cfg->sites_n = n;
    n = 0;
    for (size_t i = 0; i < cfg->departments_n; i++) {
        if (cfg->departments[i].implied)
            free_department(&cfg->departments[i]);
        else
            cfg->departments[n++] = cfg->departments[i];
    }
    cfg->departments_n = n;
}

static bool has_department(const struct config *cfg, const char *site)
{
    for (size_t i = 0; i < cfg->departments_n; i++) {
        if (strcmp(cfg->departments[i].site, site) == 0)
            return true;
    }
    return false;
}

static void replace(char **at, const char *text)
{
    free(*at);
    *at = mem_strdup(text);
}

static void add_implied(struct config *cfg)
{
    if (cfg->sites_n == 0)
        add_site(cfg, STR("default"))->implied = true;
    for (size_t i = 0; i < cfg->sites_n; i++) {
        struct config_department *d;

        if (has_department(cfg, cfg->sites[i].id))
            continue;
        d = add_department(cfg, STR("general"));
        d->implied = true;
        replace(&d->site, cfg->sites[i].id);
        replace(&d->title_zh, "客服");
        replace(&d->title_en, "Customer service");
    }
}

void config_settle(struct config *cfg)
{
    add_implied(cfg);
    for (size_t i = 0; i < cfg->sites_n; i++) {
        struct config_site *s = &cfg->sites[i];

        if (!s->zone)
            config_zone_load(s->time_zone, &s->zone, NULL); /* config_check() tells if it failed */
    }
    for (size_t i = 0; i < cfg->departments_n; i++) {
        struct config_department *d = &cfg->departments[i];
        const struct config_site *s = config_site_find(cfg, str_of(d->site));

        free(d->week);
        free(d->closed);
        config_hours_parse(d->hours, &d->week, &d->week_n); /* well formed: checked when they were set */
        config_holidays_parse(d->holidays, &d->closed, &d->closed_n);
        d->zone = s ? s->zone : NULL;
    }
}

struct config *config_create(void)
{
    struct config *cfg = mem_zalloc(sizeof *cfg);

    config_value_defaults(config_rows, config_rows_n, cfg);
    config_settle(cfg);
    return cfg;
}

void config_destroy(struct config *cfg)
{
    if (!cfg)
        return;
    for (size_t i = 0; i < cfg->sites_n; i++)
        free_site(&cfg->sites[i]);
    for (size_t i = 0; i < cfg->departments_n; i++)
        free_department(&cfg->departments[i]);
    for (size_t i = 0; i < cfg->canned_n; i++)
        free_canned(&cfg->canned[i]);
    free(cfg->sites);
    free(cfg->departments);
    free(cfg->canned);
    config_value_free(config_rows, config_rows_n, cfg);
    free(cfg);
}

/* --- one of several sites */

static void take_over(char **to, char **own)
{
    if (!**own)
        return;
    free(*to);
    *to = *own;
    *own = mem_strdup("");
}

static int no_site(const struct config *cfg, struct str id, struct err *err)
{
    struct buf b;
    int rc;

    buf_init(&b, 8192);
    for (size_t i = 0; i < cfg->sites_n; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", cfg->sites[i].id);
    rc = err_set(err, ERR_NOT_FOUND, "config: there is no site %.*s; there is %.300s", STR_FMT(id), b.p);
    buf_fini(&b);
    return rc;
}

int config_take_site(struct config *cfg, struct str id, struct err *err)
{
    struct config_site *s = config_site_find(cfg, id), kept;
    size_t n = 0;

    if (!s)
        return no_site(cfg, id, err);
    take_over(&cfg->server.listen, &s->listen);
    take_over(&cfg->metrics.listen, &s->metrics_listen);
    take_over(&cfg->http.public_url, &s->public_url);
    take_over(&cfg->kb.dir, &s->kb_dir);
    kept = *s;
    for (size_t i = 0; i < cfg->departments_n; i++) {
        if (strcmp(cfg->departments[i].site, kept.id) == 0)
            cfg->departments[n++] = cfg->departments[i];
        else
            free_department(&cfg->departments[i]);
    }
    cfg->departments_n = n;
    n = 0;
    for (size_t i = 0; i < cfg->canned_n; i++) {
        if (!*cfg->canned[i].site || strcmp(cfg->canned[i].site, kept.id) == 0)
            cfg->canned[n++] = cfg->canned[i];
        else
            free_canned(&cfg->canned[i]);
    }
    cfg->canned_n = n;
    for (size_t i = 0; i < cfg->sites_n; i++) {
        if (&cfg->sites[i] != s)
            free_site(&cfg->sites[i]);
    }
    cfg->sites[0] = kept;
    cfg->sites_n = 1;
    return 0;
}

/* --- setting one key */

/* "site.shop" begins with "site." and the rest may be a name. */
static bool is_named(struct str section, const char *prefix, struct str *name)
{
    size_t n = strlen(prefix);

    if (section.n < n || memcmp(section.s, prefix, n) != 0)
        return false;
    *name = (struct str){section.s + n, section.n - n};
    return true;
}

static int no_section(struct str section, struct err *err)
{
    const char *near = NULL;
    unsigned best = 4;

    if (section.n == 0)
        return err_set(err, ERR_INVALID, "a key stands before the first [section]; put one above it");
    for (size_t i = 0; i < config_rows_n; i++)
        near = config_nearest(section, config_rows[i].section, near, &best);
    near = config_nearest(section, "site.NAME", near, &best);
    near = config_nearest(section, "department.NAME", near, &best);
    near = config_nearest(section, "canned.NAME", near, &best);
    if (near)
        return err_set(err, ERR_INVALID, "there is no section [%.*s]; did you mean [%s]?", STR_FMT(section),
                       near);
    return err_set(err, ERR_INVALID, "there is no section [%.*s]; `config print` shows them all",
                   STR_FMT(section));
}

static const struct config_row *find_row(const struct config_row *rows, size_t n, struct str section,
                                         struct str key)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(key, rows[i].key) && (!section.s || str_is(section, rows[i].section)))
            return &rows[i];
    }
    return NULL;
}

static bool section_exists(struct str section)
{
    for (size_t i = 0; i < config_rows_n; i++) {
        if (str_is(section, config_rows[i].section))
            return true;
    }
    return false;
}

static int no_key(const struct config_row *rows, size_t n, struct str in, struct str section, struct str key,
                  struct err *err)
{
    const char *near = NULL;
    unsigned best = 4;

    for (size_t i = 0; i < n; i++) {
        if (!in.s || str_is(in, rows[i].section))
            near = config_nearest(key, rows[i].key, near, &best);
    }
    if (near)
        return err_set(err, ERR_INVALID, "%.*s.%.*s: there is no such key; did you mean %s?",
                       STR_FMT(section), STR_FMT(key), near);
    return err_set(err, ERR_INVALID, "%.*s.%.*s: there is no such key; `config print` shows them all",
                   STR_FMT(section), STR_FMT(key));
}

/* A section as it was found: whose rows, whose memory. */
struct place {
    const struct config_row *rows;
    size_t rows_n;
    struct str in; /* section of the rows; absent where all rows are of it */
    void *base;
};

static int bad_name(struct str section, struct err *err)
{
    return err_set(err, ERR_INVALID, "[%.*s]: a name has 1–%d letters, digits, _ and -", STR_FMT(section),
                   CONFIG_NAME_MAX);
}

static int find_site(struct config *cfg, struct str section, struct str name, struct place *out,
                     struct err *err)
{
    struct config_site *s;

    if (!config_name_is_valid(name))
        return bad_name(section, err);
    s = config_site_find(cfg, name);
    if (!s && cfg->sites_n == CONFIG_SITES_MAX)
        return err_set(err, ERR_FULL, "[%.*s]: there are %d sites already, which is the most",
                       STR_FMT(section), CONFIG_SITES_MAX);
    if (!s)
        s = add_site(cfg, name);
    *out = (struct place){config_site_rows, config_site_rows_n, STR_NONE, s};
    return 0;
}

/* Departments of the file bear names of their own over all sites: the section says nothing of the site. */
static int find_department(struct config *cfg, struct str section, struct str name, struct place *out,
                           struct err *err)
{
    struct config_department *d = NULL;

    if (!config_name_is_valid(name))
        return bad_name(section, err);
    for (size_t i = 0; i < cfg->departments_n && !d; i++) {
        if (str_is(name, cfg->departments[i].name))
            d = &cfg->departments[i];
    }
    if (!d && cfg->departments_n >= CONFIG_DEPARTMENTS_MAX)
        return err_set(err, ERR_FULL, "[%.*s]: there are %d departments already, which is the most",
                       STR_FMT(section), CONFIG_DEPARTMENTS_MAX);
    if (!d)
        d = add_department(cfg, name);
    *out = (struct place){config_department_rows, config_department_rows_n, STR_NONE, d};
    return 0;
}

static int find_canned(struct config *cfg, struct str section, struct str name, struct place *out, struct err *err)
{
    struct config_canned *c = NULL;

    if (!config_name_is_valid(name))
        return bad_name(section, err);
    for (size_t i = 0; i < cfg->canned_n && !c; i++) {
        if (str_is(name, cfg->canned[i].name))
            c = &cfg->canned[i];
    }
    if (!c && cfg->canned_n == CONFIG_CANNED_MAX)
        return err_set(err, ERR_FULL, "[%.*s]: there are %d canned replies already, which is the most", STR_FMT(section), CONFIG_CANNED_MAX);
    if (!c)
        c = add_canned(cfg, name);
    *out = (struct place){config_canned_rows, config_canned_rows_n, STR_NONE, c};
    return 0;
}

static int find_place(struct config *cfg, struct str section, struct place *out, struct err *err)
{
    struct str name;

    if (is_named(section, "site.", &name))
        return find_site(cfg, section, name, out, err);
    if (is_named(section, "department.", &name))
        return find_department(cfg, section, name, out, err);
    if (is_named(section, "canned.", &name))
        return find_canned(cfg, section, name, out, err);
    if (!section_exists(section))
        return no_section(section, err);
    *out = (struct place){config_rows, config_rows_n, section, cfg};
    return 0;
}

int config_open_section(struct config *cfg, struct str section, struct err *err)
{
    struct place p;

    return find_place(cfg, section, &p, err);
}

int config_assign(struct config *cfg, struct str section, struct str key, struct str value, struct err *err)
{
    const struct config_row *row;
    struct place p;
    char name[128];
    int rc = find_place(cfg, section, &p, err);

    if (rc < 0)
        return rc;
    row = find_row(p.rows, p.rows_n, p.in, key);
    if (!row)
        return no_key(p.rows, p.rows_n, p.in, section, key, err);
    snprintf(name, sizeof name, "%.*s.%s", STR_FMT(section), row->key);
    rc = config_value_set(row, p.base, name, value, err);
    if (rc == 0 && p.rows == config_site_rows && row->offset == offsetof(struct config_site, time_zone)) {
        struct config_site *s = p.base;

        config_zone_destroy(s->zone);
        s->zone = NULL; /* config_settle() reads the new one */
    }
    return rc;
}

/* --- reading what is there */

bool config_list_next(struct str *rest, struct str *item)
{
    while (rest->n) {
        size_t n = 0;

        while (n < rest->n && rest->s[n] != ',' && rest->s[n] != '\n')
            n++;
        *item = (struct str){rest->s, n};
        n += n < rest->n;
        rest->s += n;
        rest->n -= n;
        while (item->n && isspace((unsigned char)item->s[0])) {
            item->s++;
            item->n--;
        }
        while (item->n && isspace((unsigned char)item->s[item->n - 1]))
            item->n--;
        if (item->n)
            return true;
    }
    return false;
}

/* Without the port that its scheme implies: browsers leave it out. */
static struct str short_origin(struct str s)
{
    bool tls = s.n > 8 && strncasecmp(s.s, "https:", 6) == 0;
    struct str port = tls ? STR(":443") : STR(":80");

    if (s.n > port.n && memcmp(s.s + s.n - port.n, port.s, port.n) == 0)
        s.n -= port.n;
    return s;
}

bool config_origins_has(const char *list, struct str origin)
{
    struct str rest = str_of(list), one;

    origin = short_origin(origin);
    while (config_list_next(&rest, &one)) {
        one = short_origin(one);
        if (one.n == origin.n && strncasecmp(one.s, origin.s, one.n) == 0)
            return true;
    }
    return false;
}

int64_t config_head_start_ms(const struct config *cfg, struct str class_name)
{
    for (size_t i = 0; i < config_rows_n; i++) {
        struct str name;

        if (is_named(str_of(config_rows[i].section), "class.", &name) && str_eq(name, class_name))
            return *(const int64_t *)((const char *)cfg + config_rows[i].offset);
    }
    return 0;
}
