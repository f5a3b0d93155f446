/*
 * config: the settings of one server, from an INI file and --set, each one row of the table in
 * config_table.c.
 *
 * A member is named like its key: `[limits] burst = 20` is cfg->limits.burst. Sites, departments and canned replies are
 * sections of their own, `[site.shop]`, `[department.sales]`, `[canned.on_its_way]`. Without any there is one site,
 * `default`; a site without departments has one, `general`, always open.
 *
 * Owns    all strings and arrays; config_destroy() frees them. A change (config_read_file, config_set) may
 * move the arrays. Bounds  a file of 1 MiB, 100 sites, 1000 departments, 500 canned replies.   Units  in the name; times are
 * milliseconds. Thread  read by any once it is set up; changed by one, before that. Errors  one sentence with
 * file, line, key and cure. After an error of a key all others hold.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/base_buf.h"
#include "base/base_err.h"

#define CONFIG_FILE_MAX        (1024 * 1024)
#define CONFIG_SITES_MAX       100
#define CONFIG_DEPARTMENTS_MAX 1000
#define CONFIG_CANNED_MAX      500
#define CONFIG_NAME_MAX        32 /* characters of a site's, department's or canned reply's name */
#define CONFIG_PROXIES_MAX     32 /* addresses and networks in http.trusted_proxies */

enum config_fsync { CONFIG_FSYNC_ALWAYS, CONFIG_FSYNC_EVERYSEC };

/* A time zone's offsets from UTC; made by config_zone_load(). */
struct config_zone;

/* A span of the week: minutes since Monday 00:00 local time, [from, to), to ≤ 7 days. */
struct config_span {
    uint16_t from, to;
};

/* Whole days, numbered from 1970-01-01 local time, both ends included. */
struct config_days {
    int32_t from, to;
};

enum config_own { CONFIG_OWN_NONE, CONFIG_OWN_NO, CONFIG_OWN_YES };

/* Numbers of the rules that a site, and a department in it, may have of its own; 0 and CONFIG_OWN_NONE: as one level up. */
struct config_rules {
    int64_t offer_ms, silent_ms, overflow_ms;           /* routing */
    int64_t transfer_ms, confirm_ms;                    /* transfer.answer_ms, resolution.confirm_ms */
    int64_t grace_ms, return_ms;                        /* ownership */
    int64_t care_first_ms, care_alert_ms, care_act_ms;  /* care */
    int64_t gone_ms;                                    /* queue */
    int auto_accept;                                    /* enum config_own; routing */
};

/* A storefront. Strings are never NULL; "" is "not set". */
struct config_site {
    char *id;          /* the section's name: letters, digits, _ and - */
    char *origins;     /* list; walk it with config_list_next() */
    char *name;        /* shown to shoppers; "" where the id will do */
    char *color;       /* "#rrggbb" or "" */
    char *time_zone;   /* "Asia/Shanghai" */
    char *jwt_secret;  /* of the storefront's signed identities; "" none are taken */
    char *jwt_issuer;  /* the `iss` they must bear */
    char *greeting_zh; /* may have several lines */
    char *greeting_en;
    char *farewell_zh;
    char *farewell_en;
    char *locale; /* "zh-CN" or "en": of shoppers who name none */
    /* Of its own where there are several; "": as the setting behind it. Taken over by config_take_site(). */
    char *listen;         /* server.listen */
    char *metrics_listen; /* metrics.listen */
    char *public_url;     /* http.public_url */
    char *kb_dir;         /* kb.dir */
    char *redis;          /* URL of its Redis; "" as --redis says */
    bool preview; /* what shoppers type is shown to reps before it is sent */
    struct config_rules rules;
    /* Made from these: */
    struct config_zone *zone; /* NULL: UTC (config_check says why) */
    bool implied;             /* no section made it */
};

struct config_department {
    char *name;     /* the section's name, unique within the site */
    char *site;     /* id of its site */
    char *title_zh; /* shown to shoppers; "" where the name will do */
    char *title_en;
    char *hours;     /* "mon-fri 09:00-18:00; sat 10:00-16:00", "" always open */
    char *holidays;  /* list of 2026-10-01 and 2026-10-01..2026-10-07: closed */
    char *skills;    /* list: what a rep must have */
    char *languages; /* list: zh, en */
    char *lead;      /* login of who answers for it, "" nobody */
    char *fallback;  /* department of the same site that helps out, "" none */
    char *keywords;  /* list: words that lead a first message here */
    struct config_rules rules;
    /* Made from these: */
    struct config_span *week; /* in order of time; week_n 0: always open */
    size_t week_n;
    struct config_days *closed;
    size_t closed_n;
    const struct config_zone *zone; /* of its site, borrowed */
    bool implied;                   /* no section made it */
};

/* A canned reply: what a rep may send as it stands, but for its {variables}. */
struct config_canned {
    char *name;     /* the section's name, unique */
    char *site;     /* id of the only site that has it; "" all */
    char *title_zh; /* what reps find it by, beside its name and text */
    char *title_en;
    char *text_zh;  /* one of the two is set (config_check) */
    char *text_en;
};

struct config_class {
    int64_t head_start_ms; /* how much earlier than it did a chat of this class counts as come */
    int64_t weight;        /* what one fills of a rep's capacity */
    char *keywords;        /* list: words in a first message that make it one */
};

