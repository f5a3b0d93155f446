import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from '../../model/storage.js';
import type { EventEntry, Timers, WelcomeChat } from '../../model/types.js';
import { buildItems } from '../../ui/console/items.js';
import { splitLinks } from '../../ui/console/TextBody.js';
import { mayReply, mentionsIn } from './compose.js';
import { Drafts } from './drafts.js';
import { groupOf, groupRows } from './lists.js';
import { entryMade } from './made.js';
import { emptyRow, fold, fromWelcome, nextPromise } from './row.js';
import type { Row } from './row.js';
import { ageOf, steadyOrder, urgency } from './urgency.js';

const lin = { id: 'r_lin', name: 'Lin' };
const mei = { id: 'r_mei', name: 'Mei' };
const shopper = { role: 'shopper' as const, id: 's_1', name: 'Chen' };
const rep = (p: { id: string; name: string }) => ({ role: 'rep' as const, ...p });
const system = { role: 'system' as const };

let seq = 0;
type Kinds = EventEntry['kind'];
function ev<K extends Kinds>(kind: K, from: EventEntry['from'], at: number, more: Partial<Extract<EventEntry, { kind: K }>> = {}): EventEntry {
  return { t: 'event', chat: 'c_1', seq: ++seq, at, kind, from, ...more } as unknown as EventEntry;
}
function play(...entries: EventEntry[]): Row {
  return entries.reduce(fold, emptyRow('c_1'));
}
const start = () => [
  ev('started', shopper, 100, { department: 'general', class: 'care', topic: 'lamp' }), ev('message', shopper, 100, { text: 'broken' }),
  ev('queued', system, 100, { department: 'general', class: 'care' }),
];

test('the last line of a row is cut between characters', () => {
  const row = play(...start(), ev('message', shopper, 200, { text: `${'x'.repeat(159)}😀😀` }));
  assert.equal(row.last?.text, `${'x'.repeat(159)}😀`);
});

test('a chat that nobody took waits since it began, and asks since its first message', () => {
  const row = play(...start());
  assert.equal(row.state, 'waiting');
  assert.equal(row.handler, null);
  assert.equal(row.waitingSince, 100);
  assert.equal(row.unansweredSince, 100);
  assert.equal(row.class, 'care');
  assert.equal(groupOf(row, lin.id), 'queue');
});

test('the first reply makes it active and answers the oldest question', () => {
  const row = play(...start(), ev('assigned', rep(lin), 200, { to: lin }), ev('owned', system, 300, { owner: lin }), ev('message', rep(lin), 300, { text: 'hello' }));
  assert.equal(row.state, 'active');
  assert.deepEqual(row.owner, lin);
  assert.deepEqual(row.handler, lin);
  assert.equal(row.unansweredSince, null);
  assert.equal(row.waitingSince, null);
  assert.equal(groupOf(row, lin.id), 'mine');
});

test('until a handover is accepted the handler does not change; after it the owner stays the owner', () => {
  const before = [...start(), ev('assigned', rep(lin), 200, { to: lin }), ev('owned', system, 300, { owner: lin }), ev('message', rep(lin), 300, { text: 'hi' }),
    ev('transfer_offered', rep(lin), 400, { to: mei, deadline_at: 60_400, card: { summary: 's', verified: ['name'], requirements: 'no calls' } })];
  const offered = play(...before);
  assert.deepEqual(offered.handler, lin);
  assert.equal(offered.transfer?.until, 60_400);
  assert.equal(offered.requirements, 'no calls');
  assert.equal(play(...before, ev('transfer_returned', system, 500, { to: mei })).transfer, null);
  const row = play(...before, ev('transferred', rep(mei), 500, { to: mei, handler: mei, owner: lin }));
  assert.deepEqual([row.handler, row.owner, row.transfer, row.department], [mei, lin, null, 'general']);
  assert.equal(play(...before, ev('transferred', rep(mei), 500, { handler: mei, owner: lin, department: 'returns' })).department, 'returns');
  assert.equal(groupOf(row, lin.id), 'away');
  assert.equal(groupOf(row, mei.id), 'mine');
});

