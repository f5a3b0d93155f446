// Rules 2.2, 2.3, 2.4, 2.8, 2.10: what colleagues and leads do in a chat beside its handler, and what they are refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { arrival, servedChat, servedChatWithColleague, settled, staff, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const CARD = { summary: 'a sofa with a torn seam', requirements: 'ring twice', verified: ['order'], promised: 'a picture' };
let server;

before(async () => {
  server = await new Server({ set: { 'ownership.grace_ms': 700 } }).start();
});
after(() => endAndCheck(server));

/** Ann serves Sue, Bob is beside her, Lea leads them. */
async function withLead() {
  const served = await servedChatWithColleague(server);
  const [l] = await staff(server, 1, { role: 'lead', department: served.ann.department });
  return { ...served, lea: await rep(server, l) };
}

test('rule 2.3: who is asked in a consultation answers inside; the handler stays the handler, the shopper sees nothing of it', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  const [eve] = await team(server, 1);
  await bob.refused('not_handler', 'chat.consult', { chat, to: ann.me, question: 'may I?' });
  await eve.refused('not_found', 'consult.answer', { chat, text: 'I know nothing of this chat' });
  await ann.refused('not_found', 'chat.consult', { chat, to: 'r_nobody', question: 'who?' });
  const asked = await ann.done('chat.consult', { chat, to: eve.me, question: 'Is the seam under warranty?' });
  const e = await eve.event('consulted', { chat });
  assert.deepEqual([e.seq, e.question, e.to.id, e.from.id], [asked.seq, 'Is the seam under warranty?', eve.me, ann.me]);
  await eve.done('chat.open', { chat });
  const listed = async () => (await rep(server, eve.who, { shift: false })).welcome.chats.some((c) => c.chat === chat);
  assert.ok(await listed(), 'over a reload, until it is answered');
  await eve.done('consult.answer', { chat, text: 'Two years, it is.' });
  assert.ok(!(await listed()));
  assert.equal((await ann.event('consult_answered', { chat })).text, 'Two years, it is.');
  await eve.refused('not_handler', 'message.send', { chat, text: 'Two years.' });
  await ann.say('It is under warranty for two years.', { chat });
  await sue.event('message', { text: 'It is under warranty for two years.' });
  assert.deepEqual(sue.entries(chat).filter((x) => x.kind.startsWith('consult')), []);
});

test('rule 2.10: a lead of another department who is asked for advice may give it, and no more', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  const [other] = await staff(server, 1, { role: 'lead' });
  const zoe = await rep(server, other);
  await ann.done('chat.consult', { chat, to: zoe.me, question: 'Is the seam under warranty?' });
  await zoe.event('consulted', { chat });
  await zoe.refused('forbidden', 'chat.join', { chat });
  for (const to of [zoe.me, bob.me]) await zoe.refused('forbidden', 'chat.reassign', { chat, to, reason: 'mine now' });
  await zoe.done('consult.answer', { chat, text: 'Two years, it is.' });
});

test('rule 2.3: only who was asked answers, and one answer leaves the question to another standing', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  const [eve, zoe] = await team(server, 2);
  await bob.refused('forbidden', 'consult.answer', { chat, text: 'Nobody asked me' });
  await ann.done('chat.consult', { chat, to: eve.me, question: 'Is the seam under warranty?' });
  await ann.done('chat.consult', { chat, to: zoe.me, question: 'And the leather?' });
  for (const r of [ann, bob]) await r.refused('forbidden', 'consult.answer', { chat, text: 'It was not me who was asked' });
  await eve.done('consult.answer', { chat, text: 'Two years, it is.' });
  const back = await rep(server, zoe.who, { shift: false });
  assert.equal(back.welcome.chats.find((c) => c.chat === chat)?.consult?.question, 'And the leather?');
  await back.done('consult.answer', { chat, text: 'One year.' });
});

test('rule 2.3: a consultation of a department names who was asked there, who needs no room; where nobody is it is refused', async () => {
  const { ann, chat } = await servedChat(server);
  await ann.refused('conflict', 'chat.consult', { chat, to: server.newDepartment(), question: 'Anybody?' });
  const { ann: eve } = await servedChat(server, { ann: (await team(server, 1, { capacity: 1 }))[0] }); // full
  await ann.done('chat.consult', { chat, to: eve.department, question: 'Anybody?' });
  const e = await eve.event('consulted', { chat });
  assert.deepEqual([e.to.department, e.to.id], [eve.department, eve.me]);
});

