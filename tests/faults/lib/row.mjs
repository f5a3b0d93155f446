// A row of the fault matrix (PROMISES 4): what it breaks stands in rows/; what must hold whatever broke, stands here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkClients, checkLogs, checkOks, checkViews, exported } from '../../gateway/lib/checker.mjs';
import { again, rep } from '../../gateway/lib/client.mjs';
import { BIN, Server, end } from '../../gateway/lib/server.mjs';
import { missing, traffic } from '../../gateway/lib/traffic.mjs';
import { random, until } from '../../gateway/lib/wait.mjs';

const READY_S = 10; // PROMISES 4: ready again within this
const FDS_MORE = 8; // readers of the archive open when they are first needed

export const hasFailpoints = () => readFileSync(BIN).includes('failpoint %s passed=');

/** How long the main thread of a process has waited for a processor, ms. */
const queuedMs = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;

export class Row {
  constructor(def, seed) {
    Object.assign(this, { def, seed, r: random(seed), servers: [], runs: [], injected: new Map(), notes: [], recovery: 0, undo: [] });
  }

  // --- what is said

  /** Something was broken. */
  inject(what, n = 1) {
    this.injected.set(what, (this.injected.get(what) ?? 0) + n);
  }

  /** Something held that the checker doesn't look at. */
  held(what) {
    if (!this.notes.includes(what)) this.notes.push(what);
  }

  /** Runs at the row's end, whatever happened; the last one first. */
  finally(fn) {
    this.undo.push(fn);
  }

  // --- servers

  async server(how = {}) {
    const s = new Server(how);
    s.failFile = join(s.data, `fail-${this.servers.length}`);
    s.env = { FIRSTLINE_FAIL: `@${s.failFile}`, ...s.env };
    this.servers.push(s);
    await this.start(s);
    return s;
  }

  async start(s, how = {}) {
    await s.start({ listen: s.port ? `127.0.0.1:${s.port}` : '127.0.0.1:0', ...how });
    s.fdsAtStart = this.fds(s);
    s.stopped = false;
  }

  fds(s) {
    return readdirSync(`/proc/${s.process.pid}/fd`).length;
  }

  /** Arms failpoints of a running server: "point:action[:n]". '' disarms. */
  arm(s, spec) {
    if (spec === '') return rmSync(s.failFile, { force: true });
    writeFileSync(`${s.failFile}.new`, spec);
    renameSync(`${s.failFile}.new`, s.failFile);
  }

  /** Arms a point that ends the server, waits for its end, disarms. */
  async dieAt(s, spec, ms = 15_000) {
    this.arm(s, spec);
    await until(() => s.exit, () => `the server dies at ${spec}`, ms, 5);
    assert.equal(s.exit.signal, 'SIGKILL', `died at ${spec}`);
    this.arm(s, '');
    this.over();
    this.inject(spec.replace(/:kill.*/, ': kill -9'));
  }

  // --- traffic

  async traffic(s, n = 2, how) {
    const run = await traffic(s, n, how);
    this.runs.push(run);
    return run;
  }

  writers() {
    return this.runs.flatMap((r) => r.writers);
  }

  isReady(s) {
    return s.api('GET', '/readyz', { ms: 2000 }).then(
      (r) => r.status === 200,
      () => false,
    );
  }

  /** The fault is over now: from here on the time to recover counts. */
  over() {
    this.overAt = performance.now();
  }

  /** Every server is ready within ten seconds of the fault's end, and everybody's writing goes on. */
  async recovers(...some) {
    const began = this.overAt ?? performance.now();
    this.overAt = undefined;
    for (const s of some.length ? some : this.servers.filter((x) => !x.exit)) await until(() => this.isReady(s), () => `ready again; the log ends: ${s.tail(300)}`, READY_S * 1000, 20);
    const took = (performance.now() - began) / 1000;
    assert.ok(took < READY_S, `ready again after ${took.toFixed(1)} s`);
    this.recovery = Math.max(this.recovery, took);
    this.last = took;
    await this.more(1);
  }

  /** The last recovery took no longer than this. */
  within(seconds) {
    assert.ok(this.last <= seconds, `ready again after ${this.last.toFixed(2)} s, ${seconds} are allowed`);
    this.held(`ready ${this.last.toFixed(2)} s behind the last start`);
  }

