import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { FakeTimers, fakeNetwork, settle } from '../../model/fakes.js';
import { memoryStore } from '../../model/storage.js';
import type { Draft } from '../../model/types.js';
import { sendDraft } from './compose.js';
import { Desk } from './desk.js';
import type { DeskOptions } from './desk.js';
import { testSound } from './notify.js';

before(() => {
  Object.assign(globalThis, { requestAnimationFrame: () => 1, document: { visibilityState: 'visible' } });
});

const me = { id: 'r_1', name: 'Mei' };
const shopper = { role: 'shopper', id: 's_1' };
const chat = (seq: number, extra: object = {}) => ({ chat: 'c_1', seq, state: 'active', handler: me, owner: me, shopper: { id: 's_1' }, ...extra });

function world(more: Partial<DeskOptions> = {}) {
  const timers = new FakeTimers();
  const net = fakeNetwork();
  const store = memoryStore();
  const desk = new Desk({
    session: { person: me, roles: ['rep'], departments: ['general'] }, store, timers, random: () => 0, socket: { url: 'wss://x/ws/rep', WebSocket: net.WebSocket, wake: net.wake },
    onSignedOut: () => undefined, checkSession: () => Promise.resolve(), ...more,
  });
  const message = (seq: number, text = `m${seq}`) => net.wire.push({ t: 'event', chat: 'c_1', seq, at: seq, kind: 'message', from: shopper, text });
  return { timers, net, store, desk, message };
}

/** Signed in, with one chat open that has been read to its end. */
async function reading(w: ReturnType<typeof world>) {
  w.desk.start();
  await w.net.welcome({ rep: me, chats: [chat(2)] });
  w.desk.show('c_1');
  await opened(w);
}

/** How many tones this page has sounded, told by what is returned. */
function listen(): () => number {
  let tones = 0;
  const part = { frequency: {}, gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }, connect: () => part, start: () => (tones += 1), stop: () => undefined };
  const audio = { state: 'running', currentTime: 0, resume: () => Promise.resolve(), createOscillator: () => part, createGain: () => part };
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.assign(globalThis, { AudioContext: function AudioContext() { return audio; } });
  const later = globalThis.setTimeout;
  Object.assign(globalThis, { setTimeout: () => 1 });
  testSound(); // a gesture: this page may sound
  Object.assign(globalThis, { setTimeout: later });
  return () => tones;
}

async function opened(w: ReturnType<typeof world>) {
  const open = w.net.wire.last('chat.open');
  for (let seq = Number(open?.['after']) + 1; seq <= 2; seq++) w.message(seq);
  w.net.wire.push({ t: 'ok', re: open?.id, seq: 2, card: { state: 'active', handler: me, owner: me } });
  await settle();
  const view = w.desk.current;
  if (view) w.desk.markRead(view); // what the screen does after each change
}

test('what was read is said again on a new connection: the first word may have been lost', async () => {
  const w = world();
  await reading(w);
  assert.equal(w.net.wire.last('read')?.['seq'], 2);
  w.net.wire.drop(1006);
  await w.timers.advance(10);
  await w.net.welcome({ rep: me, chats: [chat(2)] });
  await opened(w);
  assert.equal(w.net.wire.last('read')?.['seq'], 2);
  w.desk.stop();
});

test('a reply into a chat that is out of sight meanwhile is kept as a draft, and that is said', async () => {
  const w = world();
  await reading(w);
  w.net.wire.drop(1006);
  w.desk.outbox.add('c_1', { t: 'message.send', chat: 'c_1', text: 'written on the train' });
  await w.timers.advance(10);
  await w.net.welcome({ rep: me, chats: [{ chat: 'c_1', error: 'not_found' }] });
  w.net.wire.push({ t: 'error', re: w.net.wire.last('message.send')?.id, code: 'not_found', message: '' });
  await settle();
  assert.equal(w.desk.outbox.all.length, 0);
  assert.equal(w.desk.drafts.of('c_1', 'reply').peek().text, 'written on the train');
  assert.equal(w.desk.toasts.items.peek().some((n) => n.text === 'refused.kept'), true);
  w.desk.stop();
});

test('a whisper that could not be sent goes back to the whispers, not to the notes that all may read', async () => {
  const w = world();
  await reading(w);
  const item = w.desk.outbox.add('c_1', { t: 'whisper', chat: 'c_1', text: 'between us' });
  w.net.wire.push({ t: 'error', re: item.id, code: 'internal', message: '' });
  await settle();
  w.desk.edit(item);
  assert.deepEqual([w.desk.drafts.of('c_1', 'whisper').peek().text, w.desk.drafts.of('c_1', 'note').peek().text, w.desk.outbox.all.length], ['between us', '', 0]);
  w.desk.stop();
});

