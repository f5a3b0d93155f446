// A shopper's side of Firstline: connection, the open chat, what is being typed and sent.
//
// The panel's 25 KB don't leave room for signals (2.8 KB): one `subscribe` tells the panel that something changed.
import { makeId } from '../model/ids.js';
import { ChatLog, entryOf, syncAgainMs } from '../model/log.js';
import { Outbox } from '../model/outbox.js';
import type { OutItem } from '../model/outbox.js';
import { Socket } from '../model/socket.js';
import type { Wake, WireClass } from '../model/socket.js';
import type { Store } from '../model/storage.js';
import { firstChars } from '../model/text.js';
import { Refusal } from '../model/types.js';
import type { ArticleHit, ClientMessage, Draft, EventEntry, From, Random, ServerMessage, ServerOk, ServerQueue, ServerWelcome, Timers } from '../model/types.js';
import { foldCase, isOver } from './fold.js';
import type { Case } from './fold.js';

/** A token that the storefront has signed, or what gives one. */
export type Identity = string | (() => string | Promise<string>);

export interface ShopperOptions {
  url: string;
  site: string | undefined;
  locale: string;
  page: () => string;
  identity: Identity | undefined;
  store: Store;
  timers: Timers;
  random: Random;
  WebSocket: WireClass;
  wake?: (run: (why: Wake) => void) => () => void;
  /** Something for the shop's page: started, ended, message, rated, helped. */
  emit: (name: string, detail?: unknown) => void;
}

/** Typing signs die by themselves. */
const TYPING_MS = 6_000;
/** How often an unchanged "typing" is said again. */
const TYPING_AGAIN_MS = 3_000;

/** So long the storefront may take to say who this is: well within the time that a handshake has. */
const IDENTIFY_MS = 5_000;

/** The outbox's lane for what isn't for a chat: a message left, a call asked for. */
const TASK = 'task';

/** What is written into the forms: it outlives their screens, not the page. */
export interface Kept {
  form?: 'message' | 'callback' | null;
  name?: string;
  department?: string;
  care?: boolean;
  contact?: string;
  tel?: string;
  at?: string;
  score?: number;
  comment?: string;
}

export interface StartForm {
  text: string;
  name: string;
  department: string;
  care: boolean;
}

export class ShopperState {
  welcome: ServerWelcome | null = null;
  trouble = false;
  /** Whether chats are taken: all, no new ones, or nothing that has to be kept. */
  chats: 'open' | 'no_new' | 'stopped' = 'open';
  chatId: string | null;
  log: ChatLog | null = null;
  case: Case = foldCase([]);
  queue: ServerQueue | null = null;
  typing: { name: string; until: number } | null = null;
  /** The last message that came while we were here: said once by the live region. */
  spoken: EventEntry | null = null;
  unread = 0;
  kept: Kept = {};
  /** The message or call-back that was sent last, until its sender has read so; why it was refused. */
  left: ClientMessage | null = null;
  leftError = '';
  /** Why no chat could be opened: the text is the draft again. */
  startError = '';
  /** How often unsent texts went back to the draft. */
  takenBack = 0;
  /** Who this is, by the storefront; said with the next hello. */
  identity: Identity | undefined;
  /** The storefront could not say who this is. */
  identityFailed = false;
  readonly outbox: Outbox;
  readonly socket: Socket;
  private readonly o: ShopperOptions;
  private readonly listeners = new Set<() => void>();
  private visible = false;
  /** What was typed in this tab; null: nothing yet. */
  private typed: string | null = null;
  /** The last entry of somebody else that the server knows as read, and the last one that was on the screen. */
  private readUpTo = 0;
  private seenUpTo = 0;
  private caughtUp = false;
  /** The chat whose entries are being asked for. */
  private fetching: string | null = null;
  /** Chats that were left here: what still comes of them is not shown. */
  private readonly gone = new Set<string>();
  private typingSaid: { on: boolean; at: number } = { on: false, at: 0 };
  private readonly keys: { token: string; chat: string; draft: string; name: string; seen: string; out: string };

