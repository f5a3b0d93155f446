// Every state of the console: axe without a finding, nothing wider than the screen, a screenshot; both themes, both languages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, look, newPage, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { like } from './lib/words.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const texts = {
  'zh-CN': {
    locale: 'zh-CN', name: '王芳', ask: '你好，我上周退货了，退款什么时候能到账？', more: '已经等了五天了，麻烦帮我查一下。', answer: '我马上帮您查。', note: '上次也是退款慢，注意安抚。', question: '退款单 8841 卡在哪里？',
    told: '卡在银行，明早到。', summary: '退货的灯还没退款，需要查付款。', requirements: '请说慢一点，不要打电话', promised: '四点前回电', promise: '明天上午前给您准确的到账时间', done: '退款今天已原路退回。', tag: '退款',
    whisper: '先道歉，再说时间。', others: ['李雷', '韩梅梅', '欧阳娜娜'], asks: ['灯罩碎了，可以补寄吗？', '发票抬头写错了。', '订单一直没有发货，我下周就要搬家了，能不能加急？'],
  },
  en: {
    locale: 'en', name: 'Anna Smith', ask: 'Hello, I sent back a lamp last week. When do I get my refund?', more: 'It has been five days already, please look into it.', answer: 'I am looking it up for you.', note: 'Her last refund was late too, be gentle.',
    question: 'Where is refund 8841 stuck?', told: 'At the bank, it arrives tomorrow.', summary: 'Refund of a returned lamp is late. Payments must look it up.', requirements: 'Speak slowly, no phone calls', promised: 'Call back by four', promise: 'The exact date of the refund by tomorrow morning',
    done: 'The refund was sent today.', tag: 'refund', whisper: 'Say sorry first, then the date.', others: ['Ben Okafor', 'Christina Papadopoulou-Featherstonehaugh', 'Dee'],
    asks: ['The shade is broken, can you send another?', 'The invoice has the wrong name on it.', 'My order has not been sent at all, I move house next week, could you hurry it?'],
  },
};

