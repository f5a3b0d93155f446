/*
 * cli_set: a backup's set of files in a directory, and what it says of itself.
 *
 *   firstline.backup                    what the set holds: a line a file, with size and digest; written last, so a set without it is none
 *   archive.sqlite .key .heads          the archive
 *   redis/appendonlydir/                the live data, if its Redis is the data directory's own
 *   kb.sqlite -learned                  what is made of the knowledge base's logs
 *   firstline.ini                       the configuration file, if one was used
 *
 * Errors  each function that takes an err: 0, or its code with a sentence that names the path.
 */
#ifndef CLI_SET_H
#define CLI_SET_H

#include "base/base_crypto.h"
#include "base/base_err.h"
#include "link/link_minder_copy.h"

#define CLI_SET_NAME      "firstline.backup"
#define CLI_SET_CONFIG    "firstline.ini"
#define CLI_SET_LIVE      "redis/appendonlydir"
#define CLI_SET_MANIFEST  CLI_SET_LIVE "/appendonly.aof.manifest"
#define CLI_SET_FILES_MAX (MINDER_COPY_MAX + 16)
#define CLI_SET_BYTES_MAX 65536 /* of its list, and of a manifest */
#define CLI_SET_PATH      1200

struct cli_set_file {
    char path[160], digest[2 * CRYPTO_HASH_BYTES + 1]; /* path: below the set's directory */
    long long size;                                    /* bytes */
};

struct cli_set {
    char version[32], site[128], taken[32], epoch[40]; /* epoch "": it has no live data */
    long long commits, rows;
    struct cli_set_file file[CLI_SET_FILES_MAX];
    unsigned n;
};

/* dir/name. Returns out. */
const char *cli_set_in(char out[CLI_SET_PATH], const char *dir, const char *name);

/* At most size bytes from a file's beginning, to a new one, which is on disk then. Fewer are no error: what was behind a torn end may be
 * cut meanwhile. ERR_EXISTS, ERR_FULL (the disk), ERR_IO. */
int cli_set_copy_fd(int from, long long size, const char *to, struct err *err);
/* All of it. */
int cli_set_copy(const char *from, const char *to, struct err *err);
/* A new file of this text, which is on disk then. ERR_FULL, ERR_IO. */
int cli_set_write_file(const char *path, struct str text, struct err *err);
/* One that is there already is well. ERR_IO. */
int cli_set_make_dir(const char *path, struct err *err);
/* What the directory lists is on disk. ERR_IO. */
int cli_set_sync(const char *path, struct err *err);
/* The same for dir, those of its live data, and the one that lists it. */
int cli_set_sync_all(const char *dir, bool has_live, struct err *err);

/* Size and digest. ERR_NOT_FOUND, ERR_IO. */
int cli_set_measure(const char *path, struct cli_set_file *f, struct err *err);
/* A file that has been copied to dir belongs to the set. ERR_FULL: too many; as cli_set_measure(). */
int cli_set_add(struct cli_set *s, const char *dir, const char *name, struct err *err);

/* The list, into dir. Its last line is the digest of those before. */
int cli_set_write(const struct cli_set *s, const char *dir, struct err *err);
/* The list of dir. ERR_NOT_FOUND: it is no set; ERR_UNSUPPORTED: of a newer version; ERR_CORRUPT: damaged, or a path that no backup
 * gives; ERR_IO. */
int cli_set_read(struct cli_set *s, const char *dir, struct err *err);

#endif
