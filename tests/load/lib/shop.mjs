// A made-up knowledge base of any size, the same from run to run: for time and memory, not for how good suggestions are.

const COMMON = 'how do i can my the a is to for it you not have was when what where please with on in of this that and'.split(' ');
const COMMON_ZH = ['我的', '怎么', '可以', '什么', '没有', '请问', '一下', '这个', '多久', '不能'];
const SYLLABLES = 'ba be bo ca ce co da de di do fa fi fo ga ge go ha he hi la le li lo ma me mi mo na ne ni no pa pe po ra re ri ro sa se si so ta te ti to va ve vi za'.split(' ');
const VOCABULARY = 6000;
const ZH_SHARE = 0.25; // of the articles

/** mulberry32: numbers in [0, 1). */
function randomOf(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Articles, the accepts of each and the queries on each, in the form of the sets. */
export function shop({ articles, accepts, queries }) {
  const random = randomOf(7);
  const below = (n) => Math.floor(random() * n);
  const rank = () => Math.min(VOCABULARY - 1, Math.floor(VOCABULARY ** random()) - 1); // Zipf: a word's share falls with its rank
  const word = () => Array.from({ length: 2 + below(3) }, () => SYLLABLES[below(SYLLABLES.length)]).join('');
  const wordZh = () => String.fromCodePoint(0x4e00 + below(2500), 0x4e00 + below(2500));
  const words = [false, true].map((zh) => Array.from({ length: VOCABULARY }, zh ? wordZh : word));
  const out = { articles: [], accepts: [], queries: [] };
  const topics = Array.from({ length: articles }, (_, i) => {
    const zh = i < articles * ZH_SHARE;
    return { zh, of: Array.from({ length: 12 }, () => words[Number(zh)][rank()]) };
  });
  const text = ({ zh, of }, n) =>
    Array.from({ length: n }, () => {
      const dice = random();
      if (dice < 0.4) return (zh ? COMMON_ZH : COMMON)[below(zh ? COMMON_ZH.length : COMMON.length)];
      return dice < 0.8 ? of[below(of.length)] : words[Number(zh)][rank()];
    }).join(zh ? '' : ' ');

  topics.forEach((t, i) => {
    const body = Array.from({ length: 8 }, () => `${text(t, 12)}${t.zh ? '。' : '. '}`).join('');
    out.articles.push({ id: `a-${i}`, lang: t.zh ? 'zh-CN' : 'en', title: text(t, 5), body });
  });
  for (let n = 1; n <= accepts; n++) topics.forEach((t, i) => out.accepts.push({ n, article: `a-${i}`, text: text(t, 6 + below(9)) }));
  for (let n = 1; n <= queries; n++) topics.forEach((t, i) => out.queries.push({ query_id: `q-${n}-${i}`, article: `a-${i}`, text: text(t, 6 + below(9)) }));
  return out;
}
