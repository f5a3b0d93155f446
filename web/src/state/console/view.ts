// One chat of the desk: its log, who writes in it, what is suggested, how far it was read.
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { ChatLog } from '../../model/log.js';
import type { ArticleHit, EventEntry, From } from '../../model/types.js';
import { emptyRow, fold } from './row.js';
import type { Row } from './row.js';

export interface TypingSign {
  from: From;
  mode: 'reply' | 'note';
  preview: string;
  until: number;
}

export type Loaded = 'no' | 'loading' | 'yes' | 'failed';

export interface ViewHooks {
  sync(view: ChatView, after: number): void;
  /** A live entry, after its fact was folded into what the row was `before`. */
  entry(view: ChatView, entry: EventEntry, before: Row): void;
  voided(entries: EventEntry[]): void;
}

const TYPING_MS = 6_000;

export class ChatView {
  log: ChatLog;
  readonly row: Signal<Row>;
  /** Goes up when the log has changed, at most once a frame. */
  readonly version = signal(0);
  readonly loaded = signal<Loaded>('no');
  readonly typing = signal<TypingSign[]>([]);
  readonly suggestions = signal<ArticleHit[]>([]);
  /** They fit what is being typed, not a question that was sent. */
  readonly forTyping = signal(false);
  /** Opened groups of events in the log, by their first seq. */
  readonly openGroups = signal<ReadonlySet<number>>(new Set());
  /** The last entry that the rep has seen; what is above it is new. */
  readSeq = 0;
  /** What was told to the server as read. */
  toldSeq = 0;
  /** The ask whose answer is of use; null: a newer message came, or a reply went. */
  askedSuggestions: Promise<unknown> | null = null;
  private answered: ArticleHit[] = [];
  private processed = 0;
  private frame = 0;

  constructor(
    readonly chat: string,
    private readonly hooks: ViewHooks,
    row: Row = emptyRow(chat),
  ) {
    this.row = signal(row);
    this.processed = row.seq;
    this.log = this.makeLog(row.seq);
  }

  /** Throws the log away, to take it whole from the first entry. */
  restart(): void {
    this.log = this.makeLog(0);
    this.loaded.value = 'loading';
  }

  /** The log is whole up to `head`: the row is what its entries say. */
  whole(head: number, refine: (row: Row) => Row): void {
    this.loaded.value = 'yes';
    this.log.synced(head);
    const before = this.row.peek();
    const folded = this.log.entries.reduce(fold, emptyRow(this.chat));
    this.row.value = refine({ ...folded, shopper: folded.shopper ?? before.shopper, last: folded.last ?? before.last, unread: before.unread });
    this.processed = Math.max(this.processed, head);
    this.bump();
  }

  change(change: Partial<Row>): void {
    this.row.value = { ...this.row.peek(), ...change };
  }

  /** What fits the question, or what is being typed: that goes again once the typing ends without a message. */
  suggest(articles: ArticleHit[], preview: boolean): void {
    if (!preview) this.answered = articles.slice(0, 3);
    this.suggestions.value = articles.slice(0, 3);
    this.forTyping.value = preview && articles.length > 0;
  }

  reject(article: string): void {
    this.answered = this.answered.filter((a) => a.id !== article);
    this.suggestions.value = this.suggestions.peek().filter((a) => a.id !== article);
  }

  markRead(): boolean {
    this.readSeq = Math.max(this.readSeq, this.row.peek().seq);
    if (this.row.peek().unread > 0) this.change({ unread: 0 });
    return this.readSeq > this.toldSeq;
  }

  takeTyping(from: From, on: boolean, mode: 'reply' | 'note', preview: string, now: number): void {
    const others = this.typing.peek().filter((s) => s.from.id !== from.id || s.from.role !== from.role);
    this.typing.value = on ? [...others, { from, mode, preview, until: now + TYPING_MS }] : others;
    this.endPreview();
  }

  expireTyping(now: number): void {
    const left = this.typing.peek().filter((s) => s.until > now);
    if (left.length !== this.typing.peek().length) this.typing.value = left;
    this.endPreview();
  }

  private endPreview(): void {
    if (!this.forTyping.peek() || this.typing.peek().some((s) => s.from.role === 'shopper')) return;
    this.forTyping.value = false;
    this.suggestions.value = this.answered;
  }

  bump(): void {
    if (this.frame !== 0 || this.loaded.peek() === 'loading') return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.version.value += 1;
    });
  }

  private makeLog(from: number): ChatLog {
    const log: ChatLog = new ChatLog(this.chat, {
      sync: (after) => this.hooks.sync(this, after),
      changed: () => {
        if (log === this.log) this.process();
      },
      voided: (entries) => this.hooks.voided(entries),
    }, from);
    return log;
  }

  private process(): void {
    if (this.loaded.peek() === 'loading') return;
    const fresh: EventEntry[] = [];
    for (let i = this.log.entries.length - 1; i >= 0; i--) {
      const entry = this.log.entries[i];
      if (!entry || entry.seq <= this.processed) break;
      fresh.unshift(entry);
    }
    for (const entry of fresh) {
      this.processed = entry.seq;
      const before = this.row.peek();
      if (entry.seq > this.row.peek().seq) this.row.value = fold(this.row.peek(), entry);
      if (entry.kind === 'redacted') this.change({ last: this.log.entries.reduce(fold, emptyRow(this.chat)).last });
      if (entry.kind === 'message') this.takeTyping(entry.from, false, 'reply', '', 0);
      if (entry.kind === 'message' && entry.from.role === 'shopper') {
        this.change({ unread: this.row.peek().unread + 1 });
        this.askedSuggestions = null;
      }
      this.hooks.entry(this, entry, before);
    }
    this.bump();
  }
}
