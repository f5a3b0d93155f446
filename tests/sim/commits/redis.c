/* A model of Redis: strings, hashes, lists, sorted sets; scripts by the Lua that Redis has. One command at a
 * time. */
#include "commits.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

enum type { STRING, HASH, LIST, ZSET };

/* A hash and a sorted set are both maps of texts: field → value, member → score. */
struct value {
    enum type type;
    char *s;
    struct map map;
    char **list;
    size_t *list_n;
    unsigned n, cap;
};

static struct map data;
static lua_State *lua;
static int chunks[SCRIPT_N];

static struct value *at(const char *key, enum type type, bool make)
{
    struct value *v = map_get(&data, str_of(key));

    if (!v && make) {
        v = mem_zalloc(sizeof *v);
        v->type = type;
        map_init(&v->map);
        map_put(&data, str_of(key), v);
    }
    if (v && v->type != type)
        broken("%s is of another type", key);
    return v;
}

static const char *map_text(const struct value *v, const char *field)
{
    return v ? map_get(&v->map, str_of(field)) : NULL;
}

static void put(struct value *v, const char *field, const char *value)
{
    free(map_put(&v->map, str_of(field), mem_strdup(value)));
}

static void set_string(const char *key, const char *s)
{
    struct value *v = at(key, STRING, true);

    free(v->s);
    v->s = mem_strdup(s);
}

void store_set(const char *key, const char *field, const char *value)
{
    if (field)
        put(at(key, HASH, true), field, value);
    else
        set_string(key, value);
}

const char *store_get(const char *key, const char *field)
{
    struct value *v = at(key, field ? HASH : STRING, false);

    return !v ? NULL : field ? map_text(v, field) : v->s;
}

static void push(const char *key, const char *s, size_t n)
{
    struct value *v = at(key, LIST, true);

    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 16;
        v->list = mem_realloc(v->list, v->cap * sizeof *v->list);
        v->list_n = mem_realloc(v->list_n, v->cap * sizeof *v->list_n);
    }
    v->list[v->n] = mem_strndup(s, n);
    v->list_n[v->n++] = n;
    truth_append(key, (struct str){s, n});
}

static void value_free(struct value *v)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&v->map, &i)))
        free(it->value);
    map_fini(&v->map);
    for (unsigned k = 0; k < v->n; k++)
        free(v->list[k]);
    free(v->list);
    free(v->list_n);
    free(v->s);
    free(v);
}

/* --- redis.call() */

static int give(lua_State *l, const char *s)
{
    if (s)
        lua_pushstring(l, s);
    else
        lua_pushboolean(l, 0);
    return 1;
}

static int call_time(lua_State *l)
{
    char sec[24], usec[24];

    snprintf(sec, sizeof sec, "%lld", (long long)(now_ms() / 1000));
    snprintf(usec, sizeof usec, "%lld", (long long)(now_ms() % 1000 * 1000));
    lua_newtable(l);
    lua_pushstring(l, sec);
    lua_rawseti(l, -2, 1);
    lua_pushstring(l, usec);
    lua_rawseti(l, -2, 2);
    return 1;
}

static int call_hmget(lua_State *l, const char *key)
{
    struct value *v = at(key, HASH, false);
    int n = lua_gettop(l);

    lua_newtable(l);
    for (int i = 3; i <= n; i++) {
        give(l, map_text(v, lua_tostring(l, i)));
        lua_rawseti(l, -2, i - 2);
    }
    return 1;
}

static int call_hvals(lua_State *l, const char *key)
{
    struct value *v = at(key, HASH, false);
    struct map_item *it;
    uint32_t i = 0;
    int n = 0;

    lua_newtable(l);
    while (v && (it = map_next(&v->map, &i))) {
        lua_pushstring(l, it->value);
        lua_rawseti(l, -2, ++n);
    }
    return 1;
}

static int call_lrange(lua_State *l, const char *key)
{
    struct value *v = at(key, LIST, false);
    long from = lua_tointeger(l, 3), to = lua_tointeger(l, 4), n = v ? v->n : 0;

    lua_newtable(l);
    if (to < 0 || to >= n)
        to = n - 1;
    for (long i = from; i <= to; i++) {
        lua_pushlstring(l, v->list[i], v->list_n[i]);
        lua_rawseti(l, -2, (int)(i - from + 1));
    }
    return 1;
}

static int call_type(lua_State *l, const char *key)
{
    static const char *const names[] = {"string", "hash", "list", "zset"};
    struct value *v = map_get(&data, str_of(key));

    lua_newtable(l);
    lua_pushstring(l, v && (v->type == STRING || v->type == LIST || v->map.n) ? names[v->type] : "none");
    lua_setfield(l, -2, "ok");
    return 1;
}

static int call_incrby(lua_State *l, const char *key, const char *by)
{
    const char *was = store_get(key, NULL);
    char s[24];

    snprintf(s, sizeof s, "%lld", (was ? atoll(was) : 0) + atoll(by));
    set_string(key, s);
    lua_pushnumber(l, (double)atoll(s));
    return 1;
}

