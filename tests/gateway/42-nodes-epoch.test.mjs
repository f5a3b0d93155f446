// Another life of the live data (PROMISES 2.9): seen, named, entries go on behind a jump, what nodes still have is put back under its ids.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OwnRedis } from '../faults/lib/redis.mjs';
import { again, newId, rep, shopper } from './lib/client.mjs';
import { auditor, servedChat, staff } from './lib/desk.mjs';
import { editor } from './lib/kb.mjs';
import { METRICS, Server, end, endAll, run as firstline, temporaryFolder } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const JUMP = 1_000_000;
const BEATS = { 'presence.beat_ms': 300, 'presence.silent_ms': 1500 };

async function nodes(n, run) {
  const redis = await new OwnRedis().start();
  const all = [];
  for (let i = 0; i < n; i++) all.push(await new Server({ redis: redis.url, set: { ...BEATS, 'server.node': `n${i + 1}` } }).start());
  try {
    await run(redis, ...all);
  } finally {
    await end(...all);
    await redis.kill();
  }
}

const ready = (s) => until(async () => (await s.api('GET', '/readyz')).status === 200, async () => `ready; ${(await s.api('GET', '/readyz')).text}`, 15_000);

/** Both are sent away and come back with what they hold. */
async function back(sue, ann, chat, server = sue.server) {
  await Promise.all([sue.gone, ann.gone]);
  await ready(server);
  const s = await until(() => again(sue, { resume: [{ chat, seq: sue.head(chat) }] }, server), 'the shopper is back');
  const a = await until(() => rep(server, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] }), 'the rep is back');
  return [s, a];
}

/** The live data as it stands now, to be put back later. */
async function keep(redis) {
  const copy = temporaryFolder();
  cpSync(join(redis.dir, 'appendonlydir'), join(copy, 'appendonlydir'), { recursive: true });
  return copy;
}

async function putBack(redis, copy) {
  await redis.kill();
  rmSync(join(redis.dir, 'appendonlydir'), { recursive: true });
  cpSync(join(copy, 'appendonlydir'), join(redis.dir, 'appendonlydir'), { recursive: true });
  await redis.start();
}

const messages = (events) => events.filter((e) => e.kind === 'message').map((e) => e.text);

/** A chat's events as `firstline archive export` has them. */
const exported = async (server, chat) => (await server.cli(['archive', 'export'])).out.trim().split('\n').map((l) => JSON.parse(l)).filter((e) => e.chat === chat);

const noProblems = (...clients) => assert.deepEqual(clients.flatMap((c) => c.problems), []);

test('firstline epoch new: everybody connects again, the next entry jumps and says by prev what stands', () =>
  nodes(1, async (redis, s) => {
    const quinn = await auditor(s);
    const { sue, ann, chat } = await servedChat(s);
    const id = newId();
    const first = await sue.say('before', { chat, id });
    const named = (await s.cli(['epoch'])).out.trim();
    assert.equal(named, sue.welcome.epoch);
    const fresh = (await s.cli(['epoch', 'new'])).out.trim();
    assert.notEqual(fresh, named);
    const [s2, a2] = await back(sue, ann, chat);
    assert.equal(s2.welcome.epoch, fresh);
    assert.equal((await s2.say('before', { chat, id })).seq, first.seq, 'the first answer stands');
    const next = await s2.say('after', { chat });
    assert.equal(next.seq, JUMP + 1);
    assert.equal(next.prev, first.seq);
    const shown = await a2.event('message', { text: 'after' });
    const last = shown.prev; // staff may be shown more than the shopper: suggestions
    assert.equal(shown.seq, JUMP + 1);
    assert.ok(last >= first.seq && last < JUMP, `prev is what stands: ${last}`);
    const on = (await a2.say('and so on', { chat })).seq;
    assert.ok(on > JUMP + 1 && on < JUMP + 10);
    await s2.event('message', { text: 'and so on' });
    const whole = await again(sue, { resume: [{ chat, seq: 0 }] });
    await until(() => whole.head(chat) === on, 'all is shown from the start');
    const t = await s.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === 'and so on'));
    assert.deepEqual(t.events.map((e) => e.seq), [...t.events.keys()].map((i) => (i < last ? i + 1 : JUMP + 1 + i - last)), 'no hole but the jump');
    noProblems(s2, a2, whole);
  }));

