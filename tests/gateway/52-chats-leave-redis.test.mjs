// A chat that ended leaves Redis whole, once the archive has it whole, and never before (PROMISES 2.7). What was said stays readable.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../faults/lib/redis.mjs';
import { shim } from '../faults/lib/os.mjs';
import { endAndCheck, exported } from './lib/checker.mjs';
import { again, newId, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, settled, staff, take } from './lib/desk.mjs';
import { METRICS, Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

// Ports of this file's own, below those that the system gives away.
const SHORT = { 'chat.keep_ms': 300, 'ownership.return_ms': 300, ...METRICS };

let redis;
let server;
let quinn;

before(async () => {
  redis = await new Redis().start();
  server = await new Server({ redis: redis.url, set: SHORT }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const key = (name) => `fl:{default}:${name}`;
const has = async (name) => (await ask(redis.socket, 'EXISTS', key(name))) === ':1\r\n';
const hasMember = async (set, member) => (await ask(redis.socket, 'ZSCORE', key(set), member)) !== '$-1\r\n';
const isGone = (chat) => until(async () => !(await has(`l:${chat}`)), `${chat} leaves Redis`, 15_000, 50);

async function metric(name, of = server) {
  const r = await fetch(`http://127.0.0.1:${of.metricsPort}/metrics`);
  return Number(new RegExp(`^firstline_${name} (\\d+)$`, 'm').exec(await r.text())[1]);
}

/** The freeing has looked at a chat that may not go, this many times more. */
async function putOff(times = 1) {
  const was = await metric('chats_put_off_total');
  await until(async () => (await metric('chats_put_off_total')) >= was + times, 'a chat is put off', 30_000, 50);
}

/** Another process has SQLite's write lock until this is called: nothing is archived meanwhile. */
async function lockArchive(of = server) {
  const p = spawn(shim('lock'), [join(of.data, 'archive.sqlite'), '120000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((yes) => p.stdout.once('data', yes));
  return () => p.kill('SIGKILL');
}

test('a closed chat leaves Redis with its head, ids and index, and its transcript and export stay whole', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await sue.say('The last words.', { id: 'last-words' });
  await ann.say('The parcel is on its way.', { chat });
  await settled(sue, ann, chat);
  const head = sue.head(chat);
  const said = sue.oks.get('last-words');
  for (const c of [sue, ann]) await c.close();
  await isGone(chat);
  for (const k of [`h:${chat}`, `l:${chat}`]) assert.equal(await has(k), false, k);
  for (const set of ['changed', 'ended']) assert.equal(await hasMember(set, chat), false, set);

  const t = await server.transcript(quinn.token, chat);
  const kinds = t.events.map((e) => e.kind);
  assert.equal(t.events.at(-1).seq, t.events.length, 'no entry is missing');
  for (const k of ['started', 'message', 'closed']) assert.ok(kinds.includes(k), k);
  assert.deepEqual((await exported(server)).get(chat).map((e) => e.kind), kinds);

  const back = await again(sue, { resume: [{ chat, seq: head }] });
  assert.deepEqual(back.welcome.chats, [{ chat, error: 'not_found' }]);
  assert.equal(back.welcome.last, undefined, 'nothing leads back to it');
  assert.equal((await back.ask('sync', { chat, after: 0 })).code, 'not_found');
  const first = await back.say('The last words.', { chat, id: 'last-words' });
  assert.deepEqual([first.seq, first.at, first.prev], [said.seq, said.at, said.prev], 'a repeat gets its first answer');
  await back.refused('not_found', 'message.send', { chat, text: 'new words', id: 'new-words' });
  assert.equal(await has(`l:${chat}`), false, 'and nothing begins it anew');
  const a = await rep(server, ann.who, { shift: false });
  assert.equal((await a.ask('chat.open', { chat })).code, 'not_found');
});

test('who watches a chat while it leaves is told not_found by the next command', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await settled(sue, ann, chat);
  await isGone(chat);
  await ann.refused('not_found', 'note.add', { chat, text: 'too late' });
  assert.equal(await has(`l:${chat}`), false);
  assert.equal(await has(`h:${chat}`), false);
});

test('nothing leaves before it is archived, also if the gateway is killed in between', async () => {
  const [who] = await staff(server, 1);
  const ann = await rep(server, who);
  const { sue, chat } = await servedChat(server, { ann });
  const unlock = await lockArchive();
  try {
    await sue.say('Said while the archive could not write.');
    await ann.say('The parcel is on its way.', { chat });
    await settled(sue, ann, chat);
    await putOff(2);
    assert.equal(await has(`l:${chat}`), true, 'it is still in Redis');
    for (const c of [sue, ann]) c.drop();
    const { port } = server;
    await server.kill();
    await server.start({ listen: `127.0.0.1:${port}` });
    await putOff();
    assert.equal(await has(`l:${chat}`), true, 'it is still there after kill -9');
  } finally {
    unlock();
  }
  await isGone(chat);
  const t = await server.transcript(quinn.token, chat);
  assert.ok(t.events.some((e) => e.text === 'Said while the archive could not write.'));
  assert.equal(t.events.at(-1).seq, t.events.length);
});

test('a chat that gets an entry while it waits to leave stays until that is archived too', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const unlock = await lockArchive();
  try {
    await settled(sue, ann, chat);
    await putOff();
    await sue.done('chat.rate', { chat, score: 5 });
    await putOff();
    assert.equal(await has(`l:${chat}`), true);
  } finally {
    unlock();
  }
  await isGone(chat);
  const t = await server.transcript(quinn.token, chat);
  assert.equal(t.events.filter((e) => e.kind === 'rated').length, 1);
});

test('how much waits for the archive is said, and goes down while it is worked off', async () => {
  const own = await new Server({ set: { ...METRICS, 'limits.messages_per_s': 0 } }).start();
  const lag = () => metric('archive_lag', own);
  const { sue } = await servedChat(own);
  const unlock = await lockArchive(own);
  const seen = [];
  try {
    await until(async () => {
      await Promise.all(Array.from({ length: 500 }, (_, i) => sue.say(`${i}`)));
      return (await lag()) > 9000;
    }, 'nine thousand wait', 60_000, 1);
  } finally {
    unlock();
  }
  await until(async () => {
    seen.push(await lag());
    return seen.at(-1) === 0;
  }, 'all is archived', 60_000, 10);
  assert.ok(seen.some((n) => n > 0 && n < 7000), `between all and nothing: ${[...new Set(seen)]}`);
  await endAndCheck(own);
});

test('entries that the archive refuses are kept aside and said; what follows is archived, and their chat stays', async () => {
  const live = await new Redis().start();
  const own = await new Server({ redis: live.url, set: SHORT }).start();
  const state = async () => (await own.api('GET', '/readyz')).json.states.find((x) => x.name === 'archive_refused');
  const list = `fl:{default}:l:`;
  const reader = await auditor(own);
  const first = await servedChat(own);
  const second = await servedChat(own, { ann: first.ann });
  const { chat } = first;
  const unlock = await lockArchive(own);
  try {
    const broken = [];
    for (const text of ['first', 'second', 'third']) broken.push((await first.sue.say(text, { chat })).seq);
    await first.sue.say('The last words.', { chat });
    await own.kill(); // what it has read of them is forgotten
    await ask(live.socket, 'LSET', list + chat, broken[0] - 1, 'no entry at all');
    await ask(live.socket, 'LSET', list + chat, broken[1] - 1, '1 0 - -\n{"t":"event"');
  } finally {
    unlock();
  }
  await own.start();
  const ann = await rep(own, first.ann.who, { shift: false });
  const sue = await again(first.sue, { resume: [{ chat, seq: first.sue.head(chat) }] });
  const other = { chat: second.chat, sue: await again(second.sue, { resume: [{ chat: second.chat, seq: second.sue.head(second.chat) }] }) };
  const t = await own.transcript(reader.token, chat, (x) => x.events.some((e) => e.text === 'The last words.'));
  assert.deepEqual(t.events.filter((e) => e.kind === 'message' && e.from.id === t.shopper.id).map((e) => e.text).slice(1), ['third', 'The last words.']);
  assert.equal(await metric('archive_quarantined', own), 2);
  assert.match((await until(state, 'it is said', 5000, 50)).why, /2 are kept aside/);
  for (const [who, which] of [[sue, chat], [other.sue, other.chat]]) {
    await ann.say('The parcel is on its way.', { chat: which });
    await settled(who, ann, which);
  }
  await until(async () => (await ask(live.socket, 'EXISTS', list + other.chat)) === ':0\r\n', 'the other chat leaves Redis', 15_000, 50);
  const was = await metric('chats_put_off_total', own);
  await until(async () => (await metric('chats_put_off_total', own)) > was, 'this one is put off', 30_000, 50);
  assert.equal(await ask(live.socket, 'EXISTS', list + chat), ':1\r\n');
  await own.stop();
  await live.kill();
});

test('an abandoned chat stays as long as it can be opened again, one with an open promise until that is kept or missed', async () => {
  const [who] = await staff(server, 1);
  const lone = await arrival(server, server.newDepartment());
  await lone.sue.done('chat.leave', { chat: lone.chat });
  const ann = await rep(server, who);
  const promised = await arrival(server, ann.department);
  await take(ann, promised.chat);
  await ann.done('promise.add', { chat: promised.chat, text: 'a call', until: Date.now() + 600_000 });
  await settled(promised.sue, ann, promised.chat);
  const plain = await servedChat(server, { ann });
  await settled(plain.sue, ann, plain.chat);
  await isGone(plain.chat); // it ended last, so the others' time has come too
  assert.equal(await has(`l:${lone.chat}`), true);
  assert.equal(await has(`l:${promised.chat}`), true);
  await lone.sue.say('I am back.', { chat: lone.chat });
});

test('a message that was left and is done leaves Redis, once the archive has it, and one that is open stays', async () => {
  const ann = await rep(server, (await staff(server, 1))[0], { shift: false });
  const sue = await shopper(server);
  const leave = async (text) => (await sue.done('message.leave', { text, contact: 'sue@example.org', department: ann.who.department })).task;
  const [first, second] = [await leave('Write to me.'), await leave('And to me.')];
  const id = newId();
  const unlock = await lockArchive();
  try {
    await ann.done('task.done', { task: first, note: 'written to', id });
    await putOff();
    assert.ok(await has(`l:${first}`));
  } finally {
    unlock();
  }
  await isGone(first);
  for (const k of [`h:${first}`, `l:${first}`]) assert.equal(await has(k), false, k);
  for (const set of ['changed', 'ended']) assert.equal(await hasMember(set, first), false, set);
  await ann.done('task.done', { task: first, note: 'written to', id });
  await ann.refused('not_found', 'task.done', { task: first });
  assert.equal(await has(`l:${first}`), false, 'nothing begins it anew');
  assert.deepEqual((await rep(server, ann.who, { shift: false })).welcome.tasks.map((t) => t.task), [second]);
  assert.ok(await has(`l:${second}`));
});

test('the token of who only looks lives for minutes, as long as they are here, and for months with the first thing that is to last', async () => {
  const tokens = async () => new Set((await ask(redis.socket, 'KEYS', key('tok:*'))).match(/fl:\S+/g));
  const seconds = async (k) => Number((await ask(redis.socket, 'TTL', k)).slice(1));
  for (const [t, cmd] of [['chat.start', {}], ['message.leave', { contact: 'x@example.org' }], ['callback.ask', { contact: 'x@example.org' }]]) {
    const before = await tokens();
    const sue = await shopper(server);
    const [token] = [...(await tokens())].filter((k) => !before.has(k));
    assert.ok((await seconds(token)) <= 600);
    const tab = await again(sue);
    assert.equal(tab.me, sue.me);
    assert.ok((await seconds(token)) <= 600, 'also in another tab');
    await ask(redis.socket, 'EXPIRE', token, 60);
    await until(async () => (await seconds(token)) > 500, 'it stays while they are here', 20_000, 100);
    await ask(redis.socket, 'DEL', token);
    await tab.done(t, { ...(t === 'callback.ask' ? {} : { text: 'Hello?' }), ...cmd });
    assert.ok((await seconds(token)) > 89 * 86400);
    assert.equal((await again(sue)).me, sue.me, 'they are who they were');
    await ask(redis.socket, 'EXPIRE', token, 86400);
    await again(sue);
    assert.ok((await seconds(token)) > 89 * 86400, 'and stay so with each visit');
  }
});
