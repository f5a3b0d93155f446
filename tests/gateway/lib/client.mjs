// Shoppers and reps, as far as the protocol goes. Each client watches by itself, in every test, that what it is sent fits the schemas,
// comes in order, once, and without a hole (PROTOCOL "Envelope"); what doesn't is kept in `problems`, which the checker reads.
import { randomBytes } from 'node:crypto';
import { problemOf, require } from './schema.mjs';
import { TimedOut, within } from './wait.mjs';

const WebSocket = require('ws');

/** An upgrade that the server refused, with its HTTP status. */
export class Refused extends Error {
  constructor(status, headers) {
    super(`the upgrade was refused with ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** An answer that was not hoped for. */
export class Answer extends Error {
  constructor(t, answer) {
    super(`${t}: ${JSON.stringify(answer)}`);
    this.answer = answer;
  }
}

export const newId = () => randomBytes(9).toString('base64url');

const matches = (m, match) => Object.entries(match).every(([k, v]) => m[k] === v);

export class Client {
  constructor(server, path) {
    this.server = server;
    this.path = path;
    this.isShopper = path === '/ws/shopper';
    this.inbox = []; // what nobody has taken yet
    this.seen = []; // everything
    this.sent = new Map(); // id → command
    this.times = new Map(); // id → how often sent on this connection
    this.oks = new Map(); // id → the first ok, with the chat it is about
    this.waiters = new Set();
    this.views = new Map(); // chat → {head, entries}
    this.syncing = new Set();
    this.problems = [];
    this.voided = []; // entries that another life of the data does not have
    this.closed = null; // {code, reason}
    server.clients.push(this);
  }

  static async open(server, path, { headers = {}, origin, protocol = 'firstline.v1', ms = 10_000 } = {}) {
    const c = new Client(server, path);
    const ws = new WebSocket(`ws://${server.host}:${server.port}${path}`, protocol ? [protocol] : [], { headers, origin, perMessageDeflate: false, handshakeTimeout: ms });
    c.ws = ws;
    c.gone = new Promise((done) => {
      ws.on('close', (code, reason) => {
        c.closed = { code, reason: reason.toString() };
        done(c.closed);
        for (const w of [...c.waiters]) w.end();
      });
    });
    ws.on('message', (data, isBinary) => c.take(data, isBinary));
    await new Promise((yes, no) => {
      ws.on('open', yes);
      ws.on('unexpected-response', (req, res) => {
        req.destroy();
        no(new Refused(res.statusCode, res.headers));
      });
      ws.on('error', (e) => no(e));
    });
    ws.on('error', () => {});
    return c;
  }

  take(data, isBinary) {
    if (isBinary) return void this.problems.push('a binary frame');
    let m;
    try {
      m = JSON.parse(data.toString());
    } catch {
      return void this.problems.push(`not JSON: ${data.toString().slice(0, 80)}`);
    }
    const wrong = problemOf(m);
    if (wrong) this.problems.push(`${wrong}: ${JSON.stringify(m).slice(0, 300)}`);
    this.seen.push(m);
    this.follow(m);
    for (const w of [...this.waiters]) if (w.offer(m)) return;
    this.inbox.push(m);
  }

  // --- what it knows of each chat's log

  follow(m) {
    if (m.t === 'welcome' && this.sent.get(m.re)?.resume) {
      for (const r of this.sent.get(m.re).resume) {
        const found = m.chats?.find((c) => c.chat === r.chat);
        if (found && !found.error) this.views.set(r.chat, { head: Math.min(r.seq, found.seq), isTold: true, entries: [] });
      }
    }
    if (m.t === 'welcome' && m.chat) this.openChat = m.chat;
    if (m.t === 'ok') this.followOk(m);
    if (m.t === 'event') this.entry(m, m);
  }

  followOk(m) {
    const cmd = this.sent.get(m.re);
    if (!cmd) return void this.problems.push(`an ok for an id never sent: ${JSON.stringify(m)}`);
    const chat = m.chat ?? cmd.chat ?? this.openChat;
    if (cmd.t === 'chat.start') this.openChat = chat;
    const first = this.oks.get(m.re);
    if (first && first.seq !== m.seq) this.problems.push(`two answers to one id: ${JSON.stringify(first)} ${JSON.stringify(m)}`);
    if (cmd.t === 'sync' || cmd.t === 'chat.open') {
      this.syncing.delete(chat);
      const v = this.view(chat);
      v.isTold = (m.seq ?? 0) > (v.head ?? 0);
      v.head = Math.max(v.head ?? 0, m.seq ?? 0);
      return;
    }
    if (!first) this.oks.set(m.re, { ...m, chat });
    if (!m.seq || !chat) return;
    const v = this.view(chat);
    const isRepeat = v.head !== undefined && m.seq <= v.head;
    if (!isRepeat) this.entry({ ...m, chat }, null);
  }

  view(chat) {
    if (!this.views.has(chat)) this.views.set(chat, { head: undefined, entries: [] });
    return this.views.get(chat);
  }

  /** An entry at its place: it follows what was shown before. */
  entry(m, event) {
    const v = this.view(m.chat);
    if (event) v.entries.push(event);
    if (this.syncing.has(m.chat)) return;
    const what = `${m.kind ?? 'ok'} seq ${m.seq} prev ${m.prev} behind ${v.head}`;
    if (this.isShopper && m.prev === undefined && m.seq > 1) this.problems.push(`${what}: a shopper's frame without prev`);
    const prev = m.prev ?? m.seq - 1;
    if (m.seq % 1_000_000 === 1 && m.prev !== undefined && v.head > prev) {
      // Another life of the data: what was shown above prev is void (PROMISES 2.9).
      this.voided.push(...v.entries.filter((e) => e.seq > prev && e !== event));
      v.entries = v.entries.filter((e) => e.seq <= prev || e === event);
      v.head = prev;
    }
    if (v.head !== undefined && m.seq <= v.head) this.problems.push(`${what}: shown twice or out of order`);
    // A head that an answer told may be an entry that is hidden from this person: then prev is one before it.
    else if (v.head !== undefined && (v.isTold ? prev > v.head : prev !== v.head)) this.problems.push(`${what}: a hole`);
    v.head = m.seq;
    v.isTold = false;
  }

  /** The entries of a chat that came as events, in the order they came. */
  entries(chat, kind) {
    return (this.views.get(chat)?.entries ?? []).filter((e) => !kind || e.kind === kind);
  }

  head(chat) {
    return this.views.get(chat)?.head ?? 0;
  }

  // --- speaking

  send(t, fields = {}) {
    const m = { t, id: newId(), ...fields };
    if (!this.sent.has(m.id)) this.sent.set(m.id, m);
    this.times.set(m.id, (this.times.get(m.id) ?? 0) + 1);
    if (t === 'sync' || t === 'chat.open') this.syncing.add(m.chat);
    this.ws.send(JSON.stringify(m));
    return m.id;
  }

  /** Bytes as they are, in a text frame. */
  raw(text) {
    this.ws.send(text);
  }

  /** Takes the first message that fits, from what came already or what comes. `what`: a type with fields that match, or a function. */
  expect(what, match = {}, ms = 10_000) {
    const fits = typeof what === 'function' ? what : (m) => m.t === what && matches(m, match);
    const at = this.inbox.findIndex(fits);
    if (at >= 0) return Promise.resolve(this.inbox.splice(at, 1)[0]);
    const name = typeof what === 'function' ? 'a message' : `${what} ${JSON.stringify(match)}`;
    return new Promise((yes, no) => {
      const end = (why) => {
        clearTimeout(timer);
        this.waiters.delete(w);
        const last = this.inbox.slice(-8).map((m) => `${m.t}:${m.kind ?? m.code ?? ''}`);
        no(new TimedOut(`${why} for ${name}; closed: ${JSON.stringify(this.closed)}; not taken: ${last.join(' ')}`));
      };
      const timer = setTimeout(() => end(`waited ${ms} ms`), ms);
      const w = {
        offer: (m) => {
          if (!fits(m)) return false;
          clearTimeout(timer);
          this.waiters.delete(w);
          yes(m);
          return true;
        },
        end: () => end('the connection ended, waiting'),
      };
      if (this.closed) return end('the connection is closed, waiting');
      this.waiters.add(w);
    });
  }

  event(kind, match = {}, ms) {
    return this.expect('event', { kind, ...match }, ms);
  }

  /** The answer to a command, whatever it is. */
  ask(t, fields = {}, ms = 10_000) {
    const id = fields.id ?? newId();
    const answer = this.expect((m) => m.re === id, {}, ms);
    this.send(t, { ...fields, id });
    return answer.catch((e) => {
      throw new TimedOut(`${t}: ${e.message}`);
    });
  }

  /** The ok (or welcome) to a command; anything else throws Answer. */
  async done(t, fields, ms) {
    const m = await this.ask(t, fields, ms);
    if (m.t !== 'ok' && m.t !== 'welcome') throw new Answer(t, m);
    return m;
  }

  /** The error to a command, with this code (or one of these). */
  async refused(code, t, fields) {
    const m = await this.ask(t, fields);
    if (m.t !== 'error' || ![code].flat().includes(m.code)) throw new Answer(`${t}, which ought to be refused with ${code}`, m);
    return m;
  }

  /** All that was sent to this connection so far has arrived. */
  async settle() {
    await this.done('ping');
  }

  /** What has come of this kind until now is forgotten. */
  forget() {
    this.inbox.length = 0;
  }

  say(text, fields = {}) {
    return this.done('message.send', { text, ...fields });
  }

  /** Closes in good manners and waits for it. */
  async close() {
    this.ws.close(1000);
    await within(this.gone, 10_000, 'the connection closes');
  }

  /** Cuts the connection. */
  drop() {
    this.ws?.terminate();
  }
}

/** A shopper who has said hello. `origin`: null for none. */
export async function shopper(server, hello = {}, { origin = server.origin, headers } = {}) {
  const c = await Client.open(server, '/ws/shopper', { origin: origin ?? undefined, headers });
  c.welcome = await c.done('hello', { locale: 'en', ...hello });
  c.token = c.welcome.token ?? hello.token;
  c.me = c.welcome.shopper.id;
  return c;
}

/** A rep (lead, …) who has said hello and is on shift (shift: false for not). `who`: what server.account() gave. */
export async function rep(server, who, { shift = true, capacity = 20, resume, headers } = {}) {
  const c = await Client.open(server, '/ws/rep', { headers: { authorization: `Bearer ${who.token}`, ...headers } });
  c.who = who;
  c.welcome = await c.done('hello', resume ? { resume } : {});
  c.me = c.welcome.rep?.id;
  c.department = who.department;
  if (shift) await c.done('shift.start', { capacity });
  return c;
}

/** The same shopper on another connection. */
export const again = (c, hello = {}, server = c.server) => shopper(server, { token: c.token, ...hello });