test('live data put back, or gone, while no node was there: it is said all the same', () =>
  nodes(1, async (redis, s) => {
    Object.assign(s.set, METRICS);
    const { sue, chat } = await servedChat(s);
    const copy = await keep(redis);
    for (let i = 0; i < 5; i++) await sue.say(`lost ${i}`, { chat });
    await s.stop();
    await putBack(redis, copy);
    const lost = async () => (await s.api('GET', '/readyz')).json.states.find((x) => x.name === 'data_lost');
    await s.start();
    await ready(s);
    assert.match((await until(lost, 'the earlier state is named')).why, /earlier state than the archive/);
    assert.match(await (await fetch(`http://127.0.0.1:${s.metricsPort}/metrics`)).text(), /^firstline_epochs_total 1$/m);
    await s.stop();
    await redis.ask('FLUSHALL');
    await s.start();
    assert.match((await until(lost, 'the loss is named')).why, /firstline user restore/);
    await s.stop();
    await s.start();
    await ready(s);
    assert.equal(await lost(), undefined, 'said once');
  }));

test('live data put back to an earlier state: the nodes put back what they acknowledged, under the same ids', () =>
  nodes(2, async (redis, one, two) => {
    const quinn = await auditor(one);
    const { sue, ann, chat } = await servedChat(one);
    const there = await servedChat(two);
    for (let i = 0; i < 20; i++) await sue.say(`kept ${i}`, { chat });
    const base = ann.head(chat);
    const copy = await keep(redis);
    const ids = [];
    for (let i = 0; i < 30; i++) {
      ids.push(newId());
      await sue.say(`lost by Redis ${i}`, { chat, id: ids[i] });
      await ann.say(`answer ${i}`, { chat });
      await there.sue.say(`there ${i}`, { chat: there.chat });
    }
    const whole = await servedChat(one); // all of this chat is lost by Redis
    await whole.sue.say('began after the copy', { chat: whole.chat });
    await putBack(redis, copy);
    const [s2, a2] = await back(sue, ann, chat);
    assert.notEqual(s2.welcome.epoch, sue.welcome.epoch);
    await ready(two);
    assert.ok((await one.api('GET', '/readyz')).json.states.some((x) => x.name === 'data_lost'), 'it is said');
    await s2.say('goes on', { chat });
    await a2.event('message', { text: 'goes on' });
    const fresh = await again(sue, { resume: [{ chat, seq: 0 }] });
    const texts = (c) => c.entries(chat, 'message').map((e) => e.text);
    await until(() => texts(fresh).includes('goes on'), 'the whole chat is shown');
    const expected = Array.from({ length: 30 }, (_, i) => [`lost by Redis ${i}`, `answer ${i}`]).flat();
    assert.deepEqual(texts(fresh).filter((x) => /^lost|^answer/.test(x)), expected, 'each once, in order');
    for (const [i, id] of ids.entries()) {
      const r = await fresh.say(`lost by Redis ${i}`, { chat, id });
      assert.ok(r.seq > JUMP, 'a repeat gets its answer of this life');
    }
    assert.deepEqual(texts(fresh).filter((x) => /^lost|^answer/.test(x)), expected, 'repeats double nothing');
    assert.ok(s2.entries(chat).filter((e) => e.seq > base && e.seq < JUMP).length === 0, 'what was void is shown no more');
    const [t2] = await back(there.sue, there.ann, there.chat, two);
    const all = await again(t2, { resume: [{ chat: there.chat, seq: 0 }] }, two);
    await until(() => all.entries(there.chat, 'message').filter((e) => /^there/.test(e.text)).length === 30, 'the other node has put back its own');
    const w = await until(() => again(whole.sue, { resume: [{ chat: whole.chat, seq: 0 }] }), 'whose chat was lost whole');
    assert.ok(w.welcome.shopper.id !== undefined);
    noProblems(s2, a2, fresh, all);
    // The archive has both lives in its chain, and shows each message once: as the log has it.
    const said = { [chat]: texts(fresh), [there.chat]: all.entries(there.chat, 'message').map((e) => e.text), [whole.chat]: [...texts(fresh).slice(0, 2), 'began after the copy'] }; // each began with the same two
    for (const [id, own] of Object.entries(said)) {
      assert.equal(new Set(own).size, own.length);
      const t = await one.transcript(quinn.token, id, (x) => messages(x.events).length >= own.length && x.events.at(-1).seq > JUMP);
      assert.deepEqual(messages(t.events), own, 'the transcript');
      assert.deepEqual(messages(await exported(one, id)), own, 'the export');
      const item = (await one.api('GET', '/api/v1/transcripts?limit=200', { token: quinn.token })).json.items.find((x) => x.chat === id);
      assert.equal(item.messages, own.length, 'the figures');
    }
    const verify = await one.cli(['archive', 'verify']);
    assert.match(verify.out, /rows chain/);
    assert.equal((await rep(one, ann.who, { shift: false })).welcome.rep.id, ann.me);
  }));

