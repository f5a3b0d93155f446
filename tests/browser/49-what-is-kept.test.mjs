// What a shopper has begun stays theirs: over reloads, without a connection, over minimising, in two tabs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, troublesOf } from './lib/browser.mjs';
import { Shopper } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const offline = [/WebSocket connection to .* failed/, /net::ERR_/];

/** A demo with somebody on shift, behind a proxy, and a shopper with the panel open. */
async function shop(t, { shift = true, ...how } = {}) {
  const demo = await startDemo();
  const proxy = await startProxy(demo.port);
  const tom = await Staff.come(demo.origin, 'tom', { shift });
  const s = await Shopper.come(browser, proxy.origin, { device: 'desktop', lang: 'en', ...how });
  t.after(async () => {
    await s.page.context().close();
    tom.leave();
    await proxy.end();
    await demo.end();
  });
  await s.open();
  return { demo, proxy, tom, s, question: s.panel.getByRole('textbox', { name: s.t('pre.question') }) };
}

for (const lang of ['en', 'zh-CN']) {
  test(`a chat that could not be opened yet says so, and opens after a reload by itself, in ${lang}`, async (t) => {
    const { proxy, tom, s, question } = await shop(t, { lang });
    const chatPart = s.page.waitForResponse(/later-/);
    await question.fill('Where is my parcel?');
    await (await chatPart).finished();
    proxy.cut();
    await s.button('pre.start').click();
    await s.panel.getByText(s.t('msg.unsent')).waitFor();
    assert.equal(await s.panel.getByText(s.t('wait.keep')).count(), 0);
    await s.panel.getByText(s.t('reconnecting')).waitFor();
    await s.shot('kept-unsent', lang);
    proxy.mend();
    await s.page.reload();
    const chat = await tom.accept('Where is my parcel?');
    await tom.say(chat, 'It comes tomorrow.');
    await s.open();
    await s.said('It comes tomorrow.').waitFor();
    assert.deepEqual(troublesOf(s.page, { but: offline }), []);
  });
}
