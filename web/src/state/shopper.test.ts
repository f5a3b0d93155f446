import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeTimers, fakeNetwork, settle } from '../model/fakes.js';
import { memoryStore } from '../model/storage.js';
import type { Store } from '../model/storage.js';
import { ShopperState } from './shopper.js';

const rep = { role: 'rep', id: 'r_1', name: 'Mei' };

function world(store: Store = memoryStore(), identity?: () => string | Promise<string>) {
  const timers = new FakeTimers();
  const net = fakeNetwork();
  const emitted: string[] = [];
  const s = new ShopperState({
    url: 'wss://x/ws/shopper', site: undefined, locale: 'en', page: () => 'https://shop.example/', identity, store, timers, random: () => 0.5,
    WebSocket: net.WebSocket, wake: net.wake, emit: (name) => emitted.push(name),
  });
  const event = (seq: number, prev: number, kind: string, extra: object = {}) =>
    net.wire.push({ t: 'event', chat: 'c_1', seq, prev, at: seq, kind, from: { role: 'system' }, ...extra });
  return { timers, net, s, store, emitted, event };
}

async function chatting(w: ReturnType<typeof world>) {
  w.s.socket.open();
  await w.net.welcome({ token: 'T', shopper: { id: 's_1' }, open: true, departments: [] });
  w.s.start({ text: 'hello', name: '', department: 'orders', care: true });
  const start = w.net.wire.last('chat.start');
  w.event(1, 0, 'started', { department: 'orders' });
  w.net.wire.push({ t: 'ok', re: start?.id, chat: 'c_1', seq: 2, prev: 1, at: 2, department: 'orders' });
  await settle();
  return start;
}

test('a start becomes a chat with its first message', async () => {
  const w = world();
  const start = await chatting(w);
  assert.equal(start?.['class'], 'care');
  assert.equal(start?.['department'], 'orders');
  assert.equal(w.s.chatId, 'c_1');
  assert.deepEqual(w.s.log?.entries.map((e) => e.kind), ['started', 'message']);
  assert.deepEqual(w.s.sending, []);
  assert.equal(w.store.get('firstline:default:chat'), 'c_1');
  assert.deepEqual(w.emitted, ['started']);
});

const people = (w: ReturnType<typeof world>) => [w.s.case.state, w.s.case.owner?.name, w.s.case.handler?.name];
const spokenSeq = (w: ReturnType<typeof world>) => w.s.spoken?.seq;

test('owner and handler follow the entries', async () => {
  const w = world();
  await chatting(w);
  w.event(3, 2, 'assigned', { to: { id: 'r_1', name: 'Mei' } });
  w.event(4, 3, 'owned', { owner: { id: 'r_1', name: 'Mei' } });
  w.event(5, 4, 'message', { from: rep, text: 'hi' });
  assert.deepEqual(people(w), ['active', 'Mei', 'Mei']);
  w.event(6, 5, 'handler_lost');
  assert.deepEqual(people(w), ['active', 'Mei', undefined]);
  w.event(7, 6, 'transferred', { handler: { id: 'r_2', name: 'Li' }, owner: { id: 'r_1', name: 'Mei' } });
  assert.deepEqual(people(w), ['active', 'Mei', 'Li']);
});

test('unread counts what others say while nobody looks; looking reads it', async () => {
  const w = world();
  await chatting(w);
  w.event(3, 2, 'message', { from: rep, text: 'one' });
  w.event(4, 3, 'message', { from: rep, text: 'two' });
  assert.equal(w.s.unread, 2);
  w.s.setVisible(true);
  assert.equal(w.s.unread, 0);
  assert.equal(w.net.wire.last('read')?.['seq'], 4);
});

