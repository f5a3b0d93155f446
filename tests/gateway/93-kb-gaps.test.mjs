// Questions that nobody could answer are listed in groups, with the answer a rep gave; what is answered by now is gone. (Rule 5.4.)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endAndCheck } from './lib/checker.mjs';
import { servedChat, settled, team } from './lib/desk.mjs';
import { Folder, editor } from './lib/kb.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let edna;
let ann;
before(async () => {
  // From .9 on something counts as sure: what the few articles here share with any text doesn't.
  server = await new Server({ set: { 'kb.dir': new Folder().dir, 'kb.threshold_permille': 900 } }).start();
  edna = await editor(server);
  [ann] = await team(server, 1, { capacity: 50 });
});
after(() => endAndCheck(server));

const gaps = async () => (await edna.get('gaps')).json.items;

/** A chat about one question, answered and rated. */
async function asked(text, answer, rating) {
  const { sue, chat } = await servedChat(server, { ann, text });
  await ann.say(answer, { chat });
  if (rating) {
    await settled(sue, ann, chat);
    await sue.done('chat.rate', { score: rating });
  }
  return { sue, chat };
}

test('questions without an answer are grouped, the unhappy ones first, with the answer as draft', async () => {
  assert.deepEqual(await gaps(), []);
  await ann.done('kb.suggest', { text: 'Where is my parcel?' }); // the articles are there: what is asked earlier is looked up when they are
  await asked('Do you rent out wedding marquees for the garden?', 'Yes, marquees can be rented for a weekend, write to events.', 5);
  await asked('Is it possible to rent a wedding marquee?', 'Sorry, I am not sure.', 1);
  await asked('Can I rent wedding marquees from you, please?', 'Ask the events team.', 2);
  await asked('My passport photograph has the wrong biometric size, where do I go?', 'To the photographer next door.');
  const list = await until(async () => {
    const items = await gaps();
    return items.reduce((n, g) => n + g.count, 0) === 4 && items.every((g) => g.draft) ? items : null;
  }, 'all four are listed, with what was answered');
  const marquee = list[0];
  assert.match(marquee.question, /marquee/);
  assert.ok(marquee.count >= 2 && marquee.unhappy >= 1, JSON.stringify(marquee));
  assert.ok(marquee.questions.every((q) => /marquee/.test(q.text)));
  const passport = list.find((g) => /passport/.test(g.question));
  assert.equal(passport.draft, 'I will look into that for you.');
  assert.deepEqual(list.map((g) => g.count + 2 * g.unhappy), list.map((g) => g.count + 2 * g.unhappy).sort((a, b) => b - a));
});

test('the gap closes when an article answers it', async () => {
  const saved = await edna.post('articles', {
    article: 'wedding-marquees', lang: 'en', title: 'Renting a wedding marquee', department: 'general', audience: 'shopper', version: 0, base: '', keywords: ['marquee', 'wedding', 'rent'],
    questions: ['Do you rent out wedding marquees for the garden?', 'Is it possible to rent a wedding marquee?', 'Can I rent wedding marquees from you, please?'], body: 'Marquees can be rented for a weekend.',
  });
  assert.equal(saved.status, 201);
  for (const text of ['Do you rent out wedding marquees for the garden?', 'Is it possible to rent a wedding marquee?', 'Can I rent wedding marquees from you, please?'])
    for (let i = 0; i < 3; i++) await ann.done('kb.feedback', { article: 'wedding-marquees', verdict: 'used', text });
  const left = await gaps();
  assert.deepEqual(left.filter((g) => /marquee/.test(g.question)), []);
  assert.ok(left.some((g) => /passport/.test(g.question)), 'the other one stays');
});

test('a question whose suggestions were all rejected is a gap, and an article that is always rejected is stale', async () => {
  const text = 'Is it possible to rent a wedding marquee?';
  for (let i = 0; i < 3; i++) {
    const { chat } = await servedChat(server, { ann, text });
    const told = await ann.expect('suggest', { chat });
    assert.ok(told.articles.length > 0, 'something is suggested');
    if (i === 0) assert.deepEqual((await gaps()).filter((g) => /marquee/.test(g.question)), [], 'not a gap before it is rejected');
    for (const a of told.articles) await ann.done('kb.feedback', { article: a.id, verdict: 'rejected', chat });
    for (let n = 0; n < 2; n++) await ann.done('kb.feedback', { article: 'wedding-marquees', verdict: 'used', text });
  }
  const gap = await until(async () => (await gaps()).find((g) => /marquee/.test(g.question)), 'it is listed');
  assert.ok(gap.questions.every((q) => q.rejected));
  const stale = await until(async () => (await edna.get('gaps/stale')).json.items.find((x) => x.article === 'wedding-marquees' && x.shown === 3), 'the article is stale');
  assert.deepEqual([stale.shown, stale.rejected], [3, 3]);
});
