/* What no single key can tell: whether they fit together, and what the people who run the server should know.
 */
#include "config/config_row.h"

#include <inttypes.h>
#include <stdio.h>

#define ARCHIVE_BYTES 460 /* of archive.path */

static void warn(struct buf *problems, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct buf *problems, const char *fmt, ...)
{
    char line[400];
    va_list ap;

    if (!problems)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_add_s(problems, line);
    buf_add_c(problems, '\n');
}

static int check_site(const struct config_site *s, struct buf *problems, struct err *err)
{
    const char *what = s->zone ? NULL : config_check_zone(s->time_zone);

    if (what)
        return err_set(err, ERR_INVALID, "config: site.%s.time_zone: \"%s\" %s", s->id, s->time_zone, what);
    if (*s->jwt_secret && strlen(s->jwt_secret) < 32)
        warn(problems,
             "site.%s.jwt_secret: shorter than 32 bytes, which can be guessed: take a longer random one",
             s->id);
    if (*s->jwt_secret && !*s->jwt_issuer)
        warn(problems, "site.%s.jwt_issuer: not set, so identities of any issuer with that secret are taken",
             s->id);
    return 0;
}

static int check_department(const struct config *cfg, const struct config_department *d, struct buf *problems,
                            struct err *err)
{
    if (!config_site_find(cfg, str_of(d->site)))
        return err_set(
            err, ERR_INVALID,
            "config: department.%s.site: there is no site %s; write site = %s, or a section [site.%s]",
            d->name, d->site, cfg->sites[0].id, *d->site ? d->site : "NAME");
    if (*d->fallback && strcmp(d->fallback, d->name) == 0)
        return err_set(err, ERR_INVALID,
                       "config: department.%s.fallback: is the department itself; name another or none",
                       d->name);
    if (*d->fallback && !config_department_find(cfg, str_of(d->site), str_of(d->fallback)))
        return err_set(err, ERR_INVALID,
                       "config: department.%s.fallback: there is no department %s in site %s", d->name,
                       d->fallback, d->site);
    if (!*d->lead)
        warn(problems, "department.%s.lead: nobody answers for it in site %s, so its alerts go one level up",
             d->name, d->site);
    return 0;
}

static int check_canned(const struct config *cfg, const struct config_canned *c, struct err *err)
{
    if (*c->site && !config_site_find(cfg, str_of(c->site)))
        return err_set(err, ERR_INVALID, "config: canned.%s.site: there is no site %s; leave it empty for all sites", c->name, c->site);
    if (!*c->text_zh && !*c->text_en)
        return err_set(err, ERR_INVALID, "config: canned.%s: has no text; write text_zh = …, text_en = … or both", c->name);
    return 0;
}

static bool is_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]", 5) == 0 ||
           strncmp(listen, "localhost:", 10) == 0;
}

/* Where one of several sites listens; "" nowhere. */
static const char *address_of(const struct config *cfg, size_t site, bool metrics)
{
    const struct config_site *s = &cfg->sites[site];

    return metrics ? (*s->metrics_listen ? s->metrics_listen : cfg->metrics.listen)
                   : (*s->listen ? s->listen : cfg->server.listen);
}

/* Each site's own address, or that of all. Where there is TLS there is a proxy: we have none of our own. */
static void check_reach(const struct config *cfg, struct buf *problems)
{
    bool has_tls = false;

    for (size_t i = 0; i < cfg->sites_n; i++) {
        const struct config_site *s = &cfg->sites[i];
        const char *listen = address_of(cfg, i, false), *url = *s->public_url ? s->public_url : cfg->http.public_url;
        bool is_own = cfg->sites_n > 1 || *s->listen;
        char section[CONFIG_NAME_MAX + 8];

        has_tls |= strncmp(url, "https://", 8) == 0;
        if (is_loopback(listen) || strncmp(url, "https://", 8) == 0)
            continue;
        snprintf(section, sizeof section, "site.%s", s->id);
        warn(problems,
             "%s.listen: %s may be reached from outside without TLS; put nginx or Caddy in front and set "
             "%s.public_url to its https address",
             is_own ? section : "server", listen, is_own ? section : "http");
    }
    if (has_tls && !*cfg->http.trusted_proxies)
        warn(problems,
             "http.trusted_proxies: empty, so all who come through the proxy count as one address, for "
             "limits.chats_per_address_h and for logins; name the proxy's address, as 127.0.0.1");
}

