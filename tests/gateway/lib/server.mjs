// The real binary, its redis-server and its data directory. Ends only what was started here, by pid.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until, within } from './wait.mjs';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BIN = process.env.FIRSTLINE_BIN ?? join(ROOT, 'build/firstline');
/** Any free port for /metrics. */
export const METRICS = { 'metrics.listen': '127.0.0.1:0' };
export const PASSWORD = 'correct horse battery 9';

/** What every test wants: no limits by rate. A test of the limits sets its own. */
const FREE = { 'limits.messages_per_s': 0, 'limits.chats_per_address_h': 0, 'limits.hellos_per_s': 100000, 'auth.attempts_per_min': 10000 };
/** Without articles of the test's own nothing is suggested: what was would be entries that come between others whenever they do. */
const QUIET = { 'kb.threshold_permille': 1000 };
const DEPARTMENTS = 48;

let people = 0;
const servers = new Set();
const redises = new Set();
const folders = new Set();

export function temporaryFolder() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'flt-')));
  folders.add(dir);
  return dir;
}

/** A configuration with many departments, so that the tests of a file don't meet each other's reps. */
export function manyDepartments(dir, extra = '') {
  const file = join(dir, 'firstline-test.ini');
  const names = ['general', ...Array.from({ length: DEPARTMENTS }, (_, i) => `d${i + 1}`)];
  writeFileSync(file, `${names.map((n) => `[department.${n}]\nsite = default\n`).join('\n')}\n${extra}`);
  return file;
}

export class Server {
  /** data: folder (made and removed if not given); redis: url of a shared one; set: settings; config: path, or text to add to the departments. */
  constructor({ data, redis, set = {}, config = '', args = [], env = {}, free = true } = {}) {
    this.data = data ?? temporaryFolder();
    this.redis = redis;
    this.set = { ...(free ? FREE : {}), ...('kb.dir' in set ? {} : QUIET), ...set };
    this.config = config === null ? null : existsSync(config) ? config : manyDepartments(this.data, config);
    this.args = args;
    this.env = env;
    this.clients = [];
    this.department = 0;
    this.log = `${this.data}/test-${servers.size}.log`;
    servers.add(this);
  }

  common() {
    return ['--data', this.data, ...(this.redis ? ['--redis', this.redis] : []), ...(this.config ? ['--config', this.config] : [])];
  }

  /** Starts `serve` and waits for its first ready line. listen: null to leave that to the configuration. */
  async start({ listen = '127.0.0.1:0', ms = 20_000 } = {}) {
    await this.launch(listen);
    const m = await until(
      () => {
        const ready = /^ready https?:\/\/([^:/\s]+):(\d+)\s/m.exec(readFileSync(this.out, 'utf8'));
        if (!ready && this.exit) throw Object.assign(new Error(`exit ${this.exit.code}: ${this.tail()}`), { fatal: true });
        return ready;
      },
      () => `ready; the log ends: ${this.tail()}`,
      ms,
      5,
    );
    this.host = m[1];
    this.port = Number(m[2]);
    const metrics = [...readFileSync(this.log, 'utf8').matchAll(/ metrics address=\S*:(\d+)$/gm)].pop();
    this.metricsPort = metrics && Number(metrics[1]); // where metrics.listen is set, to METRICS unless the port matters
    return this;
  }

  /** Starts `serve` without waiting for anything. */
  async launch(listen = '127.0.0.1:0') {
    const sets = Object.entries(this.set).flatMap(([k, v]) => ['--set', `${k}=${v}`]);
    this.out = `${this.data}/test-ready.${Date.now()}.out`;
    const out = openSync(this.out, 'w');
    const err = openSync(this.log, 'a');
    this.exit = null;
    const p = spawn(BIN, ['serve', ...(listen ? ['--listen', listen] : []), ...this.common(), ...sets, ...this.args], { stdio: ['ignore', out, err], env: { ...process.env, ...this.env } });
    closeSync(out);
    closeSync(err);
    p.unref(); // a test that fails must not keep the file waiting
    this.process = p;
    this.exited = new Promise((done) => {
      p.on('exit', (code, signal) => done((this.exit = { code, signal })));
      p.on('error', (e) => done((this.exit = { code: -1, signal: null, error: e.message })));
    });
    return this;
  }

