#include "care/care_texts.h"

#include <string.h>

static const char *const texts[CARE_TEXT_N][CARE_LANGUAGE_N] = {
    [CARE_TEXT_WATER] = {"Thank you for your patience. Everyone is still with another shopper; you have kept your place. You can "
                         "go on waiting, leave a message, or ask us to call you back.",
                         "感谢您的耐心等待。客服都还在接待其他顾客，您的排队位置一直为您保留。您可以继续等待、给我们留言，或者让我们稍后回电给您。"},
    [CARE_TEXT_EXPLAIN] = {"We are sorry that this takes so long: more people than usual need help right now. The head of the "
                           "department has been told about your wait and is looking for somebody for you. You can go on waiting, "
                           "choose another department, leave a message, or ask us to call you back.",
                           "非常抱歉让您久等了：目前咨询的顾客比平时多。我们已经通知了部门主管，正在为您安排客服。您可以继续等待、换一个部门、给我们留言，"
                           "或者让我们稍后回电给您。"},
    [CARE_TEXT_GREETING] = {"Hello|, {name}|! Thank you for writing|; {department} will answer you here|.",
                            "您好|，{name}|！感谢您的咨询|，{department}的客服会在这里回复您|。"},
    [CARE_TEXT_CHECKIN] = {"We have not forgotten you|: {handler} has been reminded of your question|.",
                           "我们没有忘记您的问题|，已经提醒{handler}尽快回复您|。"},
    [CARE_TEXT_FAREWELL] = {"Thank you|, {name}|.", "感谢您的咨询|，{name}|。"},
    [CARE_TEXT_EXPLAINED] = {"{handler}, who answers for this department, knows that you wait.| {summary}|",
                             "本部门负责人{handler}已经知道您在等待。|{summary}|"},
    [CARE_TEXT_CALLBACK] = {"You will be called back|, by {handler}|. You can go on waiting here, or leave: it is seen to.",
                            "我们会给您回电|，由{handler}负责|。您可以继续等待，也可以先离开，我们会跟进。"},
    [CARE_TEXT_REACH] = {"You will be called back|, by {handler}|. Please write here how we can reach you.",
                         "我们会给您回电|，由{handler}负责|。请在这里告诉我们怎么联系您。"},
};

/* Behind every farewell, where the text before doesn't say it itself. */
static const struct {
    const char *variable, *text[CARE_LANGUAGE_N];
} closing[] = {
    {"{summary}", {" In short: {summary}", "处理结果：{summary}"}},
    {"{hours}", {" Our hours: {hours}.", "服务时间：{hours}。"}},
    {"{owner}", {" {owner} stays responsible: write here within {back}, and you are led back.", "{owner}会一直对您的问题负责，{back}内在这里留言就能找到。"}},
};

static const char *const step_names[CARE_TEXT_N] = {"water", "explain", "greeting", "checkin", "farewell", "explained", "callback", "callback"};

enum care_language care_language(struct str locale)
{
    return locale.n >= 2 && (locale.s[0] | 32) == 'z' && (locale.s[1] | 32) == 'h' ? CARE_ZH : CARE_EN;
}

struct str care_text(enum care_text which, struct str locale)
{
    return str_of(texts[which][care_language(locale)]);
}

const char *care_step_name(enum care_text which)
{
    return step_names[which];
}

struct filling {
    struct buf *out;
    enum care_language language;
    const struct care_words *words;
    const struct care_facts *facts;
};

static struct str text_of(const char *s)
{
    return s ? str_of(s) : STR_NONE;
}

/* "mon-fri 09:00-18:00" as a Chinese reader has it. */
static void write_hours(const struct filling *f)
{
    static const char *const days[][2] = {{"mon", "周一"}, {"tue", "周二"}, {"wed", "周三"}, {"thu", "周四"},
                                          {"fri", "周五"}, {"sat", "周六"}, {"sun", "周日"}};

    for (const char *p = f->words->hours; *p;) {
        unsigned d = 0;

        while (f->language == CARE_ZH && d < 7 && strncmp(p, days[d][0], 3) != 0)
            d++;
        if (f->language == CARE_ZH && d < 7) {
            buf_add_s(f->out, days[d][1]);
            p += 3;
        } else {
            buf_add_c(f->out, *p++);
        }
    }
}

