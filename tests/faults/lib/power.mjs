// A power cut: every process is killed at once, then what the disk had not promised to keep (shim/power.c) is taken back.
import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { shim } from './os.mjs';

const PAGE = 4096;

/** The environment of a server whose disk (below dir) can be cut. */
export function cuttable(dir, { fsyncUs = 0 } = {}) {
  const journal = `${dir}.journal`;
  mkdirSync(journal, { recursive: true });
  return { journal, env: { LD_PRELOAD: shim('power'), POWER_DIR: dir, POWER_JOURNAL: journal, ...(fsyncUs ? { POWER_FSYNC_US: String(fsyncUs) } : {}) } };
}

function inodes(dir, found = new Map()) {
  for (const e of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, e.name);
    if (e.isDirectory()) inodes(path, found);
    else if (e.isFile()) found.set(String(statSync(path).ino), path);
  }
  return found;
}

/** The records of a journal, the last one first; a torn last one is of a write that never began. */
function records(bytes) {
  const all = [];
  for (let at = 0; at + 24 <= bytes.length; ) {
    const [offset, size, n] = [0, 8, 16].map((k) => Number(bytes.readBigInt64LE(at + k)));
    if (at + 24 + n > bytes.length) break;
    all.push({ offset, size, old: bytes.subarray(at + 24, at + 24 + n) });
    at += 24 + n;
  }
  return all.reverse();
}

/** The file as it was at its last sync. */
function undone(now, all) {
  let was = Buffer.from(now);
  for (const { offset, size, old } of all) {
    const grown = Buffer.alloc(size);
    was.copy(grown, 0, 0, Math.min(size, was.length));
    old.copy(grown, offset);
    was = grown;
  }
  return was;
}

/** Some pages reached the disk and some didn't; what was added reached it up to somewhere, and what it ends with may be zeros. */
function mixed(was, now, r) {
  const size = r.int(Math.min(was.length, now.length), Math.max(was.length, now.length));
  const out = Buffer.alloc(size);
  for (let at = 0; at < Math.min(was.length, size); at += PAGE) {
    const from = r.int(0, 1) && at < now.length ? now : was;
    from.copy(out, at, at, Math.min(at + PAGE, from.length, size));
  }
  if (size > was.length) now.copy(out, was.length, was.length, r.int(0, 1) ? size : r.int(was.length, size));
  return out;
}

/**
 * Takes back what was not synced: all of it, or page by page as r chooses. Nobody may run on these files.
 * Gives {files, bytes}: how many files and bytes differ from what the killed processes had written.
 */
export function cutPower(dir, journal, r, wholly = r.int(0, 1) === 1) {
  const cut = { files: 0, bytes: 0, names: [] };
  const paths = inodes(dir);
  for (const name of readdirSync(journal)) {
    const all = records(readFileSync(join(journal, name)));
    const path = paths.get(name);
    rmSync(join(journal, name));
    if (!path || !existsSync(path) || !all.length) continue;
    const fd = openSync(path, 'r+');
    const now = Buffer.alloc(fstatSync(fd).size);
    readSync(fd, now, 0, now.length, 0);
    const was = undone(now, all);
    const left = wholly ? was : mixed(was, now, r);
    if (!left.equals(now)) {
      cut.files++;
      cut.names.push(path.slice(dir.length + 1));
      for (let i = 0; i < Math.max(left.length, now.length); i++) cut.bytes += left[i] !== now[i];
    }
    writeSync(fd, left, 0, left.length, 0);
    ftruncateSync(fd, left.length);
    closeSync(fd);
  }
  return cut;
}
