// Suggestions as people see them: who is told, when, of what. (Rule 5.2.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { shim } from '../faults/lib/os.mjs';
import { ask } from '../faults/lib/redis.mjs';
import { endAndCheck } from './lib/checker.mjs';
import { rep, shopper } from './lib/client.mjs';
import { arrival, auditor, servedChat, staff, team } from './lib/desk.mjs';
import { BOOKS, Folder, article, editor } from './lib/kb.mjs';
import { Redis, Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const day = (ms) => new Date(Date.now() + ms).toISOString().slice(0, 10);
const DAY = 86_400_000;
let server;
let quinn;

before(async () => {
  const folder = new Folder({
    ...BOOKS,
    'en/summer-sale.md': article('summer-sale', { title: 'Summer sale of garden furniture', body: 'It is over.', valid_until: day(-2 * DAY), questions: ['is there a summer sale of garden furniture'] }),
    'en/winter-sale.md': article('winter-sale', { title: 'Winter sale of blankets', body: 'It begins soon.', valid_from: day(3 * DAY), questions: ['is there a winter sale of blankets'] }),
    'zh-CN/gift-wrapping.md': article('gift-wrapping', { lang: 'zh-CN', title: '礼品包装和贺卡', body: '我们免费包装礼品，并附上贺卡。', questions: ['可以包装成礼物吗', '能不能放一张贺卡'] }),
    'en/repairs.md': article('repairs', { title: 'Repair of a broken armchair', department: 'd40', body: 'The workshop repairs it within two weeks.', questions: ['can you repair my broken armchair'] }),
  });
  server = await new Server({ set: { 'kb.dir': folder.dir, 'site.default.preview': true, 'care.first_ms': 700 } }).start();
  quinn = await auditor(server);
});
after(() => endAndCheck(server));

describe('suggestions', { concurrency: 4 }, () => {
  test('the handler is told the best articles when the chat is accepted, and at each question, with confidence', async () => {
    const [ann] = await team(server, 1);
    const { sue, chat } = await arrival(server, ann.department, { text: 'when does the showroom open' });
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
    const first = await ann.expect('suggest', { chat });
    assert.equal(first.articles[0].id, 'opening-hours');
    assert.ok(first.articles[0].confidence >= 0.3 && first.articles[0].confidence <= 1);
    assert.ok(first.articles.length <= 3);
    await ann.say('Let me see.', { chat });
    const asked = await sue.say('which bulb does the lamp take', { chat });
    const second = await ann.expect('suggest', { chat });
    assert.equal(second.articles[0].id, 'lamp-bulbs');
    assert.equal(second.of, asked.seq);
  });

  test('what was shown stands in the chat once a question, hidden from the shopper', async () => {
    const { ann, sue, chat } = await servedChat(server, { text: 'can you wrap it as a gift' });
    const t = await server.transcript(quinn.token, chat, (x) => x.events.some((e) => e.kind === 'suggested'));
    const [shown] = t.events.filter((e) => e.kind === 'suggested');
    assert.equal(shown.articles[0].id, 'gift-wrapping');
    assert.deepEqual(Object.keys(shown.articles[0]).sort(), ['confidence', 'id', 'title']);
    assert.equal(t.events.find((e) => e.seq === shown.of).text, 'can you wrap it as a gift');
    const back = await shopper(server, { token: sue.token, resume: [{ chat, seq: 0 }] });
    await back.event('owned', { chat });
    assert.deepEqual(back.entries(chat, 'suggested'), []);
    await ann.close();
  });

  test('unsent text is looked up once it rests, where the site allows it', async () => {
    const { ann, sue, chat } = await servedChat(server, { text: 'hello there, good day to you' });
    ann.forget();
    for (const preview of ['which', 'which bulb', 'which bulb does the lamp take']) sue.send('typing', { chat, on: true, preview });
    const told = await ann.expect('suggest', { chat, preview: true });
    assert.equal(told.articles[0].id, 'lamp-bulbs');
    await ann.settle();
    assert.equal(ann.inbox.filter((m) => m.t === 'suggest').length, 0, 'only what rested');
    const t = await server.transcript(quinn.token, chat);
    assert.ok(!JSON.stringify(t.events.filter((e) => e.kind === 'suggested')).includes('lamp-bulbs'), 'what was typed is no question');
  });

  test('a newer question is never followed by the answer to an older one', async () => {
    const { ann, sue, chat } = await servedChat(server, { text: 'can you wrap it as a gift' });
    await ann.expect('suggest', { chat });
    const questions = [['lamp-bulbs', 'which bulb does the lamp take'], ['opening-hours', 'when does the showroom open'], ['gift-wrapping', 'may I add a greeting card']];
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(questions.map(([, text]) => sue.say(text, { chat })));
      const last = answers.at(-1).seq;
      const told = [];
      await until(async () => {
        await ann.settle();
        told.push(...ann.inbox.splice(0).filter((m) => m.t === 'suggest'));
        return told.at(-1)?.of === last;
      }, 'the last question is answered');
      for (let i = 1; i < told.length; i++) assert.ok(told[i].of >= told[i - 1].of, `${told[i].of} came behind ${told[i - 1].of}`);
      assert.equal(told.at(-1).articles[0].id, 'gift-wrapping');
    }
  });

  test('validity and language are kept, and every department knows what all know', async () => {
    const [ann] = await team(server, 1);
    const ids = async (text) => (await ann.done('kb.suggest', { text })).articles.map((a) => a.id);
    assert.ok(!(await ids('is there a summer sale of garden furniture')).includes('summer-sale'), 'it is over');
    assert.ok(!(await ids('is there a winter sale of blankets')).includes('winter-sale'), 'it has not begun');
    const zh = (await ann.done('kb.suggest', { text: '可以包装成礼物吗' })).articles[0];
    assert.deepEqual([zh.id, zh.title], ['gift-wrapping', '礼品包装和贺卡']);
    const here = await servedChat(server, { ann, text: 'can you repair my broken armchair' });
    const told = await ann.expect('suggest', { chat: here.chat });
    assert.equal(told.articles[0].id, 'repairs', "another department's article answers it too");
  });

  test('shoppers find what is for shoppers, without confidence: before the chat and while they wait', async () => {
    const sue = await shopper(server);
    const found = (await sue.done('kb.search', { text: 'when does the showroom open' })).articles;
    assert.equal(found[0].id, 'opening-hours');
    assert.ok(!('confidence' in found[0]));
    assert.deepEqual((await sue.done('kb.search', { text: 'may I give a goodwill discount' })).articles.filter((a) => a.id === 'goodwill'), []);
    const { sue: tim, chat } = await arrival(server, server.newDepartment(), { text: 'which bulb does the lamp take' });
    const care = await tim.event('care', { chat, step: 'water' });
    assert.deepEqual(care.articles, [{ id: 'lamp-bulbs', title: 'Which bulbs fit our lamps' }]);
  });

  test('rule 2.12: whoever may know of a chat may ask what fits it, and say what of it was right', async () => {
    const { ann, chat } = await servedChat(server, { text: 'which bulb does the lamp take' });
    const [bob] = await team(server, 1, { department: ann.department, shift: false });
    const [eve] = await team(server, 1, { shift: false });
    assert.equal((await bob.done('kb.suggest', { chat })).articles[0].id, 'lamp-bulbs');
    await bob.done('kb.feedback', { article: 'lamp-bulbs', verdict: 'used', chat });
    await eve.refused('not_found', 'kb.suggest', { chat });
    await eve.refused('not_found', 'kb.feedback', { article: 'lamp-bulbs', verdict: 'used', chat });
  });

  test('a verdict that waits for its turn keeps no message waiting', async () => {
    const { ann, sue, chat } = await servedChat(server, { text: 'which bulb does the lamp take' });
    ann.send('kb.suggest', { chat });
    ann.send('kb.feedback', { article: 'lamp-bulbs', verdict: 'used', chat });
    const said = await ann.say('All our lamps take E27.', { chat });
    assert.ok(said.seq);
    await sue.event('message', { text: 'All our lamps take E27.' });
  });

  test('deflection is counted: one shopper, one word on an article, the latest', async () => {
    const e = await editor(server);
    const sue = await shopper(server);
    const figures = async () => (await e.get('taught/figures')).json.items.find((x) => x.article === 'gift-wrapping') ?? { helped: 0, not_helped: 0 };
    await sue.done('kb.helped', { article: 'gift-wrapping', helped: false });
    await sue.done('kb.helped', { article: 'gift-wrapping', helped: true });
    await (await shopper(server)).done('kb.helped', { article: 'gift-wrapping', helped: false });
    const got = await figures();
    assert.deepEqual([got.helped, got.not_helped], [1, 1]);
    await sue.refused('not_found', 'kb.helped', { article: 'no-such-article', helped: true });
    await sue.refused('not_found', 'kb.helped', { article: 'goodwill', helped: true }); // for staff: that it exists is nothing for shoppers
  });
});