  /** Everybody has got n more oks. */
  async more(n, ms = 40_000) {
    for (const run of this.runs) await run.more(n, ms);
  }

  /** While fn runs, this client's pings are answered within a second (what either side waits for a processor is the machine's). */
  async pinging(client, fn, most = 1000) {
    const pids = [client.server.process.pid, process.pid];
    const queued = () => pids.reduce((sum, p) => sum + queuedMs(p), 0);
    let done = false;
    let worst = 0;
    const pings = (async () => {
      while (!done) {
        const q = queued();
        const t = performance.now();
        await client.done('ping', {}, 8000);
        worst = Math.max(worst, performance.now() - t - (queued() - q));
        await new Promise((r) => setTimeout(r, 20)); // their pace
      }
    })();
    try {
      await fn();
    } finally {
      done = true;
    }
    await pings;
    assert.ok(worst < most, `a ping waited ${Math.round(worst)} ms`);
    this.held(`others' pings answered (${most} ms at most)`);
  }

  // --- the checker

  /** The first answer to an id is the answer to its repeats. */
  async repeats() {
    for (const w of this.writers()) {
      const ids = [...w.acked.keys()];
      if (!ids.length) continue;
      const c = w.client.isShopper ? await again(w.client, { resume: [{ chat: w.chat, seq: w.client.head(w.chat) }] }) : await rep(w.client.server, w.client.who, { shift: false, resume: [{ chat: w.chat, seq: w.client.head(w.chat) }] });
      const some = new Set(Array.from({ length: 5 }, () => this.r.int(0, ids.length - 1)));
      for (const i of [...some].sort((a, b) => a - b)) {
        const id = ids[i];
        const { seq, text } = w.acked.get(id);
        const answer = await c.done('message.send', { chat: w.chat, text, id });
        assert.equal(answer.seq, seq, `${w.chat}: the repeat of ${id} gets another seq than its first answer`);
      }
      c.drop();
    }
    if (this.writers().length) this.held('repeats get the first answer');
  }

  /** Everybody sees the whole chat from its first entry. */
  async views() {
    const fresh = [];
    for (const w of this.writers()) {
      const connect = () => (w.client.isShopper ? again(w.client, { resume: [{ chat: w.chat, seq: 0 }] }) : rep(w.client.server, w.client.who, { shift: false, resume: [{ chat: w.chat, seq: 0 }] }));
      let c = await connect();
      const head = c.welcome.chats.find((x) => x.chat === w.chat)?.seq;
      const last = [...w.acked.values()].reduce((most, a) => Math.max(most, a.seq), 0);
      assert.ok(head >= last, `${w.chat}: the head is ${head}, ${last} was acknowledged`);
      const isThere = async () => {
        if (c.closed) c = await connect(); // as every client does: "try again later" is an answer of a slow machine
        return c.head(w.chat) >= last;
      };
      await until(isThere, () => `${w.chat}: all is shown again up to ${last}, is at ${c.head(w.chat)}; closed ${JSON.stringify(c.closed)}; ${w.client.server.tail(600)}`, 20_000);
      fresh.push({ w, c });
    }
    return fresh;
  }

  checkWhole(chats, fresh) {
    for (const { w, c } of fresh) {
      const shown = new Set(c.entries(w.chat).map((e) => e.seq));
      const wanted = chats.get(w.chat).filter((e) => e.kind === 'message' && e.seq <= c.head(w.chat));
      const not = wanted.filter((e) => !shown.has(e.seq));
      assert.deepEqual(not.map((e) => e.seq).slice(0, 3), [], `${w.chat}: messages that a ${c.isShopper ? 'shopper' : 'rep'} is not shown`);
      assert.equal(shown.size, c.entries(w.chat).length, `${w.chat}: shown twice`);
    }
  }

  /** No descriptor stays behind when everybody is gone. */
  async checkFds(s) {
    for (const c of s.clients) c.drop();
    await until(() => this.fds(s) <= s.fdsAtStart + FDS_MORE, () => `descriptors: ${s.fdsAtStart} at the start, ${this.fds(s)} with nobody connected`, 8000, 100);
  }

