// Accounts, tokens and the archive from the command line, with and without a running server.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLogs, endAndCheck, exported } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { servedChat, settled, team } from './lib/desk.mjs';
import { BIN, PASSWORD, Server, run, temporaryFolder } from './lib/server.mjs';
import { until } from './lib/wait.mjs';


test('accounts are made, listed, changed and closed, while nobody serves and while somebody does', async () => {
  const server = new Server();
  await server.person({ login: 'ann', name: 'Ann 安' });
  assert.deepEqual(server.redisPids(), [], 'the Redis that the command started is stopped again');
  const twice = await server.cli(['user', 'add', 'ann', '--role', 'rep', '--department', 'general', '--password-stdin'], { input: `${PASSWORD}\n`, fails: true });
  assert.equal(twice.code, 1);
  assert.match(twice.err, /ann/);
  for (const [args, input] of [
    [['user', 'add', 'x', '--role', 'king', '--department', 'general', '--password-stdin'], PASSWORD],
    [['user', 'add', 'x', '--role', 'rep', '--department', 'general', '--password-stdin'], 'short'],
    [['user', 'add', 'x', '--role', 'rep', '--department', 'general', '--password-stdin'], ''],
    [['user', 'disable', 'nobody'], ''],
    [['user', 'passwd', 'nobody', '--password-stdin'], PASSWORD],
    [['token', 'nobody'], ''],
    [['token', 'revoke', 'nothing'], ''],
  ]) {
    const r = await server.cli(args, { input: `${input}\n`, fails: true });
    assert.ok(r.code === 1 || r.code === 2, `${args.join(' ')}: exit ${r.code}`);
    assert.ok(r.err.trim().length > 0 && r.err.length < 600, `${args.join(' ')}: ${r.err}`);
    assert.ok(!r.err.includes(PASSWORD), 'a password is not repeated');
  }
  const elsewhere = await server.cli(['user', 'add', 'eve', '--role', 'rep', '--department', 'nowhere', '--password-stdin'], { input: `${PASSWORD}\n` });
  assert.match(elsewhere.err, /nowhere/, 'a department that the configuration does not have is remarked on');
  await server.cli(['user', 'add', 'robot', '--role', 'rep', '--department', 'general', '--no-password']);
  const list = await server.cli(['user', 'list']);
  assert.match(list.out, /ann.*Ann 安/);
  assert.ok(!/argon|password/i.test(list.out));
  const token = await server.token('ann');
  assert.match(token, /^[\w-]{20,}$/);
  await server.start();
  const ann = await rep(server, { token });
  assert.equal(ann.welcome.rep.name, 'Ann 安');
  await rep(server, { token: await server.token('robot') });
  for (const password of ['', 'robot', 'a password that nobody gave it']) {
    const r = await server.api('POST', '/api/v1/session', { body: { login: 'robot', password }, headers: { 'X-Firstline': '1' } });
    assert.ok(r.status === 401 || r.status === 400, `no password opens an account without one: ${r.status}`);
  }
  await server.person({ login: 'bob' });
  const bob = await rep(server, { token: await server.token('bob') });
  assert.notEqual(bob.me, ann.me);
  await server.cli(['user', 'roles', 'bob', '--role', 'lead']);
  const lead = await until(async () => {
    const c = await rep(server, { token: await server.token('bob') }, { shift: false });
    return c.welcome.roles.includes('lead') ? c : null;
  }, 'bob is a lead now');
  await lead.done('board.watch', { on: true });
  const tokens = (await server.cli(['token', 'list'])).out.trim().split('\n').filter((l) => /\bann\b/.test(l));
  assert.equal(tokens.length, 1);
  await server.cli(['token', 'revoke', tokens[0].trim().split(/\s+/)[0]]);
  await assert.rejects(rep(server, { token }), { status: 401 });
  await ann.gone;
  await endAndCheck(server);
});

test('a long password of Chinese characters is the one that was typed', async () => {
  const server = await new Server().start();
  const words = '四海之内皆兄弟也'.repeat(25); // 200 characters, 600 bytes
  const signIn = async (password) => (await server.api('POST', '/api/v1/session', { body: { login: 'ann', password }, headers: { 'x-firstline': '1' } })).status;
  await server.person({ login: 'ann', password: words.slice(0, 100) });
  assert.equal(await signIn(words.slice(0, 100)), 200);
  await server.cli(['user', 'passwd', 'ann', '--password-stdin'], { input: `${words}\n` });
  assert.equal(await signIn(words), 200);
  const over = await server.cli(['user', 'passwd', 'ann', '--password-stdin'], { input: `${words}四\n`, fails: true });
  assert.match(over.err, /more than 200 characters/);
  await endAndCheck(server);
});

