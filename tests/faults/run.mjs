// ./dev faults [ROW…] [--seed N[,N…]]: runs rows of the fault matrix (a number, 7-9, kills, thousand, or nothing for all), prints what was
// injected and what held, and writes the table of docs/faults.md. FIRSTLINE_BIN: a build with failpoints; else one is made.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeTable } from './lib/table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

function arguments_() {
  const args = process.argv.slice(2);
  const i = args.indexOf('--seed');
  const seeds = (i >= 0 ? String(args.splice(i, 2)[1]).split(',') : [Date.now() % 1_000_000]).map(Number);
  const wanted = new Set();
  for (const a of args) {
    const m = /^(\d+)(?:-(\d+))?$/.exec(a);
    if (a === 'kills' || a === 'thousand') wanted.add(a);
    else if (!m || !seeds.every(Number.isFinite)) {
      console.error(`faults: what is "${a}"? ./dev faults [ROW|FROM-TO|kills|thousand …] [--seed N[,N…]]`);
      process.exit(2);
    }
    for (let k = Number(m?.[1]); k <= Number(m?.[2] ?? m?.[1]); k++) wanted.add(String(k));
  }
  return { seeds, wanted };
}

/** A debug build with failpoints, without the web faces; and what the clients need of npm. */
function build() {
  const dir = join(root, 'build-faults');
  const steps = [
    ...(existsSync(join(root, 'web/node_modules/ajv')) ? [] : [['npm', ['--prefix', join(root, 'web'), 'ci', '--no-audit', '--no-fund']]]),
    ['cmake', ['-S', root, '-B', dir, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DFIRSTLINE_FAILPOINTS=ON', '-DFIRSTLINE_WEB=OFF']],
    ['cmake', ['--build', dir, '--target', 'firstline']],
  ];
  for (const [cmd, args] of steps) {
    const r = spawnSync(cmd, args, { encoding: 'utf8' });
    if (r.status !== 0) {
      console.error(`${r.stdout}${r.stderr}`.slice(-3000));
      console.error('faults: the build with failpoints failed');
      process.exit(1);
    }
  }
  return join(dir, 'firstline');
}

function runOne(def, seed, folder) {
  const file = join(folder, `${def.row}.json`);
  const limit = def.ms ?? 180_000;
  return new Promise((done) => {
    const p = spawn(process.execPath, [join(here, 'one.mjs'), def.row, String(seed), file], { stdio: ['ignore', 'inherit', 'inherit'] });
    const timer = setTimeout(() => p.kill('SIGTERM'), limit);
    p.on('exit', (code) => {
      clearTimeout(timer);
      try {
        done(JSON.parse(readFileSync(file, 'utf8')));
      } catch {
        done({ row: def.row, title: def.title, seed, ok: false, why: code === null || code === 143 ? `not done within ${limit / 1000} s` : `the row's process ended with ${code}` });
      }
    });
  });
}

/** The runs of one row with several seeds, as one result: the sums, the longest time, and the first failure. */
function together(runs) {
  const first = runs.find((r) => !r.ok) ?? runs[0];
  const sum = (k) => runs.reduce((n, r) => n + (r[k] ?? 0), 0);
  const counted = runs.some((r) => r.acknowledged !== undefined) ? Object.fromEntries(['acknowledged', 'lost', 'doubled', 'reordered'].map((k) => [k, sum(k)])) : {};
  const injected = new Map();
  for (const r of runs)
    for (const i of r.injected ?? []) {
      const [, what, n] = /^(.*?)(?: ×(\d+))?$/.exec(i);
      injected.set(what, (injected.get(what) ?? 0) + Number(n ?? 1));
    }
  return { ...first, ...counted, injected: [...injected].map(([what, n]) => (n > 1 ? `${what} ×${n}` : what)), recovery: Math.max(...runs.map((r) => r.recovery ?? 0)), seed: runs.map((r) => r.seed).join(', ') };
}

function print(r) {
  if (r.not) return console.log(`-     ${r.row}  ${r.title}: not held: ${r.not}`);
  console.log(`${r.ok ? 'ok   ' : 'FAIL '} ${r.row}  ${r.title} (${r.seconds?.toFixed(1)} s, seed ${r.seed})`);
  for (const i of r.injected ?? []) console.log(`        injected: ${i}`);
  for (const h of r.held ?? []) console.log(`        held:     ${h}`);
  if (r.acknowledged !== undefined) console.log(`        counts:   acknowledged ${r.acknowledged}, lost ${r.lost}, doubled ${r.doubled}, reordered ${r.reordered}, ready again in ${r.recovery.toFixed(2)} s`);
  if (!r.ok) console.log(`        ${(process.env.FAULTS_STACK && r.stack ? r.stack : r.why).replace(/\n/g, '\n        ')}`);
}

const { seeds, wanted } = arguments_();
process.env.FIRSTLINE_BIN ??= build();
const { rows } = await import('./rows/index.mjs');
const chosen = rows.filter((r) => wanted.size === 0 || wanted.has(r.row));
const folder = mkdtempSync(join(tmpdir(), 'flf-'));
const results = [];
for (const def of chosen) {
  const runs = [];
  for (const seed of def.not ? seeds.slice(0, 1) : seeds) {
    runs.push(await runOne(def, seed, folder));
    print(runs.at(-1));
  }
  results.push(together(runs));
  if (!process.env.FAULTS_NO_TABLE) writeTable(join(root, 'docs/faults.md'), results, rows);
}
rmSync(folder, { recursive: true, force: true });
const failed = results.filter((r) => !r.ok && !r.not).length;
console.log(`${results.filter((r) => r.ok).length} passed, ${failed} failed, ${results.filter((r) => r.not).length} not held`);
process.exit(failed || !results.length ? 1 : 0);