  counts(chats) {
    const n = { acknowledged: 0, lost: 0, doubled: 0, reordered: 0 };
    const ids = new Set(this.writers().flatMap((w) => [...w.acked.keys()]));
    for (const c of this.servers.flatMap((s) => s.clients)) for (const [id, ok] of c.oks) if (ok.seq) ids.add(id);
    n.acknowledged = ids.size;
    for (const w of this.writers()) {
      const log = chats.get(w.chat) ?? [];
      const mine = log.filter((e) => e.kind === 'message' && e.text.startsWith(`${w.name} says `)).map((e) => Number(e.text.split(' ').pop()));
      for (const { seq, text } of w.acked.values()) n.lost += log[seq - 1]?.text !== text;
      n.doubled += mine.length - new Set(mine).size;
      for (let i = 1; i < mine.length; i++) n.reordered += mine[i] < mine[i - 1];
    }
    return n;
  }

  /** Stops everything in good manners and looks at what stands in the archive. */
  async finish() {
    const alive = this.servers.filter((s) => s.process && !s.exit);
    for (const run of this.runs) await Promise.race([run.stop(), new Promise((_, no) => setTimeout(() => no(new Error(`what was begun is not all acknowledged: ${this.writers().map((w) => `${w.name} ${w.pending.size} ${[...w.errors].slice(-2)}`)}`)), 40_000).unref())]);
    await this.repeats();
    const fresh = await this.views();
    for (const s of alive) await this.checkFds(s);
    for (const s of alive) {
      const { code, signal } = await s.stop();
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, `SIGTERM: ${s.tail()}`);
    }
    const holder = this.servers.find((s) => s.holdsArchive) ?? this.servers[0];
    const verify = await holder.cli(['archive', 'verify'], { fails: true });
    assert.equal(verify.code, 0, `archive verify: ${verify.err || verify.out}`);
    const chats = await exported(holder);
    this.result = this.counts(chats);
    const wrong = missing(chats, this.writers());
    assert.deepEqual(wrong.slice(0, 3), []);
    const clients = this.servers.flatMap((s) => s.clients);
    checkClients(clients);
    checkLogs(chats);
    checkFences(chats);
    checkOks(chats, clients);
    checkViews(chats, clients);
    this.checkWhole(chats, fresh);
    return chats;
  }

  async clean() {
    for (const fn of this.undo.reverse()) await Promise.resolve(fn()).catch(() => {});
    await end(...this.servers);
  }
}

const HANDED = { owned: 'owner', transferred: 'handler', handler_back: 'handler', taken_back: 'handler', reassigned: 'handler' };

/** A rep's message stands in the log only while that rep handled the chat (or had joined it, or took it by it). */
export function checkFences(chats) {
  for (const [chat, entries] of chats) {
    const staff = new Set();
    let handler = null;
    for (const [i, e] of entries.entries()) {
      if (e.kind === 'assigned') handler = e.to?.id ?? handler;
      if (HANDED[e.kind]) handler = e[HANDED[e.kind]]?.id ?? handler;
      if (e.kind === 'joined') staff.add(e.from.id);
      if (e.kind !== 'message' || !e.from?.id?.startsWith('r')) continue;
      const takes = entries.slice(i + 1, i + 3).some((x) => x.kind === 'owned' && x.owner.id === e.from.id);
      assert.ok(e.from.id === handler || staff.has(e.from.id) || takes || handler === null, `${chat} seq ${e.seq}: ${e.from.id} wrote, and ${handler} was the handler`);
    }
  }
}

/** Runs one row: {row, title, injected, held, acknowledged, lost, doubled, reordered, recovery, ok, why}. */
export async function runRow(def, seed) {
  const out = { row: def.row, title: def.title, seed, ok: false, why: '', began: performance.now() };
  if (def.not) return { ...out, not: def.not };
  const row = new Row(def, seed);
  try {
    await def.run(row);
    if (!row.result) await row.finish();
    out.ok = true;
  } catch (e) {
    out.why = (e.message ?? String(e)).split('\n').slice(0, 12).join('\n');
    out.stack = e.stack;
  }
  try {
    await row.clean();
  } catch (e) {
    out.why ||= `cleaning up: ${e.message}`;
  }
  return { ...out, injected: [...row.injected].map(([what, n]) => (n > 1 ? `${what} ×${n}` : what)), held: row.notes, recovery: row.recovery, seconds: (performance.now() - out.began) / 1000, ...row.result };
}
