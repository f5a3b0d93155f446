/* What people are told besides the entries: offers, who handles, alerts, rows and cards. */
#include "app/app_room.h"

#include <stdio.h>
#include <string.h>

void notice_before(const struct slot *s, struct notice *n)
{
    const struct chat *c = &s->chat;

    memset(n, 0, sizeof *n);
    n->state = c->state;
    n->head = c->head;
    n->alert_level = c->alert_level;
    memcpy(n->handler, c->handler.id, ID_SIZE);
    memcpy(n->offered, c->offered_to.id, ID_SIZE);
    memcpy(n->transfer, c->transfer_to.id, ID_SIZE);
    memcpy(n->consulted, c->consulted, ID_SIZE);
    memcpy(n->alert, c->alert, ID_SIZE);
    str_keep(str_of(c->department), n->department, sizeof n->department);
}

void notice_write_person(struct buf *b, const char *key, const char *id, const char *name)
{
    json_key(b, key);
    if (!id || !id[0]) {
        json_nil(b);
        return;
    }
    json_open(b, '{');
    json_kv_s(b, "id", id);
    json_kv_s(b, "name", name ? name : "");
    json_close(b, '}');
}

static void write_text(struct buf *b, const char *key, const char *text)
{
    if (text && text[0])
        json_kv_s(b, key, text);
}

static void write_offer_card(const struct chat *c, bool is_transfer, struct buf *b, int64_t now_ms)
{
    json_key(b, "card");
    json_open(b, '{');
    json_key(b, "shopper");
    json_open(b, '{');
    json_kv_s(b, "id", c->shopper.id);
    write_text(b, "name", c->shopper.name);
    write_text(b, "locale", c->locale);
    json_close(b, '}');
    write_text(b, "topic", c->topic);
    write_text(b, "department", c->department);
    json_kv_s(b, "class", class_name(c->class_));
    write_text(b, "first_text", c->last_text);
    json_kv_int(b, "waited_ms", c->wait_since_ms ? now_ms - c->wait_since_ms : 0);
    if (is_transfer || c->card_summary) {
        write_text(b, "summary", c->card_summary);
        write_text(b, "requirements", c->card_requirements);
        write_text(b, "promised", c->card_promised);
        if (c->card_verified)
            json_kv_raw(b, "verified", str_of(c->card_verified));
    }
    if (c->owner.id[0])
        notice_write_person(b, "owner", c->owner.id, c->owner.name);
    json_close(b, '}');
}

void notice_write_offer(struct slot *s, bool is_transfer, struct buf *b)
{
    const struct chat *c = &s->chat;

    buf_add_s(b, "{\"t\":\"offer\"");
    json_kv_s(b, "chat", c->id);
    json_kv_s(b, "kind", is_transfer ? "transfer" : "new");
    json_kv_int(b, "deadline_at", is_transfer ? c->transfer_until_ms : c->offer_until_ms);
    write_offer_card(c, is_transfer, b, slot_now_ms(s));
    if (is_transfer)
        notice_write_person(b, "from", c->handler.id, c->handler.name);
    buf_add_c(b, '}');
}

static void tell_offer(struct slot *s, const char *rep, bool is_transfer)
{
    struct member *m = people_find(s->app, str_of(rep));
    struct buf b;

    if (!m || !m->conns)
        return;
    buf_init(&b, 1 << 16);
    notice_write_offer(s, is_transfer, &b);
    for (struct conn *c = m->conns; c; c = c->next_of_person)
        signal_raw(c, crypto_short_hash(s->chat.id, strlen(s->chat.id)), buf_str(&b));
    buf_fini(&b);
}

static void tell_offer_ended(struct slot *s, const char *rep, const char *why)
{
    struct member *m = people_find(s->app, str_of(rep));
    struct buf b;

    if (!m || !m->conns)
        return;
    buf_init(&b, 4096);
    buf_add_s(&b, "{\"t\":\"offer\"");
    json_kv_s(&b, "chat", s->chat.id);
    json_kv_s(&b, "kind", "ended");
    json_kv_s(&b, "why", why);
    buf_add_c(&b, '}');
    for (struct conn *c = m->conns; c; c = c->next_of_person)
        signal_raw(c, crypto_short_hash(s->chat.id, strlen(s->chat.id)), buf_str(&b));
    buf_fini(&b);
}

