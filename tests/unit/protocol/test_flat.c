/* The quick reader beside Jansson: what it takes, Jansson takes too, and reads the same. */
#include "protocol/protocol_flat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROUNDS 200000

static const struct protocol_limits lim = {65536, 16, 256, 4000};

static const char *const frames[] = {
    "{\"t\":\"message.send\",\"id\":\"m1\",\"chat\":\"c_1\",\"text\":\"Where is my parcel?\"}",
    " { \"t\" : \"message.send\" , \"id\" : \"m1\" , \"text\" : \"\xe6\x88\x91\xe8\xa6\x81\xe9\x80\x80\xe6\xac\xbe \xf0\x9f\x93\xa6\" } ",
    "{\"text\":\"a \\\"quote\\\", a line\\n, a \\\\ and a \\/\",\"n\":-12,\"yes\":true,\"no\":false,\"nothing\":null}",
    "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":12,\"at\":1764300000000,\"kind\":\"message\",\"from\":{\"role\":\"rep\",\"id\":\"r_1\",\"name\":\"Mei\"},\"text\":\"x\"}",
    "{\"a\":0,\"b\":999999999999999999,\"c\":-1,\"d\":\"\",\"e\":\"\\t\"}",
    "{}",
};

static const char *const declined[] = {
    "",
    "[]",
    "{\"a\":1,\"a\":2}",
    "{\"from\":{},\"from\":1}",
    "{\"from\":1,\"from\":{}}",
    "{\"from\":{\"role\":\"rep\",\"role\":\"rep\"}}",
    "{\"from\":{\"from\":{}}}",
    "{\"a\":[1]}",
    "{\"a\":{}}",
    "{\"a\":1.5}",
    "{\"a\":1e3}",
    "{\"a\":01}",
    "{\"a\":-}",
    "{\"a\":9223372036854775808}",
    "{\"a\":\"\\u4f60\"}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xff\"}",
    "{\"a\":\"\xc0\xaf\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    "{\"a\":\"b}",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{\"a\":tru}",
    "{\"a\":1} x",
    "{\"a\":1}}",
};

struct seen {
    const struct flat *flat;
    unsigned n;
    bool differs;
};

static void compare(struct seen *s, const struct flat_member *m, struct str key, struct val v)
{
    if (m->key.n != key.n || memcmp(m->key.s, key.s, key.n) != 0 || m->v.type != v.type)
        s->differs = true;
    else if (v.type == VAL_STR || v.type == VAL_JSON)
        s->differs |= m->v.s.n != v.s.n || memcmp(m->v.s.s, v.s.s, v.s.n) != 0 || m->v.s.s[v.s.n] != 0;
    else if (v.type == VAL_INT)
        s->differs |= m->v.i != v.i;
    else if (v.type == VAL_BOOL)
        s->differs |= m->v.b != v.b;
}

static void on_inner(void *ctx, struct str key, struct val v)
{
    struct seen *s = ctx;

    if (key.s && s->n < s->flat->from_n)
        compare(s, &s->flat->from[s->n++], key, v);
    else if (key.s)
        s->differs = true;
}

static void on_member(void *ctx, struct str key, struct val v)
{
    struct seen *s = ctx, inner = {s->flat, 0, false};

    if (!key.s)
        return;
    if (v.type == VAL_JSON && str_is(key, "from")) {
        s->differs |= !s->flat->has_from || !str_is(key, "from") || json_read_object(v.s, &lim, on_inner, &inner, NULL) < 0 ||
                      inner.differs || inner.n != s->flat->from_n;
        return;
    }
    if (s->n < s->flat->n)
        compare(s, &s->flat->m[s->n++], key, v);
    else
        s->differs = true;
}

/* Lists and objects that an entry may bear, and that Jansson writes the same. */
static const char *const nested[] = {
    "{\"t\":\"event\",\"kind\":\"offered\",\"to\":{\"id\":\"r_1\",\"name\":\"\xe6\x9c\xb1\"},\"candidates\":[{\"id\":\"r_1\",\"why\":\"chosen\"},{\"id\":\"r_2\",\"why\":\"full\"}],\"late\":3}",
    "{\"from\":{\"role\":\"rep\"},\"tags\":[\"a\",\"b\"],\"none\":[],\"empty\":{},\"mix\":[1,-2,true,false,null,[[]],{\"a\":{\"b\":[0]}}]}",
};

/* Of lists and objects these are left to Jansson, who refuses them or writes them otherwise. */
static const char *const not_nested[] = {
    "{\"a\":[1 ]}",
    "{\"a\":[ 1]}",
    "{\"a\":{\"b\": 1}}",
    "{\"a\":{\"b\":1,\"b\":2}}",
    "{\"a\":{\"b\":1.0}}",
    "{\"a\":[-0]}",
    "{\"a\":[\"\\n\"]}",
    "{\"a\":[\"\\/\"]}",
    "{\"a\":[\"\xff\"]}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1}",
    "{\"a\":{\"b\"}}",
    "{\"a\":{1:2}}",
    "{\"a\":[[[[[[[[[1]]]]]]]]]}",
    "{\"a\":[1],\"a\":[1]}",
    "{\"a\":[1]]}",
    "{\"from\":{\"role\":[1]}}",
};

/* True if it was taken; then Jansson must say the same. */
static bool check_by(bool (*read)(struct str, char *, struct flat *), struct str text)
{
    struct flat flat;
    struct seen seen = {&flat, 0, false};
    char *copy = mem_strndup(text.s, text.n), *room = mem_alloc(text.n + 1); /* exact sizes: the sanitizer sees a byte too far */
    bool taken = read((struct str){copy, text.n}, room, &flat);

    if (taken && (json_read_object(text, &lim, on_member, &seen, NULL) < 0 || seen.differs || seen.n != flat.n))
        fail_msg("read otherwise than Jansson: %.*s", STR_FMT(text));
    free(copy);
    free(room);
    return taken;
}

static bool check(struct str text)
{
    return check_by(flat_read, text);
}

static bool check_entry(struct str text)
{
    return check_by(flat_read_entry, text);
}

static void an_entry_s_lists_are_read_as_they_stand(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++)
        assert_true(check_entry(str_of(frames[i])));
    for (unsigned i = 0; i < sizeof nested / sizeof *nested; i++) {
        assert_true(check_entry(str_of(nested[i])));
        assert_false(check(str_of(nested[i]))); /* no command's: those are written anew by their schema */
    }
    for (unsigned i = 0; i < sizeof not_nested / sizeof *not_nested; i++)
        if (check_entry(str_of(not_nested[i])))
            fail_msg("taken: %s", not_nested[i]);
}

static void plain_members_are_read(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++)
        assert_true(check(str_of(frames[i])));
}

