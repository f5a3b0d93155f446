// The budgets of what a shop's page loads, in gzipped bytes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

declare const WEB_DIR: string;
const KB = 1024;
let out = '';

before(() => {
  out = mkdtempSync(join(tmpdir(), 'firstline-sizes-'));
  const run = spawnSync(process.execPath, [join(WEB_DIR, 'build.mjs'), out], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
});
after(() => rmSync(out, { recursive: true, force: true }));

const asset = (name: RegExp) => join('assets', readdirSync(join(out, 'assets')).find((f) => name.test(f)) as string);
const gz = (file: string) => statSync(join(out, `${file}.gz`)).size;

test('the loader is at most 2.5 KB', () => {
  assert.ok(gz('widget.js') <= 2.5 * KB, `${gz('widget.js')} bytes`);
});

for (const lang of ['en', 'zh-CN']) {
  test(`the panel with ${lang} is at most 25 KB, in two files`, () => {
    const size = gz(asset(/^panel-[A-Z0-9]+\.js$/)) + gz(asset(new RegExp(`^widget-${lang}-[A-Z0-9]{8}\\.js$`)));
    assert.ok(size <= 25 * KB, `${size} bytes`);
  });
}

test("the later part takes everything it shares from the panel, and the panel exports it", () => {
  const panel = readFileSync(join(out, asset(/^panel-[A-Z0-9]+\.js$/)), 'utf8');
  const later = readFileSync(join(out, asset(/^later-[A-Z0-9]+\.js$/)), 'utf8');
  const exported = new Set([...panel.matchAll(/export\{([^}]*)\}/g)].flatMap((m) => (m[1] as string).split(',').map((x) => x.split(' as ').pop()?.trim())));
  const wanted = [...later.matchAll(/import\{([^}]*)\}from"\.\/panel-[A-Z0-9]+\.js"/g)].flatMap((m) => (m[1] as string).split(',').map((x) => x.split(' as ')[0]?.trim()));
  assert.ok(wanted.length > 5);
  assert.deepEqual(wanted.filter((name) => !exported.has(name)), []);
});

/** The entry, what it imports at once, and the dictionaries of one language. */
function firstLoad(page: string): number {
  const entry = /src="\/(assets\/[^"]+\.js)"/.exec(readFileSync(join(out, `${page}.html`), 'utf8'))?.[1] as string;
  const text = readFileSync(join(out, entry), 'utf8');
  const linked = (pattern: RegExp) => [...text.matchAll(pattern)].map((m) => join('assets', m[1] as string));
  const dictionaries = linked(/import\("\.\/(zh-CN-[A-Z0-9]+\.js)"\)/g);
  assert.equal(dictionaries.length, 2);
  return [entry, ...linked(/from"\.\/([^"]+\.js)"/g), ...dictionaries].reduce((sum, file) => sum + gz(file), 0);
}

test('the console loads at most 90 KB of script and 15 KB of style, QA 80 KB', () => {
  assert.ok(firstLoad('console') <= 90 * KB, `console ${firstLoad('console')} bytes`);
  assert.ok(firstLoad('qa') <= 80 * KB, `qa ${firstLoad('qa')} bytes`);
  assert.ok(gz(asset(/^console-[A-Z0-9]+\.css$/)) <= 15 * KB);
});

test('the faces name no other host', () => {
  for (const file of readdirSync(join(out, 'assets')).filter((f) => /\.(js|css)$/.test(f)).map((f) => join('assets', f)).concat('widget.js', 'index.html')) {
    const hosts = [...readFileSync(join(out, file), 'utf8').matchAll(/https?:\/\/([\w.-]+\.\w+)/g)].map((m) => m[1]).filter((h) => h !== 'www.w3.org' && !h?.endsWith('.example'));
    assert.deepEqual(hosts, [], file);
  }
});
