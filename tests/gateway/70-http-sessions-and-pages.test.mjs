// Signing in and out, who may call what, pages and their headers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OwnRedis, Proxy } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { Client, shopper } from './lib/client.mjs';
import { servedChat, staff } from './lib/desk.mjs';
import { RawSocket } from './lib/raw.mjs';
import { METRICS, PASSWORD, Server, end, temporaryFolder } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';

let server;
let login;
const MINE = { 'x-firstline': '1' };

before(async () => {
  server = await new Server({ set: { ...METRICS, 'presence.beat_ms': 300 } }).start();
  login = await server.person({ login: 'ann', name: 'Ann Example' });
});
after(() => endAndCheck(server));

/** Signs in: {cookie, answer}. */
async function signIn(who = login, password = PASSWORD) {
  const answer = await server.api('POST', '/api/v1/session', { body: { login: who, password }, headers: MINE });
  return { answer, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] };
}

test('while Redis still starts nobody is signed out: who calls is not known yet, and said so', async () => {
  const bin = temporaryFolder();
  const hold = join(bin, 'hold');
  const real = process.env.PATH.split(':').map((d) => join(d, 'redis-server')).find((f) => existsSync(f));
  writeFileSync(join(bin, 'redis-server'), `#!/bin/sh\nwhile [ -e '${hold}' ]; do sleep .05; done\nexec '${real}' "$@"\n`, { mode: 0o755 });
  const s = await new Server({ env: { PATH: `${bin}:${process.env.PATH}` } }).start();
  const who = await s.person({ login: 'eve', name: 'Eve' });
  const token = (await s.account()).token;
  const signed = await s.api('POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE });
  const cookie = signed.headers['set-cookie'][0].split(';')[0];
  await s.stop();
  writeFileSync(hold, '');
  await s.launch(`127.0.0.1:${s.port}`);
  const ready = () => s.api('GET', '/readyz').then((r) => r.json.status, () => 'silent');
  await until(async () => (await ready()) === 'starting', 'it answers while it starts', 10_000, 20);
  for (const [method, path, how] of [
    ['GET', '/api/v1/session', { cookie }],
    ['GET', '/api/v1/people', { token }],
    ['GET', '/api/v1/transcripts', { cookie }],
    ['POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE }],
    ['DELETE', '/api/v1/session', { cookie, headers: MINE }],
  ]) {
    const r = await s.api(method, path, how);
    assert.deepEqual([method, path, r.status, r.headers['retry-after']], [method, path, 503, '1']);
  }
  const nobody = await s.api('GET', '/api/v1/session');
  assert.deepEqual([nobody.status, nobody.json.setup], [401, undefined], 'nor is it known that there is no account');
  rmSync(hold);
  await until(async () => (await ready()) === 'ready', 'ready', 20_000, 20);
  assert.equal((await s.api('GET', '/api/v1/session', { cookie })).status, 200);
  await endAndCheck(s);
});

test('signing in sets a cookie that scripts and other sites never get', async () => {
  const { answer, cookie } = await signIn();
  assert.equal(answer.status, 200);
  const set = answer.headers['set-cookie'][0];
  for (const flag of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(set.includes(flag), `${flag} in ${set}`);
  assert.ok(!set.includes('Secure'), 'plain http on loopback');
  assert.equal(answer.json.person.login, 'ann');
  assert.equal(answer.json.person.name, 'Ann Example');
  assert.deepEqual(answer.json.roles, ['rep']);
  assert.equal(answer.json.site, 'default');
  assert.ok(!JSON.stringify(answer.json).match(/password|argon|secret/i));
  const me = await server.api('GET', '/api/v1/session', { cookie });
  assert.deepEqual(me.json, answer.json);
});

test('where the memory to check a password is missing nobody is told that it is wrong, and it is no try', async () => {
  const { pid } = server.process;
  const limit = (bytes) => execFileSync('prlimit', [`--pid=${pid}`, `--as=${bytes}:`]);
  await Promise.all(Array.from({ length: 4 }, () => signIn())); // all worker threads are there
  const mapped = /VmSize:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  limit(Number(mapped) * 1024 + (24 << 20)); // a check takes 64 MiB
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push((await signIn(['ann', 'nobody'][i % 2])).answer);
  limit('unlimited');
  for (const a of answers) assert.deepEqual([a.status, a.headers['retry-after']], [503, '1']);
  assert.equal((await signIn()).answer.status, 200);
});

test('a wrong password and an unknown login sound the same', async () => {
  const wrong = (await signIn('ann', 'wrong')).answer;
  const nobody = (await signIn('nobody', 'wrong')).answer;
  assert.deepEqual([wrong.status, nobody.status], [401, 401]);
  assert.equal(wrong.text, nobody.text);
  assert.match(wrong.headers['content-type'], /^application\/problem\+json/);
  assert.equal(wrong.json.status, 401);
  assert.equal(wrong.headers['set-cookie'], undefined);
});

test('bodies that are no login are bad requests', async () => {
  for (const body of ['', 'x', '[]', '{}', '{"login":"ann"}', '{"login":7,"password":"x"}', '{"login":"ann","password":""}', `{"login":"${'a'.repeat(5000)}","password":"x"}`]) {
    const r = await server.api('POST', '/api/v1/session', { body, headers: MINE });
    assert.ok([400, 413].includes(r.status), `${body.slice(0, 30)}: ${r.status}`);
  }
  const form = await server.api('POST', '/api/v1/session', { body: 'login=ann&password=x', headers: { ...MINE, 'content-type': 'application/x-www-form-urlencoded' } });
  assert.ok([400, 415].includes(form.status), `a form: ${form.status}`);
});

test('a call by cookie that changes something needs X-Firstline', async () => {
  const { cookie } = await signIn();
  assert.equal((await server.api('DELETE', '/api/v1/session', { cookie })).status, 403);
  assert.equal((await server.api('GET', '/api/v1/session', { cookie })).status, 200, 'still signed in');
  const form = await server.api('DELETE', '/api/v1/session', { cookie, headers: { ...MINE, origin: 'https://evil.example' } });
  assert.ok([403, 204].includes(form.status));
});

test('signing out ends the session and its live sockets, and no other', async () => {
  const one = await signIn();
  const two = await signIn();
  const open = (cookie) => Client.open(server, '/ws/rep', { headers: { cookie }, origin: server.origin });
  const a = await open(one.cookie);
  const b = await open(two.cookie);
  await a.done('hello');
  await b.done('hello');
  const out = await server.api('DELETE', '/api/v1/session', { cookie: one.cookie, headers: MINE });
  assert.equal(out.status, 204);
  await within(a.gone, 5000, 'the socket of the ended session is closed');
  assert.notEqual(a.closed.code, 1006, 'with a close code');
  await b.done('ping');
  assert.equal((await server.api('GET', '/api/v1/session', { cookie: one.cookie })).status, 401);
  assert.equal((await server.api('GET', '/api/v1/session', { cookie: two.cookie })).status, 200);
  await assert.rejects(open(one.cookie), { status: 401 });
});

test('where Redis refuses to end a session nobody is told that it has ended', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url }).start();
  const body = { login: await s.person(), password: PASSWORD };
  const cookie = (await s.api('POST', '/api/v1/session', { body, headers: MINE })).headers['set-cookie'][0].split(';')[0];
  const socket = await Client.open(s, '/ws/rep', { headers: { cookie }, origin: s.origin });
  const signOut = () => s.api('DELETE', '/api/v1/session', { cookie, headers: MINE });
  await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
  const no = await signOut();
  assert.deepEqual([no.status, no.headers['retry-after'], no.headers['set-cookie']], [503, '1', undefined]);
  await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await socket.done('ping');
  assert.equal((await signOut()).status, 204);
  await within(socket.gone, 5000, 'its socket is closed');
  assert.equal((await s.api('GET', '/api/v1/session', { cookie })).status, 401);
  await endAndCheck(s);
  await redis.kill();
});

