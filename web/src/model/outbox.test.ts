import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeTimers, settle } from './fakes.js';
import { Outbox } from './outbox.js';
import type { OutItem } from './outbox.js';
import { memoryStore } from './storage.js';
import type { Store } from './storage.js';
import { Refusal } from './types.js';
import type { Draft, ErrorCode, ServerOk } from './types.js';

interface Flight {
  message: Draft;
  ok: (seq: number) => Promise<void>;
  refuse: (code: ErrorCode, extra?: { retry_ms?: number; handler?: { id: string; name: string } }) => Promise<void>;
}

function world(store: Store = memoryStore()) {
  const timers = new FakeTimers();
  const flights: Flight[] = [];
  const w = { timers, flights, store, ready: true, sent: [] as string[], refused: [] as Array<[OutItem, Refusal]>, outbox: null as unknown as Outbox };
  w.outbox = new Outbox({
    prefix: 'out:', store, timers, random: () => 0.5, isReady: () => w.ready, onChange: () => undefined,
    onSent: (item) => w.sent.push(textOf(item)),
    onRefused: (item, refusal) => w.refused.push([item, refusal]),
    send: (message) => new Promise<ServerOk>((resolve, reject) => {
      flights.push({
        message,
        ok: async (seq) => { resolve({ t: 'ok', re: message.id ?? '', seq }); await settle(); },
        refuse: async (code, extra = {}) => { reject(new Refusal({ code, message: code, ...extra })); await settle(); },
      });
    }),
  });
  return w;
}

const textOf = (item: OutItem) => ('text' in item.message ? String(item.message.text) : '');
const say = (text: string, chat = 'c_1') => ({ t: 'message.send' as const, chat, text });
const texts = (flights: Flight[]) => flights.map((f) => ('text' in f.message ? f.message.text : ''));

test('a chat sends in order, one after the other; chats do not wait for each other', async () => {
  const w = world();
  w.outbox.add('c_1', say('a'));
  w.outbox.add('c_1', say('b'));
  w.outbox.add('c_2', say('x', 'c_2'));
  assert.deepEqual(texts(w.flights), ['a', 'x']);
  await w.flights[0]?.ok(1);
  assert.deepEqual(texts(w.flights), ['a', 'x', 'b']);
  assert.deepEqual(w.sent, ['a']);
});

test('the id is made before the first try and kept for every one', async () => {
  const w = world();
  const item = w.outbox.add('c_1', say('a'));
  assert.match(item.id, /^[A-Za-z0-9_-]{22}$/);
  await w.flights[0]?.refuse('unavailable', { retry_ms: 400 });
  await w.timers.advance(399);
  assert.equal(w.flights.length, 1);
  await w.timers.advance(1);
  assert.equal(w.flights[1]?.message.id, item.id);
  await w.flights[1]?.ok(1);
  assert.deepEqual(w.sent, ['a']);
});

test('rate_limited waits retry_ms, and nothing of that chat overtakes', async () => {
  const w = world();
  w.outbox.add('c_1', say('a'));
  await w.flights[0]?.refuse('rate_limited', { retry_ms: 2000 });
  w.outbox.add('c_1', say('b'));
  assert.deepEqual(texts(w.flights), ['a']);
  await w.timers.advance(2000);
  assert.deepEqual(texts(w.flights), ['a', 'a']);
});

test('unsent ones outlive a reload, in order and under their ids', async () => {
  const store = memoryStore();
  const before = world(store);
  before.ready = false;
  const ids = ['a', 'b', 'c'].map((text) => before.outbox.add('c_1', say(text)).id);
  const after = world(store);
  assert.deepEqual(after.outbox.of('c_1').map((i) => i.id), ids);
  after.outbox.ready();
  await after.flights[0]?.ok(1);
  await after.flights[1]?.ok(2);
  await after.flights[2]?.ok(3);
  assert.deepEqual(after.sent, ['a', 'b', 'c']);
  assert.deepEqual(store.keys('out:'), []);
});

test('another refusal keeps the text, says why, and holds nothing up', async () => {
  const w = world();
  const item = w.outbox.add('c_1', say('a'));
  w.outbox.add('c_1', say('b'));
  await w.flights[0]?.refuse('not_handler', { handler: { id: 'r_2', name: 'Mei' } });
  assert.deepEqual(w.outbox.of('c_1').map((i) => [textOf(i), i.state, i.error]), [['a', 'failed', { code: 'not_handler', handler: 'Mei' }], ['b', 'pending', undefined]]);
  assert.deepEqual(texts(w.flights), ['a', 'b']);
  assert.equal(textOf(w.outbox.remove(item.id) as OutItem), 'a', 'the face can take it as a draft');
});

test('try again uses the same id, and ok clears it', async () => {
  const w = world();
  const item = w.outbox.add('c_1', say('a'));
  await w.flights[0]?.refuse('closed');
  w.outbox.retry(item.id);
  assert.equal(w.flights[1]?.message.id, item.id);
  await w.flights[1]?.ok(4);
  assert.deepEqual(w.outbox.all, []);
});

test('an event with its ref clears one whose ok was lost', async () => {
  const w = world();
  const item = w.outbox.add('c_1', say('a'));
  w.ready = false;
  await w.flights[0]?.refuse('unavailable');
  w.outbox.arrived(item.id);
  assert.deepEqual(w.outbox.all, []);
  assert.deepEqual(w.store.keys('out:'), []);
});

test('what is not an item in storage is thrown away, not sent', () => {
  const store = memoryStore();
  store.set('out:x', '{"id":1}');
  store.set('out:y', 'no json');
  const w = world(store);
  assert.deepEqual(w.outbox.all, []);
  assert.deepEqual(store.keys('out:'), []);
});