test('a command that is interrupted ends the redis-server that was started for it, and no other', async () => {
  const server = new Server();
  const begin = async () => {
    const p = spawn(BIN, ['user', 'add', 'ann', '--role', 'rep', '--department', 'general', '--password-stdin', ...server.common()]);
    await until(() => server.redisPids().length === 1, 'a Redis for it');
    return p; // it waits for the password
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    const p = await begin();
    const ended = once(p, 'exit');
    p.kill(signal);
    assert.deepEqual(await ended, [null, signal]);
    assert.deepEqual(server.redisPids(), [], `${signal}: its Redis is stopped`);
  }
  const p = await begin();
  await server.start();
  const ended = once(p, 'exit');
  p.kill('SIGTERM');
  await ended;
  await server.person({ login: 'bob' });
  assert.ok(await rep(server, { token: await server.token('bob') }), 'a server that uses it meanwhile keeps it');
  assert.ok(!/redis down/.test(server.tail(100_000)));
  await endAndCheck(server);
});

test('an expired token opens nothing', async () => {
  const server = await new Server().start();
  await server.person({ login: 'ann' });
  const bad = await server.cli(['token', 'ann', '--expires', 'soon'], { fails: true });
  assert.ok(bad.code === 1 || bad.code === 2);
  const { out } = await server.cli(['token', 'ann', '--expires', '30']);
  await rep(server, { token: out.trim().split(/\s+/).pop() }, { shift: false });
  await endAndCheck(server);
});

test('token list says when a token was made, and until when it holds', async () => {
  const server = await new Server().start();
  await server.person({ login: 'ann' });
  await server.token('ann');
  await server.cli(['token', 'ann', '--expires', '30']);
  execFileSync('redis-cli', ['-s', join(server.data, 'redis/redis.sock'), 'HSET', 'fl:{default}:tokens', 'f'.repeat(64), `ann ${Date.UTC(2026, 0, 2, 3, 4) / 1000} 7`]);
  const lines = (await server.cli(['token', 'list'])).out.trim().split('\n');
  const times = lines.map((l) => /^[0-9a-f]{12} {2}ann {17} {1}made (\S+Z)(?: {2}(expires|expired) (\S+Z))?$/.exec(l)).filter(Boolean);
  assert.equal(times.length, 3, lines.join('\n'));
  const [made, , end] = times.find((t) => t[2] === 'expires').slice(1);
  assert.equal(Date.parse(end) - Date.parse(made), 30 * 86_400_000);
  assert.ok(Math.abs(Date.parse(made) - Date.now()) < 180_000, made);
  assert.deepEqual(times.find((t) => t[2] === 'expired').slice(1), ['2026-01-02T03:04Z', 'expired', '2026-01-09T03:04Z']);
  await endAndCheck(server);
});

test('export and verify say the same with and without a running server', async () => {
  const server = await new Server().start();
  const [ann] = await team(server, 1);
  for (let i = 0; i < 3; i++) {
    const { sue, chat } = await servedChat(server, { ann, text: `export ${i} 退款` });
    await settled(sue, ann, chat);
  }
  await until(async () => [...(await exported(server)).values()].filter((l) => l.some((e) => e.kind === 'closed')).length === 3, 'all three are archived');
  const live = await exported(server);
  checkLogs(live);
  assert.equal((await server.cli(['archive', 'verify'])).code, 0);
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(await exported(server), live);
  const verify = await server.cli(['archive', 'verify']);
  assert.equal(verify.code, 0);
  assert.match(verify.out, /^[^\n]+\n$/, 'one line');
  await endAndCheck(server);
});