/* All connections of this person here watch the chat from `cursor` on. */
static void watch(struct slot *s, const char *person, int64_t cursor)
{
    struct member *m = people_find(s->app, str_of(person));

    for (struct conn *c = m ? m->conns : NULL; c; c = c->next_of_person)
        if (c->is_ready)
            sub_add(c, s, cursor);
}

/* Tells the other nodes that this person has to do with this chat: their connections watch it there. */
static void tell_nodes(struct slot *s, const char *person)
{
    char text[2 * ID_SIZE + 8];

    if (!person[0])
        return;
    snprintf(text, sizeof text, "N %s %s", person, s->chat.id);
    link_signal(s->app->link, str_of(text));
}

/* Whoever began it has left before it stood: if they are on no other node either, the time begins in which they may come back (rule 1.5). */
static void say_gone(struct slot *s)
{
    struct absence x;

    shopper_absence(s->app, s->chat.id, &x);
    link_presence(s->app->link, NULL, false, str_of(s->chat.shopper.id), x.members, x.ms, x.n, NULL, NULL);
}

static void watch_guests(struct slot *s, const struct notice *n, bool is_ours)
{
    bool open = chat_state_is_open(s->chat.state), was = chat_state_is_open(n->state);

    for (struct conn *c = guest_conns(s->app, str_of(s->chat.shopper.id)); c; c = c->next_of_person) {
        if (open && !was) {
            snprintf(c->open, sizeof c->open, "%s", s->chat.id);
            snprintf(c->last, sizeof c->last, "%s", s->chat.id);
            if (!c->is_ready)
                continue; /* its hello says where it stands */
            sub_add(c, s, n->head);
            shopper_join(c);
        } else if (!open && was && strcmp(c->open, s->chat.id) == 0) {
            c->open[0] = 0;
        }
    }
    if (!open || was || !is_ours)
        return;
    tell_nodes(s, s->chat.shopper.id); /* another tab may be there */
    if (!guest_conns(s->app, str_of(s->chat.shopper.id)))
        say_gone(s);
}

/* Rule 3.2: level 1 goes to the department's leads, 2 to the directors too, 3 to the admins too. */
static bool is_alerted(struct app *a, const char *department, int level, const struct member *m)
{
    const struct department *d = department ? match_find(a, str_of(department)) : NULL;

    if (!m->is_loaded || m->rep.disabled)
        return false;
    if ((m->rep.roles & ROLE_DIRECTOR) && level >= 2)
        return true;
    if ((m->rep.roles & ROLE_ADMIN) && level >= 3)
        return true;
    return d && ((d->cfg->lead[0] && strcmp(d->cfg->lead, m->rep.login) == 0) ||
                 ((m->rep.roles & ROLE_LEAD) && people_is_in(&m->rep, str_of(d->cfg->name))));
}

bool notice_is_for(struct app *a, const struct chat *c, const struct member *m)
{
    return is_alerted(a, c->department, c->alert_level, m);
}

/* over: the alert that is no more; NULL: the one that stands. */
void notice_write_alert(const struct chat *c, const char *over, struct buf *b)
{
    json_open(b, '{');
    json_kv_s(b, "t", "alert");
    json_kv_s(b, "alert", over ? over : c->alert);
    json_kv_s(b, "chat", c->id);
    json_kv_s(b, "kind", over ? "ended" : "long_wait");
    json_kv_int(b, "since", over ? c->last_at_ms : c->wait_since_ms);
    if (!over)
        json_kv_int(b, "level", c->alert_level);
    write_text(b, "department", c->department);
    json_close(b, '}');
}

/* over as above; department: whose leads are told. */
static void tell_alert(struct slot *s, const char *over, const char *department)
{
    const struct chat *c = &s->chat;
    const char *id = over ? over : c->alert;
    struct map_item *it;
    uint32_t i = 0;
    struct buf b;

    buf_init(&b, 4096);
    notice_write_alert(c, over, &b);
    while ((it = map_next(&s->app->members, &i))) {
        struct member *m = it->value;

        if (!is_alerted(s->app, department, c->alert_level, m) && !(over && (m->rep.roles & (ROLE_DIRECTOR | ROLE_ADMIN))))
            continue;
        for (struct conn *k = m->conns; k; k = k->next_of_person)
            signal_raw(k, crypto_short_hash(id, strlen(id)), buf_str(&b));
    }
    buf_fini(&b);
}

