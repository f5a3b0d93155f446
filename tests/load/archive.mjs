// ./dev bench archive [EVENTS]: entries a second into the archive, with chain and full-text index (tests/unit/archive/test_bench.c).
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the program says of it: events a second and µs of CPU an event. */
export function archive(events = 200_000) {
  const said = execFileSync('taskset', ['-c', '0', join(root, 'build/tests/unit_archive_test_bench')], { encoding: 'utf8', env: { ...process.env, ARCHIVE_BENCH_EVENTS: String(events) }, stdio: ['ignore', 'pipe', 'ignore'] });
  const m = /: (\d+) events\/s, ([\d.]+) us/.exec(said);
  if (!m) throw new Error(`no figure in: ${said}`);
  console.log(said.split('\n').filter((l) => /^ {4}/.test(l)).join('\n'));
  return { archive_events_s: Number(m[1]), archive_cpu_us: Number(m[2]) };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) archive(Number(process.argv[2] ?? 200_000));
