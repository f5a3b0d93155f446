// What a rep's hands do while things change under them: the text box keeps the focus, no letter becomes a command, no text is lost.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, still, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep, Shopper, untilList } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { until } from './lib/wait.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A rep on shift with these chats, each answered once. */
async function served(t, lang, names) {
  const demo = await startDemo();
  const proxy = await startProxy(demo.port);
  const mei = await Rep.come(browser, proxy.origin, 'mei', { lang });
  t.after(async () => {
    await mei.page.context().close();
    await proxy.end();
    await demo.end();
  });
  const guests = [];
  for (const name of names) {
    const guest = await Guest.come(demo.origin, { name, locale: lang });
    guests.push(guest);
    await guest.start(`你好 ${name}`);
    await mei.accept();
    await mei.send(`早上好 ${name}`);
  }
  return { demo, proxy, mei, guests };
}

const focused = (page) => page.evaluate(() => document.activeElement?.id);
/** Answered by the server: what was sent before it has been answered, too. */
const settled = (rep) => rep.send(`so far ${Math.random()}`);

test('a tag that is too long is cut between its characters, and the dialog comes to its end', async (t) => {
  const { mei } = await served(t, 'en', ['Ann']);
  await mei.command('act.tag');
  await mei.dialog('tag.title').getByRole('textbox', { name: mei.t('tag.label') }).fill(`${'x'.repeat(49)}😀 and more`);
  await mei.page.keyboard.press('Enter');
  await mei.dialog('tag.title').waitFor({ state: 'detached' });
  await mei.page.getByRole('complementary', { name: mei.t('card.label') }).getByText(`${'x'.repeat(49)}😀`, { exact: true }).waitFor();
});

test('rows keep their places as long as the pointer or the focus is in the list', async (t) => {
  const { mei, guests: [ann] } = await served(t, 'en', ['Ann', 'Bob']);
  const { page } = mei;
  const rows = page.locator('.row-name');
  const order = () => rows.allInnerTexts();
  await untilList(order, (l) => l.join() === 'Bob,Ann', 'the last one served is first');
  await rows.nth(0).click();
  await page.keyboard.press('r');
  await until(async () => (await focused(page)) === 'composer', 'the focus has left, the pointer has not');
  await ann.say('Are you still there?');
  await mei.row('Ann').getByText(mei.t('row.unread', { n: 1 })).waitFor({ state: 'attached' });
  assert.deepEqual(await order(), ['Bob', 'Ann']);
  await page.mouse.move(700, 300);
  await untilList(order, (l) => l.join() === 'Ann,Bob', 'who asks comes first');
});

test('letters act on the chat that is on the screen, not on one that lies under the tasks', async (t) => {
  const { mei } = await served(t, 'en', ['Ann']);
  const { page } = mei;
  await mei.button('screens.tasks').click();
  await page.getByRole('heading', { name: mei.t('tasks.title') }).waitFor();
  await mei.leaveText();
  for (const key of ['e', '?']) await page.keyboard.press(key);
  await mei.dialog('act.keys').waitFor();
  await page.keyboard.press('Escape');
  await mei.dialog('act.keys').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await mei.box.waitFor();
  await mei.leaveText();
  await page.keyboard.press('e');
  await mei.dialog('resolve.title').waitFor();
});

test('who has scrolled up and answers sees the answer', async (t) => {
  const { mei, guests: [ann] } = await served(t, 'en', ['Ann']);
  for (let n = 0; n < 30; n++) await ann.say(`line ${n}`);
  await mei.said('line 29').waitFor();
  await mei.log.hover();
  await mei.page.mouse.wheel(0, -3000);
  await until(() => mei.log.evaluate((l) => l.scrollTop === 0), 'scrolled up');
  await ann.say('one more');
  await mei.page.getByRole('button', { name: mei.t('log.below', { n: 1 }) }).waitFor();
  assert.equal(await mei.log.evaluate((l) => l.scrollTop), 0, 'what the other side says is no reason to leave');
  await mei.send('my answer');
  await until(() => mei.said('my answer').evaluate((e) => {
    const [word, log] = [e, e.closest('[role=log]')].map((x) => x.getBoundingClientRect());
    return word.top >= log.top && word.bottom <= log.bottom;
  }), 'the answer is in sight', 5_000);
});

test('Escape closes a dialog and discards no text of it; Cancel does', async (t) => {
  const { mei } = await served(t, 'en', ['Ann']);
  const { page } = mei;
  const park = mei.dialog('park.title');
  const promise = park.getByRole('textbox', { name: mei.t('park.promise') });
  const open = async () => {
    await mei.leaveText();
    await page.keyboard.press('p');
    await park.waitFor();
  };
  for (const [close, left] of [[() => page.keyboard.press('Escape'), 'I ask the workshop'], [() => park.getByRole('button', { name: mei.t('cancel') }).click(), '']]) {
    await open();
    await promise.fill('I ask the workshop');
    await close();
    await park.waitFor({ state: 'detached' });
    await open();
    assert.equal(await promise.inputValue(), left);
  }
  await promise.fill('I ask the workshop');
  await park.getByRole('button', { name: mei.t('park.submit') }).click();
  await park.waitFor({ state: 'detached' });
  await mei.toast(mei.t('park.done')).getByRole('button', { name: mei.t('undo') }).click();
  await mei.button('act.park').waitFor();
  await open();
  assert.equal(await promise.inputValue(), '', 'what is done is gone');
});

