// Shoppers and reps who keep writing, whatever breaks: what got no ok is repeated under its id on a new connection.
import { setTimeout as delay } from 'node:timers/promises';
import { again, rep } from './client.mjs';
import { servedChat } from './desk.mjs';
import { until } from './wait.mjs';

const WINDOW = 20; // under way at once, per writer

class Writer {
  constructor(name, chat, client, reconnect) {
    Object.assign(this, { name, chat, client, reconnect, next: 0, pending: new Map(), acked: new Map(), errors: new Set(), stopped: false, window: WINDOW, pace: 0 });
  }

  get count() {
    return this.acked.size;
  }

  /** Writes until stopped; then until everything that was begun is acknowledged. */
  async run() {
    while (!this.stopped || this.pending.size) {
      try {
        await this.live();
      } catch (e) {
        this.errors.add(e.message);
      }
      if (!this.stopped || this.pending.size) await this.renew();
    }
  }

  async renew() {
    this.client.drop();
    await this.client.gone;
    this.client = await until(() => this.reconnect(this.client), `${this.name} is connected again`, 25_000, 50);
  }

  /** One connection's time: returns when there is nothing to do or the connection has to be renewed. */
  async live() {
    const c = this.client;
    for (const [id, text] of this.pending) c.send('message.send', { chat: this.chat, text, id });
    for (;;) {
      while (!this.stopped && this.pending.size < this.window) {
        const id = `${this.name}-${this.next}`;
        const text = `${this.name} says ${this.next++}`;
        this.pending.set(id, text);
        c.send('message.send', { chat: this.chat, text, id });
      }
      if (this.pending.size === 0) return;
      c.inbox = c.inbox.filter((x) => this.pending.has(x.re)); // events are in its views
      const m = await c.expect((x) => this.pending.has(x.re), {}, 15_000);
      if (m.t === 'ok') {
        this.acked.set(m.re, { seq: m.seq, text: this.pending.get(m.re) });
        this.pending.delete(m.re);
        if (this.pace) await delay(this.pace); // the traffic's, not a condition
      } else if (m.code === 'unavailable') {
        return; // not done or unknown: again, on a new connection, in order
      } else {
        throw Object.assign(new Error(JSON.stringify(m)), { fatal: true });
      }
    }
  }
}

/** n chats, each with a shopper and a rep who write without pause (or with `pace` ms between, `window` under way). */
export async function traffic(server, n, how = {}) {
  const writers = [];
  for (let i = 0; i < n; i++) {
    const { ann, sue, chat } = await servedChat(server);
    const resume = (c) => [{ chat, seq: c.head(chat) }];
    writers.push(
      new Writer(`sue${i}`, chat, sue, (c) => again(c, { resume: resume(c) })),
      new Writer(`ann${i}`, chat, ann, (c) => rep(server, ann.who, { shift: false, resume: resume(c) })),
    );
  }
  const running = writers.map((w) => Object.assign(w, how).run());
  for (const r of running) r.catch(() => {}); // said by stop(), and by more() as what is missing
  return {
    writers,
    /** Waits until everybody has got this many more oks. */
    async more(count, ms = 30_000) {
      const from = writers.map((w) => w.count);
      await until(
        () => writers.every((w, i) => w.count >= from[i] + count),
        () => `${count} more for everybody: ${writers.map((w, i) => `${w.name} ${w.count - from[i]} ${[...w.errors]}`).join(', ')}`,
        ms,
        2,
      );
    },
    async stop() {
      for (const w of writers) w.stopped = true;
      await Promise.all(running);
    },
  };
}

/** All that the writers were told is done stands in the logs with its seq, once, and each one's texts in order. */
export function missing(chats, writers) {
  const wrong = [];
  for (const w of writers) {
    const log = chats.get(w.chat) ?? [];
    const mine = log.filter((e) => e.kind === 'message' && e.text.startsWith(`${w.name} says `));
    for (const { seq, text } of w.acked.values()) if (log[seq - 1]?.text !== text) wrong.push(`${w.chat} seq ${seq}: ${text} is acknowledged, ${log[seq - 1]?.text} stands there`);
    const texts = mine.map((e) => e.text);
    const ordered = Array.from({ length: w.next }, (_, i) => `${w.name} says ${i}`);
    if (texts.join('\n') !== ordered.join('\n')) {
      const i = texts.findIndex((t, k) => t !== ordered[k]);
      wrong.push(`${w.chat}: ${w.name} wrote ${w.next}, ${texts.length} stand there; first difference at ${i < 0 ? texts.length : i}: ${texts[i]}; errors: ${[...w.errors].join(' · ') || 'none'}`);
    }
  }
  return wrong;
}
