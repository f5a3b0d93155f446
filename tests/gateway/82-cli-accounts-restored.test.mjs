// `firstline user restore`: the accounts that the live data has lost come back from the archive, as they were.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OwnRedis } from '../faults/lib/redis.mjs';
import { rep } from './lib/client.mjs';
import { servedChat } from './lib/desk.mjs';
import { PASSWORD, Server, end, endAll, run, temporaryFolder } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const LATER = 'another horse battery 10';
const JUMP = 1_000_000;

const signIn = (server, login, password = PASSWORD) => server.api('POST', '/api/v1/session', { body: { login, password }, headers: { 'X-Firstline': '1' } });

/** ann leads, bob is closed, cleo's password was changed, robot has none. */
async function fourPeople(s) {
  await s.cli(['user', 'add', 'ann', '--name', 'Ann 安', '--role', 'rep,lead', '--department', 'd1,d2', '--skill', 'glass', '--language', 'zh', '--password-stdin'], { input: `${PASSWORD}\n` });
  await s.person({ login: 'bob' });
  await s.cli(['user', 'disable', 'bob']);
  await s.person({ login: 'cleo' });
  await s.cli(['user', 'passwd', 'cleo', '--password-stdin'], { input: `${LATER}\n` });
  await s.cli(['user', 'roles', 'cleo', '--role', 'qa']);
  await s.cli(['user', 'add', 'robot', '--role', 'rep', '--department', 'd1', '--no-password']);
}

/** The entries of people's accounts in the archive, as "seq kind" by person. */
async function archivedAccounts(s) {
  const logs = {};
  for (const line of (await s.cli(['archive', 'export', '--all'])).out.trim().split('\n')) {
    const e = JSON.parse(line);
    if (/^account_/.test(e.kind)) (logs[e.chat] ??= []).push(`${e.seq} ${e.kind}`);
  }
  return logs;
}

const archived = (s, n) => until(async () => Object.values(await archivedAccounts(s)).flat().length === n, async () => `${n} entries: ${JSON.stringify(await archivedAccounts(s))}`);

const listed = async (s) => (await s.cli(['user', 'list'])).out.trim().split('\n').sort();
const idOf = (lines, login) => lines.find((l) => l.startsWith(`${login} `)).split(/\s+/)[1];

const sql = (s, text) => execFileSync('python3', ['-c', 'import sqlite3, sys\nprint(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]).fetchone()[0])', join(s.data, 'archive.sqlite'), text]).toString().trim();

/** The archive has taken all of it, and finds nothing wrong. */
async function archiveIsWell(s) {
  const ready = await until(async () => {
    const r = await s.api('GET', '/readyz');
    return r.status === 200 ? r.json : null;
  }, 'ready');
  assert.deepEqual(ready.states.filter((x) => x.name !== 'data_lost'), []);
  assert.match((await s.cli(['archive', 'verify'])).out, /rows chain/);
  assert.equal(sql(s, 'select count(*) from quarantine'), '0');
  assert.doesNotMatch(s.tail(1e6), /entry refused|archive behind/);
}

/** All four as they were. */
async function checkPeople(s, was) {
  assert.deepEqual(await listed(s), was, 'ids, names, roles, departments, closed or not');
  // A node hears of the accounts one by one, and says 503 while it takes leave of the life before.
  const session = await until(async () => {
    const [ann, cleo, old] = [await signIn(s, 'ann'), await signIn(s, 'cleo', LATER), await signIn(s, 'cleo')];
    return ann.status === 200 && cleo.status === 200 && old.status === 401 ? ann.json : null;
  }, 'ann signs in, and cleo by the latest password alone');
  assert.equal(session.person.name, 'Ann 安');
  assert.deepEqual([session.roles, session.departments], [['rep', 'lead'], ['d1', 'd2']]);
  assert.equal((await signIn(s, 'bob')).status, 401, 'bob is still closed');
  assert.equal((await s.cli(['token', 'bob'], { fails: true })).code, 1);
  assert.equal((await signIn(s, 'robot', '')).status, 400);
}

