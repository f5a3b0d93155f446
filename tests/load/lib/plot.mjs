// Plots as SVG: throughput against latency beside the peers, memory and CPU of idle connections, cost against N.
import { writeFileSync } from 'node:fs';
import { reader } from './rows.mjs';

const W = 720;
const H = 420;
const BOX = { left: 80, right: 200, top: 30, bottom: 60 };
const STYLE = 'text{font:13px system-ui,sans-serif;fill:#333}.axis{stroke:#999;fill:none}.grid{stroke:#eee}';

const log = (lo, hi, from, to) => (v) => from + ((Math.log(v) - Math.log(lo)) / (Math.log(hi) - Math.log(lo))) * (to - from);
const powers = (lo, hi) => Array.from({ length: 13 }, (_, i) => 10 ** (i - 1)).filter((v) => v >= lo && v <= hi);
const label = (v) => (v >= 1e6 ? `${v / 1e6} M` : v >= 1000 ? `${v / 1000}k` : String(v));

function frame(title, xs, ys, x, y, xTitle, yTitle, inner, yTicks = powers(...ys)) {
  const grid = [
    ...powers(...xs).map((v) => `<path class="grid" d="M${x(v)} ${BOX.top}V${H - BOX.bottom}"/><text x="${x(v)}" y="${H - BOX.bottom + 18}" text-anchor="middle">${label(v)}</text>`),
    ...yTicks.map((v) => `<path class="grid" d="M${BOX.left} ${y(v)}H${W - BOX.right}"/><text x="${BOX.left - 8}" y="${y(v) + 4}" text-anchor="end">${label(v)}</text>`),
  ].join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" role="img" aria-label="${title}"><style>${STYLE}</style><rect width="${W}" height="${H}" fill="#fff"/>${grid}<path class="axis" d="M${BOX.left} ${BOX.top}V${H - BOX.bottom}H${W - BOX.right}"/><text x="${(BOX.left + W - BOX.right) / 2}" y="${H - 14}" text-anchor="middle">${xTitle}</text><text transform="translate(18 ${H / 2}) rotate(-90)" text-anchor="middle">${yTitle}</text>${inner}</svg>\n`;
}

const MARKS = ['●', '■', '▲', '◆', '○', '□', '△'];

