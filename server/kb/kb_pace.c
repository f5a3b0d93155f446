#include "kb/kb_pace.h"

#define SHARES      8 /* ticks of 50 ms are KB_PACE_MS: who was started is not due again before all others had their turn */
#define SHARE_LEAST 4

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t kb_pace_due(const struct kb_pace *p, bool is_preview, int64_t now_ms)
{
    int64_t least = p->started_ms ? p->started_ms + KB_PACE_MS : now_ms, due = now_ms;

    if (is_preview) {
        due += KB_REST_MS;
    } else if (p->waits || now_ms < least) { /* in one breath with what it said before */
        int64_t breath = p->started_ms + KB_BREATH_MS;

        due = now_ms + KB_REST_MS < breath ? now_ms + KB_REST_MS : later(now_ms, breath);
    }
    return later(due, least);
}

uint32_t kb_pace_share(uint32_t chats)
{
    return chats / SHARES + SHARE_LEAST;
}