struct config {
    struct {
        char *listen;  /* HOST:PORT, port 0: any */
        bool share_port;
        char *node;    /* this node's name, "" the host's */
        int log_level; /* enum log_level */
    } server;
    struct {
        char *public_url;      /* "" none */
        char *trusted_proxies; /* list of addresses and networks */
    } http;
    struct {
        char *listen; /* HOST:PORT, "" off */
    } metrics;
    struct {
        int appendfsync; /* enum config_fsync */
        int64_t wait_ms;
        bool trusted;
        int64_t command_ms;
        int64_t maxmemory_mb;
        int64_t replicas;    /* that must have a commit before its ok; 0: none */
        int64_t replicas_ms;
    } redis;
    struct {
        int64_t format; /* acts as a version that knows formats up to this; 0: off */
    } debug;
    struct {
        int64_t messages_per_s; /* 0: no limit */
        int64_t burst;
        int64_t chats_per_address_h; /* 0: no limit */
        int64_t care_percent;        /* of those, how many may say that they need care */
        int64_t hellos_per_s;
        int64_t connections; /* 0: from the descriptors that the system allows */
        int64_t frame_bytes;
        int64_t text_chars;
        int64_t depth;
        int64_t outbox_bytes;
        int64_t outbox_frames;
        int64_t idle_ping_ms;
        int64_t ping_grace_ms;
        int64_t handshake_ms;
        int64_t chat_idle_ms; /* a chat without need of it leaves memory */
        int64_t header_bytes;
        int64_t memory_mb; /* 0: no limit */
        int64_t disk_percent;
        int64_t disk_mb;
    } limits;
    struct {
        int64_t offer_ms;
        bool auto_accept;
        int64_t silent_ms;
        int64_t missed_pause;
        int64_t overflow_ms;
    } routing;
    struct {
        int64_t answer_ms;
    } transfer;
    struct {
        int64_t grace_ms;
        int64_t return_ms;
    } ownership;
    struct {
        int64_t confirm_ms;
    } resolution;
    struct {
        int64_t first_ms;
        int64_t alert_ms;
        int64_t act_ms;
    } care;
    struct {
        int64_t gone_ms;
    } queue;
    struct {
        int64_t grace_ms;
        int64_t beat_ms;
        int64_t silent_ms;
    } presence;
    struct {
        int64_t keep_ms;
    } chat;
    struct {
        char *path; /* "" in the data folder */
    } archive;
    struct {
        int64_t threshold_permille;
        int64_t shopper_permille;
        char *dir; /* "" the articles that are built in */
    } kb;
    struct {
        int64_t session_ms;
        int64_t attempts_per_min;
    } auth;
    struct {
        struct config_class urgent, care, returning, vip, normal;
    } class;

    struct config_site *sites; /* at least one */
    size_t sites_n;
    struct config_department *departments; /* at least one a site */
    size_t departments_n;
    struct config_canned *canned;
    size_t canned_n;
};

/* All defaults. Caller: config_destroy(), which accepts NULL. */
struct config *config_create(void);
void config_destroy(struct config *cfg);

/* Reads a file over what there is. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE, ERR_INVALID. */
int config_read_file(struct config *cfg, const char *path, struct err *err);
/* One setting, "section.key=value"; a site, department or canned reply that isn't there yet is made. ERR_INVALID, ERR_FULL.
 */
int config_set(struct config *cfg, const char *assignment, struct err *err);
/*
 * Looks at what no single key can tell. Adds warnings to problems (may be NULL), one a line.
 * ERR_INVALID where the server can't start with it.
 */
int config_check(const struct config *cfg, struct buf *problems, struct err *err);
/* From now on it is the configuration of this site alone: what the site has of its own stands in the settings, the others are gone.
 * ERR_NOT_FOUND names those that there are. */
int config_take_site(struct config *cfg, struct str id, struct err *err);
/* All settings as an INI file with the help as comments; secrets as ***. Reading it back gives the same. */
void config_print(const struct config *cfg, struct buf *out);

/* NULL if there is none. Borrowed, valid until the next change. */
struct config_site *config_site_find(const struct config *cfg, struct str id);
struct config_department *config_department_find(const struct config *cfg, struct str site, struct str name);
/* The head start of a class by name ("urgent" … "normal"); 0 if there is no such class. */
int64_t config_head_start_ms(const struct config *cfg, struct str class_name);

/* The next item of a list (commas or line ends between, blanks around dropped); start with *rest = the list.
 * False at the end. */
bool config_list_next(struct str *rest, struct str *item);
/* Whether the list of origins has this one, in either case of letters, its scheme's port written out or not. */
bool config_origins_has(const char *list, struct str origin);

/* Whether the department serves at that moment: its hours, holidays and its site's time zone. Pure. */
bool config_is_open(const struct config_department *d, int64_t now_ms);

/* Reads /usr/share/zoneinfo/NAME. ERR_NOT_FOUND, ERR_INVALID. Caller: config_zone_destroy(), which accepts
 * NULL. */
int config_zone_load(const char *name, struct config_zone **out, struct err *err);
void config_zone_destroy(struct config_zone *z);
/* Seconds east of UTC at that moment; 0 for NULL. */
int32_t config_zone_offset_s(const struct config_zone *z, int64_t at_ms);

#endif
