// Rows 39–43: floods, storms, races between nodes, a paused node.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, again, rep, shopper } from '../../gateway/lib/client.mjs';
import { arrival, servedChat, staff } from '../../gateway/lib/desk.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { OwnRedis } from '../lib/redis.mjs';

async function messageFlood(row) {
  const s = await row.server({ set: { 'limits.messages_per_s': 20, 'limits.burst': 60 } });
  const served = await servedChat(s);
  const bad = await servedChat(s);
  const ids = Array.from({ length: 5000 }, (_, i) => bad.sue.send('message.send', { chat: bad.chat, text: `flood ${i}` }));
  row.inject('5000 messages at once on one connection');
  let worst = 0;
  for (let i = 0; i < 30; i++) {
    const t = performance.now();
    await served.sue.say(`calm ${i}`);
    worst = Math.max(worst, performance.now() - t);
    await delay(60); // a calm writer's pace
  }
  assert.ok(worst < 1000, `another shopper's ok took ${Math.round(worst)} ms`);
  row.held('others’ messages within a second');
  await until(() => ids.every((id) => bad.sue.oks.has(id) || bad.sue.seen.some((m) => m.re === id)) || bad.sue.closed, 'every one is answered', 20_000, 200);
  const codes = new Set(bad.sue.seen.filter((m) => m.t === 'error').map((m) => m.code));
  assert.deepEqual([...codes], ['rate_limited']);
  row.held('the rest is told rate_limited');
}

async function connectFlood(row) {
  const s = await row.server({ set: { 'limits.hellos_per_s': 50 } });
  await row.traffic(s, 2);
  await row.more(20);
  const got = await row_pinging(row, s, () => Promise.allSettled(Array.from({ length: 600 }, () => Client.open(s, '/ws/shopper', { origin: s.origin, ms: 20_000 }))));
  row.inject('600 connections at once, 50 a second allowed');
  const refused = got.filter((g) => g.status === 'rejected');
  const told = refused.filter((g) => g.reason.status === 503 && g.reason.headers['retry-after']);
  assert.ok(refused.length > 300, `${refused.length} of 600 were refused`);
  assert.equal(told.length, refused.length, `each refused one is told 503 and Retry-After; else: ${refused.find((g) => g.reason.status !== 503)?.reason.message}`);
  row.held('the rest gets 503 with Retry-After');
  for (const g of got) g.value?.drop();
  row.over();
  await row.recovers(s);
  const crowd = async () => {
    const come = await Promise.allSettled(Array.from({ length: 30 }, () => shopper(s)));
    for (const c of come) c.value?.drop();
    return come.every((c) => c.status === 'fulfilled');
  };
  await until(crowd, 'thirty come in together again', 10_000, 1000); // a second's places are fifty: some are left for the checker
}

async function row_pinging(row, s, fn) {
  const other = await until(() => shopper(s), 'a place', 5000, 200);
  let got;
  await row.pinging(other, async () => {
    got = await fn();
  });
  return got;
}

async function storm(row) {
  const s = await row.server({ set: { 'limits.hellos_per_s': 200 } });
  await row.traffic(s, 2);
  const people = [];
  while (people.length < 1000) {
    const more = await Promise.allSettled(Array.from({ length: 50 }, () => shopper(s)));
    people.push(...more.filter((m) => m.status === 'fulfilled').map((m) => m.value));
    await delay(100); // how fast they come: faster than is allowed
  }
  await row.more(10);
  for (let k = 0; k < 2; k++) {
    await s.kill();
    row.inject('kill -9 with 1000 connected, all come back');
    row.over();
    await row.start(s);
    const began = performance.now();
    const back = async (c) => {
      for (let n = 0; ; n++) {
        await delay(row.r.next() * Math.min(30_000, 500 * 2 ** n)); // as the widget waits
        try {
          return await again(c);
        } catch (e) {
          if (n > 8) throw e;
        }
      }
    };
    const all = await Promise.all(people.map(back));
    assert.ok(all.every((c, i) => c.me === people[i].me), 'everybody is who they were');
    people.splice(0, people.length, ...all);
    row.held(`1000 came back within ${Math.ceil((performance.now() - began) / 1000)} s`);
    await row.recovers(s);
    await row.more(10);
  }
  const flooder = people[0];
  for (let i = 0; i < 5000; i++) flooder.ws.ping?.();
  row.inject('5000 WebSocket pings at once');
  await row.pinging(people[1], () => row.more(20));
}

