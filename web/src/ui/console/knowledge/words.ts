// This part's own texts: a chunk of each language that comes with it.
import dicts from 'dict:knowledge';
import { effect, signal } from '@preact/signals';
import { createI18n } from '../../../model/i18n.js';
import type { I18n, Vars } from '../../../model/i18n.js';
import { i18n } from '../../../state/console/words.js';

const own = signal<I18n | null>(null);

effect(() => {
  const { lang } = i18n.value;
  void (dicts[lang] ?? dicts['en'])?.().then((words) => {
    if (i18n.peek().lang === lang) own.value = createI18n(lang, words.default);
  });
});

export const hasWords = () => own.value !== null;
export const t = (key: string, vars?: Vars) => own.value?.t(key, vars) ?? '';
export { i18n, shortWhen } from '../../../state/console/words.js';
