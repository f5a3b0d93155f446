import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySheet, isComplete, previewScore, toBody } from './marks.js';
import type { Scorecard, Sheet } from './marks.js';
import { Qa } from './qa.js';
import { FakeTimers, settle } from '../../model/fakes.js';
import { memoryStore } from '../../model/storage.js';
import { emptyQuery, fromAddress, markWords, readLine, toAddress, toRequest } from './query.js';

test('what is typed becomes chips in both languages; the rest stays text', () => {
  const typed = readLine('slow refund rep:mei rating:2 tag:"big sofa" owner-changed from:2026-11-01', emptyQuery);
  assert.deepEqual(typed, { q: 'slow refund', rep: 'mei', department: '', tag: 'big sofa', rating: '2', from: '2026-11-01', to: '', ownerChanged: true });
  const zh = readLine('退款 客服：小梅 评分:1 换人', emptyQuery);
  assert.deepEqual([zh.q, zh.rep, zh.rating, zh.ownerChanged], ['退款', '小梅', '1', true]);
  assert.equal(readLine('rating:9 http://x', emptyQuery).q, 'rating:9 http://x', 'what fits no chip is searched for');
});

test('a typed chip is added to those that stand', () => {
  assert.deepEqual(readLine('tag:x', { ...emptyQuery, rep: 'r_1' }), { ...emptyQuery, rep: 'r_1', tag: 'x' });
});

test('the address is the search, there and back', () => {
  const query = { ...emptyQuery, q: '退款 & more', rep: 'r_1', rating: '3', from: '2026-11-01', ownerChanged: true };
  const address = toAddress(query, 'c_9');
  assert.deepEqual(fromAddress(address.slice(address.indexOf('?'))), { query, chat: 'c_9' });
  assert.equal(toAddress(emptyQuery, ''), '/qa');
  assert.equal(fromAddress('?rating=99&from=never').query.rating + fromAddress('?from=never').query.from, '');
});

test('days become milliseconds, to the last one of the last day', () => {
  const p = new URLSearchParams(toRequest({ ...emptyQuery, from: '2026-11-01', to: '2026-11-01' }, 'next', 50).split('?')[1]);
  assert.equal(Number(p.get('to')) - Number(p.get('from')), 86_400_000 - 1);
  assert.equal(p.get('cursor'), 'next');
});

