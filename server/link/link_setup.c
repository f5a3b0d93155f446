/*
 * What comes before a connection is usable, after each connect and again where something was wrong:
 *
 *   version, settings, scripts, clock, format, under Sentinel also the server's role and run id ─▶ the epoch ─▶ up
 *
 * Looked at again on a slow beat, since settings can be changed while it runs.
 */
#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>

#define LEAST_REDIS 7 /* the scripts begin with #!lua */

static void finish_setup(struct link *l);

static int call(struct link *l, const char **argv, int argc, void (*cb)(void *, const struct redis_reply *),
                void *ctx)
{
    size_t n[16];

    for (int i = 0; i < argc; i++)
        n[i] = strlen(argv[i]);
    return redis_call(l->cmd, argc, argv, n, l->cfg->redis.command_ms, cb, ctx);
}

static void setup_fail(struct link *l, enum link_fault fault, const char *why)
{
    if (!l->setup_failed) {
        snprintf(l->setup_why, sizeof l->setup_why, "redis: %s", why);
        l->setup_fault = fault;
    }
    l->setup_failed = true;
}

static void setup_done(struct link *l)
{
    if (--l->setup_left > 0)
        return;
    if (!l->setup_failed && !l->has_epoch) {
        finish_setup(l);
        return;
    }
    l->is_setting_up = false;
    if (l->setup_failed) {
        if (strcmp(l->why, l->setup_why) != 0)
            log_error("link", "not usable why=\"%s\"", l->setup_why);
        link_go_down(l, l->setup_fault, l->setup_why);
        return;
    }
    l->is_up = true;
    l->fault = LINK_FINE;
    l->why[0] = 0;
    log_info("link", "up epoch=%s node=%s n=%lld", l->epoch, l->node, (long long)l->seen_n);
    l->port.on_up(l->port.ctx);
}

/* ---- settings (PROMISES 1) */

static struct str setting_of(const struct redis_reply *r, const char *name)
{
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2)
        if (str_is(redis_reply_str(redis_reply_at(r, i)), name))
            return redis_reply_str(redis_reply_at(r, i + 1));
    return STR_NONE;
}

