// The list at the left: which chats stand in which group, in order of urgency.
import { isOver } from './row.js';
import type { Row } from './row.js';
import { urgency } from './urgency.js';

export interface Groups {
  /** Handled by this person, waiting for an act. */
  mine: Row[];
  /** A colleague asks this person. */
  asked: Row[];
  /** Nobody handles them yet. */
  queue: Row[];
  /** Handled by this person: parked, or a resolution is proposed. */
  later: Row[];
  /** Owned by this person, handled by a deputy. */
  away: Row[];
  /** Others of the department, for leads. */
  others: Row[];
}

export type GroupName = keyof Groups;
export const groupNames: GroupName[] = ['mine', 'asked', 'queue', 'later', 'away', 'others'];

export function groupOf(row: Row, me: string): GroupName {
  if (row.handler?.id === me) return isOver(row) || row.state === 'parked' || row.state === 'proposed' ? 'later' : 'mine';
  if (row.consult?.to.id === me) return 'asked';
  if ((row.state === 'waiting' || row.state === 'offered') && row.handler === null) return 'queue';
  return row.owner?.id === me ? 'away' : 'others';
}

export function groupRows(rows: Row[], me: string, isLead: boolean, now: number): Groups {
  const groups: Groups = { mine: [], asked: [], queue: [], later: [], away: [], others: [] };
  for (const row of rows) groups[groupOf(row, me)].push(row);
  for (const name of groupNames) groups[name].sort((a, b) => urgency(a, now) - urgency(b, now) || (a.chat < b.chat ? -1 : 1));
  groups.queue.sort((a, b) => (a.waitingSince ?? 0) - (b.waitingSince ?? 0));
  if (!isLead) groups.others = groups.others.filter((r) => !isOver(r));
  return groups;
}

/** Whether a row answers a search by name, text, tag or department. */
export function matches(row: Row, search: string): boolean {
  const wanted = search.trim().toLocaleLowerCase();
  if (wanted === '') return true;
  return [row.shopper?.name, row.last?.text, row.department, row.topic, row.handler?.name, row.owner?.name, ...row.tags]
    .some((text) => text?.toLocaleLowerCase().includes(wanted));
}
