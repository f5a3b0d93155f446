// What the measurements that speak for themselves share: connections, processor time, the cores.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../../gateway/lib/server.mjs';

const WebSocket = createRequire(join(ROOT, 'web/package.json'))('ws');

/** A connection that answers by id and knows nothing else. */
export class Peer {
  static async open(server, path, headers = {}) {
    const p = new Peer();
    p.ids = 0;
    p.waiting = new Map();
    p.raw = null; // takes the bytes instead, where each message counts
    p.ws = new WebSocket(`ws://${server.host}:${server.port}${path}`, ['firstline.v1'], { headers, perMessageDeflate: false, skipUTF8Validation: true });
    p.ws.on('message', (data) => (p.raw ? p.raw(data) : p.take(JSON.parse(data))));
    await new Promise((yes, no) => (p.ws.on('open', yes), p.ws.on('error', no), p.ws.on('unexpected-response', (q, r) => no(new Error(`${path}: ${r.statusCode}`)))));
    return p;
  }

  take(m) {
    const yes = m.re && this.waiting.get(m.re);
    if (yes) this.waiting.delete(m.re), yes(m);
    else this.on?.(m);
  }

  ask(t, fields = {}) {
    const id = `${t.replace('.', '_')}-${this.ids++}`;
    this.ws.send(JSON.stringify({ t, id, ...fields }));
    return new Promise((yes, no) => this.waiting.set(id, (m) => (m.t === 'error' ? no(new Error(`${t}: ${JSON.stringify(m)}`)) : yes(m))));
  }
}

export async function shopper(server) {
  const p = await Peer.open(server, '/ws/shopper');
  await p.ask('hello', { locale: 'en' });
  return p;
}

/** An account of a rep in these departments: its token. */
export async function account(server, login, departments = ['general']) {
  await server.cli(['user', 'add', login, '--role', 'rep', ...departments.flatMap((d) => ['--department', d]), '--no-password']);
  return (await server.cli(['token', login])).out.trim().split(/\s+/).pop();
}

export async function repOf(server, token, on) {
  const p = await Peer.open(server, '/ws/rep', { authorization: `Bearer ${token}` });
  p.on = on && ((m) => on(p, m));
  await p.ask('hello');
  return p;
}

/** Runs `one` n times, eight at once. */
export async function many(n, one, atOnce = 8) {
  const out = Array(n);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, n) }, async () => {
    while (next < n) {
      const i = next++;
      out[i] = await one(i);
    }
  }));
  return out;
}

export const pause = (s) => new Promise((r) => setTimeout(r, s * 1000)); // a measurement's time, not a condition
export const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];
export const median = (list) => (quantile(list, 0.5) + [...list].sort((a, b) => b - a)[Math.min(list.length - 1, Math.floor(list.length * 0.5))]) / 2;

/** Seconds of processor time that all threads of these processes have had. */
export function cpuSeconds(pids) {
  let ns = 0;
  for (const pid of pids)
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      try {
        ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      } catch {
        // the thread ended while we looked
      }
    }
  return ns / 1e9;
}

/** The process and all its threads, also those that it begins later, on this core. */
export const pin = (pid, core) => execFileSync('taskset', ['-a', '-cp', String(core), String(pid)], { stdio: 'ignore' });
