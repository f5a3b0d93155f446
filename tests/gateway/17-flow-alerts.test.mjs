// Rules 3.2, 3.3: alerts go to the lead and up, on every node, once; what may be done about them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { arrival, auditor, staff } from './lib/desk.mjs';
import { Redis, Server } from './lib/server.mjs';

const SET = { 'care.first_ms': 300, 'care.alert_ms': 600, 'care.act_ms': 1500 };
let redis;
let one;
let two;
let quinn;

before(async () => {
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'one' } }).start();
  two = await new Server({ redis: redis.url, set: { ...SET, 'server.node': 'two' } }).start();
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
  return { lea, sue, chat, alert: a.alert, a };
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
  assert.deepEqual(steps, ['greeting', 'water', 'explain']);
});
