// How good and how fast suggestions are, on question sets and on the shop's own articles.
// node tests/load/kb.mjs [--bin FIRSTLINE] [--keep FOLDER] [--speed | SET_OR_FOLDER_OF_SETS …]
//
// --speed: a made-up shop of 1,000 articles and 20,000 accepts on one core; exit 1 where it is slower than it must be.
// A set is a folder with articles.jsonl, queries.jsonl and perhaps accepts.jsonl, as `firstline kb eval` reads them. It is asked
// cold, after each article's first accepts (N), and after all of them. Exit 1 where a "must" below isn't reached.
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { shop } from './lib/shop.mjs';

const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const ALL = 1e9;
const ECE_MUST = 0.08;
const US_MUST = { p50: 500, p99: 2000 };
const ACCEPT_US_MUST = 2000;

/** Per set and stage: recall@1 must and aim, AUROC must and aim (null: none). */
const TARGETS = {
  'en-banking77': { 0: [0.635, 0.67], 5: [0.755, 0.79], 10: [0.8, 0.84], all: [0.918, 0.93] },
  'en-clinc-a': { 0: [0.765, 0.8, 0.915, 0.93], 5: [0.85, 0.88], 10: [0.88, 0.91, 0.952, 0.965], all: [0.95, 0.96, 0.976, 0.985] },
  'en-hint3-sofmattress': { 0: [0.63, 0.68, 0.83, 0.86], 5: [0.7, 0.75], 10: [0.775, 0.8, 0.87, null], all: [0.805, 0.83, 0.875, 0.9] },
  'en-hint3-powerplay11': { 0: [0.51, 0.55, 0.77, null], 5: [0.62, 0.66], 10: [0.66, 0.7, 0.81, null], all: [0.69, 0.73, 0.825, 0.86] },
  'zh-ecom-dev': { 0: [0.37, 0.5, 0.82, 0.88], 4: [0.44, 0.6, 0.8, 0.88] },
  'zh-crosswoz-a': { 0: [0.61, 0.65], 4: [0.68, 0.74], 10: [0.745, 0.79], all: [0.8, null] },
  'xquad-a-zh': { 0: [0.955, 0.965] },
  'xquad-a-th': { 0: [0.96, 0.97] },
  ...Object.fromEntries(['de', 'ru', 'ar', 'tr', 'el', 'ro', 'vi'].map((l) => [`xquad-a-${l}`, { 0: [0.93, 0.945] }])),
  ...Object.fromEntries(['en', 'es', 'hi'].map((l) => [`xquad-a-${l}`, { 0: [0.945, 0.955] }])),
};

const jsonl = (file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []);

/** P(a positive's value > a negative's), ties half; null without both. */
export function auroc(positives, negatives) {
  if (!positives.length || !negatives.length) return null;
  const all = [...positives.map((v) => [v, 1]), ...negatives.map((v) => [v, 0])].sort((a, b) => a[0] - b[0]);
  let ranks = 0;
  for (let i = 0, j; i < all.length; i = j) {
    for (j = i; j < all.length && all[j][0] === all[i][0]; j++);
    for (let k = i; k < j; k++) ranks += all[k][1] * ((i + 1 + j) / 2);
  }
  return (ranks - (positives.length * (positives.length + 1)) / 2) / (positives.length * negatives.length);
}

/** Expected calibration error: ten bins of confidence, mean distance of confidence and share right (Guo et al. 2017). */
export function calibrationError(answers) {
  const bins = Array.from({ length: 10 }, () => [0, 0]);
  for (const { confidence, right } of answers) {
    const bin = bins[Math.min(9, Math.floor(confidence * 10))];
    bin[0] += confidence;
    bin[1] += right;
  }
  return bins.reduce((sum, [said, right]) => sum + Math.abs(said - right), 0) / answers.length;
}

