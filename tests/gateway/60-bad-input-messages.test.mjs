// Input that is no good: a coded error, the connection lives, its other chats don't notice, and nothing is written.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { Client, again, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, staff, team } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server().start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

/** Sends bytes as a text frame and gives the answer. */
async function tell(c, raw) {
  const answer = c.expect('error', {}, 8000);
  c.raw(raw);
  return answer;
}

/** The transcript, up to and with a fence that is written now. */
async function fenced(c, chat) {
  const text = `fence ${Math.random()}`;
  await c.say(text, { chat });
  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === text));
  return t.events.filter((e) => !e.text?.startsWith('fence '));
}

const deep = (n, open, close) => open.repeat(n) + close.repeat(n);
const message = (fields) => JSON.stringify({ t: 'message.send', id: 'bad-1', text: 'x', ...fields });

const MALFORMED = {
  'nothing': '',
  'a blank': ' ',
  'no JSON': 'not json',
  'half an object': '{"t":"message.send"',
  'text behind the end': '{"t":"ping","id":"a"} and more',
  'two objects': '{"t":"ping","id":"a"}{"t":"ping","id":"b"}',
  'a list': '[]',
  'a string': '"hello"',
  'a number': '42',
  'null': 'null',
  'an empty object': '{}',
  'no id': '{"t":"ping"}',
  'no type': '{"id":"a"}',
  'a type that is a number': '{"t":7,"id":"a"}',
  'a type that is an object': '{"t":{},"id":"a"}',
  'an id that is a number': '{"t":"ping","id":7}',
  'an id that is null': '{"t":"ping","id":null}',
  'an empty id': '{"t":"ping","id":""}',
  'an id of 65 characters': `{"t":"ping","id":"${'x'.repeat(65)}"}`,
  'an id with a blank': '{"t":"ping","id":"a b"}',
  'an id with a colon and braces': '{"t":"ping","id":"a:{b}*"}',
  'an id with a line break': '{"t":"ping","id":"a\\nb"}',
  'an id with NUL': '{"t":"ping","id":"a\\u0000b"}',
  'an id in Chinese': '{"t":"ping","id":"编号"}',
  'a key twice': '{"t":"ping","id":"a","id":"b"}',
  'single quotes': "{'t':'ping','id':'a'}",
  'a comment': '{"t":"ping",/* */"id":"a"}',
  'NaN': '{"t":"ping","id":"a","x":NaN}',
  'a number beyond range': `{"t":"ping","id":"a","x":1${'0'.repeat(400)}}`,
  '1e400': '{"t":"ping","id":"a","x":1e400}',
  'a lone surrogate': '{"t":"message.send","id":"a","text":"\\ud800"}',
  'a lone low surrogate': '{"t":"message.send","id":"a","text":"\\udc00 tail"}',
  'NUL in a text': '{"t":"message.send","id":"a","text":"a\\u0000b"}',
  'lists 500 deep': deep(500, '[', ']'),
  'lists 30,000 deep': deep(30_000, '[', ']'),
  'objects 100 deep in a field': `{"t":"ping","id":"a","x":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`,
  'five thousand keys': `{"t":"ping","id":"a",${Array.from({ length: 5000 }, (_, i) => `"${i}":1`).join(',')}}`,
};

test('what is no command is answered with an error, every time, on a connection that goes on', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const before = await fenced(sue, chat);
  for (const [what, raw] of Object.entries(MALFORMED)) {
    for (const c of [sue, ann]) {
      const m = await tell(c, raw).catch((e) => assert.fail(`${what}: ${e.message}`));
      assert.ok(['bad_request', 'too_large'].includes(m.code), `${what}: ${JSON.stringify(m)}`);
      assert.equal(typeof m.message, 'string');
      assert.ok(m.re === null || m.re === 'a' || m.re === 'b', `${what}: re ${m.re}`);
    }
  }
  const m = await tell(sue, '{"t":"ping","id":7}');
  assert.equal(m.re, null, 'a bad id is not repeated');
  assert.deepEqual(await fenced(sue, chat), before, 'nothing was written');
  await ann.say('still well', { chat });
  await sue.event('message', { text: 'still well' });
});

