/*
 * The table of settings and how one value is read, kept and written; for config's own files alone.
 */
#ifndef CONFIG_ROW_H
#define CONFIG_ROW_H

#include "config/config.h"

enum config_type {
    CONFIG_INT,   /* int64_t */
    CONFIG_MS,    /* int64_t; also 500ms, 30s, 5m, 12h, 3d */
    CONFIG_BYTES, /* int64_t; also 64k, 1m */
    CONFIG_BOOL,  /* bool */
    CONFIG_STR,   /* char * */
    CONFIG_LIST,  /* char *; items between commas or line ends */
    CONFIG_ENUM   /* int, an index of choices */
};

/* What is wrong with a text, as the rest of a sentence: "is not …"; NULL if it is well. */
typedef const char *config_check_fn(const char *text);

struct config_row {
    const char *section; /* "limits"; "site", "department" and "canned" stand for [site.NAME] and so on */
    const char *key;
    enum config_type type;
    size_t offset;              /* in struct config, config_site, config_department or config_canned */
    const char *def;            /* as it would stand in the file */
    int64_t min, max;           /* INT, MS, BYTES; of a text max is the most bytes */
    const char *const *choices; /* ENUM, or STR of few values: NULL-terminated */
    config_check_fn *check;     /* STR: or NULL */
    bool secret;                /* never printed, never in an error */
    const char *help;           /* one line */
};

extern const struct config_row config_rows[];
extern const size_t config_rows_n;
extern const struct config_row config_site_rows[];
extern const size_t config_site_rows_n;
extern const struct config_row config_department_rows[];
extern const size_t config_department_rows_n;
extern const struct config_row config_canned_rows[];
extern const size_t config_canned_rows_n;

/* Reads text into the row's member of *base (freeing an old string). The error is "SECTION.KEY: …" with that
 * name. */
int config_value_set(const struct config_row *row, void *base, const char *name, struct str text,
                     struct err *err);
/* All rows of *base get their defaults; strings there are not freed first. */
void config_value_defaults(const struct config_row *rows, size_t n, void *base);
void config_value_free(const struct config_row *rows, size_t n, void *base);
/* The value as it would stand in a file; a secret as ***. */
void config_value_print(const struct config_row *row, const void *base, struct buf *out);
/* The row's range or choices: "0–1000000", "always, everysec". Nothing for a free text. */
void config_value_describe(const struct config_row *row, struct buf *out);
/* candidate if it is closer to the misspelt name than so_far was, else so_far. *best starts at 4: only closer
 * ones count. */
const char *config_nearest(struct str name, const char *candidate, const char *so_far, unsigned *best);

/* Checks of texts. */
config_check_fn config_check_listen, config_check_listen_or_none, config_check_url, config_check_origins,
    config_check_networks, config_check_color, config_check_zone, config_check_hours, config_check_holidays,
    config_check_name_or_none, config_check_redis_or_none;

/* Parse what was checked; caller frees *out. NULL or what is wrong. */
const char *config_hours_parse(const char *text, struct config_span **out, size_t *n);
const char *config_holidays_parse(const char *text, struct config_days **out, size_t *n);

/* True if s may name a site, a department or a canned reply. */
bool config_name_is_valid(struct str s);

/* The text of a CONFIG_STR or CONFIG_LIST member. */
char **config_value_text(const struct config_row *row, const void *base);

/* Before keys are set: takes out the site and departments that no section made. */
void config_unsettle(struct config *cfg);
/* After it: brings what is made from keys up to date, those too. */
void config_settle(struct config *cfg);

/* Sets one key, "site.shop" and "origins"; section and key as in the file. The error begins with
 * "SECTION.KEY: ". */
int config_assign(struct config *cfg, struct str section, struct str key, struct str value, struct err *err);
/* Finds [limits], makes [site.shop] if it isn't there. */
int config_open_section(struct config *cfg, struct str section, struct err *err);

#endif
