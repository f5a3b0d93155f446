/*
 * What is wrong, by name (PROMISES 2.14): each state says since when, why, and what it does to chats. Shown
 * in /readyz and /metrics, logged when it comes and goes, and told to those who are connected: staff in
 * words, shoppers only whether chats are taken.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BEHIND_MS     10000  /* a lag that lasts this long is said */
#define CORRECTED_MS  600000 /* how long a corrected clock is told */
#define HOLE_MS       3600000
#define REFUSED_MS    3600000
#define FULL_PERMILLE 800 /* of Redis's maxmemory: then no new chats */
#define MIB           (1024.0 * 1024.0)

static const struct {
    const char *name, *means;
    enum app_chats chats;
} table[APP_STATE_N] = {
    [STATE_REDIS_AWAY] = {"redis_away", "1 while Redis can't be reached.", CHATS_STOPPED},
    [STATE_REDIS_WEAK] = {"redis_weak", "1 while Redis keeps less than is configured.", CHATS_STOPPED},
    [STATE_REDIS_OLD] = {"redis_old", "1 while Redis is of a version that is too old.", CHATS_STOPPED},
    [STATE_REDIS_NEWER] = {"redis_newer", "1 while the data is of a newer format than this node knows.",
                           CHATS_STOPPED},
    [STATE_REDIS_REFUSES] = {"redis_refuses", "1 while Redis answers and takes no writes.", CHATS_STOPPED},
    [STATE_REDIS_FULL] = {"redis_full", "1 while Redis has used 80 % of its memory.", CHATS_NO_NEW},
    [STATE_DATA_LOST] = {"data_lost", "1 for an hour after the live data was found in an earlier state.",
                         CHATS_OPEN},
    [STATE_ARCHIVE_BEHIND] = {"archive_behind", "1 while entries wait for the archive.", CHATS_OPEN},
    [STATE_ARCHIVE_AWAY] = {"archive_away", "1 while no node has the archive.", CHATS_OPEN},
    [STATE_ARCHIVE_FULL] = {"archive_full", "1 while the archive's disk is full.", CHATS_OPEN},
    [STATE_ARCHIVE_REFUSED] = {"archive_refused", "1 for an hour after the archive refused an entry.", CHATS_OPEN},
    [STATE_DISK_LOW] = {"disk_low", "1 while the disk of the live data is below its limit.", CHATS_NO_NEW},
    [STATE_DISK_OUT] = {"disk_out", "1 while the disk of the live data is below half of its limit.",
                        CHATS_STOPPED},
    [STATE_ARCHIVE_DISK_LOW] = {"archive_disk_low", "1 while the disk of the archive is below its limit.",
                                CHATS_OPEN},
    [STATE_MEMORY_HIGH] = {"memory_high", "1 while this node's memory is above its limit.", CHATS_OPEN},
    [STATE_CLOCK] = {"clock_corrected", "1 for ten minutes after the site's time was corrected.", CHATS_OPEN},
    [STATE_TIMERS_STUCK] = {"timers_stuck", "1 while a timer can't be decided.", CHATS_OPEN},
    [STATE_DRAINING] = {"draining", "1 while this node stops.", CHATS_OPEN},
};

static const char *const chats_names[] = {
    [CHATS_OPEN] = "open", [CHATS_NO_NEW] = "no_new", [CHATS_STOPPED] = "stopped"};

/* ---- telling */

