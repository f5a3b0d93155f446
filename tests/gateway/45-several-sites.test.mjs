// Several sites by one configuration: a process, a port, a Redis and an archive each; what befalls one doesn't reach the others.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { again, rep, shopper } from './lib/client.mjs';
import { Redis, Server, end, isAlive, run, temporaryFolder } from './lib/server.mjs';
import { take } from './lib/desk.mjs';
import { until } from './lib/wait.mjs';

const alive = setInterval(() => {}, 1000); // processes that are awaited don't keep the file running

const SETTINGS = (redis) => `
[site.lamps]
name = Lamps
greeting_en = Welcome to Lamps.
listen = 127.0.0.1:0
redis = ${redis.url}

[site.looms]
name = Looms
greeting_en = Welcome to Looms.
listen = 127.0.0.1:0

[department.light]
site = lamps

[department.cloth]
site = looms
`;

let redis;
let server;
let lamps;
let looms;

/** One of the sites, as a server of its own to the tests' clients. */
function siteOf(name, address) {
  const [host, port] = address.split(':');
  return Object.assign(Object.create(server), { host, port: Number(port), clients: [], cli: (args, how) => server.cli([...args, '--site', name], how) });
}

const addresses = () => Object.fromEntries([...readFileSync(server.out, 'utf8').matchAll(/^ready http:\/\/(\S+) site (\S+)$/gm)].map((m) => [m[2], m[1]]));

/** The process of a site, by its arguments. */
const pidOf = (name) =>
  until(async () => {
    const children = readFileSync(`/proc/${server.process.pid}/task/${server.process.pid}/children`, 'utf8').trim().split(' ').map(Number);
    return children.find((p) => readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(`\0--site\0${name}\0`));
  }, `the process of ${name}`);

async function start() {
  await server.start({ listen: null });
  await until(() => Object.keys(addresses()).length === 2, 'both are ready', 20_000);
  lamps = siteOf('lamps', addresses().lamps);
  looms = siteOf('looms', addresses().looms);
}

before(async () => {
  redis = await new Redis().start();
  const dir = temporaryFolder();
  const config = join(dir, 'sites.ini');
  writeFileSync(config, SETTINGS(redis));
  server = new Server({ data: dir, config });
  await start();
});
after(async () => {
  clearInterval(alive);
  await end(server);
});

const served = async (site, department, hello = {}) => {
  const ann = await rep(site, await site.account({ department }));
  const sue = await shopper(site, { locale: 'en', ...hello });
  const { chat } = await sue.done('chat.start', { text: 'Where is my parcel?' });
  await take(ann, chat);
  return { ann, sue, chat };
};

test('each site has its own words, departments, people and archive', async () => {
  const a = await served(lamps, 'light');
  const b = await served(looms, 'cloth');
  assert.deepEqual([a.sue.welcome.departments.map((d) => d.name), b.sue.welcome.departments.map((d) => d.name)], [['light'], ['cloth']]);
  assert.deepEqual([(await a.sue.event('care', { step: 'greeting' })).text, (await b.sue.event('care', { step: 'greeting' })).text], ['Welcome to Lamps.', 'Welcome to Looms.']);
  for (const [site, own, other] of [[lamps, a, b], [looms, b, a]]) {
    await until(async () => (await site.cli(['archive', 'export'])).out.includes(own.chat), 'it is archived');
    const text = (await site.cli(['archive', 'export'])).out;
    assert.ok(!text.includes(other.chat));
    assert.match((await site.cli(['user', 'list'])).out, new RegExp(own.ann.who.login));
  }
  assert.ok(existsSync(join(server.data, 'sites/lamps/archive.sqlite')) && existsSync(join(server.data, 'sites/looms/archive.sqlite')));
});

test('the Redis of one is killed: the other goes on undisturbed, and that one when it is back', async () => {
  const a = await served(lamps, 'light');
  const b = await served(looms, 'cloth');
  await redis.kill();
  await until(async () => (await lamps.api('GET', '/readyz')).status === 503, 'lamps is not ready');
  for (let i = 0; i < 20; i++) await b.sue.say(`on we go ${i}`, { chat: b.chat });
  await b.ann.event('message', { text: 'on we go 19' });
  assert.equal((await looms.api('GET', '/readyz')).status, 200);
  await a.sue.refused('unavailable', 'message.send', { chat: a.chat, text: 'not now' });
  await redis.start();
  await until(async () => (await lamps.api('GET', '/readyz')).status === 200, 'lamps is ready again', 15_000);
  const back = await until(() => again(a.sue, { resume: [{ chat: a.chat, seq: a.sue.head(a.chat) }] }, lamps), 'the shopper is back');
  await until(() => back.say('and on', { chat: a.chat }), 'it is taken');
  assert.equal(b.sue.closed, null);
  assert.deepEqual([...b.sue.problems, ...b.ann.problems], []);
});

