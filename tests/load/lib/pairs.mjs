// Chats in which one message each is under way, and what a message costs the server.
import { account, cpuSeconds, many, pin, quantile, repOf, shopper } from './peer.mjs';

const TEXT = 'x'.repeat(180);
const OK = Buffer.from('"t":"ok"');
const ASSIGNED = Buffer.from('"kind":"assigned"');
const SERVER_CORE = 0;

export const SET = {
  'limits.connections': 100_000, 'limits.idle_ping_ms': 600_000, 'routing.auto_accept': true, 'routing.silent_ms': 3_600_000,
  'care.first_ms': 3_600_000, 'care.alert_ms': 7_200_000, 'server.log_level': 'warn',
};
/** Stands in the file, which the commands read too: one that knew nothing of it would set the running Redis back to the default. */
export const EVERYSEC = '[redis]\nappendfsync = everysec\n';

/** The server and its Redis to their core; gives the process ids whose time counts. */
export function settle(servers, redis) {
  const pids = [...servers.map((s) => s.process.pid), ...(redis ? [redis.process.pid] : servers.flatMap((s) => s.redisPids()))];
  for (const pid of pids) pin(pid, SERVER_CORE);
  return pids;
}

/** The rep's first words in a chat that came to him. */
function greet(p, data) {
  if (!data.includes(ASSIGNED)) return;
  const { chat } = JSON.parse(data);
  p.ws.send(JSON.stringify({ t: 'message.send', id: `greet-${chat}`, chat, text: 'It left the depot this morning.' }));
}

/** n reps on shift with room for all: rep i serves the departments i, i + n …; at(i): the server that he is connected to. */
export async function reps(server, n, departments, at = () => server) {
  const of = (i) => departments.filter((_, k) => k % n === i % departments.length || k % n === i);
  const tokens = await many(n, (i) => account(server, `rep${i}`, of(i)));
  return many(n, async (i) => {
    const p = await repOf(at(i), tokens[i]);
    await p.ask('shift.start', { capacity: 1000 });
    p.raw = (data) => greet(p, data);
    return p;
  });
}

/** A shopper with a chat of this department, which a rep has got and answered to. */
export async function chatOf(server, department) {
  const p = await shopper(server);
  const greeted = new Promise((yes) => (p.on = (m) => m.kind === 'message' && yes()));
  p.chat = (await p.ask('chat.start', { department, text: 'Where is my parcel?' })).chat;
  await greeted;
  p.on = null;
  p.sent = 0;
  return p;
}

/** Says something in this chat as soon as fewer than `window` are under way, until `each` are said or it is `end`; gives how many. */
function talk(p, { each, end, window }) {
  return new Promise((yes) => {
    let begun = 0;
    let done = 0;
    const say = () => {
      begun++;
      p.ws.send(`{"t":"message.send","id":"m${p.sent++}","chat":"${p.chat}","text":"${TEXT}"}`);
    };
    p.raw = (data) => {
      if (!data.includes(OK)) return;
      done++;
      if (begun < each && performance.now() < end) say();
      else if (done === begun) {
        p.raw = null;
        yes(done);
      }
    };
    for (let i = 0; i < window && begun < each; i++) say();
  });
}

/** talk() in all chats, of which `lanes` at once; gives how many messages that were. */
export async function volley(chats, { each = Infinity, seconds = Infinity, window = 1, lanes = chats.length }) {
  const end = performance.now() + seconds * 1000;
  return (await many(chats.length, (i) => talk(chats[i], { each, end, window }), lanes)).reduce((sum, n) => sum + n, 0);
}

/**
 * µs of processor time a message, for each of the subjects {pids, chats(), each?, lanes?}: in turns, a slice each, so that what else the machine does
 * meets all of them; their medians, and each one's median ratio to the first's of the same turn.
 */
export async function inTurns(subjects, { rounds = 12, seconds = 0.5 } = {}) {
  const found = subjects.map(() => []);
  for (let r = -1; r < rounds; r++)
    for (const [i, s] of subjects.entries()) {
      const chats = await s.chats();
      const from = cpuSeconds(s.pids);
      const said = await volley(chats, s.each ? { each: s.each, lanes: s.lanes } : { seconds });
      if (r >= 0) found[i].push(((cpuSeconds(s.pids) - from) / said) * 1e6); // the first turn warms up
    }
  return found.map((list) => ({ us: quantile(list, 0.5), ratio: quantile(list.map((v, r) => v / found[0][r]), 0.5), all: list.map((v) => Number(v.toFixed(1))) }));
}
