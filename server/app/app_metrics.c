/* GET /metrics: what this node counts, and what its things take of the memory. */
#include "app/app_room.h"

#include <stdio.h>

static void metric(struct buf *b, const char *name, const char *type, const char *help, int64_t v)
{
    buf_printf(b, "# HELP firstline_%s %s\n# TYPE firstline_%s %s\nfirstline_%s %lld\n", name, help, name, type, name, (long long)v);
}

/* Of so many things, what they take together, and one of them. */
static void memory_of(struct buf *b, const char *things, const char *thing, const char *what, size_t bytes, uint64_t n)
{
    char name[64], help[200];

    snprintf(name, sizeof name, "%s_bytes", things);
    snprintf(help, sizeof help, "Memory of %s.", what);
    metric(b, name, "gauge", help, (int64_t)bytes);
    snprintf(name, sizeof name, "%s_bytes", thing);
    snprintf(help, sizeof help, "The same for one of them, 0 while there is none.");
    metric(b, name, "gauge", help, n ? (int64_t)(bytes / n) : 0);
}

static size_t connection_bytes(const struct conn *c)
{
    size_t n = mem_bytes(c) + (c->name[0] ? mem_bytes(c->name) : 0) + mem_bytes(c->page) + mem_bytes(c->stuck);

    return c->net ? n + net_conn_bytes(c->net) : n;
}

/* Counted by structure, as it stands; what the allocator keeps between pieces is in the resident memory only. */
static void memory(const struct app *a, struct buf *b)
{
    size_t conns = net_websocket_bytes(a->net) + mem_bytes(a->guests.first), chats = 0, entries = 0;
    uint64_t entries_n = 0;
    struct map_item *it;
    uint32_t i = 0;

    for (const struct conn *c = a->conns; c; c = c->next_all)
        conns += connection_bytes(c);
    while ((it = map_next(&a->slots, &i))) {
        const struct slot *s = it->value;

        chats += mem_bytes(s) + mem_bytes(it->key) + chat_bytes(&s->chat);
        entries += mem_bytes(s->ring) + s->ring_bytes;
        entries_n += s->ring_n;
    }
    metric(b, "entries_in_memory", "gauge", "Log entries held in memory.", (int64_t)entries_n);
    memory_of(b, "connections", "connection", "open WebSocket connections, with what waits to be sent", conns, a->conns_n);
    memory_of(b, "chats", "chat", "chats held in memory, without their entries", chats, a->slots.n);
    memory_of(b, "entries", "entry", "log entries held in memory", entries, entries_n);
    metric(b, "pools_bytes", "gauge", "Memory kept for commands to come.", (int64_t)(pool_bytes(&a->cmds) + pool_bytes(&a->flights)));
}

void metrics_write(void *ctx, struct buf *out)
{
    struct app *a = ctx;
    struct net_counts n = net_count(a->net);
    int64_t refused_at = 0;
    size_t rss = 0;

    uv_resident_set_memory(&rss);
    metric(out, "connections", "gauge", "Open WebSocket connections.", (int64_t)a->conns_n);
    metric(out, "connections_opened_total", "counter", "Connections opened.", (int64_t)n.opened);
    metric(out, "connections_refused_total", "counter", "Connections refused.", (int64_t)n.refused);
    metric(out, "connections_closed_slow_total", "counter", "Connections closed for reading too slowly.", (int64_t)n.closed_slow);
    metric(out, "frames_in_total", "counter", "Frames received.", (int64_t)n.frames_in);
    metric(out, "frames_out_total", "counter", "Frames sent.", (int64_t)n.frames_out);
    metric(out, "commits_total", "counter", "Commits acknowledged by Redis.", (int64_t)a->commits);
    metric(out, "refusals_total", "counter", "Commands answered with an error.", (int64_t)a->refusals);
    metric(out, "chats_in_memory", "gauge", "Chats held in memory.", (int64_t)a->slots.n);
    metric(out, "chats_asleep", "gauge", "Chats that ended and left memory, and are still watched.", (int64_t)a->asleep.n);
    metric(out, "redis_pending", "gauge", "Commands to Redis under way.", a->link ? (int64_t)link_pending(a->link) : 0);
    metric(out, "redis_up", "gauge", "1 if Redis is usable.", a->is_up);
    metric(out, "archive_lag", "gauge", "Commits not archived yet.", jobs_feed_lag(a->feed));
    metric(out, "archive_quarantined", "gauge", "Entries that the archive refused and keeps aside.",
           a->archive ? archive_quarantined(a->archive, &refused_at) : 0);
    metric(out, "chats_freed_total", "counter", "Chats that ended and left Redis.", (int64_t)jobs_free_done(a->freer));
    metric(out, "chats_put_off_total", "counter", "How often a chat that ended could not leave Redis yet.",
           (int64_t)jobs_free_put_off(a->freer));
    metric(out, "epochs_total", "counter", "New lives of the live data that this node met.", (int64_t)a->epochs);
    metric(out, "put_back_total", "counter", "Entries that this node put back into the live data.", (int64_t)a->put_back);
    metric(out, "lost_chats_total", "counter", "Chats of which entries are known to be lost.", (int64_t)a->lost);
    metric(out, "redis_memory_permille", "gauge", "Used part of Redis's memory, thousandths.", a->link ? (int64_t)link_memory_permille(a->link) : 0);
    state_write_metrics(a, out);
    metric(out, "resident_bytes", "gauge", "Resident memory of this process.", (int64_t)rss);
    metric(out, "redis_used_memory_bytes", "gauge", "Memory that Redis says it uses.", a->link ? link_memory_bytes(a->link) : 0);
    memory(a, out);
}