test('a hole that could not be filled is asked for again while the connection stays', async () => {
  const w = world();
  await reading(w);
  w.message(4);
  w.net.wire.push({ t: 'error', re: w.net.wire.last('sync')?.id, code: 'rate_limited', message: '', retry_ms: 700 });
  await w.timers.advance(750);
  assert.equal(w.net.wire.sent.filter((m) => m.t === 'sync').length, 2);
  w.desk.stop();
});

test('a message to the open chat sounds while another screen lies over it', async () => {
  const w = world();
  await reading(w);
  const sounds = listen();
  w.message(3);
  await settle();
  assert.equal(sounds(), 0, 'it is on the screen');
  w.desk.screen.value = 'tasks';
  w.message(4);
  await settle();
  assert.equal(sounds(), 1);
  w.desk.stop();
});

test('what a new life of the data has lost goes out again as it was: notes, whispers, the article of a reply', async () => {
  const w = world();
  await reading(w);
  const mine: Draft[] = [
    { t: 'message.send', chat: 'c_1', text: 'as the article says', article: 'k_1' }, { t: 'note.add', chat: 'c_1', text: '@Tom look', mentions: ['r_2'] }, { t: 'whisper', chat: 'c_1', text: 'between us' },
  ];
  const ids: string[] = [];
  for (const [i, m] of mine.entries()) {
    ids.push(w.desk.outbox.add('c_1', m).id);
    w.net.wire.push({ t: 'ok', re: ids[i], seq: 3 + i, at: 3 + i });
    await settle();
  }
  assert.equal(w.desk.outbox.all.length, 0);
  w.net.wire.drop(1006);
  await w.timers.advance(10);
  await w.net.welcome({ rep: me, epoch: 'e2', chats: [chat(2)] });
  assert.deepEqual(w.desk.outbox.all.map((i) => i.message), mine.map((m, i) => ({ ...m, id: ids[i] })));
  w.desk.stop();
});

test('what is redacted is gone from the list of chats too', async () => {
  const w = world();
  await reading(w);
  w.message(3, 'my card is 4111 1111');
  assert.equal(w.desk.current?.row.peek().last?.text, 'my card is 4111 1111');
  w.net.wire.push({ t: 'event', chat: 'c_1', seq: 4, at: 4, kind: 'redacted', from: { role: 'system' }, of: 3 });
  assert.equal(w.desk.current?.row.peek().last?.text, 'm2');
  w.desk.stop();
});

test('a dialog goes with its chat: one that is not there would keep all letters to itself', async () => {
  const w = world();
  await reading(w);
  w.desk.dialog.value = { kind: 'park', chat: 'c_1' };
  w.net.wire.drop(1006);
  await w.timers.advance(10);
  await w.net.welcome({ rep: me, chats: [{ chat: 'c_1', error: 'not_found' }] });
  assert.deepEqual([w.desk.open.peek(), w.desk.dialog.peek()], [null, null]);
  w.desk.stop();
});

test('an old question whether the session holds signs nobody out who has signed in again since', async () => {
  let ends = 0;
  let fail = (_: Error) => undefined as void;
  const w = world({ onSignedOut: () => (ends += 1), checkSession: () => new Promise((_, reject) => (fail = reject)) });
  w.desk.start();
  for (let n = 0; n < 3; n++) {
    w.net.wire.drop(1006);
    await w.timers.advance(10);
  }
  w.desk.stop();
  fail(Object.assign(new Error('401'), { status: 401 }));
  await settle();
  assert.equal(ends, 0);
});

test('suggest: what is found for a question that was answered meanwhile, or after a newer one, is not shown', async () => {
  const w = world();
  await reading(w);
  const view = w.desk.current;
  assert.ok(view);
  const hit = (id: string) => ({ id, title: id, confidence: 0.9, text: id });
  const found = (re: unknown, id: string) => w.net.wire.push({ t: 'ok', re, articles: [hit(id)] });
  const shown = () => view.suggestions.peek().map((a) => a.id);
  const first = w.net.wire.last('kb.suggest');
  assert.ok(first);
  w.message(3);
  w.net.wire.push({ t: 'suggest', chat: 'c_1', of: 3, articles: [hit('newer')] });
  found(first['id'], 'older');
  await settle();
  assert.deepEqual(shown(), ['newer']);
  w.desk.askSuggestions(view);
  const second = w.net.wire.last('kb.suggest');
  assert.notEqual(second?.['id'], first['id']);
  w.desk.drafts.set('c_1', 'reply', { text: 'So it is.' });
  sendDraft(w.desk, 'c_1', 'reply');
  found(second?.['id'], 'late');
  await settle();
  assert.deepEqual(shown(), [], 'it is answered');
  w.message(5);
  w.desk.askSuggestions(view);
  found(w.net.wire.last('kb.suggest')?.['id'], 'next');
  await settle();
  assert.deepEqual(shown(), ['next']);
});
