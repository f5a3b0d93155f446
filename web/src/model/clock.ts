// The clock and timers of the browser, and the server's time as this client knows it.
import type { Timers } from './types.js';

export const systemTimers: Timers = {
  now: () => Date.now(),
  set: (run, ms) => setTimeout(run, ms),
  clear: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** Ages and countdowns are counted on the server's time, so that a wrong clock here shows nothing wrong. */
export class ServerClock {
  private offset = 0;
  private bestTrip = Infinity;

  constructor(private readonly timers: Timers) {}

  /** Takes an answer's `now`; `sentAt` is this clock when the question left. The shortest trip of a connection wins. */
  observe(serverNow: number, sentAt: number): void {
    const now = this.timers.now();
    const trip = Math.max(0, now - sentAt);
    if (trip > this.bestTrip) return;
    this.bestTrip = trip;
    this.offset = serverNow - (sentAt + trip / 2);
  }

  /** A new connection measures anew: this clock may have been set meanwhile. */
  restart(): void {
    this.bestTrip = Infinity;
  }

  now(): number {
    return Math.round(this.timers.now() + this.offset);
  }
}