test('after a reload the open chat comes back: history is not announced, what was never seen is counted', async () => {
  const store = memoryStore();
  const before = world(store);
  await chatting(before);
  before.s.setVisible(true);
  before.event(3, 2, 'message', { from: rep, text: 'seen' });
  const w = world(store);
  assert.equal(w.s.chatId, 'c_1');
  w.s.socket.open();
  await w.net.welcome({ chat: 'c_1', state: 'active', chats: [{ chat: 'c_1', seq: 4 }], open: true });
  assert.deepEqual(w.net.wire.last('hello')?.['resume'], [{ chat: 'c_1', seq: 0 }]);
  assert.equal(w.net.wire.last('hello')?.['token'], 'T');
  w.event(1, 0, 'started');
  w.event(2, 1, 'message', { from: { role: 'shopper' }, text: 'hello' });
  w.event(3, 2, 'message', { from: rep, text: 'seen' });
  w.event(4, 3, 'message', { from: rep, text: 'came while away' });
  assert.equal(spokenSeq(w), undefined);
  assert.equal(w.s.unread, 1);
  w.event(5, 4, 'message', { from: rep, text: 'new' });
  assert.equal(spokenSeq(w), 5);
  assert.equal(w.s.unread, 2);
  w.s.setVisible(true);
  assert.equal(w.s.unread, 0);
});

test('an ok lost with the connection: the resumed entry clears the pending one', async () => {
  const w = world();
  await chatting(w);
  w.s.send('again');
  const id = w.net.wire.last('message.send')?.id;
  w.net.wire.drop(1006);
  await w.timers.advance(1000);
  await w.net.welcome({ chat: 'c_1', chats: [{ chat: 'c_1', seq: 3 }] });
  w.event(3, 2, 'message', { from: { role: 'shopper' }, text: 'again', ref: id });
  assert.deepEqual(w.s.sending, []);
  assert.deepEqual(w.s.log?.entries.map((e) => e.seq), [1, 2, 3]);
  w.net.wire.push({ t: 'ok', re: id, chat: 'c_1', seq: 3, prev: 2, at: 3 });
  await settle();
  assert.deepEqual(w.s.log?.entries.map((e) => e.seq), [1, 2, 3], 'the repeated answer adds nothing');
});

test('another tab opened the chat: this text goes into that one', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ shopper: { id: 's_1' }, open: true });
  w.s.start({ text: 'hello', name: '', department: '', care: false });
  w.net.wire.push({ t: 'error', re: w.net.wire.last('chat.start')?.id, code: 'conflict', message: 'open', chat: 'c_9' });
  await settle();
  assert.equal(w.s.chatId, 'c_9');
  assert.equal(w.net.wire.last('sync')?.['after'], 0);
  assert.deepEqual([w.net.wire.last('message.send')?.['chat'], w.net.wire.last('message.send')?.['text']], ['c_9', 'hello']);
});

test('a new epoch takes back what was not kept, and our own is sent again under its id', async () => {
  const w = world();
  await chatting(w);
  w.s.send('lost');
  const id = w.net.wire.last('message.send')?.id;
  w.net.wire.push({ t: 'ok', re: id, seq: 3, prev: 2, at: 3 });
  await settle();
  w.net.wire.drop(1006);
  await w.timers.advance(1000);
  await w.net.welcome({ epoch: 'e2', chat: 'c_1', chats: [{ chat: 'c_1', seq: 2 }] });
  assert.deepEqual(w.s.log?.entries.map((e) => e.seq), [1, 2]);
  assert.equal(w.net.wire.last('message.send')?.id, id);
});

test('typing is said once in three seconds, and its end at once; a sign dies after six', async () => {
  const w = world();
  await chatting(w);
  for (const text of ['a', 'ab', 'abc']) w.s.setDraft(text);
  assert.equal(w.net.wire.sent.filter((m) => m.t === 'typing').length, 1);
  w.s.setDraft('');
  assert.equal(w.net.wire.last('typing')?.['on'], false);
  w.net.wire.push({ t: 'typing', chat: 'c_1', from: rep, on: true });
  assert.equal(w.s.typing?.name, 'Mei');
  await w.timers.advance(6000);
  assert.equal(w.s.typing, null);
});

