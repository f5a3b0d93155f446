// What a row needs of the machine: small disks, helpers in C, names of shims.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../../gateway/lib/server.mjs';

const shims = join(dirname(fileURLToPath(import.meta.url)), '../shim');

export class Missing extends Error {}

/** A small disk at this folder; gone with the row. */
export function smallDisk(row, dir, megabytes) {
  mkdirSync(dir, { recursive: true });
  const r = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', dir], { encoding: 'utf8' });
  if (r.status !== 0) throw new Missing(`a small disk needs root (${r.stderr?.trim() || r.error?.message})`);
  row.finally(() => execFileSync('umount', ['-l', dir]));
  return dir;
}

/** Fills a disk to its last byte; gives the function that frees it. */
export function fillDisk(dir) {
  const file = join(dir, 'filler');
  const fd = openSync(file, 'w');
  let size = 1 << 20;
  while (size >= 1) {
    try {
      const n = writeSync(fd, Buffer.alloc(size, 1));
      if (n < size) size = Math.floor(size / 2);
    } catch (e) {
      if (e.code !== 'ENOSPC') throw e;
      size = Math.floor(size / 2);
    }
  }
  closeSync(fd);
  return () => rmSync(file, { force: true });
}

let built;

/** A helper or shim of shim/, compiled: its path. */
export function shim(name) {
  built ??= temporaryFolder();
  const isProgram = name === 'lock';
  const out = join(built, isProgram ? name : `${name}.so`);
  if (existsSync(out)) return out;
  const args = ['-std=gnu11', '-O1', '-Wall', '-o', out, join(shims, `${name}.c`), ...(isProgram ? ['-lsqlite3'] : ['-shared', '-fPIC', '-ldl'])];
  const r = spawnSync('cc', args, { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`cc ${name}.c: ${r.stderr}`);
  return out;
}

/** What a shim reads of a file: env for the process, set() for what stands there. */
function told(name, first) {
  const file = join(temporaryFolder(), name);
  const set = (spec) => {
    writeFileSync(`${file}.new`, String(spec));
    renameSync(`${file}.new`, file);
  };
  set(first);
  const beside = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':'); // a sanitized binary takes no library before its own else
  return { set, env: { LD_PRELOAD: shim(name), [`FAULT_${name.toUpperCase()}`]: file, ASAN_OPTIONS: beside } };
}

/** A wall clock that can be set (shim/clock.c): set("3600") or set("0 200000"). */
export const clock = () => told('clock', '0');

/** Disks that have so many MiB free (shim/disk.c). */
export const disk = (mib) => told('disk', mib);
