// kill -9 of the gateway under traffic, again and again: what was acknowledged is there, once, in order (PROMISES 1).
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endAndCheck, exported } from './lib/checker.mjs';
import { again, rep } from './lib/client.mjs';
import { arrival, auditor, servedChat } from './lib/desk.mjs';
import { Server, isAlive } from './lib/server.mjs';
import { missing, traffic } from './lib/traffic.mjs';
import { random, until } from './lib/wait.mjs';

const seed = Number(process.env.FIRSTLINE_SEED ?? Date.now() % 1e9);
const r = random(seed);
const servers = [];
after(() => endAndCheck(...servers.splice(0)));

test(`nothing acknowledged is lost when the gateway is killed five times under traffic (seed ${seed})`, async () => {
  const server = await new Server().start();
  servers.push(server);
  const { port } = server;
  const run = await traffic(server, 3);
  for (let k = 0; k < 5; k++) {
    await run.more(r.int(5, 60));
    await server.kill();
    await server.start({ listen: `127.0.0.1:${port}` });
  }
  await run.more(20);
  await run.stop();
  for (const c of server.clients) c.drop();
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(missing(await exported(server), run.writers).slice(0, 3), []);
});

test('the redis-server that a killed gateway leaves behind is adopted, not started a second time', async () => {
  const server = await new Server().start();
  servers.push(server);
  const [pid, ...more] = server.redisPids();
  assert.deepEqual(more, [], 'one redis-server');
  const { ann, sue, chat } = await servedChat(server);
  const said = await sue.say('before the crash', { id: 'crash-1' });
  await server.kill();
  assert.ok(isAlive(pid), 'Redis outlives the gateway');
  await server.start();
  assert.deepEqual(server.redisPids(), [pid], 'the same process');
  const back = await again(sue, { resume: [{ chat, seq: 0 }] });
  assert.equal((await back.say('before the crash', { chat, id: 'crash-1' })).seq, said.seq);
  const a = await rep(server, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
  await a.say('We are back.', { chat });
  await back.event('message', { text: 'We are back.' });
});

test('a chat, its owner, its queue and its timers are the same after a crash', async () => {
  const server = await new Server({ set: { 'ownership.grace_ms': 20_000, 'presence.grace_ms': 20_000, 'care.first_ms': 2500 } }).start();
  servers.push(server);
  const quinn = await auditor(server);
  const { ann, sue, chat } = await servedChat(server);
  await ann.done('chat.park', { chat, promise: 'later', until: Date.now() + 600_000 });
  const lone = await servedChat(server, { ann });
  const empty = server.newDepartment();
  const waiting = await arrival(server, empty);
  const epoch = sue.welcome.epoch;
  await server.kill();
  await server.start();
  const back = await rep(server, ann.who, { shift: false });
  assert.equal(back.welcome.epoch, epoch, 'the same life of the live data');
  assert.equal(back.welcome.shift.state, 'on');
  const states = Object.fromEntries(back.welcome.chats.map((c) => [c.chat, c.state]));
  assert.deepEqual([states[chat], states[lone.chat]], ['parked', 'active']);
  const w = await again(waiting.sue, { resume: [{ chat: waiting.chat, seq: waiting.sue.head(waiting.chat) }] });
  assert.equal(w.welcome.chat, waiting.chat);
  await w.event('care', { step: 'water' }, 8000);
  const t = await server.transcript(quinn.token, waiting.chat, (x) => x.events.some((e) => e.kind === 'care'));
  assert.equal(t.events.filter((e) => e.kind === 'care').length, 1, 'once, although the server restarted in between');
});

for (const signal of ['SIGTERM', 'SIGHUP']) test(`${signal} closes with 1001, archives everything, stops its Redis and exits 0 within 20 s`, async () => {
  const server = await new Server().start();
  servers.push(server);
  const pids = server.redisPids();
  const { ann, sue, chat } = await servedChat(server);
  const ids = Array.from({ length: 300 }, (_, i) => sue.send('message.send', { chat, text: `late ${i}`, id: `late-${i}` }));
  await until(() => sue.oks.size > 40, 'some are acknowledged');
  const began = Date.now();
  const stopping = server.stop(20_000, signal);
  assert.equal((await sue.gone).code, 1001);
  assert.equal((await ann.gone).code, 1001);
  assert.deepEqual(await stopping, { code: 0, signal: null });
  assert.ok(Date.now() - began < 20_000);
  assert.ok(!pids.some(isAlive), 'its Redis is gone too');
  const log = (await exported(server)).get(chat);
  for (const id of ids) {
    const ok = sue.oks.get(id);
    if (ok) assert.equal(log[ok.seq - 1].text, sue.sent.get(id).text);
  }
  await server.start();
  const back = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
  for (let i = 0; i < 300; i++) await back.say(`late ${i}`, { chat, id: `late-${i}` });
});

test('a thousand messages under way on one connection all get their ok, in order', async () => {
  const server = await new Server().start();
  servers.push(server);
  const { ann, sue, chat } = await servedChat(server);
  const ids = Array.from({ length: 1000 }, (_, i) => sue.send('message.send', { chat, text: `flight ${i}` }));
  await until(() => ids.every((id) => sue.oks.has(id)), () => `a thousand oks, have ${ids.filter((id) => sue.oks.has(id)).length}; errors ${JSON.stringify(sue.inbox.find((m) => m.t === 'error'))}`, 30_000);
  const seqs = ids.map((id) => sue.oks.get(id).seq);
  assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y), 'in the order sent');
  await until(() => ann.entries(chat, 'message').filter((e) => e.text.startsWith('flight')).length === 1000, 'the rep has them all', 20_000);
  assert.deepEqual(ann.entries(chat, 'message').filter((e) => e.text.startsWith('flight')).map((e) => e.text), ids.map((_, i) => `flight ${i}`));
});
