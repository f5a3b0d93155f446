/* LD_PRELOAD: each disk has as many MiB free as FAULT_DISK, a file, says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>

int statfs64(const char *path, struct statfs64 *out)
{
    static int (*real)(const char *, struct statfs64 *);
    const char *name = getenv("FAULT_DISK");
    FILE *f = name ? fopen(name, "re") : NULL;
    unsigned long long mib;
    int rc;

    if (!real)
        real = (int (*)(const char *, struct statfs64 *))dlsym(RTLD_NEXT, "statfs64");
    rc = real(path, out);
    if (f && fscanf(f, "%llu", &mib) == 1 && rc == 0)
        out->f_bavail = out->f_bfree = (mib << 20) / (unsigned long long)out->f_bsize;
    if (f)
        fclose(f);
    return rc;
}
