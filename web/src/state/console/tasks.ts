// Messages left and call-backs asked for: their order, and how their people are reached.
import type { Task } from '../../model/types.js';

export const isOverdue = (task: Task, now: number): boolean => task.due_at !== undefined && task.due_at < now;

/** What is overdue first, the longest overdue before the rest; then, oldest first, what has no time of its own; then what is for later. */
export function inOrder(tasks: readonly Task[], now: number): Task[] {
  const rank = (x: Task) => (isOverdue(x, now) ? 0 : x.due_at === undefined ? 1 : 2);
  const at = (x: Task) => x.due_at ?? x.at ?? 0;
  return [...tasks].sort((a, b) => rank(a) - rank(b) || at(a) - at(b) || (a.task < b.task ? -1 : 1));
}

/** Where a contact leads when it is pressed; null where it is neither a number nor an address. */
export function contactLink(contact: string): string | null {
  const text = contact.trim();
  if (/^[^\s@<>?&#%]+@[^\s@<>?&#%]+\.[^\s@<>?&#%]+$/.test(text)) return `mailto:${text}`;
  const digits = text.replace(/[\s().\-–/]/g, '');
  return /^\+?\d{5,15}$/.test(digits) ? `tel:${digits}` : null;
}
