#include "archive/archive_pace.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <time.h>

#define PIECE        (1 << 20) /* bytes */
#define PIECE_CALM   (256 << 10)
#define WORK_NS      300000 /* then a break is due */
#define BREAK_MAX_NS 2000000
#define OPS_BETWEEN  200 /* of SQLite's instructions, between two looks at the clock: some 50 µs */

static _Thread_local struct {
    bool is_calm;
    int64_t since_ns; /* the end of the last break */
    int64_t unsynced; /* bytes written since the last sync, of whichever file */
} pace;

static int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void archive_pace_set_calm(bool is_calm)
{
    pace.is_calm = is_calm;
    pace.since_ns = is_calm ? clock_ns() : 0;
}

/* A break, if this thread is calm and one is due. */
static void breathe(void)
{
    int64_t ns;

    if (!pace.is_calm)
        return;
    ns = clock_ns() - pace.since_ns;
    if (ns < WORK_NS)
        return;
    ns = 2 * ns < BREAK_MAX_NS ? 2 * ns : BREAK_MAX_NS;
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
    pace.since_ns = clock_ns();
}

static int on_progress(void *ctx)
{
    (void)ctx;
    breathe();
    return 0;
}

void archive_pace_watch(struct sqlite3 *db)
{
    sqlite3_progress_handler(db, OPS_BETWEEN, on_progress, NULL);
}

/* --- the VFS: the system's own, with its files' xWrite and xSync taken through here */

/* A file's methods: the database and its WAL have different ones. */
struct paced {
    sqlite3_io_methods methods; /* first: a file's pMethods is this */
    const sqlite3_io_methods *system;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* paced */
static struct paced paced[2];
static sqlite3_vfs *system_vfs, vfs;

static const sqlite3_io_methods *system_of(const sqlite3_file *f)
{
    return ((const struct paced *)f->pMethods)->system;
}

static int paced_sync(sqlite3_file *f, int flags)
{
    int rc = system_of(f)->xSync(f, flags);

    pace.unsynced = 0;
    pace.since_ns = clock_ns(); /* it waited: a break as good as any */
    return rc;
}

static int paced_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc = system_of(f)->xWrite(f, p, n, at);

    if (rc != SQLITE_OK)
        return rc;
    pace.unsynced += n;
    if (pace.unsynced >= (pace.is_calm ? PIECE_CALM : PIECE))
        return paced_sync(f, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    breathe();
    return SQLITE_OK;
}

static const sqlite3_io_methods *pace_methods(const sqlite3_io_methods *system)
{
    const sqlite3_io_methods *out = system; /* a third kind stays as it is */

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < sizeof paced / sizeof *paced && out == system; i++) {
        if (!paced[i].system) {
            paced[i] = (struct paced){.methods = *system, .system = system};
            paced[i].methods.xWrite = paced_write;
            paced[i].methods.xSync = paced_sync;
        }
        if (paced[i].system == system)
            out = &paced[i].methods;
    }
    pthread_mutex_unlock(&lock);
    return out;
}

static int open_paced(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    int rc = system_vfs->xOpen(system_vfs, name, f, flags, out_flags);

    (void)v;
    if (rc == SQLITE_OK && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))
        f->pMethods = pace_methods(f->pMethods);
    return rc;
}

static void enter(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs)
        return;
    vfs = *system_vfs;
    vfs.zName = "firstline-paced";
    vfs.xOpen = open_paced;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        system_vfs = NULL;
}

const char *archive_pace_vfs(void)
{
    pthread_once(&once, enter);
    return system_vfs ? vfs.zName : NULL;
}
