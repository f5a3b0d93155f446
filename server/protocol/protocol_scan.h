/*
 * scan: a cheap look over JSON text before the parser takes memory for it.
 *
 * One pass over the bytes; strings are skipped by their quotes. It judges no syntax: what it passes may still
 * be no JSON. Thread  any.
 */
#ifndef PROTOCOL_SCAN_H
#define PROTOCOL_SCAN_H

#include "base/base_buf.h"

enum scan_result { SCAN_OK, SCAN_TOO_DEEP, SCAN_TOO_MANY_KEYS };

/* depth: brackets open at once at most; keys: colons outside of strings at most. */
enum scan_result scan_json(struct str text, unsigned depth, unsigned keys);

#endif
