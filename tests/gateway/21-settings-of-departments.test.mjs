// What a site and a department have of their own goes before the section's number: department, site, section.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { rep } from './lib/client.mjs';
import { arrival, auditor, servedChat, settled, staff } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

const LONG = 3_600_000;
let server;
let quinn;
let free = 10; // of the many departments: d1 helps, those from d11 on are given out

/** Departments that differ from the others in one number each; all others have the sections' long ones. */
const own = {
  slow_grace: 'grace_ms = 2s', quick_grace: 'grace_ms = 200', gone: 'gone_ms = 300', auto: 'auto_accept = true', back: 'return_ms = 1h',
  water: 'care_first_ms = 300', offer: 'offer_ms = 300', silent: 'silent_ms = 400', confirm: 'confirm_ms = 300', alert: 'care_first_ms = 100\ncare_alert_ms = 300\ncare_act_ms = 300',
  transfer: 'transfer_ms = 300', help: 'overflow_ms = 300\nfallback = d1',
};

before(async () => {
  const departments = Object.entries(own).map(([name, lines]) => `[department.own_${name}]\nsite = default\n${lines}\n`).join('\n');
  server = await new Server({
    config: `[site.default]\ngrace_ms = 1s\noffer_ms = 1h\n\n${departments}`,
    set: {
      'ownership.grace_ms': LONG, 'presence.grace_ms': LONG, 'queue.gone_ms': LONG, 'care.first_ms': LONG, 'care.alert_ms': LONG, 'care.act_ms': LONG, 'routing.silent_ms': LONG,
      'routing.offer_ms': 1, 'resolution.confirm_ms': LONG, 'transfer.answer_ms': LONG, 'routing.overflow_ms': LONG, 'ownership.return_ms': 0,
    },
  }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

/** A department with a number of its own, and one without. */
const pair = (name) => [`own_${name}`, `d${++free}`];

async function person(department, role = 'rep') {
  const [w] = await staff(server, 1, { department, role });
  return rep(server, w);
}

describe('numbers of departments', { concurrency: 6 }, () => {
  test('rule 2.8: each chat of a lost handler has its department’s grace: the site’s, a shorter and a longer one', async () => {
    const plain = `d${++free}`;
    const where = ['own_quick_grace', plain, 'own_slow_grace'];
    const account = await server.account({ role: 'rep', department: where });
    const ann = await rep(server, { ...account, department: plain }, { capacity: 9 });
    const chats = [];
    for (const department of where) chats.push(await servedChat(server, { ann: Object.assign(ann, { department }) }));
    const from = Date.now();
    await ann.close();
    const lost = [];
    for (const { sue, chat } of chats) lost.push((await sue.event('handler_lost', { chat }, 20_000)).at - from);
    assert.ok(lost[0] >= 150 && lost[0] < lost[1] && lost[1] >= 900 && lost[1] < lost[2] && lost[2] >= 1900, `lost after ${lost}`);
  });

  test('rule 1.5: who waits and is offline has left after the department’s time', async () => {
    const [mine, other] = pair('gone');
    await person(mine, 'lead');
    const a = await arrival(server, mine);
    const b = await arrival(server, other);
    await a.sue.close();
    await b.sue.close();
    const t = await server.transcript(quinn.token, a.chat, (x) => x.state === 'abandoned');
    assert.equal(t.events.at(-1).kind, 'abandoned');
    assert.equal((await server.transcript(quinn.token, b.chat)).state, 'waiting');
  });

  test('rule 1.4: a department that is not asked is assigned', async () => {
    const [mine, other] = pair('auto');
    const ann = await person(mine);
    const bob = await person(other);
    const a = await arrival(server, mine);
    assert.equal((await ann.event('assigned', { chat: a.chat })).how, 'auto');
    const b = await arrival(server, other);
    const offer = await bob.expect('offer', { chat: b.chat });
    assert.ok(offer.deadline_at - Date.now() > LONG / 2, 'the site’s time to think, not the section’s');
  });

  test('rule 1.4: a department’s time to think', async () => {
    const [mine] = pair('offer');
    const ann = await person(mine);
    const a = await arrival(server, mine);
    await ann.expect('offer', { chat: a.chat, kind: 'new' });
    assert.equal((await server.transcript(quinn.token, a.chat, (x) => x.events.some((e) => e.kind === 'offer_missed'))).events.find((e) => e.kind === 'offer_missed').why, 'deadline');
  });

  test('rule 2.7: how long the way back stands', async () => {
    for (const [department, back] of [['own_back', true], [pair('back')[1], false]]) {
      const ann = await person(department);
      const { sue, chat } = await servedChat(server, { ann });
      await settled(sue, ann, chat);
      assert.equal((await sue.event('closed', { chat })).return_ms, back ? LONG : 0, 'as the shopper is told');
      const again = await sue.done('chat.start', { text: 'It broke again.', department });
      const t = await server.transcript(quinn.token, again.chat, (x) => x.events.length > 3);
      assert.equal(t.events.find((e) => e.kind === 'started').after, back ? chat : undefined, department);
    }
  });

  test('rules 1.4, 2.4, 2.6, 3.1, 3.2: silence, handover, confirmation, water and alert', async () => {
    const ann = await person('own_silent');
    const silent = await servedChat(server, { ann });
    await silent.sue.say('Are you there?', { chat: silent.chat });
    await ann.event('reminded', { chat: silent.chat });

    const tia = await person('own_transfer');
    const { chat } = await servedChat(server, { ann: tia });
    const tom = await person('own_transfer');
    await tia.done('chat.transfer', { chat, to: tom.me, card: { summary: 'x' } });
    assert.equal((await tia.event('transfer_returned', { chat })).reason, 'missed');

    const cat = await person('own_confirm');
    const put = await servedChat(server, { ann: cat });
    await cat.done('chat.resolve', { chat: put.chat, resolution: 'answered', summary: 'done' });
    assert.equal((await put.sue.event('closed', { chat: put.chat })).how, 'unconfirmed');

    const lea = await rep(server, (await staff(server, 1, { department: 'own_alert', role: 'lead' }))[0], { shift: false });
    const waits = await arrival(server, 'own_alert');
    await waits.sue.event('care', { chat: waits.chat, step: 'water' });
    assert.equal((await lea.expect('alert', { chat: waits.chat, level: 1 })).kind, 'long_wait');
    await lea.expect('alert', { chat: waits.chat, level: 2 });
  });

  test('rule 1.3: the fallback department helps after the department’s time', async () => {
    const eve = await person('d1');
    const a = await arrival(server, 'own_help');
    await eve.expect('offer', { chat: a.chat });
  });
});