test('beside a running server: each comes back as it was, a second run changes nothing, the archive goes on', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url }).start();
  await fourPeople(s);
  const was = await listed(s);
  const ann = await rep(s, { token: await s.token('ann') }, { capacity: 7 });
  const { chat } = await servedChat(s, { ann: Object.assign(ann, { department: 'd1' }) });
  await archived(s, 7);
  await until(async () => sql(s, `select count(*) from chats where chat = '${chat}' and owner = '${ann.me}'`) === '1', 'the chat is archived');
  for (let life = 1; life <= 2; life++) {
    await redis.ask('FLUSHALL');
    await ann.gone;
    const { out } = await s.cli(['user', 'restore']);
    assert.match(out, /\n4 restored, 0 left as they stand\n$/);
    assert.equal(out.match(/^restored /gm).length, 4);
    assert.match(out, /^restored +bob .*\(disabled\)$/m);
    assert.ok(!/argon/.test(out));
    await checkPeople(s, was);
    await until(async () => Object.values(await archivedAccounts(s)).every((l) => l.some((e) => e.startsWith(`${life * JUMP + 1} account_created`))), 'the archive has them again');
    const n = await redis.ask('GET', 'fl:{default}:n');
    assert.match((await s.cli(['user', 'restore'])).out, /\n0 restored, 4 left as they stand\n$/);
    assert.equal(await redis.ask('GET', 'fl:{default}:n'), n, 'nothing was written');
    await archiveIsWell(s);
  }
  const back = await rep(s, { token: await s.token('ann') }, { shift: false });
  assert.equal(back.me, ann.me, 'the archive names its people as before');
  assert.equal(back.welcome.shift.state, 'off', 'nobody is on shift who is not there');
  await s.cli(['user', 'passwd', 'ann', '--password-stdin'], { input: `${LATER}\n` });
  await until(async () => (await signIn(s, 'ann', LATER)).status === 200, 'a new password');
  await until(async () => (await archivedAccounts(s))[ann.me].includes(`${2 * JUMP + 2} account_changed`), 'the log goes on');
  await archiveIsWell(s);
  await end(s);
  await redis.kill();
});

test('while nobody serves: the redis-server that is started for it is ended, and the next start finds all', async () => {
  const s = await new Server().start();
  await fourPeople(s);
  const was = await listed(s);
  await archived(s, 7);
  await s.stop();
  assert.ok(existsSync(join(s.data, 'redis/appendonlydir')));
  rmSync(join(s.data, 'redis/appendonlydir'), { recursive: true });
  await s.start();
  assert.match(s.tail(1e6), /no account is in the live data: `firstline user restore`/);
  await s.stop();
  assert.match((await s.cli(['user', 'restore'])).out, /\n4 restored, 0 left as they stand\n$/);
  assert.deepEqual(s.redisPids(), []);
  await s.start();
  await checkPeople(s, was);
  await until(async () => Object.values(await archivedAccounts(s)).flat().filter((e) => e === `${JUMP + 1} account_created`).length === 4, 'archived again');
  await archiveIsWell(s);
  await end(s);
});

