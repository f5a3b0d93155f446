// Who is gone is missed whatever happens to the word of it: Redis away, a sweep that breaks off, a timer that fires and can't be followed.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { OwnRedis, Proxy } from '../faults/lib/redis.mjs';
import { arrival, auditor, servedChat, staff, team } from './lib/desk.mjs';
import { rep } from './lib/client.mjs';
import { Server, end, endAll, temporaryFolder } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const BEATS = { 'presence.beat_ms': 200, 'presence.silent_ms': 1200 };
const SHORT = { ...BEATS, 'ownership.grace_ms': 800, 'presence.grace_ms': 800, 'queue.gone_ms': 800 };
const HOURS = 36e5;
/** Only what the test sets is over; no pause counts as an outage, after which all would begin anew. */
const LONG = { 'presence.beat_ms': 200, 'presence.silent_ms': 6e5, 'ownership.grace_ms': HOURS, 'presence.grace_ms': HOURS, 'queue.gone_ms': HOURS };

const key = (name) => `fl:{default}:${name}`;

/** A Redis and a node on it, by way of a proxy; nodes that the test starts go into `all`. */
async function site(set, run) {
  const redis = await new OwnRedis().start();
  const proxy = await new Proxy(redis).start();
  const one = await new Server({ redis: proxy.url, set: { ...set, 'server.node': 'one' } }).start();
  const all = [one];
  try {
    await run({ redis, proxy, one, all, see: sight(redis) });
  } finally {
    await end(...all);
    proxy.stop();
    await redis.kill();
  }
}

/** What stands in Redis. */
const sight = (redis) => ({
  log: async (id) => [...(await redis.ask('LRANGE', key(`l:${id}`), 0, -1)).matchAll(/"kind":"(\w+)"/g)].map((m) => m[1]).filter((k) => k !== 'suggested'), // which comes when it is looked up
  last: async (id) => /"kind":"(\w+)".*/s.exec(await redis.ask('LINDEX', key(`l:${id}`), -1))?.[0] ?? '',
  due: async (member) => Number((await redis.ask('ZSCORE', key('t'), member)).split('\r\n')[1] || 0),
  isPresent: async (id) => (await redis.ask('EXISTS', key(`p:${id}`))) === ':1\r\n',
});

const ready = (s) => until(async () => (await s.api('GET', '/readyz')).status === 200, 'ready again', 15_000);

test('rules 1.5, 2.8: who left while Redis was away is missed when it is back, and who stayed is not', () =>
  site(SHORT, async ({ redis, one, see }) => {
    const { ann, sue, chat } = await servedChat(one);
    const tim = await arrival(one, one.newDepartment());
    const eve = await arrival(one, one.newDepartment());
    await redis.kill();
    await until(async () => (await one.api('GET', '/readyz')).status === 503, 'Redis is missed');
    ann.drop();
    tim.sue.drop();
    await redis.start();
    await ready(one);
    await sue.event('handler_lost', { chat }, 15_000);
    await until(async () => (await see.log(tim.chat)).includes('abandoned'), 'who waited is taken for gone');
    await until(async () => (await see.last(ann.me)).includes('"why":"away"'), 'the rep is paused');
    assert.deepEqual([await see.isPresent(ann.me), await see.isPresent(tim.sue.me)], [false, false]);
    assert.ok((await see.isPresent(sue.me)) && (await see.isPresent(eve.sue.me)));
    assert.equal((await see.log(eve.chat)).includes('abandoned'), false);
  }));

test('rules 1.5, 2.8: who is gone and whose leave was lost is missed on a slow beat', () =>
  site({ ...SHORT, 'presence.beat_ms': 100 }, async ({ redis, one, see }) => {
    const [ann] = await team(one, 1, { shift: false });
    const { sue } = await arrival(one, one.newDepartment());
    for (const c of [ann, sue]) c.drop();
    for (const id of [ann.me, sue.me]) {
      await until(async () => !(await see.isPresent(id)), 'gone');
      await redis.ask('HSET', key(`p:${id}`), 'one', '1');
      await redis.ask('SADD', key('np:one'), id);
    }
    for (const id of [ann.me, sue.me]) await until(async () => !(await see.isPresent(id)), 'swept');
  }));

test('rule 2.8: a dead node whose sweep breaks off is swept again', () =>
  site(SHORT, async ({ redis, proxy, one, all, see }) => {
    const three = await new Server({ redis: redis.url, set: { ...SHORT, 'server.node': 'three' } }).start();
    all.push(three);
    const [who] = await staff(one, 1);
    const ann = await rep(three, who);
    const { sue, chat } = await servedChat(one, { ann });
    proxy.holdAt = 'np:three';
    await three.kill();
    await until(() => proxy.holding, 'the sweep begins');
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    await ready(one);
    await sue.event('handler_lost', { chat }, 15_000);
    assert.equal(await see.isPresent(ann.me), false);
    await until(async () => (await redis.ask('HEXISTS', key('nodes'), 'three')) === ':0\r\n', 'its beat is taken away behind that');
  }));

