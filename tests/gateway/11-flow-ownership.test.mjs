// Rules 2.1, 2.2, 2.8, 2.10, 2.12: who owns, who may write, what a lost connection does.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, servedChatWithColleague, staff, take, team, twoRepsOneWaitingShopper } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server({ set: { 'ownership.grace_ms': 400, 'presence.grace_ms': 400, 'canned.way.text_en': 'Your order {order} is on its way.', 'canned.way.text_zh': '订单{order}已发出' } }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const oks = (answers) => answers.flatMap((m, i) => (m.t === 'ok' ? [i] : []));

test('of twelve reps who claim a chat at once exactly one gets it, and the others are told what stands', async () => {
  const reps = await team(server, 12);
  for (let k = 0; k < 5; k++) {
    const { chat } = await arrival(server, reps[0].department, { text: `claim ${k}` });
    const answers = await Promise.all(reps.map((r) => r.ask('chat.claim', { chat })));
    const won = oks(answers);
    assert.equal(won.length, 1, JSON.stringify(answers));
    for (const m of answers.filter((x) => x.t === 'error')) assert.deepEqual([m.code, m.state], ['conflict', 'assigned']);
    const wrote = await Promise.all(reps.map((r) => r.ask('message.send', { chat, text: `this is mine ${k}` })));
    assert.deepEqual(oks(wrote), won, 'who claimed it writes');
    for (const m of wrote.filter((x) => x.t === 'error')) assert.deepEqual([m.code, m.handler.id], ['not_handler', reps[won[0]].me]);
  }
});

test('of twelve first replies at once exactly one reaches the shopper and makes its author the owner', async () => {
  const reps = await team(server, 12);
  for (let k = 0; k < 5; k++) {
    const { sue, chat } = await arrival(server, reps[0].department, { text: `reply ${k}` });
    const answers = await Promise.all(reps.map((r, i) => r.ask('message.send', { chat, text: `reply ${k} of rep ${i}` })));
    const [won, ...more] = oks(answers);
    assert.deepEqual(more, [], 'one reply');
    assert.notEqual(won, undefined, JSON.stringify(answers[0]));
    for (const m of answers.filter((x) => x.t === 'error')) assert.deepEqual([m.code, m.handler?.id], ['not_handler', reps[won].me]);
    const e = await sue.event('message', { chat });
    assert.equal(e.text, `reply ${k} of rep ${won}`);
    await sue.settle();
    assert.equal(sue.entries(chat, 'message').length, 1, 'the shopper sees one reply');
    assert.equal(sue.entries(chat, 'owned')[0].owner.id, reps[won].me);
    const t = await server.transcript(quinn.token, chat, (x) => x.owner);
    assert.equal(t.owner.id, reps[won].me);
    assert.equal(t.events.filter((x) => x.kind === 'owned').length, 1);
    assert.equal(t.events.filter((x) => x.kind === 'message').length, 2);
  }
});

test('a greeting or a canned text alone does not make an owner, an answer does', async () => {
  const [ann] = await team(server, 1);
  const { sue, chat } = await arrival(server, ann.department);
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  for (const text of ['Hello!', '您好，请问有什么可以帮您？', '  HELLO , how can I help you ?', 'Your order LL-7 is on its way', '订单 LL-7 已发出。', '稍等'])
    await ann.say(text, { chat });
  await sue.event('message', { text: '稍等' });
  assert.equal(sue.entries(chat, 'owned').length, 0, 'greetings do not count');
  const card = await ann.done('chat.open', { chat });
  assert.equal(card.card.owner ?? null, null);
  const ok = await ann.say('Hello, it is at the depot in Suzhou.', { chat });
  const owned = await sue.event('owned', { chat });
  assert.equal(owned.owner.id, ann.me);
  assert.ok(Math.abs(owned.seq - ok.seq) === 1, 'owned stands beside the reply that made it');
});

test('only the handler writes to the shopper; others write notes', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  const no = await bob.refused('not_handler', 'message.send', { chat, text: 'let me' });
  assert.deepEqual([no.handler.id, typeof no.handler.name], [ann.me, 'string']);
  for (const [t, fields] of [
    ['chat.resolve', { resolution: 'answered', summary: 'x' }],
    ['chat.park', { promise: 'x', until: Date.now() + 60_000 }],
    ['chat.transfer', { to: bob.me, card: {} }],
    ['chat.refer', { who: 'x', how: 'y' }],
    ['chat.consult', { to: ann.me, question: 'x' }],
    ['chat.verify', { checks: ['order'] }],
    ['promise.add', { text: 'x', until: Date.now() + 60_000 }],
  ])
    await bob.refused('not_handler', t, { chat, ...fields });
  await bob.refused(['forbidden', 'conflict'], 'chat.take_back', { chat });
  await bob.done('note.add', { chat, text: 'I know this one' });
  await ann.event('note', { chat, text: 'I know this one' });
  await ann.say('last', { chat });
  await sue.event('message', { text: 'last' });
  assert.deepEqual(sue.entries(chat, 'message').map((e) => e.text), ['I will look into that for you.', 'last']);
});