test('what stands in the live data is left: a login that somebody else has, an account that was changed since', async () => {
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url }).start();
  await fourPeople(s);
  const was = await listed(s);
  await archived(s, 7);
  await redis.ask('FLUSHALL');
  await until(async () => (await s.api('GET', '/readyz')).json.states.find((x) => x.name === 'data_lost')?.why.includes('firstline user restore'), 'the loss is said, and what to do');
  await s.person({ login: 'ann', name: 'Another Ann' });
  const other = idOf(await listed(s), 'ann');
  await until(async () => (await archivedAccounts(s))[other], 'the archive has both of that login');
  const first = await s.cli(['user', 'restore']);
  assert.match(first.out, new RegExp(`^left out +ann +${idOf(was, 'ann')} .*${other}$`, 'm'));
  assert.match(first.out, /\n3 restored, 1 left as it stands, 1 left out: the login is taken\n$/);
  assert.equal(idOf(await listed(s), 'ann'), other);
  await s.cli(['user', 'roles', 'robot', '--role', 'director']);
  const r = await s.cli(['user', 'restore']);
  assert.match(r.out, /\n0 restored, 4 left as they stand, 1 left out/);
  assert.match((await listed(s)).find((l) => l.startsWith('robot ')), / director /);
  // The log alone is gone, by hand: the login is its own.
  const robot = idOf(was, 'robot');
  await until(async () => (await archivedAccounts(s))[robot].includes(`${JUMP + 2} account_changed`), 'archived');
  await redis.ask('DEL', `fl:{default}:l:${robot}`, `fl:{default}:h:${robot}`);
  await s.cli(['epoch', 'new']);
  assert.match((await s.cli(['user', 'restore'])).out, /^restored +robot /m);
  assert.match((await listed(s)).find((l) => l.startsWith('robot ')), / director /);
  // Of two that had the login in turn, the last one gets it.
  await until(async () => (await archivedAccounts(s))[robot].includes(`${2 * JUMP + 1} account_created`), 'archived');
  await redis.ask('FLUSHALL');
  const again = await s.cli(['user', 'restore']);
  assert.match(again.out, /\n4 restored, 0 left as they stand, 1 left out: the login is taken\n$/);
  assert.equal(idOf(await listed(s), 'ann'), other);
  await until(async () => (await signIn(s, 'ann')).json.person?.name === 'Another Ann', 'who had it last signs in');
  await archiveIsWell(s);
  await end(s);
  await redis.kill();
});

test('without an archive, with a bad one, without Redis: one sentence, and nothing is changed', async () => {
  const fails = async (s, what, args = []) => {
    const r = await s.cli(['user', 'restore', ...args], { fails: true });
    assert.deepEqual([r.code, r.out], [1, '']);
    assert.match(r.err, /^firstline: [^\n]+\n$/);
    assert.match(r.err, what);
  };
  await fails(new Server(), /archive\.sqlite: there is none; run this on the node/);
  const redis = await new OwnRedis().start();
  const s = await new Server({ redis: redis.url }).start();
  await fourPeople(s);
  await archived(s, 7);
  const file = join(s.data, 'archive.sqlite');
  const none = await run(['user', 'restore', '--data', s.data, '--redis', `unix://${temporaryFolder()}/none.sock`]);
  assert.deepEqual([none.code, none.out], [1, '']);
  assert.match(none.err, /^firstline: [^\n]*none\.sock[^\n]*\n$/);
  await redis.ask('SET', 'fl:{default}:archive', 'anotherfile00000000000 n9');
  await fails(s, /the site's archive is another file \(anotherfile0+ n9\)/);
  await s.kill();
  await redis.ask('FLUSHALL');
  const holder = `import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("pragma locking_mode=exclusive")
c.execute("begin immediate")
c.execute("update meta set value = value")
c.execute("commit")
print("held", flush=True)
sys.stdin.read()`;
  const p = spawn('python3', ['-c', holder, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((yes) => p.stdout.once('data', yes));
  await fails(s, /another program holds the file locked/);
  p.stdin.end();
  await new Promise((yes) => p.once('exit', yes));
  for (const tail of ['-wal', '-shm']) rmSync(file + tail, { force: true });
  writeFileSync(file, 'not a database, but long enough to be looked at as one: '.repeat(40));
  await fails(s, /archive\.sqlite/);
  assert.equal(await redis.ask('EXISTS', 'fl:{default}:logins'), ':0\r\n');
  await end(s);
  await redis.kill();
});
