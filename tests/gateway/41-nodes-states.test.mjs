// What is wrong has a name: in /readyz, in /metrics, in the log, at who is connected; chats go on as long as the promise can be kept.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { disk } from '../faults/lib/os.mjs';
import { OwnRedis, Proxy } from '../faults/lib/redis.mjs';
import { Client, Refused, again, newId, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat } from './lib/desk.mjs';
import { METRICS, Server, end, endAll, temporaryFolder } from './lib/server.mjs';
import { traffic } from './lib/traffic.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const BEATS = { 'presence.beat_ms': 300, 'presence.silent_ms': 1500 };

const ready = async (s) => (await s.api('GET', '/readyz')).json;
const names = (r) => r.states.map((x) => x.name);
const has = (s, name, ms = 12_000) => until(async () => names(await ready(s)).includes(name), async () => `the state ${name}; ${JSON.stringify(await ready(s))}`, ms, 50);
const hasNot = (s, name, ms = 12_000) => until(async () => !names(await ready(s)).includes(name), async () => `no state ${name}; ${JSON.stringify(await ready(s))}`, ms, 50);

async function metric(s, name) {
  const r = await fetch(`http://127.0.0.1:${s.metricsPort}/metrics`);
  const line = (await r.text()).split('\n').find((l) => l.startsWith(`firstline_state{name="${name}"}`));
  return Number(line?.split(' ').pop());
}

async function withRedis(run, how = {}) {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, ...how, set: { ...BEATS, ...METRICS, ...how.set } }).start();
  try {
    await run(s, redis);
  } finally {
    await end(s);
    await redis.kill();
  }
}

test('nothing is wrong: ready, no state, chats are open', () =>
  withRedis(async (s) => {
    const r = await s.api('GET', '/readyz');
    assert.equal(r.status, 200);
    assert.deepEqual([r.json.status, r.json.states, r.json.chats], ['ready', [], 'open']);
    assert.equal(await metric(s, 'redis_weak'), 0);
  }));

test('a Redis that answers and takes no writes is seen: not ready, named with its own word; when it takes them it goes on', () =>
  withRedis(async (s, redis) => {
    const { ann, sue, chat } = await servedChat(s);
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await has(s, 'redis_refuses');
    const r = await s.api('GET', '/readyz');
    assert.equal(r.status, 503);
    assert.match(r.text, /redis takes no writes: NOREPLICAS/);
    assert.equal(await metric(s, 'redis_refuses'), 1);
    await assert.rejects(sue.say('not now', { chat, id: 'later' }), /"code":"unavailable"/);
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await hasNot(s, 'redis_refuses');
    assert.equal((await s.api('GET', '/readyz')).status, 200);
    await sue.say('not now', { chat, id: 'later' });
    await ann.event('message', { text: 'not now' });
  }));

test('a Redis that is made weaker while it runs is seen: not ready, named, nothing is acknowledged; made right again it goes on', () =>
  withRedis(async (s, redis) => {
    const { ann, sue, chat } = await servedChat(s);
    await redis.ask('CONFIG', 'SET', 'appendfsync', 'everysec');
    await has(s, 'redis_weak');
    const r = await s.api('GET', '/readyz');
    assert.equal(r.status, 503);
    assert.match(r.text, /appendfsync/);
    assert.equal(await metric(s, 'redis_weak'), 1);
    assert.match(s.tail(4000), /state begins name=redis_weak/);
    const told = await ann.expect('health', { chats: 'stopped' });
    assert.equal(told.states[0].name, 'redis_weak');
    const shopperTold = await sue.expect('health', { chats: 'stopped' });
    assert.equal(shopperTold.states, undefined, 'a shopper is told that, not why');
    const id = newId();
    await sue.refused('unavailable', 'message.send', { chat, text: 'not now', id });
    await redis.ask('CONFIG', 'SET', 'appendfsync', 'always');
    await hasNot(s, 'redis_weak');
    await sue.expect('health', { chats: 'open' });
    await sue.say('not now', { chat, id });
    await ann.event('message', { text: 'not now' });
  }));

test('Redis away: named, told, and over when it is back', () =>
  withRedis(async (s, redis) => {
    const { ann, sue, chat } = await servedChat(s);
    await redis.kill();
    await has(s, 'redis_away');
    assert.equal((await s.api('GET', '/readyz')).status, 503);
    assert.equal((await ann.expect('health', { chats: 'stopped' })).states[0].name, 'redis_away');
    await redis.start();
    await hasNot(s, 'redis_away');
    await ann.expect('health', { chats: 'open' });
    await sue.say('there again', { chat });
    assert.match(s.tail(4000), /state ends name=redis_away/);
  }));

