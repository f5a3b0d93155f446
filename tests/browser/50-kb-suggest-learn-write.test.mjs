// The knowledge base as people use it: suggested, inserted by key, edited and sent; first for the next who asks; what nobody could
// answer becomes an article. Then each of its screens: both themes, both languages, desktop and phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, look, newPage, shot, still, troublesOf } from './lib/browser.mjs';
import { Rep, Shopper, untilList } from './lib/people.mjs';
import { PASSWORD, startDemo } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { like, words } from './lib/words.mjs';

// Asked in words that the article doesn't have: that it comes first the second time is learned.
const QUESTION = '我想问一下，买的东西不喜欢了怎么办呢';
const GAP = '你们能上门教我弹古筝吗，一节课要多少钱';
const GAP_ANSWER = '抱歉，我们不提供古筝课程，可以向您推荐隔壁的琴行。';
let browser;
let demo;
const pages = [];
before(async () => {
  browser = await launch();
  demo = await startDemo({ set: { 'kb.threshold_permille': 50 } });
});
after(async () => {
  await browser?.close();
  await demo?.end();
});

const titles = (rep) => rep.suggestions.locator('.suggestion-title').allInnerTexts();

/** A shopper asks in Chinese, Mei takes the chat. */
async function asks(mei, text, name) {
  const shopper = await Shopper.come(browser, demo.origin, { lang: 'zh-CN' });
  pages.push(shopper.page);
  await shopper.open();
  await shopper.ask(text, { name });
  await mei.accept();
  await mei.said(text).waitFor();
  return shopper;
}

/** Signs in at /console as who keeps the knowledge base, and opens it. */
async function keeper({ lang, device = 'desktop' }) {
  const page = await newPage(browser, { lang, device });
  pages.push(page);
  const c = words(lang, 'console');
  const k = words(lang, 'knowledge');
  await page.goto(`${demo.origin}/console`);
  await page.getByLabel(c('login.login')).fill('admin');
  await page.getByLabel(c('login.password')).fill(PASSWORD);
  await page.getByRole('button', { name: c('login.submit') }).click();
  await page.getByRole('button', { name: c('screens.knowledge') }).click();
  await page.getByRole('heading', { name: k('kb.title') }).waitFor();
  return { page, c, k };
}

test('suggested, inserted by key, edited, sent; first for the next; a gap becomes an article', async () => {
  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'zh-CN' });
  pages.push(mei.page);
  const first = await asks(mei, QUESTION, '陈晨');
  const before = await untilList(() => titles(mei), (l) => l.length > 1, 'several articles are suggested');
  const wanted = before[before.length - 1];
  await mei.leaveText();
  await mei.page.keyboard.press(String(before.length));
  await untilList(async () => [await mei.box.inputValue()], ([v]) => v.length > 20, 'the article is in the composer');
  await mei.page.keyboard.press('Control+Home');
  await mei.page.keyboard.insertText('陈女士，您好！');
  await mei.page.keyboard.press('Enter');
  await untilList(() => first.messages(), (l) => l.some((m) => m.startsWith('陈女士，您好！')), 'the shopper reads it');

  const second = await asks(mei, QUESTION, '李雷');
  await untilList(() => titles(mei), (l) => l[0] === wanted, 'what was used comes first');
  assert.notEqual(before[0], wanted);
  await still(mei.page);
  await shot(mei.page, 'kb', 'first-for-the-next');
  await second.page.close();

  const gap = await asks(mei, GAP, '赵敏');
  for (const article of await mei.suggestions.locator('.suggestion').all()) await article.waitFor();
  for (let n = await mei.suggestions.locator('.suggestion').count(); n > 0; n--) {
    await mei.suggestions.getByRole('button', { name: like(mei.t('suggest.reject')) }).first().click();
    await until(async () => (await mei.suggestions.locator('.suggestion').count()) < n, 'the rejected one goes');
  }
  await mei.send(GAP_ANSWER);
  await gap.said(GAP_ANSWER).waitFor();

  const { page, k } = await keeper({ lang: 'zh-CN' });
  const item = page.getByRole('main').getByRole('listitem').filter({ hasText: GAP });
  await until(async () => {
    await page.getByRole('button', { name: k('kb.tab.articles'), exact: true }).click();
    await page.getByRole('button', { name: k('kb.tab.gaps'), exact: true }).click();
    await item.first().waitFor({ timeout: 1500 });
    return true;
  }, 'the question stands in the list of gaps', 15_000);
  await item.getByText(GAP_ANSWER).waitFor();
  assert.equal(await page.getByRole('main').getByRole('listitem').filter({ hasText: QUESTION }).count(), 0, 'what was answered by an article is no gap');
  await shot(page, 'kb', 'gap');
  await item.getByRole('button', { name: k('kb.make') }).click();
  const zh = page.getByRole('group', { name: k('kb.lang_zh') });
  assert.equal(await zh.getByLabel(like(k('kb.questions'))).inputValue(), GAP);
  assert.equal(await zh.getByRole('textbox', { name: k('kb.body') }).inputValue(), GAP_ANSWER);
  await page.getByLabel(k('kb.id'), { exact: true }).fill('guzheng-lessons');
  await shot(page, 'kb', 'draft');
  await page.getByRole('button', { name: k('kb.save'), exact: true }).click();
  await page.getByText(like(k('kb.saved'))).waitFor();
  await page.getByRole('button', { name: k('kb.back') }).click();
  await page.getByRole('button', { name: k('kb.tab.gaps'), exact: true }).click();
  await page.getByText(k('kb.gaps_says')).waitFor();
  await until(async () => (await page.getByRole('main').getByRole('listitem').filter({ hasText: GAP }).count()) === 0, 'the gap is closed');
  for (const p of pages) assert.deepEqual(p.isClosed() ? [] : troublesOf(p), []);
});

