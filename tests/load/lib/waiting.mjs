// What it costs that n shoppers wait: an offer with its acceptance and an arrival in its place, and nothing at all.
import { Server } from '../../gateway/lib/server.mjs';
import { EVERYSEC, settle } from './pairs.mjs';
import { account, cpuSeconds, many, pause, quantile, repOf, shopper } from './peer.mjs';

const SET = {
  'limits.connections': 100_000, 'limits.idle_ping_ms': 600_000, 'routing.offer_ms': 600_000, 'routing.silent_ms': 3_600_000,
  'care.first_ms': 3_600_000, 'care.alert_ms': 7_200_000, 'server.log_level': 'warn',
};
const REPS = 20;
const WARM = 8; // turns after which the mean time between takes, of which expected waits are made, has settled
const TURNS = 16;
const ASIDE = 2; // the dearest and the cheapest: where the machine is shared one can be a hundred times the others
const GAP_S = 0.3; // between two: places are told at most each 0.25 s
const QUIET_S = 3;

const start = async (p) => (await p.ask('chat.start', { text: 'Where is my parcel?', department: 'general' })).chat;

/** One rep gets room, is offered who is next and accepts; another shopper comes; then the queue is told. Seconds of CPU of the three. */
async function turn(pids, rep, newcomer) {
  const times = [cpuSeconds(pids)];
  const end = performance.now() + GAP_S * 1000;
  const offer = new Promise((yes) => (rep.offered = yes));
  await rep.ask('shift.start', { capacity: ++rep.capacity });
  const chat = await offer;
  times.push(cpuSeconds(pids));
  await rep.ask('offer.accept', { chat });
  await start(newcomer);
  times.push(cpuSeconds(pids));
  await pause((end - performance.now()) / 1000);
  times.push(cpuSeconds(pids));
  return [1, 2, 3].map((i) => times[i] - times[i - 1]);
}

async function at(server, pids, reps, n, have) {
  await many(n - have, async () => start(await shopper(server)), 16);
  const newcomers = await many(WARM + TURNS, () => shopper(server));
  await pause(6); // what came in at once has been counted, told and archived
  const from = cpuSeconds(pids);
  await pause(QUIET_S);
  const quiet = (cpuSeconds(pids) - from) / QUIET_S;
  const turns = [];
  for (const [i, p] of newcomers.entries()) {
    const t = await turn(pids, reps[i % REPS], p);
    if (i >= WARM) turns.push(t);
  }
  const us = (part) => {
    const kept = turns.map((t) => t[part]).sort((a, b) => a - b).slice(ASIDE, TURNS - ASIDE);
    return (kept.reduce((sum, s) => sum + s, 0) / kept.length) * 1e6;
  };
  return { n, quiet_pct: quiet * 100, offer_us: us(0), accept_us: us(1), told_us: us(2) - quiet * GAP_S * 1e6 };
}

export async function waiting(counts = [10, 100, 1000, 5000, 10_000]) {
  const server = await new Server({ set: SET, config: EVERYSEC }).start({ ms: 60_000 });
  const pids = settle([server]);
  const onSignal = (p, m) => m.t === 'offer' && p.offered?.(m.chat);
  const reps = await many(REPS, async (i) => repOf(server, await account(server, `rep${i}`), onSignal));
  for (const r of reps) {
    r.capacity = 0;
    await r.ask('shift.start', { capacity: 0 }).catch(() => {});
  }
  const out = [];
  for (const [i, n] of counts.entries()) out.push(await at(server, pids, reps, n, counts[i - 1] ?? 0));
  await server.stop();
  return out;
}
