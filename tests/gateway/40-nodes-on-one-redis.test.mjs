// Several nodes of the binary on one Redis serve one chat; any of them may die.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { ask } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { again, newId, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, staff } from './lib/desk.mjs';
import { Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const SET = { 'ownership.grace_ms': 1000, 'presence.grace_ms': 1000, 'presence.beat_ms': 300, 'presence.silent_ms': 1500 };
let redis;
let one; // holds the archive: it started first
let two;
let quinn;

before(async () => {
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'one' } }).start();
  two = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'two' } }).start();
  one.holdsArchive = true;
  quinn = await auditor(one);
});
after(() => endAndCheck(two, one));

/** Ann at node two serves Sue at node one. */
async function across() {
  const [who] = await staff(one, 1);
  const ann = await rep(two, who);
  const { sue, chat } = await arrival(one, who.department);
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  await ann.say('Here is what the other node says.', { chat });
  await sue.event('message', { chat });
  return { ann, sue, chat };
}

test('both name the same epoch, and accounts and tokens hold on both', async () => {
  const [who] = await staff(one, 1);
  const a = await rep(one, who, { shift: false });
  const b = await rep(two, who, { shift: false });
  assert.equal(a.welcome.epoch, b.welcome.epoch);
  assert.equal(a.me, b.me);
});

test('an offer reaches the rep on the other node, and messages go both ways in order', async () => {
  const { ann, sue, chat } = await across();
  for (let i = 0; i < 100; i++) {
    const s = await sue.say(`s${i}`);
    const e = await ann.event('message', { text: `s${i}` });
    assert.deepEqual([e.seq, e.at], [s.seq, s.at]);
    await ann.say(`a${i}`, { chat });
    await sue.event('message', { text: `a${i}` });
  }
  assert.deepEqual(sue.entries(chat, 'message').map((e) => e.text).slice(1), Array.from({ length: 100 }, (_, i) => `a${i}`));
});

test('a handover on offer is found by a receiver who comes to a node that knows nothing of it', async (t) => {
  const [a, b] = await staff(one, 2);
  const ann = await rep(one, a);
  const { chat } = await servedChat(one, { ann });
  const bob = await rep(two, b);
  await ann.expect('presence', { rep: bob.me, state: 'on' });
  await ann.done('chat.transfer', { chat, to: bob.me, card: { summary: 'a lamp', requirements: '', verified: [], promised: '' } });
  await bob.expect('offer', { chat, kind: 'transfer' });
  const three = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'three' } }).start();
  t.after(() => three.stop());
  const tab = await rep(three, b, { shift: false });
  assert.deepEqual(tab.welcome.offers.map((o) => [o.chat, o.kind, o.card.summary]), [[chat, 'transfer', 'a lamp']]);
  await tab.done('offer.accept', { chat });
  await ann.event('transferred', { chat });
});

test('both write at once from both nodes: one order for everybody', async () => {
  const { ann, sue, chat } = await across();
  const all = [];
  for (let i = 0; i < 100; i++) all.push(sue.ask('message.send', { chat, text: `S${i}` }), ann.ask('message.send', { chat, text: `A${i}` }));
  const answers = await Promise.all(all);
  assert.deepEqual(answers.filter((m) => m.t !== 'ok'), []);
  await ann.say('last', { chat });
  await sue.event('message', { text: 'last' });
  assert.equal(new Set(answers.map((m) => m.seq)).size, 200);
  assert.deepEqual(sue.entries(chat, 'message').map((e) => e.text).filter((t) => /^A\d/.test(t)), Array.from({ length: 100 }, (_, i) => `A${i}`));
  assert.deepEqual(ann.entries(chat, 'message').map((e) => e.text).filter((t) => /^S\d/.test(t)), Array.from({ length: 100 }, (_, i) => `S${i}`));
});