test('a Redis before 7.0 is no absent one: named with its version, at the start and when it comes in later', async () => {
  const redis = await new OwnRedis().start();
  const proxy = await new Proxy(redis).start();
  const old = /redis_version:(\S+)/.exec(await redis.ask('INFO', 'server'))[1].replace(/^\d+/, (major) => '6'.padEnd(major.length, '.'));
  const s = new Server({ redis: proxy.url, set: { ...BEATS, ...METRICS } });
  try {
    proxy.version = old;
    await s.launch();
    await until(() => /not usable why="redis: needs Redis 7\.0 or later, this is 6\./.test(s.tail(4000)), () => s.tail(), 9000);
    await s.stop();
    proxy.version = null;
    await s.start();
    proxy.version = old;
    proxy.cut();
    await has(s, 'redis_old');
    assert.equal(await metric(s, 'redis_old'), 1);
    assert.equal((await s.api('GET', '/readyz')).json.chats, 'stopped');
    proxy.version = null;
    await hasNot(s, 'redis_old');
    await servedChat(s);
  } finally {
    await end(s);
    proxy.stop();
    await redis.kill();
  }
});

test('Redis at 80 % of its memory: no new chats, open ones go on, a repeat of a start gets its first answer', () =>
  withRedis(async (s, redis) => {
    const { sue, chat, ann } = await servedChat(s);
    const eve = await shopper(s);
    const id = newId();
    const first = await eve.done('chat.start', { text: 'before', department: 'general', id });
    const left = { text: 'before', contact: 'eve@example.org', id: newId() };
    const { task } = await eve.done('message.leave', left);
    const used = Number(/used_memory:(\d+)/.exec(await redis.ask('INFO', 'memory'))[1]);
    await redis.ask('CONFIG', 'SET', 'maxmemory', Math.floor(used * 1.15));
    await has(s, 'redis_full');
    assert.equal((await s.api('GET', '/readyz')).status, 200, 'open chats are served');
    await sue.expect('health', { chats: 'no_new' });
    await sue.say('goes on', { chat });
    await ann.event('message', { text: 'goes on' });
    const no = await (await shopper(s)).refused('unavailable', 'chat.start', { text: 'a new one', department: 'general' });
    assert.ok(no.retry_ms > 0);
    const again_ = await again(eve);
    assert.equal(again_.welcome.health.chats, 'no_new');
    const repeat = await again_.done('chat.start', { text: 'before', department: 'general', id });
    assert.deepEqual([repeat.chat, repeat.seq], [first.chat, first.seq]);
    assert.ok((await again_.refused('unavailable', 'message.leave', { ...left, id: newId() })).retry_ms > 0);
    assert.equal((await again_.done('message.leave', left)).task, task);
    await redis.ask('CONFIG', 'SET', 'maxmemory', 0);
    await hasNot(s, 'redis_full');
    await (await shopper(s)).done('chat.start', { text: 'a new one', department: 'general' });
  }));

test('a disk below its limit: no new chats; below half of it nothing is taken', async () => {
  const data = temporaryFolder();
  const f = statfsSync(data);
  const freeMb = Math.floor((f.bavail * f.bsize) / 2 ** 20);
  const s = await new Server({ data, set: { 'limits.disk_mb': Math.floor(freeMb * 1.5), 'limits.disk_percent': 0 } }).start();
  try {
    const sue = await shopper(s);
    await has(s, 'disk_low');
    const r = await ready(s);
    assert.deepEqual([r.status, r.chats], ['degraded', 'no_new']);
    await sue.refused('unavailable', 'chat.start', { text: 'no room', department: 'general' });
    await s.stop();
    s.set['limits.disk_mb'] = freeMb * 3;
    await s.launch(`127.0.0.1:${s.port}`);
    await has(s, 'disk_out');
    const out = await s.api('GET', '/readyz');
    assert.deepEqual([out.status, out.json.chats], [503, 'stopped']);
  } finally {
    await end(s);
  }
});

test('a chat that could not begin while nothing was taken holds back nothing that its shopper sends afterwards', async () => {
  const free = disk(5000);
  const s = await new Server({ env: free.env, set: { ...BEATS, 'limits.disk_mb': 1000, 'limits.disk_percent': 0 } }).start();
  try {
    const sue = await shopper(s);
    const { chat } = await sue.done('chat.start', { text: 'in one tab', department: 'general' });
    const tab = await again(sue);
    const start = { text: 'in another', department: 'general', id: newId() };
    free.set(100);
    await has(s, 'disk_out');
    await tab.refused('unavailable', 'chat.start', start);
    free.set(5000);
    await hasNot(s, 'disk_out');
    assert.equal((await tab.refused('conflict', 'chat.start', start)).chat, chat);
    await tab.say('so it goes there', { chat });
    await sue.event('message', { chat, text: 'so it goes there' });
  } finally {
    await end(s);
  }
});

test('a chat.start that Redis refuses may be repeated as often as it takes, on one connection', () =>
  withRedis(async (s, redis) => {
    const sue = await shopper(s);
    const start = { text: 'at last', department: 'general', id: newId() };
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
    for (let i = 0; i < 8; i++) await sue.refused('unavailable', 'chat.start', start);
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0');
    const { chat, seq } = await until(() => sue.ask('chat.start', start).then((m) => m.t === 'ok' && m), 'it is taken', 10_000, 100);
    assert.deepEqual([sue.closed, (await sue.done('chat.start', start)).seq], [null, seq]);
    await sue.say('and goes on', { chat });
  }));

test('memory above its limit: named, no new connections; below it they come in', async () => {
  const s = await new Server({ set: { ...BEATS, ...METRICS, 'limits.memory_mb': 1 } }).start();
  try {
    await has(s, 'memory_high');
    const r = await s.api('GET', '/readyz');
    assert.deepEqual([r.status, r.json.status, r.json.chats], [200, 'degraded', 'open']);
    assert.match(r.json.reasons.join(), /memory high: this node takes \d+ MiB, and may take 1/);
    assert.equal(await metric(s, 'memory_high'), 1);
    for (const path of ['/ws/shopper', '/ws/rep']) {
      const no = await Client.open(s, path, { origin: s.origin }).catch((e) => e);
      assert.ok(no instanceof Refused, `${path}: ${no}`);
      assert.deepEqual([no.status, Number(no.headers['retry-after']) >= 1], [503, true]);
    }
    const figures = await (await fetch(`http://127.0.0.1:${s.metricsPort}/metrics`)).text();
    assert.match(figures, /^firstline_connections_refused_total 2$/m);
    assert.equal((await s.stop()).code, 0);
    s.set['limits.memory_mb'] = 100_000;
    await s.start();
    await servedChat(s);
    assert.ok(!names(await ready(s)).includes('memory_high'));
  } finally {
    await end(s);
  }
});

test('the archive’s node away: named by the others, chats go on; back, it catches up', () =>
  withRedis(
    async (one, redis) => {
      const quinn = await auditor(one);
      const two = await new Server({ redis: redis.url, set: { ...BEATS, 'server.node': 'two' } }).start();
      try {
        await one.kill();
        await has(two, 'archive_away');
        const r = await ready(two);
        assert.equal(r.chats, 'open');
        assert.match(r.reasons.join(), /one/);
        const { sue, chat } = await servedChat(two);
        await sue.say('kept until it is back', { chat });
        await one.start();
        await hasNot(two, 'archive_away');
        await one.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === 'kept until it is back'));
      } finally {
        await end(two);
      }
    },
    { set: { 'server.node': 'one' } },
  ));

