// Rows 16–20: Redis that answers with errors, late, or not at all.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { shopper } from '../../gateway/lib/client.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { OwnRedis, Proxy } from '../lib/redis.mjs';

async function onOwnRedis(row, { args, set = {}, proxy = false } = {}) {
  const redis = await new OwnRedis({ args }).start();
  row.finally(() => redis.kill());
  const front = proxy ? await new Proxy(redis).start() : redis;
  if (proxy) row.finally(() => front.stop());
  const s = await row.server({ redis: front.url, set });
  await row.traffic(s, 2);
  const other = await shopper(s);
  await row.more(10);
  return { redis, s, other, front };
}

/** A fault for a while, which is as long as it pleases, some times: writing is refused meanwhile, pings are answered. */
async function forAWhile(row, { other, s }, what, begin, stop, ms, times = 3) {
  for (let k = 0; k < times; k++) {
    await begin();
    row.inject(what);
    await row.pinging(other, () => delay(row.r.int(ms / 3, ms)));
    await stop();
    row.over();
    await row.recovers(s);
    await row.more(row.r.int(3, 20));
  }
}

async function oom(row) {
  const on = await onOwnRedis(row);
  await forAWhile(row, on, 'maxmemory 1 (OOM)', () => on.redis.ask('CONFIG', 'SET', 'maxmemory', 1), () => on.redis.ask('CONFIG', 'SET', 'maxmemory', 0), 900);
}

async function readonlyAndLoading(row) {
  const on = await onOwnRedis(row, { args: ['--key-load-delay', '200', '--replica-announced', 'no'] });
  await forAWhile(row, on, 'REPLICAOF nowhere (READONLY)', () => on.redis.ask('REPLICAOF', '127.0.0.1', 1), () => on.redis.ask('REPLICAOF', 'NO', 'ONE'), 1500);
  await row.more(300);
  for (let k = 0; k < 2; k++) {
    await on.redis.kill();
    await on.redis.start({ wait: false });
    row.inject('restart with a slow load (LOADING)');
    await row.pinging(on.other, () => until(() => on.redis.answers(), 'Redis has loaded', 30_000));
    row.over();
    await row.recovers(on.s);
    await row.more(20);
  }
}

async function scriptsAndBusy(row) {
  const on = await onOwnRedis(row);
  for (let k = 0; k < 8; k++) {
    await on.redis.ask('SCRIPT', 'FLUSH');
    row.inject('SCRIPT FLUSH (NOSCRIPT)');
    await row.more(row.r.int(2, 15));
  }
  const bad = join(on.redis.dir, 'bad.rdb');
  const lastSave = async (like) => until(async () => (await on.redis.ask('INFO', 'persistence')).includes(like), `a save that is ${like}`, 8000, 50);
  await forAWhile(
    row,
    on,
    'a save that fails (MISCONF)',
    async () => {
      mkdirSync(join(bad, 'x'), { recursive: true });
      await on.redis.ask('CONFIG', 'SET', 'dbfilename', 'bad.rdb');
      await on.redis.ask('CONFIG', 'SET', 'save', '3600 1');
      await on.redis.ask('BGSAVE');
      await lastSave('rdb_last_bgsave_status:err');
    },
    async () => {
      rmSync(bad, { recursive: true });
      await on.redis.ask('CONFIG', 'SET', 'save', '');
    },
    1500,
    2,
  );
  await forAWhile(
    row,
    on,
    'a script that doesn’t end (BUSY)',
    async () => {
      await on.redis.ask('CONFIG', 'SET', 'busy-reply-threshold', '100');
      void on.redis.ask('EVAL', 'while true do end', 0).catch(() => {});
    },
    async () => {
      await until(async () => (await on.redis.ask('SCRIPT', 'KILL')).startsWith('+OK'), 'the script is killed', 5000);
      const isSet = () => on.redis.ask('CONFIG', 'SET', 'busy-reply-threshold', '5000').then(() => true, () => false); // while it ends it is busy still
      await until(isSet, 'our own scripts, on a slow machine, are not taken for one', 5000);
    },
    2500,
  );
}

async function slow(row) {
  const on = await onOwnRedis(row, { proxy: true });
  for (const ms of [50, 500, 2000]) {
    on.front.delay = ms / 2;
    row.inject(`answers ${ms} ms late`);
    await row.pinging(on.other, () => row.more(ms < 2000 ? 25 : 12, 60_000)); // each takes an answer's time at least
  }
  on.front.delay = 0;
  row.over();
  await row.recovers(on.s);
}

/** Later than the deadline: unknown, and never sent again by the node. */
async function late(row) {
  const on = await onOwnRedis(row, { proxy: true, set: { 'redis.command_ms': 3000 } });
  for (let k = 0; k < 3; k++) {
    on.front.hold();
    row.inject('answers held until behind the deadline');
    await row.pinging(on.other, () => delay(row.r.int(3500, 5500))); // the fault's length: longer than the deadline
    on.front.release();
    row.over();
    await row.recovers(on.s);
    await row.more(row.r.int(3, 20));
  }
  for (let k = 0; k < 3; k++) {
    on.redis.process.kill('SIGSTOP');
    row.inject('Redis frozen (SIGSTOP)');
    try {
      await row.pinging(on.other, () => delay(row.r.int(500, 5500))); // the fault's length: shorter or longer than the deadline
    } finally {
      on.redis.process.kill('SIGCONT');
    }
    row.over();
    await row.recovers(on.s);
    await row.more(row.r.int(3, 20));
  }
  on.front.delay = 2500;
  row.inject('answers 5000 ms late, the deadline is 3000 ms');
  await row.pinging(on.other, () => delay(8000)); // the fault's length: some deadlines pass
  on.front.delay = 0;
  row.over();
  await row.recovers(on.s);
  for (let k = 0; k < 4; k++) {
    on.front.cut();
    row.inject('the connection to Redis cut');
    row.over();
    await row.recovers(on.s);
    await row.more(row.r.int(3, 20));
  }
  assert.equal(on.redis.exit, null);
}

export const rows = [
  { row: '16', title: 'Redis says OOM', run: oom },
  { row: '17', title: 'Redis says READONLY, LOADING', run: readonlyAndLoading },
  { row: '18', title: 'Redis says NOSCRIPT, MISCONF, BUSY', run: scriptsAndBusy },
  { row: '19', title: 'Redis slow, 50 ms to 2 s', run: slow },
  { row: '20', title: 'Redis frozen; answers after the deadline; connections cut', run: late },
];
