#include "kb/kb_none.h"

/* One a line; a group of lines a subject. */
static const char texts[] =
    /* greetings, thanks, leave-taking */
    "how are you doing today\n"
    "nice to meet you\nthank you so much for your help\nok thanks\nyou are welcome\n"
    "have a nice day\nhappy new year\nmerry christmas\n"
    /* scraps of a talk */
    "ok\nokay fine\nsure\nmaybe\nright\nexactly\ni see\ni understand\ngot it\nalright then\nwait\nwait a "
    "minute\n"
    "one moment please\nhold on\nare you there\nanybody there\nis anyone here\nplease reply\nplease answer "
    "me\nwhy no reply\n"
    "reply fast\nwhat\nwhat do you mean\ni don't understand\nsay that again\nnothing\nnever mind\nforget it\n"
    "something else\nmore\nnone of these\ngo back\nstart over\nnext\ni have a question\ni want to ask "
    "something\n"
    "can i ask you something\ni need help\nhelp\ni have a problem\ni have an issue\nlisten to me\ntest\n"
    "my name is\nmy number is\nmy phone number is\nmy email is\ni live in\ni am from\nsend me a photo\n"
    "this is not what i asked\nthat is not my question\nyou did not answer\nyou already told me that\n"
    /* about the one who answers */
    "are you a real person\nwho are you\n"
    "do you have a boyfriend\ni love you\nyou are stupid\n"
    "you are funny\nwhat do you think\ncan you speak another language\n"
    "sing me a song\ntell me a story\nwhat is the meaning of life\n"
    /* other people's business */
    "what is the weather today\nwill it rain tomorrow\n"
    "who is the president\nwhat is the capital of france\nhow tall is the mountain\nwhat is two plus "
    "two\nsolve this equation\n"
    "translate this sentence\nhow do you spell it\nwhat does this word mean\nwrite me an essay\nwrite a "
    "poem\nplay some music\n"
    "what movies are on\nset a timer for ten minutes\nturn on the lights\nremind me to call my mother\n"
    "how do i cook rice\ngive me a recipe for soup\nhow do i lose weight\nmy head hurts\n"
    "book me a flight\nfind a restaurant near me\nhow is the traffic\ncall me a taxi\n"
    "what is the latest news\nhow is the stock market\nwho wrote that book\nwhen was the war\n"
    "how far is the moon\nwhat animal is the fastest\nfind me a job\nhow do i fix my car\n"
    "my computer is broken\nhow do i change a tire\nwhich phone is the best\nwhat happened in history\n"
    /* 招呼、道谢、道别 */
    "你好\n您好\n有人吗\n早上好\n下午好\n晚上好\n谢谢\n非常感谢\n不客气\n再见\n拜拜\n新年快乐\n辛苦了\n"
    /* 零碎的话 */
    "好的\n嗯\n哦\n是的\n不是\n对\n行\n可以\n知道了\n明白了\n等一下\n稍等\n怎么不说话\n快回复我\n怎么没人理我"
    "\n什么意思\n"
    "没听懂\n算了\n没事了\n呵呵\n我想问一下\n有个问题\n帮帮我\n其他\n测试\n"
    /* 关于答话的人 */
    "你是谁\n你是真人吗\n你几岁了\n你是哪里人\n你会做什么\n你有女朋友吗\n我爱你\n你真笨\n你真聪明\n"
    "唱首歌\n聊聊天\n我好无聊\n"
    /* 别人家的事 */
    "今天星期几\n世界上最高的山\n中国的首都是哪里\n"
    "写一首诗\n放首音乐\n定个闹钟\n推荐一个菜谱\n"
    "路上堵不堵\n帮我叫辆车\n怎么修车\n手机哪个牌子好\n"
    "";

void kb_none_each(void (*fn)(void *ctx, struct str text), void *ctx)
{
    for (const char *s = texts; *s;) {
        size_t n = strcspn(s, "\n");

        fn(ctx, (struct str){s, n});
        s += n + 1;
    }
}