/* It answers nothing at the moment, whatever it is asked. */
static bool is_busy(const struct redis_reply *r)
{
    static const char *const codes[] = {"BUSY ", "LOADING ", "MASTERDOWN "};
    struct str s = redis_reply_type(r) == REDIS_ERR ? redis_reply_str(r) : STR_NONE;

    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (s.n > strlen(codes[i]) && memcmp(s.s, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

/* What is weaker than it must be, or NULL. */
static const char *weakness_of(const struct link *l, const struct redis_reply *r)
{
    if (redis_reply_type(r) != REDIS_LIST)
        return l->cfg->redis.trusted
                   ? NULL
                   : "CONFIG is denied; set redis.trusted=true if its settings are known to be right";
    if (!str_is(setting_of(r, "appendonly"), "yes"))
        return "appendonly is off; nothing would be durable: CONFIG SET appendonly yes";
    if (l->cfg->redis.appendfsync == CONFIG_FSYNC_ALWAYS && !str_is(setting_of(r, "appendfsync"), "always"))
        return "appendfsync is weaker than configured; CONFIG SET appendfsync always, or set "
               "redis.appendfsync=everysec";
    if (!str_is(setting_of(r, "no-appendfsync-on-rewrite"), "no"))
        return "no-appendfsync-on-rewrite is yes; CONFIG SET no-appendfsync-on-rewrite no";
    if (!str_is(setting_of(r, "maxmemory-policy"), "noeviction"))
        return "maxmemory-policy may evict chats; CONFIG SET maxmemory-policy noeviction";
    return NULL;
}

static void on_settings(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    bool is_silent = !r || is_busy(r);
    const char *weak = is_silent ? NULL : weakness_of(l, r);

    if (is_silent)
        setup_fail(l, LINK_AWAY, r ? redis_reply_str(r).s : "no answer to CONFIG GET");
    else if (weak)
        setup_fail(l, LINK_WEAK, weak);
    setup_done(l);
}

static const char *const settings_argv[] = {"CONFIG", "GET", "*append*", "maxmemory-policy"};

static void on_settings_again(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    const char *weak = r && l->is_up && !is_busy(r) ? weakness_of(l, r) : NULL;
    char why[300];

    if (!weak)
        return;
    snprintf(why, sizeof why, "redis: %s", weak);
    log_error("link", "not usable any more why=\"%s\"", why);
    link_go_down(l, LINK_WEAK, why);
}

/* ---- scripts */

struct load {
    struct link *l;
    enum link_script script;
};

static void on_loaded(void *ctx, const struct redis_reply *r)
{
    struct load *ld = ctx;
    struct str s = r ? redis_reply_str(r) : STR_NONE;

    if (r && redis_reply_type(r) == REDIS_STR && s.n < sizeof ld->l->sha[0]) {
        memcpy(ld->l->sha[ld->script], s.s, s.n);
        ld->l->sha[ld->script][s.n] = 0;
    } else {
        char why[200];

        snprintf(why, sizeof why, "%s: %.*s", link_script_name(ld->script), (int)s.n,
                 s.s ? s.s : "no answer");
        setup_fail(ld->l, LINK_AWAY, why);
    }
    setup_done(ld->l);
    free(ld);
}

static int load_scripts(struct link *l)
{
    int rc = 0;

    for (int i = 0; i < SCRIPT_N && rc == 0; i++) {
        const char *load[] = {"SCRIPT", "LOAD", l->text[i]};
        struct load *ld = mem_zalloc(sizeof *ld);

        *ld = (struct load){l, (enum link_script)i};
        rc = call(l, load, 3, on_loaded, ld);
        if (rc < 0)
            free(ld);
    }
    return rc;
}

/* ---- clock and format */

static const char newer[] = "the data is of a later format than this version knows: update this node";

bool link_take_format(struct link *l, int64_t format)
{
    l->site_format = (int)format;
    return format <= l->format;
}

int link_format_known(const struct link *l)
{
    return l->format;
}

int link_format(const struct link *l)
{
    return l->site_format;
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

/* A format only ever grows: whoever is late with a smaller one changes nothing, since all who say it have
 * seen all others' beats. */
void link_raise_format(struct link *l, int format)
{
    char key[96], value[16];
    const char *set[] = {"SET", key, value};

    if (!l->is_up || format <= l->site_format)
        return;
    snprintf(key, sizeof key, "%sformat", l->prefix);
    snprintf(value, sizeof value, "%d", format);
    log_info("link", "the site is written in format=%d from now on", format);
    if (call(l, set, 3, on_ignored, l) == 0)
        l->site_format = format;
}

static void on_format_begun(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    int64_t format = r && redis_reply_type(r) == REDIS_STR ? redis_reply_int(r) : 0;

    if (format <= 0)
        setup_fail(l, LINK_AWAY, "no answer to which format the data has");
    else if (!link_take_format(l, format))
        setup_fail(l, LINK_NEWER, newer);
    setup_done(l);
}

/* A new site begins in the format of whoever is first; every command is at hand from the first one on. */
static int begin_format(struct link *l)
{
    char key[96], value[16];
    const char *set[] = {"SET", key, value, "NX"}, *get[] = {"GET", key};

    snprintf(key, sizeof key, "%sformat", l->prefix);
    snprintf(value, sizeof value, "%d", l->format);
    return call(l, set, 4, on_ignored, l) < 0 ? -1 : call(l, get, 2, on_format_begun, l);
}

static void on_first_look(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    int64_t format = r && redis_reply_n(r) == 4 ? redis_reply_int(redis_reply_at(r, 3)) : 0;

    if (!r || redis_reply_n(r) != 4)
        setup_fail(l, LINK_AWAY, "no answer to the first look");
    else
        link_clock_look(l, r);
    if (!link_take_format(l, format))
        setup_fail(l, LINK_NEWER, newer);
    else if (format == 0 && r && begin_format(l) == 0)
        return;
    setup_done(l);
}

/* ---- which server this is; under Sentinel also in which run */

static struct str line_of(struct str info, const char *key)
{
    const char *at = info.n ? memmem(info.s, info.n, key, strlen(key)) : NULL;
    const char *end = info.n ? info.s + info.n : NULL, *p = at ? at + strlen(key) : NULL, *q = p;

    while (q && q < end && *q != '\r' && *q != '\n')
        q++;
    return p ? (struct str){p, (size_t)(q - p)} : STR_NONE;
}

static void on_server(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    struct str info = r ? redis_reply_str(r) : STR_NONE;
    struct str version = line_of(info, "redis_version:"), run = line_of(info, "run_id:");
    char why[100];

    if (version.n && strtol(version.s, NULL, 10) < LEAST_REDIS) { /* where INFO is denied it isn't known */
        snprintf(why, sizeof why, "needs Redis %d.0 or later, this is %.*s", LEAST_REDIS, version.n < 20 ? (int)version.n : 20, version.s);
        setup_fail(l, LINK_OLD, why);
    } else if (!r || (l->sentinel && (run.n == 0 || run.n >= sizeof l->run_id))) {
        setup_fail(l, LINK_AWAY, "no answer to INFO");
    } else if (l->sentinel) {
        snprintf(l->run_id, sizeof l->run_id, "%.*s", STR_FMT(run));
    }
    setup_done(l);
}

static void on_role(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;

    if (!r || redis_reply_n(r) == 0)
        setup_fail(l, LINK_AWAY, "no answer to ROLE");
    else if (!str_is(redis_reply_str(redis_reply_at(r, 0)), "master"))
        setup_fail(l, LINK_AWAY, "this server is a replica: the sentinels are asked again");
    setup_done(l);
}

static int64_t number_of(struct str info, const char *key)
{
    struct str s = line_of(info, key);

    return s.n ? strtoll(s.s, NULL, 10) : 0;
}

static void on_memory(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    struct str info = r ? redis_reply_str(r) : STR_NONE;
    int64_t used = number_of(info, "\nused_memory:"), max = number_of(info, "\nmaxmemory:");

    if (!info.n)
        return;
    l->memory_permille = max > 0 ? (unsigned)(used * 1000 / max) : 0;
    l->memory_bytes = used;
}

unsigned link_memory_permille(const struct link *l)
{
    return l->memory_permille;
}

int64_t link_memory_bytes(const struct link *l)
{
    return l->memory_bytes;
}

/* ---- the epoch (PROMISES 2.9) */

static void on_epoch(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    struct str epoch = r && redis_reply_n(r) == 3 ? redis_reply_str(redis_reply_at(r, 0)) : STR_NONE;
    struct str why = epoch.n ? redis_reply_str(redis_reply_at(r, 2)) : STR_NONE;
    int64_t n = epoch.n ? redis_reply_int(redis_reply_at(r, 1)) : 0;

    if (epoch.n == 0 || epoch.n >= sizeof l->epoch) {
        char text[200];

        snprintf(text, sizeof text, "the epoch can't be read: %s", r ? redis_reply_str(r).s : "no answer");
        setup_fail(l, LINK_AWAY, text);
    } else {
        if (why.n && !str_is(why, "first"))
            log_error("link", "a new epoch was made why=%.*s old=%s new=%.*s counter=%lld seen=%lld",
                      STR_FMT(why), l->seen_epoch, STR_FMT(epoch), (long long)n, (long long)l->seen_n);
        l->was_lost = str_is(why, "lost") || (str_is(why, "first") && l->seen_n > 0);
        snprintf(l->epoch, sizeof l->epoch, "%.*s", STR_FMT(epoch));
        if (strcmp(l->seen_epoch, l->epoch) != 0)
            l->seen_n = n;
        snprintf(l->seen_epoch, sizeof l->seen_epoch, "%s", l->epoch);
        l->has_epoch = true;
    }
    setup_done(l);
}

static void finish_setup(struct link *l)
{
    struct link_words keys, args;
    char fresh[ID_SIZE];

    id_make(fresh, 'e');
    link_words_init(&keys, 4096);
    link_words_init(&args, 4096);
    link_words_add_plain(&keys, l, "epoch");
    link_words_add_plain(&keys, l, "n");
    link_words_add_plain(&keys, l, "run");
    link_words_add(&args, str_of(l->seen_epoch));
    link_words_add_i64(&args, l->seen_n);
    link_words_add(&args, str_of(l->sentinel ? l->run_id : ""));
    link_words_add(&args, str_of(fresh));
    l->setup_left = 1;
    if (link_eval_text(l, SCRIPT_EPOCH, &keys, &args, on_epoch, l) < 0)
        l->is_setting_up = false; /* the connection is gone: on_down follows */
    link_words_fini(&keys);
    link_words_fini(&args);
}

void link_note_seen(struct link *l, const char *epoch, int64_t n)
{
    if (!epoch[0])
        return;
    if (!l->seen_epoch[0]) {
        snprintf(l->seen_epoch, sizeof l->seen_epoch, "%s", epoch);
        l->seen_n = 0;
    }
    if (strcmp(l->seen_epoch, epoch) == 0 && n > l->seen_n)
        l->seen_n = n;
}

/* ---- begin, and again */

void link_setup_begin(struct link *l)
{
    const char *info[] = {"INFO", "server"}, *role[] = {"ROLE"};
    int rc;

    if (!redis_is_up(l->cmd) || l->is_setting_up)
        return;
    if (l->cfg->debug.format)
        l->format = (int)l->cfg->debug.format;
    l->is_setting_up = true;
    l->setup_failed = l->has_epoch = false;
    l->setup_left = 3 + SCRIPT_N + (l->sentinel ? 1 : 0);
    rc = call(l, info, 2, on_server, l); /* first: of an old one this is said, and not what else it doesn't know */
    if (rc == 0)
        rc = call(l, (const char **)(uintptr_t)settings_argv, 4, on_settings, l);
    if (rc == 0)
        rc = link_look(l, on_first_look);
    if (rc == 0 && l->sentinel)
        rc = call(l, role, 1, on_role, l);
    if (rc == 0)
        rc = load_scripts(l);
    if (rc < 0) /* the connection is gone again: on_down follows */
        l->is_setting_up = false;
}

void link_setup_beat(struct link *l)
{
    const char *memory[] = {"INFO", "memory"};

    if (!redis_is_up(l->cmd))
        return;
    if (!l->is_up)
        link_setup_begin(l);
    else if (l->beats % LINK_SETTINGS_BEATS == 0)
        call(l, (const char **)(uintptr_t)settings_argv, 4, on_settings_again, l);
    if (l->is_up && l->beats % LINK_MEMORY_BEATS == 0)
        call(l, memory, 2, on_memory, l);
}
