// What a shopper has begun stays theirs: over reloads, without a connection, over minimising, in two tabs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, troublesOf } from './lib/browser.mjs';
import { Shopper } from './lib/people.mjs';
import { startDemo, startProxy } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const offline = [/WebSocket connection to .* failed/, /net::ERR_/];

/** A demo with somebody on shift, behind a proxy, and a shopper with the panel open. */
async function shop(t, { shift = true, ...how } = {}) {
  const demo = await startDemo();
  const proxy = await startProxy(demo.port);
  const tom = await Staff.come(demo.origin, 'tom', { shift });
  const s = await Shopper.come(browser, proxy.origin, { device: 'desktop', lang: 'en', ...how });
  t.after(async () => {
    await s.page.context().close();
    tom.leave();
    await proxy.end();
    await demo.end();
  });
  await s.open();
  return { demo, proxy, tom, s, question: s.panel.getByRole('textbox', { name: s.t('pre.question') }) };
}

for (const lang of ['en', 'zh-CN']) {
  test(`a chat that could not be opened yet says so, and opens after a reload by itself, in ${lang}`, async (t) => {
    const { proxy, tom, s, question } = await shop(t, { lang });
    const chatPart = s.page.waitForResponse(/later-/);
    await question.fill('Where is my parcel?');
    await (await chatPart).finished();
    proxy.cut();
    await s.button('pre.start').click();
    await s.panel.getByText(s.t('msg.unsent')).waitFor();
    assert.equal(await s.panel.getByText(s.t('wait.keep')).count(), 0);
    await s.panel.getByText(s.t('reconnecting')).waitFor();
    await s.shot('kept-unsent', lang);
    proxy.mend();
    await s.page.reload();
    const chat = await tom.accept('Where is my parcel?');
    await tom.say(chat, 'It comes tomorrow.');
    await s.open();
    await s.said('It comes tomorrow.').waitFor();
    assert.deepEqual(troublesOf(s.page, { but: offline }), []);
  });
}

test('the focus stays in the panel when what had it is answered, and Escape closes it; a long summary leaves the rating in sight', async (t) => {
  const { tom, s, question } = await shop(t);
  await question.fill('A question');
  await s.button('pre.start').click();
  const chat = await tom.accept('A question');
  await tom.say(chat, 'A real answer to it.');
  const press = async (button) => {
    await button.focus();
    await s.page.keyboard.press('Enter');
    await button.waitFor({ state: 'detached' });
  };
  const closes = async () => {
    await s.page.keyboard.press('Escape');
    await s.panel.waitFor({ state: 'detached' });
    await s.open();
  };
  await tom.resolve(chat, 'Done.');
  await press(s.button('solve.no'));
  await closes();
  await tom.say(chat, 'Another answer to it.');
  await tom.resolve(chat, `${'Your parcel left the warehouse on Monday. '.repeat(30)}${'W'.repeat(400)}`);
  await press(s.button('solve.yes'));
  const rate = s.panel.getByRole('radio', { name: s.t('rate.4'), exact: true });
  await rate.waitFor();
  const [panel, star] = [await s.panel.boundingBox(), await s.panel.locator('.star').nth(3).boundingBox()];
  assert.ok(star.y + star.height < panel.y + panel.height, 'the stars are in sight');
  assert.equal(await s.panel.locator('.bye').evaluate((e) => e.scrollWidth - e.clientWidth), 0);
  await s.shot('kept-farewell');
  await closes();
  await rate.focus();
  await s.page.keyboard.press('Space');
  await press(s.button('rate.send'));
  await closes();
  await s.button('bye.again').click();
  await s.button('wait.leave').click();
  await s.panel.getByLabel(s.t('leave.message')).fill('Please write to me');
  await s.panel.getByLabel(s.t('leave.contact')).fill('zoe@example.com');
  await press(s.button('leave.send'));
  await s.page.keyboard.press('Escape');
  await question.waitFor();
  await s.page.keyboard.press('Escape');
  await s.panel.waitFor({ state: 'detached' });
  assert.deepEqual(troublesOf(s.page), []);
});

