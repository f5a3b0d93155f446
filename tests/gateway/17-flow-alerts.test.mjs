// Rules 3.2, 3.3: alerts go to the lead and up, on every node, once; what may be done about them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Proxy, ask } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { newId, rep } from './lib/client.mjs';
import { arrival, auditor, servedChat, staff } from './lib/desk.mjs';
import { Redis, Server, end } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const SET = { 'care.first_ms': 300, 'care.alert_ms': 600, 'care.act_ms': 1500 };
const CALM = '[department.calm]\nsite = default\ncare_act_ms = 600000\n'; // where an alert stays on its level
let redis;
let one;
let two;
let quinn;

before(async () => {
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, config: CALM, set: { ...SET, 'server.node': 'one' } }).start();
  two = await new Server({ redis: redis.url, config: CALM, set: { ...SET, 'server.node': 'two' } }).start();
  one.holdsArchive = true;
  quinn = await auditor(one);
});
after(() => endAndCheck(two, one));

/** A lead on node two; a shopper who waits on node one until the lead is alerted. */
async function alarmed(how = {}) {
  const [l] = await staff(one, 1, { role: 'lead' });
  const lea = await rep(two, l);
  await lea.done('shift.pause');
  const { sue, chat } = await arrival(one, l.department, how);
  const a = await lea.expect('alert', { chat, kind: 'long_wait' });
  return { l, lea, sue, chat, alert: a.alert, a };
}

test('rule 3.2: the lead hears of it on any node, takes the chat over, and is the handler', async () => {
  const { lea, sue, chat, alert, a } = await alarmed();
  assert.equal(a.level, 1);
  const care = await sue.event('care', { chat, step: 'explain' });
  assert.deepEqual(care.choices, ['wait', 'message', 'callback']);
  await lea.refused('not_found', 'alert.act', { alert: 'a_nothing', action: 'explain' });
  await lea.refused('bad_request', 'alert.act', { alert, action: 'dance' });
  await sue.refused('forbidden', 'alert.act', { alert, action: 'explain' });
  await lea.refused('conflict', 'alert.act', { alert, action: 'take_over' }); // paused: not able to take it
  await lea.done('shift.start', { capacity: 5 });
  await lea.done('alert.act', { alert, action: 'take_over', note: 'mine' });
  assert.equal((await sue.event('assigned', { chat })).to.id, lea.me);
  await lea.refused(['conflict', 'not_found'], 'alert.act', { alert, action: 'explain' });
  await lea.expect('alert', { alert, kind: 'ended' });
  await lea.say('I am looking after this myself.', { chat });
});

test('rule 3.2: an alert nobody acts on goes to the director, then to the top, each level once', async () => {
  const [d] = await staff(one, 1, { role: 'director' });
  const dora = await rep(one, d, { shift: false });
  const { lea, chat, alert } = await alarmed();
  const up = await dora.expect('alert', { alert, level: 2 });
  assert.equal(up.chat, chat);
  await lea.expect('alert', { alert, level: 3 });
  const t = await one.transcript(quinn.token, chat, (x) => x.events.filter((e) => e.kind === 'alerted').length === 3, 'three levels');
  assert.deepEqual(t.events.filter((e) => e.kind === 'alerted').map((e) => e.level), [1, 2, 3]);
  const tab = await rep(two, d, { shift: false });
  assert.ok(tab.welcome.alerts.some((x) => x.alert === alert), 'who comes later finds it');
  await dora.done('alert.act', { alert, action: 'call_back', note: 'the shopper is called at five' });
  const acted = await lea.expect('alert', { alert, kind: 'ended' });
  assert.equal(acted.chat, chat);
});

test('rule 3.2: of alerts that end at once the lead hears of each', async () => {
  const { l, lea, sue, chat } = await alarmed();
  const other = await arrival(one, l.department);
  await lea.expect('alert', { chat: other.chat, kind: 'long_wait' });
  two.process.kill('SIGSTOP'); // so that it hears of both in one turn
  await sue.done('chat.leave');
  await other.sue.done('chat.leave');
  two.process.kill('SIGCONT');
  for (const c of [chat, other.chat]) await lea.expect('alert', { chat: c, kind: 'ended' });
});

test('rule 3.2: moving sends the chat to another department, where the time waited counts', async () => {
  const { lea, sue, chat, alert } = await alarmed();
  const [e] = await staff(one, 1);
  const eve = await rep(two, e);
  await lea.refused('not_found', 'alert.act', { alert, action: 'move', to: 'no-such-department' });
  await lea.done('alert.act', { alert, action: 'move', to: eve.department, note: 'they have time' });
  await eve.expect('offer', { chat });
  await eve.done('offer.accept', { chat });
  await eve.say('We can help you here.', { chat });
  await sue.event('message', { text: 'We can help you here.' });
});

