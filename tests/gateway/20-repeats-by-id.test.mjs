// A command repeated with its id has no second effect and gets the first answer (PROTOCOL "Envelope", PROMISES 2.1).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OwnRedis, Proxy } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { again, newId, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, servedChatWithColleague, settled, staff, take, team } from './lib/desk.mjs';
import { Folder } from './lib/kb.mjs';
import { Server, end, manyDepartments } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server().start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const same = (a, b, what) => assert.deepEqual([a.seq, a.at, a.chat], [b.seq, b.at, b.chat], what);
const count = async (chat, text) => (await server.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === text))).events.filter((e) => e.text === text).length;

test('who greets is told that it counts as no reply, and again when it is repeated, here or in another tab', async () => {
  const { ann, chat } = await servedChat(server);
  const greeting = { chat, text: '您好，请问有什么可以帮您？', id: 'g-1' };
  for (const c of [ann, ann, await rep(server, ann.who, { shift: false })]) assert.equal((await c.done('message.send', greeting)).counts, false);
  assert.equal((await ann.say('It is on its way.', { chat })).counts, undefined);
});

test('a message repeated on the same connection is written once and answered the same', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const one = await sue.say('once', { id: 'same-1' });
  const two = await sue.say('once', { id: 'same-1' });
  same(one, two);
  assert.equal(one.prev, two.prev, 'prev too');
  await sue.say('end');
  await ann.event('message', { text: 'end' });
  assert.equal(ann.entries(chat, 'message').filter((e) => e.text === 'once').length, 1);
  assert.equal(await count(chat, 'once'), 1);
});

test('twenty repeats at once are one message', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const id = newId();
  for (let i = 0; i < 20; i++) sue.send('message.send', { chat, text: 'in a hurry', id });
  const answers = [];
  for (let i = 0; i < 20; i++) answers.push(await sue.expect('ok', { re: id }));
  assert.equal(new Set(answers.map((m) => m.seq)).size, 1);
  await sue.say('then this');
  await ann.event('message', { text: 'then this' });
  assert.equal(await count(chat, 'in a hurry'), 1);
});

test('repeats that come in one call with the first try are each answered', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const id = newId();
  const first = newId();
  sue.send('message.send', { chat, text: 'goes ahead', id: first }); // while it is under way, those behind it gather
  for (let i = 0; i < 5; i++) sue.send('message.send', { chat, text: 'all in one call', id });
  await sue.expect('ok', { re: first });
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await sue.expect('ok', { re: id }));
  assert.equal(new Set(answers.map((m) => m.seq)).size, 1);
  await sue.say('and this');
  await ann.event('message', { text: 'and this' });
  assert.equal(await count(chat, 'all in one call'), 1);
});

test('a repeat in another tab, naming the chat or not, gets the first answer', async () => {
  const { sue, chat } = await servedChat(server);
  const one = await sue.say('from the first tab', { id: 'tab-1' });
  const tab = await again(sue);
  same(one, await tab.say('from the first tab', { id: 'tab-1', chat }));
  same(one, await tab.say('from the first tab', { id: 'tab-1' }));
});

test('the sender’s other tab is told the id, nobody else is', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const tab = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
  await sue.say('seen in both', { id: 'ref-1' });
  assert.equal((await tab.event('message', { text: 'seen in both' })).ref, 'ref-1');
  assert.equal((await ann.event('message', { text: 'seen in both' })).ref, undefined);
});

test('the same id with other content is a conflict, whoever asks for what', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await sue.say('first', { id: 'c-1' });
  await sue.refused('conflict', 'message.send', { chat, text: 'second', id: 'c-1' });
  await ann.done('note.add', { chat, text: 'a note', id: 'c-2' });
  await ann.refused('conflict', 'message.send', { chat, text: 'a note', id: 'c-2' });
  await ann.refused('conflict', 'note.add', { chat, text: 'another note', id: 'c-2' });
  await sue.say('fence');
  await ann.event('message', { text: 'fence' });
  assert.ok(!ann.entries(chat).some((e) => e.text === 'second' || e.text === 'another note'));
});

