/*
 * err: why something failed, as a code and a sentence.
 *
 * A function returns 0 or a negative ERR_*. Details go to its last argument, a struct err, which each level
 * prefixes with its own half sentence: "archive: open /x: disk full". err may be NULL where nobody reads it.
 * Units   none.   Thread  any; a struct err belongs to its caller.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_MAP(X)                                                                                                     \
    X(INVALID, 1, "invalid value")                                                                                     \
    X(NOT_FOUND, 2, "not found")                                                                                       \
    X(EXISTS, 3, "exists already")                                                                                     \
    X(FULL, 4, "full")                                                                                                 \
    X(TOO_LARGE, 5, "too large")                                                                                       \
    X(IO, 6, "input/output error")                                                                                     \
    X(NO_MEMORY, 7, "out of memory")                                                                                   \
    X(TIMEOUT, 8, "timed out")                                                                                         \
    X(GONE, 9, "connection lost")                                                                                      \
    X(BUSY, 10, "busy")                                                                                                \
    X(CORRUPT, 11, "corrupt")                                                                                          \
    X(DENIED, 12, "not allowed")                                                                                       \
    X(CONFLICT, 13, "conflict")                                                                                        \
    X(UNSUPPORTED, 14, "not supported")                                                                                \
    X(USAGE, 15, "wrong usage")                                                                                        \
    X(AGAIN, 16, "try again")

enum {
#define ERR_ENUM(name, n, text) ERR_##name = -(n),
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
};

struct err {
    int code;       /* the ERR_* set last, 0: none */
    char text[480]; /* one line, no trailing newline; "" if code is 0 */
};

/* The fixed text of an ERR_* code; never NULL. */
const char *err_text(int code);

/* Sets code and text (printf form); returns code, so that one can `return err_set(...)`. err may be NULL. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text there is (or of the code's own text) and returns code. err may be NULL. */
int err_wrap(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The text of *err, or that of its code. Borrowed from err. */
const char *err_why(const struct err *err);

#endif
