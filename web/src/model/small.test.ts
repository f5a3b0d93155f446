import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast, parseColor, readable, textOn } from './color.js';
import { createI18n, pickLanguage } from './i18n.js';
import { Ime } from './ime.js';
import { memoryStore, webStore } from './storage.js';
import { isBlank } from './text.js';

test('a key belongs to the input method while it composes, and just after in Safari order', () => {
  let now = 0;
  const ime = new Ime(() => now);
  assert.equal(ime.owns({ keyCode: 13 }), false);
  const field = Object.assign(new EventTarget(), { isConnected: true });
  ime.start(field);
  assert.equal(ime.owns({ keyCode: 13 }), true);
  ime.end();
  now = 50;
  assert.equal(ime.owns({ keyCode: 229 }), true, 'the Enter that ended the composition');
  assert.equal(ime.owns({ keyCode: 13 }), false, 'a real Enter right after');
  now = 200;
  assert.equal(ime.owns({ keyCode: 229 }), false, 'a bare 229 long after');
  assert.equal(ime.owns({ isComposing: true }), true);
  ime.start(field);
  field.isConnected = false;
  assert.equal(ime.owns({ keyCode: 13 }), false, 'the field left the page in the middle of a word: the keys are ours again');
});

test('plurals, variables and missing keys', () => {
  const en = createI18n('en', { items: '{n} items', 'items.one': '{n} item', hi: 'Hi {name}' });
  assert.equal(en.t('items', { n: 1 }), '1 item');
  assert.equal(en.t('items', { n: 1200 }), '1,200 items');
  assert.equal(en.t('hi', { name: '{n} $&' }), 'Hi {n} $&');
  assert.equal(en.t('nothing'), 'nothing');
  const zh = createI18n('zh-CN', { items: '共 {n} 件' });
  assert.equal(zh.t('items', { n: 1 }), '共 1 件');
});

test('days and times in the zone asked for', () => {
  const i = createI18n('zh-CN', {}, 'Asia/Shanghai');
  const now = Date.UTC(2026, 10, 24, 2, 5);
  assert.equal(i.time(now), '10:05');
  assert.equal(i.day(now, now), '今天');
  assert.equal(i.day(now - 86_400_000, now), '昨天');
  assert.equal(i.day(now + 86_400_000, now), '明天');
  assert.equal(i.sameDay(now, Date.UTC(2026, 10, 23, 16, 1)), true);
  assert.equal(i.sameDay(now, Date.UTC(2026, 10, 23, 15, 59)), false);
});

test('tomorrow is the next day also when the clocks are changed in between', () => {
  const i = createI18n('en', {}, 'Europe/Berlin');
  const late = Date.UTC(2026, 2, 28, 22, 30); // 23:30, and the next day has 23 hours
  assert.equal(i.day(late + 12 * 3_600_000, late), 'Tomorrow');
  assert.notEqual(i.day(late + 36 * 3_600_000, late), 'Tomorrow');
  const early = Date.UTC(2026, 9, 25, 22, 30); // 23:30 of a day with 25 hours
  assert.equal(i.day(early - 24.5 * 3_600_000, early), 'Today');
  assert.equal(i.day(early - 24.75 * 3_600_000, early), 'Yesterday');
});

test('the language is the first that we have', () => {
  assert.equal(pickLanguage(['fr', 'zh-TW', 'en']), 'zh-CN');
  assert.equal(pickLanguage(['de']), 'en');
  assert.equal(pickLanguage(['en-XA']), 'en-XA');
});

test('storage that is refused becomes memory and says so', () => {
  const refused = webStore(() => {
    throw new Error('SecurityError');
  });
  refused.set('a', '1');
  assert.equal(refused.get('a'), '1');
  assert.equal(refused.durable, false);
  const inner = memoryStore();
  const full = webStore(() => ({
    getItem: inner.get, removeItem: inner.remove, length: 0, key: () => null, clear: () => undefined,
    setItem: (k: string, v: string) => {
      if (v.length > 3) throw new Error('QuotaExceededError');
      inner.set(k, v);
    },
  }));
  full.set('b', 'long text');
  assert.equal(full.get('b'), 'long text', 'kept in memory when it no longer fits');
});

test('text on any brand colour has 4.5:1, and a colour that cannot be read is moved to the nearest that can', () => {
  for (let n = 0; n < 4096; n += 7) {
    const color = parseColor(`#${n.toString(16).padStart(3, '0')}`);
    assert.ok(color && contrast(color, textOn(color)) >= 4.5, `#${n.toString(16)}`);
    assert.ok(color && contrast(readable(color, [255, 255, 255], 4.5), [255, 255, 255]) >= 4.5);
    assert.ok(color && contrast(readable(color, [20, 24, 31], 4.5), [20, 24, 31]) >= 4.5);
  }
  assert.equal(parseColor('red'), null);
  assert.equal(parseColor('#12345'), null);
});

test('a text of signs that nobody sees is blank', () => {
  for (const text of ['', ' \t\n\u3000', '\u200b\u2060\ufeff\u202e\u3164\u2800']) assert.ok(isBlank(text), JSON.stringify(text));
  for (const text of ['\u200b.', '好', '📦', '👩\u200d🔧']) assert.ok(!isBlank(text), text);
});
