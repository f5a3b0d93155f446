import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOfferSound, stopOfferSound, testSound } from './notify.js';
import { choose } from './settings.js';

test('who turns the sound off while an offer rings has quiet', () => {
  let tones = 0;
  const part = { frequency: {}, gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }, connect: () => part, start: () => (tones += 1), stop: () => undefined };
  class Audio {
    state = 'running';
    currentTime = 0;
    destination = part;
    resume = () => Promise.resolve();
    createOscillator = () => part;
    createGain = () => part;
  }
  let ring = () => undefined as void;
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  Object.assign(globalThis, { AudioContext: Audio, setInterval: (run: () => void) => ((ring = run), 1), clearInterval: () => undefined, setTimeout: () => 1 });
  testSound();
  startOfferSound();
  ring();
  assert.equal(tones, 4);
  choose({ sound: false });
  ring();
  assert.equal(tones, 4);
  choose({ sound: true });
  ring();
  assert.equal(tones, 6);
  stopOfferSound();
});
