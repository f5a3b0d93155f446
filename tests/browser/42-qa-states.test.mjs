// Every state of QA, and its search: the address is the search, back works, the next of the sample opens by itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, look, newPage, shot, troublesOf } from './lib/browser.mjs';
import { NAMES } from './lib/people.mjs';
import { PASSWORD, startDemo } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { until } from './lib/wait.mjs';
import { like, words } from './lib/words.mjs';

let browser, demo;
before(async () => {
  [browser, demo] = await Promise.all([launch(), startDemo()]);
  await talk();
});
after(() => Promise.all([browser?.close(), demo?.end()]));

const chats = [
  { name: '王芳', locale: 'zh-CN', ask: '你好，我上周退货了，退款什么时候能到账？', answer: '退款已经原路退回，预计今天到账。', score: 5, comment: '很快' },
  { name: 'Anna Smith', locale: 'en', ask: 'When do I get the refund for my lamp?', answer: 'The refund went out today, it takes one to three working days.', score: 2, comment: 'Took too long' },
  { name: 'Ben', locale: 'en', ask: 'Do you ship to Hainan?', answer: 'We do, in four days.', score: 4, comment: '' },
];

/** Three chats from the first word to the rating: one has a note, is handed over and reassigned by the lead. */
async function talk() {
  const mei = await Staff.come(demo.origin, 'mei');
  const tom = await Staff.come(demo.origin, 'tom', { shift: false });
  const lin = await Staff.come(demo.origin, 'lin', { shift: false });
  for (const [i, c] of chats.entries()) {
    const guest = await Guest.come(demo.origin, { name: c.name, locale: c.locale });
    const chat = await guest.start(c.ask);
    await mei.accept(c.ask);
    await mei.say(chat, c.answer);
    if (i === 1) {
      await mei.call({ t: 'note.add', chat, text: 'Second time that she asks.' });
      await tom.call({ t: 'shift.start', capacity: 5 });
      await mei.call({ t: 'chat.transfer', chat, to: tom.me.id, card: { summary: 'Refund of a lamp', requirements: 'In writing', verified: ['order'] } });
      await tom.take((m) => m.t === 'offer' && m.kind === 'transfer');
      await tom.call({ t: 'offer.accept', chat });
      await tom.say(chat, 'I looked it up: it is on its way.');
      await tom.call({ t: 'chat.tag', chat, add: ['refund'] });
      await lin.call({ t: 'chat.reassign', chat, to: mei.me.id, reason: 'Tom leaves early' });
      await tom.call({ t: 'shift.pause' });
      await mei.say(chat, c.answer);
    }
    await mei.resolve(chat, c.answer);
    await guest.call({ t: 'chat.confirm', chat, solved: true });
    await guest.call({ t: 'chat.rate', chat, score: c.score, ...(c.comment ? { comment: c.comment } : {}) });
    guest.leave();
  }
  for (const who of [mei, tom, lin]) who.leave();
}

async function signIn(page, q) {
  await page.getByLabel(q('login.login')).fill('quinn');
  await page.getByLabel(q('login.password')).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: q('search.label') }).waitFor();
}

