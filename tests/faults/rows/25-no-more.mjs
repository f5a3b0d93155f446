// Rows 25 and 26: no descriptor left, no memory when it is asked for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { shopper } from '../../gateway/lib/client.mjs';
import { temporaryFolder } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { Missing, shim } from '../lib/os.mjs';

const TICKS_A_SECOND = 100;
const LATE_MS = 20; // so long an abort may wait for a processor

/** Seconds of processor time that a process has used. */
function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) / TICKS_A_SECOND;
}

function limit(pid, n) {
  const r = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${n}:`], { encoding: 'utf8' });
  if (r.status !== 0) throw new Missing(`prlimit: ${r.stderr?.trim() || r.error?.message}`);
}

const limitOf = (pid) => Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))[1]);

async function noDescriptors(row) {
  const s = await row.server();
  const old = limitOf(s.process.pid);
  const kept = await shopper(s);

  // Nothing is written: who can't be let in must not keep the loop busy.
  limit(s.process.pid, row.fds(s) + 2);
  let told = 0;
  const waiting = Array.from({ length: 30 }, () => s.connect().on('error', () => {}).on('data', () => told++));
  row.inject('no descriptor left, 30 connections wait');
  await until(() => told > 0, 'no place is left: one is sent away', 5000);
  const [before, began] = [cpu(s.process.pid), performance.now()];
  await row.pinging(kept, () => delay(2000)); // what is measured is the time of these
  const used = ((cpu(s.process.pid) - before) * 1000) / (performance.now() - began);
  assert.ok(used < 0.5, `who waits at the door costs ${Math.round(used * 100)} % of a processor`);
  row.held(`who waits at the door costs ${Math.round(used * 100)} % of a processor`);
  for (const c of waiting) c.destroy();
  limit(s.process.pid, old);
  row.over();
  await until(async () => (await shopper(s)).drop() ?? true, 'a place again', 5000, 100);

  await row.traffic(s, 2);
  for (let k = 0; k < 3; k++) {
    await row.more(20);
    limit(s.process.pid, row.fds(s) + row.r.int(0, 3));
    row.inject('no descriptor left, 40 shoppers come');
    const come = Promise.allSettled(Array.from({ length: 40 }, () => shopper(s)));
    await row.pinging(kept, () => row.more(60));
    row.held('those who are there go on writing');
    limit(s.process.pid, old);
    row.over();
    for (const c of await come) c.value?.drop();
    await row.recovers(s);
  }
  await row.more(20);
}

/** The n-th allocation from now on is refused, and `times` behind it; the process' end then takes so many ms. */
function refuse(plan, n, times, ms = 0) {
  const b = Buffer.alloc(24);
  b.writeBigInt64LE(0n, 0);
  writeSync(plan, b, 0, 8, 0);
  b.writeBigInt64LE(BigInt(ms), 16);
  b.writeBigInt64LE(BigInt(times), 8);
  b.writeBigInt64LE(BigInt(n), 0);
  writeSync(plan, b, 8, 16, 8);
  writeSync(plan, b, 0, 8, 0);
}

function left(plan) {
  const b = Buffer.alloc(8);
  readSync(plan, b, 0, 8, 0);
  return Number(b.readBigInt64LE());
}

/** What is waited for, or the process' end. */
async function orItsEnd(s, waiting) {
  await Promise.race([waiting, s.exited]);
  waiting.catch(() => {}); // of who has ended nothing more comes
}

/** Some allocations are refused, and then nothing is; back once the process is well, or has ended. */
async function refused(row, s, plan, n, times, ms) {
  refuse(plan, n, times, ms);
  row.inject('an allocation refused');
  await until(() => s.exit || left(plan) <= 0, 'the allocation is asked for', 20_000, 5);
  await until(async () => s.exit || (await row.isReady(s)), 'ready, or ended', 10_000, 20);
  row.over();
  refuse(plan, 0, 0, ms);
  if (!s.exit) await orItsEnd(s, row.recovers(s)); // ready it may be while the thread that got nothing is on its way to abort()
}

async function noMemory(row) {
  const data = temporaryFolder();
  const plan = openSync(join(data, 'nomem.plan'), 'w+');
  ftruncateSync(plan, 4096);
  row.finally(() => closeSync(plan));
  const s = await row.server({ data, env: { LD_PRELOAD: shim('nomem'), FAULT_NOMEM: join(data, 'nomem.plan') } });
  await row.traffic(s, 2);
  let [lived, gaveUp] = [0, 0];
  let [before, at] = [0, 0]; // where its log stood at the last refusal but one, and at the last: an end may come late
  const startAgain = async (n) => {
    gaveUp++;
    assert.equal(s.exit.signal, 'SIGABRT', `allocation ${n}: ends by abort, and not by ${JSON.stringify(s.exit)}; the log ends: ${s.tail(300)}`);
    assert.match(s.tail(1e9).slice(before), /^firstline: out of memory$/m, `allocation ${n}: it says why; its log ends: ${s.tail(600)}`);
    at = s.tail(1e9).length;
    refuse(plan, 0, 0);
    await row.start(s);
    await row.recovers();
  };
  for (let k = 1; k <= 24; k++) {
    await orItsEnd(s, row.more(row.r.int(2, 10)));
    const n = k <= 8 ? k : Math.floor(2 ** (row.r.next() * 14));
    const times = row.r.pick([1, 1, 3]);
    if (!s.exit) {
      [before, at] = [at, s.tail(1e9).length];
      await refused(row, s, plan, n, times, k % 2 ? 0 : LATE_MS);
    }
    if (s.exit) await startAgain(n);
    else lived++;
  }
  await orItsEnd(s, row.more(10)); // the last end may come late, too
  if (s.exit) {
    lived--;
    await startAgain('the last');
  }
  row.held(`${lived} times it lived on, ${gaveUp} times it gave up aloud ("out of memory") and was started again`);
  await row.more(10);
}

export const rows = [
  { row: '25', title: 'descriptors exhausted', run: noDescriptors },
  { row: '26', title: 'malloc fails at the n-th call', run: noMemory, ms: 240_000 },
];
