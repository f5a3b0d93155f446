// Row 44: three nodes are restarted one after the other under load, from the data's previous format to this one: no error at any client.
import assert from 'node:assert/strict';
import { again, rep } from '../../gateway/lib/client.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { OwnRedis } from '../lib/redis.mjs';

const OLD = 1;
const NEW = 2;

/** Writers go to whichever node is there when theirs leaves. */
function anywhere(row, all) {
  let next = 0;
  for (const w of row.writers()) {
    w.reconnect = (c) => {
      const alive = all.filter((s) => !s.exit && !s.leaving);
      const to = alive[next++ % alive.length];
      const resume = [{ chat: w.chat, seq: c.head(w.chat) }];
      return c.isShopper ? again(c, { resume }, to) : rep(to, c.who, { shift: false, resume });
    };
  }
}

async function restart(row, s, what) {
  await row.more(row.r.int(10, 40));
  s.leaving = true;
  assert.deepEqual(await s.stop(), { code: 0, signal: null }, s.tail());
  row.inject(what);
  row.over();
  await row.start(s);
  s.leaving = false;
  await row.recovers(s);
}

const format = async (redis) => Number((await redis.ask('GET', 'fl:{default}:format')).split('\r\n')[1]);

async function rolling(row) {
  const redis = await new OwnRedis().start();
  row.finally(() => redis.kill());
  const all = [];
  for (const name of ['one', 'two', 'three']) all.push(await row.server({ redis: redis.url, set: { 'server.node': name, 'presence.beat_ms': 300, 'presence.silent_ms': 2000, 'debug.format': OLD } }));
  all[0].holdsArchive = true;
  for (const s of all.slice(0, 2)) await row.traffic(s, 1, { pace: 5 });
  anywhere(row, all);
  assert.equal(await format(redis), OLD);
  for (const [i, s] of all.entries()) {
    delete s.set['debug.format'];
    await restart(row, s, 'one of three nodes of the previous format: SIGTERM, started again in this one');
    if (i < 2) assert.equal(await format(redis), OLD, 'as long as an old node lives, the old format is written');
  }
  await until(async () => (await format(redis)) === NEW, 'with the last old node gone the new format is written', 10_000, 50);
  row.held('the format is raised when no old node is left, not before');
  await restart(row, all[row.r.int(0, 2)], 'one of three nodes: SIGTERM, started again');
  await row.more(20);
  const errors = all.flatMap((s) => s.clients).flatMap((c) => c.seen.filter((m) => m.t === 'error'));
  assert.deepEqual(errors.slice(0, 3), [], 'errors that clients saw');
  row.held('no client saw an error');
  // A node of the old format comes late.
  all[2].leaving = true;
  await all[2].stop();
  all[2].set['debug.format'] = OLD;
  await all[2].launch(`127.0.0.1:${all[2].port}`);
  const late = async () => (await all[2].api('GET', '/readyz')).json;
  await until(async () => (await late()).states.some((x) => x.name === 'redis_newer'), 'an old node that comes late says so', 10_000, 50);
  assert.equal((await all[2].api('GET', '/readyz')).status, 503);
  row.held('an old node that comes late is not ready, and says why');
  await all[2].kill();
  delete all[2].set['debug.format'];
  await row.start(all[2]);
  all[2].leaving = false;
  await row.finish();
}

export const rows = [{ row: '44', title: 'rolling restart of three nodes under load, previous and present format together', run: rolling, ms: 300_000 }];