/** Looks an article up and opens it. */
async function edit(page, k, article) {
  const rows = page.locator('.kb-row');
  await rows.first().waitFor();
  const all = await rows.count();
  await page.getByPlaceholder(k('kb.search')).fill(article);
  await until(async () => (await rows.count()) < all, 'the list is what was found'); // until then it may move under the press
  await page.getByRole('button', { name: new RegExp(article) }).first().click();
  await page.getByRole('button', { name: k('kb.save'), exact: true }).waitFor();
}

test('what is written while it is saved stays, and is saved next', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  await edit(page, k, 'delivery-times');
  const title = page.getByRole('group', { name: k('kb.lang_en') }).getByLabel(k('kb.article_title'));
  let go;
  const held = new Promise((done) => (go = done));
  await page.route('**/api/v1/articles', async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  const save = page.getByRole('button', { name: k('kb.save'), exact: true });
  await title.fill('How long it takes');
  const asked = page.waitForRequest((r) => r.method() === 'POST');
  await save.click();
  await asked;
  await title.fill('How long it takes, by region');
  go();
  await page.waitForResponse((r) => r.request().method() === 'GET' && /articles\/delivery-times$/.test(r.url()));
  await until(() => save.isEnabled(), 'it can be saved');
  assert.equal(await title.inputValue(), 'How long it takes, by region');
  await save.click();
  await page.getByText(like(k('kb.saved'))).waitFor();
  assert.equal(await title.inputValue(), 'How long it takes, by region');
});

test('of two languages the one that could not be saved is saved with the next press, and nobody else is blamed', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  await edit(page, k, 'lamp-warranty-repair');
  for (const lang of ['kb.lang_zh', 'kb.lang_en']) await page.getByRole('group', { name: k(lang) }).getByLabel(k('kb.article_title')).fill('Two years 两年');
  let posts = 0;
  await page.route('**/api/v1/articles', (route) => (route.request().method() === 'POST' && ++posts === 2 ? route.abort() : route.continue()));
  const save = page.getByRole('button', { name: k('kb.save'), exact: true });
  await save.click();
  await page.getByText(k('kb.unreachable')).waitFor();
  await until(() => save.isEnabled(), 'it can be saved');
  await save.click();
  await page.getByText(like(k('kb.saved'))).waitFor();
  assert.equal(posts, 3);
});

test('two who write at once are told, and nothing of either is lost', async () => {
  const k = words('en', 'knowledge');
  const one = await keeper({ lang: 'en' });
  const two = await keeper({ lang: 'en' });
  for (const { page } of [one, two]) {
    await edit(page, k, 'coupons');
  }
  const title = ({ page }) => page.getByRole('group', { name: k('kb.lang_en') }).getByLabel(k('kb.article_title'));
  await title(one).fill('Coupons, as Ann says');
  await title(two).fill('Coupons, as Bob says');
  await one.page.getByRole('button', { name: k('kb.save'), exact: true }).click();
  await one.page.getByText(like(k('kb.saved'))).waitFor();
  await two.page.getByRole('button', { name: k('kb.save'), exact: true }).click();
  await two.page.getByText(k('kb.conflict')).waitFor();
  assert.equal(await title(two).inputValue(), 'Coupons, as Bob says', 'what was written is kept');
  await two.page.getByRole('button', { name: k('kb.show_theirs') }).click();
  const dialog = two.page.getByRole('dialog', { name: k('kb.history') });
  await dialog.getByRole('button').filter({ hasText: k('kb.version_n', { version: '1' }) }).click();
  await dialog.getByText(/as Ann says/).waitFor();
  await still(two.page);
  await shot(two.page, 'kb', 'conflict');
  await two.page.keyboard.press('Escape');
  await two.page.getByRole('button', { name: k('kb.keep_mine') }).click();
  await two.page.getByText(k('kb.conflict')).waitFor({ state: 'detached' });
  await two.page.getByRole('button', { name: k('kb.save'), exact: true }).click();
  await two.page.getByText(like(k('kb.saved'))).waitFor();
  await one.page.close();
  await two.page.close();
});

