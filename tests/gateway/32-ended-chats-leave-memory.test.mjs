// A chat that ended leaves the memory of the nodes, though the rep who served it and the shopper's tab stay connected; what comes later reaches both.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OwnRedis } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { again, newId, rep, shopper } from './lib/client.mjs';
import { settled, staff, take } from './lib/desk.mjs';
import { METRICS, Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const set = (node) => ({ 'limits.chat_idle_ms': 5000, 'presence.beat_ms': 300, 'server.node': node, ...METRICS });
let one;
let two;

before(async () => {
  const redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: set('one') }).start();
  two = await new Server({ redis: redis.url, set: set('two') }).start();
  one.holdsArchive = true;
});
after(() => endAndCheck(two, one));

async function metric(node, name) {
  const r = await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`);
  return Number(new RegExp(`^firstline_${name} (\\d+)$`, 'm').exec(await r.text())[1]);
}

/** Neither node has any chat in memory, and so many are asleep on each. */
async function allAsleep(...n) {
  for (const [i, asleep] of n.entries()) {
    const node = [one, two][i];
    await until(async () => (await metric(node, 'chats_in_memory')) === 0, () => `node ${i + 1} has no chat in memory`, 15_000, 100);
    assert.equal(await metric(node, 'chats_asleep'), asleep, `asleep on node ${i + 1}`);
  }
}

/** Ann serves Sue, who is on the other node; then all is said. */
async function ended() {
  const [who] = await staff(one, 1);
  const ann = await rep(two, who);
  const desk = await rep(one, who, { shift: false });
  const sue = await shopper(one);
  const { chat } = await sue.done('chat.start', { text: 'Where is my parcel?', department: who.department });
  await take(ann, chat);
  await settled(sue, ann, chat);
  await desk.event('closed', { chat });
  return { ann, desk, sue, chat };
}

test('an ended chat that is watched on two nodes leaves both, and a late entry reaches all who watch it, once and in its place', async () => {
  const { ann, desk, sue, chat } = await ended();
  await allAsleep(1, 1);
  const head = ann.head(chat);
  const id = newId();
  const ok = await sue.done('chat.rate', { chat, score: 5, id });
  assert.equal(ok.seq, head + 1);
  for (const c of [ann, desk]) assert.equal((await c.event('rated', { chat })).seq, ok.seq);
  assert.equal((await sue.done('chat.rate', { chat, score: 5, id })).seq, ok.seq);
  await allAsleep(1, 1);
  for (const c of [ann, desk, sue]) await c.settle();
  for (const c of [ann, desk]) assert.equal(c.entries(chat, 'rated').length, 1);
  for (const c of [ann, desk, sue]) await c.close();
  await allAsleep(0, 0);
});

test('who may read it no more isn’t told what comes later', async () => {
  const { ann, desk, sue, chat } = await ended();
  const [who] = await staff(one, 1, { role: 'director' });
  const dir = await rep(two, who, { shift: false });
  await dir.done('chat.open', { chat });
  await allAsleep(1, 1);
  await two.cli(['user', 'roles', who.login, '--role', 'rep']);
  await dir.expect('error', { re: null, code: 'not_found', chat });
  await sue.done('chat.rate', { chat, score: 5 });
  await ann.event('rated', { chat });
  await dir.settle();
  assert.deepEqual(dir.entries(chat, 'rated'), []);
  for (const c of [ann, desk, sue, dir]) await c.close();
  await allAsleep(0, 0);
});

test('who opens it again gets all of it, and who goes leaves the others asleep', async () => {
  const { ann, desk, sue, chat } = await ended();
  await allAsleep(1, 1);
  await sue.close();
  desk.forget();
  const opened = await desk.done('chat.open', { chat });
  assert.equal(opened.seq, ann.head(chat));
  assert.equal(desk.inbox.filter((m) => m.t === 'event' && m.chat === chat).length, opened.seq);
  await ann.close();
  await allAsleep(1, 0);
  await desk.close();
  await allAsleep(0, 0);
});

test('an open chat stays, however long nothing is said', async () => {
  const [who] = await staff(one, 1);
  const ann = await rep(one, who);
  const sue = await shopper(one);
  const { chat } = await sue.done('chat.start', { text: 'Is anybody there?', department: who.department });
  const old = await ended();
  await take(ann, chat);
  await until(async () => (await metric(one, 'chats_asleep')) === 1, 'the ended one sleeps', 15_000, 100);
  assert.equal(await metric(one, 'chats_in_memory'), 1);
  await ann.say('Yes, I am.', { chat });
  await sue.event('message', { chat, text: 'Yes, I am.' });
  for (const c of [ann, sue, old.ann, old.desk, old.sue]) await c.close();
});

test('chats that were made up take no memory, whoever asks for them in whatever way, and nor does a start that was refused', async () => {
  const s = await new Server({ set: { ...METRICS, 'limits.messages_per_s': 5, 'limits.burst': 40 } }).start();
  const made = () => `c_${newId()}`;
  const list = () => Array.from({ length: 30 }, () => ({ chat: made(), seq: 1 }));
  const [who] = await staff(s, 1);
  const first = await shopper(s, { resume: list() });
  assert.ok(first.welcome.chats.length === 30 && first.welcome.chats.every((c) => c.error === 'not_found'));
  assert.equal(await metric(s, 'chats_in_memory'), 0);
  const sue = await again(first, { resume: list() });
  assert.ok(sue.welcome.chats.length === 30 && sue.welcome.chats.every((c) => c.error === 'not_found'));
  for (let i = 0; i < 4; i++) await sue.refused('not_found', 'sync', { chat: made(), after: 0 });
  await sue.refused('not_found', 'message.send', { chat: made(), text: 'Is this anybody?' });
  const paid = await Promise.all(Array.from({ length: 10 }, () => sue.ask('sync', { chat: made(), after: 0 })));
  assert.ok(paid.some((m) => m.code === 'rate_limited'), 'what was asked for in vain counts');
  const ann = await rep(s, who, { resume: list(), shift: false });
  assert.equal((await ann.ask('chat.open', { chat: made() })).code, 'not_found');
  const { chat } = await first.done('chat.start', { text: 'This one is there.', department: who.department });
  await first.refused('conflict', 'chat.start', { text: 'And one more.' });
  await until(async () => (await metric(s, 'chats_in_memory')) === 1, 'only the chat that exists is in memory', 5000);
  await first.say('Yes, it is.', { chat });
  await endAndCheck(s);
});

test('all chats that are due leave memory at once, however many begin in a second', async () => {
  const s = await new Server({ set: { ...METRICS, 'limits.chat_idle_ms': 5000 } }).start();
  const all = await Promise.all(Array.from({ length: 40 }, () => shopper(s)));
  for (let i = 0; i < 25; i++)
    await Promise.all(all.map(async (c) => {
      await c.done('chat.start', { text: 'I look in.' });
      await c.done('chat.leave');
    }));
  for (const c of all) c.drop();
  await until(async () => (await metric(s, 'chats_in_memory')) === 0, 'all have left', 15_000, 100);
  await endAndCheck(s);
});

test('a chat that somebody waits for stays until Redis has answered, however long that takes', async () => {
  const slow = await new OwnRedis().start();
  const s = await new Server({ redis: slow.url, set: { ...METRICS, 'limits.chat_idle_ms': 5000, 'redis.command_ms': 30000 } }).start();
  const sue = await shopper(s);
  slow.process.kill('SIGSTOP');
  const id = newId();
  sue.send('sync', { id, chat: `c_${newId()}`, after: 0 });
  const { now } = await sue.done('ping');
  await until(async () => (await sue.done('ping')).now > now + 8000, 'two looks of the sweep', 15_000, 250);
  assert.equal(await metric(s, 'chats_in_memory'), 1);
  slow.process.kill('SIGCONT');
  assert.equal((await sue.expect('error', { re: id })).code, 'not_found');
  await until(async () => (await metric(s, 'chats_in_memory')) === 0, 'then it goes');
  await endAndCheck(s);
});
