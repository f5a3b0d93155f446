// A laptop's window at 200 %: the conversation can be read and answered; and a notice covers nothing that is written.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, look, still, troublesOf } from './lib/browser.mjs';
import { Rep, Shopper } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const low = { width: 640, height: 360 };
const height = async (locator) => (await locator.boundingBox()).height;

describe('a low window', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    test(`leaves room to read at both ends, in ${lang}`, async (t) => {
      const demo = await startDemo();
      const mei = await Rep.come(browser, demo.origin, 'mei', { lang });
      const shopper = await Shopper.come(browser, demo.origin, { device: 'desktop', lang, viewport: low });
      t.after(async () => {
        await Promise.all([shopper.page.context().close(), mei.page.context().close()]);
        await demo.end();
      });
      const wrong = [];
      await shopper.open();
      await shopper.ask(lang === 'en' ? 'When do I get my refund?' : '退款什么时候能到账？', { name: 'Ann' });
      await mei.accept();
      await mei.suggestions.getByRole('button').first().waitFor();

      await mei.page.setViewportSize(low);
      wrong.push(...(await look(mei.page, ['low', 'console', lang])));
      assert.ok((await height(mei.log)) >= 140, `the rep reads in ${await height(mei.log)} px`);
      await mei.page.getByRole('main').evaluate((el) => (el.scrollTop = el.scrollHeight));
      await mei.shot('low', 'console-end', lang);
      const box = await mei.box.boundingBox();
      assert.ok(box.y > 0 && box.y + box.height <= low.height, `the text box is in reach: ${JSON.stringify(box)}`);
      await mei.page.setViewportSize({ width: 1280, height: 720 });
      await mei.send(lang === 'en' ? 'It went out today.' : '今天已经退回。');
      await mei.command('act.resolve');
      await mei.dialog('resolve.title').getByLabel(mei.t('resolve.summary')).fill('ok');
      await mei.page.keyboard.press('Control+Enter');

      await shopper.button('solve.no').waitFor();
      wrong.push(...(await look(shopper.page, ['low', 'solved', lang], { inside: shopper.panel })));
      const panel = await shopper.panel.boundingBox();
      assert.deepEqual([panel.y, panel.height], [0, low.height]);
      assert.ok((await height(shopper.log)) >= 100, `the shopper reads in ${await height(shopper.log)} px`);
      assert.equal(await shopper.launcher.count(), 0, 'nothing lies under the panel');
      await shopper.page.keyboard.press('Escape');
      await shopper.launcher.waitFor();
      assert.deepEqual(wrong, []);
      assert.deepEqual([...troublesOf(mei.page), ...troublesOf(shopper.page)], []);
    });
  }
});

test('with the panes folded a notice leaves the text box and the newest lines free', async (t) => {
  const demo = await startDemo();
  const mei = await Rep.come(browser, demo.origin, 'mei');
  const shopper = await Shopper.come(browser, demo.origin, { device: 'desktop', lang: 'en' });
  t.after(async () => {
    await Promise.all([shopper.page.context().close(), mei.page.context().close()]);
    await demo.end();
  });
  await shopper.open();
  await shopper.ask('Hello there', { name: 'Ann' });
  await mei.accept();
  await mei.leaveText();
  await mei.page.keyboard.press('z');
  await mei.page.locator('.desk[data-list=folded][data-card=folded]').waitFor();
  await mei.command('act.shift_end');
  const toast = mei.toast(mei.t('shift.end_refused'));
  await toast.waitFor();
  await still(mei.page);
  await mei.shot('folded-notice');
  const over = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  const [at, head, foot] = await Promise.all([toast, mei.page.locator('.talk-head'), mei.page.locator('.composer')].map((l) => l.boundingBox()));
  assert.ok(!over(at, head) && !over(at, foot), `${JSON.stringify(at)} on ${JSON.stringify(foot)}`);
});
