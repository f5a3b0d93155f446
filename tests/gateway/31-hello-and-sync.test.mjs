// What a connection is told when it comes, and when it asks again: whole, each question answered, whoever leaves in between.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { Client, again, rep } from './lib/client.mjs';
import { arrival, servedChat, servedChatWithColleague, staff, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;

before(async () => {
  server = await new Server().start();
});
after(() => endAndCheck(server));

const seqs = (c, chat) => c.seen.filter((m) => m.t === 'event' && m.chat === chat).map((m) => m.seq);

test('reps who leave while their hello is being answered leave nothing behind', async () => {
  const [who] = await staff(server, 1);
  for (let i = 0; i < 40; i++) {
    const c = await Client.open(server, '/ws/rep', { headers: { authorization: `Bearer ${who.token}` } });
    c.send('hello');
    await c.close();
  }
  const [other] = await staff(server, 1, { department: who.department });
  const bob = await rep(server, other, { shift: false });
  const there = bob.welcome.people.find((p) => p.id === who.id);
  assert.ok(!there || there.presence !== 'present', JSON.stringify(there));
  const ann = await rep(server, who);
  await servedChat(server, { ann });
});

test('questions for older entries that overlap are each answered, and nothing is left out', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const write = async (n, text) => {
    for (let i = 0; i < n; i++) sue.send('message.send', { chat, text: `${text} ${i}` });
    return (await sue.say(`${text}, the last`, { chat })).seq;
  };
  await write(600, 'old');
  const from = Date.now();
  await until(() => Date.now() - from > 5200, 'what is old may leave memory', 8000, 200);
  const head = await write(300, 'new');
  for (const list of [[0, 0], [250, 0], [500, 300, 0], [100, 400]]) {
    const two = await rep(server, ann.who, { shift: false });
    await two.settle();
    two.seen.length = 0;
    const asked = list.map((after) => two.send('sync', { chat, after }));
    await until(() => asked.every((id) => two.seen.some((m) => m.re === id)), () => `all of ${list} are answered`);
    const all = new Set(seqs(two, chat));
    for (let seq = Math.min(...list) + 1; seq <= head; seq++) assert.ok(all.has(seq), `${list}: ${seq} was sent`);
    for (const id of asked) assert.ok(two.seen.find((m) => m.re === id).seq >= head);
    two.problems.length = 0; // what was asked for twice may come twice
    await two.close();
  }
});

test('a rep of more than two hundred chats is told all of them', async () => {
  const [who] = await staff(server, 1);
  const ann = await rep(server, who, { capacity: 1000 });
  const n = 205;
  const all = [];
  for (let i = 0; i < n; i += 41)
    all.push(...(await Promise.all(Array.from({ length: 41 }, async () => {
      const a = await arrival(server, who.department);
      await ann.expect('offer', { chat: a.chat, kind: 'new' }, 30_000);
      await ann.done('offer.accept', { chat: a.chat });
      return a;
    }))));
  await ann.close();
  const back = await rep(server, who, { shift: false });
  assert.equal(back.welcome.chats.length, n);
  for (const { sue, chat } of all) await sue.say('Are you back?', { chat });
  for (const { chat } of all) await back.event('message', { chat, text: 'Are you back?' });
});

/** The row of this chat in a new welcome of this rep. */
async function rowOf(r, chat) {
  const again = await rep(server, r.who, { shift: false });
  const row = again.welcome.chats.find((c) => c.chat === chat);
  await again.close();
  return row;
}

test('rule 2.3: who was asked hears so again after a reload and a restart, until they have answered', async () => {
  const { ann, chat } = await servedChat(server);
  const [eve] = await team(server, 1);
  await ann.done('chat.consult', { chat, to: eve.me, question: 'Is the seam under warranty?' });
  const { at } = await eve.event('consulted', { chat });
  const asked = { to: { id: eve.me, name: eve.welcome.rep.name }, by: { id: ann.me, name: ann.welcome.rep.name }, question: 'Is the seam under warranty?', at };
  assert.deepEqual((await rowOf(eve, chat))?.consult, asked);
  await server.stop();
  await server.start({ listen: `127.0.0.1:${server.port}` });
  assert.deepEqual((await rowOf(eve, chat))?.consult, asked);
  const back = await rep(server, eve.who, { shift: false });
  await back.done('consult.answer', { chat, text: 'Two years, it is.' });
  await back.close();
  assert.equal(await rowOf(eve, chat), undefined);
  assert.equal((await rowOf(ann, chat)).consult, undefined);
});