const listed = (who, server) => rep(server, who, { shift: false }).then((c) => c.welcome.tasks.map((x) => x.task));

/** All events of these kinds in the export of all logs, as "log kind". */
const archivedTasks = async (server) =>
  (await server.cli(['archive', 'export', '--all'])).out.trim().split('\n').map((l) => JSON.parse(l)).filter((e) => /^task_/.test(e.kind)).map((e) => `${e.chat} ${e.kind}`);

test('a burst that the earlier state lacks is put back whole, however long it is', () =>
  nodes(1, async (redis, s) => {
    const { sue, ann, chat } = await servedChat(s);
    const copy = await keep(redis);
    const said = Array.from({ length: 600 }, (_, i) => `in a burst ${i}`);
    for (let i = 0; i < said.length; i += 50) await Promise.all(said.slice(i, i + 50).map((text) => sue.say(text, { chat })));
    await putBack(redis, copy);
    await back(sue, ann, chat);
    const { states } = (await s.api('GET', '/readyz')).json;
    assert.match(states.find((x) => x.name === 'data_lost').why, /60\d entries were put back, 0 chats/);
    const fresh = await again(sue, { resume: [{ chat, seq: 0 }] });
    const shown = () => fresh.entries(chat, 'message').map((e) => e.text).filter((x) => x.startsWith('in a burst'));
    await until(() => shown().length >= said.length, () => `all is shown, not ${shown().length}`);
    assert.deepEqual(shown(), said);
    noProblems(fresh);
  }));

test('live data put back to an earlier state: tasks opened since are on the list again, those closed since are off it', () =>
  nodes(2, async (redis, one, two) => {
    const [l] = await staff(one, 1, { role: 'lead' });
    const lea = await rep(two, l, { shift: false });
    const sue = await shopper(one);
    const leave = (text, more) => sue.done('message.leave', { text, contact: 'sue@example.org', department: l.department, ...more });
    const { task: before } = await leave('before');
    const { task: closed } = await leave('closed since');
    const copy = await keep(redis);
    const id = newId();
    const { task: since } = await leave('since', { id });
    const { task: short } = await leave('opened and closed since');
    for (const task of [closed, short]) await lea.done('task.done', { task, note: 'written to' });
    await until(async () => (await archivedTasks(one)).length === 6, 'all of it is archived');
    await putBack(redis, copy);
    await Promise.all([sue.gone, lea.gone]);
    await Promise.all([ready(one), ready(two)]);
    await until(async () => (await listed(l, two)).sort().join() === [before, since].sort().join(), 'the list');
    const s2 = await again(sue);
    assert.equal((await s2.done('message.leave', { id, text: 'since', contact: 'sue@example.org', department: l.department })).task, since, 'the same id: the same answer');
    const l2 = await rep(two, l, { shift: false });
    for (const task of [before, since]) await l2.done('task.done', { task, note: 'written to' });
    await l2.refused('conflict', 'task.done', { task: since });
    assert.deepEqual(await listed(l, one), []);
    const each = [before, closed, since, short].flatMap((x) => [`${x} task_done`, `${x} task_opened`]);
    await until(async () => (await archivedTasks(one)).sort().join() === each.sort().join(), 'each is archived once');
    assert.match((await one.cli(['archive', 'verify'])).out, /rows chain/);
    noProblems(sue, lea, s2, l2);
  }));

