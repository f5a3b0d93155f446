// Whom an offer could have gone to, and why it went to this one (rule 1.3).
import type { EventEntry } from '../../model/types.js';
import { t } from '../../state/console/words.js';
import { why } from './eventText.js';

export function Candidates({ entry }: { entry: EventEntry }) {
  const list = entry.kind === 'offered' ? (entry.candidates ?? []) : [];
  if (list.length === 0) return null;
  return (
    <details class="candidates">
      <summary>{t('events.candidates', { n: list.length })}</summary>
      <ul>{list.map((c) => <li key={c.id}><span dir="auto">{c.name || c.id}</span>{c.why && ` · ${why(c.why)}`}</li>)}</ul>
    </details>
  );
}
