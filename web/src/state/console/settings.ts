// What this person chose for this browser: looks, language, keys, sound. Kept in storage, shared by the staff faces.
import { effect, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { readJson, webStore } from '../../model/storage.js';
import { isObject } from '../../model/types.js';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'comfortable' | 'compact';

export interface Settings {
  theme: Theme;
  density: Density;
  /** '' follows the browser. */
  lang: string;
  /** Single letters act outside text fields (WCAG 2.1.4: they can be turned off). */
  letterKeys: boolean;
  /** Otherwise Ctrl/⌘ Enter sends and Enter breaks the line. */
  enterSends: boolean;
  /** After resolve, hand over, park: the next chat by urgency; off: stay. */
  moveOn: boolean;
  sound: boolean;
  /** 0 to 1. */
  volume: number;
  /** Whether desktop notices show what was written. */
  noticeText: boolean;
  cardFolded: boolean;
  listFolded: boolean;
}

const initial: Settings = {
  theme: 'system', density: 'comfortable', lang: '', letterKeys: true, enterSends: true, moveOn: true,
  sound: true, volume: 0.6, noticeText: false, cardFolded: false, listFolded: false,
};

const KEY = 'firstline:staff:settings';
export const store = webStore(() => window.localStorage);

function load(): Settings {
  const kept = readJson(store, KEY);
  if (!isObject(kept)) return initial;
  const known = Object.entries(initial).map(([k, v]) => [k, typeof kept[k] === typeof v ? kept[k] : v]);
  return Object.fromEntries(known) as unknown as Settings;
}

export const settings: Signal<Settings> = signal(load());

export function choose(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change };
  store.set(KEY, JSON.stringify({ ...load(), ...change })); // another tab may have chosen something, too
}

/** Puts theme and density on the page, now and whenever they change. */
export function followLooks(root: HTMLElement): void {
  effect(() => {
    const { theme, density } = settings.value;
    if (theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
    root.dataset['density'] = density;
  });
}
