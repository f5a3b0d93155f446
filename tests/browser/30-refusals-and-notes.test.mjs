// "Not solved", a reply that comes too late, and what is written for colleagues only.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, still, troublesOf } from './lib/browser.mjs';
import { NAMES, Rep, Shopper, times, untilList } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';
import { like } from './lib/words.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function ownDemo(t) {
  const demo = await startDemo();
  t.after(() => demo.end());
  return demo;
}

test('"not solved" is as easy to press as "solved" and brings the case back to its owner', async (t) => {
  const demo = await ownDemo(t);
  const mei = await Rep.come(browser, demo.origin, 'mei');
  const shopper = await Shopper.come(browser, demo.origin);
  t.after(() => Promise.all([shopper.page.context().close(), mei.page.context().close()]));
  await shopper.open();
  await shopper.ask('灯不亮了，怎么办？', { name: '赵敏' });
  await mei.accept();
  await mei.send('请先换一个灯泡试试。');
  await shopper.said('请先换一个灯泡试试。').waitFor();

  const tom = await Staff.come(demo.origin, 'tom');
  await mei.leaveText();
  await mei.page.keyboard.press('h');
  const hand = mei.dialog('transfer.title');
  const to = hand.locator('option:not([disabled])', { hasText: NAMES.tom });
  await to.waitFor({ state: 'attached' });
  await hand.getByLabel(mei.t('transfer.to')).selectOption(await to.getAttribute('value'));
  await hand.getByLabel(mei.t('card.summary')).fill('Lamp stays dark.');
  await hand.getByRole('button', { name: mei.t('transfer.submit'), exact: true }).click();
  const chat = await tom.accept();
  await tom.say(chat, '换一个新的给您。');
  await tom.resolve(chat, '换新');

  await shopper.button('solve.no').waitFor();
  await still(shopper.page);
  const [yes, no] = await Promise.all([shopper.button('solve.yes').boundingBox(), shopper.button('solve.no').boundingBox()]);
  assert.ok(Math.abs(yes.width - no.width) < 2 && Math.abs(yes.height - no.height) < 2 && yes.height >= 40, `solved ${JSON.stringify(yes)}, not solved ${JSON.stringify(no)}`);
  await shopper.button('solve.no').click();
  await shopper.log.getByText(shopper.t('event.refused')).waitFor();
  await shopper.button('solve.no').waitFor({ state: 'detached' });

  // The owner, not the deputy, has it again.
  await mei.offer.or(mei.row('赵敏')).first().waitFor();
  if (await mei.offer.count()) await mei.accept();
  else await mei.row('赵敏').first().click();
  await mei.page.getByRole('main').getByText(mei.t('head.owner', { owner: mei.t('you') }), { exact: true }).waitFor();
  await mei.log.getByText(mei.t('event.refused')).waitFor();
  await mei.send('抱歉，我马上再查。');
  await shopper.said('抱歉，我马上再查。').waitFor();
  await shopper.panel.getByText(shopper.t('head.owner'), { exact: true }).waitFor();
  await still(shopper.page);
  await shopper.shot('not-solved-shopper');
  await mei.shot('not-solved-owner');
  assert.deepEqual(troublesOf(shopper.page), []);
  assert.deepEqual(troublesOf(mei.page), []);
  tom.leave();
});

