/*
 * archive_pace: what the writer's connection costs others comes in small pieces. A VFS of its own over the
 * system's, for that connection alone: a write is passed on first, then paced.
 *
 * Disk    what is written is synced each megabyte, each quarter of one while it is calm: a checkpoint of
 *         32 MB that is synced in one go makes every other fsync on that disk, Redis's of its log too, wait
 *         until all of it is out.
 *
 * Core    while it is calm, a piece of work is followed by a break twice as long, for where loop, Redis and
 *         the writer share a core: between SQLite's instructions, and at each write.
 *
 * Thread  calm is a thread's own.
 */
#ifndef ARCHIVE_PACE_H
#define ARCHIVE_PACE_H

#include <stdbool.h>

struct sqlite3;

/* The VFS's name for sqlite3_open_v2; it is registered at the first call. NULL: the system's own, unpaced. */
const char *archive_pace_vfs(void);
/* Lets this connection pause between SQLite's instructions too. */
void archive_pace_watch(struct sqlite3 *db);
/* Of this thread, until it is set anew. */
void archive_pace_set_calm(bool is_calm);

#endif