test('rule 3.2: an alert goes along to the department that the chat is sent to, and is over for those who led the one before', async () => {
  const [x] = await staff(one, 1, { role: 'lead', department: 'calm' });
  const max = await rep(one, x, { shift: false });
  const { lea, sue, chat, alert } = await alarmed();
  await sue.done('chat.triage', { chat, department: x.department });
  await max.expect('alert', { alert, kind: 'long_wait' });
  await lea.expect('alert', { alert, kind: 'ended' });
  await max.done('alert.act', { alert, action: 'move', to: lea.who.department, note: 'theirs after all' });
  await max.expect('alert', { alert, kind: 'ended' });
});

test('rule 3.2: without anybody who leads the department the alert begins one level up, and the welcome says so', async () => {
  const [d] = await staff(one, 1, { role: 'director' });
  const dora = await rep(one, d, { shift: false });
  const [r] = await staff(one, 1);
  assert.ok(dora.welcome.unled.includes(r.department));
  const ready = await one.api('GET', '/readyz');
  assert.ok(ready.json.unled.includes(r.department), 'so does /readyz');
  const { chat } = await arrival(one, r.department);
  assert.equal((await dora.expect('alert', { chat })).level, 2);
});

test('rule 3.3: two nodes that see the same timer due take no step from each other', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const some = await Promise.all(Array.from({ length: 20 }, (_, i) => arrival(i % 2 ? one : two, l.department)));
  await Promise.all(some.map(({ sue, chat }) => sue.event('care', { chat, step: 'explain' }, 30_000)));
  for (const { sue, chat } of some) assert.deepEqual(sue.entries(chat, 'care').map((e) => e.step), ['greeting', 'water', 'explain']);
});

test('rule 3.3: a stale look at a timer leaves the next one alone: it stands at the date that the state says, or nowhere', async () => {
  const { ann, sue, chat } = await servedChat(one);
  await ann.done('chat.resolve', { chat, resolution: 'answered', summary: 'done' });
  await sue.event('resolution_proposed', { chat });
  const at = async (timer) => (await ask(redis.socket, 'ZSCORE', 'fl:{default}:t', `${chat}|${timer}`)).split('\r\n')[1];
  const right = await at('confirm');
  assert.ok(Number(right) > Date.now() + 3_600_000, `due ${right}`);
  for (const timer of ['confirm', 'park']) await ask(redis.socket, 'ZADD', 'fl:{default}:t', String(Date.now() - 1000), `${chat}|${timer}`);
  await until(async () => (await at('confirm')) === right, 'the question stands as long as it did');
  await until(async () => (await at('park')) === '', 'nothing is parked');
  await sue.done('chat.confirm', { chat, solved: true });
  assert.equal((await sue.event('closed', { chat })).how, 'confirmed');
});

test('rule 3.3: a restart in between fires no step twice and forgets none', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const { sue, chat } = await arrival(one, l.department);
  await sue.event('care', { chat, step: 'water' });
  await two.kill();
  await two.start();
  const lea = await rep(two, l, { shift: false });
  const a = lea.welcome.alerts.find((x) => x.chat === chat) ?? (await lea.expect('alert', { chat }));
  assert.ok(a, 'the alert reaches the lead');
  await lea.done('alert.act', { alert: a.alert, action: 'explain', note: 'on our way' });
  const t = await one.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'alert_acted'));
  const steps = t.events.filter((e) => e.kind === 'care').map((e) => e.step);
  assert.deepEqual(steps, ['greeting', 'water', 'explain', 'explained']);
});

test('rule 3.2: explaining is said to the shopper at once, in the name of who acts, and takes the chat from nobody', async () => {
  const { lea, sue, chat, alert } = await alarmed({ hello: { locale: 'en' } });
  const id = newId();
  await lea.done('alert.act', { id, alert, action: 'explain', note: 'Two of us are ill today; it takes ten minutes more.' });
  await lea.done('alert.act', { id, alert, action: 'explain', note: 'Two of us are ill today; it takes ten minutes more.' }); // its answer was lost: once
  const told = await sue.event('care', { chat, step: 'explained' });
  assert.match(told.text, /Two of us are ill today; it takes ten minutes more\.$/);
  assert.ok(told.text.startsWith(lea.welcome.rep.name), told.text);
  assert.equal(told.from.role, 'system', 'the machine says it: nobody has the chat');
  await lea.expect('alert', { alert, kind: 'ended' });
  await sue.settle();
  assert.deepEqual(sue.entries(chat, 'care').map((e) => e.step), ['greeting', 'water', 'explain', 'explained']);
  for (const kind of ['owned', 'assigned', 'alert_acted', 'message']) assert.equal(sue.entries(chat, kind).filter((e) => e.from.role !== 'shopper').length, 0, kind);
  const t = await one.transcript(quinn.token, chat, (x) => x.events.some((e) => e.step === 'explained'));
  assert.equal(t.state, 'waiting');
  assert.ok(!t.owner);
});

