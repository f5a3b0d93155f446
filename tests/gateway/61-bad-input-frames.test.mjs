// Frames and upgrades that are no good: a close code or an HTTP status, and nobody else notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { Client, shopper } from './lib/client.mjs';
import { auditor, servedChat } from './lib/desk.mjs';
import { RawSocket } from './lib/raw.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;
let world; // a chat that goes on beside it all

before(async () => {
  server = await new Server({ set: { 'limits.handshake_ms': 1000, 'limits.idle_ping_ms': 1000, 'limits.ping_grace_ms': 3000 } }).start();
  quinn = await auditor(server);
  world = await servedChat(server);
});
after(() => endAndCheck(server));

const HELLO = { t: 'hello', id: 'h', locale: 'en' };

async function helloed() {
  const s = await RawSocket.open(server);
  assert.equal(s.status, 101);
  s.json(HELLO);
  await s.expect((m) => m.t === 'welcome', 'the welcome');
  return s;
}

/** The chat beside it goes on, and its log holds nothing but what its people said, and what is suggested to the rep for that. */
async function unharmed() {
  const { ann, sue, chat } = world;
  const before = ann.head(chat);
  const ok = await sue.say('are you there?', { chat });
  await ann.event('message', { text: 'are you there?' });
  const between = ann.entries(chat).filter((e) => e.seq > before && e.seq < ok.seq);
  assert.equal(between.length, ok.seq - before - 1, 'she is shown all of it');
  assert.deepEqual(between.filter((e) => e.kind !== 'suggested'), [], 'nothing was written in between but what was found for the question before');
}

