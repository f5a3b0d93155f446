// Waiting for conditions, with deadlines; nothing here sleeps for a fixed time and hopes.
import { setTimeout as delay } from 'node:timers/promises';

/** After so long a condition counts as never met. No test is about this span: it only ends one that is stuck. */
export const WAIT_MS = 30_000;

/** Polls get() until it is truthy and returns that; a throw counts as not yet. `what` may be a function. */
export async function until(get, what, ms = WAIT_MS, every = 25) {
  const end = performance.now() + ms;
  let why = '';
  for (;;) {
    try {
      const v = await get();
      if (v) return v;
      why = '';
    } catch (e) {
      if (e.fatal) throw e;
      why = ` (${e.message.split('\n')[0]})`;
    }
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? await what() : what}${why}`);
    await delay(every);
  }
}
