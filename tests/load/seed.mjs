// Accounts for the load: seed.mjs BIN SOCKET DATA WORK PAIRS FSYNC
//
// Making a hundred accounts costs a hundred password hashes. So what the first run wrote into its empty Redis is kept in WORK and put
// back on the next ones, as long as the program is the same.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { promisify } from 'node:util';

const [bin, socket, data, work, pairsText, fsync] = process.argv.slice(2);
const pairs = Number(pairsText);
const config = `${work}/load.ini`;
const kept = `${work}/seed-${createHash('sha256').update(readFileSync(bin)).digest('hex').slice(0, 12)}-${pairs}.json`;
const exec = promisify(execFile);

/** As much of the Redis protocol as is needed here; values are Buffers. */
class Resp {
  constructor(path) {
    this.socket = net.connect(path);
    this.bytes = Buffer.alloc(0);
    this.waiting = [];
    this.socket.on('data', (d) => {
      this.bytes = Buffer.concat([this.bytes, d]);
      for (let v; this.waiting.length && (v = this.value(0)); ) {
        this.bytes = this.bytes.subarray(v[1]);
        this.waiting.shift()(v[0]);
      }
    });
  }

  /** [value, end] of what stands at `at`, or null if it is not all there yet. */
  value(at) {
    const eol = this.bytes.indexOf('\r\n', at);
    if (eol < 0) return null;
    const line = this.bytes.toString('latin1', at + 1, eol);
    const next = eol + 2;
    switch (this.bytes[at]) {
      case 0x2b: // +
        return [line, next];
      case 0x2d: // -
        return [new Error(line), next];
      case 0x3a: // :
        return [Number(line), next];
      case 0x24: { // $
        const n = Number(line);
        if (n < 0) return [null, next];
        return this.bytes.length < next + n + 2 ? null : [Buffer.from(this.bytes.subarray(next, next + n)), next + n + 2];
      }
      default: {
        const list = [];
        let end = next;
        for (let i = 0; i < Number(line); i++) {
          const v = this.value(end);
          if (!v) return null;
          list.push(v[0]);
          end = v[1];
        }
        return [list, end];
      }
    }
  }

  call(...args) {
    const parts = [Buffer.from(`*${args.length}\r\n`)];
    for (const a of args) {
      const b = Buffer.isBuffer(a) ? a : Buffer.from(String(a));
      parts.push(Buffer.from(`$${b.length}\r\n`), b, Buffer.from('\r\n'));
    }
    this.socket.write(Buffer.concat(parts));
    return new Promise((yes, no) => this.waiting.push((v) => (v instanceof Error ? no(v) : yes(v))));
  }
}

function cli(args, input) {
  const set = ['--set', `redis.appendfsync=${fsync}`];
  const child = exec(bin, [...args, '--data', data, '--redis', `unix://${socket}`, '--config', config, ...set], { timeout: 60_000 });
  child.child.stdin.on('error', () => {}); // it may not read it
  child.child.stdin.end(input ?? '');
  return child.then((r) => r.stdout);
}

async function one(i) {
  await cli(['user', 'add', `p${i}`, '--role', 'rep', '--department', `p${i}`, '--password-stdin'], 'a password for the load 1\n');
  return (await cli(['token', `p${i}`])).trim().split(/\s+/).pop();
}

const names = ['general', ...Array.from({ length: pairs }, (_, i) => `p${i}`)];
writeFileSync(config, names.map((n) => `[department.${n}]\nsite = default\n`).join('\n'));
const redis = new Resp(socket);
let tokens;
if (existsSync(kept)) {
  const seed = JSON.parse(readFileSync(kept, 'utf8'));
  tokens = seed.tokens;
  await Promise.all(seed.keys.map(([key, dump]) => redis.call('RESTORE', Buffer.from(key, 'base64'), 0, Buffer.from(dump, 'base64'))));
} else {
  tokens = [];
  for (let i = 0; i < pairs; i += 4) tokens.push(...(await Promise.all([0, 1, 2, 3].filter((k) => i + k < pairs).map((k) => one(i + k)))));
  const keys = await redis.call('KEYS', '*');
  const dumps = await Promise.all(keys.map((k) => redis.call('DUMP', k)));
  writeFileSync(kept, JSON.stringify({ tokens, keys: keys.map((k, i) => [k.toString('base64'), dumps[i].toString('base64')]) }));
}
redis.socket.end();
writeFileSync(`${work}/tokens`, tokens.map((t) => `Bearer ${t}\n`).join(''));
