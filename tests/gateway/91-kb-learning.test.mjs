// What reps make of suggestions is learned at once, by every node, kept over a crash, and can be taken back. (Rule 5.3.)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { newId, rep } from './lib/client.mjs';
import { servedChat, staff, team } from './lib/desk.mjs';
import { Folder, editor, ranked } from './lib/kb.mjs';
import { Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

// Words that none of the articles has: only learning can lead from them to one.
const QUESTION = 'zorblat frimwock quaddle';
const first = async (r, text = QUESTION) => (await ranked(r, text))[0]?.id;

let folder;
let redis;
let one;
let two;
before(async () => {
  folder = new Folder();
  redis = await new Redis().start();
  one = await new Server({ redis: redis.url, set: { 'server.node': 'one', 'kb.dir': folder.dir } }).start();
  two = await new Server({ redis: redis.url, set: { 'server.node': 'two', 'kb.dir': folder.dir } }).start();
  one.holdsArchive = true;
});
after(() => endAndCheck(two, one));

test('an accepted article comes first the next time, in a new chat, once ok has come', async () => {
  const [ann] = await team(one, 1);
  assert.notEqual(await first(ann), 'lamp-bulbs');
  const { chat } = await servedChat(one, { ann, text: QUESTION });
  const id = newId();
  await ann.done('kb.feedback', { article: 'lamp-bulbs', verdict: 'used', chat, id });
  assert.equal(await first(ann), 'lamp-bulbs');
  const next = await servedChat(one, { ann, text: QUESTION });
  assert.equal((await ann.expect('suggest', { chat: next.chat })).articles[0].id, 'lamp-bulbs');
  await ann.done('kb.feedback', { article: 'lamp-bulbs', verdict: 'used', chat, id });
  await ann.refused('conflict', 'kb.feedback', { article: 'gift-wrapping', verdict: 'used', chat, id });
  await ann.refused('not_found', 'kb.feedback', { article: 'there-is-none', verdict: 'used', chat });
  const e = await editor(one);
  const taught = (await e.get('taught?article=lamp-bulbs')).json.items;
  assert.equal(taught.length, 1, 'the same id taught once');
  assert.deepEqual([taught[0].by.id, taught[0].question, taught[0].verdict, taught[0].chat], [ann.me, QUESTION, 'used', chat]);
});

test('every node learns it, and what one of them missed while it was away', async () => {
  const who = await staff(one, 1);
  const ann = await rep(one, who[0]);
  const bob = await rep(two, (await staff(two, 1))[0]);
  await ann.done('kb.feedback', { article: 'gift-wrapping', verdict: 'used', text: 'glimmerfax ploon' });
  await until(async () => (await first(bob, 'glimmerfax ploon')) === 'gift-wrapping', 'the other node has learned it');
  await bob.close();
  await two.kill();
  await ann.done('kb.feedback', { article: 'opening-hours', verdict: 'used', text: 'wabbleton crisp' });
  await two.start();
  const back = await rep(two, bob.who, { shift: false });
  await until(async () => (await first(back, 'wabbleton crisp')) === 'opening-hours', 'what it missed is learned at the start');
  const [a, b] = await Promise.all([ann, back].map((r) => ranked(r, 'wabbleton crisp glimmerfax')));
  assert.deepEqual(a.map((x) => x.id), b.map((x) => x.id));
});

test('what can’t be kept beside the other tables now is learned when it can', async () => {
  const sql = (text) => execFileSync('python3', ['-c', 'import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], timeout=10)\nc.execute(sys.argv[2])\nc.commit()', join(one.data, 'kb.sqlite'), text]);
  const [ann] = await team(one, 1);
  sql("create trigger full before insert on mark begin select raise(fail, 'as if the disk were full'); end");
  await ann.done('kb.feedback', { article: 'goodwill', verdict: 'used', text: 'brindlewock sarn' });
  await until(() => /as if the disk were full/.test(one.tail(20_000)), 'it can’t be kept');
  sql('drop trigger full');
  await until(async () => (await first(ann, 'brindlewock sarn')) === 'goodwill', 'it is learned');
});

test('the editor takes back what somebody taught: as before, on every node, and said who did it', async () => {
  const ann = await rep(one, (await staff(one, 1))[0]);
  const bob = await rep(two, (await staff(two, 1))[0]);
  const e = await editor(one);
  const before = await ranked(ann, 'snorkel banjo');
  await ann.done('kb.feedback', { article: 'goodwill', verdict: 'edited', text: 'snorkel banjo' });
  assert.equal(await first(ann, 'snorkel banjo'), 'goodwill');
  await until(async () => (await first(bob, 'snorkel banjo')) === 'goodwill', 'both nodes know it');
  const [taught] = (await e.get('taught?article=goodwill')).json.items;
  assert.equal((await e.post(`taught/${taught.id}/undo`)).status, 200);
  assert.deepEqual((await ranked(ann, 'snorkel banjo')).map((x) => x.id), before.map((x) => x.id));
  await until(async () => (await first(bob, 'snorkel banjo')) !== 'goodwill', 'and both have unlearned it');
  const [undone] = (await e.get('taught?article=goodwill')).json.items;
  assert.equal(undone.undone.by.id, (await one.api('GET', '/api/v1/session', { token: e.token })).json.person.id);
  assert.equal((await e.post(`taught/${taught.id}/undo`)).status, 200, 'twice is once');
  assert.equal((await e.post('taught/kb_200001-1/undo')).status, 404);
});

test('a rejection is kept with its question, and counted', async () => {
  const ann = await rep(one, (await staff(one, 1))[0]);
  const e = await editor(one);
  const figures = async () => (await e.get('taught/figures')).json.items.find((x) => x.article === 'opening-hours');
  const before = await figures();
  await ann.done('kb.feedback', { article: 'opening-hours', verdict: 'rejected', text: 'where do I park my unicycle' });
  const [kept] = (await e.get('taught?article=opening-hours')).json.items;
  assert.deepEqual([kept.by.id, kept.verdict, kept.question], [ann.me, 'rejected', 'where do I park my unicycle']);
  assert.ok(Math.abs(kept.at - Date.now()) < 60_000);
  assert.equal((await figures()).rejected, before.rejected + 1);
});

test('only editors see what was taught and may take it back', async () => {
  const ann = await one.account();
  const quinn = await one.account({ role: 'qa' });
  for (const { token } of [ann, quinn]) {
    assert.equal((await one.api('GET', '/api/v1/taught', { token })).status, 403);
    assert.equal((await one.api('POST', '/api/v1/taught/kb_202601-1/undo', { token, body: {} })).status, 403);
  }
  const d = await editor(one, { role: 'director' });
  const page = (await d.get('taught?limit=2')).json;
  assert.equal(page.items.length, 2);
  const rest = (await d.get(`taught?limit=200&cursor=${page.next}`)).json.items;
  assert.ok(rest.length > 0 && !rest.some((x) => page.items.some((y) => y.id === x.id)));
});

test('no accepted accept is lost when the gateway is killed at once', async () => {
  const server = await new Server({ set: { 'kb.dir': folder.dir } }).start();
  try {
    const [who] = await staff(server, 1);
    const words = ['brindlecat', 'mopsticker', 'fizzwhistle', 'hobnockle', 'drumblepot'];
    for (const word of words) {
      const ann = await rep(server, who, { shift: false });
      await ann.done('kb.feedback', { article: 'lamp-bulbs', verdict: 'used', text: `${word} ${word}ish` });
      await server.kill();
      await server.start();
    }
    const ann = await rep(server, who, { shift: false });
    for (const word of words) await until(async () => (await first(ann, `${word} ${word}ish`)) === 'lamp-bulbs', `${word} is known`);
    const e = await editor(server);
    assert.equal((await e.get('taught')).json.items.length, words.length, 'each once');
  } finally {
    await endAndCheck(server);
  }
});
