// Which chat comes first: the age of the oldest unanswered message, ahead by class; then promises; then the quiet ones.
import { isOver, nextPromise } from './row.js';
import type { Row } from './row.js';

const headStart: Record<string, number> = { urgent: 30 * 60_000, care: 15 * 60_000, returning: 10 * 60_000, vip: 5 * 60_000 };

const SOON_MS = 15 * 60_000;

/** Smaller is sooner. */
export function urgency(row: Row, now: number): number {
  const ahead = headStart[row.class] ?? 0;
  if (isOver(row)) return 4e15;
  if (row.unansweredSince !== null && row.state !== 'parked') return row.unansweredSince - ahead;
  const due = nextPromise(row)?.until ?? row.parkedUntil;
  if (due !== null && due < now + SOON_MS) return due;
  if (row.state === 'parked') return 3e15 + (due ?? 0) / 1e3;
  if (row.state === 'proposed') return 2e15 - (row.last?.at ?? 0) / 1e3;
  return 1e15 - (row.last?.at ?? 0) / 1e3 - ahead / 1e3;
}

export type Age = 'none' | 'fresh' | 'late' | 'over';

/** How old is too old: after the half of the silent time, after all of it. */
export function ageOf(since: number | null, now: number, silentMs: number): Age {
  if (since === null) return 'none';
  const age = now - since;
  return age >= silentMs ? 'over' : age >= silentMs / 2 ? 'late' : 'fresh';
}

/** Keeps the places of what was shown already while `hold` is on; new ones go to the end. */
export function steadyOrder(wanted: string[], shown: string[], hold: boolean): string[] {
  if (!hold) return wanted;
  const kept = shown.filter((id) => wanted.includes(id));
  return [...kept, ...wanted.filter((id) => !kept.includes(id))];
}