describe('a rep types on', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    test(`while a lead gives the chat to somebody else, in ${lang}`, async (t) => {
      const { demo, mei, guests: [ann] } = await served(t, lang, ['Ann']);
      const lin = await Staff.come(demo.origin, 'lin');
      await mei.box.focus();
      await mei.page.keyboard.type('half of a sent');
      await lin.call({ t: 'chat.reassign', chat: ann.chat, to: lin.me.id, reason: 'I know her' });
      await mei.page.getByRole('note').getByText(mei.t('composer.handler', { name: NAMES.lin })).waitFor();
      await mei.toast(mei.t('handler.now_kept', { name: NAMES.lin })).waitFor();
      await mei.page.keyboard.type('ence n');
      assert.equal(await focused(mei.page), 'composer');
      await mei.page.getByRole('button', { name: mei.t('composer.reply'), exact: true, pressed: true }).waitFor();
      assert.equal(await mei.box.inputValue(), 'half of a sent', 'nothing more is written, nothing is lost');
      assert.equal(await mei.page.evaluate(() => {
        const box = document.querySelector('#composer');
        box.select();
        return getSelection().toString();
      }), 'half of a sent', 'it can be copied');
      await still(mei.page);
      await mei.shot('given-away', lang);
      assert.deepEqual(troublesOf(mei.page), []);
    });
  }

  test('after Alt and an arrow, into the chat that came', async (t) => {
    const { mei } = await served(t, 'en', ['Ann', 'Bob']);
    await mei.page.getByRole('heading', { level: 1, name: 'Bob' }).waitFor();
    await mei.box.focus();
    await mei.page.keyboard.type('dear Bob');
    await mei.page.keyboard.press('Alt+ArrowDown');
    await mei.page.keyboard.type('hope');
    await mei.page.getByRole('heading', { level: 1, name: 'Ann' }).waitFor();
    assert.equal(await mei.box.inputValue(), 'hope');
    assert.equal(await mei.page.getByRole('dialog').count(), 0);
    await mei.page.keyboard.press('Alt+ArrowUp');
    await untilList(async () => [await mei.box.inputValue()], ([v]) => v === 'dear Bob', 'the text of Bob');
    assert.equal(await focused(mei.page), 'composer');
  });

  test('and presses A twice: the offer is answered once', async (t) => {
    const { demo, proxy, mei } = await served(t, 'en', []);
    const guest = await Guest.come(demo.origin, { name: 'Cleo' });
    await guest.start('Are you there?');
    await mei.offer.waitFor();
    await mei.leaveText();
    proxy.stall();
    await mei.page.keyboard.press('a');
    await mei.page.keyboard.press('a');
    proxy.mend();
    await mei.offer.waitFor({ state: 'detached' });
    await mei.box.waitFor();
    await settled(mei);
    assert.deepEqual(await mei.page.locator('.toast').allInnerTexts(), []);
  });

  test('a line that begins with a slash: an article that fits comes in its place and goes again, none that does not', async (t) => {
    const { mei } = await served(t, 'en', ['Ann']);
    const picker = mei.page.locator('#reply-picker');
    await mei.box.fill('/zzzqqq no such article');
    await picker.waitFor();
    await picker.waitFor({ state: 'detached' });
    await mei.page.keyboard.press('Enter');
    await mei.said('/zzzqqq no such article').waitFor();

    await mei.box.fill('/refund');
    await picker.getByRole('option').first().waitFor();
    await mei.page.keyboard.press('Enter');
    await picker.waitFor({ state: 'detached' });
    await untilList(async () => [await mei.box.inputValue()], ([v]) => v.length > 20, 'the article');
    await mei.page.keyboard.press('Control+z');
    await untilList(async () => [await mei.box.inputValue()], ([v]) => v === '/refund', 'what was typed');
  });

  test('a canned reply: what is known is filled in, what is not is marked and holds it back until it is written', async (t) => {
    const { mei } = await served(t, 'en', ['Ann']);
    const stands = (what, fits) => untilList(async () => [await mei.box.inputValue()], ([v]) => fits(v), what);
    const marked = () => mei.box.evaluate((el) => el.value.slice(el.selectionStart, el.selectionEnd));
    await mei.box.fill('/');
    await mei.page.locator('#reply-picker').getByRole('option').nth(2).waitFor();
    await mei.box.fill('/on_its');
    await mei.page.getByRole('option').getByText('/on_its_way').waitFor();
    await mei.page.keyboard.press('Enter');
    await stands('the text', (v) => v.startsWith('Ann, your order {order} '));
    await untilList(async () => [await marked()], ([v]) => v === '{order}', 'the first gap is marked');
    await mei.page.keyboard.press('Enter');
    assert.equal(await marked(), '{order}', 'nothing is sent');
    await mei.page.keyboard.type('LL-2041');
    await mei.page.keyboard.press('Enter');
    await untilList(async () => [await marked()], ([v]) => v === '{date}', 'the next gap');
    await mei.page.keyboard.type('Friday');
    const text = await mei.box.inputValue();
    await mei.page.keyboard.press('Enter');
    await mei.said(text).waitFor();
    assert.match(text, /^Ann, your order LL-2041 .* Friday\.$/);
    await mei.box.fill('Braces {like these} and {order} are text');
    await mei.page.keyboard.press('Enter');
    await mei.said('Braces {like these} and {order} are text').waitFor();
  });

  test('in two tabs: what is written in one stands in the other, and goes with what was sent', async (t) => {
    const { proxy, mei } = await served(t, 'en', ['Ann']);
    const tab = new Rep(await mei.page.context().newPage(), 'en', 'mei');
    await tab.page.goto(`${proxy.origin}/console`);
    await tab.row('Ann').click();
    await tab.box.fill('from the second tab');
    await untilList(async () => [await mei.box.inputValue()], ([v]) => v === 'from the second tab', 'in the first');
    await mei.row('Ann').getByText(mei.t('row.draft')).waitFor();
    await mei.box.press('Enter');
    await mei.said('from the second tab').waitFor();
    await untilList(async () => [await tab.box.inputValue()], ([v]) => v === '', 'gone in the second');
    await tab.row('Ann').getByText(tab.t('row.draft')).waitFor({ state: 'detached' });
  });

  test('into the next dialog: an act that is answered late closes its own alone', async (t) => {
    const { proxy, mei } = await served(t, 'en', ['Ann']);
    await mei.leaveText();
    await mei.page.keyboard.press('p');
    await mei.dialog('park.title').getByLabel(mei.t('park.promise')).fill('I ask the workshop');
    proxy.stall();
    await mei.page.keyboard.press('Control+Enter');
    await mei.page.keyboard.press('Escape');
    await mei.page.keyboard.press('h');
    const summary = mei.dialog('transfer.title').getByLabel(mei.t('card.summary'));
    await summary.fill('She waits for the workshop');
    proxy.mend();
    await mei.page.getByText(mei.t('park.done')).waitFor();
    assert.equal(await summary.inputValue(), 'She waits for the workshop');
  });

  for (const lang of ['zh-CN', 'en']) {
    test(`and what is not done says so, in ${lang}`, async (t) => {
      const { proxy, mei } = await served(t, lang, ['Ann']);
      await mei.leaveText();
      await mei.page.keyboard.press('p');
      const park = mei.dialog('park.title');
      await park.getByLabel(mei.t('park.promise')).fill('明天给您回复');
      await park.getByLabel(mei.t('until.label'), { exact: true }).fill('2020-01-01T10:00');
      await park.getByText(mei.t('until.past')).waitFor();
      await mei.shot('park-past', lang);
      await park.getByRole('button', { name: mei.t('until.hour') }).click();
      await park.getByText(mei.t('until.past')).waitFor({ state: 'detached' });
      proxy.cut();
      await mei.page.getByText(mei.t('reconnecting')).waitFor();
      await mei.page.keyboard.press('Control+Enter');
      await park.getByText(mei.t('error.not_done')).waitFor();
      await mei.shot('not-done', lang);
      proxy.mend();
      await mei.page.getByText(mei.t('reconnecting')).waitFor({ state: 'detached', timeout: 35_000 });
    });
  }
});

