/* A settings file: a refusal is one sentence; what is taken prints as a file that is taken, too, and prints the same. */
#include "fuzz.h"

#include "config/config.h"

#include <sys/mman.h>
#include <unistd.h>

static int read_bytes(struct config *cfg, const void *p, size_t n, struct err *err)
{
    char path[40];
    int fd = memfd_create("settings", MFD_CLOEXEC), rc;

    MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rc = config_read_file(cfg, path, err);
    close(fd);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct config *cfg = config_create(), *again = config_create();
    struct buf one, two, problems;
    struct err err = {0};

    buf_init(&one, 1 << 24);
    buf_init(&two, 1 << 24);
    buf_init(&problems, 1 << 20);
    if (read_bytes(cfg, bytes, n, &err) < 0) {
        MUST(err.text[0] && !strchr(err.text, '\n'));
    } else {
        config_check(cfg, &problems, &err);
        config_print(cfg, &one);
        if (!strstr(one.p, "= ***") && one.n < CONFIG_FILE_MAX) { /* secrets aren't printed */
            MUST(read_bytes(again, one.p, one.n, &err) == 0);
            config_print(again, &two);
            MUST(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
        }
    }
    buf_fini(&one);
    buf_fini(&two);
    buf_fini(&problems);
    config_destroy(cfg);
    config_destroy(again);
    return 0;
}
