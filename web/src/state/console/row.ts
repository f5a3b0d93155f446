// What a rep sees of one chat at a glance, folded from its entries as the server folds them (server/chat/chat_apply.c).
import { firstChars } from '../../model/text.js';
import type { ChatCard, ChatState, EventEntry, LastMessage, Person, Promise, Shopper, Target, WelcomeChat } from '../../model/types.js';

export interface Row {
  chat: string;
  state: ChatState;
  department: string;
  shopper: Shopper | null;
  owner: Person | null;
  handler: Person | null;
  class: string;
  topic: string;
  /** The oldest message of the shopper that has no answer. */
  unansweredSince: number | null;
  waitingSince: number | null;
  last: LastMessage | null;
  /** The handover that waits for its receiver. */
  transfer: { to: Target; until: number } | null;
  /** A question that waits for an answer, and whose it is. */
  consult: { to: Target; by: Person | null; question: string; at: number } | null;
  parkedUntil: number | null;
  promises: Promise[];
  tags: string[];
  verified: string[];
  summary: string;
  requirements: string;
  promised: string;
  /** The summary of the proposed resolution. */
  proposal: string;
  rating: number | null;
  /** Entries up to here are in the fields above. */
  seq: number;
  unread: number;
}

export function emptyRow(chat: string): Row {
  return {
    chat, state: 'waiting', department: '', shopper: null, owner: null, handler: null, class: 'normal', topic: '',
    unansweredSince: null, waitingSince: null, last: null, transfer: null, consult: null, parkedUntil: null, promises: [], tags: [],
    verified: [], summary: '', requirements: '', promised: '', proposal: '', rating: null, seq: 0, unread: 0,
  };
}

/** The server's own summary wins over what was folded here. */
export function fromWelcome(row: Row, w: WelcomeChat): Row {
  return {
    ...row,
    state: w.state ?? row.state,
    department: w.department ?? row.department,
    shopper: w.shopper ? { ...row.shopper, ...w.shopper } : row.shopper,
    owner: w.owner ?? null,
    handler: w.handler ?? null,
    class: w.class ?? row.class,
    unansweredSince: w.unanswered_since ?? null,
    waitingSince: w.waiting_since ?? null,
    last: w.last ?? row.last,
    parkedUntil: w.state === 'parked' ? (w.until ?? row.parkedUntil) : null,
    promises: w.promises ?? [],
    tags: w.tags ?? [],
    transfer: w.transfer ?? null,
    consult: w.consult ? { by: null, question: '', ...w.consult } : null,
    seq: Math.max(row.seq, w.seq ?? 0),
  };
}

export function fromCard(row: Row, card: ChatCard): Row {
  return {
    ...row,
    state: card.state ?? row.state,
    department: card.department ?? row.department,
    shopper: card.shopper ? { ...row.shopper, ...card.shopper } : row.shopper,
    owner: card.owner === undefined ? row.owner : card.owner,
    handler: card.handler === undefined ? row.handler : card.handler,
    class: card.class ?? row.class,
    topic: card.topic ?? row.topic,
    promises: card.promises ?? row.promises,
    tags: card.tags ?? row.tags,
    verified: card.verified ?? row.verified,
    summary: card.summary ?? row.summary,
    requirements: card.requirements ?? row.requirements,
    promised: card.promised ?? row.promised,
  };
}

const staffRoles = new Set(['rep', 'lead', 'director', 'editor', 'qa', 'admin']);
const LAST_CHARS = 160;

function withHandler(row: Row, handler: Person | null | undefined, state: ChatState): Row {
  return { ...row, handler: handler ?? null, state, waitingSince: null, transfer: null, parkedUntil: null };
}

function waiting(row: Row, at: number): Row {
  return { ...row, state: 'waiting', handler: null, transfer: null, parkedUntil: null, waitingSince: row.waitingSince ?? at };
}

function onMessage(row: Row, e: Extract<EventEntry, { kind: 'message' }>): Row {
  const last = { text: firstChars(e.text, LAST_CHARS), at: e.at, from: e.from.role };
  if (e.from.role === 'shopper') return { ...row, last, unansweredSince: row.unansweredSince ?? e.at };
  if (!staffRoles.has(e.from.role) || e.counts === false) return { ...row, last };
  return { ...row, last, state: row.state === 'assigned' ? 'active' : row.state, unansweredSince: null };
}

function setPromise(row: Row, id: string | undefined, state: string): Row {
  return { ...row, promises: row.promises.map((p) => (p.id === id ? { ...p, state } : p)) };
}

function merged(have: string[], add: string[] = [], remove: string[] = []): string[] {
  return [...have, ...add.filter((x) => !have.includes(x))].filter((x) => !remove.includes(x));
}

/** One entry; kinds that change nothing here leave the row as it is, but for its seq. */
export function fold(row: Row, e: EventEntry): Row {
  return { ...facts(row, e), seq: Math.max(row.seq, e.seq) };
}

