// Rules 2.4, 2.6, 2.8, 2.9, 3.1 and 3.2 (docs/rules.md) as people see them, in both languages. Times are short by settings.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { axe, launch, still, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep, Shopper, times, untilList } from './lib/people.mjs';
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
  'zh-CN': {
    name: '王芳', ask: '你好，我的退款什么时候能到账？', answer: '我马上帮您查。', again: '还在查，请再等一下。', summary: '退款迟了，需要查付款。', promise: '明天上午给您准确的到账时间', done: '退款今天已退回。',
    more: '还是没有收到。', other: '李雷', otherAsk: '退款的发票怎么办？', deputy: '我接着帮您查。', back: '我回来了，退款已经退回。', phone: '13800000000',
  },
  en: {
    name: 'Anna Smith', ask: 'Hello, how long does a refund take?', answer: 'I am looking it up for you.', again: 'Still looking, a moment please.', summary: 'The refund is late, payments must look it up.', promise: 'The exact date by tomorrow morning',
    done: 'The refund was sent today.', more: 'It has not arrived.', other: 'Ben', otherAsk: 'What about the invoice of my refund?', deputy: 'I go on with this.', back: 'I am back, the refund was sent.', phone: '+44 20 7946 0000',
  },
};

/** A demo of the test's own, a shopper and what both say; all of it goes away with the test. */
async function scene(t, lang, set) {
  const demo = await startDemo({ set });
  const gone = [];
  t.after(async () => {
    await Promise.all(gone.map((end) => end()));
    await demo.end();
  });
  const keep = (who) => {
    gone.push(who.page ? () => who.page.context().close() : () => who.leave());
    return who;
  };
  return {
    demo, say: texts[lang],
    rep: async (login, more) => keep(await Rep.come(browser, demo.origin, login, { lang, ...more })),
    shopper: async (more) => keep(await Shopper.come(browser, demo.origin, { lang, ...more })),
    staff: async (login, more) => keep(await Staff.come(demo.origin, login, more)),
    guest: async (name) => keep(await Guest.come(demo.origin, { name, locale: lang })),
  };
}

/** The shopper asks, the rep takes it and owns it by the first answer. */
async function owned(s, rep, shopper) {
  await shopper.open();
  await shopper.ask(s.say.ask, { name: s.say.name });
  await rep.accept();
  await rep.send(s.say.answer);
  await shopper.said(s.say.answer).waitFor();
  await shopper.panel.getByText(shopper.t('head.owner'), { exact: true }).waitFor();
  return rep.row(s.say.name).getAttribute('data-chat');
}

async function handOver(s, rep, to) {
  await rep.command('act.transfer');
  const dialog = rep.dialog('transfer.title');
  await rep.choose(dialog.getByLabel(rep.t('transfer.to')), to);
  const submit = dialog.getByRole('button', { name: rep.t('transfer.submit'), exact: true });
  await dialog.getByLabel(rep.t('card.summary')).fill('');
  assert.ok(await submit.isDisabled(), 'a handover needs its summary');
  await dialog.getByLabel(rep.t('card.summary')).fill(s.say.summary);
  await submit.click();
  await dialog.waitFor({ state: 'detached' });
}