test('rule 2.2: a lead joins and whispers; the shopper sees neither, and a stranger may do neither', async () => {
  const { ann, bob, sue, chat, lea } = await withLead();
  const [eve] = await team(server, 1);
  const [other] = await staff(server, 1, { role: 'lead' });
  const zoe = await rep(server, other);
  await eve.refused('not_found', 'whisper', { chat, text: 'psst' });
  await zoe.refused('not_found', 'chat.join', { chat });
  await bob.refused('forbidden', 'chat.join', { chat });
  const joined = await lea.done('chat.join', { chat });
  await lea.done('whisper', { chat, text: 'Offer her the discount.' });
  assert.equal((await ann.event('joined', { chat })).seq, joined.seq);
  assert.equal((await ann.event('whisper', { chat })).text, 'Offer her the discount.');
  await lea.refused('not_handler', 'message.send', { chat, text: 'I am the boss' });
  await ann.say('We can give you ten percent.', { chat });
  await sue.event('message', { text: 'We can give you ten percent.' });
  assert.deepEqual(sue.entries(chat).filter((x) => ['whisper', 'joined', 'note'].includes(x.kind)), []);
});

test('rule 2.10: a lead reassigns with a reason; a rep may not, and not to who has it or is unknown', async () => {
  const { ann, bob, sue, chat, lea } = await withLead();
  await bob.refused('forbidden', 'chat.reassign', { chat, to: bob.me, reason: 'mine' });
  await lea.refused('bad_request', 'chat.reassign', { chat, to: bob.me });
  await lea.refused('not_found', 'chat.reassign', { chat, to: 'r_nobody', reason: 'x' });
  await lea.refused('conflict', 'chat.reassign', { chat, to: ann.me, reason: 'x' });
  const ok = await lea.done('chat.reassign', { chat, to: bob.me, reason: 'Ann has a doctor’s appointment' });
  const e = await ann.event('reassigned', { chat });
  assert.deepEqual([e.seq, e.handler.id, e.reason, e.from.id], [ok.seq, bob.me, 'Ann has a doctor’s appointment', lea.me]);
  const seen = await sue.event('reassigned', { chat });
  assert.equal(seen.handler.id, bob.me, 'rule 2.11: who is responsible now');
  assert.equal(seen.reason, undefined);
  await ann.refused('not_handler', 'message.send', { chat, text: 'still me?' });
  await bob.say('Bob here.', { chat });
});

test('rule 2.8: the owner takes the case back from a deputy; nobody else may, nor twice', async () => {
  const { ann, bob, sue, chat, lea } = await withLead();
  await ann.refused('conflict', 'chat.take_back', { chat });
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  await bob.expect('offer', { chat, kind: 'transfer' });
  await bob.done('offer.accept', { chat });
  await sue.event('transferred', { chat });
  await bob.refused('forbidden', 'chat.take_back', { chat });
  await lea.refused('forbidden', 'chat.take_back', { chat });
  const ok = await ann.done('chat.take_back', { chat });
  assert.equal((await bob.event('taken_back', { chat })).seq, ok.seq);
  assert.equal((await sue.event('taken_back', { chat })).handler.id, ann.me);
  await bob.refused('not_handler', 'message.send', { chat, text: 'mine' });
  await ann.say('Me again.', { chat });
});

test('rules 2.4, 2.7: the owner keeps the case on the list while another handles it, over a reload', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  await bob.expect('offer', { chat, kind: 'transfer' });
  await bob.done('offer.accept', { chat });
  const tab = await rep(server, ann.who, { shift: false });
  const row = tab.welcome.chats.find((c) => c.chat === chat);
  assert.deepEqual([row?.owner.id, row?.handler.id], [ann.me, bob.me]);
  await ann.done('shift.end'); // it fills nothing of her capacity
  await bob.say('And here is the answer.', { chat });
  await tab.event('message', { chat, text: 'And here is the answer.' });
});

test('rule 2.7: of a case that comes back and is taken by a deputy its owner is told, and has it on the list', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await settled(sue, ann, chat);
  await ann.done('shift.end');
  const { chat: back } = await sue.done('chat.start', { text: 'It came off again.', department: ann.department });
  await bob.expect('offer', { chat: back });
  await bob.done('offer.accept', { chat: back });
  assert.equal((await ann.event('assigned', { chat: back })).to.id, bob.me);
  const listed = async () => (await rep(server, ann.who, { shift: false })).welcome.chats.some((c) => c.chat === back);
  assert.ok(await listed());
  await bob.say('I will see to it.', { chat: back });
  await ann.event('owned', { chat: back });
  assert.ok(!(await listed()), 'until it has an owner itself');
});

