// A node that is behind when it writes: the index, the chats of who leaves, and what it has to put back come right all the same.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { OwnRedis, Proxy } from '../faults/lib/redis.mjs';
import { Client, again, newId, rep } from './lib/client.mjs';
import { arrival, servedChat, settled, staff } from './lib/desk.mjs';
import { METRICS, Server, end, endAll } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const KEY = 'fl:{default}:';
const ready = (s) => until(async () => (await s.api('GET', '/readyz')).status === 200, async () => `ready; ${(await s.api('GET', '/readyz')).text}`, 15_000);
const calls = async (redis, command) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await redis.ask('INFO', 'commandstats'))?.[1] ?? 0);

/** A Redis, a proxy in front of it, and servers that the test starts with start(). */
async function behindProxy(run) {
  const redis = await new OwnRedis().start();
  const proxy = await new Proxy(redis).start();
  const all = [];
  const start = async (url, set = {}) => {
    all.push(await new Server({ redis: url, set }).start());
    return all.at(-1);
  };
  try {
    await run(redis, proxy, start);
  } finally {
    proxy.release();
    await end(...all);
    proxy.stop();
    await redis.kill();
  }
}

test('a handover that is offered to a rep while their second tab says hello is told to that one too', () =>
  behindProxy(async (redis, proxy, start) => {
    const s = await start(proxy.url);
    const [a, b] = await staff(s, 2);
    const bob = await rep(s, b);
    const { chat } = await servedChat(s, { ann: bob });
    const ann = await rep(s, a);
    const c = await Client.open(s, '/ws/rep', { headers: { authorization: `Bearer ${a.token}` } });
    const length = async () => Number((await redis.ask('LLEN', `${KEY}l:${chat}`)).slice(1));
    const stood = await length();
    proxy.holdAt = `${KEY}w:${ann.me}`; // its lists
    const id = c.send('hello', { resume: [{ chat: 'c_that_is_nowhere', seq: 0 }] }); // and behind them a chat is to be read
    await until(() => proxy.holding, 'the lists are asked for');
    const card = { summary: 'a lamp', requirements: '', verified: [], promised: '' };
    bob.send('chat.transfer', { chat, to: ann.me, card });
    await until(async () => (await length()) > stood, 'the handover stands');
    proxy.holdAt = null;
    proxy.release();
    const { offers } = await c.expect('welcome', { re: id });
    assert.deepEqual(offers.map((o) => [o.chat, o.kind]), [[chat, 'transfer']]);
    await ann.expect('offer', { chat, kind: 'transfer' });
  }));

test("a node's index for entries of others is refused because they go on: it is written for what stands then", () =>
  behindProxy(async (redis, proxy, start) => {
    const a = await start(redis.url, { 'server.node': 'a' });
    const b = await start(proxy.url, { 'server.node': 'b' });
    const department = a.newDepartment();
    const [who] = await staff(a, 1, { department });
    const ann = await rep(a, who);
    const { sue, chat } = await arrival(b, department);
    await ann.expect('offer', { chat, kind: 'new' });
    await ann.done('offer.accept', { chat });
    await ann.say('I will look into that for you.', { chat });
    await sue.say('and when?', { chat });
    await ann.event('message', { text: 'and when?' });
    const silent = async () => !(await redis.ask('ZSCORE', `${KEY}t`, `${chat}|silent`)).startsWith('$-1');
    await until(silent, 'the rep is reminded of the question');

    proxy.hold(); // b is deaf: it doesn't hear of the answer
    await ann.say('It comes on Monday.', { chat });
    await until(async () => !(await silent()), 'the answer ends that');
    const length = async () => Number((await redis.ask('LLEN', `${KEY}l:${chat}`)).slice(1));
    const stood = await length();
    sue.send('message.send', { chat, text: 'And the other one?' });
    await until(async () => (await length()) > stood, 'the next question stands');
    const reads = await calls(redis, 'lrange');
    proxy.holdAt = `:l:${chat}`; // what b reads now it is told later
    proxy.release();
    await until(async () => proxy.holding && (await calls(redis, 'lrange')) > reads, 'b reads what came between');
    proxy.holdAt = null;
    await ann.done('note.add', { chat, text: 'the other one is lost' });
    proxy.release();
    await until(silent, 'the rep is reminded of the next question too');
  }));

test('what was said while a node heard nothing of the others is read as soon as it hears them again', () =>
  behindProxy(async (redis, proxy, start) => {
    const slow = { 'presence.beat_ms': 60_000, 'presence.silent_ms': 600_000 }; // no beat comes to help
    const a = await start(redis.url, { ...slow, 'server.node': 'a' });
    const b = await start(redis.url, { ...slow, 'server.node': 'b' });
    const [who] = await staff(a, 1);
    const ann = await rep(b, who);
    const { sue, chat } = await arrival(a, who.department);
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
    await ann.event('suggested', { chat }); // b reads the chat when it records that
    const heard = async () => (await redis.ask('PUBSUB', 'NUMSUB', `${KEY}bus`)).includes(':2');
    await redis.ask('ACL', 'SETUSER', 'default', 'resetchannels');
    await redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await sue.say('Is anybody there?', { chat });
    await ann.settle();
    assert.deepEqual(ann.entries(chat, 'message').filter((e) => e.text === 'Is anybody there?'), []);
    await redis.ask('ACL', 'SETUSER', 'default', 'allchannels');
    await until(heard, 'both hear');
    await ann.event('message', { text: 'Is anybody there?' });
  }));

