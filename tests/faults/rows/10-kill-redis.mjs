// Rows 10–12, 14 and 'thousand': Redis killed, alone and with the gateway; its file torn and broken.
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, openSync, readFileSync, readdirSync, closeSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';

async function killRedis(row, s) {
  const [old] = s.killRedis();
  row.over();
  row.inject('Redis: kill -9');
  await until(() => s.redisPids().some((p) => p !== old), 'another redis-server', 10_000);
  assert.equal(s.exit, null, 'the gateway lives');
  await row.recovers();
}

async function killAll(row, s) {
  const both = [s.process.pid, ...s.redisPids()];
  for (const p of row.r.int(0, 1) ? both : both.reverse()) process.kill(p, 'SIGKILL');
  await s.exited;
  row.over();
  row.inject('gateway and Redis at once: kill -9');
  await until(() => !both.some(isAlive), 'both are gone');
  await row.start(s);
  await row.recovers();
}

async function killGateway(row, s) {
  await s.kill();
  row.over();
  row.inject('gateway: kill -9');
  await row.start(s);
  await row.recovers();
}

function times(n, ...kills) {
  return async (row) => {
    const s = await row.server();
    await row.traffic(s, 2);
    for (let k = 0; k < n; k++) {
      await row.more(row.r.int(3, 40));
      await row.r.pick(kills)(row, s);
    }
    await row.more(10);
  };
}

const UNDER_WAY = 1000;

/** Twenty people with fifty messages under way each; each kill waits until the thousand is full, then for a random moment. */
async function thousand(row) {
  const s = await row.server();
  await row.traffic(s, 10, { window: UNDER_WAY / 20 });
  const underWay = () => row.writers().reduce((n, w) => n + w.pending.size, 0);
  for (let k = 0; k < 10; k++) {
    await row.more(row.r.int(1, 60));
    await until(() => underWay() === UNDER_WAY, 'a thousand messages are under way', 10_000, 1);
    await killAll(row, s);
  }
  row.held(`${UNDER_WAY} messages under way at each kill`);
}

const aofOf = (s) => {
  const dir = join(s.data, 'redis/appendonlydir');
  const file = readdirSync(dir).filter((f) => f.endsWith('.incr.aof')).sort().pop();
  return join(dir, file);
};

async function endAll(s) {
  for (const p of [s.process.pid, ...s.redisPids()]) process.kill(p, 'SIGKILL');
  await s.exited;
  await until(() => s.redisPids().length === 0, 'Redis is gone');
}

async function tornAndBroken(row) {
  const s = await row.server();
  await row.traffic(s, 2);
  for (const tail of ['*3\r\n$3\r\nSET\r\n$5\r\nab', '*7\r\n$7\r\nEVALSHA\r\n$40\r\n', '*', '*2\r\n$4\r\nRPUS']) {
    await row.more(row.r.int(5, 30));
    await endAll(s);
    appendFileSync(aofOf(s), tail);
    row.inject('all killed, the AOF ends in half a command');
    row.over();
    await row.start(s);
    await row.recovers();
  }
  await row.more(10);
  await endAll(s);
  const aof = aofOf(s);
  copyFileSync(aof, `${aof}.whole`);
  const fd = openSync(aof, 'r+');
  const at = Math.floor(statSync(aof).size / 2);
  for (let i = 0; i < 400; i++) writeSync(fd, Buffer.from([row.r.int(0, 255)]), 0, 1, at + i);
  closeSync(fd);
  row.inject('400 bytes in the middle of the AOF overwritten');
  const size = statSync(aof).size;
  await s.launch(`127.0.0.1:${s.port}`);
  await until(() => s.exit, () => `a start on a broken AOF is refused; the log ends: ${s.tail(400)}`, 30_000);
  assert.notEqual(s.exit.code, 0, 'a start on a broken AOF is refused');
  const said = s.tail(700);
  assert.match(said, /append.?only|AOF/i, `it says what is broken: ${said}`);
  assert.equal(statSync(aof).size, size, 'the broken file is left alone');
  row.held(`refused aloud: "${said.split('\n').pop().replaceAll(s.data, 'DATA').slice(0, 160)}"`);
  copyFileSync(`${aof}.whole`, aof);
  assert.ok(readFileSync(aof).length > 0);
  row.over();
  await row.start(s);
  await row.recovers();
}

export const rows = [
  { row: '10', title: 'kill -9 of Redis', run: times(4, killRedis) },
  { row: '11', title: 'kill -9 of gateway and Redis at once', run: times(4, killAll) },
  { row: '12', title: 'restart loop of 20 kills under load', run: times(20, killRedis, killAll, killGateway), ms: 300_000 },
  { row: 'thousand', title: 'kill -9 of gateway and Redis at once, a thousand messages under way', run: thousand, ms: 300_000 },
  { row: '14', title: 'torn tail and broken middle of the AOF', run: tornAndBroken },
];
