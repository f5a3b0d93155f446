// What a person does on the screen, by what the screen says. Nothing here knows a class name where a role and a name do.
import { PASSWORD } from './server.mjs';
import { newPage, shot } from './browser.mjs';
import { like, words } from './words.mjs';
import { until } from './wait.mjs';

export const NAMES = { mei: 'Mei 林小梅', tom: 'Tom Becker', lin: 'Lin 林主管', quinn: 'Quinn 质控' };

export class Shopper {
  constructor(page, lang) {
    this.page = page;
    this.lang = lang;
    this.t = words(lang, 'widget');
  }

  /** Comes to the storefront (or any page with the tag). */
  static async come(browser, origin, { device = 'phone', lang = 'zh-CN', path = '/', ...rest } = {}) {
    const s = new Shopper(await newPage(browser, { device, lang, ...rest }), lang);
    s.device = device;
    await s.page.goto(origin + path);
    await s.launcher.waitFor();
    return s;
  }

  get launcher() {
    return this.page.getByRole('button', { name: this.lang === 'zh-CN' ? '联系客服' : 'Chat with us' });
  }

  get panel() {
    return this.page.getByRole('dialog', { name: like(this.t('title', { name: '' })) });
  }

  get box() {
    return this.panel.getByRole('textbox', { name: this.t('composer.label') });
  }

  get log() {
    return this.panel.getByRole('log');
  }

  said(text) {
    return this.log.getByText(text, { exact: true });
  }

  button(key, vars) {
    return this.panel.getByRole('button', { name: this.t(key, vars), exact: true });
  }

  async open() {
    await this.launcher.click();
    await this.panel.waitFor();
  }

  /** Fills the first screen and starts the chat. */
  async ask(text, { name } = {}) {
    const question = this.panel.getByRole('textbox', { name: this.t('pre.question') });
    await question.fill(text);
    if (name) await this.panel.getByRole('textbox', { name: like(this.t('pre.name')) }).fill(name);
    await this.button('pre.start').click();
    await this.said(text).waitFor();
  }

  async send(text) {
    await this.box.fill(text);
    await this.box.press('Enter');
    await this.said(text).last().waitFor();
  }

  /** The texts of the messages in the log, oldest first. */
  messages() {
    return this.log.locator('.bubble:not(.dots)').allInnerTexts();
  }

  shot(...parts) {
    return shot(this.page, ...parts);
  }
}

export class Rep {
  constructor(page, lang, login) {
    this.page = page;
    this.lang = lang;
    this.login = login;
    this.t = words(lang, 'console');
  }

  /** Signs in at /console and starts the shift. */
  static async come(browser, origin, login, { lang = 'en', shift = true, ...rest } = {}) {
    const r = new Rep(await newPage(browser, { lang, ...rest }), lang, login);
    await r.page.goto(`${origin}/console`);
    await r.signIn();
    if (shift) await r.startShift();
    return r;
  }

  async signIn() {
    const { page, t } = this;
    await page.getByLabel(t('login.login')).fill(this.login);
    await page.getByLabel(t('login.password')).fill(PASSWORD);
    await page.getByRole('button', { name: t('login.submit') }).click();
    await page.getByText(t('conn.ready'), { exact: true }).waitFor({ state: 'attached' });
  }

  async startShift() {
    const { page, t } = this;
    await page.getByRole('main').getByRole('button', { name: t('act.shift_start') }).click();
    await page.getByText(like(t('shift.on'))).waitFor();
  }

  get offer() {
    return this.page.getByRole('region', { name: this.t('offer.new') });
  }

  handover(from) {
    return this.page.getByRole('region', { name: this.t('offer.transfer_from', { name: NAMES[from] }) });
  }

  get box() {
    return this.page.locator('#composer');
  }

  get log() {
    return this.page.getByRole('log', { name: this.t('log.label') });
  }

  said(text) {
    return this.log.getByText(text, { exact: true });
  }

  row(name) {
    return this.page.getByRole('navigation', { name: this.t('list.label') }).getByRole('button').filter({ hasText: name });
  }

  get suggestions() {
    return this.page.getByRole('region', { name: this.t('suggest.label') });
  }

  dialog(key) {
    return this.page.getByRole('dialog', { name: this.t(key) });
  }

  toast(text) {
    return this.page.locator('.toast').filter({ hasText: text });
  }

  button(key, vars) {
    return this.page.getByRole('button', { name: this.t(key, vars), exact: true });
  }

  /** Runs an act by its name in the command bar. */
  async command(label) {
    await this.leaveText();
    await this.page.keyboard.press('Control+k');
    const bar = this.page.getByRole('dialog', { name: this.t('act.palette') });
    await bar.getByRole('combobox').fill(this.t(label));
    await bar.getByRole('option', { name: this.t(label) }).first().waitFor();
    await this.page.keyboard.press('Enter');
    await bar.waitFor({ state: 'detached' });
  }

  /** Chooses the entry of a list that begins so, once it can be chosen. */
  async choose(list, text) {
    const option = list.locator('option:not([disabled])', { hasText: text });
    await option.first().waitFor({ state: 'attached' });
    await list.selectOption(await option.first().getAttribute('value'));
  }

  /** Takes the offer that is there by its key. */
  async accept(offer = this.offer) {
    await offer.waitFor();
    await this.leaveText();
    await this.page.keyboard.press('a');
    await offer.waitFor({ state: 'detached' });
    await this.box.waitFor();
  }

  /** Single letters are keys only outside of text. */
  async leaveText() {
    await this.page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  }

  async send(text) {
    await this.box.fill(text);
    await this.box.press('Enter');
    await this.said(text).last().waitFor();
  }

  messages() {
    return this.log.locator('.msg:not(.auto) .bubble .text-body').allInnerTexts(); // what people said
  }

  shot(...parts) {
    return shot(this.page, ...parts);
  }
}

/** A text is in the list just so often. */
export const times = (list, text) => list.filter((x) => x.trim() === text).length;

/** Waits until a list of texts holds what is wanted. */
export async function untilList(get, wanted, what) {
  let last = [];
  return until(async () => {
    last = await get();
    return wanted(last) ? last : null;
  }, () => `${what}: ${JSON.stringify(last)}`);
}
