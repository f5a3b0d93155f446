// Dictionaries are complete in each language, nothing in them is unused, and no text stands in code.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

declare const WEB_DIR: string;
const languages = ['en', 'zh-CN'];
const plural = /\.(zero|one|two|few|many|other)$/;

const read = (lang: string, file: string) => JSON.parse(readFileSync(join(WEB_DIR, 'i18n', lang, file), 'utf8')) as Record<string, string>;
const dictionaries = readdirSync(join(WEB_DIR, 'i18n', 'en')).filter((f) => f.endsWith('.json'));

function sources(dir: string): Array<{ file: string; text: string }> {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const file = join(dir, e.name);
    if (e.isDirectory()) return e.name === 'protocol' ? [] : sources(file);
    return /\.tsx?$/.test(e.name) && !/\.test\.tsx?$|\.d\.ts$/.test(e.name) ? [{ file: file.slice(WEB_DIR.length + 1), text: readFileSync(file, 'utf8') }] : [];
  });
}
const code = sources(join(WEB_DIR, 'src'));
const all = code.map((s) => s.text).join('\n');

for (const file of dictionaries) {
  test(`${file}: the same keys and variables in each language`, () => {
    const base = (lang: string) => [...new Set(Object.keys(read(lang, file)).map((k) => k.replace(plural, (whole) => (`${k.slice(0, -whole.length)}` in read(lang, file) ? '' : whole))))].sort();
    const first = base('en');
    for (const lang of languages) {
      assert.deepEqual(base(lang), first, lang);
      for (const [key, text] of Object.entries(read(lang, file))) {
        assert.ok(text.trim() !== '', `${lang} ${key} is empty`);
        const vars = (t: string | undefined) => [...(t ?? '').matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
        if (!plural.test(key)) assert.equal(vars(text), vars(read('en', file)[key]), `${lang} ${key}: variables`);
      }
    }
  });

  test(`${file}: every key is used`, () => {
    // A key is used when it stands in code, or begins like a template: t(`msg.${state}`).
    const templates = [...all.matchAll(/[`']([\w.]+\.)\$\{/g)].map((m) => m[1] as string);
    const middle = [...all.matchAll(/`([\w.]*)\$\{[^}]+\}([\w.]*)(?:\$\{[^}]+\})?`/g)].map((m) => [m[1] as string, m[2] as string]);
    const unused = Object.keys(read('en', file)).map((k) => k.replace(plural, '')).filter((key) =>
      !all.includes(`'${key}'`) && !all.includes(`"${key}"`) && !all.includes(`\`${key}\``) && !templates.some((t) => key.startsWith(t))
      && !middle.some(([a, b]) => a && b && key.startsWith(a) && key.endsWith(b)));
    assert.deepEqual([...new Set(unused)], []);
  });
}

test('every key that code names exists', () => {
  const known = new Set(dictionaries.flatMap((f) => Object.keys(read('en', f)).flatMap((k) => [k, k.replace(plural, '')])));
  const missing = code.flatMap(({ file, text }) => [...text.matchAll(/\b(?:t|i\.t|say)\(\s*'([\w.]+)'/g)].filter((m) => !known.has(m[1] as string)).map((m) => `${file}: ${m[1]}`));
  assert.deepEqual(missing, []);
});

test('every state that the server names has a text', () => {
  const table = readFileSync(join(WEB_DIR, '../server/app/app_state.c'), 'utf8');
  const names = [...table.matchAll(/\[STATE_\w+\] = \{"(\w+)"/g)].map((m) => m[1] as string);
  assert.ok(names.length > 10);
  for (const lang of languages) assert.deepEqual(names.filter((n) => !read(lang, 'console.json')[`health.${n}`]), [], lang);
});

test('no visible text stands in code', () => {
  const found = code.filter(({ file }) => !understood.includes(file)).flatMap(({ file, text }) => text.split('\n').flatMap((line, n) => {
    const bare = line.replace(/\/\/.*$/, '').replace(/^\s*(\/?\*).*$/, '');
    const inTag = /<(?:\w+|)[^<>{}=]*>\s*([A-Za-z][a-z]+(?: [a-z]+)+|[\u4e00-\u9fff]+)/.exec(bare);
    const inAttribute = /(?:aria-label|title|placeholder|label|alt)="[^"]*[A-Za-z\u4e00-\u9fff]{2,}/.exec(bare);
    const chinese = /[\u4e00-\u9fff]/.exec(bare) && !bare.includes('\\u') && !allowed.some((a) => bare.includes(a));
    return inTag || inAttribute || chinese ? [`${file}:${n + 1}: ${bare.trim().slice(0, 90)}`] : [];
  }));
  assert.deepEqual(found, []);
});

/** Words of both languages that are understood in what people type, not shown. */
const understood = ['src/state/qa/query.ts'];

/** What the launcher says (the loader has no dictionary), the shop's own name, languages in their own words. */
const allowed = ["['联系客服', '连不上，正在重试']", "'灯与织'", "'中文", '简体中文', '，。！？'];
