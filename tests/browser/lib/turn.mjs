/**
 * True if case n of a row is to be tried in this language: in the whole suite they take turns, zh-CN with the first; with FIRSTLINE_ALL=1
 * (`./dev browser`) each is tried in both.
 */
export const turn = (n, lang) => process.env.FIRSTLINE_ALL === '1' || (n % 2 === 0) === (lang === 'zh-CN');
