// A reload in the middle of a chat, connections that are cut or go dead while both sides write.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, troublesOf } from './lib/browser.mjs';
import { Rep, Shopper, times, untilList } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A demo of the test's own: nobody's lost connection hands a chat to another test's reps. */
async function ownDemo(t) {
  const demo = await startDemo();
  t.after(() => demo.end());
  return demo;
}

const offline = [/WebSocket connection to .* failed/, /net::ERR_/];

/** Each of the texts is in the list just once, in this order. */
function onceInOrder(list, texts) {
  const seen = list.map((m) => m.trim()).filter((m) => texts.includes(m));
  assert.deepEqual(seen, texts, `in ${JSON.stringify(list)}`);
}

test('a shopper who reloads goes on in the same chat, with the draft and nothing twice', async (t) => {
  const demo = await ownDemo(t);
  const mei = await Staff.come(demo.origin, 'mei');
  const shopper = await Shopper.come(browser, demo.origin);
  t.after(() => Promise.all([shopper.page.context().close(), mei.leave()]));
  await shopper.open();
  await shopper.ask('你好，灯罩可以换吗？', { name: '李雷' });
  const chat = await mei.accept('灯罩');
  await mei.say(chat, '可以的，请问是哪一款？');
  await shopper.said('可以的，请问是哪一款？').waitFor();
  await shopper.send('月亮灯');
  await shopper.box.fill('还有，');
  const before = await shopper.messages();

  for (let i = 0; i < 2; i++) {
    await shopper.page.reload();
    await shopper.open();
    await untilList(() => shopper.messages(), (l) => l.length >= before.length, 'the log is back');
    assert.deepEqual(await shopper.messages(), before);
    assert.equal(await shopper.box.inputValue(), '还有，', 'the draft is kept');
    await shopper.panel.getByText(shopper.t('head.owner'), { exact: true }).waitFor();
  }
  await mei.say(chat, '月亮灯的灯罩有货。');
  await shopper.said('月亮灯的灯罩有货。').waitFor();
  await shopper.send('还有，多少钱？');
  await untilList(() => shopper.messages(), (l) => l.length === before.length + 2, 'two more');
  onceInOrder(await shopper.messages(), ['你好，灯罩可以换吗？', '可以的，请问是哪一款？', '月亮灯', '月亮灯的灯罩有货。', '还有，多少钱？']);
  await mei.take((m) => m.t === 'event' && m.text === '还有，多少钱？', 'the message');
  assert.equal(mei.inbox.filter((m) => m.t === 'event' && m.kind === 'message' && m.text === '月亮灯').length, 1);
  assert.deepEqual(troublesOf(shopper.page), []);
});

test('a shopper with an open chat who comes back later is told how many messages are new', async (t) => {
  const demo = await ownDemo(t);
  const mei = await Staff.come(demo.origin, 'mei');
  const shopper = await Shopper.come(browser, demo.origin, { device: 'desktop', lang: 'en' });
  t.after(() => Promise.all([shopper.page.context().close(), mei.leave()]));
  await shopper.open();
  await shopper.ask('Do you ship to Hainan?', { name: 'Ben' });
  const chat = await mei.accept('Hainan');
  await mei.say(chat, 'We do.');
  await shopper.said('We do.').waitFor();
  await shopper.page.keyboard.press('Escape');
  await shopper.panel.waitFor({ state: 'detached' });
  await mei.say(chat, 'It takes four days.');
  await shopper.page.getByRole('button', { name: 'Chat with us (1)' }).waitFor();
  await shopper.shot('unread-badge');
  await shopper.page.goto('about:blank');
  await mei.say(chat, 'By sea, that is.');
  await shopper.page.goto(demo.origin);
  await shopper.page.getByRole('button', { name: 'Chat with us (2)' }).waitFor();
  await shopper.open();
  await shopper.said('By sea, that is.').waitFor();
  await untilList(() => shopper.messages(), (l) => l.length === 4, 'four messages, each once');
  await shopper.page.getByRole('button', { name: 'Chat with us', exact: true }).waitFor();
});

