// The whole life of a case, as PROTOCOL.md has it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, servedChatWithColleague, staff, team, twoRepsOneWaitingShopper } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server().start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

test('a case goes from the first word to the rating, and every entry is in the transcript', async () => {
  const [a, b] = await staff(server, 2);
  const ann = await rep(server, a);
  const sue = await shopper(server, { locale: 'zh-CN', name: '小李' });
  assert.match(sue.me, /^s_/);
  assert.equal(typeof sue.welcome.epoch, 'string');
  assert.ok(Math.abs(sue.welcome.now - Date.now()) < 5000, 'now is the time');

  const started = await sue.done('chat.start', { text: '我要申请退款，订单 20231', department: ann.department });
  const { chat } = started;
  assert.match(chat, /^c_/);
  assert.equal(started.department, ann.department);
  await sue.expect('queue', { chat });
  const offer = await ann.expect('offer', { chat, kind: 'new' });
  assert.ok(offer.deadline_at > Date.now(), 'the offer has a deadline ahead');
  assert.equal(offer.card.first_text, '我要申请退款，订单 20231');
  assert.equal(offer.card.shopper.id, sue.me);

  await ann.done('offer.accept', { chat });
  const reply = await ann.say('您好，退款已经在处理，三天内到账。', { chat });
  const heard = await sue.event('message', { chat, text: '您好，退款已经在处理，三天内到账。' });
  assert.equal(heard.seq, reply.seq);
  assert.equal(heard.from.role, 'rep');
  const owned = sue.entries(chat, 'owned');
  assert.equal(owned.length, 1, 'the shopper is told who is responsible');
  assert.equal(owned[0].owner.id, ann.me);

  const damaged = await sue.say('It was damaged 📦');
  const seen = await ann.event('message', { chat, text: 'It was damaged 📦' });
  assert.deepEqual([seen.seq, seen.at, seen.from.id], [damaged.seq, damaged.at, sue.me]);
  assert.equal(seen.ref, undefined, 'the id is the sender’s alone');

  await ann.done('note.add', { chat, text: 'sounds upset' });
  await ann.done('chat.tag', { chat, add: ['damaged'] });
  await ann.done('chat.verify', { chat, checks: ['order', 'phone'] });

  const bob = await rep(server, b);
  await ann.done('chat.consult', { chat, to: bob.me, question: 'Do we replace lamps?' });
  const asked = await bob.event('consulted', { chat });
  assert.equal(asked.question, 'Do we replace lamps?');
  await bob.done('consult.answer', { chat, text: 'Yes, within a year.' });
  await ann.event('consult_answered', { chat, text: 'Yes, within a year.' });

  const card = { summary: 'damaged lamp', requirements: 'call after six', verified: ['order'], promised: 'an answer today' };
  await ann.done('chat.transfer', { chat, to: bob.me, card });
  const handover = await bob.expect('offer', { chat, kind: 'transfer' });
  assert.equal(handover.from.id, ann.me);
  for (const k of ['summary', 'requirements', 'verified', 'promised']) assert.deepEqual(handover.card[k], card[k], `the card's ${k}`);
  await bob.done('offer.accept', { chat });
  const told = await sue.event('transferred', { chat });
  assert.deepEqual([told.handler.id, told.owner.id], [bob.me, ann.me]);
  await ann.event('transferred', { chat });
  await bob.say('A new lamp is on its way.', { chat });
  await sue.event('message', { chat, text: 'A new lamp is on its way.' });

  await bob.done('chat.resolve', { chat, resolution: 'answered', summary: 'new lamp sent' });
  const proposed = await sue.event('resolution_proposed', { chat });
  assert.equal(proposed.summary, 'new lamp sent');
  await sue.done('chat.confirm', { chat, solved: true });
  await bob.event('confirmed', { chat });
  await bob.event('closed', { chat });
  await sue.done('chat.rate', { chat, score: 5, comment: '谢谢' });
  await sue.refused('conflict', 'chat.rate', { chat, score: 1 });

  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'rated'), 'the rating in the transcript');
  assert.deepEqual(t.events.map((e) => e.seq), t.events.map((_, i) => i + 1));
  assert.deepEqual([t.chat, t.department, t.state, t.complete], [chat, ann.department, 'closed', true]);
  assert.equal(t.owner.id, ann.me, 'the first to reply is still the owner');
  assert.equal(t.shopper.id, sue.me);
  const kinds = t.events.map((e) => e.kind);
  for (const k of ['started', 'triaged', 'queued', 'offered', 'assigned', 'owned', 'note', 'tagged', 'verified', 'consulted', 'consult_answered', 'transfer_offered', 'transferred', 'resolution_proposed', 'confirmed', 'closed', 'rated'])
    assert.ok(kinds.includes(k), `${k} is in ${kinds}`);
  assert.deepEqual(
    t.events.filter((e) => e.kind === 'message').map((e) => e.text),
    ['我要申请退款，订单 20231', '您好，退款已经在处理，三天内到账。', 'It was damaged 📦', 'A new lamp is on its way.'],
  );
});

