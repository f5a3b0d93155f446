// Rules 1.1 to 1.5, 2.1: where a chat goes and why; help from the fallback; pauses and presence; a hundred reps and one chat.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { again, rep } from './lib/client.mjs';
import { arrival, auditor, servedChat, settled, staff, take, team } from './lib/desk.mjs';
import { Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const CONFIG = `
[department.lamps]
site = default
title_en = Lamps and lights
keywords = lampshade, 灯罩

[department.sofas]
site = default
fallback = lamps
overflow_ms = 400
offer_ms = 700

[department.stools]
site = default
offer_ms = 1500

[department.chairs]
site = default
fallback = lamps
overflow_ms = 400
skills = upholstery

[department.rugs]
site = default
confirm_ms = 300

[department.mats]
site = default
return_ms = 1

[class.vip]
keywords = club member

[class.urgent]
keywords = smoke, 着火
weight = 2
`;
let server;
let quinn;

before(async () => {
  server = await new Server({ config: CONFIG, set: { 'presence.grace_ms': 1500, 'ownership.grace_ms': 1500, 'routing.missed_pause': 2 } }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const log = (chat, when) => server.transcript(quinn.token, chat, when);
const find = (t, kind) => t.events.find((e) => e.kind === kind);

test('rule 1.1: a topic, a word, the shopper’s own choice lead to a department, and the log says which', async () => {
  const cases = [
    [{ text: 'hello', topic: 'Lamps and Lights' }, 'lamps', 'topic', undefined],
    [{ text: 'My lampshade is torn' }, 'lamps', 'keyword', 'lampshade'],
    [{ text: '灯罩破了' }, 'lamps', 'keyword', '灯罩'],
    [{ text: 'My lampshade is torn', department: 'sofas' }, 'sofas', 'shopper', undefined],
  ];
  for (const [fields, department, why, reason] of cases) {
    const { sue, started, chat } = await arrival(server, undefined, fields);
    assert.equal(started.department, department);
    const e = find(await log(chat, (t) => find(t, 'queued')), 'triaged');
    assert.deepEqual([e.department, e.why, e.reason], [department, why, reason]);
    await sue.done('chat.leave');
  }
});

test('rule 1.1: a waiting shopper may choose another department and keeps the time waited; a rep says why', async () => {
  const [x] = await staff(server, 1);
  const [eve] = await team(server, 1);
  const { sue, chat } = await arrival(server, x.department);
  await sue.refused('not_found', 'chat.triage', { chat, department: 'no-such-department' });
  await sue.done('chat.triage', { chat, department: eve.department });
  await eve.expect('offer', { chat });
  const t = await log(chat, (l) => find(l, 'offered'));
  const [first, second] = t.events.filter((e) => e.kind === 'queued');
  assert.deepEqual([second.department, second.score], [eve.department, first.score]);
  assert.equal(t.events.filter((e) => e.kind === 'triaged')[1].why, 'shopper');
  await eve.done('offer.accept', { chat });
  await sue.refused('conflict', 'chat.triage', { chat, department: x.department });
  await eve.refused('bad_request', 'chat.triage', { chat, department: x.department });
  await eve.done('chat.triage', { chat, department: x.department, reason: 'theirs' });
});

test('rule 1.2: a rule or a rep makes a chat urgent, a shopper’s word alone does not', async () => {
  const [eve] = await team(server, 1, { shift: false });
  const { sue, chat } = await arrival(server, eve.department, { text: 'There is smoke from the lamp' });
  assert.equal(find(await log(chat, (t) => find(t, 'queued')), 'started').class, 'urgent');
  await sue.done('chat.leave');
  for (const said of [undefined, 'care']) { // a rule lifts the class, and lowers none
    const member = await arrival(server, eve.department, { text: 'I am a club member', class: said });
    assert.equal(find(await log(member.chat, (t) => find(t, 'queued')), 'started').class, said ?? 'vip');
    await member.sue.done('chat.leave');
  }
  const two = await arrival(server, eve.department);
  await two.sue.done('chat.triage', { chat: two.chat, department: eve.department, class: 'urgent' });
  await eve.done('chat.triage', { chat: two.chat, department: eve.department, class: 'vip', reason: 'a good customer' });
  const queued = (await log(two.chat, (t) => t.events.filter((e) => e.kind === 'queued').length === 3)).events.filter((e) => e.kind === 'queued');
  assert.deepEqual(queued.map((e) => e.class), ['normal', 'normal', 'vip']);
  assert.equal(queued[2].score, queued[0].score - 600_000, 'ten minutes ahead of its place');
});

test('rule 1.3: the offer says why this rep, and of every other rep of the department why not', async () => {
  const who = await staff(server, 4);
  const ann = await rep(server, who[0]);
  const bob = await rep(server, who[1]);
  const cid = await rep(server, who[2], { shift: false });
  const dan = await rep(server, who[3]);
  await bob.done('shift.pause');
  const busy = await arrival(server, ann.department);
  const [first, second] = await Promise.race([ann, dan].map((r) => r.expect('offer', { chat: busy.chat }).then(() => (r === ann ? [ann, dan] : [dan, ann]))));
  await first.done('offer.accept', { chat: busy.chat });
  const { chat } = await arrival(server, ann.department);
  await second.expect('offer', { chat });
  const e = find(await log(chat, (t) => find(t, 'offered')), 'offered');
  const why = Object.fromEntries(e.candidates.map((c) => [c.id, c.why]));
  assert.deepEqual(why, { [second.me]: 'chosen', [first.me]: 'busier', [bob.me]: 'paused', [cid.me]: 'off_shift' });
  assert.equal(e.to.id, second.me);
});

test('rule 1.3: an urgent chat weighs two, and goes to nobody with room for one', async () => {
  const [w] = await staff(server, 1);
  const ann = await rep(server, w, { capacity: 1 });
  const { chat } = await arrival(server, ann.department, { text: 'smoke everywhere' });
  const calm = await arrival(server, ann.department, { text: 'no hurry' });
  await ann.expect('offer', { chat: calm.chat });
  await ann.done('offer.accept', { chat: calm.chat });
  await ann.refused('conflict', 'chat.claim', { chat });
  await ann.done('shift.start', { capacity: 3 });
  await ann.expect('offer', { chat });
});

test('rule 1.3: nobody in time: the fallback department helps, and the entry names both departments’ people', async () => {
  const [a, b] = await staff(server, 2, { department: 'lamps' });
  const [s] = await staff(server, 1, { department: 'sofas' });
  const ann = await rep(server, a);
  await rep(server, b, { shift: false });
  const sid = await rep(server, s, { shift: false });
  const { chat } = await arrival(server, 'sofas');
  const offer = await ann.expect('offer', { chat });
  const t = await log(chat, (l) => find(l, 'offered'));
  const e = find(t, 'offered');
  assert.ok(e.at - find(t, 'queued').at >= 400, 'not before the department’s own time');
  assert.equal(e.why, 'overflow');
  assert.deepEqual([sid.me, ann.me].map((id) => e.candidates.find((c) => c.id === id)?.why), ['off_shift', 'chosen']);
  assert.ok(offer.deadline_at - e.at <= 700, `the department’s own time to think: ${JSON.stringify(offer)} of ${JSON.stringify(t.events.map((x) => [x.seq, x.at, x.kind, x.why]))}`);
  await ann.done('offer.accept', { chat });
  await ann.say('I help out here.', { chat });
  await ann.done('chat.park', { chat, promise: 'later', until: Date.now() + 3_600_000 });
  await ann.done('shift.end');
});

test('rule 1.3: a department’s skill is asked of its own people, not of those who help', async () => {
  const [c] = await staff(server, 1, { department: 'chairs' });
  const [l] = await staff(server, 1, { department: 'lamps' });
  const cy = await rep(server, c);
  const lou = await rep(server, l);
  const { sue, chat } = await arrival(server, 'chairs');
  await lou.expect('offer', { chat });
  const e = find(await log(chat, (t) => find(t, 'offered')), 'offered');
  assert.deepEqual([cy.me, lou.me].map((id) => e.candidates.find((x) => x.id === id)?.why), ['skill', 'chosen']);
  await sue.done('chat.leave');
  await Promise.all([cy, lou].map((r) => r.done('shift.end')));
});

test('rule 1.4: who declines a chat is asked again after everybody else, also after who is busier', async () => {
  const department = server.newDepartment();
  const [bob] = await team(server, 1, { department });
  const { chat: before } = await arrival(server, department);
  await take(bob, before);
  const [ann] = await team(server, 1, { department });
  const { chat } = await arrival(server, department);
  await ann.expect('offer', { chat });
  await ann.done('offer.decline', { chat, reason: 'lunch' });
  await bob.expect('offer', { chat });
  const offered = (await log(chat, (t) => t.events.filter((e) => e.kind === 'offered').length === 2)).events.filter((e) => e.kind === 'offered');
  assert.deepEqual(offered.map((e) => e.to.id), [ann.me, bob.me]);
  assert.equal(offered[1].candidates.find((c) => c.id === ann.me).why, 'passed');
});

test('rule 2.7: who comes back to a case brings what was known of it, and the class of one that was not solved', async () => {
  const calm = server.newDepartment(); // where a question to the shopper stands as long as it takes
  const [w] = await staff(server, 1, { department: ['rugs', calm] });
  const ann = await rep(server, w);
  const { name } = ann.welcome.rep;
  const comesBack = async (sue, fields = {}) => {
    const { chat } = await sue.done('chat.start', { text: 'It is about the rug.', department: 'rugs', ...fields });
    const e = find(await log(chat, (t) => find(t, 'queued')), 'started');
    await sue.done('chat.leave', { chat });
    return [e.after, e.class, e.owner?.name, e.card?.summary];
  };
  const served = async (department) => {
    const a = await arrival(server, department);
    await take(ann, a.chat);
    return a;
  };
  const solved = await served(calm);
  await settled(solved.sue, ann, solved.chat);
  assert.deepEqual(await comesBack(solved.sue), [solved.chat, 'normal', name, 'answered']);
  for (const [said, becomes] of [[undefined, 'returning'], ['care', 'care']]) { // never a lower one
    const unanswered = await served('rugs');
    await ann.done('chat.resolve', { chat: unanswered.chat, resolution: 'answered', summary: 'rolled up' });
    assert.equal((await unanswered.sue.event('closed')).how, 'unconfirmed');
    assert.deepEqual(await comesBack(unanswered.sue, { class: said }), [unanswered.chat, becomes, name, 'rolled up']);
  }
  const left = await served('rugs');
  await ann.done('shift.pause');
  await ann.done('chat.triage', { chat: left.chat, department: 'rugs', reason: 'somebody else' });
  await left.sue.done('chat.leave');
  assert.deepEqual((await comesBack(left.sue)).slice(0, 3), [left.chat, 'returning', name]);
  await ann.done('shift.end');
});

test('rules 2.7, 2.11: behind its time nothing leads back to the owner, nor is anybody said to be responsible', async () => {
  const [w] = await staff(server, 1, { department: 'mats' });
  const ann = await rep(server, w);
  for (const department of [server.newDepartment(), 'mats']) {
    const [r] = department === 'mats' ? [ann] : await team(server, 1, { department });
    const { sue, chat } = await arrival(server, department);
    await take(r, chat);
    await settled(sue, r, chat);
    let back = await again(sue);
    if (department === 'mats') await until(async () => !(back = await again(sue)).welcome.responsible, 'the time is over');
    else assert.equal(back.welcome.responsible?.id, r.me);
    const { chat: next } = await back.done('chat.start', { text: 'One more thing.', department });
    assert.equal(find(await log(next, (l) => find(l, 'queued')), 'started').after, department === 'mats' ? undefined : chat);
    await back.done('chat.leave');
  }
  await ann.done('shift.end');
});

test('rule 1.5: who comes again while waiting is told the place again', async () => {
  const [w] = await staff(server, 1);
  const { sue, chat } = await arrival(server, w.department);
  await sue.expect('queue', { chat, position: 1 });
  await (await again(sue)).expect('queue', { chat, position: 1 });
});

test('rule 1.3: who can be served is, also behind a long row of those who can’t yet', async () => {
  const department = server.newDepartment();
  const [li] = await team(server, 1, { department, languages: ['zh'], capacity: 1 });
  const busy = await arrival(server, department, { hello: { locale: 'zh-CN' } });
  await take(li, busy.chat);
  const row = [];
  for (let i = 0; i < 70; i++) row.push(await arrival(server, department, { hello: { locale: 'zh-CN' } }));
  const [ann] = await team(server, 1, { department, languages: ['en'] });
  const { sue, chat } = await arrival(server, department);
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  for (const s of [sue, busy.sue, ...row.map((r) => r.sue)]) s.drop();
});

test('rule 1.4: who misses two offers in a row is paused, and told why', async () => {
  const [w] = await staff(server, 1, { department: 'sofas' });
  const ann = await rep(server, w);
  const { sue, chat } = await arrival(server, 'sofas');
  await ann.expect('offer', { chat });
  const told = await ann.expect('presence', { rep: ann.me, state: 'paused' });
  assert.equal(told.why, 'missed');
  const tab = await rep(server, w, { shift: false });
  assert.deepEqual([tab.welcome.shift.state, tab.welcome.shift.why], ['paused', 'missed']);
  const t = await log(chat, (l) => l.events.filter((e) => e.kind === 'offer_missed').length === 2);
  assert.equal(t.events.filter((e) => e.kind === 'offered' && e.to.id === ann.me).length, 2, 'and not asked a third time in between');
  await ann.done('shift.start', { capacity: 5 }); // the count begins anew
  await ann.expect('presence', { rep: ann.me, state: 'on' });
  await ann.expect('presence', { rep: ann.me, state: 'paused', why: 'missed' });
  const later = await log(chat, (l) => l.events.filter((e) => e.kind === 'offer_missed').length === 4);
  assert.equal(later.events.filter((e) => e.kind === 'offered' && e.to.id === ann.me).length, 4, 'two more, not one');
  await sue.done('chat.leave');
});

test('rule 1.4: the row of misses ends with whoever answers an offer, be it by no, and with the shift', async () => {
  const [w] = await staff(server, 1, { department: 'stools' });
  const ann = await rep(server, w);
  const { sue, chat } = await arrival(server, 'stools');
  await ann.expect('offer', { chat, kind: 'new' }); // missed
  await ann.expect('offer', { chat, kind: 'new' });
  await ann.done('offer.decline', { chat });
  await ann.expect('offer', { chat, kind: 'new' }); // missed
  await ann.expect('offer', { chat, kind: 'new' });
  await ann.done('shift.end');
  await ann.done('shift.start');
  await ann.expect('offer', { chat, kind: 'new' }); // missed
  await ann.expect('offer', { chat, kind: 'new' });
  await sue.done('chat.leave');
  const t = await log(chat, (l) => find(l, 'abandoned'));
  assert.deepEqual(t.events.filter((e) => e.kind === 'offer_missed').map((e) => e.why), ['deadline', 'deadline', 'shift_ended', 'deadline']);
});

test('rule 1.3: a reload never loses the shift; the last tab closed pauses it after the grace', async () => {
  const [w] = await staff(server, 1);
  const [other] = await staff(server, 1, { department: w.department });
  const eye = await rep(server, other, { shift: false });
  const ann = await rep(server, w);
  ann.drop();
  const back = await rep(server, w, { shift: false });
  assert.equal(back.welcome.shift.state, 'on');
  const { chat } = await arrival(server, w.department);
  await back.expect('offer', { chat });
  await back.done('offer.accept', { chat });
  await back.say('Still on shift.', { chat });
  await back.done('chat.park', { chat, promise: 'later', until: Date.now() + 3_600_000 });
  eye.forget();
  back.drop();
  await eye.expect('presence', { rep: back.me, state: 'away', why: 'away' });
  const { state, why } = (await rep(server, w, { shift: false })).welcome.shift;
  assert.deepEqual([state, why], ['paused', 'away']);
});

test('rule 1.5: who waits is told a place from 1 and a wait of at least a second, anew when the place changes', async () => {
  const [w] = await staff(server, 1);
  const some = [];
  for (let i = 0; i < 4; i++) some.push(await arrival(server, w.department));
  await some[3].sue.expect('queue', { chat: some[3].chat, position: 4 });
  await some[0].sue.done('chat.leave');
  await some[3].sue.expect('queue', { chat: some[3].chat, position: 3 });
  for (const { sue } of some) for (const q of sue.seen.filter((m) => m.t === 'queue')) assert.ok(q.position >= 1 && q.eta_s >= 1, JSON.stringify(q));
});

test('rule 1.5: one take says nothing of how fast a queue moves: the wait is as long as a chat lasts', async () => {
  const [ann] = await team(server, 1, { capacity: 1 });
  const first = await arrival(server, ann.department);
  await take(ann, first.chat);
  const { sue, chat } = await arrival(server, ann.department);
  assert.equal((await sue.expect('queue', { chat, position: 1 })).eta_s, 240);
});

test('who stands far from the front is told of another place too, and staff hear of the whole queue', async () => {
  const [who] = await staff(server, 1);
  const ann = await rep(server, who, { shift: false });
  const crowd = [];
  while (crowd.length < 320) crowd.push(...(await Promise.all(Array.from({ length: 16 }, () => arrival(server, who.department)))));
  const last = await arrival(server, who.department);
  await ann.expect('queue', { department: who.department, waiting: 321 });
  await Promise.all(crowd.slice(0, 48).map(({ sue, chat }) => sue.done('chat.leave', { chat })));
  const rest = [...crowd.slice(48), last];
  await ann.expect('queue', { department: who.department, waiting: rest.length, longest_since: Math.min(...rest.map((c) => c.started.at)) });
  const place = () => last.sue.seen.filter((m) => m.t === 'queue' && m.chat === last.chat).at(-1)?.position;
  await until(() => place() >= rest.length && (place() - rest.length) * 20 <= rest.length, () => `the last one's place, ${rest.length}; told: ${place()}`);
});

test('rule 2.7: a return goes to its owner, also where a colleague has less to do', async () => {
  const [a, b] = await staff(server, 2);
  const ann = await rep(server, a);
  const { sue, chat } = await arrival(server, a.department);
  await take(ann, chat);
  await settled(sue, ann, chat);
  await ann.event('closed', { chat });
  const other = await arrival(server, a.department); // by now Ann is the only one
  await take(ann, other.chat);
  const bob = await rep(server, b);
  const again = await sue.done('chat.start', { text: 'It still flickers.', department: a.department });
  await ann.expect('offer', { chat: again.chat, kind: 'new' });
  await ann.done('offer.accept', { chat: again.chat });
  const t = await server.transcript(quinn.token, again.chat, (x) => x.events.some((e) => e.kind === 'assigned'));
  assert.deepEqual(t.events.filter((e) => e.kind === 'offered').map((e) => [e.to.id, e.why]), [[ann.me, 'owner']]);
  assert.ok(!bob.seen.some((m) => m.t === 'offer' && m.chat === again.chat), 'Bob, who is idle, was not asked');
});

test('rule 2.1: a hundred reps on three nodes claim one chat: one owner, ninety-nine are told who', async () => {
  const redis = await new Redis().start();
  const nodes = [];
  for (const name of ['a', 'b', 'c']) nodes.push(await new Server({ redis: redis.url, set: { 'server.node': name, 'auth.attempts_per_min': 10_000 } }).start());
  nodes[0].holdsArchive = true;
  const department = nodes[0].newDepartment();
  const reps = [];
  for (let i = 0; i < 100; i += 10) {
    const who = await staff(nodes[0], 10, { department });
    reps.push(...(await Promise.all(who.map((w, k) => rep(nodes[(i + k) % 3], w, { shift: false })))));
  }
  const { sue, chat } = await arrival(nodes[0], department);
  await Promise.all(reps.map((r) => r.done('shift.start', { capacity: 5 }, 30_000)));
  const answers = await Promise.all(reps.map((r, i) => r.ask('message.send', { chat, text: `It is me, number ${i}.` }, 30_000)));
  const won = answers.flatMap((m, i) => (m.t === 'ok' ? [i] : []));
  assert.equal(won.length, 1, `${won.length} got an ok`);
  const owner = reps[won[0]];
  const lost = answers.filter((m) => m.t !== 'ok');
  assert.deepEqual([...new Set(lost.map((m) => m.code))], ['not_handler']);
  assert.deepEqual([...new Set(lost.map((m) => m.handler?.id))], [owner.me], 'each is told who');
  const shown = await sue.event('message', { text: `It is me, number ${won[0]}.` });
  assert.equal(shown.from.id, owner.me);
  assert.equal((await sue.event('owned', { chat })).owner.id, owner.me);
  await sue.settle();
  assert.equal(sue.entries(chat, 'message').length, 1, 'the other ninety-nine texts were not shown');
  await endAndCheck(nodes[2], nodes[1], nodes[0]);
});

test('rule 1.5: a handover takes nobody from the queue, so nobody’s wait becomes shorter by it', async () => {
  const { ann, chat } = await servedChat(server);
  await ann.done('shift.pause');
  const [dora, eve] = await team(server, 2);
  for (const [from, to] of [[ann, dora], [dora, eve], [eve, dora]]) {
    await from.done('chat.transfer', { chat, to: to.me, card: { summary: 'a lamp', requirements: '', verified: [], promised: '' } });
    await to.expect('offer', { chat, kind: 'transfer' });
    await to.done('offer.accept', { chat });
  }
  const next = await arrival(server, ann.department);
  assert.equal((await next.sue.expect('queue', { chat: next.chat })).eta_s, 240);
});
