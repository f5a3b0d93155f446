// Limits: what is too much is refused with a reason and a time to try again, and others go on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { Client, Refused, again, rep, shopper } from './lib/client.mjs';
import { auditor, servedChat } from './lib/desk.mjs';
import { PASSWORD, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;

before(async () => {
  server = await new Server({
    free: false,
    set: { 'limits.messages_per_s': 5, 'limits.burst': 20, 'limits.chats_per_address_h': 6, 'limits.hellos_per_s': 10, 'limits.text_chars': 100, 'limits.frame_bytes': 8192, 'auth.attempts_per_min': 5 },
  }).start();
});
after(() => endAndCheck(server));

test('more messages than allowed are refused with the time to wait, and what was refused can be sent then', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => sue.ask('message.send', { chat, text: `flood ${i}`, id: `flood-${i}` })));
  const no = answers.filter((m) => m.t === 'error');
  assert.ok(no.length >= 10, `${no.length} of 40 are refused`);
  for (const m of no) {
    assert.equal(m.code, 'rate_limited');
    assert.ok(m.retry_ms > 0 && m.retry_ms < 60_000, `retry_ms ${m.retry_ms}`);
  }
  assert.ok(answers.length - no.length >= 15, 'a burst is allowed');
  await ann.say('I read along.', { chat });
  await sue.event('message', { text: 'I read along.' });
  const { re } = no[0];
  const ok = await until(async () => {
    const m = await sue.ask('message.send', { chat, text: sue.sent.get(re).text, id: re });
    return m.t === 'ok' ? m : null;
  }, 'the refused one is sent', 10_000, 300);
  assert.ok(ok.seq);
});

test('what costs more than may come at once comes alone, and is not refused for ever', async () => {
  const s = await new Server({ free: false, set: { 'limits.messages_per_s': 20, 'limits.burst': 1 } }).start();
  const ann = await rep(s, await s.account(), { shift: false });
  const answer = await until(async () => {
    const m = await ann.ask('kb.suggest', { text: 'When does my refund come?' });
    return m.t === 'ok' ? m : null;
  }, 'articles', 5000, 150);
  assert.ok(answer.articles);
  await endAndCheck(s);
});

test('the limits of a text and of a frame are settings', async () => {
  const sue = await shopper(server);
  await sue.refused('too_large', 'message.send', { text: 'y'.repeat(101) });
  sue.raw(`{"t":"${'z'.repeat(9000)}"}`);
  assert.equal((await sue.gone).code, 1009);
});

test('a text that the settings allow and a chat can’t hold is too large, and nothing waits behind it', async () => {
  const s = await new Server({ set: { 'limits.text_chars': 100000, 'limits.frame_bytes': 1048576, 'limits.outbox_bytes': 4194304 } }).start();
  const text = '客'.repeat(100000);
  const { ann, sue, chat } = await servedChat(s);
  await sue.refused('too_large', 'message.send', { chat, text });
  await ann.refused('too_large', 'note.add', { chat, text });
  await sue.say('Shorter, then.', { chat });
  await ann.event('message', { chat, text: 'Shorter, then.' });
  const joe = await shopper(s);
  await joe.refused('too_large', 'chat.start', { text, department: ann.department });
  await joe.done('chat.start', { text: 'Shorter, then.', department: ann.department });
  await endAndCheck(s);
});

test('one address may start so many anonymous chats an hour, and is told', async () => {
  let refused;
  let first;
  for (let i = 0; i < 8 && !refused; i++) {
    const s = await shopper(server);
    const m = await s.ask('chat.start', { text: `start ${i}`, id: `start-${i}` });
    if (m.t === 'error') refused = m;
    else first ??= { s, chat: m.chat, sent: s.sent.get(m.re) };
  }
  const repeated = await (await again(first.s)).done('chat.start', first.sent);
  assert.equal(repeated.chat, first.chat, 'a repeat is no further one');
  assert.equal(refused?.code, 'rate_limited');
  assert.ok(refused.retry_ms > 0);
});

