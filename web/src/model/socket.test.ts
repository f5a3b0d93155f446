import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeTimers, fakeNetwork, settle } from './fakes.js';
import { Socket } from './socket.js';
import type { ServerMessage, ServerWelcome } from './types.js';

function world(random = () => 0.5) {
  const timers = new FakeTimers();
  const net = fakeNetwork();
  const seen = { welcomes: [] as ServerWelcome[], messages: [] as ServerMessage[], links: [] as string[], trouble: [] as boolean[], failed: [] as unknown[] };
  const socket = new Socket({
    url: 'wss://shop.example/ws/shopper', WebSocket: net.WebSocket, timers, random, wake: net.wake, hello: () => ({ resume: [{ chat: 'c_1', seq: 7 }] }),
    onWelcome: (w) => seen.welcomes.push(w), onMessage: (m) => seen.messages.push(m), onLink: (l) => seen.links.push(l), onTrouble: (t) => seen.trouble.push(t),
    onFailed: (f) => {
      seen.failed.push(f);
      w.failed();
    },
  });
  const w = { timers, net, socket, seen, failed: () => undefined as void };
  return w;
}

test('it speaks firstline.v1 and says hello with what to resume', async () => {
  const w = world();
  w.socket.open();
  await w.net.welcome();
  assert.equal(w.net.wire.protocol, 'firstline.v1');
  assert.deepEqual(w.net.wire.last('hello')?.['resume'], [{ chat: 'c_1', seq: 7 }]);
  assert.deepEqual(w.seen.links, ['opening', 'ready']);
});

test('waits between tries are random below 0.5, 1, 2 … 30 seconds', async () => {
  const w = world(() => 0.999);
  w.socket.open();
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    const made = w.net.wires.length;
    w.net.wire.drop(1006);
    const start = w.timers.time;
    while (w.net.wires.length === made) await w.timers.advance(10);
    waits.push(w.timers.time - start);
  }
  const expected = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
  waits.forEach((wait, i) => assert.ok(Math.abs(wait - (expected[i] ?? 0)) < 60, `try ${i}: ${wait}`));
});

test('after a restart (1001) it is back within 3 seconds, under overload (1013) not before 5', async () => {
  const w = world(() => 0.999);
  w.socket.open();
  await w.net.welcome();
  w.net.wire.drop(1001);
  await w.timers.advance(3000);
  assert.equal(w.net.wires.length, 2);
  await w.net.welcome();
  w.net.wire.drop(1013);
  await w.timers.advance(4990);
  assert.equal(w.net.wires.length, 2);
  await w.timers.advance(6000);
  assert.equal(w.net.wires.length, 3);
});

test('retry_ms of a refused hello wins over the backoff', async () => {
  const w = world(() => 0.1);
  w.socket.open();
  w.net.wire.accept();
  await settle();
  w.net.wire.push({ t: 'error', re: w.net.wire.last('hello')?.id, code: 'rate_limited', message: 'slow', retry_ms: 9000 });
  await w.timers.advance(8990);
  assert.equal(w.net.wires.length, 1);
  await w.timers.advance(20);
  assert.equal(w.net.wires.length, 2);
  assert.equal(w.seen.failed.length, 1);
});

test('the notice comes after 3 seconds and goes with the welcome', async () => {
  const w = world(() => 0.999);
  w.socket.open();
  await w.net.welcome();
  w.net.wire.drop(1006);
  await w.timers.advance(2900);
  assert.deepEqual(w.seen.trouble, []);
  await w.timers.advance(200);
  assert.deepEqual(w.seen.trouble, [true]);
  await w.net.welcome();
  assert.deepEqual(w.seen.trouble, [true, false]);
});

test('online, visible and pageshow try at once; pagehide closes', async () => {
  for (const why of ['online', 'visible', 'pageshow'] as const) {
    const w = world(() => 0.999);
    w.socket.open();
    await w.net.welcome();
    w.net.say('pagehide');
    assert.equal(w.net.wire.closed, true);
    await w.timers.advance(120_000);
    assert.equal(w.net.wires.length, 1, 'asleep in the back-forward cache');
    w.net.say(why);
    assert.equal(w.net.wires.length, 2);
  }
});

test('an open connection that answers no probe is given up', async () => {
  const w = world(() => 0);
  w.socket.open();
  await w.net.welcome();
  w.net.say('visible');
  assert.equal(w.net.wire.last('ping')?.t, 'ping');
  await w.timers.advance(5100);
  assert.equal(w.net.wires.length, 2);
});

test('a question without answer for 10 seconds makes it probe; any frame is a sign of life', async () => {
  const w = world(() => 0);
  w.socket.open();
  await w.net.welcome();
  void w.socket.call({ t: 'kb.search', text: 'x' }).catch(() => undefined);
  await w.timers.advance(10_100);
  assert.equal(w.net.wire.last('ping')?.t, 'ping');
  w.net.wire.push({ t: 'queue', position: 1 });
  await w.timers.advance(6000);
  assert.equal(w.net.wires.length, 1);
});