  constructor(options: ShopperOptions) {
    this.o = options;
    this.identity = options.identity;
    const prefix = `firstline:${options.site ?? 'default'}:`;
    this.keys = { token: `${prefix}token`, chat: `${prefix}chat`, draft: `${prefix}draft`, name: `${prefix}name`, seen: `${prefix}seen`, out: `${prefix}out:` };
    this.chatId = options.store.get(this.keys.chat);
    this.socket = new Socket({
      url: options.url, WebSocket: options.WebSocket, timers: options.timers, random: options.random, ...(options.wake ? { wake: options.wake } : {}),
      hello: () => this.hello(),
      onWelcome: (welcome) => this.onWelcome(welcome),
      onMessage: (message) => this.onMessage(message),
      onLink: () => this.changed(),
      onTrouble: (trouble) => {
        this.trouble = trouble;
        this.changed();
      },
    });
    this.outbox = new Outbox({
      prefix: this.keys.out, store: options.store, timers: options.timers, random: options.random,
      send: (message) => this.socket.call(message),
      isReady: () => this.socket.link === 'ready',
      onSent: (item, ok) => this.onSent(item, ok),
      onRefused: (item, refusal) => this.onRefused(item, refusal),
      onChange: () => this.changed(),
    });
    this.seenUpTo = Number(options.store.get(this.keys.seen)) || 0;
    if (this.chatId) this.adopt(this.chatId);
    if (this.leaving) this.kept.form = this.leaving.t === 'callback.ask' ? 'callback' : 'message';
  }

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  // --- what the screen asks

  get now(): number {
    return this.socket.clock.now();
  }

  get isOver(): boolean {
    return isOver(this.case);
  }

  /** A chat is under way: it goes on also while no new ones are taken. */
  get isServed(): boolean {
    return this.log !== null && !this.isOver;
  }

  /** Messages on their way: those of the chat, and the one that opens it. */
  get sending(): readonly OutItem[] {
    return [...this.outbox.of(null), ...(this.chatId ? this.outbox.of(this.chatId) : [])];
  }

  /** The message or call-back that is on its way. */
  get leaving(): ClientMessage | null {
    return this.outbox.of(TASK)[0]?.message ?? null;
  }

  get name(): string {
    return this.welcome?.shopper?.name ?? this.o.store.get(this.keys.name) ?? '';
  }

  get draft(): string {
    return this.typed ?? this.o.store.get(this.keys.draft) ?? '';
  }

  get durable(): boolean {
    return this.o.store.durable;
  }

  // --- what the shopper does

  setVisible(visible: boolean): void {
    this.visible = visible;
    if (!visible) return;
    this.socket.open();
    this.markRead();
  }

  /**
   * Another tab has changed what is stored: what was read there is read, the chat that it has started is this one's too,
   * what it has taken back is not sent here, and whom it has forgotten nobody knows here.
   */
  elsewhere(key: string | null, value: string | null): void {
    if (value === null && key?.startsWith(this.keys.out)) this.outbox.drop(key.slice(this.keys.out.length));
    if (value === null && key === this.keys.token) {
      this.forget();
      this.socket.close(); // until somebody looks: then it knows the token that the other tab has by now
      if (this.visible) this.socket.open();
    }
    // Two that began at once were given two tokens: the one that is stored stands for both.
    if (value && key === this.keys.token && value !== this.welcome?.token && !this.log && this.outbox.all.length === 0) this.socket.restart();
    if (key === this.keys.chat && value && !this.isServed) {
      this.adopt(value);
      this.fetch(value, 0);
    }
    const seen = Number(value);
    if (key !== this.keys.seen || !(seen > this.seenUpTo)) return;
    this.seenUpTo = seen;
    this.changed();
  }

  setDraft(text: string): void {
    this.typed = text;
    if (text) this.o.store.set(this.keys.draft, text);
    else this.o.store.remove(this.keys.draft);
    this.sayTyping(text);
  }

  /** It is on its way; the stored draft may be another tab's. */
  private draftSent(text: string): void {
    if ((this.typed ?? text).trim() === text) this.typed = '';
    if (this.o.store.get(this.keys.draft)?.trim() === text) this.o.store.remove(this.keys.draft);
    this.sayTyping('');
  }

  start(form: StartForm): void {
    if (form.name && form.name !== this.name) {
      this.o.store.set(this.keys.name, form.name);
      this.socket.restart(); // the name goes with hello
    }
    this.leaveChat();
    this.startError = '';
    this.draftSent(form.text);
    this.outbox.add(null, {
      t: 'chat.start', text: form.text, ...(form.department ? { department: form.department } : {}), ...(form.care ? { class: 'care' as const } : {}),
    });
  }

  /** Leaves a message or asks for a call: sent once, also over a reload. */
  leave(message: Draft): void {
    if (this.leaving) return;
    this.leftError = '';
    this.outbox.add(TASK, message);
  }