test('a shopper never sees notes, whispers, cards, candidates or reasons', async () => {
  const [lead] = await staff(server, 1, { role: 'lead' });
  const [b] = await staff(server, 1, { department: lead.department });
  const ann = await rep(server, await server.account({ department: lead.department }).then((w) => ({ ...w, department: lead.department })));
  const { sue, chat } = await servedChat(server, { ann });
  const lea = await rep(server, lead);
  const bob = await rep(server, b);
  await lea.done('chat.open', { chat });
  await ann.done('note.add', { chat, text: 'SECRET-note' });
  await lea.done('whisper', { chat, text: 'SECRET-whisper' });
  await ann.done('chat.tag', { chat, add: ['SECRET-tag'] });
  await ann.done('chat.consult', { chat, to: bob.me, question: 'SECRET-question' });
  await bob.done('consult.answer', { chat, text: 'SECRET-answer' });
  await ann.done('chat.transfer', { chat, to: bob.me, card: { summary: 'SECRET-card', requirements: '', verified: [], promised: '' } });
  await bob.done('offer.accept', { chat });
  await lea.done('chat.reassign', { chat, to: ann.me, reason: 'SECRET-reason' });
  await ann.say('The end of it.', { chat });
  await sue.event('message', { text: 'The end of it.' });
  const tab = await shopper(server, { token: sue.token, resume: [{ chat, seq: 0 }] });
  await tab.event('message', { text: 'The end of it.' });
  const all = JSON.stringify([sue.seen, tab.seen]);
  assert.ok(!all.includes('SECRET'), `a shopper was sent ${all.slice(Math.max(0, all.indexOf('SECRET') - 200), all.indexOf('SECRET') + 60)}`);
  for (const e of [...sue.entries(chat), ...tab.entries(chat)]) {
    assert.ok(!['note', 'whisper', 'tagged', 'consulted', 'consult_answered', 'transfer_offered', 'offered', 'queued', 'triaged'].includes(e.kind), `a shopper sees ${e.kind}`);
    for (const f of ['why', 'reason', 'candidates', 'card', 'confidence']) assert.equal(e[f], undefined, `a shopper sees ${f} of ${e.kind}`);
  }
});

test('a resolution without a proof from the log is refused', async () => {
  const { ann, bob, sue, chat } = await twoRepsOneWaitingShopper(server);
  const first = await Promise.race([ann, bob].map((r) => r.expect('offer', { chat }).then(() => r)));
  await first.done('offer.accept', { chat });
  const resolve = (resolution) => first.refused('resolution_required', 'chat.resolve', { chat, resolution, summary: 'done' });
  await resolve('answered');
  await first.say("I don't know.", { chat });
  await resolve('answered');
  await first.say('Hello, how can I help you?', { chat });
  await resolve('answered');
  await first.say('It leaves tomorrow.', { chat });
  await sue.say('And how will I know?');
  await first.event('message', { text: 'And how will I know?' });
  await resolve('answered');
  await resolve('referred');
  await resolve('request');
  await resolve('complaint');
  await first.refused('bad_request', 'chat.resolve', { chat, resolution: 'because', summary: 'done' });
  await first.refused('bad_request', 'chat.resolve', { chat, summary: 'done' });
  assert.equal(sue.entries(chat, 'resolution_proposed').length, 0);
  await first.done('chat.refer', { chat, who: 'The carrier', how: 'by phone, 95338', by: 'tomorrow' });
  const referred = await sue.event('referred', { chat });
  assert.deepEqual([referred.who, referred.how, referred.by], ['The carrier', 'by phone, 95338', 'tomorrow']);
  await first.done('chat.resolve', { chat, resolution: 'referred', summary: 'asked the carrier' });
  await sue.event('resolution_proposed', { chat });
});

