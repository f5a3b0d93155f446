// Every state of the widget: axe without a finding, nothing wider than the screen, a screenshot; both themes, both languages, phone and desktop.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, look, troublesOf } from './lib/browser.mjs';
import { NAMES, Shopper } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { turn } from './lib/turn.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const texts = {
  'zh-CN': { name: '周杰', ask: '我的台灯退货后退款多久到账？', answer: '您好，退款一般 1～3 个工作日到账，详见 https://example.com/refund', more: '好的，谢谢！', done: '退款已在路上。', comment: '服务很好', contact: '13800000000', leave: '请帮我查一下订单。', find: '退款' },
  en: { name: 'Zoe Walker', ask: 'How long does the refund for my lamp take?', answer: 'Hello Zoe, mostly one to three working days, see https://example.com/refund', more: 'Thank you!', done: 'The refund is on its way.', comment: 'Kind and quick', contact: 'zoe@example.com', leave: 'Please look up my order.', find: 'refund' },
};

describe('the widget', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    for (const device of ['phone', 'desktop']) {
      if (turn(device === 'phone' ? 0 : 1, lang)) test(`is sound in each of its states, ${lang} on a ${device}`, async (t) => {
        const demo = await startDemo({ set: { 'care.first_ms': 5000 } });
        const proxy = await startProxy(demo.port);
        const say = texts[lang];
        const s = await Shopper.come(browser, proxy.origin, { device, lang });
        t.after(async () => {
          await s.page.context().close();
          await proxy.end();
          await demo.end();
        });
        const wrong = [];
        const state = async (name, { whole = false, ...options } = {}) => {
          wrong.push(...(await look(s.page, ['widget', name, lang, device], { ...(whole ? {} : { inside: s.panel }), ...options })));
        };

        await state('closed', { whole: true });
        await s.open();
        const contact = s.panel.getByLabel(s.t('leave.contact'));
        await contact.waitFor();
        await state('nobody-here');
        await s.button('leave.send').click();
        await s.panel.getByText(s.t('leave.no_contact')).waitFor();
        await state('message-incomplete', { themes: ['light'] });
        await s.panel.getByLabel(s.t('leave.message')).fill(say.leave);
        await contact.fill(say.contact);
        await s.button('leave.send').click();
        await s.panel.getByRole('heading', { name: s.t('leave.done') }).waitFor();
        await state('message-left');

        // One rep with room for one, who has another shopper.
        const mei = await Staff.come(proxy.origin, 'mei', { shift: false });
        await mei.call({ t: 'shift.start', capacity: 1 });
        const other = await Guest.come(demo.origin, { name: 'Other' });
        await other.start('I was first');
        await mei.accept('I was first');
        await s.page.reload();
        await s.open();
        const question = s.panel.getByRole('textbox', { name: s.t('pre.question') });
        await question.waitFor();
        await state('pre-chat');
        await question.fill(say.ask);
        await s.panel.getByRole('heading', { name: s.t('article.found') }).waitFor();
        await s.panel.locator('.article-title').first().click();
        await s.button('article.yes').first().waitFor();
        await state('pre-chat-article');
        await s.ask(say.ask, { name: say.name });
        await s.panel.getByText(s.t('wait.place', { n: 1 })).waitFor();
        await state('waiting');
        await s.panel.getByText(s.t('care.head')).waitFor({ timeout: 20_000 });
        await state('care');

        await mei.call({ t: 'shift.start', capacity: 5 });
        const chat = await mei.accept(say.ask);
        await mei.say(chat, say.answer);
        await s.log.getByText(s.t('event.owned', { name: NAMES.mei })).waitFor();
        await s.send(say.more);
        await mei.call({ t: 'chat.refer', chat, who: 'Payments', how: 'tel:+864008200000', by: '18:00' });
        await mei.call({ t: 'promise.add', chat, text: say.done, until: Date.now() + 3_600_000 });
        await s.log.getByText(s.t('card.promised')).waitFor();
        mei.ws.send(JSON.stringify({ t: 'typing', id: 'typing1', chat, on: true }));
        await s.log.getByRole('img', { name: s.t('log.typing', { name: NAMES.mei }) }).waitFor();
        await state('chat');

        proxy.cut();
        await s.box.fill(say.more);
        await s.box.press('Enter');
        await s.panel.getByText(s.t('reconnecting')).waitFor();
        await state('reconnecting');
        proxy.mend();
        await s.panel.getByText(s.t('reconnecting')).waitFor({ state: 'detached', timeout: 35_000 });

        const again = await Staff.come(demo.origin, 'mei'); // her connection was cut too
        await again.say(chat, say.done);
        await again.resolve(chat, say.done);
        await s.button('solve.no').waitFor();
        await state('proposed');
        await s.button('solve.yes').click();
        await s.panel.getByRole('radio', { name: s.t('rate.4'), exact: true }).check({ force: true });
        await s.panel.getByRole('textbox', { name: s.t('rate.comment') }).fill(say.comment);
        await state('rating');
        await s.button('rate.send').click();
        await s.panel.getByText(s.t('rate.thanks')).waitFor();
        await state('over');
        again.leave();
        mei.leave();
        other.leave();
        assert.deepEqual(wrong, []);
        assert.deepEqual(troublesOf(s.page, { but: [/WebSocket connection to .* failed/, /net::ERR_/] }), []);
      });
    }
  }
});

test('the widget and the storefront fit a screen 320 px wide and a text twice as large', async (t) => {
  const demo = await startDemo();
  const mei = await Staff.come(demo.origin, 'mei');
  const s = await Shopper.come(browser, demo.origin, { lang: 'en', viewport: { width: 320, height: 640 } });
  t.after(async () => {
    await s.page.context().close();
    mei.leave();
    await demo.end();
  });
  const wrong = await look(s.page, ['widget', '320-closed'], { themes: ['light'] });
  await s.open();
  await s.panel.getByRole('textbox', { name: s.t('pre.question') }).waitFor();
  wrong.push(...(await look(s.page, ['widget', '320-pre-chat'], { inside: s.panel, themes: ['light'] })));
  await s.ask('Averyveryverylongwordwithoutanybreak'.repeat(4), { name: 'Anna' });
  const chat = await mei.accept('Averyvery');
  await mei.say(chat, 'https://example.com/'.concat('path/'.repeat(40)));
  await s.log.getByRole('link').waitFor();
  wrong.push(...(await look(s.page, ['widget', '320-chat'], { inside: s.panel, themes: ['light'] })));
  const inside = await s.panel.evaluate((panel) => [...panel.querySelectorAll('*')].filter((e) => !e.classList.contains('sr') && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible').map((e) => e.className));
  assert.deepEqual([wrong, inside], [[], []]);
});