  /** The end of its log, for messages. */
  tail(n = 600) {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().slice(-n) : '';
  }

  /** Sends SIGTERM and gives {code, signal}; throws if it is not gone within 20 s. */
  async stop(ms = 20_000, signal = 'SIGTERM') {
    if (this.exit || !this.process) return this.exit;
    this.process.kill(signal);
    return within(this.exited, ms, `${signal} ends the server; its log ends: ${this.tail()}`);
  }

  /** kill -9. */
  async kill() {
    if (!this.process || this.exit) return;
    this.process.kill('SIGKILL');
    await within(this.exited, 5000, 'kill -9 ends the server');
  }

  redisPids() {
    return redisPidsOf(this.data);
  }

  killRedis() {
    const pids = this.redisPids();
    if (!pids.length) throw new Error('no redis-server found for the data directory');
    for (const p of pids) process.kill(p, 'SIGKILL');
    return pids;
  }

  /** Runs a subcommand on this server's data: {code, out, err}. Throws on a code other than 0 unless `fails`. */
  async cli(args, { input, fails = false, ms = 60_000 } = {}) {
    const r = await run([...args, ...this.common()], { input, ms });
    if (r.code !== 0 && !fails) throw new Error(`firstline ${args.join(' ')}: exit ${r.code}: ${r.err.trim().slice(-400)}`);
    return r;
  }

  /** An account; gives its login. */
  async person({ login = `p${++people}`, role = 'rep', department = 'general', password = PASSWORD, name, languages = [] } = {}) {
    const named = [...(name ? ['--name', name] : []), ...languages.flatMap((l) => ['--language', l])];
    const departments = [department].flat().flatMap((d) => ['--department', d]);
    await this.cli(['user', 'add', login, '--role', role, ...departments, ...named, '--password-stdin'], { input: `${password}\n` });
    return login;
  }

  async token(login) {
    const { out } = await this.cli(['token', login]);
    return out.trim().split(/\s+/).pop();
  }

  /** An account with a token: {login, token}. */
  async account(how) {
    const login = await this.person(how);
    return { login, token: await this.token(login) };
  }

  /** A department that no other test of this file uses. */
  newDepartment() {
    if (this.department >= DEPARTMENTS) throw new Error('the test configuration has no more departments');
    return `d${++this.department}`;
  }

  get origin() {
    return `http://${this.host}:${this.port}`;
  }

  /** One request; the path goes out as it stands. {status, headers, body, text, json}. */
  api(method, path, { token, cookie, headers = {}, body, ms = 15_000 } = {}) {
    const data = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const h = { ...headers };
    if (token) h.authorization = `Bearer ${token}`;
    if (cookie) h.cookie = cookie;
    if (data !== undefined) h['content-type'] ??= 'application/json';
    if (data !== undefined) h['content-length'] = Buffer.byteLength(data);
    return new Promise((yes, no) => {
      const req = http.request({ host: this.host, port: this.port, method, path, headers: h, agent: false, timeout: ms }, (res) => {
        const parts = [];
        res.on('data', (d) => parts.push(d));
        res.on('end', () => {
          const raw = Buffer.concat(parts);
          yes({
            status: res.statusCode,
            headers: res.headers,
            raw,
            get text() {
              return raw.toString('utf8');
            },
            get json() {
              return JSON.parse(raw.toString('utf8'));
            },
          });
        });
        res.on('error', no);
      });
      req.on('timeout', () => req.destroy(new Error(`${method} ${path}: no answer within ${ms} ms`)));
      req.on('error', no);
      req.end(data);
    });
  }

  /** The transcript, once `when` holds for it (default: once there is one). */
  async transcript(token, chat, when = () => true, what = 'the transcript') {
    let last;
    return until(
      async () => {
        const r = await this.api('GET', `/api/v1/transcripts/${chat}`, { token });
        last = r.status === 200 ? r.json : { status: r.status, body: r.text.slice(0, 200) };
        return r.status === 200 && when(last) ? last : null;
      },
      () => `${what}: ${JSON.stringify(last).slice(-400)}`,
      8000,
      40,
    );
  }

  /** A raw TCP connection, for what no client would send. */
  connect() {
    return net.connect(this.port, this.host);
  }
}

