// The demo storefront: a home textiles and lamps shop, with Firstline's one tag in its page (html/index.html).
import dicts from 'dict:shop';
import { createI18n, pickLanguage } from './model/i18n.js';
import type { I18n } from './model/i18n.js';
import { products } from './ui/shop/products.js';
import type { Kind, Product } from './ui/shop/products.js';
import { art, el } from './ui/shop/dom.js';
import './ui/shop/shop.css';

interface FirstlineApi {
  push(...calls: unknown[][]): void;
}

const kinds: readonly Kind[] = ['lamps', 'cushions', 'blankets', 'stools', 'linen'];
const cart = new Map<string, number>();
let kind: Kind | null = null;

async function start() {
  const asked = new URLSearchParams(location.search).get('lang');
  const lang = pickLanguage(asked ? [asked] : navigator.languages);
  document.documentElement.lang = lang; // before the widget is opened: it speaks the page's language
  const words = await (dicts[lang] ?? dicts['en'])?.();
  const i = createI18n(lang, words?.default ?? {});
  document.title = i.t('title');
  draw(i);
}

function draw(i: I18n) {
  const page = document.getElementById('shop');
  page?.replaceChildren(
    el('a', { class: 'skip', href: '#goods' }, i.t('skip')), el('p', { class: 'band' }, i.t('band')),
    header(i), el('main', {}, hero(i), promises(i), goods(i), story(i)), footer(i),
  );
}

const money = (yuan: number, i: I18n) => `¥${i.number(yuan)}`;

function openChat() {
  const page = window as unknown as { Firstline?: FirstlineApi };
  (page.Firstline ??= [] as unknown as FirstlineApi).push(['open']);
}

// --- parts of the page

function header(i: I18n): HTMLElement {
  const other = i.lang === 'zh-CN' ? 'en' : 'zh-CN';
  const count = [...cart.values()].reduce((sum, n) => sum + n, 0);
  return el('header', { class: 'top' },
    el('a', { class: 'logo', href: `?lang=${i.lang}` }, art('lamp-mark'), el('span', {}, 'Lantern & Loom'), el('span', { class: 'logo-zh', lang: 'zh-CN' }, '灯与织')),
    el('nav', { 'aria-label': i.t('nav') }, ...kinds.map((k) => el('a', { href: '#goods', onclick: () => choose(k, i) }, i.t(`kind.${k}`)))),
    el('div', { class: 'tools' },
      el('a', { class: 'tool', href: `?lang=${other}`, lang: other, hreflang: other }, i.t('switch')),
      el('button', { class: 'tool cart', type: 'button', onclick: () => showCart(i) },
        art('bag'), el('span', { class: 'cart-text' }, i.t('cart')), el('b', {}, String(count)), el('span', { class: 'sr' }, i.t('cart.items', { n: count })))));
}

function hero(i: I18n): HTMLElement {
  return el('section', { class: 'hero' },
    el('div', { class: 'hero-text' },
      el('p', { class: 'over' }, i.t('hero.over')), el('h1', {}, i.t('hero.title')), el('p', { class: 'lead' }, i.t('hero.text')),
      el('div', { class: 'acts' },
        el('a', { class: 'button', href: '#goods' }, i.t('hero.shop')),
        el('button', { class: 'button ghost', type: 'button', onclick: openChat }, i.t('hero.ask')))),
    el('div', { class: 'hero-art', 'aria-hidden': 'true' }, art('moon', 'a1'), art('celadon', 'a2'), art('rush', 'a3'), art('indigo', 'a4')));
}

function promises(i: I18n): HTMLElement {
  return el('ul', { class: 'promises' }, ...['ship', 'return', 'lamp', 'person'].map((p) =>
    el('li', {}, el('strong', {}, i.t(`promise.${p}`)), el('span', {}, i.t(`promise.${p}_text`)))));
}

function choose(k: Kind | null, i: I18n) {
  kind = k;
  document.getElementById('goods')?.replaceWith(goods(i));
}

function goods(i: I18n): HTMLElement {
  const shown = products.filter((p) => kind === null || p.kind === kind);
  const chip = (k: Kind | null) =>
    el('button', { type: 'button', 'aria-pressed': String(k === kind), onclick: () => choose(k, i) }, i.t(k ? `kind.${k}` : 'kind.all'));
  return el('section', { class: 'goods', id: 'goods', 'aria-labelledby': 'goods-head' },
    el('div', { class: 'goods-head' }, el('h2', { id: 'goods-head' }, i.t('goods')),
      el('div', { class: 'filter', role: 'group', 'aria-label': i.t('nav') }, chip(null), ...kinds.map(chip))),
    el('ul', { class: 'grid' }, ...shown.map((p) => el('li', {}, card(p, i)))));
}

function price(p: Product, i: I18n): HTMLElement {
  return el('p', { class: 'price' }, el('strong', {}, money(p.price, i)), p.was ? el('s', {}, money(p.was, i)) : '');
}