function facts(row: Row, e: EventEntry): Row {
  switch (e.kind) {
    case 'started':
      return waiting({
        ...row,
        shopper: { ...row.shopper, id: e.from.id ?? row.shopper?.id ?? '', ...(e.from.name ? { name: e.from.name } : {}),
          ...(e.locale ? { locale: e.locale } : {}), ...(e.page ? { page: e.page } : {}) },
        topic: e.topic ?? row.topic, department: e.department ?? row.department, class: e.class ?? row.class,
      }, e.at);
    case 'identified':
      return { ...row, shopper: { ...row.shopper, id: e.shopper?.id ?? row.shopper?.id ?? '', name: e.shopper?.name ?? e.name ?? '', identified: true } };
    case 'triaged':
      return { ...row, department: e.department ?? row.department };
    case 'queued':
      return waiting({ ...row, department: e.department ?? row.department, class: e.class ?? row.class,
        unansweredSince: e.why === 'parked_due' ? row.unansweredSince ?? e.at : row.unansweredSince }, e.at);
    case 'offered':
      return e.offer === 'transfer' ? row : { ...row, state: 'offered' };
    case 'offer_missed':
    case 'offer_declined':
      return row.state === 'offered' ? { ...row, state: 'waiting' } : row;
    case 'assigned':
      return withHandler(row, e.to, 'assigned');
    case 'owned':
      return { ...row, owner: e.owner ?? row.owner };
    case 'message':
      return onMessage(row, e);
    case 'consulted':
      return { ...row, consult: { to: e.to ?? {}, by: e.from.id ? { id: e.from.id, ...(e.from.name ? { name: e.from.name } : {}) } : null, question: e.question ?? '', at: e.at } };
    case 'consult_answered': // by who was asked before: the last question stands
      return row.consult?.to.id === e.from.id ? { ...row, consult: null } : row;
    case 'transfer_offered':
      return {
        ...row,
        transfer: { to: e.to ?? {}, until: e.deadline_at ?? e.at },
        summary: e.card?.summary ?? row.summary, requirements: e.card?.requirements ?? row.requirements,
        promised: e.card?.promised ?? row.promised, verified: merged(row.verified, e.card?.verified),
      };
    case 'transfer_returned':
      return { ...row, transfer: null };
    case 'transferred':
      return withHandler({ ...row, owner: e.owner ?? row.owner, department: e.department ?? row.department }, e.handler ?? e.to, row.state === 'assigned' ? 'assigned' : 'active');
    case 'taken_back':
      return withHandler(row, e.handler, row.state === 'proposed' ? 'proposed' : 'active');
    case 'reassigned':
      return withHandler({ ...row, department: e.department ?? row.department }, e.handler ?? e.to, row.state === 'active' || row.state === 'proposed' ? row.state : 'assigned');
    case 'handler_back':
      return withHandler(row, e.handler, 'active');
    case 'handler_lost':
      return waiting(row, e.at);
    case 'promised':
      return { ...row, promises: [...row.promises.filter((p) => p.id !== e.promise), { id: e.promise ?? '', text: e.text ?? '', until: e.until ?? 0, state: 'open' }] };
    case 'promise_kept':
      return setPromise(row, e.promise, 'kept');
    case 'promise_missed':
      return setPromise(row, e.promise, 'missed');
    case 'verified':
      return { ...row, verified: merged(row.verified, e.checks) };
    case 'tagged':
      return { ...row, tags: merged(row.tags, e.add, e.remove) };
    case 'resolution_proposed':
      return { ...row, state: 'proposed', proposal: e.summary ?? '', unansweredSince: null, transfer: null };
    case 'reopened':
      return { ...(row.state === 'abandoned' ? waiting(row, e.at) : { ...row, state: 'active' }), unansweredSince: row.unansweredSince ?? e.at };
    case 'parked':
      return { ...row, state: 'parked', parkedUntil: e.until ?? null, transfer: null, unansweredSince: null };
    case 'unparked':
      return { ...row, state: 'active', parkedUntil: null, unansweredSince: e.why === 'due' ? row.unansweredSince ?? e.at : row.unansweredSince };
    case 'rated':
      return { ...row, rating: e.score ?? null };
    case 'closed':
      return { ...row, state: 'closed', unansweredSince: null, waitingSince: null, transfer: null, parkedUntil: null };
    case 'abandoned':
      return { ...row, state: 'abandoned', waitingSince: null };
    default:
      return row;
  }
}

export function isOver(row: Row): boolean {
  return row.state === 'closed' || row.state === 'abandoned';
}

/** The open promise that falls due first. */
export function nextPromise(row: Row): Promise | null {
  const open = row.promises.filter((p) => p.state !== 'kept');
  return open.reduce<Promise | null>((low, p) => (low === null || p.until < low.until ? p : low), null);
}
