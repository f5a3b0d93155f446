import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Desk } from '../state/console/desk.js';
import type { Action } from './action.js';
import { followKeys } from './keys.js';

before(() => {
  class Nothing {}
  Object.assign(globalThis, { HTMLElement: Nothing, HTMLInputElement: Nothing, HTMLTextAreaElement: Nothing, HTMLSelectElement: Nothing, Element: Nothing });
});

test('the second key of a pair is the pair, also where that key alone does something', () => {
  const ran: string[] = [];
  const act = (id: string, ...keys: string[]): Action => ({ id, label: id, group: 'go', keys, enabled: () => true, run: () => ran.push(id) });
  const target = new EventTarget();
  followKeys(target as Document, () => ({ dialog: { peek: () => null } }) as Desk, [act('previous', 'k'), act('knowledge', 'g k')]);
  for (const key of ['g', 'k', 'k']) target.dispatchEvent(Object.assign(new Event('keydown'), { key, ctrlKey: false, metaKey: false, altKey: false }));
  assert.deepEqual(ran, ['knowledge', 'previous']);
});
