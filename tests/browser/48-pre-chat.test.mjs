// The first screen of a chat while articles that fit come in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, still, troublesOf } from './lib/browser.mjs';
import { Shopper } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const [lang, question] of [['zh-CN', '退款什么时候能到账？'], ['en', 'Hello, how long does a refund take?']]) {
  test(`articles that come while "start" is pressed don't take the press away, in ${lang}`, async (t) => {
    const demo = await startDemo();
    t.after(() => demo.end());
    const mei = await Staff.come(demo.origin, 'mei'); // without anybody on shift there is no start
    t.after(() => mei.leave());
    const shopper = await Shopper.come(browser, demo.origin, { lang });
    t.after(() => shopper.page.context().close());
    await shopper.open();
    const start = shopper.button('pre.start');
    const articles = shopper.panel.getByRole('region', { name: shopper.t('article.found') });
    await start.waitFor();
    await still(shopper.page);
    assert.equal(await articles.count(), 0);
    const { x, y, width, height } = await start.boundingBox();
    await shopper.panel.getByRole('textbox', { name: shopper.t('pre.question') }).fill(question);
    await shopper.page.mouse.move(x + width / 2, y + height / 2);
    await shopper.page.mouse.down();
    await articles.waitFor();
    await still(shopper.page);
    await shopper.shot(`pre-chat-pressed-${lang}`);
    await shopper.page.mouse.up();
    await shopper.said(question).waitFor();
    assert.deepEqual(troublesOf(shopper.page), []);
  });
}

/** A shopper before the first question, and a rep who could answer it. */
async function opened(t) {
  const demo = await startDemo();
  t.after(() => demo.end());
  const mei = await Staff.come(demo.origin, 'mei');
  t.after(() => mei.leave());
  const shopper = await Shopper.come(browser, demo.origin, { lang: 'en' });
  t.after(() => shopper.page.context().close());
  await shopper.open();
  return shopper;
}

test('articles come again with a question that was wiped and written again, and go with it', async (t) => {
  const shopper = await opened(t);
  const question = shopper.panel.getByRole('textbox', { name: shopper.t('pre.question') });
  const articles = shopper.panel.getByRole('region', { name: shopper.t('article.found') });
  for (let n = 0; n < 2; n++) {
    await question.fill('Hello, how long does a refund take?');
    await articles.waitFor();
    await question.fill('');
    await articles.waitFor({ state: 'detached' });
  }
  assert.deepEqual(troublesOf(shopper.page), []);
});

test('a long question is cut for the search between its characters, not inside of one', async (t) => {
  const shopper = await opened(t);
  await shopper.panel.getByRole('textbox', { name: shopper.t('pre.question') }).fill(`${'Hello, how long does a refund take?'.padEnd(499)}😀 thank you`);
  await shopper.panel.getByRole('region', { name: shopper.t('article.found') }).waitFor();
  assert.deepEqual(troublesOf(shopper.page), []);
});