test('what a node did itself and what another one read of it come to the same case', async () => {
  const [who] = await staff(one, 1);
  const [ann, here, there] = [await rep(one, who), await rep(one, who, { shift: false }), await rep(two, who, { shift: false })];
  const { sue, chat } = await arrival(one, who.department);
  const rowAt = async (server) => (await rep(server, who, { shift: false })).welcome.chats.find((row) => row.chat === chat);
  /** The case on both nodes, once the other one has read all. */
  const theCase = async () => {
    const mine = await here.done('chat.open', { chat });
    let other;
    await until(async () => (other = await there.done('chat.open', { chat })).seq >= mine.seq, 'the other node has read it');
    assert.deepEqual(other.card, mine.card);
    const row = await rowAt(one);
    assert.deepEqual(await rowAt(two), row);
    return { ...mine.card, ...row };
  };
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  await ann.say('Hello!', { chat });
  const greeted = await theCase();
  assert.deepEqual([greeted.owner ?? null, greeted.last.text], [null, 'Hello!']);
  await ann.say('I ask the depot.', { chat });
  const owned = await theCase();
  assert.deepEqual([owned.owner.id, owned.last.text, owned.unanswered_since ?? null], [ann.me, 'I ask the depot.', null]);
  const asked = await sue.say('When will it come?', { chat });
  const waits = await theCase();
  assert.deepEqual([waits.last.text, waits.unanswered_since], ['When will it come?', asked.at]);
  await ann.done('note.add', { chat, text: 'Ask her for the number first.' });
  assert.equal((await theCase()).unanswered_since, asked.at);
  await ann.done('promise.add', { chat, text: 'a call at four', until: Date.now() + 60_000 });
  await ann.say('It comes tomorrow.', { chat });
  await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'tomorrow' });
  await sue.event('resolution_proposed', { chat });
  assert.equal((await theCase()).state, 'proposed');
  await sue.done('chat.confirm', { chat, solved: false });
  await sue.say('It did not.', { chat });
  assert.equal((await theCase()).last.text, 'It did not.');
});

test('nobody is told their own signs, on any node', async () => {
  const { ann, sue, chat } = await across();
  const tabs = [await again(sue, {}, two), await rep(one, ann.who, { shift: false })];
  for (const [c, other] of [[sue, ann], [ann, sue]]) {
    c.send('typing', { chat, on: true });
    await other.expect('typing', { chat });
    c.send('read', { chat, seq: 2 });
    await other.expect('receipt', { chat });
  }
  await Promise.all(tabs.map((t) => t.settle()));
  for (const t of tabs) assert.deepEqual(t.seen.filter((m) => m.from?.id === t.me && (m.t === 'typing' || m.t === 'receipt')), []);
});

test('typing and read marks cross the nodes', async () => {
  const { ann, sue, chat } = await across();
  sue.send('typing', { chat, on: true });
  await ann.expect('typing', { chat, on: true });
  ann.send('typing', { chat, on: true });
  await sue.expect('typing', { chat, on: true });
  ann.send('read', { chat, seq: ann.head(chat) });
  await sue.expect('receipt', { chat });
});

test('rule 1.5: the wait that is expected follows what is taken on other nodes', async () => {
  const [who] = await staff(one, 1);
  const ann = await rep(one, who, { capacity: 2 });
  for (let i = 0; i < 2; i++) {
    const { chat } = await arrival(two, who.department);
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
  }
  const { sue, chat } = await arrival(two, who.department);
  const { eta_s } = await sue.expect('queue', { chat });
  assert.ok(eta_s < 240, `${eta_s} s, as if nobody had been taken`); // 240: what is told where nothing is known
});

test('what a rep has read on one node is not new to them on the other one', async () => {
  const { ann, sue, chat } = await across();
  for (const text of ['one', 'two']) await sue.say(text, { chat });
  await ann.event('message', { text: 'two' });
  ann.send('read', { chat, seq: ann.head(chat) });
  await sue.expect('receipt', { chat, read: ann.head(chat) });
  const row = (await rep(one, ann.who, { shift: false })).welcome.chats.find((c) => c.chat === chat);
  assert.equal(row.unread, 0);
});

test('an id repeated at the other node gets the first answer', async () => {
  const { ann, sue, chat } = await across();
  const id = newId();
  const first = await sue.say('twice', { id });
  const tab = await again(sue, {}, two);
  const second = await tab.say('twice', { id, chat });
  assert.deepEqual([first.seq, first.at], [second.seq, second.at]);
  const mine = await ann.say('twice too', { chat, id });
  const there = await rep(one, ann.who, { shift: false });
  assert.equal((await there.say('twice too', { chat, id })).seq, mine.seq);
  await tab.refused('conflict', 'message.send', { chat, text: 'other words', id });
});

test('reps on both nodes claim and reply at once: one gets it', async () => {
  const people = await staff(one, 8);
  const reps = await Promise.all(people.map((w, i) => rep(i % 2 ? one : two, w)));
  for (let k = 0; k < 4; k++) {
    const { sue, chat } = await arrival(k % 2 ? one : two, people[0].department, { text: `race ${k}` });
    const t = k < 2 ? 'chat.claim' : 'message.send';
    const answers = await Promise.all(reps.map((r) => r.ask(t, { chat, ...(k < 2 ? {} : { text: `from ${r.me}` }) })));
    assert.equal(answers.filter((m) => m.t === 'ok').length, 1, JSON.stringify(answers));
    if (k >= 2) await sue.event('message', { chat });
  }
});

