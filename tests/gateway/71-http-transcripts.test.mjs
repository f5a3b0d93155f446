// Reading and searching what was said, by role; reviews.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep, shopper } from './lib/client.mjs';
import { auditor, servedChat, servedChatWithColleague, settled, staff, take } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;
let ann;
let bob;
let lead;
let other; // a lead of another department
let sue;
let chat;
let tags; // as the rep saw them

const NASTY = ['=SUM(A1)', '+1', '-1', '@x', '\tTAB', '"quoted", with comma', 'line\r\nbreak', '<script>alert(1)</script>', '\u202eright to left'];

before(async () => {
  server = await new Server({ set: { 'site.default.origins': 'https://shop.example' } }).start();
  quinn = await auditor(server);
  [lead] = await staff(server, 1, { role: 'lead' });
  [other] = await staff(server, 1, { role: 'lead' });
  const people = await staff(server, 2, { department: lead.department });
  ann = await rep(server, people[0]);
  ({ sue, chat } = await servedChat(server, { ann, text: '我要申请退款，订单 20231', hello: { locale: 'zh-CN', name: '=cmd()' } }));
  bob = await rep(server, people[1]);
  await sue.say('The lamp arrived DAMAGED, 100% broken_glass');
  await ann.say('退款已经在处理，refund within three days.', { chat });
  for (const text of NASTY) await sue.say(text);
  await ann.done('chat.tag', { chat, add: ['lamp', '灯'.repeat(50)] });
  await ann.done('chat.tag', { chat, add: ['both'], remove: ['both'] });
  ({ tags } = (await ann.done('chat.open', { chat })).card);
  await ann.done('note.add', { chat, text: 'an internal note' });
  await ann.say('Closing words.', { chat });
  await settled(sue, ann, chat);
  await sue.done('chat.rate', { chat, score: 4, comment: 'fine' });
  await server.transcript(quinn.token, chat, (t) => t.events.some((e) => e.kind === 'rated'));
});
after(() => endAndCheck(server));

const list = (query, token = quinn.token) => server.api('GET', `/api/v1/transcripts${query}`, { token });
const find = async (q, more = '') => (await list(`?q=${encodeURIComponent(q)}${more}`)).json.items;

test('a search finds Chinese, English and mixed words, whatever the case', async () => {
  for (const q of ['退款', '申请退款', '订单', '20231', 'damaged', 'DAMAGED', 'lamp damaged', '退款 refund', 'broken_glass', '订单 20231']) {
    const items = await until(async () => {
      const i = await find(q);
      return i.length ? i : null;
    }, `${q} is found`, 3000);
    assert.equal(items[0].chat, chat, q);
    if (/^[a-z]+$/i.test(q)) assert.match(items[0].snippet ?? '', new RegExp(q, 'i'), `${q} in the snippet`);
  }
  for (const q of ['没有这个词组', 'nosuchwordatall', '20239']) assert.deepEqual(await find(q), [], q);
});

