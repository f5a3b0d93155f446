// The command line: a bad start is one sentence that says what to do; settings are checked and printed.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { article } from './lib/kb.mjs';
import { BIN, ROOT, Redis, Server, redisPidsOf, run, temporaryFolder } from './lib/server.mjs';
import { arrival } from './lib/desk.mjs';
import { until } from './lib/wait.mjs';


/** Its last line on standard error is one sentence, the only one of its kind beside logs and remarks on the configuration. */
function sentence(r, { code = 1, says = /./, what } = {}) {
  assert.equal(r.code, code, `${what}: exit ${r.code}: ${r.err.slice(-300)}`);
  const lines = r.err.trim().split('\n').filter((l) => !/^\d{4}-\d\d-\d\dT|^(site|department|server|redis|care|presence|limits)\./.test(l));
  assert.equal(lines.length, 1, `${what}: one sentence: ${lines.join('\n')}`);
  assert.equal(lines[0], r.err.trim().split('\n').pop(), `${what}: it comes last`);
  assert.ok(lines[0].length < 600, `${what}: ${lines[0].length} characters`);
  assert.match(lines[0], says, what);
  assert.doesNotMatch(r.err, /assert|core dumped|Aborted|errno \d|0x[0-9a-f]{6}/i);
  return lines[0];
}

const serve = (data, ...more) => run(['serve', '--data', data, '--listen', '127.0.0.1:0', ...more], { ms: 25_000 });
const ini = (dir, text) => {
  const f = join(dir, 'test.ini');
  writeFileSync(f, text);
  return f;
};