test('an error never repeats what was sent, nor tells how the server works', async () => {
  const sue = await shopper(server);
  for (const raw of ['{"t":"<script>alert(1)</script>","id":"a"}', '{"t":"ping","id":"<b>"}', `{"t":"message.send","id":"a","text":"${'<img src=x>'.repeat(10)}","chat":"<svg>"}`]) {
    const m = await tell(sue, raw);
    assert.ok(!/[<>]|\/\w+\/\w+\.c|jansson|redis/i.test(m.message), m.message);
  }
});

test('unknown types are errors, unknown fields are not', async () => {
  const sue = await shopper(server);
  for (const t of ['nope', 'message', 'MESSAGE.SEND', 'message.send ', 'event', 'ok', 'welcome', '__proto__', 'constructor', 'x'.repeat(300)]) await sue.refused('bad_request', t, {});
  await sue.done('ping', { unknown: 1, __proto__x: { a: [1, 2, { b: null }] } });
});

test('fields of the wrong type, size or form are refused by name', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const before = await fenced(sue, chat);
  const bad = ['bad_request', 'too_large'];
  for (const text of [7, true, null, [], {}, '', ' \n\u3000', '\u200b\u2060\u202e', undefined]) await sue.refused(bad, 'message.send', { chat, text });
  assert.ok((await sue.refused(bad, 'message.send', { chat })).message.includes('text'), 'the field is named');
  await sue.refused('too_large', 'message.send', { chat, text: 'y'.repeat(4001) });
  await sue.refused('too_large', 'message.send', { chat, text: '字'.repeat(4001) });
  await sue.refused('too_large', 'message.send', { chat, text: '📦'.repeat(4001) });
  for (const c of [7, {}, [], 'c 1', 'c_{*}', 'c_\r\n', '../../etc', 'c_'.padEnd(70, 'x')]) await sue.refused([...bad, 'not_found'], 'message.send', { chat: c, text: 'x' });
  for (const score of [0, 6, -1, 2.5, '5', 1e15, null]) await sue.refused(bad, 'chat.rate', { chat, score });
  for (const solved of ['yes', 1, null]) await sue.refused(bad, 'chat.confirm', { chat, solved });
  for (const seq of [-1, 1.5, '3', 1e18]) await sue.refused(bad, 'read', { chat, seq });
  for (const after of [-1, 'a', 0.5]) await sue.refused(bad, 'sync', { chat, after });
  await sue.refused(bad, 'hello', { resume: Array.from({ length: 51 }, (_, i) => ({ chat: `c_${i}`, seq: 0 })) });
  await sue.refused(bad, 'hello', { resume: [{ chat }] });
  await sue.refused(bad, 'hello', { resume: [7] });
  await sue.refused(bad, 'hello', { name: 'n'.repeat(101) });
  for (const f of [{ to: 7, card: {} }, { to: ann.me, card: [] }, { to: ann.me, card: { verified: 'order' } }, { to: ann.me, card: { verified: Array(21).fill('x') } }, { to: ann.me, card: { summary: 7 } }, { card: {} }, { to: ann.me }]) await ann.refused(bad, 'chat.transfer', { chat, ...f });
  await ann.refused(bad, 'shift.start', { capacity: 0 });
  await ann.refused(bad, 'shift.start', { capacity: 'many' });
  await ann.refused(bad, 'chat.tag', { chat });
  await ann.refused(bad, 'chat.tag', { chat, add: Array(21).fill('t') });
  await ann.refused(bad, 'chat.tag', { chat, add: ['t'.repeat(51)] });
  await ann.refused(bad, 'note.add', { chat, text: 'x', mentions: 'r_1' });
  const until = Date.now() + 3_600_000;
  for (const blank of [' ', '\u3000\n', '\u200b'])
    for (const [t, f] of [
      ['chat.refer', { who: blank, how: 'by phone' }], ['chat.refer', { who: 'the workshop', how: blank }], ['chat.park', { promise: blank, until }], ['promise.add', { text: blank, until }],
      ['chat.triage', { department: ann.department, reason: blank }], ['chat.tag', { add: [blank] }], ['chat.verify', { checks: [blank] }],
    ]) await ann.refused('bad_request', t, { chat, ...f });
  assert.deepEqual(await fenced(sue, chat), before, 'nothing was written');
});

