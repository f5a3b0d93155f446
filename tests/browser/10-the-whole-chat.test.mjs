// One chat from the first word to the stored review: shopper on a phone, two reps and QA at desks, in both languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, newPage, shot, still, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep, Shopper, times, untilList } from './lib/people.mjs';
import { PASSWORD, startDemo } from './lib/server.mjs';
import { like, words } from './lib/words.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const scripts = {
  'zh-CN': {
    name: '王芳', ask: '你好，我上周退货了，退款什么时候能到账？', find: '退款', edit: '王女士，您好！', more: '我已经等了五天了，麻烦帮我查一下。', answer: '我帮您查到了，退款今天已经原路退回。',
    thanks: '好的，谢谢！', comment: '很耐心，处理得很快。',
  },
  en: {
    name: 'Anna Smith', ask: 'Hello, I sent back a lamp last week. When do I get my refund?', find: 'refund', edit: 'Hello Anna! ', more: 'It has been five days already, please look into it.',
    answer: 'I found it: the refund went out to your card today.', thanks: 'Great, thank you!', comment: 'Patient and quick.',
  },
};
const cards = {
  en: { summary: 'Refund of a returned lamp is late. Payments must look it up.', requirements: 'Speak slowly', promised: 'Call back by four', done: 'The refund was sent today.', mark: 'Looked it up at once', whole: 'Well handled' },
  'zh-CN': { summary: '退货的灯还没退款，需要查付款。', requirements: '请说慢一点', promised: '四点前回电', done: '退款今天已经退回。', mark: '马上去查了', whole: '处理得很好' },
};

