// widget.js: the launcher, and the panel when it is wanted. Plain, small, alone: no request, no storage and no socket
// before a hover, focus or click, unless this shopper has an open chat or something unsent.
//
//   <script async src="https://HOST/widget.js" data-site="SITE"></script>
//   (window.Firstline ||= []).push(['open'])          works before the script has loaded
//   Firstline.open() close() identify(jwt or async () => jwt) reset() on(name, fn)
import type { Identity } from './state/shopper.js';
import type { LaterModule, PanelHandle, PanelModule } from './ui/widget/port.js';
import { isBusiness, keptKeys } from './ui/widget/port.js';
import { css, parseColor, textOn } from './model/color.js';

type Call = [string, ...unknown[]];
type Listener = (detail: unknown) => void;

(() => {
  const page = window as unknown as { Firstline?: { push?: unknown; open?: unknown } };
  const queued: Call[] = Array.isArray(page.Firstline) ? page.Firstline : [];
  if (page.Firstline?.open) return;
  const script = document.currentScript as HTMLScriptElement | null;
  const data = script?.dataset ?? {};
  const origin = new URL(script?.src ?? location.href).origin;
  const language = () => {
    const wanted = data['lang'] ?? (document.documentElement.lang || navigator.language);
    return DICT_URLS[wanted] ? wanted : /^zh/i.test(wanted) ? 'zh-CN' : 'en';
  };
  const left = data['position'] === 'left';
  const own = data['launcher'] === 'off'; // a button of the shop's
  const listeners: Record<string, Listener[]> = {};
  let identity: Identity | undefined;
  let panel: Promise<PanelHandle> | null = null;

  const host = document.createElement('div');
  host.style.cssText = `all:initial!important;position:fixed!important;z-index:${+(data['z'] as string) || 2147483000}!important;inset:auto 0 0 auto!important;width:0!important;height:0!important`;
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  const rgb = parseColor(data['color'] ?? '') ?? [31, 95, 91];
  sheet.replaceSync(`.go{all:initial;position:fixed;bottom:calc(20px + env(safe-area-inset-bottom));${left ? 'left' : 'right'}:calc(20px + env(safe-area-inset-${left ? 'left' : 'right'}));
width:56px;height:56px;border-radius:50%;display:grid;place-items:center;cursor:pointer;background:${css(rgb)};color:${css(textOn(rgb))};box-shadow:0 6px 20px #0f172a47}
.go:hover{transform:translateY(-2px)}.go:focus-visible{outline:3px solid #2563eb;outline-offset:3px;box-shadow:0 0 0 3px #fff}
.go svg{width:26px;height:26px;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linejoin:round;stroke-linecap:round;grid-area:1/1}
.go .x,.go[aria-expanded=true] .c{opacity:0}.go[aria-expanded=true] .x{opacity:1}.go[aria-busy=true] svg{opacity:.5}
.go b{position:absolute;top:-3px;inset-inline-end:-3px;min-width:20px;height:20px;box-sizing:border-box;padding:0 5px;border-radius:10px;border:2px solid #fff;background:#b3261e;color:#fff;font:600 11px/16px system-ui;text-align:center}
.go b[hidden]{display:none}@media(max-width:480px),(max-height:480px){.go[aria-expanded=true]{display:none}}@media(forced-colors:active){.go{border:2px solid ButtonText}}`);
  root.adoptedStyleSheets = [sheet];

  const svg = (shape: string, path: string) => {
    const space = 'http://www.w3.org/2000/svg';
    const drawn = document.createElementNS(space, 'svg');
    drawn.setAttribute('viewBox', '0 0 24 24');
    drawn.setAttribute('class', shape);
    drawn.appendChild(document.createElementNS(space, 'path')).setAttribute('d', path);
    return drawn;
  };
  const launcher = document.createElement('button');
  const badge = document.createElement('b');
  let unread = 0;
  let lost: unknown;
  let wanted: unknown;
  const setUnread = (n = unread) => {
    unread = n;
    badge.hidden = n === 0;
    badge.textContent = n > 99 ? '99+' : `${n}`;
    const [name, trouble] = language() === 'zh-CN' ? ['联系客服', '连不上，正在重试'] : ['Chat with us', "Can't connect, trying"];
    launcher.title = lost ? trouble : '';
    launcher.setAttribute('aria-label', launcher.title || (n ? `${name} (${n})` : name));
  };
  launcher.className = 'go';
  launcher.setAttribute('aria-expanded', 'false');
  launcher.append(svg('c', 'M4 5.5h16v11h-9L6.5 20v-3.5H4zM8.5 11h.01M12 11h.01M15.5 11h.01'), svg('x', 'M6 9l6 6 6-6'), badge);
  /** What goes wrong in the shop's own code is reported as its own, and stops nothing here. */
  const emit = (event: string, detail?: unknown) => listeners[event]?.forEach((fn) => queueMicrotask(() => fn(detail)));

  const load = () => {
    if (panel) return panel;
    const lang = language();
    return (panel = Promise.all([
      import(origin + PANEL_URL) as Promise<PanelModule>,
      import(origin + DICT_URLS[lang]) as Promise<{ default: Record<string, string> }>,
    ]).then(
      ([code, words]) =>
        code.mount({
          root, launcher: own ? null : launcher, origin, site: data['site'], lang, words: words.default, color: data['color'], left, identity,
          later: () => import(origin + LATER_URL) as Promise<LaterModule>, emit, onUnread: setUnread, onOpen: (open) => launcher.setAttribute('aria-expanded', `${open}`),
        }),
      (error: unknown) => {
        panel = null; // offline: the next press tries again
        throw error;
      },
    ));
  };
  /** Tries until it is there, or something else is wanted. */
  const act = (run?: (handle: PanelHandle) => void) => {
    const busy = (is: unknown) => launcher.setAttribute('aria-busy', `${!!is}`);
    const attempt = () => {
      if (wanted === run) load().then((handle) => settle(run?.(handle)), settle);
    };
    const settle = (error?: unknown) => {
      if (wanted !== run) return;
      lost = error;
      setUnread();
      busy(error);
      if (!error) return;
      emit('error', error);
      setTimeout(attempt, 2000);
    };
    wanted = run;
    busy(run);
    run ? attempt() : settle();
  };
  const quietly = () => void load().catch(() => undefined);

  const api = {
    open: () => act((p) => p.open()),
    close: () => {
      act();
      void panel?.then((p) => p.close());
    },
    identify: (who: Identity) => {
      identity = who;
      void panel?.then((p) => p.identify(who));
    },
    reset: () => {
      identity = undefined;
      keptKeys(data['site']).forEach((key) => localStorage.removeItem(key));
      void panel?.then((p) => p.reset());
    },
    on: (event: string, fn: Listener) => void (listeners[event] ??= []).push(fn),
    push: (...calls: Call[]) => calls.forEach(([method, ...rest]) => (api as unknown as Record<string, (...a: unknown[]) => void>)[method]?.(...rest)),
  };

  launcher.addEventListener('pointerenter', quietly);
  launcher.addEventListener('focus', quietly);
  launcher.addEventListener('click', () => act((p) => p.toggle()));
  const start = () => {
    setUnread();
    if (!own) root.append(launcher);
    document.body.append(host);
    // The page may say its language only now (a script of its own): the name follows, an open chat waits for the page's scripts.
    new MutationObserver(() => setUnread()).observe(document.documentElement, { attributeFilter: ['lang'] });
    if (!keptKeys(data['site']).some(isBusiness)) return;
    if (document.readyState === 'complete') quietly();
    else for (const event of ['DOMContentLoaded', 'load']) addEventListener(event, quietly);
  };
  page.Firstline = api;
  api.push(...queued);
  if (document.body) start();
  else document.addEventListener('DOMContentLoaded', start);
})();
