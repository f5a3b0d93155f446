#include "archive/archive_fold.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 512

struct archive_chat *archive_chat_create(void)
{
    struct archive_chat *c = mem_zalloc(sizeof *c);

    c->complete = true;
    return c;
}

void archive_chat_destroy(struct archive_chat *c)
{
    if (!c)
        return;
    free(c->site);
    free(c->department);
    free(c->transfer_department);
    free(c->shopper.name);
    free(c->owner.name);
    free(c->handler.name);
    for (unsigned i = 0; i < c->tags_n; i++)
        free(c->tags[i].text);
    free(c->tags);
    free(c->people);
    free(c);
}

enum chat_state archive_state_from_name(struct str name)
{
    for (unsigned s = 0; s < CHAT_STATE_N; s++) {
        if (str_is(name, chat_state_name((enum chat_state)s)))
            return (enum chat_state)s;
    }
    return CHAT_NONE;
}

static void set_text(char **to, struct str s)
{
    free(*to);
    *to = s.n > 0 ? mem_strndup(s.s, s.n < NAME_MAX_BYTES ? s.n : utf8_prefix(s, NAME_MAX_BYTES / 4).n)
                  : NULL;
}

static void take_department(void *ctx, struct str key, struct val v)
{
    if (str_is(key, "department") && v.type == VAL_STR)
        set_text(ctx, v.s);
}

/* An id that doesn't fit is no id of ours. */
static void set_id(char to[ARCHIVE_ID_BYTES], struct str id)
{
    size_t n = id.s && id.n < ARCHIVE_ID_BYTES ? id.n : 0;

    if (n > 0)
        memcpy(to, id.s, n);
    to[n] = '\0';
}

void archive_who_set(struct archive_who *who, struct str id, struct str name)
{
    bool same = str_is(id, who->id);

    set_id(who->id, id);
    if (name.n > 0 || !same)
        set_text(&who->name, name);
}

struct member {
    char id[ARCHIVE_ID_BYTES];
    char *name;
    unsigned objects;
};

static void on_member(void *ctx, struct str key, struct val v)
{
    struct member *m = ctx;

    if (!key.s)
        m->objects++;
    else if (m->objects > 0 || v.type != VAL_STR)
        return;
    else if (str_is(key, "id"))
        set_id(m->id, v.s);
    else if (str_is(key, "name"))
        set_text(&m->name, v.s);
}

void archive_who_read(struct archive_who *who, struct str raw)
{
    struct member m = {.id = ""};

    json_each_member(raw, on_member, &m);
    archive_who_set(who, str_of(m.id), str_of(m.name));
    free(m.name);
}

static struct val field(const struct entry *e, enum field f)
{
    return e->f[f];
}

static void take_part(struct archive_chat *c, const char *id, unsigned part)
{
    unsigned i = 0;

    if (id[0] == '\0' || strncmp(id, "s_", 2) == 0)
        return;
    while (i < c->people_n && strcmp(c->people[i].id, id) != 0)
        i++;
    if (i == ARCHIVE_PEOPLE_MAX) { /* the oldest is stored already, or will be again */
        memmove(c->people, c->people + 1, (ARCHIVE_PEOPLE_MAX - 1) * sizeof c->people[0]);
        i = --c->people_n;
    }
    if (i == c->people_cap)
        c->people = mem_realloc(c->people, (c->people_cap += 4) * sizeof *c->people);
    if (i == c->people_n) {
        c->people[i] = (struct archive_part){.part = 0};
        set_id(c->people[i].id, str_of(id));
        c->people_n++;
    }
    c->people[i].part |= part;
}

/* Who handles the chat now: the first of these fields that the entry has. */
static void set_handler(struct archive_chat *c, const struct entry *e)
{
    struct val v = field(e, FIELD_HANDLER);

    if (v.type != VAL_JSON)
        v = field(e, FIELD_TO);
    if (v.type == VAL_JSON)
        archive_who_read(&c->handler, v.s);
    else
        archive_who_set(&c->handler, e->from.id, e->from.name); /* who took it */
    take_part(c, c->handler.id, ARCHIVE_HANDLED);
}