describe('QA', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    test(`is sound in each of its states, and its address is its search, in ${lang}`, async (t) => {
      const q = words(lang, 'qa');
      const page = await newPage(browser, { lang });
      t.after(() => page.context().close());
      const wrong = [];
      const state = async (name, options) => wrong.push(...(await look(page, ['qa', name, lang], options)));
      const results = page.getByRole('navigation', { name: q('results.label') });
      const hits = results.locator('.qa-hit');
      const line = page.getByRole('textbox', { name: q('search.label') });
      const found = (n) => until(async () => (await hits.count()) === n, async () => `${n} results, there are ${await hits.count()}`);

      await page.goto(`${demo.origin}/qa`);
      await page.getByLabel(q('login.login')).waitFor();
      await state('login');
      await signIn(page, q);
      await found(3);
      await state('newest');
      await page.getByRole('button', { name: q('search.filters') }).click();
      await page.getByLabel(q('chip.tag')).waitFor();
      await state('filters');
      await page.keyboard.press('Escape');

      // Chips: typed, removed by key, in the address; back and a reload show the same.
      await line.fill(lang === 'en' ? 'refund owner-changed' : '换人 refund');
      await line.press('Enter');
      await found(1);
      await page.waitForURL(/owner_changed=true/);
      await page.getByText(q('chip.owner_changed'), { exact: true }).waitFor();
      await hits.first().click();
      await page.getByRole('main').getByText(chats[1].ask).waitFor();
      await state('found');
      await page.reload();
      await page.getByRole('main').getByText(chats[1].ask).waitFor();
      await page.getByText(q('chip.owner_changed'), { exact: true }).waitFor();
      await page.goBack();
      await page.waitForURL((url) => !url.searchParams.has('chat'));
      await page.goBack();
      await found(3);
      await line.fill('rep:mei rating:2');
      await line.press('Enter');
      await found(1);
      await line.press('Backspace');
      await line.press('Backspace');
      await found(3);
      await line.fill('退款');
      await line.press('Enter');
      await found(1);
      await line.fill('nothingthatanybodysaid');
      await line.press('Enter');
      await results.getByText(q('results.none')).waitFor();
      await state('none', { themes: ['light'] });
      // The server away: said where the results would be, and asked again by a button.
      await page.route('**/api/v1/transcripts**', (route) => route.abort());
      await page.getByRole('button', { name: q('search.clear') }).click();
      await results.getByRole('button', { name: q('retry') }).waitFor();
      await state('failed');
      await page.unroute('**/api/v1/transcripts**');
      await results.getByRole('button', { name: q('retry') }).click();
      await found(3);

      // The events on their rail, switched by key; the scorecard by digits; submit opens the next.
      await hits.filter({ hasText: NAMES.mei }).nth(1).click();
      await page.getByRole('main').getByText(chats[1].ask).waitFor();
      await page.getByText(q('event.transferred', { to: NAMES.tom })).first().waitFor();
      await page.keyboard.press('e');
      await page.getByText(q('event.transferred', { to: NAMES.tom })).first().waitFor({ state: 'detached' });
      await page.keyboard.press('e');
      await page.locator('.happened').first().waitFor();
      await page.locator('.happened details').first().locator('summary').click();
      await page.locator('.happened').getByText(NAMES.tom).first().waitFor();
      const sheet = page.getByRole('complementary', { name: q('review.label') });
      const criteria = await sheet.locator('.criterion').count();
      await page.locator('.qa-log').focus();
      await page.keyboard.press('3');
      await page.keyboard.press('x');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('c');
      await sheet.locator('.criterion textarea:focus').waitFor();
      await page.keyboard.insertText(chats[1].comment);
      await page.keyboard.press('Escape');
      await state('scoring');
      await page.keyboard.press('Control+Enter');
      await sheet.getByText(q('review.incomplete')).waitFor();
      for (let i = 2; i < criteria; i++) await page.keyboard.press('4');
      await sheet.getByText(q('review.ready')).waitFor();
      await page.keyboard.press('Control+Enter');
      await page.locator('.toast').filter({ hasText: like(q('review.stored')) }).waitFor();
      await page.getByRole('main').getByText(chats[0].ask).waitFor(); // the next in the list
      await state('next', { themes: ['light'] });
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await state('keys', { themes: ['light'] });
      await page.keyboard.press('Escape');
      await page.setViewportSize({ width: 820, height: 1180 });
      await state('tablet', { themes: ['light'] });
      await page.setViewportSize({ width: 390, height: 844 });
      await state('phone', { themes: ['light'] });
      assert.deepEqual(wrong, []);
      assert.deepEqual(troublesOf(page, { but: [/ERR_FAILED .*\/transcripts\?/] }), [], 'nothing but the request that was cut off above');
    });
  }

  test('a review on its way belongs to the chat that it judges, whatever is opened meanwhile', async (t) => {
    const q = words('en', 'qa');
    const page = await newPage(browser);
    t.after(() => page.context().close());
    const hits = page.locator('.qa-hit');
    const sheet = page.getByRole('complementary', { name: q('review.label') });
    const open = async (n) => {
      await hits.nth(n).click();
      await hits.nth(n).and(page.locator('[aria-current]')).waitFor();
      await sheet.waitFor();
      await page.locator('#transcript').focus();
    };
    const chatOf = () => new URL(page.url()).searchParams.get('chat');
    const drafts = () => page.evaluate(() => Object.keys(localStorage).filter((k) => k.includes(':review:')).map((k) => k.split(':').at(-1)));
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, q);
    await hits.nth(2).waitFor();
    await open(1);
    await page.keyboard.press('3');
    const kept = chatOf();
    await open(0);
    await page.waitForURL((url) => !url.search.includes(kept));
    const judged = chatOf();
    for (let i = await sheet.locator('.criterion').count(); i > 0; i--) await page.keyboard.press('4');
    await sheet.getByText(q('review.ready')).waitFor();
    let goOn;
    const held = new Promise((done) => (goOn = done));
    await page.route('**/api/v1/reviews', async (route) => {
      if (route.request().method() === 'POST') await held;
      await route.continue();
    });
    await page.keyboard.press('Control+Enter');
    await sheet.getByRole('button', { name: q('review.submit') }).and(page.locator(':disabled')).waitFor();
    await open(1);
    await page.waitForURL((url) => url.search.includes(kept));
    goOn();
    await page.locator('.toast').filter({ hasText: like(q('review.stored')) }).waitFor();
    assert.deepEqual(await drafts(), [kept]);
    assert.equal(chatOf(), kept, 'who has moved on is left where they are');
    assert.equal(await sheet.locator('.score.on').count(), 1);
    await open(0);
    await page.waitForURL((url) => url.search.includes(judged));
    await sheet.locator('.review').first().waitFor();
    assert.equal(await sheet.locator('.score.on').count(), 0, 'nothing is left to be sent twice');
    assert.deepEqual(troublesOf(page), []);
  });

  for (const lang of ['zh-CN', 'en']) {
    test(`a transcript opens where the search meets it, Esc of an input method stays there, nothing found says why, in ${lang}`, async (t) => {
      const q = words(lang, 'qa');
      const page = await newPage(browser, { lang, viewport: { width: 1280, height: 400 } });
      t.after(() => page.context().close());
      const results = page.getByRole('navigation', { name: q('results.label') });
      const line = page.getByRole('textbox', { name: q('search.label') });
      await page.goto(`${demo.origin}/qa`);
      await signIn(page, q);
      await line.fill('looked');
      await line.press('Enter');
      await results.getByText(q('results.n', { n: 1 })).waitFor();
      await page.locator('.qa-hit').click();
      const met = page.locator('.said.selected');
      await met.getByText('I looked it up: it is on its way.').waitFor();
      await until(() => met.evaluate((el) => {
        const [a, b] = [el.getBoundingClientRect(), el.closest('.qa-log').getBoundingClientRect()];
        return a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
      }), 'it is in sight');
      await shot(page, 'qa', 'met', lang);

      await page.locator('#transcript').focus();
      await page.keyboard.press('c');
      await page.locator('.criterion textarea:focus').waitFor();
      const cdp = await page.context().newCDPSession(page);
      await cdp.send('Input.imeSetComposition', { text: 'zhong', selectionStart: 5, selectionEnd: 5 });
      await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Escape', code: 'Escape', windowsVirtualKeyCode: 229 });
      assert.equal(await page.locator('.criterion textarea:focus').count(), 1, 'the input method keeps its Esc');
      await cdp.send('Input.insertText', { text: '中' });

      for (const [rep, why] of [['nobody', q('results.no_person', { name: 'nobody' })], ['quinn', q('results.none_of', { name: NAMES.quinn })]]) {
        await page.getByRole('button', { name: q('search.clear') }).click();
        await line.fill(`rep:${rep}`);
        await line.press('Enter');
        await results.getByText(why).waitFor();
        await shot(page, 'qa', `none-${rep}`, lang);
      }

      // The session ends: signing in again needs no mouse.
      await page.context().clearCookies();
      await page.getByRole('button', { name: q('search.clear') }).click();
      await page.getByText(q('login.ended')).waitFor();
      await page.getByLabel(q('login.login')).and(page.locator(':focus')).waitFor();
      await shot(page, 'qa', 'ended', lang);
    });
  }

  test('a session that ends under a review leads to the login, and the review is there again after it', async (t) => {
    const q = words('en', 'qa');
    const page = await newPage(browser, { lang: 'en' });
    t.after(() => page.context().close());
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, q);
    await page.locator('.qa-hit').first().click();
    const whole = page.getByRole('textbox', { name: like(q('review.comment')) });
    await whole.fill('Kind, and quick.');
    await whole.blur();
    for (const n of await page.locator('.criterion').all()) {
      await page.keyboard.press('4');
      await n.getByRole('radio', { name: '4', checked: true }).waitFor();
    }
    await page.context().clearCookies();
    await page.keyboard.press('Control+Enter');
    await page.getByText(q('login.ended')).waitFor();
    await signIn(page, q);
    await whole.waitFor();
    assert.equal(await whole.inputValue(), 'Kind, and quick.');
    await page.getByText(q('review.ready')).waitFor();
  });

  test('a language that an updated server has under another name is spoken all the same', async (t) => {
    const q = words('en', 'qa');
    const page = await newPage(browser);
    t.after(() => page.context().close());
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, q);
    let isOld = true;
    await page.route(/\/assets\/zh-CN-/, (route) => (isOld ? route.fulfill({ status: 404 }) : route.continue()));
    page.on('request', (r) => {
      if (r.isNavigationRequest()) isOld = false;
    });
    await page.getByRole('button', { name: q('menu', { name: NAMES.quinn }) }).click();
    await page.getByRole('menuitemradio', { name: '中文' }).click();
    await page.locator('html[lang=zh-CN]').waitFor();
    await page.getByRole('textbox', { name: words('zh-CN', 'qa')('search.label') }).waitFor();
  });

  test('a tag of two words can be typed into the filters', async (t) => {
    const q = words('en', 'qa');
    const page = await newPage(browser);
    t.after(() => page.context().close());
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, q);
    await page.getByRole('button', { name: q('search.filters') }).click();
    const tag = page.getByLabel(q('chip.tag'), { exact: true });
    await tag.pressSequentially('big sofa ');
    await tag.press('Enter');
    await page.waitForURL((url) => url.searchParams.has('tag'));
    assert.equal(new URL(page.url()).searchParams.get('tag'), 'big sofa');
  });

  test('a comment that is wiped out can be written anew', async (t) => {
    const q = words('en', 'qa');
    const page = await newPage(browser);
    t.after(() => page.context().close());
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, q);
    await page.locator('.qa-hit').first().click();
    const sheet = page.getByRole('complementary', { name: q('review.label') });
    await sheet.waitFor();
    await page.locator('#transcript').focus();
    await page.keyboard.press('c');
    const comment = sheet.locator('.criterion textarea');
    await comment.and(page.locator(':focus')).waitFor();
    await page.keyboard.type('late');
    await page.keyboard.press('Escape');
    await comment.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.type('very late');
    assert.equal(await comment.count(), 1);
    assert.equal(await comment.inputValue(), 'very late');
  });

  test('the title of the window follows the language', async (t) => {
    const page = await newPage(browser, { lang: 'en' });
    t.after(() => page.context().close());
    const [en, zh] = [words('en', 'qa'), words('zh-CN', 'qa')];
    await page.goto(`${demo.origin}/qa`);
    await signIn(page, en);
    assert.equal(await page.title(), en('qa.title'));
    await page.getByRole('button', { name: en('menu', { name: NAMES.quinn }) }).click();
    await page.getByRole('menuitemradio', { name: '中文' }).click();
    await page.getByRole('textbox', { name: zh('search.label') }).waitFor();
    await until(async () => (await page.title()) === zh('qa.title'), async () => `the title is ${await page.title()}`, 5_000);
  });
});