test('"not solved" leads the case back to its owner, also from a deputy', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: {} });
  await bob.expect('offer', { chat });
  await bob.done('offer.accept', { chat });
  await bob.say('It is fixed now.', { chat });
  await bob.done('chat.resolve', { chat, resolution: 'answered', summary: 'fixed' });
  await sue.event('resolution_proposed', { chat });
  await sue.done('chat.confirm', { chat, solved: false });
  await ann.event('reopened', { chat });
  const back = await ann.event('assigned', { chat });
  assert.equal(back.to.id, ann.me);
  await ann.say('Let me see what went wrong.', { chat });
  await sue.event('message', { text: 'Let me see what went wrong.' });
  await bob.refused('not_handler', 'message.send', { chat, text: 'me too' });
  await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'now it is' });
  await sue.event('resolution_proposed', { chat, summary: 'now it is' });
  await sue.done('chat.confirm', { chat, solved: true });
  await ann.event('closed', { chat });
});

test('what is closed stays closed, and a return is a new chat that names the old one and goes to its owner', async () => {
  const [a, b] = await staff(server, 2);
  const ann = await rep(server, a);
  const { sue, chat } = await servedChat(server, { ann });
  await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'answered' });
  await sue.event('resolution_proposed', { chat });
  await sue.done('chat.confirm', { chat, solved: true });
  await sue.refused('closed', 'message.send', { chat, text: 'one more thing' });
  await ann.refused('closed', 'message.send', { chat, text: 'one more thing' });
  await ann.refused(['closed', 'conflict'], 'chat.claim', { chat });
  await sue.refused(['closed', 'conflict'], 'chat.confirm', { chat, solved: true });
  const bob = await rep(server, b);
  // Bob has nothing to do, Ann has chats; the owner comes first all the same.
  const other = await arrival(server, ann.department);
  await Promise.race([ann.expect('offer', { chat: other.chat }), bob.expect('offer', { chat: other.chat })]);
  const next = await sue.done('chat.start', { text: 'It broke again.', department: ann.department });
  assert.notEqual(next.chat, chat);
  await ann.expect('offer', { chat: next.chat });
  await ann.done('offer.accept', { chat: next.chat });
  const t = await server.transcript(quinn.token, next.chat, (x) => x.events.some((e) => e.kind === 'assigned'));
  assert.equal(t.events.find((e) => e.kind === 'started').after, chat);
});

test('a shopper has one open chat at a time, and the second start names it', async () => {
  const { sue, chat } = await twoRepsOneWaitingShopper(server);
  const no = await sue.refused('conflict', 'chat.start', { text: 'another' });
  assert.equal(no.chat, chat);
  const tab = await shopper(server, { token: sue.token });
  assert.equal(tab.welcome.chat, chat, 'the welcome of another tab names the open chat');
  assert.equal(tab.me, sue.me);
  assert.equal((await tab.refused('conflict', 'chat.start', { text: 'a third' })).chat, chat);
});

test('two starts of one shopper at once make one chat', async () => {
  const [ann] = await team(server, 1);
  for (let i = 0; i < 5; i++) {
    const one = await shopper(server);
    const two = await shopper(server, { token: one.token });
    const got = await Promise.all([one, two].map((c, k) => c.ask('chat.start', { text: `start ${k}`, department: ann.department })));
    const [ok] = got.filter((m) => m.t === 'ok');
    const [no] = got.filter((m) => m.t === 'error');
    assert.ok(ok && no, JSON.stringify(got));
    assert.deepEqual([no.code, no.chat], ['conflict', ok.chat]);
  }
});

test('articles are suggested when asked for, in the words of the question', async (test_) => {
  const own = await new Server({ set: { 'kb.threshold_permille': 300 } }).start();
  test_.after(() => endAndCheck(own));
  const qa = await auditor(own);
  const { ann, sue, chat } = await servedChat(own, { text: 'How long does a refund take?' });
  // The articles are loaded beside the start.
  const ask = async () => (await ann.done('kb.suggest', { text: 'How long does a refund take?' })).articles;
  await until(async () => (await ask()).length > 0, 'something fits', 30_000);
  const articles = await ask();
  for (const a of articles) {
    assert.match(a.id, /^[\w-]{1,64}$/);
    assert.ok(a.confidence > 0 && a.confidence <= 1, `confidence ${a.confidence}`);
    assert.ok(a.title && a.text);
  }
  assert.deepEqual(articles.map((a) => a.confidence), articles.map((a) => a.confidence).sort((x, y) => y - x), 'best first');
  const ofChat = await ann.done('kb.suggest', { chat });
  assert.ok(ofChat.articles.length > 0, 'for the chat too');
  const best = articles[0].id;
  await ann.say('It takes three days.', { chat, article: best });
  await sue.event('message', { text: 'It takes three days.' });
  await ann.done('kb.feedback', { article: best, verdict: 'used', chat });
  const t = await own.transcript(qa.token, chat, (x) => x.events.some((e) => e.kind === 'suggestion_used' || e.article === best), 'the article used is in the log');
  assert.ok(t);
  const found = await sue.done('kb.search', { text: '退款多久到账' });
  assert.ok(Array.isArray(found.articles));
  if (found.articles[0]) await sue.done('kb.helped', { article: found.articles[0].id, helped: true });
});

