/*
 * LD_PRELOAD: the wall clock of one process goes wrong by what FAULT_CLOCK, a file, says: seconds, and optionally a
 * drift in parts per million ("3600", "-86400", "0 50000"). Read again every 20 ms. The monotonic clock stays right.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*real_gettime)(clockid_t, struct timespec *);

static int64_t offset_ns(void)
{
    static _Thread_local int64_t read_at, begun_at;
    static _Thread_local double seconds, ppm;
    struct timespec mono;
    int64_t now;

    real_gettime(CLOCK_MONOTONIC, &mono);
    now = mono.tv_sec * 1000000000LL + mono.tv_nsec;
    if (!read_at || now - read_at > 20000000) {
        const char *path = getenv("FAULT_CLOCK");
        FILE *f = path ? fopen(path, "re") : NULL;
        double s = 0, p = 0;

        if (f) {
            if (fscanf(f, "%lf %lf", &s, &p) < 1)
                s = seconds, p = ppm;
            fclose(f);
        }
        if (p != ppm || !begun_at)
            begun_at = now;
        seconds = s;
        ppm = p;
        read_at = now;
    }
    return (int64_t)(seconds * 1e9) + (int64_t)((double)(now - begun_at) * ppm / 1e6);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc;

    if (!real_gettime)
        real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    rc = real_gettime(id, out);
    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t t = out->tv_sec * 1000000000LL + out->tv_nsec + offset_ns();

        out->tv_sec = t / 1000000000;
        out->tv_nsec = t % 1000000000;
    }
    return rc;
}

int gettimeofday(struct timeval *tv, void *tz)
{
    struct timespec t;

    (void)tz;
    clock_gettime(CLOCK_REALTIME, &t);
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}