/** A redis-server of the test's own, for several nodes. */
export class Redis {
  constructor({ appendfsync = 'always' } = {}) {
    this.dir = temporaryFolder();
    this.socket = join(this.dir, 'r.sock');
    this.url = `unix://${this.socket}`;
    this.appendfsync = appendfsync;
    redises.add(this);
  }

  async start() {
    this.exit = null;
    this.process = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', this.socket, '--dir', this.dir, '--save', '', '--appendonly', 'yes', '--appendfsync', this.appendfsync, '--maxmemory-policy', 'noeviction'],
      { stdio: 'ignore' },
    );
    this.process.unref(); // it is ended with the file
    this.process.on('exit', (code, signal) => (this.exit = { code, signal }));
    await until(() => this.answers(), 'redis-server answers', 10_000);
    return this;
  }

  answers() {
    return new Promise((done) => {
      const c = net.connect(this.socket);
      c.on('error', () => done(false));
      c.on('data', (d) => {
        c.destroy();
        done(d.toString().startsWith('+PONG'));
      });
      c.write('PING\r\n');
    });
  }

  async kill() {
    this.process?.kill('SIGKILL');
    await until(() => !this.process || this.exit, 'kill -9 ends redis-server');
  }
}

function stateOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0];
}

/** The redis-servers of a directory, by /proc: their command line or working directory names it. */
export function redisPidsOf(dir) {
  return readdirSync('/proc')
    .filter((p) => /^\d+$/.test(p))
    .map(Number)
    .filter((p) => {
      try {
        const argv = readFileSync(`/proc/${p}/cmdline`, 'utf8').split('\0');
        if (!argv[0].includes('redis-server') || stateOf(p) === 'Z') return false;
        return argv.join(' ').includes(dir) || `${readlinkSync(`/proc/${p}/cwd`)}/`.startsWith(`${dir}/`);
      } catch {
        return false;
      }
    });
}

function killRedisOf(dir) {
  for (const p of redisPidsOf(dir)) {
    try {
      process.kill(p, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}

/** Whether a process is there (and no zombie). */
export function isAlive(pid) {
  try {
    return stateOf(pid) !== 'Z';
  } catch {
    return false;
  }
}

/** Runs the binary with these arguments: {code, signal, out, err}. */
export function run(args, { input, ms = 60_000, env = process.env, cwd = tmpdir() } = {}) {
  return new Promise((done, no) => {
    const p = spawn(BIN, args, { stdio: ['pipe', 'pipe', 'pipe'], env, cwd });
    let out = '';
    let err = '';
    const timer = setTimeout(() => {
      p.kill('SIGKILL');
      no(new Error(`firstline ${args.join(' ')}: not done within ${ms} ms; it said: ${(err || out).slice(-300)}`));
    }, ms);
    p.stdout.setEncoding('utf8').on('data', (d) => (out += d));
    p.stderr.setEncoding('utf8').on('data', (d) => (err += d));
    p.stdin.on('error', () => {});
    p.on('error', (e) => (clearTimeout(timer), no(e)));
    const finish = (code, signal) => {
      clearTimeout(timer);
      p.stdout.destroy();
      p.stderr.destroy();
      done({ code, signal, out, err });
    };
    p.on('close', finish); // all that it said has been read
    // A redis-server left behind may hold the pipes for ever.
    p.on('exit', (code, signal) => setTimeout(finish, 5000, code, signal).unref());
    p.stdin.end(input ?? '');
  });
}

/** The size of a file, 0 if there is none. */
export function sizeOf(file) {
  return existsSync(file) ? statSync(file).size : 0;
}

function killLeft(server) {
  if (server.process && !server.exit) server.process.kill('SIGKILL');
  if (!server.redis) killRedisOf(server.data);
}

function killAll() {
  for (const s of servers) killLeft(s);
  for (const r of redises) if (r.process && !r.exit) r.process.kill('SIGKILL');
}

/** Ends what is left of these servers. */
export async function end(...some) {
  for (const s of some) {
    for (const c of s.clients) c.drop();
    killLeft(s);
    await s.exited;
    servers.delete(s);
  }
}

/** Ends whatever the file has started: its last hook. What a failed test left open would keep it waiting. */
export const endAll = () => end(...servers);

function clean() {
  killAll();
  for (const d of folders) killRedisOf(d);
  if (process.env.FIRSTLINE_KEEP) return;
  for (const d of folders) rmSync(d, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

process.on('exit', clean);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(128 + 15));
