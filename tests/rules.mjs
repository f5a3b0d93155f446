// Every rule of docs/rules.md has tests that name it ("rule 2.7", "rules 1.1, 2.7") and a broken version that they find.
//
// node tests/rules.mjs --table   the table rule → tests          node tests/rules.mjs   fails where a rule has none
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const WHERE = { unit: /^test_.*\.c$/, gateway: /\.test\.mjs$/, browser: /\.test\.mjs$/, sim: /\.c$/, model: /\.pml$/ };

/** The rules as docs/rules.md has them: a paragraph begins with "**2.7" and its name, or the words that follow. */
function rulesOf(text) {
  return [...text.matchAll(/^\*\*(\d\.\d+)\.?(?: ([^*]+?)\.?)?\*\*([^\n]*)/gm)].map(([, rule, name, rest]) => ({ rule, name: name ?? `${rest.trim().slice(0, 40)} …` }));
}

/** "rule 2.4", "rules 1.1, 2.7 and 3.3", "rules 2.1 to 2.3" → the numbers. */
export function numbersIn(text) {
  const found = new Set();
  for (const [, list] of text.matchAll(/\brules? ((?:\d\.\d+)(?:(?:, | and |, and | to )\d\.\d+)*)/gi)) {
    const words = list.split(/(, and |, | and | to )/);
    for (let i = 0; i < words.length; i += 2) {
      found.add(words[i]);
      if (words[i + 1] !== ' to ') continue;
      const [[chapter, from], [, to]] = [words[i].split('.'), words[i + 2].split('.')];
      for (let n = Number(from); n < Number(to); n++) found.add(`${chapter}.${n}`);
    }
  }
  return found;
}

/** A file's tests with the text that belongs to each: what stands between the test before and its own end. */
function testsOf(name, text) {
  const heads = name.endsWith('.c') ? /^static void (\w+)\(void \*\*state\)/gm : /^\s*(?:test|it)\((?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`)/gm;
  const starts = [...text.matchAll(heads)].map((m) => ({ name: m[1] ?? m[2] ?? m[3], at: m.index }));
  if (!starts.length) return [{ name, text }];
  // A comment above a test belongs to it: its text begins behind the last line that closes something.
  const begin = (at, after) => Math.max(after, text.lastIndexOf('\n}', at));
  const out = starts.map((s, i) => {
    const from = begin(s.at, i ? starts[i - 1].at : 0);
    const to = i + 1 < starts.length ? begin(starts[i + 1].at, s.at) : text.length;
    return { name: s.name, text: text.slice(from, to) };
  });
  return [{ name: null, text: text.slice(0, begin(starts[0].at, 0)) }, ...out];
}

function walk(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]));
}

function collect() {
  const by = new Map();
  const add = (rule, what) => by.set(rule, (by.get(rule) ?? new Set()).add(what));
  for (const [kind, pattern] of Object.entries(WHERE)) {
    for (const file of walk(join(here, kind)).filter((f) => pattern.test(f.split('/').at(-1)))) {
      const short = file.slice(here.length + 1).replace(/^unit\//, '').replace(/(\.test)?\.\w+$/, '');
      for (const t of testsOf(file, readFileSync(file, 'utf8'))) for (const rule of numbersIn(t.text)) add(rule, t.name ? `${short}: ${t.name}` : short);
    }
  }
  return by;
}

const rules = rulesOf(readFileSync(join(here, '../docs/rules.md'), 'utf8'));
const tests = collect();
const mutants = readdirSync(join(here, 'mutants')).filter((f) => f.endsWith('.patch')).map((f) => readFileSync(join(here, 'mutants', f), 'utf8').split('\n', 1)[0]);
const broken = (rule) => mutants.filter((head) => head.startsWith(`rule ${rule}:`)).length;

if (process.argv.includes('--table')) {
  console.log('rule                                                    tests  mutants  where');
  for (const { rule, name } of rules) {
    const all = [...(tests.get(rule) ?? [])];
    const files = [...new Set(all.map((t) => t.split(':')[0]))];
    console.log(`${rule.padEnd(5)} ${name.slice(0, 48).padEnd(48)} ${String(all.length).padStart(6)} ${String(broken(rule)).padStart(8)}  ${files.join(' ')}`);
  }
} else {
  test('docs/rules.md has its rules', () => assert.ok(rules.length >= 20, `${rules.length} rules found`));
  for (const { rule, name } of rules) {
    test(`rule ${rule} (${name}) has tests that name it`, () => assert.ok(tests.get(rule)?.size, 'no test names it'));
    test(`rule ${rule} (${name}) has a broken version`, () => assert.ok(broken(rule), `no tests/mutants/*.patch begins with "rule ${rule}:"`));
  }
  test('no test names a rule that does not exist', () => {
    const unknown = [...tests.keys()].filter((r) => !rules.some((x) => x.rule === r));
    assert.deepEqual(unknown, []);
  });
}
