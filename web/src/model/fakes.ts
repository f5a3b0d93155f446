// Clock, timers and sockets for tests: time moves only when a test moves it.
import type { Wake, Wire, WireClass } from './socket.js';
import type { Timers } from './types.js';

export class FakeTimers implements Timers {
  time = 1_000_000;
  private next = 1;
  private readonly due = new Map<number, { at: number; run: () => void }>();

  now = () => this.time;

  set = (run: () => void, ms: number): unknown => {
    this.due.set(this.next, { at: this.time + ms, run });
    return this.next++;
  };

  clear = (handle: unknown): void => {
    this.due.delete(handle as number);
  };

  /** Moves time on; timers fire in order, and promises between them are settled. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const first = [...this.due].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!first) break;
      this.due.delete(first[0]);
      this.time = Math.max(this.time, first[1].at);
      first[1].run();
    }
    this.time = end;
    await settle();
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export class FakeWire implements Wire {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Array<Record<string, unknown> & { t: string; id: string }> = [];
  closed = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {}

  send(data: string): void {
    this.sent.push(JSON.parse(data) as never);
  }

  close(): void {
    this.closed = true;
  }

  // What the server does:
  accept(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
  }

  push(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  drop(code: number): void {
    this.onclose?.({ code });
  }

  last(t: string) {
    return this.sent.filter((m) => m.t === t).pop();
  }
}

/** A network: every WebSocket that was made, newest last, and the page's wake events. */
export function fakeNetwork() {
  const wires: FakeWire[] = [];
  const wakers = new Set<(why: Wake) => void>();
  class Made extends FakeWire {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      wires.push(this);
    }
  }
  return {
    wires,
    WebSocket: Made as WireClass,
    wake: (run: (why: Wake) => void) => {
      wakers.add(run);
      return () => wakers.delete(run);
    },
    say: (why: Wake) => wakers.forEach((run) => run(why)),
    get wire(): FakeWire {
      return wires[wires.length - 1] as FakeWire;
    },
    /** Opens the newest and answers its hello. */
    async welcome(extra: Record<string, unknown> = {}): Promise<void> {
      const wire = wires[wires.length - 1] as FakeWire;
      wire.accept();
      await settle();
      wire.push({ t: 'welcome', re: wire.last('hello')?.id, epoch: 'e1', now: 5_000_000, ...extra });
      await settle();
    },
  };
}