test('live data that is gone whole: what stands open in the archive is on the list again', () =>
  nodes(1, async (redis, s) => {
    const [l] = await staff(s, 1, { role: 'lead' });
    const lea = await rep(s, l, { shift: false });
    const sue = await shopper(s);
    const tasks = [];
    for (let i = 0; i < 3; i++) tasks.push((await sue.done('message.leave', { text: `message ${i}`, contact: 'c', department: l.department })).task);
    await lea.done('task.done', { task: tasks[0], note: 'written to' });
    await until(async () => (await archivedTasks(s)).length === 4, 'all of it is archived');
    await s.kill();
    await redis.kill();
    rmSync(join(redis.dir, 'appendonlydir'), { recursive: true });
    await redis.start();
    await s.start();
    const who = await s.account({ role: 'lead', department: l.department }); // accounts were lost too
    await until(async () => (await listed(who, s)).sort().join() === tasks.slice(1).sort().join(), 'the list');
    const m = await rep(s, who, { shift: false });
    assert.equal(m.welcome.tasks.find((t) => t.task === tasks[1]).text, 'message 1');
    await m.done('task.done', { task: tasks[1], note: 'written to' });
    await s.stop();
    await s.start();
    assert.deepEqual(await listed(who, s), [tasks[2]], 'a restart puts nothing back twice');
  }));

/** Articles whose saving the archive has, by when it took it. */
const savedArticles = async (s) => (await s.cli(['archive', 'export', '--all'])).out.trim().split('\n').map((l) => JSON.parse(l)).filter((e) => e.kind === 'article_saved').map((e) => e.article);

test('live data that is gone whole: what editors save from then on is archived, in the log of the same month', () =>
  nodes(1, async (redis, s) => {
    const save = (edna, id) => until(async () => (await edna.post('articles', { article: id, lang: 'en', title: id, department: 'general', audience: 'rep', keywords: [], questions: [], body: 'Text.', version: 0, base: '' })).status === 201, `${id} is saved`);
    let edna = await editor(s);
    for (const id of ['first', 'second', 'third']) await save(edna, id);
    const second = Math.floor(Date.now() / 1000);
    await until(async () => (await savedArticles(s)).length === 3, 'all of it is archived');
    await until(() => Date.now() / 1000 > second + 1, 'a log that begins anew does so at another second');
    await redis.ask('FLUSHALL');
    await until(async () => /another life of the data/.test(s.tail(1e6)), 'the node has seen it');
    await ready(s);
    edna = await editor(s);
    await save(edna, 'fourth');
    await save(edna, 'fifth');
    await until(async () => (await savedArticles(s)).join() === 'first,second,third,fourth,fifth', 'all five are archived');
    assert.match((await s.cli(['archive', 'verify'])).out, /rows chain/);
    assert.doesNotMatch(s.tail(1e6), /entry refused/);
    for (const id of ['first', 'fifth']) assert.equal((await edna.get(`articles/${id}`)).status, 200, `${id} stands on the node's shelf`);
  }));

test('live data put back to an earlier state: an article that was saved since can be saved again', () =>
  nodes(1, async (redis, s) => {
    let edna = await editor(s);
    const save = (version, body) => edna.post('articles', { article: 'returns', lang: 'en', title: 'Returns', department: 'general', audience: 'rep', keywords: [], questions: [], body, version, base: '' });
    const saved = (version, body) => until(async () => (await save(version, body)).status === 201, `version ${version + 1} is saved`, 5000, 100);
    await saved(0, 'Within 14 days.');
    const copy = await keep(redis);
    await saved(1, 'Within 30 days.');
    await putBack(redis, copy);
    await until(async () => /another life of the data/.test(s.tail(1e6)), 'the node has seen it');
    await ready(s);
    edna = await editor(s);
    await saved(2, 'Within 60 days.');
    assert.equal((await save(2, 'Within 90 days.')).status, 409, 'and still only once');
    assert.equal((await edna.get('articles/returns')).json.languages[0].body.trim(), 'Within 60 days.');
  }));

