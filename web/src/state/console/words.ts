// The texts of a staff face in the chosen language. Reading `t` inside a component follows a change of language.
import { computed, signal } from '@preact/signals';
import { createI18n } from '../../model/i18n.js';
import type { I18n, Vars } from '../../model/i18n.js';

export const i18n = signal<I18n>(createI18n('en', {}));

export function t(key: string, vars?: Vars): string {
  return i18n.value.t(key, vars);
}

const dates = computed(() => new Intl.DateTimeFormat(i18n.value.lang === 'en-XA' ? 'en' : i18n.value.lang, {
  month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
}));

/** A point in time for lists: 15:27 today, else with its date. */
export function shortWhen(ms: number): string {
  return i18n.value.sameDay(ms, Date.now()) ? i18n.value.time(ms) : dates.value.format(ms);
}

type Dicts = Record<string, () => Promise<{ default: Record<string, string> }>>;

/**
 * A language that was chosen can't be fetched. If the server is there, it was updated since this page came: the page of now
 * has that language, and the choice is kept. Without a connection all stays as it is.
 */
export async function reloadForLanguage(): Promise<void> {
  const now = await fetch(location.href).catch(() => null);
  if (now?.ok) location.reload();
}

/** Loads a language's chunks and shows it; the page's `lang` follows. */
export async function setLanguage(dicts: Dicts[], tag: string): Promise<void> {
  const lang = dicts.every((d) => d[tag]) ? tag : 'en';
  const parts = await Promise.all(dicts.map(async (d) => (await d[lang]?.())?.default ?? {}));
  i18n.value = createI18n(lang, Object.assign({}, ...parts) as Record<string, string>);
  document.documentElement.lang = lang;
}
