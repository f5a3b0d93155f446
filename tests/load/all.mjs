// ./dev bench all [--peers DIR] [--kb DIR] [--rounds N]: every measurement there is, one table of all goals; writes docs/speed.md at the end.
//
// DIR of --peers as in gateway.mjs, of --kb as in kb.mjs; what lacks its folder is left out, and that is said. Takes under 15 minutes on two cores.
import { archive } from './archive.mjs';
import { gateway, option, writeDown as writeGateway } from './gateway.mjs';
import { growth, writeDown as writeGrowth } from './growth.mjs';
import { kb } from './kb.mjs';
import { rows } from './lib/rows.mjs';
import { routing } from './routing.mjs';

const began = performance.now();
const rounds = Number(option('--rounds', 2));

/** One part, with a line about how long it took. */
async function part(name, run) {
  const from = performance.now();
  console.log(`\n== ${name}`);
  const found = await run();
  console.log(`== ${name}: ${Math.round((performance.now() - from) / 1000)} s`);
  return found;
}

function suggestions() {
  if (option('--kb')) return kb([option('--kb')]);
  console.log('no --kb DIR: the sets of questions are not there, suggestions are left out');
  return {};
}

const beside = await part('gateway', () => gateway({ peers: option('--peers'), rounds }));
const own = beside.own;
Object.assign(own, await part('archive', () => archive()), await part('routing', () => routing({ costs: [] })));
const grown = await part('growth', () => growth());
Object.assign(own, grown.own);
const said = await part('kb', suggestions);

const table = rows(beside.results, own);
console.log(`\n${table.text}\n\n${grown.text}`);
if (said.must) console.log(`\nsuggestions: must ${said.must}, aim ${said.aim}; ${said.isFast ? 'as fast as they must be' : 'SLOWER than they must be'}`);
writeGateway({ ...beside, rounds }, table);
writeGrowth(grown);
console.log(`\n${Math.round((performance.now() - began) / 1000)} s in all; written to docs/speed.md`);
process.exit(0);