test('the archive’s file is gone from its place: named by the node that had it, chats go on; back, it catches up', () =>
  withRedis(async (s) => {
    const quinn = await auditor(s);
    await servedChat(s);
    await s.stop();
    const file = join(s.data, 'archive.sqlite');
    const put = (from, to) => ['', '.heads', '.key'].forEach((end_) => renameSync(`${file}${end_}${from}`, `${file}${end_}${to}`));
    put('', '.aside');
    await s.start();
    await has(s, 'archive_away');
    assert.match((await ready(s)).reasons.join(), /archive\.sqlite is another file/);
    const { sue, chat } = await servedChat(s);
    await sue.say('kept until it is back', { chat });
    const asked = await s.api('GET', '/api/v1/transcripts', { token: quinn.token });
    assert.equal(asked.status, 503);
    assert.doesNotMatch(asked.text, /ask there/);
    await s.stop();
    put('.aside', '');
    await s.start();
    await hasNot(s, 'archive_away');
    await s.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === 'kept until it is back'));
  }));

test('a reason that names a long Chinese path reaches the consoles', async () => {
  const top = temporaryFolder();
  const first = '店'.repeat(70) + 'x'.repeat((3 - (top.length % 3)) % 3); // the reason is cut within a character
  const dir = join(top, first, '铺'.repeat(50));
  mkdirSync(dir, { recursive: true });
  const s = new Server({ set: { 'archive.path': join(dir, 'a.sqlite') } });
  const bob = await s.account();
  await s.start();
  await s.stop();
  for (const end_ of ['', '.heads', '.key']) renameSync(join(dir, `a.sqlite${end_}`), join(dir, `aside${end_}`));
  await s.start();
  await has(s, 'archive_away');
  const { welcome } = await rep(s, bob);
  const { why } = welcome.health.states.find((state) => state.name === 'archive_away');
  assert.match(why, /铺$/);
  assert.doesNotMatch(why, /\ufffd/);
  await end(s);
});

