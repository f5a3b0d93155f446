// The goals: what is measured, what it must and should be, and what it is compared with.

const median = (list) => {
  const l = [...list].sort((a, b) => a - b);
  return l.length ? (l[(l.length - 1) >> 1] + l[l.length >> 1]) / 2 : NaN;
};

/** value(target, test, field): the median over the rounds. */
export const reader = (results) => (target, test, field) => median(results.filter((r) => r.target === target && r.test === test && field in r).map((r) => r[field]));

const FLOOR = 'floor (raw epoll)';
const [REF, REF_FSYNC, NODE, SOCKETIO, OURS, ALWAYS] = ['lws ref+redis', 'lws ref+redis fsync', 'node ws+redis', 'socket.io+redis', 'firstline', 'firstline always'];

// [row, what, our target, test, field, unit, [[compared with, must, aim] …], larger is better]
const COMPARED = [
  ['1', 'CPU a message, gateway and Redis on one core, W1, everysec', OURS, 'W1', 'server_cpu_us_per_msg', 'µs', [[FLOOR, 3.5, 2.8], [NODE, 0.45, 0.33]]],
  ['1b', 'the same, always', ALWAYS, 'W1', 'server_cpu_us_per_msg', 'µs', [[REF_FSYNC, 1.9, 1.5]]],
  ['2', 'messages a second on one core, W1, everysec', OURS, 'W1', 'msgs_per_s', '/s', [[NODE, 2.5, 3.5], [SOCKETIO, 3.5, 5]], true],
  ['3', 'messages a second, W16, always', ALWAYS, 'W16', 'msgs_per_s', '/s', [[REF_FSYNC, 0.35, 0.55]], true],
  ['4', '5,000 a second, everysec: shopper to rep, p50', OURS, '5k/s', 'p50_us', 'µs', [[REF, 1.5, 1.25]]],
  ['4', '… p99', OURS, '5k/s', 'p99_us', 'µs', [[REF, 1.3, 1.1]]],
  ['5', '5,000 a second, always: `ok` against its delivery, p50', ALWAYS, '5k/s', 'ack_p50_us', 'µs', [[REF_FSYNC, 1.6, 1.3, 'p50_us']]],
  ['5', '… p99', ALWAYS, '5k/s', 'ack_p99_us', 'µs', [[REF_FSYNC, 1.5, 1.2, 'p99_us']]],
];

// [row, what, key of own, unit, must, aim]
const ALONE = [
  ['6', 'resident memory of an idle, greeted connection', 'idle_b', 'B', 3584, 3072],
  ['7', '18,000 idle connections on a node', 'idle_18k_mb', 'MB', 65, 55],
  ['7', '50,000 on three nodes of one Redis', 'idle_50k_mb', 'MB', 180, 150],
  ['8', 'CPU of a message, W1, beside 15,000 idle connections against beside none', 'idle_growth', '×', 1.15, 1.05],
  ['8', 'CPU of opening one at 15,000 against at 1,000', 'connect_growth', '×', 1.3, 1.1],
  ['9', 'CPU of a connection opened, hello included', 'connect_us', 'µs', 80, 50],
  ['10', 'CPU of 10,000 idle connections, pings each 25 s', 'idle_cpu_pct', '% of a core', 1, 0.6],
  ['11', 'a waiting shopper on a rep\'s screen, 500 waiting, 200 reps, p99', 'offer_p99_ms', 'ms', 20, 5],
  ['–', 'CPU while 5,000 wait and nothing happens', 'waiting_idle_pct', '% of a core', 2, 1],
  ['12', 'entries a second into the archive, chain and full text', 'archive_events_s', '/s', 8000, 15_000, true],
  ['13', 'resident memory of gateway and managed Redis, idle with the demo', 'demo_mb', 'MB', 40, 25],
  ['14', 'cold start to ready, with its Redis', 'ready_s', 's', 0.5, 0.2],
];

const round = (v) => (v >= 100 ? Math.round(v) : Number(v.toPrecision(3)));
const verdict = (v, must, aim, larger) => {
  const holds = (limit) => (larger ? v >= limit : v <= limit);
  return holds(aim) ? 'aim' : holds(must) ? 'must' : 'missed';
};

export function rows(results, own) {
  const value = reader(results);
  const lines = [];
  for (const [row, what, target, test, field, unit, against, larger] of COMPARED) {
    const ours = value(target, test, field);
    for (const [peer, must, aim, peerField] of against) {
      const theirs = value(peer, test, peerField ?? field);
      if (Number.isNaN(ours / theirs)) continue;
      const sign = larger ? '≥' : '≤';
      lines.push([row, what, `${sign} ${must}×`, `${sign} ${aim}×`, `${round(ours)} ${unit}`, `${peer}: ${round(theirs)}`, `${round(ours / theirs)}×`, verdict(ours / theirs, must, aim, larger)]);
    }
  }
  for (const [row, what, key, unit, must, aim, larger] of ALONE) {
    const sign = larger ? '≥' : '≤';
    if (own[key] !== undefined) lines.push([row, what, `${sign} ${must}`, `${sign} ${aim}`, `${round(own[key])} ${unit}`, '–', '–', verdict(own[key], must, aim, larger)]);
  }
  const head = ['#', 'what', 'must', 'aim', 'ours', 'against', 'ratio', 'reached'];
  const text = [head, ...lines].map((l) => [l[0].padEnd(3), l[1].padEnd(64), l[2].padStart(8), l[3].padStart(8), l[4].padStart(16), l[5].padStart(30), l[6].padStart(8), l[7]].join(' ')).join('\n');
  const markdown = [head, head.map(() => '---'), ...lines].map((l) => `| ${l.join(' | ')} |`).join('\n');
  return { text, markdown, lines };
}
