// The connection: hello and resume, requests and their answers, probes, and coming back by itself, for ever.
//
// Nothing of the browser is named here: the WebSocket class, clock, timers, randomness and the "wake" events are
// arguments. `call` sends once and fails with `unavailable` when the connection goes; `command` keeps its id and is
// repeated until the server has answered it.
import { Backoff } from './backoff.js';
import { ServerClock } from './clock.js';
import { makeId } from './ids.js';
import { Refusal, isObject } from './types.js';
import type { ClientHello, ClientMessage, Draft, Random, ServerMessage, ServerOk, ServerWelcome, Timers } from './types.js';

export const SUBPROTOCOL = 'firstline.v1';

/** The part of WebSocket that is used. */
export interface Wire {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}
export type WireClass = new (url: string, protocol: string) => Wire;

export type Wake = 'online' | 'visible' | 'pageshow' | 'pagehide';

/** `off`: closed by us. `waiting`: between two tries. `opening`: from the try to `welcome`. */
export type Link = 'off' | 'waiting' | 'opening' | 'ready';

export interface SocketOptions {
  url: string;
  WebSocket: WireClass;
  timers: Timers;
  random: Random;
  /** Calls back on the events of the page; returns what ends it. */
  wake?: (run: (why: Wake) => void) => () => void;
  /** What to say in `hello`, asked at each connection. */
  hello: () => Omit<ClientHello, 't' | 'id'> | Promise<Omit<ClientHello, 't' | 'id'>>;
  onWelcome: (welcome: ServerWelcome, first: boolean) => void;
  /** Everything that answers no request: events and signals. */
  onMessage: (message: Exclude<ServerMessage, { t: 'ok' | 'error' | 'welcome' }>) => void;
  onLink?: (link: Link) => void;
  /** True when the connection has been gone for 3 s, false as soon as it is back. */
  onTrouble?: (trouble: boolean) => void;
  /** `hello` was refused, or the server can't be reached as a WebSocket: `opened` tells which. */
  onFailed?: (failure: { opened: boolean; tries: number; closeCode: number | null; refusal: Refusal | null }) => void;
}

interface Pending {
  message: ClientMessage;
  durable: boolean;
  timer: unknown;
  resolve: (ok: ServerOk) => void;
  reject: (refusal: Refusal) => void;
}

const ANSWER_MS = 10_000;
const PROBE_MS = 5_000;
const HANDSHAKE_MS = 10_000;
const NOTICE_MS = 3_000;
const RESTART_MS = 3_000;
const OVERLOAD_MS = 5_000;

/** Half of a character (a paste, a cut) is no JSON that the server takes: it could not even say what it refuses. */
const whole = (_: string, value: unknown) => (typeof value === 'string' ? value.replace(/\p{Cs}/gu, '\ufffd') : value);

const lost = () => new Refusal({ code: 'unavailable', message: 'connection lost' });

export class Socket {
  readonly clock: ServerClock;
  link: Link = 'off';
  private readonly o: SocketOptions;
  private readonly backoff: Backoff;
  private readonly pending = new Map<string, Pending>();
  private wire: Wire | null = null;
  private helloId = '';
  private helloAt = 0;
  private welcomed = false;
  private timer: unknown = null;
  private probeTimer: unknown = null;
  private ping = { id: '', at: 0 };
  private noticeTimer: unknown = null;
  private trouble = false;
  private tries = 0;
  private refusal: Refusal | null = null;
  private stopWake: (() => void) | null = null;

  constructor(options: SocketOptions) {
    this.o = options;
    this.clock = new ServerClock(options.timers);
    this.backoff = new Backoff(options.random);
  }

  open(): void {
    if (this.link !== 'off') return;
    this.stopWake ??= this.o.wake?.((why) => this.onWake(why)) ?? null;
    this.connect();
  }

  /** Closes for good; calls that wait for an answer fail with `unavailable`. */
  close(): void {
    this.stopWake?.();
    this.stopWake = null;
    this.hush();
    this.drop(1000);
    this.setLink('off');
    for (const [id, p] of this.pending) this.settle(id, p, lost());
  }

  /** Closes and says hello again, with what `hello` returns now (another identity or token). */
  restart(): void {
    if (this.link === 'off') return;
    this.drop(1000);
    this.connect();
  }