static int call_mget(lua_State *l, int n)
{
    lua_newtable(l);
    for (int i = 2; i <= n; i++) {
        give(l, store_get(lua_tostring(l, i), NULL));
        lua_rawseti(l, -2, i - 1);
    }
    return 1;
}

/* ZREVRANGE KEY 0 0 WITHSCORES: who has the highest score. */
static int call_highest(lua_State *l, const char *key)
{
    struct value *v = at(key, ZSET, false);
    const struct map_item *it, *top = NULL;
    uint32_t i = 0;

    lua_newtable(l);
    while (v && (it = map_next(&v->map, &i)))
        if (!top || atoll(it->value) > atoll(top->value))
            top = it;
    if (top) {
        lua_pushlstring(l, top->key, top->key_n);
        lua_rawseti(l, -2, 1);
        lua_pushstring(l, top->value);
        lua_rawseti(l, -2, 2);
    }
    return 1;
}

/* All nodes listen, always. */
static int call_numsub(lua_State *l)
{
    lua_newtable(l);
    lua_pushvalue(l, 3);
    lua_rawseti(l, -2, 1);
    lua_pushnumber(l, NODES);
    lua_rawseti(l, -2, 2);
    return 1;
}

static int on_call(lua_State *l)
{
    const char *c = luaL_checkstring(l, 1), *key = lua_tostring(l, 2);
    int n = lua_gettop(l);
    struct value *v;

    if (strcmp(c, "TIME") == 0)
        return call_time(l);
    if (strcmp(c, "GET") == 0)
        return give(l, store_get(key, NULL));
    if (strcmp(c, "MGET") == 0)
        return call_mget(l, n);
    if (strcmp(c, "HGET") == 0)
        return give(l, store_get(key, lua_tostring(l, 3)));
    if (strcmp(c, "HMGET") == 0)
        return call_hmget(l, key);
    if (strcmp(c, "HVALS") == 0)
        return call_hvals(l, key);
    if (strcmp(c, "TYPE") == 0)
        return call_type(l, key);
    if (strcmp(c, "LRANGE") == 0)
        return call_lrange(l, key);
    if (strcmp(c, "ZREVRANGE") == 0)
        return call_highest(l, key);
    if (strcmp(c, "PUBSUB") == 0)
        return call_numsub(l);
    if (strcmp(c, "ZSCORE") == 0)
        return give(l, map_text(at(key, ZSET, false), lua_tostring(l, 3)));
    if (strcmp(c, "EXISTS") == 0) {
        v = map_get(&data, str_of(key));
        lua_pushnumber(l, v && (v->type == STRING || v->n || v->map.n));
    } else if (strcmp(c, "LLEN") == 0) {
        v = at(key, LIST, false);
        lua_pushnumber(l, v ? v->n : 0);
    } else if (strcmp(c, "INCRBY") == 0) {
        return call_incrby(l, key, lua_tostring(l, 3));
    } else if (strcmp(c, "SET") == 0) {
        set_string(key, lua_tostring(l, 3));
        lua_pushnumber(l, 1);
    } else if (strcmp(c, "HSET") == 0) {
        for (int i = 3; i + 1 <= n; i += 2)
            put(at(key, HASH, true), lua_tostring(l, i), lua_tostring(l, i + 1));
        lua_pushnumber(l, 1);
    } else if (strcmp(c, "ZADD") == 0) {
        for (int i = 3; i + 1 <= n; i += 2)
            put(at(key, ZSET, true), lua_tostring(l, i + 1), lua_tostring(l, i));
        lua_pushnumber(l, 1);
    } else if (strcmp(c, "HDEL") == 0 || strcmp(c, "ZREM") == 0) {
        v = at(key, c[0] == 'H' ? HASH : ZSET, true);
        free(map_del(&v->map, str_of(lua_tostring(l, 3))));
        lua_pushnumber(l, 1);
    } else if (strcmp(c, "RPUSH") == 0) {
        for (int i = 3; i <= n; i++) {
            size_t len;
            const char *s = lua_tolstring(l, i, &len);

            push(key, s, len);
        }
        lua_pushnumber(l, at(key, LIST, true)->n);
    } else if (strcmp(c, "PUBLISH") == 0) {
        nodes_hint(lua_tostring(l, 3));
        lua_pushnumber(l, 1);
    } else if (strcmp(c, "EXPIRE") == 0) {
        lua_pushnumber(l, 1);
    } else {
        return luaL_error(l, "the model doesn't know %s", c);
    }
    return 1;
}

void store_open(char *const *scripts)
{
    map_init(&data);
    if (lua)
        return;
    lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_newtable(lua);
    lua_pushcfunction(lua, on_call);
    lua_setfield(lua, -2, "call");
    lua_setglobal(lua, "redis");
    for (int i = 0; i < SCRIPT_N; i++) {
        const char *body = scripts[i] ? strchr(scripts[i], '\n') : NULL; /* behind "#!lua" */

        if (!body)
            continue;
        if (luaL_loadbuffer(lua, body, strlen(body), "script") != 0)
            broken("%s", lua_tostring(lua, -1));
        chunks[i] = luaL_ref(lua, LUA_REGISTRYINDEX);
    }
}

