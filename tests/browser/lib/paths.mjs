// Where things are.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BIN = process.env.FIRSTLINE_BIN ?? join(ROOT, 'build/firstline');
/** The built assets that belong to BIN. */
export const WEB = process.env.FIRSTLINE_WEB ?? join(dirname(BIN), 'web');
/** Screenshots and reports. */
export const OUT = join(ROOT, 'tests/browser/output');
mkdirSync(OUT, { recursive: true });

/** Packages are those of the faces. */
export const require = createRequire(join(ROOT, 'web/package.json'));