test('what is in the forms is there again after minimising, and a call asked for takes the question along', async (t) => {
  const { demo, s, question } = await shop(t);
  const lin = await Staff.come(demo.origin, 'lin', { shift: false });
  t.after(() => lin.leave());
  const minimise = async () => {
    await s.button('minimize').click();
    await s.panel.waitFor({ state: 'detached' });
    await s.open();
  };
  await question.fill('My washing machine leaks');
  const name = s.panel.getByRole('textbox', { name: s.t('pre.name') });
  await name.fill('Anna');
  await s.panel.locator('.chip').nth(1).click();
  await s.panel.getByRole('checkbox').check();
  await minimise();
  assert.deepEqual([await question.inputValue(), await name.inputValue(), await s.panel.locator('.chip[aria-pressed=true]').count(), await s.panel.getByRole('checkbox').isChecked()],
    ['My washing machine leaks', 'Anna', 1, true]);
  await s.button('wait.call').click();
  const phone = s.panel.getByLabel(s.t('leave.phone'));
  await phone.fill('+49 151 1234567');
  await minimise();
  assert.equal(await phone.inputValue(), '+49 151 1234567');
  await s.shot('kept-callback');
  await s.button('leave.call_send').click();
  await s.button('leave.ok').click();
  assert.equal((await lin.take((m) => m.t === 'task', 'the task')).task.text, 'My washing machine leaks');
  assert.equal(await question.inputValue(), 'My washing machine leaks');
  assert.deepEqual(troublesOf(s.page), []);
});

for (const lang of ['en', 'zh-CN']) {
  test(`a message left without a connection is sent once, after a reload too, in ${lang}`, async (t) => {
    const { demo, proxy, s } = await shop(t, { lang });
    const lin = await Staff.come(demo.origin, 'lin', { shift: false });
    t.after(() => lin.leave());
    await s.button('wait.leave').click();
    await s.panel.getByLabel(s.t('leave.message')).fill('Please write to me');
    await s.panel.getByLabel(s.t('leave.contact')).fill('zoe@example.com');
    proxy.cut();
    await s.button('leave.send').click();
    const sending = s.panel.getByText(s.t('leave.sending'));
    await sending.waitFor();
    await s.shot('kept-leaving', lang);
    await s.button('minimize').click();
    await s.open();
    await sending.waitFor();
    await s.button('back').click();
    await s.button('wait.leave').click();
    await sending.waitFor();
    proxy.mend();
    await s.page.reload();
    await lin.take((m) => m.t === 'task', 'the task');
    await s.open();
    await s.panel.getByRole('heading', { name: s.t('leave.done') }).waitFor();
    const again = await Staff.come(demo.origin, 'lin', { shift: false });
    assert.equal(again.welcome.tasks.length, 1);
    again.leave();
    assert.deepEqual(troublesOf(s.page, { but: offline }), []);
  });

  test(`a launcher that can't reach the server says so and goes on trying, in ${lang}`, async (t) => {
    const demo = await startDemo();
    const proxy = await startProxy(demo.port);
    const s = await Shopper.come(browser, proxy.origin, { device: 'desktop', lang });
    t.after(async () => {
      await s.page.context().close();
      await proxy.end();
      await demo.end();
    });
    proxy.cut();
    await s.launcher.click();
    const trying = s.page.getByRole('button', { name: lang === 'en' ? "Can't connect, trying" : '连不上，正在重试' });
    await trying.waitFor();
    for (let i = 0; i < 2; i++) await s.page.waitForEvent('requestfailed');
    proxy.mend();
    await s.panel.waitFor();
    await s.launcher.waitFor();
  });
}

test('a chat that is refused for good gives its question back, also after a reload', async (t) => {
  const { s, question } = await shop(t);
  await s.page.evaluate(() => {
    const message = { t: 'chat.start', id: 'x1', text: 'Is there a lamp?', department: 'closed-down' };
    localStorage.setItem('firstline:default:out:x1', JSON.stringify({ id: 'x1', chat: null, message, at: 1, n: 1, state: 'pending' }));
  });
  await s.page.reload();
  await s.open();
  await s.panel.getByText(s.t('error.bad_request')).waitFor();
  assert.equal(await question.inputValue(), 'Is there a lamp?');
  await s.button('pre.start').click();
  await s.panel.getByText(s.t('wait.place', { n: 1 })).waitFor();
});