function card(p: Product, i: I18n): HTMLElement {
  return el('article', { class: 'card' },
    el('button', { class: `stage ${p.tone}`, type: 'button', 'aria-label': i.t('details', { name: i.t(`p.${p.id}`) }), onclick: () => showProduct(p, i) }, art(p.art)),
    p.tag ? el('span', { class: 'tag' }, i.t(`tag.${p.tag}`)) : '',
    el('h3', {}, i.t(`p.${p.id}`)), el('p', { class: 'note' }, i.t(`p.${p.id}.note`)),
    el('div', { class: 'card-foot' }, price(p, i),
      el('button', { class: 'add', type: 'button', 'aria-label': i.t('add_name', { name: i.t(`p.${p.id}`) }), onclick: () => addToCart(p, i) }, art('plus'))));
}

function story(i: I18n): HTMLElement {
  return el('section', { class: 'story' },
    el('div', { class: 'story-art', 'aria-hidden': 'true' }, art('duvet'), art('reed')),
    el('div', {}, el('h2', {}, i.t('story')), el('p', {}, i.t('story.1')), el('p', {}, i.t('story.2')),
      el('button', { class: 'button ghost', type: 'button', onclick: openChat }, i.t('story.ask'))));
}

function footer(i: I18n): HTMLElement {
  const help = ['delivery', 'returns', 'care', 'warranty'];
  return el('footer', {},
    el('div', { class: 'foot' },
      el('div', {}, el('p', { class: 'logo' }, art('lamp-mark'), el('span', {}, 'Lantern & Loom')), el('p', {}, i.t('foot.text'))),
      el('div', {}, el('h2', {}, i.t('foot.shop')), el('ul', {}, ...kinds.map((k) => el('li', {}, el('a', { href: '#goods', onclick: () => choose(k, i) }, i.t(`kind.${k}`)))))),
      el('div', {}, el('h2', {}, i.t('foot.help')), el('ul', {}, ...help.map((h) => el('li', {}, el('button', { type: 'button', onclick: openChat }, i.t(`foot.${h}`)))))),
      el('div', {}, el('h2', {}, i.t('foot.contact')), el('p', {}, i.t('foot.hours')), el('p', {}, 'care@lanternloom.example'))),
    el('p', { class: 'small' }, i.t('foot.demo')));
}

// --- layers: product and cart are native dialogs (focus, Esc and the background are the browser's)

function layer(label: string, i: I18n, ...content: Array<Node | string>): HTMLDialogElement {
  const box: HTMLDialogElement = el('dialog', { class: 'layer', 'aria-label': label },
    el('button', { class: 'x', type: 'button', 'aria-label': i.t('close'), onclick: () => box.close() }, art('x')), ...content);
  box.addEventListener('click', (e) => e.target === box && box.close());
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

function showProduct(p: Product, i: I18n) {
  const facts = ['material', 'size', 'origin'].map((f) => [el('dt', {}, i.t(`fact.${f}`)), el('dd', {}, i.t(`p.${p.id}.${f}`))]).flat();
  const box = layer(i.t(`p.${p.id}`), i, el('div', { class: 'product' },
    el('div', { class: `stage ${p.tone}` }, art(p.art)),
    el('div', { class: 'product-text' },
      el('p', { class: 'over' }, i.t(`kind.${p.kind}`)), el('h2', {}, i.t(`p.${p.id}`)), price(p, i), el('p', {}, i.t(`p.${p.id}.text`)), el('dl', {}, ...facts),
      el('p', { class: 'stock' }, i.t('stock')),
      el('div', { class: 'acts' },
        el('button', { class: 'button', type: 'button', onclick: () => { addToCart(p, i); box.close(); } }, i.t('add')),
        el('button', { class: 'button ghost', type: 'button', onclick: () => { box.close(); openChat(); } }, i.t('ask'))))));
}

function addToCart(p: Product, i: I18n) {
  cart.set(p.id, (cart.get(p.id) ?? 0) + 1);
  document.querySelector('.top')?.replaceWith(header(i));
  const toast = el('p', { class: 'toast', role: 'status' }, i.t('added', { name: i.t(`p.${p.id}`) }));
  document.querySelector('.toast')?.remove();
  document.body.append(toast);
  setTimeout(() => toast.remove(), 2600);
}

function showCart(i: I18n) {
  const rows = products.filter((p) => cart.has(p.id));
  const total = rows.reduce((sum, p) => sum + p.price * (cart.get(p.id) ?? 0), 0);
  layer(i.t('cart'), i, el('div', { class: 'basket' }, el('h2', {}, i.t('cart')),
    rows.length === 0 ? el('p', { class: 'note' }, i.t('cart.empty'))
      : el('ul', {}, ...rows.map((p) => el('li', {}, el('span', { class: `stage ${p.tone}` }, art(p.art)),
        el('span', { class: 'basket-name' }, i.t(`p.${p.id}`), el('small', {}, `${cart.get(p.id)} × ${money(p.price, i)}`)), el('strong', {}, money(p.price * (cart.get(p.id) ?? 0), i))))),
    rows.length === 0 ? '' : el('p', { class: 'total' }, el('span', {}, i.t('cart.total')), el('strong', {}, money(total, i))),
    rows.length === 0 ? '' : el('p', { class: 'note' }, i.t(total >= 99 ? 'cart.free' : 'cart.fee'))));
}

void start();
