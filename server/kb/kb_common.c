#include "kb/kb_common.h"

#include <pthread.h>

#include "kb/kb_features.h"
#include "kb/kb_rows.h"
#include "kb/kb_words.h"

static const char words[] =
    /* English */
    "a an the this that these those i im ive id ill me my mine myself we us our ours you your yours u ur he him his she "
    "her it its they them their there here be am is are was were been being do does did done doing have has had having "
    "hv will would shall should can could may might must to of in on at by for with from as into about and or but if so "
    "than then too very just also any some such only own same both each all please pls plz kindly hi hello hey dear sir "
    "madam maam mam team thanks thank thx ok okay yes yeah well now still really actually get got getting let lets want "
    "wanted wants like need needs know tell says said say ask asking help question regarding one ones thing things "
    "something anything someone anyone "
    /* Chinese: characters */
    "我 你 您 他 她 它 们 的 地 得 了 着 过 吗 呢 吧 啊 呀 哦 嗯 哈 嘛 么 是 有 在 就 都 也 还 又 再 和 与 及 或 但 而 且 这 那 个 "
    "些 一 不 没 很 太 更 最 想 要 请 问 能 会 可 以 让 把 被 给 对 跟 从 到 去 来 上 下 里 中 说 看 用 只 才 已 经 如 果 因 为 所 "
    "之 其 该 啥 咋 怎 样 什 点 好 行 呗 哪 几 多 少 "
    /* Chinese: words of two characters */
    "我们 你们 您们 他们 咱们 我的 你的 您的 是不 不是 有没 没有 可以 能不 不能 能否 是否 请问 你好 您好 谢谢 麻烦 一下 这个 那个 这些 "
    "那些 这样 那样 怎么 什么 怎样 如何 么样 么办 为什 为啥 因为 所以 如果 但是 而且 或者 已经 还是 还有 就是 可是 不过 现在 "
    "时候 我想 想要 需要 想问 问下 知道 觉得 应该 一个 了吗 的吗 吗我 以吗 能吗 行吗 好吗 了呢 不了 到了 不到 不会 会不 要不 不要 "
    "一直 有点 好的 行不 可不 不可 对吗 是吗 "
    /* other languages: articles, pronouns, prepositions, auxiliaries, question words */
    "der die das den dem des ein eine einen einem einer und oder aber ist sind waren wird werden wurde wurden haben hatte kann "
    "mit von vom zu zum zur im am in an auf aus bei nach fur als auch nicht noch nur sich es er sie ich wir ihr wie was wer wo "
    "wann warum welche welcher welches welchen wieviel viele "
    "le la les un une des et ou est sont etait du de au aux que qui quoi dans pour par sur avec ce cette ces il elle on nous vous je "
    "ne pas se sa ses comment quand quel quelle quels combien pourquoi "
    "el los las una unos y es era fue en del con por para como se su sus lo le que quien cual cuales cuando donde cuanto cuantos "
    "cuanta cuantas ha han ser "
    "si sau este sunt era a au fost in pe la cu din de pentru prin ca ce cine cand unde cati cate cum un unei unui nu "
    "na je w z ze do od po za nie to jest co jak kto gdzie kiedy ile "
    "ve veya bir bu su ile icin de da ki mi mu ne kim nerede nereye nasil neden hangi kac kadar olan olarak oldu olmustur oldugu gibi daha "
    "en cok var "
    "и в во на с со к ко по о об от из у за для до не что это как кто где когда почему какой какая какие какое каком сколько был была было "
    "были быть его ее их он она они мы вы или а но же бы "
    "και ή το τα η ο οι του της των τον την τους τις σε στο στη στην στον στα στις στους με για από ως που πως πώς τι ποιος ποια ποιο ποιοι "
    "ποιες πόσο πόσα πόσοι πότε πού γιατί είναι ήταν να θα δεν μια ένα ένας "
    "में का की के को है हैं था थी थे से ने और पर यह वह एक कि जो तो ही भी हो होता होती होते किया गया गई गए कर करने लिए साथ द्वारा "
    "क्या कौन कब कहाँ क्यों कैसे कितना कितने कितनी किस किसे किसने किसका किसके कौनसा "
    "في من على إلى عن مع هل ما ماذا من هو هي هم كان كانت يكون التي الذي الذين هذا هذه ذلك تلك أو و أن إن لا لم كم كيف متى أين لماذا أي "
    "بعد قبل كل بين عند قد "
    "và của là các có trong được cho một những với từ đã bị này đó không như khi ở ra vào đến để gì nào đâu sao bao nhiêu mấy thế ";

static struct kb_rows rows;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int put(void *ctx, struct str word, size_t first, size_t end, unsigned flags)
{
    (void)ctx, (void)first, (void)end, (void)flags;
    kb_rows_put(&rows, kb_hash(0, word.s, word.n));
    return 0;
}

/* As words come out of a text: folded, two characters of Chinese as one. */
static void start(void)
{
    kb_words(str_of(words), KB_WORDS_QUERY | KB_WORDS_WHOLE, put, NULL);
}

bool kb_common_is(struct str word)
{
    pthread_once(&once, start);
    return kb_rows_find(&rows, kb_hash(0, word.s, word.n)) != KB_ROW_NONE;
}
