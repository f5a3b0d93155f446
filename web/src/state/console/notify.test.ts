import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soundOff, soundOn, startOfferSound, stopOfferSound, testSound } from './notify.js';
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

test('a tab in which nobody is signed in leaves the sound to the others', async () => {
  const held: Array<() => unknown> = [];
  const locks = { request: (_: string, run: () => unknown) => Promise.resolve(held.push(run)) };
  Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });
  soundOn();
  soundOn();
  assert.equal(held.length, 1);
  let given = false;
  const turn = Promise.resolve(held[0]?.()).then(() => (given = true));
  await Promise.resolve();
  assert.equal(given, false, 'as long as somebody is signed in');
  soundOff();
  await turn;
  soundOn();
  assert.equal(held.length, 2, 'and asks for it with the next sign-in');
  soundOff();
  assert.equal(held[1]?.(), undefined, 'a turn that comes too late is passed on');
});
