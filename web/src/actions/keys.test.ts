import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Desk } from '../state/console/desk.js';
import type { Action } from './action.js';
import { followKeys } from './keys.js';

before(() => {
  class Nothing {}
  Object.assign(globalThis, { HTMLElement: Nothing, HTMLInputElement: Nothing, HTMLTextAreaElement: Nothing, HTMLSelectElement: Nothing, Element: Nothing });
});

/** A page whose keys run these acts. */
function world(acts: Record<string, string[]>) {
  const ran: string[] = [];
  const target = new EventTarget();
  const actions = Object.entries(acts).map(([id, keys]): Action => ({ id, label: id, group: 'go', keys, enabled: () => true, run: () => ran.push(id), ...(id === 'next' ? { repeats: true } : {}) }));
  followKeys(target as Document, () => ({ dialog: { peek: () => null } }) as Desk, actions);
  const press = (key: string, more: object = {}) => target.dispatchEvent(Object.assign(new Event('keydown'), { key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more }));
  return { ran, press };
}

test('the second key of a pair is the pair, also where that key alone does something', () => {
  const w = world({ previous: ['k'], knowledge: ['g k'] });
  ['g', 'k', 'k'].forEach((key) => w.press(key));
  assert.deepEqual(w.ran, ['knowledge', 'previous']);
});

test('a key that is held acts once; only where one walks along a list it goes on', () => {
  const w = world({ accept: ['a'], next: ['j'] });
  for (const key of ['a', 'j']) [false, true, true].forEach((repeat) => w.press(key, { repeat }));
  assert.deepEqual(w.ran, ['accept', 'next', 'next', 'next']);
});