for (const lang of ['zh-CN', 'en']) {
  describe(`in ${lang}`, { concurrency: 2 }, () => {
    if (turn(0, lang)) test('rule 2.4: a handover that nobody accepts returns, and the handler never changed', async (t) => {
      const s = await scene(t, lang, { 'transfer.answer_ms': 4000 });
      const mei = await s.rep('mei');
      const shopper = await s.shopper();
      await owned(s, mei, shopper);
      const tom = await s.staff('tom');

      await handOver(s, mei, NAMES.tom);
      await mei.page.getByText(like(mei.t('strip.transfer', { to: NAMES.tom }))).waitFor();
      assert.ok(await mei.box.isEnabled(), 'until then the handler answers');
      const offer = await tom.take((m) => m.t === 'offer' && m.kind === 'transfer', 'the handover');
      assert.equal(offer.card.summary, s.say.summary);
      await mei.toast(mei.t('transfer.returned_from', { name: NAMES.tom })).waitFor();
      await mei.page.getByText(like(mei.t('strip.transfer', { to: NAMES.tom }))).waitFor({ state: 'detached' });
      await mei.log.getByText(mei.t('event.transfer_returned', { to: NAMES.tom })).waitFor();
      await mei.send(s.say.again);
      await shopper.said(s.say.again).waitFor();
      assert.equal(await shopper.log.getByText(shopper.t('event.transferred', { name: NAMES.tom, owner: NAMES.mei })).count(), 0);

      await handOver(s, mei, NAMES.tom);
      await tom.call({ t: 'offer.decline', chat: offer.chat });
      await untilList(() => mei.log.getByText(mei.t('event.transfer_returned', { to: NAMES.tom })).allInnerTexts(), (l) => l.length === 2, 'declined, it returns');
      await still(mei.page);
      await mei.shot('rule-2.4', lang);

      await handOver(s, mei, NAMES.tom);
      await tom.call({ t: 'offer.accept', chat: offer.chat });
      await mei.toast(mei.t('transfer.accepted_by', { name: NAMES.tom })).waitFor();
      await shopper.log.getByText(shopper.t('event.transferred', { name: NAMES.tom, owner: NAMES.mei })).waitFor();
      await shopper.panel.getByText(shopper.t('head.deputy', { owner: NAMES.mei }), { exact: true }).waitFor();
      await mei.row(s.say.name).click();
      await mei.page.getByRole('note').getByText(mei.t('composer.handler', { name: NAMES.tom })).waitFor();
      assert.ok(await mei.box.isDisabled());
      assert.deepEqual([...troublesOf(mei.page), ...troublesOf(shopper.page)], []);
    });

    if (turn(1, lang)) test('rule 2.5: what is ticked as verified, one after another, all stands on the card', async (t) => {
      const s = await scene(t, lang, {});
      const mei = await s.rep('mei');
      const shopper = await s.shopper();
      const chat = await owned(s, mei, shopper);
      const tom = await s.staff('tom');
      for (const name of ['name', 'order']) await mei.page.getByRole('checkbox', { name: mei.t(`check.${name}`), exact: true }).check();
      await mei.command('act.verify');
      const dialog = mei.dialog('verify.title');
      await dialog.getByRole('checkbox', { name: mei.t('check.phone'), exact: true }).check();
      await dialog.getByRole('button', { name: mei.t('verify.submit'), exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      const { card } = await tom.call({ t: 'chat.open', chat });
      assert.deepEqual([...card.verified].sort(), ['name', 'order', 'phone']);
      assert.deepEqual(troublesOf(mei.page), []);
    });

    if (turn(1, lang)) test('rule 2.6: "not solved" comes back to its owner ahead of the queue; without an answer it closes as unconfirmed', async (t) => {
      const s = await scene(t, lang, { 'presence.grace_ms': 300_000, 'ownership.grace_ms': 300_000, 'ownership.return_ms': 36 * 3_600_000 });
      const mei = await s.rep('mei');
      const shopper = await s.shopper();
      const chat = await owned(s, mei, shopper);
      const propose = async () => {
        await mei.send(s.say.done);
        await mei.command('act.resolve');
        await mei.dialog('resolve.title').getByLabel(mei.t('resolve.summary')).fill(s.say.done);
        await mei.page.keyboard.press('Control+Enter');
        await mei.dialog('resolve.title').waitFor({ state: 'detached' });
      };
      await propose();
      await mei.page.locator('.strip').getByText(mei.t('strip.proposed')).waitFor();
      // Her only room goes to another shopper, and a third one waits already.
      const staff = await s.staff('mei', { shift: false });
      await staff.call({ t: 'shift.start', capacity: 1 });
      const second = await s.guest(s.say.other);
      await second.start(s.say.otherAsk);
      await mei.accept();
      const third = await s.guest('Third');
      await third.start(s.say.otherAsk);
      await third.take((m) => m.t === 'queue' && m.position === 1, 'the place in the queue');
      await shopper.button('solve.no').click();
      await shopper.log.getByText(shopper.t('event.refused')).waitFor();
      await shopper.panel.getByText(shopper.t('wait.place', { n: 1 })).waitFor();
      await third.take((m) => m.t === 'queue' && m.position === 2, 'the case that came back stands ahead');
      await still(shopper.page);
      await shopper.shot('rule-2.6', lang, 'ahead');

      await staff.call({ t: 'shift.start', capacity: 2 });
      await mei.offer.getByText(s.say.name).waitFor();
      await mei.accept();
      await mei.page.getByRole('main').getByText(mei.t('head.owner', { owner: mei.t('you') }), { exact: true }).waitFor();
      await mei.log.getByText(mei.t('event.refused')).waitFor();

      // The next one has a short time to confirm: nobody presses anything.
      s.demo.settings['resolution.confirm_ms'] = 3000;
      await s.demo.restart();
      await mei.page.locator('.conn.ok').waitFor();
      await propose();
      await shopper.panel.getByText(shopper.t('head.over'), { exact: true }).waitFor();
      await shopper.panel.getByText(shopper.t('bye.back', { span: lang === 'en' ? '36 hr' : '36小时', name: NAMES.mei })).waitFor();
      const lin = await s.staff('lin', { shift: false });
      await lin.call({ t: 'chat.open', chat });
      assert.equal((await lin.take((m) => m.kind === 'closed', 'the end')).how, 'unconfirmed');
      await still(shopper.page);
      await shopper.shot('rule-2.6', lang, 'closed');
      // Of the restart: nobody listens, then Redis doesn't answer yet, and a console that asks who it is hears 503 and asks again.
      const offline = { but: [/WebSocket connection to .* failed/, /net::ERR_/, /status of 503 .*\/api\/v1\/session\)/] };
      assert.deepEqual([...troublesOf(mei.page, offline), ...troublesOf(shopper.page, offline)], []);
    });

    if (turn(2, lang)) test('rule 2.8: a handler who is gone is replaced after the grace, the shopper is told once, and the owner takes it back', async (t) => {
      const s = await scene(t, lang, { 'ownership.grace_ms': 1500, 'presence.grace_ms': 1500 });
      const mei = await s.rep('mei');
      const shopper = await s.shopper();
      await owned(s, mei, shopper);
      const tom = await s.rep('tom');
      const context = mei.page.context();
      await mei.page.close();

      await tom.offer.getByText(s.say.name).waitFor();
      await shopper.log.getByText(shopper.t('event.handler_lost')).waitFor();
      await shopper.panel.getByText(shopper.t('head.owner_away'), { exact: true }).waitFor();
      await tom.accept();
      await tom.said(s.say.ask).waitFor();
      await tom.send(s.say.deputy);
      await shopper.said(s.say.deputy).waitFor();
      await shopper.panel.getByText(shopper.t('head.deputy', { owner: NAMES.mei }), { exact: true }).waitFor();
      assert.equal(await shopper.log.getByText(shopper.t('event.handler_lost')).count(), 1, 'told once');
      await still(shopper.page);
      await shopper.shot('rule-2.8', lang, 'deputy');

      const page = await context.newPage();
      page.troubles = [];
      const again = new Rep(page, lang, 'mei');
      await page.goto(`${s.demo.origin}/console`);
      await again.page.getByText(again.t('conn.ready'), { exact: true }).waitFor({ state: 'attached' });
      // Being gone has paused her shift: it says so, and one click is enough.
      const paused = page.getByRole('status').filter({ hasText: again.t('shift.paused_away') });
      await paused.waitFor();
      await still(page);
      await again.shot('rule-2.8', lang, 'paused');
      assert.deepEqual(await axe(page, ['console', 'paused', lang]), []);
      await paused.getByRole('button', { name: again.t('shift.back') }).click();
      await page.locator('.shift.on').waitFor();
      await paused.waitFor({ state: 'detached' });
      await again.page.getByRole('navigation', { name: again.t('list.label') }).getByRole('region', { name: like(again.t('group.away')) }).getByText(s.say.name).waitFor();
      await again.row(s.say.name).click();
      await again.command('act.take_back');
      await again.box.waitFor();
      await shopper.log.getByText(shopper.t('event.taken_back', { name: NAMES.mei })).waitFor();
      await shopper.panel.getByText(shopper.t('head.owner'), { exact: true }).waitFor();
      await again.send(s.say.back);
      await shopper.said(s.say.back).waitFor();
      await tom.page.getByRole('note').getByText(tom.t('composer.handler', { name: NAMES.mei })).waitFor();
      await still(page);
      await again.shot('rule-2.8', lang, 'taken-back');
      const seen = await shopper.messages();
      for (const text of [s.say.ask, s.say.answer, s.say.deputy, s.say.back]) assert.equal(times(seen, text), 1, `${text} once in ${seen}`);
    });

    if (turn(3, lang)) test('rule 2.9: a shift ends only when each chat is handed over or parked on a promise', async (t) => {
      const s = await scene(t, lang, {});
      const mei = await s.rep('mei');
      const shopper = await s.shopper();
      await owned(s, mei, shopper);
      await mei.command('act.shift_end');
      await mei.toast(mei.t('shift.end_refused')).waitFor();
      await mei.page.getByText(mei.t('shift.on', { load: 1, room: 4 })).waitFor();
      await mei.shot('rule-2.9', lang, 'refused');

      await mei.command('act.park');
      const dialog = mei.dialog('park.title');
      assert.ok(await dialog.getByRole('button', { name: mei.t('park.submit'), exact: true }).isDisabled(), 'parking needs a promise');
      await dialog.getByLabel(mei.t('park.promise')).fill(s.say.promise);
      await dialog.getByRole('button', { name: mei.t('park.submit'), exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      const later = mei.page.getByRole('navigation', { name: mei.t('list.label') }).getByRole('region', { name: like(mei.t('group.later')) });
      await later.getByText(s.say.name).waitFor();
      await later.locator('.age').waitFor(); // when it is due
      await mei.page.getByText(mei.t('shift.on', { load: 0, room: 4 })).waitFor();
      await shopper.log.getByText(s.say.promise).first().waitFor();
      await still(shopper.page);
      await shopper.shot('rule-2.9', lang, 'promised');
      await mei.command('act.shift_end');
      await mei.page.getByText(mei.t('shift.off')).first().waitFor();
      await still(mei.page);
      await mei.shot('rule-2.9', lang, 'ended');

      // The shopper writes: it goes on with her as soon as she is back.
      await mei.command('act.shift_start');
      await mei.page.getByText(mei.t('shift.on', { load: 0, room: 4 })).waitFor();
      await shopper.send(s.say.more);
      await mei.page.getByText(mei.t('shift.on', { load: 1, room: 4 })).waitFor();
      await mei.row(s.say.name).click();
      await mei.said(s.say.more).waitFor();
      await mei.send(s.say.done);
      await shopper.said(s.say.done).waitFor();
      assert.deepEqual([...troublesOf(mei.page), ...troublesOf(shopper.page)], []);
    });

    if (turn(4, lang)) test('rules 3.1 and 3.2: who waits is cared for, the lead is alerted, nobody acts and it goes up, the lead takes over', async (t) => {
      const s = await scene(t, lang, { 'care.first_ms': 2000, 'care.alert_ms': 8000, 'care.act_ms': 3000 });
      const lin = await s.rep('lin');
      const mei = await s.staff('mei', { shift: false });
      await mei.call({ t: 'shift.start', capacity: 1 });
      await lin.command('act.shift_pause');
      await lin.page.getByText(lin.t('shift.paused')).first().waitFor();
      const other = await s.guest(s.say.other);
      await other.start(s.say.otherAsk);
      await mei.accept(s.say.otherAsk);
      await mei.say(other.chat, s.say.answer);

      const shopper = await s.shopper();
      await shopper.open();
      await shopper.ask(s.say.ask, { name: s.say.name });
      await shopper.panel.getByText(shopper.t('care.head')).first().waitFor();
      await shopper.log.locator('.article-title').first().waitFor();
      for (const key of ['care.wait', 'care.message', 'care.callback']) await shopper.button(key).waitFor();
      await still(shopper.page);
      await shopper.shot('rule-3.1', lang);

      await lin.page.getByRole('button', { name: like(lin.t('screens.board')) }).click();
      const alerts = lin.page.getByRole('region', { name: lin.t('alerts.title') });
      await alerts.getByText(s.say.name).waitFor();
      for (const key of ['alert.take_over', 'alert.move', 'alert.call_back', 'alert.explain']) await alerts.getByRole('button', { name: lin.t(key), exact: true }).waitFor();
      await untilList(() => shopper.log.locator('.card.care .card-head').allInnerTexts(), (l) => l.length === 2, 'the explanation comes once');
      await alerts.getByText(lin.t('alert.level', { n: 2 })).waitFor();
      await still(lin.page);
      await lin.shot('rule-3.2', lang, 'alert');
      await lin.command('act.shift_start');
      if (await alerts.getByText(s.say.name).count()) {
        await alerts.getByRole('button', { name: lin.t('alert.take_over'), exact: true }).click();
        await lin.dialog('alert.take_over').getByRole('button', { name: lin.t('alert.take_over'), exact: true }).click();
      }
      await lin.said(s.say.ask).waitFor();
      await lin.send(s.say.answer);
      await shopper.said(s.say.answer).waitFor();
      await shopper.panel.getByRole('heading', { name: NAMES.lin }).waitFor();
      await alerts.waitFor({ state: 'detached' });
      assert.deepEqual([...troublesOf(lin.page), ...troublesOf(shopper.page)], []);
    });
  });
}
