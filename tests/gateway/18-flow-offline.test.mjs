// Rule 1.6: a message left or a call-back asked for is a task with an owner, on the list until it is done, on every node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { newId, rep, shopper } from './lib/client.mjs';
import { arrival, staff, team } from './lib/desk.mjs';
import { Redis, Server } from './lib/server.mjs';

/** A department with a lead by name, one that it helps, and one that opens in three days. */
const CONFIG = `
[department.hall]
site = default
lead = harry

[department.annex]
site = default
fallback = hall

[department.later]
site = default
hours = ${['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7]} 09:00-17:00
`;
let redis;
let one;
let two;

before(async () => {
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, config: CONFIG, set: { 'server.node': 'one' } }).start();
  two = await new Server({ redis: redis.url, config: CONFIG, set: { 'server.node': 'two' } }).start();
  one.holdsArchive = true;
});
after(() => endAndCheck(two, one));

test('rule 1.6: a message becomes a task of the department, owned by its lead, told at once and listed until done', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const [r] = await staff(one, 1, { department: l.department });
  const lea = await rep(two, l, { shift: false });
  const ann = await rep(one, r, { shift: false });
  const [eve] = await team(one, 1);
  const sue = await shopper(one, { name: 'Sue' });
  await sue.refused('bad_request', 'message.leave', { text: 'no way to reach me' });
  await sue.refused('bad_request', 'message.leave', { text: 'x', contact: 'y', department: 'no-such-department' });
  await ann.refused('forbidden', 'message.leave', { text: 'x', contact: 'y' });
  const id = newId();
  const { task } = await sue.done('message.leave', { id, text: 'Please write to me.', contact: 'sue@example.org', department: l.department });
  assert.equal((await sue.done('message.leave', { id, text: 'Please write to me.', contact: 'sue@example.org', department: l.department })).task, task, 'once');
  for (const who of [lea, ann]) {
    const m = await who.expect((x) => x.t === 'task' && x.task.task === task);
    assert.deepEqual([m.state, m.task.what, m.task.text, m.task.contact, m.task.department, m.task.owner.id, m.task.shopper.id],
      ['open', 'message', 'Please write to me.', 'sue@example.org', l.department, lea.me, sue.me]);
  }
  const tab = await rep(two, l, { shift: false });
  assert.deepEqual(tab.welcome.tasks.map((t) => t.task), [task]);
  assert.deepEqual(eve.welcome.tasks, []);
  await eve.refused('not_found', 'task.done', { task });
  await ann.refused('not_found', 'task.done', { task: 't_nothing' });
  const done = newId();
  await ann.done('task.done', { id: done, task, note: 'written to' });
  await ann.done('task.done', { id: done, task, note: 'written to' }); // the same id: the same answer
  await lea.refused('conflict', 'task.done', { task });
  await eve.refused('not_found', 'task.done', { task }); // nor is she told that there was one
  await lea.expect((x) => x.t === 'task' && x.task.task === task && x.state === 'done');
  const later = await rep(one, l, { shift: false });
  assert.deepEqual(later.welcome.tasks, []);
});

test('rule 1.6: who waits and asks to be called back has a task in that department, with the chat and the time', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const { sue, chat } = await arrival(one, l.department);
  const at = Date.now() + 3_600_000;
  await sue.refused('bad_request', 'callback.ask', { at });
  for (const no of [{ at: 0 }, { at: Date.now() - 60_000 }, { at, contact: ' \u200b' }]) await sue.refused('bad_request', 'callback.ask', { contact: '138 0000 0000', ...no });
  const { task } = await sue.done('callback.ask', { at, contact: '138 0000 0000' });
  const lea = await rep(two, l, { shift: false });
  const mine = lea.welcome.tasks.find((t) => t.task === task);
  assert.deepEqual([mine.what, mine.due_at, mine.department, mine.about, mine.owner.id], ['callback', at, l.department, chat, lea.me]);
});

