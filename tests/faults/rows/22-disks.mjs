// Rows 22 and 23: full disks, a locked and a removed archive.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { linkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { shopper } from '../../gateway/lib/client.mjs';
import { temporaryFolder } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { fillDisk, shim, smallDisk } from '../lib/os.mjs';

async function aofFull(row) {
  const data = temporaryFolder();
  smallDisk(row, join(data, 'redis'), 96);
  const s = await row.server({ data, set: { 'limits.disk_mb': 0, 'limits.disk_percent': 0 } }); // the disk is small from the start
  await row.traffic(s, 2);
  const other = await shopper(s);
  for (let k = 0; k < 2; k++) {
    await row.more(20);
    const free = fillDisk(join(data, 'redis'));
    row.inject('disk of the AOF full');
    const refused = async () => s.api('GET', '/readyz', { ms: 2000 }).then((r) => (r.status === 200 ? null : r), () => null);
    const no = await until(refused, () => `not ready with a full disk; the log ends: ${s.tail(300)}`, 20_000);
    assert.match(no.text, /redis|disk/i, 'and says why');
    await row.pinging(other, () => delay(2000)); // the fault goes on for so long
    free();
    row.over();
    await row.recovers(s);
    assert.equal(s.exit, null, 'the gateway lives');
  }
  row.held('not ready, and says why, while the disk is full');
  await row.more(20);
}

/** Chatting goes on, and the state is told. */
async function behind(row, s, n = 100) {
  await row.more(n);
  await until(async () => /archive/.test((await s.api('GET', '/readyz')).text), async () => 'it is said that the archive is behind', 10_000, 100);
  await row.more(n / 2);
  assert.ok(await row.isReady(s), 'chats go on: ready');
  row.held('chats go on while the archive can’t be written, and /readyz says so');
}

async function caughtUp(row, s) {
  row.over();
  await row.recovers(s);
  let said;
  await until(async () => !/behind/.test((said = (await s.api('GET', '/readyz')).text)), () => `the archive caught up; /readyz: ${said}`, 10_000, 100);
}

async function archiveAway(row) {
  const disk = smallDisk(row, temporaryFolder(), 160);
  const path = join(disk, 'archive.sqlite');
  const s = await row.server({ config: `[archive]\npath = ${path}\n` });
  await row.traffic(s, 2, { pace: 5 });
  for (let k = 0; k < 2; k++) {
    await row.more(30);
    const free = fillDisk(disk);
    row.inject('disk of the archive full');
    await behind(row, s);
    free();
    await caughtUp(row, s);
  }
  for (let k = 0; k < 2; k++) {
    const p = spawn(shim('lock'), [path, '9000'], { stdio: ['ignore', 'pipe', 'ignore'] });
    row.finally(() => p.kill('SIGKILL'));
    await new Promise((yes) => p.stdout.once('data', yes));
    row.inject('SQLite locked by another process for 9 s');
    await row.more(100);
    await until(() => p.exitCode !== null, 'the other process lets go', 15_000);
    await caughtUp(row, s);
    await row.more(20);
  }
  linkSync(path, `${path}.kept`);
  renameSync(path, `${path}.away`);
  row.inject('the archive’s file removed');
  await behind(row, s);
  renameSync(`${path}.away`, path);
  await caughtUp(row, s);
  for (const spec of ['archive.inside:error:1', 'archive.inside:error:3']) {
    row.arm(s, spec);
    row.inject('the transaction fails (IOERR)');
    await row.more(60);
    row.arm(s, '');
    await caughtUp(row, s);
  }
  await row.more(20);
}

export const rows = [
  { row: '22', title: 'disk of the AOF full', run: aofFull },
  { row: '23', title: 'disk of the archive full; SQLite locked, failing, removed', run: archiveAway },
];
