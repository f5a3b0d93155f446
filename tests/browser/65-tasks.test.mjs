// Rule 1.6 as people see it: a message left while the shop is closed is a task on every screen until one rep has done it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, look, still, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep, Shopper } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';
import { Guest, Staff } from './lib/staff.mjs';
import { turn } from './lib/turn.mjs';
import { like } from './lib/words.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const texts = {
  'zh-CN': { name: '王芳', text: '我的灯三天没有发货，请尽快告诉我。', contact: 'wangfang@example.org', result: '已邮件回复，明天发货。', phone: '13800000000', ask: '退款什么时候到账？', wechat: '微信：wangfang', other: '李雷', explain: '两位同事今天请假，大约还要十分钟，非常抱歉。', about: '灯罩的退款' },
  en: { name: 'Anna Smith', text: 'My lamp has not been sent for three days, please tell me when it is.', contact: 'anna@example.org', result: 'Written to: it is sent tomorrow.', phone: '+44 20 7946 0000', ask: 'When do I get my refund?', wechat: 'WeChat: anna', other: 'Ben Okafor', explain: 'Two of us are ill today, it takes about ten minutes more. I am sorry.', about: 'The refund of the lamp shade' },
};

const board = (rep) => rep.page.getByRole('main').getByRole('list', { name: rep.t('tasks.title') });
const task = (rep, text) => board(rep).getByRole('listitem').filter({ hasText: text });
const nav = (rep) => rep.page.getByRole('group', { name: rep.t('screens.label') }).getByRole('button', { name: like(rep.t('screens.tasks')) });

/** What the navigation counts, from what it says to a reader. */
const counts = (rep, n) => nav(rep).and(rep.page.getByRole('button', { name: rep.t('tasks.n', { n }) }));