test('a shopper reads the own chat over HTTP as it was sent there, from the shop\u2019s page too, and no other', async () => {
  const path = `/api/v1/shopper/transcripts/${chat}`;
  const token = sue.welcome.token;
  const own = (await server.api('GET', path, { token })).json;
  assert.deepEqual([own.chat, own.shopper.id, own.state], [chat, sue.me, 'closed']);
  assert.ok(!('tags' in own));
  const sent = sue.entries(chat).map(({ ref, ...e }) => e).sort((a, b) => a.seq - b.seq);
  const bySeq = new Map(sent.map((e) => [e.seq, e]));
  assert.ok(sent.length > NASTY.length, `${sent.length} were sent`);
  for (const e of own.events) if (bySeq.has(e.seq)) assert.deepEqual(e, bySeq.get(e.seq));
  assert.deepEqual(sent.filter((e) => !own.events.some((x) => x.seq === e.seq)), [], 'all that was sent stands in it');
  own.events.forEach((e, i) => assert.equal(e.prev, own.events[i - 1]?.seq ?? 0));
  const text = await server.api('GET', path, { token, headers: { Accept: 'text/plain' } });
  assert.match(text.text, /我要申请退款/);
  assert.doesNotMatch(text.text, /an internal note/);
  const stranger = await shopper(server);
  const refused = async (status, more, where = path) => assert.equal((await server.api('GET', where, more)).status, status, JSON.stringify(more));
  await refused(404, { token: stranger.welcome.token });
  await refused(401, {});
  await refused(401, { token: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` });
  await refused(403, { token: quinn.token });
  await refused(401, { token }, `/api/v1/transcripts/${chat}`);
  const from = async (origin) => (await server.api('GET', path, { token, headers: { Origin: origin } })).headers['access-control-allow-origin'] ?? null;
  assert.deepEqual([await from('https://shop.example'), await from('https://evil.example')], ['https://shop.example', null]);
  const answers = await Promise.all(Array.from({ length: 12 }, () => server.api('GET', path, { token: stranger.welcome.token })));
  assert.ok(answers.some((a) => a.status === 429 && Number(a.headers['retry-after']) > 0), 'not as often as one likes');
});

test('operators and wildcards are words like others', async () => {
  for (const q of ['"', '""', '"unclosed', '*', 'dam*', 'NEAR(', 'NEAR(lamp damaged, 5)', 'a AND', 'NOT', 'OR OR', '^lamp', 'lamp:', 'text:lamp', '(', ')))', '-lamp', '+', '%', '_', '100%', "' OR 1=1 --", '; DROP TABLE entries', '\\', '{}', 'a'.repeat(1900), '字'.repeat(600), ' ', '\u200b', '😀']) {
    const began = performance.now();
    const r = await list(`?q=${encodeURIComponent(q)}`);
    assert.ok(r.status === 200 || r.status === 400, `${JSON.stringify(q).slice(0, 40)}: ${r.status} ${r.text.slice(0, 100)}`);
    assert.ok(performance.now() - began < 3000, `${q}: in time`);
    assert.ok(!/fts5|sqlite|syntax error/i.test(r.text), `${q}: ${r.text.slice(0, 200)}`);
  }
  assert.deepEqual(await find('dam*ged'), [], 'a star is no wildcard');
  assert.equal((await find('d_maged')).length, 0, 'nor is an underscore');
});

test('the list has the tags that the rep saw', async () => {
  assert.deepEqual(tags, ['lamp', '灯'.repeat(50), 'both']);
  const [item] = (await list('?tag=both')).json.items;
  assert.deepEqual([item.chat, [...item.tags].sort()], [chat, [...tags].sort()]);
});

test('the list is filtered by rep, department, tag, rating and time, newest first, page by page', async () => {
  const mine = (items) => items.map((i) => i.chat);
  for (const q of [`?rep=${ann.me}`, `?department=${ann.department}`, '?tag=lamp', '?rating=4', `?from=${Date.now() - 600_000}`, `?to=${Date.now() + 1000}`, '?owner_changed=false'])
    assert.ok(mine((await list(q)).json.items).includes(chat), q);
  for (const q of [`?rep=${bob.me}`, '?department=general', '?tag=sofa', '?rating=1', `?from=${Date.now() + 60_000}`, '?to=1000', `?owner_changed=true&department=${ann.department}`])
    assert.ok(!mine((await list(q)).json.items).includes(chat), q);
  for (const q of ['?limit=0', '?limit=x', '?limit=99999', '?rating=9', '?from=yesterday', '?owner_changed=maybe']) assert.equal((await list(q)).status, 400, q);
  const more = [];
  for (let i = 0; i < 5; i++) more.push((await (await shopper(server)).done('chat.start', { text: `page ${i}`, department: ann.department })).chat);
  await until(async () => mine((await list('')).json.items).length >= 6, 'all are listed');
  const paged = [];
  for (let cursor = ''; ; ) {
    const r = await list(`?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    assert.equal(r.status, 200);
    assert.ok(r.json.items.length <= 2);
    paged.push(...r.json.items);
    cursor = r.json.next;
    if (!cursor) break;
  }
  assert.equal(new Set(mine(paged)).size, paged.length, 'no chat twice');
  for (const c of [chat, ...more]) assert.ok(mine(paged).includes(c));
  const times = paged.map((i) => i.started);
  assert.deepEqual(times, [...times].sort((a, b) => b - a), 'newest first');
  assert.equal((await list('?cursor=nonsense')).status, 400);
});

test('a live chat is listed within a second of its start', async () => {
  const s = await shopper(server);
  const word = `newest${Date.now()}`;
  const began = Date.now();
  const { chat: live } = await s.done('chat.start', { text: `just now ${word}`, department: server.newDepartment() });
  await until(async () => (await find(word)).some((i) => i.chat === live), 'found by its words', 3000, 20);
  assert.ok(Date.now() - began < 1500, `${Date.now() - began} ms`);
  const item = (await find(word))[0];
  assert.equal(item.state, 'waiting');
  assert.equal(item.owner ?? null, null);
});

test('an item of the list says what the page needs', async () => {
  const item = (await find('20231'))[0];
  assert.equal(item.chat, chat);
  assert.equal(item.department, ann.department);
  assert.equal(item.owner.id, ann.me);
  assert.equal(item.state, 'closed');
  assert.equal(item.rating, 4);
  assert.ok(item.messages >= 4 + NASTY.length, `${item.messages} messages`);
  assert.ok(item.started <= item.ended);
});

test('one transcript comes as JSON, NDJSON, CSV and text, with the same entries', async () => {
  const get = (accept) => server.api('GET', `/api/v1/transcripts/${chat}`, { token: quinn.token, headers: accept ? { accept } : {} });
  const json = await get('application/json');
  const t = json.json;
  assert.match(json.headers['content-type'], /^application\/json/);
  assert.deepEqual([t.chat, t.site, t.department, t.state, t.complete, t.owner.id, t.shopper.id], [chat, 'default', ann.department, 'closed', true, ann.me, sue.me]);
  assert.deepEqual((await get()).json, t, 'JSON where nothing is asked for');
  const nd = await get('application/x-ndjson');
  assert.match(nd.headers['content-type'], /^application\/x-ndjson/);
  assert.deepEqual(nd.text.trim().split('\n').map((l) => JSON.parse(l)), t.events);
  const csv = await get('text/csv');
  assert.match(csv.headers['content-type'], /^text\/csv/);
  for (const text of ['退款已经在处理，refund within three days.', 'an internal note']) assert.ok(csv.text.includes(text), text);
  for (const cell of csv.text.match(/(^|,|\n)"?[=+\-@\t\r][^,\n]*/g) ?? []) assert.match(cell.replace(/^[,\n]/, ''), /^-?\d+$/, `a cell that a spreadsheet would run: ${cell}`);
  const plain = await get('text/plain');
  assert.match(plain.headers['content-type'], /^text\/plain/);
  assert.ok(plain.text.includes('我要申请退款，订单 20231'));
  assert.equal((await get('image/png')).status, 406);
  for (const r of [json, nd, csv, plain]) {
    assert.equal(r.headers['cache-control'], 'no-store');
    assert.equal(r.headers['x-content-type-options'], 'nosniff');
  }
});

test('the transcript is word for word what the rep was sent', async () => {
  const t = await server.transcript(quinn.token, chat);
  const shown = new Map(ann.entries(chat).map((e) => [e.seq, e]));
  let compared = 0;
  for (const e of t.events) {
    const mine = shown.get(e.seq);
    if (!mine) continue;
    const { ref: _r, prev: _p, ...a } = e;
    const { ref: _s, prev: _q, ...b } = mine;
    assert.deepEqual(a, b);
    compared++;
  }
  assert.ok(compared > NASTY.length, `${compared} entries compared`);
});

test('who may read what goes by role', async () => {
  const status = async (token) => (await server.api('GET', `/api/v1/transcripts/${chat}`, { token })).status;
  const sees = async (token) => (await list('?limit=200', token)).json.items?.some((i) => i.chat === chat);
  assert.equal(await status(quinn.token), 200, 'QA');
  assert.equal(await status(ann.who.token), 200, 'the rep whose chat it was');
  assert.equal(await sees(ann.who.token), true);
  assert.ok([403, 404].includes(await status(bob.who.token)), 'a colleague');
  assert.equal(await sees(bob.who.token), false);
  assert.equal(await status(lead.token), 200, 'the lead of the department');
  assert.equal(await sees(lead.token), true);
  assert.ok([403, 404].includes(await status(other.token)), 'the lead of another');
  assert.equal(await sees(other.token), false);
  const admin = await server.account({ role: 'admin' });
  const editor = await server.account({ role: 'editor' });
  const director = await server.account({ role: 'director' });
  assert.equal(await status(admin.token), 403, 'an admin, by virtue of that');
  assert.equal((await list('', admin.token)).status, 403);
  assert.equal(await status(editor.token), 403);
  assert.equal(await status(director.token), 200);
  assert.equal(await status(undefined), 401);
  assert.equal(await status('nonsense'), 401);
  assert.equal(await status(sue.token), 401, 'a shopper’s token');
  for (const c of ['c_nosuchchat', 'x', '..', '%00', 'c_%7B*%7D']) {
    const r = await server.api('GET', `/api/v1/transcripts/${c}`, { token: quinn.token });
    assert.ok([400, 404].includes(r.status), `${c}: ${r.status}`);
  }
});

test('who handles a shopper reads their past chats for as long', async () => {
  const [first, second] = await staff(server, 2);
  const amy = await rep(server, first);
  const { sue: eve, chat: past } = await servedChat(server, { ann: amy, text: 'about a waterfall' });
  await settled(eve, amy, past);
  await amy.done('shift.end');
  const ben = await rep(server, second);
  const mine = `?shopper=${eve.me}`;
  const ofHers = async (who) => (await list(mine, who.token)).json.items.map((i) => i.chat);
  const reads = async () => (await server.api('GET', `/api/v1/transcripts/${past}`, { token: ben.who.token })).status === 200;
  await server.transcript(quinn.token, past, (t) => t.state === 'closed');
  assert.deepEqual([await ofHers(ben.who), await reads()], [[], false], 'nobody of theirs');
  const { chat: now } = await eve.done('chat.start', { text: 'again about it', department: ben.department });
  await take(ben, now);
  await until(reads, 'the past chat is read');
  assert.equal((await list(mine, ben.who.token)).json.items[0].handler.id, ben.me);
  assert.deepEqual(await ofHers(ben.who), [now, past]);
  assert.deepEqual(await ofHers(amy.who), [past], 'what was hers, and no more');
  assert.deepEqual(await ofHers(quinn), [now, past]);
  assert.deepEqual((await list(`${mine}&q=waterfall`, ben.who.token)).json.items.map((i) => i.chat), [past]);
  assert.deepEqual((await list('?shopper=s_nobody')).json.items, []);
  await settled(eve, ben, now);
  await until(async () => !(await reads()), 'no longer');
  assert.deepEqual(await ofHers(ben.who), [now]);
});

test('a shopper is told of their own chats, and of nothing that is not for shoppers', async () => {
  const [one] = await staff(server, 1);
  const amy = await rep(server, one);
  const eve = await shopper(server, {});
  assert.deepEqual((await eve.done('history')).chats, []);
  const ids = [];
  for (const text of ['first of two', 'second of two']) {
    const { chat: c } = await eve.done('chat.start', { text, department: amy.department });
    await take(amy, c);
    await settled(eve, amy, c);
    ids.unshift(c);
  }
  const chats = await until(async () => {
    const all = (await eve.done('history')).chats;
    return all.length === 2 && all.every((x) => x.state === 'closed') && all;
  }, 'both are archived');
  assert.deepEqual(chats.map((x) => x.chat), ids);
  for (const x of chats) {
    assert.deepEqual(Object.keys(x), ['chat', 'started', 'ended', 'state', 'owner']);
    assert.ok(x.started <= x.ended);
    assert.equal(x.owner.id, amy.me);
  }
  assert.deepEqual((await eve.done('history', { before: chats[0].started })).chats, [chats[1]]);
  assert.deepEqual((await eve.done('history', { before: 0 })).chats, []);
  assert.deepEqual((await (await shopper(server, {})).done('history')).chats, []);
});

test('people are listed without their secrets', async () => {
  const r = await server.api('GET', '/api/v1/people', { token: quinn.token });
  assert.equal(r.status, 200);
  const me = r.json.items.find((p) => p.id === ann.me);
  assert.deepEqual([me.login, me.roles, me.departments, me.disabled ?? false], [ann.who.login, ['rep'], [ann.department], false]);
  assert.ok(!/argon|password|secret|token/i.test(r.text));
});

test('a chat is judged by a scorecard, again and again, and nothing is overwritten', async () => {
  const cards = (await server.api('GET', '/api/v1/scorecards', { token: quinn.token })).json.items;
  const card = cards[0];
  assert.ok(card.criteria.length >= 3);
  const marks = card.criteria.map((c, i) => ({ criterion: c.id, score: i === 0 ? 5 : 4, ...(i === 0 ? { comment: '很好', seq: 3 } : {}) }));
  const add = (body, token = quinn.token) => server.api('POST', '/api/v1/reviews', { token, body });
  const first = await add({ chat, scorecard: card.id, marks, comment: 'well done' });
  assert.equal(first.status, 201, first.text);
  assert.ok(first.json.id && first.json.score > 0);
  const second = await add({ chat, scorecard: card.id, marks: marks.map((m, i) => (i ? { ...m, score: null } : m)) });
  assert.equal(second.status, 201, second.text);
  assert.notEqual(second.json.id, first.json.id);
  const all = await until(async () => {
    const { items } = (await server.api('GET', `/api/v1/reviews?chat=${chat}`, { token: quinn.token })).json;
    return items.length === 2 ? items : null;
  }, 'both reviews');
  assert.deepEqual(new Set(all.map((x) => x.id)), new Set([first.json.id, second.json.id]));
  assert.ok([400, 404].includes((await add({ chat: 'c_nosuchchat', scorecard: card.id, marks })).status));
  for (const bad of [{}, { chat }, { chat, scorecard: 'nope', marks }, { chat, scorecard: card.id, marks: 'x' }, { chat, scorecard: card.id, marks: [{ criterion: 'nope', score: 1 }] }, { chat, scorecard: card.id, marks: [{ criterion: marks[0].criterion, score: 6 }] }])
    assert.equal((await add(bad)).status, 400, JSON.stringify(bad));
  assert.equal((await add({ chat, scorecard: card.id, marks }, ann.who.token)).status, 403, 'a rep judges nobody');
  assert.equal((await server.api('GET', `/api/v1/reviews?chat=${chat}`, { token: ann.who.token })).status, 200, 'but reads the own results');
});

test('how a colleague was marked is not for who was only asked something', async () => {
  const { ann: eva, bob: joe, chat: asked } = await servedChatWithColleague(server);
  await eva.done('chat.consult', { chat: asked, to: joe.me, question: 'who pays?' });
  const get = (path, who) => server.api('GET', path, { token: who.who.token }).then((r) => r.status);
  await until(async () => (await get(`/api/v1/transcripts/${asked}`, joe)) === 200, 'who was asked reads the chat');
  assert.deepEqual([await get(`/api/v1/reviews?chat=${asked}`, eva), await get(`/api/v1/reviews?chat=${asked}`, joe)], [200, 404]);
});

test('a review that is sent again under the same reference is the same review', async () => {
  const { chat: of } = await servedChat(server);
  const criterion = (await server.api('GET', '/api/v1/scorecards', { token: quinn.token })).json.items[0].criteria[0].id;
  const other = await auditor(server);
  const add = (more, token = quinn.token) => server.api('POST', '/api/v1/reviews', { token, body: { ref: 'try-1', chat: of, marks: [{ criterion, score: 3 }], ...more } });
  const first = await until(async () => add().then((r) => (r.status === 404 ? null : r)), 'the chat is archived');
  assert.equal(first.status, 201, first.text);
  const again = await add();
  assert.deepEqual([again.status, again.json], [201, first.json]);
  const conflict = await add({ comment: 'and another thing' });
  assert.deepEqual([conflict.status, conflict.headers['content-type']], [409, 'application/problem+json'], conflict.text);
  assert.notEqual((await add({}, other.token)).json.id, first.json.id, 'a reference is its sender’s own');
  for (const ref of ['', 'a b', 'x'.repeat(65), 7, null]) assert.equal((await add({ ref })).status, 400, JSON.stringify(ref));
  const { items } = (await server.api('GET', `/api/v1/reviews?chat=${of}`, { token: quinn.token })).json;
  assert.equal(items.length, 2);
});

test('reviews come in pages, newest first, of one chat and of all, each once', async () => {
  const [{ chat }, other] = [await servedChat(server), await servedChat(server)];
  const criterion = (await server.api('GET', '/api/v1/scorecards', { token: quinn.token })).json.items[0].criteria[0].id;
  const made = [];
  for (const of of [chat, chat, other.chat, chat, chat, chat]) {
    const add = () => server.api('POST', '/api/v1/reviews', { token: quinn.token, body: { chat: of, marks: [{ criterion, score: 3 }] } });
    const r = await until(async () => ((await add().then((x) => (x.status === 201 ? made.push({ of, id: x.json.id }) : 0))) ? true : null), 'the chat is archived');
    assert.ok(r);
  }
  const newest = made.reverse();
  const get = (query, token = quinn.token) => server.api('GET', `/api/v1/reviews?${query}`, { token });
  const pages = async (query, token) => {
    const sizes = [];
    const ids = [];
    for (let next = ''; next !== null; ) {
      const r = (await get(`${query}${next && `&cursor=${next}`}`, token)).json;
      sizes.push(r.items.length);
      ids.push(...r.items.map((x) => x.id));
      next = r.next;
    }
    return { sizes, ids };
  };
  const own = newest.filter((x) => x.of === chat).map((x) => x.id);
  assert.deepEqual(await pages(`chat=${chat}&limit=2`), { sizes: [2, 2, 1], ids: own });
  assert.deepEqual(await pages(`chat=${chat}&limit=5`), { sizes: [5], ids: own });
  assert.deepEqual(await pages(`chat=${chat}`), { sizes: [5], ids: own });
  const all = await pages('limit=4');
  assert.deepEqual(all.ids.slice(0, 6), newest.map((x) => x.id));
  assert.equal(new Set(all.ids).size, all.ids.length);
  const next = (await get('limit=1')).json.next;
  const ofChats = (await server.api('GET', '/api/v1/transcripts?limit=1', { token: quinn.token })).json.next;
  for (const bad of ['limit=0', 'limit=201', 'limit=x', 'cursor=x', `cursor=${next}0`, `cursor=${ofChats}`, 'chat=%20', `chat=${chat}%0a`]) assert.equal((await get(bad)).status, 400, bad);
});

test('what is served is what openapi.json says, and a body that is too large is 413', async () => {
  const api = (await server.api('GET', '/api/v1/openapi.json')).json;
  const resolve = (schema) => (schema.$ref ? schema.$ref.slice(2).split('/').reduce((o, k) => o[k], api) : schema);
  const problems = (value, of, at) => {
    const schema = resolve(of);
    const fits = schema.anyOf?.map((one) => problems(value, one, at));
    if (fits) return fits.find((p) => !p.length) ?? fits.flat();
    if (schema.type === 'null' || value === null) return schema.type === 'null' && value === null ? [] : [`${at}: null`];
    if (schema.enum) return schema.enum.includes(value) ? [] : [`${at}: ${value}`];
    if (Array.isArray(value)) return value.flatMap((v) => problems(v, schema.items, `${at}[]`));
    if (typeof value !== 'object' || !schema.properties) return [];
    const missing = (schema.required ?? []).filter((k) => !(k in value)).map((k) => `${at}.${k} is missing`);
    return [...missing, ...Object.entries(value).flatMap(([k, v]) => (schema.properties[k] ? problems(v, schema.properties[k], `${at}.${k}`) : [`${at}.${k} is not described`]))];
  };
  const { sue, ann: a, chat } = await servedChat(server, { text: 'described waterwheel' });
  await settled(sue, a, chat);
  await server.transcript(quinn.token, chat, (t) => t.state === 'closed');
  const criterion = (await server.api('GET', '/api/v1/scorecards', { token: quinn.token })).json.items[0].criteria[0].id;
  await server.api('POST', '/api/v1/reviews', { token: quinn.token, body: { chat, marks: [{ criterion, score: 3 }] } });
  for (const [path, query = ''] of [['/readyz'], ['/api/v1/transcripts', '?q=waterwheel'], ['/api/v1/transcripts'], ['/api/v1/reviews'], ['/api/v1/reviews', `?chat=${chat}`]]) {
    const r = await server.api('GET', path + query, { token: quinn.token });
    assert.deepEqual(problems(r.json, api.paths[path].get.responses[r.status].content['application/json'].schema, path + query), []);
  }
  const one = await server.api('GET', `/api/v1/transcripts/${chat}`, { token: quinn.token });
  assert.deepEqual(problems({ ...one.json, events: [] }, api.components.schemas.transcript, 'transcript'), []);
  assert.ok(api.components.schemas.readiness.properties.status.enum.includes('unavailable'));
  for (const name of ['limit', 'cursor']) assert.ok(api.paths['/api/v1/reviews'].get.parameters.some((p) => p.name === name), name);
  for (const path of ['transcripts', 'transcripts/{chat}', 'reviews']) assert.ok(api.paths[`/api/v1/${path}`].get.responses[413], `${path}: an answer that is too large`);
  const eve = await server.account({ role: 'editor' });
  for (const [path, token] of [['session'], ['reviews', quinn.token], ['articles', eve.token], ['articles/preview', eve.token], ['synonyms', eve.token]]) {
    assert.ok(api.paths[`/api/v1/${path}`].post.responses[413], path);
    for (const kib of [300, 1100]) {
      const r = await server.api('POST', `/api/v1/${path}`, { token, body: { body: 'x'.repeat(kib * 1024) } }).catch((e) => ({ status: e.code }));
      assert.ok(r.status === 413 || (kib > 1024 && ['EPIPE', 'ECONNRESET'].includes(r.status)), `${path} ${kib} KiB: ${r.status}`);
    }
  }
  for (const path of ['/ws/shopper', '/ws/rep']) assert.ok(!api.paths[path].get.responses[429], path);
});
