// From entries to what the log shows: messages, notes, milestones, folded quiet events, days.
import type { EventEntry } from '../../model/types.js';

type Of<K extends EventEntry['kind']> = Extract<EventEntry, { kind: K }>;

export type LogItem =
  | { type: 'day'; key: string; at: number }
  | { type: 'message'; key: string; entry: Of<'message'> | Of<'care'>; grouped: boolean }
  | { type: 'note'; key: string; entry: Of<'note'> | Of<'whisper'> }
  | { type: 'mark'; key: string; entry: EventEntry; bare: boolean }
  | { type: 'quiet'; key: string; seq: number; entries: EventEntry[] };

/** Everyday workings: shown small, and folded where several stand together. */
const quietKinds = new Set<EventEntry['kind']>([
  'started', 'triaged', 'queued', 'offered', 'offer_missed', 'offer_declined', 'assigned', 'reminded', 'alerted', 'identified',
  'verified', 'tagged', 'suggested', 'suggestion_used', 'transfer_offered', 'transfer_returned', 'moved', 'promise_kept', 'unparked', 'left',
]);

const TOGETHER_MS = 3 * 60_000;

export function buildItems(entries: readonly EventEntry[], sameDay: (a: number, b: number) => boolean): LogItem[] {
  const items: LogItem[] = [];
  let before: EventEntry | null = null;
  for (const entry of entries) {
    if (before === null || (entry.at - before.at > 60_000 && !sameDay(before.at, entry.at))) items.push({ type: 'day', key: `d${entry.seq}`, at: entry.at });
    items.push(...itemOf(entry, items[items.length - 1]));
    before = entry;
  }
  return items;
}

function itemOf(entry: EventEntry, last: LogItem | undefined): LogItem[] {
  const key = `e${entry.seq}`;
  if (entry.kind === 'message' || entry.kind === 'care') {
    const grouped = last?.type === 'message' && last.entry.from.role === entry.from.role && last.entry.from.id === entry.from.id
      && entry.at - last.entry.at < TOGETHER_MS && entry.kind === 'message' && last.entry.kind === 'message';
    return [{ type: 'message', key, entry, grouped }];
  }
  if (entry.kind === 'note' || entry.kind === 'whisper') return [{ type: 'note', key, entry }];
  if (!quietKinds.has(entry.kind)) {
    // Parking says its promise twice: as a promise and as the reason.
    const bare = entry.kind === 'parked' && last?.type === 'mark' && last.entry.kind === 'promised' && last.entry.text === entry.promise;
    return [{ type: 'mark', key, entry, bare }];
  }
  if (last?.type !== 'quiet') return [{ type: 'quiet', key, seq: entry.seq, entries: [entry] }];
  last.entries.push(entry);
  return [];
}
