/*
 * kb_state: what was learned, as a file beside the tables: a start reads it in place of taking every step again.
 *
 * The file holds what steps made (weights, sums of gradients, where the random numbers stand, the calibration), not what articles and
 * marks say again by themselves (features, examples, grams). It fits only the very articles, marks, settings and code that it was made from:
 *
 *     base    digest of the set before its first mark: format, settings, features of all articles, in order
 *     marks   how many it has taken in; chain: digest of these, each with the one before, in the tables' order
 *     whole   digest of the set with these marks; at the end of the file a sum over all of it
 *
 * What doesn't fit, or was cut short, is as good as none: all is learned again, and comes to the same, to the bit. An undone mark breaks
 * the chain where it stood. The file is written aside (PATH.new), brought to disk and renamed: one is never half there.
 *
 * Owns    nothing but the open file.   Thread  one at a time an object; blocks (disk).
 * Errors  said, and never in the way: without the file a start takes longer.
 */
#ifndef KB_STATE_H
#define KB_STATE_H

#include <stdio.h>

#include "base/base_buf.h"
#include "base/base_err.h"

/* Whoever changes what a step does, or how a text becomes features, raises it. */
#define KB_STATE_FORMAT 5

/* A file that is being written or read, and the sum over what went through. */
struct kb_io {
    FILE *file;
    uint64_t sum;
    bool failed; /* what follows changes nothing */
};

void kb_io_put(struct kb_io *io, const void *p, size_t n);
/* False if so much isn't there. */
bool kb_io_get(struct kb_io *io, void *p, size_t n);

struct kb_state_head {
    uint64_t base, chain, whole;
    uint64_t marks;
};

/* Writes path anew: the head, and what body puts behind it. */
int kb_state_write(const char *path, const struct kb_state_head *head, void (*body)(void *ctx, struct kb_io *io), void *ctx,
                   struct err *err);
/* Opens path for reading behind its head. ERR_NOT_FOUND: there is none, or none of this program's. */
int kb_state_open(const char *path, struct kb_io *io, struct kb_state_head *head, struct err *err);
/* Whether all was read, and was what was written. Closes the file; one that isn't open is fine. */
bool kb_state_close(struct kb_io *io);

/* The chain with one more mark. */
struct kb_mark;
uint64_t kb_state_chain(uint64_t chain, const struct kb_mark *mark);

#endif
