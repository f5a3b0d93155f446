// Chinese typed by an input method: the Enter that chooses a word sends nothing, a search waits for the word.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, troublesOf } from './lib/browser.mjs';
import { Rep, Shopper, times, untilList } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Pinyin into what has the focus, the Enter that belongs to the input method, and the word it gives. */
async function compose(page, pinyin, word) {
  const cdp = await page.context().newCDPSession(page);
  for (let n = 1; n <= pinyin.length; n++) await cdp.send('Input.imeSetComposition', { text: pinyin.slice(0, n), selectionStart: n, selectionEnd: n });
  for (const type of ['rawKeyDown', 'keyUp']) await cdp.send('Input.dispatchKeyEvent', { type, key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 });
  const meanwhile = await page.evaluate(() => {
    const of = (root) => (root.activeElement?.shadowRoot ? of(root.activeElement.shadowRoot) : root.activeElement);
    return of(document).value;
  });
  await cdp.send('Input.insertText', { text: word });
  await cdp.detach();
  return meanwhile;
}

test('an Enter of the input method sends nothing, the next one sends once, at the shopper and at the rep', async (t) => {
  const demo = await startDemo();
  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'zh-CN' });
  const shopper = await Shopper.come(browser, demo.origin, { device: 'desktop' });
  t.after(async () => {
    await Promise.all([shopper.page.context().close(), mei.page.context().close()]);
    await demo.end();
  });
  await shopper.open();
  await shopper.ask('你好', { name: '王芳' });
  await mei.accept();

  for (const [who, pinyin, word] of [[shopper, 'tuikuan', '退款'], [mei, 'haode', '好的']]) {
    await who.box.click();
    assert.equal(await compose(who.page, pinyin, word), pinyin, 'the letters still stand there');
    await untilList(async () => [await who.box.inputValue()], ([v]) => v === word, 'the word stands there');
    await who.page.keyboard.press('Enter');
    await shopper.said(word).waitFor();
    await mei.said(word).waitFor();
  }
  for (const who of [shopper, mei]) {
    const seen = await untilList(() => who.messages(), (l) => l.length === 3, 'three messages');
    for (const text of ['你好', '退款', '好的']) assert.equal(times(seen, text), 1, `${text} once in ${seen}`);
  }

  // The search of the list is not asked for letters on their way.
  await mei.leaveText();
  await mei.page.keyboard.press('/');
  await mei.page.locator('#chat-search:focus').waitFor();
  const cdp = await mei.page.context().newCDPSession(mei.page);
  await cdp.send('Input.imeSetComposition', { text: 'zzz', selectionStart: 3, selectionEnd: 3 });
  assert.equal(await mei.row('王芳').count(), 1, 'nothing is filtered by letters on their way');
  await cdp.send('Input.insertText', { text: '李' });
  await mei.row('王芳').waitFor({ state: 'detached' });

  // Letters taken as they stand are searched for, too: no word changes when their composition ends.
  await mei.page.locator('#chat-search').fill('');
  await mei.row('王芳').click();
  await mei.box.fill('/');
  await cdp.send('Input.imeSetComposition', { text: 'return', selectionStart: 6, selectionEnd: 6 });
  const head = mei.page.locator('#reply-picker .picker-head');
  await untilList(() => head.allTextContents(), ([v]) => v === mei.t('picker.searching'), 'the letters stand there, nothing is asked yet');
  await cdp.send('Input.insertText', { text: 'return' });
  await mei.page.locator('#reply-picker li').first().waitFor();
  assert.equal(await mei.box.inputValue(), '/return');
  assert.deepEqual([...troublesOf(shopper.page), ...troublesOf(mei.page)], []);
});