describe('the console', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    test(`is sound in each of a rep's states, in ${lang}`, async (t) => {
      const demo = await startDemo();
      const proxy = await startProxy(demo.port);
      const say = texts[lang];
      const page = await newPage(browser, { lang, viewport: { width: 1280, height: 720 } });
      t.after(async () => {
        await page.context().close();
        await proxy.end();
        await demo.end();
      });
      const mei = new Rep(page, lang, 'mei');
      const wrong = [];
      const state = async (name, options) => wrong.push(...(await look(page, ['console', name, lang], options)));

      await page.goto(`${proxy.origin}/console`);
      await page.getByLabel(mei.t('login.login')).waitFor();
      await state('login');
      await page.getByLabel(mei.t('login.login')).fill('mei');
      await page.getByLabel(mei.t('login.password')).fill('not it');
      await page.keyboard.press('Enter');
      await page.getByText(mei.t('login.wrong')).waitFor();
      await state('login-wrong', { themes: ['light'] });
      await mei.signIn();
      await state('off-shift');
      await mei.startShift();
      await state('empty');

      const guest = await Guest.come(demo.origin, { name: say.name, locale: say.locale });
      const chat = await guest.start(say.ask);
      await mei.offer.getByText(say.ask).waitFor();
      await state('offer');
      await mei.accept();
      await mei.suggestions.getByRole('button').first().waitFor();
      await state('suggested');
      await mei.suggestions.getByRole('button', { name: mei.t('suggest.more') }).first().click();
      await state('suggestion-open', { themes: ['light'] });
      await mei.send(say.answer);
      await guest.say(say.more);
      await mei.said(say.more).waitFor();
      await mei.leaveText();
      await page.keyboard.press('n');
      await mei.box.fill(say.note);
      await state('note');
      await page.keyboard.press('Enter');
      await mei.log.getByText(say.note).waitFor();
      await mei.leaveText();
      await page.keyboard.press('r');
      await mei.box.fill('/refund');
      await mei.page.getByRole('listbox', { name: mei.t('picker.label') }).getByRole('option').first().waitFor();
      await state('reply-picker-article');
      await mei.box.fill('/');
      await mei.page.locator('#reply-picker kbd').first().waitFor();
      await state('reply-picker');
      await mei.box.fill('/on_its_way');
      await mei.page.getByRole('option').getByText('/on_its_way').waitFor();
      await page.keyboard.press('Enter');
      await mei.page.getByText(mei.t('composer.fill', { what: '{order}' })).waitFor();
      await state('reply-canned');
      await page.keyboard.press('Escape');
      await mei.box.fill('');

      // Every dialog as it opens.
      for (const [name, key] of [['transfer', 'h'], ['consult', 'o'], ['park', 'p'], ['resolve', 'e'], ['verify', 'v'], ['keys', '?'], ['palette', 'Control+k']]) {
        await mei.leaveText();
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        await state(`dialog-${name}`);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      for (const name of ['refer', 'promise', 'triage', 'tag', 'capacity', 'settings']) {
        await mei.command(`act.${name}`);
        await page.getByRole('dialog').waitFor();
        await state(`dialog-${name}`, { themes: name === 'settings' ? ['light', 'dark'] : ['light'] });
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }

      // A question to a colleague, a promise, what was checked, a tag: all of it in the card and the log.
      const tom = await Staff.come(demo.origin, 'tom');
      await mei.command('act.consult');
      const consult = mei.dialog('consult.title');
      await mei.choose(consult.getByLabel(mei.t('consult.to')), NAMES.tom);
      await consult.getByLabel(mei.t('consult.question')).fill(say.question);
      await consult.getByRole('button', { name: mei.t('consult.submit'), exact: true }).click();
      await page.locator('.strip.note').getByText(say.question).waitFor();
      await page.getByRole('complementary').getByLabel(mei.t('check.order'), { exact: true }).check();
      await mei.command('act.promise');
      await mei.dialog('promise.title').getByLabel(mei.t('promise.text')).fill(say.promise);
      await page.keyboard.press('Control+Enter');
      await mei.log.getByText(say.promise).waitFor();
      await mei.command('act.tag');
      await mei.dialog('tag.title').getByLabel(mei.t('tag.label')).fill(say.tag);
      await page.keyboard.press('Enter');
      await page.getByRole('complementary').getByText(say.tag, { exact: true }).waitFor();
      await state('consulted');
      await tom.call({ t: 'consult.answer', chat, text: say.told });
      await mei.log.getByText(say.told).waitFor();

      // A handover under way, and more chats in the list.
      await mei.command('act.transfer');
      const hand = mei.dialog('transfer.title');
      await mei.choose(hand.getByLabel(mei.t('transfer.to')), NAMES.tom);
      await hand.getByLabel(mei.t('card.summary')).fill(say.summary);
      await hand.getByLabel(like(mei.t('card.requirements'))).fill(say.requirements);
      await hand.getByLabel(like(mei.t('card.promised'))).fill(say.promised);
      await state('dialog-transfer-filled', { themes: ['light'] });
      await hand.getByRole('button', { name: mei.t('transfer.submit'), exact: true }).click();
      await page.locator('.strip.info').waitFor();
      await tom.call({ t: 'shift.pause' });
      const guests = [];
      for (const [i, name] of say.others.entries()) {
        const g = await Guest.come(demo.origin, { name, locale: say.locale });
        await g.start(say.asks[i], i === 1 ? { class: 'care' } : {});
        if (i < 2) await mei.accept();
        guests.push(g);
      }
      await mei.offer.waitFor();
      await mei.row(say.name).click();
      await state('busy');
      await mei.offer.getByRole('button', { name: mei.t('act.accept') }).click();
      await mei.offer.waitFor({ state: 'detached' });
      await mei.row(say.name).click();

      // Tom takes it, asks, hands it back by parking: mei owns a chat that another handles.
      await tom.call({ t: 'shift.start', capacity: 50 });
      await tom.call({ t: 'offer.accept', chat });
      await page.getByRole('note').getByText(mei.t('composer.handler', { name: NAMES.tom })).waitFor();
      await state('handed-over');
      await mei.command('act.take_back');
      await mei.toast(mei.t('done.taken_back')).waitFor();
      await mei.command('act.park');
      await mei.dialog('park.title').getByLabel(mei.t('park.promise')).fill(say.promise);
      await page.keyboard.press('Control+Enter');
      await mei.row(say.name).getByText(mei.t('state.parked')).waitFor();
      await mei.row(say.name).click();
      await state('parked');
      await mei.command('act.unpark');
      await mei.send(say.done);
      await mei.command('act.resolve');
      await mei.dialog('resolve.title').getByLabel(mei.t('resolve.summary')).fill(say.done);
      await page.keyboard.press('Control+Enter');
      await mei.row(say.name).getByText(mei.t('state.proposed')).waitFor();
      await mei.row(say.name).click();
      await page.locator('.strip').getByText(mei.t('strip.proposed')).waitFor();
      await state('proposed');
      await guest.call({ t: 'chat.confirm', chat, solved: true });
      await page.locator('.strip').getByText(mei.t('strip.closed')).waitFor();
      await state('over');

      // A lost connection, a text on its way; and the same desk on a tablet and a phone.
      await mei.row(say.others[0]).click();
      proxy.cut();
      await mei.box.fill(say.answer);
      await mei.box.press('Enter');
      await page.getByText(mei.t('reconnecting')).waitFor();
      await state('reconnecting');
      proxy.mend();
      await page.getByText(mei.t('reconnecting')).waitFor({ state: 'detached', timeout: 35_000 });
      await page.setViewportSize({ width: 820, height: 1180 });
      await state('tablet', { themes: ['light'] });
      await page.getByRole('button', { name: mei.t('act.fold_card') }).click();
      await state('tablet-card', { themes: ['light'] });
      await page.keyboard.press('Escape');
      await page.locator('.drawer-shade').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: mei.t('act.fold_card') }).and(page.locator(':focus')).waitFor();
      await page.setViewportSize({ width: 390, height: 844 });
      await state('phone', { themes: ['light'] });
      assert.deepEqual(wrong, []);
      assert.deepEqual(troublesOf(page, { but: [/WebSocket connection to .* failed/, /net::ERR_/] }), []);
      for (const g of [guest, ...guests, tom]) g.leave();
    });
  }
});
