// Rules 2.6 and 2.9: parking with a promise and a date, the end of a shift, the unconfirmed close.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { auditor, servedChat, servedChatWithColleague, staff, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

let server;
let quinn;
const soon = (ms) => Date.now() + ms;

before(async () => {
  server = await new Server({ set: { 'resolution.confirm_ms': 1500, 'ownership.grace_ms': 300, 'presence.grace_ms': 300 } }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

describe('parking and shifts', { concurrency: 6 }, () => {
  test('a parked chat comes back to its handler on its date', async () => {
    const { ann, sue, chat } = await servedChat(server);
    const until = soon(1200);
    await ann.done('chat.park', { chat, promise: 'I call the carrier', until });
    const parked = await sue.event('parked', { chat });
    assert.deepEqual([parked.promise, parked.until], ['I call the carrier', until]);
    const back = await ann.event('unparked', { chat }, 6000);
    assert.ok(back.at >= until, 'not before its date');
    await ann.say('The carrier says tomorrow.', { chat });
    await sue.event('message', { text: 'The carrier says tomorrow.' });
  });

  test('a parked chat is taken up again by its handler, or by the shopper’s next word', async () => {
    const { ann, sue, chat } = await servedChat(server);
    await ann.done('chat.park', { chat, promise: 'later', until: soon(600_000) });
    await ann.refused('conflict', 'chat.park', { chat, promise: 'later', until: soon(600_000) });
    await ann.done('chat.unpark', { chat });
    await ann.refused('conflict', 'chat.unpark', { chat });
    await ann.done('chat.park', { chat, promise: 'later still', until: soon(600_000) });
    await sue.event('parked', { chat, promise: 'later still' });
    await sue.say('It has come.');
    await ann.event('unparked', { chat });
    await ann.event('message', { text: 'It has come.' });
    await ann.say('Very good.', { chat });
  });

  test('a date in the past is refused, and nothing is written', async () => {
    const { ann, chat } = await servedChat(server);
    const head = ann.head(chat);
    await ann.refused('bad_request', 'chat.park', { chat, promise: 'x', until: soon(-1000) });
    await ann.refused('bad_request', 'chat.park', { chat, promise: '', until: soon(60_000) });
    await ann.refused('bad_request', 'chat.park', { chat, until: soon(60_000) });
    await ann.refused('bad_request', 'promise.add', { chat, text: 'x', until: 1 });
    assert.equal((await ann.say('go on', { chat })).seq, head + 1);
  });

  test('a shift with chats that wait for an answer does not end; parked and proposed ones do not hold anybody back', async () => {
    const [a] = await staff(server, 1);
    const ann = await rep(server, a);
    const one = await servedChat(server, { ann });
    const two = await servedChat(server, { ann });
    await ann.refused('conflict', 'shift.end');
    await ann.done('chat.park', { chat: one.chat, promise: 'tomorrow', until: soon(86_400_000) });
    await ann.refused('conflict', 'shift.end');
    await ann.done('chat.resolve', { chat: two.chat, resolution: 'answered', summary: 'x' });
    await ann.done('shift.end');
    await ann.done('shift.end');
    await two.sue.event('resolution_proposed');
  });

  test('when the parked one’s handler is away on the date, a deputy gets it ahead of the queue', async () => {
    const { ann, bob, sue, chat } = await servedChatWithColleague(server);
    await ann.done('chat.park', { chat, promise: 'today', until: soon(1000) });
    await ann.done('shift.end');
    await bob.expect('offer', { chat });
    await bob.done('offer.accept', { chat });
    await bob.say('Ann told me to go on.', { chat });
    await sue.event('message', { text: 'Ann told me to go on.' });
    const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === 'Ann told me to go on.'));
    assert.equal(t.owner.id, ann.me);
  });

  test('a promise is shown to the shopper, and is kept or missed once', async () => {
    const { ann, sue, chat } = await servedChat(server);
    await ann.done('promise.add', { chat, text: 'call you by four', until: soon(600_000) });
    const kept = await sue.event('promised', { chat, text: 'call you by four' });
    await ann.done('promise.done', { chat, promise: kept.promise });
    await ann.refused('conflict', 'promise.done', { chat, promise: kept.promise });
    await ann.refused('not_found', 'promise.done', { chat, promise: 'p_nothing' });
    await ann.done('promise.add', { chat, text: 'write at once', until: soon(700) });
    const missed = await ann.event('promise_missed', { chat });
    const promised = await sue.event('promised', { chat, text: 'write at once' });
    assert.equal(missed.promise, promised.promise);
    const open = await rep(server, ann.who, { shift: false });
    const { card } = await open.done('chat.open', { chat });
    assert.equal(card.promises.length, 2);
  });

  test('a proposal without an answer closes the case as unconfirmed', async () => {
    const { ann, sue, chat } = await servedChat(server);
    await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'sent' });
    const proposed = await sue.event('resolution_proposed');
    const closed = await sue.event('closed', { chat }, 8000);
    assert.equal(closed.how, 'unconfirmed');
    assert.ok(closed.at - proposed.at >= 1500);
    await sue.done('chat.rate', { chat, score: 2 });
    await sue.refused('closed', 'message.send', { chat, text: 'too late' });
  });

  test('a shopper who goes on writing has not confirmed', async () => {
    const { ann, sue, chat } = await servedChat(server);
    await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'sent' });
    await sue.event('resolution_proposed');
    await sue.done('chat.confirm', { chat, solved: false });
    await sue.say('because it is still broken');
    await ann.event('reopened', { chat });
    await ann.event('message', { text: 'because it is still broken' });
    await ann.say('I see.', { chat });
  });

  test('an account that is disabled loses its sockets and its chats go to a deputy', async () => {
    const { ann, bob, sue, chat } = await servedChatWithColleague(server);
    await server.cli(['user', 'disable', ann.who.login]);
    await ann.gone;
    await bob.expect('offer', { chat });
    await bob.done('offer.accept', { chat });
    await bob.say('Ann has left us, I am Bob.', { chat });
    await sue.event('message', { text: 'Ann has left us, I am Bob.' });
    await assert.rejects(rep(server, ann.who), { status: 401 });
  });

  test('a pause takes no new chats and keeps the old ones', async () => {
    const [ann] = await team(server, 1);
    const { sue, chat } = await servedChat(server, { ann });
    await ann.done('shift.pause');
    await ann.say('I am here all the same.', { chat });
    await sue.event('message', { text: 'I am here all the same.' });
  });
});