static void after_offers(struct slot *s, const struct notice *n, bool is_ours)
{
    const struct chat *c = &s->chat;

    if (strcmp(n->offered, c->offered_to.id) != 0) {
        if (n->offered[0])
            tell_offer_ended(s, n->offered, strcmp(n->offered, c->handler.id) == 0 ? "accepted" : c->state == CHAT_ABANDONED ? "abandoned" : "over");
        if (c->offered_to.id[0]) {
            tell_offer(s, c->offered_to.id, false);
            if (is_ours)
                tell_nodes(s, c->offered_to.id);
        }
    }
    if (strcmp(n->transfer, c->transfer_to.id) != 0) {
        if (n->transfer[0])
            tell_offer_ended(s, n->transfer, strcmp(n->transfer, c->handler.id) == 0 ? "accepted" : "over");
        if (c->transfer_to.id[0]) {
            tell_offer(s, c->transfer_to.id, true);
            if (is_ours)
                tell_nodes(s, c->transfer_to.id);
        }
    }
}

static void after_alert(struct slot *s, const struct notice *n, bool is_ours)
{
    const struct chat *c = &s->chat;
    char text[ID_SIZE + 8];
    bool moved = n->alert[0] && c->department && strcmp(n->department, c->department) != 0; /* those who lead it now see to it */

    if (n->alert[0] && (moved || strcmp(n->alert, c->alert) != 0))
        tell_alert(s, n->alert, n->department);
    if (!c->alert[0] || (!moved && strcmp(n->alert, c->alert) == 0 && n->alert_level == c->alert_level))
        return;
    tell_alert(s, NULL, c->department);
    if (is_ours) { /* the other nodes' leads too, whether or not these nodes have the chat in memory */
        snprintf(text, sizeof text, "A %s", c->id);
        link_signal(s->app->link, str_of(text));
    }
}

/* Rules 2.4, 2.7: the owner, also that of the case which this one comes back to, follows what becomes of it with others. */
static void after_owner(struct slot *s, const struct notice *n, bool is_ours)
{
    const struct chat *c = &s->chat;
    const char *owner = chat_answerable(c)->id;

    if (!owner[0] || !c->handler.id[0] || strcmp(owner, c->handler.id) == 0 || strcmp(n->handler, c->handler.id) == 0)
        return;
    watch(s, owner, n->head);
    if (is_ours)
        tell_nodes(s, owner);
}

static void has_room_again(struct app *a, const char *rep)
{
    struct member *m = people_find(a, str_of(rep));

    if (m)
        match_member_changed(a, m);
}

/* Whom it is offered or given to has less room than before. */
static void hold_more(struct slot *s, const struct notice *n)
{
    const struct chat *c = &s->chat;

    if (strcmp(n->handler, c->handler.id) != 0 || n->state != c->state)
        reps_stale(s->app, c->handler.id);
    if (strcmp(n->offered, c->offered_to.id) != 0)
        reps_stale(s->app, c->offered_to.id);
    if (strcmp(n->transfer, c->transfer_to.id) != 0)
        reps_stale(s->app, c->transfer_to.id);
}

