#include "log/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Atomic int level_now = LOG_INFO;
static const char *site_now;
static const char *const names[LOG_LEVEL_N] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    atomic_store(&level_now, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed);
}

void log_set_site(const char *site)
{
    site_now = site;
}

void log_line(enum log_level level, const char *room, const char *fmt, ...)
{
    char line[1024], body[800];
    size_t n;
    struct timespec ts;
    struct tm tm;
    va_list ap;

    if (level > log_get_level())
        return;
    va_start(ap, fmt);
    vsnprintf(body, sizeof body, fmt, ap);
    va_end(ap);
    for (char *p = body; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ %s %s %s%s%s%s\n", ts.tv_nsec / 1000000, names[level], room,
                          site_now ? "site=" : "", site_now ? site_now : "", site_now ? " " : "", body);
    if (n >= sizeof line)
        n = sizeof line - 1;
    if (write(STDERR_FILENO, line, n) < 0) {
        /* standard error is gone: there is nobody left to tell */
    }
}
