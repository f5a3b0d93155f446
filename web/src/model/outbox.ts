// What this client still has to send: in order within a chat, under ids made before the first try, kept in storage
// until `ok`.
//
//   pending → (sent: gone from here, the log has it)     unavailable, rate_limited: waits, same id
//   pending → failed → pending (try again)                every other refusal: the text stays, with the reason
//
// Each item has a storage key of its own, so that two tabs don't overwrite each other; both may send the same item,
// the id makes it happen once.
import { Backoff } from './backoff.js';
import { makeId } from './ids.js';
import { readJson } from './storage.js';
import type { Store } from './storage.js';
import { Refusal, isObject } from './types.js';
import type { ClientMessage, Draft, ErrorCode, Random, ServerOk, Timers } from './types.js';

export interface OutItem {
  readonly id: string;
  /** Null: it opens the chat. */
  readonly chat: string | null;
  readonly message: ClientMessage;
  /** This client's time when it was written; also the order. */
  readonly at: number;
  readonly n: number;
  state: 'pending' | 'failed';
  error?: { code: ErrorCode; handler?: string };
}

export interface OutboxOptions {
  /** A prefix of its own, e.g. `firstline:out:default:`. */
  prefix: string;
  store: Store;
  timers: Timers;
  random: Random;
  /** Usually socket.call. */
  send: (message: Draft) => Promise<ServerOk>;
  isReady: () => boolean;
  onSent: (item: OutItem, ok: ServerOk) => void;
  /** Refused for good; with `not_handler` the face keeps the text as a draft and calls remove(). */
  onRefused: (item: OutItem, refusal: Refusal) => void;
  onChange: () => void;
}

export class Outbox {
  private items: OutItem[] = [];
  private readonly busy = new Set<string>();
  private readonly waits = new Map<string, unknown>();
  private readonly backoff: Backoff;
  private n = 0;

  constructor(private readonly o: OutboxOptions) {
    this.backoff = new Backoff(o.random);
    for (const key of o.store.keys(o.prefix)) {
      const item = readJson(o.store, key);
      if (isItem(item)) this.items.push(item);
      else o.store.remove(key);
    }
    this.sort();
    this.n = this.items.reduce((top, i) => Math.max(top, i.n), 0);
  }

  /** Keeps and sends a message. */
  add(chat: string | null, draft: Draft): OutItem {
    const id = draft.id ?? makeId();
    const item: OutItem = { id, chat, message: { ...draft, id } as ClientMessage, at: this.o.timers.now(), n: ++this.n, state: 'pending' };
    this.items.push(item);
    this.save(item);
    this.o.onChange();
    this.flush();
    return item;
  }

  of(chat: string | null): readonly OutItem[] {
    return this.items.filter((i) => i.chat === chat);
  }

  get all(): readonly OutItem[] {
    return this.items;
  }

  /** Another tab took it out of the storage: what failed is a draft there now; what is on its way is cleared by its answer. */
  drop(id: string): void {
    if (this.items.some((i) => i.id === id && i.state === 'failed')) this.remove(id);
  }

  /** Tries a failed one again, under its id. */
  retry(id: string): void {
    if (this.o.store.get(this.o.prefix + id) === null) this.drop(id);
    const item = this.items.find((i) => i.id === id);
    if (!item || item.state !== 'failed') return;
    item.state = 'pending';
    delete item.error;
    this.save(item);
    this.o.onChange();
    this.flush();
  }

  /** Takes one out; its message is the caller's. */
  remove(id: string): OutItem | null {
    const item = this.items.find((i) => i.id === id);
    if (!item) return null;
    this.items = this.items.filter((i) => i !== item);
    this.o.store.remove(this.o.prefix + id);
    this.o.onChange();
    return item;
  }

  /** An event with `ref` shows that one arrived although its `ok` did not. */
  arrived(ref: string): void {
    if (this.items.some((i) => i.id === ref)) this.remove(ref);
  }

  /** Sends what is due: call it when the connection is ready. */
  flush(): void {
    if (!this.o.isReady()) return;
    const seen = new Set<string>();
    for (const item of this.items) {
      const lane = item.chat ?? '';
      if (item.state !== 'pending' || seen.has(lane)) continue;
      seen.add(lane);
      if (!this.busy.has(lane) && !this.waits.has(lane)) void this.sendOne(item, lane);
    }
  }

  /** After a reconnect nothing waits for a timer. */
  ready(): void {
    for (const handle of this.waits.values()) this.o.timers.clear(handle);
    this.waits.clear();
    this.flush();
  }

  private async sendOne(item: OutItem, lane: string): Promise<void> {
    this.busy.add(lane);
    try {
      const ok = await this.o.send(item.message);
      this.backoff.reset();
      this.busy.delete(lane);
      this.remove(item.id);
      this.o.onSent(item, ok);
    } catch (error) {
      this.busy.delete(lane);
      if (!(error instanceof Refusal)) throw error;
      this.refused(item, lane, error);
    }
    this.flush();
  }

  private refused(item: OutItem, lane: string, refusal: Refusal): void {
    if (refusal.code === 'unavailable' || refusal.code === 'rate_limited') {
      if (!this.o.isReady()) return; // ready() starts it again
      const wait = refusal.retryMs ?? 500 + this.backoff.next();
      this.waits.set(lane, this.o.timers.set(() => {
        this.waits.delete(lane);
        this.flush();
      }, wait));
      return;
    }
    if (!this.items.includes(item)) return; // it arrived by another way meanwhile
    item.state = 'failed';
    item.error = { code: refusal.code, ...(refusal.handler?.name ? { handler: refusal.handler.name } : {}) };
    this.save(item);
    this.o.onRefused(item, refusal);
    this.o.onChange();
  }

  private save(item: OutItem): void {
    this.o.store.set(this.o.prefix + item.id, JSON.stringify(item));
  }

  private sort(): void {
    this.items.sort((a, b) => a.at - b.at || a.n - b.n);
  }
}

function isItem(value: unknown): value is OutItem {
  return isObject(value) && typeof value['id'] === 'string' && isObject(value['message']) && typeof value['at'] === 'number'
    && (value['chat'] === null || typeof value['chat'] === 'string') && (value['state'] === 'pending' || value['state'] === 'failed');
}