static void write_states(const struct app *a, struct buf *b)
{
    json_key(b, "states");
    json_open(b, '[');
    for (unsigned i = 0; i < APP_STATE_N; i++) {
        const struct app_state *s = &a->states[i];

        if (!s->since_ms)
            continue;
        json_open(b, '{');
        json_kv_s(b, "name", table[i].name);
        json_kv_int(b, "since", s->since_ms);
        json_kv_s(b, "why", s->why);
        json_kv_s(b, "chats", chats_names[table[i].chats]);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_health(const struct app *a, bool for_staff, struct buf *b)
{
    json_kv_s(b, "chats", chats_names[a->chats]);
    if (for_staff)
        write_states(a, b);
}

void state_write_health(const struct app *a, bool for_staff, struct buf *b)
{
    if (a->chats == CHATS_OPEN && !(for_staff && state_is_any(a)))
        return;
    json_key(b, "health");
    json_open(b, '{');
    write_health(a, for_staff, b);
    json_close(b, '}');
}

static void tell(struct app *a, bool also_shoppers)
{
    static const char key[] = "health";

    for (int staff = 0; staff < 2; staff++) {
        struct buf b;

        if (!staff && !also_shoppers)
            continue;
        buf_init(&b, 16384);
        buf_add_s(&b, "{\"t\":\"health\"");
        write_health(a, staff, &b);
        buf_add_c(&b, '}');
        for (struct conn *c = a->conns; c; c = c->next_all)
            if (c->is_ready && c->is_staff == staff)
                signal_raw(c, crypto_short_hash(key, sizeof key - 1), buf_str(&b));
        buf_fini(&b);
    }
}

void state_write_ready(const struct app *a, struct buf *b)
{
    write_states(a, b);
    json_kv_s(b, "chats", chats_names[a->chats]);
    json_key(b, "reasons");
    json_open(b, '[');
    for (unsigned i = 0; i < APP_STATE_N; i++)
        if (a->states[i].since_ms)
            json_text(b, str_of(a->states[i].why));
    json_close(b, ']');
}

void state_write_metrics(const struct app *a, struct buf *b)
{
    buf_add_s(b, "# HELP firstline_state What is wrong with this node or what it depends on, by name.\n# "
                 "TYPE firstline_state gauge\n");
    for (unsigned i = 0; i < APP_STATE_N; i++)
        buf_printf(b, "firstline_state{name=\"%s\"} %d\n", table[i].name, a->states[i].since_ms != 0);
}

bool state_is_any(const struct app *a)
{
    for (unsigned i = 0; i < APP_STATE_N; i++)
        if (a->states[i].since_ms)
            return true;
    return false;
}

/* ---- judging */

static int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* As UTF-8, whatever stands in a path and wherever a sentence was cut: a browser ends the connection that other bytes come on. */
static void keep_why(struct app_state *s, const char *why)
{
    size_t n, least;

    snprintf(s->why, sizeof s->why, "%s", why);
    n = strlen(s->why);
    least = n > 3 ? n - 3 : 0; /* without a piece of a character at its end */
    while (n > least && !utf8_is_valid((struct str){s->why, n}))
        n--;
    if (utf8_is_valid((struct str){s->why, n})) {
        s->why[n] = 0;
        return;
    }
    for (char *c = s->why; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
}

/* why NULL or "": it doesn't hold. True if that is news. */
static bool set(struct app *a, enum app_state_name i, const char *why)
{
    struct app_state *s = &a->states[i];
    bool holds = why && why[0], did = s->since_ms != 0;

    if (holds)
        keep_why(s, why);
    if (holds == did)
        return false;
    s->since_ms = holds ? clock_ms() : 0;
    if (holds)
        log_warn("app", "state begins name=%s chats=%s why=\"%s\"", table[i].name,
                 chats_names[table[i].chats], why);
    else
        log_info("app", "state ends name=%s", table[i].name);
    return true;
}

static const char *disk_why(const struct app_disk *d, const struct config *c, double part, char *out,
                            size_t size)
{
    double least = (double)c->limits.disk_mb * MIB * part, percent = (double)c->limits.disk_percent * part;

    if (d->total <= 0 || (d->free_bytes >= least && d->free_bytes * 100 >= percent * d->total))
        return NULL;
    snprintf(out, size, "disk low: %.0f MiB (%.1f %%) are free where %s is kept", d->free_bytes / MIB,
             d->free_bytes * 100 / d->total, d->what);
    return out;
}

static void say_hole(const struct app *a, char *out, size_t size)
{
    static const char people[] = "accounts that are missing come back by `firstline user restore`";

    if (!a->hole_at_ms || (int64_t)uv_now(a->loop) - a->hole_at_ms >= HOLE_MS)
        return;
    if (a->put_back + a->lost > 0)
        snprintf(out, size, "the live data was in an earlier state: %llu entries were put back, %llu chats may miss some; %s",
                 (unsigned long long)a->put_back, (unsigned long long)a->lost, people);
    else
        snprintf(out, size, "the live data is in an earlier state than the archive: open chats lack what came since; the transcripts have it; %s", people);
}

static bool judge_redis(struct app *a)
{
    enum link_fault f = a->is_up ? LINK_FINE : a->link ? link_fault(a->link) : LINK_AWAY;
    const char *why = a->link && link_why(a->link)[0] ? link_why(a->link) : "redis away";
    unsigned used = a->link ? link_memory_permille(a->link) : 0;
    char full[120] = "", hole[240] = "", clock[120] = "";
    int64_t corrected = a->link ? link_clock_corrected_ms(a->link) : -1;
    bool news = false;

    if (used >= FULL_PERMILLE)
        snprintf(full, sizeof full, "redis has used %u %% of its memory: no new chats, open ones go on",
                 used / 10);
    say_hole(a, hole, sizeof hole);
    if (corrected >= 0 && corrected < CORRECTED_MS)
        snprintf(clock, sizeof clock,
                 "redis's clock left this node's by over 2 s: the site's time was corrected");
    news |= set(a, STATE_REDIS_AWAY, f == LINK_AWAY ? why : NULL);
    news |= set(a, STATE_REDIS_WEAK, f == LINK_WEAK ? why : NULL);
    news |= set(a, STATE_REDIS_OLD, f == LINK_OLD ? why : NULL);
    news |= set(a, STATE_REDIS_NEWER, f == LINK_NEWER ? why : NULL);
    news |= set(a, STATE_REDIS_REFUSES, f == LINK_FINE ? a->redis_refuses : NULL);
    news |= set(a, STATE_REDIS_FULL, full);
    news |= set(a, STATE_DATA_LOST, hole);
    news |= set(a, STATE_CLOCK, clock);
    return news;
}

static bool judge_archive(struct app *a)
{
    const char *feed = jobs_feed_why(a->feed);
    int64_t now = (int64_t)uv_now(a->loop), lag = jobs_feed_lag(a->feed), refused_at = 0;
    int64_t refused_n = a->archive ? archive_quarantined(a->archive, &refused_at) : 0;
    char behind[320] = "", away[1024] = "", refused[160] = "";
    bool news = false;

    if (lag == 0)
        a->behind_since_ms = 0;
    else if (!a->behind_since_ms)
        a->behind_since_ms = now;
    if (feed[0])
        snprintf(behind, sizeof behind, "archive behind: %s", feed);
    else if (a->behind_since_ms && now - a->behind_since_ms > BEHIND_MS)
        snprintf(behind, sizeof behind, "archive behind: %lld commits wait", (long long)lag);
    if (a->archive_refused[0])
        snprintf(away, sizeof away, "archive away: %s", a->archive_refused);
    else if (a->archive_elsewhere && strcmp(a->archive_node, a->node) == 0)
        snprintf(away, sizeof away,
                 "archive away: this node had it, and %s is another file: put the right one in its place (is its disk mounted?) and start again, "
                 "or run firstline archive adopt",
                 a->cfg->archive.path[0] ? a->cfg->archive.path : "archive.sqlite");
    else if (a->archive_elsewhere && a->beats > 3 && !a->archive_node_lives)
        snprintf(away, sizeof away, "archive away: node %s, which has it, is silent", a->archive_node);
    if (refused_n > 0 && clock_ms() - refused_at < REFUSED_MS)
        snprintf(refused, sizeof refused, "the archive refused entries, %lld are kept aside: the log names each, their chats stay in redis",
                 (long long)refused_n);
    news |= set(a, STATE_ARCHIVE_BEHIND, behind);
    news |= set(a, STATE_ARCHIVE_REFUSED, refused);
    news |= set(a, STATE_ARCHIVE_FULL, jobs_feed_rc(a->feed) == ERR_FULL ? feed : NULL);
    news |= set(a, STATE_ARCHIVE_AWAY, away);
    return news;
}

static bool judge_disks(struct app *a)
{
    char low[200], out[200], archive[200];
    bool news = set(a, STATE_DISK_LOW, disk_why(&a->disk[DISK_LIVE], a->cfg, 1, low, sizeof low));

    news |= set(a, STATE_DISK_OUT, disk_why(&a->disk[DISK_LIVE], a->cfg, 0.5, out, sizeof out));
    news |= set(a, STATE_ARCHIVE_DISK_LOW,
                disk_why(&a->disk[DISK_ARCHIVE], a->cfg, 1, archive, sizeof archive));
    return news;
}

/* It ends a tenth below its limit: at the limit itself it would come and go. */
static bool judge_memory(struct app *a)
{
    double used = (double)a->resident_bytes / MIB, most = (double)a->cfg->limits.memory_mb;
    char why[120] = "";

    if (used > (a->states[STATE_MEMORY_HIGH].since_ms ? most * 0.9 : most))
        snprintf(why, sizeof why, "memory high: this node takes %.0f MiB, and may take %.0f: no new connections", used, most);
    return set(a, STATE_MEMORY_HIGH, why);
}

/* One that was set back is tried again before this ends. */
static bool judge_timers(struct app *a)
{
    char why[240] = "";

    if (a->timer_stuck_at_ms && (int64_t)uv_now(a->loop) - a->timer_stuck_at_ms < 2 * TIMER_SET_BACK_MS)
        snprintf(why, sizeof why, "timers can't be decided, the last one is %s: they are set back and tried again; the log names each", a->timer_stuck);
    return set(a, STATE_TIMERS_STUCK, why);
}

void state_look_at_memory(struct app *a)
{
    if (a->cfg->limits.memory_mb)
        uv_resident_set_memory(&a->resident_bytes);
}

void state_judge(struct app *a)
{
    enum app_chats before = a->chats, chats = CHATS_OPEN;
    bool news = judge_redis(a);

    news |= judge_archive(a);
    news |= judge_disks(a);
    news |= judge_memory(a);
    news |= judge_timers(a);
    news |= set(a, STATE_DRAINING, a->is_draining ? "draining" : NULL);
    for (unsigned i = 0; i < APP_STATE_N; i++)
        if (a->states[i].since_ms && table[i].chats > chats)
            chats = table[i].chats;
    a->chats = chats;
    a->tell_staff = a->tell_staff || news;
    a->tell_shoppers = a->tell_shoppers || chats != before;
}

/* On a beat and not at once: what comes and goes in a moment is nobody's news. */
void state_tell(struct app *a)
{
    if (!a->was_ready || (!a->tell_staff && !a->tell_shoppers))
        return;
    tell(a, a->tell_shoppers);
    a->tell_staff = a->tell_shoppers = false;
}

/* ---- disks: looked at on a worker thread, a network disk may take its time */

struct look {
    uv_fs_t req;
    struct app *app;
    struct app_disk *disk;
};

static void on_statfs(uv_fs_t *req)
{
    struct look *k = req->data;
    const uv_statfs_t *f = req->ptr;

    if (req->result == 0 && f) {
        k->disk->free_bytes = (double)f->f_bavail * (double)f->f_bsize;
        k->disk->total = (double)f->f_blocks * (double)f->f_bsize;
    }
    k->disk->is_looking = false;
    k->app->works--;
    uv_fs_req_cleanup(req);
    free(k);
}

static void look_at(struct app *a, struct app_disk *d, const char *what, const char *path)
{
    struct look *k;

    if (d->is_looking)
        return;
    k = mem_zalloc(sizeof *k);
    k->app = a;
    k->disk = d;
    k->req.data = k;
    d->what = what;
    d->is_looking = uv_fs_statfs(a->loop, &k->req, path, on_statfs) == 0;
    a->works += d->is_looking;
    if (!d->is_looking)
        free(k);
}

void state_look_at_disks(struct app *a)
{
    char live[600];
    const char *archive = a->cfg->archive.path[0] ? a->cfg->archive.path : a->opt.data_dir;

    snprintf(live, sizeof live, "%s/redis", a->opt.data_dir);
    if (a->minder)
        look_at(a, &a->disk[DISK_LIVE], "the live data", live);
    if (!a->minder || a->cfg->archive.path[0])
        look_at(a, &a->disk[DISK_ARCHIVE], "the archive", archive);
}