test('a closed shop is asked again, but not while a message is being written', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ open: false });
  w.s.setDraft('please');
  w.s.askIfOpen();
  assert.equal(w.net.wires.length, 1);
  w.s.setDraft('');
  w.s.askIfOpen();
  await w.net.welcome({ open: true });
  assert.equal(w.s.welcome?.open, true);
  w.s.askIfOpen();
  assert.equal(w.net.wires.length, 2);
});

test('reset leaves nothing of the former person', async () => {
  const w = world();
  await chatting(w);
  w.s.setDraft('secret');
  w.s.reset();
  assert.deepEqual(w.store.keys('firstline:'), []);
  assert.equal(w.s.log, null);
});

test('a message left is sent once, over reloads and lost connections, and stays on the form until it has arrived', async () => {
  const store = memoryStore();
  const before = world(store);
  before.s.setDraft(' call my neighbour ');
  before.s.leave({ t: 'message.leave', text: 'call my neighbour', contact: 'a@b.example' });
  before.s.leave({ t: 'message.leave', text: 'call my neighbour', contact: 'a@b.example' });
  assert.equal(before.s.sending.length, 0, 'it is no message of a chat');
  const w = world(store);
  assert.deepEqual([w.s.leaving?.t, w.s.kept.form, w.s.draft], ['message.leave', 'message', ' call my neighbour ']);
  w.s.socket.open();
  await w.net.welcome({ open: false });
  const sent = w.net.wire.sent.filter((m) => m.t === 'message.leave');
  assert.equal(sent.length, 1);
  w.net.wire.push({ t: 'ok', re: sent[0]?.id, task: 't_1' });
  await settle();
  assert.deepEqual([w.s.leaving, w.s.left?.id, w.s.draft], [null, sent[0]?.id, '']);
});

test('a call-back leaves the question where it is, and a refused one can be sent again', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ open: true });
  w.s.setDraft('my question');
  w.s.leave({ t: 'callback.ask', text: 'my question', contact: '1' });
  w.net.wire.push({ t: 'error', re: w.net.wire.last('callback.ask')?.id, code: 'bad_request', message: '' });
  await settle();
  assert.deepEqual([w.s.leaving, w.s.leftError], [null, 'bad_request']);
  w.s.leave({ t: 'callback.ask', text: 'my question', contact: '123' });
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('callback.ask')?.id, task: 't_1' });
  await settle();
  assert.deepEqual([w.s.left?.t, w.s.draft], ['callback.ask', 'my question']);
});

test('two tabs: what is typed in one is neither sent nor thrown away by the other, and what one has read is read', async () => {
  const store = memoryStore();
  const [one, two] = [world(store), world(store)];
  two.s.setDraft('from two');
  one.s.setDraft('from one');
  await chatting(one);
  assert.equal(two.s.draft, 'from two');
  two.s.setDraft('from two, more');
  one.s.send('from one');
  assert.deepEqual([world(store).s.draft, two.s.draft], ['from two, more', 'from two, more']);
  one.event(4, 2, 'message', { from: rep, text: 'news' });
  assert.equal(one.s.unread, 1);
  one.s.elsewhere('firstline:default:seen', '4');
  assert.equal(one.s.unread, 0);
});

test('two tabs: each takes back what a new epoch lost, also when the other one came back first', async () => {
  const store = memoryStore();
  const one = world(store);
  await chatting(one);
  const two = world(store);
  two.s.socket.open();
  await two.net.welcome({ chat: 'c_1', chats: [{ chat: 'c_1', seq: 3 }] });
  two.event(1, 0, 'started');
  two.event(2, 1, 'message', { from: { role: 'shopper' }, text: 'hello' });
  two.event(3, 2, 'message', { from: { role: 'shopper' }, text: 'lost', ref: 'x3' });
  for (const w of [one, two]) {
    w.net.wire.drop(1006);
    await w.timers.advance(1000);
    await w.net.welcome({ epoch: 'e2', chat: 'c_1', chats: [{ chat: 'c_1', seq: 2 }] });
  }
  assert.deepEqual(two.s.log?.entries.map((e) => e.seq), [1, 2]);
  assert.equal(two.net.wire.last('message.send')?.id, 'x3');
});

