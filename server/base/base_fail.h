/*
 * base_fail: places where a test makes the program die, wait or fail.
 *
 * Compiled in with FIRSTLINE_FAILPOINTS only; without it a point is nothing. What they do stands in the environment:
 * FIRSTLINE_FAIL=point:action[:n][,…], or FIRSTLINE_FAIL=@FILE with that text in FILE, which is read again whenever it
 * has changed (so that a test can arm a point in a running server).
 *
 *   action  kill (SIGKILL to itself) · exit (status 99, nothing tidied) · delay=MS (this thread sleeps) · error (the point
 *           says true, and the code at it fails as it would of itself)
 *   n       at the n-th time that the point is passed since it was armed (1 if absent); `n+`: from then on each time
 *
 * Thread  any.   Source  PROMISES 4, tests/faults.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <stdbool.h>

#ifdef FIRSTLINE_FAILPOINTS
bool fail_point(const char *name);
#else
static inline bool fail_point(const char *name)
{
    (void)name;
    return false;
}
#endif

#define FAIL_POINT(name) fail_point(name)

#endif