test('who has scrolled up to read is left there while the other side types', async (t) => {
  const { tom, s, question } = await shop(t);
  await question.fill('A question');
  await s.button('pre.start').click();
  const chat = await tom.accept('A question');
  for (let n = 1; n <= 15; n++) await tom.say(chat, `Line ${n} of a long answer, which goes on and on until it fills the panel.`);
  await s.said('Line 15 of a long answer, which goes on and on until it fills the panel.').waitFor();
  await s.send('I read it again');
  await s.panel.getByText(new RegExp(`${s.t('msg.sent')}|${s.t('msg.delivered')}|${s.t('msg.read')}`)).waitFor();
  await s.log.evaluate((log) => new Promise((done) => {
    log.addEventListener('scroll', () => requestAnimationFrame(done), { once: true });
    log.scrollTop = 0;
  }));
  tom.ws.send(JSON.stringify({ t: 'typing', id: 'typing-1', chat, on: true, mode: 'reply' }));
  await s.panel.locator('.dots').waitFor();
  assert.equal(await s.log.evaluate((log) => log.scrollTop), 0);
  await s.send('And one more thing');
  await s.said('And one more thing').waitFor();
  assert.ok(await s.log.evaluate((log) => log.scrollTop > 0), 'what one has said oneself is shown');
});

test('a time for a call that has passed while the form was put aside is not asked for', async (t) => {
  const { s } = await shop(t);
  await s.page.addInitScript(() => {
    const now = Date.now;
    window.later = 0;
    Date.now = () => now() + window.later;
  });
  const frames = [];
  s.page.on('websocket', (ws) => ws.on('framesent', (f) => frames.push(JSON.parse(f.payload))));
  await s.page.reload();
  await s.open();
  await s.button('wait.call').click();
  await s.panel.getByLabel(s.t('leave.when')).selectOption({ index: 1 });
  await s.page.evaluate(() => (window.later = 50 * 3_600_000));
  await s.panel.getByLabel(s.t('leave.phone')).fill('13800000000');
  assert.equal(await s.panel.getByLabel(s.t('leave.when')).inputValue(), '');
  await s.button('leave.call_send').click();
  await s.panel.getByRole('heading', { name: s.t('leave.call_done') }).waitFor();
  assert.equal('at' in frames.find((f) => f.t === 'callback.ask'), false);
});

test('reset leaves nothing of the former person, also where the panel was not loaded', async (t) => {
  const { tom, s, question } = await shop(t);
  await question.fill('A question');
  await s.button('pre.start').click();
  const chat = await tom.accept('A question');
  await tom.say(chat, 'An answer to it.');
  await tom.call({ t: 'chat.resolve', chat, resolution: 'answered', summary: 'Answered.' });
  await s.button('solve.yes').click();
  await s.button('bye.again').click();
  await question.waitFor();
  const kept = () => s.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('firstline:default:')));
  await s.page.reload();
  assert.deepEqual(await kept(), ['firstline:default:token']);
  await s.page.evaluate(() => window.Firstline.reset());
  assert.deepEqual(await kept(), []);
});

test('reset in one tab takes the chat from the screen of the other, and both are the same new person after it', async (t) => {
  const { proxy, s, question } = await shop(t);
  await question.fill('A private question');
  await s.button('pre.start').click();
  await s.said('A private question').waitFor();
  const other = new Shopper(await s.page.context().newPage(), 'en');
  await other.page.goto(proxy.origin);
  await other.open();
  await other.said('A private question').waitFor();
  await s.page.evaluate(() => window.Firstline.reset());
  await other.panel.getByText('A private question').waitFor({ state: 'detached' });
  const anew = other.panel.getByRole('textbox', { name: other.t('pre.question') });
  await anew.fill('Of somebody else');
  await other.button('pre.start').click();
  await s.said('Of somebody else').waitFor();
  assert.deepEqual([await s.messages(), await other.messages()], [['Of somebody else'], ['Of somebody else']]);
});

test('on a phone a reload with the panel open leaves nothing for "back" to do but to go back', async (t) => {
  const { demo, tom, s, question } = await shop(t, { device: 'phone' });
  await s.page.goto(`${demo.origin}/?first`);
  await s.page.goto(`${demo.origin}/?second`);
  await s.open();
  await question.fill('Hello there');
  await s.button('pre.start').click();
  await tom.accept('Hello there');
  const again = async () => {
    const up = s.page.waitForEvent('websocket');
    await s.page.reload();
    await up; // the panel is there, and closed
  };
  await again();
  await s.open();
  await s.page.goBack();
  await s.launcher.waitFor();
  assert.match(s.page.url(), /second$/);
  await s.open();
  await again();
  await s.page.goBack();
  await s.page.waitForURL(/first$/);
});