test('"not solved" asks again, and a lost handler puts it back to wait', () => {
  const row = play(...start(), ev('assigned', rep(lin), 200, { to: lin }), ev('message', rep(lin), 300, { text: 'hi' }),
    ev('resolution_proposed', rep(lin), 400, { summary: 'done' }), ev('refused', shopper, 500), ev('reopened', system, 500, { why: 'refused' }));
  assert.equal(row.state, 'active');
  assert.equal(row.unansweredSince, 500);
  const lost = fold(row, ev('handler_lost', system, 600, { handler: lin }));
  assert.deepEqual([lost.state, lost.handler, lost.waitingSince], ['waiting', null, 600]);
});

test('the row is in the state that the rules say, whoever is given the chat', () => {
  const served = [...start(), ev('assigned', rep(lin), 200, { to: lin }), ev('owned', system, 300, { owner: lin }), ev('message', rep(lin), 300, { text: 'hi' })];
  const proposed = [...served, ev('resolution_proposed', rep(lin), 400, { summary: 'done' })];
  const states = (...before: EventEntry[]) => [ev('reassigned', rep(mei), 500, { to: mei, handler: mei }), ev('taken_back', rep(lin), 500, { handler: lin })]
    .map((e) => play(...before, e).state);
  assert.deepEqual(states(...proposed), ['proposed', 'proposed'], 'the shopper has been asked');
  assert.deepEqual(states(...served), ['active', 'active']);
  assert.deepEqual(states(...served, ev('parked', rep(lin), 400, { until: 900 })), ['assigned', 'active']);
});

test('parking stops the clock, its date starts it again, and a greeting does not stop it', () => {
  const served = [...start(), ev('assigned', rep(lin), 200, { to: lin }), ev('owned', system, 300, { owner: lin })];
  assert.equal(play(...served, ev('message', rep(lin), 300, { text: 'hello', counts: false })).unansweredSince, 100);
  const parked = [...served, ev('parked', rep(lin), 400, { until: 900 })];
  assert.equal(play(...parked).unansweredSince, null);
  assert.equal(play(...parked, ev('unparked', rep(lin), 500, { why: 'rep' })).unansweredSince, null);
  assert.equal(play(...parked, ev('unparked', system, 900, { why: 'due' })).unansweredSince, 900);
  assert.equal(play(...parked, ev('queued', system, 900, { department: 'general', why: 'parked_due' })).unansweredSince, 900);
});

test('an own greeting does not stop the clock either', () => {
  const served = [...start(), ev('assigned', rep(lin), 200, { to: lin })];
  const made = (ok: object) => entryMade({ t: 'message.send', id: 'm-1', chat: 'c_1', text: '您好' }, { t: 'ok', re: 'm-1', seq: 9, at: 300, ...ok }, { role: 'rep', id: lin.id }, 300) as EventEntry;
  assert.deepEqual([play(...served, made({ counts: false }))].map((r) => [r.state, r.unansweredSince]), [['assigned', 100]]);
  assert.deepEqual([play(...served, made({}))].map((r) => [r.state, r.unansweredSince]), [['active', null]]);
});

test('promises, tags and checks add up', () => {
  const row = play(...start(), ev('promised', rep(lin), 1, { promise: 'p_1', text: 'call', until: 900 }), ev('promised', rep(lin), 1, { promise: 'p_2', text: 'send', until: 500 }),
    ev('promise_kept', rep(lin), 2, { promise: 'p_2' }), ev('tagged', rep(lin), 3, { add: ['a', 'b'] }), ev('tagged', rep(lin), 4, { add: ['a'], remove: ['b'] }),
    ev('verified', rep(lin), 5, { checks: ['name'] }), ev('verified', rep(lin), 6, { checks: ['order', 'name'] }));
  assert.equal(nextPromise(row)?.id, 'p_1');
  assert.deepEqual(row.tags, ['a']);
  assert.deepEqual(row.verified, ['name', 'order']);
});

test('a welcome without a handler means that there is none', () => {
  const row = fromWelcome({ ...emptyRow('c_1'), handler: lin, unansweredSince: 5 }, { chat: 'c_1', state: 'waiting', seq: 9 } as WelcomeChat);
  assert.deepEqual([row.handler, row.unansweredSince, row.seq], [null, null, 9]);
});