const FRAMES = {
  'a binary frame': [1003, (s) => s.send(2, Buffer.from([0, 1, 2]))],
  'a binary frame of JSON': [1003, (s) => s.send(2, '{"t":"ping","id":"a"}')],
  'text that is not UTF-8': [1007, (s) => s.send(1, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  'UTF-8 cut in the middle': [1007, (s) => s.send(1, Buffer.from([0x22, 0xe5, 0xad]))],
  'overlong UTF-8': [1007, (s) => s.send(1, Buffer.from([0x22, 0xc0, 0xaf, 0x22]))],
  'a surrogate in UTF-8': [1007, (s) => s.send(1, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
  'bad UTF-8 in the second fragment': [1007, (s) => (s.send(1, '{"t":"', { fin: false }), s.send(0, Buffer.from([0xff, 0x7d])))],
  'a message of 70,000 bytes': [1009, (s) => s.send(1, `{"t":"${'z'.repeat(70_000)}"}`)],
  'a message of 200,000 bytes in fragments': [
    1009,
    (s) => {
      s.send(1, '{"t":"', { fin: false });
      for (let i = 0; i < 20; i++) s.send(0, 'z'.repeat(10_000), { fin: false });
    },
  ],
  'a header that claims 2^62 bytes, with its first few thousand': [
    1009,
    (s) => s.tcp.write(Buffer.concat([Buffer.from([0x81, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(4_000, 0x20)])),
  ],
  'a header that claims 2^63 bytes': [[1002, 1009], (s) => s.tcp.write(Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]))],
  'a frame without a mask': [1002, (s) => s.send(1, '{"t":"ping","id":"a"}', { mask: false })],
  'a reserved bit': [1002, (s) => s.send(1, '{}', { rsv: 4 })],
  'another reserved bit': [1002, (s) => s.send(1, '{}', { rsv: 2 })],
  'a reserved opcode': [1002, (s) => s.send(3, '{}')],
  'a reserved control opcode': [1002, (s) => s.send(11, '')],
  'a ping of 126 bytes': [1002, (s) => s.send(9, 'p'.repeat(126))],
  'a ping in fragments': [1002, (s) => s.send(9, 'p', { fin: false })],
  'a continuation of nothing': [1002, (s) => s.send(0, '{}')],
  'a text inside another text': [1002, (s) => (s.send(1, '{"t":', { fin: false }), s.send(1, '{}'))],
  'a close frame of one byte': [1002, (s) => s.send(8, Buffer.from([3]))],
  'a close code that is reserved': [1002, (s) => s.send(8, Buffer.from([0x03, 0xed]))],
};

for (const [what, [code, send]] of Object.entries(FRAMES)) {
  test(`${what} closes the connection with ${[code].flat().join(' or ')}`, async () => {
    const s = await helloed();
    send(s);
    const got = await s.closing();
    assert.ok([code].flat().includes(got), `closed with ${got}`);
    await unharmed();
  });
}

test('fragments and control frames between them make one message', async () => {
  const s = await helloed();
  s.send(1, '{"t":"pi', { fin: false });
  s.send(9, 'between');
  s.send(0, '', { fin: false });
  s.send(0, 'ng","id":"frag"', { fin: false });
  s.send(0, '}');
  await s.expect((m) => m.re === 'frag', 'the answer to a message in four fragments');
  await until(() => s.pongs.includes('between'), 'the pong');
  s.end();
});

test('twenty thousand empty fragments cost their sender the connection or nothing, nobody else', async () => {
  const s = await helloed();
  s.send(1, '{"t":"ping","id":"many"', { fin: false });
  const empty = Buffer.concat(Array.from({ length: 20_000 }, () => s.frame(0, '', { fin: false })));
  s.tcp.write(empty);
  s.send(0, '}');
  await until(() => s.code !== null || s.isEnded || s.messages.some((m) => m.re === 'many'), 'an answer or the end');
  s.end();
  await unharmed();
});

test('one byte at a time is a message too', async () => {
  const s = await helloed();
  s.tcp.setNoDelay(true);
  for (const b of s.frame(1, '{"t":"ping","id":"slow"}')) {
    s.tcp.write(Buffer.from([b]));
    await new Promise((done) => setImmediate(done));
  }
  await s.expect((m) => m.re === 'slow', 'the answer');
  s.end();
});

test('an orderly close is answered with the same code', async () => {
  const s = await helloed();
  s.send(8, Buffer.from([0x03, 0xe8]));
  assert.equal(await s.closing(), 1000);
});

test('somebody who never answers pings is closed', async () => {
  const s = await helloed();
  s.frameless = true;
  await s.closing(10_000);
  await unharmed();
});

test('somebody who says nothing after connecting is cut off in time', async () => {
  const tcp = server.connect();
  const gone = new Promise((done) => tcp.on('close', done));
  tcp.on('error', () => {});
  tcp.resume();
  tcp.write('GET /ws/shopper HTTP/1.1\r\nHost: x\r\n');
  await until(async () => (await Promise.race([gone.then(() => true), Promise.resolve(false)])) || tcp.destroyed, 'the slow one is cut off', 10_000);
  await unharmed();
});

const upgrade = (extra = [], without = '') =>
  [
    `Host: ${server.host}:${server.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: firstline.v1',
    ...extra,
  ].filter((l) => !without || !l.startsWith(without));

test('an upgrade that is not one is refused with an HTTP status', async () => {
  const table = {
    'no key': { lines: upgrade([], 'Sec-WebSocket-Key') },
    'a key too short': { lines: [...upgrade([], 'Sec-WebSocket-Key'), 'Sec-WebSocket-Key: abc'] },
    'two keys': { lines: upgrade(['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']) },
    'no version': { lines: upgrade([], 'Sec-WebSocket-Version') },
    'version 8': { lines: [...upgrade([], 'Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 8'] },
    'another subprotocol': { lines: [...upgrade([], 'Sec-WebSocket-Protocol'), 'Sec-WebSocket-Protocol: chat'] },
    'no subprotocol': { lines: upgrade([], 'Sec-WebSocket-Protocol') },
    'h2c': { lines: [...upgrade([], 'Upgrade'), 'Upgrade: h2c'] },
    'POST': { first: 'POST /ws/shopper HTTP/1.1', lines: upgrade(['Content-Length: 0']) },
    'HTTP/1.0': { first: 'GET /ws/shopper HTTP/1.0', lines: upgrade() },
    'another path': { first: 'GET /ws/nobody HTTP/1.1', lines: upgrade() },
    'a foreign origin': { lines: upgrade(['Origin: https://evil.example']) },
    'the origin null': { lines: upgrade(['Origin: null']) },
    'an origin with the same host and another port': { lines: upgrade([`Origin: http://${server.host}:${server.port + 1}`]) },
    'an origin that only begins like ours': { lines: upgrade([`Origin: http://${server.host}:${server.port}.evil.example`]) },
  };
  for (const [what, how] of Object.entries(table)) {
    const s = await RawSocket.open(server, '/ws/shopper', how);
    assert.ok(s.status >= 400 && s.status < 600, `${what}: ${s.status || 'cut off without a word'}`);
    if (what.includes('origin')) assert.equal(s.status, 403, what);
    s.end();
  }
  await unharmed();
});

test('without a login there is no way to the reps’ socket', async () => {
  const status = (how) => Client.open(server, '/ws/rep', how).then(() => 101, (e) => e.status);
  assert.equal(await status({}), 401);
  assert.equal(await status({ headers: { authorization: 'Bearer nonsense' } }), 401);
  assert.equal(await status({ headers: { authorization: `Bearer ${'a'.repeat(43)}` } }), 401);
  assert.equal(await status({ headers: { authorization: 'Basic YWxhZGRpbjpvcGVuc2VzYW1l' } }), 401);
  assert.equal(await status({ headers: { cookie: 'firstline_session=nonsense' }, origin: server.origin }), 401);
  assert.equal(await status({ headers: { authorization: `Bearer ${quinn.token}` } }), 101);
  // A shopper's token opens no rep's door, and the other way round a rep's is no shopper.
  assert.equal(await status({ headers: { authorization: `Bearer ${world.sue.token}` } }), 401);
  const s = await shopper(server, { token: quinn.token });
  assert.match(s.me, /^s_/);
});

test('a shopper’s socket is open to those without an origin, who are no browsers', async () => {
  const s = await shopper(server, {}, { origin: null });
  assert.match(s.me, /^s_/);
});

test('after all this the log of the chat beside holds only what was said', async () => {
  const t = await server.transcript(quinn.token, world.chat, () => true);
  const texts = new Set(t.events.filter((e) => e.kind === 'message').map((e) => e.text));
  assert.deepEqual([...texts].sort(), ['I will look into that for you.', 'Where is my parcel?', 'are you there?']);
  assert.equal((await server.api('GET', '/readyz')).status, 200);
});