test('what both sides write while the connection is cut is sent once when it is back, and the notice goes by itself', async (t) => {
  const demo = await ownDemo(t);
  const proxy = await startProxy(demo.port);
  const rep = await Rep.come(browser, proxy.origin, 'tom');
  const shopper = await Shopper.come(browser, proxy.origin);
  t.after(async () => {
    await Promise.all([shopper.page.context().close(), rep.page.context().close()]);
    await proxy.end();
  });
  await shopper.open();
  await shopper.ask('我的包裹到哪了？', { name: '韩梅' });
  await rep.accept();
  await rep.send('我看一下。');
  await shopper.said('我看一下。').waitFor();

  const notices = { shopper: shopper.panel.getByText(shopper.t('reconnecting')), rep: rep.page.getByText(rep.t('reconnecting')) };
  const cutAt = performance.now();
  proxy.cut();
  for (const text of ['好的，谢谢', '订单号是 10086']) {
    await shopper.box.fill(text);
    await shopper.box.press('Enter');
  }
  for (const text of ['在广州', '明天送到']) {
    await rep.box.fill(text);
    await rep.box.press('Enter');
  }
  for (const n of Object.values(notices)) assert.equal(await n.count(), 0, 'no notice at once');
  await shopper.log.getByText(shopper.t('msg.pending')).first().waitFor();
  await rep.log.getByText(rep.t('msg.pending')).first().waitFor();
  await Promise.all(Object.entries(notices).map(async ([who, n]) => {
    await n.waitFor();
    const after = performance.now() - cutAt;
    assert.ok(after >= 2500 && after < 6500, `the ${who}'s notice came after ${Math.round(after)} ms`);
  }));
  await shopper.shot('loss-shopper');
  await rep.shot('loss-rep');
  await shopper.box.fill('还没发的草稿');
  assert.equal(await shopper.box.inputValue(), '还没发的草稿', 'typing is not blocked');
  await rep.box.fill('草稿');

  proxy.mend();
  for (const n of Object.values(notices)) await n.waitFor({ state: 'detached', timeout: 35_000 });
  const all = ['我的包裹到哪了？', '我看一下。', '好的，谢谢', '订单号是 10086', '在广州', '明天送到'];
  for (const who of [shopper, rep]) {
    await untilList(() => who.messages(), (l) => all.every((text) => times(l, text) >= 1), 'all of it arrives');
    await who.log.getByText(who.t('msg.pending')).first().waitFor({ state: 'detached' });
    const seen = await who.messages();
    for (const text of all) assert.equal(times(seen, text), 1, `${text} once in ${JSON.stringify(seen)}`);
    for (const part of [['好的，谢谢', '订单号是 10086'], ['在广州', '明天送到']]) onceInOrder(seen, part);
  }
  assert.equal(await shopper.box.inputValue(), '还没发的草稿');
  assert.equal(await rep.box.inputValue(), '草稿');
  for (const p of [shopper.page, rep.page]) assert.deepEqual(troublesOf(p, { but: offline }), []);

  // The same after a cut during which the shopper reloads: what was pending waits in storage.
  proxy.cut();
  await shopper.box.fill('最后一句');
  await shopper.box.press('Enter');
  await shopper.said('最后一句').waitFor();
  proxy.mend();
  await shopper.page.reload();
  await rep.said('最后一句').waitFor({ timeout: 35_000 });
  await shopper.open();
  await untilList(() => shopper.messages(), (l) => times(l, '最后一句') === 1 && l.length === 7, 'once after the reload');
  await untilList(() => rep.messages(), (l) => times(l, '最后一句') === 1 && l.length === 7, 'once at the rep');
});

test('a connection that is open but dead is found out by a probe', async (t) => {
  const demo = await ownDemo(t);
  const proxy = await startProxy(demo.port);
  const mei = await Staff.come(demo.origin, 'mei');
  const shopper = await Shopper.come(browser, proxy.origin, { lang: 'en' });
  t.after(async () => {
    await Promise.all([shopper.page.context().close(), mei.leave()]);
    await proxy.end();
  });
  await shopper.open();
  await shopper.ask('Is the dead line found?', { name: 'Dee' });
  const chat = await mei.accept('dead line');
  await mei.say(chat, 'Let us see.');
  await shopper.said('Let us see.').waitFor();
  proxy.stall();
  await shopper.box.fill('Are you there?');
  await shopper.box.press('Enter');
  await mei.say(chat, 'I am here.');
  await shopper.panel.getByText(shopper.t('reconnecting')).waitFor({ timeout: 30_000 });
  proxy.mend();
  await shopper.panel.getByText(shopper.t('reconnecting')).waitFor({ state: 'detached', timeout: 35_000 });
  await shopper.said('I am here.').waitFor();
  await mei.take((m) => m.t === 'event' && m.text === 'Are you there?', 'the message');
  await untilList(() => shopper.messages(), (l) => l.length === 4 && times(l, 'Are you there?') === 1, 'each once');
});

test('when the server restarts both sides go on by themselves', async (t) => {
  const demo = await ownDemo(t);
  const rep = await Rep.come(browser, demo.origin, 'lin');
  const shopper = await Shopper.come(browser, demo.origin, { lang: 'en' });
  t.after(() => Promise.all([shopper.page.context().close(), rep.page.context().close()]));
  await shopper.open();
  await shopper.ask('Before the restart', { name: 'Ray' });
  await rep.accept();
  await rep.send('I am listening.');
  await shopper.said('I am listening.').waitFor();
  await demo.restart();
  await shopper.send('After the restart');
  await rep.said('After the restart').waitFor({ timeout: 35_000 });
  await rep.send('Still here.');
  await shopper.said('Still here.').waitFor({ timeout: 35_000 });
  for (const who of [shopper, rep]) await untilList(() => who.messages(), (l) => l.length === 4, 'four messages, each once');
});