test('a welcome says again what is asked, handed over, promised and tagged, and what has ended meanwhile', () => {
  const consult = { to: mei, by: lin, question: 'may we?', at: 7 };
  const promise = { id: 'p_1', text: 'call', until: 900, state: 'open' };
  const row = fromWelcome(emptyRow('c_1'), { chat: 'c_1', state: 'active', seq: 9, handler: lin, consult, transfer: { to: mei, until: 60 }, promises: [promise], tags: ['a'] });
  assert.deepEqual([row.consult, row.transfer, row.tags, nextPromise(row)?.until], [consult, { to: mei, until: 60 }, ['a'], 900]);
  assert.equal(groupOf(row, mei.id), 'asked');
  assert.equal(fold(row, ev('promised', rep(lin), 8, { promise: 'p_1', text: 'call', until: 900 })).promises.length, 1);
  const told = (by: typeof mei) => fold(row, ev('consult_answered', rep(by), 8, { text: 'we may' })).consult;
  assert.deepEqual([told(lin), told(mei)], [consult, null], 'whoever was asked before leaves the last question standing');
  const later = fromWelcome(row, { chat: 'c_1', state: 'active', seq: 12, handler: lin });
  assert.deepEqual([later.consult, later.transfer, later.tags, later.promises], [null, null, [], []]);
});

test('only the handler may reply; a chat of nobody is claimed by a reply', () => {
  const row = (more: Partial<Row>): Row => ({ ...emptyRow('c_1'), ...more });
  assert.deepEqual(mayReply(row({ state: 'active', handler: lin }), lin.id), { may: true });
  assert.deepEqual(mayReply(row({ state: 'active', handler: lin }), mei.id), { may: false, why: 'handler' });
  assert.deepEqual(mayReply(row({ state: 'waiting' }), mei.id), { may: true });
  assert.deepEqual(mayReply(row({ state: 'closed', handler: lin }), lin.id), { may: false, why: 'over' });
});

test('the longest unanswered comes first, ahead by class; parked ones last', () => {
  const now = 10_000_000;
  const row = (chat: string, more: Partial<Row>): Row => ({ ...emptyRow(chat), state: 'active', handler: lin, ...more });
  const rows = [row('new', { unansweredSince: now - 60_000 }), row('old', { unansweredSince: now - 300_000 }), row('urgent', { unansweredSince: now - 10_000, class: 'urgent' }),
    row('quiet', {}), row('parked', { state: 'parked', parkedUntil: now + 86_400_000 })];
  const groups = groupRows(rows, lin.id, false, now);
  assert.deepEqual(groups.mine.map((r) => r.chat), ['urgent', 'old', 'new', 'quiet']);
  assert.deepEqual(groups.later.map((r) => r.chat), ['parked']);
  const due = row('due', { promises: [{ id: 'p', text: '', until: now + 60_000 }] });
  assert.ok(urgency(due, now) < urgency(row('quiet', {}), now), 'a promise that falls due comes before the quiet');
});

test('rows keep their places while the pointer is in the list', () => {
  assert.deepEqual(steadyOrder(['c', 'a', 'b', 'new'], ['a', 'b', 'c', 'gone'], true), ['a', 'b', 'c', 'new']);
  assert.deepEqual(steadyOrder(['c', 'a'], ['a', 'c'], false), ['c', 'a']);
  assert.deepEqual([ageOf(null, 100, 40), ageOf(90, 100, 40), ageOf(75, 100, 40), ageOf(10, 100, 40)], ['none', 'fresh', 'late', 'over']);
});

test('a draft belongs to chat and mode, survives a reload, and comes back before what was written since', () => {
  const store = memoryStore();
  const timers: Timers = { now: () => 0, set: (run) => run, clear: () => undefined };
  const drafts = new Drafts(store, timers, 'd:');
  drafts.set('c_1', 'reply', { text: 'hello' });
  drafts.set('c_1', 'note', { text: 'note' });
  drafts.flush();
  const again = new Drafts(store, timers, 'd:');
  assert.equal(again.of('c_1', 'reply').value.text, 'hello');
  assert.equal(again.of('c_1', 'note').value.text, 'note');
  assert.equal(again.of('c_2', 'reply').value.text, '');
  assert.ok(again.chats.value.has('c_1'));
  again.clear('c_1', 'note');
  again.giveBack('c_1', 'reply', 'refused');
  assert.equal(again.of('c_1', 'reply').value.text, 'refused\nhello');
  assert.deepEqual(store.keys('d:'), ['d:reply:c_1']);
});