test('rule 3.2: a call-back is a task of the lead, with the way to reach the shopper, told and listed on every node until done', async () => {
  const { l, lea, sue, chat, alert } = await alarmed({ hello: { name: 'Sue', locale: 'en' } });
  const [r] = await staff(one, 1, { department: lea.department });
  const ann = await rep(one, r, { shift: false });
  const at = Date.now() + 3_600_000;
  await lea.refused('bad_request', 'alert.act', { alert, action: 'call_back', at: Date.now() - 1000 });
  const id = newId();
  const command = { id, alert, action: 'call_back', note: 'about the lamp', contact: '138 0000 0000', at };
  await lea.done('alert.act', command);
  await lea.done('alert.act', command);
  const told = await sue.event('care', { chat, step: 'callback' });
  assert.equal(told.due_at, at);
  assert.ok(told.text.includes(lea.welcome.rep.name), told.text);
  const m = await ann.expect((x) => x.t === 'task' && x.task.about === chat);
  assert.deepEqual([m.state, m.task.what, m.task.text, m.task.contact, m.task.due_at, m.task.department, m.task.owner, m.task.shopper],
    ['open', 'callback', 'about the lamp', '138 0000 0000', at, lea.department, { id: lea.me, name: lea.welcome.rep.name }, { id: sue.me, name: 'Sue' }]);
  await lea.expect((x) => x.t === 'task' && x.task.task === m.task.task);
  const acted = (await one.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'alert_acted'))).events.find((e) => e.kind === 'alert_acted');
  assert.equal(acted.task, m.task.task);
  assert.equal(acted.contact, undefined, 'the way to reach them stands in the task alone');
  const tab = await rep(one, l, { shift: false });
  assert.deepEqual(tab.welcome.tasks.map((x) => x.task), [m.task.task]);
  await ann.done('task.done', { task: m.task.task, note: 'called' });
  await lea.expect((x) => x.t === 'task' && x.state === 'done' && x.task.task === m.task.task);
  await lea.refused('conflict', 'task.done', { task: m.task.task });
});

test('rule 3.2: a contact that the shopper has left is known, a call-back that they have asked for is the one, without either they are asked', async () => {
  const left = await alarmed({ hello: { locale: 'en' } });
  await left.sue.done('message.leave', { text: 'Or write to me.', contact: 'sue@example.org' });
  await left.lea.done('alert.act', { alert: left.alert, action: 'call_back' });
  const made = await left.lea.expect((x) => x.t === 'task' && x.task.what === 'callback');
  assert.equal(made.task.contact, 'sue@example.org');
  assert.match((await left.sue.event('care', { step: 'callback' })).text, /it is seen to/);

  const asked = await alarmed({ hello: { locale: 'en' } });
  const { task } = await asked.sue.done('callback.ask', { contact: '139', at: Date.now() + 60_000 });
  await asked.lea.done('alert.act', { alert: asked.alert, action: 'call_back' });
  await asked.sue.event('care', { step: 'callback' });
  const acted = await one.transcript(quinn.token, asked.chat, (x) => x.events.some((e) => e.kind === 'alert_acted'));
  assert.equal(acted.events.find((e) => e.kind === 'alert_acted').task, task);
  const tab = await rep(one, asked.l, { shift: false });
  assert.deepEqual(tab.welcome.tasks.map((x) => x.task), [task], 'no second one');

  const nothing = await alarmed({ hello: { locale: 'zh-CN' } });
  await nothing.lea.done('alert.act', { alert: nothing.alert, action: 'call_back' });
  assert.match((await nothing.sue.event('care', { step: 'callback' })).text, /请在这里告诉我们怎么联系您/);
  assert.equal((await nothing.lea.expect((x) => x.t === 'task' && x.state === 'open')).task.contact, undefined);
});

