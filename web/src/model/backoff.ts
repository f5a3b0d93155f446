// Waits between tries: random in [0, min(max, min·2ⁿ)), "full jitter", so that many clients don't come back at once.
import type { Random } from './types.js';

export class Backoff {
  private tries = 0;

  constructor(
    private readonly random: Random,
    private readonly minMs = 500,
    private readonly maxMs = 30_000,
  ) {}

  next(): number {
    const span = Math.min(this.maxMs, this.minMs * 2 ** Math.min(this.tries, 30));
    this.tries += 1;
    return Math.round(this.random() * span);
  }

  reset(): void {
    this.tries = 0;
  }
}