  /** Sends without waiting for an answer; false if there is no connection. For typing, read. */
  tell(message: Draft): boolean {
    if (this.link !== 'ready') return false;
    this.put({ ...message, id: message.id ?? makeId() } as ClientMessage);
    return true;
  }

  /** Sends once. Fails with the server's error, or with `unavailable` when the connection goes or is not there. */
  call(message: Draft): Promise<ServerOk> {
    return this.ask(message, false);
  }

  /** Sends until answered, under one id: over reconnects, `unavailable` and `rate_limited`. For what must happen once. */
  command(message: Draft): Promise<ServerOk> {
    return this.ask(message, true);
  }

  private ask(draft: Draft, durable: boolean): Promise<ServerOk> {
    const message = { ...draft, id: draft.id ?? makeId() } as ClientMessage;
    if (!durable && this.link !== 'ready') return Promise.reject(lost());
    return new Promise((resolve, reject) => {
      const p: Pending = { message, durable, timer: null, resolve, reject };
      this.pending.set(message.id, p);
      if (this.link === 'ready') this.transmit(p);
    });
  }

  private transmit(p: Pending): void {
    this.o.timers.clear(p.timer);
    this.watch(p);
    this.put(p.message);
  }

  /** As long as it has no answer the connection is asked for a sign of life. */
  private watch(p: Pending): void {
    p.timer = this.o.timers.set(() => {
      this.watch(p);
      this.probe();
    }, ANSWER_MS);
  }

  private put(message: ClientMessage): void {
    try {
      this.wire?.send(JSON.stringify(message, whole));
    } catch {
      this.onClose(this.wire, 1006);
    }
  }

  private settle(id: string, p: Pending, result: ServerOk | Refusal): void {
    this.o.timers.clear(p.timer);
    this.pending.delete(id);
    if (result instanceof Refusal) p.reject(result);
    else p.resolve(result);
  }

  // --- connecting

  private connect(): void {
    this.clear('timer');
    this.setLink('opening');
    let wire: Wire;
    try {
      wire = new this.o.WebSocket(this.o.url, SUBPROTOCOL);
    } catch {
      this.wire = null;
      this.retry(1006, false);
      return;
    }
    this.wire = wire;
    let opened = false;
    this.refusal = null;
    this.timer = this.o.timers.set(() => this.onClose(wire, 1006, opened), HANDSHAKE_MS);
    wire.onopen = () => {
      if (wire !== this.wire) return;
      opened = true;
      void this.sayHello(wire);
    };
    wire.onmessage = (event) => {
      if (wire === this.wire) this.onFrame(event.data);
    };
    wire.onclose = (event) => this.onClose(wire, event.code, opened);
    wire.onerror = () => undefined; // onclose follows
  }

  private async sayHello(wire: Wire): Promise<void> {
    const fields = await this.o.hello();
    if (wire !== this.wire) return;
    this.helloId = makeId();
    this.helloAt = this.o.timers.now();
    this.put({ t: 'hello', id: this.helloId, ...fields });
  }

  private onClose(wire: Wire | null, code: number, opened = true): void {
    if (wire === null || wire !== this.wire) return;
    this.drop(null);
    this.retry(code, opened);
  }

  private retry(code: number, opened: boolean): void {
    this.tries += 1;
    this.setLink('waiting');
    this.o.onFailed?.({ opened, tries: this.tries, closeCode: code, refusal: this.refusal });
    if (this.link !== 'waiting') return; // who was told has closed it, or begun anew
    let wait = this.refusal?.retryMs ?? this.backoff.next();
    if (code === 1001) wait = Math.round(this.o.random() * RESTART_MS);
    if (code === 1013) wait += OVERLOAD_MS;
    this.clear('timer');
    this.timer = this.o.timers.set(() => this.connect(), wait);
  }

  /** Lets go of the wire, and of the calls that can't be answered any more. */
  private drop(code: number | null): void {
    const wire = this.wire;
    this.wire = null;
    this.welcomed = false;
    this.clear('timer');
    this.clear('probeTimer');
    if (wire) {
      wire.onopen = wire.onmessage = wire.onclose = wire.onerror = null;
      try {
        wire.close(code ?? 1000);
      } catch {
        // it was closed already
      }
    }
    for (const [id, p] of this.pending) {
      this.o.timers.clear(p.timer);
      if (!p.durable) this.settle(id, p, lost());
    }
  }

