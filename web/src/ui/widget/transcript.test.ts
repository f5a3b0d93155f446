import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createI18n } from '../../model/i18n.js';
import type { EventEntry } from '../../model/types.js';
import { transcript } from './transcript.js';

const said = (seq: number, at: string, text: string): EventEntry =>
  ({ t: 'event', chat: 'c_1', seq, at: Date.parse(at), kind: 'message', from: { role: 'shopper' }, text });

test('a transcript says on which day each thing was said', () => {
  const entries = [said(1, '2026-11-01T10:00:00Z', 'one'), said(2, '2026-11-01T11:00:00Z', 'two'), said(3, '2026-11-03T10:00:00Z', 'three')];
  const text = transcript(entries, 'Title', createI18n('en', { you: 'You' }, 'UTC'));
  const lines = text.split('\n').filter(Boolean).map((line) => line.replace(/\u202f/g, ' '));
  assert.deepEqual(lines.map((line) => /November \d|one|two|three|Title/.exec(line)?.[0]), ['Title', 'November 1', 'one', 'two', 'November 3', 'three']);
});