const SET = { 'ownership.grace_ms': 500, 'presence.grace_ms': 500, 'presence.beat_ms': 300, 'presence.silent_ms': 1500 };

async function nodes(row, names) {
  const redis = await new OwnRedis().start();
  row.finally(() => redis.kill());
  const all = [];
  for (const n of names) all.push(await row.server({ redis: redis.url, set: { ...SET, 'server.node': n } }));
  all[0].holdsArchive = true;
  return all;
}

async function races(row) {
  const [one, two] = await nodes(row, ['one', 'two']);
  const people = await staff(one, 24);
  const reps = await Promise.all(people.map((w, i) => rep(i % 2 ? one : two, w)));
  for (let k = 0; k < 10; k++) {
    const { sue, chat } = await arrival(k % 2 ? one : two, people[0].department, { text: `race ${k}` });
    const claims = k < 5;
    row.inject(claims ? '24 reps of two nodes claim one chat' : '24 reps of two nodes reply first at once');
    const answers = await Promise.all(reps.map((r) => r.ask(claims ? 'chat.claim' : 'message.send', { chat, ...(claims ? {} : { text: `from ${r.me}` }) })));
    assert.equal(answers.filter((m) => m.t === 'ok').length, 1, JSON.stringify(answers.map((m) => m.code ?? 'ok')));
    const winner = reps[answers.findIndex((m) => m.t === 'ok')];
    if (claims) await winner.say('It is mine.', { chat });
    await sue.event('message', { chat });
  }
  for (let k = 0; k < 10; k++) {
    const sue = await shopper(one);
    const tab = await again(sue, {}, two);
    assert.equal(tab.me, sue.me, 'a token said to another node at once is the same shopper there');
    row.inject('two first messages of one shopper at two nodes at once');
    const got = await Promise.all([sue, tab].map((c, i) => c.ask('chat.start', { text: `start ${i}`, department: 'general' })));
    assert.deepEqual(got.map((m) => m.t).sort(), ['error', 'ok'], JSON.stringify(got));
    await sue.done('chat.leave', { chat: got.find((m) => m.t === 'ok').chat });
  }
  row.held('one owner, one chat');
}

async function paused(row) {
  const [one, two] = await nodes(row, ['one', 'two']);
  await row.traffic(one, 1, { pace: 5 });
  for (let k = 0; k < 3; k++) {
    const [a, b] = await staff(one, 2);
    const ann = await rep(two, a);
    const { sue, chat } = await arrival(one, a.department);
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
    await ann.say('I am on the node that will stand still.', { chat });
    const bob = await rep(one, b);
    two.process.kill('SIGSTOP');
    row.inject('a node stands still (SIGSTOP) past its beat, then goes on');
    let ids;
    try {
      ids = Array.from({ length: 20 }, (_, i) => ann.send('message.send', { chat, text: `late ${i}` }));
      await sue.event('handler_lost', {}, 15_000);
      await bob.expect('offer', { chat }, 15_000);
      await bob.done('offer.accept', { chat });
      await bob.say('Ann’s machine stands still, I am Bob.', { chat });
      await sue.event('message', { text: 'Ann’s machine stands still, I am Bob.' });
    } finally {
      two.process.kill('SIGCONT');
    }
    row.over();
    await row.recovers(two);
    const answered = () => ids.every((id) => ann.seen.some((m) => m.re === id));
    await until(() => answered() || ann.closed, 'what was sent meanwhile is answered', 10_000);
    const answers = ids.map((id) => ann.seen.find((m) => m.re === id)).filter(Boolean);
    assert.deepEqual([...new Set(answers.map((m) => m.code ?? m.t))].filter((c) => c !== 'not_handler'), [], 'the old handler’s writes');
    await bob.say(`still Bob ${k}`, { chat });
    await sue.event('message', { text: `still Bob ${k}` });
    for (const c of [ann, bob]) c.drop();
  }
  row.held('the old handler’s writes are refused: not_handler');
}

export const rows = [
  { row: '39', title: 'message flood', run: messageFlood },
  { row: '40', title: 'connect flood', run: connectFlood },
  { row: '41', title: 'reconnect storm, ping flood', run: storm },
  { row: '42', title: 'two nodes, both claim; two first messages at once', run: races },
  { row: '43', title: 'node paused past its beat, then resumed', run: paused },
];