test('the addresses of one IPv6 network count as one, for chats and for passwords', async () => {
  const s = await new Server({ set: { 'limits.chats_per_address_h': 1, 'auth.attempts_per_min': 1, 'http.trusted_proxies': '127.0.0.1' } }).start();
  const start = async (from) => (await shopper(s, {}, { headers: { 'x-forwarded-for': from } })).ask('chat.start', { text: 'Hello?' });
  const guess = (from) => s.api('POST', '/api/v1/session', { body: { login, password: 'a wrong one' }, headers: { 'x-firstline': '1', 'x-forwarded-for': from } });
  const login = await s.person();
  for (const [from, ok] of [['2001:db8:0:1::1', true], ['2001:db8:0:1::2', false], ['2001:db8:0:2::1', true], ['198.51.100.7', true], ['::ffff:198.51.100.7', false], ['::ffff:198.51.100.8', true]]) {
    assert.equal((await start(from)).code, ok ? undefined : 'rate_limited', from);
    assert.equal((await guess(from)).status, ok ? 401 : 429, from);
  }
  await endAndCheck(s);
});

test('one address may leave so many messages and call-backs an hour, chats apart, and is told', async () => {
  const sue = await shopper(server);
  const leave = (i) => [i % 2 ? 'callback.ask' : 'message.leave', { ...(i % 2 ? {} : { text: 'Write to me.' }), contact: 'sue@example.org', id: `left-${i}` }];
  const { task } = await sue.done(...leave(0));
  for (let i = 1; i < 6; i++) await sue.done(...leave(i));
  for (const i of [6, 7]) assert.ok((await sue.refused('rate_limited', ...leave(i))).retry_ms > 0);
  assert.equal((await sue.done(...leave(0))).task, task, 'a repeat is no further one');
});

test('more connections at once than allowed get 503 with Retry-After', async () => {
  const opened = await Promise.allSettled(Array.from({ length: 120 }, () => Client.open(server, '/ws/shopper', { origin: server.origin })));
  const no = opened.filter((o) => o.status === 'rejected').map((o) => o.reason);
  assert.ok(no.length > 0, 'some are refused');
  for (const e of no) {
    assert.ok(e instanceof Refused, e.message);
    assert.equal(e.status, 503);
    assert.ok(Number(e.headers['retry-after']) >= 1);
  }
  assert.ok(opened.length - no.length >= 10, 'some come in');
  for (const o of opened) o.value?.drop();
});

test('guessing passwords is slowed and told, and the right one works again later', async () => {
  const quinn = await auditor(server);
  const login = (password) => server.api('POST', '/api/v1/session', { body: { login: quinn.login, password }, headers: { 'x-firstline': '1' } });
  const seen = new Set();
  for (let i = 0; i < 12; i++) seen.add((await login(`wrong ${i}`)).status);
  assert.ok(seen.has(401) && seen.has(429), `${[...seen]}`);
  const told = await login('wrong again');
  assert.equal(told.status, 429);
  assert.ok(Number(told.headers['retry-after']) >= 1);
  const t = await server.api('GET', '/api/v1/transcripts', { token: quinn.token });
  assert.equal(t.status, 200, 'the owner’s token is not locked out');
});

test('of many guesses at once no more are judged than one after the other, and the rest is told when to come again', async () => {
  const s = await new Server({ set: { 'auth.attempts_per_min': 5 } }).start();
  const login = await s.person();
  const guess = async (password) => {
    const r = await s.api('POST', '/api/v1/session', { body: { login, password }, headers: { 'x-firstline': '1' } });
    if (r.status !== 401 && r.status !== 200) assert.ok(Number(r.headers['retry-after']) >= 1, `${r.status} with Retry-After`);
    return r.status;
  };
  for (let i = 0; i < 8; i++) assert.equal(await guess(PASSWORD), 200, 'the right one is no guess');
  const judged = [];
  for (let k = 0; k < 3; k++) judged.push(...(await Promise.all(Array.from({ length: 40 }, (_, i) => guess(`wrong ${k} ${i}`)))).filter((n) => n === 401));
  assert.ok(judged.length >= 1 && judged.length <= 5, `${judged.length} of 120 are judged`);
  await until(async () => (await guess('wrong again')) === 429, 'then they are slowed', 10_000, 50);
  await endAndCheck(s);
});
