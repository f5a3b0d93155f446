// The table of what was measured against N: a cost may stay, or grow with the logarithm of N.
const SERIES = [
  // [part, what, what N counts, field, which of the part's figures, must and aim; without: a quarter for each tenfold of N]
  ['nodes', 'a message, rep and shopper on one node', 'nodes on one Redis', 'us', (f) => f.away === 0],
  ['nodes', 'a message, rep and shopper on two', 'nodes on one Redis', 'us', (f) => f.away === 1],
  ['idle', 'a message', 'idle connections on the node', 'us', () => true, [1.15, 1.05]],
  ['length', 'a message', 'entries of its chat', 'us', () => true],
  ['departments', 'a message', 'departments', 'us', () => true],
  ['waiting', 'an offer, from room to the rep\'s screen', 'waiting', 'offer_us', () => true],
  ['waiting', 'its acceptance, and an arrival', 'waiting', 'accept_us', () => true],
  ['waiting', 'the places told for both', 'waiting', 'told_us', () => true],
];

const A_TENFOLD = 0.25;
const NOISE = 0.15; // less can't be told from the machine's other work
const number = (v) => v.toLocaleString('en-US');
const round = (v) => number(v >= 100 ? Math.round(v) : Number(v.toPrecision(3)));

/** One series: its points, how much the last one is of the first, and what that may be. */
function seriesOf(out, [part, what, of, field, which, goals]) {
  const points = out[part].filter(which).map((f) => ({ n: f.n, v: f[field], ratio: f.ratio }));
  const [first, last] = [points[0], points.at(-1)];
  const ratio = last.ratio ? last.ratio / first.ratio : last.v / first.v;
  const must = goals?.[0] ?? 1 + Math.max(NOISE, A_TENFOLD * Math.log10(last.n / first.n));
  const aim = goals?.[1] ?? 1 + (must - 1) / 2;
  return { part, what, of, points, ratio, must, aim, reached: ratio <= aim ? 'aim' : ratio <= must ? 'must' : 'missed' };
}

export function grown(out) {
  const series = SERIES.filter(([part]) => out[part]).map((s) => seriesOf(out, s));
  const head = ['µs of CPU', 'N', 'at each N', 'last ÷ first', 'must', 'aim', 'reached'];
  const lines = series.map((s) => [s.what, `${s.points.map((p) => number(p.n)).join(', ')} ${s.of}`, s.points.map((p) => round(p.v)).join(', '), `${s.ratio.toFixed(2)}×`, `≤ ${s.must.toFixed(2)}×`, `≤ ${s.aim.toFixed(2)}×`, s.reached]);
  const own = {};
  if (out.idle) own.idle_growth = out.idle.at(-1).ratio;
  if (out.waiting) {
    const quiet = out.waiting.map((w) => ({ n: w.n, v: w.quiet_pct }));
    own.waiting_idle_pct = quiet.find((q) => q.n === 5000).v;
    lines.push(['% of a core while nothing happens', `${quiet.map((q) => number(q.n)).join(', ')} waiting`, quiet.map((q) => q.v.toFixed(1)).join(', '), '–', '≤ 2 at 5,000', '≤ 1', own.waiting_idle_pct <= 1 ? 'aim' : own.waiting_idle_pct <= 2 ? 'must' : 'missed']);
  }
  const markdown = [head, head.map(() => '---'), ...lines].map((l) => `| ${l.join(' | ')} |`).join('\n');
  return { series, markdown, text: markdown, own };
}
