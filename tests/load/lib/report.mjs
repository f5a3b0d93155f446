// docs/speed.md: what was measured stands between two marks, the words around it are people's.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';

const version = (command, args, pattern) => {
  try {
    return pattern.exec(execFileSync(command, args, { encoding: 'utf8' }))[1];
  } catch {
    return '?';
  }
};

const machine = () =>
  `${cpus().length} cores (${cpus()[0].model.trim()}), Linux ${version('uname', ['-r'], /^(\d+\.\d+)/)}, Redis ${version('redis-server', ['--version'], /v=([\d.]+)/)}, ` +
  `libwebsockets ${version('pkg-config', ['--modversion', 'libwebsockets'], /([\d.]+)/)}, node ${process.versions.node}`;

/** Puts text, in Markdown, in place of what stands between the marks of this name. */
export function section(file, name, text) {
  const all = readFileSync(file, 'utf8');
  const from = all.indexOf(`<!-- begin ${name}:`);
  const to = all.indexOf(`<!-- end ${name} -->`);
  if (from < 0 || to < from) throw new Error(`${file}: the marks of "${name}" are gone`);
  const begins = all.slice(0, all.indexOf('\n', from) + 1);
  writeFileSync(file, `${begins}\n${text}\n\n${all.slice(to)}`);
}

export function write(file, { table, rounds }) {
  section(file, 'measured', `On ${machine()}; medians of ${rounds} rounds, server and Redis on one core, the generator on the other.\n\n${table}`);
}

export function writeGrowth(file, { table }) {
  section(file, 'growth', `On ${machine()}; server and Redis on one core, the clients on the other; what is compared ran in turns.\n\n${table}`);
}
