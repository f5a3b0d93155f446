// Rule 2.4: a handover needs the receiver's acceptance; until then nothing changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep, shopper } from './lib/client.mjs';
import { auditor, servedChat, servedChatWithColleague, staff, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

const CARD = { summary: 'a lamp', requirements: 'after six', verified: ['order'], promised: 'today' };
let server;
let quinn;

before(async () => {
  server = await new Server({ set: { 'transfer.answer_ms': 1000 } }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

test('a declined handover returns, the shopper notices nothing', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  await ann.refused('conflict', 'chat.transfer', { chat, to: bob.me, card: CARD });
  await bob.expect('offer', { chat, kind: 'transfer' });
  await bob.refused('not_handler', 'message.send', { chat, text: 'not yet' });
  await ann.say('One moment, I am asking a colleague about your lamp.', { chat });
  await bob.done('offer.decline', { chat, reason: 'no idea about lamps' });
  const back = await ann.event('transfer_returned', { chat });
  assert.equal(back.reason, 'no idea about lamps');
  await bob.refused('conflict', 'offer.accept', { chat });
  await ann.say('So it stays with me.', { chat });
  await sue.event('message', { text: 'So it stays with me.' });
  assert.deepEqual(sue.entries(chat).map((e) => e.kind).filter((k) => k.startsWith('transfer')), []);
});

test('an unanswered handover returns after its time and the late accept is refused', async () => {
  const { ann, bob, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  const offer = await bob.expect('offer', { chat, kind: 'transfer' });
  const back = await ann.event('transfer_returned', { chat });
  assert.ok(back.at >= offer.deadline_at, 'not before the deadline');
  assert.ok(back.at - offer.deadline_at < 3000, `${back.at - offer.deadline_at} ms after the deadline`);
  await bob.expect('offer', { chat, kind: 'ended' });
  await bob.refused('conflict', 'offer.accept', { chat });
  await bob.refused('not_handler', 'message.send', { chat, text: 'late' });
  await ann.say('Still me.', { chat });
});

test('a handover to nobody on shift is refused, to oneself too, to an unknown one too', async () => {
  const [a, b] = await staff(server, 2);
  const ann = await rep(server, a);
  const { chat } = await servedChat(server, { ann });
  await ann.refused('conflict', 'chat.transfer', { chat, to: server.newDepartment(), card: CARD });
  const bob = await rep(server, b, { shift: false });
  await ann.refused('conflict', 'chat.transfer', { chat, to: bob.me, card: CARD });
  await ann.refused('conflict', 'chat.transfer', { chat, to: ann.me, card: CARD });
  await ann.refused('not_found', 'chat.transfer', { chat, to: 'r_nobody', card: CARD });
  await ann.refused('not_found', 'chat.transfer', { chat, to: 'no-such-department', card: CARD });
  await ann.say('Mine, then.', { chat });
});

test('a handover to a department goes to one of its reps on shift', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const [cara] = await team(server, 1);
  await ann.done('chat.transfer', { chat, to: cara.department, card: CARD });
  const offer = await cara.expect('offer', { chat, kind: 'transfer' });
  assert.equal(offer.card.summary, 'a lamp');
  await cara.done('offer.accept', { chat });
  await cara.say('Lamps department, good that you ask.', { chat });
  const e = await sue.event('message', { text: 'Lamps department, good that you ask.' });
  assert.equal(e.from.id, cara.me);
  assert.equal((await ann.event('transferred', { chat })).department, cara.department);
  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((y) => y.text === e.text));
  assert.equal(t.department, cara.department, 'it is theirs in the archive too: in lists and figures, and for who leads them');
  assert.deepEqual((await server.api('GET', `/api/v1/transcripts?department=${ann.department}`, { token: quinn.token })).json.items, []);
});

test('rule 1.3: a handover to a department goes to whoever speaks the shopper’s language, not to the least loaded', async () => {
  const { ann, chat } = await servedChat(server, { hello: { locale: 'zh-CN' } });
  const { ann: zoe } = await servedChat(server, { ann: (await team(server, 1, { languages: ['zh'] }))[0] });
  const [eve] = await team(server, 1, { department: zoe.department, languages: ['en'] });
  await ann.done('chat.transfer', { chat, to: zoe.department, card: CARD });
  await zoe.expect('offer', { chat, kind: 'transfer' });
  await zoe.done('chat.open', { chat });
  const [{ candidates }] = zoe.entries(chat, 'transfer_offered');
  assert.deepEqual(candidates.map((c) => [c.id, c.why]).sort(), [[eve.me, 'language'], [zoe.me, 'chosen']].sort());
});

test('messages that cross a handover are neither lost nor doubled', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  const texts = Array.from({ length: 60 }, (_, i) => `crossing ${i}`);
  const sent = texts.map((text) => sue.ask('message.send', { chat, text }));
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  await bob.expect('offer', { chat });
  await bob.done('offer.accept', { chat });
  const answers = await Promise.all(sent);
  assert.deepEqual(answers.filter((m) => m.t !== 'ok'), []);
  await bob.say('I have read it all.', { chat });
  await sue.event('message', { text: 'I have read it all.' });
  await ann.event('transferred', { chat });
  await ann.settle();
  assert.deepEqual(ann.entries(chat, 'message').filter((e) => e.text.startsWith('crossing')).map((e) => e.text).slice(0, 60), texts);
  const open = await rep(server, bob.who, { shift: false });
  await open.done('chat.open', { chat });
  assert.deepEqual(open.entries(chat, 'message').filter((e) => e.text.startsWith('crossing')).map((e) => e.text), texts);
});

test('handler and owner write at once while a handover is accepted: what one may not write is refused, never shown', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: CARD });
  await bob.expect('offer', { chat });
  const both = [];
  for (let i = 0; i < 20; i++) {
    both.push(ann.ask('message.send', { chat, text: `ann ${i}` }));
    if (i === 8) both.push(bob.ask('offer.accept', { chat }));
    both.push(bob.ask('message.send', { chat, text: `bob ${i}` }));
  }
  const answers = await Promise.all(both);
  for (const m of answers) assert.ok(m.t === 'ok' || m.code === 'not_handler', JSON.stringify(m));
  const last = await bob.say('the last word', { chat });
  await sue.event('message', { text: 'the last word' });
  const shown = sue.entries(chat, 'message').map((e) => e.text).filter((t) => /^(ann|bob) \d/.test(t));
  assert.equal(shown.length, answers.filter((m) => m.t === 'ok').length - 1, 'what was acknowledged, and the accept');
  const at = sue.entries(chat, 'transferred')[0].seq;
  for (const e of sue.entries(chat, 'message')) {
    if (/^ann \d/.test(e.text)) assert.ok(e.seq < at, `${e.text} behind the handover`);
    if (/^bob \d/.test(e.text)) assert.ok(e.seq > at, `${e.text} before the handover`);
  }
  assert.ok(last.seq > at);
});

test('a rep whom a department asked in a consultation stays a helper', async () => {
  const { ann, chat } = await servedChat(server);
  const [cara] = await team(server, 1);
  await ann.done('chat.consult', { chat, to: cara.me, question: 'Is it under warranty?' });
  await cara.event('consulted', { chat });
  await cara.done('chat.open', { chat });
  await cara.done('consult.answer', { chat, text: 'It is.' });
  await cara.refused('not_handler', 'message.send', { chat, text: 'It is.' });
  await ann.event('consult_answered', { chat, text: 'It is.' });
  await shopper(server).then((c) => c.refused('not_found', 'sync', { chat, after: 0 }));
});
