import type { I18n } from '../../model/i18n.js';
import type { EventEntry } from '../../model/types.js';
import { entryWords } from './entry.js';

/** The chat as a text file. */
export function transcript(entries: readonly EventEntry[], title: string, i: I18n): string {
  let before = entries[0];
  const rows = entries.map((e) => {
    const newDay = before && !i.sameDay(before.at, e.at) ? `\n${i.full(e.at)}\n\n` : ''; // a case may go on for days
    before = e;
    const name = e.from.role === 'shopper' ? i.t('you') : (e.from.name ?? '');
    const said = e.kind === 'message' ? `${name}: ${e.text}` : e.kind === 'care' ? (e.text ?? '') : entryWords(e, i);
    return said === null ? newDay : `${newDay}[${i.time(e.at)}] ${said}\n`;
  });
  const first = entries[0];
  return `${title}\n${first ? i.full(first.at) : ''}\n\n${rows.join('')}`;
}