  keep(change: Kept): void {
    Object.assign(this.kept, change);
    this.changed();
  }

  send(text: string): void {
    this.draftSent(text);
    this.outbox.add(this.chatId, { t: 'message.send', text, ...(this.chatId ? { chat: this.chatId } : {}) });
  }

  /** Confirm, rate and the like: once, and its entry into the log. */
  async act(message: Draft): Promise<ServerOk> {
    const withId = { ...message, id: makeId() } as Draft & { id: string };
    const ok = await this.socket.command(withId);
    this.record(withId as Parameters<typeof entryOf>[0], ok);
    if (message.t === 'chat.rate') this.o.emit('rated', { chat: this.chatId, score: message.score });
    return ok;
  }

  async search(text: string): Promise<ArticleHit[]> {
    return (await this.socket.call({ t: 'kb.search', text })).articles ?? [];
  }

  helped(article: string, helped: boolean): void {
    this.socket.command({ t: 'kb.helped', article, helped }).catch(() => undefined);
    this.o.emit('helped', { article, helped });
  }

  /** Forgets the chat on screen; the next message opens a new one. */
  leaveChat(): void {
    this.kept = {};
    if (this.chatId) {
      this.gone.add(this.chatId);
      this.takeBack(this.outbox.of(this.chatId).filter((item) => item.state === 'failed'));
    }
    if (this.o.store.get(this.keys.chat) === this.chatId) { // else it is one that another tab has started
      this.o.store.remove(this.keys.chat);
      this.o.store.remove(this.keys.seen);
    }
    this.chatId = this.log = this.queue = this.typing = this.spoken = null;
    this.caughtUp = false;
    this.readUpTo = 0;
    this.seenUpTo = 0;
    this.case = foldCase([]);
    this.changed();
  }

  /** Another person uses this browser now: nothing of the former stays. */
  reset(): void {
    for (const key of this.o.store.keys(`firstline:${this.o.site ?? 'default'}:`)) this.o.store.remove(key);
    this.forget();
    this.socket.restart();
  }

  private forget(): void {
    for (const item of [...this.outbox.all]) this.outbox.remove(item.id);
    this.identity = undefined;
    this.welcome = this.left = this.typed = null;
    this.startError = this.leftError = '';
    this.leaveChat();
  }

  /** Nobody was here: asks again whether somebody is, unless the shopper is in a chat or busy writing. */
  askIfOpen(): void {
    if (this.welcome?.open === false && !this.log && this.outbox.all.length === 0 && !this.left && !this.draft && this.socket.link === 'ready') this.socket.restart();
  }

  // --- the connection

  private async hello() {
    const identity = await this.identify();
    const { store, site, locale } = this.o;
    const token = store.get(this.keys.token);
    const name = store.get(this.keys.name);
    return {
      locale, page: this.o.page().slice(0, 1000),
      ...(site ? { site } : {}), ...(token ? { token } : {}), ...(identity ? { identity } : {}), ...(name ? { name } : {}),
      ...(this.chatId ? { resume: [{ chat: this.chatId, seq: this.log?.cursor ?? 0 }] } : {}),
    };
  }

  /** Without an answer of the storefront the shopper goes on unknown. */
  private async identify(): Promise<string | undefined> {
    this.identityFailed = false;
    const { identity, o: { timers } } = this;
    let timer: unknown = null;
    const late = new Promise<never>((_, reject) => (timer = timers.set(() => reject(new Error('no answer')), IDENTIFY_MS)));
    try {
      return await Promise.race([typeof identity === 'function' ? identity() : identity, late]);
    } catch {
      this.identityFailed = true;
      return undefined;
    } finally {
      timers.clear(timer);
    }
  }

  private onWelcome(welcome: ServerWelcome): void {
    const { store } = this.o;
    const newEpoch = this.welcome !== null && this.welcome.epoch !== welcome.epoch; // of this tab: each takes back its own
    if (welcome.token) store.set(this.keys.token, welcome.token);
    this.welcome = welcome;
    this.chats = welcome.health?.chats ?? 'open';
    this.queue = null;
    this.typing = null;
    this.readUpTo = 0; // what was said of it may have been lost
    const mine = welcome.chats?.find((c) => c.chat === this.chatId);
    if (mine?.error) this.leaveChat();
    else if (mine) {
      this.log?.welcomed(mine.seq ?? this.log.cursor, newEpoch);
      if ((this.log?.cursor ?? 0) >= (mine.seq ?? 0)) this.caughtUp = true;
    }
    if (welcome.chat && welcome.chat !== this.chatId) {
      this.adopt(welcome.chat);
      this.fetch(welcome.chat, 0);
    }
    this.refold();
    this.outbox.ready();
    this.changed();
  }