test('a part that can not be loaded says so, and comes with the next try', async () => {
  const page = await newPage(browser, { lang: 'en' });
  pages.push(page);
  const [c, k] = [words('en', 'console'), words('en', 'knowledge')];
  const part = /assets\/Knowledge-.*\.js/;
  await page.route(part, (route) => route.abort());
  await page.goto(`${demo.origin}/console`);
  await page.getByLabel(c('login.login')).fill('admin');
  await page.getByLabel(c('login.password')).fill(PASSWORD);
  await page.getByRole('button', { name: c('login.submit') }).click();
  await page.getByRole('button', { name: c('screens.knowledge') }).click();
  await page.getByRole('heading', { name: c('unreachable') }).waitFor();
  await still(page);
  await shot(page, 'kb', 'unreachable');
  await page.unroute(part);
  await page.getByRole('main').getByRole('button', { name: c('retry') }).click();
  await page.getByRole('heading', { name: k('kb.title') }).waitFor();
  await page.close();
});

test('what is written of an article outlives a look at the chats', async () => {
  const { page, c, k } = await keeper({ lang: 'en' });
  await edit(page, k, 'price-protection');
  const title = page.getByRole('group', { name: k('kb.lang_en') }).getByLabel(k('kb.article_title'));
  await title.fill('Wrapped as a present');
  await page.getByRole('button', { name: c('screens.chats'), exact: true }).click();
  await title.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: c('screens.knowledge') }).click();
  await title.waitFor();
  assert.equal(await title.inputValue(), 'Wrapped as a present');
  await page.getByRole('button', { name: k('kb.back') }).click();
  await page.getByRole('button', { name: k('kb.discard') }).click();
  await edit(page, k, 'price-protection');
  assert.notEqual(await title.inputValue(), 'Wrapped as a present', 'what was thrown away stays away');
  await page.close();
});