test('archive adopt: another node’s file is the archive from now on, seen without a restart', () =>
  withRedis(
    async (one, redis) => {
      const quinn = await auditor(one);
      const two = await new Server({ redis: redis.url, set: { ...BEATS, 'server.node': 'two' } }).start();
      try {
        const { sue, chat } = await servedChat(one);
        await sue.say('from the first day', { chat });
        await one.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === 'from the first day'));
        await one.kill();
        await has(two, 'archive_away');
        const r = await two.cli(['archive', 'adopt']);
        assert.match(r.out, /is the site's archive now/);
        await hasNot(two, 'archive_away');
        const t = await two.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === 'from the first day'));
        assert.equal(t.events[0].kind, 'started', 'what Redis still holds is archived there from its first entry');
        await one.start(); // its file isn't the archive any more
        let said;
        await until(
          async () => (said = await one.api('GET', `/api/v1/transcripts/${chat}`, { token: quinn.token })).status === 503 && /node two/.test(said.text),
          () => `the first node names the second: ${said?.status} ${said?.text.slice(0, 200)}`,
        );
      } finally {
        await end(two);
      }
    },
    { set: { 'server.node': 'one' } },
  ));

test('archive adopt while the node that archived so far goes on: it lets go, whatever it has just written', () =>
  withRedis(
    async (one, redis) => {
      const quinn = await auditor(one);
      const two = await new Server({ redis: redis.url, set: { ...BEATS, 'server.node': 'two' } }).start();
      const run = await traffic(one, 1);
      try {
        await run.more(5);
        const [{ chat }] = run.writers;
        const asked = (s) => s.api('GET', `/api/v1/transcripts/${chat}`, { token: quinn.token });
        const points = (s, node) => until(async () => ((r) => r.status === 503 && r.text.includes(`node ${node}`))(await asked(s)), `a node that names ${node}`);
        await points(two, 'one');
        assert.match((await two.cli(['archive', 'adopt'])).out, /is the site's archive now/);
        await run.more(100);
        await until(async () => (await asked(two)).status === 200, async () => `the second node has it: ${(await asked(two)).text.slice(0, 200)}`);
        await points(one, 'two');
        await run.more(5);
      } finally {
        await run.stop().catch(() => {}); // said above
        await end(two);
      }
    },
    { set: { 'server.node': 'one' } },
  ));

test('an older copy of the archive put in its place is refused, and said', () =>
  withRedis(async (s, redis) => {
    await servedChat(s);
    await s.stop();
    const rows = Number((await s.cli(['archive', 'verify'])).out.match(/(\d+) rows/)?.[1] ?? 0);
    const file = join(s.data, 'archive.sqlite');
    for (const end_ of ['', '.heads']) copyFileSync(`${file}${end_}`, `${file}${end_}.old`);
    await s.start();
    const { sue, chat } = await servedChat(s);
    await sue.say('the old copy lacks this', { chat });
    const said = async () => Number((await redis.ask('GET', 'fl:{default}:archive.head')).split('\r\n')[1]?.split(' ')[0] ?? 0);
    const before = rows;
    await until(async () => (await said()) > before, 'it is said how far the archive has come');
    await s.stop();
    for (const end_ of ['', '.heads']) copyFileSync(`${file}${end_}.old`, `${file}${end_}`);
    for (const end_ of ['-wal', '-shm']) assert.ok(!existsSync(`${file}${end_}`), 'a stopped server leaves no journal');
    await s.start();
    await has(s, 'archive_away');
    assert.match((await ready(s)).reasons.join(), /older copy/);
    const { sue: bob, chat: other } = await servedChat(s);
    await bob.say('chats go on', { chat: other });
  }));

test('draining is a state: in the log', () =>
  withRedis(async (s) => {
    await arrival(s, 'general');
    await s.stop();
    assert.match(readFileSync(s.log, 'utf8'), /state begins name=draining/);
  }));

test('the console’s welcome names what is wrong', () =>
  withRedis(async (s, redis) => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.ask('INFO', 'memory'))[1]);
    const who = await s.account({ role: 'rep', department: 'general' });
    await redis.ask('CONFIG', 'SET', 'maxmemory', Math.floor(used * 1.15));
    await has(s, 'redis_full');
    const ann = await rep(s, who, { shift: false });
    assert.deepEqual([ann.welcome.health.chats, ann.welcome.health.states[0].name], ['no_new', 'redis_full']);
  }));
