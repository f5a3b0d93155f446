// `firstline backup DIR` and `restore DIR`: one set of one moment, whatever is written meanwhile, and what it comes to in another directory.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OwnRedis, ask } from '../faults/lib/redis.mjs';
import { checkLogs, exported } from './lib/checker.mjs';
import { again, rep } from './lib/client.mjs';
import { auditor, servedChat, settled, team } from './lib/desk.mjs';
import { BIN, PASSWORD, Server, end, endAll, run, temporaryFolder } from './lib/server.mjs';
import { traffic } from './lib/traffic.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running
after(() => (clearInterval(alive), endAll()));

const JUMP = 1_000_000;
const SET = 'firstline.backup';

const signIn = (server, login) => server.api('POST', '/api/v1/session', { body: { login, password: PASSWORD }, headers: { 'X-Firstline': '1' } });
const field = (dir, name) => new RegExp(`^${name} (\\S+)$`, 'm').exec(readFileSync(join(dir, SET), 'utf8'))[1];
const filesOf = (dir) => [...readFileSync(join(dir, SET), 'utf8').matchAll(/^file (\d+) [0-9a-f]{64} (\S+)$/gm)].map((m) => m[2]);

/** Exit 1, one sentence, nothing on standard output. */
async function refused(r, what) {
  const { code, out, err } = await r;
  assert.deepEqual([code, out], [1, ''], err);
  assert.match(err, /^firstline: [^\n]+\n$/);
  assert.match(err, what);
}

/** The set in a directory of its own, served by the configuration that it holds. */
async function restored(dir, set = {}) {
  const data = join(temporaryFolder(), 'new');
  const { code, out, err } = await run(['restore', dir, '--data', data]);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, new RegExp(`\\nNext: firstline serve --data ${data} --config ${data}/firstline.ini\\n$`));
  const s = new Server({ data, config: join(data, 'firstline.ini'), set });
  return { s, epoch: /, epoch (e_\S+)\n/.exec(out)[1] };
}

/** No entry that the archive has is missing in the live data, and the chain verifies. */
async function isWell(s) {
  await until(async () => (await s.api('GET', '/readyz')).status === 200, 'ready');
  assert.deepEqual((await s.api('GET', '/readyz')).json.states, []);
  assert.match((await s.cli(['archive', 'verify'])).out, /rows chain/);
  assert.doesNotMatch(s.tail(1e6), /entry refused|ERROR|redis down/);
}

for (const fsync of ['always', 'everysec'])
  test(`while messages flow, chats are freed and the append-only file is rewritten: what was acknowledged before is in the set (${fsync})`, async () => {
    const set = { 'chat.keep_ms': 0, 'redis.appendfsync': fsync };
    const server = await new Server({ set }).start();
    const quinn = await auditor(server);
    const [bea] = await team(server, 1);
    const flow = await traffic(server, 2);
    const ended = [];
    let ending = true;
    const enders = (async () => {
      while (ending) {
        const { sue, chat } = await servedChat(server, { ann: bea });
        await settled(sue, bea, chat);
        ended.push(chat);
      }
    })();
    await flow.more(20);
    await until(() => ended.length > 2, 'some chats have ended');
    await ask(join(server.data, 'redis/redis.sock'), 'BGREWRITEAOF');
    const acked = flow.writers.map((w) => [w.chat, new Map(w.acked)]);
    const ends = [...ended];
    const dir = join(temporaryFolder(), 'set');
    const { out } = await server.cli(['backup', dir]);
    assert.match(out, /^\S+: the set of site default, \d+ rows of the archive, \d+ files, \d+ bytes\n$/);
    await flow.more(20); // nothing is held back any more
    ending = false;
    await enders;
    await flow.stop();
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    for (const f of [...filesOf(dir), SET]) assert.equal(statSync(join(dir, f)).mode & 0o777, 0o600, f);

    const { s, epoch } = await restored(dir, set);
    assert.notEqual(epoch, field(dir, 'epoch'));
    const before = await exported(s);
    await s.start();
    await isWell(s);
    for (const login of [quinn.login, flow.writers[1].client.who.login]) assert.equal((await signIn(s, login)).status, 200, login);
    const liveOf = async (chat) => Number((await ask(join(s.data, 'redis/redis.sock'), 'LLEN', `fl:{default}:l:${chat}`)).slice(1));
    const chats = await until(async () => {
      const live = await Promise.all(acked.map(([chat]) => liveOf(chat)));
      const c = await exported(s);
      return acked.every(([chat, m], i) => (c.get(chat)?.length ?? 0) >= Math.max(live[i], ...[...m.values()].map((x) => x.seq))) && c;
    }, 'all of it is archived');
    const theirs = new Map([...chats].map(([chat, log]) => [chat, log.filter((e) => e.seq < JUMP)])); // who is missed in a chat is an entry of the new epoch
    checkLogs(theirs);
    for (const [chat, m] of acked) for (const { seq, text } of m.values()) assert.equal(chats.get(chat)[seq - 1].text, text, `${chat} ${seq}`);
    const isClosed = (chat) => chats.get(chat)?.some((e) => e.kind === 'closed');
    for (const chat of ends) assert.ok(isClosed(chat), `${chat} ended before`);
    for (const [chat, log] of before) {
      const live = await liveOf(chat);
      assert.ok(isClosed(chat) || live >= log.length, `${chat}: ${log.length} in the archive, ${live} in the live data`);
    }

    // Both hold entries that are not in the set: another epoch, the next entry jumps, and each hears what stands.
    const { chat } = flow.writers[0];
    const [sue, ann] = [flow.writers[0].client, flow.writers[1].client];
    const head = theirs.get(chat).length;
    assert.ok(sue.head(chat) > head, 'she saw more than the set has');
    const sue2 = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] }, s);
    const ann2 = await rep(s, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
    assert.deepEqual([sue2.welcome.epoch, ann2.welcome.epoch], [epoch, epoch]);
    assert.ok((await sue2.say('and on', { chat })).seq > JUMP);
    await ann2.event('message', { text: 'and on' });
    await ann2.say('here, too', { chat });
    await sue2.event('message', { text: 'here, too' });
    const whole = await again(sue, { resume: [{ chat, seq: 0 }] }, s);
    await until(() => whole.entries(chat, 'message').some((e) => e.text === 'here, too'), 'the whole chat');
    assert.ok(whole.entries(chat).every((e) => e.seq <= head || e.seq > JUMP));
    await s.transcript(quinn.token, chat, (t) => t.events.some((e) => e.text === 'here, too'));
    await isWell(s);
    await s.stop();
    assert.match((await s.cli(['archive', 'verify'])).out, /rows chain/);
    await end(server, s);
  });