void store_close(void)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&data, &i)))
        value_free(it->value);
    map_fini(&data);
}

/* --- replies */

static void reply_text(struct redis_reply *r, enum redis_type type, const char *s, size_t n)
{
    r->type = type;
    r->s = mem_strndup(s, n);
    r->n = n;
}

void reply_free(struct redis_reply *r)
{
    for (size_t i = 0; r->type == REDIS_LIST && i < r->n; i++)
        reply_free(&r->list[i]);
    free(r->list);
    free(r->s);
    memset(r, 0, sizeof *r);
}

/* What Redis makes of a value that a script returns: the one on top of the stack. */
static void reply_lua(struct redis_reply *r)
{
    memset(r, 0, sizeof *r);
    if (lua_isnumber(lua, -1) && lua_type(lua, -1) == LUA_TNUMBER) {
        r->type = REDIS_INT;
        r->i = (int64_t)lua_tonumber(lua, -1);
    } else if (lua_isstring(lua, -1)) {
        size_t n;
        const char *s = lua_tolstring(lua, -1, &n);

        reply_text(r, REDIS_STR, s, n);
    } else if (lua_istable(lua, -1)) {
        r->type = REDIS_LIST;
        r->n = lua_objlen(lua, -1);
        r->list = mem_zalloc((r->n + 1) * sizeof *r->list);
        for (size_t i = 0; i < r->n; i++) {
            lua_rawgeti(lua, -1, (int)i + 1);
            reply_lua(&r->list[i]);
            lua_pop(lua, 1);
        }
    } else {
        r->type = REDIS_NIL;
    }
}

static void set_words(const char *name, int n, char **argv, const size_t *argv_n)
{
    lua_newtable(lua);
    for (int i = 0; i < n; i++) {
        lua_pushlstring(lua, argv[i], argv_n[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setglobal(lua, name);
}

static void run_script(int argc, char **argv, const size_t *argv_n, struct redis_reply *out)
{
    int keys = atoi(argv[2]);

    counts.commits++;
    set_words("KEYS", keys, argv + 3, argv_n + 3);
    set_words("ARGV", argc - 3 - keys, argv + 3 + keys, argv_n + 3 + keys);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, chunks[atoi(argv[1])]); /* a script's name is its number here */
    if (lua_pcall(lua, 0, 1, 0) != 0)
        broken("the script fails: %s", lua_tostring(lua, -1));
    reply_lua(out);
    for (size_t i = 0; atoi(argv[1]) == SCRIPT_COMMIT && i < out->n; i++)
        if (out->list[i].type == REDIS_LIST && redis_reply_int(&out->list[i].list[0]) == 5)
            broken("a commit fails: %s", out->list[i].list[1].s);
    lua_pop(lua, 1);
}

static void run_range(char **argv, struct redis_reply *out)
{
    struct value *v = at(argv[1], LIST, false);
    long from = atol(argv[2]), to = atol(argv[3]), n = v ? v->n : 0;

    if (to < 0 || to >= n)
        to = n - 1;
    out->type = REDIS_LIST;
    out->list = mem_zalloc((size_t)(to >= from ? to - from + 2 : 1) * sizeof *out->list);
    for (long i = from; i <= to; i++)
        reply_text(&out->list[out->n++], REDIS_STR, v->list[i], v->list_n[i]);
}

void store_run(int argc, char **argv, const size_t *argv_n, struct redis_reply *out)
{
    const char *s;

    memset(out, 0, sizeof *out);
    if (strncmp(argv[0], "EVAL", 4) == 0) {
        run_script(argc, argv, argv_n, out);
    } else if (strcmp(argv[0], "LRANGE") == 0) {
        run_range(argv, out);
    } else if (strcmp(argv[0], "HGET") == 0) {
        s = store_get(argv[1], argv[2]);
        if (s)
            reply_text(out, REDIS_STR, s, strlen(s));
    } else {
        broken("the model doesn't know %s", argv[0]);
    }
}

/* --- link_redis.h's readers */

enum redis_type redis_reply_type(const struct redis_reply *r)
{
    return r->type;
}

struct str redis_reply_str(const struct redis_reply *r)
{
    return r->type == REDIS_STR || r->type == REDIS_ERR ? (struct str){r->s, r->n} : STR_NONE;
}

int64_t redis_reply_int(const struct redis_reply *r)
{
    return r->type == REDIS_INT ? r->i : r->type == REDIS_STR ? atoll(r->s) : 0;
}

size_t redis_reply_n(const struct redis_reply *r)
{
    return r->type == REDIS_LIST ? r->n : 0;
}

const struct redis_reply *redis_reply_at(const struct redis_reply *r, size_t i)
{
    return &r->list[i];
}
