// Row 15: Sentinel failover under load, the old primary comes back. The promoted replica lacks acknowledged entries: the hole is said,
// the nodes put back what they had, under the same ids; with redis.replicas=1 nothing is acknowledged that a failover could lose.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { exported } from '../../gateway/lib/checker.mjs';
import { temporaryFolder } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { Missing } from '../lib/os.mjs';
import { ask } from '../lib/redis.mjs';

const NAME = 'firstline';
const OTHER = '127.0.0.2'; // where the replica's own connections come from: so that they alone can be cut

const freePort = () =>
  new Promise((yes) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => yes(port));
    });
  });

class Member {
  constructor(row, port, from) {
    Object.assign(this, { row, port, from, dir: temporaryFolder() });
  }

  start(args = []) {
    this.exit = null;
    const own = ['--port', this.port, '--bind', '127.0.0.1', '--bind-source-addr', this.from, '--dir', this.dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', '--repl-diskless-sync-delay', '0', '--protected-mode', 'no', '--replica-announce-ip', '127.0.0.1', '--replica-announce-port', this.port];
    this.process = spawn('redis-server', [...own.map(String), ...args.map(String)], { stdio: 'ignore' });
    this.process.on('exit', (code, signal) => (this.exit = { code, signal }));
    this.row.finally(() => this.process.kill('SIGKILL'));
    return until(async () => (await ask(this.port, 'PING')).startsWith('+PONG'), `redis on port ${this.port} answers`);
  }

  async role() {
    return /role:(\w+)/.exec(await ask(this.port, 'INFO', 'replication'))?.[1];
  }

  async isInStep() {
    return /master_link_status:up/.test(await ask(this.port, 'INFO', 'replication'));
  }

  async kill() {
    this.process.kill('SIGKILL');
    await until(() => this.exit, 'kill -9 ends it');
  }
}

async function cluster(row) {
  const [a, b, ...sentinels] = await Promise.all(Array.from({ length: 5 }, freePort));
  const one = new Member(row, a, '127.0.0.1');
  const two = new Member(row, b, OTHER);
  await one.start();
  await two.start(['--replicaof', '127.0.0.1', a]);
  await until(() => two.isInStep(), 'the replica is in step');
  for (const port of sentinels) {
    const dir = temporaryFolder();
    const conf = join(dir, 'sentinel.conf');
    writeFileSync(conf, `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor ${NAME} 127.0.0.1 ${a} 2\nsentinel down-after-milliseconds ${NAME} 1000\nsentinel failover-timeout ${NAME} 4000\nsentinel parallel-syncs ${NAME} 1\n`);
    const p = spawn('redis-server', [conf, '--sentinel'], { stdio: 'ignore' });
    row.finally(() => p.kill('SIGKILL'));
    await until(async () => (await ask(port, 'PING')).startsWith('+PONG'), `sentinel on port ${port} answers`);
  }
  const knows = async (port) => /num-slaves\r\n\$1\r\n1\r\n/.test(await ask(port, 'SENTINEL', 'MASTER', NAME)) && /num-other-sentinels\r\n\$1\r\n2\r\n/.test(await ask(port, 'SENTINEL', 'MASTER', NAME));
  for (const port of sentinels) await until(() => knows(port), 'the sentinels know each other and the replica', 20_000, 100);
  return { one, two, url: `sentinel://${sentinels.map((p) => `127.0.0.1:${p}`).join(',')}/${NAME}` };
}

/** What the primary sends to its replica is dropped until the function given back is called. */
function cutReplica(row, primary, replica) {
  const rule = ['-p', 'tcp', '-s', '127.0.0.1', '--sport', String(primary.port), '-d', replica.from, '-j', 'DROP'];
  const r = spawnSync('iptables', ['-I', 'OUTPUT', ...rule], { encoding: 'utf8' });
  if (r.status !== 0) throw new Missing(`cutting a replica off needs root and iptables (${r.stderr?.trim() || r.error?.message})`);
  let is = true;
  const heal = () => {
    if (is) spawnSync('iptables', ['-D', 'OUTPUT', ...rule]);
    is = false;
  };
  row.finally(heal);
  return heal;
}

/** Whatever was lost in Redis: each acknowledged text stands in the archive and in every view once, in order. */
async function checkMoved(row, servers) {
  for (const run of row.runs) await run.stop();
  const fresh = [];
  for (const w of row.writers()) {
    const c = await w.reconnect({ ...w.client, server: w.client.server, token: w.client.token, who: w.client.who, isShopper: w.client.isShopper, head: () => 0 });
    const missing = () => {
      const seen = new Set(c.entries(w.chat, 'message').map((e) => e.text));
      return [...w.acked.values()].map((a) => a.text).filter((t) => !seen.has(t));
    };
    await until(() => missing().length === 0, () => `${w.name} is shown all that was acknowledged: not ${missing().slice(0, 3)}`, 20_000, 50);
    fresh.push({ w, c });
  }
  for (const s of servers) {
    await until(async () => !(await readyz(s)).states.some((x) => x.name === 'archive_behind'), 'the archive has caught up', 60_000, 200);
    for (const c of s.clients) c.drop();
    assert.deepEqual((await s.stop()).code, 0, s.tail());
  }
  const verify = await servers[0].cli(['archive', 'verify'], { fails: true });
  assert.equal(verify.code, 0, `archive verify: ${verify.err || verify.out}`);
  const chats = await exported(servers[0]);
  const n = row.result ?? { acknowledged: 0, lost: 0, doubled: 0, reordered: 0 };
  for (const { w, c } of fresh) {
    n.acknowledged += w.acked.size;
    const texts = new Set([...w.acked.values()].map((a) => a.text));
    for (const [where, list] of [['the view', c.entries(w.chat)], ['the archive', chats.get(w.chat)]]) {
      const mine = list.filter((e) => e.kind === 'message' && e.text.startsWith(`${w.name} says `)).map((e) => e.text);
      const missing = [...texts].filter((t) => !mine.includes(t));
      n.lost += missing.length;
      n.doubled += mine.length - new Set(mine).size;
      const order = mine.map((t) => Number(t.split(' ').pop()));
      for (let i = 1; i < order.length; i++) n.reordered += order[i] < order[i - 1];
      assert.deepEqual(missing.slice(0, 3), [], `${w.chat}: ${w.name}: acknowledged, and not in ${where}`);
      assert.equal(mine.length, new Set(mine).size, `${w.chat}: ${w.name}: something stands twice in ${where}`);
      assert.deepEqual(order, [...order].sort((a, b) => a - b), `${w.chat}: ${w.name}: the order in ${where}`);
    }
    assert.deepEqual(c.problems, []);
  }
  row.result = n;
  row.runs = []; // they are done
  row.servers = row.servers.filter((s) => !servers.includes(s));
}

const readyz = async (s) => (await s.api('GET', '/readyz')).json;

async function failOver(row, s, from, to, { cut }) {
  let heal = () => {};
  if (cut) {
    heal = cutReplica(row, from, to);
    await row.more(row.r.int(20, 60));
    row.inject('replication cut, then the primary kill -9: the replica lacks acknowledged entries');
  } else {
    row.inject('primary: kill -9');
  }
  await from.kill();
  row.over();
  await until(async () => (await to.role()) === 'master', 'the replica is promoted', 20_000, 50);
  heal(); // not before: the kernel goes on sending what a process that was killed had written
  row.over(); // what Sentinel needs is its own setting: down-after-milliseconds and the election
  await row.recovers(s);
  if (cut) {
    const states = (await readyz(s)).states.map((x) => x.name);
    assert.ok(states.includes('data_lost'), `the hole is reported: ${states}`);
    row.held('the hole is reported (/readyz data_lost), put back by the node');
  }
}

async function comesBack(row, old, primary) {
  await old.start();
  await until(async () => (await old.role()) === 'slave' && (await old.isInStep()), 'the old primary is a replica and in step', 40_000, 100);
  row.inject('old primary back');
  assert.equal(await primary.role(), 'master');
}

async function failover(row) {
  const { one, two, url } = await cluster(row);
  const s = await row.server({ redis: url });
  await row.traffic(s, 2);
  await row.more(30);
  const epochs = new Set([(await s.cli(['epoch'])).out.trim()]);
  await failOver(row, s, one, two, { cut: true });
  epochs.add((await s.cli(['epoch'])).out.trim());
  await row.more(20);
  await comesBack(row, one, two);
  await row.more(20);
  await failOver(row, s, two, one, { cut: false });
  epochs.add((await s.cli(['epoch'])).out.trim());
  assert.equal(epochs.size, 3, 'each failover is another life');
  row.held('each failover makes a new epoch');
  await row.more(20);
  await checkMoved(row, [s]);
}

/** redis.replicas=1: while no replica answers nothing is acknowledged, so a failover loses nothing. */
async function waits(row) {
  const { one, two, url } = await cluster(row);
  const s = await row.server({ redis: url, set: { 'redis.replicas': 1, 'redis.replicas_ms': 300 } });
  await row.traffic(s, 1);
  await row.more(20);
  const heal = cutReplica(row, one, two);
  // Who is refused comes back on a new connection and tries the same again.
  const refusals = (w) => s.clients.filter((c) => c.seen.some((m) => m.code === 'unavailable' && m.re?.startsWith(`${w.name}-`))).length;
  const refused = async (n) => {
    const told = row.writers().map(refusals);
    const more = () => row.writers().map((w, i) => refusals(w) - told[i]);
    await until(() => more().every((k) => k >= n), () => `${n} times no ok without a replica, it was ${more()}`, 20_000);
  };
  // A segment that was under way may still be acknowledged: from the first refusal on nothing is.
  await refused(1);
  const before = row.writers().map((w) => w.count);
  await refused(4); // each has waited for replicas_ms
  assert.deepEqual(row.writers().map((w) => w.count), before, 'nothing is acknowledged while no replica has it');
  row.inject('replication cut with redis.replicas=1, then the primary kill -9');
  row.held('no ok while no replica has the entry');
  await one.kill();
  heal();
  await until(async () => (await two.role()) === 'master', 'the replica is promoted', 20_000, 50);
  await ask(two.port, 'PING');
  await one.start(['--replicaof', '127.0.0.1', two.port]);
  await until(() => one.isInStep(), 'there is a replica again', 40_000, 100);
  row.over();
  await row.recovers(s);
  await row.more(10);
  await checkMoved(row, [s]);
}

async function both(row) {
  await failover(row);
  await waits(row);
}

export const rows = [{ row: '15', title: 'Sentinel failover under load, old primary back; the same with redis.replicas=1', run: both, ms: 300_000 }];