test('rule 2.8: who is on a node that dies as soon as it has begun is missed, too', () =>
  site({ ...SHORT, 'presence.beat_ms': 100 }, async ({ redis, one, all, see }) => {
    const late = join(temporaryFolder(), 'late.sock'); // Redis is found when the node has begun for a while
    const three = new Server({ redis: `unix://${late}`, set: { ...SHORT, 'presence.beat_ms': 60_000, 'server.node': 'three' } }); // no second beat comes
    all.push(three);
    const begun = three.start();
    await delay(500);
    symlinkSync(redis.socket, late);
    await begun;
    const [who] = await staff(one, 1);
    const ann = await rep(three, who);
    await until(() => see.isPresent(ann.me), 'she is there');
    await three.kill();
    await until(async () => !(await see.isPresent(ann.me)), 'she is missed', 15_000);
  }));

test('a node that was taken for dead while it lives announces its people again: they are offered what waits', () =>
  site({ ...SHORT, 'presence.beat_ms': 100 }, async ({ redis, one, see }) => {
    const [ann] = await team(one, 1);
    await until(() => see.isPresent(ann.me), 'she is there');
    await redis.ask('DEL', key(`p:${ann.me}`), key('np:one')); // as who sweeps it does
    await redis.ask('HDEL', key('nodes'), 'one');
    await until(() => see.isPresent(ann.me), 'announced again');
    const { chat } = await arrival(one, ann.department);
    await ann.expect('offer', { chat });
  }));

test('rule 1.5: who waits is gone although the chat can’t be read when their time is over', () =>
  site(LONG, async ({ redis, proxy, one, see }) => {
    const quinn = await auditor(one);
    const { sue, chat } = await arrival(one, one.newDepartment());
    sue.drop();
    await until(() => see.due(`${chat}|gone`), 'the time runs');
    await one.transcript(quinn.token, chat, (t) => t.events.some((e) => e.kind === 'queued')); // nobody else will read it
    await one.kill();
    await one.start(); // a node that hasn't the chat in memory
    proxy.holdAt = `l:${chat}`;
    await redis.ask('ZADD', key('t'), 1, `${chat}|gone`);
    await until(() => proxy.holding, 'the chat is being read');
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    await ready(one);
    await until(async () => !(await see.due(`${chat}|gone`)), 'the time is over', 15_000);
    assert.equal((await see.log(chat)).at(-1), 'abandoned');
  }));

test('PROMISES 2.11: who came back and left again meanwhile has the full time: a timer of absence is taken as it was read', () =>
  site(LONG, async ({ redis, proxy, one, see }) => {
    const { ann, chat } = await servedChat(one);
    const { sue, chat: waiting } = await arrival(one, one.newDepartment());
    const timers = [`${ann.me}|away`, `${ann.me}|grace`, `${waiting}|gone`];
    const setAll = async (at) => {
      for (const t of timers) await redis.ask('ZADD', key('t'), at, t);
    };
    const mark = 'x_mark|none'; // means nothing, and is due: in the answer to each look
    await redis.ask('ZADD', key('t'), 1, mark);
    const look = async () => {
      proxy.holdAt = `${key('t')}\r\n$4\r\n-inf`;
      await until(() => proxy.holding && proxy.heldText.includes(mark), 'what is due was read');
      proxy.holdAt = null;
    };
    for (const c of [ann, sue]) c.drop();
    for (const t of timers) await until(() => see.due(t), 'the time runs');
    const before = [await see.log(ann.me), await see.log(chat), await see.log(waiting)];
    await look();
    await setAll(1);
    proxy.release();
    proxy.hold();
    await until(() => timers.every((t) => proxy.heldText.includes(t)), 'the next look sees them');
    const later = Date.now() + HOURS;
    await setAll(later);
    proxy.release();
    for (let k = 0; k < 3; k++) { // what followed from it went out before these
      await look();
      proxy.release();
    }
    assert.deepEqual([await see.log(ann.me), await see.log(chat), await see.log(waiting)], before);
    assert.deepEqual(await Promise.all(timers.map(see.due)), [later, later, later]);
    await setAll(1);
    for (const t of timers) await until(async () => !(await see.due(t)), `${t} is taken`);
    const now = [await see.log(ann.me), await see.log(chat), await see.log(waiting)];
    assert.deepEqual(now.map((l, i) => l.slice(before[i].length)).map((l) => l[0]), ['shift_paused', 'handler_lost', 'abandoned']);
  }));

test('a timer of absence that means nothing goes, and nothing follows from it', () =>
  site(LONG, async ({ redis, one, see }) => {
    const { ann, chat } = await servedChat(one);
    const waiting = await arrival(one, one.newDepartment());
    const timers = [`${chat}|gone`, `${waiting.chat}|gone`, 'c_nowhere|gone', `${ann.me}|away`, `${ann.me}|grace`, 'r_nobody|away', 'r_nobody|grace'];
    const logs = () => Promise.all([ann.me, chat, waiting.chat].map(see.log));
    const before = await logs();
    for (const t of timers) await redis.ask('ZADD', key('t'), 1, t);
    for (const t of timers) await until(async () => !(await see.due(t)), `${t} is taken`);
    assert.deepEqual(await logs(), before);
  }));

test('a shopper whose chat has ended is missed by nobody: no timer stays that is about no chat', () =>
  site(LONG, async ({ redis, one, see }) => {
    const { ann, sue, chat } = await servedChat(one);
    await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'done' });
    await sue.event('resolution_proposed', { chat });
    await sue.done('chat.confirm', { chat, solved: true });
    await sue.event('closed', { chat });
    await sue.close();
    await until(async () => !(await see.isPresent(sue.me)), 'the shopper has left');
    assert.equal(await redis.ask('ZSCORE', key('t'), '|gone'), '$-1\r\n');
  }));