test('rule 3.2: a call-back is told on the other nodes also where the one that wrote it was killed before a word', async () => {
  const proxy = await new Proxy(redis).start();
  const three = await new Server({ redis: proxy.url, set: { ...SET, 'server.node': 'three' } }).start();
  const { l, chat, alert } = await alarmed();
  const [r] = await staff(one, 1, { department: l.department });
  const ann = await rep(one, r, { shift: false });
  const lea = await rep(three, l, { shift: false });
  proxy.holdAt = 'alert_acted';
  lea.send('alert.act', { alert, action: 'call_back', contact: '138' });
  let m;
  try {
    m = await ann.expect((x) => x.t === 'task' && x.task.about === chat);
  } finally {
    await end(three);
    proxy.stop();
  }
  assert.deepEqual([m.state, m.task.what, m.task.contact, m.task.owner.id], ['open', 'callback', '138', lea.me]);
  await ann.done('task.done', { task: m.task.task, note: 'called' });
  await ann.expect((x) => x.t === 'task' && x.state === 'done' && x.task.task === m.task.task);
});

test('rule 3.2: a lead whose answer was lost and who asks again goes on in that chat', async () => {
  const proxy = await new Proxy(redis).start();
  const three = await new Server({ redis: proxy.url, set: { ...SET, 'server.node': 'three' } }).start();
  const { l, sue, chat, alert } = await alarmed();
  const lea = await rep(three, l);
  const act = { id: newId(), alert, action: 'take_over' };
  await lea.expect('offer', { chat }); // on shift again, and
  await lea.expect('alert', { alert, level: 3 }); // at the top: nothing else happens to the chat until it is acted on
  try {
    proxy.holdAt = 'alert_acted';
    lea.send('alert.act', act);
    await sue.event('assigned', { chat });
    proxy.holdAt = null;
    proxy.cut();
    proxy.release();
    await lea.expect('error', { re: act.id, code: 'unavailable' });
    await lea.expect('alert', { alert, kind: 'ended' });
    assert.ok((await lea.done('alert.act', act)).seq > 0);
    await lea.say('I am here now.', { chat });
    await sue.event('message', { text: 'I am here now.' });
  } finally {
    proxy.release();
    await end(three);
    proxy.stop();
  }
});

test('rule 3.2: a call-back that stands on the list without a log of its own, as a crash in between leaves it, is closed like any other', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const task = `t_${'0'.repeat(15)}1`;
  const line = { task, at: Date.now(), what: 'callback', text: 'cut short', contact: '138', department: l.department, shopper: { id: 's_1' }, owner: { id: 'r_1', name: 'L' } };
  assert.equal(await ask(redis.socket, 'HSET', 'fl:{default}:todo', task, JSON.stringify(line)), ':1\r\n');
  const lea = await rep(two, l, { shift: false });
  assert.deepEqual(lea.welcome.tasks.map((x) => x.task), [task]);
  await lea.done('task.done', { task, note: 'called' });
  await lea.expect((x) => x.t === 'task' && x.task.task === task && x.state === 'done');
  await lea.refused('conflict', 'task.done', { task });
  assert.deepEqual((await rep(one, l, { shift: false })).welcome.tasks, []);
});

test('rule 3.2: of a department that the configuration has no more nobody leads: the alert begins one level up', async (t) => {
  const own = await new Server({ config: '[department.attic]\nsite = default\n', set: { 'care.first_ms': 300, 'care.alert_ms': 2000, 'care.act_ms': 600_000 } }).start();
  t.after(() => endAndCheck(own));
  const [d] = await staff(own, 1, { role: 'director' });
  const [l] = await staff(own, 1, { role: 'lead', department: 'attic' });
  const { chat } = await arrival(own, 'attic');
  await own.stop();
  writeFileSync(own.config, readFileSync(own.config, 'utf8').replace('[department.attic]\nsite = default\n', ''));
  await own.start();
  const dora = await rep(own, d, { shift: false });
  await until(() => dora.welcome.alerts.some((a) => a.chat === chat) || dora.seen.some((m) => m.t === 'alert' && m.chat === chat), 'the director is told');
  const lea = await rep(own, l, { shift: false });
  assert.deepEqual(lea.welcome.alerts, [], 'who led it has no such department any more');
  const { department } = await arrival(own, undefined).then((a) => a.started);
  const [found] = dora.welcome.alerts.concat(dora.seen.filter((m) => m.t === 'alert')).filter((a) => a.chat === chat);
  assert.equal(found.level, 2);
  await dora.done('alert.act', { alert: found.alert, action: 'move', to: department, note: 'there is no attic' });
});