test('a chat that was left stays left: what still comes of it does not bring it back', async () => {
  const w = world();
  await chatting(w);
  const left = w.s.act({ t: 'chat.leave', chat: 'c_1' }).then(() => w.s.leaveChat());
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('chat.leave')?.id, chat: 'c_1', seq: 3, prev: 2, at: 3 });
  await left;
  w.event(3, 2, 'abandoned');
  assert.deepEqual([w.s.chatId, w.s.log, w.store.get('firstline:default:chat')], [null, null, null]);
});

test('a start that is refused for good goes back to where it was written, with what was written behind it', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ shopper: { id: 's_1' }, open: true });
  w.s.start({ text: 'hello', name: '', department: 'closed down', care: false });
  w.s.send('are you there?');
  w.s.setDraft('well');
  w.net.wire.push({ t: 'error', re: w.net.wire.last('chat.start')?.id, code: 'bad_request', message: 'department' });
  await settle();
  assert.deepEqual([w.s.sending.length, w.s.draft, w.s.startError], [0, 'hello\nare you there?\nwell', 'bad_request']);
  w.s.start({ text: w.s.draft, name: '', department: '', care: false });
  assert.deepEqual([w.s.draft, w.s.startError, w.net.wire.last('chat.start')?.['department']], ['', '', undefined]);
});

test('what could not be sent into a chat is taken along when the chat is left, before the refusal or after it', async () => {
  const w = world();
  await chatting(w);
  w.s.send('one more thing');
  w.net.wire.push({ t: 'error', re: w.net.wire.last('message.send')?.id, code: 'closed', message: '' });
  await settle();
  assert.equal(w.s.sending[0]?.state, 'failed');
  w.s.send('and another');
  w.s.leaveChat();
  assert.equal(w.s.draft, 'one more thing');
  w.net.wire.push({ t: 'error', re: w.net.wire.last('message.send')?.id, code: 'closed', message: '' });
  await settle();
  assert.deepEqual([w.s.draft, w.s.outbox.all.length, w.store.keys('firstline:default:out:')], ['and another\none more thing', 0, []]);
});

test('a storefront that cannot say who it is leaves the shopper anonymous, not alone', async () => {
  const w = world(memoryStore(), () => Promise.reject(new Error('the shop is down')));
  w.s.socket.open();
  await w.net.welcome({ open: true });
  assert.equal(w.s.socket.link, 'ready');
  assert.equal('identity' in (w.net.wire.last('hello') ?? {}), false);
  assert.equal(w.s.identityFailed, true);
});

test('what was read is said again on a new connection: the first word may have been lost', async () => {
  const w = world();
  await chatting(w);
  w.s.setVisible(true);
  w.event(3, 2, 'message', { from: rep, text: 'one' });
  assert.equal(w.net.wire.last('read')?.['seq'], 3);
  w.net.wire.drop(1006);
  await w.timers.advance(1000);
  await w.net.welcome({ chat: 'c_1', chats: [{ chat: 'c_1', seq: 3 }] });
  assert.equal(w.net.wire.last('read')?.['seq'], 3);
});

test('the history of a chat that another tab opened is not announced', async () => {
  const w = world();
  await chatting(w);
  w.event(3, 2, 'abandoned');
  w.emitted.length = 0;
  w.net.wire.drop(1006);
  await w.timers.advance(1000);
  await w.net.welcome({ chat: 'c_2', chats: [{ chat: 'c_1', seq: 3 }] });
  for (const seq of [1, 2]) w.net.wire.push({ t: 'event', chat: 'c_2', seq, prev: seq - 1, at: seq, kind: 'message', from: rep, text: 'old' });
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('sync')?.id, seq: 2 });
  await settle();
  assert.deepEqual([spokenSeq(w), w.emitted], [undefined, []]);
});

