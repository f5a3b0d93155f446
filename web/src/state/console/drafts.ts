// Unsent texts: one a chat and mode. They survive a switch, a reload and a crash, and go only after `ok`. Tabs of one
// browser share them: what was written last stands, and sending in one tab takes away only what that tab knew of.
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Store } from '../../model/storage.js';
import type { Timers } from '../../model/types.js';

export type Mode = 'reply' | 'note' | 'whisper';

export interface Draft {
  text: string;
  /** The suggestion that it grew from, and its text as inserted. */
  article?: { id: string; text: string };
  /** The canned reply that it grew from, and which of its {variables} the rep has to fill in. */
  canned?: { name: string; variables: string[] };
  /** What stood there before it came in; gone with the next stroke. */
  before?: string;
}

const SAVE_MS = 250;
const EMPTY: Draft = { text: '' };

export class Drafts {
  private readonly kept = new Map<string, Signal<Draft>>();
  private readonly dirty = new Set<string>();
  /** What storage held when this tab last read or wrote it. */
  private readonly stored = new Map<string, string | null>();
  private timer: unknown = null;
  /** Chats that have an unsent reply or note, for the list. */
  readonly chats = signal<ReadonlySet<string>>(new Set());

  constructor(
    private readonly store: Store,
    private readonly timers: Timers,
    private readonly prefix: string,
  ) {
    for (const key of store.keys(prefix)) this.of(...this.parse(key));
    this.recount();
  }

  of(chat: string, mode: Mode): Signal<Draft> {
    const key = `${this.prefix}${mode}:${chat}`;
    const have = this.kept.get(key);
    if (have) return have;
    const made = signal(this.read(key));
    this.kept.set(key, made);
    return made;
  }

  set(chat: string, mode: Mode, draft: Draft): void {
    const at = this.of(chat, mode);
    const crossed = (at.peek().text === '') !== (draft.text === '');
    at.value = draft;
    this.dirty.add(`${this.prefix}${mode}:${chat}`);
    this.timer ??= this.timers.set(() => this.flush(), SAVE_MS);
    if (crossed) this.recount();
  }

  clear(chat: string, mode: Mode): void {
    this.set(chat, mode, EMPTY);
  }

  /** A text that could not be sent comes back, before what was written since. */
  giveBack(chat: string, mode: Mode, text: string): void {
    const now = this.of(chat, mode).peek().text;
    this.set(chat, mode, { text: now === '' ? text : `${text}\n${now}` });
    this.flush();
  }

  /** Writes what is not written yet; called on a timer and when the page is hidden. */
  flush(): void {
    this.timers.clear(this.timer);
    this.timer = null;
    for (const key of this.dirty) {
      const draft = this.kept.get(key)?.peek() ?? EMPTY;
      if (draft.text !== '') {
        const text = JSON.stringify(draft);
        this.store.set(key, text);
        this.stored.set(key, text);
      } else if (this.store.get(key) === (this.stored.get(key) ?? null)) {
        this.store.remove(key);
        this.stored.set(key, null);
      } else this.take(key);
    }
    this.dirty.clear();
    this.recount();
  }

  /** Another tab wrote or sent: shown here too, unless this one is being written. */
  changed(key: string | null): void {
    if (!key?.startsWith(this.prefix) || this.dirty.has(key)) return;
    this.take(key);
    this.recount();
  }

  private take(key: string): void {
    this.of(...this.parse(key)).value = this.read(key);
  }

  get any(): boolean {
    return this.chats.peek().size > 0;
  }

  private parse(key: string): [string, Mode] {
    const [mode, chat] = key.slice(this.prefix.length).split(':');
    return [chat ?? '', mode === 'note' || mode === 'whisper' ? mode : 'reply'];
  }

  private read(key: string): Draft {
    const text = this.store.get(key);
    this.stored.set(key, text);
    try {
      const value = JSON.parse(text ?? 'null') as Draft | null;
      return value && typeof value.text === 'string' ? value : EMPTY;
    } catch {
      return EMPTY;
    }
  }

  private recount(): void {
    const chats = new Set<string>();
    for (const [key, draft] of this.kept) if (draft.peek().text.trim() !== '') chats.add(this.parse(key)[0]);
    this.chats.value = chats;
  }
}