describe('the command line', { concurrency: 2 }, () => {
  test('--help is there for everything, and a wrong word is usage', async () => {
    for (const args of [['--help'], ['serve', '--help'], ['user', '--help'], ['token', '--help'], ['archive', '--help'], ['config', '--help'], ['kb', '--help'], ['demo', '--help']]) {
      const r = await run(args);
      assert.equal(r.code, 0, `${args}: ${r.err}`);
      assert.ok(r.out.length > 20, `${args}: some text`);
    }
    for (const args of [[], ['frobnicate'], ['serve', '--nope'], ['serve', '--listen'], ['user'], ['user', 'frob'], ['archive', 'frob'], ['config', 'frob'], ['serve', 'extra']]) {
      const r = await run(args, { ms: 8000, cwd: temporaryFolder() });
      assert.equal(r.code, 2, `${args.join(' ')}: exit ${r.code}`);
      assert.ok(r.err.trim().length > 0 && r.out === '', `${args.join(' ')}: ${r.out}`);
    }
  });

  test('an option that the subcommand has no use for is refused, and nothing is done', async () => {
    const rows = [
      ['demo', '--fill', '3'], ['serve', '--expires', '3'], ['serve', '--kb', '.'], ['user', 'list', '--role', 'rep'], ['user', 'disable', 'ann', '--expires', '3'],
      ['user', 'roles', 'ann', '--role', 'lead', '--department', 'orders'], ['user', 'passwd', 'ann', '--no-password'], ['user', 'add', 'ann', '--listen', 'x'],
      ['token', 'list', '--expires', '3'], ['token', 'ann', '--role', 'lead'], ['archive', 'verify', '--all'], ['backup', 'x', '--listen', 'x'], ['config', 'print', '--name', 'x'],
    ];
    for (const args of rows) {
      const cwd = temporaryFolder();
      sentence(await run(args, { ms: 8000, cwd }), { code: 2, says: new RegExp(`${args.filter((a) => a.startsWith('--')).pop()}: .*--help`), what: args.join(' ') });
      assert.deepEqual(readdirSync(cwd), [], `${args.join(' ')}: nothing is made`);
    }
  });

  test('a token to revoke has to be named, and is not taken for a login', async () => {
    sentence(await run(['token', 'revoke'], { ms: 8000, cwd: temporaryFolder() }), { code: 2, says: /revoke ID/, what: 'token revoke' });
  });

  test('too many words or options are told as what they are', async () => {
    const sets = Array.from({ length: 65 }, () => ['--set', 'limits.burst=7']).flat();
    sentence(await run(['config', 'print', ...sets]), { code: 2, says: /--set: more than 64 options/, what: '65 options' });
    assert.equal((await run(['config', 'print', ...sets.slice(2)])).code, 0);
    sentence(await run(['kb', 'suggest', ...Array(40).fill('where')]), { code: 2, says: /more than 32 words/, what: '40 words' });
  });

  test('two programs on one port: the second is refused, unless both say that they share it; metrics never share', async () => {
    const one = await new Server().start();
    const at = `127.0.0.1:${one.port}`;
    sentence(await run(['serve', '--data', temporaryFolder(), '--listen', at], { ms: 25_000 }), { says: /is taken by another program/, what: 'the same port' });
    sentence(await serve(temporaryFolder(), '--set', `metrics.listen=${at}`), { says: /is taken by another program/, what: 'metrics on it' });
    await one.stop();
    one.set['server.share_port'] = 'true';
    await one.start({ listen: at });
    sentence(await serve(temporaryFolder(), '--set', 'server.share_port=true', '--set', `metrics.listen=${at}`), { says: /is taken by another program/, what: 'metrics on a shared one' });
    const two = await new Server({ set: { 'server.share_port': 'true' } }).start({ listen: at });
    await endAndCheck(one, two);
  });

  test('bad settings are refused with file, line and key', async () => {
    const dir = temporaryFolder();
    const table = [
      ['[limits]\nnosuch = 1\n', /test\.ini:2.*limits\.nosuch/],
      ['[nosuch]\nkey = 1\n', /test\.ini:1.*nosuch/],
      ['[limits]\nmessages_per_s = many\n', /test\.ini:2.*messages_per_s/],
      ['[limits]\ntext_chars = 5\n', /test\.ini:2.*text_chars/],
      ['[routing]\nauto_accept = perhaps\n', /test\.ini:2.*auto_accept/],
      ['[redis]\nappendfsync = never\n', /test\.ini:2.*appendfsync/],
      ['[server]\nlisten = nowhere\n', /test\.ini:2.*listen/],
      ['[limits]\nmessages_per_s = 5\nmessages_per_s = 6\n', /test\.ini:3.*messages_per_s/],
      ['no section = 1\n', /test\.ini:1/],
      ['[archive]\nbatch = 256\n', /test\.ini:2.*archive\.batch/],
      ['[auth]\nsecret_file = x\n', /test\.ini:2.*auth\.secret_file/],
      ['[limits\nx = 1\n', /test\.ini:1/],
      ['[department.x]\nhours = sometimes\n', /test\.ini:2.*hours/],
      ['[department.x]\nsite = nowhere\n', /department\.x\.site/],
      ['[department.x]\nsite = default\nfallback = y\n', /department\.x\.fallback/],
      ['[site.default]\ntime_zone = Moon/Crater\n', /time_zone/],
    ];
    for (const [text, says] of table) {
      const file = ini(dir, text);
      sentence(await run(['config', 'check', '--config', file]), { says, what: text });
      sentence(await serve(dir, '--config', file), { says, what: text });
    }
    writeFileSync(join(dir, 'test.ini'), Buffer.from([0x5b, 0xff, 0xfe, 0x5d]));
    sentence(await serve(dir, '--config', join(dir, 'test.ini')), { says: /UTF-8/, what: 'not UTF-8' });
    sentence(await serve(dir, '--config', '/nonexistent.ini'), { says: /nonexistent/, what: 'no file' });
    sentence(await serve(dir, '--set', 'nosuch.key=1'), { says: /nosuch/, what: '--set', code: 1 });
    sentence(await serve(dir, '--set', 'limits.messages_per_s'), { says: /limits\.messages_per_s/, what: '--set without a value', code: 1 });
    assert.ok(!existsSync(join(dir, 'archive.sqlite')), 'nothing was made of a wrong configuration');
  });

  test('config check names departments without a lead, config print can be read back', async () => {
    const dir = temporaryFolder();
    const file = ini(dir, '[limits]\nmessages_per_s = 7\n[department.sales]\nsite = default\nkeywords = lamp, sofa\n');
    const check = await run(['config', 'check', '--config', file]);
    assert.equal(check.code, 0, check.err);
    assert.match(check.out + check.err, /sales\.lead/);
    const print = await run(['config', 'print', '--config', file, '--set', 'routing.offer_ms=45s']);
    assert.equal(print.code, 0);
    assert.match(print.out, /messages_per_s = 7/);
    assert.match(print.out, /offer_ms = 45(000|s)/);
    assert.match(print.out, /\[department\.sales\]/);
    const back = join(dir, 'back.ini');
    writeFileSync(back, print.out);
    assert.equal((await run(['config', 'print', '--config', back])).out, print.out);
  });

  test('config print prints all of a configuration that is nearly as large as it may be', async () => {
    const dir = temporaryFolder();
    const words = Array.from({ length: 8 }, () => 'x'.repeat(99)).join(',\n    ');
    const file = ini(dir, Array.from({ length: 990 }, (_, i) => `[department.d${i}]\nkeywords = ${words}\n`).join(''));
    const print = await run(['config', 'print', '--config', file]);
    assert.equal(print.code, 0, print.err);
    assert.match(print.out.slice(print.out.indexOf('[department.d989]')), /^gone_ms = 0\n$/m, 'to its end');
  });

  test('a start says that its address may be reached from outside, also where --listen named it', async () => {
    for (const [listen, says] of [['0.0.0.0:0', true], ['127.0.0.1:0', false]]) {
      const s = await new Server({ set: { 'server.listen': says ? '127.0.0.1:0' : '0.0.0.0:0' } }).start({ listen });
      assert.equal(/^server\.listen: 0\.0\.0\.0:0 may be reached from outside without TLS/m.test(s.tail(100_000)), says, listen);
      await s.stop();
    }
  });

  test('an occupied port is a sentence', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => taken.on('listening', done));
    const address = `127.0.0.1:${taken.address().port}`;
    try {
      sentence(await run(['serve', '--data', temporaryFolder(), '--listen', address]), { says: new RegExp(address), what: 'an occupied port' });
    } finally {
      taken.close();
    }
    sentence(await run(['serve', '--data', temporaryFolder(), '--listen', '256.1.1.1:99']), { says: /256\.1\.1\.1/, what: 'no address' });
  });

  test('a missing redis-server is a sentence that names the package', async () => {
    const bin = temporaryFolder();
    symlinkSync(process.execPath, join(bin, 'node'));
    const r = await run(['serve', '--data', temporaryFolder(), '--listen', '127.0.0.1:0'], { env: { ...process.env, PATH: bin } });
    sentence(r, { says: /redis-server/, what: 'PATH without redis-server' });
    sentence(await run(['serve', '--data', temporaryFolder(), '--listen', '127.0.0.1:0', '--redis', 'unix:///nonexistent.sock', '--set', 'redis.wait_ms=500']), { says: /nonexistent\.sock/, what: 'no such socket' });
    sentence(await run(['serve', '--data', temporaryFolder(), '--listen', '127.0.0.1:0', '--redis', 'redis://127.0.0.1:1', '--set', 'redis.wait_ms=500']), { says: /127\.0\.0\.1/, what: 'nobody listens' });
    sentence(await run(['serve', '--data', temporaryFolder(), '--listen', '127.0.0.1:0', '--redis', 'http://x']), { says: /redis/, what: 'no url of Redis' });
  });

  test('a redis-server that can’t start for a reason of its own is a sentence with its last words', async () => {
    const says = async (script, words) => {
      const bin = temporaryFolder();
      writeFileSync(join(bin, 'redis-server'), `#!/bin/sh\n${script}\nexit 7\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
      const data = temporaryFolder();
      sentence(await run(['serve', '--data', data, '--listen', '127.0.0.1:0'], { env }), { says: words, what: 'serve' });
      sentence(await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'general', '--no-password', '--data', data], { env }), { says: words, what: 'user add' });
    };
    await says("echo '7:M 01 Dec 2026 10:59:05.663 # Fatal error: no room on the moon'", /could not start \(exit 7\): Fatal error: no room on the moon; see .*redis\.log/);
    await says('', /could not start \(exit 7\): it wrote nothing into its log/);
  });

  test('the password in an address of Redis is said to nobody', async () => {
    for (const [url, shown] of [
      ['redis://:s3cret@127.0.0.1:1', 'redis://***@127.0.0.1:1'],
      ['redis://shop:s3cr@et@127.0.0.1:1/2', 'redis://***@127.0.0.1:1/2'],
      ['sentinel://shop:s3cret@127.0.0.1:1,127.0.0.1:2/main', 'sentinel://***@127.0.0.1:1,127.0.0.1:2/main'],
    ]) {
      const data = temporaryFolder();
      const r = await serve(data, '--redis', url, '--set', 'redis.wait_ms=100');
      assert.ok(sentence(r, { what: url }).includes(`(${shown})`), r.err);
      assert.doesNotMatch(r.err + r.out, /s3cr/);
      for (const args of [['user', 'list'], ['epoch']]) assert.doesNotMatch((await run([...args, '--data', data, '--redis', url])).err, /s3cr/, args[0]);
    }
    assert.doesNotMatch((await serve(temporaryFolder(), '--redis', 'redis://:s3cr/et@127.0.0.1:1')).err, /s3cr/, 'no address');
  });

  test('a start that no sentinel names a primary to says what they say', async () => {
    const port = net.createServer().listen(0, '127.0.0.1');
    await once(port, 'listening');
    const at = `127.0.0.1:${port.address().port}`;
    await new Promise((done) => port.close(done));
    const start = () => serve(temporaryFolder(), '--redis', `sentinel://${at}/shop`, '--set', 'redis.wait_ms=3000');
    sentence(await start(), { says: /a sentinel: Connection refused/, what: 'nobody is there' });
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'sentinel.conf'), `port ${at.split(':')[1]}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor main 127.0.0.1 1 1\n`);
    const sentinel = spawn('redis-server', [join(dir, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore' });
    const listens = () => new Promise((done) => {
      const c = net.connect(Number(at.split(':')[1]), '127.0.0.1', () => {
        c.destroy();
        done(true);
      });
      c.on('error', () => done(false));
    });
    await until(listens, 'the sentinel listens');
    sentence(await start(), { says: /a sentinel: ERR No such master with that name/, what: 'another name' });
    sentinel.kill('SIGKILL');
    await once(sentinel, 'exit');
  });

  test('an address of Redis with a very long password is taken by every command', async () => {
    const redis = await new Redis().start();
    const relay = net.createServer((c) => c.on('error', () => {}).pipe(net.connect(redis.socket).on('error', () => c.destroy())).pipe(c)).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const url = `redis://default:${'p'.repeat(600)}@127.0.0.1:${relay.address().port}`; // who has no password takes any
    const server = await new Server({ redis: url }).start();
    await server.person({ login: 'ann' });
    assert.match((await server.cli(['user', 'list'])).out, /^ann /);
    await endAndCheck(server);
    relay.close();
  });

  test('a data folder that can’t be written is a sentence', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'file'), '');
    sentence(await serve(join(dir, 'file')), { says: /file/, what: 'a file instead of a folder' });
    if (process.getuid() !== 0) {
      mkdirSync(join(dir, 'locked'));
      chmodSync(join(dir, 'locked'), 0o500);
      sentence(await serve(join(dir, 'locked')), { says: /locked/, what: 'no permission' });
    }
    sentence(await serve('/proc/nowhere'), { says: /proc\/nowhere/, what: 'a folder that can’t be made' });
  });

  test('a second server on the same data is refused and the first goes on', async () => {
    const server = await new Server().start();
    const before = server.redisPids();
    const r = await run(['serve', '--listen', '127.0.0.1:0', ...server.common()], { ms: 25_000 });
    sentence(r, { says: new RegExp(server.data.split('/').pop()), what: 'a second server' });
    assert.deepEqual(server.redisPids(), before, 'one redis-server');
    await arrival(server, server.newDepartment());
    await endAndCheck(server);
  });

  test('a corrupt archive is refused aloud, never replaced', async () => {
    const server = await new Server().start();
    await arrival(server, server.newDepartment());
    assert.equal((await server.stop()).code, 0);
    const file = join(server.data, 'archive.sqlite');
    assert.ok(existsSync(file), 'archive.sqlite in the data folder');
    const good = readFileSync(file);
    for (const [what, bytes] of [
      ['text', Buffer.from('this is no database, and long enough to look like one '.repeat(100))],
      ['a broken header', Buffer.concat([Buffer.from('garbage garbage '), good.subarray(16)])],
    ]) {
      writeFileSync(file, bytes);
      sentence(await run(['serve', '--listen', '127.0.0.1:0', ...server.common()], { ms: 25_000 }), { says: /archive/, what });
      assert.deepEqual(readFileSync(file), bytes, `${what}: left as it was`);
    }
    writeFileSync(file, good);
    await server.start();
    assert.equal((await server.stop()).code, 0);
  });

  test('a broken middle of Redis’ log is said with what to do, never an empty start', async () => {
    const server = await new Server().start();
    const { chat } = await arrival(server, server.newDepartment());
    assert.ok(chat);
    assert.equal((await server.stop()).code, 0);
    const files = execFileSync('find', [server.data, '-name', '*.incr.aof']).toString().trim().split('\n').filter(Boolean);
    assert.ok(files.length > 0, 'an append-only file');
    const good = readFileSync(files[0]);
    const bad = Buffer.from(good);
    bad.fill(0x58, Math.floor(bad.length / 3), Math.floor((bad.length * 2) / 3));
    writeFileSync(files[0], bad);
    sentence(await run(['serve', '--listen', '127.0.0.1:0', ...server.common()], { ms: 25_000 }), { says: /redis|aof/i, what: 'a broken log' });
    writeFileSync(files[0], good);
    truncateSync(files[0], good.length - 7);
    await server.start();
    assert.equal((await server.stop()).code, 0, 'a torn tail starts');
  });

  test('a broken article is a sentence that names it', async () => {
    const dir = temporaryFolder();
    const kb = join(dir, 'kb');
    mkdirSync(join(kb, 'en'), { recursive: true });
    writeFileSync(join(kb, 'en', 'broken.md'), 'no front matter at all\n');
    const check = await run(['kb', 'check', kb]);
    assert.equal(check.code, 1, check.out + check.err);
    assert.match(check.err + check.out, /broken\.md/);
    sentence(await serve(dir, '--set', `kb.dir=${kb}`), { says: /broken\.md/, what: 'a broken article' });
    sentence(await serve(dir, '--set', 'kb.dir=/nonexistent-kb'), { says: /kb\.dir \(or site\.default\.kb_dir\): .*nonexistent-kb/, what: 'no such folder' });
    sentence(await serve(dir, '--set', 'site.default.kb_dir=/nonexistent-kb'), { says: /site\.default\.kb_dir\): .*nonexistent-kb/, what: 'no such folder' });
  });

  test('kb check tells a folder in which no article is found', async () => {
    const dir = temporaryFolder();
    const says = { says: /no article is in it: .*en\/ID\.md/, what: 'no article' };
    sentence(await run(['kb', 'check', dir]), says);
    writeFileSync(join(dir, 'refunds.md'), article('refunds', { title: 'Refunds', body: 'In 14 days.' }));
    sentence(await run(['kb', 'check', dir]), says); // beside the folders of the languages
    mkdirSync(join(dir, 'en'));
    writeFileSync(join(dir, 'en', 'refunds.md'), article('refunds', { title: 'Refunds', body: 'In 14 days.' }));
    assert.match((await run(['kb', 'check', dir])).out, /: 1 articles, all fine\n$/);
  });

  test('kb check tells an article whose language is not its folder’s, and kb gaps asks for its folder', async () => {
    const kb = temporaryFolder();
    for (const lang of ['en', 'zh-CN']) mkdirSync(join(kb, lang));
    writeFileSync(join(kb, 'en', 'lamp.md'), article('lamp', { title: 'Lamps', body: 'On and off.', questions: ['How?'] }));
    assert.equal((await run(['kb', 'check', kb])).code, 0);
    writeFileSync(join(kb, 'zh-CN', 'sofa.md'), article('sofa', { title: 'Sofas', body: 'Sit.', questions: ['Where?'] }));
    const check = await run(['kb', 'check', kb]);
    assert.equal(check.code, 1);
    assert.match(check.err, /zh-CN\/sofa\.md: lang is en, which is not the name of its folder/);
    const gaps = await run(['kb', 'gaps']);
    assert.equal(gaps.code, 2);
    assert.match(gaps.err, /kb gaps takes one folder/);
  });

  test('./dev up --detach waits for what it started, however slowly that begins, and ./dev down ends it', async () => {
    const dir = temporaryFolder();
    const bin = join(dir, 'bin');
    const data = join(dir, 'data');
    mkdirSync(join(dir, 'build'));
    mkdirSync(bin);
    copyFileSync(join(ROOT, 'dev'), join(dir, 'dev'));
    copyFileSync(BIN, join(dir, 'build', 'firstline'));
    writeFileSync(join(dir, 'build', 'build.ninja'), '');
    writeFileSync(join(bin, 'cmake'), '#!/bin/sh\n', { mode: 0o755 }); // it is built
    writeFileSync(join(bin, 'setsid'), '#!/bin/sh\nsleep 0.3\nexec /usr/bin/setsid "$@"\n', { mode: 0o755 });
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, FIRSTLINE_DATA: data };
    const dev = (...args) => spawnSync(join(dir, 'dev'), args, { env, encoding: 'utf8', timeout: 60_000 });
    const up = dev('up', '--detach');
    const running = redisPidsOf(data);
    const down = dev('down');
    assert.equal(up.status, 0, up.stderr);
    assert.match(up.stdout, /^ready http:\/\/127\.0\.0\.1:\d+$/m);
    assert.equal(running.length, 1);
    assert.equal(down.stdout, 'ended\n');
    assert.deepEqual(redisPidsOf(data), []);
  });

  test('the help of the settings says what is so', async () => {
    const { out } = await run(['config', 'print']);
    assert.match(out, /empty: archive\.sqlite in the data folder/);
    assert.match(out, /a power cut may lose about the last two seconds/);
  });

  test('what can’t be written to standard output is no success', async () => {
    const data = temporaryFolder();
    await run(['user', 'add', 'ann', '--role', 'rep', '--department', 'general', '--no-password', '--data', data]);
    for (const args of [['user', 'list'], ['token', 'ann'], ['token', 'list'], ['config', 'print'], ['epoch']]) {
      const full = openSync('/dev/full', 'w');
      const r = spawnSync(BIN, [...args, '--data', data], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
      closeSync(full);
      assert.equal(r.status, 1, args.join(' '));
      assert.match(r.stderr, /^firstline: standard output could not be written: No space left/, args.join(' '));
    }
    for (const days of ['10x', 'x', '', '0', '3651']) {
      const r = await run(['token', 'ann', '--expires', days, '--data', data]);
      assert.deepEqual([r.code, r.out], [1, ''], days);
      assert.match(r.err, /--expires .*: a whole number of days, 1 to 3650/);
    }
  });

  test('a node has the same name at its second start, also where the first one made the data directory', async () => {
    const data = `${temporaryFolder()}/./new`; // its real path is another
    const nodeOf = async () => {
      const p = spawn(BIN, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        const ready = await new Promise((yes, no) => (p.stdout.once('data', (d) => yes(String(d))), p.once('exit', no)));
        return (await (await fetch(`${/http:\S+/.exec(ready)[0]}/readyz`)).json()).node;
      } finally {
        p.kill('SIGTERM');
        await new Promise((done) => (p.exitCode === null ? p.once('exit', done) : done()));
      }
    };
    const first = await nodeOf();
    assert.ok(first);
    assert.equal(await nodeOf(), first);
  });

  test('the built-in articles are whole', async () => {
    const r = await run(['kb', 'check', '--data', temporaryFolder()]);
    assert.equal(r.code, 0, r.err + r.out);
    const s = await run(['kb', 'suggest', '退款多久到账', '--data', temporaryFolder()]);
    assert.equal(s.code, 0, s.err);
    assert.match(s.out, /\S/);
  });

  test('ready is one line on standard output, and logs go to standard error without secrets', async () => {
    const server = await new Server().start();
    const out = readFileSync(server.out, 'utf8');
    assert.match(out, /^ready http:\/\/127\.0\.0\.1:\d+\n$/);
    const who = await server.account();
    const { sue } = await arrival(server, server.newDepartment(), { text: 'my card is 4111111111111111' });
    assert.equal((await server.stop()).code, 0);
    const log = readFileSync(server.log, 'utf8');
    for (const secret of [who.token, sue.token, '4111111111111111']) assert.ok(!log.includes(secret), 'no secret and no word of a chat in the log');
    const readable = execFileSync('find', [server.data, '-mindepth', '1', '-type', 'd', '-not', '-perm', '/077', '-prune', '-o', '-type', 'f', '-perm', '/077', '-not', '-name', 'test-*', '-not', '-name', '*.ini', '-print']).toString().trim();
    assert.equal(readable, '', 'files of the data folder are for their owner alone');
  });
});