test('a day on which the clocks are changed is asked for to its end, and no further', () => {
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin';
  for (const [day, hours] of [['2026-03-29', 23], ['2026-10-25', 25]] as const) {
    const p = new URLSearchParams(toRequest({ ...emptyQuery, from: day, to: day }, null, 50).split('?')[1]);
    assert.equal(Number(p.get('to')) - Number(p.get('from')) + 1, hours * 3_600_000);
  }
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('of a Chinese run that is not there as a whole its pairs are marked', () => {
  assert.deepEqual(markWords('退货政策', '政策说可以退货'), ['退货', '货政', '政策']);
  assert.deepEqual(markWords('退货政策', '退货政策如下'), ['退货政策']);
  assert.deepEqual(markWords('Late parcel', 'x'), ['Late', 'parcel']);
});

const card: Scorecard = {
  id: 'default', version: 1, title: 'x',
  criteria: [{ id: 'a', title: {}, weight: 30, auto_fail: false }, { id: 'b', title: {}, weight: 10, auto_fail: false }, { id: 'c', title: {}, weight: 0, auto_fail: true }],
};
const sheet = (a?: number | null, b?: number | null, c?: number | null): Sheet => ({
  comment: '', marks: { ...(a === undefined ? {} : { a: { score: a } }), ...(b === undefined ? {} : { b: { score: b } }), ...(c === undefined ? {} : { c: { score: c } }) },
});

test('a score is weighted, leaves out what does not apply, and an automatic fail takes all', () => {
  assert.equal(previewScore(emptySheet, card), null);
  assert.deepEqual(previewScore(sheet(5, 0, 5), card), { percent: 75, failed: false });
  assert.deepEqual(previewScore(sheet(null, 4, 5), card), { percent: 80, failed: false });
  assert.deepEqual(previewScore(sheet(5, 5, 0), card), { percent: 0, failed: true });
});

test('a review is complete when each criterion has a mark and not all are n/a', () => {
  assert.equal(isComplete(sheet(5, 5), card), false);
  assert.equal(isComplete(sheet(null, null, null), card), false);
  assert.equal(isComplete(sheet(null, null, 3), card), false, 'what weighs nothing makes no score');
  assert.equal(isComplete(sheet(null, null, 0), card), true, 'but fails all');
  assert.equal(isComplete(sheet(5, null, 3), card), true);
  const body = toBody('c_1', { comment: ' ', marks: { a: { score: 4, comment: ' late ', seq: 7 }, b: { score: null }, c: { comment: 'no score' } } }, card);
  assert.deepEqual(body, { chat: 'c_1', scorecard: 'default', marks: [{ criterion: 'a', score: 4, comment: 'late', seq: 7 }, { criterion: 'b', score: null }] });
});

test('opening a transcript is no new search: the line keeps what is typed into it', async () => {
  const place = { search: '' };
  const page = {
    location: place, history: { pushState: (_: unknown, __: string, url: string) => (place.search = url.slice(3)) },
    window: { addEventListener: () => undefined, removeEventListener: () => undefined }, fetch: async () => new Response('{"items":[],"events":[]}'),
  };
  Object.assign(globalThis, page);
  const qa = new Qa({ person: { id: 'r_1', name: 'Q' }, roles: ['qa'], departments: [] }, memoryStore(), new FakeTimers(), () => undefined);
  qa.start();
  await settle();
  const before = qa.query.peek();
  qa.open('c_1');
  assert.equal(qa.chat.peek(), 'c_1');
  assert.equal(qa.query.peek(), before);
  await settle();
});

test('who and where is typed as it is shown: a login or a name, the title of a department in either language', async () => {
  const people = { items: [{ id: 'r_1', name: '小梅', login: 'mei' }], departments: [{ name: 'returns', title_en: 'Returns and refunds', title_zh: '售后' }] };
  Object.assign(globalThis, {
    location: { search: '' }, window: { addEventListener: () => undefined, removeEventListener: () => undefined },
    fetch: async (path: string) => new Response(path.endsWith('/people') ? JSON.stringify(people) : '{"items":[],"events":[]}'),
  });
  const qa = new Qa({ person: { id: 'r_9', name: 'Q' }, roles: ['qa'], departments: [] }, memoryStore(), new FakeTimers(), () => undefined);
  qa.start();
  await settle();
  const asked = (line: string) => {
    const { rep, department } = qa.named(readLine(line, emptyQuery));
    return rep + department;
  };
  assert.deepEqual(['rep:mei', 'rep:小梅', 'rep:r_1', 'rep:nobody'].map(asked), ['r_1', 'r_1', 'r_1', 'nobody']);
  assert.deepEqual(['部门：售后', 'dept:"returns and refunds"', 'department:Returns', 'department:sales'].map(asked), ['returns', 'returns', 'returns', 'sales']);
});

test('a CSV file says that it is UTF-8: a spreadsheet takes it for the local code page otherwise', async () => {
  const saved: Blob[] = [];
  Object.assign(globalThis, {
    document: { createElement: () => ({ click: () => undefined }) },
    fetch: async () => new Response('seq,text\r\n1,"退款"\r\n'),
  });
  URL.createObjectURL = (blob: unknown) => `blob:${saved.push(blob as Blob)}`;
  URL.revokeObjectURL = () => undefined;
  const qa = new Qa({ person: { id: 'r_1', name: 'Q' }, roles: ['qa'], departments: [] }, memoryStore(), new FakeTimers(), () => undefined);
  const later = globalThis.setTimeout;
  globalThis.setTimeout = (() => 0) as unknown as typeof later; // nobody waits for what is given back afterwards
  for (const format of ['csv', 'text'] as const) await qa.download(format);
  globalThis.setTimeout = later;
  const begins = await Promise.all(saved.map(async (b) => [...new Uint8Array(await b.arrayBuffer()).slice(0, 3)]));
  assert.deepEqual(begins, [[0xef, 0xbb, 0xbf], [0x73, 0x65, 0x71]]);
});

test('a review that is sent again unchanged bears the same reference, also after a reload; a changed one another', async () => {
  const place = { search: '' };
  Object.assign(globalThis, {
    location: place, history: { pushState: (_: unknown, __: string, url: string) => (place.search = url.slice(3)) },
    window: { addEventListener: () => undefined, removeEventListener: () => undefined }, fetch: async () => new Response('{"items":[],"events":[]}'),
  });
  const store = memoryStore();
  const come = (): Qa => {
    place.search = '';
    const qa = new Qa({ person: { id: 'r_1', name: 'Q' }, roles: ['qa'], departments: [] }, store, new FakeTimers(), () => undefined);
    qa.start();
    qa.open('c_1');
    return qa;
  };
  const sent = (qa: Qa): unknown => (toBody('c_1', qa.sheet.peek(), card) as { ref?: string }).ref;
  const qa = come();
  qa.setComment('late');
  const first = sent(qa);
  assert.match(String(first), /^[\w-]{1,64}$/);
  assert.equal(sent(come()), first);
  qa.setComment('very late');
  assert.notEqual(sent(qa), first);
  await settle();
});

test('a scorecard that could not be read is asked for again with the next transcript', async () => {
  let away = true;
  const place = { search: '' };
  Object.assign(globalThis, {
    location: place, history: { pushState: (_: unknown, __: string, url: string) => (place.search = url.slice(3)) },
    window: { addEventListener: () => undefined, removeEventListener: () => undefined },
    fetch: async (path: string) => (path.endsWith('/scorecards') ? new Response('{"items":[{"id":"s","criteria":[]}]}', { status: away ? 503 : 200 }) : new Response('{"items":[],"events":[]}')),
  });
  const qa = new Qa({ person: { id: 'r_1', name: 'Q' }, roles: ['qa'], departments: [] }, memoryStore(), new FakeTimers(), () => undefined);
  qa.start();
  await settle();
  assert.equal(qa.card.peek(), null);
  away = false;
  qa.open('c_1');
  await settle();
  assert.equal(qa.card.peek()?.id, 's');
});

/** A QA whose server answers by `answer`; what is sent comes along. */
function desk(answer: (path: string, body: unknown) => unknown, store = memoryStore()) {
  const place = { search: '' };
  Object.assign(globalThis, {
    location: place, history: { pushState: (_: unknown, __: string, url: string) => (place.search = url.slice(3)) },
    window: { addEventListener: () => undefined, removeEventListener: () => undefined },
    fetch: async (path: string, how: { body?: string }) => {
      const said = await answer(path, how.body === undefined ? null : JSON.parse(how.body));
      return said instanceof Response ? said : new Response(JSON.stringify(said));
    },
  });
  const qa = new Qa({ person: { id: 'r_9', name: 'Q' }, roles: ['qa'], departments: [] }, store, new FakeTimers(), () => undefined);
  qa.start();
  return qa;
}

test('a search that takes too long is to be narrowed, not tried again', async () => {
  const qa = desk((path) => (path.startsWith('/api/v1/transcripts?') ? new Response('{"status":503,"reason":"too_slow"}', { status: 503 }) : { items: [] }));
  await settle();
  assert.deepEqual(qa.hits.peek(), { at: 'failed', why: 'qa.too_slow' });
});

test('reviews that could not be read are not said to be none', async () => {
  let away = true;
  const qa = desk((path) => (path.includes('/reviews?') ? new Response('{"items":[{"id":"v_1"}]}', { status: away ? 503 : 200 }) : { items: [], events: [] }));
  await settle();
  qa.open('c_1');
  await qa.readReviews('c_1');
  assert.equal(qa.reviews.peek().at, 'failed');
  away = false;
  await qa.readReviews('c_1');
  const here = qa.reviews.peek();
  assert.equal(here.at === 'here' && here.value.length, 1);
});

const hit = (chat: string) => ({ chat, department: 'd', owner: null, started: 1, state: 'closed', messages: 1 });
const oneCard = { items: [{ id: 's', version: 1, title: 'x', criteria: [{ id: 'a', title: {}, weight: 1, auto_fail: false }] }] };

test('what is written while a review is on its way stays written', async () => {
  let goOn: () => void = () => undefined;
  const qa = desk((path) => (path === '/api/v1/reviews' ? new Promise((done) => (goOn = () => done({ score: 80 }))) : path.endsWith('/scorecards') ? oneCard : { items: [], events: [] }));
  await settle();
  qa.open('c_1');
  await settle();
  qa.mark('a', { score: 4 });
  const sent = qa.submit();
  await settle();
  qa.setComment('one more thing');
  goOn();
  await sent;
  assert.equal(qa.sheet.peek().comment, 'one more thing');
});

test('after a review of the last one that is loaded the next one of the sample is fetched and opened', async () => {
  const qa = desk((path) => (path.includes('cursor=p2') ? { items: [hit('c_2')], next: null } : path.startsWith('/api/v1/transcripts?') ? { items: [hit('c_1')], next: 'p2' }
    : path.endsWith('/scorecards') ? oneCard : path === '/api/v1/reviews' ? { score: 80 } : { items: [], events: [] }));
  await settle();
  qa.open('c_1');
  await settle();
  qa.mark('a', { score: 4 });
  await qa.submit();
  await settle();
  assert.equal(qa.chat.peek(), 'c_2');
});
