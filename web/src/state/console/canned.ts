// Canned replies: texts that the site's configuration has for those who write. Some bear {variables}: those that the console
// knows it fills in, the others the rep does, and until then nothing is sent.
import { signal } from '@preact/signals';
import { isObject } from '../../model/types.js';
import { call } from './api.js';

export interface Canned { name: string; title_zh?: string; title_en?: string; text_zh?: string; text_en?: string }

/** As they were last read; the configuration changes only when the server starts anew. */
export const canned = signal<readonly Canned[]>([]);

/** Reads them again. What was read before stays where that fails. */
export async function loadCanned(): Promise<void> {
  const answer = await call('GET', '/api/v1/canned').catch(() => null);
  if (isObject(answer) && Array.isArray(answer['items'])) canned.value = answer['items'] as Canned[];
}

const isChinese = (lang: string) => /^zh\b/i.test(lang);

/** The text for a reader of this language; the other one where there is none. */
export function cannedText(c: Canned, lang: string): string {
  return (isChinese(lang) ? c.text_zh || c.text_en : c.text_en || c.text_zh) ?? '';
}

/** What a rep finds it by. */
export function cannedTitle(c: Canned, lang: string): string {
  return (isChinese(lang) ? c.title_zh || c.title_en : c.title_en || c.title_zh) || c.name;
}

const folded = (text: string) => text.normalize('NFKC').toLocaleLowerCase();

/** Those that fit what was typed, the best first: the name begins so, a title holds it, a text does. */
export function findCanned(all: readonly Canned[], typed: string): Canned[] {
  const wanted = folded(typed.trim());
  const rank = (c: Canned): number => {
    if (folded(c.name).startsWith(wanted)) return 0;
    if ([c.name, c.title_zh, c.title_en].some((s) => s && folded(s).includes(wanted))) return 1;
    return [c.text_zh, c.text_en].some((s) => s && folded(s).includes(wanted)) ? 2 : 3;
  };
  return all.map((c) => ({ c, n: rank(c) })).filter((x) => x.n < 3).sort((a, b) => a.n - b.n).map((x) => x.c);
}

const VARIABLE = /\{([\p{L}\p{N}_-]{1,32})\}/gu;

/** The text with what is known in its place, and the variables that are left to the rep, each once. */
export function fillCanned(text: string, known: Readonly<Record<string, string | undefined>>): { text: string; variables: string[] } {
  const left = new Set<string>();
  const filled = text.replace(VARIABLE, (all, name: string) => {
    const value = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!value) left.add(name);
    return value || all;
  });
  return { text: filled, variables: [...left] };
}

/** Where the first of these variables still stands in the text; null: all are filled in. */
export function firstUnfilled(text: string, variables: readonly string[]): { from: number; to: number } | null {
  const at = variables.map((v) => ({ from: text.indexOf(`{${v}}`), n: v.length + 2 })).filter((x) => x.from >= 0).sort((a, b) => a.from - b.from)[0];
  return at ? { from: at.from, to: at.from + at.n } : null;
}