test('another person’s same id is another id, and so is the same id in another chat', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const hers = await sue.say('mine', { id: 'x-1' });
  const his = await ann.say('mine', { chat, id: 'x-1' });
  assert.notEqual(hers.seq, his.seq);
  const other = await servedChat(server, { ann });
  const tab = await rep(server, ann.who, { shift: false });
  const there = await tab.say('mine, there', { chat: other.chat, id: 'x-1' });
  same(his, await ann.say('mine', { chat, id: 'x-1' }));
  same(there, await tab.say('mine, there', { chat: other.chat, id: 'x-1' }));
});

test('a repeated start gives the first chat, also after that is closed', async () => {
  const [ann] = await team(server, 1);
  const sue = await shopper(server);
  const start = { text: 'start me once', department: ann.department, id: 'start-1' };
  const one = await sue.done('chat.start', start);
  same(one, await sue.done('chat.start', start), 'at once');
  const tab = await again(sue);
  same(one, await tab.done('chat.start', start), 'in another tab');
  await sue.refused('conflict', 'chat.start', { ...start, text: 'other words' });
  await take(ann, one.chat);
  await settled(sue, ann, one.chat);
  same(one, await sue.done('chat.start', start), 'after the end');
});

test('a reply repeated after a handover gets its ok, a new one not_handler', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  const one = await ann.say('before I hand over', { chat, id: 'h-1' });
  await ann.done('chat.transfer', { chat, to: bob.me, card: {}, id: 'h-2' });
  await bob.expect('offer', { chat });
  const accepted = await bob.done('offer.accept', { chat, id: 'h-3' });
  same(one, await ann.say('before I hand over', { chat, id: 'h-1' }));
  assert.equal((await ann.done('chat.transfer', { chat, to: bob.me, card: {}, id: 'h-2' })).t, 'ok');
  same(accepted, await bob.done('offer.accept', { chat, id: 'h-3' }), 'the accept');
  const no = await ann.refused('not_handler', 'message.send', { chat, text: 'after it', id: 'h-4' });
  assert.equal(no.handler.id, bob.me);
});

test('everything repeated after the close gets its ok', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const s = await sue.say('question', { id: 'z-1' });
  const a = await ann.say('answer', { chat, id: 'z-2' });
  const r = await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'x', id: 'z-3' });
  await sue.event('resolution_proposed');
  const c = await sue.done('chat.confirm', { chat, solved: true, id: 'z-4' });
  same(s, await sue.say('question', { chat, id: 'z-1' }));
  same(a, await ann.say('answer', { chat, id: 'z-2' }));
  same(r, await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'x', id: 'z-3' }));
  same(c, await sue.done('chat.confirm', { chat, solved: true, id: 'z-4' }));
  const rated = await sue.done('chat.rate', { chat, score: 4, id: 'z-5' });
  same(rated, await sue.done('chat.rate', { chat, score: 4, id: 'z-5' }));
  await sue.refused('conflict', 'chat.rate', { chat, score: 5, id: 'z-5' });
});

test('only ok is remembered: after an error the same id is judged anew', async () => {
  const [a, b] = await staff(server, 2);
  const ann = await rep(server, a);
  const { chat } = await servedChat(server, { ann });
  const bob = await rep(server, b);
  await bob.refused('not_handler', 'message.send', { chat, text: 'now me', id: 'e-1' });
  await ann.done('chat.transfer', { chat, to: bob.me, card: {} });
  await bob.expect('offer', { chat });
  await bob.done('offer.accept', { chat });
  const ok = await bob.say('now me', { chat, id: 'e-1' });
  assert.ok(ok.seq);
});