test('typing and read marks reach the other side and are not in the log', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await ann.event('suggested', { chat }); // the last entry by itself: what the question found comes when it is looked up
  sue.send('typing', { chat, on: true });
  const t = await ann.expect('typing', { chat, on: true });
  assert.equal(t.from.role, 'shopper');
  assert.equal(t.preview, undefined, 'no preview unless the site allows it');
  ann.send('typing', { chat, on: true, mode: 'reply' });
  await sue.expect('typing', { chat, on: true });
  ann.send('typing', { chat, on: true, mode: 'note' });
  sue.send('read', { chat, seq: sue.head(chat) });
  const r = await ann.expect('receipt', { chat });
  assert.equal(r.read, sue.head(chat));
  const before = ann.head(chat);
  const next = await sue.say('typed');
  assert.equal(next.seq, before + 1, 'signals take no seq');
  await ann.event('message', { text: 'typed' });
  await sue.settle();
  assert.ok(!sue.seen.some((m) => m.t === 'typing' && m.mode === 'note'), 'typing of a note is not for the shopper');
});

test('a message left outside a chat becomes a task', async () => {
  const sue = await shopper(server);
  const { task } = await sue.done('message.leave', { text: 'Please call me about my sofa.', contact: '138 0000 0000' });
  assert.equal(typeof task, 'string');
  const again = await sue.done('callback.ask', { at: Date.now() + 3_600_000, contact: '138 0000 0000' });
  assert.equal(typeof again.task, 'string');
  assert.notEqual(again.task, task);
});

test('the welcome of a rep lists what that person has to do', async () => {
  const [a] = await staff(server, 1);
  const ann = await rep(server, a);
  const { sue, chat } = await servedChat(server, { ann });
  const waiting = await arrival(server, a.department, { text: 'still here?' });
  await ann.expect('offer', { chat: waiting.chat });
  const tab = await rep(server, a, { shift: false });
  const w = tab.welcome;
  assert.equal(w.rep.id, ann.me);
  assert.deepEqual(w.roles, ['rep']);
  assert.deepEqual(w.departments.map((d) => d.name ?? d), [a.department]);
  assert.equal(w.shift.state, 'on');
  const mine = w.chats.find((c) => c.chat === chat);
  assert.ok(mine, 'the chat that she handles');
  assert.deepEqual([mine.state, mine.handler.id, mine.owner.id, mine.shopper.id], ['active', ann.me, ann.me, sue.me]);
  assert.ok(w.offers.some((o) => o.chat === waiting.chat), 'the offer that is open');
  assert.ok(Array.isArray(w.queues));
  const opened = await tab.done('chat.open', { chat });
  assert.equal(opened.card.handler.id, ann.me);
  assert.equal(opened.seq, ann.head(chat));
  assert.deepEqual(tab.entries(chat).map((e) => e.seq), Array.from({ length: opened.seq }, (_, i) => i + 1));
});

test('a shift can be started, paused and ended any number of times', async () => {
  const [ann] = await team(server, 1, { shift: false });
  await ann.done('shift.start', { capacity: 3 });
  await ann.done('shift.start', { capacity: 3 });
  await ann.done('shift.pause');
  await ann.done('shift.pause');
  const { chat } = await arrival(server, ann.department);
  await ann.settle();
  await ann.done('shift.start', { capacity: 3 });
  await ann.expect('offer', { chat });
  assert.equal(ann.seen.filter((m) => m.t === 'offer' && m.chat === chat).length, 1, 'paused, one gets no offer');
  await ann.done('offer.decline', { chat, reason: 'lunch' });
  await ann.done('shift.end');
  await ann.done('shift.end');
});

test('everybody of a department is told how long its queue is', async () => {
  const [ann] = await team(server, 1, { capacity: 1 });
  await servedChat(server, { ann });
  const { sue, chat } = await arrival(server, ann.department);
  const q = await sue.expect('queue', { chat });
  assert.equal(q.position, 1);
  await until(() => ann.seen.some((m) => m.t === 'queue' && m.department === ann.department && m.waiting === 1), 'the rep sees one waiting');
});