test('texts at the limit, of every kind, arrive as they were sent', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const texts = [
    'y'.repeat(4000),
    '字'.repeat(4000),
    '📦'.repeat(4000),
    '"\\/\b\f\n\r\t\u0001\u001f\u007f\u0080',
    '<script>alert(1)</script> & \'quotes\' "double" ]]> --> {{x}} ${y} %s %n',
    '\u202eright to left\u202c \u200bzero width \ufeff bom \u2028 line',
    '=cmd|\' /C calc\'!A0',
    '退款🙂éà👩‍👩‍👧‍👦 ',
    '\ud83d\ude00\u0301',
    '{"t":"ok","re":"x"}',
    ' leading and trailing ',
  ];
  for (const text of texts) {
    await sue.say(text, { chat });
    assert.equal((await ann.event('message', { chat })).text, text);
    await ann.say(text, { chat });
    assert.equal((await sue.event('message', { chat, text })).text, text);
  }
});

test('commands of the other role are forbidden', async () => {
  const { ann, sue, chat } = await servedChat(server);
  for (const [t, f] of [
    ['chat.claim', { chat }],
    ['offer.accept', { chat }],
    ['note.add', { chat, text: 'x' }],
    ['whisper', { chat, text: 'x' }],
    ['shift.start', {}],
    ['chat.resolve', { chat, resolution: 'answered', summary: 'x' }],
    ['chat.transfer', { chat, to: ann.me, card: {} }],
    ['chat.reassign', { chat, to: ann.me, reason: 'x' }],
    ['kb.suggest', { text: 'x' }],
    ['chat.open', { chat }],
  ])
    await sue.refused('forbidden', t, f);
  for (const [t, f] of [
    ['chat.start', { text: 'x' }],
    ['chat.confirm', { chat, solved: true }],
    ['chat.rate', { chat, score: 5 }],
    ['chat.leave', { chat }],
    ['message.leave', { text: 'x', contact: 'y' }],
    ['history', {}],
  ])
    await ann.refused('forbidden', t, f);
  for (const [t, f] of [
    ['chat.reassign', { chat, to: ann.me, reason: 'x' }],
    ['chat.join', { chat }],
    ['board.watch', { on: true }],
    ['alert.act', { alert: 'a_1', action: 'explain' }],
  ])
    await ann.refused('forbidden', t, f);
  const who = await server.account({ role: 'qa', department: ann.department });
  const qa = await rep(server, who, { shift: false });
  await qa.refused('forbidden', 'message.send', { chat, text: 'a QA manager never writes into a chat' });
  await qa.refused('forbidden', 'chat.claim', { chat });
  await qa.refused('forbidden', 'shift.start', {});
});

test('commands in the wrong state are refused with the state, and change nothing', async () => {
  const [who] = await staff(server, 1);
  const { sue, chat } = await arrival(server, who.department);
  const ann = await rep(server, who, { shift: false });
  await sue.refused('conflict', 'chat.confirm', { chat, solved: true });
  await sue.refused('conflict', 'chat.rate', { chat, score: 5 });
  await ann.refused('conflict', 'offer.accept', { chat });
  await ann.refused('conflict', 'offer.decline', { chat });
  await ann.refused('not_handler', 'chat.resolve', { chat, resolution: 'answered', summary: 'x' });
  await ann.refused('not_handler', 'chat.unpark', { chat });
  await ann.done('shift.start', { capacity: 5 });
  await ann.expect('offer', { chat });
  await ann.done('offer.accept', { chat });
  const m = await ann.refused('conflict', 'offer.accept', { chat });
  assert.equal(m.state, 'assigned');
  await ann.refused('conflict', 'chat.unpark', { chat });
  await ann.refused('conflict', 'chat.claim', { chat });
  await ann.say('It is on its way.', { chat });
  assert.equal((await sue.refused('conflict', 'chat.confirm', { chat, solved: true })).state, 'active');
  const before = await fenced(ann, chat);
  await ann.refused(['conflict', 'forbidden'], 'chat.take_back', { chat });
  assert.deepEqual(await fenced(ann, chat), before);
});