test('a new article that is saved is that article from then on, also after a look at the chats, and if it was saved meanwhile', async () => {
  const { page, c, k } = await keeper({ lang: 'en' });
  const id = page.getByLabel(k('kb.id'), { exact: true });
  const title = page.getByRole('group', { name: k('kb.lang_en') }).getByLabel(k('kb.article_title'));
  const save = page.getByRole('button', { name: k('kb.save'), exact: true });
  const away = async () => {
    await page.getByRole('button', { name: c('screens.chats'), exact: true }).click();
    await title.waitFor({ state: 'detached' });
  };
  const back = async () => {
    await page.getByRole('button', { name: c('screens.knowledge') }).click();
    await title.waitFor();
  };
  const begin = async (name) => {
    await page.getByRole('button', { name: k('kb.new') }).click();
    await id.fill(name);
    await title.fill(`All of ${name}`);
    await page.getByRole('group', { name: k('kb.lang_en') }).getByRole('textbox', { name: k('kb.body') }).fill('Text.');
  };
  await begin('saved-then-left');
  await save.click();
  await page.getByText(like(k('kb.saved'))).waitFor();
  await away();
  await back();
  assert.equal(await id.inputValue(), 'saved-then-left');
  await page.getByRole('button', { name: k('kb.back') }).click();

  await begin('left-then-saved');
  let go;
  const held = new Promise((done) => (go = done));
  await page.route('**/api/v1/articles', async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  const asked = page.waitForRequest((r) => r.method() === 'POST');
  const read = page.waitForResponse(/articles\/left-then-saved$/);
  await save.click();
  await asked;
  await away();
  go();
  await (await read).finished();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await back();
  assert.equal(await id.inputValue(), 'left-then-saved');
  assert.ok(await save.isDisabled(), 'all of it is saved');
  await title.fill('All of it, anew');
  await save.click();
  await page.getByText(like(k('kb.saved'))).waitFor();
  await page.close();
});

test('groups of words: what is written while they are saved stays, and that they are saved is said', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  await page.getByRole('button', { name: k('kb.tab.synonyms'), exact: true }).click();
  const box = page.getByRole('textbox', { name: k('kb.tab.synonyms') });
  const before = await box.inputValue();
  let go;
  const held = new Promise((done) => (go = done));
  await page.route('**/api/v1/synonyms', async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  const save = page.getByRole('button', { name: k('kb.save'), exact: true });
  await box.fill(`${before.trimEnd()}\nlantern, lampion\n`);
  const asked = page.waitForRequest((r) => r.method() === 'POST');
  await save.click();
  await asked;
  const longer = `${before.trimEnd()}\nlantern, lampion\nloom, weaving frame\n`;
  await box.fill(longer);
  go();
  await page.getByText(like(k('kb.saved'))).waitFor();
  assert.equal(await box.inputValue(), longer);
  await save.click();
  await until(() => save.isDisabled(), 'all of it is saved');
  await page.getByText(like(k('kb.saved'))).waitFor();
  assert.equal(await page.locator('.kb-problem').count(), 0);
  await page.close();
});

test('groups of words: what is written outlives a look elsewhere, and of two who write at once neither loses theirs unasked', async () => {
  const { page, c, k } = await keeper({ lang: 'en' });
  const tab = (p, which) => p.getByRole('button', { name: k(`kb.tab.${which}`), exact: true }).click();
  const box = (p) => p.getByRole('textbox', { name: k('kb.tab.synonyms') });
  const press = (p, name) => p.getByRole('button', { name: k(name), exact: true }).click();
  await tab(page, 'synonyms');
  const was = await box(page).inputValue();
  const mine = `${was.trimEnd()}\nsilk, satin\n`;
  await box(page).fill(mine);
  await tab(page, 'articles');
  await page.locator('.kb-row').first().waitFor();
  await tab(page, 'synonyms');
  assert.equal(await box(page).inputValue(), mine);
  const other = await keeper({ lang: 'en' });
  await tab(other.page, 'synonyms');
  const theirs = `${was.trimEnd()}\nwool, yarn\n`;
  await box(other.page).fill(theirs);
  await press(other.page, 'kb.save');
  await other.page.getByText(like(k('kb.saved'))).waitFor();
  await press(page, 'kb.save');
  await page.getByText(k('kb.conflict')).waitFor();
  await page.getByRole('button', { name: c('screens.chats'), exact: true }).click();
  await page.getByRole('button', { name: c('screens.knowledge') }).click();
  await tab(page, 'synonyms');
  assert.equal(await box(page).inputValue(), mine, 'still mine');
  await press(page, 'kb.save');
  await press(page, 'kb.show_theirs');
  await page.getByRole('main').locator('pre').filter({ hasText: 'wool, yarn' }).waitFor();
  await still(page);
  await shot(page, 'kb', 'conflict-synonyms');
  await press(page, 'kb.discard');
  await until(async () => (await box(page).inputValue()) === theirs, 'what stands');
  await box(page).fill(mine);
  await box(other.page).fill(was);
  await press(other.page, 'kb.save');
  await other.page.getByText(like(k('kb.saved'))).waitFor();
  await press(page, 'kb.save');
  await press(page, 'kb.keep_mine');
  await page.getByText(k('kb.conflict')).waitFor({ state: 'detached' });
  await press(page, 'kb.save');
  await page.getByText(like(k('kb.saved'))).waitFor();
  await tab(other.page, 'articles');
  await tab(other.page, 'synonyms');
  assert.equal(await box(other.page).inputValue(), mine);
  await other.page.close();
  await page.close();
});

const made = (n, more = {}) => ({ article: `a-${n}`, languages: [{ lang: 'en', title: `Article ${n}`, department: 'general', audience: 'shopper', version: 0, source: 'file', set_aside: false, ...more }] });

test('more of a list comes once, and only to the list that it was asked for', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  let go;
  const held = new Promise((done) => (go = done));
  let asked = 0;
  await page.route(/api\/v1\/articles\?/, async (route) => {
    const q = new URL(route.request().url()).searchParams;
    if (q.get('cursor')) {
      asked += 1;
      await held;
      await route.fulfill({ json: { items: [made(2)], next: null, total: 2 } });
    } else await route.fulfill({ json: q.get('q') ? { items: [made(3)], next: null, total: 1 } : { items: [made(1)], next: 'x', total: 2 } });
  });
  const rows = page.locator('.kb-row b');
  const tab = (which) => page.getByRole('button', { name: k(`kb.tab.${which}`), exact: true }).click();
  await tab('gaps');
  await tab('articles');
  await page.getByRole('button', { name: k('kb.more') }).dblclick();
  await page.getByPlaceholder(k('kb.search')).fill('three');
  await untilList(() => rows.allInnerTexts(), (l) => l.join() === 'Article 3', 'what was searched');
  const answered = page.waitForResponse(/cursor=/);
  go();
  await (await answered).finished();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.deepEqual(await rows.allInnerTexts(), ['Article 3']);
  assert.equal(asked, 1);
  await page.close();
});

