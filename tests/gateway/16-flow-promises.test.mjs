// Rules 2.3, 2.9, 2.11, 3.3, 3.4: promises, referrals, parking; the machine's words on coming, staying and leaving; the way back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { again, shopper } from './lib/client.mjs';
import { arrival, servedChat, servedChatWithColleague, settled, take, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

let server;

before(async () => {
  server = await new Server({ set: { 'routing.silent_ms': 1200, 'resolution.confirm_ms': 60_000 } }).start();
});
after(() => endAndCheck(server));

test('rule 3.3: a promise is the handler’s, lies in the future, and is kept once', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  const until = Date.now() + 3_600_000;
  await bob.refused('not_handler', 'promise.add', { chat, text: 'I will call', until });
  await ann.refused('bad_request', 'promise.add', { chat, text: 'I will call', until: Date.now() - 1000 });
  await ann.refused('bad_request', 'promise.add', { chat, until });
  await ann.done('promise.add', { chat, text: 'I will call by four', until });
  const e = await sue.event('promised', { chat });
  assert.deepEqual([e.text, e.until], ['I will call by four', until]);
  const { card } = await ann.done('chat.open', { chat });
  assert.deepEqual(card.promises.map((p) => [p.id, p.state]), [[e.promise, 'open']]);
  await ann.refused('not_found', 'promise.done', { chat, promise: 'p_nothing' });
  await ann.done('promise.done', { chat, promise: e.promise });
  await sue.event('promise_kept', { chat, promise: e.promise });
  await ann.refused('conflict', 'promise.done', { chat, promise: e.promise });
});

test('rule 2.9: parking needs a promise and a date, is the handler’s, and only what is parked is taken up again', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.refused('conflict', 'chat.unpark', { chat });
  await bob.refused('not_handler', 'chat.park', { chat, promise: 'x', until: Date.now() + 60_000 });
  await ann.refused('bad_request', 'chat.park', { chat, until: Date.now() + 60_000 });
  await ann.done('chat.park', { chat, promise: 'The part arrives', until: Date.now() + 3_600_000 });
  assert.equal((await sue.event('parked', { chat })).promise, 'The part arrives');
  await ann.refused('conflict', 'chat.park', { chat, promise: 'x', until: Date.now() + 3_600_000 });
  await bob.refused('not_handler', 'chat.unpark', { chat });
  await ann.done('chat.unpark', { chat });
  await sue.event('unparked', { chat });
});

test('rule 2.3: a referral tells the shopper who, how and when, and proves the resolution', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await sue.say('And who repairs it?');
  await ann.refused('resolution_required', 'chat.resolve', { chat, resolution: 'referred', summary: 'x' });
  await bob.refused('not_handler', 'chat.refer', { chat, who: 'the workshop', how: 'by phone' });
  await ann.done('chat.refer', { chat, who: 'the workshop', how: 'by phone, 400 800', by: 'tomorrow noon' });
  const e = await sue.event('referred', { chat });
  assert.deepEqual([e.who, e.how, e.by], ['the workshop', 'by phone, 400 800', 'tomorrow noon']);
  await ann.done('chat.resolve', { chat, resolution: 'referred', summary: 'sent to the workshop' });
});

test('rule 3.4: greeted by name and language, once; seen off with the answer and the way back, once', async () => {
  const [ann] = await team(server, 1);
  const { sue, chat } = await arrival(server, ann.department, { hello: { name: 'Sue' } });
  const hello = await sue.event('care', { chat, step: 'greeting' });
  assert.match(hello.text, /^Hello, Sue!/);
  await take(ann, chat, 'Your parcel comes on Friday.');
  await settled(sue, ann, chat);
  const bye = await sue.event('care', { chat, step: 'farewell' });
  assert.match(bye.text, /^Thank you, Sue\./);
  assert.match(bye.text, /In short: answered/);
  await sue.event('closed', { chat });
  assert.deepEqual(sue.entries(chat, 'care').map((e) => e.step), ['greeting', 'farewell']);
  const li = await arrival(server, ann.department, { text: '你好，我要退款', hello: { name: '小李', locale: 'zh-CN' } });
  assert.match((await li.sue.event('care', { chat: li.chat, step: 'greeting' })).text, /^您好，小李！/);
});

test('rule 3.4: a shopper whose rep is silent hears that the rep was reminded, once for each silence', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await sue.say('Are you there?');
  const e = await sue.event('care', { chat, step: 'checkin' });
  const reminded = await ann.event('reminded', { chat });
  assert.equal(e.at, reminded.at, 'in the same moment');
  await ann.event('handler_lost', { chat });
  await take(ann, chat, 'Here I am.');
  await sue.event('message', { text: 'Here I am.' });
  assert.equal(sue.entries(chat, 'care').filter((x) => x.step === 'checkin').length, 1);
});

test('rules 2.7, 2.11: when the chat is over the shopper sees who answers for it, and the way back brings the card along', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: { summary: 'a blue lamp', requirements: 'after six', verified: ['order'], promised: 'a call' } });
  await bob.expect('offer', { chat, kind: 'transfer' });
  await bob.done('offer.accept', { chat });
  await bob.say('The lamp is on its way.', { chat });
  await settled(sue, bob, chat);
  await sue.event('closed', { chat });
  await ann.done('shift.end');
  const back = await again(sue);
  assert.deepEqual([back.welcome.last, back.welcome.responsible.id], [chat, ann.me]);
  const next = await back.done('chat.start', { text: 'It never came.', department: ann.department });
  await bob.expect('offer', { chat: next.chat });
  await bob.done('offer.accept', { chat: next.chat });
  const { card } = await bob.done('chat.open', { chat: next.chat });
  assert.deepEqual([card.after, card.summary, card.requirements, card.verified, card.promised], [chat, 'answered', 'after six', ['order'], 'a call']);
  const told = await ann.event('assigned', { chat: next.chat });
  assert.equal(told.to.id, bob.me, 'rule 2.7: the owner is told who has it');
  const stranger = await shopper(server);
  assert.equal(stranger.welcome.responsible, undefined);
});

test('rules 2.7, 2.11: who comes back and leaves before anybody is there still finds the way back to the owner', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await ann.done('chat.transfer', { chat, to: bob.me, card: { summary: 'a blue lamp', requirements: 'after six', verified: [], promised: '' } });
  await bob.expect('offer', { chat, kind: 'transfer' });
  await bob.done('offer.decline', { chat });
  await settled(sue, ann, chat);
  const first = await sue.done('chat.start', { text: 'It never came.', department: ann.department });
  await ann.expect('offer', { chat: first.chat });
  await sue.done('chat.leave');
  const back = await again(sue);
  assert.deepEqual([back.welcome.last, back.welcome.responsible?.id], [first.chat, ann.me]);
  const next = await back.done('chat.start', { text: 'It is still not here.', department: ann.department });
  await ann.expect('offer', { chat: next.chat }); // Bob had nothing to do at all
  await ann.done('offer.accept', { chat: next.chat });
  const { card } = await ann.done('chat.open', { chat: next.chat });
  assert.deepEqual([card.after, card.requirements, card.class], [first.chat, 'after six', 'normal']);
});