test('another’s chat is not found, whatever one asks of it, and an unknown one sounds the same', async () => {
  const { sue, chat } = await servedChat(server);
  const [stranger] = await team(server, 1);
  const before = await fenced(sue, chat);
  const eve = await shopper(server);
  for (const c of [chat, 'c_AAAAAAAAAAAAAAAAAAAA']) {
    const said = [];
    for (const [t, f] of [
      ['message.send', { text: 'intruder' }],
      ['chat.confirm', { solved: true }],
      ['chat.rate', { score: 1 }],
      ['chat.leave', {}],
      ['sync', { after: 0 }],
    ])
      said.push((await eve.refused('not_found', t, { chat: c, ...f })).message);
    for (const [t, f] of [
      ['message.send', { text: 'intruder' }],
      ['note.add', { text: 'intruder' }],
      ['chat.claim', {}],
      ['chat.open', {}],
      ['chat.resolve', { resolution: 'answered', summary: 'x' }],
      ['offer.accept', {}],
      ['sync', { after: 0 }],
    ])
      said.push((await stranger.refused('not_found', t, { chat: c, ...f })).message);
    assert.ok(said.every((s) => !s.includes('general')), 'nothing about the chat');
  }
  eve.send('typing', { chat, on: true });
  eve.send('read', { chat, seq: 3 });
  await eve.settle();
  assert.deepEqual(await fenced(sue, chat), before, 'nothing was written');
  assert.ok(!JSON.stringify(sue.seen).includes('intruder'));
  assert.ok(!sue.seen.some((m) => m.t === 'typing'), 'nor shown as typing');
});

test('rule 2.12: another’s chat is not resumed by a hello either, and nothing of it is shown', async () => {
  const { sue, chat } = await servedChat(server);
  const [w] = await staff(server, 1);
  const resume = [{ chat, seq: 0 }, { chat: 'c_AAAAAAAAAAAAAAAAAAAA', seq: 0 }];
  for (const c of [await again(await shopper(server), { resume }), await rep(server, w, { resume, shift: false })]) {
    assert.deepEqual(c.welcome.chats, resume.map((r) => ({ chat: r.chat, error: 'not_found' })));
    await sue.say('For Ann alone.');
    await c.settle();
    assert.deepEqual(c.seen.filter((m) => m.t === 'event'), []);
  }
});

test('before hello only ping and hello are heard', async () => {
  const c = await Client.open(server, '/ws/shopper', { origin: server.origin });
  await c.done('ping');
  await c.refused('bad_request', 'chat.start', { text: 'too early' });
  await c.refused('bad_request', 'message.send', { text: 'too early' });
  c.me = (await c.done('hello', { locale: 'en' })).shopper.id;
  await c.done('chat.start', { text: 'now it is time', department: server.newDepartment() });
});

test('a storm of bad frames on one connection harms no other', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const eve = await shopper(server);
  const raws = Object.values(MALFORMED);
  for (let i = 0; i < 400; i++) eve.raw(raws[i % raws.length]);
  const began = performance.now();
  await sue.say('in the storm', { chat });
  await ann.event('message', { text: 'in the storm' });
  assert.ok(performance.now() - began < 3000, 'and it is fast');
  await eve.settle().catch(() => assert.equal(eve.closed.code, 1008, 'an unruly one may be sent away, for policy'));
});
