// ./dev bench gateway --peers DIR [--rounds N]: the built server beside other servers, in interleaved runs on the same two cores, and by itself.
//
// DIR holds the load generator and the peers (run.py, or peers/run.py). Without it nothing can be compared: then only what the server
// needs by itself is measured, and that is said. Writes its tables and plots into docs/speed.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { archive } from './archive.mjs';
import { alone } from './lib/alone.mjs';
import { barsOf, plotOf } from './lib/plot.mjs';
import { write } from './lib/report.mjs';
import { rows } from './lib/rows.mjs';
import { routing } from './routing.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

export const option = (name, fallback) => {
  const i = process.argv.indexOf(name);
  return i < 0 ? fallback : process.argv[i + 1];
};

const work = '/tmp/perf-peers';

function runner(peers) {
  if (!peers) return console.log('no --peers DIR: the load generator and the other servers are not there, rows 1 to 10 are left out'), null;
  const found = [join(peers, 'run.py'), join(peers, 'peers/run.py')].find((f) => existsSync(f));
  if (!found) throw new Error(`${peers}: no run.py`);
  return resolve(found);
}

/** One comparison: all its results, one an object. */
function compare(py, folder, rounds, product, names) {
  const out = join(folder, `${product}.jsonl`);
  const r = spawnSync('python3', [py, '--reps', String(rounds), '--only', names.join(','), '--product', join(here, `${product}.json`), '--out', out, '--work', work], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  console.log(r.stdout);
  if (r.status !== 0) throw new Error(`${py} ended with ${r.status}`);
  return readFileSync(out, 'utf8').trim().split('\n').map((l) => JSON.parse(l));
}

/** The comparisons' results, [] without peers, and what ours needs by itself. */
export async function gateway({ peers, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const py = runner(peers);
    const results = [];
    if (py) {
      results.push(...compare(py, folder, rounds, 'product', ['floor (raw epoll)', 'lws ref+redis', 'node ws+redis', 'socket.io+redis', 'firstline']));
      results.push(...compare(py, folder, rounds, 'product-always', ['lws ref+redis fsync', 'firstline always']));
    }
    return { results, own: await alone(py ? join(work, 'wsload') : null) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The table and the plots, in docs; nothing where most of the rows are missing. */
export function writeDown({ results, own, rounds }, table) {
  if (!results.length) return console.log('no --peers DIR: the table in docs/speed.md stays as it is');
  write(join(root, 'docs/speed.md'), { table: table.markdown, rounds });
  plotOf(join(root, 'docs/speed-latency.svg'), results);
  barsOf(join(root, 'docs/speed-connections.svg'), results, own);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rounds = Number(option('--rounds', 2));
  const found = await gateway({ peers: option('--peers'), rounds });
  Object.assign(found.own, archive(), await routing({ costs: [] }));
  const table = rows(found.results, found.own);
  console.log(table.text);
  writeDown({ ...found, rounds }, table);
  process.exit(0);
}
