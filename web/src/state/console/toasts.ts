// Short notices, with their times: 6 s, and 10 s where one can act on them.
import { signal } from '@preact/signals';
import type { Timers } from '../../model/types.js';

export interface Notice {
  id: string;
  text: string;
  bad?: boolean;
  act?: { text: string; run: () => void };
}

const PLAIN_MS = 6_000;
const ACT_MS = 10_000;
const MOST = 4;

export class Toasts {
  readonly items = signal<Notice[]>([]);
  private n = 0;

  constructor(private readonly timers: Timers) {}

  say(text: string, act?: Notice['act']): void {
    this.put({ id: String(++this.n), text, ...(act ? { act } : {}) });
  }

  bad(text: string, act?: Notice['act']): void {
    this.put({ id: String(++this.n), text, bad: true, ...(act ? { act } : {}) });
  }

  close(id: string): void {
    this.items.value = this.items.peek().filter((i) => i.id !== id);
  }

  private put(item: Notice): void {
    const others = this.items.peek().filter((i) => i.text !== item.text);
    this.items.value = [...others, item].slice(-MOST);
    this.timers.set(() => this.close(item.id), item.act ? ACT_MS : PLAIN_MS);
  }
}
