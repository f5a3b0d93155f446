// Waiting for conditions, with deadlines; nothing in these tests sleeps for a fixed time and hopes.
import { setTimeout as delay } from 'node:timers/promises';

export class TimedOut extends Error {}

/** Polls get() until it is truthy and returns that; a throw counts as not yet, unless it is marked `fatal`. `what` may be a function. */
export async function until(get, what, ms = 10_000, every = 15) {
  const end = performance.now() + ms;
  let why = '';
  for (;;) {
    try {
      const v = await get();
      if (v) return v;
      why = '';
    } catch (e) {
      if (e.fatal) throw e;
      why = ` (${e.message})`;
    }
    if (performance.now() > end) throw new TimedOut(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}${why}`);
    await delay(every);
  }
}

/** The promise's value, or TimedOut. */
export async function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new TimedOut(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Numbers from a seed that is printed when a test fails (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, int: (lo, hi) => lo + Math.floor(next() * (hi - lo + 1)), pick: (list) => list[Math.floor(next() * list.length)] };
}
