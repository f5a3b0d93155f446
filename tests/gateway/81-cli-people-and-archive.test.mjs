// Accounts, tokens and the archive from the command line, with and without a running server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkLogs, endAndCheck, exported } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { servedChat, settled, team } from './lib/desk.mjs';
import { PASSWORD, Server, run, temporaryFolder } from './lib/server.mjs';
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

test('an expired token opens nothing', async () => {
  const server = await new Server().start();
  await server.person({ login: 'ann' });
  const bad = await server.cli(['token', 'ann', '--expires', 'soon'], { fails: true });
  assert.ok(bad.code === 1 || bad.code === 2);
  const { out } = await server.cli(['token', 'ann', '--expires', '30']);
  await rep(server, { token: out.trim().split(/\s+/).pop() }, { shift: false });
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
  await endAndCheck(server);
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
