// ./dev bench routing [--reps N] [--waiting N]: how soon a waiting shopper is on a rep's screen, and what waiting costs.
//
//   room      500 wait, 200 reps are full: one of them gets room; until the offer is on that rep's screen
//   arrival   nobody waits, all have room: a shopper writes; until the offer is on somebody's screen
//   cost      n wait: CPU of gateway and Redis while nothing happens, and for each arrival
//
// All of it in one department over real connections; the clients run in this process, so what is printed holds their delay as well.
import { pathToFileURL } from 'node:url';
import { Server } from '../gateway/lib/server.mjs';
import { account, cpuSeconds as cpuOf, many, pause, quantile, repOf, shopper } from './lib/peer.mjs';

const SET = { 'limits.connections': 100_000, 'routing.offer_ms': 600_000, 'routing.silent_ms': 3_600_000, 'care.first_ms': 3_600_000, 'care.alert_ms': 7_200_000, 'server.log_level': 'warn' };

const option = (name, fallback) => {
  const i = process.argv.indexOf(name);
  return i < 0 ? fallback : Number(process.argv[i + 1]);
};

const offers = new Map(); // chat → [rep, when]
const hopes = new Map(); // chat → who waits for its offer

function onRepSignal(rep, m) {
  if (m.t !== 'offer') return;
  const seen = [rep, performance.now()];
  const hope = hopes.get(m.chat) ?? hopes.get(rep);
  if (hope) hope([m.chat, ...seen]);
  else offers.set(m.chat, seen);
}

function offered(key) {
  const was = offers.get(key);
  if (was) return offers.delete(key), Promise.resolve([key, ...was]);
  return new Promise((yes) => hopes.set(key, (o) => (hopes.delete(key), yes(o))));
}

async function rep(server, login) {
  const p = await repOf(server, await account(server, login), onRepSignal);
  p.capacity = 0;
  return p;
}

const start = async (p) => (await p.ask('chat.start', { text: 'Where is my parcel?', department: 'general' })).chat;
const told = (name, ms) => console.log(`${name.padEnd(34)} p50 ${quantile(ms, 0.5).toFixed(1).padStart(6)} ms   p99 ${quantile(ms, 0.99).toFixed(1).padStart(6)} ms   of ${ms.length}`);

const cpuSeconds = (server) => cpuOf([server.process.pid, ...server.redisPids()]);

/** What it costs that n wait: CPU while nothing happens, and an arrival's. */
async function cost(server, queue, n) {
  while (queue.length < n) queue.push(...await many(Math.min(200, n - queue.length), async () => (await shopper(server)).ask('chat.start', { text: 'Where is my parcel?', department: 'general' })));
  await pause(2);
  let from = cpuSeconds(server);
  await pause(5);
  const idle = ((cpuSeconds(server) - from) / 5) * 100;
  const more = await many(100, () => shopper(server));
  from = cpuSeconds(server);
  queue.push(...await many(100, (i) => start(more[i])));
  await pause(1);
  const arrival = ((cpuSeconds(server) - from - idle / 100) / 100) * 1e6;
  console.log(`${String(n).padStart(6)} waiting   ${idle.toFixed(1).padStart(5)} % of a core while nothing happens   ${Math.round(arrival)} µs an arrival`);
  return { n, idle, arrival };
}

export async function routing({ reps: repsN = 200, waiting = 500, costs = [10, 100, 1000, 5000] } = {}) {
  const server = await new Server({ set: SET, config: '' }).start({ ms: 60_000 });
  try {
    const reps = await many(repsN, (i) => rep(server, `rep${i}`));
    const room = (p) => p.ask('shift.start', { capacity: ++p.capacity });
    await many(repsN, (i) => room(reps[i]));
    const arrivals = await many(repsN, () => shopper(server));
    const arrivalMs = [];
    for (const p of arrivals) {
      const from = performance.now();
      const chat = await start(p);
      const [, who, at] = await offered(chat);
      arrivalMs.push(at - from);
      await who.ask('offer.accept', { chat });
    }
    const queue = await many(waiting, async () => start(await shopper(server)));
    const roomMs = [];
    const cpuFrom = cpuSeconds(server);
    for (let i = 0; i < 300; i++) {
      const who = reps[(i * 7) % repsN];
      const from = performance.now();
      const offer = offered(who);
      await room(who);
      const [chat, , at] = await offer;
      roomMs.push(at - from);
      await who.ask('offer.accept', { chat });
      queue.push(await start(await shopper(server)));
    }
    console.log(`${repsN} reps, ${waiting} waiting`);
    console.log(`an offer and its acceptance, an arrival beside it: ${Math.round(((cpuSeconds(server) - cpuFrom) / 300) * 1e6)} µs of CPU`);
    told('room: until the offer is there', roomMs);
    told('arrival: until the offer is there', arrivalMs);
    const list = [];
    queue.length -= 300; // those were offered
    for (const n of costs) if (n > queue.length || n === costs[0]) list.push(await cost(server, queue, Math.max(n, queue.length)));
    return { offer_p99_ms: quantile(roomMs, 0.99), offer_p50_ms: quantile(roomMs, 0.5), arrival_p99_ms: quantile(arrivalMs, 0.99), costs: list };
  } finally {
    for (const c of server.clients) c.ws?.terminate();
    await server.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await routing({ reps: option('--reps', 200), waiting: option('--waiting', 500) });
  process.exit(0);
}
