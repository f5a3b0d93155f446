// The card's list of a shopper's past chats, and reading one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, look, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { turn } from './lib/turn.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const SAID = {
  'zh-CN': { name: '周洁', first: '上次买的台灯闪个不停。', reply: '请换一只灯泡试试，不行我们给您换新的。', second: '换了灯泡还是闪。', note: '灯泡型号 E27' },
  en: { name: 'Jane Chow', first: 'The desk lamp that I bought flickers.', reply: 'Please try another bulb; if it goes on we replace the lamp.', second: 'It still flickers with a new bulb.', note: 'The bulb is an E27' },
};

for (const [lang, said] of Object.entries(SAID).filter(([lang]) => turn(0, lang))) {
  test(`who answers a shopper that comes back reads what was said before, in ${lang}`, async (t) => {
    const demo = await startDemo();
    t.after(() => demo.end());
    const tom = await Staff.come(demo.origin, 'tom');
    t.after(() => tom.leave());
    const guest = await Guest.come(demo.origin, { name: said.name, locale: lang });
    t.after(() => guest.leave());
    const past = await guest.start(said.first);
    await tom.take((m) => m.t === 'offer');
    await tom.call({ t: 'offer.accept', chat: past });
    await tom.say(past, said.reply);
    await tom.call({ t: 'note.add', chat: past, text: said.note });
    await tom.resolve(past, said.reply);
    await guest.call({ t: 'chat.confirm', chat: past, solved: true });
    await tom.call({ t: 'shift.end' });

    const mei = await Rep.come(browser, demo.origin, 'mei', { lang });
    t.after(() => mei.page.context().close());
    await guest.start(said.second);
    await mei.accept();
    await mei.said(said.second).waitFor();
    const card = mei.page.getByRole('complementary', { name: mei.t('card.label') });
    const line = card.getByRole('listitem').filter({ hasText: mei.t('card.was_owner', { name: NAMES.tom }) });
    await line.waitFor();
    await line.scrollIntoViewIfNeeded();
    assert.equal(await card.getByText(mei.t('card.no_past')).count(), 0);
    const wrong = await look(mei.page, ['past-chats', lang]);
    await line.getByRole('button').click();
    const dialog = mei.page.getByRole('dialog');
    for (const text of [said.first, said.reply, said.note]) await dialog.getByText(text, { exact: true }).first().waitFor();
    assert.equal(await dialog.getByText(said.second, { exact: true }).count(), 0);
    wrong.push(...(await look(mei.page, ['past-chat', lang])));
    assert.deepEqual(wrong, []);
    await mei.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(troublesOf(mei.page), []);
  });
}

test('past chats that could not be had are asked for again, and that they are is seen', async (t) => {
  const demo = await startDemo();
  t.after(() => demo.end());
  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'en' });
  t.after(() => mei.page.context().close());
  const path = /transcripts\?.*shopper=/;
  await mei.page.route(path, (route) => route.abort());
  const guest = await Guest.come(demo.origin, { name: 'Ann' });
  t.after(() => guest.leave());
  await guest.start('The lamp flickers.');
  await mei.accept();
  const card = mei.page.getByRole('complementary', { name: mei.t('card.label') });
  const retry = card.getByRole('button', { name: mei.t('retry') });
  await retry.waitFor();
  let go;
  const held = new Promise((done) => (go = done));
  await mei.page.unroute(path);
  await mei.page.route(path, async (route) => {
    await held;
    await route.continue();
  });
  await retry.click();
  await card.getByRole('img', { name: mei.t('card.past_loading') }).waitFor();
  go();
  await card.getByText(mei.t('card.no_past')).waitFor();
});

test('on a phone: two chats of one day are told apart, and one is read in the drawer and given back', async (t) => {
  const demo = await startDemo();
  t.after(() => demo.end());
  const tom = await Staff.come(demo.origin, 'tom');
  t.after(() => tom.leave());
  const guest = await Guest.come(demo.origin, { name: 'Ann', locale: 'en' });
  t.after(() => guest.leave());
  for (const first of ['The lamp flickers.', 'The lamp is dark.']) {
    const chat = await guest.start(first);
    await tom.accept(first);
    await tom.say(chat, 'Please try another bulb.');
    await tom.resolve(chat, 'Another bulb.');
    await guest.call({ t: 'chat.confirm', chat, solved: true });
  }
  await tom.call({ t: 'shift.end' });

  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'en', device: 'phone', shift: false });
  t.after(() => mei.page.context().close());
  await mei.button('act.shift_start').first().click();
  await guest.start('It still flickers.');
  await mei.accept();
  await mei.button('act.fold_card').click();
  const card = mei.page.getByRole('complementary', { name: mei.t('card.label') });
  const lines = card.getByRole('listitem').filter({ hasText: mei.t('card.was_owner', { name: NAMES.tom }) });
  await lines.nth(1).waitFor();
  for (const line of await lines.all()) assert.match(await line.innerText(), /\b\d\d:\d\d\b/);
  await lines.first().scrollIntoViewIfNeeded();
  const wrong = await look(mei.page, ['past-chats', 'phone']);
  await lines.first().getByRole('button').click();
  const dialog = mei.page.getByRole('dialog');
  await dialog.getByText('The lamp is dark.', { exact: true }).first().waitFor();
  wrong.push(...(await look(mei.page, ['past-chat', 'phone'])));
  assert.deepEqual(wrong, []);
  await mei.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await lines.first().getByRole('button').evaluate((b) => b === document.activeElement), true);
  assert.deepEqual(troublesOf(mei.page), []);
});
