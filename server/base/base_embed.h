/*
 * embed: the files that are built into the program: SQL, Lua, web assets.
 *
 * Names are paths below the repository's (or the build's) root: "lua/commit.lua", "sql/….sql",
 * "migrations/001_….sql", "web/console.html", "web/assets/panel-ABCD1234.js.br", "kb/en/refund-timing.md".
 * Thread  any.   Owns  nothing: the bytes are the program's own, NUL-terminated behind n.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include "base/base_buf.h"

struct embed {
    const char *name;
    struct str data;
    const char *digest; /* 16 hex digits of its SHA-256: as an entity tag, without reading it */
};

/* The file of that name, or NULL. */
const struct embed *embed_find(const char *name);
/* Walks the files whose names begin with prefix, in order of name; start with *i = 0; NULL at the end. */
const struct embed *embed_next(const char *prefix, size_t *i);

#endif
