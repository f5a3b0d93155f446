// Articles are written: as files that are watched, and in the editor, whose versions stand over the files they were made from. (Rule 5.1.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { shim } from '../faults/lib/os.mjs';
import { Proxy, ask } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { staff } from './lib/desk.mjs';
import { BOOKS, Folder, article, editor, ranked } from './lib/kb.mjs';
import { PASSWORD, Redis, Server, end } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let folder;
let redis;
let one;
let two;
let ann;
let edna;
const titles = async (text) => (await ranked(ann, text)).map((a) => a.title);
const shown = async (id, lang = 'en') => (await edna.get(`articles/${id}`)).json.languages.find((x) => x.lang === lang);

before(async () => {
  folder = new Folder({ ...BOOKS, 'synonyms.txt': 'bulb, light source\n' });
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: { 'server.node': 'one', 'kb.dir': folder.dir } }).start();
  two = await new Server({ redis: redis.url, set: { 'server.node': 'two', 'kb.dir': folder.dir } }).start();
  one.holdsArchive = true;
  ann = await rep(one, (await staff(one, 1))[0]);
  edna = await editor(one);
});
after(() => endAndCheck(two, one));

const version = (fields) => ({ title: 'T', department: 'general', audience: 'shopper', keywords: [], questions: [], body: 'Text.', version: 0, base: '', ...fields });

test('a changed file is taken in without a restart, and a removed one goes', async () => {
  folder.write('en/parking.md', article('parking', { title: 'Parking at the showroom', body: 'Behind the house.', questions: ['where can I park my car'] }));
  await until(async () => (await titles('where can I park my car'))[0] === 'Parking at the showroom', 'the new file is known');
  folder.write('en/parking.md', article('parking', { title: 'Parking is in the yard', body: 'In the yard.', questions: ['where can I park my car'] }));
  await until(async () => (await titles('where can I park my car'))[0] === 'Parking is in the yard', 'the changed file is known');
  folder.remove('en/parking.md');
  await until(async () => !(await titles('where can I park my car')).includes('Parking is in the yard'), 'the removed file is forgotten');
});

test('a broken file is named with its line, and the articles before stand', async () => {
  folder.write('en/broken.md', '---\nid: broken\ntitle: Broken\nlang: en\naudience: everybody\n---\nText.\n');
  await until(async () => (await edna.get('articles')).json.problem, 'the problem is said');
  const said = await edna.post('articles/reload');
  assert.equal(said.status, 400);
  assert.match(said.json.detail, /en\/broken\.md:5: audience/);
  assert.equal(said.headers['content-type'], 'application/problem+json');
  assert.equal((await titles('when does the showroom open'))[0], 'Opening hours of the showroom');
  folder.remove('en/broken.md');
  assert.equal((await edna.post('articles/reload')).status, 200);
  assert.equal((await edna.get('articles')).json.problem, undefined);
});

test('a file in another encoding is named with its line, articles and synonyms alike: nobody is sent what is no text', async () => {
  const gbk = Buffer.from('cdcbbbf5', 'hex'); // 退货
  const broken = {
    'en/gbk.md': Buffer.concat([Buffer.from('---\nid: gbk\ntitle: '), gbk, Buffer.from('\nlang: en\nquestions:\n  - how do I bring it back\n---\nText.\n')]),
    'synonyms.txt': Buffer.concat([Buffer.from('bulb, light source\n\n'), gbk, Buffer.from(', return\n')]),
  };
  for (const [name, text] of Object.entries(broken)) {
    folder.write(name, text);
    const said = await edna.post('articles/reload');
    assert.equal(said.status, 400, name);
    assert.match(said.json.detail, new RegExp(`${name}:3: not UTF-8`));
    assert.equal((await titles('when does the showroom open'))[0], 'Opening hours of the showroom');
    if (name === 'synonyms.txt') folder.write(name, 'bulb, light source\n');
    else folder.remove(name);
    assert.equal((await edna.post('articles/reload')).status, 200);
  }
});

test('a title that would fill the entry of a chat is named with its line', async () => {
  folder.write('en/long.md', article('long', { title: '停'.repeat(301), body: 'Text.' }));
  const said = await edna.post('articles/reload');
  assert.equal(said.status, 400);
  assert.match(said.json.detail, /en\/long\.md:3: title has more than 300 characters/);
  folder.write('en/long.md', article('long', { title: '停'.repeat(300), body: 'Text.' }));
  assert.equal((await edna.post('articles/reload')).status, 200);
  folder.remove('en/long.md');
  assert.equal((await edna.post('articles/reload')).status, 200);
});