test('while nobody serves; the same set twice is two epochs, and refusals change nothing', async () => {
  const server = await new Server().start();
  const { ann, sue, chat } = await servedChat(server);
  await server.stop();
  const top = temporaryFolder();
  const dir = join(top, 'set');
  mkdirSync(dir, { mode: 0o755 });
  await server.cli(['backup', dir]);
  assert.deepEqual(server.redisPids(), [], 'the Redis that the command started is stopped again');
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  await refused(server.cli(['backup', dir], { fails: true }), /it isn't empty/);
  await refused(new Server().cli(['backup', join(top, 'none')], { fails: true }), /archive\.sqlite: there is none/);
  assert.ok(!existsSync(join(top, 'none')));
  for (const words of [['backup'], ['restore'], ['backup', 'a', 'b']]) assert.equal((await run([...words, '--data', top])).code, 2);

  const one = await restored(dir);
  const two = await restored(dir);
  assert.notEqual(one.epoch, two.epoch);
  await one.s.start();
  await isWell(one.s);
  await refused(run(['restore', dir, '--data', one.s.data]), /there is data already/);
  await one.s.stop();
  await refused(run(['restore', dir, '--data', one.s.data]), /there is data already/);
  await two.s.start();
  const back = await again(sue, { resume: [{ chat, seq: sue.head(chat) }] }, two.s);
  const a = await rep(two.s, ann.who, { shift: false, resume: [{ chat, seq: ann.head(chat) }] });
  await a.say('still here', { chat });
  await back.event('message', { text: 'still here' });
  await isWell(two.s);

  // A set that is damaged or incomplete: each file changed in a byte, longer, shorter, gone; another list; no list.
  const data = join(temporaryFolder(), 'new');
  const fails = (what) => refused(run(['restore', dir, '--data', data]), what).then(() => assert.ok(!existsSync(data), 'nothing is made'));
  for (const name of filesOf(dir)) {
    const file = join(dir, name);
    const good = readFileSync(file);
    const harm = [() => appendFileSync(file, 'x'), () => rmSync(file)];
    if (good.length) harm.push(() => truncateSync(file, good.length - 1), () => writeFileSync(file, Buffer.from(good).fill(good.at(-1) ^ 1, good.length - 1)));
    for (const h of harm) {
      h();
      await fails(new RegExp(name.replaceAll('.', '\\.')));
      writeFileSync(file, good);
    }
  }
  const list = readFileSync(join(dir, SET), 'utf8');
  for (const other of [list.replace(/^file .*\n/m, ''), list.slice(0, -70), list.replace('site default', 'site another'), list.replace(/[^/\n]*\.sqlite\.key/, '../x'), '']) {
    writeFileSync(join(dir, SET), other);
    await fails(/firstline\.backup: damaged or incomplete/);
  }
  writeFileSync(join(dir, SET), list.replace('backup 1', 'backup 2'));
  await fails(/made by a newer version/);
  rmSync(join(dir, SET));
  await fails(/it is no backup, or one that was interrupted/);
  writeFileSync(join(dir, SET), list);
  assert.equal((await run(['restore', dir, '--data', data])).code, 0);
  await end(server, one.s, two.s);
});

test('an interrupted restore is not taken for data by a start', async () => {
  const server = await new Server().start();
  await servedChat(server);
  const dir = join(temporaryFolder(), 'set');
  await server.cli(['backup', dir]);
  const { s } = await restored(dir);
  renameSync(join(s.data, 'redis/appendonlydir/appendonly.aof.manifest'), join(s.data, 'aside')); // it comes last
  const r = await run(['serve', '--listen', '127.0.0.1:0', ...s.common()], { ms: 25_000 });
  assert.equal(r.code, 1);
  assert.match(r.err, /lost its manifest/);
  await end(server, s);
});

test('a backup that can not be finished is no set, and writes go on', async () => {
  const server = await new Server().start();
  const { sue, chat } = await servedChat(server);
  const dir = join(temporaryFolder(), 'set');
  const manifest = join(server.data, 'redis/appendonlydir/appendonly.aof.manifest');
  renameSync(manifest, join(server.data, 'aside'));
  await refused(server.cli(['backup', dir], { fails: true }), /appendonly\.aof\.manifest: No such file/);
  renameSync(join(server.data, 'aside'), manifest);
  const pipe = spawnSync('bash', ['-c', 'exec "$0" backup "$1" --data "$2" --config <(printf "[limits]\\nburst = 7\\n")', BIN, join(temporaryFolder(), 'piped'), server.data], { encoding: 'utf8' });
  assert.match(pipe.stderr, /it is no file that can be copied/, 'a configuration that can be read once');
  assert.equal(pipe.status, 1);
  await sue.say('goes on', { chat });
  await refused(run(['restore', dir, '--data', join(temporaryFolder(), 'new')]), /it is no backup, or one that was interrupted/);
  await end(server);
});

test('with another Redis: all but the live data, and what to do about that is said', async () => {
  const redis = await new OwnRedis().start();
  const server = await new Server({ redis: redis.url }).start();
  const { chat } = await servedChat(server);
  await until(async () => (await exported(server)).get(chat)?.some((e) => e.kind === 'owned'), 'archived');
  const dir = join(temporaryFolder(), 'set');
  const { out } = await server.cli(['backup', dir]);
  assert.match(out, /\nThe live data \(accounts, open chats, sessions\) is not in it: .*BGSAVE/);
  assert.ok(!readdirSync(dir).includes('redis'));
  assert.equal(field(dir, 'epoch'), '-');
  const data = join(temporaryFolder(), 'new');
  const r = await run(['restore', dir, '--data', data]);
  assert.equal(r.code, 0, r.err);
  assert.match(r.out, /archive adopt.*epoch new/);
  const s = new Server({ data, redis: redis.url, config: join(data, 'firstline.ini') });
  await server.stop();
  await s.cli(['archive', 'adopt']);
  await s.cli(['epoch', 'new']);
  await s.start();
  await isWell(s);
  await end(server, s);
  await redis.kill();
});

test('of several sites one is named, and goes back where it belongs', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'sites.ini');
  writeFileSync(config, '[site.lamps]\nlisten = 127.0.0.1:0\n\n[site.looms]\nlisten = 127.0.0.1:0\n');
  const server = await new Server({ data: folder, config }).start({ listen: null });
  await until(() => ['lamps', 'looms'].every((n) => existsSync(join(folder, 'sites', n, 'archive.sqlite'))), 'both have an archive');
  const dir = join(temporaryFolder(), 'lamps');
  await refused(server.cli(['backup', dir], { fails: true }), /say which by --site NAME/);
  assert.match((await server.cli(['backup', dir, '--site', 'lamps'])).out, /the set of site lamps/);
  const data = temporaryFolder();
  await refused(run(['restore', dir, '--data', data, '--config', config, '--site', 'looms']), /the set is that of site lamps, the configuration's is looms/);
  assert.equal((await run(['restore', dir, '--data', data, '--config', config, '--site', 'lamps'])).code, 0);
  assert.ok(existsSync(join(data, 'sites/lamps/archive.sqlite')));
  await server.stop();
  await end(server);
});