  private adopt(chat: string): void {
    if (this.chatId !== chat) {
      this.readUpTo = this.seenUpTo = 0;
      this.caughtUp = false;
      delete this.kept.score; // that was for the other one
      delete this.kept.comment;
    }
    this.gone.delete(chat);
    this.chatId = chat;
    this.o.store.set(this.keys.chat, chat);
    this.log = new ChatLog(chat, {
      sync: (after) => this.fetch(chat, after),
      changed: () => this.refold(),
      voided: (entries) => this.sendAgain(entries),
    });
  }

  private fetch(chat: string, after: number): void {
    this.fetching = chat;
    const settled = () => {
      if (this.fetching === chat) this.fetching = null;
      return this.log?.chat === chat ? this.log : null;
    };
    this.socket.call({ t: 'sync', chat, after }).then(
      (ok) => {
        const log = settled();
        if (!log) return;
        this.caughtUp = true;
        log.synced(ok.seq ?? log.cursor);
        this.changed();
      },
      (refusal: unknown) => {
        const log = settled();
        log?.syncFailed();
        const wait = syncAgainMs(refusal);
        // Without a connection the next welcome sees to it.
        if (log && wait !== null && this.socket.link === 'ready') this.o.timers.set(() => this.log === log && this.fetch(chat, log.cursor), wait);
      },
    );
  }

  /** A new life of the server's data has lost these: ours go back under their ids. */
  private sendAgain(entries: EventEntry[]): void {
    for (const e of entries) {
      if (e.kind === 'message' && e.from.role === 'shopper' && e.ref) this.outbox.add(e.chat, { t: 'message.send', id: e.ref, chat: e.chat, text: e.text });
    }
  }

  private onMessage(message: Exclude<ServerMessage, { t: 'ok' | 'error' | 'welcome' }>): void {
    switch (message.t) {
      case 'event':
        this.onEvent(message);
        break;
      case 'queue':
        if (message.chat === this.chatId || !this.chatId) this.queue = message;
        this.changed();
        break;
      case 'typing':
        if (message.chat === this.chatId && message.from.role !== 'shopper') this.onTyping(message.on, message.from.name ?? '');
        break;
      case 'receipt':
        if (message.chat === this.chatId && message.from.role !== 'shopper') this.log?.receipt(message.delivered, message.read);
        break;
      case 'health':
        this.chats = message.chats;
        if (message.chats === 'open') this.outbox.ready();
        this.changed();
        break;
      default: // staff's signals
    }
  }

  private onEvent(entry: EventEntry): void {
    if (entry.chat !== this.chatId) {
      if ((this.chatId && !this.isOver) || this.gone.has(entry.chat)) return;
      this.adopt(entry.chat);
    }
    const log = this.log as ChatLog;
    const before = log.cursor;
    if (entry.ref) this.outbox.arrived(entry.ref);
    log.take(entry);
    if (log.cursor > before && entry.seq === log.cursor) this.noticed(entry);
    const head = this.welcome?.chats?.find((c) => c.chat === this.chatId)?.seq ?? 0;
    if (log.cursor < head || this.caughtUp || this.fetching === this.chatId) return;
    this.caughtUp = true;
    this.changed();
  }

  /** A new entry that somebody else made. */
  private noticed(entry: EventEntry): void {
    if (entry.from.role === 'shopper') return;
    if (entry.kind === 'message') this.typing = null;
    if (!this.caughtUp) return;
    if (!isNews(entry)) return;
    this.spoken = entry;
    this.o.emit('message', { chat: entry.chat, seq: entry.seq, kind: entry.kind });
    this.changed();
  }

  private onTyping(on: boolean, name: string): void {
    const { timers } = this.o;
    const sign = on ? { name, until: timers.now() + TYPING_MS } : null;
    this.typing = sign;
    if (sign) {
      timers.set(() => {
        if (this.typing === sign) this.typing = null;
        this.changed();
      }, TYPING_MS);
    }
    this.changed();
  }

