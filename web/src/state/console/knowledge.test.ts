import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, draftOf, draftOfGap, rebase, saveSide } from './knowledge.js';
import type { Article, Draft, Version } from './knowledge.js';

const version = (lang: string, more: Partial<Version> = {}): Version => ({
  lang, title: `Title ${lang}`, department: 'general', audience: 'shopper', version: 1, source: 'console', set_aside: false, base: '', keywords: [], questions: [], body: 'Text.', ...more,
});
const article = (...languages: Version[]): Article => ({ article: 'coupons', languages });
const langs = (d: Draft) => changed(d).map((s) => s.lang);
const write = (d: Draft, lang: string, body: string): Draft => ({ ...d, sides: d.sides.map((s) => (s.lang === lang ? { ...s, body } : s)) });
const bodies = (d: Draft) => Object.fromEntries(d.sides.map((s) => [s.lang, s.body]));

/** What goes out when these sides are saved. */
async function sent(d: Draft): Promise<Array<Record<string, unknown>>> {
  const out: Array<Record<string, unknown>> = [];
  const before = globalThis.fetch;
  globalThis.fetch = (async (_url: unknown, init?: RequestInit) => {
    out.push(JSON.parse(String(init?.body)) as Record<string, unknown>);
    return new Response('{}', { status: 201, headers: { 'content-type': 'application/json' } });
  }) as typeof fetch;
  try {
    for (const s of changed(d)) await saveSide(d, s);
  } finally {
    globalThis.fetch = before;
  }
  return out;
}

test('knowledge: what two languages have each their own way stays so: a text for staff is not published with the other language', async () => {
  const mixed = article(version('en', { department: 'sales', valid_until: '2030-01-31' }), version('zh-CN', { audience: 'rep', department: 'aftersales' }));
  const d = draftOf(mixed);
  assert.deepEqual(langs(d), [], 'nothing is written yet');
  const both = write(write(d, 'en', 'New.'), 'zh-CN', '新的。');
  assert.deepEqual((await sent(both)).map((x) => [x['lang'], x['audience'], x['department'], x['valid_until']]), [['zh-CN', 'rep', 'aftersales', ''], ['en', 'shopper', 'sales', '2030-01-31']]);
  assert.deepEqual((await sent({ ...d, audience: 'rep' })).map((x) => [x['lang'], x['audience'], x['department']]), [['en', 'rep', 'sales']], 'what is chosen is for all');
  const third = { ...draftOf(article(version('de', { audience: 'rep' }), version('en'))) };
  assert.deepEqual((await sent(write({ ...third, sides: third.sides.map((s) => (s.lang === 'zh-CN' ? { ...s, title: '新' } : s)) }, 'zh-CN', '新的。'))).map((x) => [x['audience'], x['department']]), [['rep', 'general']], 'a new language is for staff while that is open');
});

test('knowledge: an article whose file writes its lists otherwise is not changed by being opened', () => {
  assert.deepEqual(langs(draftOf(article(version('zh-CN', { keywords: ['退货、换货'], questions: ['怎么退 '], title: ' 退换 ' })))), []);
});

test('knowledge: who keeps their version over another one takes back nothing that they did not write', () => {
  const mine = write(draftOf(article(version('en'), version('zh-CN'))), 'en', 'Mine.');
  const now = article(version('en', { version: 2, body: 'Theirs.' }), version('zh-CN', { version: 2, body: '他们的。', audience: 'shopper' }));
  const next = rebase(mine, now);
  assert.deepEqual(bodies(next), { 'zh-CN': '他们的。', en: 'Mine.' });
  assert.deepEqual(langs(next), ['en']);
  const staff = article(version('en', { version: 2, audience: 'rep' }), version('zh-CN', { version: 2, audience: 'rep' }));
  assert.equal(rebase(mine, staff).audience, 'rep', 'nor publishes what they have taken back');
  assert.deepEqual(bodies(rebase({ ...mine, department: 'sales' }, now)), { 'zh-CN': '他们的。', en: 'Mine.' }, 'what all languages share is no text');
});

test('knowledge: the draft of a gap can be saved, however long the questions were', () => {
  const long = '请问'.repeat(400);
  const asked = (text: string) => ({ chat: 'c_1', at: 1, text, refused: false, rejected: false });
  const d = draftOfGap({ question: long, count: 2, unhappy: 0, last: 1, draft: 'So.', questions: [asked(long), asked(`${long}？`), asked('为什么')] });
  const questions = d.sides[0]?.questions.split('\n') ?? [];
  assert.deepEqual(questions.map((q) => [...q].length), [300, 3]);
});
