// Row 24: the wall clock of Redis or of a node jumps by an hour or a day, or drifts: no timer fires early or is lost, times go on without
// a step, order is by seq. The monotonic clock stays right (shim/clock.c).
import assert from 'node:assert/strict';
import { arrival } from '../../gateway/lib/desk.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { clock } from '../lib/os.mjs';
import { OwnRedis } from '../lib/redis.mjs';

const CARE_MS = 7000;
const APART_MS = 2000; // what may go uncorrected
const LATE_MS = 4000; // how late a timer may be noticed on a busy machine
const HOUR = 3600;
const DAY = 86_400;

/** Somebody waits where nobody is on shift; run() breaks something meanwhile; the care message comes in its time, once. */
async function careInTime(row, s, run) {
  const { sue, chat } = await arrival(s, s.newDepartment());
  const began = performance.now();
  const care = sue.expect('event', { kind: 'care', step: 'water', chat }, CARE_MS + 20_000);
  care.catch(() => {}); // what breaks first is said
  await run();
  await care;
  const took = performance.now() - began;
  assert.ok(took > CARE_MS - APART_MS && took < CARE_MS + APART_MS + LATE_MS, `the care message after ${CARE_MS} ms came after ${Math.round(took)} ms`);
  assert.equal(sue.entries(chat, 'care').filter((e) => e.step === 'water').length, 1, 'once');
}

/** All entries bear times of this row's run: none of a clock that was wrong. */
function checkTimes(row, chats, began) {
  const now = Date.now();
  for (const [chat, entries] of chats)
    for (const e of entries) assert.ok(e.at > began - APART_MS - 2000 && e.at < now + APART_MS + 2000, `${chat} seq ${e.seq}: at is ${new Date(e.at).toISOString()}, now it is ${new Date(now).toISOString()}`);
  row.held('every entry bears the right time, ± 2 s');
}

const corrected = (s, n) => until(() => (s.tail(1_000_000).match(/clock corrected/g) ?? []).length >= n, () => `the clock is corrected ${n} times; ${s.tail(500)}`, 15_000, 50);

async function clocks(row) {
  const began = Date.now();
  const ofRedis = clock();
  const ofNode = clock();
  const redis = await new OwnRedis({ env: ofRedis.env }).start();
  row.finally(() => redis.kill());
  const s = await row.server({ redis: redis.url, set: { 'care.first_ms': CARE_MS }, env: ofNode.env });
  await row.traffic(s, 1, { pace: 5 }); // it goes on for a minute: what it wrote is compared with everything
  let offset = 0;
  let times = 0;
  for (const jump of [HOUR, -HOUR, DAY, -DAY]) {
    await careInTime(row, s, async () => {
      await row.more(10);
      ofRedis.set(String((offset += jump)));
      row.inject(`Redis's clock ${jump > 0 ? '+' : '−'}${Math.abs(jump) === DAY ? '1 day' : '1 h'}`);
      row.over();
      await corrected(s, ++times);
      await row.recovers(s);
      await until(async () => (await s.api('GET', '/readyz')).json.states.some((x) => x.name === 'clock_corrected'), 'it is said', 5000);
      await row.more(10);
    });
  }
  await careInTime(row, s, async () => {
    ofRedis.set(`${offset} 500000`);
    row.inject('Redis’s clock drifts by 50 %');
    await row.more(10);
  });
  assert.ok((s.tail(1_000_000).match(/clock corrected/g) ?? []).length > times, 'drift is corrected too');
  ofRedis.set(String(offset));
  const count = () => (s.tail(1_000_000).match(/clock corrected/g) ?? []).length;
  let seen = -1; // what the drift's end still makes it correct
  await until(() => count() === seen || ((seen = count()), false), 'the clock is settled', 20_000, 2500);
  for (const at of [HOUR, -HOUR, DAY, -DAY]) {
    ofNode.set(String(at));
    row.inject(`the node's clock ${at > 0 ? '+' : '−'}${Math.abs(at) === DAY ? '1 day' : '1 h'}`);
    await row.more(20);
    assert.equal(count(), seen, 'a node’s wall clock is nobody’s time: nothing is corrected');
  }
  await careInTime(row, s, () => row.more(20));
  row.held('no timer early, late or twice');
  const chats = await row.finish();
  checkTimes(row, chats, began);
}

export const rows = [{ row: '24', title: 'clocks: ±1 h, ±1 day, drift, of Redis and of a node', run: clocks, ms: 300_000 }];
