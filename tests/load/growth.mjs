// ./dev bench growth [nodes | idle | length | departments | waiting …]: what grows with the size of things: processor time of gateway and Redis against N.
//
//   nodes        a message, with 1, 2, 4 nodes on one Redis: rep on the shopper's node, or on the next
//   idle         a message, beside 0 … 15,000 idle connections on the node (row 8)
//   length       a message, in chats of about 10, 1,000, 10,000 entries
//   departments  a message, with 1, 10, 100 departments
//   waiting      an offer with its acceptance and an arrival, while 10 … 10,000 wait; and nothing at all, while 5,000 do
//
// What is compared runs in turns, a slice each. Writes its part of docs/speed.md and two plots; run with names it only prints.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, Redis, Server, temporaryFolder } from '../gateway/lib/server.mjs';

import { grown } from './lib/grown.mjs';
import { chatOf, EVERYSEC, inTurns, reps, SET, settle, volley } from './lib/pairs.mjs';
import { many, pin } from './lib/peer.mjs';
import { growthPlots } from './lib/plot.mjs';
import { writeGrowth } from './lib/report.mjs';

import { waiting } from './lib/waiting.mjs';

const CHATS = 20;
const PER_NODE = 10;
const CLIENT_CORE = 1;
const general = ['general'];

const names = (n) => ['general', ...Array.from({ length: n - 1 }, (_, i) => `d${i + 1}`)];

function started({ redis, set, departments = 1 } = {}) {
  const config = join(temporaryFolder(), 'growth.ini');
  writeFileSync(config, names(departments).map((n) => `[department.${n}]\nsite = default\n`).join('\n') + EVERYSEC);
  return new Server({ redis, config, set: { ...SET, ...set } }).start({ ms: 60_000 });
}

async function ended(servers) {
  for (const s of servers) await s.stop();
}

/** n nodes on one Redis, with CHATS chats for each: two subjects, or one where there is but one node. */
async function site(n) {
  const redis = await new Redis({ appendfsync: 'everysec' }).start();
  const servers = [];
  for (let i = 0; i < n; i++) servers.push(await started({ redis: redis.url, set: { 'server.node': `n${i}` }, departments: n }));
  const pids = settle(servers, redis);
  const departments = names(n); // a rep's department for each node, so that it is known where the rep is
  await reps(servers[0], n, departments, (i) => servers[i]);
  const places = n === 1 ? [0] : [0, 1];
  const subjects = [];
  for (const away of places) {
    const chats = await many(PER_NODE * n, (k) => chatOf(servers[(k + away) % n], departments[k % n]));
    subjects.push({ n, away, pids, chats: () => chats });
  }
  return { subjects, end: async () => (await ended(servers), redis.kill()) };
}

async function nodes() {
  const sites = [];
  for (const n of [1, 2, 4]) sites.push(await site(n));
  const subjects = sites.flatMap((s) => s.subjects);
  const found = await inTurns(subjects);
  for (const s of sites) await s.end();
  return found.map((f, i) => ({ ...f, n: subjects[i].n, away: subjects[i].away }));
}

/** Idle shoppers in a process of their own; gives how to end them. */
function idlers(server, n) {
  const p = spawn('taskset', ['-c', String(CLIENT_CORE), process.execPath, join(ROOT, 'tests/load/lib/idlers.mjs'), server.host, String(server.port), String(n)], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((yes, no) => {
    p.on('exit', (code) => no(new Error(`idle connections ended with ${code}`)));
    p.stdout.on('data', () => yes(() => (p.removeAllListeners('exit'), p.stdin.end())));
  });
}

async function idle() {
  const servers = [];
  const subjects = [];
  const ends = [];
  for (const n of [0, 1000, 5000, 15_000]) {
    const s = await started();
    const pids = settle([s]);
    servers.push(s);
    await reps(s, CHATS, general);
    if (n) ends.push(await idlers(s, n));
    const chats = await many(CHATS, () => chatOf(s, 'general'));
    subjects.push({ n, pids, chats: () => chats });
  }
  const found = await inTurns(subjects, { rounds: 11 });
  for (const end of ends) end();
  await ended(servers);
  return found.map((f, i) => ({ ...f, n: subjects[i].n }));
}

async function length() {
  const s = await started();
  const pids = settle([s]);
  const few = 8; // each of which has to get 10,000 entries first
  await reps(s, few, general);
  const grown = async (entries) => {
    const chats = await many(few, () => chatOf(s, 'general'));
    await volley(chats, { each: entries, window: 16 });
    return () => chats;
  };
  const fresh = () => many(80, () => chatOf(s, 'general')); // from 6 entries to 14, then others
  const alike = { pids, lanes: few };
  const subjects = [{ n: 10, chats: fresh, each: 8, ...alike }, { n: 1000, chats: await grown(400), each: 80, ...alike }, { n: 10_000, chats: await grown(9400), each: 80, ...alike }];
  const found = await inTurns(subjects);
  await ended([s]);
  return found.map((f, i) => ({ ...f, n: subjects[i].n }));
}

async function departments() {
  const servers = [];
  const subjects = [];
  for (const n of [1, 10, 100]) {
    const s = await started({ departments: n });
    servers.push(s);
    const pids = settle([s]);
    await reps(s, CHATS, names(n));
    const chats = await many(CHATS, (k) => chatOf(s, names(n)[(k * 5) % n]));
    subjects.push({ n, pids, chats: () => chats });
  }
  const found = await inTurns(subjects);
  await ended(servers);
  return found.map((f, i) => ({ ...f, n: subjects[i].n }));
}

const PARTS = { nodes, idle, length, departments, waiting };

/** Measures these parts; gives what the table needs. */
export async function growth(parts = Object.keys(PARTS)) {
  const out = {};
  pin(process.pid, CLIENT_CORE);
  for (const part of parts) {
    const from = performance.now();
    out[part] = await PARTS[part]();
    for (const f of out[part]) console.log(`${part.padEnd(12)} ${JSON.stringify(f)}`);
    console.log(`${part}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
  }
  return grown(out);
}

export function writeDown(table) {
  writeGrowth(join(ROOT, 'docs/speed.md'), { table: table.markdown });
  growthPlots(join(ROOT, 'docs'), table);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const parts = process.argv.slice(2);
  const table = await growth(parts.length ? parts : undefined);
  console.log(table.text);
  if (!parts.length) writeDown(table);
  process.exit(0);
}