test('a question that stays unanswered is asked after again: the first sign of life is not the last word', async () => {
  const w = world(() => 0);
  w.socket.open();
  await w.net.welcome();
  void w.socket.call({ t: 'kb.search', text: 'x' }).catch(() => undefined);
  await w.timers.advance(10_100);
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('ping')?.id, now: 1 });
  await w.timers.advance(15_100); // from here on the connection is dead
  assert.equal(w.net.wires.length, 2);
});

test('a call fails with unavailable when the connection goes; a command is repeated under its id', async () => {
  const w = world(() => 0);
  w.socket.open();
  await w.net.welcome();
  const call = w.socket.call({ t: 'sync', chat: 'c_1', after: 0 }).then(() => 'ok', (e: { code: string }) => e.code);
  let done = '';
  void w.socket.command({ t: 'chat.confirm', solved: true }).then(() => (done = 'ok'));
  const id = w.net.wire.last('chat.confirm')?.id;
  w.net.wire.drop(1006);
  assert.equal(await call, 'unavailable');
  await w.timers.advance(10);
  await w.net.welcome();
  assert.equal(w.net.wire.last('chat.confirm')?.id, id);
  assert.equal(w.net.wire.last('sync'), undefined);
  w.net.wire.push({ t: 'error', re: id, code: 'unavailable', message: 'x', retry_ms: 700 });
  await w.timers.advance(650);
  assert.equal(w.net.wire.sent.filter((m) => m.t === 'chat.confirm').length, 1);
  await w.timers.advance(100);
  assert.equal(w.net.wire.sent.filter((m) => m.t === 'chat.confirm').length, 2);
  w.net.wire.push({ t: 'ok', re: id, seq: 3 });
  await settle();
  assert.equal(done, 'ok');
});

test('frames that are no JSON, no object or for nobody harm nothing', async () => {
  const w = world();
  w.socket.open();
  await w.net.welcome();
  for (const bad of ['{', '[]', 'null', '"x"', '{}', { t: 'ok', re: 'nobody' }, { t: 'error', re: null, code: 'bad_request', message: 'x' }]) w.net.wire.push(bad);
  assert.equal(w.socket.link, 'ready');
});

test('the server clock is taken from the middle of the shortest trip', async () => {
  const w = world();
  w.socket.open();
  await w.net.welcome({ now: 9_000_000 });
  assert.equal(w.socket.clock.now(), 9_000_000);
  await w.timers.advance(1000);
  assert.equal(w.socket.clock.now(), 9_001_000);
});

test('a slow answer to a probe does not move the clock', async () => {
  const w = world();
  w.socket.open();
  await w.net.welcome({ now: 9_000_000 });
  w.net.say('visible');
  await w.timers.advance(4000);
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('ping')?.id, now: 9_000_500 });
  assert.equal(w.socket.clock.now(), 9_004_000);
});

test('close is for good', async () => {
  const w = world();
  w.socket.open();
  await w.net.welcome();
  w.socket.close();
  w.net.say('online');
  await w.timers.advance(100_000);
  assert.equal(w.net.wires.length, 1);
  assert.equal(w.socket.link, 'off');
});

test('a connection that does not come about is told of after 3 s, the first one and one that was begun anew too', async () => {
  const w = world();
  w.socket.open();
  await w.timers.advance(3_100);
  assert.deepEqual(w.seen.trouble, [true]);
  await w.net.welcome();
  w.socket.restart();
  await w.timers.advance(2_900);
  assert.deepEqual(w.seen.trouble, [true, false]);
  await w.timers.advance(200);
  assert.deepEqual(w.seen.trouble, [true, false, true]);
  w.net.say('pagehide');
  await w.timers.advance(10_000);
  assert.deepEqual(w.seen.trouble, [true, false, true, false], 'a page that is put away says nothing');
});

test('who closes it because hello was refused has closed it', async () => {
  const w = world();
  w.failed = () => w.socket.close();
  w.socket.open();
  w.net.wire.accept();
  await settle();
  w.net.wire.push({ t: 'error', re: w.net.wire.last('hello')?.id, code: 'unauthorized', message: '' });
  await w.timers.advance(60_000);
  assert.deepEqual([w.net.wires.length, w.socket.link], [1, 'off']);
});

test('half of a character is sent as what the server can read: a message with one would never be answered', async () => {
  const w = world();
  const raw: string[] = [];
  w.socket.open();
  await w.net.welcome();
  w.net.wire.send = (data) => raw.push(data);
  void w.socket.call({ t: 'message.send', text: 'a\ud83d b\ude00 😀 \\ud83d' });
  assert.equal((JSON.parse(raw[0] ?? '') as { text: string }).text, 'a\ufffd b\ufffd 😀 \\ud83d');
});
