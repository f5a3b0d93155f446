// The real binary as `demo`: storefront, people and articles, with its own Redis and SQLite in a folder that goes away again.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from './paths.mjs';
import { WAIT_MS, until } from './wait.mjs';

export const PASSWORD = 'lantern-and-loom-88';

/** No limit by rate, and offers and silences that no slow machine runs into. */
const usual = {
  'limits.messages_per_s': 0, 'limits.chats_per_address_h': 0, 'limits.hellos_per_s': 100000, 'auth.attempts_per_min': 10000,
  'routing.offer_ms': 120000, 'transfer.answer_ms': 120000, 'routing.silent_ms': 900000,
};

const running = new Set();

/** startDemo({set}) → {origin, port, restart(), stop()}. The settings are `--set` ones; `env` and `args` go to the process. */
export async function startDemo({ set = {}, env = {}, args = [] } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'firstline-browser-'));
  const demo = { data, port: 0, process: null, settings: { ...usual, ...set } };
  running.add(demo);

  demo.start = async () => {
    const out = openSync(join(data, 'out'), 'w');
    const err = openSync(join(data, 'err'), 'a');
    const sets = Object.entries(demo.settings).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
    const child = spawn(BIN, ['demo', '--listen', `127.0.0.1:${demo.port}`, '--data', data, ...sets, ...args], { stdio: ['ignore', out, err], env: { ...process.env, ...env } });
    closeSync(out);
    closeSync(err);
    child.unref(); // a test that fails does not keep the file waiting
    demo.process = child;
    demo.exit = null;
    demo.exited = new Promise((done) => {
      child.on('exit', (code, signal) => done((demo.exit = { code, signal })));
      child.on('error', (e) => done((demo.exit = { code: -1, signal: e.message })));
    });
    const ready = await until(() => {
      const m = /^ready http:\/\/127\.0\.0\.1:(\d+)\s/m.exec(readFileSync(join(data, 'out'), 'utf8'));
      if (!m && demo.exit) throw Object.assign(new Error(`firstline ended (${JSON.stringify(demo.exit)}): ${demo.tail()}`), { fatal: true });
      return m;
    }, () => `ready; its log ends: ${demo.tail()}`, 2 * WAIT_MS); // five passwords are hashed first
    demo.port = Number(ready[1]);
    demo.origin = `http://127.0.0.1:${demo.port}`;
    await until(() => readFileSync(join(data, 'err'), 'utf8').includes('kb loaded'), 'the articles are loaded');
  };
  demo.tail = () => readFileSync(join(data, 'err'), 'utf8').trim().slice(-800);
  demo.stop = async () => {
    if (demo.exit) return demo.exit;
    demo.process.kill('SIGTERM');
    await until(() => demo.exit, `SIGTERM ends the server; its log ends: ${demo.tail()}`);
    return demo.exit;
  };
  demo.restart = async () => {
    await demo.stop();
    await demo.start();
  };
  demo.end = async () => {
    await demo.stop();
    running.delete(demo);
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
  await demo.start();
  return demo;
}

/** What a test that failed has left: the server, and the Redis that names its folder. */
process.on('exit', () => {
  for (const demo of running) {
    if (!demo.exit) demo.process?.kill('SIGKILL');
    for (const pid of readdirSync('/proc').filter((p) => /^\d+$/.test(p))) {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (command.includes('redis-server') && command.includes(demo.data)) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // gone already
      }
    }
    rmSync(demo.data, { recursive: true, force: true });
  }
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** A TCP proxy before the server: cut() ends what runs and refuses what comes, stall() passes nothing on, mend() lets it flow. */
export async function startProxy(port) {
  const pairs = new Set();
  let refuses = false;
  let stalled = false;
  const server = net.createServer((near) => {
    if (refuses) return void near.resetAndDestroy();
    const far = net.connect(port, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', end);
      from.on('error', end);
    }
    if (stalled) for (const s of [near, far]) s.pause();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    cut() {
      refuses = true;
      for (const { near, far } of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    stall() {
      stalled = true;
      for (const { near, far } of pairs) for (const s of [near, far]) s.pause();
    },
    mend() {
      refuses = false;
      stalled = false;
      for (const { near, far } of pairs) for (const s of [near, far]) s.resume();
    },
    end: () => new Promise((done) => {
      for (const { near, far } of pairs) {
        near.destroy();
        far.destroy();
      }
      server.close(done);
    }),
  };
}
