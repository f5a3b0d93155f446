/*
 * fuzz: what the targets share. libFuzzer calls LLVMFuzzerTestOneInput() with bytes of its own; what doesn't hold ends the process.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define MUST(what)                                                                                   \
    do {                                                                                             \
        if (!(what)) {                                                                               \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);                \
            abort();                                                                                 \
        }                                                                                            \
    } while (0)

#endif