test('a change that can’t be taken in because the table is locked is taken in when it is free', async () => {
  const lock = spawn(shim('lock'), [join(one.data, 'kb.sqlite'), '120000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((yes) => lock.stdout.once('data', yes));
  try {
    folder.write('en/garage.md', article('garage', { title: 'The garage next door', body: 'It is open at night.', questions: ['is there a garage for the night'] }));
    await until(() => /articles not loaded/.test(one.tail(20_000)), 'the load fails', 20_000);
    const said = await edna.post('articles/reload');
    assert.equal(said.status, 503, 'nobody is told that it was read again');
  } finally {
    lock.kill('SIGKILL');
  }
  await until(async () => (await titles('is there a garage for the night'))[0] === 'The garage next door', 'the new file is known', 20_000);
  folder.remove('en/garage.md');
});

test('a new version stands at once, on every node, with who and when', async () => {
  const was = await shown('opening-hours');
  assert.deepEqual([was.version, was.source], [0, 'file']);
  const saved = await edna.post('articles', version({ article: 'opening-hours', lang: 'en', title: 'When the showroom is open', questions: ['when does the showroom open'], keywords: ['hours', 'Sunday'], body: 'From **ten** to six.', base: was.base, valid_from: '2020-01-31', valid_until: '2099-12-31' }));
  assert.equal(saved.status, 201, saved.text);
  assert.equal(saved.json.version, 1);
  const now = await shown('opening-hours');
  assert.deepEqual([now.version, now.source, now.title, now.valid_from, now.valid_until, now.keywords, now.body], [1, 'console', 'When the showroom is open', '2020-01-31', '2099-12-31', ['hours', 'Sunday'], 'From **ten** to six.']);
  assert.ok(now.by.id.startsWith('r_') && Math.abs(now.at - Date.now()) < 60_000);
  assert.equal((await titles('when does the showroom open'))[0], 'When the showroom is open');
  const bob = await rep(two, (await staff(two, 1))[0]);
  await until(async () => (await ranked(bob, 'when does the showroom open'))[0]?.title === 'When the showroom is open', 'the other node has it');
});

test('who saves while the server stops is told that it is saved', async () => {
  const proxy = await new Proxy(redis).start();
  const three = await new Server({ redis: proxy.url, set: { 'server.node': 'three', 'kb.dir': folder.dir } }).start();
  try {
    proxy.holdAt = 'article_saved';
    const saving = three.api('POST', '/api/v1/articles', { token: edna.token, body: { article: 'closing-time', lang: 'en', ...version({ title: 'Closing time', questions: ['when do you close'] }) } });
    await until(() => proxy.holding, 'it is on its way');
    proxy.holdAt = null;
    three.process.kill('SIGTERM');
    await until(() => /draining/.test(three.tail(20_000)), 'the server stops');
    proxy.release();
    assert.equal((await saving).status, 201);
  } finally {
    proxy.release();
    await end(three);
    proxy.stop();
  }
  await until(async () => (await titles('when do you close'))[0] === 'Closing time', 'it stands');
});

test('quotes stay where the editor wrote them', async () => {
  const title = '"Sent" is not "delivered"';
  const questions = ['"where" or "when"', "'tis late, isn't 't'"];
  assert.equal((await edna.post('articles', version({ article: 'quotes', lang: 'en', title, questions }))).status, 201);
  const now = await shown('quotes');
  assert.deepEqual([now.title, now.questions], [title, questions]);
  folder.write('en/quoted.md', article('quoted', { title: '"Quoted: as YAML \\"has it\\""', body: 'Text.', keywords: ["'a'", '"b"'], questions: ["'it''s so'"] }));
  assert.equal((await edna.post('articles/reload')).status, 200);
  const file = await shown('quoted');
  assert.deepEqual([file.title, file.keywords, file.questions], ['Quoted: as YAML \\"has it\\"', ['a', 'b'], ["it''s so"]]);
  folder.remove('en/quoted.md');
});

test('two who edit at once: the second is told, and nothing is overwritten', async () => {
  const was = await shown('gift-wrapping');
  const both = await Promise.all(['First', 'Second'].map((title) => edna.post('articles', version({ article: 'gift-wrapping', lang: 'en', title, base: was.base, version: was.version }))));
  assert.deepEqual(both.map((r) => r.status).sort(), [201, 409]);
  const won = ['First', 'Second'][both.findIndex((r) => r.status === 201)];
  const now = await shown('gift-wrapping');
  assert.deepEqual([now.title, now.version], [won, 1]);
  assert.equal((await edna.post('articles', version({ article: 'gift-wrapping', lang: 'en', base: was.base, version: 0 }))).status, 409);
  assert.equal((await edna.post('articles', version({ article: 'gift-wrapping', lang: 'en', title: 'Third', base: now.base, version: 1 }))).status, 201);
  const history = (await edna.get('articles/gift-wrapping/versions')).json.items;
  assert.deepEqual(history.map((v) => v.version), [2, 1]);
  assert.match(history[1].text, new RegExp(`title: ${won}\n`));
  assert.ok(history.every((v) => v.by.id && v.at));
});

test('a file that is changed behind the console stands again, and the editor is told', async () => {
  const was = await shown('lamp-bulbs');
  assert.equal((await edna.post('articles', version({ article: 'lamp-bulbs', lang: 'en', title: 'Bulbs, from the console', base: was.base }))).status, 201);
  folder.write('en/lamp-bulbs.md', article('lamp-bulbs', { title: 'Bulbs, from the file', body: 'New.', questions: ['which bulb does the lamp take'] }));
  await until(async () => (await shown('lamp-bulbs')).title === 'Bulbs, from the file', 'the file stands');
  const now = await shown('lamp-bulbs');
  assert.deepEqual([now.set_aside, now.source, now.version], [true, 'file', 1]);
  assert.equal((await edna.post('articles', version({ article: 'lamp-bulbs', lang: 'en', base: was.base, version: 1 }))).status, 409, 'made from the older file');
  assert.equal((await edna.post('articles', version({ article: 'lamp-bulbs', lang: 'en', title: 'Both', base: now.base, version: 1 }))).status, 201);
  assert.equal((await shown('lamp-bulbs')).set_aside, false);
});

test('a new article in both languages, for staff alone', async () => {
  for (const [lang, title, questions] of [['en', 'Keys of the warehouse', ['who has the keys of the warehouse']], ['zh-CN', '仓库钥匙在谁那里', ['仓库的钥匙谁拿着']]])
    assert.equal((await edna.post('articles', version({ article: 'warehouse-keys', lang, title, questions, audience: 'rep', body: title }))).status, 201);
  assert.equal((await titles('who has the keys of the warehouse'))[0], 'Keys of the warehouse');
  assert.equal((await titles('仓库的钥匙谁拿着'))[0], '仓库钥匙在谁那里');
  const list = (await edna.get('articles?q=warehouse')).json;
  assert.deepEqual(list.items.map((x) => [x.article, x.languages.map((l) => l.lang)]), [['warehouse-keys', ['en', 'zh-CN']]]);
  const pages = [];
  for (let cursor = ''; cursor !== null;) {
    const page = (await edna.get(`articles?limit=2${cursor && `&cursor=${cursor}`}`)).json;
    pages.push(...page.items.map((x) => x.article));
    cursor = page.next;
  }
  assert.deepEqual(pages, [...new Set(pages)].sort());
  assert.equal(pages.length, (await edna.get('articles')).json.total);
});

test('a preview is safe HTML: no raw HTML, no script link', async () => {
  const { html } = (await edna.post('articles/preview', { body: '# Hi\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold** <img src=x onerror=alert(1)>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n' })).json;
  assert.match(html, /<strong>bold<\/strong>/);
  assert.match(html, /<table>/);
  assert.doesNotMatch(html, /<script|javascript:|onerror|<img/);
});

test('what is wrong with an article is said, and changes nothing', async () => {
  const total = async () => (await edna.get('articles')).json.total;
  const before = await total();
  for (const [fields, why] of [
    [{ article: 'Bad Id', lang: 'en' }, /id must be/],
    [{ article: 'x', lang: '' }, /lang/],
    [{ article: 'x', lang: 'en', title: '' }, /title/],
    [{ article: 'x', lang: 'en', body: ' ' }, /no answer/],
    [{ article: 'x', lang: 'en', valid_from: '2026-02-30' }, /valid_from/],
    [{ article: 'x', lang: 'en', valid_until: '2026-02-29' }, /valid_until must be a day/],
    [{ article: 'x', lang: 'en', valid_until: '2100-02-29' }, /valid_until must be a day/],
    [{ article: 'x', lang: 'en', valid_until: '2026- 3- 1' }, /valid_until must be a day/],
    [{ article: 'x', lang: 'en', valid_from: '2026-03-02', valid_until: '2026-03-01' }, /valid_until is before/],
    [{ article: 'x', lang: 'en', audience: 'all' }, /audience/],
    [{ article: 'x', lang: 'en', title: 'a\naudience: rep' }, /one line/],
    [{ article: 'x', lang: 'en', questions: ['a\n---\n'] }, /one line/],
    [{ article: 'x', lang: 'en', questions: Array(65).fill('q') }, /64/],
    [{ article: 'x', lang: 'en', keywords: 'a' }, /lists/],
    [{ article: 'x', lang: 'en', body: 'x'.repeat(30_001) }, /30000/],
  ]) {
    const r = await edna.post('articles', version(fields));
    assert.equal(r.status, 400, JSON.stringify(fields).slice(0, 80));
    assert.match(r.json.detail, why);
  }
  assert.equal(await total(), before);
  assert.equal((await edna.post('articles', version({ article: 'leap-day', lang: 'en', valid_until: '2028-02-29' }))).status, 201);
  assert.equal((await shown('leap-day')).valid_until, '2028-02-29');
});

test('who may: reps read, editors and directors write; a call by cookie needs its header', async () => {
  const r = await one.account();
  const admin = await one.account({ role: 'admin' });
  assert.equal((await one.api('GET', '/api/v1/articles', { token: r.token })).status, 200);
  for (const { token } of [r, admin]) {
    for (const path of ['articles', 'articles/preview', 'articles/reload', 'synonyms']) assert.equal((await one.api('POST', `/api/v1/${path}`, { token, body: {} })).status, 403, path);
    for (const path of ['gaps', 'gaps/stale', 'synonyms']) assert.equal((await one.api('GET', `/api/v1/${path}`, { token })).status, 403, path);
  }
  assert.equal((await one.api('GET', '/api/v1/articles')).status, 401);
  const login = await one.person({ role: 'editor' });
  const session = await one.api('POST', '/api/v1/session', { body: { login, password: PASSWORD } });
  const cookie = session.headers['set-cookie'][0].split(';')[0];
  assert.equal((await one.api('POST', '/api/v1/articles/preview', { cookie, body: { body: 'x' } })).status, 403);
  assert.equal((await one.api('POST', '/api/v1/articles/preview', { cookie, body: { body: 'x' }, headers: { 'x-firstline': '1' } })).status, 200);
  assert.equal((await edna.get('articles/there-is-none')).status, 404);
  assert.equal((await edna.get('articles?limit=0')).status, 400);
});

test('synonym groups are edited, with what is wrong by line, and find at once', async () => {
  const was = (await edna.get('synonyms')).json;
  assert.equal(was.text, 'bulb, light source\n');
  const bad = await edna.post('synonyms', { text: 'bulb, lamp\nalone\n', base: was.base, version: was.version });
  assert.equal(bad.status, 400);
  assert.match(bad.json.detail, /synonyms\.txt:2:/);
  const holed = await edna.post('synonyms', { text: 'bulb, lamp\n退款，、退钱\n', base: was.base, version: was.version });
  assert.match(holed.json.detail, /synonyms\.txt:2: there is nothing between two commas/);
  const saved = await edna.post('synonyms', { text: 'bulb, light source\ngift, offering, bestowal\n退款，退钱\n', base: was.base, version: was.version });
  assert.equal(saved.status, 201, saved.text);
  assert.equal((await edna.post('synonyms', { text: 'a, b', base: was.base, version: was.version })).status, 409);
  assert.match((await edna.get('synonyms')).json.text, /bestowal/);
});

test('what was saved is there after a crash, and in a data folder that knows nothing', async () => {
  await one.kill();
  await one.start();
  await until(async () => (await edna.get('articles/warehouse-keys')).status === 200, 'the saved article is there again');
  const fresh = await new Server({ redis: redis.url, set: { 'server.node': 'three', 'kb.dir': folder.dir } }).start();
  try {
    await until(async () => (await fresh.api('GET', '/api/v1/articles/warehouse-keys', { token: edna.token })).status === 200, 'the new node has it from the log');
    const history = (await fresh.api('GET', '/api/v1/articles/gift-wrapping/versions', { token: edna.token })).json.items;
    assert.deepEqual(history.map((v) => v.version), [2, 1]);
  } finally {
    await endAndCheck(fresh);
  }
});

test('what was saved years ago is there in a data folder that knows nothing', async () => {
  const old = await new Redis().start();
  const set = { 'kb.dir': folder.dir };
  const first = await new Server({ redis: old.url, set }).start();
  const ed = await editor(first);
  assert.equal((await ed.post('articles', version({ article: 'house-rules', lang: 'en', title: 'House rules' }))).status, 201);
  await first.stop();
  const key = (log) => `fl:{default}:l:${log}`;
  const [now] = (await ask(old.socket, 'KEYS', key('kb_*'))).match(/kb_\d{6}/);
  await ask(old.socket, 'RENAME', key(now), key(`kb_${Number(now.slice(3, 7)) - 3}${now.slice(7)}`));
  const next = await new Server({ redis: old.url, set }).start();
  try {
    await until(async () => (await next.api('GET', '/api/v1/articles/house-rules', { token: ed.token })).status === 200, 'the new node has it from the log');
  } finally {
    await end(next);
    await end(first);
  }
});
