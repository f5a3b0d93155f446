// Instructions that a message costs in our own code, from the bytes of a command to the frames that are sent (hotpath.c), counted by
// callgrind and compared with hotpath.json: more than 5 % above it fails. `--write` stores what was counted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const program = join(root, 'build/tests/hotpath');
const stored = join(here, 'hotpath.json');
const ALLOWED = 1.05;
const [FEW, MANY] = [500, 2500];

const compiler = () => execFileSync('cc', ['-dumpfullversion'], { encoding: 'utf8' }).trim();

/** Instructions in the program's own objects: callgrind's cost lines below its "ob=", without what calls cost. */
function ownInstructions(file) {
  const names = new Map();
  let object = '';
  let sum = 0;
  let isCall = false;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const ob = /^ob=\((\d+)\)(?: (.*))?$/.exec(line);
    if (ob) {
      if (ob[2]) names.set(ob[1], ob[2]);
      object = names.get(ob[1]);
    } else if (line.startsWith('cob=')) {
      const c = /^cob=\((\d+)\) (.*)$/.exec(line);
      if (c) names.set(c[1], c[2]);
    } else if (line.startsWith('calls=')) {
      isCall = true;
    } else if (/^[+\-*\d]/.test(line)) {
      if (!isCall && object === program) sum += Number(line.split(' ')[1]);
      isCall = false;
    }
  }
  return sum;
}

function count(n, folder) {
  const out = join(folder, `out.${n}`);
  execFileSync('valgrind', ['-q', '--tool=callgrind', `--callgrind-out-file=${out}`, program, String(n)], { stdio: ['ignore', 'pipe', 'pipe'] });
  return ownInstructions(out);
}

/** What one message more costs: the start doesn't count. */
function perMessage() {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-'));
  try {
    return Math.round((count(MANY, folder) - count(FEW, folder)) / (MANY - FEW));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const counted = perMessage();
if (process.argv.includes('--write')) {
  writeFileSync(stored, `${JSON.stringify({ compiler: compiler(), instructions: counted }, null, 2)}\n`);
  console.log(`${counted} instructions a message, stored`);
} else {
  const was = JSON.parse(readFileSync(stored, 'utf8'));
  if (was.compiler !== compiler()) {
    console.log(`# ${counted} instructions a message; stored were ${was.instructions} of another compiler (${was.compiler}): nothing is compared`);
  } else {
    test(`a message costs our own code no more than ${was.instructions} instructions and 5 %`, () => {
      console.log(`# ${counted} instructions a message, stored: ${was.instructions}`);
      assert.ok(counted > was.instructions / 3, 'the path was really walked');
      assert.ok(counted <= was.instructions * ALLOWED, `${counted} instructions a message, ${was.instructions} are stored: find out why, or store the new count with its reason (--write)`);
    });
  }
}
