// Row 21: a node is cut off from Redis, wholly and in one direction; the others take its people over, and what it had begun under an old
// fence is refused when it is back. Nodes don't talk to each other but through Redis, so there is no other line to cut.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import net from 'node:net';
import { again, rep } from '../../gateway/lib/client.mjs';
import { arrival, staff, take } from '../../gateway/lib/desk.mjs';
import { temporaryFolder } from '../../gateway/lib/server.mjs';
import { until } from '../../gateway/lib/wait.mjs';
import { Missing } from '../lib/os.mjs';

const LINE = { one: '127.0.0.1', two: '127.0.0.3' }; // Redis under an address for each node: so that one node's line can be cut
const SET = { 'presence.beat_ms': 300, 'presence.silent_ms': 1500, 'ownership.grace_ms': 1000, 'presence.grace_ms': 1000, 'redis.command_ms': 1000 };

const freePort = () =>
  new Promise((yes) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => yes(port));
    });
  });

async function redisOnTcp(row) {
  const port = await freePort();
  const dir = temporaryFolder();
  const args = ['--port', port, '--bind', ...Object.values(LINE), '--protected-mode', 'no', '--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  const p = spawn('redis-server', args.map(String), { stdio: 'ignore' });
  row.finally(() => p.kill('SIGKILL'));
  const answers = () =>
    new Promise((yes) => {
      const c = net.connect(port, '127.0.0.1');
      c.on('error', () => yes(false));
      c.on('data', () => (c.destroy(), yes(true)));
      c.write('PING\r\n');
    });
  await until(answers, 'redis-server answers');
  return port;
}

/** Drops what goes over this line, `to` Redis, `from` it, or both. Gives the function that ends it. */
function cut(row, address, port, ways) {
  const rules = [];
  if (ways.includes('to')) rules.push(['-p', 'tcp', '-d', address, '--dport', String(port), '-j', 'DROP']);
  if (ways.includes('from')) rules.push(['-p', 'tcp', '-s', address, '--sport', String(port), '-j', 'DROP']);
  const done = [];
  const heal = () => {
    for (const r of done.splice(0)) spawnSync('iptables', ['-D', 'OUTPUT', ...r]);
  };
  row.finally(heal);
  for (const r of rules) {
    const ran = spawnSync('iptables', ['-I', 'OUTPUT', ...r], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Missing(`a partition needs root and iptables (${ran.stderr?.trim() || ran.error?.message})`);
    done.push(r);
  }
  return heal;
}

async function partition(row) {
  const port = await redisOnTcp(row);
  const one = await row.server({ redis: `redis://${LINE.one}:${port}`, set: { ...SET, 'server.node': 'one' } });
  const two = await row.server({ redis: `redis://${LINE.two}:${port}`, set: { ...SET, 'server.node': 'two' } });
  one.holdsArchive = true;
  await row.traffic(one, 1, { pace: 5 }); // goes on all the time
  for (const ways of [['to', 'from'], ['to'], ['from']]) {
    const [a, b] = await staff(one, 2);
    const ann = await rep(two, a);
    const { sue, chat } = await arrival(one, a.department);
    await take(ann, chat);
    const bob = await rep(one, b);
    const heal = cut(row, LINE.two, port, ways);
    row.inject(`node cut off from Redis, ${ways.length === 2 ? 'both ways' : ways[0] === 'to' ? 'what it sends' : 'what it is sent'}`);
    const id = `cut-${ways.join('-')}`;
    const said = ann.ask('message.send', { chat, text: 'said into the dark', id }, 20_000);
    const answer = await said;
    assert.deepEqual([answer.t, answer.code], ['error', 'unavailable'], 'no ok from a node that Redis does not hear');
    await until(async () => (await two.api('GET', '/readyz')).json.states.some((x) => x.name === 'redis_away'), 'the node says that Redis is away', 10_000, 50);
    await take(bob, chat, 'Ann is cut off, I am Bob.');
    await sue.event('message', { text: 'Ann is cut off, I am Bob.' });
    row.held('swept by another node, a deputy takes over');
    const got = sue.entries(chat, 'message').some((e) => e.text === 'said into the dark');
    heal();
    row.over();
    await row.recovers(one, two);
    const back = await rep(two, a, { shift: false });
    if (got) {
      assert.equal((await back.ask('message.send', { chat, text: 'said into the dark', id })).t, 'ok', 'what had got through before the cut has its ok');
    } else {
      await back.refused('not_handler', 'message.send', { chat, text: 'said into the dark', id });
      row.held('what was begun under the old fence is refused when the node is back');
    }
    for (const c of [ann, back, bob, sue]) c.drop();
    await again(sue, { resume: [{ chat, seq: 0 }] }, two).then((c) => until(() => c.entries(chat).length > 3, 'the healed node shows the chat').then(() => c.drop()));
  }
  await row.finish();
}

export const rows = [{ row: '21', title: 'partition between a node and Redis, both ways and one way', run: partition, ms: 300_000 }];