static void all_else_is_declined(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof declined / sizeof *declined; i++)
        if (check(str_of(declined[i])))
            fail_msg("taken: %s", declined[i]);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* One change: a byte replaced, left out, put in, or a piece of another frame put in. */
static size_t change(char *p, size_t n, size_t max, uint64_t *seed)
{
    static const char bytes[] = "{}[]\",:\\/ \n-0123456789.eEtfnulrsa\xe4\xbd\xa0\xff\x01";
    size_t at = n ? next(seed) % n : 0;
    const char *other = frames[next(seed) % (sizeof frames / sizeof *frames)];
    size_t len = next(seed) % 12, from = strlen(other) ? next(seed) % strlen(other) : 0;

    switch (next(seed) % 4) {
    case 0:
        if (n)
            p[at] = bytes[next(seed) % (sizeof bytes - 1)];
        return n;
    case 1:
        if (n)
            memmove(p + at, p + at + 1, n - at - 1);
        return n ? n - 1 : 0;
    case 2:
        len = 1;
        other = &bytes[next(seed) % (sizeof bytes - 1)];
        from = 0;
        break;
    default:
        len = from + len > strlen(other) ? strlen(other) - from : len;
    }
    if (n + len > max)
        return n;
    memmove(p + at + len, p + at, n - at);
    memcpy(p + at, other + from, len);
    return n + len;
}

static void jansson_reads_the_same(const char *const *of, unsigned of_n, bool (*take)(struct str text))
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned taken = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        char p[512];
        const char *frame = of[next(&seed) % of_n];
        size_t n = strlen(frame);

        memcpy(p, frame, n);
        for (unsigned k = (unsigned)(next(&seed) % 4); k > 0; k--)
            n = change(p, n, sizeof p, &seed);
        taken += take((struct str){p, n});
    }
    print_message("%u of %d texts were taken\n", taken, ROUNDS);
    assert_true(taken > ROUNDS / 10 && taken < ROUNDS);
}

static void what_it_takes_jansson_reads_the_same(void **state)
{
    (void)state;
    jansson_reads_the_same(frames, sizeof frames / sizeof *frames, check);
}

static void what_it_takes_of_lists_jansson_reads_the_same(void **state)
{
    (void)state;
    jansson_reads_the_same(nested, sizeof nested / sizeof *nested, check_entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_members_are_read),
        cmocka_unit_test(all_else_is_declined),
        cmocka_unit_test(an_entry_s_lists_are_read_as_they_stand),
        cmocka_unit_test(what_it_takes_jansson_reads_the_same),
        cmocka_unit_test(what_it_takes_of_lists_jansson_reads_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
