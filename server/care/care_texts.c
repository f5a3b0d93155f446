#include "care/care_texts.h"

struct str care_text(enum care_text which, struct str locale)
{
    static const char *const texts[CARE_TEXT_N][2] = {
        [CARE_TEXT_WATER] = {"Thank you for your patience. Everyone is still with another shopper; you have kept your place. You can "
                             "go on waiting, leave a message, or ask us to call you back.",
                             "感谢您的耐心等待。客服都还在接待其他顾客，您的排队位置一直为您保留。您可以继续等待、给我们留言，或者让我们稍后回电给您。"},
        [CARE_TEXT_EXPLAIN] = {"We are sorry that this takes so long: more people than usual need help right now. The head of the "
                               "department has been told about your wait and is looking for somebody for you.",
                               "非常抱歉让您久等了：目前咨询的顾客比平时多。我们已经通知了部门主管，正在为您安排客服。"},
    };
    bool zh = locale.n >= 2 && (locale.s[0] | 32) == 'z' && (locale.s[1] | 32) == 'h';

    return str_of(texts[which][zh]);
}
