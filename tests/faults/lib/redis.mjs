// A redis-server of the test's own that can be told things, and a proxy in front of one that can be made slow or deaf.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Redis } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';

/** Where the answer ends that begins at i; -1: not all of it is there yet. */
function endOf(got, i = 0) {
  const line = got.indexOf('\r\n', i);
  if (line < 0) return -1;
  const n = Number(got.slice(i + 1, line));
  let at = line + 2;
  if (got[i] === '$') return n < 0 ? at : at + n + 2 <= got.length ? at + n + 2 : -1;
  for (let k = 0; got[i] === '*' && k < n && at >= 0; k++) at = endOf(got, at);
  return at;
}

/** One command on a connection of its own (to: a socket, or a port of this machine): the raw answer. */
export function ask(to, ...argv) {
  return new Promise((yes, no) => {
    const c = net.connect(typeof to === 'number' ? { port: to, host: '127.0.0.1' } : to);
    const timer = setTimeout(() => (c.destroy(), no(new Error(`no answer to ${argv[0]}`))), 10_000);
    let got = '';
    c.setEncoding('latin1'); // lengths are bytes
    c.on('error', (e) => (clearTimeout(timer), no(e)));
    c.on('close', () => (clearTimeout(timer), no(new Error(`the connection ended before the answer to ${argv[0]}`))));
    c.on('data', (d) => {
      got += d;
      if (endOf(got) < 0) return;
      clearTimeout(timer);
      c.destroy();
      yes(got);
    });
    c.write(`*${argv.length}\r\n${argv.map((a) => `$${Buffer.byteLength(String(a))}\r\n${a}\r\n`).join('')}`);
  });
}

/** As Redis, with more settings and an environment. */
export class OwnRedis extends Redis {
  constructor({ args = [], env = {}, ...how } = {}) {
    super(how);
    Object.assign(this, { args, env });
  }

  async start({ wait = true } = {}) {
    this.exit = null;
    const own = ['--port', '0', '--unixsocket', this.socket, '--dir', this.dir, '--save', '', '--appendonly', 'yes', '--appendfsync', this.appendfsync, '--maxmemory-policy', 'noeviction'];
    this.process = spawn('redis-server', [...own, '--enable-protected-configs', 'yes', '--enable-debug-command', 'yes', ...this.args], { stdio: 'ignore', env: { ...process.env, ...this.env } });
    this.process.unref();
    this.process.on('exit', (code, signal) => (this.exit = { code, signal }));
    if (wait) await until(() => this.answers(), 'redis-server answers', 10_000);
    return this;
  }

  async ask(...argv) {
    const answer = await ask(this.socket, ...argv);
    if (answer.startsWith('-')) throw new Error(`${argv.join(' ')}: ${answer.trim()}`);
    return answer;
  }
}

/** A proxy on a Unix socket. delay: ms for each direction; hold(): nothing passes until release(); holdAt: text of a command that holds its own answer and all after it. version: what INFO says. */
export class Proxy {
  constructor(redis) {
    this.redis = redis;
    this.socket = join(redis.dir, 'proxy.sock');
    this.url = `unix://${this.socket}`;
    this.delay = 0;
    this.holding = false;
    this.holdAt = null;
    this.version = null; // as long as the real one
    this.held = [];
    this.heldText = '';
    this.pairs = new Set();
  }

  start() {
    rmSync(this.socket, { force: true });
    this.listener = net.createServer((c) => this.join(c)).listen(this.socket);
    this.listener.unref();
    return new Promise((yes) => this.listener.on('listening', () => yes(this)));
  }

  join(c) {
    const r = net.connect(this.redis.socket);
    const pair = [c, r];
    this.pairs.add(pair);
    const cut = () => {
      this.pairs.delete(pair);
      c.destroy();
      r.destroy();
    };
    for (const [from, to, isAnswer] of [[c, r, false], [r, c, true]]) {
      from.on('error', cut).on('close', cut);
      let last = Promise.resolve(); // what came first goes first, however long it waits
      from.on('data', (d) => {
        if (!isAnswer && this.holdAt && d.includes(this.holdAt)) this.hold();
        if (isAnswer && this.holding) this.heldText += d.toString('latin1');
        const due = new Promise((yes) => setTimeout(yes, this.delay));
        const free = isAnswer && this.holding ? new Promise((yes) => this.held.push(yes)) : null;
        const told = isAnswer && this.version ? Buffer.from(d.toString('latin1').replace(/(redis_version:)[\d.]+/, `$1${this.version}`), 'latin1') : d;
        last = last.then(() => due).then(() => free).then(() => to.writable && to.write(told));
      });
    }
  }

  /** Answers stay here until release(). */
  hold() {
    this.holding = true;
  }

  release() {
    this.holding = false;
    this.heldText = '';
    for (const yes of this.held.splice(0)) yes();
  }

  /** Cuts all connections. */
  cut() {
    for (const [c, r] of this.pairs) {
      c.destroy();
      r.destroy();
    }
  }

  stop() {
    this.cut();
    this.listener?.close();
  }
}
