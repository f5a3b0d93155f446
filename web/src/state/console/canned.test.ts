import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannedText, cannedTitle, fillCanned, findCanned, firstUnfilled } from './canned.js';

const way = { name: 'way', title_en: 'On its way', title_zh: '包裹在途', text_en: 'Your order {order} left.', text_zh: '订单 {order} 已发出' };
const bye = { name: 'bye', text_en: 'Way to go, {name}' };
const only = { name: 'on', text_zh: '好的' };

test('a canned reply is said in the reader\u2019s language, or in the one that there is', () => {
  assert.deepEqual(['zh-CN', 'zh', 'ZH-tw', 'en', 'fr', ''].map((lang) => cannedText(way, lang)),
    [way.text_zh, way.text_zh, way.text_zh, way.text_en, way.text_en, way.text_en]);
  assert.equal(cannedText(bye, 'zh-CN'), bye.text_en);
  assert.equal(cannedText(only, 'en'), '好的');
  assert.deepEqual([cannedTitle(way, 'zh-CN'), cannedTitle(way, 'en'), cannedTitle(bye, 'en')], ['包裹在途', 'On its way', 'bye']);
});

test('it is found by name, title and text, in both languages and full width, the best first', () => {
  const all = [bye, way, only];
  const names = (typed: string) => findCanned(all, typed).map((c) => c.name);
  assert.deepEqual(names(''), ['bye', 'way', 'on']);
  assert.deepEqual(names('way'), ['way', 'bye'], 'the name before the text');
  assert.deepEqual(names('\uff37\uff21\uff39'), ['way', 'bye']);
  assert.deepEqual(names('在途'), ['way']);
  assert.deepEqual(names('on'), ['on', 'way'], 'a name before a title');
  assert.deepEqual(names('no such'), []);
});

test('what is known stands in the variables\u2019 places, the others are named once, and the first that stands is found', () => {
  const { text, variables } = fillCanned('{name}: {order}, {日期}, {order}, {toString} {not one} {}', { name: '$& Ann', order: '' });
  assert.equal(text, '$& Ann: {order}, {日期}, {order}, {toString} {not one} {}');
  assert.deepEqual(variables, ['order', '日期', 'toString']);
  assert.deepEqual(firstUnfilled(text, variables), { from: 8, to: 15 });
  assert.deepEqual(firstUnfilled('x {日期} {order}', variables), { from: 2, to: 6 });
  assert.equal(firstUnfilled('all is written, {name} too', variables), null);
});