  private onSent(item: OutItem, ok: ServerOk): void {
    if (item.chat === TASK) {
      this.left = item.message;
      if (item.message.t === 'message.leave') this.draftSent(item.message.text);
      this.changed();
      return;
    }
    if (item.message.t === 'chat.start' && ok.chat) {
      if (ok.chat !== this.chatId) this.adopt(ok.chat);
      this.caughtUp = true;
      this.o.emit('started', { chat: ok.chat });
    }
    this.record(item.message, ok);
  }

  /** What was done becomes an entry; not here, if its chat was left before the answer came. */
  private record(message: Parameters<typeof entryOf>[0], ok: ServerOk): void {
    const chat = ok.chat ?? ('chat' in message ? message.chat : null) ?? this.chatId;
    if (!this.log || chat !== this.log.chat) return;
    const shopper = this.welcome?.shopper;
    const from: From = { role: 'shopper', ...(shopper?.id ? { id: shopper.id } : {}), ...(shopper?.name ? { name: shopper.name } : {}) };
    const entry = entryOf(message, { ...ok, chat }, from, this.now);
    if (entry) this.log.take(entry);
    else if (ok.seq !== undefined) this.log.expect(ok.seq);
  }

  private onRefused(item: OutItem, refusal: Refusal): void {
    if (item.chat === TASK) {
      this.outbox.remove(item.id);
      this.leftError = refusal.code;
      this.changed();
    }
    if (item.message.t !== 'chat.start') {
      if (item.chat !== TASK && item.chat !== this.chatId) this.takeBack([item]); // its chat is not on the screen any more
      return;
    }
    if (refusal.code !== 'conflict' || !refusal.chat) {
      this.startError = refusal.code;
      this.takeBack(this.outbox.of(null));
      return;
    }
    // Another tab has opened the chat meanwhile: this text is for that one, under its id: other tabs may have it, too.
    const text = item.message.text;
    this.outbox.remove(item.id);
    this.adopt(refusal.chat);
    this.fetch(refusal.chat, 0);
    this.outbox.add(refusal.chat, { t: 'message.send', id: item.id, chat: refusal.chat, text });
  }

  /** What can't be sent goes back to where it is written, before what stands there. */
  private takeBack(items: readonly OutItem[]): void {
    if (items.length === 0) return;
    for (const item of items) this.outbox.remove(item.id);
    this.takenBack += 1;
    this.setDraft([...items.map(({ message }) => ('text' in message ? message.text : '')), this.draft].filter(Boolean).join('\n'));
    this.changed();
  }

  private refold(): void {
    if (!this.log) return;
    const wasOver = this.isOver;
    this.case = foldCase(this.log.entries, this.welcome?.chat === this.chatId ? this.welcome?.state : undefined);
    if (this.case.state !== 'waiting' && this.case.handler) this.queue = null;
    if (this.isOver && !wasOver && this.caughtUp) this.o.emit('ended', { chat: this.chatId });
    if (this.visible) this.markRead();
    this.changed();
  }

  private markRead(): void {
    const entries = this.log?.entries ?? [];
    let n = entries.length - 1;
    while (n >= 0 && entries[n]?.from.role === 'shopper') n -= 1; // our own need no receipt
    const seq = entries[n]?.seq ?? 0;
    if (seq > this.seenUpTo) this.o.store.set(this.keys.seen, String((this.seenUpTo = seq)));
    if (seq > this.readUpTo && this.chatId && this.socket.tell({ t: 'read', chat: this.chatId, seq })) this.readUpTo = seq;
    this.changed();
  }

  private sayTyping(text: string): void {
    if (!this.chatId || this.isOver) return;
    const now = this.o.timers.now();
    const on = text.length > 0;
    const preview = this.welcome?.site?.preview === true && on;
    if (on === this.typingSaid.on && now - this.typingSaid.at < (preview ? 500 : TYPING_AGAIN_MS)) return;
    if (!on && !this.typingSaid.on) return;
    this.typingSaid = { on, at: now };
    this.socket.tell({ t: 'typing', chat: this.chatId, on, ...(preview ? { preview: firstChars(text, 4000) } : {}) });
  }

  private changed(): void {
    const isNew = (e: EventEntry) => e.seq > this.seenUpTo && e.from.role !== 'shopper' && isNews(e);
    this.unread = this.visible || !this.caughtUp ? 0 : (this.log?.entries.filter(isNew).length ?? 0);
    for (const run of this.listeners) run();
  }
}

/** What a shopper is told of while the panel is closed. */
function isNews(entry: EventEntry): boolean {
  return entry.kind === 'message' || entry.kind === 'care' || entry.kind === 'resolution_proposed';
}
