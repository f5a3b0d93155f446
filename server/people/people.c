#include "people/people.h"

#include <stdio.h>

const char *shift_name(enum shift shift)
{
    static const char *const names[] = {"off", "on", "paused"};

    return names[shift];
}

bool people_list_has(const struct people_list *l, struct str item)
{
    for (unsigned i = 0; i < l->n; i++)
        if (str_is(item, l->item[i]))
            return true;
    return false;
}

bool people_list_add(struct people_list *l, struct str item)
{
    if (people_list_has(l, item))
        return true;
    if (l->n == PEOPLE_LIST_MAX || item.n == 0 || item.n >= PEOPLE_ITEM_BYTES)
        return false;
    memcpy(l->item[l->n], item.s, item.n);
    l->item[l->n++][item.n] = 0;
    return true;
}

static void add_item(void *ctx, struct str s)
{
    people_list_add(ctx, s);
}

void people_list_read(struct people_list *l, struct str raw)
{
    memset(l, 0, sizeof *l);
    json_each_str(raw, add_item, l);
}

static void copy(char *to, size_t size, const struct val *v)
{
    if (v->type != VAL_STR)
        return;
    struct str s = v->s;

    while (s.n >= size)
        s = utf8_prefix(s, utf8_chars(s) - 1);
    memcpy(to, s.s, s.n);
    to[s.n] = 0;
}

static void add_role(void *ctx, struct str s)
{
    *(unsigned *)ctx |= role_from_name(s);
}

static void read_account(struct people_rep *p, const struct entry *e)
{
    copy(p->login, sizeof p->login, &e->f[FIELD_LOGIN]);
    copy(p->name, sizeof p->name, &e->f[FIELD_NAME]);
    copy(p->password, sizeof p->password, &e->f[FIELD_PASSWORD]);
    if (e->f[FIELD_PASSWORD].type == VAL_STR)
        p->password_version = e->seq;
    if (e->f[FIELD_ROLES].type == VAL_JSON) {
        p->roles = 0;
        json_each_str(e->f[FIELD_ROLES].s, add_role, &p->roles);
    }
    if (e->f[FIELD_DEPARTMENTS].type == VAL_JSON)
        people_list_read(&p->departments, e->f[FIELD_DEPARTMENTS].s);
    if (e->f[FIELD_SKILLS].type == VAL_JSON)
        people_list_read(&p->skills, e->f[FIELD_SKILLS].s);
    if (e->f[FIELD_LANGUAGES].type == VAL_JSON)
        people_list_read(&p->languages, e->f[FIELD_LANGUAGES].s);
    if (e->f[FIELD_DISABLED].type == VAL_BOOL)
        p->disabled = e->f[FIELD_DISABLED].b;
}

static void set_shift(struct people_rep *p, enum shift shift, int64_t at_ms)
{
    if (p->shift != shift)
        p->shift_since_ms = at_ms;
    p->shift = shift;
    p->pause_why[0] = 0;
}

void people_apply(struct people_rep *p, const struct entry *e)
{
    p->version = e->seq;
    switch (e->kind) {
    case KIND_ACCOUNT_CREATED:
        p->capacity = PEOPLE_CAPACITY_DEFAULT;
        read_account(p, e);
        break;
    case KIND_ACCOUNT_CHANGED:
        read_account(p, e);
        break;
    case KIND_SHIFT_STARTED:
        set_shift(p, SHIFT_ON, e->at_ms);
        p->missed = 0;
        if (e->f[FIELD_CAPACITY].type == VAL_INT && e->f[FIELD_CAPACITY].i > 0)
            p->capacity = e->f[FIELD_CAPACITY].i < PEOPLE_CAPACITY_MAX ? e->f[FIELD_CAPACITY].i : PEOPLE_CAPACITY_MAX;
        break;
    case KIND_SHIFT_PAUSED:
        set_shift(p, SHIFT_PAUSED, e->at_ms);
        copy(p->pause_why, sizeof p->pause_why, &e->f[FIELD_WHY]);
        break;
    case KIND_SHIFT_ENDED:
        set_shift(p, SHIFT_OFF, e->at_ms);
        break;
    default:
        break;
    }
}

bool people_is_available(const struct people_rep *p)
{
    return !p->disabled && p->shift == SHIFT_ON && p->is_present && (p->roles & (ROLE_REP | ROLE_LEAD));
}

bool people_has_room(const struct people_rep *p, int64_t weight)
{
    return p->load + weight <= p->capacity;
}

bool people_is_in(const struct people_rep *p, struct str department)
{
    return people_list_has(&p->departments, department);
}