/** Counts what a screen reader would say of a live region from now on. */
const listen = (region) => region.evaluate((el) => {
  globalThis.heard = 0;
  new MutationObserver((list) => (globalThis.heard += list.some((m) => m.addedNodes.length > 0 || m.type === 'characterData') ? 1 : 0)).observe(el, { childList: true, subtree: true, characterData: true });
});
const heard = (page) => page.evaluate(() => globalThis.heard);

test('the same word three times is said three times, at the rep and at the shopper', async (t) => {
  const { demo, mei } = await served(t, 'en', []);
  const shopper = await Shopper.come(browser, demo.origin, { device: 'desktop', lang: 'en' });
  t.after(() => shopper.page.context().close());
  await shopper.open();
  await shopper.ask('Hello there', { name: 'Dora' });
  await mei.accept();
  await mei.send('Hello Dora');
  await shopper.said('Hello Dora').waitFor();
  for (const [from, to, region] of [[shopper, mei, mei.page.locator('.desk > .sr[aria-live]')], [mei, shopper, shopper.panel.locator('.log-wrap .sr[aria-live]')]]) {
    await listen(region);
    for (let n = 1; n <= 3; n++) {
      await from.send('ok');
      await to.said('ok').nth((to === shopper ? 3 : 0) + n - 1).waitFor();
      await until(async () => (await heard(to.page)) >= n, `${n} times`);
    }
    assert.ok((await region.innerText()).endsWith('ok'));
  }
});