test('the process of one is killed: it is started again, and nobody of the other notices', async () => {
  const b = await served(looms, 'cloth');
  const pid = await pidOf('lamps');
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 'it is gone');
  await b.sue.say('still here', { chat: b.chat });
  await b.ann.event('message', { text: 'still here' });
  assert.notEqual(await pidOf('lamps'), pid);
  const ready = () => [...readFileSync(server.out, 'utf8').matchAll(/^ready http:\/\/(\S+) site lamps$/gm)];
  await until(() => ready().length === 2, 'it is ready again', 15_000);
  lamps = siteOf('lamps', ready()[1][1]);
  await served(lamps, 'light');
  assert.equal(b.sue.closed, null);
});

test('SIGTERM ends all in order with 0, and a start finds all again', async () => {
  const a = await served(lamps, 'light');
  const b = await served(looms, 'cloth');
  const pids = [await pidOf('lamps'), await pidOf('looms')];
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(pids.map(isAlive), [false, false]);
  await start();
  for (const [site, x] of [[lamps, a], [looms, b]]) {
    const back = await again(x.sue, { resume: [{ chat: x.chat, seq: 0 }] }, site);
    await back.event('message', { text: 'I will look into that for you.' });
  }
});

test('SIGHUP ends all in order, too', async () => {
  const pids = [await pidOf('lamps'), await pidOf('looms')];
  const ended = await server.stop(20_000, 'SIGHUP');
  assert.deepEqual([ended, pids.map(isAlive)], [{ code: 0, signal: null }, [false, false]]);
  await start();
});

test('the one that minds them is killed: they end with it', async () => {
  const pids = [await pidOf('lamps'), await pidOf('looms')];
  await server.kill();
  await until(() => !pids.some(isAlive), 'they are gone', 20_000);
  await start();
  assert.equal((await server.stop()).code, 0);
});

test('what can’t be is one sentence: an address twice, one archive for all, a site that isn’t there, none named, data of one alone', async () => {
  const dir = temporaryFolder();
  const config = join(dir, 'bad.ini');
  const says = async (text, args, code, sentence) => {
    writeFileSync(config, text);
    const r = await run([...args, '--data', dir, '--config', config], { ms: 20_000 });
    assert.equal(r.code, code, r.err);
    assert.match(r.err.trim().split('\n').pop(), sentence);
  };
  const two = '[site.a]\nlisten = 127.0.0.1:8401\n[site.b]\nlisten = 127.0.0.1:8402\n';
  await says('[site.a]\n[site.b]\n', ['serve'], 1, /site\.b\.listen: 127\.0\.0\.1:8080 is taken by site a; give each/);
  await says('[site.a]\nlisten = 127.0.0.1:8401\n[site.b]\nlisten = 127.0.0.1:8401\n', ['config', 'check'], 1, /site\.b\.listen: 127\.0\.0\.1:8401 is taken by site a/);
  await says(`${two}[metrics]\nlisten = 127.0.0.1:9100\n`, ['serve'], 1, /site\.b\.metrics_listen: 127\.0\.0\.1:9100 is taken by site a/);
  await says(`${two}[archive]\npath = /tmp/x.sqlite\n`, ['serve'], 1, /archive\.path: one file can't be the archive of 2 sites/);
  await says('[site.a]\nredis = localhost\n', ['config', 'check'], 1, /bad\.ini:2.*site\.a\.redis.*is not unix:/);
  await says(two, ['serve', '--site', 'c'], 1, /there is no site c; there is a, b/);
  await says(two, ['user', 'list'], 1, /the configuration has 2 sites; say which by --site NAME/);
  await says(two, ['kb', 'check'], 1, /kb: the configuration has 2 sites; say which by --site NAME/); // each has articles of its own
  await says(two, ['serve', '--listen', '127.0.0.1:0'], 2, /--listen: one address can't be that of 2 sites/);
  writeFileSync(join(dir, 'archive.sqlite'), '');
  await says(two, ['serve'], 1, /it holds the data of a site that was alone; stop the server, and move all that is in it to/);
});