/* "3 days", as the shopper reads it: in the largest unit of which it is a whole number. */
static void write_span(const struct filling *f, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name[CARE_LANGUAGE_N];
    } units[] = {{86400000, {" day", "天"}}, {3600000, {" hour", "小时"}}, {60000, {" minute", "分钟"}}, {1000, {" second", "秒"}}};
    unsigned u = 0;
    int64_t n;

    while (u + 1 < sizeof units / sizeof *units && (ms < units[u].ms || ms % units[u].ms))
        u++;
    n = (ms + units[u].ms - 1) / units[u].ms;
    buf_add_i64(f->out, n);
    buf_add_s(f->out, units[u].name[f->language]);
    if (f->language == CARE_EN && n != 1)
        buf_add_c(f->out, 's');
}

/* A variable's value is written; false if it isn't known. `only_ask`: nothing is written. */
static bool write_variable(const struct filling *f, struct str variable, bool only_ask)
{
    bool is_back = str_is(variable, "back");
    struct str v = str_is(variable, "name")         ? f->facts->name
                   : str_is(variable, "handler")    ? f->facts->handler
                   : str_is(variable, "owner")      ? f->facts->owner
                   : str_is(variable, "summary")    ? f->facts->summary
                   : str_is(variable, "department") ? text_of(f->words->department[f->language])
                   : str_is(variable, "hours")      ? text_of(f->words->hours)
                                                    : STR_NONE;

    if (is_back && f->words->back_ms > 0 && !only_ask)
        write_span(f, f->words->back_ms);
    if (v.n && !only_ask) {
        if (str_is(variable, "hours"))
            write_hours(f);
        else
            buf_add(f->out, v.s, v.n);
    }
    return v.n > 0 || (is_back && f->words->back_ms > 0);
}

/* Writes a part; with only_ask says whether all its variables are known. */
static bool write_part(const struct filling *f, struct str part, bool only_ask)
{
    bool known = true;

    for (size_t i = 0; i < part.n; i++) {
        const char *end = part.s[i] == '{' ? memchr(part.s + i, '}', part.n - i) : NULL;

        if (!end) {
            if (!only_ask)
                buf_add_c(f->out, part.s[i]);
            continue;
        }
        known = write_variable(f, (struct str){part.s + i + 1, (size_t)(end - part.s) - i - 1}, only_ask) && known;
        i = (size_t)(end - part.s);
    }
    return known;
}

static void write_own(const struct filling *f, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "|");
        struct str part = {text, n};

        if (write_part(f, part, true))
            write_part(f, part, false);
        text += n + (text[n] == '|');
    }
}

/* What a person wrote (a summary) may lack its full stop: the next sentence must not run into it. */
static void end_sentence(const struct filling *f)
{
    static const char *const ends[] = {".", "!", "?", "。", "！", "？", "…", "~", "～"};

    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);

        if (f->out->n >= n && memcmp(f->out->p + f->out->n - n, ends[i], n) == 0)
            return;
    }
    buf_add_s(f->out, f->language == CARE_ZH ? "。" : ".");
}

static void write_closing(const struct filling *f, const char *before)
{
    for (unsigned i = 0; i < sizeof closing / sizeof *closing; i++) {
        size_t n = f->out->n, begin;

        if (strstr(before, closing[i].variable))
            continue;
        if (f->language == CARE_ZH && n > 0 && strchr(".!?", f->out->p[n - 1])) /* behind what was written in another language */
            buf_add_c(f->out, ' ');
        begin = f->out->n;
        write_own(f, closing[i].text[f->language]);
        if (f->out->n > begin)
            end_sentence(f);
        else if (begin > n)
            f->out->p[f->out->n = n] = 0;
    }
}

void care_write(struct buf *out, enum care_text which, struct str locale, const struct care_words *words, const struct care_facts *facts)
{
    enum care_language l = care_language(locale);
    struct filling f = {out, l, words, facts};
    const char *site = which == CARE_TEXT_GREETING ? words->greeting[l] : which == CARE_TEXT_FAREWELL ? words->farewell[l] : NULL;

    if (!site || !*site)
        write_own(&f, texts[which][l]);
    if (site && *site && which == CARE_TEXT_GREETING && !strstr(site, "{name}"))
        write_own(&f, l == CARE_ZH ? "{name}，" : "Hello {name}! ");
    if (site && *site)
        write_part(&f, str_of(site), false);
    if (which == CARE_TEXT_FAREWELL)
        write_closing(&f, site && *site ? site : "");
}