static void check_settings(const struct config *cfg, struct buf *problems)
{
    check_reach(cfg, problems);
    if (cfg->redis.appendfsync == CONFIG_FSYNC_EVERYSEC)
        warn(problems,
             "redis.appendfsync: everysec may lose about the last two seconds of acknowledged messages in a power cut");
    if (cfg->care.alert_ms <= cfg->care.first_ms)
        warn(problems,
             "care.alert_ms: %" PRId64 " is not after care.first_ms, so a lead hears before the shopper does",
             cfg->care.alert_ms);
    if (cfg->presence.silent_ms < 3 * cfg->presence.beat_ms)
        warn(problems,
             "presence.silent_ms: under three times presence.beat_ms; a slow node is taken for dead");
    if (cfg->limits.frame_bytes < 4 * cfg->limits.text_chars)
        warn(
            problems,
            "limits.frame_bytes: too small for a text of limits.text_chars in every language; needs %" PRId64,
            4 * cfg->limits.text_chars + 1024);
    if (cfg->limits.outbox_bytes < 2 * cfg->limits.frame_bytes)
        warn(problems, "limits.outbox_bytes: holds not even two messages of limits.frame_bytes");
    if (cfg->limits.messages_per_s && cfg->limits.burst == 0)
        warn(problems, "limits.burst: 0 lets no message pass while limits.messages_per_s is set");
}

static bool is_any_port(const char *listen)
{
    size_t n = strlen(listen);

    return n > 2 && strcmp(listen + n - 2, ":0") == 0;
}

/* Several sites are several processes: nothing that one of them holds may be another's. */
static int check_apart(const struct config *cfg, struct err *err)
{
    if (cfg->sites_n > 1 && *cfg->archive.path)
        return err_set(err, ERR_INVALID,
                       "config: archive.path: one file can't be the archive of %zu sites; leave it empty: each has "
                       "its own in its data folder",
                       cfg->sites_n);
    for (size_t i = 0; cfg->sites_n > 1 && i < 2 * cfg->sites_n; i++) {
        const char *own = address_of(cfg, i / 2, i % 2);

        for (size_t k = 0; k < i; k++) {
            if (*own && !is_any_port(own) && strcmp(own, address_of(cfg, k / 2, k % 2)) == 0)
                return err_set(err, ERR_INVALID,
                               "config: site.%s.%s: %s is taken by site %s; give each site an address of its own",
                               cfg->sites[i / 2].id, i % 2 ? "metrics_listen" : "listen", own, cfg->sites[k / 2].id);
        }
    }
    return 0;
}

/* SQLite takes 512 bytes, with the ends of the files beside it. */
static int check_archive(const struct config *cfg, struct err *err)
{
    if (strlen(cfg->archive.path) <= ARCHIVE_BYTES)
        return 0;
    return err_set(err, ERR_INVALID, "config: archive.path: a path of more than %d bytes; name a shorter one", ARCHIVE_BYTES);
}

int config_check(const struct config *cfg, struct buf *problems, struct err *err)
{
    check_settings(cfg, problems);
    if (check_archive(cfg, err) < 0)
        return ERR_INVALID;
    for (size_t i = 0; i < cfg->sites_n; i++) {
        int rc = check_site(&cfg->sites[i], problems, err);

        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < cfg->departments_n; i++) {
        int rc = check_department(cfg, &cfg->departments[i], problems, err);

        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < cfg->canned_n; i++) {
        int rc = check_canned(cfg, &cfg->canned[i], err);

        if (rc < 0)
            return rc;
    }
    return check_apart(cfg, err);
}
