// kill -9 of Redis, alone and together with the gateway, under traffic.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endAndCheck, exported } from './lib/checker.mjs';
import { again } from './lib/client.mjs';
import { servedChat } from './lib/desk.mjs';
import { Redis, Server, isAlive } from './lib/server.mjs';
import { missing, traffic } from './lib/traffic.mjs';
import { random, until } from './lib/wait.mjs';

const seed = Number(process.env.FIRSTLINE_SEED ?? Date.now() % 1e9);
const r = random(seed);
const servers = [];
after(() => endAndCheck(...servers.splice(0)));

const ready = (server) => until(async () => (await server.api('GET', '/readyz')).status === 200, 'ready again', 15_000);

test(`nothing acknowledged is lost when its Redis is killed four times under traffic (seed ${seed})`, async () => {
  const server = await new Server().start();
  servers.push(server);
  const run = await traffic(server, 3);
  for (let k = 0; k < 4; k++) {
    await run.more(r.int(5, 60));
    const [old] = server.killRedis();
    await until(() => server.redisPids().some((p) => p !== old), 'another redis-server', 15_000);
    assert.equal(server.exit, null, 'the gateway lives');
    await ready(server);
  }
  await run.more(20);
  await run.stop();
  for (const c of server.clients) c.drop();
  assert.deepEqual((await server.stop()).code, 0);
  assert.deepEqual(missing(await exported(server), run.writers).slice(0, 3), []);
});

test(`nothing acknowledged is lost when gateway and Redis are killed at once, four times (seed ${seed})`, async () => {
  const server = await new Server().start();
  servers.push(server);
  const { port } = server;
  const run = await traffic(server, 2);
  for (let k = 0; k < 4; k++) {
    await run.more(r.int(5, 60));
    const both = [server.process.pid, ...server.redisPids()];
    for (const p of k % 2 ? both.reverse() : both) process.kill(p, 'SIGKILL');
    await server.exited;
    await until(() => !both.some(isAlive), 'both are gone'); // the gateway may have started another one in between: that is adopted
    await server.start({ listen: `127.0.0.1:${port}` });
  }
  await run.more(20);
  await run.stop();
  for (const c of server.clients) c.drop();
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(missing(await exported(server), run.writers).slice(0, 3), []);
});

test('without Redis the answer is unavailable, said soon, and other connections are served', async () => {
  const redis = await new Redis().start();
  const server = await new Server({ redis: redis.url, set: { 'redis.command_ms': 1500 } }).start();
  servers.push(server);
  const { ann, sue, chat } = await servedChat(server);
  await sue.say('before');
  await redis.kill();
  const m = await sue.ask('message.send', { chat, text: 'into the dark', id: 'dark-1' }, 8000);
  assert.deepEqual([m.t, m.code], ['error', 'unavailable']);
  assert.ok(m.retry_ms > 0, 'says when to try again');
  await sue.refused('unavailable', 'message.send', { chat, text: 'overtaking', id: 'dark-2' });
  await ann.done('ping');
  await until(async () => (await server.api('GET', '/readyz')).status === 503, 'not ready');
  const why = await server.api('GET', '/readyz');
  assert.match(why.text, /redis/i, 'and says why');
  assert.equal((await server.api('GET', '/healthz')).status, 200, 'it lives all the same');
  await redis.start();
  await ready(server);
  // The first unknown one is repeated; then the next may follow.
  const one = await until(async () => {
    const a = await sue.ask('message.send', { chat, text: 'into the dark', id: 'dark-1' });
    return a.t === 'ok' ? a : null;
  }, 'the repeat is done');
  const two = await sue.say('overtaking', { chat, id: 'dark-2' });
  assert.ok(two.seq > one.seq);
  await ann.event('message', { text: 'overtaking' });
  assert.equal(ann.entries(chat, 'message').filter((e) => e.text === 'into the dark').length, 1);
});

test('a Redis that hangs delays nobody beyond the deadline of a command', async () => {
  const redis = await new Redis().start();
  const server = await new Server({ redis: redis.url, set: { 'redis.command_ms': 800 } }).start();
  servers.push(server);
  const { ann, sue, chat } = await servedChat(server);
  redis.process.kill('SIGSTOP');
  try {
    const began = Date.now();
    const m = await sue.ask('message.send', { chat, text: 'hanging', id: 'hang-1' }, 8000);
    assert.deepEqual([m.t, m.code], ['error', 'unavailable']);
    assert.ok(Date.now() - began < 4000, `${Date.now() - began} ms`);
    await ann.done('ping');
  } finally {
    redis.process.kill('SIGCONT');
  }
  await ready(server);
  const back = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
  const ok = await until(async () => {
    const a = await back.ask('message.send', { chat, text: 'hanging', id: 'hang-1' });
    return a.t === 'ok' ? a : null;
  }, 'the repeat is done');
  assert.ok(ok.seq);
  await ann.event('message', { text: 'hanging' });
  await ann.say('fence', { chat });
  await back.event('message', { text: 'fence' });
  assert.equal(ann.entries(chat, 'message').filter((e) => e.text === 'hanging').length, 1, 'written once, whether or not the first try came through');
});