test('what no account can be made of is refused in one sentence, and nothing is written', async () => {
  const data = join(temporaryFolder(), 'data');
  const many = (n, of = (i) => `w${i}`) => Array.from({ length: n }, (_, i) => of(i)).join(',');
  // Not UTF-8: an argument of Node's is always UTF-8, so a shell makes these.
  const add = (login, ...more) => run(['user', 'add', login, '--data', data, '--no-password', ...more]);
  const plain = ['--role', 'rep', '--department', 'd'];
  const raw = (option, bytes) => new Promise((done) => {
    execFile('sh', ['-c', `exec "$0" user add raw --data "$1" --no-password --role rep ${option === '--department' ? '' : '--department d'} ${option} "$(printf '${bytes}')"`, BIN, data], (e, out, err) => done({ code: e?.code ?? 0, out, err }));
  });
  for (const [r, says] of [
    [await raw('--name', '\\303\\050'), /--name.*UTF-8/],
    [await raw('--department', '\\377x'), /--department.*UTF-8/],
    [await add('a', ...plain, '--name', 'Ann\x1b[2J'), /--name.*control/],
    [await add('a', ...plain, '--name', 'Ann\u0085'), /--name.*control/],
    [await add('a', ...plain, '--name', ''), /--name.*empty/],
    [await add('a', ...plain, '--name', '安'.repeat(86)), /--name.*258 bytes; at most 255/],
    [await add('a', '--role', 'rep', '--department', many(17)), /--department: at most 16/],
    [await add('a', ...plain, '--skill', many(17)), /--skill: at most 16/],
    [await add('a', ...plain, '--language', many(16, (i) => `${i}`.padEnd(64, 'x'))), /--language.*64 bytes; at most 63/],
    [await add('a', ...plain, '--skill', 'a\x07b'), /--skill.*control/],
    [await add('', ...plain), /login/],
    [await add('安', ...plain), /login/],
    [await add('x'.repeat(65), ...plain), /login/],
  ]) {
    assert.equal(r.code, 1, `${says}: ${r.err}`);
    assert.match(r.err, says);
    assert.match(r.err, /^firstline: [^\n]+\n$/, 'one sentence');
  }
  assert.ok(!existsSync(data), 'no data directory was made for it');
  const most = ['--role', 'rep', '--department', many(16), '--skill', many(16, (i) => `${i}`.padEnd(63, 'x')), '--name', '安'.repeat(85)];
  assert.equal((await add('most', ...most)).code, 0);
  assert.match((await run(['user', 'list', '--data', data])).out, new RegExp(`^most .*${'安'.repeat(85)}.* in ${many(16)}\n$`));
});

test('who only asks makes no data: a mistyped --data is told', async () => {
  const dir = temporaryFolder();
  const missing = join(dir, 'a', 'b');
  const config = join(dir, 'two.ini');
  writeFileSync(config, '[site.a]\nlisten = 127.0.0.1:8401\n[site.b]\nlisten = 127.0.0.1:8402\n');
  for (const args of [['user', 'list'], ['user', 'passwd', 'ann', '--password-stdin'], ['user', 'disable', 'ann'], ['user', 'restore'], ['token', 'ann'], ['token', 'list'], ['epoch'], ['epoch', 'new'], ['archive', 'adopt'], ['archive', 'verify']]) {
    for (const data of [missing, join(dir, 'typo'), dir]) {
      const r = await run([...args, '--data', data], { input: `${PASSWORD}\n` });
      assert.equal(r.code, 1, `${args.join(' ')}: ${r.err}`);
      assert.ok(r.err.includes(data), r.err);
    }
  }
  assert.match((await run(['user', 'list', '--data', missing])).err, /^firstline: there is no data in \S+a\/b\b/);
  assert.equal((await run(['user', 'list', '--site', 'a', '--config', config, '--data', dir])).code, 1);
  assert.equal((await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'd', '--no-password', '--data', missing])).code, 1, 'missing parents are nobody’s to make');
  assert.equal((await run(['serve', '--listen', '127.0.0.1:0', '--data', missing])).code, 1);
  assert.deepEqual(readdirSync(dir), ['two.ini'], 'nothing was made');
  assert.equal((await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'd', '--no-password', '--data', join(dir, 'new')])).code, 0);
  assert.equal((await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'd', '--no-password', '--site', 'a', '--config', config, '--data', join(dir, 'two')])).code, 0);
  assert.match((await run(['user', 'list', '--site', 'a', '--config', config, '--data', join(dir, 'two')])).out, /^ann /);
});

test('where --config is left out and the data is not the default site’s, that is told, and nothing is done', async () => {
  const dir = temporaryFolder();
  const config = join(dir, 'shop.ini');
  writeFileSync(config, '[site.shop]\n');
  mkdirSync(join(dir, 'data'));
  const server = await new Server({ data: join(dir, 'data'), config }).start();
  await server.person({ login: 'ann' });
  const cli = (...args) => run([...args, '--data', server.data], { input: `${PASSWORD}\n` });
  for (const stopped of [false, true]) {
    if (stopped) await server.stop();
    for (const args of [['user', 'list'], ['user', 'add', 'bob', '--role', 'rep', '--department', 'general', '--no-password'], ['token', 'list'], ['epoch', 'new'], ['archive', 'adopt'], ['backup', join(dir, 'set')]]) {
      const r = await cli(...args);
      assert.equal(r.code, 1, `${args.join(' ')}: ${r.out}`);
      assert.match(r.err, /^firstline: archive \S+: it belongs to site shop, .*--config\n$/, args.join(' '));
    }
    assert.match((await server.cli(['user', 'list'])).out, /^ann .*\n$/);
  }
  assert.ok(!existsSync(join(dir, 'set')));
  assert.deepEqual(server.redisPids(), []);
});

