// What a chat's entries amount to, as its shopper sees it. Pure: the same entries give the same answer.
import type { ChatState, EventEntry, Person } from '../model/types.js';

export interface Case {
  state: ChatState;
  /** Answers for the case until it is solved. */
  owner: Person | null;
  /** Writes to the shopper now; null while a deputy is looked for. */
  handler: Person | null;
  /** Of the last proposed resolution: the answer's summary. */
  summary: string;
  rated: boolean;
  closedHow: string;
  /** How long a return leads to the owner first; 0 where that isn't said. */
  returnMs: number;
}

/** Folds the entries of one chat; `start` is the state where nothing says otherwise. */
export function foldCase(entries: readonly EventEntry[], start: ChatState = 'waiting'): Case {
  const c: Case = { state: start, owner: null, handler: null, summary: '', rated: false, closedHow: '', returnMs: 0 };
  for (const e of entries) step(c, e);
  return c;
}

function step(c: Case, e: EventEntry): void {
  switch (e.kind) {
    case 'started':
      c.state = 'waiting';
      break;
    case 'assigned':
      c.state = 'assigned';
      c.handler = e.to ?? c.handler;
      break;
    case 'owned':
      c.owner = e.owner ?? null;
      c.handler ??= c.owner;
      break;
    case 'message':
      if (e.from.role === 'shopper') break;
      if (c.state !== 'closed' && c.state !== 'proposed') c.state = 'active';
      break;
    case 'transferred':
    case 'reassigned':
      c.handler = e.handler ?? e.to ?? c.handler;
      break;
    case 'taken_back':
    case 'handler_back':
      c.handler = e.handler ?? c.owner;
      break;
    case 'handler_lost':
      c.handler = null;
      break;
    case 'resolution_proposed':
      c.state = 'proposed';
      c.summary = e.summary ?? c.summary;
      break;
    case 'reopened': // to the queue, or at once to the owner: then `assigned` follows
      c.state = 'waiting';
      c.handler = null;
      break;
    case 'refused':
    case 'unparked':
      c.state = 'active';
      break;
    case 'parked':
      c.state = 'parked';
      break;
    case 'rated':
      c.rated = true;
      break;
    case 'closed':
      c.state = 'closed';
      c.closedHow = e.how ?? '';
      c.returnMs = e.return_ms ?? 0;
      break;
    case 'abandoned':
      c.state = 'abandoned';
      break;
    default:
  }
}

export const isOver = (c: Case) => c.state === 'closed' || c.state === 'abandoned';