test('a claim that was repeated after somebody else took the chat over is still the first claim', async () => {
  const [l] = await staff(server, 1, { role: 'lead' });
  const [a, b] = await staff(server, 2, { department: l.department });
  const ann = await rep(server, a);
  const bob = await rep(server, b);
  const lea = await rep(server, l, { shift: false });
  const { chat } = await arrival(server, l.department);
  const claim = await ann.done('chat.claim', { chat, id: 'k-1' });
  await lea.done('chat.reassign', { chat, to: bob.me, reason: 'balance' });
  same(claim, await ann.done('chat.claim', { chat, id: 'k-1' }));
  await ann.refused('conflict', 'chat.claim', { chat, id: 'k-2' });
});

test('shifts and tasks are repeated without effect too', async () => {
  const [ann] = await team(server, 1, { shift: false });
  await ann.done('shift.start', { capacity: 2, id: 's-1' });
  await ann.done('shift.end', { id: 's-2' });
  await ann.done('shift.start', { capacity: 2, id: 's-1' });
  const tab = await rep(server, ann.who, { shift: false });
  assert.equal(tab.welcome.shift.state, 'off', 'the repeat started nothing');
  const sue = await shopper(server);
  const leave = { text: 'call me', contact: '138', id: 't-1' };
  const one = await sue.done('message.leave', leave);
  assert.equal((await sue.done('message.leave', leave)).task, one.task);
});

test('a shift command that changed nothing is known when it is repeated, and changes nothing then either', async () => {
  const [ann] = await team(server, 1, { shift: false });
  const state = async () => (await rep(server, ann.who, { shift: false })).welcome.shift.state;
  await ann.done('shift.start', { capacity: 2 });
  await ann.done('shift.start', { capacity: 2, id: 'n-1' });
  await ann.done('shift.pause');
  await ann.done('shift.pause', { id: 'n-2' });
  await ann.done('shift.end');
  await ann.done('shift.end', { id: 'n-3' });
  await ann.done('shift.start', { capacity: 2, id: 'n-1' });
  await ann.done('shift.pause', { id: 'n-2' });
  assert.equal(await state(), 'off');
  await ann.done('shift.start', { capacity: 2 });
  await ann.done('shift.end', { id: 'n-3' });
  assert.equal(await state(), 'on');
  await ann.refused('conflict', 'shift.start', { capacity: 3, id: 'n-1' });
});

test('the end of a shift, repeated when the next one runs, takes no offer away', async () => {
  const [ann] = await team(server, 1);
  const id = newId();
  await ann.done('shift.end', { id });
  await ann.done('shift.start', { capacity: 3 });
  const { sue, chat } = await arrival(server, ann.department);
  await ann.expect('offer', { chat, kind: 'new' });
  await ann.done('shift.end', { id });
  await ann.done('offer.accept', { chat });
  await ann.say('Here I am.', { chat });
  await sue.event('message', { text: 'Here I am.' });
  assert.deepEqual(ann.entries(chat, 'offer_missed'), []);
});

test('what a rep did more than a week ago is forgotten, and what was since is not', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set: { 'presence.beat_ms': 100 } }).start();
  try {
    const ann = await rep(s, (await staff(s, 1))[0], { shift: false });
    const key = `fl:{default}:i:${ann.me}`;
    const kept = async () => (await redis.ask('HKEYS', key)).split('\r\n').filter((l) => l.startsWith('i:')).map((l) => l.split(':').at(-1));
    const day = 24 * 36e5;
    const add = (name, at) => redis.ask('HSET', key, `i:${ann.me}:${name}`, `1 ${at} 0 0123456789abcdef`);
    for (let i = 0; i < 700; i++) await add(`old-${i}`, Date.now() - 7 * day - 60_000);
    await add('young', Date.now() - 7 * day + 600_000);
    await until(async () => (await kept()).length === 1, 'the old ones are gone');
    assert.deepEqual(await kept(), ['young']);
  } finally {
    await end(s);
    await redis.kill();
  }
});

