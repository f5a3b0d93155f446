#include "app/app_resume.h"

#include <string.h>

static void on_member(void *ctx, struct str key, struct val v)
{
    struct resumes *l = ctx;
    struct resume *r = &l->r[l->n];

    if (!key.s) { /* an object has ended */
        if (l->n < RESUME_MAX && r->chat[0])
            l->n++;
        return;
    }
    if (l->n == RESUME_MAX)
        return;
    if (str_is(key, "chat") && v.type == VAL_STR && v.s.n < ID_SIZE) {
        memcpy(r->chat, v.s.s, v.s.n);
        r->chat[v.s.n] = 0;
    }
    if (str_is(key, "seq") && v.type == VAL_INT)
        r->seq = v.i;
}

void resume_read(struct resumes *l, const struct msg *m)
{
    memset(l, 0, sizeof *l);
    if (m->f[FIELD_RESUME].type == VAL_JSON)
        json_each_member(m->f[FIELD_RESUME].s, on_member, l);
    for (unsigned i = 0; i < RESUME_MAX; i++)
        l->r[i].cursor = -1;
}

void resume_found(struct resumes *l, const struct slot *s, bool may)
{
    for (unsigned i = 0; i < l->n; i++)
        if (strcmp(l->r[i].chat, s->chat.id) == 0)
            l->r[i].cursor = !may ? -1 : l->r[i].seq > s->chat.head ? s->chat.head : l->r[i].seq;
}

bool resume_has_found(const struct resumes *l, const char *chat)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->r[i].cursor >= 0 && strcmp(l->r[i].chat, chat) == 0)
            return true;
    return false;
}

void resume_go_on(const struct resumes *l, struct conn *c)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->r[i].cursor >= 0)
            sub_pump(sub_add(c, slot_get(c->app, str_of(l->r[i].chat)), l->r[i].cursor));
}
