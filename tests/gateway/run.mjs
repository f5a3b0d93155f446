// Runs these tests:   node tests/gateway/run.mjs [word in a file's name …]
//
// FIRSTLINE_BIN   the program (default build/firstline)      FIRSTLINE_SEED  the seed of what is random
// FIRSTLINE_KEEP  1: leave the temporary folders             FIRSTLINE_JOBS  files at once (default 2)
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BIN } from './lib/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const files = readdirSync(here)
  .filter((f) => f.endsWith('.test.mjs') && (!words.length || words.some((w) => f.includes(w))))
  .sort()
  .map((f) => join(here, f));
if (!existsSync(BIN)) {
  console.error(`no program ${BIN}: build it first, or name it in FIRSTLINE_BIN`);
  process.exit(2);
}
const help = spawnSync(process.execPath, ['--help'], { encoding: 'utf8' }).stdout;
const jobs = help.includes('--test-concurrency') ? [`--test-concurrency=${process.env.FIRSTLINE_JOBS ?? 2}`] : [];
const tests = spawn(process.execPath, ['--test', '--test-reporter=spec', ...jobs, ...files], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => tests.kill(signal));
tests.on('exit', (code) => process.exit(code ?? 1));
