// Broken versions, and whether the suite notices: ./dev mutants [WORD in a patch's name …]
//
// Each *.patch beside this file breaks one rule or promise. Its first line says which, and who must find it:
//
//     rule 2.4: a handover waits for the receiver | unit chat/test_handover, gateway 12-flow
//
// The tree is copied to build/mutants, and there, one after the other, each patch is put in, the named part is built and run, and
// the patch taken out again. It must go red; the first of its suites that does is enough. Before that, each named part must be green on the
// unbroken copy. Only the programs that the suites name are built, with ccache where there is one. Suites:
//     unit ROOM/FILE      tests/unit/ROOM/FILE.c         gateway PART   tests/gateway/PART….test.mjs
//     faults ROW          tests/faults/run.mjs ROW       sim SEEDS      the simulated days
//     sim commits         tests/sim/commits
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const tree = process.env.MUTANTS_TREE ?? join(root, 'build/mutants');
const TEST_MS = 300_000;
const words = process.argv.slice(2);

function fail(text) {
  console.error(`mutants: ${text}`);
  process.exit(2);
}

function run(cmd, args, { ms = 900_000, env = {} } = {}) {
  const r = spawnSync(cmd, args, { cwd: tree, encoding: 'utf8', timeout: ms, killSignal: 'SIGKILL', maxBuffer: 1 << 28, env: { ...process.env, ...env } });
  return { ok: r.status === 0, timeout: r.error?.code === 'ETIMEDOUT', text: `${r.stdout}${r.stderr}` };
}

/** The tracked files as they stand now; what is unchanged keeps its time, so that little is built anew. */
function copyTree() {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  mkdirSync(tree, { recursive: true });
  const tar = spawnSync('tar', ['--null', '--ignore-failed-read', '-T', '-', '-cf', '-'], { cwd: root, input: files, maxBuffer: 1 << 30 });
  const untar = spawnSync('tar', ['-xf', '-', '--keep-newer-files'], { cwd: tree, input: tar.stdout, maxBuffer: 1 << 26 });
  if (!tar.stdout?.length || untar.error) fail('the tree could not be copied');
  for (const f of readdirSync(join(tree, 'tests/mutants'))) if (f.endsWith('.patch')) rmSync(join(tree, 'tests/mutants', f));
  // For the tests' own libraries; nothing of web/ is built there. Hard links: a build of the real tree meanwhile may replace its packages.
  const packages = join(root, 'web/node_modules');
  rmSync(join(tree, 'web/node_modules'), { recursive: true, force: true });
  if (existsSync(packages)) spawnSync('cp', ['-al', packages, join(tree, 'web/node_modules')]);
}

function read(file) {
  const m = /^(?<what>(?:rule|promise) [^|]+?) *\| *(?<suites>.+)$/.exec(readFileSync(join(here, file), 'utf8').split('\n', 1)[0]);
  if (!m) fail(`${file}: its first line must be "rule N: what is broken | suite part, …"`);
  const suites = m.groups.suites.split(',').map((s) => {
    const [kind, part, ...more] = s.trim().split(/\s+/);
    if (!['unit', 'gateway', 'faults', 'sim'].includes(kind) || !part || more.length) fail(`${file}: "${s.trim()}" is no suite`);
    return { kind, part, name: `${kind} ${part}` };
  });
  return { file, what: m.groups.what, suites };
}

const target = ({ kind, part }) => (kind === 'unit' ? `unit_${part.replace('/', '_')}` : kind === 'sim' ? (part === 'commits' ? 'commits' : 'sim') : 'firstline');

function build(suites) {
  return run('cmake', ['--build', 'build-debug', '--target', ...new Set(suites.map(target))]);
}

function test({ kind, part }) {
  if (kind === 'unit') return run(join(tree, 'build-debug/tests', target({ kind, part })), [], { ms: TEST_MS, env: { FIRSTLINE_SOURCE: tree } });
  if (kind === 'sim' && part === 'commits') return run(join(tree, 'build-debug/tests/commits'), ['300000'], { ms: TEST_MS });
  if (kind === 'sim') return run(join(tree, 'build-debug/tests/simulate'), [part], { ms: TEST_MS });
  const env = { FIRSTLINE_BIN: join(tree, 'build-debug/firstline'), NODE_OPTIONS: process.env.NODE_OPTIONS ?? '' };
  if (Number(process.versions.node.split('.')[0]) === 18) env.NODE_OPTIONS += ' --experimental-global-webcrypto';
  return run(process.execPath, [kind === 'gateway' ? 'tests/gateway/run.mjs' : 'tests/faults/run.mjs', part], { ms: TEST_MS, env });
}

const patch = (file, ...args) => run('patch', ['-p1', '--batch', '--silent', '--no-backup-if-mismatch', ...args, '-i', join(here, file)]);

function judge({ file, suites }) {
  if (!patch(file, '--dry-run').ok) return 'STALE: it does not apply any more';
  patch(file);
  try {
    const built = build(suites);
    if (!built.ok) return `BROKEN: it does not build\n${built.text.split('\n').filter((l) => /error|FAILED/.test(l)).slice(0, 6).join('\n')}`;
    return suites.some((s) => !test(s).ok) ? null : `SURVIVES: ${suites.map((s) => s.name).join(', ')} stays green`;
  } finally {
    patch(file, '-R');
  }
}

const mutants = readdirSync(here).filter((f) => f.endsWith('.patch') && (!words.length || words.some((w) => f.includes(w)))).sort().map(read);
if (!mutants.length) fail(`no patch${words.length ? ` like ${words.join(', ')}` : ''} in tests/mutants`);
copyTree();
if (!existsSync(join(tree, 'build-debug/build.ninja'))) {
  const cache = spawnSync('ccache', ['--version']).status === 0 ? ['-DCMAKE_C_COMPILER_LAUNCHER=ccache'] : [];
  const configured = run('cmake', ['--preset', 'debug', '-DFIRSTLINE_WEB=OFF', ...cache]);
  if (!configured.ok) fail(`cmake: ${configured.text}`);
}

const began = Date.now();
const seconds = (from) => `${Math.round((Date.now() - from) / 1000)} s`;
const all = [...new Map(mutants.flatMap((m) => m.suites).map((s) => [s.name, s])).values()];
const whole = build(all);
if (!whole.ok) fail(`the unbroken tree does not build:\n${whole.text.slice(-2000)}`);
for (const s of all) {
  const r = test(s);
  if (!r.ok) fail(`${s.name} is red on the unbroken tree:\n${r.text.slice(-3000)}`);
}

console.log(`${all.length} suites are green on the unbroken tree (${seconds(began)})`);

let bad = 0;
for (const m of mutants) {
  const from = Date.now();
  const why = judge(m);
  console.log(`${why ? 'not ok' : 'ok'}  ${m.file.replace(/\.patch$/, '').padEnd(44)} ${seconds(from).padStart(5)}  ${why ?? `found: ${m.what}`}`);
  if (why) bad++;
}
console.log(`${mutants.length - bad} of ${mutants.length} broken versions found in ${Math.round((Date.now() - began) / 6000) / 10} min`);
process.exit(bad ? 1 : 0);