/* Once it is accepted, the chat is that department's (rule 2.4). */
static void set_transfer(struct archive_chat *c, const struct entry *e)
{
    set_text(&c->transfer_department, STR_NONE);
    if (field(e, FIELD_TO).type == VAL_JSON)
        json_each_member(field(e, FIELD_TO).s, take_department, &c->transfer_department);
}

static void end_transfer(struct archive_chat *c)
{
    if (c->transfer_department)
        set_text(&c->department, str_of(c->transfer_department));
    set_text(&c->transfer_department, STR_NONE);
}

static void set_owner(struct archive_chat *c, const struct entry *e)
{
    char before[ARCHIVE_ID_BYTES];

    memcpy(before, c->owner.id, sizeof before);
    if (field(e, FIELD_OWNER).type == VAL_JSON)
        archive_who_read(&c->owner, field(e, FIELD_OWNER).s);
    if (before[0] && strcmp(before, c->owner.id) != 0)
        c->owner_changed = true;
    take_part(c, c->owner.id, ARCHIVE_OWNED);
}

static void set_shopper(struct archive_chat *c, const struct entry *e)
{
    struct val name = field(e, FIELD_NAME);

    if (e->kind == KIND_IDENTIFIED && field(e, FIELD_SHOPPER).type == VAL_JSON)
        archive_who_read(&c->shopper, field(e, FIELD_SHOPPER).s);
    else if (e->kind == KIND_STARTED)
        archive_who_set(&c->shopper, e->from.id.s ? e->from.id : STR(""), e->from.name);
    if (name.type == VAL_STR && name.s.n > 0)
        set_text(&c->shopper.name, name.s);
}

void archive_chat_add_tag(struct archive_chat *c, struct str text, bool stored)
{
    for (unsigned i = 0; i < c->tags_n; i++) {
        if (str_is(text, c->tags[i].text)) {
            c->tags[i].dropped = false;
            return;
        }
    }
    if (c->tags_n == ARCHIVE_TAGS_MAX || text.n == 0)
        return;
    if (c->tags_n == c->tags_cap)
        c->tags = mem_realloc(c->tags, (c->tags_cap += 4) * sizeof *c->tags);
    c->tags[c->tags_n++] = (struct archive_tag){.text = mem_strndup(text.s, text.n), .stored = stored};
}

static void add_tag(void *ctx, struct str s)
{
    archive_chat_add_tag(ctx, s, false);
}

static void drop_tag(void *ctx, struct str s)
{
    struct archive_chat *c = ctx;

    for (unsigned i = 0; i < c->tags_n; i++)
        c->tags[i].dropped = c->tags[i].dropped || str_is(s, c->tags[i].text);
}

/* Who was asked: a person; a department's name is no id of a person. */
static void add_consulted(struct archive_chat *c, const struct entry *e)
{
    struct archive_who who = {.id = ""};

    if (field(e, FIELD_TO).type == VAL_JSON)
        archive_who_read(&who, field(e, FIELD_TO).s);
    else if (field(e, FIELD_TO).type == VAL_STR)
        set_id(who.id, field(e, FIELD_TO).s);
    if (strncmp(who.id, "r_", 2) == 0)
        take_part(c, who.id, ARCHIVE_CONSULTED);
    free(who.name);
}

static void from_takes_part(struct archive_chat *c, const struct entry *e, unsigned part)
{
    struct archive_who who = {.id = ""};

    set_id(who.id, e->from.id);
    take_part(c, who.id, part);
}

static void set_state(struct archive_chat *c, const struct entry *e)
{
    enum chat_state after = chat_state_after(c->state, e);
    bool over = after == CHAT_CLOSED || after == CHAT_ABANDONED;

    if (!over)
        c->ended_ms = 0;
    else if (c->state != after)
        c->ended_ms = e->at_ms;
    c->state = after;
}

