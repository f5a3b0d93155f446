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
    const char *data_dir;  /* exists or is made (0700) */
    const char *redis_url; /* NULL: mind a local redis-server in data_dir */
    const char *listen;    /* HOST:PORT; NULL: server.listen */
    bool is_demo;          /* `/` is the storefront */
    const char *notes;     /* further lines printed behind "ready …"; NULL none */
};

/*
 * Serves until SIGTERM or SIGINT. Prints `ready http://HOST:PORT` on standard output once it can serve. Returns 0 after an ordered
 * stop; a start that fails or a fault that can't be borne: ERR_* with a sentence.
 */
int app_run(struct config *cfg, const struct app_options *opt, struct err *err);

#endif
