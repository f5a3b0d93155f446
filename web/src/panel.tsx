// The panel's entry: one module that the loader imports. mount() puts the panel beside the launcher in the shadow root.
import { h, render } from 'preact';
import { systemTimers } from './model/clock.js';
import { contrast, css, mix, parseColor, readable, textOn } from './model/color.js';
import { createI18n } from './model/i18n.js';
import { ime } from './model/ime.js';
import { pageWake, socketUrl } from './model/socket.js';
import type { WireClass } from './model/socket.js';
import { webStore } from './model/storage.js';
import { ShopperState } from './state/shopper.js';
import { Panel } from './ui/widget/Panel.js';
import type { LaterModule, PanelHandle, PanelOptions } from './ui/widget/port.js';
import styles from './ui/widget/widget.css?text';

// What later.tsx takes from here.
export { jsx, jsxs, Fragment } from 'preact/jsx-runtime';
export { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
export { ime } from './model/ime.js';
export { isBlank } from './model/text.js';
export { Refusal } from './model/types.js';
export { Button } from './ui/kit/Button.js';
export { TextArea, TextField } from './ui/kit/Field.js';
export { Icon } from './ui/kit/Icon.js';
export { Avatar, Spinner } from './ui/kit/small.js';
export { TEXT_CHARS, countChars } from './ui/widget/limits.js';
export { useArticles } from './ui/widget/search.js';
export { useUi } from './ui/widget/ui.js';

const PHONE = '(max-width: 480px), (max-height: 480px) and (pointer: coarse)';

export function mount(o: PanelOptions): PanelHandle {
  const i = createI18n(o.lang, o.words);
  const s = new ShopperState({
    url: socketUrl(o.origin, '/ws/shopper'), site: o.site, locale: o.lang, page: () => location.origin + location.pathname, store: webStore(() => localStorage),
    timers: systemTimers, random: Math.random, WebSocket: WebSocket as unknown as WireClass, wake: pageWake(window), emit: o.emit,
    identity: o.identity,
  });
  const dress = (css: string) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    o.root.adoptedStyleSheets = [...o.root.adoptedStyleSheets, sheet];
  };
  dress(styles);
  const box = document.createElement('div');
  box.className = o.left ? 'fl left' : 'fl';
  box.lang = o.lang;
  box.hidden = true;
  o.root.append(box);
  ime.follow(o.root);

  const phone = window.matchMedia(PHONE);
  const night = window.matchMedia('(prefers-color-scheme: dark)');
  let shown = false;
  let before: HTMLElement | null = null;
  let restorePage: (() => void) | null = null;

  const draw = () => render(shown ? h(Panel, { s, i, t: i.t, close: () => handle.close(), phone: phone.matches, later: needLater }) : null, box);
  let later: LaterModule | null = null;
  let fetching = false;
  function needLater(): LaterModule | null {
    if (later || fetching) return later;
    fetching = true;
    o.later().then(
      (module) => {
        later = module;
        dress(module.styles);
        draw();
      },
      () => systemTimers.set(() => {
        fetching = false;
        draw();
      }, 2_000),
    );
    return null;
  }
  const seen = () => s.setVisible(shown && document.visibilityState === 'visible');

  let branded = '';
  function applyBrand() {
    const wanted = o.color ?? s.welcome?.site?.color ?? '';
    const color = parseColor(wanted);
    const dark = night.matches;
    if (!color || branded === wanted + dark) return;
    branded = wanted + dark;
    const ground = dark ? ([20, 24, 31] as const) : ([255, 255, 255] as const);
    const brand = contrast(color, ground) < 3 ? readable(color, ground, 3) : color;
    const ink = textOn(brand);
    o.launcher?.style.setProperty('background', css(brand));
    o.launcher?.style.setProperty('color', css(ink));
    const set = (name: string, value: string) => box.style.setProperty(name, value);
    set('--brand', css(brand));
    set('--brand-text', css(ink));
    set('--brand-hover', css(readable(mix(brand, ink[0] ? [0, 0, 0] : [255, 255, 255], 0.12), ink, 4.5)));
    const soft = mix(ground, brand, dark ? 0.3 : 0.14);
    set('--brand-soft', css(soft));
    set('--link', css(readable(color, soft, 4.5)));
  }

  // The panel follows the part of the page that is seen: a phone's keyboard takes its share.
  function fit() {
    const view = window.visualViewport;
    if (!view || !phone.matches) return;
    box.style.setProperty('--view-h', `${view.height}px`);
    box.style.setProperty('--view-top', `${view.offsetTop}px`);
  }

  /** "Back" closes the panel on a phone: it has an entry of its own in the page's history. */
  const isOurs = () => (history.state as { firstline?: boolean } | null)?.firstline === true;
  /** The entry is of a panel that stood open when the page was loaded again: the next one that opens takes it over. */
  let left = isOurs();

  function lockPage() {
    const html = document.documentElement;
    const y = window.scrollY;
    const was = html.style.overflow;
    html.style.overflow = 'hidden';
    if (!isOurs()) history.pushState({ ...(history.state as object | null), firstline: true }, '');
    left = false;
    window.visualViewport?.addEventListener('resize', fit);
    window.visualViewport?.addEventListener('scroll', fit);
    fit();
    restorePage = () => {
      html.style.overflow = was;
      window.scrollTo({ top: y, behavior: 'instant' });
      window.visualViewport?.removeEventListener('resize', fit);
      window.visualViewport?.removeEventListener('scroll', fit);
    };
  }

  function hide() {
    if (!shown) return;
    shown = false;
    box.hidden = true;
    draw();
    seen();
    restorePage?.();
    restorePage = null;
    o.onOpen(false);
    (o.launcher ?? before)?.focus({ preventScroll: true });
    o.emit('close');
  }

  const handle: PanelHandle = {
    open() {
      if (shown) return;
      shown = true;
      before = document.activeElement as HTMLElement | null;
      box.hidden = false;
      s.socket.open();
      s.askIfOpen();
      applyBrand();
      if (phone.matches) lockPage();
      draw();
      seen();
      o.onOpen(true);
      o.emit('open');
    },
    close() {
      const pushed = restorePage !== null && isOurs();
      hide();
      if (pushed) history.back();
    },
    toggle: () => (shown ? handle.close() : handle.open()),
    identify(who) {
      s.identity = who;
      s.socket.restart();
    },
    reset: () => s.reset(),
  };

  window.addEventListener('popstate', () => {
    if (restorePage) hide();
    else if (left && !isOurs()) history.back(); // to where "back" would have led without it
    left = left && isOurs();
  });
  window.addEventListener('storage', (e) => s.elsewhere(e.key, e.newValue));
  document.addEventListener('visibilitychange', seen);
  night.addEventListener('change', applyBrand);
  let unread = 0;
  s.subscribe(() => {
    applyBrand();
    if (s.unread === unread) return;
    unread = s.unread;
    o.onUnread(unread);
    o.emit('unread', unread);
  });
  if (s.chatId || s.outbox.all.length > 0) {
    s.socket.open();
    needLater();
  }
  o.emit('ready');
  return handle;
}