test('a chat without a handler is claimed and answered in one step, also one that is offered to another', async () => {
  const { ann, bob, sue, chat } = await twoRepsOneWaitingShopper(server);
  const offered = await Promise.race([ann, bob].map((r) => r.expect('offer', { chat, kind: 'new' }).then(() => r)));
  const other = offered === ann ? bob : ann;
  await other.say('I can answer that at once.', { chat });
  await offered.expect('offer', { chat, kind: 'ended' });
  await offered.refused('conflict', 'offer.accept', { chat });
  await offered.refused('not_handler', 'message.send', { chat, text: 'too late' });
  const e = await sue.event('message');
  assert.deepEqual([e.text, e.from.id], ['I can answer that at once.', other.me]);
});

test('a rep who is not on shift, is full, or belongs to another department does not get the chat', async () => {
  const [off, ann] = await staff(server, 2);
  const lazy = await rep(server, off, { shift: false });
  const { chat } = await arrival(server, off.department);
  await lazy.refused('conflict', 'chat.claim', { chat });
  await lazy.refused('not_handler', 'message.send', { chat, text: 'hi' });
  const full = await rep(server, ann, { capacity: 1 });
  await take(full, chat);
  const next = await arrival(server, off.department);
  await full.refused('conflict', 'chat.claim', { chat: next.chat });
  const [stranger] = await team(server, 1);
  await stranger.refused('not_found', 'chat.claim', { chat: next.chat });
  await stranger.refused('not_found', 'message.send', { chat: next.chat, text: 'hi' });
  await stranger.refused('not_found', 'note.add', { chat: next.chat, text: 'hi' });
  await stranger.refused('not_found', 'chat.open', { chat: next.chat });
  await stranger.refused('not_found', 'sync', { chat: next.chat, after: 0 });
});

test('a handler who comes back within the grace time keeps the chat', async () => {
  const { ann, sue, chat } = await servedChatWithColleague(server);
  ann.drop();
  await ann.gone;
  const back = await rep(server, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
  await back.say('Sorry, my line dropped.', { chat });
  await sue.event('message', { text: 'Sorry, my line dropped.' });
  assert.equal(sue.entries(chat, 'handler_lost').length, 0);
});

test('a handler lost beyond the grace time is followed by a deputy, the owner stays the owner and may take it back', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  ann.drop();
  const lost = await sue.event('handler_lost', { chat });
  assert.equal(lost.why, undefined, 'no reasons for the shopper');
  await bob.expect('offer', { chat });
  await bob.done('offer.accept', { chat });
  await bob.say('Bob here, I go on for Ann.', { chat });
  await sue.event('message', { text: 'Bob here, I go on for Ann.' });
  const back = await rep(server, ann.who);
  await back.refused('not_handler', 'message.send', { chat, text: 'mine' });
  await back.done('chat.take_back', { chat });
  const told = await sue.event('taken_back', { chat });
  assert.equal(told.handler.id, ann.me);
  await bob.refused('not_handler', 'message.send', { chat, text: 'mine' });
  await back.say('And here I am again.', { chat });
  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === 'And here I am again.'));
  assert.equal(t.owner.id, ann.me);
  assert.equal(t.events.filter((e) => e.kind === 'handler_lost').length, 1, 'said once');
});

test('rules 2.4, 2.12: of a handover to a department the log says who was chosen there and why nobody else; a director knows of any chat, a stranger of none', async () => {
  const { ann, chat } = await servedChat(server);
  const [eve, fay] = await team(server, 2);
  await fay.done('shift.pause');
  const [d] = await staff(server, 1, { role: 'director' });
  const dora = await rep(server, d, { shift: false });
  await eve.refused('not_found', 'note.add', { chat, text: 'x' });
  await dora.done('note.add', { chat, text: 'I have an eye on it.' });
  assert.ok((await dora.done('chat.open', { chat })).card);
  await ann.done('chat.transfer', { chat, to: fay.department, card: { summary: 'theirs' } });
  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'transfer_offered'));
  const offered = t.events.find((e) => e.kind === 'transfer_offered');
  assert.deepEqual([offered.to.id, offered.to.department], [eve.me, eve.department]);
  assert.deepEqual(Object.fromEntries(offered.candidates.map((c) => [c.id, c.why])), { [eve.me]: 'chosen', [fay.me]: 'paused' });
});

test('a handler with a second connection is not lost when the first one ends', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  const second = await rep(server, ann.who, { shift: false });
  await second.done('chat.open', { chat });
  ann.drop();
  // Longer than the grace time, measured by one that has really passed: that of a rep who has gone for good.
  const [carl] = await team(server, 1);
  const other = await servedChat(server, { ann: carl });
  carl.drop();
  await other.sue.event('handler_lost');
  await second.say('Still here.', { chat });
  await sue.event('message', { text: 'Still here.' });
  assert.equal(sue.entries(chat, 'handler_lost').length, 0);
  assert.ok(!bob.seen.some((m) => m.t === 'offer' && m.chat === chat));
});