/** Queries as in queries.jsonl, answers as `kb eval` prints them. A query without an answer is "no suggestion". */
export function score(queries, answers) {
  const of = new Map(answers.map((a) => [a.query_id, a]));
  const rows = queries.map((q) => {
    const ranked = of.get(q.query_id)?.ranked ?? [];
    const wanted = q.article == null ? [] : [q.article].flat();
    return {
      inScope: q.article != null,
      right: ranked.length && wanted.includes(ranked[0]) ? 1 : 0,
      shown: ranked.length ? of.get(q.query_id).confidence : -Infinity,
      confidence: ranked.length ? of.get(q.query_id).confidence : 0,
    };
  });
  const inside = rows.filter((r) => r.inScope);
  const us = answers.map((a) => a.us).sort((a, b) => a - b);
  return {
    recall: inside.reduce((n, r) => n + r.right, 0) / inside.length,
    auroc: auroc(inside.map((r) => r.shown), rows.filter((r) => !r.inScope).map((r) => r.shown)),
    ece: calibrationError(rows),
    p50: us[Math.floor(us.length / 2)],
    p99: us[Math.min(us.length - 1, Math.floor(us.length * 0.99))],
  };
}

function run(bin, args, file, errors = 'inherit') {
  return new Promise((done, failed) => {
    const child = spawn(bin, args, { stdio: ['ignore', 'pipe', errors === 'inherit' ? errors : 'pipe'] });
    child.stderr?.on('data', (d) => errors.push(d));
    const out = file && createWriteStream(file);
    child.stdout.pipe(out ?? process.stdout, { end: Boolean(out) });
    child.on('error', failed);
    child.on('close', (code) => (out ? out.end(() => done(code)) : done(code)));
  });
}

function setsOf(folders) {
  return folders.flatMap((folder) => {
    if (existsSync(join(folder, 'queries.jsonl'))) return [folder];
    const inside = existsSync(folder) ? readdirSync(folder).sort().map((f) => join(folder, f)) : [];
    const found = inside.filter((f) => existsSync(join(f, 'queries.jsonl')));
    if (!found.length) throw new Error(`${folder}: no set in it (a set has queries.jsonl and articles.jsonl)`);
    return found;
  });
}

/** The stages of a set: those of its targets, or as many as its accepts give. */
function stagesOf(dir) {
  const most = Math.max(0, ...jsonl(join(dir, 'accepts.jsonl')).map((a) => a.n));
  const steps = [5, 10].filter((n) => most > n);
  if (most > 0 && most <= 5) return [0, most];
  return most ? [0, ...(basename(dir).startsWith('zh') ? [4, 10] : steps), 'all'] : [0];
}

const figure = (v, must, aim) => (v == null ? '' : `${v.toFixed(3)}${must == null ? ' ' : v < must ? '!' : aim != null && v >= aim ? '*' : ' '}`);
const target = (t, i) => (t?.[i] == null ? '' : `${t[i]} / ${t[i + 1] ?? '–'}`);

/** Whether all is as it must be, and how many musts and aims were reached, in words. */
async function benchSets(bin, folders, keep) {
  const tally = { must: [0, 0], aim: [0, 0], ece: [0, 0], speed: [0, 0] };
  const count = (name, good) => { tally[name][0] += good ? 1 : 0; tally[name][1]++; };
  console.log('! below must   * at the aim   (must / aim beside each)\n');
  console.log(['set'.padEnd(22), 'accepts', 'recall@1', 'must/aim'.padEnd(13), 'AUROC ', 'must/aim'.padEnd(13), 'ECE   ', 'us p50', 'us p99'].join('  '));
  for (const dir of folders) {
    const queries = jsonl(join(dir, 'queries.jsonl'));
    for (const stage of stagesOf(dir)) {
      const file = join(keep, `kb-${basename(dir)}-${stage}.jsonl`);
      const code = await run(bin, ['kb', 'eval', dir, '--accepts', String(stage === 'all' ? ALL : stage)], file);
      if (code !== 0) throw new Error(`kb eval ${dir}: exit ${code}`);
      const s = score(queries, jsonl(file));
      const t = TARGETS[basename(dir)]?.[stage];
      const last = stage !== 0 && stage === stagesOf(dir).at(-1);
      for (const [v, i] of [[s.recall, 0], [s.auroc, 2]]) {
        if (t?.[i] != null) count('must', v >= t[i]);
        if (t?.[i + 1] != null) count('aim', v >= t[i + 1]);
      }
      if (last) count('ece', s.ece <= ECE_MUST);
      count('speed', s.p50 <= US_MUST.p50 && s.p99 <= US_MUST.p99);
      console.log([basename(dir).padEnd(22), String(stage).padStart(7), figure(s.recall, t?.[0], t?.[1]).padStart(8), target(t, 0).padEnd(13),
        figure(s.auroc, t?.[2], t?.[3]).padEnd(6), target(t, 2).padEnd(13), figure(s.ece, null).trim() + (last && s.ece > ECE_MUST ? '!' : ' '),
        String(s.p50).padStart(6), String(s.p99).padStart(6)].join('  '));
    }
  }
  const of = (name) => `${tally[name][0]} of ${tally[name][1]}`;
  console.log(`\nmust ${of('must')}, aim ${of('aim')}; calibration error <= ${ECE_MUST} after all accepts ${of('ece')}; ` +
    `p50 <= ${US_MUST.p50} us and p99 <= ${US_MUST.p99} us ${of('speed')}\n`);
  return { good: tally.must[0] === tally.must[1] && tally.ece[0] === tally.ece[1], must: of('must'), aim: of('aim') };
}

