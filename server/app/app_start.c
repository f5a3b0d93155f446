/* A shopper's first message: which department (rule 1.1), which class (1.2), whose case it comes back to (2.7). */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

/* The first word of the list that occurs in the folded text; .n 0: none. */
static struct str keyword_in(const struct buf *folded, const char *list)
{
    struct str rest = str_of(list), item, found = STR_NONE;
    struct buf word;

    buf_init(&word, 1024);
    while (!found.n && config_list_next(&rest, &item)) {
        buf_reset(&word);
        ownership_fold(item, &word);
        if (word.n && folded->n >= word.n && memmem(folded->p, folded->n, word.p, word.n))
            found = item;
    }
    buf_fini(&word);
    return found;
}

const struct department *shopper_by_keyword(struct app *a, struct str text, char *why, size_t why_size)
{
    const struct department *found = NULL;
    struct buf folded;

    buf_init(&folded, 1 << 16);
    ownership_fold(text, &folded);
    for (unsigned i = 0; i < a->departments_n && !found; i++) {
        struct str word = keyword_in(&folded, a->departments[i].cfg->keywords);

        if (!word.n)
            continue;
        found = &a->departments[i];
        snprintf(why, why_size, "%.*s", STR_FMT(utf8_prefix(word, 30)));
    }
    buf_fini(&folded);
    return found;
}

/* A topic that is a department's name or title leads there. */
static const struct department *by_topic(struct app *a, struct str topic)
{
    const struct department *found = NULL;
    struct buf want, have;

    if (!topic.n)
        return NULL;
    buf_init(&want, 4096);
    buf_init(&have, 4096);
    ownership_fold(topic, &want);
    for (unsigned i = 0; i < a->departments_n && !found; i++) {
        const struct config_department *d = a->departments[i].cfg;
        const char *const names[] = {d->name, d->title_en, d->title_zh};

        for (unsigned k = 0; k < 3 && !found; k++) {
            buf_reset(&have);
            ownership_fold(str_of(names[k]), &have);
            if (have.n && str_eq(buf_str(&have), buf_str(&want)))
                found = &a->departments[i];
        }
    }
    buf_fini(&want);
    buf_fini(&have);
    return found;
}

/* Rule 1.2: a rule by keywords may lift the class; nothing lowers it. */
static void class_by_keyword(struct cmd *c)
{
    struct buf folded;

    buf_init(&folded, 1 << 16);
    ownership_fold(field(c, FIELD_TEXT), &folded);
    for (int i = CLASS_N - 1; i > (int)class_from_name(str_of(c->class_)); i--)
        if (keyword_in(&folded, app_class(c->app, (enum class)i)->keywords).n) {
            snprintf(c->class_, sizeof c->class_, "%s", class_name((enum class)i));
            break;
        }
    buf_fini(&folded);
}

static void start_in(struct cmd *c, const char *department, const char *why)
{
    struct conn *conn = c->conn;
    const char *argv[] = {"HSET", "name", conn->name};
    struct slot *s;

    snprintf(c->department, sizeof c->department, "%s", department);
    c->triage_why = why;
    id_make(c->new_chat, 'c');
    shopper_store_token(conn);
    if (conn->name[0])
        link_call(c->app->link, LINK_SHOPPER, str_of(conn->person), 3, argv, NULL, NULL, NULL);
    s = slot_new(c->app, str_of(c->new_chat));
    slot_push(s, c);
}

static void start_by_default(struct cmd *c)
{
    start_in(c, c->app->departments[0].cfg->name, "default");
}

static void on_triaged(void *ctx, const struct kb_found *found)
{
    struct cmd *c = ctx;
    struct app *a = c->app;
    const struct department *d = match_find(a, str_of(found->department));

    if (d && found->confidence >= (double)a->cfg->kb.threshold_permille / 1000.0) {
        str_keep(str_of(found->title), c->triage_reason, sizeof c->triage_reason);
        start_in(c, d->cfg->name, "kb");
    } else {
        start_by_default(c);
    }
}