void notice_after(struct slot *s, const struct notice *n, bool is_ours)
{
    const struct chat *c = &s->chat;
    bool queued = c->state == CHAT_WAITING || c->state == CHAT_OFFERED, was_queued = n->state == CHAT_WAITING || n->state == CHAT_OFFERED;

    if (c->head == n->head)
        return;
    hold_more(s, n);
    if (strcmp(n->handler, c->handler.id) != 0 && c->handler.id[0]) {
        watch(s, c->handler.id, is_ours ? n->head : c->fence - 1);
        if (is_ours) {
            tell_nodes(s, c->handler.id);
            if (n->state == CHAT_OFFERED)
                people_answered(s->app, c->handler.id);
        }
    }
    if (was_queued && c->handler.id[0]) /* on whichever node */
        match_taken(s->app, str_of(n->department), c->last_at_ms);
    if (c->consulted[0] && strcmp(n->consulted, c->consulted) != 0) {
        watch(s, c->consulted, n->head);
        if (is_ours)
            tell_nodes(s, c->consulted);
    }
    watch_guests(s, n, is_ours);
    after_offers(s, n, is_ours);
    after_alert(s, n, is_ours);
    after_owner(s, n, is_ours);
    if (queued && !was_queued)
        s->position = -1; /* it stands in the queue anew: its place is told, also if it is the one it had before */
    if (was_queued)
        match_queued(s->app, str_of(n->department), -1);
    if (queued)
        match_queued(s->app, str_of(c->department), 1);
    if (c->state != n->state || strcmp(n->handler, c->handler.id) != 0) {
        if (c->state == CHAT_WAITING)
            match_changed(s->app, str_of(c->department));
        else if (queued || was_queued || n->handler[0])
            match_left(s->app, str_of(c->department));
        if (n->department[0] && strcmp(n->department, c->department ? c->department : "") != 0)
            match_left(s->app, str_of(n->department));
        if (n->handler[0])
            has_room_again(s->app, n->handler);
    }
    if (n->offered[0] && strcmp(n->offered, c->offered_to.id) != 0 && strcmp(n->offered, c->handler.id) != 0)
        has_room_again(s->app, n->offered);
    if (n->transfer[0] && strcmp(n->transfer, c->transfer_to.id) != 0 && strcmp(n->transfer, c->handler.id) != 0)
        has_room_again(s->app, n->transfer);
    if (c->handler.id[0] && c->unanswered_since_ms && c->last_question &&
        (c->proof.last_question > n->head || strcmp(n->handler, c->handler.id) != 0))
        kb_for_handler(s, str_of(c->last_question));
}

void notice_queue(struct slot *s, int64_t position, int64_t eta_s)
{
    struct buf b;

    buf_init(&b, 512);
    buf_printf(&b, "{\"t\":\"queue\",\"chat\":\"%s\",\"position\":%lld,\"eta_s\":%lld}", s->chat.id, (long long)position, (long long)eta_s);
    for (struct sub *u = s->subs; u; u = u->next_of_slot)
        if (!u->conn->is_staff)
            signal_raw(u->conn, 1, buf_str(&b));
    buf_fini(&b);
    s->position = position;
    s->eta_s = eta_s;
}

bool notice_is_orphan(const struct slot *s)
{
    const struct member *m = s->chat.owner.id[0] ? people_find(s->app, str_of(s->chat.owner.id)) : NULL;

    return m && m->is_loaded && m->rep.disabled && chat_state_is_open(s->chat.state);
}