  private onWake(why: Wake): void {
    if (why === 'pagehide') {
      this.drop(1000);
      this.setLink('waiting');
      this.hush();
    } else if (this.link === 'waiting') this.connect();
    else if (this.link === 'ready') this.probe();
  }

  /** An open readyState proves nothing: asks, and gives up the connection when no answer comes. */
  private probe(): void {
    if (this.link !== 'ready' || this.probeTimer !== null) return;
    const wire = this.wire;
    this.probeTimer = this.o.timers.set(() => {
      this.probeTimer = null;
      this.onClose(wire, 1006);
    }, PROBE_MS);
    this.ping = { id: makeId(), at: this.o.timers.now() };
    this.put({ t: 'ping', id: this.ping.id });
  }

  // --- frames

  private onFrame(data: unknown): void {
    let frame: unknown;
    try {
      frame = typeof data === 'string' ? JSON.parse(data) : null;
    } catch {
      return;
    }
    if (!isObject(frame) || typeof frame['t'] !== 'string') return;
    this.clear('probeTimer'); // anything that arrives is a sign of life
    const message = frame as unknown as ServerMessage;
    switch (message.t) {
      case 'welcome':
        this.onWelcome(message);
        break;
      case 'ok':
        if (message.now !== undefined && message.re === this.ping.id) this.clock.observe(message.now, this.ping.at);
        this.onAnswer(message.re, message);
        break;
      case 'error':
        this.onError(message.re, new Refusal(message));
        break;
      default:
        this.o.onMessage(message);
    }
  }

  private onWelcome(welcome: ServerWelcome): void {
    if (welcome.re !== this.helloId) return;
    const first = !this.welcomed && this.tries === 0;
    this.clear('timer');
    this.tries = 0;
    this.welcomed = true;
    this.backoff.reset();
    this.clock.restart();
    this.clock.observe(welcome.now, this.helloAt);
    this.hush();
    this.setLink('ready');
    this.o.onWelcome(welcome, first);
    for (const p of [...this.pending.values()]) if (p.durable) this.transmit(p);
  }

  private onAnswer(id: string, ok: ServerOk): void {
    const p = this.pending.get(id);
    if (p) this.settle(id, p, ok);
  }

  private onError(id: string | null, refusal: Refusal): void {
    if (id !== null && id === this.helloId) {
      this.refusal = refusal;
      this.onClose(this.wire, 1006);
      return;
    }
    const p = id === null ? undefined : this.pending.get(id);
    if (!id || !p) return;
    if (p.durable && (refusal.code === 'unavailable' || refusal.code === 'rate_limited')) {
      this.o.timers.clear(p.timer);
      p.timer = this.o.timers.set(() => this.link === 'ready' && this.transmit(p), refusal.retryMs ?? 1_000 + this.backoff.next());
    } else this.settle(id, p, refusal);
  }

  // --- small things

  private setLink(link: Link): void {
    if (link === this.link) return;
    this.link = link;
    if (link === 'opening' || link === 'waiting') this.noticeTimer ??= this.o.timers.set(() => this.setTrouble(true), NOTICE_MS);
    this.o.onLink?.(link);
  }

  private setTrouble(trouble: boolean): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.o.onTrouble?.(trouble);
  }

  private hush(): void {
    this.clear('noticeTimer');
    this.setTrouble(false);
  }

  private clear(which: 'timer' | 'probeTimer' | 'noticeTimer'): void {
    if (this[which] === null) return;
    this.o.timers.clear(this[which]);
    this[which] = null;
  }
}

/** The wake events of a page, for the entries. */
export function pageWake(page: Window): (run: (why: Wake) => void) => () => void {
  return (run) => {
    const online = () => run('online');
    const visible = () => page.document.visibilityState === 'visible' && run('visible');
    const show = (event: PageTransitionEvent) => event.persisted && run('pageshow');
    const hide = () => run('pagehide');
    page.addEventListener('online', online);
    page.document.addEventListener('visibilitychange', visible);
    page.addEventListener('pageshow', show);
    page.addEventListener('pagehide', hide);
    return () => {
      page.removeEventListener('online', online);
      page.document.removeEventListener('visibilitychange', visible);
      page.removeEventListener('pageshow', show);
      page.removeEventListener('pagehide', hide);
    };
  };
}

/** wss://HOST/PATH for the origin that a script or page came from. */
export function socketUrl(origin: string, path: string): string {
  return origin.replace(/^http/, 'ws') + path;
}