test('a hole that could not be filled is asked for again while the connection stays', async () => {
  const w = world();
  await chatting(w);
  w.event(5, 4, 'message', { from: rep, text: 'behind a hole' });
  w.net.wire.push({ t: 'error', re: w.net.wire.last('sync')?.id, code: 'unavailable', message: '', retry_ms: 700 });
  await w.timers.advance(650);
  const syncs = () => w.net.wire.sent.filter((m) => m.t === 'sync').length;
  assert.equal(syncs(), 1);
  await w.timers.advance(100);
  assert.equal(syncs(), 2);
  w.event(4, 2, 'message', { from: rep, text: 'the missing one' });
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('sync')?.id, seq: 5 });
  await settle();
  assert.deepEqual(w.s.log?.entries.map((e) => e.seq), [1, 2, 4, 5]);
});

test('a storefront that never says who this is keeps nobody waiting: the shopper goes on unknown', async () => {
  const w = world(memoryStore(), () => new Promise<string>(() => undefined));
  w.s.socket.open();
  w.net.wire.accept();
  await w.timers.advance(6_000);
  const hello = w.net.wire.last('hello');
  w.net.wire.push({ t: 'welcome', re: hello?.id, epoch: 'e1', now: 5_000_000, open: true });
  assert.deepEqual([w.net.wires.length, w.s.socket.link, 'identity' in (hello ?? {})], [1, 'ready', false]);
  assert.equal(w.s.identityFailed, true);
});

test('a chat that another tab has started is shown here, also where the server had no word for it', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ open: true });
  w.s.elsewhere('firstline:default:chat', 'c_1');
  const sync = w.net.wire.last('sync');
  assert.deepEqual([w.s.chatId, sync?.['chat'], sync?.['after']], ['c_1', 'c_1', 0]);
  w.event(1, 0, 'started');
  w.event(2, 1, 'message', { from: { role: 'shopper', id: 's_1' }, text: 'from the other tab' });
  w.net.wire.push({ t: 'ok', re: sync?.id, seq: 2 });
  await settle();
  assert.equal(w.s.log?.entries.length, 2);
  w.s.elsewhere('firstline:default:chat', 'c_2');
  w.s.elsewhere('firstline:default:chat', null);
  assert.equal(w.s.chatId, 'c_1', 'who is served here stays');
});

test('two tabs: what one has taken back into its draft is not sent again by the other', async () => {
  const store = memoryStore();
  const one = world(store);
  await chatting(one);
  one.s.send('once');
  one.net.wire.push({ t: 'error', re: one.net.wire.last('message.send')?.id, code: 'closed', message: '' });
  await settle();
  const two = world(store);
  const late = world(store); // hears of it when it tries
  two.s.socket.open();
  await two.net.welcome({ chat: 'c_1', chats: [{ chat: 'c_1', seq: 2 }] });
  const id = two.s.sending[0]?.id ?? '';
  assert.equal(two.s.sending[0]?.state, 'failed');
  one.s.leaveChat();
  assert.equal(one.s.draft, 'once');
  two.s.elsewhere(`firstline:default:out:${id}`, null);
  late.s.outbox.retry(id);
  assert.deepEqual([two.s.sending, late.s.sending, two.net.wire.last('message.send')], [[], [], undefined]);
});

test('two tabs that open the same chat again find another one open: the text goes into it once', async () => {
  const store = memoryStore();
  world(store).s.start({ text: 'hello', name: '', department: '', care: false });
  const [one, two] = [world(store), world(store)];
  const sent = [];
  for (const w of [one, two]) {
    w.s.socket.open();
    await w.net.welcome({ open: true });
    w.net.wire.push({ t: 'error', re: w.net.wire.last('chat.start')?.id, code: 'conflict', message: 'open', chat: 'c_9' });
    await settle();
    sent.push(w.net.wire.last('message.send')?.id);
  }
  assert.equal(sent.length, 2);
  assert.equal(sent[0], sent[1]);
});

