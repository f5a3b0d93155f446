// Debian's Chromium, one context a person. Each page is watched: what goes wrong in it is in `page.troubles`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUT, require } from './paths.mjs';
import { WAIT_MS } from './wait.mjs';

const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export async function launch(options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
      ...(options.args ?? [])],
  });
  browser.people = new Set();
  return browser;
}

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const desktop = { viewport: { width: 1280, height: 800 } };

/** A page of its own context. `device` phone or desktop, `lang` zh-CN or en, `theme` light or dark. */
export async function newPage(browser, { device = 'desktop', lang = 'en', theme = 'light', ...rest } = {}) {
  const context = await browser.newContext({
    ...(device === 'phone' ? phone : desktop), locale: lang === 'en' ? 'en-GB' : lang, timezoneId: 'Asia/Shanghai', colorScheme: theme, reducedMotion: 'reduce', ...rest,
  });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile ?? ''}`));
  });
  const page = await context.newPage();
  page.troubles = [];
  page.on('console', (m) => m.type() === 'error' && page.troubles.push(`${m.text()} (${m.location().url})`));
  page.on('pageerror', (e) => page.troubles.push(`${e.name}: ${e.message}`));
  page.on('crash', () => page.troubles.push('the page crashed'));
  return page;
}

/** What went wrong in a page, without what belongs to a page that asks whether somebody is signed in. */
export function troublesOf(page, { but = [] } = {}) {
  const fine = [/status of 401 .*\/api\/v1\/session\)/, ...but];
  return page.troubles.filter((t) => !fine.some((f) => f.test(t)));
}

const name = (parts) => parts.join('-').replace(/[^\w.-]+/g, '-');

/** Keeps a screenshot under output/. */
export async function shot(page, ...parts) {
  await page.screenshot({ path: join(OUT, `${name(parts)}.png`), animations: 'disabled', caret: 'initial' });
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * The violations that axe finds, one line each, and its report under output/. `inside`: a locator to look at, default the whole page.
 * The script comes by the debugger's own way, so that the page's CSP stays as it is.
 */
export async function axe(page, parts, inside) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    const cdp = await page.context().newCDPSession(page);
    const { exceptionDetails } = await cdp.send('Runtime.evaluate', { expression: axeSource });
    if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.text}`);
    await cdp.detach();
  }
  const element = inside ? await inside.elementHandle() : null;
  const found = await page.evaluate(async ([e, only]) => {
    const { violations } = await globalThis.axe.run(e ?? document, { runOnly: { type: 'tag', values: only }, resultTypes: ['violations'] });
    return violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => ({ target: n.target.flat().join(' '), html: n.html.slice(0, 300), why: n.failureSummary })) }));
  }, [element, tags]);
  if (found.length) writeFileSync(join(OUT, `${name(parts)}.axe.json`), JSON.stringify(found, null, 1));
  return found.map((v) => `${name(parts)}: ${v.id} (${v.impact}) ${v.nodes.length} × ${v.nodes[0].target}: ${v.nodes[0].why.split('\n').slice(1).join(' ').trim()}`);
}

/**
 * Looks at a state in both themes: a screenshot, what axe finds, and whether the page has to be scrolled sideways.
 * Gives what is wrong, one line each.
 */
export async function look(page, parts, { inside, themes = ['light', 'dark'] } = {}) {
  const wrong = [];
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await still(page);
    await shot(page, ...parts, theme);
    wrong.push(...(await axe(page, [...parts, theme], inside)));
  }
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) wrong.push(`${name(parts)}: ${over} px wider than the screen`);
  return wrong;
}

/** Waits until what moves has come to rest, in shadow trees too, so that a screenshot shows it whole. */
export async function still(page) {
  await page.evaluate(() => {
    const rooted = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
    const moving = [document, ...rooted].flatMap((root) => root.getAnimations()).filter((a) => a.effect?.getComputedTiming().iterations !== Infinity);
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    return Promise.race([Promise.all(moving.map((a) => a.finished.catch(() => undefined))), new Promise((done) => setTimeout(done, 2000))]).then(frame);
  });
}