test('a session and a token that were ended elsewhere, and of which nothing was heard, end their live sockets too', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set: { 'presence.beat_ms': 300 } }).start();
  const { login: who, token } = await s.account();
  const cookie = (await s.api('POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE })).headers['set-cookie'][0].split(';')[0];
  const gone = (await redis.ask('KEYS', 'fl:*:tok:*')).match(/fl:\S+/g);
  const lasting = await s.token(who);
  const open = (headers) => Client.open(s, '/ws/rep', { headers, origin: s.origin });
  const ending = [await open({ cookie }), await open({ authorization: `Bearer ${token}` })];
  const staying = await open({ authorization: `Bearer ${lasting}` });
  for (const key of gone) await redis.ask('DEL', key);
  for (const c of ending) assert.equal((await within(c.gone, 10_000, 'it is closed')).code, 1008);
  await staying.done('ping');
  await endAndCheck(s);
  await redis.kill();
});

test('a session and a token that run out end their live sockets', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url }).start();
  const { login: who, token } = await s.account();
  const cookie = (await s.api('POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE })).headers['set-cookie'][0].split(';')[0];
  for (const key of (await redis.ask('KEYS', 'fl:*:tok:*')).match(/fl:\S+/g)) await redis.ask('PEXPIRE', key, '6000');
  const lasting = s.token(who);
  const open = (headers) => Client.open(s, '/ws/rep', { headers, origin: s.origin });
  const ending = [await open({ cookie }), await open({ authorization: `Bearer ${token}` })];
  const staying = await open({ authorization: `Bearer ${await lasting}` });
  for (const c of ending) assert.equal((await within(c.gone, 20_000, 'it is closed')).code, 1008);
  await staying.done('ping');
  await assert.rejects(open({ cookie }), { status: 401 });
  await endAndCheck(s);
  await redis.kill();
});