test('a row in welcome says what is promised, handed over, tagged and not read yet', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  for (const text of ['one', 'two', 'three']) await sue.say(text, { chat });
  const until = Date.now() + 3_600_000;
  await ann.done('promise.add', { chat, text: 'a picture', until });
  await ann.done('promise.add', { chat, text: 'kept', until });
  const { promise } = await sue.event('promised', { text: 'a picture' });
  await ann.done('promise.done', { chat, promise: (await sue.event('promised', { text: 'kept' })).promise });
  await ann.done('chat.tag', { chat, add: ['sofa'] });
  await sue.say('four', { chat });
  await sue.say('five', { chat });
  let row = await rowOf(ann, chat);
  assert.deepEqual([row.promises, row.tags, row.transfer, row.unread], [[{ id: promise, text: 'a picture', until, state: 'open' }], ['sofa'], undefined, 2]);
  await ann.event('message', { text: 'five' });
  ann.send('read', { chat, seq: row.seq });
  await ann.settle();
  await sue.say('six', { chat });
  assert.equal((await rowOf(ann, chat)).unread, 1);
  await ann.done('chat.transfer', { chat, to: bob.me, card: { summary: 's', requirements: '', verified: [], promised: '' } });
  const { deadline_at } = await bob.expect('offer', { chat, kind: 'transfer' });
  row = await rowOf(ann, chat);
  assert.deepEqual([row.transfer.to.id, row.transfer.until, row.unread], [bob.me, deadline_at, 0]);
});

test("a shopper's name turns no text around it", async () => {
  const { ann, chat } = await servedChat(server, { hello: { name: 'A\u202enna\u2066 \u200f安娜' } });
  assert.equal((await rowOf(ann, chat)).shopper.name, 'Anna 安娜');
});

test('the shopper sees the signs of who writes to them, and of nobody else', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await bob.done('chat.open', { chat });
  for (const c of [bob, ann]) {
    c.send('typing', { chat, on: true });
    c.send('read', { chat, seq: 2 });
    await c.settle();
  }
  await sue.expect('typing', { chat });
  await sue.expect('receipt', { chat });
  await sue.settle();
  const signs = sue.seen.filter((m) => m.t === 'typing' || m.t === 'receipt');
  assert.deepEqual([...new Set(signs.map((m) => m.from.id))], [ann.me]);
  await ann.expect('typing', { chat });
});

test('what somebody has read they have read: a tab that is behind takes no mark back', async () => {
  const { ann, sue, chat } = await servedChat(server);
  for (const text of ['one', 'two']) await sue.say(text, { chat });
  await ann.event('message', { text: 'two' });
  for (const [who, tab, other] of [[ann, await rep(server, ann.who, { shift: false }), sue], [sue, await again(sue), ann]]) {
    const read = other.head(chat);
    who.send('read', { chat, seq: read });
    await other.expect('receipt', { chat, read });
    tab.send('read', { chat, seq: 1 });
    await tab.settle();
    await other.settle();
    assert.deepEqual(other.seen.filter((m) => m.t === 'receipt' && m.read < read), []);
  }
});

test('who may read less since the socket was opened is told nothing of the rest', async () => {
  const { chat } = await servedChat(server);
  const quinn = await server.account({ role: 'qa', department: server.newDepartment() });
  const c = await Client.open(server, '/ws/rep', { headers: { authorization: `Bearer ${quinn.token}` } });
  await server.cli(['user', 'roles', quinn.login, '--role', 'rep']);
  await until(async () => (await server.api('GET', '/api/v1/session', { token: quinn.token })).json.roles.join() === 'rep', 'the new roles are known');
  const { chats, roles } = await c.done('hello', { resume: [{ chat, seq: 0 }] });
  assert.deepEqual([chats, roles], [[{ chat, error: 'not_found' }], ['rep']]);
  await c.settle();
  assert.deepEqual(seqs(c, chat), []);
});

test('signs of several people that come at once are each told', async () => {
  const { ann, bob, sue, chat } = await servedChatWithColleague(server);
  await bob.done('chat.open', { chat });
  await ann.settle();
  server.process.kill('SIGSTOP'); // so that they come in one turn
  for (const c of [sue, bob]) {
    c.send('typing', { chat, on: true });
    c.send('read', { chat, seq: 2 });
    await new Promise((done) => c.ws._socket.write('', done));
  }
  server.process.kill('SIGCONT');
  await Promise.all([sue.settle(), bob.settle()]);
  await ann.settle();
  for (const t of ['typing', 'receipt']) assert.deepEqual(ann.seen.filter((m) => m.t === t).map((m) => m.from.id).sort(), [sue.me, bob.me].sort(), t);
});
