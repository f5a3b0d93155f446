// Reconnecting, catching up, and asking for what is missing. Each client checks by itself that its frames make a chain (lib/client.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { again, rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, servedChatWithColleague } from './lib/desk.mjs';
import { Server } from './lib/server.mjs';
import { random, until } from './lib/wait.mjs';

let server;
let quinn;

before(async () => {
  server = await new Server().start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

test('a shopper who was away gets what was missed, in order, before anything newer', async () => {
  const { ann, sue, chat } = await servedChat(server);
  await sue.say('before');
  const last = await sue.say('the last I saw');
  await ann.event('message', { text: 'the last I saw' });
  await sue.close();
  const texts = range(0, 39).map((i) => `missed ${i}`);
  for (const [i, text] of texts.entries()) {
    await ann.say(text, { chat });
    if (i % 5 === 0) await ann.done('note.add', { chat, text: 'hidden' });
  }
  const back = await again(sue, { resume: [{ chat, seq: last.seq }] });
  assert.deepEqual(back.welcome.chats.map((c) => c.chat), [chat]);
  assert.equal(back.seen[0].t, 'welcome', 'the welcome comes first');
  await ann.say('news', { chat });
  await back.event('message', { text: 'news' });
  assert.deepEqual(back.entries(chat, 'message').map((e) => e.text), [...texts, 'news']);
  assert.equal(back.entries(chat)[0].prev, last.seq);
});

test('a rep resumes several chats at once, and is told which are unknown', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const two = await servedChat(server, { ann });
  const heads = [ann.head(chat), ann.head(two.chat)];
  ann.drop();
  await sue.say('to one');
  await two.sue.say('to two');
  const back = await rep(server, ann.who, {
    shift: false,
    resume: [
      { chat, seq: heads[0] },
      { chat: two.chat, seq: heads[1] },
      { chat: 'c_nosuchchat', seq: 7 },
    ],
  });
  assert.equal(back.welcome.chats.find((c) => c.chat === 'c_nosuchchat').error, 'not_found');
  await back.event('message', { chat, text: 'to one' });
  await back.event('message', { chat: two.chat, text: 'to two' });
  for (const [c, h] of [[chat, heads[0]], [two.chat, heads[1]]])
    assert.deepEqual(back.entries(c).map((e) => e.seq), range(h + 1, back.head(c)));
});

test('a claim above the head is cut to the head, and live entries follow', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const head = sue.head(chat);
  const back = await again(sue, { resume: [{ chat, seq: 1_000_000_000 }] });
  const named = back.welcome.chats.find((c) => c.chat === chat);
  assert.ok(named.seq <= ann.head(chat));
  await ann.say('after the claim', { chat });
  const e = await back.event('message', { text: 'after the claim' });
  assert.ok(e.seq > head);
});

test('another’s chat can’t be resumed or synced, nor can one be told that it exists', async () => {
  const { chat } = await servedChat(server);
  const eve = await shopper(server, { resume: [{ chat, seq: 0 }] });
  assert.deepEqual(eve.welcome.chats.map((c) => [c.chat, c.error, c.seq]), [[chat, 'not_found', undefined]]);
  const unknown = await eve.refused('not_found', 'sync', { chat: 'c_nosuchchat', after: 0 });
  const others = await eve.refused('not_found', 'sync', { chat, after: 0 });
  assert.equal(others.message.replaceAll(chat, ''), unknown.message.replaceAll('c_nosuchchat', ''));
  await eve.settle();
  assert.equal(eve.entries(chat).length, 0);
});

test('sync gives the entries after a seq and then ok with the head', async () => {
  const { ann, sue, chat } = await servedChat(server);
  for (let i = 0; i < 30; i++) await (i % 2 ? sue.say(`s${i}`, { chat }) : ann.say(`a${i}`, { chat }));
  await ann.done('note.add', { chat, text: 'hidden' });
  for (const c of [ann, sue]) {
    for (const after of [0, 7, c.head(chat) - 1, c.head(chat)]) {
      await c.settle();
      const from = c.seen.length;
      const ok = await c.done('sync', { chat, after });
      const got = c.seen.slice(from).filter((m) => m.t === 'event' && m.chat === chat);
      assert.equal(ok.seq >= ann.head(chat) - 1, true, `the head: ${ok.seq}`);
      assert.ok(c.seen.indexOf(ok) > c.seen.indexOf(got.at(-1)), 'ok comes last');
      if (c === ann) assert.deepEqual(got.map((e) => e.seq), range(after + 1, ok.seq), `after ${after}`);
      else {
        for (let i = 1; i < got.length; i++) assert.equal(got[i].prev, got[i - 1].seq);
        if (after === 0) assert.deepEqual(got.filter((e) => e.kind === 'message').length, 32, 'every message');
      }
    }
  }
});

test('the answer to sync is complete also while others write', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const writing = (async () => {
    for (let i = 0; i < 150; i++) await sue.say(`w${i}`, { chat });
  })();
  const watcher = await rep(server, ann.who, { shift: false });
  for (let i = 0; i < 20; i++) {
    const from = watcher.seen.length;
    const ok = await watcher.done(i % 2 ? 'sync' : 'chat.open', { chat, after: 0 });
    const upTo = watcher.seen.indexOf(ok);
    const seqs = new Set(watcher.seen.slice(from, upTo).filter((m) => m.t === 'event').map((e) => e.seq));
    for (const n of range(1, ok.seq)) assert.ok(seqs.has(n), `seq ${n} is missing before the ok for ${ok.seq}`);
  }
  await writing;
});