test('a lead reassigns with a reason, never to somebody who is away or full', async () => {
  const [l] = await staff(server, 1, { role: 'lead' });
  const [a, b, c] = await staff(server, 3, { department: l.department });
  const ann = await rep(server, a);
  const { sue, chat } = await servedChat(server, { ann });
  const lea = await rep(server, l, { shift: false });
  const bob = await rep(server, b, { capacity: 1 });
  const away = await rep(server, c, { shift: false });
  await ann.refused('forbidden', 'chat.reassign', { chat, to: bob.me, reason: 'me' });
  await lea.refused('conflict', 'chat.reassign', { chat, to: away.me, reason: 'away' });
  await lea.refused('not_found', 'chat.reassign', { chat, to: 'r_nobody', reason: 'nobody' });
  await lea.refused('bad_request', 'chat.reassign', { chat, to: bob.me });
  await lea.done('chat.reassign', { chat, to: bob.me, reason: 'knows lamps' });
  const told = await sue.event('reassigned', { chat });
  assert.deepEqual([told.handler.id, told.reason], [bob.me, undefined]);
  const e = await bob.event('reassigned', { chat });
  assert.equal(e.reason, 'knows lamps');
  await ann.refused('not_handler', 'message.send', { chat, text: 'x' });
  await bob.say('I am Bob.', { chat });
  const second = await servedChat(server, { ann });
  await lea.refused('conflict', 'chat.reassign', { chat: second.chat, to: bob.me, reason: 'full' });
  await lea.refused('conflict', 'chat.reassign', { chat: second.chat, to: server.newDepartment(), reason: 'nobody there' });
  const [cara, dan] = await team(server, 2);
  const given = await servedChat(server, { ann });
  await lea.done('chat.reassign', { chat: given.chat, to: cara.department, reason: 'theirs' });
  const r = await Promise.race([cara, dan].map((x) => x.event('reassigned', { chat: given.chat })));
  assert.deepEqual([r.department, r.candidates.map((x) => x.id).sort()], [cara.department, [cara.me, dan.me].sort()]);
  assert.equal(r.handler.id, r.candidates.find((x) => x.why === 'chosen').id);
  const later = await rep(server, [cara, dan].find((x) => x.me === r.handler.id).who, { shift: false });
  assert.equal(later.welcome.chats.find((x) => x.chat === given.chat).department, cara.department);
  await lea.done('chat.join', { chat: second.chat });
  await lea.done('whisper', { chat: second.chat, text: 'mind the warranty' });
  await ann.event('whisper', { chat: second.chat, text: 'mind the warranty' });
});

describe('with routing.auto_accept', () => {
  let auto;
  before(async () => {
    auto = await new Server({ set: { 'routing.auto_accept': true } }).start();
  });
  after(() => endAndCheck(auto));

  test('a chat goes to a rep without being asked for, the least loaded first', async () => {
    const [ann, bob] = await team(auto, 2, { capacity: 3 });
    const shoppers = [];
    for (let i = 0; i < 6; i++) {
      const a = await arrival(auto, ann.department, { text: `number ${i}` });
      const e = await Promise.race([ann, bob].map((r) => r.event('assigned', { chat: a.chat }).then((m) => ({ r, m }))));
      assert.equal(e.m.to.id, e.r.me);
      shoppers.push({ ...a, handler: e.r });
    }
    assert.equal(shoppers.filter((s) => s.handler === ann).length, 3, 'shared evenly');
    const late = await arrival(auto, ann.department, { text: 'one too many' });
    await late.sue.expect('queue', { position: 1 });
    const { sue, chat, handler } = shoppers[0];
    await handler.say('You are the first today.', { chat });
    await sue.event('message', { text: 'You are the first today.' });
    await handler.done('chat.resolve', { chat, resolution: 'answered', summary: 'x' });
    await sue.event('resolution_proposed');
    await sue.done('chat.confirm', { chat, solved: true });
    await until(() => handler.seen.some((m) => m.chat === late.chat && m.kind === 'assigned'), 'room for the one who waits');
    assert.ok(!ann.seen.some((m) => m.t === 'offer' && m.kind === 'new'), 'nobody was asked');
  });

  test('a shopper who arrives before any rep is served as soon as one comes on shift', async () => {
    const [who] = await staff(auto, 1);
    const { sue, chat } = await arrival(auto, who.department);
    await sue.expect('queue', { chat });
    const ann = await rep(auto, who);
    await ann.event('assigned', { chat });
    await ann.say('Good that you waited.', { chat });
    await sue.event('message', { text: 'Good that you waited.' });
  });
});

test('rule 2.1: a file that nobody uploaded is none: it makes no reply of a greeting', async () => {
  const [ann] = await team(server, 1);
  const { sue, chat } = await arrival(server, ann.department);
  await ann.expect('offer', { chat, kind: 'new' });
  await ann.done('offer.accept', { chat });
  for (const c of [ann, sue]) await c.refused('not_found', 'message.send', { chat, text: 'Hello', attachment: 'f_none' });
  await ann.say('Hello', { chat });
  const card = (await ann.done('chat.open', { chat })).card;
  assert.equal(card.owner ?? null, null);
});