for (const [shopperLang, staffLang] of [['zh-CN', 'en'], ['en', 'zh-CN']]) {
  test(`a ${shopperLang} shopper is answered, handed over, satisfied and reviewed by ${staffLang} staff`, async (t) => {
    const say = scripts[shopperLang];
    const card = cards[staffLang];
    const tag = `walk-${shopperLang}`;
    const pages = [];
    const demo = await startDemo();
    t.after(async () => {
      await Promise.all(pages.map((p) => p.context().close()));
      await demo.end();
    });
    const stage = (what, run) => run().catch((e) => Promise.all(pages.map((p, i) => shot(p, tag, 'failed', i).catch(() => undefined))).then(() => {
      throw new Error(`${what}: ${e.message}\n${pages.map((p) => p.troubles.join('\n')).join('\n')}`, { cause: e });
    }));

    const mei = await Rep.come(browser, demo.origin, 'mei', { lang: staffLang });
    pages.push(mei.page);
    const shopper = await Shopper.come(browser, demo.origin, { lang: shopperLang });
    pages.push(shopper.page);
    await shopper.shot(tag, '01-storefront');

    await stage('the shopper asks', async () => {
      await shopper.open();
      await still(shopper.page);
      await shopper.shot(tag, '02-pre-chat');
      await shopper.ask(say.ask, { name: say.name });
      await shopper.shot(tag, '03-asked');
    });

    await stage('mei is offered the chat and accepts by key', async () => {
      await mei.offer.getByText(say.ask).waitFor();
      await mei.offer.getByText(say.name).waitFor();
      await mei.shot(tag, '04-offer');
      await mei.accept();
      await mei.said(say.ask).waitFor();
      await shopper.log.getByText(shopper.t('event.assigned', { name: NAMES.mei })).waitFor();
    });

    await stage('mei sees a suggestion, inserts it by key, edits and sends', async () => {
      await mei.suggestions.getByRole('button').first().waitFor();
      const articles = await mei.suggestions.locator('.suggestion-title').allInnerTexts();
      assert.ok(articles.length > 0 && articles.length <= 3, `suggested: ${articles}`);
      await still(mei.page);
      await mei.shot(tag, '05-suggestion');
      await mei.leaveText();
      await mei.page.keyboard.press('1');
      await untilList(async () => [await mei.box.inputValue()], ([v]) => v.length > 20, 'the suggestion is in the composer');
      assert.ok(await mei.box.evaluate((e) => e === document.activeElement), 'the composer has the focus');
      await mei.page.keyboard.press('Control+Home');
      await mei.page.keyboard.insertText(say.edit);
      const text = await mei.box.inputValue();
      assert.ok(text.startsWith(say.edit));
      await mei.shot(tag, '06-inserted');
      await mei.page.keyboard.press('Enter');
      await untilList(async () => [await mei.box.inputValue()], ([v]) => v === '', 'the draft is cleared');
      await untilList(() => shopper.messages(), (l) => l.some((m) => m.startsWith(say.edit)), 'the shopper reads the answer');
      await untilList(() => mei.messages(), (l) => l.length === 2, 'mei sees question and answer');
    });

    await stage('the shopper sees who is responsible', async () => {
      await shopper.log.getByText(shopper.t('event.owned', { name: NAMES.mei })).waitFor();
      await shopper.panel.getByRole('heading', { name: NAMES.mei }).waitFor();
      await shopper.panel.getByText(shopper.t('head.owner'), { exact: true }).waitFor();
      await still(shopper.page);
      await shopper.shot(tag, '07-responsible');
    });

    const tom = await Rep.come(browser, demo.origin, 'tom', { lang: staffLang });
    pages.push(tom.page);
    await stage('mei hands over to tom with a card', async () => {
      await shopper.send(say.more);
      await mei.said(say.more).waitFor();
      await mei.leaveText();
      await mei.page.keyboard.press('h');
      const dialog = mei.dialog('transfer.title');
      await dialog.waitFor();
      await untilList(() => dialog.getByLabel(mei.t('transfer.to')).locator('option:not([disabled])').allInnerTexts(), (l) => l.some((o) => o.startsWith(NAMES.tom)), 'tom can receive');
      const value = await dialog.locator('option', { hasText: NAMES.tom }).getAttribute('value');
      await dialog.getByLabel(mei.t('transfer.to')).selectOption(value);
      await dialog.getByLabel(mei.t('card.summary')).fill(card.summary);
      await dialog.getByLabel(like(mei.t('card.requirements'))).fill(card.requirements);
      await dialog.getByLabel(like(mei.t('card.promised'))).fill(card.promised);
      await dialog.getByLabel(mei.t('check.order')).check();
      await mei.shot(tag, '08-hand-over');
      await dialog.getByRole('button', { name: mei.t('transfer.submit'), exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
    });

    await stage('tom gets the card, accepts and answers', async () => {
      const offer = tom.handover('mei');
      await offer.getByText(card.summary).waitFor();
      for (const text of [card.requirements, card.promised, tom.t('check.order')]) await offer.getByText(text).waitFor();
      await tom.shot(tag, '09-handover-offer');
      await tom.accept(offer);
      await tom.said(say.ask).waitFor();
      await mei.toast(mei.t('transfer.accepted_by', { name: NAMES.tom })).waitFor();
      await shopper.log.getByText(shopper.t('event.transferred', { name: NAMES.tom, owner: NAMES.mei })).waitFor();
      await shopper.panel.getByText(shopper.t('head.deputy', { owner: NAMES.mei }), { exact: true }).waitFor();
      await tom.send(say.answer);
      await shopper.said(say.answer).waitFor();
      await still(tom.page);
      await tom.shot(tag, '10-answered');
      await still(shopper.page);
      await shopper.shot(tag, '11-answered');
      await shopper.send(say.thanks);
      await tom.said(say.thanks).waitFor();
    });

    await stage('tom resolves, the shopper confirms and rates', async () => {
      await tom.send(say.answer);
      await tom.leaveText();
      await tom.page.keyboard.press('e');
      const dialog = tom.dialog('resolve.title');
      await dialog.getByLabel(tom.t('resolve.summary')).fill(card.done);
      await tom.shot(tag, '12-resolve');
      await dialog.getByRole('button', { name: tom.t('resolve.submit'), exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await shopper.button('solve.yes').waitFor();
      await still(shopper.page);
      await shopper.shot(tag, '13-proposed');
      await shopper.button('solve.yes').click();
      await shopper.log.getByText(shopper.t('event.confirmed')).waitFor();
      await shopper.panel.getByRole('radio', { name: shopper.t('rate.5') }).check({ force: true });
      await shopper.panel.getByRole('textbox', { name: shopper.t('rate.comment') }).fill(say.comment);
      await still(shopper.page);
      await shopper.shot(tag, '14-rating');
      await shopper.button('rate.send').click();
      await shopper.panel.getByText(shopper.t('rate.thanks')).waitFor();
      await still(shopper.page);
      await shopper.shot(tag, '15-rated');
      const seen = await shopper.messages();
      for (const text of [say.ask, say.more, say.thanks]) assert.equal(times(seen, text), 1, `${text} once in ${JSON.stringify(seen)}`);
    });

    const qa = await newPage(browser, { lang: staffLang });
    pages.push(qa);
    const q = words(staffLang, 'qa');
    await stage('quinn finds the chat, reads it with its events and scores it by keys', async () => {
      await qa.goto(`${demo.origin}/qa`);
      await qa.getByLabel(q('login.login')).fill('quinn');
      await qa.getByLabel(q('login.password')).fill(PASSWORD);
      await qa.keyboard.press('Enter');
      const search = qa.getByRole('textbox', { name: q('search.label') });
      await search.waitFor();
      await qa.locator('#qa-search').evaluate((e) => e.blur());
      await qa.keyboard.press('/');
      await qa.keyboard.insertText(say.find);
      await qa.keyboard.press('Enter');
      const results = qa.getByRole('navigation', { name: q('results.label') });
      const hit = results.getByRole('button').filter({ hasText: NAMES.mei }).filter({ has: qa.locator('mark', { hasText: say.find }) });
      await hit.first().waitFor();
      await qa.waitForURL(/[?&]q=/);
      await hit.first().click();
      const transcript = qa.getByRole('main');
      await transcript.getByText(say.ask, { exact: false }).first().waitFor();
      await transcript.getByText(say.comment).waitFor();
      for (const key of ['events.hide']) await qa.getByRole('button', { name: q(key) }).waitFor();
      for (const text of [
        q('event.owned', { to: NAMES.mei }), q('event.transfer_offered', { by: NAMES.mei, to: NAMES.tom }), q('event.transferred', { to: NAMES.tom }), q('event.confirmed'), q('event.rated', { n: 5 }),
      ]) {
        await transcript.getByText(text, { exact: false }).first().waitFor();
      }
      await still(qa);
      await shot(qa, tag, '16-transcript');

      const sheet = qa.getByRole('complementary', { name: q('review.label') });
      const criteria = await sheet.locator('.criterion').count();
      assert.ok(criteria >= 5, `${criteria} criteria`);
      await qa.keyboard.press('ArrowDown');
      await qa.keyboard.press('c');
      await sheet.locator('.criterion textarea:focus').waitFor();
      await qa.keyboard.insertText(card.mark);
      await qa.keyboard.press('Escape');
      for (let i = 0; i < criteria; i++) await qa.keyboard.press(i === 2 ? 'x' : String(5 - (i % 2)));
      await sheet.getByText(q('review.ready')).waitFor();
      await sheet.getByLabel(like(q('review.comment'))).last().fill(card.whole);
      const score = (await sheet.locator('.sheet-score').first().innerText()).trim();
      assert.match(score, /^\d+(\.\d+)? %$/);
      await shot(qa, tag, '17-scored');
      await qa.keyboard.press('Control+Enter');
      await qa.locator('.toast').filter({ hasText: like(q('review.stored')) }).waitFor();
      await qa.reload();
      const stored = qa.getByRole('complementary', { name: q('review.label') }).getByRole('group').filter({ hasText: NAMES.quinn });
      await stored.first().waitFor();
      await stored.first().getByText(score).first().waitFor();
      await stored.first().locator('summary').click();
      await stored.first().getByText(card.mark).waitFor();
      await stored.first().getByText(card.whole).waitFor();
      await still(qa);
      await shot(qa, tag, '18-stored-review');
    });

    for (const [who, page] of Object.entries({ shopper: shopper.page, mei: mei.page, tom: tom.page, quinn: qa })) {
      assert.deepEqual(troublesOf(page), [], `console errors and CSP violations of ${who}`);
    }
  });
}