test('rule 1.6: without a lead or a rep a director owns it: no letter is dead', async () => {
  const [d] = await staff(one, 1, { role: 'director', department: 'general' });
  const dora = await rep(one, d, { shift: false });
  const nobody = one.newDepartment();
  const sue = await shopper(two);
  const { task } = await sue.done('message.leave', { text: 'Anybody?', contact: 'x', department: nobody });
  const m = await dora.expect((x) => x.t === 'task' && x.task.task === task);
  assert.equal(m.task.owner.id, dora.me);
});

test('rules 1.6, 3.2: whom the department names as its lead owns what is left there; whose account is closed owns nothing and leads nobody', async () => {
  const [l] = await staff(one, 1, { role: 'lead', department: 'hall' });
  const [d] = await staff(one, 1, { role: 'director' });
  const lea = await rep(two, l, { shift: false });
  const harry = await rep(one, await one.account({ login: 'harry', department: one.newDepartment() }), { shift: false });
  const sue = await shopper(one);
  const leave = async () => (await sue.done('message.leave', { text: 'Anybody?', contact: 'x', department: 'hall' })).task;
  const opened = async (who, task) => (await who.expect((x) => x.t === 'task' && x.task.task === task)).task.owner.id;
  const first = await leave();
  assert.equal(await opened(harry, first), harry.me, 'also of another department');
  await one.cli(['user', 'disable', 'harry']);
  await harry.gone;
  const second = await leave();
  assert.equal(await opened(lea, second), lea.me);
  const dora = await rep(two, d, { shift: false });
  assert.ok(!dora.welcome.unled.includes('hall') && dora.welcome.unled.includes('annex'));
  for (const task of [first, second]) assert.ok(dora.welcome.tasks.some((t) => t.task === task), 'a director has them all');
  await one.cli(['user', 'disable', l.login]);
  await lea.gone;
  const { unled, people } = (await rep(two, d, { shift: false })).welcome;
  assert.ok(unled.includes('hall'));
  assert.ok(!people.some((p) => [lea.me, harry.me].includes(p.id)), 'nor is there to be asked');
});

test('rule 1.6: a department is open, too, with somebody on shift where it finds help', async () => {
  const [r] = await staff(one, 1, { department: 'hall' });
  const open = async () => (await shopper(one)).welcome.departments.filter((d) => ['hall', 'annex'].includes(d.name)).map((d) => d.open);
  assert.deepEqual(await open(), [false, false]);
  const ann = await rep(one, r);
  assert.deepEqual(await open(), [true, true]);
  await ann.done('shift.end');
});

test('rule 1.6: a department outside its hours or without anybody on shift is said to be closed', async () => {
  const [r] = await staff(one, 1);
  const before = await shopper(one);
  assert.equal(before.welcome.departments.find((d) => d.name === r.department).open, false);
  const ann = await rep(one, r);
  const during = await shopper(one);
  assert.equal(during.welcome.departments.find((d) => d.name === r.department).open, true);
  const [l] = await staff(one, 1, { department: 'later' });
  const lou = await rep(one, l);
  assert.equal((await shopper(one)).welcome.departments.find((d) => d.name === 'later').open, false);
  await Promise.all([ann, lou].map((x) => x.done('shift.end')));
});

test('rule 1.6: where more is on the list than a welcome holds, it tells what has waited longest', async () => {
  const [l] = await staff(one, 1, { role: 'lead' });
  const sue = await shopper(one);
  const ids = [];
  for (let i = 0; i < 100; i++) ids.push((await sue.done('message.leave', { text: '\u4e2d'.repeat(4000), contact: 'x', department: l.department })).task);
  const { tasks } = (await rep(one, l, { shift: false })).welcome;
  assert.ok(tasks.length > 50 && tasks.length < 100, `${tasks.length}`);
  assert.equal(tasks[0].task, ids[0]);
  assert.deepEqual(tasks.map((t) => t.at), tasks.map((t) => t.at).sort((a, b) => a - b));
  assert.ok(!tasks.some((t) => t.task === ids.at(-1)));
});
