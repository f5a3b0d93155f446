// What the server needs by itself: memory and time of a start, idle connections.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const bin = process.env.FIRSTLINE_BIN ?? join(root, 'build/firstline');
const OPEN = ['limits.messages_per_s=0', 'limits.chats_per_address_h=0', 'limits.hellos_per_s=1000000', 'limits.connections=100000'].flatMap((s) => ['--set', s]);

/** Starts it on fresh data; gives the process, its port and the seconds until it said that it is ready. */
function start(command, more = []) {
  const data = mkdtempSync(join(tmpdir(), 'flb-'));
  const began = performance.now();
  const p = spawn('taskset', ['-c', '0', bin, command, '--data', data, '--listen', '127.0.0.1:0', ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((yes, no) => {
    let said = '';
    p.on('exit', () => no(new Error(`${command} ended before it was ready`)));
    p.stdout.on('data', (d) => {
      said += d;
      const m = /ready http:\/\/[^:]+:(\d+)/.exec(said);
      if (m) yes({ p, data, port: m[1], ready_s: (performance.now() - began) / 1000 });
    });
  });
}

function stop({ p, data }) {
  return new Promise((done) => {
    p.removeAllListeners('exit');
    p.on('exit', () => (rmSync(data, { recursive: true, force: true }), done()));
    p.kill('SIGTERM');
  });
}

const rssMb = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** The redis-server that minds this data folder. */
function redisOf(data) {
  for (const pid of readdirSync('/proc').filter((f) => /^\d+$/.test(f))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (line.startsWith('redis-server') && line.includes(data)) return Number(pid);
    } catch {
      // it ended while we looked
    }
  }
  throw new Error('its redis-server was not found');
}

const pause = (ms) => new Promise((r) => setTimeout(r, ms)); // a measurement's time, not a condition

async function starts() {
  const own = { starts: [] };
  for (let i = 0; i < 5; i++) {
    const s = await start('serve');
    own.starts.push(s.ready_s);
    await stop(s);
  }
  own.ready_s = own.starts.sort((a, b) => a - b)[2];
  const demo = await start('demo');
  await pause(5000);
  own.demo_mb = rssMb(demo.p.pid) + rssMb(redisOf(demo.data));
  await stop(demo);
  return own;
}

/** Until the articles have been read, which goes on behind `ready` and is not the connections' memory. */
async function atRest(pid) {
  for (let was = 0, same = 0; same < 4; await pause(250)) {
    const now = rssMb(pid);
    same = Math.abs(now - was) < 0.1 ? same + 1 : 0;
    was = now;
  }
}

/** n idle shoppers who have said hello: what the generator found. */
async function idle(wsload, n, seconds) {
  const s = await start('serve', [...OPEN]);
  await atRest(s.p.pid);
  const args = ['-c', '1', wsload, 'idle', '--conns', String(n), '--time', String(seconds), '--port', s.port, '--path', '/ws/shopper', '--proto', 'firstline.v1', '--template', join(here, '../idle.tpl'), '--pid', String(s.p.pid)];
  try {
    return { ...JSON.parse(execFileSync('taskset', args, { encoding: 'utf8', maxBuffer: 1 << 24 })), rss_mb: rssMb(s.p.pid) };
  } finally {
    await stop(s);
  }
}

/** A process that holds n idle shoppers on this port; stop by ending its input. */
function holder(port, n) {
  const p = spawn('taskset', ['-c', '1', process.execPath, join(here, 'idlers.mjs'), '127.0.0.1', port, String(n)], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((yes, no) => {
    p.on('exit', () => no(new Error('the idle connections were not held')));
    p.stdout.once('data', () => yes(p));
  });
}

/** n idle shoppers on three nodes of one Redis: what the three take together. */
async function idleOnThree(n) {
  const one = await start('serve', OPEN);
  const further = (k) => start('serve', [...OPEN, '--redis', `unix://${one.data}/redis/redis.sock`, '--set', `server.node=further-${k}`]);
  const nodes = [one, await further(1), await further(2)];
  for (const s of nodes) await atRest(s.p.pid);
  const holders = await Promise.all(nodes.map((s) => holder(s.port, Math.ceil(n / 3))));
  const mb = nodes.reduce((sum, s) => sum + rssMb(s.p.pid), 0);
  for (const p of holders) p.removeAllListeners('exit'), p.stdin.end();
  for (const s of nodes.reverse()) await stop(s); // the one that minds Redis last
  return mb;
}

export async function alone(wsload) {
  const own = await starts();
  own.idle_50k_mb = await idleOnThree(50_000);
  if (!wsload) return own;
  own.idle = {};
  for (const n of [1000, 5000, 10_000, 15_000, 18_000]) own.idle[n] = await idle(wsload, n, n === 10_000 ? 26 : 1);
  own.idle_b = own.idle[10_000].rss_per_conn_b;
  own.idle_cpu_pct = own.idle[10_000].idle_cpu_pct;
  own.connect_us = own.idle[10_000].connect_cpu_us;
  own.connect_growth = own.idle[15_000].connect_cpu_us / own.idle[1000].connect_cpu_us;
  own.idle_18k_mb = own.idle[18_000].rss_end_kb / 1024;
  return own;
}
