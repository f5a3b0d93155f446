import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, settings, store } from './settings.js';

test('what another tab chose stays when this one chooses something else', () => {
  const kept = () => JSON.parse(store.get('firstline:staff:settings') ?? '{}') as typeof settings.value;
  choose({ sound: false });
  store.set('firstline:staff:settings', JSON.stringify({ ...kept(), theme: 'dark' }));
  choose({ sound: true });
  assert.deepEqual([kept().theme, kept().sound], ['dark', true]);
});