test('an answer that comes late, for a chat that was left, is no entry of the next one', async () => {
  const w = world();
  await chatting(w);
  w.event(3, 2, 'closed', { how: 'confirmed' });
  const rated = w.s.act({ t: 'chat.rate', chat: 'c_1', score: 5 });
  const id = w.net.wire.last('chat.rate')?.id;
  w.s.start({ text: 'another', name: '', department: '', care: false });
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('chat.start')?.id, chat: 'c_2', seq: 1, prev: 0, at: 2 });
  await settle();
  w.net.wire.push({ t: 'ok', re: id, seq: 4, prev: 3, at: 4 });
  await rated;
  assert.deepEqual([w.s.chatId, w.s.log?.hasHole, w.net.wire.last('sync')], ['c_2', false, undefined]);
  assert.deepEqual(w.s.log?.entries.map((e) => e.kind), ['message']);
});

test('a rating that was begun is for its chat, not for the one that another tab started meanwhile', async () => {
  const w = world();
  await chatting(w);
  w.event(3, 2, 'closed', { how: 'confirmed' });
  w.s.keep({ score: 1, comment: 'slow', contact: 'a@b.example' });
  w.s.elsewhere('firstline:default:chat', 'c_2');
  assert.deepEqual([w.s.kept.score, w.s.kept.comment, w.s.kept.contact], [undefined, undefined, 'a@b.example']);
});

test('a message left that arrives late takes no newer text along', async () => {
  const w = world();
  w.s.setDraft('for the message');
  w.s.leave({ t: 'message.leave', text: 'for the message', contact: 'a@b.example' });
  w.s.setDraft('for the chat');
  w.s.socket.open();
  await w.net.welcome({ open: true });
  w.net.wire.push({ t: 'ok', re: w.net.wire.last('message.leave')?.id, task: 't_1' });
  await settle();
  assert.equal(w.s.draft, 'for the chat');
});

test('a reset in one tab is one in the others: nothing of the former person stays on any screen', async () => {
  const w = world(memoryStore(), () => 'signed for the former');
  await chatting(w);
  w.event(3, 2, 'message', { from: rep, text: 'your order 123' });
  w.s.setDraft('secret');
  for (const key of w.store.keys('firstline:')) w.store.remove(key); // by the other tab
  w.s.elsewhere('firstline:default:token', null);
  assert.deepEqual([w.s.log, w.s.draft, w.s.spoken, w.s.welcome, w.s.socket.link], [null, '', null, null, 'off']);
  w.store.set('firstline:default:token', 'of the other tab');
  w.s.setVisible(true);
  await w.net.welcome({ open: true });
  const hello = w.net.wire.last('hello');
  assert.deepEqual([hello?.['token'], hello?.['identity']], ['of the other tab', undefined]);
});

test('a reset that a sleeping tab hears of late takes nothing of what the next person has begun', async () => {
  const w = world();
  await chatting(w);
  w.store.set('firstline:default:token', 'T2');
  w.store.set('firstline:default:chat', 'c_7');
  w.store.set('firstline:default:draft', 'of the next');
  w.s.elsewhere('firstline:default:token', null);
  const kept = ['token', 'chat', 'draft'].map((k) => w.store.get(`firstline:default:${k}`));
  assert.deepEqual(kept, ['T2', 'c_7', 'of the next']);
});

test('two tabs that were given a token each go on with the one that is stored, unless something is under way', async () => {
  const w = world();
  w.s.socket.open();
  await w.net.welcome({ token: 'T1', open: true });
  w.store.set('firstline:default:token', 'T2');
  w.s.elsewhere('firstline:default:token', 'T2');
  await w.net.welcome({ token: 'T2', open: true });
  assert.deepEqual([w.net.wires.length, w.net.wire.last('hello')?.['token']], [2, 'T2']);
  w.s.elsewhere('firstline:default:token', 'T2');
  w.s.start({ text: 'hello', name: '', department: '', care: false });
  w.s.elsewhere('firstline:default:token', 'T3');
  assert.equal(w.net.wires.length, 2);
});