test('a reply that is refused because somebody else answers now stays as a draft and never reaches the shopper', async (t) => {
  const demo = await ownDemo(t);
  const proxy = await startProxy(demo.port);
  const mei = await Rep.come(browser, proxy.origin, 'mei');
  const shopper = await Shopper.come(browser, demo.origin, { lang: 'en' });
  t.after(async () => {
    await Promise.all([shopper.page.context().close(), mei.page.context().close()]);
    await proxy.end();
  });
  await shopper.open();
  await shopper.ask('Where is my duvet?', { name: 'Olga' });
  await mei.accept();
  await mei.send('I look for it.');
  await shopper.said('I look for it.').waitFor();
  const lin = await Staff.come(demo.origin, 'lin');
  const tom = await Staff.come(demo.origin, 'tom');
  const chat = await mei.row('Olga').getAttribute('data-chat');

  proxy.cut();
  await mei.box.fill('It is in Suzhou.');
  await mei.box.press('Enter');
  await mei.log.getByText(mei.t('msg.pending')).waitFor();
  await lin.call({ t: 'chat.reassign', chat, to: tom.me.id, reason: 'mei is away' });
  await tom.say(chat, 'It arrives today.');
  proxy.mend();

  await mei.toast('It is in Suzhou.').or(mei.toast(like(mei.t('refused.kept').replace('{why} ', '')))).first().waitFor({ timeout: 35_000 });
  await untilList(async () => [await mei.box.inputValue()], ([v]) => v === 'It is in Suzhou.', 'the text is a draft again');
  assert.ok(await mei.box.isDisabled(), 'who is not the handler cannot write to the shopper');
  await mei.page.getByRole('note').getByText(mei.t('composer.handler', { name: NAMES.tom })).waitFor();
  await mei.row('Olga').getByText(mei.t('row.draft')).waitFor();
  await still(mei.page);
  await mei.shot('refused-reply');
  await shopper.said('It arrives today.').waitFor();
  assert.equal(times(await shopper.messages(), 'It is in Suzhou.'), 0);
  assert.equal(times(await mei.messages(), 'It is in Suzhou.'), 0);
  await mei.page.reload();
  await mei.row('Olga').click();
  await untilList(async () => [await mei.box.inputValue()], ([v]) => v === 'It is in Suzhou.', 'the draft survives a reload');
  lin.leave();
  tom.leave();
});

test('a note is for colleagues: it looks different and the shopper never sees a word of it', async (t) => {
  const demo = await ownDemo(t);
  const mei = await Rep.come(browser, demo.origin, 'mei', { lang: 'zh-CN' });
  const shopper = await Shopper.come(browser, demo.origin);
  t.after(() => Promise.all([shopper.page.context().close(), mei.page.context().close()]));
  const frames = [];
  shopper.page.on('websocket', (ws) => ws.on('framereceived', (f) => frames.push(String(f.payload))));
  await shopper.open();
  await shopper.ask('发票可以补开吗？', { name: '孙丽' });
  await mei.accept();
  await mei.send('可以的。');
  await mei.leaveText();
  await mei.page.keyboard.press('n');
  await mei.page.getByRole('button', { name: mei.t('composer.note'), exact: true, pressed: true }).waitFor();
  assert.equal(await mei.box.getAttribute('placeholder'), mei.t('composer.to_note'));
  await mei.page.getByText(mei.t('composer.note_says')).waitFor();
  await mei.box.fill('这位顾客上次投诉过，暗号蓝莓');
  await mei.shot('note-mode');
  await mei.page.keyboard.press('Enter');
  const note = mei.log.getByText('这位顾客上次投诉过，暗号蓝莓');
  await note.waitFor();
  await mei.log.getByText(mei.t('note.hidden')).waitFor();
  const colours = await mei.page.evaluate(() => {
    const ground = (e) => {
      while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
      return getComputedStyle(e).backgroundColor;
    };
    const of = (text) => ground([...document.querySelectorAll('[role=log] .text-body')].find((x) => x.textContent.includes(text)));
    return [of('暗号蓝莓'), of('可以的')];
  });
  assert.notEqual(colours[0], colours[1], 'a note has another ground than a reply');
  await mei.leaveText();
  await mei.page.keyboard.press('r');
  await mei.send('请告诉我订单号。');
  await shopper.said('请告诉我订单号。').waitFor();
  await mei.shot('note-in-log');
  assert.ok(frames.length > 3, 'the shopper was sent something');
  assert.ok(!frames.some((f) => f.includes('蓝莓')), 'no frame to the shopper holds the note');
  assert.ok(!(await shopper.page.content()).includes('蓝莓'));
  await shopper.page.reload();
  await shopper.open();
  await shopper.said('请告诉我订单号。').waitFor();
  assert.equal(await shopper.panel.getByText('蓝莓').count(), 0);
  assert.ok(!frames.some((f) => f.includes('蓝莓')), 'nor after a reload');
});
