/*
 * app: the running server: wires the rooms and fills in their ports; gate → load → decide → commit → fan-out.
 *
 * Thread  app_run() is the loop thread.   Source  DESIGN 1 to 4, ARCHITECTURE.md.
 */
#ifndef APP_H
#define APP_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct config;

struct app_options {
    const char *data_dir;  /* is there */
    const char *redis_url; /* NULL: mind a local redis-server in data_dir */
    const char *listen;    /* HOST:PORT; NULL: server.listen */
    bool is_demo;          /* `/` is the storefront */
    const char *notes;     /* further lines printed behind "ready …"; NULL none */
    const char *site;      /* said in the line of "ready …"; NULL: there is one alone */
};

/*
 * Serves until SIGTERM, SIGINT or SIGHUP. Prints `ready http://HOST:PORT` on standard output once it can serve. Returns 0 after an ordered
 * stop; a start that fails or a fault that can't be borne: ERR_* with a sentence.
 */
int app_run(struct config *cfg, const struct app_options *opt, struct err *err);

/*
 * Runs one process a site: this program with these arguments (NULL-terminated) and `--site ID`. One that ends is started again, after
 * half a second, doubled with each time in a row up to 30 s; the others don't notice. SIGTERM, SIGINT and SIGHUP end all in order: 0 if each
 * ended with 0. What happens to this process happens to them: they end with it.
 */
int app_sites_run(const struct config *cfg, char *const *argv, struct err *err);
/* False under nohup: who started it so wants it to stay. */
bool app_hears_hangup(void);
/* In such a process, at its start. */
void app_sites_join(void);

#endif