/** Each target's runs, joined in the order W1, 5k/s, W16. */
export function plotOf(file, results) {
  const value = reader(results);
  const targets = [...new Set(results.map((r) => r.target))];
  const points = targets.map((t) => ['W1', 'W16'].map((test) => [value(t, test, 'msgs_per_s'), value(t, test, 'p50_us')]).filter(([a, b]) => a > 0 && b > 0));
  const all = points.flat();
  const span = (i) => [10 ** Math.floor(Math.log10(Math.min(...all.map((p) => p[i])))), 10 ** Math.ceil(Math.log10(Math.max(...all.map((p) => p[i]))))];
  const [xs, ys] = [span(0), span(1)];
  const x = log(...xs, BOX.left, W - BOX.right);
  const y = log(...ys, H - BOX.bottom, BOX.top);
  const inner = targets.map((t, i) => {
    const color = t.startsWith('firstline') ? '#b3261e' : '#445';
    const line = points[i].map(([a, b], k) => `${k ? 'L' : 'M'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('');
    return `<path d="${line}" stroke="${color}" fill="none"/>${points[i].map(([a, b]) => `<text x="${x(a).toFixed(1)}" y="${(y(b) + 5).toFixed(1)}" text-anchor="middle" style="fill:${color}">${MARKS[i % MARKS.length]}</text>`).join('')}<text x="${W - BOX.right + 12}" y="${BOX.top + 16 + 20 * i}" style="fill:${color}">${MARKS[i % MARKS.length]} ${t}</text>`;
  });
  writeFileSync(file, frame('Throughput against latency', xs, ys, x, y, 'messages a second on one core (W1 and W16 joined)', 'median latency, µs', inner.join('')));
}

/** Ours over the number of connections: bytes and CPU of each. */
export function barsOf(file, results, own) {
  const counts = Object.keys(own.idle).map(Number);
  const [xs, ys] = [[1000, 20_000], [10, 10_000]];
  const x = log(...xs, BOX.left, W - BOX.right);
  const y = log(...ys, H - BOX.bottom, BOX.top);
  const series = [
    ['bytes a connection', 'rss_per_conn_b', '#b3261e', '●'],
    ['CPU µs to open one', 'connect_cpu_us', '#445', '■'],
  ];
  const inner = series.map(([name, field, color, mark], i) => {
    const pts = counts.map((n) => [x(n), y(own.idle[n][field])]);
    return `<path d="${pts.map(([a, b], k) => `${k ? 'L' : 'M'}${a.toFixed(1)} ${b.toFixed(1)}`).join('')}" stroke="${color}" fill="none"/>${pts.map(([a, b]) => `<text x="${a.toFixed(1)}" y="${(b + 5).toFixed(1)}" text-anchor="middle" style="fill:${color}">${mark}</text>`).join('')}<text x="${W - BOX.right + 12}" y="${BOX.top + 16 + 20 * i}" style="fill:${color}">${mark} ${name}</text>`;
  });
  writeFileSync(file, frame('Idle connections', xs, ys, x, y, 'idle connections on one node', 'bytes, or µs of CPU', inner.join('')));
}

const COLORS = ['#b3261e', '#445', '#1f6f8b', '#7a5c00', '#3c7d3c'];

/** Lines over N, each {what, points: [[n, v] …]}; N on a logarithmic axis. */
function linesOf(file, title, series, { xs, ys, x, y, xTitle, yTitle, yTicks }) {
  const inner = series.map(({ what, points }, i) => {
    const color = COLORS[i % COLORS.length];
    const at = points.map(([n, v]) => [x(n).toFixed(1), y(v)]);
    return `<path d="${at.map(([a, b], k) => `${k ? 'L' : 'M'}${a} ${b.toFixed(1)}`).join('')}" stroke="${color}" fill="none"/>${at.map(([a, b]) => `<text x="${a}" y="${(b + 5).toFixed(1)}" text-anchor="middle" style="fill:${color}">${MARKS[i % MARKS.length]}</text>`).join('')}<text x="${W - BOX.right + 12}" y="${BOX.top + 16 + 20 * i}" style="fill:${color}">${MARKS[i % MARKS.length]} ${what}</text>`;
  });
  writeFileSync(file, frame(title, xs, ys, x, y, xTitle, yTitle, inner.join(''), yTicks));
}

const linear = (lo, hi, from, to) => (v) => from + ((v - lo) / (hi - lo)) * (to - from);
const NAMES = { nodes: 'nodes', idle: 'idle connections', length: 'entries of the chat', departments: 'departments' };

/** What a message costs against N, as a ratio to the fewest; what waiting costs, in µs. */
export function growthPlots(folder, { series }) {
  const messages = series.filter((s) => NAMES[s.part]).map((s) => ({ what: `${NAMES[s.part]}${s.what.endsWith('two') ? ', across' : ''}`, points: s.points.map((p) => [Math.max(1, p.n), p.ratio / s.points[0].ratio]) }));
  const waiting = series.filter((s) => s.part === 'waiting').map((s, i) => ({ what: ['an offer', 'accepted, an arrival', 'places told'][i], points: s.points.map((p) => [p.n, p.v]) }));
  const xs = [1, 100_000];
  const top = Math.max(2, Math.ceil(Math.max(...messages.flatMap((m) => m.points.map(([, v]) => v)))));
  if (messages.length)
    linesOf(`${folder}/speed-growth.svg`, 'A message, against the number of things', messages, { xs, ys: [0, top], x: log(...xs, BOX.left, W - BOX.right), y: linear(0, top, H - BOX.bottom, BOX.top), xTitle: 'N', yTitle: 'CPU a message, to that at the smallest N', yTicks: Array.from({ length: top * 2 + 1 }, (_, i) => i / 2) });
  const [wx, wy] = [[10, 10_000], [100, 10_000]];
  if (waiting.length)
    linesOf(`${folder}/speed-waiting.svg`, 'Offers and places, against how many wait', waiting, { xs: wx, ys: wy, x: log(...wx, BOX.left, W - BOX.right), y: log(...wy, H - BOX.bottom, BOX.top), xTitle: 'shoppers who wait', yTitle: 'µs of CPU' });
}
