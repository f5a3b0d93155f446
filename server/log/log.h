/*
 * log: lines on standard error, `level room what key=value …`, made for people and for grep.
 *
 * Control characters become '?' (no CR, LF or ESC from outside can forge a line); a quote in a value stays. Longer
 * than 799 bytes it is cut. Never given to it: chat text, contact data, tokens, passwords.   Thread  any: one write(2) a line.
 */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_N };

/* Lines above this level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* Lines say of which site they are (borrowed for good); NULL, as at the start: there is one alone. */
void log_set_site(const char *site);

/* room: "net", "link" …; the rest is printf form. */
void log_line(enum log_level level, const char *room, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(room, ...) log_line(LOG_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...)  log_line(LOG_WARN, room, __VA_ARGS__)
#define log_info(room, ...)  log_line(LOG_INFO, room, __VA_ARGS__)
#define log_debug(room, ...)                                                                                           \
    do {                                                                                                               \
        if (log_get_level() >= LOG_DEBUG)                                                                              \
            log_line(LOG_DEBUG, room, __VA_ARGS__);                                                                    \
    } while (0)

#endif
