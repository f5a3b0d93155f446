// Section 1 and 3: queues, offers, leaving, coming back, care.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { again, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, staff, take, team, twoRepsOneWaitingShopper } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server({
    set: { 'routing.offer_ms': 1000, 'queue.gone_ms': 1000, 'presence.grace_ms': 200, 'care.first_ms': 1500, 'care.alert_ms': 3000, 'care.act_ms': 1500, 'routing.silent_ms': 1500 },
  }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const state = (chat, s) => server.transcript(quinn.token, chat, (t) => t.state === s, `the chat is ${s}`);

describe('waiting', { concurrency: 6 }, () => {
  test('a missed offer goes to the next rep, and the miss is recorded', async () => {
    const { ann, bob, chat } = await twoRepsOneWaitingShopper(server);
    const [first, offer] = await Promise.race([ann, bob].map((r) => r.expect('offer', { chat, kind: 'new' }).then((o) => [r, o])));
    const second = first === ann ? bob : ann;
    await second.expect('offer', { chat, kind: 'new' });
    await first.expect('offer', { chat, kind: 'ended' });
    await first.refused('conflict', 'offer.accept', { chat });
    await second.done('offer.accept', { chat });
    const t = await state(chat, 'assigned');
    const missed = t.events.find((e) => e.kind === 'offer_missed');
    assert.equal(missed.to.id, first.me);
    assert.ok(missed.at >= offer.deadline_at);
  });

  test('a declined offer goes to the next rep at once', async () => {
    const { ann, bob, chat } = await twoRepsOneWaitingShopper(server);
    const first = await Promise.race([ann, bob].map((r) => r.expect('offer', { chat, kind: 'new' }).then(() => r)));
    const second = first === ann ? bob : ann;
    await first.done('offer.decline', { chat, reason: 'about to leave' });
    await second.expect('offer', { chat, kind: 'new' });
    await second.done('offer.accept', { chat });
    const t = await state(chat, 'assigned');
    assert.equal(t.events.find((e) => e.kind === 'offer_declined').reason, 'about to leave');
    const why = t.events.find((e) => e.kind === 'offered');
    assert.ok(why.why, 'why this one');
    assert.ok(why.candidates.length >= 1, 'who else there was');
  });

  test('rule 1.4: a declined offer that nobody else can take comes back to the same rep, but not at once', async () => {
    const [ann] = await team(server, 1);
    const { chat } = await arrival(server, ann.department);
    await ann.expect('offer', { chat, kind: 'new' });
    await ann.done('offer.decline', { chat, reason: 'let me finish this first' });
    await ann.expect('offer', { chat, kind: 'new' });
    const { events } = await state(chat, 'offered');
    const declined = events.find((e) => e.kind === 'offer_declined'), again = events.filter((e) => e.kind === 'offered')[1];
    assert.ok(again.at - declined.at >= 1000, `${again.at - declined.at} ms after the decline`);
  });

  test('a shopper who leaves while waiting is abandoned, with the time waited', async () => {
    const [who] = await staff(server, 1);
    const { sue, chat } = await arrival(server, who.department);
    await sue.done('chat.leave', { chat });
    const t = await state(chat, 'abandoned');
    const e = t.events.find((x) => x.kind === 'abandoned');
    assert.ok(e.waited_ms >= 0);
    const ann = await rep(server, who);
    await ann.refused('conflict', 'chat.claim', { chat });
  });

  test('a shopper who comes back soon after leaving gets the place again', async () => {
    const [who] = await staff(server, 1);
    const { sue, chat } = await arrival(server, who.department);
    await sue.done('chat.leave', { chat });
    const ok = await sue.done('message.send', { chat, text: 'I am still here after all' });
    assert.ok(ok.seq);
    const ann = await rep(server, who);
    await take(ann, chat);
    await sue.event('message', { text: 'I will look into that for you.' });
    const t = await state(chat, 'active');
    assert.ok(t.events.some((e) => e.kind === 'reopened'));
  });

  test('a shopper who leaves a served chat is noted, and the case goes on', async () => {
    const { ann, sue, chat } = await servedChat(server);
    await sue.done('chat.leave', { chat });
    await ann.event('left', { chat });
    await state(chat, 'active');
    await sue.say('Back again.');
    await ann.event('message', { text: 'Back again.' });
  });

  test('a shopper who is offline for too long while waiting is abandoned, one who returns in time is not', async () => {
    const [who] = await staff(server, 1);
    const one = await arrival(server, who.department);
    const two = await arrival(server, who.department);
    one.sue.drop();
    two.sue.drop();
    const back = await again(two.sue);
    assert.equal(back.welcome.chat, two.chat);
    const t = await state(one.chat, 'abandoned');
    const cut = t.events.find((e) => e.kind === 'abandoned');
    assert.ok(cut.waited_ms >= 1000, `waited ${cut.waited_ms}`);
    await back.say('still waiting');
    await server.transcript(quinn.token, two.chat, (x) => x.state !== 'abandoned');
  });

  test('a shopper who leaves in the moment of the first message is abandoned like everybody else', async () => {
    const [who] = await staff(server, 1);
    for (let i = 0; i < 5; i++) {
      const sue = await shopper(server);
      await new Promise((sent) => sue.ws.send(JSON.stringify({ t: 'chat.start', id: 'gone', text: 'Hello?', department: who.department }), sent));
      sue.drop();
    }
    const items = async () => (await server.api('GET', `/api/v1/transcripts?department=${who.department}`, { token: quinn.token })).json.items;
    await until(async () => (await items()).length > 0, 'a chat has begun');
    await until(async () => (await items()).every((x) => x.state === 'abandoned'), 'all are abandoned');
  });

  test('those who need care come first, then by time', async () => {
    const [who] = await staff(server, 1);
    const normal = await arrival(server, who.department, { text: 'first of all' });
    const later = await arrival(server, who.department, { text: 'second' });
    const care = await arrival(server, who.department, { text: 'I am eighty', class: 'care' });
    await until(() => care.sue.seen.some((m) => m.t === 'queue' && m.position === 1), 'care is first in the queue');
    const ann = await rep(server, who, { capacity: 20 });
    const order = [];
    for (let i = 0; i < 3; i++) {
      const o = await ann.expect('offer', { kind: 'new' });
      order.push(o.chat);
      await ann.done('offer.accept', { chat: o.chat });
    }
    assert.deepEqual(order, [care.chat, normal.chat, later.chat]);
  });

  test('a waiting shopper gets a care message once, then an explanation, and the lead is alerted', async () => {
    const [l] = await staff(server, 1, { role: 'lead' });
    const lea = await rep(server, l, { shift: false });
    const { sue, chat } = await arrival(server, l.department, { text: 'How long does a refund take?' });
    const water = await sue.event('care', { chat, step: 'water' });
    assert.ok(water.text.length > 0);
    assert.ok(Array.isArray(water.choices) && water.choices.length >= 2);
    const explain = await sue.event('care', { chat, step: 'explain' });
    assert.ok(explain.seq > water.seq);
    const alert = await lea.expect('alert', { chat });
    await lea.done('alert.act', { alert: alert.alert, action: 'explain', note: 'told them' });
    await lea.refused(['conflict', 'not_found'], 'alert.act', { alert: alert.alert, action: 'explain' });
    const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'alert_acted'));
    assert.equal(t.events.filter((e) => e.kind === 'care' && e.step === 'water').length, 1);
    assert.equal(t.events.filter((e) => e.kind === 'care' && e.step === 'explain').length, 1);
  });

  test('an accepted chat that stays silent is reminded of, then offered on', async () => {
    const { ann, bob, chat } = await twoRepsOneWaitingShopper(server);
    const first = await Promise.race([ann, bob].map((r) => r.expect('offer', { chat, kind: 'new' }).then(() => r)));
    const second = first === ann ? bob : ann;
    await first.done('offer.accept', { chat });
    await first.event('reminded', { chat });
    await second.expect('offer', { chat, kind: 'new' });
    await second.done('offer.accept', { chat });
    await second.say('Sorry for the silence.', { chat });
    await first.refused('not_handler', 'message.send', { chat, text: 'oh' });
  });

  test('a rep with room is found for the next one as soon as a chat ends', async () => {
    const [ann] = await team(server, 1, { capacity: 1 });
    const one = await servedChat(server, { ann });
    const two = await arrival(server, ann.department);
    await two.sue.expect('queue', { chat: two.chat, position: 1 });
    await ann.done('chat.resolve', { chat: one.chat, resolution: 'answered', summary: 'x' });
    await one.sue.event('resolution_proposed');
    await one.sue.done('chat.confirm', { solved: true });
    await ann.expect('offer', { chat: two.chat });
  });

  test('the place in the queue is told again when somebody before has gone', async () => {
    const [who] = await staff(server, 1);
    const one = await arrival(server, who.department);
    const two = await arrival(server, who.department);
    await two.sue.expect('queue', { chat: two.chat, position: 2 });
    await one.sue.done('chat.leave');
    await two.sue.expect('queue', { chat: two.chat, position: 1 });
  });

  test('the first words lead to a department, and a rep can lead the chat to another', async () => {
    const [who] = await staff(server, 1);
    const [other] = await staff(server, 1);
    const sue = await shopper(server);
    await sue.refused(['not_found', 'bad_request'], 'chat.start', { text: 'hello there', department: 'no-such-department' });
    const { chat } = await sue.done('chat.start', { text: 'my lamp', department: who.department });
    const ann = await rep(server, who);
    const bob = await rep(server, other);
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
    await ann.done('chat.triage', { chat, department: other.department, reason: 'lamps are theirs' });
    await bob.expect('offer', { chat });
    await bob.done('offer.accept', { chat });
    await bob.say('Lamps, here we are.', { chat });
    await sue.event('message', { text: 'Lamps, here we are.' });
    await ann.refused('not_handler', 'message.send', { chat, text: 'x' });
  });
});