test('a restart of the same Redis is no other life', () =>
  nodes(1, async (redis, s) => {
    const { sue, chat } = await servedChat(s);
    const first = await sue.say('one', { chat });
    await redis.kill();
    await redis.start();
    await ready(s);
    const second = await until(() => sue.say('two', { chat }), 'the next');
    assert.equal(second.seq, first.seq + 1);
    assert.equal((await again(sue)).welcome.epoch, sue.welcome.epoch);
  }));

test('the archive has seen more than the live data when the node starts: another life', () =>
  nodes(1, async (redis, s) => {
    const quinn = await auditor(s);
    const { sue, chat } = await servedChat(s);
    const copy = await keep(redis);
    const id = newId();
    await sue.say('only the archive has this', { chat, id });
    await s.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === 'only the archive has this'));
    await s.kill();
    await putBack(redis, copy);
    await s.start();
    const s2 = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
    assert.notEqual(s2.welcome.epoch, sue.welcome.epoch);
    const next = await s2.say('after', { chat });
    assert.equal(next.seq, JUMP + 1);
    await s.transcript(quinn.token, chat, (t) => messages(t.events).slice(-2).join() === 'only the archive has this,after', 'what nobody put back stands where it stood');
    await s2.say('only the archive has this', { chat, id });
    await s.transcript(quinn.token, chat, (t) => messages(t.events).slice(-2).join() === 'after,only the archive has this', 'its sender has repeated it: once');
    assert.deepEqual(messages(await exported(s, chat)).slice(-2), ['after', 'only the archive has this']);
    assert.equal(messages(await exported(s, chat)).filter((x) => x === 'only the archive has this').length, 1);
  }));

/** Something that listens, with a port. */
const listening = (server) => new Promise((yes) => server.listen(0, '127.0.0.1', () => yes(server.address().port)));

test('under Sentinel the command line, too, begins another life on a server that isn’t the one before', async () => {
  const redis = await new OwnRedis().start();
  const tcp = net.createServer((c) => {
    const to = net.connect(redis.socket);
    c.pipe(to).pipe(c);
    for (const e of [c, to]) e.on('error', () => (c.destroy(), to.destroy()));
  });
  const port = String(await listening(tcp));
  const sentinel = net.createServer((c) => {
    c.on('error', () => c.destroy());
    c.on('data', () => c.write(`*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`));
  });
  const url = `sentinel://127.0.0.1:${await listening(sentinel)}/main`;
  const get = async (key) => (await redis.ask('GET', `fl:{default}:${key}`)).split('\r\n')[1];
  const user = async (...args) => {
    const r = await firstline(['user', ...args, '--redis', url]);
    assert.equal(r.code, 0, r.err);
  };
  try {
    await user('add', 'ann', '--role', 'rep', '--department', 'general', '--no-password');
    const first = await get('epoch');
    await user('roles', 'ann', '--role', 'lead');
    assert.equal(await get('epoch'), first, 'the same server is the same life');
    await redis.ask('SET', 'fl:{default}:run', 'the-primary-before'); // as the replica has it that was promoted
    await user('roles', 'ann', '--role', 'qa');
    assert.notEqual(await get('epoch'), first);
    const log = await redis.ask('KEYS', 'fl:{default}:l:r_*');
    const entries = await redis.ask('LRANGE', log.split('\r\n')[2], '0', '-1');
    assert.deepEqual([...entries.matchAll(/"seq":(\d+)/g)].map((m) => Number(m[1])), [1, 2, JUMP + 1], 'what the server before had as its third entry is nobody’s else');
  } finally {
    tcp.close();
    sentinel.close();
    await redis.kill();
  }
});
