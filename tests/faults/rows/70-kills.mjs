// Fifty kills at random of a gateway node, the archive's node and Redis, each started again at once.
import { setTimeout as delay } from 'node:timers/promises';
import { again, rep } from '../../gateway/lib/client.mjs';
import { OwnRedis } from '../lib/redis.mjs';

const KILLS = 50;
const READY_S = 2; // behind the last start

async function kills(row) {
  const redis = await new OwnRedis().start();
  row.finally(() => redis.kill());
  const all = [];
  for (const n of ['one', 'two']) all.push(await row.server({ redis: redis.url, set: { 'server.node': n } }));
  all[0].holdsArchive = true;
  for (const s of all) await row.traffic(s, 1);
  let next = 0;
  for (const w of row.writers())
    w.reconnect = (c) => {
      const to = all[next++ % all.length];
      const resume = [{ chat: w.chat, seq: c.head(w.chat) }];
      return c.isShopper ? again(c, { resume }, to) : rep(to, c.who, { shift: false, resume });
    };
  const victims = {
    'gateway node: kill -9': async () => (await all[1].kill(), row.start(all[1])),
    'archive’s node: kill -9': async () => (await all[0].kill(), row.start(all[0])),
    'Redis: kill -9': async () => (await redis.kill(), redis.start()),
  };
  for (let k = 0; k < KILLS; k++) {
    const what = row.r.pick(Object.keys(victims));
    row.inject(what);
    await victims[what]();
    row.over();
    if (row.r.int(0, 2)) await delay(row.r.int(0, 300)); // sometimes the next one comes before anybody has recovered
    if (k % 5 === 4) await row.recovers(...all);
  }
  row.over();
  await row.recovers(...all);
  row.within(READY_S);
  await row.more(10);
}

export const rows = [{ row: 'kills', title: 'fifty kills at random of gateway, archive’s node and Redis', run: kills, ms: 400_000 }];
