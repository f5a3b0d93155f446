// docs/faults.md: the table of the rows, written by the run. Rows that were not run keep the line they had.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const HEAD = `# The fault matrix, as it ran

Written by \`./dev faults\`; a run of some rows changes their lines alone. Each row breaks something under traffic (shoppers and reps who write without
pause and repeat under its id what got no \`ok\`), then checks: each \`ok\` stands in the log, in \`archive export\` and in every entitled client's view once, in
order, with the same bytes; no hole; one owner, no write by anyone who was not the handler; repeats get the first answer; \`archive verify\` is
clean; SIGTERM ends with 0; no descriptor stays behind; ready again within 10 s. *Lost*, *doubled* and *reordered* are counted over the acknowledged messages.
*Ready again* is the longest time from the end of the fault (a kill: from the kill, with the new start) until \`/readyz\` says 200.

Row 13 undoes what was written and not synced, wholly or page by page; names (rename, unlink) are taken as durable at once. In row 26 every allocation of
our own, of JSON and of Markdown that fails ends the process, aloud: it is started again.

| row | fault | injected | acknowledged | lost | doubled | reordered | ready again, s | seed | |
|---|---|---|---|---|---|---|---|---|---|
`;

const cell = (s) => String(s ?? '').replace(/\|/g, '\\|').replace(/\s+/g, ' ');

function line(r) {
  const end = r.not ? `not held: ${r.not}` : r.ok ? `holds${r.held?.length ? `; ${r.held.join('; ')}` : ''}` : `FAILED: ${r.why.split('\n')[0].slice(0, 200)}`;
  const n = (k) => (r[k] === undefined ? '–' : r[k]);
  return `| ${r.row} | ${cell(r.title)} | ${cell((r.injected ?? []).join('; ')) || '–'} | ${n('acknowledged')} | ${n('lost')} | ${n('doubled')} | ${n('reordered')} | ${r.recovery === undefined ? '–' : r.recovery.toFixed(2)} | ${r.not ? '–' : r.seed} | ${cell(end)} |`;
}

export function writeTable(file, results, rows) {
  const lines = new Map();
  const old = existsSync(file) ? readFileSync(file, 'utf8') : '';
  for (const m of old.matchAll(/^\| (\d+|kills|thousand) \|.*$/gm)) lines.set(m[1], m[0]);
  for (const r of rows) if (r.not) lines.set(r.row, line(r));
  for (const r of results) lines.set(r.row, line(r));
  const body = rows.filter((r) => lines.has(r.row)).map((r) => lines.get(r.row)); // in the matrix' order
  writeFileSync(file, `${HEAD}${body.join('\n')}\n`);
}