/** Time of a query, of an accept and of a start at the sizes of the promise. */
async function benchSpeed(bin, dir) {
  const made = shop({ articles: 1000, accepts: 20, queries: 4 });
  for (const [name, rows] of Object.entries(made)) writeFileSync(join(dir, `${name}.jsonl`), rows.map((r) => `${JSON.stringify(r)}\n`).join(''));
  const errors = [];
  const code = await run('taskset', ['-c', '0', bin, 'kb', 'eval', dir, '--accepts', String(ALL), '--times'], join(dir, 'answers.jsonl'), errors);
  const said = Buffer.concat(errors).toString();
  if (code !== 0) throw new Error(`kb eval: exit ${code}: ${said}`);
  const times = JSON.parse(said.trim().split('\n').at(-1));
  const s = score(made.queries, jsonl(join(dir, 'answers.jsonl')));
  console.log(`${times.articles} articles, ${times.accepts} accepts, one core, on disk (recall@1 ${s.recall.toFixed(3)} on made-up questions)`);
  console.log(`a query    p50 ${s.p50} us, p99 ${s.p99} us   (must: ${US_MUST.p50}, ${US_MUST.p99})`);
  console.log(`an accept  p50 ${times.accept_us_p50} us, p99 ${times.accept_us_p99} us   (must: p50 ${ACCEPT_US_MUST}, off the hot path)`);
  console.log(`loading    ${times.load_ms} ms without accepts, ${times.reload_ms} ms with all of them (${times.reload_cpu_ms} ms of a processor)`);
  return s.p50 <= US_MUST.p50 && s.p99 <= US_MUST.p99 && times.accept_us_p50 <= ACCEPT_US_MUST;
}

/** The sets of these folders and the speed: what benchSets() gives, and whether it is fast enough. */
export async function kb(folders, bin = join(ROOT, 'build/firstline')) {
  const dir = mkdtempSync(join(tmpdir(), 'firstline-kb-bench-'));
  try {
    const sets = await benchSets(bin, setsOf(folders), dir);
    return { ...sets, isFast: await benchSpeed(bin, dir) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function main(argv) {
  let bin = join(ROOT, 'build/firstline');
  let keep = null;
  let speed = false;
  const folders = [];
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--bin') bin = argv[++i];
    else if (argv[i] === '--keep') keep = argv[++i];
    else if (argv[i] === '--speed') speed = true;
    else folders.push(argv[i]);
  }
  if (!folders.length && !speed) return (await run(bin, ['kb', 'bench', join(ROOT, 'kb')])) === 0;
  const dir = keep ?? mkdtempSync(join(tmpdir(), 'firstline-kb-bench-'));
  mkdirSync(dir, { recursive: true });
  if (speed) {
    const good = await benchSpeed(bin, dir);
    if (!keep) rmSync(dir, { recursive: true });
    return good;
  }
  const sets = setsOf(folders);
  const { good } = await benchSets(bin, sets, dir);
  if (!keep) rmSync(dir, { recursive: true });
  for (const set of sets.filter((s) => jsonl(join(s, 'queries.jsonl')).filter((q) => q.article != null).length >= 1000))
    if ((await run(bin, ['kb', 'gaps', set])) !== 0) return false;
  return good;
}

if (process.argv[1] && resolve(process.argv[1]) === new URL(import.meta.url).pathname) {
  main(process.argv.slice(2)).then((good) => { process.exitCode = good ? 0 : 1; }, (e) => { console.error(`bench kb: ${e.message}`); process.exitCode = 1; });
}