test('rule 2.5: the card travels along, and what the handler verified stands in it', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  await bob.refused('not_handler', 'chat.verify', { chat, checks: ['name'] });
  await ann.done('chat.verify', { chat, checks: ['name', 'phone'] });
  assert.deepEqual((await ann.done('chat.open', { chat })).card.verified, ['name', 'phone']);
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  const offer = await bob.expect('offer', { chat, kind: 'transfer' });
  assert.deepEqual([offer.card.summary, offer.card.requirements, offer.card.promised, offer.from.id], [CARD.summary, CARD.requirements, CARD.promised, ann.me]);
  await bob.done('offer.accept', { chat });
  const { card } = await bob.done('chat.open', { chat });
  assert.deepEqual([card.summary, card.requirements, card.verified, card.promised], [CARD.summary, CARD.requirements, CARD.verified, CARD.promised]);
});

test('rule 2.9: a closed account’s chats go to deputies at once, and its cases stand on the lead’s list', async () => {
  const { ann, bob, sue, chat, lea } = await withLead();
  await lea.done('shift.end');
  await bob.done('shift.pause');
  const second = await arrival(server, ann.department, { text: 'another one' });
  await ann.expect('offer', { chat: second.chat });
  await ann.done('offer.accept', { chat: second.chat });
  await ann.say('Put off until tomorrow.', { chat: second.chat });
  await ann.done('chat.park', { chat: second.chat, promise: 'to call', until: Date.now() + 3_600_000 });
  await bob.done('shift.start', { capacity: 20 });
  await server.cli(['user', 'disable', ann.who.login]);
  for (const c of [chat, second.chat]) {
    await bob.expect('offer', { chat: c });
    await bob.done('offer.accept', { chat: c });
  }
  const lost = await sue.event('handler_lost', { chat });
  assert.equal(lost.why, undefined, 'the shopper is told, not why');
  await bob.refused('not_found', 'chat.consult', { chat, to: ann.me, question: 'Are you there?' });
  const tab = await rep(server, lea.who, { shift: false });
  const row = tab.welcome.chats.find((c) => c.chat === chat);
  assert.ok(row, 'on the lead’s list');
  assert.equal(row.owner_closed, true);
  assert.deepEqual([row.owner.id, row.handler.id], [ann.me, bob.me], 'ownership does not end with the account');
});

test('a role that is taken away ends what was watched by it, and what one may read without it goes on', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const [dir] = await team(server, 1, { role: 'director', shift: false });
  const [lea, leo] = await team(server, 2, { role: 'lead', shift: false, department: ann.department });
  for (const c of [dir, lea]) await c.done('chat.open', { chat });
  for (const c of [lea, leo]) {
    await c.done('board.watch', { on: true });
    await c.expect('board');
  }
  for (const c of [lea, dir]) await server.cli(['user', 'roles', c.who.login, '--role', 'rep']);
  await dir.expect('error', { re: null, code: 'not_found', chat });
  await until(async () => (await lea.ask('board.watch', { on: true })).code === 'forbidden', 'she leads no more');
  for (const c of [lea, leo]) c.forget();
  await sue.say('Between you and me.');
  for (const c of [ann, lea]) await c.event('message', { chat, text: 'Between you and me.' });
  for (let i = 0; i < 2; i++) await leo.expect('board');
  for (const c of [dir, lea]) await c.settle();
  assert.deepEqual(dir.entries(chat, 'message').filter((m) => m.text === 'Between you and me.'), []);
  assert.ok(!lea.inbox.some((m) => m.t === 'board'), 'the board is the leads’');
  await dir.refused('not_found', 'chat.open', { chat });
});

test('the live board has every open chat of the department, also those that nobody here has open', async () => {
  const own = await new Server({ set: { 'limits.chat_idle_ms': 5000 } }).start();
  try {
    const { ann, sue, chat } = await servedChat(own);
    await ann.done('chat.park', { chat, promise: 'I call you', until: Date.now() + 3_600_000 });
    const waiting = await arrival(own, ann.department);
    const [who] = await staff(own, 1, { role: 'lead', department: ann.department });
    for (const c of [ann, sue, waiting.sue]) await c.close();
    await own.stop();
    await own.start();
    const lea = await rep(own, who, { shift: false });
    await lea.done('board.watch', { on: true });
    await lea.expect((m) => m.t === 'board' && [chat, waiting.chat].every((x) => m.chats.some((c) => c.chat === x)));
  } finally {
    await endAndCheck(own);
  }
});