test('the reps’ socket takes a cookie from its own origin only', async () => {
  const { cookie } = await signIn();
  const status = (origin) => Client.open(server, '/ws/rep', { headers: { cookie }, origin }).then((c) => (c.drop(), 101), (e) => e.status);
  assert.equal(await status(server.origin), 101);
  assert.equal(await status('https://evil.example'), 403);
  assert.equal(await status('null'), 403);
  assert.ok([401, 403].includes(await status(undefined)));
});

test('a token that was revoked and a password that was changed end what hung on them', async () => {
  const [who] = await staff(server, 1);
  assert.equal((await server.api('GET', '/api/v1/session', { token: who.token })).status, 200);
  const list = await server.cli(['token', 'list']);
  assert.ok(!list.out.includes(who.token), 'tokens are not shown again');
  const line = list.out.split('\n').find((l) => l.includes(who.login));
  assert.ok(line, list.out);
  const { cookie } = await signIn(who.login);
  await server.cli(['user', 'passwd', who.login, '--password-stdin'], { input: 'another horse battery 10\n' });
  assert.equal((await signIn(who.login)).answer.status, 401);
  assert.equal((await signIn(who.login, 'another horse battery 10')).answer.status, 200);
  assert.equal((await server.api('GET', '/api/v1/session', { cookie })).status, 401, 'sessions of the old password are ended');
});

test('a socket that was opened before, and says hello only when the account is closed or its password changed, is turned away', async () => {
  const [ann, bob] = await staff(server, 2);
  for (const [who, end] of [[ann, ['user', 'disable', ann.login]], [bob, ['user', 'passwd', bob.login, '--password-stdin']]]) {
    const { cookie } = await signIn(who.login);
    const open = () => Client.open(server, '/ws/rep', { headers: { cookie }, origin: server.origin });
    const [early, late] = [await open(), await open()];
    await early.done('hello');
    await server.cli(end, { input: 'another horse battery 10\n' });
    assert.equal((await within(early.gone, 5000, 'who had said hello is closed')).code, 1008);
    await late.refused('unauthorized', 'hello');
    assert.equal((await within(late.gone, 5000, 'so is who says it now')).code, 1008);
  }
});

