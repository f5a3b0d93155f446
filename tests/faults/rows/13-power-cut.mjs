// Row 13: a power cut. Redis, the archive and the gateway end at once, and the disks forget what was not synced.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { random, until } from '../../gateway/lib/wait.mjs';
import { temporaryFolder } from '../../gateway/lib/server.mjs';
import { traffic } from '../../gateway/lib/traffic.mjs';
import { cutPower, cuttable } from '../lib/power.mjs';

const RECORD = 24; // bytes of a journal for one append
const SLOW_US = 3000; // a sync takes as long as on a disk, so that a cut finds something unsynced

async function endAtOnce(s) {
  const all = [s.process.pid, ...s.redisPids()];
  for (const p of all) process.kill(p, 'SIGSTOP'); // one instant for all of them
  for (const p of all) process.kill(p, 'SIGKILL');
  await s.exited;
  await until(() => s.redisPids().length === 0, 'Redis is gone');
}

/** The same cut where syncs may wait: acknowledged messages must be missing, or this row proves nothing. */
async function control(row) {
  const data = temporaryFolder();
  const { journal, env } = cuttable(data);
  const s = await row.server({ data, env, config: '[redis]\nappendfsync = everysec\n' });
  row.servers.pop(); // what is checked at a row's end would not hold here
  row.finally(() => s.kill());
  const run = await traffic(s, 2);
  await run.more(40);
  const logs = join(data, 'redis/appendonlydir');
  const file = readdirSync(logs).find((f) => f.endsWith('.incr.aof'));
  const unsynced = join(journal, String(statSync(join(logs, file)).ino));
  await until(() => statSync(unsynced).size >= 6 * RECORD, 'some writes to the AOF that are not synced yet', 20_000, 1);
  await endAtOnce(s);
  const cut = cutPower(data, journal, random(row.seed), true);
  const aof = readdirSync(logs).map((f) => readFileSync(join(logs, f), 'latin1')).join('');
  const lost = run.writers.flatMap((w) => [...w.acked.values()]).filter((a) => !aof.includes(`"text":"${a.text}"`)).length;

  assert.ok(lost > 0 && cut.bytes > 0, 'with everysec a power cut loses something');
  row.held(`the cut is real: with everysec it took ${lost} acknowledged messages`);
  for (const w of run.writers) {
    w.stopped = true;
    w.pending.clear();
    w.client.drop();
  }
}

async function powerCut(row) {
  await control(row);
  const data = temporaryFolder();
  const { journal, env } = cuttable(data, { fsyncUs: SLOW_US });
  const s = await row.server({ data, env });
  await row.traffic(s, 2);
  const files = new Set();
  for (let k = 0; k < 6; k++) {
    await row.more(row.r.int(10, 60));
    await endAtOnce(s);
    const cut = cutPower(data, journal, row.r);
    for (const f of cut.names) files.add(f);
    row.inject('power cut of Redis, archive and gateway');
    row.inject('bytes undone', cut.bytes);
    row.over();
    await row.start(s);
    await row.recovers();
  }
  assert.ok(files.size > 0, 'a cut met something unsynced');
  row.held(`undone in ${[...files].sort().join(', ')}`);
  await row.more(10);
}

export const rows = [{ row: '13', title: 'power cut: what was not synced is undone', run: powerCut, ms: 240_000 }];