void archive_chat_apply(struct archive_chat *c, const struct entry *e)
{
    c->entries++;
    if (c->entries == 1)
        c->started_ms = e->at_ms;
    set_state(c, e);
    if (field(e, FIELD_DEPARTMENT).type == VAL_STR &&
        (e->kind == KIND_STARTED || e->kind == KIND_TRIAGED || e->kind == KIND_QUEUED || e->kind == KIND_TRANSFERRED ||
         e->kind == KIND_REASSIGNED))
        set_text(&c->department, field(e, FIELD_DEPARTMENT).s);
    switch (e->kind) {
    case KIND_STARTED:
        if (field(e, FIELD_SITE).type == VAL_STR)
            set_text(&c->site, field(e, FIELD_SITE).s);
        set_shopper(c, e);
        break;
    case KIND_IDENTIFIED:
        set_shopper(c, e);
        break;
    case KIND_MESSAGE:
        c->messages++;
        break;
    case KIND_OWNED:
        set_owner(c, e);
        break;
    case KIND_REASSIGNED: /* a lead's recorded act on the case (rule 2.12) */
        set_owner(c, e);
        c->owner_changed = true;
        c->handovers++;
        set_handler(c, e);
        break;
    case KIND_TRANSFER_OFFERED:
        set_transfer(c, e);
        break;
    case KIND_TRANSFERRED:
        c->handovers++;
        end_transfer(c);
        set_handler(c, e);
        break;
    case KIND_ASSIGNED:
    case KIND_TAKEN_BACK:
    case KIND_HANDLER_BACK:
        set_handler(c, e);
        break;
    case KIND_QUEUED:
    case KIND_HANDLER_LOST: /* it waits again: nobody handles it */
        archive_who_set(&c->handler, STR(""), STR_NONE);
        break;
    case KIND_CONSULTED:
        add_consulted(c, e);
        break;
    case KIND_CONSULT_ANSWERED:
        from_takes_part(c, e, ARCHIVE_CONSULTED);
        break;
    case KIND_JOINED:
        from_takes_part(c, e, ARCHIVE_JOINED);
        break;
    case KIND_TAGGED:
        if (field(e, FIELD_REMOVE).type == VAL_JSON)
            json_each_str(field(e, FIELD_REMOVE).s, drop_tag, c);
        if (field(e, FIELD_ADD).type == VAL_JSON)
            json_each_str(field(e, FIELD_ADD).s, add_tag, c);
        break;
    case KIND_RATED:
        if (field(e, FIELD_SCORE).type == VAL_INT)
            c->rating = field(e, FIELD_SCORE).i;
        break;
    default:
        break;
    }
}

static void add_line(struct buf *out, struct str s)
{
    if (s.n == 0)
        return;
    if (out->n > 0)
        buf_add_c(out, '\n');
    buf_add_str(out, s);
}

static void add_card_line(void *ctx, struct str key, struct val v)
{
    if (key.s && v.type == VAL_STR)
        add_line(ctx, v.s);
}

void archive_entry_text(const struct entry *e, struct buf *out)
{
    static const enum field said[] = {FIELD_TEXT,         FIELD_QUESTION, FIELD_TOPIC,  FIELD_SUMMARY,
                                      FIELD_REQUIREMENTS, FIELD_COMMENT,  FIELD_REASON, FIELD_WHO,
                                      FIELD_NAME,         FIELD_NOTE};
    static const enum field referral[] = {FIELD_HOW, FIELD_BY}; /* of other kinds these are no words of a person's */

    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (e->f[said[i]].type == VAL_STR)
            add_line(out, e->f[said[i]].s);
    }
    for (size_t i = 0; e->kind == KIND_REFERRED && i < sizeof referral / sizeof *referral; i++)
        if (e->f[referral[i]].type == VAL_STR)
            add_line(out, e->f[referral[i]].s);
    if (e->kind == KIND_PARKED && e->f[FIELD_PROMISE].type == VAL_STR)
        add_line(out, e->f[FIELD_PROMISE].s);
    if (e->kind == KIND_STARTED && e->f[FIELD_NAME].type != VAL_STR)
        add_line(out, e->from.name);
    if (e->f[FIELD_CARD].type == VAL_JSON)
        json_each_member(e->f[FIELD_CARD].s, add_card_line, out);
}