test('a repeat gets its first answer where the department has gone meanwhile, and the article', async () => {
  const folder = new Folder();
  const s = await new Server({ set: { 'kb.dir': folder.dir }, config: '[department.closing]\nsite = default\n' }).start();
  const sue = await shopper(s);
  const asked = {
    'chat.start': { text: 'start here', department: 'closing', id: newId() },
    'message.leave': { text: 'write to me', contact: 'sue@example.org', department: 'closing', id: newId() },
    'kb.helped': { article: 'lamp-bulbs', helped: true, id: newId() },
  };
  const first = {};
  for (const [t, cmd] of Object.entries(asked)) first[t] = await sue.done(t, cmd);
  await s.stop();
  manyDepartments(s.data);
  folder.remove('en/lamp-bulbs.md');
  await s.start();
  const back = await again(sue);
  await until(async () => (await back.ask('kb.helped', { article: 'lamp-bulbs', helped: false })).code === 'not_found', 'the articles are read');
  await back.refused('bad_request', 'message.leave', { ...asked['message.leave'], id: newId() });
  same(first['chat.start'], await back.done('chat.start', asked['chat.start']));
  assert.equal((await back.done('message.leave', asked['message.leave'])).task, first['message.leave'].task);
  await back.done('kb.helped', asked['kb.helped']);
  await endAndCheck(s);
});

test('a repeat gets its first answer though its date has passed, its addressee has gone, or its author may not know of the chat any more', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  const lee = await rep(server, await server.account({ role: 'director' }), { shift: false });
  await lee.done('chat.open', { chat });
  const asked = [
    [ann, 'promise.add', { chat, text: 'I call you.', until: Date.now() + 1000, id: newId() }],
    [lee, 'note.add', { chat, text: 'A loyal customer.', id: newId() }],
    [ann, 'chat.transfer', { chat, to: bob.me, card: {}, id: newId() }],
  ];
  const first = [];
  for (const [who, t, cmd] of asked) first.push(await who.done(t, cmd));
  await bob.done('offer.decline', { chat });
  await bob.close();
  await server.cli(['user', 'disable', bob.who.login]);
  await server.cli(['user', 'roles', lee.who.login, '--role', 'rep']);
  await until(async () => (await lee.ask('note.add', { chat, text: 'x' })).code === 'not_found', 'a director no more');
  await until(() => Date.now() > asked[0][2].until + 100, 'the date has passed');
  await ann.refused('bad_request', 'promise.add', { ...asked[0][2], id: newId() });
  for (const [i, [who, t, cmd]] of asked.entries()) same(first[i], await who.done(t, cmd), t);
  await lee.refused('conflict', 'note.add', { ...asked[1][2], text: 'something else' });
});

test('a chat that began while its answer was lost takes what its shopper writes after the repeat', async () => {
  const redis = await new OwnRedis().start();
  const proxy = await new Proxy(redis).start();
  const s = await new Server({ redis: proxy.url }).start();
  const sue = await shopper(s);
  const start = { text: 'Where is the parcel of today?', department: 'general', id: newId() };
  proxy.holdAt = start.text;
  const answer = sue.ask('chat.start', start);
  await until(async () => (await redis.ask('KEYS', 'fl:*:l:c_*')).includes('c_'), 'the chat has begun');
  proxy.holdAt = null;
  proxy.cut();
  proxy.release();
  assert.equal((await answer).code, 'unavailable');
  const taken = (t, m) => until(() => sue.ask(t, m).then((a) => a.t === 'ok' && a), `${t} is taken`, 10_000, 100);
  const { chat, seq } = await taken('chat.start', start);
  const said = await taken('message.send', { text: 'It was to come at nine.', chat, id: newId() });
  assert.ok(said.seq > seq);
  await endAndCheck(s);
  proxy.stop();
  await redis.kill();
});
