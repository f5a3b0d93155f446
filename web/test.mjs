// Bundles src/**/*.test.ts(x) and test/*.test.ts, runs them with node --test.   node test.mjs [part of a file name]
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = dirname(fileURLToPath(import.meta.url));
const out = join(web, 'node_modules', '.cache', 'firstline-test');

const find = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
  e.isDirectory() ? find(join(dir, e.name)) : /\.test\.tsx?$/.test(e.name) ? [join(dir, e.name)] : []);

const files = find(join(web, 'src')).filter((f) => f.includes(process.argv[2] ?? ''));
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  entryPoints: files, bundle: true, platform: 'node', target: 'node18', format: 'esm', outdir: out, outbase: web,
  outExtension: { '.js': '.mjs' }, sourcemap: 'inline', logLevel: 'warning', absWorkingDir: web, loader: { '.css': 'empty' },
  define: { WEB_DIR: JSON.stringify(web) },
});
const built = find2(out);
function find2(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? find2(join(dir, e.name)) : e.name.endsWith('.test.mjs') ? [join(dir, e.name)] : []);
}
const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...built], { stdio: 'inherit', cwd: web });
process.exit(run.status ?? 1);