test('the connection breaks while a rep ends the shift: it is said, and the rep goes on as if nothing was asked', () =>
  behindProxy(async (redis, proxy, start) => {
    const s = await start(proxy.url);
    const [who] = await staff(s, 1);
    const ann = await rep(s, who);
    const elsewhere = 'c_aaaaaaaaaaaaaaaaaaaaaa'; // on her list, not in this node's memory
    await redis.ask('HSET', `${KEY}w:${ann.me}`, elsewhere, '0');
    proxy.holdAt = `l:${elsewhere}`;
    const asked = ann.ask('shift.end', {}, 20_000);
    await until(() => proxy.holding, 'the chat is being read');
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    assert.equal((await asked).code, 'unavailable');
    await ready(s);
    await redis.ask('HDEL', `${KEY}w:${ann.me}`, elsewhere);
    await ann.done('shift.start', { capacity: 5 });
    await servedChat(s, { ann });
  }));

test('while Redis is away a chat that is not in memory can’t be asked about, which is not to say that there is none', () =>
  behindProxy(async (redis, proxy, start) => {
    const s = await start(redis.url);
    const [who] = await staff(s, 1);
    const ann = await rep(s, who, { shift: false });
    await ann.refused('not_found', 'kb.suggest', { chat: 'c_elsewhere' });
    await redis.kill();
    await ann.refused('unavailable', 'kb.suggest', { chat: 'c_elsewhere' });
    await ann.refused('unavailable', 'chat.open', { chat: 'c_elsewhere' });
  }));

test('roles change while a chat that is watched can’t be read: nobody is told that there is none, and who comes back watches it', () =>
  behindProxy(async (redis, proxy, start) => {
    const s = await start(proxy.url, { 'limits.chat_idle_ms': 5000, ...METRICS });
    const { ann, sue, chat } = await servedChat(s);
    await settled(sue, ann, chat);
    const asleep = async () => /^firstline_chats_asleep 1$/m.test(await (await fetch(`http://127.0.0.1:${s.metricsPort}/metrics`)).text());
    await until(asleep, 'the chat that ended has left memory', 20_000, 100);
    proxy.holdAt = `:l:${chat}`;
    await s.cli(['user', 'roles', ann.who.login, '--role', 'rep', '--role', 'qa']);
    await until(() => proxy.holding, 'the chat is being read');
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    await ready(s);
    const head = ann.head(chat);
    const back = ann.closed ? await rep(s, ann.who, { shift: false, resume: [{ chat, seq: head }] }) : ann;
    const rated = await (await again(sue, { resume: [{ chat, seq: sue.head(chat) }] })).done('chat.rate', { chat, score: 5 });
    assert.equal((await back.event('rated', { chat })).seq, rated.seq);
    assert.deepEqual(ann.seen.filter((m) => m.code === 'not_found'), []);
  }));

test('the connection breaks while a node puts back what it had: it goes on when there is one again', () =>
  behindProxy(async (redis, proxy, start) => {
    const s = await start(proxy.url, { 'archive.path': '' });
    const { sue, chat } = await servedChat(s);
    const [log, head] = [`${KEY}l:${chat}`, `${KEY}h:${chat}`];
    const stood = (await redis.ask('HGET', head, 's')).split('\r\n')[1];
    const kept = Array.from({ length: 5 }, (_, i) => `acknowledged ${i}`);
    const seqs = [];
    for (const text of kept) seqs.push((await sue.say(text, { chat })).seq);

    s.process.kill('SIGSTOP'); // it sees the other life of the data whole
    const [, , , last, base] = stood.split(' ').map(Number); // suggestions may have come beside the five
    await redis.ask('LTRIM', log, 0, last - base - 1);
    await redis.ask('HSET', head, 's', stood);
    for (const [field] of (await redis.ask('HKEYS', head)).matchAll(/i:\S+/g))
      if (seqs.includes(Number((await redis.ask('HGET', head, field)).split('\r\n')[1].split(' ')[0]))) await redis.ask('HDEL', head, field);
    await redis.ask('SET', `${KEY}epoch`, 'e_bbbbbbbbbbbbbbbbbbbbbb');
    proxy.holdAt = '\r\nP\r\n'; // the first entry that is put back
    proxy.cut();
    s.process.kill('SIGCONT');
    await until(() => proxy.holding, 'the first is being put back');
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    await ready(s);
    const back = await again(sue, { resume: [{ chat, seq: 0 }] });
    await until(() => back.entries(chat, 'message').some((e) => e.text === kept.at(-1)), 'the last one stands');
    const texts = back.entries(chat, 'message').map((e) => e.text);
    assert.deepEqual(texts.filter((t) => kept.includes(t)), kept, 'each once, in order');
  }));

const freePort = () => new Promise((yes) => {
  const l = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = l.address();
    l.close(() => yes(port));
  });
});

test('while no replica has it, a repeat is acknowledged no sooner than the first try', async () => {
  const [redis, replica] = [await new OwnRedis().start(), await new OwnRedis().start()];
  const port = await freePort();
  await redis.ask('CONFIG', 'SET', 'port', port);
  await replica.ask('REPLICAOF', '127.0.0.1', port);
  await until(async () => (await replica.ask('INFO', 'replication')).includes('master_link_status:up'), 'the replica follows');
  const s = await new Server({ redis: redis.url, set: { 'redis.replicas': 1, 'redis.replicas_ms': 300 } }).start();
  try {
    const { sue, chat } = await arrival(s, s.newDepartment());
    replica.process.kill('SIGSTOP');
    const leave = { chat, id: newId() };
    for (let i = 0; i < 2; i++) await sue.refused('unavailable', 'chat.leave', leave);
    replica.process.kill('SIGCONT');
    await until(async () => (await sue.ask('chat.leave', leave)).t === 'ok', 'it is acknowledged when the replica has it');
  } finally {
    replica.process.kill('SIGCONT');
    await end(s);
    await redis.kill();
    await replica.kill();
  }
});
