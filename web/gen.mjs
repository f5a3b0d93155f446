// Makes src/protocol/messages.ts from ../schema/protocol when a schema is newer than it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const web = dirname(fileURLToPath(import.meta.url));
const schema = join(web, '..', 'schema');
const target = join(web, 'src', 'protocol', 'messages.ts');

function newest(dir) {
  return Math.max(0, ...readdirSync(dir, { withFileTypes: true }).map((e) =>
    e.isDirectory() ? newest(join(dir, e.name)) : statSync(join(dir, e.name)).mtimeMs));
}

export function generate() {
  const script = join(schema, 'gen_protocol.mjs');
  const since = Math.max(newest(join(schema, 'protocol')), statSync(script).mtimeMs);
  if (existsSync(target) && statSync(target).mtimeMs >= since) return;
  const out = mkdtempSync(join(tmpdir(), 'firstline-gen-'));
  const run = spawnSync(process.execPath, [script, join(schema, 'protocol'), out, target], { stdio: 'inherit' });
  rmSync(out, { recursive: true, force: true });
  if (run.status !== 0) process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) generate();
