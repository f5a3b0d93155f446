// One row in a process of its own: node one.mjs ROW SEED FILE; the result goes to FILE.
import { writeFileSync } from 'node:fs';
import { runRow } from './lib/row.mjs';
import { rows } from './rows/index.mjs';

const [, , name, seed, file] = process.argv;
setInterval(() => {}, 1000); // what is waited for may be no handle of node's
const def = rows.find((r) => r.row === name);
writeFileSync(file, JSON.stringify(await runRow(def, Number(seed))));
process.exit(0);