test('all that was taught can be looked at, and taken back', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  const lesson = (n, more = {}) => ({ id: `kb_202601-${n}`, at: n, by: { id: 'r_1', name: 'Mei' }, article: 'a-1', verdict: 'used', question: `Question ${n}`, ...more });
  const undone = new Set();
  const given = (n) => lesson(n, undone.has(n) ? { undone: { at: 9, by: { id: 'r_2', name: 'Edna' } } } : {});
  await page.route(/api\/v1\/taught\?/, (route) => {
    const cursor = new URL(route.request().url()).searchParams.get('cursor');
    return route.fulfill({ json: cursor === 'x' ? { items: [given(1)], next: null } : { items: [given(2)], next: 'x' } });
  });
  await page.route(/taught\/.*\/undo$/, (route) => {
    undone.add(Number(/-(\d+)\//.exec(route.request().url())[1]));
    return route.fulfill({ json: {} });
  });
  await page.getByRole('button', { name: k('kb.tab.taught'), exact: true }).click();
  const rows = page.locator('.kb-taught b');
  await rows.first().waitFor();
  await page.getByRole('button', { name: k('kb.more') }).click();
  await untilList(() => rows.allInnerTexts(), (l) => l.join() === 'Question 2,Question 1', 'the older one');
  assert.equal(await page.getByRole('button', { name: k('kb.more') }).count(), 0);
  await page.locator('.kb-taught li').last().getByRole('button', { name: k('kb.undo') }).click();
  await page.locator('.kb-taught li.undone').filter({ hasText: 'Question 1' }).waitFor();
  assert.deepEqual(await rows.allInnerTexts(), ['Question 2', 'Question 1']);
  await page.close();
});

test('an article that is over in one language alone says so beside that language', async () => {
  const { page, k } = await keeper({ lang: 'en' });
  const one = made(1);
  const half = { ...one, languages: [{ ...one.languages[0], lang: 'zh-CN', valid_until: '2020-01-31' }, ...one.languages] };
  const whole = made(2, { valid_until: '2020-02-29' });
  await page.route(/api\/v1\/articles\?/, (route) => route.fulfill({ json: { items: [half, whole], next: null, total: 2 } }));
  await page.getByRole('button', { name: k('kb.tab.gaps'), exact: true }).click();
  await page.getByRole('button', { name: k('kb.tab.articles'), exact: true }).click();
  const marks = page.locator('.kb-row-marks');
  await marks.first().waitFor();
  assert.deepEqual((await marks.allInnerTexts()).map((t) => t.split(/\s*\n\s*/)), [['zh-CN', k('kb.over', { day: '2020-01-31' }), 'en'], ['en', k('kb.over', { day: '2020-02-29' })]]);
  await page.close();
});

for (const [lang, device] of [['zh-CN', 'desktop'], ['en', 'desktop'], ['en', 'phone'], ['zh-CN', 'phone']]) {
  test(`the screens in ${lang} on a ${device}`, async () => {
    const { page, k } = await keeper({ lang, device });
    const name = (...parts) => ['kb', ...parts, lang, device];
    const wrong = [];
    const tab = (which) => page.getByRole('button', { name: k(`kb.tab.${which}`), exact: true }).click();
    await page.locator('.kb-row').first().waitFor();
    wrong.push(...(await look(page, name('articles'))));
    await tab('gaps');
    await page.getByText(k('kb.no_stale')).waitFor();
    wrong.push(...(await look(page, name('gaps'))));
    await tab('taught');
    await page.getByText(k('kb.taught_says')).waitFor();
    await page.locator('.kb-taught li').first().waitFor();
    wrong.push(...(await look(page, name('taught'))));
    await tab('synonyms');
    await page.getByLabel(k('kb.tab.synonyms')).last().waitFor();
    wrong.push(...(await look(page, name('synonyms'))));
    await tab('articles');
    await edit(page, k, 'refund-timing');
    wrong.push(...(await look(page, name('editor'))));
    await page.getByRole('group', { name: k('kb.lang_zh') }).getByRole('button', { name: k('kb.preview') }).click();
    await page.locator('.kb-preview strong').first().waitFor();
    wrong.push(...(await look(page, name('preview'))));
    assert.deepEqual(wrong, []);
    assert.deepEqual(troublesOf(page), []);
    await page.close();
  });
}
