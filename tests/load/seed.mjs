// Accounts for the load: seed.mjs BIN SOCKET DATA WORK PAIRS FSYNC
//
// A department p0 … and a rep for each pair; the reps sign in by tokens, which are written to WORK/tokens, each line "Bearer …".
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const [bin, socket, data, work, pairsText, fsync] = process.argv.slice(2);
const pairs = Number(pairsText);
const config = `${work}/load.ini`;
const exec = promisify(execFile);
const live = ['--data', data, '--redis', `unix://${socket}`, '--config', config, '--set', `redis.appendfsync=${fsync}`];

async function one(i) {
  await exec(bin, ['user', 'add', `p${i}`, '--role', 'rep', '--department', `p${i}`, '--no-password', ...live]);
  return (await exec(bin, ['token', `p${i}`, ...live])).stdout.trim().split(/\s+/).pop();
}

const names = ['general', ...Array.from({ length: pairs }, (_, i) => `p${i}`)];
writeFileSync(config, names.map((n) => `[department.${n}]\nsite = default\n`).join('\n'));
const tokens = Array(pairs);
let next = 0;
await Promise.all([0, 1, 2, 3].map(async () => {
  while (next < pairs) {
    const i = next++;
    tokens[i] = await one(i);
  }
}));
writeFileSync(`${work}/tokens`, tokens.map((t) => `Bearer ${t}\n`).join(''));
