/*
 * LD_PRELOAD: memory is refused when a test says so. FAULT_NOMEM names a file of three int64: how many more
 * allocations go well before the next is refused (0: all go well), how many are refused then, one after
 * the other, and for how many ms a thread that aborts keeps the process from its end (as one does that waits
 * for a processor: the others go on meanwhile). The first two are counted down in place. Programs that this
 * one starts are left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static struct {
    _Atomic int64_t left, refused, late_ms;
} * plan;

static void end_late(int signal)
{
    int64_t ms = plan->late_ms;

    (void)signal;
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
} /* and abort() ends it */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_NOMEM");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p;

    unsetenv("LD_PRELOAD"); /* its children have allocators of their own */
    p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED)
        return;
    plan = p;
    signal(SIGABRT, end_late);
}

static int is_refused(void)
{
    if (!plan || atomic_load_explicit(&plan->left, memory_order_relaxed) <= 0)
        return 0;
    if (atomic_fetch_sub(&plan->left, 1) != 1)
        return 0;
    if (atomic_fetch_sub(&plan->refused, 1) > 1)
        atomic_store(&plan->left, 1); /* the next one too */
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return is_refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return is_refused() ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
    return is_refused() ? NULL : __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = memalign(align, n);

    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}