test('two starts of one shopper at two nodes make one chat', async () => {
  for (let i = 0; i < 5; i++) {
    const sue = await shopper(one);
    const tab = await again(sue, {}, two);
    const got = await Promise.all([sue, tab].map((c, k) => c.ask('chat.start', { text: `start ${k}`, department: 'general' })));
    const ok = got.find((m) => m.t === 'ok');
    const no = got.find((m) => m.t === 'error');
    assert.deepEqual([no?.code, no?.chat], ['conflict', ok?.chat], JSON.stringify(got));
    await sue.done('chat.leave', { chat: ok.chat });
  }
});

test('a chat that is started in one tab is shown in the other one too, on whichever node that is', async () => {
  const [who] = await staff(one, 1);
  const sue = await shopper(one);
  const tab = await again(sue, {}, two);
  const { chat } = await sue.done('chat.start', { text: 'I have two tabs.', department: who.department });
  assert.equal((await tab.event('message', { chat })).text, 'I have two tabs.');
  await tab.say('This is the other one.');
  assert.equal((await sue.event('message', { chat })).text, 'This is the other one.');
});

test('a rep with connections on both nodes is lost only when both are gone', async () => {
  const { ann, sue, chat } = await across();
  const here = await rep(one, ann.who, { shift: false });
  await here.done('chat.open', { chat });
  ann.drop();
  const other = await across();
  other.ann.drop();
  await other.sue.event('handler_lost');
  await here.say('From the other desk.', { chat });
  await sue.event('message', { text: 'From the other desk.' });
  assert.equal(sue.entries(chat, 'handler_lost').length, 0);
});

test('the archive is written by one node, and transcripts are had there or it is named', async () => {
  const { ann, chat } = await across();
  await one.transcript(quinn.token, chat, (t) => t.events.length >= ann.head(chat));
  const r = await two.api('GET', `/api/v1/transcripts/${chat}`, { token: quinn.token });
  assert.ok(r.status === 200 || (r.status === 503 && r.text.includes('one')), `${r.status} ${r.text.slice(0, 200)}`);
});

test('one node is killed under traffic: its people go on at the other, nothing acknowledged is lost', async () => {
  const three = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'three' } }).start();
  const [a, b] = await staff(one, 2);
  const ann = await rep(three, a);
  const { sue, chat } = await arrival(three, a.department);
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  await ann.say('We are both on a node that will die.', { chat });
  const bob = await rep(one, b);
  const pending = [];
  for (let i = 0; i < 400; i++) {
    sue.send('message.send', { chat, text: `under way ${i}`, id: `kill-${i}` });
    pending.push(`kill-${i}`);
  }
  await until(() => sue.oks.has('kill-50'), 'some are acknowledged');
  await three.kill();
  await sue.gone;
  const back = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] }, one);
  for (let i = 0; i < 400; i++) {
    const ok = await back.say(`under way ${i}`, { chat, id: `kill-${i}` });
    const first = sue.oks.get(`kill-${i}`);
    if (first) assert.equal(ok.seq, first.seq, `the first answer to kill-${i}`);
  }
  // The dead node's handler is missed by the others, who give the chat to a deputy.
  await bob.expect('offer', { chat }, 15_000);
  await bob.done('offer.accept', { chat });
  await bob.say('Ann’s machine has died, I am Bob.', { chat });
  await back.event('message', { text: 'Ann’s machine has died, I am Bob.' });
  const t = await one.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text?.startsWith('Ann’s machine')));
  assert.deepEqual(t.events.filter((e) => e.text?.startsWith('under way')).map((e) => e.text), pending.map((_, i) => `under way ${i}`));
  one.clients.push(...three.clients);
});

test('a node that is stopped in good manners hands its people over with 1001', async () => {
  const four = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'four' } }).start();
  const [who] = await staff(one, 1);
  const { sue, chat, ann } = await servedChat(four, { ann: await rep(four, who) });
  const stopping = four.stop();
  assert.equal((await sue.gone).code, 1001);
  assert.equal((await ann.gone).code, 1001);
  const there = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] }, one);
  const here = await rep(one, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
  await here.say('As if nothing had happened.', { chat });
  await there.event('message', { text: 'As if nothing had happened.' });
  assert.equal((await stopping).code, 0);
  assert.equal(redis.exit, null, 'the Redis of all is left alone');
  one.clients.push(...four.clients);
});

