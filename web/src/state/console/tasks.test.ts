import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactLink, inOrder } from './tasks.js';

test('tasks: overdue first, then by age, then what is for later', () => {
  const list = [
    { task: 'later', at: 1, due_at: 900 }, { task: 'new', at: 90 }, { task: 'soon', at: 2, due_at: 200 }, { task: 'old', at: 10 },
    { task: 'over', at: 5, due_at: 99 }, { task: 'long_over', at: 70, due_at: 50 },
  ];
  assert.deepEqual(inOrder(list, 100).map((x) => x.task), ['long_over', 'over', 'old', 'new', 'soon', 'later']);
  assert.deepEqual(inOrder(list, 1000).map((x) => x.task), ['long_over', 'over', 'soon', 'later', 'old', 'new']);
});

test('tasks: a number is called, an address written to, and nothing else becomes a link', () => {
  for (const [contact, link] of [
    ['sue@example.org', 'mailto:sue@example.org'], ['138 0000 0000', 'tel:13800000000'], [' +44 (20) 7946-0000 ', 'tel:+442079460000'],
    ['WeChat: sue', null], ['javascript:alert(1)', null], ['sue@example.org?cc=all@example.org', null], ['12', null], ['', null],
  ] as const) assert.equal(contactLink(contact), link, contact);
});
