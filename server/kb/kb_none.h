/*
 * kb_none: what people say that no article answers: greetings, thanks, small talk, scraps, other people's
 * business.
 *
 * They are examples of a class of their own, which is never suggested: what sounds like them makes a
 * suggestion less likely to be right. Written by hand, in English and Chinese; a shop that sells weather has
 * an article on it, and its words then pull both ways.
 *
 * Thread  any.
 */
#ifndef KB_NONE_H
#define KB_NONE_H

#include "base/base_buf.h"

/* Calls fn with each of them. */
void kb_none_each(void (*fn)(void *ctx, struct str text), void *ctx);

#endif