static void triage(struct cmd *c)
{
    struct app *a = c->app;
    struct str wanted = field(c, FIELD_DEPARTMENT);
    const struct department *d = wanted.n ? match_find(a, wanted) : NULL;

    if (wanted.n && !d) {
        command_refuse(c, CODE_BAD_REQUEST, "department: there is none of that name", 0, start_by_default);
        return;
    }
    if (d) {
        start_in(c, d->cfg->name, "shopper");
        return;
    }
    if (a->departments_n == 1) {
        start_by_default(c);
        return;
    }
    d = by_topic(a, field(c, FIELD_TOPIC));
    if (d) {
        start_in(c, d->cfg->name, "topic");
        return;
    }
    d = shopper_by_keyword(a, field(c, FIELD_TOPIC), c->triage_reason, sizeof c->triage_reason);
    if (!d)
        d = shopper_by_keyword(a, field(c, FIELD_TEXT), c->triage_reason, sizeof c->triage_reason);
    if (d)
        start_in(c, d->cfg->name, "keyword");
    else
        kb_ask(a, field(c, FIELD_TEXT), str_of(c->conn->locale), true, 1, false, on_triaged, c);
}

/* Rule 2.5: what was known of the case, for whoever takes the one that comes back to it. */
static char *card_of(const struct chat *was)
{
    const char *summary = was->summary && was->summary[0] ? was->summary : was->card_summary;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_add_c(&b, '{');
    json_kv_s(&b, "summary", summary ? summary : "");
    json_kv_s(&b, "requirements", was->card_requirements ? was->card_requirements : "");
    json_kv_raw(&b, "verified", was->card_verified && was->card_verified[0] == '[' ? str_of(was->card_verified) : STR("[]"));
    json_kv_s(&b, "promised", was->card_promised ? was->card_promised : "");
    buf_add_c(&b, '}');
    return buf_take(&b, NULL);
}

/* Rule 2.7: a return within the time goes to the owner of the case it comes back to. */
static void on_last_ready(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;
    const struct chat *was = &s->chat;

    bool unresolved = (was->state == CHAT_ABANDONED && (was->owner.id[0] || was->class_ == CLASS_RETURNING)) ||
                      (was->closed_how && strcmp(was->closed_how, "confirmed") != 0);

    if (!s->is_unread && chat_leads_back(was, match_rules(c->app, was->department), slot_now_ms(s))) {
        snprintf(c->after, sizeof c->after, "%s", was->id);
        snprintf(c->after_owner, sizeof c->after_owner, "%s", chat_answerable(was)->id);
        c->after_card = card_of(was);
        if (unresolved && class_from_name(str_of(c->class_)) < CLASS_RETURNING)
            snprintf(c->class_, sizeof c->class_, "%s", class_name(CLASS_RETURNING));
    }
    triage(c);
}

/* Anonymous starts are counted by address, an hour at a time. */
static bool address_may_start(struct conn *c)
{
    return app_count_start(c->app, c->address, c->app->cfg->limits.chats_per_address_h);
}

/* Rule 1.2: so are those who say that they need care; above their share they count as everybody else. */
static bool may_need_care(struct conn *c)
{
    const struct config *cfg = c->app->cfg;
    int64_t most = (cfg->limits.chats_per_address_h * cfg->limits.care_percent + 99) / 100;
    char key[80];

    if (cfg->limits.chats_per_address_h == 0)
        return true;
    snprintf(key, sizeof key, "care %s", c->address);
    return most > 0 && app_count_start(c->app, key, most);
}

static void begin_start(struct cmd *c)
{
    struct conn *conn = c->conn;

    if (conn->class_[0]) /* from the signed identity */
        snprintf(c->class_, sizeof c->class_, "%s", conn->class_);
    else if (field(c, FIELD_CLASS).n && may_need_care(conn))
        snprintf(c->class_, sizeof c->class_, "%.*s", STR_FMT(field(c, FIELD_CLASS)));
    class_by_keyword(c);
    if (conn->last[0] && !conn->open[0])
        slot_when_loaded(slot_get(c->app, str_of(conn->last)), on_last_ready, c);
    else
        triage(c);
}

void shopper_start(struct cmd *c)
{
    if (c->app->chats != CHATS_OPEN) /* PROMISES 2.14 */
        command_refuse(c, CODE_UNAVAILABLE, "no new chats can be taken now", NO_NEW_MS, begin_start);
    else if (!address_may_start(c->conn))
        command_refuse(c, CODE_RATE_LIMITED, "too many chats from this address", TOO_MANY_MS, begin_start);
    else
        begin_start(c);
}