test('what Redis refuses to tell of a session, or of whose it is, signs nobody out', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url, set: { 'presence.beat_ms': 300 } }).start();
  const { login: who, token } = await s.account();
  const signed = await s.api('POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE });
  const cookie = signed.headers['set-cookie'][0].split(';')[0];
  /** What becomes of calls and upgrades while each key like this holds something that can't be read. */
  const without = async (pattern) => {
    const keys = (await redis.ask('KEYS', pattern)).match(/fl:\S+/g);
    for (const k of keys) await redis.ask('RENAME', k, `aside:${k}`);
    for (const k of keys) await redis.ask('HSET', k, 'not', 'this');
    await s.stop();
    await s.start({ listen: `127.0.0.1:${s.port}` });
    const answers = [await s.api('GET', '/api/v1/session', { cookie }), await s.api('GET', '/api/v1/people', { token })];
    for (const headers of [{ cookie }, { authorization: `Bearer ${token}` }])
      answers.push(await Client.open(s, '/ws/rep', { headers, origin: s.origin }).then(() => ({ status: 101 }), (e) => e));
    if (pattern.endsWith('r_*')) answers.push(await s.api('POST', '/api/v1/session', { body: { login: who, password: PASSWORD }, headers: MINE }));
    for (const k of keys) await redis.ask('RENAME', `aside:${k}`, k);
    return answers.map((r) => [r.status, r.headers?.['retry-after']]);
  };
  for (const pattern of ['fl:*:tok:*', 'fl:*:l:r_*']) {
    for (const answer of await without(pattern)) assert.deepEqual([pattern, ...answer], [pattern, 503, '1']);
    await until(async () => (await s.api('GET', '/api/v1/session', { cookie })).status === 200, 'it can be read again');
  }
  await endAndCheck(s);
  await redis.kill();
});

test('who was given an account just now signs in, also where the node has not heard of it', async () => {
  const redis = await new OwnRedis().start();
  const proxy = await new Proxy(redis).start();
  const s = await new Server({ redis: proxy.url }).start();
  const beside = new Server({ data: s.data, redis: redis.url, config: s.config });
  await until(async () => (await s.api('GET', '/api/v1/session')).json.setup, 'the list of accounts is read');
  const signIn = (login, password = PASSWORD) => s.api('POST', '/api/v1/session', { body: { login, password }, headers: { 'X-Firstline': '1' } });
  try {
    for (const login of ['first', 'second']) {
      proxy.hold(); // the word of it, too
      await beside.person({ login });
      const answer = signIn(login);
      await until(() => s.process && proxy.held.length > 0, 'an answer is held');
      proxy.release();
      assert.equal((await answer).status, 200, login);
    }
    const other = 'another horse battery 10';
    proxy.hold();
    await beside.cli(['user', 'passwd', 'second', '--password-stdin'], { input: `${other}\n` });
    const [old, now] = [signIn('second'), signIn('second', other)];
    await until(() => proxy.held.length > 0, 'an answer is held');
    proxy.release();
    assert.deepEqual([(await old).status, (await now).status], [401, 200]);
    assert.equal((await signIn('third')).status, 401);
  } finally {
    await end(s);
    proxy.stop();
    await redis.kill();
  }
});

test('without an account the server says how to make one', async () => {
  const empty = await new Server().start();
  const r = await empty.api('GET', '/api/v1/session');
  assert.equal(r.status, 401);
  assert.match(r.json.setup, /user add/);
  assert.equal((await empty.stop()).code, 0);
});

