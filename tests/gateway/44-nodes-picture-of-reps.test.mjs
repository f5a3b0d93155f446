// Matching chooses by what a node knows of the reps; what others changed meanwhile is seen in time (rule 1.3). No beat helps here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { arrival, staff, take } from './lib/desk.mjs';
import { Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const SET = { 'presence.beat_ms': 60_000, 'presence.silent_ms': 300_000 };
let redis;
let one;
let two;

before(async () => {
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'one' } }).start();
  two = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'two' } }).start();
  one.holdsArchive = true;
});
after(() => endAndCheck(two, one));

/** From here on neither node hears the other. */
async function deafen(t) {
  t.after(() => ask(redis.socket, 'ACL', 'SETUSER', 'default', 'allchannels'));
  await ask(redis.socket, 'ACL', 'SETUSER', 'default', 'resetchannels');
  await ask(redis.socket, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
}

const key = (kind, id) => `fl:{default}:${kind}:${id}`;

test('rule 1.3: room that a rep got on another node is seen when the next shopper comes', async () => {
  const [who] = await staff(one, 1);
  const [boss] = await staff(one, 1, { role: 'lead', department: who.department });
  const lead = await rep(one, boss, { shift: false });
  await lead.done('board.watch', { on: true });
  const ann = await rep(two, who, { capacity: 1 });
  const bob = await arrival(two, who.department); // node one never has this chat in memory
  await take(ann, bob.chat);
  const { sue, chat } = await arrival(one, who.department);
  await lead.expect((m) => m.t === 'board' && m.people.some((p) => p.id === ann.me && p.load === 1)); // node one has seen that she is full
  await sue.done('chat.leave', { chat });
  await ann.done('chat.resolve', { chat: bob.chat, resolution: 'answered', summary: 'answered' });
  const tim = await arrival(one, who.department);
  await ann.expect('offer', { chat: tim.chat });
  await ann.done('offer.accept', { chat: tim.chat });
});

test('rule 1.3: a rep who is full by now is not offered it, the next one is', async (t) => {
  const people = await staff(one, 2);
  const [ann, bob] = [await rep(one, people[0], { capacity: 2 }), await rep(one, people[1], { capacity: 2 })];
  const [first, other] = [ann, bob].sort((x, y) => (x.me < y.me ? -1 : 1)); // nobody ever had one: the smaller id is chosen
  const sue = await arrival(one, people[0].department);
  await first.expect('offer', { chat: sue.chat });
  await first.done('offer.decline', { chat: sue.chat, reason: 'not mine' });
  await take(other, sue.chat); // one of two: the other one is less loaded
  t.after(() => ask(redis.socket, 'HDEL', key('w', first.me), 'c_of_an_older_node'));
  await ask(redis.socket, 'HSET', key('w', first.me), 'c_of_an_older_node', '2'); // a change that nothing tells of
  const tim = await arrival(one, people[0].department);
  await other.expect('offer', { chat: tim.chat });
  await other.done('offer.accept', { chat: tim.chat });
  assert.deepEqual(first.seen.filter((m) => m.t === 'offer' && m.chat === tim.chat), []);
});

test('rule 1.3: what is changed of a rep and told to nobody is seen on a slow beat', async (t) => {
  const its = await new Redis().start();
  const alone = await new Server({ redis: its.url, set: { 'presence.beat_ms': 100 } }).start();
  t.after(() => endAndCheck(alone));
  const [who] = await staff(alone, 1);
  const ann = await rep(alone, who, { capacity: 1 });
  await take(ann, (await arrival(alone, who.department)).chat);
  const { sue, chat } = await arrival(alone, who.department);
  await sue.expect('queue', { chat });
  await ask(its.socket, 'HSET', key('r', ann.me), 'capacity', '2'); // as an older node would: without a number
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
});

test('rule 2.10: a chat given to a department whose chosen rep is full by now goes to the next one there', async (t) => {
  const people = await staff(one, 2);
  const there = await Promise.all(people.map((who) => rep(one, who, { capacity: 2 })));
  const [first, other] = there.sort((x, y) => (x.me < y.me ? -1 : 1));
  const lead = await rep(one, (await staff(one, 1, { role: 'lead' }))[0]);
  const { chat } = await arrival(one, lead.who.department);
  await take(lead, chat);
  t.after(() => ask(redis.socket, 'HDEL', key('w', first.me), 'c_of_an_older_node'));
  await ask(redis.socket, 'HSET', key('w', first.me), 'c_of_an_older_node', '2'); // a change that nothing tells of
  await lead.done('chat.reassign', { chat, to: people[0].department, reason: 'a lamp' });
  const e = await other.event('reassigned', { chat });
  assert.equal(e.handler.id, other.me);
  assert.deepEqual(e.candidates.map((c) => [c.id, c.why]).sort(), [[first.me, 'full'], [other.me, 'chosen']].sort());
});

test('rule 2.4: a handover to a department whose chosen rep has ended the shift, unheard, goes to the next one there', async (t) => {
  const people = await staff(one, 2);
  const there = await Promise.all(people.map((who) => rep(two, who)));
  const [first, other] = there.sort((x, y) => (x.me < y.me ? -1 : 1));
  const ann = await rep(one, (await staff(one, 1))[0]);
  const { chat } = await arrival(one, ann.who.department);
  await take(ann, chat);
  const state = async (r) => (await rep(one, ann.who, { shift: false })).welcome.people.find((p) => p.id === r.me)?.state;
  for (const r of there) await until(async () => (await state(r)) === 'on', 'node one knows that they are on shift');
  await deafen(t);
  await first.done('shift.end');
  await ann.done('chat.transfer', { chat, to: people[0].department, card: { summary: 'a lamp', requirements: '', verified: [], promised: '' } });
  await ann.done('chat.open', { chat });
  assert.equal(ann.entries(chat, 'transfer_offered')[0].to.id, other.me);
});

test('a shift that was ended on another node, unheard, is started anew and not taken to run', async (t) => {
  const [who] = await staff(one, 1);
  const ann = await rep(one, who);
  const tab = await rep(two, who, { shift: false });
  assert.equal(tab.welcome.shift.state, 'on');
  await deafen(t);
  await tab.done('shift.end');
  await ann.done('shift.start', { capacity: 20 });
  assert.match(await ask(redis.socket, 'HGET', key('r', ann.me), 'shift'), /\bon\b/);
});