describe('messages and call-backs', { concurrency: 2 }, () => {
  for (const lang of ['zh-CN', 'en']) {
    if (turn(0, lang)) test(`a message left while closed is seen live, done, and gone from the other's screen, in ${lang}`, async (t) => {
      const demo = await startDemo();
      const say = texts[lang];
      const mei = await Rep.come(browser, demo.origin, 'mei', { lang, shift: false });
      const lin = await Rep.come(browser, demo.origin, 'lin', { lang, shift: false });
      const shopper = await Shopper.come(browser, demo.origin, { lang });
      t.after(async () => {
        for (const who of [mei, lin, shopper]) await who.page.context().close();
        await demo.end();
      });
      const wrong = [];

      // Mei by key, Lin by the button; nothing is open.
      await mei.leaveText();
      await mei.page.keyboard.press('g');
      await mei.page.keyboard.press('t');
      await mei.page.getByRole('heading', { name: mei.t('tasks.none') }).waitFor();
      assert.equal(await nav(mei).getAttribute('aria-pressed'), 'true');
      wrong.push(...(await look(mei.page, ['console', 'tasks-empty', lang])));

      // The shop is closed: nobody is on shift. The form is the way in.
      await shopper.open();
      await shopper.panel.getByRole('heading', { name: shopper.t('closed.title') }).waitFor();
      await shopper.panel.getByLabel(shopper.t('leave.message')).fill(say.text);
      await shopper.panel.getByLabel(shopper.t('leave.contact')).fill(say.contact);
      await shopper.button('leave.send').click();
      await shopper.panel.getByText(shopper.t('leave.done')).waitFor();

      // Both see it without a reload: Mei on the list, Lin in the navigation and by a notice that leads there.
      await task(mei, say.text).waitFor();
      await counts(mei, 1).waitFor();
      await counts(lin, 1).waitFor();
      await lin.toast(lin.t('tasks.new_message', { name: lin.t('guest') })).getByRole('button', { name: lin.t('open') }).click();
      const there = task(lin, say.text);
      await there.getByText(lin.t('tasks.message')).waitFor();
      assert.equal(await there.getByRole('link', { name: say.contact }).getAttribute('href'), `mailto:${say.contact}`);
      await there.getByText(lin.t('you'), { exact: true }).waitFor(); // the lead owns it
      await task(mei, say.text).getByText(NAMES.lin).waitFor();

      // Somebody who waits asks to be called at a time that comes at once: overdue then, ahead of the other, and no link where there is no number.
      const wang = await Guest.come(demo.origin, { name: say.name, locale: lang });
      t.after(() => wang.leave());
      await wang.start(say.ask);
      await wang.call({ t: 'callback.ask', contact: say.phone, at: Date.now() + 1000 });
      await task(mei, say.phone).getByText(like(mei.t('due.over'))).waitFor();
      await wang.call({ t: 'callback.ask', contact: say.wechat, at: Date.now() + 3_600_000 });
      await task(mei, say.wechat).getByText(like(mei.t('due.at'))).waitFor();
      const order = await board(mei).getByRole('listitem').allInnerTexts();
      assert.deepEqual([say.phone, say.text, say.wechat].map((x) => order.findIndex((o) => o.includes(x))), [0, 1, 2]);
      assert.equal(await task(mei, say.wechat).getByRole('link').count(), 0);
      await counts(mei, 3).waitFor();
      wrong.push(...(await look(mei.page, ['console', 'tasks', lang])));
      await mei.page.getByRole('group', { name: mei.t('tasks.whose') }).getByRole('button', { name: like(mei.t('tasks.mine')) }).click();
      await mei.page.getByText(mei.t('tasks.none_mine', { n: 3 })).waitFor();
      await mei.page.getByRole('group', { name: mei.t('tasks.whose') }).getByRole('button', { name: like(mei.t('tasks.all')) }).click();

      // Mei does it by keys alone: the button, the result, and the list has it no more, here and there.
      await task(mei, say.text).getByRole('button', { name: mei.t('tasks.done') }).focus();
      await mei.page.keyboard.press('Enter');
      const dialog = mei.dialog('tasks.done');
      const submit = dialog.getByRole('button', { name: mei.t('tasks.done'), exact: true });
      assert.ok(await submit.isDisabled(), 'it says what came of it');
      wrong.push(...(await look(mei.page, ['console', 'dialog-task', lang])));
      await mei.page.keyboard.type(say.result);
      // Lin has the same dialog open: it is told that somebody was first.
      await there.getByRole('button', { name: lin.t('tasks.done') }).click();
      await lin.dialog('tasks.done').getByLabel(lin.t('tasks.result')).fill(say.result);
      await mei.page.keyboard.press('Control+Enter');
      await dialog.waitFor({ state: 'detached' });
      await mei.toast(mei.t('tasks.closed')).waitFor();
      await task(mei, say.text).waitFor({ state: 'detached' });
      assert.equal(await mei.page.evaluate(() => document.activeElement?.id), 'conversation', 'the focus is not lost with the button');
      await lin.dialog('tasks.done').getByText(lin.t('tasks.over')).waitFor();
      assert.ok(await lin.dialog('tasks.done').getByRole('button', { name: lin.t('tasks.done'), exact: true }).isDisabled());
      await lin.page.keyboard.press('Escape');
      await there.waitFor({ state: 'detached' });
      await task(lin, say.phone).waitFor();
      await counts(lin, 2).waitFor();

      // The chat it is about opens from it; a reload keeps what is open and forgets what is done.
      await task(lin, say.phone).getByRole('button', { name: lin.t('tasks.chat') }).click();
      await lin.said(say.ask).waitFor();
      await lin.page.reload();
      await lin.page.getByText(lin.t('conn.ready'), { exact: true }).waitFor({ state: 'attached' });
      await nav(lin).click();
      await task(lin, say.phone).waitFor();
      assert.equal(await task(lin, say.text).count(), 0);
      for (const [name, viewport] of [['tablet', { width: 820, height: 1180 }], ['phone', { width: 390, height: 844 }]]) {
        await mei.page.setViewportSize(viewport);
        await still(mei.page);
        wrong.push(...(await look(mei.page, ['console', `tasks-${name}`, lang], { themes: ['light'] })));
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual([...troublesOf(mei.page), ...troublesOf(lin.page), ...troublesOf(shopper.page)], []);
    });

    if (turn(1, lang)) test(`rule 3.2: the lead's explanation and call-back reach who waits, and the call-back stands on the lead's list, in ${lang}`, async (t) => {
      const demo = await startDemo({ set: { 'care.first_ms': 500, 'care.alert_ms': 1500 } });
      const say = texts[lang];
      const lin = await Rep.come(browser, demo.origin, 'lin', { lang });
      const people = [lin];
      t.after(async () => {
        for (const who of people) await who.page.context().close();
        await demo.end();
      });
      const wrong = [];
      await lin.command('act.shift_pause');
      // Somebody is on shift, and has all that she can do.
      const mei = await Staff.come(demo.origin, 'mei', { shift: false });
      await mei.call({ t: 'shift.start', capacity: 1 });
      const busy = await Guest.come(demo.origin, { name: 'First', locale: lang });
      t.after(() => [mei, busy].forEach((who) => who.leave()));
      await busy.start(say.ask);
      await mei.accept(say.ask);
      await lin.page.getByRole('button', { name: like(lin.t('screens.board')) }).click();
      const alerts = lin.page.getByRole('region', { name: lin.t('alerts.title') });

      /** A shopper with this name has waited so long that the lead is alerted; its row's button opens the act's dialog. */
      const act = async (name, key) => {
        const shopper = await Shopper.come(browser, demo.origin, { lang });
        people.push(shopper);
        await shopper.open();
        await shopper.ask(say.ask, { name });
        await alerts.getByRole('listitem').filter({ hasText: name }).getByRole('button', { name: lin.t(key), exact: true }).click();
        return { shopper, dialog: lin.dialog(key), submit: lin.dialog(key).getByRole('button', { name: lin.t(key), exact: true }) };
      };

      const one = await act(say.name, 'alert.explain');
      assert.ok(await one.submit.isDisabled(), 'an explanation has words');
      await one.dialog.getByLabel(lin.t('alert.words')).fill(say.explain);
      wrong.push(...(await look(lin.page, ['console', 'dialog-alert-explain', lang])));
      await lin.page.keyboard.press('Control+Enter');
      await lin.toast(lin.t('alert.done_explain')).waitFor();
      const told = one.shopper.log.getByText(say.explain);
      await told.waitFor();
      assert.ok((await told.innerText()).includes(NAMES.lin), 'it says who');
      await one.shopper.panel.getByText(one.shopper.t('wait.place', { n: 1 })).waitFor(); // still in its place
      wrong.push(...(await look(one.shopper.page, ['widget', 'explained', lang], { inside: one.shopper.panel })));

      const two = await act(say.other, 'alert.call_back');
      await two.dialog.getByLabel(like(lin.t('alert.contact'))).fill(say.phone);
      await two.dialog.getByLabel(like(lin.t('alert.at'))).fill('2031-05-06T16:30');
      await two.dialog.getByLabel(like(lin.t('alert.about'))).fill(say.about);
      wrong.push(...(await look(lin.page, ['console', 'dialog-alert-call-back', lang])));
      await lin.page.keyboard.press('Control+Enter');
      await lin.toast(lin.t('alert.done_call_back')).waitFor();
      await two.shopper.log.getByText(like(two.shopper.t('care.call_at'))).getByText('16:30').waitFor();
      wrong.push(...(await look(two.shopper.page, ['widget', 'called-back', lang], { inside: two.shopper.panel })));
      await nav(lin).click();
      const made = task(lin, say.about);
      for (const text of [say.other, say.phone, lin.t('tasks.callback')]) await made.getByText(text, { exact: true }).waitFor();
      await made.getByText(lin.t('you'), { exact: true }).waitFor();
      wrong.push(...(await look(lin.page, ['console', 'tasks-call-back', lang], { themes: ['light'] })));
      await made.getByRole('button', { name: lin.t('tasks.chat') }).click();
      await lin.log.getByText(like(lin.t('event.alert_acted', { by: NAMES.lin }))).first().waitFor();
      await still(lin.page);
      await lin.shot('console-called-back', lang);
      assert.deepEqual(wrong, []);
      for (const who of people) assert.deepEqual(troublesOf(who.page), []);
    });
  }
});
