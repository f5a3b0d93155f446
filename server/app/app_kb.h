/*
 * app_kb: the knowledge base as the running server uses it. Inside the room only.
 *
 *   app_kb.c        suggestions: asked on worker threads, told to reps and shoppers, never late for a newer question
 *   app_kb_shelf.c  which articles stand: the folder's files and what the console saved over them; watched, reloaded
 *   app_kb_feed.c   the knowledge base's logs in Redis: verdicts, versions, what shoppers said; taken in, in order, by every node
 *   app_kb_http.c   what the editor asks over HTTP
 *   app_kb_gaps.c   what nobody could answer, from the archive
 *
 * Logs  `kb_YYYYMM`, one a month (UTC), beginning behind any seq that one of an earlier life can have (commit.lua).
 *       What stands there is durable before `ok`; the tables of kb.sqlite are made from it.
 *       They stay in Redis: a node that joins, or has lost its kb.sqlite, makes it from them, and the archive is one node's.
 * Thread  loop, but for what is said to run on a worker.
 */
#ifndef APP_KB_H
#define APP_KB_H

#include "app/app_room.h"
#include "archive/archive_kb.h"
#include "kb/kb_files.h"

#define KB_BASE_SIZE 17 /* hex of 8 bytes and NUL */
#define KB_SYNONYMS "@synonyms"
#define KB_FEEDS_MAX 160 /* months: those behind us, and those to come while a node runs */

/* One version of one article that stands now. */
struct kb_book {
    struct kb_article *article;      /* held */
    char base[KB_BASE_SIZE];         /* digest of the file's version; "" there is no file */
    int64_t version, at_ms;          /* the newest of the console; 0: none */
    char who[ID_SIZE], name[64];
    bool is_console;                 /* the console's version stands; else the file's */
    bool set_aside;                  /* the file was changed after the console's version */
};

/* All of them, by id and language. */
struct kb_shelf {
    struct kb_book *books;
    unsigned n;
    char *synonyms;                  /* that stand; may be NULL */
    char synonyms_base[KB_BASE_SIZE];
    int64_t synonyms_version;
    char problem[480];               /* why the files as they are now couldn't be taken; "" fine */
};

/* One month's log and how far it is taken in. */
struct kb_feed {
    char log[16];
    char epoch[40];
    int64_t n; /* entries taken in; -1: ask the table */
    int64_t last_seq; /* of the last entry taken in by this process */
    bool is_dirty;
};

/* Somebody waits until an entry is taken in. */
struct kb_wait {
    char log[16];
    int64_t seq, since_ms;
    bool for_shelf; /* and until the articles are loaded that it changed */
    bool is_taken;
    uint64_t load;  /* the load that has it */
    void (*fn)(void *ctx);
    void *ctx;
    struct kb_wait *next;
};

struct app_kb {
    struct app *app;
    struct archive_kb *store;
    struct kb_shelf *shelf;          /* NULL until the first load */
    bool is_loading, again, is_owed; /* is_owed: the last load failed */
    uint64_t loads, loaded;          /* begun, done */
    int64_t looked_at_ms;
    /* the loader's, one at a time */
    struct kb_files files;
    bool has_files;
    uint64_t bad_stamp;
    struct kb_feed feeds[KB_FEEDS_MAX];
    unsigned feeds_n;
    bool is_feeding, is_fed;         /* is_fed: all logs were read once */
    struct kb_wait *waits;
    struct map live;                 /* chat → struct kb_live */
};

/* app_kb_shelf.c */
/* Reads and checks the files, at once; for the start: what is wrong with them is said then. */
int kb_shelf_read(struct app_kb *k, struct err *err);
/* Loads on a worker, if a file has changed or always. */
void kb_shelf_reload(struct app_kb *k, bool always);
void kb_shelf_tick(struct app_kb *k);
void kb_shelf_destroy(struct kb_shelf *s);
/* Whether who is asking may know of the article, in whatever language. */
bool kb_shelf_has(const struct kb_shelf *s, struct str id, enum kb_audience who);
const struct kb_book *kb_shelf_find(const struct kb_shelf *s, struct str id, struct str lang);
/* An article as a file with front matter. */
void kb_shelf_write_file(struct buf *out, const struct kb_article *a);

/* app_kb_feed.c */
void kb_feed_start(struct app_kb *k);
void kb_feed_on_log(struct app_kb *k, struct str log);
void kb_feed_tick(struct app_kb *k);
void kb_feed_loaded(struct app_kb *k);
/* The log that an entry of now goes to. */
void kb_feed_log(struct app_kb *k, char log[16]);
/* fn once the entry is taken in here; at the latest after a while, it is durable. log "": once the next load is done. */
void kb_feed_wait(struct app_kb *k, const char *log, int64_t seq, bool for_shelf, void (*fn)(void *ctx), void *ctx);
void kb_feed_stop(struct app_kb *k);

/* app_kb_http.c, app_kb_gaps.c */
void kb_http(void *ctx, struct http_call *call, const struct http_kb *q);
void kb_gaps_ask(struct app_kb *k, struct http_call *call, const struct http_kb *q);

#endif
