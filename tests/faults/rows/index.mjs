// All rows of the matrix, in its order.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const parts = await Promise.all(
  readdirSync(here)
    .filter((f) => /^\d.*\.mjs$/.test(f))
    .sort()
    .map((f) => import(join(here, f))),
);
export const rows = parts.flatMap((p) => p.rows).sort((a, b) => (Number(a.row) || 99) - (Number(b.row) || 99));