test('pages come with headers that allow nothing but themselves', async () => {
  for (const path of ['/console', '/qa', '/widget.js', '/healthz', '/readyz']) {
    const r = await server.api('GET', path);
    assert.equal(r.status, 200, path);
    assert.equal(r.headers['x-content-type-options'], 'nosniff', path);
    assert.ok(r.headers['content-security-policy'], `${path}: a content security policy`);
    assert.ok(!r.headers['content-security-policy'].includes('unsafe'), path);
    assert.ok(r.headers['referrer-policy'], `${path}: a referrer policy`);
    assert.equal(r.headers['x-powered-by'], undefined);
  }
  for (const path of ['/console', '/qa']) {
    const { headers } = await server.api('GET', path);
    const csp = headers['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"]) assert.ok(csp.includes(part), `${path}: ${part} in ${csp}`);
  }
});

test('assets are compressed where the client takes it, and their names carry their hash', async () => {
  const page = await server.api('GET', '/console');
  const assets = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1]);
  assert.ok(assets.length > 0, 'the console loads assets');
  for (const path of assets) {
    const plain = await server.api('GET', path);
    assert.equal(plain.status, 200, path);
    assert.match(plain.headers['cache-control'], /immutable/, path);
    assert.equal(plain.headers['content-encoding'], undefined);
    const br = await server.api('GET', path, { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(br.headers['content-encoding'], 'br', path);
    assert.ok(br.raw.length < plain.raw.length);
    const type = plain.headers['content-type'];
    assert.match(type, path.endsWith('.css') ? /^text\/css/ : path.endsWith('.js') ? /javascript/ : /./);
  }
  const widget = await server.api('GET', '/widget.js');
  assert.doesNotMatch(widget.headers['cache-control'] ?? '', /immutable/, 'widget.js is not hashed');
});

test('a path outside the assets is nowhere', async () => {
  const ways = ['../', '%2e%2e/', '..%2f', '%2e%2e%2f', '..%5c', '..%252f', '.%2e/', '..;/', '%c0%ae%c0%ae/'];
  for (const way of ways)
    for (const top of ['/', '/assets/', '/console/', '/api/v1/']) {
      const r = await server.api('GET', `${top}${way.repeat(12)}etc/passwd`);
      assert.ok([400, 401, 403, 404].includes(r.status) && !r.text.includes('root:'), `${top}${way}: ${r.status}`);
    }
  for (const path of ['//etc/passwd', '/%00', '/assets/%00.js', '/.git/config', '/firstline.ini', '/archive.sqlite', '/assets/', '/assets', '/nope', '/api/v1/nope', '/console/x']) {
    const r = await server.api('GET', path);
    assert.ok([400, 401, 403, 404].includes(r.status), `${path}: ${r.status}`);
  }
  assert.ok([403, 404, 302, 303, 307].includes((await server.api('GET', '/')).status), 'the storefront is for the demo');
});

test('a method that a path does not have is 405 with what it has', async () => {
  const rows = [['/', 'GET, HEAD'], ['/console', 'GET, HEAD'], ['/healthz', 'GET, HEAD'], ['/api/v1/transcripts', 'GET, HEAD'], ['/api/v1/session', 'POST, GET, HEAD, DELETE'], ['/api/v1/taught/x/undo', 'POST']];
  for (const [path, allow] of rows)
    for (const method of ['PUT', 'OPTIONS']) {
      const r = await server.api(method, path, { body: {} });
      assert.deepEqual([r.status, r.headers.allow, r.headers['content-type']], [405, allow, 'application/problem+json'], `${method} ${path}`);
    }
  const r = await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`, { method: 'POST' });
  assert.deepEqual([r.status, r.headers.get('allow')], [405, 'GET, HEAD'], 'POST /metrics');
  const head = await server.api('HEAD', '/console');
  assert.equal(head.status, 200);
  assert.equal(head.raw.length, 0);
});

test('a large body that has arrived before its connection is taken is read to its end', async () => {
  const body = `{"login":"${'x'.repeat(900 * 1024)}"}`;
  for (let i = 0; i < 5; i++) {
    server.process.kill('SIGSTOP');
    const answer = server.api('POST', '/api/v1/session', { body, headers: { 'X-Firstline': '1' } });
    const sockets = () => readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((l) => l.trim().split(/\s+/));
    const isFull = ([, local, , , queues]) => parseInt(local.split(':')[1], 16) === server.port && parseInt(queues.split(':')[1], 16) > 60_000;
    const queued = () => sockets().some(isFull);
    await until(queued, 'what no connection was taken for lies in the kernel').finally(() => server.process.kill('SIGCONT'));
    assert.equal((await answer).status, 413);
  }
});

test('requests that are smuggled or broken get one answer, a refusal', async () => {
  const speak = (bytes) =>
    new Promise((done) => {
      const tcp = server.connect();
      let text = '';
      tcp.on('data', (d) => (text += d.toString('latin1')));
      tcp.on('close', () => done(text));
      tcp.on('error', () => {});
      tcp.setTimeout(3000, () => tcp.destroy());
      tcp.end(bytes);
    });
  const host = `Host: ${server.host}:${server.port}`;
  const smuggled = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const [what, bytes] of Object.entries({
    'Content-Length and Transfer-Encoding': `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'two Content-Lengths': `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    'a negative Content-Length': `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: -1\r\n\r\n`,
    'a NUL in a header': `GET /readyz HTTP/1.1\r\n${host}\r\nX: a\0b\r\n\r\n`,
    'no host': 'GET /readyz HTTP/1.1\r\n\r\n',
    'two hosts': `GET /readyz HTTP/1.1\r\n${host}\r\nHost: other\r\n\r\n`,
    'a header of 64 KiB': `GET /readyz HTTP/1.1\r\n${host}\r\nX: ${'a'.repeat(65_536)}\r\n\r\n`,
    'a line that is no request': 'HELLO\r\n\r\n',
    'a folded header': `GET /readyz HTTP/1.1\r\n${host}\r\nX: a\r\n b\r\n\r\n`,
    'a body of 2 MiB': `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\nContent-Length: 2097152\r\n\r\n`,
  })) {
    const answer = await speak(bytes);
    assert.ok(!answer.includes('HTTP/1.1 200'), `${what}: ${answer.slice(0, 100)}`);
    assert.ok((answer.match(/HTTP\/1\.1 \d/g) ?? []).length <= 1, `${what}: one answer at most`);
    assert.ok(answer === '' || /^HTTP\/1\.[01] [45]\d\d/.test(answer), `${what}: ${answer.slice(0, 60)}`);
  }
  assert.equal((await server.api('GET', '/readyz')).status, 200);
});

test('the listener of the figures opens no socket to anybody', async () => {
  const there = { host: server.host, port: server.metricsPort, connect: () => net.connect(server.metricsPort, server.host) };
  for (const path of ['/ws/shopper', '/ws/rep']) {
    const s = await RawSocket.open(there, path);
    s.end();
    assert.equal(s.status, 404, path);
  }
});

/** All figures of /metrics that have no labels, by name; each must say what it is. */
async function figures() {
  const text = await (await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`)).text();
  const found = {};
  for (const [, name, value] of text.matchAll(/^firstline_(\w+) (\d+)$/gm)) {
    assert.match(text, new RegExp(`^# HELP firstline_${name} [A-Z1].*\\.$`, 'm'), name);
    assert.match(text, new RegExp(`^# TYPE firstline_${name} (gauge|counter)$`, 'm'), name);
    found[name] = Number(value);
  }
  return found;
}

