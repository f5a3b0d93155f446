// One chat's log as this client holds it: entries in order, each once, nothing shown that lies behind a hole.
//
// The cursor is the last entry reached without a hole, never the highest seen (PROMISES 2.5). An entry follows when its
// `prev` (staff: `prev`, or seq − 1) is not above the cursor; else it is held back and `sync` is asked for.
import { Refusal } from './types.js';
import type { ClientMessage, EventEntry, From, ServerOk } from './types.js';

export interface LogHooks {
  /** Ask the server for what comes after `after`; the answer's head goes to synced(). */
  sync(after: number): void;
  /** Entries were added, voided or receipts moved. */
  changed(): void;
  /** Own entries that an epoch voided: they go back to the outbox under their ids. */
  voided?(entries: EventEntry[]): void;
}

/** Epochs are told apart by millions: the first entry of a new one is a multiple of this, plus one. */
const EPOCH_STEP = 1_000_000;

export class ChatLog {
  readonly entries: EventEntry[] = [];
  cursor = 0;
  /** The highest seq up to which others have the chat delivered, have read it. */
  delivered = 0;
  read = 0;
  private readonly held = new Map<number, EventEntry>();
  private syncing = false;

  constructor(
    readonly chat: string,
    private readonly hooks: LogHooks,
    from = 0,
  ) {
    this.cursor = from;
  }

  /** True while something is known to be missing. */
  get hasHole(): boolean {
    return this.held.size > 0;
  }

  /** Takes an entry from the wire or made from an `ok`. */
  take(entry: EventEntry): void {
    this.voidAbove(entry);
    if (entry.seq <= this.cursor) {
      this.redact(entry);
      this.fillBehind(entry);
      return;
    }
    this.held.set(entry.seq, entry);
    if (this.release()) this.hooks.changed();
    if (this.held.size > 0) this.ask();
  }

  /** An `ok` named an entry that can't be made here: it is fetched. */
  expect(seq: number): void {
    if (seq > this.cursor) this.ask();
  }

  /** The answer to `sync` or `chat.open`: complete up to `head`. */
  synced(head: number): void {
    this.syncing = false;
    const waiting = [...this.held.keys()].filter((seq) => seq <= head).sort((a, b) => a - b);
    for (const seq of waiting) this.push(seq);
    this.cursor = Math.max(this.cursor, head);
    this.release();
    this.hooks.changed();
    if (this.held.size > 0) this.ask();
  }

  /** A `sync` that failed or was cut off: asked again in a while, or when the connection is back. */
  syncFailed(): void {
    this.syncing = false;
  }

  /** After a `welcome`: `head` is what the server has; a new epoch voids what we hold above it. */
  welcomed(head: number, newEpoch: boolean): void {
    this.syncing = false;
    if (newEpoch && this.dropBetween(head, Infinity)) this.hooks.changed();
    if (this.held.size > 0) this.ask();
  }

  receipt(delivered: number | undefined, read: number | undefined): void {
    const before = this.delivered + this.read;
    this.read = Math.max(this.read, read ?? 0);
    this.delivered = Math.max(this.delivered, delivered ?? 0, this.read);
    if (this.delivered + this.read !== before) this.hooks.changed();
  }

  has(seq: number): boolean {
    return this.entries.some((e) => e.seq === seq);
  }

  private ask(): void {
    if (this.syncing) return;
    this.syncing = true;
    this.hooks.sync(this.cursor);
  }

  private push(seq: number): void {
    const entry = this.held.get(seq);
    if (!entry) return;
    this.held.delete(seq);
    this.entries.push(entry);
    this.cursor = seq;
    this.redact(entry);
  }

  private release(): boolean {
    let moved = false;
    for (;;) {
      const next = [...this.held.values()].reduce<EventEntry | null>((low, e) => (low === null || e.seq < low.seq ? e : low), null);
      if (!next || (next.prev ?? next.seq - 1) > this.cursor) return moved;
      this.push(next.seq);
      moved = true;
    }
  }

  /** Puts a tombstone in the place of what the entry redacts. */
  private redact(by: EventEntry): void {
    const at = by.kind === 'redacted' ? this.entries.findIndex((e) => e.seq === by.of && e.kind !== 'redacted') : -1;
    const gone = this.entries[at];
    if (!gone) return;
    this.entries[at] = { ...by, seq: gone.seq, at: gone.at };
    this.hooks.changed();
  }

  /** An older entry that was skipped by a cursor from a list (welcome, synced): put in its place, once. */
  private fillBehind(entry: EventEntry): void {
    if (this.has(entry.seq)) return;
    const at = this.entries.findIndex((e) => e.seq > entry.seq);
    this.entries.splice(at < 0 ? this.entries.length : at, 0, entry);
    this.hooks.changed();
  }

  /** The first entry of a new epoch says by its `prev` what really stands. */
  private voidAbove(entry: EventEntry): void {
    if (entry.prev !== undefined) this.dropBetween(entry.prev, Math.floor(entry.seq / EPOCH_STEP) * EPOCH_STEP);
  }

  /** Takes out what stands or is held back above `head` and below `end`; false: there was nothing. */
  private dropBetween(head: number, end: number): boolean {
    const isLost = (e: EventEntry) => e.seq > head && e.seq < end;
    const gone = [...this.entries, ...this.held.values()].filter(isLost);
    const isAhead = this.cursor > head && this.cursor < end;
    if (isAhead) this.cursor = head;
    if (gone.length === 0) return isAhead;
    this.entries.splice(0, this.entries.length, ...this.entries.filter((e) => !isLost(e)));
    for (const e of gone) this.held.delete(e.seq);
    this.hooks.voided?.(gone);
    return true;
  }
}

const SYNC_AGAIN_MS = 1_000;

/** When a `sync` that was refused is asked again on the same connection; null: never. */
export function syncAgainMs(refusal: unknown): number | null {
  if (!(refusal instanceof Refusal) || (refusal.code !== 'unavailable' && refusal.code !== 'rate_limited')) return null;
  return refusal.retryMs ?? SYNC_AGAIN_MS;
}

/** What every entry made from an `ok` bears (the sender gets no event for it). Null: it has to be fetched. */
export function entryBase(message: ClientMessage, ok: ServerOk, from: From, now: number) {
  const chat = ok.chat ?? ('chat' in message ? message.chat : undefined);
  if (ok.seq === undefined || chat === undefined) return null;
  return { t: 'event' as const, chat, seq: ok.seq, at: ok.at ?? now, from, ref: message.id, ...(ok.prev === undefined ? {} : { prev: ok.prev }) };
}

/** The entry that a shopper's command became. */
export function entryOf(message: ClientMessage, ok: ServerOk, from: From, now: number): EventEntry | null {
  const base = entryBase(message, ok, from, now);
  if (!base) return null;
  switch (message.t) {
    case 'chat.start':
    case 'message.send':
      return { ...base, kind: 'message', text: message.text, ...('attachment' in message ? { attachment: message.attachment } : {}) };
    case 'chat.confirm':
      return { ...base, kind: message.solved ? 'confirmed' : 'refused' };
    case 'chat.rate':
      return { ...base, kind: 'rated', score: message.score, ...(message.comment ? { comment: message.comment } : {}) };
    default:
      return null;
  }
}
