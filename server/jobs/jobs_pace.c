#include "jobs/jobs_pace.h"

#include "link/link.h"

#define FEED_LOOK_MS 400 /* without a kick */
#define FEED_PACE_MS 400 /* between looks that a kick asks for: what came meanwhile costs one transaction, not many */
#define ROWS_A_ROUND 4096 /* shared by the logs that it reads: a round is one transaction */
#define ROWS_LEAST   32   /* of one log, though */
#define READS        4
#define READS_LATE   8
#define REST_MS      4
#define READ_MS      250 /* without a rest from then on */
#define FREE_LOOK_MS 1000

bool jobs_feed_is_due(const struct jobs_pace *p, int64_t now_ms)
{
    if (now_ms < p->retry_at_ms)
        return false;
    return p->at_once || now_ms - p->looked_at_ms >= (p->kicked ? FEED_PACE_MS : FEED_LOOK_MS);
}

int64_t jobs_feed_rows(size_t logs_n)
{
    int64_t rows = ROWS_A_ROUND / (int64_t)logs_n;

    return rows > ROWS_LEAST ? rows : ROWS_LEAST;
}

unsigned jobs_feed_reads(bool is_late)
{
    return is_late ? READS_LATE : READS;
}

bool jobs_feed_reads_on(bool is_late, int64_t began_ms, int64_t read_ms, int64_t now_ms)
{
    return is_late || now_ms - read_ms >= REST_MS || now_ms - began_ms >= READ_MS;
}

bool jobs_feed_may_be_calm(bool leaves_some, int64_t came, int64_t rows)
{
    return !leaves_some || (came >= 0 && 2 * rows >= 3 * came);
}

bool jobs_free_is_due(int64_t looked_at_ms, int64_t now_ms)
{
    return now_ms - looked_at_ms >= FREE_LOOK_MS;
}

enum jobs_free_step jobs_free_next(const struct link_extent *e, enum jobs_archived archived)
{
    if (!e)
        return FREE_PUT_OFF;
    if (e->length == 0)
        return FREE_FORGET;
    if (archived == ARCHIVED_NOT_ASKED)
        return FREE_ASK;
    return archived == ARCHIVED_WHOLE ? FREE_GO : FREE_PUT_OFF;
}