test('tabs share drafts: what was written last stands, and sending takes away only what that tab knew of', () => {
  const store = memoryStore();
  const timers: Timers = { now: () => 0, set: (run) => run, clear: () => undefined };
  const one = new Drafts(store, timers, 'd:');
  const two = new Drafts(store, timers, 'd:');
  const texts = () => [one, two].map((d) => d.of('c_1', 'reply').peek().text);
  one.set('c_1', 'reply', { text: 'first tab' });
  one.flush();
  two.set('c_1', 'reply', { text: 'second tab' });
  two.flush(); // and the first has not heard of it yet
  one.clear('c_1', 'reply');
  one.flush();
  assert.equal(JSON.parse(store.get('d:reply:c_1') ?? '{}').text, 'second tab');
  assert.deepEqual(texts(), ['second tab', 'second tab']);
  assert.ok(one.chats.peek().has('c_1'));

  two.set('c_1', 'reply', { text: 'second tab, on' });
  two.flush();
  one.changed('d:reply:c_1');
  assert.deepEqual(texts(), ['second tab, on', 'second tab, on']);
  one.set('c_1', 'reply', { text: 'being written' });
  one.changed('d:reply:c_1');
  assert.equal(texts()[0], 'being written');
  one.clear('c_1', 'reply');
  one.flush();
  two.changed('d:reply:c_1');
  assert.deepEqual([texts(), store.keys('d:'), two.chats.peek().size], [['', ''], [], 0]);
});

test('quiet events stand together, messages of one author too, and days part', () => {
  const day = 86_400_000;
  const items = buildItems([...start(), ev('offered', system, 110, { to: lin }), ev('assigned', rep(lin), 120, { to: lin }), ev('message', rep(lin), 200, { text: 'a' }),
    ev('message', rep(lin), 300, { text: 'b' }), ev('promised', rep(lin), 400, { text: 'x' }), ev('parked', rep(lin), 400, { promise: 'x' }), ev('message', shopper, day, { text: 'c' })],
    (a, b) => Math.floor(a / day) === Math.floor(b / day));
  assert.deepEqual(items.map((i) => i.type), ['day', 'quiet', 'message', 'quiet', 'message', 'message', 'mark', 'mark', 'day', 'message']);
  assert.ok(items[5]?.type === 'message' && items[5].grouped);
  assert.ok(items[7]?.type === 'mark' && items[7].bare, 'parking does not repeat its promise');
});

test('links are http, https, mailto and tel, without the stop behind them, and the true host is shown', () => {
  assert.deepEqual(splitLinks('see https://a.example/x, ok').map((p) => p.href ?? p.text), ['see ', 'https://a.example/x', ', ok']);
  assert.equal(splitLinks('帮助 https://a.example/help。谢谢')[1]?.href, 'https://a.example/help', 'Chinese stops end it');
  assert.equal(splitLinks('javascript:alert(1) data:text/html,x').some((p) => p.href), false);
  const tricky = splitLinks('https://bank.example@evil.example/login')[0];
  assert.ok(tricky?.text.includes('evil.example') && !tricky.text.includes('bank.example'));
});

test('a note calls colleagues by whole name or by one word of it', () => {
  const people = [{ id: 'r_1', name: 'Mei 林小梅' }, { id: 'r_2', name: 'Tom Becker' }, { id: 'r_3', name: 'Tom' }];
  assert.deepEqual(mentionsIn('@Mei please ask @tom becker', people), ['r_1', 'r_2']);
  assert.deepEqual(mentionsIn('@林小梅 看一下', people), ['r_1']);
  assert.deepEqual(mentionsIn('a@b.example, @Meister', people), []);
});
