#include "ownership/ownership.h"

enum may_write ownership_may_write(const struct ownership *o, enum writer who, const char *person, bool can_claim)
{
    if (!o->is_open)
        return MAY_NOT_CLOSED;
    if (who == WRITER_SHOPPER || who == WRITER_SYSTEM)
        return MAY_WRITE;
    if (o->handler[0])
        return strcmp(o->handler, person) == 0 ? MAY_WRITE : MAY_NOT_HANDLER;
    return can_claim ? MAY_CLAIM : MAY_NOT_HANDLER;
}

/* The next code point of valid UTF-8; *i moves behind it. */
static uint32_t next_char(struct str s, size_t *i)
{
    unsigned char c = (unsigned char)s.s[*i];
    unsigned n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t u = n == 1 ? c : c & (0x7fu >> n);

    for (unsigned k = 1; k < n && *i + k < s.n; k++)
        u = u << 6 | ((unsigned char)s.s[*i + k] & 0x3fu);
    *i += n;
    return u;
}

/* Writes u at c; gives the bytes it took. */
static size_t put_char(char *c, uint32_t u)
{
    if (u < 0x80) {
        c[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        c[0] = (char)(0xc0 | u >> 6);
        c[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        c[0] = (char)(0xe0 | u >> 12);
        c[1] = (char)(0x80 | (u >> 6 & 0x3f));
        c[2] = (char)(0x80 | (u & 0x3f));
        return 3;
    }
    c[0] = (char)(0xf0 | u >> 18);
    c[1] = (char)(0x80 | (u >> 12 & 0x3f));
    c[2] = (char)(0x80 | (u >> 6 & 0x3f));
    c[3] = (char)(0x80 | (u & 0x3f));
    return 4;
}

/* Of U+0080 and above. */
static bool is_dropped(uint32_t u)
{
    return (u >= 0x2000 && u <= 0x206f)     /* spaces, dashes, quotes, ellipsis, zero width */
           || (u >= 0x3000 && u <= 0x303f)  /* CJK punctuation */
           || (u >= 0xfe00 && u <= 0xfe6f)  /* variation selectors, small forms */
           || u == 0xa0 || u == 0xb7 || u == 0xfeff;
}

/* What the fold leaves of a character below U+0080; 0: nothing. */
static const char plain[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j',
    ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n',
    ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y', ['Z'] = 'z', ['{'] = '{', ['}'] = '}',
};

/* The next character that the fold leaves, 0 at the end; *i moves behind it. */
static uint32_t next_folded(struct str text, size_t *i)
{
    while (*i < text.n) {
        uint32_t u = next_char(text, i);

        if (u >= 0xff01 && u <= 0xff5e)
            u -= 0xfee0; /* full-width forms */
        if (u < 0x80 ? plain[u] : !is_dropped(u))
            return u < 0x80 ? (unsigned char)plain[u] : u;
    }
    return 0;
}

void ownership_fold(struct str text, struct buf *out)
{
    size_t i = 0;
    uint32_t u;

    if (!buf_reserve(out, text.n)) /* no character grows */
        return;
    for (;;) {
        for (; i < text.n && (unsigned char)text.s[i] < 0x80; i++) {
            out->p[out->n] = plain[(unsigned char)text.s[i]];
            out->n += out->p[out->n] != 0;
        }
        if (!(u = next_folded(text, &i)))
            break;
        out->n += put_char(out->p + out->n, u);
    }
    if (out->p)
        out->p[out->n] = 0;
}

/* Does folded text t match folded pattern p, where {…} in p stands for one or more bytes? Iterative, linear back-off. */
static bool matches(struct str t, struct str p)
{
    size_t i = 0, j = 0, star_i = 0, star_j = 0;
    bool star = false;

    while (i < t.n) {
        if (j < p.n && p.s[j] == '{') {
            const char *end = memchr(p.s + j, '}', p.n - j);

            if (end) {
                j = (size_t)(end - p.s) + 1;
                star = true;
                star_j = j;
                star_i = ++i;
                continue;
            }
        }
        if (j < p.n && t.s[i] == p.s[j]) {
            i++;
            j++;
        } else if (star) {
            i = ++star_i;
            j = star_j;
        } else {
            return false;
        }
    }
    return j == p.n;
}

/* A pattern of variables alone would match every text: it says nothing, so nothing equals it. */
static bool has_words(struct str folded)
{
    for (size_t i = 0; i < folded.n; i++) {
        const char *end = folded.s[i] == '{' ? memchr(folded.s + i, '}', folded.n - i) : NULL;

        if (!end)
            return true;
        i = (size_t)(end - folded.s);
    }
    return false;
}

static bool equals(struct str text, struct str entry)
{
    struct buf t, p;
    bool is;

    buf_init(&t, 1 << 16);
    buf_init(&p, 1 << 16);
    ownership_fold(text, &t);
    ownership_fold(entry, &p);
    is = has_words(buf_str(&p)) && matches(buf_str(&t), buf_str(&p));
    buf_fini(&t);
    buf_fini(&p);
    return is;
}

/* Most entries already part with the text in what is left of their first two characters: for those nothing is folded. */
static bool equals_any(struct str text, const char *const *list)
{
    size_t at = 0;
    uint32_t first = next_folded(text, &at), second = next_folded(text, &at);

    for (; list && *list; list++) {
        struct str entry = str_of(*list);
        size_t i = 0;
        uint32_t u = next_folded(entry, &i);

        if (u != '{' && (u != first || ((u = next_folded(entry, &i)) != '{' && u != second)))
            continue;
        if (equals(text, entry))
            return true;
    }
    return false;
}

bool ownership_reply_counts(struct str text, const struct ownership_texts *texts)
{
    static const char *const greetings[] = {
        "Hello", "Hi", "Hello there", "Hi there", "Good morning", "Good afternoon", "Good evening",
        "Hello, how can I help you?", "How can I help you?", "How may I help you?", "Hi, how can I help?",
        "Hello {name}, how can I help you?", "Thank you for waiting", "Thanks for waiting", "One moment please",
        "你好", "您好", "您好，请问有什么可以帮您", "您好，请问有什么可以帮您的吗", "您好，很高兴为您服务",
        "您好，{name}，请问有什么可以帮您", "在的", "亲，在的", "请稍等", "稍等", "感谢您的耐心等待", NULL};
    size_t i = 0;

    return next_folded(text, &i) && !equals_any(text, greetings) && !(texts && equals_any(text, texts->canned));
}

bool ownership_is_dont_know(struct str text)
{
    static const char *const phrases[] = {
        "I don't know", "I dont know", "Don't know", "I do not know", "No idea", "I have no idea", "Not sure", "I'm not sure",
        "Sorry, I don't know", "I don't know, sorry", "不知道", "我不知道", "我也不知道", "不清楚", "我不清楚", "我也不清楚", "不了解",
        "抱歉，我不知道", "对不起，我不知道", "这个我不知道", "这个我不清楚", NULL};

    return equals_any(text, phrases);
}

bool ownership_may_resolve(const struct ownership_proof *p, struct str resolution)
{
    if (str_is(resolution, "answered"))
        return p->last_reply > p->last_question;
    if (str_is(resolution, "referred"))
        return p->referred > 0;
    if (str_is(resolution, "request"))
        return p->request > 0;
    if (str_is(resolution, "complaint"))
        return p->complaint > 0;
    return false;
}