test('rule 3.1: who waits is brought articles also by a node that has never had the chat in memory', async (t_) => {
  const redis = await new Redis().start();
  const set = { 'kb.dir': new Folder({ ...BOOKS }).dir, 'care.first_ms': 2500 };
  const one = await new Server({ redis: redis.url, set }).start();
  const two = await new Server({ redis: redis.url, set }).start();
  t_.after(() => endAndCheck(two));
  const tim = await shopper(two);
  await until(async () => (await tim.done('kb.search', { text: 'which bulb does the lamp take' })).articles.length > 0, 'its articles are loaded');
  const { chat } = await arrival(one, one.newDepartment(), { text: 'which bulb does the lamp take' });
  await one.kill();
  const log = () => ask(redis.socket, 'LRANGE', `fl:{default}:l:${chat}`, '0', '-1');
  await until(async () => (await log()).includes('"step":"water"'), 'the glass of water', 15_000);
  assert.match(await log(), /"step":"water".*"articles":\[\{"id":"lamp-bulbs"/);
});

test('what is asked before the articles are loaded is looked up once they are, and was nothing that no article answers', async (t_) => {
  const shop = await new Server({ set: { 'kb.dir': new Folder({ ...BOOKS }).dir } }).start();
  t_.after(() => endAndCheck(shop));
  const audit = await auditor(shop);
  const [login] = await staff(shop, 1);
  await shop.stop();
  const lock = spawn(shim('lock'), [join(shop.data, 'kb.sqlite'), '120000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((yes) => lock.stdout.once('data', yes));
  let ann, chat;
  try {
    await shop.start();
    await until(() => /articles not loaded/.test(shop.tail(20_000)), 'the load fails', 20_000);
    ann = await rep(shop, login);
    ({ chat } = await arrival(shop, login.department, { text: 'which bulb does the lamp take' }));
    await ann.expect('offer', { chat });
    await ann.done('offer.accept', { chat });
    await ann.settle();
  } finally {
    lock.kill('SIGKILL');
  }
  const told = await ann.expect('suggest', { chat });
  assert.equal(told.articles[0]?.id, 'lamp-bulbs');
  const t = await shop.transcript(audit.token, chat, (x) => x.events.some((e) => e.kind === 'suggested'));
  assert.deepEqual(t.events.filter((e) => e.kind === 'suggested').map((e) => e.articles[0]?.id), ['lamp-bulbs']);
});