test('under traffic, with connections cut at random on both sides, nobody misses or sees anything twice', async () => {
  const seed = Number(process.env.FIRSTLINE_SEED ?? Date.now() % 1e9);
  const r = random(seed);
  const { ann, sue, chat } = await servedChat(server);
  const total = 250;
  const shown = { sue: [], ann: [] };

  /** Writes `total` texts, repeating what got no ok under the same id; cut at random and resumed from the cursor. */
  async function life(name, first, reconnect) {
    let c = first;
    let head = c.head(chat);
    const keep = () => {
      for (const e of c.entries(chat)) if (e.seq > head || !shown[name].includes(e)) shown[name].push(e);
      head = Math.max(head, c.head(chat));
    };
    for (let i = 0; i < total; i++) {
      const text = `${name} ${i}`;
      for (;;) {
        const answer = c.ask('message.send', { chat, text, id: `${name}-${i}` }, 8000).catch(() => null);
        if (r.next() < 0.08) c.drop();
        const m = await answer;
        if (m?.t === 'ok') break;
        assert.ok(!m || m.code === 'unavailable', JSON.stringify(m));
        keep();
        c.drop();
        await c.gone;
        c = await reconnect(head);
      }
    }
    return () => {
      keep();
      return c;
    };
  }
  const [s, a] = await Promise.all([
    life('sue', sue, (seq) => again(sue, { resume: [{ chat, seq }] })),
    life('ann', ann, (seq) => rep(server, ann.who, { shift: false, resume: [{ chat, seq }] })),
  ]).catch((e) => {
    e.message += ` (seed ${seed})`;
    throw e;
  });
  await a().say('the end', { chat });
  await s().event('message', { text: 'the end' });
  await s().say('the very end', { chat });
  await a().event('message', { text: 'the very end' });
  s();
  a();
  const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.text === 'the very end'));
  const messages = t.events.filter((e) => e.kind === 'message');
  for (const name of ['sue', 'ann'])
    assert.deepEqual(messages.map((e) => e.text).filter((x) => x.startsWith(`${name} `)), range(0, total - 1).map((i) => `${name} ${i}`), `all that ${name} wrote, once and in order (seed ${seed})`);
  for (const [name, other] of [['sue', 'ann '], ['ann', 'sue ']]) {
    const got = shown[name].filter((e) => e.text?.startsWith(other));
    const unique = new Map(got.map((e) => [e.seq, e.text]));
    assert.deepEqual([...unique.values()], range(0, total - 1).map((i) => `${other}${i}`), `all that ${name} was shown of the other (seed ${seed})`);
  }
});

test('a long log is resumed whole, whatever part of it is in memory', async () => {
  const { ann, sue, chat } = await servedChat(server);
  const answers = await Promise.all(range(0, 799).map((i) => sue.ask('message.send', { chat, text: `long ${i}` }, 20_000)));
  assert.deepEqual(answers.filter((m) => m.t !== 'ok').slice(0, 1), []);
  await until(() => ann.entries(chat, 'message').length >= 800, 'the rep has them all', 15_000);
  const back = await again(sue, { resume: [{ chat, seq: 0 }] });
  await until(() => back.head(chat) >= answers.at(-1).seq, 'all came again', 15_000);
  assert.deepEqual(back.entries(chat, 'message').filter((e) => e.text.startsWith('long')).map((e) => e.text), range(0, 799).map((i) => `long ${i}`));
  const open = await rep(server, ann.who, { shift: false });
  const ok = await open.done('chat.open', { chat, after: 5 }, 20_000);
  assert.deepEqual(open.entries(chat).map((e) => e.seq), range(6, ok.seq));
});

test('a slow reader gets everything in the end and slows nobody', async () => {
  const { ann, sue, chat, bob } = await servedChatWithColleague(server);
  await bob.done('chat.open', { chat });
  bob.ws.pause();
  const text = 'x'.repeat(3000);
  for (let i = 0; i < 10; i++) await Promise.all(range(0, 59).map((k) => sue.ask('message.send', { chat, text: `${i}-${k} ${text}` }, 20_000)));
  await ann.say('all here', { chat });
  bob.ws.resume();
  await bob.event('message', { chat, text: 'all here' }, 20_000);
  assert.deepEqual(bob.entries(chat).map((e) => e.seq), range(1, bob.head(chat)));
});

test('an open chat is found again without resume, by the token alone', async () => {
  const { sue, chat } = await servedChat(server);
  sue.drop();
  const back = await again(sue);
  assert.deepEqual([back.welcome.chat, back.me], [chat, sue.me]);
  const stranger = await shopper(server, { token: 'not-a-token-of-ours' });
  assert.notEqual(stranger.me, sue.me);
  assert.equal(stranger.welcome.chat ?? null, null);
});

test('the epoch is the same for everybody', async () => {
  const { ann, sue } = await servedChat(server);
  const a = await arrival(server, server.newDepartment());
  assert.equal(new Set([ann.welcome.epoch, sue.welcome.epoch, a.sue.welcome.epoch]).size, 1);
});
