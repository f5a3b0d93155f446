/* commits [STEPS [SEED]]: runs of RUN steps each, from rising seeds, until STEPS are done. Says what was met;
 * 1: something was broken. */
#include "commits.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN  50000
#define CALM 400000 /* within so many steps all must have come to rest */

struct counts counts;
static uint64_t x, seed, step;
static int64_t clock_ms;
static bool calm;

uint32_t rnd(uint32_t n)
{
    uint64_t z = (x += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

bool one_in(uint32_t n)
{
    return rnd(n) == 0;
}

int64_t now_ms(void)
{
    return clock_ms;
}

bool is_calm(void)
{
    return calm;
}

void broken(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "commits BROKEN (seed %llu, step %llu): ", (unsigned long long)seed,
            (unsigned long long)step);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* Ids and the maps' order come from the seed too. */
static uint32_t random_word(void)
{
    return rnd(UINT32_MAX);
}

static void random_bytes(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)rnd(256);
}

static const char *random_name(void)
{
    return "seed";
}

static struct randombytes_implementation from_seed = {
    .implementation_name = random_name, .random = random_word, .buf = random_bytes};

static char *read_script(const char *name)
{
    const char *root = getenv("FIRSTLINE_SOURCE");
    char path[4096], *text = mem_zalloc(1 << 16);
    FILE *f;

    snprintf(path, sizeof path, "%s/schema/lua/%s.lua", root ? root : ".", name);
    f = fopen(path, "r");
    if (!f || fread(text, 1, (1 << 16) - 1, f) == 0) {
        fprintf(stderr, "commits: %s can't be read; run it from the top of the source\n", path);
        exit(2);
    }
    fclose(f);
    return text;
}

static void one_step(void)
{
    if (one_in(3))
        clients_step();
    nodes_step();
    if (one_in(10))
        clock_ms += one_in(1000) && clock_ms > 1800000001000
                        ? -(int64_t)rnd(900)
                        : (int64_t)rnd(20); /* Redis' clock is set back now and then */
}

static void run(char *const *scripts)
{
    x = seed * 0x2545f4914f6cdd1dULL;
    clock_ms = 1800000000000;
    calm = false;
    truth_reset();
    store_open(scripts);
    nodes_open();
    clients_open();
    for (step = 0; step < RUN; step++) {
        one_step();
        if (one_in(20000))
            nodes_new_epoch();
    }
    calm = true;
    for (; !clients_are_settled() || !nodes_are_idle(); step++) {
        one_step();
        if (step > RUN + CALM) {
            clients_describe();
            broken("it doesn't come to rest");
        }
    }
    for (unsigned i = CHATS; truth_at(i); i++)
        broken("a chat was begun twice: %s", truth_at(i)->id);
    clients_close();
    nodes_close();
    store_close();
}

int main(int argc, char **argv)
{
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, done = 0, runs = 0;
    char *scripts[SCRIPT_N] = {[SCRIPT_COMMIT] = read_script("commit"), [SCRIPT_READ] = read_script("read")};
    struct err err;

    randombytes_set_implementation(&from_seed);
    crypto_start(&err);
    protocol_start();
    for (seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1; done < steps; seed++, runs++) {
        run(scripts);
        done += step;
    }
    printf("commits: %llu runs, %llu steps, %llu calls of the script, %llu entries, %llu oks, %llu refused, "
           "%llu unknown\n",
           (unsigned long long)runs, (unsigned long long)done, (unsigned long long)counts.commits,
           (unsigned long long)counts.entries, (unsigned long long)counts.oks,
           (unsigned long long)counts.refused, (unsigned long long)counts.unknown);
    printf("met: %llu ways cut, %llu nodes dead, %llu ghosts, %llu epochs, %llu resumes, %llu syncs, %llu "
           "full outboxes; nothing broken\n",
           (unsigned long long)counts.cuts, (unsigned long long)counts.crashes,
           (unsigned long long)counts.ghosts, (unsigned long long)counts.epochs,
           (unsigned long long)counts.resumes, (unsigned long long)counts.syncs,
           (unsigned long long)counts.full);
    free(scripts[SCRIPT_COMMIT]);
    free(scripts[SCRIPT_READ]);
    return 0;
}
