// After the site was away (PROMISES 2.11): what is overdue fires once, marked late; what runs only while somebody can be there starts again.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { clock } from '../faults/lib/os.mjs';
import { OwnRedis } from '../faults/lib/redis.mjs';
import { again, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, staff } from './lib/desk.mjs';
import { Server, end, endAll } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const AWAY_MS = 13_000; // longer than what counts as late, and than every span below
const SET = { 'presence.beat_ms': 300, 'presence.silent_ms': 1500, 'care.first_ms': 1500, 'queue.gone_ms': 5000, 'routing.offer_ms': 4000, 'server.node': 'one' };

async function site(run, env) {
  const redis = await new OwnRedis({ env }).start();
  const s = await new Server({ redis: redis.url, set: SET }).start();
  try {
    await run(s);
  } finally {
    await end(s);
    await redis.kill();
  }
}

async function away(s) {
  await s.kill();
  const till = performance.now() + AWAY_MS;
  await until(() => performance.now() > till, 'the site is away', AWAY_MS + 1000, 100);
  await s.launch(`127.0.0.1:${s.port}`);
  await until(async () => (await s.api('GET', '/readyz')).status === 200, 'ready again');
}

test('an overdue care message comes once, marked late; the shopper who waited gets the full time to come back', () =>
  site(async (s) => {
    const quinn = await auditor(s);
    const { sue, chat } = await arrival(s, s.newDepartment());
    await away(s);
    const back = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] });
    const care = await back.event('care', { chat, step: 'water' });
    assert.equal(care.late, undefined, 'that is no shopper’s business');
    const t = await s.transcript(quinn.token, chat, (x) => x.events.some((e) => e.step === 'water'));
    const { late } = t.events.find((e) => e.step === 'water');
    assert.ok(late >= 10_000, `late by ${late} ms`);
    await back.settle();
    assert.deepEqual(back.entries(chat, 'abandoned'), [], 'nobody is taken for gone while nobody could be there');
    assert.equal(back.entries(chat, 'care').filter((e) => e.step === 'water').length, 1);
    assert.deepEqual(back.problems, []);
  }));

test('an offer that nobody could answer is nobody’s miss, and is made again with its full time', () =>
  site(async (s) => {
    const [who] = await staff(s, 1);
    const ann = await rep(s, who);
    const { sue, chat } = await arrival(s, who.department);
    await ann.expect('offer', { chat });
    await away(s);
    const back = await rep(s, who, { shift: false, resume: [{ chat, seq: 0 }] });
    const again_ = await until(() => back.seen.find((m) => m.t === 'offer' && m.chat === chat && m.kind === 'new'), 'offered again', 15_000);
    assert.ok(again_.deadline_at - Date.now() > 1000, 'with time to answer');
    await back.done('offer.accept', { chat });
    const shopper = await again(sue, { resume: [{ chat, seq: 0 }] });
    await back.say('Here I am.', { chat });
    await shopper.event('message', { text: 'Here I am.' });
    const missed = back.entries(chat, 'offer_missed');
    assert.ok(missed.every((e) => e.why === 'outage' || e.why === 'connection'), JSON.stringify(missed));
  }));

test('a clock of Redis that steps by less than what is corrected is followed, both ways: nobody waited less than no time', async () => {
  const wall = clock();
  await site(async (s) => {
    const quinn = await auditor(s);
    const apart = async () => {
      const c = await shopper(s);
      const ms = c.welcome.now - Date.now();
      c.drop();
      return ms;
    };
    for (const [spec, from, to] of [['1.5', 1300, 1700], ['0', -200, 200], ['-1.5', -1700, -1300]]) {
      wall.set(spec);
      await until(async () => ((ms) => ms > from && ms < to)(await apart()), `this node's clock is apart by ${spec} s`);
      const { sue, chat } = await arrival(s, s.newDepartment());
      await sue.done('chat.leave', { chat });
      const t = await s.transcript(quinn.token, chat, (x) => x.state === 'abandoned');
      const { waited_ms } = t.events.find((e) => e.kind === 'abandoned');
      assert.ok(waited_ms >= 0 && waited_ms < 1000, `waited ${waited_ms} ms`);
      t.events.forEach((e, i) => assert.ok(i === 0 || e.at >= t.events[i - 1].at, 'times go on'));
    }
  }, wall.env);
});

test('who leaves just when Redis’s clock has jumped has the full time, and what runs for who is gone is left as it was', async () => {
  const wall = clock();
  const HOUR = 36e5;
  const redis = await new OwnRedis({ env: wall.env }).start();
  const long = { 'presence.beat_ms': 5000, 'presence.silent_ms': 60_000, 'ownership.grace_ms': HOUR, 'presence.grace_ms': HOUR, 'queue.gone_ms': HOUR };
  const s = await new Server({ redis: redis.url, set: long }).start();
  const due = async (member) => Number((await redis.ask('ZSCORE', 'fl:{default}:t', member)).split('\r\n')[1] || 0);
  const seconds = async () => Number((await redis.ask('TIME')).split('\r\n')[2]);
  const isInAnHour = async (member) => Math.abs((await due(member)) - Date.now() - HOUR) < 60_000;
  const corrected = (n) => until(() => (s.tail(1e6).match(/clock corrected/g) ?? []).length >= n, `corrected ${n} times`, 20_000);
  try {
    let n = 0;
    for (const jump of [-7200, 7200]) { // what was forward is taken back by the second one
      const people = await Promise.all([0, 1].map(() => arrival(s, s.newDepartment())));
      const [early, late] = people.map((p) => `${p.chat}|gone`);
      people[0].sue.drop();
      await until(() => due(early), 'the first one’s time runs');
      const before = await seconds();
      wall.set(String(jump < 0 ? jump : 0));
      await until(async () => Math.abs((await seconds()) - before) > 3600, 'the clock has jumped', 5000, 5);
      people[1].sue.drop(); // before the node has looked at Redis's clock again
      await until(() => due(late), 'the second one’s, too');
      await corrected(++n);
      for (const member of [early, late]) assert.ok(await isInAnHour(member), `${jump} s: ${member.split('|')[1]} of the ${member === early ? 'first' : 'second'} is due in ${Math.round(((await due(member)) - Date.now()) / 1000)} s`);
    }
  } finally {
    await end(s);
    await redis.kill();
  }
});

test('timers that can’t be decided are set back and said, and block no other', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set: { ...SET, 'care.first_ms': 1000 } }).start();
  const named = async () => (await s.api('GET', '/readyz')).json.states.find((x) => x.name === 'timers_stuck');
  try {
    const bad = Array.from({ length: 130 }, (_, i) => `c_unreadable${i}`);
    for (const chat of bad) await redis.ask('SET', `fl:{default}:l:${chat}`, 'no list');
    await redis.ask('ZADD', 'fl:{default}:t', ...bad.flatMap((chat) => ['1', `${chat}|care`]), '2', 'nothing', '3', 'c_x|later');
    const { sue, chat } = await arrival(s, s.newDepartment());
    await until(() => sue.seen.some((e) => e.step === 'water' && e.chat === chat), 'the glass of water', 20_000);
    const state = await until(named, 'it is said', 5000, 50);
    assert.match(state.why, /timers can't be decided.*(c_unreadable|nothing|c_x)/);
    assert.equal(state.chats, 'open');
    await redis.ask('DEL', ...bad.map((c) => `fl:{default}:l:${c}`));
    await redis.ask('ZREM', 'fl:{default}:t', 'nothing', 'c_x|later');
  } finally {
    await end(s);
    await redis.kill();
  }
});
