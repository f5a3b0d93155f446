#include "http/http_scorecard.h"

#include "base/base_json.h"

static const struct scorecard cards[] = {
    {
        .id = "default",
        .version = 1,
        .title_en = "Conversation quality",
        .title_zh = "服务质量评分表",
        .criteria_n = 8,
        .criteria =
            {
                {"greeting", "Greeting and courtesy", "问候与礼貌",
                 "Greets by name and language, stays courteous to the end.",
                 "按姓名和语言问候，全程礼貌用语。", 10, false},
                {"understanding", "Understood the concern", "理解问题",
                 "Asks what is missing, never what was said already.",
                 "问清缺少的信息，不让顾客重复已说过的内容。", 15, false},
                {"answer", "Right and complete answer", "答复准确完整",
                 "The answer is true, complete, and of use to this shopper.",
                 "答复正确、完整，对这位顾客有用。", 25, false},
                {"ownership", "Kept responsibility", "首问负责",
                 "Never ends with \"I don't know\": consults, hands over, refers or files.",
                 "不以“不知道”结束：咨询、转接、指引或登记，负责到底。", 20, false},
                {"verification", "Checks before personal data", "信息核实",
                 "Checks who the shopper is before order or personal data is discussed.",
                 "谈及订单或个人信息前先核实身份。", 10, false},
                {"clarity", "Clear and brisk", "表达清晰、响应及时",
                 "Short, plain sentences; no long silences without a word.", "语句简短明白，不长时间沉默。",
                 10, false},
                {"farewell", "Promises and farewell", "承诺与送别",
                 "Promises have a date and are kept; the farewell sums up and names the way back.",
                 "承诺有期限并兑现；结束时总结答复并说明如何再联系。", 10, false},
                {"conduct", "No serious breach", "无严重违规",
                 "0 fails the whole: insult, data leaked, tip asked for, private discount.",
                 "0 分即整体不合格：辱骂、泄露信息、索要小费、私自打折。", 0, true},
            },
    },
};
#define CARDS_N (sizeof cards / sizeof cards[0])

const struct scorecard *scorecard_find(struct str id)
{
    for (size_t i = 0; i < CARDS_N; i++)
        if (str_is(id, cards[i].id))
            return &cards[i];
    return NULL;
}

int scorecard_criterion(const struct scorecard *card, struct str id)
{
    for (unsigned i = 0; i < card->criteria_n; i++)
        if (str_is(id, card->criteria[i].id))
            return (int)i;
    return -1;
}

static void write_text(struct buf *b, const char *key, const char *en, const char *zh)
{
    json_key(b, key);
    json_open(b, '{');
    json_kv_s(b, "en", en);
    json_kv_s(b, "zh-CN", zh);
    json_close(b, '}');
}

static void write_card(struct buf *b, const struct scorecard *card)
{
    json_open(b, '{');
    json_kv_s(b, "id", card->id);
    json_kv_int(b, "version", card->version);
    write_text(b, "title", card->title_en, card->title_zh);
    json_key(b, "criteria");
    json_open(b, '[');
    for (unsigned i = 0; i < card->criteria_n; i++) {
        const struct criterion *c = &card->criteria[i];

        json_open(b, '{');
        json_kv_s(b, "id", c->id);
        write_text(b, "title", c->title_en, c->title_zh);
        json_kv_int(b, "weight", c->weight);
        json_kv_bool(b, "auto_fail", c->auto_fail);
        write_text(b, "help", c->help_en, c->help_zh);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_close(b, '}');
}

void scorecard_write_all(struct buf *b)
{
    json_open(b, '[');
    for (size_t i = 0; i < CARDS_N; i++)
        write_card(b, &cards[i]);
    json_close(b, ']');
}

struct score scorecard_score(const struct scorecard *card, const int *marks)
{
    unsigned sum = 0, weights = 0;
    struct score s = {false, false, 0};

    for (unsigned i = 0; i < card->criteria_n; i++) {
        if (marks[i] == MARK_NA)
            continue;
        s.failed |= card->criteria[i].auto_fail && marks[i] == 0;
        sum += card->criteria[i].weight * (unsigned)marks[i];
        weights += card->criteria[i].weight;
    }
    s.is_known = weights > 0 || s.failed;
    if (weights > 0 && !s.failed)
        s.tenths = (int)((sum * 1000 + weights * MARK_MAX / 2) / (weights * MARK_MAX));
    return s;
}
