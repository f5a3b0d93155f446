/* Walking over what is kept as text: lists and objects of entries, bodies of HTTP. Headers: protocol.h. */
#include "protocol/protocol_json_room.h"

int json_each_str(struct str raw, void (*fn)(void *ctx, struct str s), void *ctx)
{
    json_t *root = json_loadb(raw.s ? raw.s : "", raw.n, PARSE_FLAGS, NULL);
    size_t n = json_array_size(root);
    bool ok = json_is_array(root);

    for (size_t i = 0; ok && i < n; i++)
        ok = json_is_string(json_array_get(root, i));
    for (size_t i = 0; ok && i < n; i++)
        fn(ctx, str_from(json_array_get(root, i)));
    json_decref(root);
    return ok ? (int)n : -1;
}

static void each_member(json_t *object, struct buf *tmp, void (*fn)(void *ctx, struct str key, struct val v),
                        void *ctx)
{
    const char *key;
    json_t *m;

    json_object_foreach(object, key, m)
    {
        struct val v;

        buf_reset(tmp);
        v = protocol_val_from(m, tmp);
        if (v.type == VAL_JSON) {
            v.s.s = tmp->p;
            v.i = 0;
        }
        fn(ctx, str_of(key), v);
    }
}

int json_each_member(struct str raw, void (*fn)(void *ctx, struct str key, struct val v), void *ctx)
{
    json_t *root = json_loadb(raw.s ? raw.s : "", raw.n, PARSE_FLAGS, NULL);
    bool one = json_is_object(root), ok = one || json_is_array(root);
    size_t n = one ? 1 : json_array_size(root);
    struct buf tmp;

    buf_init(&tmp, 8 * raw.n + 64);
    for (size_t i = 0; ok && !one && i < n; i++)
        ok = json_is_object(json_array_get(root, i));
    for (size_t i = 0; ok && i < n; i++) {
        each_member(one ? root : json_array_get(root, i), &tmp, fn, ctx);
        fn(ctx, STR_NONE, (struct val){.type = VAL_NONE});
    }
    buf_fini(&tmp);
    json_decref(root);
    return ok ? (int)n : -1;
}

int json_read_object(struct str raw, const struct protocol_limits *lim,
                     void (*fn)(void *ctx, struct str key, struct val v), void *ctx, struct err *err)
{
    struct refusal why;
    json_t *root = protocol_parse(raw, lim, &why);
    struct buf tmp;

    if (!root)
        return err_set(err, ERR_INVALID, "%s", why.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_INVALID, "not a JSON object");
    }
    buf_init(&tmp, 8 * raw.n + 64);
    each_member(root, &tmp, fn, ctx);
    buf_fini(&tmp);
    json_decref(root);
    return 0;
}