static void write_promises(const struct chat *c, bool kept_too, struct buf *b)
{
    static const char *const states[] = {"open", "kept", "missed", "missed"}; /* kept late was missed */

    json_key(b, "promises");
    json_open(b, '[');
    for (unsigned i = 0; i < c->promises_n; i++) {
        if ((c->promise[i].state == PROMISE_KEPT || c->promise[i].state == PROMISE_KEPT_LATE) && !kept_too)
            continue;
        json_open(b, '{');
        json_kv_s(b, "id", c->promise[i].id);
        json_kv_s(b, "text", c->promise[i].text);
        json_kv_int(b, "until", c->promise[i].until_ms);
        json_kv_s(b, "state", states[c->promise[i].state]);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_tags(const struct chat *c, struct buf *b)
{
    json_key(b, "tags");
    json_open(b, '[');
    for (unsigned i = 0; i < c->tags_n; i++)
        json_text(b, str_of(c->tags[i]));
    json_close(b, ']');
}

/* The handover and the question that wait for a colleague. */
static void write_asked(const struct slot *s, struct buf *b)
{
    const struct chat *c = &s->chat;
    const struct member *m = c->consulted[0] ? people_find(s->app, str_of(c->consulted)) : NULL;

    if (c->transfer_until_ms) {
        json_key(b, "transfer");
        json_open(b, '{');
        json_key(b, "to");
        json_open(b, '{');
        write_text(b, "id", c->transfer_to.id);
        write_text(b, "name", c->transfer_to.name);
        write_text(b, "department", c->transfer_department);
        json_close(b, '}');
        json_kv_int(b, "until", c->transfer_until_ms);
        json_close(b, '}');
    }
    if (c->consulted[0]) {
        json_key(b, "consult");
        json_open(b, '{');
        notice_write_person(b, "to", c->consulted, m ? m->rep.name : NULL);
        notice_write_person(b, "by", c->consult_by.id, c->consult_by.name);
        write_text(b, "question", c->consult_question);
        json_kv_int(b, "at", c->consulted_at_ms);
        json_close(b, '}');
    }
}

/* The shopper's messages behind what the handler has read or done last, as far as memory goes back. */
static unsigned unread_n(const struct slot *s)
{
    const struct chat *c = &s->chat;
    int64_t read = strcmp(s->reader, c->handler.id) == 0 ? s->read : 0;
    unsigned n = 0;

    for (unsigned i = s->ring_n; i-- > 0;) {
        const struct item *it = &s->ring[i];

        if (it->seq <= read || strcmp(it->person, c->handler.id) == 0)
            break;
        n += it->kind == KIND_MESSAGE && strcmp(it->person, c->shopper.id) == 0;
    }
    return n;
}

void notice_write_row(struct slot *s, const char *person, struct buf *b)
{
    const struct chat *c = &s->chat;

    json_open(b, '{');
    json_kv_s(b, "chat", c->id);
    json_kv_s(b, "state", chat_state_name(c->state));
    write_text(b, "department", c->department);
    json_key(b, "shopper");
    json_open(b, '{');
    json_kv_s(b, "id", c->shopper.id);
    write_text(b, "name", c->shopper.name);
    write_text(b, "locale", c->locale);
    json_close(b, '}');
    notice_write_person(b, "owner", c->owner.id, c->owner.name);
    notice_write_person(b, "handler", c->handler.id, c->handler.name);
    json_kv_s(b, "class", class_name(c->class_));
    if (notice_is_orphan(s))
        json_kv_bool(b, "owner_closed", true);
    if (c->unanswered_since_ms)
        json_kv_int(b, "unanswered_since", c->unanswered_since_ms);
    if (c->wait_since_ms)
        json_kv_int(b, "waiting_since", c->wait_since_ms);
    if (c->last_text) {
        json_key(b, "last");
        json_open(b, '{');
        json_kv_s(b, "text", c->last_text);
        json_kv_int(b, "at", c->last_at_ms);
        json_kv_s(b, "from", role_name(c->last_role));
        json_close(b, '}');
    }
    if (c->state == CHAT_PARKED)
        json_kv_int(b, "until", c->parked_until_ms);
    write_promises(c, false, b);
    write_tags(c, b);
    write_asked(s, b);
    if (strcmp(c->handler.id, person) == 0)
        json_kv_int(b, "unread", unread_n(s));
    json_kv_int(b, "seq", c->head);
    json_close(b, '}');
}

void notice_write_card(struct slot *s, struct buf *b)
{
    const struct chat *c = &s->chat;

    json_open(b, '{');
    json_key(b, "shopper");
    json_open(b, '{');
    json_kv_s(b, "id", c->shopper.id);
    write_text(b, "name", c->shopper.name);
    write_text(b, "locale", c->locale);
    write_text(b, "page", c->page);
    json_kv_bool(b, "identified", c->identified);
    json_close(b, '}');
    json_kv_s(b, "class", class_name(c->class_));
    write_text(b, "department", c->department);
    write_text(b, "topic", c->topic);
    json_kv_s(b, "summary", c->card_summary ? c->card_summary : "");
    json_kv_s(b, "requirements", c->card_requirements ? c->card_requirements : "");
    json_kv_s(b, "promised", c->card_promised ? c->card_promised : "");
    json_kv_raw(b, "verified", c->card_verified && c->card_verified[0] == '[' ? str_of(c->card_verified) : STR("[]"));
    write_promises(c, true, b);
    write_tags(c, b);
    notice_write_person(b, "owner", c->owner.id, c->owner.name);
    notice_write_person(b, "handler", c->handler.id, c->handler.name);
    json_kv_s(b, "state", chat_state_name(c->state));
    if (c->after)
        json_kv_s(b, "after", c->after);
    json_close(b, '}');
}