test('the figures say what connections, chats and entries take of the memory, and follow as they come and go', async () => {
  const idle = await until(async () => ((await figures()).redis_used_memory_bytes > 0 ? figures() : null), "Redis's memory");
  assert.ok(idle.resident_bytes > 1e6);
  const many = await Promise.all(Array.from({ length: 40 }, () => shopper(server)));
  const more = await figures();
  assert.equal(more.connections, idle.connections + 40);
  const one = (more.connections_bytes - idle.connections_bytes) / 40;
  assert.ok(one > 500 && one < 20_000, `${one} bytes a connection`);
  assert.ok(more.connection_bytes > 500 && more.connection_bytes <= more.connections_bytes);

  const { sue, ann, chat } = await servedChat(server);
  const before = await figures();
  for (let i = 0; i < 20; i++) await sue.say(`${'x'.repeat(500)}${i}`);
  await ann.event('message', { chat, text: `${'x'.repeat(500)}19` });
  const after_ = await figures();
  assert.ok(after_.entries_in_memory >= before.entries_in_memory + 20);
  assert.ok(after_.entries_bytes >= before.entries_bytes + 20 * 500, `${after_.entries_bytes - before.entries_bytes} for twenty entries`);
  assert.ok(after_.entry_bytes > 100 && after_.chat_bytes > 1000 && after_.chats_bytes >= after_.chat_bytes);

  for (const c of many) c.drop();
  await until(async () => (await figures()).connections <= after_.connections - 40, 'the connections are gone');
  assert.ok((await figures()).connections_bytes <= after_.connections_bytes - 40 * 500);
});
