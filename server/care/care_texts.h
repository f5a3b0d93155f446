/*
 * care_texts: what the machine says to a shopper, in the shopper's language: while they wait (rules 3.1, 3.2), and on coming, staying
 * and leaving (rule 3.4). Pure.
 *
 * A text has variables: {name} the shopper, {department}, {handler}, {owner}, {summary}, {hours}, {back}: how long the way back to the owner stands. In the program's own texts a '|'
 * stands between parts, and a part with a variable that isn't known is left out.
 *
 * Source  MISSION 3, UX 8: every string a person sees exists in zh-CN and en.   Owns  nothing: the texts are the program's.
 */
#ifndef CARE_TEXTS_H
#define CARE_TEXTS_H

#include "base/base_buf.h"

enum care_text {
    CARE_TEXT_WATER,
    CARE_TEXT_EXPLAIN,
    CARE_TEXT_GREETING,
    CARE_TEXT_CHECKIN,
    CARE_TEXT_FAREWELL,
    CARE_TEXT_EXPLAINED, /* by {handler}, who acts on the alert; {summary}: in their words */
    CARE_TEXT_CALLBACK,  /* {handler} calls back; not known: whose the call-back is that was asked for */
    CARE_TEXT_REACH,     /* the same, and how to reach the shopper isn't known */
    CARE_TEXT_N
};

enum care_language { CARE_EN, CARE_ZH, CARE_LANGUAGE_N };

/* A site's and a department's own words; "" or NULL: the program's. */
struct care_words {
    const char *greeting[CARE_LANGUAGE_N], *farewell[CARE_LANGUAGE_N];
    const char *department[CARE_LANGUAGE_N]; /* its title */
    const char *hours;                       /* as in the setting; "" always open */
    int64_t back_ms;                         /* how long a return leads to the owner; 0: it doesn't */
};

/* What is known of this chat; .n 0: nothing. */
struct care_facts {
    struct str name, handler, owner, summary;
};

/* "zh…" is Chinese, all else English. */
enum care_language care_language(struct str locale);
/* The program's own text, variables and parts as they stand: for the list of what is no reply (rule 2.1). */
struct str care_text(enum care_text which, struct str locale);
/* "water", "explain", "greeting", "checkin", "farewell", "explained", "callback" (of both its texts): as it stands in the entry. */
const char *care_step_name(enum care_text which);
/*
 * Appends the text with its variables filled in. A site's greeting gets the shopper's name in front, and a site's farewell the summary,
 * the hours and the way back behind, where it doesn't say them itself.
 */
void care_write(struct buf *out, enum care_text which, struct str locale, const struct care_words *words, const struct care_facts *facts);

#endif
