// The tag in a page that is not ours: hostile styles, a strict CSP, Trusted Types. And what it costs before anybody opens it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { axe, launch, newPage, still, troublesOf } from './lib/browser.mjs';
import { Shopper } from './lib/people.mjs';
import { startDemo } from './lib/server.mjs';
import { Staff } from './lib/staff.mjs';
import { until } from './lib/wait.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const hostile = `* { all: unset !important; display: block !important; font: italic 41px/3 serif !important; color: rgb(255 0 255) !important; letter-spacing: 9px !important; }
div, button, svg, textarea, form { display: none !important; transform: rotate(33deg) !important; opacity: .1 !important; visibility: hidden !important; }
html, body { display: block !important; visibility: visible !important; opacity: 1 !important; }`;

/** A shop elsewhere: its page bears the tag of `firstline`, and the CSP that its operators would set. */
async function startShop() {
  const shop = { firstline: '' };
  shop.server = http.createServer((request, response) => {
    if (request.url === '/shop.css') {
      response.setHeader('content-type', 'text/css');
      return void response.end(hostile);
    }
    const at = shop.firstline;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', `default-src 'none'; style-src 'self'; script-src ${at}; connect-src ${at} ${at.replace('http', 'ws')}; img-src ${at} blob:; require-trusted-types-for 'script'; trusted-types 'none'`);
    response.end(`<!doctype html><html lang="en"><head><title>A shop</title><link rel="stylesheet" href="/shop.css"></head>
<body><h1>A shop</h1><p>Its own text.</p><script async src="${at}/widget.js"></script></body></html>`);
  });
  await new Promise((done) => shop.server.listen(0, '127.0.0.1', done));
  shop.origin = `http://127.0.0.1:${shop.server.address().port}`;
  return shop;
}

test('on a page with hostile styles, a strict CSP and Trusted Types the widget costs nothing before it is opened, and works', async (t) => {
  const shop = await startShop();
  const demo = await startDemo({ set: { 'site.default.origins': shop.origin } });
  shop.firstline = demo.origin;
  const mei = await Staff.come(demo.origin, 'mei');
  const page = await newPage(browser, { lang: 'en' });
  t.after(async () => {
    await page.context().close();
    mei.leave();
    shop.server.close();
    await demo.end();
  });
  const asked = [];
  const sockets = [];
  page.on('request', (r) => r.url().startsWith('http') && asked.push(new URL(r.url()).pathname));
  page.on('websocket', (w) => sockets.push(w.url()));
  await page.goto(shop.origin);
  const s = new Shopper(page, 'en');
  await s.launcher.waitFor();
  await page.waitForLoadState('networkidle');

  assert.deepEqual(asked.sort(), ['/', '/shop.css', '/widget.js']);
  assert.deepEqual(sockets, []);
  assert.deepEqual(await page.context().cookies(), []);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
  const shift = await page.evaluate(() => new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().reduce((sum, e) => sum + e.value, 0))).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => done(0)));
  }));
  assert.equal(shift, 0);
  const { width, height } = await s.launcher.boundingBox();
  assert.deepEqual([width, height], [56, 56]);

  asked.length = 0;
  await s.launcher.hover();
  await until(() => asked.length >= 2, () => `the panel is fetched: ${asked}`);
  await s.launcher.click();
  const question = s.panel.getByRole('textbox', { name: s.t('pre.question') });
  await question.waitFor();
  assert.equal(asked.length, 2, `the panel in two files: ${asked}`);
  assert.equal(sockets.length, 1);
  await s.ask('Does this work on any page?', { name: 'Ann' });
  const chat = await mei.accept('any page');
  await mei.say(chat, 'It does.');
  await s.said('It does.').waitFor();
  const looks = await s.said('It does.').evaluate((e) => {
    const c = getComputedStyle(e.closest('.bubble'));
    return [c.fontSize, c.fontStyle, c.letterSpacing, c.opacity, c.transform];
  });
  assert.deepEqual(looks, ['15px', 'normal', 'normal', '1', 'none']);
  await still(page);
  await s.shot('strange-page');
  assert.deepEqual(await axe(page, ['strange-page'], s.panel), []);
  assert.deepEqual(troublesOf(page), []);
});

test("what goes wrong in the shop's own listeners is the shop's, and stops nothing of the chat", async (t) => {
  const demo = await startDemo();
  const tom = await Staff.come(demo.origin, 'tom');
  const s = await Shopper.come(browser, demo.origin, { device: 'desktop', lang: 'en' });
  t.after(async () => {
    await s.page.context().close();
    tom.leave();
    await demo.end();
  });
  await s.page.evaluate(() => ['ready', 'open', 'started', 'message', 'unread'].forEach((name) => window.Firstline.on(name, () => {
    throw new Error(`the shop: ${name}`);
  })));
  await s.open();
  await s.page.locator('button.go[aria-busy=false]').waitFor();
  await s.ask('Do you ship to Hainan?');
  const chat = await tom.accept('Do you ship to Hainan?');
  await tom.say(chat, 'We do.');
  await s.said('We do.').waitFor();
  assert.deepEqual(await s.messages(), ['Do you ship to Hainan?', 'We do.']);
  await until(() => ['ready', 'open', 'started', 'message'].every((name) => s.page.troubles.includes(`Error: the shop: ${name}`)), 'the shop hears of its errors');
});
