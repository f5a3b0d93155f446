// ./dev soak MINUTES [--seed N]: mixed traffic with faults at random (Redis killed and frozen, the archive locked, everybody's
// connections cut at once), then the checker. Prints resident memory after the warm-up and at the end, and descriptors.
// FIRSTLINE_BIN: the program (default build/firstline).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { again, rep, shopper } from '../gateway/lib/client.mjs';
import { servedChat, settled, team } from '../gateway/lib/desk.mjs';
import { until } from '../gateway/lib/wait.mjs';
import { shim } from './lib/os.mjs';
import { Row } from './lib/row.mjs';

const GROWS_KB = 1024; // in ten minutes
const CHATS = 8;
const IDLE = 200; // shoppers who only come back
const WARM_MIN = 6; // chats that ended leave memory after five

const [minutes, seed] = [Number(process.argv[2] ?? 10), Number(process.argv[process.argv.indexOf('--seed') + 1]) || Date.now() % 1_000_000];
if (!(minutes > 0)) {
  console.error('soak: ./dev soak MINUTES [--seed N]');
  process.exit(2);
}
setInterval(() => {}, 1000);
const row = new Row({ row: 'soak', title: 'soak' }, seed);
const rss = (s) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${s.process.pid}/status`, 'utf8'))[1]);
const say = (...what) => console.log(`${Math.round(performance.now() / 1000)} s:`, ...what);

/** Descriptors, once nothing closes any more: readers of the archive do some seconds after their last question. */
async function fdsAtRest(s) {
  let [n, since] = [row.fds(s), performance.now()];
  await until(
    () => {
      if (row.fds(s) !== n) [n, since] = [row.fds(s), performance.now()];
      return performance.now() - since > 5000;
    },
    'the descriptors stay as many',
    60_000,
    200,
  );
  return n;
}

/** A chat from its first word to the rating. */
async function wholeChat(s, ann) {
  const { sue, chat } = await servedChat(s, { ann });
  await sue.say('Thank you, what now?', { chat });
  await ann.say('Send it back, the label is in the parcel.', { chat });
  await settled(sue, ann, chat);
  await sue.done('chat.rate', { chat, score: 5 });
  sue.drop();
}

const faults = {
  'Redis killed': async (s) => {
    const [old] = s.killRedis();
    await until(() => s.redisPids().some((p) => p !== old), 'another redis-server', 10_000);
  },
  'Redis frozen': async (s) => {
    const pids = s.redisPids();
    for (const p of pids) process.kill(p, 'SIGSTOP');
    await delay(row.r.int(200, 2500)); // the fault's length
    for (const p of pids) process.kill(p, 'SIGCONT');
  },
  'archive locked': async (s) => {
    const p = spawn(shim('lock'), [join(s.data, 'archive.sqlite'), '3000'], { stdio: 'ignore' });
    await new Promise((yes) => p.on('exit', yes));
  },
  'all connections cut': async (s, idle) => {
    for (const w of row.writers()) w.client.drop();
    for (const c of idle) c.drop();
    const back = await Promise.all(idle.map((c) => until(() => again(c), 'back again', 20_000, 200)));
    for (const c of idle) s.clients.splice(s.clients.indexOf(c), 1); // only hello was said on it
    idle.splice(0, idle.length, ...back);
  },
};

async function main() {
  const s = await row.server();
  let [ann] = await team(s, 1);
  await wholeChat(s, ann);
  await s.transcript((await s.account({ role: 'qa' })).token, ann.views.keys().next().value);
  for (const c of s.clients) c.drop();
  const fds = await fdsAtRest(s);
  ann = await rep(s, ann.who);

  const run = await row.traffic(s, CHATS, { pace: 150, window: 3 });
  const idle = await Promise.all(Array.from({ length: IDLE }, () => shopper(s)));
  const warm = Math.min(WARM_MIN, minutes * 0.6);
  const end = performance.now() + (warm + minutes) * 60_000;
  const warmAt = performance.now() + warm * 60_000;
  let warmKb = 0;
  while (performance.now() < end) {
    if (!warmKb && performance.now() > warmAt) {
      warmKb = rss(s);
      say(`warmed up: resident ${warmKb} KB`);
    }
    const what = row.r.pick(Object.keys(faults));
    row.inject(what);
    await faults[what](s, idle);
    row.over();
    await row.recovers(s);
    if (ann.closed) ann = await rep(s, ann.who, { shift: true });
    await wholeChat(s, ann).catch((e) => {
      if (e.answer?.code !== 'unavailable') throw e;
    });
    await run.more(row.r.int(1, 20));
    await delay(row.r.int(500, 4000)); // the time between faults
  }
  await run.more(5);
  const endKb = rss(s);
  const grown = endKb - (warmKb || endKb);
  say(`resident: ${warmKb} KB after the warm-up, ${endKb} KB at the end: ${grown} KB in ${minutes} minutes`);
  const allowed = GROWS_KB * Math.max(1, minutes / 10);
  for (const c of s.clients) if (!row.writers().some((w) => w.client === c)) c.drop();
  await run.stop();
  for (const c of s.clients) c.drop();
  await until(() => row.fds(s) <= fds, () => `descriptors: ${fds} at the start, ${row.fds(s)} at the end`, 15_000, 200);
  say(`descriptors: ${fds} at the start, ${row.fds(s)} at the end`);
  await row.finish();
  for (const [what, n] of row.injected) say(`${what}: ${n}`);
  say(`acknowledged ${row.result.acknowledged}, lost ${row.result.lost}, doubled ${row.result.doubled}, reordered ${row.result.reordered}, longest recovery ${row.recovery.toFixed(2)} s, seed ${seed}`);
  assert.ok(grown < allowed, `resident memory grew by ${grown} KB, ${allowed} are allowed`);
}

let code = 0;
try {
  await main();
} catch (e) {
  console.error(`soak FAILED (seed ${seed}): ${e.stack}`);
  code = 1;
}
await row.clean();
process.exit(code);
