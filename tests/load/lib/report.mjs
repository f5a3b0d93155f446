// docs/speed.md: what was measured stands between two marks, the words around it are people's.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- begin measured: written by ./dev bench gateway -->';
const END = '<!-- end measured -->';

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

export function write(file, { table, rounds }) {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file}: the marks are gone`);
  const measured = `${BEGIN}\n\nOn ${machine()}; medians of ${rounds} rounds, server and Redis on one core, the generator on the other.\n\n${table}\n\n`;
  writeFileSync(file, text.slice(0, from) + measured + text.slice(to));
}
