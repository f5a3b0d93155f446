import type { I18n } from '../../model/i18n.js';
import type { EventEntry } from '../../model/types.js';
import { entryWords } from './entry.js';

/** The chat as a text file. */
export function transcript(entries: readonly EventEntry[], title: string, i: I18n): string {
  const rows = entries.map((e) => {
    const name = e.from.role === 'shopper' ? i.t('you') : (e.from.name ?? '');
    const said = e.kind === 'message' ? `${name}: ${e.text}` : e.kind === 'care' ? (e.text ?? '') : entryWords(e, i);
    return said === null ? '' : `[${i.time(e.at)}] ${said}\n`;
  });
  const first = entries[0];
  return `${title}\n${first ? i.full(first.at) : ''}\n\n${rows.join('')}`;
}