test('data that may not be read is not told as missing', async () => {
  const data = temporaryFolder();
  const bare = process.getuid() === 0 ? ['setpriv', '--bounding-set=-all', BIN] : [BIN]; // what root may beyond its files' modes
  assert.equal((await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'd', '--no-password', '--data', data])).code, 0);
  chmodSync(data, 0);
  for (const args of [['user', 'list'], ['user', 'restore'], ['token', 'ann'], ['epoch'], ['archive', 'adopt'], ['archive', 'verify'], ['backup', join(temporaryFolder(), 'set')]]) {
    const r = await new Promise((done) => execFile(bare[0], [...bare.slice(1), ...args, '--data', data], (e, out, err) => done({ code: e?.code, err })));
    assert.equal(r.code, 1, `${args.join(' ')}: ${r.err}`);
    assert.match(r.err, /^firstline: .*Permission denied/, args.join(' '));
    assert.doesNotMatch(r.err, /there is no/, args.join(' '));
  }
  chmodSync(data, 0o700);
  assert.match((await run(['user', 'list', '--data', data])).out, /^ann /);
});

test('a path of the data that is too long is told, and not cut to that of another', async () => {
  let data = temporaryFolder();
  while (data.length < 450) data = join(data, 'a'.repeat(40));
  mkdirSync(data, { recursive: true });
  const add = (dir) => run(['user', 'add', 'ann', '--role', 'rep', '--department', 'general', '--no-password', '--data', dir]);
  const long = await add(join(data, 'b'.repeat(100)));
  assert.equal(long.code, 1);
  assert.match(long.err, /^firstline: --data: a path of more than \d+ bytes/);
  assert.deepEqual(readdirSync(data), []);
});

test('archive verify finds an edit, a deletion, an insertion and a swap', async () => {
  const server = await new Server().start();
  const { chat } = await servedChat(server);
  await until(async () => (await exported(server)).has(chat), 'archived');
  assert.equal((await server.stop()).code, 0);
  const file = join(server.data, 'archive.sqlite');
  const good = join(temporaryFolder(), 'good.db');
  for (const tail of ['-wal', '-shm']) assert.ok(!existsSync(file + tail) || readFileSync(file + tail).length === 0, `${tail} is folded in at the end`);
  copyFileSync(file, good);
  const python = (script) => execFileSync('python3', ['-c', script, file]);
  const open = 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute("pragma writable_schema=off")\n';
  const tables = execFileSync('python3', ['-c', `${open}print("\\n".join(r[0] for r in c.execute("select name from sqlite_master where type='table'")))`, file]).toString().split('\n');
  const table = tables.find((t) => /^(entry|entries|event|events|row|log)s?$/.test(t));
  assert.ok(table, `the table of entries among ${tables}`);
  const columns = execFileSync('python3', ['-c', `${open}print("\\n".join(r[1] for r in c.execute("pragma table_info(${table})")))`, file]).toString().trim().split('\n');
  const body = columns.find((x) => /body|tail|frame/.test(x));
  assert.ok(body, `${columns}`);
  const drop = `for (n,) in c.execute("select name from sqlite_master where type='trigger'").fetchall(): c.execute(f'drop trigger "{n}"')\n`;
  const crimes = {
    'an edit': `c.execute("update ${table} set ${body} = replace(cast(${body} as text), 'parcel', 'sofa') where cast(${body} as text) like '%parcel%'")`,
    'a deletion': `c.execute("delete from ${table} where rowid = (select max(rowid) - 2 from ${table})")`,
    'a cut tail': `c.execute("delete from ${table} where rowid = (select max(rowid) from ${table})")`,
    'an edit of the time': `c.execute("update ${table} set at = at + 1 where rowid = (select max(rowid) - 1 from ${table})")`,
  };
  for (const [what, crime] of Object.entries(crimes)) {
    copyFileSync(good, file);
    python(`${open}${drop}${crime}\nassert c.total_changes > 0\nc.commit()`);
    const r = await server.cli(['archive', 'verify'], { fails: true });
    assert.equal(r.code, 1, `${what}: exit ${r.code}: ${r.out}`);
    assert.ok(r.err.trim().length > 0, `${what}: says so`);
  }
  copyFileSync(good, file);
  assert.equal((await server.cli(['archive', 'verify'])).code, 0);
});

test('an older archive put in place is refused aloud', async () => {
  const server = await new Server().start();
  await servedChat(server);
  assert.equal((await server.stop()).code, 0);
  const file = join(server.data, 'archive.sqlite');
  const older = join(temporaryFolder(), 'older.db');
  copyFileSync(file, older);
  await server.start();
  await servedChat(server);
  assert.equal((await server.stop()).code, 0);
  copyFileSync(older, file);
  const r = await run(['serve', '--listen', '127.0.0.1:0', ...server.common()], { ms: 25_000 });
  assert.equal(r.code, 1, r.err);
  assert.match(r.err, /archive/);
});