test('an offer reaches a rep on another node although no node hears the others', async (t) => {
  const [who] = await staff(one, 1);
  const ann = await rep(two, who);
  await until(async () => (await rep(one, who, { shift: false })).welcome.shift.state === 'on', 'node one knows that she is on shift');
  t.after(() => ask(redis.socket, 'ACL', 'SETUSER', 'default', 'allchannels'));
  assert.match(await ask(redis.socket, 'ACL', 'SETUSER', 'default', 'resetchannels'), /OK/);
  await ask(redis.socket, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
  const { chat } = await arrival(one, who.department);
  await ann.expect('offer', { chat });
});

test('a node that hears nothing is not behind by more for all that others have changed', async (t) => {
  const many = 10_000;
  const { ann, sue, chat } = await across();
  const last = Number((await ask(redis.socket, 'INCRBY', 'fl:{default}:n', String(many))).slice(1));
  t.after(async () => {
    await ask(redis.socket, 'ACL', 'SETUSER', 'default', 'allchannels');
    await ask(redis.socket, 'ZREMRANGEBYSCORE', 'fl:{default}:changed', String(last - many + 1), String(last));
  });
  await ask(redis.socket, 'ACL', 'SETUSER', 'default', 'resetchannels');
  await ask(redis.socket, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
  for (let i = 0; i < many; i += 1000) await ask(redis.socket, 'ZADD', 'fl:{default}:changed', ...Array.from({ length: 1000 }, (_, k) => [String(last - many + 1 + i + k), `c_elsewhere_${i + k}`]).flat());
  await sue.say('Are you there?', { chat });
  await ann.event('message', { text: 'Are you there?' });
});

test('a node is ready although it hears of an account just as it asks who there is', async () => {
  const [who] = await staff(one, 1);
  const ann = await rep(one, who, { shift: false });
  const socket = `${redis.dir}/start.sock`;
  let heard; // the account's log is being read
  const listener = net.createServer((c) => {
    const r = net.connect(redis.socket);
    let held = null;
    let last = Promise.resolve();
    for (const [x, y] of [[c, r], [r, c]]) x.on('error', () => y.destroy()).on('close', () => y.destroy());
    c.on('data', (d) => {
      if (!heard && d.includes('SMEMBERS') && d.includes(':people')) {
        held = new Promise((yes) => (heard = yes));
        ann.send('shift.start', { capacity: 3 });
      } else if (held && d.includes(`:l:${ann.me}`)) {
        heard();
      }
      r.write(d);
    });
    r.on('data', (d) => (last = last.then(() => held).then(() => c.writable && c.write(d))));
  });
  await new Promise((yes) => listener.listen(socket, yes));
  const five = new Server({ redis: `unix://${socket}`, set: { ...SET, 'server.node': 'five' } });
  await five.start();
  const there = await rep(five, who, { shift: false });
  assert.equal(there.me, ann.me);
  listener.close();
  await five.stop();
});

test('a Redis that forgets the scripts is sent each again by whoever needs it: logs are read, people seen, chats offered', async () => {
  const refused = async () => Number(/errorstat_NOSCRIPT:count=(\d+)/.exec(await ask(redis.socket, 'INFO', 'errorstats'))?.[1] ?? 0);
  const before = await refused();
  const forget = async () => assert.match(await ask(redis.socket, 'SCRIPT', 'FLUSH'), /OK/);
  const [who] = await staff(one, 1);
  await forget();
  const ann = await rep(one, who); // presence
  const { sue, chat } = await arrival(two, who.department); // an offer by either node
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  for (let i = 0; i < 20; i++) {
    if (i % 5 === 0) await forget();
    await ann.say(`page ${i}`, { chat });
    await sue.event('message', { text: `page ${i}` });
  }
  await forget();
  const back = await again(sue, { resume: [{ chat, seq: 1 }] }, one); // a log, from its start
  await back.event('message', { text: 'page 19' });
  assert.deepEqual(back.entries(chat, 'message').map((e) => e.text).filter((x) => x.startsWith('page')), Array.from({ length: 20 }, (_, i) => `page ${i}`));
  await forget();
  const bob = await rep(two, (await staff(one, 1, { department: who.department }))[0]);
  await ann.done('shift.pause');
  const next = await arrival(one, who.department);
  await bob.expect('offer', { chat: next.chat });
  const n = (await refused()) - before;
  assert.ok(n > 0 && n < 200, `${n} calls met a Redis that did not know their script: none is sent without pause`);
});
